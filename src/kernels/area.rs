//! Shrinking: each new pixel is the mean of what it covers, shares of pixels included. Nothing is skipped, so that noise
//! and fine patterns average out instead of turning up as other patterns.

use super::isa::vectorised;
use super::{View, ViewMut};

/// Which pixels along a side a new one covers: as many taps for each, some of them without weight.
#[derive(Debug, Default, PartialEq)]
struct Axis {
    lengths: (usize, usize),
    taps: usize,
    /// For each new pixel, its first tap.
    firsts: Vec<usize>,
    /// For each new pixel, the shares of its taps, which add up to 1.
    shares: Vec<f32>,
}

impl Axis {
    /// From so many pixels to so many, at most as many and at least 1.
    fn set(&mut self, from: usize, to: usize) {
        if self.lengths == (from, to) {
            return;
        }
        self.lengths = (from, to);
        let step = from as f64 / to as f64;
        self.taps = (step.ceil() as usize + 1).min(from);
        self.firsts.clear();
        self.shares.clear();
        for index in 0..to {
            let (begin, end) = (index as f64 * step, ((index + 1) as f64 * step).min(from as f64));
            // The last taps end with the side.
            let first = (begin as usize).min(from - self.taps);
            self.firsts.push(first);
            let covered = |pixel: usize| {
                let pixel = pixel as f64;
                // What rounding leaves of a border is none.
                Some(end.min(pixel + 1.0) - begin.max(pixel)).filter(|covered| *covered > 1e-6).unwrap_or(0.0)
            };
            let shares = (first..first + self.taps).map(|pixel| (covered(pixel) / (end - begin)) as f32);
            self.shares.extend(shares);
        }
    }

    fn at(&self, index: usize) -> (usize, &[f32]) {
        (self.firsts[index], &self.shares[index * self.taps..][..self.taps])
    }
}

/// Shrinks pictures; keeps what it works with from one to the next.
#[derive(Debug, Default)]
pub struct Area {
    across: Axis,
    down: Axis,
    /// Means down of one new row, with room for a whole vector behind its end.
    sums: Vec<f32>,
}

impl Area {
    /// Writes the means of `from` to `to`, of as many channels and on neither side longer, rounded to the nearest level, of
    /// two to the even one: to the level what OpenCV's `INTER_AREA` gives, where its floats round alike. A side that is
    /// longer is cut to what there is; of other channels nothing is written.
    pub fn shrink(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        let channels = from.channels();
        if to.channels() != channels {
            return;
        }
        let (width, height) = (to.width().min(from.width()), to.height().min(from.height()));
        self.across.set(from.width(), width);
        self.down.set(from.height(), height);
        let row = from.width() * channels;
        self.sums.clear();
        self.sums.resize(row + 4, 0.0);
        for (y, out) in to.rows().take(height).enumerate() {
            let (first, shares) = self.down.at(y);
            let mut begun = false;
            for (y, &share) in (first..).zip(shares).filter(|(_, share)| **share > 0.0) {
                let sums = &mut self.sums[..row];
                if std::mem::replace(&mut begun, true) {
                    add(from.row(y), share, sums);
                } else {
                    begin(from.row(y), share, sums);
                }
            }
            if channels == 3 {
                across_three(&self.sums, &self.across.firsts, &self.across.shares, out);
            } else {
                self.any_across(channels, out);
            }
        }
    }

    fn any_across(&self, channels: usize, out: &mut [u8]) {
        for (x, out) in out.chunks_exact_mut(channels).enumerate().take(self.across.firsts.len()) {
            let (first, shares) = self.across.at(x);
            for (channel, out) in out.iter_mut().enumerate() {
                let taps = self.sums[first * channels + channel..].iter().step_by(channels);
                *out = level(taps.zip(shares).map(|(sum, share)| sum * share).sum());
            }
        }
    }
}

/// The nearest level, of two the even one; for values from 0 to 255.
#[inline(always)]
fn level(value: f32) -> u8 {
    // Added to 2²³, a float has no bits left behind the point.
    (value + 8_388_608.0).to_bits() as u8
}

vectorised! {
    fn begin(row: &[u8], share: f32, sums: &mut [f32]) {
        for (sum, &sample) in sums.iter_mut().zip(row) {
            *sum = share * f32::from(sample);
        }
    }
}

