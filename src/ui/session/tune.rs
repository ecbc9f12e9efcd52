//! Settings that change while it runs: the config file is saved, keys are pressed, the panel is used.

use toml_edit::Value;

use super::{Stage, lock};
use crate::config::{Live, Reload, Settings, Watch, adjust, parameter};
use crate::pipeline::Note;
use crate::ui::event::Event;
use crate::ui::panel::{Panel, PanelAnswer, PanelCommand, PanelData};
use crate::ui::panel_rows;
use crate::view::Text;

/// Has the config file watched; without, it is as if nobody changed it.
pub(crate) fn watch(live: &Live) -> Option<Watch> {
    match live.watch() {
        Ok(watch) => Some(watch),
        Err(error) => {
            log::warn!("changes of the config file are not seen: {error}");
            None
        }
    }
}

impl Stage {
    /// What the file and the thread that loads networks have to tell; true where something is to be drawn anew.
    pub(crate) fn hear_of_changes(&mut self) -> bool {
        let mut heard = false;
        while let Some(reading) = self.watch.as_ref().and_then(|watch| watch.readings().try_recv().ok()) {
            heard = true;
            let before = self.show.carried.live.settings().clone();
            match self.show.carried.live.take(reading) {
                Reload::Changed(changes) => {
                    self.adjust(&before);
                    self.tell(format!("changed: {changes}"));
                }
                Reload::Wrong(error) => log::error!("{error}"),
                Reload::Gone => {
                    if let Some(problem) = self.show.carried.live.problem() {
                        log::error!("{problem}");
                    }
                }
                Reload::Mended => self.tell("the config file is right again"),
                Reload::Same => {}
            }
        }
        while let Some(note) = self.show.pipeline.note() {
            heard = true;
            match note {
                Note::Swapped(network) => {
                    self.show.labels = self.show.pipeline.labels();
                    self.show
                        .recorder
                        .set_style(&self.show.labels, &self.show.carried.live.settings().overlay);
                    self.retrack();
                    self.tell(network);
                }
                Note::Failed(why) => {
                    log::error!("{why}");
                    self.tell(why);
                }
            }
        }
        heard
    }

    /// Changes a setting as a key or the panel asks, and has it take effect; `change` says what is wrong where it cannot be.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Live) -> Result<(), String>) -> bool {
        let before = self.show.carried.live.settings().clone();
        match change(&mut self.show.carried.live) {
            Ok(()) => {
                self.adjust(&before);
                true
            }
            Err(why) => {
                self.tell(why);
                false
            }
        }
    }

    /// Switches a setting on or off.
    pub(crate) fn switch(&mut self, path: &'static str) {
        let on = parameter(path).and_then(|known| known.get(self.show.carried.live.settings()).as_bool());
        if let Some(on) = on {
            self.change(|live| live.set(path, &Value::from(!on)));
        }
    }

    /// Hands the settings in force to the threads.
    fn adjust(&mut self, before: &Settings) {
        let settings = self.show.carried.live.settings();
        if settings == before {
            return;
        }
        self.show.pipeline.set_settings(settings);
        self.replay.set_settings(settings.trails);
        // A picture that stands still may do so for long.
        if let Some(current) = &mut self.current {
            current.cover(&settings.enhance);
        }
        if settings.overlay != before.overlay {
            self.show.recorder.set_style(&self.show.labels, &settings.overlay);
        }
        // What needs another network takes effect when that is there.
        if settings.track() != before.track()
            || settings.detect_for_tracking() != before.detect_for_tracking()
            || !settings.enhance.sees_like(&before.enhance)
        {
            self.retrack();
        }
    }

    /// What was tracked so far would be tracked otherwise now; a picture that stands still is looked at anew.
    fn retrack(&mut self) {
        let Some(history) = self.show.pipeline.history.clone() else { return };
        lock(&history).outdate();
        let time = self.goal.or(self.current.as_ref().map(|current| current.frame.time));
        if let (true, Some(time)) = (self.paused || self.ended, time) {
            let epoch = self.show.pipeline.playback.retrack(time);
            self.expect(epoch);
        }
    }

    pub(crate) fn switch_panel(&mut self) {
        self.panel = if self.panel.is_some() { None } else { Some(Panel::new()) };
    }

    /// Whether an event is the panel's: then it is done.
    pub(crate) fn panel_takes(&mut self, event: Event) -> bool {
        let Some(panel) = &mut self.panel else { return false };
        if event == Event::Escape && !self.viewer.help_open() {
            self.panel = None;
            return true;
        }
        match panel.handle(event) {
            PanelAnswer::Ignored => return false,
            PanelAnswer::Taken => {}
            PanelAnswer::Do(PanelCommand::Steps(path, steps)) => {
                self.change(|live| adjust::nudge(live, path, steps));
            }
            PanelAnswer::Do(PanelCommand::Share(path, share)) => {
                self.change(|live| adjust::put_at(live, path, share));
            }
            PanelAnswer::Do(PanelCommand::Reset(path)) => {
                self.change(|live| live.reset(path));
            }
            PanelAnswer::Do(PanelCommand::Write) => self.write_back(),
        }
        true
    }

    /// Writes what keys and the panel have changed into the config file.
    fn write_back(&mut self) {
        let before = self.show.carried.live.settings().clone();
        match self.show.carried.live.write_back() {
            Ok(saved) => {
                self.adjust(&before);
                let path = saved.path.display();
                self.tell(match (saved.keys.len(), saved.left_out.len()) {
                    (0, 0) => "nothing was changed here".to_owned(),
                    (0, _) => "a preset goes before what was changed: nothing is written".to_owned(),
                    (1, _) => format!("{} is in {path}", saved.keys.join("")),
                    (several, _) => format!("{several} settings are in {path}"),
                });
            }
            Err(error) => self.tell(error.to_string()),
        }
    }

    /// Draws the panel over everything, while it is open.
    pub(crate) fn draw_panel(&mut self) {
        let Some(panel) = self.panel.as_mut().filter(|_| !self.viewer.help_open()) else { return };
        let settings = self.show.carried.live.settings();
        let rows = panel_rows::rows(&self.show.carried.live);
        let data = PanelData {
            rows: &rows,
            scores: &self.scores,
            threshold: Some(settings.detector.confidence),
            weak: Some(settings.tracker.low_score),
        };
        let scale = settings.overlay.scale.factor(self.canvas.width(), self.canvas.height());
        let text: &mut Text = &mut self.text;
        panel.draw(&mut self.canvas, text, &data, scale);
    }
}
