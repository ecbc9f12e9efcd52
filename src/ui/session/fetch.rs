//! Which frame and which scene come next.

use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use super::{FrameJob, Stage, TrackedFrame, lock};

impl Stage {
    /// In time: the newest frame at once, the newest scene when it comes. True when there is something new to see.
    pub(crate) fn fetch_in_time(&mut self) -> bool {
        let frozen = self.paused && self.is_live() && !self.step;
        let mut changed = false;
        let tracks_ended = loop {
            match self.show.pipeline.tracked.try_recv() {
                Ok(tracked) => {
                    self.note_tracks(&tracked);
                    if !frozen && tracked.job.epoch >= self.epoch {
                        self.begin_epoch(tracked.job.epoch);
                        self.latest = Some(tracked.scene);
                        changed = true;
                    }
                }
                Err(error) => break error == TryRecvError::Disconnected,
            }
        };
        match self.show.pipeline.frames.try_recv() {
            // It was on its way when a jump was asked for.
            Ok(job) if job.epoch < self.epoch => {}
            Ok(mut job) => {
                self.begin_epoch(job.epoch);
                if !frozen {
                    let before = self.show_frame(job);
                    (self.step, changed) = (false, true);
                    self.choose_scene();
                    self.write_picture(before);
                } else {
                    job.cover(&self.show.carried.live.settings().enhance);
                    let scene = self.latest.clone().unwrap_or_default();
                    self.writing &= self.show.recorder.picture(&job.frame, &scene, job.frame.time);
                }
            }
            // The last tracks come after the last picture.
            Err(TryRecvError::Disconnected) if tracks_ended => changed |= self.set_ended(true),
            Err(error) => {
                self.frames_ended = error == TryRecvError::Disconnected;
                changed |= self.look_for_end();
            }
        }
        if changed && !frozen {
            self.choose_scene();
        }
        changed
    }

    /// In step: the next frame with its own scene, when its time has come.
    pub(crate) fn fetch_in_step(&mut self) -> bool {
        let next = loop {
            let next = match self.next.take().map_or_else(|| self.show.pipeline.tracked.try_recv(), Ok) {
                Ok(next) => next,
                Err(TryRecvError::Disconnected) => return self.set_ended(true),
                Err(TryRecvError::Empty) => return self.look_for_end(),
            };
            if next.job.epoch >= self.epoch {
                break next;
            }
            // It was on its way when a jump was asked for.
            self.note_tracks(&next);
        };
        let repeated = next.job.epoch > self.epoch;
        self.begin_epoch(next.job.epoch);
        let (time, now, live) = (next.job.frame.time, Instant::now(), self.is_live());
        if repeated {
            // Nobody asked for it: the last picture has its time, and a halted one stays.
            self.awaiting = false;
            let step = self.show.pipeline.info.frame_step();
            self.clock.begin(time, Duration::from_secs_f64(step), now);
        }
        self.clock.set_speed(self.show.carried.speed, now);
        let due = live || self.clock.left(time, now).is_zero();
        // What a jump leads to is shown at once, also while halted.
        let wanted = std::mem::take(&mut self.step) || self.awaiting && !live;
        if !(wanted || !self.paused && due) {
            self.next = Some(next);
            return false;
        }
        if wanted {
            self.clock.stop();
        }
        self.clock.shown(time, now);
        self.note_tracks(&next);
        let TrackedFrame { mut job, scene, .. } = next;
        if !live {
            // The age of a frame of a recording counts from when it was due, not from when it was decoded.
            job.frame.captured = now;
        }
        let before = self.show_frame(job);
        self.scene = Some(scene);
        self.write_picture(before);
        true
    }

    /// Forgets what belongs to earlier epochs, at the first sign of a later one.
    fn begin_epoch(&mut self, epoch: u64) {
        if epoch > self.epoch {
            self.expect(epoch);
        }
    }

    /// From now on only frames of this epoch are shown.
    pub(crate) fn expect(&mut self, epoch: u64) {
        (self.epoch, self.awaiting, self.latest) = (epoch, true, None);
        self.ended = false;
    }

