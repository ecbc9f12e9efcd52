//! One image file to one picture: the format found by its content, 8- and 16-bit, grey, alpha, CMYK and the EXIF
//! orientation brought to upright 8-bit RGB. Where several pictures are in a file is told by [`pages`](super::pages);
//! sequences of images are the business of [`images`](super::images).

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::SourceError;
use super::jpeg::is_cut_off;
use crate::frame::{MAX_SIDE, Picture};

/// What shows through transparent pixels: the grey with which the network's input is padded, so that transparency
/// looks like nothing at all to it. Black would swallow dark drawings, white light ones.
const BEHIND_ALPHA: u8 = 114;

/// Memory that decoding one image may take, in bytes.
const DECODE_MEMORY: u64 = 1 << 30;

/// The largest image file that is read, in bytes.
const FILE_SIZE: u64 = 1 << 30;

/// Greys of 65535 that a picture must have to be spread over the whole range.
const FEWEST_GREYS: usize = 128;

/// The formats that are read, for messages.
const FORMATS: &str = "JPEG, PNG, BMP, GIF, PNM, QOI, TGA, TIFF and WebP";

/// Reads an image file as an upright RGB picture. 16-bit samples are scaled to 8, grey is spread over three channels,
/// transparent pixels are laid over a mid-grey (114), CMYK is converted, the EXIF orientation is applied; of an
/// animation the first picture is taken.
///
/// # Errors
/// [`SourceError::Open`] where the file cannot be opened; [`SourceError::Read`] where it is no image, is damaged, or
/// is larger than [`MAX_SIDE`] and [`MAX_AREA`](crate::frame::MAX_AREA) allow.
pub fn read_picture(path: &Path) -> Result<Picture, SourceError> {
    let what = path.display().to_string();
    let bytes = load(path).map_err(|e| SourceError::Open { what: what.clone(), why: e })?;
    let format = sniff(&bytes).or_else(|| format_by_name(path));
    if format == Some(ImageFormat::Jpeg) && is_cut_off(&bytes) {
        log::warn!("{what}: the JPEG's end is missing; the lower part of the picture may be grey");
    }
    decode(&bytes, format).map_err(|why| SourceError::Read { what, why })
}

/// The size of an image file as [`read_picture`] would give it, from its header alone.
pub(super) fn picture_size(path: &Path) -> Option<(u32, u32)> {
    let format = format_of(path)?;
    let mut reader = ImageReader::new(BufReader::new(File::open(path).ok()?));
    reader.set_format(format);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let turned = decoder.orientation().is_ok_and(|o| o.to_exif() >= 5);
    Some(if turned { (height, width) } else { (width, height) })
}

/// The image format of a file: by its first bytes, or by its name where the format has no mark (TGA). `None`: the file
/// is no image that is read here, or cannot be opened.
pub(super) fn format_of(path: &Path) -> Option<ImageFormat> {
    let mut head = Vec::with_capacity(64);
    File::open(path).ok()?.take(64).read_to_end(&mut head).ok()?;
    if head.is_empty() {
        return None;
    }
    sniff(&head).or_else(|| format_by_name(path))
}

/// Whether a file's name says that it is an image of a kind that is read here.
pub(super) fn named_as_picture(path: &Path) -> bool {
    ImageFormat::from_path(path).is_ok_and(|f| f.reading_enabled())
}

fn sniff(bytes: &[u8]) -> Option<ImageFormat> {
    // BigTIFF, whose mark is another one.
    if bytes.starts_with(b"II\x2B\0\x08\0\0\0") || bytes.starts_with(b"MM\0\x2B\0\x08\0\0") {
        return Some(ImageFormat::Tiff);
    }
    image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled)
}

/// TGA files carry no mark at their beginning: only the name tells.
fn format_by_name(path: &Path) -> Option<ImageFormat> {
    ImageFormat::from_path(path).ok().filter(|f| *f == ImageFormat::Tga)
}

