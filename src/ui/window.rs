//! A window on the screen through minifb, as a [`Surface`].
//!
//! Printable keys come from the character callback, so they are what the keyboard's layout makes of them; where that has no
//! Latin letters, what would be on the same key of a layout that has.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use minifb::{InputCallback, Key, MouseButton, MouseMode, ScaleMode, WindowOptions};

use super::event::{Event, NamedKey};
use super::surface::{Surface, SurfaceError};
#[cfg(all(unix, not(target_os = "macos")))]
use super::x_server::XServer;
use super::{keyboard, keys};
use crate::view::{BACKGROUND, Canvas};

/// The window is presented again at least this often: X11 forgets what a covered window showed, and minifb does not
/// report when it is uncovered.
const REFRESH: Duration = Duration::from_millis(400);
/// The largest window that is opened, in pixels; its user may make it larger.
const LARGEST: (f64, f64) = (1280.0, 800.0);
/// The smallest side of the window that is opened, in pixels.
const SMALLEST: f64 = 160.0;
/// Characters waiting at most; what is typed beyond it between two polls is lost.
const MAX_WAITING: usize = 64;
/// The same character again within this time, without a key let go, is a held key.
const REPEAT: Duration = Duration::from_secs(1);

/// Whether there is a display: on Linux and BSD, whether the environment names an X11 or Wayland display; elsewhere
/// always.
pub fn display_available() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return true;
    }
    named("DISPLAY") || wayland_named()
}

fn wayland_named() -> bool {
    named("WAYLAND_DISPLAY") || named("WAYLAND_SOCKET")
}

