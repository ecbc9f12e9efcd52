//! Damaged settings, tables of boxes and tracks, data sets and models: see `fuzz/mod.rs`.

use std::path::Path;
use std::sync::Arc;

use crate::fuzz::Target;
use crate::fuzz::readers::{self, Scratch};
use trailsight::config::default_file;
use trailsight::detection::{Extra, Keypoint, Mask};
use trailsight::geometry::{Rect, TurnedRect};
use trailsight::labels::Labels;
use trailsight::scene::{Scene, Track, TrackState};
use trailsight::sink::{End, FrameFacts, Purpose, Registry, RunInfo, Sinks};

/// Three frames with two objects, as we write them.
fn tracks(name: &str) -> Vec<u8> {
    let folder = Scratch::new();
    let path = folder.path(name);
    let labels = Arc::new(Labels::coco());
    let run = RunInfo { source: "a \"clip\"".to_owned(), labels, rate: None, sound: None };
    let sink = Registry::default().make(Purpose::Tracks, &path, 80).unwrap();
    let mut sinks = Sinks::begin(vec![sink], &run).unwrap();
    for sequence in 0..3 {
        let track = |id: u64, state| Track {
            id,
            class: id as u16,
            score: 0.75,
            rect: Rect::new(10.5 * id as f32, 20.0, 30.25, 40.0),
            velocity: [1.0, 0.0, 0.0, 0.5],
            state,
            born: 0.0,
            seen: sequence as f64 / 10.0,
            detection: None,
        };
        let tracks = vec![track(1, TrackState::Confirmed), track(2, TrackState::Lost)];
        let extra = Extra {
            turned: Some(TurnedRect { x: 25.0, y: 40.0, width: 30.0, height: 20.0, angle: 0.5 }),
            mask: Mask::new(Rect::new(10.0, 20.0, 30.0, 40.0), (30, 40), |x, y| (x + y) % 9 > 2),
            keypoints: vec![Keypoint { x: 12.0, y: 30.0, score: 0.5 }],
            ..Extra::default()
        };
        let (time, extras) = (sequence as f64 / 10.0, vec![(1, extra)]);
        let scene = Scene { sequence, time, tracks, extras, ..Scene::default() };
        sinks.scene(&scene, &FrameFacts { size: (640, 480), wall: None, file: None }).unwrap();
    }
    sinks.finish(End::Complete).unwrap();
    std::fs::read(path).unwrap()
}

const WORDS: &[&[u8]] = &[
    b",",
    b"\n",
    b"\r\n",
    b";",
    b"\t",
    b"#",
    b"\"",
    b"[[[[",
    b"{\"frame\":1,\"tracks\":[",
    b"\"mask\":{\"size\":[480,640],\"counts\":\"",
    b"[32768,32768]",
    b"\"turned\":[[",
    b"\"keypoints\":[[",
    b"}",
    b"null",
    b"1e400",
    b"\xff",
    b"\xef\xbb\xbf",
    b" ",
    b"-1",
    b",,,,,,,,",
    b"\\u0000",
    b"\"class\":",
];

#[test]
fn track_files() {
    let mut seeds: Vec<_> = ["a.txt", "a.jsonl", "a.csv", "a.json"].map(tracks).to_vec();
    seeds
        .push(b"1,1,912,484,97,109,0,7,1\n1,2,1338,418,167,379,1,1,1\n2,2,1342,417,168,380,1,1,1\n".to_vec());
    seeds.push(b"{\"frame\":3,\"tracks\":[{\"id\":4,\"box\":[1,2,3,4]},{\"id\":5,\"box\":[1,2,3,4],\"class\":\"cup\",\"score\":0.5}]}\n".to_vec());
    Target { words: WORDS, ..Target::new("tracks", seeds) }.run(readers::tracks);
}

#[test]
fn detection_files() {
    let golden =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo_detections.txt"))
            .unwrap();
    let seeds = vec![
        golden[..900].to_vec(),
        b"1,-1,794.27,247.59,71.245,174.88,4.56,-1,-1,-1\n3 -1 1 2 3 4 0.5\n".to_vec(),
    ];
    Target { words: WORDS, ..Target::new("detections", seeds) }.run(readers::detections);
}

