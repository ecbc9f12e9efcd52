//! The engine: a picture in, tracks and trails out. One synchronous call, without threads and without files.
//!
//! ```text
//!             ┌─────────┐  picture for   ┌────────────────┐ detections ┌─────────────────────────────┐
//! Frame ─────▶│ enhance │───────────────▶│ DetectionSource│───────────▶│ TrackStage: camera motion,  │──▶ Processed
//!             └─────────┘  the network   └────────────────┘            │ tracker, trails, SceneStage │
//!                                                                      └─────────────────────────────┘
//! ```
//!
//! [`Engine::process`] takes the frames of one source in their order. The parts can also be used by themselves, which is how
//! `pipeline` places them on threads: [`enhance::Enhancer`](crate::enhance::Enhancer), [`DetectionSource`], [`TrackStage`].
//!
//! With the feature `detector` a [`DetectionSource`] can be a network, and pictures are enhanced for it. Without, the engine
//! works on detections that are recorded or brought by the caller, and builds with nothing native.
//!
//! # Own detections, own loop
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//!
//! use trailsight::analyse::Presence;
//! use trailsight::detection::Detection;
//! use trailsight::engine::{DetectionSource, Engine, EngineSettings};
//! use trailsight::frame::{Frame, Picture};
//! use trailsight::geometry::Rect;
//!
//! let mut engine = Engine::new(DetectionSource::None, EngineSettings::default());
//! engine.add_stage(Presence::default());
//! let picture = Arc::new(Picture::filled(320, 240, [90, 120, 150])?);
//! for number in 0..5_u64 {
//!     let time = number as f64 / 25.0;
//!     let frame =
//!         Frame { picture: Arc::clone(&picture), sequence: number, time, captured: Instant::now(), file: None };
//!     let walker = Rect::new(40.0 + 3.0 * number as f32, 60.0, 30.0, 80.0);
//!     let found = vec![Detection { rect: walker, score: 0.9, class: 0 }];
//!     let scene = engine.process_detections(&frame, found)?.scene;
//!     assert_eq!(scene.tracks[0].id, 1);
//!     assert_eq!(scene.events.len(), usize::from(number == 0));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `detections` | where detections come from: a network, a recording of them, the caller |
//! | `motion` | what moves, as a source of detections |
//! | `held` | what was detected last, for pictures in which nothing has moved since |
//! | `tracking` | from detections to a scene |

mod detections;
#[cfg(feature = "detector")]
mod held;
#[cfg(feature = "detector")]
mod motion;
#[cfg(feature = "detector")]
mod numbering;
mod tracking;

#[cfg(not(feature = "detector"))]
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::analyse::{SceneStage, StageError};
#[cfg(feature = "detector")]
use crate::attention::{Attention, AttentionSettings, Notice};
#[cfg(feature = "detector")]
use crate::detect::{DetectError, DetectTimes};
#[cfg(feature = "detector")]
use crate::enhance::{EnhanceSettings, Enhanced, Enhancer};
use crate::frame::Frame;
use crate::scene::Scene;

#[cfg(feature = "detector")]
pub use detections::NetworkSource;
pub use detections::{DetectionSource, DetectorOutput, RecordedDetections};
#[cfg(feature = "detector")]
pub use held::HeldDetections;
#[cfg(feature = "detector")]
pub use motion::MotionSource;
pub use tracking::{TrackInput, TrackStage, TrackTimes, TrackingSettings};

/// What an engine is set to.
#[derive(Debug, Clone, Default)]
pub struct EngineSettings {
    /// Tracker, trails, and whether the camera's motion is found in the pixels.
    pub tracking: TrackingSettings,
    /// What is done to pictures before the network sees them, and where in them objects count.
    #[cfg(feature = "detector")]
    pub enhance: EnhanceSettings,
    /// When the network need not look; by default it looks at every picture.
    #[cfg(feature = "detector")]
    pub attention: AttentionSettings,
}

/// Why a frame could not be processed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The network failed.
    #[cfg(feature = "detector")]
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A stage failed.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// How long the parts of the engine took for one frame; zero for a part that did not run.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineTimes {
    /// The picture made better for the network, and stabilised or masked for showing.
    pub enhance: Duration,
    /// Scaled to the network's input.
    pub letterbox: Duration,
    /// The network.
    pub inference: Duration,
    /// Boxes from the network's output, non-maximum suppression.
    pub decode: Duration,
    /// Camera motion, tracking and stages.
    pub tracking: TrackTimes,
}

/// A frame with all that the engine has made of it.
#[derive(Debug, Clone)]
pub struct Processed {
    /// The frame with its picture as it may be shown and written: stabilised and masked where that is asked for.
    pub frame: Frame,
    /// What was made of the picture for the network, and why.
    #[cfg(feature = "detector")]
    pub enhanced: Enhanced,
    /// What the tracker was given, in pixels of the picture.
    pub output: DetectorOutput,
    /// Tracks, trails, attributes and events.
    pub scene: Scene,
    /// How long it took.
    pub times: EngineTimes,
}

/// From the frames of one source to scenes; see the [module](self).
pub struct Engine {
    #[cfg(feature = "detector")]
    enhancer: Enhancer,
    #[cfg(feature = "detector")]
    attention: Attention,
    #[cfg(feature = "detector")]
    held: HeldDetections,
    source: DetectionSource,
    tracking: TrackStage,
}

