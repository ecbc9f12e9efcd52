//! All rules of one source, frame by frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluate::{FrameView, ObjectView, Resting};
use super::plan::Plan;
use super::rule::{Memory, Rule, Telling};
use super::settings::RuleSettings;
use super::{Known, KnownNames, When};
use crate::analyse::object::Objects;
use crate::analyse::{CountingSettings, SceneStage, StageFrame};
use crate::counts::RuleState;
use crate::event::Event;
use crate::labels::Labels;
use crate::scene::Scene;

/// Over a longer time without a frame, in seconds, nothing is taken to have lasted.
const LONGEST_STEP: f64 = 30.0;

/// Where rules have the time of day from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// Nobody knows it: `between` holds never.
    #[default]
    Unknown,
    /// The first frame that comes was taken so many seconds past midnight.
    Began(f64),
    /// This tells it for now, in seconds past midnight.
    Now(fn() -> Option<f64>),
}

impl Clock {
    /// Seconds past midnight, so many seconds after the first frame.
    fn at(self, since: f64) -> Option<f64> {
        let seconds = match self {
            Self::Unknown => None,
            Self::Began(began) => Some(began + since),
            Self::Now(tell) => tell(),
        };
        seconds.map(|seconds| seconds.rem_euclid(86400.0)).filter(|seconds| seconds.is_finite())
    }
}

/// The rules of one source; see docs/rules.md. It stands behind [`Counting`](super::super::Counting) of the same lines and zones.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    labels: Labels,
    clock: Clock,
    objects: Objects<State>,
    /// Source time of the first frame of all, and of the frame before.
    first: Option<f64>,
    before: Option<f64>,
    /// The next frame is the first behind a jump.
    jumped: bool,
    /// Source time of the first frame behind the last jump.
    from: f64,
    /// How many events of each name were told, also by rules that are gone: no number comes twice.
    numbers: BTreeMap<String, u64>,
    /// Events that end with the next frame, whatever happens in it: the rule is gone, or the source.
    gone: Vec<Rule>,
    states: Arc<Vec<RuleState>>,
}

/// What is known of an object.
#[derive(Debug, Clone)]
struct State {
    born: f64,
    resting: Resting,
    /// One for each rule.
    memories: Vec<Memory>,
}

