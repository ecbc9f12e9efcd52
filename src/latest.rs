//! One place for the newest value between two threads: a value that was not taken is replaced by the next one, so that a
//! writer never waits and a reader never works on what is out of date.
//!
//! [`channel`] is the plain form, with a receiver that can be waited for together with others. [`Slot`] is shared by one
//! writer and one reader who must also be able to end it: the reader stops the writer, the writer ends with a reason.

use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::{Receiver, TrySendError, after, bounded, select_biased};

use crate::sync::lock;

/// The sending end of a [`channel`].
#[derive(Debug)]
pub(crate) struct Sender<T> {
    sender: crossbeam_channel::Sender<T>,
    /// Takes out what was not received in time.
    drain: Receiver<T>,
}

/// A channel that holds one value, the newest.
///
/// The sender holds a receiver too, so it does not notice when all others are gone.
pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bounded(1);
    (Sender { sender, drain: receiver.clone() }, receiver)
}

impl<T> Sender<T> {
    /// Sends a value at once, and gives the one that it replaced.
    pub(crate) fn send(&self, mut value: T) -> Option<T> {
        let mut replaced = None;
        loop {
            match self.sender.try_send(value) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => return replaced,
                Err(TrySendError::Full(back)) => {
                    value = back;
                    replaced = self.drain.try_recv().ok().or(replaced);
                }
            }
        }
    }

    /// The channel itself, for a sender that waits for room instead of replacing what is there.
    pub(crate) fn waiting(&self) -> &crossbeam_channel::Sender<T> {
        &self.sender
    }
}

/// A signal that is given once and stays: it wakes all threads that wait for it.
#[derive(Debug)]
struct Signal {
    /// Closed to give the signal.
    open: Mutex<Option<crossbeam_channel::Sender<()>>>,
    given: Receiver<()>,
}

impl Signal {
    fn new() -> Self {
        let (open, given) = bounded(0);
        Self { open: Mutex::new(Some(open)), given }
    }

    fn give(&self) {
        *lock(&self.open) = None;
    }

    fn is_given(&self) -> bool {
        lock(&self.open).is_none()
    }

    /// Waits at most this long; whether it was given.
    fn wait(&self, at_most: Duration) -> bool {
        self.given.recv_timeout(at_most).is_err_and(|error| error.is_disconnected())
    }
}

/// The newest value, until the writer ends or anyone stops it.
#[derive(Debug)]
pub(crate) struct Slot<T, E> {
    values: Sender<T>,
    newest: Receiver<T>,
    /// Why the writer ended, until the reader was told.
    reason: Mutex<Option<E>>,
    ended: Signal,
    stopped: Signal,
}

/// What a wait for a value came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    /// The newest value.
    Item(T),
    /// None in that time.
    Nothing,
    /// Stopped or ended: there will be none.
    Over,
}

impl<T, E> Slot<T, E> {
    /// Empty and open.
    pub(crate) fn new() -> Self {
        let (values, newest) = channel();
        Self { values, newest, reason: Mutex::new(None), ended: Signal::new(), stopped: Signal::new() }
    }

    /// Writer: replaces what was not taken. False once the slot is stopped.
    pub(crate) fn put(&self, value: T) -> bool {
        self.values.send(value);
        !self.is_stopped()
    }

    /// Writer: there will be no more values, because of `reason` where there is one.
    pub(crate) fn end(&self, reason: Option<E>) {
        {
            let mut known = lock(&self.reason);
            *known = known.take().or(reason);
        }
        self.ended.give();
    }

    /// Reader: waits for the newest value, which is given once. `None` when stopped or ended.
    ///
    /// # Errors
    /// Why the writer ended, once, after the value that it put last.
    #[cfg(any(test, feature = "camera"))]
    pub(crate) fn take(&self) -> Result<Option<T>, E> {
        self.take_until(&crossbeam_channel::never::<()>()).map(|taken| match taken {
            Taken::Item(value) => Some(value),
            Taken::Nothing | Taken::Over => None,
        })
    }

    /// Reader: as [`Slot::take`], but waits at most this long; then `Ok(Taken::Nothing)`.
    ///
    /// # Errors
    /// As [`Slot::take`].
    pub(crate) fn take_within(&self, at_most: Duration) -> Result<Taken<T>, E> {
        self.take_until(&after(at_most))
    }

