//! The layers of settings and what they come to: default < file < command line < panel.
//!
//! A preset of the tracker sets all of a published tracker's settings: values of these in the file have no effect then.
//! Single values from the command line or the panel override the preset, whichever layer chose it.

use std::collections::BTreeMap;

use super::error::{Mistake, Origin};
use super::file::{Held, Values};
use super::params::{Parameter, parameter, parameters};
use super::{Settings, counting, ground, rules};
use crate::track::{Preset, TrackSettings};

/// The key that puts a published tracker in the place of all other settings of the tracker.
pub(super) const PRESET: &str = "tracker.preset";
/// The score from which an object is reported; presets have their own.
const CONFIDENCE: &str = "detector.confidence";

/// Where each value came from; what is missing is a default.
pub(super) type Origins = BTreeMap<&'static str, Origin>;

/// What each layer holds. All values are checked.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    pub(super) file: Values,
    pub(super) given: Values,
    pub(super) panel: Values,
}

/// Whether a preset has a value of its own for this key.
pub(super) fn is_governed(path: &str) -> bool {
    path != PRESET && (path == CONFIDENCE || path.starts_with("tracker."))
}

impl Layers {
    /// The settings in force, and where each came from.
    pub(super) fn compose(&self) -> (Settings, Origins) {
        let mut settings = Settings::default();
        let mut origins = Origins::new();
        let mut put = |settings: &mut Settings, path: &'static str, held: &Held| {
            // What a layer holds was checked; a value that is refused all the same leaves the one beneath.
            if parameter(path).is_some_and(|parameter| parameter.set(settings, &held.value).is_ok()) {
                origins.insert(path, held.origin.clone());
            }
        };
        for (path, held) in &self.file {
            put(&mut settings, path, held);
        }
        for layer in [&self.given, &self.panel] {
            if let Some(held) = layer.get(PRESET) {
                put(&mut settings, PRESET, held);
            }
        }
        if settings.tracker.preset != Preset::Default {
            let named =
                [&self.panel, &self.given, &self.file].into_iter().find_map(|layer| layer.get(PRESET));
            settings.tracker = TrackSettings::of(settings.tracker.preset);
            settings.detector.confidence = settings.tracker.start_score;
            for parameter in parameters().iter().filter(|known| is_governed(known.path)) {
                if let Some(held) = named {
                    let value = parameter.get(&settings);
                    put(&mut settings, parameter.path, &Held { value, ..held.clone() });
                }
            }
        }
        for layer in [&self.given, &self.panel] {
            for (path, held) in layer.iter().filter(|(path, _)| **path != PRESET) {
                put(&mut settings, path, held);
            }
        }
        (settings, origins)
    }

    /// The value in force of one setting.
    pub(super) fn value(&self, parameter: &Parameter) -> String {
        parameter.get(&self.compose().0).to_string()
    }
}

/// What each value allows alone may still not go together.
pub(super) fn check_together(settings: &Settings, origins: &Origins, mistakes: &mut Vec<Mistake>) {
    let Settings { source, tracker, .. } = settings;
    let origin = |path: &str| origins.get(path).cloned().unwrap_or_default();
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
    for problem in ground::problems(&settings.ground) {
        mistakes.push(Mistake { origin: origin("ground"), problem });
    }
    for (path, problem) in counting::twice(&settings.counting) {
        mistakes.push(Mistake { origin: origin(path), problem });
    }
    for problem in rules::mistakes(settings) {
        mistakes.push(Mistake { origin: origin("rule"), problem });
    }
}
