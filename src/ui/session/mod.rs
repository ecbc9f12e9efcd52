//! A run in a window: the main thread's loop. Draws the newest frame with the tracks predicted to its time (in time), or
//! each frame with its own tracks when its time has come (in step), and does what keys and mouse ask for.
//!
//! | file | what it holds |
//! |---|---|
//! | `fetch` | which frame and which scene come next |
//! | `obey` | what commands do |
//! | `tune` | settings that change while it runs: the file, keys, the panel |
//! | `paint` | what is on the screen |
//! | `status` | the same for other programs |

mod fetch;
pub(crate) mod obey;
mod paint;
pub(crate) mod status;
pub(crate) mod tune;
mod viewer;

pub use viewer::{Shown, Viewer};

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::{Live, Watch};
use crate::history::Replay;
use crate::labels::Labels;
use crate::pipeline::clock::Clock;
use crate::pipeline::recorder::Recorder;
use crate::pipeline::status::{StatusError, StatusFile};
use crate::pipeline::{FrameJob, Pipeline, Rate, RunError, Stop, TrackedFrame};
use crate::scene::Scene;
use crate::sink::SinkError;
use crate::sync::lock;
use crate::ui::age::Ages;
use crate::ui::compare::Compare;
use crate::ui::event::Event;
use crate::ui::panel::Panel;
use crate::ui::surface::{Surface, SurfaceError};
use crate::view::{Canvas, Text, Timeline};

/// How long the loop sleeps when there is nothing new.
pub(crate) const NAP: Duration = Duration::from_millis(8);
/// And where nothing has happened for a while and nothing is about to.
pub(crate) const LONG_NAP: Duration = Duration::from_millis(25);
/// After so long without anything new it is a while.
pub(crate) const QUIET: Duration = Duration::from_millis(600);
/// How often the numbers are drawn anew when nothing else is.
pub(crate) const NUMBERS: Duration = Duration::from_millis(500);
/// How often a picture that stands still is shown anew: what a covered window showed is forgotten.
pub(crate) const STILL: Duration = Duration::from_millis(1600);
/// How long a message stays.
pub(crate) const MESSAGE: Duration = Duration::from_secs(3);

/// Why a window run failed.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// Source or network.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Writing.
    #[error(transparent)]
    Record(#[from] SinkError),
    /// The window.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// The status file.
    #[error(transparent)]
    Status(#[from] StatusError),
}

/// How a run in a window came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The window was closed, or everything is over.
    Closed,
    /// Another recording is wanted, so many places on in the list.
    File(i32),
}

/// How the window stood at the end of one recording: the next begins so.
#[derive(Debug)]
pub struct Carried {
    /// The settings in force; the file, keys and the panel change them.
    pub live: Live,
    /// Seconds of the recording in a second.
    pub speed: f64,
    /// Begin again at the end.
    pub repeat: bool,
    /// What to tell at the beginning.
    pub note: Option<String>,
}

/// What a window run is made of.
pub struct Show {
    /// The threads.
    pub pipeline: Pipeline,
    /// What is written beside.
    pub recorder: Recorder,
    /// Files are written from the beginning to the end: no other recording can take this one's place.
    pub writes: bool,
    /// The names of the classes.
    pub labels: Arc<Labels>,
    /// How it begins.
    pub carried: Carried,
    /// Every frame with its own tracks, instead of keeping time.
    pub every_frame: bool,
    /// Close the window at the end of the source.
    pub exit_at_end: bool,
    /// Where in the list of recordings this one is, from 0, and how many there are.
    pub place: (usize, usize),
    /// Where the state is written for other programs.
    pub status_file: Option<PathBuf>,
    /// When to end.
    pub stop: Stop,
}

impl Show {
    /// Runs until the window is closed, another recording is wanted, the source ends (with `exit_at_end`), or a signal comes.
    ///
    /// # Errors
    /// [`ShowError`]; an error of the source or the network is told in the window, and given back when it is closed.
    pub fn run(self, surface: &mut dyn Surface) -> Result<(Outcome, Carried), ShowError> {
        let mut stage = Stage::new(self);
        let shown = stage.run(surface);
        stage.close(shown)
    }
}

