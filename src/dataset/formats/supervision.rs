//! CSV and JSON of the library supervision: boxes by their corners, a column for the frame only where the user added one,
//! and an empty text where there is no id.

use std::io::{self, BufRead, Write};

use serde_json::{Map, Value, json};

use super::super::dialect::Dialect;
use super::super::lines::MotError;
use super::super::mot::identity;
use super::csv::{each_record, frame_from, quoted};
use super::{Annotation, Annotations, Lost, Names, checked, fault, from_corners, json_fault, short};

/// What users call the frame's number, which counts from 0 unless `--frames-from` says otherwise.
const FRAME: [&str; 4] = ["frame_index", "frame", "frame_idx", "frame_number"];
const CLASS: [&str; 2] = ["class_name", "class"];

/// What both forms have.
struct Reader<'a> {
    read: Annotations,
    names: Names,
    dialect: &'a Dialect,
}

impl Reader<'_> {
    fn class(&mut self, name: Option<&str>, number: Option<f64>) -> Result<Option<u16>, String> {
        match (name, number) {
            (Some(name), _) => self.names.place(name).map(Some),
            (None, Some(number)) if number >= 0.0 => {
                let own = self.dialect.labels.clone().unwrap_or_else(crate::labels::Labels::coco);
                self.names.place(&own.name(number.min(65_535.0) as u16)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn push(
        &mut self,
        row: u64,
        frame: Option<f64>,
        corners: [f64; 4],
        id: Option<u64>,
        score: Option<f64>,
        class: Option<u16>,
    ) -> Result<(), String> {
        let frame = frame.ok_or_else(|| format!("no frame: a column {} is needed", FRAME.join(" or ")))?;
        let [left, top, right, bottom] = corners;
        self.read.boxes.push(checked(Annotation {
            frame: frame_from(frame, self.dialect.frames_from.unwrap_or(0))?,
            id,
            region: from_corners(left, top, right, bottom),
            score,
            class,
            row,
            ..Annotation::default()
        })?);
        Ok(())
    }

    fn end(mut self) -> Annotations {
        self.read.labels = self.names.labels();
        self.read
    }
}

pub(super) fn parse_csv(
    text: &mut dyn BufRead,
    name: &str,
    dialect: &Dialect,
) -> Result<Annotations, MotError> {
    let mut reader = Reader { read: Annotations::default(), names: Names::default(), dialect };
    each_record(text, name, |row, record| {
        let side = |name| record.needed(&[name]);
        let corners = [side("x_min")?, side("y_min")?, side("x_max")?, side("y_max")?];
        let class = reader.class(record.text(&CLASS), record.number(&["class_id"])?)?;
        let id = record.text(&["tracker_id"]).map_or(Ok(None), identity)?;
        reader.push(row, record.number(&FRAME)?, corners, id, record.number(&["confidence"])?, class)
    })?;
    Ok(reader.end())
}

pub(super) fn parse_json(bytes: &[u8], name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let list: Vec<Map<String, Value>> =
        serde_json::from_slice(bytes).map_err(|error| json_fault(name, &error))?;
    let mut reader = Reader { read: Annotations::default(), names: Names::default(), dialect };
    for (number, object) in (1..).zip(&list) {
        let word = |names: &[&str]| {
            let value = names.iter().filter_map(|name| object.get(*name)).find(|value| !value.is_null());
            value
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .filter(|s| !s.is_empty())
        };
        let side = |name: &str| {
            let text = word(&[name]).ok_or_else(|| format!("{name} is missing"))?;
            text.parse::<f64>()
                .map_err(|_| format!("{name}: expected a number, found `{}`", text.escape_debug()))
        };
        let value = |names: &[&str]| word(names).and_then(|text| text.parse::<f64>().ok());
        let row = (|| {
            let corners = [side("x_min")?, side("y_min")?, side("x_max")?, side("y_max")?];
            let class = reader.class(word(&CLASS).as_deref(), value(&["class_id"]))?;
            let id = word(&["tracker_id"]).map_or(Ok(None), |text| identity(&text))?;
            reader.push(number, value(&FRAME), corners, id, value(&["confidence"]), class)
        })();
        row.map_err(|why: String| fault(name, format_args!("object {number}"), why))?;
    }
    Ok(reader.end())
}

fn lost(of: &Annotations) -> Lost {
    let mut lost = Lost::default();
    lost.add("the size of the picture", usize::from(of.size.is_some()));
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    lost
}

pub(super) fn write_csv(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    write!(out, "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,class_name,frame_index\r\n")?;
    let from = u64::from(dialect.frames_from.unwrap_or(0));
    for one in &of.boxes {
        let r = one.region;
        let [left, top, right, bottom] = [r.left, r.top, r.left + r.width, r.top + r.height].map(short);
        write!(
            out,
            "{left:?},{top:?},{right:?},{bottom:?},{},{},{},{},{}\r\n",
            one.class.map_or(String::new(), |class| class.to_string()),
            one.score.map_or(String::new(), |score| format!("{score:?}")),
            one.id.map_or(String::new(), |id| id.to_string()),
            one.class.map_or(String::new(), |class| quoted(&of.labels.name(class))),
            one.frame + from
        )?;
    }
    Ok(lost(of))
}

pub(super) fn write_json(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let from = u64::from(dialect.frames_from.unwrap_or(0));
    let empty = || Value::String(String::new());
    let rows = of.boxes.iter().map(|one| {
        let r = one.region;
        json!({"x_min": short(r.left), "y_min": short(r.top), "x_max": short(r.left + r.width),
            "y_max": short(r.top + r.height), "class_id": one.class.map_or_else(empty, Value::from),
            "confidence": one.score.map_or_else(empty, Value::from), "tracker_id": one.id.map_or_else(empty, Value::from),
            "class_name": one.class.map_or_else(empty, |class| of.labels.name(class).into()),
            "frame_index": one.frame + from})
    });
    serde_json::to_writer_pretty(&mut *out, &rows.collect::<Vec<_>>())?;
    writeln!(out)?;
    Ok(lost(of))
}
