//! Non-maximum suppression: of boxes around the same thing, keep the best.

use crate::detection::{Detection, Detections};

/// The most boxes that are compared: more than this above the threshold is noise, and comparing is quadratic.
const MOST: usize = 3_000;

/// A removed box that overlaps a kept one, or a better removed one, by more than this says nothing of its own.
const SAME: f32 = 0.92;
/// The most removed boxes that are handed over.
const MOST_REMOVED: usize = 300;

/// Keeps, of boxes of one class that overlap by more than `iou`, the one with the highest score (greedy, per class).
///
/// The result is ordered by falling score; equal scores keep their order. Only the best 3,000 boxes are looked at.
///
/// Puts into `removed` what was removed from score `least` on and is more than a copy of another box, at most 300 of them, by
/// falling score. Of two people of whom one hides the other, the hidden one is often only there.
pub fn suppress(detections: &mut Detections, iou: f32, least: f32, removed: &mut Detections) {
    let mut rows = detections.by_falling_score();
    rows.truncate(MOST);
    let (mut kept_boxes, mut kept): (Vec<Detection>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut removed_boxes, mut removed_rows): (Vec<Detection>, Vec<usize>) = (Vec::new(), Vec::new());
    for row in rows {
        let candidate = detections[row];
        let over =
            |most: f32| move |d: &Detection| d.class == candidate.class && d.rect.iou(&candidate.rect) > most;
        if !kept_boxes.iter().any(over(iou)) {
            kept_boxes.push(candidate);
            kept.push(row);
        } else if candidate.score >= least
            && removed_boxes.len() < MOST_REMOVED
            && !kept_boxes.iter().chain(&removed_boxes).any(over(SAME))
        {
            removed_boxes.push(candidate);
            removed_rows.push(row);
        }
    }
    *removed = detections.select(&removed_rows);
    detections.pick(&kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use proptest::prelude::*;

    fn detections() -> impl Strategy<Value = Vec<Detection>> {
        let one = (0f32..100.0, 0f32..100.0, 1f32..60.0, 1f32..60.0, 0.01f32..1.0, 0u16..3);
        prop::collection::vec(one, 0..60).prop_map(|all| {
            all.into_iter()
                .map(|(left, top, w, h, score, class)| Detection {
                    rect: Rect::new(left, top, w, h),
                    score,
                    class,
                })
                .collect()
        })
    }

    /// What is kept, and what of the rest is handed over.
    fn suppressed(all: Vec<Detection>, iou: f32) -> (Vec<Detection>, Vec<Detection>) {
        let (mut kept, mut removed) = (Detections::from(all), Detections::default());
        suppress(&mut kept, iou, 0.3, &mut removed);
        (kept.into_boxes(), removed.into_boxes())
    }

    proptest! {
        #[test]
        fn survivors_are_apart_and_the_dropped_lie_under_a_better_one(all in detections(), iou in 0.1f32..0.9) {
            let (kept, removed) = suppressed(all.clone(), iou);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[i + 1..] {
                    prop_assert!(a.score >= b.score);
                    prop_assert!(a.class != b.class || a.rect.iou(&b.rect) <= iou);
                }
            }
            for dropped in all.iter().filter(|d| !kept.contains(d)) {
                let better = |k: &Detection| k.class == dropped.class && k.score >= dropped.score;
                let covered = kept.iter().any(|k| better(k) && k.rect.iou(&dropped.rect) > iou);
                prop_assert!(covered);
            }
            for (i, one) in removed.iter().enumerate() {
                let copy = |d: &Detection| d.class == one.class && d.rect.iou(&one.rect) > SAME;
                prop_assert!(one.score >= 0.3 && all.contains(one));
                prop_assert!(!kept.iter().chain(&removed[..i]).any(copy));
            }
            prop_assert_eq!(suppressed(kept.clone(), iou), (kept, vec![]));
        }

        #[test]
        fn order_of_arrival_does_not_matter(mut all in detections()) {
            // Distinct scores, so that the order by score is the only one.
            for (i, detection) in all.iter_mut().enumerate() {
                detection.score = (i * 37 % 61) as f32 / 61.0;
            }
            let backwards: Vec<_> = all.iter().rev().copied().collect();
            prop_assert_eq!(suppressed(all, 0.5), suppressed(backwards, 0.5));
        }
    }
}