fn named(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// What one of minifb's units of the wheel is in notches away from the user; each system has its own.
fn notch() -> f32 {
    if cfg!(target_os = "windows") {
        1.0 / 12.0
    } else if cfg!(target_os = "macos") {
        0.1
    } else if wayland_named() {
        // About ten to fifteen a notch, counted towards the user.
        -1.0 / 12.0
    } else {
        // X11: one when the "button" of the wheel goes down, and one when it comes up.
        0.5
    }
}

/// A window.
pub struct Window {
    inner: minifb::Window,
    typed: Rc<RefCell<Typed>>,
    events: Vec<Event>,
    size: (usize, usize),
    pointer: Option<(f32, f32)>,
    pressed: bool,
    /// From minifb's unit of the wheel to notches away from the user.
    notch: f32,
    closed: bool,
    shown: Option<Instant>,
}

impl Window {
    /// Opens a window for pictures of this size in pixels: as large as them where that is reasonable, in their shape. Its
    /// user may resize it; every change of size, the first included, comes as [`Event::Resize`].
    ///
    /// # Errors
    /// [`SurfaceError::Open`] where there is no display, its pixels are not of the usual kind, or it refuses.
    pub fn open(title: &str, picture: (u32, u32)) -> Result<Self, SurfaceError> {
        if !display_available() {
            return Err(SurfaceError::Open("neither DISPLAY nor WAYLAND_DISPLAY is set".to_owned()));
        }
        let system = System::ask()?;
        let (width, height) = opening_size(picture);
        let options = WindowOptions {
            resize: true,
            // The canvas has the window's size; while a new size is on its way nothing is stretched.
            scale_mode: ScaleMode::UpperLeft,
            ..WindowOptions::default()
        };
        let mut inner = minifb::Window::new(&plain(title), width, height, options)
            .map_err(|error| SurfaceError::Open(error.to_string()))?;
        // minifb would sleep in every update; the caller paces itself.
        inner.set_target_fps(0);
        let [_, red, green, blue] = BACKGROUND.to_be_bytes();
        inner.set_background_color(red, green, blue);
        let typed = Rc::new(RefCell::new(Typed::default()));
        inner.set_input_callback(Box::new(Callback { typed: Rc::clone(&typed), system }));
        let (events, size) = (vec![Event::Resize(width, height)], (width, height));
        Ok(Self {
            inner,
            typed,
            events,
            size,
            pointer: None,
            pressed: false,
            notch: notch(),
            closed: false,
            shown: None,
        })
    }

    /// Turns what minifb has taken in into events.
    fn collect(&mut self) {
        if !self.inner.is_open() && !self.closed {
            self.closed = true;
            self.events.push(Event::Close);
        }
        let size = self.inner.get_size();
        if size != self.size && size.0 > 0 && size.1 > 0 {
            self.size = size;
            self.events.push(Event::Resize(size.0, size.1));
        }
        self.events.append(&mut self.typed.borrow_mut().events);

        let Some((x, y)) = self.inner.get_unscaled_mouse_pos(MouseMode::Pass) else { return };
        if self.pointer != Some((x, y)) {
            self.pointer = Some((x, y));
            self.events.push(Event::MouseMove { x, y });
        }
        let pressed = self.inner.get_mouse_down(MouseButton::Left);
        if pressed != self.pressed {
            self.pressed = pressed;
            self.events.push(if pressed { Event::MouseDown { x, y } } else { Event::MouseUp { x, y } });
        }
        if let Some((_, turned)) = self.inner.get_scroll_wheel()
            && turned != 0.0
        {
            self.events.push(Event::Wheel { x, y, steps: turned * self.notch });
        }
    }
}

impl Surface for Window {
    fn set_title(&mut self, title: &str) {
        self.inner.set_title(&plain(title));
    }

    fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The caller sleeps between two calls, about 10 ms: a button that goes down and up between two calls is not seen.
    fn events(&mut self) -> Vec<Event> {
        self.inner.update();
        self.collect();
        std::mem::take(&mut self.events)
    }

    fn is_stale(&self) -> bool {
        self.shown.is_none_or(|shown| shown.elapsed() >= REFRESH)
    }

    fn present(&mut self, canvas: &Canvas) -> Result<(), SurfaceError> {
        if canvas.width() == 0 || canvas.height() == 0 {
            return Ok(());
        }
        self.inner
            .update_with_buffer(canvas.pixels(), canvas.width(), canvas.height())
            .map_err(|error| SurfaceError::Present(error.to_string()))?;
        self.shown = Some(Instant::now());
        // Presenting also takes events in, and each time the wheel of the time before is forgotten.
        self.collect();
        Ok(())
    }
}

/// The size of the window for a picture: its shape, at most [`LARGEST`].
fn opening_size((width, height): (u32, u32)) -> (usize, usize) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let shrink = (LARGEST.0 / width).min(LARGEST.1 / height).min(1.0);
    // Tiny pictures are enlarged, and extreme shapes get bars: the mouse must be able to hold the window.
    let grow = (SMALLEST * 2.0 / (width * shrink)).min(SMALLEST * 2.0 / (height * shrink)).max(1.0);
    let side = |length: f64, largest: f64| (length * shrink * grow).round().clamp(SMALLEST, largest) as usize;
    (side(width, LARGEST.0), side(height, LARGEST.1))
}

