//! How the camera moved between two pictures, told from their pixels.
//!
//! | file | what it holds |
//! |---|---|
//! | `pyramid.rs` | the picture's luma, small and smaller |
//! | `corners.rs` | points to hold on to |
//! | `flow.rs` | where a point went |
//! | `robust.rs` | the motion that most points agree on |

mod corners;
mod flow;
mod pyramid;
mod robust;

use self::corners::{Corner, Corners};
use self::pyramid::Pyramid;
use self::robust::{Fit, Pair, Similarity};
use crate::geometry::{Affine, Rect};
use crate::kernels::View;

/// About so many points are looked for anywhere first.
const SCOUTS: usize = 40;
/// The share of them that has to agree on a motion for the others to be looked for where it puts them.
const MOST_SCOUTS: f32 = 0.6;
/// Samples of the finest level that a point may be off the common motion.
const TOLERANCE: f32 = 0.6;
/// The share of points that agree from which on nothing speaks for the motion, and from which on all does.
const NO_SHARE: f32 = 0.2;
const FULL_SHARE: f32 = 0.6;
/// Points that agree which are enough.
const ENOUGH: f32 = 12.0;
/// Of the spread of evenly spread points, what is enough.
const FULL_SPREAD: f32 = 0.4;
/// Below this confidence no motion is given.
const LEAST_CONFIDENCE: f32 = 0.2;

/// How the still world moved in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// From pixels of the picture before to pixels of this one, the corner of the first pixel at (0, 0): a turn, a change
    /// of scale and a shift. Nothing moves where too little is sure.
    pub map: Affine,
    /// 0 (it cannot be told) to 1 (many points, spread over the picture, agree closely).
    pub confidence: f32,
    /// Points that were looked for.
    pub points: usize,
    /// Points that were found where the motion puts them.
    pub inliers: usize,
}

impl Motion {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { map: Affine::IDENTITY, confidence: 0.0, points: 0, inliers: 0 };

    /// Whether the map is what was found, and not what stands for nothing found.
    pub fn is_known(&self) -> bool {
        self.confidence >= LEAST_CONFIDENCE
    }
}

/// Finds the motion from each picture to the next: corners spread over the picture before (Shi & Tomasi 1994) are followed
/// to this one (Lucas & Kanade 1981, Bouguet 2001) on luma of at most 480 pixels a side, and a similarity is fitted to
/// them that wrong ones do not pull at (RANSAC, then Huber's weights). Keeps the picture before, small, and its memory.
#[derive(Debug, Default)]
pub struct CameraMotion {
    before: Pyramid,
    now: Pyramid,
    /// Pixels of the picture before; `None`: there is none.
    size: Option<(usize, usize)>,
    finder: Corners,
    corners: Vec<Corner>,
    points: Points,
}

/// Points in pixels from the picture's centre, and memory to work with.
#[derive(Debug, Default)]
struct Points {
    /// Where they are in the picture before.
    starts: Vec<(f32, f32)>,
    /// Those that were found again.
    pairs: Vec<Pair>,
    /// Those that were not, though they were looked for anywhere.
    lost: Vec<(f32, f32)>,
    off: Vec<f32>,
}

/// Looks for points of the picture before in the one that is now.
#[derive(Debug, Clone, Copy)]
struct Search<'a> {
    pictures: (&'a Pyramid, &'a Pyramid),
    /// The picture's centre, in pixels.
    middle: (f32, f32),
}

impl Search<'_> {
    fn follow(&self, before: (f32, f32), levels: usize, guess: (f32, f32)) -> Option<Pair> {
        let place = (before.0 + self.middle.0, before.1 + self.middle.1);
        let (dx, dy) = flow::follow(self.pictures, levels, place, guess)?;
        Some(Pair { before, now: (before.0 + dx, before.1 + dy) })
    }

    /// From far away to near.
    fn anywhere(&self, from: (f32, f32), pairs: &mut Vec<Pair>, lost: &mut Vec<(f32, f32)>) {
        match self.follow(from, usize::MAX, (0.0, 0.0)) {
            Some(pair) => pairs.push(pair),
            None => lost.push(from),
        }
    }

    /// Where the motion puts it, and close by.
    fn near(&self, from: (f32, f32), motion: &Similarity) -> Option<Pair> {
        let should = motion.point(from);
        self.follow(from, 1, (should.0 - from.0, should.1 - from.1))
    }
}

impl CameraMotion {
    /// Has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture to come does not follow on the one before.
    pub fn reset(&mut self) {
        self.size = None;
    }

    /// Takes the next picture, RGB or of one channel, any size and stride. No points are taken within the rectangles of
    /// `ignore`, in pixels of the picture before, as things there move by themselves. The first picture, and the first of
    /// another size, has no motion: confidence 0.
    pub fn update(&mut self, picture: View<'_>, ignore: &[Rect]) -> Motion {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.build(picture);
        let size = (picture.width(), picture.height());
        if self.size.replace(size) != Some(size) {
            return Motion::UNKNOWN;
        }
        self.find(size, ignore)
    }

