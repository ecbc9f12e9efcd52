//! The window program: what runs on the main thread while a window is open.
//!
//! | file | what it holds |
//! |---|---|
//! | `surface.rs` | the seam to the window system: [`Surface`] |
//! | `window.rs`, `memory.rs` | a window through minifb (feature `window`); a surface in memory, for tests |
//! | `keyboard.rs`, `x_server.rs` | keys by their place under layouts without Latin letters; what an X server says of its display and keys |
//! | `event.rs`, `command.rs`, `keys.rs` | what happens in a window; what the program is asked to do; the table between the two |
//! | `panel/`, `panel_rows.rs` | the panel of settings; its rows from the settings in force |
//! | `shown_frame.rs`, `age.rs`, `compare.rs` | the frame on the screen; how old it is; original, enhanced, or half of each |
//! | `change.rs` | settings that change while the window is open |
//! | `message.rs`, `status.rs`, `error.rs` | the message that fades; the status file; why a run in a window failed |
//! | `pace.rs` | how often the loops look and draw |
//! | `session/` | one source in the window: playback, the panel of settings, recording, the status file |
//! | `grid/` | several sources side by side, each a pipeline of its own |
//!
//! Pipelines are started by [`crate::pipeline`]; what is drawn comes from [`crate::view`].

pub(crate) mod age;
pub(crate) mod change;
pub mod command;
pub(crate) mod compare;
pub mod error;
pub mod event;
pub mod grid;
#[cfg(feature = "window")]
mod keyboard;
pub mod keys;
pub mod memory;
pub(crate) mod message;
pub(crate) mod pace;
pub mod panel;
pub(crate) mod panel_rows;
pub mod session;
pub(crate) mod shown_frame;
pub(crate) mod status;
pub mod surface;
#[cfg(test)]
mod testing;
#[cfg(feature = "window")]
pub mod window;
#[cfg(all(feature = "window", unix, not(target_os = "macos")))]
mod x_server;

pub use command::{Command, Layer};
pub use error::UiError;
pub use event::{Event, NamedKey};
pub use memory::{MemorySurface, Presented};
pub use surface::{Surface, SurfaceError};
#[cfg(feature = "window")]
pub use window::{Window, display_available};
