//! An average over time that gives way where something moves: video noise goes, and moving things do not smear.
//!
//! Each sample is followed as a Kalman filter of one constant value would (R. E. Kalman, 1960): the weight of the new
//! sample falls from 1/2 the longer the place is still, down to what the time step asks for. The mean difference over
//! 5 × 5 pixels and all channels tells motion, since noise cancels out in it; a single pixel far off tells it too.

use super::isa::vectorised;
use super::{View, ViewMut};

/// The average forgets within about so many seconds.
const MEMORY_SECONDS: f32 = 0.5;
/// Pixels a side of the window whose mean difference tells motion.
const SIDE: usize = 5;
const RADIUS: usize = SIDE / 2;
/// A mean difference of so many of its standard deviations begins to count as motion, ...
const MOVES: f32 = 3.5;
/// ... and with so many the new sample is taken as it is.
const MOVES_SURELY: f32 = 7.0;
/// A pixel of its own begins to count with so many of its.
const ALONE: f32 = 4.0;
/// 1 as a weight.
const ONE: i16 = 32_767;

/// What the loops work with.
#[derive(Debug, Clone, Copy)]
struct Tuning {
    /// The least weight of a new sample, of [`ONE`].
    least: i16,
    /// From which sum of differences over a window on the weight rises, over how much, and how fast.
    from: i16,
    over: i16,
    slope: i16,
    /// How often the difference of one pixel counts, against the sum over a window.
    alone: i16,
}

/// A running average of a video, with what it remembers: four bytes a sample.
#[derive(Debug, Clone, Default)]
pub struct Temporal {
    shape: (usize, usize, usize),
    /// The average, with 7 fractional bits.
    mean: Vec<i16>,
    /// Of how much weight the next sample is where nothing moves.
    gain: Vec<i16>,
    /// Differences of [`SIDE`] rows, all channels of a pixel in one.
    ring: Vec<i16>,
    /// Their sums over the rows, with [`RADIUS`] pixels more at each end.
    sums: Vec<i16>,
    /// How much a pixel of a row moves, as a weight, and the same for each of its channels.
    pixels: Vec<i16>,
    samples: Vec<i16>,
}

impl Temporal {
    /// Forgets all; the next picture is taken as it is.
    pub fn reset(&mut self) {
        self.shape = (0, 0, 0);
    }

    /// Blends `from` into the average and writes that to `to`, of the same size and channels, each channel for itself,
    /// rounded to the nearest level. `sigma` is the standard deviation of the noise in levels (1 to 100), `seconds` the time
    /// since the picture before. The first picture, and one of another size, begins anew. Pixels beyond the border count as
    /// the nearest within.
    pub fn apply(&mut self, from: &View<'_>, sigma: f32, seconds: f32, to: &mut ViewMut<'_>) {
        let shape = (from.width(), from.height(), from.channels());
        let row = shape.0 * shape.2;
        if self.shape != shape {
            self.shape = shape;
            self.mean.clear();
            self.mean.extend(from.rows().flatten().map(|&sample| i16::from(sample) << 7));
            self.gain.clear();
            self.gain.resize(row * shape.1, ONE / 2);
            self.ring.resize(SIDE * shape.0, 0);
            self.sums.resize(shape.0 + 2 * RADIUS, 0);
            self.pixels.resize(shape.0, 0);
            self.samples.resize(row, 0);
            from.rows().zip(to.rows()).for_each(|(from, to)| {
                from.iter().zip(to).for_each(|(&sample, to)| *to = sample);
            });
            return;
        }
        let tuning = Tuning::new(sigma, seconds, shape.2);
        let (width, height) = (shape.0, shape.1);
        let mut ready = 0;
        for (y, out) in to.rows().enumerate().take(height) {
            while ready < height.min(y + RADIUS + 1) {
                let (slot, at) = (ready % SIDE * width, ready * row);
                let (new, mean) = (from.row(ready), &self.mean[at..at + row]);
                differ(new, mean, shape.2, &mut self.ring[slot..slot + width]);
                ready += 1;
            }
            let slot = |y: usize| &self.ring[y % SIDE * width..][..width];
            let rows = std::array::from_fn(|tap| slot((y + tap).saturating_sub(RADIUS).min(height - 1)));
            add(&rows, &mut self.sums[RADIUS..RADIUS + width]);
            let (first, last) = (self.sums[RADIUS], self.sums[RADIUS + width - 1]);
            self.sums[..RADIUS].fill(first);
            self.sums[RADIUS + width..].fill(last);
            motion(&self.sums, slot(y), tuning, &mut self.pixels);
            let weights = if shape.2 == 1 {
                &self.pixels
            } else {
                spread(&self.pixels, shape.2, &mut self.samples);
                &self.samples
            };
            let place = y * row..(y + 1) * row;
            let (mean, gain) = (&mut self.mean[place.clone()], &mut self.gain[place]);
            blend(from.row(y), weights, tuning.least, mean, gain, out);
        }
    }
}

