//! Pictures made better, and where in them objects count: on photographs, darkened and made noisy, with the network.

use std::sync::Arc;

use crate::common;
use trailsight::detect::{DetectSettings, Detector, Slicer};
use trailsight::detection::Detection;
use trailsight::enhance::{EnhanceSettings, Enhancer, Polygon, RegionMask, Step};
use trailsight::frame::Picture;
use trailsight::geometry::Rect;

const PHOTOS: [&str; 6] = ["street", "street-wide", "motorcycle", "officer", "coffee", "cat"];

fn photo(name: &str) -> Picture {
    let path = common::root().join("tests/photos").join(name).with_extension("png");
    let image = image::open(path).unwrap().to_rgb8();
    Picture::new(image.width(), image.height(), image.into_raw()).unwrap()
}

fn detector() -> Detector {
    Detector::load(&DetectSettings { confidence: 0.4, ..DetectSettings::default() }).unwrap()
}

fn each_sample(picture: &Picture, change: impl FnMut(&u8) -> u8) -> Picture {
    Picture::new(picture.width(), picture.height(), picture.pixels().iter().map(change).collect()).unwrap()
}

fn darkened(picture: &Picture) -> Picture {
    each_sample(picture, |&sample| (255.0 * (f32::from(sample) / 255.0).powi(3)).round() as u8)
}

fn flattened(picture: &Picture) -> Picture {
    each_sample(picture, |&sample| (127.0 + (f32::from(sample) - 127.0) * 0.2).round() as u8)
}

/// Of Gaussian noise: the sum of twelve even random numbers is near enough to it.
fn noisy(picture: &Picture, sigma: f32, random: &mut fastrand::Rng) -> Picture {
    each_sample(picture, |&sample| {
        let normal = (0..12).map(|_| random.f32()).sum::<f32>() - 6.0;
        (f32::from(sample) + sigma * normal).round().clamp(0.0, 255.0) as u8
    })
}

/// How many of the objects that are found in the photographs are found again once `damage` was done to them: as they are
/// then, and enhanced.
fn found_again(damage: impl Fn(&Picture) -> Picture) -> (usize, usize) {
    let mut detector = detector();
    let mut again = (0, 0);
    for name in PHOTOS {
        let picture = photo(name);
        let truth = detector.detect(&picture).unwrap();
        let damaged = Arc::new(damage(&picture));
        let (_, enhanced) = Enhancer::new(EnhanceSettings::default()).enhance(&damaged, 0.0);
        let mut count = |picture: &Picture| {
            let found = detector.detect(picture).unwrap();
            let is_found =
                |d: &&Detection| found.iter().any(|f| f.class == d.class && f.rect.iou(&d.rect) > 0.5);
            truth.iter().filter(is_found).count()
        };
        again.0 += count(&damaged);
        again.1 += count(enhanced.seen.as_ref().unwrap_or(&damaged));
    }
    again
}

#[test]
fn darkened_and_flattened_photographs_get_objects_back_by_themselves() {
    let all = found_again(Picture::clone).0;
    for (what, damage) in [("dark", darkened as fn(&Picture) -> Picture), ("flat", flattened)] {
        let (before, after) = found_again(damage);
        println!("{what}: of {all} objects {before} were left, {after} with enhance.auto");
        assert!(
            before < all && 2 * (after - before.min(after)) >= all - before,
            "{what}: {all} {before} {after}"
        );
    }
}

#[test]
fn a_good_photograph_goes_through_as_it_is() {
    // The officer stands in the dusk.
    for name in PHOTOS.into_iter().filter(|name| *name != "officer") {
        let picture = Arc::new(photo(name));
        let (shown, enhanced) = Enhancer::new(EnhanceSettings::default()).enhance(&picture, 0.0);
        assert!(Arc::ptr_eq(&shown, &picture), "{name}");
        assert!(enhanced.seen.is_none() && enhanced.region_mask.is_none(), "{name}: {:?}", enhanced.report);
        assert!(enhanced.report.steps.iter().all(|taken| taken.step == Step::Measure), "{name}");
        // Nothing is even measured where nobody asks.
        let off = EnhanceSettings { auto: false, ..EnhanceSettings::default() };
        let (_, enhanced) = Enhancer::new(off).enhance(&picture, 0.0);
        assert!(enhanced.report.steps.is_empty(), "{name}");
    }
}

