//! One track from the inside: its motion, its vote, its life.

use super::kalman::Motion;
use super::settings::TrackSettings;
use super::vote::ClassVote;
use crate::detection::Detection;
use crate::scene::{Track, TrackState};

/// A track with what the tracker needs to carry it on.
#[derive(Debug, Clone)]
pub(super) struct Tracklet {
    pub(super) id: u64,
    pub(super) state: TrackState,
    pub(super) vote: ClassVote,
    pub(super) seen: f64,
    motion: Motion,
    score: f32,
    /// The highest score of all its detections.
    best: f32,
    born: f64,
    hits: u32,
}

impl Tracklet {
    /// Begins a track with its first detection; `at_once`: believed without waiting for more.
    pub(super) fn begin(
        id: u64,
        time: f64,
        detection: &Detection,
        at_once: bool,
        settings: &TrackSettings,
    ) -> Self {
        let mut vote = ClassVote::default();
        vote.cast(detection.class, detection.score, time, settings.class_half_life);
        let believed = at_once || settings.confirm_hits <= 1;
        Self {
            id,
            state: if believed { TrackState::Confirmed } else { TrackState::Tentative },
            vote,
            seen: time,
            motion: Motion::new(&detection.rect, settings),
            score: detection.score,
            best: detection.score,
            born: time,
            hits: 1,
        }
    }

    /// Moves `dt` seconds on.
    pub(super) fn predict(&mut self, dt: f32, settings: &TrackSettings) {
        self.motion.predict(dt, self.state == TrackState::Lost, settings);
    }

    /// Takes in the detection that the track was matched with.
    pub(super) fn see(&mut self, time: f64, detection: &Detection, settings: &TrackSettings) {
        self.motion.update(&detection.rect, settings);
        self.vote.cast(detection.class, detection.score, time, settings.class_half_life);
        self.score = detection.score;
        self.best = self.best.max(detection.score);
        self.seen = time;
        self.hits = self.hits.saturating_add(1);
        if self.state == TrackState::Lost || self.hits >= settings.confirm_hits {
            self.state = TrackState::Confirmed;
        }
    }

    /// Whether a track with its scores would be begun with these settings.
    pub(super) fn is_worth(&self, settings: &TrackSettings) -> bool {
        self.best >= settings.start_score
    }

    /// How long the track has been seen, in seconds.
    pub(super) fn age(&self) -> f64 {
        self.seen - self.born
    }

    pub(super) fn rect(&self) -> crate::geometry::Rect {
        self.motion.rect()
    }

    /// The face that the rest of the program sees.
    pub(super) fn as_track(&self) -> Track {
        Track {
            id: self.id,
            class: self.vote.winner(),
            score: self.score,
            rect: self.motion.rect(),
            velocity: self.motion.velocity(),
            state: self.state,
            born: self.born,
            seen: self.seen,
        }
    }
}
