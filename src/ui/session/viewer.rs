//! What the window shows and how it answers to keys and mouse, without a window: events in, commands and pixels out.
//!
//! Everything that only changes the view happens in here; what concerns the frames, the detector or the program comes
//! out of [`Viewer::handle`] as a [`Command`].

use crate::frame::Picture;
use crate::geometry::Rect;
use crate::labels::Labels;
use crate::scene::Scene;
use crate::ui::command::Command;
use crate::ui::event::Event;
use crate::ui::keys::{self, Scope};
use crate::view::theme::STALE_PICTURE;
use crate::view::{
    Canvas, HudData, OverlaySettings, Scaler, SceneView, Sizes, Text, Timeline, TimelineArea, Viewport,
    boxes, draw_alert, draw_banner, draw_hud, draw_scene,
};

/// What the window shows at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The picture.
    pub picture: &'a Picture,
    /// Its source time, in seconds.
    pub time: f64,
    /// The tracks, once there are any.
    pub scene: Option<&'a Scene>,
    /// The names of the classes.
    pub labels: &'a Labels,
    /// What is drawn, and how.
    pub settings: &'a OverlaySettings,
    /// The numbers.
    pub hud: &'a HudData,
    /// The place in the recording; `None` if seeking is not possible.
    pub timeline: Option<&'a Timeline>,
    /// A message and its opacity, `0.0..=1.0`.
    pub message: Option<(&'a str, f32)>,
    /// The fault, while it lasts.
    pub alert: Option<&'a str>,
    /// Whether the picture is not current; it is then darkened.
    pub dimmed: bool,
}

/// A button held down this far from where it went down is a drag and not a click, in pixels.
const CLICK_SLACK: f32 = 4.0;
/// One notch of the wheel.
const ZOOM_STEP: f64 = 1.2;

/// The left button, while it is down.
#[derive(Debug, Clone, Copy)]
struct Press {
    start: (f32, f32),
    last: (f32, f32),
    dragging: bool,
    /// It went down on the time line.
    on_timeline: bool,
}

/// The state of the view.
#[derive(Debug, Default)]
pub struct Viewer {
    viewport: Viewport,
    help: bool,
    selected: Option<u64>,
    press: Option<Press>,
    /// The size that the window asked for; `None` until it has.
    canvas: Option<(usize, usize)>,
    /// Of the picture that was last drawn.
    sizes: Option<Sizes>,
    /// Where the time line was last drawn, in canvas pixels.
    timeline: Option<TimelineArea>,
    /// The boxes that were last drawn, in canvas pixels.
    boxes: Vec<(u64, Rect)>,
    text: Text,
    scaler: Scaler,
}

impl Viewer {
    /// A view of the whole picture with everything as configured.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of the track whose details are shown.
    pub fn selected(&self) -> Option<u64> {
        self.selected
    }

    /// Whether the help is shown.
    pub fn help_open(&self) -> bool {
        self.help
    }

    /// Which part of the picture is shown.
    pub fn viewport(&self) -> &Viewport {
        &self.viewport
    }

    /// Answers to an event. Escape closes the help, else lets the chosen track go, else quits.
    pub fn handle(&mut self, event: Event) -> Option<Command> {
        match event {
            Event::Char(_) | Event::Key { .. } | Event::Escape => return self.act(keys::command(event)?),
            Event::Close => return Some(Command::Quit),
            Event::Resize(width, height) => self.canvas = Some((width, height)),
            Event::MouseDown { x, y } => {
                let rail = self.timeline.filter(|rail| !self.help && rail.is_hit(x, y));
                let on_timeline = rail.is_some();
                self.press = Some(Press { start: (x, y), last: (x, y), dragging: false, on_timeline });
                return rail.map(|rail| Command::Seek(rail.share(x)));
            }
            Event::MouseMove { x, y } => return self.drag(x, y),
            Event::MouseUp { x, y } => {
                let seek = self.drag(x, y);
                if self.press.take().is_some_and(|press| !press.dragging && !press.on_timeline) {
                    self.click(x, y);
                }
                return seek;
            }
            Event::Wheel { x, y, steps } => {
                if let Some(sizes) = self.sizes {
                    self.viewport.zoom_about(
                        sizes,
                        x,
                        y,
                        ZOOM_STEP.powf(f64::from(steps.clamp(-20.0, 20.0))),
                    );
                }
            }
        }
        None
    }

