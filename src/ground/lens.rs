//! One number of lens distortion: the division model (Fitzgibbon 2001, "Simultaneous linear estimation of multiple view
//! geometry and lens distortion").

/// `(x, y)`, relative to the picture's middle, in halves of its diagonal.
type Point = (f64, f64);

/// How far the lens bends straight edges. Points are relative to the picture's middle, in halves of its diagonal, so that the
/// corners are at the distance 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lens {
    /// Below zero: straight edges bulge outwards (barrel), as with wide lenses; above: inwards.
    pub(super) distortion: f64,
}

impl Lens {
    /// Where a point of the picture would be without the lens, and how that moves with the point (row by row); `None` where
    /// the model has no answer.
    pub(super) fn straighten(self, (x, y): (f64, f64)) -> Option<(Point, [[f64; 2]; 2])> {
        let divisor = 1.0 + self.distortion * (x * x + y * y);
        if divisor < 0.05 {
            return None;
        }
        let (own, both) = (1.0 / divisor, -2.0 * self.distortion / (divisor * divisor));
        let moves = [[own + both * x * x, both * x * y], [both * x * y, own + both * y * y]];
        Some(((x * own, y * own), moves))
    }

    /// Where a point is seen that would be here without the lens; `None` where it is seen nowhere.
    pub(super) fn bend(self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let root = 1.0 - 4.0 * self.distortion * (x * x + y * y);
        let share = 2.0 / (1.0 + (root >= 0.0).then(|| libm::sqrt(root))?);
        Some((x * share, y * share))
    }
}
