//! Changes of settings while several sources run.

use super::Grid;
use crate::ui::change::{Change, message_of};

impl Grid {
    /// Takes in changes of the config file and networks that were loaded; true where there were any.
    pub(super) fn poll_changes(&mut self) -> bool {
        let changes = self.common.settings.poll();
        let mut heard = !changes.is_empty();
        changes.into_iter().for_each(|change| self.take(change));
        for tile in &mut self.tiles {
            while let Some(note) = tile.take_note(self.common.settings.get()) {
                heard = true;
                // All sources share a network, and all of them report it.
                self.message.notify(message_of(note));
            }
        }
        heard
    }

    /// Hands changed settings to the threads of all sources, and shows the message.
    pub(super) fn take(&mut self, change: Change) {
        let settings = self.common.settings.get();
        if change.before.is_some_and(|before| *before != *settings) {
            for tile in &mut self.tiles {
                tile.adjust(settings);
            }
            self.redraw = true;
        }
        if let Some(message) = change.message {
            self.message.notify(message);
        }
    }
}
