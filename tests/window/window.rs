//! The window on a real X server (Xvfb), driven by keys and mouse, and looked at through screenshots.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::screen::Screen;
use crate::common::{self, demo, has, probe, read_mot, signal, trailsight, wait_for, wait_until};
use crate::opened::Opened;
use image::RgbImage;
use trailsight::view::palette;

/// The share of points on the outline of a box that have its track's colour, give or take a pixel.
fn outline_share(shot: &RgbImage, [left, top, width, height]: [f32; 4], id: u64) -> f64 {
    let colour = palette::colour(id).to_be_bytes();
    let near = |x: f32, y: f32| {
        (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| (dx, dy))).any(|(dx, dy)| {
            let (x, y) = (x as i64 + dx, y as i64 + dy);
            let inside = x >= 0 && y >= 0 && x < i64::from(shot.width()) && y < i64::from(shot.height());
            inside && {
                let pixel = shot.get_pixel(x as u32, y as u32).0;
                pixel.iter().zip(&colour[1..]).all(|(a, b)| a.abs_diff(*b) < 40)
            }
        })
    };
    let points: Vec<(f32, f32)> = (0..40)
        .map(|i| i as f32 / 40.0)
        .flat_map(|t| {
            [
                (left + t * width, top),
                (left + t * width, top + height),
                (left, top + t * height),
                (left + width, top + t * height),
            ]
        })
        .collect();
    points.iter().filter(|(x, y)| near(*x, *y)).count() as f64 / points.len() as f64
}

/// How many pixels of a part differ clearly.
fn differing(a: &RgbImage, b: &RgbImage, [left, top, width, height]: [u32; 4]) -> usize {
    let points = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
    points
        .filter(|&(x, y)| {
            a.get_pixel(x, y).0.iter().zip(b.get_pixel(x, y).0).any(|(p, q)| p.abs_diff(q) > 24)
        })
        .count()
}

const HUD: [u32; 4] = [0, 0, 140, 200];
const BANNER: [u32; 4] = [84, 500, 600, 76];
const MIDDLE: [u32; 4] = [184, 100, 400, 400];

#[test]
fn every_frame_with_its_own_tracks_and_every_key() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let arguments = ["watch", &demo(), "--end", "3", "--set", "source.every_frame=true", "--tracks", "t.txt"];
    let (child, window) = screen.open(work, &arguments);
    let partial = work.join("t.partial.txt");
    let last = |text: &str| read_mot(text).last().map_or(0, |row| row.frame);
    wait_until("the last frame", 60, || fs::read_to_string(&partial).is_ok_and(|text| last(&text) == 21));
    let rows: Vec<_> =
        read_mot(&fs::read_to_string(&partial).unwrap()).into_iter().filter(|row| row.frame == 21).collect();
    let at = |r: [f32; 4]| [r[0] - 1.0, r[1] - 1.0, r[2], r[3]];
    let behind_hud = |r: [f32; 4]| r[0] < 150.0 && r[1] < 220.0;
    let seen: Vec<_> = rows.iter().filter(|row| !behind_hud(row.rect)).collect();
    assert!(seen.len() >= 4, "{rows:?}");
    let drawn =
        |shot: &RgbImage| seen.iter().filter(|row| outline_share(shot, at(row.rect), row.id) > 0.6).count();
    // The last frame stays, with a box for every one of its tracks.
    let all_drawn = |shot: &RgbImage| drawn(shot) + 1 >= seen.len();
    assert!(screen.shot_when(&window, work, all_drawn).is_some(), "boxes are drawn where their tracks are");
    let shot = screen.still(&window, work);
    assert!(shot.dimensions() == (768, 576) && all_drawn(&shot));

    // Without boxes and labels the outlines are gone; what is left of their colours is the picture's own.
    screen.press("b");
    screen.press("l");
    screen.press("t");
    let bare = screen.shot_when(&window, work, |now| drawn(now) <= 1);
    assert!(bare.is_some(), "boxes are still drawn");
    screen.press("b");
    screen.press("l");
    screen.press("t");
    let shows = |what: &str, is: &dyn Fn(&RgbImage) -> bool| {
        screen.shot_when(&window, work, is).unwrap_or_else(|| panic!("{what} is never seen"))
    };
    shows("the same after pressing twice", &|now| differing(now, &shot, MIDDLE) == 0);

    screen.press("i");
    shows("a picture without numbers", &|now| differing(now, &shot, HUD) > 1_000);
    screen.press("i");
    screen.press("h");
    shows("the help", &|now| differing(now, &shot, MIDDLE) > 20_000);
    screen.press("Escape");
    shows("the window after Escape closed the help", &|now| differing(now, &shot, MIDDLE) < 100);

    // A German keyboard: these characters lie elsewhere, the brackets behind AltGr.
    screen.run("setxkbmap", &["de"]);
    sleep(Duration::from_millis(500));
    for key in ["plus", "minus", "bracketleft", "bracketright"] {
        let before = screen.shot(&window, work);
        screen.press(key);
        shows(&format!("what {key} does"), &|now| {
            differing(&before, now, BANNER) + differing(&before, now, HUD) > 30
        });
    }
    screen.press("s");
    wait_until("a snapshot", 20, || work.join("trailsight-0001.png").is_file());

    // A click on a track tells of it and dims the rest; a second one frees it.
    let [x, y, w, h] = at(seen[0].rect);
    let (x, y) = ((x + w / 2.0) as i32, (y + h / 2.0) as i32);
    let unpicked = screen.shot(&window, work);
    screen.click(&window, x, y);
    let picked = shows("a picked track", &|now| differing(now, &unpicked, MIDDLE) > 1_000);
    screen.click(&window, x, y);
    shows("a freed track", &|now| differing(now, &picked, MIDDLE) > 1_000);

    screen.press("q");
    wait_for(child, 60).ok();
    assert_eq!(
        common::names(work),
        ["t.txt", "trailsight-0001.png"],
        "complete when the recording was seen to its end"
    );
}

