//! What the window shows, for other programs: the states that go into the status file.

use serde::Serialize;

use super::age::Ages;
use super::{Pipeline, Rate, ShowError, Stage};
use crate::config::Live;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::pipeline::status::{Fares, Object};
use crate::scene::Scene;

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
    #[serde(flatten)]
    fares: Fares,
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
        let health = pipeline.and_then(|pipeline| pipeline.health.as_ref());
        let memory = pipeline.and_then(|pipeline| pipeline.memory.as_ref()).map(super::lock);
        let tracks = facts.scene.iter().flat_map(|scene| &scene.tracks);
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
            fares: Fares::of(health),
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
            tracks: tracks.map(|track| Object::of(track, facts.labels)).collect(),
            closed: facts.closed,
        }
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
        Ok(self.status.as_mut().map_or(Ok(()), |status| status.tell(&state))?)
    }
}
