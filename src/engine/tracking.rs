//! From the detections of a frame to its scene: camera motion, tracker, trails, stages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::DetectorOutput;
use crate::analyse::{SceneStage, StageError, StageFrame, Stages};
use crate::detection::{Detections, Extra};
#[cfg(feature = "detector")]
use crate::enhance::{CameraMotionEstimator, RegionMask};
use crate::event::Event;
use crate::frame::{Frame, Picture};
use crate::geometry::Affine;
use crate::kind::Kinds;
use crate::scene::{Scene, Swap, Track, TrackState};
use crate::track::{Observation, TrackSettings, Tracker, TrailSettings, Trails};

/// How detections become tracks and trails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackingSettings {
    /// The tracker's settings.
    pub track: TrackSettings,
    /// The trails' length and anchor.
    pub trails: TrailSettings,
    /// Find the camera's motion in the pixels, where there is a picture; needs the feature `detector`.
    pub camera_motion: bool,
}

impl Default for TrackingSettings {
    fn default() -> Self {
        Self { track: TrackSettings::default(), trails: TrailSettings::default(), camera_motion: true }
    }
}

/// What is known of a frame before it is tracked.
#[derive(Debug, Clone, Copy)]
pub struct TrackInput<'a> {
    /// The frame's number in the source, from 0.
    pub sequence: u64,
    /// The frame's source time in seconds.
    pub time: f64,
    /// Width and height of the picture in pixels.
    pub size: (u32, u32),
    /// The picture; `None` where only boxes are known.
    pub picture: Option<&'a Picture>,
    /// What was detected, in pixels of the picture, in any order.
    pub detections: &'a Detections,
    /// What non-maximum suppression removed; `None`: nothing is known of that.
    pub suppressed: Option<&'a Detections>,
    /// What kinds of things the classes are; `None`: every class is a thing of its own.
    pub kinds: Option<&'a Kinds>,
    /// Pixels of the network's input for one of the picture, where a network looked.
    pub scale: Option<f32>,
    /// How the camera moved since the frame before, where the caller knows it. `None`: it is found in the pixels, or told
    /// from the boxes.
    pub camera: Option<Affine>,
    /// Where objects count; `None`: everywhere.
    #[cfg(feature = "detector")]
    pub region_mask: Option<&'a RegionMask>,
}

impl<'a> TrackInput<'a> {
    /// A frame with what was detected in it, where objects count everywhere.
    pub fn of(frame: &'a Frame, output: &'a DetectorOutput) -> Self {
        Self {
            picture: Some(&frame.picture),
            suppressed: Some(&output.suppressed),
            kinds: Some(&output.kinds),
            scale: output.scale,
            ..Self::of_boxes(frame.sequence, frame.time, frame.picture.size(), &output.detections)
        }
    }

    /// The boxes of a frame whose picture is not at hand. `time` in seconds, `size` in pixels.
    pub fn of_boxes(sequence: u64, time: f64, size: (u32, u32), detections: &'a Detections) -> Self {
        Self {
            sequence,
            time,
            size,
            picture: None,
            detections,
            suppressed: None,
            kinds: None,
            scale: None,
            camera: None,
            #[cfg(feature = "detector")]
            region_mask: None,
        }
    }
}

/// How long the parts of tracking took for the last frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrackTimes {
    /// The camera's motion, from the pixels.
    pub camera_motion: Duration,
    /// Tracker and trails.
    pub track: Duration,
    /// All stages.
    pub stages: Duration,
}

/// Turns detections into scenes, frame by frame: one pass over one source.
#[derive(Debug)]
pub struct TrackStage {
    settings: TrackingSettings,
    tracker: Tracker,
    trails: Trails,
    /// Finds how the camera moved since the frame observed last; `None` if the settings do not ask for it.
    #[cfg(feature = "detector")]
    camera: Option<CameraMotionEstimator>,
    stages: Stages,
    /// How the camera moved up to the frame just observed, where that is known.
    moved: Option<Affine>,
    times: TrackTimes,
}

