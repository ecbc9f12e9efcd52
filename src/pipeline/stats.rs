//! Counters that every stage writes and the window reads.

use crate::sync::lock;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How far back a rate looks.
const WINDOW: Duration = Duration::from_secs(2);

/// Events a second over the last two seconds.
#[derive(Debug, Default)]
pub struct Rate(Mutex<VecDeque<Instant>>);

impl Rate {
    /// One more event, now.
    pub fn tick(&self) {
        let now = Instant::now();
        let mut events = lock(&self.0);
        events.push_back(now);
        while events.front().is_some_and(|first| now - *first > WINDOW) || events.len() > 4_000 {
            events.pop_front();
        }
    }

    /// Events a second; 0 when there were none of late.
    pub fn per_second(&self) -> f64 {
        let now = Instant::now();
        let events = lock(&self.0);
        let recent: Vec<_> = events.iter().filter(|event| now - **event <= WINDOW).collect();
        match (recent.first(), recent.last()) {
            (Some(first), Some(last)) if recent.len() > 1 => {
                (recent.len() - 1) as f64 / (**last - **first).as_secs_f64().max(1e-6)
            }
            _ => 0.0,
        }
    }
}

/// The counters of all stages of one pipeline.
#[derive(Debug, Default)]
pub struct Stats {
    /// Frames that the source gave.
    pub captured: Rate,
    /// Frames that went through the network.
    pub detected: Rate,
    /// Frames that the window did not show, because a newer one was there.
    pub skipped_display: Arc<AtomicU64>,
    /// Frames that were not made better for the network, because a newer one was there: the detector gets none of them.
    pub skipped_enhance: Arc<AtomicU64>,
    /// Of the others, frames that the detector did not look at, because a newer one was there.
    pub skipped_detect: Arc<AtomicU64>,
    /// Frames that the recorder left out, because it was busy (live only).
    pub skipped_record: Arc<AtomicU64>,
    /// Nothing moves, and the network rests.
    pub(super) resting: AtomicBool,
    /// How many frames were handed to the detector, over all.
    pub(super) handed: AtomicU64,
    /// Microseconds of the last run of the network.
    inference: AtomicU64,
}

impl Stats {
    /// Notes how long the network took.
    pub fn set_inference(&self, time: Duration) {
        self.inference.store(time.as_micros() as u64, Ordering::Relaxed);
    }

    /// How long the network took the last time, in milliseconds.
    pub fn inference_ms(&self) -> f64 {
        self.inference.load(Ordering::Relaxed) as f64 / 1_000.0
    }

    /// Whether nothing moves in the newest picture, so that the network rests.
    pub fn is_resting(&self) -> bool {
        self.resting.load(Ordering::Relaxed)
    }

    /// Frames left out, by stage; of the stage `enhance`, which is seldom slow, only where there were any.
    pub fn skipped(&self) -> Vec<(&'static str, u64)> {
        let stages = [
            ("detect", &self.skipped_detect),
            ("display", &self.skipped_display),
            ("record", &self.skipped_record),
            ("enhance", &self.skipped_enhance),
        ];
        let counts = stages.map(|(stage, count)| (stage, count.load(Ordering::Relaxed)));
        counts.into_iter().filter(|(stage, count)| *stage != "enhance" || *count > 0).collect()
    }
}
