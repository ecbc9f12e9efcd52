//! Which steps help: decided by what was measured, a few times a second.
//!
//! A step is switched on above one bound and off below a lower one, each only when that has held for a while, so that
//! nothing flickers at a bound; the first picture decides at once. What each step is worth on damaged and on clean
//! pictures, and why the others are not taken by themselves, is in `docs/enhance.md`.

use std::borrow::Cow;

use super::measure::Measure;

/// Noise that the network sees with a standard deviation above the first, in grey levels, is removed; below the second no
/// more. Of clean photographs one in fifty has a texture that measures 10.
const NOISE: (f64, f64) = (12.0, 9.0);
/// In the dark there is less texture to be taken for noise, and noise tells more: with a mean luma below the first it
/// counts so many times, above the second once.
const DARK: (f64, f64) = (50.0, 100.0);
const DARK_NOISE: f64 = 1.7;
/// From this share of white and black outliers on the median is taken; below the second no more. Of clean photographs
/// one in fifty has 0.4 %.
const OUTLIERS: (f64, f64) = (0.005, 0.0035);
/// Strong noise ends at black and white, too: with a standard deviation of 40 levels about this share of samples, seldom more.
const OUTLIERS_OF_NOISE: f64 = 0.03;
/// So long the other side of a bound has to be held, in seconds: to switch on, to switch off.
const PATIENCE: (f64, f64) = (0.5, 2.0);

/// A step that is on or off.
#[derive(Debug, Clone, Copy, Default)]
struct Switch {
    on: bool,
    /// For how long what is measured has asked for the opposite, in seconds.
    against: f64,
}

impl Switch {
    /// Takes in a value, so many seconds after the one before (`None`: it is the first), and gives whether it is on.
    fn update(&mut self, value: f64, (on, off): (f64, f64), passed: Option<f64>) -> bool {
        let wished = if self.on { value >= off } else { value >= on };
        let Some(passed) = passed else {
            *self = Self { on: value >= on, against: 0.0 };
            return self.on;
        };
        if wished == self.on {
            self.against = 0.0;
            return self.on;
        }
        self.against += passed;
        if self.against >= if self.on { PATIENCE.1 } else { PATIENCE.0 } {
            *self = Self { on: wished, against: 0.0 };
        }
        self.on
    }
}

/// What helps a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Help {
    /// Noise is to be removed: its standard deviation in grey levels.
    pub(super) noise: Option<f32>,
    /// Outliers are to be removed: their share.
    pub(super) outliers: Option<f32>,
}

impl Help {
    /// Why noise is removed, for people.
    pub(super) fn noisy(sigma: f32) -> Cow<'static, str> {
        format!("noise {sigma:.0}").into()
    }
}

/// What was decided, with what that depends on.
#[derive(Debug, Clone, Default)]
pub(super) struct Auto {
    noise: Switch,
    outliers: Switch,
    /// The noise, smoothed.
    sigma: f64,
}

impl Auto {
    /// Takes in a measurement, so many seconds after the one before; `None`: it is the first.
    pub(super) fn decide(&mut self, measure: &Measure, passed: Option<f64>) -> Help {
        let of_noise = OUTLIERS_OF_NOISE * (measure.noise / 40.0).powi(2);
        let outliers = self.outliers.update(measure.outliers - of_noise, OUTLIERS, passed);
        let dark = ((DARK.1 - measure.mean) / (DARK.1 - DARK.0)).clamp(0.0, 1.0);
        let counted = measure.noise_seen * (1.0 + (DARK_NOISE - 1.0) * dark);
        let noise = self.noise.update(counted, NOISE, passed);
        self.sigma = match passed {
            Some(passed) => self.sigma + (measure.noise_seen - self.sigma) * (1.0 - (-passed).exp()),
            None => measure.noise_seen,
        };
        Help {
            noise: noise.then_some(self.sigma as f32),
            outliers: outliers.then_some(measure.outliers as f32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_decides_at_once_and_later_ones_when_they_last() {
        let bounds = (10.0, 6.0);
        let mut switch = Switch::default();
        assert!(switch.update(11.0, bounds, None));
        // Between the bounds, and below for a short while, it stays on.
        assert!(switch.update(8.0, bounds, Some(5.0)));
        assert!(switch.update(2.0, bounds, Some(1.0)) && switch.update(7.0, bounds, Some(1.0)));
        assert!(switch.update(2.0, bounds, Some(1.5)));
        assert!(!switch.update(2.0, bounds, Some(0.6)));
        // Off it stays between the bounds and above for a moment.
        assert!(!switch.update(8.0, bounds, Some(9.0)) && !switch.update(12.0, bounds, Some(0.25)));
        assert!(switch.update(12.0, bounds, Some(0.25)));
        assert!(!switch.update(9.0, bounds, None), "a new beginning knows nothing of before");
    }

    #[test]
    fn a_value_that_swings_about_a_bound_switches_nothing() {
        let mut switch = Switch::default();
        switch.update(0.0, (10.0, 6.0), None);
        let switched =
            (0..100).filter(|i| switch.update(if i % 2 == 0 { 11.0 } else { 5.0 }, (10.0, 6.0), Some(0.25)));
        assert_eq!(switched.count(), 0);
    }
}
