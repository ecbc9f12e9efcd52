//! Own pictures, own detector, own loop. Needs no feature of the crate:
//! `cargo run --release --no-default-features --example own_detections`
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use trailsight::detection::Detection;
use trailsight::engine::{DetectionSource, Engine, EngineSettings};
use trailsight::frame::{Frame, Picture};
use trailsight::geometry::Rect;
use trailsight::scene::Scene;

fn main() -> Result<(), Box<dyn Error>> {
    for scene in track(50)? {
        for track in &scene.tracks {
            println!("{:.2} s: #{} at {:.0}, {:.0}", scene.time, track.id, track.rect.left, track.rect.top);
        }
    }
    Ok(())
}

/// The scenes of so many frames at 25 a second.
pub fn track(frames: u64) -> Result<Vec<Scene>, Box<dyn Error>> {
    let mut engine = Engine::new(DetectionSource::None, EngineSettings::default());
    let mut scenes = Vec::new();
    for sequence in 0..frames {
        let time = sequence as f64 / 25.0;
        let picture = Arc::new(draw(sequence)?);
        let detections = bright_boxes(&picture);
        let frame = Frame { picture, sequence, time, captured: Instant::now(), file: None };
        scenes.push(engine.process_detections(&frame, detections)?.scene);
    }
    Ok(scenes)
}

/// Two white boxes on black: one goes right, one goes left.
fn draw(sequence: u64) -> Result<Picture, Box<dyn Error>> {
    let mut picture = Picture::filled(320, 120, [0; 3])?;
    let step = 2 * sequence as usize;
    for (left, top) in [(20 + step, 10), (260 - step, 70)] {
        for row in picture.rgb_mut().chunks_exact_mut(320).skip(top).take(30) {
            row[left..left + 24].fill([255; 3]);
        }
    }
    Ok(picture)
}

/// The detector: the bright part of the upper and of the lower half. Boxes are in pixels, the corner of the first at (0, 0).
fn bright_boxes(picture: &Picture) -> Vec<Detection> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let bright = |half: usize| {
        let rows = half * height / 2..(half + 1) * height / 2;
        let pixels = rows.flat_map(|y| (0..width).map(move |x| (x, y)));
        let bright = pixels.filter(|(x, y)| picture.rgb()[y * width + x][0] > 128);
        let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
        bright.for_each(|(x, y)| {
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
        });
        let size = (right.checked_sub(left)?, bottom.checked_sub(top)?);
        let rect = Rect::new(left as f32, top as f32, size.0 as f32, size.1 as f32);
        Some(Detection { rect, score: 0.9, class: 0 })
    };
    (0..2).filter_map(bright).collect()
}
