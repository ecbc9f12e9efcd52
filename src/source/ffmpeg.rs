//! Videos of any codec and network streams, decoded by an `ffmpeg` child process: raw frames come through its standard
//! output, and what its filter `showinfo` says of each (time stamp, size, colours) through its standard error.
//!
//! A child costs nothing in speed over linking the libraries, needs nothing at build time, and its crash is an error
//! value here. Its two pipes are read by two threads, so that neither can fill up while the other is waited for: ffmpeg
//! writes a frame's line before its bytes, the log thread hands the line over through a bounded channel, and
//! [`FfmpegSource::next_frame`] takes a line, then that frame's bytes.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::ffprobe::{Probe, probe};
use super::input::{Input, Tools, not_started, redact};
use super::raw_frame::{FORMATS, RawError, raw_length, to_picture};
use super::showinfo::{Announced, OutOfStep, Parser};
use super::{Source, SourceError, SourceInfo, SourceKind, Stopper};
use crate::frame::Frame;

/// Announced frames that may wait for their bytes to be read. ffmpeg's own queues between its threads are shorter, so
/// that the log thread never waits while ffmpeg still has frames to write.
const AHEAD: usize = 512;
/// The longest line of the log that is looked at, in bytes; the rest of a longer one is dropped.
const LINE: usize = 4096;
/// How many of the decoder's last messages are kept.
const MESSAGES: usize = 20;
/// How long ffmpeg may take to end after its last frame.
const ENDING: Duration = Duration::from_secs(5);
/// A time stamp that goes back by more than this is a new beginning (a looped or spliced stream), not a slip.
const SPLICE: f64 = 1.0;

/// Gives the frames of a video file or a stream.
pub struct FfmpegSource {
    info: SourceInfo,
    what: String,
    probe: Probe,
    child: Arc<Mutex<Child>>,
    stopped: Arc<AtomicBool>,
    pictures: ChildStdout,
    log: Receiver<Result<Announced, OutOfStep>>,
    messages: Arc<Mutex<VecDeque<String>>>,
    buffer: Vec<u8>,
    clock: Clock,
    given: u64,
    /// Whether decoding began after the recording's beginning.
    sought: bool,
    over: bool,
}

impl FfmpegSource {
    /// Opens with the `ffmpeg` and `ffprobe` on the PATH. Frames before `start` (source time, seconds) may be left out
    /// where the container can seek; those that come nevertheless are for the caller to drop.
    ///
    /// # Errors
    /// See [`Self::open_with`].
    pub fn open(input: &Input, start: Option<f64>) -> Result<Self, SourceError> {
        Self::open_with(&Tools::default(), input, start)
    }

