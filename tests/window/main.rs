//! The program in a window on an X server of its own (Xvfb): driven by keys and mouse, read from the status file and
//! looked at in screenshots.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and say what they leave out"
)]

#[path = "../common/mod.rs"]
mod common;

mod grid;
mod live_faults;
mod opened;
mod player;
mod window;
