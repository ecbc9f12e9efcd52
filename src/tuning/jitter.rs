//! Detections a little off, to see by how much a score moves for no reason.

use crate::detection::Detection;
use crate::geometry::Rect;

/// Every edge is moved by up to this much, in pixels.
const MOST: f32 = 0.5;

/// Puts into `moved` the detections with every edge moved; the same for the same seed and frame.
pub(super) fn jittered(detections: &[Detection], seed: u64, frame: usize, moved: &mut Vec<Detection>) {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9).wrapping_add(frame as u64));
    let mut shift = || (random.f32() * 2.0 - 1.0) * MOST;
    moved.clear();
    moved.extend(detections.iter().map(|detection| {
        let rect = &detection.rect;
        let (left, top) = (rect.left + shift(), rect.top + shift());
        let (right, bottom) = (rect.right() + shift(), rect.bottom() + shift());
        let rect = Rect::from_edges(left, top, right.max(left + MOST), bottom.max(top + MOST));
        Detection { rect, ..*detection }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_move_by_no_more_than_half_a_pixel_and_the_same_way_each_time() {
        let detections: Vec<_> = (0..50)
            .map(|i| Detection { rect: Rect::new(i as f32, 5.0, 0.3 + i as f32, 9.0), score: 0.5, class: 0 })
            .collect();
        let moved = |seed, frame| {
            let mut moved = Vec::new();
            jittered(&detections, seed, frame, &mut moved);
            moved
        };
        assert_eq!(moved(1, 7), moved(1, 7));
        assert_ne!(moved(1, 7), moved(1, 8));
        assert_ne!(moved(1, 7), moved(2, 7));
        for (before, after) in detections.iter().zip(moved(3, 0)) {
            assert!(after.rect.is_sound());
            assert!((before.rect.left - after.rect.left).abs() <= MOST);
            assert!((before.rect.bottom() - after.rect.bottom()).abs() <= MOST + 1e-5);
        }
    }
}
