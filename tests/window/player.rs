//! A recording in the window as in a player: halt, step, seek, speed, repetition, the next file. Driven by keys and mouse
//! under Xvfb; what is shown is read from the status file, and the time line is looked at in a screenshot.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::screen::Screen;
use crate::common::{self, demo, ffmpeg, has, read_mot, trailsight, wait_until};
use crate::opened::{self, Opened};

/// What a straight run makes of the demo clip: by frame from 1, the ids with their boxes.
fn straight(folder: &Path) -> Vec<Vec<(u64, [f32; 4])>> {
    let file = folder.join("straight.txt");
    let output =
        trailsight().args(["track", &demo(), "--tracks"]).arg(&file).output().expect("trailsight track");
    assert!(output.status.success());
    let mut frames = vec![Vec::new(); 201];
    for row in read_mot(&fs::read_to_string(file).unwrap()) {
        frames[row.frame as usize].push((row.id, row.rect));
    }
    frames
}

#[test]
fn in_step_going_about_gives_the_tracks_of_a_straight_run() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let straight = straight(work);
    let player = Opened::start(screen, work, &[&demo(), "--set", "source.every_frame=true"]);
    let same = |frame: u64| {
        let (shown, expected) = (player.tracks(), &straight[frame as usize]);
        for (id, rect) in expected {
            let found = shown.iter().find(|(shown, _)| shown == id);
            let (_, shown) = found.unwrap_or_else(|| panic!("frame {frame}: {id} is missing in {shown:?}"));
            // Track files count pixels from 1.
            let there = [rect[0] - 1.0, rect[1] - 1.0, rect[2], rect[3]];
            let near = shown.iter().zip(there).all(|(a, b)| (a - f64::from(b)).abs() < 0.1);
            assert!(near, "frame {frame}: {id} is at {shown:?} instead of {there:?}");
        }
    };

    wait_until("some frames", 30, || player.frame() >= 12);
    player.screen.press("space");
    player.wait_value("paused", true);
    let halted = player.frame();
    same(halted);
    player.press_for("comma", halted - 1);
    same(halted - 1);
    player.press_for("comma", halted - 2);
    same(halted - 2);
    player.press_for("period", halted - 1);
    same(halted - 1);
    player.press_for("Home", 1);
    same(1);

    // From the beginning once more, on behind what was seen: the ids are those of a straight run.
    player.screen.press("space");
    wait_until("more frames", 60, || player.frame() >= halted + 25);
    player.screen.press("space");
    player.wait_value("paused", true);
    let there = player.frame();
    assert!(there >= halted + 25);
    player.wait_for(there);
    same(there);
    let ids: Vec<u64> = player.tracks().iter().map(|track| track.0).collect();

    // A jump into the unseen: new ids, none of them one that was there before.
    player.press_for("9", 181);
    let far = player.tracks();
    assert!(!far.is_empty() && far.iter().all(|(id, _)| !ids.contains(id)), "{ids:?} {far:?}");
    player.press_for("End", 200);
    player.wait_value("ended", true);
    // And back: as it was.
    player.press_for("9", 181);
    let again = player.tracks();
    assert_eq!(again.iter().map(|t| t.0).collect::<Vec<_>>(), far.iter().map(|t| t.0).collect::<Vec<_>>());
    for ((_, again), (_, far)) in again.iter().zip(&far) {
        assert!(again.iter().zip(far).all(|(a, b)| (a - b).abs() < 0.05), "{again:?} {far:?}");
    }
    let back = there - 7;
    player.press_for("Home", 1);
    let before_that = back - 1;
    for _ in 0..before_that.min(3) {
        player.screen.press("period");
    }
    same(player.frame());

    let (_, last) = player.close();
    assert_eq!(last["closed"], true);
}

