//! What a picture is like: its light, its colours, its noise. Of samples, so that it may be asked several times a second.

use crate::kernels::View;
use crate::kernels::luma::{Histogram, luma_of, rgb, sampled};

/// About so many pixels are sampled for light and colour.
const SAMPLES: usize = 30_000;
/// In about so many places it is asked how much of the picture counts.
const ASKED: f64 = 2_500.0;
/// About so many blocks are looked at for noise, and of fewer than the second nothing is told.
const BLOCKS: usize = 1_200;
const LEAST_BLOCKS: usize = 40;
/// A smaller share that counts is sampled as if it were this one.
const LEAST_SHARE: f64 = 1.0 / 16.0;
/// Nothing is told of fewer samples, unless there are no more pixels.
const LEAST_SAMPLES: usize = 256;
/// A block's side in pixels, without the pixel around it that is looked at, too.
const BLOCK: usize = 8;
/// The share of blocks, the calmest, that are taken to show nothing but noise.
const CALM: f64 = 0.1;
/// By how much the calmest tenth of blocks seems calmer than the noise is: so that pictures with noise of 10 and 20 levels
/// measure 10 and 19 in the middle.
const CALM_SEEMS: f64 = 0.84;
/// Samples at most this, or at least 255 less this, are extreme.
const EXTREME: i16 = 3;
/// An extreme sample has to differ by so much from its neighbours to be an outlier.
const OUTLIER_STEP: i16 = 48;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// How often each luma (BT.601) was seen.
    pub luma: Histogram,
    /// The mean luma, 0 to 255.
    pub mean: f64,
    /// Mean red, green and blue of pixels that are neither clipped nor very dark; `None`: there are too few.
    pub grey: Option<[f64; 3]>,
    /// The same of their brightest twentieth.
    pub white: Option<[f64; 3]>,
    /// The standard deviation of Gaussian noise in green, in grey levels.
    pub noise: f64,
    /// The part of `noise` that reaches the network, in grey levels: `noise × scale × 1.4` for a picture that is shrunk to
    /// `scale` (below 1) of its size on the way, since a mean of n × n pixels has an n-th of their noise (1.4 allows for
    /// interpolation); `noise` itself for any other.
    pub noise_seen: f64,
    /// The share of samples of green that stand out of their neighbours as white or black: of salt-and-pepper noise.
    pub outliers: f64,
}

impl Measure {
    /// Looks at an RGB view; of other than three channels the first one is taken for all.
    pub fn of(view: &View<'_>) -> Self {
        Self::within(view, |_, _| true)
    }

    /// The same where `counts`, asked with the column and the row of a pixel, is true. Where that is in next to no place,
    /// nothing is known: all is 0 or `None`.
    pub fn within(view: &View<'_>, counts: impl Fn(usize, usize) -> bool) -> Self {
        let pixels = view.width() * view.height();
        // Of a part that counts as many samples as of the whole, unless it is very small.
        let (mut asked, mut counted) = (0u32, 0u32);
        sampled(view, ((pixels as f64 / ASKED).sqrt() as usize).max(1), |(x, y), _| {
            asked += 1;
            counted += u32::from(counts(x, y));
        });
        let share = (f64::from(counted) / f64::from(asked.max(1))).max(LEAST_SHARE);
        let step = ((pixels as f64 * share / SAMPLES as f64).sqrt() as usize).max(1);
        let mut luma = Histogram::default();
        let mut colours = [[0u32; 4]; 64];
        sampled(view, step, |(x, y), pixel| {
            if !counts(x, y) {
                return;
            }
            let pixel = rgb(pixel);
            let level = luma_of(pixel);
            luma.add(level);
            let (least, most) = (pixel[0].min(pixel[1]).min(pixel[2]), pixel[0].max(pixel[1]).max(pixel[2]));
            let plain = u32::from(least >= 4 && (16..250).contains(&most));
            let [red, green, blue] = pixel.map(u32::from);
            let sums = &mut colours[usize::from(level / 4)];
            [plain, red * plain, green * plain, blue * plain]
                .iter()
                .zip(sums)
                .for_each(|(add, sum)| *sum += add);
        });
        let enough = luma.total() as usize >= LEAST_SAMPLES.min(pixels);
        let luma = if enough { luma } else { Histogram::default() };
        let (noise, outliers) = noise(view, share, counts);
        let counted: u32 = colours.iter().map(|sums| sums[0]).sum();
        let enough = enough && u64::from(counted) * 50 >= u64::from(luma.total());
        Self {
            mean: luma.mean(),
            grey: brightest(&colours, counted).filter(|_| enough),
            white: brightest(&colours, counted / 20).filter(|_| enough),
            noise,
            noise_seen: noise,
            outliers,
            luma,
        }
    }
}

