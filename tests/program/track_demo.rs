//! The demo clip from end to end, against a track file that was looked at once and is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::common::{self, MotRow, demo, has, iou, probe, read_mot, root, run_in};

/// What other processors may round otherwise: a box on the threshold in a frame or two, a pixel here or there.
const MATCH_IOU: f32 = 0.85;
const LEAST_MATCHED: f64 = 0.97;

fn by_frame(rows: &[MotRow]) -> BTreeMap<u32, Vec<MotRow>> {
    let mut frames: BTreeMap<u32, Vec<MotRow>> = BTreeMap::new();
    for row in rows {
        frames.entry(row.frame).or_default().push(*row);
    }
    frames
}

#[test]
fn tracks_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = ["--tracks", "t.txt", "--tracks", "t.jsonl", "--tracks", "t.csv", "--video", "v.avi"];
    let done = run_in(folder.path(), &[&["track", &demo()], &outputs[..]].concat()).ok();
    assert!(done.stderr.contains(" frames in ") && done.stderr.contains("tracks: "), "{done:#?}");
    assert_eq!(common::names(folder.path()), ["t.csv", "t.jsonl", "t.txt", "v.avi"]);
    let text = fs::read_to_string(folder.path().join("t.txt")).unwrap();
    let rows = read_mot(&text);

    let golden_file = root().join("tests/golden/demo_tracks.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden_file, &text).unwrap();
    }
    let golden = read_mot(&fs::read_to_string(golden_file).unwrap());

    // Boxes match one to one, and a golden id is one of ours all along.
    let (ours, theirs) = (by_frame(&rows), by_frame(&golden));
    let (mut matched, mut pairs) = (0, BTreeMap::<(u64, u64), u32>::new());
    for (frame, expected) in &theirs {
        for row in expected {
            let found = ours
                .get(frame)
                .into_iter()
                .flatten()
                .find(|r| r.class == row.class && iou(&r.rect, &row.rect) > MATCH_IOU);
            if let Some(found) = found {
                matched += 1;
                *pairs.entry((row.id, found.id)).or_default() += 1;
            }
        }
    }
    let share = f64::from(matched) / golden.len().max(rows.len()) as f64;
    assert!(
        share > LEAST_MATCHED,
        "{matched} of {} golden and {} found boxes match",
        golden.len(),
        rows.len()
    );
    let mut kept: BTreeMap<u64, u32> = BTreeMap::new();
    for ((id, _), count) in &pairs {
        let most = kept.entry(*id).or_default();
        *most = (*most).max(*count);
    }
    let constant: u32 = kept.values().sum();
    assert!(
        f64::from(constant) > 0.95 * f64::from(matched),
        "ids changed in {} of {matched} boxes",
        matched - constant
    );

    // The other files say the same.
    let jsonl = fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
    let mut seen = Vec::new();
    for (index, line) in jsonl.lines().enumerate() {
        let frame: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = frame["time"].as_f64().unwrap();
        assert!((time - index as f64 / 7.0).abs() < 1e-3, "frame {index} at {time} s");
        let tracks = frame["tracks"].as_array().unwrap().iter();
        seen.extend(
            tracks.filter(|t| t["state"] == "seen").map(|t| (index as u32 + 1, t["id"].as_u64().unwrap())),
        );
    }
    let written: Vec<_> = rows.iter().map(|row| (row.frame, row.id)).collect();
    assert!(seen == written, "JSON Lines holds {} seen tracks, MOTChallenge {}", seen.len(), written.len());
    assert!(fs::read_to_string(folder.path().join("t.csv")).unwrap().lines().count() > rows.len());

    let frames = rows.iter().map(|row| row.frame).collect::<BTreeSet<_>>();
    assert!(frames.len() > 150, "tracks in {} frames", frames.len());
    if has("ffprobe") {
        let video = folder.path().join("v.avi");
        assert_eq!(probe(&video, "width,height,r_frame_rate,nb_read_packets"), "768\n576\n7/1\n200");
    }
}

