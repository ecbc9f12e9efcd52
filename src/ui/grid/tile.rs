//! One of several sources: from its opening to its end, with the newest picture and the tracks on it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use super::open::{Attempt, Opened, Results};
use super::{Common, GridSource};
use crate::analyse::Stages;
use crate::config::{Live, Settings};
use crate::enhance::ShownPicture;
use crate::labels::Labels;
use crate::pipeline::{FrameJob, Mode, Note, Pipeline, Plan, RunError, Stats, Stop};
use crate::scene::Scene;
use crate::source::Condition;
use crate::ui::shown_frame::ShownFrame;
use crate::ui::status::{Facts, State};
use crate::view::{Canvas, TileLine, TilePainter, TileShown};

/// New tracks of the picture on the screen wait this long, to be drawn together with the next picture.
const PATIENCE: Duration = Duration::from_millis(60);

/// A source in its tile.
pub(super) struct Tile {
    number: usize,
    name: String,
    from: GridSource,
    /// Where the opened source comes out, while it is being opened.
    opening: Option<Results>,
    pub(super) pipeline: Option<Pipeline>,
    labels: Arc<Labels>,
    frame: ShownFrame,
    scene: Option<Scene>,
    /// Frames of earlier epochs came before the source began again.
    epoch: u64,
    ended: bool,
    /// No picture comes any more.
    frames_ended: bool,
    failure: Option<RunError>,
    /// Since when there is no picture.
    since: Instant,
    /// There is something new to be drawn; soon, or at once.
    late: bool,
    pub(super) dirty: bool,
    drawn: Instant,
    pub(super) canvas: Canvas,
}

impl Tile {
    pub(super) fn new(number: usize, from: GridSource) -> Self {
        let now = Instant::now();
        Self {
            number,
            name: from.name.clone(),
            from,
            opening: None,
            pipeline: None,
            labels: Arc::new(Labels::coco()),
            frame: ShownFrame::default(),
            scene: None,
            epoch: 0,
            ended: false,
            frames_ended: false,
            failure: None,
            since: now,
            late: false,
            dirty: true,
            drawn: now,
            canvas: Canvas::default(),
        }
    }

    /// Begins to open the source; `before` ran until now. Gives the thread that does it.
    pub(super) fn open(&mut self, before: Option<Pipeline>, stop: &Stop) -> Option<JoinHandle<()>> {
        let attempt = Attempt {
            open: Arc::clone(&self.from.open),
            again: self.from.live,
            give_up: self.from.give_up,
            before,
            stop: stop.clone(),
        };
        match attempt.begin(&self.name) {
            Ok((results, thread)) => {
                self.opening = Some(results);
                Some(thread)
            }
            Err(error) => {
                self.fail(error.into());
                None
            }
        }
    }

    /// Takes in new frames, tracks and errors; true if the source has to be reopened.
    pub(super) fn select_frame(&mut self, common: &Common, frozen: bool) -> bool {
        self.look_at_opening(common);
        let Some(pipeline) = &self.pipeline else { return false };
        let frozen = frozen && pipeline.info.kind.is_live();
        let (mut frame, mut scenes) = (None, Vec::new());
        let tracks_ended = loop {
            match pipeline.tracked.try_recv() {
                Ok(tracked) => scenes.push((tracked.job.epoch, tracked.scene)),
                Err(error) => break error == TryRecvError::Disconnected,
            }
        };
        self.frames_ended = match pipeline.frames.try_recv() {
            Ok(job) => {
                frame = Some(job);
                false
            }
            Err(error) => error == TryRecvError::Disconnected,
        };
        // The last tracks come after the last picture.
        let ended = tracks_ended && self.frames_ended;
        let error = pipeline.try_error();
        for (epoch, scene) in scenes {
            if !frozen && epoch >= self.epoch {
                self.begin_epoch(epoch);
                self.scene = Some(scene);
                self.late = true;
            }
        }
        if let Some(mut job) = frame.filter(|_| !frozen) {
            job.cover(&common.settings.get().enhance);
            self.show(job);
        }
        self.dirty |= self.frame.poll_enhanced(common.settings.get().enhance.show);
        if let Some(error) = error {
            self.fail(error);
        }
        if ended && !self.ended {
            (self.ended, self.dirty) = (true, true);
            if self.frame.job.is_none() && self.failure.is_none() {
                self.fail(RunError::Empty(self.name.clone()));
            }
        }
        // A source that never gave a picture counts as one that could not be opened.
        self.ended && self.from.live && self.frame.job.is_none()
    }

