//! The recent course of a box: a straight line through its last places and sizes, kept as sums, so that a frame costs
//! little and no frame is stored.

mod view;
mod weights;

use crate::geometry::{Affine, Rect};

pub(in crate::track) use view::{View, cues, log_odds};
pub(crate) use weights::CUES;
#[cfg(feature = "cli")]
pub(crate) use weights::{BIAS, WEIGHTS};

/// What is followed of a box: centre x, bottom edge, width, height, score.
const VALUES: usize = 5;
/// A slope is believed where the samples spread over more than this, in seconds; below, it is drawn towards none.
const LEAST_SPREAD: f32 = 0.1;

/// Weighted sums over samples, from which the least-squares line of each value follows. Times are relative to now.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::track) struct Course {
    weight: f32,
    time: f32,
    time_squared: f32,
    values: [f32; VALUES],
    /// Each value times its time.
    moments: [f32; VALUES],
    /// How many samples there were, and the ages of the first and the last one in seconds.
    count: u32,
    first: f32,
    last: f32,
}

impl Course {
    /// `dt` seconds pass; earlier samples keep this share of their weight.
    pub(in crate::track) fn advance(&mut self, dt: f32, kept: f32) {
        self.time_squared += dt * (dt * self.weight - 2.0 * self.time);
        self.time -= dt * self.weight;
        for (moment, value) in self.moments.iter_mut().zip(self.values) {
            *moment -= dt * value;
        }
        self.first += dt;
        self.last += dt;
        if kept < 1.0 {
            let sums = [&mut self.weight, &mut self.time, &mut self.time_squared];
            let sums = sums.into_iter().chain(&mut self.values).chain(&mut self.moments);
            sums.for_each(|sum| *sum *= kept);
        }
    }

    /// Adds a box that is detected now.
    pub(in crate::track) fn push(&mut self, rect: &Rect, score: f32) {
        let values = [rect.center().0, rect.bottom(), rect.width, rect.height, score];
        self.weight += 1.0;
        for (sum, value) in self.values.iter_mut().zip(values) {
            *sum += value;
        }
        if self.count == 0 {
            self.first = 0.0;
        }
        self.last = 0.0;
        self.count = self.count.saturating_add(1);
    }

    /// Moves all samples by the camera's motion.
    pub(in crate::track) fn apply_camera_motion(&mut self, camera: &Affine) {
        let [[a, b, c], [d, e, f]] = camera.matrix;
        let (across, down) = camera.scale();
        for (sums, weight) in [(&mut self.values, self.weight), (&mut self.moments, self.time)] {
            let [x, bottom, width, height, _] = sums;
            (*x, *bottom) = (a * *x + b * *bottom + c * weight, d * *x + e * *bottom + f * weight);
            *width *= across;
            *height *= down;
        }
    }

    /// How many samples there were.
    pub(in crate::track) fn count(&self) -> u32 {
        self.count
    }

    /// The box as it was at the last sample.
    pub(in crate::track) fn at_end(&self) -> Option<View> {
        self.at(-self.last)
    }

    /// The box as it was at the first sample.
    pub(in crate::track) fn at_begin(&self) -> Option<View> {
        self.at(-self.first)
    }

    /// The box at a time relative to now, in seconds; `None` where there were no samples, or they have lost their weight.
    fn at(&self, time: f32) -> Option<View> {
        if self.count == 0 || self.weight < f32::MIN_POSITIVE {
            return None;
        }
        let middle = self.time / self.weight;
        let spread = (self.time_squared / self.weight - middle * middle).max(0.0);
        let [x, bottom, width, height, score] = self.values.map(|sum| sum / self.weight);
        let slope = |index: usize, mean: f32| {
            (self.moments[index] / self.weight - middle * mean) / (spread + LEAST_SPREAD * LEAST_SPREAD)
        };
        let (speed, sinking, growth) = (slope(0, x), slope(1, bottom), slope(3, height));
        let view = View {
            x: x + speed * (time - middle),
            bottom: bottom + sinking * (time - middle),
            end_height: height + growth * (time - middle),
            width,
            height,
            speed,
            score,
        };
        view.is_sound().then_some(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box that moves and grows steadily.
    fn walker(t: f32) -> Rect {
        Rect::new(100.0 + 60.0 * t, 50.0, 40.0, 80.0 + 10.0 * t)
    }

    fn course(fps: f32, seconds: f32) -> Course {
        let mut course = Course::default();
        for frame in 0..=(seconds * fps) as i32 {
            if frame > 0 {
                course.advance(1.0 / fps, 1.0);
            }
            course.push(&walker(frame as f32 / fps), 0.8);
        }
        course
    }

    #[test]
    fn a_steady_course_is_a_line_at_any_frame_rate() {
        for fps in [5.0, 30.0, 60.0] {
            let course = course(fps, 2.0);
            let (begin, end) = (course.at_begin().unwrap(), course.at_end().unwrap());
            assert!((end.speed - 60.0).abs() < 3.0, "{fps}: {}", end.speed);
            assert!((end.bottom - 150.0).abs() < 1.0 && (begin.bottom - 130.0).abs() < 1.0, "{fps}: {end:?}");
            assert!((end.end_height - 100.0).abs() < 1.0 && (end.height - 90.0).abs() < 0.1);
            assert!((end.score - 0.8).abs() < 1e-5);
        }
    }

    #[test]
    fn few_samples_have_no_slope_to_speak_of() {
        let mut course = Course::default();
        assert_eq!(course.at_end(), None);
        course.push(&walker(0.0), 0.8);
        assert_eq!(course.at_end().unwrap().speed, 0.0);
        course.advance(0.01, 1.0);
        course.push(&walker(0.5), 0.8);
        let speed = course.at_end().unwrap().speed;
        assert!(speed.abs() < 30.0, "a leap within a hundredth of a second is no speed: {speed}");
    }

    #[test]
    fn it_moves_with_the_camera() {
        let (mut course, still) = (course(30.0, 1.0), course(30.0, 1.0));
        course.apply_camera_motion(&Affine::shift(-30.0, 12.0));
        let (moved, still) = (course.at_end().unwrap(), still.at_end().unwrap());
        assert!((moved.x - still.x + 30.0).abs() < 0.01 && (moved.bottom - still.bottom - 12.0).abs() < 0.01);
        assert!((moved.speed - still.speed).abs() < 0.01);
    }
}
