//! The capture thread: takes frames from a source and hands them on, live or at the recording's own pace.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::link::Outlet;
use super::stats::Stats;
use super::stop::Stop;
use crate::frame::Frame;
use crate::source::{Source, SourceError};

/// A frame on its way, with its place in the run.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The frame.
    pub frame: Frame,
    /// How often the source was begun again before this frame, for endless repetition.
    pub pass: u64,
    /// Counts the frames of the run from 0, over all passes.
    pub order: u64,
}

/// What the window may ask of the capture thread.
#[derive(Debug, Default)]
pub struct Transport {
    state: Mutex<TransportState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct TransportState {
    paused: bool,
    steps: u32,
    ended: bool,
}

impl Transport {
    /// Halts the recording or lets it go on.
    pub fn set_paused(&self, paused: bool) {
        self.change(|state| (state.paused, state.steps) = (paused, 0));
    }

    /// One frame on, while halted.
    pub fn step(&self) {
        self.change(|state| state.steps = state.steps.saturating_add(1));
    }

    /// Wakes the capture thread for good.
    pub(super) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut TransportState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until `due`, and while halted until a step.
    fn wait(&self, due: Instant) -> Waited {
        let mut halted = Duration::ZERO;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.ended {
                return Waited::Ended;
            }
            if state.paused {
                if state.steps > 0 {
                    state.steps -= 1;
                    return Waited::Stepped;
                }
                let from = Instant::now();
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                halted += from.elapsed();
                continue;
            }
            let left = (due + halted).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Waited::Due { halted };
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Begins a source again.
pub type Reopen = Box<dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send>;

/// How a wait came to its end.
enum Waited {
    /// The time had come, after having been halted for so long.
    Due { halted: Duration },
    /// A single step was asked for.
    Stepped,
    /// No more frames are wanted.
    Ended,
}

/// How frames are handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// As they come.
    AsTheyCome,
    /// Each at its source time, as a player does.
    InTime,
}

/// What the capture thread works with.
pub(super) struct Capture {
    /// Where frames come from.
    pub(super) source: Box<dyn Source>,
    /// Begins the source again for endless repetition.
    pub(super) reopen: Option<Reopen>,
    /// Where frames go.
    pub(super) outlets: Vec<Outlet<Shot>>,
    /// See [`Pace`].
    pub(super) pace: Pace,
    /// What the window asks.
    pub(super) transport: Arc<Transport>,
    /// What is told.
    pub(super) stats: Arc<Stats>,
    /// When to end.
    pub(super) stop: Stop,
}

impl Capture {
    /// Takes frames until the source ends, fails, or nobody wants them.
    ///
    /// # Errors
    /// What the source says; frames handed on before are good.
    pub(super) fn run(mut self) -> Result<(), SourceError> {
        let (mut pass, mut order) = (0, 0);
        // The clock time at which source time 0 of this pass is due.
        let mut zero: Option<Instant> = None;
        let mut frames_in_pass = 0u64;
        while !self.stop.is_asked() {
            let Some(frame) = self.source.next_frame()? else {
                match &self.reopen {
                    Some(reopen) if frames_in_pass > 0 => {
                        self.source = reopen()?;
                        (pass, zero, frames_in_pass) = (pass + 1, None, 0);
                        continue;
                    }
                    _ => return Ok(()),
                }
            };
            if self.pace == Pace::InTime && !self.wait_for(frame.time, &mut zero) {
                return Ok(());
            }
            // The age of a frame of a recording counts from when it was due, not from when it was decoded.
            let captured = if self.pace == Pace::InTime { Instant::now() } else { frame.captured };
            self.stats.captured.tick();
            let shot = Shot { frame: Frame { captured, ..frame }, pass, order };
            (order, frames_in_pass) = (order + 1, frames_in_pass + 1);
            if self.outlets.iter().any(|outlet| outlet.send(shot.clone()).is_err()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits until a frame of this source time is due; false at the end.
    fn wait_for(&self, time: f64, zero: &mut Option<Instant>) -> bool {
        let now = Instant::now();
        let offset = Duration::try_from_secs_f64(time.max(0.0)).unwrap_or(Duration::MAX);
        let start = *zero.get_or_insert_with(|| now.checked_sub(offset).unwrap_or(now));
        let Some(due) = start.checked_add(offset) else { return false };
        // A decoder that falls behind makes the picture late once, and does not make it hurry afterwards.
        let late = now.saturating_duration_since(due);
        *zero = match self.transport.wait(due) {
            Waited::Ended => return false,
            Waited::Due { halted } => {
                let slip = if late > Duration::from_millis(100) { late } else { Duration::ZERO };
                start.checked_add(halted + slip)
            }
            // From a single step on, the clock goes by the frame that was stepped to.
            Waited::Stepped => Instant::now().checked_sub(offset),
        };
        true
    }
}
