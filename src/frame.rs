//! A picture, and a picture with its place in time.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The largest side, in pixels, that a picture may have: beyond it a header lies or memory is at risk.
pub const MAX_SIDE: u32 = 32_768;
/// The largest area, in pixels, that a picture may have (about 400 MB as RGB).
pub const MAX_AREA: u64 = 1 << 27;

/// An 8-bit interleaved RGB picture, top row first, rows without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// A size and a buffer that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// A side is zero, longer than [`MAX_SIDE`], or the area is larger than [`MAX_AREA`].
    #[error(
        "a picture of {width}×{height} pixels is out of range (1 to {MAX_SIDE} a side, {MAX_AREA} in all)"
    )]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The buffer does not hold `width × height × 3` bytes.
    #[error("a picture of {width}×{height} pixels needs {expected} bytes, and {found} came")]
    Length {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// `width × height × 3`.
        expected: usize,
        /// The length of the buffer.
        found: usize,
    },
}

impl Picture {
    /// Takes `pixels` as a picture: `width × height × 3` bytes, red first.
    ///
    /// # Errors
    /// [`PictureError`] when a side is out of range or the length is not `width × height × 3`.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, PictureError> {
        let expected = Self::bytes(width, height)?;
        if pixels.len() != expected {
            return Err(PictureError::Length { width, height, expected, found: pixels.len() });
        }
        Ok(Self { width, height, pixels })
    }

    /// A picture of one colour.
    ///
    /// # Errors
    /// [`PictureError::Size`] when a side is out of range.
    pub fn filled(width: u32, height: u32, rgb: [u8; 3]) -> Result<Self, PictureError> {
        let mut pixels = vec![0; Self::bytes(width, height)?];
        pixels.as_chunks_mut::<3>().0.fill(rgb);
        Ok(Self { width, height, pixels })
    }

    /// The bytes that a picture of this size needs.
    ///
    /// # Errors
    /// [`PictureError::Size`] when a side is out of range.
    pub fn bytes(width: u32, height: u32) -> Result<usize, PictureError> {
        let area = u64::from(width) * u64::from(height);
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE || area > MAX_AREA {
            return Err(PictureError::Size { width, height });
        }
        Ok(area as usize * 3)
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// `(width, height)` in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The bytes: R, G, B, R, G, B, …
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels as RGB triples, row by row.
    pub fn rgb(&self) -> &[[u8; 3]] {
        self.pixels.as_chunks::<3>().0
    }

    /// The pixels as RGB triples to write to.
    pub fn rgb_mut(&mut self) -> &mut [[u8; 3]] {
        self.pixels.as_chunks_mut::<3>().0
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

/// A borrowed picture of 32 bits a pixel: `0x00RRGGBB`, top row first, rows without padding. What is drawn upon, shown and
/// encoded.
#[derive(Clone, Copy)]
pub struct Raster<'a> {
    width: usize,
    height: usize,
    pixels: &'a [u32],
}

impl<'a> Raster<'a> {
    /// A picture without a pixel.
    pub const EMPTY: Self = Self { width: 0, height: 0, pixels: &[] };

    /// Takes `pixels` as a picture; `None` where they are not `width × height`.
    pub fn new(width: usize, height: usize, pixels: &'a [u32]) -> Option<Self> {
        (width.checked_mul(height) == Some(pixels.len())).then_some(Self { width, height, pixels })
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `0x00RRGGBB`, row by row.
    pub fn pixels(&self) -> &'a [u32] {
        self.pixels
    }
}

impl std::fmt::Debug for Raster<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raster({}×{})", self.width, self.height)
    }
}

/// A picture with its place in the source.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The pixels, shared: a frame is cloned for the window and the detector without copying them.
    pub picture: Arc<Picture>,
    /// Counts the source's frames from 0, without gaps where the source has none.
    pub sequence: u64,
    /// Source time in seconds: a recording's own time stamp, a camera's time since it was opened. Never goes back.
    pub time: f64,
    /// When the frame was taken from the device or decoder, for the frame's age.
    pub captured: Instant,
    /// The file that the picture is from, where each frame has one of its own.
    pub file: Option<Arc<Path>>,
}
