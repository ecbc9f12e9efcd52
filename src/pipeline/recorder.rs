//! The record thread: draws and writes what leaves the program, beside everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::stats::Stats;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::record::{
    RecordError, TrackFileInfo, TrackWriter, VideoSettings, VideoWriter, partial_name, refuse_input,
    write_png,
};
use crate::scene::Scene;
use crate::source::SourceInfo;
use crate::view::{Canvas, Mapping, OverlaySettings, SceneView, Text, draw_scene};

/// How many pictures wait for the encoder: they are large.
const PICTURES: usize = 4;
/// How many scenes wait for the track files: they are small, and none is left out.
const SCENES: usize = 1024;

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

/// Writes beside the rest of the program.
pub struct Recorder {
    /// Scenes with the size of their frame, for the track files.
    scenes: Sender<(Scene, (u32, u32))>,
    /// Pictures with their scene, for the video.
    pictures: Sender<(Frame, Scene)>,
    thread: JoinHandle<Result<(), RecordError>>,
    complete: Arc<AtomicBool>,
    wants_pictures: bool,
    /// Leave pictures out rather than wait.
    in_time: bool,
    skipped: Arc<AtomicU64>,
}

impl Recorder {
    /// Opens all outputs and starts the thread; `None` where nothing is wanted. `input` is the file that is read.
    /// `in_time`: pictures that a slow encoder is not ready for are left out and counted, instead of being waited for.
    ///
    /// # Errors
    /// [`RecordError`] where an output cannot be opened, or is the very file that is read. Nothing is left behind then.
    pub fn open(
        outputs: &Outputs,
        info: &SourceInfo,
        input: Option<&Path>,
        labels: &Arc<Labels>,
        overlay: &OverlaySettings,
        (in_time, stats): (bool, &Stats),
    ) -> Result<Option<Self>, RecordError> {
        if outputs.is_empty() {
            return Ok(None);
        }
        if let Some(file) = input {
            outputs.paths().try_for_each(|output| refuse_input(output, file))?;
        }
        let mut scribe = Scribe {
            tracks: Vec::new(),
            video: None,
            snapshot: outputs.snapshot.clone(),
            fullest: None,
            canvas: Canvas::new(1, 1),
            text: Text::new(),
            labels: Arc::clone(labels),
            overlay: overlay.clone(),
        };
        if let Err(error) = scribe.open(outputs, info) {
            scribe.discard(outputs);
            return Err(error);
        }
        let wants_pictures = scribe.video.is_some() || outputs.snapshot.is_some();
        let (scenes, scenes_in) = bounded(SCENES);
        let (pictures, pictures_in) = bounded(PICTURES);
        let complete = Arc::new(AtomicBool::new(false));
        let whole = Arc::clone(&complete);
        let run = move || {
            scribe.run(&scenes_in, &pictures_in)?;
            scribe.end(whole.load(Ordering::SeqCst))
        };
        let thread = std::thread::Builder::new().name("record".into()).spawn(run).map_err(|error| {
            RecordError::Place {
                path: "the outputs".to_owned(),
                why: format!("no thread for writing: {error}"),
            }
        })?;
        let skipped = Arc::clone(&stats.skipped_record);
        Ok(Some(Self { scenes, pictures, thread, complete, wants_pictures, in_time, skipped }))
    }

    /// Writes the tracks of a scene; false when writing has failed and [`Recorder::finish`] will say why.
    pub fn tracks(&self, scene: &Scene, size: (u32, u32)) -> bool {
        self.scenes.send((scene.clone(), size)).is_ok()
    }

    /// Writes a picture with its scene; false when writing has failed.
    pub fn picture(&self, frame: &Frame, scene: &Scene) -> bool {
        if !self.wants_pictures {
            return !self.thread.is_finished();
        }
        let job = (frame.clone(), scene.clone());
        if !self.in_time {
            return self.pictures.send(job).is_ok();
        }
        match self.pictures.try_send(job) {
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
        self.complete.store(complete, Ordering::SeqCst);
        drop((self.scenes, self.pictures));
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
    fn open(&mut self, outputs: &Outputs, info: &SourceInfo) -> Result<(), RecordError> {
        let track_info = TrackFileInfo { source: info.name.clone(), labels: Arc::clone(&self.labels) };
        for path in &outputs.tracks {
            self.tracks.push(TrackWriter::open(path, track_info.clone())?);
        }
        let settings =
            VideoSettings { rate: info.rate, sound: info.sound.clone(), ..VideoSettings::default() };
        self.video = outputs.video.as_deref().map(|path| VideoWriter::create(path, &settings)).transpose()?;
        Ok(())
    }

    /// Takes back the track files that were opened before another output could not be.
    fn discard(self, outputs: &Outputs) {
        let opened = self.tracks.len();
        drop(self.tracks);
        for path in outputs.tracks.iter().take(opened) {
            // A device or standard output has no partial file, and nothing is there to be removed.
            let _ = std::fs::remove_file(partial_name(path));
        }
    }

    /// Writes what comes on either queue until both are closed.
    fn run(
        &mut self,
        scenes: &Receiver<(Scene, (u32, u32))>,
        pictures: &Receiver<(Frame, Scene)>,
    ) -> Result<(), RecordError> {
        let (mut scenes_open, mut pictures_open) = (true, true);
        let closed = crossbeam_channel::never();
        let closed_pictures = crossbeam_channel::never();
        while scenes_open || pictures_open {
            crossbeam_channel::select! {
                recv(if scenes_open { scenes } else { &closed }) -> job => match job {
                    Ok((scene, size)) => self.tracks(&scene, size)?,
                    Err(_) => scenes_open = false,
                },
                recv(if pictures_open { pictures } else { &closed_pictures }) -> job => match job {
                    Ok((frame, scene)) => self.picture(frame, scene)?,
                    Err(_) => pictures_open = false,
                },
            }
        }
        Ok(())
    }

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
        if let (true, Some((frame, scene)), Some(path)) = (complete, &fullest, self.snapshot.take()) {
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
