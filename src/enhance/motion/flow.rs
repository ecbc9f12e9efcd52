//! Where a point of one picture is in the next.

use super::pyramid::{Level, PAD, Pyramid};
use crate::kernels::isa::vectorised;

/// Samples from a window's middle to its edge.
pub(super) const RADIUS: usize = 7;
/// Samples a side of a window.
const SIDE: usize = 2 * RADIUS + 1;
/// A row of a window with one sample that has no weight: whole vectors.
const LANES: usize = 16;
/// A row to take gradients from: one sample more on each side, and again whole vectors.
const WIDE: usize = 24;
/// Steps at most on each level, and the step in samples below which it is close enough.
const STEPS: usize = 8;
const CLOSE: f32 = 0.01;
/// The smaller eigenvalue of a window's gradients from which on it shows where it is, in squared levels a sample.
const LEAST_TEXTURE: f32 = 0.3;
/// The variance left over in a window, as a share of its own, above which the match is none; and what noise leaves over
/// without doubt, in squared levels.
const MOST_LEFT: f32 = 0.1;
const NOISE: f32 = 4.0;

/// Weights of a window's samples across, and down: less to the edges, the last lane nothing.
const WEIGHTS: [f32; LANES] = {
    let mut weights = [0.0; LANES];
    let mut at = 0;
    while at < SIDE {
        let away = (at as f32 - RADIUS as f32) / (RADIUS + 1) as f32;
        weights[at] = 1.0 - away * away;
        at += 1;
    }
    weights
};

/// A window of the picture before, and its gradients less their mean, weighted.
struct Window {
    samples: [[f32; LANES]; SIDE],
    across: [[f32; LANES]; SIDE],
    down: [[f32; LANES]; SIDE],
    /// The inverse of the gradients' second moments.
    inverse: [f32; 3],
    /// Whether there is enough of them.
    textured: bool,
}

/// Follows a point at `(x, y)`, in source pixels of the first picture, to the second, by pyramidal Lucas-Kanade (Lucas &
/// Kanade 1981; Bouguet 2001, "Pyramidal implementation of the Lucas Kanade feature tracker"), with a change of brightness
/// solved for in each window. `guess` is how far it may have gone, in source pixels, which the finest `count` levels make
/// better. Gives how far it went; `None` where it is lost.
pub(super) fn follow(
    (before, now): (&Pyramid, &Pyramid),
    count: usize,
    (x, y): (f32, f32),
    guess: (f32, f32),
) -> Option<(f32, f32)> {
    let levels = before.levels().iter().zip(now.levels()).take(count).enumerate();
    let finest = before.factor as f32;
    let (mut dx, mut dy) = guess;
    let mut found = false;
    for (number, (before, now)) in levels.rev() {
        let scale = finest * (1u32 << number) as f32;
        let place = (x / scale - 0.5, y / scale - 0.5);
        let (gone_x, gone_y, sure) = step(before, now, place, (dx / scale, dy / scale), number == 0);
        (dx, dy) = (gone_x * scale, gone_y * scale);
        found = sure;
    }
    found.then_some((dx, dy))
}

vectorised! {
    /// One level: from a guess in samples to a better one, and whether it holds.
    fn step(before: &Level, now: &Level, place: (f32, f32), guess: (f32, f32), check: bool) -> (f32, f32, bool) {
        let window = look(before, place);
        if !window.textured {
            return (guess.0, guess.1, false);
        }
        let (mut dx, mut dy) = guess;
        // Coarse levels only need to come close.
        let close = if check { CLOSE } else { 4.0 * CLOSE };
        for _ in 0..STEPS {
            let (across, down) = slope(&window, now, (place.0 + dx, place.1 + dy));
            let [xx, yy, xy] = window.inverse;
            let (x, y) = (xx * across + xy * down, xy * across + yy * down);
            (dx, dy) = (dx - x, dy - y);
            if x * x + y * y < close * close {
                break;
            }
        }
        let reach = RADIUS as f32;
        let astray = !((dx - guess.0).abs() <= reach && (dy - guess.1).abs() <= reach);
        if astray {
            return (guess.0, guess.1, false);
        }
        let (x, y) = (place.0 + dx, place.1 + dy);
        let inside = x >= 4.0 && y >= 4.0 && x <= now.width as f32 - 5.0 && y <= now.height as f32 - 5.0;
        (dx, dy, !check || (inside && alike(&window, now, (x, y))))
    }
}

/// Where a window around a place begins, and the shares of the next sample across and down. A window that would leave the
/// level with its edges is put back inside.
#[inline(always)]
fn begin(level: &Level, place: (f32, f32), radius: usize, lanes: usize, rows: usize) -> (usize, f32, f32) {
    let begin = |place: f32, length: usize, extent: usize| {
        let at = place + (PAD - radius) as f32;
        let whole = (at.max(0.0) as usize).min((length + 2 * PAD).saturating_sub(extent + 1));
        (whole, (at - whole as f32).clamp(0.0, 1.0))
    };
    let (x, part_x) = begin(place.0, level.width, lanes);
    let (y, part_y) = begin(place.1, level.height, rows);
    (y * level.stride + x, part_x, part_y)
}

/// A row between samples, from the place `at` on.
#[inline(always)]
fn between<const N: usize>(level: &Level, at: usize, part: f32) -> [f32; N] {
    let samples = level.samples.get(at..at + N + 1).unwrap_or(&[0.0; WIDE + 1]);
    let mut row = [0.0; N];
    for (sample, (this, next)) in row.iter_mut().zip(samples.iter().zip(&samples[1..])) {
        *sample = this + part * (next - this);
    }
    row
}

