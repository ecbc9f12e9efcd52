//! The recorder thread: draws pictures and drives the sinks, beside everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;

use super::outputs::{Output, Shared, VideoState};
use super::{RecorderSetup, run_info};
use crate::frame::{Frame, Raster};
use crate::labels::Labels;
use crate::scene::Scene;
use crate::sink::{
    End, FrameFacts, Pictures, Purpose, Registry, RunInfo, Sink, SinkError, SinkPicture, Sinks,
    free_video_name, raw_name,
};
use crate::view::{Canvas, Mapping, OverlaySettings, SceneView, Text, draw_scene};

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    /// Write a picture with its scene, at this time of the video in seconds.
    Picture { frame: Frame, scene: Box<Scene>, time: f64 },
    /// Begin a video, under this name or the first free one; so many pictures had been left out before.
    Begin { path: Option<PathBuf>, skipped: u64 },
    /// End it; so many have been left out by now.
    End { skipped: u64 },
    /// From now on draw so.
    Style { labels: Arc<Labels>, overlay: Box<OverlaySettings> },
}

/// A video that is being written, perhaps with the undrawn picture beside it: it can begin and end while the run goes on.
struct Film {
    sinks: Sinks,
    /// Asked for before the run: what goes wrong with it counts as the run's, and it is complete when the run is.
    asked: bool,
    /// The time of its first picture in seconds.
    origin: Option<f64>,
}

/// Draws scenes into pictures.
struct Painter {
    canvas: Canvas,
    text: Text,
    labels: Arc<Labels>,
    overlay: OverlaySettings,
}

impl Painter {
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
}

/// What the thread works with.
pub(super) struct Writer {
    shared: Arc<Shared>,
    registry: Registry,
    /// All sinks but the video.
    sinks: Sinks,
    film: Option<Film>,
    painter: Painter,
    /// The raw picture is written beside videos that begin while the run goes on.
    raw: bool,
    quality: u8,
    /// For videos that begin while the run goes on: they have no sound.
    run: RunInfo,
    /// Why the first of the sinks that failed did, while others go on.
    failed: Option<SinkError>,
}

impl Writer {
    /// Begins all sinks.
    ///
    /// # Errors
    /// [`SinkError`] where one cannot begin. Nothing is left behind then.
    pub(super) fn open(setup: RecorderSetup<'_>, shared: Arc<Shared>) -> Result<Self, SinkError> {
        let RecorderSetup { outputs, sinks: further, registry, info, labels, overlay, settings, .. } = setup;
        let quality = u8::try_from(settings.quality).unwrap_or(u8::MAX);
        let run = run_info(info, labels);
        let make = |output: &Output| registry.make(output.purpose, &output.target, quality);
        let is_video = |output: &&Output| matches!(output.purpose, Purpose::Video | Purpose::RawVideo);
        let mut sinks =
            outputs.iter().filter(|output| !is_video(output)).map(make).collect::<Result<Vec<_>, _>>()?;
        let film = outputs.iter().filter(is_video).map(make).collect::<Result<Vec<_>, _>>()?;
        sinks.extend(further);
        let sinks = Sinks::begin(sinks, &run)?;
        let film = match Sinks::begin(film, &run) {
            Ok(film) => (!film.is_empty()).then_some(Film { sinks: film, asked: true, origin: None }),
            Err(error) => {
                // The first error is the one that is told.
                if let Err(more) = sinks.finish(End::Discarded) {
                    log::debug!("{more}");
                }
                return Err(error);
            }
        };
        let writer = Self {
            shared,
            registry,
            sinks,
            film,
            painter: Painter {
                canvas: Canvas::new(1, 1),
                text: Text::new(),
                labels: Arc::clone(labels),
                overlay: overlay.clone(),
            },
            raw: settings.raw,
            quality,
            run: RunInfo { sound: None, ..run },
            failed: None,
        };
        if writer.film.is_some()
            && let Some(video) = outputs.iter().find(is_video)
        {
            writer.video_has_begun(&video.target, 0);
        }
        Ok(writer)
    }

