//! Similarity of a detection and a track, from boxes and scores alone.

use super::observed::Observed;
use super::settings::TrackSettings;
use crate::detection::ClassId;
use crate::geometry::Rect;

/// A track as matching needs it, prepared once a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatchCandidate {
    /// Its index among the tracklets.
    pub(super) index: usize,
    /// When it was last matched, in seconds of the tracker's clock.
    pub(super) seen: f64,
    /// When it was last matched with a box that was not suppressed, in seconds of the tracker's clock.
    pub(super) found: f64,
    /// The predicted box, in pixels.
    pub(super) rect: Rect,
    /// The class that stands for the winner of its class vote and those that this is mistaken for.
    pub(super) group: ClassId,
    /// The running mean of its scores.
    pub(super) confidence: f32,
    /// Its height over the last moments, in pixels.
    pub(super) height: f32,
    /// How far both boxes are widened, as a share of their sides.
    pub(super) reach: f32,
    /// What is taken off every similarity: for being lost, for lying behind another.
    pub(super) penalty: f32,
}

/// The cues that a pass uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cues {
    /// All of them, for strong detections.
    All,
    /// The plain overlap, for weak boxes.
    Overlap,
    /// The plain overlap, where the class is another.
    OtherClass,
}

/// 1 for a perfect match, 0 or less for no match.
pub(super) fn similarity(
    candidate: &MatchCandidate,
    observed: &Observed,
    cues: Cues,
    settings: &TrackSettings,
) -> f32 {
    let detection = &observed.detection;
    let wanted = match cues {
        Cues::OtherClass => candidate.group != observed.group,
        _ => settings.class_agnostic || candidate.group == observed.group,
    };
    if !wanted {
        return 0.0;
    }
    let weak = matches!(cues, Cues::Overlap | Cues::OtherClass);
    let reach = if weak { 0.0 } else { candidate.reach };
    if !within_reach(&candidate.rect, &detection.rect, reach) {
        return 0.0;
    }
    let (near, found) = (candidate.rect.widened(reach), detection.rect.widened(reach));
    let mut similarity = near.iou(&found);
    if cues == Cues::OtherClass {
        return similarity;
    }
    similarity *= factor(settings.size_weight, ratio(candidate.height, detection.rect.height));
    if weak {
        return similarity - candidate.penalty;
    }
    similarity *= factor(settings.height_weight, height_overlap(&near, &found));
    similarity *= factor(settings.score_weight, detection.score);
    if similarity > 0.0 {
        similarity -= settings.confidence_weight * (candidate.confidence - detection.score).abs();
    }
    similarity - candidate.penalty
}

/// A cue from 0 to 1 as a factor that counts as much as its weight: 1 with weight 0, the cue itself with weight 1.
fn factor(weight: f32, cue: f32) -> f32 {
    1.0 - weight * (1.0 - cue)
}

/// The smaller over the larger of two lengths.
fn ratio(a: f32, b: f32) -> f32 {
    a.min(b) / a.max(b)
}

/// Whether the boxes overlap once both are widened by this share on each side: cheap, and false for most pairs.
fn within_reach(a: &Rect, b: &Rect, reach: f32) -> bool {
    let half = 0.5 + reach;
    let ((ax, ay), (bx, by)) = (a.center(), b.center());
    (ax - bx).abs() < half * (a.width + b.width) && (ay - by).abs() < half * (a.height + b.height)
}

