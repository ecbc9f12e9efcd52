//! Counting at lines and in zones: crossings each way and by class, occupancy, entries, exits, dwell, and the ways from
//! zone to zone.
//!
//! Only tracks that are seen count: not tentative ones, and not while they are hidden. What a track did passes to its heir
//! (`analyse::object`), so that a change of id at a line loses nothing and counts nothing twice.
//!
//! | event | of | details |
//! |---|---|---|
//! | `cross` | a track that crossed a line | `line`, `direction` (`in`: to the right-hand side of the line's way, `out`), `class`, `x`, `y`; where the ground is known `speed_m_per_s` |
//! | `enter` | a track that is in a zone, also where it was first seen there | `zone`, `class` |
//! | `leave` | a track that went out of a zone, or was last seen there | `zone`, `class`, `dwell` in seconds |
//!
//! The time of an event is that of the moment itself, which may lie before the frame that tells it: between two frames, or as
//! long ago as it took to be sure. Tracks in a zone have the attribute `dwell_s`: for how long they are in one, the longest
//! where zones overlap. All numbers are in [`Scene::counts`].
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | what can be set about lines and zones |
//! | `plane` | sides, meetings, distances in the picture plane |
//! | `tremble` | how far a box is off by chance |
//! | `line`, `zone` | what one object does at one line, in one zone |

mod line;
mod plane;
mod settings;
#[cfg(test)]
mod tests;
mod tremble;
mod zone;

use std::sync::Arc;

use super::object::Objects;
use super::{SceneStage, StageFrame};
use crate::attribute::{SPEED, Value};
use crate::counts::{Counts, Inside, LineCounts, Point, RECENT, ZoneCounts};
use crate::detection::{ClassId, Detections};
use crate::event::Event;
use crate::geometry::Affine;
use crate::labels::Labels;
use crate::scene::{Scene, Track, TrackState};
use line::{AtLine, Crossing, Line};
use plane::Spot;
use zone::{AtZone, Passage, Zone};

pub(super) use settings::is_of_source;
pub use settings::{BoxAnchor, CountingSettings, FixedTo, LineSettings, ZoneSettings};

/// The longest time between two frames that counts as presence, in seconds: in a longer gap nobody knows who was there.
const LONGEST_STEP: f64 = 5.0;

/// Which objects count somewhere, and how their boxes are read.
#[derive(Debug, Clone)]
struct Rules {
    /// `None`: all.
    classes: Option<Vec<ClassId>>,
    anchor: BoxAnchor,
    fixed_to: FixedTo,
}

impl Rules {
    fn new(classes: &[String], labels: &Labels, anchor: BoxAnchor, fixed_to: FixedTo) -> Self {
        let known = || classes.iter().filter_map(|name| labels.find(name)).collect();
        Self { classes: (!classes.is_empty()).then(known), anchor, fixed_to }
    }

    fn take(&self, class: ClassId) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.contains(&class))
    }
}

/// Counts at lines and in zones; the rules are in docs/counting.md.
#[derive(Debug, Clone)]
pub struct Counting {
    settings: CountingSettings,
    labels: Labels,
    /// Of the picture that lines and zones are laid out for.
    size: (u32, u32),
    lines: Vec<(Line, Rules)>,
    zones: Vec<(Zone, Rules)>,
    /// From pixels of the first picture to those of the newest, as the still world moved; and back.
    moved: Affine,
    back: Affine,
    objects: Objects<Deeds>,
    /// Source time of the frame before.
    before: Option<f64>,
    counts: Arc<Counts>,
    /// Names of the details of events, shared by all.
    words: Words,
}

/// What an object did so far.
#[derive(Debug, Clone, Default)]
struct Deeds {
    /// One for each line.
    lines: Vec<AtLine>,
    /// One for each zone.
    zones: Vec<AtZone>,
    /// The zone that it came into last.
    last_zone: Option<usize>,
}

impl Deeds {
    /// Those of an object that did nothing yet.
    fn none(lines: usize, zones: usize) -> Self {
        Self { lines: vec![AtLine::default(); lines], zones: vec![AtZone::default(); zones], last_zone: None }
    }

