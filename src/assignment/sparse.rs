//! Sparse linear assignment: the cheapest matching of rows with columns where few pairs are possible, and a row may stay
//! alone.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A pair that may be matched, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    pub(crate) row: u32,
    pub(crate) column: u32,
    pub(crate) cost: f32,
}

const NONE: u32 = u32::MAX;

/// The exact minimum of the total cost, where a row without a partner costs `limit`; so no pair is made that costs
/// more than `limit`, and pairs are worth more than loneliness.
///
/// Shortest augmenting paths with potentials (Jonker and Volgenant 1987) on the pairs that are possible at all, which in
/// tracking are few. Buffers are kept from call to call.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    /// Where each row's edges begin in `edges`, sorted by row.
    starts: Vec<u32>,
    row_of: Vec<u32>,
    column_of: Vec<u32>,
    row_potential: Vec<f32>,
    column_potential: Vec<f32>,
    distance: Vec<f32>,
    /// The row from which a column was reached.
    reached_from: Vec<u32>,
    done: Vec<bool>,
    touched: Vec<u32>,
    heap: BinaryHeap<Reached>,
}

/// A column at a distance; the heap gives the nearest first, of equals the lowest column.
#[derive(Debug, PartialEq)]
struct Reached {
    distance: f32,
    column: u32,
}

