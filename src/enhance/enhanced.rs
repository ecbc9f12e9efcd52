//! What the two chains give with a picture.

use std::sync::Arc;

use super::region_mask::RegionMask;
use super::report::Report;
use crate::detection::Detections;
use crate::frame::Picture;

/// What was made of a picture besides the one that is shown.
#[derive(Debug, Clone, Default)]
pub struct Enhanced {
    /// What the network is to look at, perhaps smaller than the picture; `None`: the picture as it is.
    pub seen: Option<Arc<Picture>>,
    /// Where objects count; `None`: everywhere.
    pub region_mask: Option<Arc<RegionMask>>,
    /// Masked areas have lost their detail in what may be shown.
    pub pixelated: bool,
    /// What was done, and why.
    pub report: Arc<Report>,
}

impl Enhanced {
    /// Scales boxes from pixels of the picture that the network saw ([`Enhanced::seen`]) to pixels of the source picture, of
    /// which this is the width and height; both have their origin at the top-left corner. Comes before
    /// [`Enhanced::leave_out`].
    pub fn place(&self, detections: &mut Detections, (width, height): (u32, u32)) {
        let Some(seen) = self.seen.as_ref().filter(|seen| seen.size() != (width, height)) else { return };
        detections.scale((width as f32 / seen.width() as f32, height as f32 / seen.height() as f32));
    }

    /// Removes the boxes, in pixels of the source picture, of which more than half lies outside the regions or inside the
    /// masks. Comes after [`Enhanced::place`].
    pub fn leave_out(&self, detections: &mut Detections) {
        if let Some(region_mask) = &self.region_mask {
            detections.retain(|detection| region_mask.counts(&detection.rect));
        }
    }
}
