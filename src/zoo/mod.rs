//! Models known by name: a table of them, the cache that holds their files, and fetching.
//!
//! | file | what for |
//! |---|---|
//! | `table.rs` | the rows of `models/zoo.toml`: name, worth, licences, size, SHA-256, addresses |
//! | `cache.rs` | the folder of fetched files: which are there, whole and unchanged |
//! | `lookup.rs` | what `detector.model` means: a file, a name, or `auto` |
//! | `download.rs` | fetching (cargo feature `pull`): resumed, checked, renamed at the end |
//! | `settings.rs` | the section `[models]` |
//! | `times.rs` | how long each model took on this machine, remembered |
//! | `hint.rs` | that a better model is a command away, said once |
//! | `error.rs` | what can go wrong, each in one line |
//!
//! Nothing is fetched but by `pull`, which the command `trailsight models pull` alone calls. The bytes of a row are those of
//! its SHA-256 or an error: when they are fetched, and again each time that they are loaded.

mod cache;
#[cfg(feature = "pull")]
mod download;
mod error;
mod hint;
mod lookup;
mod settings;
mod table;
mod times;

pub use cache::{Cache, FileState};
#[cfg(feature = "pull")]
pub use download::{PullOptions, PullStep, pull};
pub use error::ZooError;
pub use hint::first_hint;
pub use lookup::{AUTO, announce, best, is_auto, named, there};
pub use settings::{Mirror, ModelsSettings};
pub use table::{Bring, Entry, TABLE_VARIABLE, Table};
pub use times::Times;
