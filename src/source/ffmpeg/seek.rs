//! Seeking in a video: the child is ended and another one started before the wanted time. Where its first frame lies is
//! checked, and its number is found in the index of all frames ([`packets`](super::packets)); where that fails, the
//! recording is decoded from its beginning, which is always right.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::FfmpegSource;
use super::packets::{Index, IndexReader};
use super::probe::Probe;
use super::process::{self, Clock, end};
use crate::frame::Frame;
use crate::source::input::{Input, Tools};
use crate::source::{SourceError, SourceInfo, SourceKind};
use crate::sync::lock;

/// How long a seek waits for the index of a large file before it goes on without.
const INDEX_PATIENCE: Duration = Duration::from_millis(1500);
/// A frame is at most this share of a frame's duration away from where the rate has it, or the rate is not to be trusted.
const OFF_BEAT: f64 = 0.2;
/// How much before the wanted time decoding begins, in seconds: the next where one turns out too late. A container that
/// is searched, not looked up, leads to the key frame after the place found.
const EARLIER: [f64; 5] = [0.0, 1.0, 4.0, 16.0, 64.0];

/// What is remembered of a video for seeking in it.
pub(super) struct Seeking {
    tools: Tools,
    input: Input,
    /// Where decoding began when the source was opened, as the child was told.
    origin: Option<f64>,
    /// Not a pipe and not a live stream: what was read can be read again.
    again: bool,
    /// A file, whose packets are quickly read.
    file: bool,
    index: Option<IndexReader>,
    /// How long the next seek waits for the index.
    patience: Duration,
    /// The time of frame 0.
    first: Option<f64>,
    /// Whether the frames that come are counted from frame 0 on.
    straight: bool,
    /// The last frame that was counted so, by its number and time.
    counted: (u64, f64),
    /// Whether the frame that came last had a time stamp of its own.
    stamped: bool,
    /// A seek of the child's has led elsewhere than asked: it is of no use here.
    useless: bool,
    /// A frame that was taken to see where a seek had led to.
    waiting: Option<Frame>,
}

/// Where a child that was started in the middle began.
enum Landing {
    /// At a frame that is known and early enough; it waits.
    Good,
    /// After the wanted time, or after the end.
    Late,
    /// Nobody knows where.
    Unknown,
    /// Nowhere: the source was stopped.
    Stopped,
}

impl Seeking {
    pub(super) fn new(tools: &Tools, input: &Input, info: &SourceInfo, origin: Option<f64>) -> Self {
        let file = input.path().is_some_and(|path| path.metadata().is_ok_and(|about| about.is_file()));
        Self {
            tools: tools.clone(),
            input: input.clone(),
            origin,
            again: info.kind == SourceKind::Recording && (file || input.path().is_none()),
            file,
            index: None,
            patience: INDEX_PATIENCE,
            first: None,
            straight: true,
            counted: (0, 0.0),
            stamped: true,
            useless: false,
            waiting: None,
        }
    }

    /// Begins to read the index, where it will be of use.
    pub(super) fn prepare(&mut self, probe: &Probe) {
        // Without a length of its own, the recording has that of its packets.
        let wanted = probe.is_nearly_seekable() || probe.duration.is_none();
        if self.file && self.again && self.index.is_none() && wanted && !self.useless {
            self.index = IndexReader::start(&self.tools, &self.input, probe);
        }
    }

    /// The length of the recording in seconds, once the index tells it.
    pub(super) fn found_duration(&mut self) -> Option<f64> {
        let index = self.index.as_mut()?.get(Duration::ZERO)?;
        Some(index.duration()).filter(|seconds| *seconds > 0.0)
    }

    /// Whether decoding began in the middle when the source was opened.
    pub(super) fn begins_late(&self) -> bool {
        self.origin.is_some()
    }

