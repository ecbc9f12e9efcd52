//! Threads, links, pacing and counters: the only room that knows all the others.
//!
//! ```text
//!            ┌────────── newest frame (in time) ──────────┐
//! capture ───┤                                            ├──▶ window or recorder (the caller's thread)
//!            └─▶ sense × N ─▶ follow ── frame + scene ────┘
//! ```
//!
//! **In step**: every frame waits for its own detections, links keep everything, several sense threads share the work
//! and results are put back in order. **In time**: capture hands each frame to the window and to one sense thread through
//! newest-only links, so that the picture never waits for the network; what is left out is counted.
//!
//! | thread | takes | gives | when the next is slow |
//! |---|---|---|---|
//! | `capture` | the source | frames | in time: replaces the older frame, counts it; in step: waits |
//! | `sense-N` | frames | detections | waits |
//! | `follow` | detections, in order | scenes | waits |
//! | `record` | frames with scenes | files | a recording waits; live: pictures are left out and counted |
//! | `load` | settings that ask for another model | networks | – |
//! | main | frames, scenes | pixels on screen, progress | a late redraw is skipped |

pub(crate) mod capture;
pub(crate) mod clock;
mod detect_worker;
mod detection_source;
mod detector_control;
pub mod headless;
mod link;
pub(crate) mod playback;
pub(crate) mod recorder;
mod scheduler;
mod seekable_source;
mod stats;
pub(crate) mod status;
pub(crate) mod stop;
mod track_worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::config::Settings;
use crate::detect::DetectError;
use crate::enhance::Enhancer;
use crate::history::TrackHistory;
use crate::labels::Labels;
use crate::source::{Health, Source, SourceError, SourceInfo, Stopper};

pub use capture::{FrameJob, Reopen};
pub use detection_source::{DetectionSource, RecordedDetections};
pub use detector_control::{Note, thread_count};
pub use playback::{PlaybackControl, SPEEDS};
pub use recorder::{Outputs, Recorder, VideoState};
pub use scheduler::DetectorScheduler;
pub use seekable_source::Target;
pub use stats::{Rate, Stats};
pub use status::{StatusError, StatusFile};
pub use stop::Stop;
pub use track_worker::{Follower, TrackedFrame};

use capture::{Capture, Pace, PendingEnhance, SharedHistory};
use detect_worker::DetectWorker;
use detector_control::DetectorControl;
use seekable_source::SeekableSource;
use track_worker::{PendingTracking, TrackWorker};

/// How many things wait on a link that keeps everything.
const KEPT: usize = 4;

/// The name of the thread that loads networks while others run.
const LOADER: &str = "load";

/// Why a run came to an end before its time.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The network failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A thread ended by a fault of its own.
    #[error("the thread {0} failed by a fault of its own (run with -v, and please report it)")]
    Panicked(String),
    /// The source ended without a single frame.
    #[error("{0}: it gave no picture")]
    Empty(String),
    /// The system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What a run is made of.
