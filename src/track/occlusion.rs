//! Occlusion from boxes alone: which share of a box is hidden by another one.
//!
//! On level ground, what is nearer to the camera ends lower in the picture; so of two boxes that overlap, the one with the
//! lower bottom edge hides the other. An occluded object is detected less reliably, and its track should yield to the one
//! in front when both could match a detection (the idea of occlusion-aware association in OA-SORT, 2026).

use super::sweep_and_prune::SweepAndPrune;
use crate::geometry::Rect;

/// An occluder's bottom edge is lower by at least this share of the hidden box's height.
const LOWER: f32 = 0.01;

/// Boxes that may hide others. The memory is kept from call to call.
#[derive(Debug, Default)]
pub(super) struct Occluders {
    rects: Vec<Rect>,
    sweep_and_prune: SweepAndPrune,
}

impl Occluders {
    /// Replaces the boxes that may hide others.
    pub(super) fn fill(&mut self, rects: impl Iterator<Item = Rect>) {
        self.rects.clear();
        self.rects.extend(rects);
        self.sweep_and_prune.fill(self.rects.iter());
    }

    /// The largest share of the area of `rect` that any single occluder in front of it covers, `0.0..=1.0`.
    pub(super) fn hidden_share(&self, rect: &Rect) -> f32 {
        let lower = rect.bottom() + LOWER * rect.height;
        self.sweep_and_prune
            .near(rect, 0.0)
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
        let mut occluders = Occluders::default();
        occluders.fill(others.iter().copied());
        occluders.hidden_share(rect)
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
