//! The picture on the screen: as captured, as the network sees it, or half and half.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::enhance::ShownPicture;
use crate::frame::Picture;

/// Composes pictures of two halves; keeps the memory for them.
#[derive(Debug, Default)]
pub(crate) struct Compare {
    halves: Option<Picture>,
    /// The network's picture, enlarged to the size of the captured one.
    large: Option<Picture>,
    resizer: Resizer,
}

/// The line between the halves.
const SEAM: [u8; 3] = [255; 3];

/// A picture of the size of `like`: the one there is, or a new one.
fn sized<'a>(kept: &'a mut Option<Picture>, like: &Picture) -> &'a mut Picture {
    let fits = kept.take().filter(|kept| kept.size() == like.size());
    kept.insert(fits.unwrap_or_else(|| like.clone()))
}

impl Compare {
    /// The picture to show, from the captured one and the network's; `None` if the network sees the captured one.
    pub(crate) fn picture<'a>(
        &'a mut self,
        came: &'a Picture,
        seen: Option<&'a Picture>,
        show: ShownPicture,
    ) -> &'a Picture {
        let Some(seen) = seen.filter(|_| show != ShownPicture::Original) else { return came };
        let seen = if seen.size() == came.size() {
            seen
        } else {
            let large = sized(&mut self.large, came);
            match enlarge(&mut self.resizer, seen, large) {
                Ok(()) => &*large,
                Err(why) => {
                    log::warn!("what the network sees cannot be shown: {why}");
                    came
                }
            }
        };
        if show == ShownPicture::Enhanced {
            return seen;
        }
        let width = came.width() as usize;
        let halves = sized(&mut self.halves, came);
        let middle = width / 2;
        let rows = came.rgb().chunks_exact(width).zip(seen.rgb().chunks_exact(width));
        for (row, (came, seen)) in halves.rgb_mut().chunks_exact_mut(width).zip(rows) {
            row[..middle].copy_from_slice(&came[..middle]);
            row[middle..].copy_from_slice(&seen[middle..]);
            row[middle.saturating_sub(1)..middle].fill(SEAM);
        }
        halves
    }
}

/// Interpolates between the pixels of a picture.
fn enlarge(resizer: &mut Resizer, from: &Picture, to: &mut Picture) -> Result<(), String> {
    let (width, height) = to.size();
    let source = ImageRef::new(from.width(), from.height(), from.pixels(), PixelType::U8x3)
        .map_err(|error| error.to_string())?;
    let samples = to.rgb_mut().as_flattened_mut();
    let mut target =
        Image::from_slice_u8(width, height, samples, PixelType::U8x3).map_err(|error| error.to_string())?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    resizer.resize(&source, &mut target, &options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_have_the_size_that_came_however_small_the_network_sees_it() {
        let picture = |width, height, level| Picture::filled(width, height, [level; 3]).unwrap();
        let colour = |x: usize, picture: &Picture| picture.rgb()[20 * 90 + x];
        let (came, mut compare) = (picture(90, 60, 40), Compare::default());
        for small in [picture(90, 60, 200), picture(30, 20, 200), picture(31, 20, 200)] {
            let seen = Some(&small);
            let split = compare.picture(&came, seen, ShownPicture::Split);
            assert_eq!(split.size(), (90, 60));
            assert_eq!((colour(10, split), colour(80, split)), ([40; 3], [200; 3]));
            let enhanced = compare.picture(&came, seen, ShownPicture::Enhanced);
            assert_eq!((enhanced.size(), colour(10, enhanced)), ((90, 60), [200; 3]));
            assert_eq!(colour(80, compare.picture(&came, seen, ShownPicture::Original)), [40; 3]);
        }
        assert_eq!(colour(80, compare.picture(&came, None, ShownPicture::Split)), [40; 3]);
    }
}
