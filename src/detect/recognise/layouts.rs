//! The layouts of outputs, as a rule finds them: numbers of outputs of the file and of their columns.

use super::probe::Cells;
use crate::detect::heads::Behind;

/// An output, and whether an object is a column of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Part {
    /// The number of the output in the file.
    pub(in crate::detect) output: usize,
    /// An object is a column of the file.
    pub(in crate::detect) across: bool,
}

impl Part {
    /// An output with an object in each row.
    pub(super) fn rows(output: usize) -> Self {
        Self { output, across: false }
    }
}

/// Which head reads the outputs, and where it finds what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::detect) enum Form {
    /// `heads::grid`.
    Grid { output: usize },
    /// `heads::scored`.
    Scored { boxes: Part, scores: Part, first: usize, objectness: Option<usize>, behind: Behind },
    /// `heads::finished`: outputs and first columns of box, score and class.
    Finished {
        boxes: (usize, usize),
        score: (usize, usize),
        class: (usize, usize),
        count: Option<usize>,
        behind: Behind,
    },
    /// `heads::distances` with scores and distances side by side in one output, for a grid.
    Distances { part: Part, cells: Cells, first_score: usize, first: usize, bins: usize, offset: f32 },
    /// The same with an output of scores and one of distances for each of these many strides, in this order.
    DistancesByStride { scores: [Part; 4], distances: [Part; 4], cells: Cells, bins: usize, offset: f32 },
}