/// Where a run in a window stands.
struct Stage {
    show: Show,
    viewer: Viewer,
    canvas: Canvas,
    text: Text,
    /// The frame that is shown.
    current: Option<FrameJob>,
    /// What is drawn on it.
    scene: Option<Scene>,
    /// In time: the newest scene that came from the tracker since the last jump.
    latest: Option<Scene>,
    /// The epoch and number of the frame that was tracked last.
    tracked: Option<(u64, u64)>,
    /// What is remembered, with trails.
    replay: Replay,
    /// In step: the frame whose time has not come yet.
    next: Option<TrackedFrame>,
    /// In step: when frames are due.
    clock: Clock,
    /// Frames of earlier epochs came before a jump.
    epoch: u64,
    /// No frame of this epoch was shown yet.
    awaiting: bool,
    /// Where the last jump was to lead, until its frame is there: further jumps go from there.
    goal: Option<f64>,
    /// The time of the recording's first frame.
    begin: Option<f64>,
    paused: bool,
    /// A single step was asked for while paused.
    step: bool,
    /// Nothing comes any more, neither pictures nor tracks.
    ended: bool,
    /// It was so once, and nothing before was passed over.
    seen_to_end: bool,
    /// A jump was asked for.
    jumped: bool,
    /// In time: no picture comes any more.
    frames_ended: bool,
    /// What went wrong in the threads.
    failure: Option<RunError>,
    writing: bool,
    /// The time of the recorded video, which jumps do not turn back.
    film: Option<f64>,
    /// The frames whose tracks were written: after a jump back no frame is written twice.
    written: HashSet<u64>,
    displayed: Rate,
    compare: Compare,
    ages: Ages,
    /// The picture on the canvas has not been on the screen yet.
    unseen: bool,
    /// A live source was silent or gone when it was looked at last.
    troubled: bool,
    message: Option<(String, Instant)>,
    timeline: Option<(u64, Timeline)>,
    status: Option<StatusFile>,
    /// Tells when the config file changes.
    watch: Option<Watch>,
    /// The panel of settings, while it is open.
    panel: Option<Panel>,
    /// How sure the detector was of what it found in the frame it looked at last.
    scores: Vec<f32>,
    outcome: Outcome,
}

impl Stage {
    fn new(show: Show) -> Self {
        let message = show.carried.note.clone().map(|note| (note, Instant::now() + MESSAGE));
        let playback = &show.pipeline.playback;
        playback.set_speed(show.carried.speed);
        playback.set_repeat(show.carried.repeat);
        let replay = Replay::new(show.carried.live.settings().trails);
        let watch = tune::watch(&show.carried.live);
        let status = show.status_file.clone().map(StatusFile::new);
        Self {
            show,
            viewer: Viewer::new(),
            canvas: Canvas::new(1, 1),
            text: Text::new(),
            current: None,
            scene: None,
            latest: None,
            tracked: None,
            replay,
            next: None,
            clock: Clock::new(),
            epoch: 0,
            awaiting: true,
            goal: None,
            begin: None,
            paused: false,
            step: false,
            ended: false,
            seen_to_end: false,
            jumped: false,
            frames_ended: false,
            failure: None,
            writing: true,
            film: None,
            written: HashSet::new(),
            displayed: Rate::default(),
            compare: Compare::default(),
            ages: Ages::default(),
            unseen: false,
            troubled: false,
            message,
            timeline: None,
            status,
            watch,
            panel: None,
            scores: Vec::new(),
            outcome: Outcome::Closed,
        }
    }

