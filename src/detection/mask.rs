//! Which pixels are an object's, in few bytes.

use super::rle::Rle;
use crate::geometry::Rect;

/// The pixels of an object: a grid of cells over a rectangle of the picture, of which each is the object's or not. Where cells are
/// as large as pixels they lie on them. Kept as run lengths, so that it takes some bytes for each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// The part of the picture that the grid covers, in the coordinates of the boxes.
    pub(super) rect: Rect,
    columns: u32,
    rows: u32,
    /// Column by column from the left, each from the top: how many cells are not the object's, how many are, and so on.
    runs: Vec<u32>,
}

/// Cells of an object below each other in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskSpan {
    /// The number of the column.
    pub column: u32,
    /// The first row.
    pub from: u32,
    /// The row behind the last one.
    pub to: u32,
}

impl Mask {
    /// A mask of so many cells over a rectangle; `inside` tells of a column and a row whether it is the object's, and is asked
    /// for them column by column, each from the top. `None` where no cell is, or the grid has none.
    pub fn new(
        rect: Rect,
        (columns, rows): (u32, u32),
        mut inside: impl FnMut(u32, u32) -> bool,
    ) -> Option<Self> {
        let mut runs = vec![0u32];
        let mut is_inside = false;
        for column in 0..columns {
            for row in 0..rows {
                if inside(column, row) != is_inside {
                    is_inside = !is_inside;
                    runs.push(0);
                }
                if let Some(last) = runs.last_mut() {
                    *last += 1;
                }
            }
        }
        runs.shrink_to_fit();
        (runs.len() > 1 && rect.is_sound()).then_some(Self { rect, columns, rows, runs })
    }

    /// The part of the picture that the grid covers, in the coordinates of the boxes.
    pub fn rect(&self) -> Rect {
        self.rect
    }

    /// The same, so many pixels farther to the right and down.
    #[must_use]
    pub fn shifted(mut self, (right, down): (f32, f32)) -> Self {
        (self.rect.left, self.rect.top) = (self.rect.left + right, self.rect.top + down);
        self
    }

    /// Cells across and down.
    pub fn cells(&self) -> (u32, u32) {
        (self.columns, self.rows)
    }

