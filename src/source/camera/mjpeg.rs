//! One frame of a Motion-JPEG camera: where it ends in the driver's buffer, and its pixels.

use std::borrow::Cow;

use super::layout::Damage;
use crate::frame::Picture;
use crate::source::jpeg::{JpegLimits, decode_jpeg};

/// An APP0 segment that marks the file as a Motion-JPEG frame, which makes the decoder assume the standard's own
/// Huffman tables.
const MOTION_JPEG_MARK: &[u8] = b"\xFF\xE0\x00\x07AVI1\0";

/// Decodes the JPEG at the start of `buffer`; what follows it is ignored. `agreed` is the size, in pixels, that the
/// camera promised: a frame of another size is taken as it is, but not one of more than twice the width or height,
/// whose header is rather damaged.
pub(super) fn decode(buffer: &[u8], agreed: (u32, u32)) -> Result<Picture, Damage> {
    let limits = JpegLimits { width: agreed.0.saturating_mul(2), height: agreed.1.saturating_mul(2) };
    decode_jpeg(&complete(cut(buffer)?), limits).map_err(Damage::Jpeg)
}

/// The JPEG at the start of the buffer, up to and with its end-of-image marker. Drivers hand out their whole buffer:
/// behind the marker lie remains of older frames.
fn cut(buffer: &[u8]) -> Result<&[u8], Damage> {
    if !buffer.starts_with(&[0xFF, 0xD8]) {
        return Err(Damage::NoStart);
    }
    // Where the segments are not as they should be, the last end marker of all still allows the decoder to try.
    let end = end_by_segments(buffer)
        .or_else(|| buffer.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).map(|at| at + 2));
    end.and_then(|end| buffer.get(..end)).ok_or(Damage::NoEnd)
}

/// Walks the segments from the start-of-image marker on; the position behind the end-of-image marker that belongs to
/// it. A thumbnail inside a segment has an end marker of its own, which is not found by this.
fn end_by_segments(buffer: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        if *buffer.get(at)? != 0xFF {
            return None;
        }
        match *buffer.get(at + 1)? {
            0xFF => at += 1,
            0xD9 => return Some(at + 2),
            0x00 | 0xD8 => return None,
            0x01 | 0xD0..=0xD7 => at += 2,
            marker => {
                let length = u16::from_be_bytes([*buffer.get(at + 2)?, *buffer.get(at + 3)?]);
                at += 2 + usize::from(length);
                if marker == 0xDA {
                    at += entropy_coded_length(buffer.get(at..)?)?;
                }
            }
        }
    }
}

/// How long the entropy-coded bytes are: up to the first marker that is neither a stuffed zero nor a restart.
fn entropy_coded_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF))
}

