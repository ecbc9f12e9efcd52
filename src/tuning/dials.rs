//! The settings that a search may turn, each with the range that makes sense.

use crate::track::TrackSettings;

/// A number among the tracker's settings.
#[derive(Debug, Clone, Copy)]
pub struct Dial {
    /// The name of the setting, as the config file has it.
    pub key: &'static str,
    /// The least and the most that a search tries.
    pub range: (f64, f64),
    /// Reads it.
    pub get: fn(&TrackSettings) -> f64,
    /// Turns it.
    pub set: fn(&mut TrackSettings, f64),
}

impl Dial {
    /// Turns it within its range, to three digits: more would say more than is known.
    pub fn turn(&self, settings: &mut TrackSettings, value: f64) {
        let (low, high) = self.range;
        let value = value.clamp(low, high);
        let unit = 10f64.powf(value.abs().max(1e-3).log10().floor() - 2.0);
        (self.set)(settings, ((value / unit).round() * unit).clamp(low, high));
    }
}

macro_rules! dials {
    ($($key:literal $field:ident $low:literal ..= $high:literal;)+) => {
        &[$(Dial {
            key: $key,
            range: ($low, $high),
            get: |settings| settings.$field.into(),
            set: |settings, value| settings.$field = value as _,
        }),+]
    };
}

/// All of them, in the order of the config file.
pub static DIALS: &[Dial] = dials! {
    "detector.confidence" start_score 0.2..=0.9;
    "tracker.high_score" high_score 0.2..=0.8;
    "tracker.low_score" low_score 0.05..=0.5;
    "tracker.match_similarity" match_similarity 0.02..=0.6;
    "tracker.low_match_similarity" low_match_similarity 0.1..=1.0;
    "tracker.tentative_similarity" tentative_similarity 0.02..=0.6;
    "tracker.height_weight" height_weight 0.0..=1.0;
    "tracker.score_weight" score_weight 0.0..=1.0;
    "tracker.confidence_weight" confidence_weight 0.0..=0.6;
    "tracker.size_weight" size_weight 0.0..=0.8;
    "tracker.reach" reach 0.0..=2.0;
    "tracker.reach_most" reach_most 0.1..=1.0;
    "tracker.lost_penalty" lost_penalty 0.0..=0.3;
    "tracker.occlusion_penalty" occlusion_penalty 0.0..=0.3;
    "tracker.confirm_score" confirm_score 0.0..=2.5;
    "tracker.keep_margin" keep_margin 0.0..=0.3;
    "tracker.duplicate_iou" duplicate_iou 0.3..=1.0;
    "tracker.memory_seconds" memory_seconds 0.3..=4.0;
    "tracker.edge_share" edge_share 0.0..=0.6;
    "tracker.camera_strength" camera_strength 0.0..=1.0;
    "tracker.camera_evidence" camera_evidence 0.0..=8.0;
    "tracker.measurement_noise" measurement_noise 0.02..=0.6;
    "tracker.score_trust" score_trust 0.0..=0.95;
    "tracker.occlusion_noise" occlusion_noise 0.0..=8.0;
    "tracker.position_noise" position_noise 0.0..=2.0;
    "tracker.velocity_noise" velocity_noise 0.05..=5.0;
    "tracker.start_speed" start_speed 0.3..=6.0;
    "tracker.adaption" adaption 0.0..=1.0;
    "tracker.smoothing" smoothing 0.0..=1.0;
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_lie_within_the_ranges_and_every_dial_turns_its_own_setting() {
        for dial in DIALS {
            let mut settings = TrackSettings::default();
            let value = (dial.get)(&settings);
            assert!(dial.range.0 <= value && value <= dial.range.1, "{}", dial.key);
            let other = if value < (dial.range.0 + dial.range.1) / 2.0 { dial.range.1 } else { dial.range.0 };
            dial.turn(&mut settings, other);
            assert!(((dial.get)(&settings) - other).abs() < 1e-6, "{}", dial.key);
            (dial.set)(&mut settings, value);
            assert_eq!(settings, TrackSettings::default(), "{} turns something else", dial.key);
        }
    }

    #[test]
    fn values_are_round_and_in_range() {
        let dial = DIALS.iter().find(|dial| dial.key == "tracker.start_speed").expect("it is there");
        let mut settings = TrackSettings::default();
        dial.turn(&mut settings, 1.234_567);
        assert!(((dial.get)(&settings) - 1.23).abs() < 1e-6);
        dial.turn(&mut settings, 99.0);
        assert_eq!((dial.get)(&settings), 6.0);
    }
}
