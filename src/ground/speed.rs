//! How fast something moves on the ground: a straight way at a constant speed, fitted to where it was in the last second or two,
//! over the real times.
//!
//! Readings are weighted by how many metres a pixel is where they were taken, so that what is fitted is the noise of boxes in
//! the picture, which is alike near and far. It is a weighted least-squares fit whose outliers lose their weight (Tukey's
//! biweight; Holland and Welsch 1977), with the noise across and down estimated from what is left over. Where the way bends, or
//! the speed changes, fewer readings are used, so that a turn or a stop is followed.

use std::collections::VecDeque;

use super::Place;
use super::algebra::solve;

/// Readings of the last so many seconds are used.
const LONGEST: f64 = 1.5;
/// At most so many.
const MOST: usize = 48;
/// A speed is told from so many readings on, over so many seconds.
const LEAST: usize = 6;
const SHORTEST: f64 = 0.4 - 1e-6;
/// Nobody knows what happened in a longer gap, in seconds: the readings before it are forgotten.
const LONGEST_GAP: f64 = 1.0;
/// A way is bent if the share of the residuals that a parabola takes up is more than that of chance: the square of so many
/// standard deviations, over both directions. Chance exceeds it in one of a thousand.
const BENT: f64 = 14.0;
/// Boxes are never sharper than this, in pixels.
const SHARPEST: f64 = 0.05;

/// Where something was, when.
#[derive(Debug, Clone, Copy)]
struct Reading {
    time: f64,
    at: [f64; 2],
    /// From metres to pixels: what a way misses the place by, in the picture.
    to_pixels: [[f64; 2]; 2],
}

/// Where something was lately.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    readings: VecDeque<Reading>,
}

/// How fast something moves on the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Velocity {
    /// Metres a second along X and Y.
    pub metres_per_second: [f64; 2],
    /// Half the interval that holds the true speed in nine of ten cases, in metres a second, as far as boxes err at random.
    pub error: f64,
}

impl Velocity {
    /// The speed in metres a second.
    pub fn speed(&self) -> f64 {
        libm::hypot(self.metres_per_second[0], self.metres_per_second[1])
    }

    /// The direction in degrees clockwise from Y, seen from above, with X to the right of Y: 0 along Y, 90 along X. `None`
    /// where it may as well stand still.
    pub fn heading(&self) -> Option<f64> {
        let [x, y] = self.metres_per_second;
        (self.speed() > self.error).then(|| libm::atan2(x, y).to_degrees().rem_euclid(360.0))
    }
}

impl Readings {
    /// Takes in where it is now; time in seconds, never before the last one.
    pub fn push(&mut self, time: f64, place: &Place) {
        let [[a, b], [c, d]] = place.per_pixel;
        let size = a * d - b * c;
        let to_pixels = [[d / size, -b / size], [-c / size, a / size]];
        if !to_pixels.iter().flatten().all(|value| value.is_finite()) {
            return;
        }
        if self.readings.back().is_some_and(|last| time - last.time > LONGEST_GAP || time < last.time) {
            self.readings.clear();
        }
        // At a high rate not every frame is needed: those between two that are kept are left out, but the newest stays.
        let close = LONGEST / MOST as f64;
        let count = self.readings.len();
        if count >= 2 && self.readings[count - 1].time - self.readings[count - 2].time < close {
            self.readings.pop_back();
        }
        self.readings.push_back(Reading { time, at: [place.x, place.y], to_pixels });
        // At a low rate fewer readings than are needed would be left.
        while self.readings.len() > LEAST
            && self.readings.front().is_some_and(|first| time - first.time > LONGEST)
        {
            self.readings.pop_front();
        }
    }

    /// Forgets all: what comes next does not follow on what was.
    pub fn clear(&mut self) {
        self.readings.clear();
    }

