//! The network's input follows the shape of the picture: boxes are right to half a pixel whatever the shape, when it changes
//! midway, with a crop, after a turn, and with several sources at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use trailsight::detect::{DetectSettings, Detector, InputChoice, InputRule, PixelBudget, Slicer};
use trailsight::detection::Detection;
use trailsight::engine::{Engine, EngineSettings};
use trailsight::frame::{Frame, Picture};
use trailsight::geometry::{InputFit, Rect};
use trailsight::source::{Rotate, SourceSettings, SourceSpec, open_file};

/// Where the pasted person stands in a picture: multiples of the network's coarsest stride, so that each of its cells sees
/// the same of it everywhere.
const AT: (u32, u32) = (32, 0);

/// Sizes that just fit an input of the budget `normal`, so that the network sees them at their own size.
const SHAPES: [((u32, u32), &str); 7] = [
    ((544, 306), "544x320"),
    ((320, 544), "320x544"),
    ((416, 416), "416x416"),
    ((480, 352), "480x352"),
    ((800, 224), "800x224"),
    ((224, 800), "224x800"),
    ((608, 258), "608x288"),
];

fn detector(input: &str) -> Detector {
    let input = input.parse().unwrap();
    Detector::load(&DetectSettings { input, confidence: 0.3, ..DetectSettings::default() }).unwrap()
}

fn street() -> image::RgbImage {
    image::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photos/street.png")).unwrap().to_rgb8()
}

fn picture(image: image::RgbImage) -> Picture {
    Picture::new(image.width(), image.height(), image.into_raw()).unwrap()
}

/// A person of a photograph on grey, their surroundings' corner at [`AT`] but for `(x, y)` more.
fn with_person(size: (u32, u32), (x, y): (u32, u32)) -> image::RgbImage {
    let person = image::imageops::crop_imm(&street(), 280, 352, 160, 200).to_image();
    let mut image = image::RgbImage::from_pixel(size.0, size.1, image::Rgb([114; 3]));
    image::imageops::overlay(&mut image, &person, (AT.0 + x).into(), (AT.1 + y).into());
    image
}

/// Each pixel `times` times across and down: shrunk by means it is what it was, to the letter.
fn enlarged(image: &image::RgbImage, times: u32) -> image::RgbImage {
    image::RgbImage::from_fn(image.width() * times, image.height() * times, |x, y| {
        *image.get_pixel(x / times, y / times)
    })
}

/// The box around the person.
fn person(found: &[Detection]) -> Rect {
    let mut people = found.iter().filter(|detection| detection.class == 0);
    people.next().unwrap_or_else(|| panic!("no person in {found:?}")).rect
}

fn assert_near(rect: Rect, expected: Rect, most: f32, what: &str) {
    let edges = |r: &Rect| [r.left, r.top, r.right(), r.bottom()];
    let apart =
        edges(&rect).into_iter().zip(edges(&expected)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart <= most, "{what}: {rect:?} is {apart} px from {expected:?}");
}

#[test]
fn boxes_are_right_to_half_a_pixel_in_every_shape() {
    let mut square = detector("416x416");
    let expected = person(&square.detect(&picture(with_person((416, 416), (0, 0)))).unwrap());
    let mut detector = detector("normal");
    for (size, input) in SHAPES {
        let image = with_person(size, (0, 0));
        let found = detector.detect(&picture(image.clone())).unwrap();
        assert_eq!(detector.input().to_string(), input, "{size:?}");
        assert_near(person(&found), expected, 0.5, input);
        // The same scene from a camera with more pixels, up to 8K: seen as before, and put back where it is.
        for times in [3, 14] {
            let large = detector.detect(&picture(enlarged(&image, times))).unwrap();
            assert_eq!(detector.input().to_string(), input, "{size:?} {times}");
            let k = times as f32;
            let small = person(&large);
            let small = Rect::new(small.left / k, small.top / k, small.width / k, small.height / k);
            assert_near(small, person(&found), 1e-3, input);
        }
    }
}

