//! `ablate`, `tune`, `eval` and `track --detections` on a small data set made here: they must agree with one another.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::common::{self, run_in, signal, trailsight, wait_for, wait_until};

const FPS: usize = 20;
const FRAMES: usize = 120;

/// Six walkers to and fro, detected with noise, hidden for half a second where they meet, and false boxes now and then.
fn write_sequence(folder: &Path, name: &str, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let (mut truth, mut detections) = (String::new(), String::new());
    let walkers: Vec<(f64, f64, f64)> = (0..6)
        .map(|i| (100.0 + 80.0 * f64::from(i), 60.0 + 25.0 * f64::from(i), 60.0 * random() + 50.0))
        .collect();
    for frame in 0..FRAMES {
        let t = frame as f64 / FPS as f64;
        for (i, (x, y, speed)) in walkers.iter().enumerate() {
            let direction = if i % 2 == 0 { 1.0 } else { -1.0 };
            let (left, top) = (x + direction * speed * t, *y);
            writeln!(truth, "{},{},{left:.1},{top:.1},36,90,1,1,1", frame + 1, i + 1).unwrap();
            let hidden = (frame + 17 * i) % 50 < 10;
            if !hidden {
                let (dx, dy, score) = (3.0 * random() - 1.5, 3.0 * random() - 1.5, 0.7 + 0.25 * random());
                writeln!(detections, "{},-1,{:.1},{:.1},36,90,{score:.3}", frame + 1, left + dx, top + dy)
                    .unwrap();
            }
        }
        if random() < 0.2 {
            let (left, top) = (600.0 * random(), 300.0 * random());
            writeln!(detections, "{},-1,{left:.1},{top:.1},40,80,0.4", frame + 1).unwrap();
        }
    }
    let sequence = folder.join(name);
    fs::create_dir_all(sequence.join("gt")).unwrap();
    fs::create_dir_all(sequence.join("det")).unwrap();
    fs::write(sequence.join("gt/gt.txt"), truth).unwrap();
    fs::write(sequence.join("det/det.txt"), detections).unwrap();
    let info = format!("[Sequence]\nframeRate={FPS}\nseqLength={FRAMES}\nimWidth=800\nimHeight=400\n");
    fs::write(sequence.join("seqinfo.ini"), info).unwrap();
}

fn data_set(sequences: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (index, name) in sequences.iter().enumerate() {
        write_sequence(&folder.path().join("data"), name, index as u64 + 1);
    }
    folder
}

/// The first number in the table's row that begins with `name`.
fn number(table: &str, name: &str) -> f64 {
    let row =
        table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in\n{table}"));
    row[name.len()..].split_whitespace().next().and_then(|cell| cell.parse().ok()).expect(row)
}

/// Tracks all sequences into files and scores them.
fn tracked_and_scored(folder: &Path, sequences: &[&str], more: &[&str], every: &str) -> f64 {
    for name in sequences {
        let (boxes, out) = (format!("data/{name}/det/det.txt"), format!("out/{name}.txt"));
        fs::create_dir_all(folder.join("out")).unwrap();
        let arguments = ["track", "--detections", &boxes, "--tracks", &out, "--every", every];
        run_in(folder, &[&arguments[..], more].concat()).ok();
    }
    let done = run_in(folder, &["eval", "--gt", "data", "--results", "out", "--every", every]).ok();
    number(&done.stdout, "COMBINED")
}

#[test]
fn ablation_says_what_tracking_and_scoring_say() {
    let sequences = ["walk-1", "walk-2"];
    let folder = data_set(&sequences);
    for every in ["1", "3"] {
        let arguments = ["ablate", "--gt", "data", "--jitter", "2", "--every", every];
        let table = run_in(folder.path(), &arguments).ok().stdout;
        let plain = tracked_and_scored(folder.path(), &sequences, &[], every);
        let sort = tracked_and_scored(folder.path(), &sequences, &["--set", "tracker.preset=sort"], every);
        // Files have two decimals, and so has the table.
        let base = number(&table, "settings in force");
        assert!((base - plain).abs() < 0.1, "{base} instead of {plain}\n{table}");
        let change = number(&table, "preset sort");
        assert!((change - (sort - plain)).abs() < 0.15, "{change} instead of {}\n{table}", sort - plain);
        assert!(number(&table, "without memory of lost tracks") < -5.0, "hidden walkers need it\n{table}");
    }
}

#[test]
fn patterns_make_columns() {
    let folder = data_set(&["walk-1", "walk-2", "run-1"]);
    let arguments = ["ablate", "--gt", "data", "--seq", "walk-*", "--seq", "run-*", "--jitter", "0"];
    let table = run_in(folder.path(), &arguments).ok().stdout;
    let head = table.lines().nth(1).unwrap();
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["walk-*", "run-*", "mean"]);
    let cells = table.lines().nth(2).unwrap()["settings in force".len()..].split_whitespace();
    let [walk, run, mean] = cells.map(|cell| cell.parse::<f64>().unwrap()).collect::<Vec<_>>()[..] else {
        panic!("three cells in\n{table}")
    };
    assert!(((walk + run) / 2.0 - mean).abs() < 0.02);
}

