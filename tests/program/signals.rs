//! Ctrl-C and friends: everything ends quickly, and what was written is readable.

use std::fs;
use std::process::{Child, Stdio};

use crate::common::{self, demo, has, probe, read_mot, signal, trailsight, wait_for, wait_until};

fn start(folder: &std::path::Path, video: &str) -> Child {
    trailsight()
        .current_dir(folder)
        .args(["track", &demo(), "--video", video, "--tracks", "out.txt", "--tracks", "out.jsonl"])
        .args(["--tracks", "out.json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

fn stopped_in_the_middle(name: &str, code: i32, video: &str) {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), video);
    let partial = folder.path().join("out.partial.txt");
    wait_until("writing", 60, || fs::metadata(&partial).is_ok_and(|file| file.len() > 2_000));
    signal(&child, name);
    wait_for(child, 20).fails(code, &["out.partial.txt"]);
    let names = common::names(folder.path());
    let (stem, ending) = video.split_once('.').unwrap();
    let video = format!("{stem}.partial.{ending}");
    assert_eq!(names, [video.as_str(), "out.partial.json", "out.partial.jsonl", "out.partial.txt"]);

    let rows = read_mot(&fs::read_to_string(partial).unwrap());
    let last = rows.iter().map(|row| row.frame).max().unwrap();
    let lines = fs::read_to_string(folder.path().join("out.partial.jsonl")).unwrap();
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    let document = fs::read_to_string(folder.path().join("out.partial.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).expect("one document");
    assert_eq!(document["annotations"].as_array().map(Vec::len), Some(rows.len()));
    assert_eq!(document["images"].as_array().map(Vec::len), Some(lines.lines().count()));
    if has("ffprobe") {
        let frames: u32 = probe(&folder.path().join(&names[0]), "nb_read_packets").parse().expect("a number");
        assert!(frames.abs_diff(last) < 12, "{frames} frames in the video, {last} in the tracks");
    }
}

#[test]
fn sigint_leaves_a_readable_avi() {
    stopped_in_the_middle("INT", 130, "clip.avi");
}

#[test]
fn sigterm_leaves_a_readable_mp4() {
    if has("ffmpeg") {
        stopped_in_the_middle("TERM", 143, "clip.mp4");
    }
}

#[test]
fn a_kill_leaves_what_was_written() {
    if !has("ffmpeg") || !has("ffprobe") {
        return;
    }
    for video in ["clip.mp4", "clip.mkv", "clip.avi"] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(folder.path(), video);
        let partial = folder.path().join("out.partial.txt");
        wait_until("writing", 60, || fs::metadata(&partial).is_ok_and(|file| file.len() > 12_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let (stem, ending) = video.split_once('.').unwrap();
        let file = folder.path().join(format!("{stem}.partial.{ending}"));
        // The encoder still writes out what it has.
        let frames = || probe(&file, "nb_read_packets").parse::<u32>().unwrap_or(0);
        wait_until(&format!("a playable {video}"), 15, || frames() > 5);
        // All of it decodes, and what the encoder's end needed is there: nothing grows any more.
        wait_until("the encoder's end", 15, || {
            let before = frames();
            std::thread::sleep(std::time::Duration::from_millis(300));
            frames() == before
        });
        let decode = ["-v", "error", "-i", &file.display().to_string(), "-f", "null", "-"].map(str::to_owned);
        let told = std::process::Command::new("ffmpeg").args(decode).output().unwrap();
        assert!(told.status.success() && told.stderr.is_empty(), "{video}: {told:?}");
        // So does the document of tracks, line by line.
        let lines = fs::read_to_string(folder.path().join("out.partial.json")).unwrap();
        assert!(lines.ends_with('\n') && lines.lines().count() > 20);
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect(line);
        }
    }
}

#[test]
fn coco_results_are_a_whole_list_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let child = trailsight()
        .current_dir(folder.path())
        .args(["detect", &demo(), "--coco", "boxes.json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let partial = folder.path().join("boxes.partial.json");
    let rows = || {
        let text = fs::read_to_string(&partial).unwrap_or_default();
        serde_json::from_str::<Vec<serde_json::Value>>(&text).map_or(0, |rows| rows.len())
    };
    wait_until("thirty boxes", 60, || rows() > 30);
    signal(&child, "INT");
    wait_for(child, 20).fails(130, &[]);
    assert!(rows() > 30);
    assert!(!folder.path().join("boxes.json").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = trailsight()
        .args(["track", &demo(), "--tracks", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    wait_for(child, 60).ok();
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    // As `nohup` and a script's background job leave it.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh"]).arg(trailsight().get_program());
    command.args(["track", "simulate:demo", "--tracks", "t.jsonl"]).current_dir(folder.path());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let partial = folder.path().join("t.partial.jsonl");
    let length = || fs::metadata(&partial).map_or(0, |file| file.len());
    wait_until("writing", 60, || length() > 500);
    signal(&child, "HUP");
    signal(&child, "INT");
    let before = length();
    wait_until("more of it", 30, || length() > before + 500);
    assert!(child.try_wait().unwrap().is_none());
    signal(&child, "TERM");
    wait_for(child, 20).fails(143, &[]);
}
