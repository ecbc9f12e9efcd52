//! A run in a window: the main thread's loop. Draws the newest frame with the tracks predicted to its time (in time),
//! or each frame with its own tracks when its time has come (in step).

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use super::recorder::Recorder;
use super::{Followed, Pipeline, Rate, RunError, Shot, Stop};
use crate::config::Settings;
use crate::labels::Labels;
use crate::record::{RecordError, write_snapshot};
use crate::scene::Scene;
use crate::view::{Canvas, Command, HudData, Shown, Text, Viewer, Window, WindowError, draw_banner};

/// How long the loop sleeps when there is nothing new.
const NAP: Duration = Duration::from_millis(8);
/// How often the numbers are drawn anew when nothing else is.
const NUMBERS: Duration = Duration::from_millis(500);
/// How long a message stays.
const MESSAGE: Duration = Duration::from_secs(3);
/// A step of the confidence, and of the trails' length in seconds.
const CONFIDENCE_STEP: f32 = 0.05;
const TRAIL_STEP: f64 = 0.5;

/// Why a window run failed.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// Source or network.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Writing.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The window.
    #[error(transparent)]
    Window(#[from] WindowError),
}

/// What a window run is made of.
pub struct Show {
    /// The threads.
    pub pipeline: Pipeline,
    /// What is written beside.
    pub recorder: Option<Recorder>,
    /// The names of the classes.
    pub labels: Arc<Labels>,
    /// The settings in force; keys change them.
    pub settings: Settings,
    /// Every frame with its own tracks, instead of keeping time.
    pub every_frame: bool,
    /// Close the window at the end of the source.
    pub exit_at_end: bool,
    /// Something to tell at the beginning.
    pub note: Option<String>,
    /// When to end.
    pub stop: Stop,
}

impl Show {
    /// Runs until the window is closed, the source ends (with `exit_at_end`), or a signal comes.
    ///
    /// # Errors
    /// [`ShowError`]; an error of the source or the network is told in the window, and given back when it is closed.
    pub fn run(self, window: &mut Window) -> Result<(), ShowError> {
        let mut stage = Stage::new(self);
        let shown = stage.run(window);
        stage.close(shown)
    }
}

/// Where a run in a window stands.
struct Stage {
    show: Show,
    viewer: Viewer,
    canvas: Canvas,
    text: Text,
    current: Option<Shot>,
    scene: Option<Scene>,
    /// In step: the frame whose time has not come yet.
    next: Option<Followed>,
    /// In step: the pass and the clock time of its source time 0.
    clock: Option<(u64, Instant)>,
    paused: bool,
    /// A single step was asked for while paused.
    step: bool,
    /// Nothing comes any more, neither pictures nor tracks.
    ended: bool,
    /// What went wrong in the threads.
    failure: Option<RunError>,
    writing: bool,
    displayed: Rate,
    message: Option<(String, Instant)>,
}

impl Stage {
    fn new(show: Show) -> Self {
        let message = show.note.clone().map(|note| (note, Instant::now() + MESSAGE));
        Self {
            show,
            viewer: Viewer::new(),
            canvas: Canvas::new(1, 1),
            text: Text::new(),
            current: None,
            scene: None,
            next: None,
            clock: None,
            paused: false,
            step: false,
            ended: false,
            failure: None,
            writing: true,
            displayed: Rate::default(),
            message,
        }
    }

    fn run(&mut self, window: &mut Window) -> Result<(), ShowError> {
        let mut drawn = Instant::now();
        while !self.show.stop.is_asked() && self.writing {
            let mut changed = false;
            for event in window.poll() {
                changed = true;
                if self.viewer.handle(event).is_some_and(|command| self.obey(command)) {
                    return Ok(());
                }
            }
            changed |= if self.show.every_frame { self.fetch_in_step() } else { self.fetch_in_time() };
            if self.failure.is_none() {
                self.failure = self.show.pipeline.try_error();
                changed |= self.failure.is_some();
            }
            if self.ended && self.show.exit_at_end {
                return Ok(());
            }
            if self.message.as_ref().is_some_and(|(_, until)| Instant::now() > *until) {
                (self.message, changed) = (None, true);
            }
            let numbers = !self.paused && !self.ended && drawn.elapsed() > NUMBERS;
            if changed || numbers || window.is_stale() {
                drawn = Instant::now();
                self.draw(window)?;
            } else {
                self.nap();
            }
        }
        Ok(())
    }

