//! Lines and zones: events and counts of boxes from a file, and what is told where something is wrong.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::common::run_in;

/// One who walks to the right past the middle of the picture at x = 320, in frame 26 or so, and stays at the right.
fn make_boxes(folder: &Path) {
    let row = |frame: i32| format!("{frame},-1,{},100,40,100,0.9\n", (40 + 10 * frame).min(500));
    fs::write(folder.join("det.txt"), (1..=80).map(row).collect::<String>()).unwrap();
}

pub(crate) const SETTINGS: &str = "\
[[line]]
name = \"middle\"
points = [[0.5, 1.0], [0.5, 0.0]]
[[zone]]
name = \"right\"
corners = [[0.6, 0.0], [1.0, 0.0], [1.0, 1.0], [0.6, 1.0]]
";

pub(crate) const TRACK: [&str; 7] = ["track", "--detections", "det.txt", "--size", "640x480", "--fps", "10"];

#[test]
fn what_boxes_from_a_file_do_is_told_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    let outputs = ["--events", "e.jsonl", "--events", "e.csv", "--counts", "c.json"];
    run_in(folder.path(), &[&TRACK[..], &outputs].concat()).ok();
    let text = fs::read_to_string(folder.path().join("e.jsonl")).unwrap();
    let events: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["cross", "enter"]);
    let cross = &events[0];
    // From the bottom to the top: right is in.
    assert_eq!((&cross["line"], &cross["direction"]), (&"middle".into(), &"in".into()), "{cross}");
    let time = cross["time"].as_f64().unwrap();
    assert!(
        (2.3..2.7).contains(&time) && (cross["point"][0].as_f64().unwrap() - 320.0).abs() < 2.0,
        "{cross}"
    );
    assert_eq!(fs::read_to_string(folder.path().join("e.csv")).unwrap().lines().count(), 3);
    let counts: Json = serde_json::from_slice(&fs::read(folder.path().join("c.json")).unwrap()).unwrap();
    assert_eq!((&counts["lines"][0]["in"], &counts["lines"][0]["out"]), (&1.into(), &0.into()), "{counts}");
    assert_eq!(counts["zones"][0]["occupancy"], 1, "{counts}");
}

#[test]
fn the_end_of_a_run_is_the_end_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    // To standard output, and without lines and zones.
    let done = run_in(folder.path(), &[&TRACK[..], &["--events", "-", "--counts", "c.json"]].concat()).ok();
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("no [[line]] and no [[zone]]"), "{done:#?}");
    let names = crate::common::names(folder.path());
    assert_eq!(names, ["c.json", "det.txt"]);
}

#[test]
fn mistakes_are_told_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    let told = |settings: &str, expected: &[&str]| {
        fs::write(folder.path().join("config.toml"), settings).unwrap();
        run_in(folder.path(), &[&TRACK[..], &["--counts", "c.json"]].concat()).fails(2, expected);
        assert!(!folder.path().join("c.json").exists());
    };
    let class = SETTINGS.replace("[[zone]]", "classes = [\"persn\"]\n[[zone]]");
    told(&class, &["line \"middle\": there is no class \"persn\"; did you mean \"person\"?"]);
    told(
        &SETTINGS.replace("[1.0, 1.0], [0.6", "[0.0, 1.0], [0.6"),
        &["config.toml:6:1", "does not cross itself"],
    );
    let bad = run_in(folder.path(), &[&TRACK[..], &["--counts", "c.txt"]].concat());
    bad.fails(2, &["config.toml"]);
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    run_in(folder.path(), &[&TRACK[..], &["--counts", "c.txt"]].concat()).fails(2, &["known are .json"]);
}
