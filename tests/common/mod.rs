//! What the whole-program tests share: running the binary, waiting for it, making throw-away inputs.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

pub mod golden;
#[cfg(feature = "window")]
pub mod screen;
pub mod video;
#[cfg(feature = "cli")]
pub mod web;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub fn trailsight() -> Command {
    #[cfg(unix)]
    default_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailsight"));
    // The user's own settings and display are not part of a test.
    command.env_remove("TRAILSIGHT_CONFIG").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("XDG_CACHE_HOME", "/nonexistent")
        .env("XDG_STATE_HOME", "/nonexistent")
        .stdin(Stdio::null());
    for token in ["TRAILSIGHT_WEBHOOK_TOKEN", "TRAILSIGHT_MQTT_USER"] {
        command.env_remove(token);
    }
    command.env_remove("TRAILSIGHT_MODEL_TABLE").env_remove("SSL_CERT_FILE");
    for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command
}

/// A shell starts a background job with SIGINT ignored, and what is ignored here stays ignored in the program. What is caught
/// here has its default there.
#[cfg(unix)]
fn default_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| mask >> (signal - 1) & 1 == 1) {
            signal_hook::flag::register(signal, std::sync::Arc::default()).unwrap();
        }
    });
}

/// Runs the program in a folder.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Done {
    let output = trailsight().current_dir(folder).args(arguments).output().expect("the program starts");
    Done::of(&output)
}

/// What a finished program said.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts success.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Asserts an exit code, words on standard error, and that nothing panicked.
    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "\"{word}\" is missing in {self:#?}");
        }
        self
    }
}

/// The repository's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The demo clip as a file.
pub fn demo() -> String {
    root().join("assets/demo.avi").display().to_string()
}

/// Says what is missing and that the test is left out; with `REQUIRE_TOOLS=1` that is a failure.
pub fn missing(what: &str) {
    assert!(std::env::var_os("REQUIRE_TOOLS").is_none_or(|value| value != "1"), "{what} is not installed");
    println!("skipped: {what} is not installed");
}

/// Whether a program is installed; see [`missing`] where it is not.
pub fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    if !found {
        missing(program);
    }
    found
}

/// Runs ffmpeg to make an input.
pub fn ffmpeg(arguments: &[&str]) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Asks ffprobe for one value of the video stream.
pub fn probe(file: &Path, entry: &str) -> String {
    let arguments = ["-v", "error", "-select_streams", "v:0", "-count_packets", "-of", "default=nk=1:nw=1"];
    let output = Command::new("ffprobe")
        .args(arguments)
        .args(["-show_entries", &format!("stream={entry}")])
        .arg(file)
        .output()
        .expect("ffprobe");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Sends a signal by name.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

/// Waits until `check` holds; fails after `seconds`.
pub fn wait_until(what: &str, seconds: u64, mut check: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !check() {
        assert!(Instant::now() < until, "{what} did not happen within {seconds} s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits for a child's end; kills it and fails after `seconds`.
pub fn wait_for(mut child: Child, seconds: u64) -> Done {
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        if child.try_wait().expect("wait").is_some() {
            return Done::of(&child.wait_with_output().expect("output"));
        }
        if Instant::now() > until {
            child.kill().expect("kill");
            let done = Done::of(&child.wait_with_output().expect("output"));
            panic!("it did not end within {seconds} s: {done:#?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A `PATH` with nothing on it but what the test puts there.
pub fn empty_path(folder: &Path) -> &OsStr {
    folder.as_os_str()
}

/// One row of a MOTChallenge track file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotRow {
    pub frame: u32,
    pub id: u64,
    /// left, top, width, height
    pub rect: [f32; 4],
    pub score: f32,
    pub class: i32,
}

/// Reads a MOTChallenge track file; fails on anything that is not one.
pub fn read_mot(text: &str) -> Vec<MotRow> {
    text.lines()
        .map(|line| {
            let v: Vec<f64> = line.split(',').map(|field| field.parse().expect(line)).collect();
            assert_eq!(v.len(), 10, "{line}");
            MotRow {
                frame: v[0] as u32,
                id: v[1] as u64,
                rect: [v[2] as f32, v[3] as f32, v[4] as f32, v[5] as f32],
                score: v[6] as f32,
                class: v[7] as i32,
            }
        })
        .collect()
}

/// Intersection over union of two boxes `[left, top, width, height]`, on its own so that tests do not trust the program's.
pub fn iou(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let overlap = |a0: f32, al: f32, b0: f32, bl: f32| ((a0 + al).min(b0 + bl) - a0.max(b0)).max(0.0);
    let shared = overlap(a[0], a[2], b[0], b[2]) * overlap(a[1], a[3], b[1], b[3]);
    shared / (a[2] * a[3] + b[2] * b[3] - shared)
}
