//! One source in the window: the main thread's loop. It draws the newest frame with the tracks predicted to its time (in
//! time), or each frame with its own tracks when it is due (in step), and carries out commands.
//!
//! | file | what it holds |
//! |---|---|
//! | `select_frame` | which frame and which scene are shown next |
//! | `commands` | what commands do |
//! | `settings` | settings that change meanwhile; the panel |
//! | `viewer` | the view: fit, zoom and pan, the selected track, the help; what is composed into a picture |
//! | `draw` | what is on the screen |
//! | `status` | the status file |

mod commands;
mod draw;
mod select_frame;
mod settings;
mod status;
#[cfg(test)]
mod tests;
mod viewer;

pub use viewer::{Shown, Viewer};

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::change::LiveSettings;
use super::error::UiError;
use super::event::Event;
use super::message::Message;
use super::pace::{NUMBERS, Pace, STILL};
use super::panel::Panel;
use super::shown_frame::ShownFrame;
use super::surface::Surface;
use crate::config::Live;
use crate::history::Replay;
use crate::labels::Labels;
use crate::pipeline::clock::Clock;
use crate::pipeline::recorder::Recorder;
use crate::pipeline::status::StatusFile;
use crate::pipeline::{FrameJob, Pipeline, RunError, Stop, TrackedFrame};
use crate::scene::Scene;
use crate::sync::lock;
use crate::view::{Canvas, Text, Timeline};

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

/// Where in a list of recordings one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its position in the list, from 0.
    pub at: usize,
    /// The length of the list.
    pub of: usize,
}

/// What a session begins with.
pub struct SessionSetup {
    /// The running threads.
    pub pipeline: Pipeline,
    /// The files that are written meanwhile.
    pub recorder: Recorder,
    /// Files are written from the beginning to the end: no other recording can take this one's place.
    pub to_files: bool,
    /// The names of the classes.
    pub labels: Arc<Labels>,
    /// What the session before has left.
    pub carried: Carried,
    /// Show every frame with its own tracks, instead of keeping time.
    pub every_frame: bool,
    /// Close the window at the end of the source.
    pub exit_at_end: bool,
    /// Where in the list of recordings this one is.
    pub place: Place,
    /// Where the state is written for other programs.
    pub status_file: Option<PathBuf>,
    /// When to end.
    pub stop: Stop,
}

impl SessionSetup {
    /// Runs until the window is closed, another recording is wanted, the source ends (with `exit_at_end`), or a signal comes.
    ///
    /// # Errors
    /// [`UiError`]; an error of the source or the network is shown in the window, and given back when it is closed.
    pub fn run(self, surface: &mut dyn Surface) -> Result<(Outcome, Carried), UiError> {
        let mut session = Session::new(self);
        let shown = session.run(surface);
        session.close(shown)
    }
}

/// A source in the window.
struct Session {
    pipeline: Pipeline,
    labels: Arc<Labels>,
    settings: LiveSettings,
    frame: ShownFrame,
    scenes: Scenes,
    playback: Playback,
    position: Position,
    end: End,
    recording: Recording,
    drawing: Drawing,
    /// The panel of settings, while it is open.
    panel: Option<Panel>,
    message: Message,
    status: Option<StatusFile>,
    /// The error of the source or the network.
    failure: Option<RunError>,
    /// A live source was silent or gone when its health was checked last.
    troubled: bool,
    outcome: Outcome,
    exit_at_end: bool,
    place: Place,
    stop: Stop,
}

/// The tracks that are drawn, and where they come from.
struct Scenes {
    /// The scene that is drawn on the frame.
    shown: Option<Scene>,
    /// In time: the newest scene that came from the tracker since the last jump.
    latest: Option<Scene>,
    /// The epoch and number of the frame that was tracked last.
    tracked: Option<(u64, u64)>,
    /// What the stages found out up to it, in a scene without tracks: numbers, rules, the ground, the heat map, and what is told
    /// of its tracks. The history has none of this.
    known: Scene,
    /// Scenes of the track history, with trails.
    replay: Replay,
    /// The scores of the detections in the frame that was looked at last.
    scores: Vec<f32>,
}

