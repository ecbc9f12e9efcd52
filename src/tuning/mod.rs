//! Trying settings of the tracker on recorded detections with a known truth: what each piece is worth, and which values
//! are best.
//!
//! A [`Course`] is a number of sequences, read once. It judges any settings in the time that tracking and scoring take:
//! no picture and no network are needed. On it the tracker's [`PIECES`] are switched off one by one, and [`search`] looks
//! for better values, checked on sequences that it has not seen ([`folds`]).

mod ablation;
mod course;
mod dials;
mod folds;
mod jitter;
mod search;

pub use ablation::{Change, PIECES, PRESETS};
pub use course::{Course, CourseError, CourseOptions, Judged, Objective};
pub use dials::{DIALS, Dial};
pub use folds::{Fold, folds};
pub use search::{Found, Plan, Worth, search, settle};
