//! Tracks as JSON Lines: one object a frame, also for frames without tracks.
//!
//! ```json
//! {"version":1,"source":"clip.avi","frame":5,"time":0.571,"width":768,"height":576,"tracks":[{"id":7,"class":"person",
//! "class_id":0,"score":0.83,"box":[10.25,20.0,30.5,61.25],"velocity":[5.0,-1.0],"age":1.5,"state":"seen",
//! "predicted":false}]}
//! ```
//!
//! `frame` counts from 1; `time` and `age` (since the first detection) are seconds; a live source's frames have `wall`
//! too, when the frame was taken, as RFC 3339 has it, in UTC (`"2025-03-01T12:00:00.040Z"`); `box` is left, top, width,
//! height in pixels of the source, the top-left corner of the picture at (0, 0); `velocity` is that of the box's centre
//! in pixels a second; `class_id` counts from 0; `state` is `seen`, or `lost` where the box is a prediction, which
//! `predicted` says too. Where stages run, a track with attributes has `"attributes":{"speed_px_per_s":12.5}`, and a frame
//! with events `"events":[{"kind":"appeared","track":7,"details":{}}]`; `track` and `details` are left out where there
//! are none. A track seen in this frame has what the network tells beside its box: the points of a body as
//! `"keypoints":[[x,y,score],…]`, its pixels as COCO's tools have them (compressed run lengths) as
//! `"mask":{"size":[height,width],"counts":"…"}`, the corners of a turned box as `"turned":[[x,y],[x,y],[x,y],[x,y]]`, clockwise on the screen.

use std::path::Path;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::super::{FrameFacts, RunInfo, Sink};
use super::format::{rounded, wall};
use super::lines::{LineFormat, LineSink};
use super::record::{TrackRecord, object};
use crate::event::Event;
use crate::scene::Scene;

/// The version of this layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;

#[derive(serde::Serialize)]
struct Line<'a> {
    version: u32,
    source: &'a str,
    frame: u64,
    time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall: Option<String>,
    width: u32,
    height: u32,
    tracks: Vec<TrackRecord<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<EventRecord<'a>>,
}

/// An event of a frame.
struct EventRecord<'a>(&'a Event);

impl Serialize for EventRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event { kind, track, details, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &**kind)?;
        if let Some(track) = track {
            map.serialize_entry("track", track)?;
        }
        if !details.is_empty() {
            map.serialize_entry("details", &Details(self.0))?;
        }
        map.end()
    }
}

struct Details<'a>(&'a Event);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, self.0.details.iter().map(|(name, value)| (&**name, value)))
    }
}

/// Writes JSON Lines to a file.
pub(in crate::sink) fn sink(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Jsonl))
}

struct Jsonl;

