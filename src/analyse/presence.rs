//! When objects come and go.

use super::{SceneStage, StageFrame};
use crate::event::Event;
use crate::scene::Scene;

/// Tells with `appeared` the frame in which a track is believed for the first time, and with `disappeared` the frame in which
/// it is given up. Both events are of the track; `disappeared` has the detail `seconds`: from its first detection to its last.
#[derive(Debug, Default)]
pub struct Presence {
    /// The tracks of the scene before, by rising id: id, first and last detection in seconds.
    before: Vec<(u64, f64, f64)>,
    /// A scene was seen since the beginning or the last restart.
    running: bool,
}

impl SceneStage for Presence {
    fn name(&self) -> &str {
        "presence"
    }

    fn update(&mut self, _frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        let Scene { sequence, time, tracks, events, .. } = scene;
        let event = |kind: &str, id| Event::new(*sequence, *time, kind).of_track(id);
        let running = std::mem::replace(&mut self.running, true);
        for track in tracks.iter() {
            let known = self.before.binary_search_by_key(&track.id, |(id, ..)| *id).is_ok();
            // Behind a jump, who was there before is not new.
            if !known && (running || track.born >= *time) {
                events.push(event("appeared", track.id));
            }
        }
        for (id, born, seen) in &self.before {
            if tracks.binary_search_by_key(id, |track| track.id).is_err() {
                events.push(event("disappeared", *id).with("seconds", seen - born));
            }
        }
        self.before.clear();
        self.before.extend(tracks.iter().map(|track| (track.id, track.born, track.seen)));
        Ok(())
    }

    fn restart(&mut self) {
        self.before.clear();
        self.running = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Detections;
    use crate::geometry::Rect;
    use crate::scene::{Track, TrackState};

    fn scene(sequence: u64, tracks: &[(u64, f64)]) -> Scene {
        let time = sequence as f64;
        let track = |&(id, born)| Track {
            id,
            born,
            class: 0,
            score: 0.9,
            rect: Rect::new(0.0, 0.0, 9.0, 9.0),
            velocity: [0.0; 4],
            state: TrackState::Confirmed,
            seen: time,
            detection: None,
        };
        Scene { sequence, time, tracks: tracks.iter().map(track).collect(), ..Scene::default() }
    }

    fn told(stage: &mut Presence, mut scene: Scene) -> Vec<String> {
        let frame = StageFrame {
            size: (64, 48),
            picture: None,
            detections: &Detections::default(),
            suppressed: None,
            camera: None,
            again: false,
        };
        stage.update(&frame, &mut scene).unwrap();
        scene.events.iter().map(|e| format!("{} {}", e.kind, e.track.unwrap())).collect()
    }

    #[test]
    fn each_track_appears_once_and_disappears_once() {
        let mut stage = Presence::default();
        assert_eq!(told(&mut stage, scene(0, &[(2, 0.0)])), ["appeared 2"]);
        // Confirmed later than a younger one, its id is lower.
        assert_eq!(told(&mut stage, scene(1, &[(1, 0.0), (2, 0.0)])), ["appeared 1"]);
        assert!(told(&mut stage, scene(2, &[(1, 0.0), (2, 0.0)])).is_empty());
        assert_eq!(told(&mut stage, scene(3, &[(2, 0.0), (5, 3.0)])), ["appeared 5", "disappeared 1"]);
        assert_eq!(told(&mut stage, scene(4, &[])), ["disappeared 2", "disappeared 5"]);
    }

    #[test]
    fn behind_a_jump_only_what_begins_there_is_new() {
        let mut stage = Presence::default();
        told(&mut stage, scene(0, &[(1, 0.0)]));
        stage.restart();
        assert_eq!(told(&mut stage, scene(50, &[(3, 20.0), (4, 50.0)])), ["appeared 4"]);
        assert_eq!(told(&mut stage, scene(51, &[(4, 50.0)])), ["disappeared 3"]);
    }
}
