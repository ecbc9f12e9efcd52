//! Writes the results of a run: the [`Recorder`] is a handle for the rest of the program; the recorder
//! thread does the work.
//!
//! | file | what it is for |
//! |---|---|
//! | `outputs` | which files are wanted, and what the handle and the thread share |
//! | `writer` | the recorder thread: draws pictures, drives the sinks |

mod outputs;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crossbeam_channel::{Sender, TrySendError, bounded};

use super::stats::Stats;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::scene::Scene;
use crate::sink::{FrameFacts, Inputs, RecordSettings, Registry, RunInfo, Sink, SinkError};
use crate::source::SourceInfo;
use crate::view::OverlaySettings;

pub use outputs::{Output, Outputs, VideoState};

use outputs::Shared;
use writer::{Job, Writer};

/// How many pictures wait for the encoder: they are large.
const PICTURES: usize = 4;
/// How many begins and ends of videos find room beside them, so that neither is waited for.
const TURNS: usize = 4;
/// How many scenes wait to be written: they are small, and none is left out.
const SCENES: usize = 1024;

/// What a recorder is opened with.
pub struct RecorderSetup<'a> {
    /// The outputs that are wanted; there may be none yet.
    pub outputs: &'a Outputs,
    /// Further sinks, which are in no table.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Which sink writes which output.
    pub registry: Registry,
    /// The source.
    pub info: &'a SourceInfo,
    /// The files that are read: none of them is written over.
    pub inputs: &'a Inputs,
    /// The names of the classes.
    pub labels: &'a Arc<Labels>,
    /// How pictures are drawn.
    pub overlay: &'a OverlaySettings,
    /// The quality of videos, and whether the raw picture is written beside those that begin while the run goes on.
    pub settings: &'a RecordSettings,
    /// Pictures that a slow encoder is not ready for are left out and counted, instead of being waited for.
    pub in_time: bool,
    /// Where what is left out is counted.
    pub stats: &'a Stats,
}

/// A file's name with that of its folder: what other tools find it by.
fn name_with_folder(file: &Path) -> String {
    let part =
        |path: Option<&Path>| path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = part(Some(file)).unwrap_or_default();
    part(file.parent()).map_or(name.clone(), |folder| format!("{folder}/{name}"))
}

/// What sinks are told of a run over this source.
pub(crate) fn run_info(info: &SourceInfo, labels: &Arc<Labels>) -> RunInfo {
    RunInfo {
        source: info.name.clone(),
        labels: Arc::clone(labels),
        rate: info.rate,
        sound: info.sound.clone(),
    }
}

/// The handle of the recorder thread. If it is dropped without [`Recorder::finish`], files keep their partial names.
#[derive(Debug)]
pub struct Recorder {
    /// Scenes with what is known of their frame.
    scenes: Sender<(Scene, FrameFacts)>,
    /// Pictures with their scene, and when videos begin and end.
    jobs: Sender<Job>,
    thread: JoinHandle<Result<(), SinkError>>,
    shared: Arc<Shared>,
    needs_scenes: bool,
    /// Pictures are needed whether or not there is a video.
    needs_pictures: bool,
    /// Frames are of this very moment.
    live: bool,
    /// Leave pictures out rather than wait.
    in_time: bool,
    skipped: Arc<AtomicU64>,
}

impl Recorder {
    /// Begins all sinks, of which there may be none yet, and starts the thread.
    ///
    /// # Errors
    /// [`SinkError`] where an output cannot be opened, or is a file that is read. Nothing is left behind then.
    pub fn open(setup: RecorderSetup<'_>) -> Result<Self, SinkError> {
        let RecorderSetup { outputs, inputs, info, in_time, stats, .. } = setup;
        outputs.paths().try_for_each(|output| inputs.refuse(output))?;
        let shared = Arc::new(Shared::default());
        let writer = Writer::open(setup, Arc::clone(&shared))?;
        let (needs_scenes, needs_pictures) = (writer.needs_scenes(), writer.needs_pictures());
        let (scenes, scenes_in) = bounded(SCENES);
        let (jobs, jobs_in) = bounded(PICTURES + TURNS);
        let run = move || writer.run(&scenes_in, &jobs_in);
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(run).map_err(|error| {
            SinkError::Place {
                path: "the outputs".to_owned(),
                why: format!("cannot start the thread that writes: {error}"),
            }
        })?;
        Ok(Self {
            scenes,
            jobs,
            thread,
            shared,
            needs_scenes,
            needs_pictures,
            live: info.kind.is_live(),
            in_time,
            skipped: Arc::clone(&stats.skipped_record),
        })
    }

    /// Whether any sink takes scenes.
    pub fn takes_scenes(&self) -> bool {
        self.needs_scenes
    }

