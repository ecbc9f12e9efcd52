//! Raw decoded frames to RGB pictures: how many bytes a frame of a pixel format has, and what its colours are. Where
//! the bytes come from is the business of [`ffmpeg`](super).

use yuv::{YuvGrayImage, YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::hdr::{self, DEEP_FORMAT, Transfer};
use super::showinfo::{Announced, Matrix};
use crate::frame::{Picture, PictureError};
use crate::source::picture_file::over_grey;

/// The pixel formats that are taken raw, as ffmpeg's filter `format` lists them. It picks what loses least of what the
/// decoder gives: most videos pass through unchanged; RGB stays RGB, grey stays grey, and what has clear pixels keeps them.
pub(in crate::source) const FORMATS: &str = "yuv420p|yuvj420p|gray|rgb24|rgba";

/// Why a raw frame cannot become a picture.
#[derive(Debug)]
pub(in crate::source) enum RawError {
    /// A size out of range.
    Size(PictureError),
    /// Anything else; nothing that a right decoder can cause.
    Other(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A plane of luma, then two of chroma, halved each way and rounded up.
    Yuv420,
    /// The same with ten bits in two bytes.
    Deep420,
    Gray,
    Rgb,
    /// With alpha behind each pixel, not multiplied.
    Rgba,
}

fn layout(frame: &Announced) -> Result<Layout, RawError> {
    match frame.format.as_str() {
        "yuv420p" | "yuvj420p" => Ok(Layout::Yuv420),
        DEEP_FORMAT => Ok(Layout::Deep420),
        "gray" => Ok(Layout::Gray),
        "rgb24" => Ok(Layout::Rgb),
        "rgba" => Ok(Layout::Rgba),
        other => Err(RawError::Other(format!("the pixel format {other} was not asked for"))),
    }
}

/// The bytes of a raw frame.
pub(in crate::source) fn raw_length(frame: &Announced) -> Result<usize, RawError> {
    let rgb = Picture::bytes(frame.width, frame.height).map_err(RawError::Size)?;
    Ok(match layout(frame)? {
        Layout::Rgb => rgb,
        Layout::Rgba => rgb / 3 * 4,
        Layout::Gray => rgb / 3,
        Layout::Yuv420 => rgb / 3 + 2 * chroma_length(frame),
        Layout::Deep420 => 2 * (rgb / 3 + 2 * chroma_length(frame)),
    })
}

fn chroma_length(frame: &Announced) -> usize {
    frame.width.div_ceil(2) as usize * frame.height.div_ceil(2) as usize
}

/// Turns the bytes of a raw frame, [`raw_length`] of them, into a picture.
pub(in crate::source) fn to_picture(frame: &Announced, bytes: &[u8]) -> Result<Picture, RawError> {
    let (width, height) = (frame.width, frame.height);
    let length = Picture::bytes(width, height).map_err(RawError::Size)?;
    let layout = layout(frame)?;
    if bytes.len() != raw_length(frame)? {
        return Err(RawError::Other(format!("{} bytes for {width}×{height} pixels", bytes.len())));
    }
    let pixels = match layout {
        Layout::Rgb => bytes.to_vec(),
        Layout::Rgba => shown(bytes),
        Layout::Gray => {
            let mut pixels = vec![0; length];
            let image = YuvGrayImage { y_plane: bytes, y_stride: width, width, height };
            yuv::yuv400_to_rgb(&image, &mut pixels, width * 3, range(frame, true), matrix(frame))
                .map_err(|e| RawError::Other(e.to_string()))?;
            pixels
        }
        Layout::Yuv420 => {
            let mut pixels = vec![0; length];
            let image = planar(frame, bytes, length / 3);
            let full_unless_told = frame.format == "yuvj420p";
            yuv::yuv420_to_rgb(&image, &mut pixels, width * 3, range(frame, full_unless_told), matrix(frame))
                .map_err(|e| RawError::Other(e.to_string()))?;
            pixels
        }
        Layout::Deep420 => {
            let samples: Vec<u16> = bytes.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect();
            return deep(frame, &samples, length);
        }
    };
    let pixels = match frame.transfer {
        Transfer::Standard => pixels,
        // Of a stream nothing was known beforehand, so that there are eight bits.
        transfer => {
            let codes: Vec<u16> =
                pixels.iter().map(|value| u16::from(*value) << 2 | u16::from(*value) >> 6).collect();
            hdr::to_standard(&codes, transfer, frame.wide)
        }
    };
    Picture::new(width, height, pixels).map_err(RawError::Size)
}

/// RGBA pixels as they are shown. Where all are clear, alpha was never written, as by many recorders of screens.
fn shown(rgba: &[u8]) -> Vec<u8> {
    let pixels = rgba.as_chunks::<4>().0;
    if pixels.iter().all(|[.., alpha]| *alpha == 0) {
        return pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    }
    over_grey(rgba)
}

/// The planes of a frame: luma, `luma` samples of it, then the two of chroma.
fn planar<'a, T: Copy + std::fmt::Debug>(
    frame: &Announced,
    samples: &'a [T],
    luma: usize,
) -> YuvPlanarImage<'a, T> {
    let chroma_stride = frame.width.div_ceil(2);
    let (y_plane, chroma) = samples.split_at(luma);
    let (u_plane, v_plane) = chroma.split_at(chroma_length(frame));
    YuvPlanarImage {
        y_plane,
        y_stride: frame.width,
        u_plane,
        u_stride: chroma_stride,
        v_plane,
        v_stride: chroma_stride,
        width: frame.width,
        height: frame.height,
    }
}