    /// The cells that are the object's, column by column from the left, each from the top.
    pub fn spans(&self) -> impl Iterator<Item = MaskSpan> + '_ {
        spans(&self.runs, self.rows)
    }

    /// Column by column from the left, each from the top: how many cells are not the object's, how many are, and so on.
    #[cfg(feature = "cli")]
    pub(crate) fn runs(&self) -> &[u32] {
        &self.runs
    }

    /// The mask of these runs; `None` where their sum is not the number of cells.
    #[cfg(feature = "cli")]
    pub(crate) fn of_runs(rect: Rect, (columns, rows): (u32, u32), runs: Vec<u32>) -> Option<Self> {
        let sum: u64 = runs.iter().map(|&run| u64::from(run)).sum();
        let fits = sum == u64::from(columns) * u64::from(rows) && runs.len() > 1 && rect.is_sound();
        fits.then_some(Self { rect, columns, rows, runs })
    }

    /// The memory it takes beside its own size, in bytes.
    pub fn bytes(&self) -> usize {
        self.runs.capacity() * size_of::<u32>()
    }

    /// The pixels of a picture of this width and height whose middle lies in a cell of the object.
    pub fn to_rle(&self, (width, height): (u32, u32)) -> Rle {
        let spans: Vec<MaskSpan> = self.spans().collect();
        let total = u64::from(width) * u64::from(height);
        let (mut counts, mut end) = (Vec::new(), 0u64);
        // The first pixel of a side whose middle does not lie before this place.
        let pixel = |place: f32, side: u32| (place - 0.5).ceil().clamp(0.0, side as f32) as u32;
        let (across, down) = (self.rect.width / self.columns as f32, self.rect.height / self.rows as f32);
        for x in pixel(self.rect.left, width)..pixel(self.rect.right(), width) {
            let column = ((x as f32 + 0.5 - self.rect.left) / across) as u32;
            let first = spans.partition_point(|span| span.column < column.min(self.columns - 1));
            for span in spans[first..].iter().take_while(|span| span.column == column.min(self.columns - 1)) {
                let [from, to] =
                    [span.from, span.to].map(|row| pixel(self.rect.top + row as f32 * down, height));
                let [from, to] = [from, to].map(|y| u64::from(x) * u64::from(height) + u64::from(y));
                if from >= to {
                    continue;
                }
                match counts.last_mut() {
                    Some(last) if from == end => *last += (to - from) as u32,
                    _ => counts.extend([(from - end) as u32, (to - from) as u32]),
                }
                end = to;
            }
        }
        if end < total {
            counts.push((total - end) as u32);
        }
        Rle::new((width, height), counts).unwrap_or_else(|| Self::nothing((width, height)))
    }

    fn nothing((width, height): (u32, u32)) -> Rle {
        let all = width.checked_mul(height).map(|all| vec![all]).unwrap_or_default();
        Rle::new((width, height), all).unwrap_or_else(|| Self::nothing((0, 0)))
    }

    /// The mask of the pixels of a picture, a cell a pixel, over the upright box around them; `None` where there is none.
    pub fn of_rle(rle: &Rle) -> Option<Self> {
        let height = u64::from(rle.size().1.max(1));
        let mut edges: Option<[u64; 4]> = None;
        for (from, to) in inside(rle.counts()) {
            let (first, last) = (from / height, (to - 1) / height);
            // What goes on in the next column reaches the bottom and the top.
            let (above, below) =
                if first == last { (from % height, (to - 1) % height + 1) } else { (0, height) };
            let [left, top, _, bottom] = edges.unwrap_or([first, above, 0, below]);
            edges = Some([left, top.min(above), last + 1, bottom.max(below)]);
        }
        let [left, top, right, bottom] = edges?;
        let (columns, rows) = (right - left, bottom - top);
        let (mut runs, mut end) = (Vec::new(), 0u64);
        for (from, to) in inside(rle.counts()) {
            let from_new = (from / height - left) * rows + (from % height - top);
            let to_new = from_new + (to - from);
            match runs.last_mut() {
                Some(last) if from_new == end => *last += (to_new - from_new) as u32,
                _ => runs.extend([(from_new - end) as u32, (to_new - from_new) as u32]),
            }
            end = to_new;
        }
        if end < columns * rows {
            runs.push((columns * rows - end) as u32);
        }
        let [x, y, width, height] = [left, top, columns, rows].map(|edge| edge as f32);
        Some(Self { rect: Rect::new(x, y, width, height), columns: columns as u32, rows: rows as u32, runs })
    }
}

/// Where the runs of what is inside begin and end, without those of nothing.
fn inside(runs: &[u32]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let mut end = 0u64;
    let all = runs.chunks(2).map(move |pair| {
        let from = end + u64::from(pair[0]);
        end = from + pair.get(1).map_or(0, |&inside| u64::from(inside));
        (from, end)
    });
    all.filter(|(from, to)| to > from)
}

