//! A condition as a tree, and as the text that gives this tree again.

use std::fmt;

use super::token::is_word;

/// Where a part of a condition begins in the text: the number of the letter, from 0. All places are equal, so that trees are
/// equal that mean the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At(pub(super) usize);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A name in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: At,
}

/// What has to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// All of them; two at least.
    All(Vec<Self>),
    /// One of them at least; two at least.
    Any(Vec<Self>),
    /// It does not hold.
    Not(At, Box<Self>),
    /// It has held for so many seconds.
    For(At, Box<Self>, f64),
    /// An object is one of these, and does this, or does not.
    Object { at: At, who: Option<Who>, not: bool, what: Option<What> },
    /// The number of objects for which a condition holds.
    Count { at: At, part: Box<Self>, comparison: Comparison, number: f64 },
    /// There is no such object, or none in these zones.
    None { at: At, who: Who, zones: Vec<Name> },
    /// The time of day is from the first to before the second, in seconds.
    Between { at: At, from: u32, to: u32 },
}

/// Which objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Who {
    /// Of any class.
    Anything,
    /// Of one of these classes.
    Classes(Vec<Name>),
}

/// What an object does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// It is in one of these zones.
    In(Vec<Name>),
    /// It crosses one of these lines; `true`: inwards, `false`: outwards, `None`: either way.
    Crosses(Vec<Name>, Option<bool>),
    /// It does not move, and is in one of these zones if there are any.
    Still(Vec<Name>),
    /// A number that is known of it compares so.
    Is(Name, Comparison, f64),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    More,
    AtLeast,
    Less,
    AtMost,
    Equal,
    Unequal,
}

impl Comparison {
    /// As it is written; the first of several ways is that in which it is printed.
    pub(super) const SIGNS: [(&'static str, Self); 7] = [
        (">", Self::More),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        ("=", Self::Equal),
        ("==", Self::Equal),
        ("!=", Self::Unequal),
    ];

    /// Whether it holds between two numbers.
    pub(super) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
        }
    }
}

impl Condition {
    /// Where it begins in the text.
    pub(super) fn at(&self) -> At {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.first().map_or(At(0), Self::at),
            Self::For(_, part, _) => part.at(),
            Self::Not(at, _)
            | Self::Object { at, .. }
            | Self::Count { at, .. }
            | Self::None { at, .. }
            | Self::Between { at, .. } => *at,
        }
    }

    /// The parts that it consists of, without those that are counted.
    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) | Self::Any(parts) => parts,
            Self::Not(_, part) | Self::For(_, part, _) => std::slice::from_ref(part),
            Self::Object { .. } | Self::Count { .. } | Self::None { .. } | Self::Between { .. } => &[],
        }
    }

    /// Whether it speaks of one object, and not of the scene as a whole.
    pub(super) fn is_of_object(&self) -> bool {
        matches!(self, Self::Object { .. }) || self.parts().iter().any(Self::is_of_object)
    }

    /// All conditions in it, itself and those that are counted included.
    pub(super) fn walk<'a>(&'a self, each: &mut dyn FnMut(&'a Self)) {
        each(self);
        self.parts().iter().for_each(|part| part.walk(each));
        if let Self::Count { part, .. } = self {
            part.walk(each);
        }
    }
}

impl fmt::Display for Condition {
    /// A text that gives this condition when it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " and ", |part| matches!(part, Self::All(_) | Self::Any(_))),
            Self::Any(parts) => joined(f, parts, " or ", |part| matches!(part, Self::Any(_))),
            Self::Not(_, part) => {
                f.write_str("not ")?;
                let loose = matches!(**part, Self::All(_) | Self::Any(_) | Self::For(..));
                in_brackets(f, part, loose)
            }
            Self::For(_, part, seconds) => {
                let loose = matches!(**part, Self::All(_) | Self::Any(_) | Self::For(..));
                in_brackets(f, part, loose)?;
                write!(f, " for {}", Duration(*seconds))
            }
            Self::Object { who, not, what, .. } => {
                let words = [
                    who.as_ref().map(ToString::to_string),
                    not.then(|| "not".to_owned()),
                    what.as_ref().map(ToString::to_string),
                ];
                f.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join(" "))
            }
            Self::Count { part, comparison, number, .. } => write!(f, "count({part}) {comparison} {number}"),
            Self::None { who, zones, .. } => {
                match who {
                    Who::Anything => f.write_str("nothing")?,
                    Who::Classes(classes) if is_person(classes) => f.write_str("nobody")?,
                    who @ Who::Classes(_) => write!(f, "no {who}")?,
                }
                if zones.is_empty() { Ok(()) } else { write!(f, " in {}", Names(zones)) }
            }
            Self::Between { from, to, .. } => write!(f, "between {} and {}", Clock(*from), Clock(*to)),
        }
    }
}

/// Whether it is the one class that "nobody" stands for.
fn is_person(classes: &[Name]) -> bool {
    matches!(classes, [class] if class.text == "person")
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Condition],
    word: &str,
    loose: impl Fn(&Condition) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        in_brackets(f, part, loose(part))?;
    }
    Ok(())
}

fn in_brackets(f: &mut fmt::Formatter<'_>, part: &Condition, loose: bool) -> fmt::Result {
    if loose { write!(f, "({part})") } else { write!(f, "{part}") }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anything => f.write_str("anything"),
            Self::Classes(classes) => Names(classes).fmt(f),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(zones) => write!(f, "in {}", Names(zones)),
            Self::Crosses(lines, way) => {
                let way = way.map_or("", |inwards| if inwards { " in" } else { " out" });
                write!(f, "crosses {}{way}", Names(lines))
            }
            Self::Still(zones) if zones.is_empty() => f.write_str("still"),
            Self::Still(zones) => write!(f, "still in {}", Names(zones)),
            Self::Is(name, comparison, number) => write!(f, "{} {comparison} {number}", name.text),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Self::SIGNS.iter().find(|(_, comparison)| comparison == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

/// Names with slashes between them, in quotes where they need them.
struct Names<'a>(&'a [Name]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Name { text, .. }) in self.0.iter().enumerate() {
            let slash = if index > 0 { "/" } else { "" };
            let quote = match text {
                text if is_word(text) => "",
                text if text.contains('\'') => "\"",
                _ => "'",
            };
            write!(f, "{slash}{quote}{text}{quote}")?;
        }
        Ok(())
    }
}

/// The units of a duration, each with its seconds; of those that are equal the first is printed.
pub(super) const UNITS: [(&str, f64); 14] = [
    ("h", 3600.0),
    ("hour", 3600.0),
    ("hours", 3600.0),
    ("min", 60.0),
    ("m", 60.0),
    ("mins", 60.0),
    ("minute", 60.0),
    ("minutes", 60.0),
    ("s", 1.0),
    ("sec", 1.0),
    ("secs", 1.0),
    ("second", 1.0),
    ("seconds", 1.0),
    ("ms", 0.001),
];

/// Seconds in the largest unit of which they are a whole number.
struct Duration(f64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |unit: f64| self.0 >= unit && self.0 % unit == 0.0;
        let (unit, seconds) =
            [("h", 3600.0), ("min", 60.0)].into_iter().find(|known| whole(known.1)).unwrap_or(("s", 1.0));
        write!(f, "{} {unit}", self.0 / seconds)
    }
}

/// Seconds of the day as `22:00`, with seconds where there are any.
struct Clock(u32);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hours:02}:{minutes:02}")?;
        if seconds > 0 { write!(f, ":{seconds:02}") } else { Ok(()) }
    }
}
