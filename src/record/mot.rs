//! MOTChallenge text: tracks written, detections read.
//!
//! A line is `frame,id,left,top,width,height,score,class,…`. Frames count from 1. MOTChallenge also counts pixels from 1:
//! the top-left pixel of a picture is at (1, 1) where our own boxes have it at (0, 0). Writer and reader both convert,
//! so that boxes leave in the coordinates they came in (Leal-Taixé et al., 2015, arXiv:1504.01942). The class is the
//! label's index + 1 (1 is a person for the bundled model).

use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::detection::{ClassId, Detection};
use crate::geometry::Rect;
use crate::scene::Scene;

/// From our pixel coordinates to those of the file.
const ORIGIN: f64 = 1.0;
/// A frame number beyond it is a mistake: a century of video would fit, and nobody could wait for its empty frames.
const MAX_FRAME: f64 = 1e8;
/// A line longer than that is no line of such a file.
const MAX_LINE: u64 = 4096;
/// The columns that must be there.
const COLUMNS: [&str; 7] = ["frame", "id", "left", "top", "width", "height", "score"];

/// Appends a line for each track that was seen in the frame.
pub(super) fn push_scene(text: &mut String, scene: &Scene) {
    let frame = scene.sequence.saturating_add(1);
    for track in scene.seen().filter(|track| track.rect.is_sound()) {
        let Rect { left, top, width, height } = track.rect;
        let (left, top) = (f64::from(left) + ORIGIN, f64::from(top) + ORIGIN);
        let (id, score, class) = (track.id, track.score, u32::from(track.class) + 1);
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{frame},{id},{left:.2},{top:.2},{width:.2},{height:.2},{score:.4},{class},-1,-1");
    }
}

/// Why a detection file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MotError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A line that is no detection.
    #[error("{path}, line {line}: {why}; a line is frame,id,left,top,width,height,score[,class]")]
    Line {
        /// The file.
        path: String,
        /// Counted from 1.
        line: u64,
        /// The column, what was expected there and what was found.
        why: String,
    },
    /// There is nothing in it.
    #[error("{path} holds no detections")]
    Empty {
        /// The file.
        path: String,
    },
}

/// The detections of a whole recording, by frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DetectionFile {
    /// Sequence number and detection, by sequence number; in one frame as in the file.
    rows: Vec<(u64, Detection)>,
}

impl DetectionFile {
    /// Reads a MOTChallenge detection file: `frame,id,left,top,width,height,score[,class[,…]]`, commas or white space
    /// between the columns, frames in any order; blank lines and lines that start with `#` do not count.
    ///
    /// Boxes come out in our coordinates (top-left pixel at (0, 0)). The class is kept where it is at least 1, anything
    /// below (files without classes hold -1) is class 0. Scores are clamped to `0.0..=1.0`; boxes without area are left
    /// out. Both are said once in the log.
    ///
    /// # Errors
    /// [`MotError`]: with the line and column where something is not as it should be.
    pub fn read(path: &Path) -> Result<Self, MotError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| MotError::Read { path: name.clone(), error })?;
        Self::parse(BufReader::new(file), &name)
    }

    /// The same from text that is already open; `name` is for messages.
    ///
    /// # Errors
    /// [`MotError`].
    pub fn parse(mut text: impl BufRead, name: &str) -> Result<Self, MotError> {
        let mut rows = Vec::new();
        let (mut clamped, mut empty) = (0u64, 0u64);
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            let read = text.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| MotError::Read { path: name.to_owned(), error })?;
            if read == 0 {
                break;
            }
            let fail = |why: String| MotError::Line { path: name.to_owned(), line, why };
            if read as u64 == MAX_LINE && bytes.last() != Some(&b'\n') {
                return Err(fail(format!("longer than {MAX_LINE} characters")));
            }
            let content = String::from_utf8_lossy(&bytes);
            let content = content.trim_start_matches('\u{feff}').trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let (sequence, mut detection) = parse_line(content).map_err(fail)?;
            if detection.rect.is_sound() {
                clamped += u64::from(!(0.0..=1.0).contains(&detection.score));
                detection.score = detection.score.clamp(0.0, 1.0);
                rows.push((sequence, detection));
            } else {
                empty += 1;
            }
        }
        if rows.is_empty() {
            return Err(MotError::Empty { path: name.to_owned() });
        }
        if clamped > 0 {
            log::warn!("{name}: {clamped} scores lie outside 0 to 1 and were clamped");
        }
        if empty > 0 {
            log::warn!("{name}: {empty} boxes without area were left out");
        }
        rows.sort_by_key(|(sequence, _)| *sequence);
        Ok(Self { rows })
    }

    /// How many frames there are up to the last one with a detection, those without any included.
    pub fn frames(&self) -> u64 {
        self.rows.last().map_or(0, |(sequence, _)| sequence + 1)
    }

    /// The detections of the frame with this sequence number, from 0 (frame 1 of the file), in the order of the file.
    pub fn at(&self, sequence: u64) -> impl Iterator<Item = Detection> + '_ {
        let start = self.rows.partition_point(|(other, _)| *other < sequence);
        self.rows
            .iter()
            .skip(start)
            .take_while(move |(other, _)| *other == sequence)
            .map(|(_, detection)| *detection)
    }

    /// All detections with their sequence numbers, by sequence number.
    pub fn rows(&self) -> &[(u64, Detection)] {
        &self.rows
    }
}

