//! Contrast-limited adaptive histogram equalisation (K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization",
//! Graphics Gems IV, 1994), with the choices that OpenCV's `createCLAHE` makes where the paper leaves them open.

use super::isa::vectorised;
use super::luma::{add_difference_row, luma};
use super::{Plane, View, ViewMut};

/// The most tiles on a side.
pub const MOST_TILES: usize = 64;

/// Fractional bits of a level between tables: 255 levels with them fit 16 bits with sign.
const LEVEL_BITS: u32 = 7;
/// Fractional bits of a weight: a whole one fits 16 bits with sign.
const WEIGHT_BITS: u32 = 14;

/// What a level becomes by the left and the right one of two neighbouring tiles, in 1/128 level.
type Pairs = [[i16; 2]; 256];

/// Local contrast, with the memory it works in.
///
/// The picture is cut into tiles. Where they do not divide it, it counts as mirrored to the right and at the bottom
/// (`abcdefgh|gfedcba`), on both sides even where one divides. A tile's histogram is clipped at
/// `clip × pixels / 256`, at least 1; what was cut off is spread over all levels, its remainder over levels that lie
/// evenly apart. A tile's table is the sum of that histogram, scaled to 255. A pixel is taken through the tables of the
/// four tiles whose middles are around it, weighted bilinearly, to the nearest level. Against OpenCV, which weights with
/// floats, a few pixels in a thousand differ, by one level.
#[derive(Debug, Clone)]
pub struct Clahe {
    clip: f32,
    tiles: (usize, usize),
    tables: Vec<[u8; 256]>,
    /// The tables between two rows of tiles, for one row of pixels.
    between: Vec<[i16; 256]>,
    pairs: Vec<Pairs>,
    /// What `pairs` was made for: rows of tiles and the weight of the lower.
    made_for: Option<(usize, usize, i16)>,
    /// The size for which the two below are.
    size: (usize, usize),
    /// Where each pair of neighbouring columns of tiles ends, in pixels.
    ends: Vec<usize>,
    /// By column of pixels: the weights of the left and the right tile.
    weights: Vec<[i16; 2]>,
    found: Vec<[i16; 2]>,
    row: Vec<u8>,
    luma: Plane,
}

impl Clahe {
    /// Tables are clipped at `clip` times an even histogram (0, or what is not a number: not clipped), for so many tiles
    /// across and down, each from 1 to [`MOST_TILES`].
    pub fn new(clip: f32, (across, down): (usize, usize)) -> Self {
        Self {
            clip: if clip > 0.0 { clip } else { 0.0 },
            tiles: (across.clamp(1, MOST_TILES), down.clamp(1, MOST_TILES)),
            tables: Vec::new(),
            between: Vec::new(),
            pairs: Vec::new(),
            made_for: None,
            size: (0, 0),
            ends: Vec::new(),
            weights: Vec::new(),
            found: Vec::new(),
            row: Vec::new(),
            luma: Plane::default(),
        }
    }

    /// From `from` into `to`, of the same size and channels; otherwise nothing is written. One channel is equalised
    /// itself. Of three, RGB, the luma is (BT.601), and what it changes by is added to each channel, which ends at 0 and
    /// 255. Other numbers of channels are copied.
    pub fn apply(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        if !to.fits(from) {
            return;
        }
        match from.channels() {
            1 => {
                self.learn(from);
                for (y, (from, to)) in from.rows().zip(to.rows()).enumerate() {
                    self.map_row(y, from, to);
                }
            }
            3 => {
                let mut plane = std::mem::take(&mut self.luma);
                let mut after = std::mem::take(&mut self.row);
                luma(from, &mut plane);
                self.learn(&plane.view());
                after.resize(from.width(), 0);
                let lumas = plane.bytes().chunks_exact(from.width());
                for (y, ((from, before), to)) in from.rows().zip(lumas).zip(to.rows()).enumerate() {
                    self.map_row(y, before, &mut after);
                    add_difference_row(from, 3, before, &after, to);
                }
                (self.luma, self.row) = (plane, after);
            }
            _ => from.rows().zip(to.rows()).for_each(|(from, to)| to.copy_from_slice(from)),
        }
    }