    fn run(&mut self, surface: &mut dyn Surface) -> Result<(), ShowError> {
        let mut drawn = Instant::now();
        let mut busy = Instant::now();
        // The window has its size from the one before, and tells of changes only.
        let (width, height) = surface.size();
        self.viewer.handle(Event::Resize(width, height));
        while !self.show.stop.is_asked() && self.writing {
            let mut changed = false;
            for event in surface.events() {
                changed = true;
                if self.panel_takes(event) {
                    continue;
                }
                if self.viewer.handle(event).is_some_and(|command| self.obey(command)) {
                    return Ok(());
                }
            }
            changed |= self.hear_of_changes();
            self.show.pipeline.keep_frames(self.show.recorder.takes_pictures());
            changed |= if self.show.every_frame { self.fetch_in_step() } else { self.fetch_in_time() };
            if self.failure.is_none() {
                self.failure = self.show.pipeline.try_error();
                changed |= self.failure.is_some();
            }
            if self.ended && self.show.exit_at_end {
                return Ok(());
            }
            while let Some(note) = self.show.recorder.note() {
                self.tell(note);
                changed = true;
            }
            if self.message.as_ref().is_some_and(|(_, until)| Instant::now() > *until) {
                (self.message, changed) = (None, true);
            }
            let still = self.paused || self.ended;
            // A halted picture of a live source is told about, too.
            let trouble = self.trouble().is_some();
            changed |= std::mem::replace(&mut self.troubled, trouble) != trouble;
            let numbers = (!still || trouble) && drawn.elapsed() > NUMBERS;
            let stale = if still { drawn.elapsed() > STILL } else { surface.is_stale() };
            if changed || numbers {
                (drawn, busy) = (Instant::now(), Instant::now());
                self.draw(surface)?;
                if let Some(current) = self.current.as_ref().filter(|_| std::mem::take(&mut self.unseen)) {
                    self.ages.show(current.frame.captured, Instant::now());
                }
                self.tell_status()?;
            } else if stale {
                drawn = Instant::now();
                surface.present(&self.canvas)?;
            } else {
                self.nap(if still && busy.elapsed() > QUIET { LONG_NAP } else { NAP });
            }
        }
        Ok(())
    }

    /// Sleeps until there may be something new; a frame that comes in time ends the nap.
    fn nap(&mut self, nap: Duration) {
        let waits_for_frames = !self.show.every_frame && !self.ended && !self.paused && !self.frames_ended;
        if waits_for_frames && self.next.is_none() {
            let mut select = crossbeam_channel::Select::new();
            select.recv(&self.show.pipeline.frames);
            let _ = select.ready_timeout(nap);
        } else {
            std::thread::sleep(nap);
        }
    }

    fn tell(&mut self, message: impl Into<String>) {
        self.message = Some((message.into(), Instant::now() + MESSAGE));
    }

    /// What is the matter with a live source, while it is.
    fn trouble(&self) -> Option<String> {
        let pipeline = &self.show.pipeline;
        pipeline.health.as_ref().filter(|_| !self.ended)?.condition().sentence(&pipeline.info.name)
    }

    fn is_live(&self) -> bool {
        self.show.pipeline.info.kind.is_live()
    }

    /// Ends the threads and closes the files. What the user closes is complete where it is live or was seen to its end.
    fn close(mut self, shown: Result<(), ShowError>) -> Result<(Outcome, Carried), ShowError> {
        let told = self.close_status();
        let Self { show, seen_to_end, failure, current, writing, outcome, .. } = self;
        let (live, name) = (show.pipeline.info.kind.is_live(), show.pipeline.info.name.clone());
        let ran = show.pipeline.finish();
        let ran = failure.map_or(ran, Err);
        let empty = current.is_none() && seen_to_end && ran.is_ok();
        let ran = if empty { Err(RunError::Empty(name)) } else { ran };
        // Another recording is wanted all the same.
        let ran = match (ran, outcome) {
            (Err(error), Outcome::File(_)) => {
                log::error!("{error}");
                Ok(())
            }
            (ran, _) => ran,
        };
        let complete = shown.is_ok() && ran.is_ok() && writing && current.is_some() && (live || seen_to_end);
        let recorded = show.recorder.finish(complete);
        shown.and(recorded.map_err(ShowError::from)).and(ran.map_err(ShowError::from)).and(told)?;
        Ok((outcome, Carried { note: None, ..show.carried }))
    }
}
