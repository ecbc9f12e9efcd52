//! `trailsight bench`: numbers that go together; never how fast this machine is.

use std::path::Path;
use std::process::Stdio;

use crate::common::{self, demo, root, run_in, signal, trailsight, wait_for};
use serde_json::Value;

/// Runs `bench` and reads what it wrote.
fn bench(folder: &Path, arguments: &[&str]) -> (Value, String) {
    let arguments = [&["bench"], arguments, &["--json", "out.json"]].concat();
    let done = run_in(folder, &arguments).ok();
    let text = std::fs::read_to_string(folder.join("out.json")).unwrap();
    (serde_json::from_str(&text).expect(&text), done.stdout)
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Asserts what must hold of any times, and gives the median.
fn sane(value: &Value, count: f64) -> f64 {
    let [median, p95, p99] = ["median_ms", "p95_ms", "p99_ms"].map(|name| number(value, name));
    assert!(0.0 < median && median <= p95 && p95 <= p99, "{value}");
    assert_eq!(number(value, "count"), count, "{value}");
    median
}

#[test]
fn every_stage_is_measured_and_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (report, table) = bench(folder.path(), &["demo", "--frames", "20"]);
    assert_eq!(common::names(folder.path()), ["out.json"]);

    let stages = report["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    let all = [
        "capture",
        "enhance",
        "letterbox",
        "inference",
        "decode",
        "motion",
        "track",
        "draw",
        "present",
        "encode",
    ];
    // Behind them come the steps of enhance that were taken.
    assert_eq!(names[..all.len()], all);
    assert!(names[all.len()..].contains(&"measure"), "{names:?}");
    let mut medians = std::collections::BTreeMap::new();
    for (place, stage) in stages.iter().enumerate() {
        let name = stage["stage"].as_str().unwrap();
        assert!(table.lines().any(|line| line.starts_with(name)), "{name} is missing in\n{table}");
        if name == "present" {
            // Tests have no display.
            assert!(stage["count"] == 0 && stage["why"].is_string() && stage.get("median_ms").is_none());
        } else if place < all.len() {
            medians.insert(name, sane(stage, 20.0));
        } else {
            // A step is not taken on every frame.
            let count = number(stage, "count");
            assert!((1.0..=20.0).contains(&count), "{stage}");
            sane(stage, count);
        }
    }
    assert!(medians["inference"] > medians["track"], "{medians:?}");

    let whole = &report["end_to_end"];
    let (frames, seconds) = (number(whole, "frames"), number(whole, "wall_s"));
    assert!((10.0..=20.0).contains(&frames));
    assert!((number(whole, "fps") * seconds / frames - 1.0).abs() < 0.02, "{whole}");
    if cfg!(target_os = "linux") {
        let cores = number(&report, "cores");
        // Processor time comes in hundredths of a second.
        let spent = number(whole, "cpu_s");
        assert!(spent > 0.0 && spent < (seconds + 0.1) * cores * 1.1 + 0.1, "{whole}");
        assert!(number(whole, "peak_mb") > 5.0);
    }

    assert!(number(&report, "load_ms") > medians["inference"]);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["input"], "480x352");
    assert_eq!(report["picture"], serde_json::json!([768, 576]));
    for name in ["processor", "runtime", "model", "source"] {
        assert!(report[name].as_str().is_some_and(|text| !text.is_empty()), "{name} in {report}");
    }
    assert!(number(&report, "threads") >= 1.0);
    assert!(report.get("network").is_none() && report.get("detector").is_none());
}

#[test]
fn parts_are_measured_alone() {
    let folder = tempfile::tempdir().unwrap();
    let picture = root().join("tests/photos/street.png").display().to_string();
    let parts = ["--network", "--layers", "--detector", "--frames", "6", "--threads", "2"];
    let small = ["--set", "detector.input=320x320"];
    let (report, table) = bench(folder.path(), &[&[picture.as_str()], &parts[..], &small].concat());
    let median = sane(&report["network"], 6.0);
    if cfg!(target_os = "linux") {
        assert!(number(&report["network"], "cpu_ms") > 0.2 * median, "{report}");
    }
    sane(&report["detector"], 6.0);
    assert_eq!(report["detector"]["workers"], 2);
    let fps = number(&report["detector"], "fps");
    assert!((fps * number(&report["detector"], "wall_ms") / 6e3 - 1.0).abs() < 0.02, "{report}");
    assert_eq!((&report["input"], &report["threads"]), (&"320x320".into(), &2.into()));
    assert!(report.get("stages").is_none() && report.get("end_to_end").is_none());
    assert!(table.contains("the network alone, 2 threads"), "{table}");
}

#[test]
fn layers_add_up_where_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for runtime in ["detector.runtime=native", "detector.runtime=tract"] {
        layers_add_up(&bench(
            folder.path(),
            &["--layers", "--frames", "3", "--threads", "1", "--set", runtime],
        ));
    }
}

