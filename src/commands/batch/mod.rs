//! `trailsight track` with several recordings: side by side, each into results of its own.
//!
//! Each recording has a pipeline of its own; the network's weights are loaded once. Where all of a recording's results are
//! there and newer than it, it is left out, so that the same line goes on where it was stopped. One that fails leaves the
//! others alone.

mod names;
mod plan;
mod progress_board;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::progress::census_line;
use super::track_one::{Begun, begin};
use super::{Context, Failure, input, progress};
use crate::cli::TrackArgs;
use crate::engine::DetectionSource;
use crate::pipeline::{headless, thread_count};
use crate::sink::partial_name;
use crate::source::SourceSpec;

use crate::sync::lock;
use plan::{Done, Job, make_folders};
use progress_board::ProgressBoard;

pub(super) use plan::outputs_of_one;

/// How a recording's run ended.
enum End {
    /// Its results are complete.
    Complete { frames: u64 },
    /// Stopped by a signal.
    Stopped { frames: u64 },
    /// It failed; that has been told.
    Failed,
}

/// Tracks all recordings that are not tracked yet.
pub(super) fn run(args: &TrackArgs, context: &Context) -> Result<(), Failure> {
    let all = plan::jobs(args, &context.loaded.settings.record)?;
    let named = all.len();
    let jobs: Vec<Job> = all.into_iter().filter(|job| args.overwrite || is_to_do(job)).collect();
    let complete = named - jobs.len();
    if complete > 0 && !context.quiet {
        eprintln!("{complete} of {named} recordings are complete already (--overwrite tracks them again)");
    }
    if jobs.is_empty() {
        return Ok(());
    }
    let detector = Mutex::new(DetectionSource::load(&context.loaded.settings.detect_for_tracking())?);
    context.stop.be_graceful();
    let started = Instant::now();
    let pool = WorkerPool::new(jobs, detector, context);
    pool.work();
    pool.board.end();
    let WorkerPool { jobs, ends, .. } = pool;
    let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
    summarise(&jobs, &ends, started.elapsed(), context)
}

/// Whether a recording's results are missing or outdated.
fn is_to_do(job: &Job) -> bool {
    match job.done() {
        Done::Complete => return false,
        Done::Outdated => log::warn!("{} has changed since it was tracked, and is tracked again", job.shown),
        Done::No => {}
    }
    true
}

/// The workers, and what they share.
struct WorkerPool<'a> {
    jobs: Vec<Job>,
    weights: Vec<f64>,
    /// The network, copied for each recording.
    detector: Mutex<DetectionSource>,
    board: ProgressBoard,
    context: &'a Context,
    /// How many have been begun.
    begun: Mutex<usize>,
    /// How each one ended, by its place in the list; `None` where it was not begun.
    ends: Mutex<Vec<Option<End>>>,
    /// How many processors there are for the network.
    threads: usize,
}

impl<'a> WorkerPool<'a> {
    fn new(jobs: Vec<Job>, detector: Mutex<DetectionSource>, context: &'a Context) -> Self {
        // What has no size is taken to be like the others.
        let sizes: Vec<f64> = jobs.iter().filter_map(|job| job.size.map(|size| size as f64)).collect();
        let mean = sizes.iter().sum::<f64>() / sizes.len().max(1) as f64;
        let weights: Vec<f64> =
            jobs.iter().map(|job| job.size.map_or(mean, |size| size as f64).max(1.0)).collect();
        Self {
            board: ProgressBoard::new(&weights, context.quiet),
            weights,
            detector,
            context,
            begun: Mutex::new(0),
            ends: Mutex::new(jobs.iter().map(|_| None).collect()),
            threads: thread_count(context.loaded.settings.detector.threads),
            jobs,
        }
    }

