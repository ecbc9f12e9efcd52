//! Where the window program shows its picture and receives keys and mouse: the seam between it and a window system.
//!
//! A [`Surface`] shows one canvas and reports events. It decides nothing: what keys mean is in `keys.rs`, what is drawn
//! comes from [`crate::view`]. The main loops of [`session`](super::session) and [`grid`](super::grid) own the thread and
//! the pace: they call [`events`](Surface::events) about every 8 ms, draw when something has changed, and
//! [`present`](Surface::present) the canvas; a surface never waits and never calls back.
//!
//! # Implementations
//!
//! * `Window` (feature `window`): a window on the screen through minifb. Only this file knows minifb.
//! * [`MemorySurface`](super::MemorySurface): no window at all. Events come from a script, the pictures presented can be
//!   looked at; tests drive whole sessions with it.
//!
//! # What an implementer must do
//!
//! * Report [`Event::Resize`] first, with the size the surface begins with, and again after every change; [`size`]
//!   must return the new size from the moment the event is reported. The canvas that is presented next may still have
//!   the old size: show it unscaled, its top-left corner in the top-left corner of the window.
//! * Report characters as the keyboard's layout makes them ([`Event::Char`]), not key positions, and without control
//!   characters; where the layout has no Latin letters, the Latin character on the same key. Report a held key once, and again only where [`keys::repeats`](super::keys::repeats) says so.
//! * Report positions in pixels of the canvas, and buttons only when they change. A [`Event::Wheel`] notch is 1.0,
//!   above 0 away from the user, on every system.
//! * Report [`Event::Close`] once when the user closes the window.
//! * Bound what waits between two calls of [`events`]; what a user types beyond it may be lost.
//! * Return from [`is_stale`] whether the window system may have forgotten what was presented.
//! * Be used on the main thread only: some systems demand it, so the trait does not ask for `Send`.
//!
//! [`size`]: Surface::size
//! [`events`]: Surface::events
//! [`is_stale`]: Surface::is_stale

use super::event::Event;
use crate::view::Canvas;

/// Why there is no surface, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceError {
    /// The window cannot be opened.
    #[error(
        "cannot open a window: {0}; without a display, run `trailsight track` or unset DISPLAY and WAYLAND_DISPLAY"
    )]
    Open(String),
    /// The window does not take the picture.
    #[error("cannot show the picture in the window: {0}")]
    Present(String),
}

/// A place to show one picture, with keys and a mouse. The module says what an implementer must do.
pub trait Surface {
    /// The events since the last call, in order. Never waits.
    fn events(&mut self) -> Vec<Event>;

    /// Width and height in pixels: the size that the next canvas should have.
    fn size(&self) -> (usize, usize);

    /// Shows the canvas. To be called when the canvas has changed or the surface [is stale](Self::is_stale), and not
    /// otherwise: it costs some milliseconds. An empty canvas is ignored.
    ///
    /// # Errors
    /// [`SurfaceError::Present`] where the window system refuses.
    fn present(&mut self, canvas: &Canvas) -> Result<(), SurfaceError>;

    /// Whether the same canvas should be presented again although nothing has changed.
    fn is_stale(&self) -> bool;

    /// Changes the title.
    fn set_title(&mut self, title: &str);
}
