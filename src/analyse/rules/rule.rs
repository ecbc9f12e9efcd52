//! A rule and its events.

use std::sync::Arc;

use super::evaluate::{FrameView, ObjectView};
use super::plan::{Node, Plan};
use super::settings::RuleSettings;
use super::span::{LAPSE, Slot, Span};
use crate::counts::RuleState;
use crate::detection::ClassId;
use crate::event::Event;
use crate::labels::Labels;

/// An event that has started and not ended.
#[derive(Debug, Clone)]
pub(super) struct Open {
    number: u64,
    /// As it was told last.
    pub(super) track: Option<u64>,
    class: Option<ClassId>,
    since: f64,
    /// When its condition held last.
    last: f64,
    /// Time of the frame that told its start.
    told: f64,
}

/// What a rule remembers of one object, or of the scene.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) slots: Vec<Slot>,
    pub(super) open: Option<Open>,
    /// What holds now was told, or is not to be told.
    told: bool,
    /// It would have been told, but for the rule's cool-down.
    waits: bool,
}

impl Memory {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots: vec![Slot::default(); slots], ..Self::default() }
    }

    /// Time has a gap: what lasted before it has ceased.
    pub(super) fn clear(&mut self) {
        self.slots.iter_mut().for_each(Slot::clear);
    }
}

/// A frame, for what is told in it.
pub(super) struct Telling<'a> {
    pub(super) frame: &'a FrameView<'a>,
    pub(super) sequence: u64,
    pub(super) labels: &'a Labels,
    /// What began to hold before was told then, if it was to be told.
    pub(super) from: f64,
    /// The frame was tracked before: nothing is told.
    pub(super) again: bool,
}

/// A rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) settings: RuleSettings,
    name: Arc<str>,
    /// `None`: it cannot hold here.
    pub(super) plan: Option<Plan>,
    pub(super) memory: Memory,
    /// Events of objects that are gone, or that are not found again yet after a jump.
    pub(super) leaving: Vec<Open>,
    /// How many of its events are under way; the first of them started then.
    active: usize,
    since: Option<f64>,
    started: u64,
    /// When it was first asked.
    begun: Option<f64>,
    /// When an event of it last started or ended.
    busy: Option<f64>,
}

impl Rule {
    pub(super) fn new(settings: RuleSettings, plan: Option<Plan>) -> Self {
        let memory = Memory::new(plan.as_ref().map_or(0, |plan| plan.scene_slots));
        Self {
            name: settings.name.as_str().into(),
            settings,
            plan,
            memory,
            leaving: Vec::new(),
            active: 0,
            since: None,
            started: 0,
            begun: None,
            busy: None,
        }
    }

    /// Forgets the scene behind a jump: its event ends.
    pub(super) fn forget_scene(&mut self) {
        let own = std::mem::take(&mut self.memory).open;
        self.memory = Memory::new(self.plan.as_ref().map_or(0, |plan| plan.scene_slots));
        self.leaving.extend(own);
    }

    /// It goes on with the numbers of a rule of its name, which told so many events.
    pub(super) fn after(self, started: u64) -> Self {
        Self { started, ..self }
    }

    /// How many events it has told.
    pub(super) fn started(&self) -> u64 {
        self.started
    }

    /// Times begin anew: no event was before.
    pub(super) fn begin_anew(&mut self) {
        (self.begun, self.busy) = (None, None);
    }

    /// The memory that it needs for each object.
    pub(super) fn none(&self) -> Memory {
        Memory::new(self.plan.as_ref().map_or(0, |plan| plan.object_slots))
    }

    pub(super) fn state(&self) -> RuleState {
        RuleState {
            name: Arc::clone(&self.name),
            active: self.active,
            since: self.since,
            started: self.started,
        }
    }

    /// Forgets the scene; gives a rule with the events that are under way, where there are any, for them to be ended.
    pub(super) fn let_go(&mut self) -> Option<Self> {
        let own = std::mem::take(&mut self.memory).open;
        self.memory = Memory::new(self.plan.as_ref().map_or(0, |plan| plan.scene_slots));
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.extend(own);
        (!leaving.is_empty()).then(|| Self { leaving, ..self.clone() })
    }

    pub(super) fn begin(&mut self, now: f64) {
        self.begun.get_or_insert(now);
    }

