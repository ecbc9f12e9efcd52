//! Why a model known by name cannot be had.

use std::io;
use std::path::PathBuf;

/// What is wrong with the table, the cache, or a download.
#[derive(Debug, thiserror::Error)]
pub enum ZooError {
    /// The table of models has a mistake.
    #[error("the table of models {file}: {why}")]
    Table {
        /// The file.
        file: String,
        /// What is wrong, with its row.
        why: String,
    },
    /// No model has this name.
    #[error("there is no model \"{name}\"{hint} (`trailsight models list` shows them)")]
    Unknown {
        /// The name.
        name: String,
        /// A suggestion, led by `; `, or nothing.
        hint: String,
    },
    /// Neither a file nor a model has this name.
    #[error("there is no file {name} and no model of this name{hint} (`trailsight models list` shows them)")]
    Neither {
        /// The name.
        name: String,
        /// A suggestion, led by `; `, or nothing.
        hint: String,
    },
    /// The model is known but not in the cache.
    #[error("the model {name} is not on this machine; fetch it with `trailsight models pull {name}`")]
    Missing {
        /// The name.
        name: String,
    },
    /// The file in the cache is not the one that the table describes.
    #[error(
        "{} is not the model {name}: {why}; fetch it again with `trailsight models pull {name}`",
        path.display()
    )]
    Changed {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
        /// How it differs.
        why: String,
    },
    /// There is no file of this model: it is a part of the program.
    #[error("the model {name} is built into the program: there is no file to {what}")]
    BuiltIn {
        /// The name.
        name: String,
        /// What was to be done.
        what: &'static str,
    },
    /// The user has no folder for caches.
    #[error("there is no cache folder: set XDG_CACHE_HOME, or HOME, to a folder")]
    NoFolder,
    /// A file of the cache cannot be read or written.
    #[error("cannot {tried} {}: {}", path.display(), reason(why))]
    File {
        /// The file.
        path: PathBuf,
        /// `read`, `write`, …
        tried: &'static str,
        /// What the system says.
        why: io::Error,
    },
    /// It may not be fetched.
    #[error("the model {name} is not on this machine, and --offline forbids to fetch it")]
    Offline {
        /// The name.
        name: String,
    },
    /// It cannot be fetched.
    #[error("cannot fetch {name} from {address}: {why}")]
    Download {
        /// The name.
        name: String,
        /// From where.
        address: String,
        /// Why, and what to do.
        why: String,
    },
}

/// What the system says, plainer where it is something to act on.
fn reason(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; free some space and try again, what was fetched is kept".to_owned()
        }
        _ => why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so() {
        let error = ZooError::File {
            path: "a.onnx".into(),
            tried: "write",
            why: io::Error::from(io::ErrorKind::StorageFull),
        };
        assert!(error.to_string().starts_with("cannot write a.onnx: the disk is full"), "{error}");
    }
}
