//! A camera that moves: what all boxes share is not theirs, whether the tracker has to tell it or is told.

use crate::scenes::{Walker, frames, id_at};
use trailsight::detection::Detection;
use trailsight::geometry::{Affine, Rect};
use trailsight::track::{Observation, TrackSettings, Tracker};

/// Six who walk slowly through a hall, far apart.
fn hall() -> Vec<Walker> {
    let walker = |i: u8| {
        let (column, row) = (f32::from(i % 3), f32::from(i / 3));
        let rect = Rect::new(80.0 + 170.0 * column, 60.0 + 190.0 * row, 40.0, 100.0);
        let pace = [(9.0, 2.0), (-7.0, 0.0), (4.0, -3.0), (-3.0, 1.0), (6.0, 0.0), (-8.0, -2.0)];
        Walker { score: 0.9 - 0.01 * f32::from(i), ..Walker::new(rect, pace[usize::from(i)]) }
    };
    (0..6).map(walker).collect()
}

/// Plays the hall through a camera at `view(time)`, where `unseen(time)` leaves out one of them; gives the share of boxes
/// that had another id than at the beginning. `told`: the tracker is given the camera's motion.
fn strangers(
    people: &[Walker],
    settings: TrackSettings,
    told: bool,
    view: impl Fn(f64) -> Affine,
    unseen: impl Fn(f64) -> Option<usize>,
) -> f64 {
    let mut tracker = Tracker::new(settings);
    let (mut wrong, mut all) = (0, 0);
    let mut before = None;
    for time in frames(10.0, 6.0) {
        let now = view(time);
        let camera = before.filter(|_| told).map(|before| from_to(&before, &now));
        before = Some(now);
        let shown = || people.iter().enumerate().filter(|&(index, _)| unseen(time) != Some(index));
        let seen = |walker: &Walker| Detection { rect: now.rect(&walker.at(time)), ..walker.seen(time) };
        let detections: Vec<_> = shown().map(|(_, walker)| seen(walker)).collect();
        let observation = Observation { detections: &detections, camera, ..Observation::default() };
        let tracks = tracker.observe(time, &observation);
        for (index, walker) in shown() {
            all += 1;
            wrong += usize::from(id_at(tracks, &seen(walker).rect) != Some(index as u64 + 1));
        }
    }
    f64::from(wrong as u32) / f64::from(all)
}

fn everybody(_: f64) -> Option<usize> {
    None
}

/// The motion from one view to the next; both upright, as all views of these tests.
fn from_to(from: &Affine, to: &Affine) -> Affine {
    let [[a, _, x], [_, b, y]] = from.matrix;
    let [[c, _, u], [_, d, v]] = to.matrix;
    Affine { matrix: [[c / a, 0.0, u - x * c / a], [0.0, d / b, v - y * d / b]] }
}

fn on() -> TrackSettings {
    TrackSettings { camera_strength: 1.0, ..TrackSettings::default() }
}

fn off() -> TrackSettings {
    TrackSettings { camera_strength: 0.0, ..TrackSettings::default() }
}

#[test]
fn whoever_is_hidden_while_the_camera_pans_is_found_where_the_picture_went() {
    // By two widths of a box, eight pixels a frame, while nobody walks further than one.
    let pan = |time: f64| Affine::shift(80.0 * (time - 0.5).clamp(0.0, 1.0) as f32, 0.0);
    let hidden = |time: f64| (0.5..1.5).contains(&time).then_some(4);
    assert_eq!(strangers(&hall(), on(), false, pan, hidden), 0.0);
    let without = strangers(&hall(), off(), false, pan, hidden);
    assert!(without > 0.1, "without camera motion that one is lost: {without}");
}

#[test]
fn a_jolt_makes_nobody_their_neighbours_successor() {
    // Two stand side by side; the camera is pushed by half the step between them, and in that very moment one of them is
    // missed: to who goes by places, the other one has taken that place.
    let mut people = hall();
    let beside = Rect { left: people[5].rect.left + 46.0, ..people[5].rect };
    people.push(Walker { rect: beside, score: 0.8, ..people[5] });
    let jolt = |time: f64| Affine::shift(if time < 2.0 { 0.0 } else { 26.0 }, 0.0);
    let missed = |time: f64| (time == 2.0).then_some(6);
    assert_eq!(strangers(&people, on(), false, jolt, missed), 0.0);
    let without = strangers(&people, off(), false, jolt, missed);
    assert!(without > 0.05, "without camera motion these two are mixed up: {without}");
}

