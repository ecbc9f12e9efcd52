//! How a run ends: a flag that every thread checks, set by the program or by a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts::SIGHUP;
use signal_hook::consts::{SIGINT, SIGTERM};

/// The signals that ask for an end.
#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// How long the end of a run waits for its threads.
const PATIENCE: Duration = Duration::from_secs(2);

/// A flag that asks for the end of the run. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Set by a signal.
    signalled: Arc<AtomicBool>,
    /// The next signal ends the process at once: while nothing can be lost yet, and after the first one.
    at_once: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    /// Set by the program, for the threads of one run.
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// A flag that SIGINT (Ctrl-C), SIGTERM and SIGHUP set. Until [`Stop::be_graceful`], and from the second signal on,
    /// they end the process at once. A signal that was ignored when the process began stays ignored (SIGHUP under `nohup`,
    /// SIGINT in a background job of a script): known on Linux only.
    ///
    /// # Errors
    /// What the system says when it does not let signals be caught.
    pub fn on_signals() -> std::io::Result<Self> {
        let stop = Self::default();
        stop.at_once.store(true, Ordering::SeqCst);
        let ignored = ignored_signals();
        for signal in SIGNALS.into_iter().filter(|signal| !is_in(ignored, *signal)) {
            // Actions run in this order: the first graceful signal finds the flag that it sets still unset.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&stop.at_once),
            )?;
            signal_hook::flag::register(signal, Arc::clone(&stop.at_once))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize)?;
            signal_hook::flag::register(signal, Arc::clone(&stop.signalled))?;
        }
        Ok(stop)
    }

    /// From now on the first signal asks for an orderly end.
    pub fn be_graceful(&self) {
        self.at_once.store(false, Ordering::SeqCst);
    }

    /// The same signals, with a flag for the threads of another run.
    #[must_use]
    pub fn for_another_run(&self) -> Self {
        Self { asked: Arc::default(), ..self.clone() }
    }

    /// Asks the threads of this run to end.
    pub fn ask_threads(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether it is time to end.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) || self.signalled.load(Ordering::SeqCst)
    }

    /// The signal that came, if one did.
    pub fn signal(&self) -> Option<i32> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }
}

/// The signals that this process ignores, as the system's mask of bits; none where the system does not tell without
/// `unsafe` code.
fn ignored_signals() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| ignored_mask(&status))
}

/// The mask of ignored signals in a text like that of `/proc/self/status`.
fn ignored_mask(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Whether a mask holds a signal: the lowest bit is signal 1.
fn is_in(mask: u64, signal: i32) -> bool {
    (1..=64).contains(&signal) && mask >> (signal - 1) & 1 == 1
}

/// Waits for threads to end, two seconds at most. Returns the names of those that are still blocked (in a driver, say);
/// they are not waited for. Each thread reports its own panics.
pub(crate) fn join(threads: Vec<JoinHandle<()>>) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let mut held = Vec::new();
    for thread in threads {
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        let name = thread.thread().name().unwrap_or("unnamed").to_owned();
        if !thread.is_finished() {
            held.push(name);
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let mask =
            ignored_mask("Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001003\nSigCgt:\t0\n");
        let found: Vec<i32> = (-1..=65).filter(|&signal| is_in(mask, signal)).collect();
        assert_eq!(found, [1, 2, 13]);
        assert_eq!(ignored_mask("no such line"), 0);
        assert_eq!(ignored_mask("SigIgn:\tnonsense"), 0);
    }
}
