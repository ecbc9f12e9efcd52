//! Damaged settings, tables of boxes and tracks, data sets and models: see `fuzz/mod.rs`.

use std::path::Path;
use std::sync::Arc;

use crate::fuzz::{Scratch, Target, told};
use trailsight::config::{DEFAULT_FILE, Live, Loaded};
use trailsight::dataset::{DetectionFile, ReadOptions, Sequence, SequenceInfo, TrackFile};
use trailsight::detect::{DetectSettings, Detector};
use trailsight::frame::Picture;
use trailsight::geometry::Rect;
use trailsight::labels::Labels;
use trailsight::scene::{Scene, Track, TrackState};
use trailsight::sink::{FrameFacts, TrackFileInfo, TrackWriter};

/// Three frames with two objects, as we write them.
fn tracks(name: &str) -> Vec<u8> {
    let folder = Scratch::new();
    let path = folder.path(name);
    let info = TrackFileInfo { source: "a \"clip\"".to_owned(), labels: Arc::new(Labels::coco()) };
    let mut writer = TrackWriter::open(&path, info).unwrap();
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
        };
        let tracks = vec![track(1, TrackState::Confirmed), track(2, TrackState::Lost)];
        let scene = Scene { sequence, time: sequence as f64 / 10.0, tracks, ..Scene::default() };
        writer.write(&scene, FrameFacts { size: (640, 480), wall: None }).unwrap();
    }
    writer.finish().unwrap();
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
    let labels = Labels::coco();
    Target { words: WORDS, ..Target::new("tracks", seeds) }.run(|bytes| {
        told(TrackFile::parse(bytes, "it", &labels), |file| {
            assert!(file.rows().iter().all(|row| row.rect.is_sound() && row.score.is_finite()));
            let last = file.rows().last().map_or(0, |row| row.frame);
            format!("{} {}", file.at(0).len() + file.at(last).len() > 1, file.labels().is_empty())
        })
    });
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
    Target { words: WORDS, ..Target::new("detections", seeds) }.run(|bytes| {
        told(DetectionFile::parse(bytes, "it"), |file| {
            assert!(file.rows().iter().all(|(_, d)| d.rect.is_sound() && (0.0..=1.0).contains(&d.score)));
            format!("{} {}", file.at(0).count() > 0, file.frames() > 3)
        })
    });
}

#[test]
fn data_sets() {
    let scratch = Scratch::new();
    let info =
        "[Sequence]\nname=MOT17-02\nframeRate=30\nseqLength=600\nimWidth=1920\nimHeight=1080\nimExt=.jpg\n";
    Target {
        words: &[b"=", b"seqLength=", b"frameRate=", b"\n", b"[", b"\0"],
        ..Target::new("seqinfo", vec![info.into()])
    }
    .run(|bytes| {
        told(SequenceInfo::parse(&String::from_utf8_lossy(bytes), "it"), |info| format!("{info:?}"))
    });
    let truth = "1,1,912,484,97,109,1,1,1\n1,2,1338,418,167,379,1,1,0.8\n2,1,914,484,97,109,1,1,1\n3,3,1,2,3,4,0,8,0.1\n";
    scratch.write("seq/gt/dontcare.txt", b"1,-1,5,5,60,60\n");
    let target = Target::new("truth", vec![truth.into()]);
    Target { words: WORDS, cost: 2, ..target }.run(|bytes| {
        let path = scratch.write("seq/gt/gt.txt", bytes);
        let mut words = String::new();
        for every in [1, 3] {
            let options = ReadOptions { every, benchmark: None };
            words += &told(
                Sequence::read(path.parent().unwrap().parent().unwrap().parent().unwrap(), "seq", &options),
                |sequence| {
                    let truth = told(sequence.truth(None), |_| "truth".to_owned());
                    let results = told(sequence.results(&path), |file| {
                        told(file.select(None), |_| "results".to_owned())
                    });
                    let detections = told(sequence.detections(&path), |file| (file.frames() > 2).to_string());
                    format!("{truth} {results} {detections} {}", sequence.classes().len())
                },
            );
        }
        words
    });
}

#[test]
fn settings() {
    let scratch = Scratch::new();
    let sections: Vec<Vec<u8>> = DEFAULT_FILE
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
        b"memory_seconds = ",
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
    Target { words, cost: 4, longest: 1 << 13, ..Target::new("config", seeds) }.run(|bytes| {
        let path = scratch.write("config.toml", bytes);
        let loaded = match Loaded::load(Some(&path), &[]) {
            Ok(loaded) => loaded,
            Err(error) => return error.to_string(),
        };
        assert!(!loaded.to_toml_with_origins().is_empty());
        // What is right stays right when something is written into it.
        let mut live = Live::new(loaded);
        let set = live.set("tracker.memory_seconds", &1.5.into()).is_ok();
        let written = told(live.write_back(), |saved| saved.keys.len().to_string());
        let again = Loaded::load(Some(&path), &[]);
        assert!(again.is_ok(), "{again:?}");
        format!("{set} {written}")
    });
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
    Target::new("labels", vec![b"person\nbicycle\r\n\n car \n".to_vec()]).run(|bytes| {
        let labels = Labels::parse(&String::from_utf8_lossy(bytes));
        format!("{:?} {} {:?}", labels.find("car"), labels.is_empty(), labels.name(3))
    });
}

/// Loads a model, and looks at a picture with it where it is one.
fn model(scratch: &Scratch, bytes: &[u8]) -> String {
    let path = scratch.write("model.onnx", bytes);
    let labels = scratch.write("three.names", b"bolt\nnut\nwasher\n");
    let settings = DetectSettings {
        model: Some(path),
        labels: Some(labels),
        input: "32x32".parse().unwrap(),
        ..DetectSettings::default()
    };
    told(Detector::load(&settings), |mut detector| {
        let picture = Picture::filled(40, 30, [200, 90, 10]).unwrap();
        told(detector.detect(&picture), |found| {
            assert!(found.iter().all(|d| d.rect.is_sound() && d.score.is_finite()), "{found:?}");
            "it detects".to_owned()
        })
    })
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
    let scratch = Scratch::new();
    Target { words, cost: 4, memory: 512 << 20, ..Target::new("model", seeds) }
        .run(|bytes| model(&scratch, bytes));
}

#[test]
fn the_bundled_model_damaged() {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/yolox_nano.onnx")).unwrap();
    let scratch = Scratch::new();
    let target = Target::new("nano", vec![bytes]);
    Target { cost: 200, longest: 1 << 23, memory: 512 << 20, ..target }.run(|bytes| {
        let path = scratch.write("model.onnx", bytes);
        let settings = DetectSettings {
            model: Some(path),
            input: "32x32".parse().unwrap(),
            ..DetectSettings::default()
        };
        told(Detector::load(&settings), |mut detector| {
            let picture = Picture::filled(40, 30, [200, 90, 10]).unwrap();
            told(detector.detect(&picture), |_| "it detects".to_owned())
        })
    });
}
