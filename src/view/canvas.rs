//! The pixels that everything is drawn on.

use crate::frame::Picture;

/// A picture to draw on: one `u32` a pixel, `0x00RRGGBB`, top row first, rows without padding, as windows take it.
/// In memory on little-endian machines: B, G, R, 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

impl Canvas {
    /// A black canvas of `width × height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![0; width * height] }
    }

    /// Takes the size and the pixels of a picture, keeping the buffer where it fits.
    pub fn copy_from(&mut self, picture: &Picture) {
        (self.width, self.height) = (picture.width() as usize, picture.height() as usize);
        self.pixels.clear();
        self.pixels.extend(picture.rgb().iter().map(|&[r, g, b]| u32::from_be_bytes([0, r, g, b])));
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
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// `0x00RRGGBB`, row by row, to write to.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels
    }
}