    /// The sides of a tile, of pixels that are there or mirrored.
    fn tile(&self, width: usize, height: usize) -> (usize, usize) {
        let (across, down) = self.tiles;
        if width.is_multiple_of(across) && height.is_multiple_of(down) {
            return (width / across, height / down);
        }
        (width / across + 1, height / down + 1)
    }

    /// Makes the tables of all tiles, and what depends on the size.
    fn learn(&mut self, plane: &View<'_>) {
        let (width, height) = (plane.width(), plane.height());
        let (tile_width, tile_height) = self.tile(width, height);
        let area = tile_width * tile_height;
        let limit = (self.clip > 0.0).then(|| ((self.clip * area as f32 / 256.0) as u32).max(1));
        self.tables.clear();
        for row in 0..self.tiles.1 {
            for column in 0..self.tiles.0 {
                let mut counts = [[0; 256]; 4];
                let (left, right) = (column * tile_width, (column + 1) * tile_width);
                for y in row * tile_height..(row + 1) * tile_height {
                    let pixels = plane.row(mirrored(y, height));
                    count(pixels.get(left..right.min(width)).unwrap_or_default(), &mut counts);
                    (left.max(width)..right)
                        .for_each(|x| counts[0][usize::from(pixels[mirrored(x, width)])] += 1);
                }
                self.tables.push(table(&counts, limit, area));
            }
        }
        self.made_for = None;
        if self.size != (width, height) {
            self.size = (width, height);
            self.measure_columns(width, tile_width);
        }
    }

    fn measure_columns(&mut self, width: usize, tile_width: usize) {
        let across = self.tiles.0;
        self.ends.clear();
        self.weights.clear();
        for x in 0..width {
            let (right, weight) = place(x, tile_width);
            while self.ends.len() < right {
                self.ends.push(x);
            }
            self.weights.push([(1 << WEIGHT_BITS) - weight, weight]);
        }
        self.ends.resize(across + 1, width);
        self.found.resize(width, [0; 2]);
    }

    /// Takes row `y` of the picture that was learnt through the tables.
    fn map_row(&mut self, y: usize, from: &[u8], to: &mut [u8]) {
        let (across, down) = self.tiles;
        let (lower, weight) = place(y, self.tile(self.size.0, self.size.1).1);
        let (upper, lower) = (lower.saturating_sub(1), lower.min(down - 1));
        let made_for = (upper, lower, if upper == lower { 0 } else { weight });
        if self.made_for != Some(made_for) {
            self.made_for = Some(made_for);
            self.between.resize(across, [0; 256]);
            self.pairs.resize(across + 1, [[0; 2]; 256]);
            let tables = self.tables[upper * across..].iter().zip(&self.tables[lower * across..]);
            for (between, (upper, lower)) in self.between.iter_mut().zip(tables) {
                blend(upper, lower, weight, between);
            }
            for (at, pairs) in self.pairs.iter_mut().enumerate() {
                interleave(&self.between[at.saturating_sub(1)], &self.between[at.min(across - 1)], pairs);
            }
        }
        let mut start = 0;
        for (end, pairs) in self.ends.iter().zip(&self.pairs) {
            let here = from[start..*end].iter().zip(&mut self.found[start..*end]);
            here.for_each(|(level, found)| *found = pairs[usize::from(*level)]);
            start = *end;
        }
        weigh(&self.found, &self.weights, to);
    }
}

/// Between which tiles a pixel lies: the number of the second (the first is the one before; there may be neither), and
/// its weight.
fn place(at: usize, tile: usize) -> (usize, i16) {
    let at = at as f32 * (1.0 / tile as f32) - 0.5;
    let first = at.floor();
    ((first + 1.0) as usize, ((at - first) * f32::from(1i16 << WEIGHT_BITS)).round() as i16)
}

/// Which sample stands at `at`, which may lie behind the `length` that are there.
fn mirrored(at: usize, length: usize) -> usize {
    let period = (2 * (length - 1)).max(1);
    let at = at % period;
    at.min(period - at).min(length - 1)
}

/// Counts levels, neighbours apart from one another: adding to one count twice in a row has to wait.
fn count(pixels: &[u8], counts: &mut [[u32; 256]; 4]) {
    let [first, second, third, fourth] = counts;
    let (fours, rest) = pixels.as_chunks::<4>();
    for [a, b, c, d] in fours {
        first[usize::from(*a)] += 1;
        second[usize::from(*b)] += 1;
        third[usize::from(*c)] += 1;
        fourth[usize::from(*d)] += 1;
    }
    rest.iter().for_each(|level| first[usize::from(*level)] += 1);
}

