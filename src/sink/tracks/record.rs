//! A track as JSON: the one layout that track files and status files share.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::format::{center_velocity, rounded, state};
use crate::attribute::Value;
use crate::dataset::{ExtraRecord, MaskRecord};
use crate::labels::Labels;
use crate::scene::{Scene, Track, TrackState};

/// A track as JSON, numbers rounded for people. Fields may be added; none changes its name or meaning.
#[derive(Debug, serde::Serialize)]
pub struct TrackRecord<'a> {
    /// From 1, never used twice for one source.
    pub id: u64,
    /// The name of its class.
    pub class: Cow<'a, str>,
    /// The number of its class, from 0.
    pub class_id: u16,
    /// The score of its last detection, 0 to 1.
    pub score: f64,
    /// Left, top, width, height in pixels of the source picture, its top-left corner at (0, 0).
    #[serde(rename = "box")]
    pub rect: [f64; 4],
    /// How the centre of the box moves, to the right and down, in pixels a second.
    pub velocity: [f64; 2],
    /// Seconds since its first detection.
    pub age: f64,
    /// `seen`, or `lost`: not in this frame.
    pub state: &'static str,
    /// Whether the box is a prediction, which is so when the track is lost.
    pub predicted: bool,
    /// What the network tells of it beside its box; left out where the track was not seen in this frame.
    #[serde(flatten)]
    pub extra: ExtraRecord,
    /// What stages found out about it, by name; left out where there is nothing.
    #[serde(skip_serializing_if = "TrackAttributes::is_empty")]
    pub attributes: TrackAttributes,
}

impl<'a> TrackRecord<'a> {
    /// The record of a track of this scene.
    pub fn of(track: &Track, scene: &Scene, labels: &'a Labels) -> Self {
        let (rect, extra) = (track.rect, scene.extra(track.id));
        Self {
            id: track.id,
            class: labels.name(track.class),
            class_id: track.class,
            score: rounded(track.score, 4),
            rect: [rect.left, rect.top, rect.width, rect.height].map(|edge| rounded(edge, 2)),
            velocity: center_velocity(track).map(|speed| rounded(speed, 2)),
            age: rounded(scene.time - track.born, 6),
            state: state(track),
            predicted: track.state == TrackState::Lost,
            extra: extra.map(|extra| ExtraRecord::of(extra, None)).unwrap_or_default(),
            attributes: TrackAttributes(
                (scene.attributes.of(track.id)).map(|(name, value)| (name.into(), value.clone())).collect(),
            ),
        }
    }

    /// The same record with the pixels of the object, in a picture of this width and height.
    pub(super) fn with_mask(self, scene: &Scene, size: (u32, u32)) -> Self {
        let mask = scene.extra(self.id).and_then(|extra| extra.mask.as_ref());
        let mask = mask.map(|mask| MaskRecord::of(mask, size).0);
        Self { extra: ExtraRecord { mask, ..self.extra }, ..self }
    }

    /// The same record, with a copy of what it borrows.
    pub fn into_owned(self) -> TrackRecord<'static> {
        TrackRecord { class: self.class.into_owned().into(), ..self }
    }
}

/// The attributes of one track, as a JSON object.
#[derive(Debug, Default)]
pub struct TrackAttributes(Vec<(Arc<str>, Value)>);

impl TrackAttributes {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for TrackAttributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, self.0.iter().map(|(name, value)| (&**name, value)))
    }
}

/// Values by name as a JSON object, in this order; what is no finite number is `null`.
pub(super) fn object<'a, S: Serializer>(
    serializer: S,
    values: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (name, value) in values {
        match value {
            Value::Number(number) => map.serialize_entry(name, number)?,
            Value::Whole(number) => map.serialize_entry(name, number)?,
            Value::Flag(flag) => map.serialize_entry(name, flag)?,
            Value::Text(text) => map.serialize_entry(name, &**text)?,
        }
    }
    map.end()
}
