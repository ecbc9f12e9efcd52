//! What is wrong with a setting, and where it was written.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from; later ones win.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Built in.
    #[default]
    Default,
    /// A place in a config file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
    },
    /// The command line, as it was typed.
    CommandLine(String),
    /// The panel or a key of the window, while the program runs.
    Panel,
}

impl fmt::Display for Origin {
    /// `FILE:LINE`, or as it was typed; the alternate form adds the column: `FILE:LINE:COLUMN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } if f.alternate() => {
                write!(f, "{}:{line}:{column}", path.display())
            }
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::CommandLine(typed) => f.write_str(typed),
            Self::Panel => f.write_str("panel"),
        }
    }
}

/// One mistake: where, which key, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was written.
    pub origin: Origin,
    /// What is wrong, in words; begins with the key where there is one.
    pub problem: String,
}

/// A note about a setting that is not a mistake: an old name, or a removed setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where it was written.
    pub origin: Origin,
    /// The name that was written.
    pub name: &'static str,
    /// The note, in words.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}: {}", self.origin, self.text)
    }
}

/// Why settings cannot be used.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `write`.
        tried: &'static str,
        /// What the system says, and what to do.
        why: String,
    },
    /// All mistakes that were found, in their order.
    Mistakes(Vec<Mistake>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, tried, why } => {
                write!(f, "cannot {tried} the config file {}: {why}", path.display())
            }
            Self::Mistakes(mistakes) => {
                for (i, Mistake { origin, problem }) in mistakes.iter().enumerate() {
                    let line_end = if i == 0 { "" } else { "\n" };
                    write!(f, "{line_end}{origin:#}: {problem}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}
