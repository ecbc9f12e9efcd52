//! The median of 3 × 3 and of 5 × 5 pixels, exact, with networks of minima and maxima: no histogram and no branch.
//!
//! Columns are sorted first, each once for all windows that it is in (J. L. Smith, "Implementing Median Filters in XC4000E
//! FPGAs", Xcell 23, 1996). What is left to find in a window with sorted columns needs far fewer comparisons.

use super::isa::vectorised;
use super::{View, ViewMut};

/// Medians, with the memory they work in.
#[derive(Debug, Clone, Default)]
pub struct Median {
    /// As many rows as a window has, sorted column by column, the smallest first, with the border's pixels at both ends.
    sorted: Vec<u8>,
}

impl Median {
    /// The median of the 3 × 3 samples of one channel around each of `from`, written to `to`, of the same size and channels.
    /// Pixels beyond the border count as the nearest within.
    pub fn three(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        self.apply::<1>(from, to);
    }

    /// As [`Self::three`], of 5 × 5.
    pub fn five(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        self.apply::<2>(from, to);
    }

    fn apply<const RADIUS: usize>(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        let (channels, height) = (from.channels(), from.height());
        let edge = RADIUS * channels;
        let row = from.width() * channels + 2 * edge;
        self.sorted.resize((2 * RADIUS + 1) * row, 0);
        for (y, out) in to.rows().enumerate().take(height) {
            let tap = |tap: usize| from.row((y + tap).saturating_sub(RADIUS));
            if RADIUS == 1 {
                sort_three(&std::array::from_fn(tap), edge, &mut self.sorted);
            } else {
                sort_five(&std::array::from_fn(tap), edge, &mut self.sorted);
            }
            self.sorted.chunks_exact_mut(row).for_each(|sorted| repeat_ends(sorted, channels, edge));
            if RADIUS == 1 {
                median_three(&self.sorted, channels, out);
            } else {
                median_five(&self.sorted, channels, out);
            }
        }
    }
}

/// Repeats the first and the last pixel of a row over the `edge` samples at both of its ends.
fn repeat_ends(row: &mut [u8], channels: usize, edge: usize) {
    let end = row.len() - edge;
    for at in (0..edge).step_by(channels) {
        row.copy_within(edge..edge + channels, at);
        row.copy_within(end - channels..end, end + at);
    }
}

/// Orders pairs of samples, one after the other: the smaller goes where the first number says.
macro_rules! order {
    ($samples:ident: $($low:literal $high:literal),*) => {
        $(($samples[$low], $samples[$high]) =
            ($samples[$low].min($samples[$high]), $samples[$low].max($samples[$high]));)*
    };
}

/// Rows of one length out of one buffer, without the samples at their ends.
#[inline(always)]
fn cut<const ROWS: usize>(sorted: &mut [u8], edge: usize) -> [&mut [u8]; ROWS] {
    let row = sorted.len() / ROWS;
    let mut rest = sorted;
    std::array::from_fn(|_| {
        let whole = rest.split_off_mut(..row).unwrap_or_default();
        whole.get_mut(edge..row - edge).unwrap_or_default()
    })
}

vectorised! {
    fn sort_three(rows: &[&[u8]; 3], edge: usize, sorted: &mut [u8]) {
        let [low, middle, high] = cut(sorted, edge);
        let count = low.len();
        let rows: [&[u8]; 3] = std::array::from_fn(|row| &rows[row][..count]);
        let (middle, high) = (&mut middle[..count], &mut high[..count]);
        for at in 0..count {
            let mut samples: [u8; 3] = std::array::from_fn(|row| rows[row][at]);
            order!(samples: 0 1, 1 2, 0 1);
            [low[at], middle[at], high[at]] = samples;
        }
    }
}

vectorised! {
    /// The median is that of three: of the largest minimum, the median of medians and the smallest maximum.
    fn median_three(sorted: &[u8], channels: usize, out: &mut [u8]) {
        let count = out.len().min((sorted.len() / 3).saturating_sub(2 * channels));
        let out = &mut out[..count];
        let windows: [&[u8]; 9] = std::array::from_fn(|at| {
            &sorted[at / 3 * (sorted.len() / 3) + at % 3 * channels..][..count]
        });
        for at in 0..count {
            let low = windows[0][at].max(windows[1][at]).max(windows[2][at]);
            let mut middle: [u8; 3] = std::array::from_fn(|column| windows[3 + column][at]);
            order!(middle: 0 1, 1 2, 0 1);
            let high = windows[6][at].min(windows[7][at]).min(windows[8][at]);
            let mut three = [low, middle[1], high];
            order!(three: 0 1, 1 2, 0 1);
            out[at] = three[1];
        }
    }
}

