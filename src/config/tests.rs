//! Files and command lines, right and wrong.

use super::*;
use crate::track::Preset;

fn load(text: &str, given: &[(&str, &str)]) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, text).unwrap();
    let given: Vec<Given> = given
        .iter()
        .map(|(key, value)| Given {
            key: (*key).into(),
            value: (*value).into(),
            typed: format!("--set {key}={value}"),
        })
        .collect();
    let folder_name = format!("{}/", folder.path().display());
    Loaded::load(Some(&path), &given).map_err(|error| error.to_string().replace(&folder_name, ""))
}

#[test]
fn the_default_file_is_the_default() {
    let file = default_file();
    let loaded = load(&file, &[]).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    for key in parameters().iter().filter(|known| known.list.is_none()) {
        assert!(
            matches!(loaded.origin(key), Origin::File { .. }),
            "{} is missing from config.toml",
            key.path
        );
        let (section, name) = key.section_and_name();
        let part = file.split(&format!("[{section}]\n")).nth(1).expect(section);
        let line =
            part.lines().take_while(|l| !l.starts_with('[')).find(|l| l.starts_with(&format!("{name} =")));
        assert!(line.is_some_and(|l| l.contains(" # ")), "{} has no comment", key.path);
    }
}

#[test]
fn an_empty_file_is_the_default_too() {
    assert_eq!(load("", &[]).unwrap().settings, Settings::default());
}

#[test]
fn what_is_shown_can_be_read_back() {
    let given =
        [("detector.classes", "person, car"), ("overlay.scale", "1.5"), ("detector.confidence", "0.1")];
    let loaded = load("[source]\nrotate = 90\nfps = 7\n", &given).unwrap();
    let shown = loaded.to_toml_with_origins();
    assert_eq!(load(&shown, &[]).unwrap().settings, loaded.settings);
    assert!(shown.contains("rotate = 90"), "{shown}");
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(line("rotate").ends_with("c.toml:2"), "{shown}");
    assert!(line("confidence").ends_with("--set detector.confidence=0.1"), "{shown}");
    assert!(line("confidence").starts_with("confidence = 0.1 "), "{shown}");
    assert!(line("nms_iou").ends_with("# default"), "{shown}");
}

#[test]
fn the_command_line_goes_before_the_file() {
    let file = "[detector]\nconfidence = 0.7\ninput = \"320x320\"\n";
    let settings =
        load(file, &[("detector.confidence", "0.2"), ("detector.input", "640x384")]).unwrap().settings;
    assert_eq!((settings.detector.confidence, settings.detector.input.to_string()), (0.2, "640x384".into()));
    let track = settings.track();
    assert!((track.start_score - 0.16).abs() < 1e-6 && track.high_score == track.start_score, "{track:?}");
    assert!((track.show_score - 0.25).abs() < 1e-6, "{track:?}");
    assert_eq!(settings.detect_for_tracking().confidence, 0.05);
}

#[test]
fn recorded_detections_are_tracked_by_the_trackers_own_scores_unless_a_confidence_is_asked_for() {
    let scores = |file: &str, given: &[(&str, &str)]| {
        let track = load(file, given).unwrap().track_recorded();
        assert_eq!(track.show_score, 0.0);
        (track.start_score, track.high_score)
    };
    assert_eq!(scores("", &[]), (0.65, 0.6));
    assert_eq!(scores("", &[("detector.confidence", "0.4")]), (0.4, 0.4));
    assert_eq!(scores("[detector]\nconfidence = 0.9", &[]), (0.9, 0.6));
    assert_eq!(scores("[tracker]\nstart_score = 0.5", &[("detector.confidence", "0.4")]), (0.5, 0.6));
    let byte = scores("", &[("tracker.preset", "bytetrack")]);
    assert_eq!(byte, (0.6, 0.5));
}

