//! Which frame and which scene are shown next.

use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use super::{FrameJob, Session, TrackedFrame, lock};
use crate::scene::Scene;

impl Session {
    /// In time: the newest frame at once, the newest scene when it comes. True when there is something new to see.
    pub(crate) fn select_in_time(&mut self) -> bool {
        let frozen = self.playback.paused && self.is_live() && !self.playback.step;
        let mut changed = false;
        let tracks_ended = loop {
            match self.pipeline.tracked.try_recv() {
                Ok(tracked) => {
                    self.take_tracks(&tracked);
                    if !frozen && tracked.job.epoch >= self.position.epoch {
                        self.begin_epoch(tracked.job.epoch);
                        self.scenes.latest = Some(tracked.scene);
                        changed = true;
                    }
                }
                Err(error) => break error == TryRecvError::Disconnected,
            }
        };
        match self.pipeline.frames.try_recv() {
            // It was under way when a jump was asked for.
            Ok(job) if job.epoch < self.position.epoch => {}
            Ok(mut job) => {
                self.begin_epoch(job.epoch);
                if !frozen {
                    let before = self.show_frame(job);
                    (self.playback.step, changed) = (false, true);
                    self.choose_scene();
                    self.write_picture(before);
                } else {
                    job.cover(&self.settings.get().enhance);
                    let scene = self.scenes.latest.clone().unwrap_or_default();
                    self.recording.writing &=
                        self.recording.recorder.picture(&job.frame, &scene, job.frame.time);
                }
            }
            // The last tracks come after the last picture.
            Err(TryRecvError::Disconnected) if tracks_ended => changed |= self.set_ended(true),
            Err(error) => {
                self.end.frames_ended = error == TryRecvError::Disconnected;
                changed |= self.look_for_end();
            }
        }
        if changed && !frozen {
            self.choose_scene();
        }
        changed
    }

    /// In step: the next frame with its own scene, when its time has come.
    pub(crate) fn select_in_step(&mut self) -> bool {
        let next = loop {
            let next = match self.playback.next.take().map_or_else(|| self.pipeline.tracked.try_recv(), Ok) {
                Ok(next) => next,
                Err(TryRecvError::Disconnected) => return self.set_ended(true),
                Err(TryRecvError::Empty) => return self.look_for_end(),
            };
            if next.job.epoch >= self.position.epoch {
                break next;
            }
            // It was under way when a jump was asked for.
            self.take_tracks(&next);
        };
        let repeated = next.job.epoch > self.position.epoch;
        self.begin_epoch(next.job.epoch);
        let (time, now, live) = (next.job.frame.time, Instant::now(), self.is_live());
        if repeated {
            // It was not asked for: the last picture stays for its duration, and a paused one stays.
            self.position.awaiting = false;
            let step = self.pipeline.info.frame_step();
            self.playback.clock.begin(time, Duration::from_secs_f64(step), now);
        }
        self.playback.clock.set_speed(self.playback.speed, now);
        let due = live || self.playback.clock.left(time, now).is_zero();
        // The frame after a jump is shown at once, also while paused.
        let wanted = std::mem::take(&mut self.playback.step) || self.position.awaiting && !live;
        if !(wanted || !self.playback.paused && due) {
            self.playback.next = Some(next);
            return false;
        }
        if wanted {
            self.playback.clock.stop();
        }
        self.playback.clock.shown(time, now);
        self.take_tracks(&next);
        let TrackedFrame { mut job, scene, .. } = next;
        if !live {
            // The age of a frame of a recording counts from when it was due, not from when it was decoded.
            job.frame.captured = now;
        }
        let before = self.show_frame(job);
        self.scenes.shown = Some(scene);
        self.write_picture(before);
        true
    }

    /// Drops everything of earlier epochs, as soon as a later one appears.
    fn begin_epoch(&mut self, epoch: u64) {
        if epoch > self.position.epoch {
            self.expect(epoch);
        }
    }

    /// From now on only frames of this epoch are shown.
    pub(crate) fn expect(&mut self, epoch: u64) {
        (self.position.epoch, self.position.awaiting, self.scenes.latest) = (epoch, true, None);
        self.end.ended = false;
    }

    /// Gives the epoch and the time of the frame that was shown before.
    fn show_frame(&mut self, mut job: FrameJob) -> Option<(u64, f64)> {
        // It may have been on its way when that was asked for.
        job.cover(&self.settings.get().enhance);
        self.position.begin.get_or_insert(job.frame.time);
        self.position.begin = self.position.begin.map(|begin| begin.min(job.frame.time));
        let before = self.frame.replace(job).map(|before| (before.epoch, before.frame.time));
        (self.position.awaiting, self.position.goal) = (false, None);
        before
    }

