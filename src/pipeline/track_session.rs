//! The place of tracking in the source: which frames are in the history, and which tracker continues.

use super::message::{FrameJob, SharedHistory};
use crate::analyse::{
    Counting, CountingSettings, MeasureSettings, Measuring, RuleSettings, Rules, SceneStage, StageError,
    StageFrame, Stages,
};
use crate::detection::Detections;
use crate::engine::{DetectorOutput, TrackInput, TrackStage, TrackingSettings};
use crate::enhance::CameraMotionEstimator;
use crate::history::{Replay, SegmentId, TrackHistory};
use crate::labels::Labels;
use crate::scene::Scene;
use crate::sync::lock;
use crate::track::{Tracker, Trails};

/// Tracking over the jumps of one run.
pub(super) struct TrackSession {
    history: Option<SharedHistory>,
    replay: Replay,
    epoch: u64,
    /// The segment of the history that is played.
    segment: Option<SegmentId>,
    stage: TrackStage,
    /// Places and speeds on the ground, and the heat map.
    measuring: Measuring,
    /// What is counted at lines and in zones.
    counting: Counting,
    /// What is told.
    rules: Rules,
    /// The size of the last picture that was tracked.
    size: (u32, u32),
    /// What has watched the camera up to the end of a segment, for the frame behind that end.
    ended: Option<(SegmentId, u64, CameraMotionEstimator)>,
    /// The last frame that was counted, and its segment.
    counted: Option<(SegmentId, u64)>,
    /// The epoch in which a frame passed that was to be detected in and was not: what comes behind it does not follow.
    broken: Option<u64>,
    /// The last frame that the stage tracked is the last one of `segment`.
    is_live: bool,
}

impl TrackSession {
    pub(super) fn new(
        settings: TrackingSettings,
        stages: Stages,
        (measuring, counting, rules): (Measuring, Counting, Rules),
        history: Option<SharedHistory>,
    ) -> Self {
        Self {
            history,
            replay: Replay::new(settings.trails),
            epoch: 0,
            segment: None,
            stage: TrackStage::new(settings).with_stages(stages),
            measuring,
            counting,
            rules,
            size: (0, 0),
            ended: None,
            counted: None,
            broken: None,
            is_live: false,
        }
    }

    /// Asks other rules from now on, which speak of these lines and zones.
    pub(super) fn set_rules(
        &mut self,
        rules: Vec<RuleSettings>,
        counting: &CountingSettings,
        labels: &Labels,
    ) {
        self.rules.set_settings(rules, counting, labels);
    }

    /// Counts at other lines and zones from now on, and with the tracks that the history has at those that are new or
    /// have moved.
    pub(super) fn set_counting(&mut self, settings: CountingSettings, labels: &Labels) {
        if settings == *self.counting.settings() && *labels == *self.counting.labels() {
            return;
        }
        let Some(history) = self.history.clone() else { return self.counting.set_settings(settings, labels) };
        let history = lock(&history);
        let mut counting = Counting::new(settings, labels);
        // The segment that is played last, so that its tracks go on.
        let own = self.segment.filter(|_| self.is_live);
        let others = history.segments().filter(|id| Some(*id) != own).collect::<Vec<_>>();
        for segment in others.into_iter().chain(own) {
            counting.restart();
            counting.recount(self.size, history.scenes_of(segment));
        }
        if own.is_none() {
            counting.restart();
        }
        counting.keep_of(&self.counting);
        self.counting = counting;
    }

    /// Measures otherwise from now on; a new heat map begins with the tracks that the history has.
    pub(super) fn set_measures(&mut self, settings: MeasureSettings, labels: &Labels) {
        if !self.measuring.set_settings(settings, labels) {
            return;
        }
        let (Some(history), Some(heat)) = (self.history.clone(), self.measuring.heat_mut()) else { return };
        let history = lock(&history);
        let detections = Detections::default();
        let frame = StageFrame {
            size: self.size,
            picture: None,
            detections: &detections,
            suppressed: None,
            camera: None,
            again: false,
        };
        for segment in history.segments() {
            heat.restart();
            for mut scene in history.scenes_of(segment) {
                // It never fails.
                let _ = heat.update(&frame, &mut scene);
            }
        }
        heat.restart();
    }

    pub(super) fn set_settings(&mut self, settings: TrackingSettings) {
        self.stage.set_settings(settings);
        self.replay.set_settings(settings.trails);
    }