#[test]
fn in_time_keeps_the_recordings_pace_and_can_be_halted() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let started = Instant::now();
    let (child, _) = screen.open(work, &[&demo(), "--end", "4", "--exit-at-end", "--tracks", "t.jsonl"]);
    wait_for(child, 60).ok();
    let took = started.elapsed().as_secs_f64();
    assert!(took >= 3.5, "four seconds took {took} s");
    let lines = fs::read_to_string(work.join("t.jsonl")).unwrap();
    assert!(lines.lines().count() >= 3, "{lines}");

    // The tracks of the very last picture are not lost, though it is the only one.
    let photo = common::root().join("tests/photos/astronaut.png").display().to_string();
    let child = screen.spawn(work, &[&photo, "--exit-at-end", "--tracks", "one.txt"]);
    wait_for(child, 60).ok();
    assert_eq!(read_mot(&fs::read_to_string(work.join("one.txt")).unwrap()).len(), 1);

    // While halted the picture stands still, a step moves it, and it goes on after.
    let player = Opened::start(screen, work, &[&demo(), "--set", "overlay.hud=false"]);
    let all = [0, 0, 768, 576];
    wait_until("some frames", 60, || player.frame() > 5);
    player.screen.press("space");
    player.wait_value("paused", true);
    let halted = player.screen.still(&player.window, work);
    let shows = |is: &dyn Fn(&RgbImage) -> bool| player.screen.shot_when(&player.window, work, is);
    player.screen.press("period");
    let stepped = shows(&|now| differing(&halted, now, all) > 200).expect("one frame on");
    player.screen.press("space");
    assert!(shows(&|now| differing(&stepped, now, all) > 500).is_some(), "goes on");
    let child = player.child;
    signal(&child, "INT");
    wait_for(child, 60).fails(130, &[]);
}

#[test]
fn a_display_that_is_not_there_means_files() {
    let folder = tempfile::tempdir().unwrap();
    let output = trailsight()
        .env("DISPLAY", ":7654")
        .current_dir(folder.path())
        .args([&demo(), "--end", "1"])
        .output()
        .expect("starts");
    let done = common::Done::of(&output).ok();
    assert!(done.stderr.contains("cannot open a window"), "{done:#?}");
    assert!(folder.path().join("trailsight-out/tracks.txt").is_file());
}

