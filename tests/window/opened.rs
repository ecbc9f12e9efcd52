//! A window of the program with its status file: what all tests of the window drive and read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::screen::Screen;
use crate::common::{Done, wait_for, wait_until};

/// How long something may take that is only waited for: more than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Opened {
    pub(crate) screen: Screen,
    pub(crate) window: String,
    pub(crate) child: Child,
    file: PathBuf,
}

impl Opened {
    /// Opens the program in a folder and waits for its window and its first status.
    pub(crate) fn start(screen: Screen, folder: &Path, arguments: &[&str]) -> Self {
        let file = folder.join("status.json");
        let path = file.display().to_string();
        let (child, window) = screen.open(folder, &[&["--status-file", &path], arguments].concat());
        wait_until("a status", PATIENCE.as_secs(), || file.is_file());
        Self { screen, window, child, file }
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(&self.file).unwrap()).expect("whole at any moment")
    }

    /// Waits until the status is such, and gives it.
    pub(crate) fn wait(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if is(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{what}: {status}");
            sleep(Duration::from_millis(30));
        }
    }

    /// Waits until a value of the status is this one.
    pub(crate) fn wait_value(&self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        self.wait(&format!("{key} = {value}"), |status| status[key] == value);
    }

    pub(crate) fn frame(&self) -> u64 {
        self.status()["frame"].as_u64().unwrap_or(0)
    }

    /// The ids and boxes of the tracks on the frame that is shown.
    pub(crate) fn tracks(&self) -> Vec<(u64, [f64; 4])> {
        tracks(&self.status())
    }

    /// Presses a key and waits until this frame is shown with its own tracks.
    pub(crate) fn press_for(&self, key: &str, frame: u64) {
        self.screen.press(key);
        self.wait_for(frame);
    }

    /// Waits until this frame is shown with its own tracks.
    pub(crate) fn wait_for(&self, frame: u64) {
        self.wait(&format!("frame {frame}"), |status| {
            status["frame"] == frame && status["seeking"] == false && status["settled"] == true
        });
    }

    pub(crate) fn click(&self, x: i32, y: i32) {
        self.screen.click(&self.window, x, y);
    }

    /// Ends it by a key.
    pub(crate) fn close(self) -> (Done, Value) {
        self.screen.press("q");
        let done = wait_for(self.child, PATIENCE.as_secs()).ok();
        let last = serde_json::from_str(&fs::read_to_string(&self.file).unwrap()).unwrap();
        (done, last)
    }

    /// Ends it by a signal, in an orderly way.
    pub(crate) fn terminate(self) {
        crate::common::signal(&self.child, "TERM");
        assert_eq!(wait_for(self.child, PATIENCE.as_secs()).code, Some(143));
    }
}

/// The ids and boxes in a status.
pub(crate) fn tracks(status: &Value) -> Vec<(u64, [f64; 4])> {
    let one = |track: &Value| {
        let rect = std::array::from_fn(|i| track["box"][i].as_f64().unwrap());
        (track["id"].as_u64().unwrap(), rect)
    };
    status["tracks"].as_array().unwrap().iter().map(one).collect()
}

/// The ids in a status, or in that of one of several sources.
pub(crate) fn ids(status: &Value) -> Vec<u64> {
    status["tracks"].as_array().unwrap().iter().map(|track| track["id"].as_u64().unwrap()).collect()
}
