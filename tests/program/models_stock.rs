//! Models known by name: what is listed, and what `detector.model` makes of a name.

use std::fs;

use crate::common::web::{Shelf, noise, real_model};
use crate::common::{Done, root};

fn photo() -> String {
    root().join("tests/photos/cat.png").display().to_string()
}

fn shelf() -> Shelf {
    Shelf::new(&real_model(), &["http://127.0.0.1:9/a.onnx".to_owned()])
}

#[test]
fn the_list_tells_what_there_is() {
    let shelf = shelf();
    let list = |shelf: &Shelf| shelf.run(&["models", "list"]).ok().stdout;
    let text = list(&shelf);
    for line in [
        "yolox-nano",
        "yolox-s",
        "40.5",
        "35.9 MB",
        "Apache-2.0",
        "trailsight models pull yolox-s",
        "built in",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        text.contains("MIT, weights CC0-1.0") && text.contains("is empty") && text.contains("D-FINE"),
        "{text}"
    );
    shelf.put(&real_model());
    let text = list(&shelf);
    let row = text.lines().find(|line| line.starts_with("tiny-net")).unwrap();
    assert!(row.ends_with("here") && text.contains("holds 1 file"), "{text}");
    shelf.put(b"cut");
    assert!(list(&shelf).contains("broken (3 of "), "{}", list(&shelf));
}

#[test]
fn files_are_named_verified_and_removed() {
    let shelf = shelf();
    let models = |arguments: &[&str]| shelf.run(&[&["models"], arguments].concat());
    models(&["path", "tiny-net"]).fails(1, &["trailsight models pull tiny-net"]);
    models(&["path", "yolox-nano"]).fails(2, &["built into the program"]);
    models(&["rm", "yolox-nano"]).fails(2, &["built into the program"]);
    models(&["pull", "yolox-nano"]).ok();
    models(&["path", "tiny-nte"]).fails(2, &["did you mean \"tiny-net\"?", "trailsight models list"]);
    assert!(models(&["verify"]).ok().stdout.contains("there is no model in"));
    shelf.put(&real_model());
    assert_eq!(models(&["path", "tiny-net"]).ok().stdout.trim(), shelf.file().display().to_string());
    assert_eq!(models(&["verify"]).ok().stdout, "tiny-net: whole and unchanged\n");
    assert_eq!(models(&["verify", "yolox-nano"]).ok().stdout, "yolox-nano: built in\n");
    shelf.put(&noise(real_model().len()));
    models(&["verify"])
        .fails(1, &["tiny-net.onnx is not the model tiny-net: its SHA-256 is", "models pull tiny-net"]);
    models(&["rm", "tiny-net", "no-such"]).fails(2, &["no-such"]);
    assert!(shelf.file().exists(), "all names are looked at before one is removed");
    models(&["rm", "tiny-net"]).ok();
    assert!(!shelf.file().exists());
    models(&["rm", "tiny-net"]).fails(1, &["tiny-net is not on this machine"]);
    models(&["verify", "tiny-net"]).fails(1, &["tiny-net is not on this machine"]);
}

#[test]
fn a_name_is_a_model() {
    let shelf = shelf();
    let detect = |model: &str| {
        let model = format!("detector.model={model}");
        shelf.run(&["detect", &photo(), "--mot", "out.txt", "--confidence", "0.05", "--set", &model])
    };
    let missing = detect("tiny-net").fails(
        1,
        &["the model tiny-net is not on this machine; fetch it with `trailsight models pull tiny-net`"],
    );
    assert_eq!(missing.stderr.lines().count(), 1, "{missing:#?}");
    detect("tiny-nett")
        .fails(1, &["no file tiny-nett and no model of this name; did you mean \"tiny-net\"?"]);
    // A setting does not keep the commands from working that bring the model.
    fs::write(shelf.folder.path().join("config.toml"), "[detector]\nmodel = \"tiny-net\"\n").unwrap();
    shelf.run(&["models", "list"]).ok();
    shelf.run(&["models", "show"]).ok();
    shelf.run(&["track", "demo"]).fails(1, &["trailsight models pull tiny-net"]);
    fs::remove_file(shelf.folder.path().join("config.toml")).unwrap();

    shelf.put(&real_model());
    let by_name = detect("tiny-net").ok();
    let found = fs::read_to_string(shelf.folder.path().join("out.txt")).unwrap();
    fs::write(shelf.folder.path().join("copy.onnx"), real_model()).unwrap();
    detect("copy.onnx").ok();
    assert_eq!(found, fs::read_to_string(shelf.folder.path().join("out.txt")).unwrap(), "{by_name:#?}");

    // Large letters, and the model in the program by its name.
    detect("Tiny-Net").ok();
    detect("yolox-nano").ok();
    let named = fs::read_to_string(shelf.folder.path().join("out.txt")).unwrap();
    shelf.run(&["detect", &photo(), "--mot", "out.txt", "--confidence", "0.05"]).ok();
    assert_eq!(named, fs::read_to_string(shelf.folder.path().join("out.txt")).unwrap());

    // Its classes are checked as those of a file are.
    let classes = ["--set", "detector.model=tiny-net", "--classes", "persn"];
    shelf.run(&[&["detect", &photo()][..], &classes].concat()).fails(2, &["did you mean \"person\"?"]);
}