/// One line, trimmed and not empty: sequence number and detection, the score as it stands there.
fn parse_line(line: &str) -> Result<(u64, Detection), String> {
    let mut fields: Box<dyn Iterator<Item = &str>> = if line.contains(',') {
        Box::new(line.split(',').map(str::trim))
    } else {
        Box::new(line.split_whitespace())
    };
    let mut values = [0f64; COLUMNS.len()];
    for (index, (value, column)) in values.iter_mut().zip(COLUMNS).enumerate() {
        let field =
            fields.next().ok_or_else(|| format!("{index} columns, at least {} are needed", COLUMNS.len()))?;
        *value = number(field, index + 1, column)?;
    }
    let [frame, _id, left, top, width, height, score] = values;
    if !(1.0..=MAX_FRAME).contains(&frame) || frame.fract() != 0.0 {
        return Err(format!(
            "column 1 (frame): expected a whole number from 1 to {MAX_FRAME}, found {frame}"
        ));
    }
    for (column, value) in [("5 (width)", width), ("6 (height)", height)] {
        if value < 0.0 {
            return Err(format!("column {column}: expected a number not below 0, found {value}"));
        }
    }
    let class = match fields.next() {
        None | Some("") => 0.0,
        Some(field) => number(field, 8, "class")?,
    };
    let most = f64::from(ClassId::MAX) + 1.0;
    if class >= 1.0 && (class.fract() != 0.0 || class > most) {
        return Err(format!("column 8 (class): expected a whole number up to {most}, found {class}"));
    }
    let class = if class >= 1.0 { (class - 1.0) as ClassId } else { 0 };
    let rect = Rect::new((left - ORIGIN) as f32, (top - ORIGIN) as f32, width as f32, height as f32);
    Ok((frame as u64 - 1, Detection { rect, score: score as f32, class }))
}

