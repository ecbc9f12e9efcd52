//! The layers while the program runs: what wins, what is refused, what is written back.

use proptest::prelude::*;

use super::*;
use crate::config::{Given, default_file};

impl Live {
    /// Takes the file in as a watcher would give it.
    fn reload(&mut self) -> Reload {
        self.take(Reading::of(&self.path))
    }
}

struct Scene {
    folder: tempfile::TempDir,
    live: Live,
}

impl Scene {
    fn new(text: &str, given: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, text).unwrap();
        let typed = |key: &str, value: &str| format!("--set {key}={value}");
        let given: Vec<Given> = given
            .iter()
            .map(|(k, v)| Given { key: (*k).into(), value: (*v).into(), typed: typed(k, v) })
            .collect();
        let live = Live::new(Loaded::load(Some(&path), &given).unwrap());
        Self { folder, live }
    }

    fn save(&mut self, text: &str) -> Reload {
        std::fs::write(self.live.path(), text).unwrap();
        self.live.reload()
    }

    fn set(&mut self, path: &str, value: &str) {
        self.live.set(path, &value.parse().unwrap()).unwrap();
    }

    fn value(&self, path: &str) -> String {
        crate::config::parameter(path).unwrap().get(self.live.settings()).to_string()
    }

    fn origin(&self, path: &str) -> String {
        let origin = self.live.origin(crate::config::parameter(path).unwrap()).to_string();
        origin.replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.live.path()).unwrap()
    }
}

