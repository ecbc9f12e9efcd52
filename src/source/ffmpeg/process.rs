//! The `ffmpeg` child process: its command, its beginning and its end, the thread that reads its log, and the clock that
//! makes source times of its time stamps. What it gives is taken by [`ffmpeg`](super).

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::probe::{Probe, is_timeless};
use super::showinfo::{Announced, OutOfStep, Parser};
use crate::source::SourceError;
use crate::source::input::{Input, Tools, not_started, own_group};
use crate::source::secrets::redact;
use crate::sync::lock;

/// Announced frames that may wait for their bytes to be read. ffmpeg's own queues between its threads are shorter, so
/// that the log thread never waits while ffmpeg still has frames to write.
const AHEAD: usize = 512;
/// The longest line of the log that is looked at, in bytes; the rest of a longer one is dropped.
pub(super) const LINE: usize = 4096;
/// How many of the decoder's last messages are kept.
pub(super) const MESSAGES: usize = 20;
/// Microseconds of a stream that may be looked at before its first frame is given; 5 s otherwise.
const LOOK: &str = "1500000";
/// A time stamp that goes back by more than this is a new beginning (a looped or spliced stream), not a slip.
pub(super) const SPLICE: f64 = 1.0;
/// In a container whose clock may begin anew, a time stamp that goes ahead by more than this is a new beginning too.
/// As ffmpeg does without `-copyts` (`dts_delta_threshold`).
pub(super) const JUMP: f64 = 10.0;

/// Frames that are farther apart than this, in seconds, tell nothing of where the next one without a time stamp belongs.
const PAUSE: f64 = 1.0;

/// What a decoder says: its last messages, tidied.
pub(super) type Messages = Arc<Mutex<VecDeque<String>>>;

/// What comes out of a child.
pub(super) struct Output {
    /// The raw frames.
    pub(super) pictures: ChildStdout,
    /// What is told of each frame, in the same order.
    pub(super) log: Receiver<Result<Announced, OutOfStep>>,
    pub(super) messages: Messages,
    /// Whether the container has no times of its own. Known once the first frame is announced.
    pub(super) timeless: Arc<AtomicBool>,
}

/// Starts a child that decodes from the beginning, or from `seek` (seconds after the container's start).
///
/// # Errors
/// [`SourceError::Missing`] without the program, [`SourceError::Open`] where it or a thread cannot be started.
pub(super) fn start(
    tools: &Tools,
    input: &Input,
    probe: &Probe,
    seek: Option<f64>,
) -> Result<(Child, Output), SourceError> {
    let what = input.what();
    let mut command = decode_command(tools, input, probe, seek);
    let mut child = command.spawn().map_err(|e| not_started(&what, "ffmpeg", &e))?;
    let (Some(pictures), Some(log)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(SourceError::Open { what, why: "ffmpeg's output is not connected".to_owned() });
    };
    let messages = Messages::default();
    let (sender, receiver) = bounded(AHEAD);
    let kept = Arc::clone(&messages);
    let timeless = Arc::new(AtomicBool::new(false));
    let found = Arc::clone(&timeless);
    // Ends with the pipe, which ends with the child; nobody has to wait for it.
    let reader = thread::Builder::new().name("ffmpeg log".to_owned());
    if let Err(e) = reader.spawn(move || read_log(log, &sender, &kept, &found)) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(SourceError::Open { what, why: format!("cannot start a thread for ffmpeg's log: {e}") });
    }
    Ok((child, Output { pictures, log: receiver, messages, timeless }))
}

/// Ends the child and takes its exit status, so that nothing is left of it. Harmless when it has ended already.
pub(super) fn end(child: &Mutex<Child>) {
    let mut child = lock(child);
    let _ = child.kill();
    let _ = child.wait();
}

