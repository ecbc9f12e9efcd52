//! Detectors of every family, in the forms in which their exporters write them: small files with weights that have learnt
//! nothing, and what the family's published post-processing makes of them in one picture, worked out without this program by
//! `tests/reference/make_families.py`.
//!
//! Each has to be recognised from the file alone and find the same; none may be taken for another, whatever its exporter left
//! out.

use std::path::{Path, PathBuf};

use prost::Message;
use serde_json::Value;
use tract_onnx::pb::{GraphProto, ModelProto};
use trailsight::detect::model::{ColourOrder, Fit};
use trailsight::detect::{DetectSettings, Detector};
use trailsight::detection::Detection;
use trailsight::frame::Picture;
use trailsight::source::read_picture;

/// Those that are no detectors, or that cannot be read as they are, with a word of the reason.
const REFUSED: [(&str, &str); 6] = [
    ("centernet-heads", "not a detector of a known kind"),
    ("torchvision-3-classes", "NonMaxSuppression lengths change"),
    ("torchvision-faster-rcnn", "NonMaxSuppression lengths change"),
    ("torchvision-ssd", "NonMaxSuppression lengths change"),
    ("ultralytics-classify", "task is \"classify\""),
    ("yolov7-maps", "--grid"),
];
/// Edges in pixels of the network's input, and scores, may differ by this much: pictures are scaled by another library there.
const APART: (f64, f64) = (0.5, 0.01);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/families")
}

/// What stands beside each model, by name.
fn all() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut all: Vec<(String, Value)> = json
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let told = told_of(&name);
            (name, told)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(all.len() > 40, "{}", all.len());
    all
}

/// Names for the classes where the file has none and they are not those of COCO.
fn labels(told: &Value) -> Option<String> {
    let boxes = told["boxes"].as_array().unwrap();
    let unnamed = boxes.iter().filter(|one| one["name"].is_null()).count();
    let output = &told["outputs"]
        .as_array()?
        .iter()
        .map(|output| output["shape"].as_array().unwrap().last().unwrap().as_u64().unwrap());
    let most = output.clone().filter(|columns| matches!(columns, 91 | 92)).max();
    let count = match (unnamed, most) {
        (0, _) => return None,
        (_, Some(_)) => 91,
        (unnamed, None) if unnamed == boxes.len() => 3,
        _ => return None,
    };
    Some((0..count).map(|class| format!("number {class}\n")).collect())
}

pub(crate) struct Case {
    pub(crate) settings: DetectSettings,
    expected: Expected,
    _names: tempfile::TempDir,
}

pub(crate) fn case(name: &str, told: &Value, picture: &Picture) -> Case {
    let names = tempfile::tempdir().unwrap();
    let labels = labels(told).map(|text| {
        let path = names.path().join("names");
        std::fs::write(&path, text).unwrap();
        path
    });
    let shape: Vec<u64> =
        told["input"]["shape"].as_array().unwrap().iter().map(|side| side.as_u64().unwrap()).collect();
    let (height, width) = match *shape {
        [_, _, _, 3] => (shape[1], shape[2]),
        [_, height, width] | [_, _, height, width] => (height, width),
        _ => panic!("{shape:?}"),
    };
    let settings = DetectSettings {
        model: Some(folder().join(name).with_extension("onnx")),
        // Files that take any size are asked for the one that was tried there; sizes that are no multiples of 32 are fixed.
        input: format!("{width}x{height}").parse().unwrap_or_default(),
        confidence: told["threshold"].as_f64().unwrap_or(0.5) as f32,
        nms_iou: told["nms"]["iou"].as_f64().unwrap_or(1.0) as f32,
        box_voting: false,
        labels: labels.clone(),
        ..DetectSettings::default()
    };
    let expected = told["boxes"].as_array().unwrap().iter().filter_map(|one| {
        let number = |key: &str| one[key].as_f64().unwrap();
        let name = match (one["name"].as_str(), &labels) {
            (_, Some(_)) => format!("number {}", one["class"]),
            (Some(name), None) => name.to_owned(),
            (None, None) => return None,
        };
        let (x, y) = (number("x"), number("y"));
        let (right, bottom) = (x + number("w"), y + number("h"));
        let edges =
            [x.max(0.0), y.max(0.0), right.min(picture.width().into()), bottom.min(picture.height().into())];
        (edges[2] > edges[0] && edges[3] > edges[1])
            .then(|| (edges, number("score"), name, one["firm"] != false))
    });
    Case { settings, expected: expected.collect(), _names: names }
}

