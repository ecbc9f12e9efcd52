//! Detections recorded in a file: the input of a tracker without a picture.

use std::io::BufRead;
use std::path::Path;

use super::dialect::Dialect;
#[cfg(feature = "cli")]
use super::formats::{Annotations, Format};
use super::lines::{MotError, column, open};
use super::mot::{MotRow, Wanted, read_mot, refuse_parts};
use crate::detection::{ClassId, Detection};
use crate::geometry::Rect;
use crate::labels::Labels;
use crate::metrics::Region;

/// What a line must have.
const WANTED: Wanted =
    Wanted { form: "frame,id,left,top,width,height,score[,class]", columns: 7, frames: u64::MAX };

/// The detections of a whole recording, by frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DetectionFile {
    /// Sequence number and detection, by sequence number; in one frame as in the file.
    rows: Vec<(u64, Detection)>,
    /// The names of the classes, where the file has them.
    labels: Option<Labels>,
}

impl DetectionFile {
    /// The detections among the boxes of a file of another format.
    #[cfg(feature = "cli")]
    fn of(read: Annotations, name: &str) -> Self {
        let (mut rows, mut empty) = (Vec::new(), 0u64);
        for one in read.boxes.iter().filter(|one| !one.predicted) {
            let Region { left, top, width, height } = one.region;
            let rect = Rect::new(left as f32, top as f32, width as f32, height as f32);
            let score = one.score.unwrap_or(1.0).clamp(0.0, 1.0) as f32;
            match rect.is_sound() {
                true => rows.push((one.frame, Detection { rect, score, class: one.class.unwrap_or(0) })),
                false => empty += 1,
            }
        }
        if empty > 0 {
            log::warn!("{name}: {empty} boxes without area were left out");
        }
        rows.sort_by_key(|(sequence, _)| *sequence);
        Self { rows, labels: Some(read.labels) }
    }

    /// The names of the classes, where the file itself has them.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// Reads a MOTChallenge detection file: `frame,id,left,top,width,height,score[,class[,…]]`, commas, semicolons, tabs or
    /// blanks between the columns, frames in any order; blank lines and lines that start with `#` do not count. A file
    /// without any line has no detections.
    ///
    /// Boxes come out in our coordinates (top-left pixel at (0, 0)). The class is kept where it is at least 1, anything
    /// below (files without classes hold -1) is class 0, and so is everything where the column holds other numbers (places
    /// in the world). Scores are clamped to `0.0..=1.0`; where a score is `nan`, or all are -1, there are none, and each
    /// counts as 1. Boxes without area are left out. All of that is said once in the log.
    ///
    /// # Errors
    /// [`MotError`]: with the line and column where something is not as it should be.
    pub fn read(path: &Path) -> Result<Self, MotError> {
        Self::read_as(path, &Dialect::default())
    }

    /// The same for a file that counts otherwise.
    ///
    /// # Errors
    /// As [`DetectionFile::read`].
    pub fn read_as(path: &Path, dialect: &Dialect) -> Result<Self, MotError> {
        #[cfg(feature = "cli")]
        match Format::of(path)? {
            Format::Mot => {}
            format => return Ok(Self::of(format.read(path, dialect)?, &path.display().to_string())),
        }
        Self::parse_as(open(path)?, &path.display().to_string(), dialect)
    }

    /// The same from text that is already open; `name` is for messages.
    ///
    /// # Errors
    /// [`MotError`].
    pub fn parse(text: impl BufRead, name: &str) -> Result<Self, MotError> {
        Self::parse_as(text, name, &Dialect::default())
    }

    /// The same for text that counts otherwise.
    ///
    /// # Errors
    /// [`MotError`].
    pub fn parse_as(text: impl BufRead, name: &str, dialect: &Dialect) -> Result<Self, MotError> {
        let found = read_mot(text, name, dialect, WANTED)?;
        refuse_parts(name, &found)?;
        // Trackers that know no scores write -1.
        let scoreless = found.iter().all(|row| row.score.is_none_or(|score| score == -1.0));
        let mut rows = Vec::new();
        let (mut clamped, mut empty, mut without_score) = (0u64, 0u64, 0u64);
        for row in &found {
            let (detection, score) = detection(row, name, dialect)?;
            if !detection.rect.is_sound() {
                empty += 1;
                continue;
            }
            let score = score.filter(|_| !scoreless);
            without_score += u64::from(score.is_none());
            let score = score.unwrap_or(1.0);
            clamped += u64::from(!(0.0..=1.0).contains(&score));
            rows.push((row.frame, Detection { score: score.clamp(0.0, 1.0), ..detection }));
        }
        for (count, what) in [
            (clamped, "scores were outside 0 to 1 and were clamped"),
            (without_score, "boxes have no score; it counts as 1"),
            (empty, "boxes without area were left out"),
        ] {
            if count > 0 {
                log::warn!("{name}: {count} {what}");
            }
        }
        rows.sort_by_key(|(sequence, _)| *sequence);
        Ok(Self { rows, labels: None })
    }

