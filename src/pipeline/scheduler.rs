//! Shares the detector between several sources. One detection at a time, with all processors, serves every source sooner
//! than several detections at once.
//!
//! The queue is first come, first served. After its turn, a source queues again behind all that wait. So every source
//! with new frames gets an equal share, and a source without new frames delays no other. A source takes its newest frame
//! *when its turn comes*: a frame chosen earlier would be as old as all the detections before it in the queue.

use crate::sync::lock;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::budget_control::SharedBudget;
use super::detector_control::SharedNetwork;

/// How often a waiting source checks whether it still wants its turn.
const LOOK: Duration = Duration::from_millis(30);

/// The queue at the detector, the network that is loaded for all who queue, and its pixel budget; clones are the same.
#[derive(Clone, Default)]
pub struct DetectorScheduler {
    shared: Arc<Shared>,
    network: SharedNetwork,
    budget: SharedBudget,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    /// A turn is in progress.
    taken: bool,
    /// The waiting sources, the next one first.
    waiting: VecDeque<u64>,
    tickets: u64,
}

/// A turn, which ends with this value.
#[derive(Debug)]
pub(super) struct Turn(Arc<Shared>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().taken = false;
        self.0.moved.notify_all();
    }
}

impl Shared {
    /// The queue is whole after every statement, so that a panic of another thread does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

impl DetectorScheduler {
    /// Where the pipelines take another network from.
    pub(super) fn network(&self) -> SharedNetwork {
        self.network.clone()
    }

    /// Where the pipelines take the pixel budget from that suits all of them.
    pub(super) fn budget(&self) -> SharedBudget {
        self.budget.clone()
    }

    /// Waits for a turn; `None` where it is not wanted any more.
    pub(super) fn take(&self, is_wanted: impl Fn() -> bool) -> Option<Turn> {
        let mut queue = self.shared.lock();
        let ticket = queue.tickets;
        queue.tickets += 1;
        queue.waiting.push_back(ticket);
        loop {
            if !is_wanted() {
                queue.waiting.retain(|waiting| *waiting != ticket);
                drop(queue);
                // The source behind may be the first now.
                self.shared.moved.notify_all();
                return None;
            }
            if !queue.taken && queue.waiting.front() == Some(&ticket) {
                queue.waiting.pop_front();
                queue.taken = true;
                return Some(Turn(Arc::clone(&self.shared)));
            }
            queue = match self.shared.moved.wait_timeout(queue, LOOK) {
                Ok((queue, _)) => queue,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread::{sleep, spawn};
    use std::time::Instant;

    use super::*;

    #[test]
    fn all_who_want_get_the_same_number_of_turns_one_at_a_time() {
        const THREADS: usize = 5;
        let (scheduler, over, inside) =
            (DetectorScheduler::default(), Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (scheduler, over, inside) = (scheduler.clone(), Arc::clone(&over), Arc::clone(&inside));
                let order = Arc::clone(&order);
                spawn(move || {
                    while let Some(turn) = scheduler.take(|| !over.load(Ordering::SeqCst)) {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                        order.lock().unwrap().push(number);
                        if order.lock().unwrap().len() >= 20 * THREADS {
                            over.store(true, Ordering::SeqCst);
                        }
                        // A turn ends when all others wait for theirs, however the system shares out its processors.
                        while scheduler.shared.lock().waiting.len() < THREADS - 1
                            && !over.load(Ordering::SeqCst)
                        {
                            sleep(Duration::from_micros(100));
                        }
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(turn);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let order = order.lock().unwrap();
        for turns in order.windows(THREADS) {
            let mut who = turns.to_vec();
            who.sort_unstable();
            assert_eq!(who, (0..THREADS).collect::<Vec<_>>(), "each once in any five turns: {order:?}");
        }
    }

    #[test]
    fn who_comes_first_is_served_first() {
        let (scheduler, order) = (DetectorScheduler::default(), Arc::new(Mutex::new(Vec::new())));
        let held = scheduler.take(|| true).unwrap();
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let (theirs, order) = (scheduler.clone(), Arc::clone(&order));
                let thread = spawn(move || {
                    let _turn = theirs.take(|| true).unwrap();
                    order.lock().unwrap().push(number);
                });
                while scheduler.shared.lock().waiting.len() <= number {
                    sleep(Duration::from_millis(1));
                }
                thread
            })
            .collect();
        drop(held);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock().unwrap(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn who_gives_up_or_falls_holds_nobody_up() {
        let scheduler = DetectorScheduler::default();
        let held = scheduler.take(|| true).unwrap();
        let (over, theirs) = (Arc::<AtomicBool>::default(), scheduler.clone());
        let gives_up = {
            let over = Arc::clone(&over);
            spawn(move || theirs.take(|| !over.load(Ordering::SeqCst)).is_none())
        };
        while scheduler.shared.lock().waiting.is_empty() {
            sleep(Duration::from_millis(1));
        }
        let theirs = scheduler.clone();
        let behind = spawn(move || theirs.take(|| true).is_some());
        over.store(true, Ordering::SeqCst);
        assert!(gives_up.join().unwrap(), "without its turn having come");
        drop(held);
        assert!(behind.join().unwrap());
        let theirs = scheduler.clone();
        let falls = spawn(move || {
            let _turn = theirs.take(|| true);
            panic!("on purpose");
        });
        assert!(falls.join().is_err());
        let begun = Instant::now();
        assert!(scheduler.take(|| begun.elapsed() < Duration::from_secs(5)).is_some());
    }
}
