//! The one table of keys and mouse gestures: what is pressed, what it does, and how it is described in the help of the
//! window and in the README.

use super::canvas::{Canvas, Paint};
use super::overlay::TEXT_SIZE;
use super::palette::{ACCENT, LIGHT};
use super::plate::{Layout, Row};
use super::text::Text;
use crate::geometry::Rect;

/// What a key or a gesture does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Close what is open, else quit.
    Escape,
    /// Quit.
    Quit,
    /// Stop and go on.
    Pause,
    /// One frame on.
    Step,
    /// One frame back.
    StepBack,
    /// Some seconds back.
    Back,
    /// Some seconds on.
    On,
    /// To the first frame.
    First,
    /// To the last frame.
    Last,
    /// To a tenth of the recording.
    Tenth,
    /// Slower.
    Slower,
    /// Faster.
    Faster,
    /// Begin again at the end, or not.
    Repeat,
    /// The next recording.
    NextFile,
    /// The recording before.
    PreviousFile,
    /// Record what is shown, or stop that.
    Record,
    /// Show or hide the panel of settings.
    Panel,
    /// Show or hide the help.
    Help,
    /// Show or hide the boxes.
    Boxes,
    /// Show or hide the labels.
    Labels,
    /// Show or hide the trails.
    Trails,
    /// Show or hide the numbers.
    Hud,
    /// The picture as it came, as the network sees it, or both.
    Compare,
    /// Save the picture.
    Snapshot,
    /// Raise the confidence.
    ConfidenceUp,
    /// Lower the confidence.
    ConfidenceDown,
    /// Longer trails.
    TrailsLonger,
    /// Shorter trails.
    TrailsShorter,
    /// The next way of fitting the picture into the window.
    Fit,
    /// Another place of the recording.
    Seek,
    /// Choose a track, or let it go.
    Select,
    /// Zoom about the pointer.
    Zoom,
    /// Move the picture.
    Pan,
    /// Of several pictures one over the whole window, or all of them.
    Enlarge,
}

/// A key without a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedKey {
    /// The arrow to the left.
    Left,
    /// The arrow to the right.
    Right,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// The tabulator.
    Tab,
}

/// What has to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// One of these characters, whatever key of whatever keyboard layout they are typed with.
    Chars(&'static [char]),
    /// A key without a character.
    Named(NamedKey),
    /// The escape key.
    Escape,
    /// A gesture of the mouse.
    Mouse,
}

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// How the key is called.
    pub keys: &'static str,
    /// What has to be pressed.
    pub trigger: Trigger,
    /// What it does.
    pub action: Action,
    /// What it does, in words.
    pub help: &'static str,
    /// Whether holding the key down does it again and again.
    pub repeats: bool,
}

const fn key(keys: &'static str, chars: &'static [char], action: Action, help: &'static str) -> Binding {
    Binding { keys, trigger: Trigger::Chars(chars), action, help, repeats: false }
}

const fn held(keys: &'static str, chars: &'static [char], action: Action, help: &'static str) -> Binding {
    Binding { keys, trigger: Trigger::Chars(chars), action, help, repeats: true }
}

const fn named(
    keys: &'static str,
    key: NamedKey,
    action: Action,
    help: &'static str,
    repeats: bool,
) -> Binding {
    Binding { keys, trigger: Trigger::Named(key), action, help, repeats }
}

const fn mouse(keys: &'static str, action: Action, help: &'static str) -> Binding {
    Binding { keys, trigger: Trigger::Mouse, action, help, repeats: false }
}

/// Every key and gesture there is.
pub const KEYS: &[Binding] = &[
    Binding {
        keys: "Esc",
        trigger: Trigger::Escape,
        action: Action::Escape,
        help: "close the help or the details, from one tile back to all, else quit",
        repeats: false,
    },
    key("q", &['q'], Action::Quit, "quit"),
    key("space", &[' '], Action::Pause, "pause and go on (a camera: the picture freezes, tracking goes on)"),
    held(".", &['.'], Action::Step, "one frame on"),
    held(",", &[','], Action::StepBack, "one frame back"),
    named("←", NamedKey::Left, Action::Back, "5 s back; with shift 30 s", true),
    named("→", NamedKey::Right, Action::On, "5 s on; with shift 30 s", true),
    named("Home", NamedKey::Home, Action::First, "to the beginning", false),
    named("End", NamedKey::End, Action::Last, "to the end", false),
    key(
        "0–9",
        &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
        Action::Tenth,
        "to that tenth of the recording",
    ),
    key("<", &['<'], Action::Slower, "slower, down to a quarter"),
    key(">", &['>'], Action::Faster, "faster, up to eight times"),
    key("o", &['o'], Action::Repeat, "begin again at the end, or not"),
    key("n", &['n'], Action::NextFile, "the next recording: of those named, else of the same folder"),
    key("p", &['p'], Action::PreviousFile, "the recording before"),
    key("v", &['v'], Action::Record, "record what is shown, with boxes and trails, or end that"),
    named(
        "Tab",
        NamedKey::Tab,
        Action::Panel,
        "show or hide the settings to tune (arrows, digits, w, z)",
        false,
    ),
    key("h", &['h'], Action::Help, "show or hide this help"),
    key("b", &['b'], Action::Boxes, "show or hide the boxes"),
    key("l", &['l'], Action::Labels, "show or hide the labels"),
    key("t", &['t'], Action::Trails, "show or hide the trails"),
    key("i", &['i'], Action::Hud, "show or hide the numbers"),
    key("e", &['e'], Action::Compare, "the picture as it came, as the network sees it, half and half"),
    key("s", &['s'], Action::Snapshot, "save the picture as PNG"),
    // `=` and `_` share their keys with `+` and `-` on many keyboards: the wrong shift does no harm.
    held("+", &['+', '='], Action::ConfidenceUp, "raise the confidence: fewer, surer detections"),
    held("-", &['-', '_'], Action::ConfidenceDown, "lower the confidence: more detections"),
    held("]", &[']'], Action::TrailsLonger, "longer trails"),
    held("[", &['['], Action::TrailsShorter, "shorter trails"),
    key("f", &['f'], Action::Fit, "fit the picture into the window, 1:1, fill the window"),
    mouse("time line", Action::Seek, "click or drag: another place of the recording"),
    mouse("click", Action::Select, "details of a track, the others dimmed; again: let it go"),
    mouse("wheel", Action::Zoom, "zoom in and out at the pointer"),
    mouse("drag", Action::Pan, "move the zoomed picture"),
    mouse(
        "tile",
        Action::Enlarge,
        "of several sources: click, or its number 1–9, for the whole window, and back",
    ),
];