fn load(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let about = file.metadata().map_err(|e| e.to_string())?;
    if about.is_dir() {
        return Err("it is a folder, not an image file".to_owned());
    }
    if about.len() > FILE_SIZE {
        return Err(format!("the file has {} bytes; images of up to {FILE_SIZE} are read", about.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default());
    file.take(FILE_SIZE).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}

fn decode(bytes: &[u8], format: Option<ImageFormat>) -> Result<Picture, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    decode_from(std::io::Cursor::new(bytes), format)
}

/// Decodes the picture that `bytes` begin with.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn decode_from(
    bytes: impl BufRead + Seek,
    format: Option<ImageFormat>,
) -> Result<Picture, String> {
    let format = format.ok_or_else(|| format!("this is not an image that can be read ({FORMATS} can)"))?;
    let mut reader = ImageReader::new(bytes);
    reader.set_format(format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|e| e.to_string())?;
    let (width, height) = decoder.dimensions();
    // Before a pixel is decoded: a header is cheap to forge.
    Picture::bytes(width, height).map_err(|e| e.to_string())?;
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| e.to_string())?;
    picture.apply_orientation(orientation);
    if let DynamicImage::ImageLuma16(grey) = &mut picture {
        stretch(grey);
    }
    let (width, height) = (picture.width(), picture.height());
    let pixels = if picture.color().has_alpha() {
        over_grey(&picture.into_rgba8().into_raw())
    } else {
        picture.into_rgb8().into_raw()
    };
    Picture::new(width, height, pixels).map_err(|e| e.to_string())
}

/// What decoding one picture may take.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(DECODE_MEMORY);
    limits
}

/// Spreads the greys of a picture over the whole range where they fill less than a quarter of it, as those of thermal cameras
/// (14 bits in 16) do, which would be black or all of one grey else. The darkest and brightest two thousandths become black and
/// white. A picture of fewer greys than [`FEWEST_GREYS`] is noise, and stays as it is.
fn stretch(grey: &mut image::ImageBuffer<image::Luma<u16>, Vec<u16>>) {
    let mut counts = vec![0_u32; 1 << 16];
    for value in grey.iter() {
        counts[usize::from(*value)] += 1;
    }
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let outside = total / 500;
    let (mut low, mut high, mut passed) = (0, counts.len() - 1, 0);
    while low < high && passed + u64::from(counts[low]) <= outside {
        passed += u64::from(counts[low]);
        low += 1;
    }
    passed = 0;
    while high > low && passed + u64::from(counts[high]) <= outside {
        passed += u64::from(counts[high]);
        high -= 1;
    }
    let range = high.saturating_sub(low);
    if !(FEWEST_GREYS..1 << 14).contains(&range) {
        return;
    }
    log::debug!("greys from {low} to {high} of 65535 are spread over the whole range");
    for value in grey.iter_mut() {
        let above = usize::from(*value).clamp(low, high) - low;
        *value = ((above * 65_535 + range / 2) / range) as u16;
    }
}

