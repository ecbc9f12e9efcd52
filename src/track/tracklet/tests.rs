//! One track from the inside, with numbers worked out by hand.

use super::*;
use crate::detection::Detection;

fn now(clock: f64, frame: f64) -> Now {
    Now { clock, frame, number: 0 }
}

fn seen(left: f32, height: f32, score: f32) -> Observed {
    let rect = Rect::new(left, 0.0, 40.0, height);
    Observed {
        detection: Detection { rect, score, class: 0 },
        group: 0,
        number: 0,
        hidden: 0.0,
        suppressed: false,
    }
}

/// With the noise held fast, whatever the defaults are tuned to.
fn settings() -> TrackSettings {
    TrackSettings {
        measurement_noise: 0.25,
        score_trust: 0.93,
        position_noise: 0.55,
        velocity_noise: 1.2,
        start_speed: 4.0,
        adaption: 0.6,
        ..TrackSettings::default()
    }
}

/// Begun at time 0.
fn begun(settings: &TrackSettings) -> Tracklet {
    Tracklet::begin((1, 1), now(0.0, 0.0), &seen(0.0, 80.0, 0.8), false, settings)
}

/// How sure it is of its place after a tenth of a second.
fn spread(mut tracklet: Tracklet, nis: f32, settings: &TrackSettings) -> f32 {
    tracklet.nis = nis;
    tracklet.predict(0.1, settings);
    tracklet.motion.spread()
}

#[test]
fn process_noise_follows_the_nis_between_bounds() {
    let settings = TrackSettings { adaption: 1.0, ..settings() };
    let tracklet = begun(&settings);
    let spread = |nis| spread(tracklet.clone(), nis, &settings);
    assert!(spread(0.5) < spread(1.0) && spread(1.0) < spread(5.9));
    assert_eq!(spread(0.0), spread(*PROCESS_NOISE_SCALE.start()));
    assert_eq!(spread(1e9), spread(*PROCESS_NOISE_SCALE.end()));
}

#[test]
fn process_noise_follows_the_nis_as_much_as_is_set() {
    let of = |adaption, nis| {
        let settings = TrackSettings { adaption, ..settings() };
        spread(begun(&settings), nis, &settings)
    };
    assert_eq!(of(0.0, 5.0), of(1.0, 1.0), "none is as if everything went as expected");
    assert_eq!(of(0.5, 5.0), of(1.0, 3.0));
}

#[test]
fn one_nis_is_clamped() {
    let settings = settings();
    let mut tracklet = begun(&settings);
    tracklet.predict(0.1, &settings);
    tracklet.update(now(0.1, 0.1), &seen(1e6, 80.0, 0.8), &settings);
    let expected = 1.0 + NIS_RATE * (MAX_NIS - 1.0);
    assert!((tracklet.nis - expected).abs() < 1e-5, "{}", tracklet.nis);
}

#[test]
fn it_is_confirmed_by_both_number_and_score() {
    let life = |confirm_hits, confirm_score| {
        let settings = TrackSettings { confirm_hits, confirm_score, ..settings() };
        let mut tracklet = begun(&settings);
        let mut states = vec![tracklet.state];
        for frame in 1..4 {
            tracklet.update(now(f64::from(frame) * 0.1, 0.1), &seen(0.0, 80.0, 0.8), &settings);
            states.push(tracklet.state);
        }
        states.iter().filter(|&&state| state == TrackState::Tentative).count()
    };
    assert_eq!([life(1, 0.0), life(2, 0.0), life(3, 0.0)], [0, 1, 2], "by number");
    assert_eq!([life(1, 0.8), life(1, 0.9), life(1, 1.7)], [0, 1, 2], "by score, 0.8 each");
    assert_eq!([life(3, 0.9), life(2, 1.7)], [2, 2], "the later of both");
}

#[test]
fn usual_score_and_height_follow_and_what_is_hidden_says_nothing_of_the_height() {
    let settings = settings();
    let mut tracklet = begun(&settings);
    // As long as the time over which heights are taken: half of the way.
    let frame = f64::from(HEIGHT_SECONDS);
    tracklet.update(now(frame, frame), &seen(0.0, 100.0, 0.4), &settings);
    assert!((tracklet.confidence - 0.6).abs() < 1e-6 && (tracklet.height - 90.0).abs() < 1e-4);
    assert_eq!((tracklet.score, tracklet.best, tracklet.hits), (0.4, 0.8, 2));
    tracklet.update(now(2.0 * frame, frame), &Observed { hidden: 1.0, ..seen(0.0, 40.0, 0.4) }, &settings);
    assert!((tracklet.height - 90.0).abs() < 1e-4);
    tracklet.update(now(3.0 * frame, frame), &Observed { hidden: 0.5, ..seen(0.0, 50.0, 0.4) }, &settings);
    assert!((tracklet.height - 80.0).abs() < 1e-4, "a quarter of the way from 90 to 50: {}", tracklet.height);
}