impl Tuning {
    fn new(sigma: f32, seconds: f32, channels: usize) -> Self {
        let sigma = if sigma.is_finite() { sigma.clamp(1.0, 100.0) } else { 1.0 };
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
        let least = (1.0 - (-seconds / MEMORY_SECONDS).exp()).clamp(1.0 / 16.0, 0.5);
        // Of more than three channels the first three tell.
        // Of a sum of so many samples with noise of their own.
        let deviation = sigma * ((SIDE * SIDE * channels.min(TOLD)) as f32).sqrt();
        let over = (deviation * (MOVES_SURELY - MOVES)).max(1.0) as i16;
        Self {
            least: (least * f32::from(ONE)) as i16,
            from: (deviation * MOVES) as i16,
            over,
            slope: ONE / over,
            alone: (SIDE as f32 * MOVES / ALONE).round() as i16,
        }
    }
}

/// So many channels of a pixel tell whether it moves: more would not fit the sums.
const TOLD: usize = 3;

vectorised! {
    /// How much brighter the new pixels are than the average, in levels, all channels that tell together.
    fn differ(row: &[u8], mean: &[i16], channels: usize, out: &mut [i16]) {
        let off = |new: u8, mean: i16| i16::from(new) - ((mean + 64) >> 7);
        match channels {
            1 => {
                for ((&new, &mean), out) in row.iter().zip(mean).zip(out) {
                    *out = off(new, mean);
                }
            }
            3 => {
                let pixels = row.as_chunks::<3>().0.iter().zip(mean.as_chunks::<3>().0);
                for ((new, mean), out) in pixels.zip(out) {
                    *out = off(new[0], mean[0]) + off(new[1], mean[1]) + off(new[2], mean[2]);
                }
            }
            _ => {
                let pixels = row.chunks_exact(channels).zip(mean.chunks_exact(channels));
                for ((new, mean), out) in pixels.zip(out) {
                    *out = new.iter().zip(mean).take(TOLD).map(|(&new, &mean)| off(new, mean)).sum();
                }
            }
        }
    }
}

vectorised! {
    fn add(rows: &[&[i16]; SIDE], out: &mut [i16]) {
        let count = out.len();
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|row: usize| &rows[row][..count]);
        for at in 0..count {
            out[at] = (a[at] + b[at]) + (c[at] + d[at]) + e[at];
        }
    }
}

vectorised! {
    /// How much weight a new pixel has because something moves there. `sums` has [`RADIUS`] pixels more at each end.
    fn motion(sums: &[i16], alone: &[i16], tuning: Tuning, out: &mut [i16]) {
        let count = out.len();
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|tap: usize| &sums[tap..tap + count]);
        let alone = &alone[..count];
        for at in 0..count {
            let around = ((a[at] + b[at]) + (c[at] + d[at]) + e[at]).abs();
            let off = around.max(alone[at].abs() * tuning.alone);
            let weight = (off - tuning.from).clamp(0, tuning.over) * tuning.slope;
            // A step of the full weight has to arrive, whatever the slope was rounded to.
            out[at] = if off >= tuning.from + tuning.over { ONE } else { weight };
        }
    }
}

vectorised! {
    /// Each value once for each channel.
    fn spread(pixels: &[i16], channels: usize, out: &mut [i16]) {
        if channels == 3 {
            for (out, &pixel) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                *out = [pixel; 3];
            }
        } else {
            out.chunks_exact_mut(channels).zip(pixels).for_each(|(out, &pixel)| out.fill(pixel));
        }
    }
}