#[test]
fn a_preset_goes_before_the_file_and_the_command_line_before_the_preset() {
    let file = "[detector]\nconfidence = 0.9\n[tracker]\nmemory_seconds = 9\npreset = \"sort\"\n";
    let sort = TrackSettings::of(Preset::Sort);
    assert_eq!(load(file, &[]).unwrap().settings.track(), sort);
    let loaded =
        load(&default_file(), &[("tracker.buffer", "0.3"), ("tracker.preset", "bytetrack")]).unwrap();
    let expected = TrackSettings { buffer: 0.3, ..TrackSettings::of(Preset::Bytetrack) };
    assert_eq!(loaded.settings.track(), expected);
    let shown = loaded.to_toml_with_origins();
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(line("lost_track_seconds = 1.0").ends_with("--set tracker.preset=bytetrack"), "{shown}");
    assert!(line("confidence = 0.6").ends_with("--set tracker.preset=bytetrack"), "{shown}");
    assert!(line("buffer = 0.3").ends_with("--set tracker.buffer=0.3"), "{shown}");
    assert!(load(file, &[("tracker.preset", "deep")]).unwrap_err().contains("\"bytetrack\" or \"sort\""));
    let settings = load(file, &[("tracker.preset", "default")]).unwrap().settings;
    assert_eq!((settings.tracker.preset, settings.tracker.lost_track_seconds), (Preset::Default, 9.0));
}

#[test]
fn every_kind_of_mistake_names_its_place_and_what_is_allowed() {
    let cases = [
        (
            "[detector]\n\nconfidnce = 0.5",
            "c.toml:3:1: there is no setting \"detector.confidnce\"; did you mean \"detector.confidence\"?",
        ),
        (
            "[detector]\nconfidence = 1.5",
            "c.toml:2:1: detector.confidence cannot be 1.5: allowed is a number from 0 to 1",
        ),
        (
            "[detector]\nconfidence = \"high\"",
            "c.toml:2:1: detector.confidence cannot be \"high\": allowed is a number from 0 to 1",
        ),
        ("[detector]\nconfidence = nan", "c.toml:2:1: detector.confidence cannot be nan"),
        (
            "[detector]\ninput = \"416x400\"",
            "c.toml:2:1: detector.input cannot be \"416x400\": allowed is \"auto\", \"fast\", \"normal\", \"fine\", \"finest\" or WIDTHxHEIGHT, both multiples of 32",
        ),
        (
            "[detector]\nthreads = -1",
            "c.toml:2:1: detector.threads cannot be -1: allowed is a whole number from 0 to 256",
        ),
        ("[detector]\nclasses = [1, 2]", "allowed is a list of names"),
        (
            "[detecter]\nconfidence = 0.5",
            "c.toml:1:2: there is no section [detecter]; did you mean \"detector\"?",
        ),
        (
            "confidence = 0.5",
            "c.toml:1:1: there is no setting \"confidence\"; did you mean \"detector.confidence\"?",
        ),
        ("detector = 5", "c.toml:1:1: detector is a section, not a value"),
        ("[detector.confidence]\nx = 1", "c.toml:1:11: detector.confidence is a value, not a section"),
        ("[source]\nrotate = 45", "allowed is 0, 90, 180 or 270"),
        ("[source]\nmirror = 1", "allowed is true or false"),
        ("[trails]\nanchor = \"top\"", "allowed is \"bottom\" or \"center\""),
        ("[overlay]\nscale = \"big\"", "allowed is \"auto\" or a number from 0.25 to 8"),
        ("[source]\nfps = -3", "allowed is 0 (none) or a number from 0.01 to 1000"),
        (
            "[source]\nstart = 5\nend = 4",
            "c.toml:3:1: source.end cannot be 4: allowed is a time after source.start, which is 5",
        ),
        (
            "[tracker]\nlow_score = 0.9",
            "c.toml:2:1: tracker.low_score cannot be 0.9: allowed is at most tracker.high_score",
        ),
        (
            "[[line]]\nname = \"a\"\npoints = [[0, 0], [1.5, 0.5]]",
            "c.toml:3:1: line.1: points cannot be [[0, 0], [1.5, 0.5]]: allowed is points within the picture, from 0 to 1 \
             across and down; number 2 is [1.5, 0.5]",
        ),
        ("[[line]]\nname = \"a\"\npoints = [[0, 0], [0, 0]]", "each apart from the one before"),
        ("[[line]]\npoints = [[0, 0], [1, 0]]", "c.toml:1:1: line.1: name is missing"),
        (
            "[[line]]\nname = \" \"\npoints = [[0, 0], [1, 0]]",
            "allowed is a text in quotes of 1 to 100 letters",
        ),
        (
            "[[zone]]\nname = \"a\"\ncorners = [[0, 0], [1, 1], [1, 0], [0, 1]]",
            "a polygon that does not cross itself; the side from corner 1 to corner 2 crosses the one from corner 3 to \
             corner 4",
        ),
        ("[[zone]]\nname = \"a\"\ncorner = []", "there is no key \"corner\"; did you mean \"corners\"?"),
        (
            "[[zone]]\nname = \"a\"\ncorners = [[0, 0], [1, 1], [1, 0]]\nanchor = \"feet\"",
            "allowed is \"bottom\" or \"center\" or \"top\"",
        ),
        (
            "[[line]]\nname = \"a\"\npoints = [[0, 0], [1, 0]]\n[[line]]\nname = \"a\"\npoints = [[0, 0], [1, 1]]",
            "line.2 is called \"a\" like line.1: give each line a name of its own",
        ),
        ("[detector]\nconfidence = 0.5\nconfidence = 0.6", "c.toml:3:1: duplicate key"),
        ("[detector\nconfidence = 0.5", "c.toml:1:"),
        ("\n\n[detector]\nmodel = \"unclosed", "c.toml:4:"),
    ];
    for (text, expected) in cases {
        let error = load(text, &[]).expect_err(text);
        assert!(error.contains(expected), "{text:?}\n gave {error}\n not  {expected}");
    }
}

