//! What the loops over pixels of `enhance` cost, one thread, a 1280×720 RGB picture unless another is given.
//!
//! `cargo bench -p trailsight-benches --bench enhance` prints milliseconds, the median and the least of many runs. With
//! `-- --raw FILE WIDTH HEIGHT` it takes 8-bit RGB samples from a file: `benches/peers/enhance.py` does so, and measures OpenCV in turn with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and says what it found"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trailsight::detect::{DetectSettings, Detector};
use trailsight::enhance::measure::Measure;
use trailsight::enhance::{CameraMotionEstimator, EnhanceSettings, Enhancer, Polygon, RegionMask};
use trailsight::frame::Picture;
use trailsight::geometry::Affine;
use trailsight::kernels::area::Area;
use trailsight::kernels::clahe::Clahe;
use trailsight::kernels::deblock::deblock;
use trailsight::kernels::gaussian::Gaussian;
use trailsight::kernels::guided::Guided;
use trailsight::kernels::luma::luma;
use trailsight::kernels::median::Median;
use trailsight::kernels::sharpen::Sharpen;
use trailsight::kernels::temporal::Temporal;
use trailsight::kernels::warp::warp;
use trailsight::kernels::{Plane, View, ViewMut, curve, deinterlace};

/// Each kernel runs for about so long.
const SPAN: Duration = Duration::from_millis(150);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.iter().position(|argument| argument == "--raw");
    let picture = match given.map(|at| &arguments[at + 1..]) {
        Some([file, width, height, ..]) => {
            let pixels = std::fs::read(file).expect("the file of samples");
            Picture::new(width.parse().expect("a width"), height.parse().expect("a height"), pixels)
                .expect("a picture")
        }
        // Without its file and size there is nothing to take.
        Some(_) | None => pattern(),
    };
    steps(&picture);
    chain(&picture);
}

/// Edges, shades and a little noise, so that nothing is alike everywhere.
fn pattern() -> Picture {
    let mut random = fastrand::Rng::with_seed(1);
    let mut picture = Picture::filled(1280, 720, [0; 3]).expect("a size");
    for (index, pixel) in picture.rgb_mut().iter_mut().enumerate() {
        let (x, y) = (index % 1280, index / 1280);
        let noise = random.u8(..24);
        *pixel = [(x / 6) as u8, ((x / 64 + y / 48) % 2 * 160) as u8 + noise, (y / 4) as u8 + noise];
    }
    picture
}

