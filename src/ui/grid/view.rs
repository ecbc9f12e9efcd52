//! Which tiles the window shows, and how it answers to keys and mouse.

use super::layout::{Cell, layout};
use crate::ui::command::Command;
use crate::ui::event::Event;
use crate::ui::keys;

/// What the window shows of its tiles, and how it answers to keys and mouse.
#[derive(Debug, Default)]
pub struct GridView {
    cells: Vec<Cell>,
    enlarged: Option<usize>,
    help: bool,
    /// Where the button went down.
    pressed: Option<usize>,
}

impl GridView {
    /// The tile that has the whole window, by its number from 0.
    pub fn enlarged(&self) -> Option<usize> {
        self.enlarged
    }

    /// Whether the help is shown.
    pub fn help_open(&self) -> bool {
        self.help
    }

    /// The places of the tiles; if one is enlarged, only that one has a place.
    pub fn place(&mut self, canvas: (usize, usize), sizes: &[Option<(u32, u32)>]) -> Vec<Option<Cell>> {
        self.cells = layout(canvas, sizes);
        let whole = Cell { left: 0, top: 0, width: canvas.0, height: canvas.1 };
        let place = |(number, cell): (usize, &Cell)| match self.enlarged {
            None => Some(*cell),
            Some(large) => (number == large).then_some(whole),
        };
        self.cells.iter().enumerate().map(place).collect()
    }

    /// Answers to an event. Escape closes the help, else shows all tiles again, else quits.
    pub fn handle(&mut self, event: Event) -> Option<Command> {
        match event {
            Event::Char(_) | Event::Key { .. } | Event::Escape => self.act(keys::command(event)?),
            Event::Close => Some(Command::Quit),
            Event::MouseDown { x, y } => {
                self.pressed = self.under(x, y);
                None
            }
            Event::MouseUp { x, y } => {
                let pressed = self.pressed.take().filter(|pressed| self.under(x, y) == Some(*pressed));
                if !std::mem::take(&mut self.help) {
                    self.switch(pressed);
                }
                None
            }
            Event::MouseMove { .. } | Event::Wheel { .. } | Event::Resize(..) => None,
        }
    }

    /// Carries out commands that concern only the view, and drops those that concern a single recording, which the help
    /// of the grid does not list.
    fn act(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Escape if std::mem::take(&mut self.help) => None,
            Command::Escape if self.enlarged.take().is_some() => None,
            Command::Escape => Some(Command::Quit),
            Command::Help => {
                self.help = !self.help;
                None
            }
            Command::Digit(digit) => {
                let number = usize::from(digit).checked_sub(1);
                self.switch(number.filter(|number| *number < self.cells.len()));
                None
            }
            Command::Quit
            | Command::Pause
            | Command::Snapshot
            | Command::Compare
            | Command::Switch(_)
            | Command::Confidence(_)
            | Command::TrailLength(_) => Some(command),
            _ => None,
        }
    }

    fn under(&self, x: f32, y: f32) -> Option<usize> {
        self.enlarged.or_else(|| self.cells.iter().position(|cell| cell.contains(x, y)))
    }

    /// Enlarges a tile; with the enlarged tile or none, shows all tiles again.
    fn switch(&mut self, to: Option<usize>) {
        let Some(to) = to else { return };
        self.enlarged = Some(to).filter(|_| self.enlarged != Some(to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Option<(u32, u32)> = Some((1280, 720));

    #[test]
    fn keys_and_clicks_enlarge_a_tile_and_bring_all_back() {
        let mut view = GridView::default();
        view.place((640, 360), &[WIDE; 3]);
        view.handle(Event::Char('2'));
        assert_eq!(view.enlarged(), Some(1));
        let places = view.place((640, 360), &[WIDE; 3]);
        assert_eq!(places, [None, Some(Cell { left: 0, top: 0, width: 640, height: 360 }), None]);
        view.handle(Event::Char('3'));
        assert_eq!(view.enlarged(), Some(2), "from one to the other");
        for none in ['0', '4', '9'] {
            view.handle(Event::Char(none));
            assert_eq!(view.enlarged(), Some(2));
        }
        assert_eq!((view.handle(Event::Escape), view.enlarged()), (None, None));
        let (x, y) = (10.0, 10.0);
        view.handle(Event::MouseDown { x, y });
        view.handle(Event::MouseUp { x, y });
        assert_eq!(view.enlarged(), Some(0));
        view.handle(Event::MouseDown { x: 600.0, y: 300.0 });
        view.handle(Event::MouseUp { x: 600.0, y: 300.0 });
        assert_eq!(view.enlarged(), None, "wherever it is clicked");
        // What goes down on one and up on another is no click.
        view.handle(Event::MouseDown { x, y });
        view.handle(Event::MouseUp { x: 600.0, y });
        assert_eq!(view.enlarged(), None);
        view.handle(Event::Char('h'));
        assert!(view.help_open());
        assert_eq!((view.handle(Event::Escape), view.help_open()), (None, false));
        assert_eq!(view.handle(Event::Escape), Some(Command::Quit));
        assert_eq!(view.handle(Event::Char('n')), None);
    }
}