#[test]
fn a_search_mends_bad_settings_and_its_file_does_what_it_says() {
    let folder = data_set(&["a-1", "a-2", "a-3"]);
    let bad = ["--set", "tracker.lost_track_seconds=0.05", "--set", "tracker.match_similarity=0.6"];
    let arguments = ["tune", "--gt", "data", "--trials", "320", "--folds", "3", "--output", "better.toml"];
    let done = run_in(folder.path(), &[&arguments[..], &bad].concat()).ok();
    let line = done.stdout.lines().find(|line| line.starts_with("hota ")).expect("the outcome");
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let (before, after) = (numbers[0], numbers[1]);
    assert!(after > before + 10.0, "{}", done.stdout);
    assert!(done.stdout.contains("mean gain"), "{}", done.stdout);

    let table =
        run_in(folder.path(), &["ablate", "--gt", "data", "--jitter", "0", "--config", "better.toml"]);
    let found = number(&table.ok().stdout, "settings in force");
    assert!((found - after).abs() < 0.02, "{found} with the file, {after} said");
    let text = fs::read_to_string(folder.path().join("better.toml")).unwrap();
    assert!(text.contains("[tracker]") && text.contains("default 1.6, worth +"), "{text}");

    // The same again gives the same, and the other way round nothing is left half done.
    let arguments = ["tune", "--gt", "data", "--trials", "320", "--folds", "3", "--output", "again.toml"];
    run_in(folder.path(), &[&arguments[..], &bad].concat()).ok();
    assert_eq!(fs::read_to_string(folder.path().join("again.toml")).unwrap(), text);
    assert_eq!(common::names(folder.path()), ["again.toml", "better.toml", "data"]);
}

#[test]
fn one_sequence_cannot_tell_whether_it_holds_elsewhere() {
    let folder = data_set(&["only"]);
    let bad = ["--set", "tracker.lost_track_seconds=0.05"];
    let done = run_in(folder.path(), &[&["tune", "--gt", "data", "--trials", "32"][..], &bad].concat()).ok();
    assert!(done.stdout.contains("not checked on held-out sequences"), "{}", done.stdout);
    assert!(done.stdout.contains("warning: it was not checked whether this holds"), "{}", done.stdout);
}

/// Stops a search without end after a while, and tells how it ended.
fn stopped(folder: &Path, more: &[&str], after: f64) -> common::Done {
    let child = trailsight()
        .current_dir(folder)
        .args(["tune", "--gt", "data", "--trials", "100000000", "-q"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    wait_until("the search", 30, || folder.join("tuned.partial.toml").exists());
    std::thread::sleep(std::time::Duration::from_secs_f64(after));
    signal(&child, "INT");
    let done = wait_for(child, 20);
    assert_eq!(done.code, Some(130), "{done:#?}");
    done
}

const BAD: [&str; 4] = ["--set", "tracker.lost_track_seconds=0.05", "--set", "tracker.match_similarity=0.6"];

#[test]
fn a_stopped_search_keeps_the_best_so_far() {
    // In the search on all sequences, and in the first fold.
    for folds in ["1", "2"] {
        let folder = data_set(&["a-1", "a-2"]);
        let done = stopped(folder.path(), &[&["--folds", folds][..], &BAD].concat(), 2.0);
        assert!(
            done.stdout.contains("was not measured") && done.stdout.contains("wrote tuned.toml"),
            "{done:#?}"
        );
        let score = |more: &[&str]| {
            let arguments = [&["ablate", "--gt", "data", "--jitter", "0"][..], more].concat();
            number(&run_in(folder.path(), &arguments).ok().stdout, "settings in force")
        };
        let (found, before) = (score(&["--config", "tuned.toml"]), score(&BAD));
        assert!(found > before + 5.0, "{found} after {before}, {folds} folds");
        assert_eq!(common::names(folder.path()), ["data", "tuned.toml"]);
    }
}

#[test]
fn what_is_tuned_from_a_preset_is_in_force_when_it_is_read() {
    let folder = data_set(&["a-1", "a-2"]);
    let preset = ["--set", "tracker.preset=bytetrack", "--classes", "person"];
    let arguments = ["tune", "--gt", "data", "--trials", "64", "--folds", "1"];
    let done = run_in(folder.path(), &[&arguments[..], &preset].concat()).ok();
    let line = done.stdout.lines().find(|line| line.starts_with("hota ")).expect("the outcome");
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let arguments = ["ablate", "--gt", "data", "--jitter", "0", "--config", "tuned.toml"];
    let table = run_in(folder.path(), &arguments).ok().stdout;
    assert!((number(&table, "settings in force") - numbers[1]).abs() < 0.02, "{}\n{table}", done.stdout);
    let shown = run_in(folder.path(), &["config", "show", "--config", "tuned.toml"]).ok().stdout;
    assert!(shown.contains("classes = [\"person\"]"), "what else was in force is there too: {shown}");
}

#[test]
fn nothing_that_somebody_made_is_replaced() {
    let folder = data_set(&["a-1", "a-2"]);
    let tune = |output: &str| {
        run_in(folder.path(), &["tune", "--gt", "data", "--trials", "8", "--folds", "1", "--output", output])
    };
    let config = folder.path().join("config.toml");
    fs::write(&config, "[trails]\nseconds = 9.0\n").unwrap();
    tune("config.toml").fails(1, &["config.toml exists", "name another file"]);
    assert_eq!(fs::read_to_string(&config).unwrap(), "[trails]\nseconds = 9.0\n");
    for input in ["gt/gt.txt", "det/det.txt", "seqinfo.ini"] {
        let path = format!("data/a-2/{input}");
        let before = fs::read(folder.path().join(&path)).unwrap();
        tune(&path).fails(1, &[&path]);
        assert_eq!(fs::read(folder.path().join(&path)).unwrap(), before);
    }
    tune("-").fails(2, &["a file of their own"]);
    tune("mine.toml").ok();
    tune("mine.toml").ok();
}

#[test]
fn only_the_wanted_classes_are_tracked() {
    let folder = data_set(&["a-1"]);
    // Every box twice: as a person, and moved aside as a car.
    let path = folder.path().join("data/a-1/det/det.txt");
    let text: String = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let left = cells[2].parse::<f64>().unwrap() + 200.0;
            let aside = format!("{},-1,{left},{}", cells[0], cells[3..].join(","));
            format!("{line},1\n{aside},3\n")
        })
        .collect();
    fs::write(path, text).unwrap();
    let score = |more: &[&str]| {
        let arguments = [&["ablate", "--gt", "data", "--jitter", "0"][..], more].concat();
        number(&run_in(folder.path(), &arguments).ok().stdout, "settings in force")
    };
    assert!(score(&["--classes", "person"]) > score(&[]) + 5.0);
}