    /// Takes note of a frame that was decoded.
    pub(super) fn note(&mut self, frame: &Frame, stamped: bool) {
        self.stamped = stamped;
        if self.straight {
            self.first.get_or_insert(frame.time);
            if frame.sequence >= self.counted.0 {
                self.counted = (frame.sequence, frame.time);
            }
        }
    }

    pub(super) fn take_waiting(&mut self) -> Option<Frame> {
        self.waiting.take()
    }

    /// The index, where there is one that agrees with the frames counted so far.
    fn index(&mut self, tolerance: f64) -> Option<Arc<Index>> {
        let index = self.index.as_mut()?.get(self.patience);
        // Once a seek has waited in vain, the next ones hardly do: the user is looking for something.
        self.patience = INDEX_PATIENCE / 10;
        let index = index?;
        let (number, time) = self.counted;
        let zero = index.place(self.first?, tolerance)?;
        let place = index.place(time, tolerance)?;
        // Frames of equal time have one place.
        let agrees = (place..index.place_behind(time).max(place + 1)).contains(&(zero + number));
        agrees.then_some(index)
    }
}

impl FfmpegSource {
    /// See [`Source::seek`](super::Source::seek).
    pub(super) fn go_to(&mut self, time: f64) -> Result<bool, SourceError> {
        if !self.seeking.again {
            return Ok(false);
        }
        if self.stopped.load(Ordering::SeqCst) {
            self.seeking.waiting = None;
            self.over = true;
            return Ok(true);
        }
        self.seeking.prepare(&self.probe);
        if self.seeking.first.is_none() && !self.over {
            // The numbers count from the first frame, which has to be seen once.
            super::Source::next_frame(self)?;
        }
        self.sought = true;
        match self.seeking.first {
            Some(first) if time > first => {}
            _ => return self.begin_again().map(|()| true),
        }
        if !self.seeking.useless && self.jump(time)? {
            return Ok(true);
        }
        self.decode_from_the_beginning(time)?;
        Ok(true)
    }

    /// Half a frame, in seconds: as far may two times of one frame be apart.
    fn half_a_frame(&self) -> f64 {
        0.5 / self.probe.rate.filter(|rate| *rate > 0.0).unwrap_or(25.0)
    }

    /// Starts a child before `time`; false where that leads nowhere, so that only decoding all is left.
    fn jump(&mut self, time: f64) -> Result<bool, SourceError> {
        let index = self.seeking.index(self.half_a_frame());
        // Without an index, only a container that looks times up is trusted, where the frames are equally far apart: their
        // numbers follow from their times then. An address is not a file: its packets would have to be fetched.
        if index.is_none() && (!self.probe.is_seekable() || self.probe.is_uneven) {
            return Ok(false);
        }
        let first = self.seeking.first.unwrap_or_default();
        // Exact only where both are: else time is lost with a child that begins too late.
        let exact = index.is_some() && self.probe.is_seekable();
        for earlier in if exact { &EARLIER[..] } else { &EARLIER[1..] } {
            let from = match &index {
                Some(index) if exact => index.just_before(time).map(|from| from - earlier),
                Some(index) => index.key_before(time - earlier).and_then(|key| index.just_before(key)),
                None => {
                    let end = self.probe.duration.map(|duration| self.probe.start + duration);
                    Some(end.map_or(time, |end| time.min(end)) - earlier)
                }
            };
            let seek = from.map(|from| from - self.probe.container_start);
            let begins = from.is_none_or(|from| from <= first);
            let Some(seek) = seek.filter(|seek| !begins && *seek > 0.0 && seek.is_finite()) else {
                return Ok(false);
            };
            self.restart(Some(seek))?;
            match self.landing(time, index.as_deref()) {
                Ok(Landing::Good | Landing::Stopped) => return Ok(true),
                Ok(Landing::Late) => {}
                // An address that does not answer would not do so a second time.
                Err(error) if !self.seeking.file => return Err(error),
                Ok(Landing::Unknown) | Err(_) => break,
            }
        }
        log::debug!(
            "{}: seeking does not reach the right frame; it is decoded from its beginning instead",
            self.what
        );
        self.seeking.useless = true;
        Ok(false)
    }

