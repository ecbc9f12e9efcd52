//! One place for the newest thing between two threads: putting never waits, taking waits for something new.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Holds at most one item, the newest, until the writer ends or the reader stops it.
pub(super) struct Mailbox<T, E> {
    state: Mutex<State<T, E>>,
    changed: Condvar,
}

struct State<T, E> {
    newest: Option<T>,
    /// Why the writer ended, until the reader has been told.
    fault: Option<E>,
    /// The writer is done and holds nothing any more.
    ended: bool,
    /// Nobody wants more.
    stopped: bool,
}

/// What a wait for an item came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    /// The newest item.
    Item(T),
    /// None in that time.
    Nothing,
    /// Stopped or ended: there will be none.
    Over,
}

impl<T, E> Mailbox<T, E> {
    /// Empty and open.
    pub(super) fn new() -> Self {
        let state = State { newest: None, fault: None, ended: false, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Writer: replaces what was not taken. False when nobody wants more.
    pub(super) fn put(&self, item: T) -> bool {
        let mut state = self.lock();
        state.newest = Some(item);
        self.changed.notify_all();
        !state.stopped
    }

    /// Writer: there will be no more, because of `fault` where it is one.
    pub(super) fn end(&self, fault: Option<E>) {
        let mut state = self.lock();
        state.ended = true;
        state.fault = state.fault.take().or(fault);
        self.changed.notify_all();
    }

    /// Reader: the newest item, once. `None` when stopped or ended.
    ///
    /// # Errors
    /// Why the writer ended, once, after what it put last.
    #[cfg(any(test, feature = "camera"))]
    pub(super) fn take(&self) -> Result<Option<T>, E> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Ok(None);
            }
            if let Some(item) = state.newest.take() {
                return Ok(Some(item));
            }
            if state.ended {
                return state.fault.take().map_or(Ok(None), Err);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reader: as [`Mailbox::take`], but waits at most this long; then `Ok(Taken::Nothing)`.
    ///
    /// # Errors
    /// As [`Mailbox::take`].
    pub(super) fn take_within(&self, at_most: Duration) -> Result<Taken<T>, E> {
        let deadline = Instant::now() + at_most;
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Ok(Taken::Over);
            }
            if let Some(item) = state.newest.take() {
                return Ok(Taken::Item(item));
            }
            if state.ended {
                return state.fault.take().map_or(Ok(Taken::Over), Err);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Taken::Nothing);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writer: waits this long, or until nobody wants more; false where nobody does.
    pub(super) fn rest(&self, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        let mut state = self.lock();
        while !state.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// Anyone: wakes the reader and asks the writer to end.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.newest = None;
        self.changed.notify_all();
    }

    /// Writer: whether nobody wants more.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Waits until the writer has ended, at most this long; whether it has.
    pub(super) fn wait_for_end(&self, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        let mut state = self.lock();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The state is whole after every statement, so that a panic of another thread does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn only_the_newest_is_kept_and_given_once() {
        let mailbox: Mailbox<u32, ()> = Mailbox::new();
        for item in 1..=5 {
            assert!(mailbox.put(item));
        }
        mailbox.end(None);
        assert_eq!(mailbox.take(), Ok(Some(5)));
        assert_eq!(mailbox.take(), Ok(None));
        assert_eq!(mailbox.take(), Ok(None));
    }

    #[test]
    fn the_fault_comes_after_the_last_item_and_once() {
        let mailbox: Mailbox<u32, &str> = Mailbox::new();
        mailbox.put(1);
        mailbox.end(Some("gone"));
        assert_eq!(mailbox.take(), Ok(Some(1)));
        assert_eq!(mailbox.take(), Err("gone"));
        assert_eq!(mailbox.take(), Ok(None));
    }

    #[test]
    fn stopping_wakes_a_waiting_reader_and_tells_the_writer() {
        let mailbox: Arc<Mailbox<u32, ()>> = Arc::new(Mailbox::new());
        let reader = thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || mailbox.take()
        });
        thread::sleep(Duration::from_millis(20));
        mailbox.stop();
        assert_eq!(reader.join().unwrap(), Ok(None));
        assert!(!mailbox.put(1));
        assert_eq!(mailbox.take(), Ok(None));
    }

    #[test]
    fn a_wait_ends_with_an_item_its_time_or_the_stop() {
        let mailbox: Mailbox<u32, &str> = Mailbox::new();
        assert_eq!(mailbox.take_within(Duration::from_millis(5)), Ok(Taken::Nothing));
        assert!(mailbox.rest(Duration::from_millis(5)));
        mailbox.put(3);
        assert_eq!(mailbox.take_within(Duration::from_secs(60)), Ok(Taken::Item(3)));
        mailbox.end(Some("gone"));
        assert_eq!(mailbox.take_within(Duration::from_secs(60)), Err("gone"));
        mailbox.stop();
        assert_eq!(mailbox.take_within(Duration::from_secs(60)), Ok(Taken::Over));
        assert!(!mailbox.rest(Duration::from_secs(60)));
    }

    #[test]
    fn waiting_for_the_end_has_an_end_itself() {
        let mailbox: Mailbox<u32, ()> = Mailbox::new();
        assert!(!mailbox.wait_for_end(Duration::from_millis(10)));
        mailbox.end(None);
        assert!(mailbox.wait_for_end(Duration::from_millis(10)));
    }
}
