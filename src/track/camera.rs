//! Camera motion estimated from boxes: the shift common to all of them.
//!
//! Each confirmed track is paired with the detection that is clearly its best match, where it is that detection's best
//! match too; after a jolt of more than a box's width, a vote first finds where to look. The median of the differences
//! between detected and predicted centres is the shared shift. It counts the more, the more standard errors of the median
//! it is away from zero: a still camera over a moving crowd is left alone, and a shaken one is followed from the first
//! frame. Where the caller knows the camera's motion from pixels, this is not used.

use super::motion::square;
use super::settings::TrackSettings;
use super::similarity::height_overlap;
use super::sweep_and_prune::SweepAndPrune;
use crate::detection::ClassId;
use crate::geometry::{Affine, Rect};

/// Both boxes of a pair are widened by this share of their sides on each side, so that fast shifts are found.
const WIDENED: f32 = 0.3;
/// The lowest similarity of a pair.
const MIN_SIMILARITY: f32 = 0.3;
/// A pair is clear where the track's second-best detection is less similar than this share of its best.
const MAX_SECOND_SHARE: f32 = 0.7;
/// How many tracks vote on a large shift, and for shifts of how many times their size.
const VOTERS: usize = 12;
const REACH: f32 = 1.0;
/// The most detections that are compared with one track: bounds the time in a packed picture.
const MAX_NEAR: usize = 40;
/// From this share of the highest possible agreement on, no large shift is looked for.
const GOOD: f32 = 0.6;
/// A large shift must give this many times the agreement, and this share of all that there can be on top.
const MUCH: (f32, f32) = (1.2, 0.1);
/// Track and detection are one object only where the lower is at least this share of the higher.
const ALIKE: f32 = 0.8;
/// With fewer pairs there is no estimate.
const MIN_PAIRS: usize = 4;
/// With this many pairs a shift counts for half of what it would with very many.
const HALF_PAIRS: f32 = 1.0;
/// A median of normally distributed numbers has this many times the standard error of their mean.
const MEDIAN_ERROR: f32 = 1.2533;
/// The standard deviation of normally distributed numbers over the median of their distances from the median.
const DEVIATION: f32 = 1.4826;
/// The smallest standard deviation of a box's place, as a share of its width.
const SUREST: f32 = 0.01;

/// A box with its class.
pub(super) type Seen = (Rect, ClassId);

/// Estimates the shift that tracks and detections share; its working memory is kept from call to call.
#[derive(Debug, Default)]
pub(super) struct BoxMotionEstimator {
    /// For each track: its best similarity, with which detection, and the second best.
    of_track: Vec<(f32, usize, f32)>,
    /// For each detection: its best similarity.
    of_detection: Vec<f32>,
    sweep_and_prune: SweepAndPrune,
    across: Vec<f32>,
    down: Vec<f32>,
    widths: Vec<f32>,
}

impl BoxMotionEstimator {
    /// The shift, in pixels, from `tracks` (predicted boxes) to `detections`, both with their classes; `None` with fewer
    /// than four pairs.
    pub(super) fn find(
        &mut self,
        tracks: &[Seen],
        detections: &[Seen],
        settings: &TrackSettings,
    ) -> Option<Affine> {
        if tracks.len() < MIN_PAIRS || detections.len() < MIN_PAIRS {
            return None;
        }
        self.sweep_and_prune.fill(detections.iter().map(|(rect, _)| rect));
        let jump = self.jump(tracks, detections);
        self.pair(tracks, detections, jump);
        let pairs = self.across.len();
        if pairs < MIN_PAIRS {
            return None;
        }
        let least = SUREST * median(&mut self.widths);
        let root = (pairs as f32).sqrt();
        let shift_and_error = |values: &mut Vec<f32>| {
            let middle = median(values);
            values.iter_mut().for_each(|value| *value = (*value - middle).abs());
            let deviation = (DEVIATION * median(values)).max(least);
            (middle, MEDIAN_ERROR * deviation / root)
        };
        let (x, x_error) = shift_and_error(&mut self.across);
        let (y, y_error) = shift_and_error(&mut self.down);

        // How many standard errors the shift is away from nothing, squared; it counts for half at camera_evidence.
        let away = square(x / x_error) + square(y / y_error);
        let believed = away / (away + square(settings.camera_evidence).max(f32::MIN_POSITIVE));
        let enough = pairs as f32 / (pairs as f32 + HALF_PAIRS);
        let weight = settings.camera_strength * believed * enough;
        let shift = Affine::shift(x * weight, y * weight);
        shift.is_sound().then_some(shift)
    }