/// Half the product of two numbers of which 2¹⁵ is 1, cut off: the upper half of 32 bits, for which there is an instruction.
#[inline(always)]
fn half_product(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

vectorised! {
    fn blend(row: &[u8], weights: &[i16], least: i16, mean: &mut [i16], gain: &mut [i16], out: &mut [u8]) {
        let count = out.len().min(row.len());
        let (row, weights, out) = (&row[..count], &weights[..count], &mut out[..count]);
        let (mean, gain) = (&mut mean[..count], &mut gain[..count]);
        for at in 0..count {
            let weight = gain[at].max(weights[at]);
            // What is cut off is made up for in the mean.
            let now = mean[at] + 2 * half_product((i16::from(row[at]) << 7) - mean[at], weight) + 1;
            mean[at] = now;
            // w → w / (1 + w), near enough.
            gain[at] = (weight - half_product(weight, weight)).max(least);
            out[at] = ((now + 64) >> 7).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa;
    use super::*;

    const SIZE: (usize, usize) = (64, 48);

    /// A grey picture with a bright square at `at`, if any, and noise of a standard deviation of about `sigma`.
    fn scene(random: &mut fastrand::Rng, sigma: f32, at: Option<(usize, usize)>) -> (Vec<u8>, Vec<u8>) {
        let clean: Vec<u8> = (0..SIZE.0 * SIZE.1)
            .map(|place| {
                let (x, y) = (place % SIZE.0, place / SIZE.0);
                let inside =
                    at.is_some_and(|(left, top)| x.wrapping_sub(left) < 12 && y.wrapping_sub(top) < 12);
                if inside { 190 } else { 90 }
            })
            .collect();
        // Twelve even numbers summed up have a standard deviation of 1.
        let mut noise = || (0..12).map(|_| random.f32()).sum::<f32>() - 6.0;
        let noisy = clean.iter().map(|&level| (f32::from(level) + sigma * noise()) as u8).collect();
        (clean, noisy)
    }

    fn step(temporal: &mut Temporal, picture: &[u8], sigma: f32, seconds: f32) -> Vec<u8> {
        let mut to = vec![0; picture.len()];
        let view = View::new(picture, SIZE, 1, SIZE.0).unwrap();
        temporal.apply(&view, sigma, seconds, &mut ViewMut::new(&mut to, SIZE, 1, SIZE.0).unwrap());
        to
    }

    fn error(made: &[u8], clean: &[u8]) -> f64 {
        let squares =
            made.iter().zip(clean).map(|(&made, &clean)| (f64::from(made) - f64::from(clean)).powi(2));
        squares.sum::<f64>() / clean.len() as f64
    }

    #[test]
    fn noise_goes_where_nothing_moves_at_any_frame_rate() {
        for (sigma, rate) in [(8.0, 30.0), (20.0, 30.0), (20.0, 10.0), (20.0, 60.0)] {
            let mut random = fastrand::Rng::with_seed(3);
            let mut temporal = Temporal::default();
            for number in 0..(rate * 0.8) as usize {
                let (clean, noisy) = scene(&mut random, sigma, Some((20, 20)));
                let made = step(&mut temporal, &noisy, sigma, 1.0 / rate);
                let gain = error(&noisy, &clean) / error(&made, &clean);
                if number == 0 {
                    assert_eq!(made, noisy);
                }
                if number as f32 >= rate * 0.6 {
                    assert!(gain > 4.0, "{sigma} {rate} {number}: {gain}");
                }
            }
        }
    }

    #[test]
    fn what_moves_leaves_no_ghost() {
        let sigma = 15.0;
        let mut random = fastrand::Rng::with_seed(5);
        let mut temporal = Temporal::default();
        for number in 0..10 {
            let (clean, noisy) = scene(&mut random, sigma, Some((2 + 4 * number, 18)));
            let made = step(&mut temporal, &noisy, sigma, 0.04);
            if number == 0 {
                continue;
            }
            // What the square has just left, and what it has just come over: noise is allowed, an offset is not.
            for left in [2 + 4 * (number - 1), 2 + 4 * number + 8] {
                let strip = |picture: &[u8]| -> f64 {
                    let rows = picture.chunks(SIZE.0).skip(19).take(10);
                    rows.map(|row| row[left..left + 4].iter().map(|&level| f64::from(level)).sum::<f64>())
                        .sum::<f64>()
                        / 40.0
                };
                let off = (strip(&made) - strip(&clean)).abs();
                assert!(off < 10.0, "{number} {left}: {off}");
            }
        }
    }

    #[test]
    fn another_size_and_a_reset_begin_anew() {
        let (mut random, mut temporal) = (fastrand::Rng::with_seed(1), Temporal::default());
        let (_, first) = scene(&mut random, 5.0, None);
        let (_, second) = scene(&mut random, 5.0, None);
        assert_eq!(step(&mut temporal, &first, 10.0, 0.04), first);
        assert_ne!(step(&mut temporal, &second, 10.0, 0.04), second);
        temporal.reset();
        assert_eq!(step(&mut temporal, &first, 10.0, 0.04), first);
        let view = View::new(&second, (16, 48), 3, 64).unwrap();
        let mut to = vec![0; 48 * 48];
        temporal.apply(&view, 10.0, 0.04, &mut ViewMut::new(&mut to, (16, 48), 3, 48).unwrap());
        assert!(view.rows().eq(to.chunks(48)));
    }

    #[test]
    fn any_size_and_setting_is_fine_with_avx2_and_without() {
        for ((width, height), channels) in [(1, 1), (1, 9), (17, 1), (2, 2), (33, 20), (61, 47)]
            .into_iter()
            .flat_map(|size| [(size, 1), (size, 3)])
        {
            let (row, stride) = (width * channels, width * channels + 5);
            let run = || {
                let mut random = fastrand::Rng::with_seed(9);
                let (mut temporal, mut to) = (Temporal::default(), vec![0xA5; stride * height]);
                for (sigma, seconds) in
                    [(20.0, 0.03), (20.0, 0.03), (1.0, 0.0), (1e9, -1.0), (f32::NAN, f32::NAN)]
                {
                    let from: Vec<u8> = (0..row * height).map(|_| random.u8(..)).collect();
                    let view = View::new(&from, (width, height), channels, row).unwrap();
                    let mut made = ViewMut::new(&mut to, (width, height), channels, stride).unwrap();
                    temporal.apply(&view, sigma, seconds, &mut made);
                }
                assert!(to.chunks(stride).all(|chunk| chunk[row..].iter().all(|&byte| byte == 0xA5)));
                to
            };
            assert_eq!(run(), isa::portable(run), "{width}x{height}x{channels}");
        }
    }
}
