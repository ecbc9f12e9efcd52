//! Where in the picture objects count: polygons, in shares of its sides so that they hold at every size.

use super::kernels::{Plane, ViewMut};
use crate::geometry::Rect;

/// A polygon, by its corners `(x, y)` in shares of the picture's sides, `0.0..=1.0`; closed by itself, and where it crosses
/// itself inside by the even-odd rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon(Vec<(f32, f32)>);

impl Polygon {
    /// The most corners.
    pub const MOST: usize = 256;

    /// Takes 3 to [`Polygon::MOST`] corners, each within the picture.
    pub fn new(corners: Vec<(f32, f32)>) -> Option<Self> {
        let within = |share: f32| (0.0..=1.0).contains(&share);
        let sound =
            (3..=Self::MOST).contains(&corners.len()) && corners.iter().all(|&(x, y)| within(x) && within(y));
        sound.then_some(Self(corners))
    }

    /// The corners.
    pub fn corners(&self) -> &[(f32, f32)] {
        &self.0
    }

    /// Where the horizontal line at `y` crosses the sides, in shares, ascending: inside between the first and the second,
    /// the third and the fourth, and so on.
    fn crossings(&self, y: f32, crossings: &mut Vec<f32>) {
        crossings.clear();
        let ends = self.0.iter().cycle().skip(1);
        for (&(x0, y0), &(x1, y1)) in self.0.iter().zip(ends) {
            // Each side has one of its ends, so that a corner is crossed once.
            if (y0 <= y) != (y1 <= y) {
                crossings.push(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
            }
        }
        crossings.sort_by(f32::total_cmp);
    }
}

/// The areas in the pixels of pictures of one size.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    /// 255 where nothing counts; `None`: everything counts.
    hidden: Option<Plane>,
    /// 255 where it is masked.
    masked: Option<Plane>,
}

/// A box of which more than this share is hidden does not count.
const HIDDEN_SHARE: f32 = 0.5;

impl Areas {
    /// Nothing counts outside `regions` (none: the whole picture) nor inside `masks`, in pictures of this size.
    pub fn new((width, height): (u32, u32), regions: &[Polygon], masks: &[Polygon]) -> Self {
        let (width, height) = (width as usize, height as usize);
        let masked = (!masks.is_empty()).then(|| {
            let mut plane = Plane::filled(width, height, 0);
            masks.iter().for_each(|mask| fill(&mut plane, mask, 255));
            plane
        });
        let hidden = if regions.is_empty() {
            masked.clone()
        } else {
            let mut plane = Plane::filled(width, height, 255);
            regions.iter().for_each(|region| fill(&mut plane, region, 0));
            masks.iter().for_each(|mask| fill(&mut plane, mask, 255));
            Some(plane)
        };
        Self { hidden, masked }
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

    /// Makes what is masked unrecognisable: squares, of a twenty-fourth of the shorter side, become one colour each, that of their mean.
    pub fn blur(&self, picture: &mut ViewMut<'_>) {
        let Some(masked) = &self.masked else { return };
        let (width, height, channels) = (masked.width(), masked.height(), picture.channels());
        if (picture.width(), picture.height()) != (width, height) {
            return;
        }
        let side = square(width, height);
        for top in (0..height).step_by(side) {
            for left in (0..width).step_by(side) {
                let (right, bottom) = ((left + side).min(width), (top + side).min(height));
                let row_of = |y: usize| &masked.bytes()[y * width + left..y * width + right];
                if (top..bottom).all(|y| row_of(y).iter().all(|&mask| mask == 0)) {
                    continue;
                }
                for channel in 0..channels {
                    let samples = |row: &[u8]| -> u32 {
                        let samples = row[left * channels..right * channels].iter();
                        samples.skip(channel).step_by(channels).map(|&sample| u32::from(sample)).sum()
                    };
                    let sum: u32 = (top..bottom).map(|y| samples(picture.row(y))).sum();
                    let mean = sum / ((right - left) * (bottom - top)) as u32;
                    for y in top..bottom {
                        let row = &mut picture.row(y)[left * channels..right * channels];
                        let samples = row.iter_mut().skip(channel).step_by(channels);
                        for (sample, &mask) in samples.zip(row_of(y)) {
                            if mask != 0 {
                                *sample = mean.min(255) as u8;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The side in pixels of the squares that a masked area is made of: some 24 across the shorter side of the picture, in
/// which no small face can be known again.
fn square(width: usize, height: usize) -> usize {
    (width.min(height) / 24).max(8)
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
        let (masks, regions) =
            (Areas::new((100, 60), &[], &[left_half()]), Areas::new((100, 60), &[left_half()], &[]));
        for (rect, on_the_left) in [
            (Rect::new(10.0, 10.0, 20.0, 30.0), true),
            (Rect::new(60.0, 10.0, 20.0, 30.0), false),
            // More to the left than to the right, and the other way round.
            (Rect::new(30.0, 10.0, 30.0, 30.0), true),
            (Rect::new(40.0, 10.0, 40.0, 30.0), false),
        ] {
            assert_eq!((masks.counts(&rect), regions.counts(&rect)), (!on_the_left, on_the_left), "{rect:?}");
        }
        assert!(Areas::new((100, 60), &[], &[]).counts(&Rect::new(0.0, 0.0, 1.0, 1.0)));
        // A mask goes before a region.
        let both = Areas::new((100, 60), &[left_half()], &[left_half()]);
        assert!(!both.counts(&Rect::new(10.0, 10.0, 20.0, 30.0)));
    }

    #[test]
    fn hidden_pixels_are_grey_and_the_others_as_they_were() {
        let areas = Areas::new((10, 4), &[], &[left_half()]);
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
        Areas::new((120, 90), &[], &[left_half()]).blur(&mut (&mut picture).into());
        for (y, (row, old)) in picture.rgb().chunks(120).zip(pixels.chunks(360)).enumerate() {
            assert_eq!(row[60..].as_flattened(), &old[180..], "row {y}");
            // All pixels of a square are the same.
            assert!((0..60).all(|x| row[x] == row[x / 8 * 8]), "row {y}");
        }
        // Regions alone make nothing unrecognisable.
        let mut picture = Picture::new(120, 90, pixels.clone()).unwrap();
        Areas::new((120, 90), &[left_half()], &[]).blur(&mut (&mut picture).into());
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
            vec![],
            vec![(0.0, 0.0), (1.0, 1.0)],
            vec![(0.0, 0.0), (1.1, 0.0), (0.0, 1.0)],
            vec![(0.0, f32::NAN), (1.0, 0.0), (0.0, 1.0)],
        ] {
            assert!(Polygon::new(odd.clone()).is_none(), "{odd:?}");
        }
    }
}
