//! What commands do.

use std::path::Path;
use std::time::Instant;

use super::{Outcome, Place, Session};
use crate::pipeline::Target;
use crate::pipeline::playback::SPEEDS;
use crate::sink::write_snapshot;
use crate::ui::command::Command;
use crate::view::times;

impl Session {
    /// Carries out a command; true where the session is over.
    pub(crate) fn handle_command(&mut self, command: Command) -> bool {
        match command {
            Command::Quit => return true,
            // The viewer has done it.
            Command::Escape | Command::Help | Command::Fit | Command::Digit(_) => {}
            Command::Pause => self.set_paused(!self.playback.paused),
            Command::Step => {
                self.set_paused(true);
                self.playback.step = true;
                if !self.is_live() && !self.playback.every_frame {
                    self.pipeline.playback.step();
                }
            }
            Command::StepBack => {
                if let Some(time) = self.place() {
                    self.set_paused(true);
                    // If the key is pressed again before the picture is there, it goes back one more frame.
                    self.jump(Target::Before(time), time - 0.6 * self.pipeline.info.frame_step());
                }
            }
            Command::Skip(seconds) => {
                if let Some(time) = self.place() {
                    self.jump(Target::At(time + seconds), time + seconds);
                }
            }
            Command::Seek(share) => self.seek(share),
            Command::Speed(steps) => self.change_speed(steps),
            Command::Repeat if self.is_live() => self.notify("live: it has no end"),
            Command::Repeat => {
                let repeat = !self.playback.repeat;
                self.playback.repeat = repeat;
                self.pipeline.playback.set_repeat(repeat);
                self.notify(if repeat { "repeats at the end" } else { "stops at the end" });
            }
            Command::File(steps) => return self.change_file(steps),
            Command::Record => {
                let recorder = &self.recording.recorder;
                if recorder.is_filming() { recorder.end_video() } else { recorder.begin_video(None) }
            }
            Command::Panel => self.switch_panel(),
            Command::Snapshot => self.snapshot(),
            Command::Switch(_) | Command::Compare | Command::Confidence(_) | Command::TrailLength(_) => {
                if let Some(change) = self.settings.command(command) {
                    self.take(change);
                }
            }
        }
        false
    }

    pub(crate) fn set_paused(&mut self, paused: bool) {
        if paused != self.playback.paused {
            self.playback.paused = paused;
            self.playback.clock.stop();
            self.pipeline.playback.set_paused(paused);
        }
    }

    /// The time from which jumps count: that of the frame shown, or of the one under way. Shows a message if seeking is
    /// not possible.
    fn place(&mut self) -> Option<f64> {
        if self.is_live() {
            self.notify("live: seeking is not possible");
            return None;
        }
        if self.pipeline.history.is_none() {
            self.notify("with --exit-at-end, seeking is off");
            return None;
        }
        self.position.goal.or(self.frame.frame().map(|frame| frame.time))
    }

    fn jump(&mut self, target: Target, goal: f64) {
        let begin = self.position.begin.unwrap_or(0.0);
        let end = self.pipeline.duration().map_or(f64::INFINITY, |duration| begin + duration);
        let end = end.max(self.frame.frame().map_or(end, |frame| frame.time));
        self.position.jumped = true;
        self.position.goal = Some(goal.clamp(begin, end.max(begin)));
        let epoch = self.pipeline.playback.seek(target);
        self.expect(epoch);
    }

    /// Jumps to a share of the recording, if its length is known.
    fn seek(&mut self, share: f64) {
        if self.place().is_none() {
            return;
        }
        let begin = self.position.begin.unwrap_or(0.0);
        match (share, self.pipeline.duration()) {
            (0.0, _) => self.jump(Target::At(f64::NEG_INFINITY), begin),
            (1.0, duration) => self.jump(Target::Last, begin + duration.unwrap_or(0.0)),
            (share, Some(duration)) => {
                let time = begin + share * duration;
                self.jump(Target::At(time), time);
            }
            (_, None) => self.notify("its length is not known; use the arrow keys"),
        }
    }

    fn change_speed(&mut self, steps: i32) {
        if self.is_live() {
            self.notify("live: the speed cannot change");
            return;
        }
        let speed = self.playback.speed;
        let at = SPEEDS.iter().position(|s| *s >= speed).unwrap_or(SPEEDS.len() - 1);
        let to = at.saturating_add_signed(steps as isize).min(SPEEDS.len() - 1);
        self.playback.speed = SPEEDS[to];
        self.pipeline.playback.set_speed(SPEEDS[to]);
        self.playback.clock.set_speed(SPEEDS[to], Instant::now());
        self.notify(format!("speed {}", times(SPEEDS[to])));
    }

    /// True where this run is over.
    fn change_file(&mut self, steps: i32) -> bool {
        let Place { at, of } = self.place;
        let to = at.checked_add_signed(steps as isize).filter(|to| *to < of);
        if to.is_none() {
            self.notify(if of < 2 {
                "there is no other recording here"
            } else if steps > 0 {
                "this is the last recording"
            } else {
                "this is the first recording"
            });
            return false;
        }
        if self.recording.to_files {
            self.notify("files are being written; start another run for another recording");
            return false;
        }
        self.outcome = Outcome::File(steps);
        true
    }

    fn snapshot(&mut self) {
        let saved = write_snapshot(&self.drawing.canvas, Path::new("."));
        self.notify(match saved {
            Ok(path) => format!("saved {}", path.display()),
            Err(error) => error.to_string(),
        });
    }
}
