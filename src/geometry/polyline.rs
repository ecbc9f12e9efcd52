//! Lines with two or more points in shares of a picture's sides, so that they hold at every size.

/// A line from its first point to its last, by its points `(x, y)` in shares of the picture's sides, `0.0..=1.0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Polyline(Vec<(f32, f32)>);

impl Polyline {
    /// The most points.
    pub const MOST: usize = 64;

    /// Takes 2 to [`Polyline::MOST`] points, each within the picture and apart from the one before.
    pub fn new(points: Vec<(f32, f32)>) -> Option<Self> {
        let within = |share: f32| (0.0..=1.0).contains(&share);
        let apart =
            |pair: &[(f32, f32)]| matches!(pair, [a, b] if (a.0 - b.0).abs() + (a.1 - b.1).abs() > 1e-4);
        let sound = (2..=Self::MOST).contains(&points.len())
            && points.iter().all(|&(x, y)| within(x) && within(y))
            && points.windows(2).all(apart);
        sound.then_some(Self(points))
    }

    /// Across the middle of the picture, from the left to the right.
    pub fn across() -> Self {
        Self(vec![(0.1, 0.5), (0.9, 0.5)])
    }

    /// The points.
    pub fn points(&self) -> &[(f32, f32)] {
        &self.0
    }
}
