//! The condition of a live source, shared by the thread that reads it, the window that shows it, and the tracker, which
//! needs the time without pictures.

use crate::sync::lock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The condition of a live source at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Pictures come.
    Good,
    /// The source is open, but has given no picture for this long.
    Stalled(Duration),
    /// The source is gone; opening it is tried repeatedly.
    Gone {
        /// How long ago the last picture came.
        silent: Duration,
        /// The error of the source or the system.
        why: String,
    },
}

/// A handle to the state of a live source; clones are the same.
#[derive(Debug, Clone)]
pub struct Health(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    reopened: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// When the last picture came; before the first, when it was opened.
    last: Instant,
    /// When it was opened, until a picture has come since.
    opened: Option<Instant>,
    /// It is open, though perhaps silent.
    open: bool,
    /// It counts as stalled after this long without a picture.
    stall: Duration,
    /// Why it is gone.
    gone: Option<String>,
    /// It was gone, and has given no picture since.
    lost: bool,
    /// The damaged pictures of earlier connections, and the counter of this one.
    damaged: (u64, Option<Arc<AtomicU64>>),
}

impl Health {
    pub(in crate::source) fn new(stall: Duration) -> Self {
        let state = State {
            last: Instant::now(),
            opened: Some(Instant::now()),
            open: true,
            stall,
            gone: None,
            lost: false,
            damaged: (0, None),
        };
        let shared = Shared { state: Mutex::new(state), reopened: AtomicU64::new(0) };
        Self(Arc::new(shared))
    }

    /// The condition now.
    pub fn condition(&self) -> Condition {
        let state = self.lock();
        let silent = state.last.elapsed();
        match &state.gone {
            Some(why) => Condition::Gone { silent, why: why.clone() },
            None if silent > state.stall => Condition::Stalled(silent),
            None => Condition::Good,
        }
    }

    /// How long it has given no picture while it is open, if that is longer than the limit: `between` two pictures, or
    /// `first` before the first one.
    pub(super) fn overdue(&self, between: Duration, first: Duration) -> Option<Duration> {
        let state = self.lock();
        let (silent, limit) = match state.opened {
            Some(opened) => (opened.elapsed(), first),
            None => (state.last.elapsed(), between),
        };
        (state.open && silent > limit).then_some(silent)
    }

    /// Whether pictures come.
    pub fn is_good(&self) -> bool {
        self.condition() == Condition::Good
    }

    /// The number of pictures that were too damaged to be shown.
    pub fn damaged(&self) -> u64 {
        let state = self.lock();
        let (before, now) = &state.damaged;
        before + now.as_ref().map_or(0, |now| now.load(Ordering::Relaxed))
    }

    /// How many times it was opened again.
    pub fn reopened(&self) -> u64 {
        self.0.reopened.load(Ordering::Relaxed)
    }

    /// Sets the counter of damaged pictures for this connection.
    pub(super) fn count_damage_of(&self, counter: Option<Arc<AtomicU64>>) {
        let before = self.damaged();
        self.lock().damaged = (before, counter);
    }

    /// A picture came; returns how long there was none, if the source was stalled or gone.
    pub(super) fn picture(&self) -> Option<Duration> {
        let mut state = self.lock();
        let silent = state.last.elapsed();
        let lost = std::mem::take(&mut state.lost);
        // A source counts as reopened once it gives pictures: an open connection alone proves nothing.
        self.0.reopened.fetch_add(u64::from(lost), Ordering::Relaxed);
        let trouble = lost || silent > state.stall;
        (state.last, state.opened, state.gone) = (Instant::now(), None, None);
        trouble.then_some(silent)
    }

    /// The source is gone; returns whether that is new since the last picture.
    pub(super) fn gone(&self, why: String) -> bool {
        let mut state = self.lock();
        let new = !state.lost;
        (state.gone, state.lost, state.open) = (Some(why), true, false);
        new
    }

    /// The time since the last picture; before the first, the time since it was opened.
    pub(super) fn silent(&self) -> Duration {
        self.lock().last.elapsed()
    }

    /// It was reopened; until a picture comes, it counts as gone.
    pub(super) fn opened(&self) {
        let mut state = self.lock();
        (state.opened, state.open) = (Some(Instant::now()), true);
    }

    /// The state is whole after every statement, so that a panic of another thread does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

/// Seconds as a person counts them.
pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

impl Condition {
    /// The sentence that the window shows during this condition; `None` if it is good.
    pub fn sentence(&self, name: &str) -> Option<String> {
        match self {
            Self::Good => None,
            Self::Stalled(silent) => Some(format!("no picture from {name} for {}", seconds(*silent))),
            Self::Gone { silent, why } => {
                Some(format!("{name} has been gone for {}; waiting for it\n{why}", seconds(*silent)))
            }
        }
    }
}