    /// The same where there are other lines and zones: for each, which of the old ones it is.
    fn laid_out(&self, lines: &[Option<usize>], zones: &[Option<usize>]) -> Self {
        let line = |old: &Option<usize>| old.and_then(|old| self.lines.get(old).cloned()).unwrap_or_default();
        let zone = |old: &Option<usize>| old.and_then(|old| self.zones.get(old).copied()).unwrap_or_default();
        let last_zone = self.last_zone.and_then(|last| zones.iter().position(|old| *old == Some(last)));
        Self { lines: lines.iter().map(line).collect(), zones: zones.iter().map(zone).collect(), last_zone }
    }
}

#[derive(Debug, Clone)]
struct Words {
    dwell: Arc<str>,
    inwards: Arc<str>,
    outwards: Arc<str>,
}

impl Counting {
    /// The attribute of tracks in a zone: for how long they have been in it, in seconds.
    pub const DWELL: &str = "dwell_s";

    /// Has counted nothing. `labels` are the names of the classes by which the settings choose.
    pub fn new(settings: CountingSettings, labels: &Labels) -> Self {
        let mut counting = Self {
            settings: CountingSettings::default(),
            labels: labels.clone(),
            size: (0, 0),
            lines: Vec::new(),
            zones: Vec::new(),
            moved: Affine::IDENTITY,
            back: Affine::IDENTITY,
            objects: Objects::default(),
            before: None,
            counts: Arc::default(),
            words: Words { dwell: Self::DWELL.into(), inwards: "in".into(), outwards: "out".into() },
        };
        counting.set_settings(settings, labels);
        counting
    }

    /// The settings in force.
    pub fn settings(&self) -> &CountingSettings {
        &self.settings
    }

    /// The names of the classes.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// What was counted so far; `None` where there is nothing to count at.
    pub fn counts(&self) -> Option<Arc<Counts>> {
        (!self.settings.is_empty()).then(|| Arc::clone(&self.counts))
    }

    /// Changes lines and zones. Those that stay as they were keep what was counted at them; the others begin at zero.
    pub fn set_settings(&mut self, settings: CountingSettings, labels: &Labels) {
        let old = std::mem::replace(&mut self.settings, settings);
        let counts = Arc::make_mut(&mut self.counts);
        let (lines, zones) = (std::mem::take(&mut counts.lines), std::mem::take(&mut counts.zones));
        let new = &self.settings;
        counts.lines = (new.lines.iter())
            .map(|line| {
                let known = old.lines.iter().position(|other| other == line);
                known.and_then(|index| lines.get(index).cloned()).unwrap_or_else(|| LineCounts {
                    name: line.name.as_str().into(),
                    points: Vec::new(),
                    crossed: Default::default(),
                    speeds: Default::default(),
                })
            })
            .collect();
        let of_old = |zone: &ZoneSettings| old.zones.iter().position(|other| other == zone);
        counts.zones = (new.zones.iter())
            .map(|zone| {
                of_old(zone).and_then(|index| zones.get(index).cloned()).unwrap_or_else(|| ZoneCounts {
                    name: zone.name.as_str().into(),
                    corners: Vec::new(),
                    occupancy: 0,
                    most: 0,
                    presence: 0.0,
                    seconds: 0.0,
                    passed: Default::default(),
                    dwell: Default::default(),
                    longest_now: 0.0,
                })
            })
            .collect();
        let flows = std::mem::take(&mut counts.flows);
        let flow = |from: Option<usize>, to: Option<usize>| flows.get(from?)?.get(to?).copied();
        counts.flows = (new.zones.iter())
            .map(|from| {
                let to = |to: &ZoneSettings| flow(of_old(from), of_old(to)).unwrap_or_default();
                new.zones.iter().map(to).collect()
            })
            .collect();
        self.labels = labels.clone();
        // What objects did at those that stay as they were goes on.
        let lines: Vec<_> =
            new.lines.iter().map(|line| old.lines.iter().position(|other| other == line)).collect();
        let zones: Vec<_> = new.zones.iter().map(of_old).collect();
        self.objects.renew(|deeds| deeds.laid_out(&lines, &zones));
        self.lay_out(self.size);
    }

