//! A separable Gaussian on 8-bit samples in 16-bit arithmetic, each kernel's weights being whole numbers of 1/256.

use super::isa::vectorised;
use super::{View, ViewMut};

/// The widest kernel reaches so many pixels to each side.
pub const MAX_RADIUS: usize = 8;

/// Weights of one side of the kernel in 1/256: `[0]` is the centre's, and centre + 2 × all others is 256.
type Weights = [u16; MAX_RADIUS + 1];

/// A Gaussian of one size, with the memory it works in.
///
/// Columns and then rows are weighted with weights in 1/256, and rounded to the nearest level each time: at most one level
/// from what rounding once would give. At the border the picture is mirrored without its edge repeated
/// (`gfedcb|abcdefgh|gfedcba`).
#[derive(Debug, Clone)]
pub struct Gaussian {
    radius: usize,
    weights: Weights,
    /// A row smoothed downwards, with the border's pixels at both ends.
    padded: Vec<u8>,
    /// Weighted sums, with 8 fractional bits.
    sums: Vec<u16>,
}

impl Gaussian {
    /// A standard deviation of `sigma` pixels. The kernel reaches three of them to each side (`6σ + 1` taps, rounded to
    /// an odd number), at least 1 pixel and at most [`MAX_RADIUS`]; what is not a positive number smooths nothing.
    pub fn new(sigma: f32) -> Self {
        let sigma = if sigma.is_finite() { sigma.clamp(0.0, 100.0) } else { 0.0 };
        let taps = (f64::from(sigma) * 6.0 + 1.0).round() as usize | 1;
        Self::sized(taps, sigma)
    }

    /// A kernel of `taps` × `taps` (odd, 3 to 17; others are taken for the nearest that is). A `sigma` of 0 stands for
    /// one that suits the size; that of 3 and 5 taps is the binomial one.
    pub fn with_taps(taps: usize, sigma: f32) -> Self {
        let radius = (taps / 2).clamp(1, MAX_RADIUS);
        let sigma = if sigma > 0.0 && sigma.is_finite() { f64::from(sigma) } else { 0.0 };
        let weights = match (radius, sigma > 0.0) {
            (1, false) => quantised(&[2.0, 1.0]),
            (2, false) => quantised(&[6.0, 4.0, 1.0]),
            (3, false) => quantised(&[18.0, 14.0, 7.0, 2.0]),
            _ => {
                let sigma = if sigma > 0.0 { sigma } else { 0.3 * (radius as f64 - 1.0) + 0.8 };
                let bell: Vec<f64> =
                    (0..=radius).map(|at| (-0.5 * (at as f64 / sigma).powi(2)).exp()).collect();
                quantised(&bell)
            }
        };
        Self { radius, weights, padded: Vec::new(), sums: Vec::new() }
    }

    fn sized(taps: usize, sigma: f32) -> Self {
        if sigma > 0.0 {
            return Self::with_taps(taps, sigma);
        }
        let mut nothing = Self::with_taps(3, 0.0);
        nothing.weights = quantised(&[1.0, 0.0]);
        nothing
    }

    /// How many pixels to each side the kernel reaches.
    pub fn radius(&self) -> usize {
        self.radius
    }

    /// Smooths `from` into `to`, of the same size and channels; of another, what both have is written.
    pub fn apply(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        let (radius, channels, height) = (self.radius, from.channels(), from.height());
        let (row, edge) = (from.width() * channels, radius * channels);
        self.padded.resize(row + 2 * edge, 0);
        self.sums.resize(row, 0);
        for (y, out) in to.rows().enumerate().take(height) {
            let tap = |at: usize| from.row(mirrored((y + at) as isize - radius as isize, height));
            weigh(tap, radius, &self.weights, &mut self.sums, &mut self.padded[edge..edge + row]);
            mirror(&mut self.padded, channels, radius);
            let tap = |at: usize| &self.padded[at * channels..at * channels + row];
            weigh(tap, radius, &self.weights, &mut self.sums, out);
        }
    }
}

