//! How numbers, states and times are written, the same in all track files.

use std::time::UNIX_EPOCH;

use super::super::FrameFacts;
use crate::scene::{Track, TrackState};

/// When a live source's frame was taken as RFC 3339 has it, in UTC, to the millisecond; `None` where the clock tells
/// nonsense.
pub(in crate::sink) fn wall(facts: &FrameFacts) -> Option<String> {
    use std::fmt::Write;
    let wall = facts.wall.filter(|wall| *wall >= UNIX_EPOCH)?;
    let mut text = String::new();
    // Years of five digits have no form.
    write!(text, "{}", humantime::format_rfc3339_millis(wall)).ok()?;
    Some(text)
}

/// A number rounded to `decimals` places, for files that people read.
pub(in crate::sink) fn rounded(value: impl Into<f64>, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    let rounded = (value.into() * scale).round() / scale;
    // Not "-0".
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// How the centre of a track moves, `[x, y]` in pixels a second.
pub(super) fn center_velocity(track: &Track) -> [f64; 2] {
    let [left, top, width, height] = track.velocity.map(f64::from);
    [left + width / 2.0, top + height / 2.0]
}

/// How a file names the state of a track.
pub(super) fn state(track: &Track) -> &'static str {
    match track.state {
        TrackState::Tentative => "tentative",
        TrackState::Confirmed => "seen",
        TrackState::Lost => "lost",
    }
}

#[cfg(test)]
pub(in crate::sink) mod tests {
    use std::sync::Arc;

    use super::super::super::RunInfo;
    use super::*;
    use crate::geometry::Rect;
    use crate::labels::Labels;
    use crate::scene::Scene;

    /// A seen person and a lost car.
    pub(in crate::sink) fn scene() -> Scene {
        let person = Track {
            id: 7,
            class: 0,
            score: 0.83,
            rect: Rect::new(10.254, 20.0, 30.5, 61.249),
            velocity: [4.0, -1.0, 2.0, 0.0],
            state: TrackState::Confirmed,
            born: 0.5,
            seen: 2.0,
            detection: Some(0),
        };
        let car = Track { id: 9, class: 2, state: TrackState::Lost, seen: 1.0, ..person };
        Scene { sequence: 4, time: 2.0, tracks: vec![person, car], ..Scene::default() }
    }

    pub(in crate::sink) fn facts() -> FrameFacts {
        FrameFacts { size: (640, 480), wall: None, file: None }
    }

    pub(in crate::sink) fn run() -> RunInfo {
        let labels = Arc::new(Labels::coco());
        RunInfo { source: "a \"clip\".avi".to_owned(), labels, rate: None, sound: None }
    }
}
