//! JPEG bytes to a picture: what cameras send, decoded so that no damage to the bytes can end the program. Files with
//! orientation, alpha or other formats are the business of `read_picture`.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::frame::{MAX_SIDE, Picture};

/// How large a JPEG picture may be, in pixels; a larger one is refused before memory is taken for it. The area is
/// held to [`MAX_AREA`](crate::frame::MAX_AREA) besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JpegLimits {
    /// The most pixels across.
    pub width: u32,
    /// The most pixels down.
    pub height: u32,
}

impl Default for JpegLimits {
    fn default() -> Self {
        Self { width: MAX_SIDE, height: MAX_SIDE }
    }
}

/// Decodes a baseline or progressive JPEG (grey, YCbCr, RGB, CMYK or YCCK) to 8-bit RGB. CMYK is taken as stored
/// inverted, as every common writer does. Damage within the picture gives a picture with damaged parts, as in other
/// decoders; an EXIF orientation is not applied. Huffman tables that a camera leaves out are the standard ones.
///
/// # Errors
/// What is wrong with the bytes: not a JPEG, a damaged header, or larger than `limits`.
pub fn decode_jpeg(bytes: &[u8], limits: JpegLimits) -> Result<Picture, String> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(limits.width.min(MAX_SIDE) as usize)
        .set_max_height(limits.height.min(MAX_SIDE) as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let with_tables = standard_tables(bytes);
    let bytes = with_tables.as_deref().unwrap_or(bytes);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| format!("not a JPEG that can be read: {e}"))?;
    let (width, height) = decoder.dimensions().ok_or("the JPEG names no size")?;
    let width = u32::try_from(width).map_err(|e| e.to_string())?;
    let height = u32::try_from(height).map_err(|e| e.to_string())?;
    let length = Picture::bytes(width, height).map_err(|e| e.to_string())?;
    let mut pixels = vec![0; length];
    decoder.decode_into(&mut pixels).map_err(|e| format!("the JPEG is damaged: {e}"))?;
    Picture::new(width, height, pixels).map_err(|e| e.to_string())
}

/// `bytes` with the segment in front that stands for the standard Huffman tables, where they bring none of their own
/// before the first scan.
fn standard_tables(bytes: &[u8]) -> Option<Vec<u8>> {
    const START: [u8; 20] =
        [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'A', b'V', b'I', b'1', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    let scan = rest.windows(2).position(|pair| pair == [0xFF, 0xDA])?;
    let own = rest.get(..scan)?.windows(2).any(|pair| pair == [0xFF, 0xC4]);
    (!own).then(|| [&START, rest].concat())
}

/// Whether a JPEG's end is missing: its scans go on to the end of the bytes. What stands behind the end (a film, a second
/// picture) does not matter.
pub(super) fn is_cut_off(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8]) && length(bytes).is_none()
}

/// The bytes of the JPEG that `bytes` begin with, up to and with its end-of-image marker; `None` where it has none. Segments are
/// stepped over, as they may hold a JPEG of their own (the small picture of a camera).
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return None;
    }
    let (mut place, mut in_scan) = (2, false);
    loop {
        place += bytes.get(place..)?.iter().position(|byte| *byte == 0xFF)?;
        let marker = *bytes.get(place + 1)?;
        match marker {
            // A fill byte; the next one may be the marker's first.
            0xFF => place += 1,
            0xD9 => return Some(place + 2),
            // A byte of the scan, a restart.
            0x00 | 0x01 | 0xD0..=0xD8 => place += 2,
            // Between scans: tables, the next scan, comments. Others are damage, whose length means nothing.
            0xC4 | 0xDA..=0xDD | 0xE0..=0xEF | 0xFE => {
                place += 2 + segment(bytes, place)?;
                in_scan |= marker == 0xDA;
            }
            _ if in_scan => place += 2,
            _ => place += 2 + segment(bytes, place)?,
        }
    }
}

