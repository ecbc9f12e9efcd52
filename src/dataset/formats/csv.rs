//! CSV (RFC 4180) as `track` writes it, and the table that both kinds of CSV are read as.

use std::io::{self, BufRead, Write};

use super::super::dialect::Dialect;
use super::super::lines::{MotError, each_line_of};
use super::super::mot::identity;
use super::{Annotation, Annotations, Lost, Names, checked, short};
use crate::metrics::Region;

const FORM: &str = "comma-separated values as the first line names them";
const MAX_LINE: u64 = 1 << 16;

/// A line of a table, by the names of its columns.
pub(super) struct Record<'a> {
    header: &'a [String],
    fields: Vec<String>,
}

impl Record<'_> {
    /// The text in the first of these columns that is there and not empty.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        let column = |name: &&str| self.header.iter().position(|known| known.eq_ignore_ascii_case(name));
        names
            .iter()
            .filter_map(column)
            .filter_map(|at| self.fields.get(at))
            .map(|s| s.trim())
            .find(|s| !s.is_empty())
    }

    /// The number in the first of these columns.
    pub(super) fn number(&self, names: &[&str]) -> Result<Option<f64>, String> {
        let Some(text) = self.text(names) else { return Ok(None) };
        text.parse::<f64>().map(|value| value.is_finite().then_some(value)).map_err(|_| {
            let found: String = text.chars().take(40).collect();
            format!("column {}: expected a number, found `{}`", names.join(" or "), found.escape_debug())
        })
    }

    /// The same where there must be one.
    pub(super) fn needed(&self, names: &[&str]) -> Result<f64, String> {
        self.number(names)?
            .ok_or_else(|| format!("column {}: expected a number, found nothing", names.join(" or ")))
    }
}

/// Gives each record to `take` with the number of its line; the first line names the columns.
pub(super) fn each_record(
    text: &mut dyn BufRead,
    name: &str,
    mut take: impl FnMut(u64, &Record<'_>) -> Result<(), String>,
) -> Result<(), MotError> {
    let mut header: Option<Vec<String>> = None;
    each_line_of(text, name, FORM, MAX_LINE, |number, line| {
        let fields = split(line);
        match &header {
            None => header = Some(fields.into_iter().map(|field| field.trim().to_owned()).collect()),
            Some(header) => take(number, &Record { header, fields })?,
        }
        Ok(())
    })
}

/// The fields of a line: commas between them, quotes around those that hold commas, quotes in those doubled.
fn split(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

/// A field as it stands in a line: in quotes where it must be.
pub(super) fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) || field.trim() != field {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// The frame, from 0, where the first has the number `from`.
pub(super) fn frame_from(value: f64, from: u8) -> Result<u64, String> {
    let frame = value.trunc() - f64::from(from);
    match (0.0..=super::MAX_FRAME as f64).contains(&frame) {
        true => Ok(frame as u64),
        false => Err(format!("expected a frame from {from}, found {value}")),
    }
}

pub(super) fn parse(text: &mut dyn BufRead, name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let mut read = Annotations::default();
    let mut names = Names::default();
    each_record(text, name, |row, record| {
        let side = |name| record.needed(&[name]);
        let class = record.text(&["class"]).map(|class| names.place(class)).transpose()?;
        read.boxes.push(checked(Annotation {
            frame: frame_from(side("frame")?, dialect.frames_from.unwrap_or(1))?,
            id: record.text(&["id"]).map_or(Ok(None), identity)?,
            region: Region::new(side("left")?, side("top")?, side("width")?, side("height")?),
            score: record.number(&["score"])?,
            class,
            predicted: record.text(&["state"]) == Some("lost"),
            row,
            ..Annotation::default()
        })?);
        Ok(())
    })?;
    read.labels = names.labels();
    Ok(read)
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let fps = dialect.fps.or(of.fps);
    writeln!(
        out,
        "frame,time,id,class,class_id,score,left,top,width,height,velocity_x,velocity_y,age,state"
    )?;
    for one in &of.boxes {
        let Region { left, top, width, height } = one.region;
        let time = fps.map_or(String::new(), |fps| format!("{:?}", short(one.frame as f64 / fps)));
        writeln!(
            out,
            "{},{time},{},{},{},{},{:?},{:?},{:?},{:?},,,,{}",
            one.frame + 1,
            one.id.map_or(String::new(), |id| id.to_string()),
            one.class.map_or(String::new(), |class| quoted(&of.labels.name(class))),
            one.class.map_or(String::new(), |class| class.to_string()),
            one.score.map_or(String::new(), |score| format!("{score:?}")),
            short(left),
            short(top),
            short(width),
            short(height),
            if one.predicted { "lost" } else { "seen" }
        )?;
    }
    let mut lost = Lost::default();
    lost.add("the size of the picture", usize::from(of.size.is_some()));
    Ok(lost)
}
