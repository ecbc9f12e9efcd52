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
//! `predicted` says too.

use serde::Serialize;

use super::format::{FrameFacts, TrackFileInfo, center_velocity, rounded, state};
use crate::scene::{Scene, TrackState};

/// The version of this layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    source: &'a str,
    frame: u64,
    time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall: Option<String>,
    width: u32,
    height: u32,
    tracks: Vec<Object<'a>>,
}

#[derive(Serialize)]
struct Object<'a> {
    id: u64,
    class: std::borrow::Cow<'a, str>,
    class_id: u16,
    score: f64,
    #[serde(rename = "box")]
    rect: [f64; 4],
    velocity: [f64; 2],
    age: f64,
    state: &'static str,
    predicted: bool,
}

/// Appends the line of one frame.
pub(super) fn push_scene(text: &mut String, scene: &Scene, facts: FrameFacts, info: &TrackFileInfo) {
    let tracks = scene.tracks.iter().filter(|track| track.rect.is_sound()).map(|track| {
        let rect = track.rect;
        Object {
            id: track.id,
            class: info.labels.name(track.class),
            class_id: track.class,
            score: rounded(track.score, 4),
            rect: [rect.left, rect.top, rect.width, rect.height].map(|edge| rounded(edge, 2)),
            velocity: center_velocity(track).map(|speed| rounded(speed, 2)),
            age: rounded(scene.time - track.born, 6),
            state: state(track),
            predicted: track.state == TrackState::Lost,
        }
    });
    let line = Line {
        version: VERSION,
        source: &info.source,
        frame: scene.sequence.saturating_add(1),
        time: rounded(scene.time, 6),
        wall: facts.wall(),
        width: facts.size.0,
        height: facts.size.1,
        tracks: tracks.collect(),
    };
    // Strings and numbers alone cannot fail to become JSON.
    if let Ok(line) = serde_json::to_string(&line) {
        text.push_str(&line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::{facts, info, scene};
    use super::*;
    use serde_json::{Value, json};
    use std::time::Duration;

    fn parsed(scene: &Scene) -> Value {
        let mut text = String::new();
        push_scene(&mut text, scene, facts(), &info());
        assert_eq!(text.matches('\n').count(), 1);
        serde_json::from_str(&text).unwrap()
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
            push_scene(&mut text, &scene(), FrameFacts { wall, ..facts() }, &info());
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
}
