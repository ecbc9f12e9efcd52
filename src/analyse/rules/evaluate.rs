//! Whether a condition holds in a frame.

use super::plan::{Node, Plan, ScenePart};
use super::span::{LAPSE, Slot, Span, all, any};
use crate::attribute::{Attributes, Value};
use crate::counts::Counts;
use crate::detection::ClassId;
use crate::geometry::Affine;
use crate::scene::{Scene, Track, TrackState};

/// What does not leave a circle of this share of its box's mean side is still.
const STILL: f32 = 0.15;
/// It has to be in it for so many seconds before it counts as still.
const SETTLED: f64 = 1.0;

/// What is known of one frame.
pub(super) struct FrameView<'a> {
    pub(super) now: f64,
    pub(super) tracks: &'a [Track],
    pub(super) attributes: &'a Attributes,
    pub(super) counts: Option<&'a Counts>,
    /// Who crosses which line now.
    crossings: Vec<Crossing<'a>>,
    /// In seconds, where it is known.
    pub(super) time_of_day: Option<f64>,
}

struct Crossing<'a> {
    track: u64,
    line: &'a str,
    inwards: bool,
    time: f64,
}

/// One object in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectView<'a> {
    pub(super) id: u64,
    pub(super) class: ClassId,
    /// Since when it is known, in seconds.
    pub(super) born: f64,
    /// When it was last seen.
    pub(super) seen: f64,
    /// Where it is seen in this very frame.
    pub(super) track: Option<&'a Track>,
    /// Since when it has not moved.
    pub(super) still: Option<f64>,
}

impl<'a> FrameView<'a> {
    pub(super) fn new(scene: &'a Scene, time_of_day: Option<f64>) -> Self {
        let crossings = scene.events.iter().filter(|event| &*event.kind == "cross").filter_map(|event| {
            Some(Crossing {
                track: event.track?,
                line: event.detail("line").and_then(Value::as_text)?,
                inwards: event.detail("direction").and_then(Value::as_text)? == "in",
                time: event.time,
            })
        });
        Self {
            now: scene.time,
            tracks: &scene.tracks,
            attributes: &scene.attributes,
            counts: scene.counts.as_deref(),
            crossings: crossings.collect(),
            time_of_day,
        }
    }

    /// The track with this id, where it is seen in this frame.
    pub(super) fn seen(&self, id: u64) -> Option<&'a Track> {
        let index = self.tracks.binary_search_by_key(&id, |track| track.id).ok()?;
        self.tracks.get(index).filter(|track| track.state == TrackState::Confirmed)
    }

    /// The first of these zones that an object is in, and since when.
    pub(super) fn zone<'z>(&self, id: u64, zones: &'z [String]) -> Option<(&'z str, f64)> {
        let counts = self.counts?;
        let inside = |zone: &'z String| {
            let number = counts.zones.iter().position(|known| *known.name == **zone)?;
            let place = counts
                .inside
                .binary_search_by_key(&(number, id), |inside| (inside.zone, inside.track))
                .ok()?;
            counts.inside.get(place).map(|inside| (zone.as_str(), inside.since))
        };
        zones.iter().filter_map(inside).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// A number that is known of an object that is seen.
    pub(super) fn number(&self, track: &Track, name: &str) -> Option<f64> {
        if let Some(number) = self.attributes.get(track.id, name).and_then(Value::as_number) {
            return Some(number);
        }
        match name {
            "score" => Some(f64::from(track.score)),
            "age_s" => Some(self.now - track.born),
            "dwell_s" => Some(0.0),
            "width_px" => Some(f64::from(track.rect.width)),
            "height_px" => Some(f64::from(track.rect.height)),
            "speed_px_per_s" => Some(super::super::speed::speed(track)),
            _ => None,
        }
    }
}

impl ObjectView<'_> {
    /// A span of what holds for it since then, for certain where it is seen.
    fn span(&self, since: f64, now: f64) -> Span {
        let sure = self.track.is_some();
        Span { since, last: if sure { now } else { self.seen }, sure }
    }
}

