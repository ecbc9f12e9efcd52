//! Where frames come from: cameras, videos and streams, images. Each source turns something outside into [`Frame`]s
//! and knows nothing of what happens to them.

mod adapt;
mod animation;
mod avi;
pub mod camera;
mod demo;
mod ffmpeg;
#[doc(hidden)]
pub mod fuzz;
mod images;
mod input;
pub mod jpeg;
mod live;
mod open;
mod pages;
mod picture_file;
mod secrets;
mod settings;
mod simulated;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::frame::{Frame, PictureError};

pub use adapt::adapt;
pub use animation::AnimationSource;
pub use avi::{AviSource, is_motion_jpeg};
pub use demo::open_demo;
pub use ffmpeg::FfmpegSource;
pub use images::{IMAGE_RATE, ImageSource};
pub use input::{Input, Options, Tools};
pub use live::{Condition, Health, LiveSource, LiveTimeouts, Opener};
pub use open::{SourceSpec, near_names, open_file, open_file_with};
pub use picture_file::read_picture;
pub use secrets::redact;
pub(crate) use secrets::unescaped;
pub use settings::{CameraBackend, CameraSettings, DayTime, Rotate, RtspTransport, SourceSettings};
pub use simulated::{Recording, Simulation};

/// The log target of what a user is told of a source without having asked for more: what was wished of a camera and what
/// was got, that it is back.
pub const NOTICE: &str = "trailsight::notice";

/// What kind of thing frames come from; decides how they are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A camera of this machine: live, without an end.
    Camera,
    /// A network stream without a known length: live.
    Stream,
    /// A recording with time stamps.
    Recording,
    /// Still images, one after another.
    Images,
}

impl SourceKind {
    /// Live sources cannot wait: what is not taken in time is lost.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Camera | Self::Stream)
    }
}

/// What a source says of itself before its first frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// What a person would call it: a file's name, a camera's name, a URL without its password.
    pub name: String,
    /// See [`SourceKind`].
    pub kind: SourceKind,
    /// `(width, height)` of the frames that will come, in pixels, where it is known beforehand.
    pub size: Option<(u32, u32)>,
    /// Nominal frames a second, where it is known.
    pub rate: Option<f64>,
    /// How many frames the source promises, where it does.
    pub frames: Option<u64>,
    /// Seconds from the first frame to the end of the last, where it is known.
    pub duration: Option<f64>,
    /// The file whose sound belongs to these frames, where the whole of a file is read.
    pub sound: Option<PathBuf>,
}

impl SourceInfo {
    /// From one frame to the next in seconds, by the nominal rate; 25 frames a second where that is not known. From a
    /// millionth of a second to one.
    pub fn frame_step(&self) -> f64 {
        1.0 / self.rate.unwrap_or(25.0).clamp(1.0, 1e6)
    }
}

/// Ends a blocked [`Source::next_frame`] from another thread, as far as the source can.
pub type Stopper = Box<dyn Fn() + Send + Sync>;

/// Something that gives frames, one after the other.
///
/// A new source implements [`Source::info`] and [`Source::next_frame`], and of the others what it can. Frames are 8-bit RGB
/// with times in seconds that never decrease, and sequence numbers that grow; a frame that was lost leaves a gap in the
/// numbers. A source around another source implements [`Source::inner`] and [`Source::inner_mut`] too, and only the methods
/// whose answer it changes.
pub trait Source: Send {
    /// What is known of the source.
    fn info(&self) -> &SourceInfo;

    /// The next frame; `None` after the last one. May block until there is one.
    ///
    /// # Errors
    /// [`SourceError`]; frames given before it are good. After an error the source gives no more.
    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError>;

    /// Goes to another place of a recording: of the frames that come next, the first lies at or before the source time
    /// `time` (seconds), as near to it as is cheap; where no frame does, the first is the recording's first. What
    /// comes earlier than wanted is for the caller to drop. The frames have the `time` and the `sequence` that they have
    /// in a straight run from the beginning. Works after the end and after an error too. After a seek the number of frames
    /// that [`Source::info`] promises is not checked any more.
    ///
    /// `Ok(false)`: this source cannot; nothing has changed. May block for as long as it takes to decode one frame.
    ///
    /// # Errors
    /// [`SourceError`] where the source cannot be begun again; it gives no more frames until a later seek succeeds.
    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        self.inner_mut().map_or(Ok(false), |inner| inner.seek(time))
    }

    /// Says that [`Source::seek`] will be called, so that what makes it exact can be got ready beside the decoding.
    fn prepare_seeking(&mut self) {
        if let Some(inner) = self.inner_mut() {
            inner.prepare_seeking();
        }
    }

    /// The time of the source's first frame in seconds, where that frame is left out because later ones were asked for.
    fn begin(&self) -> Option<f64> {
        self.inner().and_then(Source::begin)
    }

    /// Seconds from the first frame to the end of the last, where that has become known after [`Source::info`] was told:
    /// [`Source::prepare_seeking`] may lead to it. Cheap.
    fn found_duration(&mut self) -> Option<f64> {
        self.inner_mut().and_then(Source::found_duration)
    }

    /// Counts the pictures that were too damaged to be shown, where the source leaves such out.
    fn damage(&self) -> Option<Arc<AtomicU64>> {
        self.inner().and_then(Source::damage)
    }

    /// The condition of a live source, for the window; `None` for sources that do not report it.
    fn health(&self) -> Option<Health> {
        self.inner().and_then(Source::health)
    }

    /// A handle that makes a blocked [`Source::next_frame`] return soon, where the source has such a means.
    fn stopper(&self) -> Option<Stopper> {
        self.inner().and_then(Source::stopper)
    }

    /// For a source around another source: that one. Every method that the outer source does not implement itself is
    /// passed on to it. `None` for a source that stands alone.
    fn inner(&self) -> Option<&dyn Source> {
        None
    }

    /// As [`Source::inner`], to change it. Implement both or neither.
    fn inner_mut(&mut self) -> Option<&mut dyn Source> {
        None
    }
}

/// Why there are no (more) frames. Each says what happened, where, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file, folder, device or address cannot be opened.
    #[error("cannot open {what}: {why}")]
    Open {
        /// The source as the user named it (without a password).
        what: String,
        /// The reason, and what to do next.
        why: String,
    },
    /// The source was opened but its contents cannot be used.
    #[error("cannot read {what}: {why}")]
    Read {
        /// The source as the user named it.
        what: String,
        /// The reason, and what to do next.
        why: String,
    },
    /// A program that is needed is not installed.
    #[error("{what} needs the program {program}, which is not on the PATH: {hint}")]
    Missing {
        /// The source as the user named it.
        what: String,
        /// The program.
        program: &'static str,
        /// How to get it, or how to do without.
        hint: String,
    },
    /// A recording ended before the length that it promises.
    #[error("{what} ends early: it gave {got} frames of {promised}{detail}")]
    Short {
        /// The recording.
        what: String,
        /// Frames that came.
        got: u64,
        /// What was promised, with its unit left out: a number of frames.
        promised: u64,
        /// What the decoder said, led by `; `, or nothing.
        detail: String,
    },
    /// A picture of impossible size.
    #[error("{what}: {error}")]
    Picture {
        /// The source.
        what: String,
        /// What is wrong with it.
        error: PictureError,
    },
}

/// What a person calls a file or folder: its last part; the whole where there is none (`/`, `..`).
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod seek_tests;
