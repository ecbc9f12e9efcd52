//! Tracks in a file of any format, to be looked at. More is forgiven here than where tracks are scored.
//!
//! Boxes come out in our own pixels, frames count from 0.

use std::io::BufRead;
use std::path::Path;

use super::dialect::Dialect;
use super::formats::{Annotations, Format};
use super::lines::MotError;
use crate::detection::{ClassId, Extra};
use crate::geometry::Rect;
use crate::labels::Labels;
use crate::metrics::Region;

/// What an object is called where the file does not tell.
const NAMELESS: &str = "object";
/// One object in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackRow {
    /// From 0.
    pub frame: u64,
    /// Which object.
    pub id: u64,
    /// Where it is, in pixels from 0.
    pub rect: Rect,
    /// From 0 to 1.
    pub score: f32,
    /// A place among the labels of the file.
    pub class: ClassId,
    /// Not seen in this frame: the box is a prediction.
    pub predicted: bool,
}

/// The tracks of a whole recording.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackFile {
    /// By frame, then by id; no id twice in a frame.
    rows: Vec<TrackRow>,
    /// Frame, id, and what is known of the object there beside its box; sorted.
    extras: Vec<(u64, u64, Extra)>,
    labels: Labels,
}

/// What was left out of a file, and why.
#[derive(Debug, Default)]
struct LeftOut {
    ignored: usize,
    detections: usize,
    empty: usize,
}

impl TrackFile {
    /// Reads MOTChallenge text (`frame,id,left,top,width,height[,score[,class[,…]]]`, frames in any order), JSON Lines, or a
    /// file of any other [`Format`], whichever its begin is. `labels` are the names of classes that are numbers there.
    ///
    /// Left out, and said in the log, are rows whose score is 0 (in files of truth: to be ignored), rows whose id is
    /// below 0 (detections, not tracks), boxes without area, and ids that a frame has already.
    ///
    /// # Errors
    /// [`MotError`] with the line where something is not as it should be, or where no row has an identity.
    pub fn read(path: &Path, labels: &Labels) -> Result<Self, MotError> {
        Self::read_as(path, labels, &Dialect::default())
    }

    /// The same for MOTChallenge text that counts otherwise.
    ///
    /// # Errors
    /// As [`TrackFile::read`].
    pub fn read_as(path: &Path, labels: &Labels, dialect: &Dialect) -> Result<Self, MotError> {
        if !path.is_file() && !path.is_dir() {
            let file = std::fs::File::open(path);
            let file = file.map_err(|error| MotError::Read { path: path.display().to_string(), error })?;
            let name = path.display().to_string();
            return Self::parse_as(std::io::BufReader::new(file), &name, labels, dialect);
        }
        let format = Format::of(path)?;
        let dialect = Dialect { labels: dialect.labels.clone().or(Some(labels.clone())), ..dialect.clone() };
        Self::of(format.read(path, &dialect)?, format, &path.display().to_string())
    }

    /// The same from text that is already open; `name` is for messages.
    ///
    /// # Errors
    /// As [`TrackFile::read`].
    pub fn parse(text: impl BufRead, name: &str, labels: &Labels) -> Result<Self, MotError> {
        Self::parse_as(text, name, labels, &Dialect::default())
    }

    /// The same for text that counts otherwise.
    ///
    /// # Errors
    /// As [`TrackFile::read`].
    pub fn parse_as(
        mut text: impl BufRead,
        name: &str,
        labels: &Labels,
        dialect: &Dialect,
    ) -> Result<Self, MotError> {
        let begin = text.fill_buf().map_err(|error| MotError::Read { path: name.to_owned(), error })?;
        let format = Format::detect(begin);
        let dialect = Dialect { labels: dialect.labels.clone().or(Some(labels.clone())), ..dialect.clone() };
        Self::of(format.parse(&mut text, name, &dialect)?, format, name)
    }

    /// The tracks among the boxes of a file of this format.
    fn of(read: Annotations, format: Format, name: &str) -> Result<Self, MotError> {
        let mut left_out = LeftOut::default();
        let mut rows = Vec::new();
        let nameless = ClassId::try_from(read.labels.len()).unwrap_or(ClassId::MAX);
        for one in &read.boxes {
            let Region { left, top, width, height } = one.region;
            let rect = Rect::new(left as f32, top as f32, width as f32, height as f32);
            let (class, score) = (one.class.unwrap_or(nameless), one.score.unwrap_or(1.0) as f32);
            match one.id {
                None => left_out.detections += 1,
                Some(_) if !rect.is_sound() => left_out.empty += 1,
                Some(id) => {
                    rows.push(TrackRow {
                        frame: one.frame,
                        id,
                        rect,
                        score,
                        class,
                        predicted: one.predicted,
                    });
                }
            }
        }
        let names: Vec<&str> = read.labels.iter().chain([NAMELESS]).collect();
        let labels = Labels::parse(&names.join("\n"));
        let ignored = rows.iter().filter(|row| row.score == 0.0).count();
        // Where all scores are 0 they say nothing.
        if ignored < rows.len() && format == Format::Mot {
            left_out.ignored = ignored;
            rows.retain(|row| row.score != 0.0);
        }
        rows.sort_by_key(|row| (row.frame, row.id));
        let before = rows.len();
        rows.dedup_by_key(|row| (row.frame, row.id));
        left_out.tell(name, before - rows.len());
        if rows.is_empty() {
            let path = name.to_owned();
            if left_out.detections > 0 {
                return Err(MotError::OnlyDetections { path });
            }
            log::warn!("{path} holds no tracks");
        }
        for row in &mut rows {
            row.score = if (0.0..=1.0).contains(&row.score) { row.score } else { 1.0 };
        }
        let mut extras = read.extras;
        extras.sort_by_key(|(frame, id, _)| (*frame, *id));
        Ok(Self { rows, extras, labels })
    }

