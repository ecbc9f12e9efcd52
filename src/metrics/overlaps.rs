//! Which results overlap which true boxes, frame by frame: computed once, used by every metric.
//!
//! Also the place where results that are not to be judged are left out, since that is decided by overlaps.

use super::matcher::{Candidate, Matcher};
use super::pixels::{PixelRect, covered};
use super::region::Corners;
use super::results::Results;
use super::truth::{IgnoreRule, Role, Truth};

/// From this overlap on a result is on a box.
pub(super) const HALF: f64 = 0.5;

/// A true box and a result that overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Overlap {
    /// Which of the frame's true boxes that count.
    pub(super) row: u32,
    /// Which of the frame's results that are judged.
    pub(super) column: u32,
    /// Which pair of identities, see [`Overlaps::pairs`].
    pub(super) pair: u32,
    /// Intersection over union, above 0.
    pub(super) iou: f64,
}

/// What overlaps in a whole sequence. Its memory is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Overlaps {
    /// Where each frame ends in the three lists below.
    ends: Vec<[usize; 3]>,
    truth_labels: Vec<u32>,
    result_labels: Vec<u32>,
    overlaps: Vec<Overlap>,
    /// The labels, of truth and result, of identities that overlap anywhere.
    pub(super) pairs: Vec<(u32, u32)>,
    /// In how many frames each id of the truth counts.
    pub(super) truth_counts: Vec<u32>,
    /// In how many frames each id of the results is judged.
    pub(super) result_counts: Vec<u32>,
    /// By label of the truth: label of the result, and which pair that is.
    pairs_of: Vec<Vec<(u32, u32)>>,
    frame: FrameWork,
}

/// The lists of one frame, by label or between labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameOverlaps<'a> {
    pub(super) truth: &'a [u32],
    pub(super) results: &'a [u32],
    /// By row, then column.
    pub(super) overlaps: &'a [Overlap],
}

impl Overlaps {
    /// Compares results with the truth.
    pub(super) fn fill(&mut self, truth: &Truth, results: &Results, matcher: &mut Matcher) {
        self.ends.clear();
        self.truth_labels.clear();
        self.result_labels.clear();
        self.overlaps.clear();
        self.pairs.clear();
        self.truth_counts.clone_from(&truth.counts);
        self.result_counts.clear();
        self.result_counts.resize(results.boxes.ids(), 0);
        self.pairs_of.iter_mut().for_each(Vec::clear);
        self.pairs_of.resize(truth.boxes.ids().max(self.pairs_of.len()), Vec::new());
        for frame in 0..truth.frames() {
            self.frame.compare(truth, results, frame, matcher);
            self.take_frame(truth, results, frame);
        }
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = FrameOverlaps<'_>> {
        (0..self.ends.len()).map(|frame| self.frame(frame))
    }

    /// One frame; it panics behind the last one.
    pub(super) fn frame(&self, frame: usize) -> FrameOverlaps<'_> {
        let start = frame.checked_sub(1).map_or([0; 3], |before| self.ends[before]);
        let end = self.ends[frame];
        FrameOverlaps {
            truth: &self.truth_labels[start[0]..end[0]],
            results: &self.result_labels[start[1]..end[1]],
            overlaps: &self.overlaps[start[2]..end[2]],
        }
    }

    /// Keeps of a frame what counts and what is judged.
    fn take_frame(&mut self, truth: &Truth, results: &Results, frame: usize) {
        let (rows, columns) = (truth.boxes.range(frame), results.boxes.range(frame));
        let FrameWork { overlaps, dropped, row_numbers, column_numbers, .. } = &mut self.frame;
        let (true_labels, said_labels) =
            (&truth.boxes.labels()[rows.clone()], &results.boxes.labels()[columns]);
        row_numbers.clear();
        let mut next = 0;
        for (label, role) in true_labels.iter().zip(&truth.roles[rows]) {
            row_numbers.push((*role == Role::Counts).then_some(next));
            if *role == Role::Counts {
                self.truth_labels.push(*label);
                next += 1;
            }
        }
        column_numbers.clear();
        next = 0;
        for (label, dropped) in said_labels.iter().zip(dropped.iter()) {
            column_numbers.push(next);
            if !dropped {
                self.result_labels.push(*label);
                self.result_counts[*label as usize] += 1;
                next += 1;
            }
        }
        for &Candidate { row, column, score } in overlaps.iter() {
            let (row, column) = (row as usize, column as usize);
            let Some(row_number) = row_numbers[row].filter(|_| !dropped[column]) else { continue };
            let (of_truth, of_result) = (true_labels[row], said_labels[column]);
            let known = &mut self.pairs_of[of_truth as usize];
            // The newest identity is the likeliest, so the end is looked at first.
            let pair = match known.iter().rev().find(|(label, _)| *label == of_result) {
                Some(&(_, pair)) => pair,
                None => {
                    let pair = self.pairs.len() as u32;
                    known.push((of_result, pair));
                    self.pairs.push((of_truth, of_result));
                    pair
                }
            };
            self.overlaps.push(Overlap { row: row_number, column: column_numbers[column], pair, iou: score });
        }
        self.ends.push([self.truth_labels.len(), self.result_labels.len(), self.overlaps.len()]);
    }
}