#[test]
fn part_of_a_recording_and_another_rate() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &["track", &demo(), "--start", "2", "--end", "4", "--tracks", "a.jsonl", "-q"])
        .ok();
    let lines = fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
    let times: Vec<f64> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_f64().unwrap())
        .collect();
    assert_eq!(times.len(), 14, "{times:?}");
    assert!(times.iter().all(|time| (2.0..4.0).contains(time)), "{times:?}");

    run_in(folder.path(), &["track", &demo(), "--fps", "14", "--end", "1", "--tracks", "b.jsonl", "-q"]).ok();
    let lines = fs::read_to_string(folder.path().join("b.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 14);
}

#[test]
fn the_tracker_alone_gives_back_the_coordinates_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (1..=10).map(|frame| format!("{frame},-1,101.0,51.0,40.0,80.0,0.9,3,1\n")).collect();
    fs::write(folder.path().join("det.txt"), lines).unwrap();
    let arguments = ["track", "--detections", "det.txt", "--size", "640x480", "--fps", "10", "--tracks", "-"];
    let rows = read_mot(&run_in(folder.path(), &arguments).ok().stdout);
    assert_eq!(rows.len(), 10);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!((row.frame, row.id, row.class), (index as u32 + 1, 1, 3));
        assert!(iou(&row.rect, &[101.0, 51.0, 40.0, 80.0]) > 0.98, "{row:?}");
    }
}

#[test]
fn detections_come_as_a_table_and_as_coco_results() {
    let folder = tempfile::tempdir().unwrap();
    let photos = root().join("tests/photos").display().to_string();
    let done = run_in(folder.path(), &["detect", &photos, "--coco", "r.json", "--confidence", "0.5"]).ok();
    for (photo, class) in [("cat.png", "cat"), ("astronaut.png", "person"), ("motorcycle.png", "motorcycle")]
    {
        assert!(
            done.stdout.lines().any(|l| l.contains(photo) && l.contains(class)),
            "{photo}: {}",
            done.stdout
        );
    }
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("r.json")).unwrap()).unwrap();
    let rows = json.as_array().unwrap();
    assert!(rows.len() > 10 && rows.iter().all(|row| row["score"].as_f64().unwrap() >= 0.5));
    assert!(rows.iter().any(|row| row["category_id"] == 17), "a cat is 17 in COCO");
    run_in(folder.path(), &["detect", &photos, "missing.png", "--coco", "s.json"]).fails(1, &["missing.png"]);
    assert!(!folder.path().join("s.json").exists(), "incomplete results keep their partial name");
}

#[test]
fn recorded_boxes_give_the_tracks_of_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    // What non-maximum suppression drops is not in the file, nor are the pixels that the camera's motion is told from.
    // As published, both begin tracks at one score and show them all.
    let plain =
        ["tracker.preset=bytetrack", "tracker.suppressed_similarity=1", "enhance.camera_motion=false"];
    let plain = ["--set", plain[0], "--set", plain[1], "--set", plain[2], "--classes", "person", "-q"];
    let run = |arguments: &[&str]| run_in(folder.path(), &[arguments, &plain].concat()).ok();
    run(&["detect", &demo(), "--mot", "det.txt", "--confidence", "0.05"]);
    run(&["track", "--detections", "det.txt", "--size", "768x576", "--fps", "7", "--tracks", "boxes.txt"]);
    run(&["track", &demo(), "--tracks", "picture.txt"]);
    let rows = |name: &str| read_mot(&fs::read_to_string(folder.path().join(name)).unwrap());
    let (boxes, picture) = (rows("boxes.txt"), rows("picture.txt"));
    assert_eq!(boxes.len(), picture.len());
    assert!(boxes.len() > 1_000);
    for (a, b) in boxes.iter().zip(&picture) {
        assert_eq!((a.frame, a.id, a.class), (b.frame, b.id, b.class));
        // Files have two decimals; a thousandth of a pixel may decide who hides whom.
        assert!(a.rect.iter().zip(b.rect).all(|(a, b)| (a - b).abs() < 0.5), "{a:?} {b:?}");
    }
}