    /// How fast it moves; `None` in its first moments.
    pub fn velocity(&self) -> Option<Velocity> {
        let all: Vec<Reading> = self.readings.iter().copied().collect();
        let mut used = all.as_slice();
        loop {
            let (first, last) = (used.first()?, used.last()?);
            if used.len() < LEAST || last.time - first.time < SHORTEST {
                return None;
            }
            let way = Way::fit(used)?;
            let half = last.time - (last.time - first.time) * 0.5;
            let newer = &used[used.partition_point(|reading| reading.time < half)..];
            let enough = newer.len() >= LEAST && newer.last()?.time - newer.first()?.time >= SHORTEST;
            if !enough || !way.is_bent(used) {
                return Some(way.velocity);
            }
            used = newer;
        }
    }
}

/// A straight way at a constant speed.
struct Way {
    velocity: Velocity,
    /// What the readings miss it by, in pixels across and down.
    misses: Vec<[f64; 2]>,
    /// The standard deviation of that.
    noise: [f64; 2],
    /// Of the readings; 0 for those that are far off.
    weights: Vec<f64>,
}

impl Way {
    fn fit(readings: &[Reading]) -> Option<Self> {
        let count = readings.len() as f64;
        let middle = readings.iter().map(|reading| reading.time).sum::<f64>() / count;
        // Numbers near zero.
        let origin = readings.last()?.at;
        let (mut noise, mut weights) = ([1.0; 2], vec![1.0; readings.len()]);
        let mut misses = Vec::new();
        let mut velocity = Velocity { metres_per_second: [0.0; 2], error: 0.0 };
        for round in 0..4 {
            let (matrix, right) = equations(readings, &weights, noise, middle, origin);
            let [x, y, fast_x, fast_y] = solve(matrix, right, 0.0)?;
            misses = readings
                .iter()
                .map(|reading| {
                    let passed = reading.time - middle;
                    let off = [
                        reading.at[0] - origin[0] - x - fast_x * passed,
                        reading.at[1] - origin[1] - y - fast_y * passed,
                    ];
                    reading.to_pixels.map(|[a, b]| a * off[0] + b * off[1])
                })
                .collect();
            velocity.metres_per_second = [fast_x, fast_y];
            if round == 3 {
                // Whether along the way or across, the speed is what the velocity has along itself.
                let speed = velocity.speed();
                let along = if speed > 0.0 { [fast_x / speed, fast_y / speed] } else { [0.0, 1.0] };
                let solved = solve(matrix, [0.0, 0.0, along[0], along[1]], 0.0)?;
                let variance = along[0] * solved[2] + along[1] * solved[3];
                let kept = weights.iter().sum::<f64>();
                let freedom = (kept - 2.0).max(1.0);
                velocity.error = t_quantile(freedom) * (variance * dependence(&misses, noise)).sqrt();
                break;
            }
            noise = [0, 1].map(|axis| deviation(&misses, &weights, axis));
            if round < 2 {
                weights = outliers(&misses, noise);
                noise = [0, 1].map(|axis| deviation(&misses, &weights, axis));
            }
        }
        velocity.error.is_finite().then_some(Self { velocity, misses, noise, weights })
    }

    /// A parabola would fit better than chance has it.
    fn is_bent(&self, readings: &[Reading]) -> bool {
        let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return false };
        let (middle, half) = ((first.time + last.time) / 2.0, (last.time - first.time) / 2.0);
        // One box that is far off is no bend.
        let kept = readings.iter().zip(&self.misses).zip(&self.weights).filter(|(_, weight)| **weight > 0.0);
        let (squares, misses): (Vec<f64>, Vec<[f64; 2]>) =
            kept.map(|((reading, miss), _)| (((reading.time - middle) / half).powi(2), *miss)).unzip();
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        let total: f64 = squares.iter().map(|square| (square - mean).powi(2)).sum();
        let gain = |axis: usize| {
            let shared: f64 =
                squares.iter().zip(&misses).map(|(square, miss)| (square - mean) * miss[axis]).sum();
            shared * shared / (total * self.noise[axis] * self.noise[axis])
        };
        gain(0) + gain(1) > BENT
    }
}

