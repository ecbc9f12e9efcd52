//! Higher order tracking accuracy: how well objects are found, and how well they keep their identity, in one number.
//!
//! Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", International Journal of Computer
//! Vision 129, 2021 (arXiv:2009.07736).

use super::matcher::{Candidate, Matcher};
use super::overlaps::Overlaps;

/// How many overlaps it is measured at.
pub const ALPHAS: usize = 19;

/// The overlaps from which on a result is on an object: 0.05, 0.10 … 0.95.
pub fn alphas() -> [f64; ALPHAS] {
    // As the reference counts them up: some differ from the decimal number in the last digit, and a threshold decides.
    std::array::from_fn(|index| 0.05 + index as f64 * 0.05)
}

/// A value at each of the overlaps of [`alphas`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Curve(pub [f64; ALPHAS]);

impl Curve {
    /// The mean over all overlaps: what is meant where one number is given.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / ALPHAS as f64
    }

    fn new(value: impl FnMut(usize) -> f64) -> Self {
        Self(std::array::from_fn(value))
    }
}

/// HOTA and its parts, all from 0 to 1, at each overlap.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Hota {
    /// The geometric mean of detection and association accuracy.
    pub hota: Curve,
    /// Detection accuracy: true positives of all boxes, found or not.
    pub det_a: Curve,
    /// Association accuracy: how much of two identities belongs together, mean over the true positives.
    pub ass_a: Curve,
    /// Localisation accuracy: mean overlap of the true positives.
    pub loc_a: Curve,
    /// Detection recall: the share of true boxes that were found.
    pub det_re: Curve,
    /// Detection precision: the share of results that are on an object.
    pub det_pr: Curve,
    /// Association recall: the share of an object's boxes that have the identity of the true positive.
    pub ass_re: Curve,
    /// Association precision: the share of an identity's boxes that are on the object of the true positive.
    pub ass_pr: Curve,
    /// True positives.
    pub tp: [u64; ALPHAS],
    /// Results on no object.
    pub fp: [u64; ALPHAS],
    /// Objects without a result.
    pub fn_: [u64; ALPHAS],
}

impl Hota {
    /// Over several sequences: boxes count alike, wherever they are.
    pub fn combine<'a>(sequences: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut total = Self::default();
        let mut weighted = [(); 4].map(|()| [0.0; ALPHAS]);
        for one in sequences {
            for alpha in 0..ALPHAS {
                total.add_counts(one, alpha);
                let parts = [&one.ass_a, &one.ass_re, &one.ass_pr, &one.loc_a];
                for (sum, part) in weighted.iter_mut().zip(parts) {
                    sum[alpha] += part.0[alpha] * one.tp[alpha] as f64;
                }
            }
        }
        total.finish(&weighted)
    }

    /// Over several classes: classes count alike, however many boxes they have; counts are added.
    pub fn mean_of<'a>(classes: impl IntoIterator<Item = &'a Self>) -> Self {
        let all: Vec<&Self> = classes.into_iter().collect();
        let mean = |part: fn(&Self) -> &Curve| {
            Curve::new(|alpha| {
                all.iter().map(|one| part(one).0[alpha]).sum::<f64>() / all.len().max(1) as f64
            })
        };
        let mut total = Self {
            hota: mean(|one| &one.hota),
            det_a: mean(|one| &one.det_a),
            ass_a: mean(|one| &one.ass_a),
            loc_a: mean(|one| &one.loc_a),
            det_re: mean(|one| &one.det_re),
            det_pr: mean(|one| &one.det_pr),
            ass_re: mean(|one| &one.ass_re),
            ass_pr: mean(|one| &one.ass_pr),
            ..Self::default()
        };
        all.iter().for_each(|one| (0..ALPHAS).for_each(|alpha| total.add_counts(one, alpha)));
        total
    }

    fn add_counts(&mut self, other: &Self, alpha: usize) {
        self.tp[alpha] += other.tp[alpha];
        self.fp[alpha] += other.fp[alpha];
        self.fn_[alpha] += other.fn_[alpha];
    }

    /// From counts and the sums over true positives of the three parts of association, and of the overlap.
    fn finish(mut self, [ass_a, ass_re, ass_pr, overlap]: &[[f64; ALPHAS]; 4]) -> Self {
        let [tp, fp, fn_] = [self.tp, self.fp, self.fn_].map(|counts| counts.map(|count| count as f64));
        let mean = |sum: &[f64; ALPHAS]| Curve::new(|alpha| sum[alpha] / tp[alpha].max(1.0));
        (self.ass_a, self.ass_re, self.ass_pr) = (mean(ass_a), mean(ass_re), mean(ass_pr));
        // Where nothing was found nothing lies badly.
        self.loc_a = Curve::new(|alpha| overlap[alpha].max(1e-10) / tp[alpha].max(1e-10));
        self.det_re = Curve::new(|alpha| tp[alpha] / (tp[alpha] + fn_[alpha]).max(1.0));
        self.det_pr = Curve::new(|alpha| tp[alpha] / (tp[alpha] + fp[alpha]).max(1.0));
        self.det_a = Curve::new(|alpha| tp[alpha] / (tp[alpha] + fn_[alpha] + fp[alpha]).max(1.0));
        self.hota = Curve::new(|alpha| (self.det_a.0[alpha] * self.ass_a.0[alpha]).sqrt());
        self
    }
}

