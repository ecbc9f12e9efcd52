//! How a run begins: the links, and the threads between them, from the end of the flow to its beginning.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::capture::{Capture, Pace};
use super::detect_worker::DetectWorker;
use super::detector_control::{DetectorControl, Note};
use super::enhance_worker::EnhanceWorker;
use super::link::{self, Outlet};
use super::message::{DetectionResult, EnhanceJob, FrameJob, PendingEnhance, SharedHistory, TrackedFrame};
use super::model_choice::Demand;
use super::plan::{Mode, Plan};
use super::scheduler::DetectorScheduler;
use super::seekable_source::{self, SeekableSource};
use super::stats::Stats;
use super::thread_count::thread_count;
use super::track_worker::{PendingMeasures, PendingPlaces, PendingTracking, Places, TrackWorker};
use super::{LOADER, Pipeline, RunError};
use crate::analyse::{Clock, Counting, Measuring, Rules, Stages};
use crate::attention::AttentionSettings;
use crate::config::Settings;
use crate::detect::{AttentionChoice, DetectError, DetectSettings};
use crate::engine::{DetectionSource, EngineSettings, TrackingSettings};
use crate::enhance::{NetworkChain, ShownChain};
use crate::history::TrackHistory;
use crate::source::SourceInfo;

/// How many things wait on a link that keeps everything.
const KEPT: usize = 4;

/// The links between the threads, each taken by the threads at its ends.
struct Links {
    display_out: Option<Outlet<FrameJob>>,
    enhance_out: Outlet<EnhanceJob>,
    enhance_in: Receiver<EnhanceJob>,
    frames_out: Outlet<FrameJob>,
    frames_in: Receiver<FrameJob>,
    results_out: Outlet<Result<DetectionResult, DetectError>>,
    results_in: Receiver<Result<DetectionResult, DetectError>>,
    tracked_out: Outlet<TrackedFrame>,
    /// In step, fast threads must not pile up frames in front of slow ones: only as many frames may be under way as there
    /// are tickets.
    tickets: Option<(Sender<()>, Receiver<()>)>,
}

impl Pipeline {
    /// Starts all threads.
    ///
    /// # Errors
    /// [`RunError`] if a thread cannot be started or a network state cannot be made.
    pub fn start(plan: Plan<'_>) -> Result<Self, RunError> {
        Self::start_scheduled(plan, None)
    }

    /// Starts all threads of one of several sources, which share the detector. In step, sources do not take turns.
    ///
    /// # Errors
    /// As [`Pipeline::start`].
    pub fn start_scheduled(plan: Plan<'_>, scheduler: Option<&DetectorScheduler>) -> Result<Self, RunError> {
        let Plan { source, number, reopen, detector, stages, settings, mode, stats, stop } = plan;
        if settings.enhance.privacy && settings.enhance.all_masks().is_empty() {
            log::warn!(
                "enhance.privacy is on, but neither enhance.masks nor a [[mask]] names an area to hide"
            );
        }
        let info = source.info().clone();
        let is_live = info.kind.is_live();
        let mode = mode.of_source(is_live);
        let threads = thread_count(settings.detector.threads);
        let detectors = share_out(detector, settings, (mode, info.size), threads)?;
        let Some(first) = detectors.first() else {
            return Err(RunError::Thread(std::io::Error::other("there is no network to run")));
        };
        let mut control = DetectorControl::new(settings, mode.every_frame(), detectors.len(), first);
        if mode != Mode::Photos {
            control = control.resting(is_live);
        }
        if !mode.every_frame() {
            control = control.keeping_up(Demand::of(&info, settings));
        }
        if let Some(scheduler) = scheduler {
            control = control.sharing(scheduler.network(), scheduler.budget());
        }

        let keep_frames = Arc::new(AtomicBool::new(false));
        let (display_out, frames) =
            link::newest_unless(Arc::clone(&stats.skipped_display), Arc::clone(&keep_frames));
        let (tracked_out, tracked) = link::kept(KEPT);
        let links = Links::new(mode, threads, &stats, display_out, tracked_out);
        let (wake, woken) = bounded(1);
        let (notes_out, notes) = bounded(8);
        let (errors_out, errors) = bounded(8);
        let mut pipeline = Self {
            frames,
            tracked,
            playback: Arc::default(),
            stats,
            history: history(mode, &info),
            health: source.health(),
            decide_seconds: match mode {
                Mode::EveryFrame | Mode::Replay { every_frame: true } => {
                    tracking(settings).track.decide_seconds
                }
                _ => 0.0,
            },
            keep_frames,
            pending_tracking: PendingTracking::default(),
            pending_places: PendingPlaces::default(),
            pending_measures: PendingMeasures::default(),
            // In a window somebody may ask for it at any moment.
            gathers: mode.is_shown(),
            number,
            pending_shown: PendingEnhance::default(),
            pending_network: PendingEnhance::default(),
            control: Arc::new(control),
            wake,
            notes,
            errors_out,
            errors,
            stop,
            stopper: source.stopper(),
            threads: Vec::new(),
            info,
        };
        let Links { frames_in, results_out, results_in, tracked_out, .. } = links;
        let (tickets_out, tickets_in) = links.tickets.unzip();
        pipeline.start_tracking((mode, settings), stages, results_in, tracked_out, tickets_in)?;
        let scheduler = scheduler.filter(|_| !mode.every_frame());
        pipeline.start_detecting(mode, detectors, scheduler, &frames_in, results_out)?;
        pipeline.start_loading(woken, notes_out)?;
        pipeline.start_enhancing((mode, settings), links.enhance_in, links.frames_out)?;
        let replays = pipeline.history.is_some();
        let capture = Capture {
            seekable: SeekableSource::new(source, reopen, if replays { seekable_source::BUDGET } else { 0 }),
            chain: ShownChain::new(settings.enhance.clone()).separate(mode == Mode::Photos),
            pending: Arc::clone(&pipeline.pending_shown),
            display: links.display_out,
            enhance: links.enhance_out,
            tickets: tickets_out,
            in_step: mode.every_frame(),
            pace: if mode.every_frame() || is_live { Pace::AsTheyCome } else { Pace::InTime },
            stays: replays,
            report: {
                let errors = pipeline.errors_out.clone();
                // Full only when more has failed than anyone will read.
                Box::new(move |error| drop(errors.try_send(RunError::Source(error))))
            },
            history: pipeline.history.clone(),
            playback: Arc::clone(&pipeline.playback),
            stats: Arc::clone(&pipeline.stats),
            stop: pipeline.stop.clone(),
        };
        let errors = pipeline.errors_out.clone();
        pipeline.spawn("capture".into(), move || report(&errors, capture.run()))?;
        Ok(pipeline)
    }

