//! How a camera's picture lies in the driver's buffer, and why a buffer is not a picture.

use super::CameraFormat;
use crate::frame::PictureError;

/// How Y'CbCr is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Colour {
    /// Full range: Y' from 0 to 255 instead of 16 to 235.
    pub(super) full: bool,
    /// The coefficients of BT.709 instead of BT.601.
    pub(super) hd: bool,
}

/// How a picture lies in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) format: CameraFormat,
    /// Bytes from one row of the first plane to the next; what is less than a row means that there is no padding.
    pub(super) stride: u32,
    pub(super) colour: Colour,
}

impl Layout {
    /// Without padding, the usual colours.
    pub(super) fn of(format: CameraFormat) -> Self {
        Self { format, stride: 0, colour: Colour::default() }
    }
}

/// Why a buffer is not a picture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Damage {
    #[error("the driver marked it as damaged")]
    Marked,
    #[error("{found} bytes came, and the format needs {expected}")]
    Short { expected: usize, found: usize },
    #[error("it does not start as a JPEG does")]
    NoStart,
    #[error("the JPEG has no end")]
    NoEnd,
    #[error("{0}")]
    Jpeg(String),
    #[error("the colours cannot be converted: {0}")]
    Colour(String),
    #[error(transparent)]
    Picture(#[from] PictureError),
}
