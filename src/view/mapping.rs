//! From pixels of the source to pixels of the canvas and back: fit, 1:1, fill, zoom and pan.
//! Painting the picture through a mapping is `scaler.rs`.

use crate::geometry::Rect;

/// The largest zoom.
pub const MAX_ZOOM: f64 = 32.0;

/// An even scaling and a shift: `canvas = shift + scale × source`, the same scale for both axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapping {
    /// Canvas pixels for one source pixel, above 0.
    pub scale: f64,
    /// Where the source's left edge lies, in canvas pixels.
    pub left: f64,
    /// Where the source's top edge lies, in canvas pixels.
    pub top: f64,
}

impl Mapping {
    /// The canvas has the pixels of the source: recorded video.
    pub const fn identity() -> Self {
        Self { scale: 1.0, left: 0.0, top: 0.0 }
    }

    /// A point of the source on the canvas.
    pub fn to_canvas(&self, x: f32, y: f32) -> (f32, f32) {
        let place = |shift: f64, value: f32| (shift + self.scale * f64::from(value)) as f32;
        (place(self.left, x), place(self.top, y))
    }

    /// A point of the canvas in the source.
    pub fn to_source(&self, x: f32, y: f32) -> (f32, f32) {
        let place = |shift: f64, value: f32| ((f64::from(value) - shift) / self.scale) as f32;
        (place(self.left, x), place(self.top, y))
    }

    /// A box of the source on the canvas.
    pub fn rect_to_canvas(&self, rect: &Rect) -> Rect {
        let (left, top) = self.to_canvas(rect.left, rect.top);
        let scale = self.scale as f32;
        Rect::new(left, top, rect.width * scale, rect.height * scale)
    }
}

/// How large the picture is at zoom 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// As large as the canvas holds whole, with bars where the shapes differ.
    #[default]
    Fit,
    /// One pixel of the source on one of the canvas.
    Actual,
    /// As small as covers the canvas, with two sides cut where the shapes differ.
    Fill,
}

impl Fit {
    /// The next way, cyclically.
    pub fn next(self) -> Self {
        match self {
            Self::Fit => Self::Actual,
            Self::Actual => Self::Fill,
            Self::Fill => Self::Fit,
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Actual => "1:1",
            Self::Fill => "fill",
        }
    }
}

/// The part of the picture that is shown, in shares of the picture, so that it stays valid when the window or the source
/// changes its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    fit: Fit,
    /// `1.0..=MAX_ZOOM`, times what `fit` gives.
    zoom: f64,
    /// The share of the picture, to the right and down, in the middle of the canvas.
    center: (f64, f64),
}

impl Default for Viewport {
    fn default() -> Self {
        Self { fit: Fit::Fit, zoom: 1.0, center: (0.5, 0.5) }
    }
}

/// A picture and the canvas that it is shown on, both in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Width and height of the source picture.
    pub source: (u32, u32),
    /// Width and height of the canvas.
    pub canvas: (usize, usize),
}

impl Sizes {
    /// Width and height of picture and canvas, none below one pixel.
    fn numbers(&self) -> ((f64, f64), (f64, f64)) {
        let source = (f64::from(self.source.0.max(1)), f64::from(self.source.1.max(1)));
        (source, (self.canvas.0.max(1) as f64, self.canvas.1.max(1) as f64))
    }
}

impl Viewport {
    /// How large the picture is at zoom 1.
    pub fn fit(&self) -> Fit {
        self.fit
    }

    /// The zoom, `1.0..=MAX_ZOOM`.
    pub fn zoom(&self) -> f64 {
        self.zoom
    }

    /// Shows the whole picture in the next way, without zoom.
    pub fn next_fit(&mut self) {
        *self = Self { fit: self.fit.next(), ..Self::default() };
    }

