//! The tracker's memory: nothing is taken once as many objects have been seen, and nothing is kept of those who left.
//!
//! The counting allocator counts for each thread on its own, so that tests do not count one another's.

use crate::scenes::{Random, person};
use allocation_counter::{AllocationInfo, measure};
use trailsight::detection::Detection;
use trailsight::kind::Kinds;
use trailsight::labels::Labels;
use trailsight::track::{MAX_DETECTIONS, Observation, TrackSettings, Tracker};

/// The defaults, the one switch that is off by default, and what the network's detections are tracked with.
fn settings() -> [TrackSettings; 3] {
    let default = TrackSettings::default();
    [default, TrackSettings { class_agnostic: true, ..default }, default.with_confidence(0.25)]
}

/// Objects that come, wander about, are missed now and then, and go.
struct Street {
    random: Random,
    walkers: Vec<(Detection, u32)>,
    found: Vec<Detection>,
    suppressed: Vec<Detection>,
}

impl Street {
    fn new(walkers: usize) -> Self {
        let nobody = (person(0.0, 0.0, 40.0, 90.0, 0.9), 0);
        let (found, suppressed) = (Vec::with_capacity(walkers), Vec::with_capacity(walkers));
        Self { random: Random(7), walkers: vec![nobody; walkers], found, suppressed }
    }

    /// Goes on by one frame, without taking memory itself.
    fn step(&mut self) {
        let Self { random, walkers, found, suppressed } = self;
        found.clear();
        suppressed.clear();
        for (walker, left) in walkers {
            if *left == 0 {
                let mut near = |to: f64| random.within(0.0, to) as f32;
                *walker = person(near(1_000.0), near(600.0), 30.0 + near(20.0), 90.0 + near(20.0), 0.9);
                *left = 20 + (random.next() % 100) as u32;
            }
            *left -= 1;
            walker.rect.left += random.within(-1.0, 3.0) as f32;
            walker.score = random.within(0.3, 1.0) as f32;
            match random.next() % 20 {
                0 => {}
                1 => suppressed.push(*walker),
                _ => found.push(*walker),
            }
        }
    }
}

/// What the tracker takes in `frames` frames of the street, from `begin` on.
fn taken(tracker: &mut Tracker, street: &mut Street, begin: u32, frames: u32) -> AllocationInfo {
    let kinds = Kinds::of(&Labels::coco());
    measure(|| {
        for frame in begin..begin + frames {
            street.step();
            let observation = Observation {
                detections: &street.found,
                suppressed: &street.suppressed,
                picture: Some((1_000.0, 600.0)),
                kinds: Some(&kinds),
                ..Observation::default()
            };
            tracker.observe(f64::from(frame) / 30.0, &observation);
        }
    })
}

#[test]
fn nothing_is_taken_for_a_scene_that_was_seen_before() {
    for settings in settings() {
        let mut tracker = Tracker::new(settings);
        // Only in the very first frame are tracks believed at once.
        tracker.update(0.0, &[]);
        let first = taken(&mut tracker, &mut Street::new(25), 1, 20_000);
        assert!(first.count_total > 10, "the count counts: {first:?}");
        // The same street again, after everybody was forgotten, so that nothing is new but the ids.
        tracker.update(700.0, &[]);
        let mut street = Street::new(25);
        let then = taken(&mut tracker, &mut street, 30_001, 20_000);
        assert_eq!((then.count_total, then.bytes_current), (0, 0), "{settings:?}");
        let newest = tracker.tracks().iter().map(|track| track.id).max();
        assert!(newest > Some(5_000), "many were born on the way: {newest:?}");
    }
}

#[test]
fn a_million_frames_of_coming_and_going_leave_nothing_behind() {
    let (mut tracker, mut street) = (Tracker::new(TrackSettings::default()), Street::new(4));
    let first = taken(&mut tracker, &mut street, 0, 100_000);
    let then = taken(&mut tracker, &mut street, 100_000, 900_000);
    // A rare crowd may double a buffer or two; anything kept of the tracks that ended would be tens of thousands.
    assert!(then.count_total <= 3 && then.bytes_current < 8 * 1_024, "{then:?}");
    assert!(first.bytes_max < 64 * 1_024, "{first:?}");
    assert!(tracker.tracks().iter().any(|track| track.id > 40_000), "many were born on the way");
}

#[test]
fn floods_take_nothing_either_once_there_was_one() {
    for settings in settings() {
        // More than are looked at, and more tracks in the end than are allowed.
        let settings = TrackSettings { duplicate_iou: 1.0, lost_track_seconds: 1e6, ..settings };
        let flood = |shift: f32| -> Vec<Detection> {
            let place = |i: usize| ((i % 60) as f32 * 20.0 + shift, (i / 60) as f32 * 20.0);
            (0..2 * MAX_DETECTIONS).map(|i| person(place(i).0, place(i).1, 15.0, 15.0, 0.9)).collect()
        };
        let floods: Vec<_> = (0..8).map(|i| flood(1_500.0 * (i / 2) as f32)).collect();
        let mut tracker = Tracker::new(settings);
        let mut pour = |begin: u32| {
            measure(|| {
                for (frame, detections) in (begin..).zip(&floods) {
                    tracker.update(f64::from(frame) / 30.0, detections);
                }
            })
        };
        assert!(pour(0).count_total > 10);
        assert_eq!(pour(8).count_total, 0, "{settings:?}");
    }
}