impl Rules {
    /// `counting`: the lines and zones of the same source; a rule that names another one cannot hold here, nor one of a class
    /// that `labels` do not have.
    pub fn new(
        settings: Vec<RuleSettings>,
        counting: &CountingSettings,
        labels: &Labels,
        clock: Clock,
    ) -> Self {
        let mut rules = Self {
            rules: Vec::new(),
            labels: labels.clone(),
            clock,
            objects: Objects::default(),
            first: None,
            before: None,
            jumped: false,
            from: f64::NEG_INFINITY,
            numbers: BTreeMap::new(),
            gone: Vec::new(),
            states: Arc::default(),
        };
        rules.set_settings(settings, counting, labels);
        rules
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How each rule stands, in the order of the settings.
    pub fn states(&self) -> Arc<Vec<RuleState>> {
        Arc::clone(&self.states)
    }

    /// Changes the rules. Those that stay as they were go on; events of the others end.
    pub fn set_settings(
        &mut self,
        settings: Vec<RuleSettings>,
        counting: &CountingSettings,
        labels: &Labels,
    ) {
        let names = KnownNames::of(counting);
        let known = names.with(Some(labels));
        for rule in &self.rules {
            self.numbers.insert(rule.settings.name.clone(), rule.started());
        }
        let mut old: Vec<Option<Rule>> = std::mem::take(&mut self.rules).into_iter().map(Some).collect();
        let mut kept = Vec::new();
        for settings in settings {
            let plan = self.plan(&settings, &known, labels);
            let same = |rule: &Option<Rule>| {
                rule.as_ref().is_some_and(|rule| rule.settings == settings && rule.plan == plan)
            };
            let index = old.iter().position(same);
            let rule = index.and_then(|index| old.get_mut(index)?.take());
            kept.push(index);
            let started = self.numbers.get(&settings.name).copied().unwrap_or_default();
            self.rules.push(rule.unwrap_or_else(|| Rule::new(settings, plan).after(started)));
        }
        for object in self.objects.iter_mut() {
            let mut memories: Vec<Option<Memory>> =
                std::mem::take(&mut object.deeds.memories).into_iter().map(Some).collect();
            object.deeds.memories = (self.rules.iter().zip(&kept))
                .map(|(rule, index)| {
                    let memory = index.and_then(|index| memories.get_mut(index)?.take());
                    memory.unwrap_or_else(|| rule.none())
                })
                .collect();
            for (rule, memory) in old.iter_mut().zip(memories) {
                if let (Some(rule), Some(Memory { open: Some(open), .. })) = (rule, memory) {
                    rule.leaving.push(open);
                }
            }
        }
        self.gone.extend(old.into_iter().flatten().filter_map(|mut rule| rule.let_go()));
        self.labels = labels.clone();
        self.show_states();
    }

    fn plan(&self, settings: &RuleSettings, known: &Known<'_>, labels: &Labels) -> Option<Plan> {
        let name = &settings.name;
        let when: When = match settings.when.parse() {
            Ok(when) => when,
            Err(error) => {
                log::warn!("rule \"{name}\": {error}");
                return None;
            }
        };
        if let Err(error) = when.check(known) {
            log::info!("rule \"{name}\" does not hold for this source: {error}");
            return None;
        }
        let plan = Plan::new(&when.condition, labels);
        if plan.by_clock && matches!(self.clock, Clock::Unknown) {
            log::warn!(
                "rule \"{name}\" asks for the time of day, which a recording does not tell: source.began says when it began"
            );
        }
        Some(plan)
    }

    /// The source ends, and perhaps another one begins: all events end with the next frame.
    pub fn close(&mut self) {
        self.let_go();
        self.gone.extend(self.rules.iter_mut().filter_map(Rule::let_go));
        self.rules.iter_mut().for_each(Rule::begin_anew);
        (self.before, self.jumped, self.from) = (None, false, f64::NEG_INFINITY);
    }

    /// Forgets all objects; their events wait for them to be found again.
    fn let_go(&mut self) {
        for object in self.objects.iter_mut() {
            for (rule, memory) in self.rules.iter_mut().zip(&mut object.deeds.memories) {
                rule.leaving.extend(memory.open.take());
            }
        }
        self.objects.clear();
    }

    /// How many objects and events are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.objects.iter().count() + self.rules.iter().map(|rule| rule.leaving.len()).sum::<usize>()
    }

    fn show_states(&mut self) {
        for (index, rule) in self.rules.iter_mut().enumerate() {
            rule.count(self.objects.iter().filter_map(|object| object.deeds.memories.get(index)));
        }
        let states: Vec<RuleState> = self.rules.iter().map(Rule::state).collect();
        if *self.states != states {
            self.states = Arc::new(states);
        }
    }