/// One side of a kernel as 1/256 that sum to 256 over both sides: what rounding one weight leaves is handed on to the
/// next one inwards, and the centre takes the rest.
fn quantised(side: &[f64]) -> Weights {
    let sum = side[0] + 2.0 * side[1..].iter().sum::<f64>();
    let mut weights = [0; MAX_RADIUS + 1];
    let (mut left, mut taken) = (0.0, 0);
    for at in (1..side.len()).rev() {
        let exact = side[at] / sum * 256.0 + left;
        weights[at] = exact.round_ties_even().clamp(0.0, 128.0) as u16;
        left = exact - f64::from(weights[at]);
        taken += weights[at];
    }
    weights[0] = 256_u16.saturating_sub(2 * taken);
    weights
}

/// Which of `count` samples stands at `at` where they are mirrored without the edge repeated.
fn mirrored(at: isize, count: usize) -> usize {
    let last = count as isize - 1;
    if last <= 0 {
        return 0;
    }
    let folded = at.rem_euclid(2 * last);
    folded.min(2 * last - folded) as usize
}

/// Writes the `radius` mirrored pixels before and behind a row.
fn mirror(padded: &mut [u8], channels: usize, radius: usize) {
    let width = padded.len() / channels - 2 * radius;
    for past in 1..=radius {
        for (at, mirror) in [
            (radius - past, mirrored(-(past as isize), width)),
            (radius + width - 1 + past, mirrored((width - 1 + past) as isize, width)),
        ] {
            let mirror = (radius + mirror) * channels;
            padded.copy_within(mirror..mirror + channels, at * channels);
        }
    }
}

/// A pair of taps at the same distance from the centre.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The weighted sum of rows, two pairs at a time, as far as the kernel reaches. `sums` is memory to work in.
fn weigh<'a>(
    tap: impl Fn(usize) -> &'a [u8],
    radius: usize,
    weights: &Weights,
    sums: &mut [u16],
    out: &mut [u8],
) {
    let centre = tap(radius);
    // Of an odd number of pairs, the last is taken twice, with no weight.
    let pair = |side: usize| (tap(radius - side.min(radius)), tap(radius + side.min(radius)));
    let [zero, one, two, ..] = *weights;
    match radius {
        1 => return three(centre, pair(1), [zero, one], out),
        2 => return five(centre, pair(1), pair(2), [zero, one, two], out),
        _ => first(centre, pair(1), pair(2), [zero, one, two], sums),
    }
    let last = radius - (radius + 1) % 2;
    for side in (3..last).step_by(2) {
        more(pair(side), pair(side + 1), [weights[side], weights[side + 1]], sums);
    }
    let beyond = weights.get(last + 1).copied().unwrap_or(0);
    finish(sums, pair(last), pair(last + 1), [weights[last], beyond], out);
}

/// One pair of samples, weighted.
#[inline(always)]
fn both(a: u8, b: u8, weight: u16) -> u16 {
    weight * (u16::from(a) + u16::from(b))
}

/// The nearest level of a sum of at most 255 · 256.
#[inline(always)]
fn level(sum: u16) -> u8 {
    ((sum + 128) >> 8) as u8
}

vectorised! {
    fn three(centre: &[u8], pair: Pair<'_>, weights: [u16; 2], out: &mut [u8]) {
        for (((out, &centre), &a), &b) in out.iter_mut().zip(centre).zip(pair.0).zip(pair.1) {
            *out = level(weights[0] * u16::from(centre) + both(a, b, weights[1]));
        }
    }
}

