//! The network alone, its layers, and the stage around it, on pictures in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::statistics::{Samples, Summary, milliseconds};
use super::{Context, Failure, Limits, bar, go_on, is_over, machine};
use crate::detect::{DetectError, Detector};
use crate::frame::Picture;
use crate::sync::lock;

/// Runs that go before and are not counted.
const WARM_UP: usize = 3;

/// What the network takes of one picture.
pub(super) struct Network {
    pub(super) times: Summary,
    /// Processor time of one run in milliseconds, all threads together.
    pub(super) cpu: Option<f64>,
}

/// Runs the network again and again on one picture.
pub(super) fn alone(
    mut detector: Detector,
    picture: &Picture,
    limits: Limits,
    context: &Context,
) -> Result<Network, Failure> {
    detector.prepare(picture)?;
    for _ in 0..WARM_UP {
        detector.run_network()?;
    }
    let bar = bar(limits, None, "the network", context);
    let mut samples = Samples::default();
    let until = limits.until();
    let before = machine::spent_by_the_living();
    for _ in 0..limits.frames {
        go_on(context)?;
        let started = Instant::now();
        detector.run_network()?;
        samples.push(started.elapsed());
        bar.inc(1);
        if is_over(until) {
            break;
        }
    }
    let after = machine::spent_by_the_living();
    bar.finish_and_clear();
    let times = samples.summary().ok_or_else(nothing)?;
    let cpu = before.zip(after).map(|(before, after)| (after - before) * 1e3 / times.count as f64);
    Ok(Network { times, cpu })
}

fn nothing() -> Failure {
    Failure::Failed("nothing was measured".to_owned())
}

/// What each layer takes.
pub(super) struct Layers {
    /// How often the network was run.
    pub(super) runs: usize,
    /// In the order in which they run; `None` where the runtime does not tell.
    pub(super) layers: Option<Vec<Layer>>,
}

/// One layer of the network.
pub(super) struct Layer {
    pub(super) what: String,
    /// Height, width and channels of what it gives.
    pub(super) shape: [usize; 3],
    pub(super) flops: f64,
    /// Median over the runs, in milliseconds.
    pub(super) time: f64,
}

/// Runs the network again and again on one picture, layer by layer.
pub(super) fn layers(
    mut detector: Detector,
    picture: &Picture,
    limits: Limits,
    context: &Context,
) -> Result<Layers, Failure> {
    detector.prepare(picture)?;
    for _ in 0..WARM_UP {
        detector.run_network()?;
    }
    let Some(first) = detector.profile() else { return Ok(Layers { runs: 0, layers: None }) };
    let bar = bar(limits, None, "layer by layer", context);
    let mut samples = vec![Samples::default(); first.len()];
    let until = limits.until();
    let mut runs = 0;
    while (runs as u64) < limits.frames {
        go_on(context)?;
        let Some(layers) = detector.profile() else { break };
        for (samples, layer) in samples.iter_mut().zip(&layers) {
            samples.push(layer.time);
        }
        runs += 1;
        bar.inc(1);
        if is_over(until) {
            break;
        }
    }
    bar.finish_and_clear();
    let layers = first.into_iter().zip(samples).map(|(layer, samples)| {
        let time = samples.summary().ok_or_else(nothing)?.median;
        Ok(Layer { what: layer.what, shape: layer.shape, flops: layer.flops, time })
    });
    Ok(Layers { runs, layers: Some(layers.collect::<Result<_, Failure>>()?) })
}

/// What several threads get done, each with pictures of its own.
pub(super) struct Throughput {
    pub(super) workers: usize,
    /// Pictures in memory, taken in turn.
    pub(super) pictures: usize,
    pub(super) wall: Duration,
    /// Of one picture in one thread.
    pub(super) times: Summary,
}

impl Throughput {
    pub(super) fn fps(&self) -> f64 {
        self.times.count as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    pub(super) fn wall_ms(&self) -> f64 {
        milliseconds(self.wall)
    }
}

/// Detects in the pictures, one after the other, with so many threads at once.
pub(super) fn throughput(
    detector: &Detector,
    pictures: &[Arc<Picture>],
    workers: usize,
    limits: Limits,
    context: &Context,
) -> Result<Throughput, Failure> {
    let mut detectors = (0..workers).map(|_| detector.fork()).collect::<Result<Vec<_>, _>>()?;
    let bar = bar(limits, None, "pictures in memory", context);
    let next = AtomicU64::new(0);
    let ready = Barrier::new(workers);
    let measured = Mutex::new((Samples::default(), None::<(Instant, Instant)>));
    let work = |detector: &mut Detector| -> Result<(), DetectError> {
        let warm = pictures.iter().cycle().take(WARM_UP);
        let warmed = warm.map(|picture| detector.detect(picture)).try_for_each(|found| found.map(drop));
        // Whoever failed comes here too: the others wait for it.
        ready.wait();
        warmed?;
        let (started, until, mut times) = (Instant::now(), limits.until(), Vec::new());
        while !context.stop.is_asked() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let picture = pictures.get((number % pictures.len().max(1) as u64) as usize);
            let Some(picture) = picture.filter(|_| number < limits.frames) else { break };
            let begun = Instant::now();
            detector.detect(picture)?;
            times.push(begun.elapsed());
            bar.inc(1);
            if is_over(until) {
                break;
            }
        }
        let ended = Instant::now();
        let mut all = lock(&measured);
        all.0.extend(times);
        let (first, last) = all.1.unwrap_or((started, ended));
        all.1 = Some((first.min(started), last.max(ended)));
        Ok(())
    };
    let outcome = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            detectors.iter_mut().map(|detector| scope.spawn(move || work(detector))).collect();
        let broken = || Failure::Failed("a thread panicked (please report this)".to_owned());
        threads.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| broken()).and_then(|done| done.map_err(Failure::from))
        })
    });
    bar.finish_and_clear();
    go_on(context)?;
    outcome?;
    let (samples, span) = measured.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (times, (first, last)) = samples.summary().zip(span).ok_or_else(nothing)?;
    Ok(Throughput { workers, pictures: pictures.len(), wall: last - first, times })
}