/// Prints the name, the median and the least milliseconds of one run.
fn time(name: &str, mut run: impl FnMut()) {
    run();
    run();
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < SPAN || times.len() < 5 {
        let started = Instant::now();
        run();
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{name:<14} {:8.3} {:8.3}", times[times.len() / 2], times[0]);
}

fn steps(picture: &Picture) {
    let from = View::from(picture);
    let mut made = picture.clone();
    // From one picture into another.
    let mut step = |name: &str, run: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>)| {
        let mut to = ViewMut::from(&mut made);
        time(name, || run(black_box(&from), &mut to));
    };
    let table: curve::Table = std::array::from_fn(|level| 255 - level as u8);
    step("table", &mut |from, to| curve::apply(from, &table, to));
    step("tables", &mut |from, to| curve::apply_channels(from, &[table; 3], to));
    let mut clahe = Clahe::new(2.0, (8, 8));
    step("clahe", &mut |from, to| clahe.apply(from, to));
    let mut median = Median::default();
    step("median3", &mut |from, to| median.three(from, to));
    step("median5", &mut |from, to| median.five(from, to));
    for taps in [3, 5, 9] {
        let mut gaussian = Gaussian::with_taps(taps, 0.0);
        step(&format!("gaussian{taps}"), &mut |from, to| gaussian.apply(from, to));
    }
    let mut guided = Guided::default();
    step("guided2", &mut |from, to| guided.apply(from, 2, 20.0, to));
    let mut temporal = Temporal::default();
    step("temporal", &mut |from, to| temporal.apply(from, 20.0, 0.04, to));
    let mut sharpen = Sharpen::new(1.0, 1.0, 0);
    step("sharpen", &mut |from, to| sharpen.apply(from, to));
    step("deblock", &mut |from, to| deblock(from, 16, to));
    step("deinterlace", &mut |from, to| deinterlace::mend(from, 12, to));
    // Half a degree and some pixels, as a hand shakes.
    let turn = Affine { matrix: [[0.99996, -0.0087, 5.3], [0.0087, 0.99996, -3.7]] };
    step("warp", &mut |from, to| warp(from, to, &turn));
    let (mut area, mut small) = (Area::default(), Picture::filled(416, 234, [0; 3]).expect("a size"));
    time("shrink", || area.shrink(black_box(&from), &mut ViewMut::from(&mut small)));

    let mut plane = Plane::default();
    time("luma", || luma(black_box(&from), &mut plane));
    let grey = plane.clone();
    let mut to = Plane::filled(grey.width(), grey.height(), 0);
    time("clahe grey", || clahe.apply(&grey.view(), &mut to.view_mut()));
    time("measure", || {
        black_box(Measure::of(&from));
    });
    let mask = Polygon::new(vec![(0.1, 0.1), (0.5, 0.2), (0.3, 0.6)]).expect("a polygon");
    let areas = RegionMask::new(picture.size(), &[], &[mask]);
    let mut masked = picture.clone();
    time("mask", || areas.hide(&mut ViewMut::from(&mut masked)));
    time("privacy", || areas.pixelate(&mut ViewMut::from(&mut masked)));
    let mut camera = CameraMotionEstimator::default();
    time("motion, still", || {
        black_box(camera.watch(picture, &[], None));
    });
    // A camera that is moved there and back.
    let mut moved = picture.clone();
    warp(&from, &mut ViewMut::from(&mut moved), &turn);
    let mut back = false;
    time("motion, moved", || {
        black_box(camera.watch(if back { picture } else { &moved }, &[], None));
        back = !back;
    });
}

/// The whole chain with `enhance.auto`, on a good picture and on a dark, noisy one, beside the network.
fn chain(picture: &Picture) {
    let input = "416x416".parse().expect("a size");
    let settings = DetectSettings { input, ..DetectSettings::default() };
    let mut detector = Detector::load(&settings).expect("the built-in model");
    // As large as it comes without being shrunk first: the most that there is to do.
    let input = detector.input().size();
    let mut twice = Picture::filled(2 * 416, 2 * 234, [0; 3]).expect("a size");
    Area::default().shrink(&View::from(picture), &mut ViewMut::from(&mut twice));
    let mut random = fastrand::Rng::with_seed(2);
    let mut spoilt = |picture: &Picture, noise: f32| {
        let mut noisy = |sample: &u8| {
            let normal = (0..12).map(|_| random.f32()).sum::<f32>() - 6.0;
            let dark = 255.0 * (f32::from(*sample) / 255.0).powi(3);
            (dark + noise * normal).round().clamp(0.0, 255.0) as u8
        };
        let pixels = picture.pixels().iter().map(&mut noisy).collect();
        Picture::new(picture.width(), picture.height(), pixels).expect("a picture")
    };
    // Noise that is removed, and yet leaves room to make it brighter.
    let (bad, bad_twice) = (spoilt(picture, 40.0), spoilt(&twice, 10.0));
    for (name, picture) in
        [("auto, good", picture.clone()), ("auto, bad", bad), ("auto, bad, 832", bad_twice)]
    {
        let picture = Arc::new(picture);
        let mut enhancer = Enhancer::new(EnhanceSettings::default()).for_network(input);
        let mut seconds = 0.0;
        let (_, enhanced) = enhancer.enhance(&picture, seconds);
        let steps: Vec<_> = enhanced.report.steps.iter().map(|taken| taken.step.name()).collect();
        eprintln!("{name}: {}", steps.join(", "));
        time(name, || {
            seconds += 1.0 / 25.0;
            drop(black_box(enhancer.enhance(&picture, seconds)));
        });
    }
    time("letterbox", || detector.prepare(picture).expect("a letterbox"));
    time("detector", || drop(black_box(detector.detect(picture).expect("boxes"))));
}
