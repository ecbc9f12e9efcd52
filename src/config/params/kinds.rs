//! The kinds of values that a setting can have: how each is read from TOML and written to it, and what it allows, in words
//! and as a JSON Schema.

use std::fmt::Display;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Value as Json, json};
use toml_edit::{Array, Value};

use crate::analyse::{BoxAnchor, FixedTo};
use crate::detect::model::{BoxForm, ColourOrder, Fit};
use crate::detect::{AttentionChoice, Family, Runtime};
use crate::enhance::{Median, ShownPicture, WhiteBalance};
use crate::source::{CameraBackend, Rotate, RtspTransport};
use crate::track::{Preset, TrailAnchor};
use crate::view::{MAX_SCALE, MIN_SCALE, Scale, SpeedUnit};

/// A kind of value.
pub(super) trait Kind {
    /// What it is in the program.
    type Set;
    /// Reads it; fails with what is allowed, in words.
    fn read(&self, value: &Value) -> Result<Self::Set, String>;
    fn write(&self, set: &Self::Set) -> Value;
    /// Which values are allowed, in words.
    fn allowed(&self) -> String;
    /// Which values are allowed, as a JSON Schema (draft-07); it must refuse no value that `read` takes from a file.
    fn schema(&self) -> Json;
}

/// `true` or `false`.
pub(super) struct Switch;

impl Kind for Switch {
    type Set = bool;

    fn read(&self, value: &Value) -> Result<bool, String> {
        value.as_bool().ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &bool) -> Value {
        (*set).into()
    }

    fn allowed(&self) -> String {
        "true or false".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "type": "boolean" })
    }
}

/// A number in a range, whole numbers included.
pub(super) struct Real(pub(super) RangeInclusive<f64>);

impl Real {
    fn number(&self, value: &Value) -> Result<f64, String> {
        let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        number.filter(|number| self.0.contains(number)).ok_or_else(|| self.allowed())
    }
}

impl Kind for Real {
    type Set = f64;

    fn read(&self, value: &Value) -> Result<f64, String> {
        self.number(value)
    }

    fn write(&self, set: &f64) -> Value {
        (*set).into()
    }

    fn allowed(&self) -> String {
        format!("a number from {} to {}", self.0.start(), self.0.end())
    }

    fn schema(&self) -> Json {
        json!({ "type": "number", "minimum": self.0.start(), "maximum": self.0.end() })
    }
}

/// A number in a range, held with 32 bits.
pub(super) struct Real32(pub(super) RangeInclusive<f64>);

impl Kind for Real32 {
    type Set = f32;

    fn read(&self, value: &Value) -> Result<f32, String> {
        Real(self.0.clone()).number(value).map(|number| number as f32)
    }

    fn write(&self, set: &f32) -> Value {
        // Through text, so that 0.1 does not become 0.10000000149011612.
        set.to_string().parse::<f64>().unwrap_or(f64::from(*set)).into()
    }

    fn allowed(&self) -> String {
        Real(self.0.clone()).allowed()
    }

    fn schema(&self) -> Json {
        Real(self.0.clone()).schema()
    }
}

/// A whole number in a range, or 0 for "none".
pub(super) struct WholeOrNone(pub(super) RangeInclusive<i64>);

impl Kind for WholeOrNone {
    type Set = Option<u32>;

    fn read(&self, value: &Value) -> Result<Option<u32>, String> {
        if value.as_integer() == Some(0) {
            return Ok(None);
        }
        Whole(self.0.clone()).number(value).map(Some).map_err(|_| self.allowed())
    }

    fn write(&self, set: &Option<u32>) -> Value {
        i64::from(set.unwrap_or_default()).into()
    }

    fn allowed(&self) -> String {
        format!("0 (none) or {}", <Whole as Kind>::allowed(&Whole(self.0.clone())))
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "enum": [0] }, <Whole as Kind>::schema(&Whole(self.0.clone()))] })
    }
}

/// A number in a range, or 0 for "none".
pub(super) struct RealOrNone(pub(super) RangeInclusive<f64>);

