//! The frame on the screen: which one it is, how old it is, how often it changes, and what the network sees of it.

use std::collections::VecDeque;
use std::time::Instant;

use super::age::Ages;
use super::compare::Compare;
use crate::enhance::{EnhanceSettings, Enhanced, ShownPicture};
use crate::frame::{Frame, Picture};
use crate::pipeline::enhancement::Enhancement;
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
    /// The enhanced pictures still expected for frames shown since the last jump, the oldest first.
    awaited: VecDeque<Enhancement>,
    /// The newest enhanced picture of these frames.
    enhanced: Option<Enhanced>,
    compare: Compare,
}

impl ShownFrame {
    /// Shows another frame; gives the one before.
    pub(crate) fn replace(&mut self, job: FrameJob) -> Option<FrameJob> {
        if self.job.as_ref().is_some_and(|before| before.epoch != job.epoch) {
            self.forget_enhanced();
        }
        self.awaited.push_back(job.enhancement.clone());
        self.take_enhanced();
        let before = self.job.replace(job);
        // A frame that was never presented has no age on the screen.
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
        if self.job.as_mut().is_some_and(|job| job.cover(settings)) {
            self.forget_enhanced();
        }
    }

    /// The frame.
    pub(crate) fn frame(&self) -> Option<&Frame> {
        self.job.as_ref().map(|job| &job.frame)
    }

    /// The picture made for the network from this frame, or, while it is not ready, from a frame shortly before.
    pub(crate) fn enhanced(&self) -> Option<&Enhanced> {
        self.enhanced.as_ref().or_else(|| self.job.as_ref().map(FrameJob::enhanced))
    }

    /// Takes in the pictures made for the network; true if one of them is to be shown.
    pub(crate) fn poll_enhanced(&mut self, show: ShownPicture) -> bool {
        let before = self.enhanced.clone();
        if !self.take_enhanced() {
            return false;
        }
        let (before, now) = (before.unwrap_or_default(), self.enhanced.as_ref());
        let pictures = show != ShownPicture::Original
            && (before.seen.is_some() || now.is_some_and(|now| now.seen.is_some()));
        pictures || now.is_some_and(|now| !now.report.changes().eq(before.report.changes()))
    }

    fn take_enhanced(&mut self) -> bool {
        let newest = self.awaited.iter().rposition(|enhancement| enhancement.outcome().is_some());
        if let Some(newest) = newest {
            let newest = self.awaited.drain(..=newest).next_back();
            self.enhanced = newest.and_then(|enhancement| enhancement.outcome().cloned());
        }
        self.awaited.retain(|enhancement| !enhancement.is_passed_over());
        newest.is_some()
    }

    fn forget_enhanced(&mut self) {
        self.awaited.clear();
        self.enhanced = None;
    }

    /// Whether to draw the frame only when its enhanced picture is ready: that picture is to be shown, and will come. If
    /// earlier frames are still without theirs, enhancing is slower than the source, and no frame waits.
    pub(crate) fn waits_for_enhanced(&self, show: ShownPicture) -> bool {
        show != ShownPicture::Original
            && self.awaited.len() == 1
            && self.job.as_ref().is_some_and(|job| job.enhancement.is_awaited())
    }

    /// The picture to show of it: original, enhanced, or half of each.
    pub(crate) fn picture(&mut self, show: ShownPicture) -> Option<&Picture> {
        let job = self.job.as_ref()?;
        let seen = self.enhanced.as_ref().and_then(|enhanced| enhanced.seen.as_deref());
        Some(self.compare.picture(&job.frame.picture, seen, show))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A frame of so many grey levels.
    fn job(epoch: u64, level: u8, enhancement: Enhancement) -> FrameJob {
        let picture = Arc::new(Picture::filled(8, 6, [level; 3]).unwrap());
        let frame = Frame { picture, sequence: 0, time: 0.0, captured: Instant::now(), file: None };
        FrameJob { epoch, ..FrameJob::alone(frame, enhancement) }
    }

    fn enhanced(level: u8) -> Enhanced {
        let seen = Arc::new(Picture::filled(8, 6, [level; 3]).unwrap());
        Enhanced { seen: Some(seen), ..Enhanced::default() }
    }

    fn level(frame: &mut ShownFrame, show: ShownPicture) -> u8 {
        frame.picture(show).unwrap().rgb()[47][0]
    }

    #[test]
    fn frames_are_shown_at_once_and_what_the_network_sees_of_them_when_it_comes() {
        let show = ShownPicture::Enhanced;
        let (mut frame, mut promises) = (ShownFrame::default(), VecDeque::new());
        let show_next = |frame: &mut ShownFrame, level| {
            let (enhancement, promise) = Enhancement::promised(Enhanced::default());
            frame.replace(job(0, level, enhancement));
            promise
        };
        promises.push_back(show_next(&mut frame, 10));
        assert!(frame.waits_for_enhanced(show) && !frame.waits_for_enhanced(ShownPicture::Original));
        assert!(!frame.poll_enhanced(show));
        assert_eq!((level(&mut frame, show), level(&mut frame, ShownPicture::Original)), (10, 10));
        promises.pop_front().unwrap().keep(enhanced(110));
        assert!(frame.poll_enhanced(show) && !frame.poll_enhanced(show));
        assert_eq!((level(&mut frame, show), level(&mut frame, ShownPicture::Original)), (110, 10));

        // The network's picture is slow: no frame waits for it, most are passed over, and the newest that came is shown.
        for next in 11..20 {
            promises.push_back(show_next(&mut frame, next));
            assert_eq!(frame.waits_for_enhanced(show), next == 11);
            assert_eq!((level(&mut frame, show), level(&mut frame, ShownPicture::Original)), (110, next));
        }
        let slow = promises.pop_front().unwrap();
        promises.clear();
        assert!(!frame.poll_enhanced(show));
        slow.keep(enhanced(111));
        assert!(frame.poll_enhanced(show) && frame.awaited.is_empty());
        assert_eq!((level(&mut frame, show), level(&mut frame, ShownPicture::Original)), (111, 19));
        assert!(!frame.waits_for_enhanced(show), "this one will never have one");
    }

    #[test]
    fn nothing_of_another_place_or_without_its_mask_is_shown() {
        let show = ShownPicture::Enhanced;
        let mut frame = ShownFrame::default();
        frame.replace(job(0, 10, Enhancement::settled(enhanced(110))));
        assert_eq!(level(&mut frame, show), 110);
        let (enhancement, promise) = Enhancement::promised(Enhanced::default());
        frame.replace(job(1, 20, enhancement));
        assert_eq!(level(&mut frame, show), 20, "of before the jump");

        let masks = vec![crate::geometry::Polygon::whole()];
        frame.cover(&EnhanceSettings { privacy: true, masks, ..EnhanceSettings::default() });
        promise.keep(enhanced(120));
        assert!(!frame.poll_enhanced(show) && !frame.waits_for_enhanced(show));
        assert_eq!(level(&mut frame, show), 20, "made before the mask was");
        assert!(frame.enhanced().unwrap().pixelated);
    }
}
