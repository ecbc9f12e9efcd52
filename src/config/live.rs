//! The settings while the program runs: the layers, and what happens when the file or the panel changes one of them.
//!
//! The newest change of a key wins. A value that changes in the file takes the place of what the command line or the
//! panel held for that key, also where it is taken out of the file (its default is then in force); keys whose value in
//! the file stays the same are left as they are. A reading with a mistake changes nothing at all.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use toml_edit::Value;

use super::error::{ConfigError, Mistake, Notice, Origin};
use super::file::{self, Held, Parsed, Values, checked, same};
use super::layers::{Layers, Origins, PRESET, check_together, is_governed};
use super::params::{Effect, Parameter, in_list, parameters};
use super::watch::{Reading, Watch};
use super::{Loaded, Settings, check_counted_classes, check_heat_classes, check_rule_classes, write};
use crate::detect::check_classes;
use crate::track::Preset;

/// What a reading of the file has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that have another value now, in the order of the table.
    pub keys: Vec<&'static str>,
    /// Those of them that take effect when the program starts the next time.
    pub later: Vec<&'static str>,
    /// Keys that changed in the file but are not in force, because a preset goes before them.
    pub without_effect: Vec<&'static str>,
}

impl Changes {
    /// Nothing to be told.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.without_effect.is_empty()
    }
}

impl fmt::Display for Changes {
    /// One line for people: `detector.confidence, trails.seconds; at the next start: source.fps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now: Vec<_> = self.keys.iter().filter(|key| !self.later.contains(key)).copied().collect();
        let mut parts = Vec::new();
        if !now.is_empty() {
            parts.push(now.join(", "));
        }
        if !self.later.is_empty() {
            parts.push(format!("at the next start: {}", self.later.join(", ")));
        }
        if !self.without_effect.is_empty() {
            parts.push(format!("without effect beside {PRESET}: {}", self.without_effect.join(", ")));
        }
        f.write_str(&parts.join("; "))
    }
}

/// What a reading of the file came to.
#[derive(Debug)]
pub enum Reload {
    /// Nothing: the file says what it said.
    Same,
    /// The file says what it said before, after it was wrong or gone for a while.
    Mended,
    /// The file is no more; its last settings stay in force.
    Gone,
    /// Values have changed.
    Changed(Changes),
    /// The file has mistakes; its last good settings stay in force.
    Wrong(ConfigError),
}

/// What was written back.
#[derive(Debug)]
pub struct Saved {
    /// The file.
    pub path: PathBuf,
    /// The keys written, in the order of the table.
    pub keys: Vec<&'static str>,
    /// Keys that stay with the panel: a preset goes before what the file says of them.
    pub left_out: Vec<&'static str>,
    /// Changes that another program made in the file at the same time, and that are now in force too.
    pub changes: Changes,
}

/// The settings in force while the program runs.
#[derive(Debug)]
pub struct Live {
    path: PathBuf,
    /// What stood in the file when it was last right; `None`: there was no file yet.
    text: Option<String>,
    layers: Layers,
    settings: Settings,
    origins: Origins,
    /// What is wrong with the file, until it is mended.
    problem: Option<String>,
    /// What stood in the file when it was refused; it may go together with another value in the panel.
    refused: Option<String>,
    /// Old names about which a person was told.
    told: BTreeSet<&'static str>,
}

/// A set of layers that is right, and not yet in force.
struct Next {
    layers: Layers,
    settings: Settings,
    origins: Origins,
    notices: Vec<Notice>,
}

impl Live {
    /// Goes on from what was loaded. Where there was no file, it is `config.toml` in the current folder that may come.
    pub fn new(loaded: Loaded) -> Self {
        let Loaded { settings, file, text, origins, layers, notices } = loaded;
        let path = file.unwrap_or_else(|| PathBuf::from("config.toml"));
        let told = notices.iter().map(|notice| notice.name).collect();
        Self { path, text, layers, settings, origins, problem: None, refused: None, told }
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The file, which may not be there yet.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a key's value came from.
    pub fn origin(&self, parameter: &Parameter) -> Origin {
        self.origins.get(parameter.path).cloned().unwrap_or_default()
    }

    /// The keys that the panel holds, in the order of the table.
    pub fn changed(&self) -> Vec<&'static str> {
        in_order(|path| self.layers.panel.contains_key(path))
    }

    /// What is wrong with the file, for as long as it is.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Watches the file; what it gives is for [`Live::take`].
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn watch(&self) -> std::io::Result<Watch> {
        let known = self.text.clone().map_or(Reading::Gone, Reading::Text);
        Watch::start(&self.path, known)
    }

