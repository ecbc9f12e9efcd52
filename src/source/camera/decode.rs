//! A camera's buffer, whatever its pixel format, becomes a picture; or one sentence of why not. No bytes panic here.
//!
//! Where nothing else is told, uncompressed Y'CbCr is taken as BT.601 of limited range, the default of video devices for
//! their sizes and kinds; Motion-JPEG is BT.601 of full range by definition.

use std::borrow::Cow;

use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::layout::{Colour, Damage, Layout};
use super::{CameraFormat, PixelFormat, Rate, mjpeg};
use crate::frame::Picture;

/// The picture in `buffer`, which may be longer than the picture needs.
pub(super) fn decode(layout: &Layout, buffer: &[u8]) -> Result<Picture, Damage> {
    let CameraFormat { pixels, width, height, .. } = layout.format;
    // Also bounds every size below: a picture's bytes fit into 32 bits.
    let length = Picture::bytes(width, height)?;
    if pixels.is_compressed() {
        return mjpeg::decode(buffer, (width, height));
    }
    let planes = Planes::find(layout, buffer)?;
    let mut rgb = vec![0; length];
    convert(layout, &planes, &mut rgb)?;
    Ok(Picture::new(width, height, rgb)?)
}

/// A buffer as any camera could fill it, for tests with damaged input: its first four bytes say the format, the width, the
/// height and the bytes of a row. Gives in words what came of it.
pub(super) fn decode_any(bytes: &[u8]) -> String {
    let [pixels, width, height, stride, buffer @ ..] = bytes else { return "nothing".to_owned() };
    let all: Vec<_> = PixelFormat::all().collect();
    let (Some(&pixels), Some(rate)) = (all.get(usize::from(*pixels) % all.len().max(1)), Rate::new(30, 1))
    else {
        return "nothing".to_owned();
    };
    let format = CameraFormat { pixels, width: u32::from(*width), height: u32::from(*height), rate };
    let colour = Colour { full: *stride & 1 == 1, hd: *stride & 2 == 2 };
    let layout = Layout { stride: u32::from(*stride), colour, ..Layout::of(format) };
    match decode(&layout, buffer) {
        Ok(_) => format!("{} makes a picture", pixels.letters()),
        Err(damage) => format!("{} {damage}", pixels.letters()),
    }
}

/// The planes of an uncompressed picture in a buffer, each with the bytes from one row to the next.
struct Planes<'a>(Vec<(Cow<'a, [u8]>, u32)>);

impl<'a> Planes<'a> {
    fn find(layout: &Layout, buffer: &'a [u8]) -> Result<Self, Damage> {
        let rows = rows(&layout.format);
        let tight = length(&rows);
        let padded = with_padding(&rows, layout.stride);
        // Some drivers tell of a padding that there is not.
        let rows = if buffer.len() == tight { rows } else { padded };
        let expected = length(&rows);
        if buffer.len() < expected {
            return Err(Damage::Short { expected, found: buffer.len() });
        }
        let mut rest = buffer;
        let mut planes = Vec::with_capacity(rows.len());
        for rows in rows {
            let (plane, behind) = rest.split_at(rows.length().min(rest.len()));
            planes.push((filled(plane, rows.length()), rows.stride));
            rest = behind;
        }
        Ok(Self(planes))
    }

    fn plane(&self, number: usize) -> (&[u8], u32) {
        self.0.get(number).map_or((&[], 0), |(plane, stride)| (plane, *stride))
    }
}

/// A plane with the padding of its last row, which the converters count on and buffers may lack.
fn filled(plane: &[u8], length: usize) -> Cow<'_, [u8]> {
    if plane.len() == length {
        return plane.into();
    }
    let mut filled = Vec::with_capacity(length);
    filled.extend_from_slice(plane);
    filled.resize(length, 0);
    filled.into()
}

/// The rows of a plane.
#[derive(Clone, Copy)]
struct Rows {
    /// Bytes of a row without padding.
    bytes: u32,
    /// Bytes from one row to the next.
    stride: u32,
    count: u32,
}

impl Rows {
    fn length(self) -> usize {
        (self.stride as usize).saturating_mul(self.count as usize)
    }
}

/// How many bytes the planes need: of the last row only what is seen.
fn length(planes: &[Rows]) -> usize {
    let padding = planes.last().map_or(0, |last| (last.stride - last.bytes) as usize);
    planes.iter().map(|rows| rows.length()).fold(0_usize, usize::saturating_add).saturating_sub(padding)
}

