//! Settings that change while a run goes on: what the network looks for at once, another input when it is loaded, and
//! the tracks that must not notice.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trailsight::analyse::Stages;
use trailsight::config::Settings;
use trailsight::detect::Detector;
use trailsight::pipeline::{Mode, Note, Pipeline, Plan, Stats, Stop, TrackedFrame};
use trailsight::source::{SourceSpec, open_file};

/// Loading takes a fraction of a second; the machine may be busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

fn settings(input: &str) -> Settings {
    let mut settings = Settings::default();
    settings.detector.input = input.parse().unwrap();
    settings
}

pub(super) fn start(settings: &Settings, every_frame: bool) -> Pipeline {
    let demo = SourceSpec::Video(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.avi"));
    Pipeline::start(Plan {
        source: open_file(&demo, &settings.source).unwrap(),
        reopen: None,
        detector: Detector::load(&settings.detect_for_tracking()).unwrap().into(),
        settings,
        mode: if every_frame { Mode::EveryFrame } else { Mode::Newest },
        stages: Stages::default(),
        number: 1,
        stats: Arc::new(Stats::default()),
        stop: Stop::default(),
    })
    .unwrap()
}

pub(super) fn take(pipeline: &Pipeline, frames: usize) -> Vec<TrackedFrame> {
    (0..frames).map(|_| pipeline.tracked.recv_timeout(PATIENCE).expect("the clip is longer")).collect()
}

fn note(pipeline: &Pipeline) -> Note {
    let started = Instant::now();
    loop {
        if let Some(note) = pipeline.note() {
            eprintln!("{note:?} after {:?}", started.elapsed());
            return note;
        }
        assert!(started.elapsed() < PATIENCE, "nothing is told");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn ids(frames: &[TrackedFrame]) -> BTreeSet<u64> {
    frames.iter().flat_map(|tracked| &tracked.scene.tracks).map(|track| track.id).collect()
}

#[test]
fn another_input_swaps_in_and_tracks_go_on() {
    let small = settings("224x224");
    let pipeline = start(&small, true);
    let before = take(&pipeline, 30);
    pipeline.set_settings(&settings("416x416"));
    let told = note(&pipeline);
    assert!(matches!(&told, Note::Swapped(told) if told.contains("416x416")), "{told:?}");
    let after = take(&pipeline, 30);
    let last = ids(before.get(29..).unwrap());
    let (first, all) = (ids(after.get(..1).unwrap()), ids(&after));
    // One that the small input alone sees may end with it.
    let lost = last.difference(&all).count();
    assert!(last.len() > 3 && lost <= 1 && !first.is_disjoint(&last), "{last:?} {first:?} {all:?}");
    let numbers: Vec<_> = before.iter().chain(&after).map(|tracked| tracked.job.frame.sequence).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "no frame is missing: {numbers:?}");
    pipeline.finish().unwrap();
}

#[test]
fn in_time_the_running_network_goes_on_until_the_other_is_ready() {
    let pipeline = start(&settings("224x224"), false);
    let before = take(&pipeline, 15);
    let mut other = settings("320x320");
    other.detector.threads = 2;
    other.detector.min_interval = 0.02;
    pipeline.set_settings(&other);
    let mut between = Vec::new();
    let until = Instant::now() + PATIENCE;
    let told = loop {
        if let Some(note) = pipeline.note() {
            break note;
        }
        assert!(Instant::now() < until, "nothing is told");
        between.extend(pipeline.tracked.recv_timeout(Duration::from_millis(5)));
    };
    assert!(matches!(&told, Note::Swapped(told) if told.contains("320x320")), "{told:?}");
    let after = take(&pipeline, 10);
    eprintln!("{} frames were looked at while it was loaded", between.len());
    assert!(!ids(before.get(14..).unwrap()).is_disjoint(&ids(&after)), "tracks go on");
    pipeline.finish().unwrap();
}

/// How large the network's input gets in a source of two frames a second, where `auto` is asked for.
fn largest_input(every_frame: bool, enough: impl Fn((usize, usize), usize) -> bool) -> (usize, usize) {
    let mut settings = settings("auto");
    settings.source.fps = Some(2.0);
    let pipeline = start(&settings, every_frame);
    let (mut largest, until) = ((0, 0), Instant::now() + PATIENCE);
    for frames in 1.. {
        take(&pipeline, 1);
        let input = pipeline.input().expect("a network");
        largest = largest.max(input);
        if enough(largest, frames) || Instant::now() > until {
            break;
        }
    }
    assert!(pipeline.budget().is_some());
    pipeline.finish().unwrap();
    largest
}

#[test]
fn in_time_auto_takes_more_pixels_where_there_is_time_for_them_and_in_step_it_does_not() {
    let normal = (480, 352);
    let live = largest_input(false, |largest, _| largest > normal);
    assert!(live.0 * live.1 > 2 * normal.0 * normal.1, "{live:?}");
    assert_eq!(largest_input(true, |_, frames| frames == 60), normal);
}

#[test]
fn budgets_are_changed_at_once_and_without_another_network() {
    let pipeline = start(&settings("fast"), true);
    take(&pipeline, 5);
    assert_eq!(pipeline.input(), Some((352, 288)));
    pipeline.set_settings(&settings("fine"));
    take(&pipeline, 30);
    assert_eq!(pipeline.input(), Some((704, 544)));
    assert!(pipeline.note().is_none(), "nothing had to be loaded");
    pipeline.set_settings(&settings("320x320"));
    assert!(matches!(note(&pipeline), Note::Swapped(told) if told.contains("320x320")));
    pipeline.set_settings(&settings("auto"));
    assert!(matches!(note(&pipeline), Note::Swapped(told) if told.contains("480x352 (normal)")));
    pipeline.finish().unwrap();
}

#[test]
fn thresholds_and_classes_hold_within_the_frames_under_way() {
    let mut settings = settings("416x416");
    let pipeline = start(&settings, true);
    take(&pipeline, 10);
    settings.detector.classes = vec!["car".into()];
    settings.trails.seconds = 0.0;
    pipeline.set_settings(&settings);
    // What waits on the links was seen before.
    let classes: BTreeSet<_> =
        take(&pipeline, 40)[20..].iter().flat_map(|f| &f.detections).map(|d| d.class).collect();
    assert_eq!(classes, BTreeSet::from([2]));
    let last = take(&pipeline, 1).remove(0);
    assert!(last.scene.trails.iter().all(|trail| trail.points.len() <= 1));
    pipeline.finish().unwrap();
}

#[test]
fn what_cannot_be_loaded_is_told_and_the_run_goes_on() {
    let mut settings = settings("224x224");
    let pipeline = start(&settings, true);
    take(&pipeline, 5);
    settings.detector.model = Some("no-such-model.onnx".into());
    pipeline.set_settings(&settings);
    let told = note(&pipeline);
    assert!(matches!(&told, Note::Failed(why) if why.contains("no-such-model.onnx")), "{told:?}");
    take(&pipeline, 20);
    assert_eq!(pipeline.labels().len(), 80);
    pipeline.finish().unwrap();
}
