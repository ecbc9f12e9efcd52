//! Boxes in the picture plane, and maps of that plane.

mod polygon;
mod polyline;
mod turned;

pub use polygon::Polygon;
pub use polyline::Polyline;
pub use turned::{Spread, TurnedRect};

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

    /// The box widened by this share of its sides on each side.
    pub fn widened(&self, share: f32) -> Self {
        let (across, down) = (share * self.width, share * self.height);
        Self {
            left: self.left - across,
            top: self.top - down,
            width: self.width + 2.0 * across,
            height: self.height + 2.0 * down,
        }
    }

    /// The box in a picture that is so many times as wide and as high.
    pub fn scaled(&self, (across, down): (f32, f32)) -> Self {
        Self {
            left: self.left * across,
            top: self.top * down,
            width: self.width * across,
            height: self.height * down,
        }
    }

    /// The box on the way from this one (share 0) to the other (share 1), each edge in a straight line.
    pub fn towards(&self, other: &Self, share: f32) -> Self {
        let between = |a: f32, b: f32| a + (b - a) * share;
        Self {
            left: between(self.left, other.left),
            top: between(self.top, other.top),
            width: between(self.width, other.width),
            height: between(self.height, other.height),
        }
    }

    /// Whether the boxes share more than an edge.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right()
            && other.left < self.right()
            && self.top < other.bottom()
            && other.top < self.bottom()
    }

    /// The share of this box that lies in the other, `0.0..=1.0`; 0 where either is not sound.
    pub fn share_in(&self, other: &Self) -> f32 {
        let (shared, area) = (self.intersection(other), self.area());
        if shared > 0.0 && area > 0.0 { (shared / area).min(1.0) } else { 0.0 }
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

/// A picture's size once it fits into the network's input with its aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputFit {
    /// Pixels across, at least 1.
    pub width: usize,
    /// Pixels down, at least 1.
    pub height: usize,
    /// New pixels an old one.
    pub scale: f64,
}

impl InputFit {
    /// The largest size of a picture of `size` pixels that fits into `room`, as YOLOX was trained (Ge et al. 2021,
    /// arXiv:2107.08430): cut off, not rounded, but in whole numbers, so that one side fits exactly; a sliver still gets one
    /// row or column. Sides are at least 1 and at most those of a [`Picture`](crate::frame::Picture).
    pub fn within(size: (usize, usize), room: (usize, usize)) -> Self {
        let [(width, height), room] = [size, room].map(|(width, height)| (width.max(1), height.max(1)));
        let fills_width = width as u64 * room.1 as u64 >= height as u64 * room.0 as u64;
        // The other side, where one of so many pixels becomes one of so many.
        let other = |side: usize, from: usize, to: usize, most: usize| {
            ((side as u64 * to as u64 / from as u64) as usize).clamp(1, most)
        };
        let (scale, width, height) = if fills_width {
            (room.0 as f64 / width as f64, room.0, other(height, width, room.0, room.1))
        } else {
            (room.1 as f64 / height as f64, other(width, height, room.1, room.0), room.1)
        };
        Self { width, height, scale }
    }

    /// So much smaller that pixels would be skipped if new ones lay between old ones: the mean of what each covers is
    /// taken instead.
    pub fn skips(&self) -> bool {
        self.scale < 0.5
    }
}

/// A map of the picture plane that keeps parallels: how the picture of the still world moved from one frame to the next.
///
/// Applied to a point `(x, y)` in pixels it gives `(m00·x + m01·y + m02, m10·x + m11·y + m12)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Row by row; the last column is the shift in pixels.
    pub matrix: [[f32; 3]; 2],
}

