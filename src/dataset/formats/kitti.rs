//! KITTI tracking, the files of `label_02`: `frame id type truncated occluded alpha left top right bottom` and ten more
//! columns at most, between blanks. Frames count from 0. `DontCare` is no object and is left out.

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
    let (mut names, mut ignored) = (Names::default(), 0);
    each_line(text, name, FORM, |_, line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [frame, id, kind, _, _, _, left, top, right, bottom, ..] = fields.as_slice() else {
            return Err(format!("{} columns, at least 10 are needed", fields.len()));
        };
        let side = |text: &str, column: usize, what: &str| {
            let found: String = text.chars().take(40).collect();
            number(text, 0).map_err(|_| {
                format!("column {column} ({what}): expected a number, found `{}`", found.escape_debug())
            })
        };
        let frame = side(frame, 1, "frame")?;
        let region = from_corners(
            side(left, 7, "left")?,
            side(top, 8, "top")?,
            side(right, 9, "right")?,
            side(bottom, 10, "bottom")?,
        );
        let score = fields.get(COLUMNS).map(|text| side(text, COLUMNS + 1, "score")).transpose()?;
        if *kind == "DontCare" {
            ignored += 1;
            return Ok(());
        }
        read.boxes.push(checked(Annotation {
            frame: frame_from(frame, dialect.frames_from.unwrap_or(0))?,
            id: identity(id)?,
            region,
            score,
            class: Some(names.place(kind)?),
            predicted: false,
        })?);
        Ok(())
    })?;
    if ignored > 0 {
        log::warn!("{name}: {ignored} regions of DontCare were left out");
    }
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
        "person_sitting" => "Person_sitting",
        _ => "Misc",
    }
}

pub(super) fn write(of: &Annotations, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    lost.add("the size of the picture", usize::from(of.size.is_some()));
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    for one in &of.boxes {
        let name = of.class_name(one.class);
        lost.add(
            "names of classes that KITTI does not have",
            usize::from(!kind(&name).eq_ignore_ascii_case(&name)),
        );
        let r = one.region;
        let id = one.id.map_or("-1".to_owned(), |id| id.to_string());
        write!(
            out,
            "{} {id} {} 0 0 -10 {:.3} {:.3} {:.3} {:.3} -1 -1 -1 -1000 -1000 -1000 -10",
            one.frame,
            kind(&name),
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