    /// Tracks as many at once as there are processors, until all are through or a signal comes.
    fn work(&self) {
        let at_once = self.threads.min(self.jobs.len());
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    while let Some((place, threads)) = self.next() {
                        let end = self.track(place, threads);
                        let mut ends = lock(&self.ends);
                        if let Some(slot) = ends.get_mut(place) {
                            *slot = Some(end);
                        }
                    }
                });
            }
        });
    }

    /// The place of the next recording, and how many threads it gets.
    fn next(&self) -> Option<(usize, usize)> {
        let mut begun = lock(&self.begun);
        if self.context.stop.is_asked() || *begun >= self.jobs.len() {
            return None;
        }
        let place = *begun;
        *begun += 1;
        Some((place, share(self.threads, self.jobs.len(), place)))
    }

    /// Tracks one recording and tells what came of it.
    fn track(&self, place: usize, threads: usize) -> End {
        let (Some(job), Some(&weight)) = (self.jobs.get(place), self.weights.get(place)) else {
            return End::Failed;
        };
        let (end, told) = match self.run(job, weight, threads) {
            Ok((end, told)) => (end, Some(told)),
            Err(why) => {
                let why = if why.contains(&job.shown) { why } else { format!("{}: {why}", job.shown) };
                self.board.notify(&format!("trailsight: {why}"));
                (End::Failed, None)
            }
        };
        if let Some(told) = told.filter(|_| !self.context.quiet) {
            self.board.notify(&format!("{}: {told}", job.shown));
        }
        end
    }

    /// Opens one recording and its results, and starts its threads.
    fn begin(&self, job: &Job, threads: usize) -> Result<Begun, Failure> {
        // A camera's name would open the camera.
        if let SourceSpec::Name(name) = &job.spec
            && name != input::DEMO_NAME
        {
            return Err(Failure::Failed(format!("cannot open {name}: there is no such file")));
        }
        let mut settings = self.context.loaded.settings.clone();
        settings.detector.threads = threads;
        let input = input::open(&job.source, &settings)?;
        if input.source.info().kind.is_live() {
            let why = "it is live and has no end: track it alone, without other recordings";
            return Err(Failure::Failed(format!("{}: {why}", job.shown)));
        }
        let detector = lock(&self.detector).fork()?;
        make_folders(&job.outputs)?;
        // What goes wrong in one recording's threads is not to end the others'.
        begin(
            input,
            &job.outputs,
            detector,
            &settings,
            self.context.registry.clone(),
            self.context.stop.for_another_run(),
        )
    }

    /// Tracks one recording; gives what there is to tell of it, or why it failed.
    fn run(&self, job: &Job, weight: f64, threads: usize) -> Result<(End, String), String> {
        let Begun { pipeline, recorder, stop, labels } = match self.begin(job, threads) {
            Ok(begun) => begun,
            Err(failure) => {
                self.board.pass_over(weight);
                return Err(failure.why());
            }
        };
        let mut line = self.board.begin(&pipeline.info, weight);
        let (report, result) = headless::run(pipeline, Some(recorder), &stop, |tracked, _| {
            if !tracked.silence {
                line.frame(tracked.scene.tracks.len());
            }
        });
        line.end();
        let frames = report.frames;
        let kept = job.outputs.paths().map(partial_name).filter(|partial| partial.is_file());
        let kept = list(kept.map(|path| path.display().to_string()));
        match result {
            Err(error) if kept.is_empty() => Err(error.to_string()),
            Err(error) => Err(format!("{error} (after {frames} frames; not complete, kept as {kept})")),
            Ok(()) if report.complete => {
                let fps = frames as f64 / report.elapsed.as_secs_f64().max(1e-9);
                let tracks = census_line(&report.census, &labels);
                let wrote = list(job.outputs.paths().map(|path| path.display().to_string()));
                let wrote = if wrote.is_empty() { wrote } else { format!("; wrote {wrote}") };
                Ok((
                    End::Complete { frames },
                    format!("{frames} frames, {fps:.1} fps; tracks: {tracks}{wrote}"),
                ))
            }
            Ok(()) => {
                let kept = if kept.is_empty() { kept } else { format!("; not complete, kept as {kept}") };
                Ok((End::Stopped { frames }, format!("stopped after {frames} frames{kept}")))
            }
        }
    }
}

/// Tells of the whole, and with which exit code it ends.
fn summarise(
    jobs: &[Job],
    ends: &[Option<End>],
    elapsed: Duration,
    context: &Context,
) -> Result<(), Failure> {
    let (mut complete, mut stopped, mut waiting, mut frames) = (0, 0, 0, 0);
    let mut failed = Vec::new();
    for (job, end) in jobs.iter().zip(ends) {
        match end {
            Some(End::Complete { frames: more }) => (complete, frames) = (complete + 1, frames + more),
            Some(End::Stopped { frames: more }) => (stopped, frames) = (stopped + 1, frames + more),
            Some(End::Failed) => failed.push(job.shown.clone()),
            None => waiting += 1,
        }
    }
    if !context.quiet {
        let seconds = elapsed.as_secs_f64();
        let fps = frames as f64 / seconds.max(1e-9);
        let counts = [
            (complete, "tracked"),
            (stopped, "stopped half-way"),
            (waiting, "not begun"),
            (failed.len(), "failed"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts = list(counts.map(|(count, what)| format!("{count} {what}")));
        eprintln!("{} recordings: {counts}; {frames} frames in {seconds:.1} s: {fps:.1} fps", jobs.len());
    }
    if !failed.is_empty() {
        progress::say(&format!("trailsight: failed: {}", list(failed.iter().cloned())));
    }
    match context.stop.signal() {
        Some(signal) => Err(Failure::Signal(signal)),
        None if failed.is_empty() => Ok(()),
        None => Err(Failure::Told),
    }
}

/// How many threads the recording at `place` gets of the `threads` that there are.
///
/// Twice as many in all as there are processors: where one recording is done before the others, its processor is not
/// idle. The last ones of a long list have nobody behind them who would take what becomes free.
fn share(threads: usize, recordings: usize, place: usize) -> usize {
    let at_once = threads.min(recordings).max(1);
    let behind = recordings.saturating_sub(place + 1);
    let late = if place < at_once { 1 } else { threads / (behind + 1) };
    (2 * threads).div_ceil(at_once).max(late).clamp(1, threads.max(1))
}

/// Several, with commas.
fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn no_processor_is_idle_and_none_has_many_to_serve() {
        // One after the other: all of them at once where there is one, two each where there are as many as processors.
        assert_eq!(share(8, 1, 0), 8);
        assert_eq!((share(8, 2, 0), share(8, 2, 1)), (8, 8));
        assert_eq!(share(8, 4, 3), 4);
        assert!((0..8).all(|place| share(8, 8, place) == 2));
        // The last ones have what becomes free.
        assert_eq!((share(8, 100, 50), share(8, 100, 97), share(8, 100, 99)), (2, 2, 8));
        assert_eq!((share(1, 5, 0), share(1, 5, 4)), (1, 1));
        assert_eq!((share(2, 2, 0), share(2, 3, 2)), (2, 2));
        for threads in 1..20 {
            for recordings in 1..50 {
                let begun = |place: usize| share(threads, recordings, place);
                let at_first: usize = (0..threads.min(recordings)).map(begun).sum();
                assert!((threads..3 * threads + 1).contains(&at_first), "{threads} {recordings}: {at_first}");
            }
        }
    }
}
