//! What the window shows, for other programs: one JSON object in a file that is replaced as a whole whenever something has
//! changed, so that whoever reads it finds either the old state or the new one.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{ShowError, Stage};
use crate::scene::TrackState;
use crate::source::{Condition, Health};

/// The state is written at most this often while frames follow one another.
const PAUSE: Duration = Duration::from_millis(40);

/// The file.
#[derive(Debug)]
pub(super) struct Status {
    path: PathBuf,
    written: Option<Instant>,
    last: String,
}

/// What is told.
#[derive(Serialize)]
struct State<'a> {
    version: u32,
    source: &'a str,
    /// From 1, as in track files.
    frame: Option<u64>,
    frames: Option<u64>,
    time: Option<f64>,
    duration: Option<f64>,
    paused: bool,
    ended: bool,
    seeking: bool,
    speed: f64,
    repeat: bool,
    /// The seconds of the video that is being recorded.
    recording: Option<f64>,
    /// The frame shown was looked at or is remembered: its tracks are its own.
    settled: bool,
    remembered_bytes: usize,
    /// How a live source fares: `good`, `stalled` or `gone`, and for how long no picture has come while it is not good.
    condition: Option<&'static str>,
    silent_seconds: Option<f64>,
    /// Pictures that were too damaged to be shown; how many times the source was opened again.
    damaged: Option<u64>,
    reopened: Option<u64>,
    /// How old the picture was when it came onto the screen, and how old one on the screen was at most in the last two
    /// seconds.
    age_ms: Option<f64>,
    age_ms_worst: Option<f64>,
    /// Width and height of the picture.
    size: Option<(u32, u32)>,
    /// Pictures a second that the window has shown of late, and those that the detector has looked at.
    display_fps: f64,
    detection_fps: f64,
    confidence: f32,
    message: Option<&'a str>,
    /// What is wrong with the config file.
    problem: Option<&'a str>,
    /// What the detector looks at.
    input: String,
    tracks: Vec<Object>,
    closed: bool,
}

#[derive(Serialize)]
struct Object {
    id: u64,
    class: String,
    #[serde(rename = "box")]
    rect: [f32; 4],
    lost: bool,
}

impl Status {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, written: None, last: String::new() }
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
}

impl Stage {
    /// Writes the state where that is wanted and something has changed.
    ///
    /// # Errors
    /// [`ShowError::Status`].
    pub(super) fn tell_status(&mut self) -> Result<(), ShowError> {
        let still = self.paused || self.ended;
        match &self.status {
            Some(Status { written: Some(written), .. }) if !still && written.elapsed() < PAUSE => Ok(()),
            Some(_) => self.write_status(false),
            None => Ok(()),
        }
    }

    /// Says that it is over.
    pub(super) fn close_status(&mut self) -> Result<(), ShowError> {
        if self.status.is_some() { self.write_status(true) } else { Ok(()) }
    }

    fn write_status(&mut self, closed: bool) -> Result<(), ShowError> {
        let (info, frame) = (&self.show.pipeline.info, self.current.as_ref().map(|shot| &shot.frame));
        let memory = self.show.pipeline.memory.as_ref().map(super::lock);
        let tracks = self.scene.iter().flat_map(|scene| &scene.tracks);
        let object = |track: &crate::scene::Track| Object {
            id: track.id,
            class: self.show.labels.name(track.class).into_owned(),
            rect: [track.rect.left, track.rect.top, track.rect.width, track.rect.height],
            lost: track.state == TrackState::Lost,
        };
        let health = self.show.pipeline.health.as_ref();
        let (condition, silent_seconds) = match health.map(Health::condition) {
            None => (None, None),
            Some(Condition::Good) => (Some("good"), None),
            Some(Condition::Stalled(silent)) => (Some("stalled"), Some(silent.as_secs_f64())),
            Some(Condition::Gone { silent, .. }) => (Some("gone"), Some(silent.as_secs_f64())),
        };
        let state = State {
            version: 1,
            source: &info.name,
            frame: frame.map(|frame| frame.sequence + 1),
            frames: info.frames,
            time: frame.map(|frame| frame.time),
            duration: info.duration,
            paused: self.paused,
            ended: self.ended,
            seeking: self.awaiting,
            speed: self.show.carried.speed,
            repeat: self.show.carried.repeat,
            recording: self.show.recorder.video().map(|video| video.seconds),
            settled: self.is_settled(),
            remembered_bytes: memory.map_or(0, |memory| memory.bytes()),
            condition,
            silent_seconds,
            damaged: health.map(Health::damaged),
            reopened: health.map(Health::reopened),
            age_ms: self.ages.shown_ms(),
            age_ms_worst: self.ages.worst_ms(),
            size: frame.map(|frame| frame.picture.size()),
            display_fps: self.displayed.per_second(),
            detection_fps: self.show.pipeline.stats.detected.per_second(),
            confidence: self.show.carried.live.settings().detector.confidence,
            message: self.message.as_ref().map(|(text, _)| text.as_str()),
            problem: self.show.carried.live.problem(),
            input: self.show.carried.live.settings().detector.input.to_string(),
            tracks: tracks.map(object).collect(),
            closed,
        };
        // Strings and numbers alone cannot fail to become JSON.
        let text = serde_json::to_string(&state).unwrap_or_default() + "\n";
        let Some(status) = &mut self.status else { return Ok(()) };
        status.write(text).map_err(|error| ShowError::Status(status.path.clone(), error))
    }
}
