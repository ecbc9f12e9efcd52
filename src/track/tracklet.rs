//! The state of one track: its motion, its class vote, its life cycle. The public view of it is [`Track`].

use super::course::Course;
use super::evidence::{Evidence, SeenTrack};
use super::motion::{Motion, measurement_noise_scale};
use super::observed::Observed;
use super::settings::TrackSettings;
use super::similarity::MatchCandidate;
use super::vote::ClassVote;
use crate::detection::ClassId;
use crate::geometry::{Affine, Rect};
use crate::kind::Kinds;
use crate::scene::{Track, TrackState};

/// The weight of a new detection in the running mean of a track's scores.
const CONFIDENCE_RATE: f32 = 0.5;
/// The weight of a new detection in the running mean of a track's NIS.
const NIS_RATE: f32 = 0.18;
/// The highest NIS that one detection counts for: beyond, it may be a mismatch.
const MAX_NIS: f32 = 16.0;
/// The lowest and the highest factor on the process noise's variance.
const PROCESS_NOISE_SCALE: std::ops::RangeInclusive<f32> = 0.45..=6.0;
/// The time over which a track's long-time height is taken, in seconds.
const HEIGHT_SECONDS: f32 = 0.65;

/// The moment of an update.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Now {
    /// Seconds of the tracker's own clock, which never goes back.
    pub(super) clock: f64,
    /// The last time between two frames that was not zero, in seconds.
    pub(super) frame: f64,
    /// The number of the frame, from 1.
    pub(super) number: u64,
}

/// A track with what the tracker needs to carry it on.
#[derive(Debug, Clone)]
pub(super) struct Tracklet {
    /// Counts all that ever began, and stays with what is followed, whatever it is called.
    pub(super) serial: u64,
    pub(super) id: u64,
    pub(super) state: TrackState,
    pub(super) vote: ClassVote,
    /// Whether it is shown.
    pub(super) evidence: Evidence,
    /// When it was last matched, and when with a box that was not suppressed: seconds of the tracker's clock.
    pub(super) seen: f64,
    pub(super) found: f64,
    /// The number of the frame in which it was last matched.
    pub(super) frame: u64,
    /// The predicted or filtered box; kept beside `motion` because it is asked for often.
    pub(super) rect: Rect,
    /// The last detected box, moved by the camera's motion since.
    pub(super) last: Rect,
    /// The detected boxes of the last moments.
    pub(super) course: Course,
    motion: Motion,
    score: f32,
    confidence: f32,
    height: f32,
    nis: f32,
    /// The highest score of all its detections.
    best: f32,
    /// The sum of all its detections' scores.
    score_sum: f32,
    born: f64,
    hits: u32,
    /// The number of the detection that it was last matched with, in that frame.
    detection: u32,
}

impl Tracklet {
    /// Takes on the identity of a track, born at this time of the tracker's clock.
    pub(super) fn restore_identity(&mut self, known: &Track, born: f64) {
        (self.id, self.state, self.born) = (known.id, known.state, born);
        if known.state != TrackState::Tentative {
            self.evidence.show();
        }
    }

    /// Two tracks were taken for one another since they met: each goes on as what the other was. What belongs to the object
    /// (its id, class, birth, and what speaks for it) changes places; what belongs to the box that is followed stays.
    pub(super) fn exchange_identities(a: &mut Self, b: &mut Self) {
        std::mem::swap(&mut a.id, &mut b.id);
        std::mem::swap(&mut a.vote, &mut b.vote);
        std::mem::swap(&mut a.evidence, &mut b.evidence);
        std::mem::swap(&mut a.best, &mut b.best);
        std::mem::swap(&mut a.score_sum, &mut b.score_sum);
        std::mem::swap(&mut a.born, &mut b.born);
        std::mem::swap(&mut a.hits, &mut b.hits);
    }

    /// Whether it has been confirmed.
    pub(super) fn is_believed(&self) -> bool {
        self.state != TrackState::Tentative
    }

    /// Whether it was matched in this frame, and not with a suppressed box.
    pub(super) fn is_found(&self, now: Now) -> bool {
        self.frame == now.number && self.found >= now.clock
    }

    /// The score of its last detection.
    pub(super) fn last_score(&self) -> f32 {
        self.score
    }

    /// Begins a track with its first detection; `at_once`: believed without waiting for more.
    pub(super) fn begin(
        (serial, id): (u64, u64),
        now: Now,
        observed: &Observed,
        at_once: bool,
        settings: &TrackSettings,
    ) -> Self {
        let detection = &observed.detection;
        let time = now.clock;
        let mut vote = ClassVote::default();
        vote.cast(detection.class, detection.score, time, settings.class_half_life);
        let motion = Motion::new(&detection.rect, settings);
        let mut tracklet = Self {
            serial,
            id,
            state: TrackState::Tentative,
            vote,
            evidence: Evidence::new(&detection.rect, detection.score),
            seen: time,
            found: time,
            frame: now.number,
            rect: detection.rect,
            last: detection.rect,
            course: Course::default(),
            motion,
            score: detection.score,
            confidence: detection.score,
            height: detection.rect.height,
            nis: 1.0,
            best: detection.score,
            score_sum: detection.score,
            born: time,
            hits: 1,
            detection: observed.number,
        };
        if at_once || tracklet.is_confirmed(settings) {
            tracklet.state = TrackState::Confirmed;
        }
        tracklet
    }

    fn is_confirmed(&self, settings: &TrackSettings) -> bool {
        self.hits >= settings.confirm_hits && self.score_sum >= settings.confirm_score
    }