    /// In time: the scene that the history has of the frame shown, else the newest scene.
    fn choose_scene(&mut self) {
        let Some(current) = &self.frame.job else { return };
        let remembered = self.pipeline.history.as_ref();
        let remembered =
            remembered.and_then(|history| self.scenes.replay.scene(&lock(history), current.frame.sequence));
        if let Some(scene) = remembered {
            // What is counted and measured is not of a frame: the newest stands by whatever is shown. What is told of tracks is
            // of the frame tracked last, and of those about it.
            let Scene { counts, attributes, rules, ground, heat, .. } = self.scenes.known.clone();
            let about = (1.0 / self.pipeline.info.frame_step()) as u64;
            let is_new = self.scenes.tracked.is_some_and(|(epoch, sequence)| {
                epoch == self.position.epoch && sequence.abs_diff(scene.sequence) <= about
            });
            let attributes = if is_new { attributes } else { Default::default() };
            let scene = Scene { counts, attributes, rules, ground, heat, ..scene };
            // Where playback leaves the tracked part, its last scene stays until the detector has a result.
            if self.scenes.latest.as_ref().is_none_or(|latest| latest.sequence <= scene.sequence) {
                self.scenes.latest = Some(scene.clone());
            }
            self.scenes.shown = Some(scene);
        } else {
            self.scenes.shown.clone_from(&self.scenes.latest);
        }
    }

    /// Whether the frame shown is the last one, and nothing is on its way.
    fn look_for_end(&mut self) -> bool {
        let Some(end) = self.pipeline.playback.ended() else { return self.set_ended(false) };
        // A jump may have led to a place after which nothing comes.
        if self.position.awaiting
            && end.epoch == self.position.epoch
            && end.in_epoch == 0
            && self.frame.job.is_some()
        {
            (self.position.awaiting, self.position.goal) = (false, None);
            return self.set_ended(true);
        }
        let last = self.frame.job.as_ref().map(|current| (current.epoch, current.order + 1));
        let nothing_new = self.end.ended && end.epoch == self.position.epoch;
        self.set_ended(nothing_new || last == Some((end.epoch, end.frames)))
    }

    fn set_ended(&mut self, ended: bool) -> bool {
        let changed = ended != self.end.ended;
        self.end.ended = ended;
        self.end.seen_to_end |= ended && (!self.position.jumped || self.saw_everything());
        changed
    }

    /// Whether jumps have skipped nothing.
    fn saw_everything(&self) -> bool {
        let last = self.frame.job.as_ref().map_or(0, |current| current.frame.sequence);
        self.pipeline.history.as_ref().is_none_or(|history| lock(history).covers(last))
    }

    /// Takes in a tracked frame. The tracks of a frame are written once, when they are first found.
    fn take_tracks(&mut self, tracked: &TrackedFrame) {
        let sequence = tracked.job.frame.sequence;
        self.scenes.tracked = Some((tracked.job.epoch, sequence));
        let Scene { counts, attributes, rules, ground, heat, .. } = tracked.scene.clone();
        self.scenes.known = Scene { counts, attributes, rules, ground, heat, ..Scene::default() };
        if !tracked.fresh {
            return;
        }
        self.scenes.scores.clear();
        self.scenes.scores.extend(tracked.detections.iter().map(|detection| detection.score));
        if !self.recording.recorder.takes_scenes() {
            return;
        }
        let can_come_again = !self.is_live();
        if !can_come_again || self.recording.written.insert(sequence) {
            self.recording.writing &= self.recording.recorder.scene(&tracked.job.frame, &tracked.scene);
        }
    }

    /// Whether the tracks shown are those of the frame shown, found with the settings in force or remembered.
    pub(crate) fn is_settled(&self) -> bool {
        let (Some(job), Some(scene)) = (&self.frame.job, &self.scenes.shown) else { return false };
        let tracked = self.scenes.tracked == Some((job.epoch, job.frame.sequence));
        !self.position.awaiting
            && scene.sequence == job.frame.sequence
            && (!job.fresh || tracked || self.playback.every_frame)
    }

    /// The video gets what is shown, in the recording's own time; a jump takes as long in it as a frame.
    fn write_picture(&mut self, before: Option<(u64, f64)>) {
        let Some(job) = &self.frame.job else { return };
        let usual = self.pipeline.info.frame_step();
        let passed = match before {
            Some((epoch, time)) if epoch == job.epoch => (job.frame.time - time).max(0.0),
            _ => usual,
        };
        let film = self.recording.film.map_or(job.frame.time, |film| film + passed);
        self.recording.film = Some(film);
        let scene = self.scenes.shown.clone().unwrap_or_default();
        self.recording.writing &= self.recording.recorder.picture(&job.frame, &scene, film);
    }
}
