//! Where on the ground something stands: the map from the picture to metres.
//!
//! The ground is taken to be a plane, and the camera a pinhole with one number of lens distortion: a homography between the ground
//! and the picture (inverse perspective mapping), from which also the bird's-eye view is drawn. A [`Ground`] comes
//!
//! * from four or more points with known metres ([`Ground::from_points`]): nothing else is assumed;
//! * from two or more known lengths ([`Ground::from_lengths`]): of a camera that is level (without roll), whose angle of view
//!   is known;
//! * from the heights of people that were seen ([`PeopleSurvey`]), likewise.
//!
//! Points of the picture are in pixels, x to the right, y down, the corner of the first pixel at the origin. Metres are as the
//! points have them; where a level camera is assumed, its foot is the origin, X points right and Y away from it.
//!
//! | file | what it holds |
//! |---|---|
//! | `homography` | the map of a plane, from points that are known on both sides |
//! | `lens` | distortion |
//! | `level` | a level camera, and its ground from known lengths |
//! | `people` | the same from the heights of people |
//! | `speed` | a straight way fitted to where an object was: speed, direction and how sure both are |
//! | `origin` | metres as latitude and longitude |
//! | `algebra` | small matrices |

mod algebra;
mod homography;
mod lens;
mod level;
mod origin;
mod people;
mod speed;
#[cfg(test)]
mod tests;

use crate::geometry::Affine;
use algebra::apply;
use homography::{Fault, Homography};
use lens::Lens;

pub use level::{KnownLength, View};
pub use origin::Origin;
pub use people::{PeopleSurvey, Surveyed};
pub use speed::{Readings, Velocity};

/// Nearer to the horizon than this share of the picture's height, a pixel is too many metres to tell anything.
const NEAR_HORIZON: f64 = 0.01;

/// A point of the picture with its place on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KnownPoint {
    /// In shares of the picture's sides.
    pub at: (f64, f64),
    /// X and Y in metres.
    pub metres: (f64, f64),
}

/// A place on the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// X in metres.
    pub x: f64,
    /// Y in metres.
    pub y: f64,
    /// How the place moves with the point of the picture, in metres a pixel: X by x and y, then Y by x and y.
    pub per_pixel: [[f64; 2]; 2],
}

impl Place {
    /// How many square metres a pixel covers here.
    pub fn square_metres(&self) -> f64 {
        let [[a, b], [c, d]] = self.per_pixel;
        (a * d - b * c).abs()
    }
}

/// Why there is no ground.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum GroundError {
    /// Too few points.
    #[error("four points are needed, and there are {0}")]
    FewPoints(usize),
    /// The points do not span a plane.
    #[error("the points lie on one line, or all but one do: take four that are the corners of a field")]
    OneLine,
    /// A point that cannot be seen where it is said to be.
    #[error(
        "point {0} would lie beyond the horizon that the others make: two points may have been confused, or it is not on the ground"
    )]
    BeyondHorizon(usize),
    /// A place on earth is given, but the metres are as in a mirror.
    #[error(
        "for a place on earth Y has to lie to the left of X, seen from above (as on a map with X to the right and Y up); here it lies to the right"
    )]
    Mirrored,
    /// Too few lengths.
    #[error("two known lengths are needed, and there are {0}")]
    FewLengths(usize),
    /// A length from a point to itself.
    #[error("length {0} begins and ends at the same point")]
    NoLength(usize),
    /// Whatever the tilt, some length does not come out.
    #[error(
        "no level camera sees these lengths on one ground: the best that there is has them wrong by {percent:.0} % (tilted down by {tilt:.0}°)"
    )]
    LengthsDiffer {
        /// By how much, in percent.
        percent: f64,
        /// Degrees below the level.
        tilt: f64,
    },
    /// More than one camera would see this.
    #[error(
        "the lengths do not tell how the camera is tilted ({from:.0}° or {to:.0}° would do): take one along the view and one across, or one near and one far"
    )]
    LengthsDoNotTell {
        /// One tilt that fits, in degrees below the level.
        from: f64,
        /// Another.
        to: f64,
    },
    /// People were seen, but their heights do not tell.
    #[error("the heights of {people} people do not tell where the ground is yet: {why}")]
    PeopleDoNotTell {
        /// How many.
        people: usize,
        /// What is missing.
        why: &'static str,
    },
}

impl GroundError {
    /// It does not depend on the size of the picture.
    pub fn is_of_any_picture(&self) -> bool {
        matches!(self, Self::FewPoints(_) | Self::Mirrored | Self::FewLengths(_) | Self::NoLength(_))
    }
}

/// The map from the picture to places on the ground.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    size: (u32, u32),
    lens: Lens,
    /// Between the ground and the picture as it would be without the lens, relative to its middle, in halves of its diagonal.
    map: Homography,
    /// By how much known points are missed, in metres (root of the mean square); 0 where nothing is left over.
    residual: f64,
    origin: Option<Origin>,
    /// From pixels of the picture in which it was laid out to those of the newest, and back.
    moved: Affine,
    back: Affine,
}