#[test]
fn what_is_shown_lies_between_the_detected_and_the_filtered_box() {
    let settings = settings();
    let mut tracklet = begun(&settings);
    tracklet.predict(0.1, &settings);
    tracklet.update(now(0.1, 0.1), &seen(8.0, 80.0, 0.8), &settings);
    let shown =
        |smoothing| tracklet.as_track(now(0.0, 0.0), 0.0, &TrackSettings { smoothing, ..settings }).rect.left;
    assert_eq!((shown(0.0), shown(1.0)), (8.0, tracklet.rect.left));
    assert!((shown(0.25) - (8.0 + 0.25 * (tracklet.rect.left - 8.0))).abs() < 1e-5);
    assert!(tracklet.rect.left > 0.0 && tracklet.rect.left < 8.0, "the filter lags: {}", tracklet.rect.left);
    tracklet.state = TrackState::Lost;
    let lost = tracklet.as_track(now(0.0, 0.0), 0.0, &TrackSettings { smoothing: 0.0, ..settings }).rect;
    assert_eq!(lost, tracklet.rect, "of who is not seen only the filtered box is known");
}

/// Seen at 100 pixels a second for two seconds, then lost for one second.
fn walked(settings: &TrackSettings) -> Tracklet {
    let mut tracklet = begun(settings);
    for frame in 1..=20 {
        tracklet.predict(0.1, settings);
        tracklet.update(now(f64::from(frame) * 0.1, 0.1), &seen(10.0 * frame as f32, 80.0, 0.9), settings);
    }
    assert!((tracklet.motion.velocity()[0] - 100.0).abs() < 5.0);
    tracklet.state = TrackState::Lost;
    for _ in 0..10 {
        tracklet.predict(0.1, settings);
    }
    tracklet
}

#[test]
fn the_camera_takes_everything_along() {
    let settings = settings();
    let mut tracklet = walked(&settings);
    let (rect, last) = (tracklet.rect, tracklet.last);
    tracklet.apply_camera_motion(&Affine::shift(30.0, -20.0));
    for (before, after) in [(rect, tracklet.rect), (last, tracklet.last)] {
        let moved = Rect { left: before.left + 30.0, top: before.top - 20.0, ..before };
        assert!(moved.iou(&after) > 0.999, "{moved:?} {after:?}");
    }
}

#[test]
fn who_is_not_seen_keeps_their_size() {
    let settings = settings();
    let mut tracklet = begun(&settings);
    for frame in 1..=10 {
        tracklet.predict(0.1, &settings);
        // It comes nearer.
        tracklet.update(
            now(f64::from(frame) * 0.1, 0.1),
            &seen(0.0, 80.0 + 4.0 * frame as f32, 0.9),
            &settings,
        );
    }
    let mut seen = tracklet.clone();
    seen.predict(0.5, &settings);
    assert!(seen.rect.height > tracklet.rect.height + 10.0, "{:?}", seen.rect);
    tracklet.state = TrackState::Lost;
    let before = tracklet.rect;
    tracklet.predict(0.5, &settings);
    assert_eq!((tracklet.rect.width, tracklet.rect.height), (before.width, before.height));
}

#[test]
fn being_lost_and_hidden_is_a_penalty_and_unsureness_a_reach() {
    let settings = TrackSettings { lost_penalty: 0.1, occlusion_penalty: 0.2, ..settings() };
    let mut tracklet = begun(&settings);
    assert_eq!(tracklet.candidate(4, 0.0, None, &settings).penalty, 0.0);
    assert!((tracklet.candidate(4, 0.5, None, &settings).penalty - 0.1).abs() < 1e-6);
    tracklet.state = TrackState::Lost;
    let candidate = tracklet.candidate(4, 0.5, None, &settings);
    assert!((candidate.penalty - 0.2).abs() < 1e-6 && candidate.index == 4);
    assert!((candidate.reach - settings.buffer * tracklet.motion.spread()).abs() < 1e-6);
    for _ in 0..40 {
        tracklet.predict(0.1, &settings);
    }
    assert_eq!(
        tracklet.candidate(4, 0.0, None, &settings).reach,
        settings.max_buffer,
        "but there is an end to it"
    );
}

#[test]
fn numbers_that_cannot_be_worked_with_are_known() {
    let settings = settings();
    assert!(begun(&settings).is_sound(&settings));
    // Each of the boxes is sound, and the one half-way between them is not.
    let mixed = Tracklet {
        last: Rect::new(0.0, 0.0, 6e19, 1.0),
        rect: Rect::new(0.0, 0.0, 1.0, 6e19),
        ..begun(&settings)
    };
    assert!(mixed.last.is_sound() && mixed.rect.is_sound());
    assert!(!mixed.is_sound(&TrackSettings { smoothing: 0.5, ..settings }));
    assert!(mixed.is_sound(&TrackSettings { smoothing: 0.0, ..settings }));
    // The variance of its speed is beyond all numbers, though that of its place is not yet.
    let observed = Observed {
        detection: Detection { rect: Rect::new(0.0, 0.0, 8e18, 1.0), score: 0.9, class: 0 },
        group: 0,
        number: 0,
        hidden: 0.0,
        suppressed: false,
    };
    let vast = Tracklet::begin((1, 1), now(0.0, 0.0), &observed, true, &settings);
    assert!(vast.rect.is_sound() && vast.motion.spread().is_finite());
    assert!(!vast.is_sound(&settings));
}
