//! Showing a picture, where there is something to show it on.

use std::time::Duration;

use crate::frame::Picture;

/// A window that pictures are shown in, one after the other.
#[cfg(feature = "window")]
pub(super) struct Screen {
    window: crate::ui::Window,
    scaler: crate::view::Scaler,
    canvas: crate::view::Canvas,
}

#[cfg(feature = "window")]
impl Screen {
    /// Opens it for pictures of this size, or says in a few words why there is none.
    pub(super) fn open(size: (u32, u32)) -> Result<Self, String> {
        if !crate::ui::display_available() {
            return Err("no display".to_owned());
        }
        let window =
            crate::ui::Window::open("bench – trailsight", size).map_err(|error| error.to_string())?;
        Ok(Self { window, scaler: Default::default(), canvas: Default::default() })
    }

    /// Shows a picture and tells how long that took, its scaling to the window not counted.
    pub(super) fn present(&mut self, picture: &Picture) -> Result<Duration, String> {
        use crate::ui::Surface;
        use crate::view::{Sizes, Viewport};
        // What is typed meanwhile has no meaning; the size of the window may have changed.
        drop(self.window.events());
        let (width, height) = self.window.size();
        self.canvas.resize(width, height);
        let mapping = Viewport::default().mapping(Sizes { source: picture.size(), canvas: (width, height) });
        self.scaler.paint(&mut self.canvas, picture, &mapping);
        let started = std::time::Instant::now();
        self.window.present(&self.canvas).map_err(|error| error.to_string())?;
        Ok(started.elapsed())
    }
}

/// There is none in this build.
#[cfg(not(feature = "window"))]
pub(super) enum Screen {}

#[cfg(not(feature = "window"))]
impl Screen {
    pub(super) fn open(_: (u32, u32)) -> Result<Self, String> {
        Err("built without a window".to_owned())
    }

    pub(super) fn present(&mut self, _: &Picture) -> Result<Duration, String> {
        match *self {}
    }
}
