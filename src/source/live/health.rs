//! How a live source fares: shared by who reads it, who shows it, and who lets time pass for the tracker.

use crate::sync::lock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What there is to say of a live source at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Pictures come.
    Good,
    /// It is open, but none came for so long.
    Stalled(Duration),
    /// It is not there; it is tried again and again.
    Gone {
        /// How long ago the last picture came.
        silent: Duration,
        /// What it or the system said.
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
    /// From which silence on it counts as stalled.
    stall: Duration,
    /// Why it is not there.
    gone: Option<String>,
    /// It was gone, and no picture came since.
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

    /// What there is to say now.
    pub fn condition(&self) -> Condition {
        let state = self.lock();
        let silent = state.last.elapsed();
        match &state.gone {
            Some(why) => Condition::Gone { silent, why: why.clone() },
            None if silent > state.stall => Condition::Stalled(silent),
            None => Condition::Good,
        }
    }

    /// How long it has been silent while it is open, where that is longer than is borne: so long between two pictures, so
    /// long before the first.
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

    /// How many pictures were too damaged to be shown, and left out.
    pub fn damaged(&self) -> u64 {
        let state = self.lock();
        let (before, now) = &state.damaged;
        before + now.as_ref().map_or(0, |now| now.load(Ordering::Relaxed))
    }

    /// How many times it was opened again.
    pub fn reopened(&self) -> u64 {
        self.0.reopened.load(Ordering::Relaxed)
    }

    /// From now on this counts the damaged pictures.
    pub(super) fn count_damage_of(&self, counter: Option<Arc<AtomicU64>>) {
        let before = self.damaged();
        self.lock().damaged = (before, counter);
    }

    /// A picture came; gives how long it was silent where that was trouble.
    pub(super) fn picture(&self) -> Option<Duration> {
        let mut state = self.lock();
        let silent = state.last.elapsed();
        let lost = std::mem::take(&mut state.lost);
        // Open again is what gives pictures again: that a connection was begun says nothing.
        self.0.reopened.fetch_add(u64::from(lost), Ordering::Relaxed);
        let trouble = lost || silent > state.stall;
        (state.last, state.opened, state.gone) = (Instant::now(), None, None);
        trouble.then_some(silent)
    }

    /// It is not there (any more); whether that is new since the last picture.
    pub(super) fn gone(&self, why: String) -> bool {
        let mut state = self.lock();
        let new = !state.lost;
        (state.gone, state.lost, state.open) = (Some(why), true, false);
        new
    }

    /// How long ago the last picture came; before the first, how long it has been waited for.
    pub(super) fn silent(&self) -> Duration {
        self.lock().last.elapsed()
    }

    /// It was opened again; pictures may come, and until then it counts as gone.
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
    /// What stands in the window as long as it is so; `None` while all is well.
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