#[test]
fn truth_of_any_format_and_origin_gives_the_same_score() {
    let folder = data_set(&["a-1"]);
    let gt = |name: &str| format!("data/a-1/gt/{name}");
    let score = |more: &[&str]| {
        let arguments = [&["ablate", "--gt", "data", "--jitter", "0", "-q"][..], more].concat();
        number(&run_in(folder.path(), &arguments).ok().stdout, "settings in force")
    };
    let plain = score(&[]);
    let convert = |to: &str, more: &[&str]| {
        let arguments = ["convert", "text.txt", "--size", "800x400", "-q", "--to"];
        run_in(folder.path(), &[&arguments[..], more, &[to][..]].concat()).ok();
    };
    fs::rename(folder.path().join(gt("gt.txt")), folder.path().join("text.txt")).unwrap();
    for (form, ending) in [("cvat-mot", "zip"), ("cvat", "xml"), ("jsonl", "jsonl")] {
        let name = gt(&format!("gt.{ending}"));
        convert(&name, &[form]);
        assert!((score(&[]) - plain).abs() < 0.005, "{form}");
        assert!((score(&["--class", "person"]) - plain).abs() < 0.005, "{form}");
        run_in(folder.path(), &["ablate", "--gt", "data", "--class", "wolf"])
            .fails(1, &["class wolf: there is no such class; the classes are person"]);
        // It is an input too.
        run_in(folder.path(), &["tune", "--gt", "data", "--output", &name]).fails(1, &[&name]);
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    convert(&gt("gt.txt"), &["mot", "--to-pixels-from", "0"]);
    assert!((score(&["--pixels-from", "0"]) - plain).abs() < 0.005);
    assert!((score(&[]) - plain).abs() > 0.01, "a pixel is seen");
}

#[test]
fn what_is_missing_is_told() {
    let folder = data_set(&["a-1"]);
    let run = |arguments: &[&str]| run_in(folder.path(), arguments);
    for command in ["ablate", "tune"] {
        run(&[command, "--gt", "nowhere"]).fails(1, &["cannot read nowhere"]);
        run(&[command, "--gt", "data", "--seq", "b*"])
            .fails(1, &["no sequence matches --seq b*; there are a-1"]);
        run(&[command, "--gt", "data", "--seq", "["]).fails(2, &["--seq ["]);
        run(&[command, "--gt", "data", "--detections", "det/other.txt"])
            .fails(1, &["data/a-1/det/other.txt", "No such file"]);
    }
    run(&["tune", "--gt", "data", "--output", "data"]).fails(1, &["it is a folder"]);
    run(&["ablate", "--gt", "data", "--seq", "a*", "--seq", "a-1"])
        .fails(2, &["an earlier pattern contains all its sequences"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    run(&["ablate", "--gt", "empty"]).fails(1, &["expected empty/SEQUENCE/gt/gt.txt"]);
    fs::write(folder.path().join("data/a-1/seqinfo.ini"), "[Sequence]\nseqLength=120\n").unwrap();
    run(&["ablate", "--gt", "data"]).fails(1, &["a-1: seqinfo.ini must say", "frameRate"]);
    let arguments = ["track", "--detections", "data/a-1/det/det.txt", "--tracks", "-"];
    run(&arguments).fails(2, &["--size WIDTHxHEIGHT, or a seqinfo.ini"]);
    assert_eq!(common::names(folder.path()), ["data", "empty"], "nothing half done is left");
}
