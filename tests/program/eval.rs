//! `trailsight eval`: the numbers of the reference, what it prints and writes, and what it refuses.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::common::{Done, root, run_in, trailsight};
use serde_json::Value;

/// What the reference says, and the files that it says it of; made by tests/reference/golden_eval.py.
fn golden() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("tests/golden/eval.json")).unwrap()).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes the golden data set as folders `data` and `out`.
fn golden_files(folder: &Path, golden: &Value) {
    let frames = &golden["frames"];
    for (name, files) in golden["files"].as_object().unwrap() {
        let text = |key: &str| files[key].as_str().unwrap();
        write(folder, &format!("data/{name}/gt/gt.txt"), text("truth"));
        write(folder, &format!("data/{name}/seqinfo.ini"), &format!("[Sequence]\nseqLength={frames}\n"));
        if !text("regions").is_empty() {
            write(folder, &format!("data/{name}/gt/dontcare.txt"), text("regions"));
        }
        write(folder, &format!("out/{name}.txt"), text("results"));
    }
}

/// The results of every third frame, numbered so.
fn thin(folder: &Path, every: u64) {
    for entry in fs::read_dir(folder.join("out")).unwrap() {
        let path = entry.unwrap().path();
        let mut text = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let (frame, rest) = line.split_once(',').unwrap();
            let frame: u64 = frame.parse::<u64>().unwrap() - 1;
            if frame.is_multiple_of(every) {
                text += &format!("{},{rest}\n", frame / every + 1);
            }
        }
        write(folder, &format!("out{every}/{}", path.file_name().unwrap().display()), &text);
    }
}

/// Asserts that everything expected is there, numbers to 1e-6.
fn compare(place: &str, expected: &Value, found: &Value) {
    match expected {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| compare(&format!("{place} {key}"), value, &found[key]));
        }
        Value::Array(items) => {
            assert_eq!(found.as_array().map(Vec::len), Some(items.len()), "{place}");
            items
                .iter()
                .enumerate()
                .for_each(|(i, value)| compare(&format!("{place} {i}"), value, &found[i]));
        }
        Value::Number(number) => {
            let (expected, found) = (number.as_f64().unwrap(), found.as_f64().unwrap_or(f64::NAN));
            assert!((expected - found).abs() < 1e-6, "{place}: expected {expected}, found {found}");
        }
        other => assert_eq!(other, found, "{place}"),
    }
}

