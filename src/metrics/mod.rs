//! The quality of tracks: HOTA, the CLEAR MOT and the identity metrics, with the rules of the benchmarks. Boxes in,
//! numbers out; this room knows no file and no tracker.
//!
//! | file | what it is for |
//! |---|---|
//! | `region` | boxes in full precision, and their overlap |
//! | `truth`, `results`, `boxes` | what was there and what was said, frame by frame |
//! | `overlaps`, `pixels` | which of them overlap, and what is not judged; shared by all metrics |
//! | `hota`, `clear`, `identity` | the metrics, a file each |
//! | `seen` | how much of what is there is shown, and how soon |
//! | `causes` | why identities were lost, and what each cause costs |
//! | `matcher` | the best one-to-one matching of boxes |
//!
//! The numbers are those of the evaluation kit that the benchmarks use (TrackEval), to the last digits.
//!
//! ```
//! use trailsight::metrics::{Region, Results, Role, Scorer, Truth, TruthBox};
//!
//! let at = |left: f64| Region::new(left, 0.0, 10.0, 10.0);
//! let truth = (0..4).map(|frame| TruthBox { frame, id: 7, region: at(frame as f64), role: Role::Counts });
//! let truth = Truth::new(4, truth, [])?;
//! let results = Results::new((0..4).map(|frame| (frame, 1 + frame as u64 / 2, at(frame as f64))))?;
//! let score = Scorer::default().evaluate(&truth, &results)?;
//! assert_eq!(score.clear.idsw, 1);
//! assert_eq!(score.hota.det_a.mean(), 1.0);
//! assert_eq!(score.hota.ass_a.mean(), 0.5);
//! # Ok::<(), trailsight::metrics::MetricsError>(())
//! ```

mod boxes;
mod causes;
mod clear;
mod error;
mod hota;
mod identity;
mod matcher;
mod overlaps;
mod pixels;
mod region;
mod results;
mod seen;
#[cfg(test)]
mod tests;
mod truth;

pub use causes::{Cause, CauseRules, Causes};
pub use clear::Clear;
pub use error::MetricsError;
pub use hota::{ALPHAS, Curve, Hota, alphas};
pub use identity::Identity;
pub use pixels::covered_share;
pub use region::Region;
pub use results::Results;
pub use seen::{Found, Seen, SeenBox, SeenTruth, ShownBox};
pub use truth::{IgnoreRule, Role, Truth, TruthBox};

/// All metrics of a sequence, or of several.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evaluation {
    /// HOTA and its parts.
    pub hota: Hota,
    /// MOTA, MOTP, identity switches and the like.
    pub clear: Clear,
    /// IDF1 and its parts.
    pub identity: Identity,
}

impl Evaluation {
    /// The evaluation of several sequences together: boxes count alike, wherever they are.
    pub fn combine<'a>(sequences: impl IntoIterator<Item = &'a Self, IntoIter: Clone>) -> Self {
        let all = sequences.into_iter();
        Self {
            hota: Hota::combine(all.clone().map(|one| &one.hota)),
            clear: Clear::combine(all.clone().map(|one| &one.clear)),
            identity: Identity::combine(all.map(|one| &one.identity)),
        }
    }

    /// The mean over classes: classes count alike, however many boxes they have; counts are added.
    pub fn mean_of<'a>(classes: impl IntoIterator<Item = &'a Self, IntoIter: Clone>) -> Self {
        let all = classes.into_iter();
        Self {
            hota: Hota::mean_of(all.clone().map(|one| &one.hota)),
            clear: Clear::mean_of(all.clone().map(|one| &one.clear)),
            identity: Identity::mean_of(all.map(|one| &one.identity)),
        }
    }
}

/// Scores results; its memory is kept from one sequence to the next, so that one is made for many (one a thread).
#[derive(Debug, Default)]
pub struct Scorer {
    overlaps: overlaps::Overlaps,
    matcher: matcher::Matcher,
    hota: hota::HotaWork,
    clear: clear::ClearWork,
    identity: identity::IdentityWork,
}

impl Scorer {
    /// All metrics.
    ///
    /// # Errors
    /// [`MetricsError::Frame`] where there are results behind the last frame of the truth, and
    /// [`MetricsError::TooMany`] where there are too many boxes in one.
    pub fn evaluate(&mut self, truth: &Truth, results: &Results) -> Result<Evaluation, MetricsError> {
        self.compare(truth, results)?;
        Ok(Evaluation {
            hota: self.hota.compute(&self.overlaps, &mut self.matcher),
            clear: self.clear.compute(&self.overlaps, &mut self.matcher),
            identity: self.identity.compute(&self.overlaps, &mut self.matcher)?,
        })
    }

    /// HOTA alone, which is faster.
    ///
    /// # Errors
    /// As [`Scorer::evaluate`].
    pub fn hota(&mut self, truth: &Truth, results: &Results) -> Result<Hota, MetricsError> {
        self.compare(truth, results)?;
        Ok(self.hota.compute(&self.overlaps, &mut self.matcher))
    }

    /// Why identities were lost, and what each cause costs.
    ///
    /// # Errors
    /// As [`Scorer::evaluate`].
    pub fn causes(
        &mut self,
        truth: &Truth,
        results: &Results,
        rules: CauseRules,
    ) -> Result<Causes, MetricsError> {
        self.compare(truth, results)?;
        let sequence =
            causes::Sequence::new(truth, &self.overlaps, &mut self.clear, &mut self.matcher, rules);
        Ok(sequence.causes(truth, results, &mut self.matcher))
    }

    fn compare(&mut self, truth: &Truth, results: &Results) -> Result<(), MetricsError> {
        let frames = truth.frames();
        if let Some(frame) = (frames..results.frames()).find(|frame| !results.boxes.range(*frame).is_empty())
        {
            return Err(MetricsError::Frame { frame, frames });
        }
        for frame in 0..frames {
            matcher::Matcher::check(truth.boxes.range(frame).len(), results.boxes.range(frame).len())?;
        }
        self.overlaps.fill(truth, results, &mut self.matcher);
        Ok(())
    }
}