    /// The scene of a frame, and whether it was tracked just now. `output` is what was detected; `None` if the frame was
    /// not detected.
    ///
    /// # Errors
    /// [`StageError`] when a stage fails.
    pub(super) fn track(
        &mut self,
        job: &FrameJob,
        output: Option<&DetectorOutput>,
    ) -> Result<(Scene, bool), StageError> {
        match self.history.clone() {
            Some(history) => self.track_with(&mut lock(&history), job, output),
            None => self.track_without_history(job, output),
        }
    }

    fn track_without_history(
        &mut self,
        job: &FrameJob,
        output: Option<&DetectorOutput>,
    ) -> Result<(Scene, bool), StageError> {
        // A source that begins again is a new source: its objects and its numbers are.
        if job.epoch != self.epoch {
            self.epoch = job.epoch;
            self.begin_tracks(0);
            self.rules.close();
        }
        match output {
            Some(output) => {
                let input = input(job, output);
                let mut scene = self.stage.observe(&input);
                self.analyse(&input, &mut scene, false)?;
                Ok((scene, true))
            }
            None => {
                let (sequence, time) = (job.frame.sequence, job.frame.time);
                Ok((self.with_what_is_known(Scene { sequence, time, ..Scene::default() }), false))
            }
        }
    }

    fn track_with(
        &mut self,
        history: &mut TrackHistory,
        job: &FrameJob,
        output: Option<&DetectorOutput>,
    ) -> Result<(Scene, bool), StageError> {
        let (sequence, time) = (job.frame.sequence, job.frame.time);
        if job.epoch != self.epoch {
            if let (Some(segment), true) = (self.segment, std::mem::take(&mut self.is_live)) {
                history.keep_end(segment, self.stage.tracker());
                let last = history.last_of(segment);
                self.ended = last.zip(self.stage.take_camera()).map(|(last, camera)| (segment, last, camera));
            }
            let segment = job.segment.filter(|segment| history.has(*segment));
            (self.epoch, self.segment) = (job.epoch, segment.or_else(|| history.join(sequence)));
        }
        // It may have been tracked since capture checked the history.
        let settled = !job.retrack && history.is_settled(self.segment, sequence);
        // A detect thread may have passed it on for a jump that another one had not seen yet.
        if output.is_none() && !settled && job.notice.looks() && job.fresh {
            self.broken = Some(job.epoch);
        }
        let Some(output) = output.filter(|_| !settled && self.broken != Some(job.epoch)) else {
            let scene = self.replay.scene(history, sequence).unwrap_or_default();
            return Ok((self.with_what_is_known(Scene { sequence, time, ..scene }), false));
        };
        let mut known = None;
        if !std::mem::replace(&mut self.is_live, true) && !self.resume(history, sequence) {
            known = history.scene(sequence);
        }
        let input = input(job, output);
        let mut scene = self.stage.observe(&input);
        if let Some(known) = known {
            // No earlier frame leads to this one, but the history has its tracks.
            scene = self.stage.relabel(&scene, &known, history.last_id());
        }
        let told_before = history.segment_at(sequence).is_some();
        self.segment = Some(history.write(self.segment, &scene, self.stage.tracker(), job.revision));
        self.analyse(&input, &mut scene, told_before)?;
        self.counted = self.segment.map(|segment| (segment, sequence));
        if told_before {
            scene.events.clear();
        }
        Ok((scene, true))
    }

    /// Has the stages add to the scene of the frame just observed, and counts. `again`: it was tracked before.
    fn analyse(&mut self, input: &TrackInput<'_>, scene: &mut Scene, again: bool) -> Result<(), StageError> {
        self.stage.analyse(input, scene, again)?;
        self.size = input.size;
        let frame = self.stage.stage_frame(input, again);
        let stages: [&mut dyn SceneStage; 3] = [&mut self.measuring, &mut self.counting, &mut self.rules];
        stages.into_iter().try_for_each(|stage| {
            let outcome = stage.update(&frame, scene);
            outcome.map_err(|why| StageError { stage: stage.name().to_owned(), why })
        })
    }

    /// A scene that was not tracked just now, with what was counted and measured so far, and how the rules stand.
    fn with_what_is_known(&self, mut scene: Scene) -> Scene {
        scene.counts = self.counting.counts();
        scene.rules = self.rules.states();
        self.measuring.show(&mut scene);
        scene
    }

    /// Time passes without a frame.
    pub(super) fn pass_time(&mut self, job: &FrameJob, time: f64) -> Scene {
        let scene = self.stage.pass_time(job.frame.sequence, time, job.frame.picture.size());
        self.with_what_is_known(scene)
    }

