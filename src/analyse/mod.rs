//! Stages: what is made of a scene once its tracks are known. Counting, zones, classifiers, alarms plug in here.
//!
//! A [`SceneStage`] is called once for every frame that is tracked, in the order of the frames, with the frame and its
//! [`Scene`]. It adds
//!
//! * **attributes** to tracks ([`Scene::attributes`]), by track id and name: a speed, a colour, a plate number;
//! * **events** ([`Scene::events`]): something that happened in this very frame.
//!
//! It does not change tracks or trails. Stages run one after the other, so that a later one finds what an earlier one added.
//!
//! # What an implementer must do
//!
//! * [`name`](SceneStage::name): one word for messages.
//! * [`update`](SceneStage::update): the work. It runs on the thread that tracks: what takes longer than a frame's time holds
//!   the tracks up (not the picture in a window). Use [`Scene::time`], never the clock: recordings run faster or slower than
//!   they were taken.
//! * [`restart`](SceneStage::restart): forget what relates one frame to the next. Called where the next frame does not follow
//!   on the one before: after a jump in a recording, or when a source begins again.
//! * Memory must stay bounded: forget tracks that are in the scene no more. An id is never used twice for one source.
//!
//! An error ends the run: it is told once, with the stage's name, and all files are closed. What is not worth ending a run
//! belongs in the log.
//!
//! # Which frames a stage sees
//!
//! A stage sees frames that are tracked just now. Going back in a recording shows remembered tracks: no stage is called, and
//! the scene has neither events nor attributes. Where a part is tracked a second time, with other settings, stages run again
//! for the attributes, and the events are dropped: an event is told once.
//!
//! # The stages that come with the crate
//!
//! | stage | adds |
//! |---|---|
//! | [`Presence`] | the events `appeared` and `disappeared` |
//! | [`Speed`] | the attribute `speed_px_per_s` |
//! | [`OnGround`] | where seen tracks stand and how fast they move, in metres: the attributes `x_m`, `y_m`, `speed_m_per_s`, `speed_error_m_per_s`, `heading_deg` |
//! | [`Heat`] | for how long objects were where ([`Scene::heat`]) |
//! | [`Counting`] | counts at lines and in zones, the events `cross`, `enter` and `leave`, the attribute `dwell_s` |
//! | [`Rules`] | the events `start`, `update` and `end` of rules, and how each rule stands |

mod counting;
mod ground;
mod heat;
mod measuring;
mod object;
mod presence;
mod rules;
mod speed;

use crate::detection::Detections;
use crate::frame::Picture;
use crate::geometry::Affine;
use crate::scene::Scene;

pub use counting::{BoxAnchor, Counting, CountingSettings, FixedTo, LineSettings, ZoneSettings};
pub use ground::{GroundPlane, GroundSettings, OnGround};
pub use heat::{Heat, HeatSettings};
pub use measuring::{MeasureSettings, Measuring};
pub use presence::Presence;
pub use rules::{ATTRIBUTES, Clock, Known, KnownNames, RuleError, RuleSettings, Rules, When};
pub use speed::Speed;

/// The frame that a scene is of, as a stage sees it.
#[derive(Debug, Clone, Copy)]
pub struct StageFrame<'a> {
    /// Width and height of the picture in pixels.
    pub size: (u32, u32),
    /// The picture as it may be shown and written, 8-bit RGB; `None` where only boxes are known.
    pub picture: Option<&'a Picture>,
    /// The detections that the tracker was given, in pixels of the picture, with whatever else the network tells of them.
    /// [`Track::detection`](crate::scene::Track::detection) counts them, and behind them `suppressed`.
    pub detections: &'a Detections,
    /// What non-maximum suppression removed; `None`: nothing is known of that.
    pub suppressed: Option<&'a Detections>,
    /// How the still world moved in the picture since the frame before, in pixels, as far as the tracker was told; `None`
    /// where nothing is known.
    pub camera: Option<Affine>,
    /// This frame was tracked before, and what happened in it was told: it is tracked a second time, with other settings.
    /// A stage that counts counts nothing, and events are dropped.
    pub again: bool,
}

/// One thing that is found out about a scene; see the [module](self) for what an implementer must do.
///
/// ```
/// use trailsight::analyse::{SceneStage, StageFrame};
/// use trailsight::event::Event;
/// use trailsight::scene::Scene;
///
/// /// Tells when more objects are seen at once than ever before.
/// #[derive(Default)]
/// struct Record(usize);
///
/// impl SceneStage for Record {
///     fn name(&self) -> &str {
///         "record"
///     }
///
///     fn update(&mut self, _frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
///         let seen = scene.seen().count();
///         if seen > self.0 {
///             self.0 = seen;
///             scene.events.push(Event::new(scene.sequence, scene.time, "record").with("objects", seen as f64));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait SceneStage: Send {
    /// One word that names the stage in messages.
    fn name(&self) -> &str;

    /// Adds attributes and events to the scene of a frame.
    ///
    /// # Errors
    /// Why the run cannot go on, in a few words without the stage's name.
    fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String>;

    /// The next frame does not follow on the one before.
    fn restart(&mut self) {}
}

/// A stage failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stage {stage} failed: {why}")]
pub struct StageError {
    /// The stage's name.
    pub stage: String,
    /// What it said.
    pub why: String,
}

/// Stages that run one after the other.
#[derive(Default)]
pub struct Stages(Vec<Box<dyn SceneStage>>);

impl Stages {
    /// Adds a stage behind those that are there.
    pub fn push(&mut self, stage: impl SceneStage + 'static) {
        self.0.push(Box::new(stage));
    }

    /// Runs all stages on a frame that was tracked just now.
    ///
    /// # Errors
    /// [`StageError`] of the first stage that fails; the stages behind it do not run.
    pub fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), StageError> {
        self.0.iter_mut().try_for_each(|stage| {
            let outcome = stage.update(frame, scene);
            outcome.map_err(|why| StageError { stage: stage.name().to_owned(), why })
        })
    }

    /// Tells all stages that the next frame does not follow on the one before.
    pub fn restart(&mut self) {
        self.0.iter_mut().for_each(|stage| stage.restart());
    }
}

impl std::fmt::Debug for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|stage| stage.name())).finish()
    }
}