    /// What is told in a frame.
    fn ask(&mut self, frame: &StageFrame<'_>, scene: &Scene) -> Vec<Event> {
        let now = scene.time;
        if std::mem::take(&mut self.jumped) {
            self.from = now;
        }
        let step = self.before.replace(now).map_or(0.0, |before| now - before);
        if !(0.0..=LONGEST_STEP).contains(&step) {
            self.rules.iter_mut().for_each(|rule| rule.memory.clear());
            self.objects
                .iter_mut()
                .for_each(|object| object.deeds.memories.iter_mut().for_each(Memory::clear));
        }
        scene.swaps.iter().for_each(|swap| self.objects.exchange(swap));
        // A recording's own clock may begin anywhere.
        let first = self.first.map_or(now, |first| first.min(now));
        self.first = Some(first);
        let asks = self.rules.iter().any(|rule| rule.plan.as_ref().is_some_and(|plan| plan.by_clock));
        let time_of_day = if asks { self.clock.at(now - first) } else { None };
        let view = FrameView::new(scene, time_of_day);
        let camera = frame.camera.as_ref();
        let rules = &self.rules;
        for track in scene.seen() {
            let none = || State {
                born: track.born,
                resting: Resting::default(),
                memories: rules.iter().map(Rule::none).collect(),
            };
            if let Some(object) = self.objects.seen(track, now, |id| view.seen(id).is_some(), none) {
                object.deeds.resting.take(track, camera, now);
            }
        }
        for object in self.objects.iter_mut().filter(|object| object.seen < now) {
            object.deeds.resting.move_with(camera);
        }
        let telling = Telling {
            frame: &view,
            sequence: scene.sequence,
            labels: &self.labels,
            from: self.from,
            again: frame.again,
        };
        let mut told = Vec::new();
        if !frame.again {
            for mut rule in std::mem::take(&mut self.gone) {
                told.extend(rule.end_leaving(&telling, true));
            }
        }
        for (index, rule) in self.rules.iter_mut().enumerate() {
            rule.begin(now);
            ask_one(rule, index, &mut self.objects, &telling, &mut told);
        }
        let there = |id: u64| scene.tracks.binary_search_by_key(&id, |track| track.id).is_ok();
        for object in self.objects.take_gone(now, there) {
            for (rule, memory) in self.rules.iter_mut().zip(object.deeds.memories) {
                rule.leaving.extend(memory.open);
            }
        }
        if !frame.again {
            self.rules.iter_mut().for_each(|rule| told.extend(rule.end_leaving(&telling, false)));
        }
        told
    }
}

/// Asks one rule, which has this number.
fn ask_one(
    rule: &mut Rule,
    index: usize,
    objects: &mut Objects<State>,
    telling: &Telling<'_>,
    told: &mut Vec<Event>,
) {
    let Some(plan) = rule.plan.take() else { return };
    let mut memory = std::mem::take(&mut rule.memory);
    let frame = telling.frame;
    let scene = plan.scene_parts(frame, &mut memory.slots, |part, scene| {
        let (mut all, mut seen) = (0, 0);
        // One that has an heir is there already, as that.
        for object in objects.iter_mut().filter(|object| !object.has_heir()) {
            let view = view_of(object.id, object.class, object.seen, &object.deeds, frame);
            let Some(memory) = object.deeds.memories.get_mut(index) else { continue };
            let holds = part.holds(frame, Some(&view), &mut memory.slots, scene).is_some();
            all += usize::from(holds);
            seen += usize::from(holds && view.track.is_some());
        }
        (all, seen)
    });
    if plan.of_object {
        rule.plan = Some(plan);
        for object in objects.iter_mut() {
            let view = view_of(object.id, object.class, object.seen, &object.deeds, frame);
            let (Some(memory), Some(plan)) = (object.deeds.memories.get_mut(index), &rule.plan) else {
                continue;
            };
            let span = plan.whole.holds(frame, Some(&view), &mut memory.slots, &scene);
            told.extend(rule.follow(memory, span, Some(&view), telling));
        }
    } else {
        let span = plan.whole.holds(frame, None, &mut memory.slots, &scene);
        rule.plan = Some(plan);
        told.extend(rule.follow(&mut memory, span, None, telling));
    }
    rule.memory = memory;
}

fn view_of<'a>(
    id: u64,
    class: crate::detection::ClassId,
    seen: f64,
    state: &State,
    frame: &FrameView<'a>,
) -> ObjectView<'a> {
    ObjectView { id, class, born: state.born, seen, track: frame.seen(id), still: state.resting.since() }
}

impl SceneStage for Rules {
    fn name(&self) -> &str {
        "rules"
    }

    fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        if !self.rules.is_empty() || !self.gone.is_empty() {
            let told = self.ask(frame, scene);
            scene.events.extend(told);
            self.show_states();
            scene.rules = self.states();
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.let_go();
        self.rules.iter_mut().for_each(Rule::forget_scene);
        (self.before, self.jumped) = (None, true);
    }
}
