//! Boxes in the picture plane.

/// An axis-aligned box in pixels of the source: x to the right, y down, edges between pixels
/// (a box around the top-left pixel is `left 0, top 0, width 1, height 1`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// The left edge.
    pub left: f32,
    /// The top edge.
    pub top: f32,
    /// To the right edge, not negative in a sound box.
    pub width: f32,
    /// To the bottom edge, not negative in a sound box.
    pub height: f32,
}

impl Rect {
    /// A box from its left and top edge and its size.
    pub const fn new(left: f32, top: f32, width: f32, height: f32) -> Self {
        Self { left, top, width, height }
    }

    /// A box from its centre and its size.
    pub fn from_center(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { left: x - width / 2.0, top: y - height / 2.0, width, height }
    }

    /// A box from its four edges.
    pub fn from_edges(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { left, top, width: right - left, height: bottom - top }
    }

    /// The right edge.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// The bottom edge.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// The centre `(x, y)`.
    pub fn center(&self) -> (f32, f32) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }

    /// Width times height.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// Finite, with a width and a height above zero: what a tracker or a drawing can work with.
    pub fn is_sound(&self) -> bool {
        self.width > 0.0
            && self.height > 0.0
            && self.left.is_finite()
            && self.top.is_finite()
            && self.width.is_finite()
            && self.height.is_finite()
            && self.area().is_finite()
            && self.right().is_finite()
            && self.bottom().is_finite()
    }

    /// Whether the point lies in the box, its left and top edge included.
    pub fn contains(&self, x: f32, y: f32) -> bool {
        x >= self.left && y >= self.top && x < self.right() && y < self.bottom()
    }

    /// The part inside a picture of this size; `None` where nothing of the box lies in it.
    pub fn clipped(&self, width: f32, height: f32) -> Option<Self> {
        let clipped = Self::from_edges(
            self.left.clamp(0.0, width),
            self.top.clamp(0.0, height),
            self.right().clamp(0.0, width),
            self.bottom().clamp(0.0, height),
        );
        (clipped.width > 0.0 && clipped.height > 0.0).then_some(clipped)
    }

    /// The area that two boxes share.
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = self.right().min(other.right()) - self.left.max(other.left);
        let height = self.bottom().min(other.bottom()) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union, `0.0..=1.0`; 0 where either box is not sound.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if shared > 0.0 && union > 0.0 { (shared / union).min(1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rects() -> impl Strategy<Value = Rect> {
        (-500f32..1500.0, -500f32..1500.0, 2f32..800.0, 2f32..800.0)
            .prop_map(|(left, top, width, height)| Rect::new(left, top, width, height))
    }

    /// Intersection over union by counting the cells of a grid.
    fn iou_by_counting(a: &Rect, b: &Rect) -> f32 {
        let (mut both, mut either) = (0, 0);
        for y in 0..60 {
            for x in 0..60 {
                let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
                let (in_a, in_b) = (a.contains(x, y), b.contains(x, y));
                both += u32::from(in_a && in_b);
                either += u32::from(in_a || in_b);
            }
        }
        if either == 0 { 0.0 } else { both as f32 / either as f32 }
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_bounded_and_one_with_itself(a in rects(), b in rects()) {
            let iou = a.iou(&b);
            prop_assert!((0.0..=1.0).contains(&iou));
            prop_assert!((iou - b.iou(&a)).abs() < 1e-5);
            prop_assert!((a.iou(&a) - 1.0).abs() < 1e-3);
        }

        #[test]
        fn iou_survives_shift_and_scale(a in rects(), b in rects(), dx in -300f32..300.0, s in 0.25f32..4.0) {
            let moved = |r: &Rect| Rect::new((r.left + dx) * s, r.top * s, r.width * s, r.height * s);
            prop_assert!((a.iou(&b) - moved(&a).iou(&moved(&b))).abs() < 5e-3);
        }

        #[test]
        fn iou_counts_pixels(
            a in (0u8..40, 0u8..40, 1u8..20, 1u8..20), b in (0u8..40, 0u8..40, 1u8..20, 1u8..20)
        ) {
            let rect = |(l, t, w, h): (u8, u8, u8, u8)| Rect::new(l.into(), t.into(), w.into(), h.into());
            prop_assert!((rect(a).iou(&rect(b)) - iou_by_counting(&rect(a), &rect(b))).abs() < 1e-5);
        }

        #[test]
        fn clipping_stays_inside(a in rects(), w in 1f32..1000.0, h in 1f32..1000.0) {
            if let Some(c) = a.clipped(w, h) {
                prop_assert!(c.left >= 0.0 && c.top >= 0.0 && c.right() <= w + 1e-2 && c.bottom() <= h + 1e-2);
                prop_assert!(c.area() <= a.area() * 1.0001 + 1e-3);
            }
        }
    }

    #[test]
    fn nothing_unsound_overlaps() {
        let sound = Rect::new(0.0, 0.0, 10.0, 10.0);
        for odd in [
            Rect::new(f32::NAN, 0.0, 10.0, 10.0),
            Rect::new(0.0, 0.0, f32::INFINITY, 10.0),
            Rect::new(0.0, 0.0, -10.0, 10.0),
            Rect::new(5.0, 5.0, 0.0, 10.0),
            Rect::new(0.0, 0.0, f32::MAX, f32::MAX),
        ] {
            assert!(!odd.is_sound(), "{odd:?}");
            assert!((0.0..=1.0).contains(&sound.iou(&odd)), "{odd:?}");
        }
    }
}
