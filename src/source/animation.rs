//! Animated pictures (GIF, PNG, WebP) as recordings: every picture as viewers show it, for as long as they show it, without any
//! other program. What lies under clear pixels is the same grey as in stills.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, bounded};
use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, Frames, ImageDecoder, ImageFormat};

use super::picture_file::{format_of, limits, over_grey};
use super::{Source, SourceError, SourceInfo, SourceKind};
use crate::frame::{Frame, Picture};

/// A picture that is to be shown for no longer than this many seconds is shown for [`SLOW`], as in all browsers.
const TOO_SHORT: f64 = 0.0105;
const SLOW: f64 = 0.1;
/// The most pictures whose times are kept.
const MOST: usize = 1_000_000;

/// Pictures as they are decoded, or why there are no more.
type Pictures = Receiver<Result<Picture, String>>;

/// Whether a file is a moving picture of a kind that is read here.
pub(super) fn is_animation(path: &Path) -> bool {
    delays(path, 2).is_some_and(|delays| delays.len() > 1)
}

/// The pictures of an animation.
pub struct AnimationSource {
    info: SourceInfo,
    path: PathBuf,
    /// When each picture is shown, in seconds.
    times: Vec<f64>,
    pictures: Pictures,
    /// The number of the next picture.
    next: usize,
    ended: bool,
}

impl AnimationSource {
    /// Opens the file.
    ///
    /// # Errors
    /// [`SourceError::Open`] where it cannot be opened, [`SourceError::Read`] where it is no animation that can be read.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let what = path.display().to_string();
        let read = |why: &str| SourceError::Read { what: what.clone(), why: why.to_owned() };
        let delays = delays(path, MOST).ok_or_else(|| read("this is no animation that can be read"))?;
        let (pictures, size) = begin(path).map_err(|why| read(&why))?;
        let mut times = vec![0.0];
        let mut end = 0.0;
        for delay in &delays {
            end += delay;
            times.push(end);
        }
        times.pop();
        let info = SourceInfo {
            name: super::file_name(path),
            kind: SourceKind::Recording,
            size: Some(size),
            rate: (end > 0.0).then(|| delays.len() as f64 / end),
            frames: Some(delays.len() as u64),
            duration: Some(end),
            sound: None,
        };
        Ok(Self { info, path: path.to_owned(), times, pictures, next: 0, ended: false })
    }
}

impl Source for AnimationSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        let what = || self.path.display().to_string();
        let picture = match self.pictures.recv() {
            Ok(Ok(picture)) => picture,
            Ok(Err(why)) if self.next == 0 => {
                self.ended = true;
                return Err(SourceError::Read { what: what(), why });
            }
            broken => {
                self.ended = true;
                let (got, promised) = (self.next as u64, self.times.len() as u64);
                if got >= promised {
                    return Ok(None);
                }
                let detail =
                    broken.ok().and_then(Result::err).map_or_else(String::new, |why| format!("; {why}"));
                return Err(SourceError::Short { what: what(), got, promised, detail });
            }
        };
        let place = self.next;
        self.next += 1;
        let time = self.times.get(place).or(self.times.last()).copied().unwrap_or_default();
        Ok(Some(Frame {
            picture: Arc::new(picture),
            sequence: place as u64,
            time,
            captured: Instant::now(),
            file: None,
        }))
    }

    /// Each picture is drawn over the one before it: what lies behind is read on to, everything else from the beginning.
    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        let behind = !self.ended && self.times.get(self.next).is_some_and(|next| *next <= time);
        if !behind {
            let read = |why: String| SourceError::Read { what: self.path.display().to_string(), why };
            (self.pictures, _) = begin(&self.path).map_err(read)?;
            (self.next, self.ended) = (0, false);
        }
        Ok(true)
    }
}

/// How many pictures are decoded ahead.
const AHEAD: usize = 2;

/// The pictures from the first on, and their size. They are decoded on a thread of their own, which ends when nobody takes them:
/// the decoders cannot change threads.
fn begin(path: &Path) -> Result<(Pictures, (u32, u32)), String> {
    let (sizes_out, sizes) = bounded(1);
    let (pictures_out, pictures) = bounded(AHEAD);
    let path = path.to_owned();
    let run = move || {
        let frames = match decoder(&path) {
            Ok((frames, size)) => {
                let _ = sizes_out.send(Ok(size));
                frames
            }
            Err(why) => {
                let _ = sizes_out.send(Err(why));
                return;
            }
        };
        for frame in frames {
            let picture = frame.map_err(|error| error.to_string()).and_then(|frame| {
                let rgba = frame.into_buffer();
                let (width, height) = rgba.dimensions();
                Picture::new(width, height, over_grey(rgba.as_raw())).map_err(|error| error.to_string())
            });
            let failed = picture.is_err();
            if pictures_out.send(picture).is_err() || failed {
                return;
            }
        }
    };
    std::thread::Builder::new().name("animation".to_owned()).spawn(run).map_err(|error| error.to_string())?;
    let size = sizes.recv().map_err(|_| "its decoder failed".to_owned())??;
    Ok((pictures, size))
}