    fn take_until<D>(&self, deadline: &Receiver<D>) -> Result<Taken<T>, E> {
        select_biased! {
            recv(self.stopped.given) -> _ => Ok(Taken::Over),
            recv(self.newest) -> value => Ok(value.map_or(Taken::Over, Taken::Item)),
            recv(self.ended.given) -> _ => match self.newest.try_recv() {
                // It was put between the two looks.
                Ok(value) => Ok(Taken::Item(value)),
                Err(_) => lock(&self.reason).take().map_or(Ok(Taken::Over), Err),
            },
            recv(deadline) -> _ => Ok(Taken::Nothing),
        }
    }

    /// Writer: waits this long, or until the slot is stopped; false where it is.
    pub(crate) fn rest(&self, at_most: Duration) -> bool {
        !self.stopped.wait(at_most)
    }

    /// Anyone: wakes the reader and asks the writer to end.
    pub(crate) fn stop(&self) {
        self.stopped.give();
        let _ = self.newest.try_recv();
    }

    /// Whether anyone has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_given()
    }

    /// Waits until the writer has ended, at most this long; whether it has.
    pub(crate) fn wait_for_end(&self, at_most: Duration) -> bool {
        self.ended.wait(at_most)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_channel_holds_the_newest_and_gives_back_what_it_replaced() {
        let (sender, receiver) = channel();
        assert_eq!((sender.send(1), sender.send(2), sender.send(3)), (None, Some(1), Some(2)));
        assert_eq!((receiver.try_recv(), receiver.try_recv().ok()), (Ok(3), None));
        assert_eq!(sender.send(4), None);
        drop(sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [4], "what was sent last outlives its sender");
    }

    #[test]
    fn only_the_newest_is_kept_and_given_once() {
        let slot: Slot<u32, ()> = Slot::new();
        for value in 1..=5 {
            assert!(slot.put(value));
        }
        slot.end(None);
        assert_eq!(slot.take(), Ok(Some(5)));
        assert_eq!(slot.take(), Ok(None));
        assert_eq!(slot.take(), Ok(None));
    }

    #[test]
    fn the_reason_comes_after_the_last_value_and_once() {
        let slot: Slot<u32, &str> = Slot::new();
        slot.put(1);
        slot.end(Some("gone"));
        slot.end(Some("gone once more"));
        assert_eq!(slot.take(), Ok(Some(1)));
        assert_eq!(slot.take(), Err("gone"));
        assert_eq!(slot.take(), Ok(None));
    }

    #[test]
    fn stopping_wakes_a_waiting_reader_and_tells_the_writer() {
        let slot: Arc<Slot<u32, ()>> = Arc::new(Slot::new());
        let reader = thread::spawn({
            let slot = Arc::clone(&slot);
            move || slot.take()
        });
        thread::sleep(Duration::from_millis(20));
        slot.stop();
        assert_eq!(reader.join().unwrap(), Ok(None));
        assert!(!slot.put(1));
        assert_eq!(slot.take(), Ok(None));
    }

    #[test]
    fn ending_wakes_a_waiting_reader() {
        let slot: Arc<Slot<u32, &str>> = Arc::new(Slot::new());
        let reader = thread::spawn({
            let slot = Arc::clone(&slot);
            move || slot.take()
        });
        thread::sleep(Duration::from_millis(20));
        slot.end(Some("gone"));
        assert_eq!(reader.join().unwrap(), Err("gone"));
    }

    #[test]
    fn a_wait_ends_with_a_value_its_time_or_the_stop() {
        let slot: Slot<u32, &str> = Slot::new();
        assert_eq!(slot.take_within(Duration::from_millis(5)), Ok(Taken::Nothing));
        assert!(slot.rest(Duration::from_millis(5)));
        slot.put(3);
        assert_eq!(slot.take_within(LONG), Ok(Taken::Item(3)));
        slot.end(Some("gone"));
        assert_eq!(slot.take_within(LONG), Err("gone"));
        slot.stop();
        assert_eq!(slot.take_within(LONG), Ok(Taken::Over));
        assert!(!slot.rest(LONG));
    }

    #[test]
    fn waiting_for_the_end_has_an_end_itself() {
        let slot: Slot<u32, ()> = Slot::new();
        assert!(!slot.wait_for_end(Duration::from_millis(10)));
        slot.end(None);
        assert!(slot.wait_for_end(Duration::from_millis(10)));
    }
}
