//! Videos that begin and end while running, beside those that were asked for.

use std::time::{Duration, Instant};

use super::*;
use crate::config::Settings;
use crate::frame::Picture;
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
    let labels = Arc::new(Labels::coco());
    Recorder::open(
        outputs,
        &info(),
        &Inputs::default(),
        &labels,
        &settings.overlay,
        &settings.record,
        (in_time, stats),
    )
    .unwrap()
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
    let tracks = vec![folder.path().join("t.jsonl")];
    let recorder = open(&Outputs { tracks, ..Outputs::default() }, false, false, &Stats::default());
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
    assert!(recorder.tracks(&frame(0, 64), &Scene::default()));
    recorder.finish(true).unwrap();
    let text = std::fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
    // A live source's frame says when it was taken.
    assert!(text.contains("\"wall\":\"2") && text.contains("Z\""), "{text}");
}

#[test]
fn a_run_that_is_not_complete_leaves_what_was_asked_for_partial_and_the_rest_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let outputs = Outputs { video: Some(at("asked.avi")), ..Outputs::default() };
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
    let outputs = Outputs {
        tracks: vec![at("t.json")],
        video: Some(at("a.avi")),
        raw: Some(at("raw.avi")),
        gif: Some(at("a.gif")),
        snapshot: None,
    };
    let settings = Settings::default();
    let (labels, stats) = (Arc::new(Labels::coco()), Stats::default());
    let (overlay, way) = (&settings.overlay, (false, &stats));
    let error =
        Recorder::open(&outputs, &info(), &Inputs::default(), &labels, overlay, &settings.record, way)
            .unwrap_err();
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
