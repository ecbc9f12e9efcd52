//! Events, one line each, as they come: JSON Lines or comma-separated values (RFC 4180).
//!
//! ```json
//! {"version":1,"event":"cross","line":"door","direction":"in","time":12.34,"frame":87,"track":5,"class":"person",
//! "point":[401.5,322.0],"source":"clip.avi"}
//! {"version":1,"event":"leave","zone":"square","dwell":7.25,"time":19.9,"frame":301,"track":5,"class":"person",
//! "source":"clip.avi"}
//! ```
//!
//! `event` is `cross`, `enter` or `leave`; `start`, `update` or `end` of a rule (with `rule`, `event_id`, and the numbers that the
//! rule compares); or the kind of event that another stage tells. `time` is when it happened, in
//! seconds of the source; `frame` is the frame that tells it, from 1, which may be a later one. `point` is where a line was
//! crossed, in pixels of the source, `dwell` how many seconds a visit took. A live source's events have `wall` too, the time
//! of day of that frame (RFC 3339, UTC). A field that an event does not have is left out, and empty in a CSV file.

use std::fmt::Write;
use std::path::Path;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::tracks::csv::quoted;
use super::tracks::format::{rounded, wall};
use super::tracks::lines::{LineFormat, LineSink};
use super::{FrameFacts, RunInfo, Sink};
use crate::attribute::Value;
use crate::event::Event;
use crate::scene::Scene;

/// The version of this layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// The first line of a CSV file.
const HEADER: &str =
    "event,line,zone,direction,time,frame,track,class,x,y,dwell,wall,rule,event_id,duration\n";

/// Writes JSON Lines to a file.
pub(super) fn jsonl(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Jsonl))
}

/// Writes comma-separated values to a file.
pub(super) fn csv(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Csv))
}

struct Jsonl;

impl LineFormat for Jsonl {
    const LAST: bool = true;

    fn push_scene(&self, text: &mut String, scene: &Scene, frame: &FrameFacts, run: &RunInfo) {
        for event in &scene.events {
            text.push_str(&json_line(event, frame, run, None));
            text.push('\n');
        }
    }
}

/// An event as a JSON object in one line; `id`: as a message has it.
pub(super) fn json_line(event: &Event, frame: &FrameFacts, run: &RunInfo, id: Option<&str>) -> String {
    let record = EventRecord { id, event, wall: wall(frame), source: &run.source };
    // Strings and numbers alone cannot fail to become JSON.
    serde_json::to_string(&record).unwrap_or_default()
}

/// An event as a JSON object.
struct EventRecord<'a> {
    id: Option<&'a str>,
    event: &'a Event,
    wall: Option<String>,
    source: &'a str,
}

impl Serialize for EventRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event { frame, time, kind, track, details } = self.event;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &VERSION)?;
        if let Some(id) = self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("event", &**kind)?;
        for (name, value) in details.iter().filter(|(name, _)| !["class", "x", "y"].contains(&&**name)) {
            match value {
                Value::Number(number) => map.serialize_entry(&**name, &rounded(*number, 6))?,
                Value::Whole(number) => map.serialize_entry(&**name, number)?,
                Value::Flag(flag) => map.serialize_entry(&**name, flag)?,
                Value::Text(text) => map.serialize_entry(&**name, &**text)?,
            }
        }
        map.serialize_entry("time", &rounded(*time, 6))?;
        map.serialize_entry("frame", &frame.saturating_add(1))?;
        if let Some(track) = track {
            map.serialize_entry("track", track)?;
        }
        if let Some(class) = self.event.detail("class").and_then(Value::as_text) {
            map.serialize_entry("class", class)?;
        }
        let number = |name| self.event.detail(name).and_then(Value::as_number);
        if let (Some(x), Some(y)) = (number("x"), number("y")) {
            map.serialize_entry("point", &[rounded(x, 2), rounded(y, 2)])?;
        }
        if let Some(wall) = &self.wall {
            map.serialize_entry("wall", wall)?;
        }
        map.serialize_entry("source", self.source)?;
        map.end()
    }
}

struct Csv;

impl LineFormat for Csv {
    const LAST: bool = true;

    fn header(&self) -> String {
        HEADER.to_owned()
    }