    /// Resumes the tracker of the segment as it was before a frame; true if there is one. Else begins new tracks.
    fn resume(&mut self, history: &TrackHistory, sequence: u64) -> bool {
        let resumed = self.segment.and_then(|segment| history.resume(segment, sequence));
        let Some(mut tracker) = resumed else {
            self.begin_tracks(history.last_id());
            return false;
        };
        let TrackingSettings { track, trails, .. } = *self.stage.settings();
        tracker.set_settings(track);
        let before = sequence.checked_sub(1).and_then(|before| self.replay.scene(history, before));
        let trails = before.map_or_else(|| Trails::new(trails), |_| self.replay.trails());
        self.stage.go_on_with(tracker, trails);
        let follows = |(segment, last): (SegmentId, u64)| {
            Some(segment) == self.segment && history.last_of(segment) == Some(last) && last < sequence
        };
        if let Some((segment, last, camera)) = self.ended.take()
            && follows((segment, last))
        {
            self.stage.watch_on_with(camera);
        }
        // Nothing was tracked since what was counted last: who stands in a zone still does.
        if !self.counted.is_some_and(follows) {
            self.restart_stages();
        }
        true
    }

    /// Begins with new tracks, with ids above `taken`.
    fn begin_tracks(&mut self, taken: u64) {
        let TrackingSettings { track, trails, .. } = *self.stage.settings();
        let mut tracker = Tracker::new(track);
        tracker.reserve_ids_up_to(taken);
        self.stage.go_on_with(tracker, Trails::new(trails));
        self.restart_stages();
    }

    /// The next frame does not follow on the one before.
    fn restart_stages(&mut self) {
        self.measuring.restart();
        self.counting.restart();
        self.rules.restart();
    }
}

