//! Asks `ffprobe` what is in a file or behind an address before it is decoded. Decoding is the business of
//! [`ffmpeg`](super).

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::source::SourceError;
use crate::source::input::{Input, Tools, not_started, redact};

/// How long an address may take to answer; a file on a slow disk, too.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read of what ffprobe writes, in bytes.
const OUTPUT: u64 = 4 << 20;

/// What is known of the video before its first frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::source) struct Probe {
    /// The size of the pictures that ffmpeg will give: turned and with square pixels.
    pub(in crate::source) size: Option<(u32, u32)>,
    /// Nominal frames a second.
    pub(in crate::source) rate: Option<f64>,
    /// The number of frames that the container promises.
    pub(in crate::source) frames: Option<u64>,
    /// Where the video's time begins, in seconds.
    pub(in crate::source) start: f64,
    /// The video's length in seconds.
    pub(in crate::source) duration: Option<f64>,
    /// Whether `duration` is the video's own, not that of the whole file with its sound.
    pub(in crate::source) own_duration: bool,
    /// The demuxer's start time, which a seek is relative to.
    pub(in crate::source) container_start: f64,
    pub(in crate::source) has_sound: bool,
    /// ffmpeg's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub(in crate::source) container: String,
    /// The version of libavcodec, `(major, minor)`.
    pub(in crate::source) codec_version: (u32, u32),
}

impl Probe {
    /// Whether the container's index lets ffmpeg seek to a time surely.
    pub(in crate::source) fn is_seekable(&self) -> bool {
        ["mov", "matroska"].iter().any(|name| self.container.contains(name))
    }

    /// Whether a seek of ffmpeg leads near the time, so that it is of use where the times are checked afterwards: an
    /// MPEG stream is searched, an AVI and an FLV have an index that may be coarse or missing.
    pub(in crate::source) fn is_nearly_seekable(&self) -> bool {
        self.is_seekable() || ["avi", "mpegts", "mpeg", "flv"].contains(&self.container.as_str())
    }

    pub(in crate::source) fn is_avi(&self) -> bool {
        self.container == "avi"
    }

    /// Whether the programs know the options of ffmpeg 5.
    pub(in crate::source) fn is_modern(&self) -> bool {
        self.codec_version.0 >= 59
    }

    /// The option that makes ffmpeg hand every frame through, as this version calls it.
    pub(in crate::source) fn frame_mode_option(&self) -> &'static str {
        if self.codec_version >= (59, 37) { "-fps_mode" } else { "-vsync" }
    }
}

/// Asks ffprobe; of a live stream only the programs' version: asking would connect twice and take seconds, and a stream
/// promises nothing.
///
/// # Errors
/// [`SourceError::Missing`] without ffprobe; [`SourceError::Open`] where the address does not answer in time;
/// [`SourceError::Read`] where there is no video: only sound, only text, nothing that is known.
pub(in crate::source) fn probe(tools: &Tools, input: &Input) -> Result<Probe, SourceError> {
    let what = input.what();
    let mut command = Command::new(&tools.ffprobe);
    command.args(["-v", "error", "-of", "json", "-show_library_versions"]);
    if !input.is_live() {
        // The version is not known yet; there is a time limit in `run` besides.
        command.args(["-show_streams", "-show_format"]).args(input.arguments(true));
    }
    let (status_ok, out, messages) = run(command, &what)?;
    let reply: Reply = serde_json::from_slice(&out).unwrap_or_default();
    if input.is_live() {
        return Ok(Probe { codec_version: codec_version(&reply), ..Probe::default() });
    }
    if !status_ok || reply.format.is_none() {
        let why = match last_line(&messages) {
            Some(line) => format!("{line} (is it a video?)"),
            None => "ffprobe does not know its format; is it a video?".to_owned(),
        };
        return Err(SourceError::Read { what, why });
    }
    understand(reply).map_err(|why| SourceError::Read { what, why })
}

