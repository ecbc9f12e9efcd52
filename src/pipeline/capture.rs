//! The capture thread: takes frames from a source and hands them on, live or at the recording's own pace, from wherever
//! the window wants them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::Sender;

use super::clock::Clock;
use super::detector_control::DetectorControl;
use super::link::Outlet;
use super::playback::{End, PlaybackControl, Waited};
use super::seekable_source::{SeekableSource, Target};
use super::stats::Stats;
use super::stop::Stop;
use crate::enhance::Areas;
use crate::enhance::{EnhanceSettings, Enhanced, Enhancer};
use crate::frame::{Frame, Picture};
use crate::history::{SegmentId, TrackHistory};
use crate::source::{Source, SourceError};

/// A frame on its way, with its place in the run.
#[derive(Debug, Clone)]
pub struct FrameJob {
    /// The frame.
    pub frame: Frame,
    /// What was made of it for the network.
    pub enhanced: Enhanced,
    /// Counts the jumps of the run, repetitions included: frames of one epoch follow one another.
    pub epoch: u64,
    /// Counts the frames of the run from 0, over all epochs.
    pub order: u64,
    /// The detector has to look at it: as far as is known by now, it is not remembered, or to be tracked anew.
    pub fresh: bool,
    /// It is to be tracked anew, whatever is remembered.
    pub(crate) retrack: bool,
    /// The remembered segment that its epoch began in.
    pub(crate) segment: Option<SegmentId>,
    /// Which settings it is tracked with, as the memory counts them.
    pub(crate) revision: u64,
}

impl FrameJob {
    /// A frame of a run that has no other.
    #[cfg(test)]
    pub(crate) fn alone(frame: Frame, enhanced: Enhanced) -> Self {
        Self { frame, enhanced, epoch: 0, order: 0, fresh: true, retrack: false, segment: None, revision: 0 }
    }

    /// The picture that the network looks at.
    pub fn seen(&self) -> &Arc<Picture> {
        self.enhanced.seen.as_ref().unwrap_or(&self.frame.picture)
    }

    /// Takes the detail out of masked areas, where the frame was made before these settings were in force: what a window
    /// has to ask of the frames that it holds.
    pub(crate) fn cover(&mut self, settings: &EnhanceSettings) {
        let masks = self.enhanced.areas.as_ref().map_or(&[][..], |areas| areas.masks());
        if !settings.pixelates() || self.enhanced.pixelated && masks == settings.masks {
            return;
        }
        let areas = Areas::new(self.frame.picture.size(), &settings.regions, &settings.masks);
        let mut picture = Picture::clone(&self.frame.picture);
        areas.pixelate(&mut (&mut picture).into());
        self.frame.picture = Arc::new(picture);
        // What was made of it has the detail.
        self.enhanced = Enhanced { areas: Some(Arc::new(areas)), pixelated: true, ..Enhanced::default() };
    }
}

/// Settings of the enhancer to go on with from the next frame on.
pub(crate) type PendingEnhance = Arc<Mutex<Option<EnhanceSettings>>>;

/// What was tracked already, shared by the threads.
pub(crate) type SharedHistory = Arc<Mutex<TrackHistory>>;

