//! Boxes with identities, frame by frame: the form that truth and results share.

use std::collections::HashMap;

use super::MetricsError;
use super::region::{Corners, Region};

/// Rows of a whole sequence, one frame after another; ids are replaced by numbers from 0, in the order in which they
/// appear, so that tables can be kept about them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Boxes {
    corners: Vec<Corners>,
    labels: Vec<u32>,
    /// Where each finished frame ends.
    ends: Vec<usize>,
    label_of: HashMap<u64, u32>,
    /// The frame in which a label was seen last, counted from 1.
    last_seen: Vec<usize>,
}

impl Boxes {
    /// Forgets everything but its memory.
    pub(super) fn clear(&mut self) {
        self.corners.clear();
        self.labels.clear();
        self.ends.clear();
        self.label_of.clear();
        self.last_seen.clear();
    }

    /// Adds a box to the frame that is not finished yet.
    pub(super) fn push(&mut self, id: u64, region: Region) -> Result<(), MetricsError> {
        let frame = self.ends.len();
        // There are never more labels than boxes.
        u32::try_from(self.corners.len()).map_err(|_| MetricsError::TooMany)?;
        let known = self.last_seen.len() as u32;
        let label = *self.label_of.entry(id).or_insert(known);
        if label == known {
            self.last_seen.push(0);
        }
        if std::mem::replace(&mut self.last_seen[label as usize], frame + 1) == frame + 1 {
            return Err(MetricsError::Duplicate { frame, id });
        }
        self.corners.push(region.into());
        self.labels.push(label);
        Ok(())
    }

    pub(super) fn end_frame(&mut self) {
        self.ends.push(self.corners.len());
    }

    /// The same boxes with other ids: that which `name` makes of a frame and a label. No two labels of a frame may get the same.
    pub(super) fn renamed(&self, mut name: impl FnMut(usize, u32) -> u64) -> Self {
        let mut renamed = Self { corners: self.corners.clone(), ends: self.ends.clone(), ..Self::default() };
        for frame in 0..self.frames() {
            for row in self.range(frame) {
                let known = renamed.last_seen.len() as u32;
                let label = *renamed.label_of.entry(name(frame, self.labels[row])).or_insert(known);
                if label == known {
                    renamed.last_seen.push(0);
                }
                renamed.last_seen[label as usize] = frame + 1;
                renamed.labels.push(label);
            }
        }
        renamed
    }

    /// How many frames are finished.
    pub(super) fn frames(&self) -> usize {
        self.ends.len()
    }

    /// How many ids there are.
    pub(super) fn ids(&self) -> usize {
        self.last_seen.len()
    }

    /// Where the rows of a frame are; nowhere behind the last frame.
    pub(super) fn range(&self, frame: usize) -> std::ops::Range<usize> {
        let end_of = |frame: usize| self.ends.get(frame).copied();
        match end_of(frame) {
            Some(end) => frame.checked_sub(1).and_then(end_of).unwrap_or(0)..end,
            None => 0..0,
        }
    }

    pub(super) fn corners(&self) -> &[Corners] {
        &self.corners
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
    }
}
