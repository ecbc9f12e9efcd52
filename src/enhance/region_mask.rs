//! Where in the picture objects count: polygons, in shares of its sides so that they hold at every size.

use crate::geometry::{Polygon, Rect};
use crate::kernels::{Plane, ViewMut};

/// The areas in the pixels of pictures of one size.
#[derive(Debug, Clone, Default)]
pub struct RegionMask {
    /// 255 where nothing counts; `None`: everything counts.
    hidden: Option<Plane>,
    /// 255 where it is masked, and a pixel around that: a pixel that a mask covers in part is covered.
    masked: Option<Plane>,
    regions: Vec<Polygon>,
    masks: Vec<Polygon>,
    size: (u32, u32),
}

/// A box of which more than this share is hidden does not count.
const HIDDEN_SHARE: f32 = 0.5;

impl RegionMask {
    /// Nothing counts outside `regions` (none: the whole picture) nor inside `masks`, in pictures of this size.
    pub fn new(size: (u32, u32), regions: &[Polygon], masks: &[Polygon]) -> Self {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let drawn = |ground: u8| {
            let mut plane = Plane::filled(width, height, ground);
            regions.iter().for_each(|region| fill(&mut plane, region, 0));
            masks.iter().for_each(|mask| fill(&mut plane, mask, 255));
            plane
        };
        let hidden = match (regions, masks) {
            ([], []) => None,
            ([], _) => Some(drawn(0)),
            _ => Some(drawn(255)),
        };
        let masked = (!masks.is_empty()).then(|| {
            let mut plane = Plane::filled(width, height, 0);
            masks.iter().for_each(|mask| fill(&mut plane, mask, 255));
            grown(&plane)
        });
        Self { hidden, masked, regions: regions.to_vec(), masks: masks.to_vec(), size }
    }

    /// The same areas in pictures of another width and height in pixels.
    #[must_use]
    pub fn resized(&self, size: (u32, u32)) -> Self {
        Self::new(size, &self.regions, &self.masks)
    }

    /// Width and height in pixels of the pictures that it is for.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// What is masked.
    pub fn masks(&self) -> &[Polygon] {
        &self.masks
    }

    /// The boxes around the masks, in pixels of the picture.
    pub fn mask_bounds(&self) -> impl Iterator<Item = Rect> {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        self.masks.iter().map(Polygon::bounds).map(move |share| {
            Rect::new(share.left * width, share.top * height, share.width * width, share.height * height)
        })
    }

    /// Whether everything counts.
    pub fn is_empty(&self) -> bool {
        self.hidden.is_none()
    }

    /// Whether an object with this box, in pixels of the picture, counts: its middle and at least half of it lie where
    /// objects do.
    pub fn counts(&self, rect: &Rect) -> bool {
        let Some(hidden) = &self.hidden else { return true };
        let pixel = |value: f32, most: usize| (value.max(0.0) as usize).min(most - 1);
        let at = |x: usize, y: usize| hidden.bytes().get(y * hidden.width() + x).is_some_and(|&h| h != 0);
        let (x, y) = rect.center();
        if at(pixel(x, hidden.width()), pixel(y, hidden.height())) {
            return false;
        }
        // A grid of samples is enough, and as quick for a large box as for a small one.
        const STEPS: usize = 12;
        let step = |index: usize| (index as f32 + 0.5) / STEPS as f32;
        let within = (0..STEPS * STEPS)
            .filter(|index| {
                let x = rect.left + rect.width * step(index % STEPS);
                let y = rect.top + rect.height * step(index / STEPS);
                at(pixel(x, hidden.width()), pixel(y, hidden.height()))
            })
            .count();
        within as f32 <= HIDDEN_SHARE * (STEPS * STEPS) as f32
    }

    /// Whether what a pixel shows counts; one beyond the picture does not, where not everything does.
    pub fn counts_at(&self, x: usize, y: usize) -> bool {
        let Some(hidden) = &self.hidden else { return true };
        x < hidden.width() && hidden.bytes().get(y * hidden.width() + x) == Some(&0)
    }

    /// Fills what does not count with the grey that the network knows as the picture's surroundings.
    pub fn hide(&self, picture: &mut ViewMut<'_>) {
        const SURROUNDINGS: u8 = 114;
        let Some(hidden) = &self.hidden else { return };
        let channels = picture.channels();
        for (row, hidden) in picture.rows().zip(hidden.bytes().chunks_exact(hidden.width())) {
            for (pixel, &hidden) in row.chunks_exact_mut(channels).zip(hidden) {
                if hidden != 0 {
                    pixel.fill(SURROUNDINGS);
                }
            }
        }
    }