    /// Predicts the box `dt` seconds later. The process noise grows with the track's NIS (adaptive Kalman filtering by the
    /// innovation, after Mehra 1970).
    pub(super) fn predict(&mut self, dt: f32, settings: &TrackSettings) {
        let noise_scale = 1.0 - settings.adaption + settings.adaption * self.nis;
        let noise_scale = if settings.adaption > 0.0 {
            noise_scale.clamp(*PROCESS_NOISE_SCALE.start(), *PROCESS_NOISE_SCALE.end())
        } else {
            1.0
        };
        self.motion.predict(dt, self.state == TrackState::Lost, noise_scale, settings);
        self.rect = self.motion.rect();
    }

    /// Moves everything by the camera's motion.
    pub(super) fn apply_camera_motion(&mut self, camera: &Affine) {
        self.motion.apply_camera_motion(camera);
        self.evidence.apply_camera_motion(camera);
        self.last = camera.rect(&self.last);
        self.course.apply_camera_motion(camera);
        self.height *= camera.scale().1;
        self.rect = self.motion.rect();
    }

    /// The track as matching needs it; `hidden` is the share of it that lies behind another track.
    pub(super) fn candidate(
        &self,
        index: usize,
        hidden: f32,
        kinds: Option<&Kinds>,
        settings: &TrackSettings,
    ) -> MatchCandidate {
        let lost = if self.state == TrackState::Lost { settings.lost_penalty } else { 0.0 };
        MatchCandidate {
            index,
            seen: self.seen,
            found: self.found,
            rect: self.rect,
            group: self.group(kinds),
            confidence: self.confidence,
            height: self.height,
            reach: (settings.buffer * self.motion.spread()).min(settings.max_buffer),
            penalty: lost + settings.occlusion_penalty * hidden,
        }
    }

    /// The class that stands for its own and those that this is mistaken for.
    pub(super) fn group(&self, kinds: Option<&Kinds>) -> ClassId {
        let class = self.vote.winner();
        kinds.map_or(class, |kinds| kinds.group(class))
    }

    /// Whether it began before this frame.
    pub(super) fn is_older_than(&self, now: Now) -> bool {
        self.born < now.clock || self.hits > 1
    }

    /// The track as its evidence needs it.
    pub(super) fn for_evidence(
        &self,
        now: Now,
        kinds: Option<&Kinds>,
        settings: &TrackSettings,
    ) -> SeenTrack {
        let class = self.vote.winner();
        SeenTrack {
            rect: self.smoothed(settings),
            score: self.score,
            mean: self.evidence.mean(),
            kind: kinds.map(|kinds| kinds.kind(class)).unwrap_or_default(),
            group: self.group(kinds),
            age: (now.clock - self.born) as f32,
            hits: self.hits,
        }
    }

    /// Takes in the matched detection.
    pub(super) fn update(&mut self, now: Now, observed: &Observed, settings: &TrackSettings) {
        let detection = &observed.detection;
        let Now { clock: time, frame, .. } = now;
        let noise_scale = measurement_noise_scale(detection.score, settings);
        let nis = self.motion.update(&detection.rect, noise_scale, settings).min(MAX_NIS);
        self.nis += NIS_RATE * (nis - self.nis);
        self.rect = self.motion.rect();
        self.last = detection.rect;
        self.vote.cast(detection.class, detection.score, time, settings.class_half_life);
        // What is hidden looks shorter than it is.
        let rate = (1.0 - observed.hidden) * frame as f32 / (frame as f32 + HEIGHT_SECONDS);
        self.height += rate * (detection.rect.height - self.height);
        self.confidence += CONFIDENCE_RATE * (detection.score - self.confidence);
        self.score = detection.score;
        self.best = self.best.max(detection.score);
        self.score_sum += detection.score;
        self.seen = time;
        if !observed.suppressed {
            self.found = time;
        }
        self.frame = now.number;
        self.detection = observed.number;
        self.hits = self.hits.saturating_add(1);
        if self.state == TrackState::Lost || self.is_confirmed(settings) {
            self.state = TrackState::Confirmed;
        }
    }

    /// Whether a detection of the track had the score to begin one with these settings.
    pub(super) fn could_begin(&self, settings: &TrackSettings) -> bool {
        self.best >= settings.start_score
    }

    /// Whether all its numbers are finite and its boxes valid.
    pub(super) fn is_sound(&self, settings: &TrackSettings) -> bool {
        self.rect.is_sound() && self.smoothed(settings).is_sound() && self.motion.is_sound()
    }

    /// The detected box with as much of the filtered one as is set.
    fn smoothed(&self, settings: &TrackSettings) -> Rect {
        self.last.towards(&self.rect, settings.smoothing)
    }

    /// Its state as others see it: tentative while it is not shown.
    pub(super) fn public_state(&self, settings: &TrackSettings) -> TrackState {
        match self.state {
            state if settings.show_score <= 0.0 => state,
            _ if !self.evidence.is_shown() => TrackState::Tentative,
            // It is followed with care until it is confirmed, and may be sure enough to be shown before.
            TrackState::Tentative => TrackState::Confirmed,
            state => state,
        }
    }

    /// The public view of the track at source time `time` (seconds).
    pub(super) fn as_track(&self, now: Now, time: f64, settings: &TrackSettings) -> Track {
        let seen = self.state != TrackState::Lost;
        Track {
            id: self.id,
            class: self.vote.winner(),
            score: self.score,
            rect: if seen { self.smoothed(settings) } else { self.rect },
            velocity: self.motion.velocity(),
            state: self.public_state(settings),
            born: time - (now.clock - self.born),
            seen: time - (now.clock - self.seen),
            detection: (self.frame == now.number).then_some(self.detection),
        }
    }
}

#[cfg(test)]
mod tests;