/// What stands beside the model of this name.
pub(crate) fn told_of(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(name).with_extension("json")).unwrap())
        .unwrap()
}

pub(crate) fn picture() -> Picture {
    read_picture(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photos/street.png")).unwrap()
}

/// Left, top, right, bottom in the picture, score, the name or the number of the class, and whether a grey level more or less
/// leaves it where it is.
type Expected = Vec<([f64; 4], f64, String, bool)>;

/// How many of the boxes that are expected were not found, and how many were found that are not expected.
fn compare(
    detector: &Detector,
    found: &[Detection],
    told: &Value,
    expected: &mut Expected,
) -> (usize, usize) {
    let count = expected.len();
    let (labels, confidence) = (detector.labels(), f64::from(detector.confidence()));
    let width = told["size"][0].as_f64().unwrap() / detector.input().width() as f64;
    let apart = (APART.0 * width.max(1.0), APART.1);
    let mut more = 0_usize;
    for one in found {
        let own = [one.rect.left, one.rect.top, one.rect.right(), one.rect.bottom()].map(f64::from);
        let same = expected.iter().position(|(edges, score, name, firm)| {
            let (pixels, likeness) = if *firm { apart } else { (apart.0 * 16.0, apart.1 * 10.0) };
            let near = own.iter().zip(edges).all(|(a, b)| (a - b).abs() < pixels);
            near && (f64::from(one.score) - score).abs() < likeness && labels.name(one.class) == name.as_str()
        });
        match same {
            Some(at) => drop(expected.swap_remove(at)),
            // A score may lie on either side of the threshold.
            None if f64::from(one.score) - confidence < APART.1 => {}
            None => more += 1,
        }
    }
    expected.retain(|(_, score, _, firm)| *firm && score - confidence >= APART.1);
    // Around the picture there is one grey here; where its makers fill with a colour, boxes that see it lie elsewhere.
    let slack = if told["input"]["fill"].is_array() { count / 5 } else { 0 };
    (expected.len().saturating_sub(slack), more.saturating_sub(slack))
}

/// Whether more may be found than the family's own suppression leaves: the file's own was cut off, with its thresholds.
fn leaves_more(detector: &Detector) -> bool {
    detector.about().rewritten.iter().any(|what| what.contains("suppression"))
}

#[test]
fn every_form_is_recognised_and_finds_what_its_makers_would() {
    let picture = picture();
    let mut wrong = Vec::new();
    for (name, told) in all() {
        let Case { settings, mut expected, _names } = case(&name, &told, &picture);
        let refused = REFUSED.iter().find(|(refused, _)| *refused == name);
        let mut detector = match (Detector::load(&settings), refused) {
            (Ok(detector), None) => detector,
            (Err(error), Some((_, word))) if error.to_string().contains(word) => continue,
            (Ok(_), Some(_)) => {
                wrong.push(format!("{name}: taken for a detector"));
                continue;
            }
            (Err(error), _) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let found = detector.detect(&picture).unwrap();
        let (missing, more) = compare(&detector, &found, &told, &mut expected);
        if missing > 0 || more > 0 && !leaves_more(&detector) {
            wrong.push(format!("{name}, {}: {missing} are missing, {more} too many", detector.about()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What an exporter could have left out or called otherwise, each with what it is.
type Mutation = (&'static str, fn(&mut ModelProto));

const MUTATIONS: [Mutation; 5] = [
    ("without metadata", |model| model.metadata_props.clear()),
    ("with other names of outputs", |model| rename_outputs(model)),
    ("without metadata, with other names of outputs", |model| {
        model.metadata_props.clear();
        rename_outputs(model);
    }),
    ("with its outputs the other way round", |model| model.graph.as_mut().unwrap().output.reverse()),
    ("without a word on the program that wrote it", |model| {
        model.producer_name.clear();
        model.graph.as_mut().unwrap().name.clear();
    }),
];

fn rename_outputs(model: &mut ModelProto) {
    let graph = model.graph.as_mut().unwrap();
    let names: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    for (number, name) in names.iter().enumerate() {
        rename(graph, name, &format!("{}", 1000 + number));
    }
}

fn rename(graph: &mut GraphProto, from: &str, to: &str) {
    let inner = graph.node.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output));
    let all = inner.chain(graph.output.iter_mut().map(|output| &mut output.name));
    all.filter(|name| *name == from).for_each(|name| *name = to.to_owned());
}

/// Whatever is left out, a file is read as what it is, or refused. How the picture must look is given, for no file that lost its
/// metadata could tell it.
#[test]
fn what_was_left_out_makes_no_file_another_one() {
    let picture = picture();
    let folder_of_mutants = tempfile::tempdir().unwrap();
    let (mut wrong, mut right, mut tried) = (Vec::new(), 0, 0);
    for (name, told) in all() {
        let Case { settings, expected, _names } = case(&name, &told, &picture);
        let bytes = std::fs::read(settings.model.as_ref().unwrap()).unwrap();
        let original = ModelProto::decode(bytes.as_slice()).unwrap();
        for (what, mutate) in MUTATIONS {
            let mut mutant = original.clone();
            mutate(&mut mutant);
            if mutant == original {
                continue;
            }
            tried += 1;
            let path = folder_of_mutants.path().join("mutant.onnx");
            std::fs::write(&path, mutant.encode_to_vec()).unwrap();
            let settings = looks(&told["input"], DetectSettings { model: Some(path), ..settings.clone() });
            let Ok(mut detector) = Detector::load(&settings) else { continue };
            let found = detector.detect(&picture).unwrap();
            let (missing, more) = compare(&detector, &found, &told, &mut expected.clone());
            if missing > 0 || more > 0 && !leaves_more(&detector) {
                wrong.push(format!(
                    "{name} {what}, {}: {missing} are missing, {more} too many",
                    detector.about()
                ));
            } else {
                right += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 150 && right > 90, "{right} of {tried} were read, the others refused");
}

/// The settings for a picture that looks as a model's input has it.
fn looks(input: &Value, settings: DetectSettings) -> DetectSettings {
    let order = if input["colour"] == "BGR" { ColourOrder::Bgr } else { ColourOrder::Rgb };
    let three = |key: &str| {
        let mut numbers: Vec<f32> =
            input[key].as_array().unwrap().iter().map(|n| n.as_f64().unwrap() as f32).collect();
        // They stand in the order of the channels there.
        if order == ColourOrder::Bgr {
            numbers.reverse();
        }
        Some([numbers[0], numbers[1], numbers[2]])
    };
    // Some fill with a colour; a grey of its middle channel is near enough.
    let fill = input["fill"].as_u64().or(input["fill"][1].as_u64()).unwrap_or(114) as u8;
    DetectSettings {
        order: Some(order),
        scale: Some(if input["scale"].as_f64().unwrap() < 0.5 { 1.0 / 255.0 } else { 1.0 }),
        mean: three("mean"),
        std: three("std"),
        fit: Some(match input["fit"].as_str().unwrap() {
            "letterbox-centre" => Fit::LetterboxCentred(fill),
            "letterbox-top-left" => Fit::LetterboxTopLeft(fill),
            _ => Fit::Stretch,
        }),
        ..settings
    }
}
