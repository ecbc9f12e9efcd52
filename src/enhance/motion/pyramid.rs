//! A picture's luma, small and smaller: what points are followed on.

use crate::kernels::View;
use crate::kernels::isa::vectorised;

/// Samples around each level that repeat its edge, so that windows near the edge need no care.
pub(super) const PAD: usize = 24;
/// The longer side of the finest level is at most this; the picture is made smaller by a whole number.
const LONGEST: usize = 480;
/// A level with a side below this is not made; nor is anything told from a picture so small.
const LEAST_SIDE: usize = 16;
/// Levels at most, each half as large as the one before.
const MOST_LEVELS: usize = 5;

/// Luma of 0 to 255 with [`PAD`] samples of edge on each side.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Samples from a row to the next.
    pub(super) stride: usize,
    pub(super) samples: Vec<f32>,
}

impl Level {
    fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height, self.stride) = (width, height, width + 2 * PAD);
        self.samples.resize(self.stride * (height + 2 * PAD), 0.0);
    }

    /// A row with its edges, counted from the first row of the picture itself.
    pub(super) fn padded(&self, y: usize) -> &[f32] {
        let at = (y + PAD) * self.stride;
        self.samples.get(at..at + self.stride).unwrap_or_default()
    }

    fn row(&mut self, y: usize) -> &mut [f32] {
        let at = (y + PAD) * self.stride + PAD;
        self.samples.get_mut(at..at + self.width).unwrap_or_default()
    }

    /// Repeats the outermost samples outwards.
    fn spread_edges(&mut self) {
        let (width, height, stride) = (self.width, self.height, self.stride);
        for row in self.samples.chunks_exact_mut(stride).skip(PAD).take(height) {
            let (first, last) = (row[PAD], row[PAD + width - 1]);
            row[..PAD].fill(first);
            row[PAD + width..].fill(last);
        }
        for y in 0..PAD {
            self.samples.copy_within(PAD * stride..(PAD + 1) * stride, y * stride);
            let last = (PAD + height - 1) * stride;
            self.samples.copy_within(last..last + stride, (PAD + height + y) * stride);
        }
    }
}

/// The levels of one picture, the finest first. Coordinates: `source = (index + ½) · factor · 2^level`, as the corner of
/// the first pixel is (0, 0) at every level.
#[derive(Debug, Default)]
pub(super) struct Pyramid {
    levels: Vec<Level>,
    used: usize,
    /// Source pixels to a sample of the finest level.
    pub(super) factor: usize,
    columns: Vec<u16>,
}

impl Pyramid {
    /// The levels, the finest first; none of a picture that is too small.
    pub(super) fn levels(&self) -> &[Level] {
        self.levels.get(..self.used).unwrap_or_default()
    }

    /// Takes a picture of 1 channel, or of 3 or more of which the first are red, green and blue.
    pub(super) fn build(&mut self, picture: View<'_>) {
        self.factor = picture.width().max(picture.height()).div_ceil(LONGEST).max(1);
        let (mut width, mut height) = (picture.width() / self.factor, picture.height() / self.factor);
        self.used = 0;
        while self.used < MOST_LEVELS && width.min(height) >= LEAST_SIDE {
            if self.levels.len() == self.used {
                self.levels.push(Level::default());
            }
            self.levels[self.used].resize(width, height);
            if self.used == 0 {
                self.shrink(picture);
            } else if let (finer, [level, ..]) = self.levels.split_at_mut(self.used)
                && let Some(finer) = finer.last()
            {
                halve(finer, level);
            }
            self.levels[self.used].spread_edges();
            self.used += 1;
            (width, height) = (width / 2, height / 2);
        }
    }

    /// The finest level: each sample the mean luma of `factor × factor` pixels. What is left over at the right and the
    /// bottom is not looked at.
    fn shrink(&mut self, picture: View<'_>) {
        let Some(level) = self.levels.first_mut() else { return };
        let (channels, factor) = (picture.channels(), self.factor);
        self.columns.resize(picture.width() * channels, 0);
        for y in 0..level.height {
            add_rows(picture, y * factor, factor, &mut self.columns);
            blocks(&self.columns, channels, factor, level.row(y));
        }
    }
}

