//! Long runs: the real pipeline on recorded detections, far faster than any network, and far longer than any test can
//! wait for one. TrackHistory stays flat, no latency drifts, numbers and times hold beyond 2³² frames and many days.
//!
//! Short by default. The long run, a million frames and more:
//! `TRAILSIGHT_SOAK_FRAMES=1200000 cargo test --release --test soak -- --nocapture --test-threads 1`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod gauge;
mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gauge::Gauge;
use source::{Begin, Clip, SIZE};
use trailsight::analyse::Stages;
use trailsight::config::Settings;
use trailsight::dataset::DetectionFile;
use trailsight::detection::Detection;
use trailsight::engine::{DetectionSource, RecordedDetections};
use trailsight::frame::Picture;
use trailsight::labels::Labels;
use trailsight::pipeline::{
    Mode, Outputs, Pipeline, Plan, Recorder, RecorderSetup, Stats, Stop, TrackedFrame, headless,
};
use trailsight::scene::Scene;
use trailsight::sink::{Inputs, Purpose, Registry};
use trailsight::source::{LiveSource, LiveTimeouts, Source, SourceKind};

/// Beyond what 32 bits count, soon after the beginning; and beyond a year.
const FAR: Begin = Begin { sequence: (1 << 32) - 1_000, time: 86_400.0 * 400.0 };
/// Frames of a source, where nothing else is asked for.
const SHORT: u64 = 40_000;

fn length() -> u64 {
    std::env::var("TRAILSIGHT_SOAK_FRAMES")
        .ok()
        .map_or(SHORT, |text| text.parse().expect("a number of frames"))
}

/// Memory is the whole process's: one run after the other.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the bundled network found in the demo clip.
fn recorded() -> Vec<Vec<Detection>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo_detections.txt");
    let file = DetectionFile::read(&path).unwrap();
    (0..file.frames()).map(|frame| file.at(frame).collect()).collect()
}

fn plan<'a>(source: Box<dyn Source>, settings: &'a Settings, stop: &Stop) -> Plan<'a> {
    Plan {
        source,
        reopen: None,
        detector: DetectionSource::from(RecordedDetections::new(recorded(), Labels::coco())),
        settings,
        mode: Mode::EveryFrame,
        stages: Stages::default(),
        number: 1,
        stats: Arc::new(Stats::default()),
        stop: stop.clone(),
    }
}

/// What holds of every scene of a run, however long it is.
#[derive(Default)]
struct Rules {
    last: Option<(u64, f64)>,
    /// When the tracks with the newest ids were born.
    births: BTreeMap<u64, f64>,
    /// No new track gets an id up to this one.
    closed: u64,
    trail_seconds: f64,
}

impl Rules {
    fn new(settings: &Settings) -> Self {
        Self { trail_seconds: settings.trails.seconds, ..Self::default() }
    }

    fn check(&mut self, scene: &Scene) {
        let now = (scene.sequence, scene.time);
        if let Some((sequence, time)) = self.last.replace(now) {
            assert!(scene.sequence > sequence && scene.time >= time, "{now:?} after {:?}", (sequence, time));
        }
        assert!(scene.tracks.is_sorted_by(|a, b| a.id < b.id), "no id twice");
        for track in &scene.tracks {
            let born = *self.births.entry(track.id).or_insert_with(|| {
                assert!(track.id > self.closed, "id {} is used again", track.id);
                track.born
            });
            assert!(born == track.born, "id {} is that of two objects", track.id);
            assert!(track.born <= track.seen && track.seen <= scene.time, "{track:?} at {}", scene.time);
            assert!(track.rect.is_sound() && track.velocity.iter().all(|v| v.is_finite()), "{track:?}");
        }
        // Whoever is so far behind the newest, and not there, is gone.
        if self.births.len() > 600 {
            self.closed = self.births.keys().rev().nth(300).copied().unwrap_or_default();
            let here = |id: &u64| scene.tracks.iter().any(|track| track.id == *id);
            self.births.retain(|id, _| *id > self.closed || here(id));
        }
        for trail in scene.trails.iter() {
            let first = trail.points.first().map_or(scene.time, |point| point.time);
            assert!(scene.time - first <= self.trail_seconds + 1e-6, "a trail of {} s", scene.time - first);
            assert!(trail.points.is_sorted_by(|a, b| a.time <= b.time), "a trail in order");
        }
    }

    fn newest(&self) -> u64 {
        self.births.last_key_value().map_or(0, |(id, _)| *id)
    }
}

