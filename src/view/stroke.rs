//! Thick anti-aliased lines whose colour fades along their way: motion trails.
//!
//! A trail is translucent, so its pieces must not be painted over each other: the joints would show as darker dots. The
//! coverage of the whole line is collected in a mask first (the largest value wins), then painted once. Only the parts of
//! rows that a piece touches are visited and cleared again, so the cost depends on the line and not on its bounding box.

use super::blend::{Scratch, mix};
use super::canvas::Canvas;

/// A corner of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StrokePoint {
    /// Pixels of the canvas, to the right.
    pub x: f32,
    /// Pixels of the canvas, down.
    pub y: f32,
    /// Opacity here, `0.0..=1.0`; between two points it changes evenly.
    pub alpha: f32,
    /// Thickness here, in pixels.
    pub width: f32,
}

/// Thicker lines are drawn this thick.
const MAX_WIDTH: f32 = 256.0;

/// One piece of a line, ready for its pixels.
struct Piece {
    x: f32,
    y: f32,
    dx: f32,
    dy: f32,
    /// `1 / length²`, or 0 for a dot.
    inverse: f32,
    radius: f32,
    radius_change: f32,
    alpha: f32,
    alpha_change: f32,
}

impl Canvas {
    /// A line through the points with round ends and joints. A point that is not finite interrupts it.
    pub fn stroke(&mut self, points: &[StrokePoint], rgb: u32) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let area = self.width() * self.height();
        if scratch.mask.len() != area {
            scratch.mask.clear();
            scratch.mask.resize(area, 0);
        }
        for pair in points.windows(2) {
            if let [a, b] = pair
                && let Some(piece) = Piece::clipped(a, b, self.width() as f32, self.height() as f32)
            {
                piece.gather(&mut scratch, self.width(), self.height());
            }
        }
        for (y, from, to) in scratch.spans.drain(..) {
            let start = y * self.width();
            let mask = &mut scratch.mask[start + from..start + to];
            for (pixel, covered) in self.row_mut(y, from, to).iter_mut().zip(mask) {
                // Zero as well where an earlier stretch of the same row has painted already.
                let alpha = u32::from(std::mem::take(covered));
                if alpha > 0 {
                    *pixel = mix(*pixel, rgb, alpha + (alpha >> 7));
                }
            }
        }
        self.scratch = scratch;
    }
}

impl Piece {
    /// The part of a piece that can be seen; `None` where nothing can, or a number is none.
    fn clipped(a: &StrokePoint, b: &StrokePoint, width: f32, height: f32) -> Option<Self> {
        let numbers = [a.x, a.y, a.alpha, a.width, b.x, b.y, b.alpha, b.width];
        if numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
        let limit =
            |point: &StrokePoint| (point.alpha.clamp(0.0, 1.0), point.width.clamp(0.0, MAX_WIDTH) / 2.0);
        let ((alpha, radius), (end_alpha, end_radius)) = (limit(a), limit(b));
        let margin = radius.max(end_radius) + 2.0;
        // Liang–Barsky in f64: the ends may be a billion pixels away.
        let (ax, ay) = (f64::from(a.x), f64::from(a.y));
        let (dx, dy) = (f64::from(b.x) - ax, f64::from(b.y) - ay);
        let (mut from, mut to) = (0.0f64, 1.0f64);
        for (start, change, length) in [(ax, dx, width), (ay, dy, height)] {
            let (low, high) = (f64::from(-margin), f64::from(length + margin));
            if change == 0.0 {
                if start < low || start > high {
                    return None;
                }
                continue;
            }
            let (one, other) = ((low - start) / change, (high - start) / change);
            from = from.max(one.min(other));
            to = to.min(one.max(other));
        }
        if from > to {
            return None;
        }
        let (start, share) = (from as f32, (to - from) as f32);
        let (dx, dy) = ((dx * (to - from)) as f32, (dy * (to - from)) as f32);
        let length = dx * dx + dy * dy;
        Some(Self {
            x: (ax + (f64::from(b.x) - ax) * from) as f32,
            y: (ay + (f64::from(b.y) - ay) * from) as f32,
            dx,
            dy,
            inverse: if length > 1e-6 { 1.0 / length } else { 0.0 },
            radius: radius + (end_radius - radius) * start,
            radius_change: (end_radius - radius) * share,
            alpha: alpha + (end_alpha - alpha) * start,
            alpha_change: (end_alpha - alpha) * share,
        })
    }

