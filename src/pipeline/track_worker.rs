//! The track thread: detections in, scenes out, in the order of the frames.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::capture::{FrameJob, SharedHistory, lock};
use super::detect_worker::{DetectionResult, DetectorOutput};
use super::link::Outlet;
use super::stats::Stats;
use crate::detect::{DetectError, DetectTimes};
use crate::detection::Detections;
use crate::enhance::CameraWatch;
use crate::history::{Replay, SegmentId, TrackHistory};
use crate::scene::{Scene, Track, TrackState};
use crate::source::Health;
use crate::track::{Observation, TrackSettings, Tracker, TrailSettings, Trails};

/// A frame with all that is known of it.
#[derive(Debug, Clone)]
pub struct TrackedFrame {
    /// The frame.
    pub job: FrameJob,
    /// What the detector found in it; nothing where it is remembered.
    pub detections: Detections,
    /// What the tracker makes of it.
    pub scene: Scene,
    /// It was tracked just now, not remembered.
    pub fresh: bool,
    /// How long the detection took.
    pub times: DetectTimes,
    /// No frame came: the source is silent, and this is the frame from before, with what time has done to its tracks.
    pub silence: bool,
}

/// A tracker with its trails, for one pass over one source.
#[derive(Debug)]
pub struct Follower {
    tracker: Tracker,
    trails: Trails,
}

impl Follower {
    /// Has seen nothing; ids begin at 1.
    pub fn new(track: TrackSettings, trails: TrailSettings) -> Self {
        Self { tracker: Tracker::new(track), trails: Trails::new(trails) }
    }

    /// Changes the tracker's settings; the tracks go on.
    pub fn set_track(&mut self, track: TrackSettings) {
        self.tracker.set_settings(track);
    }

    /// Changes the trails' length and anchor; they go on.
    pub fn set_trails(&mut self, trails: TrailSettings) {
        self.trails.set_settings(trails);
    }

    /// Takes in what is known of one frame.
    pub fn follow(&mut self, sequence: u64, time: f64, observation: &Observation) -> Scene {
        let tracks = self.tracker.observe(time, observation);
        let tracks: Vec<Track> =
            tracks.iter().filter(|t| t.state != TrackState::Tentative).copied().collect();
        let trails = Arc::new(self.trails.update(time, &tracks));
        Scene { sequence, time, tracks, trails, ..Scene::default() }
    }

    /// The scene of the frame just taken in, with the ids that its objects are known by; no other gets an id up to `taken`.
    fn recognise(&mut self, scene: &Scene, known: &Scene, taken: u64) -> Scene {
        self.tracker.restore_ids(&known.tracks);
        self.tracker.reserve_ids_up_to(taken);
        let tracks = self.tracker.tracks().iter().filter(|t| t.state != TrackState::Tentative);
        let tracks: Vec<Track> = tracks.copied().collect();
        self.trails.forget();
        let trails = Arc::new(self.trails.update(scene.time, &tracks));
        let (sequence, time) = (scene.sequence, scene.time);
        Scene { sequence, time, tracks, trails, ..Scene::default() }
    }
}

/// Puts results back in the order of their frames; of several sense threads they come in any.
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

/// Settings to go on with from the next frame on: the tracker's, the trails', and whether the camera's motion is looked for.
pub(super) type PendingTracking = Arc<Mutex<Option<(TrackSettings, TrailSettings, bool)>>>;

/// What the track thread works with.
pub(super) struct TrackWorker {
    /// The tracker's settings.
    pub(super) track: TrackSettings,
    /// The trails' settings.
    pub(super) trails: TrailSettings,
    /// The camera's motion is looked for in the pixels.
    pub(super) camera_motion: bool,
    /// Where results come from.
    pub(super) inlet: Receiver<Result<DetectionResult, DetectError>>,
    /// Every frame is sensed, by several threads; otherwise they come in order, with gaps.
    pub(super) every_frame: bool,
    /// Where scenes go.
    pub(super) outlet: Outlet<TrackedFrame>,
    /// Changes from the window.
    pub(super) adjust: PendingTracking,
    /// In step: where room is made for another frame.
    pub(super) tickets: Option<Receiver<()>>,
    /// What was tracked already; `None`: nothing is remembered.
    pub(super) history: Option<SharedHistory>,
    /// Tells when a live source is silent: time passes for the tracks all the same.
    pub(super) health: Option<Health>,
    /// Tells whether a frame is still looked at.
    pub(super) stats: Arc<Stats>,
}

