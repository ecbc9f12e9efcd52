//! What must not matter to the tracker: the order of boxes, where and how large the picture is, the unit of time.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::scenes::Random;
use proptest::prelude::*;
use trailsight::detection::Detection;
use trailsight::geometry::Rect;
use trailsight::scene::{Track, TrackState};
use trailsight::track::{Observation, Preset, TrackSettings, Tracker};

/// One frame: its time, what is found, and what is suppressed.
type Frame = (f64, Vec<Detection>, Vec<Detection>);

/// People who walk among one another: some are missed now and then, scores and boxes stray, frames come as they like.
fn scenes() -> impl Strategy<Value = Vec<Frame>> {
    scenes_of((20f32..90.0, 40f32..160.0))
}

/// The same with widths and heights from these ranges.
fn scenes_of(sizes: (Range<f32>, Range<f32>)) -> impl Strategy<Value = Vec<Frame>> {
    let walkers = prop::collection::vec(
        ((0f32..500.0, 0f32..300.0), sizes, (-90f32..90.0, -40f32..40.0), 0.3f32..0.99, 0u16..2),
        1..9,
    );
    (walkers, 3usize..40, 0.01f64..0.3, any::<u64>()).prop_map(|(walkers, count, step, seed)| {
        let mut random = Random(seed);
        let mut time = 0.0;
        let frame = |_| {
            // In 64ths of a second, so that a change of its unit rounds nothing.
            time += (random.within(0.5 * step, 1.5 * step) * 64.0).ceil() / 64.0;
            let mut found = Vec::new();
            for &((left, top), (width, height), (across, down), score, class) in &walkers {
                let mut stray = |by: f64| random.within(-by, by) as f32;
                let (t, score) = (time as f32, (score + stray(0.1)).clamp(0.0, 1.0));
                let rect = Rect::new(
                    left + across * t + stray(2.0),
                    top + down * t + stray(2.0),
                    width + stray(2.0),
                    height + stray(3.0),
                );
                if !random.next().is_multiple_of(8) {
                    found.push(Detection { rect, score, class });
                }
            }
            let suppressed =
                found.iter().filter(|_| random.next().is_multiple_of(10)).copied().collect::<Vec<_>>();
            found.retain(|detection| !suppressed.contains(detection));
            (time, found, suppressed)
        };
        (0..count).map(frame).collect()
    })
}

/// Settings with different pieces switched on.
fn settings() -> impl Strategy<Value = TrackSettings> {
    let presets = [Preset::Default, Preset::Bytetrack, Preset::Sort].map(TrackSettings::of);
    let agnostic = TrackSettings { class_agnostic: true, ..presets[0] };
    prop::sample::select(vec![presets[0], presets[0], presets[1], presets[2], agnostic])
}

/// What the network's detections are tracked with, too.
fn all_settings() -> impl Strategy<Value = TrackSettings> {
    prop_oneof![3 => settings(), 1 => Just(TrackSettings::default().with_confidence(0.25))]
}

/// All tracks of all frames.
fn tracks(settings: TrackSettings, frames: &[Frame]) -> Vec<Vec<Track>> {
    let mut tracker = Tracker::new(settings);
    let mut all = Vec::new();
    for (time, detections, suppressed) in frames {
        let observation = Observation { detections, suppressed, ..Observation::default() };
        all.push(tracker.observe(*time, &observation).to_vec());
    }
    all
}

/// The scene with every box changed.
fn changed(frames: &[Frame], change: impl Fn(&Rect) -> Rect) -> Vec<Frame> {
    let list = |detections: &[Detection]| -> Vec<Detection> {
        detections.iter().map(|d| Detection { rect: change(&d.rect), ..*d }).collect()
    };
    frames.iter().map(|(time, found, suppressed)| (*time, list(found), list(suppressed))).collect()
}

/// All tracks with the detection that each took, instead of its number among the others.
fn taken(settings: TrackSettings, frames: &[Frame]) -> Vec<Vec<(Track, Option<Detection>)>> {
    let tracks = tracks(settings, frames).into_iter().zip(frames);
    let each = |(tracks, (_, found, suppressed)): (Vec<Track>, &Frame)| {
        let all = [found.as_slice(), suppressed].concat();
        let took =
            |track: Track| (Track { detection: None, ..track }, track.detection.map(|at| all[at as usize]));
        tracks.into_iter().map(took).collect()
    };
    tracks.map(each).collect()
}

