//! What a user sees of a camera that misbehaves: a simulated one with faults, in a window; read from the status file and
//! looked at in screenshots.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::common::screen::Screen;
use crate::common::{demo, wait_until};
use crate::opened::{Opened, ids};

/// Opens a window on the demo clip as a camera with these faults.
fn watch(screen: Screen, folder: &Path, faults: &str, more: &[&str]) -> Opened {
    let source = format!("simulate:{}?{faults}", demo());
    Opened::start(screen, folder, &[&[source.as_str()], more].concat())
}

/// How bright the window is in the mean, 0 to 255.
fn brightness(watched: &Opened, folder: &Path) -> f64 {
    let shot = watched.screen.shot(&watched.window, folder);
    let sum: u64 = shot.pixels().map(|pixel| u64::from(pixel[1])).sum();
    sum as f64 / (shot.width() * shot.height()) as f64
}

#[test]
fn a_stall_and_an_absence_are_told_dimmed_and_over_with_the_next_picture() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let faults = "run 8, stall 5, run 12, unplug 3, run 60";
    let watched = watch(screen, folder.path(), faults, &[]);
    let before = watched.wait("tracks", |status| ids(status).len() > 2);
    assert_eq!(before["condition"], "good");
    let bright = brightness(&watched, folder.path());

    // The tracker is told that time passes: what nobody sees for longer than its memory is gone.
    let stalled =
        watched.wait("the stall", |status| status["condition"] == "stalled" && ids(status).is_empty());
    let silent = stalled["silent_seconds"].as_f64().unwrap();
    assert!((2.0..5.5).contains(&silent), "{silent}");
    let dimmed = || brightness(&watched, folder.path()) < 0.65 * bright;
    wait_until("the last picture is dimmed", 5, dimmed);

    let back = watched.wait("the end of the stall", |status| status["condition"] == "good");
    assert_eq!(back["reopened"], 0);
    let gone = watched.wait("the absence", |status| status["condition"] == "gone");
    wait_until("it is dimmed again", 5, dimmed);
    let again = watched.wait("the return, with a new picture", |status| {
        status["condition"] == "good" && status["frame"].as_u64() > gone["frame"].as_u64()
    });
    assert_eq!(again["reopened"], 1);
    let later = watched.wait("tracks", |status| ids(status).len() > 2);
    assert!(ids(&later).iter().min() > ids(&before).iter().max(), "no id is used twice: {later}");
    watched.terminate();
}

#[test]
fn ids_go_on_where_the_gap_is_shorter_than_the_trackers_memory() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = ["--set", "tracker.lost_track_seconds=5"];
    let watched = watch(screen, folder.path(), "run 4, unplug 1, run 60", &more);
    let before =
        watched.wait("tracks", |status| ids(status).len() > 2 && status["time"].as_f64() > Some(3.0));
    watched.wait("the absence", |status| status["condition"] == "gone");
    let after = watched.wait("the return", |status| {
        status["condition"] == "good" && status["reopened"] == 1 && status["tracks"][0]["lost"] == false
    });
    let kept = ids(&before).iter().filter(|id| ids(&after).contains(id)).count();
    assert!(2 * kept > ids(&before).len(), "most go on: {:?}, then {:?}", ids(&before), ids(&after));
    watched.terminate();
}

#[test]
fn damage_is_counted_and_another_size_followed() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let faults = "run 1, corrupt 100% 3, resize 320x240, run 60";
    let watched = watch(screen, folder.path(), faults, &[]);
    let damaged = watched.wait("damage", |status| status["damaged"].as_u64() > Some(2));
    assert_eq!(damaged["reopened"], 0);
    let small = watched.wait("the other size", |status| status["size"] == serde_json::json!([320, 240]));
    watched.wait("tracks in it", |status| {
        status["frame"].as_u64() > small["frame"].as_u64() && !ids(status).is_empty()
    });
    watched.terminate();
}

#[test]
fn the_picture_is_young_however_slow_the_detector_is() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = ["--set", "detector.min_interval=0.5"];
    let watched = watch(screen, folder.path(), "", &more);
    let begun = watched.wait("detections", |status| status["detection_fps"].as_f64() > Some(0.0));
    // At seven frames a second: never older than two of them and the time to draw, in two whole seconds. On a busy machine
    // that may take a while to be so; with a queue anywhere it never is.
    let most = 2.0 * 1000.0 / 7.0 + 30.0;
    let young = |status: &Value| status["age_ms_worst"].as_f64().is_some_and(|worst| worst < most);
    sleep(Duration::from_secs(3));
    let status = watched.wait("young pictures", young);
    let detections = status["detection_fps"].as_f64().unwrap();
    assert!((1.0..3.0).contains(&detections), "the detector is slow: {detections}");
    eprintln!("shown at {} ms, at most {} ms old", status["age_ms"], status["age_ms_worst"]);
    let shown = status["frame"].as_u64().unwrap() - begun["frame"].as_u64().unwrap();
    assert!(shown > 15, "the picture goes on at the camera's rate: {shown} frames in 3 s");
    watched.terminate();
}
