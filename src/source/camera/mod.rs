//! A camera of this machine, through Linux's V4L2 or through nokhwa (V4L2, macOS: AVFoundation, Windows: Media Foundation):
//! finding it, agreeing on a format with it, and giving its frames as a [`Source`](super::Source).
//!
//! A camera's frames pass two threads. One belongs to the device: it opens it, takes every buffer from the driver at
//! once and keeps only the newest, so that a slow reader gets new pictures and a driver that never answers blocks
//! nobody else. The other is the caller's: [`Source::next_frame`](super::Source::next_frame) decodes that buffer.
//! A frame that was replaced before it was asked for, or was too damaged to decode, leaves a gap in the frames'
//! sequence numbers.
//!
//! `device` is the face of both ways to a camera (`backend` is what each must offer), `v4l2` and `nokhwa`; `format_selection`, `decode`, `stamp`, `bus` and `select`
//! know no device; `limit` leaves a driver that hangs; `device_error` and `who_holds` are what is said when it fails.
//!
//! Not here: waiting for a camera that comes back, and network cameras (those are streams).

#[cfg(feature = "camera")]
mod backend;
#[cfg(feature = "camera")]
mod bus;
#[cfg(feature = "camera")]
mod decode;
#[cfg(feature = "camera")]
mod device;
#[cfg(feature = "camera")]
mod device_error;
#[cfg(feature = "camera")]
mod feed;
mod format;
#[cfg(feature = "camera")]
mod format_selection;
#[cfg(feature = "camera")]
mod layout;
#[cfg(feature = "camera")]
mod limit;
#[cfg(feature = "camera")]
mod mjpeg;
#[cfg(feature = "camera")]
mod nokhwa;
#[cfg(feature = "camera")]
mod select;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod stamp;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod v4l2;
#[cfg(feature = "camera")]
mod who_holds;

#[cfg(feature = "camera")]
pub use device::list;
#[cfg(feature = "camera")]
pub use feed::{find, open, open_again};
pub use format::{CameraFormat, FormatPin, PixelFormat, Rate};

/// A buffer as any camera could fill it, for tests with damaged input; see [`decode::decode_any`].
#[cfg(feature = "camera")]
pub(super) fn decode_any(bytes: &[u8]) -> String {
    decode::decode_any(bytes)
}

/// A camera of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraDescription {
    /// The number by which [`open`] knows it.
    pub index: u32,
    /// What the driver calls it.
    pub name: String,
    /// What it offers, sorted by pixel format, then size, then rate, the largest first. Empty: nothing that can be used,
    /// or not known; [`note`](Self::note) says why.
    pub formats: Vec<CameraFormat>,
    /// Why the formats could not be listed, and what to do about it.
    pub note: Option<String>,
}

/// The cameras of this machine: in this build, which has no camera support, always the error that says so.
///
/// # Errors
/// [`SourceError::Open`](super::SourceError::Open), always.
#[cfg(not(feature = "camera"))]
pub fn list() -> Result<Vec<CameraDescription>, super::SourceError> {
    Err(without_support("the cameras"))
}

/// Opens a camera: in this build, which has no camera support, always the error that says so.
///
/// # Errors
/// [`SourceError::Open`](super::SourceError::Open), always.
#[cfg(not(feature = "camera"))]
pub fn open(
    which: &str,
    _settings: &super::CameraSettings,
) -> Result<Box<dyn super::Source>, super::SourceError> {
    Err(without_support(&format!("the camera “{which}”")))
}

/// Finds a camera: in this build, which has no camera support, always the error that says so.
///
/// # Errors
/// [`SourceError::Open`](super::SourceError::Open), always.
#[cfg(not(feature = "camera"))]
pub fn find(which: &str) -> Result<(u32, String), super::SourceError> {
    Err(without_support(&format!("the camera “{which}”")))
}

/// Opens a camera again: in this build, which has no camera support, always the error that says so.
///
/// # Errors
/// [`SourceError::Open`](super::SourceError::Open), always.
#[cfg(not(feature = "camera"))]
pub fn open_again(
    _index: u32,
    name: &str,
    _settings: &super::CameraSettings,
) -> Result<Box<dyn super::Source>, super::SourceError> {
    Err(without_support(&format!("the camera “{name}”")))
}

#[cfg(not(feature = "camera"))]
fn without_support(what: &str) -> super::SourceError {
    super::SourceError::Open {
        what: what.to_owned(),
        why: "this program was built without camera support (the cargo feature “camera”); build it with its default \
              features"
            .to_owned(),
    }
}