/// A frame and what was detected in it, for tracking.
fn input<'a>(job: &'a FrameJob, output: &'a DetectorOutput) -> TrackInput<'a> {
    let region_mask = job.enhanced().region_mask.as_deref();
    TrackInput { region_mask, camera: job.notice.camera(), ..TrackInput::of(&job.frame, output) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use super::*;
    use crate::analyse::{Clock, LineSettings};
    use crate::detection::Detection;
    use crate::enhance::Enhanced;
    use crate::frame::{Frame, Picture};
    use crate::geometry::{Polyline, Rect};
    use crate::pipeline::enhancement::Enhancement;

    fn line(y: f32) -> CountingSettings {
        let points = Polyline::new(vec![(0.0, y), (1.0, y)]).unwrap();
        let line = LineSettings { points, ..LineSettings::default() };
        CountingSettings { lines: vec![line], zones: Vec::new() }
    }

    fn session(history: &SharedHistory) -> TrackSession {
        let (labels, rules) = (Labels::coco(), Vec::new());
        let stages = (
            Measuring::new(MeasureSettings::default(), &labels),
            Counting::new(line(0.5), &labels),
            Rules::new(rules, &line(0.5), &labels, Clock::Unknown),
        );
        TrackSession::new(TrackingSettings::default(), Stages::default(), stages, Some(Arc::clone(history)))
    }

    /// One person walks down through the picture in forty frames. `epoch` counts the jumps.
    fn play(session: &mut TrackSession, frames: std::ops::Range<u64>, epoch: u64) -> (usize, u64) {
        let picture = Arc::new(Picture::filled(200, 200, [90; 3]).unwrap());
        let (mut events, mut inwards) = (0, 0);
        for sequence in frames {
            let frame = Frame {
                picture: Arc::clone(&picture),
                sequence,
                time: sequence as f64 / 10.0,
                captured: Instant::now(),
                file: None,
            };
            let job = FrameJob { epoch, ..FrameJob::alone(frame, Enhancement::settled(Enhanced::default())) };
            let rect = Rect::new(80.0, 10.0 + 4.0 * sequence as f32 - 40.0, 20.0, 60.0);
            let output: DetectorOutput = vec![Detection { rect, score: 0.9, class: 0 }].into();
            let (scene, _) = session.track(&job, Some(&output)).unwrap();
            events += scene.events.len();
            let lines = scene.counts.map(|counts| counts.lines.clone()).unwrap_or_default();
            inwards = lines.first().map_or(0, |line| line.crossed.total().inwards);
        }
        (events, inwards)
    }

    #[test]
    fn what_is_played_again_is_told_and_counted_once_also_with_other_settings() {
        let history: SharedHistory = Arc::new(Mutex::new(TrackHistory::new(None, 0)));
        let mut session = session(&history);
        assert_eq!(play(&mut session, 0..30, 0), (1, 1));
        // Remembered, and then on.
        assert_eq!(play(&mut session, 10..30, 1), (0, 1));
        lock(&history).outdate();
        assert_eq!(play(&mut session, 10..35, 2), (0, 1));
    }

    #[test]
    fn who_stands_in_a_zone_is_there_once_also_after_going_back() {
        let history: SharedHistory = Arc::new(Mutex::new(TrackHistory::new(None, 0)));
        let zones = vec![crate::analyse::ZoneSettings {
            corners: crate::geometry::Polygon::whole(),
            ..Default::default()
        }];
        let (labels, places) = (Labels::coco(), CountingSettings { lines: Vec::new(), zones });
        let rule = RuleSettings { when: "person in square for 1 s".to_owned(), ..RuleSettings::default() };
        let rules = Rules::new(vec![rule], &places, &labels, Clock::Unknown);
        let measuring = Measuring::new(MeasureSettings::default(), &labels);
        let stages = (measuring, Counting::new(places, &labels), rules);
        let settings = TrackingSettings::default();
        let mut session = TrackSession::new(settings, Stages::default(), stages, Some(Arc::clone(&history)));
        // It has come in, and has been in for a second.
        assert_eq!(play(&mut session, 12..30, 0).0, 2);
        assert_eq!(play(&mut session, 15..35, 1).0, 0);
        assert_eq!((session.rules.states()[0].active, session.rules.states()[0].started), (1, 1));
        let counts = session.counting.counts().unwrap();
        assert_eq!((counts.zones[0].passed.total().inwards, counts.zones[0].occupancy), (1, 1));
    }

    #[test]
    fn a_line_that_moves_is_counted_again_from_memory() {
        let history: SharedHistory = Arc::new(Mutex::new(TrackHistory::new(None, 0)));
        let mut session = session(&history);
        assert_eq!(play(&mut session, 0..30, 0), (1, 1));
        // Nobody came so far; then who was crossed before the change; and the track goes on.
        for (y, counted) in [(0.95, 0), (0.4, 1), (0.8, 0)] {
            session.set_counting(line(y), &Labels::coco());
            let counts = session.counting.counts().unwrap();
            assert_eq!(counts.lines[0].crossed.total().inwards, counted, "{y}");
        }
        assert_eq!(play(&mut session, 30..40, 0), (1, 1));
    }

    /// The demo clip's first frames with what was recorded of them.
    fn demo(frames: usize) -> Vec<(Frame, DetectorOutput)> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let spec = crate::source::SourceSpec::Video(root.join("assets/demo.avi"));
        let mut clip = crate::source::open_file(&spec, &crate::source::SourceSettings::default()).unwrap();
        let file =
            crate::dataset::DetectionFile::read(&root.join("tests/golden/demo_detections.txt")).unwrap();
        let frame = |number: usize| {
            let found: Vec<Detection> = file.at(number as u64).collect();
            (clip.next_frame().unwrap().unwrap(), found.into())
        };
        (0..frames).map(frame).collect()
    }

    #[test]
    fn tracking_goes_on_behind_what_is_remembered_as_if_it_had_not_stopped() {
        const END: usize = 40;
        let frames = demo(END);
        // The frames that `detected` has are detected in, as the others are remembered.
        let track =
            |session: &mut TrackSession, range: std::ops::Range<usize>, epoch: u64, detected: bool| {
                let scenes = range.map(|number| {
                    let (frame, output) = &frames[number];
                    let settled = Enhancement::settled(Enhanced::default());
                    let job = FrameJob { epoch, fresh: detected, ..FrameJob::alone(frame.clone(), settled) };
                    session.track(&job, detected.then_some(output)).unwrap().0
                });
                scenes.collect::<Vec<_>>()
            };
        let new = || session(&Arc::new(Mutex::new(TrackHistory::new(None, 0))));
        let straight = track(&mut new(), 0..END, 0, true);
        let mut worst = 0.0f32;
        for stop in 3..END - 1 {
            let mut session = new();
            track(&mut session, 0..stop, 0, true);
            // Back to some place, and to the beginning.
            track(&mut session, stop / 2..stop / 2 + 1, 1, false);
            track(&mut session, 0..stop, 2, false);
            let rest = track(&mut session, stop..END, 2, true);
            for (scene, straight) in rest.iter().zip(&straight[stop..]) {
                let ids = |scene: &Scene| scene.tracks.iter().map(|track| track.id).collect::<Vec<_>>();
                assert_eq!(ids(scene), ids(straight), "stop {stop}, frame {}", scene.sequence);
                for (now, then) in scene.tracks.iter().zip(&straight.tracks) {
                    let sides = |r: &Rect| [r.left, r.top, r.width, r.height];
                    let off = sides(&now.rect).into_iter().zip(sides(&then.rect)).map(|(a, b)| (a - b).abs());
                    let off = off.fold(0.0, f32::max);
                    worst = worst.max(off);
                }
            }
        }
        assert!(worst < 0.01, "{worst} pixels");
    }
}
