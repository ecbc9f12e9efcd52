//! How often the main loops look for something new, and how often they draw.

use std::time::{Duration, Instant};

/// The sleep of the loop when there is nothing new.
const NAP: Duration = Duration::from_millis(8);
/// The sleep where nothing has happened for [`QUIET`] and nothing is expected.
const LONG_NAP: Duration = Duration::from_millis(25);
/// Without anything new for so long, the loop sleeps longer.
const QUIET: Duration = Duration::from_millis(600);
/// How often the numbers are drawn when nothing else is.
pub(crate) const NUMBERS: Duration = Duration::from_millis(500);
/// How often a still picture is presented again: what a covered window showed is forgotten.
pub(crate) const STILL: Duration = Duration::from_millis(1600);

/// When the window was drawn last, and when something last happened.
#[derive(Debug)]
pub(crate) struct Pace {
    drawn: Instant,
    busy: Instant,
}

impl Pace {
    /// `ago`: the window counts as drawn so long ago.
    pub(crate) fn new(ago: Duration) -> Self {
        let now = Instant::now();
        Self { drawn: now.checked_sub(ago).unwrap_or(now), busy: now }
    }

    /// The window is drawn or presented now.
    pub(crate) fn drawn(&mut self) {
        self.drawn = Instant::now();
    }

    /// Something happens now.
    pub(crate) fn busy(&mut self) {
        self.busy = Instant::now();
    }

    /// The time since the window was drawn or presented.
    pub(crate) fn since_drawn(&self) -> Duration {
        self.drawn.elapsed()
    }

    /// How long to sleep; `still`: no picture is expected.
    pub(crate) fn nap(&self, still: bool) -> Duration {
        if still && self.busy.elapsed() > QUIET { LONG_NAP } else { NAP }
    }
}