impl Ground {
    /// From four or more points with known metres, in a picture of `size` pixels. With more than four the sum of the squared
    /// distances in the picture becomes least.
    ///
    /// # Errors
    /// [`GroundError`]: too few points, points on one line, or one beyond the horizon of the others.
    pub fn from_points(
        size: (u32, u32),
        points: &[KnownPoint],
        distortion: f64,
    ) -> Result<Self, GroundError> {
        if points.len() < 4 {
            return Err(GroundError::FewPoints(points.len()));
        }
        let lens = Lens { distortion };
        let mut seen = Vec::with_capacity(points.len());
        for (index, point) in points.iter().enumerate() {
            let pixel = (point.at.0 * f64::from(size.0), point.at.1 * f64::from(size.1));
            let straight = lens.straighten(middle_and_half(size).relative(pixel));
            seen.push(straight.ok_or(GroundError::BeyondHorizon(index + 1))?.0);
        }
        let metres: Vec<_> = points.iter().map(|point| point.metres).collect();
        let map = Homography::fit(&metres, &seen).map_err(|fault| match fault {
            Fault::OneLine => GroundError::OneLine,
            Fault::BeyondHorizon(index) => GroundError::BeyondHorizon(index + 1),
        })?;
        let missed = seen.iter().zip(&metres).map(|(&seen, metres)| {
            let [x, y, w] = apply(&map.to_plane, seen);
            (x / w - metres.0).powi(2) + (y / w - metres.1).powi(2)
        });
        // Four points are met exactly.
        let residual =
            if points.len() > 4 { (missed.sum::<f64>() / points.len() as f64).sqrt() } else { 0.0 };
        Ok(Self::new(size, lens, map, residual))
    }

    fn new(size: (u32, u32), lens: Lens, map: Homography, residual: f64) -> Self {
        Self { size, lens, map, residual, origin: None, moved: Affine::IDENTITY, back: Affine::IDENTITY }
    }

    /// The same ground in a picture to which the camera has moved: `moved` leads from the pixels in which it was laid out to those
    /// of the newest picture, `back` the other way.
    #[must_use]
    pub fn seen_after(&self, moved: Affine, back: Affine) -> Self {
        Self { moved, back, ..self.clone() }
    }

    /// Where on earth the metres begin.
    #[must_use]
    pub fn with_origin(self, origin: Option<Origin>) -> Self {
        Self { origin, ..self }
    }

    /// Where on earth the metres begin; `None` where that is not known.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// X and Y are as in a mirror: seen from above, Y lies to the right of X.
    pub fn is_mirrored(&self) -> bool {
        // In the picture y points down; from a point that is seen to one to its right and one below.
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let rows = (0..8).rev().map(|row| height * f64::from(row) / 8.0);
        let place = rows.filter_map(|y| self.place(width / 2.0, y)).next();
        place.is_some_and(|place| {
            let [[a, b], [c, d]] = place.per_pixel;
            a * d - b * c > 0.0
        })
    }

    /// The size of the picture that it is for, in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// By how much the known points are missed, in metres, as the root of the mean square; 0 for four points.
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// The place on the ground that is seen at a point of the picture, in pixels; `None` above the horizon, close below it (one
    /// percent of the picture's height), and where the lens shows nothing.
    pub fn place(&self, x: f64, y: f64) -> Option<Place> {
        let view = middle_and_half(self.size);
        let back = self.back.matrix.map(|row| row.map(f64::from));
        let [x, y] = back.map(|[a, b, shift]| a * x + b * y + shift);
        let (straight, lens) = self.lens.straighten(view.relative((x, y)))?;
        let [across, along, depth] = apply(&self.map.to_plane, straight);
        let [[a, b, _], [c, d, _], [e, f, _]] = self.map.to_plane;
        let below = depth / libm::hypot(e, f) * view.half;
        // Also what is not a number.
        if !(depth > 0.0 && below > NEAR_HORIZON * f64::from(self.size.1)) {
            return None;
        }
        let (x, y) = (across / depth, along / depth);
        let plane = [[a - x * e, b - x * f], [c - y * e, d - y * f]];
        let per_pixel = plane.map(|[p, q]| {
            let [p, q] =
                [0, 1].map(|column| (p * lens[0][column] + q * lens[1][column]) / (depth * view.half));
            [0, 1].map(|column| p * back[0][column] + q * back[1][column])
        });
        (x.is_finite() && y.is_finite()).then_some(Place { x, y, per_pixel })
    }

    /// Where in the picture a place on the ground is seen, in pixels, also outside of it; `None` behind the camera.
    pub fn pixel(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let [across, down, depth] = apply(&self.map.to_picture, (x, y));
        let bent = (depth > 0.0).then(|| self.lens.bend((across / depth, down / depth)))??;
        let (x, y) = middle_and_half(self.size).absolute(bent);
        let [x, y] = self.moved.matrix.map(|row| {
            let [a, b, shift] = row.map(f64::from);
            a * x + b * y + shift
        });
        Some((x, y))
    }
}

/// How points are made relative to the picture's middle, in halves of its diagonal.
#[derive(Debug, Clone, Copy)]
struct Middle {
    middle: (f64, f64),
    half: f64,
}

fn middle_and_half((width, height): (u32, u32)) -> Middle {
    let middle = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    Middle { middle, half: libm::hypot(middle.0, middle.1).max(1.0) }
}

impl Middle {
    fn relative(self, (x, y): (f64, f64)) -> (f64, f64) {
        ((x - self.middle.0) / self.half, (y - self.middle.1) / self.half)
    }

    fn absolute(self, (x, y): (f64, f64)) -> (f64, f64) {
        (x * self.half + self.middle.0, y * self.half + self.middle.1)
    }
}