/// How the frames of a recording follow one another.
struct Playback {
    /// Every frame is shown with its own tracks (in step), instead of keeping time.
    every_frame: bool,
    paused: bool,
    /// A single step was asked for while paused.
    step: bool,
    /// Seconds of the recording in a second.
    speed: f64,
    /// Begin again at the end.
    repeat: bool,
    /// In step: when frames are due.
    clock: Clock,
    /// In step: the frame that is not due yet.
    next: Option<TrackedFrame>,
}

/// Where in the recording the session is, and where jumps lead.
#[derive(Default)]
struct Position {
    /// Frames of earlier epochs came before a jump.
    epoch: u64,
    /// No frame of this epoch was shown yet.
    awaiting: bool,
    /// Where the last jump was to lead, until its frame is there: further jumps go from there.
    goal: Option<f64>,
    /// The time of the recording's first frame.
    begin: Option<f64>,
    /// A jump was asked for.
    jumped: bool,
}

/// Whether the source has come to its end.
#[derive(Default)]
struct End {
    /// Nothing comes any more, neither pictures nor tracks.
    ended: bool,
    /// In time: no picture comes any more.
    frames_ended: bool,
    /// The end was reached at least once, and no frame before it was passed over.
    seen_to_end: bool,
}

/// What is written while the session runs.
struct Recording {
    recorder: Recorder,
    /// Files are written from the beginning to the end.
    to_files: bool,
    /// The recorder still takes frames.
    writing: bool,
    /// The time of the recorded video, which jumps do not turn back.
    film: Option<f64>,
    /// The frames whose tracks were written: after a jump back no frame is written twice.
    written: HashSet<u64>,
}

/// What the window's picture is drawn with.
struct Drawing {
    viewer: Viewer,
    canvas: Canvas,
    text: Text,
    /// The timeline, with the version of the track history that it shows.
    timeline: Option<(u64, Timeline)>,
}

impl Session {
    fn new(setup: SessionSetup) -> Self {
        let Carried { live, speed, repeat, note } = setup.carried;
        let mut message = Message::default();
        if let Some(note) = note {
            message.notify(note);
        }
        setup.pipeline.playback.set_speed(speed);
        setup.pipeline.playback.set_repeat(repeat);
        let settings = LiveSettings::new(live);
        let replay = Replay::new(settings.get().trails);
        Self {
            pipeline: setup.pipeline,
            labels: setup.labels,
            settings,
            frame: ShownFrame::default(),
            scenes: Scenes {
                shown: None,
                latest: None,
                tracked: None,
                known: Scene::default(),
                replay,
                scores: Vec::new(),
            },
            playback: Playback {
                every_frame: setup.every_frame,
                paused: false,
                step: false,
                speed,
                repeat,
                clock: Clock::new(),
                next: None,
            },
            position: Position { awaiting: true, ..Position::default() },
            end: End::default(),
            recording: Recording {
                recorder: setup.recorder,
                to_files: setup.to_files,
                writing: true,
                film: None,
                written: HashSet::new(),
            },
            drawing: Drawing {
                viewer: Viewer::new(),
                canvas: Canvas::new(1, 1),
                text: Text::new(),
                timeline: None,
            },
            panel: None,
            message,
            status: setup.status_file.map(StatusFile::new),
            failure: None,
            troubled: false,
            outcome: Outcome::Closed,
            exit_at_end: setup.exit_at_end,
            place: setup.place,
            stop: setup.stop,
        }
    }

