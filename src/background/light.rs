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
/// A lamp leaves no pixel of a row in the light of the picture. Where at least this share is, it is a thing that fills the rest.
const LEFT_BEHIND: f32 = 0.2;
/// A place is so many small pixels a side.
const PLACE: usize = 32;
/// Of a place that became brighter or darker, so many pixels agree within the tolerance.
const AGREE: f32 = 0.7;
const TOLERANCE: f32 = 0.05;
const MOST_PLACE: f32 = 0.45;
/// Light makes colour stronger or weaker with the luma: off by no more than this share of it, beside so many levels of noise.
const COLOUR: f32 = 0.06;
const COLOUR_NOISE: f32 = 3.0;

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
    /// Samples of all rows, and where those of each row end.
    samples: Vec<f32>,
    ends: Vec<usize>,
    /// Pixels of a place.
    tinted: Vec<Tinted>,
}

/// How many times as bright a pixel is as its background; its colour, and that of the background in the light of its row.
#[derive(Debug, Clone, Copy)]
struct Tinted {
    ratio: f32,
    luma: f32,
    colour: [f32; 2],
    usual: [f32; 2],
}

impl Tinted {
    /// Whether its colour is that of the background, so many times as bright.
    fn agrees(&self, light: f32) -> bool {
        let most = COLOUR * self.luma * light + COLOUR_NOISE;
        self.colour.iter().zip(self.usual).all(|(colour, usual)| (colour - light * usual).abs() < most)
    }
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
        self.samples.clear();
        self.ends.clear();
        let blocks = grid.blocks.max(1);
        for row in 0..grid.size.1 {
            let from = self.samples.len();
            for block in row * blocks..(row + 1) * blocks {
                for lane in (row % STEP..LANES).step_by(STEP) {
                    let usual = told[block].background.y[lane];
                    if valid[block][lane] > 0.0 && (DARKEST..BRIGHTEST).contains(&usual) {
                        self.samples.push(pixels[block].y[lane] / usual);
                    }
                }
            }
            let ratios = &mut self.samples[from..];
            let middle = (ratios.len() >= LEAST).then(|| middle(ratios));
            self.all.extend(middle);
            self.rows.push(middle.unwrap_or(f32::NAN));
            self.ends.push(self.samples.len());
        }
        self.whole = if self.all.is_empty() { 1.0 } else { middle(&mut self.all).clamp(1.0 / MOST, MOST) };
        let mut from = 0;
        for (row, end) in self.rows.iter_mut().zip(&self.ends) {
            if is_thing(&self.samples[from..*end], *row, self.whole) {
                *row = f32::NAN;
            }
            from = *end;
        }
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
                self.tinted.clear();
                let rows = down * PLACE..((down + 1) * PLACE).min(height);
                let columns = across * PLACE / LANES..((across + 1) * PLACE / LANES).min(grid.blocks);
                for row in rows.step_by(STEP) {
                    for block in columns.clone() {
                        let at = row * grid.blocks + block;
                        for lane in ((row / STEP) % 2..LANES).step_by(2) {
                            let usual = told[at].background.y[lane];
                            if valid[at][lane] > 0.0 && (DARKEST..BRIGHTEST).contains(&usual) {
                                let (light, seen) = (self.rows[row], &pixels[at]);
                                let [luma, u, v] = told[at].background.at(lane).map(|part| part * light);
                                let ratio = seen.y[lane] / luma;
                                self.ratios.push(ratio);
                                let colour = [seen.u[lane], seen.v[lane]];
                                self.tinted.push(Tinted { ratio, luma, colour, usual: [u, v] });
                            }
                        }
                    }
                }
                let mut place = 1.0;
                if self.ratios.len() >= LEAST {
                    let common = middle(&mut self.ratios);
                    let agrees = |pixel: &&Tinted| {
                        (pixel.ratio / common - 1.0).abs() < TOLERANCE && pixel.agrees(common)
                    };
                    let share = self.tinted.iter().filter(agrees).count() as f32 / self.tinted.len() as f32;
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

/// Whether the middle of a row's ratios is that of a thing which fills more than half of it: the rest is still in the light of the
/// picture, `whole`.
fn is_thing(ratios: &[f32], middle: f32, whole: f32) -> bool {
    let differs = (middle / whole - 1.0).abs();
    // False of a row without a middle, too.
    if differs.is_nan() || differs < LEAST_ROW {
        return false;
    }
    let reach = TOLERANCE.min(0.5 * differs);
    let near = |light: f32| ratios.iter().filter(|ratio| (*ratio / light - 1.0).abs() < reach).count() as f32;
    let left = near(whole);
    left >= near(middle) || differs > 2.0 * TOLERANCE && left >= LEFT_BEHIND * ratios.len() as f32
}

/// The middle one by size; 1 of none. Changes the order.
fn middle(values: &mut [f32]) -> f32 {
    let at = values.len() / 2;
    if values.is_empty() { 1.0 } else { *values.select_nth_unstable_by(at, f32::total_cmp).1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::View;

    const SIZE: (usize, usize) = (240, 160);

    fn grid(level: impl Fn(usize, usize) -> [f32; 3]) -> Grid {
        let pixels = (0..SIZE.0 * SIZE.1).flat_map(|at| level(at % SIZE.0, at / SIZE.0));
        let bytes: Vec<u8> = pixels.map(|level| level.round().clamp(0.0, 255.0) as u8).collect();
        let mut grid = Grid::default();
        grid.measure(&View::new(&bytes, SIZE, 3, SIZE.0 * 3).unwrap());
        grid
    }

    fn place(x: usize, y: usize) -> [f32; 3] {
        let level = 80.0 + ((x * 7 + y * 13) % 40) as f32;
        [level, 0.95 * level, 0.9 * level]
    }

    /// The luma of the picture with the light taken out, and that of the place.
    fn taken_out(picture: impl Fn(usize, usize) -> [f32; 3]) -> impl Fn(usize, usize) -> (f32, f32) {
        let (usual, now) = (grid(place), grid(picture));
        let told: Vec<Told> = usual.pixels.iter().map(Told::background).collect();
        let mut pixels = now.pixels.clone();
        let valid = vec![[1.0; LANES]; pixels.len()];
        Light::default().take_out(&now, &told, &mut pixels, &valid);
        let blocks = now.blocks;
        move |x, y| {
            let at = y * blocks + x / LANES;
            (pixels[at].y[x % LANES], usual.pixels[at].y[x % LANES])
        }
    }

    #[test]
    fn a_thing_that_fills_most_of_a_row_is_no_lamp() {
        let covers = |x: usize, y: usize| (20..170).contains(&x) && (40..90).contains(&y);
        let patterned = |x: usize, y: usize| [100.0 + ((x * 31 + y * 17) % 90) as f32; 3];
        let level = |level: f32| move |_: usize, _: usize| [level; 3];
        let lit = |x: usize, y: usize| place(x, y).map(|part| part * 1.14);
        let dark = level(60.0);
        let bright = level(170.0);
        type Colours<'a> = &'a dyn Fn(usize, usize) -> [f32; 3];
        let things: [(&str, Colours<'_>); 4] =
            [("patterned", &patterned), ("dark", &dark), ("bright", &bright), ("as if lit", &lit)];
        for (name, thing) in things {
            let out = taken_out(|x, y| if covers(x, y) { thing(x, y) } else { place(x, y) });
            for x in 200..SIZE.0 {
                let (now, usual) = out(x, 65);
                assert!((now / usual - 1.0).abs() < 0.02, "{name}: {x}: {now} {usual}");
            }
        }
    }

    #[test]
    fn a_lamp_with_bands_is_taken_out() {
        let out = taken_out(|x, y| place(x, y).map(|part| part * (1.1 + 0.07 * (y as f32 / 25.0).sin())));
        for y in 4..SIZE.1 - 4 {
            let (now, usual) = out(100, y);
            assert!((now / usual - 1.0).abs() < 0.03, "{y}: {now} {usual}");
        }
    }

    #[test]
    fn a_place_is_lit_only_where_its_colours_are_as_before() {
        let inside = |x: usize, y: usize| (96..160).contains(&x) && (64..128).contains(&y);
        let middle = |change: &dyn Fn([f32; 3]) -> [f32; 3]| {
            let out = taken_out(|x, y| if inside(x, y) { change(place(x, y)) } else { place(x, y) });
            let (now, usual) = out(127, 95);
            now / usual
        };
        let lit = middle(&|place| place.map(|part| part * 1.3));
        assert!((lit - 1.0).abs() < 0.03, "a lamp: {lit}");
        // As much brighter, and blue.
        let blue = middle(&|[r, g, b]| [1.12 * r, 1.25 * g, 2.2 * b]);
        assert!(blue > 1.2, "something blue: {blue}");
    }
}
