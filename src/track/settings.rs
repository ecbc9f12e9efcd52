//! What can be set about the tracker.

/// The network's detections begin a track from this share of the confidence on: what is shown is told by many of them.
const BIRTH_SHARE: f32 = 0.8;

/// A whole set of settings by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Ours: one set for every kind of scene.
    #[default]
    Default,
    /// ByteTrack as published (Zhang et al. 2022, arXiv:2110.06864), for comparison.
    Bytetrack,
    /// SORT as published (Bewley et al. 2016, arXiv:1602.00763), for comparison.
    Sort,
}

/// The `[tracker]` section, and the score from which on a track is shown. Times in seconds, overlaps as
/// intersection over union, scores and similarities from 0 to 1, noise as a share of the object's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackSettings {
    /// Where the others come from.
    pub preset: Preset,
    /// Only a detection with at least this score begins a track.
    pub start_score: f32,
    /// A track is shown while what speaks for it, in units of score, is at least this (`evidence`); 0: every confirmed track is
    /// shown.
    pub show_score: f32,
    /// What the program adds to `detector.confidence` for `show_score`.
    pub show_margin: f32,
    /// A track that is shown is hidden again this much below `show_score`.
    pub hide_margin: f32,
    /// The time over which the evidence is averaged, in seconds.
    pub evidence_seconds: f64,
    /// What being new takes off, until `new_seconds` have passed.
    pub new_penalty: f32,
    /// After so many seconds a track is not new any more.
    pub new_seconds: f64,
    /// What lying inside a better track of its kind takes off.
    pub part_penalty: f32,
    /// What holding better tracks of its kind takes off.
    pub loose_penalty: f32,
    /// What filling the picture takes off.
    pub whole_penalty: f32,
    /// What never moving takes off a small person.
    pub still_penalty: f32,
    /// Detections from this score on are matched first, with every track.
    pub high_score: f32,
    /// Detections from this score on, and below `high_score`, are matched second, with tracks just seen.
    pub low_score: f32,
    /// First match: least similarity.
    pub match_similarity: f32,
    /// Second match, of weak detections: least similarity.
    pub low_match_similarity: f32,
    /// Match with boxes that non-maximum suppression removed: least similarity; 1 leaves it out.
    pub suppressed_similarity: f32,
    /// Match of a track that is not yet confirmed: least similarity.
    pub tentative_similarity: f32,
    /// A detection of another class goes on with a track from this overlap on (the class is then put to the vote).
    pub class_switch_iou: f32,
    /// Matches never look at the class at all.
    pub class_agnostic: bool,
    /// How much the agreement of heights counts in similarity: 0 not at all, 1 as a factor of its own.
    pub height_weight: f32,
    /// How much a detection's score counts in similarity: 0 not at all, 1 as a factor of its own.
    pub score_weight: f32,
    /// How much similarity falls with the difference between a detection's score and its track's usual one.
    pub confidence_weight: f32,
    /// How much a detection must be as high as the track has long been: 0 not at all, 1 as a factor of its own.
    pub size_weight: f32,
    /// Boxes are widened for the match by this many standard deviations of the track's predicted place.
    pub buffer: f32,
    /// But by no more than this share of their size on each side.
    pub max_buffer: f32,
    /// How much less similar a lost track is than one that was just seen.
    pub lost_penalty: f32,
    /// How much less similar a track is that lies wholly behind another one.
    pub occlusion_penalty: f32,
    /// A track is confirmed when its detections' scores add up to this, and it has `confirm_hits` of them.
    pub confirm_score: f32,
    /// The least number of detections of a confirmed track.
    pub confirm_hits: u32,
    /// No track begins on a detection that overlaps a seen one of its class by more than this.
    pub duplicate_iou: f32,
    /// A track that is not seen is remembered for this long, but for one missed frame at the least.
    pub lost_track_seconds: f64,
    /// How long a detection counts in the vote on its track's class: its weight halves in this time.
    pub class_half_life: f64,
    /// How much of the shift that all boxes share is taken for the camera's: 0 none, 1 all.
    pub camera_strength: f32,
    /// From how many standard errors on a shared shift counts for half.
    pub camera_evidence: f32,
    /// How far a detection's box with score 0 is from the truth (one standard deviation).
    pub measurement_noise: f32,
    /// How much of that noise's variance a score of 1 takes away.
    pub score_trust: f32,
    /// How far an object moves off its course in a second.
    pub position_noise: f32,
    /// How much its speed changes in a second.
    pub velocity_noise: f32,
    /// How fast a new object may be, in its own sizes a second (one standard deviation).
    pub start_speed: f32,
    /// How much of the noise follows each track's own surprises: 0 none, 1 all.
    pub adaption: f32,
    /// How much of the filtered box is in what comes out; the rest is the detected one.
    pub smoothing: f32,
    /// So long after two tracks that lay on one another have parted it is decided which is which; 0: never.
    pub decide_seconds: f64,
}

