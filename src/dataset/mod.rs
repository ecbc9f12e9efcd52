//! Data sets of tracking, in the form of MOTChallenge and of others (`places`): read from disk, with the rules of their
//! benchmarks. Knows the metrics; knows no tracker.
//!
//! ```text
//! DIR/SEQUENCE/gt/gt.txt        what was there: frame,id,left,top,width,height,conf,class,visibility
//! DIR/SEQUENCE/seqinfo.ini      how long, how fast and how large it is
//! DIR/SEQUENCE/gt/dontcare.txt  regions that nobody annotated (KITTI)
//! DIR/SEQUENCE/det/det.txt      what a detector found: frame,id,left,top,width,height,score[,class]
//! RESULTS/SEQUENCE.txt          what a tracker said, in the same form
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `lines` | the text: lines, columns, numbers, and what is wrong with them |
//! | `dialect` | what a file does not say itself: where it counts from, the names of its classes |
//! | `mot` | the rows of MOTChallenge text in all its dialects |
//! | `formats/` | files of other programs: read into one type, and written from it |
//! | `detections` | what a detector found, as a tracker wants it |
//! | `rows` | truth and results in full precision, as scoring wants them |
//! | `seen` | what is there in some frames of a clip |
//! | `tracks` | tracks to be looked at, of MOTChallenge text or JSON Lines |
//! | `extras` | masks, points and turned boxes as JSON Lines have them |
//! | `info` | `seqinfo.ini` |
//! | `benchmark` | which true boxes count |
//! | `classes` | how the classes of two files meet |
//! | `places` | where a data set has its files |
//! | `sequence` | one sequence of a data set |
//!
//! Frames in these files count from 1, here from 0. Boxes for scoring stay in the pixels of the truth's files, which count
//! from 1 unless the [`Dialect`] says otherwise; those for trackers are in our own.
//!
//! ```no_run
//! use std::path::Path;
//! use trailsight::dataset::{ReadOptions, Sequence, results_of_tracks};
//! use trailsight::metrics::Scorer;
//!
//! let sequence = Sequence::read(Path::new("data"), "MOT17-02", &ReadOptions::default())?;
//! let truth = sequence.truth(None)?;
//! let mut scorer = Scorer::default();
//! // Results from a file …
//! let results = sequence.results(Path::new("results/MOT17-02.txt"))?.select(None)?;
//! println!("{:.3}", scorer.evaluate(&truth, &results)?.hota.hota.mean());
//! // … or from a tracker that runs here: for each frame, ids and boxes.
//! let tracks: Vec<Vec<(u64, trailsight::geometry::Rect)>> = Vec::new();
//! println!("{:.3}", scorer.hota(&truth, &results_of_tracks(tracks)?)?.hota.mean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod benchmark;
mod classes;
mod detections;
mod dialect;
#[cfg(feature = "cli")]
mod extras;
#[cfg(feature = "cli")]
mod formats;
mod info;
mod lines;
mod mot;
mod places;
mod rows;
mod seen;
mod sequence;
#[cfg(test)]
mod tests;
#[cfg(feature = "cli")]
mod tracks;

use std::path::Path;

pub use benchmark::Benchmark;
pub use classes::{ClassMap, ClassWord};
pub use detections::DetectionFile;
pub use dialect::{Dialect, labels_beside, read_labels};
#[cfg(feature = "cli")]
pub use extras::{ExtraRecord, MaskRecord};
#[cfg(feature = "cli")]
pub use formats::{Annotation, Annotations, Format, Lost};
pub use info::SequenceInfo;
pub use lines::{MotError, ORIGIN};
pub use places::Place;
pub use rows::ResultFile;
pub use seen::read_seen;
pub use sequence::{Sequence, share_classes};
#[cfg(feature = "cli")]
pub use tracks::{TrackFile, TrackRow};

use crate::geometry::Rect;
use crate::metrics::{MetricsError, Region, Results};

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file of boxes.
    #[error(transparent)]
    Mot(#[from] MotError),
    /// A folder or file cannot be opened.
    #[error("cannot read {path}: {error}")]
    Folder {
        /// What was to be read.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file of class names.
    #[error("{0}")]
    Labels(String),
    /// A value in `seqinfo.ini`.
    #[error("{path}, line {line}: {why}")]
    Info {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// The key, what was expected and what was found.
        why: String,
    },
    /// The boxes cannot be scored.
    #[error("{path}: {error}")]
    Score {
        /// The file.
        path: String,
        /// Why.
        error: MetricsError,
    },
}

/// How a sequence is read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Only the first of every so many frames, numbered anew; 1 is all.
    pub every: usize,
    /// Whose rules count; `None` goes by the name, see [`Benchmark::of`].
    pub benchmark: Option<Benchmark>,
    /// How the files of the truth count.
    pub truth: Dialect,
    /// How the files of results count.
    pub results: Dialect,
    /// How the files of detections count.
    pub detections: Dialect,
    /// Which class of the results is which of the truth.
    pub classes: ClassMap,
}

impl Default for ReadOptions {
    fn default() -> Self {
        let [truth, results, detections] = [Dialect::default(), Dialect::default(), Dialect::default()];
        Self { every: 1, benchmark: None, truth, results, detections, classes: ClassMap::default() }
    }
}

/// The names of the sequences of a data set, those that have a truth (see [`Place`]); sorted.
///
/// # Errors
/// [`DatasetError::Folder`] where it cannot be read.
pub fn sequences(data: &Path) -> Result<Vec<String>, DatasetError> {
    Ok(Place::all(data)?.into_iter().map(|place| place.name).collect())
}

/// What a tracker said, from its tracks of each frame (ids, and boxes in our coordinates) instead of from a file. The
/// boxes are not rounded, as they are in files.
///
/// # Errors
/// [`MetricsError::Duplicate`] where an id is twice in a frame.
pub fn results_of_tracks<Tracks>(frames: impl IntoIterator<Item = Tracks>) -> Result<Results, MetricsError>
where
    Tracks: IntoIterator<Item = (u64, Rect)>,
{
    let mut results = Results::default();
    for tracks in frames {
        for (id, rect) in tracks {
            results.push(id, region_of(rect))?;
        }
        results.end_frame();
    }
    Ok(results)
}

/// Where a box of ours is in the pixels of MOTChallenge files.
pub fn region_of(rect: Rect) -> Region {
    let region = Region::from(rect);
    Region { left: region.left + ORIGIN, top: region.top + ORIGIN, ..region }
}