/// How often time passes for the tracks of a silent source.
const BEAT: Duration = Duration::from_millis(250);

impl TrackWorker {
    /// Tracks until no result comes any more or nobody wants the scenes.
    ///
    /// # Errors
    /// What the network said.
    pub(super) fn run(self) -> Result<(), DetectError> {
        let mut reorder = Reorder::new();
        let mut course = Course::new(self.track, self.trails, self.history.clone());
        course.set_camera_motion(self.camera_motion);
        let mut last: Option<(FrameJob, Scene)> = None;
        // The source was silent when it was looked at last: its end is told too, also before there is a frame again.
        let mut silent = false;
        loop {
            let result = match self.inlet.recv_timeout(BEAT) {
                Ok(result) => result?,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let was_silent = std::mem::replace(&mut silent, self.is_silent());
                    if (silent || was_silent)
                        && let Some(silence) = self.silence(last.as_mut(), silent, &mut course)
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
                let change = self.adjust.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some((track, trails, camera_motion)) = change {
                    course.adjust(track, trails);
                    course.set_camera_motion(camera_motion);
                }
                let (scene, fresh) = course.follow(&job, found.as_ref());
                let detections = found.map(|found| found.detections).unwrap_or_default();
                if self.health.is_some() {
                    last = Some((job.clone(), scene.clone()));
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

    /// What time has done to the tracks of a source that gives no frames; once it does again (not `silent`), what it had
    /// done: the frame under way has a time of its own, which the tracks must not be ahead of.
    fn silence(
        &self,
        last: Option<&mut (FrameJob, Scene)>,
        silent: bool,
        course: &mut Course,
    ) -> Option<TrackedFrame> {
        let (job, scene) = last?;
        // What is still to be looked at is of an earlier time than now: the tracks wait for it.
        let awaited = self.stats.handed.load(Ordering::SeqCst) > job.order + 1;
        let time = job.frame.time + job.frame.captured.elapsed().as_secs_f64();
        if silent && !awaited {
            *scene = course.pass(job, time);
        }
        let (job, scene) = (job.clone(), scene.clone());
        let (detections, times) = (Detections::default(), DetectTimes::default());
        Some(TrackedFrame { job, detections, scene, fresh: false, times, silence: true })
    }
}

/// Where tracking stands in the source: which frames are remembered, and which tracker goes on.
struct Course {
    track: TrackSettings,
    trails: TrailSettings,
    history: Option<SharedHistory>,
    replay: Replay,
    epoch: u64,
    /// The segment of the memory that is played.
    segment: Option<SegmentId>,
    follower: Follower,
    /// Finds how the camera moved from the frame observed last; `None`: nobody asks.
    camera: Option<CameraWatch>,
    /// The follower stands behind the last frame of `segment`.
    is_live: bool,
}

impl Course {
    fn new(track: TrackSettings, trails: TrailSettings, history: Option<SharedHistory>) -> Self {
        let (replay, follower) = (Replay::new(trails), Follower::new(track, trails));
        Self {
            track,
            trails,
            history,
            replay,
            epoch: 0,
            segment: None,
            follower,
            camera: None,
            is_live: false,
        }
    }

    fn set_camera_motion(&mut self, wanted: bool) {
        if wanted != self.camera.is_some() {
            self.camera = wanted.then(CameraWatch::default);
        }
    }

    fn adjust(&mut self, track: TrackSettings, trails: TrailSettings) {
        (self.track, self.trails) = (track, trails);
        self.follower.set_track(track);
        self.follower.set_trails(trails);
        self.replay.set_settings(trails);
    }

    /// The scene of a frame, and whether it was tracked just now.
    fn follow(&mut self, job: &FrameJob, found: Option<&DetectorOutput>) -> (Scene, bool) {
        let Some(history) = self.history.clone() else {
            // A source that begins again is a new source: its objects and its numbers are.
            if job.epoch != self.epoch {
                self.epoch = job.epoch;
                self.follower = Follower::new(self.track, self.trails);
                self.forget_camera();
            }
            return match found {
                Some(found) => (self.observe(job, found), true),
                None => {
                    (Scene { sequence: job.frame.sequence, time: job.frame.time, ..Scene::default() }, false)
                }
            };
        };
        let mut history = lock(&history);
        let (sequence, time) = (job.frame.sequence, job.frame.time);
        if job.epoch != self.epoch {
            if let (Some(segment), true) = (self.segment, std::mem::take(&mut self.is_live)) {
                history.keep_end(segment, &self.follower.tracker);
            }
            let segment = job.segment.filter(|segment| history.has(*segment));
            (self.epoch, self.segment) = (job.epoch, segment.or_else(|| history.join(sequence)));
        }
        // It may have been tracked since capture looked.
        let settled = !job.retrack && history.is_settled(self.segment, sequence);
        let Some(found) = found.filter(|_| !settled) else {
            let scene = self.replay.scene(&history, sequence).unwrap_or_default();
            return (Scene { sequence, time, ..scene }, false);
        };
        let mut known = None;
        if !std::mem::replace(&mut self.is_live, true) {
            let resumed;
            (self.follower, resumed) = self.resume(&history, sequence);
            self.forget_camera();
            known = if resumed { None } else { history.scene(sequence) };
        }
        let mut scene = self.observe(job, found);
        if let Some(known) = known {
            // Nothing leads to this frame, but it is known who is in it.
            scene = self.follower.recognise(&scene, &known, history.last_id());
        }
        let tracker = &self.follower.tracker;
        self.segment = Some(history.write(self.segment, &scene, tracker, job.revision));
        (scene, true)
    }

    /// Time passes, and nobody looks.
    fn pass(&mut self, job: &FrameJob, time: f64) -> Scene {
        let picture = &job.frame.picture;
        let nothing = Observation {
            detections: &[],
            suppressed: &[],
            camera: None,
            picture: Some((picture.width() as f32, picture.height() as f32)),
        };
        self.follower.follow(job.frame.sequence, time, &nothing)
    }

    /// The frame to come does not follow on the one before.
    fn forget_camera(&mut self) {
        if let Some(camera) = &mut self.camera {
            camera.begin_anew();
        }
    }

    fn observe(&mut self, job: &FrameJob, found: &DetectorOutput) -> Scene {
        let picture = &job.frame.picture;
        let camera = self
            .camera
            .as_mut()
            .and_then(|camera| camera.watch(picture, &found.detections, job.enhanced.areas.as_deref()));
        let observation = Observation {
            detections: &found.detections,
            suppressed: &found.suppressed,
            camera,
            picture: Some((picture.width() as f32, picture.height() as f32)),
        };
        self.follower.follow(job.frame.sequence, job.frame.time, &observation)
    }

    /// Who goes on with a frame: the tracker of the segment as it was before (`true`), else a new one with new ids.
    fn resume(&mut self, history: &TrackHistory, sequence: u64) -> (Follower, bool) {
        let resumed = self.segment.and_then(|segment| history.resume(segment, sequence));
        let Some(mut tracker) = resumed else {
            let mut follower = Follower::new(self.track, self.trails);
            follower.tracker.reserve_ids_up_to(history.last_id());
            return (follower, false);
        };
        tracker.set_settings(self.track);
        let before = sequence.checked_sub(1).and_then(|before| self.replay.scene(history, before));
        let trails = before.map_or_else(|| Trails::new(self.trails), |_| self.replay.trails());
        (Follower { tracker, trails }, true)
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
