//! Several sources in one window: read from the status file and looked at in screenshots.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::screen::Screen;
use crate::common::{self, demo, run_in, signal, trailsight, wait_for, wait_until};
use serde_json::Value;

/// A window with several sources.
struct Wall {
    screen: Screen,
    window: String,
    child: Child,
    file: PathBuf,
}

impl Wall {
    fn open(screen: Screen, folder: &Path, arguments: &[&str]) -> Self {
        let file = folder.join("status.json");
        let path = file.display().to_string();
        let (child, window) = screen.open(folder, &[&["--status-file", &path], arguments].concat());
        wait_until("a status", 30, || file.is_file());
        Self { screen, window, child, file }
    }

    fn status(&self) -> Value {
        status(&self.file)
    }

    fn wait(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.status();
            if is(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{what}: {status}");
            sleep(Duration::from_millis(30));
        }
    }

    /// The share of the window's pixels that are clearly not the background's, nor those of an empty tile.
    fn filled(&self, folder: &Path) -> f64 {
        let shot = self.screen.shot(&self.window, folder);
        let lit = shot.pixels().filter(|pixel| pixel[1] > 48).count();
        lit as f64 / f64::from(shot.width() * shot.height())
    }
}

fn status(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).expect("whole at any moment")
}

fn ids(source: &Value) -> Vec<u64> {
    source["tracks"].as_array().unwrap().iter().map(|track| track["id"].as_u64().unwrap()).collect()
}

fn frame(status: &Value, source: usize) -> u64 {
    status["sources"][source]["frame"].as_u64().unwrap_or(0)
}

#[test]
fn one_that_is_missing_and_one_that_is_pulled_out_leave_the_others_alone() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let unplugged = format!("simulate:{}?unplug 6", demo());
    let (demo, missing) = (demo(), "rtsp://127.0.0.1:9/none");
    let wall = Wall::open(screen, folder.path(), &[&demo, missing, &unplugged, "--loop"]);

    // Each has its own tracker: both count from 1, though they run at the same time.
    let both = wall.wait("tracks of both", |status| {
        let sources = &status["sources"];
        ids(&sources[0]).contains(&1) && ids(&sources[2]).contains(&1)
    });
    assert_eq!(both["sources"].as_array().unwrap().len(), 3);
    assert_eq!(both["sources"][1]["tracks"], serde_json::json!([]));

    let gone = wall.wait("the third is gone", |status| status["sources"][2]["condition"] == "gone");
    wall.wait("the first goes on meanwhile", |status| {
        assert_eq!(status["sources"][2]["condition"], "gone", "{status}");
        frame(status, 0) >= frame(&gone, 0) + 8
    });
    let back = wall.wait("the third is back", |status| {
        status["sources"][2]["condition"] == "good" && frame(status, 2) > frame(&gone, 2)
    });
    assert_eq!(back["sources"][2]["reopened"], 1);
    // What is missing is told, and is still waited for.
    let told = |status: &Value| {
        let second = &status["sources"][1];
        second["frame"].is_null() && (second["failure"].is_string() || second["condition"] == "gone")
    };
    wall.wait("the second is told to be missing", told);

    wall.screen.press("q");
    let begun = Instant::now();
    let done = wait_for(wall.child, 10).ok();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(done.stderr.contains("127.0.0.1:9"), "{done:#?}");
    assert_eq!(status(&wall.file)["closed"], true);
}

#[test]
fn detections_are_shared_fairly_and_settings_are_for_all() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "[detector]\nconfidence = 0.6\n").unwrap();
    // So large an input that there are more frames than turns.
    let arguments =
        [&demo(), &demo(), &demo(), "--tiles", "--loop", "--fps", "21", "--set", "detector.input=960x960"];
    let wall = Wall::open(screen, folder.path(), &arguments.map(|argument| argument as &str));
    wall.wait("all are looked at", |status| {
        (0..3).all(|i| status["sources"][i]["detection_fps"].as_f64().unwrap() > 0.0)
    });
    sleep(Duration::from_secs(3));
    let mut sums = [0.0; 3];
    for _ in 0..20 {
        let status = wall.status();
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += status["sources"][i]["detection_fps"].as_f64().unwrap();
        }
        sleep(Duration::from_millis(200));
    }
    let least = sums.iter().copied().fold(f64::MAX, f64::min);
    let most = sums.iter().copied().fold(0.0, f64::max);
    assert!(least > 0.0 && most / least < 1.5, "{sums:?}");

    // A key and the file change all of them; what needs another network waits for the next start.
    wall.screen.press("plus");
    let confidence = |status: &Value, i: usize| status["sources"][i]["confidence"].as_f64().unwrap();
    wall.wait("a surer detector", |status| (0..3).all(|i| confidence(status, i) > 0.601));
    let text = "[detector]\nconfidence = 0.3\nnms_iou = 0.5\nmodel = \"none.onnx\"\n";
    fs::write(folder.path().join("config.toml"), text).unwrap();
    let changed = wall.wait("the file's settings", |status| (0..3).all(|i| confidence(status, i) < 0.31));
    assert!(changed["message"].as_str().unwrap().contains("at the next start: detector.model"), "{changed}");
    wall.wait("all go on", |status| {
        (0..3).all(|i| frame(status, i) > frame(&changed, i) || frame(status, i) < 9)
    });
    signal(&wall.child, "INT");
    wait_for(wall.child, 5).fails(130, &[]);
}

