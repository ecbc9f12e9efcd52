//! Who looks at the frames: the network, or what was found in them once before.

use std::sync::Arc;

use super::capture::Shot;
use super::sense::Found;
use crate::detect::{DetectError, DetectSettings, DetectTimes, Detector, Pieces};
use crate::detection::Detection;
use crate::labels::Labels;

/// What finds the objects of a frame.
pub enum Eye {
    /// The network.
    Network(Box<Detector>),
    /// What was found before, whatever the picture shows.
    Recorded(Recorded),
}

/// Detections of a recording, by the number of the frame; behind its end it begins again.
#[derive(Debug, Clone)]
pub struct Recorded {
    frames: Arc<[Vec<Detection>]>,
    labels: Labels,
}

impl Recorded {
    /// `frames`: what is found in each frame from number 0 on; `labels`: what the classes are called.
    pub fn new(frames: impl Into<Arc<[Vec<Detection>]>>, labels: Labels) -> Self {
        Self { frames: frames.into(), labels }
    }

    fn at(&self, sequence: u64) -> Vec<Detection> {
        let place =
            sequence.checked_rem(self.frames.len() as u64).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.frames.get(place)).cloned().unwrap_or_default()
    }
}

impl From<Detector> for Eye {
    fn from(detector: Detector) -> Self {
        Self::Network(Box::new(detector))
    }
}

impl From<Recorded> for Eye {
    fn from(recorded: Recorded) -> Self {
        Self::Recorded(recorded)
    }
}

impl Eye {
    /// The names of the classes.
    pub(super) fn labels(&self) -> &Labels {
        match self {
            Self::Network(detector) => detector.labels(),
            Self::Recorded(recorded) => &recorded.labels,
        }
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Network(detector) => {
                format!("the network at {}, run by {}", detector.input(), detector.runtime())
            }
            Self::Recorded(recorded) => format!("recorded detections of {} frames", recorded.frames.len()),
        }
    }

    /// The same for another thread.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network's runtime cannot make a state.
    pub(super) fn fork(&self) -> Result<Self, DetectError> {
        Ok(match self {
            Self::Network(detector) => detector.fork()?.into(),
            Self::Recorded(recorded) => recorded.clone().into(),
        })
    }

    /// The same with each frame's work split over so many threads.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network's runtime cannot make a state.
    pub(super) fn with_threads(self, threads: usize) -> Result<Self, DetectError> {
        Ok(match self {
            Self::Network(detector) => detector.with_threads(threads)?.into(),
            Self::Recorded(_) => self,
        })
    }

    /// Which pieces of a picture are looked at from the next frame on.
    pub(super) fn set_pieces(&mut self, pieces: Pieces) {
        if let Self::Network(detector) = self {
            detector.set_pieces(pieces);
        }
    }

    /// Other thresholds, classes and pieces from the next frame on. What is recorded stays as it is.
    pub(super) fn adjust(&mut self, asked: &DetectSettings, pieces: Pieces) {
        self.set_pieces(pieces);
        let Self::Network(detector) = self else { return };
        detector.set_thresholds(asked.confidence, asked.nms_iou);
        // Classes that only the network to come knows wait for it.
        if let Err(error) = detector.set_classes(&asked.classes) {
            log::debug!("the classes stay as they are: {error}");
        }
    }

    /// Finds the objects of a frame, where objects count, and tells how long it took.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network fails.
    pub(super) fn look(&mut self, shot: &Shot) -> Result<(Found, DetectTimes), DetectError> {
        let (mut found, times) = match self {
            Self::Network(detector) => {
                let detections = detector.detect(shot.seen())?;
                let suppressed = detector.suppressed().to_vec();
                (Found { detections, suppressed }, detector.times())
            }
            Self::Recorded(recorded) => {
                let detections = recorded.at(shot.frame.sequence);
                (Found { detections, suppressed: Vec::new() }, DetectTimes::default())
            }
        };
        for list in [&mut found.detections, &mut found.suppressed] {
            shot.enhanced.place(list, shot.frame.picture.size());
        }
        Ok((found, times))
    }
}