/// The length of the segment whose marker is at `place`, without the marker.
fn segment(bytes: &[u8], place: usize) -> Option<usize> {
    let length = bytes.get(place + 2..place + 4)?;
    Some(usize::from(u16::from_be_bytes([length[0], length[1]])).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A soft gradient, which JPEG keeps within a few steps, as a JPEG.
    fn gradient(width: u16, height: u16, colour: jpeg_encoder::ColorType) -> Vec<u8> {
        let channels = match colour {
            jpeg_encoder::ColorType::Luma => 1,
            jpeg_encoder::ColorType::Cmyk => 4,
            _ => 3,
        };
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                for c in 0..channels {
                    pixels.push((40 + x * 2 + y + c * 20) as u8);
                }
            }
        }
        let mut out = Vec::new();
        jpeg_encoder::Encoder::new(&mut out, 95).encode(&pixels, width, height, colour).unwrap();
        out
    }

    #[test]
    fn colour_and_grey_come_back_as_they_were() {
        let picture =
            decode_jpeg(&gradient(33, 17, jpeg_encoder::ColorType::Rgb), JpegLimits::default()).unwrap();
        assert_eq!(picture.size(), (33, 17));
        for (i, pixel) in picture.rgb().iter().enumerate() {
            for (c, &value) in pixel.iter().enumerate() {
                let wanted = 40 + (i % 33) as i32 * 2 + (i / 33) as i32 + c as i32 * 20;
                assert!((i32::from(value) - wanted).abs() <= 6, "{value} {wanted}");
            }
        }
        let grey =
            decode_jpeg(&gradient(9, 9, jpeg_encoder::ColorType::Luma), JpegLimits::default()).unwrap();
        assert!(grey.rgb().iter().all(|[r, g, b]| r == g && g == b));
    }

    #[test]
    fn left_out_huffman_tables_are_the_standard_ones() {
        let whole = gradient(33, 17, jpeg_encoder::ColorType::Rgb);
        // Segments from marker to marker; those with tables (0xC4) are taken out.
        let (mut place, mut without) = (2, whole[..2].to_vec());
        while whole[place + 1] != 0xDA {
            let end = place + 2 + usize::from(u16::from_be_bytes([whole[place + 2], whole[place + 3]]));
            if whole[place + 1] != 0xC4 {
                without.extend(&whole[place..end]);
            }
            place = end;
        }
        without.extend(&whole[place..]);
        assert!(without.len() + 300 < whole.len());
        let limits = JpegLimits::default();
        assert_eq!(decode_jpeg(&without, limits).unwrap(), decode_jpeg(&whole, limits).unwrap());
    }

    #[test]
    fn larger_than_the_limit_is_refused() {
        let bytes = gradient(33, 17, jpeg_encoder::ColorType::Rgb);
        assert!(decode_jpeg(&bytes, JpegLimits { width: 32, height: 17 }).is_err());
        assert!(decode_jpeg(&bytes, JpegLimits { width: 33, height: 16 }).is_err());
        assert!(decode_jpeg(&bytes, JpegLimits { width: 33, height: 17 }).is_ok());
    }

    #[test]
    fn a_missing_end_is_noticed() {
        let whole = gradient(64, 64, jpeg_encoder::ColorType::Rgb);
        assert!(!is_cut_off(&whole));
        assert!(is_cut_off(&whole[..whole.len() - 100]));
        assert!(!is_cut_off(b""));
        for cut in [whole.len() - 1, whole.len() - 2, whole.len() / 2] {
            assert!(is_cut_off(&whole[..cut]), "{cut}");
        }
    }

    #[test]
    fn what_stands_behind_the_end_or_within_a_segment_is_not_the_end() {
        let whole = gradient(64, 64, jpeg_encoder::ColorType::Rgb);
        for behind in [&b"\0\0\0\x18ftypmp42 \xFF\xDA\0\x08 film"[..], &whole[..40], &whole, b"\xFF"] {
            let longer = [&whole, behind].concat();
            assert_eq!((length(&longer), is_cut_off(&longer)), (Some(whole.len()), false));
        }
        // A small picture within a segment has an end of its own; the large one is cut off.
        let small = gradient(8, 8, jpeg_encoder::ColorType::Luma);
        let head = [&[0xFF, 0xD8, 0xFF, 0xE1][..], &(small.len() as u16 + 2).to_be_bytes(), &small].concat();
        let nested = [&head, &whole[2..]].concat();
        assert_eq!(length(&nested), Some(nested.len()));
        assert!(is_cut_off(&nested[..nested.len() - 2]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_bytes_end_the_program(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode_jpeg(&bytes, JpegLimits { width: 512, height: 512 });
            let _ = is_cut_off(&bytes);
            let _ = length(&[&[0xFF, 0xD8], bytes.as_slice()].concat());
        }

        #[test]
        fn no_damage_ends_the_program(
            colour in 0..3_usize,
            hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            cut in any::<prop::sample::Index>(),
            cuts in any::<bool>(),
        ) {
            use jpeg_encoder::ColorType::{Cmyk, Luma, Rgb};
            let mut bytes = gradient(37, 29, [Rgb, Luma, Cmyk][colour]);
            for (place, value) in hits {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = decode_jpeg(&bytes, JpegLimits { width: 512, height: 512 });
        }
    }
}
