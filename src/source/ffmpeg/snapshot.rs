//! An address that answers with one picture each time it is asked, as cameras have one beside their stream: it is asked
//! again and again.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{FfmpegSource, SourceError};
use crate::frame::Frame;
use crate::source::SourceKind;

/// From one question to the next. Cameras make such pictures anew once or twice a second.
const PERIOD: Duration = Duration::from_millis(500);
/// How often a pause looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(20);

impl FfmpegSource {
    /// Whether this is such an address.
    pub(super) fn is_polled(&self) -> bool {
        self.info.kind == SourceKind::Stream && self.probe.is_snapshot()
    }

    /// Asks for the next picture, once it is time.
    pub(super) fn poll(&mut self) -> Result<Option<Frame>, SourceError> {
        let (given, asked) = (self.given, self.asked);
        if given == 0 || given == self.given_before {
            // It gave no picture when it was asked last.
            return self.finish();
        }
        while asked.elapsed() < PERIOD {
            if self.stopped.load(Ordering::SeqCst) {
                return Ok(None);
            }
            thread::sleep(LOOK.min(PERIOD.saturating_sub(asked.elapsed())));
        }
        self.asked = Instant::now();
        self.ask_again()?;
        (self.given, self.given_before) = (given, given);
        self.read_frame()
    }
}
