//! Which rooms of `src/` may use which, and that the files of a room know each other one way: what ARCHITECTURE.md says,
//! read from the `use` lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The nouns that travel, and small helpers: every room may use them, and they use each other only.
const EVERYWHERE: [&str; 17] = [
    "atomic_file",
    "attribute",
    "bounded",
    "counts",
    "detection",
    "event",
    "frame",
    "geometry",
    "ground",
    "heat",
    "kind",
    "labels",
    "latest",
    "natural_order",
    "scene",
    "suggest",
    "sync",
];

/// Each room with the rooms that it may use besides, from the ground to the roof: only rooms that stand before it.
const ROOMS: [(&str, &[&str]); 22] = [
    ("assignment", &[]),
    ("kernels", &[]),
    ("analyse", &[]),
    ("track", &["assignment"]),
    ("metrics", &["assignment"]),
    ("enhance", &["kernels"]),
    ("attention", &["enhance", "kernels"]),
    ("background", &["enhance", "kernels"]),
    ("zoo", &[]),
    ("outbox", &[]),
    ("detect", &["background", "kernels", "zoo"]),
    ("dataset", &["metrics"]),
    ("source", &[]),
    ("view", &[]),
    ("history", &["track"]),
    ("engine", &["analyse", "attention", "background", "detect", "enhance", "track"]),
    ("tuning", &["dataset", "metrics", "track"]),
    ("sink", &["dataset", "outbox", "view"]),
    ("config", &["analyse", "detect", "enhance", "sink", "source", "track", "view", "zoo"]),
    (
        "pipeline",
        &[
            "analyse",
            "attention",
            "config",
            "detect",
            "engine",
            "enhance",
            "history",
            "sink",
            "source",
            "track",
            "view",
            "zoo",
        ],
    ),
    (
        "ui",
        &[
            "analyse", "config", "detect", "engine", "enhance", "history", "pipeline", "sink", "source",
            "track", "view",
        ],
    ),
    ("cli", &["config", "dataset", "metrics", "tuning"]),
];

/// Whoever starts the program may use everything.
const ROOF: [&str; 3] = ["commands", "main", "lib"];

/// A file of `src/` without comments and without its tests.
struct Source {
    /// Below `src/`, with slashes.
    path: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::<PathBuf>::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n");
        let path = path.strip_prefix(&root).unwrap().display().to_string().replace('\\', "/");
        Source { path, code }
    };
    let sources = found.into_iter().map(read);
    sources.filter(|source| !source.path.ends_with("tests.rs") && !source.path.contains("/tests/")).collect()
}

/// The names that follow a prefix such as `crate::`, those in braces each by itself.
fn names_behind(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        // `xsuper::` and `super::super::` are not meant.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let word =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => drop(names.insert(word(rest))),
            Some(group) => {
                let (mut depth, mut item) = (1, String::new());
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 || depth == 1 && c == ',' {
                        names.insert(word(item.trim_start()));
                        item.clear();
                    } else {
                        item.push(c);
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    names.remove("");
    names
}

/// The room of a file: the folder, or the file itself.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

#[test]
fn every_room_uses_only_the_rooms_that_it_may() {
    let rules: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let known = |name: &str| rules.contains_key(name) || EVERYWHERE.contains(&name) || ROOF.contains(&name);
    let mut faults = Vec::new();
    for source in sources() {
        let own = room(&source.path);
        if !known(own) {
            faults.push(format!("{}: the room {own} is in no rule", source.path));
        }
        for used in names_behind(&source.code, "crate::") {
            let is_room = known(&used);
            let may = used == own
                || !is_room
                || ROOF.contains(&own)
                || EVERYWHERE.contains(&used.as_str())
                || rules.get(own).is_some_and(|allowed| allowed.contains(&used.as_str()));
            if !may {
                faults.push(format!("{} uses {used}, which {own} may not", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_rules_lead_downwards() {
    for (number, (room, allowed)) in ROOMS.iter().enumerate() {
        for used in *allowed {
            assert!(
                ROOMS[..number].iter().any(|(below, _)| below == used),
                "{room} may use {used}, above it"
            );
        }
    }
}

/// For each room, which of its files and folders uses which.
fn uses(sources: &[Source]) -> BTreeMap<&str, BTreeMap<String, BTreeSet<String>>> {
    let mut uses: BTreeMap<&str, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for source in sources {
        let parts: Vec<&str> = source.path.split('/').collect();
        let [own, file, deeper @ ..] = parts.as_slice() else { continue };
        let file = file.trim_end_matches(".rs");
        if file == "mod" {
            continue;
        }
        let up = match deeper {
            [] | ["mod.rs"] => "super::",
            [_] => "super::super::",
            _ => continue,
        };
        let mut used = names_behind(&source.code, up);
        used.extend(names_behind(&source.code, &format!("crate::{own}::")));
        used.remove(file);
        uses.entry(own).or_default().entry(file.to_owned()).or_default().extend(used);
    }
    uses
}

#[test]
fn the_files_of_a_room_know_each_other_one_way() {
    let mut faults = Vec::new();
    for (room, mut files) in uses(&sources()) {
        let names: BTreeSet<String> = files.keys().cloned().collect();
        files.values_mut().for_each(|used| used.retain(|name| names.contains(name)));
        // Files that use nothing that is left go, until nothing is left, or a circle.
        loop {
            let free: Vec<String> =
                files.iter().filter(|(_, used)| used.is_empty()).map(|(name, _)| name.clone()).collect();
            if free.is_empty() {
                break;
            }
            files.retain(|name, _| !free.contains(name));
            files.values_mut().for_each(|used| used.retain(|name| !free.contains(name)));
        }
        if !files.is_empty() {
            faults.push(format!("{room}: in a circle, or above one: {files:?}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Which network runs, and how large its input is, must not flow back into what is shown.
#[test]
fn capture_and_all_that_it_uses_knows_nothing_of_the_detector() {
    let sources = sources();
    let uses = uses(&sources);
    let pipeline = &uses["pipeline"];
    let (mut reached, mut open) = (BTreeSet::new(), vec!["capture".to_owned()]);
    while let Some(file) = open.pop() {
        if let Some(used) = pipeline.get(&file)
            && reached.insert(file)
        {
            open.extend(used.iter().cloned());
        }
    }
    assert!(reached.contains("link") && reached.contains("message"), "{reached:?}");
    for file in ["detector_control", "detect_worker", "enhance_worker", "network_input", "scheduler"] {
        assert!(pipeline.contains_key(file), "there is no {file} any more");
        assert!(!reached.contains(file), "capture knows {file}, by way of one of {reached:?}");
    }
    let capture = sources.iter().find(|source| source.path == "pipeline/capture.rs").unwrap();
    assert!(names_behind(&capture.code, "crate::").is_disjoint(&BTreeSet::from(["detect".to_owned()])));
}

#[test]
fn names_are_found_behind_a_prefix() {
    let code = "use crate::a::B;\nuse crate::{c::{D, E}, f};\nlet x = crate::g::h();\n$crate::i::J";
    let found: Vec<String> = names_behind(code, "crate::").into_iter().collect();
    assert_eq!(found, ["a", "c", "f", "g"]);
    assert_eq!(names_behind("super::super::x; super::y", "super::super::").len(), 1);
}
