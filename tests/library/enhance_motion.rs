//! The camera's motion told from pixels, against motions that were made: photographs moved, turned and scaled by a known
//! map, with noise, and with things that move by themselves.

use trailsight::enhance::motion::{CameraMotion, Motion};
use trailsight::frame::Picture;
use trailsight::geometry::{Affine, Rect};
use trailsight::kernels::warp::warp;
use trailsight::kernels::{View, ViewMut};

const PHOTOS: [&str; 5] = ["street", "street-wide", "motorcycle", "officer", "room"];

fn photo(name: &str) -> Picture {
    let path = format!("{}/tests/photos/{name}.png", env!("CARGO_MANIFEST_DIR"));
    let image = image::open(path).unwrap().to_rgb8();
    Picture::new(image.width(), image.height(), image.into_raw()).unwrap()
}

/// A shift of the middle in shares of the width, a turn about it in degrees, and a scale.
fn map(picture: &Picture, (x, y): (f32, f32), degrees: f32, scale: f32) -> Affine {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (sin, cos, middle) = (sin * scale, cos * scale, (width / 2.0, height / 2.0));
    let to = (middle.0 + x * width, middle.1 + y * width);
    Affine {
        matrix: [
            [cos, -sin, to.0 - cos * middle.0 + sin * middle.1],
            [sin, cos, to.1 - sin * middle.0 - cos * middle.1],
        ],
    }
}

fn moved(picture: &Picture, map: &Affine) -> Picture {
    let mut made = picture.clone();
    warp(&View::from(picture), &mut ViewMut::from(&mut made), map);
    made
}

fn noisy(picture: &Picture, sigma: f32, random: &mut fastrand::Rng) -> Picture {
    let noisy = picture.pixels().iter().map(|&sample| {
        let normal = (0..12).map(|_| random.f32()).sum::<f32>() - 6.0;
        (f32::from(sample) + sigma * normal).round().clamp(0.0, 255.0) as u8
    });
    Picture::new(picture.width(), picture.height(), noisy.collect()).unwrap()
}

fn found(before: &Picture, now: &Picture, ignore: &[Rect]) -> Motion {
    let mut motion = CameraMotion::new();
    assert_eq!(motion.update(View::from(before), &[]).confidence, 0.0);
    motion.update(View::from(now), ignore)
}

/// How far off it is: pixels in the middle, at the corners at the most, and degrees.
fn off(found: &Affine, truth: &Affine, picture: &Picture) -> (f32, f32, f32) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let at = |x: f32, y: f32| {
        let (a, b) = (found.point(x, y), truth.point(x, y));
        (a.0 - b.0).hypot(a.1 - b.1)
    };
    let corners = [at(0.0, 0.0), at(width, 0.0), at(0.0, height), at(width, height)];
    let turn = |map: &Affine| map.matrix[1][0].atan2(map.matrix[0][0]).to_degrees();
    (
        at(width / 2.0, height / 2.0),
        corners.into_iter().fold(0.0, f32::max),
        (turn(found) - turn(truth)).abs(),
    )
}

const MOTIONS: [((f32, f32), f32, f32); 6] = [
    ((0.0, 0.0), 0.0, 1.0),
    ((0.0031, -0.0017), 0.0, 1.0),
    ((0.05, 0.02), 0.0, 1.0),
    ((-0.033, 0.041), 1.0, 1.0),
    ((0.011, -0.02), -2.0, 1.02),
    ((-0.05, -0.013), 0.6, 0.98),
];

#[test]
fn motions_up_to_a_twentieth_of_the_width_are_found_to_a_tenth_of_a_pixel() {
    let mut random = fastrand::Rng::with_seed(11);
    for name in PHOTOS {
        let picture = photo(name);
        for sigma in [0.0, 8.0] {
            for (shift, degrees, scale) in MOTIONS {
                let truth = map(&picture, shift, degrees, scale);
                let (before, now) = (
                    noisy(&picture, sigma, &mut random),
                    noisy(&moved(&picture, &truth), sigma, &mut random),
                );
                let motion = found(&before, &now, &[]);
                let (middle, corner, turn) = off(&motion.map, &truth, &picture);
                let what = format!("{name}, noise {sigma}, {shift:?} {degrees}° ×{scale}: {motion:?}");
                assert!(motion.confidence > 0.5, "{what}");
                assert!(middle < 0.1 && turn < 0.05 && corner < 0.3, "{what}: off {middle} {corner} {turn}");
            }
        }
    }
}