vectorised! {
    /// Sums of `count` rows from `first` on, sample by sample; at most 257 rows fit the sums.
    fn add_rows(picture: View<'_>, first: usize, count: usize, sums: &mut [u16]) {
        let row = picture.row(first);
        if count == 3 {
            // The common case at 720p, without going over the sums three times.
            let rows = row.iter().zip(picture.row(first + 1)).zip(picture.row(first + 2));
            for (sum, ((a, b), c)) in sums.iter_mut().zip(rows) {
                *sum = u16::from(*a) + u16::from(*b) + u16::from(*c);
            }
            return;
        }
        for (sum, sample) in sums.iter_mut().zip(row) {
            *sum = u16::from(*sample);
        }
        for y in first + 1..first + count {
            for (sum, sample) in sums.iter_mut().zip(picture.row(y)) {
                *sum += u16::from(*sample);
            }
        }
    }
}

vectorised! {
    /// Means of `factor` neighbouring pixels, from sums over `factor` rows; weights of luma after ITU-R BT.601.
    fn blocks(columns: &[u16], channels: usize, factor: usize, out: &mut [f32]) {
        let share = 1.0 / (256 * factor * factor) as f32;
        match (channels, factor) {
            (3, 1) => block_luma::<3>(columns, share, out),
            (3, 2) => block_luma::<6>(columns, share, out),
            (3, 3) => block_luma::<9>(columns, share, out),
            (3, 4) => block_luma::<12>(columns, share, out),
            _ => {
                for (out, block) in out.iter_mut().zip(columns.chunks_exact(channels * factor)) {
                    let luma = |pixel: &[u16]| match *pixel {
                        [red, green, blue, ..] => luma(red.into(), green.into(), blue.into()),
                        [grey, ..] => 256 * u32::from(grey),
                        [] => 0,
                    };
                    *out = block.chunks_exact(channels).map(luma).sum::<u32>() as f32 * share;
                }
            }
        }
    }
}

/// 256 times the luma.
#[inline(always)]
fn luma(red: u32, green: u32, blue: u32) -> u32 {
    77 * red + 150 * green + 29 * blue
}

/// `N` samples of interleaved red, green and blue to each of `out`.
#[inline(always)]
fn block_luma<const N: usize>(columns: &[u16], share: f32, out: &mut [f32]) {
    for (out, block) in out.iter_mut().zip(columns.as_chunks::<N>().0) {
        let mut sums = [0u32; 3];
        for pixel in block.as_chunks::<3>().0 {
            for (sum, sample) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(*sample);
            }
        }
        *out = luma(sums[0], sums[1], sums[2]) as f32 * share;
    }
}

/// Half the size: the mean of 4 × 4 samples with weights 1 3 3 1 each way, which stays centred on the 2 × 2 it stands for.
fn halve(finer: &Level, level: &mut Level) {
    for y in 0..level.height {
        let at = |row: usize| finer.samples.get((2 * y + PAD - 1 + row) * finer.stride..).unwrap_or_default();
        halve_row([at(0), at(1), at(2), at(3)], level.row(y));
    }
}

vectorised! {
    fn halve_row(rows: [&[f32]; 4], out: &mut [f32]) {
        let length = 2 * out.len() + 2;
        let [Some(a), Some(b), Some(c), Some(d)] = rows.map(|row| row.get(PAD - 1..PAD - 1 + length)) else { return };
        // Sixteen at a time: the column sums stay in registers or close by.
        for (at, out) in out.chunks_mut(16).enumerate() {
            let mut sums = [0f32; 34];
            let from = 32 * at;
            let (a, b, c, d) = (&a[from..], &b[from..], &c[from..], &d[from..]);
            for (((sum, a), (b, c)), d) in sums.iter_mut().zip(a).zip(b.iter().zip(c)).zip(d) {
                *sum = (a + d) + 3.0 * (b + c);
            }
            for (x, out) in out.iter_mut().enumerate().take(16) {
                *out = ((sums[2 * x] + sums[2 * x + 3]) + 3.0 * (sums[2 * x + 1] + sums[2 * x + 2])) / 64.0;
            }
        }
    }
}