pub struct Plan<'a> {
    /// Where frames come from.
    pub source: Box<dyn Source>,
    /// How to begin the source again, where it can be.
    pub reopen: Option<Reopen>,
    /// The network, or what stands in for it.
    pub detector: DetectionSource,
    /// The settings in force.
    pub settings: &'a Settings,
    /// In step, or in time.
    pub every_frame: bool,
    /// The pictures do not follow one another, such as photographs in a folder that are looked at one by one.
    pub separate: bool,
    /// In time: frames are also shown at once; without, they only go to the network.
    pub display: bool,
    /// Remember what was tracked, and stay at the end of the source: one can go back.
    pub replay: bool,
    /// Where the stages tell of themselves.
    pub stats: Arc<Stats>,
    /// When to end.
    pub stop: Stop,
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
    /// What was tracked already; `None` where one cannot go back.
    pub history: Option<SharedHistory>,
    /// How a live source fares.
    pub health: Option<Health>,
    /// In time: every frame waits until it is fetched.
    keep_frames: Arc<AtomicBool>,
    adjust: PendingTracking,
    pending_enhance: PendingEnhance,
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
    /// Starts all threads.
    ///
    /// # Errors
    /// [`RunError`] when a thread or a network state cannot be had.
    pub fn start(plan: Plan<'_>) -> Result<Self, RunError> {
        Self::start_scheduled(plan, None)
    }

    /// Starts all threads of one of several sources, which take turns at the detector. In step there are no turns.
    ///
    /// # Errors
    /// As [`Pipeline::start`].
    pub fn start_scheduled(plan: Plan<'_>, scheduler: Option<&DetectorScheduler>) -> Result<Self, RunError> {
        let Plan { source, reopen, mut detector, settings, .. } = plan;
        let Plan { every_frame, separate, display, replay, stats, stop, .. } = plan;
        detector.set_pieces(settings.pieces());
        if settings.enhance.privacy && settings.enhance.masks.is_empty() {
            log::warn!("enhance.privacy is on, and enhance.masks names nothing to hide");
        }
        let playback = Arc::new(PlaybackControl::default());
        let info = source.info().clone();
        let (stopper, health) = (source.stopper(), source.health());
        let (errors_out, errors) = bounded(8);
        let (adjust, pending_enhance) = (PendingTracking::default(), PendingEnhance::default());

        let keep_frames = Arc::new(AtomicBool::new(false));
        let (display_out, frames) =
            link::newest_unless(Arc::clone(&stats.skipped_display), Arc::clone(&keep_frames));

        let (sense_out, sense_in) = match every_frame {
            true => link::kept(KEPT),
            false => link::newest(Arc::clone(&stats.skipped_detect)),
        };
        let (sensed_out, sensed_in) = link::kept(KEPT);
        let (followed_out, tracked) = link::kept(KEPT);
        let display_out = (display && !every_frame).then_some(display_out);
        let replay = replay && !info.kind.is_live();
        // In time the tracks are behind the picture: a small gap is none.
        let reach = if every_frame { 0 } else { info.rate.unwrap_or(25.0).clamp(1.0, 1000.0) as u64 };
        let history: Option<SharedHistory> =
            replay.then(|| Arc::new(Mutex::new(TrackHistory::new(info.duration, reach))));
        let pace = if every_frame || info.kind.is_live() { Pace::AsTheyCome } else { Pace::InTime };

        // A recording's frames are shared out, one to a thread; a live frame is one thread's, who gets help inside it.
        let threads = thread_count(settings.detector.threads);
        let detectors = match every_frame {
            true => {
                let mut detectors = (1..threads).map(|_| detector.fork()).collect::<Result<Vec<_>, _>>()?;
                detectors.push(detector);
                detectors
            }
            false => vec![detector.with_threads(threads)?],
        };
        if let Some(detector) = detectors.first() {
            let split = match (every_frame, threads) {
                (_, 1) => "one thread".to_owned(),
                (true, several) => format!("{several} frames at a time, a thread each"),
                (false, several) => format!("{several} threads for each frame"),
            };
            log::info!("{}: {split}", detector.describe());
        }
        let (wake, woken) = bounded(1);
        let (notes_out, notes) = bounded(8);
        let Some(first) = detectors.first() else {
            return Err(RunError::Thread(std::io::Error::other("there is no network to run")));
        };
        let control = Arc::new(DetectorControl::new(settings, every_frame, detectors.len(), first));

        let mut pipeline = Self {
            info,
            frames,
            tracked,
            playback: Arc::clone(&playback),
            stats: Arc::clone(&stats),
            history: history.clone(),
            health: health.clone(),
            keep_frames,
            adjust: Arc::clone(&adjust),
            pending_enhance: Arc::clone(&pending_enhance),
            control: Arc::clone(&control),
            wake,
            notes,
            errors_out: errors_out.clone(),
            errors,
            stop: stop.clone(),
            stopper,
            threads: Vec::new(),
        };

        // Threads that are slow must not have the others pile up frames in front of the one that is next.
        let (tickets, used) = bounded(3 * KEPT + 2 * threads);
        let follow = TrackWorker {
            tickets: every_frame.then_some(used),
            track: settings.track(),
            trails: settings.trails,
            camera_motion: settings.enhance.camera_motion && !separate,
            inlet: sensed_in,
            every_frame,
            outlet: followed_out,
            adjust,
            history: history.clone(),
            health: health.clone(),
            stats: Arc::clone(&stats),
        };
        let errors = errors_out.clone();
        pipeline.spawn("track".into(), move || tell(&errors, follow.run()))?;

        let outlet = Arc::new(sensed_out);
        for (number, detector) in detectors.into_iter().enumerate() {
            let sense = DetectWorker {
                number,
                detector,
                inlet: sense_in.clone(),
                outlet: Arc::clone(&outlet),
                scheduler: scheduler.filter(|_| !every_frame).cloned(),
                control: Arc::clone(&control),
                playback: Arc::clone(&playback),
                stats: Arc::clone(&stats),
                stop: stop.clone(),
            };
            pipeline.spawn(format!("detect-{number}"), move || sense.run())?;
        }

        let (loader, ended) = (Arc::clone(&control), stop.clone());
        pipeline.spawn(LOADER.into(), move || loader.load(&woken, || ended.is_asked(), &notes_out))?;

        let capture = Capture {
            seekable: SeekableSource::new(source, reopen, if replay { seekable_source::BUDGET } else { 0 }),
            enhancer: Enhancer::new(settings.enhance.clone()).separate(separate),
            pending_enhance,
            control: Arc::clone(&control),
            display: display_out,
            sense: sense_out,
            tickets: every_frame.then_some(tickets),
            in_step: every_frame,
            pace,
            stays: replay,
            tell: {
                let errors = errors_out.clone();
                // Full only when more has failed than anyone will read.
                Box::new(move |error| drop(errors.try_send(RunError::Source(error))))
            },
            history,
            playback,
            stats,
            stop,
        };
        pipeline.spawn("capture".into(), move || tell(&errors_out, capture.run()))?;
        Ok(pipeline)
    }

    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> Result<(), RunError> {
        let (errors, stop, own_name) = (self.errors_out.clone(), self.stop.clone(), name.clone());
        let guarded = move || {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                // What waits for this thread would wait for ever.
                let _ = errors.try_send(RunError::Panicked(own_name));
                stop.ask_threads();
            }
        };
        self.threads.push(std::thread::Builder::new().name(name).spawn(guarded)?);
        Ok(())
    }

    /// Changes all settings that can change while it runs, from the next frame on; the newest change counts. What needs
    /// another network ([`Pipeline::note`] tells of it) takes effect once that is loaded.
    pub fn adjust(&self, settings: &Settings) {
        let change = (settings.track(), settings.trails, settings.enhance.camera_motion);
        *self.adjust.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
        *self.pending_enhance.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings.enhance.clone());
        if self.control.ask(settings) {
            // Full: it has not looked since it was last told.
            let _ = self.wake.try_send(());
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

    /// What came of a change that needs another network, and was not asked for yet.
    pub fn note(&self) -> Option<Note> {
        self.notes.try_recv().ok()
    }

    /// What has gone wrong so far and was not asked for yet.
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
                "the thread {name} is still busy, in a driver, a decoder or the network, and is left behind"
            );
        }
        errors.try_recv().map_or(Ok(()), Err)
    }
}

/// Passes a stage's error on to whoever asks in the end.
fn tell<E: Into<RunError>>(errors: &Sender<RunError>, result: Result<(), E>) {
    if let Err(error) = result {
        // Full only when more has failed than anyone will read.
        let _ = errors.try_send(error.into());
    }
}
