//! The one table of keys and mouse gestures: what is pressed, which command it gives, and how the help of the window and
//! the README describe it.

use super::command::{Command, Layer};
use super::event::{Event, NamedKey};
use crate::geometry::Rect;
use crate::view::text_box::{Layout, Row};
use crate::view::theme::{ACCENT, LIGHT, TEXT_SIZE};
use crate::view::{Canvas, Paint, Text};

/// The seconds of a jump with an arrow key, and with shift.
const SKIP: f64 = 5.0;
const LONG_SKIP: f64 = 30.0;

/// What has to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// One of these characters, whichever key of the keyboard's layout they are typed with.
    Chars(&'static [char]),
    /// A digit.
    Digit,
    /// A key without a character.
    Named(NamedKey),
    /// The escape key.
    Escape,
    /// A gesture of the mouse.
    Mouse,
}

/// Where a key has its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// With one source in the window.
    Session,
    /// With several sources in the window.
    Grid,
    /// With one source and with several.
    Both,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binding {
    /// The name of the key.
    pub keys: &'static str,
    /// What has to be pressed.
    pub trigger: Trigger,
    /// The command it gives. A digit and a gesture of the mouse give one that depends on which and where: `None`.
    pub command: Option<Command>,
    /// What it does, in words.
    pub help: &'static str,
    /// Holding the key down repeats the command.
    pub repeats: bool,
    /// Where it has this meaning.
    pub scope: Scope,
}

impl Binding {
    const fn everywhere(self) -> Self {
        Self { scope: Scope::Both, ..self }
    }

    const fn held(self) -> Self {
        Self { repeats: true, ..self }
    }
}

const fn binding(
    keys: &'static str,
    trigger: Trigger,
    command: Option<Command>,
    help: &'static str,
) -> Binding {
    Binding { keys, trigger, command, help, repeats: false, scope: Scope::Session }
}

const fn key(keys: &'static str, chars: &'static [char], command: Command, help: &'static str) -> Binding {
    binding(keys, Trigger::Chars(chars), Some(command), help)
}

const fn named(keys: &'static str, key: NamedKey, command: Command, help: &'static str) -> Binding {
    binding(keys, Trigger::Named(key), Some(command), help)
}

const fn mouse(keys: &'static str, help: &'static str) -> Binding {
    binding(keys, Trigger::Mouse, None, help)
}