#[test]
fn in_step_into_files() {
    let (_alone, frames) = (alone(), length());
    let mut settings = Settings::default();
    settings.detector.threads = 2;
    let (stop, folder) = (Stop::default(), tempfile::tempdir().unwrap());
    let source = Box::new(Clip::new(SourceKind::Recording, FAR, frames));
    let outputs = Outputs::default().with(Purpose::Tracks, folder.path().join("tracks.txt"));
    let (labels, stats) = (Arc::new(Labels::coco()), Stats::default());
    let recorder = Recorder::open(RecorderSetup {
        outputs: &outputs,
        sinks: Vec::new(),
        registry: Registry::default(),
        info: source.info(),
        inputs: &Inputs::default(),
        labels: &labels,
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time: false,
        stats: &stats,
    })
    .unwrap();
    let pipeline = Pipeline::start(plan(source, &settings, &stop)).unwrap();
    let (mut gauge, mut rules) = (Gauge::new("in step, into a track file", frames), Rules::new(&settings));
    let mut next = FAR.sequence;
    let (report, result) = headless::run(pipeline, Some(recorder), &stop, |tracked, _| {
        assert_eq!(tracked.scene.sequence, next, "none is left out");
        next += 1;
        rules.check(&tracked.scene);
        gauge.frame(tracked.job.frame.captured);
    });
    result.unwrap();
    assert_eq!((report.frames, report.complete), (frames, true));
    assert!(next > 1 << 32, "numbers that 32 bits do not hold");
    assert!(rules.newest() > frames / 100, "many came and went: {}", rules.newest());
    gauge.assert_flat();
    // The last frame is in the file under its number, counted from 1.
    let text = std::fs::read(folder.path().join("tracks.txt")).unwrap();
    let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(4_000)..]).into_owned();
    let last =
        tail.lines().last().and_then(|line| line.split(',').next()).and_then(|n| n.parse::<u64>().ok());
    assert!(last.is_some_and(|last| last > next - 100 && last <= next), "{last:?} of {next}");
}

/// Ids, boxes and trails of a few rounds of the clip.
fn tracked(begin: Begin, frames: u64) -> Vec<TrackedFrame> {
    let (settings, stop) = (Settings::default(), Stop::default());
    let source = Box::new(Clip::new(SourceKind::Recording, begin, frames));
    let pipeline = Pipeline::start(plan(source, &settings, &stop)).unwrap();
    let mut all = Vec::new();
    headless::run(pipeline, None, &stop, |tracked, _| all.push(tracked.clone())).1.unwrap();
    all
}

#[test]
fn late_is_as_early() {
    let _alone = alone();
    let rounds = recorded().len() as u64;
    // A whole number of rounds on, so that the same is found; behind more than 2³² frames, which take years.
    let far = ((1_u64 << 32) / rounds + 1) * rounds;
    let early = tracked(Begin { sequence: 0, time: 0.0 }, 6 * rounds);
    for (sequence, time) in [(far, FAR.time), (far, far as f64 / 30.0), (u64::MAX / rounds / 2 * rounds, 1e6)]
    {
        let late = tracked(Begin { sequence, time }, 6 * rounds);
        assert_eq!(early.len(), late.len());
        for (a, b) in early.iter().zip(&late) {
            assert_eq!(a.scene.tracks.len(), b.scene.tracks.len(), "frame {}", a.scene.sequence);
            for (one, other) in a.scene.tracks.iter().zip(&b.scene.tracks) {
                assert_eq!((one.id, one.class, one.state), (other.id, other.class, other.state));
                assert!(one.rect.iou(&other.rect) > 0.999, "{one:?} {other:?}");
                assert!((other.born - time - one.born).abs() < 1e-6, "{one:?} {other:?}");
            }
            for (one, other) in a.scene.trails.iter().zip(b.scene.trails.iter()) {
                // Which point is just three seconds old is a matter of rounding.
                assert!(one.id == other.id && one.points.len().abs_diff(other.points.len()) <= 1);
            }
        }
    }
}

