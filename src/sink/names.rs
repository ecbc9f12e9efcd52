//! Names that the program chooses: the first free number in a folder, and the name of the raw video beside an annotated
//! one.

use std::path::{Path, PathBuf};

use super::SinkError;
use super::partial::partial_name;
use super::video::ffmpeg_available;

/// Numbers that are tried.
const MAX_NUMBER: u32 = 1_000_000;

/// `trailsight-0001.EXT` and so on, in `folder`.
pub(super) fn numbered(folder: &Path, ending: &str) -> impl Iterator<Item = PathBuf> {
    (1..=MAX_NUMBER).map(move |number| folder.join(format!("trailsight-{number:04}.{ending}")))
}

/// The error where all those are taken.
pub(super) fn all_taken(folder: &Path, ending: &str) -> SinkError {
    let path = folder.join(format!("trailsight-….{ending}")).display().to_string();
    SinkError::Place {
        path,
        why: format!("all numbers up to {MAX_NUMBER} are taken; remove some of these files"),
    }
}

/// A name in `folder` for a video, `.mp4` where `ffmpeg` is installed, else `.avi`: neither it nor its partial name nor
/// those of the undrawn picture beside it are there yet.
///
/// # Errors
/// [`SinkError::Place`] where a million are there.
pub fn free_video_name(folder: &Path) -> Result<PathBuf, SinkError> {
    let ending = if ffmpeg_available() { "mp4" } else { "avi" };
    let is_free = |path: &PathBuf| {
        let raw = raw_name(path);
        ![partial_name(path), partial_name(&raw), raw].iter().chain([path]).any(|path| path.exists())
    };
    numbered(folder, ending).find(is_free).ok_or_else(|| all_taken(folder, ending))
}

/// The name of the undrawn picture beside the annotated one: `NAME.raw.EXT`.
pub fn raw_name(path: &Path) -> PathBuf {
    let mut raw = path.file_stem().unwrap_or_default().to_owned();
    raw.push(".raw");
    if let Some(extension) = path.extension() {
        raw.push(".");
        raw.push(extension);
    }
    path.with_file_name(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_name_is_free_when_all_that_goes_with_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let ending = if ffmpeg_available() { "mp4" } else { "avi" };
        for taken in ["trailsight-0001.", "trailsight-0002.partial.", "trailsight-0003.raw.partial."] {
            fs::write(folder.path().join(format!("{taken}{ending}")), "mine").unwrap();
        }
        let free = free_video_name(folder.path()).unwrap();
        assert_eq!(free, folder.path().join(format!("trailsight-0004.{ending}")));
    }

    #[test]
    fn raw_goes_before_the_ending() {
        assert_eq!(raw_name(Path::new("a/b.c.mp4")), Path::new("a/b.c.raw.mp4"));
        assert_eq!(raw_name(Path::new("b")), Path::new("b.raw"));
    }
}