/// Every key and gesture.
pub const KEYS: &[Binding] = &[
    binding(
        "Esc",
        Trigger::Escape,
        Some(Command::Escape),
        "close the help or the details; from one tile back to all; else quit",
    )
    .everywhere(),
    key("q", &['q'], Command::Quit, "quit").everywhere(),
    key(
        "space",
        &[' '],
        Command::Pause,
        "pause or continue (a camera: the picture freezes, tracking continues)",
    )
    .everywhere(),
    key(".", &['.'], Command::Step, "one frame on").held(),
    key(",", &[','], Command::StepBack, "one frame back").held(),
    named("←", NamedKey::Left, Command::Skip(-SKIP), "5 s back; with shift 30 s").held(),
    named("→", NamedKey::Right, Command::Skip(SKIP), "5 s on; with shift 30 s").held(),
    named("Home", NamedKey::Home, Command::Seek(0.0), "to the beginning"),
    named("End", NamedKey::End, Command::Seek(1.0), "to the end"),
    binding("0–9", Trigger::Digit, None, "to that tenth of the recording"),
    key("<", &['<'], Command::Speed(-1), "slower, down to a quarter"),
    key(">", &['>'], Command::Speed(1), "faster, up to eight times"),
    key("o", &['o'], Command::Repeat, "repeat the recording, on or off"),
    key("n", &['n'], Command::File(1), "the next recording: of those you named, else of the same folder"),
    key("p", &['p'], Command::File(-1), "the previous recording"),
    key("v", &['v'], Command::Record, "start or stop recording what is shown, with boxes and trails"),
    named("Tab", NamedKey::Tab, Command::Panel, "show or hide the settings to tune (arrows, digits, w, z)"),
    key("h", &['h'], Command::Help, "show or hide this help").everywhere(),
    key("b", &['b'], Command::Switch(Layer::Boxes), "show or hide the boxes").everywhere(),
    key("l", &['l'], Command::Switch(Layer::Labels), "show or hide the labels").everywhere(),
    key("t", &['t'], Command::Switch(Layer::Trails), "show or hide the trails").everywhere(),
    key("m", &['m'], Command::Switch(Layer::Heat), "show or hide the heat map").everywhere(),
    key("g", &['g'], Command::Switch(Layer::Map), "show or hide the ground from above (needs a [ground])")
        .everywhere(),
    key("i", &['i'], Command::Switch(Layer::Hud), "show or hide the numbers").everywhere(),
    key("e", &['e'], Command::Compare, "the picture as captured, as the network sees it, or half and half")
        .everywhere(),
    key("s", &['s'], Command::Snapshot, "save the picture as PNG").everywhere(),
    // `=` and `_` share their keys with `+` and `-` on many keyboards: the wrong shift does no harm.
    key("+", &['+', '='], Command::Confidence(1), "raise the confidence: fewer, surer detections")
        .held()
        .everywhere(),
    key("-", &['-', '_'], Command::Confidence(-1), "lower the confidence: more detections")
        .held()
        .everywhere(),
    key("]", &[']'], Command::TrailLength(1), "longer trails").held().everywhere(),
    key("[", &['['], Command::TrailLength(-1), "shorter trails").held().everywhere(),
    key("f", &['f'], Command::Fit, "fit the picture into the window, 1:1, or fill the window"),
    mouse("time line", "click or drag: another place of the recording"),
    mouse("click", "show a track's details and dim the others; again: stop"),
    mouse("wheel", "zoom in and out at the pointer"),
    mouse("drag", "move the zoomed picture"),
    Binding {
        scope: Scope::Grid,
        ..mouse("tile", "click a source, or press its number 1–9, to enlarge it; again: all tiles")
    },
];

/// The row of the table for a key event, and the digit where it is one. Upper case counts as lower case (caps lock).
fn find(event: Event) -> Option<(&'static Binding, Option<u8>)> {
    let (typed, digit) = match event {
        Event::Char(typed) => {
            (Some(typed.to_ascii_lowercase()), typed.to_digit(10).and_then(|digit| u8::try_from(digit).ok()))
        }
        _ => (None, None),
    };
    let is_pressed = |binding: &&Binding| match (binding.trigger, event) {
        (Trigger::Chars(chars), Event::Char(_)) => typed.is_some_and(|typed| chars.contains(&typed)),
        (Trigger::Digit, Event::Char(_)) => digit.is_some(),
        (Trigger::Named(named), Event::Key { key, .. }) => named == key,
        (Trigger::Escape, Event::Escape) => true,
        _ => false,
    };
    KEYS.iter().find(is_pressed).map(|binding| (binding, digit))
}

/// The command that a key event gives; `None` for other keys and for events that are no keys. Shift makes jumps longer.
pub fn command(event: Event) -> Option<Command> {
    let (binding, digit) = find(event)?;
    match (binding.command, event) {
        (Some(Command::Skip(seconds)), Event::Key { shift: true, .. }) => {
            Some(Command::Skip(LONG_SKIP.copysign(seconds)))
        }
        (Some(command), _) => Some(command),
        (None, _) => digit.map(Command::Digit),
    }
}

/// Whether holding the key down repeats its command.
pub fn repeats(event: Event) -> bool {
    find(event).is_some_and(|(binding, _)| binding.repeats)
}

/// The table as Markdown, for the README.
pub fn markdown() -> String {
    let mut table = String::from("| key | what it does |\n|---|---|\n");
    for Binding { keys, trigger, help, .. } in KEYS {
        let key = if *trigger == Trigger::Mouse { format!("*{keys}*") } else { format!("`{keys}`") };
        table.push_str(&format!("| {key} | {help} |\n"));
    }
    table
}

