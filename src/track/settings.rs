//! What can be set about the tracker.

/// The `[tracker]` section, and the score from which on an object is believed. Times in seconds, overlaps as
/// intersection over union, scores from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackSettings {
    /// Only a detection with at least this score begins a track; the program's `detector.confidence`.
    pub start_score: f32,
    /// Detections from this score on are matched first, with every track.
    pub high_score: f32,
    /// Detections from this score on, and below `high_score`, are matched second, with tracks just seen.
    pub low_score: f32,
    /// First match: least overlap times score.
    pub match_iou: f32,
    /// Second match, of weak detections: least overlap.
    pub low_match_iou: f32,
    /// Match of a track that is not yet confirmed: least overlap times score.
    pub tentative_iou: f32,
    /// A detection of another class goes on with a track from this overlap on (the class is then put to the vote).
    pub class_switch_iou: f32,
    /// Matches never look at the class at all.
    pub class_agnostic: bool,
    /// A track is confirmed with this many detections.
    pub confirm_hits: u32,
    /// A track that is not seen is remembered for this long.
    pub memory_seconds: f64,
    /// How long a detection counts in the vote on its track's class: its weight halves in this time.
    pub class_half_life: f64,
    /// How far a detection's box is from the truth, as a share of the object's size (one standard deviation).
    pub measurement_noise: f32,
    /// How far an object moves off its course in a second, as a share of its size.
    pub position_noise: f32,
    /// How much its speed changes in a second, as a share of its size.
    pub velocity_noise: f32,
}

impl Default for TrackSettings {
    fn default() -> Self {
        Self {
            start_score: 0.6,
            high_score: 0.5,
            low_score: 0.1,
            match_iou: 0.15,
            low_match_iou: 0.5,
            tentative_iou: 0.1,
            class_switch_iou: 0.7,
            class_agnostic: false,
            confirm_hits: 2,
            memory_seconds: 1.5,
            class_half_life: 1.0,
            measurement_noise: 0.06,
            position_noise: 0.4,
            velocity_noise: 0.8,
        }
    }
}
