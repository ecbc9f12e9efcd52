//! Where detections come from: a network, a recording of what was detected before, or the caller.

use std::sync::Arc;

#[cfg(feature = "detector")]
use super::motion::{AlsoMotion, MotionSource};
#[cfg(feature = "detector")]
use super::numbering::Numbering;
#[cfg(feature = "detector")]
use crate::background::MotionDetector;
#[cfg(feature = "detector")]
use crate::detect::check_classes;
#[cfg(feature = "detector")]
use crate::detect::{DetectError, DetectSettings, DetectTimes, Detector, InputRule, Slicer};
use crate::detection::{Detection, Detections};
#[cfg(feature = "detector")]
use crate::enhance::Enhanced;
use crate::frame::Frame;
use crate::kind::Kinds;
use crate::labels::Labels;

/// What was detected in a frame, in pixels of its picture.
#[derive(Debug, Clone, Default)]
pub struct DetectorOutput {
    /// What was found.
    pub detections: Detections,
    /// What non-maximum suppression removed because it overlaps a better detection: of people who hide one another, the one
    /// behind is often only here.
    pub suppressed: Detections,
    /// What kinds of things the classes are; by default every class is a thing of its own.
    pub kinds: Kinds,
    /// Pixels of the network's input for one of the picture; `None` where no network looked.
    pub scale: Option<f32>,
}

impl From<Detections> for DetectorOutput {
    fn from(detections: Detections) -> Self {
        Self { detections, ..Self::default() }
    }
}

impl From<Vec<Detection>> for DetectorOutput {
    fn from(detections: Vec<Detection>) -> Self {
        Detections::from(detections).into()
    }
}

#[cfg(feature = "detector")]
impl DetectorOutput {
    /// Leaves out what lies where objects do not count.
    pub(super) fn leave_out(&mut self, enhanced: &Enhanced) {
        for list in [&mut self.detections, &mut self.suppressed] {
            enhanced.leave_out(list);
        }
    }
}

/// Finds the objects of a frame.
#[derive(Default)]
pub enum DetectionSource {
    /// Nothing is found: the caller brings the detections.
    #[default]
    None,
    /// What was found before, whatever the picture shows.
    Recorded(RecordedDetections),
    /// The network.
    #[cfg(feature = "detector")]
    Network(Box<NetworkSource>),
    /// What moves, without a network. It wants the frames in their order.
    #[cfg(feature = "detector")]
    Motion(Box<MotionSource>),
}

/// A network in a run.
#[cfg(feature = "detector")]
pub struct NetworkSource {
    detector: Detector,
    /// What moves and the network does not find, where that is asked for.
    motion: Option<Box<AlsoMotion>>,
    /// Where the run began with a network of other classes.
    numbering: Option<Numbering>,
}

#[cfg(feature = "detector")]
impl NetworkSource {
    fn labels(&self) -> &Labels {
        self.numbering.as_ref().map_or_else(|| self.own_labels(), |numbering| &numbering.labels)
    }

    fn own_labels(&self) -> &Labels {
        self.motion.as_ref().map_or_else(|| self.detector.labels(), |motion| motion.labels())
    }
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

    /// The names of the classes.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// What was found in the frame of this number.
    fn at(&self, sequence: u64) -> DetectorOutput {
        let place =
            sequence.checked_rem(self.frames.len() as u64).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.frames.get(place)).cloned().unwrap_or_default().into()
    }
}

impl From<RecordedDetections> for DetectionSource {
    fn from(recorded: RecordedDetections) -> Self {
        Self::Recorded(recorded)
    }
}

#[cfg(feature = "detector")]
impl From<Detector> for DetectionSource {
    fn from(detector: Detector) -> Self {
        Self::Network(Box::new(NetworkSource { detector, motion: None, numbering: None }))
    }
}

#[cfg(feature = "detector")]
fn motion_detector(settings: &DetectSettings) -> MotionDetector {
    let mut detector = MotionDetector::new(settings.motion);
    detector.set_masks(settings.masks);
    detector
}

#[cfg(feature = "detector")]
impl From<MotionDetector> for DetectionSource {
    fn from(detector: MotionDetector) -> Self {
        Self::Motion(Box::new(MotionSource::new(detector)))
    }
}

#[cfg(not(feature = "detector"))]
impl DetectionSource {
    /// The detections of a frame.
    pub fn detect(&mut self, frame: &Frame) -> DetectorOutput {
        match self {
            Self::None => DetectorOutput::default(),
            Self::Recorded(recorded) => recorded.at(frame.sequence),
        }
    }
}

