//! Pictures as video: annotated video in the way that the name's ending asks for (Motion-JPEG AVI by ourselves, everything
//! else through `ffmpeg`), and short clips.
//!
//! | file | what it is for |
//! |---|---|
//! | `pictures` | the sink of every kind of video |
//! | `avi` | Motion-JPEG AVI, by ourselves |
//! | `ffmpeg` | a child process that encodes, fed with `matroska` |
//! | `sound` | which sound tracks of a file go into a video |
//! | `gif` | clips |

mod avi;
mod ffmpeg;
mod gif;
mod matroska;
mod pictures;
mod sound;

use std::path::{Path, PathBuf};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::partial::{ending, is_special, unknown_ending};
use super::{End, SinkError};
use crate::frame::{Picture, Raster};

use avi::AviWriter;
use ffmpeg::{FfmpegWriter, is_for_ffmpeg};

pub use ffmpeg::ffmpeg_available;
pub(super) use pictures::{clip_sink, video_sink};

/// The endings of videos that need no other program, for messages and help.
pub(super) const OWN_ENDINGS: &str = ".avi (Motion JPEG, needs nothing)";
/// The endings of all others.
pub(super) const FFMPEG_ENDINGS: &str = "and with ffmpeg .mp4, .mkv, .mov, .webm";

/// The rate of an AVI where the source tells none, in frames a second.
const DEFAULT_RATE: f64 = 30.0;

/// What can be set about a video.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSettings {
    /// Nominal frames a second, where known. An AVI has this rate (30 where `None`), frames repeated or left out to keep
    /// time; in every other kind each frame has its own time and this is a hint.
    pub rate: Option<f64>,
    /// A file whose sound belongs to the frames, written from its beginning to its end: each track copied, encoded anew where
    /// the container does not take it, or left out and told where neither works. An AVI stays silent.
    pub sound: Option<PathBuf>,
    /// From 1 (small) to 100 (nearly without loss).
    pub quality: u8,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self { rate: None, sound: None, quality: 88 }
    }
}

/// Makes a file of pictures of one size.
trait Encoder: std::fmt::Debug + Send {
    /// The output as the user named it, for messages.
    fn name(&self) -> String;

    /// Takes a picture (`bgra`: four bytes a pixel, blue, green, red, anything; `size` in pixels as the first one had it) for
    /// this time in seconds, which does not go back.
    fn write(&mut self, bgra: &[u8], size: (usize, usize), time: f64) -> Result<(), SinkError>;

    /// Ends the file as a sink is asked to. Dropped without this, the file plays up to its last picture under its partial
    /// name.
    fn end(self: Box<Self>, end: End) -> Result<(), SinkError>;
}

/// Writes pictures to a video file, each at its time.
#[derive(Debug)]
pub struct VideoWriter {
    encoder: Box<dyn Encoder>,
    /// `(width, height)` of the first picture, which the video has.
    size: Option<(usize, usize)>,
    /// The source time of the last frame in seconds.
    last: f64,
    /// The bytes of a picture: blue, green, red, 0.
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
        let rate = settings.rate.filter(|rate| (1e-6..=1e6).contains(rate));
        let quality = settings.quality.clamp(1, 100);
        let encoder: Box<dyn Encoder> = if is_for_ffmpeg(path) {
            Box::new(FfmpegWriter::create(path, rate, quality, settings.sound.clone())?)
        } else if ending(path) == "avi" || is_special(path) {
            if settings.sound.is_some() {
                log::info!("{}: an AVI is written without sound; .mp4 and .mkv have sound", path.display());
            }
            Box::new(AviWriter::create(path, rate.unwrap_or(DEFAULT_RATE), quality)?)
        } else {
            return Err(unknown_ending(path, format!("{OWN_ENDINGS}, {FFMPEG_ENDINGS}")));
        };
        Ok(Self { encoder, size: None, last: 0.0, bgra: Vec::new() })
    }

    /// Writes a picture for this source time in seconds, which should not go back. The first picture gives the video its
    /// size, and its time 0 unless sound begins before it; one of another size is scaled into it, its aspect kept.
    ///
    /// # Errors
    /// [`SinkError::Write`], [`SinkError::Encoder`] with what the encoder said, [`SinkError::Picture`] for a size
    /// that the format cannot hold.
    pub fn write<'a>(&mut self, picture: impl Into<Raster<'a>>, time: f64) -> Result<(), SinkError> {
        let picture = picture.into();
        let found = (picture.width(), picture.height());
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
        to_bgra(picture, &mut self.bgra);
        if found != size {
            let fitted = fitted(&self.bgra, found, size);
            self.bgra = fitted.map_err(|why| SinkError::Picture { path: self.name(), why })?;
        }
        self.encoder.write(&self.bgra, size, self.last)
    }

    /// The output as the user named it, for messages.
    pub fn name(&self) -> String {
        self.encoder.name()
    }

    /// Completes the video and gives it its name. Dropped without this it stays `NAME.partial.EXT`, and plays up to its
    /// last frame. A video without a frame is an empty file.
    ///
    /// # Errors
    /// As [`VideoWriter::write`].
    pub fn finish(self) -> Result<(), SinkError> {
        self.encoder.end(End::Complete)
    }
}

/// The bytes of a picture: blue, green, red, 0.
fn to_bgra(picture: Raster<'_>, bgra: &mut Vec<u8>) {
    bgra.resize(picture.pixels().len() * 4, 0);
    for (bytes, pixel) in bgra.as_chunks_mut::<4>().0.iter_mut().zip(picture.pixels()) {
        *bytes = pixel.to_le_bytes();
    }
}

/// Scales a picture of four bytes a pixel into another size, its aspect kept, black beside it.
fn fitted(bgra: &[u8], from: (usize, usize), to: (usize, usize)) -> Result<Vec<u8>, String> {
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
