//! Ghosts: what a thing leaves behind that was there from the first picture on, and so was taken for background.

use super::grid::{Grid, LANES, Pixels};
use super::model::{Cell, Told};
use super::regions::{Marks, Region};

/// Luma is compared so many pixels inside and outside of the outline.
const STEP: usize = 2;
/// The background has so many times the contrast along the outline that the picture has, and so many grey levels more.
const MORE: f32 = 1.5;
const LEVELS: f32 = 4.0;
/// Fewer places on the outline tell nothing.
const LEAST: usize = 6;

/// Whether the outline of a region is one of the background, and not of the picture.
pub(super) fn is_ghost(region: &Region, marks: &Marks, grid: &Grid, told: &[Told], seen: &[Pixels]) -> bool {
    let at = |x: usize, y: usize| (y * grid.blocks + x / LANES, x % LANES);
    let (mut now, mut then, mut count) = (0.0, 0.0, 0usize);
    let mut compare = |inside: usize, outside: usize, y: usize| {
        let ((inside, a), (outside, b)) = (at(inside, y), at(outside, y));
        now += (seen[inside].y[a] - seen[outside].y[b]).abs();
        then += (told[inside].background.y[a] - told[outside].background.y[b]).abs();
        count += 1;
    };
    for y in region.top..region.bottom {
        let mut x = region.left;
        while x < region.right {
            let from = x;
            while x < region.right && marks.is_of(region, x, y) {
                x += 1;
            }
            if x == from {
                x += 1;
                continue;
            }
            if from >= STEP {
                compare((from + STEP - 1).min(x - 1), from - STEP, y);
            }
            if x + STEP - 1 < grid.size.0 {
                compare(x.saturating_sub(STEP).max(from), x + STEP - 1, y);
            }
        }
    }
    count >= LEAST && then > MORE * now + LEVELS * count as f32
}

/// Makes background of what a region shows.
pub(super) fn forget(region: &Region, marks: &Marks, grid: &Grid, seen: &[Pixels], cells: &mut [Cell]) {
    for y in region.top..region.bottom {
        for x in (region.left..region.right).filter(|&x| marks.is_of(region, x, y)) {
            let (block, lane) = (y * grid.blocks + x / LANES, x % LANES);
            cells[block].adopt(lane, seen[block].at(lane));
        }
    }
}
