//! What is drawn, and the window it is drawn in. Knows scenes and pictures; knows no camera, no network, no thread.

mod canvas;

pub use canvas::Canvas;
