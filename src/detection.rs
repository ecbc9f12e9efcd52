//! What the detector says of the objects in one frame: boxes, and what else a network tells of each of them.
//!
//! A [`Detection`] is a box, a score and a class. [`Detections`] is all of one frame. Some networks tell more of an object
//! than its box: how it lies, an outline, named points of a body, a vector to recognise it by. That travels beside the boxes as one
//! [`Extra`] a detection, in step with them whatever is sorted, selected or moved. Where no detection carries anything more
//! the column is empty, and costs neither memory nor time.
//!
//! Coordinates are pixels of the picture the boxes are said to be in, as everywhere: origin at the top-left corner of the
//! top-left pixel, x to the right, y down.

mod mask;
mod rle;

use std::ops::Deref;

use crate::geometry::{Rect, TurnedRect};

pub use mask::{Mask, MaskSpan};
pub use rle::Rle;

/// An index into the model's [`Labels`](crate::labels::Labels), from 0.
pub type ClassId = u16;

/// From this score on, what non-maximum suppression removed is handed to the tracker: weaker, it says nothing.
pub const SUPPRESSED_SCORE: f32 = 0.3;

/// Points of a body from this score on are shown, and count as seen: below, the network guesses where a hidden one is.
pub const LEAST_POINT: f32 = 0.3;

/// One object in one frame, as the detector saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Its box, in pixels of the source picture, of which fractions count. Edges lie between pixels: a box around the
    /// top-left pixel alone has its left and top edge at 0 and a width and height of 1, so that a box of integer edges holds
    /// the pixels from `left` up to before `left + width`. What the detector gives
    /// is cut at the picture's edges; boxes from a file are as the file has them, and may reach beyond.
    pub rect: Rect,
    /// How sure the network is, `0.0..=1.0`: the score of the class, and where the network tells apart "there is an object"
    /// from "of this class", the product of both (objectness, as in YOLOX).
    pub score: f32,
    /// The class with the highest score, of those that are looked for.
    pub class: ClassId,
}

/// What a network may tell of an object beside its box; everything is empty by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extra {
    /// The object in a rectangle that lies as it does; the box is the upright one around it.
    pub turned: Option<TurnedRect>,
    /// Which of the pixels are the object's.
    pub mask: Option<Mask>,
    /// Points of the object, always the same number in the same order for one model (17 of a body in COCO).
    pub keypoints: Vec<Keypoint>,
    /// What the head of a network needs for making the mask of an object that is kept, of which there are far fewer than
    /// of candidates: factors of the network's prototypes, for instance. Empty in all that leaves a detector.
    pub mask_code: Vec<f32>,
    /// A vector that is near those of the same object's other pictures, of one length for one model.
    pub embedding: Vec<f32>,
}

/// A named point of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keypoint {
    /// To the right, in the coordinates of the boxes.
    pub x: f32,
    /// Down.
    pub y: f32,
    /// How sure the network is that the point is there and to be seen, `0.0..=1.0`.
    pub score: f32,
}

/// All detections of one frame; reads like a slice of [`Detection`].
///
/// ```
/// use trailsight::detection::{Detection, Detections, Extra};
/// use trailsight::geometry::Rect;
///
/// let detection = |left| Detection { rect: Rect::new(left, 0.0, 10.0, 20.0), score: 0.9, class: 0 };
/// let mut detections = Detections::from(vec![detection(0.0), detection(50.0)]);
/// detections.push_with(detection(90.0), Extra { embedding: vec![0.6, 0.8], ..Extra::default() });
/// detections.retain(|detection| detection.rect.left > 20.0);
/// assert_eq!(detections.len(), 2);
/// assert_eq!(detections.extra(1).map(|extra| extra.embedding.as_slice()), Some(&[0.6, 0.8][..]));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detections {
    boxes: Vec<Detection>,
    /// One a box, or none at all.
    extras: Vec<Extra>,
}

impl Detections {
    /// The boxes.
    pub fn boxes(&self) -> &[Detection] {
        &self.boxes
    }

    /// The boxes alone.
    pub fn into_boxes(self) -> Vec<Detection> {
        self.boxes
    }

    /// What is known of the detection with this number beside its box; `None` where no detection of the frame has more.
    pub fn extra(&self, index: usize) -> Option<&Extra> {
        self.extras.get(index)
    }