/// A picture of ten bits a sample.
fn deep(frame: &Announced, samples: &[u16], length: usize) -> Result<Picture, RawError> {
    let (width, height) = (frame.width, frame.height);
    let image = planar(frame, samples, length / 3);
    let mut codes = vec![0_u16; length];
    yuv::i010_to_rgb10(&image, &mut codes, width * 3, range(frame, false), matrix(frame))
        .map_err(|e| RawError::Other(e.to_string()))?;
    let pixels = hdr::to_standard(&codes, frame.transfer, frame.wide);
    Picture::new(width, height, pixels).map_err(RawError::Size)
}

fn range(frame: &Announced, full_unless_told: bool) -> YuvRange {
    if frame.colours.full_range.unwrap_or(full_unless_told) { YuvRange::Full } else { YuvRange::Limited }
}

/// The matrix that the frame names; without a name the one that its size makes likely: BT.709 for high definition
/// (720 rows or more, counted on the shorter side so that a turned video is not another one), BT.601 below.
fn matrix(frame: &Announced) -> YuvStandardMatrix {
    match frame.colours.matrix {
        Matrix::Bt601 => YuvStandardMatrix::Bt601,
        Matrix::Bt709 => YuvStandardMatrix::Bt709,
        Matrix::Bt2020 => YuvStandardMatrix::Bt2020,
        Matrix::Fcc => YuvStandardMatrix::Fcc,
        Matrix::Smpte240 => YuvStandardMatrix::Smpte240,
        Matrix::Unknown if frame.format == "yuvj420p" => YuvStandardMatrix::Bt601,
        Matrix::Unknown if frame.width.min(frame.height) >= 720 => YuvStandardMatrix::Bt709,
        Matrix::Unknown => YuvStandardMatrix::Bt601,
    }
}

#[cfg(test)]
mod tests {
    use super::super::showinfo::Colours;
    use super::*;
    use proptest::prelude::*;

    fn announced(format: &str, width: u32, height: u32) -> Announced {
        let format = format.to_owned();
        Announced {
            time: None,
            width,
            height,
            format,
            colours: Colours::default(),
            transfer: Transfer::Standard,
            wide: false,
        }
    }

    /// A frame of one colour.
    fn flat(frame: &Announced, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let luma = (frame.width * frame.height) as usize;
        let mut bytes = vec![y; luma];
        bytes.extend(vec![u; chroma_length(frame)]);
        bytes.extend(vec![v; chroma_length(frame)]);
        let picture = to_picture(frame, &bytes).unwrap();
        assert!(
            picture.rgb().windows(2).all(|w| w[0] == w[1]),
            "one colour at {}×{}",
            frame.width,
            frame.height
        );
        picture.rgb()[0]
    }

