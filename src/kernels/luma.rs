//! Luma of a picture, a change of luma put back into its colours, and counts of its levels.

use super::isa::vectorised;
use super::{Plane, View, ViewMut};

/// Red, green and blue in luma, ITU-R BT.601, in 1/32768: they add up to 1.
const WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// The luma of one pixel, BT.601 with full range, to the nearest level.
#[inline(always)]
pub fn luma_of([r, g, b]: [u8; 3]) -> u8 {
    let [red, green, blue] = WEIGHTS;
    ((u32::from(r) * red + u32::from(g) * green + u32::from(b) * blue + (1 << 14)) >> 15) as u8
}

/// The luma of an RGB view: `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601) in fixed point with 15 fractional bits, to the
/// nearest level. The plane takes the view's size. Of a view with other than three channels the first one is taken.
pub fn luma(from: &View<'_>, to: &mut Plane) {
    to.resize(from.width(), from.height());
    let width = from.width();
    for (row, out) in from.rows().zip(to.bytes_mut().chunks_exact_mut(width)) {
        luma_row(row, from.channels(), out);
    }
}

/// [`luma`] of one row.
pub(super) fn luma_row(row: &[u8], channels: usize, out: &mut [u8]) {
    if channels == 3 {
        rgb_row(row.as_chunks().0, out);
    } else {
        out.iter_mut().zip(row.chunks_exact(channels)).for_each(|(out, pixel)| *out = pixel[0]);
    }
}

vectorised! {
    fn rgb_row(row: &[[u8; 3]], out: &mut [u8]) {
        for (out, pixel) in out.iter_mut().zip(row) {
            *out = luma_of(*pixel);
        }
    }
}

/// Changes the luma of `from` by `after - before`: the difference is added to each channel, which ends at 0 and 255.
/// It is what going to YCrCb, changing Y and going back amounts to, without its rounding. All four have the same size;
/// where they do not, what all have is written. `from` and `to` have the same channels.
pub fn add_difference(from: &View<'_>, before: &Plane, after: &Plane, to: &mut ViewMut<'_>) {
    let channels = from.channels();
    if channels != to.channels() || before.bytes().is_empty() || after.bytes().is_empty() {
        return;
    }
    let lumas = before.bytes().chunks_exact(before.width()).zip(after.bytes().chunks_exact(after.width()));
    for ((from, to), (before, after)) in from.rows().zip(to.rows()).zip(lumas) {
        add_difference_row(from, channels, before, after, to);
    }
}

/// [`add_difference`] of one row.
pub(super) fn add_difference_row(from: &[u8], channels: usize, before: &[u8], after: &[u8], to: &mut [u8]) {
    if channels == 3 {
        return shift_row(from.as_chunks().0, before, after, to.as_chunks_mut().0);
    }
    let pixels = from.chunks_exact(channels).zip(to.chunks_exact_mut(channels));
    for ((from, to), (before, after)) in pixels.zip(before.iter().zip(after)) {
        for (from, to) in from.iter().zip(to) {
            *to = shifted(*from, *before, *after);
        }
    }
}

/// One of the two saturating steps does nothing, so the order is free.
#[inline(always)]
fn shifted(sample: u8, before: u8, after: u8) -> u8 {
    sample.saturating_add(after.saturating_sub(before)).saturating_sub(before.saturating_sub(after))
}

vectorised! {
    fn shift_row(from: &[[u8; 3]], before: &[u8], after: &[u8], to: &mut [[u8; 3]]) {
        for ((from, to), (before, after)) in from.iter().zip(to).zip(before.iter().zip(after)) {
            *to = [
                shifted(from[0], *before, *after),
                shifted(from[1], *before, *after),
                shifted(from[2], *before, *after),
            ];
        }
    }
}

/// How often each of 256 levels was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: [u32; 256],
    total: u32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; 256], total: 0 }
    }
}

impl Histogram {
    /// Counts one sample.
    #[inline(always)]
    pub fn add(&mut self, level: u8) {
        self.counts[usize::from(level)] += 1;
        self.total += 1;
    }

    /// How often each level was seen.
    pub fn counts(&self) -> &[u32; 256] {
        &self.counts
    }

    /// How many samples were counted.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// The mean level; 0 of nothing.
    pub fn mean(&self) -> f64 {
        let sum: u64 = (0u64..).zip(&self.counts).map(|(level, count)| level * u64::from(*count)).sum();
        sum as f64 / f64::from(self.total.max(1))
    }

    /// The level that the share `share` (0 to 1) of the samples does not exceed, as if those of a level were spread over
    /// `level ± 0.5`: it moves smoothly with the picture. 0 of nothing.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = share.clamp(0.0, 1.0) * f64::from(self.total);
        let mut seen = 0.0;
        for (level, count) in (0..=255).zip(self.counts.map(f64::from)) {
            if count > 0.0 && seen + count >= wanted {
                return (f64::from(level) - 0.5 + (wanted - seen) / count).clamp(0.0, 255.0);
            }
            seen += count;
        }
        0.0
    }

    /// The share of samples from `low` to `high`, both included; 0 of nothing.
    pub fn share(&self, low: u8, high: u8) -> f64 {
        let inside = self.counts.iter().skip(low.into()).take(usize::from(high.saturating_sub(low)) + 1);
        let count: u32 = if low <= high { inside.sum() } else { 0 };
        f64::from(count) / f64::from(self.total.max(1))
    }
}

