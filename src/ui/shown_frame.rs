//! The frame on the screen: which one it is, how old it is, how often it changes.

use std::time::Instant;

use super::age::Ages;
use super::compare::Compare;
use crate::enhance::{EnhanceSettings, ShownPicture};
use crate::frame::{Frame, Picture};
use crate::pipeline::{FrameJob, Rate};

/// The frame that is shown, and what is counted about it.
#[derive(Default)]
pub(crate) struct ShownFrame {
    /// The frame; `None` before the first.
    pub(crate) job: Option<FrameJob>,
    /// It was drawn, but not presented yet.
    unseen: bool,
    /// Frames presented a second.
    pub(crate) displayed: Rate,
    pub(crate) ages: Ages,
    compare: Compare,
}

impl ShownFrame {
    /// Shows another frame; gives the one before.
    pub(crate) fn replace(&mut self, job: FrameJob) -> Option<FrameJob> {
        let before = self.job.replace(job);
        // A frame that was never presented had no age on the screen.
        if let Some(before) = before.as_ref().filter(|_| !self.unseen) {
            self.ages.replace(before.frame.captured, Instant::now());
        }
        self.unseen = true;
        before
    }

    /// The frame was presented.
    pub(crate) fn presented(&mut self) {
        if let Some(job) = self.job.as_ref().filter(|_| std::mem::take(&mut self.unseen)) {
            self.displayed.tick();
            self.ages.show(job.frame.captured, Instant::now());
        }
    }

    /// Pixelates masked areas where settings ask for it.
    pub(crate) fn cover(&mut self, settings: &EnhanceSettings) {
        if let Some(job) = &mut self.job {
            job.cover(settings);
        }
    }

    /// The frame.
    pub(crate) fn frame(&self) -> Option<&Frame> {
        self.job.as_ref().map(|job| &job.frame)
    }

    /// The picture to show of it: original, enhanced, or half of each.
    pub(crate) fn picture(&mut self, show: ShownPicture) -> Option<&Picture> {
        let job = self.job.as_ref()?;
        Some(self.compare.picture(job, show))
    }
}
