//! A level camera: without roll, its middle row level. Its angle of view is known, and its tilt and height above the ground are
//! found.

use super::algebra::Matrix;
use super::homography::Homography;
use super::lens::Lens;
use super::{Ground, GroundError, middle_and_half};

/// The tilts that are tried, in degrees below the level.
const TILTS: (f64, f64) = (0.5, 89.5);
/// How many of them.
const STEPS: u32 = 178;

/// What is known of a camera whose ground is found without points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// The angle from the left edge of the picture to the right, in degrees, as it would be without distortion.
    pub degrees: f64,
    /// As in [`Ground::from_points`].
    pub distortion: f64,
}

/// A length on the ground that is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KnownLength {
    /// Where it begins, in shares of the picture's sides.
    pub from: (f64, f64),
    /// Where it ends.
    pub to: (f64, f64),
    /// How long it is.
    pub metres: f64,
}

impl View {
    /// How far away the picture is, in halves of its diagonal.
    pub(super) fn focal(&self, size: (u32, u32)) -> f64 {
        f64::from(size.0) / 2.0 / libm::tan((self.degrees / 2.0).to_radians()) / middle_and_half(size).half
    }

    /// The ground of a level camera that is tilted down by so many degrees and stands so high.
    pub(super) fn ground(&self, size: (u32, u32), tilt: f64, height: f64) -> Option<Ground> {
        let focal = self.focal(size);
        let (sin, cos) = (libm::sin(tilt.to_radians()), libm::cos(tilt.to_radians()));
        let to_picture: Matrix =
            [[focal, 0.0, 0.0], [0.0, -focal * sin, focal * height * cos], [0.0, cos, height * sin]];
        let map = Homography::new(to_picture, (0.0, height))?;
        let lens = Lens { distortion: self.distortion };
        Some(Ground::new(size, lens, map, 0.0))
    }
}

/// A tilt, the height for it, and by how much lengths differ from what they should be there: the standard deviation of the
/// logarithm of their ratio.
#[derive(Debug, Clone, Copy)]
struct Trial {
    tilt: f64,
    height: f64,
    spread: f64,
}

impl Ground {
    /// From two or more known lengths, seen by a level camera with this angle of view, in a picture of `size` pixels. One along
    /// the view and one across tell most, or one near and one far.
    ///
    /// # Errors
    /// [`GroundError`]: too few lengths, lengths that no such camera sees, or that do not tell its tilt.
    pub fn from_lengths(size: (u32, u32), lengths: &[KnownLength], view: &View) -> Result<Self, GroundError> {
        if lengths.len() < 2 {
            return Err(GroundError::FewLengths(lengths.len()));
        }
        if let Some(index) = lengths.iter().position(|length| length.from == length.to) {
            return Err(GroundError::NoLength(index + 1));
        }
        let step = (TILTS.1 - TILTS.0) / f64::from(STEPS);
        let trials: Vec<Option<Trial>> =
            (0..=STEPS).map(|index| tried(size, lengths, view, TILTS.0 + step * f64::from(index))).collect();
        let spread =
            |index: usize| trials.get(index).copied().flatten().map_or(f64::INFINITY, |trial| trial.spread);
        let dips = (0..trials.len()).filter(|&index| {
            let before = index.checked_sub(1).map_or(f64::INFINITY, spread);
            spread(index).is_finite() && spread(index) <= before && spread(index) < spread(index + 1)
        });
        let tilt = |index: usize| TILTS.0 + step * index as f64;
        let mut found: Vec<Trial> =
            dips.filter_map(|index| narrowed(size, lengths, view, tilt(index), step)).collect();
        found.sort_by(|a, b| a.spread.total_cmp(&b.spread));
        let Some(best) = found.first().copied() else {
            return Err(GroundError::LengthsDiffer { percent: 100.0, tilt: 0.0 });
        };
        if best.spread > 0.1 {
            return Err(GroundError::LengthsDiffer { percent: 100.0 * best.spread, tilt: best.tilt });
        }
        // Another camera far from this one would do (nearly) as well.
        let as_good = |trial: &&Trial| {
            trial.spread < best.spread.max(0.01) * 1.5 && (trial.tilt - best.tilt).abs() > 4.0
        };
        if let Some(other) = found.iter().chain(trials.iter().flatten()).find(as_good) {
            let (from, to) = (best.tilt.min(other.tilt), best.tilt.max(other.tilt));
            return Err(GroundError::LengthsDoNotTell { from, to });
        }
        let ground = view.ground(size, best.tilt, best.height);
        let mut ground = ground.ok_or(GroundError::LengthsDiffer { percent: 100.0, tilt: best.tilt })?;
        let mean = lengths.iter().map(|length| length.metres).sum::<f64>() / lengths.len() as f64;
        ground.residual = best.spread * mean;
        Ok(ground)
    }
}

/// The height for a tilt; `None` where a length would end beyond the horizon.
fn tried(size: (u32, u32), lengths: &[KnownLength], view: &View, tilt: f64) -> Option<Trial> {
    let ground = view.ground(size, tilt, 1.0)?;
    let pixel = |(x, y): (f64, f64)| (x * f64::from(size.0), y * f64::from(size.1));
    let ratios = lengths.iter().map(|length| {
        let ends = [length.from, length.to].map(pixel).map(|(x, y)| ground.place(x, y));
        let [Some(from), Some(to)] = ends else { return None };
        Some(libm::log(length.metres / libm::hypot(to.x - from.x, to.y - from.y)))
    });
    let ratios: Vec<f64> = ratios.collect::<Option<_>>()?;
    let count = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / count;
    let spread = (ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / count).sqrt();
    Some(Trial { tilt, height: libm::exp(mean), spread })
}

/// The best tilt between those beside a tilt, by golden section.
fn narrowed(size: (u32, u32), lengths: &[KnownLength], view: &View, tilt: f64, step: f64) -> Option<Trial> {
    let spread = |tilt| tried(size, lengths, view, tilt).map_or(f64::INFINITY, |trial| trial.spread);
    let best = golden((tilt - step).max(TILTS.0), (tilt + step).min(TILTS.1), 40, spread);
    tried(size, lengths, view, best)
}

/// Where a function with one dip between two numbers is least, by so many steps of golden section.
pub(super) fn golden(mut from: f64, mut to: f64, steps: u32, mut value: impl FnMut(f64) -> f64) -> f64 {
    const RATIO: f64 = 0.618_033_988_749_895;
    let (mut left, mut right) = (to - RATIO * (to - from), from + RATIO * (to - from));
    let (mut at_left, mut at_right) = (value(left), value(right));
    for _ in 0..steps {
        if at_left < at_right {
            (to, right, at_right) = (right, left, at_left);
            left = to - RATIO * (to - from);
            at_left = value(left);
        } else {
            (from, left, at_left) = (left, right, at_right);
            right = from + RATIO * (to - from);
            at_right = value(right);
        }
    }
    (from + to) / 2.0
}
