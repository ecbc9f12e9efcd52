//! Paints the part of a picture that can be seen onto the canvas, at the size the mapping says.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::canvas::Canvas;
use super::mapping::Mapping;
use super::theme::BACKGROUND;
use crate::frame::Picture;

/// Keeps the buffers of the resizing from one frame to the next.
#[derive(Debug, Default)]
pub struct Scaler {
    resizer: Resizer,
    /// RGB bytes of the visible part at canvas size.
    buffer: Vec<u8>,
}

/// Where a stretch of the picture goes along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    /// The first canvas pixel that shows the picture.
    from: usize,
    /// How many canvas pixels show it.
    length: usize,
    /// Where in the picture that stretch begins, in source pixels.
    crop: f64,
    /// How many source pixels it shows.
    crop_length: f64,
}

impl Axis {
    /// `None` where the picture lies outside of the canvas or is thinner than half a pixel of it.
    fn new(shift: f64, scale: f64, source: u32, canvas: usize) -> Option<Self> {
        let source = f64::from(source);
        // The edges on whole canvas pixels, at least one apart, so that the thinnest picture shows.
        let start = shift.round();
        let end = (shift + source * scale).round().max(start + 1.0);
        let (from, to) = (start.max(0.0), end.min(canvas as f64));
        // `max` and `min` have turned NaN into an edge of the canvas; the crop below is NaN then, and refused.
        if from >= to {
            return None;
        }
        let to_source = |canvas: f64| ((canvas - start) / (end - start) * source).clamp(0.0, source);
        let crop = to_source(from);
        let crop_length = (to_source(to) - crop).min(source - crop);
        (crop_length > 0.0).then_some(Self {
            from: from as usize,
            length: (to - from) as usize,
            crop,
            crop_length,
        })
    }
}

impl Scaler {
    /// Fills the canvas: the picture where the mapping puts it, [`BACKGROUND`] beside it. Bilinear, with the filter
    /// widened where the picture shrinks, so that nothing flickers; one to one the pixels are copied.
    pub fn paint(&mut self, canvas: &mut Canvas, picture: &Picture, mapping: &Mapping) {
        let columns = Axis::new(mapping.left, mapping.scale, picture.width(), canvas.width());
        let rows = Axis::new(mapping.top, mapping.scale, picture.height(), canvas.height());
        let (Some(columns), Some(rows)) = (columns, rows) else {
            return canvas.clear(BACKGROUND);
        };
        if columns.length < canvas.width() || rows.length < canvas.height() {
            canvas.clear(BACKGROUND);
        }
        if columns.crop_length == columns.length as f64 && rows.crop_length == rows.length as f64 {
            let stride = picture.width() as usize;
            let start = rows.crop as usize * stride + columns.crop as usize;
            let visible = picture.rgb().get(start..).unwrap_or_default();
            return copy_rows(canvas, visible, stride, columns, rows);
        }
        if self.resize(picture, columns, rows).is_some() {
            copy_rows(canvas, self.buffer.as_chunks::<3>().0, columns.length, columns, rows);
        }
    }

    /// The visible part at canvas size, into the buffer.
    fn resize(&mut self, picture: &Picture, columns: Axis, rows: Axis) -> Option<()> {
        self.buffer.resize(columns.length * rows.length * 3, 0);
        let source =
            ImageRef::new(picture.width(), picture.height(), picture.pixels(), PixelType::U8x3).ok()?;
        let (width, height) = (u32::try_from(columns.length).ok()?, u32::try_from(rows.length).ok()?);
        let mut target = Image::from_slice_u8(width, height, &mut self.buffer, PixelType::U8x3).ok()?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
            columns.crop,
            rows.crop,
            columns.crop_length,
            rows.crop_length,
        );
        self.resizer.resize(&source, &mut target, &options).ok()
    }
}

