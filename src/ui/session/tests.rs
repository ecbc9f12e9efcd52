//! Whole sessions without a window: scripted events in, the pictures presented are looked at.

use std::cell::{Cell, RefCell};

use super::*;
use crate::analyse::Stages;
use crate::detection::Detection;
use crate::engine::RecordedDetections;
use crate::geometry::Rect;
use crate::pipeline::{Mode, Outputs, Plan, RecorderSetup, Stats};
use crate::sink::{Inputs, Registry};
use crate::source::Source;
use crate::ui::memory::MemorySurface;
use crate::ui::testing::{Colours, Step, colour, live, middle, script};

const SHADE: u8 = 90;
/// Nothing lies over the picture.
const BARE: &str = "[overlay]\nhud = false\ntimeline = false\n";

/// A session of a recording in which each frame has one detection.
fn setup(folder: &tempfile::TempDir, frames: u64, every_frame: bool) -> SessionSetup {
    setup_with(folder, BARE, frames, every_frame)
}

fn setup_with(folder: &tempfile::TempDir, settings: &str, frames: u64, every_frame: bool) -> SessionSetup {
    let (live, _) = live(folder, settings);
    let settings = live.settings().clone();
    let labels = Arc::new(Labels::coco());
    let rect = Rect::new(10.0, 10.0, 30.0, 40.0);
    let detections = vec![vec![Detection { rect, score: 0.9, class: 0 }]];
    let (source, stop) = (Colours::new(frames, SHADE), Stop::default());
    let (info, stats) = (source.info().clone(), Arc::new(Stats::default()));
    let (outputs, inputs) = (Outputs::default(), Inputs::default());
    let recorder = Recorder::open(RecorderSetup {
        outputs: &outputs,
        sinks: Vec::new(),
        registry: Registry::default(),
        info: &info,
        inputs: &inputs,
        labels: &labels,
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time: false,
        stats: &stats,
    })
    .unwrap();
    let begin = move || Ok(Box::new(Colours::new(frames, SHADE)) as Box<dyn Source>);
    let pipeline = Pipeline::start(Plan {
        source: Box::new(source),
        reopen: Some(Box::new(begin)),
        detector: RecordedDetections::new(detections, Labels::coco()).into(),
        settings: &settings,
        mode: Mode::in_window(every_frame, true),
        stages: Stages::default(),
        number: 1,
        stats,
        stop: stop.clone(),
    })
    .unwrap();
    SessionSetup {
        pipeline,
        recorder,
        to_files: false,
        labels,
        carried: Carried { live, speed: 1.0, repeat: false, note: None },
        every_frame,
        exit_at_end: false,
        place: Place { at: 0, of: 3 },
        status_file: Some(folder.path().join("status.json")),
        stop,
    }
}

/// What is measured is drawn also on frames that the history remembers, as those of a recording in time are.
#[test]
fn the_ground_and_the_heat_map_are_drawn_on_what_plays() {
    const GROUND: &str = "[[ground]]\npoints = [\n  { at = [0, 0], metres = [0, 3] }, { at = [1, 0], metres = [4, 3] },\n  \
                          { at = [1, 1], metres = [4, 0] }, { at = [0, 1], metres = [0, 0] },\n]\n";
    for every_frame in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let settings = format!("{BARE}boxes = false\nlabels = false\ntrails = false\n{GROUND}");
        // A pixel of the pane of the map, and the foot of the one who stands there.
        let pixel = |shown: &crate::ui::Presented, x: usize, y: usize| {
            shown.canvas.pixels()[y * shown.canvas.width() + x] >> 8 & 0xff
        };
        let is_bare = move |shown: &crate::ui::Presented| pixel(shown, 580, 400) == u32::from(SHADE);
        let is_cool = move |shown: &crate::ui::Presented| pixel(shown, 166, 326) == u32::from(SHADE);
        let steps: Vec<(&str, Step<'_>)> = vec![
            (
                "pictures alone",
                Box::new(move |shown| {
                    (shown.count >= 6 && is_bare(shown) && is_cool(shown)).then(|| key('g')).flatten()
                }),
            ),
            ("the ground", Box::new(move |shown| (!is_bare(shown)).then(|| key('g')).flatten())),
            ("no ground", Box::new(move |shown| is_bare(shown).then(|| key('m')).flatten())),
            ("the heat", Box::new(move |shown| (!is_cool(shown)).then(|| key('q')).flatten())),
        ];
        let mut surface = MemorySurface::new((640, 480), script(steps));
        let setup = setup_with(&folder, &settings, 400, every_frame);
        assert_eq!(setup.run(&mut surface).unwrap().0, Outcome::Closed);
    }
}

