//! The capture thread: reads frames from a source at the place that the window asks for, applies the steps for what is
//! shown, and passes the frames on, live or at the recording's own pace. It does not know the detector.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crossbeam_channel::Sender;

use super::clock::Clock;
use super::enhancement::Enhancement;
use super::link::Outlet;
use super::message::{EnhanceJob, FrameJob, PendingEnhance, SharedHistory, Target};
use super::playback::{End, PlaybackControl, Waited};
use super::seekable_source::SeekableSource;
use super::stats::Stats;
use super::stop::Stop;
use crate::attention::Notice;
use crate::enhance::ShownChain;
use crate::frame::Frame;
use crate::history::SegmentId;
use crate::source::SourceError;
use crate::sync::lock;

/// How frames are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As they come.
    AsTheyCome,
    /// Each at its source time, as a player does.
    InTime,
}

/// What the capture thread works with.
pub(super) struct Capture {
    /// Where frames come from.
    pub(super) seekable: SeekableSource,
    /// The steps that each picture takes before it goes anywhere.
    pub(super) chain: ShownChain,
    /// Changes from the window.
    pub(super) pending: PendingEnhance,
    /// Where frames go to be shown at once.
    pub(super) display: Option<Outlet<FrameJob>>,
    /// Where frames go to be enhanced for the network and then detected.
    pub(super) enhance: Outlet<EnhanceJob>,
    /// In step: as many frames may be under way as this channel has room for; the track thread makes room.
    pub(super) tickets: Option<Sender<()>>,
    /// In step: frames whose tracks are in the history pass through all threads too, so that the order stays.
    pub(super) in_step: bool,
    /// See [`Pace`].
    pub(super) pace: Pace,
    /// At the end of the source, wait for a seek back instead of ending.
    pub(super) stays: bool,
    /// Reports an error that ends a recording in which seeking back is still possible.
    pub(super) report: Box<dyn Fn(SourceError) + Send>,
    /// The tracks so far; `None` if the run keeps no history.
    pub(super) history: Option<SharedHistory>,
    /// What the window asks for.
    pub(super) playback: Arc<PlaybackControl>,
    /// The counters.
    pub(super) stats: Arc<Stats>,
    /// When to end.
    pub(super) stop: Stop,
}

/// The frames of one epoch, as far as capture has come.
#[derive(Debug, Default)]
struct EpochProgress {
    epoch: u64,
    frames: u64,
    /// The source time of the last one.
    last: f64,
    /// The segment of the history in which it began.
    segment: Option<SegmentId>,
    /// Track the first frame again.
    retrack: bool,
    /// It began by repeating the recording.
    repeats: bool,
}

