//! From the map that a network has for an object to the mask of its pixels in the picture.

use std::ops::Range;

use super::input_size::InputSize;
use super::preprocess::Placement;
use super::slicing::Slice;
use crate::detection::{Detections, Mask};
use crate::geometry::Rect;

/// A mask has no more cells than this: objects that fill a large picture have cells of several pixels, still far finer than the
/// map they are made from.
const MOST_CELLS: f32 = (1 << 18) as f32;
/// No more objects than this in one picture have masks, the best.
const MOST_MASKS: usize = 300;

/// Makes the masks of what was found in a slice and is left, in pixels of the picture; `map_of` gives the map of the object with a
/// code, as far as it is needed for a box in pixels of the network's input.
pub(super) fn add(
    found: &mut Detections,
    (slice, input, placement): (Slice, InputSize, Placement),
    map_of: impl Fn(&[f32], &Rect) -> Result<Option<MaskMap>, String>,
) -> Result<(), String> {
    let rects: Vec<Rect> = found.iter().map(|detection| detection.rect).collect();
    let (left, top, size) = (slice.left as f32, slice.top as f32, slice.size());
    for (number, (extra, rect)) in found.extras_mut().iter_mut().zip(rects).enumerate() {
        let code = std::mem::take(&mut extra.mask_code);
        let within = Rect { left: rect.left - left, top: rect.top - top, ..rect };
        let Some(within) = within.clipped(size.0 as f32, size.1 as f32).filter(|_| number < MOST_MASKS)
        else {
            continue;
        };
        let map = map_of(&code, &placement.to_input(&within))?;
        let mask = map.and_then(|map| map.mask(&within, size, input, placement));
        extra.mask = mask.map(|mask| mask.shifted((left, top)));
    }
    Ok(())
}

/// Numbers on a grid that lies over the whole input of a network, above 0 where an object is; known in a part of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskMap {
    grid: (usize, usize),
    columns: Range<usize>,
    rows: Range<usize>,
    values: Vec<f32>,
}

impl MaskMap {
    /// The part of a grid of so many columns and rows that is needed for a box in pixels of the input. `fill` writes the numbers
    /// of a row in some columns. `None` where the grid or the box has no area, or the box lies beside the input.
    pub fn new(
        grid: (usize, usize),
        input: InputSize,
        within: &Rect,
        mut fill: impl FnMut(usize, Range<usize>, &mut [f32]),
    ) -> Option<Self> {
        // A cell more on each side, between whose middles and those of the cells within numbers are interpolated.
        let part = |from: f32, to: f32, cells: usize, side: usize| {
            let a_pixel = cells as f32 / side as f32;
            let place = |value: f32| (value * a_pixel).clamp(0.0, cells as f32);
            let from = (place(from).floor() as usize).saturating_sub(1);
            from..(place(to).ceil() as usize + 1).min(cells)
        };
        let columns = part(within.left, within.right(), grid.0, input.width());
        let rows = part(within.top, within.bottom(), grid.1, input.height());
        if columns.is_empty() || rows.is_empty() || !within.is_sound() {
            return None;
        }
        let mut values = vec![0.0; columns.len() * rows.len()];
        for (row, values) in rows.clone().zip(values.chunks_exact_mut(columns.len())) {
            fill(row, columns.clone(), values);
        }
        Some(Self { grid, columns, rows, values })
    }

    /// The pixels of a part of the picture where the map is above 0, between its numbers by bilinear interpolation. `within` is
    /// the box that cuts it, in pixels of that part, of which `size` is the width and height; `placement` says how it lies in the
    /// network's input. Beyond the picture, where the input is filled up, the map says nothing.
    pub(super) fn mask(
        &self,
        within: &Rect,
        size: (u32, u32),
        input: InputSize,
        placement: Placement,
    ) -> Option<Mask> {
        let pixels = |from: f32, to: f32, side: u32| {
            let pixel = |place: f32| place.ceil().clamp(0.0, side as f32) as u32;
            pixel(from)..pixel(to)
        };
        let across = pixels(within.left, within.right(), size.0);
        let down = pixels(within.top, within.bottom(), size.1);
        let (width, height) = (across.len() as f32, down.len() as f32);
        // So that the area of a cell is at least the number of pixels for each cell that there may be.
        let side = (width * height / MOST_CELLS).sqrt().max(1.0);
        let [columns, rows] =
            [width, height].map(|length| (length / side).floor().max(1.0).min(length) as u32);
        let rect = Rect::new(across.start as f32, down.start as f32, width, height);
        let axis = |first: u32, length: f32, cells: u32, axis: Axis| {
            let cell = length / cells as f32;
            let middle = move |cell_number: u32| first as f32 + (cell_number as f32 + 0.5) * cell;
            (0..cells).map(move |number| axis.between(middle(number))).collect::<Vec<Between>>()
        };
        let [x, y] = Axis::both(self, size, input, placement);
        let (x, y) = (axis(across.start, width, columns, x), axis(down.start, height, rows, y));
        let (stride, last) = (self.columns.len(), self.values.len().checked_sub(1)?);
        Mask::new(rect, (columns, rows), |column, row| {
            let (x, y) = (&x[column as usize], &y[row as usize]);
            let at = |x: usize, y: usize| self.values[(y * stride + x).min(last)];
            let upper = at(x.near, y.near) * (1.0 - x.share) + at(x.far, y.near) * x.share;
            let lower = at(x.near, y.far) * (1.0 - x.share) + at(x.far, y.far) * x.share;
            upper * (1.0 - y.share) + lower * y.share > 0.0
        })
    }
}

