//! The CLEAR MOT metrics: what was missed, what was invented, and how often identities were mixed up.
//!
//! Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", EURASIP Journal on
//! Image and Video Processing, 2008; mostly tracked, mostly lost and fragmentations by Li, Huang and Nevatia, CVPR 2009.
//! A result is on an object from an overlap of one half on.

use super::matcher::{Candidate, Matcher};
use super::overlaps::{HALF, Overlaps};

/// A match of the frame before is worth more than any overlaps of this one.
const KEEP: f64 = 1000.0;

/// Counts and accuracies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clear {
    /// Objects with a result on them, over all frames.
    pub tp: u64,
    /// Results on no object.
    pub fp: u64,
    /// Objects without a result.
    pub fn_: u64,
    /// Identity switches: an object gets another identity than it had when it was last found.
    pub idsw: u64,
    /// Fragmentations: an object is found again after it was not.
    pub frag: u64,
    /// Mostly tracked: objects found in more than 80 % of their frames.
    pub mt: u64,
    /// Partly tracked: what is between.
    pub pt: u64,
    /// Mostly lost: objects found in less than 20 % of their frames.
    pub ml: u64,
    /// Accuracy: 1 less misses, inventions and switches, by true boxes; below 0 where there are more of them.
    pub mota: f64,
    /// Precision: mean overlap of the true positives, 0 to 1.
    pub motp: f64,
    /// The sum of these overlaps.
    pub overlap: f64,
}

impl Clear {
    /// Over several sequences: counts are added.
    pub fn combine<'a>(sequences: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::sum(sequences).finish()
    }

    /// Over several classes: counts are added, accuracies averaged.
    pub fn mean_of<'a>(classes: impl IntoIterator<Item = &'a Self>) -> Self {
        let all: Vec<&Self> = classes.into_iter().collect();
        let mean =
            |part: fn(&Self) -> f64| all.iter().map(|one| part(one)).sum::<f64>() / all.len().max(1) as f64;
        Self { mota: mean(|one| one.mota), motp: mean(|one| one.motp), ..Self::sum(all.iter().copied()) }
    }

    fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, one| Self {
            tp: sum.tp + one.tp,
            fp: sum.fp + one.fp,
            fn_: sum.fn_ + one.fn_,
            idsw: sum.idsw + one.idsw,
            frag: sum.frag + one.frag,
            mt: sum.mt + one.mt,
            pt: sum.pt + one.pt,
            ml: sum.ml + one.ml,
            overlap: sum.overlap + one.overlap,
            ..sum
        })
    }

    fn finish(mut self) -> Self {
        let [tp, fp, fn_, idsw] = [self.tp, self.fp, self.fn_, self.idsw].map(|count| count as f64);
        self.mota = (tp - fp - idsw) / (tp + fn_).max(1.0);
        self.motp = self.overlap / tp.max(1.0);
        self
    }
}

/// What is known of an object of the truth while the frames go by.
#[derive(Debug, Clone, Copy, Default)]
struct Object {
    matched: u32,
    /// How often it began to be found.
    begun: u32,
    /// The result that it had last.
    last: Option<u32>,
    /// The frame of that, as a number of frames in which there was something to compare.
    step: u32,
}

/// The memory that computing the CLEAR metrics needs.
#[derive(Debug, Default)]
pub(super) struct ClearWork {
    objects: Vec<Object>,
    candidates: Vec<Candidate>,
    /// The overlaps of the candidates.
    ious: Vec<f64>,
    chosen: Vec<usize>,
}

impl ClearWork {
    pub(super) fn compute(&mut self, overlaps: &Overlaps, matcher: &mut Matcher) -> Clear {
        self.compute_with(overlaps, matcher, |_, _, _| ())
    }

    /// As [`ClearWork::compute`]; each match is told: the frame, and the labels of object and result.
    pub(super) fn compute_with(
        &mut self,
        overlaps: &Overlaps,
        matcher: &mut Matcher,
        mut matched: impl FnMut(usize, u32, u32),
    ) -> Clear {
        self.objects.clear();
        self.objects.resize(overlaps.truth_counts.len(), Object::default());
        let mut clear = Clear::default();
        let (mut boxes, mut said) = (0, 0);
        // Frames with no true box or no result neither end what was matched nor begin anything. From 1, so that the first
        // one follows none.
        let mut step = 1;
        for (number, frame) in overlaps.frames().enumerate() {
            boxes += frame.truth.len() as u64;
            said += frame.results.len() as u64;
            if frame.truth.is_empty() || frame.results.is_empty() {
                continue;
            }
            step += 1;
            self.candidates.clear();
            self.ious.clear();
            for overlap in frame.overlaps.iter().filter(|overlap| overlap.iou >= HALF - f64::EPSILON) {
                let object = &self.objects[frame.truth[overlap.row as usize] as usize];
                let kept =
                    object.step + 1 == step && object.last == Some(frame.results[overlap.column as usize]);
                let score = if kept { KEEP + overlap.iou } else { overlap.iou };
                self.ious.push(overlap.iou);
                self.candidates.push(Candidate { row: overlap.row, column: overlap.column, score });
            }
            matcher.choose(frame.truth.len(), frame.results.len(), &self.candidates, &mut self.chosen);
            clear.tp += self.chosen.len() as u64;
            clear.overlap += self.chosen.iter().map(|at| self.ious[*at]).sum::<f64>();
            for Candidate { row, column, .. } in self.chosen.iter().map(|at| self.candidates[*at]) {
                let (label, result) = (frame.truth[row as usize], frame.results[column as usize]);
                matched(number, label, result);
                let object = &mut self.objects[label as usize];
                clear.idsw += u64::from(object.last.is_some_and(|last| last != result));
                object.begun += u32::from(object.step + 1 != step);
                object.matched += 1;
                (object.last, object.step) = (Some(result), step);
            }
        }
        (clear.fp, clear.fn_) = (said - clear.tp, boxes - clear.tp);
        self.count_objects(&mut clear, &overlaps.truth_counts);
        // Where there is no object nothing can be accurate; the counts still go into the sum over sequences.
        if boxes == 0 { clear } else { clear.finish() }
    }

    fn count_objects(&self, clear: &mut Clear, counts: &[u32]) {
        for (object, count) in self.objects.iter().zip(counts).filter(|(_, count)| **count > 0) {
            let found = f64::from(object.matched) / f64::from(*count);
            match found {
                _ if found > 0.8 => clear.mt += 1,
                _ if found >= 0.2 => clear.pt += 1,
                _ => clear.ml += 1,
            }
            clear.frag += u64::from(object.begun.saturating_sub(1));
        }
    }
}