#[test]
fn a_tile_is_enlarged_and_put_back_and_all_of_them_freeze() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let arguments =
        ["demo", "nosuch.mp4", "demo", "nothing.mp4", "--tiles", "--end", "6", "--set", "overlay.hud=false"];
    let wall = Wall::open(screen, work, &arguments);
    wall.wait("pictures", |status| frame(status, 0) > 3 && frame(status, 2) > 3);
    let status = wall.status();
    assert!(status["sources"][1]["failure"].as_str().unwrap().contains("nosuch.mp4"), "{status}");

    let half = wall.filled(work);
    wall.screen.press("1");
    wall.wait("the first alone", |status| status["enlarged"] == 1);
    let whole = wall.filled(work);
    assert!(whole > half * 1.4, "{half} {whole}");
    wall.screen.press("Escape");
    wall.wait("all again", |status| status["enlarged"].is_null());
    let again = wall.filled(work);
    assert!((again - half).abs() < 0.1, "{half} {again}");

    wall.screen.press("space");
    let paused = wall.wait("paused", |status| status["paused"] == true);
    // The tracks of the last picture may still have been on their way.
    sleep(Duration::from_millis(1500));
    let shot = wall.screen.shot(&wall.window, work);
    sleep(Duration::from_millis(800));
    assert!(shot == wall.screen.shot(&wall.window, work), "nothing moves");
    assert_eq!(frame(&wall.status(), 0), frame(&paused, 0));
    wall.screen.press("h");
    assert!(wall.screen.shot(&wall.window, work) != shot, "the help comes");
    wall.screen.press("Escape");
    wall.screen.press("s");
    assert!(work.join("trailsight-0001.png").is_file());
    wall.screen.press("space");

    // At the end the last pictures stay.
    wall.wait("the end", |status| {
        status["sources"][0]["ended"] == true && status["sources"][2]["ended"] == true
    });
    assert!(wall.filled(work) > 0.2);
    wall.screen.press("q");
    wait_for(wall.child, 5).ok();
}

#[test]
fn the_end_does_not_wait_for_a_source_that_does_not_answer() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Takes the connection, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rtsp://{}/silent", silent.local_addr().unwrap());
    let wall = Wall::open(screen, folder.path(), &["demo", &address]);
    wall.wait("pictures", |status| frame(status, 0) > 3);
    let begun = Instant::now();
    signal(&wall.child, "TERM");
    wait_for(wall.child, 10).fails(143, &[]);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());

    // All at their end: with --exit-at-end the window closes, and where nothing was seen that is a failure.
    let screen = wall.screen;
    let child = screen.spawn(folder.path(), &["demo", "demo", "--tiles", "--end", "1", "--exit-at-end"]);
    wait_for(child, 30).ok();
    let child = screen.spawn(folder.path(), &["no.mp4", "nor.mp4", "--tiles", "--exit-at-end"]);
    wait_for(child, 30).fails(1, &["no.mp4", "nor.mp4"]);
}

#[test]
fn what_does_not_go_with_several_sources_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], code: i32, words: &[&str]| {
        run_in(folder.path(), arguments).fails(code, words);
    };
    refused(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], 2, &["room for 9 sources", "10 were named"]);
    refused(&["0", "1", "--tracks", "t.txt"], 2, &["--tracks is for one source", "trailsight track"]);
    refused(&["demo", "demo", "--tiles", "--video", "v.mp4"], 2, &["--video is for one source"]);
    refused(&["0", "1"], 1, &["there is no display", "trailsight track"]);
    let output = trailsight().env("DISPLAY", ":7654").args(["0", "1"]).output().expect("starts");
    common::Done::of(&output).fails(1, &["cannot open a window"]);
}