impl Capture {
    /// Reads frames until the source ends or fails, or no receiver is left.
    ///
    /// # Errors
    /// The error of the source; frames passed on before are valid.
    pub(crate) fn run(mut self) -> Result<(), SourceError> {
        let (mut progress, mut order, mut clock) = (EpochProgress::default(), 0, Clock::new());
        while !self.stop.is_asked() {
            if let Some(seconds) = self.seekable.found_duration() {
                self.playback.set_found_duration(seconds);
            }
            if let Some(request) = self.playback.take_request() {
                let playback = Arc::clone(&self.playback);
                let reached = match self.seekable.seek(request.target, &mut || playback.is_interrupted()) {
                    Ok(reached) => reached,
                    Err(error) => {
                        self.absorb_end_of_recording(error, order)?;
                        false
                    }
                };
                // A seek is abandoned when a newer one was asked for. If a place cannot be reached, playback continues
                // from the current one.
                if reached || !playback.is_interrupted() {
                    progress = EpochProgress {
                        epoch: request.epoch,
                        retrack: request.retrack,
                        ..EpochProgress::default()
                    };
                    clock.stop();
                }
                continue;
            }
            let frame = match self.seekable.next_frame() {
                Ok(frame) => frame,
                Err(error) => {
                    self.absorb_end_of_recording(error, order)?;
                    None
                }
            };
            let Some(frame) = frame else {
                if order == 0 {
                    return Ok(());
                }
                // The last picture stays for its duration too, and a paused one stays.
                if self.pace == Pace::InTime && progress.frames > 0 && self.playback.repeats() {
                    match self.playback.wait(&mut clock, progress.last + self.seekable.info().frame_step()) {
                        Waited::Due => {}
                        Waited::SeekRequested => continue,
                        Waited::Over => return Ok(()),
                    }
                }
                if let Some(epoch) = self.playback.begin_again() {
                    let playback = Arc::clone(&self.playback);
                    let first = Target::At(f64::NEG_INFINITY);
                    if self.seekable.seek(first, &mut || playback.is_interrupted())? {
                        progress = EpochProgress { epoch, repeats: true, ..EpochProgress::default() };
                        clock.stop();
                    } else if !playback.is_interrupted() {
                        // The source cannot go back to its beginning.
                        return Ok(());
                    }
                    continue;
                }
                let end = End { epoch: progress.epoch, frames: order, in_epoch: progress.frames };
                if !self.stays || !self.playback.wait_at_end(end) {
                    return Ok(());
                }
                continue;
            };
            // The first frame after a jump is shown at once, also while paused.
            if self.pace == Pace::InTime {
                if progress.frames == 0 {
                    clock.stop();
                    clock.shown(frame.time, Instant::now());
                } else {
                    match self.playback.wait(&mut clock, frame.time) {
                        Waited::Due => {}
                        Waited::SeekRequested => continue,
                        Waited::Over => return Ok(()),
                    }
                }
            }
            progress.last = frame.time;
            if !self.hand_on(frame, &mut progress, order) {
                return Ok(());
            }
            order += 1;
        }
        Ok(())
    }

    /// A recording that breaks off ends there, and seeking back from that end is possible.
    fn absorb_end_of_recording(&self, error: SourceError, order: u64) -> Result<(), SourceError> {
        if !self.stays || order == 0 {
            return Err(error);
        }
        (self.report)(error);
        Ok(())
    }

    /// False if no receiver is left.
    fn hand_on(&mut self, frame: Frame, progress: &mut EpochProgress, order: u64) -> bool {
        // The age of a frame of a recording counts from when it was due, not from when it was decoded.
        let captured = if self.pace == Pace::InTime { Instant::now() } else { frame.captured };
        // Read this before the settings are taken: a frame made with newer settings may then count as one with older
        // settings, and is tracked once more. The reverse cannot happen.
        let revision = self.history.as_ref().map_or(0, |history| lock(history).revision());
        let settings = lock(&self.pending).take();
        if let Some(settings) = settings {
            self.chain.set(settings);
        }
        if progress.frames == 0 {
            self.chain.begin_anew();
        }
        let (picture, shown) = self.chain.show(&frame.picture, frame.time);
        let retrack = progress.retrack && progress.frames == 0;
        let fresh = match &self.history {
            None => true,
            Some(history) => {
                let (history, sequence) = (lock(history), frame.sequence);
                if progress.frames == 0 {
                    progress.segment = history.join(sequence);
                    // After a jump, what the history has of the frame is shown first. A repetition continues: if the
                    // history is outdated there, its first frame is tracked again too, or the frames after it could never
                    // continue that segment.
                    let known = history.segment_at(sequence).is_some();
                    retrack || !known || (progress.repeats && !history.is_settled(progress.segment, sequence))
                } else {
                    !history.is_settled(progress.segment, sequence)
                }
            }
        };
        progress.frames += 1;
        self.stats.captured.tick();
        let (epoch, segment) = (progress.epoch, progress.segment);
        let frame = Frame { captured, picture, ..frame };
        let (enhancement, promise) = Enhancement::promised(shown);
        let notice = Notice::Unwatched;
        let job = FrameJob { frame, enhancement, epoch, order, fresh, notice, retrack, segment, revision };
        if self.display.as_ref().is_some_and(|outlet| outlet.send(job.clone()).is_err()) {
            return false;
        }
        if fresh || self.in_step {
            self.stats.handed.store(order + 1, Ordering::SeqCst);
        }
        let admitted = self.tickets.as_ref().is_none_or(|tickets| tickets.send(()).is_ok());
        admitted && self.enhance.send(EnhanceJob { job, promise }).is_ok()
    }
}