/// Visits every `step`-th pixel of every `step`-th row, from the middle of the first `step`, with its column and its row; a
/// step of 0 stands for 1.
#[inline(always)]
pub(crate) fn sampled(view: &View<'_>, step: usize, mut visit: impl FnMut((usize, usize), &[u8])) {
    let (step, channels) = (step.max(1), view.channels());
    let first = |side: usize| (step / 2).min((side - 1) / 2);
    for y in (first(view.height())..view.height()).step_by(step) {
        let left = first(view.width());
        let row = view.row(y).get(left * channels..).unwrap_or_default();
        let pixels = row.chunks(channels.saturating_mul(step)).map(|pixels| &pixels[..channels]);
        (left..).step_by(step).zip(pixels).for_each(|(x, pixel)| visit((x, y), pixel));
    }
}

/// A pixel as RGB: the first channel three times where it has not three.
#[inline(always)]
pub(crate) fn rgb(pixel: &[u8]) -> [u8; 3] {
    <[u8; 3]>::try_from(pixel).unwrap_or([pixel[0]; 3])
}

#[cfg(test)]
mod tests {
    use super::super::isa::portable;
    use super::*;

    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| random.u8(..)).collect()
    }

    #[test]
    fn grey_stays_and_colours_weigh_as_they_should() {
        (0..=255).for_each(|level| assert_eq!(luma_of([level; 3]), level));
        assert_eq!([[255, 0, 0], [0, 255, 0], [0, 0, 255]].map(luma_of), [76, 150, 29]);
    }

    #[test]
    fn both_builds_agree_and_gaps_stay_untouched() {
        for (width, height) in [(1, 1), (9, 1), (1, 17), (33, 20), (100, 3)] {
            let stride = width * 3 + 5;
            let bytes = noise(stride * height, 3);
            let view = View::new(&bytes, (width, height), 3, stride).unwrap();
            let (mut before, mut same) = (Plane::default(), Plane::default());
            luma(&view, &mut before);
            portable(|| luma(&view, &mut same));
            assert_eq!(before, same);
            let mut after = Plane::filled(width, height, 0);
            after.bytes_mut().copy_from_slice(&noise(width * height, 4));
            let mut out = vec![77; stride * height];
            add_difference(
                &view,
                &before,
                &after,
                &mut ViewMut::new(&mut out, (width, height), 3, stride).unwrap(),
            );
            let mut again = vec![77; stride * height];
            let mut to = ViewMut::new(&mut again, (width, height), 3, stride).unwrap();
            portable(|| add_difference(&view, &before, &after, &mut to));
            assert_eq!(out, again);
            for (at, value) in out.iter().enumerate() {
                let (y, x) = (at / stride, at % stride / 3);
                let change = (x < width).then(|| y * width + x);
                let wanted = change.map(|pixel| {
                    let moved = i32::from(after.bytes()[pixel]) - i32::from(before.bytes()[pixel]);
                    (i32::from(bytes[at]) + moved).clamp(0, 255) as u8
                });
                assert_eq!(*value, wanted.unwrap_or(77), "{width}x{height} {at}");
            }
        }
    }

    #[test]
    fn histograms_count_what_they_sample() {
        let bytes = noise(61 * 47 * 3, 9);
        let view = View::new(&bytes, (61, 47), 3, 183).unwrap();
        let counted = |view: &View<'_>, step: usize| {
            let mut counted = Histogram::default();
            sampled(view, step, |(x, y), pixel| {
                assert_eq!(pixel, &view.row(y)[3 * x..3 * x + 3]);
                counted.add(luma_of(rgb(pixel)));
            });
            counted
        };
        let all = counted(&view, 1);
        assert_eq!(all.total(), 61 * 47);
        let mut plane = Plane::default();
        luma(&view, &mut plane);
        let mut sorted = plane.bytes().to_vec();
        sorted.sort_unstable();
        for share in [0.001, 0.25, 0.5, 1.0] {
            let exact = f64::from(sorted[((share * sorted.len() as f64) as usize).min(sorted.len() - 1)]);
            assert!((all.quantile(share) - exact).abs() <= 0.5, "{share}: {} {exact}", all.quantile(share));
        }
        let mean = sorted.iter().map(|level| f64::from(*level)).sum::<f64>() / sorted.len() as f64;
        assert!((all.mean() - mean).abs() < 1e-9);
        assert!((all.share(0, 255) - 1.0).abs() < 1e-12 && all.share(9, 8) == 0.0);
        for (size, step) in [((1, 1), 4), ((1, 47), 100), ((61, 1), 7), ((2, 2), 0)] {
            assert!(counted(&View::new(&bytes, size, 3, 183).unwrap(), step).total() > 0);
        }
        assert_eq!((Histogram::default().quantile(0.5), Histogram::default().mean()), (0.0, 0.0));
    }
}
