//! The status file: what the window shows, for other programs.

use serde::Serialize;

use super::shown_frame::ShownFrame;
use crate::config::Live;
use crate::labels::Labels;
use crate::pipeline::status::{Fares, StatusTrack};
use crate::pipeline::{Pipeline, RunError};
use crate::scene::Scene;
use crate::sync::lock;

/// The state of one source.
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
    /// Whether the frame shown was detected or is in the history: its tracks are then its own.
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
    /// Pictures a second that the window has shown recently, and frames a second that the detector has processed.
    display_fps: f64,
    detection_fps: f64,
    /// Nothing moves, and the detector rests.
    resting: bool,
    confidence: f32,
    message: Option<&'a str>,
    /// The error of the source or the network.
    failure: Option<String>,
    /// What is wrong with the config file.
    problem: Option<&'a str>,
    /// The size of the network's input for the newest picture; before the first, and without a network, the setting.
    input: String,
    tracks: Vec<StatusTrack>,
    closed: bool,
}

/// The state of several sources in one window.
#[derive(Serialize)]
pub(crate) struct GridState<'a> {
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

/// The state of a source, as the window knows it.
pub(crate) struct Facts<'a> {
    pub(crate) source: &'a str,
    /// `None`: it is not open (yet).
    pub(crate) pipeline: Option<&'a Pipeline>,
    pub(crate) frame: &'a ShownFrame,
    pub(crate) scene: Option<&'a Scene>,
    pub(crate) labels: &'a Labels,
    pub(crate) live: &'a Live,
    pub(crate) paused: bool,
    pub(crate) ended: bool,
    pub(crate) seeking: bool,
    pub(crate) speed: f64,
    pub(crate) repeat: bool,
    pub(crate) recording: Option<f64>,
    pub(crate) settled: bool,
    pub(crate) message: Option<&'a str>,
    pub(crate) failure: Option<&'a RunError>,
    pub(crate) closed: bool,
}

impl<'a> State<'a> {
    pub(crate) fn of(facts: Facts<'a>) -> Self {
        let (frame, pipeline) = (facts.frame.frame(), facts.pipeline);
        let health = pipeline.and_then(|pipeline| pipeline.health.as_ref());
        let history = pipeline.and_then(|pipeline| pipeline.history.as_ref()).map(|history| lock(history));
        Self {
            version: 1,
            source: facts.source,
            frame: frame.map(|frame| frame.sequence + 1),
            frames: pipeline.and_then(|pipeline| pipeline.info.frames),
            time: frame.map(|frame| frame.time),
            duration: pipeline.and_then(|pipeline| pipeline.duration()),
            paused: facts.paused,
            ended: facts.ended,
            seeking: facts.seeking,
            speed: facts.speed,
            repeat: facts.repeat,
            recording: facts.recording,
            settled: facts.settled,
            remembered_bytes: history.map_or(0, |history| history.bytes()),
            fares: Fares::of(health),
            age_ms: facts.frame.ages.shown_ms(),
            age_ms_worst: facts.frame.ages.worst_ms(std::time::Instant::now()),
            size: frame.map(|frame| frame.picture.size()),
            display_fps: facts.frame.displayed.per_second(),
            detection_fps: pipeline.map_or(0.0, |pipeline| pipeline.stats.detected.per_second()),
            resting: pipeline.is_some_and(|pipeline| pipeline.stats.is_resting()),
            confidence: facts.live.settings().detector.confidence,
            message: facts.message,
            failure: facts.failure.map(ToString::to_string),
            problem: facts.live.problem(),
            input: match pipeline.and_then(Pipeline::input) {
                Some((width, height)) => format!("{width}x{height}"),
                None => facts.live.settings().detector.input.to_string(),
            },
            tracks: facts.scene.map_or_else(Vec::new, |scene| StatusTrack::all(scene, facts.labels)),
            closed: facts.closed,
        }
    }
}