    /// Raises the mask to the coverage of this piece.
    fn gather(&self, scratch: &mut Scratch, width: usize, height: usize) {
        let reach = self.radius.max(self.radius + self.radius_change) + 0.5;
        let (left, right) = (self.x.min(self.x + self.dx) - reach, self.x.max(self.x + self.dx) + reach);
        let (top, bottom) = (self.y.min(self.y + self.dy) - reach, self.y.max(self.y + self.dy) + reach);
        // How far the slanted strip reaches to both sides of the centre line on one row.
        let length = self.dx.hypot(self.dy);
        let slant = if self.dy.abs() > 1e-3 { reach * length / self.dy.abs() } else { f32::INFINITY };
        let last = (bottom.ceil().max(0.0) as usize).min(height);
        for y in top.floor().max(0.0) as usize..last {
            let py = y as f32 + 0.5 - self.y;
            let middle = if slant.is_finite() { self.x + self.dx * py / self.dy } else { self.x };
            let from = left.max(middle - slant).floor().max(0.0) as usize;
            let to = (right.min(middle + slant).ceil().max(0.0) as usize).min(width);
            if from >= to {
                continue;
            }
            scratch.spans.push((y, from, to));
            let row = &mut scratch.mask[y * width + from..y * width + to];
            let start = from as f32 + 0.5 - self.x;
            for (column, mask) in row.iter_mut().enumerate() {
                let px = start + column as f32;
                let along = ((px * self.dx + py * self.dy) * self.inverse).clamp(0.0, 1.0);
                let (ex, ey) = (px - along * self.dx, py - along * self.dy);
                let distance = (ex * ex + ey * ey).sqrt();
                let covered = (self.radius + along * self.radius_change + 0.5 - distance).clamp(0.0, 1.0);
                let alpha = self.alpha + along * self.alpha_change;
                *mask = (*mask).max((covered * alpha * 255.0 + 0.5) as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(x: f32, y: f32, alpha: f32) -> StrokePoint {
        StrokePoint { x, y, alpha, width: 3.0 }
    }

    fn at(canvas: &Canvas, x: usize, y: usize) -> u32 {
        canvas.pixels()[y * canvas.width() + x] & 0xFF
    }

    #[test]
    fn a_line_fades_evenly_and_has_its_width() {
        let mut canvas = Canvas::new(120, 20);
        canvas.stroke(&[point(10.0, 10.5, 0.0), point(110.0, 10.5, 1.0)], 0xFFFFFF);
        let row: Vec<_> = (10..110).map(|x| at(&canvas, x, 10)).collect();
        assert!(row.windows(2).all(|pair| pair[0] <= pair[1]), "{row:?}");
        assert!(row[2] < 12 && row[50].abs_diff(128) < 5 && row[98] > 248, "{row:?}");
        let column: Vec<_> = (7..15).map(|y| at(&canvas, 100, y)).collect();
        assert_eq!(column.iter().filter(|&&value| value > 100).count(), 3, "{column:?}");
        assert_eq!(at(&canvas, 60, 5), 0);
    }

    #[test]
    fn joints_are_not_painted_twice() {
        let mut canvas = Canvas::new(60, 60);
        let corner =
            [point(5.0, 30.0, 0.5), point(30.0, 30.0, 0.5), point(30.0, 5.0, 0.5), point(29.0, 30.0, 0.5)];
        canvas.stroke(&corner, 0xFFFFFF);
        let brightest = canvas.pixels().iter().map(|pixel| pixel & 0xFF).max().unwrap();
        assert!((126..=130).contains(&brightest), "{brightest}");
        // And nothing is left over for the next line.
        assert!(canvas.scratch.spans.is_empty() && canvas.scratch.mask.iter().all(|&covered| covered == 0));
    }

    #[test]
    fn a_line_from_beyond_to_beyond_crosses_the_canvas() {
        let mut canvas = Canvas::new(40, 40);
        canvas.stroke(&[point(-1e9, -1e9, 1.0), point(1e9, 1e9, 1.0)], 0xFFFFFF);
        assert!((0..40).all(|i| at(&canvas, i, i) == 255));
        assert_eq!((at(&canvas, 30, 5), at(&canvas, 5, 30)), (0, 0));
        // A point that is not one interrupts the line on both sides.
        canvas.clear(0);
        canvas.stroke(&[point(0.0, 20.0, 1.0), point(f32::NAN, 20.0, 1.0), point(40.0, 20.0, 1.0)], 0xFFFFFF);
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
    }

    fn points() -> impl Strategy<Value = StrokePoint> {
        let number = || {
            prop_oneof![
                4 => -20f32..60.0,
                1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, -1e9, 1e9, f32::MAX, f32::MIN, 0.0]),
            ]
        };
        (number(), number(), number(), number()).prop_map(|(x, y, alpha, width)| StrokePoint {
            x,
            y,
            alpha,
            width,
        })
    }

    proptest! {
        #[test]
        fn any_points_are_safe(line in prop::collection::vec(points(), 0..8), w in 0usize..40, h in 0usize..40) {
            let mut canvas = Canvas::new(w, h);
            canvas.stroke(&line, 0xFFFFFF);
            prop_assert!(canvas.scratch.mask.iter().all(|&covered| covered == 0));
            prop_assert!(canvas.pixels().iter().all(|pixel| pixel >> 24 == 0));
        }
    }
}
