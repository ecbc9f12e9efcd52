//! Which slices of a picture the network looks at: one after the other, and what it finds put together again. In a slice
//! small, far things are as large as near ones in the whole (as in Akyon et al. 2022, "Slicing aided hyper inference",
//! arXiv:2202.06934).

use crate::detection::{Detection, Detections};
use crate::geometry::Rect;

/// The slices, for pictures of any size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slicer {
    /// The part of the picture that is looked at, in shares of its sides; `None`: all.
    pub crop: Option<Rect>,
    /// Into how many tiles that part is cut across.
    pub columns: usize,
    /// And down. With more than one tile the part is also looked at as a whole, for what is larger than a tile.
    pub rows: usize,
    /// By which share of their size neighbouring tiles overlap, `0.0..=0.5`.
    pub overlap: f32,
}

impl Default for Slicer {
    fn default() -> Self {
        Self { crop: None, columns: 1, rows: 1, overlap: 0.0 }
    }
}

/// A slice in whole pixels of the picture, at least one on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Slice {
    /// The whole picture.
    pub(super) fn whole((width, height): (u32, u32)) -> Self {
        Self { left: 0, top: 0, width, height }
    }

    /// Pixels across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Where its sides lie, in pixels.
    pub(super) fn rect(&self) -> Rect {
        let [left, top, width, height] =
            [self.left, self.top, self.width, self.height].map(|side| side as f32);
        Rect::new(left, top, width, height)
    }
}

/// A box nearer than this share of a tile's side to its edge is taken to go on behind it.
const NEAR: f32 = 0.015;
/// A cut box of which at least this share lies in a box of the same class says nothing of its own.
const COVERED: f32 = 0.7;
/// But not where the other's score is less than this share of its own: that is a weak guess around several.
const SURE: f32 = 0.5;
/// No more boxes than this are compared, the best: comparing is quadratic.
const MOST: usize = 3_000;

impl Slicer {
    /// The width and height in pixels of what the network looks at in a picture of this size: of a tile, where there are
    /// several.
    pub fn looked_at(&self, size: (u32, u32)) -> (u32, u32) {
        let slices = self.of(size);
        slices.get(1).or(slices.first()).map_or(size, Slice::size)
    }

    /// The slices of a picture of this size: the whole part first, then its tiles by rows.
    pub(super) fn of(&self, size: (u32, u32)) -> Vec<Slice> {
        let part = self.crop.map_or(Slice::whole(size), |crop| {
            let (left, width) = stretch(crop.left, crop.right(), size.0);
            let (top, height) = stretch(crop.top, crop.bottom(), size.1);
            Slice { left, top, width, height }
        });
        let mut slices = vec![part];
        let (columns, rows) = (self.columns.max(1), self.rows.max(1));
        if columns * rows > 1 {
            for row in 0..rows {
                let (top, height) = share(part.height, row, rows, self.overlap);
                for column in 0..columns {
                    let (left, width) = share(part.width, column, columns, self.overlap);
                    slices.push(Slice { left: part.left + left, top: part.top + top, width, height });
                }
            }
        }
        slices
    }
}

/// The pixels from one share of a side to another: the first, and how many.
fn stretch(from: f32, to: f32, side: u32) -> (u32, u32) {
    let pixel = |share: f32| (share.clamp(0.0, 1.0) * side as f32).round() as u32;
    let begin = pixel(from).min(side - 1);
    (begin, pixel(to).clamp(begin + 1, side) - begin)
}

/// The tile `index` of `count` along a side, which overlaps its neighbours: its first pixel, and how many.
fn share(side: u32, index: usize, count: usize, overlap: f32) -> (u32, u32) {
    // count tiles of length t that overlap by o·t cover t·(count − o·(count − 1)).
    let overlap = overlap.clamp(0.0, 0.5);
    let length = side as f32 / (count as f32 - overlap * (count as f32 - 1.0));
    let begin = index as f32 * length * (1.0 - overlap);
    stretch(begin / side as f32, (begin + length) / side as f32, side)
}

