//! What a network tells of an object beside its upright box, drawn: its pixels, how it lies, the points of its body.

use super::canvas::{Canvas, Paint};
use super::mapping::Mapping;
use super::stroke::StrokePoint;
use super::theme::{LINE, SEAM};
use crate::detection::{Keypoint, LEAST_POINT, Mask};
use crate::geometry::{Rect, TurnedRect};

/// Which of the 17 points of a body in COCO belong together: head, arms, trunk, legs.
const SKELETON: [(usize, usize); 16] = [
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (5, 6),
    (5, 7),
    (7, 9),
    (6, 8),
    (8, 10),
    (5, 11),
    (6, 12),
    (11, 12),
    (11, 13),
    (13, 15),
    (12, 14),
    (14, 16),
];

/// Where and how it is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// From pixels of the source to the canvas.
    pub(super) mapping: Mapping,
    /// How far the object has moved since it was seen, in pixels of the source.
    pub(super) moved: (f32, f32),
    /// `0x00RRGGBB`.
    pub(super) colour: u32,
    /// 1, or less where another track is chosen.
    pub(super) strength: f32,
    /// The size of lines.
    pub(super) scale: f32,
}

impl Look {
    /// A point of the source on the canvas, moved on to the time shown.
    fn place(&self, (x, y): (f32, f32)) -> (f32, f32) {
        self.mapping.to_canvas(x + self.moved.0, y + self.moved.1)
    }
}

/// How strongly the pixels of an object are tinted, and their outline: coverages of a mask.
const TINT: u8 = 85;
const OUTLINE: u8 = 215;

/// The pixels of an object: tinted, with an outline.
pub(super) fn draw_mask(canvas: &mut Canvas, mask: &Mask, look: &Look) {
    let rect = mask.rect();
    let (left, top) = look.place((rect.left, rect.top));
    let on_canvas = look.mapping.rect_to_canvas(&Rect { left: 0.0, top: 0.0, ..rect });
    let on_canvas = Rect { left, top, width: on_canvas.width, height: on_canvas.height };
    // What lies outside of the canvas needs no pixels, but for what tells an outline from the inside.
    let line = (LINE * look.scale / 2.0).round().clamp(1.0, 16.0);
    let seen =
        Rect::new(-line, -line, canvas.width() as f32 + 2.0 * line, canvas.height() as f32 + 2.0 * line);
    let part = |from: f32, to: f32, (least, most): (f32, f32)| {
        let [from, to] = [from.floor(), to.ceil()].map(|place| place.clamp(least, most) as i64);
        (from, (to - from).max(0) as usize)
    };
    let (left, width) = part(on_canvas.left, on_canvas.right(), (seen.left, seen.right()));
    let (top, height) = part(on_canvas.top, on_canvas.bottom(), (seen.top, seen.bottom()));
    if width == 0 || height == 0 || !on_canvas.is_sound() {
        return;
    }
    let inside = inside(mask, &on_canvas, (left, top), (width, height));
    let line = line as usize;
    let at = |x: Option<usize>, y: Option<usize>| match (x, y) {
        (Some(x), Some(y)) if x < width && y < height => inside[y * width + x],
        _ => false,
    };
    let coverage = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| {
        let deep = at(x.checked_sub(line), Some(y))
            && at(Some(x + line), Some(y))
            && at(Some(x), y.checked_sub(line))
            && at(Some(x), Some(y + line));
        match (at(Some(x), Some(y)), deep) {
            (false, _) => 0,
            (true, true) => TINT,
            (true, false) => OUTLINE,
        }
    });
    canvas.stamp(left, top, width, &coverage.collect::<Vec<u8>>(), Paint::new(look.colour, look.strength));
}

