//! Synthetic scenes, and what is told of them.

use crate::analyse::{Clock, Rules};
use crate::analyse::{
    Counting, CountingSettings, LineSettings, RuleSettings, SceneStage, StageFrame, ZoneSettings,
};
use crate::attribute::Value;
use crate::detection::Detections;
use crate::event::Event;
use crate::geometry::{Polygon, Polyline, Rect};
use crate::labels::Labels;
use crate::scene::{Scene, Swap, Track, TrackState};

pub(super) const SIZE: (u32, u32) = (1000, 1000);

/// Counting with rules behind it, in a picture of a thousand pixels a side: the line `door` goes up in the middle (right is in),
/// the zone `square` is the right half, ten frames a second.
pub(super) struct Course {
    counting: Counting,
    pub(super) rules: Rules,
    frame: u64,
    pub(super) told: Vec<Event>,
}

pub(super) fn places() -> CountingSettings {
    let line = LineSettings {
        points: Polyline::new(vec![(0.5, 1.0), (0.5, 0.0)]).unwrap(),
        ..LineSettings::default()
    };
    let corners = Polygon::new(vec![(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]).unwrap();
    let zone = ZoneSettings { corners, stay_seconds: 0.0, band: 0.0, ..ZoneSettings::default() };
    CountingSettings { lines: vec![line], zones: vec![zone] }
}

pub(super) fn rule(name: &str, when: &str, cool_down_seconds: f64) -> RuleSettings {
    RuleSettings { name: name.into(), when: when.into(), cool_down_seconds, source: String::new() }
}

impl Course {
    pub(super) fn new(when: &str) -> Self {
        Self::of(vec![rule("r", when, 0.0)], Clock::Unknown)
    }

    pub(super) fn of(rules: Vec<RuleSettings>, clock: Clock) -> Self {
        let labels = Labels::coco();
        let counting = Counting::new(places(), &labels);
        let rules = Rules::new(rules, &places(), &labels, clock);
        Self { counting, rules, frame: 0, told: Vec::new() }
    }

    pub(super) fn set_rules(&mut self, rules: Vec<RuleSettings>) {
        self.rules.set_settings(rules, &places(), &Labels::coco());
    }

    pub(super) fn now(&self) -> f64 {
        self.frame as f64 / 10.0
    }

    /// The next frame has these tracks.
    pub(super) fn step(&mut self, tracks: &[Track]) {
        self.step_as(tracks, Vec::new(), false);
    }

    pub(super) fn step_as(&mut self, tracks: &[Track], swaps: Vec<Swap>, again: bool) {
        let (sequence, time) = (self.frame, self.now());
        let mut tracks = tracks.to_vec();
        tracks.sort_by_key(|track| track.id);
        let mut scene = Scene { sequence, time, tracks, swaps, ..Scene::default() };
        let detections = Detections::default();
        let frame = StageFrame {
            size: SIZE,
            picture: None,
            detections: &detections,
            suppressed: None,
            camera: None,
            again,
        };
        self.counting.update(&frame, &mut scene).unwrap();
        self.rules.update(&frame, &mut scene).unwrap();
        assert_eq!(scene.rules, self.rules.states());
        let told = scene.events.into_iter().filter(|event| event.detail("rule").is_some());
        if !again {
            self.told.extend(told);
        } else {
            assert_eq!(told.count(), 0);
        }
        self.frame += 1;
    }

    /// So many seconds with these tracks, each as it is then.
    pub(super) fn run(&mut self, seconds: f64, tracks: impl Fn(f64) -> Vec<Track>) {
        for _ in 0..(seconds * 10.0).round() as usize {
            self.step(&tracks(self.now()));
        }
    }

    /// A frame that nobody gets.
    pub(super) fn frame_without(&mut self) {
        self.frame += 1;
    }

    /// Goes to another time of the recording; who goes on there is known.
    pub(super) fn jump(&mut self, to: f64) {
        self.frame = (to * 10.0).round() as u64;
        self.counting.restart();
        self.rules.restart();
    }

    /// What was told so far, as `KIND EVENT@TIME tTRACK`, and nothing of it any more.
    pub(super) fn take(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told);
        told.iter().map(shown).collect()
    }

    pub(super) fn active(&self) -> Vec<usize> {
        self.rules.states().iter().map(|state| state.active).collect()
    }
}

fn shown(event: &Event) -> String {
    let id = event.detail("event_id").and_then(Value::as_text).unwrap();
    let track = event.track.map(|track| format!(" t{track}")).unwrap_or_default();
    let lasted = event.detail("duration").and_then(Value::as_number);
    let lasted =
        lasted.filter(|_| &*event.kind == "end").map(|lasted| format!(" ({lasted:.1})")).unwrap_or_default();
    format!("{} {id}@{:.1}{track}{lasted}", event.kind, event.time)
}

/// A person whose feet are there.
pub(super) fn person(id: u64, born: f64, x: f32) -> Track {
    Track {
        id,
        class: 0,
        score: 0.9,
        rect: Rect::new(x - 20.0, 400.0, 40.0, 100.0),
        velocity: [0.0; 4],
        state: TrackState::Confirmed,
        born,
        seen: born,
        detection: None,
    }
}

pub(super) fn hidden(track: Track) -> Track {
    Track { state: TrackState::Lost, ..track }
}
