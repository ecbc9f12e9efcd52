//! What is going on, for other programs: one JSON object in a file that is replaced as a whole whenever something has
//! changed, so that whoever reads it finds either the old state or the new one. What the window adds is in `show/status`.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Pipeline, TrackedFrame};
use crate::labels::Labels;
use crate::scene::{Track, TrackState};
use crate::source::{Condition, Health};

/// The state is written at most this often while frames follow one another.
const PAUSE: Duration = Duration::from_millis(40);

/// The file.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    written: Option<Instant>,
    last: String,
    /// What is newer than what was written.
    pending: String,
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
        Self { path, written: None, last: String::new(), pending: String::new() }
    }

    /// Whether it is too early to write while frames follow one another.
    pub(crate) fn is_fresh(&self) -> bool {
        self.written.is_some_and(|written| written.elapsed() < PAUSE)
    }

    /// Writes what is told, where it is not what was told last.
    ///
    /// # Errors
    /// [`StatusError`].
    pub(crate) fn tell(&mut self, state: &impl Serialize) -> Result<(), StatusError> {
        // Strings and numbers alone cannot fail to become JSON.
        self.pending.clear();
        let text = serde_json::to_string(state).unwrap_or_default() + "\n";
        self.write(text).map_err(|error| StatusError { path: self.path.clone(), error })
    }

    fn write(&mut self, text: String) -> std::io::Result<()> {
        if text == self.last {
            return Ok(());
        }
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".new");
        if let Err(error) = fs::write(&temporary, &text).and_then(|()| fs::rename(&temporary, &self.path)) {
            // Half a file helps nobody; that it cannot be removed either changes nothing.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        (self.written, self.last) = (Some(Instant::now()), text);
        Ok(())
    }

    /// Tells how a run without a window stands, unless it was told just now; `None` before the first frame.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn tell_run(
        &mut self,
        tracked: Option<&TrackedFrame>,
        pipeline: &Pipeline,
        labels: &Labels,
    ) -> Result<(), StatusError> {
        let frame = tracked.map(|tracked| &tracked.job.frame);
        let tracks = tracked.iter().flat_map(|tracked| &tracked.scene.tracks);
        let state = RunState {
            version: 1,
            source: &pipeline.info.name,
            frame: frame.map(|frame| frame.sequence + 1),
            frames: pipeline.info.frames,
            time: frame.map(|frame| frame.time),
            duration: pipeline.info.duration,
            fares: Fares::of(pipeline.health.as_ref()),
            age_ms: frame.map(|frame| frame.captured.elapsed().as_secs_f64() * 1e3),
            size: frame.map(|frame| frame.picture.size()),
            detection_fps: pipeline.stats.detected.per_second(),
            tracks: tracks.map(|track| Object::of(track, labels)).collect(),
            closed: false,
        };
        if self.is_fresh() {
            self.pending = serde_json::to_string(&state).unwrap_or_default() + "\n";
            return Ok(());
        }
        self.tell(&state)
    }

    /// Says that a run without a window is over.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn close_run(&mut self) -> Result<(), StatusError> {
        let last = if self.pending.is_empty() { &self.last } else { &self.pending };
        // The last of the fields, see `RunState`; what stands in a name is escaped.
        let text = last.replace("\"closed\":false}", "\"closed\":true}");
        self.write(text).map_err(|error| StatusError { path: self.path.clone(), error })
    }
}

/// What is told of a run without a window.
#[derive(Serialize)]
struct RunState<'a> {
    version: u32,
    source: &'a str,
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
    tracks: Vec<Object>,
    closed: bool,
}

/// How a live source fares.
#[derive(Serialize)]
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

/// A track.
#[derive(Serialize)]
pub(crate) struct Object {
    id: u64,
    class: String,
    /// Left, top, width, height in pixels of the picture.
    #[serde(rename = "box")]
    rect: [f32; 4],
    lost: bool,
}

impl Object {
    pub(crate) fn of(track: &Track, labels: &Labels) -> Self {
        Self {
            id: track.id,
            class: labels.name(track.class).into_owned(),
            rect: [track.rect.left, track.rect.top, track.rect.width, track.rect.height],
            lost: track.state == TrackState::Lost,
        }
    }
}