#[cfg(feature = "detector")]
impl DetectionSource {
    /// What the settings ask for: a network, which is loaded and checked, or what moves.
    ///
    /// # Errors
    /// As [`Detector::load`]; [`DetectError::UnknownClass`] where what moves is to be of another class.
    pub fn load(settings: &DetectSettings) -> Result<Self, DetectError> {
        if settings.is_motion() {
            check_classes(settings)?;
            return Ok(motion_detector(settings).into());
        }
        Ok(Self::from(Detector::load(settings)?).also_motion(settings))
    }

    /// The same network, and what moves beside what it finds, where the settings ask for that.
    pub(crate) fn also_motion(mut self, settings: &DetectSettings) -> Self {
        if let Self::Network(network) = &mut self {
            let motion = || Box::new(AlsoMotion::new(motion_detector(settings), network.detector.labels()));
            network.motion = settings.also_motion.then(motion);
        }
        self
    }

    /// The next frame does not follow on the one before: what was learnt of the place is forgotten.
    pub fn begin_anew(&mut self) {
        match self {
            Self::None | Self::Recorded(_) => {}
            Self::Network(network) => {
                if let Some(motion) = &mut network.motion {
                    motion.begin_anew();
                }
            }
            Self::Motion(motion) => motion.begin_anew(),
        }
    }

    /// Whether frames have to come in their order, none of them to another fork.
    pub fn is_in_order(&self) -> bool {
        match self {
            Self::None | Self::Recorded(_) => false,
            Self::Network(network) => network.motion.is_some(),
            Self::Motion(_) => true,
        }
    }

    /// Finds the objects of a frame, where objects count, and tells how long the network took. `enhanced` is what was made of
    /// the frame's picture for the network; boxes are in pixels of the frame's picture.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network fails.
    pub fn detect(
        &mut self,
        frame: &Frame,
        enhanced: &Enhanced,
    ) -> Result<(DetectorOutput, DetectTimes), DetectError> {
        let (mut output, times) = match self {
            Self::None => (DetectorOutput::default(), DetectTimes::default()),
            Self::Recorded(recorded) => (recorded.at(frame.sequence), DetectTimes::default()),
            Self::Network(network) => {
                let NetworkSource { detector, motion, numbering } = &mut **network;
                let seen = enhanced.seen.as_ref().unwrap_or(&frame.picture);
                let mut detections = detector.detect(seen)?;
                let mut suppressed = detector.suppressed().clone();
                let shrunk = seen.width() as f32 / frame.picture.width() as f32;
                for list in [&mut detections, &mut suppressed] {
                    enhanced.place(list, frame.picture.size());
                }
                if let Some(motion) = motion {
                    motion.add(frame, &mut detections);
                }
                if let Some(numbering) = numbering {
                    [&mut detections, &mut suppressed].into_iter().for_each(|list| numbering.apply(list));
                }
                let own = || motion.as_ref().map_or_else(|| detector.kinds(), |motion| motion.kinds());
                let kinds = numbering.as_ref().map_or_else(own, |numbering| &numbering.kinds);
                let (kinds, scale) = (kinds.clone(), Some(detector.scale() * shrunk));
                (DetectorOutput { detections, suppressed, kinds, scale }, detector.times())
            }
            Self::Motion(motion) => motion.detect(frame),
        };
        output.leave_out(enhanced);
        Ok((output, times))
    }

    /// The same with its classes numbered as in a run that had these names so far: equal names have equal numbers, and new
    /// names come behind. What is recorded stays as it is.
    pub fn numbered_after(mut self, run: &Labels) -> Self {
        match &mut self {
            Self::Network(network) => network.numbering = Numbering::new(network.own_labels(), run),
            Self::Motion(motion) => motion.number_after(run),
            Self::None | Self::Recorded(_) => {}
        }
        self
    }

    /// The names of the classes; `None` where the caller brings the detections.
    pub fn labels(&self) -> Option<&Labels> {
        match self {
            Self::None => None,
            Self::Recorded(recorded) => Some(&recorded.labels),
            Self::Network(network) => Some(network.labels()),
            Self::Motion(motion) => Some(motion.labels()),
        }
    }

    /// The size of the network's input for a picture of this width and height, across and down; `None` where there is no
    /// network.
    pub fn input_for(&self, picture: (u32, u32)) -> Option<(usize, usize)> {
        match self {
            Self::None | Self::Recorded(_) | Self::Motion(_) => None,
            Self::Network(network) => Some(network.detector.input_for(picture).size()),
        }
    }

    /// How that size comes about; `None` where there is no network.
    pub fn input_rule(&self) -> Option<InputRule> {
        match self {
            Self::None | Self::Recorded(_) | Self::Motion(_) => None,
            Self::Network(network) => Some(network.detector.input_rule()),
        }
    }

