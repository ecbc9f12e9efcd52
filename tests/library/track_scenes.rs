//! Small scenes with exact expectations of who is who: people who hide one another, leave and come back, at frame rates
//! high, low and changing.

use crate::scenes::{Random, Walker, confirmed, frames, id_at, person, play};
use trailsight::detection::Detection;
use trailsight::geometry::Rect;
use trailsight::scene::TrackState;
use trailsight::track::{Observation, Preset, TrackSettings, Tracker};

/// Two who walk towards each other; the first passes in front.
fn crossing() -> [Walker; 2] {
    [
        Walker::new(Rect::new(100.0, 106.0, 44.0, 108.0), (40.0, 0.0)),
        Walker::new(Rect::new(500.0, 100.0, 42.0, 104.0), (-30.0, 0.0)),
    ]
}

/// What a detector sees of them: nothing of who is more than half hidden by the first.
fn unhidden(walkers: &[Walker], time: f64) -> Vec<Detection> {
    let front = walkers[0].at(time);
    let hidden = |walker: &Walker| walker.at(time) != front && walker.at(time).share_in(&front) > 0.5;
    walkers.iter().filter(|walker| !hidden(walker)).map(|walker| walker.seen(time)).collect()
}

#[test]
fn of_two_who_cross_the_hidden_one_keeps_its_id() {
    for fps in [5.0, 10.0, 25.0, 60.0] {
        let settings = TrackSettings::default();
        let mut hidden = 0;
        let tracker = play(settings, frames(fps, 9.0), |time| {
            let seen = unhidden(&crossing(), time);
            hidden += 2 - seen.len();
            seen
        });
        assert!(hidden as f64 > 0.3 * fps, "the scene hides somebody: {hidden} frames at {fps}");
        let last = (9.0 * fps - 1.0) / fps;
        let ids = crossing().map(|walker| id_at(tracker.tracks(), &walker.at(last)));
        assert_eq!(ids, [Some(1), Some(2)], "{fps} fps");
    }
}

#[test]
fn sort_that_remembers_nobody_calls_the_hidden_one_new() {
    let tracker = play(TrackSettings::of(Preset::Sort), frames(25.0, 9.0), |t| unhidden(&crossing(), t));
    let ids = crossing().map(|walker| id_at(tracker.tracks(), &walker.at(8.96)));
    assert_eq!(ids, [Some(1), Some(3)]);
}

#[test]
fn a_walker_is_known_again_within_the_memory_and_new_after_it() {
    let walker = Walker::new(Rect::new(50.0, 200.0, 40.0, 90.0), (30.0, 5.0));
    let memory = TrackSettings::default().lost_track_seconds;
    for fps in [5.0, 25.0] {
        for (hidden, id) in [(0.6 * memory, 1), (memory - 0.2, 1), (memory + 0.3, 2)] {
            let tracker = play(TrackSettings::default(), frames(fps, 6.0), |time| {
                let shown = !(2.0..2.0 + hidden).contains(&time);
                shown.then(|| walker.seen(time)).into_iter().collect()
            });
            assert_eq!(confirmed(tracker.tracks()), [id], "hidden for {hidden} s at {fps} fps");
        }
    }
}

#[test]
fn who_leaves_and_comes_back_later_is_new() {
    // Out at the right edge after 2.4 s, back in 3 s later.
    let tracker = play(TrackSettings::default(), frames(15.0, 8.0), |time| {
        let along = if time < 4.0 { time } else { 8.0 - time };
        let walker = Walker::new(Rect::new(400.0, 200.0, 40.0, 90.0), (100.0, 0.0)).seen(along);
        let shown = walker.rect.clipped(640.0, 480.0).map(|rect| Detection { rect, ..walker });
        shown.filter(|d| d.rect.width > 10.0).into_iter().collect()
    });
    assert_eq!(confirmed(tracker.tracks()), [2]);
}

#[test]
fn who_steps_in_where_another_left_is_new_where_the_edge_is_known() {
    let run = |settings: TrackSettings, picture| {
        let mut tracker = Tracker::new(settings);
        let inside = Rect::new(0.0, 0.0, 640.0, 480.0);
        for time in frames(20.0, 4.0) {
            // One leaves at the right edge, and another comes in there a good second later; a detector guesses the part
            // of a box that is outside.
            let first = Walker::new(Rect::new(560.0, 200.0, 50.0, 110.0), (40.0, 0.0)).at(time);
            let second = Walker::new(Rect::new(740.0, 200.0, 50.0, 110.0), (-40.0, 0.0)).at(time);
            let seen = [first, second].into_iter().filter(|rect| rect.share_in(&inside) > 0.3);
            let detections: Vec<_> = seen.map(|rect| Detection { rect, score: 0.8, class: 0 }).collect();
            tracker
                .observe(time, &Observation { detections: &detections, picture, ..Observation::default() });
        }
        confirmed(tracker.tracks())
    };
    let settings = TrackSettings::default();
    assert_eq!(run(settings, Some((640.0, 480.0))), [2]);
    assert_eq!(run(settings, None), [1], "nothing is known of the edge, and it could be the same");
}

