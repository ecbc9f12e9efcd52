//! The one table of parameters: each setting of the program with its name, kind and range of values, unit, meaning, old
//! names, and when a change takes effect.
//!
//! Everything that lists settings is made from it: the text of `config.toml` and the tables of `docs/settings.md`
//! (`reference.rs`), the JSON Schema (`schema.rs`), the checks of files and command lines (`file.rs`), and the panel
//! (`adjust.rs`). The default stands in the settings type of each room, and is read from there. The tracker's rows come from
//! [`TRACK_PARAMETERS`], which `tune` searches in too.
//!
//! A new setting is a field in its room's settings type, with its default, and one line in `table.rs`.

mod ground;
mod kinds;
mod lists;
mod shapes;
mod table;

use serde_json::Value as Json;
use toml_edit::Value;

use super::Settings;
use crate::suggest;
use crate::track::{TRACK_PARAMETERS, TrackParameter};
use kinds::{Kind, Real, Real32, Switch, Whole};

pub(super) use lists::List;
pub(super) use lists::in_list;
pub use table::parameters;
pub(super) use table::{REMOVED, SECTIONS};

/// When the change of a setting takes effect while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// At once.
    Live,
    /// Once another network has been loaded.
    Network,
    /// When the program starts the next time.
    NextStart,
}

/// One setting.
#[derive(Debug)]
pub struct Parameter {
    /// Its name with its section: `detector.confidence`.
    pub path: &'static str,
    /// What it means, in one line.
    pub comment: &'static str,
    /// The unit of its value, such as `s`; empty where there is none.
    pub unit: &'static str,
    /// Full names that it had in earlier versions; they still work.
    pub aliases: &'static [&'static str],
    /// When a change takes effect.
    pub effect: Effect,
    /// For a list of tables.
    pub(super) list: Option<List>,
    access: Access,
}

/// How its value is read, written and described.
#[derive(Debug)]
enum Access {
    /// By a kind of value.
    Kind {
        read: fn(&mut Settings, &Value) -> Result<(), String>,
        write: fn(&Settings) -> Value,
        allowed: fn() -> String,
        schema: fn() -> Json,
    },
    /// By the tracker's own table.
    Tracker(&'static TrackParameter),
}

/// The kind of value that one of the tracker's parameters has, for [`with_kind`].
macro_rules! with_kind {
    ($parameter:expr, $settings:expr, |$kind:ident, $field:ident| $does:expr) => {{
        use crate::track::Field;
        let (least, most) = $parameter.range;
        match $parameter.field($settings) {
            Field::Single($field) => {
                let $kind = Real32(least..=most);
                $does
            }
            Field::Double($field) => {
                let $kind = Real(least..=most);
                $does
            }
            Field::Whole($field) => {
                let $kind = Whole(least as i64..=most as i64);
                $does
            }
            Field::Switch($field) => {
                let $kind = Switch;
                $does
            }
        }
    }};
}

impl Parameter {
    fn of_tracker(parameter: &'static TrackParameter) -> Self {
        let TrackParameter { path, comment, unit, aliases, .. } = *parameter;
        Self {
            path,
            comment,
            unit,
            aliases,
            effect: Effect::Live,
            list: None,
            access: Access::Tracker(parameter),
        }
    }

    /// Puts a value from a file or a command line into the settings.
    ///
    /// # Errors
    /// What is allowed, in words, where the value is of another kind or out of range.
    pub fn set(&self, settings: &mut Settings, value: &Value) -> Result<(), String> {
        match self.access {
            Access::Kind { read, .. } => read(settings, value),
            Access::Tracker(parameter) => with_kind!(parameter, &mut settings.tracker, |kind, field| {
                *field = kind.read(value)?;
                Ok(())
            }),
        }
    }

    /// The value in the settings, as a config file would have it.
    pub fn get(&self, settings: &Settings) -> Value {
        match self.access {
            Access::Kind { write, .. } => write(settings),
            Access::Tracker(parameter) => {
                with_kind!(parameter, &mut settings.tracker.clone(), |kind, field| kind.write(field))
            }
        }
    }