#[test]
fn in_time_there_are_speeds_a_time_line_repetition_and_no_work_in_a_halt() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let player = Opened::start(screen, work, &[&demo()]);
    // How fast it plays. The clock has exact tests of its own; a busy machine gets more than one try.
    let pace = |expected: std::ops::Range<f64>| {
        let once = || {
            let (from, started) = (player.status()["time"].as_f64().unwrap(), Instant::now());
            sleep(Duration::from_millis(1500));
            (player.status()["time"].as_f64().unwrap() - from) / started.elapsed().as_secs_f64()
        };
        let mut tries = Vec::new();
        let right = (0..3).any(|_| {
            tries.push(once());
            tries.last().is_some_and(|pace| expected.contains(pace))
        });
        assert!(right, "{tries:?} times the recording's pace, not {expected:?}");
    };
    wait_until("a start", 20, || player.frame() > 2);
    pace(0.6..1.4);
    player.screen.press("greater");
    player.screen.press("greater");
    player.wait_value("speed", 4.0);
    pace(2.4..5.0);

    // The time line: a click at its middle, and the knob is there.
    player.screen.press("space");
    player.wait_value("paused", true);
    let middle = 420;
    player.click(middle, 576 - 12);
    player.wait("the middle", |status| {
        let share = status["time"].as_f64().unwrap() / status["duration"].as_f64().unwrap();
        status["seeking"] == false && (0.4..0.7).contains(&share)
    });
    let has_knob = |shot: &image::RgbImage| {
        let is_knob = |x: u32| shot.get_pixel(x, 576 - 12).0 == [0xF0, 0xE4, 0x42];
        (middle as u32 - 6..middle as u32 + 6).any(is_knob)
    };
    let shot = player.screen.shot_when(&player.window, work, has_knob);
    assert!(shot.is_some(), "no knob under the pointer");

    // While halted next to nothing is done, once what was begun before is over.
    let ticks = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", player.child.id())).unwrap();
        let numbers: Vec<u64> =
            stat.rsplit(')').next().unwrap().split_whitespace().filter_map(|n| n.parse().ok()).collect();
        // User and system time, the 14th and 15th of the line; the state, a letter, is left out here.
        numbers[10] + numbers[11]
    };
    let spent = || {
        let before = ticks();
        sleep(Duration::from_secs(4));
        ticks() - before
    };
    let spent: Vec<u64> = (0..3).map(|_| spent()).take_while(|spent| *spent > 20).collect();
    assert!(spent.len() < 3, "{spent:?} hundredths of a second in four seconds of a halt");

    // Round and round.
    player.screen.press("o");
    player.wait_value("repeat", true);
    player.screen.press("End");
    player.screen.press("space");
    wait_until("a new beginning", 20, || player.frame() < 150 && player.status()["paused"] == false);
    player.close();
}

#[test]
fn a_slow_detector_keeps_ids_through_steps_back() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Two looks a second: the tracks are always some frames behind the picture.
    let player = Opened::start(screen, folder.path(), &[&demo(), "--set", "detector.min_interval=0.5"]);
    let ids = || player.tracks().iter().map(|track| track.0).collect::<Vec<_>>();
    wait_until("some tracks", 30, || player.frame() > 14 && ids().len() > 3);
    for _ in 0..3 {
        let before = ids();
        let newest = before.iter().max().copied().unwrap();
        player.screen.press("comma");
        player.wait_value("paused", true);
        player.wait_value("seeking", false);
        let known = |status: &Value| opened::ids(status).iter().any(|id| before.contains(id));
        let back = opened::ids(&player.wait("ids that were there before", known));
        let new = back.iter().filter(|id| **id > newest).count();
        assert!(new < 3, "{before:?} {back:?}");
        let there = player.frame();
        player.screen.press("space");
        wait_until("play on", 20, || player.frame() > there + 7);
        let after = ids();
        assert!(after.iter().any(|id| before.contains(id)), "{before:?} {after:?}");
    }
    player.close();
}

#[test]
fn every_round_of_a_repetition_has_all_its_tracks() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&demo(), "--set", "source.every_frame=true", "--end", "3", "--loop"];
    let player = Opened::start(screen, folder.path(), &arguments);
    player.screen.press("greater");
    player.screen.press("greater");
    let mut seen = std::collections::BTreeMap::<u64, Vec<u64>>::new();
    // Twice round: the first time may have begun before the speed was set.
    let (until, mut last, mut rounds) = (Instant::now() + Duration::from_secs(60), 0, 0);
    while rounds < 3 || !seen.keys().any(|frame| *frame >= 19) {
        assert!(Instant::now() < until, "{rounds} rounds: {seen:?}");
        let status = player.status();
        let (frame, ids) = (status["frame"].as_u64().unwrap_or(0), opened::ids(&status));
        rounds += u32::from(frame < last);
        last = frame;
        assert!(frame <= 3 || !ids.is_empty(), "frame {frame} has no tracks");
        if frame > 3 {
            seen.entry(frame).or_insert(ids);
        }
        sleep(Duration::from_millis(15));
    }
    // The last frames too, whose results were on their way when the next round began; and no round has ids of its own.
    assert!(seen.values().flatten().all(|id| *id <= 12), "{seen:?}");
    player.close();
}

#[test]
fn several_recordings_and_frames_of_any_rate() {
    if !has("ffmpeg") || !has("ffprobe") {
        return;
    }
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    // Frames at 0, 0.1, 0.4, 0.9, 1.6, … seconds: their numbers are not their times.
    let odd = work.join("odd.mp4").display().to_string();
    let filter = "settb=1/1000,setpts=N*N*100,scale=320:-2";
    let stamps = ["-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-g", "3"];
    ffmpeg(&[&["-i", &demo(), "-frames:v", "12", "-vf", filter], &stamps[..], &[&odd]].concat());
    let plain = work.join("plain.mkv").display().to_string();
    ffmpeg(&["-i", &demo(), "-frames:v", "30", "-vf", "scale=320:-2", &plain]);
    let player = Opened::start(screen, work, &[&odd, &plain]);
    wait_until("a start", 20, || player.frame() >= 1);
    player.screen.press("space");
    player.wait_value("paused", true);
    for (key, frame, time) in
        [("End", 12, 12.1), ("comma", 11, 10.0), ("Home", 1, 0.0), ("Right", 8, 4.9), ("Left", 1, 0.0)]
    {
        player.press_for(key, frame);
        let shown = player.status()["time"].as_f64().unwrap();
        assert!((shown - time).abs() < 0.02, "{key}: {shown} s instead of {time}");
    }
    player.screen.press("n");
    player.wait_value("source", "plain.mkv");
    player.screen.press("n");
    wait_until("a word on it", 10, || {
        player.status()["message"].as_str().is_some_and(|message| message.contains("last recording"))
    });
    player.screen.press("p");
    player.wait_value("source", "odd.mp4");
    player.close();
}

