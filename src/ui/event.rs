//! What happens in a window.

/// Something that happened in the window. Positions are pixels of the canvas, origin in its top-left corner, x to the
/// right, y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A character was typed.
    Char(char),
    /// The escape key was pressed.
    Escape,
    /// A key without a character was pressed.
    Key {
        /// The key.
        key: NamedKey,
        /// A shift key is down.
        shift: bool,
    },
    /// The pointer has moved.
    MouseMove {
        /// Its position to the right.
        x: f32,
        /// Its position down.
        y: f32,
    },
    /// The left button went down.
    MouseDown {
        /// The pointer's position to the right.
        x: f32,
        /// The pointer's position down.
        y: f32,
    },
    /// The left button came up.
    MouseUp {
        /// The pointer's position to the right.
        x: f32,
        /// The pointer's position down.
        y: f32,
    },
    /// The wheel was turned.
    Wheel {
        /// The pointer's position to the right.
        x: f32,
        /// The pointer's position down.
        y: f32,
        /// Notches; above 0 away from the user, which enlarges.
        steps: f32,
    },
    /// The window has another size: its width and height in pixels.
    Resize(usize, usize),
    /// The window was closed by its user.
    Close,
}

/// A key without a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedKey {
    /// The left arrow.
    Left,
    /// The right arrow.
    Right,
    /// The up arrow.
    Up,
    /// The down arrow.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Tab.
    Tab,
}
