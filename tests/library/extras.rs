//! What some families tell of an object beside its box: how it lies, points of its body, its pixels. Compared with what the
//! family's published post-processing makes of the same small files (`tests/reference/make_families.py`).

use serde_json::{Value, json};
use trailsight::detect::{DetectSettings, Detector, Slicer};
use trailsight::detection::{Detections, Extra, Rle};
use trailsight::geometry::Rect;

use super::families::{case, picture, told_of};

/// What is found in the photo by a small model of this name, and what is told of it.
fn found(name: &str) -> (Detections, Vec<Value>) {
    let (picture, told) = (picture(), told_of(name));
    let mut detector = Detector::load(&case(name, &told, &picture).settings).unwrap();
    (detector.detect(&picture).unwrap(), told["boxes"].as_array().unwrap().clone())
}

/// Pairs each box that was found with the one that is told of it, and checks that all have a partner but those whose score lies
/// near the threshold.
fn pairs(name: &str) -> Vec<(Extra, Value)> {
    let (found, mut told) = found(name);
    let (width, height) = (768.0, 576.0);
    // Some lie in the fill around the picture.
    told.retain(|told| {
        let at = |key: &str| told[key].as_f64().unwrap();
        at("x").max(0.0) < (at("x") + at("w")).min(width)
            && at("y").max(0.0) < (at("y") + at("h")).min(height)
    });
    let count = told.len();
    let mut pairs = Vec::new();
    for (number, one) in found.iter().enumerate() {
        let edges = [one.rect.left, one.rect.top, one.rect.right(), one.rect.bottom()].map(f64::from);
        let near = told.iter().position(|told| {
            let at = |key: &str| told[key].as_f64().unwrap();
            // Boxes are cut at the picture's edges here.
            let (left, top) = (at("x").max(0.0), at("y").max(0.0));
            let (right, bottom) = ((at("x") + at("w")).min(width), (at("y") + at("h")).min(height));
            let alike = edges.iter().zip([left, top, right, bottom]).all(|(a, b)| (a - b).abs() < 0.6);
            alike && (at("score") - f64::from(one.score)).abs() < 0.01 && told["class"] == one.class
        });
        if let Some(near) = near {
            pairs.push((found.extra(number).unwrap().clone(), told.swap_remove(near)));
        }
    }
    assert!(
        pairs.len() + 2 >= count && found.len() <= count + 2,
        "{name}: {} of {count}, {} found",
        pairs.len(),
        found.len()
    );
    pairs
}

#[test]
fn turned_boxes_lie_as_their_makers_say() {
    for name in ["ultralytics-obb", "ultralytics-obb-end2end"] {
        for (extra, told) in pairs(name) {
            let (turned, told) = (extra.turned.unwrap(), &told["turned"]);
            let apart = |value: f32, key: &str| f64::from(value) - told[key].as_f64().unwrap();
            for (value, key) in
                [(turned.x, "cx"), (turned.y, "cy"), (turned.width, "w"), (turned.height, "h")]
            {
                assert!(apart(value, key).abs() < 0.5, "{name}: {turned:?} {told}");
            }
            // Half a turn more is the same box.
            assert!(apart(turned.angle, "angle").sin().abs() < 0.01, "{name}: {turned:?} {told}");
        }
    }
}

#[test]
fn points_lie_where_their_makers_say() {
    for name in ["ultralytics-pose", "ultralytics-pose-end2end"] {
        for (extra, told) in pairs(name) {
            let told = told["keypoints"].as_array().unwrap();
            assert_eq!((extra.keypoints.len(), told.len()), (17, 17));
            for (point, told) in extra.keypoints.iter().zip(told) {
                let apart = [point.x, point.y, point.score].map(f64::from);
                let apart: Vec<f64> =
                    (0..3).map(|number| (apart[number] - told[number].as_f64().unwrap()).abs()).collect();
                assert!(apart[0] < 0.5 && apart[1] < 0.5 && apart[2] < 0.01, "{name}: {point:?} {told}");
            }
        }
    }
}

/// The pixels of a mask, column by column.
fn pixels(rle: &Rle) -> Vec<bool> {
    let runs = rle.counts().iter().enumerate();
    runs.flat_map(|(number, &count)| std::iter::repeat_n(number % 2 == 1, count as usize)).collect()
}

#[test]
fn masks_cover_what_their_makers_say() {
    for name in ["ultralytics-segment", "ultralytics-segment-end2end", "rfdetr-segment"] {
        let (mut sum, mut count) = (0.0, 0.0);
        for (extra, told) in pairs(name) {
            let told = &told["mask"];
            assert_eq!(told["size"], json!([576, 768]));
            let expected = Rle::parse((768, 576), told["counts"].as_str().unwrap()).unwrap();
            let Some(mask) = extra.mask else {
                assert!(expected.area() < 20, "{name}: no mask of {} pixels", expected.area());
                continue;
            };
            let own = mask.to_rle((768, 576));
            let (both, either) =
                pixels(&own).iter().zip(pixels(&expected)).fold((0, 0), |(both, either), (&a, b)| {
                    (both + u32::from(a && b), either + u32::from(a || b))
                });
            let iou = f64::from(both) / f64::from(either);
            // The box that cuts it may lie half a pixel elsewhere: then a column and a row of pixels are others.
            let rim = f64::from(mask.rect().width + mask.rect().height);
            let others = f64::from(either - both);
            assert!(others <= 0.01 * expected.area() as f64 + rim, "{name}: {iou} of {}", expected.area());
            assert!(extra.mask_code.is_empty());
            (sum, count) = (sum + iou, count + 1.0);
        }
        assert!(count >= 10.0 && sum / count > 0.98, "{name}: {} of {count}", sum / count);
    }
}

#[test]
fn masks_that_nobody_wants_are_not_made() {
    let name = "ultralytics-segment";
    let (picture, told) = (picture(), told_of(name));
    let case = case(name, &told, &picture);
    let find = |masks: bool| {
        let settings = DetectSettings { masks, ..case.settings.clone() };
        let mut detector = Detector::load(&settings).unwrap();
        (detector.detect(&picture).unwrap(), detector.spec().outputs.len())
    };
    let ((with, two), (without, one)) = (find(true), find(false));
    assert_eq!((two, one, with.boxes()), (2, 1, without.boxes()));
    assert!(with.extra(0).is_some() && without.extra(0).is_none());
}

#[test]
fn masks_of_tiles_lie_where_those_of_the_whole_picture_do() {
    let name = "ultralytics-segment";
    let (picture, told) = (picture(), told_of(name));
    let mut detector = Detector::load(&case(name, &told, &picture).settings).unwrap();
    detector.set_slicer(Slicer {
        columns: 2,
        rows: 1,
        overlap: 0.2,
        crop: Some(Rect::new(0.1, 0.1, 0.8, 0.8)),
    });
    let found = detector.detect(&picture).unwrap();
    let mut masks = 0;
    for (number, one) in found.iter().enumerate() {
        let extra = found.extra(number).unwrap();
        assert!(extra.mask_code.is_empty());
        let Some(mask) = &extra.mask else { continue };
        masks += 1;
        // A pixel that the box's edge cuts may be the mask's.
        assert!(mask.rect().share_in(&one.rect.widened(1.0 / one.rect.width.min(one.rect.height))) > 0.999);
    }
    // Weights that learnt nothing leave some boxes without a pixel.
    assert!(masks > 10 && masks * 10 > found.len() * 8, "{masks} of {}", found.len());
}
