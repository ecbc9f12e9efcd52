//! Changes of settings while the session runs, and the panel that makes them.

use super::{Session, lock};
use crate::config::adjust;
use crate::pipeline::{Note, Target};
use crate::ui::change::{Change, message_of};
use crate::ui::event::Event;
use crate::ui::panel::{Panel, PanelAnswer, PanelCommand, PanelData};
use crate::ui::panel_rows;

impl Session {
    /// Takes in changes of the config file and networks that were loaded; true where there were any.
    pub(crate) fn poll_changes(&mut self) -> bool {
        let changes = self.settings.poll();
        let mut heard = !changes.is_empty();
        changes.into_iter().for_each(|change| self.take(change));
        while let Some(note) = self.pipeline.note() {
            heard = true;
            if let Note::Swapped(_) = note {
                self.labels = self.pipeline.labels();
                self.pipeline.set_places(self.settings.get());
                self.recording.recorder.set_style(&self.labels, &self.settings.get().overlay);
                self.track_again();
            }
            self.notify(message_of(note));
        }
        heard
    }

    /// Hands changed settings to the threads, and shows the message.
    pub(crate) fn take(&mut self, change: Change) {
        if let Some(before) = change.before.filter(|before| **before != *self.settings.get()) {
            let settings = self.settings.get();
            self.pipeline.set_settings(settings);
            self.scenes.replay.set_settings(settings.trails);
            // A picture that stands still may do so for long.
            self.frame.cover(&settings.enhance);
            if settings.overlay != before.overlay {
                self.recording.recorder.set_style(&self.labels, &settings.overlay);
            }
            let recounted = settings.counting != before.counting;
            // A change that needs another network takes effect when that is loaded.
            if settings.track() != before.track()
                || settings.detect_for_tracking() != before.detect_for_tracking()
                || !settings.enhance.sees_like(&before.enhance)
            {
                self.track_again();
            } else if recounted {
                self.show_again();
            }
        }
        if let Some(message) = change.message {
            self.notify(message);
        }
    }

    /// Frames tracked so far would get other tracks now; a still picture is tracked again at once.
    fn track_again(&mut self) {
        let Some(history) = self.pipeline.history.clone() else { return };
        lock(&history).outdate();
        let time = self.position.goal.or(self.frame.frame().map(|frame| frame.time));
        if let (true, Some(time)) = (self.is_still(), time) {
            let epoch = self.pipeline.playback.retrack(time);
            self.expect(epoch);
        }
    }

    /// A still picture of the past is shown with what is counted now.
    fn show_again(&mut self) {
        let time = self.position.goal.or(self.frame.frame().map(|frame| frame.time));
        if let (true, true, Some(time)) = (self.pipeline.history.is_some(), self.is_still(), time) {
            let epoch = self.pipeline.playback.seek(Target::At(time));
            self.expect(epoch);
        }
    }

    pub(crate) fn switch_panel(&mut self) {
        self.panel = if self.panel.is_some() { None } else { Some(Panel::new()) };
    }

    /// Offers an event to the open panel; true where the panel has taken it.
    pub(crate) fn panel_takes(&mut self, event: Event) -> bool {
        let Some(panel) = &mut self.panel else { return false };
        if event == Event::Escape && !self.drawing.viewer.help_open() {
            self.panel = None;
            return true;
        }
        let change = match panel.handle(event) {
            PanelAnswer::Ignored => return false,
            PanelAnswer::Taken => return true,
            PanelAnswer::Do(PanelCommand::Steps(path, steps)) => {
                self.settings.change(|live| adjust::nudge(live, path, steps))
            }
            PanelAnswer::Do(PanelCommand::Share(path, share)) => {
                self.settings.change(|live| adjust::put_at(live, path, share))
            }
            PanelAnswer::Do(PanelCommand::Reset(path)) => self.settings.change(|live| live.reset(path)),
            PanelAnswer::Do(PanelCommand::Write) => self.settings.write_back(),
        };
        self.take(change);
        true
    }

    /// Draws the panel over everything, while it is open.
    pub(crate) fn draw_panel(&mut self) {
        let drawing = &mut self.drawing;
        let Some(panel) = self.panel.as_mut().filter(|_| !drawing.viewer.help_open()) else { return };
        let settings = self.settings.get();
        let rows = panel_rows::rows(&self.settings.live);
        let data = PanelData {
            rows: &rows,
            scores: &self.scenes.scores,
            threshold: Some(settings.detector.confidence),
            weak: Some(settings.tracker.low_score),
        };
        let scale = settings.overlay.scale.factor(drawing.canvas.width(), drawing.canvas.height());
        panel.draw(&mut drawing.canvas, &mut drawing.text, &data, scale);
    }
}