#[test]
fn formats_of_other_programs() {
    let seeds: Vec<Vec<u8>> = [
        "<annotations><meta><task><size>9</size><labels><label><name>a</name></label></labels></task></meta><track id=\"3\" \
         label=\"a\"><box frame=\"0\" xtl=\"1\" ytl=\"2\" xbr=\"30\" ybr=\"40\" outside=\"0\"/><box frame=\"4\" xtl=\"1\" \
         ytl=\"2\" xbr=\"30\" ybr=\"40\" outside=\"1\"/></track></annotations>",
        "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,frame_index\r\n1,2,30,40,0,0.9,7,0\r\n1,2,30,40,0,0.9,,1\r\n",
        "[{\"x_min\":1,\"y_min\":2,\"x_max\":30,\"y_max\":40,\"class_id\":2,\"confidence\":0.5,\"tracker_id\":\"\",\"frame\":3}]",
        "{\"videos\":[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"x/b\"}],\"images\":[{\"id\":1,\"video_id\":1,\"frame_id\":1},\
         {\"id\":2,\"video_id\":2}],\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"track_id\":7}]}",
        "[{\"image_id\":1,\"category_id\":18,\"bbox\":[1,2,3,4],\"score\":0.5}]",
        "[{\"annotations\":[{\"result\":[{\"id\":\"a\",\"type\":\"videorectangle\",\"value\":{\"framesCount\":9,\"labels\":\
         [\"car\"],\"sequence\":[{\"frame\":2,\"x\":1,\"y\":2,\"width\":3,\"height\":4,\"enabled\":true}]}}]}]}]",
        "0 7 Car 0 0 -1.5 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10 0.9\n0 -1 DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10\n",
        "0 0.5 0.5 0.1 0.1 0.9 7\n2 0.25 0.5 0.1 0.1 1\n",
        "1,0,593,43,174,190,0,0,0,0\n1,7,10,20,30,40,1,4,1,2\n2,8,11,21,30,40,0,11,0,0\n",
        "1,1,142,148,106,45,1,2,1\n1,2,42,18,16,15,2,1,3\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    let words: &[&[u8]] =
        &[b"\"", b"<", b"/>", b"&amp;", b"-1", b"1e400", b",", b"null", b"99999999999", b"[[", b"{"];
    let seeds = seeds.into_iter().chain(["a.json", "a.csv"].map(tracks)).collect();
    // Keyframes stand for the boxes between them, up to a limit.
    Target { words, cost: 4, memory: 512 << 20, ..Target::new("formats", seeds) }.run(readers::formats);
}

#[test]
fn data_sets() {
    let info =
        "[Sequence]\nname=MOT17-02\nframeRate=30\nseqLength=600\nimWidth=1920\nimHeight=1080\nimExt=.jpg\n";
    Target {
        words: &[b"=", b"seqLength=", b"frameRate=", b"\n", b"[", b"\0"],
        ..Target::new("seqinfo", vec![info.into()])
    }
    .run(readers::seqinfo);
    let truth = "1,1,912,484,97,109,1,1,1\n1,2,1338,418,167,379,1,1,0.8\n2,1,914,484,97,109,1,1,1\n3,3,1,2,3,4,0,8,0.1\n";
    let others = [
        "0 7 Car 0 0 -1.5 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10\n0 8 Person 1 3 -10 1 2 31 40\n0 -1 DontCare -1 -1 -10 1 2 3 4\n",
        "1,0,593,43,174,190,0,0,0,0\n1,7,10,20,30,40,1,4,1,2\n2,8,11,21,30,40,0,11,0,0\n",
        "{\"frame\":3,\"tracks\":[{\"id\":4,\"box\":[1,2,3,4]},{\"id\":5,\"box\":[1,2,3,4],\"class\":\"car\"}]}\n",
    ];
    let seeds = std::iter::once(truth).chain(others).map(|text| text.as_bytes().to_vec()).collect();
    Target { words: WORDS, cost: 2, ..Target::new("truth", seeds) }.run(readers::truth);
}

#[test]
fn settings() {
    let sections: Vec<Vec<u8>> = default_file()
        .split("\n\n")
        .map(|part| {
            part.lines()
                .filter(|line| !line.starts_with("# "))
                .map(|line| line.trim_start_matches('#'))
                .collect::<Vec<_>>()
                .join("\n")
        })
        .map(String::into_bytes)
        .collect();
    let words: &[&[u8]] = &[
        b"[tracker]\n",
        b"[detector]\n",
        b"confidence = ",
        b"preset = \"sort\"\n",
        b"lost_track_seconds = ",
        b"= ",
        b"[[",
        b"]]",
        b"{",
        b"}",
        b"\"\"\"",
        b"'",
        b"1e400",
        b"-0.0",
        b"nan",
        b"true",
        b"classes = [\"person\"]\n",
        b"\\u0000",
        b"tracker.high_score = 0.1\n",
        b"\n",
    ];
    let mut seeds = sections;
    seeds.push(
        b"[tracker]\npreset = \"bytetrack\"\nhigh_score = 0.5\nlow_score = 0.1\n[trails]\nseconds = 2\n"
            .to_vec(),
    );
    Target { words, cost: 4, longest: 1 << 13, ..Target::new("config", seeds) }.run(readers::config);
}

#[test]
fn every_reader_is_fuzzed_with_coverage_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let files = std::fs::read_dir(folder.join("fuzz_targets")).unwrap().map(|entry| entry.unwrap().path());
    let mut targets: Vec<String> =
        files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    targets.sort();
    // Without the feature there is no such reader.
    targets.retain(|name| cfg!(feature = "camera") || name != "camera");
    let readers: Vec<&str> = readers::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, readers);
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in readers::ALL {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let target = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("readers::{name}(bytes)")), "{target}");
    }
}

