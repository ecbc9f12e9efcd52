//! The native plan against tract's own, on the bundled model and on one made of every layer that such models have.

use std::path::{Path, PathBuf};

use trailsight::detect::{DetectSettings, Detector, Runtime};
use trailsight::detection::Detection;
use trailsight::frame::Picture;

/// How far two edges may be apart, in pixels of the picture.
const EDGE: f32 = 0.5;
/// How far two scores may be apart.
const SCORE: f32 = 0.005;

fn in_tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn photos() -> Vec<(String, Picture)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(in_tests("photos")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "png"));
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    let read = |path: &PathBuf| {
        let image = image::open(path).unwrap().into_rgb8();
        let picture = Picture::new(image.width(), image.height(), image.into_raw()).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), picture)
    };
    paths.iter().map(read).collect()
}

/// What only one of two lists has, or what differs by more than is allowed; a box at the threshold may be in one only.
fn differences(one: &[Detection], other: &[Detection], threshold: f32) -> Vec<String> {
    let near = |a: &Detection, b: &Detection| {
        let edges = |d: &Detection| [d.rect.left, d.rect.top, d.rect.right(), d.rect.bottom()];
        a.class == b.class
            && (a.score - b.score).abs() <= SCORE
            && edges(a).iter().zip(edges(b)).all(|(a, b)| (a - b).abs() <= EDGE)
    };
    let without = |one: &[Detection], other: &[Detection]| -> Vec<String> {
        one.iter()
            .filter(|a| a.score > threshold + SCORE && !other.iter().any(|b| near(a, b)))
            .map(|a| format!("{a:?}"))
            .collect()
    };
    [without(one, other), without(other, one)].concat()
}

fn detector(settings: &DetectSettings, runtime: Runtime) -> Detector {
    Detector::load(&DetectSettings { runtime, ..settings.clone() }).unwrap()
}

/// On every photograph: the same boxes by both, with one thread and with several.
fn agrees(settings: &DetectSettings, least: usize) {
    let mut tract = detector(settings, Runtime::Tract);
    let mut natives = [1, 2, 3].map(|threads| {
        let native = detector(settings, Runtime::Native).with_threads(threads).unwrap();
        assert!(native.runtime().starts_with("native"), "{}", native.runtime());
        native
    });
    let mut boxes = 0;
    for (name, picture) in photos() {
        let expected = tract.detect(&picture).unwrap();
        boxes += expected.len();
        let found = natives.each_mut().map(|native| native.detect(&picture).unwrap());
        let different = differences(&expected, &found[0], settings.confidence);
        assert!(different.is_empty(), "{name} at {}: {different:#?}", settings.input);
        assert!(found.iter().all(|list| *list == found[0]), "{name}: threads change what is found");
    }
    assert!(boxes >= least, "only {boxes} boxes to compare");
}

#[test]
fn boxes_of_the_bundled_model_are_tracts() {
    for input in ["416x416", "320x320", "640x384"] {
        let settings =
            DetectSettings { input: input.parse().unwrap(), confidence: 0.05, ..DetectSettings::default() };
        agrees(&settings, 60);
    }
}

