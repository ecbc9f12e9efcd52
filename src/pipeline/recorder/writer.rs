//! The recorder thread: draws and writes what leaves the program, beside everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;

use super::outputs::{Outputs, Shared, VideoState};
use crate::frame::Frame;
use crate::labels::Labels;
use crate::scene::Scene;
use crate::sink::{
    FrameFacts, GifWriter, RecordSettings, SinkError, TrackFileInfo, TrackWriter, VideoSettings, VideoWriter,
    free_video_name, partial_name, raw_name, write_png,
};
use crate::source::SourceInfo;
use crate::view::{Canvas, Mapping, OverlaySettings, SceneView, Text, draw_scene};

/// What the thread does, in the order in which it is told to.
#[derive(Debug)]
pub(super) enum Job {
    /// Write a picture with its scene, at this time of the video in seconds.
    Picture { frame: Frame, scene: Scene, time: f64 },
    /// Begin a video, under this name or the first free one; so many pictures had been left out before.
    Begin { path: Option<PathBuf>, skipped: u64 },
    /// End it; so many have been left out by now.
    End { skipped: u64 },
    /// From now on draw so.
    Look { labels: Arc<Labels>, overlay: Box<OverlaySettings> },
}

/// A video that is being written, perhaps with the undrawn picture beside it.
struct Film {
    drawn: VideoWriter,
    raw: Option<VideoWriter>,
    /// Asked for before the run: what goes wrong with it ends the run, and it is complete when the run is.
    asked: bool,
    /// The time of its first picture in seconds.
    origin: Option<f64>,
}

impl Film {
    /// Opens the files; those that were opened before another could not be are taken back.
    fn open(
        path: &Path,
        raw: Option<&Path>,
        settings: &VideoSettings,
        asked: bool,
    ) -> Result<Self, SinkError> {
        let drawn = VideoWriter::create(path, settings)?;
        match raw.map(|raw| VideoWriter::create(raw, settings)).transpose() {
            Ok(raw) => Ok(Self { drawn, raw, asked, origin: None }),
            Err(error) => {
                drop(drawn);
                take_back(path);
                Err(error)
            }
        }
    }

    fn finish(self) -> Result<(), SinkError> {
        self.drawn.finish()?;
        self.raw.map_or(Ok(()), VideoWriter::finish)
    }
}

/// What the thread works with.
pub(super) struct Writer {
    shared: Arc<Shared>,
    tracks: Vec<TrackWriter>,
    film: Option<Film>,
    gif: Option<GifWriter>,
    snapshot: Option<PathBuf>,
    /// The frame with the most tracks so far.
    fullest: Option<(Frame, Scene)>,
    canvas: Canvas,
    text: Text,
    labels: Arc<Labels>,
    overlay: OverlaySettings,
    settings: RecordSettings,
    /// Nominal frames a second of the source, where known.
    rate: Option<f64>,
}

impl Writer {
    /// Opens all outputs.
    ///
    /// # Errors
    /// [`SinkError`] where one cannot be opened. Nothing is left behind then.
    pub(super) fn open(
        outputs: &Outputs,
        info: &SourceInfo,
        (labels, overlay, settings): (&Arc<Labels>, &OverlaySettings, &RecordSettings),
        shared: Arc<Shared>,
    ) -> Result<Self, SinkError> {
        let mut writer = Self {
            shared,
            tracks: Vec::new(),
            film: None,
            gif: None,
            snapshot: outputs.snapshot.clone(),
            fullest: None,
            canvas: Canvas::new(1, 1),
            text: Text::new(),
            labels: Arc::clone(labels),
            overlay: overlay.clone(),
            settings: settings.clone(),
            rate: info.rate,
        };
        let mut opened = Vec::new();
        match writer.open_all(outputs, info, &mut opened) {
            Ok(()) => Ok(writer),
            Err(error) => {
                drop(writer);
                opened.into_iter().for_each(take_back);
                Err(error)
            }
        }
    }

