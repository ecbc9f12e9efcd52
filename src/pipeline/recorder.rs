//! The record thread: draws and writes what leaves the program, beside everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError, bounded};

use super::stats::Stats;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::record::{
    RecordError, TrackFileInfo, TrackWriter, VideoSettings, VideoWriter, refuse_input, write_png,
};
use crate::scene::Scene;
use crate::source::SourceInfo;
use crate::view::{Canvas, Mapping, OverlaySettings, SceneView, Text, draw_scene};

/// How many pictures wait for the encoder.
const WAITING: usize = 4;

/// Which files are wanted.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Track files, by their endings.
    pub tracks: Vec<PathBuf>,
    /// The annotated video.
    pub video: Option<PathBuf>,
    /// A picture of the fullest scene.
    pub snapshot: Option<PathBuf>,
}

impl Outputs {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty() && self.video.is_none() && self.snapshot.is_none()
    }

    /// All files, in the order in which they are named.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.tracks.iter().chain(&self.video).chain(&self.snapshot).map(PathBuf::as_path)
    }
}

enum Job {
    /// Tracks of a frame of this size, for the track files.
    Tracks(Scene, (u32, u32)),
    /// A picture with its scene, for the video.
    Picture(Frame, Scene),
    /// The end; complete or not.
    End { complete: bool },
}

/// Writes beside the rest of the program.
pub struct Recorder {
    jobs: Sender<Job>,
    thread: JoinHandle<Result<(), RecordError>>,
    wants_pictures: bool,
    /// Leave pictures out rather than wait.
    live: bool,
    skipped: Arc<AtomicU64>,
}

impl Recorder {
    /// Opens all outputs and starts the thread; `None` where nothing is wanted. `input` is the file that is read.
    ///
    /// # Errors
    /// [`RecordError`] where an output cannot be opened, or is the very file that is read.
    pub fn open(
        outputs: &Outputs,
        info: &SourceInfo,
        input: Option<&Path>,
        labels: &Arc<Labels>,
        overlay: &OverlaySettings,
        stats: &Stats,
    ) -> Result<Option<Self>, RecordError> {
        if outputs.is_empty() {
            return Ok(None);
        }
        if let Some(file) = input {
            outputs.paths().try_for_each(|output| refuse_input(output, file))?;
        }
        let track_info = TrackFileInfo { source: info.name.clone(), labels: Arc::clone(labels) };
        let tracks = outputs
            .tracks
            .iter()
            .map(|path| TrackWriter::open(path, track_info.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let settings =
            VideoSettings { rate: info.rate, sound: info.sound.clone(), ..VideoSettings::default() };
        let video = outputs.video.as_deref().map(|path| VideoWriter::create(path, &settings)).transpose()?;

        let wants_pictures = video.is_some() || outputs.snapshot.is_some();
        let mut scribe = Scribe {
            tracks,
            video,
            snapshot: outputs.snapshot.clone(),
            fullest: None,
            canvas: Canvas::new(1, 1),
            text: Text::new(),
            labels: Arc::clone(labels),
            overlay: overlay.clone(),
        };
        let (jobs, inlet) = bounded(WAITING);
        let run = move || {
            let mut complete = false;
            for job in inlet {
                match job {
                    Job::Tracks(scene, size) => scribe.tracks(&scene, size)?,
                    Job::Picture(frame, scene) => scribe.picture(frame, scene)?,
                    Job::End { complete: whole } => complete = whole,
                }
            }
            scribe.end(complete)
        };
        let thread = std::thread::Builder::new().name("record".into()).spawn(run).map_err(|error| {
            RecordError::Place {
                path: "the outputs".to_owned(),
                why: format!("no thread for writing: {error}"),
            }
        })?;
        let skipped = Arc::clone(&stats.skipped_record);
        Ok(Some(Self { jobs, thread, wants_pictures, live: info.kind.is_live(), skipped }))
    }

    /// Writes the tracks of a scene; false when writing has failed and [`Recorder::finish`] will say why.
    pub fn tracks(&self, scene: &Scene, size: (u32, u32)) -> bool {
        self.jobs.send(Job::Tracks(scene.clone(), size)).is_ok()
    }

    /// Writes a picture with its scene; false when writing has failed. A live source does not wait for a slow encoder:
    /// the picture is left out and counted.
    pub fn picture(&self, frame: &Frame, scene: &Scene) -> bool {
        if !self.wants_pictures {
            return !self.thread.is_finished();
        }
        let job = Job::Picture(frame.clone(), scene.clone());
        if !self.live {
            return self.jobs.send(job).is_ok();
        }
        match self.jobs.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.skipped.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }

    /// Writes what is left and closes all files. Only when `complete` do they get their names; otherwise they stay
    /// readable as `NAME.partial.EXT`.
    ///
    /// # Errors
    /// The first [`RecordError`] of the run.
    pub fn finish(self, complete: bool) -> Result<(), RecordError> {
        // Fails only when the thread has ended with an error, which comes next.
        let _ = self.jobs.send(Job::End { complete });
        drop(self.jobs);
        self.thread.join().unwrap_or_else(|_| {
            Err(RecordError::Place {
                path: "the outputs".to_owned(),
                why: "the record thread failed".to_owned(),
            })
        })
    }
}

/// What the thread works with.
struct Scribe {
    tracks: Vec<TrackWriter>,
    video: Option<VideoWriter>,
    snapshot: Option<PathBuf>,
    /// The frame with the most tracks so far.
    fullest: Option<(Frame, Scene)>,
    canvas: Canvas,
    text: Text,
    labels: Arc<Labels>,
    overlay: OverlaySettings,
}

impl Scribe {
    fn tracks(&mut self, scene: &Scene, size: (u32, u32)) -> Result<(), RecordError> {
        self.tracks.iter_mut().try_for_each(|file| file.write(scene, size))
    }

    fn picture(&mut self, frame: Frame, scene: Scene) -> Result<(), RecordError> {
        if self.video.is_some() {
            self.draw(&frame, &scene);
        }
        if let Some(video) = &mut self.video {
            video.write(&self.canvas, frame.time)?;
        }
        let seen = |scene: &Scene| scene.seen().count();
        if self.snapshot.is_some() && self.fullest.as_ref().is_none_or(|(_, most)| seen(&scene) > seen(most))
        {
            self.fullest = Some((frame, scene));
        }
        Ok(())
    }

    /// The picture with its scene, pixel for pixel of the source.
    fn draw(&mut self, frame: &Frame, scene: &Scene) {
        self.canvas.copy_from(&frame.picture);
        let view = SceneView {
            scene,
            time: frame.time,
            labels: &self.labels,
            settings: &self.overlay,
            selected: None,
        };
        draw_scene(&mut self.canvas, &mut self.text, &Mapping::identity(), &view);
    }

    fn end(mut self, complete: bool) -> Result<(), RecordError> {
        let fullest = self.fullest.take();
        if let (Some((frame, scene)), Some(path)) = (&fullest, self.snapshot.take()) {
            self.draw(frame, scene);
            write_png(&self.canvas, &path)?;
        }
        if complete {
            self.tracks.into_iter().try_for_each(TrackWriter::finish)?;
            self.video.map_or(Ok(()), VideoWriter::finish)
        } else {
            // Dropped unfinished, files are closed properly and keep their partial names.
            Ok(())
        }
    }
}
