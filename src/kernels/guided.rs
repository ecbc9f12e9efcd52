//! The guided filter, guided by the picture itself: flat parts get smooth, edges stay.
//!
//! K. He, J. Sun, X. Tang, "Guided Image Filtering", ECCV 2010 and PAMI 2013: over each window the output is taken for
//! `a · input + b`, with `a = variance / (variance + ε)` and `b = (1 − a) · mean`; a pixel gets the mean of all windows
//! that it is in.

use super::isa::vectorised;
use super::{View, ViewMut};

/// The largest radius of a window.
pub const MAX_RADIUS: usize = 6;

/// A self-guided filter, with the memory it works in.
#[derive(Debug, Clone, Default)]
pub struct Guided {
    /// Sums over the rows of a window, with the border's pixels at both ends: of samples, of their squares, of `a`, of `b`.
    samples: Vec<u16>,
    squares: Vec<u32>,
    slopes: Vec<u32>,
    offsets: Vec<u32>,
    /// `a` in 1/65535 and `b` in 1/256, of the rows of a window and the one before.
    ring_slopes: Vec<u16>,
    ring_offsets: Vec<u16>,
    /// Sums over windows of a row.
    narrow: Vec<u16>,
    wide: [Vec<u32>; 2],
}

impl Guided {
    /// Smooths `from` into `to`, of the same size and channels, each channel guided by itself, rounded to the nearest level.
    /// Windows are `2 · radius + 1` pixels wide and high (`radius` 1 to [`MAX_RADIUS`]); differences of less than
    /// `strength` levels are smoothed away (ε is its square), larger ones stay. Pixels beyond the border count as the
    /// nearest within, for both means.
    pub fn apply(&mut self, from: &View<'_>, radius: usize, strength: f32, to: &mut ViewMut<'_>) {
        let radius = radius.clamp(1, MAX_RADIUS);
        let (channels, height) = (from.channels(), from.height());
        let row = from.width() * channels;
        let edge = radius * channels;
        let strength = if strength.is_finite() { strength.clamp(0.0, 255.0) } else { 0.0 };
        let epsilon = strength * strength;
        let slots = 2 * radius + 2;
        self.ring_slopes.resize(slots * row, 0);
        self.ring_offsets.resize(slots * row, 0);
        restart(&mut self.samples, row + 2 * edge);
        restart(&mut self.squares, row + 2 * edge);
        restart(&mut self.slopes, row + 2 * edge);
        restart(&mut self.offsets, row + 2 * edge);
        self.narrow.resize(row, 0);
        self.wide.iter_mut().for_each(|wide| wide.resize(row, 0));
        let inner = edge..edge + row;
        let area = ((2 * radius + 1) * (2 * radius + 1)) as u32;

        // The windows' rows as seen from above the picture: its first row again and again, and those that come in.
        let above = |y: usize| y.saturating_sub(radius + 1);
        let below = |y: usize| (y + radius).min(height - 1);
        let mut ready = 0;
        for (y, out) in to.rows().enumerate().take(height) {
            let first = y == 0;
            while ready <= below(y) {
                let (samples, squares) = (&mut self.samples[inner.clone()], &mut self.squares[inner.clone()]);
                if ready == 0 {
                    (0..=2 * radius).for_each(|at| {
                        enter(from.row(at.saturating_sub(radius)), samples, squares);
                    });
                } else {
                    exchange(from.row(above(ready)), from.row(below(ready)), samples, squares);
                }
                spread(&mut self.samples, edge, channels);
                spread(&mut self.squares, edge, channels);
                let slot = ready % slots * row;
                let (a, b) =
                    (&mut self.ring_slopes[slot..slot + row], &mut self.ring_offsets[slot..slot + row]);
                across_narrow(&self.samples, channels, radius, &mut self.narrow);
                across_wide(&self.squares, channels, radius, &mut self.wide[0]);
                fit(&self.narrow, &self.wide[0], area, epsilon, a, b);
                ready += 1;
            }
            let slot = |y: usize| y % slots * row..y % slots * row + row;
            for (ring, sums) in
                [(&self.ring_slopes, &mut self.slopes), (&self.ring_offsets, &mut self.offsets)]
            {
                let inside = &mut sums[inner.clone()];
                if first {
                    (0..=2 * radius).for_each(|at| {
                        enter_fit(&ring[slot(at.saturating_sub(radius).min(height - 1))], inside);
                    });
                } else {
                    exchange_fit(&ring[slot(above(y))], &ring[slot(below(y))], inside);
                }
                spread(sums, edge, channels);
            }
            across_wide(&self.slopes, channels, radius, &mut self.wide[0]);
            across_wide(&self.offsets, channels, radius, &mut self.wide[1]);
            draw(from.row(y), &self.wide[0], &self.wide[1], area, out);
        }
    }
}