#[test]
fn what_is_wrong_is_found() {
    let faults: [fn(); 2] = [|| panic!("at last"), || drop(std::hint::black_box(vec![1_u8; 80 << 20]))];
    for fault in faults {
        let search = || {
            Target::new("self", vec![b"1,2,3".to_vec()]).run(|bytes| {
                if bytes.contains(&0xff) {
                    fault();
                }
                String::new()
            });
        };
        assert!(std::panic::catch_unwind(search).is_err());
    }
}

#[test]
fn class_names() {
    Target::new("labels", vec![b"person\nbicycle\r\n\n car \n".to_vec()]).run(readers::labels);
}

#[test]
fn rules() {
    let seeds = [
        "person in square for 5s and not between 22:00 and 06:00:30",
        "count(car/'traffic light' in square) >= 3 for 1 min 2 s or (nobody in \"north gate\" and no bus)",
        "person crosses door in and speed_px_per_s > -200.5",
        "suitcase still in square for 30 s",
    ];
    let words: &[&[u8]] = &[
        b" and ",
        b" or ",
        b"not ",
        b"(",
        b")",
        b"count(",
        b" for 5 s",
        b"'",
        b" in ",
        b" out",
        b"/",
        b"nobody",
        b"=",
        b"99999999999999999999",
        b"\n",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec()).to_vec();
    Target { words, ..Target::new("rule", seeds) }.run(readers::rule);
}

#[test]
fn tables_of_models() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/zoo.toml");
    let words: &[&[u8]] = &[b"[[model]]\n", b"[[bring]]\n", b"name = \"../x\"\n", b"bytes = -1\n", b"sha256"];
    let target = Target::new("model_table", vec![std::fs::read(table).unwrap()]);
    Target { words, cost: 4, ..target }.run(readers::model_table);
}

#[test]
fn small_models() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let names = ["three-classes.onnx", "no-picture.onnx", "two-inputs.onnx", "wrong-output.onnx"];
    let seeds = names.map(|name| std::fs::read(folder.join(name)).unwrap()).to_vec();
    let words: &[&[u8]] = &[
        b"Conv",
        b"Reshape",
        b"Concat",
        b"Transpose",
        b"Resize",
        b"Slice",
        b"MaxPool",
        b"Sigmoid",
        b"Softmax",
        b"Pad",
        b"Div",
        b"Loop",
        b"If",
        b"\x08\xff\xff\xff\xff\x0f",
        b"\x08\x00",
        b"\x0a",
        b"\x12",
        b"\x1a",
        b"\x10\x01",
    ];
    Target { words, cost: 4, memory: 512 << 20, ..Target::new("model", seeds) }.run(readers::model);
}

#[test]
fn the_bundled_model_damaged() {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/yolox_nano.onnx")).unwrap();
    let target = Target::new("nano", vec![bytes]);
    Target { cost: 200, longest: 1 << 23, memory: 512 << 20, ..target }.run(readers::coco_model);
}