/// The decoder of a file, and the size of its pictures.
fn decoder(path: &Path) -> Result<(Frames<'static>, (u32, u32)), String> {
    let words = |error: image::ImageError| error.to_string();
    let file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let (frames, (width, height)) = match format_of(path) {
        Some(ImageFormat::Gif) => {
            let mut decoder = GifDecoder::new(file).map_err(words)?;
            decoder.set_limits(limits()).map_err(words)?;
            let size = decoder.dimensions();
            check(size)?;
            (decoder.into_frames(), size)
        }
        Some(ImageFormat::Png) => {
            let decoder = PngDecoder::with_limits(file, limits()).map_err(words)?;
            let size = decoder.dimensions();
            check(size)?;
            (decoder.apng().map_err(words)?.into_frames(), size)
        }
        Some(ImageFormat::WebP) => {
            let mut decoder = WebPDecoder::new(file).map_err(words)?;
            decoder.set_limits(limits()).map_err(words)?;
            let size = decoder.dimensions();
            check(size)?;
            (decoder.into_frames(), size)
        }
        _ => return Err("this is no animation that can be read".to_owned()),
    };
    Ok((frames, (width, height)))
}

/// Before a pixel is decoded: a header is cheap to forge.
fn check((width, height): (u32, u32)) -> Result<(), String> {
    Picture::bytes(width, height).map(drop).map_err(|error| error.to_string())
}

/// For how long each picture is shown, in seconds, for `most` of them; `None` where the file is no animation.
fn delays(path: &Path, most: usize) -> Option<Vec<f64>> {
    delays_in(format_of(path)?, BufReader::new(File::open(path).ok()?), most)
}

/// The same of a file that is open; also the entry point of tests with damaged ones.
pub(super) fn delays_in(format: ImageFormat, mut file: impl Read + Seek, most: usize) -> Option<Vec<f64>> {
    let delays = match format {
        ImageFormat::Gif => gif_delays(file, most),
        ImageFormat::Png => {
            file.seek(SeekFrom::Start(8)).ok()?;
            png_delays(&mut file, most)
        }
        ImageFormat::WebP => {
            file.seek(SeekFrom::Start(12)).ok()?;
            webp_delays(&mut file, most)
        }
        _ => return None,
    };
    let shown = |delay: f64| if delay <= TOO_SHORT { SLOW } else { delay };
    (!delays.is_empty()).then(|| delays.into_iter().map(shown).collect())
}

fn gif_delays(file: impl Read, most: usize) -> Vec<f64> {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    let Ok(mut decoder) = options.read_info(file) else { return Vec::new() };
    let mut delays = Vec::new();
    while delays.len() < most
        && let Ok(Some(frame)) = decoder.next_frame_info()
    {
        delays.push(f64::from(frame.delay) / 100.0);
    }
    delays
}

/// The delays in the chunks `fcTL`, one for each picture; none where no chunk `acTL` says that it is an animation.
fn png_delays(file: &mut (impl Read + Seek), most: usize) -> Vec<f64> {
    let (mut delays, mut moves) = (Vec::new(), false);
    while delays.len() < most {
        let mut head = [0; 8];
        if file.read_exact(&mut head).is_err() {
            break;
        }
        let [a, b, c, d, kind @ ..] = head;
        let mut length = i64::from(u32::from_be_bytes([a, b, c, d]));
        match &kind {
            b"acTL" => moves = true,
            // Only a file that says so before its first pixels is an animation.
            b"IDAT" if !moves => break,
            b"IEND" => break,
            b"fcTL" => {
                let mut control = [0; 26];
                if length < 26 || file.read_exact(&mut control).is_err() {
                    break;
                }
                length -= 26;
                let number = |at: usize| f64::from(u16::from_be_bytes([control[at], control[at + 1]]));
                let whole = if number(22) == 0.0 { 100.0 } else { number(22) };
                delays.push(number(20) / whole);
            }
            _ => {}
        }
        // Behind a chunk stands its check sum.
        if file.seek(SeekFrom::Current(length + 4)).is_err() {
            break;
        }
    }
    if moves { delays } else { Vec::new() }
}

