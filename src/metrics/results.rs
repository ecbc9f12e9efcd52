//! What a tracker said.

use super::MetricsError;
use super::boxes::Boxes;
use super::region::Region;

/// The results of a tracker on a sequence, frame by frame. To score one class, only its boxes are put in.
///
/// ```
/// use trailsight::metrics::{Region, Results};
///
/// let mut results = Results::default();
/// results.push(1, Region::new(10.0, 10.0, 20.0, 40.0))?;
/// results.end_frame();
/// assert_eq!(results.frames(), 1);
/// # Ok::<(), trailsight::metrics::MetricsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results {
    pub(super) boxes: Boxes,
}

impl Results {
    /// Puts in boxes `(frame from 0, id, where)` in any order; those of one frame keep theirs.
    ///
    /// # Errors
    /// [`MetricsError::Duplicate`].
    pub fn new(boxes: impl IntoIterator<Item = (usize, u64, Region)>) -> Result<Self, MetricsError> {
        let mut rows: Vec<(usize, u64, Region)> = boxes.into_iter().collect();
        rows.sort_by_key(|row| row.0);
        let mut results = Self::default();
        for (frame, id, region) in rows {
            while results.frames() < frame {
                results.end_frame();
            }
            results.push(id, region)?;
        }
        results.end_frame();
        Ok(results)
    }

    /// Adds a box to the frame that is being filled.
    ///
    /// # Errors
    /// [`MetricsError::Duplicate`] where the id is in the frame already.
    pub fn push(&mut self, id: u64, region: Region) -> Result<(), MetricsError> {
        self.boxes.push(id, region)
    }

    /// Finishes the frame, also one without boxes; what comes next belongs to the next one.
    pub fn end_frame(&mut self) {
        self.boxes.end_frame();
    }

    /// How many frames are finished. Where a sequence is longer, nothing was found in the rest of it.
    pub fn frames(&self) -> usize {
        self.boxes.frames()
    }

    /// Empties it for the next sequence; its memory is kept.
    pub fn clear(&mut self) {
        self.boxes.clear();
    }
}