fn keys(reload: Reload) -> Vec<&'static str> {
    match reload {
        Reload::Changed(changes) => changes.keys,
        Reload::Same | Reload::Mended => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_change_wins_and_nothing_else_moves() {
    let mut scene = Scene::new("[detector]\nconfidence = 0.5\nnms_iou = 0.6\n", &[("trails.seconds", "2")]);
    scene.set("detector.confidence", "0.7");
    scene.set("detector.nms_iou", "0.4");
    assert_eq!(scene.origin("detector.confidence"), "panel");
    assert_eq!(scene.live.changed(), ["detector.confidence", "detector.nms_iou"]);
    // A save that changes one key leaves the panel's other one, and what is written otherwise but the same.
    let reload = scene.save("# new\n[detector]\nnms_iou = 0.600\nconfidence = 0.55\n");
    assert_eq!(keys(reload), ["detector.confidence"]);
    assert_eq!(
        (scene.value("detector.confidence"), scene.value("detector.nms_iou")),
        ("0.55".into(), "0.4".into())
    );
    assert_eq!(scene.origin("detector.confidence"), "c.toml:4");
    assert_eq!(scene.live.changed(), ["detector.nms_iou"]);
    // The command line gives way to an edit too.
    assert_eq!(scene.origin("trails.seconds"), "--set trails.seconds=2");
    assert_eq!(
        keys(scene.save("[trails]\nseconds = 5\n[detector]\nnms_iou = 0.6\n")),
        ["detector.confidence", "trails.seconds"]
    );
    assert_eq!(
        (scene.value("trails.seconds"), scene.value("detector.confidence")),
        ("5.0".into(), "0.25".into())
    );
    scene.live.reset("detector.nms_iou").unwrap();
    assert_eq!(scene.value("detector.nms_iou"), "0.6");
    assert!(scene.live.changed().is_empty());
}

#[test]
fn a_value_set_back_is_no_change() {
    let mut scene = Scene::new("[detector]\nconfidence = 0.5\n", &[]);
    scene.set("detector.confidence", "0.7");
    scene.set("detector.confidence", "0.5");
    assert!(scene.live.changed().is_empty());
    assert_eq!(scene.origin("detector.confidence"), "c.toml:2");
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut scene = Scene::new("", &[]);
    let before = scene.live.settings().clone();
    for (path, value, problem) in [
        ("detector.confidence", "1.5", "detector.confidence cannot be 1.5: allowed is a number from 0 to 1"),
        ("detector.confidnce", "0.5", "did you mean \"detector.confidence\"?"),
        ("tracker.low_score", "0.9", "allowed is at most tracker.high_score"),
        ("detector.classes", "[\"persn\"]", "did you mean \"person\"?"),
        ("source.fps", "5", "source.fps cannot change while the source is open"),
    ] {
        let error = scene.live.set(path, &value.parse().unwrap()).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    assert_eq!(scene.live.settings(), &before);
    assert!(scene.live.changed().is_empty());
}

#[test]
fn a_mistake_keeps_the_last_good_settings_until_it_is_mended() {
    let good = "[detector]\nconfidence = 0.5\n";
    for (wrong, told) in [
        ("[detector\nconfidence = 0.5\n", "c.toml:1:"),
        ("[detector]\nconfidence = 0.3\nconfidnce = 0.5\n", "c.toml:3:1: there is no setting"),
        ("[detector]\n\nconfidence = 5\n", "c.toml:3:1: detector.confidence cannot be 5"),
        (
            "[detector]\nconfidence = 0.3\nclasses = [\"persn\"]\n",
            "c.toml:3:1: detector.classes: there is no class \"persn\"; did",
        ),
        ("[tracker]\nlow_score = 0.9\n", "c.toml:2:1: tracker.low_score cannot be 0.9"),
    ] {
        let mut scene = Scene::new(good, &[]);
        assert!(matches!(scene.save(wrong), Reload::Wrong(_)), "{wrong}");
        let problem = scene.live.problem().unwrap_or_default();
        assert!(problem.contains(told), "{problem}");
        assert_eq!(scene.value("detector.confidence"), "0.5");
        assert!(matches!(scene.live.reload(), Reload::Same));
        assert!(matches!(scene.save(good), Reload::Mended));
        assert_eq!(scene.live.problem(), None);
        assert!(matches!(scene.save(wrong), Reload::Wrong(_)));
        assert_eq!(keys(scene.save("[detector]\nconfidence = 0.4\n")), ["detector.confidence"]);
        assert_eq!(scene.live.problem(), None);
    }
}

#[test]
fn what_did_not_go_with_the_panel_is_taken_once_it_does() {
    let mut scene = Scene::new("", &[]);
    scene.set("tracker.low_score", "0.5");
    assert!(matches!(scene.save("[tracker]\nhigh_score = 0.4\n"), Reload::Wrong(_)));
    scene.live.reset("tracker.low_score").unwrap();
    assert_eq!(scene.value("tracker.high_score"), "0.4");
    assert_eq!(scene.live.problem(), None);
}

#[test]
fn the_source_is_named_as_what_waits() {
    let mut scene = Scene::new("", &[]);
    let Reload::Changed(changes) = scene.save("[source]\nfps = 5\n[trails]\nseconds = 1\n") else { panic!() };
    assert_eq!(changes.later, ["source.fps"]);
    assert_eq!(changes.to_string(), "trails.seconds; at the next start: source.fps");
}

#[test]
fn a_file_that_is_gone_leaves_its_settings() {
    let mut scene = Scene::new("[detector]\nconfidence = 0.5\n", &[]);
    std::fs::remove_file(scene.live.path()).unwrap();
    assert!(matches!(scene.live.reload(), Reload::Gone));
    assert!(matches!(scene.live.reload(), Reload::Same));
    assert!(scene.live.problem().unwrap().ends_with("is gone: its last settings stay in force"));
    assert_eq!(scene.value("detector.confidence"), "0.5");
    assert!(matches!(scene.save("[detector]\nconfidence = 0.5\n"), Reload::Mended));
    // Writing back brings it back whole.
    std::fs::remove_file(scene.live.path()).unwrap();
    scene.set("trails.seconds", "1.0");
    scene.live.write_back().unwrap();
    assert_eq!(scene.text(), "[detector]\nconfidence = 0.5\n\n[trails]\nseconds = 1.0\n");
    assert_eq!(scene.live.problem(), None);
}

#[test]
fn presets_go_before_the_file_and_beneath_the_panel() {
    let mut scene = Scene::new("[tracker]\nreach = 0.4\n", &[("tracker.max_buffer", "0.1")]);
    scene.set("tracker.preset", "\"sort\"");
    scene.set("tracker.smoothing", "0.25");
    let values = ["tracker.buffer", "tracker.max_buffer", "tracker.smoothing", "detector.confidence"];
    assert_eq!(values.map(|path| scene.value(path)), ["0.0", "0.1", "0.25", "0.5"]);
    assert_eq!(scene.origin("tracker.buffer"), "panel");
    let Reload::Changed(changes) = scene.save("[tracker]\nreach = 0.9\n") else { panic!() };
    assert_eq!((changes.keys.len(), changes.without_effect), (0, vec!["tracker.buffer"]));
    // Beside a preset, single values of the tracker are of no use in the file: they stay with the panel.
    let saved = scene.live.write_back().unwrap();
    assert_eq!((saved.keys, saved.left_out), (vec!["tracker.preset"], vec!["tracker.smoothing"]));
    assert_eq!(scene.text(), "[tracker]\nreach = 0.9\npreset = \"sort\"\n");
    assert_eq!(values.map(|path| scene.value(path)), ["0.0", "0.1", "0.25", "0.5"]);
    assert!(keys(scene.save("[tracker]\nreach = 0.9\n")).contains(&"tracker.buffer"));
    assert_eq!(values.map(|path| scene.value(path)), ["0.9", "0.1", "0.25", "0.25"]);
}

#[test]
fn writing_back_touches_only_its_own_values() {
    let mut scene = Scene::new(&default_file(), &[("detector.nms_iou", "0.3")]);
    scene.set("detector.confidence", "0.4");
    scene.set("detector.nms_iou", "0.55");
    scene.set("detector.classes", "[\"person\", \"car\"]");
    scene.set("overlay.scale", "1.5");
    scene.set("trails.seconds", "12.5");
    let saved = scene.live.write_back().unwrap();
    assert_eq!(saved.keys.len(), 5);
    let expected = default_file()
        .replace("\nconfidence = 0.25         #", "\nconfidence = 0.4          #")
        .replace("\nnms_iou = 0.5             #", "\nnms_iou = 0.55            #")
        .replacen("\nclasses = []              #", "\nclasses = [\"person\", \"car\"] #", 1)
        .replace("[overlay]\nscale = \"auto\"            #", "[overlay]\nscale = 1.5               #")
        .replace("\nseconds = 3.0             #", "\nseconds = 12.5            #");
    assert_eq!(scene.text(), expected);
    assert!(scene.live.changed().is_empty());
    assert!(scene.origin("detector.nms_iou").starts_with("c.toml:"));
    assert_eq!(scene.value("detector.nms_iou"), "0.55");
    assert!(matches!(scene.live.reload(), Reload::Same));
    // And back again: the very same file.
    for (path, value) in [
        ("detector.confidence", "0.25"),
        ("detector.nms_iou", "0.5"),
        ("overlay.scale", "\"auto\""),
        ("trails.seconds", "3.0"),
    ] {
        scene.set(path, value);
    }
    scene.live.write_back().unwrap();
    assert_eq!(
        scene.text(),
        default_file().replacen("\nclasses = []              #", "\nclasses = [\"person\", \"car\"] #", 1)
    );
}

#[test]
fn an_old_name_in_the_file_is_kept_when_its_value_is_written() {
    let mut scene = Scene::new("[tracker]\nmemory_seconds = 3 # mine\n", &[]);
    assert_eq!(
        (scene.value("tracker.lost_track_seconds"), scene.origin("tracker.lost_track_seconds")),
        ("3.0".into(), "c.toml:2".into())
    );
    scene.set("tracker.lost_track_seconds", "5");
    scene.live.write_back().unwrap();
    assert_eq!(scene.text(), "[tracker]\nmemory_seconds = 5.0 # mine\n");
    assert_eq!(keys(scene.save("[tracker]\nmemory_seconds = 4\n")), ["tracker.lost_track_seconds"]);
    assert!(keys(scene.save("[tracker]\nlost_track_seconds = 4.0\n")).is_empty(), "it says the same");
}

const LIST: &str = "\
# Mine.
[[mask]] # the first
name = \"street\" # busy
points = [[0, 0], [1, 0], [1, 0.5]]   # to be measured
enabled = true    # for now

# The door.
[[mask]]
name = \"door\"
points = [[0, 0], [0, 1], [0.5, 0.5]]

# Last.
[trails]
seconds = 2 # short
";

#[test]
fn lists_are_reloaded_and_written_back_without_losing_a_comment() {
    let mut scene = Scene::new(LIST, &[]);
    scene.set("mask.street.enabled", "false");
    assert_eq!(scene.live.changed(), ["mask"]);
    assert_eq!(scene.live.write_back().unwrap().keys, ["mask"]);
    let expected = LIST.replace("enabled = true    # for now", "enabled = false   # for now");
    assert_eq!(scene.text(), expected);
    // A key that was not there.
    scene.set("mask.2.enabled", "false");
    scene.live.write_back().unwrap();
    let expected = expected.replace("[0.5, 0.5]]\n", "[0.5, 0.5]]\nenabled = false\n");
    assert_eq!(scene.text(), expected);
    // Back to the default, where the file says something else.
    scene.set("mask.street.enabled", "true");
    scene.live.write_back().unwrap();
    assert_eq!(scene.text(), expected.replace("enabled = false   # for now", "enabled = true    # for now"));
    // An edit of the file is taken in, and what says the same is no change.
    assert_eq!(keys(scene.save(&LIST.replace("[0.5, 0.5]]", "[0.25, 0.5]]"))), ["mask"]);
    assert_eq!(scene.live.settings().enhance.named_masks[1].points.corners()[2], (0.25, 0.5));
    let Reload::Wrong(error) = scene.save(&LIST.replace("[0.5, 0.5]]", "[0.5]]")) else { panic!() };
    assert!(error.to_string().contains("c.toml:10:1: mask.2: points cannot be"), "{error}");
    assert_eq!(scene.live.settings().enhance.named_masks.len(), 2);
    let inline = "mask = [{ name = \"a\", points = [[0, 0], [1, 0], [1, 1]] }] # all\n";
    assert_eq!(keys(scene.save(inline)), ["trails.seconds", "mask"]);
    scene.set("mask.a.enabled", "false");
    scene.live.write_back().unwrap();
    assert!(
        scene.text().ends_with("] # all\n") && scene.text().contains("enabled = false"),
        "{}",
        scene.text()
    );
}

#[test]
fn tables_are_added_to_a_list_and_taken_out() {
    let mut scene = Scene::new(LIST, &[]);
    let third = "{ name = \"yard\", points = [[0, 0], [1, 1], [0, 1]] }";
    let [street, door] = [
        "{ name = \"street\", points = [[0, 0], [1, 0], [1, 0.5]] }",
        "{ name = \"door\", points = [[0, 0], [0, 1], [0.5, 0.5]] }",
    ];
    scene.set("mask", &format!("[{street}, {door}, {third}]"));
    scene.live.write_back().unwrap();
    let added = "\n[[mask]]\nname = \"yard\"\npoints = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n";
    assert_eq!(scene.text(), LIST.replace("\n# Last.", &format!("{added}\n# Last.")));
    scene.set("mask", &format!("[{door}]"));
    scene.live.write_back().unwrap();
    let text = scene.text();
    assert!(text.contains("# The door.\n[[mask]]\nname = \"door\"") && !text.contains("street"), "{text}");
    assert!(text.ends_with("# Last.\n[trails]\nseconds = 2 # short\n"), "{text}");
    scene.set("mask", "[]");
    scene.live.write_back().unwrap();
    assert!(!scene.text().contains("mask"), "{}", scene.text());
    // Where there was none.
    let mut scene = Scene::new("[trails]\nseconds = 2\n", &[]);
    scene.set("region", &format!("[{third}]"));
    scene.live.write_back().unwrap();
    assert_eq!(scene.text(), format!("[trails]\nseconds = 2\n{}", added.replace("mask", "region")));
}

#[test]
fn a_ground_is_reloaded_and_left_alone_when_other_values_are_written() {
    let ground = "# measured by hand\n[ground] # of the gate\npoints = [ # clockwise\n  { at = [0.1, 0.5], metres = [0, 20] }, \
                  { at = [0.9, 0.5], metres = [7, 20] },\n  { at = [1, 0.9], metres = [7, 0] }, { at = [0, 0.9], metres = [0, 0] },\n]\n";
    let text = format!("[trails]\nseconds = 2.0\n{ground}");
    let mut bench = Scene::new(&text, &[]);
    bench.set("trails.seconds", "4.0");
    bench.live.write_back().unwrap();
    assert_eq!(bench.text(), text.replace("seconds = 2.0", "seconds = 4.0"));
    let moved = bench.text().replace("[7, 20]", "[8, 20]");
    assert_eq!(keys(bench.save(&moved)), ["ground"]);
    assert_eq!(bench.live.settings().ground.planes[0].points[1].metres, (8.0, 20.0));
    // What cannot be changes nothing.
    let reload = bench.save(&moved.replace("[0, 0]", "[9, 90]"));
    assert!(matches!(reload, Reload::Wrong(_)), "{reload:?}");
    assert_eq!(bench.live.settings().ground.planes[0].points[1].metres, (8.0, 20.0));
}

#[test]
fn any_layout_is_kept() {
    for (text, expected) in [
        ("", "[detector]\nconfidence = 0.4\n"),
        ("# mine\n", "[detector]\nconfidence = 0.4\n# mine\n"),
        ("detector.confidence = 0.9 # here\r\n# end\r\n", "detector.confidence = 0.4 # here\r\n# end\r\n"),
        ("detector.nms_iou = 0.5\n", "detector.nms_iou = 0.5\ndetector.confidence = 0.4\n"),
        (
            "detector = { confidence = 0.9, nms_iou = 0.5 }\n",
            "detector = { confidence = 0.4, nms_iou = 0.5 }\n",
        ),
        ("detector = { nms_iou = 0.5 } # x\n", "detector = { nms_iou = 0.5 , confidence = 0.4 } # x\n"),
        (
            "[detector]\r\nnms_iou = 0.5 # y\r\n\r\n# next\r\n[trails]\r\n",
            "[detector]\r\nnms_iou = 0.5 # y\r\nconfidence = 0.4\r\n\r\n# next\r\n[trails]\r\n",
        ),
        (
            "[source.camera]\nwidth = 640\n# last",
            "[source.camera]\nwidth = 640\n\n[detector]\nconfidence = 0.4\n# last",
        ),
    ] {
        let mut scene = Scene::new(text, &[]);
        scene.set("detector.confidence", "0.4");
        scene.live.write_back().unwrap();
        assert_eq!(scene.text(), expected);
    }
}

#[test]
fn a_broken_file_is_not_written_over() {
    let mut scene = Scene::new("[detector]\nconfidence = 0.5\n", &[("tracker.high_score", "0.9")]);
    scene.set("trails.seconds", "1");
    std::fs::write(scene.live.path(), "[detector\n").unwrap();
    let error = scene.live.write_back().unwrap_err().to_string();
    assert!(error.contains("cannot write the config file") && error.contains("c.toml:1:"), "{error}");
    assert_eq!((scene.text().as_str(), scene.live.changed()), ("[detector\n", vec!["trails.seconds"]));
    // Right only beside what the command line gives: the next start without it would fail.
    std::fs::write(scene.live.path(), "[detector]\nconfidence = 0.5\n").unwrap();
    scene.set("tracker.low_score", "0.8");
    let error = scene.live.write_back().unwrap_err().to_string();
    assert!(error.contains("it would have a mistake"), "{error}");
}

#[test]
fn where_there_was_no_file_one_is_made_with_what_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let given =
        Given { key: "detector.confidence".into(), value: "0.7".into(), typed: "--confidence 0.7".into() };
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "").unwrap();
    let mut loaded = Loaded::load(Some(&path), &[given]).unwrap();
    std::fs::remove_file(&path).unwrap();
    loaded.text = None;
    let mut scene = Scene { folder, live: Live::new(loaded) };
    assert!(matches!(scene.live.reload(), Reload::Same), "none is missing");
    assert!(scene.live.write_back().unwrap().keys.is_empty() && !scene.live.path().exists());
    scene.set("trails.seconds", "1");
    scene.live.write_back().unwrap();
    assert_eq!(scene.text(), "[trails]\nseconds = 1.0\n");
    assert!(matches!(scene.live.reload(), Reload::Same));
    assert_eq!(scene.origin("trails.seconds"), "config.toml:2");
    assert_eq!(scene.origin("detector.confidence"), "--confidence 0.7");
}

