//! A surface in memory: scripted events in, pictures out. For tests of the window program, which then need no display.

use super::event::Event;
use super::surface::{Surface, SurfaceError};
use crate::view::Canvas;

/// What a [`MemorySurface`] has shown so far.
#[derive(Debug, Clone, Default)]
pub struct Presented {
    /// The picture presented last; empty before the first.
    pub canvas: Canvas,
    /// How many pictures were presented.
    pub count: u64,
    /// The title.
    pub title: String,
}

/// A surface without a window. Its script is asked at each call of [`Surface::events`]; it sees what was presented and
/// answers with the events to report. [`Event::Resize`] in an answer changes the surface's size.
pub struct MemorySurface<S> {
    script: S,
    size: (usize, usize),
    presented: Presented,
    begun: bool,
}

impl<S: FnMut(&Presented) -> Vec<Event>> MemorySurface<S> {
    /// A surface of this width and height in pixels.
    pub fn new(size: (usize, usize), script: S) -> Self {
        Self { script, size, presented: Presented::default(), begun: false }
    }

    /// What was shown.
    pub fn presented(&self) -> &Presented {
        &self.presented
    }
}

impl<S: FnMut(&Presented) -> Vec<Event>> Surface for MemorySurface<S> {
    fn events(&mut self) -> Vec<Event> {
        let (width, height) = self.size;
        let first = (!std::mem::replace(&mut self.begun, true)).then_some(Event::Resize(width, height));
        let events: Vec<_> = first.into_iter().chain((self.script)(&self.presented)).collect();
        for event in &events {
            if let Event::Resize(width, height) = *event {
                self.size = (width, height);
            }
        }
        events
    }

    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn present(&mut self, canvas: &Canvas) -> Result<(), SurfaceError> {
        if canvas.width() > 0 && canvas.height() > 0 {
            self.presented.canvas.clone_from(canvas);
            self.presented.count += 1;
        }
        Ok(())
    }

    fn is_stale(&self) -> bool {
        // Memory forgets nothing.
        self.presented.count == 0
    }

    fn set_title(&mut self, title: &str) {
        title.clone_into(&mut self.presented.title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_from_the_script_and_pictures_can_be_looked_at() {
        let mut surface = MemorySurface::new((4, 3), |presented: &Presented| match presented.count {
            0 => vec![Event::Char('a')],
            _ => vec![Event::Resize(6, 5), Event::Close],
        });
        assert_eq!(surface.events(), [Event::Resize(4, 3), Event::Char('a')]);
        assert!(surface.is_stale());
        surface.present(&Canvas::new(0, 0)).unwrap();
        assert_eq!(surface.presented().count, 0, "an empty canvas is ignored");
        let mut canvas = Canvas::new(4, 3);
        canvas.clear(0x123456);
        surface.present(&canvas).unwrap();
        surface.set_title("two");
        assert_eq!(surface.events(), [Event::Resize(6, 5), Event::Close]);
        assert_eq!((surface.size(), surface.is_stale()), ((6, 5), false));
        let Presented { canvas: shown, count, title } = surface.presented();
        assert_eq!((shown, *count, title.as_str()), (&canvas, 1, "two"));
    }
}
