//! What moves, as a source of detections.

use std::time::Instant;

use super::DetectorOutput;
use super::numbering::Numbering;
use crate::background::{MOVING, MotionDetector, MotionSettings};
use crate::detect::{DetectTimes, with_moving};
use crate::detection::{ClassId, Detections};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::kind::Kinds;
use crate::labels::Labels;

/// Boxes of a network from this score on cover what moves: below the score from which on they are told by default.
const COVERS: f32 = 0.2;
/// And for so many seconds, as a network now and then misses what it has found.
const COVERS_SECONDS: f64 = 1.0;
/// A box that overlaps by this much (intersection over union) takes the place of an older one.
const SAME: f32 = 0.5;
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
    /// Boxes of the network, and when they were found, in seconds of the source.
    covers: Vec<(Rect, f64)>,
}

impl AlsoMotion {
    /// `network`: the names of its classes.
    pub(super) fn new(detector: MotionDetector, network: &Labels) -> Self {
        let labels = with_moving(network.clone(), true);
        let class = labels.find(MOVING).unwrap_or_default();
        Self { detector, kinds: Kinds::of(&labels), labels, class, covers: Vec::new() }
    }

    /// For the frames of another source.
    pub(super) fn fork(&self) -> Self {
        Self {
            detector: self.detector.fork(),
            labels: self.labels.clone(),
            kinds: self.kinds.clone(),
            class: self.class,
            covers: Vec::new(),
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
        self.covers.clear();
    }

    /// Adds what moves and no detection covers; boxes in pixels of the frame's picture.
    pub(super) fn add(&mut self, frame: &Frame, detections: &mut Detections) {
        let moving = self.detector.detect(&(&*frame.picture).into(), frame.time);
        self.cover(detections, frame.time);
        let free: Vec<usize> = (0..moving.len())
            .filter(|at| moving.get(*at).is_some_and(|moving| !self.is_covered(moving.rect, frame.time)))
            .collect();
        let mut free = moving.select(&free);
        free.retain_mut(|moving| {
            moving.class = self.class;
            true
        });
        detections.append(&mut free);
    }

    /// Whether the network has a box there, or had one a moment ago, which then goes along with what moves.
    fn is_covered(&mut self, moving: Rect, time: f64) -> bool {
        let covers = |rect: &Rect| moving.share_in(rect) >= COVERED || rect.share_in(&moving) >= COVERED;
        let newest = self.covers.iter().filter(|(rect, _)| covers(rect)).map(|(_, then)| *then);
        let Some(then) = newest.reduce(f64::max) else { return false };
        if then < time {
            self.covers.retain(|(rect, _)| moving.iou(rect) < SAME);
            self.covers.push((moving, then));
        }
        true
    }

    /// Remembers where the network has found something: no more boxes than it finds in a second.
    fn cover(&mut self, detections: &Detections, time: f64) {
        let found = || detections.iter().filter(|found| found.score >= COVERS).map(|found| found.rect);
        self.covers.retain(|(rect, then)| {
            (0.0..COVERS_SECONDS).contains(&(time - then)) && !found().any(|now| now.iou(rect) >= SAME)
        });
        self.covers.extend(found().map(|rect| (rect, time)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::detection::Detection;
    use crate::frame::Picture;

    const NETWORK: [&str; 2] = ["person", "car"];

    /// Something that walks to the right; a network finds it up to a frame. How many boxes of it there are in each frame.
    fn boxes(finds: impl Fn(u32) -> Option<f32>) -> Vec<Vec<Detection>> {
        let labels = Labels::from_iter(NETWORK.map(str::to_owned));
        let mut motion = AlsoMotion::new(MotionDetector::new(MotionSettings::default()), &labels);
        (0..60u32)
            .map(|number| {
                let mut picture = Picture::filled(160, 120, [120; 3]).unwrap();
                let left = 2 * number;
                for (at, pixel) in picture.rgb_mut().iter_mut().enumerate() {
                    let (x, y) = (at as u32 % 160, at as u32 / 160);
                    if number > 0 && (left..left + 16).contains(&x) && (40..80).contains(&y) {
                        *pixel = [250; 3];
                    }
                }
                let (time, picture) = (f64::from(number) / 25.0, Arc::new(picture));
                let frame =
                    Frame { picture, sequence: number.into(), time, captured: Instant::now(), file: None };
                let rect = Rect::new(left as f32, 40.0, 16.0, 40.0);
                let found = finds(number).map(|score| Detection { rect, score, class: 0 });
                let mut detections = Detections::from(found.into_iter().collect::<Vec<_>>());
                motion.add(&frame, &mut detections);
                detections.iter().copied().collect()
            })
            .collect()
    }

    #[test]
    fn what_the_network_has_no_box_for_is_told_behind_its_classes() {
        let alone = boxes(|_| None);
        assert!(alone[20..].iter().all(|found| found.len() == 1 && found[0].class == 2), "{alone:?}");
    }

    #[test]
    fn what_the_network_finds_is_not_told_twice_nor_where_it_misses_it_for_a_moment() {
        // With a score that is told by default.
        let found = boxes(|number| (!(30..40).contains(&number)).then_some(0.26));
        assert!(found.iter().flatten().all(|found| found.class == 0), "{found:?}");
        // It is missed for good.
        let lost = boxes(|number| (number < 25).then_some(0.26));
        assert!(lost[26..30].iter().all(Vec::is_empty) && lost[55].len() == 1, "{lost:?}");
    }
}
