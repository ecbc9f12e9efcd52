//! Which pieces of a picture the network looks at: one after the other, and what it finds put together again. In a piece
//! small, far things are as large as near ones in the whole (as in Akyon et al. 2022, "Slicing aided hyper inference",
//! arXiv:2202.06934).

use crate::detection::{Detection, Detections};
use crate::geometry::Rect;

/// The pieces, for pictures of any size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pieces {
    /// The part of the picture that is looked at, in shares of its sides; `None`: all.
    pub crop: Option<Rect>,
    /// Into how many tiles that part is cut across.
    pub columns: usize,
    /// And down. With more than one tile the part is also looked at as a whole, for what is larger than a tile.
    pub rows: usize,
    /// By which share of their size neighbouring tiles overlap, `0.0..=0.5`.
    pub overlap: f32,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { crop: None, columns: 1, rows: 1, overlap: 0.0 }
    }
}

/// A piece in whole pixels of the picture, at least one on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Piece {
    /// The whole picture.
    pub(super) fn whole((width, height): (u32, u32)) -> Self {
        Self { left: 0, top: 0, width, height }
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

impl Pieces {
    /// The pieces of a picture of this size: the whole part first, then its tiles by rows.
    pub(super) fn of(&self, size: (u32, u32)) -> Vec<Piece> {
        let part = self.crop.map_or(Piece::whole(size), |crop| {
            let (left, width) = stretch(crop.left, crop.right(), size.0);
            let (top, height) = stretch(crop.top, crop.bottom(), size.1);
            Piece { left, top, width, height }
        });
        let mut pieces = vec![part];
        let (columns, rows) = (self.columns.max(1), self.rows.max(1));
        if columns * rows > 1 {
            for row in 0..rows {
                let (top, height) = share(part.height, row, rows, self.overlap);
                for column in 0..columns {
                    let (left, width) = share(part.width, column, columns, self.overlap);
                    pieces.push(Piece { left: part.left + left, top: part.top + top, width, height });
                }
            }
        }
        pieces
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

/// Removes what a tile saw only a part of where there is a box around the whole. `piece_of` holds, for each of `found`, the
/// number of the piece that it was found in. What is left is ordered by falling score; of more than 3,000 only the best stay.
pub(super) fn drop_cut(found: &mut Detections, piece_of: &[usize], pieces: &[Piece]) {
    let mut rows = found.by_falling_score();
    rows.truncate(MOST);
    let whole = pieces.first().map(Piece::rect).unwrap_or(Rect::new(0.0, 0.0, 0.0, 0.0));
    let ranked: Vec<(Detection, usize)> = rows.iter().map(|&row| (found[row], piece_of[row])).collect();
    let cut: Vec<bool> = ranked
        .iter()
        .map(|(detection, piece)| {
            let (rect, Some(tile)) = (&detection.rect, pieces.get(*piece).map(Piece::rect)) else {
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
        let (small, piece) = &ranked[index];
        ranked.iter().zip(&cut).any(|((large, other), large_is_cut)| {
            // Of two cut ones that cover each other the larger stays.
            other != piece
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

    fn seen(rect: Rect, score: f32, piece: usize) -> (Detection, usize) {
        (Detection { rect, score, class: 0 }, piece)
    }

    /// What is left of boxes that were found in these pieces.
    fn left(found: &[(Detection, usize)], pieces: &[Piece]) -> Vec<Detection> {
        let (boxes, piece_of): (Vec<_>, Vec<_>) = found.iter().copied().unzip();
        let mut left = Detections::from(boxes);
        drop_cut(&mut left, &piece_of, pieces);
        left.into_boxes()
    }

    #[test]
    fn a_box_cut_at_a_seam_goes_where_the_whole_is_known() {
        let pieces = Pieces { columns: 2, overlap: 0.2, ..Pieces::default() }.of((900, 400));
        assert_eq!(pieces.len(), 3);
        assert_eq!((pieces[1].left, pieces[1].width, pieces[2].left, pieces[2].width), (0, 500, 400, 500));
        let whole = seen(Rect::new(380.0, 100.0, 180.0, 90.0), 0.6, 0);
        let (one, other) = (
            seen(Rect::new(381.0, 101.0, 118.0, 88.0), 0.9, 1),
            seen(Rect::new(401.0, 100.0, 159.0, 90.0), 0.7, 2),
        );
        assert_eq!(left(&[one, whole, other], &pieces), [whole.0]);
        // Alone, a part is all there is; at the picture's own edge nothing is cut.
        let edge = seen(Rect::new(0.0, 10.0, 40.0, 60.0), 0.5, 1);
        assert_eq!(left(&[one, edge], &pieces), [one.0, edge.0]);
    }

    #[test]
    fn a_weak_guess_around_several_removes_nothing() {
        let pieces = Pieces { columns: 2, overlap: 0.2, ..Pieces::default() }.of((900, 400));
        let cut = seen(Rect::new(420.0, 100.0, 79.0, 90.0), 0.9, 1);
        let group = seen(Rect::new(400.0, 80.0, 150.0, 150.0), 0.1, 0);
        assert_eq!(left(&[group, cut], &pieces), [cut.0, group.0]);
    }

    #[test]
    fn another_object_before_a_cut_one_does_not_hide_it() {
        let pieces = Pieces { columns: 2, overlap: 0.2, ..Pieces::default() }.of((900, 400));
        let cut = seen(Rect::new(420.0, 100.0, 79.0, 90.0), 0.9, 1);
        let mut other = seen(Rect::new(400.0, 80.0, 150.0, 150.0), 0.9, 0);
        other.0.class = 3;
        assert_eq!(left(&[cut, other], &pieces).len(), 2);
    }

    proptest! {
        #[test]
        fn tiles_cover_every_pixel_and_stay_within(
            width in 1u32..2000, height in 1u32..2000, columns in 1usize..=8, rows in 1usize..=8, overlap in 0f32..=0.5,
            crop in prop::option::of((0f32..0.9, 0f32..0.9, 0.05f32..1.0, 0.05f32..1.0)),
        ) {
            let crop = crop.map(|(x, y, w, h)| Rect::new(x, y, w.min(1.0 - x), h.min(1.0 - y)));
            let pieces = Pieces { crop, columns, rows, overlap }.of((width, height));
            prop_assert_eq!(pieces.len(), if columns * rows > 1 { 1 + columns * rows } else { 1 });
            for piece in &pieces {
                prop_assert!(piece.width > 0 && piece.height > 0);
                prop_assert!(piece.left + piece.width <= width && piece.top + piece.height <= height);
                prop_assert!(piece.left >= pieces[0].left && piece.top >= pieces[0].top);
            }
            let covered = |x: u32| pieces[1..].iter().any(|p| (p.left..p.left + p.width).contains(&x));
            prop_assert!(pieces.len() == 1 || (0..pieces[0].width).all(|x| covered(pieces[0].left + x)));
        }
    }
}
