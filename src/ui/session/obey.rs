//! What commands do.

use std::path::Path;
use std::time::Instant;

use super::{Outcome, Stage};
use crate::config::adjust;
use crate::pipeline::Target;
use crate::pipeline::playback::SPEEDS;
use crate::sink::write_snapshot;
use crate::ui::command::Command;
use crate::view::times;

/// How many of the panel's steps the keys for the confidence take at once.
pub(crate) const CONFIDENCE_STEPS: i32 = 5;

impl Stage {
    /// Does what a key or the mouse asks for; true: this run is over.
    pub(crate) fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Quit => return true,
            // The viewer has done it.
            Command::Escape | Command::Help | Command::Fit | Command::Digit(_) => {}
            Command::Pause => self.set_paused(!self.paused),
            Command::Step => {
                self.set_paused(true);
                self.step = true;
                if !self.is_live() && !self.show.every_frame {
                    self.show.pipeline.playback.step();
                }
            }
            Command::StepBack => {
                if let Some(time) = self.place() {
                    self.set_paused(true);
                    // Pressed again before the picture is there, it goes one more frame back.
                    self.jump(Target::Before(time), time - 0.6 * self.show.pipeline.info.frame_step());
                }
            }
            Command::Skip(seconds) => {
                if let Some(time) = self.place() {
                    self.jump(Target::At(time + seconds), time + seconds);
                }
            }
            Command::Seek(share) => self.seek(share),
            Command::Speed(steps) => self.change_speed(steps),
            Command::Repeat if self.is_live() => self.tell("live: it has no end"),
            Command::Repeat => {
                let repeat = !self.show.carried.repeat;
                self.show.carried.repeat = repeat;
                self.show.pipeline.playback.set_repeat(repeat);
                self.tell(if repeat { "begins again at the end" } else { "stops at the end" });
            }
            Command::File(steps) => return self.change_file(steps),
            Command::Record => {
                let recorder = &self.show.recorder;
                if recorder.is_filming() { recorder.end_video() } else { recorder.begin_video(None) }
            }
            Command::Panel => self.switch_panel(),
            Command::Snapshot => self.snapshot(),
            Command::Compare => {
                let show = self.show.carried.live.settings().enhance.show.next();
                self.change(|live| live.set("enhance.show", &show.word().into()));
                self.tell(show.sentence());
            }
            Command::Switch(layer) => self.switch(layer.key()),
            Command::Confidence(steps) => {
                if self.change(|live| adjust::nudge(live, "detector.confidence", steps * CONFIDENCE_STEPS)) {
                    self.tell(format!(
                        "confidence {:.2}",
                        self.show.carried.live.settings().detector.confidence
                    ));
                }
            }
            Command::TrailLength(steps) => {
                if self.change(|live| adjust::nudge(live, "trails.seconds", steps)) {
                    self.tell(format!("trails {:.1} s", self.show.carried.live.settings().trails.seconds));
                }
            }
        }
        false
    }

    pub(crate) fn set_paused(&mut self, paused: bool) {
        if paused != self.paused {
            self.paused = paused;
            self.clock.stop();
            self.show.pipeline.playback.set_paused(paused);
        }
    }

    /// Where jumps go from: the time of the frame shown, or of the one that is on its way. Says so where there is no going
    /// about.
    fn place(&mut self) -> Option<f64> {
        if self.is_live() {
            self.tell("live: there is no going back and forth");
            return None;
        }
        if self.show.pipeline.history.is_none() {
            self.tell("with --exit-at-end there is no going back and forth");
            return None;
        }
        self.goal.or(self.current.as_ref().map(|current| current.frame.time))
    }

    fn jump(&mut self, target: Target, goal: f64) {
        let begin = self.begin.unwrap_or(0.0);
        let end = self.show.pipeline.info.duration.map_or(f64::INFINITY, |duration| begin + duration);
        let end = end.max(self.current.as_ref().map_or(end, |current| current.frame.time));
        self.jumped = true;
        self.goal = Some(goal.clamp(begin, end.max(begin)));
        let epoch = self.show.pipeline.playback.seek(target);
        self.expect(epoch);
    }

    /// To a share of the recording, where its length is known.
    fn seek(&mut self, share: f64) {
        if self.place().is_none() {
            return;
        }
        let begin = self.begin.unwrap_or(0.0);
        match (share, self.show.pipeline.info.duration) {
            (0.0, _) => self.jump(Target::At(f64::NEG_INFINITY), begin),
            (1.0, duration) => self.jump(Target::Last, begin + duration.unwrap_or(0.0)),
            (share, Some(duration)) => {
                let time = begin + share * duration;
                self.jump(Target::At(time), time);
            }
            (_, None) => self.tell("its length is not known; the arrows go about in it"),
        }
    }

    fn change_speed(&mut self, steps: i32) {
        if self.is_live() {
            self.tell("live: it is as fast as it is");
            return;
        }
        let speed = self.show.carried.speed;
        let at = SPEEDS.iter().position(|s| *s >= speed).unwrap_or(SPEEDS.len() - 1);
        let to = at.saturating_add_signed(steps as isize).min(SPEEDS.len() - 1);
        self.show.carried.speed = SPEEDS[to];
        self.show.pipeline.playback.set_speed(SPEEDS[to]);
        self.clock.set_speed(SPEEDS[to], Instant::now());
        self.tell(format!("speed {}", times(SPEEDS[to])));
    }

    /// True where this run is over.
    fn change_file(&mut self, steps: i32) -> bool {
        let (at, of) = self.show.place;
        let to = at.checked_add_signed(steps as isize).filter(|to| *to < of);
        if to.is_none() {
            self.tell(if of < 2 {
                "there is no other recording here"
            } else if steps > 0 {
                "this is the last recording"
            } else {
                "this is the first recording"
            });
            return false;
        }
        if self.show.writes {
            self.tell("files are being written; another recording needs another run");
            return false;
        }
        self.outcome = Outcome::File(steps);
        true
    }

    fn snapshot(&mut self) {
        let saved = write_snapshot(&self.canvas, Path::new("."));
        self.tell(match saved {
            Ok(path) => format!("saved {}", path.display()),
            Err(error) => error.to_string(),
        });
    }
}
