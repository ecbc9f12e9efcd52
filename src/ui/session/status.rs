//! What the window shows, for other programs: the states that go into the status file.

use serde::Serialize;

use super::{Pipeline, Rate, ShowError, Stage};
use crate::config::Live;
use crate::frame::Frame;
use crate::labels::Labels;
use crate::pipeline::status::{Fares, StatusTrack};
use crate::scene::Scene;
use crate::ui::age::Ages;

/// What is told of a source.
#[derive(Serialize)]
pub(crate) struct State<'a> {
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
    tracks: Vec<StatusTrack>,
    closed: bool,
}

/// What is told of several sources in one window.
#[derive(Serialize)]
pub(crate) struct WallState<'a> {
    pub(crate) version: u32,
    pub(crate) sources: Vec<State<'a>>,
    /// The source that has the whole window, from 1.
    pub(crate) enlarged: Option<usize>,
    pub(crate) paused: bool,
    pub(crate) message: Option<&'a str>,
    /// What is wrong with the config file.
    pub(crate) problem: Option<&'a str>,
    pub(crate) closed: bool,
}

/// What the window knows of a source.
pub(crate) struct Facts<'a> {
    pub(crate) source: &'a str,
    /// `None`: it is not open (yet).
    pub(crate) pipeline: Option<&'a Pipeline>,
    pub(crate) frame: Option<&'a Frame>,
    pub(crate) scene: Option<&'a Scene>,
    pub(crate) labels: &'a Labels,
    pub(crate) live: &'a Live,
    /// What the detector looks at.
    pub(crate) input: String,
    pub(crate) paused: bool,
    pub(crate) ended: bool,
    pub(crate) seeking: bool,
    pub(crate) speed: f64,
    pub(crate) repeat: bool,
    pub(crate) recording: Option<f64>,
    pub(crate) settled: bool,
    pub(crate) ages: &'a Ages,
    pub(crate) displayed: &'a Rate,
    pub(crate) message: Option<&'a str>,
    pub(crate) failure: Option<String>,
    pub(crate) closed: bool,
}

impl<'a> State<'a> {
    pub(crate) fn of(facts: Facts<'a>) -> Self {
        let (frame, pipeline) = (facts.frame, facts.pipeline);
        let health = pipeline.and_then(|pipeline| pipeline.health.as_ref());
        let history =
            pipeline.and_then(|pipeline| pipeline.history.as_ref()).map(|history| super::lock(history));
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
            remembered_bytes: history.map_or(0, |history| history.bytes()),
            fares: Fares::of(health),
            age_ms: facts.ages.shown_ms(),
            age_ms_worst: facts.ages.worst_ms(std::time::Instant::now()),
            size: frame.map(|frame| frame.picture.size()),
            display_fps: facts.displayed.per_second(),
            detection_fps: pipeline.map_or(0.0, |pipeline| pipeline.stats.detected.per_second()),
            confidence: facts.live.settings().detector.confidence,
            message: facts.message,
            failure: facts.failure,
            problem: facts.live.problem(),
            input: facts.input,
            tracks: facts.scene.map_or_else(Vec::new, |scene| StatusTrack::all(scene, facts.labels)),
            closed: facts.closed,
        }
    }
}

impl Stage {
    /// Writes the state where that is wanted and something has changed.
    ///
    /// # Errors
    /// [`ShowError::Status`].
    pub(crate) fn tell_status(&mut self) -> Result<(), ShowError> {
        let still = self.paused || self.ended;
        match &self.status {
            Some(status) if !still && status.is_fresh() => Ok(()),
            Some(_) => self.write_status(false),
            None => Ok(()),
        }
    }

    /// Says that it is over.
    pub(crate) fn close_status(&mut self) -> Result<(), ShowError> {
        if self.status.is_some() { self.write_status(true) } else { Ok(()) }
    }

    fn write_status(&mut self, closed: bool) -> Result<(), ShowError> {
        let carried = &self.show.carried;
        let state = State::of(Facts {
            source: &self.show.pipeline.info.name,
            pipeline: Some(&self.show.pipeline),
            frame: self.current.as_ref().map(|job| &job.frame),
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
        Ok(self.status.as_mut().map_or(Ok(()), |status| status.write(&state))?)
    }
}
