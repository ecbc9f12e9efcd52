//! What the window asks of the capture thread, like the buttons of a player: pause, step, speed, position.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::clock::Clock;
use super::message::{SeekRequest, Target};
use crate::sync::lock;

/// The speeds that can be chosen, in seconds of the recording a second.
pub const SPEEDS: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// The controls of playback. Every jump begins a new *epoch*. Frames carry their epoch, so that the window knows which
/// frames are from before a jump.
#[derive(Debug, Default)]
pub struct PlaybackControl {
    state: Mutex<State>,
    changed: Condvar,
    /// See [`Self::found_duration`].
    duration: OnceLock<f64>,
}

#[derive(Debug)]
struct State {
    paused: bool,
    steps: u32,
    speed: f64,
    repeat: bool,
    epoch: u64,
    /// The epoch of the last jump that was asked for. A repetition needs no new one: all frames before it are still
    /// wanted.
    jumped: u64,
    request: Option<SeekRequest>,
    end: Option<End>,
    over: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            jumped: 0,
            paused: false,
            steps: 0,
            speed: 1.0,
            repeat: false,
            epoch: 0,
            request: None,
            end: None,
            over: false,
        }
    }
}

/// Where the source has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The epoch.
    pub epoch: u64,
    /// How many frames had been handed on in all.
    pub frames: u64,
    /// How many of them in this epoch.
    pub in_epoch: u64,
}

/// How a wait came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The frame is due, or a single step was asked for.
    Due,
    /// Another place was asked for.
    SeekRequested,
    /// No more frames are wanted.
    Over,
}

impl PlaybackControl {
    /// The length of a recording in seconds that its container does not tell, once it has been found.
    pub fn found_duration(&self) -> Option<f64> {
        self.duration.get().copied()
    }

    /// Tells the length that was found.
    pub(crate) fn set_found_duration(&self, seconds: f64) {
        // It is found once.
        let _ = self.duration.set(seconds);
    }

    /// Pauses or continues.
    pub fn set_paused(&self, paused: bool) {
        self.change(|state| (state.paused, state.steps) = (paused, 0));
    }

    /// One frame on, while halted.
    pub fn step(&self) {
        self.change(|state| state.steps = state.steps.saturating_add(1));
    }

    /// Changes the speed: so many seconds of the recording in a second.
    pub fn set_speed(&self, speed: f64) {
        self.change(|state| state.speed = speed);
    }

    /// Whether the recording begins again when it has ended.
    pub fn set_repeat(&self, repeat: bool) {
        self.change(|state| state.repeat = repeat);
    }

    /// Goes to another place; gives the epoch that begins there.
    pub fn seek(&self, target: Target) -> u64 {
        self.request(target, false)
    }

    /// Tracks the frame at this source time again, even if the history has it; returns the epoch that begins with it.
    pub fn retrack(&self, time: f64) -> u64 {
        self.request(Target::At(time), true)
    }

    fn request(&self, target: Target, retrack: bool) -> u64 {
        let mut epoch = 0;
        self.change(|state| {
            state.epoch += 1;
            epoch = state.epoch;
            // Steps that were asked for before are of another place.
            (state.jumped, state.steps) = (epoch, 0);
            state.request = Some(SeekRequest { epoch, target, retrack });
        });
        epoch
    }

    /// Where the source has ended; `None` while there may be more.
    pub fn ended(&self) -> Option<End> {
        self.lock().end
    }

    /// The epoch of the last jump that was asked for: frames of earlier ones are not wanted any more.
    pub(crate) fn wanted_epoch(&self) -> u64 {
        self.lock().jumped
    }

    /// Whether the recording is to begin again at its end.
    pub(crate) fn repeats(&self) -> bool {
        self.lock().repeat
    }

    /// Wakes the capture thread and ends all its waits.
    pub(crate) fn end(&self) {
        self.change(|state| state.over = true);
    }

    /// The newest place that was asked for, once.
    pub(crate) fn take_request(&self) -> Option<SeekRequest> {
        let mut state = self.lock();
        let request = state.request.take();
        if request.is_some() {
            state.end = None;
        }
        request
    }

    /// Whether the current work should be abandoned.
    pub(crate) fn is_interrupted(&self) -> bool {
        let state = self.lock();
        state.over || state.request.is_some()
    }

    /// At the end of the source: the epoch of the next repetition, where one is wanted and nothing else was asked for.
    pub(crate) fn begin_again(&self) -> Option<u64> {
        let mut state = self.lock();
        if !state.repeat || state.over || state.request.is_some() {
            return None;
        }
        (state.epoch, state.steps) = (state.epoch + 1, 0);
        Some(state.epoch)
    }

    /// Records that the source has ended, and waits for the next request; false if the run ends.
    pub(crate) fn wait_at_end(&self, end: End) -> bool {
        let mut state = self.lock();
        state.end = Some(end);
        while !state.over && state.request.is_none() && !state.repeat {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.end = None;
        !state.over
    }

    /// Waits until a frame of this source time is due; while paused, until a step.
    pub(crate) fn wait(&self, clock: &mut Clock, time: f64) -> Waited {
        let mut state = self.lock();
        let mut halted = false;
        loop {
            if state.over {
                return Waited::Over;
            }
            if state.request.is_some() {
                return Waited::SeekRequested;
            }
            let now = Instant::now();
            if state.paused {
                if state.steps > 0 {
                    state.steps -= 1;
                    clock.stop();
                    clock.shown(time, now);
                    return Waited::Due;
                }
                halted = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if std::mem::take(&mut halted) {
                clock.go_on(now);
            }
            clock.set_speed(state.speed, now);
            let left = clock.left(time, now);
            if left.is_zero() {
                clock.shown(time, now);
                return Waited::Due;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}