    /// Carries out what concerns only the view; anything else is the program's.
    fn act(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Escape if self.help => self.help = false,
            Command::Escape if self.selected.is_some() => self.selected = None,
            Command::Escape => return Some(Command::Quit),
            Command::Help => self.help = !self.help,
            Command::Fit => self.viewport.next_fit(),
            Command::Digit(digit) => return Some(Command::Seek(f64::from(digit) / 10.0)),
            other => return Some(other),
        }
        None
    }

    fn drag(&mut self, x: f32, y: f32) -> Option<Command> {
        let press = self.press.as_mut()?;
        if press.on_timeline {
            let moved = (x, y) != press.last;
            press.last = (x, y);
            return self.timeline.filter(|_| moved).map(|rail| Command::Seek(rail.share(x)));
        }
        if !press.dragging && (x - press.start.0).hypot(y - press.start.1) > CLICK_SLACK {
            press.dragging = true;
        }
        if press.dragging {
            let (dx, dy) = (x - press.last.0, y - press.last.1);
            press.last = (x, y);
            if let Some(sizes) = self.sizes {
                self.viewport.pan(sizes, dx, dy);
            }
        }
        None
    }

    /// Chooses the smallest box under the pointer; the chosen one again, or nothing there, lets it go.
    fn click(&mut self, x: f32, y: f32) {
        if std::mem::take(&mut self.help) {
            return;
        }
        let under = self.boxes.iter().filter(|(_, rect)| rect.contains(x, y));
        let smallest = under.min_by(|(_, a), (_, b)| a.area().total_cmp(&b.area())).map(|&(id, _)| id);
        self.selected = smallest.filter(|_| smallest != self.selected);
    }

    /// Draws everything: the picture, the tracks, the numbers, the help, the message. The canvas takes the window's size
    /// where one has been told ([`Event::Resize`]), else it keeps its own.
    pub fn render(&mut self, canvas: &mut Canvas, shown: &Shown) {
        if let Some((width, height)) = self.canvas {
            canvas.resize(width, height);
        }
        let sizes = Sizes { source: shown.picture.size(), canvas: (canvas.width(), canvas.height()) };
        self.sizes = Some(sizes);
        let settings = shown.settings;
        let scale = settings.scale.factor(canvas.width(), canvas.height());
        let mapping = self.viewport.mapping(sizes);

        self.scaler.paint(canvas, shown.picture, &mapping);
        if shown.dimmed {
            let all = Rect::new(0.0, 0.0, canvas.width() as f32, canvas.height() as f32);
            canvas.fill(all, STALE_PICTURE);
        }
        self.boxes.clear();
        if let Some(scene) = shown.scene {
            self.boxes = boxes(&mapping, scene, shown.time);
            let (time, labels, selected) = (shown.time, shown.labels, self.selected);
            let view = SceneView { scene, time, labels, settings, selected };
            draw_scene(canvas, &mut self.text, &mapping, &view);
        }
        if settings.hud {
            draw_hud(canvas, &mut self.text, shown.hud, scale);
        }
        let timeline = shown.timeline.filter(|_| settings.timeline);
        self.timeline = timeline.map(|timeline| timeline.draw(canvas, &mut self.text, scale));
        if self.help {
            keys::draw_help(canvas, &mut self.text, scale, Scope::Session);
        }
        let mut floor = self.timeline.map_or(canvas.height() as f32, |rail| rail.top());
        if let Some(alert) = shown.alert {
            floor = draw_alert(canvas, &mut self.text, alert, (scale, floor));
        }
        if let Some((message, alpha)) = shown.message {
            draw_banner(canvas, &mut self.text, message, (scale, floor), alpha);
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::scene::{Track, TrackState};
    use crate::ui::command::Layer;
    use crate::ui::event::NamedKey;

    fn track(id: u64, rect: Rect) -> Track {
        Track {
            id,
            class: 0,
            score: 0.9,
            rect,
            velocity: [0.0; 4],
            state: TrackState::Confirmed,
            born: 0.0,
            seen: 1.0,
            detection: None,
        }
    }

    /// A viewer that has drawn a 320×240 picture with a small box (2) inside of a large one (1), one to one.
    fn viewer() -> Viewer {
        let mut viewer = Viewer::new();
        viewer.handle(Event::Resize(320, 240));
        draw(&mut viewer);
        viewer
    }

    fn draw(viewer: &mut Viewer) -> Canvas {
        draw_with(viewer, &OverlaySettings::default())
    }

    fn draw_with(viewer: &mut Viewer, settings: &OverlaySettings) -> Canvas {
        let scene = Scene {
            sequence: 0,
            time: 1.0,
            tracks: vec![
                track(1, Rect::new(100.0, 50.0, 200.0, 150.0)),
                track(2, Rect::new(150.0, 100.0, 30.0, 30.0)),
            ],
            ..Scene::default()
        };
        let mut canvas = Canvas::new(1, 1);
        viewer.render(
            &mut canvas,
            &Shown {
                picture: &Picture::filled(320, 240, [90, 90, 90]).unwrap(),
                time: 1.0,
                scene: Some(&scene),
                labels: &Labels::coco(),
                settings,
                hud: &HudData::default(),
                timeline: None,
                message: None,
                alert: None,
                dimmed: false,
            },
        );
        canvas
    }

    fn click(viewer: &mut Viewer, x: f32, y: f32) {
        assert_eq!(viewer.handle(Event::MouseDown { x, y }), None);
        assert_eq!(viewer.handle(Event::MouseUp { x: x + 1.0, y }), None);
    }

    #[test]
    fn a_click_chooses_the_smallest_box_and_again_frees_it() {
        let mut viewer = viewer();
        click(&mut viewer, 160.0, 110.0);
        assert_eq!(viewer.selected(), Some(2));
        click(&mut viewer, 120.0, 60.0);
        assert_eq!(viewer.selected(), Some(1));
        click(&mut viewer, 120.0, 60.0);
        assert_eq!(viewer.selected(), None);
        click(&mut viewer, 160.0, 110.0);
        click(&mut viewer, 5.0, 200.0);
        assert_eq!(viewer.selected(), None);
    }

    #[test]
    fn a_drag_is_no_click_and_pans_the_zoomed_picture() {
        let mut viewer = viewer();
        viewer.handle(Event::Wheel { x: 160.0, y: 110.0, steps: 4.0 });
        assert!((viewer.viewport().zoom() - ZOOM_STEP.powi(4)).abs() < 1e-9);
        let before = viewer.viewport().mapping(viewer.sizes.unwrap());
        viewer.handle(Event::MouseDown { x: 160.0, y: 110.0 });
        viewer.handle(Event::MouseMove { x: 150.0, y: 112.0 });
        viewer.handle(Event::MouseUp { x: 140.0, y: 115.0 });
        let after = viewer.viewport().mapping(viewer.sizes.unwrap());
        assert_eq!(viewer.selected(), None);
        assert!(
            (after.left - before.left + 20.0).abs() < 1e-6 && (after.top - before.top - 5.0).abs() < 1e-6
        );
        // The button is up: moving on moves nothing.
        viewer.handle(Event::MouseMove { x: 0.0, y: 0.0 });
        assert_eq!(viewer.viewport().mapping(viewer.sizes.unwrap()), after);
    }

    #[test]
    fn the_box_under_the_pointer_is_found_in_the_zoomed_picture() {
        let mut viewer = viewer();
        viewer.handle(Event::Wheel { x: 165.0, y: 115.0, steps: 10.0 });
        draw(&mut viewer);
        // The middle of box 2 stayed under the pointer; its corner is far outside of where it was.
        click(&mut viewer, 200.0, 140.0);
        assert_eq!(viewer.selected(), Some(2));
    }

    #[test]
    fn escape_closes_what_is_open_and_then_quits() {
        let mut viewer = viewer();
        click(&mut viewer, 160.0, 110.0);
        viewer.handle(Event::Char('h'));
        assert!(viewer.help_open());
        assert_eq!(viewer.handle(Event::Escape), None);
        assert!(!viewer.help_open() && viewer.selected() == Some(2));
        assert_eq!(viewer.handle(Event::Escape), None);
        assert_eq!(viewer.selected(), None);
        assert_eq!(viewer.handle(Event::Escape), Some(Command::Quit));
    }

    #[test]
    fn keys_become_commands_or_change_the_view() {
        let mut viewer = viewer();
        for (typed, command) in [
            ('q', Some(Command::Quit)),
            (' ', Some(Command::Pause)),
            ('.', Some(Command::Step)),
            ('s', Some(Command::Snapshot)),
            ('e', Some(Command::Compare)),
            (',', Some(Command::StepBack)),
            ('7', Some(Command::Seek(0.7))),
            ('<', Some(Command::Speed(-1))),
            ('>', Some(Command::Speed(1))),
            ('n', Some(Command::File(1))),
            ('o', Some(Command::Repeat)),
            ('v', Some(Command::Record)),
            ('+', Some(Command::Confidence(1))),
            ('-', Some(Command::Confidence(-1))),
            (']', Some(Command::TrailLength(1))),
            ('[', Some(Command::TrailLength(-1))),
            ('f', None),
            ('x', None),
        ] {
            assert_eq!(viewer.handle(Event::Char(typed)), command, "{typed:?}");
        }
        for (key, shift, command) in [
            (NamedKey::Left, false, Some(Command::Skip(-5.0))),
            (NamedKey::Right, true, Some(Command::Skip(30.0))),
            (NamedKey::Home, false, Some(Command::Seek(0.0))),
            (NamedKey::End, false, Some(Command::Seek(1.0))),
            (NamedKey::Tab, false, Some(Command::Panel)),
            (NamedKey::Up, false, None),
        ] {
            assert_eq!(viewer.handle(Event::Key { key, shift }), command, "{key:?}");
        }
        assert_eq!(viewer.handle(Event::Close), Some(Command::Quit));
        for (typed, layer) in
            [('b', Layer::Boxes), ('L', Layer::Labels), ('t', Layer::Trails), ('I', Layer::Hud)]
        {
            assert_eq!(viewer.handle(Event::Char(typed)), Some(Command::Switch(layer)), "{typed:?}");
        }
    }

    #[test]
    fn what_is_switched_off_is_not_drawn() {
        let mut viewer = viewer();
        let settings = OverlaySettings::default();
        let hidden =
            OverlaySettings { boxes: false, labels: false, trails: false, hud: false, ..settings.clone() };
        assert!(draw_with(&mut viewer, &hidden).pixels().iter().all(|&pixel| pixel == 0x5A5A5A));
        let boxes = OverlaySettings { boxes: true, ..hidden };
        assert!(draw_with(&mut viewer, &boxes).pixels().iter().any(|&pixel| pixel != 0x5A5A5A));
    }

    #[test]
    fn odd_events_do_no_harm() {
        let mut viewer = Viewer::new();
        for x in [f32::NAN, f32::INFINITY, -1e30, 1e30] {
            viewer.handle(Event::MouseUp { x, y: x });
            viewer.handle(Event::MouseDown { x, y: 0.0 });
            viewer.handle(Event::MouseMove { x: 5.0, y: x });
            viewer.handle(Event::Wheel { x, y: 0.0, steps: x });
            viewer.handle(Event::MouseUp { x, y: 0.0 });
            draw(&mut viewer);
        }
        for size in [(0, 0), (1, 1), (3, 2000)] {
            viewer.handle(Event::Resize(size.0, size.1));
            viewer.handle(Event::Char('h'));
            let canvas = draw(&mut viewer);
            assert_eq!((canvas.width(), canvas.height()), size);
        }
    }
}
