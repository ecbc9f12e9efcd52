//! A short clip as an animated GIF: small, slow and bounded, for a page or a message. Through `ffmpeg`, which finds one
//! palette for the whole clip; without it each picture gets its own, which is as good and larger.

use std::path::Path;

use super::super::{End, PartialFile, SinkError};
use super::ffmpeg::{FfmpegWriter, ffmpeg_available};
use super::{Encoder, fitted, to_bgra};
use crate::frame::{Picture, Raster};

/// The longer side is scaled down to this many pixels.
const MOST_SIDE: usize = 480;
/// Pictures a second, at the most.
const RATE: f64 = 10.0;
/// A clip is no longer than this, in seconds: what comes later is left out.
const MOST_SECONDS: f64 = 20.0;
/// How coarsely a palette is looked for: from 1, the best, to 30.
const COARSENESS: i32 = 10;

/// Writes pictures to an animated GIF, each at its time.
#[derive(Debug)]
pub(super) struct GifWriter {
    encoder: Box<dyn Encoder>,
    /// `(width, height)` of the clip, from the first picture on.
    size: Option<(usize, usize)>,
    /// The source time of the first picture in seconds.
    origin: f64,
    /// Which tenth of a second the last picture was written for.
    slot: Option<u64>,
    full: bool,
    /// The bytes of a picture: blue, green, red, 0.
    bgra: Vec<u8>,
}

impl GifWriter {
    /// Opens a clip.
    ///
    /// # Errors
    /// [`SinkError::Place`] where the file cannot be.
    pub(super) fn create(path: &Path) -> Result<Self, SinkError> {
        Self::create_with(path, ffmpeg_available())
    }

    fn create_with(path: &Path, ffmpeg: bool) -> Result<Self, SinkError> {
        let encoder: Box<dyn Encoder> = match ffmpeg {
            true => Box::new(FfmpegWriter::create_gif(path, RATE)?),
            false => Box::new(OwnGif::create(path)?),
        };
        Ok(Self { encoder, size: None, origin: 0.0, slot: None, full: false, bgra: Vec::new() })
    }

    /// Writes a picture for this time in seconds, which should not go back; left out where it comes too soon after the
    /// last one, or after the longest time that a clip has.
    ///
    /// # Errors
    /// As [`super::VideoWriter::write`].
    pub(super) fn write(&mut self, picture: Raster<'_>, time: f64) -> Result<(), SinkError> {
        if self.full || !time.is_finite() {
            return Ok(());
        }
        let found = (picture.width(), picture.height());
        let size = match self.size {
            Some(size) => size,
            None => {
                self.origin = time;
                self.fit(found)?
            }
        };
        // A hair more, so that a frame of a tenth of a second falls into its own tenth.
        let slot = ((time - self.origin) * RATE + 1e-6).max(0.0) as u64;
        if self.slot.is_some_and(|last| slot <= last) {
            return Ok(());
        }
        let at = slot as f64 / RATE;
        if at >= MOST_SECONDS {
            self.full = true;
            log::warn!(
                "{}: a clip ends after {MOST_SECONDS} seconds; the rest is left out (--start and --end choose another part)",
                self.encoder.name()
            );
            return Ok(());
        }
        self.slot = Some(slot);
        to_bgra(picture, &mut self.bgra);
        if found != size {
            let scaled = fitted(&self.bgra, found, size);
            self.bgra = scaled.map_err(|why| SinkError::Picture { path: self.encoder.name(), why })?;
        }
        self.encoder.write(&self.bgra, size, at)
    }

    /// Ends the clip as a sink is asked to.
    ///
    /// # Errors
    /// As [`GifWriter::write`].
    pub(super) fn end(self, end: End) -> Result<(), SinkError> {
        self.encoder.end(end)
    }

    /// The size of the clip, from that of its first picture.
    fn fit(&mut self, (width, height): (usize, usize)) -> Result<(usize, usize), SinkError> {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        Picture::bytes(side(width), side(height))
            .map_err(|error| SinkError::Picture { path: self.encoder.name(), why: error.to_string() })?;
        let scale = (MOST_SIDE as f64 / width.max(height) as f64).min(1.0);
        let scaled = |side: usize| ((side as f64 * scale / 2.0).round() as usize * 2).max(1);
        let size = if scale < 1.0 { (scaled(width), scaled(height)) } else { (width, height) };
        self.size = Some(size);
        Ok(size)
    }
}

/// A GIF with a palette for each picture.
struct OwnGif {
    file: PartialFile,
    /// From the first picture on; what it has written is taken out of its buffer at once.
    encoder: Option<gif::Encoder<Vec<u8>>>,
    /// The picture that waits for the next one to know how long it stays.
    waiting: Option<(gif::Frame<'static>, u64)>,
}

impl std::fmt::Debug for OwnGif {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnGif").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Encoder for OwnGif {
    fn name(&self) -> String {
        self.file.name().to_owned()
    }

