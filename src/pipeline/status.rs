//! The state of a run for other programs: one JSON object in a file that is replaced as a whole after each change, so
//! that a reader finds either the old state or the new one. `ui/status` has what the window adds.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Pipeline, TrackedFrame};
use crate::atomic_file::{self, Durability};
use crate::labels::Labels;
use crate::scene::{Scene, Track};
use crate::sink::TrackRecord;
use crate::source::{Condition, Health};

/// The state is written at most this often while frames follow one another.
const PAUSE: Duration = Duration::from_millis(40);

/// The file.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    written: Option<Instant>,
    /// What is in the file.
    last: String,
    /// The newest state of a run without a window, written or not.
    run: Option<RunState>,
}

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the status file {path}: {error}")]
pub struct StatusError {
    path: PathBuf,
    error: std::io::Error,
}

impl StatusFile {
    /// Writes nothing yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, written: None, last: String::new(), run: None }
    }

    /// Whether it is too early to write while frames follow one another.
    pub(crate) fn is_fresh(&self) -> bool {
        self.written.is_some_and(|written| written.elapsed() < PAUSE)
    }

    /// Writes a state, where it is not the one that was written last.
    ///
    /// # Errors
    /// [`StatusError`].
    pub(crate) fn write(&mut self, state: &impl Serialize) -> Result<(), StatusError> {
        // Strings and numbers alone cannot fail to become JSON.
        let text = serde_json::to_string(state).unwrap_or_default() + "\n";
        if text == self.last {
            return Ok(());
        }
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".new");
        let write = |file: &mut File| file.write_all(text.as_bytes());
        atomic_file::replace(&self.path, temporary.as_ref(), Durability::Visible, write)
            .map_err(|error| StatusError { path: self.path.clone(), error })?;
        (self.written, self.last) = (Some(Instant::now()), text);
        Ok(())
    }

    /// Writes the state of a run without a window, unless one was written just now; `None` before the first frame.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn write_run(
        &mut self,
        tracked: Option<&TrackedFrame>,
        pipeline: &Pipeline,
        labels: &Labels,
    ) -> Result<(), StatusError> {
        let state = RunState::of(tracked, pipeline, labels);
        let written = if self.is_fresh() { Ok(()) } else { self.write(&state) };
        self.run = Some(state);
        written
    }

    /// Writes that a run without a window is over, with its newest state.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn close_run(&mut self) -> Result<(), StatusError> {
        let last = self.run.take().map(|state| RunState { closed: true, ..state });
        last.map_or(Ok(()), |last| self.write(&last))
    }
}

/// The state of a run without a window.
#[derive(Debug, Serialize)]
struct RunState {
    version: u32,
    source: String,
    /// From 1, as in track files.
    frame: Option<u64>,
    frames: Option<u64>,
    time: Option<f64>,
    duration: Option<f64>,
    #[serde(flatten)]
    fares: Fares,
    /// How old the picture was when its tracks were known.
    age_ms: Option<f64>,
    size: Option<(u32, u32)>,
    detection_fps: f64,
    /// Nothing moves, and the detector rests.
    resting: bool,
    tracks: Vec<StatusTrack>,
    closed: bool,
}

impl RunState {
    fn of(tracked: Option<&TrackedFrame>, pipeline: &Pipeline, labels: &Labels) -> Self {
        let frame = tracked.map(|tracked| &tracked.job.frame);
        Self {
            version: 1,
            source: pipeline.info.name.clone(),
            frame: frame.map(|frame| frame.sequence + 1),
            frames: pipeline.info.frames,
            time: frame.map(|frame| frame.time),
            duration: pipeline.duration(),
            fares: Fares::of(pipeline.health.as_ref()),
            age_ms: frame.map(|frame| frame.captured.elapsed().as_secs_f64() * 1e3),
            size: frame.map(|frame| frame.picture.size()),
            detection_fps: pipeline.stats.detected.per_second(),
            resting: pipeline.stats.is_resting(),
            tracks: tracked.map_or_else(Vec::new, |tracked| StatusTrack::all(&tracked.scene, labels)),
            closed: false,
        }
    }
}

/// The condition of a live source.
#[derive(Debug, Serialize)]
pub(crate) struct Fares {
    /// `good`, `stalled` or `gone`, and for how long no picture has come while it is not good.
    condition: Option<&'static str>,
    silent_seconds: Option<f64>,
    /// Pictures that were too damaged to be shown; how many times the source was opened again.
    damaged: Option<u64>,
    reopened: Option<u64>,
}

impl Fares {
    pub(crate) fn of(health: Option<&Health>) -> Self {
        let (condition, silent_seconds) = match health.map(Health::condition) {
            None => (None, None),
            Some(Condition::Good) => (Some("good"), None),
            Some(Condition::Stalled(silent)) => (Some("stalled"), Some(silent.as_secs_f64())),
            Some(Condition::Gone { silent, .. }) => (Some("gone"), Some(silent.as_secs_f64())),
        };
        let (damaged, reopened) = (health.map(Health::damaged), health.map(Health::reopened));
        Self { condition, silent_seconds, damaged, reopened }
    }
}

/// A track: all that track files say of it, and `lost`, which is the same as `predicted`.
#[derive(Debug, Serialize)]
pub(crate) struct StatusTrack {
    #[serde(flatten)]
    record: TrackRecord<'static>,
    lost: bool,
}

impl StatusTrack {
    /// All tracks of a scene.
    pub(crate) fn all(scene: &Scene, labels: &Labels) -> Vec<Self> {
        let one = |track: &Track| {
            let record = TrackRecord::of(track, scene, labels).into_owned();
            Self { lost: record.predicted, record }
        };
        scene.tracks.iter().map(one).collect()
    }
}
