//! From a picture of any size to the network's input.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::settings::InputSize;
use crate::frame::Picture;

/// What the network was trained to see around the picture.
const FILL: f32 = 114.0;

/// Maps a picture onto the network's input without changing its aspect ratio, as YOLOX was trained (Ge et al. 2021,
/// arXiv:2107.08430): scaled to fit by bilinear interpolation, put top-left, the rest filled with grey 114.
pub(super) struct Letterbox {
    input: InputSize,
    resizer: Resizer,
    /// The scaled picture, 8-bit RGB, reused from frame to frame.
    scaled: Vec<u8>,
}

impl Letterbox {
    pub(super) fn new(input: InputSize) -> Self {
        Self { input, resizer: Resizer::new(), scaled: Vec::new() }
    }

    /// Writes the picture to `planes`: B, G, R planes of `height × width` values, `0.0..=255.0`.
    ///
    /// Gives the scale: input pixels a picture pixel. `planes` must hold `3 × height × width` values.
    pub(super) fn fill(&mut self, picture: &Picture, planes: &mut [f32]) -> Result<f32, String> {
        let (in_w, in_h) = (self.input.width(), self.input.height());
        let (pic_w, pic_h) = (picture.width() as usize, picture.height() as usize);
        let scale = (in_w as f64 / pic_w as f64).min(in_h as f64 / pic_h as f64);
        // Cut off, not rounded, as the reference does; a sliver still gets one row or column.
        let width = ((pic_w as f64 * scale) as usize).clamp(1, in_w);
        let height = ((pic_h as f64 * scale) as usize).clamp(1, in_h);

        let scaled: &[u8] = if (width, height) == (pic_w, pic_h) {
            picture.pixels()
        } else {
            self.scaled.resize(width * height * 3, 0);
            let source = ImageRef::new(picture.width(), picture.height(), picture.pixels(), PixelType::U8x3)
                .map_err(|error| error.to_string())?;
            let mut target =
                Image::from_slice_u8(width as u32, height as u32, &mut self.scaled, PixelType::U8x3)
                    .map_err(|error| error.to_string())?;
            // Plain interpolation, without averaging over what is skipped: what the network saw in training.
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
            self.resizer.resize(&source, &mut target, &options).map_err(|error| error.to_string())?;
            &self.scaled
        };

        let plane = in_w * in_h;
        if planes.len() != plane * 3 {
            return Err(format!("the input buffer holds {} values, not {}", planes.len(), plane * 3));
        }
        let (blue, rest) = planes.split_at_mut(plane);
        let (green, red) = rest.split_at_mut(plane);
        let rows =
            blue.chunks_exact_mut(in_w).zip(green.chunks_exact_mut(in_w)).zip(red.chunks_exact_mut(in_w));
        let mut pixels = scaled.chunks_exact(width * 3);
        for ((blue, green), red) in rows {
            let Some(row) = pixels.next() else {
                blue.fill(FILL);
                green.fill(FILL);
                red.fill(FILL);
                continue;
            };
            let targets = blue.iter_mut().zip(green.iter_mut()).zip(red.iter_mut());
            for (((b, g), r), rgb) in targets.zip(row.as_chunks::<3>().0) {
                (*r, *g, *b) = (f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2]));
            }
            for plane in [blue, green, red] {
                plane[width..].fill(FILL);
            }
        }
        Ok(scale as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(picture: &Picture, input: &str) -> (Vec<f32>, f32) {
        let input: InputSize = input.parse().unwrap();
        let mut planes = vec![-1.0; 3 * input.width() * input.height()];
        let scale = Letterbox::new(input).fill(picture, &mut planes).unwrap();
        (planes, scale)
    }

    #[test]
    fn picture_lies_top_left_blue_first_and_the_rest_is_grey() {
        let picture = Picture::filled(128, 64, [10, 20, 30]).unwrap();
        let (planes, scale) = boxed(&picture, "64x96");
        assert_eq!(scale, 0.5);
        let plane = 64 * 96;
        for (channel, value) in [30.0, 20.0, 10.0].into_iter().enumerate() {
            let (picture_rows, grey_rows) = planes[channel * plane..][..plane].split_at(32 * 64);
            assert!(picture_rows.iter().all(|&v| v == value), "plane {channel}");
            assert!(grey_rows.iter().all(|&v| v == FILL));
        }
    }

    #[test]
    fn same_size_is_copied_to_the_letter() {
        let pixels: Vec<u8> = (0..64 * 32 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = Picture::new(64, 32, pixels.clone()).unwrap();
        let (planes, scale) = boxed(&picture, "64x32");
        assert_eq!(scale, 1.0);
        for (i, rgb) in pixels.chunks_exact(3).enumerate() {
            let plane = 64 * 32;
            assert_eq!(
                [planes[2 * plane + i], planes[plane + i], planes[i]],
                [rgb[0], rgb[1], rgb[2]].map(f32::from)
            );
        }
    }

    #[test]
    fn extreme_shapes_keep_a_row_or_a_column() {
        for (width, height) in [(1, 1), (10_000, 50), (3, 9_000), (4_000, 1)] {
            let picture = Picture::filled(width, height, [200, 100, 50]).unwrap();
            let (planes, scale) = boxed(&picture, "416x416");
            assert!(scale > 0.0);
            assert_eq!((planes[0], planes[2 * 416 * 416]), (50.0, 200.0), "{width}×{height}");
            assert!(planes.iter().all(|&v| [200.0, 100.0, 50.0, FILL].contains(&v)));
        }
    }
}
