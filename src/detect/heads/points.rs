//! Points of an object in the columns behind its box.

use crate::detection::Keypoint;

/// Where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Points {
    /// The column of the first number.
    pub(in crate::detect) first: usize,
    /// How many points.
    pub(in crate::detect) count: usize,
    /// Numbers of each: x and y, or x, y and how sure it is.
    pub(in crate::detect) numbers: usize,
}

impl Points {
    /// Reads them, in pixels of the network's input.
    pub(super) fn read(self, at: impl Fn(usize) -> f32) -> Vec<Keypoint> {
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