/// Copies RGB rows of `stride` pixels to where the axes say.
fn copy_rows(canvas: &mut Canvas, rgb: &[[u8; 3]], stride: usize, columns: Axis, rows: Axis) {
    for (index, row) in rgb.chunks(stride).take(rows.length).enumerate() {
        let pixels = canvas.row_mut(rows.from + index, columns.from, columns.from + columns.length);
        for (pixel, &[r, g, b]) in pixels.iter_mut().zip(row) {
            *pixel = u32::from_be_bytes([0, r, g, b]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mapping::{Sizes, Viewport};
    use super::*;
    use proptest::prelude::*;

    /// Red grows to the right, green downwards.
    fn gradient(width: u32, height: u32) -> Picture {
        let mut picture = Picture::filled(width, height, [0, 0, 7]).unwrap();
        for (index, pixel) in picture.rgb_mut().iter_mut().enumerate() {
            let (x, y) = (index as u32 % width, index as u32 / width);
            *pixel = [(x * 255 / width) as u8, (y * 255 / height) as u8, 7];
        }
        picture
    }

    #[test]
    fn one_to_one_is_a_copy_also_where_it_is_cut() {
        let picture = gradient(60, 40);
        let (mut scaler, mut canvas) = (Scaler::default(), Canvas::new(60, 40));
        scaler.paint(&mut canvas, &picture, &Mapping::identity());
        let mut copied = Canvas::default();
        copied.copy_from(&picture);
        assert_eq!(canvas, copied);
        canvas.resize(30, 80);
        scaler.paint(&mut canvas, &picture, &Mapping { scale: 1.0, left: -10.0, top: 20.0 });
        assert_eq!(canvas.pixels()[19 * 30], BACKGROUND);
        assert_eq!(canvas.pixels()[60 * 30], BACKGROUND);
        assert_eq!(canvas.pixels()[20 * 30], copied.pixels()[10]);
        assert_eq!(canvas.pixels()[59 * 30 + 29], copied.pixels()[39 * 60 + 39]);
    }

    #[test]
    fn a_scaled_picture_lies_where_the_mapping_says() {
        let picture = gradient(200, 100);
        let (mut scaler, mut canvas) = (Scaler::default(), Canvas::new(0, 0));
        for (size, zoom) in [((400, 300), 1.0), ((100, 100), 1.0), ((400, 300), 3.7), ((37, 211), 1.9)] {
            canvas.resize(size.0, size.1);
            let sizes = Sizes { source: picture.size(), canvas: size };
            let mut view = Viewport::default();
            view.zoom_about(sizes, 11.0, 23.0, zoom);
            let mapping = view.mapping(sizes);
            scaler.paint(&mut canvas, &picture, &mapping);
            for (x, y) in [(30.5, 20.5), (100.5, 50.5), (150.5, 80.5)] {
                let (cx, cy) = mapping.to_canvas(x, y);
                if cx < 1.0 || cy < 1.0 || cx >= size.0 as f32 - 1.0 || cy >= size.1 as f32 - 1.0 {
                    continue;
                }
                let [_, r, g, _] = canvas.pixels()[cy as usize * size.0 + cx as usize].to_be_bytes();
                let (expected_r, expected_g) = (x * 255.0 / 200.0, y * 255.0 / 100.0);
                let tolerance = 3.0 + 255.0 / 100.0 / mapping.scale as f32;
                assert!(
                    (f32::from(r) - expected_r).abs() < tolerance,
                    "{size:?} {zoom}: {r} for {expected_r}"
                );
                assert!(
                    (f32::from(g) - expected_g).abs() < tolerance,
                    "{size:?} {zoom}: {g} for {expected_g}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_mapping_and_size_is_safe(
            (sw, sh, cw, ch) in (1u32..50, 1u32..50, 0usize..60, 0usize..60),
            scale in prop_oneof![0.01f64..40.0, Just(1.0), Just(1e-9), Just(1e9)],
            shift in prop_oneof![-200f64..200.0, Just(1e9), Just(-1e9), Just(f64::NAN)],
        ) {
            let mut canvas = Canvas::new(cw, ch);
            let mapping = Mapping { scale, left: shift, top: -shift };
            Scaler::default().paint(&mut canvas, &gradient(sw, sh), &mapping);
            prop_assert!(canvas.pixels().iter().all(|pixel| pixel >> 24 == 0));
        }
    }
}