impl Kind for RealOrNone {
    type Set = Option<f64>;

    fn read(&self, value: &Value) -> Result<Option<f64>, String> {
        let real = Real(self.0.clone());
        let zero = value.as_float() == Some(0.0) || value.as_integer() == Some(0);
        if zero {
            return Ok(None);
        }
        real.number(value).map(Some).map_err(|_| self.allowed())
    }

    fn write(&self, set: &Option<f64>) -> Value {
        set.unwrap_or(0.0).into()
    }

    fn allowed(&self) -> String {
        format!("0 (none) or {}", Real(self.0.clone()).allowed())
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "enum": [0] }, Real(self.0.clone()).schema()] })
    }
}

/// A whole number in a range.
pub(super) struct Whole(pub(super) RangeInclusive<i64>);

impl Whole {
    fn number<T: TryFrom<i64>>(&self, value: &Value) -> Result<T, String> {
        value
            .as_integer()
            .filter(|number| self.0.contains(number))
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| self.allowed())
    }
}

impl Kind for Whole {
    type Set = u32;

    fn read(&self, value: &Value) -> Result<u32, String> {
        self.number(value)
    }

    fn write(&self, set: &u32) -> Value {
        i64::from(*set).into()
    }

    fn allowed(&self) -> String {
        format!("a whole number from {} to {}", self.0.start(), self.0.end())
    }

    fn schema(&self) -> Json {
        json!({ "type": "integer", "minimum": self.0.start(), "maximum": self.0.end() })
    }
}

/// A whole number in a range, as a count of things in memory.
pub(super) struct Count(pub(super) RangeInclusive<i64>);

impl Kind for Count {
    type Set = usize;

    fn read(&self, value: &Value) -> Result<usize, String> {
        Whole(self.0.clone()).number(value)
    }

    fn write(&self, set: &usize) -> Value {
        (*set as i64).into()
    }

    fn allowed(&self) -> String {
        Whole(self.0.clone()).allowed()
    }

    fn schema(&self) -> Json {
        Whole(self.0.clone()).schema()
    }
}

/// A file's path, or `""` for "none".
pub(super) struct File;

impl Kind for File {
    type Set = Option<PathBuf>;

    fn read(&self, value: &Value) -> Result<Option<PathBuf>, String> {
        let path = value.as_str().ok_or_else(|| self.allowed())?;
        Ok((!path.is_empty()).then(|| path.into()))
    }

    fn write(&self, set: &Option<PathBuf>) -> Value {
        set.as_ref().map(|path| path.display().to_string()).unwrap_or_default().into()
    }

    fn allowed(&self) -> String {
        "a file's path in quotes, or \"\" for none".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string" })
    }
}

/// A list of names; also taken as one string with commas, as it comes from a command line.
pub(super) struct Names;

impl Kind for Names {
    type Set = Vec<String>;

    fn read(&self, value: &Value) -> Result<Vec<String>, String> {
        let allowed = || self.allowed();
        if let Some(text) = value.as_str() {
            return Ok(text
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect());
        }
        let list = value.as_array().ok_or_else(allowed)?;
        list.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(allowed)).collect()
    }

    fn write(&self, set: &Vec<String>) -> Value {
        Value::Array(set.iter().collect::<Array>())
    }

    fn allowed(&self) -> String {
        "a list of names, such as [\"person\", \"car\"]".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }] })
    }
}

/// Anything that is written as text and says itself what it allows; where there is one, with a regular expression that
/// every allowed text matches.
pub(super) struct Text<T>(Option<&'static str>, PhantomData<T>);

impl<T> Text<T> {
    pub(super) const fn any() -> Self {
        Self(None, PhantomData)
    }

    pub(super) const fn like(pattern: &'static str) -> Self {
        Self(Some(pattern), PhantomData)
    }
}

impl<T: FromStr<Err = String> + Display> Kind for Text<T> {
    type Set = T;

    fn read(&self, value: &Value) -> Result<T, String> {
        match value {
            Value::String(text) => text.value().parse(),
            other => other.to_string().trim().parse(),
        }
    }

    fn write(&self, set: &T) -> Value {
        set.to_string().into()
    }

    fn allowed(&self) -> String {
        // No kind of text may hold this character.
        "\0".parse::<T>().err().unwrap_or_else(|| "any text".to_owned())
    }

    fn schema(&self) -> Json {
        match self.0 {
            Some(pattern) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "type": "string" }),
        }
    }
}

