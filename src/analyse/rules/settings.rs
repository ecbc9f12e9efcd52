//! What can be set about rules.

use crate::analyse::counting::is_of_source;

/// A `[[rule]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSettings {
    /// What it is called; no other rule has this name.
    pub name: String,
    /// What has to hold, in the language of [`When`](super::When).
    pub when: String,
    /// For how long after an event of the rule has started or ended none starts, in seconds.
    pub cool_down_seconds: f64,
    /// The source that it belongs to: its name, a pattern (`*`, `?`), or its number from 1; empty: every source.
    pub source: String,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            name: "somebody waits".to_owned(),
            when: "person in square for 5 s".to_owned(),
            cool_down_seconds: 0.0,
            source: String::new(),
        }
    }
}

impl RuleSettings {
    /// Whether it belongs to a source, by the source's name and its number among the sources of the run, from 1.
    pub fn is_of_source(&self, name: &str, number: usize) -> bool {
        is_of_source(&self.source, name, number)
    }
}
