//! What leaves a run: the [`Recorder`] is the handle that the rest of the program holds; the work is done by the recorder
//! thread.
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
use crate::sink::{FrameFacts, Inputs, RecordSettings, SinkError};
use crate::source::SourceInfo;
use crate::view::OverlaySettings;

pub use outputs::{Outputs, VideoState};

use outputs::Shared;
use writer::{Job, Writer};

/// How many pictures wait for the encoder: they are large.
const PICTURES: usize = 4;
/// How many begins and ends of videos find room beside them, so that neither is waited for.
const TURNS: usize = 4;
/// How many scenes wait for the track files: they are small, and none is left out.
const SCENES: usize = 1024;

/// Writes beside the rest of the program. Dropped without [`Recorder::finish`], files stay under their partial names.
#[derive(Debug)]
pub struct Recorder {
    /// Scenes with what is known of their frame, for the track files.
    scenes: Sender<(Scene, FrameFacts)>,
    /// Pictures with their scene, and when videos begin and end.
    jobs: Sender<Job>,
    thread: JoinHandle<Result<(), SinkError>>,
    shared: Arc<Shared>,
    has_tracks: bool,
    /// Pictures are wanted whether or not there is a video.
    wants_pictures: bool,
    /// Frames are of this very moment.
    live: bool,
    /// Leave pictures out rather than wait.
    in_time: bool,
    skipped: Arc<AtomicU64>,
}

impl Recorder {
    /// Opens all outputs, of which there may be none yet, and starts the thread. `inputs` are the files that are read.
    /// `in_time`: pictures that a slow encoder is not ready for are left out and counted, instead of being waited for.
    ///
    /// # Errors
    /// [`SinkError`] where an output cannot be opened, or is a file that is read. Nothing is left behind then.
    pub fn open(
        outputs: &Outputs,
        info: &SourceInfo,
        inputs: &Inputs,
        labels: &Arc<Labels>,
        overlay: &OverlaySettings,
        settings: &RecordSettings,
        (in_time, stats): (bool, &Stats),
    ) -> Result<Self, SinkError> {
        outputs.paths().try_for_each(|output| inputs.refuse(output))?;
        let shared = Arc::new(Shared::default());
        let writer = Writer::open(outputs, info, (labels, overlay, settings), Arc::clone(&shared))?;
        let (scenes, scenes_in) = bounded(SCENES);
        let (jobs, jobs_in) = bounded(PICTURES + TURNS);
        let run = move || writer.run(&scenes_in, &jobs_in);
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(run).map_err(|error| {
            SinkError::Place {
                path: "the outputs".to_owned(),
                why: format!("no thread for writing: {error}"),
            }
        })?;
        Ok(Self {
            scenes,
            jobs,
            thread,
            shared,
            has_tracks: !outputs.tracks.is_empty(),
            wants_pictures: outputs.gif.is_some() || outputs.snapshot.is_some(),
            live: info.kind.is_live(),
            in_time,
            skipped: Arc::clone(&stats.skipped_record),
        })
    }

    /// Whether there are track files.
    pub fn writes_tracks(&self) -> bool {
        self.has_tracks
    }

    /// Whether pictures are being written.
    pub fn takes_pictures(&self) -> bool {
        self.wants_pictures || self.is_filming()
    }

    /// Writes the tracks of a frame; false when writing has failed and [`Recorder::finish`] will say why.
    pub fn tracks(&self, frame: &Frame, scene: &Scene) -> bool {
        if !self.has_tracks {
            return !self.thread.is_finished();
        }
        let taken = || SystemTime::now().checked_sub(frame.captured.elapsed());
        let facts = FrameFacts { size: frame.picture.size(), wall: self.live.then(taken).flatten() };
        self.scenes.send((scene.clone(), facts)).is_ok()
    }

    /// Writes a picture with its scene into the video, at this time of the video in seconds, which should not go back
    /// (its first picture's counts as 0); false when writing has failed.
    pub fn picture(&self, frame: &Frame, scene: &Scene, time: f64) -> bool {
        if !self.wants_pictures && !self.shared.filming.load(Ordering::SeqCst) {
            return !self.thread.is_finished();
        }
        let job = || Job::Picture { frame: frame.clone(), scene: scene.clone(), time };
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
            // Waited for, as pictures are; a thread that is gone has said why.
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
            self.shared.tell("the encoder is busy: no new video yet".to_owned());
        }
    }

    /// Ends the video that is being written: it is complete and gets its name.
    pub fn end_video(&self) {
        if !self.shared.filming.swap(false, Ordering::SeqCst) {
            return;
        }
        if !self.turn(Job::End { skipped: self.skipped.load(Ordering::Relaxed) }) {
            self.shared.filming.store(true, Ordering::SeqCst);
            self.shared.tell("the encoder is busy: the video goes on".to_owned());
        }
    }

    /// From the next picture on, videos are drawn so. Track files keep the names of the classes that they began with.
    pub fn look(&self, labels: &Arc<Labels>, overlay: &OverlaySettings) {
        // Where there is no room, pictures are being left out too; the next change comes through.
        self.turn(Job::Look { labels: Arc::clone(labels), overlay: Box::new(overlay.clone()) });
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
