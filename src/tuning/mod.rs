//! Trying settings of the tracker on recorded detections with a known truth: what each piece is worth, and which values
//! are best.
//!
//! A [`SequenceSet`] is a number of sequences, read once. It judges any settings in the time that tracking and scoring take:
//! no picture and no network are needed. On it the tracker's [`PIECES`] are switched off one by one, and [`search`] looks
//! for better values, checked on sequences that it has not seen ([`folds`]).

mod ablation;
mod crossings;
mod folds;
mod jitter;
mod search;
mod sequence_set;
mod space;

pub use ablation::{Change, PIECES, PRESETS};
pub use crossings::{CrossingExample, CrossingWeights};
pub use folds::{Fold, folds, group_folds};
pub use search::{Found, Plan, ScoreDelta, search, settle};
pub use sequence_set::{Objective, SequenceSet, SequenceSetError, SequenceSetOptions, SetEvaluation};
pub use space::search_space;