    fn open_all<'a>(
        &mut self,
        outputs: &'a Outputs,
        info: &SourceInfo,
        opened: &mut Vec<&'a Path>,
    ) -> Result<(), SinkError> {
        let track_info = TrackFileInfo { source: info.name.clone(), labels: Arc::clone(&self.labels) };
        for path in &outputs.tracks {
            self.tracks.push(TrackWriter::open(path, track_info.clone())?);
            opened.push(path);
        }
        if let Some(path) = &outputs.gif {
            self.gif = Some(GifWriter::create(path)?);
            opened.push(path);
        }
        if let Some(path) = &outputs.video {
            let settings = VideoSettings { sound: info.sound.clone(), ..self.video_settings() };
            self.film = Some(Film::open(path, outputs.raw.as_deref(), &settings, true)?);
            self.roll(path, 0);
        }
        Ok(())
    }

    fn video_settings(&self) -> VideoSettings {
        let quality = u8::try_from(self.settings.quality).unwrap_or(u8::MAX);
        VideoSettings { rate: self.rate, sound: None, quality }
    }

    /// Says that a video has begun.
    fn roll(&self, path: &Path, skipped: u64) {
        let state = VideoState { path: path.to_owned(), seconds: 0.0, frames: 0, skipped };
        *self.shared.video() = Some(state);
        self.shared.filming.store(true, Ordering::SeqCst);
    }

    /// Writes what comes on either queue until both are closed, and ends all files.
    ///
    /// # Errors
    /// The first [`SinkError`] that is not of a video begun while running.
    pub(super) fn run(
        mut self,
        scenes: &Receiver<(Scene, FrameFacts)>,
        jobs: &Receiver<Job>,
    ) -> Result<(), SinkError> {
        let (mut scenes_open, mut jobs_open) = (true, true);
        let (no_scenes, no_jobs) = (crossbeam_channel::never(), crossbeam_channel::never());
        while scenes_open || jobs_open {
            crossbeam_channel::select! {
                recv(if scenes_open { scenes } else { &no_scenes }) -> job => match job {
                    Ok((scene, facts)) => self.tracks(&scene, facts)?,
                    Err(_) => scenes_open = false,
                },
                recv(if jobs_open { jobs } else { &no_jobs }) -> job => match job {
                    Ok(Job::Picture { frame, scene, time }) => self.picture(frame, scene, time)?,
                    Ok(Job::Begin { path, skipped }) => self.begin(path, skipped),
                    Ok(Job::End { skipped }) => self.end_film(skipped)?,
                    Ok(Job::Look { labels, overlay }) => (self.labels, self.overlay) = (labels, *overlay),
                    Err(_) => jobs_open = false,
                },
            }
        }
        self.end()
    }

    fn tracks(&mut self, scene: &Scene, facts: FrameFacts) -> Result<(), SinkError> {
        self.tracks.iter_mut().try_for_each(|file| file.write(scene, facts))
    }

    fn picture(&mut self, frame: Frame, scene: Scene, time: f64) -> Result<(), SinkError> {
        if self.film.is_some() || self.gif.is_some() {
            self.canvas.copy_from(&frame.picture);
            let raw = self.film.as_mut().and_then(|film| film.raw.as_mut());
            let raw = raw.map_or(Ok(()), |raw| raw.write(&self.canvas, time));
            self.draw(&frame, &scene);
            if let Some(gif) = &mut self.gif {
                gif.write(&self.canvas, time)?;
            }
            let drawn = self.film.as_mut().map_or(Ok(()), |film| film.drawn.write(&self.canvas, time));
            self.shot(time, raw.and(drawn))?;
        }
        let seen = |scene: &Scene| scene.seen().count();
        if self.snapshot.is_some() && self.fullest.as_ref().is_none_or(|(_, most)| seen(&scene) > seen(most))
        {
            self.fullest = Some((frame, scene));
        }
        Ok(())
    }

    /// Counts a picture of the video, or ends it where it could not be written.
    fn shot(&mut self, time: f64, written: Result<(), SinkError>) -> Result<(), SinkError> {
        let Some(film) = &mut self.film else { return Ok(()) };
        let Err(error) = written else {
            let origin = *film.origin.get_or_insert(time);
            if let Some(video) = self.shared.video().as_mut() {
                video.frames += 1;
                video.seconds = video.seconds.max(time - origin);
            }
            return Ok(());
        };
        if film.asked {
            return Err(error);
        }
        self.cut();
        self.shared.tell(error.to_string());
        Ok(())
    }

    /// Lets go of the video; its files keep their partial names where they are not finished.
    fn cut(&mut self) -> Option<Film> {
        self.shared.filming.store(false, Ordering::SeqCst);
        *self.shared.video() = None;
        self.film.take()
    }

    /// The picture on the canvas gets its scene, pixel for pixel of the source.
    fn draw(&mut self, frame: &Frame, scene: &Scene) {
        let view = SceneView {
            scene,
            time: frame.time,
            labels: &self.labels,
            settings: &self.overlay,
            selected: None,
        };
        draw_scene(&mut self.canvas, &mut self.text, &Mapping::identity(), &view);
    }

    fn begin(&mut self, path: Option<PathBuf>, skipped: u64) {
        if self.film.is_some() {
            return;
        }
        let open = || {
            let path = path.map_or_else(|| free_video_name(Path::new("")), Ok)?;
            let raw = self.settings.raw.then(|| raw_name(&path));
            Film::open(&path, raw.as_deref(), &self.video_settings(), false).map(|film| (path, film))
        };
        match open() {
            Ok((path, film)) => {
                self.film = Some(film);
                self.roll(&path, skipped);
            }
            Err(error) => {
                self.cut();
                self.shared.tell(error.to_string());
            }
        }
    }

    fn end_film(&mut self, skipped: u64) -> Result<(), SinkError> {
        let state = self.shared.video().clone();
        // A video that was begun again in the meantime is rolled anew when its turn comes.
        let begun_again = self.shared.filming.load(Ordering::SeqCst);
        let Some(film) = self.cut() else { return Ok(()) };
        self.shared.filming.store(begun_again, Ordering::SeqCst);
        let asked = film.asked;
        match film.finish() {
            Ok(()) => {
                if let Some(VideoState { path, seconds, skipped: before, .. }) = state {
                    let skipped = skipped.saturating_sub(before);
                    let left_out =
                        if skipped > 0 { format!(", {skipped} frames left out") } else { String::new() };
                    self.shared.tell(format!("saved {} ({seconds:.1} s{left_out})", path.display()));
                }
                Ok(())
            }
            Err(error) if asked => Err(error),
            Err(error) => {
                self.shared.tell(error.to_string());
                Ok(())
            }
        }
    }

    fn end(mut self) -> Result<(), SinkError> {
        let complete = self.shared.complete.load(Ordering::SeqCst);
        let fullest = self.fullest.take();
        if let (true, Some((frame, scene)), Some(path)) = (complete, &fullest, self.snapshot.take()) {
            self.canvas.copy_from(&frame.picture);
            self.draw(frame, scene);
            write_png(&self.canvas, &path)?;
        }
        // Dropped unfinished, files are closed properly and keep their partial names.
        let mut outcome = Ok(());
        if complete {
            outcome = self.tracks.into_iter().try_for_each(TrackWriter::finish);
            outcome = outcome.and_then(|()| self.gif.map_or(Ok(()), GifWriter::finish));
        }
        match self.film {
            Some(film) if !film.asked || complete && outcome.is_ok() => outcome.and(film.finish()),
            _ => outcome,
        }
    }
}

/// Removes the partial file of an output that was opened for nothing.
fn take_back(path: &Path) {
    // A device or standard output has no partial file, and nothing is there to be removed.
    let _ = std::fs::remove_file(partial_name(path));
}
