//! What is wrong with the text of a rule, and where.

/// What is wrong with the text of a rule. Shown as `LINE:COLUMN: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {problem}")]
pub struct RuleError {
    /// The line within the text, from 1.
    pub line: usize,
    /// The letter in the line, from 1.
    pub column: usize,
    /// What is wrong there, and what may have been meant.
    pub problem: String,
}

impl RuleError {
    /// At a letter of a text, counted from 0.
    pub(super) fn at(text: &str, place: usize, problem: impl Into<String>) -> Self {
        let (mut line, mut column) = (1, 1);
        for letter in text.chars().take(place) {
            column += 1;
            if letter == '\n' {
                (line, column) = (line + 1, 1);
            }
        }
        Self { line, column, problem: problem.into() }
    }
}

/// `; did you mean "x"?` or nothing, to be put behind an error.
#[cfg(feature = "detector")]
pub(super) fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    crate::suggest::hint(typed, known)
}

/// Without the library that compares names, nothing is suggested.
#[cfg(not(feature = "detector"))]
pub(super) fn hint<'a>(_typed: &str, _known: impl IntoIterator<Item = &'a str>) -> String {
    String::new()
}