/// One frame as it is in truth and results, before anything is left out.
#[derive(Debug, Default)]
struct FrameWork {
    overlaps: Vec<Candidate>,
    /// Of each result: whether it is not to be judged.
    dropped: Vec<bool>,
    row_numbers: Vec<Option<u32>>,
    column_numbers: Vec<u32>,
    near: Vec<Candidate>,
    chosen: Vec<usize>,
}

impl FrameWork {
    fn compare(&mut self, truth: &Truth, results: &Results, frame: usize, matcher: &mut Matcher) {
        let (rows, columns) = (truth.boxes.range(frame), results.boxes.range(frame));
        let (roles, distracting) = (&truth.roles[rows.clone()], truth.distracting[frame]);
        let (there, said) = (&truth.boxes.corners()[rows], &results.boxes.corners()[columns]);
        self.overlaps.clear();
        for (row, (corners, role)) in there.iter().zip(roles).enumerate() {
            // What does not count only matters to the matching with distractors.
            if *role == Role::Counts || distracting {
                for (column, other) in said.iter().enumerate() {
                    if let Some(score) = corners.iou(other) {
                        self.overlaps.push(Candidate { row: row as u32, column: column as u32, score });
                    }
                }
            }
        }
        self.dropped.clear();
        self.dropped.resize(said.len(), false);
        let regions = truth.ignored(frame);
        match truth.rule {
            IgnoreRule::Half => self.drop_ignored(regions, said),
            IgnoreRule::Pixels { size } => self.drop_in_pixels(regions, said, size),
            IgnoreRule::Unmatched { height } => {
                self.drop_unmatched(roles, regions, said, height, matcher);
                return;
            }
        }
        if distracting {
            self.drop_distracted(roles, said.len(), matcher);
        }
    }

    /// Leaves out what lies at least half in a region that nobody annotated, unless it is on a true box.
    fn drop_ignored(&mut self, regions: &[(usize, Corners)], said: &[Corners]) {
        if regions.is_empty() {
            return;
        }
        for (dropped, corners) in self.dropped.iter_mut().zip(said) {
            *dropped = regions.iter().any(|(_, region)| corners.share_in(region) >= HALF);
        }
        for overlap in self.overlaps.iter().filter(|overlap| overlap.score >= HALF) {
            self.dropped[overlap.column as usize] = false;
        }
    }

    /// Leaves out what lies at least half in all regions together, in whole pixels.
    fn drop_in_pixels(&mut self, regions: &[(usize, Corners)], said: &[Corners], size: Option<(u32, u32)>) {
        if regions.is_empty() {
            return;
        }
        let regions: Vec<PixelRect> =
            regions.iter().map(|(_, region)| PixelRect::region(region, size)).collect();
        for (dropped, corners) in self.dropped.iter_mut().zip(said) {
            let (inside, whole) = PixelRect::result(corners, size);
            *dropped = covered(inside, &regions) / whole >= HALF;
        }
    }

    /// Leaves out what a distractor explains best, and of what no true box explains that which is too low or in a region.
    fn drop_unmatched(
        &mut self,
        roles: &[Role],
        regions: &[(usize, Corners)],
        said: &[Corners],
        height: f64,
        matcher: &mut Matcher,
    ) {
        self.near.clear();
        self.near.extend(self.overlaps.iter().filter(|c| c.score >= HALF - f64::EPSILON));
        self.chosen.clear();
        if !self.near.is_empty() {
            matcher.choose(roles.len(), said.len(), &self.near, &mut self.chosen);
        }
        let unexplained = |corners: &Corners| {
            corners.height() <= height + f64::EPSILON
                || regions.iter().any(|(_, region)| corners.lies_in(region) > HALF + f64::EPSILON)
        };
        for (dropped, corners) in self.dropped.iter_mut().zip(said) {
            *dropped = unexplained(corners);
        }
        for near in self.chosen.iter().map(|at| self.near[*at]) {
            self.dropped[near.column as usize] = roles[near.row as usize] == Role::Distractor;
        }
    }

    /// Leaves out what a distractor explains best: of all true boxes, whatever their role, each gets at most one result,
    /// by the most overlap in total, of those at least half on it (the preprocessing of MOT16 and its successors, Milan et
    /// al., 2016, arXiv:1603.00831).
    fn drop_distracted(&mut self, roles: &[Role], columns: usize, matcher: &mut Matcher) {
        let dropped = &mut self.dropped;
        let near =
            self.overlaps.iter().filter(|c| c.score >= HALF - f64::EPSILON && !dropped[c.column as usize]);
        self.near.clear();
        self.near.extend(near);
        if !self.near.iter().any(|near| roles[near.row as usize] == Role::Distractor) {
            return;
        }
        matcher.choose(roles.len(), columns, &self.near, &mut self.chosen);
        for near in self.chosen.iter().map(|at| self.near[*at]) {
            if roles[near.row as usize] == Role::Distractor {
                dropped[near.column as usize] = true;
            }
        }
    }
}
