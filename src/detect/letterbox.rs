//! From a picture of any size, or a piece of it, to one that fits into the network's input.
//!
//! What comes out are 8-bit levels, red first. The network's first layer makes floats of them while it loads them, and its
//! weights take red for blue and blue for red: neither the order nor the kind of the numbers costs a pass of its own.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::pieces::Piece;
use super::settings::InputSize;
use crate::frame::Picture;
use crate::geometry::InputFit;
use crate::kernels::area::Area;
use crate::kernels::{View, ViewMut};

/// Scales a picture to fit the network's input without changing its aspect ratio: to half and up by bilinear interpolation,
/// as YOLOX was trained; further down each pixel is the mean of what it covers. What is then put around it is the network's
/// session's to know.
pub(super) struct Letterbox {
    input: InputSize,
    resizer: Resizer,
    area: Area,
    /// The scaled picture, 8-bit RGB, reused from frame to frame.
    scaled: Vec<u8>,
}

/// A picture that fits the network's input.
pub(super) struct Fitted<'a> {
    /// 8-bit interleaved RGB.
    pub(super) rgb: &'a [u8],
    /// Pixels across.
    pub(super) width: usize,
    /// Pixels down.
    pub(super) height: usize,
    /// Input pixels a picture pixel.
    pub(super) scale: f32,
}

impl Letterbox {
    pub(super) fn new(input: InputSize) -> Self {
        Self { input, resizer: Resizer::new(), area: Area::default(), scaled: Vec::new() }
    }

    /// Scales a piece of the picture to the largest size that fits.
    pub(super) fn fit<'a>(&'a mut self, picture: &'a Picture, piece: Piece) -> Result<Fitted<'a>, String> {
        let size = (piece.width as usize, piece.height as usize);
        let fit = InputFit::within(size, self.input.size());
        let InputFit { width, height, scale } = fit;

        let as_it_is = (width, height) == size && piece == Piece::whole(picture.size());
        let rgb: &[u8] = if as_it_is {
            picture.pixels()
        } else {
            self.scaled.resize(width * height * 3, 0);
            if fit.skips() {
                self.average(picture, piece, (width, height))?;
            } else {
                self.interpolate(picture, piece, (width as u32, height as u32))?;
            }
            &self.scaled
        };
        Ok(Fitted { rgb, width, height, scale: scale as f32 })
    }

    fn average(&mut self, picture: &Picture, piece: Piece, size: (usize, usize)) -> Result<(), String> {
        let row = picture.width() as usize * 3;
        let begin = piece.top as usize * row + piece.left as usize * 3;
        let pixels = picture.pixels().get(begin..).unwrap_or_default();
        let from = View::new(pixels, (piece.width as usize, piece.height as usize), 3, row);
        let to = ViewMut::new(&mut self.scaled, size, 3, size.0 * 3);
        let (from, mut to) = from.zip(to).ok_or("a piece of the picture lies beyond its edge")?;
        self.area.shrink(&from, &mut to);
        Ok(())
    }

    fn interpolate(&mut self, picture: &Picture, piece: Piece, size: (u32, u32)) -> Result<(), String> {
        let source = ImageRef::new(picture.width(), picture.height(), picture.pixels(), PixelType::U8x3)
            .map_err(|error| error.to_string())?;
        let mut target = Image::from_slice_u8(size.0, size.1, &mut self.scaled, PixelType::U8x3)
            .map_err(|error| error.to_string())?;
        let [left, top, width, height] = [piece.left, piece.top, piece.width, piece.height].map(f64::from);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear))
            .crop(left, top, width, height);
        self.resizer.resize(&source, &mut target, &options).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(picture: &Picture, input: &str) -> (Vec<u8>, usize, usize, f32) {
        let mut letterbox = Letterbox::new(input.parse().unwrap());
        let fitted = letterbox.fit(picture, Piece::whole(picture.size())).unwrap();
        (fitted.rgb.to_vec(), fitted.width, fitted.height, fitted.scale)
    }

    #[test]
    fn the_aspect_ratio_is_kept() {
        let picture = Picture::filled(128, 64, [10, 20, 30]).unwrap();
        let (rgb, width, height, scale) = fitted(&picture, "64x96");
        assert_eq!((width, height, scale), (64, 32, 0.5));
        assert!(rgb.len() == 64 * 32 * 3 && rgb.chunks_exact(3).all(|pixel| pixel == [10, 20, 30]));
    }

    #[test]
    fn same_size_is_copied_to_the_letter() {
        let pixels: Vec<u8> = (0..64 * 32 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = Picture::new(64, 32, pixels.clone()).unwrap();
        assert_eq!(fitted(&picture, "64x32"), (pixels, 64, 32, 1.0));
    }

    #[test]
    fn a_piece_is_scaled_as_if_it_were_all() {
        let mut random = fastrand::Rng::with_seed(3);
        for (pic_w, pic_h, piece) in [
            (300, 200, Piece { left: 31, top: 17, width: 150, height: 99 }),
            (64, 64, Piece { left: 0, top: 32, width: 64, height: 32 }),
            (900, 700, Piece { left: 100, top: 33, width: 700, height: 500 }),
        ] {
            let pixels: Vec<u8> = (0..pic_w * pic_h * 3).map(|_| random.u8(..)).collect();
            let rows = pixels.chunks(pic_w as usize * 3).skip(piece.top as usize).take(piece.height as usize);
            let cut = rows.flat_map(|row| &row[piece.left as usize * 3..][..piece.width as usize * 3]);
            let alone = Picture::new(piece.width, piece.height, cut.copied().collect()).unwrap();
            let picture = Picture::new(pic_w, pic_h, pixels.clone()).unwrap();
            let mut letterbox = Letterbox::new("64x64".parse().unwrap());
            let of_piece = letterbox.fit(&picture, piece).unwrap().rgb.to_vec();
            assert!(of_piece == fitted(&alone, "64x64").0, "{piece:?}");
        }
    }

    #[test]
    fn extreme_shapes_keep_a_row_or_a_column() {
        for (pic_w, pic_h) in [(1, 1), (10_000, 50), (3, 9_000), (4_000, 1)] {
            let picture = Picture::filled(pic_w, pic_h, [200, 100, 50]).unwrap();
            let (rgb, width, height, scale) = fitted(&picture, "416x416");
            assert!(scale > 0.0 && width.max(height) == 416, "{pic_w}×{pic_h}");
            assert!(rgb.len() == width * height * 3, "{pic_w}×{pic_h}");
            assert!(rgb.chunks_exact(3).all(|pixel| pixel == [200, 100, 50]), "{pic_w}×{pic_h}");
        }
    }
}
