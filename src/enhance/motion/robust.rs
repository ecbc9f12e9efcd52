//! The one motion that most points agree on.

use crate::geometry::Affine;

/// A point in both pictures, in pixels from the picture's centre.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) before: (f32, f32),
    pub(super) now: (f32, f32),
}

/// Turn, scale and shift of points about the origin: `(a·x - b·y + x0, b·x + a·y + y0)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Similarity {
    pub(super) a: f32,
    pub(super) b: f32,
    pub(super) x: f32,
    pub(super) y: f32,
}

/// What was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) motion: Similarity,
    pub(super) inliers: usize,
    /// Pixels from where the motion puts an inlier to where it is, in the mean.
    pub(super) residual: f32,
    /// How far the inliers spread over the picture: 1 as far as evenly spread points, 0 all in one line or place.
    pub(super) spread: f32,
}

impl Similarity {
    /// A map of pixels, for a picture with this centre.
    pub(super) fn about(&self, (x, y): (f32, f32)) -> Affine {
        let Self { a, b, .. } = *self;
        // 1 - a is small: this way the shift does not suffer from the centre's size.
        let (gone_x, gone_y) = (self.x + (1.0 - a) * x + b * y, self.y - b * x + (1.0 - a) * y);
        Affine { matrix: [[a, -b, gone_x], [b, a, gone_y]] }
    }

    /// Where a point goes.
    pub(super) fn point(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (self.a * x - self.b * y + self.x, self.b * x + self.a * y + self.y)
    }

    /// Squared distance from where a pair is now to where it should be.
    pub(super) fn off(&self, pair: &Pair) -> f32 {
        let (x, y) = self.point(pair.before);
        let (dx, dy) = (x - pair.now.0, y - pair.now.1);
        dx * dx + dy * dy
    }

    fn through(first: &Pair, second: &Pair) -> Option<Self> {
        let (ux, uy) = (second.before.0 - first.before.0, second.before.1 - first.before.1);
        let (vx, vy) = (second.now.0 - first.now.0, second.now.1 - first.now.1);
        let length = ux * ux + uy * uy;
        if length <= 0.0 {
            return None;
        }
        let (a, b) = ((ux * vx + uy * vy) / length, (ux * vy - uy * vx) / length);
        let (x, y) = first.before;
        Some(Self { a, b, x: first.now.0 - (a * x - b * y), y: first.now.1 - (b * x + a * y) })
    }

    /// The least squares solution, in closed form (Umeyama 1991); `None` without two places that have weight.
    fn weighted(pairs: &[Pair], weight: impl Fn(&Pair) -> f32) -> Option<Self> {
        let mut total = 0f64;
        let (mut before, mut now) = ([0f64; 2], [0f64; 2]);
        let (mut dot, mut cross, mut square) = (0f64, 0f64, 0f64);
        for pair in pairs {
            let w = f64::from(weight(pair));
            let [x, y, u, v] = [pair.before.0, pair.before.1, pair.now.0, pair.now.1].map(f64::from);
            total += w;
            before = [before[0] + w * x, before[1] + w * y];
            now = [now[0] + w * u, now[1] + w * v];
            dot += w * (x * u + y * v);
            cross += w * (x * v - y * u);
            square += w * (x * x + y * y);
        }
        if total <= 0.0 {
            return None;
        }
        let ([x, y], [u, v]) = (before.map(|sum| sum / total), now.map(|sum| sum / total));
        let square = square / total - (x * x + y * y);
        if square <= 1e-6 {
            return None;
        }
        let (a, b) = ((dot / total - (x * u + y * v)) / square, (cross / total - (x * v - y * u)) / square);
        Some(Self {
            a: a as f32,
            b: b as f32,
            x: (u - (a * x - b * y)) as f32,
            y: (v - (b * x + a * y)) as f32,
        })
    }
}

/// Pairs tried for the seed, and rounds of the fit that begins at it.
const SEEDS: u32 = 120;
const ROUNDS: usize = 6;

/// Fits a similarity to pairs of which many may be wrong: a seed from two pairs that most agree with (RANSAC, Fischler &
/// Bolles 1981, with a cut-off squared distance for the score), then least squares over those that agree, weighted again
/// and again after Huber (1964). `tolerance`: pixels that a pair may be off at most; `size` of the picture. Same pairs,
/// same result.
pub(super) fn fit(pairs: &[Pair], tolerance: f32, size: (f32, f32), off: &mut Vec<f32>) -> Option<Fit> {
    let most = tolerance * tolerance;
    let mut state = 0x9E37_79B9u32;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        pairs.get(state as usize % pairs.len().max(1))
    };
    let mut best: Option<(f32, Similarity)> = None;
    for _ in 0..SEEDS {
        let (Some(first), Some(second)) = (draw(), draw()) else { return None };
        let Some(seed) = Similarity::through(first, second) else { continue };
        let score = pairs.iter().map(|pair| seed.off(pair).min(most)).sum();
        if best.is_none_or(|(least, _)| score < least) {
            best = Some((score, seed));
        }
    }
    refine(pairs, best?.1, tolerance, size, off)
}

/// The second half of [`fit`]: from a motion that is about right to the best one.
pub(super) fn refine(
    pairs: &[Pair],
    mut motion: Similarity,
    tolerance: f32,
    size: (f32, f32),
    off: &mut Vec<f32>,
) -> Option<Fit> {
    let most = tolerance * tolerance;
    let mut limit = most;
    for _ in 0..ROUNDS {
        // The bend of Huber's weights lies at 1.3 standard deviations, which the median tells; the cut at four.
        off.clear();
        off.extend(pairs.iter().map(|pair| motion.off(pair)).filter(|off| *off <= limit));
        let middle = off.len() / 2;
        if off.len() < 3 {
            return None;
        }
        // Of distances in the plane, the median is 1.18 standard deviations.
        let deviation =
            (off.select_nth_unstable_by(middle, f32::total_cmp).1.sqrt() / 1.18).max(tolerance / 30.0);
        let bend = 1.3 * deviation;
        limit = most.min(16.0 * deviation * deviation);
        motion = Similarity::weighted(pairs, |pair| {
            let off = motion.off(pair);
            if off > limit { 0.0 } else { bend / off.sqrt().max(bend) }
        })?;
    }
    let agree = || pairs.iter().filter(|pair| motion.off(pair) <= limit);
    let inliers = agree().count();
    if inliers < 3 {
        return None;
    }
    let share = 1.0 / inliers as f32;
    let residual = agree().map(|pair| motion.off(pair).sqrt()).sum::<f32>() * share;
    Some(Fit { motion, inliers, residual, spread: spread(agree().map(|pair| pair.before), size) })
}

/// The area of the ellipse of the points' standard deviations, as a share of that of evenly spread ones.
fn spread(points: impl Iterator<Item = (f32, f32)>, (width, height): (f32, f32)) -> f32 {
    let (mut count, mut mean, mut square, mut both) = (0f32, [0f32; 2], [0f32; 2], 0f32);
    for (x, y) in points {
        let (x, y) = (x / width, y / height);
        count += 1.0;
        mean = [mean[0] + x, mean[1] + y];
        square = [square[0] + x * x, square[1] + y * y];
        both += x * y;
    }
    let [x, y] = mean.map(|sum| sum / count);
    let (xx, yy, xy) = (square[0] / count - x * x, square[1] / count - y * y, both / count - x * y);
    ((xx * yy - xy * xy).max(0.0).sqrt() * 12.0).min(1.0)
}