/// The number of the frame that is presented.
fn frame(presented: &crate::ui::Presented) -> u64 {
    u64::from(middle(presented) >> 16) / 4
}

fn key(typed: char) -> Option<Vec<Event>> {
    Some(vec![Event::Char(typed)])
}

#[test]
fn a_session_is_driven_by_keys_and_looked_at_without_a_window() {
    for every_frame in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (at, before) = (Cell::new(0), RefCell::new(Canvas::default()));
        let (at, before) = (&at, &before);
        let paused_since = Cell::new(0);
        let paused_since = &paused_since;
        let steps: Vec<(&str, Step<'_>)> = vec![
            ("pictures", Box::new(|shown| (shown.count >= 4).then(|| key(' ')).flatten())),
            (
                "a picture that stands still",
                Box::new(move |shown| {
                    paused_since.set(if at.replace(frame(shown)) == frame(shown) {
                        paused_since.get() + 1
                    } else {
                        0
                    });
                    (paused_since.get() > 40).then(|| key('.')).flatten()
                }),
            ),
            (
                "one frame on",
                Box::new(move |shown| (frame(shown) == at.get() + 1).then(|| key(',')).flatten()),
            ),
            ("one frame back", Box::new(move |shown| (frame(shown) == at.get()).then(|| key('5')).flatten())),
            ("the middle of 40 frames", Box::new(|shown| (frame(shown) == 20).then(|| key('b')).flatten())),
            (
                "no boxes",
                Box::new(move |shown| {
                    assert_eq!(middle(shown), colour(20, SHADE));
                    before.replace(shown.canvas.clone());
                    key('h')
                }),
            ),
            (
                "the help",
                Box::new(move |shown| (shown.canvas != *before.borrow()).then(|| vec![Event::Escape])),
            ),
            (
                "no help",
                Box::new(move |shown| {
                    (middle(shown) == colour(20, SHADE)).then(|| vec![Event::Resize(300, 200)])
                }),
            ),
            ("a larger picture", Box::new(|shown| (shown.canvas.width() == 300).then(|| key('q')).flatten())),
        ];
        let mut surface = MemorySurface::new((96, 72), script(steps));
        let (outcome, carried) = setup(&folder, 40, every_frame).run(&mut surface).unwrap();
        assert_eq!(outcome, Outcome::Closed);
        assert!(
            !carried.live.settings().overlay.boxes,
            "the next session begins with what keys have changed"
        );
        let status = std::fs::read_to_string(folder.path().join("status.json")).unwrap();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert_eq!((&status["frame"], &status["closed"]), (&21.into(), &true.into()), "{status}");
    }
}

#[test]
fn the_end_is_shown_and_another_recording_is_the_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let steps: Vec<(&str, Step<'_>)> =
        vec![("the last frame", Box::new(|shown| (frame(shown) == 5).then(|| key('n')).flatten()))];
    let mut surface = MemorySurface::new((96, 72), script(steps));
    let (outcome, _) = setup(&folder, 6, false).run(&mut surface).unwrap();
    assert_eq!(outcome, Outcome::File(1));
    // A window that is closed ends the session, whatever it does.
    let mut surface = MemorySurface::new((96, 72), |_: &crate::ui::Presented| vec![Event::Close]);
    assert_eq!(setup(&folder, 6, true).run(&mut surface).unwrap().0, Outcome::Closed);
}
