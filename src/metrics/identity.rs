//! The identity metrics: how long objects are followed by one and the same identity.
//!
//! Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV workshops, 2016
//! (arXiv:1609.01775). Each object gets at most one identity for the whole sequence, so that as many boxes as possible are
//! right; a result is on an object from an overlap of one half on.

use super::MetricsError;
use super::matcher::{Candidate, Matcher};
use super::overlaps::{HALF, Overlaps};

/// Counts and shares, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Identity {
    /// Boxes that have the identity of their object.
    pub idtp: u64,
    /// Results that have not.
    pub idfp: u64,
    /// True boxes that have no such result.
    pub idfn: u64,
    /// The harmonic mean of the two below.
    pub idf1: f64,
    /// Identity precision: the share of results that are right.
    pub idp: f64,
    /// Identity recall: the share of true boxes that have a right result.
    pub idr: f64,
}

impl Identity {
    /// Over several sequences: counts are added.
    pub fn combine<'a>(sequences: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::sum(sequences).finish()
    }

    /// Over several classes: counts are added, shares averaged.
    pub fn mean_of<'a>(classes: impl IntoIterator<Item = &'a Self>) -> Self {
        let all: Vec<&Self> = classes.into_iter().collect();
        let mean =
            |part: fn(&Self) -> f64| all.iter().map(|one| part(one)).sum::<f64>() / all.len().max(1) as f64;
        Self {
            idf1: mean(|one| one.idf1),
            idp: mean(|one| one.idp),
            idr: mean(|one| one.idr),
            ..Self::sum(all.iter().copied())
        }
    }

    fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, one| Self {
            idtp: sum.idtp + one.idtp,
            idfp: sum.idfp + one.idfp,
            idfn: sum.idfn + one.idfn,
            ..sum
        })
    }

    fn finish(mut self) -> Self {
        let [tp, fp, fn_] = [self.idtp, self.idfp, self.idfn].map(|count| count as f64);
        self.idr = tp / (tp + fn_).max(1.0);
        self.idp = tp / (tp + fp).max(1.0);
        self.idf1 = tp / (tp + 0.5 * fp + 0.5 * fn_).max(1.0);
        self
    }
}

/// The memory that computing the identity metrics needs.
#[derive(Debug, Default)]
pub(super) struct IdentityWork {
    /// By pair of identities: in how many frames they are together.
    together: Vec<u32>,
    /// Identities that hang together by pairs have the same root: objects first, results behind them.
    parents: Vec<u32>,
    /// Root, object, result and frames of the pairs that are ever together.
    pairs: Vec<(u32, u32, u32, u32)>,
    columns: Vec<u32>,
    candidates: Vec<Candidate>,
    chosen: Vec<usize>,
}

impl IdentityWork {
    pub(super) fn compute(
        &mut self,
        overlaps: &Overlaps,
        matcher: &mut Matcher,
    ) -> Result<Identity, MetricsError> {
        self.together.clear();
        self.together.resize(overlaps.pairs.len(), 0);
        for overlap in overlaps.frames().flat_map(|frame| frame.overlaps) {
            self.together[overlap.pair as usize] += u32::from(overlap.iou >= HALF);
        }
        self.group(overlaps);
        let pairs = std::mem::take(&mut self.pairs);
        let groups = pairs.chunk_by(|a, b| a.0 == b.0).map(|group| self.best(group, matcher));
        let idtp = groups.sum::<Result<u64, MetricsError>>();
        self.pairs = pairs;
        let idtp = idtp?;
        let sum = |counts: &[u32]| counts.iter().copied().map(u64::from).sum::<u64>();
        let (boxes, said) = (sum(&overlaps.truth_counts), sum(&overlaps.result_counts));
        Ok(Identity { idtp, idfp: said - idtp, idfn: boxes - idtp, ..Identity::default() }.finish())
    }

    /// Sorts the pairs by what hangs together: each group is matched by itself, which keeps the matrices small.
    fn group(&mut self, overlaps: &Overlaps) {
        let objects = overlaps.truth_counts.len() as u32;
        self.parents.clear();
        self.parents.extend(0..objects + overlaps.result_counts.len() as u32);
        self.pairs.clear();
        for (&(object, result), &frames) in overlaps.pairs.iter().zip(&self.together) {
            if frames > 0 {
                let (a, b) = (root(&mut self.parents, object), root(&mut self.parents, objects + result));
                self.parents[a.max(b) as usize] = a.min(b);
                self.pairs.push((0, object, result, frames));
            }
        }
        // Only now that all are joined have they their last roots.
        for pair in &mut self.pairs {
            pair.0 = root(&mut self.parents, pair.1);
        }
        self.pairs.sort_unstable();
    }

    /// In how many frames, at best, the objects of a group have their identity.
    fn best(&mut self, group: &[(u32, u32, u32, u32)], matcher: &mut Matcher) -> Result<u64, MetricsError> {
        self.columns.clear();
        self.columns.extend(group.iter().map(|pair| pair.2));
        self.columns.sort_unstable();
        self.columns.dedup();
        self.candidates.clear();
        let mut rows = 0;
        for object in group.chunk_by(|a, b| a.1 == b.1) {
            for &(.., result, frames) in object {
                let column = self.columns.partition_point(|other| *other < result) as u32;
                self.candidates.push(Candidate { row: rows, column, score: frames.into() });
            }
            rows += 1;
        }
        Matcher::check(rows as usize, self.columns.len())?;
        matcher.choose(rows as usize, self.columns.len(), &self.candidates, &mut self.chosen);
        Ok(self.chosen.iter().map(|at| self.candidates[*at].score as u64).sum())
    }
}

/// The root of a tree of identities; shortens the way to it.
fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let above = parents[parents[node as usize] as usize];
        parents[node as usize] = above;
        node = above;
    }
    node
}