    /// Counts in scenes that were tracked before, as the history has them: what [`SceneStage::update`] adds to them is not
    /// wanted.
    pub fn recount(&mut self, size: (u32, u32), scenes: impl IntoIterator<Item = Scene>) {
        let detections = Detections::default();
        let frame = StageFrame {
            size,
            picture: None,
            detections: &detections,
            suppressed: None,
            camera: None,
            again: false,
        };
        for mut scene in scenes {
            self.count(&frame, &mut scene);
        }
    }

    /// What was counted takes the place of what this one counted at lines and zones that both have just so.
    pub fn keep_of(&mut self, other: &Self) {
        let counts = Arc::make_mut(&mut self.counts);
        for (line, counts) in self.settings.lines.iter().zip(&mut counts.lines) {
            let known = other.settings.lines.iter().position(|known| known == line);
            if let Some(known) = known.and_then(|index| other.counts.lines.get(index)) {
                *counts = known.clone();
            }
        }
        let of_other = |zone: &ZoneSettings| other.settings.zones.iter().position(|known| known == zone);
        for (zone, counts) in self.settings.zones.iter().zip(&mut counts.zones) {
            if let Some(known) = of_other(zone).and_then(|index| other.counts.zones.get(index)) {
                *counts = known.clone();
            }
        }
        for (from, row) in self.settings.zones.iter().zip(&mut counts.flows) {
            for (to, number) in self.settings.zones.iter().zip(row) {
                let known = of_other(from).zip(of_other(to));
                if let Some(known) = known.and_then(|(from, to)| other.counts.flows.get(from)?.get(to)) {
                    *number = *known;
                }
            }
        }
        counts.seconds = counts.seconds.max(other.counts.seconds);
        counts.recent.clone_from(&other.counts.recent);
    }

    /// Puts lines and zones into the pixels of a picture.
    fn lay_out(&mut self, size: (u32, u32)) {
        self.size = size;
        let pixels = |&(x, y): &(f32, f32)| (x * size.0 as f32, y * size.1 as f32);
        let lines = self.settings.lines.iter().map(|set| {
            let points = set.points.points().iter().map(pixels).collect();
            let line = Line { points, band: set.band, stay: set.stay_seconds };
            (line, Rules::new(&set.classes, &self.labels, set.anchor, set.fixed_to))
        });
        let zones = self.settings.zones.iter().map(|set| {
            let corners = set.corners.corners().iter().map(pixels).collect();
            let zone = Zone { corners, band: set.band, stay: set.stay_seconds };
            (zone, Rules::new(&set.classes, &self.labels, set.anchor, set.fixed_to))
        });
        (self.lines, self.zones) = (lines.collect(), zones.collect());
        self.follow(None);
        self.show_places();
    }

    /// Takes in how the camera moved; `None`: lines and zones go back to where the settings have them.
    fn follow(&mut self, camera: Option<&Affine>) {
        self.moved = camera.map_or(Affine::IDENTITY, |camera| self.moved.then(camera));
        match self.moved.inverse().filter(|_| self.moved.is_sound()) {
            Some(back) => self.back = back,
            None => (self.moved, self.back) = (Affine::IDENTITY, Affine::IDENTITY),
        }
    }

    /// Where lines and zones lie in the newest picture.
    fn show_places(&mut self) {
        let moved = self.moved;
        let place = |points: &[(f32, f32)], rules: &Rules| -> Vec<Point> {
            let shown = |&(x, y): &(f32, f32)| match rules.fixed_to {
                FixedTo::Screen => [x, y],
                FixedTo::Scene => moved.point(x, y).into(),
            };
            points.iter().map(shown).collect()
        };
        let counts = Arc::make_mut(&mut self.counts);
        for ((line, rules), counts) in self.lines.iter().zip(&mut counts.lines) {
            counts.points = place(&line.points, rules);
        }
        for ((zone, rules), counts) in self.zones.iter().zip(&mut counts.zones) {
            counts.corners = place(&zone.corners, rules);
        }
    }

