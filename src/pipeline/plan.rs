//! What a run is made of, and how frames go through it.

use std::sync::Arc;

use super::message::Reopen;
use super::stats::Stats;
use super::stop::Stop;
use crate::analyse::Stages;
use crate::config::Settings;
use crate::engine::DetectionSource;
use crate::source::{Source, SourceInfo};

/// How frames go through the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every frame waits for its own detections, and none is left out: a run into files.
    EveryFrame,
    /// The same, for pictures that do not follow one another, such as photographs in a folder.
    Photos,
    /// The detector gets the newest frame whenever it is free; nothing is shown. A live run into files.
    Newest,
    /// The same, and every frame is also handed out at once ([`Pipeline::frames`](super::Pipeline::frames)), a recording's at
    /// its own time. A window on a source that one cannot go back in.
    Display,
    /// A window with seeking: the run keeps a history of the tracks and waits at the end of the recording. For a live
    /// source, the same as [`Mode::Display`].
    Replay {
        /// As [`Mode::EveryFrame`]; otherwise as [`Mode::Display`].
        every_frame: bool,
    },
}

impl Mode {
    /// The mode of a run into files: a live source cannot wait.
    pub fn into_files(info: &SourceInfo) -> Self {
        if info.kind.is_live() { Self::Newest } else { Self::EveryFrame }
    }

    /// The mode of a window. `every_frame`: each frame with its own tracks, instead of keeping time; `replay`: one can go back.
    pub fn in_window(every_frame: bool, replay: bool) -> Self {
        match (every_frame, replay) {
            (every_frame, true) => Self::Replay { every_frame },
            (true, false) => Self::EveryFrame,
            (false, false) => Self::Display,
        }
    }

    /// The mode for a live source, in which seeking is not possible.
    pub(super) fn of_source(self, is_live: bool) -> Self {
        match self {
            Self::Replay { every_frame: true } if is_live => Self::EveryFrame,
            Self::Replay { every_frame: false } if is_live => Self::Display,
            mode => mode,
        }
    }

    /// Every frame waits for its own detections.
    pub(super) fn every_frame(self) -> bool {
        matches!(self, Self::EveryFrame | Self::Photos | Self::Replay { every_frame: true })
    }

    /// Somebody looks on.
    pub(super) fn is_shown(self) -> bool {
        matches!(self, Self::Display | Self::Replay { .. })
    }

    /// Frames are also handed out at once.
    pub(super) fn displays(self) -> bool {
        matches!(self, Self::Display | Self::Replay { every_frame: false })
    }
}

/// What a run is made of.
pub struct Plan<'a> {
    /// Where frames come from.
    pub source: Box<dyn Source>,
    /// Its number among the sources of the run, from 1: what lines and zones can be bound to.
    pub number: usize,
    /// How to begin the source again, where it can be.
    pub reopen: Option<Reopen>,
    /// The network, or what stands in for it.
    pub detector: DetectionSource,
    /// What is made of each scene.
    pub stages: Stages,
    /// The settings in force.
    pub settings: &'a Settings,
    /// How frames go through it.
    pub mode: Mode,
    /// Where the threads tell of themselves.
    pub stats: Arc<Stats>,
    /// When to end.
    pub stop: Stop,
}