/// All zeros.
fn restart<T: Copy + Default>(sums: &mut Vec<T>, count: usize) {
    sums.clear();
    sums.resize(count, T::default());
}

/// Writes the first and the last pixel over the border's.
fn spread<T: Copy>(sums: &mut [T], edge: usize, channels: usize) {
    let end = sums.len() - edge;
    for at in (0..edge).step_by(channels) {
        sums.copy_within(edge..edge + channels, at);
        sums.copy_within(end - channels..end, end + at);
    }
}

vectorised! {
    fn enter(row: &[u8], samples: &mut [u16], squares: &mut [u32]) {
        for ((&new, sum), squares) in row.iter().zip(samples).zip(squares) {
            let new = u16::from(new);
            *sum += new;
            *squares += u32::from(new * new);
        }
    }
}

vectorised! {
    /// One row of the window for another; what comes in is added first, so that no sum falls below zero.
    fn exchange(old: &[u8], new: &[u8], samples: &mut [u16], squares: &mut [u32]) {
        for (((&old, &new), sum), squares) in old.iter().zip(new).zip(samples).zip(squares) {
            let (old, new) = (u16::from(old), u16::from(new));
            *sum = *sum + new - old;
            *squares = *squares + u32::from(new * new) - u32::from(old * old);
        }
    }
}

vectorised! {
    fn enter_fit(row: &[u16], sums: &mut [u32]) {
        for (&new, sum) in row.iter().zip(sums) {
            *sum += u32::from(new);
        }
    }
}

vectorised! {
    fn exchange_fit(old: &[u16], new: &[u16], sums: &mut [u32]) {
        for ((&old, &new), sum) in old.iter().zip(new).zip(sums) {
            *sum = *sum + u32::from(new) - u32::from(old);
        }
    }
}

/// Adds windows of a padded row up, `2 · radius + 1` samples of one channel each.
macro_rules! across {
    ($name:ident, $first:ident, $four:ident, $two:ident, $type:ty) => {
        fn $name(padded: &[$type], channels: usize, radius: usize, out: &mut [$type]) {
            let count = out.len();
            let tap = |at: usize| &padded[at * channels..at * channels + count];
            $first([tap(0), tap(1), tap(2)], out);
            let mut done = 3;
            while done + 4 <= 2 * radius + 1 {
                $four([tap(done), tap(done + 1), tap(done + 2), tap(done + 3)], out);
                done += 4;
            }
            if done < 2 * radius + 1 {
                $two([tap(done), tap(done + 1)], out);
            }
        }

        vectorised! {
            fn $first(taps: [&[$type]; 3], out: &mut [$type]) {
                for (((out, a), b), c) in out.iter_mut().zip(taps[0]).zip(taps[1]).zip(taps[2]) {
                    *out = a + b + c;
                }
            }
        }

        vectorised! {
            fn $four(taps: [&[$type]; 4], out: &mut [$type]) {
                for ((((out, a), b), c), d) in out.iter_mut().zip(taps[0]).zip(taps[1]).zip(taps[2]).zip(taps[3]) {
                    *out += a + b + (c + d);
                }
            }
        }

        vectorised! {
            fn $two(taps: [&[$type]; 2], out: &mut [$type]) {
                for ((out, a), b) in out.iter_mut().zip(taps[0]).zip(taps[1]) {
                    *out += a + b;
                }
            }
        }
    };
}