#[test]
fn an_edit_that_was_not_seen_yet_survives_writing_back() {
    let mut scene = Scene::new("[detector]\nconfidence = 0.5\n", &[]);
    scene.set("trails.seconds", "1");
    std::fs::write(scene.live.path(), "# hello\n[detector]\nconfidence = 0.3\n").unwrap();
    let saved = scene.live.write_back().unwrap();
    assert_eq!((saved.changes.keys, saved.keys), (vec!["detector.confidence"], vec!["trails.seconds"]));
    assert_eq!(scene.text(), "# hello\n[detector]\nconfidence = 0.3\n\n[trails]\nseconds = 1.0\n");
    assert_eq!(scene.value("detector.confidence"), "0.3");
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mut scene = Scene::new("", &[]);
    let (link, target) = (scene.live.path().to_owned(), scene.folder.path().join("target.toml"));
    std::fs::rename(&link, &target).unwrap();
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o640)).unwrap();
    symlink("target.toml", &link).unwrap();
    scene.set("trails.seconds", "1");
    assert_eq!(scene.live.write_back().unwrap().path, target);
    assert!(link.is_symlink());
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "[trails]\nseconds = 1.0\n");
    assert_eq!(std::fs::read_dir(scene.folder.path()).unwrap().count(), 2, "nothing is left behind");
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o440)).unwrap();
    scene.set("trails.seconds", "2");
    assert!(scene.live.write_back().unwrap_err().to_string().ends_with("it is read-only"));
}

