//! One writer of tracks for every kind of track file, chosen by the name's ending.
//!
//! Whole frames are written at once and unbuffered, so that the file can be read along (`tail -f`) and never holds half
//! a line. Frames are numbered from 1, as MOTChallenge does, in every kind (and from 0 too, where COCO-VID does).

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::coco_vid::CocoVid;
use super::partial::{PartialFile, ending, is_special, unknown_ending};
use super::{RecordError, csv, jsonl, mot};
use crate::labels::Labels;
use crate::scene::Scene;

/// The endings of track files, for messages and help.
pub const TRACK_ENDINGS: &str =
    ".txt (MOTChallenge), .jsonl (one JSON object a frame), .json (COCO-VID), .csv";

/// What a track file says of where its tracks come from.
#[derive(Debug, Clone)]
pub struct TrackFileInfo {
    /// The source as a person would call it.
    pub source: String,
    /// The names of the classes.
    pub labels: Arc<Labels>,
}

/// What a track file says of a frame beside its tracks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameFacts {
    /// `(width, height)` in pixels.
    pub size: (u32, u32),
    /// When a frame of a live source was taken, by the clock on the wall.
    pub wall: Option<SystemTime>,
}

impl FrameFacts {
    /// The wall clock's time as RFC 3339 has it, in UTC, to the millisecond; `None` where the clock tells nonsense.
    pub(super) fn wall(&self) -> Option<String> {
        use std::fmt::Write;
        let wall = self.wall.filter(|wall| *wall >= UNIX_EPOCH)?;
        let mut text = String::new();
        // Years of five digits have no form.
        write!(text, "{}", humantime::format_rfc3339_millis(wall)).ok()?;
        Some(text)
    }
}

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
    fn of(path: &Path) -> Result<Self, RecordError> {
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
/// [`RecordError::Ending`].
pub fn check_track_name(path: &Path) -> Result<(), RecordError> {
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
    /// [`RecordError::Ending`] for other endings, [`RecordError::Place`] where the file cannot be, and what writing a
    /// header may raise.
    pub fn open(path: &Path, info: TrackFileInfo) -> Result<Self, RecordError> {
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
    /// [`RecordError::Write`], or [`RecordError::Closed`] where the reader of a pipe went away.
    pub fn write(&mut self, scene: &Scene, facts: FrameFacts) -> Result<(), RecordError> {
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
    /// [`RecordError::Write`].
    pub fn finish(self) -> Result<(), RecordError> {
        match self.output {
            Output::Lines(file, _) => file.finish(),
            Output::CocoVid(coco) => coco.finish(),
        }
    }
}

/// A number rounded to `decimals` places, for files that people read.
pub(super) fn rounded(value: impl Into<f64>, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    let rounded = (value.into() * scale).round() / scale;
    // Not "-0".
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// How the centre of a track moves, `[x, y]` in pixels a second.
pub(super) fn center_velocity(track: &crate::scene::Track) -> [f64; 2] {
    let [left, top, width, height] = track.velocity.map(f64::from);
    [left + width / 2.0, top + height / 2.0]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::geometry::Rect;
    use crate::scene::{Track, TrackState};
    use std::fs;

    /// A seen person and a lost car.
    pub(in crate::record) fn scene() -> Scene {
        let person = Track {
            id: 7,
            class: 0,
            score: 0.83,
            rect: Rect::new(10.254, 20.0, 30.5, 61.249),
            velocity: [4.0, -1.0, 2.0, 0.0],
            state: TrackState::Confirmed,
            born: 0.5,
            seen: 2.0,
        };
        let car = Track { id: 9, class: 2, state: TrackState::Lost, seen: 1.0, ..person };
        Scene { sequence: 4, time: 2.0, tracks: vec![person, car], ..Scene::default() }
    }

    pub(in crate::record) fn facts() -> FrameFacts {
        FrameFacts { size: (640, 480), wall: None }
    }

    pub(in crate::record) fn info() -> TrackFileInfo {
        TrackFileInfo { source: "a \"clip\".avi".to_owned(), labels: Arc::new(Labels::coco()) }
    }

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