#[test]
fn what_moves_by_itself_does_not_count() {
    for name in PHOTOS {
        let picture = photo(name);
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let truth = map(&picture, (0.02, -0.01), 0.5, 1.0);
        // A third of the width goes its own way, over two thirds of the height.
        let own = Rect::new(0.3 * width, 0.15 * height, 0.35 * width, 0.65 * height);
        let (of_camera, of_its_own) =
            (moved(&picture, &truth), moved(&picture, &map(&picture, (-0.04, 0.02), 0.0, 1.0)));
        let mut now = of_camera.clone();
        for (index, pixel) in now.rgb_mut().iter_mut().enumerate() {
            let (x, y) = (index % width as usize, index / width as usize);
            if own.contains(x as f32 + 0.5, y as f32 + 0.5) {
                *pixel = of_its_own.rgb()[index];
            }
        }
        for ignore in [&[][..], &[own.widened(0.1)]] {
            let motion = found(&picture, &now, ignore);
            let (middle, corner, turn) = off(&motion.map, &truth, &picture);
            let what = format!("{name}, {} ignored: {motion:?}", ignore.len());
            assert!(motion.confidence > 0.2, "{what}");
            assert!(middle < 0.15 && turn < 0.05 && corner < 0.4, "{what}: off {middle} {corner} {turn}");
        }
    }
}

#[test]
fn what_shows_nothing_and_what_is_another_place_moves_nothing() {
    let flat = Picture::filled(640, 480, [90, 100, 110]).unwrap();
    let street = photo("street");
    for (before, now) in [(&flat, &flat), (&flat, &street), (&street, &flat)] {
        let motion = found(before, now, &[]);
        assert!(motion.confidence < 0.2 && motion.map == Affine::IDENTITY, "{motion:?}");
    }
    let (street, officer) = (photo("street"), photo("officer"));
    let size = (street.width().min(officer.width()), street.height().min(officer.height()));
    let cut = |picture: &Picture| {
        let rows = picture.pixels().chunks(picture.width() as usize * 3).take(size.1 as usize);
        Picture::new(size.0, size.1, rows.flat_map(|row| &row[..size.0 as usize * 3]).copied().collect())
            .unwrap()
    };
    let motion = found(&cut(&street), &cut(&officer), &[]);
    assert!(motion.confidence < 0.2 && motion.map == Affine::IDENTITY, "{motion:?}");
}

#[test]
fn a_camera_that_stands_still_does_not_drift() {
    let mut random = fastrand::Rng::with_seed(2);
    let picture = photo("street");
    let mut motion = CameraMotion::new();
    let mut place = (300.0, 200.0);
    for _ in 0..40 {
        let found = motion.update(View::from(&noisy(&picture, 5.0, &mut random)), &[]);
        place = found.map.point(place.0, place.1);
    }
    assert!((place.0 - 300.0).hypot(place.1 - 200.0) < 0.3, "{place:?}");
}

#[test]
fn any_size_and_any_rectangle_is_safe() {
    let mut random = fastrand::Rng::with_seed(9);
    let mut motion = CameraMotion::new();
    for (width, height) in [(1, 1), (1, 300), (300, 1), (17, 5), (31, 33), (64, 48), (480, 3), (1000, 90)] {
        for channels in [1, 3] {
            let stride = width * channels + 7;
            for _ in 0..3 {
                let bytes: Vec<u8> = (0..stride * height).map(|_| random.u8(..)).collect();
                let view = View::new(&bytes, (width, height), channels, stride).unwrap();
                let odd = [Rect::new(f32::NAN, 0.0, 9.0, f32::INFINITY), Rect::new(-1e9, -5.0, 2e9, 3.0)];
                let found = motion.update(view, &odd);
                assert!(found.map.is_sound() && (0.0..=1.0).contains(&found.confidence));
            }
        }
    }
}
