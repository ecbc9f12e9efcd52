//! Label Studio: JSON of a video task. Boxes are in percent of the picture, whose size the file does not say; only keyframes
//! are in it.
//!
//! Frames count from 1. Between two keyframes the box moves in a straight line; behind one with `enabled: false` there is
//! none until the next, that keyframe itself counts; an enabled last one holds up to `framesCount`.

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::json;

use super::super::dialect::Dialect;
use super::super::lines::MotError;
use super::{
    Annotation, Annotations, Ids, Lost, MAX_FILLED, Names, between, checked, fault, json_fault, size_of,
    too_many_filled,
};
use crate::metrics::Region;

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Tasks(Vec<Task>),
    One(Task),
}

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    annotations: Vec<Work>,
    #[serde(default)]
    predictions: Vec<Work>,
}

#[derive(Deserialize)]
struct Work {
    #[serde(default)]
    result: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    id: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    value: serde_json::Value,
    score: Option<f64>,
}

#[derive(Deserialize)]
struct Value {
    sequence: Vec<Key>,
    #[serde(rename = "framesCount")]
    frames: Option<f64>,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
struct Key {
    frame: u64,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    rotation: f64,
}

fn yes() -> bool {
    true
}

pub(super) fn parse(bytes: &[u8], name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let document: Document = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        // What is no JSON at all has its line.
        Err(_) => match serde_json::from_slice::<serde_json::Value>(bytes) {
            Err(error) => return Err(json_fault(name, &error)),
            Ok(_) => {
                return Err(fault(name, "the document", "no task of Label Studio, and no list of tasks"));
            }
        },
    };
    let tasks = match document {
        Document::Tasks(tasks) => tasks,
        Document::One(task) => vec![task],
    };
    if tasks.len() > 1 {
        return Err(fault(
            name,
            "the document",
            format_args!("{} tasks; one is read at a time", tasks.len()),
        ));
    }
    let size = dialect.size.ok_or_else(|| {
        fault(
            name,
            "the document",
            "boxes are in percent of the picture: --size WIDTHxHEIGHT says how large that is",
        )
    })?;
    let (across, down) = (f64::from(size.0) / 100.0, f64::from(size.1) / 100.0);
    let mut read = Annotations { size: Some(size), ..Annotations::default() };
    let (mut names, mut ids, mut turned, mut filled) = (Names::default(), Ids::default(), 0, 0);
    // What people made counts before what a model said.
    let work = tasks.iter().flat_map(|task| task.annotations.first().or(task.predictions.first()));
    for (number, part) in (1..).zip(work.flat_map(|work| &work.result)) {
        if part.kind != "videorectangle" {
            continue;
        }
        let fail =
            |why: String| fault(name, format_args!("result {number} ({})", part.id.escape_debug()), why);
        let mut value: Value =
            serde_json::from_value(part.value.clone()).map_err(|error| fail(error.to_string()))?;
        value.sequence.sort_by_key(|key| key.frame);
        let class = value.labels.first().map(|label| names.place(label)).transpose().map_err(fail)?;
        let id = Some(ids.id(&part.id));
        let frames = value.frames.filter(|frames| (0.0..=super::MAX_FRAME as f64).contains(frames));
        let frames = frames.map_or(0, |frames| frames as u64);
        read.frames = Some(read.frames.unwrap_or(0).max(frames));
        let mut keys = Vec::new();
        for key in &value.sequence {
            let frame =
                key.frame.checked_sub(1).ok_or_else(|| fail("frame 0: they count from 1".to_owned()))?;
            let region = Region::new(key.x * across, key.y * down, key.width * across, key.height * down);
            let one = Annotation {
                frame,
                id,
                region,
                score: part.score,
                class,
                row: number,
                ..Annotation::default()
            };
            keys.push((checked(one).map_err(fail)?, key.enabled));
            turned += usize::from(key.rotation != 0.0);
        }
        for (at, (one, enabled)) in keys.iter().enumerate() {
            read.boxes.push(*one);
            let next = keys.get(at + 1).map(|(next, _)| next);
            let until = next.map_or(frames, |next| next.frame);
            if !enabled {
                continue;
            }
            for frame in one.frame + 1..until {
                filled += 1;
                if filled > MAX_FILLED {
                    return Err(fail(too_many_filled()));
                }
                read.boxes.push(next.map_or(Annotation { frame, ..*one }, |next| between(one, next, frame)));
            }
        }
    }
    if turned > 0 {
        log::warn!("{name}: {turned} boxes are turned; they are read as if they were not");
    }
    read.labels = names.labels();
    Ok(read)
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let (width, height) = size_of(of, dialect)?;
    let (across, down) = (100.0 / f64::from(width), 100.0 / f64::from(height));
    let fps = dialect.fps.or(of.fps).unwrap_or(25.0);
    let mut lost = Lost::default();
    lost.add("boxes without an id", of.boxes.iter().filter(|one| one.id.is_none()).count());
    lost.add("the size of the picture", 1);
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    lost.add("scores", of.boxes.iter().filter(|one| one.score.is_some_and(|score| score != 1.0)).count());
    let frames = of.length();
    let mut result = Vec::new();
    for (id, boxes) in of.tracks() {
        let Some(first) = boxes.first() else { continue };
        lost.add(
            "classes that change within a track",
            boxes.iter().filter(|one| one.class != first.class).count(),
        );
        let mut sequence = Vec::new();
        for (at, one) in boxes.iter().enumerate() {
            let next = boxes.get(at + 1).map(|next| next.frame);
            let goes_on = next.map_or(one.frame + 1 >= frames, |next| next == one.frame + 1);
            let Region { left, top, width, height } = one.region;
            sequence.push(json!({"frame": one.frame + 1, "time": (one.frame + 1) as f64 / fps, "enabled": goes_on,
                "rotation": 0, "x": left * across, "y": top * down, "width": width * across, "height": height * down}));
        }
        result.push(
            json!({"id": id.to_string(), "type": "videorectangle", "from_name": "box", "to_name": "video",
            "origin": "manual", "value": {"sequence": sequence, "framesCount": frames,
            "duration": frames as f64 / fps, "labels": [of.class_name(first.class)]}}),
        );
    }
    let task = json!([{"data": {"video": "video.mp4"}, "annotations": [{"result": result}]}]);
    serde_json::to_writer_pretty(&mut *out, &task)?;
    writeln!(out)?;
    Ok(lost)
}
