//! Why something could not be written: each error says what happened, where, and what to do next.

#[cfg(feature = "cli")]
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an output could not be opened, written or completed.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The place cannot be written to: its folder is missing or closed to us, or it is no file.
    #[error("cannot write {path}: {why}")]
    Place {
        /// The output as the user named it.
        path: String,
        /// The reason, and what to do next.
        why: String,
    },
    /// The name ends in something that no writer is known for.
    #[error("cannot write {path}: the ending {ending} is not known; known are {known}")]
    Ending {
        /// The output as the user named it.
        path: String,
        /// The ending with its dot, or `(none)`.
        ending: String,
        /// The endings that would do.
        known: String,
    },
    /// The address begins with a scheme that no sink is known for.
    #[error("cannot write {path}: the scheme {scheme}:// is not known; known are {known}")]
    Scheme {
        /// The output as the user named it.
        path: String,
        /// The scheme, without `://`.
        scheme: String,
        /// The endings and schemes that would do.
        known: String,
    },
    /// Writing failed half-way: disk full, device gone.
    #[error("writing {path} failed: {why}")]
    Write {
        /// The file that was being written.
        path: String,
        /// The reason, and what to do next.
        why: String,
    },
    /// The reader of standard output or of a pipe has closed it. A quiet end: no reader is left, and nothing is wrong.
    #[error("the reader of {path} closed it")]
    Closed {
        /// The output as the user named it.
        path: String,
    },
    /// A program that is needed is not installed.
    #[error("writing {path} needs the program {program}, which is not on the PATH: {hint}")]
    Missing {
        /// The output as the user named it.
        path: String,
        /// The program.
        program: &'static str,
        /// How to get it, or how to do without.
        hint: &'static str,
    },
    /// The encoder stopped or refused.
    #[error("the encoder of {path} failed: {why}")]
    Encoder {
        /// The output as the user named it.
        path: String,
        /// How it ended, and the last that it said.
        why: String,
    },
    /// A picture that the format cannot hold.
    #[error("cannot write {path}: {why}")]
    Picture {
        /// The output as the user named it.
        path: String,
        /// The reason, and what to do next.
        why: String,
    },
}

impl SinkError {
    /// Whether this is only the reader of a pipe having gone away, which is no failure.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// The error of a sink of your own: `name` is [the sink's](super::Sink::name), `why` says what happened and what to do.
    pub fn failed(name: &str, why: impl std::fmt::Display) -> Self {
        Self::Write { path: name.to_owned(), why: why.to_string() }
    }
}

#[cfg(feature = "cli")]
impl SinkError {
    /// The error of opening `path` in `folder`.
    pub(super) fn opening(path: &Path, folder: &Path, error: &io::Error) -> Self {
        let folder = folder.display();
        let why = match error.kind() {
            io::ErrorKind::NotFound if Path::new(&folder.to_string()).is_dir() => {
                format!("no file can be created in {folder}; choose another place")
            }
            io::ErrorKind::NotFound => format!("the folder {folder} does not exist; create it first"),
            io::ErrorKind::NotADirectory => format!("{folder} is not a folder; choose another place"),
            io::ErrorKind::PermissionDenied => {
                format!("no permission to write in {folder}; choose another place, or change its permissions")
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                format!("{folder} is on a read-only file system; choose another place")
            }
            io::ErrorKind::StorageFull => format!("the disk of {folder} is full; free some space"),
            _ => error.to_string(),
        };
        Self::Place { path: path.display().to_string(), why }
    }

    /// The error of writing to `name`; `kept` is the file where what was written so far lies.
    pub(super) fn writing(name: &str, kept: Option<&PathBuf>, error: &io::Error) -> Self {
        let path = name.to_owned();
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed { path };
        }
        let mut why = match error.kind() {
            io::ErrorKind::StorageFull => {
                "the disk is full; free some space or choose another place".to_owned()
            }
            io::ErrorKind::QuotaExceeded => {
                "your quota is used up; free some space or choose another place".to_owned()
            }
            io::ErrorKind::FileTooLarge => {
                "the file system allows no larger file; choose another place".to_owned()
            }
            _ => error.to_string(),
        };
        if let Some(kept) = kept {
            why.push_str(&format!("; what was written so far is kept in {}", kept.display()));
        }
        Self::Write { path, why }
    }
}
