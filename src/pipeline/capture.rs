//! The capture thread: takes frames from a source, makes them fit to be shown, and hands them on, live or at the recording's
//! own pace, from wherever the window wants them. It knows nothing of the detector.

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
use crate::enhance::ShownChain;
use crate::frame::Frame;
use crate::history::SegmentId;
use crate::source::SourceError;
use crate::sync::lock;

/// How frames are handed on.
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
    /// Where frames go to be made better for the network, and on to be detected in.
    pub(super) enhance: Outlet<EnhanceJob>,
    /// In step: as many frames may be on their way as there is room here; the track thread makes room.
    pub(super) tickets: Option<Sender<()>>,
    /// Remembered frames go all the way, too: in step, where one frame follows the other.
    pub(super) in_step: bool,
    /// See [`Pace`].
    pub(super) pace: Pace,
    /// At the end of the source, wait for the window to go back, instead of ending.
    pub(super) stays: bool,
    /// Tells of an error that is the end of a recording in which one can still go back.
    pub(super) report: Box<dyn Fn(SourceError) + Send>,
    /// What was tracked already; `None`: nothing is remembered.
    pub(super) history: Option<SharedHistory>,
    /// What the window asks.
    pub(super) playback: Arc<PlaybackControl>,
    /// What is told.
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
    /// The remembered segment that it began in.
    segment: Option<SegmentId>,
    /// Track the first frame anew.
    retrack: bool,
    /// It is a repetition.
    repeats: bool,
}

impl Capture {
    /// Takes frames until the source ends, fails, or nobody wants them.
    ///
    /// # Errors
    /// What the source says; frames handed on before are good.
    pub(crate) fn run(mut self) -> Result<(), SourceError> {
        let (mut progress, mut order, mut clock) = (EpochProgress::default(), 0, Clock::new());
        while !self.stop.is_asked() {
            if let Some(request) = self.playback.take_request() {
                let playback = Arc::clone(&self.playback);
                let reached = match self.seekable.seek(request.target, &mut || playback.is_interrupted()) {
                    Ok(reached) => reached,
                    Err(error) => {
                        self.absorb_end_of_recording(error, order)?;
                        false
                    }
                };
                // Given up where a newer wish has come; what cannot be reached goes on from wherever it is.
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
                // The last picture has its time, too, and a halted one stays.
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
                        // There is no way back to the beginning.
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
            // The first frame behind a jump is shown at once, also while halted.
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

    /// A recording that breaks off has its end there, where one can go back from it.
    fn absorb_end_of_recording(&self, error: SourceError, order: u64) -> Result<(), SourceError> {
        if !self.stays || order == 0 {
            return Err(error);
        }
        (self.report)(error);
        Ok(())
    }

    /// False where nobody wants frames any more.
    fn hand_on(&mut self, frame: Frame, progress: &mut EpochProgress, order: u64) -> bool {
        // The age of a frame of a recording counts from when it was due, not from when it was decoded.
        let captured = if self.pace == Pace::InTime { Instant::now() } else { frame.captured };
        // Before the settings are taken: what is made with the newer ones may be counted to the older, and is tracked once
        // more then; never the other way round.
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
                    // Whatever was known there is what is shown first. A repetition is played on: where it is outdated, its
                    // first frame is tracked anew too, or all that follows would never again belong to it.
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
        let job = FrameJob { frame, enhancement, epoch, order, fresh, retrack, segment, revision };
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
