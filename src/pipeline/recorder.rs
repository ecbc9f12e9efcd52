//! The recorder: what the rest of the program asks for what leaves it. The work is done by the record thread.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crossbeam_channel::{Sender, TrySendError, bounded};

use super::scribe::{Job, Scribe};
use super::stats::Stats;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::record::{FrameFacts, Inputs, RecordError, RecordSettings};
use crate::scene::Scene;
use crate::source::SourceInfo;
use crate::view::OverlaySettings;

/// How many pictures wait for the encoder: they are large.
pub(super) const PICTURES: usize = 4;
/// How many begins and ends of videos find room beside them, so that neither is waited for.
const TURNS: usize = 4;
/// How many scenes wait for the track files: they are small, and none is left out.
const SCENES: usize = 1024;
/// How many notes are kept for whoever asks.
const NOTES: usize = 16;

/// Which files are wanted.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Track files, by their endings.
    pub tracks: Vec<PathBuf>,
    /// The annotated video.
    pub video: Option<PathBuf>,
    /// The same pictures without what is drawn into them.
    pub raw: Option<PathBuf>,
    /// A short clip of the annotated video.
    pub gif: Option<PathBuf>,
    /// A picture of the fullest scene.
    pub snapshot: Option<PathBuf>,
}

impl Outputs {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.paths().next().is_none()
    }

    /// All files, in the order in which they are named.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let pictures = self.video.iter().chain(&self.raw).chain(&self.gif).chain(&self.snapshot);
        self.tracks.iter().chain(pictures).map(PathBuf::as_path)
    }
}

/// How far the video that is being written is.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoState {
    /// The name that it will have.
    pub path: PathBuf,
    /// From its first picture to its last.
    pub seconds: f64,
    /// Pictures in it.
    pub frames: u64,
    /// Pictures left out because the encoder was busy.
    pub skipped: u64,
}

/// What the recorder and its thread both know.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Pictures are wanted for a video.
    pub(super) filming: AtomicBool,
    /// In the end all files are complete.
    pub(super) complete: AtomicBool,
    /// In it, `skipped` is how many had been left out in all when the video began.
    video: Mutex<Option<VideoState>>,
    notes: Mutex<VecDeque<String>>,
}

impl Shared {
    /// The state of the video, to be looked at or changed.
    pub(super) fn video(&self) -> MutexGuard<'_, Option<VideoState>> {
        self.video.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a note for [`Recorder::note`]; of too many the oldest goes.
    pub(super) fn tell(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() >= NOTES {
            notes.pop_front();
        }
        notes.push_back(note);
    }
}

/// Writes beside the rest of the program. Dropped without [`Recorder::finish`], files stay under their partial names.
#[derive(Debug)]
pub struct Recorder {
    /// Scenes with what is known of their frame, for the track files.
    scenes: Sender<(Scene, FrameFacts)>,
    /// Pictures with their scene, and when videos begin and end.
    jobs: Sender<Job>,
    thread: JoinHandle<Result<(), RecordError>>,
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
    /// [`RecordError`] where an output cannot be opened, or is a file that is read. Nothing is left behind then.
    pub fn open(
        outputs: &Outputs,
        info: &SourceInfo,
        inputs: &Inputs,
        labels: &Arc<Labels>,
        overlay: &OverlaySettings,
        settings: &RecordSettings,
        (in_time, stats): (bool, &Stats),
    ) -> Result<Self, RecordError> {
        outputs.paths().try_for_each(|output| inputs.refuse(output))?;
        let shared = Arc::new(Shared::default());
        let scribe = Scribe::open(outputs, info, (labels, overlay, settings), Arc::clone(&shared))?;
        let (scenes, scenes_in) = bounded(SCENES);
        let (jobs, jobs_in) = bounded(PICTURES + TURNS);
        let run = move || scribe.run(&scenes_in, &jobs_in);
        let thread = std::thread::Builder::new().name("record".into()).spawn(run).map_err(|error| {
            RecordError::Place {
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
        self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Writes what is left and closes all files. Only when `complete` do they get their names; otherwise they stay
    /// readable as `NAME.partial.EXT`. A video that was begun while running is complete whenever it ends.
    ///
    /// # Errors
    /// The first [`RecordError`] of the run.
    pub fn finish(self, complete: bool) -> Result<(), RecordError> {
        self.shared.complete.store(complete, Ordering::SeqCst);
        drop((self.scenes, self.jobs));
        self.thread.join().unwrap_or_else(|_| {
            Err(RecordError::Place {
                path: "the outputs".to_owned(),
                why: "the record thread failed".to_owned(),
            })
        })
    }
}