#[test]
fn the_numbers_are_those_of_the_reference() {
    let golden = golden();
    let folder = tempfile::tempdir().unwrap();
    golden_files(folder.path(), &golden);
    for case in golden["cases"].as_array().unwrap() {
        let every = case["every"].as_u64().unwrap();
        let results = if every == 1 { "out".to_owned() } else { format!("out{every}") };
        thin(folder.path(), every);
        let given: Vec<&str> =
            case["arguments"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        let arguments =
            [&["eval", "--gt", "data", "--results", &results, "--json", "scores.json"], &given[..]];
        let done = run_in(folder.path(), &arguments.concat()).ok();
        let found: Value =
            serde_json::from_str(&fs::read_to_string(folder.path().join("scores.json")).unwrap()).unwrap();
        for key in ["scores", "mean_over_classes", "every"] {
            compare(&format!("{given:?} {key}"), &case[key], &found[key]);
        }
        // The table tells the same.
        let combined = &case["scores"][0]["combined"];
        let line = done.stdout.lines().find(|line| line.starts_with("COMBINED")).unwrap();
        let columns: Vec<&str> = line.split_whitespace().collect();
        let wanted = |key: &str| format!("{:.2}", combined[key].as_f64().unwrap());
        assert_eq!((columns[1], columns[5]), (wanted("HOTA").as_str(), wanted("MOTA").as_str()), "{done:#?}");
        assert_eq!(columns[10], combined["IDSW"].to_string(), "{done:#?}");
    }
}

/// KITTI, VisDrone and UAVDT as they come, by the rules of their own; made by tests/reference/golden_eval_rules.py.
#[test]
fn benchmarks_with_rules_of_their_own_score_as_the_reference_does() {
    let golden = fs::read_to_string(root().join("tests/golden/eval_rules.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in golden["files"].as_object().unwrap() {
        write(folder.path(), name, text.as_str().unwrap());
    }
    for case in golden["cases"].as_array().unwrap() {
        let given: Vec<&str> =
            case["arguments"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        let done = run_in(folder.path(), &[&["eval", "--json", "-", "-q"], &given[..]].concat()).ok();
        let found: Value = serde_json::from_str(&done.stdout).unwrap();
        for key in ["scores", "mean_over_classes", "all_classes"] {
            if !case[key].is_null() {
                compare(&format!("{given:?} {key}"), &case[key], &found[key]);
            }
        }
    }
    // The table says whose rules were taken, and names the classes.
    let kitti = ["eval", "--gt", "kitti/label_02", "--results", "kitti/results"];
    let table = run_in(folder.path(), &kitti).ok().stdout;
    for words in ["class Car ", "class Pedestrian ", "MEAN ", "  kitti\n"] {
        assert!(table.contains(words), "{words} is missing in {table}");
    }
    // Without the rules there is more to be found.
    let bare = run_in(folder.path(), &[kitti.as_slice(), &["--benchmark", "mot15"]].concat()).ok().stdout;
    assert!(bare.contains("  mot15\n") && !bare.contains("class Car"), "{bare}");
}

#[test]
fn what_is_printed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    golden_files(folder.path(), &golden());
    let work = folder.path();
    // Everything in the folder at once has different rules.
    run_in(work, &["eval", "--gt", "data", "--results", "out"])
        .fails(2, &["KITTI-0000", "--prefix", "--benchmark"]);
    fs::remove_file(work.join("out/MOT17-02.txt")).unwrap();
    // A sequence without results is one in which nothing was found: it counts, and is named.
    let done = run_in(work, &["eval", "--gt", "data", "--results", "out", "--prefix", "MOT17"])
        .fails(1, &["no results in out for MOT17-02"]);
    let head = "HOTA DetA AssA LocA MOTA MOTP IDF1 IDP IDR IDSW Frag MT ML FP FN Rules";
    let lines: Vec<Vec<&str>> = done.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), head);
    let rows: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
    assert_eq!(rows, ["MOT17-01", "MOT17-02", "MOT17-03", "COMBINED"]);
    assert!(lines[1..].iter().all(|line| line.len() == 17 && line[16] == "mot17"), "{done:#?}");
    fs::write(work.join("out/MOT17-02.txt"), "").unwrap();
    let empty = run_in(work, &["eval", "--gt", "data", "--results", "out", "--prefix", "MOT17"]).ok();
    assert_eq!(empty.stdout, done.stdout);
    let by_class =
        run_in(work, &["eval", "--gt", "data", "--results", "out", "--prefix", "KITTI", "-q"]).ok();
    for words in ["class 1 ", "class 3 ", "MEAN "] {
        assert!(by_class.stdout.contains(words), "{words} is missing in {by_class:#?}");
    }
    let only_json = ["eval", "--gt", "data", "--results", "out", "--seq", "Park", "--json", "-"];
    let done = run_in(work, &only_json).ok();
    let all: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(all["alphas"].as_array().unwrap().len(), 19);
    assert_eq!(all["scores"][0]["sequences"]["Park"]["benchmark"], "mot15");
    let over_input = ["eval", "--gt", "data", "--results", "out", "--seq", "Park", "--json", "out/Park.txt"];
    run_in(work, &over_input).fails(1, &["would overwrite the input"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    golden_files(folder.path(), &golden());
    let mut child = trailsight()
        .current_dir(folder.path())
        .args(["eval", "--gt", "data", "--results", "out", "--prefix", "MOT17"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    Done::of(&child.wait_with_output().unwrap()).ok();
}

#[test]
fn what_cannot_be_scored_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    write(work, "data/A/gt/gt.txt", "1,1,10,10,20,40,1,1,1\n2,1,10,10,20,40,1,1,1\n");
    write(work, "data/KITTI-1/gt/gt.txt", "1,1,10,10,20,40,1,3,1\n");
    write(work, "out/KITTI-1.txt", "1,1,10,10,20,40,1,1\n");
    let eval = |more: &[&str]| run_in(work, &[&["eval", "--gt", "data", "--results", "out"], more].concat());
    run_in(work, &["eval", "--gt", "nowhere", "--results", "out"]).fails(1, &["cannot read nowhere"]);
    run_in(work, &["eval", "--gt", "data", "--results", "nowhere"]).fails(1, &["cannot read nowhere"]);
    run_in(work, &["eval", "--gt", "out", "--results", "out"]).fails(1, &["nothing to score", "gt/gt.txt"]);
    eval(&["--prefix", "A"]).fails(1, &["nothing to score", "begins with A", "A.txt"]);
    eval(&["--seq", "A"]).fails(1, &["cannot read", "A.txt"]);
    eval(&["--seq", "B"]).fails(1, &["there is no", "the sequences are A, KITTI-1"]);
    eval(&["--seq", "KITTI-1"]).fails(1, &["no class in common", "class 3", "class 1"]);
    for (line, wanted) in [
        ("1,1,10,10,20", "line 2: 5 columns"),
        ("3,1,10,10,20,40,1", "line 2: column 1 (frame): the sequence ends with frame 2, found 3"),
        ("1,1,50,10,20,40,1", "line 2: the id 1 is in frame 1 already"),
        ("\u{0}\u{1},,", "line 2: column 1 (frame): expected a number"),
    ] {
        write(work, "out/A.txt", &format!("1,1,10,10,20,40,1\n{line}\n"));
        eval(&["--seq", "A"]).fails(1, &["A.txt, ", wanted]);
    }
    write(work, "out/A.txt", "");
    eval(&["--seq", "A"]).ok();
    for flag in ["--pixels-from", "--results-frames-from", "--results-classes-from"] {
        eval(&["--seq", "A", flag, "2"]).fails(2, &[flag]);
    }
    eval(&["--seq", "A", "--labels", "none.txt"]).fails(2, &["cannot read none.txt"]);
    write(work, "data/A/seqinfo.ini", "seqLength=1\n");
    eval(&["--seq", "A"]).fails(1, &["gt.txt, line 2", "the sequence ends with frame 1"]);
    assert!(!work.join("scores.json").exists());
    let help = run_in(work, &["eval", "--help"]).ok().stdout;
    for word in ["Example:", "--every", "dancetrack", "gt/gt.txt"] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

/// Two cars and a person in ten frames, and results that miss one of them at times.
fn small_scene(work: &Path) {
    let (mut truth, mut said) = (String::new(), String::new());
    for frame in 1..=10 {
        for (id, left, class) in [(1, 10.25, 3), (2, 100.5, 3), (7, 200.75, 1)] {
            let left = left + f64::from(frame);
            truth += &format!("{frame},{id},{left},20.5,30.25,40.5,1,{class},1\n");
            if (frame + id) % 4 != 0 {
                said += &format!("{frame},{},{},21.5,30.25,40.5,0.9,{class}\n", id + 50, left + 1.0);
            }
        }
    }
    write(work, "text/A/gt/gt.txt", &truth);
    write(work, "out/A.txt", &said);
}

/// The combined scores of each class.
fn scores(work: &Path, truth: &str, results: &str, more: &[&str]) -> Vec<[f64; 3]> {
    let done = run_in(
        work,
        &[&["eval", "--gt", truth, "--results", results, "--benchmark", "mot15", "--json", "-"], more]
            .concat(),
    )
    .ok();
    let all: Value = serde_json::from_str(&done.stdout).unwrap();
    let numbers =
        |block: &Value| ["HOTA", "MOTA", "IDF1"].map(|key| block["combined"][key].as_f64().unwrap());
    all["scores"].as_array().unwrap().iter().map(numbers).collect()
}

#[test]
fn truth_and_results_of_any_format_score_alike() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    small_scene(work);
    let by_class = ["--class", "3", "--class", "1"];
    let by_name = ["--class", "car", "--class", "person"];
    let (all, each) = (scores(work, "text", "out", &[]), scores(work, "text", "out", &by_class));
    assert!(all[0][0] > 50.0 && all[0][0] < 99.0, "{all:?}");
    let size = ["--size", "640x480", "-q"];
    for (format, ending) in [
        ("jsonl", "jsonl"),
        ("csv", "csv"),
        ("coco", "json"),
        ("cvat", "xml"),
        ("cvat-mot", "zip"),
        ("supervision-csv", "csv"),
        ("supervision-json", "json"),
        ("kitti", "txt"),
        ("visdrone", "txt"),
        ("label-studio", "json"),
        ("ultralytics", ""),
    ] {
        // Boxes in parts of the picture need its size; labels in a folder lie beside that.
        write(work, &format!("{format}/A/seqinfo.ini"), "imWidth=640\nimHeight=480\n");
        let folder = ending.is_empty();
        let (truth, results) = match folder {
            true => (format!("{format}/A/labels"), format!("{format}-said/A")),
            false => (format!("{format}/A/gt/gt.{ending}"), format!("{format}/A.{ending}")),
        };
        fs::create_dir_all(work.join(&results).parent().unwrap()).unwrap();
        fs::create_dir_all(work.join(&truth).parent().unwrap()).unwrap();
        let convert = |from: &str, to: &str| {
            run_in(work, &[&["convert", from, "--to", format, to], size.as_slice()].concat()).ok();
        };
        convert("text/A/gt/gt.txt", &truth);
        convert("out/A.txt", &results);
        // Numbers of VisDrone are no COCO numbers, and its own results count pixels from 0.
        let numbers: &[&str] = match format {
            "visdrone" => &["--map", "car=3", "--map", "pedestrian=1", "--results-pixels-from", "1"],
            _ => &[],
        };
        let person = if matches!(format, "kitti" | "visdrone") { "pedestrian" } else { "person" };
        let named = ["--class", "car", "--class", person];
        let near = |found: Vec<[f64; 3]>, expected: &[[f64; 3]], what: &str| {
            let pairs = found.iter().flatten().zip(expected.iter().flatten());
            let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(
                found.len() == expected.len() && off < 1e-9,
                "{format} {what}: {found:?}, not {expected:?}"
            );
        };
        near(scores(work, format, "out", numbers), &all, "truth");
        near(scores(work, format, "out", &[numbers, &named].concat()), &each, "truth by name");
        let beside = if folder { "ultralytics-said" } else { &results };
        near(scores(work, format, beside, &[]), &all, "both");
        if !matches!(format, "label-studio" | "ultralytics") {
            near(scores(work, &truth, &results, &named), &each, "files, by name");
        }
        if !matches!(format, "visdrone" | "label-studio" | "ultralytics") {
            near(scores(work, "text", &results, &[]), &all, "results");
        }
    }
    // COCO's names are there for numbers too.
    run_in(work, &[&["eval", "--gt", "text", "--results", "out"], by_name.as_slice()].concat())
        .fails(2, &["--class car", "numbers, no names"]);
}

/// A document of COCO-VID with the scene twice is a data set of two sequences, as truth and as results.
#[test]
fn each_video_of_a_document_is_a_sequence() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    small_scene(work);
    let coco = |from: &str| -> Value {
        run_in(work, &["convert", from, "--to", "coco", "one.json", "-q"]).ok();
        serde_json::from_str(&fs::read_to_string(work.join("one.json")).unwrap()).unwrap()
    };
    let twice = |mut one: Value| {
        for key in ["images", "annotations"] {
            let mut more = one[key].as_array().unwrap().clone();
            for entry in &mut more {
                for id in ["id", "image_id"].iter().filter(|id| !entry[**id].is_null()).collect::<Vec<_>>() {
                    entry[*id] = (entry[*id].as_u64().unwrap() + 1000).into();
                }
                entry["video_id"] = 2.into();
            }
            one[key].as_array_mut().unwrap().extend(more);
        }
        one["videos"] = serde_json::json!([{"id": 1, "name": "set/A"}, {"id": 2, "name": "set/B"}]);
        one.to_string()
    };
    write(work, "truth.json", &twice(coco("text/A/gt/gt.txt")));
    write(work, "said.json", &twice(coco("out/A.txt")));
    fs::copy(work.join("out/A.txt"), work.join("out/B.txt")).unwrap();
    let one = scores(work, "text", "out", &["--seq", "A"]);
    for results in ["out", "said.json"] {
        let both = scores(work, "truth.json", results, &[]);
        assert!((both[0][0] - one[0][0]).abs() < 1e-9 && both.len() == 1, "{results}: {both:?}");
        let table = run_in(work, &["eval", "--gt", "truth.json", "--results", results]).ok().stdout;
        let names: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names[1..], ["A", "B", "COMBINED"], "{table}");
    }
    let convert = ["convert", "said.json", "--to", "mot", "b.txt"];
    run_in(work, &convert).fails(1, &["said.json, images: 2 videos (A, B); one is read at a time"]);
    run_in(work, &[convert.as_slice(), &["--video", "B"]].concat()).ok();
}

#[test]
fn what_is_wrong_in_other_formats_is_said_with_file_and_row() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    small_scene(work);
    let shape = |frame: &str| format!("<box frame=\"{frame}\" xtl=\"1\" ytl=\"1\" xbr=\"9\" ybr=\"9\"/>\n");
    let xml =
        |inside: &str| format!("<annotations>\n<track id=\"1\" label=\"a\">\n{inside}</track></annotations>");
    write(work, "none/A.txt", "");
    for (name, text, wanted) in [
        ("gt.xml", xml(&shape("x")), "gt.xml, line 3, column "),
        ("gt.xml", xml(&[shape("0"), shape("0")].concat()), "gt.xml, line 4: the id 1 is in frame 1 already"),
        (
            "gt.jsonl",
            "{\"frame\":1,\"tracks\":[{\"id\":1,\"box\":[1,2,3,4]},{\"id\":1,\"box\":[5,2,3,4]}]}".to_owned(),
            "gt.jsonl, line 1: the id 1 is in frame 1 already",
        ),
        (
            "gt.json",
            "{\"images\":[{\"id\":1}],\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"track_id\":1},\
             {\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"track_id\":1}]}"
                .to_owned(),
            "gt.json, annotation 2: the id 1 is in frame 1 already",
        ),
        ("gt.zip", "PK\u{3}\u{4}".to_owned(), "gt.zip, the archive: "),
        (
            "gt.xml",
            xml(&shape("0")).replace("<track", "<meta><task><size>99999999</size></task></meta><track"),
            "gt.xml, the length: more than ",
        ),
    ] {
        write(work, &format!("data/A/gt/{name}"), &text);
        run_in(work, &["eval", "--gt", "data", "--results", "none"]).fails(1, &[wanted]);
        fs::remove_dir_all(work.join("data")).unwrap();
    }
    // Results behind the end.
    let late = "{\"frame\":11,\"tracks\":[{\"id\":1,\"box\":[1,2,3,4]}]}\n";
    write(work, "late/A.jsonl", late);
    run_in(work, &["eval", "--gt", "text", "--results", "late"])
        .fails(1, &["A.jsonl, line 1: the sequence ends with frame 10, counted from 1; this is frame 11"]);
    // Several sequences, one file; and what cannot be mapped.
    fs::create_dir_all(work.join("text/B/gt")).unwrap();
    fs::copy(work.join("text/A/gt/gt.txt"), work.join("text/B/gt/gt.txt")).unwrap();
    let one_file = ["eval", "--gt", "text", "--results", "out/A.txt"];
    run_in(work, &one_file).fails(2, &["--results out/A.txt", "2 sequences", "--seq"]);
    run_in(work, &[one_file.as_slice(), &["--seq", "A"]].concat()).ok();
    for (map, wanted) in [("4", "--map 4: expected TRUTH=RESULTS"), ("0=1", "--map 0=1: expected the number")]
    {
        run_in(work, &[one_file.as_slice(), &["--seq", "A", "--map", map]].concat()).fails(2, &[wanted]);
    }
}

