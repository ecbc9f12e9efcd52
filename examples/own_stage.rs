//! A stage that counts who crosses a line. Needs no feature of the crate:
//! `cargo run --release --no-default-features --example own_stage`
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::collections::BTreeMap;
use std::error::Error;

use trailsight::analyse::{SceneStage, StageFrame};
use trailsight::detection::{Detection, Detections};
use trailsight::engine::{TrackInput, TrackStage, TrackingSettings};
use trailsight::event::Event;
use trailsight::geometry::Rect;
use trailsight::scene::Scene;

/// A line from top to bottom of the picture. Adds the event `line_crossed` with the detail `direction`, and to each track the
/// attribute `side`.
pub struct Line {
    /// Pixels from the left edge of the picture.
    pub x: f32,
    /// Which tracks were on the right side in the frame before.
    right: BTreeMap<u64, bool>,
}

impl Line {
    /// A line so many pixels from the left edge.
    pub fn at(x: f32) -> Self {
        Self { x, right: BTreeMap::new() }
    }
}

impl SceneStage for Line {
    fn name(&self) -> &str {
        "line"
    }

    fn update(&mut self, _frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        let Scene { sequence, time, tracks, attributes, events, .. } = scene;
        for track in tracks.iter() {
            let right = track.rect.center().0 > self.x;
            attributes.set(track.id, "side", if right { "right" } else { "left" });
            if self.right.insert(track.id, right).is_some_and(|before| before != right) {
                let direction = if right { "to the right" } else { "to the left" };
                let event = Event::new(*sequence, *time, "line_crossed").of_track(track.id);
                events.push(event.with("direction", direction));
            }
        }
        // Tracks that ended do not come back.
        self.right.retain(|id, _| tracks.iter().any(|track| track.id == *id));
        Ok(())
    }

    fn restart(&mut self) {
        self.right.clear();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    for event in run(100)? {
        println!("{:.2} s: {} by #{}", event.time, event.kind, event.track.unwrap_or_default());
    }
    Ok(())
}

/// The events of so many frames at 25 a second: two objects, one goes right, one left.
pub fn run(frames: u64) -> Result<Vec<Event>, Box<dyn Error>> {
    let mut tracking = TrackStage::new(TrackingSettings::default());
    tracking.add_stage(Line::at(160.0));
    let mut events = Vec::new();
    for sequence in 0..frames {
        let (time, step) = (sequence as f64 / 25.0, 3.0 * sequence as f32);
        let object = |left, top| Detection { rect: Rect::new(left, top, 20.0, 40.0), score: 0.9, class: 0 };
        let detections = Detections::from(vec![object(10.0 + step, 20.0), object(300.0 - step, 150.0)]);
        let input = TrackInput::of_boxes(sequence, time, (320, 240), &detections);
        events.append(&mut tracking.update(&input)?.events);
    }
    Ok(events)
}
