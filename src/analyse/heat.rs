//! For how long objects were where: the heat map.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{SceneStage, StageFrame};
use crate::detection::ClassId;
use crate::geometry::Rect;
use crate::heat::HeatMap;
use crate::labels::Labels;
use crate::scene::Scene;

/// Where an object was in a longer gap, in seconds, nobody knows.
const LONGEST_GAP: f64 = 1.0;
/// A time window moves in so many steps.
const SLICES: f64 = 12.0;
/// A way between two frames is cut into at most so many pieces.
const MOST_PIECES: f32 = 256.0;

/// The `[heat]` section.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatSettings {
    /// Gather it also where nothing shows it.
    pub gather: bool,
    /// After so many seconds presence counts for half; `None`: it counts always.
    pub half_life_seconds: Option<f64>,
    /// Only the last so many seconds count; `None`: all. It moves in twelfths.
    pub window_seconds: Option<f64>,
    /// Only objects of these classes count; empty: all.
    pub classes: Vec<String>,
}

/// Gathers [`Scene::heat`]: for each seen object, the time since the frame before, spread over its way since then. An object is
/// at the middle of the lower edge of its box, where that is seen.
#[derive(Debug, Clone)]
pub struct Heat {
    settings: HeatSettings,
    classes: Option<Vec<ClassId>>,
    /// All that counts.
    map: Arc<HeatMap>,
    /// With a time window: its parts, with the number of each.
    slices: VecDeque<(i64, HeatMap)>,
    /// Where each object was seen last, and when.
    last: BTreeMap<u64, ((f32, f32), f64)>,
    before: Option<f64>,
}

impl Heat {
    /// Has gathered nothing.
    pub fn new(settings: HeatSettings, labels: &Labels) -> Self {
        let (slices, last) = (VecDeque::new(), BTreeMap::new());
        let mut new = Self { settings, classes: None, map: Arc::default(), slices, last, before: None };
        new.set_labels(labels);
        new
    }

    /// Which numbers the classes that count have from now on.
    pub fn set_labels(&mut self, labels: &Labels) {
        let names = &self.settings.classes;
        let known = || names.iter().filter_map(|name| labels.find(name)).collect();
        self.classes = (!names.is_empty()).then(known);
    }

    /// What is set.
    pub fn settings(&self) -> &HeatSettings {
        &self.settings
    }

    /// What was gathered so far.
    pub fn map(&self) -> Arc<HeatMap> {
        Arc::clone(&self.map)
    }

    fn pass_to(&mut self, now: f64, counts: bool) {
        let gone = self.before.replace(now).map_or(0.0, |before| (now - before).max(0.0));
        let passed = gone.min(LONGEST_GAP);
        let map = Arc::make_mut(&mut self.map);
        map.time = now;
        if !counts {
            return;
        }
        let fade = self.settings.half_life_seconds.map(|half| libm::exp2(-gone / half));
        if let Some(share) = fade {
            map.fade(share);
            self.slices.iter_mut().for_each(|(_, slice)| slice.fade(share));
        }
        let Some(window) = self.settings.window_seconds else {
            map.seconds += passed;
            return;
        };
        let number = libm::floor(now / (window / SLICES)) as i64;
        if self.slices.back().is_none_or(|(newest, _)| *newest != number) {
            self.slices.push_back((number, HeatMap::new(map.size())));
            let count = self.slices.len();
            self.slices.retain(|(slice, _)| (number - SLICES as i64..=number).contains(slice));
            if self.slices.len() != count {
                let mut sum = HeatMap::new(map.size());
                self.slices.iter().for_each(|(_, slice)| sum.add_map(slice));
                sum.time = now;
                *map = sum;
            }
        }
        map.seconds += passed;
        if let Some((_, slice)) = self.slices.back_mut() {
            slice.seconds += passed;
        }
    }

    /// Adds the time on a straight way, evenly.
    fn add(&mut self, from: (f32, f32), to: (f32, f32), seconds: f64) {
        let map = Arc::make_mut(&mut self.map);
        let cells = libm::hypotf(to.0 - from.0, to.1 - from.1) / map.cell().max(1) as f32;
        let pieces = libm::ceilf(cells).clamp(1.0, MOST_PIECES);
        let share = seconds / f64::from(pieces);
        for piece in 0..pieces as u32 {
            let along = (piece as f32 + 0.5) / pieces;
            let at = map.cell_at((from.0 + along * (to.0 - from.0), from.1 + along * (to.1 - from.1)));
            map.add(at, share);
            if let Some((_, slice)) = self.slices.back_mut() {
                slice.add(at, share);
            }
        }
    }
}

/// The middle of the lower edge of what is seen of a box.
fn foot(rect: &Rect, (width, height): (u32, u32)) -> (f32, f32) {
    let rect = rect.clipped(width as f32, height as f32).unwrap_or(*rect);
    (rect.center().0, rect.bottom())
}

impl SceneStage for Heat {
    fn name(&self) -> &str {
        "heat"
    }

    fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        if self.map.size() != frame.size {
            self.map = Arc::new(HeatMap::new(frame.size));
            self.slices.clear();
            self.last.clear();
        }
        let now = scene.time;
        self.pass_to(now, !frame.again);
        for swap in &scene.swaps {
            self.last.remove(&swap.from);
            self.last.remove(&swap.to);
        }
        for track in scene.seen() {
            if self.classes.as_ref().is_some_and(|classes| !classes.contains(&track.class)) {
                continue;
            }
            let at = foot(&track.rect, frame.size);
            let before = self.last.insert(track.id, (at, now));
            if let Some((from, then)) = before
                && (0.0..=LONGEST_GAP).contains(&(now - then))
                && !frame.again
            {
                self.add(from, at, now - then);
            }
        }
        self.last.retain(|_, (_, seen)| (0.0..=LONGEST_GAP).contains(&(now - *seen)));
        scene.heat = Some(self.map());
        Ok(())
    }

    fn restart(&mut self) {
        self.last.clear();
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Detections;
    use crate::scene::{Track, TrackState};

    fn track(id: u64, x: f32, bottom: f32, time: f64) -> Track {
        Track {
            id,
            class: 0,
            score: 0.9,
            rect: Rect::new(x - 5.0, bottom - 20.0, 10.0, 20.0),
            velocity: [0.0; 4],
            state: TrackState::Confirmed,
            born: 0.0,
            seen: time,
            detection: None,
        }
    }

    fn run(heat: &mut Heat, frames: impl IntoIterator<Item = (f64, Vec<(u64, f32, f32)>)>) -> Arc<HeatMap> {
        let detections = Detections::default();
        for (time, tracks) in frames {
            let tracks = tracks.into_iter().map(|(id, x, bottom)| track(id, x, bottom, time)).collect();
            let mut scene = Scene { time, tracks, ..Scene::default() };
            let frame = StageFrame {
                size: (160, 90),
                picture: None,
                detections: &detections,
                suppressed: None,
                camera: None,
                again: false,
            };
            heat.update(&frame, &mut scene).unwrap();
        }
        heat.map()
    }

    fn heat(half_life: Option<f64>, window: Option<f64>) -> Heat {
        let settings =
            HeatSettings { half_life_seconds: half_life, window_seconds: window, ..HeatSettings::default() };
        Heat::new(settings, &Labels::coco())
    }

    fn at(map: &HeatMap, x: usize, y: usize) -> f32 {
        map.rows().nth(y).unwrap().nth(x).unwrap()
    }

    #[test]
    fn all_time_is_somewhere_and_a_way_is_covered_evenly() {
        // One stands; the other runs ten pixels a frame and is gone for half a second in between.
        let frames = (0..41).map(|frame| {
            let mut tracks = vec![(1, 20.5, 30.5)];
            if !(10..15).contains(&frame) {
                tracks.push((2, 10.5 + 2.5 * frame as f32, 60.5));
            }
            (f64::from(frame) / 10.0, tracks)
        });
        let map = run(&mut heat(None, None), frames);
        assert!((map.total() - 8.0).abs() < 1e-3, "{}", map.total());
        assert!((at(&map, 20, 30) - 4.0).abs() < 1e-4);
        let way: Vec<f32> = (12..109).map(|x| at(&map, x, 60)).collect();
        assert!(way.iter().all(|seconds| (0.0..0.081).contains(seconds)), "{way:?}");
        assert!(way.windows(4).all(|four| four.iter().sum::<f32>() > 0.05), "there is a hole: {way:?}");
        assert!((map.seconds - 4.0).abs() < 1e-9 && map.time == 4.0);
    }

    #[test]
    fn what_was_fades_by_half_life_or_goes_with_the_window() {
        let stay = |from: u32, to: u32, x: f32| {
            (from..to).map(move |frame| (f64::from(frame) / 10.0, vec![(u64::from(from) + 1, x, 50.5)]))
        };
        let mut fading = heat(Some(10.0), None);
        run(&mut fading, stay(0, 101, 20.5));
        let map = run(&mut fading, stay(101, 202, 90.5));
        // Ten seconds that fade while they pass: 10 / ln 2 · (1 − ½) = 7.21.
        assert!((at(&map, 90, 50) - 7.21).abs() < 0.1, "{}", at(&map, 90, 50));
        assert!((at(&map, 20, 50) - 3.6).abs() < 0.1, "{}", at(&map, 20, 50));

        let mut moving = heat(None, Some(12.0));
        run(&mut moving, stay(0, 101, 20.5));
        let map = run(&mut moving, stay(101, 250, 90.5));
        // From 24.9 s twelve seconds back, to the beginning of a twelfth.
        assert_eq!(at(&map, 20, 50), 0.0);
        assert!((12.0..13.1).contains(&at(&map, 90, 50)) && (12.0..13.1).contains(&map.seconds), "{map:?}");
    }

    #[test]
    fn a_gap_a_jump_and_another_pass_add_nothing() {
        let mut map = heat(None, None);
        run(&mut map, [(0.0, vec![(1, 20.0, 30.0)]), (3.0, vec![(1, 20.0, 30.0)])]);
        map.restart();
        let got = run(&mut map, [(3.1, vec![(1, 20.0, 30.0)])]);
        assert_eq!(got.total(), 0.0);
        // A frame that is gone through again.
        let mut scene = Scene { time: 3.2, tracks: vec![track(1, 20.0, 30.0, 3.2)], ..Scene::default() };
        let detections = Detections::default();
        let frame = StageFrame {
            size: got.size(),
            picture: None,
            detections: &detections,
            suppressed: None,
            camera: None,
            again: true,
        };
        map.update(&frame, &mut scene).unwrap();
        assert_eq!(scene.heat.unwrap().total(), 0.0);
    }

    #[test]
    fn presence_fades_while_nothing_comes() {
        let mut map = heat(Some(60.0), None);
        let before = run(&mut map, (0..11).map(|second| (f64::from(second), vec![(1, 20.0, 30.0)])));
        let after = run(&mut map, [(610.0, vec![])]);
        assert!(after.total() < before.total() * 0.0011, "{} {}", before.total(), after.total());
    }
}
