//! Where each of several pictures lies in one window.

use crate::view::Canvas;

/// How many pictures one window shows at most.
pub const MAX_TILES: usize = 9;
/// The assumed size of a picture if no size is known yet.
const USUAL: (u32, u32) = (16, 9);
/// Pixels between two tiles.
const GAP: usize = 2;

/// A tile: a part of the canvas, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The left edge.
    pub left: usize,
    /// The upper edge.
    pub top: usize,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
}

impl Cell {
    /// Whether a point of the canvas lies in it.
    pub(super) fn contains(&self, x: f32, y: f32) -> bool {
        let within = |at: f32, from: usize, length: usize| {
            at >= from as f32 && at < from.saturating_add(length) as f32
        };
        within(x, self.left, self.width) && within(y, self.top, self.height)
    }

    /// Copies a canvas of the tile's size to the tile's place.
    pub fn put(&self, tile: &Canvas, canvas: &mut Canvas) {
        for (row, pixels) in tile.pixels().chunks(tile.width().max(1)).enumerate().take(self.height) {
            let place = canvas.row_mut(self.top + row, self.left, self.left + self.width.min(tile.width()));
            place.iter_mut().zip(pixels).for_each(|(to, from)| *to = *from);
        }
    }
}

/// Width and height of a picture as large as a box holds it whole.
fn fitted(size: (u32, u32), (width, height): (f64, f64)) -> (f64, f64) {
    let (across, down) = (f64::from(size.0.max(1)), f64::from(size.1.max(1)));
    let scale = (width / across).min(height / down);
    (across * scale, down * scale)
}

