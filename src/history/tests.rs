use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::detection::{Detection, Extra, Keypoint, Mask};
use crate::geometry::Rect;
use crate::scene::TrackState;
use crate::track::{TrackSettings, TrailSettings};

/// What an ideal detector sees at a frame: walkers who come and go.
fn detections(sequence: u64) -> Vec<Detection> {
    let walkers = (0..12u64).filter(|walker| (walker * 37..walker * 37 + 220).contains(&sequence));
    let detection = |walker: u64| {
        let along = (sequence - walker * 37) as f32;
        Detection { rect: Rect::new(along * 2.5, 40.0 * walker as f32, 30.0, 35.0), score: 0.9, class: 0 }
    };
    walkers.map(detection).collect()
}

/// What a network tells of those that are seen: every third has a mask, every third points.
fn extras(tracks: &[Track]) -> Vec<(u64, Extra)> {
    let told = |track: &Track| {
        let (left, top) = (track.rect.left.round(), track.rect.top.round());
        let oval = |x: u32, y: u32| (x as f32 / 15.0 - 1.0).hypot(y as f32 / 17.5 - 1.0) < 1.0;
        let mask = Mask::new(Rect::new(left, top, 30.0, 35.0), (30, 35), oval)
            .filter(|_| track.id.is_multiple_of(3));
        let points = if track.id % 3 == 1 { 17 } else { 0 };
        let keypoints = (0..points).map(|n| Keypoint { x: left + n as f32, y: top, score: 0.5 }).collect();
        Extra { mask, keypoints, ..Extra::default() }
    };
    let seen = tracks.iter().filter(|track| track.state == TrackState::Confirmed);
    seen.map(|track| (track.id, told(track))).filter(|(_, extra)| *extra != Extra::default()).collect()
}

/// Tracks as the program does it: goes on with the segment's tracker, or begins a new one.
struct Player {
    history: TrackHistory,
    tracker: Tracker,
    segment: Option<SegmentId>,
    /// The frame that `tracker` saw last.
    live: Option<u64>,
    tracked: u64,
}

impl Player {
    fn new() -> Self {
        let tracker = Tracker::new(TrackSettings::default());
        Self { history: TrackHistory::new(None, 0), tracker, segment: None, live: None, tracked: 0 }
    }

    fn jump(&mut self, sequence: u64) {
        if let (Some(segment), Some(_)) = (self.segment, self.live.take()) {
            self.history.keep_end(segment, &self.tracker);
        }
        self.segment = self.history.join(sequence);
    }

    fn show(&mut self, sequence: u64) -> Scene {
        if self.history.is_settled(self.segment, sequence) {
            return self.history.scene(sequence).unwrap();
        }
        if self.live.is_none() {
            match self.segment.and_then(|segment| self.history.resume(segment, sequence)) {
                Some(tracker) => self.tracker = tracker,
                None => {
                    self.tracker = Tracker::new(TrackSettings::default());
                    self.tracker.reserve_ids_up_to(self.history.last_id());
                }
            }
        }
        let time = sequence as f64 / 25.0;
        let tracks = self.tracker.update(time, &detections(sequence));
        let tracks: Vec<Track> =
            tracks.iter().filter(|t| t.state != TrackState::Tentative).copied().collect();
        let extras = extras(&tracks);
        let scene = Scene { sequence, time, tracks, extras, ..Scene::default() };
        self.segment = Some(self.history.write(self.segment, &scene, &self.tracker, self.history.revision()));
        (self.live, self.tracked) = (Some(sequence), self.tracked + 1);
        scene
    }
}

fn straight(frames: u64) -> Vec<Scene> {
    let mut player = Player::new();
    (0..frames).map(|sequence| player.show(sequence)).collect()
}

