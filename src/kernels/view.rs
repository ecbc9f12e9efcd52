//! What kernels read and write: rows of 8-bit samples, with or without a gap behind each.

use crate::frame::Picture;

/// Samples to read: `height` rows of `width` pixels of `channels` bytes, each row `stride` bytes behind the one before.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    bytes: &'a [u8],
    width: usize,
    height: usize,
    channels: usize,
    stride: usize,
}

/// Samples to write; as [`View`].
#[derive(Debug)]
pub struct ViewMut<'a> {
    bytes: &'a mut [u8],
    width: usize,
    height: usize,
    channels: usize,
    stride: usize,
}

/// How many bytes the rows take from the first to the end of the last; `None` where the numbers are no picture.
fn extent(width: usize, height: usize, channels: usize, stride: usize) -> Option<usize> {
    let row = width.checked_mul(channels)?;
    if row == 0 || height == 0 || stride < row {
        return None;
    }
    (height - 1).checked_mul(stride)?.checked_add(row)
}

impl<'a> View<'a> {
    /// Looks at `bytes`; `None` where a side is 0, the rows would overlap, or `bytes` is too short.
    pub fn new(
        bytes: &'a [u8],
        (width, height): (usize, usize),
        channels: usize,
        stride: usize,
    ) -> Option<Self> {
        let bytes = bytes.get(..extent(width, height, channels, stride)?)?;
        Some(Self { bytes, width, height, channels, stride })
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Bytes a pixel.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The samples of row `y`, `width × channels` bytes; the last row's where `y` is beyond it.
    pub fn row(&self, y: usize) -> &'a [u8] {
        let at = y.min(self.height - 1) * self.stride;
        &self.bytes[at..at + self.width * self.channels]
    }

    /// All rows, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let view = *self;
        (0..view.height).map(move |y| view.row(y))
    }
}

impl<'a> From<&'a Picture> for View<'a> {
    fn from(picture: &'a Picture) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Self { bytes: picture.pixels(), width, height, channels: 3, stride: width * 3 }
    }
}

impl<'a> ViewMut<'a> {
    /// As [`View::new`].
    pub fn new(
        bytes: &'a mut [u8],
        (width, height): (usize, usize),
        channels: usize,
        stride: usize,
    ) -> Option<Self> {
        let bytes = bytes.get_mut(..extent(width, height, channels, stride)?)?;
        Some(Self { bytes, width, height, channels, stride })
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Bytes a pixel.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The same samples to read.
    pub fn view(&self) -> View<'_> {
        let Self { width, height, channels, stride, .. } = *self;
        View { bytes: self.bytes, width, height, channels, stride }
    }

    /// The samples of row `y`; the last row's where `y` is beyond it.
    pub fn row(&mut self, y: usize) -> &mut [u8] {
        let at = y.min(self.height - 1) * self.stride;
        &mut self.bytes[at..at + self.width * self.channels]
    }

    /// All rows, from the top.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let row = self.width * self.channels;
        self.bytes.chunks_mut(self.stride).map(move |chunk| &mut chunk[..row])
    }

    /// Whether a view has the same shape: what is asserted where one is turned into the other.
    pub fn fits(&self, view: &View<'_>) -> bool {
        (self.width, self.height, self.channels) == (view.width, view.height, view.channels)
    }
}

impl<'a> From<&'a mut Picture> for ViewMut<'a> {
    fn from(picture: &'a mut Picture) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let bytes = picture.rgb_mut().as_flattened_mut();
        Self { bytes, width, height, channels: 3, stride: width * 3 }
    }
}

/// One 8-bit sample a pixel, rows without gaps: a picture's luma, or a mask. Kept from frame to frame for its memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plane {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Plane {
    /// A plane of one value; both sides at least 1.
    pub fn filled(width: usize, height: usize, value: u8) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, bytes: vec![value; width * height] }
    }

    /// Takes another size, both sides at least 1; what it holds is not defined then.
    pub fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width.max(1), height.max(1));
        self.bytes.resize(self.width * self.height, 0);
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The samples, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The samples to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// To read. Of a plane without size, which only a fresh default is: one black pixel.
    pub fn view(&self) -> View<'_> {
        View::new(&self.bytes, (self.width, self.height), 1, self.width).unwrap_or(View {
            bytes: &[0],
            width: 1,
            height: 1,
            channels: 1,
            stride: 1,
        })
    }

    /// To write; a plane without size gets one pixel.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        if self.bytes.is_empty() {
            self.resize(1, 1);
        }
        let (width, height) = (self.width, self.height);
        ViewMut { bytes: &mut self.bytes, width, height, channels: 1, stride: width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_a_stride_apart_and_nonsense_is_refused() {
        let mut bytes: Vec<u8> = (0..22).collect();
        let view = View::new(&bytes, (2, 3), 3, 8).unwrap();
        assert_eq!(view.row(1), [8, 9, 10, 11, 12, 13]);
        assert_eq!(view.rows().last().unwrap(), view.row(99));
        for (size, channels, stride) in [
            ((2, 4), 3, 8),
            ((2, 3), 3, 5),
            ((0, 3), 3, 8),
            ((2, 0), 3, 8),
            ((2, 3), 0, 8),
            ((usize::MAX, 2), 3, 8),
        ] {
            assert!(View::new(&bytes, size, channels, stride).is_none(), "{size:?} {channels} {stride}");
        }
        let mut view = ViewMut::new(&mut bytes, (2, 3), 3, 8).unwrap();
        view.rows().for_each(|row| row.fill(0));
        view.row(2).fill(7);
        assert_eq!(bytes[..9], [0, 0, 0, 0, 0, 0, 6, 7, 0]);
        assert_eq!(bytes[16..], [7; 6]);
    }
}