/// The places of pictures of these sizes in a canvas (`None`: size not known yet, assumed to be that of the first known
/// one). It is the grid in which the pictures have the largest total area, row by row. Its tiles are no larger than the
/// pictures need. The grid is in the middle of the canvas, and so is an incomplete last row. No tiles overlap, and none
/// is empty as long as there is a pixel for each.
pub fn layout(canvas: (usize, usize), sizes: &[Option<(u32, u32)>]) -> Vec<Cell> {
    let count = sizes.len();
    let usual = sizes.iter().flatten().next().copied().unwrap_or(USUAL);
    let sizes: Vec<_> = sizes.iter().map(|size| size.unwrap_or(usual)).collect();
    // The room of a tile where so many share a side.
    let room = |side: usize, tiles: usize| (side.saturating_sub(GAP * (tiles - 1)) / tiles) as f64;
    let pictures = |columns: usize| {
        let rows = count.div_ceil(columns);
        let room = (room(canvas.0, columns), room(canvas.1, rows));
        sizes.iter().map(move |size| fitted(*size, room))
    };
    let area = |columns: &usize| pictures(*columns).map(|(width, height)| width * height).sum::<f64>();
    // Of equals the one with the fewest gaps, and of these the one that is read as a row.
    let gaps = |columns: &usize| columns * count.div_ceil(*columns) - count;
    let best = (1..=count).max_by(|a, b| {
        let nearly = 1e-3 * area(a).max(area(b));
        let by_area =
            if (area(a) - area(b)).abs() <= nearly { None } else { Some(area(a).total_cmp(&area(b))) };
        by_area.unwrap_or_else(|| gaps(b).cmp(&gaps(a)).then(a.cmp(b)))
    });
    let Some(columns) = best else { return Vec::new() };
    let rows = count.div_ceil(columns);
    let (width, height) =
        pictures(columns).fold((0.0, 0.0), |most, size| (size.0.max(most.0), size.1.max(most.1)));
    let (width, height) = (width.round() as usize, height.round() as usize);
    // The beginnings of `tiles` tiles that share a side.
    let begin = |side: usize, tiles: usize, length: usize| {
        side.saturating_sub(tiles * length + GAP * (tiles - 1)) / 2
    };
    let cell = |index: usize| {
        let (row, column) = (index / columns, index % columns);
        let in_row = if row + 1 == rows { count - row * columns } else { columns };
        Cell {
            left: begin(canvas.0, in_row, width) + column * (width + GAP),
            top: begin(canvas.1, rows, height) + row * (height + GAP),
            width,
            height,
        }
    };
    (0..count).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDE: Option<(u32, u32)> = Some((1280, 720));
    const TALL: Option<(u32, u32)> = Some((720, 1280));

    /// Columns and rows.
    fn shape(cells: &[Cell]) -> (usize, usize) {
        let distinct =
            |places: Vec<usize>| places.into_iter().collect::<std::collections::BTreeSet<_>>().len();
        let first = cells.iter().filter(|cell| cell.top == cells[0].top).count();
        (first, distinct(cells.iter().map(|cell| cell.top).collect()))
    }

    #[test]
    fn usual_windows_have_the_grids_one_expects() {
        let shapes =
            |canvas, size| (1..=9).map(|n| shape(&layout(canvas, &vec![size; n]))).collect::<Vec<_>>();
        assert_eq!(
            shapes((1280, 720), WIDE),
            [(1, 1), (2, 1), (2, 2), (2, 2), (3, 2), (3, 2), (3, 3), (3, 3), (3, 3)]
        );
        assert_eq!(shapes((1280, 720), TALL)[..4], [(1, 1), (2, 1), (3, 1), (4, 1)]);
        assert_eq!(shapes((600, 1200), WIDE)[..4], [(1, 1), (1, 2), (1, 3), (1, 4)]);
        assert_eq!(layout((1280, 720), &[]), []);
        let four = layout((1280, 720), &[WIDE; 4]);
        assert_eq!(four[0], Cell { left: 1, top: 0, width: 638, height: 359 });
        // Two side by side lie in the middle, and so does a row that is not full.
        let two = layout((1280, 720), &[WIDE; 2]);
        assert_eq!((two[0].top, two[0].height), (180, 359));
        let five = layout((1280, 720), &[WIDE; 5]);
        assert_eq!(five[3].left, (1280 - 2 * five[3].width - GAP) / 2);
    }

    proptest! {
        #[test]
        fn tiles_lie_in_the_canvas_apart_and_as_large_as_any_grid_has_them(
            canvas in (1usize..2000, 1usize..2000),
            sizes in prop::collection::vec(prop::option::of((1u32..4000, 1u32..4000)), 1..=9),
        ) {
            let cells = layout(canvas, &sizes);
            prop_assert_eq!(cells.len(), sizes.len());
            for (index, cell) in cells.iter().enumerate() {
                if canvas.0 > 100 && canvas.1 > 100 {
                    prop_assert!(cell.left + cell.width <= canvas.0 && cell.top + cell.height <= canvas.1);
                }
                for other in &cells[..index] {
                    let beside = cell.left >= other.left + other.width || other.left >= cell.left + cell.width;
                    let below = cell.top >= other.top + other.height || other.top >= cell.top + cell.height;
                    prop_assert!(beside || below, "{:?} {:?}", cell, other);
                }
            }
            // No other number of columns has larger pictures.
            let usual = sizes.iter().flatten().next().copied().unwrap_or(USUAL);
            let shown = |width: f64, height: f64| sizes
                .iter()
                .map(|size| fitted(size.unwrap_or(usual), (width, height)))
                .map(|(w, h)| w * h)
                .sum::<f64>();
            if canvas.0 > 100 && canvas.1 > 100 {
                let area = shown(cells[0].width as f64 + 1.0, cells[0].height as f64 + 1.0);
                for columns in 1..=sizes.len() {
                    let rows = sizes.len().div_ceil(columns);
                    let room = |side: usize, n: usize| (side.saturating_sub(GAP * (n - 1)) / n) as f64;
                    let other = shown(room(canvas.0, columns), room(canvas.1, rows));
                    prop_assert!(area >= other * 0.998, "{} columns: {} {}", columns, other, area);
                }
            }
        }

        #[test]
        fn a_tile_is_put_where_it_lies(canvas in (0usize..60, 0usize..60), tile in (0usize..40, 0usize..40), at in (0usize..70, 0usize..70)) {
            let mut below = Canvas::new(canvas.0, canvas.1);
            let mut above = Canvas::new(tile.0, tile.1);
            above.clear(7);
            let cell = Cell { left: at.0, top: at.1, width: tile.0, height: tile.1 };
            cell.put(&above, &mut below);
            for (index, pixel) in below.pixels().iter().enumerate() {
                let (x, y) = (index % canvas.0, index / canvas.0);
                prop_assert_eq!(*pixel == 7, cell.contains(x as f32, y as f32));
            }
        }
    }
}