/// How much the vertical extents of two boxes overlap, intersection over union: people of one height at one depth
/// agree, and those behind or before one another do not (height-modulated IoU; Yang et al., "Hybrid-SORT", AAAI 2024,
/// arXiv:2308.00783).
pub(super) fn height_overlap(a: &Rect, b: &Rect) -> f32 {
    let shared = a.bottom().min(b.bottom()) - a.top.max(b.top);
    let spanned = a.bottom().max(b.bottom()) - a.top.min(b.top);
    if shared > 0.0 && spanned > 0.0 { (shared / spanned).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Detection;
    use proptest::prelude::*;

    /// A track that should be at this box, where it was last seen, too.
    fn at(rect: Rect) -> MatchCandidate {
        MatchCandidate {
            index: 0,
            seen: 0.0,
            found: 0.0,
            rect,
            group: 0,
            confidence: 0.8,
            height: rect.height,
            reach: 0.0,
            penalty: 0.0,
        }
    }

    fn found(rect: Rect, score: f32) -> Observed {
        let detection = Detection { rect, score, class: 0 };
        Observed { detection, group: 0, number: 0, hidden: 0.0, suppressed: false }
    }

    /// Nothing counts but the overlap.
    fn plain() -> TrackSettings {
        TrackSettings {
            height_weight: 0.0,
            score_weight: 0.0,
            confidence_weight: 0.0,
            size_weight: 0.0,
            ..TrackSettings::default()
        }
    }

    fn close(a: f32, b: f32) {
        assert!((a - b).abs() < 1e-5, "{a} instead of {b}");
    }

    const BOX: Rect = Rect::new(0.0, 0.0, 40.0, 80.0);
    /// Half of the height further down: a third of both together is shared, in area and in height.
    const LOWER: Rect = Rect::new(0.0, 40.0, 40.0, 80.0);

    #[test]
    fn without_weights_it_is_the_overlap() {
        for (cues, class) in [(Cues::All, 0), (Cues::Overlap, 0), (Cues::OtherClass, 1)] {
            let of = |rect, score| {
                similarity(&at(BOX), &Observed { group: class, ..found(rect, score) }, cues, &plain())
            };
            close(of(LOWER, 0.3), 1.0 / 3.0);
            close(of(BOX, 0.3), 1.0);
            let away = Rect::new(40.0, 0.0, 40.0, 80.0);
            assert_eq!(of(away, 0.9), 0.0, "edges that touch");
        }
    }

    #[test]
    fn each_cue_is_a_factor_with_weight_one_and_half_of_one_with_half() {
        let all = |settings, height| {
            let candidate = MatchCandidate { height, ..at(BOX) };
            similarity(&candidate, &found(LOWER, 0.6), Cues::All, &settings)
        };
        let third = 1.0 / 3.0;
        close(all(TrackSettings { height_weight: 1.0, ..plain() }, 80.0), third * third);
        close(all(TrackSettings { height_weight: 0.5, ..plain() }, 80.0), third * 2.0 / 3.0);
        close(all(TrackSettings { score_weight: 1.0, ..plain() }, 80.0), third * 0.6);
        close(all(TrackSettings { score_weight: 0.5, ..plain() }, 80.0), third * 0.8);
        close(all(TrackSettings { size_weight: 1.0, ..plain() }, 100.0), third * 0.8);
        close(all(TrackSettings { size_weight: 0.5, ..plain() }, 64.0), third * 0.9);
        let both = TrackSettings { height_weight: 1.0, score_weight: 1.0, size_weight: 1.0, ..plain() };
        close(all(both, 160.0), third * third * 0.6 * 0.5);
    }

    #[test]
    fn a_score_unlike_the_usual_one_and_a_penalty_are_taken_off() {
        let settings = TrackSettings { confidence_weight: 0.5, ..plain() };
        close(similarity(&at(BOX), &found(LOWER, 0.6), Cues::All, &settings), 1.0 / 3.0 - 0.5 * 0.2);
        let lost = MatchCandidate { penalty: 0.1, ..at(BOX) };
        close(similarity(&lost, &found(LOWER, 0.8), Cues::All, &settings), 1.0 / 3.0 - 0.1);
        close(similarity(&lost, &found(LOWER, 0.3), Cues::Overlap, &settings), 1.0 / 3.0 - 0.1);
        assert!(similarity(&at(BOX), &found(Rect { left: 99.0, ..BOX }, 0.8), Cues::All, &settings) <= 0.0);
    }

    #[test]
    fn reach_finds_what_is_near_and_weak_boxes_must_overlap() {
        let beside = found(Rect::new(50.0, 0.0, 40.0, 80.0), 0.9);
        let reaching = MatchCandidate { reach: 0.25, ..at(BOX) };
        assert_eq!(similarity(&at(BOX), &beside, Cues::All, &plain()), 0.0);
        // From -10 to 50, and from 40 to 100.
        close(similarity(&reaching, &beside, Cues::All, &plain()), 1.0 / 11.0);
        assert_eq!(similarity(&reaching, &beside, Cues::Overlap, &plain()), 0.0);
        assert_eq!(similarity(&reaching, &beside, Cues::OtherClass, &plain()), 0.0);
    }

    fn near() -> impl Strategy<Value = Rect> {
        (-60f32..60.0, -60f32..60.0, 10f32..100.0, 10f32..100.0)
            .prop_map(|(left, top, width, height)| Rect::new(left, top, width, height))
    }

    proptest! {
        #[test]
        fn reach_never_makes_boxes_of_different_classes_match(
            a in near(), b in near(), reach in 0f32..2.0, score in 0f32..1.0
        ) {
            let (candidate, other) = (MatchCandidate { reach, ..at(a) }, Observed { group: 1, ..found(b, score) });
            for cues in [Cues::All, Cues::Overlap] {
                prop_assert_eq!(similarity(&candidate, &other, cues, &TrackSettings::default()), 0.0);
            }
            // The pass for those goes by the boxes as they are.
            let bare = similarity(&candidate, &other, Cues::OtherClass, &TrackSettings::default());
            prop_assert_eq!(bare, a.iou(&b));
            let agnostic = TrackSettings { class_agnostic: true, ..TrackSettings::default() };
            prop_assert_eq!(
                similarity(&candidate, &other, Cues::All, &agnostic),
                similarity(&candidate, &found(b, score), Cues::All, &agnostic)
            );
        }

        #[test]
        fn a_heavier_cue_never_makes_them_more_alike(
            a in near(), b in near(), score in 0f32..1.0, height in 5f32..200.0, weight in 0f32..1.0, more in 0f32..1.0
        ) {
            let candidate = MatchCandidate { height, ..at(a) };
            let all = |settings| similarity(&candidate, &found(b, score), Cues::All, &settings);
            let (less, more) = (weight * more, weight);
            for with in [
                |w| TrackSettings { height_weight: w, ..plain() },
                |w| TrackSettings { score_weight: w, ..plain() },
                |w| TrackSettings { size_weight: w, ..plain() },
                |w| TrackSettings { confidence_weight: w, ..plain() },
            ] {
                prop_assert!(all(with(more)) <= all(with(less)) + 1e-6);
                prop_assert!((all(with(0.0)) - a.iou(&b)).abs() < 1e-6);
            }
        }

        /// A bound of what is within reach that is cheap and misses nothing.
        #[test]
        fn within_reach_is_overlap_of_the_widened_boxes(a in near(), b in near(), reach in 0f32..1.0) {
            let (wide_a, wide_b) = (a.widened(reach), b.widened(reach));
            let across = wide_a.right().min(wide_b.right()) - wide_a.left.max(wide_b.left);
            let down = wide_a.bottom().min(wide_b.bottom()) - wide_a.top.max(wide_b.top);
            // Where edges touch, rounding decides.
            prop_assume!(across.abs() > 1e-3 && down.abs() > 1e-3);
            prop_assert_eq!(within_reach(&a, &b, reach), wide_a.overlaps(&wide_b));
        }
    }
}
