//! JSON Lines: one object a frame, as `track` writes it and shorter ones.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use serde::Deserialize;
use serde_json::json;

use super::super::dialect::Dialect;
use super::super::extras::ExtraRecord;
use super::super::lines::{MotError, each_line_of, frame};
use super::super::mot::identity;
use super::{Annotation, Annotations, Lost, Names, checked, short};
use crate::detection::Extra;
use crate::metrics::Region;

/// The layout, for messages.
const FORM: &str = "frame,id,left,top,width,height[,score[,class]], or JSON with frame and tracks";
/// A line holds a whole frame, and is no longer than this.
const MAX_LINE: u64 = 1 << 24;

/// What is read of a line; what else there is does not count.
#[derive(Deserialize)]
struct Line {
    frame: f64,
    width: Option<u32>,
    height: Option<u32>,
    tracks: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    id: serde_json::Number,
    #[serde(rename = "box")]
    rect: [f64; 4],
    class: Option<String>,
    score: Option<f64>,
    predicted: Option<bool>,
    state: Option<String>,
    #[serde(flatten)]
    extra: ExtraRecord,
}

pub(super) fn parse(text: &mut dyn BufRead, name: &str) -> Result<Annotations, MotError> {
    let mut read = Annotations::default();
    let mut names = Names::default();
    each_line_of(text, name, FORM, MAX_LINE, |row, line| {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let frame = frame(line.frame, 1)?;
        read.frames = Some(read.frames.unwrap_or(0).max(frame + 1));
        read.size = read.size.or(line.width.zip(line.height));
        for object in line.tracks {
            let class = Some(names.place(&object.class.unwrap_or_default())?);
            let [left, top, width, height] = object.rect;
            let lost = object.state.as_deref() == Some("lost");
            let id = identity(&object.id.to_string())?;
            if let Some(id) = id.filter(|_| !object.extra.is_empty()) {
                read.extras.push((frame, id, object.extra.extra()?));
            }
            read.boxes.push(checked(Annotation {
                frame,
                id,
                region: Region::new(left, top, width, height),
                score: object.score,
                class,
                predicted: object.predicted.unwrap_or(lost),
                row,
                ..Annotation::default()
            })?);
        }
        Ok(())
    })?;
    read.labels = names.labels();
    Ok(read)
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    let (size, fps) = (dialect.size.or(of.size), dialect.fps.or(of.fps));
    let extras: BTreeMap<(u64, u64), &Extra> =
        of.extras.iter().map(|(frame, id, extra)| ((*frame, *id), extra)).collect();
    let mut boxes = of.boxes.iter().peekable();
    for frame in 0..of.length() {
        let mut tracks = Vec::new();
        while let Some(one) = boxes.next_if(|one| one.frame == frame) {
            let Some(id) = one.id else {
                lost.add("boxes without an id", 1);
                continue;
            };
            let Region { left, top, width, height } = one.region;
            let mut track = json!({"id": id, "class": of.class_name(one.class), "class_id": one.class.unwrap_or(0),
                "box": [short(left), short(top), short(width), short(height)],
                "state": if one.predicted { "lost" } else { "seen" }, "predicted": one.predicted});
            if let Some(score) = one.score {
                track["score"] = json!(score);
            }
            if let Some(extra) = extras.get(&(frame, id))
                && let (Some(track), Ok(serde_json::Value::Object(more))) =
                    (track.as_object_mut(), serde_json::to_value(ExtraRecord::of(extra, size)))
            {
                track.extend(more);
            }
            tracks.push(track);
        }
        let mut line = json!({"version": 1, "frame": frame + 1, "tracks": tracks});
        if let Some((width, height)) = size {
            line["width"] = width.into();
            line["height"] = height.into();
        }
        if let Some(fps) = fps {
            line["time"] = json!(short(frame as f64 / fps));
        }
        writeln!(out, "{line}")?;
    }
    Ok(lost)
}