/// Which pixels of a part of the canvas are the object's, row by row: those whose middle lies in one of its cells.
fn inside(mask: &Mask, on_canvas: &Rect, first: (i64, i64), (width, height): (usize, usize)) -> Vec<bool> {
    let cells = mask.cells();
    let (across, down) = (on_canvas.width / cells.0 as f32, on_canvas.height / cells.1 as f32);
    // The first pixel of the part whose middle does not lie before a cell.
    let pixel = |cell: u32, size: f32, begin: f32, first: i64, most: usize| {
        (begin + cell as f32 * size - first as f32 - 0.5).ceil().clamp(0.0, most as f32) as usize
    };
    let mut inside = vec![false; width * height];
    for span in mask.spans() {
        let column = |column: u32| pixel(column, across, on_canvas.left, first.0, width);
        let row = |row: u32| pixel(row, down, on_canvas.top, first.1, height);
        for x in column(span.column)..column(span.column + 1) {
            for y in row(span.from)..row(span.to) {
                inside[y * width + x] = true;
            }
        }
    }
    inside
}

/// The frame of an object that lies askew.
pub(super) fn draw_turned(canvas: &mut Canvas, turned: &TurnedRect, look: &Look) {
    let [a, b, c, d] = turned.corners().map(|corner| look.place(corner));
    let width = LINE * look.scale;
    for (width, paint) in [(width + 2.0, SEAM), (width, Paint::solid(look.colour))] {
        let alpha = paint.alpha * look.strength;
        // The middle of a side is where the line begins, so that all four corners are joints.
        let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        let line = [middle, b, c, d, a, middle].map(|(x, y)| StrokePoint { x, y, alpha, width });
        canvas.stroke(&line, paint.rgb);
    }
}

