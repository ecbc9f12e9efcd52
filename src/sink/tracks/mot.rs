//! MOTChallenge text, written.
//!
//! A line is `frame,id,left,top,width,height,score,class,…`. Frames count from 1. MOTChallenge also counts pixels from 1:
//! the top-left pixel of a picture is at (1, 1) where our own boxes have it at (0, 0); the boxes are shifted, so that
//! they leave in the coordinates in which detections came in (Leal-Taixé et al., 2015, arXiv:1504.01942). The class is the
//! label's index + 1 (1 is a person for the bundled model), or -1 for scorers that know pedestrians alone. Where
//! annotation tools have the visibility stands 1: they take anything below for an object that is hidden. Such files are read in [`crate::dataset`].

use std::fmt::Write;
use std::path::Path;

use super::super::{FrameFacts, RunInfo, Sink};
use super::lines::{LineFormat, LineSink};
use crate::dataset::ORIGIN;
use crate::geometry::Rect;
use crate::scene::Scene;

/// Writes MOTChallenge text to a file.
pub(in crate::sink) fn sink(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Mot { classes: true }))
}

/// The same, with -1 for every class.
pub(in crate::sink) fn sink_without_classes(path: &Path) -> Box<dyn Sink> {
    Box::new(LineSink::new(path, Mot { classes: false }))
}

struct Mot {
    classes: bool,
}

impl LineFormat for Mot {
    fn push_scene(&self, text: &mut String, scene: &Scene, _: &FrameFacts, _: &RunInfo) {
        push_scene(text, scene, self.classes);
    }
}

/// Appends a line for each track that was seen in the frame.
fn push_scene(text: &mut String, scene: &Scene, classes: bool) {
    let frame = scene.sequence.saturating_add(1);
    for track in scene.seen().filter(|track| track.rect.is_sound()) {
        let Rect { left, top, width, height } = track.rect;
        let (left, top) = (f64::from(left) + ORIGIN, f64::from(top) + ORIGIN);
        let (id, score) = (track.id, track.score);
        let class = if classes { i64::from(track.class) + 1 } else { -1 };
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{frame},{id},{left:.2},{top:.2},{width:.2},{height:.2},{score:.4},{class},1,-1");
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::scene;
    use super::*;
    use crate::dataset::DetectionFile;
    use crate::scene::{Track, TrackState};
    use proptest::prelude::*;

    #[test]
    fn a_line_a_seen_track_in_the_pixels_of_motchallenge() {
        let mut text = String::new();
        push_scene(&mut text, &scene(), true);
        push_scene(&mut text, &scene(), false);
        let line = |class| format!("5,7,11.25,21.00,30.50,61.25,0.8300,{class},1,-1\n");
        assert_eq!(text, line(1) + &line(-1));
    }

    proptest! {
        /// What is written is read back, and written again just so.
        #[test]
        fn writing_undoes_reading(rows in prop::collection::vec(
            (1u64..30, -99_999i32..999_999, -99_999i32..999_999, 1i32..999_999, 1i32..999_999, 0u16..=10_000, any::<u16>()), 1..40
        )) {
            let mut rows = rows;
            rows.sort_by_key(|row| row.0);
            let hundredths = |value: i32| f64::from(value) / 100.0;
            let text: String = rows.iter().enumerate().map(|(i, (frame, l, t, w, h, score, class))| {
                let [l, t, w, h] = [*l, *t, *w, *h].map(hundredths);
                let (score, class) = (f64::from(*score) / 10_000.0, u32::from(*class) + 1);
                format!("{frame},{},{l:.2},{t:.2},{w:.2},{h:.2},{score:.4},{class},1,-1\n", i + 1)
            }).collect();
            let file = DetectionFile::parse(text.as_bytes(), "det.txt").unwrap();
            let (mut again, mut id) = (String::new(), 0);
            for sequence in 0..file.frames() {
                let tracks = file.at(sequence).map(|d| {
                    id += 1;
                    Track { id, class: d.class, score: d.score, rect: d.rect, velocity: [0.0; 4],
                            state: TrackState::Confirmed, born: 0.0, seen: 0.0, detection: None }
                }).collect();
                push_scene(&mut again, &Scene { sequence, tracks, ..Scene::default() }, true);
            }
            prop_assert_eq!(again, text);
        }
    }
}