#[test]
fn mistakes_on_the_command_line_say_what_was_typed() {
    let error = load("", &[("detector.confidence", "2"), ("trails.secnds", "1")]).expect_err("two mistakes");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("--set detector.confidence=2: detector.confidence cannot be 2"), "{error}");
    assert!(lines[1].contains("did you mean \"trails.seconds\"?"), "{error}");
}

const AREAS: &str = "\
[[mask]]
name = \"street\"
points = [[0, 0], [1, 0], [1, 0.5]]

[[mask]]
enabled = false
points = [[0, 0], [0, 1], [0.5, 0.5]]

[trails]
seconds = 2
";

#[test]
fn lists_of_tables_are_read_in_both_forms_and_shown() {
    let loaded = load(AREAS, &[]).unwrap();
    let masks = &loaded.settings.enhance.named_masks;
    assert_eq!(
        masks.iter().map(|mask| (mask.name.as_str(), mask.enabled)).collect::<Vec<_>>(),
        [("street", true), ("", false)]
    );
    assert_eq!(loaded.settings.enhance.all_masks().len(), 1);
    assert_eq!(loaded.settings.trails.seconds, 2.0);
    let inline = "mask = [{ name = \"street\", points = [[0, 0], [1, 0], [1, 0.5]] }, { enabled = false, points = [[0, 0], [0, 1], [0.5, 0.5]] }]\n";
    assert_eq!(load(inline, &[]).unwrap().settings.enhance.named_masks, *masks);
    let shown = loaded.to_toml_with_origins();
    assert!(shown.lines().any(|line| line.starts_with("[[mask]]") && line.ends_with("c.toml:1")), "{shown}");
    assert_eq!(load(&shown, &[]).unwrap().settings, loaded.settings);
}

