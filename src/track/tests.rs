//! The tracker as a whole: what one object goes through. Scenes, properties and hostile input are in `tests/library/track_*.rs`.

use super::*;
use crate::geometry::Rect;

fn detection(left: f32, top: f32, width: f32, height: f32, score: f32) -> Detection {
    Detection { rect: Rect::new(left, top, width, height), score, class: 0 }
}

fn confirmed(tracks: &[Track]) -> Vec<u64> {
    tracks.iter().filter(|t| t.state == TrackState::Confirmed).map(|t| t.id).collect()
}

#[test]
fn a_track_is_tentative_then_confirmed_then_lost_then_forgotten() {
    // One detection is not enough, even with room around it.
    let mut tracker = Tracker::new(TrackSettings { confirm_score: 1.6, ..TrackSettings::default() });
    tracker.update(0.0, &[]);
    let walker = detection(10.0, 10.0, 40.0, 80.0, 0.9);
    assert_eq!(tracker.update(0.1, &[walker])[0].state, TrackState::Tentative);
    assert_eq!(tracker.update(0.2, &[walker])[0].state, TrackState::Confirmed);
    assert_eq!(tracker.update(0.3, &[])[0].state, TrackState::Lost);
    assert_eq!(tracker.update(1.2, &[]).len(), 1);
    assert_eq!(confirmed(tracker.update(1.3, &[walker])), [1], "the same id within the memory");
    assert!(tracker.update(3.0, &[]).is_empty());
    assert_eq!(tracker.update(3.1, &[walker])[0].id, 2, "a new id after it");
}

#[test]
fn a_single_odd_detection_beside_an_object_never_shows() {
    let mut tracker = Tracker::new(TrackSettings::default());
    let walker = detection(10.0, 10.0, 40.0, 80.0, 0.9);
    tracker.update(0.0, &[walker]);
    tracker.update(0.1, &[walker, detection(30.0, 10.0, 40.0, 80.0, 0.9)]);
    assert_eq!(tracker.tracks().len(), 2);
    assert_eq!(confirmed(tracker.tracks()), [1]);
    assert_eq!(tracker.update(0.2, &[walker]).len(), 1);
}

#[test]
fn what_has_room_around_it_is_confirmed_at_once() {
    let mut tracker = Tracker::new(TrackSettings::default());
    let walker = detection(10.0, 10.0, 40.0, 80.0, 0.9);
    tracker.update(0.0, &[walker]);
    assert_eq!(confirmed(tracker.update(0.1, &[walker, detection(300.0, 10.0, 40.0, 80.0, 0.7)])), [1, 2]);
}

#[test]
fn weak_detections_carry_a_track_but_begin_none() {
    let mut tracker = Tracker::new(TrackSettings::default());
    tracker.update(0.0, &[detection(10.0, 10.0, 40.0, 80.0, 0.9)]);
    for i in 1..10 {
        let weak = [detection(10.0, 10.0, 40.0, 80.0, 0.2), detection(300.0, 10.0, 40.0, 80.0, 0.2)];
        assert_eq!(confirmed(tracker.update(f64::from(i) * 0.1, &weak)), [1]);
    }
}

#[test]
fn a_higher_confidence_retires_what_never_had_it() {
    let mut tracker = Tracker::new(TrackSettings::default());
    let pair = [detection(10.0, 10.0, 40.0, 80.0, 0.95), detection(300.0, 10.0, 40.0, 80.0, 0.7)];
    tracker.update(0.0, &pair);
    assert_eq!(confirmed(tracker.update(0.1, &pair)), [1, 2]);
    tracker.set_settings(TrackSettings { start_score: 0.8, ..TrackSettings::default() });
    for time in [0.2, 0.3, 0.4] {
        assert_eq!(confirmed(tracker.update(time, &pair)), [1]);
    }
}

