//! The message at the foot of the window, which fades away.

use std::time::{Duration, Instant};

/// How long a message stays.
const STAYS: Duration = Duration::from_secs(3);

/// The newest message, until its time is over.
#[derive(Debug, Default)]
pub(crate) struct Message(Option<(String, Instant)>);

impl Message {
    /// Shows a message in place of the one before.
    pub(crate) fn notify(&mut self, text: impl Into<String>) {
        self.0 = Some((text.into(), Instant::now() + STAYS));
    }

    /// Removes a message whose time is over; true where there was one.
    pub(crate) fn expire(&mut self) -> bool {
        let over = self.0.as_ref().is_some_and(|(_, until)| Instant::now() > *until);
        if over {
            self.0 = None;
        }
        over
    }

    /// Its text.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_ref().map(|(text, _)| text.as_str())
    }

    /// Its text and opacity, `0.0..=1.0`: it fades in its last second.
    pub(crate) fn fading(&self) -> Option<(&str, f32)> {
        let (text, until) = self.0.as_ref()?;
        Some((text, until.saturating_duration_since(Instant::now()).as_secs_f32().min(1.0)))
    }
}
