//! A run without a window: every frame that is tracked is written, and counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::recorder::Recorder;
use super::{Pipeline, RunError, Stop, TrackedFrame};
use crate::detection::ClassId;
use crate::frame::Picture;
use crate::scene::{Scene, TrackState};
use crate::sink::SinkError;
use crate::track::LookAhead;

/// How often a run without frames looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);

/// The most memory for pictures whose tracks are not yet decided, in bytes.
const HELD_BYTES: usize = 256 << 20;

/// What a picture of unknown size is taken to have, in bytes.
const UNKNOWN_BYTES: usize = 8 << 20;

/// How many objects of which class there were.
#[derive(Debug, Default)]
pub struct Census {
    alive: BTreeMap<u64, ClassId>,
    gone: BTreeMap<ClassId, u64>,
}

impl Census {
    /// Counts the tracks of the next scene; each track counts once, under its last class.
    pub fn count(&mut self, scene: &Scene) {
        let before = std::mem::take(&mut self.alive);
        self.alive = scene
            .tracks
            .iter()
            .filter(|t| t.state != TrackState::Tentative)
            .map(|t| (t.id, t.class))
            .collect();
        for (id, class) in before {
            if !self.alive.contains_key(&id) {
                *self.gone.entry(class).or_default() += 1;
            }
        }
    }

    /// Tracks by class, most first.
    pub fn total(&self) -> Vec<(ClassId, u64)> {
        let mut total = self.gone.clone();
        for class in self.alive.values() {
            *total.entry(*class).or_default() += 1;
        }
        let mut total: Vec<_> = total.into_iter().collect();
        total.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
        total
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// Frames tracked.
    pub frames: u64,
    /// How long that took.
    pub elapsed: Duration,
    /// Tracks by class.
    pub census: Census,
    /// Mean milliseconds a frame of one detect thread: letterbox, inference, decoding.
    pub mean_ms: [f64; 3],
    /// The source ended by itself, or is live and was ended by the user: each output that did not fail has its name.
    pub whole: bool,
    /// And no output failed.
    pub complete: bool,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// Source or network.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Writing.
    #[error(transparent)]
    Record(#[from] SinkError),
}

/// Counts and writes what is tracked.
struct Writer<'a> {
    recorder: Option<&'a Recorder>,
    census: Census,
    frames: u64,
    spent: [Duration; 3],
    /// Some output still takes frames.
    writing: bool,
}

impl Writer<'_> {
    fn take(&mut self, tracked: &TrackedFrame) {
        self.frames += 1;
        self.census.count(&tracked.scene);
        let times = tracked.times;
        for (total, time) in self.spent.iter_mut().zip([times.letterbox, times.inference, times.decode]) {
            *total += time;
        }
        if let Some(recorder) = self.recorder {
            let frame = &tracked.job.frame;
            self.writing =
                recorder.scene(frame, &tracked.scene) && recorder.picture(frame, &tracked.scene, frame.time);
        }
    }
}

/// Runs to the end of the source or until `stop`. In step, frames are held back for as long as the tracker may take to decide
/// which track is which after a crossing, so that files have the right ids. `each` is called with every frame (for a progress bar, a table), and at
/// intervals with the tracks while a live source gives no picture ([`TrackedFrame::silence`]). The report comes also with
/// an error, as far as it got.
pub fn run(
    pipeline: Pipeline,
    recorder: Option<Recorder>,
    stop: &Stop,
    mut each: impl FnMut(&TrackedFrame, &Pipeline),
) -> (Report, Result<(), HeadlessError>) {
    let started = Instant::now();
    let census = Census::default();
    let recorder_in = recorder.as_ref();
    let mut writer =
        Writer { recorder: recorder_in, census, frames: 0, spent: Default::default(), writing: true };
    let bytes = pipeline.info.size.and_then(|(width, height)| Picture::bytes(width, height).ok());
    let fit = HELD_BYTES / bytes.unwrap_or(UNKNOWN_BYTES).max(1);
    // Without a file there is nothing to wait for.
    let seconds = if recorder.is_some() { pipeline.decide_seconds } else { 0.0 };
    let mut held = LookAhead::new(seconds).at_most(fit);
    while writer.writing && !stop.is_asked() {
        let tracked = match pipeline.tracked.recv_timeout(LOOK) {
            Ok(tracked) => tracked,
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => continue,
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => break,
        };
        if tracked.silence {
            each(&tracked, &pipeline);
            continue;
        }
        let swaps = tracked.scene.swaps.clone();
        held.push(tracked.scene.time, tracked, &swaps, |tracked, swap| tracked.scene.correct(swap));
        while let Some(tracked) = held.pop().filter(|_| writer.writing) {
            writer.take(&tracked);
            each(&tracked, &pipeline);
        }
    }
    while let Some(tracked) = held.pop_rest().filter(|_| writer.writing) {
        writer.take(&tracked);
        each(&tracked, &pipeline);
    }
    let Writer { census, frames, spent, writing, .. } = writer;
    let live = pipeline.info.kind.is_live();
    let name = pipeline.info.name.clone();
    let stopped = stop.is_asked();
    let ran = pipeline.finish();
    // An empty result must not replace an older one.
    let whole = frames > 0 && writing && ran.is_ok() && (!stopped || live);
    let recorded = recorder.map_or(Ok(()), |recorder| recorder.finish(whole));
    let complete = whole && recorded.is_ok();
    let mean_ms = spent.map(|total| total.as_secs_f64() * 1e3 / f64::max(frames as f64, 1.0));
    let report = Report { frames, elapsed: started.elapsed(), census, mean_ms, whole, complete };
    let empty = frames == 0 && !stopped;
    let ran = ran.and(if empty { Err(RunError::Empty(name)) } else { Ok(()) });
    let result = recorded.map_err(HeadlessError::from).and(ran.map_err(HeadlessError::from));
    (report, result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use crate::scene::Track;

    #[test]
    fn each_track_counts_once_as_what_it_was_called_last() {
        let track = |id, class| Track {
            id,
            class,
            score: 0.9,
            rect: Rect::new(0.0, 0.0, 1.0, 1.0),
            velocity: [0.0; 4],
            state: TrackState::Confirmed,
            born: 0.0,
            seen: 0.0,
            detection: None,
        };
        let mut census = Census::default();
        for tracks in
            [vec![track(1, 2)], vec![track(1, 7), track(2, 0)], vec![track(2, 0), track(3, 0)], vec![]]
        {
            census.count(&Scene { tracks, ..Scene::default() });
        }
        assert_eq!(census.total(), [(0, 2), (7, 1)]);
    }
}
