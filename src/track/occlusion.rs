//! Who stands in front of whom.
//!
//! On level ground, what is nearer to the camera ends lower in the picture; so of two boxes that overlap, the lower one
//! hides the other. What is hidden is detected worse and has less of a claim on what is seen (the idea of
//! occlusion-aware association in OA-SORT, 2026).

use super::nearby::Nearby;
use crate::geometry::Rect;

/// The bottom edge must be lower by this share of the hidden box's height.
const LOWER: f32 = 0.01;

/// Boxes that may hide others. Its memory is kept.
#[derive(Debug, Default)]
pub(super) struct Screens {
    rects: Vec<Rect>,
    nearby: Nearby,
}

impl Screens {
    /// Takes in the boxes that may hide others.
    pub(super) fn fill(&mut self, rects: impl Iterator<Item = Rect>) {
        self.rects.clear();
        self.rects.extend(rects);
        self.nearby.fill(self.rects.iter());
    }

    /// The largest share of `rect` that any one of the boxes in front of it hides, `0.0..=1.0`.
    pub(super) fn hide(&self, rect: &Rect) -> f32 {
        let lower = rect.bottom() + LOWER * rect.height;
        self.nearby
            .around(rect, 0.0)
            .map(|index| &self.rects[index])
            .filter(|other| other.bottom() > lower && other.overlaps(rect))
            .map(|other| rect.share_in(other))
            .fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(rect: &Rect, others: &[Rect]) -> f32 {
        let mut screens = Screens::default();
        screens.fill(others.iter().copied());
        screens.hide(rect)
    }

    #[test]
    fn the_lower_box_hides_and_is_not_hidden() {
        let behind = Rect::new(100.0, 100.0, 40.0, 100.0);
        let before = Rect::new(120.0, 110.0, 40.0, 120.0);
        assert!((hidden(&behind, &[before]) - 0.5 * 0.9).abs() < 1e-6);
        assert_eq!(hidden(&before, &[behind]), 0.0);
        let far = Rect::new(300.0, 100.0, 40.0, 200.0);
        assert_eq!(hidden(&behind, &[far, behind]), 0.0, "nor by itself, nor by what is elsewhere");
        assert!(hidden(&behind, &[far, before, far]) > 0.4);
    }
}
