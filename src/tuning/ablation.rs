//! The tracker's pieces, each with the change of settings that takes it out.

use crate::track::{Preset, TrackSettings};

/// A named change of the settings.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// What it is, as a table has it.
    pub name: &'static str,
    /// Makes the change.
    pub apply: fn(&mut TrackSettings),
}

const fn change(name: &'static str, apply: fn(&mut TrackSettings)) -> Change {
    Change { name, apply }
}

/// What is on by default, and how it is taken out.
pub static PIECES: &[Change] = &[
    change("without camera motion from the boxes", |s| s.camera_strength = 0.0),
    change("without height agreement", |s| s.height_weight = 0.0),
    change("without the score in similarity", |s| s.score_weight = 0.0),
    change("without the usual score", |s| s.confidence_weight = 0.0),
    change("without the long-time height", |s| s.size_weight = 0.0),
    change("without widened boxes", |s| s.buffer = 0.0),
    change("without penalty for lost tracks", |s| s.lost_penalty = 0.0),
    change("without penalty for hidden tracks", |s| s.occlusion_penalty = 0.0),
    change("without noise by score", |s| {
        // The noise of a middling score, for all.
        s.measurement_noise *= (1.0 - 0.8 * s.score_trust).max(0.05).sqrt();
        s.score_trust = 0.0;
    }),
    change("without adaptive noise", |s| s.adaption = 0.0),
    change("without weak detections", |s| s.low_match_similarity = 1.0),
    change("without duplicate-aware births", |s| s.duplicate_iou = 1.0),
    change("without waiting for confirmation", |s| (s.confirm_score, s.confirm_hits) = (0.0, 1)),
    change("without memory of lost tracks", |s| s.lost_track_seconds = 0.0),
    change("without a decision after crossings", |s| s.decide_seconds = 0.0),
    change("filtered boxes alone", |s| s.smoothing = 1.0),
    change("detected boxes alone", |s| s.smoothing = 0.0),
];

/// Whole trackers for comparison.
pub static PRESETS: &[Change] = &[
    change("preset bytetrack", |s| *s = TrackSettings::of(Preset::Bytetrack)),
    change("preset sort", |s| *s = TrackSettings::of(Preset::Sort)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_changes_the_default() {
        for change in PIECES.iter().chain(PRESETS) {
            let mut settings = TrackSettings::default();
            (change.apply)(&mut settings);
            assert_ne!(settings, TrackSettings::default(), "{}", change.name);
        }
    }
}
