//! Asks `ffprobe` what is in a file or behind an address before it is decoded; what it says is understood in
//! [`probe`](super::probe).

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::probe::{Probe, Reply, codec_version, understand};
use super::showinfo::Colours;
use crate::source::SourceError;
use crate::source::input::{Input, Options, Tools, not_started};
use crate::source::secrets::redact;

/// How long an address may take to answer; a file on a slow disk, too.
const PATIENCE: Duration = Duration::from_secs(30);
/// After this long without an answer, an address of the web is taken for a stream of pictures without an end: of such, ffprobe
/// reads the first one until it ends.
const ENDLESS: Duration = Duration::from_secs(8);
/// The most that is read of what ffprobe writes, in bytes.
const OUTPUT: u64 = 4 << 20;

/// Asks ffprobe; of a live stream only the programs' version: asking would connect twice and take seconds, and a stream
/// promises nothing.
///
/// # Errors
/// [`SourceError::Missing`] without ffprobe; [`SourceError::Open`] where the address does not answer in time;
/// [`SourceError::Read`] where there is no video: only sound, only text, nothing that is known.
pub(in crate::source) fn probe(
    tools: &Tools,
    input: &Input,
    options: &Options,
) -> Result<Probe, SourceError> {
    let (what, wanted) = (input.what(), options.stream);
    if input.is_live() {
        let mut command = Command::new(&tools.ffprobe);
        command.args(["-v", "error", "-of", "json", "-show_library_versions"]);
        let (_, out, _) = run(command, &what, PATIENCE)?;
        let reply: Reply = serde_json::from_slice(&out).unwrap_or_default();
        let stream = wanted.map(|number| format!("V:{}", number.saturating_sub(1)));
        return Ok(Probe {
            codec_version: codec_version(&reply),
            stream,
            rtsp_transport: options.rtsp_transport,
            ..Probe::default()
        });
    }
    let ask = |format: &[&str], patience| ask(tools, input, options, format, patience);
    let (reply, forced) = if input.is_http() {
        match ask(&[], ENDLESS) {
            Ok((Some(reply), _)) if reply.has_sized_video() || !reply.is_multipart() => (reply, None),
            // Cameras that send JPEG pictures in parts with headers of their own making, or one behind the other: the
            // pictures are found by their first and last bytes.
            first => match (ask(&["-f", "mjpeg"], ENDLESS), first) {
                (Ok((Some(reply), _)), _) if reply.has_sized_video() => (reply, Some("mjpeg")),
                (_, Ok((_, messages))) => return Err(unknown(what, &messages)),
                // A slow server, perhaps.
                (_, Err(SourceError::Open { .. })) => match ask(&[], PATIENCE)? {
                    (Some(reply), _) => (reply, None),
                    (None, messages) => return Err(unknown(what, &messages)),
                },
                (_, Err(error)) => return Err(error),
            },
        }
    } else {
        match ask(&[], PATIENCE)? {
            (Some(reply), _) => (reply, None),
            (None, messages) => return Err(unknown(what, &messages)),
        }
    };
    let probe =
        understand(reply, wanted, &what).map_err(|why| SourceError::Read { what: what.clone(), why })?;
    let more = probe.tells_more_of_colours();
    let colours = if more { container_colours(tools, input, &probe, &what)? } else { Colours::default() };
    Ok(Probe { forced, colours, ..probe })
}

/// What the container says of the colours: ffprobe by itself looks into the first pictures, and what their decoder says
/// takes the place of that.
fn container_colours(
    tools: &Tools,
    input: &Input,
    probe: &Probe,
    what: &str,
) -> Result<Colours, SourceError> {
    let mut command = Command::new(&tools.ffprobe);
    command.args(["-v", "error", "-of", "json", "-nofind_stream_info", "-select_streams"]);
    command.arg(probe.stream.as_deref().unwrap_or("V:0"));
    command.args(["-show_entries", "stream=color_range,color_space"]).args(probe.arguments(input));
    let (_, out, _) = run(command, what, PATIENCE)?;
    let reply: Reply = serde_json::from_slice(&out).unwrap_or_default();
    Ok(reply.colours())
}

/// What ffprobe replies, where it knows the format, and its messages.
fn ask(
    tools: &Tools,
    input: &Input,
    options: &Options,
    format: &[&str],
    patience: Duration,
) -> Result<(Option<Reply>, Vec<u8>), SourceError> {
    let mut command = Command::new(&tools.ffprobe);
    command.args(["-v", "error", "-of", "json", "-show_library_versions", "-show_streams", "-show_format"]);
    // The version is not known yet; there is a time limit in `run` besides.
    command.args(format).args(input.arguments(true, options.rtsp_transport));
    let (status_ok, out, messages) = run(command, &input.what(), patience)?;
    let reply: Reply = serde_json::from_slice(&out).unwrap_or_default();
    Ok(((status_ok && reply.is_known()).then_some(reply), messages))
}

fn unknown(what: String, messages: &[u8]) -> SourceError {
    let why = match last_line(messages) {
        Some(line) => format!("{line} (is it a video?)"),
        None => "ffprobe does not know its format; is it a video?".to_owned(),
    };
    SourceError::Read { what, why }
}

/// Runs to the end, or for as long as `patience`: whether it succeeded, its output, its messages.
fn run(
    mut command: Command,
    what: &str,
    patience: Duration,
) -> Result<(bool, Vec<u8>, Vec<u8>), SourceError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("AV_LOG_FORCE_NOCOLOR", "1");
    crate::source::input::own_group(&mut command);
    let mut child = command.spawn().map_err(|e| not_started(what, "ffprobe", &e))?;
    let too_much = Arc::new(AtomicBool::new(false));
    let out = collect(child.stdout.take(), &too_much);
    let messages = collect(child.stderr.take(), &too_much);
    let begun = Instant::now();
    let outcome = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status.success()),
            Ok(None) if begun.elapsed() > patience => {
                break Err(format!("no answer within {} seconds; is it reachable?", patience.as_secs()));
            }
            Ok(None) if too_much.load(Ordering::Relaxed) => {
                break Err("ffprobe writes without end".to_owned());
            }
            Ok(None) => thread::sleep(Duration::from_millis(3)),
            Err(e) => break Err(e.to_string()),
        }
    };
    end(&mut child);
    match outcome {
        Ok(success) => Ok((success, out.join().unwrap_or_default(), messages.join().unwrap_or_default())),
        Err(why) => Err(SourceError::Open { what: what.to_owned(), why }),
    }
}

/// Reads a pipe to its end, at most [`OUTPUT`] bytes, on a thread of its own; `too_much` is set where there are more.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    too_much: &Arc<AtomicBool>,
) -> thread::JoinHandle<Vec<u8>> {
    let too_much = Arc::clone(too_much);
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is still worth reading.
            let _ = pipe.take(OUTPUT).read_to_end(&mut all);
        }
        if all.len() as u64 == OUTPUT {
            too_much.store(true, Ordering::Relaxed);
        }
        all
    })
}

fn end(child: &mut Child) {
    // An error means that it has already ended.
    let _ = child.kill();
    let _ = child.wait();
}

fn last_line(messages: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(messages);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(redact(line).chars().take(300).collect())
}