    /// What is known of each detection beside its box, in their order; nothing where no detection has more.
    #[cfg(feature = "detector")]
    pub(crate) fn extras_mut(&mut self) -> &mut [Extra] {
        &mut self.extras
    }

    /// Adds a detection that is a box and no more.
    pub fn push(&mut self, detection: Detection) {
        self.boxes.push(detection);
        if !self.extras.is_empty() {
            self.extras.push(Extra::default());
        }
    }

    /// Adds a detection with what else is known of it.
    pub fn push_with(&mut self, detection: Detection, extra: Extra) {
        self.extras.resize_with(self.boxes.len(), Extra::default);
        self.boxes.push(detection);
        self.extras.push(extra);
    }

    /// Moves all of `other` behind what is here.
    pub fn append(&mut self, other: &mut Self) {
        if !(self.extras.is_empty() && other.extras.is_empty()) {
            self.extras.resize_with(self.boxes.len(), Extra::default);
            other.extras.resize_with(other.boxes.len(), Extra::default);
            self.extras.append(&mut other.extras);
        }
        self.boxes.append(&mut other.boxes);
    }

    /// Removes all; the memory is kept.
    pub fn clear(&mut self) {
        self.boxes.clear();
        self.extras.clear();
    }

    /// Keeps the detections for which `keep` is true, in their order. `keep` may change the box, of which nothing else
    /// follows: masks and points stay where they are.
    pub fn retain_mut(&mut self, mut keep: impl FnMut(&mut Detection) -> bool) {
        if self.extras.is_empty() {
            self.boxes.retain_mut(keep);
            return;
        }
        let mut extras = std::mem::take(&mut self.extras).into_iter();
        let left = &mut self.extras;
        self.boxes.retain_mut(|detection| {
            let (kept, extra) = (keep(detection), extras.next().unwrap_or_default());
            if kept {
                left.push(extra);
            }
            kept
        });
    }

    /// Keeps the detections for which `keep` is true, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&Detection) -> bool) {
        self.retain_mut(|detection| keep(detection));
    }

    /// The detections with these numbers, in this order; numbers that are not there are passed over.
    pub fn select(&self, rows: &[usize]) -> Self {
        let boxes = rows.iter().filter_map(|&row| self.boxes.get(row).copied()).collect();
        let extras = rows.iter().filter_map(|&row| self.extras.get(row).cloned()).collect();
        Self { boxes, extras }
    }

    /// Keeps the detections with these numbers, each at most once, and puts them in this order.
    pub fn pick(&mut self, rows: &[usize]) {
        self.boxes = rows.iter().filter_map(|&row| self.boxes.get(row).copied()).collect();
        if !self.extras.is_empty() {
            self.extras =
                rows.iter().filter_map(|&row| self.extras.get_mut(row).map(std::mem::take)).collect();
        }
    }

    /// The numbers of all detections by falling score; equal scores keep their order.
    pub fn by_falling_score(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.boxes.len()).collect();
        rows.sort_by(|&a, &b| self.boxes[b].score.total_cmp(&self.boxes[a].score));
        rows
    }

    /// Moves everything by so many pixels to the right and down.
    pub fn shift(&mut self, by: (f32, f32)) {
        let shifted = |rect: &Rect| Rect { left: rect.left + by.0, top: rect.top + by.1, ..*rect };
        self.map(shifted, |turned| turned.shifted(by));
    }

    /// Brings everything to a picture that is so many times as wide and as high.
    pub fn scale(&mut self, times: (f32, f32)) {
        self.map(|rect| rect.scaled(times), |turned| turned.scaled(times));
    }

    /// Moves boxes, masks and points by a map of upright rectangles, and turned ones by another.
    fn map(&mut self, map: impl Fn(&Rect) -> Rect, turn: impl Fn(&TurnedRect) -> TurnedRect) {
        for detection in &mut self.boxes {
            detection.rect = map(&detection.rect);
        }
        for extra in &mut self.extras {
            extra.turned = extra.turned.as_ref().map(&turn);
            if let Some(mask) = &mut extra.mask {
                mask.rect = map(&mask.rect);
            }
            for point in &mut extra.keypoints {
                let Rect { left, top, .. } = map(&Rect::new(point.x, point.y, 0.0, 0.0));
                (point.x, point.y) = (left, top);
            }
        }
    }
}

