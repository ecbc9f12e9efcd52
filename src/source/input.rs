//! What is handed to the `ffmpeg` programs: which programs, which file or address, and what a person calls it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::secrets::{learn, redact};
use super::{RtspTransport, SourceError};

/// The two programs that read videos; by default found on the PATH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// Decodes.
    pub ffmpeg: PathBuf,
    /// Tells what is in a file or behind an address.
    pub ffprobe: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into() }
    }
}

/// What can be asked of the programs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Frames before this time, in seconds after the first frame, may be left out where the container can seek.
    pub start: Option<f64>,
    /// Which video, where there are several, counted from 1; `None`: the one that players show.
    pub stream: Option<u32>,
    /// How the pictures of an RTSP server are sent.
    pub rtsp_transport: RtspTransport,
}

/// A video file, or the address of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file of this machine.
    File(PathBuf),
    /// `scheme://…`, with its password if it has one.
    Url(String),
}

impl Input {
    /// What a person calls it: a file's name, an address without its password.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => super::file_name(path),
            Self::Url(url) => shown(url),
        }
    }

    /// As the user named it, for messages: the whole path, an address without its password.
    pub fn what(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => shown(url),
        }
    }

    /// The path, where this is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Url(_) => None,
        }
    }

    /// Whether this is the address of something that is sent as it happens. An HTTP address may be that or a file: only
    /// asking tells.
    pub fn is_live(&self) -> bool {
        const LIVE: [&str; 10] =
            ["rtsp", "rtsps", "rtp", "udp", "srt", "rist", "tcp", "tls", "rtmp", "rtmps"];
        matches!(self, Self::Url(url) if LIVE.contains(&scheme(url).as_str()))
    }

    /// Whether this is an address of the web.
    pub(super) fn is_http(&self) -> bool {
        matches!(self, Self::Url(url) if matches!(scheme(url).as_str(), "http" | "https"))
    }

    /// Whether this is a network stream: an address of something without a known length (seconds).
    pub(super) fn is_stream(&self, duration: Option<f64>) -> bool {
        matches!(self, Self::Url(_)) && duration.is_none()
    }

    /// The options that belong in front of `-i`, and the argument of `-i`. `modern` where the programs are of version
    /// 5 or later.
    pub(super) fn arguments(&self, modern: bool, rtsp: RtspTransport) -> Vec<OsString> {
        let mut all: Vec<OsString> = Vec::new();
        let address = match self {
            Self::File(path) => {
                // Without it, a colon in a name reads as a protocol and a leading dash as an option.
                let mut address = OsString::from("file:");
                address.push(path);
                address
            }
            Self::Url(url) => {
                // What the programs say of it may hold its password anywhere.
                learn(url);
                // Microseconds after which a silent peer counts as gone.
                const PATIENCE: &str = "15000000";
                match scheme(url).as_str() {
                    "rtsp" | "rtsps" => {
                        let timeout = if modern { "-timeout" } else { "-stimeout" };
                        let way = match rtsp {
                            RtspTransport::Auto => ["-rtsp_flags", "prefer_tcp"],
                            RtspTransport::Tcp => ["-rtsp_transport", "tcp"],
                            RtspTransport::Udp => ["-rtsp_transport", "udp"],
                        };
                        all.extend(way.map(Into::into));
                        all.extend([timeout, PATIENCE].map(Into::into));
                    }
                    "http" | "https" | "tcp" | "tls" | "rtmp" | "rtmps" => {
                        all.extend(["-rw_timeout", PATIENCE].map(Into::into));
                    }
                    "udp" => all.extend(["-timeout", PATIENCE].map(Into::into)),
                    _ => {}
                }
                url.into()
            }
        };
        all.extend(["-i".into(), address]);
        all
    }
}

/// An address without its password, which no text shows from now on.
fn shown(url: &str) -> String {
    learn(url);
    redact(url)
}

fn scheme(url: &str) -> String {
    url.split("://").next().unwrap_or_default().to_ascii_lowercase()
}

/// The error of a program that cannot be started.
pub(super) fn not_started(what: &str, program: &'static str, error: &io::Error) -> SourceError {
    if error.kind() != io::ErrorKind::NotFound {
        return SourceError::Open {
            what: what.to_owned(),
            why: format!("{program} cannot be started: {error}"),
        };
    }
    let hint = "install ffmpeg (Debian, Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; Windows: winget \
                install ffmpeg). Motion-JPEG AVI files and images play without it";
    SourceError::Missing { what: what.to_owned(), program, hint: hint.to_owned() }
}

/// Puts the child into a process group of its own: Ctrl-C is for this program, which then ends the child in order.
pub(super) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_file_names_stay_files() {
        for name in ["-i.mp4", "a:b.mp4", "50%d.mp4", "http.mp4"] {
            let all = Input::File(name.into()).arguments(true, RtspTransport::Auto);
            assert_eq!(all, ["-i".into(), OsString::from(format!("file:{name}"))]);
        }
    }
}
