use crate::detection::Detection;
use crate::geometry::{Affine, Rect};
use crate::kind::Kinds;
use crate::labels::Labels;
use crate::scene::TrackState;
use crate::track::{Observation, TrackSettings, Tracker};

const PICTURE: (f32, f32) = (640.0, 360.0);
const PERSON: u16 = 0;
const CAR: u16 = 2;
const TRUCK: u16 = 7;

fn settings() -> TrackSettings {
    TrackSettings { start_score: 0.2, high_score: 0.2, show_score: 0.3, ..TrackSettings::default() }
}

/// What is detected at a time.
type Found<'a> = &'a dyn Fn(f32) -> Vec<Detection>;

fn thing(class: u16, score: f32, rect: Rect) -> Detection {
    Detection { rect, score, class }
}

/// Runs a scene of so many frames a second, in which the camera moves by so many pixels a frame, and gives the boxes that are
/// shown in its last frame, from left to right.
fn shown_at(seconds: f32, rate: f32, camera: Option<Affine>, found: Found<'_>) -> Vec<Rect> {
    let (kinds, mut tracker) = (Kinds::of(&Labels::coco()), Tracker::new(settings()));
    for frame in 0..=(seconds * rate).round() as u32 {
        let time = frame as f32 / rate;
        let detections = found(time);
        let seen = Observation {
            detections: &detections,
            picture: Some(PICTURE),
            kinds: Some(&kinds),
            camera,
            ..Observation::default()
        };
        tracker.observe(f64::from(time), &seen);
    }
    let confirmed = tracker.tracks().iter().filter(|track| track.state == TrackState::Confirmed);
    let mut shown: Vec<Rect> = confirmed.map(|track| track.rect).collect();
    shown.sort_by(|a, b| a.left.total_cmp(&b.left));
    shown
}

fn shown(seconds: f32, found: Found<'_>) -> Vec<Rect> {
    shown_at(seconds, 25.0, None, found)
}

/// A car that is there from the first frame on, and another one that comes after a second, with this score.
fn newcomer(score: f32) -> impl Fn(f32) -> Vec<Detection> {
    move |time| {
        let mut all = vec![thing(CAR, 0.9, Rect::new(40.0, 100.0, 80.0, 50.0))];
        if time >= 0.999 {
            all.push(thing(CAR, score, Rect::new(400.0, 100.0, 80.0, 50.0)));
        }
        all
    }
}

#[test]
fn the_weaker_a_new_track_the_longer_it_takes_whatever_the_rate() {
    for rate in [5.0, 10.0, 25.0, 60.0] {
        let after = |score: f32| {
            let shown =
                |frames: u32| shown_at(1.0 + frames as f32 / rate, rate, None, &newcomer(score)).len() == 2;
            (0..=(2.0 * rate) as u32).find(|frames| shown(*frames)).map(|frames| frames as f32 / rate)
        };
        let (sure, likely, doubtful) = (after(0.85).unwrap(), after(0.45).unwrap(), after(0.32).unwrap());
        assert!(sure <= likely && likely <= doubtful, "{rate}: {sure} {likely} {doubtful}");
        assert!((sure - 1.0 / rate).abs() < 1e-3, "{rate}: at its second detection, not {sure}");
        assert!(doubtful <= 0.35 + 1.0 / rate && doubtful >= 0.3, "{rate}: {doubtful}");
        assert_eq!(after(0.28), None, "{rate}: never");
    }
}

#[test]
fn in_the_first_frame_what_would_be_shown_later_is_shown_at_once() {
    assert_eq!(shown(0.0, &newcomer(0.9)).len(), 1);
    let weak = |_| vec![thing(CAR, 0.32, Rect::new(40.0, 100.0, 80.0, 50.0))];
    assert_eq!(shown(0.0, &weak).len(), 1);
    let cut = |time: f32| {
        let left = if time < 0.999 { 40.0 } else { 400.0 };
        vec![thing(CAR, 0.32, Rect::new(left, 100.0, 80.0, 50.0))]
    };
    assert_eq!(shown(1.0, &cut).len(), 1, "and so it is behind a cut");
}

#[test]
fn half_a_car_and_a_second_box_on_it_are_hidden_and_two_people_are_not() {
    let car = Rect::new(100.0, 100.0, 120.0, 60.0);
    let half = Rect::new(100.0, 100.0, 60.0, 60.0);
    for class in [CAR, TRUCK] {
        let scene = |_| vec![thing(CAR, 0.8, car), thing(class, 0.5, half)];
        assert_eq!(shown(2.0, &scene).len(), 1, "a {class}");
    }
    let alone = |_| vec![thing(CAR, 0.5, half)];
    assert_eq!(shown(2.0, &alone).len(), 1);
    let rider = |_| vec![thing(CAR, 0.8, car), thing(PERSON, 0.5, half)];
    assert_eq!(shown(2.0, &rider).len(), 2, "things of two kinds may well overlap");
    let before = Rect::new(100.0, 100.0, 60.0, 160.0);
    let behind = Rect::new(105.0, 100.0, 40.0, 90.0);
    let people = |_| vec![thing(PERSON, 0.9, before), thing(PERSON, 0.75, behind)];
    assert_eq!(shown(2.0, &people).len(), 2);
}