/// The mean colour of at least so many of the brightest pixels.
fn brightest(colours: &[[u32; 4]; 64], wanted: u32) -> Option<[f64; 3]> {
    let mut sums = [0.0; 4];
    for bin in colours.iter().rev() {
        sums.iter_mut().zip(bin).for_each(|(sum, add)| *sum += f64::from(*add));
        if sums[0] >= f64::from(wanted.max(1)) {
            return Some([sums[1] / sums[0], sums[2] / sums[0], sums[3] / sums[0]]);
        }
    }
    None
}

/// Noise and outliers.
///
/// Noise as J. Immerkær, "Fast noise variance estimation" (Computer Vision and Image Understanding 64, 1996): the mean of
/// what a difference of two Laplacians leaves, which slopes and straight edges do not reach. Taken by blocks, of which
/// the calmest tenth counts, so that texture does not. Blocks at the ends of the range, where noise is cut, are left out.
/// `share`: how much of the picture counts, about.
fn noise(view: &View<'_>, share: f64, counts: impl Fn(usize, usize) -> bool) -> (f64, f64) {
    let (columns, rows) = (view.width().saturating_sub(2) / BLOCK, view.height().saturating_sub(2) / BLOCK);
    let blocks = columns * rows;
    let step = ((blocks as f64 * share / BLOCKS as f64) as usize).max(1);
    // A step that shares no factor with the width walks over all columns.
    let step = (step..step + 8).find(|step| gcd(*step, columns) == 1).unwrap_or(step);
    let mut found = Vec::with_capacity(blocks / step + 1);
    let (mut outliers, mut looked_at) = (0, 0);
    for block in (0..blocks).step_by(step) {
        let (x, y) = (block % columns * BLOCK, block / columns * BLOCK);
        let (right, bottom) = (x + BLOCK + 1, y + BLOCK + 1);
        if ![(x, y), (right, y), (x, bottom), (right, bottom)].iter().all(|&(x, y)| counts(x, y)) {
            continue;
        }
        let samples = block_at(view, x, y);
        outliers += count_outliers(&samples);
        looked_at += 1;
        let (mean, left) = laplacian(&samples);
        if (16.0..=239.0).contains(&mean) {
            found.push(left);
        }
    }
    if looked_at < LEAST_BLOCKS {
        return (0.0, 0.0);
    }
    let outliers = outliers as f64 / (looked_at * BLOCK * BLOCK) as f64;
    if found.len() < LEAST_BLOCKS {
        return (0.0, outliers);
    }
    let at = (found.len() as f64 * CALM) as usize;
    let (_, calm, _) = found.select_nth_unstable_by(at, f64::total_cmp);
    (*calm * (std::f64::consts::PI / 2.0).sqrt() / 6.0 / CALM_SEEMS, outliers)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A block of green with the pixels around it.
type Samples = [[i16; BLOCK + 2]; BLOCK + 2];

fn block_at(view: &View<'_>, x: usize, y: usize) -> Samples {
    let channels = view.channels();
    let green = channels / 2;
    let mut samples = [[0; BLOCK + 2]; BLOCK + 2];
    for (row, out) in (y..).zip(&mut samples) {
        let pixels = view.row(row).get(x * channels..).unwrap_or_default().chunks_exact(channels);
        pixels.zip(out).for_each(|(pixel, out)| *out = i16::from(pixel[green]));
    }
    samples
}

/// The mean of a block, and the mean of what the difference of Laplacians leaves.
fn laplacian(samples: &Samples) -> (f64, f64) {
    let (mut sum, mut left) = (0i32, 0i32);
    for y in 1..=BLOCK {
        let (above, here, below) = (&samples[y - 1], &samples[y], &samples[y + 1]);
        for x in 1..=BLOCK {
            let side = |row: &[i16; BLOCK + 2]| row[x - 1] - 2 * row[x] + row[x + 1];
            left += i32::from((side(above) - 2 * side(here) + side(below)).abs());
            sum += i32::from(here[x]);
        }
    }
    let area = (BLOCK * BLOCK) as f64;
    (f64::from(sum) / area, f64::from(left) / area)
}

/// How many samples are extreme and far from at least six of their eight neighbours.
fn count_outliers(samples: &Samples) -> usize {
    let mut outliers = 0;
    for y in 1..=BLOCK {
        for x in 1..=BLOCK {
            let here = samples[y][x];
            if (EXTREME + 1..255 - EXTREME).contains(&here) {
                continue;
            }
            let far = samples[y - 1..=y + 1].iter().flat_map(|row| &row[x - 1..=x + 1]);
            outliers += usize::from(far.filter(|other| (**other - here).abs() >= OUTLIER_STEP).count() >= 6);
        }
    }
    outliers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaussian(random: &mut fastrand::Rng) -> f64 {
        (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
    }

    fn noisy(sigma: f64, outliers: f64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(2);
        let mut bytes = Vec::new();
        for y in 0..300 {
            for x in 0..400 {
                // A slope, and a busy half.
                let base =
                    90.0 + f64::from(y) / 10.0 + if x > 200 { f64::from((x * 7 + y * 5) % 64) } else { 0.0 };
                let hit = random.f64() < outliers;
                let extreme = if random.bool() { 255 } else { 0 };
                for _ in 0..3 {
                    let level = (base + sigma * gaussian(&mut random)).round().clamp(0.0, 255.0) as u8;
                    bytes.push(if hit { extreme } else { level });
                }
            }
        }
        bytes
    }

    #[test]
    fn noise_is_found_beside_texture() {
        for sigma in [0.0, 5.0, 10.0, 20.0] {
            let bytes = noisy(sigma, 0.0);
            let found = Measure::of(&View::new(&bytes, (400, 300), 3, 1200).unwrap());
            assert!((found.noise - sigma).abs() < 0.5 + 0.12 * sigma, "{sigma}: {}", found.noise);
            assert!(found.outliers < 0.002, "{sigma}: {}", found.outliers);
        }
    }

    #[test]
    fn salt_and_pepper_is_counted() {
        for share in [0.02, 0.1] {
            let bytes = noisy(2.0, share);
            let found = Measure::of(&View::new(&bytes, (400, 300), 3, 1200).unwrap()).outliers;
            assert!((found / share - 0.95).abs() < 0.15, "{share}: {found}");
        }
    }

    #[test]
    fn what_does_not_count_is_not_measured() {
        // The right half is bright and busy.
        let bytes = noisy(3.0, 0.0);
        let bytes: Vec<u8> = bytes
            .chunks(1200)
            .flat_map(|row| {
                row.iter().enumerate().map(|(at, &level)| if at > 603 { 200 + level / 5 } else { level / 4 })
            })
            .collect();
        let view = View::new(&bytes, (400, 300), 3, 1200).unwrap();
        let (left, right) = (Measure::within(&view, |x, _| x <= 200), Measure::within(&view, |x, _| x > 210));
        assert!(
            left.mean < 40.0 && left.luma.share(243, 255) == 0.0 && right.mean > 200.0,
            "{left:?} {right:?}"
        );
        assert!(Measure::of(&view).mean > 100.0);
        // A small part is measured as well as all, and what is too small for that not at all.
        let part = Measure::within(&view, |x, y| (20..120).contains(&x) && (30..130).contains(&y));
        assert!((part.mean - left.mean).abs() < 6.0 && part.luma.total() >= 5_000, "{part:?}");
        let dot = Measure::within(&view, |x, y| (20..30).contains(&x) && (30..40).contains(&y));
        assert!(
            (dot.luma.total(), dot.noise, dot.outliers) == (0, 0.0, 0.0) && dot.grey.is_none(),
            "{dot:?}"
        );
        let nothing = Measure::within(&view, |_, _| false);
        assert!(
            (nothing.luma.total(), nothing.noise, nothing.outliers) == (0, 0.0, 0.0)
                && nothing.grey.is_none()
        );
    }

    #[test]
    fn any_size_goes() {
        let bytes = noisy(30.0, 0.1);
        for size in [(1, 1), (9, 1), (1, 17), (10, 10), (11, 9), (33, 20)] {
            for channels in [1, 3, 4] {
                let found = Measure::of(&View::new(&bytes, size, channels, 1200).unwrap());
                assert!(found.noise.is_finite() && found.outliers <= 1.0);
                assert!((0.0..=255.0).contains(&found.mean));
            }
        }
    }
}
