//! What is on the screen.

use super::{Drawing, Place, Session, Shown, UiError, lock};
use crate::detect::InputChoice;
use crate::ui::surface::Surface;
use crate::view::{HudData, Timeline, draw_banner};

impl Session {
    /// The alert that the window shows while its reason lasts.
    fn standing_note(&self) -> Option<String> {
        match &self.failure {
            Some(failure) => Some(failure.to_string()),
            None if self.end.ended && self.frame.job.is_none() => Some("no picture came".to_owned()),
            None if self.end.ended => Some("the end".to_owned()),
            None if self.position.awaiting && self.frame.job.is_some() => Some("seeking".to_owned()),
            None => None,
        }
    }

    pub(crate) fn draw(&mut self, surface: &mut dyn Surface) -> Result<(), UiError> {
        let (width, height) = surface.size();
        self.drawing.canvas.resize(width, height);
        let (note, trouble) = (self.standing_note(), self.trouble());
        let (Some(current), Some(enhanced)) = (&self.frame.job, self.frame.enhanced()) else {
            let words = note.or(trouble).unwrap_or_else(|| "waiting for the first picture".to_owned());
            let scale = self.settings.get().overlay.scale.factor(width, height);
            self.drawing.canvas.clear(0);
            let Drawing { canvas, text, .. } = &mut self.drawing;
            draw_banner(canvas, text, &words, (scale, height as f32), 1.0);
            return Ok(surface.present(&self.drawing.canvas)?);
        };
        let (pipeline, report) = (&self.pipeline, &enhanced.report);
        let (live, settings) = (self.is_live(), self.settings.get());
        let known = |value: f64| (value > 0.0).then_some(value);
        let (captured, detected) =
            (pipeline.stats.captured.per_second(), pipeline.stats.detected.per_second());
        let still = self.is_still();
        let Place { at, of } = self.place;
        let name = pipeline.info.name.clone();
        let hud = HudData {
            source: if of > 1 { format!("{name} ({} of {of})", at + 1) } else { name },
            size: Some(current.frame.picture.size()),
            capture_fps: known(captured),
            detection_fps: known(detected),
            resting: pipeline.stats.is_resting(),
            display_fps: known(self.frame.displayed.per_second()),
            input: pipeline.input().map(|(width, height)| {
                let auto = if settings.detector.input == InputChoice::Auto { " auto:" } else { "" };
                let budget = pipeline.budget().map(|budget| format!("{auto} {budget}")).unwrap_or_default();
                format!("{width} × {height}{budget}")
            }),
            inference_ms: known(pipeline.stats.inference_ms()),
            age_ms: (!still).then(|| current.frame.captured.elapsed().as_secs_f64() * 1e3),
            tracks: self.scenes.shown.as_ref().map_or(0, |scene| scene.tracks.len()),
            time: current.frame.time,
            frame: (!live).then_some((current.frame.sequence + 1, pipeline.info.frames)),
            detected: (!self.playback.every_frame && captured > 0.0).then(|| (detected / captured).min(1.0)),
            speed: Some(self.playback.speed).filter(|speed| *speed != 1.0),
            recording: self.recording.recorder.video().map(|video| video.seconds),
            confidence: Some(settings.detector.confidence),
            trail_seconds: Some(settings.trails.seconds),
            enhance_ms: report.time().map(|time| time.as_secs_f64() * 1e3),
            enhanced: report.changes().map(|(step, why)| (step.name(), why.to_owned())).collect(),
            skipped: self.skipped(),
            paused: self.playback.paused,
            note: note.filter(|_| self.failure.is_none()),
        };
        let time = current.frame.time;
        self.update_timeline(time);
        // Alerts stay; messages fade.
        let failure = self.failure.as_ref().map(ToString::to_string);
        let settings = self.settings.get();
        let Some(picture) = self.frame.picture(settings.enhance.show) else { return Ok(()) };
        let Drawing { viewer, canvas, timeline, .. } = &mut self.drawing;
        let shown = Shown {
            picture,
            time,
            scene: self.scenes.shown.as_ref(),
            labels: &self.labels,
            settings: &settings.overlay,
            hud: &hud,
            timeline: timeline.as_ref().map(|(_, timeline)| timeline),
            message: self.message.fading(),
            alert: failure.as_deref().or(trouble.as_deref()).or(self.settings.live.problem()),
            dimmed: trouble.is_some(),
        };
        viewer.render(canvas, &shown);
        self.draw_panel();
        surface.present(&self.drawing.canvas)?;
        Ok(())
    }

    /// Frames left out, by stage; and damaged pictures, if there were any.
    fn skipped(&self) -> Vec<(&'static str, u64)> {
        let mut skipped = self.pipeline.stats.skipped();
        let damaged = self.pipeline.health.as_ref().map_or(0, |health| health.damaged());
        skipped.extend((damaged > 0).then_some(("damaged", damaged)));
        skipped
    }

    /// Updates the time line; the history is read only if it has changed.
    fn update_timeline(&mut self, time: f64) {
        let (Some(history), Some(duration)) = (&self.pipeline.history, self.pipeline.duration()) else {
            self.drawing.timeline = None;
            return;
        };
        let history = lock(history);
        let (version, line) = self.drawing.timeline.get_or_insert_with(|| (u64::MAX, Timeline::default()));
        if *version != history.version() {
            *version = history.version();
            line.parts.clear();
            line.parts.extend(history.parts());
            line.births.clear();
            line.births.extend(history.births());
        }
        line.begin = self.position.begin.unwrap_or(time);
        line.end = line.begin + duration;
        (line.time, line.speed, line.repeat) = (time, self.playback.speed, self.playback.repeat);
    }
}