/// What can happen to the three keys of the model below.
#[derive(Debug, Clone)]
enum Step {
    Set(usize, u8),
    Reset(usize),
    Save([Option<u8>; 3]),
    Break,
    Write,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize, 1..9u8).prop_map(|(key, value)| Step::Set(key, value)),
        (0..3usize).prop_map(Step::Reset),
        [proptest::option::of(1..9u8), proptest::option::of(1..9u8), proptest::option::of(1..9u8)]
            .prop_map(Step::Save),
        Just(Step::Break),
        Just(Step::Write),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Any course of changes against a model: for each key what the file, the command line and the panel hold.
    #[test]
    fn any_course_ends_where_the_layers_say(
        first in [proptest::option::of(1..9u8), proptest::option::of(1..9u8), proptest::option::of(1..9u8)],
        steps in proptest::collection::vec(step(), 0..12),
    ) {
        const NAMES: [&str; 3] = ["nms_iou", "confidence", "min_interval"];
        let text = |values: &[Option<u8>; 3]| {
            let lines = NAMES.iter().zip(values).filter_map(|(name, v)| v.map(|v| format!("{name} = 0.{v}\n")));
            format!("[detector]\n{}", lines.collect::<String>())
        };
        let path = |key: usize| format!("detector.{}", NAMES[key]);
        let mut scene = Scene::new(&text(&first), &[("detector.nms_iou", "0.9")]);
        // In tenths, where it is a whole number of them that is tried.
        let (defaults, usual) = ([0.5, 0.25, 0.0], [Some(5), None, None]);
        let (mut file, mut given, mut panel) = (first, [Some(9), None, None], [None; 3]);
        for step in steps {
            match step {
                Step::Set(key, value) => {
                    scene.set(&path(key), &format!("0.{value}"));
                    panel[key] = Some(value).filter(|_| given[key].or(file[key]).or(usual[key]) != Some(value));
                }
                Step::Reset(key) => {
                    scene.live.reset(&path(key)).unwrap();
                    panel[key] = None;
                }
                Step::Save(values) => {
                    scene.save(&text(&values));
                    for key in 0..3 {
                        if values[key] != file[key] {
                            (given[key], panel[key]) = (None, None);
                        }
                    }
                    file = values;
                }
                Step::Break => {
                    let good = scene.text();
                    prop_assert!(matches!(scene.save("[detector]\nnms_iou = = 0.1\n"), Reload::Wrong(_)));
                    prop_assert!(scene.live.write_back().is_err() || scene.live.changed().is_empty());
                    scene.save(&good);
                }
                Step::Write => {
                    scene.live.write_back().unwrap();
                    for key in 0..3 {
                        if let Some(value) = panel[key].take() {
                            (file[key], given[key]) = (Some(value), None);
                        }
                    }
                }
            }
            for key in 0..3 {
                let held = panel[key].or(given[key]).or(file[key]);
                let expected = held.map_or(defaults[key], |v: u8| f64::from(v) / 10.0);
                prop_assert!((scene.value(&path(key)).parse::<f64>().unwrap() - expected).abs() < 1e-6);
                prop_assert_eq!(scene.live.changed().contains(&path(key).as_str()), panel[key].is_some());
            }
        }
    }
}