    /// Returns the pipeline, so that the source can be reopened.
    pub(super) fn take_pipeline(&mut self) -> Option<Pipeline> {
        (self.ended, self.frames_ended) = (false, false);
        self.pipeline.take()
    }

    fn look_at_opening(&mut self, common: &Common) {
        let Some(opening) = &self.opening else { return };
        match opening.try_recv() {
            Ok(Ok(opened)) => {
                self.opening = None;
                match self.start(opened, common) {
                    Ok(pipeline) => {
                        self.name.clone_from(&pipeline.info.name);
                        self.pipeline = Some(pipeline);
                        (self.failure, self.dirty) = (None, true);
                    }
                    Err(error) => self.fail(error),
                }
            }
            Ok(Err(error)) => self.fail(error.into()),
            // It is not tried any more.
            Err(TryRecvError::Disconnected) => (self.opening, self.dirty) = (None, true),
            Err(TryRecvError::Empty) => {}
        }
    }

    fn start(&mut self, opened: Opened, common: &Common) -> Result<Pipeline, RunError> {
        if let Some(note) = &opened.note {
            log::warn!("{note}");
        }
        let detector = common.detector.fork()?;
        let settings = common.settings.get();
        let begun = Settings { detector: common.loaded.clone(), ..settings.clone() };
        self.labels = Arc::new(detector.labels().cloned().unwrap_or_default());
        let plan = Plan {
            source: opened.source,
            reopen: opened.reopen,
            detector,
            settings: &begun,
            mode: Mode::Display,
            stages: Stages::default(),
            number: self.number,
            stats: Arc::new(Stats::default()),
            stop: common.stop.for_another_run(),
        };
        let pipeline = Pipeline::start_scheduled(plan, Some(&common.scheduler))?;
        // Another network may have been asked for since the first was loaded.
        pipeline.set_settings(settings);
        pipeline.playback.set_repeat(common.repeat);
        pipeline.playback.set_paused(common.paused && !pipeline.info.kind.is_live());
        Ok(pipeline)
    }

    /// Reports an error; the same error in a row is reported once.
    fn fail(&mut self, error: RunError) {
        let told = self.failure.as_ref().map(ToString::to_string);
        if told.is_none_or(|told| told != error.to_string()) {
            log::error!("{error}");
        }
        (self.failure, self.dirty) = (Some(error), true);
    }

    fn begin_epoch(&mut self, epoch: u64) {
        if epoch > self.epoch {
            (self.epoch, self.scene) = (epoch, None);
        }
    }

    /// Hands changed settings to the threads of the source.
    pub(super) fn adjust(&mut self, settings: &Settings) {
        self.frame.cover(&settings.enhance);
        if let Some(pipeline) = &self.pipeline {
            pipeline.set_settings(settings);
        }
    }

    /// The result of a change that needs another network.
    pub(super) fn take_note(&mut self, settings: &Settings) -> Option<Note> {
        let pipeline = self.pipeline.as_ref()?;
        let note = pipeline.note()?;
        if let Note::Swapped(_) = note {
            self.labels = pipeline.labels();
            // Lines, zones and rules know classes by their numbers.
            pipeline.set_places(settings);
        }
        Some(note)
    }

    fn show(&mut self, job: FrameJob) {
        self.begin_epoch(job.epoch);
        self.frame.replace(job);
        self.dirty = true;
    }

    /// Where new pictures come from, while they do.
    pub(super) fn frames(&self) -> Option<&Receiver<FrameJob>> {
        self.pipeline.as_ref().filter(|_| !self.frames_ended).map(|pipeline| &pipeline.frames)
    }

    /// Whether it ever gave a picture.
    pub(super) fn was_seen(&self) -> bool {
        self.frame.job.is_some()
    }

