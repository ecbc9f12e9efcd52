//! What a file of boxes does not say itself: where it counts from, and what its class numbers mean.

use std::path::{Path, PathBuf};

use crate::bounded;
use crate::labels::Labels;

/// Names of classes take a few bytes each.
const MAX_LABEL_BYTES: u64 = 1 << 20;
/// The file of class names that Datumaro and CVAT write beside `gt.txt`.
const LABEL_FILE: &str = "labels.txt";

/// How to read a file whose text leaves these questions open. What is `None` is as the format has it: MOTChallenge counts
/// pixels, frames and classes from 1.
///
/// | program | pixels from | frames from | classes from |
/// |---|---|---|---|
/// | MOTChallenge, motmetrics, trailsight | 1 | 1 | 1 |
/// | CVAT and Datumaro (MOT 1.1) | 0 | 1 | 1, by `labels.txt` |
/// | BoxMOT | 0 | 1 | 0 |
/// | Roboflow trackers, Norfair, VOT | 0 | 1 | none |
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dialect {
    /// The coordinate of the picture's top-left corner, 0 or 1.
    pub pixels_from: Option<u8>,
    /// The number of the first frame, 0 or 1.
    pub frames_from: Option<u8>,
    /// The number of the first class, 0 or 1.
    pub classes_from: Option<u8>,
    /// The names of the classes, in the order of their numbers.
    pub labels: Option<Labels>,
    /// Width and height of the picture in pixels, for files with boxes in parts of the picture.
    pub size: Option<(u32, u32)>,
    /// Which video is read, by its name, of files with several.
    pub video: Option<String>,
    /// Frames a second, for files that need a rate.
    pub fps: Option<f64>,
}

impl Dialect {
    /// What is added to our own pixels, which count from 0, to get those of MOTChallenge text.
    pub(super) fn mot_pixels(&self) -> f64 {
        f64::from(self.pixels_from.unwrap_or(1))
    }

    /// The first frame's number in MOTChallenge text.
    pub(super) fn mot_frames(&self) -> u64 {
        u64::from(self.frames_from.unwrap_or(1))
    }

    /// The number that class counts in MOTChallenge text start from.
    pub(super) fn mot_classes(&self) -> f64 {
        f64::from(self.classes_from.unwrap_or(1))
    }
}

/// The class names in `labels.txt` beside a file, where there is one, and where they are.
///
/// # Errors
/// As [`read_labels`].
pub fn labels_beside(file: &Path) -> Result<Option<(PathBuf, Labels)>, String> {
    let beside = file.with_file_name(LABEL_FILE);
    if !beside.is_file() {
        return Ok(None);
    }
    let labels = read_labels(&beside)?;
    Ok((!labels.is_empty()).then_some((beside, labels)))
}

/// Class names from a file, one a line; the word `coco` stands for COCO's 80.
///
/// # Errors
/// The file, and what the system says.
pub fn read_labels(path: &Path) -> Result<Labels, String> {
    if path.as_os_str() == "coco" {
        return Ok(Labels::coco());
    }
    let text = bounded::read_text(path, MAX_LABEL_BYTES);
    let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Labels::parse(text.trim_start_matches('\u{feff}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_a_file_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gt.txt");
        assert_eq!(labels_beside(&file), Ok(None));
        std::fs::write(folder.path().join("labels.txt"), "\u{feff}car\r\nperson\n\nbicycle").unwrap();
        let (path, labels) = labels_beside(&file).unwrap().unwrap();
        assert!(path.ends_with("labels.txt"));
        assert_eq!(labels.iter().collect::<Vec<_>>(), ["car", "person", "bicycle"]);
        std::fs::write(folder.path().join("labels.txt"), [0xff, 0xfe]).unwrap();
        assert!(labels_beside(&file).unwrap_err().contains("UTF-8"));
        assert_eq!(read_labels(Path::new("coco")).unwrap().len(), 80);
    }
}
