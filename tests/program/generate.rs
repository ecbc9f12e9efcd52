//! Completion scripts load in their shells and complete; manual pages are ones that `groff` takes without a warning.

use std::fs;
use std::process::{Command, Output};

use crate::common::{Done, has, names, run_in};

/// Runs a shell in a folder where `script` is the completion script of `shell`; gives what it printed.
fn in_shell(shell: &str, arguments: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let script = run_in(folder.path(), &["completions", shell]).ok().stdout;
    fs::write(folder.path().join("script"), script).unwrap();
    if !has(shell) {
        return None;
    }
    let output = Command::new(shell).current_dir(folder.path()).args(arguments).output().unwrap();
    Some(silent(&output))
}

/// What a program printed that succeeded and had no complaint.
fn silent(output: &Output) -> String {
    let done = Done::of(output).ok();
    assert_eq!(done.stderr, "");
    done.stdout
}

#[test]
fn bash_completes() {
    let complete = "source ./script; complete -p trailsight >/dev/null
        try() { COMP_WORDS=(trailsight \"$@\") COMP_CWORD=$#
            _trailsight trailsight \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; echo \"${COMPREPLY[*]}\"; }
        try tra; try track --tr; try config in; try completions f";
    let Some(printed) = in_shell("bash", &["--norc", "-c", complete]) else { return };
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["track", "--tracks", "init", "fish"]);
}

#[test]
fn zsh_takes_the_script() {
    in_shell(
        "zsh",
        &["-f", "-c", "autoload -U compinit && compinit -u -D && source ./script && whence _trailsight"],
    )
    .into_iter()
    .for_each(|printed| assert!(printed.contains("_trailsight"), "{printed}"));
}

#[test]
fn fish_completes() {
    let Some(printed) =
        in_shell("fish", &["--no-config", "-c", "source ./script; complete -C 'trailsight track --tr'"])
    else {
        return;
    };
    assert!(printed.starts_with("--tracks\t"), "{printed}");
}

#[test]
fn manual_pages_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let program = run_in(folder.path(), &["man"]).ok().stdout;
    run_in(folder.path(), &["man", "new/man1"]).ok();
    let pages = folder.path().join("new/man1");
    assert_eq!(fs::read_to_string(pages.join("trailsight.1")).unwrap(), program);
    let written = names(&pages);
    for name in ["trailsight-track.1", "trailsight-config-check.1", "trailsight-man.1"] {
        assert!(written.iter().any(|page| page == name), "{written:?}");
    }
    if !has("groff") {
        return;
    }
    for page in written {
        let output = Command::new("groff")
            .args(["-Kutf8", "-man", "-ww", "-Tutf8", "-P-cbou"])
            .arg(pages.join(&page))
            .output()
            .unwrap();
        let text = silent(&output);
        assert!(text.contains("SYNOPSIS") && text.contains("--config"), "{page}: {text}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    run_in(folder.path(), &["man", "file/man1"]).fails(1, &["cannot write file/man1"]);
    run_in(folder.path(), &["completions", "cmd"]).fails(2, &["cmd", "bash", "zsh"]);
}
