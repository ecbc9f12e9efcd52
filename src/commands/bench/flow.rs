//! End to end: the pipeline as `track` runs it, every frame, with all threads, without outputs.

use std::time::{Duration, Instant};

use super::machine::{self, Spent};
use super::{Context, Failure, Limits, bar, go_on, is_over};
use crate::analyse::Stages;
use crate::detect::Detector;
use crate::frame::Frame;
use crate::pipeline::{Mode, Pipeline, Plan, headless};
use crate::source::{Source, SourceError, SourceInfo, Stopper};

/// Frames that go before those that are counted, while threads and buffers come to be; where there are few, none.
const WARM_UP: u64 = 8;

/// What the run told.
pub(super) struct Flow {
    /// Frames that were counted.
    pub(super) frames: u64,
    /// From the last frame that was not counted to the last one.
    pub(super) wall: Duration,
    /// Processor time in the meantime.
    pub(super) spent: Option<Spent>,
    /// Of the process, from its beginning to the end of the run; bytes.
    pub(super) peak: Option<u64>,
}

impl Flow {
    pub(super) fn fps(&self) -> f64 {
        self.frames as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

/// A moment of the run.
#[derive(Clone, Copy)]
struct Mark {
    frames: u64,
    at: Instant,
    spent: Option<Spent>,
}

impl Mark {
    fn now(frames: u64) -> Self {
        Self { frames, at: Instant::now(), spent: machine::spent() }
    }
}

pub(super) fn measure(
    source: Box<dyn Source>,
    detector: Detector,
    limits: Limits,
    context: &Context,
) -> Result<Flow, Failure> {
    let source = FirstFrames::of(source, limits);
    let bar = bar(limits, Some(source.info()), "end to end", context);
    let stop = context.stop.for_another_run();
    let start = Mark::now(0);
    let pipeline = Pipeline::start(Plan {
        source: Box::new(source),
        reopen: None,
        detector: detector.into(),
        settings: &context.loaded.settings,
        mode: Mode::EveryFrame,
        stages: Stages::default(),
        number: 1,
        stats: std::sync::Arc::default(),
        stop: stop.clone(),
    })
    .map_err(Failure::failed)?;
    let (mut warm, mut last) = (None, (0, start.at));
    let (_, result) = headless::run(pipeline, None, &stop, |_, _| {
        last = (last.0 + 1, Instant::now());
        if last.0 == WARM_UP {
            warm = Some(Mark::now(WARM_UP));
        }
        bar.inc(1);
    });
    bar.finish_and_clear();
    go_on(context)?;
    result.map_err(Failure::failed)?;
    let end = machine::spent();
    let (frames, at) = last;
    // A child is known of only once it has ended: the processor time of all of it is counted.
    let begin = warm.filter(|_| frames >= 2 * WARM_UP).unwrap_or(start);
    let spent = begin
        .spent
        .zip(end)
        .map(|(begin, end)| Spent { own: end.own - begin.own, children: end.children - begin.children });
    Ok(Flow { frames: frames - begin.frames, wall: at - begin.at, spent, peak: machine::peak_memory() })
}

/// The beginning of a source: what the limits allow, and one frame at the least.
struct FirstFrames {
    inner: Box<dyn Source>,
    info: SourceInfo,
    limits: Limits,
    until: Option<Instant>,
    given: u64,
}

impl FirstFrames {
    fn of(inner: Box<dyn Source>, limits: Limits) -> Self {
        let mut info = inner.info().clone();
        info.frames = info.frames.map(|frames| frames.min(limits.frames));
        Self { inner, info, limits, until: limits.until(), given: 0 }
    }
}

impl Source for FirstFrames {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        // However short the time is, one frame is measured.
        if self.given == self.limits.frames || self.given > 0 && is_over(self.until) {
            return Ok(None);
        }
        self.given += 1;
        self.inner.next_frame()
    }

    fn stopper(&self) -> Option<Stopper> {
        self.inner.stopper()
    }
}
