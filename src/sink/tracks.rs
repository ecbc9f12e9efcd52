//! One writer of tracks for every kind of track file, chosen by the name's ending.
//!
//! Whole frames are written at once and unbuffered, so that the file can be read along (`tail -f`) and never holds half
//! a line. Frames are numbered from 1, as MOTChallenge does, in every kind (and from 0 too, where COCO-VID does).

use std::path::Path;

use super::coco_vid::CocoVid;
use super::format::{FrameFacts, TrackFileInfo};
use super::partial::{PartialFile, ending, is_special, unknown_ending};
use super::{SinkError, csv, jsonl, mot};
use crate::scene::Scene;

/// The endings of track files, for messages and help.
pub const TRACK_ENDINGS: &str =
    ".txt (MOTChallenge), .jsonl (one JSON object a frame), .json (COCO-VID), .csv";

/// The kinds of track files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Mot,
    Jsonl,
    Csv,
    CocoVid,
}

impl Format {
    /// By the ending of the name; what has no name of its own (standard output, a device) gets MOTChallenge.
    fn of(path: &Path) -> Result<Self, SinkError> {
        match ending(path).as_str() {
            "txt" => Ok(Self::Mot),
            "jsonl" => Ok(Self::Jsonl),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::CocoVid),
            _ if is_special(path) => Ok(Self::Mot),
            _ => Err(unknown_ending(path, TRACK_ENDINGS)),
        }
    }
}

/// Says so where no track file can have this name.
///
/// # Errors
/// [`SinkError::Ending`].
pub fn check_track_name(path: &Path) -> Result<(), SinkError> {
    Format::of(path).map(drop)
}

/// Where the text goes.
#[derive(Debug)]
enum Output {
    /// Frame after frame, as it is.
    Lines(PartialFile, Format),
    /// Lines that become one document in the end.
    CocoVid(CocoVid),
}

/// Writes the tracks of scene after scene to a file.
#[derive(Debug)]
pub struct TrackWriter {
    output: Output,
    info: TrackFileInfo,
    /// The text of one frame, kept for its buffer.
    text: String,
}

impl TrackWriter {
    /// Opens a track file: `.txt`, `.jsonl`, `.json`, `.csv`; `-` is standard output, in MOTChallenge text.
    ///
    /// # Errors
    /// [`SinkError::Ending`] for other endings, [`SinkError::Place`] where the file cannot be, and what writing a
    /// header may raise.
    pub fn open(path: &Path, info: TrackFileInfo) -> Result<Self, SinkError> {
        let format = Format::of(path)?;
        let mut file = PartialFile::create(path)?;
        if format == Format::Csv {
            file.append(csv::HEADER.as_bytes())?;
        }
        let output = match format {
            Format::CocoVid => Output::CocoVid(CocoVid::begin(file, info.clone())?),
            _ => Output::Lines(file, format),
        };
        Ok(Self { output, info, text: String::new() })
    }

    /// Writes one frame, at once.
    ///
    /// MOTChallenge text and COCO-VID get the tracks that were seen in this frame; the others get the lost ones with their predicted
    /// boxes too, marked as such.
    ///
    /// # Errors
    /// [`SinkError::Write`], or [`SinkError::Closed`] where the reader of a pipe went away.
    pub fn write(&mut self, scene: &Scene, facts: FrameFacts) -> Result<(), SinkError> {
        self.text.clear();
        let (file, format) = match &mut self.output {
            Output::Lines(file, format) => (file, *format),
            Output::CocoVid(coco) => return coco.write(scene, facts),
        };
        match format {
            Format::Mot | Format::CocoVid => mot::push_scene(&mut self.text, scene),
            Format::Jsonl => jsonl::push_scene(&mut self.text, scene, facts, &self.info),
            Format::Csv => csv::push_scene(&mut self.text, scene, &self.info),
        }
        if self.text.is_empty() { Ok(()) } else { file.append(self.text.as_bytes()) }
    }

    /// The output as the user named it, for messages.
    pub fn name(&self) -> &str {
        match &self.output {
            Output::Lines(file, _) => file.name(),
            Output::CocoVid(coco) => coco.name(),
        }
    }

    /// Completes the file and gives it its name. Dropped without this it stays `NAME.partial.EXT`.
    ///
    /// # Errors
    /// [`SinkError::Write`].
    pub fn finish(self) -> Result<(), SinkError> {
        match self.output {
            Output::Lines(file, _) => file.finish(),
            Output::CocoVid(coco) => coco.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::{facts, info, scene};
    use super::*;
    use std::fs;

    #[test]
    fn every_ending_is_written_at_once_and_named_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        for (name, lines) in [("a.txt", 1), ("b.JSONL", 1), ("c.csv", 3)] {
            let path = folder.path().join(name);
            let mut writer = TrackWriter::open(&path, info()).unwrap();
            writer.write(&scene(), facts()).unwrap();
            let (stem, extension) = name.split_once('.').unwrap();
            let partial = folder.path().join(format!("{stem}.partial.{extension}"));
            let so_far = fs::read_to_string(&partial).unwrap();
            assert!(so_far.ends_with('\n') && so_far.lines().count() == lines, "{name}: {so_far}");
            writer.finish().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), so_far);
        }
    }

    #[test]
    fn other_endings_are_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        for (name, ending) in [("a.xml", ".xml"), ("tracks", "(none)")] {
            let said = TrackWriter::open(&folder.path().join(name), info()).unwrap_err().to_string();
            assert!(
                said.contains(&format!("the ending {ending} is not known")) && said.contains(".jsonl"),
                "{said}"
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let mut writer = TrackWriter::open(Path::new("/dev/full"), info()).unwrap();
        let error = writer.write(&scene(), facts()).unwrap_err();
        assert!(error.to_string().contains("disk is full") && !error.is_closed(), "{error}");
    }
}
