//! Videos of any codec and network streams, decoded by an `ffmpeg` child process: raw frames come through its standard
//! output, and what its filter `showinfo` says of each (time stamp, size, colours) through its standard error.
//!
//! A child costs nothing in speed over linking the libraries, needs nothing at build time, and its crash is an error
//! value here. Its two pipes are read by two threads, so that neither can fill up while the other is waited for: ffmpeg
//! writes a frame's line before its bytes, the log thread hands the line over through a bounded channel, and
//! [`FfmpegSource::next_frame`] takes a line, then that frame's bytes.

mod ask;
pub(super) mod hdr;
pub(super) mod packets;
pub(super) mod probe;
mod process;
pub(super) mod raw_frame;
mod seek;
pub(super) mod showinfo;
mod snapshot;

use std::io::{ErrorKind, Read};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ask::probe;
use probe::Probe;
use process::{Clock, Output, end};
use raw_frame::{RawError, raw_length, to_picture};
use showinfo::OutOfStep;

use super::input::{Input, Options, Tools};
use super::{Source, SourceError, SourceInfo, SourceKind, Stopper};
use crate::frame::Frame;
use crate::sync::lock;

/// How long ffmpeg may take to end after its last frame.
const ENDING: Duration = Duration::from_secs(5);

/// Gives the frames of a video file or a stream.
pub struct FfmpegSource {
    info: SourceInfo,
    what: String,
    probe: Probe,
    child: Arc<Mutex<Child>>,
    stopped: Arc<AtomicBool>,
    output: Output,
    buffer: Vec<u8>,
    clock: Clock,
    /// When the first frame came.
    first_came: Option<Instant>,
    /// The number of the next frame: as many were given, but for a seek.
    given: u64,
    /// For an address that gives one picture each time: when it was asked last, and how many it had given before.
    asked: Instant,
    given_before: u64,
    /// Whether decoding began after the recording's beginning, or frames were left out since.
    sought: bool,
    over: bool,
    seeking: seek::Seeking,
}