    fn write(&mut self, bgra: &[u8], (width, height): (usize, usize), time: f64) -> Result<(), SinkError> {
        let slot = (time * RATE).round() as u64;
        // No side is longer than MOST_SIDE.
        let (width, height) = (width as u16, height as u16);
        let rgb: Vec<u8> = bgra.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b]).collect();
        if self.encoder.is_none() {
            let encoder = gif::Encoder::new(Vec::new(), width, height, &[]).and_then(|mut encoder| {
                encoder.set_repeat(gif::Repeat::Infinite)?;
                Ok(encoder)
            });
            self.encoder = Some(encoder.map_err(|error| self.refuse(&error))?);
        }
        self.put_waiting(slot)?;
        self.waiting = Some((gif::Frame::from_rgb_speed(width, height, &rgb, COARSENESS), slot));
        Ok(())
    }

    fn end(self: Box<Self>, end: End) -> Result<(), SinkError> {
        if end == End::Complete { self.finish() } else { self.file.end(end) }
    }
}

impl OwnGif {
    fn create(path: &Path) -> Result<Self, SinkError> {
        Ok(Self { file: PartialFile::create(path)?, encoder: None, waiting: None })
    }

    /// Writes the picture that waits, to stay until `slot`.
    fn put_waiting(&mut self, slot: u64) -> Result<(), SinkError> {
        let Some((mut frame, since)) = self.waiting.take() else { return Ok(()) };
        let hundredths = (slot - since) as f64 * 100.0 / RATE;
        frame.delay = hundredths.round() as u16;
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let outcome = encoder.write_frame(&frame);
        let bytes = std::mem::take(encoder.get_mut());
        outcome.map_err(|error| self.refuse(&error))?;
        self.file.append(&bytes)
    }

    fn finish(mut self) -> Result<(), SinkError> {
        let last = self.waiting.as_ref().map_or(0, |(_, slot)| slot + 1);
        self.put_waiting(last)?;
        if let Some(encoder) = self.encoder.take() {
            let rest = encoder.into_inner();
            let rest = rest.map_err(|error| self.refuse(&error))?;
            self.file.append(&rest)?;
        }
        self.file.finish()
    }

    fn refuse(&self, error: &gif::EncodingError) -> SinkError {
        SinkError::Picture { path: self.file.name().to_owned(), why: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Canvas;
    use image::AnimationDecoder;
    use std::fs;

    /// How long a picture stays in milliseconds, and one of its pixels.
    type Shown = (u32, [u8; 3]);

    /// The pictures of a GIF, and their size.
    fn read(path: &Path) -> (Vec<Shown>, (u32, u32)) {
        let bytes = fs::read(path).unwrap();
        let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        let size = frames[0].buffer().dimensions();
        let told = frames.iter().map(|frame| {
            let (numerator, denominator) = frame.delay().numer_denom_ms();
            let [r, g, b, _] = frame.buffer().get_pixel(3, 3).0;
            (numerator / denominator, [r, g, b])
        });
        (told.collect(), size)
    }

    fn grey(width: usize, height: usize, value: u32) -> Canvas {
        let mut canvas = Canvas::new(width, height);
        canvas.clear(value << 16 | value << 8 | value);
        canvas
    }

    #[test]
    fn a_clip_is_small_slow_and_bounded_with_and_without_ffmpeg() {
        let folder = tempfile::tempdir().unwrap();
        for ffmpeg in [false, true] {
            if ffmpeg && !ffmpeg_available() {
                crate::sink::missing("ffmpeg");
                continue;
            }
            let path = folder.path().join(format!("{ffmpeg}.gif"));
            let mut writer = GifWriter::create_with(&path, ffmpeg).unwrap();
            // 25 a second, with a standstill, and on beyond what a clip may last.
            for frame in 0..600u32 {
                let pause = if frame >= 50 { 1.0 } else { 0.0 };
                writer
                    .write((&grey(960, 540, frame * 20 % 256)).into(), 7.0 + pause + f64::from(frame) / 25.0)
                    .unwrap();
            }
            assert!(!path.exists());
            writer.end(End::Complete).unwrap();
            let (frames, size) = read(&path);
            assert_eq!(size, (480, 270), "ffmpeg: {ffmpeg}");
            let (shown, total) = (frames.len(), frames.iter().map(|(ms, _)| *ms).sum::<u32>());
            assert!((180..=200).contains(&shown) && (19_900..=20_100).contains(&total), "{shown}, {total}");
            assert!(frames.iter().all(|(ms, _)| *ms >= 100), "{frames:?}");
            // The standstill is there.
            assert!(frames.iter().any(|(ms, _)| (1000..=1200).contains(ms)), "{frames:?}");
            // The third tenth is that of frame 5, which begins at 0.2 s.
            let [r, g, b] = frames[2].1;
            assert!(r.abs_diff(100) < 8 && r.abs_diff(g) < 8 && r.abs_diff(b) < 8, "{:?}", frames[2]);
        }
    }

    #[test]
    fn odd_and_small_sizes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let mut writer = GifWriter::create_with(&path, false).unwrap();
        for time in [0.0, f64::NAN, 0.05, -3.0] {
            writer.write((&grey(5, 7, 200)).into(), time).unwrap();
        }
        writer.end(End::Complete).unwrap();
        let (frames, size) = read(&path);
        assert_eq!((frames.len(), size), (1, (5, 7)));
        // Tall: the height is what is bounded.
        let mut writer = GifWriter::create_with(&path, false).unwrap();
        writer.write((&grey(300, 1000, 0)).into(), 0.0).unwrap();
        writer.end(End::Complete).unwrap();
        assert_eq!(read(&path).1, (144, 480));
    }
}
