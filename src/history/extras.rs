//! What a network told of the tracks of a frame beside their boxes, in few bytes: masks as run lengths, points and turned boxes on
//! a fine grid. Vectors to recognise an object by are not kept.
//!
//! Positions are rounded to a 16th of a pixel, angles to a thousandth, scores to a hundredth. A mask takes some three bytes for
//! each of its columns, a body of 17 points some 80 bytes, a turned box some 12.

use super::numbers::{put, take, unzigzag, zigzag};
use crate::detection::{Extra, Keypoint, Mask};
use crate::geometry::{Rect, TurnedRect};

/// Grid lines a pixel.
const PLACES: f32 = 16.0;
/// Grid lines a radian.
const ANGLES: f32 = 1000.0;
/// Grid lines from score 0 to 1.
const SCORES: f32 = 100.0;

/// Packs what is known of the tracks of a frame, by their ids.
pub(super) fn pack(extras: &[(u64, Extra)]) -> Box<[u8]> {
    let mut bytes = Vec::new();
    for (id, extra) in extras {
        put(&mut bytes, *id);
        let kinds = [extra.turned.is_some(), extra.mask.is_some()];
        put(&mut bytes, u64::from(kinds[0]) + 2 * u64::from(kinds[1]));
        let mut number = |value: f32, lines: f32| put(&mut bytes, zigzag((value * lines).round() as i32));
        if let Some(TurnedRect { x, y, width, height, angle }) = extra.turned {
            [x, y, width, height].into_iter().for_each(|place| number(place, PLACES));
            // Half a turn more is the same.
            number(angle % std::f32::consts::PI, ANGLES);
        }
        number(extra.keypoints.len() as f32, 1.0);
        let mut before = (0.0, 0.0);
        for point in &extra.keypoints {
            // From one to the next it is not far.
            let on_grid = |place: f32| if place.is_finite() { (place * PLACES).round() } else { 0.0 };
            let now = (on_grid(point.x), on_grid(point.y));
            number(now.0 - before.0, 1.0);
            number(now.1 - before.1, 1.0);
            number(point.score, SCORES);
            before = now;
        }
        if let Some(mask) = &extra.mask {
            let Rect { left, top, width, height } = mask.rect();
            [left, top, width, height].into_iter().for_each(|place| number(place, PLACES));
            let (columns, rows) = mask.cells();
            let runs = mask.runs();
            let sizes = [columns, rows, runs.len() as u32];
            sizes.iter().chain(runs).for_each(|number| put(&mut bytes, u64::from(*number)));
        }
    }
    bytes.into_boxed_slice()
}

/// What was packed.
pub(super) fn unpack(bytes: &[u8]) -> Vec<(u64, Extra)> {
    let (mut extras, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let id = take(bytes, &mut at);
        let kinds = take(bytes, &mut at);
        let number = |at: &mut usize, lines: f32| unzigzag(take(bytes, at)) as f32 / lines;
        let turned = (kinds & 1 != 0).then(|| {
            let [x, y, width, height] = std::array::from_fn(|_| number(&mut at, PLACES));
            TurnedRect { x, y, width, height, angle: number(&mut at, ANGLES) }
        });
        let mut before = (0.0, 0.0);
        let keypoints = (0..number(&mut at, 1.0) as usize).map(|_| {
            before = (before.0 + number(&mut at, 1.0), before.1 + number(&mut at, 1.0));
            Keypoint { x: before.0 / PLACES, y: before.1 / PLACES, score: number(&mut at, SCORES) }
        });
        let keypoints = keypoints.collect();
        let mask = if kinds & 2 == 0 {
            None
        } else {
            let [left, top, width, height] = std::array::from_fn(|_| number(&mut at, PLACES));
            let [columns, rows, count] = std::array::from_fn(|_| take(bytes, &mut at) as u32);
            let runs = (0..count).map(|_| take(bytes, &mut at) as u32).collect();
            Mask::of_runs(Rect::new(left, top, width, height), (columns, rows), runs)
        };
        extras.push((id, Extra { turned, keypoints, mask, ..Extra::default() }));
    }
    extras
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn extras()(
            place in (-2000i32..8000, -2000i32..8000), size in (1u32..40, 1u32..40), angle in -3.0f32..3.0,
            points in prop::collection::vec((-100f32..5000.0, -100f32..5000.0, 0f32..1.0), 0..20),
            cells in prop::collection::vec(any::<bool>(), 1600), kinds in (any::<bool>(), any::<bool>()), id in any::<u64>(),
        ) -> (u64, Extra) {
            let [x, y, width, height] = [place.0, place.1, size.0 as i32, size.1 as i32].map(|number| number as f32);
            let mask = Mask::new(Rect::new(x, y, width, height), size, |column, row| cells[(row * 40 + column) as usize]);
            let keypoints = points.into_iter().map(|(x, y, score)| Keypoint { x, y, score }).collect();
            let turned = kinds.0.then_some(TurnedRect { x, y, width, height, angle });
            (id, Extra { turned, keypoints, mask: mask.filter(|_| kinds.1), ..Extra::default() })
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(all in prop::collection::vec(extras(), 0..5)) {
            let again = unpack(&pack(&all));
            prop_assert_eq!(again.len(), all.len());
            for ((id, extra), (other, told)) in again.iter().zip(&all) {
                prop_assert_eq!((id, &extra.mask), (other, &told.mask));
                let near = |a: f32, b: f32, apart: f32| (a - b).abs() <= apart;
                for (a, b) in extra.keypoints.iter().zip(&told.keypoints) {
                    prop_assert!(near(a.x, b.x, 0.04) && near(a.y, b.y, 0.04) && near(a.score, b.score, 0.006));
                }
                prop_assert_eq!(extra.keypoints.len(), told.keypoints.len());
                prop_assert_eq!(extra.turned.is_some(), told.turned.is_some());
                if let (Some(a), Some(b)) = (extra.turned, told.turned) {
                    prop_assert!(near(a.x, b.x, 0.04) && near(a.width, b.width, 0.04) && near(a.angle, b.angle, 0.002));
                }
            }
        }

        #[test]
        fn nothing_is_too_odd(x: f32, y: f32, angle: f32, score: f32) {
            let turned = Some(TurnedRect { x, y, width: y, height: x, angle });
            let keypoints = vec![Keypoint { x, y, score }];
            let all = [(7, Extra { turned, keypoints, ..Extra::default() })];
            let again = unpack(&pack(&all));
            prop_assert_eq!((again.len(), again[0].0, again[0].1.keypoints.len()), (1, 7, 1));
        }
    }

    #[test]
    fn a_body_and_a_mask_take_few_bytes() {
        let points = (0..17).map(|n| Keypoint { x: 500.0 + n as f32, y: 300.0 + 5.0 * n as f32, score: 0.9 });
        let body = Extra { keypoints: points.collect(), ..Extra::default() };
        let disc = |x: u32, y: u32| (x as f32 - 50.0).hypot(y as f32 - 100.0) < 50.0;
        let mask = Mask::new(Rect::new(400.0, 200.0, 100.0, 200.0), (100, 200), disc);
        let mask = Extra { mask, ..Extra::default() };
        let bytes = |extra: &Extra| pack(&[(5, extra.clone())]).len();
        assert!(bytes(&body) < 90 && bytes(&mask) < 350, "{} {}", bytes(&body), bytes(&mask));
    }
}
