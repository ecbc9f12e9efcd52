//! `track` with several recordings: the results of single runs, going on after a kill, failures that stay alone.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use crate::common::{self, demo, names, run_in, signal, trailsight, wait_for, wait_until};

/// A folder with copies of the demo clip under these names.
fn folder_of(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(demo(), path).unwrap();
    }
    folder
}

/// Runs `track` over the first second of each.
fn track(folder: &Path, arguments: &[&str]) -> common::Done {
    run_in(folder, &[&["track", "--end", "1"], arguments].concat())
}

fn changed(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// Starts `track` over whole recordings, one after the other.
fn start(folder: &Path, sources: &[&str]) -> Child {
    trailsight()
        .current_dir(folder)
        .arg("track")
        .args(sources)
        .args(["--tracks", "out/{name}.txt", "--video", "out/{name}.avi", "--set", "detector.threads=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

#[test]
fn the_results_are_those_of_single_runs() {
    let folder = folder_of(&["a.avi", "c.avi"]);
    let path = folder.path();
    // Another recording: the drawn one.
    track(path, &["a.avi", "--video", "b.avi"]).ok();
    // And images, of which the batch must not take another folder's name.
    fs::create_dir(path.join("shots")).unwrap();
    for number in 0..3 {
        image::RgbImage::from_pixel(64, 48, image::Rgb([9, 99, 199]))
            .save(path.join(format!("shots/{number}.png")))
            .unwrap();
    }
    let kinds = ["txt", "jsonl", "json", "csv"];
    let outputs = |stem: &str| {
        let mut all: Vec<String> =
            kinds.iter().flat_map(|kind| ["--tracks".to_owned(), format!("{stem}.{kind}")]).collect();
        let pictures = ["--video", ".avi", "--gif", ".gif"];
        all.extend(
            pictures
                .map(|part| if part.starts_with('-') { part.to_owned() } else { format!("{stem}{part}") }),
        );
        all
    };
    let with = |sources: &[&str], stem: &str| {
        let outputs = outputs(stem);
        let all: Vec<&str> = sources.iter().copied().chain(outputs.iter().map(String::as_str)).collect();
        track(path, &all)
    };
    let done = with(&["a.avi", "b.avi", "shots"], "many/{name}/of-{name}").ok();
    fs::create_dir(path.join("one")).unwrap();
    for (source, name) in [("a.avi", "a"), ("b.avi", "b"), ("shots", "shots")] {
        with(&[source], &format!("one/{name}")).ok();
        for kind in kinds.iter().chain(&["avi", "gif"]) {
            let batch = fs::read(path.join(format!("many/{name}/of-{name}.{kind}"))).unwrap();
            let single = fs::read(path.join(format!("one/{name}.{kind}"))).unwrap();
            assert!(batch == single, "{name}.{kind} differs");
        }
        // A line for each, and no bars where there is no terminal.
        assert!(done.stderr.lines().any(|line| line.starts_with(&format!("{source}: "))), "{done:#?}");
    }
    let [a, b] = ["many/a/of-a.txt", "many/b/of-b.txt"].map(|file| fs::read(path.join(file)).unwrap());
    assert!(!a.is_empty() && a != b, "the recordings differ");
    assert!(done.stderr.contains("3 recordings: 3 tracked") && !done.stderr.contains('\u{1b}'), "{done:#?}");
}

#[test]
fn without_outputs_they_are_counted() {
    let folder = folder_of(&["a.avi", "b.avi"]);
    let done = track(folder.path(), &["a.avi", "b.avi"]).ok();
    assert!(done.stderr.contains("a.avi: 7 frames") && done.stderr.contains("person"), "{done:#?}");
    assert_eq!(names(folder.path()), ["a.avi", "b.avi"]);
    let done = track(folder.path(), &["-q", "a.avi", "b.avi"]).ok();
    assert_eq!(done.stderr, "");
}

#[test]
fn a_killed_batch_goes_on() {
    let folder = folder_of(&["a.avi", "b.avi", "c.avi"]);
    let sources = ["a.avi", "b.avi", "c.avi"];
    let at = |name: &str| folder.path().join("out").join(name);
    let mut child = start(folder.path(), &sources);
    wait_until("the first recording's end and the second's begin", 120, || {
        at("a.txt").exists() && at("a.avi").exists() && at("b.partial.txt").exists()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!at("b.txt").exists() && !at("c.txt").exists(), "it was killed too late");
    let before = changed(&at("a.txt"));

    let done = wait_for(start(folder.path(), &sources), 120).ok();
    assert!(done.stderr.contains("1 of 3 recordings are complete already"), "{done:#?}");
    assert!(done.stderr.contains("2 recordings: 2 tracked"), "{done:#?}");
    assert_eq!(changed(&at("a.txt")), before);
    assert_eq!(names(&folder.path().join("out")), ["a.avi", "a.txt", "b.avi", "b.txt", "c.avi", "c.txt"]);
    assert_eq!(fs::read(at("a.txt")).unwrap(), fs::read(at("b.txt")).unwrap());
}

#[test]
fn a_signal_ends_what_runs_and_leaves_the_rest() {
    let folder = folder_of(&["a.avi", "b.avi", "c.avi"]);
    let at = |name: &str| folder.path().join("out").join(name);
    let child = start(folder.path(), &["a.avi", "b.avi", "c.avi"]);
    wait_until("the second recording's rows", 120, || {
        fs::metadata(at("b.partial.txt")).is_ok_and(|file| file.len() > 2_000)
    });
    signal(&child, "INT");
    let words = ["b.avi: stopped after", "out/b.partial.txt", "1 tracked, 1 stopped half-way, 1 not begun"];
    wait_for(child, 20).fails(130, &words);
    assert_eq!(names(&folder.path().join("out")), ["a.avi", "a.txt", "b.partial.avi", "b.partial.txt"]);
}

#[test]
fn what_is_complete_is_left_out_unless_it_is_older_or_asked_for() {
    let folder = folder_of(&["a.avi", "b.avi"]);
    let line = ["a.avi", "b.avi", "--tracks", "{name}.txt", "--tracks", "{name}.csv"];
    let [a, b] = ["a.txt", "b.txt"].map(|name| folder.path().join(name));
    track(folder.path(), &line).ok();
    let first = (changed(&a), changed(&b));
    let done = track(folder.path(), &line).ok();
    assert!(done.stderr.contains("2 of 2 recordings are complete already (--overwrite"), "{done:#?}");
    assert_eq!((changed(&a), changed(&b)), first);

    // One result of two is missing.
    fs::remove_file(folder.path().join("b.csv")).unwrap();
    track(folder.path(), &line).ok();
    let second = (changed(&a), changed(&b));
    assert!(second.0 == first.0 && second.1 > first.1);

    // The recording is newer.
    let source = File::options().write(true).open(folder.path().join("a.avi")).unwrap();
    source.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    let done = track(folder.path(), &line).ok();
    assert!(done.stderr.contains("a.avi has changed since it was tracked"), "{done:#?}");
    let third = (changed(&a), changed(&b));
    assert!(third.0 > second.0 && third.1 == second.1);

    track(folder.path(), &[&line[..], &["--overwrite"]].concat()).ok();
    assert!(changed(&a) > third.0 && changed(&b) > third.1);
    // A single one is tracked whenever it is asked for.
    track(folder.path(), &["b.avi", "--tracks", "{name}.txt", "--overwrite"]).ok();
    track(folder.path(), &["b.avi", "--tracks", "{name}.txt"]).ok();
}

#[test]
fn one_that_fails_leaves_the_others_alone() {
    let folder = folder_of(&["a.avi", "c.avi"]);
    fs::write(folder.path().join("b.avi"), "dear diary\n".repeat(500)).unwrap();
    fs::write(folder.path().join("file"), "no folder").unwrap();
    let line = ["a.avi", "b.avi", "a camera", "gone.avi", "c.avi", "--tracks", "out/{name}.txt"];
    let done = track(folder.path(), &line).fails(
        1,
        &["2 tracked, 3 failed", "gone.avi: there is no such file", "a camera: there is no such file"],
    );
    let last = done.stderr.lines().last().unwrap();
    assert_eq!(last, "trailsight: failed: b.avi, a camera, gone.avi", "{done:#?}");
    assert_eq!(names(&folder.path().join("out")), ["a.txt", "c.txt"]);
    // What went wrong is told in quiet too; where no result can be written, each one fails.
    let line = ["-q", "a.avi", "c.avi", "--tracks", "file/{name}.txt"];
    track(folder.path(), &line).fails(1, &["a.avi: cannot make the folder file", "failed: a.avi, c.avi"]);
}

#[test]
fn names_that_meet_are_told_apart() {
    let folder = folder_of(&["x/clip.avi", "y/clip.avi", "clip-2.avi"]);
    let line = ["x/clip.avi", "y/clip.avi", "clip-2.avi", "x/../x/clip.avi", "--tracks", "out/{name}.txt"];
    let done = track(folder.path(), &line).ok();
    for said in ["y/clip.avi is called clip-3", "x/../x/clip.avi is named twice"] {
        assert!(done.stderr.contains(said), "{done:#?}");
    }
    assert_eq!(names(&folder.path().join("out")), ["clip-2.txt", "clip-3.txt", "clip.txt"]);
}

#[test]
fn outputs_that_cannot_be_are_refused_before_anything_is_done() {
    let folder = folder_of(&["a.avi", "b.avi", "a.partial.avi"]);
    let before = names(folder.path());
    let two = ["a.avi", "b.avi"];
    for (more, code, words) in [
        (
            &["--tracks", "out.txt"][..],
            2,
            &["cannot all be written to out.txt", "{name}", "'out-{name}.txt'"][..],
        ),
        (&["--tracks", "-"], 2, &["{name}"]),
        (&["--tracks", "{name}.txt", "--video", "v.avi"], 2, &["v.avi", "{name}"]),
        (&["--tracks", "{name}.txt", "--set", "record.path=v.avi"], 2, &["record.path", "{name}"]),
        (&["--tracks", "{name}.xml"], 2, &[".xml", ".jsonl"]),
        (&["0", "--tracks", "{name}.txt"], 2, &["camera 0 is live", "track it alone"]),
        (&["simulate:demo", "--tracks", "{name}.txt"], 2, &["is live", "track it alone"]),
        (
            &["rtsp://me:Zq7@host/a", "--tracks", "{name}.txt"],
            2,
            &["rtsp://host/a is live", "track it alone"],
        ),
        (&["--tracks", "{name}.txt", "--tracks", "{name}.partial.txt"], 2, &["both write", "a.partial.txt"]),
        // Each would destroy a recording of the list.
        (&["--video", "{name}.avi"], 1, &["a.avi: that would overwrite the input a.avi"]),
        (&["a.partial.avi", "--video", "./x/../{name}.avi"], 1, &["overwrite the input"]),
        (&["--video", "link/{name}.avi"], 1, &["overwrite the input"]),
    ] {
        #[cfg(unix)]
        if more.contains(&"link/{name}.avi") {
            std::os::unix::fs::symlink(".", folder.path().join("link")).unwrap();
        } else if more.contains(&"./x/../{name}.avi") {
            fs::create_dir(folder.path().join("x")).unwrap();
        }
        let done = track(folder.path(), &[&two[..], more].concat()).fails(code, words);
        assert!(!done.stderr.contains("Zq7"), "{done:#?}");
    }
    let after: Vec<_> =
        names(folder.path()).into_iter().filter(|name| name != "link" && name != "x").collect();
    assert_eq!(after, before);
    for name in ["a.avi", "b.avi", "a.partial.avi"] {
        assert!(
            fs::read(folder.path().join(name)).unwrap() == fs::read(demo()).unwrap(),
            "{name} has changed"
        );
    }
}

#[cfg(unix)]
#[test]
fn another_ones_recording_behind_a_link_is_safe() {
    let folder = folder_of(&["a.avi", "b.avi"]);
    fs::create_dir(folder.path().join("out")).unwrap();
    for link in [true, false] {
        let place = folder.path().join("out/a.avi");
        let _ = fs::remove_file(&place);
        if link {
            std::os::unix::fs::symlink("../b.avi", &place).unwrap();
        } else {
            fs::hard_link(folder.path().join("b.avi"), &place).unwrap();
        }
        let line = ["a.avi", "b.avi", "--video", "out/{name}.avi"];
        track(folder.path(), &line).fails(1, &["out/a.avi: that would overwrite the input b.avi"]);
    }
    assert!(fs::read(folder.path().join("b.avi")).unwrap() == fs::read(demo()).unwrap());
}

#[test]
fn a_single_one_can_name_its_results_too() {
    let folder = folder_of(&["a.b.avi"]);
    track(folder.path(), &["a.b.avi", "--tracks", "new/{name}/{name}.txt"]).ok();
    assert_eq!(names(&folder.path().join("new/a.b")), ["a.b.txt"]);
    track(folder.path(), &["demo", "--tracks", "{name}.csv"]).ok();
    assert!(folder.path().join("demo.csv").exists());
    // A folder that was only mistyped is not made.
    track(folder.path(), &["a.b.avi", "--tracks", "other/x.txt"]).fails(1, &["create it first"]);
}
