//! The one reader of MOTChallenge text, in all the dialects that trackers, annotation tools and scorers write.
//!
//! `frame,id,left,top,width,height[,score[,class[,…]]]`: commas, semicolons, tabs or blanks between the columns, in quotes
//! or not; lines in any order. What each user makes of the rows (detections, tracks, truth) is in a file of its own.

use std::io::BufRead;

use super::dialect::Dialect;
use super::lines::{MotError, column, each_line, fields, frame, number, too_few};
use crate::metrics::Region;

/// A line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MotRow {
    /// In the file, from 1.
    pub(super) line: u64,
    /// From 0.
    pub(super) frame: u64,
    /// `None` below 0: a detection, or a shape that belongs to no track.
    pub(super) id: Option<u64>,
    /// In the pixels of the file.
    pub(super) region: Region,
    /// `None` where the column is missing or empty, or no number (`nan`).
    pub(super) score: Option<f64>,
    /// From 1, as far as there are classes; below 1 is none. `None` where the column is missing, empty, or holds other
    /// things than classes.
    pub(super) class: Option<f64>,
}

/// What such a file must have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The columns, for messages.
    pub(super) form: &'static str,
    /// How many columns a line needs.
    pub(super) columns: usize,
    /// How many frames there are at most.
    pub(super) frames: u64,
}

/// Reads all rows, in the order of the file.
pub(super) fn read_mot(
    text: impl BufRead,
    name: &str,
    dialect: &Dialect,
    wanted: Wanted,
) -> Result<Vec<MotRow>, MotError> {
    let mut rows = Vec::new();
    let behind_first = 1.0 - dialect.mot_classes();
    each_line(text, name, wanted.form, |line, content| {
        let mut fields = fields(content);
        let mut next = |index| fields.next().ok_or_else(|| too_few(index, wanted.columns));
        let number_of_frame = number(next(0)?, 0)?;
        let id = identity(next(1)?)?;
        let mut sides = [0.0; 4];
        for (side, index) in sides.iter_mut().zip(2..) {
            *side = number(next(index)?, index)?;
        }
        let [left, top, width, height] = sides;
        let from = dialect.mot_frames();
        let frame = frame(number_of_frame, from)?;
        if frame >= wanted.frames {
            let last = (wanted.frames + from).saturating_sub(1);
            return Err(format!(
                "{}: the sequence ends with frame {last}, found {number_of_frame}",
                column(0)
            ));
        }
        let score = match fields.next() {
            None if wanted.columns > 6 => return Err(too_few(6, wanted.columns)),
            None => None,
            Some("") if wanted.columns <= 6 => None,
            Some(field) if field.trim_start_matches(['-', '+']).eq_ignore_ascii_case("nan") => None,
            Some(field) => Some(number(field, 6)?),
        };
        let class = match fields.next() {
            None | Some("") if wanted.columns > 7 => return Err(too_few(7, wanted.columns)),
            None | Some("") => None,
            Some(field) => Some(number(field, 7)?).map(|class| match class >= dialect.mot_classes() {
                true => class + behind_first,
                false if class.fract() == 0.0 => class.min(0.0),
                false => class,
            }),
        };
        let region = Region::new(left, top, width, height);
        rows.push(MotRow { line, frame, id, region, score, class });
        Ok(())
    })?;
    // Older files have a place in the world there, whose numbers are whole only by chance.
    let whole = |row: &&MotRow| row.class.is_some_and(|class| class.fract() == 0.0 && class >= 1.0);
    let broken = |row: &&MotRow| row.class.is_some_and(|class| class.fract() != 0.0);
    if rows.iter().filter(broken).count() > rows.iter().filter(whole).count() {
        rows.iter_mut().for_each(|row| row.class = None);
    }
    Ok(rows)
}

/// The id in a field; `None` below 0. Whole numbers are exact, however large they are.
pub(super) fn identity(field: &str) -> Result<Option<u64>, String> {
    if let Ok(id) = field.parse::<u64>() {
        return Ok(Some(id));
    }
    let id = number(field, 1)?;
    if id < 0.0 && id.fract() == 0.0 {
        return Ok(None);
    }
    if id.fract() != 0.0 {
        return Err(format!("{}: expected a whole number, found {id}", column(1)));
    }
    // Written with a point or an exponent.
    if id > 9_007_199_254_740_992.0 {
        return Err(format!("{}: expected a whole number up to {}, found {field}", column(1), u64::MAX));
    }
    Ok(Some(id as u64))
}

/// Refuses boxes in parts of the picture: all of them smaller than one pixel, as YOLO's labels are.
pub(super) fn refuse_parts(name: &str, rows: &[MotRow]) -> Result<(), MotError> {
    match rows.first() {
        Some(row) if are_parts(rows) => Err(MotError::Row {
            path: name.to_owned(),
            line: row.line,
            why: format!(
                "{}: {} of the {} boxes is as large as a pixel; boxes in parts of the picture (YOLO labels) are not \
                 MOTChallenge text",
                column(4),
                if rows.len() == 1 { "not one" } else { "none" },
                rows.len()
            ),
        }),
        _ => Ok(()),
    }
}

