//! Input that no detector gives: nothing of it may panic, and whatever comes out can be worked with.

use std::time::{Duration, Instant};

use crate::scenes::{self, confirmed, frames, id_at, person};
use proptest::prelude::*;
use trailsight::detection::Detection;
use trailsight::geometry::{Affine, Rect};
use trailsight::kind::Kinds;
use trailsight::labels::Labels;
use trailsight::scene::Track;
use trailsight::track::{MAX_TRACKS, Observation, Preset, TrackSettings, Tracker};

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => -200f32..800.0,
        2 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 1e-30, f32::MIN_POSITIVE, 1e9, 1e18, 3e19, -1e18]),
        1 => prop::sample::select(vec![1e30, -1e30, f32::MAX, f32::MIN, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
    ]
}

fn score() -> impl Strategy<Value = f32> {
    prop_oneof![6 => 0f32..1.0, 1 => number()]
}

fn detections() -> impl Strategy<Value = Vec<Detection>> {
    // Many in the same few places, so that tracks live on through it.
    let rect = prop_oneof![
        2 => (number(), number(), number(), number()),
        3 => (0u8..3, 0u8..3, Just(60.0), Just(90.0)).prop_map(|(x, y, w, h)| (80.0 * f32::from(x), 99.0 * f32::from(y), w, h)),
        1 => prop::sample::select(vec![(0.0, 0.0, 1e18, 1e18), (1e30, 1e30, 5.0, 5.0), (-1e25, 0.0, 1e25, 1e-3)]),
    ];
    let detection = (rect, score(), 0u16..3).prop_map(|((left, top, width, height), score, class)| {
        Detection { rect: Rect::new(left, top, width, height), score, class }
    });
    prop::collection::vec(detection, 0..12)
}

/// The next time: a step on, the same, back, far ahead, or no time at all.
fn time() -> impl Strategy<Value = (bool, f64)> {
    prop_oneof![
        8 => (Just(true), 0.0f64..0.2),
        2 => (Just(true), prop::sample::select(vec![0.0, -1.0, 1e-300, 1e-12, 10.0, 1e6])),
        1 => (Just(false), prop::sample::select(vec![
            0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300, 1e20, 1e300, f64::MAX, f64::MIN_POSITIVE,
        ])),
    ]
}

fn camera() -> impl Strategy<Value = Option<Affine>> {
    let any = prop::array::uniform2(prop::array::uniform3(number()));
    let zoom = prop::sample::select(vec![0.1f32, 0.3, 1.0, 3.0, 9.9]);
    prop_oneof![
        6 => Just(None),
        1 => any.prop_map(|matrix| Some(Affine { matrix })),
        2 => (zoom, number(), number()).prop_map(|(s, x, y)| Some(Affine { matrix: [[s, 0.0, x], [0.0, s, y]] })),
    ]
}

fn settings() -> impl Strategy<Value = TrackSettings> {
    let presets = [Preset::Default, Preset::Bytetrack, Preset::Sort].map(TrackSettings::of);
    let lenient = TrackSettings { class_switch_iou: 0.1, low_score: 0.0, ..presets[0] };
    let agnostic = TrackSettings { class_agnostic: true, ..lenient };
    let live = presets[0].with_confidence(0.25);
    prop::sample::select(vec![presets[0], presets[1], presets[2], lenient, agnostic, live])
}

fn is_sound(track: &Track) -> bool {
    track.rect.is_sound()
        && track.velocity.iter().all(|velocity| velocity.is_finite())
        && (0.0..=1.0).contains(&track.score)
        && track.born.is_finite()
        && track.born <= track.seen
}

proptest! {
    #[test]
    fn whatever_comes_in_what_comes_out_is_sound(
        frames in prop::collection::vec(
            (
                time(), detections(), detections(), camera(),
                (prop::option::of((number(), number())), prop::option::of(number())),
            ),
            1..40,
        ),
        settings in settings(),
    ) {
        let (mut tracker, kinds) = (Tracker::new(settings), Kinds::of(&Labels::coco()));
        let mut now = 0.0;
        for ((on, time), found, suppressed, camera, (picture, scale)) in &frames {
            let time = if *on { now + time } else { *time };
            // What the tracker makes of it, by its documentation.
            now = if time.is_finite() { time.max(now) } else { now };
            let observation = Observation {
                detections: found,
                suppressed,
                camera: *camera,
                picture: *picture,
                kinds: Some(&kinds),
                scale: *scale,
            };
            let tracks = tracker.observe(time, &observation);
            for track in tracks {
                prop_assert!(is_sound(track) && track.seen <= now, "{track:?}");
            }
            prop_assert!(tracks.is_sorted_by(|a, b| a.id < b.id));
        }
    }

    /// Nothing of it leaves anything behind that a newcomer suffers from. Boxes of a size that a picture can have: one as
    /// wide as a country would be right to take the newcomer for its own.
    #[test]
    fn after_it_all_an_ordinary_walker_is_followed(
        frames in prop::collection::vec((time(), detections()), 1..20), settings in settings()
    ) {
        let mut tracker = Tracker::new(settings);
        let mut now = 0.0;
        for ((on, time), found) in &frames {
            let time = if *on { now + time } else { *time };
            // Beyond this, a frame does not fit between two numbers any more.
            let time = time.min(1e9);
            now = if time.is_finite() { time.max(now) } else { now };
            let mut found = found.clone();
            found.retain(|detection| detection.rect.width < 1_000.0 && detection.rect.height < 1_000.0);
            tracker.update(time, &found);
        }
        let mut ids = Vec::new();
        for frame in 1..40 {
            let walker = person(5_000.0 + 2.0 * frame as f32, 300.0, 40.0, 90.0, 0.9);
            let tracks = tracker.update(now + f64::from(frame) / 30.0, &[walker]);
            ids.extend(id_at(tracks, &walker.rect));
        }
        ids.dedup();
        prop_assert_eq!(ids.len(), 1, "{:?} {:?}", ids, tracker.tracks());
    }
}

