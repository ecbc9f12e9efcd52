//! A picture made small, in the colours that the background is kept in.

use crate::kernels::View;
use crate::kernels::isa::vectorised;

/// Pixels that are worked on together.
pub(super) const LANES: usize = 8;
/// The longer side of the small picture has at most so many pixels.
const LONGEST: usize = 480;
/// Of each block of the picture that becomes one small pixel, at most so many rows are read.
const ROWS: usize = 2;

/// Eight pixels side by side: luma, 0 to 255, and two differences of colour from it, 0 where it is grey.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pixels {
    /// `0.299 R + 0.587 G + 0.114 B`.
    pub(super) y: [f32; LANES],
    /// `B − y`, halved.
    pub(super) u: [f32; LANES],
    /// `R − y`, times 0.7.
    pub(super) v: [f32; LANES],
}

impl Pixels {
    /// One of them.
    pub(super) fn at(&self, lane: usize) -> [f32; 3] {
        [self.y[lane], self.u[lane], self.v[lane]]
    }
}

/// A small picture: rows of blocks of [`LANES`] pixels; behind the right edge the last pixel is repeated.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// Pixels of the picture across and down a small one.
    pub(super) factor: usize,
    /// Small pixels across and down.
    pub(super) size: (usize, usize),
    /// Blocks of a row.
    pub(super) blocks: usize,
    pub(super) pixels: Vec<Pixels>,
    sums: Vec<u16>,
    means: Vec<[f32; 3]>,
}

impl Grid {
    /// Pixels from the begin of a row to that of the next one.
    pub(super) fn stride(&self) -> usize {
        self.blocks * LANES
    }

    /// Takes a picture, RGB or of one channel, and gives whether it has the size of the one before.
    pub(super) fn measure(&mut self, picture: &View<'_>) -> bool {
        let (width, height) = (picture.width(), picture.height());
        let factor = width.max(height).div_ceil(LONGEST).max(1);
        // A side shorter than a block is one small pixel of what there is.
        let (across, down) = ((width / factor).max(1), (height / factor).max(1));
        let same = (self.factor, self.size) == (factor, (across, down));
        (self.factor, self.size, self.blocks) = (factor, (across, down), across.div_ceil(LANES));
        self.pixels.resize(self.blocks * down, Pixels::default());
        let channels = picture.channels();
        let long = factor.min(width) * channels;
        self.sums.resize(across * long, 0);
        self.means.resize(self.blocks * LANES, [0.0; 3]);
        for row in 0..down {
            self.sums.fill(0);
            let rows = factor.min(height);
            let step = rows.div_ceil(ROWS).max(1);
            let mut taken = 0;
            for y in (row * factor..row * factor + rows).step_by(step) {
                add(picture.row(y), &mut self.sums);
                taken += 1;
            }
            let share = 1.0 / (taken * factor.min(width)) as f32;
            self.average(across, (channels, long), share);
            let out = &mut self.pixels[row * self.blocks..][..self.blocks];
            convert(&self.means, out);
        }
        same
    }

    /// Makes means of the sums of a row.
    fn average(&mut self, across: usize, (channels, long): (usize, usize), share: f32) {
        let means = &mut self.means[..];
        if channels == 3 && long == 6 {
            for (mean, sums) in means.iter_mut().zip(self.sums.as_chunks::<6>().0) {
                *mean = [0, 1, 2].map(|at| f32::from(sums[at] + sums[at + 3]) * share);
            }
        } else {
            for (mean, sums) in means.iter_mut().zip(self.sums.chunks_exact(long)) {
                let mut total = [0u32; 3];
                for pixel in sums.chunks_exact(channels) {
                    for (channel, total) in total.iter_mut().enumerate() {
                        *total += u32::from(pixel[if channels == 3 { channel } else { 0 }]);
                    }
                }
                *mean = total.map(|sum| sum as f32 * share);
            }
        }
        if let Some(&last) = means.get(across.saturating_sub(1)) {
            means.iter_mut().skip(across).for_each(|mean| *mean = last);
        }
    }

    /// The luma as bytes, rows without a gap.
    pub(super) fn luma(&self, out: &mut Vec<u8>) {
        out.clear();
        for row in self.pixels.chunks_exact(self.blocks.max(1)) {
            let levels = row.iter().flat_map(|pixels| pixels.y).take(self.size.0);
            out.extend(levels.map(|level| (level + 0.5) as u8));
        }
    }
}

vectorised! {
    /// Adds a row of samples to sums of at most two rows.
    fn add(row: &[u8], sums: &mut [u16]) {
        sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum += u16::from(*sample));
    }
}

vectorised! {
    fn convert(means: &[[f32; 3]], out: &mut [Pixels]) {
        for (out, means) in out.iter_mut().zip(means.as_chunks::<LANES>().0) {
            for (lane, [r, g, b]) in means.iter().enumerate() {
                let y = 0.299 * r + 0.587 * g + 0.114 * b;
                (out.y[lane], out.u[lane], out.v[lane]) = (y, 0.5 * (b - y), 0.7 * (r - y));
            }
        }
    }
}