/// The runs of what is inside, cut at the end of each column of so many rows.
fn spans(runs: &[u32], rows: u32) -> impl Iterator<Item = MaskSpan> + '_ {
    let rows = u64::from(rows.max(1));
    inside(runs).flat_map(move |(from, to)| {
        (from / rows..(to - 1) / rows + 1).map(move |column| {
            let row = |place: u64| place.clamp(column * rows, (column + 1) * rows) - column * rows;
            MaskSpan { column: column as u32, from: row(from) as u32, to: row(to) as u32 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Cells at random, mostly in patches.
    fn grids() -> impl Strategy<Value = (u32, u32, Vec<bool>)> {
        (1u32..12, 1u32..12).prop_flat_map(|(columns, rows)| {
            let cells = prop::collection::vec(any::<bool>(), (columns * rows) as usize);
            (Just(columns), Just(rows), cells)
        })
    }

    /// Run lengths by looking at every pixel.
    fn encode((width, height): (u32, u32), inside: impl Fn(u32, u32) -> bool) -> Vec<u32> {
        let (mut counts, mut is_inside) = (vec![0], false);
        for x in 0..width {
            for y in 0..height {
                if inside(x, y) != is_inside {
                    is_inside = !is_inside;
                    counts.push(0);
                }
                *counts.last_mut().unwrap() += 1;
            }
        }
        counts
    }

    proptest! {
        #[test]
        fn pixels_go_into_the_picture_and_back(
            (columns, rows, cells) in grids(), left in 0u32..9, top in 0u32..9, right in 0u32..5, below in 0u32..5
        ) {
            prop_assume!(cells.contains(&true));
            let rect = Rect::new(left as f32, top as f32, columns as f32, rows as f32);
            let at = |x: u32, y: u32| cells[(y * columns + x) as usize];
            let mask = Mask::new(rect, (columns, rows), at).unwrap();
            let size = (left + columns + right, top + rows + below);
            let rle = mask.to_rle(size);
            let expected = encode(size, |x, y| {
                (left..left + columns).contains(&x) && (top..top + rows).contains(&y) && at(x - left, y - top)
            });
            prop_assert_eq!(rle.counts(), &expected[..]);
            prop_assert_eq!(rle.area(), cells.iter().filter(|cell| **cell).count() as u64);
            let again = Mask::of_rle(&rle).unwrap();
            prop_assert_eq!(again.to_rle(size), rle);
            let inside: Vec<_> = mask.spans().flat_map(|s| (s.from..s.to).map(move |y| (s.column, y))).collect();
            prop_assert!(inside.iter().all(|&(x, y)| at(x, y)) && inside.is_sorted());
        }

        #[test]
        fn cells_of_any_size_cover_the_pixels_whose_middle_they_hold(
            (columns, rows, cells) in grids(), left in -5f32..9.0, top in -5f32..9.0, across in 0.3f32..4.0, down in 0.3f32..4.0
        ) {
            prop_assume!(cells.contains(&true));
            let rect = Rect::new(left, top, across * columns as f32, down * rows as f32);
            let mask = Mask::new(rect, (columns, rows), |x, y| cells[(y * columns + x) as usize]).unwrap();
            let rle = mask.to_rle((20, 16));
            let mut pixels = vec![false; 20 * 16];
            let mut at = 0;
            for (number, &count) in rle.counts().iter().enumerate() {
                pixels[at..at + count as usize].fill(number % 2 == 1);
                at += count as usize;
            }
            for x in 0..20 {
                for y in 0..16 {
                    let (u, v) = ((x as f32 + 0.5 - left) / across, (y as f32 + 0.5 - top) / down);
                    // On the line between two cells either may have it.
                    if [u, v].iter().any(|place| (place - place.round()).abs() < 1e-3) {
                        continue;
                    }
                    let within = u > 0.0 && v > 0.0 && u < columns as f32 && v < rows as f32;
                    let inside = within && cells[v as usize * columns as usize + u as usize];
                    prop_assert_eq!(pixels[x * 16 + y], inside, "{} {}", x, y);
                }
            }
        }
    }

    #[test]
    fn nothing_is_no_mask() {
        let rect = Rect::new(0.0, 0.0, 4.0, 4.0);
        assert_eq!(Mask::new(rect, (4, 4), |_, _| false), None);
        assert_eq!(Mask::new(rect, (0, 4), |_, _| true), None);
        assert_eq!(Mask::new(Rect::default(), (4, 4), |_, _| true), None);
        assert_eq!(Mask::of_rle(&Rle::new((3, 2), vec![6]).unwrap()), None);
        let outside = Mask::new(Rect::new(50.0, 50.0, 4.0, 4.0), (4, 4), |_, _| true).unwrap();
        assert_eq!(outside.to_rle((10, 10)).counts(), [100]);
    }

    #[test]
    fn a_disc_is_that_of_pycocotools() {
        // encode() of ((x - 20)² + (y - 15)² < 10²) in 40 × 30.
        let disc = |x: u32, y: u32| (f64::from(x) - 20.0).hypot(f64::from(y) - 15.0) < 10.0;
        let mask = Mask::new(Rect::new(0.0, 0.0, 40.0, 30.0), (40, 30), disc).unwrap();
        let rle = mask.to_rle((40, 30));
        assert_eq!((rle.area(), rle.text().as_str()), (305, "e:9d02M4N0O2N2O0000000000000001N2N102L3NR9"));
        let small = Mask::of_rle(&rle).unwrap();
        assert_eq!((small.rect(), small.cells()), (Rect::new(11.0, 6.0, 19.0, 19.0), (19, 19)));
        assert!(small.bytes() < 200, "{}", small.bytes());
    }
}