proptest! {
    #[test]
    fn the_same_again_gives_the_same_to_the_last_bit(frames in scenes(), settings in all_settings()) {
        let (once, again) = (tracks(settings, &frames), tracks(settings, &frames));
        // Debug prints every bit that counts, and tells -0 from 0.
        prop_assert_eq!(format!("{once:?}"), format!("{again:?}"));
    }

    /// Not even which new id goes to which new track.
    #[test]
    fn the_order_of_detections_does_not_matter(frames in scenes(), settings in all_settings(), seed in any::<u64>()) {
        let mut random = Random(seed);
        let mut mixed = frames.clone();
        for (_, found, suppressed) in &mut mixed {
            random.shuffle(found);
            random.shuffle(suppressed);
        }
        prop_assert_eq!(taken(settings, &frames), taken(settings, &mixed));
    }

    #[test]
    fn it_does_not_matter_where_in_the_plane_the_picture_lies(
        frames in scenes(), settings in all_settings(), across in -500i16..500, down in -500i16..500
    ) {
        let (across, down) = (f32::from(across), f32::from(down));
        let shift = |rect: &Rect| Rect { left: rect.left + across, top: rect.top + down, ..*rect };
        let (here, there) = (tracks(settings, &frames), tracks(settings, &changed(&frames, shift)));
        for (here, there) in here.iter().zip(&there) {
            prop_assert_eq!(here.len(), there.len());
            for (a, b) in here.iter().zip(there) {
                prop_assert_eq!((a.id, a.class, a.state, a.seen), (b.id, b.class, b.state, b.seen));
                // A place is rounded to a few 100,000ths of a pixel, and a filter gathers that.
                let (a, b) = (shift(&a.rect), b.rect);
                let apart = [a.left - b.left, a.top - b.top, a.width - b.width, a.height - b.height];
                prop_assert!(apart.iter().all(|by| by.abs() < 0.01), "{a:?} {b:?}");
            }
        }
    }

    /// Powers of two round nothing, so that not a bit may differ. People of like sizes: a box that seems to shrink to nothing
    /// is predicted one pixel wide, and a pixel is a pixel in any picture.
    #[test]
    fn it_does_not_matter_how_large_the_picture_is(
        frames in scenes_of((40f32..60.0, 90f32..130.0)), settings in all_settings(),
        power in prop::sample::select(vec![-1, 1, 3, 6])
    ) {
        let by = 2f32.powi(power);
        let scale = |r: &Rect| Rect::new(r.left * by, r.top * by, r.width * by, r.height * by);
        let mut small = tracks(settings, &frames);
        for track in small.iter_mut().flatten() {
            track.rect = scale(&track.rect);
            track.velocity = track.velocity.map(|velocity| velocity * by);
        }
        prop_assert_eq!(small, tracks(settings, &changed(&frames, scale)));
    }

    /// Time in another unit, and all settings with it: nothing but the numbers that hold a time may differ, by a power of
    /// four and to the last bit. What goes by fixed seconds inside is switched off: the long-time height (`size_weight`),
    /// how long suppressed boxes may help, and the decision after a crossing.
    #[test]
    fn the_unit_of_time_does_not_matter(
        frames in scenes(), settings in settings(), power in prop::sample::select(vec![-2, -1, 1, 2])
    ) {
        let (unit, root) = (4f64.powi(power), 2f32.powi(power));
        let settings = TrackSettings {
            size_weight: 0.0,
            suppressed_similarity: 1.0,
            decide_seconds: 0.0,
            ..settings
        };
        let turned = TrackSettings {
            lost_track_seconds: settings.lost_track_seconds * unit,
            class_half_life: settings.class_half_life * unit,
            // Sizes a second; sizes over the root of a second; a speed over the root of a second.
            start_speed: settings.start_speed / (root * root),
            position_noise: settings.position_noise / root,
            velocity_noise: settings.velocity_noise / root.powi(3),
            ..settings
        };
        let mut slow = frames.clone();
        for (time, _, _) in &mut slow {
            *time *= unit;
        }
        let mut expected = tracks(settings, &frames);
        for track in expected.iter_mut().flatten() {
            (track.born, track.seen) = (track.born * unit, track.seen * unit);
            track.velocity = track.velocity.map(|velocity| velocity / (root * root));
        }
        prop_assert_eq!(expected, tracks(turned, &slow));
    }

    #[test]
    fn ids_rise_and_never_come_back(frames in scenes(), settings in settings()) {
        let (mut newest, mut alive) = (0, Vec::<u64>::new());
        for tracks in tracks(settings, &frames) {
            let now: Vec<u64> = tracks.iter().map(|track| track.id).collect();
            prop_assert!(now.is_sorted_by(|a, b| a < b));
            // Whoever was not there a frame ago is newer than all there ever were.
            let new: Vec<u64> = now.iter().copied().filter(|id| !alive.contains(id)).collect();
            prop_assert!(new.iter().all(|&id| id > newest), "{alive:?} {now:?}");
            newest = new.last().copied().unwrap_or(newest);
            alive = now;
        }
    }

    /// Where tracks are shown by evidence, those that are shown have ids that rise without a gap, and none goes over to another
    /// track: its time of birth stays.
    #[test]
    fn ids_of_what_is_shown_rise_without_a_gap(frames in scenes()) {
        let mut born = Vec::new();
        for tracks in tracks(TrackSettings::default().with_confidence(0.25), &frames) {
            for track in tracks.iter().filter(|track| track.state != TrackState::Tentative) {
                let place = track.id as usize - 1;
                prop_assert!(place <= born.len(), "{track:?}");
                if place == born.len() {
                    born.push(track.born);
                }
                prop_assert!((born[place] - track.born).abs() < 1e-9, "{track:?}");
            }
        }
    }

    /// Two who are far from one another are never mixed up, however badly they are seen.
    #[test]
    fn those_who_are_far_apart_never_swap(
        seed in any::<u64>(), settings in settings(), misses in 2u64..6, stray in 0.0f64..8.0, step in 0.01f64..0.5
    ) {
        let mut random = Random(seed);
        let mut tracker = Tracker::new(settings);
        let mut home = BTreeMap::<u64, usize>::new();
        let mut time = 0.0;
        for _ in 0..60 {
            time += random.within(0.2 * step, step);
            let mut seen = Vec::new();
            for place in 0..2 {
                let mut near = |from: f64| (from + random.within(-stray, stray)) as f32;
                let rect = Rect::new(near(100.0), near(100.0 + 1_500.0 * place as f64), near(40.0), near(90.0));
                if !random.next().is_multiple_of(misses) {
                    seen.push(Detection { rect, score: random.within(0.2, 1.0) as f32, class: 0 });
                }
            }
            random.shuffle(&mut seen);
            for track in tracker.update(time, &seen) {
                let place = usize::from(track.rect.top > 850.0);
                prop_assert_eq!(*home.entry(track.id).or_insert(place), place);
                prop_assert!(track.state == TrackState::Lost || track.seen <= time);
            }
        }
    }
}