    /// A first guess at the shift, for when it is larger than what lies between neighbours: of all the shifts that would
    /// bring a track onto a detection, the one that brings the most onto one (a vote as in Fischler and Bolles 1981).
    /// Nothing where the tracks lie well as they are, or no shift is much better.
    fn jump(&self, tracks: &[Seen], detections: &[Seen]) -> (f32, f32) {
        let voters = &tracks[..tracks.len().min(VOTERS)];
        let agreement = |shift: (f32, f32)| -> f32 {
            let best = |(track, class): &Seen| {
                let track = shifted(track, shift);
                let near =
                    self.sweep_and_prune.near(&track, 0.0).take(MAX_NEAR).map(|index| &detections[index]);
                near.filter(|(_, other)| other == class)
                    .map(|(detection, _)| track.iou(detection) * height_overlap(&track, detection))
                    .fold(0.0, f32::max)
            };
            voters.iter().map(best).sum()
        };
        let still = agreement((0.0, 0.0));
        let voters_count = voters.len() as f32;
        if still > GOOD * voters_count {
            return (0.0, 0.0);
        }
        let (mut jump, mut most) = ((0.0, 0.0), MUCH.0 * still + MUCH.1 * voters_count);
        for (track, class) in voters {
            for (detection, other) in
                self.sweep_and_prune.near(track, REACH).take(MAX_NEAR).map(|index| &detections[index])
            {
                let ((x, y), (to_x, to_y)) = (track.center(), detection.center());
                let alike = detection.height.min(track.height) > ALIKE * detection.height.max(track.height);
                if other != class || !alike || (to_y - y).abs() > REACH * track.height {
                    continue;
                }
                let shift = (to_x - x, to_y - y);
                let votes = agreement(shift);
                if votes > most {
                    (jump, most) = (shift, votes);
                }
            }
        }
        jump
    }

    /// Leaves how far each clear pair, looked for around `jump`, lies apart in `across` and `down`, and the tracks' widths.
    fn pair(&mut self, tracks: &[Seen], detections: &[Seen], jump: (f32, f32)) {
        self.of_track.clear();
        self.of_track.resize(tracks.len(), (0.0, usize::MAX, 0.0));
        self.of_detection.clear();
        self.of_detection.resize(detections.len(), 0.0);
        for ((track, class), best) in tracks.iter().zip(&mut self.of_track) {
            let track = &shifted(track, jump);
            let wide = track.widened(WIDENED);
            for column in self.sweep_and_prune.near(track, WIDENED) {
                let (detection, other) = &detections[column];
                let detection = detection.widened(WIDENED);
                if other != class || !wide.overlaps(&detection) {
                    continue;
                }
                let similarity = wide.iou(&detection) * height_overlap(&wide, &detection);
                if similarity > best.0 {
                    *best = (similarity, column, best.0);
                } else if similarity > best.2 {
                    best.2 = similarity;
                }
                self.of_detection[column] = self.of_detection[column].max(similarity);
            }
        }
        for list in [&mut self.across, &mut self.down, &mut self.widths] {
            list.clear();
        }
        for ((track, _), &(best, column, second)) in tracks.iter().zip(&self.of_track) {
            let Some((detection, _)) = detections.get(column) else { continue };
            let mutual = self.of_detection.get(column).is_some_and(|&similarity| similarity <= best);
            if best > MIN_SIMILARITY && mutual && second < MAX_SECOND_SHARE * best {
                let ((x, y), (to_x, to_y)) = (track.center(), detection.center());
                self.across.push(to_x - x);
                self.down.push(to_y - y);
                self.widths.push(track.width);
            }
        }
    }
}

fn shifted(rect: &Rect, (x, y): (f32, f32)) -> Rect {
    Rect { left: rect.left + x, top: rect.top + y, ..*rect }
}