impl Eq for Reached {}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then(other.column.cmp(&self.column))
    }
}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Assignment {
    /// Gives the matched `(row, column)` pairs by row. `edges` (costs finite) are sorted on the way.
    pub(crate) fn solve(
        &mut self,
        rows: usize,
        columns: usize,
        edges: &mut Vec<Edge>,
        limit: f32,
        pairs: &mut Vec<(usize, usize)>,
    ) {
        edges.retain(|edge| edge.cost < limit);
        edges.sort_unstable_by_key(|edge| (edge.row, edge.column));
        self.prepare(rows, columns, edges);
        for row in 0..rows as u32 {
            self.place(row, edges, limit);
        }
        pairs.clear();
        let matched = self.column_of.iter().enumerate().filter(|&(_, &column)| column != NONE);
        pairs.extend(matched.map(|(row, &column)| (row, column as usize)));
    }

    fn prepare(&mut self, rows: usize, columns: usize, edges: &[Edge]) {
        self.starts.clear();
        self.starts.resize(rows + 1, 0);
        for edge in edges {
            self.starts[edge.row as usize + 1] += 1;
        }
        for row in 0..rows {
            self.starts[row + 1] += self.starts[row];
        }
        fn reset<T: Clone>(buffer: &mut Vec<T>, length: usize, value: T) {
            buffer.clear();
            buffer.resize(length, value);
        }
        reset(&mut self.column_of, rows, NONE);
        reset(&mut self.row_potential, rows, 0.0);
        reset(&mut self.row_of, columns, NONE);
        reset(&mut self.column_potential, columns, 0.0);
        reset(&mut self.distance, columns, f32::INFINITY);
        reset(&mut self.reached_from, columns, NONE);
        reset(&mut self.done, columns, false);
    }

    /// Finds the cheapest way to place one more row: along alternating pairs to a free column, or by leaving one of
    /// the rows on the way without a partner.
    fn place(&mut self, new_row: u32, edges: &[Edge], limit: f32) {
        self.heap.clear();
        self.touched.clear();
        // The cheapest end so far: its length, and the row that is left alone there.
        let (mut shortest, mut lonely) = (f32::INFINITY, NONE);
        let mut free_column = NONE;
        let (mut row, mut length) = (new_row, 0.0);
        loop {
            let alone = length + limit - self.row_potential[row as usize];
            if alone < shortest {
                (shortest, lonely) = (alone, row);
            }
            let (from, to) = (self.starts[row as usize], self.starts[row as usize + 1]);
            for edge in &edges[from as usize..to as usize] {
                let column = edge.column as usize;
                if self.done[column] {
                    continue;
                }
                let reduced = edge.cost - self.row_potential[row as usize] - self.column_potential[column];
                // Below zero only by rounding, but for the new row, whose potential is not yet known: an edge may cost
                // less than nothing.
                let distance = length + if row == new_row { reduced } else { reduced.max(0.0) };
                if distance < self.distance[column] && distance < shortest {
                    if self.distance[column] == f32::INFINITY {
                        self.touched.push(edge.column);
                    }
                    self.distance[column] = distance;
                    self.reached_from[column] = row;
                    self.heap.push(Reached { distance, column: edge.column });
                }
            }
            let next = loop {
                match self.heap.pop() {
                    Some(reached) if self.done[reached.column as usize] => continue,
                    other => break other,
                }
            };
            let Some(Reached { distance, column }) = next.filter(|next| next.distance < shortest) else {
                break;
            };
            self.done[column as usize] = true;
            if self.row_of[column as usize] == NONE {
                (shortest, free_column) = (distance, column);
                break;
            }
            (row, length) = (self.row_of[column as usize], distance);
        }

        // Potentials stay feasible: everything nearer than the end moves by how much nearer it is.
        self.row_potential[new_row as usize] += shortest;
        for &column in &self.touched {
            let column = column as usize;
            if self.done[column] && self.distance[column] < shortest {
                let gap = shortest - self.distance[column];
                self.column_potential[column] -= gap;
                if self.row_of[column] != NONE {
                    self.row_potential[self.row_of[column] as usize] += gap;
                }
            }
        }

        // Shift the pairs along the way.
        let mut column = if free_column != NONE {
            free_column
        } else {
            std::mem::replace(&mut self.column_of[lonely as usize], NONE)
        };
        while column != NONE {
            let row = self.reached_from[column as usize];
            self.row_of[column as usize] = row;
            column = std::mem::replace(&mut self.column_of[row as usize], column);
        }

        for &column in &self.touched {
            self.distance[column as usize] = f32::INFINITY;
            self.done[column as usize] = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pathfinding::prelude::{Matrix, kuhn_munkres_min};
    use proptest::prelude::*;

    fn solve(rows: usize, columns: usize, edges: &[Edge], limit: f32) -> (Vec<(usize, usize)>, f32) {
        let mut pairs = Vec::new();
        Assignment::default().solve(rows, columns, &mut edges.to_vec(), limit, &mut pairs);
        let cost = |&(row, column): &(usize, usize)| {
            edges.iter().find(|e| (e.row as usize, e.column as usize) == (row, column)).expect("an edge").cost
        };
        let total = pairs.iter().map(cost).sum::<f32>() + limit * (rows - pairs.len()) as f32;
        (pairs, total)
    }

    /// The same minimum by another crate's Hungarian method on the full matrix with a lonely column for each row.
    fn by_hungarian(rows: usize, columns: usize, edges: &[Edge], limit: i64) -> i64 {
        let mut matrix = Matrix::new(rows, columns + rows, 1_000_000i64);
        for edge in edges.iter().filter(|edge| (edge.cost as i64) < limit) {
            matrix[(edge.row as usize, edge.column as usize)] = edge.cost as i64;
        }
        for row in 0..rows {
            matrix[(row, columns + row)] = limit;
        }
        kuhn_munkres_min(&matrix).0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn is_as_cheap_as_the_hungarian_method(
            rows in 1usize..9, columns in 1usize..9, costs in prop::collection::vec(prop::option::weighted(0.6, -60i16..120), 64)
        ) {
            let edges: Vec<Edge> = (0..rows * columns)
                .filter_map(|i| costs[i].map(|cost| Edge {
                    row: (i / columns) as u32, column: (i % columns) as u32, cost: f32::from(cost),
                }))
                .collect();
            let (pairs, total) = solve(rows, columns, &edges, 100.0);
            prop_assert_eq!(total as i64, by_hungarian(rows, columns, &edges, 100));
            let mut taken: Vec<_> = pairs.iter().map(|&(_, column)| column).collect();
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), pairs.len());
        }
    }

    #[test]
    fn a_chain_of_second_choices_is_found() {
        // Greedy takes (0, 0) at 1 and leaves row 1 alone at 100.
        let edge = |row, column, cost| Edge { row, column, cost };
        let edges = [edge(0, 0, 1.0), edge(0, 1, 2.0), edge(1, 0, 3.0)];
        assert_eq!(solve(2, 2, &edges, 100.0), (vec![(0, 1), (1, 0)], 5.0));
    }

    #[test]
    fn nobody_to_match_is_no_trouble() {
        assert_eq!(solve(0, 0, &[], 1.0), (vec![], 0.0));
        assert_eq!(solve(2, 0, &[], 1.0), (vec![], 2.0));
        assert_eq!(solve(0, 3, &[], 1.0), (vec![], 0.0));
    }

    #[test]
    fn large_and_dense_ends() {
        let n = 400u32;
        let edges: Vec<Edge> = (0..n * n)
            .map(|i| Edge {
                row: i / n,
                column: i % n,
                cost: (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0,
            })
            .collect();
        let (pairs, _) = solve(n as usize, n as usize, &edges, 2.0);
        assert_eq!(pairs.len(), n as usize);
    }
}
