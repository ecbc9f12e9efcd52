//! An X server of the test's own, with a window of the program on it, driven by keys and mouse.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use image::RgbImage;

use super::{Done, has, trailsight};

/// One window at a time: two at once are slow on two cores, and keys go to the one with the focus.
static TURN: Mutex<()> = Mutex::new(());

/// An X server of its own, gone with this value.
pub struct Screen {
    server: Child,
    display: String,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Screen {
    /// Starts a server on a free display; `None`, said aloud, where a tool is missing.
    pub fn start() -> Option<Self> {
        Self::with_depth(24)
    }

    /// The same with so many bits a pixel.
    pub fn with_depth(depth: u8) -> Option<Self> {
        if !["Xvfb", "xdotool", "import", "setxkbmap"].into_iter().all(has) {
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // Without -noreset the server starts over, and turns away who comes just then, each time its last client goes: here
        // that is every look for a window that is not there yet.
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                &format!("1000x800x{depth}"),
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("stdout"))
            .read_line(&mut number)
            .expect("a display number");
        Some(Self { server, display: format!(":{}", number.trim()), _turn: turn })
    }

    /// Runs a program on this display; gives what it wrote.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output =
            Command::new(program).args(arguments).env("DISPLAY", &self.display).output().expect(program);
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts the program in a folder.
    pub fn spawn(&self, folder: &Path, arguments: &[&str]) -> Child {
        trailsight()
            .env("DISPLAY", &self.display)
            .current_dir(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts")
    }

    /// Starts the program in a folder and waits for its window.
    pub fn open(&self, folder: &Path, arguments: &[&str]) -> (Child, String) {
        let mut child = self.spawn(folder, arguments);
        let find = || {
            let found = Command::new("xdotool")
                .args(["search", "--name", "trailsight"])
                .env("DISPLAY", &self.display)
                .output()
                .expect("xdotool");
            String::from_utf8_lossy(&found.stdout).lines().next().map(str::to_owned)
        };
        let until = Instant::now() + Duration::from_secs(30);
        let window = loop {
            if let Some(window) = find() {
                break window;
            }
            if Instant::now() > until || child.try_wait().expect("wait").is_some() {
                child.kill().expect("kill");
                panic!("no window came: {:#?}", Done::of(&child.wait_with_output().expect("output")));
            }
            sleep(Duration::from_millis(50));
        };
        self.run("xdotool", &["windowfocus", "--sync", &window]);
        (child, window)
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Presses and lets go of a key, as long as a person does.
    pub fn press(&self, key: &str) {
        self.run("xdotool", &["keydown", key]);
        sleep(Duration::from_millis(120));
        self.run("xdotool", &["keyup", key]);
        sleep(Duration::from_millis(400));
    }

    /// Points at a pixel of a window and clicks, as long as a person does.
    pub fn click(&self, window: &str, x: i32, y: i32) {
        self.run("xdotool", &["mousemove", "--window", window, &x.to_string(), &y.to_string()]);
        sleep(Duration::from_millis(150));
        self.run("xdotool", &["mousedown", "1"]);
        sleep(Duration::from_millis(150));
        self.run("xdotool", &["mouseup", "1"]);
        sleep(Duration::from_millis(300));
    }

    /// What a window shows once it is like this; `None` when it never is.
    pub fn shot_when(&self, window: &str, folder: &Path, is: impl Fn(&RgbImage) -> bool) -> Option<RgbImage> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let shot = self.shot(window, folder);
            if is(&shot) {
                return Some(shot);
            }
            if Instant::now() > until {
                return None;
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// What a window shows once it does not change any more.
    pub fn still(&self, window: &str, folder: &Path) -> RgbImage {
        let mut before = self.shot(window, folder);
        for _ in 0..60 {
            // Longer than from a frame of the slowest recording here to the next.
            sleep(Duration::from_millis(700));
            let shot = self.shot(window, folder);
            if shot == before {
                return shot;
            }
            before = shot;
        }
        panic!("the window never stands still");
    }

    /// What a window shows.
    pub fn shot(&self, window: &str, folder: &Path) -> RgbImage {
        let file = folder.join("shot.png");
        self.run("import", &["-window", window, "-depth", "8", &file.display().to_string()]);
        let picture = image::open(&file).expect("a screenshot").to_rgb8();
        fs::remove_file(file).unwrap();
        picture
    }
}
