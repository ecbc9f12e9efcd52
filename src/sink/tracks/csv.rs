//! Tracks as comma-separated values (RFC 4180): one line a track and frame, a header line first.
//!
//! The columns mean what the fields of the same names in `jsonl` mean. Lines end in a bare line feed, as tools on every
//! system read it. Numbers that may be broken have a point in every line, so that tools which guess a column's type from its
//! first lines guess right.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use super::super::{FrameFacts, RunInfo, Sink};
use super::format::{center_velocity, rounded, state};
use super::lines::{LineFormat, LineSink};
use crate::attribute::{GROUND_X, GROUND_Y, HEADING, SPEED, SPEED_ERROR, Value};
use crate::scene::Scene;

/// The first line.
const HEADER: &str =
    "frame,time,id,class,class_id,score,left,top,width,height,velocity_x,velocity_y,age,state";

/// The columns of the ground, behind the others.
const GROUND: [&str; 5] = [GROUND_X, GROUND_Y, SPEED, SPEED_ERROR, HEADING];

/// Writes comma-separated values to a file, with the columns of the ground.
pub(in crate::sink) fn sink_with_ground(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Csv { ground: true }))
}

/// Writes comma-separated values to a file.
pub(in crate::sink) fn sink(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Csv { ground: false }))
}

struct Csv {
    /// With the columns of the ground.
    ground: bool,
}

impl LineFormat for Csv {
    fn header(&self) -> String {
        let ground = if self.ground { GROUND.as_slice() } else { &[] };
        let more: String = ground.iter().flat_map(|name| [",", name]).collect();
        format!("{HEADER}{more}\n")
    }

    fn push_scene(&self, text: &mut String, scene: &Scene, _: &FrameFacts, run: &RunInfo) {
        push_scene(text, scene, run, if self.ground { &GROUND } else { &[] });
    }
}

/// A field as it stands in a line: in quotes where it must be.
pub(in crate::sink) fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) || field.trim() != field {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}

/// Appends the lines of one frame.
fn push_scene(text: &mut String, scene: &Scene, run: &RunInfo, more: &[&str]) {
    for track in scene.tracks.iter().filter(|track| track.rect.is_sound()) {
        let rect = track.rect;
        let [left, top, width, height] =
            [rect.left, rect.top, rect.width, rect.height].map(|edge| rounded(edge, 2));
        let [velocity_x, velocity_y] = center_velocity(track).map(|speed| rounded(speed, 2));
        let label = run.labels.name(track.class);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{frame},{time:?},{id},{class},{class_id},{score:?},{left:?},{top:?},{width:?},{height:?},{velocity_x:?},{velocity_y:?},{age:?},{state}",
            frame = scene.sequence.saturating_add(1),
            time = rounded(scene.time, 6),
            id = track.id,
            class = quoted(&label),
            class_id = track.class,
            score = rounded(track.score, 4),
            age = rounded(scene.time - track.born, 6),
            state = state(track),
        );
        for name in more {
            text.push(',');
            if let Some(number) = scene.attributes.get(track.id, name).and_then(Value::as_number) {
                let _ = write!(text, "{number:?}");
            }
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::{run, scene};
    use super::*;
    use crate::labels::Labels;
    use std::sync::Arc;

    #[test]
    fn a_line_a_track() {
        let mut text = Csv { ground: false }.header();
        push_scene(&mut text, &scene(), &run(), &[]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "5,2.0,7,person,0,0.83,10.25,20.0,30.5,61.25,5.0,-1.0,1.5,seen");
        assert_eq!(lines[2], "5,2.0,9,car,2,0.83,10.25,20.0,30.5,61.25,5.0,-1.0,1.5,lost");
        assert!(lines.iter().all(|line| line.split(',').count() == 14), "{text}");
    }

    #[test]
    fn the_ground_has_columns_of_its_own() {
        let csv = Csv { ground: true };
        let mut text = csv.header();
        let mut scene = scene();
        for (name, value) in [("x_m", 1.5), ("y_m", -20.0), ("speed_m_per_s", 1.25)] {
            scene.attributes.set(7, name, value);
        }
        csv.push_scene(&mut text, &scene, &super::super::format::tests::facts(), &run());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with(",state,x_m,y_m,speed_m_per_s,speed_error_m_per_s,heading_deg"), "{text}");
        assert!(lines[1].ends_with(",seen,1.5,-20.0,1.25,,") && lines[2].ends_with(",lost,,,,,"), "{text}");
    }

    #[test]
    fn label_names_cannot_break_a_line() {
        let mut run = run();
        run.labels = Arc::new(Labels::parse("traffic light, \"red\""));
        let mut text = String::new();
        push_scene(&mut text, &scene(), &run, &[]);
        assert!(text.starts_with("5,2.0,7,\"traffic light, \"\"red\"\"\",0,"), "{text}");
    }
}