/// Lays RGBA pixels over [`BEHIND_ALPHA`], rounding to the nearest step.
pub(super) fn over_grey(rgba: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for [r, g, b, a] in rgba.as_chunks::<4>().0 {
        let over = |value: u8| {
            let (value, alpha) = (u32::from(value), u32::from(*a));
            ((value * alpha + u32::from(BEHIND_ALPHA) * (255 - alpha) + 127) / 255) as u8
        };
        rgb.extend([over(*r), over(*g), over(*b)]);
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.into().write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn decoded(bytes: &[u8]) -> Picture {
        decode(bytes, sniff(bytes)).unwrap()
    }

    #[test]
    fn sixteen_bits_grey_and_alpha_become_rgb() {
        let deep = ImageBuffer::from_pixel(3, 2, Rgb([0_u16, 0x8080, 0xFFFF]));
        assert_eq!(decoded(&encoded(deep, ImageFormat::Png)).rgb(), [[0, 128, 255]; 6]);
        let grey = ImageBuffer::from_pixel(2, 2, Luma([0x4040_u16]));
        assert_eq!(decoded(&encoded(grey, ImageFormat::Png)).rgb(), [[64; 3]; 4]);
        let clear = ImageBuffer::from_pixel(1, 1, Rgba([255_u8, 0, 0, 0]));
        assert_eq!(decoded(&encoded(clear, ImageFormat::Png)).rgb(), [[114; 3]]);
        let half = ImageBuffer::from_pixel(1, 1, LumaA([255_u8, 51]));
        assert_eq!(decoded(&encoded(half, ImageFormat::Png)).rgb(), [[142; 3]]);
        let solid = ImageBuffer::from_pixel(1, 1, Rgba([1_u16 << 8, 0, 0xFFFF, 0xFFFF]));
        assert_eq!(decoded(&encoded(solid, ImageFormat::Png)).rgb(), [[1, 0, 255]]);
    }

    #[test]
    fn few_greys_of_sixteen_bits_are_spread_over_the_range() {
        let deep = |low: u16, step: u16| {
            ImageBuffer::from_fn(32, 32, |x, y| Luma([low + (y * 32 + x) as u16 * step]))
        };
        // 14 bits of a thermal camera, of which a scene uses a few hundred.
        let picture = decoded(&encoded(deep(7300, 1), ImageFormat::Png));
        let greys: Vec<u8> = picture.rgb().iter().map(|rgb| rgb[0]).collect();
        assert!(greys.is_sorted() && greys[0] == 0 && greys[1023] == 255 && greys[512].abs_diff(128) <= 1);
        // What uses its range, and what is one grey with a little noise, stay.
        let wide = decoded(&encoded(deep(100, 40), ImageFormat::Png));
        assert_eq!((wide.rgb()[0][0], wide.rgb()[1023][0]), (0, 160));
        let noise = ImageBuffer::from_fn(32, 32, |x, _| Luma([20_000 + x as u16]));
        assert!(decoded(&encoded(noise, ImageFormat::Png)).rgb().iter().all(|rgb| rgb[0] == 78));
    }

    #[test]
    fn every_format_keeps_its_pixels() {
        let source = ImageBuffer::from_fn(13, 5, |x, y| Rgb([(x * 19) as u8, (y * 50) as u8, 7]));
        for format in
            [ImageFormat::Bmp, ImageFormat::Png, ImageFormat::Pnm, ImageFormat::Qoi, ImageFormat::Tiff]
        {
            let picture = decoded(&encoded(source.clone(), format));
            assert_eq!(picture.size(), (13, 5), "{format:?}");
            assert_eq!(picture.pixels(), source.as_raw(), "{format:?}");
        }
        let tga = encoded(source.clone(), ImageFormat::Tga);
        assert_eq!(decode(&tga, format_by_name(Path::new("a.tga"))).unwrap().pixels(), source.as_raw());
    }

    #[test]
    fn extreme_shapes_are_read() {
        let dot = ImageBuffer::from_pixel(1, 1, Rgb([9_u8, 8, 7]));
        assert_eq!(decoded(&encoded(dot, ImageFormat::Png)).rgb(), [[9, 8, 7]]);
        let strip = ImageBuffer::from_fn(10_000, 50, |x, _| Luma([(x % 256) as u8]));
        let picture = decoded(&encoded(strip, ImageFormat::Png));
        assert_eq!(picture.size(), (10_000, 50));
        assert_eq!(picture.rgb()[9_999], [(9_999 % 256) as u8; 3]);
    }

    /// A JPEG of 16 × 8 with a red left half and a blue right half, and an EXIF orientation.
    fn oriented(orientation: u8) -> Vec<u8> {
        let mut pixels = Vec::new();
        for _ in 0..8 {
            pixels.extend([255, 0, 0].repeat(8));
            pixels.extend([0, 0, 255].repeat(8));
        }
        let mut tiff = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let mut out = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut out, 100);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
        encoder.add_app_segment(1, tiff).unwrap();
        encoder.encode(&pixels, 16, 8, jpeg_encoder::ColorType::Rgb).unwrap();
        out
    }

    #[test]
    fn the_exif_orientation_is_applied() {
        // Per orientation: the size, and whether red is at the top left.
        let wanted = [
            (1, (16, 8), true),
            (2, (16, 8), false),
            (3, (16, 8), false),
            (4, (16, 8), true),
            (5, (8, 16), true),
            (6, (8, 16), true),
            (7, (8, 16), false),
            (8, (8, 16), false),
        ];
        for (orientation, size, red_first) in wanted {
            let picture = decoded(&oriented(orientation));
            assert_eq!(picture.size(), size, "orientation {orientation}");
            let [r, _, b] = picture.rgb()[0];
            assert_eq!(r > b, red_first, "orientation {orientation}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turned.jpg");
        std::fs::write(&path, oriented(6)).unwrap();
        assert_eq!(picture_size(&path), Some((8, 16)));
    }

    #[test]
    fn cmyk_is_converted() {
        // Stored inverted, as Adobe's and nearly all other writers do: ink 0 is 255.
        for (stored, rgb) in [
            ([255_u8, 255, 255, 255], [255_u8, 255, 255]),
            ([255, 0, 0, 255], [255, 0, 0]),
            ([128, 255, 64, 128], [64, 128, 32]),
            ([255, 255, 255, 0], [0, 0, 0]),
        ] {
            let mut inks = stored.repeat(16 * 16);
            // jpeg-encoder writes an Adobe marker and inverts: it takes inks.
            inks.iter_mut().for_each(|v| *v = 255 - *v);
            let mut bytes = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 100);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
            encoder.encode(&inks, 16, 16, jpeg_encoder::ColorType::Cmyk).unwrap();
            let picture = decoded(&bytes);
            for (got, want) in picture.rgb()[100].iter().zip(rgb) {
                assert!(got.abs_diff(want) <= 2, "{stored:?}: {:?} for {rgb:?}", picture.rgb()[100]);
            }
        }
    }

    #[test]
    fn forged_sizes_take_no_memory() {
        let mut png = encoded(ImageBuffer::from_pixel(1, 1, Luma([0_u8])), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0x7F, 0xFF, 0, 0, 0x7F, 0xFF]);
        let crc = {
            // The header's check sum has to hold for the size to be believed.
            let mut crc = u32::MAX;
            for byte in &png[12..29] {
                crc ^= u32::from(*byte);
                for _ in 0..8 {
                    crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
                }
            }
            !crc
        };
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decode(&png, sniff(&png)).unwrap_err();
        assert!(error.contains("32767"), "{error}");
    }

    #[test]
    fn what_is_no_image_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.jpg");
        std::fs::write(&path, "only words").unwrap();
        assert!(read_picture(&path).unwrap_err().to_string().contains("not an image"));
        std::fs::write(&path, "").unwrap();
        assert!(read_picture(&path).unwrap_err().to_string().contains("empty"));
        assert!(matches!(read_picture(&folder.path().join("none.png")), Err(SourceError::Open { .. })));
        assert!(read_picture(folder.path()).unwrap_err().to_string().contains("folder"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_damage_ends_the_program(
            format in 0..7_usize,
            hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            use ImageFormat::{Bmp, Gif, Pnm, Png, Qoi, Tga, Tiff};
            let format = [Bmp, Png, Pnm, Qoi, Tiff, Gif, Tga][format];
            let source = ImageBuffer::from_fn(9, 7, |x, y| Rgba([(x * 19) as u8, (y * 30) as u8, 7, 200]));
            let picture = match format {
                Pnm => DynamicImage::from(source).into_rgb8().into(),
                _ => DynamicImage::from(source),
            };
            let mut bytes = encoded(picture, format);
            for (place, value) in hits {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            bytes.truncate(cut.index(bytes.len() * 2));
            let _ = decode(&bytes, Some(format));
        }
    }
}
