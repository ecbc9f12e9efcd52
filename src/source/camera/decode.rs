//! A camera's buffer, whatever its pixel format, becomes a picture; or one sentence of why not. No bytes panic here.
//!
//! Cameras do not say how their Y'CbCr is meant where the driver's interface does not carry it. Uncompressed formats
//! are taken as BT.601 of limited range, the default of video devices for their sizes and kinds; Motion-JPEG is BT.601
//! of full range by definition.

use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvRange, YuvStandardMatrix};

use super::{CameraFormat, PixelFormat, mjpeg};
use crate::frame::{Picture, PictureError};

const RANGE: YuvRange = YuvRange::Limited;
const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;

/// Why a buffer is not a picture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Damage {
    #[error("{found} bytes came, and the format needs {expected}")]
    Short { expected: usize, found: usize },
    #[error("it does not start as a JPEG does")]
    NoStart,
    #[error("the JPEG has no end")]
    NoEnd,
    #[error("{0}")]
    Jpeg(String),
    #[error("the colours cannot be converted: {0}")]
    Colour(String),
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// The picture in `buffer`, which may be longer than the picture needs. Rows are taken as having no padding.
pub(super) fn decode(format: &CameraFormat, buffer: &[u8]) -> Result<Picture, Damage> {
    let (width, height) = (format.width, format.height);
    // Also bounds every size below: a picture's bytes fit into 32 bits.
    let length = Picture::bytes(width, height)?;
    let mut rgb = vec![0; length];
    let (columns, rows) = (width as usize, height as usize);
    let stride = width * 3;
    match format.pixels {
        PixelFormat::Mjpeg => return mjpeg::decode(buffer, (width, height)),
        PixelFormat::Yuyv => {
            let yuy_stride = width.div_ceil(2) * 4;
            let yuy = first(buffer, yuy_stride as usize * rows)?;
            let image = YuvPackedImage { yuy, yuy_stride, width, height };
            yuv::yuyv422_to_rgb(&image, &mut rgb, stride, RANGE, MATRIX)
                .map_err(|error| Damage::Colour(error.to_string()))?;
        }
        PixelFormat::Nv12 => {
            let uv_stride = width.div_ceil(2) * 2;
            let (y_length, uv_length) = (columns * rows, uv_stride as usize * rows.div_ceil(2));
            let (y_plane, uv_plane) = first(buffer, y_length + uv_length)?.split_at(y_length);
            let image = YuvBiPlanarImage { y_plane, y_stride: width, uv_plane, uv_stride, width, height };
            yuv::yuv_nv12_to_rgb(&image, &mut rgb, stride, RANGE, MATRIX, YuvConversionMode::Balanced)
                .map_err(|error| Damage::Colour(error.to_string()))?;
        }
        PixelFormat::Rgb => rgb.copy_from_slice(first(buffer, length)?),
        PixelFormat::Bgr => {
            let bgr = first(buffer, length)?.as_chunks::<3>().0;
            for (to, &[blue, green, red]) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(bgr) {
                *to = [red, green, blue];
            }
        }
        PixelFormat::Gray => {
            for (to, &grey) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(first(buffer, columns * rows)?) {
                *to = [grey; 3];
            }
        }
    }
    Ok(Picture::new(width, height, rgb)?)
}

