//! Which detection belongs to which track: one pass over what is still free on both sides.

use super::assignment::{Assignment, Edge};
use super::mutual::pair_mutually;
use super::nearby::Nearby;
use super::settings::{Pairing, TrackSettings};
use super::similarity::{Cues, Subject, similarity};
use crate::detection::Detection;

/// A detection with what was found out about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    pub(super) detection: Detection,
    /// The share of it that lies behind another detection.
    pub(super) hidden: f32,
}

/// What a pass goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The least similarity of a pair.
    pub(super) least: f32,
    pub(super) cues: Cues,
    /// Tracks last seen before this time (seconds) are left out.
    pub(super) since: f64,
}

/// Matches tracks with detections, with buffers kept from pass to pass.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    edges: Vec<Edge>,
    pairs: Vec<(usize, usize)>,
    assignment: Assignment,
    taken: Vec<bool>,
    nearby: Nearby,
}

impl Matcher {
    /// Matches, calls `matched(tracklet index, detection)` for each pair, and removes what was matched from both lists
    /// (their order stays). A rule whose least similarity is 1 matches nothing: it is switched off.
    pub(super) fn pass(
        &mut self,
        subjects: &mut Vec<Subject>,
        detections: &mut Vec<Observed>,
        rule: Rule,
        settings: &TrackSettings,
        mut matched: impl FnMut(usize, &Observed),
    ) {
        if subjects.is_empty() || detections.is_empty() || rule.least >= 1.0 {
            return;
        }
        self.edges.clear();
        self.nearby.fill(detections.iter().map(|observed| &observed.detection.rect));
        let recent = |(_, subject): &(usize, &Subject)| subject.seen >= rule.since;
        for (row, subject) in subjects.iter().enumerate().filter(recent) {
            let near = if rule.cues == Cues::LastSeen { &subject.last } else { &subject.rect };
            for column in self.nearby.around(near, subject.reach) {
                let similarity = similarity(subject, &detections[column].detection, rule.cues, settings);
                if similarity > 0.0 && similarity >= rule.least {
                    self.edges.push(Edge { row: row as u32, column: column as u32, cost: 1.0 - similarity });
                }
            }
        }
        match settings.pairing {
            // A pair is worth making down to the least similarity; just beyond it, a track had rather stay alone.
            Pairing::Exact => {
                let limit = 1.0 - rule.least + f32::EPSILON;
                self.assignment.solve(
                    subjects.len(),
                    detections.len(),
                    &mut self.edges,
                    limit,
                    &mut self.pairs,
                );
            }
            Pairing::Mutual => {
                pair_mutually(
                    subjects.len(),
                    detections.len(),
                    &mut self.edges,
                    &mut self.taken,
                    &mut self.pairs,
                );
            }
        }
        for &(row, column) in &self.pairs {
            matched(subjects[row].index, &detections[column]);
        }
        remove_at(subjects, self.pairs.iter().map(|&(row, _)| row));
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