fn error(picture: &Picture, truth: &Picture) -> f64 {
    let squares = picture.pixels().iter().zip(truth.pixels());
    squares.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>() / truth.pixels().len() as f64
}

#[test]
fn noise_of_a_video_goes_by_itself_and_a_cut_leaves_nothing_behind() {
    let mut random = fastrand::Rng::with_seed(7);
    let (street, room) = (photo("street"), photo("coffee"));
    let mut enhancer = Enhancer::new(EnhanceSettings::default());
    let mut last = None;
    for frame in 0..30 {
        let noisy = Arc::new(noisy(&street, 20.0, &mut random));
        let (shown, enhanced) = enhancer.enhance(&noisy, f64::from(frame) / 25.0);
        assert!(Arc::ptr_eq(&shown, &noisy), "what is shown and written stays as it came");
        last = Some((noisy, enhanced));
    }
    let (came, enhanced) = last.unwrap();
    let taken: Vec<_> = enhanced.report.changes().map(|(step, _)| step).collect();
    assert_eq!(taken, [Step::Gaussian]);
    let (before, after) = (error(&came, &street), error(enhanced.seen.as_ref().unwrap(), &street));
    assert!(after * 2.0 < before, "{before} {after}");
    // Another place, and later another time: nothing of the street is in it.
    enhancer.begin_anew();
    let clean = Arc::new(room.clone());
    let (_, enhanced) = enhancer.enhance(&clean, 100.0);
    assert_eq!(error(enhanced.seen.as_ref().unwrap_or(&clean), &room), 0.0);
}

#[test]
fn pictures_that_stand_alone_do_not_touch_each_other() {
    let (street, dark) = (Arc::new(photo("street")), Arc::new(darkened(&photo("officer"))));
    let alone =
        |picture: &Arc<Picture>| Enhancer::new(EnhanceSettings::default()).enhance(picture, 0.0).1.seen;
    let mut one_after_the_other = Enhancer::new(EnhanceSettings::default()).separate(true);
    for (frame, picture) in [&dark, &street, &dark, &dark, &street].into_iter().enumerate() {
        let seen = one_after_the_other.enhance(picture, frame as f64 / 25.0).1.seen;
        assert!(seen == alone(picture), "picture {frame}");
    }
}

#[test]
fn every_step_at_once_takes_any_size() {
    let mut random = fastrand::Rng::with_seed(3);
    let all = EnhanceSettings {
        exposure: true,
        white_balance: trailsight::enhance::WhiteBalance::GreyWorld,
        contrast: 2.0,
        median: trailsight::enhance::Median::Five,
        gaussian: 1.2,
        smooth: 20.0,
        temporal: 10.0,
        sharpen: 1.0,
        deblock: 8.0,
        deinterlace: true,
        stabilise: 1.0,
        masks: vec![Polygon::new(vec![(0.0, 0.0), (0.5, 0.0), (0.0, 0.7)]).unwrap()],
        privacy: true,
        ..EnhanceSettings::default()
    };
    let mut enhancer = Enhancer::new(all);
    for (frame, (width, height)) in
        [(1, 1), (1, 9), (17, 1), (61, 47), (61, 47), (640, 3), (2, 300)].into_iter().enumerate()
    {
        let pixels = (0..width * height * 3).map(|_| random.u8(..)).collect();
        let picture = Arc::new(Picture::new(width, height, pixels).unwrap());
        let (shown, enhanced) = enhancer.enhance(&picture, frame as f64 / 10.0);
        assert_eq!((shown.size(), enhanced.seen.unwrap().size()), ((width, height), (width, height)));
    }
}

