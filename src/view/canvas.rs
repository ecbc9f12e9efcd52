//! The pixels that everything is drawn on, and the plain shapes: rectangles, outlines, coverage masks.
//! Thick lines live in `stroke.rs`. Knows no tracks and no text.
//!
//! Every shape takes any `f32` coordinates, infinite and NaN included: what is not a number is not drawn, what lies
//! outside is clipped before any loop, so that no call costs more than a pass over the canvas.

use super::blend::{Scratch, mix, mix_row, weight};
use crate::frame::{MAX_AREA, MAX_SIDE, Picture, Raster};
use crate::geometry::Rect;

/// A colour with its opacity, to draw with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paint {
    /// `0x00RRGGBB`.
    pub rgb: u32,
    /// `0.0` leaves what is there, `1.0` covers it.
    pub alpha: f32,
}

impl Paint {
    /// A colour that covers.
    pub const fn solid(rgb: u32) -> Self {
        Self { rgb, alpha: 1.0 }
    }

    /// A colour that lets `1 - alpha` of what is below through.
    pub const fn new(rgb: u32, alpha: f32) -> Self {
        Self { rgb, alpha }
    }

    /// The same colour with its opacity multiplied.
    pub fn faded(self, factor: f32) -> Self {
        Self { rgb: self.rgb, alpha: self.alpha * factor }
    }
}

/// A picture to draw on: one `u32` a pixel, `0x00RRGGBB`, top row first, rows without padding, as windows take it.
/// In memory on little-endian machines: B, G, R, 0.
#[derive(Debug, Clone, Default)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
    pub(super) scratch: Scratch,
}

impl PartialEq for Canvas {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height, &self.pixels) == (other.width, other.height, &other.pixels)
    }
}

impl Eq for Canvas {}

impl<'a> From<&'a Canvas> for Raster<'a> {
    fn from(canvas: &'a Canvas) -> Self {
        // A canvas always has the pixels of its size.
        Raster::new(canvas.width, canvas.height, &canvas.pixels).unwrap_or(Raster::EMPTY)
    }
}

impl Canvas {
    /// A black canvas of `width × height` pixels, cut down to [`MAX_SIDE`] a side and [`MAX_AREA`] in all.
    pub fn new(width: usize, height: usize) -> Self {
        let mut canvas = Self::default();
        canvas.resize(width, height);
        canvas
    }

    /// Takes another size (cut down as in [`Canvas::new`]), keeping the buffer where it fits. A canvas that changes its
    /// size turns black; one that keeps it keeps its pixels.
    pub fn resize(&mut self, width: usize, height: usize) {
        let width = width.min(MAX_SIDE as usize);
        let height = height.min(MAX_SIDE as usize).min(MAX_AREA as usize / width.max(1));
        if (width, height) != (self.width, self.height) {
            (self.width, self.height) = (width, height);
            self.pixels.clear();
            self.pixels.resize(width * height, 0);
        }
    }

    /// Takes the size and the pixels of a picture, keeping the buffer where it fits.
    pub fn copy_from(&mut self, picture: &Picture) {
        (self.width, self.height) = (picture.width() as usize, picture.height() as usize);
        self.pixels.clear();
        self.pixels.extend(picture.rgb().iter().map(|&[r, g, b]| u32::from_be_bytes([0, r, g, b])));
    }