    fn start_tracking(
        &mut self,
        (mode, settings): (Mode, &Settings),
        stages: Stages,
        inlet: Receiver<Result<DetectionResult, DetectError>>,
        outlet: Outlet<TrackedFrame>,
        tickets: Option<Receiver<()>>,
    ) -> Result<(), RunError> {
        let tracking = tracking(settings);
        let Places { counting, rules, labels } = self.places(settings);
        let clock = clock(settings, self.info.kind.is_live());
        let worker = TrackWorker {
            settings: TrackingSettings {
                camera_motion: tracking.camera_motion && mode != Mode::Photos,
                ..tracking
            },
            stages,
            measuring: Measuring::new(self.measures(settings), &labels),
            rules: Rules::new(rules, &counting, &labels, clock),
            counting: Counting::new(counting, &labels),
            inlet,
            every_frame: mode.every_frame(),
            outlet,
            pending: Arc::clone(&self.pending_tracking),
            pending_places: Arc::clone(&self.pending_places),
            pending_measures: Arc::clone(&self.pending_measures),
            tickets,
            history: self.history.clone(),
            health: self.health.clone(),
            stats: Arc::clone(&self.stats),
        };
        let errors = self.errors_out.clone();
        self.spawn("track".into(), move || report(&errors, worker.run()))
    }

    fn start_detecting(
        &mut self,
        mode: Mode,
        detectors: Vec<DetectionSource>,
        scheduler: Option<&DetectorScheduler>,
        inlet: &Receiver<FrameJob>,
        outlet: Outlet<Result<DetectionResult, DetectError>>,
    ) -> Result<(), RunError> {
        let outlet = Arc::new(outlet);
        for (number, detector) in detectors.into_iter().enumerate() {
            let worker = DetectWorker {
                number,
                detector,
                inlet: inlet.clone(),
                outlet: Arc::clone(&outlet),
                scheduler: scheduler.cloned(),
                control: Arc::clone(&self.control),
                playback: Arc::clone(&self.playback),
                stats: Arc::clone(&self.stats),
                separate: mode == Mode::Photos,
                stop: self.stop.clone(),
            };
            self.spawn(format!("detect-{number}"), move || worker.run())?;
        }
        Ok(())
    }

    fn start_enhancing(
        &mut self,
        (mode, settings): (Mode, &Settings),
        inlet: Receiver<EnhanceJob>,
        detect: Outlet<FrameJob>,
    ) -> Result<(), RunError> {
        let worker = EnhanceWorker {
            chain: NetworkChain::new(settings.enhance.clone()).separate(mode == Mode::Photos),
            pending: Arc::clone(&self.pending_network),
            input: self.control.network_input().clone(),
            attention: Arc::clone(self.control.attention()),
            stats: Arc::clone(&self.stats),
            inlet,
            detect,
            in_step: mode.every_frame(),
            stop: self.stop.clone(),
        };
        self.spawn("enhance".into(), move || worker.run())
    }

