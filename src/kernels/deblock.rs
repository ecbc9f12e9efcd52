//! Softens the edges of the 8 × 8 blocks that JPEG leaves.
//!
//! As loop filters of video codecs do (P. List et al., "Adaptive Deblocking Filter", IEEE TCSVT 13, 2003), in the simplest
//! form: a small step between two blocks that are flatter than the step is made a ramp over four samples.

use super::isa::vectorised;
use super::{View, ViewMut};

/// The side of a block in samples.
const BLOCK: usize = 8;

/// Softens steps of at most `strength` levels between 8 × 8 blocks counted from the first pixel, from `from` into `to`, of
/// the same size and channels (1 to 4), each channel for itself; rounded to the nearest level. Only the two samples on each side of
/// an edge change: by 3/8 and 1/8 of the step. First those across horizontal edges, then along each row. Blocks at the
/// border that are cut to one sample are left.
pub fn deblock(from: &View<'_>, strength: u8, to: &mut ViewMut<'_>) {
    let (channels, height) = (from.channels(), from.height());
    let strength = i16::from(strength);
    for (y, out) in to.rows().enumerate().take(height) {
        let row = from.row(y);
        // The first row behind the edge that is near, and how much of the step this one takes.
        let (edge, share) = match y % BLOCK {
            6 => (y + 2, 1),
            7 => (y + 1, 3),
            0 => (y, -3),
            1 => (y - 1, -1),
            _ => (0, 0),
        };
        if edge >= BLOCK && edge + 1 < height {
            let rows = [from.row(edge - 2), from.row(edge - 1), from.row(edge), from.row(edge + 1)];
            ramp(row, rows, strength, share, out);
        } else {
            out.iter_mut().zip(row).for_each(|(out, &sample)| *out = sample);
        }
        along(out, channels, strength);
    }
}

/// The step between the second and the third of four samples; 0 where it is none to be softened.
#[inline(always)]
fn step(samples: [u8; 4], strength: i16) -> i16 {
    let [outer, before, behind, beyond] = samples.map(i16::from);
    let step = behind - before;
    let flatter = (outer - before).abs().max((beyond - behind).abs()) < step.abs();
    if flatter & (step.abs() <= strength) { step } else { 0 }
}

/// A sample with so many eighths of a step more.
#[inline(always)]
fn moved(sample: u8, step: i16, eighths: i16) -> u8 {
    (i16::from(sample) + ((step * eighths + 4) >> 3)).clamp(0, 255) as u8
}

vectorised! {
    fn ramp(row: &[u8], rows: [&[u8]; 4], strength: i16, share: i16, out: &mut [u8]) {
        let count = out.len().min(row.len());
        let (row, out) = (&row[..count], &mut out[..count]);
        let [a, b, c, d] = rows;
        let (a, b, c, d) = (&a[..count], &b[..count], &c[..count], &d[..count]);
        for at in 0..count {
            out[at] = moved(row[at], step([a[at], b[at], c[at], d[at]], strength), share);
        }
    }
}

/// The edges that a row crosses. With the number of channels known, no index has to be checked.
fn along(row: &mut [u8], channels: usize, strength: i16) {
    match channels {
        1 => along_channels::<1>(row, strength),
        2 => along_channels::<2>(row, strength),
        3 => along_channels::<3>(row, strength),
        4 => along_channels::<4>(row, strength),
        _ => {}
    }
}

fn along_channels<const CHANNELS: usize>(row: &mut [u8], strength: i16) {
    let (pixels, _) = row.as_chunks_mut::<CHANNELS>();
    // Blocks that begin two samples before an edge.
    let (blocks, rest) = pixels.get_mut(BLOCK - 2..).unwrap_or_default().as_chunks_mut::<BLOCK>();
    for [a, b, c, d, ..] in blocks {
        soften(a, b, c, d, strength);
    }
    if let [a, b, c, d, ..] = rest {
        soften(a, b, c, d, strength);
    }
}

#[inline(always)]
fn soften<const CHANNELS: usize>(
    a: &mut [u8; CHANNELS],
    b: &mut [u8; CHANNELS],
    c: &mut [u8; CHANNELS],
    d: &mut [u8; CHANNELS],
    strength: i16,
) {
    let steps: [i16; CHANNELS] = std::array::from_fn(|at| step([a[at], b[at], c[at], d[at]], strength));
    if steps == [0; CHANNELS] {
        return;
    }
    for (at, step) in steps.into_iter().enumerate() {
        a[at] = moved(a[at], step, 1);
        b[at] = moved(b[at], step, 3);
        c[at] = moved(c[at], step, -3);
        d[at] = moved(d[at], step, -1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::run_on;
    use super::*;

    fn run(from: &[u8], size: (usize, usize), channels: usize, strength: u8) -> Vec<u8> {
        run_on(from, size, channels, &mut |from, to| deblock(from, strength, to))
    }

    #[test]
    fn small_steps_become_ramps_and_large_ones_stay() {
        let row: Vec<u8> = (0..24).map(|x| [100, 108, 200][x / 8]).collect();
        let across = run(&row.repeat(3), (24, 3), 1, 16);
        assert_eq!(across[5..11], [100, 101, 103, 105, 107, 108]);
        assert_eq!(across[12..24], row[12..24]);
        let column: Vec<u8> = row.iter().flat_map(|&level| [level; 3]).collect();
        let down = run(&column, (3, 24), 1, 16);
        assert!(down.chunks(3).zip(&across).all(|(samples, &wanted)| samples == [wanted; 3]));
    }

    #[test]
    fn a_ramp_cut_into_blocks_comes_closer_to_itself() {
        let (width, height) = (64, 48);
        let clean = |x: usize, y: usize| (x + y / 2) as f64 + 60.0;
        let blocks: Vec<u8> = (0..width * height)
            .map(|at| clean(at % width / 8 * 8 + 3, at / width / 8 * 8 + 3).round() as u8)
            .collect();
        let made = run(&blocks, (width, height), 1, 12);
        let error = |picture: &[u8]| -> f64 {
            let squares = picture.iter().enumerate();
            squares.map(|(at, &level)| (f64::from(level) - clean(at % width, at / width)).powi(2)).sum()
        };
        assert!(error(&made) < 0.75 * error(&blocks), "{} {}", error(&made), error(&blocks));
    }

    #[test]
    fn any_size_is_fine_and_no_strength_changes_nothing() {
        let mut random = fastrand::Rng::with_seed(2);
        for (width, height) in [(1, 1), (1, 9), (17, 1), (8, 8), (9, 9), (10, 10), (33, 20)] {
            for channels in [1, 3] {
                let from: Vec<u8> = (0..width * height * channels).map(|_| random.u8(..)).collect();
                assert_eq!(run(&from, (width, height), channels, 0), from);
                run(&from, (width, height), channels, 255);
            }
        }
    }
}