#[test]
fn one_value_of_a_list_can_be_given() {
    for (key, expected) in [("mask.street.enabled", [false, false]), ("mask.1.enabled", [false, false])] {
        let masks = load(AREAS, &[(key, "false")]).unwrap().settings.enhance.named_masks;
        assert_eq!(masks.iter().map(|mask| mask.enabled).collect::<Vec<_>>(), expected, "{key}");
    }
    let masks = load(AREAS, &[("mask.2.enabled", "true"), ("mask.2.name", "door")])
        .unwrap()
        .settings
        .enhance
        .named_masks;
    assert_eq!((masks[1].enabled, masks[1].name.as_str()), (true, "door"));
    for (key, expected) in [
        ("mask.stret.enabled", "there is no [[mask]] \"stret\"; did you mean \"street\"?"),
        ("mask.3.enabled", "there is no [[mask]] \"3\""),
        ("mask.1.enable", "there is no key \"enable\"; did you mean \"enabled\"?"),
        ("mask.1.points", "points cannot be 1: allowed is a polygon"),
    ] {
        let error = load(AREAS, &[(key, "1")]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn mistakes_in_lists_of_tables_name_their_place() {
    for (text, expected) in [
        (
            "[[mask]]\npionts = [[0, 0], [1, 0], [1, 1]]\n",
            "c.toml:2:1: mask.1: there is no key \"pionts\"; did you mean \"points\"?",
        ),
        ("[[mask]]\nname = \"a\"\n", "c.toml:1:1: mask.1: points is missing: a polygon of 3 to 256 corners"),
        (
            "[[mask]]\npoints = [[0, 0], [1, 0], [1, 1]]\n[[mask]]\n  points = [[0, 0], [2, 0], [1, 1]]\n",
            "c.toml:4:3: mask.2: points cannot be [[0, 0], [2, 0], [1, 1]]: allowed is a polygon",
        ),
        (
            "[[mask]]\npoints = [[0, 0], [1, 0], [1, 1]]\nenabled = 5\n",
            "c.toml:3:1: mask.1: enabled cannot be 5: allowed is true or false",
        ),
        (
            "mask = [{ points = [[0, 0], [1, 0], [1, 1]], nam = 1 }]\n",
            "c.toml:1:46: mask.1: there is no key \"nam\"; did you mean \"name\"?",
        ),
        ("mask = 5\n", "c.toml:1:1: mask cannot be 5: allowed is a list of at most 64 tables"),
        ("[mask]\nname = \"a\"\n", "c.toml:1:2: mask is a list of tables: write [[mask]]"),
        (
            "[[msk]]\nname = \"a\"\n",
            "there is no list of tables [[msk]]; did you mean \"mask\"? (known: mask, region, line, zone, ground, rule)",
        ),
        ("[[detector]]\nconfidence = 0.5\n", "detector is a section, not a list: write [detector]"),
    ] {
        let error = load(text, &[]).expect_err(text);
        assert!(error.contains(expected), "{text:?}\n gave {error}\n not  {expected}");
    }
}

#[test]
fn old_names_work_and_are_told_once() {
    let file = "[tracker]\nmemory_seconds = 3\nreach = 0.3\n";
    let loaded = load(file, &[("tracker.reach", "0.4"), ("tracker.memory_seconds", "4")]).unwrap();
    let tracker = &loaded.settings.tracker;
    assert_eq!((tracker.lost_track_seconds, tracker.buffer), (4.0, 0.4));
    let told: Vec<_> = loaded.notices().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    let expected = "c.toml:2:1: tracker.memory_seconds is now called tracker.lost_track_seconds; the old name still works";
    assert!(told[0].ends_with(expected), "{told:?}");
    // Where both names stand, the new one counts.
    for file in ["buffer = 0.1\nreach = 0.2\n", "reach = 0.2\nbuffer = 0.1\n"] {
        let loaded = load(&format!("[tracker]\n{file}"), &[]).unwrap();
        assert_eq!(loaded.settings.tracker.buffer, 0.1, "{file}");
    }
    let error = load("[tracker]\nreach = 9\n", &[]).unwrap_err();
    assert!(
        error.contains("c.toml:2:1: tracker.reach cannot be 9: allowed is a number from 0 to 5"),
        "{error}"
    );
    for known in parameters() {
        for alias in known.aliases {
            assert!(
                parameter(alias).is_none() && known.section_and_name().0 == alias.rsplit_once('.').unwrap().0
            );
        }
    }
}

#[test]
fn settings_that_are_gone_are_told_and_stop_nothing() {
    let file = "[tracker]\nreupdate = true\npairing = 5\n[trails]\nseconds = 2\n";
    let loaded = load(file, &[("tracker.reupdate", "false")]).unwrap();
    assert_eq!(loaded.settings.trails.seconds, 2.0);
    let told: Vec<_> = loaded.notices().map(|notice| (notice.name, notice.to_string())).collect();
    assert_eq!(
        told.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["tracker.reupdate", "tracker.pairing"]
    );
    assert!(told[0].1.contains("c.toml:2:1: tracker.reupdate is gone and has no effect"), "{told:?}");
}

#[test]
fn a_missing_or_odd_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (path, reason) in
        [(folder.path().join("none.toml"), "No such file"), (folder.path().into(), "it is a folder")]
    {
        let error = Loaded::load(Some(&path), &[]).expect_err("no file").to_string();
        assert!(error.contains(reason) && error.contains(&path.display().to_string()), "{error}");
    }
    let path = folder.path().join("bytes.toml");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(Loaded::load(Some(&path), &[]).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]a-z.=\"0-9{}#\n ]{0,80}") {
        let _ = load(&text, &[("detector.input", &text), (&text, "1")]);
    }
}

#[test]
fn lines_and_zones_are_read_with_their_defaults() {
    let text = "[[line]]\nname = \"door\"\npoints = [[0.1, 0.5], [0.9, 0.5]]\nclasses = [\"person\"]\n\
                [[zone]]\nname = \"square\"\ncorners = [[0, 0], [1, 0], [0, 1]]\nfixed_to = \"scene\"\n";
    let counting = load(text, &[]).unwrap().settings.counting;
    let (line, zone) = (&counting.lines[0], &counting.zones[0]);
    assert_eq!((line.name.as_str(), line.band, line.stay_seconds), ("door", 0.1, 0.0));
    assert_eq!((zone.name.as_str(), zone.corners.corners().len()), ("square", 3));
    let labels = crate::labels::Labels::coco();
    assert_eq!(super::check_counted_classes(&counting, &labels), Ok(()));
    let few = crate::labels::Labels::parse("persons\ncar");
    let (key, why) = super::check_counted_classes(&counting, &few).unwrap_err();
    assert_eq!(key, "line");
    let heat = load("[heat]\nclasses = [\"persn\"]\n", &[]).unwrap().settings.heat;
    let (key, unknown) = super::check_heat_classes(&heat, &labels).unwrap_err();
    assert!(
        key == "heat.classes" && unknown.starts_with("heat.classes: there is no class \"persn\"; did you"),
        "{unknown}"
    );
    assert!(
        why.starts_with("line \"door\": there is no class \"person\"; did you mean \"persons\"?"),
        "{why}"
    );
    // A value of one of them, and a whole list, from the command line.
    let given = [("line.door.band", "0.3"), ("zone", "[]")];
    let counting = load(text, &given).unwrap().settings.counting;
    assert_eq!((counting.lines[0].band, counting.zones.len()), (0.3, 0));
}

const FIELD: &str = "points = [{ at = [0.1, 0.5], metres = [0, 20] }, { at = [0.9, 0.5], metres = [7.5, 20] },\n\
                     { at = [1.0, 0.9], metres = [7.5, 0] }, { at = [0, 0.9], metres = [0, 0] }]\n";

#[test]
fn a_ground_stands_alone_or_in_a_list() {
    let ground = |text: &str| load(text, &[]).unwrap().settings.ground.planes;
    let alone = ground(&format!("[ground]\n{FIELD}origin = [48.1, 11]\n[trails]\nseconds = 2\n"));
    assert_eq!((alone.len(), alone[0].points.len()), (1, 4));
    assert_eq!((alone[0].points[1].metres, alone[0].origin), ((7.5, 20.0), Some((48.1, 11.0))));
    let several = ground(&format!("[[ground]]\nsource = \"a*\"\n{FIELD}[[ground]]\nview_degrees = 90\n"));
    assert_eq!((several.len(), several[0].source.as_str(), several[1].view_degrees), (2, "a*", 90.0));
    // From people, with nothing else.
    assert_eq!(ground("[ground]\n").len(), 1);
    let set = load("[ground]\n", &[("ground.1.person_metres", "1.6")]).unwrap().settings.ground.planes;
    assert_eq!(set[0].person_metres, 1.6);
    // Only a ground stands alone.
    let wrong = load("[mask]\npoints = [[0, 0], [1, 0], [1, 1]]\n", &[]).unwrap_err();
    assert!(wrong.contains("mask is a list of tables: write [[mask]]"), "{wrong}");
}

#[test]
fn a_ground_that_cannot_be_is_told_with_its_place() {
    let wrong = |text: &str| load(text, &[]).unwrap_err();
    let told = wrong("# a\n[ground]\npoints = [{ at = [0.1, 0.5], metres = [0, 20] }]\n");
    assert!(told.contains("c.toml:2:2: ground: four points are needed, and there are 1"), "{told}");
    let told = wrong("[ground]\npoint = []\n");
    assert!(
        told.contains("c.toml:2:1: ground.1: there is no key \"point\"; did you mean \"points\"?"),
        "{told}"
    );
    let told = wrong("[ground]\npoints = [{ at = [1.5, 0.5], metres = [0, 20] }]\n");
    assert!(told.contains("points cannot be") && told.contains("shares of the picture"), "{told}");
    let line = "points = [{ at = [0, 0.1], metres = [0, 0] }, { at = [0, 0.2], metres = [0, 1] },\
                { at = [0, 0.3], metres = [0, 2] }, { at = [0, 0.4], metres = [0, 3] }]\n";
    let told = wrong(&format!("[[ground]]\n{FIELD}[[ground]]\n{line}"));
    assert!(told.contains("ground.2: the points lie on one line"), "{told}");
    let both = "lengths = [{ from = [0, 0.9], to = [0.2, 0.9], metres = 3 }]\n";
    let told = wrong(&format!("[ground]\n{FIELD}{both}"));
    assert!(told.contains("points and lengths"), "{told}");
    assert!(wrong(&format!("[ground]\n{both}")).contains("two known lengths are needed"));
    let mirrored = FIELD.replace("20]", "-20]");
    let told = wrong(&format!("[ground]\n{mirrored}origin = [48, 11]\n"));
    assert!(told.contains("Y has to lie to the left of X"), "{told}");
}

const RULE: &str = "[[zone]]\nname = \"square\"\ncorners = [[0, 0], [1, 0], [0, 1]]\n\
                    [[rule]]\nname = \"waits\"\nwhen = \"person in square for 5s\" # for long\ncool_down_seconds = 60\n";

#[test]
fn rules_are_read_as_they_are_written() {
    let loaded = load(RULE, &[]).unwrap();
    let [rule] = loaded.settings.rules.as_slice() else { panic!("{:?}", loaded.settings.rules) };
    assert_eq!((rule.name.as_str(), rule.when.as_str()), ("waits", "person in square for 5s"));
    assert_eq!((rule.cool_down_seconds, rule.source.as_str()), (60.0, ""));
    let labels = crate::labels::Labels::coco();
    assert_eq!(super::check_rule_classes(&loaded.settings, &labels), Ok(()));
    let few = crate::labels::Labels::parse("persons\ncar");
    let (key, why) = super::check_rule_classes(&loaded.settings, &few).unwrap_err();
    assert_eq!(key, "rule");
    assert_eq!(
        why,
        "rule \"waits\": when 1:1: there is no class \"person\"; did you mean \"persons\"? (known: persons, car)"
    );
    assert_eq!(load(&loaded.to_toml_with_origins(), &[]).unwrap().settings, loaded.settings);
    let given = [("rule.waits.when", "nobody in square for 1 min"), ("source.began", "21:30")];
    let settings = load(RULE, &given).unwrap().settings;
    assert_eq!(settings.rules[0].when, "nobody in square for 1 min");
    assert_eq!(settings.source.began.seconds, Some(21 * 3600 + 1800));
}

#[test]
fn what_is_wrong_with_a_rule_is_told_at_its_place() {
    for (wrong, told) in [
        (
            RULE.replace("in square for", "inn square for"),
            "c.toml:6:1: rule.1: when 1:8: \"inn\" cannot stand here: expected is and, or, for or the end; did you mean \"in\"?",
        ),
        (
            RULE.replace("in square for", "in sqare for"),
            "c.toml:4:3: rule \"waits\": when 1:11: there is no zone \"sqare\"; did you mean \"square\"? (known: square)",
        ),
        (RULE.replace("when", "whn"), "c.toml:6:1: rule.1: there is no key \"whn\"; did you mean \"when\"?"),
        (
            RULE.replace("\"person in square for 5s\"", "5"),
            "c.toml:6:1: rule.1: when cannot be 5: allowed is a condition",
        ),
        (RULE.replace("= 60", "= -1"), "c.toml:7:1: rule.1: cool_down_seconds cannot be -1"),
        (
            format!("{RULE}[[rule]]\nname = \"waits\"\nwhen = \"nobody\"\n"),
            "rule.2 is called \"waits\" like rule.1",
        ),
        (
            format!("{RULE}[source]\nbegan = \"25:00\"\n"),
            "c.toml:9:1: source.began cannot be \"25:00\": allowed is a time of day",
        ),
    ] {
        let error = load(&wrong, &[]).map(|_| ()).unwrap_err();
        assert!(error.contains(told), "{error}\n{told}");
    }
}

/// The examples of the page on the ground are settings, and tell a ground in a picture of the usual shape.
#[test]
fn the_grounds_of_the_documentation_are_grounds() {
    let page = include_str!("../../docs/ground.md");
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 3, "{}", examples.len());
    for example in examples {
        for plane in load(example, &[]).unwrap().settings.ground.planes {
            let ground = plane.ground((1920, 1080)).unwrap_or_else(|error| panic!("{error}: {example}"));
            assert_eq!(ground.is_some(), !(plane.points.is_empty() && plane.lengths.is_empty()));
        }
    }
}