    /// Gives the epoch and the time of the frame that was shown before.
    fn show_frame(&mut self, mut job: FrameJob) -> Option<(u64, f64)> {
        // It may have been on its way when that was asked for.
        job.cover(&self.show.carried.live.settings().enhance);
        self.begin.get_or_insert(job.frame.time);
        self.begin = self.begin.map(|begin| begin.min(job.frame.time));
        if let Some(current) = &self.current {
            self.ages.replace(current.frame.captured, Instant::now());
        }
        self.unseen = true;
        let before = self.current.replace(job).map(|before| (before.epoch, before.frame.time));
        (self.awaiting, self.goal) = (false, None);
        self.displayed.tick();
        before
    }

    /// In time: what is remembered of the frame shown, else the newest there is.
    fn choose_scene(&mut self) {
        let Some(current) = &self.current else { return };
        let remembered = self.show.pipeline.history.as_ref();
        let remembered =
            remembered.and_then(|history| self.replay.scene(&lock(history), current.frame.sequence));
        if let Some(scene) = remembered {
            // Where play leaves what is remembered, the last of it holds until the detector has looked.
            if self.latest.as_ref().is_none_or(|latest| latest.sequence <= scene.sequence) {
                self.latest = Some(scene.clone());
            }
            self.scene = Some(scene);
        } else {
            self.scene.clone_from(&self.latest);
        }
    }

    /// Whether the frame shown is the last one, and nothing is on its way.
    fn look_for_end(&mut self) -> bool {
        let Some(end) = self.show.pipeline.playback.ended() else { return self.set_ended(false) };
        // A jump may have led to where nothing more comes of.
        if self.awaiting && end.epoch == self.epoch && end.in_epoch == 0 && self.current.is_some() {
            (self.awaiting, self.goal) = (false, None);
            return self.set_ended(true);
        }
        let last = self.current.as_ref().map(|current| (current.epoch, current.order + 1));
        let nothing_new = self.ended && end.epoch == self.epoch;
        self.set_ended(nothing_new || last == Some((end.epoch, end.frames)))
    }

    fn set_ended(&mut self, ended: bool) -> bool {
        let changed = ended != self.ended;
        self.ended = ended;
        self.seen_to_end |= ended && (!self.jumped || self.saw_everything());
        changed
    }

    /// Whether nothing was passed over by jumps.
    fn saw_everything(&self) -> bool {
        let last = self.current.as_ref().map_or(0, |current| current.frame.sequence);
        self.show.pipeline.history.as_ref().is_none_or(|history| lock(history).covers(last))
    }

    /// Takes note of what was tracked just now. Each frame's tracks are written once, when they are first found.
    fn note_tracks(&mut self, tracked: &TrackedFrame) {
        let sequence = tracked.job.frame.sequence;
        self.tracked = Some((tracked.job.epoch, sequence));
        if !tracked.fresh {
            return;
        }
        self.scores.clear();
        self.scores.extend(tracked.detections.iter().map(|detection| detection.score));
        if !self.show.recorder.takes_scenes() {
            return;
        }
        let can_come_again = !self.is_live();
        if !can_come_again || self.written.insert(sequence) {
            self.writing &= self.show.recorder.scene(&tracked.job.frame, &tracked.scene);
        }
    }

    /// Whether the tracks shown are those of the frame shown, found with the settings in force or remembered.
    pub(crate) fn is_settled(&self) -> bool {
        let (Some(job), Some(scene)) = (&self.current, &self.scene) else { return false };
        let tracked = self.tracked == Some((job.epoch, job.frame.sequence));
        !self.awaiting
            && scene.sequence == job.frame.sequence
            && (!job.fresh || tracked || self.show.every_frame)
    }

    /// The video gets what is shown, in the recording's own time; a jump takes as long in it as a frame.
    fn write_picture(&mut self, before: Option<(u64, f64)>) {
        let Some(job) = &self.current else { return };
        let usual = self.show.pipeline.info.frame_step();
        let passed = match before {
            Some((epoch, time)) if epoch == job.epoch => (job.frame.time - time).max(0.0),
            _ => usual,
        };
        let film = self.film.map_or(job.frame.time, |film| film + passed);
        self.film = Some(film);
        let scene = self.scene.clone().unwrap_or_default();
        self.writing &= self.show.recorder.picture(&job.frame, &scene, film);
    }
}