/// The same, where numbers and switches could be meant as text and are not: it must stand in quotes.
pub(super) struct Quoted<T>(pub(super) PhantomData<T>);

impl<T: FromStr<Err = String> + Display> Kind for Quoted<T> {
    type Set = T;

    fn read(&self, value: &Value) -> Result<T, String> {
        value.as_str().ok_or_else(|| self.allowed())?.parse()
    }

    fn write(&self, set: &T) -> Value {
        Text::<T>::any().write(set)
    }

    fn allowed(&self) -> String {
        Text::<T>::any().allowed()
    }

    fn schema(&self) -> Json {
        Text::<T>::any().schema()
    }
}

/// One of a few words.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Kind for Choice<T> {
    type Set = T;

    fn read(&self, value: &Value) -> Result<T, String> {
        let found = value.as_str().and_then(|text| self.0.iter().find(|(word, _)| *word == text));
        found.map(|&(_, set)| set).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &T) -> Value {
        self.0.iter().find(|(_, known)| known == set).map_or("", |&(word, _)| word).into()
    }

    fn allowed(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        words.join(" or ")
    }

    fn schema(&self) -> Json {
        let words: Vec<_> = self.0.iter().map(|&(word, _)| word).collect();
        json!({ "enum": words })
    }
}

pub(super) const ANCHORS: Choice<TrailAnchor> =
    Choice(&[("bottom", TrailAnchor::Bottom), ("center", TrailAnchor::Center)]);

pub(super) const ANCHORED: Choice<BoxAnchor> =
    Choice(&[("bottom", BoxAnchor::Bottom), ("center", BoxAnchor::Center), ("top", BoxAnchor::Top)]);

pub(super) const FIXED_TO: Choice<FixedTo> =
    Choice(&[("screen", FixedTo::Screen), ("scene", FixedTo::Scene)]);

pub(super) const SPEED_UNITS: Choice<Option<SpeedUnit>> = Choice(&[
    ("km/h", Some(SpeedUnit::KilometresAnHour)),
    ("m/s", Some(SpeedUnit::MetresASecond)),
    ("mph", Some(SpeedUnit::MilesAnHour)),
    ("off", None),
]);

pub(super) const PRESETS: Choice<Preset> =
    Choice(&[("default", Preset::Default), ("bytetrack", Preset::Bytetrack), ("sort", Preset::Sort)]);

pub(super) const BALANCES: Choice<WhiteBalance> = Choice(&[
    ("off", WhiteBalance::Off),
    ("grey-world", WhiteBalance::GreyWorld),
    ("white-patch", WhiteBalance::WhitePatch),
]);

pub(super) const SHOWN_PICTURES: Choice<ShownPicture> = Choice(&[
    ("original", ShownPicture::Original),
    ("enhanced", ShownPicture::Enhanced),
    ("split", ShownPicture::Split),
]);

pub(super) const MEDIANS: Choice<Median> =
    Choice(&[("off", Median::Off), ("3x3", Median::Three), ("5x5", Median::Five)]);

pub(super) const BACKENDS: Choice<CameraBackend> =
    Choice(&[("auto", CameraBackend::Auto), ("v4l", CameraBackend::V4l), ("nokhwa", CameraBackend::Nokhwa)]);

pub(super) const RTSP_TRANSPORTS: Choice<RtspTransport> =
    Choice(&[("auto", RtspTransport::Auto), ("tcp", RtspTransport::Tcp), ("udp", RtspTransport::Udp)]);

