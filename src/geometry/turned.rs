//! Boxes that are turned.

use super::Rect;

/// A rectangle that is turned about its centre, in pixels of the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnedRect {
    /// The centre, to the right.
    pub x: f32,
    /// The centre, down.
    pub y: f32,
    /// How long the sides are that lie across where the angle is 0.
    pub width: f32,
    /// How long the other two sides are.
    pub height: f32,
    /// By how much the rectangle is turned clockwise as seen on the screen, where y points down, in radians: at π/2 `width` is
    /// measured down. Half a turn more is the same rectangle.
    pub angle: f32,
}

impl TurnedRect {
    /// Finite, with a width and a height above zero.
    pub fn is_sound(&self) -> bool {
        self.hull().is_sound() && self.width > 0.0 && self.height > 0.0
    }

    /// The upright box around it.
    pub fn hull(&self) -> Rect {
        let (sin, cos) = (self.angle.sin().abs(), self.angle.cos().abs());
        let (across, down) = (self.width * cos + self.height * sin, self.width * sin + self.height * cos);
        Rect::from_center(self.x, self.y, across, down)
    }

    /// Its corners, clockwise on the screen; the first is the one at the top left where the angle is 0.
    pub fn corners(&self) -> [(f32, f32); 4] {
        let (sin, cos) = self.angle.sin_cos();
        let (ax, ay) = (self.width / 2.0 * cos, self.width / 2.0 * sin);
        let (bx, by) = (-self.height / 2.0 * sin, self.height / 2.0 * cos);
        let corner = |a: f32, b: f32| (self.x + a * ax + b * bx, self.y + a * ay + b * by);
        [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)]
    }

    /// The rectangle with these corners, in the order of [`TurnedRect::corners`]; `None` where they are no numbers, or two fall
    /// together. Corners of what is no rectangle give one with their centre and the mean of opposite sides.
    pub fn of_corners(corners: [(f32, f32); 4]) -> Option<Self> {
        let [a, b, c, d] = corners;
        let (x, y) = ((a.0 + b.0 + c.0 + d.0) / 4.0, (a.1 + b.1 + c.1 + d.1) / 4.0);
        let half = |from: [(f32, f32); 2], to: [(f32, f32); 2]| {
            let mean = |pair: [(f32, f32); 2]| ((pair[0].0 + pair[1].0) / 2.0, (pair[0].1 + pair[1].1) / 2.0);
            let (from, to) = (mean(from), mean(to));
            (to.0 - from.0, to.1 - from.1)
        };
        let (across, down) = (half([a, d], [b, c]), half([a, b], [d, c]));
        let (width, height) = (across.0.hypot(across.1), down.0.hypot(down.1));
        let turned = Self { x, y, width, height, angle: across.1.atan2(across.0) };
        turned.is_sound().then_some(turned)
    }

    /// Moved by so many pixels to the right and down.
    pub fn shifted(&self, (right, down): (f32, f32)) -> Self {
        Self { x: self.x + right, y: self.y + down, ..*self }
    }

    /// In a picture that is so many times as wide and as high. Where the two differ a turned rectangle is none any more: sides
    /// keep their length and the first its direction, the right angle is kept.
    pub fn scaled(&self, (across, down): (f32, f32)) -> Self {
        let (sin, cos) = self.angle.sin_cos();
        let width = self.width * (cos * across).hypot(sin * down);
        let height = self.height * (sin * across).hypot(cos * down);
        Self {
            x: self.x * across,
            y: self.y * down,
            width,
            height,
            angle: if across == down { self.angle } else { (sin * down).atan2(cos * across) },
        }
    }
}

/// A turned rectangle as a normal distribution of the same centre and spread, for comparing it with others (Llerena et al. 2021,
/// "Gaussian bounding boxes and probabilistic intersection-over-union for object detection", arXiv:2106.06072).
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

/// Keeps quotients and logarithms finite, as the detectors do that are compared this way.
const TINY: f64 = 1e-7;

impl From<&TurnedRect> for Spread {
    fn from(turned: &TurnedRect) -> Self {
        let [width, height, angle] = [turned.width, turned.height, turned.angle].map(f64::from);
        let (a, b) = (width * width / 12.0, height * height / 12.0);
        let (sin, cos) = angle.sin_cos();
        Self {
            x: turned.x.into(),
            y: turned.y.into(),
            xx: a * cos * cos + b * sin * sin,
            yy: a * sin * sin + b * cos * cos,
            xy: (a - b) * cos * sin,
        }
    }
}

impl Spread {
    /// Whether the ProbIoU of two rectangles is at least this much: 1 less the Hellinger distance of their distributions, 1 for
    /// the same rectangle. It grows and falls with the overlap and is not equal to it: rectangles beside each other share some.
    pub fn is_like(&self, other: &Self, least: f32) -> bool {
        self.distance(other, limit(least)) <= limit(least)
    }

    /// The Bhattacharyya distance of the two distributions, or, where it is surely above `most`, any number above that.
    fn distance(&self, other: &Self, most: f64) -> f64 {
        let (xx, yy, xy) = (self.xx + other.xx, self.yy + other.yy, self.xy + other.xy);
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        let both = xx * yy - xy * xy;
        let apart = (xx * dy * dy + yy * dx * dx - 2.0 * xy * dx * dy) / (4.0 * (both + TINY));
        // The other part is never below zero, but for rounding.
        if apart > most + 1e-3 {
            return apart;
        }
        let own = |spread: &Self| (spread.xx * spread.yy - spread.xy * spread.xy).max(0.0);
        apart + (both / (4.0 * (own(self) * own(other)).sqrt() + TINY) + TINY).ln() / 2.0
    }
}