#[test]
fn shaking_by_half_a_box_is_followed() {
    let shake = |time: f64| {
        if (time * 10.0).round() % 4.0 < 2.0 { Affine::IDENTITY } else { Affine::shift(20.0, -12.0) }
    };
    assert_eq!(strangers(&hall(), on(), false, shake, everybody), 0.0);
}

#[test]
fn a_known_shift_by_several_boxes_loses_nobody() {
    // By as far as the next person stands, so that who only goes by places takes one for the other.
    let far = |time: f64| if time < 3.0 { Affine::IDENTITY } else { Affine::shift(171.0, 95.0) };
    assert_eq!(strangers(&hall(), off(), true, far, everybody), 0.0);
    assert!(
        strangers(&hall(), on(), false, far, everybody) > 0.1,
        "no tracker could tell that from the boxes"
    );
}

#[test]
fn a_known_zoom_loses_nobody_and_sizes_follow() {
    // Twice as near at once, about the middle of the picture.
    let zoom = |time: f64| {
        if time < 3.0 {
            Affine::IDENTITY
        } else {
            Affine { matrix: [[2.0, 0.0, -320.0], [0.0, 2.0, -240.0]] }
        }
    };
    assert_eq!(strangers(&hall(), off(), true, zoom, everybody), 0.0);
    assert!(strangers(&hall(), off(), false, zoom, everybody) > 0.1);

    let walker = Walker::new(Rect::new(300.0, 200.0, 40.0, 100.0), (30.0, 0.0));
    let mut tracker = Tracker::new(TrackSettings::default());
    for time in frames(10.0, 2.0) {
        tracker.update(time, &[walker.seen(time)]);
    }
    let before = tracker.tracks()[0];
    let camera = Affine { matrix: [[2.0, 0.0, -320.0], [0.0, 2.0, -240.0]] };
    // Not seen, so that what comes out is what the tracker makes of the camera alone.
    let after = tracker.observe(2.0, &Observation { camera: Some(camera), ..Observation::default() })[0];
    let expected = camera.rect(&before.rect_after(0.1));
    assert!(after.rect.iou(&expected) > 0.99, "{:?} instead of {expected:?}", after.rect);
    assert!((after.velocity[0] - 2.0 * before.velocity[0]).abs() < 0.5, "{:?}", after.velocity);
}

#[test]
fn a_camera_motion_that_no_camera_makes_is_not_followed() {
    let zoom = |scale: f32| Affine { matrix: [[scale, 0.0, 0.0], [0.0, scale, 0.0]] };
    let mirror = Affine { matrix: [[-1.0, 0.0, 640.0], [0.0, 1.0, 0.0]] };
    for camera in [Affine::shift(f32::NAN, 0.0), zoom(0.0), zoom(50.0), mirror, zoom(f32::INFINITY)] {
        let mut tracker = Tracker::new(TrackSettings::default());
        let detections: Vec<_> = hall().iter().map(|walker| walker.seen(0.0)).collect();
        tracker.update(0.0, &detections);
        let told = Observation { detections: &detections, camera: Some(camera), ..Observation::default() };
        let with = tracker.observe(0.1, &told).to_vec();
        let mut tracker = Tracker::new(TrackSettings::default());
        tracker.update(0.0, &detections);
        assert_eq!(with, tracker.update(0.1, &detections), "{camera:?}");
    }
}

#[test]
fn a_still_camera_over_people_who_all_walk_one_way_is_left_alone() {
    // A procession: the tracker may take it for a pan, but nobody may lose their name and speed over it.
    let walkers: Vec<_> = hall().iter().map(|w| Walker { velocity: (50.0, 0.0), ..*w }).collect();
    let mut tracker = Tracker::new(on());
    for time in frames(10.0, 6.0) {
        let detections: Vec<_> = walkers.iter().map(|w| w.seen(time)).collect();
        let tracks = tracker.update(time, &detections);
        let ids: Vec<_> = detections.iter().map(|d| id_at(tracks, &d.rect)).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6].map(Some), "{time} s");
    }
    for track in tracker.tracks() {
        assert!((track.velocity[0] - 50.0).abs() < 10.0, "{track:?}");
    }
}
