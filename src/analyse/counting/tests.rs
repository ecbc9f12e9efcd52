use super::*;
use crate::attribute::Value;
use crate::geometry::{Polygon, Polyline, Rect};

const SIZE: (u32, u32) = (400, 400);

fn line(name: &str) -> LineSettings {
    // At 200 pixels, from the left to the right: down is in.
    let points = Polyline::new(vec![(0.0, 0.5), (1.0, 0.5)]).unwrap();
    LineSettings { name: name.to_owned(), points, ..LineSettings::default() }
}

fn zone(name: &str, left: f32, right: f32) -> ZoneSettings {
    let corners = vec![(left, 0.0), (right, 0.0), (right, 1.0), (left, 1.0)];
    let corners = Polygon::new(corners).unwrap();
    ZoneSettings { name: name.to_owned(), corners, band: 0.0, stay_seconds: 0.0, ..ZoneSettings::default() }
}

fn counting(lines: Vec<LineSettings>, zones: Vec<ZoneSettings>) -> Counting {
    Counting::new(CountingSettings { lines, zones }, &Labels::coco())
}

/// A person of 40 pixels whose feet are at a place; born in frame `born`.
fn person(id: u64, x: f32, y: f32, born: f64) -> Track {
    Track {
        id,
        class: 0,
        score: 0.9,
        rect: Rect::new(x - 10.0, y - 40.0, 20.0, 40.0),
        velocity: [0.0; 4],
        state: TrackState::Confirmed,
        born,
        seen: 0.0,
        detection: None,
    }
}

/// One frame each tenth of a second.
fn show(counting: &mut Counting, number: u64, tracks: Vec<Track>) -> Scene {
    show_with(counting, number, tracks, None, false)
}

fn show_with(
    counting: &mut Counting,
    number: u64,
    tracks: Vec<Track>,
    camera: Option<Affine>,
    again: bool,
) -> Scene {
    let mut scene = Scene { sequence: number, time: number as f64 / 10.0, tracks, ..Scene::default() };
    let detections = Detections::default();
    let frame =
        StageFrame { size: SIZE, picture: None, detections: &detections, suppressed: None, camera, again };
    counting.update(&frame, &mut scene).unwrap();
    scene
}

fn ways(counting: &Counting, index: usize) -> (u64, u64) {
    let total = counting.counts().unwrap().lines[index].crossed.total();
    (total.inwards, total.outwards)
}

#[test]
fn who_crosses_with_a_known_speed_has_it_told_and_counted() {
    let mut counting = counting(vec![line("door")], vec![]);
    let detections = Detections::default();
    let frame = StageFrame {
        size: SIZE,
        picture: None,
        detections: &detections,
        suppressed: None,
        camera: None,
        again: false,
    };
    let mut told = Vec::new();
    for (number, y) in [150.0, 190.0, 230.0, 270.0].into_iter().enumerate() {
        let tracks = vec![person(7, 100.0, y, 0.0), person(8, 300.0, y, 0.0)];
        let mut scene = Scene { time: number as f64 / 10.0, tracks, ..Scene::default() };
        scene.attributes.set(7, "speed_m_per_s", 4.25);
        counting.update(&frame, &mut scene).unwrap();
        told.extend(scene.events);
    }
    let speed = |event: &Event| event.detail("speed_m_per_s").and_then(Value::as_number);
    assert_eq!(
        told.iter().map(|event| (event.track, speed(event))).collect::<Vec<_>>(),
        [(Some(7), Some(4.25)), (Some(8), None)]
    );
    let counts = counting.counts().unwrap();
    let speeds = &counts.lines[0].speeds;
    assert_eq!((speeds.measured(), speeds.mean()), (1, Some(4.25)));
}

#[test]
fn crossings_are_told_once_and_counted_by_class() {
    let mut counting =
        counting(vec![line("door"), LineSettings { classes: vec!["car".into()], ..line("cars") }], vec![]);
    let mut told = Vec::new();
    for (number, y) in [150.0, 190.0, 230.0, 240.0, 190.0, 150.0, 140.0].into_iter().enumerate() {
        told.extend(show(&mut counting, number as u64, vec![person(7, 100.0, y, 0.0)]).events);
    }
    let words = |event: &Event| event.detail("direction").and_then(Value::as_text).map(str::to_owned);
    assert_eq!(told.iter().filter_map(words).collect::<Vec<_>>(), ["in", "out"]);
    let event = &told[0];
    assert_eq!((&*event.kind, event.track, event.frame), ("cross", Some(7), 2));
    // A quarter of the way from 190 to 230.
    assert!((event.time - 0.125).abs() < 1e-6, "{event:?}");
    assert_eq!(event.detail("class").and_then(Value::as_text), Some("person"));
    assert_eq!(event.detail("y").and_then(Value::as_number), Some(200.0));
    assert_eq!((ways(&counting, 0), ways(&counting, 1)), ((1, 1), (0, 0)));
    assert_eq!(counting.counts().unwrap().recent.len(), 2);
}

