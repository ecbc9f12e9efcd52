//! Tracks a folder of images, in the order of their names: `cargo run --release --example track_folder -- FOLDER`
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::error::Error;
use std::path::Path;

use trailsight::detect::{DetectSettings, Detector};
use trailsight::engine::{Engine, EngineSettings};
use trailsight::source::{ImageSource, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: track_folder FOLDER")?;
    track(Path::new(&folder), |line| println!("{line}"))
}

/// Tells of every object in every image: frame, id, class and box.
pub fn track(folder: &Path, mut tell: impl FnMut(String)) -> Result<(), Box<dyn Error>> {
    let (detect, mut settings) = (DetectSettings::default(), EngineSettings::default());
    settings.tracking.track = settings.tracking.track.with_confidence(detect.confidence);
    // The tracker makes use of boxes that are too weak to be shown.
    let confidence = settings.tracking.track.low_score;
    let detector = Detector::load(&DetectSettings { confidence, ..detect })?;
    let labels = detector.labels().clone();
    let mut engine = Engine::new(detector, settings);
    let mut images = ImageSource::folder(folder, None)?;
    while let Some(frame) = images.next_frame()? {
        for track in engine.process(&frame)?.scene.seen() {
            let (name, rect) = (labels.name(track.class), track.rect);
            tell(format!("{} #{} {name} at {:.0}, {:.0}", frame.sequence, track.id, rect.left, rect.top));
        }
    }
    Ok(())
}