    fn start_loading(&mut self, woken: Receiver<()>, notes: Sender<Note>) -> Result<(), RunError> {
        let (control, ended) = (Arc::clone(&self.control), self.stop.clone());
        self.spawn(LOADER.into(), move || control.load(&woken, || ended.is_asked(), &notes))
    }
}

impl Links {
    /// `threads`: how many detect.
    fn new(
        mode: Mode,
        threads: usize,
        stats: &Stats,
        display_out: Outlet<FrameJob>,
        tracked_out: Outlet<TrackedFrame>,
    ) -> Self {
        // In step one frame waits there, so that the tickets leave as much room for the threads behind as they can.
        let (enhance_out, enhance_in) = match mode.every_frame() {
            true => link::kept(1),
            false => link::newest(Arc::clone(&stats.skipped_enhance)),
        };
        let (frames_out, frames_in) = match mode.every_frame() {
            true => link::kept(KEPT),
            false => link::newest(Arc::clone(&stats.skipped_detect)),
        };
        let (results_out, results_in) = link::kept(KEPT);
        Self {
            display_out: mode.displays().then_some(display_out),
            enhance_out,
            enhance_in,
            frames_out,
            frames_in,
            results_out,
            results_in,
            tracked_out,
            tickets: mode.every_frame().then(|| bounded(3 * KEPT + 2 * threads)),
        }
    }
}

/// How the settings have detections become tracks.
pub(super) fn tracking(settings: &Settings) -> TrackingSettings {
    TrackingSettings {
        track: settings.track(),
        trails: settings.trails,
        camera_motion: settings.enhance.camera_motion,
    }
}

/// Where the rules of a source have the time of day from: live it is that of this machine.
pub(crate) fn clock(settings: &Settings, is_live: bool) -> Clock {
    if is_live {
        return Clock::Now(|| {
            let now = jiff::ZonedDateTime::now().time();
            Some(f64::from(now.hour()) * 3600.0 + f64::from(now.minute()) * 60.0 + f64::from(now.second()))
        });
    }
    // The first frame that comes is that at `source.start`.
    let start = settings.source.start.unwrap_or_default();
    let began = settings.source.began.seconds.map(|seconds| f64::from(seconds) + start);
    began.map_or(Clock::Unknown, Clock::Began)
}

/// What an engine without threads is set to, for the frames of a recording.
pub(crate) fn engine_settings(settings: &Settings) -> EngineSettings {
    let DetectSettings { attention, idle_interval, .. } = settings.detector;
    let motion = attention == AttentionChoice::Motion && !settings.detector.wants_all();
    EngineSettings {
        tracking: tracking(settings),
        enhance: settings.enhance.clone(),
        attention: AttentionSettings { motion, idle_interval },
    }
}

/// The history of the tracks; `None` if the mode has no seeking.
fn history(mode: Mode, info: &SourceInfo) -> Option<SharedHistory> {
    let Mode::Replay { every_frame } = mode else { return None };
    // In time the tracks are behind the picture: a small gap is none.
    let reach = if every_frame { 0 } else { (1.0 / info.frame_step()) as u64 };
    Some(Arc::new(Mutex::new(TrackHistory::new(info.duration, reach))))
}

/// One source of detections for each detect thread. A recording's frames are shared out, one to a thread; a live frame is one
/// thread's, which gets help inside it.
fn share_out(
    mut detector: DetectionSource,
    settings: &Settings,
    (mode, size): (Mode, Option<(u32, u32)>),
    threads: usize,
) -> Result<Vec<DetectionSource>, DetectError> {
    detector.set_slicer(settings.slicer());
    if let Some(size) = size {
        detector.prepare_for(size);
    }
    let split = match (mode.every_frame(), threads) {
        (_, 1) => "one thread".to_owned(),
        (true, several) => format!("{several} frames at a time, one thread each"),
        (false, several) => format!("{several} threads for each frame"),
    };
    if detector.is_in_order() {
        let threads = if detector.input_rule().is_some() { threads } else { 1 };
        log::info!("{}: frame by frame, threads: {threads}", detector.describe());
        return Ok(vec![detector.with_threads(threads)?]);
    }
    log::info!("{}: {split}", detector.describe());
    if !mode.every_frame() {
        return Ok(vec![detector.with_threads(threads)?]);
    }
    let mut detectors = (1..threads).map(|_| detector.fork()).collect::<Result<Vec<_>, _>>()?;
    detectors.push(detector);
    Ok(detectors)
}

/// Passes a thread's error on to whoever asks in the end.
fn report<E: Into<RunError>>(errors: &Sender<RunError>, result: Result<(), E>) {
    if let Err(error) = result {
        // Full only when more has failed than anyone will read.
        let _ = errors.try_send(error.into());
    }
}