    /// Writes the pixels as R, G, B bytes, row by row, into a buffer that is emptied first.
    pub fn write_rgb(&self, rgb: &mut Vec<u8>) {
        rgb.clear();
        rgb.resize(self.pixels.len() * 3, 0);
        for (to, &pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(&self.pixels) {
            let [_, r, g, b] = pixel.to_be_bytes();
            *to = [r, g, b];
        }
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `0x00RRGGBB`, row by row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// `0x00RRGGBB`, row by row, to write to.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels
    }

    /// One colour everywhere.
    pub fn clear(&mut self, rgb: u32) {
        self.pixels.fill(rgb & 0x00FF_FFFF);
    }

    /// The pixels `from..to` of row `y`, cut to the canvas; empty outside of it.
    pub fn row_mut(&mut self, y: usize, from: usize, to: usize) -> &mut [u32] {
        let (from, to) = (from.min(self.width), to.min(self.width));
        if y >= self.height || from >= to {
            return &mut [];
        }
        let start = y * self.width;
        &mut self.pixels[start + from..start + to]
    }

    /// A filled rectangle with anti-aliased edges.
    pub fn fill(&mut self, rect: Rect, paint: Paint) {
        let Some((columns, rows)) = self.spans(&rect) else { return };
        for y in rows.pixels() {
            self.cover(y, columns, rows.coverage(y), paint);
        }
    }

    /// A filled rectangle with round corners of this radius in pixels (cut to half the shorter side).
    pub fn fill_rounded(&mut self, rect: Rect, radius: f32, paint: Paint) {
        let radius = radius.min(rect.width / 2.0).min(rect.height / 2.0);
        // Written so that NaN counts as no radius; what is larger than any canvas has no visible corner.
        if !(radius > 0.25 && radius < 4096.0) {
            return self.fill(rect, paint);
        }
        let Some((columns, rows)) = self.spans(&rect) else { return };
        let (near, far) = (rect.left + radius, rect.right() - radius);
        // Whole columns between the corners.
        let from = near.ceil().clamp(columns.from, columns.to);
        let to = far.floor().clamp(from, columns.to);
        for y in rows.pixels() {
            let row = rows.coverage(y);
            let centre = y as f32 + 0.5;
            let dy = (rect.top + radius - centre).max(centre - (rect.bottom() - radius));
            if dy <= 0.0 {
                self.cover(y, columns, row, paint);
                continue;
            }
            if from < to {
                self.cover(y, Span { from, to }, row * (radius + 0.5 - dy).clamp(0.0, 1.0), paint);
            }
            for end in [Span { from: columns.from, to: from }, Span { from: to, to: columns.to }] {
                for x in end.pixels() {
                    let centre = x as f32 + 0.5;
                    let dx = (near - centre).max(centre - far).max(0.0);
                    let corner = (radius + 0.5 - dx.hypot(dy)).clamp(0.0, 1.0);
                    self.blend(x, y, paint.rgb, corner * row * end.coverage(x) * paint.alpha);
                }
            }
        }
    }

    /// The outline of a rectangle, `width` pixels thick, half of it outside and half inside of the edges.
    pub fn outline(&mut self, rect: Rect, width: f32, paint: Paint) {
        let outer = grown(&rect, width / 2.0);
        let inner = grown(&rect, -width / 2.0);
        if !(inner.width > 0.0 && inner.height > 0.0) {
            return self.fill(outer, paint);
        }
        let Some((columns, rows)) = self.spans(&outer) else { return };
        let (hole_x, hole_y) =
            (Span { from: inner.left, to: inner.right() }, Span { from: inner.top, to: inner.bottom() });
        let (start, end) = (columns.from.floor() as usize, columns.to.ceil() as usize);
        let left = inner.left.clamp(columns.from, columns.to).ceil() as usize;
        let right = (inner.right().clamp(columns.from, columns.to).floor() as usize).max(left);
        for y in rows.pixels() {
            let (outside, hole) = (rows.coverage(y), hole_y.coverage(y));
            if hole <= 0.0 {
                self.cover(y, columns, outside, paint);
                continue;
            }
            // The exact coverage of the ring: the outer area of each pixel minus the hole's share of it.
            for x in (start..left).chain(right..end) {
                let ring = outside * columns.coverage(x) - hole * hole_x.coverage(x);
                self.blend(x, y, paint.rgb, ring * paint.alpha);
            }
            if outside > hole {
                mix_row(self.row_mut(y, left, right), paint.rgb, weight((outside - hole) * paint.alpha));
            }
        }
    }

    /// The outline of a rectangle in dashes, `width` pixels thick. Dashes begin and end in the corners, so the gaps are
    /// as near to `gap` as that allows; a side too short for two dashes of `dash` pixels gets shorter ones.
    pub fn outline_dashed(&mut self, rect: Rect, width: f32, dash: f32, gap: f32, paint: Paint) {
        let outer = grown(&rect, width / 2.0);
        let inner = grown(&rect, -width / 2.0);
        if !(inner.width > 0.0 && inner.height > 0.0 && dash > 0.0 && gap > 0.0) {
            return self.fill(outer, paint);
        }
        let (canvas_width, canvas_height) = (self.width as f64, self.height as f64);
        for (from, to) in dashes(outer.left, outer.right(), dash, gap, canvas_width) {
            self.fill(Rect::from_edges(from, outer.top, to, inner.top), paint);
            self.fill(Rect::from_edges(from, inner.bottom(), to, outer.bottom()), paint);
        }
        for (from, to) in dashes(outer.top, outer.bottom(), dash, gap, canvas_height) {
            // The corners already belong to the horizontal sides.
            let (from, to) = (from.max(inner.top), to.min(inner.bottom()));
            self.fill(Rect::from_edges(outer.left, from, inner.left, to), paint);
            self.fill(Rect::from_edges(inner.right(), from, outer.right(), to), paint);
        }
    }

    /// Draws with a mask of `width` columns, one byte a pixel (255 covers), its top-left corner at (`left`, `top`).
    pub fn stamp(&mut self, left: i64, top: i64, width: usize, mask: &[u8], paint: Paint) {
        if width == 0 {
            return;
        }
        let skip = usize::try_from(left.saturating_neg()).unwrap_or(0);
        let from = usize::try_from(left).unwrap_or(0);
        if skip >= width {
            return;
        }
        for (row, coverage) in mask.chunks_exact(width).enumerate() {
            let Ok(y) = usize::try_from(top.saturating_add(row as i64)) else { continue };
            if y >= self.height {
                break;
            }
            let pixels = self.row_mut(y, from, from.saturating_add(width - skip));
            for (pixel, &covered) in pixels.iter_mut().zip(&coverage[skip..]) {
                if covered > 0 {
                    *pixel = mix(*pixel, paint.rgb, weight(paint.alpha * f32::from(covered) / 255.0));
                }
            }
        }
    }

    /// Mixes a colour into one pixel; nothing outside of the canvas.
    fn blend(&mut self, x: usize, y: usize, rgb: u32, alpha: f32) {
        if let [pixel] = self.row_mut(y, x, x + 1) {
            *pixel = mix(*pixel, rgb, weight(alpha));
        }
    }

    /// Mixes a colour into a stretch of a row, its ends by how much of the pixel they cover.
    fn cover(&mut self, y: usize, span: Span, coverage: f32, paint: Paint) {
        let alpha = coverage * paint.alpha;
        let (first, last) = (span.from.floor(), span.to.ceil() - 1.0);
        let (whole_from, whole_to) = (span.from.ceil() as usize, span.to.floor() as usize);
        if first < span.from {
            self.blend(first as usize, y, paint.rgb, alpha * span.coverage(first as usize));
        }
        if last + 1.0 > span.to && (last > first || first >= span.from) {
            self.blend(last as usize, y, paint.rgb, alpha * span.coverage(last as usize));
        }
        if whole_from < whole_to {
            mix_row(self.row_mut(y, whole_from, whole_to), paint.rgb, weight(alpha));
        }
    }

    /// The columns and rows of a rectangle that lie in the canvas.
    fn spans(&self, rect: &Rect) -> Option<(Span, Span)> {
        let columns = Span::clipped(rect.left, rect.right(), self.width)?;
        let rows = Span::clipped(rect.top, rect.bottom(), self.height)?;
        Some((columns, rows))
    }
}

/// A stretch of an axis in pixels.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: f32,
    to: f32,
}

