//! Which of a network's class numbers is which class.

use crate::detection::ClassId;
use crate::labels::coco_id;

/// How a network numbers the classes that there are names for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum ClassColumns {
    /// As the names stand; so many.
    All(usize),
    /// The same, the first with this number: what comes before is "nothing". First number, and how many names.
    From(usize, usize),
    /// The 80 classes of COCO by the numbers of its files, 1 to 90 with gaps.
    CocoNumbers,
    /// The same, the first number being 0.
    CocoNumbersFromOne,
}

impl ClassColumns {
    /// How many classes there are names for.
    pub(in crate::detect) fn count(self) -> usize {
        match self {
            Self::All(count) | Self::From(_, count) => count,
            Self::CocoNumbers | Self::CocoNumbersFromOne => 80,
        }
    }

    /// The classes that are looked for, each with its number in the network.
    pub(in crate::detect) fn columns(self, wanted: &[bool]) -> impl Iterator<Item = (usize, usize)> {
        let column = move |class: usize| match self {
            Self::All(_) => class,
            Self::From(first, _) => first + class,
            Self::CocoNumbers => coco_id(class as ClassId).map_or(usize::MAX, usize::from),
            Self::CocoNumbersFromOne => {
                coco_id(class as ClassId).map_or(usize::MAX, |id| usize::from(id) - 1)
            }
        };
        wanted
            .iter()
            .take(self.count())
            .enumerate()
            .filter(|(_, wanted)| **wanted)
            .map(move |(class, _)| (class, column(class)))
    }

    /// The class with this number in the network; `None` where there is none, or it is not one.
    pub(in crate::detect) fn class_of(self, number: f32) -> Option<ClassId> {
        if !(number > -0.5 && number < f32::from(ClassId::MAX)) {
            return None;
        }
        let number = number.round() as usize;
        let class = match self {
            Self::All(count) => Some(number).filter(|class| *class < count),
            Self::From(first, count) => number.checked_sub(first).filter(|class| *class < count),
            Self::CocoNumbers | Self::CocoNumbersFromOne => {
                let id = if self == Self::CocoNumbers { number } else { number + 1 };
                (0..80).find(|&class| coco_id(class as ClassId).is_some_and(|known| usize::from(known) == id))
            }
        };
        class.map(|class| class as ClassId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_columns_agree() {
        for classes in [
            ClassColumns::All(80),
            ClassColumns::From(1, 80),
            ClassColumns::CocoNumbers,
            ClassColumns::CocoNumbersFromOne,
        ] {
            let columns: Vec<_> = classes.columns(&[true; 80]).collect();
            assert_eq!(columns.len(), 80);
            for (class, column) in columns {
                assert_eq!(classes.class_of(column as f32), Some(class as ClassId), "{classes:?}");
            }
            for odd in [f32::NAN, f32::INFINITY, -1.0, 1e9, 99.0] {
                assert_eq!(classes.class_of(odd), None, "{classes:?} {odd}");
            }
        }
        assert_eq!(ClassColumns::CocoNumbers.class_of(12.0), None, "never used");
        assert_eq!(ClassColumns::All(3).columns(&[false, true, false, true]).collect::<Vec<_>>(), [(1, 1)]);
    }
}
