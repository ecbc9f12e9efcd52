//! How the classes of two files meet: by number, by name, or as a person says.

use crate::detection::ClassId;
use crate::labels::Labels;

/// The classes of KITTI's tracking labels, in the order of the reference.
pub(super) const KITTI: [&str; 8] =
    ["Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc"];
/// The classes of VisDrone by number (Zhu et al., 2018, arXiv:1804.07437); the first are regions that nobody annotated.
pub(super) const VISDRONE: [&str; 12] = [
    "ignored regions",
    "pedestrian",
    "people",
    "bicycle",
    "car",
    "van",
    "truck",
    "tricycle",
    "awning-tricycle",
    "bus",
    "motor",
    "others",
];

/// Words that data sets use for the same thing.
const SAME: [&[&str]; 3] =
    [&["person", "pedestrian"], &["motorcycle", "motorbike", "motor"], &["train", "tram"]];

/// Names as labels.
pub(super) fn table(names: &[&str]) -> Labels {
    Labels::parse(&names.join("\n"))
}

/// The class with this name, or else with another word for the same.
pub(super) fn find(labels: &Labels, name: &str) -> Option<ClassId> {
    labels.find(name).or_else(|| {
        let name = name.trim();
        let words = SAME.iter().find(|words| words.iter().any(|word| word.eq_ignore_ascii_case(name)))?;
        words.iter().find_map(|word| labels.find(word))
    })
}

/// The number of a class among `own` names, by its name among `theirs`; behind all of them where they do not have it. From 1;
/// below 1 is none.
pub(super) fn translated(class: i32, theirs: &Labels, own: &Labels) -> i32 {
    let Some(index) = class.checked_sub(1).and_then(|index| ClassId::try_from(index).ok()) else {
        return class;
    };
    let known = find(own, &theirs.name(index));
    known.map_or(own.len() as i32 + class, |known| i32::from(known) + 1)
}

/// A class as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassWord {
    /// Its number in the file, from 1.
    Number(i32),
    /// Its name.
    Name(String),
}

impl ClassWord {
    /// A number from 1, or a name.
    ///
    /// # Errors
    /// Where it is a number below 1, or nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().parse::<i64>() {
            Ok(number) => match i32::try_from(number) {
                Ok(number) if number >= 1 => Ok(Self::Number(number)),
                _ => Err("expected the number of a class, from 1, or its name".to_owned()),
            },
            Err(_) if text.trim().is_empty() => Err("expected the number or name of a class".to_owned()),
            Err(_) => Ok(Self::Name(text.trim().to_owned())),
        }
    }

    /// The number of the class, from 1, where `labels` are the names.
    ///
    /// # Errors
    /// Where there is no class of that name.
    pub fn number(&self, labels: Option<&Labels>) -> Result<i32, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Name(name) => {
                let labels =
                    labels.ok_or_else(|| format!("class {name}: the classes have numbers, no names"))?;
                let found = find(labels, name).map(|class| i32::from(class) + 1);
                found.ok_or_else(|| {
                    let known: Vec<&str> = labels.iter().take(12).collect();
                    format!("class {name}: there is no such class; the classes are {}", known.join(", "))
                })
            }
        }
    }
}

/// Which class of the results is which of the truth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassMap(Vec<(ClassWord, ClassWord)>);

impl ClassMap {
    /// Adds `TRUTH=RESULTS`, such as `4=3`: class 4 of the truth is class 3 of the results.
    ///
    /// # Errors
    /// Where it is no such pair, or the class of the results has another one already.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let pair = text.split_once('=').ok_or("expected TRUTH=RESULTS, such as 4=3 or car=car".to_owned())?;
        let (truth, results) = (ClassWord::parse(pair.0)?, ClassWord::parse(pair.1)?);
        if self.0.iter().any(|(_, known)| *known == results) {
            return Err(format!("class {} of the results is there twice", pair.1.trim()));
        }
        self.0.push((truth, results));
        Ok(())
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes classes of the results those of the truth, each from 1: a class that is mapped gets its number; of the others,
    /// `otherwise` says it, but none gets a number that another class is mapped to.
    pub(super) fn apply(
        &self,
        truth: Option<&Labels>,
        results: Option<&Labels>,
        classes: &mut dyn Iterator<Item = &mut i32>,
        otherwise: &dyn Fn(i32) -> i32,
    ) -> Result<(), String> {
        let number = |pair: &(ClassWord, ClassWord)| Ok((pair.0.number(truth)?, pair.1.number(results)?));
        let pairs = self.0.iter().map(number).collect::<Result<Vec<(i32, i32)>, String>>()?;
        for class in classes {
            let mapped = pairs.iter().find(|(_, results)| results == class).map(|(truth, _)| *truth);
            *class = mapped.unwrap_or_else(|| {
                let number = otherwise(*class);
                if pairs.iter().any(|(truth, _)| *truth == number) { 0 } else { number }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_same_meet() {
        let visdrone = table(&VISDRONE[1..]);
        for (name, class) in [("person", 0), ("People", 1), ("motorcycle", 9), ("bus", 8)] {
            assert_eq!(find(&visdrone, name), Some(class), "{name}");
        }
        assert_eq!(find(&visdrone, "dog"), None);
        let kitti = table(&KITTI);
        assert_eq!((find(&kitti, "person"), find(&kitti, "train")), (Some(3), Some(6)));
        assert_eq!(translated(1, &Labels::coco(), &kitti), 4);
        assert_eq!(translated(17, &Labels::coco(), &kitti), 25);
        assert_eq!(translated(-1, &Labels::coco(), &kitti), -1);
    }

    #[test]
    fn a_map_says_which_class_is_which() {
        let mut map = ClassMap::default();
        map.add("4=3").unwrap();
        map.add("bus = 6").unwrap();
        let visdrone = table(&VISDRONE[1..]);
        let mut classes = [3, 4, 6, 9, 1];
        map.apply(Some(&visdrone), None, &mut classes.iter_mut(), &|class| class).unwrap();
        // What is 4 or 9 in the results is another class than the truth's.
        assert_eq!(classes, [4, 0, 9, 0, 1]);
        for (wrong, why) in [
            ("4", "expected TRUTH=RESULTS"),
            ("0=3", "from 1"),
            ("5=3", "class 3 of the results is there twice"),
            ("=", "number or name"),
        ] {
            assert!(map.add(wrong).unwrap_err().contains(why), "{wrong}");
        }
        map.add("cat=2").unwrap();
        let said = map.apply(Some(&visdrone), None, &mut [1].iter_mut(), &|class| class).unwrap_err();
        assert!(
            said.contains("class cat: there is no such class; the classes are pedestrian, people"),
            "{said}"
        );
    }
}
