//! The readers that the targets call; the tests with fixed seeds call the same ones.

#[path = "../../tests/library/fuzz/readers.rs"]
pub mod readers;
