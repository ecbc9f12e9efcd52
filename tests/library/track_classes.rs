//! What becomes a track and what stays one: doubles, other classes, weak things, and boxes that were suppressed.

use crate::scenes::{Walker, confirmed, frames, id_at, person, play};
use trailsight::detection::Detection;
use trailsight::geometry::Rect;
use trailsight::scene::TrackState;
use trailsight::track::{Observation, TrackSettings, Tracker};

fn of_class(class: u16, detection: Detection) -> Detection {
    Detection { class, ..detection }
}

#[test]
fn of_two_boxes_around_one_person_the_better_makes_the_track() {
    let (good, double) = (person(100.0, 50.0, 40.0, 90.0, 0.8), person(104.0, 48.0, 44.0, 96.0, 0.7));
    assert!(good.rect.iou(&double.rect) > 0.7);
    let run = |settings, list: [Detection; 2]| {
        let tracker = play(settings, frames(10.0, 1.0), |_| list.to_vec());
        tracker.tracks().iter().map(|track| (track.id, track.class, track.score)).collect::<Vec<_>>()
    };
    let settings = TrackSettings::default();
    assert_eq!(run(settings, [good, double]), [(1, 0, 0.8)]);
    assert_eq!(run(settings, [double, good]), [(1, 0, 0.8)], "in any order");
    let all = TrackSettings { duplicate_iou: 1.0, ..settings };
    assert_eq!(run(all, [double, good]), [(1, 0, 0.8), (2, 0, 0.7)], "switched off");
    // The same place by another name is the same thing; who sits on a motorcycle overlaps it by less.
    assert_eq!(run(settings, [good, of_class(3, double)]), [(1, 0, 0.8)]);
    let other = of_class(3, person(92.0, 62.0, 46.0, 90.0, 0.7));
    assert!((0.5..0.7).contains(&good.rect.iou(&other.rect)));
    assert_eq!(run(settings, [good, other]), [(1, 0, 0.8), (2, 3, 0.7)]);
    let agnostic = TrackSettings { class_agnostic: true, ..settings };
    assert_eq!(run(agnostic, [good, other]), [(1, 0, 0.8)]);
}

#[test]
fn a_double_of_one_who_is_lost_may_begin() {
    // It lies on the last place of a track that is not seen any more, too far from where that is thought to be.
    let walker = Walker::new(Rect::new(100.0, 50.0, 40.0, 90.0), (200.0, 0.0));
    let mut tracker = play(TrackSettings::default(), frames(20.0, 1.0), |time| vec![walker.seen(time)]);
    for time in [1.0, 1.2, 1.4] {
        tracker.update(time, &[]);
    }
    let here = Detection { rect: walker.at(0.95), score: 0.9, class: 0 };
    tracker.update(1.5, &[here]);
    tracker.update(1.6, &[here]);
    assert_eq!(id_at(tracker.tracks(), &here.rect), Some(2));
}

#[test]
fn a_change_of_class_is_one_track_from_the_set_overlap_on() {
    let run = |settings: TrackSettings, shift: f32| {
        let mut tracker = Tracker::new(settings);
        let (mut ids, mut classes) = (Vec::new(), Vec::new());
        for frame in 0..60 {
            // A car that becomes a truck for good in the middle, and lies elsewhere by the shift.
            let (class, left) = if frame < 30 { (2, 100.0) } else { (7, 100.0 + shift) };
            let seen = of_class(class, person(left, 50.0, 120.0, 60.0, 0.8));
            let tracks = tracker.update(f64::from(frame) / 30.0, &[seen]);
            let Some(track) = tracks.iter().find(|t| t.state == TrackState::Confirmed) else { continue };
            ids.push(track.id);
            classes.push(track.class);
        }
        ids.dedup();
        classes.dedup();
        (ids, classes)
    };
    let settings = TrackSettings::default();
    let overlap = |shift: f32| (120.0 - shift) / (120.0 + shift);
    assert!(overlap(10.0) > settings.class_switch_iou && overlap(40.0) < settings.class_switch_iou);
    assert_eq!(run(settings, 10.0), (vec![1], vec![2, 7]), "one track, renamed by vote");
    assert_eq!(run(settings, 40.0), (vec![1, 2], vec![2, 7]), "too far off for the same thing");
    let agnostic = TrackSettings { class_agnostic: true, ..settings };
    assert_eq!(run(agnostic, 40.0), (vec![1], vec![2, 7]));
    let strict = TrackSettings { class_switch_iou: 1.0, ..settings };
    assert_eq!(run(strict, 10.0), (vec![1, 2], vec![2, 7]), "switched off");
}

#[test]
fn weak_boxes_of_another_class_carry_nothing() {
    let tracker = play(TrackSettings::default(), frames(10.0, 3.0), |time| {
        let (class, score) = if time < 1.0 { (0, 0.9) } else { (5, 0.3) };
        vec![of_class(class, person(100.0, 50.0, 40.0, 90.0, score))]
    });
    assert!(tracker.tracks().is_empty(), "{:?}", tracker.tracks());
}

