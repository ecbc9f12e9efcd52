//! Boxes as scoring knows them: in full precision, in the coordinates of the files.

use crate::geometry::Rect;

/// A box in pixels: x to the right, y down. Where the pixels are counted from does not matter to scoring, as long as
/// truth and results count alike.
///
/// Twice the precision of [`Rect`]: whether two boxes overlap by half is decided at the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Region {
    /// The left edge.
    pub left: f64,
    /// The top edge.
    pub top: f64,
    /// To the right edge.
    pub width: f64,
    /// To the bottom edge.
    pub height: f64,
}

impl Region {
    /// A box from its left and top edge and its size.
    pub const fn new(left: f64, top: f64, width: f64, height: f64) -> Self {
        Self { left, top, width, height }
    }
}

impl From<Rect> for Region {
    fn from(rect: Rect) -> Self {
        Self::new(rect.left.into(), rect.top.into(), rect.width.into(), rect.height.into())
    }
}

/// A box by its edges, with its area: what overlaps are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Corners {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    /// From the edges and not from the sides, as the reference does: the last digit may differ.
    area: f64,
}

impl From<Region> for Corners {
    fn from(region: Region) -> Self {
        let Region { left, top, width, height } = region;
        let (right, bottom) = (left + width, top + height);
        Self { left, top, right, bottom, area: (right - left) * (bottom - top) }
    }
}

impl Corners {
    /// The area that two boxes share; not above 0 where they do not touch.
    fn shared(&self, other: &Self) -> f64 {
        // Comparisons instead of `f64::min`, which would also look for NaN and be twice as slow.
        let lower = |a: f64, b: f64| if a < b { a } else { b };
        let upper = |a: f64, b: f64| if a > b { a } else { b };
        let width = lower(self.right, other.right) - upper(self.left, other.left);
        let height = lower(self.bottom, other.bottom) - upper(self.top, other.top);
        upper(width, 0.0) * upper(height, 0.0)
    }

    /// Intersection over union; `None` where nothing is shared, or a box has no area.
    pub(super) fn iou(&self, other: &Self) -> Option<f64> {
        let shared = self.shared(other);
        // Most boxes of a frame do not touch.
        if shared <= 0.0 {
            return None;
        }
        let union = self.area + other.area - shared;
        let sound = self.area > f64::EPSILON && other.area > f64::EPSILON && union > f64::EPSILON;
        let iou = shared / union;
        (sound && iou > 0.0).then_some(iou)
    }

    /// From the left edge to the right edge.
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From the middle of this box to that of the other.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let middle =
            |corners: &Self| [(corners.left + corners.right) / 2.0, (corners.top + corners.bottom) / 2.0];
        let ([x, y], [other_x, other_y]) = (middle(self), middle(other));
        libm::hypot(x - other_x, y - other_y)
    }

    /// From the top edge to the bottom edge.
    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Left, top, right and bottom edge.
    pub(super) fn edges(&self) -> [f64; 4] {
        [self.left, self.top, self.right, self.bottom]
    }

    /// The share of this box's area that lies in the other; none where it has no area.
    pub(super) fn lies_in(&self, other: &Self) -> f64 {
        if self.area > f64::EPSILON { self.shared(other) / self.area } else { 0.0 }
    }

    /// The share of this box's area that lies in the other.
    pub(super) fn share_in(&self, other: &Self) -> f64 {
        self.shared(other) / self.area.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners(left: f64, top: f64, width: f64, height: f64) -> Corners {
        Region::new(left, top, width, height).into()
    }

    #[test]
    fn overlaps_by_hand() {
        let a = corners(0.0, 0.0, 10.0, 10.0);
        assert_eq!(a.iou(&a), Some(1.0));
        assert_eq!(a.iou(&corners(5.0, 0.0, 10.0, 10.0)), Some(1.0 / 3.0));
        assert_eq!(a.iou(&corners(10.0, 0.0, 10.0, 10.0)), None);
        assert_eq!(a.share_in(&corners(-5.0, -5.0, 10.0, 10.0)), 0.25);
        assert_eq!(corners(2.0, 2.0, 2.0, 2.0).share_in(&a), 1.0);
    }

    #[test]
    fn what_is_no_box_overlaps_nothing() {
        let a = corners(0.0, 0.0, 10.0, 10.0);
        for odd in [
            corners(1.0, 1.0, 0.0, 5.0),
            corners(5.0, 5.0, -3.0, -3.0),
            corners(f64::NAN, 0.0, 5.0, 5.0),
            corners(0.0, 0.0, f64::INFINITY, 5.0),
            corners(0.0, 0.0, f64::MAX, f64::MAX),
        ] {
            assert_eq!((a.iou(&odd), odd.iou(&a)), (None, None), "{odd:?}");
        }
    }
}