#[test]
fn a_box_around_two_cars_is_hidden() {
    let scene = |_| {
        vec![
            thing(CAR, 0.8, Rect::new(100.0, 100.0, 60.0, 40.0)),
            thing(CAR, 0.7, Rect::new(170.0, 100.0, 60.0, 40.0)),
            thing(TRUCK, 0.45, Rect::new(98.0, 96.0, 134.0, 48.0)),
        ]
    };
    assert_eq!(shown(2.0, &scene).len(), 2);
}

#[test]
fn what_fills_the_picture_must_be_sure() {
    let bonnet = Rect::new(0.0, 200.0, 640.0, 160.0);
    let with = |class, score| shown(2.0, &|_| vec![thing(class, score, bonnet)]).len();
    assert_eq!(with(4, 0.65), 0, "an airplane read into the bonnet");
    assert_eq!(with(PERSON, 0.85), 1, "who sits before the camera");
    assert_eq!(with(CAR, 0.8), 0, "even as a car");
    let short = Rect { left: 20.0, width: 600.0, ..bonnet };
    assert_eq!(shown(2.0, &|_| vec![thing(CAR, 0.8, short)]).len(), 0, "and where it ends before the edges");
    let near = Rect { left: 200.0, width: 440.0, ..bonnet };
    assert_eq!(shown(2.0, &|_| vec![thing(CAR, 0.5, near)]).len(), 1, "two edges are no bonnet");
    let passing = |time: f32| vec![thing(CAR, 0.75, Rect::new(0.0, 100.0, 350.0 + 250.0 * time, 260.0))];
    assert_eq!(shown(0.9, &passing).len(), 1, "a car that comes near moves");
}

#[test]
fn a_small_person_who_never_moved_must_be_surer() {
    let small = Rect::new(300.0, 100.0, 12.0, 26.0);
    let moving = |speed: f32| {
        move |time: f32| vec![thing(PERSON, 0.5, Rect { left: small.left + speed * time, ..small })]
    };
    assert_eq!(shown(0.8, &moving(0.0)).len(), 1, "not yet");
    assert_eq!(shown(3.0, &moving(0.0)).len(), 0, "a signpost");
    assert_eq!(shown(3.0, &moving(8.0)).len(), 1, "a walker");
    let seated = |_| vec![thing(PERSON, 0.5, Rect::new(300.0, 100.0, 60.0, 90.0))];
    assert_eq!(shown(3.0, &seated).len(), 1, "who sits is larger");
    let sign = |_| vec![thing(11, 0.5, small)];
    assert_eq!(shown(3.0, &sign).len(), 1, "and things may stand still");
    // A camera that pans moves what stands still through the picture; one whose motion is guessed wrongly does not.
    let panned = shown_at(3.0, 25.0, Some(Affine::shift(0.4, 0.0)), &moving(10.0));
    assert_eq!(panned.len(), 0, "{panned:?}");
    assert_eq!(shown_at(3.0, 25.0, Some(Affine::shift(0.2, 0.0)), &moving(0.0)).len(), 0);
}

#[test]
fn a_score_that_wavers_does_not_make_a_track_blink() {
    let (kinds, mut tracker) = (Kinds::of(&Labels::coco()), Tracker::new(settings()));
    let mut changes = 0;
    let mut before = true;
    for frame in 0..250_u32 {
        let score = if frame % 14 < 7 { 0.32 } else { 0.27 };
        let detections = [thing(CAR, score, Rect::new(40.0, 100.0, 80.0, 50.0))];
        let seen = Observation {
            detections: &detections,
            kinds: Some(&kinds),
            picture: Some(PICTURE),
            ..Observation::default()
        };
        let tracks = tracker.observe(f64::from(frame) / 25.0, &seen);
        let now = tracks.iter().any(|track| track.state == TrackState::Confirmed);
        changes += u32::from(now != before);
        before = now;
    }
    assert_eq!(changes, 0);
}

#[test]
fn only_what_is_shown_uses_up_ids() {
    let (kinds, mut tracker) = (Kinds::of(&Labels::coco()), Tracker::new(settings()));
    let mut ids = Vec::new();
    for frame in 0..100_u32 {
        let time = frame as f32 / 25.0;
        // Something weak comes and goes all the time; a second car comes after two seconds.
        let place = 30.0 * (frame % 10) as f32;
        let mut detections = newcomer(0.8)(time - 1.0);
        detections.push(thing(CAR, 0.22, Rect::new(place, 300.0, 20.0, 20.0)));
        let seen = Observation { detections: &detections, kinds: Some(&kinds), ..Observation::default() };
        let tracks = tracker.observe(f64::from(time), &seen);
        assert!(tracks.is_sorted_by_key(|track| track.id));
        let shown = tracks.iter().filter(|track| track.state != TrackState::Tentative);
        ids.extend(shown.map(|track| track.id));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids, tracker.last_id()), (vec![1, 2], 2));
    tracker.reserve_ids_up_to(7);
    assert_eq!(tracker.last_id(), 7);
}