vectorised! {
    fn add(row: &[u8], share: f32, sums: &mut [f32]) {
        for (sum, &sample) in sums.iter_mut().zip(row) {
            *sum += share * f32::from(sample);
        }
    }
}

vectorised! {
    /// Of three channels, a pixel and what lies behind it in one vector.
    fn across_three(sums: &[f32], firsts: &[usize], shares: &[f32], out: &mut [u8]) {
        let taps = shares.len() / firsts.len().max(1);
        let pixels = out.as_chunks_mut::<3>().0.iter_mut();
        for ((out, &first), shares) in pixels.zip(firsts).zip(shares.chunks_exact(taps.max(1))) {
            let mut mean = [0f32; 4];
            let taps = sums[3 * first..][..3 * shares.len() + 1].windows(4).step_by(3);
            for (tap, &share) in taps.zip(shares) {
                for (mean, sample) in mean.iter_mut().zip(tap) {
                    *mean += share * sample;
                }
            }
            *out = [level(mean[0]), level(mean[1]), level(mean[2])];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa;
    use super::*;

    /// The mean by going over every covered pixel.
    fn plainly(from: &View<'_>, (width, height): (usize, usize)) -> Vec<f64> {
        let (down, across) = (from.height() as f64 / height as f64, from.width() as f64 / width as f64);
        let mut means = Vec::new();
        let covered = |at: usize, begin: f64, step: f64| {
            ((begin + step).min(at as f64 + 1.0) - begin.max(at as f64)).max(0.0)
        };
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            for channel in 0..from.channels() {
                let mut sum = 0.0;
                for row in 0..from.height() {
                    let share = covered(row, y as f64 * down, down);
                    if share > 0.0 {
                        for (column, pixel) in from.row(row).chunks_exact(from.channels()).enumerate() {
                            sum += share
                                * covered(column, x as f64 * across, across)
                                * f64::from(pixel[channel]);
                        }
                    }
                }
                means.push(sum / (down * across));
            }
        }
        means
    }

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut area = Area::default();
        for ((width, height), to) in [
            ((1, 1), (1, 1)),
            ((7, 5), (7, 5)),
            ((7, 5), (1, 1)),
            ((64, 48), (32, 16)),
            ((61, 47), (20, 13)),
            ((61, 47), (60, 1)),
            ((3, 90), (1, 41)),
            ((200, 9), (77, 4)),
            ((640, 31), (41, 2)),
        ] {
            for channels in [1, 3, 4] {
                let (row, stride) = (to.0 * channels, to.0 * channels + 5);
                let from_stride = width * channels + 3;
                let bytes: Vec<u8> = (0..from_stride * height).map(|_| random.u8(..)).collect();
                let from = View::new(&bytes, (width, height), channels, from_stride).unwrap();
                let mut make = || {
                    let mut made = vec![0xA5; stride * to.1];
                    area.shrink(&from, &mut ViewMut::new(&mut made, to, channels, stride).unwrap());
                    assert!(made.chunks(stride).all(|line| line[row..].iter().all(|&byte| byte == 0xA5)));
                    made.chunks(stride).flat_map(|line| line[..row].to_vec()).collect::<Vec<u8>>()
                };
                let made = make();
                assert_eq!(made, isa::portable(&mut make), "{width}x{height}x{channels}");
                for (found, mean) in made.iter().zip(plainly(&from, to)) {
                    assert!(
                        (f64::from(*found) - mean).abs() <= 0.501,
                        "{width}x{height} to {to:?}: {found} {mean}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_flat_picture_stays_what_it_is_and_halves_are_rounded_to_even() {
        let mut area = Area::default();
        let flat = vec![201u8; 100 * 70 * 3];
        let mut made = vec![0; 33 * 23 * 3];
        let view = View::new(&flat, (100, 70), 3, 300).unwrap();
        area.shrink(&view, &mut ViewMut::new(&mut made, (33, 23), 3, 99).unwrap());
        assert!(made.iter().all(|&level| level == 201));
        let mut two = [0u8; 2];
        let view = View::new(&[0, 1, 1, 2], (4, 1), 1, 4).unwrap();
        area.shrink(&view, &mut ViewMut::new(&mut two, (2, 1), 1, 2).unwrap());
        assert_eq!(two, [0, 2]);
    }
}
