//! The motion of one box: a constant-velocity Kalman filter (Kalman 1960) in pixels and seconds.

use super::settings::TrackSettings;
use crate::geometry::{Affine, Rect};

/// One coordinate with its rate of change and their covariance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    position: f32,
    velocity: f32,
    /// Variance of the position, covariance, variance of the velocity.
    covariance: [f32; 3],
}

impl Axis {
    fn new(position: f32, position_deviation: f32, velocity_deviation: f32) -> Self {
        let covariance = [square(position_deviation), 0.0, square(velocity_deviation)];
        Self { position, velocity: 0.0, covariance }
    }

    /// Moves `dt` seconds on: the position wanders with variance `position_rate` a second, the velocity with
    /// `velocity_rate` (white-noise acceleration; Bar-Shalom et al. 2001, section 6.2).
    fn predict(&mut self, dt: f32, position_rate: f32, velocity_rate: f32) {
        let [pp, pv, vv] = self.covariance;
        self.position += self.velocity * dt;
        self.covariance = [
            pp + 2.0 * dt * pv + dt * dt * vv + position_rate * dt + velocity_rate * square(dt) * dt / 3.0,
            pv + dt * vv + velocity_rate * dt * dt / 2.0,
            vv + velocity_rate * dt,
        ];
    }

    /// The normalised innovation squared: the squared distance of a measured position with the given variance from the
    /// predicted one, over the variance expected of that distance.
    fn normalised_innovation_squared(&self, measured: f32, variance: f32) -> f32 {
        square(measured - self.position) / (self.covariance[0] + variance)
    }

    /// Corrects by a measured position with the given variance.
    fn update(&mut self, measured: f32, variance: f32) {
        let [pp, pv, vv] = self.covariance;
        let spread = pp + variance;
        let (position_gain, velocity_gain) = (pp / spread, pv / spread);
        let innovation = measured - self.position;
        self.position += position_gain * innovation;
        self.velocity += velocity_gain * innovation;
        self.covariance = [pp - position_gain * pp, pv - position_gain * pv, vv - velocity_gain * pv];
    }
}

/// The square; unlike `powi` and its like the same on every machine.
pub(super) fn square(value: f32) -> f32 {
    value * value
}

/// A box in motion: centre x, centre y, width and height, each with its velocity, filtered apart.
///
/// All noise is in proportion to the box, so that scaling the picture changes nothing: across to its width, down to
/// its height, as in BoT-SORT (Aharon et al. 2022, arXiv:2206.14651), but by the second instead of by the frame, so
/// that the filter is right at any and at a varying frame rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Motion {
    x: Axis,
    y: Axis,
    width: Axis,
    height: Axis,
}

/// The smallest side, in pixels, that noise is scaled by and that a predicted box can have.
const SMALLEST: f32 = 1.0;
/// No side is predicted to be less than this share of what it was.
const MOST_SHRINKING: f32 = 0.5;
/// The standard deviation of a new box's place is this many times that of a measured one.
const FIRST_NOISE_SCALE: f32 = 2.0;
/// Sizes change slower than places: the standard deviation of a new box's rate of size change, as a share of that of its
/// speed.
const SIZE_SPEED: f32 = 0.5;
/// The lowest factor that a score gives on the measurement variance.
const SUREST: f32 = 0.05;

/// The factor on the measurement variance of a detection: falls with its score (NSA Kalman filter; Du et al. 2021,
/// "GIAOTracker", arXiv:2202.11983).
pub(super) fn measurement_noise_scale(score: f32, settings: &TrackSettings) -> f32 {
    (1.0 - settings.score_trust * score).max(SUREST)
}

impl Motion {
    /// A box seen for the first time, at rest as far as is known.
    pub(super) fn new(rect: &Rect, settings: &TrackSettings) -> Self {
        let (x, y) = rect.center();
        // The noise of a detection with a middling score.
        let place =
            FIRST_NOISE_SCALE * settings.measurement_noise * measurement_noise_scale(0.8, settings).sqrt();
        let axis = |value, size: f32, speed: f32| {
            let size = size.max(SMALLEST);
            Axis::new(value, place * size, speed * size)
        };
        let speed = settings.start_speed;
        Self {
            x: axis(x, rect.width, speed),
            y: axis(y, rect.height, speed),
            width: axis(rect.width, rect.width, SIZE_SPEED * speed),
            height: axis(rect.height, rect.height, SIZE_SPEED * speed),
        }
    }