#[test]
fn what_is_hidden_does_not_count_until_it_is_seen() {
    let mut counting = counting(vec![line("door")], vec![]);
    show(&mut counting, 0, vec![person(1, 100.0, 180.0, 0.0)]);
    for number in 1..5 {
        let lost = Track { state: TrackState::Lost, ..person(1, 100.0, 180.0 + 20.0 * number as f32, 0.0) };
        assert!(show(&mut counting, number, vec![lost]).events.is_empty());
    }
    let seen = show(&mut counting, 5, vec![person(1, 100.0, 280.0, 0.0)]);
    assert_eq!(seen.events.len(), 1);
    assert!((seen.events[0].time - 0.1).abs() < 1e-6);
}

#[test]
fn another_id_at_the_line_loses_nothing_and_counts_nothing_twice() {
    for change in 3..8 {
        let mut counting = counting(vec![line("door")], vec![]);
        for number in 0..12 {
            let id = if number < change { 1 } else { 2 };
            let born = if number < change { 0.0 } else { change as f64 / 10.0 };
            show(&mut counting, number, vec![person(id, 100.0, 150.0 + 10.0 * number as f32, born)]);
        }
        assert_eq!(ways(&counting, 0), (1, 0), "{change}");
    }
}

#[test]
fn zones_know_who_is_there_for_how_long_and_where_they_came_from() {
    let mut counting = counting(vec![], vec![zone("left", 0.0, 0.4), zone("right", 0.6, 1.0)]);
    let mut kinds = Vec::new();
    for number in 0..=40 {
        let x = 12.0 + number as f32 * 10.0;
        let scene = show(&mut counting, number, vec![person(3, x.min(390.0), 100.0, 0.0)]);
        kinds.extend(scene.events.iter().map(|event| event.kind.to_string()));
        let dwell = scene.attributes.get(3, Counting::DWELL).and_then(Value::as_number);
        assert_eq!(dwell.is_some(), !(160.0..240.0).contains(&x), "{x}");
    }
    assert_eq!(kinds, ["enter", "leave", "enter"]);
    let counts = counting.counts().unwrap();
    assert_eq!(counts.flows, [[0, 1], [0, 0]]);
    let [left, right] = counts.zones.as_slice() else { panic!("{counts:?}") };
    assert_eq!((left.occupancy, left.most, left.dwell.visits), (0, 1, 1));
    assert!((left.dwell.seconds - 1.5).abs() < 0.06, "{left:?}");
    assert!((left.presence - 1.5).abs() < 0.11 && (right.longest_now - 1.7).abs() < 0.06, "{counts:?}");
    // Given up, it has left.
    let told: Vec<(u64, Event)> = (41..70)
        .flat_map(|number| {
            show(&mut counting, number, vec![]).events.into_iter().map(move |event| (number, event))
        })
        .collect();
    let [(number, leave)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((&*leave.kind, leave.track, leave.time), ("leave", Some(3), 4.0));
    assert_eq!(*number, 66, "told two and a half seconds after it was last seen");
    assert_eq!(counting.counts().unwrap().zones[1].occupancy, 0);
}

#[test]
fn a_visit_goes_on_under_another_id() {
    let mut counting = counting(vec![], vec![zone("all", 0.0, 1.0)]);
    let mut events = 0;
    for number in 0..20 {
        let (id, born) = if number < 10 { (1, 0.0) } else { (2, 1.0) };
        events += show(&mut counting, number, vec![person(id, 100.0, 100.0, born)]).events.len();
    }
    let counts = counting.counts().unwrap();
    assert_eq!((events, counts.zones[0].passed.total().inwards), (1, 1));
    assert!((counts.zones[0].longest_now - 1.9).abs() < 1e-9);
}

#[test]
fn a_frame_that_was_told_before_counts_nothing() {
    let mut counting = counting(vec![line("door")], vec![]);
    let way = [150.0, 190.0, 230.0];
    for again in [false, true] {
        for (number, y) in way.into_iter().enumerate() {
            show_with(&mut counting, number as u64, vec![person(7, 100.0, y, 0.0)], None, again);
        }
        assert_eq!(ways(&counting, 0), (1, 0));
        counting.restart();
    }
    // It went on in the part that is new.
    for (number, y) in [(2, 230.0), (3, 190.0), (4, 150.0)] {
        show_with(&mut counting, number, vec![person(7, 100.0, y, 0.0)], None, number == 2);
    }
    assert_eq!(ways(&counting, 0), (1, 1));
}

#[test]
fn a_line_stays_with_the_scene_or_with_the_screen() {
    let fixed = |fixed_to| LineSettings { fixed_to, ..line("door") };
    let mut counting = counting(vec![fixed(FixedTo::Scene), fixed(FixedTo::Screen)], vec![]);
    // The camera goes up: the still world, with a person who stands in it, goes down.
    for number in 0..10 {
        let camera = (number > 0).then(|| Affine::shift(0.0, 10.0));
        let tracks = vec![person(1, 100.0, 150.0 + 10.0 * number as f32, 0.0)];
        show_with(&mut counting, number, tracks, camera, false);
    }
    assert_eq!((ways(&counting, 0), ways(&counting, 1)), ((0, 0), (1, 0)));
    let counts = counting.counts().unwrap();
    assert_eq!((counts.lines[0].points[0], counts.lines[1].points[0]), ([0.0, 290.0], [0.0, 200.0]));
}

#[test]
fn what_stays_as_it_was_keeps_its_numbers() {
    let mut counting = counting(vec![line("a"), line("b")], vec![zone("z", 0.0, 1.0)]);
    for (number, y) in [150.0, 190.0, 230.0].into_iter().enumerate() {
        show(&mut counting, number as u64, vec![person(7, 100.0, y, 0.0)]);
    }
    let moved = LineSettings { points: Polyline::new(vec![(0.0, 0.9), (1.0, 0.9)]).unwrap(), ..line("b") };
    let settings = CountingSettings { lines: vec![moved, line("a")], zones: vec![zone("z", 0.0, 1.0)] };
    counting.set_settings(settings, &Labels::coco());
    assert_eq!((ways(&counting, 0), ways(&counting, 1)), ((0, 0), (1, 0)));
    assert_eq!(counting.counts().unwrap().zones[0].passed.total().inwards, 1);
    show(&mut counting, 3, vec![person(7, 100.0, 240.0, 0.0)]);
    let counts = counting.counts().unwrap();
    assert_eq!((&*counts.lines[0].name, counts.lines[0].points[0]), ("b", [0.0, 360.0]));
}

#[test]
fn tracks_of_before_are_counted_at_a_line_that_is_new() {
    let scenes = |y: fn(u64) -> f32| {
        (0..20u64).map(move |number| Scene {
            sequence: number,
            time: number as f64 / 10.0,
            tracks: vec![person(7, 100.0, y(number), 0.0)],
            ..Scene::default()
        })
    };
    let mut before = counting(vec![line("kept")], vec![]);
    before.recount(SIZE, scenes(|number| 150.0 + 10.0 * number as f32));
    assert_eq!(ways(&before, 0), (1, 0));
    let mut after = counting(vec![line("kept"), line("new")], vec![]);
    after.recount(SIZE, scenes(|number| 250.0 - 10.0 * number as f32));
    after.keep_of(&before);
    assert_eq!((ways(&after, 0), ways(&after, 1)), ((1, 0), (0, 1)));
}

#[test]
fn without_lines_and_zones_nothing_is_told() {
    let mut counting = counting(vec![], vec![]);
    let scene = show(&mut counting, 0, vec![person(1, 1.0, 1.0, 0.0)]);
    assert!(scene.counts.is_none() && scene.events.is_empty() && scene.attributes.is_empty());
}

#[test]
fn who_stands_in_a_zone_still_does_when_another_one_changes() {
    let mut counting = counting(Vec::new(), vec![zone("left", 0.0, 0.5), zone("right", 0.5, 1.0)]);
    (0..20).for_each(|number| drop(show(&mut counting, number, vec![person(1, 100.0, 100.0, 0.0)])));
    let zones = vec![zone("far", 0.75, 1.0), zone("left", 0.0, 0.5), zone("all", 0.0, 1.0)];
    counting.set_settings(CountingSettings { lines: Vec::new(), zones }, &Labels::coco());
    let events: Vec<Event> = (20..40)
        .flat_map(|number| show(&mut counting, number, vec![person(1, 100.0, 100.0, 0.0)]).events)
        .collect();
    // It comes into the new zone when that is there, and not again into the old one.
    let told: Vec<_> =
        events.iter().map(|event| event.detail("zone").and_then(Value::as_text).unwrap()).collect();
    assert_eq!(told, ["all"]);
    assert!((events[0].time - 1.9).abs() < 0.11, "{}", events[0].time);
    let counts = counting.counts().unwrap();
    let of = |index: usize| (counts.zones[index].passed.total().inwards, counts.zones[index].occupancy);
    assert_eq!([of(0), of(1), of(2)], [(0, 0), (1, 1), (1, 1)]);
    let mean = |index: usize| counts.zones[index].presence / counts.zones[index].seconds;
    assert!((mean(1) - 1.0).abs() < 0.1 && (mean(2) - 1.0).abs() < 0.1, "{} {}", mean(1), mean(2));
    let gone = (40..80).flat_map(|number| show(&mut counting, number, Vec::new()).events).collect::<Vec<_>>();
    assert_eq!(gone.len(), 2);
}
