//! One of several sources: from its opening to its end, with the newest picture and the tracks on it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use super::open::{Attempt, Opened, Results};
use super::{Common, WallSource};
use crate::analyse::Stages;
use crate::config::Live;
use crate::enhance::{EnhanceSettings, ShownPicture};
use crate::labels::Labels;
use crate::pipeline::{FrameJob, Mode, Pipeline, Plan, Rate, RunError, Stats, Stop};
use crate::scene::Scene;
use crate::source::Condition;
use crate::ui::age::Ages;
use crate::ui::compare::Compare;
use crate::ui::session::status::{Facts, State};
use crate::view::{Canvas, OverlaySettings, TileLine, TilePainter, TileShown};

/// New tracks of a picture that is on the screen already wait so long for the next picture to be drawn with.
const PATIENCE: Duration = Duration::from_millis(60);

/// A source in its tile.
pub(super) struct Tile {
    number: usize,
    name: String,
    from: WallSource,
    /// Where the opened source comes out, while it is being opened.
    opening: Option<Results>,
    pub(super) pipeline: Option<Pipeline>,
    labels: Arc<Labels>,
    /// The picture that is shown.
    current: Option<FrameJob>,
    scene: Option<Scene>,
    /// Frames of earlier epochs came before the source began again.
    epoch: u64,
    ended: bool,
    /// No picture comes any more.
    frames_ended: bool,
    failure: Option<RunError>,
    /// Since when there is no picture.
    since: Instant,
    displayed: Rate,
    compare: Compare,
    ages: Ages,
    /// The picture has not been on the screen yet.
    unseen: bool,
    /// There is something new to be drawn; soon, or at once.
    late: bool,
    pub(super) dirty: bool,
    drawn: Instant,
    pub(super) canvas: Canvas,
}

impl Tile {
    pub(super) fn new(number: usize, from: WallSource) -> Self {
        let now = Instant::now();
        Self {
            number,
            name: from.name.clone(),
            from,
            opening: None,
            pipeline: None,
            labels: Arc::new(Labels::coco()),
            current: None,
            scene: None,
            epoch: 0,
            ended: false,
            frames_ended: false,
            failure: None,
            since: now,
            displayed: Rate::default(),
            compare: Compare::default(),
            ages: Ages::default(),
            unseen: false,
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

    /// Takes in whatever is new; true where the source has to be opened again.
    pub(super) fn fetch(&mut self, common: &Common, frozen: bool) -> bool {
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
            job.cover(&common.live.settings().enhance);
            self.show(job);
        }
        if let Some(error) = error {
            self.fail(error);
        }
        if ended && !self.ended {
            (self.ended, self.dirty) = (true, true);
            if self.current.is_none() && self.failure.is_none() {
                self.fail(RunError::Empty(self.name.clone()));
            }
        }
        // What never gave a picture is as one that could not be opened.
        self.ended && self.from.live && self.current.is_none()
    }

    /// Gives the pipeline away, so that the source can be opened again.
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
        self.labels = Arc::new(detector.labels().clone());
        let plan = Plan {
            source: opened.source,
            reopen: opened.reopen,
            detector: detector.into(),
            settings: &common.in_force(),
            mode: Mode::Display,
            stages: Stages::default(),
            stats: Arc::new(Stats::default()),
            stop: common.stop.for_another_run(),
        };
        let pipeline = Pipeline::start_scheduled(plan, Some(&common.scheduler))?;
        pipeline.playback.set_repeat(common.repeat);
        pipeline.playback.set_paused(common.paused && !pipeline.info.kind.is_live());
        Ok(pipeline)
    }

    /// Something went wrong; of what goes wrong again and again the same is told once.
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

    /// Takes the detail out of masked areas of the picture that is shown.
    pub(super) fn cover(&mut self, settings: &EnhanceSettings) {
        if let Some(current) = &mut self.current {
            current.cover(settings);
        }
    }

    fn show(&mut self, job: FrameJob) {
        self.begin_epoch(job.epoch);
        if let Some(before) = &self.current
            && !self.unseen
        {
            self.ages.replace(before.frame.captured, Instant::now());
        }
        self.current = Some(job);
        (self.unseen, self.dirty) = (true, true);
    }

