//! Boxes in whole pixels, as the kit of VisDrone counts how much of a result lies in regions that nobody annotated: it paints the
//! regions into a picture and adds up what is under a result (Zhu et al., 2018, arXiv:1804.07437). Here areas are computed.
//!
//! A pixel `n` is from `n − 1` to `n`. A painted region has one pixel more than its size in both directions, a result has as
//! many as its size; both begin at pixel 1 at the earliest.

use super::region::{Corners, Region};

/// Pixels from left and top, exclusive, to right and bottom, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PixelRect {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl PixelRect {
    /// A painted region.
    pub(super) fn region(corners: &Corners, size: Option<(u32, u32)>) -> Self {
        let [left, top, width, height] = whole(corners);
        let (across, down) = limits(size);
        let (right, bottom) = ((left + width).min(across), (top + height).min(down));
        Self { left: left - 1.0, top: top - 1.0, right, bottom }
    }

    /// Where a result is looked up, and how many pixels it has.
    pub(super) fn result(corners: &Corners, size: Option<(u32, u32)>) -> (Self, f64) {
        let [left, top, width, height] = whole(corners);
        let (across, down) = limits(size);
        let (left, top) = (left.min(across), top.min(down));
        let (right, bottom) = ((left + width).min(across), (top + height).min(down));
        (Self { left, top, right, bottom }, width * height)
    }

    fn shared(&self, other: &Self) -> Option<Self> {
        let (left, top) = (self.left.max(other.left), self.top.max(other.top));
        let (right, bottom) = (self.right.min(other.right), self.bottom.min(other.bottom));
        (left < right && top < bottom).then_some(Self { left, top, right, bottom })
    }
}

/// Left, top, width and height rounded to pixels, 1 at the least.
fn whole(corners: &Corners) -> [f64; 4] {
    let [left, top, right, bottom] = corners.edges();
    [left, top, right - left, bottom - top].map(|side| side.round().max(1.0))
}

fn limits(size: Option<(u32, u32)>) -> (f64, f64) {
    size.map_or((f64::MAX, f64::MAX), |(width, height)| (f64::from(width), f64::from(height)))
}

/// How many pixels of a rectangle lie in regions that may overlap.
pub(super) fn covered(inside: PixelRect, regions: &[PixelRect]) -> f64 {
    let parts: Vec<PixelRect> = regions.iter().filter_map(|region| inside.shared(region)).collect();
    let mut edges: Vec<f64> = parts.iter().flat_map(|part| [part.left, part.right]).collect();
    edges.sort_unstable_by(f64::total_cmp);
    edges.dedup();
    let mut area = 0.0;
    for strip in edges.windows(2) {
        let [left, right] = [strip[0], strip[1]];
        let mut spans: Vec<(f64, f64)> = parts
            .iter()
            .filter(|part| part.left <= left && part.right >= right)
            .map(|part| (part.top, part.bottom))
            .collect();
        spans.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut until = f64::MIN;
        for (top, bottom) in spans {
            area += (right - left) * (bottom - top.max(until)).max(0.0);
            until = until.max(bottom);
        }
    }
    area
}

/// The share of a box that lies in regions, counted in whole pixels of a picture of this size.
pub fn covered_share(
    region: Region,
    regions: impl IntoIterator<Item = Region>,
    size: Option<(u32, u32)>,
) -> f64 {
    let rects: Vec<PixelRect> =
        regions.into_iter().map(|region| PixelRect::region(&region.into(), size)).collect();
    let (inside, whole) = PixelRect::result(&region.into(), size);
    covered(inside, &rects) / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn corners(sides: [f64; 4]) -> Corners {
        let [left, top, width, height] = sides;
        Region::new(left, top, width, height).into()
    }

    /// As the kit does it: with a painted picture.
    fn painted(result: [f64; 4], regions: &[[f64; 4]], (width, height): (u32, u32)) -> f64 {
        let whole = |sides: [f64; 4]| sides.map(|side| side.round().max(1.0) as u32);
        let mut picture = vec![vec![false; width as usize + 1]; height as usize + 1];
        for [x, y, w, h] in regions.iter().copied().map(whole) {
            for row in picture.iter_mut().take(height.min(y + h) as usize + 1).skip(y as usize) {
                row.iter_mut().take(width.min(x + w) as usize + 1).skip(x as usize).for_each(|p| *p = true);
            }
        }
        let [x, y, w, h] = whole(result);
        let (x, y) = (x.min(width), y.min(height));
        let rows = picture.iter().take(height.min(y + h) as usize + 1).skip(y as usize + 1);
        let count = |row: &Vec<bool>| {
            row.iter().take(width.min(x + w) as usize + 1).skip(x as usize + 1).filter(|p| **p).count()
        };
        rows.map(count).sum::<usize>() as f64 / f64::from(w * h)
    }

    proptest! {
        #[test]
        fn areas_are_those_of_a_painted_picture(
            result in prop::array::uniform4(-5.0f64..40.0),
            regions in prop::collection::vec(prop::array::uniform4(-5.0f64..40.0), 0..5),
        ) {
            let size = (32, 24);
            let (inside, whole) = PixelRect::result(&corners(result), Some(size));
            let rects: Vec<PixelRect> =
                regions.iter().map(|sides| PixelRect::region(&corners(*sides), Some(size))).collect();
            // Adding an edge and taking it away again may move a side that ends in a half.
            let safe = |sides: &[f64; 4]| sides.iter().all(|side| (side.fract().abs() - 0.5).abs() > 1e-9);
            prop_assume!(safe(&result) && regions.iter().all(safe));
            prop_assert_eq!(covered(inside, &rects) / whole, painted(result, &regions, size));
        }
    }
}
