//! Where a picture has something to hold on to.

use super::pyramid::{Level, PAD};
use crate::kernels::isa::vectorised;

/// Samples across and down in which gradients are gathered.
const WINDOW: usize = 5;
/// Samples of the level a side of a cell, each of which gives one point at most.
const CELL: usize = 13;
/// The smaller eigenvalue a corner has at least, in squared levels a sample: above what noise makes.
const LEAST: f32 = 1.0;
/// And as a share of the best corner's.
const LEAST_SHARE: f32 = 0.001;

/// A corner on a level, in samples of it; the centre of the first is (0, 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Corner {
    pub(super) x: usize,
    pub(super) y: usize,
    strength: f32,
}

/// Finds corners by the smaller eigenvalue of the gradients' second moments (Shi & Tomasi 1994, "Good features to
/// track"), the best of each cell of a grid, so that they are spread over the picture.
#[derive(Debug, Default)]
pub(super) struct Corners {
    /// Squares and products of the gradients, rows of the level's width: across², down², across · down.
    moments: [Vec<f32>; 3],
    sums: [Vec<f32>; 3],
    strength: Vec<f32>,
    best: Vec<Option<Corner>>,
}

impl Corners {
    /// The corners of a level for which `wanted`, asked with a corner's place, is true.
    pub(super) fn find(
        &mut self,
        level: &Level,
        wanted: impl Fn(usize, usize) -> bool,
        found: &mut Vec<Corner>,
    ) {
        found.clear();
        let (width, height) = (level.width, level.height);
        if width < WINDOW || height < WINDOW {
            return;
        }
        for moments in &mut self.moments {
            moments.resize(width * height, 0.0);
        }
        for y in 0..height {
            let [across, down, both] = &mut self.moments;
            let span = y * width..(y + 1) * width;
            let above = level.samples.get((y + PAD - 1) * level.stride + PAD..).unwrap_or_default();
            let below = level.samples.get((y + PAD + 1) * level.stride + PAD..).unwrap_or_default();
            let row = level.padded(y).get(PAD - 1..).unwrap_or_default();
            products(above, row, below, &mut across[span.clone()], &mut down[span.clone()], &mut both[span]);
        }
        self.strength.resize(width - (WINDOW - 1), 0.0);
        self.sums.iter_mut().for_each(|sums| sums.resize(width, 0.0));
        let cells = width.div_ceil(CELL);
        self.best.clear();
        self.best.resize(cells * height.div_ceil(CELL), None);
        for top in 0..=height - WINDOW {
            for (sums, moments) in self.sums.iter_mut().zip(&self.moments) {
                add_rows(&moments[top * width..(top + WINDOW) * width], sums);
            }
            let [across, down, both] = &self.sums;
            smaller_eigenvalues(across, down, both, &mut self.strength);
            let y = top + WINDOW / 2;
            for (left, &strength) in self.strength.iter().enumerate() {
                let x = left + WINDOW / 2;
                let best = &mut self.best[y / CELL * cells + x / CELL];
                if strength > best.map_or(LEAST, |best| best.strength) && wanted(x, y) {
                    *best = Some(Corner { x, y, strength });
                }
            }
        }
        let most = self.best.iter().flatten().map(|corner| corner.strength).fold(0.0, f32::max);
        found.extend(self.best.iter().flatten().filter(|corner| corner.strength >= LEAST_SHARE * most));
    }
}

vectorised! {
    fn products(
        above: &[f32], row: &[f32], below: &[f32], across: &mut [f32], down: &mut [f32], both: &mut [f32],
    ) {
        let gradients = row.iter().zip(row.get(2..).unwrap_or_default()).zip(above.iter().zip(below));
        for (((left, right), (above, below)), ((xx, yy), xy)) in
            gradients.zip(across.iter_mut().zip(down).zip(both))
        {
            let (x, y) = (0.5 * (right - left), 0.5 * (below - above));
            (*xx, *yy, *xy) = (x * x, y * y, x * y);
        }
    }
}

vectorised! {
    fn add_rows(rows: &[f32], sums: &mut [f32]) {
        let width = sums.len();
        let rows: [&[f32]; WINDOW] = std::array::from_fn(|row| &rows[row * width..(row + 1) * width]);
        for (x, sum) in sums.iter_mut().enumerate() {
            *sum = rows[0][x] + rows[1][x] + rows[2][x] + rows[3][x] + rows[4][x];
        }
    }
}

vectorised! {
    /// Of the means over [`WINDOW`] samples.
    fn smaller_eigenvalues(across: &[f32], down: &[f32], both: &[f32], out: &mut [f32]) {
        let length = out.len();
        let (across, down, both) =
            (&across[..length + WINDOW - 1], &down[..length + WINDOW - 1], &both[..length + WINDOW - 1]);
        let share = 1.0 / (WINDOW * WINDOW) as f32;
        for (x, out) in out.iter_mut().enumerate() {
            let sum = |of: &[f32]| (of[x] + of[x + 1] + of[x + 2] + of[x + 3] + of[x + 4]) * share;
            let (xx, yy, xy) = (sum(across), sum(down), sum(both));
            let half = 0.5 * (xx - yy);
            *out = 0.5 * (xx + yy) - (half * half + xy * xy).sqrt();
        }
    }
}
