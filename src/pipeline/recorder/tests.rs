//! Videos that begin and end while running, beside those that were asked for.

use std::time::{Duration, Instant};

use super::*;
use crate::config::Settings;
use crate::frame::Picture;
use crate::sink::{End, Purpose};
use crate::source::{AviSource, Source, SourceKind};

fn info() -> SourceInfo {
    SourceInfo {
        name: "test".to_owned(),
        kind: SourceKind::Camera,
        size: Some((64, 48)),
        rate: Some(10.0),
        frames: None,
        duration: None,
        sound: None,
    }
}

fn open(outputs: &Outputs, raw: bool, in_time: bool, stats: &Stats) -> Recorder {
    let mut settings = Settings::default();
    settings.record.raw = raw;
    open_with(outputs, &settings, in_time, stats, Vec::new()).unwrap()
}

fn open_with(
    outputs: &Outputs,
    settings: &Settings,
    in_time: bool,
    stats: &Stats,
    sinks: Vec<Box<dyn Sink>>,
) -> Result<Recorder, SinkError> {
    Recorder::open(RecorderSetup {
        outputs,
        sinks,
        registry: Registry::default(),
        info: &info(),
        inputs: &Inputs::default(),
        labels: &Arc::new(Labels::coco()),
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time,
        stats,
    })
}

fn frame(sequence: u64, side: u32) -> Frame {
    Frame {
        picture: Arc::new(Picture::filled(side, side, [90; 3]).unwrap()),
        sequence,
        // The source's own time is not the video's.
        time: 1000.0 - sequence as f64,
        captured: Instant::now(),
        file: None,
    }
}

/// Writes so many pictures, a tenth of a second each, from this time on.
fn film(recorder: &Recorder, from: f64, count: u64) {
    for number in 0..count {
        assert!(recorder.picture(&frame(number, 64), &Scene::default(), from + number as f64 / 10.0));
    }
}

fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(told) = ask() {
            return told;
        }
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn frames(path: &std::path::Path) -> usize {
    let mut source = AviSource::open(path).unwrap();
    std::iter::from_fn(|| source.next_frame().unwrap()).count()
}

#[test]
fn a_video_begins_and_ends_while_running_and_another_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = open(&Outputs::default(), true, false, &Stats::default());
    film(&recorder, 0.0, 3);
    assert!(!recorder.is_filming() && recorder.video().is_none() && recorder.note().is_none());
    for (name, count) in [("a.avi", 5), ("b.avi", 7)] {
        let path = folder.path().join(name);
        recorder.begin_video(Some(&path));
        assert!(recorder.is_filming());
        // Begun twice is begun once.
        recorder.begin_video(Some(&folder.path().join("c.avi")));
        film(&recorder, 30.0, count);
        let state = wait_for("the last picture", || recorder.video().filter(|state| state.frames == count));
        let seconds = (count - 1) as f64 / 10.0;
        assert_eq!((&state.path, state.skipped), (&path, 0));
        assert!((state.seconds - seconds).abs() < 1e-9, "{state:?}");
        assert!(!path.exists());
        recorder.end_video();
        assert!(!recorder.is_filming());
        film(&recorder, 90.0, 2);
        let note = wait_for("the note", || recorder.note());
        assert!(note.starts_with("saved ") && note.ends_with(&format!("{name} ({seconds:.1} s)")), "{note}");
        assert_eq!(frames(&path) as u64, count);
        assert_eq!(frames(&folder.path().join(name.replace('.', ".raw."))) as u64, count);
    }
    recorder.finish(true).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn what_goes_wrong_with_such_a_video_is_a_note_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = Outputs::default().with(Purpose::Tracks, folder.path().join("t.jsonl"));
    let recorder = open(&outputs, false, false, &Stats::default());
    recorder.begin_video(Some(&folder.path().join("none/a.avi")));
    let note = wait_for("the note", || recorder.note());
    assert!(note.contains("does not exist"), "{note}");
    assert!(!recorder.is_filming());
    #[cfg(target_os = "linux")]
    {
        recorder.begin_video(Some(std::path::Path::new("/dev/full")));
        film(&recorder, 0.0, 2);
        let note = wait_for("the note", || recorder.note());
        assert!(note.contains("disk is full"), "{note}");
        wait_for("the end", || (!recorder.is_filming()).then_some(()));
        assert!(recorder.video().is_none());
    }
    film(&recorder, 0.0, 2);
    assert!(recorder.scene(&frame(0, 64), &Scene::default()));
    recorder.finish(true).unwrap();
    let text = std::fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
    // A live source's frame says when it was taken.
    assert!(text.contains("\"wall\":\"2") && text.contains("Z\""), "{text}");
}

#[test]
fn a_run_that_is_not_complete_leaves_what_was_asked_for_partial_and_the_rest_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let outputs = Outputs::default().with(Purpose::Video, at("asked.avi"));
    let stats = Stats::default();
    let recorder = open(&outputs, false, false, &stats);
    assert!(recorder.is_filming());
    film(&recorder, 0.0, 4);
    recorder.finish(false).unwrap();
    assert!(at("asked.partial.avi").exists() && !at("asked.avi").exists());

    let recorder = open(&outputs, false, false, &stats);
    film(&recorder, 0.0, 4);
    // Ended by hand it is whole, and the next one has its own name.
    recorder.end_video();
    recorder.begin_video(Some(&at("begun.avi")));
    film(&recorder, 5.0, 6);
    recorder.finish(false).unwrap();
    assert_eq!((frames(&at("asked.avi")), frames(&at("begun.avi"))), (4, 6));
    assert!(!at("asked.partial.avi").exists());
}