#[test]
fn a_file_of_that_name_is_a_file() {
    let shelf = shelf();
    shelf.put(&real_model());
    fs::write(shelf.folder.path().join("tiny-net"), "no model").unwrap();
    shelf
        .run(&["detect", &photo(), "--set", "detector.model=tiny-net"])
        .fails(1, &["tiny-net is not an ONNX model that can be read"]);
}

#[test]
fn a_changed_file_is_never_run() {
    let shelf = shelf();
    let detect = || shelf.run(&["detect", &photo(), "--set", "detector.model=tiny-net"]);
    shelf.put(&real_model()[1..]);
    detect().fails(1, &["is not the model tiny-net: it has", "`trailsight models pull tiny-net`"]);
    let mut changed = real_model();
    let at = changed.len() / 2;
    changed[at] ^= 1;
    shelf.put(&changed);
    detect().fails(1, &["is not the model tiny-net: its SHA-256 is", "`trailsight models pull tiny-net`"]);
}

#[test]
fn show_takes_names_too() {
    let shelf = shelf();
    let show = |name: &str, more: &[&str]| shelf.run(&[&["models", "show", name][..], more].concat());
    let text = show("yolox-tiny", &[]).ok().stdout;
    for line in [
        "32.8 AP at 416x416",
        "code Apache-2.0, weights Apache-2.0",
        "427cc366",
        "RiosenBeq/DALSAN",
        "github.com/Megvii",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("runs with"), "{text}");
    show("yolox-tiny", &["--check"]).fails(1, &["trailsight models pull yolox-tiny"]);
    shelf.put(&real_model());
    let text = show("tiny-net", &[]).ok().stdout;
    assert!(text.contains("99.5 AP") && text.contains("runs with   native"), "{text}");
    assert!(show("yolox-nano", &[]).ok().stdout.contains("runs with   native"));
}

#[test]
fn a_broken_table_is_told_with_its_place() {
    let shelf = shelf();
    let table = shelf.folder.path().join("table.toml");
    fs::write(&table, "[[model]]\nname = \"../x\"\n").unwrap();
    for arguments in [&["models", "list"][..], &["models", "pull", "yolox-s"], &["models", "verify"]] {
        shelf.run(arguments).fails(1, &["table.toml: [[model]] 1 (../x): name must be"]);
    }
    fs::write(&table, "[[model]\n").unwrap();
    shelf.run(&["models", "list"]).fails(1, &["table.toml: line 1"]);
    fs::remove_file(&table).unwrap();
    shelf.run(&["models", "list"]).fails(1, &["cannot read", "table.toml"]);
    // What needs no name needs no table.
    shelf.run(&["detect", &photo()]).ok();
}

/// Without HOME the system is asked where the user's folder is; in no case does it crash.
#[test]
fn without_a_home_there_is_a_cache_or_a_plain_word() {
    let shelf = shelf();
    let mut command = shelf.command();
    command.env_remove("HOME").env_remove("XDG_CACHE_HOME").args(["models", "list"]);
    let done = Done::of(&command.output().unwrap());
    match done.code {
        Some(0) => assert!(
            done.stdout.contains("The cache ") && done.stdout.contains("trailsight/models"),
            "{done:#?}"
        ),
        _ => drop(done.fails(1, &["set XDG_CACHE_HOME"])),
    }
}

#[test]
fn in_step_auto_is_the_most_accurate_that_is_here() {
    let shelf = shelf();
    let detect = || shelf.run(&["detect", &photo(), "--set", "detector.model=auto"]).ok().stderr;
    let told = detect();
    let line = "detector.model = \"auto\" is yolox-nano: of the models that are here the most accurate";
    assert_eq!(told.matches(line).count(), 1, "{told}");
    shelf.put(&real_model());
    assert!(detect().contains("\"auto\" is tiny-net"), "{}", detect());
    // What is there in part is not there.
    shelf.put(b"cut");
    assert!(detect().contains("\"auto\" is yolox-nano"));
    // Nothing was timed: results do not depend on the machine.
    assert!(!shelf.models().join(".times.json").exists());
}

#[cfg(unix)]
#[test]
fn in_time_auto_is_timed_once() {
    use crate::common::{signal, wait_for, wait_until};
    let shelf = shelf();
    shelf.put(&real_model());
    let partial = shelf.folder.path().join("t.partial.txt");
    let run = || {
        let _ = fs::remove_file(&partial);
        let arguments = ["track", "simulate:demo", "--tracks", "t.txt", "--set", "detector.model=auto"];
        let child = shelf.command().args(arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
        wait_until("the run to begin", 60, || partial.exists());
        std::thread::sleep(std::time::Duration::from_millis(300));
        signal(&child, "TERM");
        let done = wait_for(child, 10);
        assert!(
            done.stderr.contains("detector.model = \"auto\" is tiny-net: of the models that are here"),
            "{done:#?}"
        );
        assert!(done.stderr.contains("keeps up with"), "{done:#?}");
        fs::read_to_string(shelf.models().join(".times.json")).unwrap()
    };
    let times = run();
    assert!(
        times.contains("tiny-net") && !times.contains("yolox-nano"),
        "what is less accurate is not timed: {times}"
    );
    assert_eq!(run(), times, "the second time it is remembered");
}