    /// Puts a value on top of all others; `mask.door.enabled` is a value in one table of a list. One that is the same as what lies beneath only takes away what lies on top.
    ///
    /// # Errors
    /// What is wrong with the value, in words; nothing has changed then.
    pub fn set(&mut self, path: &str, value: &Value) -> Result<(), String> {
        // Whoever calls this knows the names of this version.
        let found = match in_list(path, value, &self.settings) {
            Some(in_list) => in_list.and_then(|(list, whole)| checked(list.path, &whole))?,
            None => checked(path, value)?,
        };
        let (key, value) = found.value.ok_or_else(|| format!("{path} is gone"))?;
        if key.effect == Effect::NextStart {
            return Err(format!("{} cannot change while the source is open", key.path));
        }
        let mut beneath = self.layers.clone();
        beneath.panel.remove(key.path);
        let mut layers = beneath.clone();
        layers.panel.insert(key.path, Held { value: value.clone(), origin: Origin::Panel });
        if beneath.value(key) == layers.value(key) {
            layers = beneath;
        }
        self.go_on(layers)
    }

    /// Takes away what [`Live::set`] put on top of a key.
    ///
    /// # Errors
    /// What is wrong with the value beneath, in words, where it does not go together with what else the panel holds;
    /// nothing has changed then.
    pub fn reset(&mut self, path: &str) -> Result<(), String> {
        let mut layers = self.layers.clone();
        layers.panel.remove(path);
        self.go_on(layers)
    }

    fn go_on(&mut self, layers: Layers) -> Result<(), String> {
        let next = self.next(layers).map_err(|mistakes| {
            mistakes.into_iter().map(|mistake| mistake.problem).next().unwrap_or_default()
        })?;
        self.put_in_force(next);
        if let Some(text) = self.refused.take() {
            // It may be right now, beside the new value.
            self.take_text(text);
        }
        Ok(())
    }

    /// Takes in what a look at the file gave.
    pub fn take(&mut self, reading: Reading) -> Reload {
        match reading {
            Reading::Text(text) => self.take_text(text),
            Reading::Unreadable(why) => {
                self.refused = None;
                self.wrong(ConfigError::File { path: self.path.clone(), tried: "read", why })
            }
            // Where there never was a file, none is missing.
            Reading::Gone if self.text.is_none() => self.unchanged(),
            Reading::Gone => {
                self.refused = None;
                let told = format!("{} is gone: its last settings stay in force", self.path.display());
                if self.problem.as_ref() == Some(&told) {
                    return Reload::Same;
                }
                self.problem = Some(told);
                Reload::Gone
            }
        }
    }

    fn take_text(&mut self, text: String) -> Reload {
        self.refused = None;
        if self.text.as_ref() == Some(&text) {
            return self.unchanged();
        }
        match self.with_file(&text) {
            Ok((next, without_effect)) => {
                let changes = self.changes(&next, without_effect);
                self.put_in_force(next);
                self.text = Some(text);
                let same = self.unchanged();
                if changes.is_empty() { same } else { Reload::Changed(changes) }
            }
            Err(mistakes) => {
                self.refused = Some(text);
                self.wrong(ConfigError::Mistakes(mistakes))
            }
        }
    }

    /// The file is right, and says nothing new.
    fn unchanged(&mut self) -> Reload {
        if self.problem.take().is_some() { Reload::Mended } else { Reload::Same }
    }

    fn wrong(&mut self, error: ConfigError) -> Reload {
        let told = error.to_string();
        if self.problem.as_ref() == Some(&told) {
            return Reload::Same;
        }
        self.problem = Some(told);
        Reload::Wrong(error)
    }

    /// The layers with another text in the file, and the keys whose change has no effect.
    fn with_file(&self, text: &str) -> Result<(Next, Vec<&'static str>), Vec<Mistake>> {
        let Parsed { values, mistakes, notices } = file::parse(&self.path, text);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let changed = in_order(|path| !same(self.layers.file.get(path), values.get(path)));
        let mut layers = Layers { file: values, ..self.layers.clone() };
        if changed.contains(&PRESET) {
            layers.hand_over(PRESET);
        }
        let preset = layers.preset() != Preset::Default;
        let mut without_effect = Vec::new();
        for path in changed {
            if preset && is_governed(path) {
                without_effect.push(path);
            } else {
                layers.hand_over(path);
            }
        }
        Ok((Next { notices, ..self.next(layers)? }, without_effect))
    }