/// The memory that computing HOTA needs.
#[derive(Debug, Default)]
pub(super) struct HotaWork {
    row_sums: Vec<f64>,
    column_sums: Vec<f64>,
    /// By pair of identities: how much they look like one, and in the end their alignment.
    alignments: Vec<f64>,
    /// By pair of identities: matches by the number of overlaps that they are enough for, less one.
    matches: Vec<[u32; ALPHAS]>,
    candidates: Vec<Candidate>,
    chosen: Vec<usize>,
}

impl HotaWork {
    pub(super) fn compute(&mut self, overlaps: &Overlaps, matcher: &mut Matcher) -> Hota {
        self.align(overlaps);
        self.matches.clear();
        self.matches.resize(overlaps.pairs.len(), [0; ALPHAS]);
        let thresholds = alphas().map(|alpha| alpha - f64::EPSILON);
        // Both by the number of overlaps that a match is enough for, less one.
        let (mut found, mut iou_sums) = ([0u64; ALPHAS], [0.0; ALPHAS]);
        let (mut boxes, mut said) = (0, 0);
        for frame in overlaps.frames() {
            boxes += frame.truth.len() as u64;
            said += frame.results.len() as u64;
            self.candidates.clear();
            self.candidates.extend(frame.overlaps.iter().map(|overlap| Candidate {
                row: overlap.row,
                column: overlap.column,
                score: self.alignments[overlap.pair as usize] * overlap.iou,
            }));
            matcher.choose(frame.truth.len(), frame.results.len(), &self.candidates, &mut self.chosen);
            for overlap in self.chosen.iter().map(|at| frame.overlaps[*at]) {
                let enough_for = thresholds.partition_point(|threshold| overlap.iou >= *threshold);
                if let Some(last) = enough_for.checked_sub(1) {
                    found[last] += 1;
                    iou_sums[last] += overlap.iou;
                    self.matches[overlap.pair as usize][last] += 1;
                }
            }
        }
        // What is enough for an overlap is enough for all that ask for less.
        for alpha in (1..ALPHAS).rev() {
            found[alpha - 1] += found[alpha];
            iou_sums[alpha - 1] += iou_sums[alpha];
        }
        let [ass_a, ass_re, ass_pr] = self.associate(overlaps);
        let counts = Hota {
            tp: found,
            fp: found.map(|tp| said - tp),
            fn_: found.map(|tp| boxes - tp),
            ..Hota::default()
        };
        counts.finish(&[ass_a, ass_re, ass_pr, iou_sums])
    }

    /// How well pairs of identities fit over the whole sequence, which decides between the matchings of a frame: the
    /// intersection over union of their boxes' times, where a time counts as much as the boxes overlap each other and
    /// nothing else.
    fn align(&mut self, overlaps: &Overlaps) {
        fn zeros(sums: &mut Vec<f64>, length: usize) {
            sums.clear();
            sums.resize(length, 0.0);
        }
        zeros(&mut self.alignments, overlaps.pairs.len());
        for frame in overlaps.frames() {
            zeros(&mut self.row_sums, frame.truth.len());
            zeros(&mut self.column_sums, frame.results.len());
            for overlap in frame.overlaps {
                self.row_sums[overlap.row as usize] += overlap.iou;
                self.column_sums[overlap.column as usize] += overlap.iou;
            }
            for overlap in frame.overlaps {
                let (row, column) = (overlap.row as usize, overlap.column as usize);
                let around = self.column_sums[column] + self.row_sums[row] - overlap.iou;
                if around > f64::EPSILON {
                    self.alignments[overlap.pair as usize] += overlap.iou / around;
                }
            }
        }
        for (alignment, &(of_truth, of_result)) in self.alignments.iter_mut().zip(&overlaps.pairs) {
            let boxes = overlaps.truth_counts[of_truth as usize] + overlaps.result_counts[of_result as usize];
            *alignment /= f64::from(boxes) - *alignment;
        }
    }

    /// The sums over true positives of association accuracy, recall and precision.
    fn associate(&self, overlaps: &Overlaps) -> [[f64; ALPHAS]; 3] {
        let mut sums = [[0.0; ALPHAS]; 3];
        for (matches, &(of_truth, of_result)) in self.matches.iter().zip(&overlaps.pairs) {
            let truth = f64::from(overlaps.truth_counts[of_truth as usize]);
            let said = f64::from(overlaps.result_counts[of_result as usize]);
            let mut together = 0.0;
            for alpha in (0..ALPHAS).rev() {
                together += f64::from(matches[alpha]);
                if together > 0.0 {
                    sums[0][alpha] += together * (together / (truth + said - together));
                    sums[1][alpha] += together * (together / truth);
                    sums[2][alpha] += together * (together / said);
                }
            }
        }
        sums
    }
}
