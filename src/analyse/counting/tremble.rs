//! How much an object's place trembles because its box is found a little differently in each frame.
//!
//! Where three readings would lie on a straight and even way, the third differs from what the first two foretell. What is
//! random in each reading makes these differences alternate: their product with the one before is on average minus four
//! times the variance of a reading, and their square six times. A real change of the way has the same sign for a while: it
//! makes both larger. So the variance is told from the product, and is at least a fifth of what the square tells, for a mean over
//! few readings may be small by chance.

use super::plane::Spot;

/// A reading of which nothing is known yet is off by this share of the box's height.
const AT_FIRST: f32 = 0.05;
/// That counts as so many readings.
const AT_FIRST_READINGS: f32 = 2.0;
/// The mean is over about so many readings.
const MEMORY: f32 = 25.0;
/// The variance is at least this share of what the squares tell.
const LEAST: f32 = 0.2;
/// Three readings tell nothing where the time between the last two is longer by more than this than that before.
const LONGEST: f64 = 2.1;

/// The tremble of one point of a box.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tremble {
    before: Option<Spot>,
    last: Option<Spot>,
    /// By how much the last reading differed from what was foretold, as if the times between were even.
    off: (f32, f32),
    /// The variance of a reading across and down, as the products tell it, and as the squares do.
    variance: (f32, f32),
    most: (f32, f32),
    readings: f32,
}

impl Tremble {
    /// Takes in where the point is seen now.
    pub(super) fn take(&mut self, spot: Spot) {
        let (before, last) = (self.before, self.last.replace(spot));
        self.before = last;
        let (Some(before), Some(last)) = (before, last) else { return };
        let (then, now) = (last.time - before.time, spot.time - last.time);
        if then <= 0.0 || now <= 0.0 || now > LONGEST * then {
            return;
        }
        if self.readings == 0.0 {
            let first = (AT_FIRST * spot.height).powi(2);
            (self.variance, self.most) = ((first, first), (first, first));
            self.readings = AT_FIRST_READINGS;
        }
        let share = (now / then) as f32;
        // The standard deviation of the difference, in those of a reading; √6 where the times are even.
        let spread = (1.0 + (1.0 + share).powi(2) + share.powi(2)).sqrt();
        let off = |here: f32, last: f32, before: f32| {
            (here - last - share * (last - before)) * 6_f32.sqrt() / spread
        };
        let off = (
            off(spot.point.0, last.point.0, before.point.0),
            off(spot.point.1, last.point.1, before.point.1),
        );
        self.readings = (self.readings + 1.0).min(MEMORY);
        let mean = |mean: &mut f32, now: f32| *mean += (now - *mean) / self.readings;
        mean(&mut self.variance.0, -off.0 * self.off.0 / 4.0);
        mean(&mut self.variance.1, -off.1 * self.off.1 / 4.0);
        mean(&mut self.most.0, off.0 * off.0 / 6.0);
        mean(&mut self.most.1, off.1 * off.1 / 6.0);
        self.off = off;
    }

    /// The standard deviation of a reading in a direction (a vector of length 1), in pixels, for a box of this height.
    pub(super) fn along(&self, (x, y): (f32, f32), height: f32) -> f32 {
        if self.readings == 0.0 {
            return AT_FIRST * height;
        }
        let across = self.variance.0.max(LEAST * self.most.0);
        let down = self.variance.1.max(LEAST * self.most.1);
        (x * x * across + y * y * down).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found of a way with readings that are off by up to `noise` pixels.
    fn found(noise: f32, way: impl Fn(f32) -> f32) -> f32 {
        let mut random = fastrand::Rng::with_seed(4);
        let mut tremble = Tremble::default();
        for number in 0..400 {
            let time = number as f32 / 20.0;
            let y = way(time) + (random.f32() * 2.0 - 1.0) * noise;
            tremble.take(Spot { point: (0.0, y), height: 100.0, time: f64::from(time) });
        }
        tremble.along((0.0, 1.0), 100.0)
    }

    #[test]
    fn what_is_random_is_told_from_what_moves() {
        // Even readings within ±1 have a standard deviation of 0.58.
        let still = found(10.0, |_| 50.0);
        assert!((3.5..8.5).contains(&still), "{still}");
        let fast = found(10.0, |time| 200.0 * time);
        assert!((still - fast).abs() < 0.5, "{fast}");
        let swings = found(0.5, |time| 60.0 * (3.0 * time).sin());
        assert!(swings < 1.5, "{swings}");
    }

    #[test]
    fn before_much_is_known_it_is_taken_to_be_large() {
        let mut tremble = Tremble::default();
        assert_eq!(tremble.along((1.0, 0.0), 100.0), 5.0);
        for time in 0..4 {
            tremble.take(Spot { point: (time as f32, 0.0), height: 100.0, time: f64::from(time) });
        }
        assert!(tremble.along((1.0, 0.0), 100.0) > 2.0);
    }
}
