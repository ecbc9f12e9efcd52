//! What can run a network: the face that every runtime shows to the detector, and the setting that chooses one.

use std::fmt;
use std::time::Duration;

/// What the network is run by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Runtime {
    /// The native plan; where it does not know a part of the model, tract.
    #[default]
    Auto,
    /// The channels-last plan with kernels of its own, or an error where it does not know the model.
    Native,
    /// tract's own plan.
    Tract,
    /// The library onnxruntime, where this program was built with the feature `onnxruntime`.
    OnnxRuntime,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Tract => "tract",
            Self::OnnxRuntime => "onnxruntime",
        })
    }
}

/// A network that is ready to run, shared by all threads that run it.
pub(super) trait Network: Send + Sync {
    /// The buffers of one thread; with `threads` over 1, others help with each picture.
    ///
    /// # Errors
    /// What the runtime says, in a line.
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String>;

    /// What runs it, for people: `native (AVX-512)`.
    fn describe(&self) -> String;
}

/// The state of one thread that runs a network.
pub(super) trait Session: Send {
    /// Takes in the picture: 8-bit interleaved RGB, `width × height` pixels, no larger than the network's input. It is
    /// put top-left; the rest of the input is filled with [`FILL`]. The network sees blue, green, red, `0.0..=255.0`.
    fn put(&mut self, rgb: &[u8], width: usize, height: usize);

    /// Runs the network on what was put; gives the rows of its output one after the other: box, objectness, class scores.
    /// The class scores of rows whose objectness is below `threshold` may be anything.
    ///
    /// # Errors
    /// What the runtime says, in a line.
    fn run(&mut self, threshold: f32) -> Result<&[f32], String>;

    /// Runs the network once, with all class scores, and tells how long each of its layers took; `None` where the runtime does not know.
    fn profile(&mut self) -> Option<Vec<LayerTime>> {
        None
    }
}

/// One layer of a network, as it was run.
#[derive(Debug, Clone)]
pub struct LayerTime {
    /// What it does: `conv 3x3 s2 + SiLU`.
    pub what: String,
    /// Height, width and channels of what it gives.
    pub shape: [usize; 3],
    /// Floating point operations, a multiplication with an addition counted as two.
    pub flops: f64,
    /// How long it took.
    pub time: Duration,
}

/// What the network was trained to see around the picture.
pub(super) const FILL: u8 = 114;

/// Writes a picture as `3 × height × width` planes of floats, blue first, for runtimes that want it so.
///
/// `input` is the size of the planes as (width, height); `rgb` as in [`Session::put`].
pub(super) fn fill_planes(planes: &mut [f32], input: (usize, usize), rgb: &[u8], width: usize) {
    let (in_w, in_h) = input;
    let fill = f32::from(FILL);
    let (blue, rest) = planes.split_at_mut(in_w * in_h);
    let (green, red) = rest.split_at_mut(in_w * in_h);
    let rows = blue.chunks_exact_mut(in_w).zip(green.chunks_exact_mut(in_w)).zip(red.chunks_exact_mut(in_w));
    let mut pixels = rgb.chunks_exact(width * 3);
    for ((blue, green), red) in rows {
        let Some(row) = pixels.next() else {
            blue.fill(fill);
            green.fill(fill);
            red.fill(fill);
            continue;
        };
        let targets = blue.iter_mut().zip(green.iter_mut()).zip(red.iter_mut());
        for (((b, g), r), rgb) in targets.zip(row.as_chunks::<3>().0) {
            (*r, *g, *b) = (f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2]));
        }
        for plane in [blue, green, red] {
            plane[width..].fill(fill);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_lies_top_left_blue_first_and_the_rest_is_grey() {
        let (in_w, in_h, width, height) = (5, 4, 3, 2);
        let rgb: Vec<u8> = (0..width * height * 3).map(|i| i as u8).collect();
        let mut planes = vec![-1.0; 3 * in_w * in_h];
        fill_planes(&mut planes, (in_w, in_h), &rgb, width);
        for y in 0..in_h {
            for x in 0..in_w {
                let at = |plane: usize| planes[(plane * in_h + y) * in_w + x];
                let expected = |channel: usize| match x < width && y < height {
                    true => f32::from(rgb[(y * width + x) * 3 + channel]),
                    false => 114.0,
                };
                assert_eq!([at(0), at(1), at(2)], [expected(2), expected(1), expected(0)], "{x},{y}");
            }
        }
    }
}
