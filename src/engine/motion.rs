//! What moves, as a source of detections.

use std::time::Instant;

use super::DetectorOutput;
use super::numbering::Numbering;
use crate::background::{MOVING, MotionDetector, MotionSettings};
use crate::detect::{DetectTimes, with_moving};
use crate::detection::{ClassId, Detection, Detections};
use crate::frame::Frame;
use crate::kind::Kinds;
use crate::labels::Labels;

/// Boxes of a network from this score on cover what moves.
const COVERS: f32 = 0.3;
/// What moves is covered where so much of it lies in such a box, or of the box in it: a person in a group.
const COVERED: f32 = 0.5;

/// A motion detector in a run.
#[derive(Debug)]
pub struct MotionSource {
    detector: MotionDetector,
    own: Labels,
    /// Where the run began with a network.
    numbering: Option<Numbering>,
}

impl MotionSource {
    pub(super) fn new(detector: MotionDetector) -> Self {
        Self { detector, own: Labels::from_iter([MOVING.to_owned()]), numbering: None }
    }

    /// For the frames of another source.
    pub(super) fn fork(&self) -> Self {
        Self { detector: self.detector.fork(), own: self.own.clone(), numbering: self.numbering.clone() }
    }

    pub(super) fn labels(&self) -> &Labels {
        self.numbering.as_ref().map_or(&self.own, |numbering| &numbering.labels)
    }

    pub(super) fn number_after(&mut self, run: &Labels) {
        self.numbering = Numbering::new(&self.own, run);
    }

    pub(super) fn set(&mut self, settings: MotionSettings, masks: bool) {
        self.detector.set(settings);
        self.detector.set_masks(masks);
    }

    pub(super) fn begin_anew(&mut self) {
        self.detector.begin_anew();
    }

    /// What moves in a frame, as it is shown; what was made of it for a network has other light and noise each time.
    pub(super) fn detect(&mut self, frame: &Frame) -> (DetectorOutput, DetectTimes) {
        let begun = Instant::now();
        let mut detections = self.detector.detect(&(&*frame.picture).into(), frame.time);
        if let Some(numbering) = &self.numbering {
            numbering.apply(&mut detections);
        }
        let kinds = Kinds::of(self.labels());
        let times = DetectTimes { inference: begun.elapsed(), ..DetectTimes::default() };
        (DetectorOutput { detections, kinds, ..DetectorOutput::default() }, times)
    }
}

/// A motion detector beside a network: what moves and has no box.
#[derive(Debug)]
pub(super) struct AlsoMotion {
    detector: MotionDetector,
    labels: Labels,
    kinds: Kinds,
    class: ClassId,
}

impl AlsoMotion {
    /// `network`: the names of its classes.
    pub(super) fn new(detector: MotionDetector, network: &Labels) -> Self {
        let labels = with_moving(network.clone(), true);
        let class = labels.find(MOVING).unwrap_or_default();
        Self { detector, kinds: Kinds::of(&labels), labels, class }
    }

    /// For the frames of another source.
    pub(super) fn fork(&self) -> Self {
        Self {
            detector: self.detector.fork(),
            labels: self.labels.clone(),
            kinds: self.kinds.clone(),
            class: self.class,
        }
    }

    /// The names of the network's classes and of what moves.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(super) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(super) fn set(&mut self, settings: MotionSettings, masks: bool) {
        self.detector.set(settings);
        self.detector.set_masks(masks);
    }

    pub(super) fn begin_anew(&mut self) {
        self.detector.begin_anew();
    }

    /// Adds what moves and no detection covers; boxes in pixels of the frame's picture.
    pub(super) fn add(&mut self, frame: &Frame, detections: &mut Detections) {
        let moving = self.detector.detect(&(&*frame.picture).into(), frame.time);
        let is_free = |moving: &Detection| {
            !detections.iter().filter(|found| found.score >= COVERS).any(|found| {
                moving.rect.share_in(&found.rect) >= COVERED || found.rect.share_in(&moving.rect) >= COVERED
            })
        };
        let free: Vec<usize> = (0..moving.len()).filter(|&at| moving.get(at).is_some_and(is_free)).collect();
        let mut free = moving.select(&free);
        free.retain_mut(|moving| {
            moving.class = self.class;
            true
        });
        detections.append(&mut free);
    }
}
