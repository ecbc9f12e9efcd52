//! Crossings of objects whose truth is known, at different frame rates. Noise and misses are drawn from fixed seeds.

use crate::detection::Detection;
use crate::geometry::Rect;
use crate::scene::{Swap, Track, TrackState};
use crate::track::{LookAhead, TrackSettings, Tracker};

/// Where an object is at a time: centre x, bottom edge, width, height.
type Path = Box<dyn Fn(f32) -> (f32, f32, f32, f32)>;

/// A scene with objects that meet, and how long it lasts in seconds.
struct Scenario {
    name: &'static str,
    paths: Vec<Path>,
    classes: [u16; 3],
    seconds: f32,
}

fn path(path: impl Fn(f32) -> (f32, f32, f32, f32) + 'static) -> Path {
    Box::new(path)
}

/// Scenes around the middle of a picture. `depth`: how much nearer one is than the other, as a share of its height.
fn scenarios(depth: f32) -> Vec<Scenario> {
    let near = (400.0 + 200.0 * depth, 70.0 * (1.0 + depth), 200.0 * (1.0 + depth));
    let at = move |x: f32, near: (f32, f32, f32)| (x, near.0, near.1, near.2);
    let far = (400.0, 70.0, 200.0);
    let farther = (400.0 - 200.0 * depth, 70.0 * (1.0 - depth), 200.0 * (1.0 - depth));
    // They stop behind one another, and turn around.
    let turn = |t: f32, side: f32| 600.0 + side * 120.0 * (t - 3.0).abs();
    // They stop where they meet, from 2.5 to 3 seconds, and go on.
    let pause = |t: f32| if t < 2.5 { t } else { (t - 0.5).max(2.5) };
    vec![
        Scenario {
            name: "side by side, then past one another",
            paths: vec![path(move |t| at(300.0 + 100.0 * t, far)), path(move |t| at(450.0 + 50.0 * t, near))],
            classes: [0; 3],
            seconds: 6.0,
        },
        Scenario {
            name: "head on",
            paths: vec![
                path(move |t| at(300.0 + 100.0 * t, far)),
                path(move |t| at(900.0 - 100.0 * t, near)),
            ],
            classes: [0; 3],
            seconds: 6.0,
        },
        Scenario {
            name: "one behind the other, who turns around",
            paths: vec![path(move |t| at(turn(t, -1.0), far)), path(move |_| at(600.0, near))],
            classes: [0; 3],
            seconds: 6.0,
        },
        Scenario {
            name: "both turn around where they meet",
            paths: vec![path(move |t| at(turn(t, -1.0), far)), path(move |t| at(turn(t, 1.0), near))],
            classes: [0; 3],
            seconds: 6.0,
        },
        Scenario {
            name: "a stop in the middle",
            paths: vec![
                path(move |t| at(300.0 + 120.0 * pause(t), far)),
                path(move |t| at(900.0 - 120.0 * pause(t), near)),
            ],
            classes: [0; 3],
            seconds: 7.0,
        },
        Scenario {
            name: "three in a knot",
            paths: vec![
                path(move |t| at(300.0 + 100.0 * t, far)),
                path(move |t| at(900.0 - 100.0 * t, near)),
                path(move |t| at(600.0 + 10.0 * (t - 3.0), farther)),
            ],
            classes: [0; 3],
            seconds: 7.0,
        },
        Scenario {
            name: "one turns around behind a pillar, beside which the other has passed",
            paths: vec![path(move |t| at(turn(t, -1.0), far)), path(move |t| at(800.0 - 100.0 * t, near))],
            classes: [0; 3],
            seconds: 5.5,
        },
    ]
}

/// Whether the one who stands nearer hides the other.
fn is_hidden(rect: &Rect, all: &[Rect]) -> bool {
    all.iter().any(|other| other.bottom() > rect.bottom() && rect.share_in(other) > 0.75)
}

/// What came of a run.
struct Outcome {
    /// The id of each object before they met, and at the end.
    before: Vec<Option<u64>>,
    after: Vec<Option<u64>>,
    swaps: Vec<Swap>,
    ids: Vec<u64>,
}

