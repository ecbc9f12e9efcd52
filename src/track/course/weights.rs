//! The learned weights of the cues: logistic regression on DanceTrack, MOT17 and KITTI (the sequences of `docs/tracker.md`),
//! `trailsight tune --crossings` learns them anew on any recordings with a known truth.

/// How many cues there are: bottom edge, height, width, speed, score.
pub(crate) const CUES: usize = 5;
/// No cue counts for more than this.
pub(crate) const CLIPS: [f32; CUES] = [0.6, 0.8, 1.0, 3.0, 0.4];
/// What each is worth, in log-odds a unit.
pub(crate) const WEIGHTS: [f32; CUES] = [16.6, 3.7, 1.3, 0.8, 1.4];
/// The log-odds where nothing speaks for either.
pub(crate) const BIAS: f32 = -1.17;
