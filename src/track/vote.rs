//! What a track is: a vote among its detections, so that the name on a box does not flicker.

use crate::detection::ClassId;

/// The most classes that have votes at once: counting more would not help a track with so many different classes.
const CANDIDATES: usize = 4;

/// Votes for classes whose weight halves with time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ClassVote {
    candidates: [(ClassId, f32); CANDIDATES],
    /// Source time of the last vote, in seconds.
    counted: f64,
}

impl ClassVote {
    /// Counts a detection of `class` with its score at `time`; earlier votes have lost half their weight every
    /// `half_life` seconds.
    pub(super) fn cast(&mut self, class: ClassId, score: f32, time: f64, half_life: f64) {
        // libm's is the same on every machine.
        let kept = libm::exp2(-(time - self.counted).max(0.0) / half_life) as f32;
        self.counted = time;
        for (_, weight) in &mut self.candidates {
            *weight *= kept;
        }
        if let Some((_, weight)) =
            self.candidates.iter_mut().find(|(known, weight)| *known == class && *weight > 0.0)
        {
            *weight += score;
        } else if let Some(weakest) = self.candidates.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
            *weakest = (class, score);
        }
    }

    /// The class with the most weight; of equals the lowest number.
    pub(super) fn winner(&self) -> ClassId {
        let best = |a: &&(ClassId, f32), b: &&(ClassId, f32)| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0));
        self.candidates.iter().max_by(best).map_or(0, |&(class, _)| class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_detection_does_not_rename_a_track_but_a_row_of_them_does() {
        let mut vote = ClassVote::default();
        let mut time = 0.0;
        let mut cast = |class, score| {
            time += 0.1;
            vote.cast(class, score, time, 1.0);
            vote.winner()
        };
        assert_eq!(cast(2, 0.6), 2);
        for _ in 0..9 {
            assert_eq!(cast(2, 0.6), 2);
        }
        assert_eq!(cast(7, 0.9), 2);
        let turned = (0..30).position(|_| cast(7, 0.6) == 7).expect("renamed in the end");
        assert!((3..15).contains(&turned), "after {turned} more");
    }

    #[test]
    fn more_classes_than_seats_keeps_the_strongest() {
        let mut vote = ClassVote::default();
        for class in 0..20 {
            vote.cast(40, 0.9, 1.0, 1.0);
            vote.cast(class, 0.2, 1.0, 1.0);
        }
        assert_eq!(vote.winner(), 40);
    }
}
