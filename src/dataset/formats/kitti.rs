//! KITTI tracking, the files of `label_02`: `frame id type truncated occluded alpha left top right bottom` and ten more
//! columns at most, between blanks. Frames count from 0. `DontCare` is no object, but a region that nobody annotated.

use std::io::{self, BufRead, Write};

use super::super::dialect::Dialect;
use super::super::lines::{MotError, each_line, number};
use super::super::mot::identity;
use super::csv::frame_from;
use super::{Annotation, Annotations, Lost, Names, checked, from_corners};

const FORM: &str = "frame id type truncated occluded alpha left top right bottom …";
const COLUMNS: usize = 17;

/// Whether a line is of such a file: a word in the third column, not in the first two.
pub(super) fn is_line(line: &str) -> bool {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [frame, id, kind, ..] = fields.as_slice() else { return false };
    fields.len() >= 10
        && frame.parse::<u64>().is_ok()
        && id.parse::<i64>().is_ok()
        && kind.starts_with(|c: char| c.is_ascii_alphabetic())
}

pub(super) fn parse(text: &mut dyn BufRead, name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let mut read = Annotations::default();
    let mut names = Names::default();
    each_line(text, name, FORM, |row, line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [frame, id, kind, truncated, occluded, _, left, top, right, bottom, ..] = fields.as_slice()
        else {
            return Err(format!("{} columns, at least 10 are needed", fields.len()));
        };
        let side = |text: &str, column: usize, what: &str| {
            let found: String = text.chars().take(40).collect();
            number(text, 0).map_err(|_| {
                format!("column {column} ({what}): expected a number, found `{}`", found.escape_debug())
            })
        };
        let frame = frame_from(side(frame, 1, "frame")?, dialect.frames_from.unwrap_or(0))?;
        read.frames = read.frames.max(Some(frame + 1));
        let (truncated, occluded) = (side(truncated, 4, "truncated")?, side(occluded, 5, "occluded")?);
        let region = from_corners(
            side(left, 7, "left")?,
            side(top, 8, "top")?,
            side(right, 9, "right")?,
            side(bottom, 10, "bottom")?,
        );
        let score = fields.get(COLUMNS).map(|text| side(text, COLUMNS + 1, "score")).transpose()?;
        let one = checked(Annotation {
            frame,
            region,
            score,
            // The reference cuts off what is behind the point.
            hard: truncated.trunc() > 0.0 || occluded.trunc() > 2.0,
            row,
            ..Annotation::default()
        })?;
        if kind.eq_ignore_ascii_case("DontCare") {
            read.ignored.push((frame, region));
            return Ok(());
        }
        // Not "a person", of whom KITTI says pedestrian.
        let sits = ["person", "person_sitting"].iter().any(|word| kind.eq_ignore_ascii_case(word));
        let class = Some(names.place(if sits { "Person_sitting" } else { kind })?);
        read.boxes.push(Annotation { id: identity(id)?, class, ..one });
        Ok(())
    })?;
    read.labels = names.labels();
    Ok(read)
}

/// What KITTI calls a class: scorers refuse any other word.
fn kind(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "person" | "pedestrian" => "Pedestrian",
        "car" => "Car",
        "van" => "Van",
        "truck" | "bus" => "Truck",
        "bicycle" | "cyclist" => "Cyclist",
        "train" | "tram" => "Tram",
        // As it stands in the files, which is the only word that the reference knows.
        "person_sitting" => "Person",
        _ => "Misc",
    }
}

pub(super) fn write(of: &Annotations, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    lost.add("the size of the picture", usize::from(of.size.is_some()));
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    for (frame, r) in &of.ignored {
        let (right, bottom) = (r.left + r.width, r.top + r.height);
        let (left, top) = (r.left, r.top);
        writeln!(
            out,
            "{frame} -1 DontCare -1 -1 -10 {left:.3} {top:.3} {right:.3} {bottom:.3} -1000 -1000 -1000 -10 -1 -1 -1"
        )?;
    }
    for one in &of.boxes {
        let name = of.class_name(one.class);
        lost.add(
            "names of classes that KITTI does not have",
            usize::from(!kind(&name).eq_ignore_ascii_case(&name) && name != "Person_sitting"),
        );
        let r = one.region;
        let id = one.id.map_or("-1".to_owned(), |id| id.to_string());
        write!(
            out,
            "{} {id} {} 0 {} -10 {:.3} {:.3} {:.3} {:.3} -1 -1 -1 -1000 -1000 -1000 -10",
            one.frame,
            kind(&name),
            if one.hard { 3 } else { 0 },
            r.left,
            r.top,
            r.left + r.width,
            r.top + r.height
        )?;
        match one.score {
            Some(score) => writeln!(out, " {score:.4}")?,
            None => writeln!(out)?,
        }
    }
    Ok(lost)
}
