//! Takes the shaking of a hand-held camera out: the picture is moved against the camera's motion, and drawn back to where
//! it was over some seconds, so that a pan is followed. It looks at no frames to come.

use super::motion::Motion;
use crate::geometry::Affine;

/// The picture is moved by at most this share of its sides, ...
const MOST_SHIFT: f64 = 0.1;
/// ... turned by so much (in radians), and scaled by so much (as a logarithm).
const MOST_TURN: f64 = 0.1;
const MOST_SCALE: f64 = 0.1;
/// Where the motion is not known the picture is drawn back so many times as fast.
const UNKNOWN_FASTER: f64 = 4.0;

/// Keeps how far the picture is moved at the moment.
///
/// With the motion `M` from the frame before to this one and the correction `C` before, `C·M⁻¹` would leave the world
/// where it was; its shift, turn and scale fade with the time constant, as an exponential average of the camera's path
/// has it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stabiliser {
    correction: Correction,
}

/// A shift of the picture's middle in pixels, a turn about it in radians, and a scale as a logarithm.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Correction {
    shift: (f64, f64),
    turn: f64,
    scale: f64,
}

impl Correction {
    /// As a map of a picture of this size.
    fn map(&self, (width, height): (f64, f64)) -> Affine {
        let (x, y) = (width / 2.0, height / 2.0);
        let (sin, cos) = self.turn.sin_cos();
        let (sin, cos) = (sin * self.scale.exp(), cos * self.scale.exp());
        let matrix = [
            [cos, -sin, x + self.shift.0 - cos * x + sin * y],
            [sin, cos, y + self.shift.1 - sin * x - cos * y],
        ];
        Affine { matrix: matrix.map(|row| row.map(|value| value as f32)) }
    }

    /// What a map does to the middle of a picture of this size.
    fn of(map: &Affine, (width, height): (f64, f64)) -> Self {
        let [[a, b, c], [d, e, f]] = map.matrix.map(|row| row.map(f64::from));
        let (x, y) = (width / 2.0, height / 2.0);
        Self {
            shift: (a * x + b * y + c - x, d * x + e * y + f - y),
            turn: (d - b).atan2(a + e),
            scale: 0.5 * (a * e - b * d).max(1e-6).ln(),
        }
    }

    fn faded(self, share: f64, (width, height): (f64, f64)) -> Self {
        let within = |value: f64, most: f64| (value * share).clamp(-most, most);
        Self {
            shift: (within(self.shift.0, MOST_SHIFT * width), within(self.shift.1, MOST_SHIFT * height)),
            turn: within(self.turn, MOST_TURN),
            scale: within(self.scale, MOST_SCALE),
        }
    }
}

impl Stabiliser {
    /// Takes in the motion of the camera in the last `passed` seconds, in a picture of this size, and gives the map from
    /// this picture's pixels to pixels of the steady one. `seconds`: how slowly the picture is drawn back.
    pub fn update(&mut self, motion: &Motion, passed: f64, seconds: f64, size: (usize, usize)) -> Affine {
        let size = (size.0 as f64, size.1 as f64);
        let back = motion.map.inverse().filter(|_| motion.is_known());
        let faster = if back.is_some() { 1.0 } else { UNKNOWN_FASTER };
        let steady = back.unwrap_or(Affine::IDENTITY).then(&self.correction.map(size));
        let share = (-passed.max(0.0) * faster / seconds.max(1e-3)).exp();
        self.correction = Correction::of(&steady, size).faded(share, size);
        self.correction.map(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (1280, 720);

    fn motion(x: f32, y: f32, turn: f32) -> Motion {
        let map =
            Correction { shift: (x.into(), y.into()), turn: turn.into(), scale: 0.0 }.map((1280.0, 720.0));
        Motion { map, confidence: 1.0, points: 100, inliers: 100 }
    }

    /// How far a point of the still world moves from frame to frame, on average: as it came, and steadied.
    fn wander(path: impl Fn(u32) -> (f32, f32, f32)) -> (f32, f32) {
        let mut stabiliser = Stabiliser::default();
        let (mut came, mut steady) = (0.0, 0.0);
        let (mut point, mut seen) = ((500.0, 300.0), (500.0, 300.0));
        for frame in 1..300 {
            let (x, y, turn) = path(frame);
            let motion = motion(x, y, turn);
            let moved = motion.map.point(point.0, point.1);
            let now = stabiliser.update(&motion, 1.0 / 30.0, 1.0, SIZE).point(moved.0, moved.1);
            came += (moved.0 - point.0).hypot(moved.1 - point.1);
            steady += (now.0 - seen.0).hypot(now.1 - seen.1);
            (point, seen) = (moved, now);
        }
        (came, steady)
    }

    #[test]
    fn a_shaking_camera_becomes_still() {
        let mut random = fastrand::Rng::with_seed(4);
        let shakes: Vec<[f32; 3]> = (0..301).map(|_| [(); 3].map(|()| random.f32() - 0.5)).collect();
        let (came, steady) = wander(|frame| {
            let [now, before] = [shakes[frame as usize], shakes[frame as usize - 1]];
            (30.0 * (now[0] - before[0]), 20.0 * (now[1] - before[1]), 0.02 * (now[2] - before[2]))
        });
        assert!(steady < 0.12 * came, "{came} {steady}");
    }

    #[test]
    fn a_pan_is_followed_and_the_picture_stays_within_bounds() {
        let mut stabiliser = Stabiliser::default();
        for frame in 0..300 {
            let map = stabiliser.update(&motion(-25.0, 3.0, 0.002), 1.0 / 30.0, 1.0, SIZE);
            let (x, y) = map.point(640.0, 360.0);
            assert!((x - 640.0).abs() <= 128.1 && (y - 360.0).abs() <= 72.1, "frame {frame}");
        }
        // And once it stands still, the picture comes back, soon where nobody knows how it moves.
        let shift = |map: Affine| (map.point(640.0, 360.0).0 - 640.0).abs();
        let mut lost = stabiliser;
        let mut last = (0.0, 0.0);
        for _ in 0..30 {
            last.0 = shift(stabiliser.update(&motion(0.0, 0.0, 0.0), 1.0 / 30.0, 1.0, SIZE));
            last.1 = shift(lost.update(&Motion::UNKNOWN, 1.0 / 30.0, 1.0, SIZE));
        }
        assert!((last.0 / 128.0 - (-1f32).exp()).abs() < 0.02 && last.1 < 3.0, "{last:?}");
    }

    #[test]
    fn correction_and_map_are_the_same_thing() {
        let one = Correction { shift: (12.0, -7.0), turn: 0.05, scale: 0.03 };
        let again = Correction::of(&one.map((640.0, 480.0)), (640.0, 480.0));
        for (a, b) in [
            (one.shift.0, again.shift.0),
            (one.shift.1, again.shift.1),
            (one.turn, again.turn),
            (one.scale, again.scale),
        ] {
            assert!((a - b).abs() < 1e-3, "{one:?} {again:?}");
        }
        let map = one.map((640.0, 480.0)).then(&one.map((640.0, 480.0)).inverse().unwrap());
        let (x, y) = map.point(100.0, 200.0);
        assert!((x - 100.0).abs() < 1e-2 && (y - 200.0).abs() < 1e-2);
    }
}
