//! The README says what is so: its key table is the program's, and its commands run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{self, demo, ffmpeg, has, root, signal, trailsight, wait_for, wait_until};
use clap::Parser;
use trailsight::cli::Cli;
use trailsight::ui::keys;

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The lines of its shell blocks that call the program.
fn commands() -> Vec<Vec<String>> {
    let text = readme();
    let blocks = text.split("```sh\n").skip(1).filter_map(|part| part.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| line.starts_with("trailsight")).map(words).collect()
}

/// The words of a line, as a shell splits them: what stands in quotes is one.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for letter in line.chars() {
        let last = words.last_mut().unwrap();
        match letter {
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            _ if quote == Some(letter) => quote = None,
            _ if quote.is_none() && letter.is_whitespace() => {
                if !last.is_empty() {
                    words.push(String::new());
                }
            }
            _ => last.push(letter),
        }
    }
    assert_eq!(quote, None, "{line}");
    words
}

#[test]
fn the_key_table_is_the_programs_own() {
    let text = readme();
    let (_, rest) = text.split_once("<!-- keys: begin -->\n").expect("the beginning");
    let (table, rest) = rest.split_once("<!-- keys: end -->").expect("the end");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let before = text.split("<!-- keys: begin -->\n").next().unwrap();
        let new = format!("{before}<!-- keys: begin -->\n{}<!-- keys: end -->{rest}", keys::markdown());
        fs::write(root().join("README.md"), new).unwrap();
        return;
    }
    assert_eq!(table, keys::markdown());
}

#[test]
fn every_command_is_understood() {
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        Cli::try_parse_from(&command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    }
}

/// Its lines that load results do so with what the commands before have written.
fn results_can_be_loaded(folder: &Path) {
    let text = readme();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).current_dir(folder).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !output.stdout.is_empty(), "{program} {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let jq: Vec<&str> = text.lines().filter(|line| line.starts_with("jq ")).collect();
    assert!(jq.len() >= 2);
    if has("jq") && has("sh") {
        jq.iter().for_each(|line| drop(run("sh", &["-ec", line])));
    }
    let python =
        text.split("```python\n").nth(1).and_then(|part| part.split("```").next()).expect("the lines");
    let pandas = Command::new("python3").args(["-c", "import pandas"]).output();
    if !pandas.is_ok_and(|output| output.status.success()) {
        common::missing("python3 with pandas");
        return;
    }
    // Every table has the boxes of all frames, those of lost tracks in some of them only.
    let told =
        run("python3", &["-c", &format!("{python}\nprint(len(mot), len(csv), len(lines), len(coco))")]);
    let rows: Vec<usize> = told.split_whitespace().map(|count| count.parse().unwrap()).collect();
    assert!(rows.iter().all(|&count| count > 5) && rows[1] == rows[2] && rows[3] <= rows[1], "{told}");
}

/// Two recordings of one who walks by, and what a tracker said of them.
fn make_data_set(folder: &Path) {
    fs::create_dir_all(folder.join("out")).unwrap();
    for name in ["hall", "lobby"] {
        let sequence = folder.join("mydata").join(name);
        let rows = |more: &str| -> String {
            (1..=20).map(|frame| format!("{frame},1,{},50,40,90,{more}\n", 10 + 4 * frame)).collect()
        };
        for (part, text) in [("gt", rows("1,1,1")), ("det", rows("0.9"))] {
            fs::create_dir_all(sequence.join(part)).unwrap();
            fs::write(sequence.join(part).join(format!("{part}.txt")), text).unwrap();
        }
        let info = "[Sequence]\nframeRate=25\nseqLength=20\nimWidth=640\nimHeight=360\n";
        fs::write(sequence.join("seqinfo.ini"), info).unwrap();
        fs::write(folder.join("out").join(format!("{name}.txt")), rows("0.9,1")).unwrap();
    }
}

/// A camera has no end: it is ended once there are tracks.
fn runs_until_told(folder: &Path, arguments: &[String]) {
    let partial = folder.join("trailsight-out/tracks.partial.txt");
    let child = trailsight().current_dir(folder).args(arguments).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("tracks", 30, || fs::metadata(&partial).is_ok_and(|about| about.len() > 0));
    signal(&child, "TERM");
    assert_eq!(wait_for(child, 10).code, Some(143));
}

#[test]
fn every_command_runs() {
    if !has("ffmpeg") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    ffmpeg(&[
        "-i",
        &demo(),
        "-t",
        "1",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        &at("video.mp4").display().to_string(),
    ]);
    for name in ["a.mp4", "b.mp4"] {
        fs::copy(at("video.mp4"), at(name)).unwrap();
    }
    fs::create_dir(at("photos")).unwrap();
    fs::copy(root().join("tests/photos/cat.png"), at("photos/cat1.png")).unwrap();
    fs::write(at("det.txt"), "1,-1,10,10,50,100,0.9\n2,-1,12,10,50,100,0.9\n").unwrap();
    make_data_set(folder.path());
    for command in commands() {
        // There is no display, so that the window's commands work into files, once through the recording.
        let mut arguments = command[1..].to_vec();
        if arguments.is_empty() {
            arguments = vec!["--end".into(), "1".into()];
        }
        // A minute of search is more than this test needs.
        if let Some(at) = arguments.iter().position(|argument| argument == "--seconds") {
            arguments[at + 1] = "2".into();
        }
        if arguments.first().is_some_and(|source| source.starts_with("simulate:")) {
            runs_until_told(folder.path(), &arguments);
            continue;
        }
        let output = trailsight().current_dir(folder.path()).args(&arguments).output().unwrap();
        common::Done::of(&output).ok();
    }
    results_can_be_loaded(folder.path());
    assert_eq!(
        common::names(folder.path()),
        [
            "a.mp4",
            "b.mp4",
            "bench.json",
            "boxes.json",
            "clip.gif",
            "config.toml",
            "counted.mp4",
            "counts.json",
            "det.txt",
            "drawn.mp4",
            "events.jsonl",
            "heat.png",
            "moving.txt",
            "mydata",
            "out",
            "photos",
            "plate.png",
            "tracked.mp4",
            "tracks.csv",
            "tracks.json",
            "tracks.jsonl",
            "tracks.txt",
            "tracks.xml",
            "trailsight-out",
            "tuned.toml",
            "video.mp4"
        ]
    );
}