/// Draws the help for `scope` in the middle of the canvas, over a dimmed picture. Its letters shrink to what fits.
pub fn draw_help(canvas: &mut Canvas, text: &mut Text, scale: f32, scope: Scope) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    canvas.fill(Rect::new(0.0, 0.0, width, height), Paint::new(0, 0.45));
    let mut rows = vec![Row::title("Keys", LIGHT)];
    let bindings = KEYS.iter().filter(|binding| binding.scope == Scope::Both || binding.scope == scope);
    rows.extend(bindings.map(|binding| Row::new(binding.keys, binding.help).tinted(ACCENT)));
    let mut size = TEXT_SIZE * 1.1 * scale;
    let mut layout = Layout::new(text, &rows, size, 0.0, f32::MAX);
    let shrink = ((width - 16.0) / layout.width).min((height - 16.0) / layout.height);
    if shrink < 1.0 {
        size *= shrink;
        layout = Layout::new(text, &rows, size, 0.0, width);
    }
    let x = ((width - layout.width) / 2.0).round().max(0.0);
    let y = ((height - layout.height) / 2.0).round().max(0.0);
    layout.draw(canvas, text, x, y, &rows, LIGHT);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_and_no_command_is_there_twice() {
        let (mut names, mut chars, mut commands) = (HashSet::new(), HashSet::new(), Vec::new());
        for binding in KEYS {
            assert!(names.insert(binding.keys), "{} is named twice", binding.keys);
            if let Some(command) = binding.command {
                assert!(!commands.contains(&command), "{command:?} is there twice");
                commands.push(command);
            }
            assert!(!binding.help.is_empty() && !binding.help.contains('|'), "{}", binding.keys);
            if let Trigger::Named(key) = binding.trigger {
                assert_eq!(find(Event::Key { key, shift: false }), Some((binding, None)));
            }
            if let Trigger::Chars(typed) = binding.trigger {
                assert!(!typed.is_empty(), "{} cannot be typed", binding.keys);
                for &typed in typed {
                    assert!(chars.insert(typed), "{typed:?} does two things");
                    assert_eq!(typed, typed.to_ascii_lowercase(), "{typed:?} would never be found");
                }
            }
        }
        assert_eq!(KEYS.iter().filter(|binding| binding.trigger == Trigger::Escape).count(), 1);
    }

    #[test]
    fn characters_find_their_command() {
        for (typed, expected) in [
            ('q', Command::Quit),
            ('Q', Command::Quit),
            (' ', Command::Pause),
            ('+', Command::Confidence(1)),
            ('=', Command::Confidence(1)),
            ('-', Command::Confidence(-1)),
            ('[', Command::TrailLength(-1)),
            (']', Command::TrailLength(1)),
            ('.', Command::Step),
        ] {
            assert_eq!(command(Event::Char(typed)), Some(expected), "{typed:?}");
        }
        for typed in ['x', 'ß', '\u{1b}', '\0', '\u{10FFFF}'] {
            assert_eq!(command(Event::Char(typed)), None, "{typed:?}");
        }
        assert!(!repeats(Event::Char('b')) && repeats(Event::Char('+')));
        assert_eq!(command(Event::Char('7')), Some(Command::Digit(7)));
        let left = |shift| command(Event::Key { key: NamedKey::Left, shift });
        assert_eq!((left(false), left(true)), (Some(Command::Skip(-5.0)), Some(Command::Skip(-30.0))));
        assert_eq!(command(Event::MouseDown { x: 0.0, y: 0.0 }), None);
    }

    #[test]
    fn the_readme_table_has_every_line() {
        let table = markdown();
        assert_eq!(table.lines().count(), KEYS.len() + 2);
        assert!(table.contains("| `space` | pause"));
        assert!(table.contains("| *wheel* | zoom"));
    }
    #[test]
    fn the_help_stays_on_small_canvases_and_differs_by_scope() {
        let mut text = Text::new();
        for (width, height) in [(0, 0), (1, 1), (90, 60), (320, 240)] {
            draw_help(&mut Canvas::new(width, height), &mut text, 1.0, Scope::Session);
        }
        let mut drawn = |scope| {
            let mut canvas = Canvas::new(900, 900);
            draw_help(&mut canvas, &mut text, 1.0, scope);
            canvas
        };
        assert_ne!(drawn(Scope::Session), drawn(Scope::Grid));
    }
}