#[test]
fn in_time_from_a_live_source_that_is_lost_and_comes_back() {
    let (_alone, frames) = (alone(), length() / 4);
    let (mut settings, stop) = (Settings::default(), Stop::default());
    // Times are the wall's here: trails have their length soon after the beginning.
    settings.trails.seconds = 0.2;
    let picture = Arc::new(Picture::filled(SIZE.0, SIZE.1, [90; 3]).unwrap());
    let shared = Arc::clone(&picture);
    let connection = move || -> Box<dyn Source> { Box::new(Clip::live(FAR, frames / 3, &shared)) };
    let first = connection();
    let again = Box::new(move || Ok(connection()));
    let timeouts = LiveTimeouts { stall: Duration::from_secs(20), give_up: None };
    let live = LiveSource::new(first, again, timeouts).unwrap();
    let plan = Plan { mode: Mode::Display, ..plan(Box::new(live), &settings, &stop) };
    let pipeline = Pipeline::start(plan).unwrap();
    let (mut gauge, mut rules) = (Gauge::new("in time, from a live source", frames), Rules::new(&settings));
    let (mut shown, mut tracked, mut gaps) = (None, 0_u64, 0);
    while shown.is_none_or(|(sequence, _)| sequence < FAR.sequence + frames) {
        crossbeam_channel::select! {
            recv(pipeline.frames) -> job => {
                let frame = job.expect("it comes back").frame;
                let now = (frame.sequence, frame.time);
                if let Some((sequence, time)) = shown.replace(now) {
                    assert!(now.0 > sequence && now.1 >= time, "{now:?} after {:?}", (sequence, time));
                    gaps += u32::from(now.1 - time > 0.4);
                    gauge.frames(now.0 - sequence);
                }
            }
            recv(pipeline.tracked) -> next => {
                let next = next.expect("it goes on");
                if !next.silence {
                    rules.check(&next.scene);
                    gauge.latency(next.job.frame.captured);
                    tracked += 1;
                }
            }
            default(Duration::from_secs(20)) => panic!("nothing comes any more"),
        }
    }
    assert!(pipeline.try_error().is_none());
    // Two ends, and one more where the last frame is shown late.
    assert!((2..=3).contains(&gaps), "{gaps} gaps of half a second");
    assert!(tracked > frames / 50, "{tracked} of {frames} were tracked");
    let held = Arc::strong_count(&picture);
    assert!(held < 40, "frames are let go, of each connection: {held} pictures");
    stop.ask_threads();
    pipeline.finish().unwrap();
    gauge.assert_flat();
    eprintln!("{tracked} frames tracked");
}

#[test]
fn a_clip_that_repeats_is_remembered_once() {
    let (_alone, frames) = (alone(), length() / 2);
    let (mut settings, stop) = (Settings::default(), Stop::default());
    let clip = 2 * recorded().len() as u64;
    let source = Box::new(Clip::new(SourceKind::Recording, Begin::default(), clip));
    let pipeline =
        Pipeline::start(Plan { mode: Mode::Replay { every_frame: true }, ..plan(source, &settings, &stop) })
            .unwrap();
    pipeline.playback.set_repeat(true);
    let memory = Arc::clone(pipeline.history.as_ref().expect("it is remembered"));
    let mut gauge = Gauge::new("a clip that repeats", frames);
    let (mut fresh, mut ids, mut first) = (0_u64, 0, Vec::new());
    for number in 0..frames {
        let tracked = pipeline.tracked.recv_timeout(Duration::from_secs(20)).expect("it repeats");
        let (round, place) = (number / clip, number % clip);
        assert_eq!(tracked.scene.sequence, place, "round {round}");
        fresh += u64::from(tracked.fresh);
        let tracks: Vec<u64> = tracked.scene.tracks.iter().map(|track| track.id).collect();
        ids = tracks.iter().copied().fold(ids, u64::max);
        if round == 0 {
            first.push(tracks);
        } else if round == 1 {
            assert_eq!(Some(&tracks), first.get(place as usize), "as in the first round");
        }
        gauge.frame(tracked.job.frame.captured);
        // Now and then it is all tracked anew.
        if place == clip / 2 && round % 20 == 10 {
            settings.tracker.lost_track_seconds = if round % 40 == 10 { 2.0 } else { 3.0 };
            memory.lock().unwrap().outdate();
            pipeline.set_settings(&settings);
        }
    }
    let rounds = frames / clip;
    assert!(fresh >= clip && fresh <= clip * (2 + rounds / 10), "{fresh} tracked in {rounds} rounds");
    assert!(pipeline.try_error().is_none());
    stop.ask_threads();
    pipeline.finish().unwrap();
    gauge.assert_flat();
    eprintln!("{rounds} rounds, {fresh} frames tracked, ids up to {ids}");
}

#[test]
fn the_clip_fits_its_detections() {
    let found = recorded();
    assert!(found.len() >= 80 && found.iter().flatten().count() > 500);
    let inside =
        |d: &Detection| d.rect.right() <= SIZE.0 as f32 + 1.0 && d.rect.bottom() <= SIZE.1 as f32 + 1.0;
    assert!(found.iter().flatten().all(inside));
}
