//! The typed settings of the whole program: where they are looked for, how they are checked, and where each value came
//! from. Each room takes its own part; none sees the whole.
//!
//! Order: default < file < command line. The file is looked for at `--config`, `$TRAILSIGHT_CONFIG`, `./config.toml`, and
//! in the user's config folder; the first that is there is taken.

mod error;
mod keys;
mod kinds;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike, Value};

use crate::bounded;
use crate::detect::DetectSettings;
use crate::record::RecordSettings;
use crate::source::SourceSettings;
use crate::suggest;
use crate::track::{Preset, TrackSettings, TrailSettings};
use crate::view::OverlaySettings;

pub use error::{ConfigError, Mistake, Origin};
pub use keys::{KEYS, Key, key, sections};

/// The commented default configuration, as `trailsight config init` writes it.
pub const DEFAULT_FILE: &str = include_str!("../../config.toml");

/// The name of the environment variable that may hold the path of the config file.
pub const ENVIRONMENT: &str = "TRAILSIGHT_CONFIG";

/// The key that puts a published tracker in the place of all other settings of the tracker.
const PRESET: &str = "tracker.preset";
/// The score from which on an object is believed; presets have their own.
const CONFIDENCE: &str = "detector.confidence";

/// No config file is longer than this (bytes): what is, is something else.
const LONGEST: u64 = 1 << 20;

/// All settings of the program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Where frames come from.
    pub source: SourceSettings,
    /// The network.
    pub detector: DetectSettings,
    /// The tracker; its `start_score` is the detector's confidence, see [`Settings::track`].
    pub tracker: TrackSettings,
    /// The motion trails.
    pub trails: TrailSettings,
    /// What is drawn.
    pub overlay: OverlaySettings,
    /// What is written beside.
    pub record: RecordSettings,
}

impl Settings {
    /// The tracker's settings: an object is believed from the detector's confidence on.
    pub fn track(&self) -> TrackSettings {
        let confidence = self.detector.confidence;
        // Whoever asks for weak objects wants them matched like strong ones.
        TrackSettings {
            start_score: confidence,
            high_score: self.tracker.high_score.min(confidence),
            ..self.tracker
        }
    }

    /// The detector's settings for tracking, where weaker boxes help too.
    pub fn detect_for_tracking(&self) -> DetectSettings {
        let confidence = self.detector.confidence.min(self.tracker.low_score);
        DetectSettings { confidence, ..self.detector.clone() }
    }
}

/// Settings with where each came from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The settings in force.
    pub settings: Settings,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    origins: BTreeMap<&'static str, Origin>,
}

/// A value given on the command line: the key, the value, and how it was typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// `detector.confidence`.
    pub key: String,
    /// `0.5`; what is not TOML counts as text.
    pub value: String,
    /// `--confidence 0.5`.
    pub typed: String,
}

impl Loaded {
    /// Reads the config file (`asked_for`, or where it is usually found) and puts what the command line gives on top.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake that was found, each with its place.
    pub fn load(asked_for: Option<&Path>, given: &[Given]) -> Result<Self, ConfigError> {
        let mut loaded = Self::default();
        let mut mistakes = Vec::new();
        if let Some(path) = asked_for.map(Path::to_path_buf).or_else(find_file) {
            let text = read(&path)?;
            loaded.take_file(&path, &text, &mut mistakes);
            loaded.file = Some(path);
        }
        // What else the command line gives goes on top of the preset, whoever named it.
        let (presets, others): (Vec<_>, Vec<_>) = given.iter().partition(|given| given.key == PRESET);
        for given in presets {
            loaded.take_given(given, &mut mistakes);
        }
        loaded.take_preset();
        for given in others {
            loaded.take_given(given, &mut mistakes);
        }
        loaded.check_together(&mut mistakes);
        if mistakes.is_empty() { Ok(loaded) } else { Err(ConfigError::Mistakes(mistakes)) }
    }

    /// Where a key's value came from.
    pub fn origin(&self, key: &Key) -> Origin {
        self.origins.get(key.path).cloned().unwrap_or_default()
    }

    /// The settings as a config file, with where each value came from behind it.
    pub fn to_toml_with_origins(&self) -> String {
        let mut text = String::new();
        let mut last_section = "";
        for key in KEYS {
            let (section, name) = key.section_and_name();
            if section != last_section {
                let gap = if last_section.is_empty() { "" } else { "\n" };
                text.push_str(&format!("{gap}[{section}]\n"));
                last_section = section;
            }
            let assignment = format!("{name} = {}", key.get(&self.settings).to_string().trim());
            text.push_str(&format!("{assignment:<34} # {}\n", self.origin(key)));
        }
        text
    }

    /// Where a preset of a published tracker is named, all of that tracker's settings are in force, whatever stood there.
    fn take_preset(&mut self) {
        let preset = self.settings.tracker.preset;
        if preset == Preset::Default {
            return;
        }
        let origin = self.origins.get(PRESET).cloned().unwrap_or_default();
        self.settings.tracker = TrackSettings::of(preset);
        self.settings.detector.confidence = self.settings.tracker.start_score;
        let governed = |key: &&Key| key.section_and_name().0 == "tracker" || key.path == CONFIDENCE;
        self.origins.extend(KEYS.iter().filter(governed).map(|key| (key.path, origin.clone())));
    }

