//! Leaves, water, a flag: where pixels often change sides, what one shows may be the background of a pixel close by
//! (Elgammal, Harwood and Davis, 2000).

use super::grid::{Grid, LANES, Pixels};
use super::model::{Cell, Told, squared_distance};
use super::regions::Marks;
use crate::geometry::Rect;

/// Pixels that change sides in this share of the frames are restless; a mean over eight of them.
const RESTLESS: f32 = 0.013;
/// Something sways by at most so many small pixels.
const REACH: usize = 2;

/// Removes the marks of pixels that show what sways. `noise` in grey levels; `limit`: squared deviations from which on a pixel
/// is off.
pub(super) fn remove(
    marks: &mut Marks,
    grid: &Grid,
    cells: &[Cell],
    told: &[Told],
    seen: &[Pixels],
    (noise, limit): (f32, f32),
) {
    let (width, height) = grid.size;
    for y in 0..height {
        let row = y * marks.stride;
        for block in 0..grid.blocks {
            let marked = row + block * LANES..row + (block + 1) * LANES;
            if marks.weak[marked.clone()].iter().all(|mark| *mark == 0) {
                continue;
            }
            let cell = &cells[y * grid.blocks + block];
            if cell.restless().iter().sum::<f32>() < RESTLESS * LANES as f32 {
                continue;
            }
            for (lane, at) in marked.enumerate() {
                let x = block * LANES + lane;
                if marks.weak[at] == 0 || x >= width {
                    continue;
                }
                let deviation = cell.deviation()[lane].max(noise);
                let most = limit * deviation * deviation;
                let here = seen[y * grid.blocks + block].at(lane);
                let is_close = |x: usize, y: usize| {
                    let there = told[y * grid.blocks + x / LANES].background.at(x % LANES);
                    squared_distance(here, there) < most
                };
                let (left, right) = (x.saturating_sub(REACH), (x + REACH + 1).min(width));
                let mut rows = y.saturating_sub(REACH)..(y + REACH + 1).min(height);
                if rows.any(|y| (left..right).any(|x| is_close(x, y))) {
                    (marks.weak[at], marks.strong[at]) = (0, 0);
                }
            }
        }
    }
}

/// The share of frames in which pixels in and around a box change sides.
pub(super) fn restless(grid: &Grid, cells: &[Cell], rect: &Rect) -> f32 {
    let (width, height) = grid.size;
    let Some(rect) = rect.widened(0.5).clipped(width as f32, height as f32) else { return 0.0 };
    let (mut sum, mut count) = (0.0, 0.0f32);
    for y in (rect.top as usize..(rect.bottom() as usize).min(height)).step_by(2) {
        for block in rect.left as usize / LANES..(rect.right() as usize / LANES + 1).min(grid.blocks) {
            sum += cells[y * grid.blocks + block].restless().iter().sum::<f32>();
            count += LANES as f32;
        }
    }
    sum / count.max(1.0)
}
