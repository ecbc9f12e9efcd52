//! What the detector says of one object in one frame.

use crate::geometry::Rect;

/// An index into the model's [`Labels`](crate::labels::Labels), from 0.
pub type ClassId = u16;

/// From this score on, what non-maximum suppression removed is handed to the tracker: weaker, it says nothing.
pub const SUPPRESSED_SCORE: f32 = 0.3;

/// One object in one frame, as the detector saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Where, in pixels of the source.
    pub rect: Rect,
    /// How sure, `0.0..=1.0`.
    pub score: f32,
    /// What.
    pub class: ClassId,
}