impl Node {
    /// `slots`: the memory of the object, or of the scene. `scene`: the outcome of the parts of the scene so far.
    pub(super) fn holds(
        &self,
        frame: &FrameView<'_>,
        object: Option<&ObjectView<'_>>,
        slots: &mut [Slot],
        scene: &[Option<Span>],
    ) -> Option<Span> {
        let now = frame.now;
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.holds(frame, object, slots, scene))),
            Self::Any(parts, slot) => {
                let span = any(parts.iter().map(|part| part.holds(frame, object, slots, scene)));
                slots.get_mut(*slot)?.take_chain(span, now)
            }
            Self::Not(part, slot) => {
                let part = part.holds(frame, object, slots, scene);
                // Of an object that is hidden nobody knows.
                let known = object.is_none_or(|object| object.track.is_some());
                slots.get_mut(*slot)?.take((known || part.is_some()).then_some(part.is_none()), now, None)
            }
            Self::Lasting(part, seconds, slot) => {
                let part = part.holds(frame, object, slots, scene);
                slots.get_mut(*slot)?.take_lasting(part, *seconds, now)
            }
            Self::Object => object.map(|object| object.span(object.born, now)).map(certain),
            Self::Class(classes) => {
                let object = object.filter(|object| classes.contains(&object.class))?;
                Some(certain(object.span(object.born, now)))
            }
            Self::In(zones, slot) => {
                let object = object?;
                let span = frame.zone(object.id, zones).map(|(_, since)| object.span(since, now));
                slots.get_mut(*slot)?.take_chain(span, now)
            }
            Self::Crosses(lines, way, slot) => {
                let id = object?.id;
                let mut own = frame.crossings.iter().filter(|crossing| {
                    crossing.track == id
                        && lines.iter().any(|line| line == crossing.line)
                        && way.is_none_or(|inwards| inwards == crossing.inwards)
                });
                slots.get_mut(*slot)?.take_moment(own.next().map(|crossing| crossing.time), now)
            }
            Self::Still(slot) => {
                let object = object?;
                let since = object.still.filter(|since| now - since >= SETTLED);
                let holds = object.track.map(|_| since.is_some());
                slots.get_mut(*slot)?.take(holds, now, since)
            }
            Self::Compares { name, comparison, number, slot } => {
                let value = object?.track.and_then(|track| frame.number(track, name));
                slots.get_mut(*slot)?.take(value.map(|value| comparison.holds(value, *number)), now, None)
            }
            Self::Scene(part) => scene.get(*part).copied().flatten(),
            Self::Between { from, to, slot } => {
                let is_between = |time: f64| match from < to {
                    true => (*from..*to).contains(&time),
                    false => time >= *from || time < *to,
                };
                slots.get_mut(*slot)?.take(frame.time_of_day.map(is_between), now, None)
            }
        }
    }
}

/// What a class is stays certain while the object is hidden; other parts of the condition tell whether it is seen.
fn certain(span: Span) -> Span {
    Span { sure: true, ..span }
}

impl Plan {
    /// The outcome of all parts of the scene. `count`: for how many objects a condition holds, and for how many of those that
    /// are seen.
    pub(super) fn scene_parts(
        &self,
        frame: &FrameView<'_>,
        slots: &mut [Slot],
        mut count: impl FnMut(&Node, &[Option<Span>]) -> (usize, usize),
    ) -> Vec<Option<Span>> {
        let mut found = Vec::with_capacity(self.scene.len());
        for part in &self.scene {
            let span = match part {
                ScenePart::Tree(node) => node.holds(frame, None, slots, &found),
                ScenePart::Count { part, comparison, number, slot } => {
                    let (all, seen) = count(part, &found);
                    let [all, seen] = [all, seen].map(|count| comparison.holds(count as f64, *number));
                    slots.get_mut(*slot).and_then(|slot| slot.take_number(all, seen, frame.now))
                }
            };
            found.push(span);
        }
        found
    }
}

/// Where an object lies that may not move.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resting {
    /// The middle of its box, and since when it has been there.
    place: Option<((f32, f32), f64)>,
    /// Where it may have gone, and since when it has been there; and since when it is not in its place.
    other: Option<((f32, f32), f64)>,
    left: Option<f64>,
}

impl Resting {
    /// Takes in where it is seen now; `camera`: how the picture moved since the frame before.
    pub(super) fn take(&mut self, track: &Track, camera: Option<&Affine>, now: f64) {
        let middle = track.rect.center();
        let near = |(x, y): (f32, f32)| {
            let side = (track.rect.width + track.rect.height) / 2.0;
            (middle.0 - x).hypot(middle.1 - y) <= STILL * side
        };
        self.move_with(camera);
        match self.place {
            Some((place, _)) if near(place) => (self.other, self.left) = (None, None),
            Some(_) => {
                // A box is odd for a moment now and then.
                let left = *self.left.get_or_insert(now);
                let other = self.other.filter(|(place, _)| near(*place)).unwrap_or((middle, now));
                self.other = Some(other);
                if now - left > LAPSE {
                    (self.place, self.other, self.left) = (Some(other), None, None);
                }
            }
            None => self.place = Some((middle, now)),
        }
    }

    /// The camera has moved.
    pub(super) fn move_with(&mut self, camera: Option<&Affine>) {
        let Some(camera) = camera else { return };
        for (place, _) in self.place.iter_mut().chain(&mut self.other) {
            *place = camera.point(place.0, place.1);
        }
    }

    /// Since when it has not moved.
    pub(super) fn since(&self) -> Option<f64> {
        self.place.filter(|_| self.left.is_none()).map(|(_, since)| since)
    }
}
