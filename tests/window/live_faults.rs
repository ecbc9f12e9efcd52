//! What a user sees of a camera that misbehaves: a simulated one with faults, in a window; read from the status file and
//! looked at in screenshots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::screen::Screen;
use crate::common::{demo, signal, wait_for, wait_until};
use serde_json::Value;

struct Watched {
    screen: Screen,
    window: String,
    child: Child,
    file: PathBuf,
}

impl Watched {
    /// Opens a window on the demo clip as a camera with these faults.
    fn open(screen: Screen, folder: &Path, faults: &str, more: &[&str]) -> Self {
        let file = folder.join("status.json");
        let (source, path) = (format!("simulate:{}?{faults}", demo()), file.display().to_string());
        let (child, window) = screen.open(folder, &[&[&source, "--status-file", &path], more].concat());
        wait_until("a status", 30, || file.is_file());
        Self { screen, window, child, file }
    }

    fn status(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(&self.file).unwrap()).expect("whole at any moment")
    }

    fn wait(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let status = self.status();
            if is(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{what}: {status}");
            sleep(Duration::from_millis(30));
        }
    }

    /// How bright the window is in the mean, 0 to 255.
    fn brightness(&self, folder: &Path) -> f64 {
        let shot = self.screen.shot(&self.window, folder);
        let sum: u64 = shot.pixels().map(|pixel| u64::from(pixel[1])).sum();
        sum as f64 / (shot.width() * shot.height()) as f64
    }

    fn quit(self) {
        signal(&self.child, "TERM");
        assert_eq!(wait_for(self.child, 10).code, Some(143));
    }
}

fn ids(status: &Value) -> Vec<u64> {
    status["tracks"].as_array().unwrap().iter().map(|track| track["id"].as_u64().unwrap()).collect()
}

#[test]
fn a_stall_and_an_absence_are_told_dimmed_and_over_with_the_next_picture() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let faults = "run 8, stall 5, run 4, unplug 3, run 60";
    let watched = Watched::open(screen, folder.path(), faults, &[]);
    let before = watched.wait("tracks", |status| ids(status).len() > 2);
    assert_eq!(before["condition"], "good");
    let bright = watched.brightness(folder.path());

    // The tracker is told that time passes: what nobody sees for longer than its memory is gone.
    let stalled =
        watched.wait("the stall", |status| status["condition"] == "stalled" && ids(status).is_empty());
    let silent = stalled["silent_seconds"].as_f64().unwrap();
    assert!((2.0..5.5).contains(&silent), "{silent}");
    assert!(watched.brightness(folder.path()) < 0.65 * bright, "the last picture is dimmed");

    let back = watched.wait("the end of the stall", |status| status["condition"] == "good");
    assert_eq!(back["reopened"], 0);
    let gone = watched.wait("the absence", |status| status["condition"] == "gone");
    assert!(watched.brightness(folder.path()) < 0.65 * bright);
    let again = watched.wait("the return", |status| status["condition"] == "good");
    assert_eq!(again["reopened"], 1);
    assert!(again["frame"].as_u64() > gone["frame"].as_u64());
    let later = watched.wait("tracks", |status| ids(status).len() > 2);
    assert!(ids(&later).iter().min() > ids(&before).iter().max(), "no id is used twice: {later}");
    watched.quit();
}

#[test]
fn ids_go_on_where_the_gap_is_shorter_than_the_trackers_memory() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = ["--set", "tracker.memory_seconds=5"];
    let watched = Watched::open(screen, folder.path(), "run 4, unplug 1, run 60", &more);
    let before =
        watched.wait("tracks", |status| ids(status).len() > 2 && status["time"].as_f64() > Some(3.0));
    watched.wait("the absence", |status| status["condition"] == "gone");
    let after = watched.wait("the return", |status| {
        status["condition"] == "good" && status["reopened"] == 1 && status["tracks"][0]["lost"] == false
    });
    let kept = ids(&before).iter().filter(|id| ids(&after).contains(id)).count();
    assert!(2 * kept > ids(&before).len(), "most go on: {:?}, then {:?}", ids(&before), ids(&after));
    watched.quit();
}

#[test]
fn damage_is_counted_and_another_size_followed() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let faults = "run 1, corrupt 100% 3, resize 320x240, run 60";
    let watched = Watched::open(screen, folder.path(), faults, &[]);
    let damaged = watched.wait("damage", |status| status["damaged"].as_u64() > Some(2));
    assert_eq!(damaged["reopened"], 0);
    let small = watched.wait("the other size", |status| status["size"] == serde_json::json!([320, 240]));
    watched.wait("tracks in it", |status| {
        status["frame"].as_u64() > small["frame"].as_u64() && !ids(status).is_empty()
    });
    watched.quit();
}

#[test]
fn the_picture_is_young_however_slow_the_detector_is() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = ["--set", "detector.min_interval=0.5"];
    let watched = Watched::open(screen, folder.path(), "", &more);
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
    watched.quit();
}
