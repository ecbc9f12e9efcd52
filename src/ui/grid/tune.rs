//! Settings that change while several sources run: the config file is saved, keys are pressed.

use toml_edit::Value;

use super::{Common, Stage};
use crate::config::{Live, Reload, Settings, adjust, parameter};
use crate::ui::command::Command;
use crate::ui::session::obey::CONFIDENCE_STEPS;

/// What needs another network. It is one for all sources, and stays what it is.
const NETWORK: [&str; 6] = [
    "detector.model",
    "detector.labels",
    "detector.input",
    "detector.runtime",
    "detector.onnxruntime",
    "detector.threads",
];

impl Common {
    /// The settings in force, with the network from the beginning.
    pub(super) fn in_force(&self) -> Settings {
        let mut settings = self.live.settings().clone();
        let (now, begun) = (&mut settings.detector, &self.begun.detector);
        (now.model, now.labels) = (begun.model.clone(), begun.labels.clone());
        (now.input, now.threads) = (begun.input, begun.threads);
        (now.runtime, now.onnxruntime) = (begun.runtime, begun.onnxruntime.clone());
        settings
    }
}

impl Stage {
    /// What the file has to tell; true where something is to be drawn anew.
    pub(super) fn hear_of_changes(&mut self) -> bool {
        let mut heard = false;
        while let Some(reading) = self.watch.as_ref().and_then(|watch| watch.readings().try_recv().ok()) {
            heard = true;
            match self.common.live.take(reading) {
                Reload::Changed(changes) => {
                    self.adjust();
                    let network: Vec<_> =
                        NETWORK.into_iter().filter(|key| changes.keys.contains(key)).collect();
                    self.tell(match network.is_empty() {
                        true => format!("changed: {changes}"),
                        false => format!(
                            "changed: {changes} (with several sources at the next start: {})",
                            network.join(", ")
                        ),
                    });
                }
                Reload::Wrong(error) => log::error!("{error}"),
                Reload::Gone => {
                    if let Some(problem) = self.common.live.problem() {
                        log::error!("{problem}");
                    }
                }
                Reload::Mended => self.tell("the config file is right again"),
                Reload::Same => {}
            }
        }
        heard
    }

    /// Changes a setting as a key asks.
    pub(super) fn tune(&mut self, command: Command) {
        match command {
            Command::Switch(layer) => self.switch(layer.key()),
            Command::Compare => {
                let show = self.common.live.settings().enhance.show.next();
                self.change(|live| live.set("enhance.show", &show.word().into()));
                self.tell(show.sentence());
            }
            Command::Confidence(steps) => {
                self.nudge("detector.confidence", steps * CONFIDENCE_STEPS, |settings| {
                    format!("confidence {:.2}", settings.detector.confidence)
                })
            }
            Command::TrailLength(steps) => self.nudge("trails.seconds", steps, |settings| {
                format!("trails {:.1} s", settings.trails.seconds)
            }),
            _ => {}
        }
    }

    /// Moves a setting by steps of the panel, and tells what it is then.
    fn nudge(&mut self, path: &'static str, steps: i32, words: impl Fn(&Settings) -> String) {
        if self.change(|live| adjust::nudge(live, path, steps)) {
            let told = words(self.common.live.settings());
            self.tell(told);
        }
    }

    fn switch(&mut self, path: &'static str) {
        let on = parameter(path).and_then(|known| known.get(self.common.live.settings()).as_bool());
        if let Some(on) = on {
            self.change(|live| live.set(path, &Value::from(!on)));
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Live) -> Result<(), String>) -> bool {
        match change(&mut self.common.live) {
            Ok(()) => {
                self.adjust();
                true
            }
            Err(why) => {
                self.tell(why);
                false
            }
        }
    }

    /// Hands the settings in force to the threads of all sources.
    fn adjust(&mut self) {
        let settings = self.common.in_force();
        for tile in &mut self.tiles {
            tile.cover(&settings.enhance);
            if let Some(pipeline) = &tile.pipeline {
                pipeline.set_settings(&settings);
            }
        }
        self.anew = true;
    }
}
