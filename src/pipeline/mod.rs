//! Threads, links, pacing and counters around the parts of the [`engine`](crate::engine).
//!
//! ```text
//!            ┌──────────────── newest frame (in time) ────────────────┐
//! capture ───┤                                                        ├──▶ window or recorder (the caller's thread)
//!            └─▶ enhance ─▶ detect × N ─▶ track ── frame + scene ─────┘
//! ```
//!
//! **In step**: every frame waits for its own detections, links keep everything, several detect threads share the work
//! and results are put back in order. **In time**: capture hands each frame to the window and to the enhance thread,
//! which passes it to one detect thread, all through newest-only links. The picture on the screen therefore waits neither
//! for enhancing nor for the network; skipped frames are counted.
//!
//! | thread | takes | gives | when the next is slow |
//! |---|---|---|---|
//! | `capture` | the source | frames as they may be shown | in time: replaces the older frame, counts it; in step: waits |
//! | `enhance` | frames | frames with a picture for the network | as `capture` |
//! | `detect-N` | frames | detections | waits |
//! | `track` | detections, in order | scenes | waits |
//! | `recorder` | frames with scenes | files | a recording waits; live: pictures are left out and counted |
//! | `load` | settings that ask for another model | networks | – |
//! | main | frames, scenes | pixels on screen, progress | a late redraw is skipped |

mod budget_control;
pub(crate) mod capture;
pub(crate) mod clock;
mod detect_worker;
mod detector_control;
mod enhance_worker;
pub(crate) mod enhancement;
pub mod headless;
mod link;
pub(crate) mod message;
pub(crate) mod model_choice;
mod network_input;
mod plan;
pub(crate) mod playback;
pub(crate) mod recorder;
mod scheduler;
mod seekable_source;
mod start;
mod stats;
pub(crate) mod status;
pub(crate) mod stop;
mod thread_count;
mod track_session;
mod track_worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};

use crate::analyse::{HeatSettings, MeasureSettings, StageError};
use crate::config::Settings;
use crate::detect::{DetectError, PixelBudget};
use crate::engine::EngineError;
use crate::labels::Labels;
use crate::source::{Health, SourceError, SourceInfo, Stopper};

pub use detector_control::Note;
pub use message::{FrameJob, Reopen, Target, TrackedFrame};
pub use plan::{Mode, Plan};
pub use playback::{PlaybackControl, SPEEDS};
pub use recorder::{Output, Outputs, Recorder, RecorderSetup, VideoState};
pub use scheduler::DetectorScheduler;
pub(crate) use start::{clock, engine_settings};
pub use stats::{Rate, Stats};
pub use status::{StatusError, StatusFile};
pub use stop::Stop;
pub use thread_count::thread_count;

use crate::sync::lock;
use detector_control::DetectorControl;
use message::{PendingEnhance, SharedHistory};
use track_worker::{PendingMeasures, PendingPlaces, PendingTracking, Places};

/// The name of the thread that loads networks while others run.
const LOADER: &str = "load";

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The network failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A stage failed.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A thread panicked.
    #[error("the thread {0} panicked (please report this, with the output of -v)")]
    Panicked(String),
    /// The source ended without a single frame.
    #[error("{0}: it gave no picture")]
    Empty(String),
    /// The system could not start a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl From<EngineError> for RunError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Detect(error) => error.into(),
            EngineError::Stage(error) => error.into(),
        }
    }
}

/// A run: its threads and what comes out of them.
pub struct Pipeline {
    /// What the source says of itself.
    pub info: SourceInfo,
    /// In time: the newest frame, to be shown at once; closed at the end of the source. In step nothing comes here.
    pub frames: Receiver<FrameJob>,
    /// Frames with their scenes, in order; closed at the end.
    pub tracked: Receiver<TrackedFrame>,
    /// Halt, step, speed and place.
    pub playback: Arc<PlaybackControl>,
    /// What the stages tell.
    pub stats: Arc<Stats>,
    /// The tracks so far; `None` if the mode has no seeking.
    pub history: Option<SharedHistory>,
    /// The condition of a live source.
    pub health: Option<Health>,
    /// In step: how long results are held back until it is decided which track is which after a crossing, in seconds of the
    /// source; 0 in time.
    pub(crate) decide_seconds: f64,
    /// In time: every frame waits until it is fetched.
    keep_frames: Arc<AtomicBool>,
    pending_tracking: PendingTracking,
    pending_places: PendingPlaces,
    pending_measures: PendingMeasures,
    /// The heat map is gathered also where it is not shown yet.
    gathers: bool,
    /// The source's number among those of the run, from 1.
    number: usize,
    pending_shown: PendingEnhance,
    pending_network: PendingEnhance,
    control: Arc<DetectorControl>,
    /// Wakes the thread that loads networks; closed, it ends.
    wake: Sender<()>,
    notes: Receiver<Note>,
    errors_out: Sender<RunError>,
    errors: Receiver<RunError>,
    stop: Stop,
    stopper: Option<Stopper>,
    threads: Vec<JoinHandle<()>>,
}

