//! One numbering of classes for a run, whatever networks it goes through: a class that an earlier network had too keeps its
//! number by its name, and others get new numbers. So tracks go on where the classes of two models agree, and a track that
//! began as a car stays one.

use crate::detection::{ClassId, Detections};
use crate::kind::Kinds;
use crate::labels::Labels;

/// How the classes of a network are numbered in a run that began with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbering {
    /// The names of the run's classes: those from before, and the network's new ones.
    pub(super) labels: Labels,
    /// What kinds of things they are.
    pub(super) kinds: Kinds,
    /// For each class of the network, its number in the run.
    numbers: Vec<ClassId>,
}

impl Numbering {
    /// `own`: the names of the network's classes; `run`: those of the run so far. `None` where the network's numbers are the
    /// run's already, or where there are more classes than numbers.
    pub(super) fn new(own: &Labels, run: &Labels) -> Option<Self> {
        let mut names: Vec<String> = run.iter().map(str::to_owned).collect();
        let mut numbers = Vec::with_capacity(own.len());
        for name in own.iter() {
            let number = run.find(name).map(usize::from).unwrap_or(names.len());
            if number == names.len() {
                names.push(name.to_owned());
            }
            numbers.push(ClassId::try_from(number).ok()?);
        }
        let same = names.len() == own.len()
            && numbers.iter().enumerate().all(|(at, &number)| at == usize::from(number));
        let labels: Labels = names.into_iter().collect();
        (!same).then(|| Self { kinds: Kinds::of(&labels), labels, numbers })
    }

    /// Gives detections of the network the run's numbers.
    pub(super) fn apply(&self, detections: &mut Detections) {
        detections.retain_mut(|detection| {
            if let Some(&number) = self.numbers.get(usize::from(detection.class)) {
                detection.class = number;
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Detection;
    use crate::geometry::Rect;

    fn numbering(own: &str, run: &str) -> Option<Numbering> {
        Numbering::new(&Labels::parse(own), &Labels::parse(run))
    }

    #[test]
    fn names_keep_their_numbers_and_new_ones_come_behind() {
        let numbering = numbering("dog\nCar\nzebra\nox", "person\ncar\ndog").unwrap();
        assert_eq!(numbering.labels.iter().collect::<Vec<_>>(), ["person", "car", "dog", "zebra", "ox"]);
        assert!(numbering.kinds.alike(1, 1) && !numbering.kinds.alike(1, 2));
        let found = |class| Detection { rect: Rect::new(0.0, 0.0, 1.0, 1.0), score: 0.5, class };
        let mut detections: Detections = [0, 1, 2, 3, 9].into_iter().map(found).collect();
        numbering.apply(&mut detections);
        let classes: Vec<ClassId> = detections.iter().map(|found| found.class).collect();
        assert_eq!(classes, [2, 1, 3, 4, 9]);
    }

    #[test]
    fn where_the_numbers_agree_nothing_is_done() {
        assert_eq!(numbering("a\nb", "a\nb"), None);
        assert_eq!(numbering("a\nb\nc", "a\nb"), None, "more of the same");
        assert_eq!(numbering("a", "").map(|numbering| numbering.labels.len()), None);
        // Fewer of the same: the others are still names of the run.
        assert_eq!(numbering("a", "a\nb").unwrap().labels.len(), 2);
    }
}
