//! Whatever moves, without a network: tracked, detected, and left out of the clean plate.

use std::fs;

use crate::common::{demo, run_in};

const MOTION: [&str; 2] = ["--set", "detector.model=motion"];

#[test]
fn what_moves_is_tracked_and_written_as_one_class() {
    let folder = tempfile::tempdir().unwrap();
    let track = ["track", &demo(), "--end", "5", "--tracks", "t.jsonl", "-q"];
    run_in(folder.path(), &[&track[..], &MOTION].concat()).ok();
    let text = fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
    assert!(text.contains("\"moving\""), "{text}");
    assert!(!text.contains("\"person\""), "no network has looked");
    // No class of a network is known.
    let people = ["track", &demo(), "--tracks", "u.jsonl", "--set", "detector.classes=[\"person\"]"];
    run_in(folder.path(), &[&people[..], &MOTION].concat()).fails(2, &["\"person\"", "moving"]);
}

#[test]
fn the_same_is_found_however_many_threads_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let detect = |threads: &str, name: &str| {
        let threads = format!("detector.threads={threads}");
        let detect = ["detect", &demo(), "--mot", name, "-q", "--set", &threads];
        run_in(folder.path(), &[&detect[..], &MOTION].concat()).ok();
        fs::read_to_string(folder.path().join(name)).unwrap()
    };
    let one = detect("1", "one.txt");
    assert!(one.lines().count() > 50, "{one}");
    assert_eq!(one, detect("3", "three.txt"));
}

#[test]
fn the_plate_is_a_picture_as_large_as_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &["plate", &demo(), "--image", "plate.png", "--seconds", "3", "-q"]).ok();
    let plate = image::open(folder.path().join("plate.png")).unwrap();
    assert!(plate.width() > 100 && plate.height() > 100);
    run_in(folder.path(), &["plate", &demo(), "--image", "plate.jpg"]).fails(2, &["plate.jpg", ".png"]);
    run_in(folder.path(), &["plate", &demo()]).fails(2, &["--image"]);
}
