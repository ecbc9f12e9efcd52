//! What is drawn, and the window it is drawn in. Knows scenes and pictures; knows no camera, no network, no thread.

mod canvas;
mod settings;

pub use canvas::Canvas;
pub use settings::{MAX_SCALE, MIN_SCALE, OverlaySettings, Scale};