    /// Takes in a frame.
    fn count(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) {
        if frame.size != self.size {
            self.objects.clear();
            self.lay_out(frame.size);
        }
        if let Some(camera) = frame.camera.as_ref().filter(|camera| **camera != Affine::IDENTITY)
            && self
                .lines
                .iter()
                .map(|line| &line.1)
                .chain(self.zones.iter().map(|zone| &zone.1))
                .any(Rules::moves)
        {
            self.follow(Some(camera));
            self.show_places();
        }
        let now = scene.time;
        let told = self.take_in(scene, now);
        let step = self.before.replace(now).map_or(0.0, |before| now - before);
        let counts = Arc::make_mut(&mut self.counts);
        counts.time = now;
        let step = if frame.again || !(0.0..=LONGEST_STEP).contains(&step) { 0.0 } else { step };
        counts.seconds += step;
        for zone in &mut counts.zones {
            zone.presence += zone.occupancy as f64 * step;
            zone.seconds += step;
            (zone.occupancy, zone.longest_now) = (0, 0.0);
        }
        if !frame.again {
            told.into_iter().for_each(|deed| tell(counts, scene, &self.labels, &self.words, deed));
        }
        counts.inside.clear();
        for object in self.objects.iter_mut() {
            for (index, (state, zone)) in object.deeds.zones.iter().zip(&mut counts.zones).enumerate() {
                if let Some(since) = state.since() {
                    counts.inside.push(Inside { track: object.id, zone: index, since });
                    zone.occupancy += 1;
                    zone.longest_now = zone.longest_now.max(now - since);
                }
            }
        }
        counts.inside.sort_by_key(|inside| (inside.zone, inside.track));
        for zone in &mut counts.zones {
            zone.most = zone.most.max(zone.occupancy);
        }
        for track in &scene.tracks {
            let zones = self.objects.get(track.id).map(|object| object.deeds.zones.iter());
            let since = zones.into_iter().flatten().filter_map(AtZone::since).min_by(f64::total_cmp);
            if let Some(since) = since {
                scene.attributes.set(track.id, Arc::clone(&self.words.dwell), now - since);
            }
        }
    }

    /// What the objects of a scene did up to this frame.
    fn take_in(&mut self, scene: &Scene, now: f64) -> Vec<Deed> {
        let state = |id: u64| {
            let index = scene.tracks.binary_search_by_key(&id, |track| track.id).ok()?;
            scene.tracks.get(index).map(|track| track.state)
        };
        let is_seen = |id: u64| state(id) == Some(TrackState::Confirmed);
        let (lines, zones) = (self.lines.len(), self.zones.len());
        let (size, back) = (self.size, self.back);
        let mut told = Vec::new();
        for track in scene.seen() {
            let none = || Deeds::none(lines, zones);
            let Some(object) = self.objects.seen(track, now, is_seen, none) else { continue };
            let spot = |rules: &Rules| spot(track, rules, size, &back, now);
            let (id, class) = (track.id, track.class);
            for (index, ((line, rules), state)) in self.lines.iter().zip(&mut object.deeds.lines).enumerate()
            {
                if rules.take(class)
                    && let Some(crossing) = line.step(state, spot(rules))
                {
                    told.push(Deed { id, class, what: What::Crossed(index, crossing) });
                }
            }
            for (index, ((zone, rules), state)) in self.zones.iter().zip(&mut object.deeds.zones).enumerate()
            {
                if rules.take(class)
                    && let Some(passage) = zone.step(state, spot(rules), object.known)
                {
                    let came_from = match passage {
                        Passage::Entered(_) => object.deeds.last_zone.replace(index),
                        Passage::Left { .. } => None,
                    };
                    told.push(Deed { id, class, what: What::Passed(index, passage, came_from) });
                }
            }
        }
        for mut object in self.objects.take_gone(now, |id| state(id).is_some()) {
            let (id, class, seen) = (object.id, object.class, object.seen);
            for (index, state) in object.deeds.lines.iter_mut().enumerate() {
                let crossing = Line::end(state);
                told.extend(crossing.map(|crossing| Deed {
                    id,
                    class,
                    what: What::Crossed(index, crossing),
                }));
            }
            for (index, state) in object.deeds.zones.iter_mut().enumerate() {
                let passage = state.end(seen);
                told.extend(passage.map(|passage| Deed {
                    id,
                    class,
                    what: What::Passed(index, passage, None),
                }));
            }
        }
        told
    }
}