#[test]
fn settings_change_while_it_runs_and_mistakes_stand_in_the_window() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let config = work.join("config.toml");
    let defaults = fs::read_to_string(common::root().join("config.toml")).unwrap();
    fs::write(&config, &defaults).unwrap();
    let save = |text: &str| {
        // As editors do it: a new file takes the old one's name.
        fs::write(work.join(".new"), text).unwrap();
        fs::rename(work.join(".new"), &config).unwrap();
    };
    let player = Opened::start(screen, work, &[&demo()]);
    wait_until("some tracks", 30, || player.tracks().len() > 3);
    player.screen.press("space");
    player.wait_value("paused", true);
    wait_until("a settled frame", 20, || player.status()["settled"] == true);
    let frame = player.frame();
    let ids = |tracks: &[(u64, [f64; 4])]| tracks.iter().map(|track| track.0).collect::<Vec<_>>();
    let before = ids(&player.tracks());

    // The effect is seen at once, on a picture that stands still too, and ids go on.
    save(&defaults.replace("confidence = 0.25 ", "confidence = 0.97 "));
    wait_until("the higher confidence", 10, || {
        let confidence = player.status()["confidence"].as_f64().unwrap();
        (confidence - 0.97).abs() < 1e-6 && player.status()["seeking"] == false
    });
    save(&defaults);
    wait_until("the old confidence", 10, || {
        (player.status()["confidence"].as_f64().unwrap() - 0.25).abs() < 1e-6
    });
    player.wait_for(frame);
    let after = ids(&player.tracks());
    assert!(after.iter().any(|id| before.contains(id)), "{before:?} {after:?}");

    // A mistake: what was in force stays, and the window says where it is, until it is mended.
    save(&defaults.replace("confidence = 0.25 ", "confidence = 7 "));
    wait_until("a word on the mistake", 10, || {
        player.status()["problem"].as_str().is_some_and(|problem| {
            problem.contains("config.toml:") && problem.contains("detector.confidence cannot be 7")
        })
    });
    assert!((player.status()["confidence"].as_f64().unwrap() - 0.25).abs() < 1e-6);
    let shot = player.screen.shot(&player.window, work);
    let red = |pixel: &image::Rgb<u8>| pixel.0[0] > 190 && pixel.0[1] < 110 && pixel.0[2] < 100;
    let letters = shot.enumerate_pixels().filter(|(_, y, pixel)| *y > 450 && red(pixel)).count();
    assert!(letters > 100, "{letters} red pixels");
    fs::remove_file(&config).unwrap();
    wait_until("a word on the missing file", 10, || {
        player.status()["problem"].as_str().is_some_and(|problem| problem.contains("gone"))
    });
    save(&defaults.replace("input = \"auto\"", "input = \"320x320\""));
    player.wait_value("problem", Value::Null);
    player.wait_value("input", "320x320");

    // The panel: a value is changed with the arrows, and written into the file beside its comment.
    player.screen.press("Tab");
    player.screen.press("Right");
    wait_until("another confidence", 10, || {
        (player.status()["confidence"].as_f64().unwrap() - 0.26).abs() < 1e-6
    });
    player.screen.press("w");
    let written = || fs::read_to_string(&config).unwrap();
    wait_until("a written file", 10, || written().contains("confidence = 0.26 "));
    let comment = "# an object is shown from this score on";
    let line = written().lines().find(|line| line.starts_with("confidence = 0.26")).unwrap().to_owned();
    assert!(line.contains(comment), "{line}");
    assert_eq!(written().lines().count(), defaults.lines().count());
    assert_eq!(player.status()["problem"], Value::Null);

    // Recording by a key: a whole file with its own name, while the run goes on.
    if has("ffmpeg") && has("ffprobe") {
        player.screen.press("Tab");
        player.screen.press("v");
        player.screen.press("space");
        wait_until("two seconds of video", 30, || player.status()["recording"].as_f64() > Some(2.0));
        player.screen.press("v");
        let video = work.join("trailsight-0001.mp4");
        wait_until("a video", 20, || video.is_file());
        assert!(common::probe(&video, "nb_read_packets").parse::<u32>().unwrap() >= 10);
    }
    let (done, _) = player.close();
    assert!(done.stderr.contains("detector.confidence cannot be 7"), "{done:#?}");
}
