//! The camera's motion from frame to frame, as the tracker wants it.

use super::motion::CameraMotion;
use super::region_mask::RegionMask;
use crate::detection::Detection;
use crate::frame::Picture;
use crate::geometry::{Affine, Rect};

/// Objects from this score on are taken to move by themselves.
const OBJECT_SCORE: f32 = 0.3;
/// A motion of which less is sure is none that a tracker should go by.
const LEAST_CONFIDENCE: f32 = 0.3;

/// Finds how the still world moved in the picture since the frame watched last.
#[derive(Debug, Default)]
pub struct CameraMotionEstimator {
    motion: CameraMotion,
    /// Where objects were in that frame, and what is masked: objects there are not known, and squares stand still.
    moving: Vec<Rect>,
}

impl CameraMotionEstimator {
    /// The frame to come does not follow on the one before.
    pub fn begin_anew(&mut self) {
        self.motion.reset();
        self.moving.clear();
    }

    /// Takes in the next frame with what was detected in it, and where objects count. Gives the map from pixels of the frame
    /// before to pixels of this one; `None` where it cannot be told.
    pub fn watch(
        &mut self,
        picture: &Picture,
        detections: &[Detection],
        region_mask: Option<&RegionMask>,
    ) -> Option<Affine> {
        let motion = self.motion.update(picture.into(), &self.moving);
        self.moving.clear();
        let objects = detections.iter().filter(|detection| detection.score >= OBJECT_SCORE);
        self.moving.extend(objects.map(|detection| detection.rect));
        self.moving.extend(region_mask.into_iter().flat_map(RegionMask::mask_bounds));
        (motion.confidence >= LEAST_CONFIDENCE && motion.map.is_sound()).then_some(motion.map)
    }
}
