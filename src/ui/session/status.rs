//! The status file of a session.

use super::{Session, UiError};
use crate::ui::status::{Facts, State};

impl Session {
    /// Writes the state where that is wanted and something has changed.
    ///
    /// # Errors
    /// [`UiError::Status`].
    pub(crate) fn update_status(&mut self) -> Result<(), UiError> {
        let still = self.is_still();
        match &self.status {
            Some(status) if !still && status.is_fresh() => Ok(()),
            Some(_) => self.write_status(false),
            None => Ok(()),
        }
    }

    /// Writes the state; `closed`: for the last time.
    ///
    /// # Errors
    /// [`UiError::Status`].
    pub(crate) fn write_status(&mut self, closed: bool) -> Result<(), UiError> {
        let settled = self.is_settled();
        let Some(status) = &mut self.status else { return Ok(()) };
        let state = State::of(Facts {
            source: &self.pipeline.info.name,
            pipeline: Some(&self.pipeline),
            frame: &self.frame,
            scene: self.scenes.shown.as_ref(),
            labels: &self.labels,
            live: &self.settings.live,
            paused: self.playback.paused,
            ended: self.end.ended,
            seeking: self.position.awaiting,
            speed: self.playback.speed,
            repeat: self.playback.repeat,
            recording: self.recording.recorder.video().map(|video| video.seconds),
            settled,
            message: self.message.text(),
            failure: self.failure.as_ref(),
            closed,
        });
        Ok(status.write(&state)?)
    }
}
