//! What a network tells of an object beside its box and its scores, mostly in columns of the table of boxes: an angle, points, a
//! mask.

use super::Masks;
use crate::detection::{Extra, Keypoint};
use crate::geometry::TurnedRect;

/// Which of it there is, and in which columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::detect) struct Behind {
    /// The angle by which the box is turned clockwise about its centre, in radians.
    pub(in crate::detect) angle: Option<usize>,
    /// Points of the object.
    pub(in crate::detect) points: Option<Points>,
    /// Its pixels.
    pub(in crate::detect) masks: Option<Masks>,
}

/// Points of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Points {
    /// The column of the first number.
    pub(in crate::detect) first: usize,
    /// How many points.
    pub(in crate::detect) count: usize,
    /// Numbers of each: x and y, or x, y and how sure it is.
    pub(in crate::detect) numbers: usize,
}

impl Behind {
    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The turned box of an object whose columns `at` tells, where there is one. `centre_size` is of the box before it is
    /// turned, in pixels of the network's input, as the result is.
    pub(super) fn turned(
        &self,
        [x, y, width, height]: [f32; 4],
        at: impl Fn(usize) -> f32,
    ) -> Option<TurnedRect> {
        self.angle.map(|column| TurnedRect { x, y, width, height, angle: at(column) })
    }

    /// All that is known of the object with this number, in pixels of the network's input.
    pub(super) fn extra(
        &self,
        object: usize,
        turned: Option<TurnedRect>,
        at: impl Fn(usize) -> f32,
    ) -> Extra {
        let keypoints = self.points.map(|points| points.read(&at)).unwrap_or_default();
        let mask_code = self.masks.map(|masks| masks.code(object, at)).unwrap_or_default();
        Extra { turned, keypoints, mask_code, ..Extra::default() }
    }
}

impl Points {
    fn read(self, at: impl Fn(usize) -> f32) -> Vec<Keypoint> {
        let point = |number: usize| {
            let first = self.first + number * self.numbers;
            let score = if self.numbers > 2 { at(first + 2) } else { 1.0 };
            Keypoint {
                x: at(first),
                y: at(first + 1),
                score: if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0) },
            }
        };
        (0..self.count).map(point).collect()
    }
}