#[test]
fn nothing_is_left_behind_where_an_output_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("raw.avi")).unwrap();
    let outputs = Outputs::default()
        .with(Purpose::Tracks, at("t.json"))
        .with(Purpose::Tracks, at("t.csv"))
        .with(Purpose::Video, at("a.avi"))
        .with(Purpose::RawVideo, at("raw.avi"))
        .with(Purpose::Clip, at("a.gif"));
    let error = open_with(&outputs, &Settings::default(), false, &Stats::default(), Vec::new()).unwrap_err();
    assert!(error.to_string().contains("it is a folder"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn live_pictures_are_left_out_and_counted_and_begin_and_end_never() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    let stats = Stats::default();
    let recorder = open(&Outputs::default(), false, true, &stats);
    recorder.begin_video(Some(&path));
    let (large, count) = (frame(0, 1200), 60u32);
    for number in 0..count {
        // Faster than anyone encodes.
        assert!(recorder.picture(&large, &Scene::default(), f64::from(number) / 10.0));
    }
    let skipped = stats.skipped()[2].1;
    // The queue takes pictures beside the begin.
    assert!(skipped > 0 && skipped <= u64::from(count) - PICTURES as u64 + 1, "{skipped}");
    recorder.end_video();
    let note = wait_for("the note", || recorder.note());
    assert!(note.ends_with(&format!(", {skipped} frames left out)")), "{note}");
    recorder.finish(true).unwrap();
    assert!(frames(&path) > 0);
}

/// Fails with its third scene.
struct Faulty(u32);

impl Sink for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }

    fn scene(&mut self, _: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        self.0 += 1;
        if self.0 == 3 { Err(SinkError::failed("faulty", "the plug was pulled")) } else { Ok(()) }
    }

    fn finish(self: Box<Self>, _: End) -> Result<(), SinkError> {
        panic!("a sink that failed is not finished")
    }
}

#[test]
fn a_sink_that_fails_is_one_error_and_costs_no_other_output() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut outputs = Outputs::default().with(Purpose::Video, at("a.avi"));
    for name in ["a.txt", "a.jsonl", "a.json", "a.csv"] {
        outputs.add(Purpose::Tracks, at(name));
    }
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Faulty(0))];
    let recorder = open_with(&outputs, &Settings::default(), false, &Stats::default(), sinks).unwrap();
    film(&recorder, 0.0, 2);
    for sequence in 0..20 {
        assert!(recorder.scene(&frame(sequence, 64), &Scene { sequence, ..Scene::default() }));
    }
    film(&recorder, 0.2, 2);
    let error = recorder.finish(true).unwrap_err().to_string();
    assert_eq!(error, "writing faulty failed: the plug was pulled");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
    assert_eq!(std::fs::read_to_string(at("a.jsonl")).unwrap().lines().count(), 20);
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(at("a.json")).unwrap()).unwrap();
    assert_eq!(document["images"].as_array().unwrap().len(), 20);
    assert_eq!(frames(&at("a.avi")), 4);
}

#[test]
fn where_no_sink_is_left_the_run_ends() {
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Faulty(0))];
    let recorder =
        open_with(&Outputs::default(), &Settings::default(), false, &Stats::default(), sinks).unwrap();
    let mut sequence = 0;
    wait_for("the failure", || {
        sequence += 1;
        (!recorder.scene(&frame(sequence, 64), &Scene { sequence, ..Scene::default() })).then_some(())
    });
    assert_eq!(recorder.finish(true).unwrap_err().to_string(), "writing faulty failed: the plug was pulled");
}

/// Takes one picture.
struct ShortFilm(u32);

impl Sink for ShortFilm {
    fn name(&self) -> &str {
        "short film"
    }

    fn needs(&self) -> crate::sink::Needs {
        crate::sink::Needs::DRAWN_PICTURES
    }

    fn picture(&mut self, _: &crate::sink::SinkPicture<'_>) -> Result<(), SinkError> {
        self.0 += 1;
        if self.0 == 2 { Err(SinkError::failed("short film", "the disk is full")) } else { Ok(()) }
    }

    fn finish(self: Box<Self>, _: End) -> Result<(), SinkError> {
        panic!("a sink that failed is not finished")
    }
}

#[test]
fn a_video_that_breaks_costs_no_tracks() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut registry = Registry::default();
    registry.add(crate::sink::SinkKind {
        purpose: Purpose::Video,
        endings: &["short"],
        schemes: &[],
        help: ".short",
        needs: crate::sink::Needs::DRAWN_PICTURES,
        make: |_, _| Ok(Box::new(ShortFilm(0))),
    });
    let outputs = Outputs::default().with(Purpose::Tracks, at("a.jsonl")).with(Purpose::Video, at("a.short"));
    let settings = Settings::default();
    let recorder = Recorder::open(RecorderSetup {
        outputs: &outputs,
        sinks: Vec::new(),
        registry,
        info: &info(),
        inputs: &Inputs::default(),
        labels: &Arc::new(Labels::coco()),
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time: false,
        stats: &Stats::default(),
    })
    .unwrap();
    for sequence in 0..10 {
        let scene = Scene { sequence, ..Scene::default() };
        assert!(recorder.scene(&frame(sequence, 64), &scene));
        assert!(recorder.picture(&frame(sequence, 64), &scene, sequence as f64 / 10.0));
    }
    wait_for("the note", || recorder.note().filter(|note| note.contains("the disk is full")));
    assert!(!recorder.is_filming() && recorder.video().is_none());
    assert!(recorder.finish(true).unwrap_err().to_string().contains("short film"));
    assert_eq!(std::fs::read_to_string(at("a.jsonl")).unwrap().lines().count(), 10);
}
