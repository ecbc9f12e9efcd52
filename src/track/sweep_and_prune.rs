//! Sweep-and-prune index: the boxes that can overlap a given one, without comparing all of them.
//!
//! The boxes are sorted by the x of their centres; only those within reach are visited (sweep and prune; Baraff 1992,
//! section 5). In a crowd of hundreds that saves nearly all comparisons.

use crate::geometry::Rect;

/// Boxes sorted by the x of their centres. The memory is kept from call to call.
#[derive(Debug, Default)]
pub(super) struct SweepAndPrune {
    /// x of the centre in pixels, and index.
    order: Vec<(f32, u32)>,
    widest: f32,
}

impl SweepAndPrune {
    /// Replaces the boxes; each is known by its place in this order.
    pub(super) fn fill<'a>(&mut self, rects: impl Iterator<Item = &'a Rect>) {
        self.order.clear();
        self.widest = 0.0;
        for (index, rect) in rects.enumerate() {
            self.order.push((rect.center().0, index as u32));
            self.widest = self.widest.max(rect.width);
        }
        self.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }

    /// The indices, from left to right, of all boxes whose horizontal extent overlaps that of `rect` when both are widened
    /// by `share` of their width on each side, and of some whose does not.
    pub(super) fn near(&self, rect: &Rect, share: f32) -> impl Iterator<Item = usize> + '_ {
        let center = rect.center().0;
        // A little more, for what rounding may take away.
        let reach = (0.5 + share) * (rect.width + self.widest) * 1.001;
        let first = self.order.partition_point(|(x, _)| *x < center - reach);
        let within = move |(x, _): &&(f32, u32)| *x <= center + reach;
        self.order[first..].iter().take_while(within).map(|(_, index)| *index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_that_overlaps_is_left_out(
            boxes in prop::collection::vec((-500f32..1500.0, 1f32..400.0), 0..40),
            (left, width) in (-500f32..1500.0, 1f32..400.0), share in 0f32..1.0
        ) {
            let boxes: Vec<Rect> = boxes.iter().map(|&(left, width)| Rect::new(left, 0.0, width, 10.0)).collect();
            let mut sweep_and_prune = SweepAndPrune::default();
            sweep_and_prune.fill(boxes.iter());
            let rect = Rect::new(left, 0.0, width, 10.0);
            let mut found: Vec<usize> = sweep_and_prune.near(&rect, share).collect();
            found.sort_unstable();
            for (index, other) in boxes.iter().enumerate() {
                if other.widened(share).overlaps(&rect.widened(share)) {
                    prop_assert!(found.binary_search(&index).is_ok());
                }
            }
            found.dedup();
            prop_assert!(found.iter().all(|index| *index < boxes.len()));
        }
    }

    #[test]
    fn what_is_far_is_not_looked_at() {
        let boxes: Vec<Rect> = (0..100).map(|i| Rect::new(20.0 * i as f32, 0.0, 10.0, 10.0)).collect();
        let mut sweep_and_prune = SweepAndPrune::default();
        sweep_and_prune.fill(boxes.iter());
        assert_eq!(sweep_and_prune.near(&boxes[50], 0.0).collect::<Vec<_>>(), [50]);
        assert_eq!(sweep_and_prune.near(&Rect::new(5000.0, 0.0, 10.0, 10.0), 0.5).count(), 0);
    }
}