impl Pipeline {
    /// Seconds from the first frame to the end of the last, where the source tells it or it has been found since.
    pub fn duration(&self) -> Option<f64> {
        self.info.duration.or_else(|| self.playback.found_duration())
    }

    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> Result<(), RunError> {
        let (errors, stop, own_name) = (self.errors_out.clone(), self.stop.clone(), name.clone());
        let guarded = move || {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                // A thread that waits for this one would wait for ever.
                let _ = errors.try_send(RunError::Panicked(own_name));
                stop.ask_threads();
            }
        };
        self.threads.push(std::thread::Builder::new().name(name).spawn(guarded)?);
        Ok(())
    }

    /// Changes all settings that can change while it runs, from the next frame on; the newest change counts. What needs
    /// another network ([`Pipeline::note`] tells of it) takes effect once that is loaded.
    pub fn set_settings(&self, settings: &Settings) {
        let tracking = Some(start::tracking(settings));
        *lock(&self.pending_tracking) = tracking;
        self.set_places(settings);
        *lock(&self.pending_shown) = Some(settings.enhance.clone());
        *lock(&self.pending_network) = Some(settings.enhance.clone());
        if self.control.ask(settings) {
            // Full: it has not looked since it was last told.
            let _ = self.wake.try_send(());
        }
    }

    /// Changes lines, zones, rules and what is measured, and the names of the classes where another network has others.
    pub fn set_places(&self, settings: &Settings) {
        *lock(&self.pending_places) = Some(self.places(settings));
        *lock(&self.pending_measures) = Some((self.measures(settings), self.labels()));
    }

    /// The lines, zones and rules of this source.
    fn places(&self, settings: &Settings) -> Places {
        let (name, number) = (&self.info.name, self.number);
        let rules = settings.rules.iter().filter(|rule| rule.is_of_source(name, number));
        Places {
            counting: settings.counting.of_source(name, number),
            rules: rules.cloned().collect(),
            labels: self.labels(),
        }
    }

    /// What is measured.
    fn measures(&self, settings: &Settings) -> MeasureSettings {
        let heat = settings.heat.gather || settings.overlay.heat || self.gathers;
        MeasureSettings {
            ground: settings.ground.of_source(&self.info.name, self.number),
            // Gathered or not is decided here: switching it while the map is shown does not begin it anew.
            heat: heat.then(|| HeatSettings { gather: true, ..settings.heat.clone() }),
        }
    }

    /// In time: whether every frame of a recording is to come, however long its reader takes, instead of the newest only.
    pub fn keep_frames(&self, keep: bool) {
        let keep = keep && !self.info.kind.is_live();
        self.keep_frames.store(keep, Ordering::SeqCst);
    }

    /// The names of the classes of the network that runs.
    pub fn labels(&self) -> Arc<Labels> {
        self.control.labels()
    }

    /// The size of the network's input for the picture that was detected in last, across and down; `None` where there is no
    /// network.
    pub fn input(&self) -> Option<(usize, usize)> {
        self.control.input()
    }

    /// How many pixels the network's input may have; `None` where there is no network, or one with an input of one size.
    pub fn budget(&self) -> Option<PixelBudget> {
        self.control.budget()
    }

    /// The oldest result, not read yet, of a change that needs another network.
    pub fn note(&self) -> Option<Note> {
        self.notes.try_recv().ok()
    }

    /// The oldest error that was not read yet.
    pub fn try_error(&self) -> Option<RunError> {
        self.errors.try_recv().ok()
    }

    /// Ends all threads, in two seconds at most, and gives what went wrong in them.
    ///
    /// # Errors
    /// The first error of any stage.
    pub fn finish(self) -> Result<(), RunError> {
        let Self { frames, tracked, playback, errors, stop, stopper, threads, wake, keep_frames, .. } = self;
        // The loader alone waits for this end.
        let is_loader = |thread: &JoinHandle<()>| thread.thread().name() == Some(LOADER);
        let ended_by_itself = threads.iter().all(|thread| thread.is_finished() || is_loader(thread));
        drop(wake);
        keep_frames.store(false, Ordering::SeqCst);
        if !ended_by_itself {
            drop((frames, tracked));
            playback.end();
            stop.ask_threads();
            if let Some(stopper) = stopper {
                stopper();
            }
        }
        for name in stop::join(threads) {
            log::warn!(
                "the thread {name} is still busy in a driver, a decoder or the network; the program does not wait for it"
            );
        }
        errors.try_recv().map_or(Ok(()), Err)
    }
}