impl FfmpegSource {
    /// Opens with the programs named. Frames before `options.start` may be left out where the container can seek; those
    /// that come nevertheless are for the caller to drop.
    ///
    /// # Errors
    /// [`SourceError::Missing`] without the programs; [`SourceError::Open`] where the file is missing or the address
    /// does not answer; [`SourceError::Read`] where it holds no video.
    pub fn open_with(tools: &Tools, input: &Input, options: &Options) -> Result<Self, SourceError> {
        let what = input.what();
        if let Some(path) = input.path() {
            let open = |why: String| SourceError::Open { what: what.clone(), why };
            let about = std::fs::metadata(path).map_err(|e| open(e.to_string()))?;
            if about.is_dir() {
                return Err(open("it is a folder, not a video".to_owned()));
            }
            if about.is_file() && about.len() == 0 {
                return Err(SourceError::Read { what, why: "the file is empty".to_owned() });
            }
        }
        let probe = probe(tools, input, options)?;
        // A little early: the seek rounds, and the frame at `start` itself is wanted.
        let start = options.start.filter(|_| probe.is_seekable());
        let seek = start.map(|start| start + probe.start - probe.container_start - 0.01);
        let seek = seek.filter(|s| *s > 0.0 && s.is_finite());
        let (child, output) = process::start(tools, input, &probe, seek)?;
        let info = describe(input, &probe, seek.is_some());
        Ok(Self {
            seeking: seek::Seeking::new(tools, input, &info, seek),
            info,
            what,
            clock: Clock::new(probe.rate, probe.is_spliced()),
            first_came: None,
            probe,
            child: Arc::new(Mutex::new(child)),
            stopped: Arc::new(AtomicBool::new(false)),
            output,
            buffer: Vec::new(),
            given: 0,
            asked: Instant::now(),
            given_before: 0,
            sought: seek.is_some(),
            over: false,
        })
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        let mut announced = match self.output.log.recv() {
            Ok(Ok(announced)) => announced,
            Ok(Err(OutOfStep(why))) => {
                return Err(self.unreadable(&format!("ffmpeg's log cannot be followed: {why}")));
            }
            Err(_) if self.is_polled() => return self.poll(),
            Err(_) => return self.finish(),
        };
        announced.colours = self.probe.colours.or(announced.colours);
        let length = raw_length(&announced).map_err(|e| self.impossible(e))?;
        self.buffer.resize(length, 0);
        match self.output.pictures.read_exact(&mut self.buffer) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return self.finish(),
            Err(e) => return Err(self.unreadable(&format!("ffmpeg's pictures stopped: {e}"))),
        }
        let captured = Instant::now();
        let picture = to_picture(&announced, &self.buffer).map_err(|e| self.impossible(e))?;
        let first_came = *self.first_came.get_or_insert(captured);
        // Where pictures are sent as they are taken, without a time, ffmpeg makes times up.
        let since_first = || Some(captured.duration_since(first_came).as_secs_f64());
        let time = self.clock.tell(if self.has_own_times() { announced.time } else { since_first() });
        let frame = Frame { picture: Arc::new(picture), sequence: self.given, time, captured, file: None };
        self.given += 1;
        self.seeking.note(&frame, announced.time.is_some());
        Ok(Some(frame))
    }

    /// After the last frame: was it really the last?
    fn finish(&mut self) -> Result<Option<Frame>, SourceError> {
        let status = self.end_of_child();
        if self.stopped.load(Ordering::SeqCst) {
            return Ok(None);
        }
        // The log's last lines arrive a moment after the child's end.
        while self.output.log.recv_timeout(ENDING).is_ok() {}
        match status {
            Some(status) if status.success() => {}
            Some(status) => {
                let after = format!("ffmpeg ended after {} frames with {status}", self.given);
                return Err(self.unreadable(&after));
            }
            None => return Err(self.unreadable("ffmpeg gave its last frame but did not end")),
        }
        if self.given == 0 && !self.sought {
            return Err(self.unreadable("not one frame of it can be decoded"));
        }
        if self.info.kind == SourceKind::Stream && self.said(&["timed out", "reset by peer", "I/O error"]) {
            return Err(self.unreadable(&format!("the stream broke off after {} frames", self.given)));
        }
        match self.shortfall() {
            Some(promised) => Err(SourceError::Short {
                what: self.what.clone(),
                got: self.given,
                promised,
                detail: self.last_words("; "),
            }),
            None => Ok(None),
        }
    }

    /// The number of frames that were promised, where the recording ends before it. A count alone proves nothing: an
    /// edit list hides frames, and a capture program stores dropped ones as nothing. So either the decoder speaks of
    /// a file cut off, or the time of the last frame has to fall short as well.
    fn shortfall(&self) -> Option<u64> {
        if self.sought || self.info.kind == SourceKind::Stream {
            return None;
        }
        let rate = self.probe.rate?;
        let promised = self.probe.frames.or_else(|| {
            // What is guessed from a clock that began anew is nothing.
            if self.clock.began_anew {
                return None;
            }
            let frames = (self.probe.duration? * rate).round();
            (frames.is_finite() && frames >= 1.0).then_some(frames as u64)
        })?;
        if self.given >= promised {
            return None;
        }
        if self.said(&["partial file", "prematurely", "corrupt input packet", "Packet corrupt", "Truncat"]) {
            return Some(promised);
        }
        // An AVI counts its frames in time; its duration is guessed from the file's size where the index is missing.
        let promised_seconds = match self.probe.frames {
            Some(frames) if self.probe.is_avi() => frames as f64 / rate,
            Some(_) if self.probe.own_duration => self.probe.duration?,
            _ => return None,
        };
        let missing = self.probe.start + promised_seconds - (self.clock.last? + 1.0 / rate);
        (missing > 1.5 / rate && missing > 0.1).then_some(promised)
    }

    /// Whether the frames' times are those of the pictures. A stream that tells none has those of their arrival.
    fn has_own_times(&self) -> bool {
        self.info.kind != SourceKind::Stream || !self.output.timeless.load(Ordering::Relaxed)
    }

    /// Waits for the child, which has nothing more to write; ends it where it does not end by itself.
    fn end_of_child(&self) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match lock(&self.child).try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if begun.elapsed() < ENDING => {}
                _ => break,
            }
            thread::sleep(Duration::from_millis(2));
        }
        end(&self.child);
        None
    }

    fn said(&self, words: &[&str]) -> bool {
        lock(&self.output.messages).iter().any(|line| words.iter().any(|word| line.contains(word)))
    }

    /// The decoder's last messages in one line, led by `lead`; nothing where there are none.
    fn last_words(&self, lead: &str) -> String {
        let messages = lock(&self.output.messages);
        let mut last: Vec<&str> = Vec::new();
        for line in messages.iter().rev() {
            if last.len() < 3 && !last.contains(&line.as_str()) {
                last.push(line);
            }
        }
        last.reverse();
        if last.is_empty() { String::new() } else { format!("{lead}ffmpeg says: {}", last.join("; ")) }
    }

    fn unreadable(&self, why: &str) -> SourceError {
        SourceError::Read { what: self.what.clone(), why: format!("{why}{}", self.last_words(". ")) }
    }

    fn impossible(&self, error: RawError) -> SourceError {
        match error {
            RawError::Size(error) => SourceError::Picture { what: self.what.clone(), error },
            RawError::Other(why) => self.unreadable(&why),
        }
    }
}

impl Source for FfmpegSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if let Some(frame) = self.seeking.take_waiting() {
            return Ok(Some(frame));
        }
        if self.over {
            return Ok(None);
        }
        let outcome = if self.stopped.load(Ordering::SeqCst) { Ok(None) } else { self.read_frame() };
        if !matches!(outcome, Ok(Some(_))) {
            self.over = true;
            end(&self.child);
        }
        outcome
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        self.go_to(time)
    }

    fn prepare_seeking(&mut self) {
        self.seeking.prepare(&self.probe);
    }

    fn begin(&self) -> Option<f64> {
        self.seeking.begins_late().then_some(self.probe.start)
    }

    fn found_duration(&mut self) -> Option<f64> {
        self.seeking.found_duration()
    }

    fn stopper(&self) -> Option<Stopper> {
        let (child, stopped) = (Arc::clone(&self.child), Arc::clone(&self.stopped));
        Some(Box::new(move || {
            stopped.store(true, Ordering::SeqCst);
            end(&child);
        }))
    }
}

impl Drop for FfmpegSource {
    fn drop(&mut self) {
        end(&self.child);
    }
}

fn describe(input: &Input, probe: &Probe, sought: bool) -> SourceInfo {
    let endless = input.is_stream(probe.duration);
    SourceInfo {
        name: input.name(),
        kind: if endless { SourceKind::Stream } else { SourceKind::Recording },
        size: probe.size,
        rate: if endless && probe.is_timeless() { None } else { probe.rate },
        frames: probe.frames.filter(|_| !sought),
        duration: probe.duration,
        sound: input.path().filter(|_| probe.has_sound).map(Into::into),
    }
}

#[cfg(test)]
mod tests;