impl Default for Affine {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Affine {
    /// The map that moves nothing.
    pub const IDENTITY: Self = Self { matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// A shift by `(x, y)` pixels.
    pub const fn shift(x: f32, y: f32) -> Self {
        Self { matrix: [[1.0, 0.0, x], [0.0, 1.0, y]] }
    }

    /// Where a point goes.
    pub fn point(&self, x: f32, y: f32) -> (f32, f32) {
        let [[a, b, c], [d, e, f]] = self.matrix;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// Where a direction goes: the map without its shift.
    pub fn direction(&self, x: f32, y: f32) -> (f32, f32) {
        let [[a, b, _], [d, e, _]] = self.matrix;
        (a * x + b * y, d * x + e * y)
    }

    /// How much longer things become across and down. Boxes stay upright under a turn, so that a small turn changes
    /// neither.
    pub fn scale(&self) -> (f32, f32) {
        let [[a, b, _], [d, e, _]] = self.matrix;
        ((a * a + d * d).sqrt(), (b * b + e * e).sqrt())
    }

    /// Where a box goes: its centre as a point, its sides by [`Affine::scale`].
    pub fn rect(&self, rect: &Rect) -> Rect {
        let (x, y) = rect.center();
        let (x, y) = self.point(x, y);
        let (across, down) = self.scale();
        Rect::from_center(x, y, rect.width * across, rect.height * down)
    }

    /// This map first, then another.
    #[must_use]
    pub fn then(&self, then: &Self) -> Self {
        let [[a, b, c], [d, e, f]] = self.matrix.map(|row| row.map(f64::from));
        let matrix = then.matrix.map(|row| {
            let [p, q, r] = row.map(f64::from);
            [p * a + q * d, p * b + q * e, p * c + q * f + r].map(|value| value as f32)
        });
        Self { matrix }
    }

    /// The map that takes back what this one does; `None` where it cannot be taken back.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f]] = self.matrix.map(|row| row.map(f64::from));
        let determinant = a * e - b * d;
        let matrix = [[e, -b, b * f - c * e], [-d, a, c * d - a * f]];
        let matrix = matrix.map(|row| row.map(|value| (value / determinant) as f32));
        (determinant != 0.0 && matrix.iter().flatten().all(|value| value.is_finite()))
            .then_some(Self { matrix })
    }

    /// Finite, not mirrored, and no more than a tenfold change of size: what a camera can do between two frames.
    pub fn is_sound(&self) -> bool {
        let [[a, b, _], [d, e, _]] = self.matrix;
        let (across, down) = self.scale();
        self.matrix.iter().flatten().all(|value| value.is_finite())
            && a * e - b * d > 0.0
            && (0.1..=10.0).contains(&across)
            && (0.1..=10.0).contains(&down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn maps_are_joined_and_taken_back() {
        let turned = Affine { matrix: [[0.9, -0.2, 30.0], [0.3, 1.1, -7.0]] };
        let moved = turned.then(&Affine::shift(5.0, 6.0));
        assert_eq!(moved.point(0.0, 0.0), (35.0, -1.0));
        let (x, y) = moved.point(12.0, 34.0);
        let (x, y) = moved.inverse().unwrap().point(x, y);
        assert!((x - 12.0).abs() < 1e-3 && (y - 34.0).abs() < 1e-3);
        assert_eq!(Affine { matrix: [[0.0; 3]; 2] }.inverse(), None);
    }

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
        fn what_fits_touches_the_room_and_fits_again(
            width in 1usize..=32_768, height in 1usize..=32_768,
            across in (1usize..=128).prop_map(|n| 32 * n), down in (1usize..=128).prop_map(|n| 32 * n),
        ) {
            let room = (across, down);
            let fit = InputFit::within((width, height), room);
            prop_assert!(fit.width <= across && fit.height <= down && fit.width >= 1 && fit.height >= 1);
            prop_assert!(fit.width == across || fit.height == down);
            let again = InputFit::within((fit.width, fit.height), room);
            prop_assert_eq!((again.width, again.height), (fit.width, fit.height));
            // No more than what is cut off from the same shape.
            let off = |side: usize, now: usize| (side as f64 * fit.scale - now as f64).abs();
            prop_assert!(off(width, fit.width) < 1.0 && off(height, fit.height) < 1.0);
        }

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
