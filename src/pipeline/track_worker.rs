//! The track thread: detections in, scenes out, in the order of the frames.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::link::Outlet;
use super::message::{DetectionResult, FrameJob, SharedHistory, TrackedFrame};
use super::stats::Stats;
use super::track_session::TrackSession;
use crate::analyse::{Counting, CountingSettings, MeasureSettings, Measuring, RuleSettings, Rules, Stages};
use crate::detect::{DetectError, DetectTimes};
use crate::engine::{EngineError, HeldDetections, TrackingSettings};
use crate::labels::Labels;
use crate::scene::Scene;
use crate::source::Health;
use crate::sync::lock;

/// Puts results back in the order of their frames: several detect threads give them in any order.
#[derive(Debug)]
pub(super) struct Reorder<T> {
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Reorder<T> {
    pub(super) fn new() -> Self {
        Self { next: 0, early: BTreeMap::new() }
    }

    /// Takes one in; the ones that are then next in order come out of [`Reorder::pop`].
    pub(super) fn push(&mut self, order: u64, thing: T) {
        self.early.insert(order, thing);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let thing = self.early.remove(&self.next)?;
        self.next += 1;
        Some(thing)
    }
}

/// Settings from the next frame on.
pub(super) type PendingTracking = Arc<Mutex<Option<TrackingSettings>>>;

/// Lines, zones and rules of one source, with the names of the classes.
pub(super) struct Places {
    pub(super) counting: CountingSettings,
    pub(super) rules: Vec<RuleSettings>,
    pub(super) labels: Arc<Labels>,
}

/// Lines, zones and rules from the next frame on.
pub(super) type PendingPlaces = Arc<Mutex<Option<Places>>>;

/// What is measured from the next frame on, with the names of the classes.
pub(super) type PendingMeasures = Arc<Mutex<Option<(MeasureSettings, Arc<Labels>)>>>;

/// What the track thread works with.
pub(super) struct TrackWorker {
    /// How detections become tracks and trails.
    pub(super) settings: TrackingSettings,
    /// What is made of each scene.
    pub(super) stages: Stages,
    /// What is measured.
    pub(super) measuring: Measuring,
    /// What is counted.
    pub(super) counting: Counting,
    /// What is told.
    pub(super) rules: Rules,
    /// Where results come from.
    pub(super) inlet: Receiver<Result<DetectionResult, DetectError>>,
    /// Every frame is detected, by several threads; otherwise they come in order, with gaps.
    pub(super) every_frame: bool,
    /// Where scenes go.
    pub(super) outlet: Outlet<TrackedFrame>,
    /// Changes from the window.
    pub(super) pending: PendingTracking,
    /// The same, of lines, zones and rules.
    pub(super) pending_places: PendingPlaces,
    /// The same, of what is measured.
    pub(super) pending_measures: PendingMeasures,
    /// In step: where room is made for another frame.
    pub(super) tickets: Option<Receiver<()>>,
    /// The tracks so far; `None` if the run keeps no history.
    pub(super) history: Option<SharedHistory>,
    /// Tells when a live source is silent: time passes for the tracks all the same.
    pub(super) health: Option<Health>,
    /// The counter that tells whether a frame is still at a detect thread.
    pub(super) stats: Arc<Stats>,
}

/// How often time passes for the tracks of a silent source.
const BEAT: Duration = Duration::from_millis(250);

impl TrackWorker {
    /// Tracks until no result comes any more or no receiver of the scenes is left.
    ///
    /// # Errors
    /// The error of the network or a stage.
    pub(super) fn run(mut self) -> Result<(), EngineError> {
        let mut reorder = Reorder::new();
        let stages = std::mem::take(&mut self.stages);
        let own = (self.measuring.clone(), self.counting.clone(), self.rules.clone());
        let mut session = TrackSession::new(self.settings, stages, own, self.history.clone());
        let mut last: Option<(FrameJob, Scene)> = None;
        // The source gave no picture when it was last checked: that this is over is reported too, even before the next
        // frame.
        let mut silent = false;
        // What was detected last, for frames in which nothing has moved.
        let (mut held, mut epoch) = (HeldDetections::default(), 0);
        loop {
            let result = match self.inlet.recv_timeout(BEAT) {
                Ok(result) => result?,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let was_silent = std::mem::replace(&mut silent, self.is_silent());
                    if (silent || was_silent)
                        && let Some(silence) = self.silence(last.as_mut(), silent, &mut session)
                        && self.outlet.send(silence).is_err()
                    {
                        break;
                    }
                    continue;
                }
            };
            if self.every_frame {
                reorder.push(result.job.order, result);
            } else {
                reorder.push(reorder.next, result);
            }
            while let Some(DetectionResult { job, found, times }) = reorder.pop() {
                if std::mem::replace(&mut epoch, job.epoch) != job.epoch {
                    held.forget();
                }
                let found = held.next(job.notice, found);
                let change = lock(&self.pending).take();
                if let Some(settings) = change {
                    session.set_settings(settings);
                }
                let change = lock(&self.pending_places).take();
                if let Some(Places { counting, rules, labels }) = change {
                    session.set_rules(rules, &counting, &labels);
                    session.set_counting(counting, &labels);
                }
                let change = lock(&self.pending_measures).take();
                if let Some((settings, labels)) = change {
                    session.set_measures(settings, &labels);
                }
                let (scene, fresh) = session.track(&job, found.as_ref())?;
                let detections = found.map(|found| found.detections).unwrap_or_default();
                if self.health.is_some() {
                    // An event is reported once.
                    last = Some((job.clone(), Scene { events: Vec::new(), ..scene.clone() }));
                }
                let silence = false;
                if self.outlet.send(TrackedFrame { job, detections, scene, fresh, times, silence }).is_err() {
                    return Ok(());
                }
                if let Some(tickets) = &self.tickets {
                    // Nothing is there only where capture has ended.
                    let _ = tickets.try_recv();
                }
            }
        }
        Ok(())
    }

    fn is_silent(&self) -> bool {
        self.health.as_ref().is_some_and(|health| !health.is_good())
    }

    /// The tracks of a source that gives no frames, advanced to now. Once it gives frames again (not `silent`), the
    /// tracks as advanced before: the frame under way has its own time, and the tracks must not be ahead of it.
    fn silence(
        &self,
        last: Option<&mut (FrameJob, Scene)>,
        silent: bool,
        session: &mut TrackSession,
    ) -> Option<TrackedFrame> {
        let (job, scene) = last?;
        // A frame that is still at a detect thread is earlier than now: the tracks wait for it.
        let awaited = self.stats.handed.load(Ordering::SeqCst) > job.order + 1;
        let time = job.frame.time + job.frame.captured.elapsed().as_secs_f64();
        if silent && !awaited {
            *scene = session.pass_time(job, time);
        }
        let (job, scene) = (job.clone(), scene.clone());
        let (detections, times) = (Default::default(), DetectTimes::default());
        Some(TrackedFrame { job, detections, scene, fresh: false, times, silence: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_of_arrival_comes_out_in_order(order in Just((0u64..50).collect::<Vec<_>>()).prop_shuffle()) {
            let mut reorder = Reorder::new();
            let mut out = Vec::new();
            for thing in order {
                reorder.push(thing, thing);
                while let Some(next) = reorder.pop() {
                    out.push(next);
                }
            }
            prop_assert_eq!(out, (0..50).collect::<Vec<_>>());
        }
    }
}
