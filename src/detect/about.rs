//! What is known of a model, for people.

use std::fmt;

/// How a model's file was read, and why so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The family that it was recognised as; `own head` for one of the caller's.
    pub family: String,
    /// What in the file told that.
    pub why: Vec<String>,
    /// What nothing in the file tells, and how it is taken.
    pub assumed: Vec<String>,
    /// What of the file was rewritten so that it can be run.
    pub rewritten: Vec<String>,
    /// The program that wrote the file, where it says so.
    pub producer: String,
    /// Where the names of the classes are from.
    pub labels_from: String,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.family)?;
        match self.why.as_slice() {
            [] => Ok(()),
            why => write!(f, ": {}", why.join("; ")),
        }
    }
}
