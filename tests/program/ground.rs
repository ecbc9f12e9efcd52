//! Places and speeds on the ground, and the heat map, of boxes from a file.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::common::run_in;

/// One who goes to the right by ten pixels a frame, at ten frames a second, and leaves the picture. The file counts pixels from
/// 1: the feet are at y = 199.
fn make_boxes(folder: &Path) {
    let row = |frame: i32| format!("{frame},-1,{},100,40,100,0.9\n", 10 * frame);
    fs::write(folder.join("det.txt"), (1..=70).map(row).collect::<String>()).unwrap();
}

/// Seen from straight above, twenty pixels a metre: five metres a second. Y points east.
const SETTINGS: &str = "\
[ground]
points = [
  { at = [0, 0], metres = [0, 24] }, { at = [1, 0], metres = [32, 24] },
  { at = [1, 1], metres = [32, 0] }, { at = [0, 1], metres = [0, 0] },
]
origin = [48.0, 11.0]
bearing = 90
";

const TRACK: [&str; 7] = ["track", "--detections", "det.txt", "--size", "640x480", "--fps", "10"];

#[test]
fn tracks_have_places_and_speeds_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    let outputs = ["--tracks", "t.jsonl", "--tracks", "t.csv", "--tracks", "t.geojson"];
    run_in(folder.path(), &[&TRACK[..], &outputs].concat()).ok();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();

    let lines: Vec<Json> = text("t.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |frame: usize| &lines[frame - 1]["tracks"][0]["attributes"];
    let number = |frame: usize, name: &str| of(frame)[name].as_f64().unwrap();
    assert!(
        (number(30, "x_m") - 15.95).abs() < 0.01 && (number(30, "y_m") - 14.05).abs() < 0.01,
        "{}",
        of(30)
    );
    assert!((number(30, "speed_m_per_s") - 5.0).abs() < 0.01, "{}", of(30));
    assert!((number(30, "heading_deg") - 90.0).abs() < 0.1 && number(30, "speed_error_m_per_s") < 0.1);
    assert!(of(3).get("speed_m_per_s").is_none(), "the first moments: {}", of(3));
    // The right edge cuts the box from frame 60 on.
    assert!(lines[61]["tracks"][0]["id"].is_u64(), "{}", lines[61]);
    assert!(of(62).is_null(), "{}", lines[61]);

    let csv = text("t.csv");
    let mut csv = csv.lines();
    assert!(csv.next().unwrap().ends_with(",state,x_m,y_m,speed_m_per_s,speed_error_m_per_s,heading_deg"));
    assert!(
        csv.clone().any(|line| line.starts_with("30,") && line.contains(",seen,15.95,14.05,5.0,")),
        "{csv:?}"
    );

    let earth: Json = serde_json::from_str(&text("t.geojson")).unwrap();
    let way = &earth["features"][0];
    assert_eq!(
        (&way["geometry"]["type"], &way["properties"]["unit"]),
        (&"LineString".into(), &"degrees".into())
    );
    // X points south where Y points east.
    let ends: Vec<f64> = [0, 50].map(|at| way["geometry"]["coordinates"][at][1].as_f64().unwrap()).to_vec();
    assert!(ends[0] < 48.0 && ends[1] < ends[0] - 0.0002, "{ends:?}");
}

#[test]
fn the_heat_map_is_written_as_picture_and_numbers() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    let outputs = ["--heat", "h.json", "--heat", "h.csv", "--heat", "h.png", "--tracks", "t.txt"];
    run_in(folder.path(), &[&TRACK[..], &outputs].concat()).ok();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let heat: Json = serde_json::from_slice(&read("h.json")).unwrap();
    let seen = String::from_utf8(read("t.txt")).unwrap().lines().count();
    // A tenth of a second from each frame in which it is seen to the next.
    let total = heat["total_seconds"].as_f64().unwrap();
    assert!((total - 0.1 * (seen as f64 - 1.0)).abs() < 0.11, "{total} s in {seen} frames");
    // Its way is the row of its feet, and a cell of 4 px is 0.04 m².
    let row: Vec<f64> = heat["seconds"][49].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    assert!((row.iter().sum::<f64>() - total).abs() < 0.1, "{row:?}");
    let (a, by_area) = (row[60], heat["seconds_per_square_metre"][49][60].as_f64().unwrap());
    assert!(a > 0.0 && (by_area - a / 0.04).abs() < 0.05, "{a} s, {by_area} s/m²");
    assert!(String::from_utf8(read("h.csv")).unwrap().lines().count() > 100);
    let png = image::load_from_memory(&read("h.png")).unwrap().to_rgb8();
    assert_eq!(png.dimensions(), (640, 480));
    assert!(png.get_pixel(300, 198).0[0] > 2 * png.get_pixel(300, 320).0[0]);
}

#[test]
fn a_ground_that_cannot_be_is_told_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    fs::write(folder.path().join("config.toml"), SETTINGS.replace("metres = [32, 0]", "metres = [0, 24]"))
        .unwrap();
    run_in(folder.path(), &[&TRACK[..], &["--tracks", "t.txt"]].concat())
        .fails(2, &["config.toml:1:", "ground: "]);
    assert!(!folder.path().join("t.txt").exists());
}
