use super::*;
use crate::detection::{Detection, Detections};
use crate::scene::Swap;

const SIZE: (u32, u32) = (1000, 600);

/// Straight down: a pixel is five centimetres, Y is up in the picture.
fn plane() -> GroundPlane {
    let corner = |x: f64, y: f64| KnownPoint { at: (x, y), metres: (x * 50.0, (1.0 - y) * 30.0) };
    let points = vec![corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
    GroundPlane { points, ..GroundPlane::default() }
}

fn track(id: u64, rect: Rect) -> Track {
    Track {
        id,
        class: 0,
        score: 0.9,
        rect,
        velocity: [0.0; 4],
        state: TrackState::Confirmed,
        born: 0.0,
        seen: 0.0,
        detection: None,
    }
}

/// The scene of a moment, as the stage leaves it.
fn seen(
    stage: &mut OnGround,
    time: f64,
    tracks: Vec<Track>,
    camera: Option<Affine>,
    swaps: Vec<Swap>,
) -> Scene {
    let boxes: Detections = tracks
        .iter()
        .map(|track| Detection { rect: track.rect, score: 0.9, class: 0 })
        .collect::<Vec<_>>()
        .into();
    let mut scene = Scene { time, tracks, swaps, ..Scene::default() };
    for (track, number) in scene.tracks.iter_mut().zip(0..) {
        track.detection = Some(number);
        // What the tracker makes of the box is not what counts.
        track.rect.left += 8.0;
    }
    let frame =
        StageFrame { size: SIZE, picture: None, detections: &boxes, suppressed: None, camera, again: false };
    stage.update(&frame, &mut scene).unwrap();
    scene
}

fn number(scene: &Scene, id: u64, name: &str) -> Option<f64> {
    scene.attributes.get(id, name).and_then(|value| value.as_number())
}

/// Its lower edge's middle at a point.
fn standing(x: f32, y: f32) -> Rect {
    Rect::new(x - 10.0, y - 50.0, 20.0, 50.0)
}

#[test]
fn places_and_speeds_are_in_metres_and_come_after_the_first_moments() {
    let mut stage = OnGround::new(plane(), &Labels::coco());
    for frame in 0..30 {
        let time = f64::from(frame) / 20.0;
        // Ten metres a second to the right, in the middle of the picture.
        let scene = seen(
            &mut stage,
            time,
            vec![track(3, standing(100.0 + 200.0 * time as f32, 300.0))],
            None,
            vec![],
        );
        assert_eq!(number(&scene, 3, "y_m"), Some(15.0));
        let x = number(&scene, 3, "x_m").unwrap();
        assert!((x - 5.0 - 10.0 * time).abs() < 0.002, "{x} at {time}");
        let speed = number(&scene, 3, SPEED);
        assert_eq!(speed.is_some(), time > 0.39, "{time}");
        assert!(speed.is_none_or(|speed| (speed - 10.0).abs() < 0.01));
        assert!(number(&scene, 3, HEADING).is_none_or(|heading| (heading - 90.0).abs() < 0.1));
        assert!(scene.ground.is_some());
    }
}

#[test]
fn nothing_is_told_of_a_box_that_the_edge_cuts_nor_of_one_that_is_hidden() {
    let mut stage = OnGround::new(plane(), &Labels::coco());
    for frame in 0..20 {
        let time = f64::from(frame) / 20.0;
        let whole = track(1, standing(500.0, 300.0));
        let cut = [
            track(2, Rect::new(0.0, 100.0, 20.0, 50.0)),
            track(3, Rect::new(985.0, 100.0, 14.5, 50.0)),
            track(4, Rect::new(300.0, 550.0, 20.0, 49.5)),
            Track { state: TrackState::Lost, ..track(5, standing(200.0, 300.0)) },
        ];
        let tracks = [whole].into_iter().chain(cut).collect();
        let scene = seen(&mut stage, time, tracks, None, vec![]);
        assert!(number(&scene, 1, "x_m").is_some());
        for id in 2..=5 {
            assert_eq!(scene.attributes.of(id).count(), 0, "{id} at {time}");
        }
    }
}

#[test]
fn who_changes_ids_begins_anew_and_nobody_jumps() {
    let mut stage = OnGround::new(plane(), &Labels::coco());
    for frame in 0..40 {
        let time = f64::from(frame) / 20.0;
        let (a, b) = (100.0 + 10.0 * frame as f32, 900.0 - 10.0 * frame as f32);
        let (a, b) = if frame < 20 { (a, b) } else { (b, a) };
        let swaps = if frame == 20 { vec![Swap { from: 1, to: 2, since: time }] } else { vec![] };
        let tracks = vec![track(1, standing(a, 200.0)), track(2, standing(b, 400.0))];
        let scene = seen(&mut stage, time, tracks, None, swaps);
        let speeds = [1, 2].map(|id| number(&scene, id, SPEED));
        assert!(speeds.iter().flatten().all(|speed| (speed - 10.0).abs() < 0.01), "{frame} {speeds:?}");
        assert_eq!(speeds[0].is_some(), frame % 20 > 7, "{frame}");
    }
}

#[test]
fn a_ground_that_stays_with_the_scene_follows_the_camera() {
    let moving = GroundPlane { fixed_to: FixedTo::Scene, ..plane() };
    let mut stage = OnGround::new(moving, &Labels::coco());
    for frame in 0..20 {
        // The camera turns: all that stands goes five pixels to the right in each frame.
        let camera = (frame > 0).then(|| Affine::shift(5.0, 0.0));
        let rect = standing(200.0 + 5.0 * frame as f32, 300.0);
        let scene = seen(&mut stage, f64::from(frame) / 20.0, vec![track(1, rect)], camera, vec![]);
        assert_eq!(number(&scene, 1, "x_m"), Some(10.0), "{frame}");
        assert!(number(&scene, 1, SPEED).is_none_or(|speed| speed < 0.01));
        assert_eq!(number(&scene, 1, HEADING), None);
    }
}

/// The box of somebody 1.7 m tall before a camera 6 m high, tilted down by 15 degrees, with the view that is taken for usual.
fn person(x: f64, y: f64) -> Rect {
    let (sin, cos) = 15_f64.to_radians().sin_cos();
    let focal = 500.0 / 32.5_f64.to_radians().tan();
    let row = |z: f64| {
        let depth = y * cos + (6.0 - z) * sin;
        (500.0 + focal * x / depth, 300.0 + focal * ((6.0 - z) * cos - y * sin) / depth)
    };
    let ((middle, bottom), (_, top)) = (row(0.0), row(1.7));
    let width = 0.35 * (bottom - top);
    Rect::new((middle - width / 2.0) as f32, top as f32, width as f32, (bottom - top) as f32)
}

#[test]
fn people_tell_the_ground_after_a_while() {
    let mut stage = OnGround::new(GroundPlane::default(), &Labels::coco());
    let mut last = Scene::default();
    for frame in 0..120 {
        let time = f64::from(frame) / 10.0;
        let people = (1..=8_u32).map(|id| {
            let (x, y) = (f64::from(id) * 1.6 - 7.2, 12.0 + 3.0 * f64::from(id % 5) + 1.2 * time);
            track(u64::from(id), person(x, y))
        });
        last = seen(&mut stage, time, people.collect(), None, vec![]);
        assert_eq!(last.ground.is_some(), number(&last, 1, "x_m").is_some());
        assert!(frame > 60 || last.ground.is_none(), "{frame}");
    }
    // The boxes of the tracks are eight pixels off; what counts is what was detected.
    let speed = number(&last, 3, SPEED).unwrap();
    assert!((speed - 1.2).abs() < 0.1, "{speed}");
    let (x, y) = (number(&last, 3, "x_m").unwrap(), number(&last, 3, "y_m").unwrap());
    assert!((x + 2.4).abs() < 0.3 && (y - 21.0 - 1.2 * 11.9).abs() < 2.0, "{x} {y}");
}

#[test]
fn who_stands_there_for_long_does_not_end_the_search() {
    let mut stage = OnGround::new(GroundPlane::default(), &Labels::coco());
    // Half an hour of one person at 30 frames a second.
    for frame in 0..54_000 {
        seen(&mut stage, f64::from(frame) / 30.0, vec![track(1, person(1.0, 15.0))], None, vec![]);
    }
    assert!(stage.survey.as_ref().is_some_and(|survey| survey.people.seen() < 1900));
}

#[test]
fn directions_are_clockwise_also_where_the_axes_are_as_in_a_mirror() {
    let mut mirrored = plane();
    mirrored.points.iter_mut().for_each(|point| point.metres.1 *= -1.0);
    for (plane, expected) in [(plane(), 45.0), (mirrored, 225.0)] {
        let mut stage = OnGround::new(plane, &Labels::coco());
        let mut last = Scene::default();
        for frame in 0..30 {
            // To the right and up in the picture.
            let way = 4.0 * frame as f32;
            last = seen(
                &mut stage,
                f64::from(frame) / 20.0,
                vec![track(3, standing(200.0 + way, 400.0 - way))],
                None,
                vec![],
            );
        }
        let heading = number(&last, 3, HEADING).unwrap();
        assert!((heading - expected).abs() < 0.2, "{heading}");
    }
}

#[test]
fn numbers_are_rounded_without_a_sign_of_zero() {
    assert!(rounded(-0.0001, 1000.0).is_sign_positive());
    assert_eq!(rounded(359.97, 10.0).rem_euclid(360.0), 0.0);
}

#[test]
fn the_ground_of_a_source_is_the_first_that_is_meant() {
    let of = |source: &str, bearing: f64| GroundPlane { source: source.into(), bearing, ..plane() };
    let settings = GroundSettings { planes: vec![of("gate*", 1.0), of("2", 2.0), of("", 3.0)] };
    let bearing = |name, number| settings.of_source(name, number).map(|plane| plane.bearing);
    assert_eq!([bearing("gate.mp4", 2), bearing("a", 2), bearing("a", 1)], [Some(1.0), Some(2.0), Some(3.0)]);
    assert_eq!(GroundSettings::default().of_source("a", 1), None);
}

#[test]
fn a_place_on_earth_needs_axes_as_on_a_map() {
    let mut plane = GroundPlane { origin: Some((48.0, 11.0)), ..plane() };
    assert!(plane.ground(SIZE).unwrap().unwrap().origin().is_some());
    plane.points.iter_mut().for_each(|point| point.metres.1 *= -1.0);
    assert_eq!(plane.ground(SIZE), Err(GroundError::Mirrored));
}
