//! What can be set about the detector.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The size of the network's input in pixels; both sides are multiples of 32, from 32 to 4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputSize {
    width: usize,
    height: usize,
}

impl InputSize {
    /// A size whose sides are multiples of 32 from 32 to 4096.
    pub fn new(width: usize, height: usize) -> Option<Self> {
        let fits = |side: usize| side.is_multiple_of(32) && (32..=4096).contains(&side);
        if fits(width) && fits(height) { Some(Self { width, height }) } else { None }
    }

    /// Pixels across.
    pub fn width(self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(self) -> usize {
        self.height
    }

    /// Pixels across and down.
    pub fn size(self) -> (usize, usize) {
        (self.width, self.height)
    }
}

impl Default for InputSize {
    fn default() -> Self {
        Self { width: 416, height: 416 }
    }
}

impl fmt::Display for InputSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for InputSize {
    type Err = String;

    /// Reads `WIDTHxHEIGHT`, or one number for a square.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (width, height) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
        let side = |part: &str| part.trim().parse().ok();
        side(width).zip(side(height)).and_then(|(width, height)| Self::new(width, height)).ok_or_else(|| {
            "WIDTHxHEIGHT, both multiples of 32 from 32 to 4096, such as \"416x416\"".to_owned()
        })
    }
}

/// The `[detector]` section.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectSettings {
    /// An ONNX file of a family that a [head](super::heads) knows; `None`: the bundled YOLOX-Nano.
    pub model: Option<PathBuf>,
    /// A text file with one class name a line for that model; `None`: the 80 classes of COCO.
    pub labels: Option<PathBuf>,
    /// The size of the network's input.
    pub input: InputSize,
    /// Boxes with a lower score never leave the detector.
    pub confidence: f32,
    /// Of two boxes of one class that overlap by more than this (intersection over union), the weaker is dropped.
    pub nms_iou: f32,
    /// The names of the classes to look for; empty: all.
    pub classes: Vec<String>,
    /// What runs the network.
    pub runtime: Runtime,
    /// The file of the library onnxruntime; `None`: where the system looks for libraries, or `ORT_DYLIB_PATH`.
    pub onnxruntime: Option<PathBuf>,
    /// Processor threads; 0: as many as the machine has.
    pub threads: usize,
    /// Live sources: seconds from one detection to the next at the least; 0: as often as it goes.
    pub min_interval: f64,
}

impl Default for DetectSettings {
    fn default() -> Self {
        Self {
            model: None,
            labels: None,
            input: InputSize::default(),
            confidence: 0.65,
            nms_iou: 0.65,
            classes: Vec::new(),
            runtime: Runtime::Auto,
            onnxruntime: None,
            threads: 0,
            min_interval: 0.0,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_sizes_are_read_and_refused() {
        assert_eq!("640x384".parse(), Ok(InputSize { width: 640, height: 384 }));
        assert_eq!("320".parse(), Ok(InputSize { width: 320, height: 320 }));
        assert_eq!("640x384".parse::<InputSize>().unwrap().to_string(), "640x384");
        for odd in ["", "x", "0x0", "416x400", "-32x32", "8192x32", "416x416x3", "99999999999999999999x32"] {
            assert!(odd.parse::<InputSize>().is_err(), "{odd}");
        }
    }
}