    /// The mapping for these sizes. The picture never leaves an edge of the canvas that it can reach, and is centred
    /// where it is smaller than the canvas. At scale 1 it lies on whole pixels, so that nothing is blurred.
    pub fn mapping(&self, sizes: Sizes) -> Mapping {
        let scale = self.scale(sizes);
        let (source, canvas) = sizes.numbers();
        let place = |source: f64, canvas: f64, center: f64| {
            let length = source * scale;
            let start = if length <= canvas {
                (canvas - length) / 2.0
            } else {
                (canvas / 2.0 - center * length).clamp(canvas - length, 0.0)
            };
            if scale == 1.0 { start.round() } else { start }
        };
        Mapping {
            scale,
            left: place(source.0, canvas.0, self.center.0),
            top: place(source.1, canvas.1, self.center.1),
        }
    }

    /// Zooms by `factor`; the point of the picture under (`x`, `y`), in canvas pixels, stays there where an edge of
    /// the picture does not hold it back.
    pub fn zoom_about(&mut self, sizes: Sizes, x: f32, y: f32, factor: f64) {
        let zoom = (self.zoom * factor).clamp(1.0, MAX_ZOOM);
        if !(zoom.is_finite() && x.is_finite() && y.is_finite()) {
            return;
        }
        let before = self.mapping(sizes);
        self.zoom = zoom;
        let scale = self.scale(sizes);
        let (x, y) = (f64::from(x), f64::from(y));
        let (left, top) =
            (x - (x - before.left) / before.scale * scale, y - (y - before.top) / before.scale * scale);
        self.look_at(sizes, Mapping { scale, left, top });
    }

    /// Moves the picture by so many canvas pixels, as far as its edges allow.
    pub fn pan(&mut self, sizes: Sizes, dx: f32, dy: f32) {
        if dx.is_finite() && dy.is_finite() {
            let now = self.mapping(sizes);
            let moved = Mapping { left: now.left + f64::from(dx), top: now.top + f64::from(dy), ..now };
            self.look_at(sizes, moved);
        }
    }

    /// Takes over the centre of a mapping, as [`Viewport::mapping`] lets it be.
    fn look_at(&mut self, sizes: Sizes, wanted: Mapping) {
        let (source, canvas) = sizes.numbers();
        let center = |shift: f64, source: f64, canvas: f64| (canvas / 2.0 - shift) / (source * wanted.scale);
        self.center = (center(wanted.left, source.0, canvas.0), center(wanted.top, source.1, canvas.1));
        // Motion beyond an edge is dropped, or the next movement would first have to undo it.
        let held = self.mapping(sizes);
        self.center = (center(held.left, source.0, canvas.0), center(held.top, source.1, canvas.1));
    }