/// Marks a JPEG without Huffman tables, as many cameras send it, so that the decoder takes the standard ones.
fn complete(jpeg: &[u8]) -> Cow<'_, [u8]> {
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = jpeg.get(at..at + 4) {
        match marker {
            0xC4 => return Cow::Borrowed(jpeg),
            0xDA => {
                let mut marked = Vec::with_capacity(jpeg.len() + MOTION_JPEG_MARK.len());
                marked.extend_from_slice(&[0xFF, 0xD8]);
                marked.extend_from_slice(MOTION_JPEG_MARK);
                marked.extend_from_slice(jpeg.get(2..).unwrap_or_default());
                return Cow::Owned(marked);
            }
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    Cow::Borrowed(jpeg)
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder};
    use proptest::prelude::*;

    use super::*;

    /// A picture of four flat colours, 64×48, and its JPEG.
    fn sample() -> (Picture, Vec<u8>) {
        let mut picture = Picture::filled(64, 48, [0; 3]).unwrap();
        for (i, pixel) in picture.rgb_mut().iter_mut().enumerate() {
            let (right, low) = (i % 64 >= 32, i / 64 >= 24);
            *pixel = match (right, low) {
                (false, false) => [200, 30, 40],
                (true, false) => [20, 180, 60],
                (false, true) => [30, 50, 220],
                (true, true) => [240, 240, 240],
            };
        }
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 95);
        encoder.set_optimized_huffman_tables(false);
        encoder.encode(picture.pixels(), 64, 48, ColorType::Rgb).unwrap();
        (picture, jpeg)
    }

    fn assert_close(found: &Picture, expected: &Picture) {
        assert_eq!(found.size(), expected.size());
        // In the middle of each colour, away from the edges that the compression blurs.
        for (x, y) in [(16, 12), (48, 12), (16, 36), (48, 36)] {
            let at = y * 64 + x;
            for (f, e) in found.rgb()[at].iter().zip(expected.rgb()[at]) {
                assert!(
                    f.abs_diff(e) <= 4,
                    "at {x}, {y}: {:?} is not {:?}",
                    found.rgb()[at],
                    expected.rgb()[at]
                );
            }
        }
    }

    /// The JPEG without its Huffman tables.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let (mut out, mut at) = (vec![0xFF, 0xD8], 2);
        while jpeg[at + 1] != 0xDA {
            let next = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if jpeg[at + 1] != 0xC4 {
                out.extend_from_slice(&jpeg[at..next]);
            }
            at = next;
        }
        out.extend_from_slice(&jpeg[at..]);
        out
    }

    #[test]
    fn what_follows_the_end_of_the_image_is_ignored() {
        let (picture, jpeg) = sample();
        let mut buffer = jpeg.clone();
        buffer.extend_from_slice(&[0xFF, 0xD9, 1, 2, 3, 0xFF, 0xD9]);
        assert_eq!(cut(&buffer).unwrap(), jpeg);
        assert_close(&decode(&buffer, (64, 48)).unwrap(), &picture);
    }

    #[test]
    fn an_end_marker_inside_a_segment_is_not_the_end() {
        let (picture, jpeg) = sample();
        let mut buffer = vec![0xFF, 0xD8, 0xFF, 0xE5, 0, 6, 0xFF, 0xD9, 0xFF, 0xD9];
        buffer.extend_from_slice(&jpeg[2..]);
        assert_eq!(cut(&buffer).unwrap().len(), buffer.len());
        assert_close(&decode(&buffer, (64, 48)).unwrap(), &picture);
    }

    #[test]
    fn a_frame_without_huffman_tables_is_decoded_with_the_standard_ones() {
        let (picture, jpeg) = sample();
        let bare = without_tables(&jpeg);
        assert!(bare.len() + 300 < jpeg.len(), "the tables are gone");
        assert_close(&decode(&bare, (64, 48)).unwrap(), &picture);
    }

    #[test]
    fn a_frame_that_is_no_whole_jpeg_is_damage() {
        let (_, jpeg) = sample();
        assert!(matches!(decode(&[], (64, 48)), Err(Damage::NoStart)));
        assert!(matches!(decode(&[0; 4096], (64, 48)), Err(Damage::NoStart)));
        assert!(matches!(decode(&jpeg[..jpeg.len() / 2], (64, 48)), Err(Damage::NoEnd)));
        assert!(matches!(decode(&[0xFF, 0xD8, 0xFF, 0xD9], (64, 48)), Err(Damage::Jpeg(_))));
    }

    #[test]
    fn another_size_is_followed_but_not_a_monstrous_one() {
        let (_, jpeg) = sample();
        assert_eq!(decode(&jpeg, (32, 24)).unwrap().size(), (64, 48));
        assert!(matches!(decode(&jpeg, (31, 24)), Err(Damage::Jpeg(_))));
        assert!(matches!(decode(&jpeg, (32, 23)), Err(Damage::Jpeg(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), start in any::<bool>()) {
            if start && bytes.len() >= 2 {
                bytes[..2].copy_from_slice(&[0xFF, 0xD8]);
            }
            let _ = decode(&bytes, (64, 48));
        }

        #[test]
        fn no_damage_to_a_jpeg_panics(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..12), keep in 0.0..1.2f64) {
            let (_, mut jpeg) = sample();
            for (at, value) in changes {
                let at = at % jpeg.len();
                jpeg[at] = value;
            }
            jpeg.truncate((jpeg.len() as f64 * keep) as usize);
            if let Ok(picture) = decode(&jpeg, (64, 48)) {
                prop_assert!(picture.pixels().len() <= 64 * 48 * 4 * 3);
            }
        }
    }
}