/// What lies below the picture is computed once: after another picture of the same size, of another size, or none.
#[test]
fn what_was_shown_before_changes_no_bit() {
    let settings = DetectSettings { confidence: 0.05, ..DetectSettings::default() };
    let photos = photos();
    let wide = photos.iter().filter(|(_, picture)| picture.width() > picture.height()).map(|(_, p)| p);
    let mut used = detector(&settings, Runtime::Native);
    let mut compared = 0;
    for picture in wide {
        let expected = detector(&settings, Runtime::Native).detect(picture).unwrap();
        let (width, height) = picture.size();
        let other = Picture::filled(width, height, [240, 30, 120]).unwrap();
        used.detect(&other).unwrap();
        for _ in 0..2 {
            assert_eq!(used.detect(picture).unwrap(), expected);
        }
        compared += expected.len();
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn every_class_score_is_tracts_where_all_are_asked_for() {
    let settings = DetectSettings { confidence: 0.001, nms_iou: 1.0, ..DetectSettings::default() };
    let mut tract = detector(&settings, Runtime::Tract);
    let mut native = detector(&settings, Runtime::Native);
    let (_, picture) = &photos()[2];
    let (expected, found) = (tract.detect(picture).unwrap(), native.detect(picture).unwrap());
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(differences(&expected, &found, 0.001), Vec::<String>::new());
}

fn three_classes(model: &str) -> (tempfile::TempDir, DetectSettings) {
    let folder = tempfile::tempdir().unwrap();
    let names = folder.path().join("three.names");
    std::fs::write(&names, "bolt\nnut\nwasher\n").unwrap();
    let model = Some(in_tests("models").join(model));
    (folder, DetectSettings { model, labels: Some(names), confidence: 0.3, ..DetectSettings::default() })
}

#[test]
fn a_model_of_every_kind_of_layer_gives_what_tract_gives() {
    for input in ["416x416", "96x64"] {
        let (_folder, settings) = three_classes("many-layers.onnx");
        agrees(&DetectSettings { input: input.parse().unwrap(), ..settings }, 50);
    }
}

#[test]
fn a_model_with_means_under_windows_gives_what_tract_gives() {
    let (_folder, settings) = three_classes("three-classes.onnx");
    agrees(&settings, 1);
}

/// Models of every family, as their exporters write them: whatever threshold leaves out boxes that are not computed, whatever
/// the number of threads.
#[test]
fn models_of_every_family_give_what_tract_gives() {
    let photos = photos();
    let (_, picture) = &photos[0];
    let (mut native_ones, mut both) = (0, 0);
    let files = std::fs::read_dir(in_tests("models/families")).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "onnx")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let settings = DetectSettings { model: Some(path), confidence: 0.001, ..DetectSettings::default() };
        // Some are to be refused, and some need names of their own.
        let Ok(mut tract) = Detector::load(&DetectSettings { runtime: Runtime::Tract, ..settings.clone() })
        else {
            continue;
        };
        let all = tract.detect(picture).unwrap();
        let mut scores: Vec<f32> = all.iter().map(|one| one.score).collect();
        scores.sort_by(f32::total_cmp);
        let mut one_thread = Vec::new();
        for threads in [1, 3] {
            let mut native = detector(&settings, Runtime::Auto).with_threads(threads).unwrap();
            native_ones += usize::from(native.runtime().starts_with("native"));
            both += usize::from(native.runtime().ends_with(" and tract"));
            for share in [0.0, 0.5, 0.9] {
                let threshold = match scores.get((scores.len() as f64 * share) as usize) {
                    Some(score) if share > 0.0 => *score,
                    _ => 0.001,
                };
                for detector in [&mut tract, &mut native] {
                    detector.set_thresholds(threshold, settings.nms_iou);
                }
                let expected = tract.detect(picture).unwrap().into_boxes();
                let found = native.detect(picture).unwrap().into_boxes();
                match threads {
                    1 => one_thread.push(found.clone()),
                    _ => assert!(one_thread.contains(&found), "{name}: threads change a bit"),
                }
                let different = differences(&expected, &found, threshold);
                // Of candidates with nearly the same score now the one, now the other suppresses its neighbours.
                assert!(
                    different.len() * 20 <= expected.len(),
                    "{name}, {threads} threads, from {threshold}: {} and {} boxes; {different:#?}",
                    expected.len(),
                    found.len()
                );
            }
        }
    }
    assert!(native_ones > 60 && both > 40, "{native_ones} by the plan, {both} of them with tract's help");
}

#[test]
fn a_comparison_can_fail() {
    let (_, picture) = &photos()[9];
    let settings = DetectSettings { confidence: 0.3, ..DetectSettings::default() };
    let right = detector(&settings, Runtime::Native).detect(picture).unwrap().into_boxes();
    assert!(right.len() > 2);
    assert!(differences(&right, &right, 0.3).is_empty());
    let changed = |change: &dyn Fn(&mut Vec<Detection>)| {
        let mut boxes = right.clone();
        change(&mut boxes);
        differences(&right, &boxes, 0.3)
    };
    assert!(changed(&|b| b[0].score += 0.004).is_empty());
    for (what, lines) in [
        ("score", changed(&|b| b[0].score += 0.006)),
        ("edge", changed(&|b| b[0].rect.left += 0.6)),
        ("class", changed(&|b| b[0].class += 1)),
        ("missing", changed(&|b| *b = b.split_off(1))),
    ] {
        assert!(!lines.is_empty(), "a wrong {what} passes");
    }
}
