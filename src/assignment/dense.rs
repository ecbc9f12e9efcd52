//! Dense linear assignment: the cheapest one-to-one matching of rows with columns where every pair has a cost, with ties
//! decided as the reference implementations of the tracking metrics decide them.

const NONE: usize = usize::MAX;

/// Solves the linear assignment problem on a dense matrix; its memory is kept from call to call.
///
/// Shortest augmenting paths with potentials: rows are placed one after another, each along the cheapest path to a
/// column that is still free (Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on
/// Aerospace and Electronic Systems 52(4), 2016). Where several matchings cost the same, which of them comes out is part
/// of a score; so equals are treated as the reference implementations of the metrics do: among columns that are equally
/// near a free one is taken, and columns are looked at from the last to the first, so that equal prices give the diagonal.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    /// Row by row; the other way round where there are more rows than columns, since every row is placed.
    costs: Vec<f64>,
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    /// The length of the shortest path to a column, and the row before it on that path.
    distance: Vec<f64>,
    before: Vec<usize>,
    row_of: Vec<usize>,
    column_of: Vec<usize>,
    /// The columns that the search has not reached yet.
    open: Vec<usize>,
    reached: Vec<usize>,
}

impl Assignment {
    /// Matches as many rows as possible so that the sum of their costs is the least. `prices` are the rows, columns and
    /// finite costs of pairs; all others cost 0. Each pair `(row, column)` is given to `pair`, by row.
    pub(crate) fn solve(
        &mut self,
        rows: usize,
        columns: usize,
        prices: impl Iterator<Item = (usize, usize, f64)>,
        mut pair: impl FnMut(usize, usize),
    ) {
        let mut costs = std::mem::take(&mut self.costs);
        costs.clear();
        costs.resize(rows * columns, 0.0);
        if rows <= columns {
            prices.for_each(|(row, column, cost)| costs[row * columns + column] = cost);
            self.place_all(&costs, rows, columns);
            self.column_of.iter().enumerate().for_each(|(row, &column)| pair(row, column));
        } else {
            prices.for_each(|(row, column, cost)| costs[column * rows + row] = cost);
            self.place_all(&costs, columns, rows);
            let matched = self.row_of.iter().enumerate().filter(|(_, column)| **column != NONE);
            matched.for_each(|(row, &column)| pair(row, column));
        }
        self.costs = costs;
    }

    fn place_all(&mut self, costs: &[f64], rows: usize, columns: usize) {
        fn reset<T: Clone>(buffer: &mut Vec<T>, length: usize, value: T) {
            buffer.clear();
            buffer.resize(length, value);
        }
        reset(&mut self.row_potential, rows, 0.0);
        reset(&mut self.column_potential, columns, 0.0);
        reset(&mut self.row_of, columns, NONE);
        reset(&mut self.column_of, rows, NONE);
        reset(&mut self.before, columns, NONE);
        reset(&mut self.distance, columns, f64::INFINITY);
        for row in 0..rows {
            if let Some((free, length)) = self.search(costs, columns, row) {
                self.update_potentials(row, length);
                self.turn_path(row, free);
            }
        }
    }

    /// The shortest path from a new row to a free column: that column and the length. `None` would be a matrix without
    /// numbers.
    fn search(&mut self, costs: &[f64], columns: usize, new_row: usize) -> Option<(usize, f64)> {
        self.open.clear();
        self.open.extend((0..columns).rev());
        self.reached.clear();
        self.distance.fill(f64::INFINITY);
        let (mut row, mut length) = (new_row, 0.0);
        loop {
            let prices = costs.get(row * columns..(row + 1) * columns)?;
            let potential = self.row_potential[row];
            let (mut nearest, mut nearest_at, mut nearest_free) = (f64::INFINITY, None, false);
            for (at, &column) in self.open.iter().enumerate() {
                let reduced = length + prices[column] - potential - self.column_potential[column];
                let mut distance = self.distance[column];
                if reduced < distance {
                    distance = reduced;
                    self.distance[column] = reduced;
                    self.before[column] = row;
                }
                if distance <= nearest {
                    let free = self.row_of[column] == NONE;
                    if distance < nearest || free {
                        (nearest, nearest_at, nearest_free) = (distance, Some(at), free);
                    }
                }
            }
            length = nearest;
            let column = self.open.swap_remove(nearest_at?);
            self.reached.push(column);
            if nearest_free {
                return Some((column, length));
            }
            row = self.row_of[column];
        }
    }

    /// Moves the potentials so that what is matched stays free of reduced cost.
    fn update_potentials(&mut self, new_row: usize, length: f64) {
        self.row_potential[new_row] += length;
        for &column in &self.reached {
            let slack = length - self.distance[column];
            if self.row_of[column] != NONE {
                self.row_potential[self.row_of[column]] += slack;
            }
            self.column_potential[column] -= slack;
        }
    }

    /// Matches along the path that ends at `free`: each row gives its column to the next.
    fn turn_path(&mut self, new_row: usize, free: usize) {
        let mut column = free;
        loop {
            let row = self.before[column];
            self.row_of[column] = row;
            std::mem::swap(&mut self.column_of[row], &mut column);
            if row == new_row {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pathfinding::kuhn_munkres::kuhn_munkres_min;
    use pathfinding::matrix::Matrix;
    use proptest::prelude::*;

    fn solve(costs: &[f64], rows: usize, columns: usize) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        let prices = costs.iter().enumerate().map(|(i, cost)| (i / columns, i % columns, *cost));
        Assignment::default().solve(rows, columns, prices, |row, column| pairs.push((row, column)));
        pairs
    }

    #[test]
    fn small_matrices_by_hand() {
        assert_eq!(solve(&[4.0, 1.0, 3.0, 2.0, 0.0, 5.0, 3.0, 2.0, 2.0], 3, 3), [(0, 1), (1, 0), (2, 2)]);
        assert_eq!(solve(&[1.0, 2.0, 1.0, 3.0], 2, 2), [(0, 1), (1, 0)]);
        assert_eq!(solve(&[3.0, 1.0, 2.0], 3, 1), [(1, 0)]);
        assert_eq!(solve(&[3.0, 1.0, 2.0], 1, 3), [(0, 1)]);
        assert!(solve(&[], 0, 5).is_empty() && solve(&[], 5, 0).is_empty());
    }

    #[test]
    fn equal_prices_give_the_diagonal() {
        assert_eq!(solve(&[0.0; 12], 3, 4), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(solve(&[-1.0; 12], 4, 3), [(0, 0), (1, 1), (2, 2)]);
    }

    proptest! {
        /// As cheap as another implementation finds it, and a matching.
        #[test]
        fn is_the_optimum(rows in 1usize..9, columns in 1usize..9, seed in prop::collection::vec(0i64..40, 64)) {
            let cost = |row: usize, column: usize| seed[(row * columns + column) % 64] - 20;
            let costs: Vec<f64> = (0..rows * columns).map(|i| cost(i / columns, i % columns) as f64).collect();
            let pairs = solve(&costs, rows, columns);
            prop_assert_eq!(pairs.len(), rows.min(columns));
            let mut taken: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), pairs.len());
            prop_assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0));
            let total: i64 = pairs.iter().map(|&(row, column)| cost(row, column)).sum();
            let matrix = if rows <= columns {
                Matrix::from_fn(rows, columns, |(row, column)| cost(row, column))
            } else {
                Matrix::from_fn(columns, rows, |(row, column)| cost(column, row))
            };
            prop_assert_eq!(total, kuhn_munkres_min(&matrix).0);
        }
    }
}
