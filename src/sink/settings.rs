//! What can be set about recording.

use std::path::PathBuf;

/// The `[record]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSettings {
    /// The annotated video of every run that has a picture and does not say otherwise; `None`: none.
    pub path: Option<PathBuf>,
    /// Beside an annotated video `NAME.EXT`, the picture as it came too, as `NAME.raw.EXT`.
    pub raw: bool,
    /// From 1 (small) to 100 (nearly without loss).
    pub quality: u32,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self { path: None, raw: false, quality: 88 }
    }
}