    /// Takes the detail out of what is masked: in squares of a twelfth of the picture's shorter side every masked
    /// pixel gets the mean colour of those masked. Who fills a good part of the picture is still seen to be there.
    pub fn pixelate(&self, picture: &mut ViewMut<'_>) {
        let Some(masked) = &self.masked else { return };
        let (width, height, channels) = (masked.width(), masked.height(), picture.channels());
        if (picture.width(), picture.height()) != (width, height) {
            return;
        }
        let side = (width.min(height) / SQUARES).max(LEAST_SQUARE);
        for top in (0..height).step_by(side) {
            for left in (0..width).step_by(side) {
                let (right, bottom) = ((left + side).min(width), (top + side).min(height));
                let mask = |y: usize| &masked.bytes()[y * width + left..y * width + right];
                let count: usize = (top..bottom).map(|y| mask(y).iter().filter(|&&m| m != 0).count()).sum();
                if count == 0 {
                    continue;
                }
                for channel in 0..channels {
                    let mut sum = 0u64;
                    for y in top..bottom {
                        let samples = picture.row(y)[left * channels..right * channels].iter();
                        let samples = samples.skip(channel).step_by(channels).zip(mask(y));
                        sum += samples.filter(|&(_, &m)| m != 0).map(|(&s, _)| u64::from(s)).sum::<u64>();
                    }
                    let mean = (sum / count as u64).min(255) as u8;
                    for y in top..bottom {
                        let samples = picture.row(y)[left * channels..right * channels].iter_mut();
                        let samples = samples.skip(channel).step_by(channels).zip(mask(y));
                        samples.filter(|&(_, &m)| m != 0).for_each(|(sample, _)| *sample = mean);
                    }
                }
            }
        }
    }
}

/// So many squares lie across the shorter side of a picture, each of so many pixels at the least.
const SQUARES: usize = 12;
const LEAST_SQUARE: usize = 8;

/// What is set, and the eight pixels around each.
fn grown(plane: &Plane) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let mut grown = Plane::filled(width, height, 0);
    for (y, row) in grown.bytes_mut().chunks_exact_mut(width).enumerate() {
        for near in y.saturating_sub(1)..(y + 2).min(height) {
            let from = &plane.bytes()[near * width..(near + 1) * width];
            for (x, sample) in row.iter_mut().enumerate() {
                let around = &from[x.saturating_sub(1)..(x + 2).min(width)];
                *sample = around.iter().fold(*sample, |most, &other| most.max(other));
            }
        }
    }
    grown
}

