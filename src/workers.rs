//! Jobs shared out over the processors.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does the jobs on all processors, each thread with a `state` of its own; the results are in the order of the jobs.
/// `None` where some `work` gave `None`: no further jobs are begun then.
pub(crate) fn in_parallel<Job: Sync, State, Done: Send>(
    jobs: &[Job],
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, &Job) -> Option<Done> + Sync,
) -> Option<Vec<Done>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = state();
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { break };
                    match work(&mut state, job) {
                        Some(outcome) => {
                            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, outcome));
                        }
                        None => stopped.store(true, Ordering::Relaxed),
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if stopped.into_inner() || done.len() < jobs.len() {
        return None;
    }
    done.sort_by_key(|(index, _)| *index);
    Some(done.into_iter().map(|(_, outcome)| outcome).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once_and_in_order() {
        let jobs: Vec<u64> = (0..500).collect();
        let squares = in_parallel(&jobs, || (), |(), job| Some(job * job)).expect("nobody stopped");
        assert_eq!(squares, jobs.iter().map(|job| job * job).collect::<Vec<_>>());
        assert_eq!(in_parallel(&[] as &[u64], || (), |(), job| Some(*job)), Some(Vec::new()));
    }

    #[test]
    fn one_stop_stops_all() {
        let jobs: Vec<u64> = (0..100_000).collect();
        let begun = AtomicUsize::new(0);
        let result = in_parallel(
            &jobs,
            || (),
            |(), job| {
                begun.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_micros(50));
                (*job < 10).then_some(*job)
            },
        );
        assert_eq!(result, None);
        assert!(begun.into_inner() < 1_000);
    }
}