/// Runs to the end, or to [`PATIENCE`]: whether it succeeded, its output, its messages.
fn run(mut command: Command, what: &str) -> Result<(bool, Vec<u8>, Vec<u8>), SourceError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("AV_LOG_FORCE_NOCOLOR", "1");
    crate::source::input::own_group(&mut command);
    let mut child = command.spawn().map_err(|e| not_started(what, "ffprobe", &e))?;
    let out = collect(child.stdout.take());
    let messages = collect(child.stderr.take());
    let begun = Instant::now();
    let outcome = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status.success()),
            Ok(None) if begun.elapsed() > PATIENCE => {
                break Err(format!("no answer within {} seconds; is it reachable?", PATIENCE.as_secs()));
            }
            Ok(None) if out.is_finished() && messages.is_finished() && begun.elapsed().as_secs() > 5 => {
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

/// Reads a pipe to its end, at most [`OUTPUT`] bytes, on a thread of its own.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is still worth reading.
            let _ = pipe.take(OUTPUT).read_to_end(&mut all);
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

#[derive(Debug, Default, Deserialize)]
struct Reply {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
    #[serde(default)]
    library_versions: Vec<Library>,
}

#[derive(Debug, Deserialize)]
struct Library {
    #[serde(default)]
    name: String,
    #[serde(default)]
    major: u32,
    #[serde(default)]
    minor: u32,
}

#[derive(Debug, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    start_time: Option<String>,
    duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Stream {
    #[serde(default)]
    codec_type: String,
    codec_name: Option<String>,
    #[serde(default)]
    width: i64,
    #[serde(default)]
    height: i64,
    sample_aspect_ratio: Option<String>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    start_time: Option<String>,
    duration: Option<String>,
    nb_frames: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: i64,
}

#[derive(Debug, Default, Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
struct Tags {
    rotate: Option<String>,
}

/// Demuxers that make a video of any text.
const TEXT: [&str; 5] = ["tty", "bin", "xbin", "adf", "idf"];

/// Reads what `ffprobe` says, as far as it is more than nothing.
pub(in crate::source) fn read_reply(bytes: &[u8]) -> Result<Probe, String> {
    understand(serde_json::from_slice(bytes).unwrap_or_default())
}

fn understand(reply: Reply) -> Result<Probe, String> {
    let codec_version = codec_version(&reply);
    let format = reply.format.ok_or("ffprobe says nothing about it")?;
    if TEXT.contains(&format.format_name.as_str()) {
        return Err("it is text, not a video".to_owned());
    }
    let has_sound = reply.streams.iter().any(|s| s.codec_type == "audio");
    let is_video = |s: &&Stream| s.codec_type == "video" && s.disposition.attached_pic == 0;
    let Some(stream) = reply.streams.iter().find(is_video) else {
        return Err(match (has_sound, reply.streams.iter().any(|s| s.codec_type == "video")) {
            (true, false) => "it holds only sound, no video".to_owned(),
            (_, true) => "it holds only sound and a cover picture, no video".to_owned(),
            (false, false) => "it holds no video".to_owned(),
        });
    };
    if stream.codec_name.as_deref() == Some("ansi") {
        return Err("it is text, not a video".to_owned());
    }
    let rate = stream.avg_frame_rate.as_deref().and_then(ratio);
    let own = stream.duration.as_deref().and_then(seconds).filter(|d| *d > 0.0);
    let container_start = format.start_time.as_deref().and_then(seconds).unwrap_or(0.0);
    Ok(Probe {
        size: shown_size(stream),
        rate: rate.or_else(|| stream.r_frame_rate.as_deref().and_then(ratio)),
        frames: stream.nb_frames.as_deref().and_then(|n| n.parse().ok()).filter(|n| *n > 0),
        start: stream.start_time.as_deref().and_then(seconds).unwrap_or(container_start),
        duration: own.or_else(|| format.duration.as_deref().and_then(seconds).filter(|d| *d > 0.0)),
        own_duration: own.is_some(),
        container_start,
        has_sound,
        container: format.format_name,
        codec_version,
    })
}

/// The version of libavcodec; without a word on it one that knows the options of today.
fn codec_version(reply: &Reply) -> (u32, u32) {
    let codec = reply.library_versions.iter().find(|l| l.name == "libavcodec");
    codec.map_or((u32::MAX, 0), |l| (l.major, l.minor))
}

/// The stored size turned upright and stretched to square pixels, as the decoder's filters will do it.
fn shown_size(stream: &Stream) -> Option<(u32, u32)> {
    let (width, height) = (stream.width as f64, stream.height as f64);
    if stream.width <= 0 || stream.height <= 0 {
        return None;
    }
    let by_matrix = stream.side_data_list.iter().find_map(|s| s.rotation);
    let rotation = by_matrix.or_else(|| stream.tags.rotate.as_deref()?.parse().ok()).unwrap_or(0.0);
    let sideways = (rotation.rem_euclid(180.0) - 90.0).abs() < 1.0;
    let aspect =
        stream.sample_aspect_ratio.as_deref().and_then(|a| ratio(&a.replace(':', "/"))).unwrap_or(1.0);
    let (width, height, aspect) =
        if sideways { (height, width, aspect.recip()) } else { (width, height, aspect) };
    let (width, height) = if aspect > 1.0 {
        ((width * aspect + 0.5).trunc(), height)
    } else {
        (width, (height / aspect + 0.5).trunc())
    };
    let whole = |side: f64| (side >= 1.0 && side < f64::from(u32::MAX)).then_some(side as u32);
    Some((whole(width)?, whole(height)?))
}

/// `30000/1001` as a number above zero.
fn ratio(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/')?;
    let value = numerator.parse::<f64>().ok()? / denominator.parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(json: &str) -> Result<Probe, String> {
        understand(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_turned_video_with_wide_pixels_is_told_as_shown() {
        let probe = understood(
            r#"{"library_versions": [{"name": "libavcodec", "major": 58, "minor": 134}],
                "streams": [{"codec_type": "audio"}, {"codec_type": "video", "codec_name": "h264", "width": 720,
                "height": 576, "sample_aspect_ratio": "16:11", "avg_frame_rate": "30000/1001", "nb_frames": "60",
                "start_time": "0.5", "duration": "2.002", "side_data_list": [{"rotation": -90}]}],
                "format": {"format_name": "mov,mp4", "start_time": "0.1", "duration": "3.0"}}"#,
        )
        .unwrap();
        assert_eq!(probe.size, Some((576, 1047)));
        assert_eq!((probe.frames, probe.start, probe.duration), (Some(60), 0.5, Some(2.002)));
        assert!(probe.has_sound && probe.own_duration && !probe.is_modern());
        assert_eq!(probe.frame_mode_option(), "-vsync");
        assert!((probe.rate.unwrap() - 29.97).abs() < 0.001);
    }

    #[test]
    fn what_is_no_video_is_said_so() {
        for (json, word) in [
            (
                r#"{"streams": [{"codec_type": "audio"}], "format": {"format_name": "mp3"}}"#,
                "only sound, no video",
            ),
            (
                r#"{"streams": [{"codec_type": "audio"}, {"codec_type": "video", "disposition": {"attached_pic": 1}}],
                    "format": {"format_name": "mp3"}}"#,
                "cover picture",
            ),
            (r#"{"streams": [{"codec_type": "video"}], "format": {"format_name": "tty"}}"#, "text"),
            (r#"{"streams": [{"codec_type": "subtitle"}], "format": {"format_name": "srt"}}"#, "no video"),
        ] {
            assert!(understood(json).unwrap_err().contains(word), "{json}");
        }
    }

    #[test]
    fn nonsense_numbers_are_left_out() {
        let probe = understood(
            r#"{"streams": [{"codec_type": "video", "width": -5, "height": 9999999999, "avg_frame_rate": "0/0",
                "r_frame_rate": "x", "nb_frames": "N/A", "duration": "N/A", "start_time": "nan"}],
                "format": {"format_name": "x", "duration": "-1"}}"#,
        )
        .unwrap();
        assert_eq!((probe.size, probe.rate, probe.frames, probe.duration), (None, None, None, None));
        assert_eq!(probe.start, 0.0);
    }

    proptest::proptest! {
        #[test]
        fn no_reply_ends_the_program(a in "\\PC{0,20}", w in proptest::num::i64::ANY, r in proptest::num::f64::ANY) {
            let _ = ratio(&a);
            let _ = seconds(&a);
            let stream = Stream {
                width: w,
                height: w.wrapping_mul(7),
                sample_aspect_ratio: Some(format!("{w}:{a}")),
                side_data_list: vec![SideData { rotation: Some(r) }],
                ..Stream::default()
            };
            shown_size(&stream);
        }
    }
}
