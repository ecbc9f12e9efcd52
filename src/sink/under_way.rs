//! Events of rules that have started and not ended: the end of a run ends them.

use std::sync::Arc;

use super::FrameFacts;
use crate::attribute::Value;
use crate::counts::RuleState;
use crate::event::Event;
use crate::scene::Scene;

/// What is under way in a run.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    /// As each was told last, with when it started.
    events: Vec<(Event, f64)>,
    last: Option<Last>,
}

/// The last frame.
#[derive(Debug)]
struct Last {
    sequence: u64,
    time: f64,
    rules: Arc<Vec<RuleState>>,
    facts: FrameFacts,
}

impl UnderWay {
    /// Takes in a frame.
    pub(super) fn take(&mut self, scene: &Scene, facts: &FrameFacts) {
        for event in &scene.events {
            let Some(id) = id(event) else { continue };
            let known = self.events.iter().position(|(known, _)| self::id(known) == Some(id));
            match (&*event.kind, known) {
                ("start", None) => self.events.push((event.clone(), event.time)),
                ("end", Some(index)) => drop(self.events.remove(index)),
                ("update", Some(index)) => {
                    if let Some((known, _)) = self.events.get_mut(index) {
                        known.clone_from(event);
                    }
                }
                _ => {}
            }
        }
        if !self.events.is_empty() || self.last.is_some() || !scene.rules.is_empty() {
            self.last = Some(Last {
                sequence: scene.sequence,
                time: scene.time,
                rules: Arc::clone(&scene.rules),
                facts: facts.clone(),
            });
        }
    }

    /// What the end of the run brings, where something is under way.
    pub(super) fn end(&mut self) -> Option<(Scene, FrameFacts)> {
        let Last { sequence, time, rules, facts } = self.last.take()?;
        let kept = ["rule", "event_id", "class"];
        let ends = self.events.drain(..).map(|(event, since)| {
            let mut end = Event::new(sequence, time, "end");
            end.track = event.track;
            end.details = event.details.into_iter().filter(|(name, _)| kept.contains(&&**name)).collect();
            end.with("duration", (time - since).max(0.0))
        });
        let events: Vec<Event> = ends.collect();
        let rules = rules.iter().map(|rule| RuleState { active: 0, since: None, ..rule.clone() }).collect();
        let scene = Scene { sequence, time, events, rules: Arc::new(rules), ..Scene::default() };
        Some((scene, facts)).filter(|(scene, _)| !scene.events.is_empty())
    }
}

/// What an event of a rule is known by.
fn id(event: &Event) -> Option<&str> {
    event.detail("event_id").and_then(Value::as_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_started_and_not_ended_ends_with_the_run() {
        let event = |kind: &str, id: &str, time: f64| {
            Event::new(3, time, kind).with("rule", "r").with("event_id", id).of_track(7)
        };
        let mut way = UnderWay::default();
        let facts = FrameFacts { size: (4, 4), wall: None, file: None };
        let scene = |time: f64, events: Vec<Event>| Scene { sequence: 9, time, events, ..Scene::default() };
        way.take(&scene(1.0, vec![event("start", "r-1", 1.0), event("start", "r-2", 1.0)]), &facts);
        way.take(&scene(2.0, vec![event("update", "r-1", 2.0).of_track(8).with("zone", "a")]), &facts);
        way.take(&scene(3.0, vec![event("end", "r-2", 2.5), Event::new(9, 3.0, "cross")]), &facts);
        let (last, _) = way.end().unwrap();
        let [end] = last.events.as_slice() else { panic!("{:?}", last.events) };
        assert_eq!((&*end.kind, end.track, end.time, end.frame), ("end", Some(8), 3.0, 9));
        assert_eq!(end.detail("event_id").and_then(Value::as_text), Some("r-1"));
        assert_eq!(end.detail("duration").and_then(Value::as_number), Some(2.0));
        assert!(end.detail("zone").is_none() && way.end().is_none());
    }
}
