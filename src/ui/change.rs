//! Settings that change while the window is open: the config file is saved, keys are pressed, the panel is used.
//!
//! A session and a grid hold one [`LiveSettings`] each. Every attempt to change a setting gives a [`Change`]; the owner
//! hands changed settings to its pipelines and shows the message.

use toml_edit::Value;

use super::command::Command;
use crate::config::{Live, Reload, Settings, Watch, adjust, parameter};
use crate::pipeline::Note;

/// How many of the panel's steps the keys for the confidence take at once.
const CONFIDENCE_STEPS: i32 = 5;

/// The result of an attempt to change settings.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The settings before; `None` where none changed.
    pub(crate) before: Option<Box<Settings>>,
    /// What to tell the user.
    pub(crate) message: Option<String>,
}

/// The settings in force, and the config file they follow.
pub(crate) struct LiveSettings {
    pub(crate) live: Live,
    /// Reports changes of the file; `None` where it cannot be watched.
    watch: Option<Watch>,
}

impl LiveSettings {
    /// Begins to watch the config file.
    pub(crate) fn new(live: Live) -> Self {
        let watch =
            live.watch().inspect_err(|error| log::warn!("the config file cannot be watched: {error}"));
        Self { watch: watch.ok(), live }
    }

    /// The settings in force.
    pub(crate) fn get(&self) -> &Settings {
        self.live.settings()
    }

    /// The changes of the config file since the last call.
    pub(crate) fn poll(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(reading) = self.watch.as_ref().and_then(|watch| watch.readings().try_recv().ok()) {
            let before = Box::new(self.live.settings().clone());
            changes.push(match self.live.take(reading) {
                Reload::Changed(changed) => {
                    Change { before: Some(before), message: Some(format!("changed: {changed}")) }
                }
                Reload::Wrong(error) => {
                    log::error!("{error}");
                    Change::default()
                }
                Reload::Gone => {
                    if let Some(problem) = self.live.problem() {
                        log::error!("{problem}");
                    }
                    Change::default()
                }
                Reload::Mended => {
                    Change { message: Some("the config file is correct again".to_owned()), before: None }
                }
                Reload::Same => Change::default(),
            });
        }
        changes
    }

    /// Changes a setting; `change` returns the reason if it cannot.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Live) -> Result<(), String>) -> Change {
        let before = Box::new(self.live.settings().clone());
        match change(&mut self.live) {
            Ok(()) => Change { before: Some(before), message: None },
            Err(why) => Change { before: None, message: Some(why) },
        }
    }

    /// Carries out a command that changes a setting; `None` for any other command.
    pub(crate) fn command(&mut self, command: Command) -> Option<Change> {
        Some(match command {
            Command::Switch(layer) => {
                let path = layer.key();
                let on = parameter(path)?.get(self.live.settings()).as_bool()?;
                self.change(|live| live.set(path, &Value::from(!on)))
            }
            Command::Compare => {
                let show = self.live.settings().enhance.show.next();
                let change = self.change(|live| live.set("enhance.show", &show.word().into()));
                Change { message: Some(show.sentence().into()), ..change }
            }
            Command::Confidence(steps) => {
                self.nudge("detector.confidence", steps * CONFIDENCE_STEPS, |settings| {
                    format!("confidence {:.2}", settings.detector.confidence)
                })
            }
            Command::TrailLength(steps) => self.nudge("trails.seconds", steps, |settings| {
                format!("trails {:.1} s", settings.trails.seconds)
            }),
            _ => return None,
        })
    }

    /// Moves a setting by steps of the panel; the message says its new value.
    fn nudge(&mut self, path: &'static str, steps: i32, words: impl Fn(&Settings) -> String) -> Change {
        let change = self.change(|live| adjust::nudge(live, path, steps));
        let told = change.before.is_some().then(|| words(self.live.settings()));
        Change { message: told.or(change.message), before: change.before }
    }

    /// Writes what keys and the panel have changed into the config file.
    pub(crate) fn write_back(&mut self) -> Change {
        let before = Box::new(self.live.settings().clone());
        match self.live.write_back() {
            Ok(saved) => {
                let path = saved.path.display();
                let message = match (saved.keys.len(), saved.left_out.len()) {
                    (0, 0) => "nothing has changed".to_owned(),
                    (0, _) => "tracker.preset overrides these changes: nothing is written".to_owned(),
                    (1, _) => format!("{} is in {path}", saved.keys.join("")),
                    (several, _) => format!("{several} settings are in {path}"),
                };
                Change { before: Some(before), message: Some(message) }
            }
            Err(error) => Change { before: None, message: Some(error.to_string()) },
        }
    }
}

/// The message of a note about another network; a failure is also logged.
pub(crate) fn message_of(note: Note) -> String {
    match note {
        Note::Swapped(network) => network,
        Note::Failed(why) => {
            log::error!("{why}");
            why
        }
    }
}
