//! Many objects cross a line under noise, misses and changes of their ids: each counts once.
//!
//! `TRAILSIGHT_CROSSINGS=100000` sets how many do.

use trailsight::analyse::{Counting, CountingSettings, LineSettings, SceneStage, StageFrame};
use trailsight::detection::Detections;
use trailsight::geometry::{Polyline, Rect};
use trailsight::labels::Labels;
use trailsight::scene::{Scene, Track, TrackState};

const SIZE: (u32, u32) = (1000, 1000);

/// One object on its way over the line, or up to it and back.
struct Walker {
    /// Of its box.
    height: f32,
    /// Where its feet are across.
    x: f32,
    /// How it goes across while it goes down, as a share.
    slant: f32,
    /// Heights a second.
    speed: f32,
    /// From the top to the bottom of the picture.
    down: bool,
    /// It turns round so many heights before (or, negative, behind) the line.
    turns: Option<f32>,
}

/// How a walker's boxes are seen.
struct Look {
    rate: f32,
    /// Each edge is off by up to this share of the side.
    noise: f32,
    /// This share of the frames has no box.
    misses: f32,
    /// The id changes so many heights from the line; the new track begins some frames later.
    change: Option<(f32, u32)>,
}

/// The crossings that are counted, in and out, and those that were true.
fn walk(
    random: &mut fastrand::Rng,
    counting: &mut Counting,
    walker: &Walker,
    look: &Look,
) -> [(u64, u64); 2] {
    counting.restart();
    let total = |counting: &Counting| {
        let counts = counting.counts().unwrap();
        let total = counts.lines[0].crossed.total();
        (total.inwards, total.outwards)
    };
    let before = total(counting);
    let line = 500.0;
    let reach = walker.turns.map_or(3.0, |turn| 2.0 * (1.5 - turn));
    let seconds = reach / walker.speed;
    let frames = (seconds * look.rate) as u32;
    let (mut id, mut born, mut changes) = (1, 0.0, look.change);
    let mut gone = 0;
    let mut last: Option<Track> = None;
    let mut truth = (0, 0);
    let mut side = None;
    for number in 0..=frames + 3 * look.rate as u32 {
        let time = number as f32 / look.rate;
        let gone_by = (time * walker.speed).min(reach);
        // Heights from the line, negative before it.
        let (along, ahead) = match walker.turns {
            Some(turn) if gone_by > 1.5 - turn => (-turn - (gone_by - (1.5 - turn)), -1.0),
            _ => (gone_by - 1.5, 1.0),
        };
        let sign = if walker.down { 1.0 } else { -1.0 };
        let (y, x) = (line + sign * along * walker.height, walker.x + along * walker.slant * walker.height);
        let here = y >= line;
        if side.replace(here).is_some_and(|side| side != here) {
            if here { truth.0 += 1 } else { truth.1 += 1 }
        }
        if let Some((_, frames)) = changes.filter(|(place, _)| along >= *place) {
            (changes, gone, last) = (None, frames, None);
            (id, born) = (id + 1, f64::from(time) + f64::from(frames) / f64::from(look.rate));
        }
        let mut off = |side: f32| (random.f32() * 2.0 - 1.0) * look.noise * side;
        let width = walker.height * 0.4;
        let (left, right) = (x - width / 2.0 + off(width), x + width / 2.0 + off(width));
        let (top, bottom) = (y - walker.height + off(walker.height), y + off(walker.height));
        let rect = Rect::from_edges(left, top, right, bottom);
        let down = ahead * sign * walker.speed * walker.height;
        let across = ahead * walker.slant * walker.speed * walker.height;
        let seen = gone == 0 && random.f32() >= look.misses && number <= frames;
        gone = gone.saturating_sub(1);
        let time = f64::from(time);
        let track = if seen {
            Some(Track {
                id,
                class: 0,
                score: 0.8,
                rect,
                velocity: [across, down, 0.0, 0.0],
                state: TrackState::Confirmed,
                born,
                seen: time,
                detection: None,
            })
        } else {
            last.map(|track: Track| Track { state: TrackState::Lost, ..track })
        };
        last = track.filter(|track| time - track.seen < 1.0);
        let tracks = last.into_iter().collect();
        let mut scene = Scene { sequence: u64::from(number), time, tracks, ..Scene::default() };
        let detections = Detections::default();
        let frame = StageFrame {
            size: SIZE,
            picture: None,
            detections: &detections,
            suppressed: None,
            camera: None,
            again: false,
        };
        counting.update(&frame, &mut scene).unwrap();
    }
    let after = total(counting);
    [(after.0 - before.0, after.1 - before.1), truth]
}

#[test]
fn each_crossing_counts_once_whatever_the_boxes_do() {
    let many = std::env::var("TRAILSIGHT_CROSSINGS").ok().and_then(|many| many.parse().ok()).unwrap_or(3000);
    let points = Polyline::new(vec![(0.0, 0.5), (1.0, 0.5)]).unwrap();
    let line = LineSettings { points, ..LineSettings::default() };
    let settings = CountingSettings { lines: vec![line], zones: Vec::new() };
    let mut counting = Counting::new(settings, &Labels::coco());
    let mut random = fastrand::Rng::with_seed(19);
    let (mut twice, mut lost, mut crossings, mut turned) = (0, 0, 0, 0);
    while crossings < many {
        let turns = (random.u8(..) < 64).then(|| random.f32() * 0.5 + 0.15);
        let walker = Walker {
            height: 40.0 + random.f32() * 160.0,
            x: 400.0 + random.f32() * 200.0,
            slant: random.f32() * 2.0 - 1.0,
            speed: 0.2 + random.f32() * 2.8,
            down: random.bool(),
            turns,
        };
        let look = Look {
            rate: 10.0 + random.f32() * 50.0,
            noise: 0.1,
            misses: 0.2,
            change: random.bool().then(|| (random.f32() * 0.6 - 0.3, random.u32(1..4))),
        };
        let [(inwards, outwards), (truly_in, truly_out)] = walk(&mut random, &mut counting, &walker, &look);
        crossings += truly_in + truly_out;
        turned += u64::from(turns.is_some());
        twice += inwards.saturating_sub(truly_in) + outwards.saturating_sub(truly_out);
        lost += truly_in.saturating_sub(inwards) + truly_out.saturating_sub(outwards);
    }
    println!("{crossings} crossings, {turned} turned round before the line: {twice} too many, {lost} lost");
    assert_eq!(twice, 0);
    assert!(lost * 1000 <= crossings, "{lost} of {crossings}");
}