    fn scale(&self, sizes: Sizes) -> f64 {
        let (source, canvas) = sizes.numbers();
        let (x, y) = (canvas.0 / source.0, canvas.1 / source.1);
        self.zoom
            * match self.fit {
                Fit::Fit => x.min(y),
                Fit::Actual => 1.0,
                Fit::Fill => x.max(y),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn viewports() -> impl Strategy<Value = (Viewport, Sizes)> {
        let fits = prop::sample::select(vec![Fit::Fit, Fit::Actual, Fit::Fill]);
        let center = (0f64..1.0, 0f64..1.0);
        let sizes = (1u32..4000, 1u32..4000, 1usize..2500, 1usize..1600);
        (fits, 1f64..MAX_ZOOM, center, sizes).prop_map(|(fit, zoom, center, (sw, sh, cw, ch))| {
            (Viewport { fit, zoom, center }, Sizes { source: (sw, sh), canvas: (cw, ch) })
        })
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_point((view, sizes) in viewports(), x in 0f32..4000.0, y in 0f32..4000.0) {
            let mapping = view.mapping(sizes);
            let (cx, cy) = mapping.to_canvas(x, y);
            let (bx, by) = mapping.to_source(cx, cy);
            // f32 on both ways: an error of one part in 2²³ of the larger number on the canvas.
            let tolerance = 1e-3 + 2e-7 * f64::from(cx.abs().max(cy.abs())).max(4000.0) / mapping.scale.min(1.0);
            prop_assert!(f64::from((bx - x).abs()) < tolerance && f64::from((by - y).abs()) < tolerance);
        }

        #[test]
        fn the_picture_covers_the_canvas_or_is_centred((view, sizes) in viewports()) {
            let mapping = view.mapping(sizes);
            let sides = [
                (mapping.left, f64::from(sizes.source.0) * mapping.scale, sizes.canvas.0 as f64),
                (mapping.top, f64::from(sizes.source.1) * mapping.scale, sizes.canvas.1 as f64),
            ];
            for (start, length, canvas) in sides {
                if length > canvas {
                    prop_assert!(start <= 0.5 && start + length >= canvas - 0.5);
                } else {
                    prop_assert!((start - (canvas - length) / 2.0).abs() <= 0.51);
                }
            }
        }

        #[test]
        fn zooming_in_keeps_the_point_under_the_pointer(
            (mut view, sizes) in viewports(), px in 0f32..1.0, py in 0f32..1.0, factor in 1f64..3.0
        ) {
            // Covering the canvas both ways: no bar, nothing to be centred.
            view.fit = Fit::Fill;
            let (x, y) = (px * sizes.canvas.0 as f32, py * sizes.canvas.1 as f32);
            let before = view.mapping(sizes);
            view.zoom_about(sizes, x, y, factor);
            let after = view.mapping(sizes);
            let (bx, by) = before.to_source(x, y);
            let (cx, cy) = after.to_canvas(bx, by);
            // A source coordinate is an f32: what it cannot tell apart is this much on the canvas.
            let side = sizes.source.0.max(sizes.source.1) as f32;
            let tolerance = 0.6 + 2.0 * f32::EPSILON * side * after.scale as f32;
            prop_assert!((cx - x).abs() < tolerance && (cy - y).abs() < tolerance, "{x},{y} became {cx},{cy}");
        }

        #[test]
        fn panning_back_and_forth_ends_at_the_start_where_no_edge_is_met(
            dx in -50f32..50.0, dy in -50f32..50.0
        ) {
            let sizes = Sizes { source: (1280, 720), canvas: (640, 360) };
            let mut view = Viewport { zoom: 4.0, ..Viewport::default() };
            let before = view.mapping(sizes);
            view.pan(sizes, dx, dy);
            let moved = view.mapping(sizes);
            prop_assert!((moved.left - before.left - f64::from(dx)).abs() < 1e-6);
            view.pan(sizes, -dx, -dy);
            let after = view.mapping(sizes);
            prop_assert!((after.left - before.left).abs() < 1e-6 && (after.top - before.top).abs() < 1e-6);
        }
    }

    #[test]
    fn the_three_ways_on_known_sizes() {
        let sizes = Sizes { source: (640, 480), canvas: (1280, 720) };
        let mut view = Viewport::default();
        assert_eq!(view.mapping(sizes), Mapping { scale: 1.5, left: 160.0, top: 0.0 });
        view.next_fit();
        assert_eq!(view.mapping(sizes), Mapping { scale: 1.0, left: 320.0, top: 120.0 });
        view.next_fit();
        assert_eq!(view.mapping(sizes), Mapping { scale: 2.0, left: 0.0, top: -120.0 });
        view.next_fit();
        assert_eq!(view, Viewport::default());
    }

    #[test]
    fn an_edge_that_stopped_a_pan_owes_nothing() {
        let sizes = Sizes { source: (100, 100), canvas: (100, 100) };
        let mut view = Viewport { zoom: 2.0, ..Viewport::default() };
        view.pan(sizes, 1e6, 0.0);
        assert_eq!(view.mapping(sizes).left, 0.0);
        view.pan(sizes, -10.0, 0.0);
        assert!((view.mapping(sizes).left + 10.0).abs() < 1e-9);
        for odd in [f32::NAN, f32::INFINITY] {
            view.pan(sizes, odd, 0.0);
            view.zoom_about(sizes, odd, 0.0, 2.0);
            view.zoom_about(sizes, 0.0, 0.0, f64::NAN);
        }
        assert!((view.mapping(sizes).left + 10.0).abs() < 1e-9);
    }
}
