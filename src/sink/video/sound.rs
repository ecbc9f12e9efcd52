//! The sound that goes into a video beside its pictures: which tracks of the file can be written, and how. Each track is
//! tried out by itself, so that one that no decoder knows costs neither the others nor the video.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::ffmpeg::{Container, PROGRAM, file_url};

/// The program that tells what is in a file.
const PROBE: &str = "ffprobe";
/// Sound that begins earlier than the pictures by more than this many seconds is kept, and the pictures wait for it. What is
/// less is the lead that an encoder needs (21 ms of AAC).
const LEAD: f64 = 0.1;
/// The longest such wait in seconds; sound from before it is left out.
const LONGEST_LEAD: f64 = 60.0;
/// How much is tried out: so many packets, from this much of the file.
const PACKETS: &str = "20";
const SECONDS: &str = "60";

/// The sound of a file, as far as it can be written into a video.
#[derive(Debug)]
pub(super) struct Sound {
    path: PathBuf,
    tracks: Vec<Track>,
    /// Where the pictures of the file begin on its own clock, in seconds.
    pictures: f64,
}

/// A track that can be written.
#[derive(Debug)]
struct Track {
    /// Its number among all streams of the file.
    stream: usize,
    /// `copy`, or what it is encoded with.
    codec: &'static str,
    /// Where it begins on the file's clock, in seconds.
    start: f64,
}

impl Sound {
    /// Looks for what can be written into `container`. What cannot is told, with the name of the video; `None` where nothing
    /// can, or there is no sound.
    pub(super) fn usable(path: &Path, container: Container, video: &str) -> Option<Self> {
        let streams = match streams(path) {
            Ok(streams) => streams,
            Err(why) => {
                log::warn!("{video}: it has no sound, for {} cannot be read: {why}", path.display());
                return None;
            }
        };
        let is_picture =
            |stream: &&Stream| stream.codec_type == "video" && stream.disposition.attached_pic == 0;
        let start = |stream: &Stream| stream.start_time.as_deref().and_then(seconds).unwrap_or(0.0);
        let pictures = streams.iter().find(is_picture).map_or(0.0, start);
        let sounds: Vec<&Stream> = streams.iter().filter(|stream| stream.codec_type == "audio").collect();
        let mut tracks = Vec::new();
        for (number, stream) in sounds.iter().enumerate() {
            // What ffmpeg has no name for it might copy, but without what a player needs to know of it.
            let works = |codec: &&'static str| {
                stream.known_codec().is_some() && can_be_written(path, stream.index, codec, container)
            };
            if let Some(codec) = ["copy", container.sound_codec()].into_iter().find(works) {
                tracks.push(Track { stream: stream.index, codec, start: start(stream) });
                continue;
            }
            let which = if sounds.len() == 1 {
                "the sound".to_owned()
            } else {
                format!("track {} of the {} sound tracks", number + 1, sounds.len())
            };
            log::warn!(
                "{video}: {which} of {} is left out: this ffmpeg can neither decode {} nor copy it",
                path.display(),
                stream.known_codec().or(stream.codec_tag_string.as_deref()).unwrap_or("it")
            );
        }
        (!tracks.is_empty()).then(|| Self { path: path.to_owned(), tracks, pictures })
    }

    /// The arguments that add the sound as the second input, for pictures whose first has the source time `origin` and is the
    /// video's 0 or comes after [`Sound::lead`].
    pub(super) fn arguments(&self, origin: f64) -> Vec<OsString> {
        let shift = self.lead(origin) - self.base(origin);
        let mut all: Vec<OsString> =
            ["-copyts", "-itsoffset", &format!("{shift:.6}"), "-i"].map(Into::into).into();
        all.push(file_url(&self.path));
        all.extend(["-map", "0:v:0"].map(Into::into));
        for (number, track) in self.tracks.iter().enumerate() {
            all.extend(["-map".to_owned(), format!("1:{}", track.stream)].map(Into::into));
            all.extend([format!("-c:a:{number}"), track.codec.to_owned()].map(Into::into));
        }
        all
    }

    /// How much earlier than the first picture the sound begins, in seconds: so much later the pictures begin in the video.
    pub(super) fn lead(&self, origin: f64) -> f64 {
        let first = self.tracks.iter().map(|track| track.start).fold(f64::INFINITY, f64::min);
        let lead = self.base(origin) - first;
        if (LEAD..=LONGEST_LEAD).contains(&lead) { lead } else { 0.0 }
    }

    /// The first picture on the file's clock. Source times are on that clock, or count from the first picture.
    fn base(&self, origin: f64) -> f64 {
        if origin == 0.0 { self.pictures } else { origin }
    }
}