    /// Counts the events that are under way.
    pub(super) fn count<'a>(&mut self, of_objects: impl Iterator<Item = &'a Memory>) {
        let own = self.memory.open.iter().chain(&self.leaving);
        let all = of_objects.filter_map(|memory| memory.open.as_ref()).chain(own);
        let (active, since) =
            all.fold((0, f64::INFINITY), |(active, since), open| (active + 1, since.min(open.since)));
        (self.active, self.since) = (active, (active > 0).then_some(since));
    }

    /// What comes of it that the condition holds, or does not, of an object or of the scene.
    pub(super) fn follow(
        &mut self,
        memory: &mut Memory,
        span: Option<Span>,
        object: Option<&ObjectView<'_>>,
        telling: &Telling<'_>,
    ) -> Option<Event> {
        let now = telling.frame.now;
        let Some(span) = span else {
            (memory.told, memory.waits) = (false, false);
            let open = memory.open.take_if(|open| !telling.again && has_been_told(open, now))?;
            return Some(self.end(&open, telling));
        };
        // The scene's goes on where the same moment is gone through again.
        let is_known = |open: &Open| match object {
            Some(object) => open.track == Some(object.id),
            None => open.track.is_none() && (now - open.last).abs() <= LAPSE,
        };
        if memory.open.is_none()
            && let Some(known) = self.leaving.iter().position(is_known)
        {
            // It goes on behind a jump.
            memory.open = Some(self.leaving.remove(known));
            memory.told = true;
        }
        if let Some(open) = &mut memory.open {
            if !telling.again {
                open.last = open.last.max(span.last).min(now);
            }
            let (track, class) = (object.map(|object| object.id), object.map(|object| object.class));
            if telling.again || (open.track, open.class) == (track, class) {
                return None;
            }
            (open.track, open.class) = (track, class);
            let open = open.clone();
            let event = self.event("update", open.last.max(open.since), &open, telling);
            let event = self.with_facts(event, object, telling);
            return Some(event.with("duration", (now - open.since).max(0.0)));
        }
        let has_moment = self.plan.as_ref().is_some_and(|plan| plan.has_moment);
        let is_here = object.is_none_or(|object| object.track.is_some() || has_moment);
        if memory.told || !span.sure || !is_here {
            return None;
        }
        if telling.again || span.since < telling.from {
            memory.told = true;
            return None;
        }
        if self.busy.is_some_and(|busy| (now - busy).abs() < self.settings.cool_down_seconds) {
            memory.waits = true;
            return None;
        }
        memory.told = true;
        self.started += 1;
        self.busy = Some(now);
        // Nothing starts before the rule was there, nor while it cools down.
        let earliest = if std::mem::take(&mut memory.waits) { now } else { self.begun.unwrap_or(now) };
        let since = span.since.max(earliest).min(now);
        let open = Open {
            number: self.started,
            track: object.map(|object| object.id),
            class: object.map(|object| object.class),
            since,
            last: span.last.max(since),
            told: now,
        };
        let event = self.with_facts(self.event("start", since, &open, telling), object, telling);
        memory.open = Some(open);
        Some(event)
    }

    /// Ends the events of objects that are gone. `all`: whatever the time.
    pub(super) fn end_leaving(&mut self, telling: &Telling<'_>, all: bool) -> Vec<Event> {
        let now = telling.frame.now;
        let found_again = telling.from <= now && now - telling.from < LAPSE;
        let is_over = |open: &mut Open| all || !found_again && has_been_told(open, now);
        let ended: Vec<Open> = self.leaving.extract_if(.., is_over).collect();
        ended.iter().map(|open| self.end(open, telling)).collect()
    }

    fn end(&mut self, open: &Open, telling: &Telling<'_>) -> Event {
        self.busy = Some(telling.frame.now);
        let last = open.last.max(open.since);
        self.event("end", last, open, telling).with("duration", last - open.since)
    }

    fn event(&self, kind: &str, time: f64, open: &Open, telling: &Telling<'_>) -> Event {
        let mut event = Event::new(telling.sequence, time, kind)
            .with("rule", Arc::clone(&self.name))
            .with("event_id", format!("{}-{}", self.name, open.number).as_str());
        event.track = open.track;
        match open.class {
            Some(class) => event.with("class", &*telling.labels.name(class)),
            None => event,
        }
    }

    /// What is known of the object: where it is, and the numbers that the rule compares.
    fn with_facts(&self, mut event: Event, object: Option<&ObjectView<'_>>, telling: &Telling<'_>) -> Event {
        let (Some(object), Some(plan)) = (object, &self.plan) else { return event };
        let mut facts: Vec<(String, crate::attribute::Value)> = Vec::new();
        plan.walk(&mut |node| match node {
            Node::In(zones, _) => {
                if let Some((zone, _)) = telling.frame.zone(object.id, zones) {
                    facts.push(("zone".to_owned(), zone.into()));
                }
            }
            Node::Compares { name, .. } => {
                let number = object.track.and_then(|track| telling.frame.number(track, name));
                facts.extend(number.map(|number| (name.clone(), number.into())));
            }
            _ => {}
        });
        for (name, value) in facts {
            if event.detail(&name).is_none() {
                event = event.with(name.as_str(), value);
            }
        }
        match object.track {
            Some(track) => {
                let (x, bottom) = (track.rect.center().0, track.rect.bottom());
                event.with("x", f64::from(x)).with("y", f64::from(bottom))
            }
            None => event,
        }
    }
}

/// Whether the start of an event was told long enough ago for it to end: who looks now and then sees it too. Where time has
/// gone back it was.
fn has_been_told(open: &Open, now: f64) -> bool {
    now - open.told >= LAPSE || now < open.told
}
