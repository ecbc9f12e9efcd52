//! Which detection belongs to which track: one pass over what is still free on both sides.

use super::assignment::{Assignment, Edge};
use crate::detection::{ClassId, Detection};
use crate::geometry::Rect;

/// A track as the matching sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Its index among the tracklets.
    pub(super) index: usize,
    /// Its predicted box.
    pub(super) rect: Rect,
    /// Its class.
    pub(super) class: ClassId,
}

/// What a pass goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The least similarity of a pair.
    pub(super) least: f32,
    /// Similarity is the overlap times the detection's score instead of the overlap alone.
    pub(super) weigh_score: bool,
    /// Pairs of different classes are out of the question.
    pub(super) same_class: bool,
}

/// Matches candidates with detections, with buffers kept from pass to pass.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    edges: Vec<Edge>,
    pairs: Vec<(usize, usize)>,
    assignment: Assignment,
}

impl Matcher {
    /// Matches as similar as can be in all, calls `matched(tracklet index, detection)` for each pair, and removes
    /// what was matched from both lists (their order stays).
    pub(super) fn pass(
        &mut self,
        candidates: &mut Vec<Candidate>,
        detections: &mut Vec<Detection>,
        rule: Rule,
        mut matched: impl FnMut(usize, &Detection),
    ) {
        if candidates.is_empty() || detections.is_empty() {
            return;
        }
        self.edges.clear();
        for (row, candidate) in candidates.iter().enumerate() {
            for (column, detection) in detections.iter().enumerate() {
                if rule.same_class && detection.class != candidate.class {
                    continue;
                }
                let overlap = candidate.rect.iou(&detection.rect);
                let similarity = if rule.weigh_score { overlap * detection.score } else { overlap };
                if overlap > 0.0 && similarity >= rule.least {
                    self.edges.push(Edge { row: row as u32, column: column as u32, cost: 1.0 - similarity });
                }
            }
        }
        // A pair is worth making down to the least similarity; just beyond it, a track had rather stay alone.
        let limit = 1.0 - rule.least + f32::EPSILON;
        self.assignment.solve(candidates.len(), detections.len(), &mut self.edges, limit, &mut self.pairs);

        for &(row, column) in &self.pairs {
            matched(candidates[row].index, &detections[column]);
        }
        remove_at(candidates, self.pairs.iter().map(|&(row, _)| row));
        self.pairs.sort_unstable_by_key(|&(_, column)| column);
        remove_at(detections, self.pairs.iter().map(|&(_, column)| column));
    }
}

/// Removes the items at these rising indices.
fn remove_at<T>(items: &mut Vec<T>, indices: impl Iterator<Item = usize>) {
    let mut indices = indices.peekable();
    let mut at = 0;
    items.retain(|_| {
        let remove = indices.next_if_eq(&at).is_some();
        at += 1;
        !remove
    });
}
