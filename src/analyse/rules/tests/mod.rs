//! The language and the evaluator.

mod events;
mod language;
mod scenes;
