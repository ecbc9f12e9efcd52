//! The program without a window: what is typed, what is written, what is said, and how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and say what they leave out"
)]

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod batch;
mod bench;
mod convert;
mod counting;
mod eval;
mod generate;
mod ground;
#[cfg(feature = "messages")]
mod messages;
mod models;
#[cfg(feature = "pull")]
mod models_pull;
mod models_stock;
mod motion;
// Not with the tests that load the real library onnxruntime: a process that failed to load one cannot load another.
mod onnxruntime;
mod program;
mod readme;
mod render;
mod rules;
#[cfg(unix)]
mod security;
mod signals;
mod track_demo;
mod tuning;
