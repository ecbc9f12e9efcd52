//! What the tracker makes of real detections, compared with files that were looked at once and are kept.
//!
//! `golden/demo_detections.txt` holds what the program's own network found in the first 80 frames of the bundled clip
//! (`assets/demo.avi`, 7 frames a second; see `assets/ORIGIN.md`), from score 0.05 on, recorded with
//! `trailsight detect assets/demo.avi --confidence 0.05 --coco FILE` and written as a MOTChallenge file: frame, -1, left, top, width,
//! height, score, class, counted from 1. `golden/tracks_PRESET.txt` hold the tracks: frame, id, left, top, width, height,
//! and 1 for seen or 0 for predicted. After an intended change
//! `UPDATE_GOLDEN=1 cargo test --release --test library track_golden` writes those anew; look at the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use trailsight::detection::Detection;
use trailsight::geometry::Rect;
use trailsight::scene::TrackState;
use trailsight::track::{Preset, TrackSettings, Tracker};

const FPS: f64 = 7.0;
const FRAMES: u32 = 80;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn detections() -> BTreeMap<u32, Vec<Detection>> {
    let mut frames = BTreeMap::<u32, Vec<Detection>>::new();
    for line in fs::read_to_string(golden("demo_detections.txt")).expect("detections").lines() {
        let values: Vec<f32> = line.split(',').map(|value| value.parse().expect(line)).collect();
        let [frame, _, left, top, width, height, score, class] = values[..] else { panic!("{line}") };
        let rect = Rect::new(left - 1.0, top - 1.0, width, height);
        frames.entry(frame as u32).or_default().push(Detection { rect, score, class: class as u16 - 1 });
    }
    frames
}

/// The track file of all believed tracks.
fn tracked(settings: TrackSettings) -> String {
    let (mut tracker, mut text) = (Tracker::new(settings), String::new());
    let detections = detections();
    for frame in 1..=FRAMES {
        let found = detections.get(&frame).map_or(&[][..], Vec::as_slice);
        for track in tracker.update(f64::from(frame - 1) / FPS, found) {
            let seen = match track.state {
                TrackState::Tentative => continue,
                TrackState::Confirmed => 1,
                TrackState::Lost => 0,
            };
            let Rect { left, top, width, height } = track.rect;
            let (left, top) = (left + 1.0, top + 1.0);
            writeln!(text, "{frame},{},{left:.2},{top:.2},{width:.2},{height:.2},{seen}", track.id)
                .expect("text");
        }
    }
    text
}

fn is_as_it_was(preset: Preset, name: &str) {
    let found = tracked(TrackSettings::of(preset));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden(name), &found).expect("written");
    }
    let expected = fs::read_to_string(golden(name)).expect("a golden file");
    // One line at a time, so that what differs is read and not searched.
    for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(expected, found, "line {} of {name}", number + 1);
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "{name}");
}

#[test]
fn the_default_tracks_are_as_they_were() {
    is_as_it_was(Preset::Default, "tracks_default.txt");
}

#[test]
fn bytetracks_tracks_are_as_they_were() {
    is_as_it_was(Preset::Bytetrack, "tracks_bytetrack.txt");
}

#[test]
fn sorts_tracks_are_as_they_were() {
    is_as_it_was(Preset::Sort, "tracks_sort.txt");
}

#[test]
fn the_default_needs_the_fewest_ids() {
    let ids = |preset| {
        let text = tracked(TrackSettings::of(preset));
        let id = |line: &str| line.split(',').nth(1).expect("an id").to_owned();
        text.lines().map(id).collect::<BTreeSet<_>>().len()
    };
    let [default, bytetrack, sort] = [Preset::Default, Preset::Bytetrack, Preset::Sort].map(ids);
    assert!(default <= bytetrack && default < sort, "{default} {bytetrack} {sort}");
}