    /// Where new pictures come from, while they do.
    pub(super) fn frames(&self) -> Option<&Receiver<FrameJob>> {
        self.pipeline.as_ref().filter(|_| !self.frames_ended).map(|pipeline| &pipeline.frames)
    }

    /// Whether it ever gave a picture.
    pub(super) fn was_seen(&self) -> bool {
        self.current.is_some()
    }

    /// Nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        self.opening.is_none() && (self.ended || self.pipeline.is_none())
    }

    /// What went wrong, where nothing was ever seen.
    pub(super) fn never_seen(&mut self) -> Option<RunError> {
        if self.current.is_none() { self.failure.take() } else { None }
    }

    /// Width and height of its pictures, where they are known.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        let shown = self.current.as_ref().map(|job| job.frame.picture.size());
        shown.or_else(|| self.pipeline.as_ref().and_then(|pipeline| pipeline.info.size))
    }

    /// Whether it is to be drawn; `numbers` is how old its numbers may be.
    pub(super) fn wants_drawing(&self, numbers: Duration) -> bool {
        let age = self.drawn.elapsed();
        self.dirty || self.late && age > PATIENCE || !self.is_over() && age > numbers
    }

    /// What is the matter, in a word for the line, whether it is trouble, and in a sentence.
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
        (overlay, show): (&OverlaySettings, ShownPicture),
        (width, height): (usize, usize),
        paused: bool,
    ) {
        self.canvas.resize(width, height);
        let (condition, is_trouble, sentence) = self.trouble(paused);
        let known = |value: f64| (value > 0.0).then_some(value);
        let stats = self.pipeline.as_ref().map(|pipeline| &pipeline.stats);
        let frame = self.current.as_ref().map(|job| &job.frame);
        let still = paused || self.ended;
        let line = TileLine {
            number: self.number,
            source: self.name.clone(),
            capture_fps: stats.and_then(|stats| known(stats.captured.per_second())),
            detection_fps: stats.and_then(|stats| known(stats.detected.per_second())),
            display_fps: known(self.displayed.per_second()),
            age_ms: frame.filter(|_| !still).map(|frame| frame.captured.elapsed().as_secs_f64() * 1e3),
            tracks: self.scene.as_ref().map_or(0, |scene| scene.tracks.len()),
            condition,
            is_trouble,
        };
        let waiting = frame.is_none() && self.failure.is_none() && sentence.is_none();
        let note =
            if self.pipeline.is_some() { "waiting for the first picture" } else { "it is being opened" };
        let shown = TileShown {
            picture: self.current.as_ref().map(|job| self.compare.picture(job, show)),
            time: frame.map_or(0.0, |frame| frame.time),
            scene: self.scene.as_ref(),
            labels: &self.labels,
            settings: overlay,
            line: &line,
            note: waiting.then_some(note),
            alert: sentence.as_deref(),
            dimmed: is_trouble,
        };
        painter.paint(&mut self.canvas, &shown);
        (self.dirty, self.late, self.drawn) = (false, false, Instant::now());
    }

    /// It is on the screen.
    pub(super) fn seen(&mut self) {
        if let Some(job) = self.current.as_ref().filter(|_| std::mem::take(&mut self.unseen)) {
            self.displayed.tick();
            self.ages.show(job.frame.captured, Instant::now());
        }
    }

    /// The same for other programs.
    pub(super) fn state<'a>(&'a self, live: &'a Live, input: String, facts: (bool, bool, bool)) -> State<'a> {
        let (paused, repeat, closed) = facts;
        let of = |job: &FrameJob| (job.epoch, job.frame.sequence);
        let settled = match (&self.current, &self.scene) {
            (Some(job), Some(scene)) => of(job) == (self.epoch, scene.sequence),
            _ => false,
        };
        State::of(Facts {
            source: &self.name,
            pipeline: self.pipeline.as_ref(),
            frame: self.current.as_ref().map(|job| &job.frame),
            scene: self.scene.as_ref(),
            labels: &self.labels,
            live,
            input,
            paused,
            ended: self.ended,
            seeking: false,
            speed: 1.0,
            repeat,
            recording: None,
            settled,
            ages: &self.ages,
            displayed: &self.displayed,
            message: None,
            failure: self.failure.as_ref().map(ToString::to_string),
            closed,
        })
    }
}
