//! The scores of the newest detections as a histogram of twenty bars, with the threshold beside them.

use super::canvas::{Canvas, Paint};
use super::theme::{ACCENT, BLUE, GREY};
use crate::geometry::Rect;

/// Bars from score 0 to 1.
const BINS: usize = 20;
/// At least this many detections fill the height of a bar: a single one must not look like many.
const FULL: f32 = 6.0;

/// The number of scores in each twentieth of `0.0..=1.0`; values that are not scores are left out.
fn bins(scores: &[f32]) -> [u32; BINS] {
    let mut bins = [0; BINS];
    for score in scores.iter().filter(|score| (0.0..=1.0).contains(*score)) {
        let bin = ((score * BINS as f32) as usize).min(BINS - 1);
        if let Some(count) = bins.get_mut(bin) {
            *count += 1;
        }
    }
    bins
}

/// Draws the bars into `rect`, their heights by the root of the counts so that a single detection shows beside many,
/// with a line at `threshold` and a faint one at `weak`.
pub(crate) fn draw(
    canvas: &mut Canvas,
    rect: Rect,
    scores: &[f32],
    threshold: Option<f32>,
    weak: Option<f32>,
    scale: f32,
) {
    let bins = bins(scores);
    let most = bins.iter().copied().max().unwrap_or(0) as f32;
    let full = most.max(FULL).sqrt();
    let (step, line) = (rect.width / BINS as f32, scale.round().max(1.0));
    for (index, &count) in bins.iter().enumerate() {
        if count == 0 {
            continue;
        }
        let height = (rect.height * (count as f32).sqrt() / full).max(2.0);
        let left = rect.left + index as f32 * step;
        let bar = Rect::new(left + 0.5, rect.bottom() - height, (step - 1.0).max(1.0), height);
        // A bar with the threshold in it is drawn as weak on its left and as counted on its right.
        let cut = threshold.map_or(bar.left, |t| (rect.left + t * rect.width).clamp(bar.left, bar.right()));
        canvas.fill(Rect::new(bar.left, bar.top, cut - bar.left, height), Paint::solid(GREY));
        canvas.fill(Rect::new(cut, bar.top, bar.right() - cut, height), Paint::solid(BLUE));
    }
    canvas.fill(Rect::new(rect.left, rect.bottom(), rect.width, line), Paint::new(0xFFFFFF, 0.35));
    for (at, paint) in [(weak, Paint::new(ACCENT, 0.4)), (threshold, Paint::solid(ACCENT))] {
        let Some(at) = at.filter(|at| (0.0..=1.0).contains(at)) else { continue };
        let x = (rect.left + at * rect.width - line / 2.0).round();
        canvas.fill(Rect::new(x, rect.top, line, rect.height + line), paint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_fall_into_their_twentieth() {
        let bins = bins(&[0.0, 0.049, 0.05, 0.999, 1.0, -0.1, 1.1, f32::NAN]);
        assert_eq!((bins[0], bins[1], bins[19]), (2, 1, 2));
        assert_eq!(bins.iter().sum::<u32>(), 5);
    }

    #[test]
    fn one_detection_shows_beside_many() {
        let mut canvas = Canvas::new(200, 60);
        let mut scores = vec![0.1; 200];
        scores.push(0.9);
        draw(&mut canvas, Rect::new(0.0, 0.0, 200.0, 50.0), &scores, Some(0.5), None, 1.0);
        let at = |x: usize, y: usize| canvas.pixels()[y * 200 + x];
        assert_eq!((at(25, 1), at(185, 48), at(185, 40)), (GREY, BLUE, 0));
        assert_eq!((at(99, 3) | at(100, 3), at(110, 48)), (ACCENT, 0));
    }
}