    /// Its default value, as a config file would have it.
    pub fn default(&self) -> Value {
        self.get(&Settings::default())
    }

    /// Which values are allowed, in words.
    pub fn allowed(&self) -> String {
        match self.access {
            Access::Kind { allowed, .. } => allowed(),
            Access::Tracker(parameter) => {
                let mut settings = Settings::default().tracker;
                with_kind!(parameter, &mut settings, |kind, _field| kind.allowed())
            }
        }
    }

    /// Which values are allowed, as a JSON Schema.
    pub(super) fn schema(&self) -> Json {
        match self.access {
            Access::Kind { schema, .. } => schema(),
            Access::Tracker(parameter) => {
                let mut settings = Settings::default().tracker;
                with_kind!(parameter, &mut settings, |kind, _field| kind.schema())
            }
        }
    }

    /// The least and the greatest value that `tune` tries; `None`: it leaves the setting as it is.
    pub fn search(&self) -> Option<(f64, f64)> {
        TRACK_PARAMETERS.iter().find(|searched| searched.path == self.path)?.search
    }

    /// The section and the name within it.
    pub fn section_and_name(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }
}

/// The setting with this full name; old names are not known here.
pub fn parameter(path: &str) -> Option<&'static Parameter> {
    parameters().iter().find(|parameter| parameter.path == path)
}

/// The meaning of a name in a file or on a command line.
pub(super) enum Named {
    /// A setting, by its name.
    Parameter(&'static Parameter),
    /// A setting, by an old name.
    Renamed(&'static Parameter, &'static str),
    /// A setting that was removed: its name, and the reason.
    Removed(&'static str, &'static str),
}

/// Finds what a full name stands for.
pub(super) fn named(path: &str) -> Option<Named> {
    let old = |parameter: &'static Parameter| {
        let name = parameter.aliases.iter().find(|alias| **alias == path)?;
        Some(Named::Renamed(parameter, name))
    };
    parameter(path).map(Named::Parameter).or_else(|| parameters().iter().find_map(old)).or_else(|| {
        REMOVED.iter().find(|(name, _)| *name == path).map(|&(name, why)| Named::Removed(name, why))
    })
}

/// All lists of tables.
pub(super) fn lists() -> impl Iterator<Item = (&'static Parameter, &'static List)> {
    parameters().iter().filter_map(|parameter| Some((parameter, parameter.list.as_ref()?)))
}

/// The names of all sections, in order.
pub fn sections() -> Vec<&'static str> {
    let all = parameters().iter().filter(|parameter| parameter.list.is_none());
    let mut sections: Vec<_> = all.map(|parameter| parameter.section_and_name().0).collect();
    sections.dedup();
    sections
}

/// Says that there is no such setting, with what may have been meant.
pub(super) fn unknown(path: &str) -> String {
    let known = parameters().iter().map(|parameter| parameter.path);
    // First among the names of the same section, where a slip is likeliest; then by the bare name anywhere.
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings =
        parameters().iter().filter(|known| known.list.is_none() && known.section_and_name().0 == section);
    let hint = suggest::nearest(name, siblings.clone().map(|known| known.section_and_name().1))
        .and_then(|meant| siblings.clone().find(|known| known.section_and_name().1 == meant))
        .or_else(|| parameters().iter().find(|known| known.section_and_name().1 == name))
        .map(|meant| meant.path)
        .or_else(|| suggest::nearest(path, known))
        .map(|meant| format!("; did you mean \"{meant}\"?"))
        .unwrap_or_default();
    let names: Vec<_> = siblings.map(|known| known.section_and_name().1).collect();
    if names.is_empty() {
        let sections = sections().join(", ");
        return format!("there is no setting \"{path}\"{hint} (sections: {sections})");
    }
    format!("there is no setting \"{path}\"{hint} (in [{section}]: {})", names.join(", "))
}
