//! The program as a whole: alone in an empty folder, its settings, its help.

use std::fs;
use std::process::Command;

use crate::common::{self, Done, demo, empty_path, read_mot, run_in};
use trailsight::source::{AviSource, Source};

#[test]
fn the_binary_alone_in_an_empty_folder_works() {
    let (home, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let binary = home.path().join("trailsight");
    fs::copy(env!("CARGO_BIN_EXE_trailsight"), &binary).unwrap();
    // No settings, no camera, no display, no ffmpeg: the demo clip, into files.
    let output = Command::new(&binary)
        .current_dir(work.path())
        .env_clear()
        .env("PATH", empty_path(work.path()))
        .args(["demo", "--end", "3"])
        .output()
        .unwrap();
    let done = Done::of(&output).ok();
    assert!(
        done.stderr.contains("there is no display") || done.stderr.contains("without a window"),
        "{done:#?}"
    );
    assert_eq!(
        common::names(&work.path().join("trailsight-out")),
        ["snapshot.png", "tracks.txt", "video.avi"]
    );
    let rows = read_mot(&fs::read_to_string(work.path().join("trailsight-out/tracks.txt")).unwrap());
    assert!(rows.len() > 30);
    let picture = image::open(work.path().join("trailsight-out/snapshot.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (768, 576));
}

#[test]
fn no_camera_means_the_demo_clip_and_says_so() {
    if fs::exists("/dev/video0").unwrap_or(true) {
        println!("skipped: this machine has a camera");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let done = run_in(folder.path(), &["--end", "1", "-q"]).ok();
    assert!(done.stderr.contains("demo clip"), "{done:#?}");
}

#[test]
fn settings_are_shown_checked_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    run_in(work, &["config", "check"]).ok();
    run_in(work, &["config", "init"]).ok();
    let written = fs::read_to_string(work.join("config.toml")).unwrap();
    assert_eq!(written, fs::read_to_string(common::root().join("config.toml")).unwrap());
    run_in(work, &["config", "init"]).fails(1, &["config.toml exists"]);
    run_in(work, &["config", "check"]).ok();
    fs::write(work.join("config.toml"), "[trails]\nseconds = 5\n").unwrap();
    let shown = run_in(work, &["config", "show", "--confidence", "0.25"]).ok().stdout;
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("seconds").ends_with("# config.toml:2"), "{shown}");
    assert!(line("confidence").ends_with("# --confidence 0.25"), "{shown}");
    assert!(line("nms_iou").ends_with("# default"), "{shown}");
    fs::write(work.join("bad.toml"), "[trails]\nsecnds = 5\n").unwrap();
    run_in(work, &["config", "check", "bad.toml"]).fails(2, &["bad.toml:2", "trails.seconds"]);
}

#[test]
fn what_is_set_about_recording_holds_for_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--set", "record.path=last.avi", "--set", "record.raw=true"];
    let run = |more: &[&str]| run_in(folder.path(), &[&["track", &demo(), "--end", "0.5"], more].concat());
    run(&set).ok();
    assert_eq!(common::names(folder.path()), ["last.avi", "last.raw.avi"]);
    let frames = |name: &str| {
        let mut source = AviSource::open(&folder.path().join(name)).unwrap();
        std::iter::from_fn(|| source.next_frame().unwrap()).map(|frame| frame.picture).collect::<Vec<_>>()
    };
    let (drawn, raw) = (frames("last.avi"), frames("last.raw.avi"));
    assert!(drawn.len() == raw.len() && !raw.is_empty());
    let differ = drawn.last().unwrap().rgb().iter().zip(raw.last().unwrap().rgb());
    assert!(differ.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 60)).count() > 200);
    // What is typed goes before what is set.
    run(&[&set[..], &["--video", "other.avi"]].concat()).ok();
    assert_eq!(common::names(folder.path()), ["last.avi", "last.raw.avi", "other.avi", "other.raw.avi"]);
    run(&["--set", "record.path=last.gif"]).fails(2, &["the ending .gif is not known"]);
    run(&["--gif", "last.avi"]).fails(2, &["the ending .avi is not known; known are .gif"]);
    run(&["--video", "a.avi", "--tracks", "a.txt", "--tracks", "a.txt"]).fails(2, &["given twice"]);
}

#[test]
fn usage_is_taught() {
    let folder = tempfile::tempdir().unwrap();
    let help = run_in(folder.path(), &["--help"]).ok().stdout;
    for word in [
        "Examples:",
        "watch",
        "track",
        "render",
        "eval",
        "detect",
        "plate",
        "cameras",
        "config",
        "--set",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word} is missing in the help");
    }
    let version = run_in(folder.path(), &["--version"]).ok().stdout;
    assert_eq!(version.trim(), format!("trailsight {}", env!("CARGO_PKG_VERSION")));
    run_in(folder.path(), &["--nonsense"]).fails(2, &["--nonsense"]);
    run_in(folder.path(), &["track"]).fails(2, &["SOURCE"]);
    run_in(folder.path(), &["cameras"]).ok();
    run_in(folder.path(), &["track", &demo(), "--video"]).fails(2, &["--video"]);
}