/// A thread that panicked has told so; what it left is still good to be read.
pub(crate) fn lock(history: &SharedHistory) -> MutexGuard<'_, TrackHistory> {
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a source again.
pub type Reopen = Box<dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send>;

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
    /// What is done to each before it goes anywhere.
    pub(super) enhancer: Enhancer,
    /// Changes from the window.
    pub(super) pending_enhance: PendingEnhance,
    /// Tells which network runs.
    pub(super) control: Arc<DetectorControl>,
    /// Where frames go to be shown at once.
    pub(super) display: Option<Outlet<FrameJob>>,
    /// Where frames go to be looked at.
    pub(super) sense: Outlet<FrameJob>,
    /// In step: as many frames may be on their way as there is room here; who has them at the end makes room.
    pub(super) tickets: Option<Sender<()>>,
    /// Remembered frames go there too: in step, where one thing follows the other.
    pub(super) in_step: bool,
    /// See [`Pace`].
    pub(super) pace: Pace,
    /// At the end of the source, wait for the window to go back, instead of ending.
    pub(super) stays: bool,
    /// Tells of an error that is the end of a recording in which one can still go back.
    pub(super) tell: Box<dyn Fn(SourceError) + Send>,
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
struct Course {
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
        let (mut course, mut order, mut clock) = (Course::default(), 0, Clock::new());
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
                    course = Course { epoch: request.epoch, retrack: request.retrack, ..Course::default() };
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
                if self.pace == Pace::InTime && course.frames > 0 && self.playback.repeats() {
                    match self.playback.wait(&mut clock, course.last + self.usual_step()) {
                        Waited::Due => {}
                        Waited::SeekRequested => continue,
                        Waited::Over => return Ok(()),
                    }
                }
                if let Some(epoch) = self.playback.begin_again() {
                    let playback = Arc::clone(&self.playback);
                    let first = Target::At(f64::NEG_INFINITY);
                    if self.seekable.seek(first, &mut || playback.is_interrupted())? {
                        course = Course { epoch, repeats: true, ..Course::default() };
                        clock.stop();
                    } else if !playback.is_interrupted() {
                        // There is no way back to the beginning.
                        return Ok(());
                    }
                    continue;
                }
                let end = End { epoch: course.epoch, frames: order, in_epoch: course.frames };
                if !self.stays || !self.playback.wait_at_end(end) {
                    return Ok(());
                }
                continue;
            };
            // The first frame behind a jump is shown at once, also while halted.
            if self.pace == Pace::InTime {
                if course.frames == 0 {
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
            course.last = frame.time;
            if !self.hand_on(frame, &mut course, order) {
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
        (self.tell)(error);
        Ok(())
    }

    /// From one frame to the next, in seconds.
    fn usual_step(&self) -> f64 {
        1.0 / self.seekable.info().rate.unwrap_or(25.0).clamp(1.0, 1000.0)
    }

    /// False where nobody wants frames any more.
    fn hand_on(&mut self, frame: Frame, course: &mut Course, order: u64) -> bool {
        // The age of a frame of a recording counts from when it was due, not from when it was decoded.
        let captured = if self.pace == Pace::InTime { Instant::now() } else { frame.captured };
        // Before the settings are taken: what is made with the newer ones may be counted to the older, and is tracked once
        // more then; never the other way round.
        let revision = self.history.as_ref().map_or(0, |history| lock(history).revision());
        let pending_enhance = self.pending_enhance.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(settings) = pending_enhance {
            self.enhancer.set(settings);
        }
        // What runs, not what is asked for, which may never be had.
        self.enhancer.set_input(self.control.input());
        if course.frames == 0 {
            self.enhancer.begin_anew();
        }
        let (picture, enhanced) = self.enhancer.enhance(&frame.picture, frame.time);
        let retrack = course.retrack && course.frames == 0;
        let fresh = match &self.history {
            None => true,
            Some(history) => {
                let (history, sequence) = (lock(history), frame.sequence);
                if course.frames == 0 {
                    course.segment = history.join(sequence);
                    // Whatever was known there is what is shown first. A repetition is played on: where it is outdated, its
                    // first frame is tracked anew too, or all that follows would never again belong to it.
                    let known = history.segment_at(sequence).is_some();
                    retrack || !known || (course.repeats && !history.is_settled(course.segment, sequence))
                } else {
                    !history.is_settled(course.segment, sequence)
                }
            }
        };
        course.frames += 1;
        self.stats.captured.tick();
        let (epoch, segment) = (course.epoch, course.segment);
        let frame = Frame { captured, picture, ..frame };
        let job = FrameJob { frame, enhanced, epoch, order, fresh, retrack, segment, revision };
        let shown = self.display.as_ref().is_none_or(|outlet| outlet.send(job.clone()).is_ok());
        if !shown || !(fresh || self.in_step) {
            return shown;
        }
        self.stats.handed.store(order + 1, Ordering::SeqCst);
        let admitted = self.tickets.as_ref().is_none_or(|tickets| tickets.send(()).is_ok());
        admitted && self.sense.send(job).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enhance::Polygon;

    #[test]
    fn a_frame_under_way_is_covered_as_soon_as_that_is_asked_for_and_once() {
        let half = |left: f32| {
            Polygon::new(vec![(left, 0.0), (left + 0.5, 0.0), (left + 0.5, 1.0), (left, 1.0)]).unwrap()
        };
        let pixels: Vec<u8> = (0..160 * 120 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = Arc::new(Picture::new(160, 120, pixels).unwrap());
        let frame = Frame {
            picture: Arc::clone(&picture),
            sequence: 0,
            time: 0.0,
            captured: Instant::now(),
            file: None,
        };
        let open = EnhanceSettings::default();
        let (_, enhanced) = Enhancer::new(open.clone()).enhance(&picture, 0.0);
        let mut job = FrameJob::alone(frame, enhanced);
        job.cover(&open);
        assert!(Arc::ptr_eq(&job.frame.picture, &picture));

        let left = EnhanceSettings { privacy: true, masks: vec![half(0.0)], ..open };
        job.cover(&left);
        let covered = Arc::clone(&job.frame.picture);
        let expected = Enhancer::new(left.clone()).showable(&picture, 0.0);
        assert!(*covered == *expected && *covered != *picture && *job.seen() == covered);
        job.cover(&left);
        assert!(Arc::ptr_eq(&job.frame.picture, &covered), "once is enough");
        // Another mask on top: nothing of what was covered comes back.
        job.cover(&EnhanceSettings { masks: vec![half(0.5)], ..left });
        let rows = job.frame.picture.rgb().chunks(160).zip(covered.rgb().chunks(160));
        assert!(rows.into_iter().all(|(now, before)| now[..78] == before[..78]));
        assert!(job.frame.picture.rgb()[100] != picture.rgb()[100]);
    }
}