#[test]
fn weak_boxes_carry_on_who_was_just_seen_and_find_nobody_again() {
    let place = |score| vec![person(100.0, 50.0, 40.0, 90.0, score)];
    let run = |gap: &[f64]| {
        let mut tracker = play(TrackSettings::default(), frames(10.0, 1.0), |_| place(0.9));
        for &time in gap {
            tracker.update(time, &[]);
        }
        tracker.update(1.3, &place(0.3)).iter().map(|track| (track.id, track.state)).collect::<Vec<_>>()
    };
    assert_eq!(run(&[]), [(1, TrackState::Confirmed)], "however long the frame takes to come");
    assert_eq!(run(&[1.1]), [(1, TrackState::Lost)]);
}

/// A person, and another one before them who hides three quarters.
fn two_deep() -> [Detection; 2] {
    let behind = person(100.0, 50.0, 40.0, 100.0, 0.9);
    let front = person(110.0, 50.0, 60.0, 120.0, 0.85);
    assert_eq!(behind.rect.share_in(&front.rect), 0.75);
    [behind, front]
}

#[test]
fn who_lies_behind_another_has_less_of_a_claim() {
    let [behind, front] = two_deep();
    let state = |occlusion_penalty| {
        // The pass for other classes goes by the boxes alone, and would find them.
        let settings = TrackSettings { occlusion_penalty, class_switch_iou: 1.0, ..TrackSettings::default() };
        let tracker = play(settings, frames(10.0, 0.2), |_| vec![behind, front]);
        tracker.tracks().iter().map(|track| (track.id, track.state)).collect::<Vec<_>>()
    };
    let (seen, lost) = (TrackState::Confirmed, TrackState::Lost);
    assert_eq!(state(0.0), [(1, seen), (2, seen)]);
    let penalised = state(1.2);
    assert!(penalised.contains(&(1, lost)) && penalised.contains(&(2, seen)), "{penalised:?}");
}

#[test]
fn a_thing_that_is_a_person_once_and_then_hardly_is_hidden() {
    // A coat on a hook: a good score at first, weak ones for long, and then somebody stands before it.
    let coat = |time: f64| {
        let score = if (0.5..20.0).contains(&time) { 0.3 } else { 0.75 };
        vec![person(100.0, 50.0, 40.0, 90.0, score)]
    };
    let state_at = |settings, end: f64| {
        let tracks = play(settings, frames(10.0, end), coat).tracks().to_vec();
        tracks.iter().map(|track| (track.id, track.state)).collect::<Vec<_>>()
    };
    let settings = TrackSettings { show_score: 0.5, ..TrackSettings::default() };
    assert_eq!(state_at(settings, 1.0), [(1, TrackState::Confirmed)]);
    assert_eq!(state_at(settings, 20.0), [(1, TrackState::Tentative)]);
    assert_eq!(state_at(settings, 40.0), [(1, TrackState::Confirmed)], "and shown again when it does better");
    let off = TrackSettings { show_score: 0.0, ..settings };
    assert_eq!(state_at(off, 20.0), [(1, TrackState::Confirmed)]);
}

/// A tracker that saw two people, of whom the one behind is then found only among the suppressed boxes until `end`;
/// with how many frames it was seen in during that time.
fn half_hidden(settings: TrackSettings, end: f64) -> (Tracker, usize) {
    let (front, behind) = (person(100.0, 60.0, 50.0, 120.0, 0.9), person(122.0, 52.0, 48.0, 116.0, 0.8));
    let mut tracker = Tracker::new(settings);
    let mut seen = 0;
    for time in frames(10.0, end + 0.2) {
        let hidden = (1.0..end).contains(&time);
        let (detections, suppressed) =
            if hidden { (vec![front], vec![behind]) } else { (vec![front, behind], vec![]) };
        let observation =
            Observation { detections: &detections, suppressed: &suppressed, ..Observation::default() };
        let tracks = tracker.observe(time, &observation);
        seen += usize::from(hidden && id_at(tracks, &behind.rect) == Some(2));
    }
    (tracker, seen)
}

#[test]
fn one_who_is_found_only_among_the_suppressed_boxes_is_carried_on() {
    let settings = TrackSettings::default();
    // Longer than the memory, but not than the memory after the second for which such boxes carry.
    let end = 1.4 + settings.lost_track_seconds;
    let (tracker, seen) = half_hidden(settings, end);
    assert_eq!(seen, 10, "in every frame of that second");
    assert_eq!(confirmed(tracker.tracks()), [1, 2]);
    let (tracker, seen) = half_hidden(TrackSettings { suppressed_similarity: 1.0, ..settings }, end);
    assert_eq!((seen, confirmed(tracker.tracks())), (0, vec![1, 3]), "switched off");
}

#[test]
fn suppressed_boxes_begin_nothing_and_find_nobody_who_is_long_lost() {
    let settings = TrackSettings::default();
    let mut tracker = Tracker::new(settings);
    let suppressed = [person(100.0, 60.0, 50.0, 120.0, 0.9)];
    let only = Observation { suppressed: &suppressed, ..Observation::default() };
    for time in frames(10.0, 2.0) {
        assert!(tracker.observe(time, &only).is_empty());
    }
    tracker.update(2.0, &suppressed);
    tracker.update(2.1, &suppressed);
    assert_eq!(confirmed(tracker.observe(2.2, &only)), [1]);
    for time in [2.4, 2.6, 2.8, 3.0, 3.1] {
        tracker.update(time, &[]);
    }
    assert_eq!(tracker.observe(3.2, &only)[0].state, TrackState::Lost);
}