/// Whether the beginning of a track can be copied or encoded into such a file.
fn can_be_written(path: &Path, stream: usize, codec: &str, container: Container) -> bool {
    let mut command = Command::new(PROGRAM);
    command.args(["-nostdin", "-loglevel", "quiet", "-t", SECONDS, "-i"]).arg(file_url(path));
    command.args(["-map", &format!("0:{stream}"), "-c", codec, "-frames:a", PACKETS]);
    command.args(container.arguments()).arg("pipe:1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What is in a file.
fn streams(path: &Path) -> Result<Vec<Stream>, String> {
    let mut command = Command::new(PROBE);
    command.args(["-v", "error", "-of", "json", "-show_entries"]);
    command.arg(
        "stream=index,codec_type,codec_name,codec_tag_string,start_time:stream_disposition=attached_pic",
    );
    let told = command.arg(file_url(path)).stdin(Stdio::null()).output();
    let told = told.map_err(|error| format!("{PROBE} cannot be started: {error}"))?;
    let reply: Result<Reply, _> = serde_json::from_slice(&told.stdout);
    match reply {
        Ok(reply) if told.status.success() => Ok(reply.streams),
        _ => Err(String::from_utf8_lossy(&told.stderr).lines().last().unwrap_or("no answer").to_owned()),
    }
}

#[derive(Debug, Deserialize)]
struct Reply {
    #[serde(default)]
    streams: Vec<Stream>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    index: usize,
    #[serde(default)]
    codec_type: String,
    codec_name: Option<String>,
    codec_tag_string: Option<String>,
    start_time: Option<String>,
    #[serde(default)]
    disposition: Disposition,
}

#[derive(Debug, Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: i64,
}

impl Stream {
    /// The name of its codec, where `ffmpeg` has one.
    fn known_codec(&self) -> Option<&str> {
        self.codec_name.as_deref().filter(|name| !["none", "unknown"].contains(name))
    }
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(pictures: f64, starts: &[f64]) -> Sound {
        let track = |(stream, &start): (usize, &f64)| Track { stream: stream + 1, codec: "copy", start };
        Sound { path: "a.mp4".into(), tracks: starts.iter().enumerate().map(track).collect(), pictures }
    }

    #[test]
    fn sound_stays_with_the_pictures_whatever_clock_the_source_has() {
        let shift =
            |sound: &Sound, origin: f64| sound.arguments(origin)[2].to_str().unwrap().parse::<f64>().unwrap();
        // A transport stream: its clock begins at 1.4 s, and the source counts so, or from its first picture on.
        let stream = sound(1.4, &[1.38, 1.42]);
        assert_eq!((shift(&stream, 1.4), shift(&stream, 0.0), stream.lead(0.0)), (-1.4, -1.4, 0.0));
        // Its first pictures could not be decoded.
        assert_eq!((shift(&stream, 1.44), stream.lead(1.44)), (-1.44, 0.0));
        // Pictures that begin a second after the sound wait for it.
        let late = sound(1.0, &[0.0]);
        assert_eq!((shift(&late, 1.0), late.lead(1.0)), (0.0, 1.0));
        // Sound that begins later, or nonsense.
        assert_eq!((shift(&sound(0.0, &[2.0]), 0.0), sound(0.0, &[2.0]).lead(0.0)), (0.0, 0.0));
        assert_eq!(sound(0.0, &[-7200.0]).lead(0.0), 0.0);
    }
}