/// The Bhattacharyya distance at which the ProbIoU is this much.
fn limit(iou: f32) -> f64 {
    let hellinger = 1.0 - f64::from(iou.clamp(0.0, 1.0));
    -(1.0 - hellinger * hellinger).max(f64::MIN_POSITIVE).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turned() -> impl Strategy<Value = TurnedRect> {
        (-200f32..800.0, -200f32..800.0, 2f32..300.0, 2f32..300.0, -4f32..4.0)
            .prop_map(|(x, y, width, height, angle)| TurnedRect { x, y, width, height, angle })
    }

    /// As the paper has it, without short cuts.
    fn prob_iou(a: &TurnedRect, b: &TurnedRect) -> f64 {
        let distance = Spread::from(a).distance(&Spread::from(b), f64::INFINITY).clamp(TINY, 100.0);
        1.0 - (1.0 - (-distance).exp() + TINY).sqrt()
    }

    proptest! {
        #[test]
        fn corners_lead_back(one in turned()) {
            let again = TurnedRect::of_corners(one.corners()).unwrap();
            prop_assert!((again.x - one.x).abs() < 0.01 && (again.y - one.y).abs() < 0.01);
            prop_assert!((again.width - one.width).abs() < 0.01 && (again.height - one.height).abs() < 0.01);
            prop_assert!(((again.angle - one.angle).sin()).abs() < 0.01, "{} {}", again.angle, one.angle);
        }

        #[test]
        fn the_hull_touches_the_corners(one in turned()) {
            let (hull, corners) = (one.hull(), one.corners());
            let least = |pick: fn(&(f32, f32)) -> f32| corners.iter().map(pick).fold(f32::INFINITY, f32::min);
            let most = |pick: fn(&(f32, f32)) -> f32| corners.iter().map(pick).fold(f32::NEG_INFINITY, f32::max);
            for (edge, corner) in [(hull.left, least(|c| c.0)), (hull.top, least(|c| c.1)),
                                   (hull.right(), most(|c| c.0)), (hull.bottom(), most(|c| c.1))] {
                prop_assert!((edge - corner).abs() < 0.02);
            }
        }

        #[test]
        fn moving_and_scaling_moves_the_corners(one in turned(), dx in -50f32..50.0, times in 0.2f32..4.0) {
            let moved = one.shifted((dx, 3.0)).scaled((times, times));
            for (a, b) in one.corners().iter().zip(moved.corners()) {
                prop_assert!(((a.0 + dx) * times - b.0).abs() < 0.05 && ((a.1 + 3.0) * times - b.1).abs() < 0.05);
            }
            let wide = one.scaled((2.0, 1.0));
            let side = |corners: [(f32, f32); 4]| (corners[1].0 - corners[0].0, corners[1].1 - corners[0].1);
            let (before, after) = (side(one.corners()), side(wide.corners()));
            prop_assert!((before.0 * 2.0 - after.0).abs() < 0.05 && (before.1 - after.1).abs() < 0.05);
        }

        #[test]
        fn likeness_is_that_of_the_paper(a in turned(), b in turned(), least in 0.01f32..0.99) {
            let iou = prob_iou(&a, &b);
            prop_assume!((iou - f64::from(least)).abs() > 1e-4);
            prop_assert_eq!(Spread::from(&a).is_like(&Spread::from(&b), least), iou >= f64::from(least));
            prop_assert_eq!(Spread::from(&b).is_like(&Spread::from(&a), least), iou >= f64::from(least));
        }
    }

    #[test]
    fn likeness_of_known_pairs() {
        let at = |x: f32, width: f32, angle: f32| TurnedRect { x, y: 0.0, width, height: 10.0, angle };
        // Half a turn is none. A shift of a width w: the distance is w² / (8 · w²/12) = 1.5.
        let quarter = std::f32::consts::FRAC_PI_2;
        let like = |a: TurnedRect, b: TurnedRect, iou: f64| (prob_iou(&a, &b) - iou).abs() < 1e-3;
        assert!(like(at(0.0, 30.0, 0.3), at(0.0, 30.0, 0.3 + 2.0 * quarter), 1.0));
        assert!(like(at(0.0, 30.0, 0.0), at(30.0, 30.0, 0.0), 1.0 - (1.0 - (-1.5f64).exp()).sqrt()));
        // A cross of 30×10: the determinant of the mean is 25/9 of that of each.
        assert!(like(
            at(0.0, 30.0, 0.0),
            at(0.0, 30.0, quarter),
            1.0 - (1.0 - (9.0f64 / 25.0).sqrt()).sqrt()
        ));
    }

    #[test]
    fn what_is_no_rectangle_is_not_sound() {
        let sound = TurnedRect { x: 1.0, y: 2.0, width: 3.0, height: 4.0, angle: 0.5 };
        assert!(sound.is_sound());
        for odd in [
            TurnedRect { angle: f32::NAN, ..sound },
            TurnedRect { x: f32::INFINITY, ..sound },
            TurnedRect { width: 0.0, ..sound },
            TurnedRect { height: -1.0, ..sound },
        ] {
            assert!(!odd.is_sound(), "{odd:?}");
        }
        assert_eq!(TurnedRect::of_corners([(1.0, 1.0); 4]), None);
    }
}