#[test]
fn a_display_of_unusual_depth_means_files() {
    for depth in [8, 15, 16, 30] {
        let Some(screen) = Screen::with_depth(depth) else { return };
        let folder = tempfile::tempdir().unwrap();
        let child = screen.spawn(folder.path(), &[&demo(), "--end", "0.3"]);
        let done = wait_for(child, 60).ok();
        assert!(done.stderr.contains(&format!("pixels have a depth of {depth} bits")), "{done:#?}");
        assert!(folder.path().join("trailsight-out/tracks.txt").is_file());
    }
}

#[test]
fn letter_keys_work_under_layouts_without_latin_letters() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    // The key between tab and W: its own letter, a sign (Greek, Hebrew), another layout's letter where there are two.
    const KEY_Q: &str = "24";
    for layout in ["ru", "gr", "il", "ara", "th", "ru,us"] {
        screen.run("setxkbmap", &[layout]);
        let (mut child, _) = screen.open(folder.path(), &[&demo()]);
        // A key that is pressed while the window is made is lost.
        wait_until(&format!("q ends it under the layout {layout}"), 30, || {
            screen.press(KEY_Q);
            sleep(Duration::from_millis(500));
            child.try_wait().unwrap().is_some()
        });
        wait_for(child, 30).ok();
    }
    // In a Latin layout a key is what is printed on it: A here.
    screen.run("setxkbmap", &["fr"]);
    let (mut child, _) = screen.open(folder.path(), &[&demo()]);
    screen.press(KEY_Q);
    sleep(Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none());
    wait_until("q ends it under a Latin layout", 30, || {
        screen.press("q");
        sleep(Duration::from_millis(500));
        child.try_wait().unwrap().is_some()
    });
    wait_for(child, 30).ok();
}

#[test]
fn a_killed_x_server_leaves_readable_files() {
    if !has("ffmpeg") || !has("ffprobe") {
        return;
    }
    let Some(mut screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    let (child, _) = screen.open(work, &[&demo(), "--video", "v.mp4", "--tracks", "t.jsonl"]);
    let lines = || fs::read_to_string(work.join("t.partial.jsonl")).map_or(0, |text| text.lines().count());
    // A few seconds of the video, so that a part of it is sure to be on the disk.
    wait_until("some lines", 60, || lines() > 20);
    sleep(Duration::from_secs(3));
    screen.kill();
    let done = wait_for(child, 60);
    assert_ne!(done.code, Some(0), "{done:#?}");
    let lines = fs::read_to_string(work.join("t.partial.jsonl")).unwrap();
    assert!(lines.lines().count() > 5);
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    let video = work.join("v.partial.mp4");
    wait_until("a playable video", 15, || probe(&video, "nb_read_packets").parse::<u32>().unwrap_or(0) > 5);
}

#[test]
fn lines_stand_in_every_picture_also_where_detections_come_late() {
    let Some(screen) = Screen::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    fs::write(work.join("config.toml"), "[[line]]\nname = \"middle\"\npoints = [[0.5, 0.2], [0.5, 0.95]]\n")
        .unwrap();
    let (_child, window) = screen.open(work, &["watch", &demo(), "--loop"]);
    // Yellow along the middle of the picture, but for its label, and where people are in front of it.
    let stands = |shot: &RgbImage| {
        let yellow = |y: u32| {
            let near = (380..389).map(|x| shot.get_pixel(x, y).0);
            near.into_iter().any(|[red, green, blue]| red > 200 && green > 190 && blue < 140)
        };
        let rows = 130..500;
        let share = rows.clone().filter(|y| yellow(*y)).count() as f32 / rows.len() as f32;
        shot.dimensions() == (768, 576) && share > 0.7
    };
    assert!(screen.shot_when(&window, work, stands).is_some(), "there is no line");
    for _ in 0..12 {
        std::thread::sleep(std::time::Duration::from_millis(130));
        assert!(stands(&screen.shot(&window, work)), "the line is gone");
    }
}
