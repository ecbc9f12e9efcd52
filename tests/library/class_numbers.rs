//! A run that goes over to a model of another family, whose classes are in another order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto, ValueInfoProto,
};
use trailsight::config::Settings;
use trailsight::detect::Detector;
use trailsight::labels::Labels;
use trailsight::pipeline::{Note, TrackedFrame};

use super::live_network::{PATIENCE, start, take};

/// The side of the network's input, and the cells of its three grids.
const SIDE: usize = 416;
const CELLS: usize = 3549;

fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn floats(name: &str, dims: &[usize], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type: DataType::Float as i32,
        float_data: values,
        ..TensorProto::default()
    }
}

fn node(op: &str, inputs: &[&str], output: &str, attribute: Option<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: output.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: attribute.into_iter().collect(),
        ..NodeProto::default()
    }
}

fn axis(axis: i64) -> Option<AttributeProto> {
    Some(AttributeProto {
        name: "axis".to_owned(),
        r#type: AttributeType::Int as i32,
        i: axis,
        ..AttributeProto::default()
    })
}

/// For each cell its column, row and stride.
fn cells() -> (Vec<f32>, Vec<f32>) {
    let (mut places, mut strides) = (Vec::new(), Vec::new());
    for stride in [8, 16, 32] {
        let side = SIDE / stride;
        for cell in 0..side * side {
            places.extend([(cell % side) as f32, (cell / side) as f32]);
            strides.push(stride as f32);
        }
    }
    assert_eq!(strides.len(), CELLS);
    (places, strides)
}

/// The built-in network in the form of YOLOv8 as Ultralytics exports it: red first, numbers from 0 to 1, boxes decoded, one
/// score for each class. The classes are in reverse order.
fn in_the_form_of_yolov8() -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/yolox_nano.onnx");
    let mut model = ModelProto::decode(std::fs::read(file).unwrap().as_slice()).unwrap();
    let graph: &mut GraphProto = model.graph.as_mut().unwrap();
    let (input, output) = (graph.input[0].name.clone(), graph.output[0].name.clone());
    let (places, strides) = cells();
    graph.initializer.extend([
        integers("z_blue_first", &[2, 1, 0]),
        floats("z_levels", &[1], vec![255.0]),
        integers("z_xy", &[0, 1]),
        integers("z_wh", &[2, 3]),
        integers("z_objectness", &[4]),
        integers("z_classes", &(0..80).map(|class| 84 - class).collect::<Vec<_>>()),
        floats("z_places", &[1, CELLS, 2], places),
        floats("z_strides", &[1, CELLS, 1], strides),
    ]);
    let mut nodes = vec![
        node("Gather", &["pictures", "z_blue_first"], "z_bgr", axis(1)),
        node("Mul", &["z_bgr", "z_levels"], &input, None),
    ];
    nodes.append(&mut graph.node);
    let turned = AttributeProto {
        name: "perm".to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: vec![0, 2, 1],
        ..AttributeProto::default()
    };
    nodes.extend([
        node("Gather", &[&output, "z_xy"], "z_xy_raw", axis(2)),
        node("Add", &["z_xy_raw", "z_places"], "z_xy_cells", None),
        node("Mul", &["z_xy_cells", "z_strides"], "z_centres", None),
        node("Gather", &[&output, "z_wh"], "z_wh_raw", axis(2)),
        node("Exp", &["z_wh_raw"], "z_wh_cells", None),
        node("Mul", &["z_wh_cells", "z_strides"], "z_sizes", None),
        node("Gather", &[&output, "z_objectness"], "z_there", axis(2)),
        node("Gather", &[&output, "z_classes"], "z_each", axis(2)),
        node("Mul", &["z_each", "z_there"], "z_scores", None),
        node("Concat", &["z_centres", "z_sizes", "z_scores"], "z_rows", axis(2)),
        node("Transpose", &["z_rows"], "output0", Some(turned)),
    ]);
    graph.node = nodes;
    graph.input[0] = ValueInfoProto { name: "pictures".to_owned(), ..graph.input[0].clone() };
    graph.output = vec![ValueInfoProto { name: "output0".to_owned(), ..ValueInfoProto::default() }];
    let labels = Labels::coco();
    let mut names: Vec<&str> = labels.iter().collect();
    names.reverse();
    let names: Vec<String> = names.iter().enumerate().map(|(at, name)| format!("{at}: '{name}'")).collect();
    let metadata = [
        ("author", "Ultralytics".to_owned()),
        ("task", "detect".to_owned()),
        ("stride", "32".to_owned()),
        ("imgsz", format!("[{SIDE}, {SIDE}]")),
        ("names", format!("{{{}}}", names.join(", "))),
    ];
    model.metadata_props = metadata
        .into_iter()
        .map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value })
        .collect();
    model.encode_to_vec()
}

/// The classes of the tracks of a frame, by their ids.
fn tracks(frame: &TrackedFrame) -> BTreeMap<u64, u16> {
    frame.scene.tracks.iter().map(|track| (track.id, track.class)).collect()
}

#[test]
fn ids_go_on_where_classes_agree() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.onnx");
    std::fs::write(&file, in_the_form_of_yolov8()).unwrap();
    let mut settings = Settings::default();
    settings.detector.input = "416x416".parse().unwrap();
    let pipeline = start(&settings, true);
    let before = take(&pipeline, 30);
    settings.detector.model = Some(file.clone());
    pipeline.set_settings(&settings);
    let until = Instant::now() + PATIENCE;
    let told = loop {
        match pipeline.note() {
            Some(note) => break note,
            None => assert!(Instant::now() < until, "nothing is told"),
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(matches!(told, Note::Swapped(_)), "{told:?}");
    let after = take(&pipeline, 30);

    let loaded = Detector::load(&settings.detector).unwrap();
    assert!(
        loaded.about().family.contains("YOLO") && !loaded.about().family.contains("YOLOX"),
        "{:?}",
        loaded.about()
    );
    assert_eq!(loaded.labels().name(79), "person", "its own order is another one");

    let labels = pipeline.labels();
    assert_eq!((labels.len(), &*labels.name(0), &*labels.name(2)), (80, "person", "car"));
    let last = tracks(before.last().unwrap());
    assert!(last.len() > 3, "{last:?}");
    let mut later = BTreeMap::new();
    after.iter().for_each(|frame| later.extend(tracks(frame)));
    let goes_on: BTreeSet<u64> = last.keys().filter(|id| later.contains_key(id)).copied().collect();
    assert!(goes_on.len() + 1 >= last.len(), "{last:?} {later:?}");
    for id in &goes_on {
        assert_eq!(last[id], later[id], "track {id} is what it was: {last:?} {later:?}");
    }
    let first = tracks(after.first().unwrap());
    assert!(first.keys().any(|id| goes_on.contains(id)), "{first:?} {goes_on:?}");
    let numbers: Vec<_> = before.iter().chain(&after).map(|tracked| tracked.job.frame.sequence).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "no frame is missing: {numbers:?}");
    // New detections have the run's numbers too.
    let found: BTreeSet<u16> =
        after.iter().flat_map(|frame| &frame.detections).map(|found| found.class).collect();
    assert!(found.contains(&0) || found.contains(&2), "{found:?}");
    pipeline.finish().unwrap();
}