const RULES: &str = "\
# The yard.
[[zone]]
name = \"yard\"
corners = [[0, 0], [1, 0], [1, 1]]

# Who waits.
[[rule]] # the first
name = \"waits\"
when = \"person in yard for 5 s\"  # not shorter
cool_down_seconds = 60
";

#[test]
fn rules_are_reloaded_and_written_back_and_a_wrong_one_leaves_those_before_it() {
    let mut scene = Scene::new(RULES, &[]);
    scene.set("rule.waits.when", "\"person in yard for 9 s\"");
    assert_eq!(scene.live.write_back().unwrap().keys, ["rule"]);
    let expected = RULES.replace("for 5 s", "for 9 s");
    assert_eq!(scene.text(), expected);
    // Each kind of mistake is told, and the rule that was right stays in force.
    for (wrong, told) in [
        ("person inn yard", "rule.1: when 1:8: \"inn\" cannot stand here"),
        (
            "person in yrd",
            "rule \"waits\": when 1:11: there is no zone \"yrd\"; did you mean \"yard\"? (known: yard)",
        ),
        ("persn in yard", "rule \"waits\": when 1:1: there is no class \"persn\"; did you mean \"person\"?"),
    ] {
        let Reload::Wrong(error) = scene.save(&RULES.replace("person in yard", wrong)) else {
            panic!("{wrong}")
        };
        assert!(error.to_string().contains(told) && error.to_string().contains("c.toml:"), "{error}");
        assert_eq!(scene.live.settings().rules[0].when, "person in yard for 9 s");
    }
    // A zone that a rule needs cannot go alone.
    let without = RULES.replace("name = \"yard\"", "name = \"garden\"");
    assert!(matches!(scene.save(&without), Reload::Wrong(_)));
    assert_eq!(keys(scene.save("# nothing\n")), ["zone", "rule"]);
}