    /// Checks what the layers come to.
    fn next(&self, layers: Layers) -> Result<Next, Vec<Mistake>> {
        let (settings, origins) = layers.compose();
        let mut mistakes = Vec::new();
        check_together(&settings, &origins, &mut mistakes);
        let (new, old) = (&settings.detector, &self.settings.detector);
        // The names are read anew where they can be wrong, and only there: this may read a file.
        let names_changed = (&new.classes, &new.labels) != (&old.classes, &old.labels);
        let counts_by_class =
            settings.counting != self.settings.counting && settings.counting.names_classes();
        let asks_for_others = settings.rules != self.settings.rules && !settings.rules.is_empty();
        let heats_by_class = settings.heat.classes != self.settings.heat.classes;
        if names_changed || counts_by_class || heats_by_class || asks_for_others {
            let (key, problem) = match check_classes(new) {
                Ok(labels) => {
                    let counted = check_counted_classes(&settings.counting, &labels)
                        .and_then(|()| check_heat_classes(&settings.heat, &labels));
                    match counted.and_then(|()| check_rule_classes(&settings, &labels)) {
                        Ok(()) => ("", None),
                        Err((key, problem)) => (key, Some(problem)),
                    }
                }
                Err(error) => {
                    let key = if new.classes == old.classes { "detector.labels" } else { "detector.classes" };
                    (key, Some(format!("{key}: {error}")))
                }
            };
            let origin = origins.get(key).cloned().unwrap_or_default();
            mistakes.extend(problem.map(|problem| Mistake { origin, problem }));
        }
        if mistakes.is_empty() {
            Ok(Next { layers, settings, origins, notices: Vec::new() })
        } else {
            Err(mistakes)
        }
    }

    fn changes(&self, next: &Next, without_effect: Vec<&'static str>) -> Changes {
        let value = |settings: &Settings, parameter: &Parameter| parameter.get(settings).to_string();
        let differs =
            |parameter: &&Parameter| value(&self.settings, parameter) != value(&next.settings, parameter);
        let changed: Vec<_> = parameters().iter().filter(differs).collect();
        let keys = changed.iter().map(|parameter| parameter.path).collect();
        let waits = |parameter: &&&Parameter| parameter.effect == Effect::NextStart;
        let later = changed.iter().filter(waits).map(|parameter| parameter.path).collect();
        Changes { keys, later, without_effect }
    }

    fn put_in_force(&mut self, next: Next) {
        let Next { layers, settings, origins, notices } = next;
        (self.layers, self.settings, self.origins) = (layers, settings, origins);
        for notice in notices {
            if self.told.insert(notice.name) {
                log::warn!("{notice}");
            }
        }
    }

    /// Writes what the panel holds into the file, and nothing else: every comment, the order and the form of all other
    /// lines stay. From then on these values are the file's.
    ///
    /// # Errors
    /// [`ConfigError::File`] when the file cannot be written, has mistakes, or would have some.
    pub fn write_back(&mut self) -> Result<Saved, ConfigError> {
        let fail = |why: String| ConfigError::File { path: self.path.clone(), tried: "write", why };
        let preset = self.layers.preset() != Preset::Default;
        let (left_out, keys): (Vec<_>, Vec<_>) =
            self.changed().into_iter().partition(|path| preset && is_governed(path));
        let on_disk = match Reading::of(&self.path) {
            Reading::Text(text) => text,
            // Whoever lost the file gets it back as it was last seen.
            Reading::Gone => self.text.clone().unwrap_or_default(),
            Reading::Unreadable(why) => return Err(fail(why)),
        };
        if keys.is_empty() {
            let changes = Changes::default();
            return Ok(Saved { path: self.path.clone(), keys, left_out, changes });
        }
        let broken = |mistakes: Vec<Mistake>, when: &str| {
            fail(format!("it {when} a mistake: {}", ConfigError::Mistakes(mistakes)))
        };
        let Parsed { values: old, mistakes, .. } = file::parse(&self.path, &on_disk);
        if !mistakes.is_empty() {
            return Err(broken(mistakes, "has"));
        }
        let mut wanted = Values::new();
        for &path in &keys {
            wanted.extend(self.layers.panel.get(path).map(|held| (path, held.clone())));
        }
        let text = write::with_values(&on_disk, &old, &wanted).map_err(fail)?;

        // The file has to be right by itself as well, when the program starts the next time without `--set`.
        let (next, without_effect) = self.with_file(&text).map_err(|found| broken(found, "would have"))?;
        let alone = Layers { file: next.layers.file.clone(), ..Layers::default() };
        let (settings, origins) = alone.compose();
        let mut mistakes = Vec::new();
        check_together(&settings, &origins, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(broken(mistakes, "would have"));
        }

        let path = write::replace(&self.path, &text).map_err(|error| fail(error.to_string()))?;
        let mut layers = next.layers;
        for &key in &keys {
            layers.hand_over(key);
        }
        let (settings, origins) = layers.compose();
        let next = Next { layers, settings, origins, notices: next.notices };
        let changes = self.changes(&next, without_effect);
        self.put_in_force(next);
        (self.text, self.problem, self.refused) = (Some(text), None, None);
        Ok(Saved { path, keys, left_out, changes })
    }
}

impl Layers {
    /// The file has the last word on a key.
    fn hand_over(&mut self, path: &str) {
        self.given.remove(path);
        self.panel.remove(path);
    }

    fn preset(&self) -> Preset {
        self.compose().0.tracker.preset
    }
}

/// The names of the keys for which `is_wanted`, in the order of the table.
fn in_order(is_wanted: impl Fn(&'static str) -> bool) -> Vec<&'static str> {
    parameters().iter().map(|parameter| parameter.path).filter(|path| is_wanted(path)).collect()
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