across!(across_narrow, narrow_first, narrow_four, narrow_two, u16);
across!(across_wide, wide_first, wide_four, wide_two, u32);

/// The nearest whole number to one from 0 to 2²² on, in the low bits: where 2²³ is added, no fraction has room. A cast
/// would have to mind what is out of range.
#[inline(always)]
fn rounded(value: f32) -> u32 {
    (value + 8_388_608.0).to_bits()
}

vectorised! {
    /// `a` and `b` of a row of windows of `area` samples.
    fn fit(samples: &[u16], squares: &[u32], area: u32, epsilon: f32, slopes: &mut [u16], offsets: &mut [u16]) {
        let scaled = (epsilon * (area * area) as f32).max(1e-3);
        let mean = 256.0 / area as f32;
        for (((&sum, &squares), slope), offset) in samples.iter().zip(squares).zip(slopes).zip(offsets) {
            // The variance times the square of the area: a whole number below 2³¹.
            let variance = area.wrapping_mul(squares).wrapping_sub(u32::from(sum) * u32::from(sum)) as i32 as f32;
            let rest = scaled / (variance + scaled);
            *slope = rounded((1.0 - rest) * 65535.0) as u16;
            *offset = rounded(rest * mean * f32::from(sum)) as u16;
        }
    }
}

vectorised! {
    /// The samples of a row from the sums of `a` and `b` over `area` windows.
    fn draw(row: &[u8], slopes: &[u32], offsets: &[u32], area: u32, out: &mut [u8]) {
        let (of_slope, of_offset) = (1.0 / (65535.0 * area as f32), 1.0 / (256.0 * area as f32));
        for (((&sample, &slope), &offset), out) in row.iter().zip(slopes).zip(offsets).zip(out) {
            let value = slope as i32 as f32 * of_slope * f32::from(sample) + offset as i32 as f32 * of_offset;
            *out = rounded(value) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SIZES, run};
    use super::*;

    #[test]
    fn noise_goes_and_an_edge_stays() {
        let mut random = fastrand::Rng::with_seed(7);
        let clean: Vec<i32> = (0..64 * 40).map(|at| if at % 64 < 32 { 60 } else { 180 }).collect();
        let noisy: Vec<u8> = clean.iter().map(|&level| (level + random.i32(-12..=12)) as u8).collect();
        let view = View::new(&noisy, (64, 40), 1, 64).unwrap();
        let mut to = vec![0; noisy.len()];
        Guided::default().apply(&view, 3, 20.0, &mut ViewMut::new(&mut to, (64, 40), 1, 64).unwrap());
        let error = |made: &[u8]| -> i32 {
            made.iter().zip(&clean).map(|(&made, clean)| (i32::from(made) - clean).pow(2)).sum()
        };
        assert!(error(&to) * 4 < error(&noisy), "{} {}", error(&to), error(&noisy));
        let steps: i32 = to.chunks(64).map(|row| i32::from(row[32]) - i32::from(row[31])).sum();
        assert!(steps / 40 > 100, "{}", steps / 40);
    }

    #[test]
    fn any_size_and_setting_is_fine_and_no_strength_changes_nothing() {
        let mut guided = Guided::default();
        for (size, channels) in SIZES.iter().flat_map(|&size| [(size, 1), (size, 3)]) {
            for radius in 0..9 {
                for strength in [15.0, 1e9, f32::NAN] {
                    run(size, channels, &mut |from, to| guided.apply(from, radius, strength, to));
                }
                let (from, made) = run(size, channels, &mut |from, to| guided.apply(from, radius, 0.0, to));
                assert_eq!(from, made, "{size:?} {radius}");
            }
        }
    }

    #[test]
    fn one_colour_stays_itself() {
        for (level, strength) in [(0, 0.0), (0, 20.0), (77, 20.0), (255, 0.0), (255, 20.0)] {
            let from = [level; 30 * 20];
            let view = View::new(&from, (30, 20), 1, 30).unwrap();
            let mut to = [9; 30 * 20];
            Guided::default().apply(&view, 6, strength, &mut ViewMut::new(&mut to, (30, 20), 1, 30).unwrap());
            assert_eq!(to, from);
        }
    }
}