    /// Sleeps until there may be something new; a frame that comes in time ends the nap.
    fn nap(&mut self) {
        let waits_for_frames = !self.show.every_frame && !self.ended && !self.paused;
        if waits_for_frames && self.next.is_none() {
            let mut select = crossbeam_channel::Select::new();
            select.recv(&self.show.pipeline.frames);
            let _ = select.ready_timeout(NAP);
        } else {
            std::thread::sleep(NAP);
        }
    }

    /// Does what a key asks for; true: quit.
    fn obey(&mut self, command: Command) -> bool {
        let recording = !self.show.pipeline.info.kind.is_live();
        match command {
            Command::Quit => return true,
            Command::Pause => self.set_paused(!self.paused),
            Command::Step => {
                self.set_paused(true);
                self.step = true;
                if recording && !self.show.every_frame {
                    self.show.pipeline.transport.step();
                }
            }
            Command::Snapshot => self.snapshot(),
            Command::Confidence(steps) => {
                let settings = &mut self.show.settings;
                let confidence = settings.detector.confidence + steps as f32 * CONFIDENCE_STEP;
                let least = settings.tracker.low_score.max(CONFIDENCE_STEP);
                settings.detector.confidence = confidence.clamp(least.min(0.95), 0.95);
                let confidence = settings.detector.confidence;
                self.adjust();
                self.tell(format!("confidence {confidence:.2}"));
            }
            Command::TrailLength(steps) => {
                let seconds = &mut self.show.settings.trails.seconds;
                *seconds = (*seconds + f64::from(steps) * TRAIL_STEP).clamp(0.0, 60.0);
                let seconds = *seconds;
                self.adjust();
                self.tell(format!("trails {seconds:.1} s"));
            }
        }
        false
    }

    /// Hands the settings that keys have changed to the stages.
    fn adjust(&self) {
        self.show.pipeline.adjust(&self.show.settings);
    }

    fn set_paused(&mut self, paused: bool) {
        if paused != self.paused {
            self.paused = paused;
            self.clock = None;
            self.show.pipeline.transport.set_paused(paused);
        }
    }

    fn tell(&mut self, message: String) {
        self.message = Some((message, Instant::now() + MESSAGE));
    }

    fn snapshot(&mut self) {
        let saved = write_snapshot(&self.canvas, Path::new("."));
        self.tell(match saved {
            Ok(path) => format!("saved {}", path.display()),
            Err(error) => error.to_string(),
        });
    }

    /// In time: the newest frame at once, the newest scene when it comes. True when there is something new to see.
    fn fetch_in_time(&mut self) -> bool {
        let frozen = self.paused && self.show.pipeline.info.kind.is_live() && !self.step;
        let mut changed = false;
        let tracks_ended = loop {
            match self.show.pipeline.followed.try_recv() {
                Ok(followed) => {
                    let size = followed.shot.frame.picture.size();
                    self.write(|recorder| recorder.tracks(&followed.scene, size));
                    if !frozen {
                        self.scene = Some(followed.scene);
                        changed = true;
                    }
                }
                Err(error) => break error == TryRecvError::Disconnected,
            }
        };
        match self.show.pipeline.frames.try_recv() {
            Ok(shot) => {
                if self.current.as_ref().is_some_and(|current| current.pass != shot.pass) {
                    self.scene = None;
                }
                let scene = self.scene.clone().unwrap_or_default();
                self.write(|recorder| recorder.picture(&shot.frame, &scene));
                if !frozen {
                    self.current = Some(shot);
                    self.displayed.tick();
                    (self.step, changed) = (false, true);
                }
            }
            // The last tracks come after the last picture.
            Err(TryRecvError::Disconnected) if tracks_ended => changed |= self.set_ended(),
            Err(_) => {}
        }
        changed
    }

    /// In step: the next frame with its own scene, when its time has come.
    fn fetch_in_step(&mut self) -> bool {
        if self.next.is_none() {
            match self.show.pipeline.followed.try_recv() {
                Ok(followed) => self.next = Some(followed),
                Err(TryRecvError::Disconnected) => return self.set_ended(),
                Err(TryRecvError::Empty) => return false,
            }
        }
        let Some(next) = &self.next else { return false };
        let (pass, time) = (next.shot.pass, next.shot.frame.time);
        let live = self.show.pipeline.info.kind.is_live();
        let due = live || self.is_due(pass, time);
        if !(std::mem::take(&mut self.step) || !self.paused && due) {
            return false;
        }
        let Some(Followed { mut shot, scene, .. }) = self.next.take() else { return false };
        if !live {
            // The age of a frame of a recording counts from when it was due, not from when it was decoded.
            shot.frame.captured = Instant::now();
        }
        self.write(|recorder| {
            recorder.tracks(&scene, shot.frame.picture.size()) && recorder.picture(&shot.frame, &scene)
        });
        (self.current, self.scene) = (Some(shot), Some(scene));
        self.displayed.tick();
        true
    }

