//! What the window shows, for other programs: one JSON object in a file that is replaced as a whole whenever something has
//! changed, so that whoever reads it finds either the old state or the new one.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::age::Ages;
use super::{Pipeline, Rate, ShowError, Stage};
use crate::config::Live;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::scene::{Scene, Track, TrackState};
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

/// What is told of a source.
#[derive(Serialize)]
pub(super) struct State<'a> {
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
    /// What went wrong with the source or the network.
    failure: Option<String>,
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

/// What is told of several sources in one window.
#[derive(Serialize)]
pub(super) struct WallState<'a> {
    pub(super) version: u32,
    pub(super) sources: Vec<State<'a>>,
    /// The source that has the whole window, from 1.
    pub(super) enlarged: Option<usize>,
    pub(super) paused: bool,
    pub(super) message: Option<&'a str>,
    /// What is wrong with the config file.
    pub(super) problem: Option<&'a str>,
    pub(super) closed: bool,
}

/// What the window knows of a source.
pub(super) struct Facts<'a> {
    pub(super) source: &'a str,
    /// `None`: it is not open (yet).
    pub(super) pipeline: Option<&'a Pipeline>,
    pub(super) frame: Option<&'a Frame>,
    pub(super) scene: Option<&'a Scene>,
    pub(super) labels: &'a Labels,
    pub(super) live: &'a Live,
    /// What the detector looks at.
    pub(super) input: String,
    pub(super) paused: bool,
    pub(super) ended: bool,
    pub(super) seeking: bool,
    pub(super) speed: f64,
    pub(super) repeat: bool,
    pub(super) recording: Option<f64>,
    pub(super) settled: bool,
    pub(super) ages: &'a Ages,
    pub(super) displayed: &'a Rate,
    pub(super) message: Option<&'a str>,
    pub(super) failure: Option<String>,
    pub(super) closed: bool,
}

impl<'a> State<'a> {
    pub(super) fn of(facts: Facts<'a>) -> Self {
        let (frame, pipeline) = (facts.frame, facts.pipeline);
        let object = |track: &Track| Object {
            id: track.id,
            class: facts.labels.name(track.class).into_owned(),
            rect: [track.rect.left, track.rect.top, track.rect.width, track.rect.height],
            lost: track.state == TrackState::Lost,
        };
        let health = pipeline.and_then(|pipeline| pipeline.health.as_ref());
        let (condition, silent_seconds) = match health.map(Health::condition) {
            None => (None, None),
            Some(Condition::Good) => (Some("good"), None),
            Some(Condition::Stalled(silent)) => (Some("stalled"), Some(silent.as_secs_f64())),
            Some(Condition::Gone { silent, .. }) => (Some("gone"), Some(silent.as_secs_f64())),
        };
        let memory = pipeline.and_then(|pipeline| pipeline.memory.as_ref()).map(super::lock);
        Self {
            version: 1,
            source: facts.source,
            frame: frame.map(|frame| frame.sequence + 1),
            frames: pipeline.and_then(|pipeline| pipeline.info.frames),
            time: frame.map(|frame| frame.time),
            duration: pipeline.and_then(|pipeline| pipeline.info.duration),
            paused: facts.paused,
            ended: facts.ended,
            seeking: facts.seeking,
            speed: facts.speed,
            repeat: facts.repeat,
            recording: facts.recording,
            settled: facts.settled,
            remembered_bytes: memory.map_or(0, |memory| memory.bytes()),
            condition,
            silent_seconds,
            damaged: health.map(Health::damaged),
            reopened: health.map(Health::reopened),
            age_ms: facts.ages.shown_ms(),
            age_ms_worst: facts.ages.worst_ms(),
            size: frame.map(|frame| frame.picture.size()),
            display_fps: facts.displayed.per_second(),
            detection_fps: pipeline.map_or(0.0, |pipeline| pipeline.stats.detected.per_second()),
            confidence: facts.live.settings().detector.confidence,
            message: facts.message,
            failure: facts.failure,
            problem: facts.live.problem(),
            input: facts.input,
            tracks: facts.scene.iter().flat_map(|scene| &scene.tracks).map(object).collect(),
            closed: facts.closed,
        }
    }
}

impl Status {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, written: None, last: String::new() }
    }

    /// Whether it is too early to write while frames follow one another.
    pub(super) fn is_fresh(&self) -> bool {
        self.written.is_some_and(|written| written.elapsed() < PAUSE)
    }

    /// Writes what is told, where it is not what was told last.
    ///
    /// # Errors
    /// [`ShowError::Status`].
    pub(super) fn tell(&mut self, state: &impl Serialize) -> Result<(), ShowError> {
        // Strings and numbers alone cannot fail to become JSON.
        let text = serde_json::to_string(state).unwrap_or_default() + "\n";
        self.write(text).map_err(|error| ShowError::Status(self.path.clone(), error))
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
            Some(status) if !still && status.is_fresh() => Ok(()),
            Some(_) => self.write_status(false),
            None => Ok(()),
        }
    }

    /// Says that it is over.
    pub(super) fn close_status(&mut self) -> Result<(), ShowError> {
        if self.status.is_some() { self.write_status(true) } else { Ok(()) }
    }

    fn write_status(&mut self, closed: bool) -> Result<(), ShowError> {
        let carried = &self.show.carried;
        let state = State::of(Facts {
            source: &self.show.pipeline.info.name,
            pipeline: Some(&self.show.pipeline),
            frame: self.current.as_ref().map(|shot| &shot.frame),
            scene: self.scene.as_ref(),
            labels: &self.show.labels,
            live: &carried.live,
            input: carried.live.settings().detector.input.to_string(),
            paused: self.paused,
            ended: self.ended,
            seeking: self.awaiting,
            speed: carried.speed,
            repeat: carried.repeat,
            recording: self.show.recorder.video().map(|video| video.seconds),
            settled: self.is_settled(),
            ages: &self.ages,
            displayed: &self.displayed,
            message: self.message.as_ref().map(|(text, _)| text.as_str()),
            failure: self.failure.as_ref().map(ToString::to_string),
            closed,
        });
        self.status.as_mut().map_or(Ok(()), |status| status.tell(&state))
    }
}