    fn run(&mut self, surface: &mut dyn Surface) -> Result<(), UiError> {
        let mut pace = Pace::new(Duration::ZERO);
        // There is something new to be drawn.
        let mut undrawn = false;
        // The window has its size from the session before, and reports only changes.
        let (width, height) = surface.size();
        self.drawing.viewer.handle(Event::Resize(width, height));
        while !self.stop.is_asked() && self.recording.writing {
            let mut changed = false;
            for event in surface.events() {
                changed = true;
                if self.panel_takes(event) {
                    continue;
                }
                let command = self.drawing.viewer.handle(event);
                if command.is_some_and(|command| self.handle_command(command)) {
                    return Ok(());
                }
            }
            changed |= self.poll_changes();
            self.pipeline.keep_frames(self.recording.recorder.takes_pictures());
            changed |= if self.playback.every_frame { self.select_in_step() } else { self.select_in_time() };
            if self.failure.is_none() {
                self.failure = self.pipeline.try_error();
                changed |= self.failure.is_some();
            }
            if self.end.ended && self.exit_at_end {
                return Ok(());
            }
            while let Some(note) = self.recording.recorder.note() {
                self.notify(note);
                changed = true;
            }
            changed |= self.message.expire();
            let show = self.settings.get().enhance.show;
            changed |= self.frame.poll_enhanced(show);
            let still = self.is_still();
            // The trouble of a live source is shown over a paused picture, too.
            let trouble = self.trouble().is_some();
            changed |= std::mem::replace(&mut self.troubled, trouble) != trouble;
            let numbers = (!still || trouble) && pace.since_drawn() > NUMBERS;
            let stale = if still { pace.since_drawn() > STILL } else { surface.is_stale() };
            undrawn |= changed;
            let waits = self.failure.is_none() && self.frame.waits_for_enhanced(show);
            if undrawn && !waits || numbers {
                undrawn = false;
                pace.drawn();
                pace.busy();
                self.draw(surface)?;
                self.frame.presented();
                self.update_status()?;
            } else if stale {
                pace.drawn();
                surface.present(&self.drawing.canvas)?;
            } else {
                self.nap(pace.nap(still));
            }
        }
        Ok(())
    }

    /// Sleeps until there may be something new; a frame that comes in time ends the nap.
    fn nap(&mut self, nap: Duration) {
        let waits_for_frames = !self.playback.every_frame && !self.is_still() && !self.end.frames_ended;
        if waits_for_frames && self.playback.next.is_none() {
            let mut select = crossbeam_channel::Select::new();
            select.recv(&self.pipeline.frames);
            let _ = select.ready_timeout(nap);
        } else {
            std::thread::sleep(nap);
        }
    }

    fn notify(&mut self, message: impl Into<String>) {
        self.message.notify(message);
    }

    /// Whether no other picture is expected.
    fn is_still(&self) -> bool {
        self.playback.paused || self.end.ended
    }

    /// The fault of a live source, while there is one.
    fn trouble(&self) -> Option<String> {
        let pipeline = &self.pipeline;
        pipeline.health.as_ref().filter(|_| !self.end.ended)?.condition().sentence(&pipeline.info.name)
    }

    fn is_live(&self) -> bool {
        self.pipeline.info.kind.is_live()
    }

    /// Ends the threads and closes the files. Files are complete where the source is live or was seen to its end.
    fn close(mut self, shown: Result<(), UiError>) -> Result<(Outcome, Carried), UiError> {
        let told = self.write_status(true);
        let Self { pipeline, settings, frame, playback, end, recording, failure, outcome, .. } = self;
        let (live, name) = (pipeline.info.kind.is_live(), pipeline.info.name.clone());
        let ran = pipeline.finish();
        let ran = failure.map_or(ran, Err);
        let empty = frame.job.is_none() && end.seen_to_end && ran.is_ok();
        let ran = if empty { Err(RunError::Empty(name)) } else { ran };
        // Another recording is wanted all the same.
        let ran = match (ran, outcome) {
            (Err(error), Outcome::File(_)) => {
                log::error!("{error}");
                Ok(())
            }
            (ran, _) => ran,
        };
        let seen = frame.job.is_some() && (live || end.seen_to_end);
        let complete = shown.is_ok() && ran.is_ok() && recording.writing && seen;
        let recorded = recording.recorder.finish(complete);
        shown.and(recorded.map_err(UiError::from)).and(ran.map_err(UiError::from)).and(told)?;
        let Playback { speed, repeat, .. } = playback;
        Ok((outcome, Carried { live: settings.live, speed, repeat, note: None }))
    }
}
