//! The names of the classes that a model tells apart.

use crate::detection::ClassId;

/// The 80 names of COCO, in the order of the bundled model's outputs.
const COCO: &str = include_str!("../models/coco.names");

/// The id that COCO's annotation files use for each of the 80 classes: eleven of 1 to 91 were never used.
const COCO_IDS: [u16; 80] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
    60, 61, 62, 63, 64, 65, 67, 70, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84, 85, 86, 87, 88, 89, 90,
];

/// Class names, one for each output of the model; by default none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(Vec<String>);

impl Labels {
    /// The 80 classes of COCO.
    pub fn coco() -> Self {
        Self::parse(COCO)
    }

    /// One name a line; blank lines do not count.
    pub fn parse(text: &str) -> Self {
        Self(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no class at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a class; `class 7` for a number that has none (detection files may hold any).
    pub fn name(&self, class: ClassId) -> std::borrow::Cow<'_, str> {
        match self.0.get(usize::from(class)) {
            Some(name) => name.into(),
            None => format!("class {class}").into(),
        }
    }

    /// The class with this name, upper and lower case alike.
    pub fn find(&self, name: &str) -> Option<ClassId> {
        self.0.iter().position(|known| known.eq_ignore_ascii_case(name.trim())).map(|index| index as ClassId)
    }

    /// All names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromIterator<String> for Labels {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

/// The id of a class in COCO's own files (1 to 90, with gaps); `None` beyond the 80 classes.
pub fn coco_id(class: ClassId) -> Option<u16> {
    COCO_IDS.get(usize::from(class)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coco_names_are_where_the_model_puts_them() {
        let labels = Labels::coco();
        assert_eq!(labels.len(), 80);
        for (class, name) in [(0, "person"), (2, "car"), (15, "cat"), (39, "bottle"), (79, "toothbrush")] {
            assert_eq!(labels.name(class), name);
            assert_eq!(labels.find(&name.to_uppercase()), Some(class));
        }
        assert_eq!(labels.name(80), "class 80");
        assert_eq!(labels.find("persn"), None);
    }

    #[test]
    fn coco_ids_skip_the_unused_ones() {
        let unused = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91];
        let used: Vec<u16> = (1..=90).filter(|id| !unused.contains(id)).collect();
        assert_eq!(COCO_IDS.to_vec(), used);
        assert_eq!((coco_id(0), coco_id(79), coco_id(80)), (Some(1), Some(90), None));
    }
}
