//! What is handed to the `ffmpeg` programs: which programs, which file or address, and how to speak of an address
//! without giving its password away.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

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
            Self::Url(url) => redact(url),
        }
    }

    /// As the user named it, for messages: the whole path, an address without its password.
    pub fn what(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => redact(url),
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

/// `text` with the user names, passwords and secret parameters of every address in it left out.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let (address, tail) = after.split_at(address_end(after));
        push_without_secrets(&mut out, address);
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Where the address ends that `text` begins with: at a space or a quote, but a password may hold a quote too.
fn address_end(text: &str) -> usize {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let host = match word.rfind('@') {
        Some(at) if may_hold_password(word) => at,
        _ => 0,
    };
    let quote = |(at, c): (usize, char)| (at >= host && matches!(c, '\'' | '"' | '<' | '>')).then_some(at);
    word.char_indices().find_map(quote).unwrap_or(word.len())
}

fn may_hold_password(address: &str) -> bool {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains([':', '@']) && !authority.starts_with('[')
}

fn push_without_secrets(out: &mut String, address: &str) {
    // A password may hold an unescaped `@`, `/`, `?` or `#`: where there can be one, all up to the last `@` is left
    // out. Better to show too little of an address than that.
    let shown = match address.rsplit_once('@') {
        Some((_, host)) if may_hold_password(address) => host,
        _ => address,
    };
    let Some((path, query)) = shown.split_once('?') else { return out.push_str(shown) };
    out.push_str(path);
    for (i, pair) in query.split('&').enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((key, _)) if is_secret(key) => {
                out.push_str(key);
                out.push_str("=…");
            }
            _ => out.push_str(pair),
        }
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["pass", "pwd", "psw", "token", "secret", "auth", "key", "sig", "user", "usr", "login", "credential"]
        .iter()
        .any(|word| key.contains(word))
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
    fn passwords_are_left_out() {
        for (text, wanted) in [
            ("rtsp://me:pw@cam.local:554/live", "rtsp://cam.local:554/live"),
            ("rtsp://me:p@ss@cam/live", "rtsp://cam/live"),
            ("rtsp://me:pa/ss@cam/live", "rtsp://cam/live"),
            ("http://cam:8080/v?user=a&password=b&x=1", "http://cam:8080/v?user=…&password=…&x=1"),
            ("http://host/a@b.mp4", "http://host/a@b.mp4"),
            ("http://[::1]:80/a@b.mp4", "http://[::1]:80/a@b.mp4"),
            (
                "Connection to tcp://me:pw@cam:554?timeout=0 failed",
                "Connection to tcp://cam:554?timeout=0 failed",
            ),
            ("'http://u:p@a/b': no, 'http://v:q@c/d': no", "'http://a/b': no, 'http://c/d': no"),
            ("http://cam:80: refused", "http://cam:80: refused"),
            ("http://cam:80/a@b.mp4", "http://b.mp4"),
            ("rtsp://me:p'w@cam/x", "rtsp://cam/x"),
            ("'rtsp://m<e:p\"w@cam/x': no", "'rtsp://cam/x': no"),
            ("no address", "no address"),
        ] {
            assert_eq!(redact(text), wanted);
        }
    }

    #[test]
    fn odd_file_names_stay_files() {
        for name in ["-i.mp4", "a:b.mp4", "50%d.mp4", "http.mp4"] {
            let all = Input::File(name.into()).arguments(true, RtspTransport::Auto);
            assert_eq!(all, ["-i".into(), OsString::from(format!("file:{name}"))]);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_password_never_shows(
            password in "[A-Za-z0-9:/?#@%&='<>]{0,12}Zq7[A-Za-z0-9:/?#@%&='<>]{0,12}",
        ) {
            let shown = redact(&format!("rtsp://admin:{password}@camera.local/live"));
            proptest::prop_assert!(!shown.contains("Zq7"), "{shown}");
        }

        #[test]
        fn any_text_can_be_shown(text in "\\PC{0,80}") {
            redact(&text);
            redact(&format!("://{text}://{text}@"));
        }
    }
}