/// A tile's table from its counts.
fn table([first, second, third, fourth]: &[[u32; 256]; 4], limit: Option<u32>, area: usize) -> [u8; 256] {
    let mut counts: [u32; 256] =
        std::array::from_fn(|level| first[level] + second[level] + third[level] + fourth[level]);
    if let Some(limit) = limit {
        let excess: u32 = counts.iter().map(|count| count.saturating_sub(limit)).sum();
        counts.iter_mut().for_each(|count| *count = (*count).min(limit) + excess / 256);
        let rest = excess as usize % 256;
        let step = (256 / rest.max(1)).max(1);
        counts.iter_mut().step_by(step).take(rest).for_each(|count| *count += 1);
    }
    let scale = 255.0 / area as f32;
    let mut sum = 0;
    counts.map(|count| {
        sum += count;
        (sum as f32 * scale).round_ties_even().min(255.0) as u8
    })
}

vectorised! {
    fn blend(upper: &[u8; 256], lower: &[u8; 256], weight: i16, out: &mut [i16; 256]) {
        let (above, below) = (i32::from((1 << WEIGHT_BITS) - weight), i32::from(weight));
        for ((upper, lower), out) in upper.iter().zip(lower).zip(out) {
            let sum = i32::from(*upper) * above + i32::from(*lower) * below;
            *out = ((sum + (1 << (WEIGHT_BITS - LEVEL_BITS - 1))) >> (WEIGHT_BITS - LEVEL_BITS)) as i16;
        }
    }
}

vectorised! {
    fn interleave(left: &[i16; 256], right: &[i16; 256], out: &mut Pairs) {
        for ((left, right), out) in left.iter().zip(right).zip(out) {
            *out = [*left, *right];
        }
    }
}

vectorised! {
    fn weigh(found: &[[i16; 2]], weights: &[[i16; 2]], out: &mut [u8]) {
        const SHIFT: u32 = WEIGHT_BITS + LEVEL_BITS;
        for ((found, weights), out) in found.iter().zip(weights).zip(out) {
            let sum = i32::from(found[0]) * i32::from(weights[0]) + i32::from(found[1]) * i32::from(weights[1]);
            // To the nearest level, ties to the even one: tiles of a few pixels have many.
            let half = (1 << (SHIFT - 1)) - 1 + ((sum >> SHIFT) & 1);
            *out = ((sum + half) >> SHIFT) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::portable;
    use super::*;

    #[test]
    fn mirrors_without_repeating_the_edge() {
        let row: Vec<usize> = (0..10).map(|at| mirrored(at, 4)).collect();
        assert_eq!(row, [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
        assert_eq!((mirrored(7, 1), mirrored(3, 2)), (0, 1));
    }

    #[test]
    fn any_size_and_stride_goes_and_both_builds_agree() {
        let mut random = fastrand::Rng::with_seed(8);
        let mut kept = Clahe::new(2.0, (8, 8));
        for (width, height) in [(1, 1), (9, 1), (1, 17), (33, 20), (64, 64), (61, 47)] {
            for channels in [1, 2, 3] {
                let stride = width * channels + 3;
                let bytes: Vec<u8> = (0..stride * height).map(|_| random.u8(..)).collect();
                let view = View::new(&bytes, (width, height), channels, stride).unwrap();
                let run = |clahe: &mut Clahe| {
                    let mut out = vec![77; stride * height];
                    clahe.apply(
                        &view,
                        &mut ViewMut::new(&mut out, (width, height), channels, stride).unwrap(),
                    );
                    assert!(
                        out.chunks(stride).all(|row| row[width * channels..].iter().all(|gap| *gap == 77))
                    );
                    out
                };
                let out = run(&mut kept);
                assert_eq!(
                    out,
                    portable(|| run(&mut Clahe::new(2.0, (8, 8)))),
                    "{width}x{height}x{channels}"
                );
                run(&mut Clahe::new(f32::NAN, (0, 1000)));
            }
        }
    }
}
