//! The sense threads: frames in, detections out, each thread with a network state of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, TryRecvError};

use super::capture::Shot;
use super::eye::Eye;
use super::link::Outlet;
use super::live::Senses;
use super::stats::Stats;
use super::stop::Stop;
use super::transport::Transport;
use super::turns::{Turn, Turns};
use crate::detect::{DetectError, DetectTimes};
use crate::detection::Detection;

/// A frame with what was found in it.
#[derive(Debug)]
pub(super) struct Sensed {
    /// The frame.
    pub(super) shot: Shot,
    /// What was found; `None` where nobody looked.
    pub(super) found: Option<Found>,
    /// How long it took.
    pub(super) times: DetectTimes,
}

/// What the detector found in a frame.
#[derive(Debug)]
pub(super) struct Found {
    /// What was found.
    pub(super) detections: Vec<Detection>,
    /// What non-maximum suppression removed.
    pub(super) suppressed: Vec<Detection>,
}

/// What a sense thread works with.
pub(super) struct Sense {
    /// Which of the sense threads it is, from 0.
    pub(super) number: usize,
    /// Who looks.
    pub(super) eye: Eye,
    /// Where frames come from.
    pub(super) inlet: Receiver<Shot>,
    /// Where results go; of several threads, in no certain order.
    pub(super) outlet: Arc<Outlet<Result<Sensed, DetectError>>>,
    /// Where several sources take turns at the detector; in time only.
    pub(super) turns: Option<Turns>,
    /// What is asked of it while it runs.
    pub(super) senses: Arc<Senses>,
    /// Tells which frames came before a jump.
    pub(super) transport: Arc<Transport>,
    /// What is told.
    pub(super) stats: Arc<Stats>,
    /// When to end.
    pub(super) stop: Stop,
}

impl Sense {
    /// Detects until no frame comes any more or nobody wants the results.
    pub(super) fn run(mut self) {
        let mut seen = 0;
        while let Some((shot, turn)) = self.next() {
            if self.stop.is_asked() {
                return;
            }
            // What is remembered, and what came before a jump, goes on as it is.
            if !shot.fresh || shot.epoch < self.transport.wanted_epoch() {
                drop(turn);
                if self.outlet.send(Ok(Sensed { shot, found: None, times: DetectTimes::default() })).is_err()
                {
                    return;
                }
                continue;
            }
            self.senses.update(self.number, &mut seen, &mut self.eye);
            let started = Instant::now();
            let sensed = self.eye.look(&shot).map(|(found, times)| {
                self.stats.set_inference(times.inference);
                self.stats.detected.tick();
                Sensed { shot, found: Some(found), times }
            });
            // Whoever takes the results may take his time.
            drop(turn);
            let failed = sensed.is_err();
            if self.outlet.send(sensed).is_err() || failed {
                return;
            }
            self.rest(started);
        }
    }

    /// The next frame, and with it the turn where sources take turns; `None` where there is none any more.
    fn next(&self) -> Option<(Shot, Option<Turn>)> {
        let Some(turns) = &self.turns else { return self.inlet.recv().ok().map(|shot| (shot, None)) };
        loop {
            // Who has nothing to look at does not queue up.
            let mut something = Select::new();
            something.recv(&self.inlet);
            something.ready();
            let turn = turns.take(|| !self.stop.is_asked())?;
            // Not what was there before: what is the newest now.
            match self.inlet.try_recv() {
                Ok(shot) => return Some((shot, Some(turn))),
                Err(TryRecvError::Disconnected) => return None,
                // It is just being replaced.
                Err(TryRecvError::Empty) => {}
            }
        }
    }

    /// Waits out the least interval in small steps, so that the end is not held up and another interval counts at once.
    fn rest(&self, started: Instant) {
        while !self.stop.is_asked() {
            let Some(until) = started.checked_add(self.senses.min_interval()) else { return };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
