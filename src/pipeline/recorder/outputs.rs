//! Which files are wanted, and what the recorder and its thread both know.

use crate::sync::lock;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};

/// How many notes are kept until they are asked for.
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
        lock(&self.video)
    }

    /// The oldest note that has not been asked for.
    pub(super) fn next_note(&self) -> Option<String> {
        lock(&self.notes).pop_front()
    }

    /// Leaves a note for [`Recorder::note`](super::Recorder::note); of too many the oldest goes.
    pub(super) fn tell(&self, note: String) {
        let mut notes = lock(&self.notes);
        if notes.len() >= NOTES {
            notes.pop_front();
        }
        notes.push_back(note);
    }
}
