//! `models show`: what it tells of a model's file, and what it says of one that is none.

use crate::common::{Done, root, run_in};

/// In a folder without a config file.
fn run(arguments: &[&str]) -> Done {
    run_in(tempfile::tempdir().unwrap().path(), arguments)
}

fn show(file: &str, more: &[&str]) -> Done {
    let file = root().join("tests/models").join(file);
    run(&[&["models", "show", file.to_str().unwrap()][..], more].concat())
}

#[test]
fn a_file_is_told_with_its_family_its_input_and_what_runs_it() {
    let told = show("families/ultralytics.onnx", &[]).ok().stdout;
    for line in [
        "family      YOLO of Ultralytics",
        "            the metadata of Ultralytics' exporter",
        "input       640x640 (1×3×640×640), only this size",
        "            red first, numbers from 0 to 1, in the middle",
        "outputs     output0 1×84×8400",
        "boxes       centre and size, pixels of the input",
        "classes     80 (its own metadata): person, bicycle, car, motorcycle, …",
        "runs with   native",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let told = show("families/yolonas.onnx", &[]).ok().stdout;
    for line in [
        "family      YOLO-NAS",
        "rewritten   its picture is of whole levels",
        "cut ahead of its own suppression",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let told = show("families/yolov5.onnx", &[]).ok().stdout;
    assert!(told.contains("assumed: red first, numbers from 0 to 1"), "{told}");
}

#[test]
fn what_is_set_counts_more_than_what_is_recognised() {
    let more = [
        "--set",
        "detector.family=rtmdet",
        "--set",
        "detector.fit=stretch",
        "--set",
        "detector.boxes=corners",
    ];
    let told = show("families/yolov5.onnx", &more).ok().stdout;
    for line in [
        "family      RTMDet",
        "detector.family, detector.fit, detector.boxes",
        "blue first, levels up to 255, less [123.675, 116.28, 103.53], over [58.395, 57.12, 57.375], stretched",
        "boxes       corners, pixels of the input",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    show("families/yolov5.onnx", &["--set", "detector.mean=[1,2]"])
        .fails(2, &["detector.mean", "[red, green, blue]"]);
}

#[test]
fn runtimes_are_compared() {
    let told = run(&["models", "show", "--check", "--input", "320x192"]).ok().stdout;
    assert!(told.contains("model       built in") && told.contains("family      YOLOX"), "{told}");
    let native = told.lines().find(|line| line.starts_with("native")).unwrap();
    assert!(native.contains("the same boxes"), "{told}");
}

#[test]
fn what_is_no_model_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, word) in [
        ("best.pt", &b"PK\x03\x04rest"[..], "PyTorch"),
        ("best.tflite", b"\x20\0\0\0TFL3rest", "TensorFlow Lite"),
        ("best.onnx", b"<!DOCTYPE html><html>", "web page"),
        ("empty.onnx", b"", "empty"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let done = run(&["models", "show", path.to_str().unwrap()]).fails(1, &[name, word]);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    }
    show("families/ultralytics-classify.onnx", &[]).fails(1, &["task is \"classify\""]);
}

/// Names of classes come from a file that may be anybody's.
#[test]
fn a_file_gives_the_terminal_no_commands() {
    use prost::Message;
    let bytes = std::fs::read(root().join("tests/models/families/ultralytics-1-class.onnx")).unwrap();
    let mut model = tract_onnx::pb::ModelProto::decode(bytes.as_slice()).unwrap();
    let names = model.metadata_props.iter_mut().find(|entry| entry.key == "names").unwrap();
    names.value = "{0: 'red\u{1b}[31m'}".to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.onnx");
    std::fs::write(&path, model.encode_to_vec()).unwrap();
    let told = run(&["models", "show", path.to_str().unwrap()]).ok().stdout;
    assert!(told.contains("red\u{fffd}[31m") && !told.contains('\u{1b}'), "{told}");
}
