//! Detections recorded in a file: the input of a tracker without a picture.

use std::io::BufRead;
use std::path::Path;

use super::lines::{MotError, ORIGIN, column, each_line, fields, frame, number, numbers, open};
use crate::detection::{ClassId, Detection};
use crate::geometry::Rect;

/// The columns, for messages.
const FORM: &str = "frame,id,left,top,width,height,score[,class]";

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
        Self::parse(open(path)?, &path.display().to_string())
    }

    /// The same from text that is already open; `name` is for messages.
    ///
    /// # Errors
    /// [`MotError`].
    pub fn parse(text: impl BufRead, name: &str) -> Result<Self, MotError> {
        let mut rows = Vec::new();
        let (mut clamped, mut empty) = (0u64, 0u64);
        each_line(text, name, FORM, |_, line| {
            let (sequence, mut detection) = parse_line(line)?;
            if detection.rect.is_sound() {
                clamped += u64::from(!(0.0..=1.0).contains(&detection.score));
                detection.score = detection.score.clamp(0.0, 1.0);
                rows.push((sequence, detection));
            } else {
                empty += 1;
            }
            Ok(())
        })?;
        if rows.is_empty() {
            return Err(MotError::Empty { path: name.to_owned() });
        }
        if clamped > 0 {
            log::warn!("{name}: {clamped} scores were outside 0 to 1 and were clamped");
        }
        if empty > 0 {
            log::warn!("{name}: {empty} boxes without area were left out");
        }
        rows.sort_by_key(|(sequence, _)| *sequence);
        Ok(Self { rows })
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

/// One line, trimmed and not empty: sequence number and detection, the score as it stands there.
fn parse_line(line: &str) -> Result<(u64, Detection), String> {
    let mut fields = fields(line);
    let [number_of_frame, _id, left, top, width, height, score] = numbers(&mut fields)?;
    let sequence = frame(number_of_frame)?;
    for (index, value) in [(4, width), (5, height)] {
        if value < 0.0 {
            return Err(format!("{}: expected a number from 0, found {value}", column(index)));
        }
    }
    let class = match fields.next() {
        None | Some("") => 0.0,
        Some(field) => number(field, 7)?,
    };
    let most = f64::from(ClassId::MAX) + 1.0;
    if class >= 1.0 && (class.fract() != 0.0 || class > most) {
        return Err(format!("{}: expected a whole number up to {most}, found {class}", column(7)));
    }
    let class = if class >= 1.0 { (class - 1.0) as ClassId } else { 0 };
    let rect = Rect::new((left - ORIGIN) as f32, (top - ORIGIN) as f32, width as f32, height as f32);
    Ok((sequence, Detection { rect, score: score as f32, class }))
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
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = DetectionFile::parse(bytes.as_slice(), "x");
        }
    }
}