/// The planes of an uncompressed format, without padding.
fn rows(format: &CameraFormat) -> Vec<Rows> {
    let (width, height) = (format.width, format.height);
    let rows = |bytes: u32, count: u32| Rows { bytes, stride: bytes, count };
    let (half, low) = (width.div_ceil(2), height.div_ceil(2));
    match format.pixels {
        PixelFormat::Yuyv | PixelFormat::Uyvy | PixelFormat::Yvyu | PixelFormat::Vyuy => {
            vec![rows(half * 4, height)]
        }
        PixelFormat::Nv16 | PixelFormat::Nv61 => vec![rows(width, height), rows(half * 2, height)],
        PixelFormat::Nv12 | PixelFormat::Nv21 => vec![rows(width, height), rows(half * 2, low)],
        PixelFormat::Yuv422 => vec![rows(width, height), rows(half, height), rows(half, height)],
        PixelFormat::Yu12 | PixelFormat::Yv12 => vec![rows(width, height), rows(half, low), rows(half, low)],
        PixelFormat::Rgb | PixelFormat::Bgr => vec![rows(width * 3, height)],
        PixelFormat::Gray | PixelFormat::Mjpeg | PixelFormat::Jpeg => vec![rows(width, height)],
    }
}

/// The same planes with padding, as V4L2 counts it: `stride` is the first plane's; that of planes of half its width is
/// half of it.
fn with_padding(planes: &[Rows], stride: u32) -> Vec<Rows> {
    let first = planes.first().map_or(0, |first| first.bytes);
    if stride <= first {
        return planes.to_vec();
    }
    let mut padded: Vec<Rows> = planes
        .iter()
        .map(|rows| {
            let own = if rows.bytes < first { stride.div_ceil(2) } else { stride };
            Rows { stride: own.max(rows.bytes), ..*rows }
        })
        .collect();
    // A single row at the end has nothing to be apart from; a driver's nonsense would take memory here.
    if let Some(last) = padded.last_mut().filter(|last| last.count < 2) {
        last.stride = last.bytes;
    }
    padded
}

fn convert(layout: &Layout, planes: &Planes<'_>, rgb: &mut [u8]) -> Result<(), Damage> {
    let CameraFormat { pixels, width, height, .. } = layout.format;
    let range = if layout.colour.full { YuvRange::Full } else { YuvRange::Limited };
    let matrix = if layout.colour.hd { YuvStandardMatrix::Bt709 } else { YuvStandardMatrix::Bt601 };
    let mode = YuvConversionMode::Balanced;
    let stride = width * 3;
    let (first, first_stride) = planes.plane(0);
    let packed = YuvPackedImage { yuy: first, yuy_stride: first_stride, width, height };
    let two = || {
        let (uv_plane, uv_stride) = planes.plane(1);
        YuvBiPlanarImage { y_plane: first, y_stride: first_stride, uv_plane, uv_stride, width, height }
    };
    let three = |u: usize, v: usize| {
        let ((u_plane, u_stride), (v_plane, v_stride)) = (planes.plane(u), planes.plane(v));
        YuvPlanarImage {
            y_plane: first,
            y_stride: first_stride,
            u_plane,
            u_stride,
            v_plane,
            v_stride,
            width,
            height,
        }
    };
    let done = match pixels {
        PixelFormat::Yuyv => yuv::yuyv422_to_rgb(&packed, rgb, stride, range, matrix),
        PixelFormat::Uyvy => yuv::uyvy422_to_rgb(&packed, rgb, stride, range, matrix),
        PixelFormat::Yvyu => yuv::yvyu422_to_rgb(&packed, rgb, stride, range, matrix),
        PixelFormat::Vyuy => yuv::vyuy422_to_rgb(&packed, rgb, stride, range, matrix),
        PixelFormat::Nv16 => yuv::yuv_nv16_to_rgb(&two(), rgb, stride, range, matrix, mode),
        PixelFormat::Nv61 => yuv::yuv_nv61_to_rgb(&two(), rgb, stride, range, matrix, mode),
        PixelFormat::Nv12 => yuv::yuv_nv12_to_rgb(&two(), rgb, stride, range, matrix, mode),
        PixelFormat::Nv21 => yuv::yuv_nv21_to_rgb(&two(), rgb, stride, range, matrix, mode),
        PixelFormat::Yuv422 => yuv::yuv422_to_rgb(&three(1, 2), rgb, stride, range, matrix),
        PixelFormat::Yu12 => yuv::yuv420_to_rgb(&three(1, 2), rgb, stride, range, matrix),
        PixelFormat::Yv12 => yuv::yuv420_to_rgb(&three(2, 1), rgb, stride, range, matrix),
        PixelFormat::Rgb | PixelFormat::Bgr | PixelFormat::Gray | PixelFormat::Mjpeg | PixelFormat::Jpeg => {
            copy(pixels, (first, first_stride), width, rgb);
            Ok(())
        }
    };
    done.map_err(|error| Damage::Colour(error.to_string()))
}

