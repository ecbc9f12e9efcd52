//! A camera of this machine, through nokhwa (Linux: V4L2, macOS: AVFoundation, Windows: Media Foundation): finding it,
//! agreeing on a format with it, and giving its frames as a [`Source`](super::Source).
//!
//! A camera's frames pass two threads. One belongs to the device: it opens it, takes every buffer from the driver at
//! once and keeps only the newest, so that a slow reader gets new pictures and a driver that never answers blocks
//! nobody else. The other is the caller's: [`Source::next_frame`](super::Source::next_frame) decodes that buffer.
//! A frame that was replaced before it was asked for, or was too damaged to decode, leaves a gap in the frames'
//! sequence numbers.
//!
//! Not here: waiting for a camera that comes back, and network cameras (those are streams).

#[cfg(feature = "camera")]
mod choice;
#[cfg(feature = "camera")]
mod decode;
#[cfg(feature = "camera")]
mod device;
#[cfg(feature = "camera")]
mod feed;
#[cfg(feature = "camera")]
mod mjpeg;
#[cfg(feature = "camera")]
mod select;

use std::fmt;

#[cfg(feature = "camera")]
pub use device::list;
#[cfg(feature = "camera")]
pub use feed::open;

/// How a camera writes a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PixelFormat {
    /// Y'CbCr 4:2:2, packed as Y0 Cb Y1 Cr: 16 bits a pixel.
    Yuyv,
    /// Y'CbCr 4:2:0, a plane of Y and a plane of Cb and Cr in turn: 12 bits a pixel.
    Nv12,
    /// Red, green, blue: 24 bits a pixel.
    Rgb,
    /// Blue, green, red: 24 bits a pixel.
    Bgr,
    /// One JPEG a frame.
    Mjpeg,
    /// Brightness alone: 8 bits a pixel.
    Gray,
}

impl fmt::Display for PixelFormat {
    /// The four letters by which drivers know it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Rgb => "RGB3",
            Self::Bgr => "BGR3",
            Self::Mjpeg => "MJPG",
            Self::Gray => "GREY",
        })
    }
}

/// One way in which a camera can give pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CameraFormat {
    /// How a pixel is written.
    pub pixels: PixelFormat,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
}

impl fmt::Display for CameraFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}×{} at {} fps", self.pixels, self.width, self.height, self.fps)
    }
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

#[cfg(not(feature = "camera"))]
fn without_support(what: &str) -> super::SourceError {
    super::SourceError::Open {
        what: what.to_owned(),
        why: "this program was built without camera support (the cargo feature “camera”); build it with its default \
              features"
            .to_owned(),
    }
}
