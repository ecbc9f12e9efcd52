//! Where objects were, and for how long: seconds of presence in the cells of a grid over the picture. What
//! [`Heat`](crate::analyse::Heat) gathers, the overlay draws, and `--heat` writes.

use std::sync::Arc;

use crate::ground::Ground;

/// The longer side of the picture has at most so many cells.
pub const CELLS: u32 = 160;

/// Seconds of presence by cells. A clone is cheap: rows are shared until they change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeatMap {
    /// Of the picture, in pixels.
    size: (u32, u32),
    /// The side of a cell in pixels.
    cell: u32,
    columns: usize,
    /// Seconds before they are multiplied by `scale`; in double precision, as a thirtieth is added for weeks.
    rows: Vec<Arc<Vec<f64>>>,
    scale: f64,
    /// Source time of the newest frame that is in it, in seconds.
    pub time: f64,
    /// For how long was watched, in seconds of source time.
    pub seconds: f64,
}

impl HeatMap {
    /// An empty map for pictures of `size` pixels. Its cells are squares of whole pixels; those at the right and lower edge may
    /// reach beyond the picture.
    pub fn new(size: (u32, u32)) -> Self {
        let cell = size.0.max(size.1).div_ceil(CELLS).max(1);
        let (columns, rows) = (size.0.div_ceil(cell) as usize, size.1.div_ceil(cell) as usize);
        let rows = std::iter::repeat_n(Arc::new(vec![0.0; columns]), rows).collect();
        Self { size, cell, columns, rows, scale: 1.0, time: 0.0, seconds: 0.0 }
    }

    /// The size of the picture in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The side of a cell in pixels.
    pub fn cell(&self) -> u32 {
        self.cell
    }

    /// How many cells there are across and down.
    pub fn cells(&self) -> (usize, usize) {
        (self.columns, self.rows.len())
    }

    /// Row by row from the top, each from the left: seconds of presence.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = f32>> {
        self.rows.iter().map(|row| row.iter().map(|value| (*value * self.scale) as f32))
    }

    /// Seconds of presence in all cells together.
    pub fn total(&self) -> f64 {
        self.rows().flatten().map(f64::from).sum()
    }

    /// How many square metres of the ground a cell shows, by its column and row; `None` where the ground is not known there, or
    /// the cell reaches beyond the horizon.
    pub fn square_metres(&self, ground: &Ground, column: usize, row: usize) -> Option<f64> {
        let cell = f64::from(self.cell);
        let corner = |across: usize, down: usize| {
            let place = ground.place((column + across) as f64 * cell, (row + down) as f64 * cell)?;
            Some((place.x, place.y))
        };
        let corners = [corner(0, 0)?, corner(1, 0)?, corner(1, 1)?, corner(0, 1)?];
        let ends = corners.iter().cycle().skip(1);
        let doubled: f64 = corners.iter().zip(ends).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
        Some(doubled.abs() / 2.0)
    }

    /// The cell at a point in pixels; of one outside of the picture, the nearest.
    pub(crate) fn cell_at(&self, (x, y): (f32, f32)) -> (usize, usize) {
        // What is below zero, or no number, becomes zero.
        let index = |at: f32, count: usize| ((at / self.cell as f32) as usize).min(count.saturating_sub(1));
        (index(x, self.columns), index(y, self.rows.len()))
    }

    /// Adds to a cell what counts as so many seconds now.
    pub(crate) fn add(&mut self, (column, row): (usize, usize), seconds: f64) {
        let scale = self.scale;
        if let Some(cell) = self.rows.get_mut(row).and_then(|row| Arc::make_mut(row).get_mut(column)) {
            *cell += seconds / scale;
        }
    }

    /// All that is there counts for this share of what it was.
    pub(crate) fn fade(&mut self, share: f64) {
        self.scale *= share;
        // Long before numbers get too large or too small.
        if self.scale < 1e-6 {
            let scale = std::mem::replace(&mut self.scale, 1.0);
            for row in &mut self.rows {
                Arc::make_mut(row).iter_mut().for_each(|value| *value *= scale);
            }
        }
    }

    /// Adds what another map of the same picture has, times and all.
    pub(crate) fn add_map(&mut self, other: &Self) {
        if other.size != self.size {
            return;
        }
        let share = other.scale / self.scale;
        for (row, more) in self.rows.iter_mut().zip(&other.rows) {
            if more.iter().any(|value| *value > 0.0) {
                let row = Arc::make_mut(row).iter_mut().zip(more.iter());
                row.for_each(|(value, more)| *value += *more * share);
            }
        }
        self.seconds += other.seconds;
        self.time = self.time.max(other.time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::KnownPoint;

    #[test]
    fn cells_are_bounded_whole_pixels_and_cover_the_picture() {
        for size in [(1920, 1080), (1, 1), (161, 7), (3000, 32_768), (159, 159)] {
            let map = HeatMap::new(size);
            let (columns, rows) = map.cells();
            assert!(columns <= CELLS as usize && rows <= CELLS as usize, "{size:?}");
            let reach = |cells: usize| cells as u32 * map.cell();
            assert!(reach(columns) >= size.0 && reach(columns) < size.0 + map.cell(), "{size:?}");
            assert!(reach(rows) >= size.1 && reach(rows) < size.1 + map.cell(), "{size:?}");
        }
        let map = HeatMap::new((100, 50));
        assert_eq!((map.cell_at((-5.0, f32::NAN)), map.cell_at((1e9, 49.9))), ((0, 0), (99, 49)));
        HeatMap::new((0, 0)).add((0, 0), 1.0);
    }

    /// A frame's thirtieth of a second counts also where somebody has been for a month.
    #[test]
    fn little_counts_beside_much() {
        let mut map = HeatMap::new((100, 100));
        map.add((3, 4), 2.6e6);
        for _ in 0..30_000 {
            map.add((3, 4), 1.0 / 30.0);
        }
        assert!((map.total() - 2.6e6 - 1000.0).abs() < 1.0, "{}", map.total());
    }

    #[test]
    fn what_fades_for_years_keeps_its_numbers() {
        let mut map = HeatMap::new((100, 100));
        for _ in 0..10_000 {
            map.add((3, 4), 1.0);
            map.fade(0.5);
        }
        let expected = 1.0;
        assert!((map.total() - expected).abs() < 1e-3, "{}", map.total());
        let mut sum = HeatMap::new((100, 100));
        sum.add((3, 4), 2.0);
        sum.add_map(&map);
        let found: Vec<f32> = sum.rows().flatten().filter(|value| *value > 0.0).collect();
        assert!(found.len() == 1 && (found[0] - 3.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_cell_knows_its_square_metres() {
        // Straight down: a pixel is five centimetres.
        let corner = |x: f64, y: f64| KnownPoint { at: (x, y), metres: (x * 20.0, y * -10.0) };
        let corners = [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        let ground = Ground::from_points((400, 200), &corners, 0.0).unwrap();
        let map = HeatMap::new((400, 200));
        assert_eq!(map.cell(), 3);
        assert!((map.square_metres(&ground, 7, 9).unwrap() - 0.0225).abs() < 1e-9);
    }
}
