//! Opens a source on a thread of its own, and tries again if the source may come back.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use crate::pipeline::{Pipeline, Reopen, Stop};
use crate::source::{Source, SourceError};

/// The first pause before a source that could not be opened is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// How often a thread that pauses looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// A source that is open.
pub struct Opened {
    /// Where frames come from.
    pub source: Box<dyn Source>,
    /// How to begin it again, where it can be.
    pub reopen: Option<Reopen>,
    /// Something the user should know about it.
    pub note: Option<String>,
}

/// Opens a source.
pub type Open = Box<dyn Fn() -> Result<Opened, SourceError> + Send + Sync>;

/// The results of opening: the source, or the error of each attempt.
pub(super) type Results = Receiver<Result<Opened, SourceError>>;

/// How a source is opened.
pub(super) struct Attempt {
    pub(super) open: Arc<Open>,
    /// Whether the source may be there later.
    pub(super) again: bool,
    /// How long to try; `None`: without limit.
    pub(super) give_up: Option<Duration>,
    /// The pipeline that ran before: it is ended first, then there is a pause.
    pub(super) before: Option<Pipeline>,
    pub(super) stop: Stop,
}

impl Attempt {
    /// Starts the thread. It ends when the source is open, when the time limit has passed, or when the receiver is gone.
    ///
    /// # Errors
    /// The system's error if it cannot start a thread.
    pub(super) fn begin(self, name: &str) -> std::io::Result<(Results, JoinHandle<()>)> {
        let (sender, results) = bounded(4);
        let thread = std::thread::Builder::new().name(format!("open {name}")).spawn(move || {
            let (begun, mut pause) = (Instant::now(), PAUSES.0);
            if let Some(before) = self.before {
                // Its error was reported already.
                let _ = before.finish();
                rest(pause, &self.stop);
            }
            while !self.stop.is_asked() {
                let opened = (self.open)();
                let over = opened.is_ok() || !self.again;
                // Full: earlier reasons are not read yet, and this one adds nothing.
                let gone = match opened {
                    Ok(opened) => sender.send(Ok(opened)).is_err(),
                    Err(error) => sender.try_send(Err(error)).is_err_and(|error| error.is_disconnected()),
                };
                if over || gone || self.give_up.is_some_and(|give_up| begun.elapsed() >= give_up) {
                    return;
                }
                rest(pause, &self.stop);
                pause = (pause * 2).min(PAUSES.1);
            }
        })?;
        Ok((results, thread))
    }
}

fn rest(pause: Duration, stop: &Stop) {
    let until = Instant::now() + pause;
    while !stop.is_asked() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(LOOK));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn missing() -> SourceError {
        SourceError::Open { what: "it".into(), why: "it is not there".into() }
    }

    #[test]
    fn what_may_come_back_is_tried_again_and_what_cannot_is_not() {
        for (again, least) in [(true, 2), (false, 1)] {
            let (tries, stop) = (Arc::<AtomicUsize>::default(), Stop::default());
            let counted = Arc::clone(&tries);
            let open: Open = Box::new(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                Err(missing())
            });
            let (open, before) = (Arc::new(open), None);
            let attempt = Attempt { open, again, give_up: None, before, stop: stop.clone() };
            let (results, thread) = attempt.begin("it").unwrap();
            assert!(results.recv().unwrap().is_err());
            assert_eq!(results.recv_timeout(Duration::from_secs(3)).is_ok(), again);
            let begun = Instant::now();
            stop.ask_threads();
            thread.join().unwrap();
            assert!(begun.elapsed() < Duration::from_millis(500));
            let tries = tries.load(Ordering::SeqCst);
            assert!(tries >= least && (again || tries == 1), "{tries}");
        }
    }

    #[test]
    fn nobody_waits_longer_than_is_borne() {
        let (open, stop) = (Arc::new(Box::new(|| Err(missing())) as Open), Stop::default());
        let give_up = Some(Duration::from_millis(10));
        let attempt = Attempt { open, again: true, give_up, before: None, stop };
        let (results, thread) = attempt.begin("it").unwrap();
        thread.join().unwrap();
        assert!((1..=2).contains(&results.iter().count()));
    }
}
