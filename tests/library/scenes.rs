//! What the tracker's tests share: small scenes, played through the library alone.

#![allow(unreachable_pub)]

use trailsight::detection::Detection;
use trailsight::geometry::Rect;
use trailsight::scene::{Track, TrackState};
use trailsight::track::{TrackSettings, Tracker};

/// A detected person.
pub fn person(left: f32, top: f32, width: f32, height: f32, score: f32) -> Detection {
    Detection { rect: Rect::new(left, top, width, height), score, class: 0 }
}

/// The ids of the tracks that are seen and believed.
pub fn confirmed(tracks: &[Track]) -> Vec<u64> {
    tracks.iter().filter(|t| t.state == TrackState::Confirmed).map(|t| t.id).collect()
}

/// The id of the believed track that is seen at this box.
pub fn id_at(tracks: &[Track], rect: &Rect) -> Option<u64> {
    let seen = tracks.iter().filter(|t| t.state == TrackState::Confirmed && t.rect.iou(rect) > 0.5);
    seen.max_by(|a, b| a.rect.iou(rect).total_cmp(&b.rect.iou(rect))).map(|t| t.id)
}

/// Frame times from 0 up to `seconds`.
pub fn frames(fps: f64, seconds: f64) -> impl Iterator<Item = f64> {
    (0..(seconds * fps).round() as u32).map(move |frame| f64::from(frame) / fps)
}

/// A tracker that has seen the whole of a scene.
pub fn play(
    settings: TrackSettings,
    times: impl IntoIterator<Item = f64>,
    mut seen: impl FnMut(f64) -> Vec<Detection>,
) -> Tracker {
    let mut tracker = Tracker::new(settings);
    for time in times {
        tracker.update(time, &seen(time));
    }
    tracker
}

/// Numbers without a pattern, the same every time (splitmix64; Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `from` up to `to`.
    pub fn within(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}

/// One who walks in a straight line.
#[derive(Debug, Clone, Copy)]
pub struct Walker {
    /// Where and how large at time 0.
    pub rect: Rect,
    /// Pixels a second.
    pub velocity: (f32, f32),
    pub score: f32,
}

impl Walker {
    pub fn new(rect: Rect, velocity: (f32, f32)) -> Self {
        Self { rect, velocity, score: 0.85 }
    }

    pub fn at(&self, time: f64) -> Rect {
        let time = time as f32;
        let Rect { left, top, .. } = self.rect;
        Rect { left: left + self.velocity.0 * time, top: top + self.velocity.1 * time, ..self.rect }
    }

    pub fn seen(&self, time: f64) -> Detection {
        Detection { rect: self.at(time), score: self.score, class: 0 }
    }
}
