//! Who looks at the frames: the network, or what was found in them once before.

use std::sync::Arc;

use super::capture::FrameJob;
use super::detect_worker::DetectorOutput;
use crate::detect::{DetectError, DetectSettings, DetectTimes, Detector, Pieces};
use crate::detection::{Detection, Detections};
use crate::labels::Labels;

/// What finds the objects of a frame.
pub enum DetectionSource {
    /// The network.
    Network(Box<Detector>),
    /// What was found before, whatever the picture shows.
    Recorded(RecordedDetections),
}

/// Detections of a recording, by the number of the frame; behind its end it begins again.
#[derive(Debug, Clone)]
pub struct RecordedDetections {
    frames: Arc<[Vec<Detection>]>,
    labels: Labels,
}

impl RecordedDetections {
    /// `frames`: what is found in each frame from number 0 on; `labels`: what the classes are called.
    pub fn new(frames: impl Into<Arc<[Vec<Detection>]>>, labels: Labels) -> Self {
        Self { frames: frames.into(), labels }
    }

    fn at(&self, sequence: u64) -> Detections {
        let place =
            sequence.checked_rem(self.frames.len() as u64).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.frames.get(place)).cloned().unwrap_or_default().into()
    }
}

impl From<Detector> for DetectionSource {
    fn from(detector: Detector) -> Self {
        Self::Network(Box::new(detector))
    }
}

impl From<RecordedDetections> for DetectionSource {
    fn from(recorded: RecordedDetections) -> Self {
        Self::Recorded(recorded)
    }
}

impl DetectionSource {
    /// The names of the classes.
    pub(super) fn labels(&self) -> &Labels {
        match self {
            Self::Network(detector) => detector.labels(),
            Self::Recorded(recorded) => &recorded.labels,
        }
    }

    /// The size of the network's input, across and down; `None` where there is no network.
    pub(super) fn input(&self) -> Option<(usize, usize)> {
        match self {
            Self::Network(detector) => Some(detector.input().size()),
            Self::Recorded(_) => None,
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
    pub(super) fn look(&mut self, job: &FrameJob) -> Result<(DetectorOutput, DetectTimes), DetectError> {
        let (mut found, times) = match self {
            Self::Network(detector) => {
                let mut detections = detector.detect(job.seen())?;
                let mut suppressed = detector.suppressed().clone();
                for list in [&mut detections, &mut suppressed] {
                    job.enhanced.place(list, job.frame.picture.size());
                }
                (DetectorOutput { detections, suppressed }, detector.times())
            }
            Self::Recorded(recorded) => {
                let detections = recorded.at(job.frame.sequence);
                (DetectorOutput { detections, suppressed: Detections::default() }, DetectTimes::default())
            }
        };
        for list in [&mut found.detections, &mut found.suppressed] {
            job.enhanced.leave_out(list);
        }
        Ok((found, times))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::enhance::{EnhanceSettings, Enhancer, Polygon};
    use crate::frame::{Frame, Picture};
    use crate::geometry::Rect;

    #[test]
    fn what_is_recorded_is_where_it_was_however_small_the_network_would_see_it() {
        let corner = Polygon::new(vec![(0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)]).unwrap();
        let settings = EnhanceSettings { masks: vec![corner], ..EnhanceSettings::default() };
        let picture = Arc::new(Picture::filled(1920, 1080, [90; 3]).unwrap());
        let (picture, enhanced) = Enhancer::new(settings).for_network((416, 416)).enhance(&picture, 0.0);
        assert_eq!(enhanced.seen.as_ref().unwrap().size(), (416, 234));
        let frame = Frame { picture, sequence: 0, time: 0.0, captured: Instant::now(), file: None };
        let job = FrameJob::alone(frame, enhanced);
        let detection =
            |left, top| Detection { rect: Rect::new(left, top, 80.0, 60.0), score: 0.9, class: 0 };
        let frames = vec![vec![detection(300.0, 200.0), detection(20.0, 10.0)]];
        let mut detector = DetectionSource::from(RecordedDetections::new(frames, Labels::coco()));
        let (found, _) = detector.look(&job).unwrap();
        assert_eq!(found.detections.boxes(), [detection(300.0, 200.0)], "but for what is masked");
    }
}