#[test]
fn a_source_that_changes_its_size_is_followed_there_and_back() {
    let mut detector = detector("auto");
    assert_eq!(detector.input_rule(), InputRule::Follows(PixelBudget::Normal));
    let mut first = Vec::new();
    // More sizes than are kept ready, and back to the first.
    for round in 0..2 {
        for (number, (size, input)) in SHAPES.into_iter().enumerate() {
            let found = detector.detect(&picture(with_person(size, (0, 0)))).unwrap();
            assert_eq!(
                (detector.input().to_string().as_str(), detector.spec().input.size),
                (input, detector.input())
            );
            if round == 0 {
                first.push(found);
            } else {
                assert_eq!(found, first[number], "{input}");
            }
        }
    }
}

#[test]
fn an_engine_follows_too_and_shrinks_large_pictures_to_the_size_at_which_they_are_seen() {
    let mut engine = Engine::new(detector("auto"), EngineSettings::default());
    for (number, (size, input)) in SHAPES.into_iter().enumerate() {
        let image = with_person(size, (0, 0));
        let expected = person(&detector("auto").detect(&picture(image.clone())).unwrap());
        let picture = Arc::new(picture(enlarged(&image, 3)));
        let frame = Frame {
            picture,
            sequence: number as u64,
            time: number as f64,
            captured: Instant::now(),
            file: None,
        };
        let processed = engine.process(&frame).unwrap();
        assert_eq!(engine.source().input().map(|(w, h)| format!("{w}x{h}")).as_deref(), Some(input));
        if let Some(seen) = &processed.enhanced.seen {
            let (width, height) = engine.source().input().unwrap();
            let fit = InputFit::within((3 * size.0 as usize, 3 * size.1 as usize), (width, height));
            assert_eq!(seen.size(), (fit.width as u32, fit.height as u32));
        }
        let rect = person(processed.output.detections.boxes());
        let rect = Rect::new(rect.left / 3.0, rect.top / 3.0, rect.width / 3.0, rect.height / 3.0);
        assert!(rect.iou(&expected) > 0.9, "{input}: {rect:?} {expected:?}");
        engine.restart();
    }
}

#[test]
fn several_sources_of_different_shapes_do_not_get_in_each_others_way() {
    let detector = detector("auto");
    std::thread::scope(|scope| {
        for (size, input) in SHAPES {
            let (mut alone, mut fork) = (detector.fork().unwrap(), detector.fork().unwrap());
            scope.spawn(move || {
                let picture = picture(with_person(size, (0, 0)));
                let expected = alone.detect(&picture).unwrap();
                for _ in 0..3 {
                    assert_eq!(fork.detect(&picture).unwrap(), expected, "{input}");
                    assert_eq!(fork.input().to_string(), input);
                }
            });
        }
    });
}

#[test]
fn a_crop_gives_the_shape_and_not_the_picture_around_it() {
    let mut plain = detector("auto");
    for (size, input) in SHAPES {
        let expected = person(&plain.detect(&picture(with_person(size, (0, 0)))).unwrap());
        // The same part of a larger picture, which has another shape.
        let mut large = image::RgbImage::from_pixel(1600, 1000, image::Rgb([114; 3]));
        image::imageops::overlay(&mut large, &with_person(size, (0, 0)), 100, 200);
        let share = |from: u32, side: u32| from as f32 / side as f32;
        let crop = Rect::new(share(100, 1600), share(200, 1000), share(size.0, 1600), share(size.1, 1000));
        let mut cropped = detector("auto");
        cropped.set_slicer(Slicer { crop: Some(crop), ..Slicer::default() });
        let large = picture(large);
        assert_eq!(cropped.input_for(large.size()).to_string(), input);
        let found = person(&cropped.detect(&large).unwrap());
        assert_eq!(cropped.input().to_string(), input);
        assert_near(
            found,
            Rect::new(expected.left + 100.0, expected.top + 200.0, expected.width, expected.height),
            0.5,
            input,
        );
    }
}