/// Walkers in lanes of their own, every other one the other way.
fn lanes() -> Vec<Walker> {
    let lane = |i: i16| {
        let (sign, top) = (if i % 2 == 0 { 1.0 } else { -1.0 }, 20.0 + 110.0 * f32::from(i));
        let from = if i % 2 == 0 { 50.0 } else { 700.0 };
        let walker =
            Walker::new(Rect::new(from, top, 40.0, 100.0), (sign * (40.0 + 10.0 * f32::from(i)), 0.0));
        // The best score gets the first id.
        Walker { score: 0.9 - 0.02 * f32::from(i), ..walker }
    };
    (0..4).map(lane).collect()
}

#[test]
fn few_frames_a_second_are_enough() {
    for fps in [2.0, 3.0, 5.0] {
        let tracker = play(TrackSettings::default(), frames(fps, 6.0), |time| {
            lanes().iter().map(|walker| walker.seen(time)).collect()
        });
        let last = (6.0 * fps - 1.0) / fps;
        let ids: Vec<_> = lanes().iter().map(|w| id_at(tracker.tracks(), &w.at(last))).collect();
        assert_eq!(ids, [1, 2, 3, 4].map(Some), "{fps} fps");
    }
}

#[test]
fn without_widened_boxes_few_frames_a_second_are_too_few() {
    let settings = TrackSettings { buffer: 0.0, ..TrackSettings::default() };
    let tracker = play(settings, frames(2.0, 6.0), |time| lanes().iter().map(|w| w.seen(time)).collect());
    assert!(tracker.tracks().iter().any(|track| track.id > 4), "{:?}", confirmed(tracker.tracks()));
}

#[test]
fn frames_may_lie_further_apart_than_the_memory() {
    // The memory is for those who were looked for and not found; between two frames nobody looks.
    let settings = TrackSettings { lost_track_seconds: 0.5, ..TrackSettings::default() };
    let tracker = play(settings, frames(1.0, 8.0), |_| vec![person(100.0, 50.0, 40.0, 90.0, 0.9)]);
    assert_eq!(confirmed(tracker.tracks()), [1]);
}

#[test]
fn frames_may_come_as_they_like() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut time = 0.0;
        let mut tracker = Tracker::new(TrackSettings::default());
        while time < 8.0 {
            time += random.within(0.01, 0.5);
            let mut seen: Vec<_> = lanes().iter().map(|walker| walker.seen(time)).collect();
            for detection in &mut seen {
                detection.rect.left += random.within(-2.0, 2.0) as f32;
                detection.rect.height += random.within(-2.0, 2.0) as f32;
            }
            tracker.update(time, &seen);
            let ids: Vec<_> = lanes().iter().map(|w| id_at(tracker.tracks(), &w.at(time))).collect();
            // Tentative at first, where the first frame is not the time 0 of the lanes.
            if ids.iter().all(Option::is_some) {
                assert_eq!(ids, [1, 2, 3, 4].map(Some), "seed {seed} at {time} s");
            }
        }
        assert_eq!(confirmed(tracker.tracks()), [1, 2, 3, 4], "seed {seed}");
    }
}

#[test]
fn every_preset_follows_a_simple_scene() {
    let presets = [Preset::Default, Preset::Bytetrack, Preset::Sort].map(TrackSettings::of);
    for settings in presets {
        let name = settings.preset;
        let mut tracker = Tracker::new(settings);
        for time in frames(30.0, 8.0) {
            let seen: Vec<_> = lanes().iter().map(|walker| walker.seen(time)).collect();
            let tracks = tracker.update(time, &seen);
            let ids: Vec<_> = lanes().iter().map(|w| id_at(tracks, &w.at(time))).collect();
            assert_eq!(ids, [1, 2, 3, 4].map(Some), "{name:?} at {time} s");
        }
        for (track, walker) in tracker.tracks().iter().zip(lanes()) {
            assert!((track.velocity[0] - walker.velocity.0).abs() < 1.0, "{name:?}: {track:?}");
            assert_eq!((track.state, track.born), (TrackState::Confirmed, 0.0), "{name:?}");
        }
    }
}
