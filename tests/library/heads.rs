//! Networks that are not of the YOLOX family, through tract: what they find in a picture of one colour is what
//! `tests/reference/make_heads.py`, which made them, worked out without this program.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trailsight::detect::model::Fit;
use trailsight::detect::{Candidates, DetectSettings, Detector, Head, ModelSpec, Outputs, Runtime, Slicer};
use trailsight::detection::{Detection, Extra};
use trailsight::frame::Picture;
use trailsight::geometry::Rect;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The settings for a model that tells so many colours apart; the folder holds their names.
fn settings(model: &str, classes: usize) -> (tempfile::TempDir, DetectSettings) {
    let names = tempfile::tempdir().unwrap();
    let labels = names.path().join("colours.names");
    std::fs::write(&labels, ["red", "green", "blue"][..classes].join("\n")).unwrap();
    let settings = DetectSettings {
        model: Some(folder().join("models").join(model).with_extension("onnx")),
        labels: Some(labels),
        input: "32x32".parse().unwrap(),
        confidence: 0.3,
        nms_iou: 0.65,
        box_voting: false,
        ..DetectSettings::default()
    };
    (names, settings)
}

fn picture() -> Picture {
    Picture::filled(64, 32, [200, 100, 50]).unwrap()
}

/// What the golden file says of a model.
fn golden(model: &str) -> Vec<Detection> {
    let text = std::fs::read_to_string(folder().join("golden/heads.txt")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(model));
    let numbers = lines.map(|line| line.split_whitespace().map(|n| n.parse().unwrap()).collect::<Vec<f32>>());
    let found: Vec<_> = numbers
        .map(|n| Detection { rect: Rect::new(n[0], n[1], n[2], n[3]), score: n[4], class: n[5] as u16 })
        .collect();
    assert!(found.len() > 1, "{model} in the golden file");
    found
}

fn assert_same(found: &[Detection], expected: &[Detection]) {
    assert_eq!(found.len(), expected.len(), "{found:?}\n{expected:?}");
    for (a, b) in found.iter().zip(expected) {
        let edges = |r: &Rect| [r.left, r.top, r.right(), r.bottom()];
        let apart = edges(&a.rect).into_iter().zip(edges(&b.rect)).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-3 && (a.score - b.score).abs() < 1e-4, "{a:?}\n{b:?}");
        assert_eq!(a.class, b.class);
    }
}

#[test]
fn each_finds_what_was_worked_out_elsewhere() {
    for (model, classes, removed) in [("anchor-free", 3, 1), ("queries", 2, 0)] {
        let (_names, settings) = settings(model, classes);
        let mut detector = Detector::load(&settings).unwrap();
        let found = detector.detect(&picture()).unwrap();
        assert_same(&found, &golden(model));
        assert_eq!(detector.suppressed().len(), removed, "{model}");
        let mut fork = detector.fork().unwrap();
        assert_eq!(fork.detect(&picture()).unwrap(), found, "{model}");
    }
}

/// A model of which no layer is the plan's is tract's, and the message says why.
#[test]
fn the_native_plan_says_why_it_refuses() {
    let (_names, settings) = settings("anchor-free", 3);
    assert_eq!(Detector::load(&settings).unwrap().runtime(), "tract");
    let error = Detector::load(&DetectSettings { runtime: Runtime::Native, ..settings }).err().unwrap();
    let message = error.to_string();
    assert!(message.contains("the native plan does not know") && message.contains("\"auto\""), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn names_must_go_with_the_classes() {
    let (_names, settings) = settings("anchor-free", 2);
    let error = Detector::load(&settings).err().unwrap().to_string();
    assert!(error.contains("tells 3 classes apart, and there are 2 names"), "{error}");
}

/// Each slice sees the one colour, and finds the same in its own place; what overlaps is suppressed whatever the head says.
#[test]
fn slices_come_together_without_suppression_too() {
    let (_names, settings) = settings("queries", 2);
    let mut detector = Detector::load(&settings).unwrap();
    detector.set_slicer(Slicer { columns: 2, ..Slicer::default() });
    let found = detector.detect(&picture()).unwrap();
    assert!(
        found.iter().any(|d| d.rect.right() < 32.0) && found.iter().any(|d| d.rect.left > 32.0),
        "{found:?}"
    );
    for (i, a) in found.iter().enumerate() {
        assert!(found[..i].iter().all(|b| a.class != b.class || a.rect.iou(&b.rect) <= 0.65), "{found:?}");
    }
}

/// A head of a library user: reads the other one's outputs by name, and tells a number with each box.
struct Own(ModelSpec);

impl Head for Own {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let boxes = outputs.named("pred_boxes")?;
        assert_eq!(boxes.shape, [1, 5, 4]);
        for (number, share) in boxes.values.as_chunks().0.iter().enumerate() {
            let centre_size = share.map(|share| share * 32.0);
            found.push_with(centre_size, (0.4 + 0.1 * number as f32, 0), || Extra {
                embedding: vec![number as f32],
                ..Extra::default()
            });
        }
        Ok(())
    }
}

#[test]
fn a_head_of_ones_own_is_used_and_what_it_tells_stays_with_its_box() {
    let (_names, settings) = settings("queries", 2);
    let spec = Detector::load(&settings).unwrap().spec().clone();
    assert_eq!(spec.input.fit, Fit::Stretch);
    let mut detector =
        Detector::load_with(&settings, Arc::new(Own(ModelSpec { nms: true, ..spec.clone() }))).unwrap();
    let found = detector.detect(&picture()).unwrap();
    // Five boxes, of which two lie on others.
    let told: Vec<f32> = (0..found.len()).map(|at| found.extra(at).unwrap().embedding[0]).collect();
    assert_eq!(told, [4.0, 3.0, 2.0]);
    assert_eq!(found[1].rect, Rect::new(32.0, 4.0, 32.0, 8.0));

    let outputs = vec![spec.outputs[0].clone(); 1];
    let other = ModelSpec { outputs, ..spec.clone() };
    let mut blind = Detector::load_with(&settings, Arc::new(Own(other))).unwrap();
    let error = blind.detect(&picture()).unwrap_err().to_string();
    assert!(error.contains("no output pred_boxes") && error.lines().count() == 1, "{error}");

    let mut wrong = spec;
    wrong.outputs[0].name = "scores".to_owned();
    let error = Detector::load_with(&settings, Arc::new(Own(wrong))).err().unwrap().to_string();
    assert!(error.contains("it has no output scores"), "{error}");
}