    /// Whether pictures are being written.
    pub fn takes_pictures(&self) -> bool {
        self.needs_pictures || self.is_filming()
    }

    /// Writes the scene of a frame; false when writing has failed and [`Recorder::finish`] will say why.
    pub fn scene(&self, frame: &Frame, scene: &Scene) -> bool {
        if !self.needs_scenes {
            return !self.thread.is_finished();
        }
        let taken = || SystemTime::now().checked_sub(frame.captured.elapsed());
        let facts = FrameFacts {
            size: frame.picture.size(),
            wall: self.live.then(taken).flatten(),
            file: frame.file.as_deref().map(|file| name_with_folder(file).into()),
        };
        self.scenes.send((scene.clone(), facts)).is_ok()
    }

    /// Writes a picture with its scene into the video, at this time of the video in seconds, which should not go back
    /// (its first picture's counts as 0); false when writing has failed.
    pub fn picture(&self, frame: &Frame, scene: &Scene, time: f64) -> bool {
        if !self.needs_pictures && !self.shared.filming.load(Ordering::SeqCst) {
            return !self.thread.is_finished();
        }
        let job = || Job::Picture { frame: frame.clone(), scene: Box::new(scene.clone()), time };
        if !self.in_time {
            return self.jobs.send(job()).is_ok();
        }
        // The rest of the room is for begins and ends.
        if self.jobs.len() < PICTURES {
            return !matches!(self.jobs.try_send(job()), Err(TrySendError::Disconnected(_)));
        }
        self.skipped.fetch_add(1, Ordering::Relaxed);
        !self.thread.is_finished()
    }

    /// Hands on that a video begins or ends; false where there is no room for it.
    fn turn(&self, job: Job) -> bool {
        if self.in_time {
            !matches!(self.jobs.try_send(job), Err(TrySendError::Full(_)))
        } else {
            // Waited for, as pictures are; a thread that has ended has reported why.
            let _ = self.jobs.send(job);
            true
        }
    }

    /// Begins a video while the run goes on; nothing where one is being written. Without a name it gets the first free
    /// one in the current folder, `trailsight-0001.mp4` (`.avi` without ffmpeg). It has no sound, as it may begin
    /// anywhere. What goes wrong with it is told by [`Recorder::note`] and does not end the run.
    pub fn begin_video(&self, path: Option<&Path>) {
        if self.shared.filming.swap(true, Ordering::SeqCst) {
            return;
        }
        let skipped = self.skipped.load(Ordering::Relaxed);
        if !self.turn(Job::Begin { path: path.map(Path::to_owned), skipped }) {
            self.shared.filming.store(false, Ordering::SeqCst);
            self.shared.notify("the encoder is busy: no new video yet".to_owned());
        }
    }

    /// Ends the video that is being written: it is complete and gets its name.
    pub fn end_video(&self) {
        if !self.shared.filming.swap(false, Ordering::SeqCst) {
            return;
        }
        if !self.turn(Job::End { skipped: self.skipped.load(Ordering::Relaxed) }) {
            self.shared.filming.store(true, Ordering::SeqCst);
            self.shared.notify("the encoder is busy: the video continues".to_owned());
        }
    }

    /// Sets how pictures are drawn from the next one on. Track files keep the names of the classes that they began with.
    pub fn set_style(&self, labels: &Arc<Labels>, overlay: &OverlaySettings) {
        // Where there is no room, pictures are being left out too; the next change comes through.
        self.turn(Job::Style { labels: Arc::clone(labels), overlay: Box::new(overlay.clone()) });
    }

    /// Whether a video is being written, or will be from the next picture on.
    pub fn is_filming(&self) -> bool {
        self.shared.filming.load(Ordering::SeqCst)
    }

    /// How far the video is that is being written; `None` where there is none.
    pub fn video(&self) -> Option<VideoState> {
        let state = self.shared.video().clone()?;
        let skipped = self.skipped.load(Ordering::Relaxed).saturating_sub(state.skipped);
        Some(VideoState { skipped, ..state })
    }

    /// What there is to tell of videos that were begun while running, one note after the other: where one was written,
    /// or why not.
    pub fn note(&self) -> Option<String> {
        self.shared.next_note()
    }

    /// Writes what is left and closes all files. Only when `complete` do they get their names; otherwise they stay
    /// readable as `NAME.partial.EXT`. A video that was begun while running is complete whenever it ends.
    ///
    /// # Errors
    /// The first [`SinkError`] of the run.
    pub fn finish(self, complete: bool) -> Result<(), SinkError> {
        self.shared.complete.store(complete, Ordering::SeqCst);
        drop((self.scenes, self.jobs));
        self.thread.join().unwrap_or_else(|_| {
            Err(SinkError::Place {
                path: "the outputs".to_owned(),
                why: "the recorder thread failed".to_owned(),
            })
        })
    }
}