/// Pixels that need no arithmetic, row by row.
fn copy(pixels: PixelFormat, (plane, stride): (&[u8], u32), width: u32, rgb: &mut [u8]) {
    let rows = rgb.chunks_exact_mut(width as usize * 3).zip(plane.chunks(stride as usize));
    for (to, from) in rows {
        let to = to.as_chunks_mut::<3>().0;
        match pixels {
            PixelFormat::Gray => {
                for (to, &grey) in to.iter_mut().zip(from) {
                    *to = [grey; 3];
                }
            }
            PixelFormat::Bgr => {
                for (to, &[blue, green, red]) in to.iter_mut().zip(from.as_chunks::<3>().0) {
                    *to = [red, green, blue];
                }
            }
            _ => {
                for (to, from) in to.iter_mut().zip(from.as_chunks::<3>().0) {
                    *to = *from;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Rate;
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

    fn layout(pixels: PixelFormat, width: u32, height: u32) -> Layout {
        Layout::of(CameraFormat { pixels, width, height, rate: Rate::new(30, 1).unwrap() })
    }

    fn uncompressed() -> impl Iterator<Item = PixelFormat> {
        PixelFormat::all().filter(|pixels| !pixels.is_compressed())
    }

    /// The bars as planes of rows in this format: the bytes of a row, and how many rows.
    fn bars(pixels: PixelFormat) -> Vec<(Vec<u8>, usize)> {
        let row = |of: &dyn Fn(&Bar) -> Vec<u8>| BARS.iter().flat_map(of).collect::<Vec<u8>>();
        let packed = |order: [usize; 4]| {
            // Y, Cb, Cr, by their numbers.
            vec![(row(&|(_, ycc)| order.map(|i| ycc[i]).repeat(BAR / 2)), ROWS)]
        };
        let luma = (row(&|(_, [y, _, _])| vec![*y; BAR]), ROWS);
        let two = |a: usize, b: usize, rows| {
            vec![luma.clone(), (row(&|(_, ycc)| [ycc[a], ycc[b]].repeat(BAR / 2)), rows)]
        };
        let three = |a: usize, b: usize, rows| {
            let plane = |i: usize| (row(&|(_, ycc): &Bar| vec![ycc[i]; BAR / 2]), rows);
            vec![luma.clone(), plane(a), plane(b)]
        };
        match pixels {
            PixelFormat::Yuyv => packed([0, 1, 0, 2]),
            PixelFormat::Uyvy => packed([1, 0, 2, 0]),
            PixelFormat::Yvyu => packed([0, 2, 0, 1]),
            PixelFormat::Vyuy => packed([2, 0, 1, 0]),
            PixelFormat::Nv16 => two(1, 2, ROWS),
            PixelFormat::Nv61 => two(2, 1, ROWS),
            PixelFormat::Nv12 => two(1, 2, ROWS / 2),
            PixelFormat::Nv21 => two(2, 1, ROWS / 2),
            PixelFormat::Yuv422 => three(1, 2, ROWS),
            PixelFormat::Yu12 => three(1, 2, ROWS / 2),
            PixelFormat::Yv12 => three(2, 1, ROWS / 2),
            PixelFormat::Rgb => vec![(row(&|(rgb, _)| rgb.repeat(BAR)), ROWS)],
            PixelFormat::Bgr => vec![(row(&|([r, g, b], _)| [*b, *g, *r].repeat(BAR)), ROWS)],
            PixelFormat::Gray => vec![luma],
            PixelFormat::Mjpeg | PixelFormat::Jpeg => unreachable!("has tests of its own"),
        }
    }

    /// The planes one after the other, each row followed by its padding.
    fn buffer(planes: &[(Vec<u8>, usize)], padding: usize) -> Vec<u8> {
        let first = planes[0].0.len();
        let padded = |row: &[u8]| {
            let padding = if row.len() < first { padding / 2 } else { padding };
            [row, &vec![0xEE; padding]].concat()
        };
        planes.iter().flat_map(|(row, count)| padded(row).repeat(*count)).collect()
    }

    fn assert_bars(picture: &Picture, pixels: PixelFormat) {
        let tolerance =
            if matches!(pixels, PixelFormat::Rgb | PixelFormat::Bgr | PixelFormat::Gray) { 0 } else { 2 };
        assert_eq!(picture.size(), (32, 4));
        for (i, found) in picture.rgb().iter().enumerate() {
            let (rgb, [y, _, _]) = BARS[i % 32 / BAR];
            let expected = if pixels == PixelFormat::Gray { [y; 3] } else { rgb };
            for (f, e) in found.iter().zip(expected) {
                assert!(f.abs_diff(e) <= tolerance, "{pixels}, pixel {i}: {found:?} is not {expected:?}");
            }
        }
    }

    #[test]
    fn colour_bars_come_out_in_their_colours() {
        for pixels in uncompressed() {
            assert_bars(&decode(&layout(pixels, 32, 4), &buffer(&bars(pixels), 0)).unwrap(), pixels);
        }
    }

    #[test]
    fn padding_of_rows_is_passed_over() {
        for pixels in uncompressed() {
            let planes = bars(pixels);
            let stride = planes[0].0.len() as u32 + 16;
            let padded = Layout { stride, ..layout(pixels, 32, 4) };
            let mut bytes = buffer(&planes, 16);
            assert_bars(&decode(&padded, &bytes).unwrap(), pixels);
            // Without that of the last row.
            let last = if planes[planes.len() - 1].0.len() < planes[0].0.len() { 8 } else { 16 };
            bytes.truncate(bytes.len() - last);
            assert_bars(&decode(&padded, &bytes).unwrap(), pixels);
            bytes.truncate(bytes.len() - 1);
            assert!(matches!(decode(&padded, &bytes), Err(Damage::Short { .. })), "{pixels}");
            // A driver that tells of padding and has none; one that tells nonsense.
            assert_bars(&decode(&padded, &buffer(&planes, 0)).unwrap(), pixels);
            for stride in [1, u32::MAX] {
                let nonsense = Layout { stride, ..padded };
                assert_bars(&decode(&nonsense, &buffer(&planes, 0)).unwrap(), pixels);
            }
        }
    }

    #[test]
    fn range_and_coefficients_are_those_that_the_driver_tells() {
        let grey = [128; 64 * 2];
        let with = |colour, bytes: &[u8]| {
            decode(&Layout { colour, ..layout(PixelFormat::Yuyv, 8, 8) }, bytes).unwrap().rgb()[0]
        };
        assert_eq!(with(Colour { full: true, hd: false }, &grey), [128; 3]);
        // 255 × (128 − 16) / 219 is 130.4.
        assert!(with(Colour { full: false, hd: false }, &grey).iter().all(|grey| (130..=131).contains(grey)));
        // Pure red, by the equations of BT.709: Y' = 16 + 219 × 0.2126, Cb = 128 + 224 (0 − 0.2126)/1.8556, Cr = 240.
        let red = [63, 102, 63, 240].repeat(32);
        let found = with(Colour { full: false, hd: true }, &red);
        assert!(found.iter().zip([255_u8, 0, 0]).all(|(f, e)| f.abs_diff(e) <= 2), "{found:?}");
    }

    #[test]
    fn a_short_buffer_is_damage_and_a_long_one_is_not() {
        for pixels in uncompressed() {
            let layout = layout(pixels, 32, 4);
            let mut bytes = buffer(&bars(pixels), 0);
            let expected = bytes.len();
            bytes.extend([7; 100]);
            assert_bars(&decode(&layout, &bytes).unwrap(), pixels);
            for found in [expected - 1, expected / 2, 1, 0] {
                bytes.truncate(found);
                assert_eq!(decode(&layout, &bytes), Err(Damage::Short { expected, found }), "{pixels}");
            }
        }
    }

    #[test]
    fn monstrous_sizes_are_damage_before_memory_is_taken() {
        for pixels in PixelFormat::all() {
            for (width, height) in [(u32::MAX, u32::MAX), (0, 480), (640, 0), (16384, u32::MAX)] {
                assert!(
                    decode(&layout(pixels, width, height), &[0; 64]).is_err(),
                    "{pixels} {width}×{height}"
                );
            }
            // Within what a picture may be, but more than what came.
            assert!(decode(&layout(pixels, 16_000, 16_000), &[0; 64]).is_err(), "{pixels}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_no_size_and_no_stride_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..3000),
            width in 0u32..40, height in 0u32..40,
            stride in prop_oneof![0u32..200, any::<u32>()],
            pixels in proptest::sample::select(PixelFormat::all().collect::<Vec<_>>()),
            (full, hd) in any::<(bool, bool)>(),
        ) {
            let layout = Layout { stride, colour: Colour { full, hd }, ..layout(pixels, width, height) };
            if let Ok(picture) = decode(&layout, &bytes) {
                prop_assert!(pixels.is_compressed() || picture.size() == (width, height));
            }
        }

        #[test]
        fn a_buffer_of_the_right_length_is_a_picture(
            width in 1u32..40, height in 1u32..40, padding in 0u32..20,
            pixels in proptest::sample::select(uncompressed().collect::<Vec<_>>()),
        ) {
            let tight = rows(&layout(pixels, width, height).format);
            let layout = Layout { stride: tight[0].bytes + padding, ..layout(pixels, width, height) };
            let bytes = vec![90; length(&with_padding(&tight, layout.stride))];
            prop_assert_eq!(decode(&layout, &bytes).map(|picture| picture.size()), Ok((width, height)));
        }
    }
}