    /// Makes the network ready for pictures of this width and height, so that the first one need not wait.
    pub fn prepare_for(&mut self, picture: (u32, u32)) {
        if let Self::Network(network) = self {
            network.detector.prepare_for(picture);
        }
    }

    /// The size of the network's input for the last picture, across and down; `None` where there is no network.
    pub fn input(&self) -> Option<(usize, usize)> {
        match self {
            Self::None | Self::Recorded(_) | Self::Motion(_) => None,
            Self::Network(network) => Some(network.detector.input().size()),
        }
    }

    /// What it is, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::None => "detections that the caller brings".to_owned(),
            Self::Recorded(recorded) => format!("recorded detections of {} frames", recorded.frames.len()),
            Self::Network(network) => {
                let detector = &network.detector;
                let budget = match detector.input_rule() {
                    InputRule::Follows(budget) => format!(" ({budget})"),
                    InputRule::Fixed(_) => String::new(),
                };
                format!("the network at {}{budget}, run by {}", detector.input(), detector.runtime())
            }
            Self::Motion(_) => "what moves, without a network".to_owned(),
        }
    }

    /// The same for another thread.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network's runtime cannot make a state.
    pub fn fork(&self) -> Result<Self, DetectError> {
        Ok(match self {
            Self::None => Self::None,
            Self::Recorded(recorded) => recorded.clone().into(),
            Self::Network(network) => {
                let NetworkSource { detector, motion, numbering } = &**network;
                let motion = motion.as_ref().map(|motion| Box::new(motion.fork()));
                let fork = NetworkSource { detector: detector.fork()?, motion, numbering: numbering.clone() };
                Self::Network(Box::new(fork))
            }
            Self::Motion(motion) => Self::Motion(Box::new(motion.fork())),
        })
    }

    /// The same with each frame's work split over so many threads.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network's runtime cannot make a state.
    pub fn with_threads(self, threads: usize) -> Result<Self, DetectError> {
        Ok(match self {
            Self::Network(network) => {
                let NetworkSource { detector, motion, numbering } = *network;
                Self::Network(Box::new(NetworkSource {
                    detector: detector.with_threads(threads)?,
                    motion,
                    numbering,
                }))
            }
            other => other,
        })
    }

    /// Which slices of a picture the network sees from the next frame on.
    pub fn set_slicer(&mut self, slicer: Slicer) {
        if let Self::Network(network) = self {
            network.detector.set_slicer(slicer);
        }
    }

    /// Other thresholds, classes, slices and pixel budget from the next frame on. What is recorded stays as it is.
    pub fn set_settings(&mut self, settings: &DetectSettings, slicer: Slicer) {
        self.set_slicer(slicer);
        if let Self::Motion(motion) = self {
            motion.set(settings.motion, settings.masks);
        }
        let Self::Network(network) = self else { return };
        if let Some(motion) = &mut network.motion {
            motion.set(settings.motion, settings.masks);
        }
        let detector = &mut network.detector;
        detector.set_thresholds(settings.confidence, settings.nms_iou);
        detector.set_box_voting(settings.box_voting);
        if let InputRule::Follows(budget) = InputRule::of(settings.input) {
            detector.set_budget(budget);
        }
        // Classes that only the network to come knows wait for it.
        if let Err(error) = detector.set_classes(&settings.classes) {
            log::debug!("the classes stay as they are: {error}");
        }
    }
}

#[cfg(all(test, feature = "detector"))]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::enhance::{EnhanceSettings, Enhancer, Polygon};
    use crate::frame::Picture;
    use crate::geometry::Rect;

    #[test]
    fn what_is_recorded_is_where_it_was_however_small_the_network_would_see_it() {
        let corner = Polygon::new(vec![(0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)]).unwrap();
        let settings = EnhanceSettings { masks: vec![corner], ..EnhanceSettings::default() };
        let picture = Arc::new(Picture::filled(1920, 1080, [90; 3]).unwrap());
        let (picture, enhanced) = Enhancer::new(settings).for_network((416, 416)).enhance(&picture, 0.0);
        assert_eq!(enhanced.seen.as_ref().unwrap().size(), (416, 234));
        let frame = Frame { picture, sequence: 0, time: 0.0, captured: Instant::now(), file: None };
        let detection =
            |left, top| Detection { rect: Rect::new(left, top, 80.0, 60.0), score: 0.9, class: 0 };
        let frames = vec![vec![detection(300.0, 200.0), detection(20.0, 10.0)]];
        let mut detector = DetectionSource::from(RecordedDetections::new(frames, Labels::coco()));
        let (found, _) = detector.detect(&frame, &enhanced).unwrap();
        assert_eq!(found.detections.boxes(), [detection(300.0, 200.0)], "but for what is masked");
    }
}