vectorised! {
    fn sort_five(rows: &[&[u8]; 5], edge: usize, sorted: &mut [u8]) {
        let [first, second, third, fourth, fifth] = cut(sorted, edge);
        let count = first.len();
        let rows: [&[u8]; 5] = std::array::from_fn(|row| &rows[row][..count]);
        let (second, third, fourth, fifth) =
            (&mut second[..count], &mut third[..count], &mut fourth[..count], &mut fifth[..count]);
        for at in 0..count {
            let mut samples: [u8; 5] = std::array::from_fn(|row| rows[row][at]);
            order!(samples: 0 1, 3 4, 2 4, 2 3, 1 4, 0 3, 0 2, 1 3, 1 2);
            [first[at], second[at], third[at], fourth[at], fifth[at]] = samples;
        }
    }
}

vectorised! {
    /// Samples 0 to 4 are the minima of the columns, and so on. With sorted columns, the three smallest minima cannot be the
    /// median, nor the two smallest of the next rank, and so on to the three largest maxima: thirteen are left. From those the
    /// smallest and the largest are left out, again and again. What the order of columns answers already is not asked.
    fn median_five(sorted: &[u8], channels: usize, out: &mut [u8]) {
        let count = out.len().min((sorted.len() / 5).saturating_sub(4 * channels));
        let out = &mut out[..count];
        let mut ranks = sorted.chunks_exact((sorted.len() / 5).max(1));
        let mut windows = || -> [&[u8]; 5] {
            let rank = ranks.next().unwrap_or_default();
            std::array::from_fn(|column| &rank[column * channels..column * channels + count])
        };
        let ([a, b, c, d, e], [f, g, h, i, j], [k, l, m, n, o]) = (windows(), windows(), windows());
        let ([p, q, r, s, t], [u, v, w, x, y]) = (windows(), windows());
        for at in 0..count {
            let mut samples = [
                a[at], b[at], c[at], d[at], e[at], f[at], g[at], h[at], i[at], j[at], k[at], l[at], m[at], n[at], o[at],
                p[at], q[at], r[at], s[at], t[at], u[at], v[at], w[at], x[at], y[at],
            ];
            order!(samples:
            0 4, 2 3, 0 2, 0 1, 3 1, 4 2, 3 4, 2 1, 2 4, 7 8, 6 9, 7 6, 7 5, 8 9, 6 5, 8 6, 13 14, 10 12,
            13 11, 13 10, 14 11, 11 12, 18 15, 19 16, 15 16, 16 17, 15 16, 18 19, 16 19, 23 22, 24 21,
            22 21, 21 20, 23 24, 21 22, 24 22, 21 24, 14 4, 23 1, 10 6, 10 23, 14 18, 10 14, 4 1, 6 16,
            1 16, 23 18, 4 6, 4 23, 4 14, 18 6, 1 9, 6 9, 11 14, 1 23, 11 1, 23 14, 14 6, 1 23, 14 15,
            14 18, 14 1, 18 23, 23 15, 21 18, 1 21, 18 23, 5 18, 5 21, 18 21
            );
            out[at] = samples[18];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SIZES, run};
    use super::*;

    #[test]
    fn medians_are_what_sorting_gives() {
        let mut median = Median::default();
        for (size, channels) in SIZES.iter().flat_map(|&size| [(size, 1), (size, 3)]) {
            for radius in [1, 2] {
                let (from, made) = run(size, channels, &mut |from, to| match radius {
                    1 => median.three(from, to),
                    _ => median.five(from, to),
                });
                let at = |x: isize, y: isize, channel: usize| {
                    let (x, y) = (x.clamp(0, size.0 as isize - 1), y.clamp(0, size.1 as isize - 1));
                    from[(y as usize * size.0 + x as usize) * channels + channel]
                };
                for (place, &made) in made.iter().enumerate() {
                    let (pixel, channel) = (place / channels, place % channels);
                    let (x, y) = ((pixel % size.0) as isize, (pixel / size.0) as isize);
                    let mut window: Vec<u8> = (-radius..=radius)
                        .flat_map(|down| (-radius..=radius).map(move |right| (right, down)))
                        .map(|(right, down)| at(x + right, y + down, channel))
                        .collect();
                    window.sort_unstable();
                    assert_eq!(made, window[window.len() / 2], "{size:?} {channels} {radius} {place}");
                }
            }
        }
    }

    #[test]
    fn pictures_that_do_not_fit_do_no_harm() {
        let from = [9; 20 * 10 * 3];
        let view = View::new(&from, (20, 10), 3, 60).unwrap();
        let mut to = [0; 30 * 15];
        Median::default().five(&view, &mut ViewMut::new(&mut to, (30, 15), 1, 30).unwrap());
        Median::default().five(&view, &mut ViewMut::new(&mut to, (5, 4), 3, 15).unwrap());
    }
}
