//! The detector against a second implementation: boxes that onnxruntime and OpenCV found in the photographs of
//! `tests/photos/`, made once by `tests/reference/golden_detections.py`.
//!
//! Agreement is: every box with a score of 0.3 or more has its partner of the same class, one to one, scores within
//! 0.01, each edge within 1 pixel or 0.5 % of the picture's longer side. Boxes within 0.01 of 0.3 may be on one side
//! only. The reference does not cut boxes at the picture's edges and the detector does, so they are cut here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use trailsight::detect::{DetectSettings, Detector};
use trailsight::detection::{ClassId, Detection};
use trailsight::frame::Picture;
use trailsight::geometry::Rect;
use trailsight::labels::Labels;

/// From this score on boxes must agree.
const SCORE: f32 = 0.3;
/// How far two scores may be apart.
const SCORE_TOLERANCE: f32 = 0.01;
/// Below this overlap two boxes are not about the same thing.
const PARTNERS_IOU: f32 = 0.5;

#[derive(Deserialize)]
struct Golden {
    nms_iou: f32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    photo: String,
    width: u32,
    height: u32,
    input: String,
    boxes: Vec<GoldenBox>,
}

#[derive(Deserialize)]
struct GoldenBox {
    class: ClassId,
    name: String,
    score: f32,
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Case {
    /// The boxes as the detector gives them, cut at the picture's edges.
    fn detections(&self) -> Vec<Detection> {
        let cut = |b: &GoldenBox| {
            let rect =
                Rect::new(b.left, b.top, b.width, b.height).clipped(self.width as f32, self.height as f32)?;
            Some(Detection { rect, score: b.score, class: b.class })
        };
        self.boxes.iter().filter_map(cut).collect()
    }

    fn title(&self) -> String {
        format!("{} ({}×{}) at {}", self.photo, self.width, self.height, self.input)
    }
}

fn golden() -> Golden {
    let text = std::fs::read_to_string(in_tests("golden/detections.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn in_tests(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn photo(name: &str) -> Picture {
    let image = image::open(in_tests("photos").join(name)).unwrap().into_rgb8();
    Picture::new(image.width(), image.height(), image.into_raw()).unwrap()
}

fn settings(input: &str, nms_iou: f32) -> DetectSettings {
    DetectSettings {
        input: input.parse().unwrap(),
        // Low enough that a box at the lower end of the tolerance is still there.
        confidence: SCORE - 2.0 * SCORE_TOLERANCE,
        nms_iou,
        // As the reference has it.
        box_voting: false,
        ..DetectSettings::default()
    }
}

fn detector(input: &str, nms_iou: f32) -> Detector {
    Detector::load(&settings(input, nms_iou)).unwrap()
}

/// Index pairs of boxes about the same thing: same class, most overlap first, each box once.
fn partners(expected: &[Detection], found: &[Detection]) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    for (i, a) in expected.iter().enumerate() {
        for (j, b) in found.iter().enumerate().filter(|(_, b)| b.class == a.class) {
            let iou = a.rect.iou(&b.rect);
            if iou >= PARTNERS_IOU {
                candidates.push((iou, i, j));
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, i, j) in candidates {
        if !left.contains(&i) && !right.contains(&j) {
            left.insert(i);
            right.insert(j);
            pairs.push((i, j));
        }
    }
    pairs
}

fn edges(rect: &Rect) -> [f32; 4] {
    [rect.left, rect.top, rect.right(), rect.bottom()]
}

fn describe(detection: &Detection) -> String {
    let Rect { left, top, width, height } = detection.rect;
    let name = Labels::coco().name(detection.class).into_owned();
    format!("{name} {:.3} at {left:.1},{top:.1} {width:.1}×{height:.1}", detection.score)
}

/// What does not agree, one line each; empty when all does.
fn differences(case: &Case, found: &[Detection]) -> Vec<String> {
    let counts = |d: &Detection| d.score >= SCORE - SCORE_TOLERANCE;
    let expected: Vec<_> = case.detections().into_iter().filter(counts).collect();
    let found: Vec<_> = found.iter().copied().filter(counts).collect();
    let tolerance = (case.width.max(case.height) as f32 * 0.005).max(1.0);
    let pairs = partners(&expected, &found);

    let mut lines = Vec::new();
    for (i, j) in &pairs {
        let (a, b) = (&expected[*i], &found[*j]);
        let off =
            edges(&a.rect).into_iter().zip(edges(&b.rect)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        if off > tolerance || (a.score - b.score).abs() > SCORE_TOLERANCE {
            lines.push(format!(
                "{} is {} ({off:.2} px off, {tolerance:.2} allowed)",
                describe(a),
                describe(b)
            ));
        }
    }
    let must = |d: &Detection| d.score > SCORE + SCORE_TOLERANCE;
    for (_, missing) in
        expected.iter().enumerate().filter(|(i, d)| must(d) && pairs.iter().all(|p| p.0 != *i))
    {
        lines.push(format!("{} is missing", describe(missing)));
    }
    for (_, extra) in found.iter().enumerate().filter(|(j, d)| must(d) && pairs.iter().all(|p| p.1 != *j)) {
        lines.push(format!("{} is too much", describe(extra)));
    }
    lines
}

/// Runs all cases; `load` makes the detector for an input size.
fn boxes_agree(load: impl Fn(&str, f32) -> Detector) {
    let golden = golden();
    let mut by_input: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in &golden.cases {
        by_input.entry(&case.input).or_default().push(case);
    }
    let mut report = String::new();
    for (input, cases) in by_input {
        let mut detector = load(input, golden.nms_iou);
        for case in cases {
            let picture = photo(&case.photo);
            assert_eq!(picture.size(), (case.width, case.height), "{}", case.photo);
            let found = detector.detect(&picture).unwrap();
            for line in differences(case, &found) {
                report += &format!("\n{}: {line}", case.title());
            }
        }
    }
    assert!(report.is_empty(), "expected is found:{report}");
}

#[test]
fn boxes_agree_with_the_reference() {
    boxes_agree(detector);
}

/// The library onnxruntime on this machine: `ORT_DYLIB_PATH`, or the one in Python's package; says it where there is none.
#[cfg(feature = "onnxruntime")]
fn library() -> Option<std::path::PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let script =
        "import importlib.util as u; print(u.find_spec('onnxruntime').submodule_search_locations[0])";
    let found = std::process::Command::new("python3").args(["-c", script]).output().ok().and_then(|output| {
        let folder = String::from_utf8(output.stdout).ok()?;
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        std::fs::read_dir(Path::new(folder.trim()).join("capi")).ok()?.flatten().map(|e| e.path()).find(
            |path| {
                let name = name(path);
                let stem = name.starts_with("libonnxruntime.") || name == "onnxruntime.dll";
                stem && path.is_file()
            },
        )
    });
    if found.is_none() {
        crate::common::missing("the library onnxruntime (ORT_DYLIB_PATH can name it)");
    }
    found
}

#[cfg(feature = "onnxruntime")]
#[test]
fn boxes_of_onnxruntime_agree_with_the_reference() {
    use trailsight::detect::Runtime;

    let Some(library) = library() else { return };
    for threads in [1, 2] {
        boxes_agree(|input, nms_iou| {
            let settings = DetectSettings {
                runtime: Runtime::OnnxRuntime,
                onnxruntime: Some(library.clone()),
                ..settings(input, nms_iou)
            };
            let detector = Detector::load(&settings).unwrap().with_threads(threads).unwrap();
            assert!(detector.runtime().starts_with("onnxruntime"), "{}", detector.runtime());
            detector
        });
    }
}

/// The network was trained on blue first. With red and blue exchanged it still finds things, only worse, so that a
/// mistake there could pass for a weak model.
#[test]
fn exchanged_colours_do_not_agree() {
    let golden = golden();
    let mut detector = detector("416x416", golden.nms_iou);
    for name in ["cat.png", "coffee.png", "street.png"] {
        let case = golden.cases.iter().find(|c| c.photo == name && c.input == "416x416").unwrap();
        let mut picture = photo(name);
        picture.rgb_mut().iter_mut().for_each(|pixel| pixel.swap(0, 2));
        let found = detector.detect(&picture).unwrap();
        let expected = case.detections();
        let furthest = partners(&expected, &found)
            .into_iter()
            .map(|(i, j)| (expected[i].score - found[j].score).abs())
            .fold(0.0, f32::max);
        assert!(furthest > 0.1, "{}: scores within {furthest:.3} in the wrong colours", case.title());
        assert!(!differences(case, &found).is_empty(), "{}: agrees in the wrong colours", case.title());
    }
}

#[test]
fn a_comparison_can_fail() {
    let golden = golden();
    let case = golden.cases.iter().find(|c| c.photo == "street.png" && c.input == "416x416").unwrap();
    let right = case.detections();
    assert!(differences(case, &right).is_empty());

    let changed = |change: &dyn Fn(&mut Vec<Detection>)| {
        let mut boxes = right.clone();
        change(&mut boxes);
        differences(case, &boxes)
    };
    assert!(changed(&|b| b[0].score += 0.009).is_empty());
    assert!(changed(&|b| b[0].rect.left += 3.5).is_empty());
    for (what, lines) in [
        ("score", changed(&|b| b[0].score += 0.011)),
        ("edge", changed(&|b| b[0].rect.left += 4.0)),
        ("class", changed(&|b| b[0].class = 1)),
        ("missing", changed(&|b| *b = b.split_off(1))),
        ("twice", changed(&|b| b.push(b[0]))),
    ] {
        assert!(!lines.is_empty(), "a wrong {what} passes");
    }
}

/// The photographs are as varied as they are said to be, and something is to be found in each of them.
#[test]
fn golden_boxes_are_many_and_varied() {
    let golden = golden();
    let labels = Labels::coco();
    let (mut photos, mut inputs, mut names) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for case in &golden.cases {
        photos.insert(case.photo.as_str(), (case.width, case.height));
        inputs.insert(case.input.as_str());
        let sure: Vec<_> = case.boxes.iter().filter(|b| b.score >= SCORE).collect();
        assert!(!sure.is_empty(), "nothing in {}", case.title());
        names.extend(sure.iter().map(|b| b.name.as_str()));
        for b in &case.boxes {
            assert_eq!(labels.name(b.class), b.name, "{}", case.title());
        }
    }
    assert!(photos.len() >= 8, "{photos:?}");
    assert!(inputs.contains("416x416") && inputs.len() >= 3, "{inputs:?}");
    for name in ["person", "car", "truck", "motorcycle", "cat", "dog", "cup", "bottle", "wine glass", "tie"] {
        assert!(names.contains(name), "no {name} among {names:?}");
    }
    assert!(photos.values().any(|(w, h)| h >= &(2 * w)), "no tall photograph");
    assert!(photos.values().any(|(w, h)| w >= &(3 * h)), "no wide photograph");
    assert!(photos.values().any(|(w, h)| w.max(h) >= &2000), "no large photograph");
    let grey = |name: &&str| image::open(in_tests("photos").join(name)).unwrap().as_luma8().is_some();
    assert!(photos.keys().any(grey), "no grey photograph");
}
