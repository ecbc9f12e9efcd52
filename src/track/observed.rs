//! A detection as the tracker sees it.

use crate::detection::{ClassId, Detection};

/// A detection with what the tracker found out about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    pub(super) detection: Detection,
    /// The class that stands for its own and those that this is mistaken for.
    pub(super) group: ClassId,
    /// Its number in the frame, as [`Track::detection`](crate::scene::Track::detection) counts.
    pub(super) number: u32,
    /// The share of its area that lies behind another detection, `0.0..=1.0`.
    pub(super) hidden: f32,
    /// Non-maximum suppression removed it.
    pub(super) suppressed: bool,
}
