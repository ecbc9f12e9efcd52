//! Which files are wanted, and what the recorder and its thread both know.

use crate::sync::lock;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};

use crate::sink::{Purpose, is_address};

/// How many notes are kept until they are asked for.
const NOTES: usize = 16;

/// One output that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What it is for.
    pub purpose: Purpose,
    /// A file, `-` for standard output, or an address (`scheme://…`).
    pub target: PathBuf,
}

/// Which outputs are wanted: a list, ordered by their purpose.
#[derive(Debug, Clone, Default)]
pub struct Outputs(Vec<Output>);

impl Outputs {
    /// Adds an output behind those of the same purpose.
    pub fn add(&mut self, purpose: Purpose, target: impl Into<PathBuf>) {
        let place = self.0.partition_point(|output| output.purpose <= purpose);
        self.0.insert(place, Output { purpose, target: target.into() });
    }

    /// The same outputs and one more.
    #[must_use]
    pub fn with(mut self, purpose: Purpose, target: impl Into<PathBuf>) -> Self {
        self.add(purpose, target);
        self
    }

    /// Takes all outputs of this purpose away.
    pub fn remove(&mut self, purpose: Purpose) {
        self.0.retain(|output| output.purpose != purpose);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is an output for this purpose.
    pub fn has(&self, purpose: Purpose) -> bool {
        self.0.iter().any(|output| output.purpose == purpose)
    }

    /// All outputs.
    pub fn iter(&self) -> impl Iterator<Item = &Output> {
        self.0.iter()
    }

    /// All files and addresses.
    pub fn targets(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|output| output.target.as_path())
    }

    /// All files, `-` among them, without the addresses.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.targets().filter(|target| !is_address(target))
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
    pub(super) fn notify(&self, note: String) {
        let mut notes = lock(&self.notes);
        if notes.len() >= NOTES {
            notes.pop_front();
        }
        notes.push_back(note);
    }
}
