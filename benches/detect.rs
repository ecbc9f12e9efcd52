//! What the detector's parts cost, one thread: letterbox, a whole detection by each runtime, non-maximum suppression.
//!
//! `cargo bench -p trailsight-benches --bench detect`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and says what it leaves out"
)]

use divan::Bencher;
use trailsight::detect::{DetectSettings, Detector, Runtime, suppress};
use trailsight::detection::{Detection, Detections};
use trailsight::frame::Picture;
use trailsight::geometry::Rect;
use trailsight::kind::Kinds;
use trailsight::labels::Labels;

const RUNTIMES: [Runtime; 2] = [Runtime::Native, Runtime::Tract];

fn main() {
    divan::main();
}

/// A picture of 1280×720 with edges and shades, so that nothing is alike everywhere.
fn picture() -> Picture {
    let mut picture = Picture::filled(1280, 720, [0; 3]).expect("a size");
    for (index, pixel) in picture.rgb_mut().iter_mut().enumerate() {
        let (x, y) = (index % 1280, index / 1280);
        *pixel = [(x / 5) as u8, ((x / 64 + y / 48) % 2 * 160) as u8, (y / 3) as u8];
    }
    picture
}

/// Says so where this build has no such runtime, or it is not the one that was asked for.
fn load(runtime: Runtime) -> Option<Detector> {
    let input = "416x416".parse().expect("a size");
    match Detector::load(&DetectSettings { runtime, input, ..DetectSettings::default() }) {
        Ok(detector) if detector.runtime().starts_with(&runtime.to_string()) => Some(detector),
        Ok(detector) => {
            println!("(left out: {runtime} is not there, {} would run instead)", detector.runtime());
            None
        }
        Err(error) => {
            println!("(left out: {error})");
            None
        }
    }
}

/// Scaled to 416×234 and laid out as the runtime wants it.
#[divan::bench(args = RUNTIMES)]
fn letterbox(bencher: Bencher, runtime: Runtime) {
    let (Some(mut detector), picture) = (load(runtime), picture()) else { return };
    bencher.bench_local(|| detector.prepare(&picture));
}

#[divan::bench(args = RUNTIMES, sample_count = 30)]
fn network(bencher: Bencher, runtime: Runtime) {
    let (Some(mut detector), picture) = (load(runtime), picture()) else { return };
    detector.prepare(&picture).expect("a picture");
    bencher.bench_local(|| detector.run_network());
}

#[divan::bench(args = RUNTIMES, sample_count = 30)]
fn whole(bencher: Bencher, runtime: Runtime) {
    let (Some(mut detector), picture) = (load(runtime), picture()) else { return };
    bencher.bench_local(|| detector.detect(&picture));
}

/// A thousand boxes of four classes around fifty things.
#[divan::bench]
fn suppression_of_1000(bencher: Bencher) {
    let mut random = 12_345_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 40) as f32 / (1_u64 << 24) as f32
    };
    let things: Vec<(f32, f32, u16)> =
        (0..50).map(|index| (1200.0 * next(), 600.0 * next(), index % 4)).collect();
    let boxes: Detections = (0..1000)
        .map(|index| {
            let (left, top, class) = things[index % things.len()];
            let rect = Rect::new(left + 12.0 * next(), top + 12.0 * next(), 60.0, 110.0);
            Detection { rect, score: next(), class }
        })
        .collect();
    let kinds = Kinds::of(&Labels::coco());
    bencher.with_inputs(|| boxes.clone()).bench_local_values(|mut boxes| {
        let mut removed = Detections::default();
        suppress(&mut boxes, 0.5, Some(&kinds), &mut removed);
        (boxes, removed)
    });
}
