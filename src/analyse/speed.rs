//! How fast objects move in the picture.

use std::sync::Arc;

use super::{SceneStage, StageFrame};
use crate::scene::{Scene, Track};

/// Adds the attribute `speed_px_per_s` to every track: the speed of the middle of its box, in pixels of the picture a second,
/// as the tracker's filter has it. A moving camera moves everything.
#[derive(Debug, Clone)]
pub struct Speed {
    name: Arc<str>,
}

impl Speed {
    /// The name of the attribute.
    pub const ATTRIBUTE: &str = "speed_px_per_s";
}

impl Default for Speed {
    fn default() -> Self {
        Self { name: Self::ATTRIBUTE.into() }
    }
}

impl SceneStage for Speed {
    fn name(&self) -> &str {
        "speed"
    }

    fn update(&mut self, _frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        let Scene { tracks, attributes, .. } = scene;
        for track in tracks.iter() {
            attributes.set(track.id, Arc::clone(&self.name), speed(track));
        }
        Ok(())
    }
}

/// The speed of the middle of a track's box, in pixels a second.
pub(super) fn speed(track: &Track) -> f64 {
    let [left, top, width, height] = track.velocity.map(f64::from);
    libm::hypot(left + width / 2.0, top + height / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Detections;
    use crate::geometry::Rect;
    use crate::scene::TrackState;

    #[test]
    fn the_middle_of_the_box_counts() {
        let track = Track {
            id: 4,
            class: 0,
            score: 0.9,
            rect: Rect::new(0.0, 0.0, 9.0, 9.0),
            // It grows to the right as fast as its left edge goes left: the middle goes down only.
            velocity: [-10.0, 3.0, 20.0, 2.0],
            state: TrackState::Confirmed,
            born: 0.0,
            seen: 1.0,
            detection: None,
        };
        let mut scene = Scene { tracks: vec![track], ..Scene::default() };
        let frame = StageFrame {
            size: (64, 48),
            picture: None,
            detections: &Detections::default(),
            suppressed: None,
            camera: None,
            again: false,
        };
        Speed::default().update(&frame, &mut scene).unwrap();
        let speed = scene.attributes.get(4, Speed::ATTRIBUTE).and_then(|value| value.as_number());
        assert_eq!(speed, Some(4.0));
    }
}