fn assert_same(a: &Scene, b: &Scene) {
    assert_eq!((a.sequence, a.tracks.len()), (b.sequence, b.tracks.len()));
    assert_eq!(a.extras, b.extras);
    for (a, b) in a.tracks.iter().zip(&b.tracks) {
        assert_eq!((a.id, a.class, a.state), (b.id, b.class, b.state));
        assert!((a.born - b.born).abs() < 1e-9 && (a.seen - b.seen).abs() < 1e-3, "{a:?} {b:?}");
        assert!((a.score - b.score).abs() < 1e-3);
        let edges = |t: &Track| [t.rect.left, t.rect.top, t.rect.width, t.rect.height];
        assert!(edges(a).iter().zip(edges(b)).all(|(a, b)| (a - b).abs() <= 0.04), "{a:?} {b:?}");
        assert!(a.velocity.iter().zip(b.velocity).all(|(a, b)| (a - b).abs() <= 0.26));
    }
}

proptest! {
    /// Whoever goes back and forth in what was seen already gets the tracks of a straight run, each tracked once.
    #[test]
    fn going_back_changes_nothing(jumps in prop::collection::vec((0.0f64..1.0, 1u64..120), 1..12)) {
        let straight = straight(400);
        let mut player = Player::new();
        let mut frontier = 0;
        for (share, count) in jumps {
            let from = (frontier as f64 * share) as u64;
            player.jump(from);
            for sequence in from..(from + count).min(400) {
                assert_same(&player.show(sequence), &straight[sequence as usize]);
                frontier = frontier.max(sequence + 1);
            }
        }
        prop_assert_eq!(player.tracked, frontier);
    }

    /// Jumps to anywhere: no id is used for two objects, frames are what the last tracking of them said, segments keep apart.
    #[test]
    fn jumps_into_the_unknown(jumps in prop::collection::vec((0u64..400, 1u64..90, any::<bool>()), 1..14)) {
        let mut player = Player::new();
        let mut model: BTreeMap<u64, Scene> = BTreeMap::new();
        let mut places: BTreeMap<u64, f32> = BTreeMap::new();
        for (from, count, outdate) in jumps {
            if outdate {
                player.history.outdate();
            }
            player.jump(from);
            for sequence in from..from + count {
                let scene = player.show(sequence);
                for track in scene.tracks.iter().filter(|t| t.state == TrackState::Confirmed) {
                    // Walkers keep to their rows.
                    let row = *places.entry(track.id).or_insert(track.rect.top);
                    prop_assert!((row - track.rect.top).abs() < 20.0, "id {} is used twice", track.id);
                }
                model.insert(sequence, scene);
            }
            let known: Vec<u64> = (0..500).filter(|s| player.history.segment_at(*s).is_some()).collect();
            prop_assert_eq!(known, model.keys().copied().collect::<Vec<_>>());
            for (sequence, scene) in &model {
                assert_same(&player.history.scene(*sequence).unwrap(), scene);
            }
            let segments = &player.history.segments;
            prop_assert!(segments.iter().all(|p| p.first <= p.last && p.blocks() > 0));
            prop_assert!(segments.is_sorted_by(|a, b| a.last < b.first));
            let mut ids: Vec<_> = segments.iter().map(|p| p.id).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), segments.len());
        }
    }
}

#[test]
fn what_play_runs_into_is_tracked_anew() {
    let mut player = Player::new();
    player.jump(0);
    (0..50).for_each(|s| drop(player.show(s)));
    player.jump(80);
    (80..120).for_each(|s| drop(player.show(s)));
    let ids_at = |player: &Player, sequence| -> Vec<u64> {
        player.history.scene(sequence).unwrap().tracks.iter().map(|t| t.id).collect()
    };
    let (later, last) = (ids_at(&player, 100), ids_at(&player, 115));
    player.jump(40);
    (40..110).for_each(|s| drop(player.show(s)));
    let ids = ids_at(&player, 100);
    assert!(ids.contains(&1) && ids.iter().all(|id| !later.contains(id)), "{later:?} {ids:?}");
    // Behind where the play ended, what was known is still there.
    assert_eq!(ids_at(&player, 115), last);
    assert_eq!(player.history.parts().count(), 2);
}