#[test]
fn a_higher_confidence_keeps_what_once_had_it() {
    let mut tracker = Tracker::new(TrackSettings::default());
    for (frame, score) in [0.7, 0.95, 0.7].into_iter().enumerate() {
        tracker.update(frame as f64 * 0.1, &[detection(10.0, 10.0, 40.0, 80.0, score)]);
    }
    tracker.set_settings(TrackSettings { start_score: 0.8, ..TrackSettings::default() });
    assert_eq!(confirmed(tracker.update(0.3, &[detection(10.0, 10.0, 40.0, 80.0, 0.75)])), [1]);
}

#[test]
fn people_who_cross_keep_their_ids() {
    for fps in [7.0, 15.0, 30.0] {
        let mut tracker = Tracker::new(TrackSettings::default());
        for frame in 0..(8.0 * fps) as i32 {
            let t = f64::from(frame) / fps;
            let along = 80.0 * t as f32;
            // They pass each other side by side; where they overlap, the one behind is not detected.
            let mut seen = vec![detection(100.0 + along, 100.0, 40.0, 100.0, 0.9)];
            if (along - 300.0).abs() > 15.0 {
                seen.push(detection(700.0 - along, 110.0, 42.0, 104.0, 0.85));
            }
            tracker.update(t, &seen);
        }
        let tracks = tracker.tracks();
        assert_eq!(confirmed(tracks), [1, 2], "{fps} fps");
        assert!(tracks[0].velocity[0] > 70.0 && tracks[1].velocity[0] < -70.0, "{fps} fps: who is who");
    }
}

#[test]
fn a_gap_is_bridged_by_the_motion() {
    let mut tracker = Tracker::new(TrackSettings::default());
    let at = |t: f64| [detection(50.0 + 120.0 * t as f32, 200.0, 40.0, 90.0, 0.8)];
    for frame in 0..30 {
        let t = f64::from(frame) / 30.0;
        tracker.update(t, &at(t));
    }
    for frame in 30..50 {
        let lost = tracker.update(f64::from(frame) / 30.0, &[])[0];
        assert_eq!(lost.state, TrackState::Lost);
        let expected = at(f64::from(frame) / 30.0)[0].rect;
        assert!(lost.rect.iou(&expected) > 0.5, "frame {frame}: {:?} instead of {expected:?}", lost.rect);
    }
    let t = 50.0 / 30.0;
    assert_eq!(confirmed(tracker.update(t, &at(t))), [1]);
}

#[test]
fn a_new_name_for_the_same_box_is_the_same_track() {
    let mut tracker = Tracker::new(TrackSettings::default());
    for frame in 0..60 {
        let class = if frame % 5 == 4 { 7 } else { 2 };
        let tracks = tracker.update(
            f64::from(frame) / 30.0,
            &[Detection { class, ..detection(10.0 + frame as f32, 10.0, 80.0, 40.0, 0.8) }],
        );
        assert_eq!((confirmed(tracks), tracks[0].class), (vec![1], 2), "frame {frame}");
    }
}

#[test]
fn classes_that_merely_touch_do_not_mix() {
    let mut tracker = Tracker::new(TrackSettings::default());
    for frame in 0..20 {
        let person = detection(100.0, 60.0, 40.0, 80.0, 0.8);
        let bicycle = Detection { class: 1, ..detection(90.0, 100.0, 60.0, 50.0, 0.7) };
        let seen = if frame % 2 == 0 { vec![person, bicycle] } else { vec![bicycle] };
        tracker.update(f64::from(frame) / 30.0, &seen);
    }
    let classes: Vec<_> = tracker.tracks().iter().map(|t| (t.id, t.class)).collect();
    assert_eq!(classes, [(1, 0), (2, 1)]);
}

#[test]
fn a_display_prediction_moves_with_the_object() {
    let mut tracker = Tracker::new(TrackSettings::default());
    for frame in 0..60 {
        let t = f64::from(frame) / 30.0;
        tracker.update(t, &[detection(50.0 + 90.0 * t as f32, 40.0, 30.0, 60.0, 0.9)]);
    }
    let track = tracker.tracks()[0];
    let ahead = track.rect_after(0.2);
    assert!((ahead.left - track.rect.left - 18.0).abs() < 1.0, "{ahead:?}");
    assert!(track.rect_after(1e9).is_sound() && track.rect_after(-1e9).is_sound());
}

