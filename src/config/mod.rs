//! The typed settings of the whole program: where they come from, and how they are checked. Each room gets its own part;
//! none sees the whole.
//!
//! Later layers win: default, file, command line, panel. The file is the first that exists of `--config`,
//! `$TRAILSIGHT_CONFIG`, `./config.toml`, and `trailsight/config.toml` in the user's config folder.
//!
//! | file | what for |
//! |---|---|
//! | `params/` | the one table of parameters; the kinds of values and what each allows; lists of tables such as `[[mask]]` |
//! | `reference.rs`, `schema.rs` | texts made from that table: the default file, `docs/settings.md`, the JSON Schema |
//! | `file.rs`, `layers.rs` | a file's text as checked values; the values in force from all layers |
//! | `live.rs`, `watch.rs` | while the program runs: changes of settings, and of the file |
//! | `write.rs`, `write_lists.rs` | values, and lists of tables, written back into a file without touching the rest |
//! | `adjust.rs` | the settings that the panel shows, and how each moves |
//! | `counting.rs`, `ground.rs`, `rules.rs` | lines and zones, the ground, rules: what each table alone does not tell |
//! | `error.rs` | mistakes, each with its place |

pub mod adjust;
mod counting;
mod error;
mod file;
mod ground;
mod layers;
mod live;
mod params;
mod reference;
mod rules;
mod schema;
mod watch;
mod write;
mod write_lists;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use toml_edit::Value;

use crate::analyse::{CountingSettings, GroundSettings, HeatSettings, RuleSettings};
use crate::bounded;
use crate::detect::{DetectSettings, Slicer};
use crate::enhance::EnhanceSettings;
use crate::sink::RecordSettings;
use crate::source::SourceSettings;
use crate::track::{TrackSettings, TrailSettings};
use crate::view::OverlaySettings;
use crate::zoo::ModelsSettings;

pub use counting::{check_counted_classes, check_heat_classes};
pub use error::{ConfigError, Mistake, Notice, Origin};
pub use live::{Changes, Live, Reload, Saved};
use params::in_list;
pub use params::{Effect, Parameter, parameter, parameters, sections};
pub use reference::{default_file, settings_reference};
pub use rules::check_rule_classes;
pub use schema::schema;
pub use watch::{Reading, Watch};

use file::{Checked, Held, checked};
use layers::{Layers, check_together};

/// The name of the environment variable that may hold the path of the config file.
pub const ENVIRONMENT: &str = "TRAILSIGHT_CONFIG";

/// No config file is longer than this (bytes): what is, is something else.
const LONGEST: u64 = 1 << 20;

/// All settings of the program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Where frames come from.
    pub source: SourceSettings,
    /// What is done to pictures before the network sees them, and where in them it looks.
    pub enhance: EnhanceSettings,
    /// The network.
    pub detector: DetectSettings,
    /// Where models known by name are fetched from.
    pub models: ModelsSettings,
    /// The tracker, for recorded detections; see [`Settings::track`] for the network's.
    pub tracker: TrackSettings,
    /// The motion trails.
    pub trails: TrailSettings,
    /// What is drawn.
    pub overlay: OverlaySettings,
    /// What is written beside.
    pub record: RecordSettings,
    /// Lines and zones.
    pub counting: CountingSettings,
    /// Where the ground is.
    pub ground: GroundSettings,
    /// The heat map.
    pub heat: HeatSettings,
    /// What is to be told.
    pub rules: Vec<RuleSettings>,
}

impl Settings {
    /// The tracker's settings for what the network finds: weak detections begin tracks, and what is gathered over time tells
    /// which of these are shown.
    pub fn track(&self) -> TrackSettings {
        self.tracker.with_confidence(self.detector.confidence)
    }

    /// Which slices of a picture the network looks at.
    pub fn slicer(&self) -> Slicer {
        let EnhanceSettings { crop, tiles, tile_overlap, .. } = self.enhance;
        Slicer { crop, columns: tiles.columns, rows: tiles.rows, overlap: tile_overlap }
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
    /// What stood in it.
    text: Option<String>,
    origins: BTreeMap<&'static str, Origin>,
    notices: Vec<Notice>,
    layers: Layers,
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
            let parsed = file::parse(&path, &text);
            (loaded.layers.file, loaded.notices) = (parsed.values, parsed.notices);
            mistakes = parsed.mistakes;
            (loaded.file, loaded.text) = (Some(path), Some(text));
        }
        for Given { key, value, typed } in given {
            let value = value.parse::<Value>().unwrap_or_else(|_| value.as_str().into());
            let origin = Origin::CommandLine(typed.clone());
            // A value in one table of a list changes the list as it stands.
            let in_list = in_list(key, &value, &loaded.layers.compose().0);
            let found = match in_list {
                Some(Ok((list, whole))) => checked(list.path, &whole),
                Some(Err(problem)) => Err(problem),
                None => checked(key, &value),
            };
            match found {
                Ok(Checked { value, old }) => {
                    if let Some((name, text)) = old {
                        loaded.notices.push(Notice { origin: origin.clone(), name, text });
                    }
                    if let Some((parameter, value)) = value {
                        loaded.layers.given.insert(parameter.path, Held { value, origin });
                    }
                }
                Err(problem) => mistakes.push(Mistake { origin, problem }),
            }
        }
        (loaded.settings, loaded.origins) = loaded.layers.compose();
        check_together(&loaded.settings, &loaded.origins, &mut mistakes);
        if mistakes.is_empty() { Ok(loaded) } else { Err(ConfigError::Mistakes(mistakes)) }
    }

    /// What a person should know about the names that were used; each old name once.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        let is_first = |&(index, notice): &(usize, &Notice)| {
            self.notices.iter().position(|other| other.name == notice.name) == Some(index)
        };
        self.notices.iter().enumerate().filter(is_first).map(|(_, notice)| notice)
    }

    /// Where a key's value came from.
    pub fn origin(&self, parameter: &Parameter) -> Origin {
        self.origins.get(parameter.path).cloned().unwrap_or_default()
    }

    /// The tracker's settings for recorded detections, whose scores are those of another detector: the tracker's own, unless
    /// somebody asked for a confidence, which then is the score that begins a track.
    pub fn track_recorded(&self) -> TrackSettings {
        let Settings { detector, tracker, .. } = &self.settings;
        if !self.origins.contains_key("detector.confidence")
            || self.origins.contains_key("tracker.start_score")
        {
            return *tracker;
        }
        let start_score = detector.confidence;
        TrackSettings { start_score, high_score: tracker.high_score.min(start_score), ..*tracker }
    }

    /// The settings as a config file, with where each value came from behind it.
    pub fn to_toml_with_origins(&self) -> String {
        let mut text = String::new();
        let mut last_section = "";
        for key in parameters() {
            if key.list.is_some() {
                let origin = self.origin(key);
                for table in key.get(&self.settings).as_array().into_iter().flatten() {
                    let heading = format!("[[{}]]", key.path);
                    text.push_str(&format!("\n{heading:<34} # {origin}\n"));
                    for (name, value) in table.as_inline_table().into_iter().flatten() {
                        text.push_str(&format!("{name} = {}\n", value.to_string().trim()));
                    }
                }
                continue;
            }
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
