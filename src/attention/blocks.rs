//! A picture in means over square blocks: small enough to compare in no time, and with a fraction of the noise.

use crate::kernels::View;
use crate::kernels::isa::vectorised;

/// The longer side of a picture has about so many blocks.
const ACROSS: usize = 160;
/// A block is no smaller than this many pixels a side, and is sampled in about so many rows.
const LEAST: usize = 4;
const ROWS: usize = 4;

/// Means of all samples of a pixel, red, green and blue alike, over blocks of pixels. Blocks that a border cuts are left out.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    picture: (usize, usize),
    block: usize,
    size: (usize, usize),
    /// Row after row, 0 to 255.
    means: Vec<f32>,
    /// Sums of samples down the rows of a row of blocks.
    sums: Vec<u16>,
}

impl Blocks {
    /// Takes a picture.
    pub(super) fn measure(&mut self, picture: &View<'_>) {
        let (width, height) = (picture.width(), picture.height());
        let block = width.max(height).div_ceil(ACROSS).max(LEAST);
        let (columns, rows) = (width / block, height / block);
        (self.picture, self.block, self.size) = ((width, height), block, (columns, rows));
        let across = block * picture.channels();
        let step = (block / ROWS).max(1);
        self.means.clear();
        self.sums.resize(columns * across, 0);
        for row in 0..rows {
            self.sums.fill(0);
            let mut taken = 0;
            for y in (row * block..(row + 1) * block).step_by(step) {
                add(picture.row(y), &mut self.sums);
                taken += 1;
            }
            let samples = (taken * across) as f32;
            let sum = |block: &[u16]| block.iter().map(|sum| u32::from(*sum)).sum::<u32>() as f32;
            self.means.extend(self.sums.chunks_exact(across).map(|block| sum(block) / samples));
        }
    }

    /// Width and height of the picture in pixels.
    pub(super) fn picture(&self) -> (usize, usize) {
        self.picture
    }

    /// The side of a block in pixels.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The means, row after row.
    pub(super) fn means(&self) -> &[f32] {
        &self.means
    }
}

vectorised! {
    /// Adds a row of samples to sums of at most 257 rows.
    fn add(row: &[u8], sums: &mut [u16]) {
        sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum += u16::from(*sample));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_the_pixels_for_any_size() {
        for (width, height, block) in [(1, 1, 4), (3, 9, 4), (640, 480, 4), (1280, 720, 8), (1283, 727, 9)] {
            let samples: Vec<u8> = (0..width * height * 3).map(|at| (at * 31 % 253) as u8).collect();
            let view = View::new(&samples, (width, height), 3, width * 3).unwrap();
            let mut blocks = Blocks::default();
            blocks.measure(&view);
            assert_eq!((blocks.block(), blocks.size()), (block, (width / block, height / block)));
            let rows = (block / ROWS).max(1);
            for (at, mean) in blocks.means().iter().enumerate() {
                let (left, top) = (at % (width / block) * block, at / (width / block) * block);
                let mut sum = 0.0;
                let mut count = 0.0;
                for y in (top..top + block).step_by(rows) {
                    let row = &samples[(y * width + left) * 3..][..block * 3];
                    sum += row.iter().map(|sample| f64::from(*sample)).sum::<f64>();
                    count += row.len() as f64;
                }
                assert!((f64::from(*mean) - sum / count).abs() < 1e-3, "{width}x{height} {at}");
            }
        }
    }

    #[test]
    fn a_very_large_white_picture_does_not_overflow() {
        let samples = vec![255; 48_000 * 300];
        let view = View::new(&samples, (48_000, 300), 1, 48_000).unwrap();
        let mut blocks = Blocks::default();
        blocks.measure(&view);
        assert!(blocks.means().iter().all(|mean| *mean == 255.0) && blocks.size() == (160, 1));
    }
}