impl TrackSettings {
    /// The settings of a preset; those of published trackers in seconds for 30 frames a second.
    pub fn of(preset: Preset) -> Self {
        match preset {
            Preset::Default => Self::default(),
            Preset::Bytetrack => Self {
                preset,
                start_score: 0.6,
                high_score: 0.5,
                low_score: 0.1,
                match_similarity: 0.2,
                low_match_similarity: 0.5,
                tentative_similarity: 0.3,
                score_weight: 1.0,
                confirm_hits: 2,
                lost_track_seconds: 1.0,
                ..Self::plain()
            },
            Preset::Sort => Self {
                preset,
                start_score: 0.5,
                high_score: 0.5,
                low_score: 0.5,
                match_similarity: 0.3,
                low_match_similarity: 1.0,
                tentative_similarity: 0.3,
                score_weight: 0.0,
                confirm_hits: 3,
                // One frame.
                lost_track_seconds: 0.0,
                ..Self::plain()
            },
        }
    }

    /// The same for what a network finds live: weak detections begin tracks, and what is gathered over time tells which of these
    /// are shown. `confidence` is the score from which on a single box would be; a preset goes by it as published, one score for
    /// births and for what is shown.
    pub fn with_confidence(self, confidence: f32) -> Self {
        if self.preset != Preset::Default {
            return Self { start_score: confidence, high_score: self.high_score.min(confidence), ..self };
        }
        let start_score = BIRTH_SHARE * confidence;
        Self {
            start_score,
            // What begins a track is matched like what is strong.
            high_score: self.high_score.min(start_score),
            // Not 0, which would show everything.
            show_score: (confidence + self.show_margin).max(f32::MIN_POSITIVE),
            ..self
        }
    }

    /// Every piece beyond the Kalman filter and the overlap switched off. The noise is that of the published trackers
    /// (a twentieth of the object's size a frame for its place, a 160th for its speed), turned from frames at 30 a
    /// second into seconds.
    fn plain() -> Self {
        Self {
            suppressed_similarity: 1.0,
            class_switch_iou: 1.0,
            height_weight: 0.0,
            confidence_weight: 0.0,
            size_weight: 0.0,
            buffer: 0.0,
            lost_penalty: 0.0,
            occlusion_penalty: 0.0,
            confirm_score: 0.0,
            duplicate_iou: 1.0,
            camera_strength: 0.0,
            measurement_noise: 0.05,
            score_trust: 0.0,
            position_noise: 0.27,
            velocity_noise: 1.0,
            start_speed: 1.9,
            adaption: 0.0,
            smoothing: 1.0,
            decide_seconds: 0.0,
            ..Self::default()
        }
    }
}

impl Default for TrackSettings {
    fn default() -> Self {
        Self {
            preset: Preset::Default,
            start_score: 0.65,
            show_score: 0.0,
            show_margin: 0.05,
            hide_margin: 0.04,
            evidence_seconds: 1.5,
            new_penalty: 0.3,
            new_seconds: 0.35,
            part_penalty: 1.0,
            loose_penalty: 0.5,
            whole_penalty: 0.4,
            still_penalty: 0.3,
            high_score: 0.6,
            low_score: 0.05,
            match_similarity: 0.13,
            low_match_similarity: 0.5,
            suppressed_similarity: 0.5,
            tentative_similarity: 0.1,
            class_switch_iou: 0.7,
            class_agnostic: false,
            height_weight: 0.95,
            score_weight: 0.9,
            confidence_weight: 0.13,
            size_weight: 0.35,
            buffer: 0.65,
            max_buffer: 0.5,
            lost_penalty: 0.035,
            occlusion_penalty: 0.03,
            confirm_score: 1.0,
            confirm_hits: 1,
            duplicate_iou: 0.47,
            lost_track_seconds: 1.6,
            class_half_life: 1.0,
            camera_strength: 1.0,
            camera_evidence: 2.3,
            measurement_noise: 0.25,
            score_trust: 0.93,
            position_noise: 0.55,
            velocity_noise: 1.2,
            start_speed: 4.0,
            adaption: 0.6,
            smoothing: 0.5,
            decide_seconds: 0.5,
        }
    }
}