/// Removes what a tile saw only a part of where there is a box around the whole. `slice_of` holds, for each of `found`, the
/// number of the slice that it was found in. What is left is ordered by falling score; of more than 3,000 only the best stay.
pub(super) fn drop_cut(found: &mut Detections, slice_of: &[usize], slices: &[Slice]) {
    let mut rows = found.by_falling_score();
    rows.truncate(MOST);
    let whole = slices.first().map(Slice::rect).unwrap_or(Rect::new(0.0, 0.0, 0.0, 0.0));
    let ranked: Vec<(Detection, usize)> = rows.iter().map(|&row| (found[row], slice_of[row])).collect();
    let cut: Vec<bool> = ranked
        .iter()
        .map(|(detection, slice)| {
            let (rect, Some(tile)) = (&detection.rect, slices.get(*slice).map(Slice::rect)) else {
                return false;
            };
            let (x, y) = (NEAR * tile.width, NEAR * tile.height);
            // At the edge of the part that is looked at nothing goes on.
            (tile.left > whole.left && rect.left < tile.left + x)
                || (tile.top > whole.top && rect.top < tile.top + y)
                || (tile.right() < whole.right() && rect.right() > tile.right() - x)
                || (tile.bottom() < whole.bottom() && rect.bottom() > tile.bottom() - y)
        })
        .collect();
    let covered = |index: usize| {
        let (small, slice) = &ranked[index];
        ranked.iter().zip(&cut).any(|((large, other), large_is_cut)| {
            // Of two cut ones that cover each other the larger stays.
            other != slice
                && large.class == small.class
                && large.score >= SURE * small.score
                && (!large_is_cut || large.rect.area() > small.rect.area())
                && small.rect.share_in(&large.rect) >= COVERED
        })
    };
    let kept: Vec<usize> =
        (0..rows.len()).filter(|&index| !(cut[index] && covered(index))).map(|index| rows[index]).collect();
    found.pick(&kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(rect: Rect, score: f32, slice: usize) -> (Detection, usize) {
        (Detection { rect, score, class: 0 }, slice)
    }

    /// What is left of boxes that were found in these slices.
    fn left(found: &[(Detection, usize)], slices: &[Slice]) -> Vec<Detection> {
        let (boxes, slice_of): (Vec<_>, Vec<_>) = found.iter().copied().unzip();
        let mut left = Detections::from(boxes);
        drop_cut(&mut left, &slice_of, slices);
        left.into_boxes()
    }

    #[test]
    fn a_box_cut_at_a_seam_goes_where_the_whole_is_known() {
        let slices = Slicer { columns: 2, overlap: 0.2, ..Slicer::default() }.of((900, 400));
        assert_eq!(slices.len(), 3);
        assert_eq!((slices[1].left, slices[1].width, slices[2].left, slices[2].width), (0, 500, 400, 500));
        let whole = seen(Rect::new(380.0, 100.0, 180.0, 90.0), 0.6, 0);
        let (one, other) = (
            seen(Rect::new(381.0, 101.0, 118.0, 88.0), 0.9, 1),
            seen(Rect::new(401.0, 100.0, 159.0, 90.0), 0.7, 2),
        );
        assert_eq!(left(&[one, whole, other], &slices), [whole.0]);
        // Alone, a part is all there is; at the picture's own edge nothing is cut.
        let edge = seen(Rect::new(0.0, 10.0, 40.0, 60.0), 0.5, 1);
        assert_eq!(left(&[one, edge], &slices), [one.0, edge.0]);
    }

    #[test]
    fn a_weak_guess_around_several_removes_nothing() {
        let slices = Slicer { columns: 2, overlap: 0.2, ..Slicer::default() }.of((900, 400));
        let cut = seen(Rect::new(420.0, 100.0, 79.0, 90.0), 0.9, 1);
        let group = seen(Rect::new(400.0, 80.0, 150.0, 150.0), 0.1, 0);
        assert_eq!(left(&[group, cut], &slices), [cut.0, group.0]);
    }

    #[test]
    fn another_object_before_a_cut_one_does_not_hide_it() {
        let slices = Slicer { columns: 2, overlap: 0.2, ..Slicer::default() }.of((900, 400));
        let cut = seen(Rect::new(420.0, 100.0, 79.0, 90.0), 0.9, 1);
        let mut other = seen(Rect::new(400.0, 80.0, 150.0, 150.0), 0.9, 0);
        other.0.class = 3;
        assert_eq!(left(&[cut, other], &slices).len(), 2);
    }

    proptest! {
        #[test]
        fn tiles_cover_every_pixel_and_stay_within(
            width in 1u32..2000, height in 1u32..2000, columns in 1usize..=8, rows in 1usize..=8, overlap in 0f32..=0.5,
            crop in prop::option::of((0f32..0.9, 0f32..0.9, 0.05f32..1.0, 0.05f32..1.0)),
        ) {
            let crop = crop.map(|(x, y, w, h)| Rect::new(x, y, w.min(1.0 - x), h.min(1.0 - y)));
            let slices = Slicer { crop, columns, rows, overlap }.of((width, height));
            prop_assert_eq!(slices.len(), if columns * rows > 1 { 1 + columns * rows } else { 1 });
            for slice in &slices {
                prop_assert!(slice.width > 0 && slice.height > 0);
                prop_assert!(slice.left + slice.width <= width && slice.top + slice.height <= height);
                prop_assert!(slice.left >= slices[0].left && slice.top >= slices[0].top);
            }
            let covered = |x: u32| slices[1..].iter().any(|p| (p.left..p.left + p.width).contains(&x));
            prop_assert!(slices.len() == 1 || (0..slices[0].width).all(|x| covered(slices[0].left + x)));
        }
    }
}
