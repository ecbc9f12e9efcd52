//! What the motion detector costs, one thread: a frame of 768×576 with noise and something that walks.
//!
//! `cargo bench -p trailsight-benches --bench motion` prints milliseconds, the median and the least. With
//! `-- --raw FILE WIDTH HEIGHT RATE` it takes 8-bit RGB frames, one behind the other, from a file, and prints a line
//! `box FRAME LEFT TOP WIDTH HEIGHT SCORE` for each box and `time MILLISECONDS` for each frame: `benches/peers/motion.py` does
//! so, and measures OpenCV in turn with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and says what it found"
)]

use std::fs::File;
use std::io::{BufReader, Read};
use std::time::Instant;

use trailsight::background::{MotionDetector, MotionSettings};
use trailsight::kernels::View;

const SIZE: (usize, usize) = (768, 576);
const FRAMES: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().position(|argument| argument == "--raw") {
        Some(at) => raw(&arguments[at + 1..]),
        None => rendered(),
    }
}

/// Boxes and times of the frames of a file.
fn raw(arguments: &[String]) {
    let [file, width, height, rate, ..] = arguments else { panic!("--raw FILE WIDTH HEIGHT RATE") };
    let (width, height): (usize, usize) =
        (width.parse().expect("a width"), height.parse().expect("a height"));
    let rate: f64 = rate.parse().expect("frames a second");
    let mut file = BufReader::new(File::open(file).expect("the file of samples"));
    let mut frame = vec![0; width * height * 3];
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut number = 0;
    while file.read_exact(&mut frame).is_ok() {
        let view = View::new(&frame, (width, height), 3, width * 3).expect("a picture");
        let begun = Instant::now();
        let found = detector.detect(&view, f64::from(number) / rate);
        println!("time {:.4}", begun.elapsed().as_secs_f64() * 1e3);
        for found in found.iter() {
            let rect = found.rect;
            let (left, top, width, height) = (rect.left, rect.top, rect.width, rect.height);
            println!("box {number} {left:.1} {top:.1} {width:.1} {height:.1} {:.3}", found.score);
        }
        number += 1;
    }
}

fn rendered() {
    let (width, height) = SIZE;
    let mut random = fastrand::Rng::with_seed(1);
    let place: Vec<u8> =
        (0..width * height).map(|at| (at % width / 9 * 40 % 130 + at / width / 7 % 60) as u8).collect();
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut frame = vec![0; width * height * 3];
    let (mut times, mut boxes) = (Vec::new(), 0);
    for number in 0..FRAMES {
        for (pixel, level) in frame.chunks_exact_mut(3).zip(&place) {
            let noise = random.u8(..8);
            pixel.fill(level + 40 + noise);
        }
        for y in 200..360 {
            frame[(y * width + number * 3) * 3..][..60 * 3].fill(220);
        }
        let view = View::new(&frame, SIZE, 3, width * 3).expect("a picture");
        let begun = Instant::now();
        boxes += detector.detect(&view, number as f64 / 25.0).len();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("motion {width}x{height}: {:.2} ms, least {:.2} ms, {boxes} boxes", times[FRAMES / 2], times[0]);
}
