//! Several threads at one picture: how they share chunks, wait for each other, and sleep between pictures.
//!
//! Of the chunks of a phase each thread has its share, the same part of the picture in every phase, so that most of what it
//! reads it has written itself and finds in its own cache. A thread that is done with its share takes chunks of the others'.
//! Then all wait until the last chunk is done: some microseconds, forty times a picture, so that they turn in place for a while before
//! they let others run. Between pictures they sleep.

use crate::sync::lock;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Turns of a waiting thread before it lets others run.
const TURNS: u32 = 4_000;

/// Turns after which it sleeps between two looks: another thread is at something long that cannot be shared.
const TURNS_AWAKE: u32 = TURNS + 200;
/// How long it sleeps then.
const NAP: Duration = Duration::from_micros(50);

/// Turns in place until something is so; after a while lets others run between two looks, and then sleeps.
pub(super) fn wait_until(is_so: impl Fn() -> bool) {
    let mut turns = 0;
    while !is_so() {
        turns += 1;
        match turns {
            0..TURNS => std::hint::spin_loop(),
            TURNS..TURNS_AWAKE => std::thread::yield_now(),
            _ => {
                turns = TURNS_AWAKE;
                std::thread::sleep(NAP);
            }
        }
    }
}

/// A counter with a cache line of its own, so that writing to it does not slow down reads of another one.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Counter(AtomicUsize);

/// The chunks of a phase, and which thread does which.
#[derive(Debug)]
pub(super) struct Shares {
    count: usize,
    /// By thread: how many of its share are taken.
    taken: Vec<Counter>,
    /// How many are done.
    done: Counter,
}

impl Shares {
    /// `count` chunks for this many threads.
    pub(super) fn new(count: usize, threads: usize) -> Self {
        Self { count, taken: (0..threads).map(|_| Counter::default()).collect(), done: Counter::default() }
    }

    /// None is taken any more. Nobody may be at work.
    pub(super) fn reset(&self) {
        for counter in self.taken.iter().chain([&self.done]) {
            counter.0.store(0, Ordering::Relaxed);
        }
    }

    fn share(&self, thread: usize) -> Range<usize> {
        let begin = |thread: usize| thread * self.count / self.taken.len();
        begin(thread)..begin(thread + 1)
    }

    /// A chunk that no thread has taken: of the thread's own share, else of another's.
    pub(super) fn take(&self, thread: usize) -> Option<usize> {
        let threads = self.taken.len();
        (thread..thread + threads).map(|thread| thread % threads).find_map(|owner| {
            let share = self.share(owner);
            let taken = self.taken[owner].0.fetch_add(1, Ordering::Relaxed);
            (taken < share.len()).then_some(share.start + taken)
        })
    }

    /// This many more are done; a thread that sees that all are done also sees what was written for them.
    pub(super) fn finish(&self, done: usize) {
        self.done.0.fetch_add(done, Ordering::Release);
    }

    /// Whether all are done.
    pub(super) fn are_done(&self) -> bool {
        self.done.0.load(Ordering::Acquire) == self.count
    }
}

/// Threads that help with each picture.
pub(super) struct ThreadTeam {
    signal: Arc<Signal>,
    helpers: Vec<JoinHandle<()>>,
}

/// How helpers are woken and waited for.
#[derive(Default)]
struct Signal {
    /// The number of the picture, and whether there will be none any more.
    round: Mutex<(u64, bool)>,
    wake: Condvar,
    /// Helpers that have not yet left the picture.
    inside: AtomicUsize,
}

impl ThreadTeam {
    /// Starts `helpers` threads; `work(number)`, numbers from 1 on, gives what each does for a picture. That must not panic.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub(super) fn new<W: FnMut() + Send + 'static>(
        helpers: usize,
        work: impl Fn(usize) -> W,
    ) -> Result<Self, String> {
        let mut team = Self { signal: Arc::default(), helpers: Vec::new() };
        for number in 1..=helpers {
            let (signal, work) = (Arc::clone(&team.signal), work(number));
            let helper = std::thread::Builder::new()
                .name(format!("infer-{number}"))
                .spawn(move || help(&signal, work))
                .map_err(|error| format!("cannot start a thread: {error}"))?;
            team.helpers.push(helper);
        }
        Ok(team)
    }

    /// Has all helpers do their part while `own` does its own; returns, or passes on the panic of `own`, when all are done.
    pub(super) fn call(&self, own: impl FnOnce()) {
        /// Waits however the call ends: the caller must not continue while helpers work on its data.
        struct AllLeft<'a>(&'a Signal);
        impl Drop for AllLeft<'_> {
            fn drop(&mut self) {
                wait_until(|| self.0.inside.load(Ordering::Acquire) == 0);
            }
        }
        self.signal.inside.store(self.helpers.len(), Ordering::Relaxed);
        lock(&self.signal.round).0 += 1;
        self.signal.wake.notify_all();
        let _all_left = AllLeft(&self.signal);
        own();
    }
}

impl Drop for ThreadTeam {
    fn drop(&mut self) {
        lock(&self.signal.round).1 = true;
        self.signal.wake.notify_all();
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}

fn help(signal: &Signal, mut work: impl FnMut()) {
    let mut seen = 0;
    loop {
        {
            let round = lock(&signal.round);
            let waiting = |round: &mut (u64, bool)| round.0 == seen && !round.1;
            let round = signal.wake.wait_while(round, waiting).unwrap_or_else(PoisonError::into_inner);
            if round.1 {
                return;
            }
            seen = round.0;
        }
        work();
        signal.inside.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_taken_once_and_own_ones_first() {
        for (count, threads) in [(1, 1), (7, 3), (2, 4), (12, 2), (0, 2)] {
            let shares = Shares::new(count, threads);
            for _ in 0..2 {
                shares.reset();
                let mut taken = Vec::new();
                // The last thread does everything.
                while let Some(chunk) = shares.take(threads - 1) {
                    taken.push(chunk);
                }
                let own: Vec<usize> = shares.share(threads - 1).collect();
                assert_eq!(taken[..own.len()], own);
                taken.sort_unstable();
                assert_eq!(taken, (0..count).collect::<Vec<_>>());
                assert!((0..threads).all(|thread| shares.take(thread).is_none()));
                assert_eq!(shares.are_done(), count == 0);
                shares.finish(count);
                assert!(shares.are_done());
            }
        }
    }

    #[test]
    fn a_panic_waits_for_the_helpers() {
        let done = Arc::new(AtomicUsize::new(0));
        let team = ThreadTeam::new(2, |_| {
            let done = Arc::clone(&done);
            move || {
                std::thread::yield_now();
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        let team = team.unwrap();
        for round in 1..50 {
            let call = || team.call(|| std::panic::resume_unwind(Box::new("not printed")));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
            assert_eq!(done.load(Ordering::Relaxed), 2 * round);
        }
    }

    #[test]
    fn a_team_does_each_round_together() {
        let sum = Arc::new(AtomicUsize::new(0));
        let team = ThreadTeam::new(3, |number| {
            let sum = Arc::clone(&sum);
            move || {
                sum.fetch_add(number, Ordering::Relaxed);
            }
        });
        let team = team.unwrap();
        for round in 1..200 {
            team.call(|| {
                sum.fetch_add(10, Ordering::Relaxed);
            });
            assert_eq!(sum.load(Ordering::Relaxed), round * 16);
        }
    }
}