/// A title without characters that window systems refuse.
fn plain(title: &str) -> String {
    title.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// What was typed, repeats of held keys sorted out.
#[derive(Debug, Default)]
struct Typed {
    events: Vec<Event>,
    /// The last event and when it came, until a key is let go.
    last: Option<(Event, Instant)>,
    /// A shift key is down.
    shift: bool,
}

impl Typed {
    /// A character or escape, at this moment. A held key comes through again only where the table of keys says so.
    fn press(&mut self, event: Event, now: Instant) {
        let held = self.last.is_some_and(|(last, then)| last == event && now.duration_since(then) < REPEAT);
        self.last = Some((event, now));
        if (!held || keys::repeats(event)) && self.events.len() < MAX_WAITING {
            self.events.push(event);
        }
    }

    /// A key was let go: the next character is a new one.
    fn release(&mut self) {
        self.last = None;
    }
}

/// What the window system is asked for beside minifb.
struct System {
    #[cfg(all(unix, not(target_os = "macos")))]
    server: Option<XServer>,
}

impl System {
    /// Asks whether the display can be used at all.
    #[cfg(all(unix, not(target_os = "macos")))]
    fn ask() -> Result<Self, SurfaceError> {
        let server = if named("DISPLAY") { XServer::connect() } else { None };
        // With Wayland the X server is not the one that shows the window.
        let trouble = server.as_ref().filter(|_| !wayland_named()).and_then(XServer::trouble);
        trouble.map_or(Ok(Self { server }), |why| Err(SurfaceError::Open(why)))
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn ask() -> Result<Self, SurfaceError> {
        Ok(Self {})
    }

    /// A character, or the one that the key table has instead of it: where it means nothing, the Latin one on its key.
    fn character(&self, typed: char) -> char {
        if keys::command(Event::Char(typed)).is_some() {
            return typed;
        }
        #[cfg(all(unix, not(target_os = "macos")))]
        if let Some(server) = &self.server {
            let by_script = || keyboard::latin_by_script(typed).filter(|_| wayland_named());
            return server.latin(typed).or_else(by_script).unwrap_or(typed);
        }
        keyboard::latin_by_script(typed).unwrap_or(typed)
    }
}

/// Hands minifb's callbacks on.
struct Callback {
    typed: Rc<RefCell<Typed>>,
    system: System,
}

impl InputCallback for Callback {
    fn add_char(&mut self, code: u32) {
        // Control characters are combinations with Ctrl, and on some systems the escape key a second time.
        if let Some(typed) = char::from_u32(code).filter(|typed| !typed.is_control()) {
            let typed = self.system.character(typed);
            self.typed.borrow_mut().press(Event::Char(typed), Instant::now());
        }
    }

    fn set_key_state(&mut self, key: Key, down: bool) {
        let mut typed = self.typed.borrow_mut();
        if matches!(key, Key::LeftShift | Key::RightShift) {
            typed.shift = down;
        } else if !down {
            typed.release();
        } else if key == Key::Escape {
            typed.press(Event::Escape, Instant::now());
        } else if let Some(key) = named_key(key) {
            let shift = typed.shift;
            typed.press(Event::Key { key, shift }, Instant::now());
        }
    }
}

/// minifb's name of a key as ours.
fn named_key(key: Key) -> Option<NamedKey> {
    Some(match key {
        Key::Left => NamedKey::Left,
        Key::Right => NamedKey::Right,
        Key::Up => NamedKey::Up,
        Key::Down => NamedKey::Down,
        Key::Home => NamedKey::Home,
        Key::End => NamedKey::End,
        Key::Tab => NamedKey::Tab,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_the_shape_of_the_picture() {
        assert_eq!(opening_size((640, 480)), (640, 480));
        assert_eq!(opening_size((1920, 1080)), (1280, 720));
        assert_eq!(opening_size((1080, 1920)), (450, 800));
        assert_eq!(opening_size((80, 60)), (320, 240));
        assert_eq!(opening_size((1, 1)), (320, 320));
        assert_eq!(opening_size((32_768, 50)), (1280, 160));
        assert_eq!(opening_size((0, 0)), (320, 320));
    }

    #[test]
    fn a_held_key_repeats_only_where_that_makes_sense() {
        let (mut typed, start) = (Typed::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        for millis in [0, 500, 530, 560] {
            typed.press(Event::Char('b'), at(millis));
            typed.press(Event::Char('q'), at(millis + 5));
            typed.press(Event::Char('b'), at(millis + 10));
            typed.press(Event::Char('b'), at(millis + 15));
            typed.release();
            typed.press(Event::Char('b'), at(millis + 20));
        }
        let count = |event| typed.events.iter().filter(|&&seen| seen == event).count();
        assert_eq!((count(Event::Char('b')), count(Event::Char('q'))), (4 * 3 - 3, 4));

        let mut typed = Typed::default();
        for millis in [0, 500, 530, 560] {
            typed.press(Event::Char('+'), at(millis));
        }
        for millis in [600, 1100, 1130] {
            typed.press(Event::Escape, at(millis));
        }
        assert_eq!(typed.events, [[Event::Char('+'); 4].as_slice(), &[Event::Escape]].concat());
        // A key whose letting go nobody reports is not dead for ever.
        typed.press(Event::Escape, at(5000));
        assert_eq!(typed.events.len(), 6);
    }

    #[test]
    fn typing_is_bounded() {
        let mut typed = Typed::default();
        (0..1000).for_each(|_| typed.press(Event::Char('+'), Instant::now()));
        assert_eq!(typed.events.len(), MAX_WAITING);
    }
}