impl Engine {
    /// An engine that has seen no frame. `source`: a `Detector` (feature `detector`), [`RecordedDetections`], or
    /// [`DetectionSource::None`] where the caller brings the detections.
    pub fn new(source: impl Into<DetectionSource>, settings: EngineSettings) -> Self {
        let source = source.into();
        Self {
            #[cfg(feature = "detector")]
            enhancer: Enhancer::new(settings.enhance),
            #[cfg(feature = "detector")]
            attention: Attention::new(settings.attention, true),
            #[cfg(feature = "detector")]
            held: HeldDetections::default(),
            source,
            tracking: TrackStage::new(settings.tracking),
        }
    }

    /// Adds a stage behind those that are there.
    pub fn add_stage(&mut self, stage: impl SceneStage + 'static) {
        self.tracking.add_stage(stage);
    }

    /// Processes the next frame of the source, with the detections of the engine's [`DetectionSource`]. Frames may be left
    /// out; their times must not go back.
    ///
    /// # Errors
    /// [`EngineError`] of the network or of a stage. The engine can go on with the next frame.
    pub fn process(&mut self, frame: &Frame) -> Result<Processed, EngineError> {
        let prepared = self.prepare(frame, true);
        #[cfg(feature = "detector")]
        let (output, times) = {
            let looks = prepared.notice.looks();
            let found = looks.then(|| self.source.detect(&prepared.frame, &prepared.enhanced)).transpose();
            if found.is_err() {
                // The next picture is looked at, whatever it shows.
                self.attention.insist();
                self.held.forget();
            }
            let found = found?;
            let (found, detect) = found.unzip();
            let DetectTimes { letterbox, inference, decode } = detect.unwrap_or_default();
            let output = self.held.next(prepared.notice, found).unwrap_or_default();
            (output, EngineTimes { letterbox, inference, decode, ..EngineTimes::default() })
        };
        #[cfg(not(feature = "detector"))]
        let (output, times) = (self.source.detect(&prepared.frame), EngineTimes::default());
        self.track(prepared, output, times)
    }

    /// Processes the next frame with detections that the caller brings: boxes in pixels of the picture as it is shown, in any
    /// order. Those in masked areas are left out.
    ///
    /// # Errors
    /// [`EngineError::Stage`] of a stage.
    pub fn process_detections(
        &mut self,
        frame: &Frame,
        detections: impl Into<DetectorOutput>,
    ) -> Result<Processed, EngineError> {
        let prepared = self.prepare(frame, false);
        #[cfg_attr(
            not(feature = "detector"),
            expect(unused_mut, reason = "only enhancing knows masked areas")
        )]
        let mut output = detections.into();
        #[cfg(feature = "detector")]
        output.leave_out(&prepared.enhanced);
        self.track(prepared, output, EngineTimes::default())
    }

    /// The next frame does not follow on the one before: it is of another source, or of another place in it. Begins with new
    /// tracks, whose ids go on above those given so far.
    pub fn restart(&mut self) {
        #[cfg(feature = "detector")]
        {
            self.enhancer.begin_anew();
            self.attention.begin_anew();
            self.held.forget();
            self.source.begin_anew();
        }
        self.tracking.restart();
    }

    /// Where the detections come from.
    pub fn source(&self) -> &DetectionSource {
        &self.source
    }

    /// Gives the source of detections back, for another engine.
    pub fn into_source(self) -> DetectionSource {
        self.source
    }

    /// Makes the picture that may be shown, and where a network is to look the one for it.
    #[cfg_attr(
        not(feature = "detector"),
        expect(
            clippy::unused_self,
            unused_variables,
            reason = "without a network there is nothing to prepare"
        )
    )]
    fn prepare(&mut self, frame: &Frame, detects: bool) -> Prepared {
        let started = Instant::now();
        #[cfg(feature = "detector")]
        let (picture, enhanced, notice) = {
            self.enhancer.set_input(self.source.input_for(frame.picture.size()));
            let (picture, mut enhanced) = self.enhancer.show(&frame.picture, frame.time);
            let notice = match detects && self.source.input_rule().is_some() && !self.source.is_in_order() {
                true => {
                    let region_mask = enhanced.region_mask.as_ref();
                    self.attention.watch(&(&*picture).into(), region_mask, frame.time, frame.sequence)
                }
                false => Notice::Unwatched,
            };
            if notice.looks() {
                self.enhancer.prepare(&picture, frame.time, &mut enhanced);
            }
            (picture, enhanced, notice)
        };
        #[cfg(not(feature = "detector"))]
        let picture = Arc::clone(&frame.picture);
        Prepared {
            frame: Frame { picture, ..frame.clone() },
            #[cfg(feature = "detector")]
            enhanced,
            #[cfg(feature = "detector")]
            notice,
            time: started.elapsed(),
        }
    }

    fn track(
        &mut self,
        prepared: Prepared,
        output: DetectorOutput,
        times: EngineTimes,
    ) -> Result<Processed, EngineError> {
        let input = TrackInput {
            #[cfg(feature = "detector")]
            region_mask: prepared.enhanced.region_mask.as_deref(),
            #[cfg(feature = "detector")]
            camera: prepared.notice.camera(),
            ..TrackInput::of(&prepared.frame, &output)
        };
        let scene = self.tracking.update(&input)?;
        Ok(Processed {
            times: EngineTimes { enhance: prepared.time, tracking: self.tracking.times(), ..times },
            frame: prepared.frame,
            #[cfg(feature = "detector")]
            enhanced: prepared.enhanced,
            output,
            scene,
        })
    }
}

/// A frame before detection.
struct Prepared {
    frame: Frame,
    #[cfg(feature = "detector")]
    enhanced: Enhanced,
    #[cfg(feature = "detector")]
    notice: Notice,
    time: Duration,
}