pub(super) const ATTENTIONS: Choice<AttentionChoice> = Choice(&[
    ("auto", AttentionChoice::Auto),
    ("all", AttentionChoice::All),
    ("motion", AttentionChoice::Motion),
]);

pub(super) const RUNTIMES: Choice<Runtime> = Choice(&[
    ("auto", Runtime::Auto),
    ("native", Runtime::Native),
    ("tract", Runtime::Tract),
    ("onnxruntime", Runtime::OnnxRuntime),
]);

pub(super) const FAMILIES: Choice<Option<Family>> = Choice(&[
    ("auto", None),
    ("yolox", Some(Family::Yolox)),
    ("yolo", Some(Family::Yolo)),
    ("yolo-nas", Some(Family::YoloNas)),
    ("pp-yoloe", Some(Family::PpYoloe)),
    ("picodet", Some(Family::PicoDet)),
    ("nanodet", Some(Family::NanoDet)),
    ("rtmdet", Some(Family::RtmDet)),
    ("detr", Some(Family::Detr)),
    ("rt-detr", Some(Family::RtDetr)),
    ("rf-detr", Some(Family::RfDetr)),
]);

pub(super) const BOX_FORMS: Choice<Option<BoxForm>> = Choice(&[
    ("auto", None),
    ("centre-size", Some(BoxForm::CentreSize)),
    ("centre-size-shares", Some(BoxForm::CentreSizeShares)),
    ("corners", Some(BoxForm::Corners)),
    ("corners-shares", Some(BoxForm::CornersShares)),
    ("offsets", Some(BoxForm::GridOffsets)),
]);

pub(super) const ORDERS: Choice<Option<ColourOrder>> =
    Choice(&[("auto", None), ("rgb", Some(ColourOrder::Rgb)), ("bgr", Some(ColourOrder::Bgr))]);

pub(super) const SCALES: Choice<Option<f32>> =
    Choice(&[("auto", None), ("1", Some(1.0)), ("1/255", Some(1.0 / 255.0))]);

pub(super) const FITS: Choice<Option<Fit>> = Choice(&[
    ("auto", None),
    ("letterbox", Some(Fit::LetterboxCentred(114))),
    ("letterbox-top-left", Some(Fit::LetterboxTopLeft(114))),
    ("stretch", Some(Fit::Stretch)),
]);

/// Degrees clockwise: 0, 90, 180 or 270.
pub(super) struct Turn;

impl Kind for Turn {
    type Set = Rotate;

    fn read(&self, value: &Value) -> Result<Rotate, String> {
        match value.as_integer() {
            Some(0) => Ok(Rotate::None),
            Some(90) => Ok(Rotate::Quarter),
            Some(180) => Ok(Rotate::Half),
            Some(270) => Ok(Rotate::ThreeQuarters),
            _ => Err(self.allowed()),
        }
    }

    fn write(&self, set: &Rotate) -> Value {
        let degrees: i64 = match set {
            Rotate::None => 0,
            Rotate::Quarter => 90,
            Rotate::Half => 180,
            Rotate::ThreeQuarters => 270,
        };
        degrees.into()
    }

    fn allowed(&self) -> String {
        "0, 90, 180 or 270".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "enum": [0, 90, 180, 270] })
    }
}

const FACTOR: Real = Real(MIN_SCALE as f64..=MAX_SCALE as f64);

/// `"auto"` or a factor.
pub(super) struct Size;

impl Kind for Size {
    type Set = Scale;

    fn read(&self, value: &Value) -> Result<Scale, String> {
        if value.as_str() == Some("auto") {
            return Ok(Scale::Auto);
        }
        FACTOR.number(value).map(|factor| Scale::Fixed(factor as f32)).map_err(|_| self.allowed())
    }

    fn write(&self, set: &Scale) -> Value {
        match set {
            Scale::Auto => "auto".into(),
            Scale::Fixed(factor) => Real32(0.0..=0.0).write(factor),
        }
    }

    fn allowed(&self) -> String {
        format!("\"auto\" or {}", FACTOR.allowed())
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "enum": ["auto"] }, FACTOR.schema()] })
    }
}
