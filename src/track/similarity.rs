//! How well a detection goes with a track, from boxes and scores alone.

use super::settings::TrackSettings;
use crate::detection::{ClassId, Detection};
use crate::geometry::Rect;

/// A track as matching sees it, prepared once for a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    /// Its index among the tracklets.
    pub(super) index: usize,
    /// When it was last seen, in seconds.
    pub(super) seen: f64,
    /// Where it should be now.
    pub(super) rect: Rect,
    /// Where it was last seen.
    pub(super) last: Rect,
    /// What it is.
    pub(super) class: ClassId,
    /// Its usual score.
    pub(super) confidence: f32,
    /// How high it has been for long, in pixels.
    pub(super) height: f32,
    /// How far both boxes are widened, as a share of their sides.
    pub(super) reach: f32,
    /// What is taken off every similarity: for being lost, for lying behind another.
    pub(super) penalty: f32,
    /// Where it comes from and where to, where its direction counts.
    pub(super) heading: Option<Heading>,
}

/// The direction of a track: from where it was a moment ago, with length 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Heading {
    pub(super) from: (f32, f32),
    pub(super) direction: (f32, f32),
}

/// Which of the cues a pass goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cues {
    /// All of them, for detections that can be trusted.
    All,
    /// The same against where the track was last seen; the score does not count.
    LastSeen,
    /// The plain overlap, for weak boxes.
    Overlap,
    /// The plain overlap, whatever the class.
    OtherClass,
}

/// How well they go together: 1 for a perfect match, 0 or less for none.
pub(super) fn similarity(
    subject: &Subject,
    detection: &Detection,
    cues: Cues,
    settings: &TrackSettings,
) -> f32 {
    if cues != Cues::OtherClass && !settings.class_agnostic && subject.class != detection.class {
        return 0.0;
    }
    let near = if cues == Cues::LastSeen { &subject.last } else { &subject.rect };
    let weak = matches!(cues, Cues::Overlap | Cues::OtherClass);
    let reach = if weak { 0.0 } else { subject.reach };
    if !within_reach(near, &detection.rect, reach) {
        return 0.0;
    }
    let (near, found) = (near.widened(reach), detection.rect.widened(reach));
    let mut similarity = near.iou(&found);
    if cues == Cues::OtherClass {
        return similarity;
    }
    similarity *= factor(settings.size_weight, ratio(subject.height, detection.rect.height));
    if weak {
        return similarity - subject.penalty;
    }
    similarity *= factor(settings.height_weight, height_overlap(&near, &found));
    if cues == Cues::All {
        similarity *= factor(settings.score_weight, detection.score);
    }
    if similarity > 0.0 {
        similarity -= settings.confidence_weight * (subject.confidence - detection.score).abs();
        if let Some(heading) = &subject.heading {
            similarity +=
                0.5 * settings.direction_weight * detection.score * agreement(heading, &detection.rect);
        }
    }
    similarity - subject.penalty
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

/// The cosine of the angle between a track's direction and the way to a detection (after the momentum of OC-SORT; Cao
/// et al. 2023, arXiv:2203.14360).
fn agreement(heading: &Heading, rect: &Rect) -> f32 {
    let (x, y) = rect.center();
    let (dx, dy) = (x - heading.from.0, y - heading.from.1);
    let length = (dx * dx + dy * dy).sqrt();
    if length <= f32::EPSILON {
        return 0.0;
    }
    ((dx * heading.direction.0 + dy * heading.direction.1) / length).clamp(-1.0, 1.0)
}
