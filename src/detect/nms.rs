//! Non-maximum suppression: of boxes around the same thing, keep the best.

use crate::detection::Detection;

/// The most boxes that are compared: more than this above the threshold is noise, and comparing is quadratic.
const MOST: usize = 3_000;

/// A removed box that overlaps a kept one, or a better removed one, by more than this says nothing of its own.
const SAME: f32 = 0.92;
/// The most removed boxes that are handed over.
const MOST_REMOVED: usize = 300;

/// Keeps, of boxes of one class that overlap by more than `iou`, the one with the highest score (greedy, per class).
///
/// The result is ordered by falling score; equal scores keep their order. Only the best 3,000 boxes are looked at.
pub fn suppress(detections: &mut Vec<Detection>, iou: f32) {
    part(detections, iou, |_, _| {});
}

/// The same, and puts into `removed` what was removed from score `least` on and is more than a copy of another box, at
/// most 300 of them, by falling score. Of two people of whom one hides the other, the hidden one is often only there.
pub fn suppress_into(detections: &mut Vec<Detection>, iou: f32, least: f32, removed: &mut Vec<Detection>) {
    removed.clear();
    part(detections, iou, |kept, candidate| {
        let copy = |d: &Detection| d.class == candidate.class && d.rect.iou(&candidate.rect) > SAME;
        if candidate.score >= least
            && removed.len() < MOST_REMOVED
            && !kept.iter().any(copy)
            && !removed.iter().any(copy)
        {
            removed.push(*candidate);
        }
    });
}

/// Leaves what is kept; calls `removed(kept so far, box)` for each box that is not.
fn part(detections: &mut Vec<Detection>, iou: f32, mut removed: impl FnMut(&[Detection], &Detection)) {
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    detections.truncate(MOST);
    let mut kept = 0;
    for next in 0..detections.len() {
        let candidate = detections[next];
        let covers = |d: &Detection| d.class == candidate.class && d.rect.iou(&candidate.rect) > iou;
        if detections[..kept].iter().any(covers) {
            removed(&detections[..kept], &candidate);
        } else {
            detections[kept] = candidate;
            kept += 1;
        }
    }
    detections.truncate(kept);
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

    proptest! {
        #[test]
        fn survivors_are_apart_and_the_dropped_lie_under_a_better_one(all in detections(), iou in 0.1f32..0.9) {
            let mut kept = all.clone();
            suppress(&mut kept, iou);
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
            let mut again = kept.clone();
            suppress(&mut again, iou);
            prop_assert_eq!(again, kept);
        }

        #[test]
        fn order_of_arrival_does_not_matter(mut all in detections()) {
            // Distinct scores, so that the order by score is the only one.
            for (i, detection) in all.iter_mut().enumerate() {
                detection.score = (i * 37 % 61) as f32 / 61.0;
            }
            let mut backwards: Vec<_> = all.iter().rev().copied().collect();
            suppress(&mut all, 0.5);
            suppress(&mut backwards, 0.5);
            prop_assert_eq!(all, backwards);
        }
    }
}