fn decode_command(tools: &Tools, input: &Input, probe: &Probe, seek: Option<f64>) -> Command {
    // Pixels that are not square are stretched to squares; the filter leaves square ones alone. By each frame: the shape
    // of the pixels may change where the size does not, and no new filters are built then.
    let filters = format!(
        "scale=w='if(gt(sar,1),trunc(iw*sar+.5),iw)':h='if(gt(sar,0)*lt(sar,1),trunc(ih/sar+.5),ih)':eval=frame,\
         setsar=1,format={},showinfo=checksum=0",
        probe.transfer.formats()
    );
    let mut command = Command::new(&tools.ffmpeg);
    command.args(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+info", "-copyts"]);
    if let Some(seconds) = seek {
        command.arg("-ss").arg(format!("{seconds:.6}"));
    }
    if input.is_stream(probe.duration) {
        // What is sent as it happens is not kept back to be put into a better order. Not `nobuffer`: it throws away
        // the packets that were looked at to find out what is sent, and with them perhaps the only key frame for long.
        // Nor is it looked how far apart pictures are: their times are taken as they are.
        command.args(["-flags", "low_delay", "-analyzeduration", LOOK, "-fpsprobesize", "0"]);
    }
    command.args(probe.arguments(input));
    match &probe.stream {
        Some(index) => command.arg("-map").arg(format!("0:{index}")),
        // Nobody was asked which streams there are: ffmpeg takes the video with the most pixels.
        None => command.args(["-an", "-sn", "-dn"]),
    };
    command.args(["-vf", &filters, probe.frame_mode_option(), "passthrough"]);
    if probe.can_change_size() {
        // Else every picture is scaled to the size of the first one, behind the filter that tells their sizes.
        command.arg("-noautoscale");
    }
    command.args(["-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("AV_LOG_FORCE_NOCOLOR", "1").env_remove("AV_LOG_FORCE_COLOR");
    own_group(&mut command);
    command
}

/// Reads ffmpeg's log to its end: frames to `frames`, errors and warnings to `messages`.
fn read_log(
    log: ChildStderr,
    frames: &Sender<Result<Announced, OutOfStep>>,
    messages: &Mutex<VecDeque<String>>,
    timeless: &AtomicBool,
) {
    let mut log = BufReader::new(log);
    let mut parser = Parser::default();
    let mut line = Vec::new();
    while read_line(&mut log, &mut line) {
        let text = String::from_utf8_lossy(&line);
        if !Parser::is_own(&text) {
            if let Some(container) = container_of(&text) {
                timeless.store(is_timeless(container), Ordering::Relaxed);
            }
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

/// The container that ffmpeg has found, from its line `[info] Input #0, matroska,webm, from 'file:a.mkv':`.
pub(super) fn container_of(line: &str) -> Option<&str> {
    Some(line.strip_prefix("[info] Input #0, ")?.split_once(", from ")?.0)
}

/// Reads one line, without its end and no more than [`LINE`] bytes of it; `false` at the end of the pipe.
pub(super) fn read_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> bool {
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
pub(super) fn keep(line: &str, messages: &Mutex<VecDeque<String>>) {
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
pub(super) struct Clock {
    /// The last time told.
    pub(super) last: Option<f64>,
    /// Added to every stamp since the last splice.
    offset: f64,
    /// From one frame to the next in seconds: as seen last, before that by the nominal rate.
    step: f64,
    /// A stamp that is farther ahead, in seconds, is a new beginning.
    jump: f64,
    /// Whether the stamps began anew: what a container tells of its length is nothing then.
    pub(super) began_anew: bool,
}

impl Clock {
    /// `spliced`: the container's clock may begin anew in the middle.
    pub(super) fn new(rate: Option<f64>, spliced: bool) -> Self {
        let step = 1.0 / rate.unwrap_or(25.0);
        // Pictures may come once in minutes.
        let jump = if spliced { JUMP.max(3.0 * step) } else { f64::INFINITY };
        Self { last: None, offset: 0.0, step, jump, began_anew: false }
    }

    pub(super) fn tell(&mut self, stamp: Option<f64>) -> f64 {
        let next = self.last.map_or(0.0, |last| last + self.step);
        let time = match (stamp.filter(|s| s.is_finite()), self.last) {
            (None, _) => next,
            (Some(stamp), None) => stamp,
            (Some(stamp), Some(last)) => {
                let time = stamp + self.offset;
                if time < last - SPLICE || time > last + self.jump {
                    self.offset = next - stamp;
                    self.began_anew = true;
                    next
                } else {
                    time.max(last)
                }
            }
        };
        // The nominal rate may be that of fields or of the codec's clock. A pause is no step.
        let seen = self.last.map_or(0.0, |last| time - last);
        if seen > 0.0 && seen <= PAUSE && stamp.is_some() {
            self.step = seen;
        }
        self.last = Some(time);
        time
    }
}
