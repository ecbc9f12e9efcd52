//! Polygons in shares of a picture's sides, so that they hold at every size.

#[cfg(feature = "detector")]
use super::Rect;

/// A polygon, by its corners `(x, y)` in shares of the picture's sides, `0.0..=1.0`; closed by itself, and where it crosses
/// itself inside by the even-odd rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon(Vec<(f32, f32)>);

impl Polygon {
    /// The most corners.
    pub const MOST: usize = 256;

    /// Takes 3 to [`Polygon::MOST`] corners, each within the picture and not all on one line.
    pub fn new(corners: Vec<(f32, f32)>) -> Option<Self> {
        let within = |share: f32| (0.0..=1.0).contains(&share);
        let sound =
            (3..=Self::MOST).contains(&corners.len()) && corners.iter().all(|&(x, y)| within(x) && within(y));
        (sound && Self::has_area(&corners)).then_some(Self(corners))
    }

    /// The whole picture.
    pub fn whole() -> Self {
        Self(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    }

    /// Whether some three corners are not on one line.
    fn has_area(corners: &[(f32, f32)]) -> bool {
        let Some(&(x0, y0)) = corners.first() else { return false };
        let to = |&(x, y): &(f32, f32)| (x - x0, y - y0);
        let far = |corner: &&(f32, f32)| to(corner).0.abs() + to(corner).1.abs() > 1e-5;
        let Some((ax, ay)) = corners.iter().find(far).map(to) else { return false };
        corners.iter().map(to).any(|(bx, by)| (ax * by - ay * bx).abs() > 1e-7)
    }

    /// The box around it, in shares.
    #[cfg(feature = "detector")]
    pub(crate) fn bounds(&self) -> Rect {
        let least = |values: &mut dyn Iterator<Item = f32>| values.fold(f32::INFINITY, f32::min);
        let most = |values: &mut dyn Iterator<Item = f32>| values.fold(f32::NEG_INFINITY, f32::max);
        let (xs, ys) = (|| self.0.iter().map(|corner| corner.0), || self.0.iter().map(|corner| corner.1));
        Rect::from_edges(least(&mut xs()), least(&mut ys()), most(&mut xs()), most(&mut ys()))
    }

    /// Two sides that cross each other, counted from 0 (side 0 goes from the first corner to the second); `None` where no
    /// two do.
    pub fn crossing_sides(&self) -> Option<(usize, usize)> {
        let count = self.0.len();
        let corner = |index: usize| self.0.get(index % count).copied().unwrap_or_default();
        let turn = |a: (f32, f32), b: (f32, f32), c: (f32, f32)| {
            (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
        };
        let cross = |first: usize, second: usize| {
            let (a, b, c, d) = (corner(first), corner(first + 1), corner(second), corner(second + 1));
            turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
        };
        (0..count).find_map(|first| {
            (first + 1..count).find(|&second| cross(first, second)).map(|second| (first, second))
        })
    }

    /// The corners.
    pub fn corners(&self) -> &[(f32, f32)] {
        &self.0
    }

    /// Where the horizontal line at `y` crosses the sides, in shares, ascending: inside between the first and the second,
    /// the third and the fourth, and so on.
    #[cfg(feature = "detector")]
    pub(crate) fn crossings(&self, y: f32, crossings: &mut Vec<f32>) {
        crossings.clear();
        let ends = self.0.iter().cycle().skip(1);
        for (&(x0, y0), &(x1, y1)) in self.0.iter().zip(ends) {
            // Each side has one of its ends, so that a corner is crossed once.
            if (y0 <= y) != (y1 <= y) {
                crossings.push(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
            }
        }
        crossings.sort_by(f32::total_cmp);
    }
}