    fn find(&mut self, (width, height): (usize, usize), ignore: &[Rect]) -> Motion {
        // The second level has less noise, and a quarter to look at.
        let number = self.before.levels().len().min(2).saturating_sub(1);
        let Some(level) = self.before.levels().get(number) else { return Motion::UNKNOWN };
        let finest = self.before.factor as f32;
        let scale = finest * (1u32 << number) as f32;
        let source = |x: usize, y: usize| ((x as f32 + 0.5) * scale, (y as f32 + 0.5) * scale);
        // A window does not look into what is ignored.
        let margin = flow::RADIUS as f32 * finest;
        let wanted = |x, y| {
            let (x, y) = source(x, y);
            !ignore.iter().any(|rect| {
                x >= rect.left - margin
                    && y >= rect.top - margin
                    && x < rect.right() + margin
                    && y < rect.bottom() + margin
            })
        };
        self.finder.find(level, wanted, &mut self.corners);

        let size = (width as f32, height as f32);
        let middle = (0.5 * size.0, 0.5 * size.1);
        let search = Search { pictures: (&self.before, &self.now), middle };
        let tolerance = TOLERANCE * finest;
        let Points { starts, pairs, lost, off } = &mut self.points;
        pairs.clear();
        lost.clear();
        starts.clear();
        let places = self.corners.iter().map(|corner| source(corner.x, corner.y));
        starts.extend(places.map(|(x, y)| (x - middle.0, y - middle.1)));
        let points = starts.len();
        let every = points.div_ceil(SCOUTS).max(1);
        let scouts = starts.iter().step_by(every);
        let others = || starts.iter().enumerate().filter(|(at, _)| at % every != 0).map(|(_, from)| *from);
        for &from in scouts.clone() {
            search.anywhere(from, pairs, lost);
        }
        // Where the scouts agree on a motion, the others need not be looked for anywhere else.
        let sure = MOST_SCOUTS * scouts.len() as f32;
        let seed = robust::fit(pairs, tolerance, size, off).filter(|fit| fit.inliers as f32 >= sure);
        let fit = match seed {
            Some(fit) => fit,
            None => {
                others().for_each(|from| search.anywhere(from, pairs, lost));
                let Some(fit) = robust::fit(pairs, tolerance, size, off) else {
                    return Motion { points, ..Motion::UNKNOWN };
                };
                fit
            }
        };
        // Something that moves by itself leads points near it astray on coarse levels, where windows are wide. Now that the
        // motion is known, they are looked for again where they should be.
        let limit = tolerance * tolerance;
        lost.extend(pairs.extract_if(.., |pair| fit.motion.off(pair) > limit).map(|pair| pair.before));
        pairs.extend(lost.iter().filter_map(|&from| search.near(from, &fit.motion)));
        if seed.is_some() {
            pairs.extend(others().filter_map(|from| search.near(from, &fit.motion)));
        }
        let fit = robust::refine(pairs, fit.motion, tolerance, size, off).unwrap_or(fit);
        let confidence = confidence(&fit, points, tolerance);
        let map = fit.motion.about(middle);
        let map = if confidence >= LEAST_CONFIDENCE && map.is_sound() { map } else { Affine::IDENTITY };
        Motion { map, confidence, points, inliers: fit.inliers }
    }
}

/// 0 to 1: how many of the points agree, how far over the picture they spread, and how closely they agree.
fn confidence(fit: &Fit, points: usize, tolerance: f32) -> f32 {
    let inliers = fit.inliers as f32;
    let share = (inliers / points.max(1) as f32 - NO_SHARE) / (FULL_SHARE - NO_SHARE);
    let close = 1.0 - 0.5 * (fit.residual / tolerance);
    let spread = fit.spread / FULL_SPREAD;
    [share, inliers / ENOUGH, spread, close].map(|part| part.clamp(0.0, 1.0)).iter().product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::isa::portable;

    #[test]
    fn every_processor_finds_the_same() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut blocks = vec![0u8; 40 * 30];
        blocks.fill_with(|| random.u8(..));
        let picture = |shift: usize| -> Vec<u8> {
            let at = |x: usize, y: usize| blocks[(y / 12) * 40 + (x + shift) / 12];
            (0..300 * 400).map(|index| at(index % 400, index / 400)).collect()
        };
        let run = || {
            let mut motion = CameraMotion::new();
            [0, 3, 9].map(|shift| {
                let bytes = picture(shift);
                let view = View::new(&bytes, (400, 300), 1, 400).map(|view| motion.update(view, &[]));
                view.map(|found| (found.map.point(200.0, 150.0), found.inliers))
            })
        };
        let (fast, plain) = (run(), portable(run));
        let [_, Some(((x, y), inliers)), _] = fast else { panic!("{fast:?}") };
        assert!((x - 197.0).abs() < 0.2 && (y - 150.0).abs() < 0.2 && inliers > 10, "{fast:?}");
        assert_eq!(fast, plain);
    }
}