    /// Whether scenes are needed.
    pub(super) fn needs_scenes(&self) -> bool {
        self.sinks.need_scenes()
    }

    /// Whether pictures are needed also while there is no video.
    pub(super) fn needs_pictures(&self) -> bool {
        self.sinks.need_pictures(Pictures::Clean) || self.sinks.need_pictures(Pictures::Drawn)
    }

    /// Says that a video has begun.
    fn video_has_begun(&self, path: &Path, skipped: u64) {
        let state = VideoState { path: path.to_owned(), seconds: 0.0, frames: 0, skipped };
        *self.shared.video() = Some(state);
        self.shared.filming.store(true, Ordering::SeqCst);
    }

    /// Writes what comes on either queue until both are closed or no sink is left, and ends all sinks.
    ///
    /// # Errors
    /// The first [`SinkError`] that is not of a video begun while running; all sinks that did not fail have been ended as
    /// they should.
    pub(super) fn run(
        mut self,
        scenes: &Receiver<(Scene, FrameFacts)>,
        jobs: &Receiver<Job>,
    ) -> Result<(), SinkError> {
        let written = self.write(scenes, jobs);
        self.end(written)
    }

    fn write(
        &mut self,
        scenes: &Receiver<(Scene, FrameFacts)>,
        jobs: &Receiver<Job>,
    ) -> Result<(), SinkError> {
        let (mut scenes_open, mut jobs_open) = (true, true);
        let (no_scenes, no_jobs) = (crossbeam_channel::never(), crossbeam_channel::never());
        while scenes_open || jobs_open {
            crossbeam_channel::select! {
                recv(if scenes_open { scenes } else { &no_scenes }) -> job => match job {
                    Ok((scene, facts)) => {
                        let written = self.sinks.scene(&scene, &facts);
                        self.go_on(written)?;
                    }
                    Err(_) => scenes_open = false,
                },
                recv(if jobs_open { jobs } else { &no_jobs }) -> job => match job {
                    Ok(Job::Picture { frame, scene, time }) => self.picture(&frame, &scene, time)?,
                    Ok(Job::Begin { path, skipped }) => self.begin_video(path, skipped),
                    Ok(Job::End { skipped }) => {
                        let ended = self.end_video(skipped);
                        self.go_on(ended)?;
                    }
                    Ok(Job::Style { labels, overlay }) => {
                        (self.painter.labels, self.painter.overlay) = (labels, *overlay);
                    }
                    Err(_) => jobs_open = false,
                },
            }
        }
        Ok(())
    }

    fn picture(&mut self, frame: &Frame, scene: &Scene, time: f64) -> Result<(), SinkError> {
        let film = self.film.as_ref().map(|film| &film.sinks);
        let need = |pictures| {
            self.sinks.need_pictures(pictures) || film.is_some_and(|film| film.need_pictures(pictures))
        };
        let (clean, drawn) = (need(Pictures::Clean), need(Pictures::Drawn));
        if clean || drawn {
            self.painter.canvas.copy_from(&frame.picture);
        }
        if clean {
            self.hand_on(Pictures::Clean, scene, time)?;
        }
        if drawn {
            self.painter.draw(frame, scene);
            self.hand_on(Pictures::Drawn, scene, time)?;
        }
        if let Some(film) = &mut self.film {
            let origin = *film.origin.get_or_insert(time);
            if let Some(video) = self.shared.video().as_mut() {
                video.frames += 1;
                video.seconds = video.seconds.max(time - origin);
            }
        }
        Ok(())
    }

    /// Hands the picture on the canvas to all sinks that need such pictures. A video that began while running and fails ends
    /// alone.
    fn hand_on(&mut self, pictures: Pictures, scene: &Scene, time: f64) -> Result<(), SinkError> {
        let picture = SinkPicture { pixels: Raster::from(&self.painter.canvas), scene, time };
        let written = self.sinks.picture(pictures, &picture);
        let filmed = self.film.as_mut().map_or(Ok(()), |film| film.sinks.picture(pictures, &picture));
        if let (Err(error), Some(film)) = (&filmed, &self.film) {
            self.shared.notify(error.to_string());
            if !film.asked {
                self.let_go_of_video();
                return self.go_on(written);
            }
            if film.sinks.is_empty() {
                self.let_go_of_video();
            }
        }
        self.go_on(written)?;
        self.go_on(filmed)
    }