/// The weighted normal equations for place and speed, both along X and Y.
fn equations(
    readings: &[Reading],
    weights: &[f64],
    noise: [f64; 2],
    middle: f64,
    origin: [f64; 2],
) -> ([[f64; 4]; 4], [f64; 4]) {
    let (mut matrix, mut right) = ([[0.0; 4]; 4], [0.0; 4]);
    for (reading, weight) in readings.iter().zip(weights) {
        let passed = reading.time - middle;
        let [[a, b], [c, d]] = reading.to_pixels;
        let (across, down) = (weight / (noise[0] * noise[0]), weight / (noise[1] * noise[1]));
        let [xx, xy, yy] =
            [across * a * a + down * c * c, across * a * b + down * c * d, across * b * b + down * d * d];
        let at = [reading.at[0] - origin[0], reading.at[1] - origin[1]];
        let pulled = [xx * at[0] + xy * at[1], xy * at[0] + yy * at[1]];
        let powers = [1.0, passed, passed * passed];
        for (row, moment) in [(0, 0), (2, 1)] {
            for (column, other) in [(0, 0), (2, 1)] {
                let power = powers[moment + other];
                matrix[row][column] += xx * power;
                matrix[row][column + 1] += xy * power;
                matrix[row + 1][column] += xy * power;
                matrix[row + 1][column + 1] += yy * power;
            }
            right[row] += pulled[0] * powers[moment];
            right[row + 1] += pulled[1] * powers[moment];
        }
    }
    (matrix, right)
}

/// The standard deviation of the noise along one direction of the picture, from what is left over by a fit of two numbers.
fn deviation(misses: &[[f64; 2]], weights: &[f64], axis: usize) -> f64 {
    let kept: f64 = weights.iter().sum();
    let squares: f64 =
        misses.iter().zip(weights).map(|(miss, weight)| weight * miss[axis] * miss[axis]).sum();
    (squares / (kept - 2.0).max(1.0)).sqrt().max(SHARPEST)
}

/// The weights of the next round: less for what is far off.
fn outliers(misses: &[[f64; 2]], noise: [f64; 2]) -> Vec<f64> {
    let mut distances: Vec<f64> =
        misses.iter().map(|miss| (miss[0] / noise[0]).powi(2) + (miss[1] / noise[1]).powi(2)).collect();
    let off = distances.clone();
    let middle = distances.len() / 2;
    let median = *distances.select_nth_unstable_by(middle, f64::total_cmp).1;
    // The median of a sum of two squares of normal numbers is 1.386; from 16 times that on nothing counts: four standard
    // deviations and more.
    let scale = (median / 1.386).max(1e-12);
    off.iter()
        .map(|distance| {
            let share = distance / (scale * 22.0);
            if share < 1.0 { (1.0 - share) * (1.0 - share) } else { 0.0 }
        })
        .collect()
}

/// By how much the variance of the speed is larger because neighbouring boxes err alike; 1 where they do not, as far as can be
/// told.
fn dependence(misses: &[[f64; 2]], noise: [f64; 2]) -> f64 {
    let scaled = |miss: &[f64; 2]| [miss[0] / noise[0], miss[1] / noise[1]];
    let (mut together, mut alone) = (0.0, 0.0);
    for pair in misses.windows(2) {
        let (a, b) = (scaled(&pair[0]), scaled(&pair[1]));
        together += a[0] * b[0] + a[1] * b[1];
        alone += (a[0] * a[0] + a[1] * a[1] + b[0] * b[0] + b[1] * b[1]) / 2.0;
    }
    let correlation = if alone > 0.0 { (together / alone).clamp(0.0, 0.8) } else { 0.0 };
    let by_chance = 2.0 / (2.0 * misses.len() as f64).sqrt();
    if correlation > by_chance { (1.0 + correlation) / (1.0 - correlation) } else { 1.0 }
}

/// Between minus and plus this many standard deviations lie nine of ten of Student's t distribution (Abramowitz and Stegun
/// 26.7.5).
fn t_quantile(freedom: f64) -> f64 {
    let z: f64 = 1.644_853_627;
    let (g1, g2) = ((z.powi(3) + z) / 4.0, (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0);
    let g3 = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + g1 / freedom + g2 / freedom.powi(2) + g3 / freedom.powi(3)
}
