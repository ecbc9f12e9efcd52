//! What was detected last, for pictures in which nothing has moved since.

use super::DetectorOutput;
use crate::attention::Notice;
use crate::geometry::Rect;

/// A thing that a look does not find, though nothing has moved, is there for so many looks more.
const MISSES: u8 = 3;
/// Boxes that overlap by this much (intersection over union) are around one thing.
const SAME: f32 = 0.5;

/// The newest detections of a source, one picture after the other.
///
/// In a picture that shows the same as the one before it, a network would find the same, but for boxes close to its threshold,
/// which noise lifts above it and drops again. So what was found stays as it is while nothing moves, and what a later look
/// misses stays for a few looks.
#[derive(Debug, Default)]
pub struct HeldDetections {
    output: Option<DetectorOutput>,
    /// For each detection, how many looks have missed it.
    misses: Vec<u8>,
}

impl HeldDetections {
    /// The detections of the next picture: `found`, what a network found in it; where it has not looked, what was found last.
    /// `None`: nothing is known of it.
    pub fn next(&mut self, notice: Notice, found: Option<DetectorOutput>) -> Option<DetectorOutput> {
        match (notice, found) {
            (Notice::Unwatched, found) => {
                self.forget();
                return found;
            }
            (Notice::Still, None) => {}
            (_, None) => self.forget(),
            (Notice::Due, Some(found)) => self.renew(found),
            (_, Some(found)) => {
                self.misses.clear();
                self.misses.resize(found.detections.len(), 0);
                self.output = Some(found);
            }
        }
        self.output.clone()
    }

    /// The next picture does not follow on the one before.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes over what the look has missed.
    fn renew(&mut self, mut found: DetectorOutput) {
        let looked = found.detections.len();
        let mut misses = vec![0; looked];
        if let Some(before) = &self.output {
            for (at, (detection, missed)) in before.detections.iter().zip(&self.misses).enumerate() {
                let same = |rect: &Rect| rect.iou(&detection.rect) >= SAME;
                let is_found = found.detections.iter().take(looked).any(|now| same(&now.rect));
                if is_found || *missed >= MISSES {
                    continue;
                }
                match before.detections.extra(at) {
                    Some(extra) => found.detections.push_with(*detection, extra.clone()),
                    None => found.detections.push(*detection),
                }
                misses.push(missed + 1);
            }
        }
        (self.output, self.misses) = (Some(found), misses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::{Detection, Extra, Keypoint};

    fn at(left: f32) -> Detection {
        Detection { rect: Rect::new(left, 10.0, 20.0, 40.0), score: 0.4, class: 0 }
    }

    fn found(lefts: &[f32]) -> Option<DetectorOutput> {
        Some(lefts.iter().map(|left| at(*left)).collect::<Vec<_>>().into())
    }

    fn lefts(output: Option<DetectorOutput>) -> Vec<f32> {
        output.unwrap().detections.iter().map(|detection| detection.rect.left).collect()
    }

    #[test]
    fn what_was_found_stays_while_nothing_moves() {
        let mut held = HeldDetections::default();
        assert!(held.next(Notice::Still, None).is_none(), "nothing is known yet");
        assert_eq!(lefts(held.next(Notice::Motion, found(&[0.0, 100.0]))), [0.0, 100.0]);
        assert_eq!(lefts(held.next(Notice::Still, None)), [0.0, 100.0]);
        // A look that misses one, three times; moved a little it is found.
        for _ in 0..MISSES {
            assert_eq!(lefts(held.next(Notice::Due, found(&[2.0]))), [2.0, 100.0]);
            assert_eq!(lefts(held.next(Notice::Still, None)), [2.0, 100.0]);
        }
        assert_eq!(lefts(held.next(Notice::Due, found(&[2.0]))), [2.0]);
        // Where something has moved, it is as it is found.
        assert!(lefts(held.next(Notice::Motion, found(&[]))).is_empty());
        // A picture of which nothing is known, and what comes behind it.
        assert!(held.next(Notice::Motion, None).is_none() && held.next(Notice::Still, None).is_none());
    }

    #[test]
    fn what_stays_keeps_what_it_carries() {
        let extra = Extra { keypoints: vec![Keypoint { x: 1.0, y: 2.0, score: 0.5 }], ..Extra::default() };
        let mut output = found(&[0.0]).unwrap();
        output.detections.push_with(at(100.0), extra.clone());
        let mut held = HeldDetections::default();
        held.next(Notice::Motion, Some(output));
        let again = held.next(Notice::Due, found(&[0.0])).unwrap();
        assert_eq!(again.detections.extra(1), Some(&extra));
    }
}