    /// Whether nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        self.opening.is_none() && (self.ended || self.pipeline.is_none())
    }

    /// The error, if the source never gave a picture.
    pub(super) fn never_seen(&mut self) -> Option<RunError> {
        if self.frame.job.is_none() { self.failure.take() } else { None }
    }

    /// Width and height of its pictures, where they are known.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        let shown = self.frame.frame().map(|frame| frame.picture.size());
        shown.or_else(|| self.pipeline.as_ref().and_then(|pipeline| pipeline.info.size))
    }

    /// Whether the tile needs drawing; `numbers` is how old its numbers may be, `show` which picture is shown.
    pub(super) fn wants_drawing(&self, numbers: Duration, show: ShownPicture) -> bool {
        let age = self.drawn.elapsed();
        let waits = self.failure.is_none() && self.frame.waits_for_enhanced(show);
        self.dirty && !waits || self.late && age > PATIENCE || !self.is_over() && age > numbers
    }

    /// The condition in a word for the line, whether it is a fault, and the condition in a sentence.
    fn trouble(&self, paused: bool) -> (Option<String>, bool, Option<String>) {
        let seconds = |silent: Duration| format!("{} s", silent.as_secs());
        if let Some(failure) = &self.failure {
            let word = match &self.opening {
                Some(_) => format!("not there for {}", seconds(self.since.elapsed())),
                None => "failed".to_owned(),
            };
            return (Some(word), true, Some(failure.to_string()));
        }
        if self.ended {
            return (Some("the end".to_owned()), false, None);
        }
        let health = self.pipeline.as_ref().and_then(|pipeline| pipeline.health.as_ref());
        let condition = health.map(crate::source::Health::condition);
        let sentence = condition.as_ref().and_then(|condition| condition.sentence(&self.name));
        match condition {
            Some(Condition::Stalled(silent)) => {
                (Some(format!("silent for {}", seconds(silent))), true, sentence)
            }
            Some(Condition::Gone { silent, .. }) => {
                (Some(format!("gone for {}", seconds(silent))), true, sentence)
            }
            Some(Condition::Good) | None => (paused.then(|| "paused".to_owned()), false, None),
        }
    }

    /// Paints the tile at this size.
    pub(super) fn draw(
        &mut self,
        painter: &mut TilePainter,
        settings: &Settings,
        (width, height): (usize, usize),
        paused: bool,
    ) {
        self.canvas.resize(width, height);
        let (condition, is_trouble, sentence) = self.trouble(paused);
        let known = |value: f64| (value > 0.0).then_some(value);
        let stats = self.pipeline.as_ref().map(|pipeline| &pipeline.stats);
        let frame = self.frame.frame().cloned();
        let still = paused || self.ended;
        let line = TileLine {
            number: self.number,
            source: self.name.clone(),
            capture_fps: stats.and_then(|stats| known(stats.captured.per_second())),
            detection_fps: stats.and_then(|stats| known(stats.detected.per_second())),
            display_fps: known(self.frame.displayed.per_second()),
            age_ms: frame
                .as_ref()
                .filter(|_| !still)
                .map(|frame| frame.captured.elapsed().as_secs_f64() * 1e3),
            tracks: self.scene.as_ref().map_or(0, |scene| scene.tracks.len()),
            condition,
            is_trouble,
        };
        let waiting = frame.is_none() && self.failure.is_none() && sentence.is_none();
        let note =
            if self.pipeline.is_some() { "waiting for the first picture" } else { "it is being opened" };
        let shown = TileShown {
            picture: self.frame.picture(settings.enhance.show),
            time: frame.as_ref().map_or(0.0, |frame| frame.time),
            scene: self.scene.as_ref(),
            labels: &self.labels,
            settings: &settings.overlay,
            line: &line,
            note: waiting.then_some(note),
            alert: sentence.as_deref(),
            dimmed: is_trouble,
        };
        painter.paint(&mut self.canvas, &shown);
        (self.dirty, self.late, self.drawn) = (false, false, Instant::now());
    }

    /// The tile was presented.
    pub(super) fn presented(&mut self) {
        self.frame.presented();
    }

    /// The state of the source for the status file.
    pub(super) fn state<'a>(&'a self, run: &RunFacts<'a>) -> State<'a> {
        let of = |job: &FrameJob| (job.epoch, job.frame.sequence);
        let settled = match (&self.frame.job, &self.scene) {
            (Some(job), Some(scene)) => of(job) == (self.epoch, scene.sequence),
            _ => false,
        };
        State::of(Facts {
            source: &self.name,
            pipeline: self.pipeline.as_ref(),
            frame: &self.frame,
            scene: self.scene.as_ref(),
            labels: &self.labels,
            live: run.live,
            paused: run.paused,
            ended: self.ended,
            seeking: false,
            speed: 1.0,
            repeat: run.repeat,
            recording: None,
            settled,
            message: None,
            failure: self.failure.as_ref(),
            closed: run.closed,
        })
    }
}

/// What the status file says of the whole run.
pub(super) struct RunFacts<'a> {
    pub(super) live: &'a Live,
    pub(super) paused: bool,
    pub(super) repeat: bool,
    /// The window was closed.
    pub(super) closed: bool,
}