#[test]
fn tiles_have_the_shape_of_a_tile() {
    let mut detector = detector("auto");
    detector.set_slicer(Slicer { columns: 3, overlap: 0.1, ..Slicer::default() });
    let size = (3 * 416, 416);
    // Two overlaps of a tenth: tiles of 446x416.
    assert_eq!(detector.input_for(size), PixelBudget::Normal.for_picture((446, 416)));
    let found = detector.detect(&picture(with_person(size, (416, 0)))).unwrap();
    assert_eq!(detector.input(), PixelBudget::Normal.for_picture(size), "of the whole");
    let rect = person(&found);
    assert!(rect.left > 416.0 && rect.right() < 416.0 + 200.0, "{rect:?}");
}

#[test]
fn a_turned_picture_has_the_shape_that_it_has_after_the_turn() {
    let folder = tempfile::tempdir().unwrap();
    let upright = with_person((306, 544), (0, 0));
    image::imageops::rotate270(&upright).save(folder.path().join("1.png")).unwrap();
    let settings = SourceSettings { rotate: Rotate::Quarter, ..SourceSettings::default() };
    let mut source = open_file(&SourceSpec::Folder(folder.path().to_owned()), &settings).unwrap();
    let turned = source.next_frame().unwrap().unwrap().picture;
    let mut detector = detector("auto");
    let found = detector.detect(&turned).unwrap();
    assert_eq!(detector.input().to_string(), "320x544");
    assert_eq!(found, detector.detect(&picture(upright)).unwrap());
}

#[test]
fn slivers_and_specks_are_looked_at_without_a_fault() {
    let mut detector = detector("auto");
    for (width, height, input) in [
        (1, 1, "416x416"),
        (1, 10_000, "32x4096"),
        (10_000, 1, "4096x32"),
        (2, 3, "352x512"),
        (33, 31, "416x416"),
    ] {
        let picture = Picture::filled(width, height, [90, 160, 30]).unwrap();
        let found = detector.detect(&picture).unwrap();
        assert_eq!(detector.input().to_string(), input, "{width}x{height}");
        let inside = |d: &Detection| {
            d.rect.is_sound() && d.rect.right() <= width as f32 && d.rect.bottom() <= height as f32
        };
        assert!(found.iter().all(inside), "{found:?}");
    }
}

#[test]
fn a_budget_can_be_changed_between_two_pictures_and_a_fixed_size_cannot() {
    let picture = picture(with_person((960, 544), (0, 0)));
    let mut follows = detector("auto");
    for (budget, input) in PixelBudget::ALL.into_iter().zip(["416x224", "544x320", "832x480", "960x544"]) {
        follows.set_budget(budget);
        follows.detect(&picture).unwrap();
        assert_eq!(follows.input().to_string(), input);
    }
    let mut fixed = detector("320x320");
    fixed.set_budget(PixelBudget::Fine);
    fixed.detect(&picture).unwrap();
    assert_eq!(fixed.input_rule(), InputRule::Fixed("320x320".parse().unwrap()));
    assert_eq!(fixed.input().to_string(), "320x320");
    assert_eq!(DetectSettings::default().input, InputChoice::Auto);
}

#[test]
fn a_model_for_one_size_alone_keeps_it_whatever_is_asked_for() {
    let names = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(names.path(), "red\ngreen\nblue\n").unwrap();
    let settings = |input: &str| DetectSettings {
        model: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/anchor-free.onnx")),
        labels: Some(names.path().to_owned()),
        input: input.parse().unwrap(),
        confidence: 0.01,
        ..DetectSettings::default()
    };
    for asked in ["auto", "fine", "32x32", "64x64"] {
        let mut detector = Detector::load(&settings(asked)).unwrap();
        assert_eq!(detector.input_rule(), InputRule::Fixed("32x32".parse().unwrap()), "{asked}");
        detector.set_budget(PixelBudget::Finest);
        detector.detect(&picture(with_person((544, 306), (0, 0)))).unwrap();
        assert_eq!(detector.input().to_string(), "32x32", "{asked}");
    }
}
