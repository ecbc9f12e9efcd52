//! Bounded links between threads: nothing is ever queued without a limit, and every drop is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};

use crate::latest;

/// The other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

/// The sending end of a link.
#[derive(Debug)]
pub(super) struct Outlet<T>(Way<T>);

#[derive(Debug)]
enum Way<T> {
    /// Everything, in order.
    Kept(Sender<T>),
    /// The newest only.
    Newest {
        sender: latest::Sender<T>,
        /// Counts what was replaced.
        skipped: Arc<AtomicU64>,
        /// Everything is kept while this is set.
        keep: Arc<AtomicBool>,
    },
}

/// How long a sender waits before it checks whether everything is still kept.
const LOOK: Duration = Duration::from_millis(30);

/// A link that keeps everything in order: the sender waits while `capacity` things wait to be fetched.
pub(super) fn kept<T>(capacity: usize) -> (Outlet<T>, Receiver<T>) {
    let (sender, receiver) = bounded(capacity.max(1));
    (Outlet(Way::Kept(sender)), receiver)
}

/// A link that holds one thing, the newest: what was not fetched before the next came is counted in `skipped`.
pub(super) fn newest<T>(skipped: Arc<AtomicU64>) -> (Outlet<T>, Receiver<T>) {
    newest_unless(skipped, Arc::default())
}

/// The same, but that it keeps everything, and has its sender wait, while `keep` is set.
pub(super) fn newest_unless<T>(skipped: Arc<AtomicU64>, keep: Arc<AtomicBool>) -> (Outlet<T>, Receiver<T>) {
    let (sender, receiver) = latest::channel();
    (Outlet(Way::Newest { sender, skipped, keep }), receiver)
}

impl<T> Outlet<T> {
    /// Sends one thing on.
    ///
    /// # Errors
    /// [`Closed`] when the receiver is gone. A newest-only link holds a receiver itself and does not notice; its sender
    /// checks the pipeline's stop flag.
    pub(super) fn send(&self, thing: T) -> Result<(), Closed> {
        let (sender, skipped, keep) = match &self.0 {
            Way::Kept(sender) => return sender.send(thing).map_err(|_| Closed),
            Way::Newest { sender, skipped, keep } => (sender, skipped, keep),
        };
        let mut thing = thing;
        while keep.load(Ordering::SeqCst) {
            match sender.waiting().send_timeout(thing, LOOK) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Disconnected(_)) => return Err(Closed),
                Err(SendTimeoutError::Timeout(back)) => thing = back,
            }
        }
        if sender.send(thing).is_some() {
            skipped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_replaces_and_counts() {
        let skipped = Arc::default();
        let (outlet, inlet) = newest(Arc::clone(&skipped));
        for i in 0..10 {
            outlet.send(i).unwrap();
        }
        assert_eq!(inlet.try_recv(), Ok(9));
        assert!(inlet.try_recv().is_err());
        assert_eq!(skipped.load(Ordering::Relaxed), 9);
    }

    #[test]
    fn a_slow_reader_gets_the_newest_and_never_goes_back() {
        let skipped = Arc::default();
        let (outlet, inlet) = newest::<u64>(Arc::clone(&skipped));
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            while let Ok(thing) = inlet.recv() {
                got.push(thing);
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
            got
        });
        for i in 0..2_000 {
            outlet.send(i).unwrap();
            std::thread::sleep(std::time::Duration::from_micros(10));
        }
        drop(outlet);
        let got = reader.join().unwrap();
        assert!(got.is_sorted_by(|a, b| a < b));
        assert_eq!(got.last(), Some(&1_999), "the newest is never lost");
        assert_eq!(
            got.len() as u64 + skipped.load(Ordering::Relaxed),
            2_000,
            "each is either read or counted"
        );
    }

    #[test]
    fn newest_keeps_everything_while_it_is_told_to() {
        let (skipped, keep) = (Arc::<AtomicU64>::default(), Arc::new(AtomicBool::new(true)));
        let (outlet, inlet) = newest_unless(Arc::clone(&skipped), Arc::clone(&keep));
        let writer = std::thread::spawn(move || (0..300).for_each(|i| outlet.send(i).unwrap()));
        assert_eq!(inlet.iter().take(200).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
        assert_eq!(skipped.load(Ordering::Relaxed), 0);
        // A sender that waits does not wait for ever once nobody wants everything.
        keep.store(false, Ordering::SeqCst);
        writer.join().unwrap();
        assert_eq!(inlet.try_recv(), Ok(299));
    }

    #[test]
    fn kept_keeps_everything_in_order() {
        let (outlet, inlet) = kept(2);
        let writer = std::thread::spawn(move || (0..500).for_each(|i| outlet.send(i).unwrap()));
        assert_eq!(inlet.iter().collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
        writer.join().unwrap();
        let (outlet, inlet) = kept(1);
        drop(inlet);
        assert_eq!(outlet.send(1), Err(Closed));
    }
}
