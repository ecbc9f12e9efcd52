//! The detect threads: frames in, detections out, each thread with a network state of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::detector_control::DetectorControl;
use super::link::Outlet;
use super::message::{DetectionResult, FrameJob};
use super::playback::PlaybackControl;
use super::scheduler::{DetectorScheduler, Turn};
use super::stats::Stats;
use super::stop::Stop;
use crate::detect::{DetectError, DetectTimes};
use crate::engine::DetectionSource;

/// What a detect thread works with.
pub(super) struct DetectWorker {
    /// Which of the detect threads it is, from 0.
    pub(super) number: usize,
    /// The network, or another source of detections.
    pub(super) detector: DetectionSource,
    /// Where frames come from.
    pub(super) inlet: Receiver<FrameJob>,
    /// Where results go; with several threads, in any order.
    pub(super) outlet: Arc<Outlet<Result<DetectionResult, DetectError>>>,
    /// Where several sources take turns at the detector; in time only.
    pub(super) scheduler: Option<DetectorScheduler>,
    /// Changes while it runs.
    pub(super) control: Arc<DetectorControl>,
    /// Tells which frames came before a jump.
    pub(super) playback: Arc<PlaybackControl>,
    /// What is told.
    pub(super) stats: Arc<Stats>,
    /// Each frame stands alone: photos that have nothing to do with each other.
    pub(super) separate: bool,
    /// When to end.
    pub(super) stop: Stop,
}

impl DetectWorker {
    /// Detects until no frame comes any more or no receiver of the results is left.
    pub(super) fn run(mut self) {
        let (mut seen, mut epoch) = (0, 0);
        while let Some((job, turn)) = self.next() {
            if self.stop.is_asked() {
                return;
            }
            // Frames whose tracks are in the history, frames from before a jump, and those in which nothing has moved pass on
            // without detection.
            if !job.fresh || !job.notice.looks() || job.epoch < self.playback.wanted_epoch() {
                drop(turn);
                if self
                    .outlet
                    .send(Ok(DetectionResult { job, found: None, times: DetectTimes::default() }))
                    .is_err()
                {
                    return;
                }
                continue;
            }
            self.control.update(self.number, &mut seen, &mut self.detector);
            self.control.looks_at(job.order);
            let started = Instant::now();
            if std::mem::replace(&mut epoch, job.epoch) != job.epoch || self.separate {
                self.detector.begin_anew();
            }
            let found = self.detector.detect(&job.frame, job.enhanced());
            let result = found.map(|(found, times)| {
                self.stats.set_inference(times.inference);
                let coming = (job.frame.picture.size(), self.stats.captured.per_second());
                self.control.detected(&self.detector, times, coming);
                self.control.found(&found);
                self.stats.detected.tick();
                DetectionResult { job, found: Some(found), times }
            });
            // If the track thread is slow, this waits.
            drop(turn);
            let failed = result.is_err();
            if self.outlet.send(result).is_err() || failed {
                return;
            }
            self.rest(started);
        }
    }

    /// The next frame, with the turn at the detector if several sources share it; `None` at the end.
    fn next(&self) -> Option<(FrameJob, Option<Turn>)> {
        // A source without a new frame does not queue, nor one in which nothing moves.
        let mut job = self.inlet.recv().ok()?;
        let Some(scheduler) = self.scheduler.as_ref().filter(|_| job.fresh && job.notice.looks()) else {
            return Some((job, None));
        };
        let turn = scheduler.take(|| !self.stop.is_asked())?;
        // The newest frame now may be newer than the one before the turn came.
        while let Ok(newer) = self.inlet.try_recv() {
            self.stats.skipped_detect.fetch_add(1, Ordering::Relaxed);
            job = newer;
        }
        Some((job, Some(turn)))
    }

    /// Waits for the least interval in small steps, so that the end of the run or a changed interval takes effect at
    /// once.
    fn rest(&self, started: Instant) {
        while !self.stop.is_asked() {
            let Some(until) = started.checked_add(self.control.min_interval()) else { return };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
