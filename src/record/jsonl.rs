//! Tracks as JSON Lines: one object a frame, also for frames without tracks.
//!
//! ```json
//! {"version":1,"source":"clip.avi","frame":5,"time":0.571,"width":768,"height":576,"tracks":[{"id":7,"class":"person",
//! "class_id":0,"score":0.83,"box":[10.25,20.0,30.5,61.25],"velocity":[5.0,-1.0],"age":1.5,"state":"seen"}]}
//! ```
//!
//! `frame` counts from 1; `time` and `age` (since the first detection) are seconds; `box` is left, top, width, height in
//! pixels of the source, the top-left corner of the picture at (0, 0); `velocity` is that of the box's centre in pixels a
//! second; `class_id` counts from 0; `state` is `seen`, or `lost` where the box is a prediction.

use serde::Serialize;

use super::tracks::{TrackFileInfo, center_velocity, rounded};
use crate::scene::{Scene, Track, TrackState};

/// The version of this layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    source: &'a str,
    frame: u64,
    time: f64,
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
}

/// How a file names the state of a track.
pub(super) fn state(track: &Track) -> &'static str {
    match track.state {
        TrackState::Tentative => "tentative",
        TrackState::Confirmed => "seen",
        TrackState::Lost => "lost",
    }
}

/// Appends the line of one frame.
pub(super) fn push_scene(text: &mut String, scene: &Scene, size: (u32, u32), info: &TrackFileInfo) {
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
        }
    });
    let line = Line {
        version: VERSION,
        source: &info.source,
        frame: scene.sequence.saturating_add(1),
        time: rounded(scene.time, 6),
        width: size.0,
        height: size.1,
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
    use super::super::tracks::tests::{info, scene};
    use super::*;
    use serde_json::{Value, json};

    fn parsed(scene: &Scene) -> Value {
        let mut text = String::new();
        push_scene(&mut text, scene, (640, 480), &info());
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
            "velocity": [5.0, -1.0], "age": 1.5, "state": "seen",
        });
        assert_eq!(line["tracks"][0], seen);
        for (key, value) in
            [("version", json!(1)), ("frame", json!(5)), ("time", json!(2.0)), ("width", json!(640))]
        {
            assert_eq!(line[key], value, "{key}");
        }
        assert_eq!(line["source"], "a \"clip\".avi");
    }

    #[test]
    fn a_frame_without_tracks_has_its_line_and_rubbish_boxes_have_none() {
        let mut scene = scene();
        scene.tracks[0].rect.left = f32::NAN;
        scene.tracks.truncate(1);
        assert_eq!(parsed(&scene)["tracks"], json!([]));
    }
}
