//! What there really was, prepared once to be compared with many results.

use super::MetricsError;
use super::boxes::Boxes;
use super::region::{Corners, Region};

/// What a true box is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// It is to be found: it counts.
    #[default]
    Counts,
    /// Nobody has to find it, and a result on it is neither right nor wrong: it is left out.
    Distractor,
    /// It does not count, but a result on it is not on a distractor.
    Bystander,
}

/// One object in one frame of the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthBox {
    /// The frame, from 0.
    pub frame: usize,
    /// The object's id.
    pub id: u64,
    /// Where it is.
    pub region: Region,
    /// What it is for.
    pub role: Role,
}

/// Which results are not judged for where they are: near regions that nobody annotated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum IgnoreRule {
    /// Those that lie at least half in a region, and on no true box.
    #[default]
    Half,
    /// Those that are matched with no true box, and lie more than half in a region or are no higher than this many pixels
    /// (KITTI; Geiger et al., CVPR 2012).
    Unmatched {
        /// In pixels.
        height: f64,
    },
    /// Those that lie at least half in all regions together, whatever else they are on, counted in whole pixels (VisDrone;
    /// Zhu et al., 2018, arXiv:1804.07437).
    Pixels {
        /// Width and height of the picture, where it is known: what lies outside is in no region.
        size: Option<(u32, u32)>,
    },
}

/// The truth of a sequence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Truth {
    pub(super) boxes: Boxes,
    pub(super) roles: Vec<Role>,
    /// Of each frame: whether there is a distractor.
    pub(super) distracting: Vec<bool>,
    /// In how many frames each id counts.
    pub(super) counts: Vec<u32>,
    ignored: Vec<(usize, Corners)>,
    pub(super) rule: IgnoreRule,
}

impl Truth {
    /// Prepares the truth of a sequence of `frames` frames. The boxes may come in any order; those of one frame keep
    /// theirs. Results in a region of `ignored` (frame from 0, and where) are left out, as [`IgnoreRule`] says.
    ///
    /// # Errors
    /// [`MetricsError`]: an id twice in a frame, or a box behind the last frame.
    pub fn new(
        frames: usize,
        boxes: impl IntoIterator<Item = TruthBox>,
        ignored: impl IntoIterator<Item = (usize, Region)>,
    ) -> Result<Self, MetricsError> {
        let mut rows: Vec<TruthBox> = boxes.into_iter().collect();
        rows.sort_by_key(|row| row.frame);
        let mut truth = Self { distracting: vec![false; frames], ..Self::default() };
        for row in &rows {
            if row.frame >= frames {
                return Err(MetricsError::Frame { frame: row.frame, frames });
            }
            truth.end_frames(row.frame);
            truth.boxes.push(row.id, row.region)?;
            truth.roles.push(row.role);
            truth.distracting[row.frame] |= row.role == Role::Distractor;
        }
        truth.end_frames(frames);
        truth.counts = vec![0; truth.boxes.ids()];
        for (label, role) in truth.boxes.labels().iter().zip(&truth.roles) {
            truth.counts[*label as usize] += u32::from(*role == Role::Counts);
        }
        truth.ignored = ignored.into_iter().map(|(frame, region)| (frame, region.into())).collect();
        truth.ignored.sort_by_key(|(frame, _)| *frame);
        Ok(truth)
    }

    /// The same truth with another rule on results in and near the regions.
    #[must_use]
    pub fn with_rule(self, rule: IgnoreRule) -> Self {
        Self { rule, ..self }
    }

    fn end_frames(&mut self, until: usize) {
        while self.boxes.frames() < until {
            self.boxes.end_frame();
        }
    }

    /// How many frames the sequence has.
    pub fn frames(&self) -> usize {
        self.distracting.len()
    }

    /// How many boxes are to be found.
    pub fn boxes(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    /// How many objects are to be found.
    pub fn objects(&self) -> u64 {
        self.counts.iter().filter(|count| **count > 0).count() as u64
    }

    /// The object that each of these boxes of a frame lies on, as a number: the pairs with the largest overlaps come first, down to
    /// an IoU of a half.
    #[cfg(feature = "cli")]
    pub(crate) fn objects_at(&self, frame: usize, regions: &[Region]) -> Vec<Option<u32>> {
        let mut pairs = Vec::new();
        for (place, region) in regions.iter().enumerate() {
            let corners = Corners::from(*region);
            for row in self.boxes.range(frame).filter(|row| self.roles[*row] == Role::Counts) {
                let overlap = corners.iou(&self.boxes.corners()[row]).filter(|iou| *iou >= 0.5);
                pairs.extend(overlap.map(|iou| (iou, place, row)));
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut objects = vec![None; regions.len()];
        let mut taken = Vec::new();
        for (_, place, row) in pairs {
            if objects[place].is_none() && !taken.contains(&row) {
                objects[place] = Some(self.boxes.labels()[row]);
                taken.push(row);
            }
        }
        objects
    }

    /// The regions of a frame in which results are not judged.
    pub(super) fn ignored(&self, frame: usize) -> &[(usize, Corners)] {
        let start = self.ignored.partition_point(|(other, _)| *other < frame);
        let end = self.ignored.partition_point(|(other, _)| *other <= frame);
        self.ignored.get(start..end).unwrap_or_default()
    }
}