    /// Takes the first frame of a child that was started in the middle, and gives it its number.
    fn landing(&mut self, time: f64, index: Option<&Index>) -> Result<Landing, SourceError> {
        let Some(mut frame) = super::Source::next_frame(self)? else {
            let stopped = self.stopped.load(Ordering::SeqCst);
            return Ok(if stopped { Landing::Stopped } else { Landing::Late });
        };
        if !self.seeking.stamped {
            return Ok(Landing::Unknown);
        }
        if frame.time > time {
            return Ok(Landing::Late);
        }
        let tolerance = self.half_a_frame();
        // Where a container is searched, decoding may have begun anywhere, and only from a key frame on are the pictures
        // sure to be whole.
        let searched = index.filter(|_| !self.probe.is_seekable());
        let key = |index: &Index| index.key_before(frame.time + tolerance);
        if searched.is_some_and(|index| key(index).is_none_or(|key| frame.time - key > tolerance)) {
            return Ok(Landing::Late);
        }
        let first = self.seeking.first.unwrap_or_default();
        let number = match index {
            Some(index) => {
                let place = |time| index.place(time, tolerance);
                place(frame.time).zip(place(first)).and_then(|(this, first)| this.checked_sub(first))
            }
            None => {
                // Out of range, a number becomes the nearest that is not.
                let exact = (frame.time - first) * self.probe.rate.unwrap_or(25.0);
                let between = (exact - exact.round()).abs() > OFF_BEAT;
                (!between).then_some(exact.round() as u64)
            }
        };
        let Some(number) = number else { return Ok(Landing::Unknown) };
        frame.sequence = number;
        self.given = number + 1;
        self.seeking.waiting = Some(frame);
        Ok(Landing::Good)
    }

    /// Makes the frames that come next begin at or before `time`, without any trust in the container.
    fn decode_from_the_beginning(&mut self, time: f64) -> Result<(), SourceError> {
        // What is ahead is reached by decoding on.
        if self.seeking.straight && !self.over {
            let waiting = match self.seeking.waiting.take() {
                Some(frame) => Some(frame),
                None => super::Source::next_frame(self)?,
            };
            if waiting.as_ref().is_some_and(|frame| frame.time <= time) {
                self.seeking.waiting = waiting;
                return Ok(());
            }
        }
        self.begin_again()
    }

    /// Starts the child as when the source was opened.
    fn begin_again(&mut self) -> Result<(), SourceError> {
        self.restart(self.seeking.origin)?;
        self.seeking.straight = true;
        Ok(())
    }

    /// Starts the child once more, for what the address has now; time and numbers go on.
    pub(super) fn ask_again(&mut self) -> Result<(), SourceError> {
        let clock = std::mem::replace(&mut self.clock, Clock::new(None, false));
        self.restart(None)?;
        self.clock = clock;
        Ok(())
    }

    /// Puts another child in the place of the one there is, whose stopper then ends it.
    fn restart(&mut self, seek: Option<f64>) -> Result<(), SourceError> {
        self.seeking.waiting = None;
        self.seeking.straight = false;
        (self.over, self.given) = (true, 0);
        end(&self.child);
        let (child, output) = process::start(&self.seeking.tools, &self.seeking.input, &self.probe, seek)?;
        self.output = output;
        self.clock = Clock::new(self.probe.rate, self.probe.is_spliced());
        {
            let mut current = lock(&self.child);
            *current = child;
        }
        // A stopper that was used in between has ended the child before; one that is used from now on ends this one.
        if self.stopped.load(Ordering::SeqCst) {
            end(&self.child);
        } else {
            self.over = false;
        }
        Ok(())
    }
}