    /// Whether a frame's time has come. Whoever is late is not hurried afterwards: the clock goes by the frame.
    fn is_due(&mut self, pass: u64, time: f64) -> bool {
        let now = Instant::now();
        let offset = Duration::try_from_secs_f64(time.max(0.0)).unwrap_or_default();
        let zero = match self.clock {
            Some((clock_pass, zero)) if clock_pass == pass => zero,
            _ => now.checked_sub(offset).unwrap_or(now),
        };
        let late = now.checked_duration_since(zero + offset);
        let behind = late.is_some_and(|late| late > Duration::from_millis(100));
        self.clock = Some((pass, if behind { now.checked_sub(offset).unwrap_or(now) } else { zero }));
        late.is_some()
    }

    fn set_ended(&mut self) -> bool {
        let first = !self.ended;
        self.ended = true;
        first
    }

    fn write(&mut self, write: impl FnOnce(&Recorder) -> bool) {
        if let Some(recorder) = &self.show.recorder {
            self.writing &= write(recorder);
        }
    }

    /// What stands in the window as long as it is so.
    fn standing_note(&self) -> Option<String> {
        match &self.failure {
            Some(failure) => Some(failure.to_string()),
            None if self.ended && self.current.is_none() => Some("no picture came".to_owned()),
            None if self.ended => Some("the end".to_owned()),
            None => None,
        }
    }

    fn draw(&mut self, window: &mut Window) -> Result<(), ShowError> {
        let (width, height) = window.size();
        self.canvas.resize(width, height);
        let note = self.standing_note();
        let Some(current) = &self.current else {
            let words = note.unwrap_or_else(|| "waiting for the first picture".to_owned());
            let scale = self.show.settings.overlay.scale.factor(width, height);
            self.canvas.clear(0);
            draw_banner(&mut self.canvas, &mut self.text, &words, scale, 1.0);
            return Ok(window.present(&self.canvas)?);
        };
        let pipeline = &self.show.pipeline;
        let known = |value: f64| (value > 0.0).then_some(value);
        let hud = HudData {
            source: pipeline.info.name.clone(),
            size: Some(current.frame.picture.size()),
            capture_fps: known(pipeline.stats.captured.per_second()),
            detection_fps: known(pipeline.stats.detected.per_second()),
            display_fps: known(self.displayed.per_second()),
            inference_ms: known(pipeline.stats.inference_ms()),
            age_ms: (!self.paused && !self.ended)
                .then(|| current.frame.captured.elapsed().as_secs_f64() * 1e3),
            tracks: self.scene.as_ref().map_or(0, |scene| scene.tracks.len()),
            time: current.frame.time,
            confidence: Some(self.show.settings.detector.confidence),
            trail_seconds: Some(self.show.settings.trails.seconds),
            skipped: pipeline.stats.skipped(),
            paused: self.paused,
            note: note.filter(|_| self.failure.is_none()),
        };
        // A failure stays in sight; anything else fades.
        let failure = self.failure.as_ref().map(ToString::to_string);
        let fading = self.message.as_ref().map(|(text, until)| {
            (text.as_str(), until.saturating_duration_since(Instant::now()).as_secs_f32().min(1.0))
        });
        let message = fading.or_else(|| failure.as_deref().map(|failure| (failure, 1.0)));
        let shown = Shown {
            picture: &current.frame.picture,
            time: current.frame.time,
            scene: self.scene.as_ref(),
            labels: &self.show.labels,
            settings: &self.show.settings.overlay,
            hud: &hud,
            message,
        };
        self.viewer.render(&mut self.canvas, &shown);
        window.present(&self.canvas)?;
        Ok(())
    }

    /// Ends the threads and closes the files. What the user closes is complete where it is live or has ended.
    fn close(self, shown: Result<(), ShowError>) -> Result<(), ShowError> {
        let Self { show, ended, failure, current, writing, .. } = self;
        let (live, name) = (show.pipeline.info.kind.is_live(), show.pipeline.info.name.clone());
        let ran = show.pipeline.finish();
        let ran = failure.map_or(ran, Err);
        let empty = current.is_none() && ended && ran.is_ok();
        let ran = if empty { Err(RunError::Empty(name)) } else { ran };
        let complete = shown.is_ok() && ran.is_ok() && writing && current.is_some() && (live || ended);
        let recorded = show.recorder.map_or(Ok(()), |recorder| recorder.finish(complete));
        shown.and(recorded.map_err(ShowError::from)).and(ran.map_err(ShowError::from))
    }
}