    /// Predicts the state `dt` seconds later, with the process noise's variance times `noise_scale`. `unseen`: the box keeps
    /// its size, since a trend in size does not hold for long.
    pub(super) fn predict(&mut self, dt: f32, unseen: bool, noise_scale: f32, settings: &TrackSettings) {
        if unseen {
            (self.width.velocity, self.height.velocity) = (0.0, 0.0);
        }
        let smallest = |size: &Axis| (MOST_SHRINKING * size.position).max(SMALLEST);
        let least = (smallest(&self.width), smallest(&self.height));
        let rates = |size: f32| {
            let size = size.max(SMALLEST);
            let rate = |noise: f32| noise_scale * square(noise * size);
            (rate(settings.position_noise), rate(settings.velocity_noise))
        };
        let (across, down) = (rates(self.width.position), rates(self.height.position));
        for (axis, (position_rate, velocity_rate)) in
            [(&mut self.x, across), (&mut self.width, across), (&mut self.y, down), (&mut self.height, down)]
        {
            axis.predict(dt, position_rate, velocity_rate);
        }
        // A trend is no reason to vanish.
        for (size, least) in [(&mut self.width, least.0), (&mut self.height, least.1)] {
            if size.position < least {
                (size.position, size.velocity) = (least, 0.0);
            }
        }
    }

    /// Corrects by a detected box, with the measurement noise's variance times `noise_scale`. Returns the normalised
    /// innovation squared (NIS) of the centre, the mean of both axes: 1 on average where the noise is set right.
    pub(super) fn update(&mut self, rect: &Rect, noise_scale: f32, settings: &TrackSettings) -> f32 {
        let (x, y) = rect.center();
        let variance = |size: f32| noise_scale * square(settings.measurement_noise * size.max(SMALLEST));
        let (across, down) = (variance(self.width.position), variance(self.height.position));
        let nis = (self.x.normalised_innovation_squared(x, across)
            + self.y.normalised_innovation_squared(y, down))
            / 2.0;
        self.x.update(x, across);
        self.y.update(y, down);
        self.width.update(rect.width, across);
        self.height.update(rect.height, down);
        self.width.position = self.width.position.max(SMALLEST);
        self.height.position = self.height.position.max(SMALLEST);
        nis
    }

    /// Moves the state into the current picture: the camera moved, not the object.
    pub(super) fn apply_camera_motion(&mut self, camera: &Affine) {
        (self.x.position, self.y.position) = camera.point(self.x.position, self.y.position);
        (self.x.velocity, self.y.velocity) = camera.direction(self.x.velocity, self.y.velocity);
        let (across, down) = camera.scale();
        for (axis, scale) in [(&mut self.width, across), (&mut self.height, down)] {
            axis.position *= scale;
            axis.velocity *= scale;
        }
        for (axis, scale) in
            [(&mut self.x, across), (&mut self.width, across), (&mut self.y, down), (&mut self.height, down)]
        {
            axis.covariance = axis.covariance.map(|value| value * square(scale));
        }
    }

    /// Where the box is thought to be.
    pub(super) fn rect(&self) -> Rect {
        Rect::from_center(self.x.position, self.y.position, self.width.position, self.height.position)
    }

    /// The standard deviation of the centre as a share of the box's sides, the mean of both axes.
    pub(super) fn spread(&self) -> f32 {
        let share =
            |axis: &Axis, size: &Axis| axis.covariance[0].max(0.0).sqrt() / size.position.max(SMALLEST);
        (share(&self.x, &self.width) + share(&self.y, &self.height)) / 2.0
    }

    /// Whether all its numbers are finite.
    pub(super) fn is_sound(&self) -> bool {
        let numbers = |axis: &Axis| [axis.position, axis.velocity, axis.covariance.iter().sum()];
        [self.x, self.y, self.width, self.height].iter().flat_map(numbers).all(f32::is_finite)
            && self.velocity().iter().all(|velocity| velocity.is_finite())
    }

