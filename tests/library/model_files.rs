//! Models given by a file: ones that cannot stand in for the bundled model are refused with what was found and what
//! was expected; one of the family with other classes works. The files are made by `tests/reference/make_models.py`.

use std::path::{Path, PathBuf};

use trailsight::detect::{DetectError, DetectSettings, Detector};
use trailsight::frame::Picture;

fn settings(model: &str) -> DetectSettings {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(model);
    DetectSettings { model: Some(model), ..DetectSettings::default() }
}

fn three_names() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("three.names");
    std::fs::write(&path, "bolt\nnut\nwasher\n").unwrap();
    (folder, path)
}

#[test]
fn other_networks_are_refused_with_their_shape() {
    for (model, found) in [("two-inputs.onnx", "2 inputs (images, other)"), ("no-picture.onnx", "1,16")] {
        let error = Detector::load(&settings(model)).err().expect(model);
        assert!(matches!(error, DetectError::Shape { .. }), "{model}: {error:?}");
        let message = error.to_string();
        assert!(message.contains(model) && message.contains(found), "{message}");
        assert!(message.contains("expected one "), "{message}");
        assert!(message.lines().count() == 1, "{message}");
    }
}

#[test]
fn a_classifier_is_told_from_a_detector() {
    let error = Detector::load(&settings("wrong-output.onnx")).err().unwrap();
    assert!(matches!(error, DetectError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("10 numbers for the whole picture, as a classifier does"), "{error}");
}

#[test]
fn three_classes_need_three_names() {
    let error = Detector::load(&settings("three-classes.onnx")).err().expect("80 names");
    assert!(matches!(error, DetectError::Classes { found: 3, expected: 80, .. }), "{error:?}");

    let (_folder, names) = three_names();
    let settings = DetectSettings { labels: Some(names), confidence: 0.01, ..settings("three-classes.onnx") };
    let mut detector = Detector::load(&settings).unwrap();
    assert_eq!(detector.labels().iter().collect::<Vec<_>>(), ["bolt", "nut", "washer"]);
    let found = detector.detect(&Picture::filled(300, 200, [200, 90, 10]).unwrap()).unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|d| d.class < 3 && d.rect.is_sound()), "{found:?}");
}

#[test]
fn classes_are_looked_up_in_the_names_of_the_model() {
    let (_folder, names) = three_names();
    let with = |class: &str| DetectSettings {
        labels: Some(names.clone()),
        classes: vec![class.to_owned()],
        ..settings("three-classes.onnx")
    };
    assert!(Detector::load(&with("nut")).is_ok());
    let error = Detector::load(&with("person")).err().expect("not one of the three");
    assert!(matches!(error, DetectError::UnknownClass { .. }), "{error:?}");
}