/// Whatever data set is there: its own truth as results is perfect.
#[test]
fn the_truth_of_real_data_is_perfect() {
    let Some(data) = std::env::var_os("TRAILSIGHT_MOT_DATA") else {
        println!("SKIPPED: TRAILSIGHT_MOT_DATA does not name a folder with MOTChallenge sequences");
        return;
    };
    let (data, folder) = (Path::new(&data), tempfile::tempdir().unwrap());
    let mut scored = 0;
    for name in trailsight::dataset::sequences(data).unwrap() {
        let truth = fs::read_to_string(data.join(&name).join("gt/gt.txt")).unwrap();
        write(folder.path(), &format!("{name}.txt"), &truth);
        let (data, results) = (data.display().to_string(), folder.path().display().to_string());
        let arguments =
            ["eval", "--gt", &data, "--results", &results, "--seq", &name, "--class", "1", "--json", "-"];
        let done = run_in(folder.path(), &arguments).ok();
        let all: Value = serde_json::from_str(&done.stdout).unwrap();
        let combined = &all["scores"][0]["combined"];
        if combined["TP"].as_u64().unwrap() > 0 {
            scored += 1;
            for key in ["HOTA", "MOTA", "IDF1"] {
                assert!((combined[key].as_f64().unwrap() - 100.0).abs() < 1e-9, "{name} {key}: {combined:#}");
            }
        }
    }
    assert!(scored > 0, "no sequence with boxes of class 1");
}
