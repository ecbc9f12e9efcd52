//! Who goes with whom, the simple way: those first that are each other's best.

use super::assignment::Edge;

/// Pairs every row and column that are each other's cheapest, then again among those that are left, until nobody is:
/// iterative mutual-minimum assignment as in TrackTrack (Shim et al., CVPR 2025). As both sides see the same cost, this is
/// taking the cheapest pair that is still free, over and over. Gives the pairs by row; `edges` are sorted by cost, equal
/// costs by row and column.
pub(super) fn pair_mutually(
    rows: usize,
    columns: usize,
    edges: &mut [Edge],
    taken: &mut Vec<bool>,
    pairs: &mut Vec<(usize, usize)>,
) {
    edges.sort_unstable_by(|a, b| a.cost.total_cmp(&b.cost).then((a.row, a.column).cmp(&(b.row, b.column))));
    taken.clear();
    taken.resize(rows + columns, false);
    pairs.clear();
    for edge in edges.iter() {
        let (row, column) = (edge.row as usize, edge.column as usize);
        if !taken[row] && !taken[rows + column] {
            (taken[row], taken[rows + column]) = (true, true);
            pairs.push((row, column));
        }
    }
    pairs.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word by word: rounds in which all pairs are made that are each other's cheapest.
    fn by_rounds(rows: usize, columns: usize, edges: &[Edge]) -> Vec<(usize, usize)> {
        let (mut free_rows, mut free_columns) = (vec![true; rows], vec![true; columns]);
        let mut pairs = Vec::new();
        loop {
            let free = |e: &&Edge| free_rows[e.row as usize] && free_columns[e.column as usize];
            let cheaper = |a: &&Edge, b: &&Edge| a.cost.total_cmp(&b.cost);
            let of_row = |row| edges.iter().filter(free).filter(|e| e.row == row).min_by(cheaper);
            let of_column = |column| edges.iter().filter(free).filter(|e| e.column == column).min_by(cheaper);
            let round: Vec<_> = (0..rows as u32)
                .filter_map(of_row)
                .filter(|best| of_column(best.column).is_some_and(|other| other.row == best.row))
                .map(|e| (e.row as usize, e.column as usize))
                .collect();
            if round.is_empty() {
                pairs.sort_unstable();
                return pairs;
            }
            for &(row, column) in &round {
                (free_rows[row], free_columns[column]) = (false, false);
            }
            pairs.extend(round);
        }
    }

    proptest! {
        #[test]
        fn is_what_the_definition_says(
            rows in 1usize..8, columns in 1usize..8, costs in prop::collection::vec(prop::option::weighted(0.6, 0f32..1.0), 49)
        ) {
            let mut edges: Vec<Edge> = (0..rows * columns)
                .filter_map(|i| costs[i].map(|cost| Edge { row: (i / columns) as u32, column: (i % columns) as u32, cost }))
                .collect();
            let expected = by_rounds(rows, columns, &edges);
            let mut pairs = Vec::new();
            pair_mutually(rows, columns, &mut edges, &mut Vec::new(), &mut pairs);
            prop_assert_eq!(pairs, expected);
        }
    }
}
