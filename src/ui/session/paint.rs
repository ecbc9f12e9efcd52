//! What is on the screen.

use std::time::Instant;

use super::{ShowError, Shown, Stage, lock};
use crate::ui::surface::Surface;
use crate::view::{HudData, Timeline, draw_banner};

impl Stage {
    /// What stands in the window as long as it is so.
    fn standing_note(&self) -> Option<String> {
        match &self.failure {
            Some(failure) => Some(failure.to_string()),
            None if self.ended && self.current.is_none() => Some("no picture came".to_owned()),
            None if self.ended => Some("the end".to_owned()),
            None if self.awaiting && self.current.is_some() => Some("seeking".to_owned()),
            None => None,
        }
    }

    pub(crate) fn draw(&mut self, surface: &mut dyn Surface) -> Result<(), ShowError> {
        let (width, height) = surface.size();
        self.canvas.resize(width, height);
        let (note, trouble) = (self.standing_note(), self.trouble());
        let Some(current) = &self.current else {
            let words = note.or(trouble).unwrap_or_else(|| "waiting for the first picture".to_owned());
            let scale = self.show.carried.live.settings().overlay.scale.factor(width, height);
            self.canvas.clear(0);
            draw_banner(&mut self.canvas, &mut self.text, &words, (scale, height as f32), 1.0);
            return Ok(surface.present(&self.canvas)?);
        };
        let pipeline = &self.show.pipeline;
        let (live, settings) = (self.is_live(), self.show.carried.live.settings());
        let known = |value: f64| (value > 0.0).then_some(value);
        let (captured, detected) =
            (pipeline.stats.captured.per_second(), pipeline.stats.detected.per_second());
        let still = self.paused || self.ended;
        let (at, of) = self.show.place;
        let name = pipeline.info.name.clone();
        let hud = HudData {
            source: if of > 1 { format!("{name} ({} of {of})", at + 1) } else { name },
            size: Some(current.frame.picture.size()),
            capture_fps: known(captured),
            detection_fps: known(detected),
            display_fps: known(self.displayed.per_second()),
            inference_ms: known(pipeline.stats.inference_ms()),
            age_ms: (!still).then(|| current.frame.captured.elapsed().as_secs_f64() * 1e3),
            tracks: self.scene.as_ref().map_or(0, |scene| scene.tracks.len()),
            time: current.frame.time,
            frame: (!live).then_some((current.frame.sequence + 1, pipeline.info.frames)),
            detected: (!self.show.every_frame && captured > 0.0).then(|| (detected / captured).min(1.0)),
            speed: Some(self.show.carried.speed).filter(|speed| *speed != 1.0),
            recording: self.show.recorder.video().map(|video| video.seconds),
            confidence: Some(settings.detector.confidence),
            trail_seconds: Some(settings.trails.seconds),
            enhance_ms: current.enhanced.report.time().map(|time| time.as_secs_f64() * 1e3),
            enhanced: current
                .enhanced
                .report
                .changes()
                .map(|(step, why)| (step.name(), why.to_owned()))
                .collect(),
            skipped: self.skipped(),
            paused: self.paused,
            note: note.filter(|_| self.failure.is_none()),
        };
        let time = current.frame.time;
        self.update_timeline(time);
        let Some(current) = &self.current else { return Ok(()) };
        // What is wrong stays in sight; anything else fades.
        let failure = self.failure.as_ref().map(ToString::to_string);
        let overlay = &self.show.carried.live.settings().overlay;
        let fading = self.message.as_ref().map(|(text, until)| {
            (text.as_str(), until.saturating_duration_since(Instant::now()).as_secs_f32().min(1.0))
        });
        let shown = Shown {
            picture: self.compare.picture(current, self.show.carried.live.settings().enhance.show),
            time,
            scene: self.scene.as_ref(),
            labels: &self.show.labels,
            settings: overlay,
            hud: &hud,
            timeline: self.timeline.as_ref().map(|(_, timeline)| timeline),
            message: fading,
            alert: failure.as_deref().or(trouble.as_deref()).or(self.show.carried.live.problem()),
            dimmed: trouble.is_some(),
        };
        self.viewer.render(&mut self.canvas, &shown);
        self.draw_panel();
        surface.present(&self.canvas)?;
        Ok(())
    }

    /// Frames left out, by stage; damaged ones where there were any.
    fn skipped(&self) -> Vec<(&'static str, u64)> {
        let mut skipped = self.show.pipeline.stats.skipped();
        let damaged = self.show.pipeline.health.as_ref().map_or(0, |health| health.damaged());
        skipped.extend((damaged > 0).then_some(("damaged", damaged)));
        skipped
    }

    /// Brings the time line up to date; what is remembered is asked for only where that has changed.
    fn update_timeline(&mut self, time: f64) {
        let (Some(history), Some(duration)) = (&self.show.pipeline.history, self.show.pipeline.info.duration)
        else {
            self.timeline = None;
            return;
        };
        let history = lock(history);
        let (version, line) = self.timeline.get_or_insert_with(|| (u64::MAX, Timeline::default()));
        if *version != history.version() {
            *version = history.version();
            line.parts.clear();
            line.parts.extend(history.parts());
            line.births.clear();
            line.births.extend(history.births());
        }
        line.begin = self.begin.unwrap_or(time);
        line.end = line.begin + duration;
        (line.time, line.speed, line.repeat) = (time, self.show.carried.speed, self.show.carried.repeat);
    }
}
