//! The sink of every kind of video: opens the writer when the run begins, and hands it the pictures.

use std::path::{Path, PathBuf};

use super::super::{End, Needs, Pictures, RunInfo, Sink, SinkError, SinkOptions, SinkPicture};
use super::gif::GifWriter;
use super::{VideoSettings, VideoWriter};
use crate::frame::Raster;

/// Writes pictures, each at its time.
trait PictureWriter: Send {
    fn write(&mut self, picture: Raster<'_>, time: f64) -> Result<(), SinkError>;

    fn end(self, end: End) -> Result<(), SinkError>;
}

impl PictureWriter for VideoWriter {
    fn write(&mut self, picture: Raster<'_>, time: f64) -> Result<(), SinkError> {
        VideoWriter::write(self, picture, time)
    }

    fn end(self, end: End) -> Result<(), SinkError> {
        self.encoder.end(end)
    }
}

impl PictureWriter for GifWriter {
    fn write(&mut self, picture: Raster<'_>, time: f64) -> Result<(), SinkError> {
        GifWriter::write(self, picture, time)
    }

    fn end(self, end: End) -> Result<(), SinkError> {
        GifWriter::end(self, end)
    }
}

/// A video, by its ending: `.avi`, or through `ffmpeg` `.mp4`, `.mkv`, `.mov`, `.webm`.
pub(in crate::sink) fn video_sink(path: &Path, options: &SinkOptions) -> Box<dyn Sink> {
    PictureSink::boxed(path, options, |path, options, run| {
        let settings = VideoSettings { rate: run.rate, sound: run.sound.clone(), quality: options.quality };
        VideoWriter::create(path, &settings)
    })
}

/// A short clip, `.gif`.
pub(in crate::sink) fn clip_sink(path: &Path, options: &SinkOptions) -> Box<dyn Sink> {
    PictureSink::boxed(path, options, |path, _, _| GifWriter::create(path))
}

type Open<W> = fn(&Path, &SinkOptions, &RunInfo) -> Result<W, SinkError>;

struct PictureSink<W> {
    path: PathBuf,
    name: String,
    options: SinkOptions,
    open: Open<W>,
    /// From the begin on.
    writer: Option<W>,
}

impl<W: PictureWriter + 'static> PictureSink<W> {
    fn boxed(path: &Path, options: &SinkOptions, open: Open<W>) -> Box<dyn Sink> {
        let name = path.display().to_string();
        Box::new(Self { path: path.to_owned(), name, options: options.clone(), open, writer: None })
    }
}

impl<W: PictureWriter> Sink for PictureSink<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        match self.options.pictures {
            Pictures::Clean => Needs::CLEAN_PICTURES,
            Pictures::Drawn | Pictures::Nothing => Needs::DRAWN_PICTURES,
        }
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        self.writer = Some((self.open)(&self.path, &self.options, run)?);
        Ok(())
    }

    fn picture(&mut self, picture: &SinkPicture<'_>) -> Result<(), SinkError> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write(picture.pixels, picture.time))
    }

    fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
        self.writer.map_or(Ok(()), |writer| writer.end(end))
    }
}
