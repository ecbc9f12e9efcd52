//! How the light changed against the background: the picture as a whole (auto-exposure, dusk), row by row (lamps on
//! alternating current), and place by place (a lamp that is switched on).

use super::grid::{Grid, LANES, Pixels};
use super::model::Told;

/// Background darker than this, in grey levels, tells nothing of the light.
const DARKEST: f32 = 12.0;
/// And brighter: the sensor is at its end.
const BRIGHTEST: f32 = 245.0;
/// Of each row, one pixel in so many is looked at; likewise rows of a place.
const STEP: usize = 4;
/// A row or a place with fewer pixels that tell something follows the others.
const LEAST: usize = 10;
/// Light becomes so many times as bright at most, against what it was.
const MOST: f32 = 3.0;
/// A row differs from its picture by at most this share.
const MOST_ROW: f32 = 0.2;
/// Rows that differ by less do not.
const LEAST_ROW: f32 = 0.008;
/// A place is so many small pixels a side.
const PLACE: usize = 32;
/// Of a place that became brighter or darker, so many pixels agree within the tolerance.
const AGREE: f32 = 0.7;
const TOLERANCE: f32 = 0.05;
const MOST_PLACE: f32 = 0.45;

/// The light of a picture against that of the background.
#[derive(Debug, Default)]
pub(super) struct Light {
    /// How many times as bright the picture as a whole is.
    whole: f32,
    /// And each row.
    rows: Vec<f32>,
    /// And each place, beyond its rows; row after row of places.
    places: Vec<f32>,
    across: usize,
    ratios: Vec<f32>,
    all: Vec<f32>,
}

impl Light {
    /// How many times as bright the picture is as its background.
    pub(super) fn whole(&self) -> f32 {
        if self.whole > 0.0 { self.whole } else { 1.0 }
    }

    /// And how many times a row is.
    pub(super) fn row(&self, y: usize) -> f32 {
        self.rows.get(y).copied().filter(|row| *row > 0.0).unwrap_or(1.0)
    }

    /// Measures it, and takes it out of the picture. `told`: the background under each pixel, as of the frame before.
    pub(super) fn take_out(
        &mut self,
        grid: &Grid,
        told: &[Told],
        pixels: &mut [Pixels],
        valid: &[[f32; LANES]],
    ) {
        self.measure_rows(grid, told, pixels, valid);
        self.measure_places(grid, told, pixels, valid);
        let even = self.places.iter().all(|place| *place == 1.0);
        for (row, pixels) in pixels.chunks_exact_mut(grid.blocks.max(1)).enumerate() {
            let gain = self.rows.get(row).copied().unwrap_or(1.0);
            for (block, pixels) in pixels.iter_mut().enumerate() {
                let place = if even { 1.0 } else { self.place(block * LANES + LANES / 2, row) };
                let undo = 1.0 / (gain * place);
                for lane in 0..LANES {
                    pixels.y[lane] *= undo;
                    pixels.u[lane] *= undo;
                    pixels.v[lane] *= undo;
                }
            }
        }
    }

    fn measure_rows(&mut self, grid: &Grid, told: &[Told], pixels: &[Pixels], valid: &[[f32; LANES]]) {
        self.rows.clear();
        self.all.clear();
        let blocks = grid.blocks.max(1);
        for row in 0..grid.size.1 {
            self.ratios.clear();
            for block in row * blocks..(row + 1) * blocks {
                for lane in (row % STEP..LANES).step_by(STEP) {
                    let usual = told[block].background.y[lane];
                    if valid[block][lane] > 0.0 && (DARKEST..BRIGHTEST).contains(&usual) {
                        self.ratios.push(pixels[block].y[lane] / usual);
                    }
                }
            }
            let middle = (self.ratios.len() >= LEAST).then(|| middle(&mut self.ratios));
            self.all.extend(middle);
            self.rows.push(middle.unwrap_or(f32::NAN));
        }
        self.whole = if self.all.is_empty() { 1.0 } else { middle(&mut self.all).clamp(1.0 / MOST, MOST) };
        let whole = self.whole;
        // Rows follow their picture but for bands.
        let bounded = |row: f32| {
            let row = if row.is_finite() { row } else { whole };
            row.clamp(whole * (1.0 - MOST_ROW), whole * (1.0 + MOST_ROW))
        };
        self.all.clear();
        self.all.extend(self.rows.iter().map(|row| bounded(*row)));
        let smooth = |at: usize| {
            let part = &self.all[at.saturating_sub(2)..(at + 3).min(self.all.len())];
            part.iter().sum::<f32>() / part.len() as f32
        };
        for (at, row) in self.rows.iter_mut().enumerate() {
            let mean = smooth(at);
            *row = if (mean / whole - 1.0).abs() < LEAST_ROW { whole } else { mean };
        }
    }

    fn measure_places(&mut self, grid: &Grid, told: &[Told], pixels: &[Pixels], valid: &[[f32; LANES]]) {
        let (width, height) = grid.size;
        self.across = width.div_ceil(PLACE);
        self.places.clear();
        for down in 0..height.div_ceil(PLACE) {
            for across in 0..self.across {
                self.ratios.clear();
                let rows = down * PLACE..((down + 1) * PLACE).min(height);
                let columns = across * PLACE / LANES..((across + 1) * PLACE / LANES).min(grid.blocks);
                for row in rows.step_by(STEP) {
                    for block in columns.clone() {
                        let at = row * grid.blocks + block;
                        for lane in ((row / STEP) % 2..LANES).step_by(2) {
                            let usual = told[at].background.y[lane];
                            if valid[at][lane] > 0.0 && (DARKEST..BRIGHTEST).contains(&usual) {
                                self.ratios.push(pixels[at].y[lane] / (usual * self.rows[row]));
                            }
                        }
                    }
                }
                let mut place = 1.0;
                if self.ratios.len() >= LEAST {
                    let common = middle(&mut self.ratios);
                    let agree = self.ratios.iter().filter(|ratio| (*ratio / common - 1.0).abs() < TOLERANCE);
                    let share = agree.count() as f32 / self.ratios.len() as f32;
                    if share >= AGREE && (common - 1.0).abs() <= MOST_PLACE && (common - 1.0).abs() > 0.015 {
                        place = common;
                    }
                }
                self.places.push(place);
            }
        }
    }

    /// Between the middles of places, linear.
    fn place(&self, x: usize, y: usize) -> f32 {
        let down = self.places.len() / self.across.max(1);
        let axis = |at: usize, count: usize| {
            let at = ((at as f32 + 0.5) / PLACE as f32 - 0.5).clamp(0.0, count.saturating_sub(1) as f32);
            let first = at as usize;
            (first, (first + 1).min(count.saturating_sub(1)), at - first as f32)
        };
        let ((left, right, h), (top, bottom, v)) = (axis(x, self.across), axis(y, down));
        let at = |x: usize, y: usize| self.places.get(y * self.across + x).copied().unwrap_or(1.0);
        let row = |y: usize| at(left, y) + h * (at(right, y) - at(left, y));
        row(top) + v * (row(bottom) - row(top))
    }
}

/// The middle one by size; 1 of none. Changes the order.
fn middle(values: &mut [f32]) -> f32 {
    let at = values.len() / 2;
    if values.is_empty() { 1.0 } else { *values.select_nth_unstable_by(at, f32::total_cmp).1 }
}