/// The delays in the chunks `ANMF`, one for each picture.
fn webp_delays(file: &mut (impl Read + Seek), most: usize) -> Vec<f64> {
    let mut delays = Vec::new();
    while delays.len() < most {
        let mut head = [0; 8];
        if file.read_exact(&mut head).is_err() {
            break;
        }
        let [kind @ .., a, b, c, d] = head;
        let mut length = i64::from(u32::from_le_bytes([a, b, c, d]));
        length += length % 2;
        if &kind == b"ANMF" {
            let mut place = [0; 16];
            if length < 16 || file.read_exact(&mut place).is_err() {
                break;
            }
            length -= 16;
            delays.push(f64::from(u32::from_le_bytes([place[12], place[13], place[14], 0])) / 1000.0);
        }
        if file.seek(SeekFrom::Current(length)).is_err() {
            break;
        }
    }
    delays
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{Delay, Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;

    fn gif(path: &Path, greys: &[(u8, u32)]) {
        let mut encoder = image::codecs::gif::GifEncoder::new(File::create(path).unwrap());
        for &(grey, milliseconds) in greys {
            let picture =
                RgbaImage::from_pixel(4, 3, Rgba([grey, grey, grey, if grey == 0 { 0 } else { 255 }]));
            let delay = Delay::from_numer_denom_ms(milliseconds, 1);
            encoder.encode_frame(image::Frame::from_parts(picture, 0, 0, delay)).unwrap();
        }
    }

    fn values(source: &mut AnimationSource) -> Vec<(u64, f64, u8)> {
        let mut all = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            all.push((frame.sequence, (frame.time * 1000.0).round() / 1000.0, frame.picture.rgb()[0][0]));
        }
        all
    }

    #[test]
    fn each_picture_has_its_time_and_what_is_clear_is_grey() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        gif(&path, &[(10, 40), (20, 0), (0, 200), (30, 10)]);
        let mut source = AnimationSource::open(&path).unwrap();
        let info = source.info().clone();
        assert_eq!((info.frames, info.size), (Some(4), Some((4, 3))));
        assert!((info.duration.unwrap() - 0.44).abs() < 1e-9);
        let seen = values(&mut source);
        let times: Vec<f64> = seen.iter().map(|(_, time, _)| *time).collect();
        assert_eq!(times, [0.0, 0.04, 0.14, 0.34]);
        assert_eq!((seen[0].2, seen[1].2), (10, 20));
        assert!(source.seek(0.2).unwrap());
        assert_eq!(values(&mut source), seen);
        assert!(is_animation(&path));
        gif(&path, &[(10, 40)]);
        assert!(!is_animation(&path));
    }

    #[test]
    fn a_first_picture_that_is_clear_shows_grey() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        gif(&path, &[(0, 40), (20, 40)]);
        assert_eq!(values(&mut AnimationSource::open(&path).unwrap())[0].2, 114);
    }

    #[test]
    fn one_that_is_cut_off_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        gif(&path, &[(10, 40), (20, 40), (30, 40)]);
        let mut source = AnimationSource::open(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
        let outcome = std::iter::from_fn(|| source.next_frame().transpose()).collect::<Result<Vec<_>, _>>();
        // What was opened whole is buffered; opened anew it is short.
        drop(outcome);
        if let Ok(mut source) = AnimationSource::open(&path) {
            let outcome =
                std::iter::from_fn(|| source.next_frame().transpose()).collect::<Result<Vec<_>, _>>();
            assert!(outcome.is_err() || source.info().frames < Some(3));
        }
    }

    #[test]
    fn chunks_tell_how_long_a_picture_is_shown() {
        let chunk =
            |kind: &[u8], data: &[u8]| [&(data.len() as u32).to_be_bytes(), kind, data, &[0; 4]].concat();
        let control = |numerator: u8, denominator: u8| {
            let mut data = [0; 26];
            (data[21], data[23]) = (numerator, denominator);
            chunk(b"fcTL", &data)
        };
        let png = [chunk(b"acTL", &[0; 8]), control(1, 10), chunk(b"IDAT", b"x"), control(3, 0)].concat();
        assert_eq!(png_delays(&mut Cursor::new(png), MOST), [0.1, 0.03]);
        let still = [chunk(b"IDAT", b"x"), chunk(b"acTL", &[0; 8]), control(1, 10)].concat();
        assert!(png_delays(&mut Cursor::new(still), MOST).is_empty());
        let part = |kind: &[u8], data: &[u8]| [kind, &(data.len() as u32).to_le_bytes(), data].concat();
        let mut shown = [0; 17];
        shown[12] = 250;
        let webp = [part(b"VP8X", &[0; 10]), part(b"ANMF", &shown), vec![0], part(b"ANMF", &shown)].concat();
        assert_eq!(webp_delays(&mut Cursor::new(webp), MOST), [0.25, 0.25]);
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_program(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            png_delays(&mut Cursor::new(&bytes), MOST);
            webp_delays(&mut Cursor::new(&bytes), MOST);
            gif_delays(&[&b"GIF89a"[..], &bytes].concat()[..], MOST);
        }
    }
}