/// Runs a scene with noise in every edge.
fn run(scenario: &Scenario, fps: f32, seed: u64, settings: TrackSettings) -> Outcome {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tracker = Tracker::new(settings);
    let mut held = LookAhead::new(settings.decide_seconds);
    let mut frames: Vec<(f32, Vec<Track>)> = Vec::new();
    let (mut swaps, mut ids) = (Vec::new(), Vec::new());
    let correct = |(time, tracks): &mut (f32, Vec<Track>), swap: &Swap| {
        if f64::from(*time) > swap.since {
            tracks.iter_mut().for_each(|track| track.id = swap.rename(track.id));
        }
    };
    for frame in 0..=(scenario.seconds * fps) as u32 {
        let t = frame as f32 / fps;
        let boxes: Vec<Rect> = scenario
            .paths
            .iter()
            .map(|path| {
                let (x, bottom, width, height) = path(t);
                Rect::new(x - width / 2.0, bottom - height, width, height)
            })
            .collect();
        let mut detections = Vec::new();
        let pillar = |rect: &Rect| scenario.name.contains("pillar") && (rect.center().0 - 600.0).abs() < 20.0;
        let shown = boxes.iter().zip(scenario.classes);
        for (rect, class) in shown.filter(|(rect, _)| !is_hidden(rect, &boxes) && !pillar(rect)) {
            let mut noise = || (random.f32() - 0.5) * 0.03 * rect.height;
            let (left, top) = (rect.left + noise(), rect.top + noise());
            let rect = Rect::from_edges(left, top, rect.right() + noise(), rect.bottom() + noise());
            detections.push(Detection { rect, score: 0.9, class });
        }
        let time = f64::from(t);
        let tracks = tracker.update(time, &detections).to_vec();
        let unique: std::collections::BTreeSet<u64> = tracks.iter().map(|track| track.id).collect();
        assert_eq!(unique.len(), tracks.len(), "an id is there twice");
        swaps.extend(tracker.swaps());
        ids.extend(unique);
        held.push(time, (t, tracks), tracker.swaps(), correct);
        frames.extend(std::iter::from_fn(|| held.pop()));
    }
    frames.extend(std::iter::from_fn(|| held.pop_rest()));
    let id_at = |path: &Path, (t, tracks): &(f32, Vec<Track>)| {
        let (x, bottom, width, height) = path(*t);
        let rect = Rect::new(x - width / 2.0, bottom - height, width, height);
        let seen = tracks.iter().filter(|track| track.state == TrackState::Confirmed);
        let near = seen.filter(|track| track.rect.iou(&rect) > 0.5);
        near.max_by(|a, b| a.rect.iou(&rect).total_cmp(&b.rect.iou(&rect))).map(|track| track.id)
    };
    let ids_at = |frame: &(f32, Vec<Track>)| scenario.paths.iter().map(|path| id_at(path, frame)).collect();
    let early = (0.2 * scenario.seconds * fps) as usize;
    Outcome { before: ids_at(&frames[early]), after: ids_at(&frames[frames.len() - 1]), swaps, ids }
}

/// Of how many runs in all, how many end with the ids with which they began.
fn right(settings: TrackSettings) -> (usize, usize, Vec<String>) {
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for depth in [0.15, 0.25] {
        for scenario in scenarios(depth) {
            for fps in [5.0, 10.0, 30.0] {
                for seed in 0..5 {
                    let outcome = run(&scenario, fps, seed, settings);
                    all += 1;
                    if outcome.before == outcome.after && outcome.before.iter().all(Option::is_some) {
                        right += 1;
                    } else {
                        wrong.push(format!(
                            "{} depth {depth} {fps} fps, seed {seed}: {:?} {:?}",
                            scenario.name, outcome.before, outcome.after
                        ));
                    }
                }
            }
        }
    }
    (right, all, wrong)
}

#[test]
fn those_who_cross_have_their_ids_back_once_they_have_parted() {
    let (decided, all, wrong) = right(TrackSettings::default());
    let (undecided, ..) = right(TrackSettings { decide_seconds: 0.0, ..TrackSettings::default() });
    assert!(decided * 100 >= all * 95, "{decided} of {all}: {wrong:#?}");
    assert!(decided > undecided, "{decided} and {undecided} without");
}

#[test]
fn after_the_parting_nobody_has_two_ids_for_longer_than_the_decision_takes() {
    let settings = TrackSettings::default();
    for scenario in scenarios(0.25) {
        let outcome = run(&scenario, 30.0, 7, settings);
        assert!(outcome.swaps.len() <= 3, "{}: {:?}", scenario.name, outcome.swaps);
        let known = scenario.paths.len() as u64;
        assert!(outcome.ids.iter().all(|id| *id <= known), "{}: {:?}", scenario.name, outcome.ids);
    }
}

/// Two who turn around where they meet, which a tracker takes for passing one another.
fn turning() -> Scenario {
    scenarios(0.15).swap_remove(3)
}

#[test]
fn who_turned_around_is_exchanged_back_once() {
    let undecided =
        run(&turning(), 10.0, 1, TrackSettings { decide_seconds: 0.0, ..TrackSettings::default() });
    assert_eq!((&undecided.before, undecided.swaps), (&vec![Some(1), Some(2)], Vec::new()));
    assert_eq!(undecided.after, [Some(2), Some(1)]);
    let decided = run(&turning(), 10.0, 1, TrackSettings::default());
    assert_eq!(decided.after, decided.before);
    let [swap] = decided.swaps[..] else { panic!("{:?}", decided.swaps) };
    assert_eq!((swap.from, swap.to), (1, 2));
    assert!((3.0..3.7).contains(&swap.since), "{swap:?}");
}

#[test]
fn none_is_exchanged_across_classes() {
    let scenario = Scenario { classes: [0, 2, 0], ..turning() };
    assert!(run(&scenario, 10.0, 1, TrackSettings::default()).swaps.is_empty());
}

#[test]
fn the_same_boxes_give_the_same_swaps() {
    let swaps = || run(&turning(), 10.0, 3, TrackSettings::default()).swaps;
    assert_eq!(swaps(), swaps());
}