/// The points of a body, with the lines between them where they are those of COCO.
pub(super) fn draw_keypoints(canvas: &mut Canvas, points: &[Keypoint], look: &Look) {
    let place = |point: &Keypoint| look.place((point.x, point.y));
    let is_drawn =
        |point: &&Keypoint| point.score >= LEAST_POINT && point.x.is_finite() && point.y.is_finite();
    let Look { colour, strength, scale, .. } = *look;
    if points.len() == 17 {
        for (a, b) in SKELETON {
            let ends = [a, b].map(|number| points.get(number).filter(is_drawn));
            let [Some(a), Some(b)] = ends else { continue };
            let line = [a, b].map(|point| {
                let (x, y) = place(point);
                StrokePoint { x, y, alpha: 0.9 * strength, width: LINE * scale }
            });
            canvas.stroke(&line, colour);
        }
    }
    for point in points.iter().filter(is_drawn) {
        let (x, y) = place(point);
        for (radius, paint) in [(2.5, SEAM.faded(strength)), (1.8, Paint::new(colour, strength))] {
            let radius = radius * scale;
            canvas.fill_rounded(Rect::from_center(x, y, 2.0 * radius, 2.0 * radius), radius, paint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOUR: u32 = 0x3090F0;

    fn look() -> Look {
        Look { mapping: Mapping::identity(), moved: (0.0, 0.0), colour: COLOUR, strength: 1.0, scale: 1.0 }
    }

    fn drawn(draw: impl FnOnce(&mut Canvas)) -> Canvas {
        let mut canvas = Canvas::new(320, 200);
        draw(&mut canvas);
        canvas
    }

    fn pixels(canvas: &Canvas) -> usize {
        canvas.pixels().iter().filter(|pixel| **pixel != 0).count()
    }

    #[test]
    fn points_of_a_body_are_drawn_where_they_are_told() {
        let all: Vec<Keypoint> =
            (0..17).map(|n| Keypoint { x: 110.0 + n as f32, y: 60.0 + 5.0 * n as f32, score: 0.9 }).collect();
        let count = |points: &[Keypoint]| pixels(&drawn(|canvas| draw_keypoints(canvas, points, &look())));
        let body = count(&all);
        assert!(body > 200, "{body}");
        // Other points than those of a body have no lines between them, weak ones and odd ones are left out.
        let odd = |change: fn(&mut Keypoint)| {
            let mut points = all.clone();
            points.iter_mut().for_each(change);
            count(&points)
        };
        assert_eq!((odd(|point| point.score = 0.1), odd(|point| point.x = f32::NAN)), (0, 0));
        let five = count(&all[..5]);
        assert!(five > 0 && five < body / 2);
    }

    /// A disc of radius 30 about (100, 80), in a mask over its box.
    fn disc() -> Mask {
        let rect = Rect::new(70.0, 50.0, 60.0, 60.0);
        let inside = |x: u32, y: u32| (x as f32 - 29.5).hypot(y as f32 - 29.5) < 30.0;
        Mask::new(rect, (60, 60), inside).unwrap()
    }

    #[test]
    fn a_mask_is_tinted_and_has_an_outline() {
        let canvas = drawn(|canvas| draw_mask(canvas, &disc(), &look()));
        let at = |x: usize, y: usize| canvas.pixels()[y * 320 + x];
        let blue = |pixel: u32| pixel & 0xFF;
        assert!((60..100).contains(&blue(at(100, 80))), "{:x}", at(100, 80));
        assert!(blue(at(100, 50)) > 180 && blue(at(70, 80)) > 180, "{:x}", at(100, 50));
        assert_eq!((at(72, 52), at(100, 49), at(131, 80)), (0, 0, 0));
        let area = std::f64::consts::PI * 900.0;
        assert!((pixels(&canvas) as f64 - area).abs() < 0.02 * area, "{}", pixels(&canvas));
        // Half as large it has a quarter of the pixels, and is as light: nothing is painted twice.
        let mapping = Mapping { scale: 0.5, left: 3.3, top: 2.7 };
        let small = drawn(|canvas| draw_mask(canvas, &disc(), &Look { mapping, ..look() }));
        assert!((pixels(&small) as f64 - area / 4.0).abs() < 0.05 * area / 4.0, "{}", pixels(&small));
        let most = small.pixels().iter().map(|&pixel| blue(pixel)).max();
        assert_eq!(most, canvas.pixels().iter().map(|&pixel| blue(pixel)).max());
    }

    #[test]
    fn a_mask_is_cut_at_the_canvas_and_has_no_outline_there() {
        let whole = Mask::new(Rect::new(-500.0, -500.0, 2000.0, 2000.0), (4, 4), |_, _| true).unwrap();
        let canvas = drawn(|canvas| draw_mask(canvas, &whole, &look()));
        assert!(
            canvas.pixels().iter().all(|&pixel| pixel == canvas.pixels()[0]) && pixels(&canvas) == 64_000
        );
        for (scale, left) in [(32.0, -1e9), (1e-9, 0.0), (f64::NAN, 0.0), (1.0, f64::INFINITY), (1e30, 0.0)] {
            let look = Look { mapping: Mapping { scale, left, top: 0.0 }, ..look() };
            drop(drawn(|canvas| draw_mask(canvas, &whole, &look)));
        }
        draw_mask(&mut Canvas::new(0, 0), &whole, &look());
    }

    #[test]
    fn a_turned_frame_goes_through_its_corners_and_moves_on() {
        let turned = TurnedRect { x: 120.0, y: 100.0, width: 100.0, height: 40.0, angle: 0.5 };
        let at = |canvas: &Canvas, (x, y): (f32, f32)| canvas.pixels()[y as usize * 320 + x as usize];
        let still = drawn(|canvas| draw_turned(canvas, &turned, &look()));
        let moved = drawn(|canvas| draw_turned(canvas, &turned, &Look { moved: (60.0, 10.0), ..look() }));
        for corner in turned.corners() {
            assert_eq!(at(&still, corner), COLOUR, "{corner:?}");
            assert_eq!(at(&moved, (corner.0 + 60.0, corner.1 + 10.0)), COLOUR, "{corner:?}");
        }
        assert_eq!(
            (at(&still, (120.0, 100.0)), at(&still, (70.0, 80.0))),
            (0, 0),
            "nothing within nor in the hull"
        );
        let odd = TurnedRect { angle: f32::NAN, ..turned };
        assert_eq!(pixels(&drawn(|canvas| draw_turned(canvas, &odd, &look()))), 0);
    }
}
