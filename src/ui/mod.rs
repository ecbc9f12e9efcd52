//! The window program: what runs on the main thread while a window is open.
//!
//! | folder | what it holds |
//! |---|---|
//! | `session/` | one source in the window: playback, the panel of settings, recording, the status file |
//! | `grid/` | several sources side by side, each a pipeline of its own |
//!
//! Pipelines are started by [`crate::pipeline`]; what is drawn comes from [`crate::view`].

pub mod grid;
pub mod session;