/// Whether all boxes are smaller than a pixel, and there are boxes.
pub(super) fn are_parts(rows: &[MotRow]) -> bool {
    let part = |side: f64| side > 0.0 && side <= 1.0;
    let is_part =
        |row: &MotRow| part(row.region.width) && part(row.region.height) && row.region.left.abs() <= 2.0;
    rows.iter().any(|row| row.region.width < 1.0) && rows.iter().all(is_part)
}

/// Says how many rows without an identity were left out.
pub(super) fn tell_without_id(name: &str, count: usize) {
    if count > 0 {
        log::warn!("{name}: {count} rows without an identity (id below 0) are no tracks and were left out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Wanted = Wanted { form: "frame,id", columns: 6, frames: u64::MAX };

    fn read(text: &str, dialect: &Dialect) -> Result<Vec<MotRow>, MotError> {
        read_mot(text.as_bytes(), "x", dialect, ANY)
    }

    #[test]
    fn every_separator_and_quoting_says_the_same() {
        let expected = read("1,7,10.5,20,30,40,0.9,1\n", &Dialect::default()).unwrap();
        for text in [
            "1;7;10.5;20;30;40;0.9;1\n",
            "1\t7\t10.5\t20\t30\t40\t0.9\t1\r\n",
            "1 7  10.5 20 30 40 0.9 1",
            "1, 7, 10.5, 20, 30, 40, 0.9, 1,\n",
            "\"1\",\"7\",\"10.5\",\"20\",\"30\",\"40\",\"0.9\",\"1\"\n",
            "'1';'7';'10.5';'20';'30';'40';'0.9';'1'\n",
            "1.0,7e0,1.05e1,20.,+30,40,.9,1.00\n",
            "1.5,7,10.5,20,30,40,0.9,1\n",
        ] {
            assert_eq!(read(text, &Dialect::default()).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn counting_from_0_is_another_dialect() {
        let zero = Dialect { frames_from: Some(0), classes_from: Some(0), ..Dialect::default() };
        let rows = read("0,7,10,20,30,40,1,0\n3,7,10,20,30,40,1,5\n3,8,10,20,30,40,1,-1\n", &zero).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.frame, row.class)).collect();
        assert_eq!(found, [(0, Some(1.0)), (3, Some(6.0)), (3, Some(-1.0))]);
        let said = read("0,7,10,20,30,40\n", &Dialect::default()).unwrap_err().to_string();
        assert!(said.contains("column 1 (frame)") && said.contains("--frames-from 0"), "{said}");
    }

    #[test]
    fn ids_are_exact_and_negative_ones_are_none() {
        let ids = |text: &str| identity(text);
        assert_eq!(ids("9007199254740993"), Ok(Some(9_007_199_254_740_993)));
        assert_eq!(ids("18446744073709551615"), Ok(Some(u64::MAX)));
        assert_eq!((ids("0001"), ids("3.0"), ids("1e3")), (Ok(Some(1)), Ok(Some(3)), Ok(Some(1000))));
        assert_eq!((ids("-1"), ids("-1.0"), ids("-9007199254740993")), (Ok(None), Ok(None), Ok(None)));
        for wrong in ["18446744073709551616", "1e20", "0.5", "-0.5", "nan", "x", ""] {
            assert!(ids(wrong).unwrap_err().starts_with("column 2 (id)"), "{wrong}");
        }
    }

    #[test]
    fn scores_that_are_none_and_places_in_the_world_that_are_no_classes() {
        let rows = read("1,1,1,1,9,9,nan,1\n1,2,1,1,9,9\n1,3,1,1,9,9,\n", &Dialect::default()).unwrap();
        assert!(rows.iter().all(|row| row.score.is_none()), "{rows:?}");
        let rows = read(
            "1,1,1,1,9,9,1,-4.15,0,0\n1,2,1,1,9,9,1,3,0,0\n1,3,1,1,9,9,1,1.25,0,0\n",
            &Dialect::default(),
        );
        assert!(rows.unwrap().iter().all(|row| row.class.is_none()));
    }

    #[test]
    fn boxes_in_parts_of_the_picture_are_refused() {
        let rows = |text: &str| read(text, &Dialect::default()).unwrap();
        let said = refuse_parts("x", &rows("2,0,0.058,0.679,0.126,0.105,0.83\n2,1,0.5,0.5,1,1,0.8\n"));
        let said = said.unwrap_err().to_string();
        assert!(said.contains("x, line 1: column 5 (width)") && said.contains("YOLO"), "{said}");
        assert!(refuse_parts("x", &rows("2,0,0.5,0.5,0.1,0.1\n2,0,5,5,10,10\n")).is_ok());
        assert!(refuse_parts("x", &rows("2,0,500,400,1,1\n")).is_ok() && refuse_parts("x", &[]).is_ok());
    }
}
