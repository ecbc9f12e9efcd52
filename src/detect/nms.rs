//! Non-maximum suppression: of boxes around the same thing, keep the best, and have the others vote on where it is.

use crate::detection::{Detection, Detections, SUPPRESSED_SCORE};
use crate::geometry::{Rect, Spread};
use crate::kind::Kinds;

/// The most boxes that are compared: more than this above the threshold is noise, and comparing is quadratic.
const MOST: usize = 3_000;

/// A removed box that overlaps a kept one, or a better removed one, by more than this says nothing of its own.
const SAME: f32 = 0.92;
/// The most removed boxes that are handed over.
const MOST_REMOVED: usize = 300;
/// Boxes vote on the place of a kept one from this overlap (IoU) on.
const VOTER_IOU: f32 = 0.5;

/// Keeps, of boxes of one class that overlap by more than `iou`, the one with the highest score (greedy). With `kinds`, classes
/// that are mistaken for one another count as one, and what is kept then lies where the boxes around it say, on average (box
/// voting; Gidaris and Komodakis 2015, arXiv:1505.01749).
///
/// Turned boxes are compared as their makers do it (Ultralytics): by their ProbIoU, which must be at least `iou`; a better box
/// removes a weaker one even where it is removed itself; and no box votes on how another lies.
///
/// The result is ordered by falling score; equal scores keep their order. Only the best 3,000 boxes are looked at.
///
/// Puts into `removed` what was removed with a score from [`SUPPRESSED_SCORE`] on and is more than a copy of another box, at
/// most 300 of them, by falling score. Of two people of whom one hides the other, the hidden one is often only there.
pub fn suppress(detections: &mut Detections, iou: f32, kinds: Option<&Kinds>, removed: &mut Detections) {
    let mut rows = detections.by_falling_score();
    rows.truncate(MOST);
    let spreads = spreads(detections, &rows);
    let picked = pick(detections, &rows, &spreads, iou, kinds.unwrap_or(&Kinds::default()));
    let voted = kinds.filter(|_| spreads.is_empty()).map(|kinds| {
        let voters = || rows.iter().map(|&row| &detections[row]);
        picked.kept.iter().map(|&row| vote(&detections[row], voters(), kinds)).collect::<Vec<_>>()
    });
    *removed = detections.select(&picked.removed);
    detections.pick(&picked.kept);
    let mut voted = voted.into_iter().flatten();
    detections.retain_mut(|detection| {
        detection.rect = voted.next().unwrap_or(detection.rect);
        true
    });
}

/// Suppresses, where that is to be done, and leaves out what is too weak: what is left is ordered by falling score. What is
/// removed goes to `removed`.
pub(super) fn settle(
    found: &mut Detections,
    nms: bool,
    (iou, confidence): (f32, f32),
    kinds: Option<&Kinds>,
    removed: &mut Detections,
) {
    if nms {
        suppress(found, iou, kinds, removed);
    } else {
        found.pick(&found.by_falling_score());
        removed.clear();
    }
    found.retain(|detection| detection.score >= confidence);
    removed.retain(|detection| detection.score >= confidence);
}

/// Numbers of detections, by falling score.
#[derive(Debug, Default)]
struct Picked {
    kept: Vec<usize>,
    removed: Vec<usize>,
}

/// How each of the detections lies, by their numbers; nothing where none is turned.
fn spreads(detections: &Detections, rows: &[usize]) -> Vec<Option<Spread>> {
    let turned = |row: usize| detections.extra(row).and_then(|extra| extra.turned.as_ref());
    if !rows.iter().any(|&row| turned(row).is_some()) {
        return Vec::new();
    }
    (0..detections.len()).map(|row| turned(row).map(Spread::from)).collect()
}