/// Two neighbours in the known part of the map, and how much of the second there is.
#[derive(Debug, Clone, Copy)]
struct Between {
    near: usize,
    far: usize,
    share: f32,
}

/// How pixels of the picture lie on the map, along one side.
#[derive(Debug, Clone, Copy)]
struct Axis {
    /// Cells of the map for a pixel.
    scale: f32,
    /// Where the picture begins, in cells.
    offset: f32,
    /// The first and the last cell that the picture covers.
    covered: (f32, f32),
    /// The first cell that is known, and how many are.
    first: f32,
    known: usize,
}

impl Axis {
    fn both(map: &MaskMap, size: (u32, u32), input: InputSize, placement: Placement) -> [Self; 2] {
        let axis = |cells: usize, side: usize, pixels: u32, scale: f32, offset: f32, known: &Range<usize>| {
            let a_pixel = cells as f32 / side as f32;
            let begin = (offset * a_pixel).round();
            let end = ((offset + pixels as f32 * scale) * a_pixel).round().min(cells as f32);
            Self {
                scale: scale * a_pixel,
                offset: offset * a_pixel,
                covered: (begin, (end - 1.0).max(begin)),
                first: known.start as f32,
                known: known.len(),
            }
        };
        let (scale, offset) = (placement.scale, placement.offset);
        [
            axis(map.grid.0, input.width(), size.0, scale.0, offset.0, &map.columns),
            axis(map.grid.1, input.height(), size.1, scale.1, offset.1, &map.rows),
        ]
    }

    /// Where a place in the picture lies between the middles of the cells.
    fn between(&self, place: f32) -> Between {
        let place =
            (place * self.scale + self.offset - 0.5).clamp(self.covered.0, self.covered.1) - self.first;
        let place = place.clamp(0.0, (self.known - 1) as f32);
        let near = place.floor();
        let (share, near) = (place - near, near as usize);
        Between { near, far: (near + 1).min(self.known - 1), share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> InputSize {
        InputSize::new(64, 64).unwrap()
    }

    /// A map of 16×16 that is above 0 to the right of a column of the input, for a picture of 64×32 in the middle of it.
    fn map(within: &Rect, edge: f32) -> Option<MaskMap> {
        MaskMap::new((16, 16), input(), within, |_, columns, values| {
            for (column, value) in columns.zip(values) {
                *value = (column as f32 + 0.5) * 4.0 - edge;
            }
        })
    }

    const PLACEMENT: Placement = Placement { scale: (0.5, 0.5), offset: (0.0, 16.0) };

    #[test]
    fn the_mask_is_where_the_map_is_above_zero_within_the_box() {
        // A picture of 128×64. The edge at 20 of the input is at 40 of it.
        let within = Rect::new(30.0, 10.0, 50.5, 20.0);
        let in_input = Rect::new(15.0, 21.0, 25.25, 10.0);
        let map = map(&in_input, 20.0).unwrap();
        assert!(map.values.len() <= 10 * 6, "{}", map.values.len());
        let mask = map.mask(&within, (128, 64), input(), PLACEMENT).unwrap();
        let rle = mask.to_rle((128, 64));
        // Columns 40 to 80: the last begins left of the box's right edge, at 80.5.
        assert_eq!(rle.area(), 41 * 20);
        assert_eq!(Mask::of_rle(&rle).unwrap().rect(), Rect::new(40.0, 10.0, 41.0, 20.0));
    }

    #[test]
    fn what_fills_a_large_picture_has_larger_cells() {
        let (size, whole) = ((8000, 4000), Rect::new(-20.0, -20.0, 9000.0, 9000.0));
        let placement = Placement { scale: (0.008, 0.008), offset: (0.0, 16.0) };
        let map = map(&Rect::new(-5.0, -5.0, 99.0, 99.0), 32.0).unwrap();
        let mask = map.mask(&whole, size, input(), placement).unwrap();
        assert!(mask.cells().0 * mask.cells().1 <= 1 << 18, "{:?}", mask.cells());
        assert!(mask.bytes() < 20_000, "{}", mask.bytes());
        let share = mask.to_rle(size).area() as f64 / (8000.0 * 4000.0);
        assert!((share - 0.5).abs() < 0.005, "{share}");
    }

    #[test]
    fn nothing_is_no_mask_and_odd_numbers_do_no_harm() {
        let within = Rect::new(15.0, 21.0, 25.0, 10.0);
        assert_eq!(map(&within, 90.0).and_then(|map| map.mask(&within, (128, 64), input(), PLACEMENT)), None);
        for odd in [
            Rect::new(f32::NAN, 0.0, 10.0, 10.0),
            Rect::new(200.0, 200.0, 10.0, 10.0),
            Rect::new(-100.0, 0.0, 10.0, 10.0),
            Rect::new(0.0, 0.0, f32::INFINITY, 1.0),
        ] {
            let mask = map(&odd, 0.0).and_then(|map| map.mask(&odd, (128, 64), input(), PLACEMENT));
            assert_eq!(mask, None, "{odd:?}");
        }
        let nan = MaskMap::new((16, 16), input(), &within, |_, _, values| values.fill(f32::NAN)).unwrap();
        assert_eq!(nan.mask(&within, (128, 64), input(), PLACEMENT), None);
    }
}