    fn near(got: [u8; 3], wanted: [u8; 3]) {
        assert!(got.iter().zip(wanted).all(|(g, w)| g.abs_diff(w) <= 1), "{got:?} for {wanted:?}");
    }

    #[test]
    fn ranges_and_matrices_are_told_apart() {
        let mut frame = announced("yuv420p", 16, 16);
        near(flat(&frame, [16, 128, 128]), [0, 0, 0]);
        near(flat(&frame, [235, 128, 128]), [255, 255, 255]);
        // Pure red: BT.601 limited, full, BT.709 limited (values from the standards).
        near(flat(&frame, [81, 90, 240]), [254, 0, 0]);
        frame.colours.matrix = Matrix::Bt709;
        near(flat(&frame, [63, 102, 240]), [255, 1, 0]);
        frame.colours.full_range = Some(true);
        frame.colours.matrix = Matrix::Bt601;
        near(flat(&frame, [76, 85, 255]), [254, 0, 0]);
        near(flat(&frame, [16, 128, 128]), [16, 16, 16]);
        let jpeg = announced("yuvj420p", 16, 16);
        near(flat(&jpeg, [76, 85, 255]), [254, 0, 0]);
        // Without a name, the size decides.
        near(flat(&announced("yuv420p", 1280, 720), [63, 102, 240]), [255, 1, 0]);
        near(flat(&announced("yuv420p", 720, 1280), [63, 102, 240]), [255, 1, 0]);
        near(flat(&announced("yuv420p", 720, 576), [81, 90, 240]), [254, 0, 0]);
    }

    #[test]
    fn odd_sizes_are_whole() {
        for (width, height) in [(1, 1), (1, 7), (7, 1), (33, 17), (2, 3), (321, 181)] {
            near(flat(&announced("yuv420p", width, height), [81, 90, 240]), [254, 0, 0]);
        }
        assert_eq!(raw_length(&announced("yuv420p", 3, 3)).unwrap(), 9 + 4 + 4);
    }

    #[test]
    fn grey_and_rgb_pass() {
        let grey = announced("gray", 3, 1);
        assert_eq!(to_picture(&grey, &[0, 16, 255]).unwrap().rgb(), [[0; 3], [16; 3], [255; 3]]);
        let limited =
            Announced { colours: Colours { full_range: Some(false), ..Colours::default() }, ..grey };
        assert_eq!(to_picture(&limited, &[16, 16, 235]).unwrap().rgb(), [[0; 3], [0; 3], [255; 3]]);
        assert_eq!(to_picture(&announced("rgb24", 1, 1), &[1, 2, 3]).unwrap().rgb(), [[1, 2, 3]]);
        let clear = to_picture(&announced("rgba", 2, 1), &[9, 200, 9, 0, 1, 2, 3, 255]).unwrap();
        assert_eq!(clear.rgb(), [[114; 3], [1, 2, 3]], "the grey that stills have there");
        let unwritten = to_picture(&announced("rgba", 1, 1), &[9, 200, 9, 0]).unwrap();
        assert_eq!(unwritten.rgb(), [[9, 200, 9]]);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(matches!(raw_length(&announced("yuv420p", 0, 5)), Err(RawError::Size(_))));
        assert!(matches!(raw_length(&announced("rgb24", u32::MAX, u32::MAX)), Err(RawError::Size(_))));
        assert!(matches!(raw_length(&announced("nv12", 2, 2)), Err(RawError::Other(_))));
    }

    proptest! {
        #[test]
        fn every_frame_becomes_a_picture(
            format in 0..6_usize,
            width in 1_u32..70,
            height in 1_u32..70,
            full_range in any::<Option<bool>>(),
            seed in any::<u8>(),
        ) {
            let format = ["yuv420p", "yuvj420p", "gray", "rgb24", "rgba", DEEP_FORMAT][format];
            let colours = Colours { full_range, ..Colours::default() };
            let frame = Announced { colours, ..announced(format, width, height) };
            let length = raw_length(&frame).unwrap();
            let bytes: Vec<u8> = (0..length).map(|i| (i as u8).wrapping_mul(97) ^ seed).collect();
            prop_assert_eq!(to_picture(&frame, &bytes).unwrap().size(), (width, height));
            prop_assert!(to_picture(&frame, &bytes[1..]).is_err());
        }
    }
}