/// Sets the pixels whose centres lie in the polygon, in runs along each row.
fn fill(plane: &mut Plane, polygon: &Polygon, value: u8) {
    let (width, height) = (plane.width(), plane.height());
    let mut crossings = Vec::new();
    for (y, row) in plane.bytes_mut().chunks_exact_mut(width).enumerate() {
        polygon.crossings((y as f32 + 0.5) / height as f32, &mut crossings);
        for pair in crossings.chunks_exact(2) {
            // The first pixel whose centre lies right of the crossing.
            let [begin, end] = [pair[0], pair[1]]
                .map(|share| ((share * width as f32 - 0.5).ceil().max(0.0) as usize).min(width));
            row[begin..end.max(begin)].fill(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Picture;
    use proptest::prelude::*;

    fn polygon(corners: &[(f32, f32)]) -> Polygon {
        Polygon::new(corners.to_vec()).unwrap()
    }

    fn left_half() -> Polygon {
        polygon(&[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)])
    }

    #[test]
    fn what_lies_in_a_mask_or_outside_all_regions_does_not_count() {
        let (masks, regions) = (
            RegionMask::new((100, 60), &[], &[left_half()]),
            RegionMask::new((100, 60), &[left_half()], &[]),
        );
        for (rect, on_the_left) in [
            (Rect::new(10.0, 10.0, 20.0, 30.0), true),
            (Rect::new(60.0, 10.0, 20.0, 30.0), false),
            // More to the left than to the right, and the other way round.
            (Rect::new(30.0, 10.0, 30.0, 30.0), true),
            (Rect::new(40.0, 10.0, 40.0, 30.0), false),
        ] {
            assert_eq!((masks.counts(&rect), regions.counts(&rect)), (!on_the_left, on_the_left), "{rect:?}");
        }
        assert!(RegionMask::new((100, 60), &[], &[]).counts(&Rect::new(0.0, 0.0, 1.0, 1.0)));
        // A mask goes before a region.
        let both = RegionMask::new((100, 60), &[left_half()], &[left_half()]);
        assert!(!both.counts(&Rect::new(10.0, 10.0, 20.0, 30.0)));
    }

    #[test]
    fn hidden_pixels_are_grey_and_the_others_as_they_were() {
        let areas = RegionMask::new((10, 4), &[], &[left_half()]);
        let mut picture = Picture::filled(10, 4, [1, 2, 3]).unwrap();
        areas.hide(&mut (&mut picture).into());
        for row in picture.rgb().chunks(10) {
            assert!(
                row[..5].iter().all(|pixel| *pixel == [114; 3]) && row[5..].iter().all(|p| *p == [1, 2, 3])
            );
        }
    }

    #[test]
    fn masked_areas_keep_no_detail_and_the_rest_every_one() {
        let mut random = fastrand::Rng::with_seed(1);
        let pixels: Vec<u8> = (0..120 * 90 * 3).map(|_| random.u8(..)).collect();
        let mut picture = Picture::new(120, 90, pixels.clone()).unwrap();
        RegionMask::new((120, 90), &[], &[left_half()]).pixelate(&mut (&mut picture).into());
        for (y, (row, old)) in picture.rgb().chunks(120).zip(pixels.chunks(360)).enumerate() {
            // The mask ends with column 59, and one more belongs to it.
            assert_eq!(row[61..].as_flattened(), &old[183..], "row {y}");
            // All pixels of a square are the same, and not what they would be with its unmasked pixels.
            assert!((0..61).all(|x| row[x] == row[x / 8 * 8]), "row {y}");
            let of_square = || -> u32 {
                let rows = y / 8 * 8..(y / 8 * 8 + 8).min(90);
                let all = rows.flat_map(|y| pixels[y * 360..][56 * 3..61 * 3].iter().step_by(3));
                all.map(|&red| u32::from(red)).sum::<u32>() / (5 * (90 - y / 8 * 8).min(8)) as u32
            };
            assert_eq!(u32::from(row[58][0]), of_square(), "row {y}");
        }
        // Regions alone make nothing unrecognisable.
        let mut picture = Picture::new(120, 90, pixels.clone()).unwrap();
        RegionMask::new((120, 90), &[left_half()], &[]).pixelate(&mut (&mut picture).into());
        assert_eq!(picture.pixels(), pixels);
    }

    proptest! {
        /// The reference asks for each pixel's centre alone, by counting the sides to its left.
        #[test]
        fn any_polygon_is_filled_by_the_even_odd_rule(
            corners in prop::collection::vec((0.0f32..=1.0, 0.0f32..=1.0), 3..9),
            width in 1usize..40,
            height in 1usize..30,
        ) {
            let shape = polygon(&corners);
            let mut plane = Plane::filled(width, height, 0);
            fill(&mut plane, &shape, 255);
            for y in 0..height {
                for x in 0..width {
                    let (px, py) = ((x as f64 + 0.5) / width as f64, (y as f64 + 0.5) / height as f64);
                    let mut inside = false;
                    let mut near = false;
                    for (index, &(x0, y0)) in corners.iter().enumerate() {
                        let (x1, y1) = corners[(index + 1) % corners.len()];
                        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(f64::from);
                        near |= (y0 - py).abs() < 1e-5 || (y1 - py).abs() < 1e-5;
                        if (y0 <= py) != (y1 <= py) {
                            let cross = x0 + (py - y0) / (y1 - y0) * (x1 - x0);
                            near |= (cross - px).abs() < 1e-4;
                            inside ^= cross <= px;
                        }
                    }
                    if !near {
                        prop_assert_eq!(plane.bytes()[y * width + x] != 0, inside, "{} {}", x, y);
                    }
                }
            }
        }
    }

    #[test]
    fn polygons_outside_the_picture_or_of_two_corners_are_refused() {
        for odd in [
            vec![(0.2, 0.2), (0.4, 0.4), (0.8, 0.8)],
            vec![(0.5, 0.5); 4],
            vec![],
            vec![(0.0, 0.0), (1.0, 1.0)],
            vec![(0.0, 0.0), (1.1, 0.0), (0.0, 1.0)],
            vec![(0.0, f32::NAN), (1.0, 0.0), (0.0, 1.0)],
        ] {
            assert!(Polygon::new(odd.clone()).is_none(), "{odd:?}");
        }
    }
}