impl Action {
    /// Whether it is for several pictures in one window, too.
    fn is_for_tiles(self) -> bool {
        matches!(
            self,
            Self::Escape
                | Self::Quit
                | Self::Pause
                | Self::Help
                | Self::Boxes
                | Self::Labels
                | Self::Trails
                | Self::Hud
                | Self::Snapshot
                | Self::Compare
                | Self::ConfidenceUp
                | Self::ConfidenceDown
                | Self::TrailsLonger
                | Self::TrailsShorter
                | Self::Enlarge
        )
    }
}

/// The line of the table for a typed character; upper case counts as lower case (caps lock).
pub fn binding_for(typed: char) -> Option<&'static Binding> {
    let typed = typed.to_ascii_lowercase();
    KEYS.iter().find(|binding| matches!(binding.trigger, Trigger::Chars(chars) if chars.contains(&typed)))
}

/// The line of the table for a key without a character.
pub fn binding_for_key(key: NamedKey) -> Option<&'static Binding> {
    KEYS.iter().find(|binding| binding.trigger == Trigger::Named(key))
}

/// What a typed character does.
pub fn action_for(typed: char) -> Option<Action> {
    binding_for(typed).map(|binding| binding.action)
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

/// Draws the help in the middle of the canvas, over a dimmed picture. Its letters shrink to what fits.
pub fn draw_help(canvas: &mut Canvas, text: &mut Text, scale: f32) {
    draw_help_with(canvas, text, scale, |action| action != Action::Enlarge);
}

/// The same where there are several pictures: what concerns one recording alone is left out.
pub fn draw_help_for_tiles(canvas: &mut Canvas, text: &mut Text, scale: f32) {
    draw_help_with(canvas, text, scale, Action::is_for_tiles);
}

fn draw_help_with(canvas: &mut Canvas, text: &mut Text, scale: f32, applies: impl Fn(Action) -> bool) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    canvas.fill(Rect::new(0.0, 0.0, width, height), Paint::new(0, 0.45));
    let mut rows = vec![Row::title("Keys", LIGHT)];
    let bindings = KEYS.iter().filter(|binding| applies(binding.action));
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
    fn no_key_and_no_action_is_there_twice() {
        let (mut names, mut chars, mut actions) = (HashSet::new(), HashSet::new(), HashSet::new());
        for binding in KEYS {
            assert!(names.insert(binding.keys), "{} is named twice", binding.keys);
            assert!(actions.insert(binding.action), "{:?} is there twice", binding.action);
            assert!(!binding.help.is_empty() && !binding.help.contains('|'), "{}", binding.keys);
            if let Trigger::Named(key) = binding.trigger {
                assert_eq!(binding_for_key(key), Some(binding));
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
    fn characters_find_their_action() {
        for (typed, action) in [
            ('q', Action::Quit),
            ('Q', Action::Quit),
            (' ', Action::Pause),
            ('+', Action::ConfidenceUp),
            ('=', Action::ConfidenceUp),
            ('-', Action::ConfidenceDown),
            ('[', Action::TrailsShorter),
            (']', Action::TrailsLonger),
            ('.', Action::Step),
        ] {
            assert_eq!(action_for(typed), Some(action), "{typed:?}");
        }
        for typed in ['x', 'ß', '\u{1b}', '\0', '\u{10FFFF}'] {
            assert_eq!(action_for(typed), None, "{typed:?}");
        }
        assert!(!binding_for('b').unwrap().repeats && binding_for('+').unwrap().repeats);
    }

    #[test]
    fn the_readme_table_has_every_line() {
        let table = markdown();
        assert_eq!(table.lines().count(), KEYS.len() + 2);
        assert!(table.contains("| `space` | pause"));
        assert!(table.contains("| *wheel* | zoom"));
    }
}