impl LineFormat for Jsonl {
    fn push_scene(&self, text: &mut String, scene: &Scene, frame: &FrameFacts, run: &RunInfo) {
        let tracks = scene.tracks.iter().filter(|track| track.rect.is_sound());
        let line = Line {
            version: VERSION,
            source: &run.source,
            frame: scene.sequence.saturating_add(1),
            time: rounded(scene.time, 6),
            wall: wall(frame),
            width: frame.size.0,
            height: frame.size.1,
            tracks: tracks
                .map(|track| TrackRecord::of(track, scene, &run.labels).with_mask(scene, frame.size))
                .collect(),
            events: scene.events.iter().map(EventRecord).collect(),
        };
        // Strings and numbers alone cannot fail to become JSON.
        if let Ok(line) = serde_json::to_string(&line) {
            text.push_str(&line);
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::{facts, run, scene};
    use super::*;
    use serde_json::{Value, json};
    use std::time::Duration;

    fn parsed(scene: &Scene) -> Value {
        let mut text = String::new();
        Jsonl.push_scene(&mut text, scene, &facts(), &run());
        assert_eq!(text.matches('\n').count(), 1);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_told_beside_a_box_stands_with_its_track() {
        use std::f32::consts::FRAC_PI_2;

        use crate::detection::{Extra, Keypoint, Mask, Rle};
        use crate::geometry::{Rect, TurnedRect};
        let mut scene = scene();
        let id = scene.tracks[0].id;
        let keypoints = vec![Keypoint { x: 10.126, y: 20.0, score: 0.98765 }];
        let turned = Some(TurnedRect { x: 30.0, y: 20.0, width: 8.0, height: 4.0, angle: FRAC_PI_2 });
        let mask = Mask::new(Rect::new(2.0, 1.0, 4.0, 3.0), (4, 3), |_, _| true);
        scene.extras = vec![(id, Extra { keypoints, turned, mask, ..Extra::default() })];
        let line = parsed(&scene);
        assert_eq!(line["tracks"][0]["keypoints"], json!([[10.13, 20.0, 0.988]]));
        let corners = json!([[32.0, 16.0], [32.0, 24.0], [28.0, 24.0], [28.0, 16.0]]);
        assert_eq!(line["tracks"][0]["turned"], corners);
        let mask = &line["tracks"][0]["mask"];
        let rle = Rle::parse((640, 480), mask["counts"].as_str().unwrap()).unwrap();
        assert_eq!((&mask["size"], rle.area(), rle.counts()[0]), (&json!([480, 640]), 12, 2 * 480 + 1));
        assert!(["keypoints", "turned", "mask"].iter().all(|key| line["tracks"][1].get(key).is_none()));
    }

    #[test]
    fn a_line_holds_what_is_known() {
        let line = parsed(&scene());
        assert_eq!(line["tracks"][1]["state"], "lost");
        assert_eq!(line["tracks"][1]["class"], "car");
        let seen = json!({
            "id": 7, "class": "person", "class_id": 0, "score": 0.83, "box": [10.25, 20.0, 30.5, 61.25],
            "velocity": [5.0, -1.0], "age": 1.5, "state": "seen", "predicted": false,
        });
        assert_eq!(line["tracks"][1]["predicted"], true);
        assert_eq!(line["tracks"][0], seen);
        for (key, value) in
            [("version", json!(1)), ("frame", json!(5)), ("time", json!(2.0)), ("width", json!(640))]
        {
            assert_eq!(line[key], value, "{key}");
        }
        assert_eq!(line["source"], "a \"clip\".avi");
    }

    #[test]
    fn a_live_frame_says_when_it_was_taken() {
        let said = |wall| {
            let mut text = String::new();
            Jsonl.push_scene(&mut text, &scene(), &FrameFacts { wall, ..facts() }, &run());
            serde_json::from_str::<Value>(&text).unwrap()["wall"].clone()
        };
        let after = |seconds| std::time::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds));
        assert_eq!(said(None), Value::Null);
        assert_eq!(said(after(1_740_830_400.040_4)), "2025-03-01T12:00:00.040Z");
        // Clocks that lie say nothing.
        assert_eq!(said(after(1e12)), Value::Null);
        assert_eq!(said(std::time::UNIX_EPOCH.checked_sub(Duration::from_secs(1))), Value::Null);
    }

    #[test]
    fn a_frame_without_tracks_has_its_line_and_rubbish_boxes_have_none() {
        let mut scene = scene();
        scene.tracks[0].rect.left = f32::NAN;
        scene.tracks.truncate(1);
        assert_eq!(parsed(&scene)["tracks"], json!([]));
    }

    #[test]
    fn attributes_and_events_are_written_where_there_are_any() {
        let mut scene = scene();
        let plain = parsed(&scene);
        assert!(plain.get("events").is_none() && plain["tracks"][0].get("attributes").is_none());
        scene.attributes.set(9, "speed", 1.5);
        scene.attributes.set(9, "bad", f64::NAN);
        scene.events = vec![
            Event::new(4, 2.0, "crossed").of_track(7).with("line", "door").with("inside", true),
            Event::new(4, 2.0, "dark"),
        ];
        let line = parsed(&scene);
        assert_eq!(line["tracks"][1]["attributes"], json!({"bad": null, "speed": 1.5}));
        assert!(line["tracks"][0].get("attributes").is_none());
        let crossed = json!({"kind": "crossed", "track": 7, "details": {"line": "door", "inside": true}});
        assert_eq!(line["events"], json!([crossed, {"kind": "dark"}]));
    }
}