    /// How fast left edge, top edge, width and height change, in pixels a second.
    pub(super) fn velocity(&self) -> [f32; 4] {
        let (width, height) = (self.width.velocity, self.height.velocity);
        [self.x.velocity - width / 2.0, self.y.velocity - height / 2.0, width, height]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SETTINGS: fn() -> TrackSettings = TrackSettings::default;

    /// The textbook filter with full matrices, in 64 bits: F x, F P Fᵀ + Q, and the Joseph form of the update.
    struct Reference {
        x: [f64; 2],
        p: [[f64; 2]; 2],
    }

    impl Reference {
        fn predict(&mut self, dt: f64, rp: f64, rv: f64) {
            let f = [[1.0, dt], [0.0, 1.0]];
            let q = [[rp * dt + rv * dt.powi(3) / 3.0, rv * dt * dt / 2.0], [rv * dt * dt / 2.0, rv * dt]];
            let mul = |a: [[f64; 2]; 2], b: [[f64; 2]; 2]| {
                let mut c = [[0.0; 2]; 2];
                for i in 0..2 {
                    for j in 0..2 {
                        c[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
                    }
                }
                c
            };
            let ft = [[1.0, 0.0], [dt, 1.0]];
            self.x = [self.x[0] + dt * self.x[1], self.x[1]];
            let p = mul(mul(f, self.p), ft);
            for i in 0..2 {
                for j in 0..2 {
                    self.p[i][j] = p[i][j] + q[i][j];
                }
            }
        }

        fn update(&mut self, z: f64, r: f64) {
            let s = self.p[0][0] + r;
            let k = [self.p[0][0] / s, self.p[1][0] / s];
            let e = z - self.x[0];
            self.x = [self.x[0] + k[0] * e, self.x[1] + k[1] * e];
            let a = [[1.0 - k[0], 0.0], [-k[1], 1.0]];
            let p = self.p;
            for i in 0..2 {
                for j in 0..2 {
                    self.p[i][j] = (0..2)
                        .flat_map(|m| (0..2).map(move |n| (m, n)))
                        .map(|(m, n)| a[i][m] * p[m][n] * a[j][n])
                        .sum::<f64>()
                        + k[i] * r * k[j];
                }
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(
            steps in prop::collection::vec((0.01f32..0.5, -50f32..50.0), 1..60), rp in 0.1f32..50.0, rv in 0.1f32..500.0
        ) {
            let mut axis = Axis::new(10.0, 3.0, 40.0);
            let mut reference = Reference { x: [10.0, 0.0], p: [[9.0, 0.0], [0.0, 1600.0]] };
            for (dt, measured) in steps {
                axis.predict(dt, rp, rv);
                axis.update(measured, 4.0);
                reference.predict(dt.into(), rp.into(), rv.into());
                reference.update(measured.into(), 4.0);
                prop_assert!((f64::from(axis.position) - reference.x[0]).abs() < 0.02);
                prop_assert!((f64::from(axis.velocity) - reference.x[1]).abs() < 0.2);
                prop_assert!(axis.covariance[0] > 0.0 && axis.covariance[2] > 0.0);
            }
        }

        #[test]
        fn predicting_in_steps_is_predicting_at_once(dt in 0.01f32..2.0, cut in 0.1f32..0.9, v in -100f32..100.0) {
            let mut once = Axis { velocity: v, ..Axis::new(5.0, 2.0, 30.0) };
            let mut twice = once;
            once.predict(dt, 7.0, 90.0);
            twice.predict(dt * cut, 7.0, 90.0);
            twice.predict(dt * (1.0 - cut), 7.0, 90.0);
            prop_assert!((once.position - twice.position).abs() < 1e-2);
            for (a, b) in once.covariance.iter().zip(twice.covariance) {
                prop_assert!((a - b).abs() <= 1e-3 * a.abs().max(1.0), "{a} {b}");
            }
        }
    }

    #[test]
    fn learns_a_steady_speed_at_any_frame_rate() {
        for fps in [5.0, 7.0, 30.0, 120.0] {
            let mut motion = Motion::new(&Rect::new(100.0, 100.0, 40.0, 80.0), &SETTINGS());
            for i in 1..(3.0 * fps) as i32 {
                let t = i as f32 / fps;
                motion.predict(1.0 / fps, false, 1.0, &SETTINGS());
                motion.update(&Rect::new(100.0 + 60.0 * t, 100.0 - 20.0 * t, 40.0, 80.0), 0.3, &SETTINGS());
            }
            let [left, top, width, height] = motion.velocity();
            assert!((left - 60.0).abs() < 2.0 && (top + 20.0).abs() < 2.0, "{fps} fps: {left} {top}");
            assert!(width.abs() < 1.0 && height.abs() < 1.0);
        }
    }

    #[test]
    fn measurement_noise_falls_with_the_score() {
        let settings = TrackSettings { score_trust: 0.9, ..SETTINGS() };
        for (score, expected) in [(0.0, 1.0), (0.5, 0.55), (1.0, 0.1)] {
            assert!((measurement_noise_scale(score, &settings) - expected).abs() < 1e-6, "{score}");
        }
        let trusting = TrackSettings { score_trust: 1.0, ..settings };
        assert_eq!(measurement_noise_scale(1.0, &trusting), SUREST, "no detection is without noise");
    }

    #[test]
    fn a_shrinking_box_never_turns_inside_out() {
        let mut motion = Motion::new(&Rect::new(0.0, 0.0, 100.0, 100.0), &SETTINGS());
        for size in [80.0, 60.0, 40.0, 20.0, 5.0] {
            motion.predict(0.1, false, 1.0, &SETTINGS());
            motion.update(&Rect::new(0.0, 0.0, size, size), 0.3, &SETTINGS());
        }
        for _ in 0..100 {
            motion.predict(0.1, false, 1.0, &SETTINGS());
            assert!(motion.rect().is_sound());
        }
    }
}