fn first(buffer: &[u8], expected: usize) -> Result<&[u8], Damage> {
    buffer.get(..expected).ok_or(Damage::Short { expected, found: buffer.len() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Red, green, blue; and Y', Cb, Cr.
    type Bar = ([u8; 3], [u8; 3]);

    /// The eight colour bars at 100 %, left to right, and their Y', Cb, Cr in BT.601 limited range as the standard's
    /// equations give them: Y' = 16 + 219 (0.299 R + 0.587 G + 0.114 B), Cb = 128 + 224 (B − Y)/1.772,
    /// Cr = 128 + 224 (R − Y)/1.402, rounded.
    const BARS: [Bar; 8] = [
        ([255, 255, 255], [235, 128, 128]),
        ([255, 255, 0], [210, 16, 146]),
        ([0, 255, 255], [170, 166, 16]),
        ([0, 255, 0], [145, 54, 34]),
        ([255, 0, 255], [106, 202, 222]),
        ([255, 0, 0], [81, 90, 240]),
        ([0, 0, 255], [41, 240, 110]),
        ([0, 0, 0], [16, 128, 128]),
    ];
    /// Each bar is as wide as this; four rows of them make the picture.
    const BAR: usize = 4;
    const ROWS: usize = 4;

    fn format(pixels: PixelFormat, width: u32, height: u32) -> CameraFormat {
        CameraFormat { pixels, width, height, fps: 30 }
    }

    /// The bars as a buffer in this format.
    fn bars(pixels: PixelFormat) -> Vec<u8> {
        let row = |of: fn(&Bar) -> Vec<u8>| BARS.iter().flat_map(of).collect::<Vec<u8>>();
        match pixels {
            PixelFormat::Yuyv => row(|(_, [y, cb, cr])| [*y, *cb, *y, *cr].repeat(BAR / 2)).repeat(ROWS),
            PixelFormat::Nv12 => {
                let mut planes = row(|(_, [y, _, _])| vec![*y; BAR]).repeat(ROWS);
                planes.extend(row(|(_, [_, cb, cr])| [*cb, *cr].repeat(BAR / 2)).repeat(ROWS / 2));
                planes
            }
            PixelFormat::Rgb => row(|(rgb, _)| rgb.repeat(BAR)).repeat(ROWS),
            PixelFormat::Bgr => row(|([r, g, b], _)| [*b, *g, *r].repeat(BAR)).repeat(ROWS),
            PixelFormat::Gray => row(|(_, [y, _, _])| vec![*y; BAR]).repeat(ROWS),
            PixelFormat::Mjpeg => unreachable!("has tests of its own"),
        }
    }

    #[test]
    fn colour_bars_come_out_in_their_colours() {
        for (pixels, tolerance) in
            [(PixelFormat::Yuyv, 2), (PixelFormat::Nv12, 2), (PixelFormat::Rgb, 0), (PixelFormat::Bgr, 0)]
        {
            let picture = decode(&format(pixels, 32, 4), &bars(pixels)).unwrap();
            assert_eq!(picture.size(), (32, 4));
            for (i, found) in picture.rgb().iter().enumerate() {
                let (expected, _) = BARS[i % 32 / BAR];
                for (f, e) in found.iter().zip(expected) {
                    assert!(f.abs_diff(e) <= tolerance, "{pixels}, pixel {i}: {found:?} is not {expected:?}");
                }
            }
        }
    }

    #[test]
    fn grey_keeps_its_brightness() {
        let picture = decode(&format(PixelFormat::Gray, 32, 4), &bars(PixelFormat::Gray)).unwrap();
        for (i, found) in picture.rgb().iter().enumerate() {
            let (_, [y, _, _]) = BARS[i % 32 / BAR];
            assert_eq!(*found, [y; 3]);
        }
    }

    #[test]
    fn a_short_buffer_is_damage_and_a_long_one_is_not() {
        for pixels in
            [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Rgb, PixelFormat::Bgr, PixelFormat::Gray]
        {
            let format = format(pixels, 32, 4);
            let mut buffer = bars(pixels);
            let expected = buffer.len();
            let whole = decode(&format, &buffer).unwrap();
            buffer.extend([7; 100]);
            assert_eq!(decode(&format, &buffer).unwrap(), whole, "{pixels}");
            buffer.truncate(expected - 1);
            assert_eq!(
                decode(&format, &buffer),
                Err(Damage::Short { expected, found: expected - 1 }),
                "{pixels}"
            );
        }
    }

    #[test]
    fn impossible_sizes_are_refused_before_anything_is_allocated() {
        for (width, height) in [(0, 4), (4, 0), (u32::MAX, u32::MAX), (32_768, 32_768)] {
            for pixels in [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Rgb, PixelFormat::Gray] {
                assert!(matches!(decode(&format(pixels, width, height), &[0; 64]), Err(Damage::Picture(_))));
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_size_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..3000),
            width in 0u32..40, height in 0u32..40,
            pixels in proptest::sample::select(vec![
                PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Rgb, PixelFormat::Bgr, PixelFormat::Gray, PixelFormat::Mjpeg,
            ]),
        ) {
            if let Ok(picture) = decode(&format(pixels, width, height), &bytes) {
                prop_assert!(pixels == PixelFormat::Mjpeg || picture.size() == (width, height));
            }
        }
    }
}