impl TrackStage {
    /// Has seen nothing; ids begin at 1.
    pub fn new(settings: TrackingSettings) -> Self {
        Self {
            settings,
            tracker: Tracker::new(settings.track),
            trails: Trails::new(settings.trails),
            #[cfg(feature = "detector")]
            camera: settings.camera_motion.then(CameraMotionEstimator::default),
            stages: Stages::default(),
            moved: None,
            times: TrackTimes::default(),
        }
    }

    /// The same with these stages.
    pub fn with_stages(self, stages: Stages) -> Self {
        Self { stages, ..self }
    }

    /// Adds a stage behind those that are there.
    pub fn add_stage(&mut self, stage: impl SceneStage + 'static) {
        self.stages.push(stage);
    }

    /// Changes the settings; tracks and trails go on.
    pub fn set_settings(&mut self, settings: TrackingSettings) {
        self.settings = settings;
        self.tracker.set_settings(settings.track);
        self.trails.set_settings(settings.trails);
        #[cfg(feature = "detector")]
        if settings.camera_motion != self.camera.is_some() {
            self.camera = settings.camera_motion.then(CameraMotionEstimator::default);
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> &TrackingSettings {
        &self.settings
    }

    /// The tracker as it stands behind the last frame.
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// How long the last frame took.
    pub fn times(&self) -> TrackTimes {
        self.times
    }

    /// Takes in the next frame and gives its scene, with what the stages add.
    ///
    /// # Errors
    /// [`StageError`] of the first stage that fails. Tracker and trails have taken the frame in all the same.
    pub fn update(&mut self, input: &TrackInput<'_>) -> Result<Scene, StageError> {
        let mut scene = self.observe(input);
        self.analyse(input, &mut scene, false)?;
        Ok(scene)
    }

    /// The first half of [`TrackStage::update`]: the scene without what stages add.
    pub(crate) fn observe(&mut self, input: &TrackInput<'_>) -> Scene {
        let started = Instant::now();
        let camera = input.camera.or_else(|| self.find_camera_motion(input));
        self.moved = camera;
        let watched = Instant::now();
        let observation = Observation {
            detections: input.detections,
            suppressed: input.suppressed.map_or(&[], Detections::boxes),
            camera,
            picture: Some((input.size.0 as f32, input.size.1 as f32)),
            kinds: input.kinds,
            scale: input.scale,
        };
        self.tracker.observe(input.time, &observation);
        self.tracker.swaps().iter().for_each(|swap| self.trails.correct(swap));
        let mut scene = self.scene(input.sequence, input.time);
        scene.extras = extras(&scene.tracks, input);
        scene.swaps = self.tracker.swaps().to_vec();
        scene.events = scene.swaps.iter().map(|swap| swap_event(&scene, swap)).collect();
        let (camera_motion, track) = (watched - started, watched.elapsed());
        self.times = TrackTimes { camera_motion, track, stages: Duration::ZERO };
        scene
    }

    /// The frame just observed, as stages see it. `again`: it was tracked before.
    pub(crate) fn stage_frame<'a>(&self, input: &TrackInput<'a>, again: bool) -> StageFrame<'a> {
        StageFrame {
            size: input.size,
            picture: input.picture,
            detections: input.detections,
            suppressed: input.suppressed,
            camera: self.moved,
            again,
        }
    }

    /// The second half: has the stages add to the scene of the frame just observed. `again`: it was tracked before.
    pub(crate) fn analyse(
        &mut self,
        input: &TrackInput<'_>,
        scene: &mut Scene,
        again: bool,
    ) -> Result<(), StageError> {
        let started = Instant::now();
        let frame = self.stage_frame(input, again);
        let outcome = self.stages.update(&frame, scene);
        self.times.stages = started.elapsed();
        outcome
    }

    /// Time passes without a detected frame; returns the tracks at that time. No stage runs.
    pub fn pass_time(&mut self, sequence: u64, time: f64, size: (u32, u32)) -> Scene {
        let nothing = Observation { picture: Some((size.0 as f32, size.1 as f32)), ..Observation::default() };
        self.tracker.observe(time, &nothing);
        self.scene(sequence, time)
    }