/// Tracks, each with the detection that it took in place of that one's number, which depends on the order of all.
fn taking(tracks: &[Track], detections: &[Detection]) -> Vec<(Track, Option<Detection>)> {
    let took = |track: &Track| track.detection.map(|number| detections[number as usize]);
    tracks.iter().map(|track| (Track { detection: None, ..*track }, took(track))).collect()
}

#[test]
fn odd_times_and_boxes_change_nothing_about_the_sound_ones() {
    let good = person(10.0, 10.0, 40.0, 80.0, 0.9);
    let odd = [
        person(f32::NAN, 0.0, 10.0, 10.0, 0.9),
        person(0.0, 0.0, f32::INFINITY, 10.0, 0.9),
        person(0.0, 0.0, -5.0, 10.0, 0.9),
        person(0.0, 0.0, 0.0, 10.0, 0.9),
        person(500.0, 0.0, 10.0, 10.0, f32::NAN),
        person(500.0, 0.0, 10.0, 10.0, f32::INFINITY),
        person(500.0, 0.0, 10.0, 10.0, f32::NEG_INFINITY),
    ];
    let with: Vec<_> = odd.into_iter().chain([good]).collect();
    let (mut one, mut other) =
        (Tracker::new(TrackSettings::default()), Tracker::new(TrackSettings::default()));
    for time in [f64::NAN, 1.0, 1.0, 0.5, f64::INFINITY, 1.1, -5.0, 1.2] {
        let seen = taking(one.update(time, &with), &with);
        assert_eq!(seen, taking(other.update(time, &[good]), &[good]), "at {time}");
    }
    assert_eq!(confirmed(one.tracks()), [1]);
    assert!(one.update(1e300, &[]).is_empty(), "a jump forgets everybody who is not seen");
}

#[test]
fn a_score_above_one_is_a_sure_detection_and_no_more() {
    let run = |score| {
        let mut tracker = Tracker::new(TrackSettings::default());
        for time in frames(10.0, 1.0) {
            tracker.update(time, &[person(10.0, 10.0, 40.0, 80.0, score)]);
        }
        tracker.update(1.0, &[person(12.0, 10.0, 40.0, 80.0, 0.9)]).to_vec()
    };
    for score in [1.5, 100.0, 1e30, f32::MAX] {
        assert_eq!(run(score), run(1.0), "{score}");
    }
}

/// Boxes side by side, far more than are looked at.
fn flood(frame: u16) -> Vec<Detection> {
    let shift = f32::from(frame) * 7.0;
    let place = |i: u16| (f32::from(i % 100) * 15.0, f32::from(i / 100) * 15.0 + shift);
    let score = |i: u16| 0.7 + f32::from(i.wrapping_mul(7_919) % 1_000) / 4_000.0;
    (0..10_000).map(|i| person(place(i).0, place(i).1, 12.0, 12.0, score(i))).collect()
}

#[test]
fn ten_thousand_boxes_at_once_take_a_moment_and_no_more_tracks_than_allowed() {
    // Nothing is refused as a double, and everybody is remembered, so that there are as many as can be.
    let settings = TrackSettings { duplicate_iou: 1.0, lost_track_seconds: 1e6, ..TrackSettings::default() };
    let begin = Instant::now();
    let mut tracker = Tracker::new(settings);
    let mut most = 0;
    for frame in 0..8 {
        // By and by somewhere else, so that these are new ones.
        let elsewhere = 3_000.0 * f32::from(frame / 2);
        let mut boxes = flood(frame);
        boxes.iter_mut().for_each(|detection| detection.rect.left += elsewhere);
        most = tracker.update(f64::from(frame) * 0.04, &boxes).len().max(most);
        assert!(most <= MAX_TRACKS);
        assert!(tracker.tracks().is_sorted_by(|a, b| a.id < b.id));
        assert!(tracker.tracks().iter().any(|track| track.rect.left >= elsewhere - 1.0), "the newest stay");
    }
    assert_eq!(most, MAX_TRACKS, "the flood fills it, or this would show nothing");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

#[test]
fn of_too_many_boxes_the_best_are_looked_at_in_any_order() {
    let run = |mixed: bool| {
        let mut tracker = Tracker::new(TrackSettings::default());
        let mut boxes = Vec::new();
        for frame in 0..3 {
            boxes = flood(frame);
            if mixed {
                scenes::Random(u64::from(frame)).shuffle(&mut boxes);
            }
            tracker.update(f64::from(frame) * 0.04, &boxes);
        }
        taking(tracker.tracks(), &boxes)
    };
    // Ten boxes share each score, so that the cut goes through equals.
    assert!(run(false) == run(true), "another order, other tracks");
}