#[test]
fn a_clock_that_begins_again_is_followed() {
    let mut tracker = Tracker::new(TrackSettings::default());
    let walker = |left: f32| detection(left, 10.0, 40.0, 80.0, 0.9);
    for frame in 0..30 {
        tracker.update(3600.0 + f64::from(frame) / 30.0, &[walker(10.0 + frame as f32)]);
    }
    for frame in 0..30 {
        let time = f64::from(frame) / 30.0;
        let tracks = tracker.update(time, &[walker(40.0 + frame as f32)]);
        assert_eq!((confirmed(tracks), tracks[0].seen), (vec![1], time));
    }
    for frame in 30..120 {
        tracker.update(f64::from(frame) / 30.0, &[]);
    }
    assert!(tracker.tracks().is_empty(), "time goes on, and what is not seen is forgotten");
}

#[test]
fn a_second_look_at_the_same_time_that_sees_nothing_loses_the_track() {
    let mut tracker = Tracker::new(TrackSettings::default());
    tracker.update(0.0, &[detection(10.0, 10.0, 40.0, 80.0, 0.9)]);
    assert_eq!(tracker.update(0.0, &[])[0].state, TrackState::Lost);
}

#[test]
fn one_missed_frame_is_nothing_however_slow_the_camera() {
    let walker = [detection(10.0, 10.0, 40.0, 80.0, 0.9)];
    let settings = TrackSettings { lost_track_seconds: 0.0, ..TrackSettings::default() };
    let run = |missed: u32| {
        let mut tracker = Tracker::new(settings);
        for frame in 0..10 {
            let seen: &[Detection] = if (6..6 + missed).contains(&frame) { &[] } else { &walker };
            tracker.update(f64::from(frame) * 3.0, seen);
        }
        tracker.tracks()[0].id
    };
    assert_eq!((run(1), run(2)), (1, 2));
}

#[test]
fn nobody_lives_for_long_on_suppressed_boxes() {
    // The one behind has gone on behind the one in front, whose doubles are all that is left.
    let front = detection(100.0, 50.0, 40.0, 100.0, 0.9);
    let double = detection(106.0, 48.0, 42.0, 98.0, 0.7);
    let mut tracker = Tracker::new(TrackSettings { confirm_score: 0.0, ..TrackSettings::default() });
    tracker.update(0.0, &[front, Detection { rect: Rect::new(114.0, 44.0, 42.0, 96.0), ..front }]);
    assert_eq!(confirmed(tracker.tracks()), [1, 2]);
    for frame in 1..60 {
        let observation =
            Observation { detections: &[front], suppressed: &[double], ..Observation::default() };
        tracker.observe(f64::from(frame) * 0.1, &observation);
        if frame == 5 {
            assert_eq!(confirmed(tracker.tracks()), [1, 2], "carried on for a moment");
        }
    }
    assert_eq!(confirmed(tracker.tracks()), [1]);
}

/// Tells which of the frame's detections each track took, whatever their order.
#[test]
fn a_track_says_which_detection_it_took() {
    let mut tracker = Tracker::new(TrackSettings::default());
    let (one, other) = (detection(10.0, 10.0, 40.0, 80.0, 0.9), detection(200.0, 10.0, 40.0, 80.0, 0.8));
    let odd = detection(f32::NAN, 10.0, 40.0, 80.0, 0.9);
    let taken = |tracks: &[Track]| tracks.iter().map(|track| track.detection).collect::<Vec<_>>();
    assert_eq!(taken(tracker.update(0.0, &[one, other])), [Some(0), Some(1)]);
    assert_eq!(taken(tracker.update(0.1, &[odd, other, one])), [Some(2), Some(1)]);
    // A suppressed one counts on behind the two that are not.
    let hidden = Observation { detections: &[odd, one], suppressed: &[odd, other], ..Observation::default() };
    assert_eq!(taken(tracker.observe(0.2, &hidden)), [Some(1), Some(3)]);
    assert_eq!(taken(tracker.update(0.3, &[other])), [None, Some(0)]);
    assert_eq!(taken(tracker.update(0.4, &[])), [None, None]);
}