#[test]
fn in_time_a_small_gap_is_none() {
    for (reach, goes_on) in [(0, false), (10, true)] {
        let mut player = Player { history: TrackHistory::new(None, reach), ..Player::new() };
        player.jump(0);
        (0..=95).for_each(|s| drop(player.show(s)));
        // The picture was ahead of the tracks.
        player.jump(99);
        let ids: Vec<u64> = player.show(99).tracks.iter().map(|t| t.id).collect();
        assert_eq!(ids.contains(&1), goes_on, "{ids:?}");
        assert_eq!((player.history.covers(99), player.history.covers(120)), (goes_on, false));
    }
}

#[test]
fn other_settings_go_on_with_the_ids() {
    let mut player = Player::new();
    player.jump(0);
    (0..200).for_each(|s| drop(player.show(s)));
    player.history.outdate();
    player.jump(163);
    let before: Vec<u64> = player.history.scene(163).unwrap().tracks.iter().map(|t| t.id).collect();
    let anew: Vec<u64> = player.show(163).tracks.iter().map(|t| t.id).collect();
    assert_eq!(before, anew);
    // And once more, at the very frame where the last change began.
    player.history.outdate();
    player.jump(163);
    assert_eq!(player.show(163).tracks.iter().map(|t| t.id).collect::<Vec<_>>(), before);
    assert_eq!(player.history.parts().map(|part| part.2).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(player.history.births().count(), 6);
}

#[test]
fn an_hour_of_a_crowd_takes_no_more_than_promised() {
    // 25 people at 30 frames a second, for two minutes instead of sixty.
    let (frames, people) = (3_600u64, 25u64);
    let mut history = TrackHistory::new(None, 0);
    let mut tracker = Tracker::new(TrackSettings::default());
    let mut segment = None;
    for sequence in 0..frames {
        let seen = |i: u64| {
            let phase = sequence as f32 * 0.02 + i as f32;
            let rect = Rect::new(600.0 + 500.0 * phase.sin(), 25.0 * i as f32, 40.0 + phase.cos(), 90.0);
            Detection { rect, score: 0.7 + 0.2 * (phase * 7.0).sin(), class: 0 }
        };
        let time = sequence as f64 / 30.0;
        let tracks = tracker.update(time, &(0..people).map(seen).collect::<Vec<_>>()).to_vec();
        segment =
            Some(history.write(segment, &Scene { sequence, time, tracks, ..Scene::default() }, &tracker, 0));
    }
    let an_hour = history.bytes() * 30;
    assert!(an_hour < BYTES_PER_HOUR, "{} MB an hour", an_hour >> 20);

    // What would be more is dropped, the farthest first.
    let mut history = TrackHistory::with_limit(200_000);
    let mut segment = None;
    for sequence in 0..frames {
        let tracks = tracker.tracks().to_vec();
        let scene = Scene { sequence, time: sequence as f64 / 30.0, tracks, ..Scene::default() };
        segment = Some(history.write(segment, &scene, &tracker, 0));
        assert!(history.bytes() < 300_000);
    }
    assert!(history.scene(0).is_none() && history.scene(frames - 1).is_some());
}

#[test]
fn trails_come_back_with_the_scene() {
    let mut player = Player::new();
    player.jump(0);
    (0..150).for_each(|s| drop(player.show(s)));
    let settings = TrailSettings { seconds: 1.0, ..TrailSettings::default() };
    let mut one_by_one = Replay::new(settings);
    for sequence in 0..150 {
        let scene = one_by_one.scene(&player.history, sequence).unwrap();
        let jumped = Replay::new(settings).scene(&player.history, sequence).unwrap();
        assert_eq!(scene.trails, jumped.trails, "{sequence}");
        for (track, trail) in scene.tracks.iter().zip(scene.trails.iter()) {
            assert_eq!(track.id, trail.id);
            let expected = ((scene.time - track.born) * 25.0 + 1.0).min(26.0);
            assert!((trail.points.len() as f64 - expected).abs() < 2.5, "{} {expected}", trail.points.len());
        }
    }
    assert!(one_by_one.scene(&player.history, 150).is_none());
}

#[test]
fn masks_go_before_tracks_do() {
    let with_masks = |limit: usize| {
        let mut player = Player::new();
        player.history = TrackHistory::with_limit(limit);
        (0..640).for_each(|sequence| drop(player.show(sequence)));
        player.history
    };
    let whole = with_masks(usize::MAX);
    let extras: usize = whole.segments.iter().flat_map(|segment| segment.blocks_with_extras()).count();
    assert!(extras >= 8 && !whole.scene(50).unwrap().extras.is_empty());
    // A little less than all that there is.
    let less = with_masks(whole.bytes() - 1000);
    assert!(less.bytes() < whole.bytes());
    let (early, late) = (less.scene(50).unwrap(), less.scene(639).unwrap());
    assert_eq!((early.tracks.len(), early.extras.len()), (whole.scene(50).unwrap().tracks.len(), 0));
    assert_eq!(late.extras, whole.scene(639).unwrap().extras);
}

/// Two who walk up to one another and turn around at three seconds, at ten frames a second: the one on the left is the one that
/// was there. A tracker takes them for passing one another, and finds out later.
fn turning(sequence: u64) -> Vec<Detection> {
    let t = sequence as f32 / 10.0;
    let detection = |side: f32, near: f32| {
        let (width, height) = (70.0 * near, 200.0 * near);
        let (x, bottom) = (600.0 + side * 120.0 * (t - 3.0).abs(), 200.0 + 200.0 * near);
        Detection { rect: Rect::new(x - width / 2.0, bottom - height, width, height), score: 0.9, class: 0 }
    };
    // Where they meet, the one behind is hidden.
    let behind = (sequence != 30).then(|| detection(-1.0, 1.0));
    behind.into_iter().chain([detection(1.0, 1.15)]).collect()
}

#[test]
fn a_swap_survives_going_back_and_forth() {
    let mut history = TrackHistory::new(None, 0);
    let mut tracker = Tracker::new(TrackSettings::default());
    let mut segment = None;
    let mut play = |history: &mut TrackHistory, tracker: &mut Tracker, frames: std::ops::Range<u64>| {
        let mut found = Vec::new();
        for sequence in frames {
            let time = sequence as f64 / 10.0;
            let tracks = tracker.update(time, &turning(sequence)).to_vec();
            let swaps = tracker.swaps().to_vec();
            found.extend(swaps.iter().map(|swap| (sequence, *swap)));
            let scene = Scene { sequence, time, tracks, swaps, ..Scene::default() };
            segment = Some(history.write(segment, &scene, tracker, 0));
        }
        history.keep_end(segment.unwrap(), tracker);
        (segment.unwrap(), found)
    };
    let (segment, swaps) = play(&mut history, &mut tracker, 0..60);
    let [(found_out, swap)] = swaps[..] else { panic!("{swaps:?}") };
    let is_right = |history: &TrackHistory| {
        (0..60u64).all(|sequence| {
            let scene = history.scene(sequence).unwrap();
            let left = scene.tracks.iter().min_by(|a, b| a.rect.left.total_cmp(&b.rect.left)).unwrap();
            // While they lie on one another nobody is on the left.
            (27..=33).contains(&sequence) || scene.time <= swap.since && sequence > 30 || left.id == 1
        })
    };
    assert!(swap.since < 3.7 && found_out < 43, "{swap:?} at {found_out}");
    assert!(is_right(&history));
    let mut replay = Replay::new(TrailSettings { seconds: 10.0, ..TrailSettings::default() });
    for sequence in [59, 10, 38, 59] {
        let scene = replay.scene(&history, sequence).unwrap();
        let of_left = scene.trails.iter().find(|trail| trail.id == 1).unwrap();
        let strays = of_left.points.iter().filter(|point| point.x > 640.0).count();
        assert_eq!(strays, 0, "the trail goes where its object went");
    }
    // Tracked again from before the crossing, and from between the crossing and the decision.
    for from in [20, found_out - 2] {
        let mut tracker = history.resume(segment, from).unwrap();
        let (_, again) = play(&mut history, &mut tracker, from..60);
        assert_eq!(again.len(), 1, "{again:?}");
        assert!(is_right(&history));
    }
}