    /// As [`Self::open`], with the programs named.
    ///
    /// # Errors
    /// [`SourceError::Missing`] without the programs; [`SourceError::Open`] where the file is missing or the address
    /// does not answer; [`SourceError::Read`] where it holds no video.
    pub fn open_with(tools: &Tools, input: &Input, start: Option<f64>) -> Result<Self, SourceError> {
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
        let probe = probe(tools, input)?;
        // A little early: the seek rounds, and the frame at `start` itself is wanted.
        let seek = start.filter(|_| probe.is_seekable()).map(|s| s - probe.container_start - 0.01);
        let seek = seek.filter(|s| *s > 0.0 && s.is_finite());
        let mut command = decode_command(tools, input, &probe, seek);
        let mut child = command.spawn().map_err(|e| not_started(&what, "ffmpeg", &e))?;
        let (Some(pictures), Some(log)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(SourceError::Open { what, why: "ffmpeg's output is not connected".to_owned() });
        };
        let messages = Arc::new(Mutex::new(VecDeque::new()));
        let (sender, receiver) = bounded(AHEAD);
        let kept = Arc::clone(&messages);
        // Ends with the pipe, which ends with the child; nobody has to wait for it.
        let reader = thread::Builder::new().name("ffmpeg log".to_owned());
        if let Err(e) = reader.spawn(move || read_log(log, &sender, &kept)) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(SourceError::Open { what, why: format!("no thread for ffmpeg's log: {e}") });
        }
        Ok(Self {
            info: describe(input, &probe, seek.is_some()),
            what,
            clock: Clock::new(probe.rate),
            probe,
            child: Arc::new(Mutex::new(child)),
            stopped: Arc::new(AtomicBool::new(false)),
            pictures,
            log: receiver,
            messages,
            buffer: Vec::new(),
            given: 0,
            sought: seek.is_some(),
            over: false,
        })
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        let announced = match self.log.recv() {
            Ok(Ok(announced)) => announced,
            Ok(Err(OutOfStep(why))) => {
                return Err(self.unreadable(&format!("ffmpeg's log cannot be followed: {why}")));
            }
            Err(_) => return self.finish(),
        };
        let length = raw_length(&announced).map_err(|e| self.impossible(e))?;
        self.buffer.resize(length, 0);
        match self.pictures.read_exact(&mut self.buffer) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return self.finish(),
            Err(e) => return Err(self.unreadable(&format!("ffmpeg's pictures stopped: {e}"))),
        }
        let captured = Instant::now();
        let picture = to_picture(&announced, &self.buffer).map_err(|e| self.impossible(e))?;
        let frame = Frame {
            picture: Arc::new(picture),
            sequence: self.given,
            time: self.clock.tell(announced.time),
            captured,
            file: None,
        };
        self.given += 1;
        Ok(Some(frame))
    }

    /// After the last frame: was it really the last?
    fn finish(&mut self) -> Result<Option<Frame>, SourceError> {
        let status = self.end_of_child();
        if self.stopped.load(Ordering::SeqCst) {
            return Ok(None);
        }
        // The log's last lines arrive a moment after the child's end.
        while self.log.recv_timeout(ENDING).is_ok() {}
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
        lock(&self.messages).iter().any(|line| words.iter().any(|word| line.contains(word)))
    }

    /// The decoder's last messages in one line, led by `lead`; nothing where there are none.
    fn last_words(&self, lead: &str) -> String {
        let messages = lock(&self.messages);
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

/// Ends the child and takes its exit status, so that nothing is left of it. Harmless when it has ended already.
fn end(child: &Mutex<Child>) {
    let mut child = lock(child);
    let _ = child.kill();
    let _ = child.wait();
}

/// A thread that panicked leaves nothing half-done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts the child into a process group of its own: Ctrl-C is for this program, which then ends the child in order.
pub(super) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

fn decode_command(tools: &Tools, input: &Input, probe: &Probe, seek: Option<f64>) -> Command {
    // Pixels that are not square are stretched to squares; the filter leaves square ones alone.
    let filters = format!(
        "scale=w='if(gt(sar,1),trunc(iw*sar+.5),iw)':h='if(gt(sar,0)*lt(sar,1),trunc(ih/sar+.5),ih)',\
         setsar=1,format={FORMATS},showinfo=checksum=0"
    );
    let mut command = Command::new(&tools.ffmpeg);
    command.args(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+info", "-copyts"]);
    if let Some(seconds) = seek {
        command.arg("-ss").arg(format!("{seconds:.6}"));
    }
    command.args(input.arguments(probe.is_modern()));
    // A capital V: not the cover pictures.
    command.args(["-map", "0:V:0", "-vf", &filters, probe.frame_mode_option(), "passthrough"]);
    command.args(["-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("AV_LOG_FORCE_NOCOLOR", "1").env_remove("AV_LOG_FORCE_COLOR");
    own_group(&mut command);
    command
}

fn describe(input: &Input, probe: &Probe, sought: bool) -> SourceInfo {
    let endless = matches!(input, Input::Url(_)) && probe.duration.is_none();
    SourceInfo {
        name: input.name(),
        kind: if endless { SourceKind::Stream } else { SourceKind::Recording },
        size: probe.size,
        rate: probe.rate,
        frames: probe.frames.filter(|_| !sought),
        duration: probe.duration,
        sound: input.path().filter(|_| probe.has_sound).map(Into::into),
    }
}

/// Reads ffmpeg's log to its end: frames to `frames`, errors and warnings to `messages`.
fn read_log(
    log: ChildStderr,
    frames: &Sender<Result<Announced, OutOfStep>>,
    messages: &Mutex<VecDeque<String>>,
) {
    let mut log = BufReader::new(log);
    let mut parser = Parser::default();
    let mut line = Vec::new();
    while read_line(&mut log, &mut line) {
        let text = String::from_utf8_lossy(&line);
        if !Parser::is_own(&text) {
            keep(&text, messages);
            continue;
        }
        let outcome = match parser.line(&text) {
            Ok(None) => continue,
            Ok(Some(frame)) => Ok(frame),
            Err(error) => Err(error),
        };
        let failed = outcome.is_err();
        // The source is gone, or will be: the rest is read only so that ffmpeg does not wait.
        if frames.send(outcome).is_err() || failed {
            while read_line(&mut log, &mut line) {}
            return;
        }
    }
    if let Some(frame) = parser.end() {
        let _ = frames.send(Ok(frame));
    }
}

/// Reads one line, without its end and no more than [`LINE`] bytes of it; `false` at the end of the pipe.
fn read_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> bool {
    line.clear();
    let mut read_any = false;
    loop {
        let chunk = match log.fill_buf() {
            Ok([]) => return read_any,
            Ok(chunk) => chunk,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return read_any,
        };
        read_any = true;
        let end = chunk.iter().position(|b| *b == b'\n');
        let (text, used) = match end {
            Some(end) => (chunk.get(..end).unwrap_or_default(), end + 1),
            None => (chunk, chunk.len()),
        };
        let room = LINE - line.len().min(LINE);
        line.extend(text.iter().take(room));
        log.consume(used);
        if end.is_some() {
            return true;
        }
    }
}

/// Keeps an error or a warning, tidied: no addresses in memory, no level, no password.
fn keep(line: &str, messages: &Mutex<VecDeque<String>>) {
    let Some((before, text)) =
        ["[error] ", "[fatal] ", "[panic] ", "[warning] "].iter().find_map(|level| line.split_once(level))
    else {
        return;
    };
    let speaker = before.trim().trim_start_matches('[').split(" @ ").next().unwrap_or_default();
    let text = redact(text.trim());
    let line = if speaker.is_empty() { text } else { format!("{speaker}: {text}") };
    let mut messages = lock(messages);
    if messages.len() >= MESSAGES {
        messages.pop_front();
    }
    messages.push_back(line.chars().take(300).collect());
}

/// Makes times that never go back of the time stamps as they come.
struct Clock {
    last: Option<f64>,
    /// Added to every stamp since the last splice.
    offset: f64,
    step: f64,
}

impl Clock {
    fn new(rate: Option<f64>) -> Self {
        Self { last: None, offset: 0.0, step: 1.0 / rate.unwrap_or(25.0) }
    }

    fn tell(&mut self, stamp: Option<f64>) -> f64 {
        let next = self.last.map_or(0.0, |last| last + self.step);
        let time = match (stamp.filter(|s| s.is_finite()), self.last) {
            (None, _) => next,
            (Some(stamp), None) => stamp,
            (Some(stamp), Some(last)) => {
                let time = stamp + self.offset;
                if time < last - SPLICE {
                    self.offset = next - stamp;
                    next
                } else {
                    time.max(last)
                }
            }
        };
        self.last = Some(time);
        time
    }
}

#[cfg(test)]
#[path = "ffmpeg_tests.rs"]
mod tests;