/// Two rows to one between them.
#[inline(always)]
fn blend<const N: usize>(above: &[f32; N], below: &[f32; N], part: f32) -> [f32; N] {
    let mut row = [0.0; N];
    for (sample, (above, below)) in row.iter_mut().zip(above.iter().zip(below)) {
        *sample = above + part * (below - above);
    }
    row
}

#[inline(always)]
fn sum(lanes: &[f32; LANES]) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + 8]);
    let four: [f32; 4] = std::array::from_fn(|lane| eight[lane] + eight[lane + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The sum of all weights.
#[inline(always)]
fn weight() -> f32 {
    let across = sum(&WEIGHTS);
    across * across
}

#[expect(clippy::needless_range_loop, reason = "rows and lanes index several arrays at once")]
#[inline(always)]
fn look(level: &Level, place: (f32, f32)) -> Window {
    const ROWS: usize = SIDE + 2;
    let (at, part_x, part_y) = begin(level, place, RADIUS + 1, WIDE, ROWS);
    let mut rows = [[0f32; WIDE]; ROWS];
    let mut above = between::<WIDE>(level, at, part_x);
    for (number, row) in rows.iter_mut().enumerate() {
        let below = between(level, at + (number + 1) * level.stride, part_x);
        *row = blend(&above, &below, part_y);
        above = below;
    }
    let mut window = Window {
        samples: [[0.0; LANES]; SIDE],
        across: [[0.0; LANES]; SIDE],
        down: [[0.0; LANES]; SIDE],
        inverse: [0.0; 3],
        textured: false,
    };
    let (mut mean_x, mut mean_y) = ([0f32; LANES], [0f32; LANES]);
    for y in 0..SIDE {
        for lane in 0..LANES {
            let weight = WEIGHTS[y] * WEIGHTS[lane];
            let x = 0.5 * (rows[y + 1][lane + 2] - rows[y + 1][lane]);
            let down = 0.5 * (rows[y + 2][lane + 1] - rows[y][lane + 1]);
            window.samples[y][lane] = rows[y + 1][lane + 1];
            (window.across[y][lane], window.down[y][lane]) = (x, down);
            mean_x[lane] += weight * x;
            mean_y[lane] += weight * down;
        }
    }
    let (mean_x, mean_y) = (sum(&mean_x) / weight(), sum(&mean_y) / weight());
    let (mut xx, mut yy, mut xy) = ([0f32; LANES], [0f32; LANES], [0f32; LANES]);
    for y in 0..SIDE {
        for lane in 0..LANES {
            let weight = WEIGHTS[y] * WEIGHTS[lane];
            let (x, down) = (window.across[y][lane] - mean_x, window.down[y][lane] - mean_y);
            xx[lane] += weight * x * x;
            yy[lane] += weight * down * down;
            xy[lane] += weight * x * down;
            (window.across[y][lane], window.down[y][lane]) = (weight * x, weight * down);
        }
    }
    let (xx, yy, xy) = (sum(&xx), sum(&yy), sum(&xy));
    let half = 0.5 * (xx - yy);
    window.textured = 0.5 * (xx + yy) - (half * half + xy * xy).sqrt() > LEAST_TEXTURE * weight();
    let determinant = xx * yy - xy * xy;
    window.inverse = [yy / determinant, xx / determinant, -xy / determinant];
    window
}

/// How the difference to the window goes with a shift of it.
#[inline(always)]
fn slope(window: &Window, now: &Level, place: (f32, f32)) -> (f32, f32) {
    let (at, part_x, part_y) = begin(now, place, RADIUS, LANES, SIDE);
    let (mut across, mut down) = ([0f32; LANES], [0f32; LANES]);
    let mut above = between::<LANES>(now, at, part_x);
    for y in 0..SIDE {
        let below = between(now, at + (y + 1) * now.stride, part_x);
        let row = blend(&above, &below, part_y);
        for lane in 0..LANES {
            let difference = row[lane] - window.samples[y][lane];
            across[lane] += window.across[y][lane] * difference;
            down[lane] += window.down[y][lane] * difference;
        }
        above = below;
    }
    (sum(&across), sum(&down))
}

/// Whether what is at the place looks like the window, but for its brightness.
#[expect(clippy::needless_range_loop, reason = "rows and lanes index several arrays at once")]
#[inline(always)]
fn alike(window: &Window, now: &Level, place: (f32, f32)) -> bool {
    let (at, part_x, part_y) = begin(now, place, RADIUS, LANES, SIDE);
    // Sums and sums of squares, of the differences and of the window's own samples.
    let mut sums = [[0f32; LANES]; 4];
    let mut above = between::<LANES>(now, at, part_x);
    for y in 0..SIDE {
        let below = between(now, at + (y + 1) * now.stride, part_x);
        let row = blend(&above, &below, part_y);
        for lane in 0..LANES {
            let weight = WEIGHTS[y] * WEIGHTS[lane];
            let own = window.samples[y][lane] - 128.0;
            let difference = row[lane] - window.samples[y][lane];
            sums[0][lane] += weight * difference;
            sums[1][lane] += weight * difference * difference;
            sums[2][lane] += weight * own;
            sums[3][lane] += weight * own * own;
        }
        above = below;
    }
    let [difference, differences, own, owns] = sums.map(|lanes| sum(&lanes) / weight());
    differences - difference * difference <= MOST_LEFT * (owns - own * own) + NOISE
}