impl Deref for Detections {
    type Target = [Detection];

    fn deref(&self) -> &[Detection] {
        &self.boxes
    }
}

impl From<Vec<Detection>> for Detections {
    fn from(boxes: Vec<Detection>) -> Self {
        Self { boxes, extras: Vec::new() }
    }
}

impl FromIterator<Detection> for Detections {
    fn from_iter<I: IntoIterator<Item = Detection>>(boxes: I) -> Self {
        boxes.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Detections {
    type Item = &'a Detection;
    type IntoIter = std::slice::Iter<'a, Detection>;

    fn into_iter(self) -> Self::IntoIter {
        self.boxes.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detection(number: usize) -> Detection {
        Detection {
            rect: Rect::new(number as f32, 1.0, 2.0, 3.0),
            score: (number * 7 % 10) as f32 / 10.0,
            class: 0,
        }
    }

    /// An extra that says which detection it belongs to.
    fn extra(number: usize) -> Extra {
        let at = number as f32;
        Extra {
            mask: Mask::new(Rect::new(at, 1.0, 2.0, 3.0), (1, 2), |_, row| row > 0 || number > 3),
            mask_code: Vec::new(),
            keypoints: vec![Keypoint { x: at, y: 1.0, score: 0.5 }],
            embedding: vec![at],
            turned: Some(TurnedRect { x: at, y: 1.0, width: 1.0, height: 2.0, angle: 0.1 }),
        }
    }

    fn with_extras(numbers: impl IntoIterator<Item = usize>) -> Detections {
        let mut all = Detections::default();
        numbers.into_iter().for_each(|number| all.push_with(detection(number), extra(number)));
        all
    }

    /// Whether every detection has its own extra still, wherever both went.
    fn in_step(all: &Detections) -> bool {
        all.extras.len() == all.boxes.len()
            && all.iter().zip(&all.extras).all(|(detection, extra)| {
                let point = extra.keypoints[0];
                let turned = extra.turned.unwrap();
                (point.x, point.y) == (detection.rect.left, detection.rect.top)
                    && (turned.x, turned.y) == (point.x, point.y)
                    && extra.mask.as_ref().map(Mask::rect) == Some(detection.rect)
            })
    }

    proptest! {
        #[test]
        fn extras_stay_in_step(count in 0usize..30, odd: bool, rows in prop::collection::vec(0usize..40, 0..20)) {
            let all = with_extras(0..count);
            let mut sorted = all.clone();
            sorted.pick(&all.by_falling_score());
            prop_assert!(sorted.is_sorted_by(|a, b| a.score >= b.score) && sorted.len() == count);
            let mut kept = sorted.clone();
            kept.retain(|detection| (detection.rect.left as usize % 2 == 1) == odd);
            let selected = all.select(&rows);
            prop_assert_eq!(selected.len(), rows.iter().filter(|row| **row < count).count());
            let mut joined = kept.clone();
            joined.append(&mut selected.clone());
            prop_assert_eq!(joined.len(), kept.len() + selected.len());
            joined.shift((3.0, -4.0));
            joined.scale((0.5, 2.0));
            for list in [&sorted, &kept, &selected, &joined] {
                prop_assert!(list.is_empty() || in_step(list), "{:?}", list);
            }
        }
    }

    #[test]
    fn boxes_alone_carry_no_column() {
        let mut all: Detections = (0..5).map(detection).collect();
        all.push(detection(5));
        all.retain(|detection| detection.score < 0.8);
        all.pick(&all.by_falling_score());
        all.append(&mut Detections::from(vec![detection(9)]));
        assert_eq!(all.extras.capacity(), 0);
        assert_eq!(all.extra(0), None);
        assert_eq!(all.clone().into_boxes(), all.boxes());
    }

    #[test]
    fn boxes_beside_some_with_more_have_an_empty_extra() {
        let mut all = Detections::from(vec![detection(0)]);
        all.push_with(detection(1), extra(1));
        all.push(detection(2));
        all.append(&mut Detections::from(vec![detection(3)]));
        let empty = Extra::default();
        let numbers = |row| all.extra(row).map(|extra| extra.embedding.len());
        assert_eq!((0..4).map(numbers).collect::<Vec<_>>(), [Some(0), Some(1), Some(0), Some(0)]);
        assert_eq!(all.extra(3), Some(&empty));
    }
}