    fn push_scene(&self, text: &mut String, scene: &Scene, frame: &FrameFacts, _: &RunInfo) {
        let wall = wall(frame).unwrap_or_default();
        // A swap is between two ids, for which there are no columns.
        for event in scene.events.iter().filter(|event| &*event.kind != "swap") {
            let word = |name| quoted(event.detail(name).and_then(Value::as_text).unwrap_or_default());
            let number = |name: &str, decimals| match event.detail(name).and_then(Value::as_number) {
                Some(number) => format!("{:?}", rounded(number, decimals)),
                None => String::new(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{kind},{line},{zone},{direction},{time:?},{frame},{track},{class},{x},{y},{dwell},{wall},{rule},{id},{lasted}",
                kind = quoted(&event.kind),
                line = word("line"),
                zone = word("zone"),
                direction = word("direction"),
                time = rounded(event.time, 6),
                frame = event.frame.saturating_add(1),
                track = event.track.map(|track| track.to_string()).unwrap_or_default(),
                class = word("class"),
                x = number("x", 2),
                y = number("y", 2),
                dwell = number("dwell", 6),
                rule = word("rule"),
                id = word("event_id"),
                lasted = number("duration", 6),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::tracks::format::tests::{facts, run, scene};
    use super::*;

    fn events() -> Scene {
        let event = |kind: &str| Event::new(86, 12.34, kind).of_track(5);
        let cross = event("cross").with("line", "door").with("direction", "in").with("class", "person");
        let leave = event("leave").with("zone", "a, \"b\"").with("class", "person").with("dwell", 7.25);
        let other = Event::new(86, 3.0, "record").with("objects", 4.0).with("sure", true);
        let end = Event::new(86, 4.0, "end").of_track(5).with("rule", "r").with("event_id", "r-1");
        let end = end.with("class", "person").with("duration", 1.5);
        Scene { events: vec![cross.with("x", 401.5).with("y", 322.0), leave, other, end], ..scene() }
    }

    #[test]
    fn each_event_is_one_object_a_line() {
        let mut text = String::new();
        Jsonl.push_scene(&mut text, &events(), &facts(), &run());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "{\"version\":1,\"event\":\"cross\",\"line\":\"door\",\"direction\":\"in\",\"time\":12.34,\"frame\":87,\
             \"track\":5,\"class\":\"person\",\"point\":[401.5,322.0],\"source\":\"a \\\"clip\\\".avi\"}"
        );
        let leave: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
        assert_eq!((&leave["zone"], &leave["dwell"]), (&"a, \"b\"".into(), &7.25.into()));
        assert!(leave.get("point").is_none() && leave.get("wall").is_none());
        let other: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
        assert_eq!((&other["objects"], &other["sure"]), (&4.0.into(), &true.into()));
        assert!(other.get("track").is_none() && lines.len() == 4);
        let end: serde_json::Value = serde_json::from_str(lines[3]).unwrap();
        assert_eq!(
            (&end["event"], &end["event_id"], &end["duration"]),
            (&"end".into(), &"r-1".into(), &1.5.into())
        );
    }

    #[test]
    fn a_frame_without_events_has_no_line_and_a_live_one_says_when() {
        let mut text = String::new();
        Jsonl.push_scene(&mut text, &scene(), &facts(), &run());
        assert_eq!(text, "");
        let wall = Some(UNIX_EPOCH + Duration::from_millis(1500));
        Jsonl.push_scene(&mut text, &events(), &FrameFacts { wall, ..facts() }, &run());
        assert_eq!(text.matches("\"wall\":\"1970-01-01T00:00:01.500Z\"").count(), 4);
    }

    #[test]
    fn a_table_has_a_column_for_each_field() {
        let mut text = HEADER.to_owned();
        Csv.push_scene(&mut text, &events(), &facts(), &run());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "cross,door,,in,12.34,87,5,person,401.5,322.0,,,,,");
        assert_eq!(lines[2], "leave,,\"a, \"\"b\"\"\",,12.34,87,5,person,,,7.25,,,,");
        assert_eq!(lines[3], "record,,,,3.0,87,,,,,,,,,");
        assert_eq!(lines[4], "end,,,,4.0,87,5,person,,,,,r,r-1,1.5");
        assert!(lines.iter().all(|line| line.matches(',').count() >= 14));
    }
}
