//! Annotated video, written in the way that the name's ending asks for: Motion-JPEG AVI by ourselves, everything else
//! through `ffmpeg`.

use std::path::{Path, PathBuf};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::SinkError;
use super::avi::AviWriter;
use super::ffmpeg::{FfmpegWriter, is_for_ffmpeg};
use super::partial::{ending, is_special, unknown_ending};
use crate::frame::Picture;
use crate::view::Canvas;

/// The endings of videos, for messages and help.
pub const VIDEO_ENDINGS: &str = ".avi (Motion JPEG, needs nothing), and with ffmpeg .mp4, .mkv, .mov, .webm";

/// Says so where no video can have this name.
///
/// # Errors
/// [`SinkError::Ending`].
pub fn check_video_name(path: &Path) -> Result<(), SinkError> {
    let known = is_for_ffmpeg(path) || ending(path) == "avi" || is_special(path);
    if known { Ok(()) } else { Err(unknown_ending(path, VIDEO_ENDINGS)) }
}

/// The rate of an AVI where the source tells none, in frames a second.
const DEFAULT_RATE: f64 = 30.0;

/// What can be set about a video.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSettings {
    /// Nominal frames a second, where known. An AVI has this rate (30 where `None`), frames repeated or left out to keep
    /// time; in every other kind each frame has its own time and this is a hint.
    pub rate: Option<f64>,
    /// A file whose sound belongs to the frames, written from its beginning to its end: copied, or encoded anew where the
    /// container does not take it. An AVI stays silent.
    pub sound: Option<PathBuf>,
    /// From 1 (small) to 100 (nearly without loss).
    pub quality: u8,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self { rate: None, sound: None, quality: 88 }
    }
}

/// Who writes.
#[derive(Debug)]
enum Writer {
    Avi(Box<AviWriter>),
    Ffmpeg(Box<FfmpegWriter>),
}

/// Writes canvases to a video file, each at its time.
#[derive(Debug)]
pub struct VideoWriter {
    writer: Writer,
    /// `(width, height)` of the first canvas, which the video has.
    size: Option<(usize, usize)>,
    /// The source time of the last frame in seconds.
    last: f64,
    /// The bytes of a canvas: blue, green, red, 0.
    bgra: Vec<u8>,
}

impl VideoWriter {
    /// Opens a video: `.avi`, or where `ffmpeg` is installed `.mp4`, `.mkv`, `.mov`, `.webm`. A device without an ending
    /// gets an AVI.
    ///
    /// # Errors
    /// [`SinkError::Ending`] for other endings, [`SinkError::Missing`] without `ffmpeg`, [`SinkError::Place`] where
    /// the file cannot be.
    pub fn create(path: &Path, settings: &VideoSettings) -> Result<Self, SinkError> {
        let rate = settings.rate.filter(|rate| (0.01..=1000.0).contains(rate));
        let quality = settings.quality.clamp(1, 100);
        let writer = if is_for_ffmpeg(path) {
            Writer::Ffmpeg(Box::new(FfmpegWriter::create(path, rate, quality, settings.sound.clone())?))
        } else if ending(path) == "avi" || is_special(path) {
            if settings.sound.is_some() {
                log::info!("{}: an AVI is written without sound; .mp4 and .mkv take it", path.display());
            }
            Writer::Avi(Box::new(AviWriter::create(path, rate.unwrap_or(DEFAULT_RATE), quality)?))
        } else {
            return Err(unknown_ending(path, VIDEO_ENDINGS));
        };
        Ok(Self { writer, size: None, last: 0.0, bgra: Vec::new() })
    }

    /// Writes a canvas for this source time in seconds, which should not go back. The first canvas gives the video its
    /// size and its time 0; one of another size is scaled into it, its aspect kept.
    ///
    /// # Errors
    /// [`SinkError::Write`], [`SinkError::Encoder`] with what the encoder said, [`SinkError::Picture`] for a size
    /// that the format cannot hold.
    pub fn write(&mut self, canvas: &Canvas, time: f64) -> Result<(), SinkError> {
        let found = (canvas.width(), canvas.height());
        let size = match self.size {
            Some(size) => size,
            None => {
                let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
                Picture::bytes(side(found.0), side(found.1))
                    .map_err(|error| SinkError::Picture { path: self.name(), why: error.to_string() })?;
                self.last = if time.is_finite() { time } else { 0.0 };
                found
            }
        };
        self.size = Some(size);
        if time.is_finite() {
            self.last = self.last.max(time);
        }
        to_bgra(canvas, &mut self.bgra);
        if found != size {
            let fitted = fitted(&self.bgra, found, size);
            self.bgra = fitted.map_err(|why| SinkError::Picture { path: self.name(), why })?;
        }
        match &mut self.writer {
            Writer::Avi(writer) => writer.write(&self.bgra, size, self.last),
            Writer::Ffmpeg(writer) => writer.write(&self.bgra, size, self.last),
        }
    }

    /// The output as the user named it, for messages.
    pub fn name(&self) -> String {
        match &self.writer {
            Writer::Avi(writer) => writer.name().to_owned(),
            Writer::Ffmpeg(writer) => writer.name(),
        }
    }

    /// Completes the video and gives it its name. Dropped without this it stays `NAME.partial.EXT`, and plays up to its
    /// last frame. A video without a frame is an empty file.
    ///
    /// # Errors
    /// As [`VideoWriter::write`].
    pub fn finish(self) -> Result<(), SinkError> {
        match self.writer {
            Writer::Avi(writer) => writer.finish(),
            Writer::Ffmpeg(writer) => writer.finish(),
        }
    }
}

/// The bytes of a canvas: blue, green, red, 0.
pub(super) fn to_bgra(canvas: &Canvas, bgra: &mut Vec<u8>) {
    bgra.resize(canvas.pixels().len() * 4, 0);
    for (bytes, pixel) in bgra.as_chunks_mut::<4>().0.iter_mut().zip(canvas.pixels()) {
        *bytes = pixel.to_le_bytes();
    }
}

/// Scales a picture of four bytes a pixel into another size, its aspect kept, black beside it.
pub(super) fn fitted(bgra: &[u8], from: (usize, usize), to: (usize, usize)) -> Result<Vec<u8>, String> {
    let scale = (to.0 as f64 / from.0 as f64).min(to.1 as f64 / from.1 as f64);
    let inner = |from: usize, to: usize| ((from as f64 * scale).round() as usize).clamp(1, to);
    let (width, height) = (inner(from.0, to.0), inner(from.1, to.1));
    let source = ImageRef::new(from.0 as u32, from.1 as u32, bgra, PixelType::U8x4)
        .map_err(|error| error.to_string())?;
    let mut scaled = Image::new(width as u32, height as u32, PixelType::U8x4);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(fast_image_resize::FilterType::Bilinear))
        .use_alpha(false);
    Resizer::new().resize(&source, &mut scaled, &options).map_err(|error| error.to_string())?;
    let mut whole = vec![0; to.0 * to.1 * 4];
    let (left, top) = ((to.0 - width) / 2, (to.1 - height) / 2);
    for (row, line) in scaled.buffer().chunks_exact(width * 4).enumerate() {
        let start = ((top + row) * to.0 + left) * 4;
        whole[start..start + width * 4].copy_from_slice(line);
    }
    Ok(whole)
}