    /// The next frame does not follow the one before. Begins with new tracks; their ids continue above those given so
    /// far.
    pub fn restart(&mut self) {
        let last = self.tracker.last_id();
        let mut tracker = Tracker::new(self.settings.track);
        tracker.reserve_ids_up_to(last);
        self.go_on_with(tracker, Trails::new(self.settings.trails));
    }

    /// Goes on from another state: the next frame follows on what `tracker` saw last.
    pub(crate) fn go_on_with(&mut self, tracker: Tracker, trails: Trails) {
        (self.tracker, self.trails) = (tracker, trails);
        #[cfg(feature = "detector")]
        if let Some(camera) = &mut self.camera {
            camera.begin_anew();
        }
        self.stages.restart();
    }

    /// Takes out what finds the camera's motion from the last frame to the next, for [`TrackStage::watch_on_with`]; the frame
    /// to come does not follow on the last one.
    #[cfg(feature = "cli")]
    pub(crate) fn take_camera(&mut self) -> Option<CameraMotionEstimator> {
        self.camera.as_mut().map(std::mem::take)
    }

    /// The next frame follows on the one that `camera` has watched last. Comes behind [`TrackStage::go_on_with`].
    #[cfg(feature = "cli")]
    pub(crate) fn watch_on_with(&mut self, camera: CameraMotionEstimator) {
        if let Some(own) = &mut self.camera {
            *own = camera;
        }
    }

    /// The scene of the frame just observed, with the ids that its objects are known by from before; no other object gets an
    /// id up to `taken`.
    #[cfg(feature = "cli")]
    pub(crate) fn relabel(&mut self, scene: &Scene, known: &Scene, taken: u64) -> Scene {
        self.tracker.restore_ids(&known.tracks);
        self.tracker.reserve_ids_up_to(taken);
        self.trails.forget();
        let again = self.scene(scene.sequence, scene.time);
        let taken_by = |tracks: &[Track], id: u64| tracks.iter().find(|track| track.id == id)?.detection;
        let renamed = scene.extras.iter().filter_map(|(id, extra)| {
            let detection = taken_by(&scene.tracks, *id)?;
            let track = again.tracks.iter().find(|track| track.detection == Some(detection))?;
            Some((track.id, extra.clone()))
        });
        let extras = renamed.collect();
        Scene { extras, ..again }
    }

    /// The scene of the tracks that are believed.
    fn scene(&mut self, sequence: u64, time: f64) -> Scene {
        let tracks = self.tracker.tracks().iter().filter(|t| t.state != TrackState::Tentative);
        let tracks: Vec<Track> = tracks.copied().collect();
        let trails = Arc::new(self.trails.update(time, &tracks));
        Scene { sequence, time, tracks, trails, ..Scene::default() }
    }

    #[cfg(feature = "detector")]
    fn find_camera_motion(&mut self, input: &TrackInput<'_>) -> Option<Affine> {
        self.camera.as_mut()?.watch(input.picture?, input.detections, input.region_mask)
    }

    #[cfg(not(feature = "detector"))]
    #[expect(clippy::unused_self, reason = "with the feature `detector` it needs the frame before")]
    fn find_camera_motion(&mut self, _input: &TrackInput<'_>) -> Option<Affine> {
        None
    }
}

/// What outputs are told of a swap.
fn swap_event(scene: &Scene, swap: &Swap) -> Event {
    let event = Event::new(scene.sequence, scene.time, "swap");
    event.with("from", swap.from).with("to", swap.to).with("since", swap.since)
}

/// What the detections that the tracks took carry beside their boxes.
fn extras(tracks: &[Track], input: &TrackInput<'_>) -> Vec<(u64, Extra)> {
    let told = |number: usize| match number.checked_sub(input.detections.len()) {
        None => input.detections.extra(number),
        Some(number) => input.suppressed.and_then(|suppressed| suppressed.extra(number)),
    };
    let taken = tracks.iter().filter_map(|track| Some((track.id, told(track.detection? as usize)?)));
    taken.filter(|(_, extra)| **extra != Extra::default()).map(|(id, extra)| (id, extra.clone())).collect()
}