    /// The names of the classes in it.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// How many frames there are up to the last one with a track, those without any included.
    pub fn frames(&self) -> u64 {
        self.rows.last().map_or(0, |row| row.frame + 1)
    }

    /// The objects of a frame, counted from 0, by id.
    pub fn at(&self, frame: u64) -> &[TrackRow] {
        let start = self.rows.partition_point(|row| row.frame < frame);
        let rest = self.rows.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|row| row.frame == frame)).unwrap_or_default()
    }

    /// What is known of the objects of a frame, counted from 0, beside their boxes: by id, where there is any.
    pub fn extras(&self, frame: u64) -> impl Iterator<Item = (u64, &Extra)> {
        let start = self.extras.partition_point(|(at, ..)| *at < frame);
        let rest = self.extras.get(start..).unwrap_or_default().iter();
        rest.take_while(move |(at, ..)| *at == frame).map(|(_, id, extra)| (*id, extra))
    }

    /// All objects, by frame and id.
    pub fn rows(&self) -> &[TrackRow] {
        &self.rows
    }
}

impl LeftOut {
    fn tell(&self, name: &str, twice: usize) {
        for (count, what) in [
            (self.ignored, "rows with score 0, which are to be ignored, were left out"),
            (
                self.detections,
                "rows without an identity (id below 0) are detections, not tracks, and were left out",
            ),
            (self.empty, "boxes without area were left out"),
            (twice, "rows whose id was in their frame already were left out"),
        ] {
            if count > 0 {
                log::warn!("{name}: {count} {what}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<TrackFile, MotError> {
        TrackFile::parse(text.as_bytes(), "x.txt", &Labels::parse("person\ncar"))
    }

    fn ids(file: &TrackFile, frame: u64) -> Vec<u64> {
        file.at(frame).iter().map(|row| row.id).collect()
    }

    #[test]
    fn results_and_truth_are_read_whatever_they_hold() {
        // With class, without, with a place in the world, between spaces, with nothing but the box.
        let text = "3,9,11,21,5,6,0.9,2,-1,-1\n1,4,1,1,2,2,1\n1,2,1,1,2,2,1,-4.15,0.5,0\n2 7 1 1 2 2\n3,1,1,1,2,2,37.5,1\n";
        let file = parse(text).unwrap();
        assert_eq!((file.frames(), file.rows().len()), (3, 5));
        assert_eq!((ids(&file, 0), ids(&file, 1), ids(&file, 2)), (vec![2, 4], vec![7], vec![1, 9]));
        assert!(file.at(3).is_empty());
        let [first, last] = [file.at(2)[0], file.at(2)[1]];
        assert_eq!((last.rect, last.score, last.class), (Rect::new(10.0, 20.0, 5.0, 6.0), 0.9, 1));
        assert_eq!((first.score, first.class), (1.0, 0));
        let name = |row: &TrackRow| file.labels().name(row.class).into_owned();
        assert_eq!(
            (name(&file.at(0)[0]), name(&file.at(0)[1]), name(&last)),
            ("object".into(), "object".into(), "car".into())
        );
    }

    #[test]
    fn what_is_to_be_ignored_is_and_detections_are_no_tracks() {
        let file =
            parse("1,1,1,1,2,2,1,1,1\n1,2,1,1,2,2,0,8,1\n1,-1,1,1,2,2,0.5\n1,1,9,9,2,2,1\n1,3,1,1,0,2,1\n")
                .unwrap();
        assert_eq!((ids(&file, 0), file.at(0)[0].rect.left), (vec![1], 0.0));
        // Where every score is 0, it says nothing.
        assert_eq!(parse("1,1,1,1,2,2,0\n2,1,1,1,2,2,0\n").unwrap().rows().len(), 2);
        let said = parse("1,-1,1,1,2,2,0.5\n").unwrap_err().to_string();
        assert!(said.contains("detections, not tracks") && said.contains("track --detections"), "{said}");
    }

    #[test]
    fn json_lines_are_read_ours_and_shorter_ones() {
        let text = concat!(
            "{\"version\":1,\"frame\":2,\"time\":0.1,\"tracks\":[{\"id\":7,\"class\":\"person\",\"class_id\":0,\"score\":0.83,",
            "\"box\":[10.25,20,30.5,61.25],\"velocity\":[5,-1],\"state\":\"lost\"}]}\n",
            "\n{\"frame\":1,\"tracks\":[{\"id\":7,\"box\":[1,2,3,4]},{\"id\":8,\"box\":[1,2,3,4],\"class\":\"a\\nb\",\"predicted\":true}]}\n",
            "{\"frame\":3,\"tracks\":[]}"
        );
        let file = parse(text).unwrap();
        assert_eq!((file.frames(), ids(&file, 0)), (2, vec![7, 8]));
        let lost = file.at(1)[0];
        assert_eq!(
            (lost.rect, lost.score, lost.predicted),
            (Rect::new(10.25, 20.0, 30.5, 61.25), 0.83, true)
        );
        let names: Vec<_> = [file.at(1)[0], file.at(0)[0], file.at(0)[1]]
            .map(|row| file.labels().name(row.class).into_owned())
            .into();
        assert_eq!(names, ["person", "object", "a b"]);
        assert!(file.at(0)[1].predicted);
    }

    #[test]
    fn what_is_no_track_file_is_said_with_its_line() {
        for (text, wanted) in [
            ("1,1,1,1,2,2\nframe,id\n", "x.txt, line 2: column 1 (frame): expected a number, found `frame`"),
            ("1,1,1,1,2\n", "5 columns, at least 6"),
            ("1,1.5,1,1,2,2\n", "column 2 (id): expected a whole number, found 1.5"),
            ("0,1,1,1,2,2\n", "column 1 (frame)"),
            ("RIFF\u{1}\u{2}AVI \n", "x.txt, line 1: column 1 (frame)"),
            ("{\"frame\":1}\n", "missing field `tracks`"),
            ("{\"frame\":0,\"tracks\":[]}\n", "column 1 (frame)"),
            ("{\"frame\":1,\"tracks\":[{\"id\":1}]}\n", "missing field `box`"),
            ("{\"frame\":1,\"tracks\":[]}\nnonsense\n", "x.txt, line 2: "),
            ("1,-1,1,1,2,2\n", "x.txt holds detections, not tracks"),
            ("2,0,0.5,0.5,0.1,0.2\n", "line 1: column 5 (width): not one of the 1 boxes"),
        ] {
            let said = parse(text).expect_err(text).to_string();
            assert!(said.contains(wanted), "{text:?}: {said}");
        }
    }

    #[test]
    fn files_without_tracks_are_empty_and_ids_are_exact() {
        for text in ["", "# nothing\n", "{\"frame\":1,\"tracks\":[]}\n"] {
            assert_eq!(parse(text).unwrap().frames(), 0, "{text}");
        }
        let id = 9_007_199_254_740_993;
        for text in [
            format!("1,{id},1,1,2,2\n"),
            format!("{{\"frame\":1,\"tracks\":[{{\"id\":{id},\"box\":[1,2,3,4]}}]}}\n"),
        ] {
            assert_eq!(ids(&parse(&text).unwrap(), 0), [id], "{text}");
        }
    }

    #[test]
    fn other_dialects_have_their_pixels_and_classes() {
        let dialect = Dialect { pixels_from: Some(0), classes_from: Some(0), ..Dialect::default() };
        let labels = Labels::parse("person\ncar");
        let file = TrackFile::parse_as(&b"1,7,10,20,5,6,-1,1\n"[..], "x", &labels, &dialect).unwrap();
        let row = file.at(0)[0];
        assert_eq!((row.rect, row.score), (Rect::new(10.0, 20.0, 5.0, 6.0), 1.0));
        assert_eq!(file.labels().name(row.class), "car");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), json in any::<bool>()) {
            let text = [if json { b"{".as_slice() } else { b"" }, &bytes].concat();
            let _ = TrackFile::parse(text.as_slice(), "x", &Labels::coco());
        }
    }

    #[test]
    fn what_is_told_beside_boxes_comes_with_them() {
        let text = r#"{"frame":2,"tracks":[{"id":5,"box":[2,1,4,3],"mask":{"size":[5,7],"counts":";32000004"},
            "keypoints":[[1.5,2,0.5]]},{"id":4,"box":[0,0,4,4],"turned":[[4,0],[4,4],[0,4],[0,0]]},{"id":6,"box":[0,0,1,1]}]}"#;
        let text = text.replace('\n', " ")
            + "\n"
            + r#"{"frame":4,"tracks":[{"id":5,"box":[2,1,4,3],"keypoints":[[1,2,1]]}]}"#;
        let file = parse(&text).unwrap();
        let told: Vec<_> = file.extras(1).collect();
        assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [4, 5]);
        let turned = told[0].1.turned.unwrap();
        assert_eq!((turned.x, turned.y, turned.angle), (2.0, 2.0, std::f32::consts::FRAC_PI_2));
        let mask = told[1].1.mask.as_ref().unwrap();
        assert_eq!((mask.rect(), mask.cells()), (Rect::new(2.0, 1.0, 4.0, 3.0), (4, 3)));
        assert_eq!((file.extras(2).count(), file.extras(3).count()), (0, 1));
        let odd = text.replace(";32000004", ";3200000");
        assert!(parse(&odd).unwrap_err().to_string().contains("do not go with its size of 7×5"));
    }
}
