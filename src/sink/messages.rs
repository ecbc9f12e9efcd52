//! Events as messages for a consumer elsewhere: a web address that they are posted to, or an MQTT broker, which is told how
//! things stand, too. What a message holds is what a line of a `.jsonl` file holds, and its `id`.
//!
//! The [outbox](crate::outbox) keeps messages on disk until they have arrived. Below the prefix of a broker's address
//! (`trailsight` where it has none) there are
//!
//! | topic | what | retained |
//! |---|---|---|
//! | `events` | each event | no |
//! | `lines/NAME` | `in`, `out` and `classes`, as in `--counts` | yes |
//! | `zones/NAME` | `occupancy`, `longest_now`, `in`, `out` and `classes`, as there | yes |
//! | `rules/NAME` | `active`, how many of its events are under way, `since` when, `started`: how many so far | yes |
//! | `available` | `online`, and `offline` once the program has ended or is gone | yes |
//!
//! and Home Assistant finds them by itself ([`discovery`](super::discovery)).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::counts::{line_document, zone_document};
use super::discovery::{Standing, discovery, level};
use super::events::json_line;
use super::tracks::format::rounded;
use super::{End, FrameFacts, RunInfo, Sink, SinkError};
use crate::counts::{Counts, RuleState};
use crate::outbox::{Limits, Mqtt, Outbox, Webhook, key, shown};
use crate::scene::Scene;

/// What waits for a consumer at most.
const LIMITS: Limits = Limits { bytes: 64 << 20, age: Duration::from_secs(7 * 24 * 3600) };
/// How long the end of a run waits for messages to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Posts events to a web address.
pub(super) fn webhook(address: &Path) -> Result<Box<dyn Sink>, SinkError> {
    sink(address, |address| Webhook::new(address).map(Consumer::Web))
}

/// Publishes events and counts to a broker.
pub(super) fn mqtt(address: &Path) -> Result<Box<dyn Sink>, SinkError> {
    sink(address, |address| Ok(Consumer::Broker(Box::new(Mqtt::new(address)?))))
}

fn sink(
    address: &Path,
    consumer: impl FnOnce(&str) -> Result<Consumer, String>,
) -> Result<Box<dyn Sink>, SinkError> {
    let address = address.to_string_lossy().into_owned();
    let name = shown(&address);
    let consumer = consumer(&address).map_err(|why| SinkError::failed(&name, &why))?;
    Ok(Box::new(MessageSink {
        address,
        name,
        consumer: Some(consumer),
        prefix: None,
        run: None,
        newest: None,
    }))
}

enum Consumer {
    Web(Webhook),
    Broker(Box<Mqtt>),
}

struct MessageSink {
    /// With its secrets.
    address: String,
    name: String,
    /// Before the run begins.
    consumer: Option<Consumer>,
    /// What stands before the topics of a broker.
    prefix: Option<String>,
    run: Option<(Outbox, RunInfo)>,
    newest: Option<(Arc<Counts>, Arc<Vec<RuleState>>)>,
}

impl MessageSink {
    fn failed(&self, why: &dyn std::fmt::Display) -> SinkError {
        SinkError::failed(&self.name, why.to_string())
    }

