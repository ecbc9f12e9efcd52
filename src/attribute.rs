//! What is known of tracks beyond box, class and score: values by name, kept beside the tracks of a scene.
//!
//! A [`Track`](crate::scene::Track) itself is a few numbers that are copied freely. A stage that finds out more (a speed, a
//! colour, the result of a classifier) puts it into [`Scene::attributes`](crate::scene::Scene::attributes), keyed by the
//! track's id. A scene without attributes takes no memory for them.

use std::fmt;
use std::sync::Arc;

/// The attribute with how far right of the ground's origin a track stands, in metres.
pub const GROUND_X: &str = "x_m";
/// The attribute with how far ahead of the ground's origin a track stands, in metres.
pub const GROUND_Y: &str = "y_m";
/// The attribute with the speed on the ground, in metres a second.
pub const SPEED: &str = "speed_m_per_s";
/// The attribute with half the interval that holds the true speed in nine of ten cases, in metres a second.
pub const SPEED_ERROR: &str = "speed_error_m_per_s";
/// The attribute with the direction on the ground, in degrees clockwise from Y as seen from above.
pub const HEADING: &str = "heading_deg";

/// A value of an attribute, or of a detail of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; its unit is part of the attribute's name (`speed_px_per_s`).
    Number(f64),
    /// A whole number without a unit: a count, an id.
    Whole(u64),
    /// Yes or no.
    Flag(bool),
    /// A text, shared by its clones.
    Text(Arc<str>),
}

impl Value {
    /// The number, whole or not; `None` where it is something else.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Whole(number) => Some(*number as f64),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }

    /// The text; `None` where it is something else.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// One attribute of one track.
#[derive(Debug, Clone, PartialEq)]
struct Attribute {
    track: u64,
    name: Arc<str>,
    value: Value,
}

/// The attributes of a scene's tracks, ordered by track id and name.
///
/// ```
/// use trailsight::attribute::Attributes;
///
/// let mut attributes = Attributes::default();
/// attributes.set(7, "dwell_s", 2.5);
/// assert_eq!(attributes.get(7, "dwell_s").and_then(|value| value.as_number()), Some(2.5));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Sets an attribute of the track with this id; an earlier value of the same name is replaced.
    pub fn set(&mut self, track: u64, name: impl Into<Arc<str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.find(track, &name) {
            Ok(index) => self.0[index].value = value,
            Err(index) => self.0.insert(index, Attribute { track, name, value }),
        }
    }

    /// An attribute of the track with this id; `None` where no stage has set it.
    pub fn get(&self, track: u64, name: &str) -> Option<&Value> {
        self.find(track, name).ok().map(|index| &self.0[index].value)
    }

    /// All attributes of the track with this id, by name.
    pub fn of(&self, track: u64) -> impl Iterator<Item = (&str, &Value)> {
        let first = self.0.partition_point(|attribute| attribute.track < track);
        let own = self.0[first..].iter().take_while(move |attribute| attribute.track == track);
        own.map(|attribute| (&*attribute.name, &attribute.value))
    }

    /// Whether no track has an attribute.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives attributes to other tracks: each id is replaced by what `rename` makes of it.
    pub(crate) fn rename(&mut self, rename: impl Fn(u64) -> u64) {
        for attribute in &mut self.0 {
            attribute.track = rename(attribute.track);
        }
        self.0.sort_by(|a, b| (a.track, &*a.name).cmp(&(b.track, &*b.name)));
    }

    fn find(&self, track: u64, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|attribute| (attribute.track, &*attribute.name).cmp(&(track, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_track_and_name_and_replaced() {
        let mut attributes = Attributes::default();
        assert!(attributes.is_empty());
        for (track, name, value) in [(9, "b", 1.0), (3, "a", 2.0), (9, "a", 3.0), (9, "b", 4.0)] {
            attributes.set(track, name, value);
        }
        attributes.set(3, "colour", "red");
        assert_eq!(attributes.get(9, "b"), Some(&Value::Number(4.0)));
        assert_eq!(attributes.get(3, "b"), None);
        assert_eq!(attributes.get(3, "colour").and_then(Value::as_text), Some("red"));
        let of =
            |track| attributes.of(track).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(of(9), ["a=3", "b=4"]);
        assert_eq!(of(3), ["a=2", "colour=red"]);
        assert!(of(4).is_empty());
    }
}
