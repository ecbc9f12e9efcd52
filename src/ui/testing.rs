//! A source and settings for tests of the window program without a window.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event::Event;
use super::memory::Presented;
use crate::config::{Live, Loaded};
use crate::frame::{Frame, Picture};
use crate::source::{Source, SourceError, SourceInfo, SourceKind};

/// Width and height of the pictures.
pub(crate) const SIZE: (u32, u32) = (96, 72);
/// Frames a second.
pub(crate) const RATE: f64 = 20.0;

/// A recording of pictures of one colour: red counts the frames in steps of 4, green is the given shade.
pub(crate) struct Colours {
    info: SourceInfo,
    shade: u8,
    next: u64,
}

impl Colours {
    pub(crate) fn new(frames: u64, shade: u8) -> Self {
        let info = SourceInfo {
            name: format!("shade {shade}"),
            kind: SourceKind::Recording,
            size: Some(SIZE),
            rate: Some(RATE),
            frames: Some(frames),
            duration: Some(frames as f64 / RATE),
            sound: None,
        };
        Self { info, shade, next: 0 }
    }
}

/// The colour of a frame, `0x00RRGGBB`.
pub(crate) fn colour(sequence: u64, shade: u8) -> u32 {
    u32::from_be_bytes([0, (sequence * 4) as u8, shade, 30])
}

impl Source for Colours {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        let sequence = self.next;
        if Some(sequence) == self.info.frames {
            return Ok(None);
        }
        self.next += 1;
        let [_, red, green, blue] = colour(sequence, self.shade).to_be_bytes();
        let picture = Picture::filled(SIZE.0, SIZE.1, [red, green, blue]).expect("a small picture");
        Ok(Some(Frame {
            picture: Arc::new(picture),
            sequence,
            time: sequence as f64 / RATE,
            captured: Instant::now(),
            file: None,
        }))
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        self.next = (time.max(0.0) * RATE) as u64;
        Ok(true)
    }
}

/// The settings of this config file, which is made in `folder`.
pub(crate) fn live(folder: &tempfile::TempDir, text: &str) -> (Live, PathBuf) {
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("a file in a new folder");
    (Live::new(Loaded::load(Some(&path), &[]).expect("good settings")), path)
}

/// A step of a [`script`]: looks at what was presented, and gives the events to send once it is what was waited for.
pub(crate) type Step<'a> = Box<dyn FnMut(&Presented) -> Option<Vec<Event>> + 'a>;

/// A script of steps, one after the other. A step that is not reached in half a minute fails the test.
pub(crate) fn script<'a>(steps: Vec<(&'static str, Step<'a>)>) -> impl FnMut(&Presented) -> Vec<Event> + 'a {
    let (mut steps, mut since) = (steps.into_iter().peekable(), Instant::now());
    move |presented| {
        let Some((name, step)) = steps.peek_mut() else { return Vec::new() };
        assert!(since.elapsed() < Duration::from_secs(30), "waited in vain for: {name}");
        let Some(events) = step(presented) else { return Vec::new() };
        steps.next();
        since = Instant::now();
        events
    }
}

/// The pixel in the middle.
pub(crate) fn middle(presented: &Presented) -> u32 {
    let canvas = &presented.canvas;
    let at = canvas.height() / 2 * canvas.width() + canvas.width() / 2;
    canvas.pixels().get(at).copied().unwrap_or(0)
}