fn layers_add_up((report, table): &(Value, String)) {
    let layers = report["layers"]["layers"].as_array().expect("layers");
    assert!(layers.len() > 10 && table.contains("GFLOP/s"));
    let sum = |name: &str| layers.iter().map(|layer| number(layer, name)).sum::<f64>();
    assert!((sum("share") - 1.0).abs() < 0.02, "{report}");
    assert!((sum("ms") / number(&report["layers"], "ms") - 1.0).abs() < 0.02, "{report}");
    // YOLOX-Nano has 1.08 billion operations at this size.
    assert!((0.9e9..1.4e9).contains(&sum("flops")), "{}", sum("flops"));
}

#[test]
fn json_may_go_to_standard_output_alone() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["bench", "--network", "--frames", "2", "--json", "-", "--threads", "1"];
    let done = run_in(folder.path(), &arguments).ok();
    sane(&serde_json::from_str::<Value>(&done.stdout).expect(&done.stdout)["network"], 2.0);
    assert!(common::names(folder.path()).is_empty());
}

#[test]
fn the_shortest_time_measures_something() {
    let folder = tempfile::tempdir().unwrap();
    let (report, _) = bench(folder.path(), &["--seconds", "0.000001", "--threads", "1"]);
    sane(&report["stages"][3], 1.0);
    assert_eq!(report["end_to_end"]["frames"], 1);
}

#[test]
fn wrong_usage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let bench = |arguments: &[&str]| run_in(folder.path(), &[&["bench"], arguments].concat());
    bench(&["--frames", "0"]).fails(2, &["--frames"]);
    bench(&["--seconds", "-1"]).fails(2, &["--seconds"]);
    bench(&["--threads", "many"]).fails(2, &["--threads many"]);
    bench(&["demo", "demo"]).fails(2, &["demo"]);
    bench(&["missing.mp4"]).fails(1, &["missing.mp4"]);
    bench(&["--json", "missing/out.json"]).fails(1, &["missing"]);
    let copy = folder.path().join("clip.avi");
    std::fs::copy(demo(), &copy).unwrap();
    bench(&["clip.avi", "--json", "clip.avi"]).fails(1, &["overwrite"]);
    assert_eq!(common::names(folder.path()), ["clip.avi"]);
}

#[test]
fn a_signal_ends_it_and_nothing_is_left() {
    for parts in [&[][..], &["--network"], &["--detector"]] {
        let folder = tempfile::tempdir().unwrap();
        let child = trailsight()
            .current_dir(folder.path())
            .args(["bench", "--frames", "1000000", "--json", "out.json"])
            .args(parts)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        common::wait_until("the start", 60, || !common::names(folder.path()).is_empty());
        std::thread::sleep(std::time::Duration::from_millis(700));
        signal(&child, "INT");
        let done = wait_for(child, 20).fails(130, &[]);
        assert!(done.stdout.is_empty() && done.stderr.is_empty(), "{done:#?}");
        assert!(common::names(folder.path()).is_empty(), "{parts:?}");
    }
}

#[test]
fn what_is_shown_is_scored_against_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &["track", &demo(), "--tracks", "tracks.txt", "--end", "2", "-q"]).ok();
    // What is shown in every fifth frame is what is there, but for the last one, where everything is called a cat.
    let tracks = std::fs::read_to_string(folder.path().join("tracks.txt")).unwrap();
    let frames: Vec<u64> = (0..3).map(|number| 5 * number + 1).collect();
    let mut truth =
        format!("# frames {}\n# fps 7\n", frames.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
    let (mut right, mut all) = (0, 0);
    for line in tracks.lines() {
        let columns: Vec<&str> = line.split(',').collect();
        let frame: u64 = columns[0].parse().unwrap();
        if frames.contains(&frame) {
            let class = if frame == 11 { "16" } else { columns[7] };
            right += usize::from(frame != 11);
            all += 1;
            truth += &format!("{frame},-1,{},{class},0\n", columns[2..7].join(","));
        }
    }
    assert!(right > 5 && all > right, "{tracks}");
    std::fs::create_dir(folder.path().join("truth")).unwrap();
    std::fs::write(folder.path().join("truth/demo.txt"), truth).unwrap();
    let done = run_in(folder.path(), &["bench", &demo(), "--seen", "truth/demo.txt", "-q"]).ok();
    let row: Vec<&str> = done
        .stdout
        .lines()
        .find(|line| line.starts_with("demo"))
        .expect("a row")
        .split_whitespace()
        .collect();
    let share = format!("{:.3}", right as f64 / all as f64);
    assert_eq!(row[1..5], [&*all.to_string(), &*share, &*share, &*share], "{}", done.stdout);
    assert!(done.stdout.lines().any(|line| line.starts_with("person")), "{}", done.stdout);

    let wrong = |truth: &str, says: &[&str]| {
        run_in(folder.path(), &["bench", &demo(), "--seen", truth, "-q"]).fails(1, says);
    };
    wrong("missing.txt", &["cannot read", "missing.txt"]);
    wrong("tracks.txt", &["tracks.txt", "column 9", "is it a track file?"]);
    run_in(folder.path(), &["bench", "truth", "--seen", "truth", "-q"])
        .fails(1, &["truth/demo.txt: there is no clip demo in truth"]);
}