    /// Only the first of every so many frames, numbered anew: what a slower camera would have given. Every one: as it is.
    pub fn every(mut self, frames: u64) -> Self {
        let step = frames.max(1);
        self.rows.retain(|(sequence, _)| sequence.is_multiple_of(step));
        self.rows.iter_mut().for_each(|(sequence, _)| *sequence /= step);
        self
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

/// The detection of a row, and its score as it stands there.
fn detection(row: &MotRow, name: &str, dialect: &Dialect) -> Result<(Detection, Option<f32>), MotError> {
    let fail = |why: String| MotError::Line { path: name.to_owned(), line: row.line, why, form: WANTED.form };
    let Region { left, top, width, height } = row.region;
    for (index, value) in [(4, width), (5, height)] {
        if value < 0.0 {
            return Err(fail(format!("{}: expected a number from 0, found {value}", column(index))));
        }
    }
    let class = row.class.unwrap_or(0.0);
    let most = f64::from(ClassId::MAX) + 1.0;
    if class >= 1.0 && (class.fract() != 0.0 || class > most) {
        return Err(fail(format!("{}: expected a whole number up to {most}, found {class}", column(7))));
    }
    let class = if class >= 1.0 { (class - 1.0) as ClassId } else { 0 };
    let pixels = dialect.mot_pixels();
    let rect = Rect::new((left - pixels) as f32, (top - pixels) as f32, width as f32, height as f32);
    Ok((Detection { rect, score: 1.0, class }, row.score.map(|score| score as f32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<DetectionFile, MotError> {
        DetectionFile::parse(text.as_bytes(), "det.txt")
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
    fn no_detections_no_scores_and_no_classes_are_no_failure() {
        assert_eq!(parse("# nothing\n\n").unwrap().frames(), 0);
        assert!(parse("").unwrap().rows().is_empty());
        let scores =
            |text: &str| parse(text).unwrap().rows().iter().map(|row| row.1.score).collect::<Vec<_>>();
        assert_eq!(scores("1,-1,1,1,2,2,nan\n1,-1,1,1,2,2,0.5\n"), [1.0, 0.5]);
        assert_eq!(scores("1,-1,1,1,2,2,-1\n1,-1,1,1,2,2,-1\n"), [1.0, 1.0]);
        assert_eq!(scores("1,-1,1,1,2,2,-1\n1,-1,1,1,2,2,0.5\n"), [0.0, 0.5]);
        // The truth of MOT15 has a place in the world where others have a class.
        let world =
            parse("1,1,1,1,2,2,1,-4.15,0.5,0\n2,1,1,1,2,2,1,1.2547,2,0\n3,1,1,1,2,2,1,3,2,0\n").unwrap();
        assert!(world.rows().iter().all(|(_, detection)| detection.class == 0));
    }

    #[test]
    fn other_dialects_come_out_in_our_own_pixels() {
        let dialect = Dialect {
            pixels_from: Some(0),
            frames_from: Some(0),
            classes_from: Some(0),
            ..Dialect::default()
        };
        let file = DetectionFile::parse_as(&b"0;-1;10;20;30;40;0.5;2\n"[..], "x", &dialect).unwrap();
        let expected = Detection { rect: Rect::new(10.0, 20.0, 30.0, 40.0), score: 0.5, class: 2 };
        assert_eq!(file.rows(), [(0, expected)]);
    }

    #[test]
    fn thinned_it_is_a_slower_camera() {
        let file = parse("1,-1,1,1,2,2,1\n2,-1,1,1,2,2,1\n4,-1,9,9,2,2,1\n6,-1,1,1,2,2,1\n").unwrap();
        assert_eq!(file.clone().every(1), file);
        let thin = file.every(3);
        assert_eq!((thin.frames(), thin.rows().len()), (2, 2));
        assert_eq!(thin.at(1).next().unwrap().rect, Rect::new(8.0, 8.0, 2.0, 2.0));
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        for (line, wanted) in [
            ("1,-1,1,1,2,2", "6 columns, at least 7"),
            ("0,-1,1,1,2,2,1", "column 1 (frame)"),
            ("0.5,-1,1,1,2,2,1", "column 1 (frame)"),
            ("1,0.5,1,1,2,2,1", "column 2 (id): expected a whole number, found 0.5"),
            ("1e99,-1,1,1,2,2,1", "column 1 (frame)"),
            ("1,-1,1,nan,2,2,1", "column 4 (top): expected a number, found `nan`"),
            ("1,-1,inf,1,2,2,1", "column 3 (left)"),
            ("1,-1,1,1,-2,2,1", "column 5 (width)"),
            ("1,-1,1,1,2,1e300,1", "column 6 (height)"),
            ("1,-1,1,1,2,2,", "column 7 (score)"),
            ("1,-1,1,1,2,2,1,65537", "column 8 (class)"),
            ("1,-1,1,1,2,2,1,person", "column 8 (class): expected a number, found `person`"),
            ("{\"frame\": 1}", "column 1 (frame): expected a number, found `{\\\"frame\\\":`"),
        ] {
            let said = parse(&format!("1,-1,1,1,2,2,1\n{line}\n")).unwrap_err().to_string();
            assert!(said.starts_with("det.txt, line 2: ") && said.contains(wanted), "{line}: {said}");
        }
        assert!(parse(&"1".repeat(10_000)).unwrap_err().to_string().contains("longer than"));
        let both = parse("1,-1,1,1,2,2,1,3\n1,-1,1,1,2,2,1,1.5\n").unwrap_err().to_string();
        assert!(both.contains("line 2: column 8 (class): expected a whole number"), "{both}");
        assert!(DetectionFile::read(Path::new("/no/such/det.txt")).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = DetectionFile::parse(bytes.as_slice(), "x");
        }
    }
}
