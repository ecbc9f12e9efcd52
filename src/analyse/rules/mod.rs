//! Rules: what somebody wants to be told, in a small language, and the events that tell it.
//!
//! A rule has a condition, such as `person in square for 5 s`. Where the condition holds an event *starts*; the event ends
//! where the condition has ceased to hold. The language and all odd cases are described in docs/rules.md.
//!
//! | event | when | details |
//! |---|---|---|
//! | `start` | the condition holds | `rule`, `event_id`; of an object `class`, `x`, `y` and the zone; numbers that the rule compares |
//! | `update` | the object goes on under another id or class | the same, and `duration` |
//! | `end` | it has ceased to hold | `rule`, `event_id`, `class`, `duration` in seconds |
//!
//! The stage stands behind [`Counting`](super::Counting), which tells who is in which zone and who crossed which line.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | what can be set about a rule |
//! | `token`, `parse`, `condition`, `error` | the language: parts of the text, the tree, and the text again; what is wrong, and where |
//! | `check` | parts that do not go together, names that nothing has |
//! | `plan` | a condition made ready: numbers for names |
//! | `span` | since when something holds, over short lapses |
//! | `evaluate` | whether a condition holds in a frame |
//! | `rule` | a rule and its events |
//! | `stage` | all rules, frame by frame |

mod check;
mod condition;
mod error;
mod evaluate;
mod parse;
mod plan;
mod rule;
mod settings;
mod span;
mod stage;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::str::FromStr;

use crate::analyse::CountingSettings;
use crate::labels::Labels;
use condition::Condition;

pub use error::RuleError;
pub use settings::RuleSettings;
pub use stage::{Clock, Rules};

/// The numbers that are known of each object, by which a rule can ask, with what each is.
pub const ATTRIBUTES: [(&str, &str); 7] = [
    ("score", "the score of its last detection, 0 to 1"),
    ("age_s", "seconds since its first detection"),
    ("dwell_s", "seconds that it has been in a zone, the longest where zones overlap; 0 outside"),
    ("speed_px_per_s", "how fast the middle of its box moves, in pixels a second"),
    (
        "speed_m_per_s",
        "how fast it moves on the ground, in metres a second; where a [ground] is set and while it is known",
    ),
    ("width_px", "the width of its box in pixels"),
    ("height_px", "the height of its box in pixels"),
];

/// A condition that was read: what a rule asks for.
///
/// ```
/// use trailsight::analyse::When;
///
/// let when: When = "person in square for 5s and not between 8:00 and 18:00".parse()?;
/// assert_eq!(when.to_string(), "person in square for 5 s and not between 08:00 and 18:00");
/// let error = "person inn square".parse::<When>().unwrap_err();
/// assert_eq!((error.line, error.column), (1, 8));
/// # Ok::<(), trailsight::analyse::RuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    text: String,
    condition: Condition,
}

/// The names that a rule may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Of zones.
    pub zones: &'a [&'a str],
    /// Of lines.
    pub lines: &'a [&'a str],
    /// Zones and lines that count only some classes: "zone" or "line", the name, and those.
    pub narrow: &'a [(&'a str, &'a str, &'a [String])],
    /// Of classes; `None`: not known yet, and not checked.
    pub classes: Option<&'a Labels>,
}

/// The names of lines and zones, for [`Known`].
#[derive(Debug, Clone)]
pub struct KnownNames<'a> {
    zones: Vec<&'a str>,
    lines: Vec<&'a str>,
    narrow: Vec<(&'a str, &'a str, &'a [String])>,
}

impl<'a> KnownNames<'a> {
    /// Those of these settings.
    pub fn of(counting: &'a CountingSettings) -> Self {
        let zones =
            || counting.zones.iter().map(|zone| ("zone", zone.name.as_str(), zone.classes.as_slice()));
        let lines =
            || counting.lines.iter().map(|line| ("line", line.name.as_str(), line.classes.as_slice()));
        Self {
            zones: zones().map(|(_, name, _)| name).collect(),
            lines: lines().map(|(_, name, _)| name).collect(),
            narrow: zones().chain(lines()).filter(|(.., classes)| !classes.is_empty()).collect(),
        }
    }

    /// These, with the names of classes.
    pub fn with<'b>(&'b self, classes: Option<&'b Labels>) -> Known<'b> {
        Known { zones: &self.zones, lines: &self.lines, narrow: &self.narrow, classes }
    }
}

impl When {
    /// Whether there is everything that the condition names.
    ///
    /// # Errors
    /// [`RuleError`] of the first name that nothing has, with what may have been meant.
    pub fn check(&self, known: &Known<'_>) -> Result<(), RuleError> {
        check::check_known(&self.text, &self.condition, known)
    }
}

impl FromStr for When {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let condition = parse::parse(text)?;
        check::check_sense(text, &condition)?;
        Ok(Self { text: text.to_owned(), condition })
    }
}

impl fmt::Display for When {
    /// The condition in one form: a text that means the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}
