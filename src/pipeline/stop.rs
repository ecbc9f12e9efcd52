//! How everything comes to an end: a flag that every thread looks at, set by the program or by a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

/// How long threads are waited for in the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A flag that says: come to an end. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Set by a signal.
    signalled: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    /// Set by the program, for the threads of one run.
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// A flag that SIGINT (Ctrl-C) and SIGTERM set; the second signal ends the process at once.
    ///
    /// # Errors
    /// What the system says when it does not let signals be caught.
    pub fn on_signals() -> std::io::Result<Self> {
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&stop.signalled),
            )?;
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize)?;
            signal_hook::flag::register(signal, Arc::clone(&stop.signalled))?;
        }
        Ok(stop)
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

/// Waits for threads to end, two seconds at most; gives the names of those that are held (inside a driver, say) and
/// are left behind.
pub(super) fn join(threads: Vec<JoinHandle<()>>) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let mut held = Vec::new();
    for thread in threads {
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        let name = thread.thread().name().unwrap_or("unnamed").to_owned();
        if !thread.is_finished() {
            held.push(name);
        } else if thread.join().is_err() {
            log::error!("the thread {name} ended by a fault of its own; please report it");
        }
    }
    held
}
