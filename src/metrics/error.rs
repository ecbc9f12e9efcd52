//! What cannot be scored.

/// Why boxes cannot be scored. Frames are counted from 0 here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// An object cannot be in two places.
    #[error("the id {id} occurs twice in frame {frame} (from 0)")]
    Duplicate {
        /// The frame, from 0.
        frame: usize,
        /// The id.
        id: u64,
    },
    /// A box lies behind the last frame.
    #[error("there is a box in frame {frame} (from 0) of a sequence of {frames} frames")]
    Frame {
        /// The frame, from 0.
        frame: usize,
        /// How many frames there are.
        frames: usize,
    },
    /// Comparing everything with everything would take more memory than is sensible.
    #[error("there are too many boxes or ids to compare")]
    TooMany,
}