    fn take_file(&mut self, path: &Path, text: &str, mistakes: &mut Vec<Mistake>) {
        let line =
            |offset: usize| 1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count();
        let at = |offset: Option<usize>| Origin::File(path.to_owned(), line(offset.unwrap_or(0)));
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let origin = at(error.span().map(|span| span.start));
                mistakes.push(Mistake { origin, problem: error.message().trim().to_owned() });
                return;
            }
        };
        self.take_table("", document.as_table(), &at, mistakes);
    }

    fn take_table(
        &mut self,
        section: &str,
        table: &dyn TableLike,
        at: &dyn Fn(Option<usize>) -> Origin,
        mistakes: &mut Vec<Mistake>,
    ) {
        for (name, item) in table.iter() {
            let path = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            let span = table.key(name).and_then(|key| key.span()).or_else(|| item.span());
            let origin = at(span.map(|span| span.start));
            let is_section = sections().iter().any(|s| *s == path || s.starts_with(&format!("{path}.")));
            match (item, item.as_table_like()) {
                (_, Some(inner)) if is_section => self.take_table(&path, inner, at, mistakes),
                (_, Some(_)) if key(&path).is_none() => {
                    let hint = suggest::hint(&path, sections());
                    let problem =
                        format!("there is no section [{path}]{hint} (known: {})", sections().join(", "));
                    mistakes.push(Mistake { origin, problem });
                }
                (Item::Value(value), _) if !is_section => self.take_value(&path, value, origin, mistakes),
                _ => {
                    let what =
                        if is_section { "is a section, not a value" } else { "is a value, not a section" };
                    mistakes.push(Mistake { origin, problem: format!("{path} {what}") });
                }
            }
        }
    }

    fn take_given(&mut self, given: &Given, mistakes: &mut Vec<Mistake>) {
        let value = given.value.parse::<Value>().unwrap_or_else(|_| given.value.as_str().into());
        self.take_value(&given.key, &value, Origin::CommandLine(given.typed.clone()), mistakes);
    }

    fn take_value(&mut self, path: &str, value: &Value, origin: Origin, mistakes: &mut Vec<Mistake>) {
        let Some(key) = key(path) else {
            mistakes.push(Mistake { origin, problem: unknown_key(path) });
            return;
        };
        match key.set(&mut self.settings, value) {
            Ok(()) => {
                self.origins.insert(key.path, origin);
            }
            Err(allowed) => {
                let shown: String = value.to_string().trim().chars().take(60).collect();
                let problem = format!("{path} cannot be {shown}: allowed is {allowed}");
                mistakes.push(Mistake { origin, problem });
            }
        }
    }

    /// What each value allows alone may still not go together.
    fn check_together(&self, mistakes: &mut Vec<Mistake>) {
        let Settings { source, tracker, .. } = &self.settings;
        let origin = |path: &str| self.origins.get(path).cloned().unwrap_or_default();
        if let (Some(start), Some(end)) = (source.start, source.end)
            && end <= start
        {
            let problem =
                format!("source.end cannot be {end}: allowed is a time after source.start, which is {start}");
            mistakes.push(Mistake { origin: origin("source.end"), problem });
        }
        if tracker.low_score > tracker.high_score {
            let (low, high) = (tracker.low_score, tracker.high_score);
            let problem = format!(
                "tracker.low_score cannot be {low}: allowed is at most tracker.high_score, which is {high}"
            );
            mistakes.push(Mistake { origin: origin("tracker.low_score"), problem });
        }
    }
}

fn unknown_key(path: &str) -> String {
    let known = KEYS.iter().map(|key| key.path);
    // First among the names of the same section, where a slip is likeliest; then by the bare name anywhere.
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings = KEYS.iter().filter(|key| key.section_and_name().0 == section);
    let hint = suggest::nearest(name, siblings.clone().map(|key| key.section_and_name().1))
        .and_then(|meant| siblings.clone().find(|key| key.section_and_name().1 == meant))
        .or_else(|| KEYS.iter().find(|key| key.section_and_name().1 == name))
        .map(|key| key.path)
        .or_else(|| suggest::nearest(path, known))
        .map(|meant| format!("; did you mean \"{meant}\"?"))
        .unwrap_or_default();
    let names: Vec<_> = siblings.map(|key| key.section_and_name().1).collect();
    if names.is_empty() {
        let sections = sections().join(", ");
        return format!("there is no setting \"{path}\"{hint} (sections: {sections})");
    }
    format!("there is no setting \"{path}\"{hint} (in [{section}]: {})", names.join(", "))
}

/// Reads a config file.
fn read(path: &Path) -> Result<String, ConfigError> {
    let fail = |why: String| ConfigError::File { path: path.to_owned(), tried: "read", why };
    if path.is_dir() {
        return Err(fail("it is a folder".to_owned()));
    }
    bounded::read_text(path, LONGEST).map_err(|error| fail(error.to_string()))
}

/// The first config file in the usual places.
fn find_file() -> Option<PathBuf> {
    // A file that is named but missing is a mistake to be told, not a reason to look further.
    if let Some(named) = env::var_os(ENVIRONMENT).filter(|path| !path.is_empty()) {
        return Some(named.into());
    }
    let here = PathBuf::from("config.toml");
    let users = directories::ProjectDirs::from("", "", "trailsight")
        .map(|dirs| dirs.config_dir().join("config.toml"));
    [Some(here), users].into_iter().flatten().find(|path| path.is_file())
}

#[cfg(test)]
mod tests;