    /// Keeps the error of a sink that has failed, and tells of it, so that the others go on.
    ///
    /// # Errors
    /// The same error where no sink is left, or where the reader of a pipe went away, who wants no more.
    fn go_on(&mut self, written: Result<(), SinkError>) -> Result<(), SinkError> {
        let Err(error) = written else { return Ok(()) };
        let none_left = self.sinks.is_empty() && self.film.as_ref().is_none_or(|film| film.sinks.is_empty());
        if none_left || error.is_closed() {
            return Err(error);
        }
        log::warn!("{error}; the other outputs are written on");
        self.failed.get_or_insert(error);
        Ok(())
    }

    /// Lets go of the video; its files keep their partial names where they are not finished.
    fn let_go_of_video(&mut self) -> Option<Film> {
        self.shared.filming.store(false, Ordering::SeqCst);
        *self.shared.video() = None;
        self.film.take()
    }

    fn begin_video(&mut self, path: Option<PathBuf>, skipped: u64) {
        if self.film.is_some() {
            return;
        }
        let open = || {
            let path = path.map_or_else(|| free_video_name(Path::new("")), Ok)?;
            let make = |purpose, path: &Path| self.registry.make(purpose, path, self.quality);
            let mut sinks: Vec<Box<dyn Sink>> = vec![make(Purpose::Video, &path)?];
            if self.raw {
                sinks.push(make(Purpose::RawVideo, &raw_name(&path))?);
            }
            Ok((path, Sinks::begin(sinks, &self.run)?))
        };
        match open() {
            Ok((path, sinks)) => {
                self.film = Some(Film { sinks, asked: false, origin: None });
                self.video_has_begun(&path, skipped);
            }
            Err(error) => {
                let error: SinkError = error;
                self.let_go_of_video();
                self.shared.notify(error.to_string());
            }
        }
    }

    fn end_video(&mut self, skipped: u64) -> Result<(), SinkError> {
        let state = self.shared.video().clone();
        // A video that was begun again in the meantime is begun when its turn comes.
        let begun_again = self.shared.filming.load(Ordering::SeqCst);
        let Some(film) = self.let_go_of_video() else { return Ok(()) };
        self.shared.filming.store(begun_again, Ordering::SeqCst);
        match film.sinks.finish(End::Complete) {
            Ok(()) => {
                if let Some(VideoState { path, seconds, skipped: before, .. }) = state {
                    let skipped = skipped.saturating_sub(before);
                    let left_out =
                        if skipped > 0 { format!(", {skipped} frames left out") } else { String::new() };
                    self.shared.notify(format!("saved {} ({seconds:.1} s{left_out})", path.display()));
                }
                Ok(())
            }
            Err(error) if film.asked => Err(error),
            Err(error) => {
                self.shared.notify(error.to_string());
                Ok(())
            }
        }
    }

    /// Ends all sinks; `written` is how writing went. The first error is the one that is told.
    fn end(self, written: Result<(), SinkError>) -> Result<(), SinkError> {
        let complete = self.shared.complete.load(Ordering::SeqCst) && written.is_ok();
        let end = if complete { End::Complete } else { End::Stopped };
        let finished = self.sinks.finish(end);
        let filmed =
            self.film.map_or(Ok(()), |film| film.sinks.finish(if film.asked { end } else { End::Complete }));
        let mut outcome = self.failed.map_or(Ok(()), Err);
        for next in [written, finished, filmed] {
            match (&outcome, next) {
                (Err(first), Err(error)) if !first.is_closed() || error.is_closed() => log::warn!("{error}"),
                (_, Ok(())) => {}
                (_, error) => outcome = error,
            }
        }
        outcome
    }
}
