//! What a box was like just before or just after a crossing, and how likely two boxes have changed places.

use super::weights::{BIAS, CLIPS, CUES, WEIGHTS};
use crate::geometry::Affine;

/// A box on one side of a crossing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::track) struct View {
    /// The centre's x, the bottom edge and the height where it is nearest to the crossing, in pixels.
    pub(in crate::track) x: f32,
    pub(in crate::track) bottom: f32,
    pub(in crate::track) end_height: f32,
    /// The mean width and height over the side, in pixels.
    pub(in crate::track) width: f32,
    pub(in crate::track) height: f32,
    /// How fast the centre moves across, in pixels a second.
    pub(in crate::track) speed: f32,
    /// The mean score.
    pub(in crate::track) score: f32,
}

/// No height counts for less than this share of the mean of all.
const LEAST_HEIGHT: f32 = 0.2;

impl View {
    pub(in crate::track) fn is_sound(&self) -> bool {
        let numbers = [self.x, self.bottom, self.end_height, self.speed, self.score];
        numbers.iter().all(|number| number.is_finite())
            && [self.width, self.height].iter().all(|side| side.is_finite() && *side > 0.0)
    }

    /// Moves it by the camera's motion.
    pub(in crate::track) fn apply_camera_motion(&mut self, camera: &Affine) {
        (self.x, self.bottom) = camera.point(self.x, self.bottom);
        self.speed = camera.direction(self.speed, 0.0).0;
        let (across, down) = camera.scale();
        self.width *= across;
        self.height *= down;
        self.end_height *= down;
    }

    /// By how much another view differs from it, cue by cue, in sizes of the objects: bottom edge, height and width (ratios),
    /// speed, score.
    fn differences(&self, other: &Self, (width, height): (f32, f32)) -> [f32; CUES] {
        let least = LEAST_HEIGHT * height;
        let ratio = |a: f32, b: f32| libm::logf(a / b).abs();
        [
            (self.bottom - other.bottom).abs() / height,
            ratio(self.end_height.max(least), other.end_height.max(least)),
            ratio(self.width, other.width),
            (self.speed - other.speed).abs() / width,
            (self.score - other.score).abs(),
        ]
    }
}

/// What speaks for two tracks having changed places between `before` and `after`, cue by cue: how much more each differs from
/// itself than from the other.
pub(in crate::track) fn cues(before: &[View; 2], after: &[View; 2]) -> [f32; CUES] {
    let mean = |side: fn(&View) -> f32| before.iter().chain(after).map(side).sum::<f32>() / 4.0;
    let size = (mean(|view| view.width), mean(|view| view.height));
    let [a, b] = before;
    let [c, d] = after;
    let kept = [a.differences(c, size), b.differences(d, size)];
    let swapped = [a.differences(d, size), b.differences(c, size)];
    std::array::from_fn(|cue| {
        let more = kept[0][cue] + kept[1][cue] - swapped[0][cue] - swapped[1][cue];
        more.clamp(-CLIPS[cue], CLIPS[cue])
    })
}

/// The log-odds that the tracks have changed places.
pub(in crate::track) fn log_odds(cues: &[f32; CUES]) -> f32 {
    cues.iter().zip(WEIGHTS).map(|(cue, weight)| cue * weight).sum::<f32>() + BIAS
}
