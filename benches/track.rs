//! What the tracker's pieces cost: the default beside ByteTrack and SORT as published, on the same boxes.
//!
//! `cargo bench -p trailsight-benches --bench track`. One core; each sample is a whole recording with a fresh tracker.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench may fail loudly")]

use divan::Bencher;
use divan::counter::ItemsCount;
use trailsight::dataset::DetectionFile;
use trailsight::detection::Detection;
use trailsight::geometry::Rect;
use trailsight::track::{Preset, TrackSettings, Tracker};

fn main() {
    divan::main();
}

const PRESETS: [Preset; 3] = [Preset::Default, Preset::Bytetrack, Preset::Sort];

/// The boxes of the demo clip, seven frames a second.
fn street() -> (Vec<Vec<Detection>>, f64) {
    let text: &[u8] = include_bytes!("../tests/golden/demo_detections.txt");
    let boxes = DetectionFile::parse(text, "demo_detections.txt").expect("a detection file");
    ((0..boxes.frames()).map(|frame| boxes.at(frame).collect()).collect(), 7.0)
}

/// Three hundred people in one picture, thirty frames a second.
fn crowd() -> (Vec<Vec<Detection>>, f64) {
    let mut random = 12_345u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 40) as f32 / (1u64 << 24) as f32
    };
    let mut people: Vec<[f32; 4]> = (0..300)
        .map(|_| [1880.0 * next(), 990.0 * next(), 80.0 * (next() - 0.5), 80.0 * (next() - 0.5)])
        .collect();
    let mut frame = || {
        people
            .iter_mut()
            .map(|[x, y, across, down]| {
                (*x, *y) = (*x + *across / 30.0, *y + *down / 30.0);
                Detection { rect: Rect::new(*x, *y, 40.0, 90.0), score: 0.5 + 0.45 * next(), class: 0 }
            })
            .collect()
    };
    ((0..200).map(|_| frame()).collect(), 30.0)
}

fn run(bencher: Bencher, preset: Preset, (frames, fps): (Vec<Vec<Detection>>, f64)) {
    bencher.counter(ItemsCount::new(frames.len())).bench(|| {
        let mut tracker = Tracker::new(TrackSettings::of(preset));
        for (number, boxes) in frames.iter().enumerate() {
            tracker.update(number as f64 / fps, boxes);
        }
        tracker.tracks().len()
    });
}

#[divan::bench(args = PRESETS)]
fn a_street(bencher: Bencher, preset: Preset) {
    run(bencher, preset, street());
}

#[divan::bench(args = PRESETS)]
fn three_hundred(bencher: Bencher, preset: Preset) {
    run(bencher, preset, crowd());
}
