//! Several sources in one window: read from the status file and looked at in screenshots.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::screen::Screen;
use crate::common::{self, demo, run_in, signal, trailsight, wait_for, wait_until};
use crate::opened::{Opened, ids};

/// The share of the window's pixels that are clearly not the background's, nor those of an empty tile.
fn filled(grid: &Opened, folder: &Path) -> f64 {
    let shot = grid.screen.shot(&grid.window, folder);
    let lit = shot.pixels().filter(|pixel| pixel[1] > 48).count();
    lit as f64 / f64::from(shot.width() * shot.height())
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
    let grid = Opened::start(screen, folder.path(), &[&demo, missing, &unplugged, "--loop"]);

    // Each has its own tracker: both count from 1, though they run at the same time.
    let both = grid.wait("tracks of both", |status| {
        let sources = &status["sources"];
        ids(&sources[0]).contains(&1) && ids(&sources[2]).contains(&1)
    });
    assert_eq!(both["sources"].as_array().unwrap().len(), 3);
    assert_eq!(both["sources"][1]["tracks"], serde_json::json!([]));

    let gone = grid.wait("the third is gone", |status| status["sources"][2]["condition"] == "gone");
    grid.wait("the first goes on meanwhile", |status| {
        assert_eq!(status["sources"][2]["condition"], "gone", "{status}");
        frame(status, 0) >= frame(&gone, 0) + 8
    });
    let back = grid.wait("the third is back", |status| {
        status["sources"][2]["condition"] == "good" && frame(status, 2) > frame(&gone, 2)
    });
    assert_eq!(back["sources"][2]["reopened"], 1);
    // What is missing is told, and is still waited for.
    let told = |status: &Value| {
        let second = &status["sources"][1];
        second["frame"].is_null() && (second["failure"].is_string() || second["condition"] == "gone")
    };
    grid.wait("the second is told to be missing", told);

    let (done, last) = grid.close();
    assert!(done.stderr.contains("127.0.0.1:9"), "{done:#?}");
    assert_eq!(last["closed"], true);
}

#[test]
fn detections_are_shared_fairly_and_settings_are_for_all() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "[detector]\nconfidence = 0.6\n").unwrap();
    // So large an input that there are more frames than turns.
    let arguments =
        [&demo(), &demo(), &demo(), "--tiles", "--loop", "--fps", "21", "--set", "detector.input=960x960"];
    let grid = Opened::start(screen, folder.path(), &arguments.map(|argument| argument as &str));
    grid.wait("all are looked at", |status| {
        (0..3).all(|i| status["sources"][i]["detection_fps"].as_f64().unwrap() > 0.0)
    });
    // The order of turns has exact tests of its own; a busy machine gets more than one try.
    let shares = || {
        let mut sums = [0.0; 3];
        for _ in 0..20 {
            let status = grid.status();
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += status["sources"][i]["detection_fps"].as_f64().unwrap();
            }
            sleep(Duration::from_millis(200));
        }
        sums
    };
    let unfair = |sums: &[f64; 3]| {
        let least = sums.iter().copied().fold(f64::MAX, f64::min);
        let most = sums.iter().copied().fold(0.0, f64::max);
        least <= 0.0 || most / least >= 1.5
    };
    let tries: Vec<_> = (0..4).map(|_| shares()).take_while(unfair).collect();
    assert!(tries.len() < 4, "{tries:?}");

    // A key and the file change all of them; a network that cannot be loaded leaves the old one at work, and is told.
    grid.screen.press("plus");
    let confidence = |status: &Value, i: usize| status["sources"][i]["confidence"].as_f64().unwrap();
    grid.wait("a surer detector", |status| (0..3).all(|i| confidence(status, i) > 0.601));
    let text = "[detector]\nconfidence = 0.3\nnms_iou = 0.5\nmodel = \"none.onnx\"\n";
    fs::write(folder.path().join("config.toml"), text).unwrap();
    let changed = grid.wait("the file's settings", |status| (0..3).all(|i| confidence(status, i) < 0.31));
    grid.wait("the missing model is told", |status| {
        status["message"].as_str().is_some_and(|told| told.contains("none.onnx"))
    });
    grid.wait("all go on", |status| {
        (0..3).all(|i| frame(status, i) > frame(&changed, i) || frame(status, i) < 9)
    });
    signal(&grid.child, "INT");
    wait_for(grid.child, 60).fails(130, &[]);
}

#[test]
fn a_tile_is_enlarged_and_put_back_and_all_of_them_freeze() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let arguments =
        ["demo", "nosuch.mp4", "demo", "nothing.mp4", "--tiles", "--end", "6", "--set", "overlay.hud=false"];
    let grid = Opened::start(screen, work, &arguments);
    grid.wait("pictures", |status| frame(status, 0) > 3 && frame(status, 2) > 3);
    let status = grid.status();
    assert!(status["sources"][1]["failure"].as_str().unwrap().contains("nosuch.mp4"), "{status}");

    let half = filled(&grid, work);
    grid.screen.press("1");
    grid.wait("the first alone", |status| status["enlarged"] == 1);
    wait_until("a picture over the whole window", 60, || filled(&grid, work) > half * 1.4);
    grid.screen.press("Escape");
    grid.wait("all again", |status| status["enlarged"].is_null());
    wait_until("all pictures", 60, || (filled(&grid, work) - half).abs() < 0.1);

    grid.screen.press("space");
    let paused = grid.wait("paused", |status| status["paused"] == true);
    // The tracks of the last picture may still have been on their way.
    let shot = grid.screen.still(&grid.window, work);
    assert_eq!(frame(&grid.status(), 0), frame(&paused, 0));
    grid.screen.press("h");
    assert!(grid.screen.shot_when(&grid.window, work, |now| *now != shot).is_some(), "the help comes");
    grid.screen.press("Escape");
    grid.screen.press("s");
    wait_until("a snapshot", 20, || work.join("trailsight-0001.png").is_file());
    grid.screen.press("space");

    // At the end the last pictures stay.
    grid.wait("the end", |status| {
        status["sources"][0]["ended"] == true && status["sources"][2]["ended"] == true
    });
    assert!(filled(&grid, work) > 0.2);
    grid.close();
}

#[test]
fn the_end_does_not_wait_for_a_source_that_does_not_answer() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Takes the connection, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rtsp://{}/silent", silent.local_addr().unwrap());
    let grid = Opened::start(screen, folder.path(), &["demo", &address]);
    grid.wait("pictures", |status| frame(status, 0) > 3);
    let begun = Instant::now();
    signal(&grid.child, "TERM");
    wait_for(grid.child, 60).fails(143, &[]);
    // Two seconds are waited for threads; the server would be waited for much longer.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());

    // All at their end: with --exit-at-end the window closes, and where nothing was seen that is a failure.
    let screen = grid.screen;
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
