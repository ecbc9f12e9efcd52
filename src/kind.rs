//! What kind of thing a class is, for the rules that depend on it.
//!
//! A network has two names for one thing in some places: what it calls a car in one frame is a truck in the next. Such classes
//! are one [`Kind`]. People are a kind because they move: what looks a little like one and never moves is something else.

use std::sync::Arc;

use crate::detection::ClassId;
use crate::labels::Labels;

/// A kind of thing. All classes of one kind but [`Kind::Other`] are mistaken for one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Kind {
    /// People.
    Person,
    /// What drives on four wheels or more: cars, buses, trucks.
    Vehicle,
    /// Bicycles, motorcycles and the like.
    TwoWheeler,
    /// All else: each class is a thing of its own.
    #[default]
    Other,
}

/// The names that a kind's classes have, in lower case.
const NAMES: [(Kind, &[&str]); 3] = [
    (Kind::Person, &["person", "people", "pedestrian", "man", "woman", "child", "cyclist", "rider"]),
    (Kind::Vehicle, &["car", "truck", "bus", "van", "lorry", "pickup", "minibus", "trailer"]),
    (Kind::TwoWheeler, &["bicycle", "motorcycle", "bike", "motorbike", "moped", "scooter", "tricycle"]),
];

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Person, Self::Vehicle, Self::TwoWheeler, Self::Other];

    /// The kind of the class with this name.
    pub fn named(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map_or(Self::Other, |(kind, _)| *kind)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Vehicle => "vehicle",
            Self::TwoWheeler => "two-wheeler",
            Self::Other => "other",
        }
    }
}

/// The kinds of all classes of a model; by default every class is a thing of its own. Cheap to clone.
///
/// ```
/// use trailsight::kind::{Kind, Kinds};
/// use trailsight::labels::Labels;
///
/// let labels = Labels::coco();
/// let kinds = Kinds::of(&labels);
/// let class = |name| labels.find(name).unwrap();
/// assert_eq!(kinds.kind(class("truck")), Kind::Vehicle);
/// assert!(kinds.alike(class("car"), class("truck")));
/// assert!(!kinds.alike(class("person"), class("bicycle")));
/// assert!(!kinds.alike(class("cat"), class("dog")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kinds(Arc<[(Kind, ClassId)]>);

impl Kinds {
    /// By the names of the classes.
    pub fn of(labels: &Labels) -> Self {
        let kinds: Vec<Kind> = labels.iter().map(Kind::named).collect();
        let first = |kind: Kind| kinds.iter().position(|known| *known == kind);
        let group = |(class, kind): (usize, &Kind)| match kind {
            Kind::Other => (*kind, class as ClassId),
            _ => (*kind, first(*kind).unwrap_or(class) as ClassId),
        };
        Self(kinds.iter().enumerate().map(group).collect())
    }

    /// The kind of a class.
    pub fn kind(&self, class: ClassId) -> Kind {
        self.0.get(usize::from(class)).map_or(Kind::Other, |known| known.0)
    }

    /// The first class of those that this one is mistaken for, which stands for all of them.
    pub fn group(&self, class: ClassId) -> ClassId {
        self.0.get(usize::from(class)).map_or(class, |known| known.1)
    }

    /// Whether two classes may be names for one thing.
    pub fn alike(&self, one: ClassId, other: ClassId) -> bool {
        self.group(one) == self.group(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_a_kind_are_alike_and_all_others_are_not() {
        let labels = Labels::coco();
        let kinds = Kinds::of(&labels);
        let named = |kind| (0..80).filter(|class| kinds.kind(*class) == kind).collect::<Vec<_>>();
        assert_eq!(named(Kind::Person), [0]);
        assert_eq!(named(Kind::Vehicle), [2, 5, 7]);
        assert_eq!(named(Kind::TwoWheeler), [1, 3]);
        for one in 0..80 {
            for other in 0..80 {
                let kind = kinds.kind(one);
                let alike = one == other || kind != Kind::Other && kind == kinds.kind(other);
                assert_eq!(kinds.alike(one, other), alike, "{one} and {other}");
            }
        }
    }

    #[test]
    fn unknown_classes_are_things_of_their_own() {
        let none = Kinds::default();
        assert_eq!((none.kind(7), none.group(7)), (Kind::Other, 7));
        assert!(!none.alike(2, 7) && none.alike(300, 300));
    }
}