/// The middle value, or the mean of the two middle ones; `values` (not empty) are put in another order.
fn median(values: &mut [f32]) -> f32 {
    let even = values.len().is_multiple_of(2);
    let middle = values.len() / 2;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if even { (lower + upper) / 2.0 } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// People in a row, far apart, each moved by the shift and a stray of its own.
    fn crowd(shift: (f32, f32), strays: &[(f32, f32)]) -> (Vec<Seen>, Vec<Seen>) {
        let place = |i: usize| Rect::new(120.0 * i as f32, 40.0 * (i % 3) as f32, 50.0, 120.0);
        let tracks = (0..strays.len()).map(|i| (place(i), 0)).collect();
        let moved = strays.iter().enumerate().map(|(i, stray)| {
            let rect = place(i);
            (Rect { left: rect.left + shift.0 + stray.0, top: rect.top + shift.1 + stray.1, ..rect }, 0)
        });
        (tracks, moved.collect())
    }

    fn found(shift: (f32, f32), strays: &[(f32, f32)]) -> Option<(f32, f32)> {
        let (tracks, detections) = crowd(shift, strays);
        let settings = TrackSettings { camera_strength: 1.0, ..TrackSettings::default() };
        BoxMotionEstimator::default().find(&tracks, &detections, &settings).map(|map| map.point(0.0, 0.0))
    }

    const STRAYS: [(f32, f32); 8] = [
        (1.0, 0.5),
        (-1.5, 0.2),
        (0.4, -0.8),
        (-0.6, 0.1),
        (2.0, 1.0),
        (-1.0, -1.2),
        (0.3, 0.9),
        (-0.2, -0.6),
    ];

    #[test]
    fn a_jolt_of_the_camera_is_found_and_a_still_one_left_alone() {
        let (x, y) = found((14.0, -9.0), &STRAYS).expect("enough pairs");
        assert!((10.0..15.0).contains(&x) && (-10.0..-6.0).contains(&y), "{x} {y}");
        let (x, y) = found((0.0, 0.0), &STRAYS).expect("enough pairs");
        assert!(x.abs() < 0.1 && y.abs() < 0.1, "{x} {y}");
    }

    #[test]
    fn those_who_run_against_the_rest_do_not_count() {
        let mut strays = STRAYS;
        (strays[1], strays[6]) = ((25.0, 0.0), (-20.0, 10.0));
        let (x, y) = found((14.0, -9.0), &strays).expect("enough pairs");
        assert!((9.0..16.0).contains(&x) && (-11.0..-5.0).contains(&y), "{x} {y}");
    }

    #[test]
    fn who_could_be_either_of_two_says_nothing() {
        // Beside each person another one, nearly as well in their place.
        let (tracks, mut detections) = crowd((10.0, 0.0), &STRAYS);
        let beside: Vec<_> =
            tracks.iter().map(|&(rect, class)| (Rect { left: rect.left - 14.0, ..rect }, class)).collect();
        let find = |detections: &[Seen]| {
            BoxMotionEstimator::default().find(&tracks, detections, &TrackSettings::default())
        };
        assert!(find(&detections).is_some());
        detections.extend(beside);
        assert_eq!(find(&detections), None);
    }

    #[test]
    fn a_jolt_of_more_than_a_box_is_found_and_not_the_one_onto_the_neighbours() {
        // Boxes of 50 stand 120 apart: 80 to the right is 40 to the left, but for one.
        let (x, y) = found((80.0, 30.0), &STRAYS).expect("enough pairs");
        assert!((65.0..82.0).contains(&x) && (20.0..32.0).contains(&y), "{x} {y}");
    }

    #[test]
    fn too_few_say_nothing() {
        assert_eq!(found((14.0, -9.0), &STRAYS[..MIN_PAIRS - 1]), None);
        assert_eq!(BoxMotionEstimator::default().find(&[], &[], &TrackSettings::default()), None);
    }

    proptest! {
        #[test]
        fn the_median_is_the_middle_of_the_sorted(mut values in prop::collection::vec(-1e3f32..1e3, 1..30)) {
            let mut sorted = values.clone();
            sorted.sort_by(f32::total_cmp);
            let n = sorted.len();
            let expected = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
            prop_assert_eq!(median(&mut values), expected);
        }
    }
}