    /// Tells how things stand, where that has changed.
    fn tell(&mut self, counts: &Arc<Counts>, rules: &Arc<Vec<RuleState>>) {
        let (Some((outbox, run)), true) = (&self.run, self.prefix.is_some()) else { return };
        let before = self.newest.replace((Arc::clone(counts), Arc::clone(rules)));
        let then = before.as_ref().map(|(counts, rules)| Standing { counts, rules });
        let now = Standing { counts, rules };
        for (index, line) in counts.lines.iter().enumerate() {
            let known = then.and_then(|then| then.counts.lines.get(index));
            if known.is_none_or(|known| (&known.name, &known.crossed) != (&line.name, &line.crossed)) {
                outbox.set_state(
                    &format!("lines/{}", level(&line.name)),
                    line_document(line, &run.labels).to_string(),
                );
            }
        }
        for (index, zone) in counts.zones.iter().enumerate() {
            let known = then.and_then(|then| then.counts.zones.get(index));
            // Not for the seconds alone, which every frame changes.
            let stands =
                |zone: &crate::counts::ZoneCounts| (zone.name.clone(), zone.occupancy, zone.passed.clone());
            if known.is_none_or(|known| stands(known) != stands(zone)) {
                let document = zone_document(zone, &run.labels);
                outbox.set_state(&format!("zones/{}", level(&zone.name)), document.to_string());
            }
        }
        for rule in rules.iter().filter(|rule| then.is_none_or(|then| !then.rules.contains(rule))) {
            outbox.set_state(&format!("rules/{}", level(&rule.name)), rule_document(rule).to_string());
        }
        let topics = |Standing { counts, rules }: Standing<'_>| {
            let lines = counts.lines.iter().map(|line| format!("lines/{}", level(&line.name)));
            let zones = counts.zones.iter().map(|zone| format!("zones/{}", level(&zone.name)));
            let rules = rules.iter().map(|rule| format!("rules/{}", level(&rule.name)));
            lines.chain(zones).chain(rules).collect()
        };
        let topics_now: BTreeSet<String> = topics(now);
        let topics_then = then.map(topics);
        if topics_then.as_ref() == Some(&topics_now) {
            return;
        }
        // A message without contents takes what the broker keeps away.
        topics_then.iter().flatten().filter(|topic| !topics_now.contains(*topic)).for_each(|topic| {
            outbox.set_state(topic, String::new());
        });
        if let Some(prefix) = &self.prefix {
            let (topic, document) = discovery(prefix, &run.source, now, then);
            outbox.set_state(&topic, document.to_string());
        }
    }

    fn put(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        let Some((outbox, run)) = &mut self.run else { return Ok(()) };
        for event in &scene.events {
            let put = outbox.put(|id| json_line(event, frame, run, Some(id)));
            put.map_err(|error| SinkError::failed(&self.name, error.to_string()))?;
        }
        Ok(())
    }
}

/// How a rule stands.
fn rule_document(rule: &RuleState) -> Json {
    let RuleState { name, active, since, started } = rule;
    json!({ "name": &**name, "active": active, "since": since.map(|since| rounded(since, 3)), "started": started })
}

impl Sink for MessageSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        let folder = folder().ok_or_else(|| {
            self.failed(&"there is no folder for what waits to be delivered: set XDG_STATE_HOME, or HOME, to a folder")
        })?;
        let key = key(&self.address);
        let names = (self.name.as_str(), key.as_str());
        let outbox = match self.consumer.take() {
            Some(Consumer::Web(webhook)) => Outbox::open(&folder, names, LIMITS, webhook),
            Some(Consumer::Broker(mqtt)) => {
                self.prefix = Some(mqtt.prefix().to_owned());
                Outbox::open(&folder, names, LIMITS, *mqtt)
            }
            None => return Ok(()),
        };
        self.run = Some((outbox.map_err(|error| self.failed(&error))?, run.clone()));
        Ok(())
    }

    fn scene(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        self.put(scene, frame)?;
        // Where the last line and the last rule are gone, that is told too.
        if scene.counts.is_some() || !scene.rules.is_empty() || self.newest.is_some() {
            self.tell(&scene.counts.clone().unwrap_or_default(), &scene.rules);
        }
        Ok(())
    }

    fn last(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        self.put(scene, frame)?;
        let counts = self.newest.as_ref().map(|(counts, _)| Arc::clone(counts)).unwrap_or_default();
        self.tell(&counts, &scene.rules);
        Ok(())
    }

    fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
        let Some((outbox, _)) = self.run else { return Ok(()) };
        let folder = outbox.folder().to_owned();
        let left = outbox.finish(if end == End::Discarded { Duration::ZERO } else { PATIENCE });
        if left > 0 {
            log::warn!(
                "{}: {left} messages wait in {}; the next run with this address delivers them first",
                self.name,
                folder.display()
            );
        }
        Ok(())
    }
}

/// Where queues lie: `$XDG_STATE_HOME/trailsight/outbox`, or where the system keeps what programs remember.
fn folder() -> Option<PathBuf> {
    let places = directories::BaseDirs::new()?;
    let state = places.state_dir().unwrap_or_else(|| places.data_local_dir());
    Some(state.join("trailsight").join("outbox"))
}
