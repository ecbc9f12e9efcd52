//! Files that other libraries wrote, made by tests/reference/formats.py: what is in them is read as it was written.

use std::collections::BTreeMap;

use trailsight::dataset::{Annotations, Dialect, Format};

use crate::common::root;

/// A box of the scene: frame from 0, id, class, sides from 0, score.
#[derive(Debug, serde::Deserialize)]
struct Row {
    frame: u64,
    id: u64,
    class: String,
    #[serde(rename = "box")]
    sides: [f64; 4],
    score: f64,
}

fn scene() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("tests/golden/formats/scene.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a file holds against the scene. Ids may be others, as long as each object keeps one of its own.
fn compare(name: &str, read: &Annotations, with_scores: bool) {
    let (scene, mut ids) = (scene(), BTreeMap::new());
    assert_eq!(read.boxes.len(), scene.len(), "{name}");
    for row in &scene {
        let near = |one: &&trailsight::dataset::Annotation| {
            let r = one.region;
            let sides = [r.left, r.top, r.width, r.height];
            one.frame == row.frame && sides.iter().zip(row.sides).all(|(a, b)| (a - b).abs() <= 0.011)
        };
        let found = read.boxes.iter().find(near).unwrap_or_else(|| panic!("{name}: {row:?} is not there"));
        let class = read.labels.name(found.class.unwrap());
        assert_eq!(class, row.class, "{name}: {row:?}");
        let id = *ids.entry(row.id).or_insert(found.id.unwrap());
        assert_eq!(found.id, Some(id), "{name}: {row:?}");
        if with_scores {
            assert_eq!(found.score, Some(row.score), "{name}: {row:?}");
        }
    }
    let mut different: Vec<u64> = ids.values().copied().collect();
    different.dedup();
    assert_eq!(different.len(), 3, "{name}: {ids:?}");
}

#[test]
fn files_of_other_libraries_are_read_as_they_were_written() {
    let size = Dialect { size: Some((640, 480)), ..Dialect::default() };
    // What Datumaro writes as MOT 1.1 counts pixels from 0; its classes are in labels.txt beside.
    let labels =
        trailsight::dataset::read_labels(&root().join("tests/golden/formats/datumaro-mot/gt/labels.txt"));
    let zero = Dialect { pixels_from: Some(0), labels: Some(labels.unwrap()), ..Dialect::default() };
    for (name, format, dialect, with_scores) in [
        ("supervision.csv", Format::SupervisionCsv, &Dialect::default(), true),
        ("supervision.json", Format::SupervisionJson, &Dialect::default(), true),
        ("datumaro-mot/gt/gt.txt", Format::Mot, &zero, false),
        ("datumaro-coco.json", Format::Coco, &Dialect::default(), false),
        ("label-studio.json", Format::LabelStudio, &size, false),
    ] {
        let path = root().join("tests/golden/formats").join(name);
        assert_eq!(Format::of(&path).unwrap(), format, "{name}");
        compare(name, &format.read(&path, dialect).unwrap(), with_scores);
    }
}

/// Datumaro writes tracks of CVAT without closing boxes: CVAT shows a box in each frame of a gap, and so do we.
#[test]
fn tracks_without_closing_boxes_go_on_as_cvat_shows_them() {
    let path = root().join("tests/golden/formats/datumaro-cvat.xml");
    let mut read = Format::of(&path).unwrap().read(&path, &Dialect::default()).unwrap();
    let in_gap = |one: &trailsight::dataset::Annotation| (one.frame, one.id) == (3, Some(7));
    let filled: Vec<f64> = read.boxes.iter().filter(|one| in_gap(one)).map(|one| one.region.left).collect();
    assert_eq!(filled, [293.75]);
    read.boxes.retain(|one| !in_gap(one));
    compare("datumaro-cvat.xml", &read, false);
}
