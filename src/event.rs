//! Something that happened at one moment: what [stages](crate::analyse) tell, and outputs write.

use std::sync::Arc;

use crate::attribute::Value;

/// Something that happened in a frame, such as an object that appeared or crossed a line.
///
/// Events are in [`Scene::events`](crate::scene::Scene::events) of the frame in which they happened, and in no other: going
/// back in a recording does not repeat them.
///
/// ```
/// use trailsight::event::Event;
///
/// let event = Event::new(12, 0.48, "line_crossed").of_track(7).with("line", "door");
/// assert_eq!(event.detail("line").and_then(|value| value.as_text()), Some("door"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The number of the frame in the source, from 0.
    pub frame: u64,
    /// Source time in seconds when it happened: that of the frame, or before it where it is known better, such as between
    /// two frames.
    pub time: f64,
    /// What happened, as a word for programs: small letters and underscores (`appeared`).
    pub kind: Arc<str>,
    /// The id of the track that it happened to; `None`: it concerns no single track.
    pub track: Option<u64>,
    /// More about it, by name, in the order in which it was added; empty for most events.
    pub details: Vec<(Arc<str>, Value)>,
}

impl Event {
    /// An event of no single track, without details. `time` is in seconds of source time.
    pub fn new(frame: u64, time: f64, kind: impl Into<Arc<str>>) -> Self {
        Self { frame, time, kind: kind.into(), track: None, details: Vec::new() }
    }

    /// The same event, of the track with this id.
    pub fn of_track(self, id: u64) -> Self {
        Self { track: Some(id), ..self }
    }

    /// The same event with one more detail.
    pub fn with(mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        self.details.push((name.into(), value.into()));
        self
    }

    /// The detail of this name; `None` where there is none.
    pub fn detail(&self, name: &str) -> Option<&Value> {
        self.details.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}