#[test]
fn a_large_picture_is_enhanced_at_the_size_that_the_network_looks_at() {
    let mut random = fastrand::Rng::with_seed(9);
    let mut detector = detector();
    let street = image::open(common::root().join("tests/photos/street.png")).unwrap();
    let large = street.resize_exact(1536, 1152, image::imageops::FilterType::CatmullRom).to_rgb8();
    let large = Picture::new(1536, 1152, large.into_raw()).unwrap();
    let network = detector.input_for(large.size()).size();
    let right = Polygon::new(vec![(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]).unwrap();
    for (picture, masks, step) in [
        (noisy(&darkened(&large), 4.0, &mut random), vec![], Step::Light),
        (noisy(&large, 60.0, &mut random), vec![], Step::Gaussian),
        (large.clone(), vec![right.clone()], Step::Hide),
    ] {
        let picture = Arc::new(picture);
        let settings = EnhanceSettings { masks, ..EnhanceSettings::default() };
        let (shown, enhanced) = Enhancer::new(settings.clone()).for_network(network).enhance(&picture, 0.0);
        assert!(Arc::ptr_eq(&shown, &picture), "what is shown keeps its size");
        let seen = enhanced.seen.as_ref().unwrap();
        assert_eq!((network, seen.size()), ((480, 352), (469, 352)));
        let taken: Vec<_> = enhanced.report.steps.iter().map(|taken| taken.step).collect();
        assert!(taken.contains(&Step::Shrink) && taken.contains(&step), "{taken:?}");
        let mut found = detector.detect(seen).unwrap();
        assert_eq!(detector.input().size(), network, "it goes in as it is");
        enhanced.place(&mut found, picture.size());
        enhanced.leave_out(&mut found);
        // As if all were done at the full size.
        let (_, fully) = Enhancer::new(settings).enhance(&picture, 0.0);
        let mut wanted = detector.detect(fully.seen.as_ref().unwrap_or(&picture)).unwrap();
        fully.place(&mut wanted, picture.size());
        fully.leave_out(&mut wanted);
        wanted.retain(|d| d.score > 0.6);
        assert!(wanted.len() >= 2, "{step} {wanted:?}");
        for one in &wanted {
            let is_found = |d: &Detection| d.class == one.class && d.rect.iou(&one.rect) > 0.75;
            assert!(found.iter().any(is_found), "{step}: {one:?} {found:?}");
        }
        assert!(step != Step::Hide || found.iter().all(|d| d.rect.center().0 < 768.0), "{found:?}");
    }
    // Weak noise is gone by then; and pieces are looked at from near.
    let weak = Arc::new(noisy(&large, 15.0, &mut random));
    let seen = |settings| Enhancer::new(settings).for_network(network).enhance(&weak, 0.0).1;
    assert!(seen(EnhanceSettings::default()).seen.is_none());
    let tiled = EnhanceSettings { tiles: "3x3".parse().unwrap(), ..EnhanceSettings::default() };
    assert_eq!(seen(tiled).seen.unwrap().size(), (1536, 1152));
}

#[test]
fn masked_objects_never_count_and_are_not_to_be_recognised() {
    let picture = Arc::new(photo("street"));
    let mut detector = detector();
    let all = detector.detect(&picture).unwrap();
    let left = Polygon::new(vec![(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]).unwrap();
    let settings = EnhanceSettings { masks: vec![left.clone()], privacy: true, ..EnhanceSettings::default() };
    let (shown, enhanced) = Enhancer::new(settings).enhance(&picture, 0.0);
    let region_mask = enhanced.region_mask.unwrap();
    let mut found = detector.detect(enhanced.seen.as_ref().unwrap()).unwrap();
    found.retain(|detection| region_mask.counts(&detection.rect));
    let middle = picture.width() as f32 / 2.0;
    assert!(all.iter().any(|d| d.rect.right() < middle) && all.iter().any(|d| d.rect.left > middle));
    assert!(!found.is_empty() && found.iter().all(|d| d.rect.center().0 >= middle), "{found:?}");
    // What may be shown and written has the right half as it came, and nothing to be found in the left one.
    let width = picture.width() as usize;
    for (shown, came) in shown.rgb().chunks(width).zip(picture.rgb().chunks(width)) {
        assert!(shown[width / 2 + 1..] == came[width / 2 + 1..]);
    }
    let seen_again = detector.detect(&shown).unwrap();
    assert!(seen_again.iter().all(|d| d.rect.right() > middle * 0.9), "{seen_again:?}");
    assert!(RegionMask::new(picture.size(), &[], &[]).is_empty());
}

#[test]
fn nothing_is_to_be_found_in_what_was_written_of_a_masked_half() {
    let folder = tempfile::tempdir().unwrap();
    let demo = common::demo();
    let run = |arguments: &[&str]| common::run_in(folder.path(), arguments).ok();
    let masked = ["--set", "enhance.masks=[[[0,0],[0.5,0],[0.5,1],[0,1]]]", "--set", "enhance.privacy=true"];
    let short = ["--set", "source.end=1"];
    let plain =
        ["--set", "overlay.boxes=false", "--set", "overlay.labels=false", "--set", "overlay.trails=false"];
    run(&[&["track", &demo, "--tracks", "t.txt", "--video", "open.avi"], &short[..], &plain].concat());
    run(&[&["track", &demo, "--video", "track.avi"], &masked[..], &short, &plain].concat());
    run(&[&["render", &demo, "--tracks", "t.txt", "--video", "render.avi"], &masked[..], &short, &plain]
        .concat());
    // Boxes wholly within the left half, of 384 pixels.
    let found_left = |video: &str| {
        let boxes = format!("{video}.txt");
        run(&["detect", video, "--mot", &boxes, "--confidence", "0.4"]);
        let text = std::fs::read_to_string(folder.path().join(boxes)).unwrap();
        // Frame, id, left, top, width, …
        let right = |line: &str| {
            let fields: Vec<f32> = line.split(',').map(|field| field.parse().unwrap()).collect();
            fields[2] + fields[4]
        };
        text.lines().filter(|line| right(line) < 370.0).count()
    };
    assert!(found_left("open.avi") > 0);
    assert_eq!((found_left("track.avi"), found_left("render.avi")), (0, 0));
}

#[test]
fn a_crop_and_tiles_give_boxes_in_pixels_of_the_whole() {
    let picture = photo("street-wide");
    let mut detector = detector();
    let all = detector.detect(&picture).unwrap();
    assert!(!all.is_empty());
    let matches = |found: &[Detection], wanted: &Detection| {
        found.iter().any(|f| f.class == wanted.class && f.rect.iou(&wanted.rect) > 0.6)
    };
    for columns in [2, 3] {
        detector.set_slicer(Slicer { columns, rows: 2, overlap: 0.2, ..Slicer::default() });
        let tiled = detector.detect(&picture).unwrap();
        let kept = all.iter().filter(|detection| matches(&tiled, detection)).count();
        println!("{columns}x2 tiles: {} objects instead of {}, {kept} of these", tiled.len(), all.len());
        assert!(kept * 10 >= all.len() * 8 && tiled.len() >= all.len(), "{tiled:?}");
    }
    // Around one object: it is found, where it is, and nothing that lies elsewhere.
    let one = all.iter().max_by(|a, b| a.score.total_cmp(&b.score)).unwrap();
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let around = one.rect.widened(0.6).clipped(width, height).unwrap();
    let share =
        Rect::new(around.left / width, around.top / height, around.width / width, around.height / height);
    detector.set_slicer(Slicer { crop: Some(share), ..Slicer::default() });
    let cropped = detector.detect(&picture).unwrap();
    assert!(matches(&cropped, one), "{one:?} {cropped:?}");
    assert!(cropped.iter().all(|d| d.rect.share_in(&around.widened(0.3)) > 0.9), "{around:?} {cropped:?}");
}

#[test]
fn a_mask_on_the_command_line_counts_and_nonsense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let demo = common::demo();
    let track = |name: &str, settings: &[&str]| {
        let mut arguments = vec!["track", &demo, "--tracks", name, "--set", "source.end=2"];
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        common::run_in(folder.path(), &arguments)
    };
    track("all.txt", &[]).ok();
    track("left.txt", &["enhance.masks=[[[0.5,0],[1,0],[1,1],[0.5,1]]]"]).ok();
    let rows = |name: &str| common::read_mot(&std::fs::read_to_string(folder.path().join(name)).unwrap());
    let middle = |row: &common::MotRow| row.rect[0] + row.rect[2] / 2.0;
    assert!(rows("all.txt").iter().any(|row| middle(row) > 430.0));
    let left = rows("left.txt");
    assert!(!left.is_empty());
    // A track may be predicted a little way into the mask, but nothing begins there.
    assert!(left.iter().all(|row| middle(row) < 430.0), "{:?}", left.iter().map(middle).fold(0.0, f32::max));
    for wrong in [
        "enhance.masks=[[[0,0],[2,0],[1,1]]]",
        "enhance.crop=[0,0,2,1]",
        "enhance.tiles=0x3",
        "enhance.contrast=-1",
    ] {
        let (key, _) = wrong.split_once('=').unwrap();
        track("wrong.txt", &[wrong]).fails(2, &[key]);
    }
}