impl Span {
    /// The part within `0..length`; `None` where there is none or an end is not a number.
    fn clipped(from: f32, to: f32, length: usize) -> Option<Self> {
        let span = Self { from: from.max(0.0), to: to.min(length as f32) };
        (!from.is_nan() && !to.is_nan() && span.from < span.to).then_some(span)
    }

    /// The pixels it touches.
    fn pixels(self) -> std::ops::Range<usize> {
        self.from.max(0.0).floor() as usize..self.to.ceil() as usize
    }

    /// How much of a pixel it covers, `0.0..=1.0`.
    fn coverage(self, pixel: usize) -> f32 {
        let start = pixel as f32;
        (self.to.min(start + 1.0) - self.from.max(start)).clamp(0.0, 1.0)
    }
}

/// The rectangle with each edge moved outwards.
fn grown(rect: &Rect, by: f32) -> Rect {
    Rect::from_edges(rect.left - by, rect.top - by, rect.right() + by, rect.bottom() + by)
}

/// Where the dashes of one side begin and end, those that touch `0..visible` only: a side may be a billion pixels long.
fn dashes(from: f32, to: f32, dash: f32, gap: f32, visible: f64) -> impl Iterator<Item = (f32, f32)> {
    let (from, length) = (f64::from(from), f64::from(to) - f64::from(from));
    let (dash, gap) = (f64::from(dash).max(1.0).min(length * 0.35), f64::from(gap).max(1.0));
    let count = ((length + gap) / (dash + gap)).round().max(2.0);
    let period = (length - dash) / (count - 1.0);
    let first = ((-from - dash) / period).floor().clamp(0.0, count);
    let last = ((visible - from) / period).ceil().clamp(0.0, count);
    // NaN and infinite sides become an empty range here.
    (first as u64..last as u64).map(move |index| {
        let start = from + index as f64 * period;
        (start as f32, (start + dash) as f32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHITE: Paint = Paint::solid(0xFFFFFF);

    /// How much of a white shape lies in a pixel of a black canvas, `0..=255`.
    fn at(canvas: &Canvas, x: usize, y: usize) -> u32 {
        canvas.pixels()[y * canvas.width() + x] & 0xFF
    }

    #[test]
    fn a_fill_covers_its_area_exactly() {
        let mut canvas = Canvas::new(8, 6);
        canvas.fill(Rect::from_edges(1.25, 1.5, 4.5, 3.0), WHITE);
        let row = |y| (0..6).map(|x| at(&canvas, x, y)).collect::<Vec<_>>();
        assert_eq!(row(0), [0; 6]);
        assert_eq!(row(1), [0, 96, 128, 128, 64, 0]);
        assert_eq!(row(2), [0, 191, 255, 255, 128, 0]);
        assert_eq!(row(3), [0; 6]);
        // Thinner than a pixel, and within one.
        canvas.clear(0);
        canvas.fill(Rect::from_edges(2.25, 0.0, 2.75, 1.0), WHITE);
        assert_eq!(at(&canvas, 2, 0), 128);
        assert_eq!((at(&canvas, 1, 0), at(&canvas, 3, 0)), (0, 0));
    }

    #[test]
    fn translucency_mixes_each_channel() {
        let mut canvas = Canvas::new(2, 1);
        canvas.clear(0x204060);
        canvas.fill(Rect::new(0.0, 0.0, 1.0, 1.0), Paint::new(0xE0A020, 0.5));
        assert_eq!(canvas.pixels(), [0x807040, 0x204060]);
    }

    #[test]
    fn an_outline_lies_on_the_edge_and_nowhere_else() {
        let mut canvas = Canvas::new(20, 20);
        canvas.outline(Rect::new(5.0, 5.0, 10.0, 8.0), 2.0, WHITE);
        for (x, y, value) in [
            (4, 4, 255),
            (5, 5, 255),
            (6, 6, 0),
            (3, 8, 0),
            (4, 8, 255),
            (15, 13, 255),
            (16, 13, 0),
            (10, 12, 255),
            (10, 14, 0),
        ] {
            assert_eq!(at(&canvas, x, y), value, "{x},{y}");
        }
        // Between pixels: the same amount of light, spread over one more.
        let sum = |canvas: &Canvas| canvas.pixels().iter().map(|pixel| pixel & 0xFF).sum::<u32>();
        let whole = sum(&canvas);
        canvas.clear(0);
        canvas.outline(Rect::new(5.3, 5.6, 10.0, 8.0), 2.0, WHITE);
        assert!(sum(&canvas).abs_diff(whole) < 60, "{} and {whole}", sum(&canvas));
        assert!((1..255).contains(&at(&canvas, 4, 9)));
    }

    #[test]
    fn dashes_leave_gaps_and_hold_the_corners() {
        let mut canvas = Canvas::new(100, 60);
        canvas.outline_dashed(Rect::new(10.0, 10.0, 80.0, 40.0), 2.0, 6.0, 4.0, WHITE);
        let line: Vec<_> = (9..91).map(|x| at(&canvas, x, 9)).collect();
        assert!(line[0] == 255 && line[81] == 255);
        assert!(line.contains(&0), "no gap");
        let turns = line.windows(2).filter(|pair| (pair[0] > 127) != (pair[1] > 127)).count();
        assert_eq!(turns, 2 * 8, "nine dashes on 82 pixels: {line:?}");
        assert!((9..51).any(|y| at(&canvas, 9, y) == 0), "no gap on the left side");
    }

    #[test]
    fn round_corners_are_round() {
        let mut canvas = Canvas::new(20, 20);
        canvas.fill_rounded(Rect::new(2.0, 2.0, 16.0, 16.0), 5.0, WHITE);
        assert_eq!((at(&canvas, 2, 2), at(&canvas, 17, 17)), (0, 0));
        assert_eq!((at(&canvas, 10, 2), at(&canvas, 2, 10), at(&canvas, 10, 10)), (255, 255, 255));
        let area: u32 = canvas.pixels().iter().map(|pixel| pixel & 0xFF).sum();
        let exact = 255.0 * (256.0 - (4.0 - std::f32::consts::PI) * 25.0);
        assert!((area as f32 - exact).abs() < 0.01 * exact, "{area} instead of {exact}");
    }

    #[test]
    fn a_stamp_is_cut_at_every_edge() {
        let mut canvas = Canvas::new(4, 4);
        let mask = [255; 9];
        for (left, top, pixels) in [
            (-1, -1, 4),
            (2, 2, 4),
            (-2, 1, 3),
            (-3, 0, 0),
            (4, 0, 0),
            (0, 4, 0),
            (i64::MIN, 0, 0),
            (i64::MAX, i64::MAX, 0),
        ] {
            canvas.clear(0);
            canvas.stamp(left, top, 3, &mask, WHITE);
            assert_eq!(canvas.pixels().iter().filter(|&&pixel| pixel > 0).count(), pixels, "{left},{top}");
        }
    }

    #[test]
    fn sizes_are_cut_down_before_memory_is_taken() {
        let canvas = Canvas::new(usize::MAX, 3);
        assert_eq!((canvas.width(), canvas.height()), (MAX_SIDE as usize, 3));
        assert_eq!(Canvas::new(0, usize::MAX).pixels().len(), 0);
    }

    #[test]
    fn rgb_bytes_come_out_as_they_went_in() {
        let picture = Picture::new(2, 1, vec![1, 2, 3, 250, 251, 252]).unwrap();
        let (mut canvas, mut rgb) = (Canvas::default(), vec![9; 99]);
        canvas.copy_from(&picture);
        canvas.write_rgb(&mut rgb);
        assert_eq!(rgb, picture.pixels());
    }

    fn numbers() -> impl Strategy<Value = f32> {
        prop_oneof![
            4 => -20f32..60.0,
            1 => prop::sample::select(vec![
                f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9, f32::MAX, f32::MIN, 0.0, 1e-30
            ]),
        ]
    }

    proptest! {
        #[test]
        fn any_coordinates_are_safe_and_stay_in_their_box(
            (left, top, width, height) in (numbers(), numbers(), numbers(), numbers()),
            (a, b, c) in (numbers(), numbers(), numbers()),
            (w, h) in (0usize..40, 0usize..40),
        ) {
            let rect = Rect::new(left, top, width, height);
            let mut canvas = Canvas::new(w, h);
            canvas.fill(rect, Paint::new(0xFFFFFF, a));
            canvas.fill_rounded(rect, a, WHITE);
            for y in 0..h {
                for x in 0..w {
                    let (px, py) = (x as f32, y as f32);
                    let touched = px + 1.0 > rect.left && py + 1.0 > rect.top && px < rect.right() && py < rect.bottom();
                    prop_assert!(touched || at(&canvas, x, y) == 0);
                }
            }
            canvas.outline(rect, a, WHITE);
            canvas.outline_dashed(rect, a, b, c, WHITE);
            prop_assert!(canvas.pixels().iter().all(|pixel| pixel >> 24 == 0));
        }
    }
}