fn number(field: &str, index: usize, column: &str) -> Result<f64, String> {
    match field.parse::<f64>() {
        Ok(value) if value.is_finite() && value.abs() <= f64::from(f32::MAX) => Ok(value),
        _ => {
            let found: String = field.chars().take(40).collect();
            Err(format!("column {index} ({column}): expected a number, found `{}`", found.escape_debug()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tracks::tests::scene;
    use super::*;
    use crate::scene::{Track, TrackState};
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<DetectionFile, MotError> {
        DetectionFile::parse(text.as_bytes(), "det.txt")
    }

    #[test]
    fn a_line_a_seen_track_in_the_pixels_of_motchallenge() {
        let mut text = String::new();
        push_scene(&mut text, &scene());
        assert_eq!(text, "5,7,11.25,21.00,30.50,61.25,0.8300,1,-1,-1\n");
    }

    #[test]
    fn all_the_ways_such_files_are_written() {
        let text = "\u{feff}# a comment\r\n\r\n3,-1,11,21,5.5,6.5,0.9,3,-1,-1\r\n1 -1 1 1 2e0 3 .5\n  2 , -1 , 0 , 0 , 1 , 1 , 1 , -4.15 , 0\n3,-1,1,1,1,1,0.25,";
        let file = parse(text).unwrap();
        assert_eq!(file.frames(), 3);
        let first: Vec<Detection> = file.at(0).collect();
        assert_eq!(first, [Detection { rect: Rect::new(0.0, 0.0, 2.0, 3.0), score: 0.5, class: 0 }]);
        assert_eq!(file.at(1).next().unwrap().rect, Rect::new(-1.0, -1.0, 1.0, 1.0));
        let third: Vec<Detection> = file.at(2).collect();
        assert_eq!(third[0], Detection { rect: Rect::new(10.0, 20.0, 5.5, 6.5), score: 0.9, class: 2 });
        assert_eq!((third.len(), third[1].class), (2, 0));
        assert_eq!(file.at(3).count(), 0);
    }

    #[test]
    fn scores_are_clamped_and_flat_boxes_left_out() {
        let file = parse("1,-1,1,1,2,2,37.5\n1,-1,1,1,2,2,-0.3\n1,-1,1,1,0,2,0.5\n").unwrap();
        assert_eq!(file.at(0).map(|d| d.score).collect::<Vec<_>>(), [1.0, 0.0]);
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        for (line, wanted) in [
            ("1,-1,1,1,2,2", "6 columns, at least 7"),
            ("0,-1,1,1,2,2,1", "column 1 (frame)"),
            ("1.5,-1,1,1,2,2,1", "column 1 (frame)"),
            ("1e99,-1,1,1,2,2,1", "column 1 (frame)"),
            ("1,-1,1,nan,2,2,1", "column 4 (top): expected a number, found `nan`"),
            ("1,-1,inf,1,2,2,1", "column 3 (left)"),
            ("1,-1,1,1,-2,2,1", "column 5 (width)"),
            ("1,-1,1,1,2,1e300,1", "column 6 (height)"),
            ("1,-1,1,1,2,2,", "column 7 (score)"),
            ("1,-1,1,1,2,2,1,65537", "column 8 (class)"),
            ("1,-1,1,1,2,2,1,1.5", "column 8 (class)"),
            ("1,-1,1,1,2,2,1,person", "column 8 (class): expected a number, found `person`"),
            ("{\"frame\": 1}", "column 1 (frame): expected a number, found `{\\\"frame\\\":`"),
        ] {
            let said = parse(&format!("1,-1,1,1,2,2,1\n{line}\n")).unwrap_err().to_string();
            assert!(said.starts_with("det.txt, line 2: ") && said.contains(wanted), "{line}: {said}");
        }
        assert!(parse(&"1".repeat(10_000)).unwrap_err().to_string().contains("longer than"));
        assert!(matches!(parse("# nothing\n\n"), Err(MotError::Empty { .. })));
        assert!(DetectionFile::read(Path::new("/no/such/det.txt")).is_err());
    }

    proptest! {
        /// What is written is read back, and written again just so.
        #[test]
        fn writing_undoes_reading(rows in prop::collection::vec(
            (1u64..30, -99_999i32..999_999, -99_999i32..999_999, 1i32..999_999, 1i32..999_999, 0u16..=10_000, any::<u16>()), 1..40
        )) {
            let mut rows = rows;
            rows.sort_by_key(|row| row.0);
            let hundredths = |value: i32| f64::from(value) / 100.0;
            let text: String = rows.iter().enumerate().map(|(i, (frame, l, t, w, h, score, class))| {
                let [l, t, w, h] = [*l, *t, *w, *h].map(hundredths);
                let (score, class) = (f64::from(*score) / 10_000.0, u32::from(*class) + 1);
                format!("{frame},{},{l:.2},{t:.2},{w:.2},{h:.2},{score:.4},{class},-1,-1\n", i + 1)
            }).collect();
            let file = parse(&text).unwrap();
            let (mut again, mut id) = (String::new(), 0);
            for sequence in 0..file.frames() {
                let tracks = file.at(sequence).map(|d| {
                    id += 1;
                    Track { id, class: d.class, score: d.score, rect: d.rect, velocity: [0.0; 4],
                            state: TrackState::Confirmed, born: 0.0, seen: 0.0 }
                }).collect();
                push_scene(&mut again, &Scene { sequence, tracks, ..Scene::default() });
            }
            prop_assert_eq!(again, text);
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = DetectionFile::parse(bytes.as_slice(), "x");
        }
    }
}