/// Which of `rows`, the numbers of detections by falling score, are kept, and which are handed over as removed.
fn pick(
    detections: &[Detection],
    rows: &[usize],
    spreads: &[Option<Spread>],
    iou: f32,
    kinds: &Kinds,
) -> Picked {
    let spread = |row: usize| spreads.get(row).and_then(Option::as_ref);
    let mut picked = Picked::default();
    for (rank, &row) in rows.iter().enumerate() {
        let candidate = &detections[row];
        let over = |most: f32| {
            move |&other: &usize| {
                let better = &detections[other];
                kinds.alike(better.class, candidate.class)
                    && match (spread(other), spread(row)) {
                        (Some(a), Some(b)) => a.is_like(b, most),
                        _ => better.rect.iou(&candidate.rect) > most,
                    }
            }
        };
        let Picked { kept, removed } = &mut picked;
        let removers = if spreads.is_empty() { &*kept } else { &rows[..rank] };
        if !removers.iter().any(over(iou)) {
            kept.push(row);
        } else if candidate.score >= SUPPRESSED_SCORE
            && removed.len() < MOST_REMOVED
            && !kept.iter().chain(removed.iter()).any(over(SAME))
        {
            removed.push(row);
        }
    }
    picked
}

/// Where a thing is by all boxes around it: the mean of those that overlap the best one by an IoU of half or more, weighted by
/// score and overlap (box voting; Gidaris and Komodakis 2015, arXiv:1505.01749).
fn vote<'a>(best: &Detection, voters: impl Iterator<Item = &'a Detection>, kinds: &Kinds) -> Rect {
    let (mut total, mut sum) = (0.0, [0.0; 4]);
    for voter in voters.filter(|voter| kinds.alike(voter.class, best.class)) {
        let iou = voter.rect.iou(&best.rect);
        if iou >= VOTER_IOU {
            let weight = f64::from(voter.score * iou);
            let Rect { left, top, .. } = voter.rect;
            let edges = [left, top, voter.rect.right(), voter.rect.bottom()];
            sum.iter_mut().zip(edges).for_each(|(sum, edge)| *sum += weight * f64::from(edge));
            total += weight;
        }
    }
    let [left, top, right, bottom] = sum.map(|sum| (sum / total) as f32);
    let mean = Rect::from_edges(left, top, right, bottom);
    if mean.is_sound() { mean } else { best.rect }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Extra;
    use crate::geometry::TurnedRect;
    use crate::labels::Labels;
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
    fn picked(all: &[Detection], iou: f32, kinds: &Kinds) -> (Vec<Detection>, Vec<Detection>) {
        let rows = Detections::from(all.to_vec()).by_falling_score();
        let Picked { kept, removed } = pick(all, &rows, &[], iou, kinds);
        let boxes = |rows: Vec<usize>| rows.into_iter().map(|row| all[row]).collect();
        (boxes(kept), boxes(removed))
    }

    fn suppressed(all: Vec<Detection>, iou: f32) -> (Vec<Detection>, Vec<Detection>) {
        let (mut kept, mut removed) = (Detections::from(all), Detections::default());
        suppress(&mut kept, iou, Some(&Kinds::default()), &mut removed);
        (kept.into_boxes(), removed.into_boxes())
    }

    proptest! {
        #[test]
        fn survivors_are_apart_and_the_dropped_lie_under_a_better_one(all in detections(), iou in 0.1f32..0.9) {
            let kinds = Kinds::default();
            let (kept, removed) = picked(&all, iou, &kinds);
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
            prop_assert_eq!(picked(&kept, iou, &kinds), (kept, vec![]));
        }

        #[test]
        fn a_vote_moves_a_box_to_within_its_voters_and_changes_nothing_else(all in detections(), iou in 0.1f32..0.9) {
            let (kept, _) = picked(&all, iou, &Kinds::default());
            let (voted, _) = suppressed(all.clone(), iou);
            prop_assert_eq!(kept.len(), voted.len());
            for (best, voted) in kept.iter().zip(&voted) {
                prop_assert_eq!((best.score, best.class), (voted.score, voted.class));
                let voters = || all.iter().filter(|d| d.class == best.class && d.rect.iou(&best.rect) >= VOTER_IOU);
                let edges: [fn(&Rect) -> f32; 4] = [|r| r.left, |r| r.top, Rect::right, Rect::bottom];
                for edge in edges {
                    let least = voters().map(|d| edge(&d.rect)).fold(f32::INFINITY, f32::min);
                    let most = voters().map(|d| edge(&d.rect)).fold(f32::NEG_INFINITY, f32::max);
                    prop_assert!((least - 1e-3..=most + 1e-3).contains(&edge(&voted.rect)), "{voted:?}");
                }
            }
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

    #[test]
    fn a_vote_is_the_mean_weighted_by_score_and_overlap() {
        let at = |left: f32, score| Detection { rect: Rect::new(left, 0.0, 10.0, 10.0), score, class: 0 };
        // They overlap by 8 of 12; weights 0.8 and 0.4 × 2/3.
        let (voted, removed) = suppressed(vec![at(2.0, 0.4), at(0.0, 0.8)], 0.5);
        let (one, other) = (0.8, 0.4 * 2.0 / 3.0);
        assert_eq!(voted.len(), 1);
        assert!((voted[0].rect.left - 2.0 * other / (one + other)).abs() < 1e-5, "{voted:?}");
        assert_eq!(removed, [at(2.0, 0.4)], "what was removed stays where it was");
    }

    #[test]
    fn one_thing_by_two_names_is_one_thing_by_the_better() {
        let labels = Labels::coco();
        let named = |name, score| Detection {
            rect: Rect::new(0.0, 0.0, 40.0, 20.0),
            score,
            class: labels.find(name).unwrap(),
        };
        let all = [named("truck", 0.5), named("car", 0.6), named("person", 0.4), named("boat", 0.4)];
        let (kept, _) = picked(&all, 0.5, &Kinds::of(&labels));
        assert_eq!(kept, [all[1], all[2], all[3]]);
        assert_eq!(picked(&all, 0.5, &Kinds::default()).0.len(), 4);
    }

    /// A box of 60×20 about this centre, turned by this much, with its hull.
    fn turned(x: f32, angle: f32, score: f32) -> (Detection, Extra) {
        let turned = TurnedRect { x, y: 100.0, width: 60.0, height: 20.0, angle };
        let extra = Extra { turned: Some(turned), ..Extra::default() };
        (Detection { rect: turned.hull(), score, class: 0 }, extra)
    }

    #[test]
    fn turned_boxes_are_compared_as_they_lie() {
        // A cross has one hull, and other boxes; a box beside itself has another hull, and the same box.
        let all = [turned(100.0, 0.8, 0.9), turned(100.0, -0.8, 0.8), turned(104.0, 0.8, 0.7)];
        assert!(all[0].0.rect.iou(&all[1].0.rect) > 0.9);
        for kinds in [None, Some(&Kinds::default())] {
            let (mut found, mut removed) = (Detections::default(), Detections::default());
            all.iter().for_each(|(detection, extra)| found.push_with(*detection, extra.clone()));
            suppress(&mut found, 0.5, kinds, &mut removed);
            let scores = |list: &Detections| list.iter().map(|one| one.score).collect::<Vec<_>>();
            assert_eq!((scores(&found), scores(&removed)), (vec![0.9, 0.8], vec![0.7]));
            assert_eq!((found[0], found.extra(0)), (all[0].0, Some(&all[0].1)), "nobody voted");
        }
    }

    #[test]
    fn a_turned_box_is_removed_by_one_that_is_removed_itself() {
        // Each is like the one before it, and not like the one before that.
        let (mut found, mut removed) = (Detections::default(), Detections::default());
        for (number, score) in [(0.0, 0.9), (1.0, 0.8), (2.0, 0.7)] {
            let (detection, extra) = turned(100.0 + 18.0 * number, 0.0, score);
            found.push_with(detection, extra);
        }
        let spread = |row: usize| Spread::from(found.extra(row).unwrap().turned.as_ref().unwrap());
        assert!(spread(0).is_like(&spread(1), 0.4) && !spread(0).is_like(&spread(2), 0.4));
        suppress(&mut found, 0.4, None, &mut removed);
        assert_eq!((found.len(), removed.len()), (1, 2));
    }
}
