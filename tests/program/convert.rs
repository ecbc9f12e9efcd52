//! `convert` as it is typed: from the program's own tracks to every format and back, and what reads these formats.

use std::fs;
use std::path::Path;

use crate::common::{demo, root, run_in};

/// Every format that has all classes, and what a file of it is called.
const FORMATS: [(&str, &str); 13] = [
    ("mot", "to.txt"),
    ("jsonl", "to.jsonl"),
    ("csv", "to.csv"),
    ("coco", "to.json"),
    ("coco-results", "results.json"),
    ("cvat", "to.xml"),
    ("cvat-mot", "to.zip"),
    ("supervision-csv", "supervision.csv"),
    ("supervision-json", "supervision.json"),
    ("label-studio", "studio.json"),
    ("kitti", "0000.txt"),
    ("ultralytics", "labels"),
    ("visdrone", "drone.txt"),
];

/// Tracks of the beginning of the demo clip, in a folder of their own.
fn tracked() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let outputs = ["--tracks", "tracks.jsonl", "--tracks", "tracks.txt"];
    run_in(folder.path(), &[&["track", &demo(), "--end", "1.5", "-q"], outputs.as_slice()].concat()).ok();
    folder
}

/// Frame, id and corners of each box in a file of MOTChallenge.
fn boxes(path: &Path) -> Vec<(u64, i64, [f64; 4])> {
    let text = fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let numbers: Vec<f64> = line.split(',').map(|text| text.parse().unwrap()).collect();
        (numbers[0] as u64, numbers[1] as i64, [numbers[2], numbers[3], numbers[4], numbers[5]])
    };
    let mut all: Vec<_> = text.lines().map(row).collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all
}

#[test]
fn every_format_is_written_and_read_back() {
    let folder = tracked();
    let own = boxes(&folder.path().join("tracks.txt"));
    assert!(own.len() > 50);
    let size = ["--size", "640x480", "--fps", "7"];
    for (format, name) in FORMATS {
        let arguments = ["convert", "tracks.jsonl", "--to", format, name];
        let done = run_in(folder.path(), &[arguments.as_slice(), &size].concat()).ok();
        assert!(done.stderr.contains(&format!("jsonl → {format}:")), "{done:?}");
        // What has no ids cannot be a result of tracking.
        if format == "coco-results" {
            assert!(done.stderr.contains("not in coco-results:"), "{done:?}");
            continue;
        }
        let back = format!("back-{format}.txt");
        let arguments = ["convert", name, "--from", format, "--to", "mot", &back];
        run_in(folder.path(), &[arguments.as_slice(), &size].concat()).ok();
        let got = boxes(&folder.path().join(&back));
        let frames = |all: &[(u64, i64, [f64; 4])]| all.iter().map(|one| one.0).collect::<Vec<_>>();
        assert_eq!(frames(&got), frames(&own), "{format}");
        // Ids may be new numbers: boxes are compared frame by frame, from left to right.
        let sorted = |all: &[(u64, i64, [f64; 4])]| {
            let mut all: Vec<_> = all.iter().map(|one| (one.0, one.2)).collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            all
        };
        for (got, own) in sorted(&got).iter().zip(sorted(&own)) {
            let off = got.1.iter().zip(own.1).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off <= 0.03, "{format}: {got:?} for {own:?}");
        }
        let ids = |all: &[(u64, i64, [f64; 4])]| {
            all.iter().map(|one| one.1).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!(ids(&got), ids(&own), "{format}");
    }
}

#[test]
fn other_commands_read_what_convert_writes() {
    let folder = tracked();
    for (format, name) in [("cvat", "a.xml"), ("coco", "a.json"), ("csv", "a.csv")] {
        run_in(folder.path(), &["convert", "tracks.jsonl", "--to", format, name, "--size", "640x480", "-q"])
            .ok();
        let video = format!("{format}.avi");
        run_in(
            folder.path(),
            &["render", &demo(), "--end", "1.5", "--tracks", name, "--video", &video, "-q"],
        )
        .ok();
        assert!(fs::metadata(folder.path().join(&video)).unwrap().len() > 10_000, "{format}");
    }
    let detections =
        ["--detections", "found.json", "--size", "640x480", "--fps", "7", "--tracks", "again.txt"];
    run_in(folder.path(), &["convert", "tracks.jsonl", "--to", "coco-results", "found.json", "-q"]).ok();
    run_in(folder.path(), &[&["track", "-q"], detections.as_slice()].concat()).ok();
    assert!(boxes(&folder.path().join("again.txt")).len() > 50);
}

#[test]
fn what_cannot_be_converted_is_said() {
    let folder = tracked();
    fs::write(folder.path().join("broken.xml"), "<annotations><track id=\"1\"><box frame=\"x\"").unwrap();
    let run = |arguments: &[&str]| run_in(folder.path(), arguments);
    run(&["convert", "tracks.jsonl", "--to", "word", "x"]).fails(2, &["word", "label-studio"]);
    run(&["convert", "missing.txt", "--to", "csv", "x.csv"]).fails(1, &["missing.txt"]);
    run(&["convert", "broken.xml", "--to", "csv", "x.csv"]).fails(1, &["broken.xml"]);
    assert!(!folder.path().join("x.csv").exists(), "nothing is left that looks whole");
    run(&["convert", "tracks.txt", "--to", "csv", "tracks.txt"]).fails(1, &["tracks.txt"]);
    assert!(boxes(&folder.path().join("tracks.txt")).len() > 50, "the input is as it was");
}

/// What other libraries read of ours, for a person who has them: a Python with what tests/reference/formats.py names.
#[test]
fn other_libraries_read_what_convert_writes() {
    let Some(python) = std::env::var_os("TRAILSIGHT_FORMATS_PYTHON") else {
        println!("SKIPPED: TRAILSIGHT_FORMATS_PYTHON names no Python with the libraries");
        return;
    };
    let done = std::process::Command::new(python)
        .arg(root().join("tests/reference/formats.py"))
        .args(["check", env!("CARGO_BIN_EXE_trailsight")])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.matches("right: ").count() >= 16, "{said}");
}