impl Rules {
    /// It moves with the still world.
    fn moves(&self) -> bool {
        self.fixed_to == FixedTo::Scene
    }
}

impl SceneStage for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        if !self.settings.is_empty() {
            scene.swaps.iter().for_each(|swap| self.objects.exchange(swap));
            self.count(frame, scene);
            scene.counts = Some(Arc::clone(&self.counts));
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.objects.clear();
        self.before = None;
        self.follow(None);
        self.show_places();
    }
}

/// Something that an object did.
struct Deed {
    id: u64,
    class: ClassId,
    what: What,
}

enum What {
    /// The line with this number.
    Crossed(usize, Crossing),
    /// The zone with this number; and for one that was entered, the zone before it.
    Passed(usize, Passage, Option<usize>),
}

/// Where a track is seen, in the pixels in which the line or zone was laid out.
fn spot(track: &Track, rules: &Rules, size: (u32, u32), back: &Affine, time: f64) -> Spot {
    let point = rules.anchor.of(&track.rect, size);
    match rules.fixed_to {
        FixedTo::Screen => Spot { point, height: track.rect.height, time },
        FixedTo::Scene => {
            let height = track.rect.height * back.scale().1;
            Spot { point: back.point(point.0, point.1), height, time }
        }
    }
}

/// Counts what an object did, and tells it.
fn tell(counts: &mut Counts, scene: &mut Scene, labels: &Labels, words: &Words, deed: Deed) {
    let Deed { id, class, what } = deed;
    let name: Arc<str> = labels.name(class).into();
    let event = |kind: &str, time: f64| Event::new(scene.sequence, time, kind).of_track(id);
    let event = match what {
        What::Crossed(index, Crossing { inwards, time, point }) => {
            let Some(line) = counts.lines.get_mut(index) else { return };
            line.crossed.add(class, inwards);
            let speed = scene.attributes.get(id, SPEED).and_then(Value::as_number);
            speed.iter().for_each(|speed| line.speeds.add(*speed));
            let direction = if inwards { &words.inwards } else { &words.outwards };
            let crossed = event("cross", time)
                .with("line", Arc::clone(&line.name))
                .with("direction", Arc::clone(direction))
                .with("class", name)
                .with("x", f64::from(point.0))
                .with("y", f64::from(point.1));
            match speed {
                Some(speed) => crossed.with(SPEED, speed),
                None => crossed,
            }
        }
        What::Passed(index, passage, came_from) => {
            let Some(zone) = counts.zones.get_mut(index) else { return };
            let inwards = matches!(passage, Passage::Entered(_));
            zone.passed.add(class, inwards);
            let place = Arc::clone(&zone.name);
            match passage {
                Passage::Entered(time) => {
                    let flow = came_from.and_then(|from| counts.flows.get_mut(from)?.get_mut(index));
                    if let Some(flow) = flow {
                        *flow += 1;
                    }
                    event("enter", time).with("zone", place).with("class", name)
                }
                Passage::Left { time, dwell } => {
                    zone.dwell.add(dwell);
                    event("leave", time).with("zone", place).with("class", name).with("dwell", dwell)
                }
            }
        }
    };
    counts.recent.push_back(event.clone());
    if counts.recent.len() > RECENT {
        counts.recent.pop_front();
    }
    scene.events.push(event);
}
