//! A source of one picture, for ever, as fast as it is read, beginning wherever one likes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trailsight::frame::{Frame, Picture};
use trailsight::source::{Source, SourceError, SourceInfo, SourceKind};

/// The size of the demo clip.
pub(crate) const SIZE: (u32, u32) = (768, 576);

/// From one frame to the next, in seconds; no number of them makes a time that settings have.
pub(crate) const STEP: f64 = 1_001.0 / 30_000.0;

/// Number and source time of the first frame.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Begin {
    pub(crate) sequence: u64,
    pub(crate) time: f64,
}

pub(crate) struct Clip {
    info: SourceInfo,
    picture: Arc<Picture>,
    begin: Begin,
    frames: u64,
    given: u64,
    /// Frames come at a pace, with the stamps of the wall's clock.
    opened: Option<Instant>,
}

impl Clip {
    pub(crate) fn new(kind: SourceKind, begin: Begin, frames: u64) -> Self {
        let info = SourceInfo {
            name: "clip".to_owned(),
            kind,
            size: Some(SIZE),
            rate: Some(1.0 / STEP),
            frames: (!kind.is_live()).then_some(frames),
            duration: (!kind.is_live()).then_some(frames as f64 * STEP),
            sound: None,
        };
        let picture = Arc::new(Picture::filled(SIZE.0, SIZE.1, [90; 3]).unwrap());
        Self { info, picture, begin, frames, given: 0, opened: None }
    }

    pub(crate) fn live(begin: Begin, frames: u64, picture: &Arc<Picture>) -> Self {
        let picture = Arc::clone(picture);
        Self { picture, opened: Some(Instant::now()), ..Self::new(SourceKind::Camera, begin, frames) }
    }
}

impl Source for Clip {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.given == self.frames {
            return Ok(None);
        }
        let passed = match self.opened {
            None => self.given as f64 * STEP,
            Some(opened) => {
                std::thread::sleep(Duration::from_micros(30));
                opened.elapsed().as_secs_f64()
            }
        };
        let frame = Frame {
            picture: Arc::clone(&self.picture),
            sequence: self.begin.sequence + self.given,
            time: self.begin.time + passed,
            captured: Instant::now(),
            file: None,
        };
        self.given += 1;
        Ok(Some(frame))
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        let wanted = ((time - self.begin.time) / STEP + 1e-6).floor();
        self.given = if wanted > 0.0 { (wanted as u64).min(self.frames.saturating_sub(1)) } else { 0 };
        Ok(true)
    }
}
