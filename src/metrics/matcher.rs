//! The best one-to-one matching of those pairs that overlap.

use super::MetricsError;
use crate::assignment::dense::Assignment;

/// A pair that may be matched, and what it is worth (above 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) score: f64,
}

/// Larger matrices (a gigabyte) are not meant: no tracker says so much about one frame.
const MOST_CELLS: usize = 1 << 27;
/// Scores nearer than this are not told apart without the full solution: sums round.
const CLEARLY: f64 = 1e-9;

/// Finds the matching of the highest total score. Pairs that are no candidates are worth nothing.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    assignment: Assignment,
    taken: Vec<bool>,
}

impl Matcher {
    /// Whether a matching of so many rows and columns can be asked for.
    ///
    /// # Errors
    /// [`MetricsError::TooMany`].
    pub(super) fn check(rows: usize, columns: usize) -> Result<(), MetricsError> {
        match rows.checked_mul(columns) {
            Some(cells) if cells <= MOST_CELLS => Ok(()),
            _ => Err(MetricsError::TooMany),
        }
    }

    /// Gives the places in `candidates` (by row, then column) of the pairs that are matched, in the same order.
    pub(super) fn choose(
        &mut self,
        rows: usize,
        columns: usize,
        candidates: &[Candidate],
        chosen: &mut Vec<usize>,
    ) {
        if !self.every_row_its_best(columns, candidates, chosen) {
            self.solve(rows, columns, candidates, chosen);
        }
    }

    /// Where the best columns of all rows are different ones, no matching is better, and where they are the best by far,
    /// none is as good. False where it is not that simple.
    fn every_row_its_best(
        &mut self,
        columns: usize,
        candidates: &[Candidate],
        chosen: &mut Vec<usize>,
    ) -> bool {
        chosen.clear();
        self.taken.clear();
        self.taken.resize(columns, false);
        let mut start = 0;
        for row in candidates.chunk_by(|a, b| a.row == b.row) {
            let (mut best, mut score, mut second) = (0, 0.0, 0.0);
            for (at, candidate) in row.iter().enumerate() {
                if candidate.score > score {
                    (best, second, score) = (at, score, candidate.score);
                } else if candidate.score > second {
                    second = candidate.score;
                }
            }
            let column = row[best].column as usize;
            if score - second < CLEARLY || std::mem::replace(&mut self.taken[column], true) {
                return false;
            }
            chosen.push(start + best);
            start += row.len();
        }
        true
    }

    fn solve(&mut self, rows: usize, columns: usize, candidates: &[Candidate], chosen: &mut Vec<usize>) {
        chosen.clear();
        let prices = candidates.iter().map(|c| (c.row as usize, c.column as usize, -c.score));
        let mut at = 0;
        self.assignment.solve(rows, columns, prices, |row, column| {
            let of_row = |at: usize| candidates.get(at).filter(|candidate| candidate.row as usize <= row);
            while let Some(candidate) = of_row(at) {
                if (candidate.row as usize, candidate.column as usize) == (row, column) {
                    chosen.push(at);
                }
                at += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The short way gives what the long way gives.
        #[test]
        fn the_short_way_is_right(
            rows in 1u32..7, columns in 1u32..7,
            scores in prop::collection::vec(prop_oneof![Just(0.0), 0.01f64..1.0], 49)
        ) {
            let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
            let candidates: Vec<Candidate> = all
                .map(|(row, column)| Candidate { row, column, score: scores[(row * 7 + column) as usize] })
                .filter(|candidate| candidate.score > 0.0)
                .collect();
            let (mut short, mut long) = (Vec::new(), Vec::new());
            let mut matcher = Matcher::default();
            let (rows, columns) = (rows as usize, columns as usize);
            if matcher.every_row_its_best(columns, &candidates, &mut short) {
                matcher.solve(rows, columns, &candidates, &mut long);
                prop_assert_eq!(short, long);
            }
        }
    }

    #[test]
    fn the_best_total_wins_over_the_best_pair() {
        let candidates = [(0, 0, 0.9), (0, 1, 0.8), (1, 0, 0.7), (2, 3, 0.1)]
            .map(|(row, column, score)| Candidate { row, column, score });
        let mut chosen = Vec::new();
        Matcher::default().choose(3, 4, &candidates, &mut chosen);
        assert_eq!(chosen, [1, 2, 3]);
    }
}