vectorised! {
    fn five(centre: &[u8], near: Pair<'_>, far: Pair<'_>, weights: [u16; 3], out: &mut [u8]) {
        let count = out.len().min(centre.len());
        let (out, centre) = (&mut out[..count], &centre[..count]);
        let (a, b, c, d) = (&near.0[..count], &near.1[..count], &far.0[..count], &far.1[..count]);
        for at in 0..count {
            let near = both(a[at], b[at], weights[1]);
            out[at] = level(weights[0] * u16::from(centre[at]) + near + both(c[at], d[at], weights[2]));
        }
    }
}

vectorised! {
    fn first(centre: &[u8], near: Pair<'_>, far: Pair<'_>, weights: [u16; 3], sums: &mut [u16]) {
        let count = sums.len();
        let centre = &centre[..count];
        let (a, b, c, d) = (&near.0[..count], &near.1[..count], &far.0[..count], &far.1[..count]);
        for at in 0..count {
            let near = both(a[at], b[at], weights[1]);
            sums[at] = weights[0] * u16::from(centre[at]) + near + both(c[at], d[at], weights[2]);
        }
    }
}

vectorised! {
    fn more(near: Pair<'_>, far: Pair<'_>, weights: [u16; 2], sums: &mut [u16]) {
        let count = sums.len();
        let (a, b, c, d) = (&near.0[..count], &near.1[..count], &far.0[..count], &far.1[..count]);
        for at in 0..count {
            sums[at] += both(a[at], b[at], weights[0]) + both(c[at], d[at], weights[1]);
        }
    }
}

vectorised! {
    fn finish(sums: &[u16], near: Pair<'_>, far: Pair<'_>, weights: [u16; 2], out: &mut [u8]) {
        let count = out.len().min(sums.len());
        let (out, sums) = (&mut out[..count], &sums[..count]);
        let (a, b, c, d) = (&near.0[..count], &near.1[..count], &far.0[..count], &far.1[..count]);
        for at in 0..count {
            out[at] = level(sums[at] + both(a[at], b[at], weights[0]) + both(c[at], d[at], weights[1]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SIZES, run};
    use super::*;

    #[test]
    fn any_kernel_is_close_to_one_without_rounding() {
        for (size, channels) in SIZES.iter().flat_map(|&size| [(size, 1), (size, 3)]) {
            for mut kernel in [0.4, 0.8, 1.0, 1.7, 2.1, 2.6, 9.0].map(Gaussian::new) {
                let (from, made) = run(size, channels, &mut |from, to| kernel.apply(from, to));
                let radius = kernel.radius as isize;
                let weight = |at: isize| f64::from(kernel.weights[at.unsigned_abs()]) / 256.0;
                for (place, &made) in made.iter().enumerate() {
                    let (pixel, channel) = (place / channels, place % channels);
                    let (x, y) = ((pixel % size.0) as isize, (pixel / size.0) as isize);
                    let wanted: f64 = (-radius..=radius)
                        .flat_map(|down| (-radius..=radius).map(move |right| (right, down)))
                        .map(|(right, down)| {
                            let (x, y) = (mirrored(x + right, size.0), mirrored(y + down, size.1));
                            let sample = from[(y * size.0 + x) * channels + channel];
                            weight(right) * weight(down) * f64::from(sample)
                        })
                        .sum();
                    assert!((f64::from(made) - wanted).abs() <= 1.0, "{size:?} {channels} {radius} {place}");
                }
            }
        }
    }

    #[test]
    fn kernels_sum_to_one_and_what_is_no_sigma_changes_nothing() {
        for sigma in (0..120).map(|step| step as f32 / 10.0).chain([f32::NAN, f32::INFINITY, -1.0]) {
            let kernel = Gaussian::new(sigma);
            let sum = kernel.weights[0] + 2 * kernel.weights[1..].iter().sum::<u16>();
            assert_eq!(sum, 256, "{sigma}");
        }
        for sigma in [0.0, -1.0, f32::NAN] {
            let (from, made) = run((33, 20), 3, &mut |from, to| Gaussian::new(sigma).apply(from, to));
            assert_eq!(from, made);
        }
    }
}
