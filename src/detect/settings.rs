//! What can be set about the detector.

use std::fmt;
use std::path::PathBuf;

use super::input_size::InputChoice;
use super::model::{BoxForm, ColourOrder, Family, Fit};
use crate::background::MotionSettings;

/// The `[detector]` section.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectSettings {
    /// An ONNX file of a family that a [head](super::heads) knows; `None`: the bundled YOLOX-Nano. With the cargo feature
    /// `cli` also the name of a model of the table, whose file is in the cache, or `auto`: the best of those that are there.
    /// An existing file of such a name is a file.
    pub model: Option<PathBuf>,
    /// A text file with one class name a line for that model; `None`: the names in its file, else the 80 classes of COCO.
    pub labels: Option<PathBuf>,
    /// The family of the model, where its file does not tell; `None`: as it is recognised. So are the six that follow.
    pub family: Option<Family>,
    /// The form of its boxes.
    pub boxes: Option<BoxForm>,
    /// The order of the colours that it was trained with.
    pub order: Option<ColourOrder>,
    /// What 8-bit levels are multiplied by.
    pub scale: Option<f32>,
    /// What is subtracted then, red, green, blue.
    pub mean: Option<[f32; 3]>,
    /// What is divided by then, likewise.
    pub std: Option<[f32; 3]>,
    /// How a picture of another shape fits in.
    pub fit: Option<Fit>,
    /// The size of the network's input, or how many pixels it may have.
    pub input: InputChoice,
    /// Boxes with a lower score never leave the detector.
    pub confidence: f32,
    /// Of two boxes of one class that overlap by more than this (intersection over union), the weaker is dropped.
    pub nms_iou: f32,
    /// Classes that are mistaken for one another count as one in non-maximum suppression, and what it drops votes on where the
    /// best box lies. Off: each class for itself, and boxes where the network has them.
    pub box_voting: bool,
    /// Make the masks of a model that tells the pixels of objects; off: its boxes alone, without what they cost.
    pub masks: bool,
    /// The names of the classes to look for; empty: all.
    pub classes: Vec<String>,
    /// What moves and is not covered by a box of the network is told, too.
    pub also_motion: bool,
    /// How motion is told, where the model is [`MOTION`] or `also_motion` is on.
    pub motion: MotionSettings,
    /// What runs the network.
    pub runtime: Runtime,
    /// The file of the library onnxruntime; `None`: where the system looks for libraries, or `ORT_DYLIB_PATH`.
    pub onnxruntime: Option<PathBuf>,
    /// Processor threads; 0: as many as the machine has.
    pub threads: usize,
    /// Live sources: seconds from one detection to the next at the least; 0: as often as it goes.
    pub min_interval: f64,
    /// Which pictures of a source are looked at.
    pub attention: AttentionChoice,
    /// Where pictures are left out because nothing moves: seconds from one detection to the next at the most.
    pub idle_interval: f64,
}

/// The value of `detector.model` for what moves, without a network. A file of that name is a file.
pub const MOTION: &str = "motion";

impl DetectSettings {
    /// Whether what moves is told instead of what a network finds.
    pub fn is_motion(&self) -> bool {
        self.model.as_deref().is_some_and(|model| model.as_os_str() == MOTION && !model.exists())
    }

    /// Whether all pictures of a source have to be looked at, in their order.
    pub fn wants_all(&self) -> bool {
        self.also_motion || self.is_motion()
    }
}

impl Default for DetectSettings {
    fn default() -> Self {
        Self {
            model: None,
            labels: None,
            family: None,
            boxes: None,
            order: None,
            scale: None,
            mean: None,
            std: None,
            fit: None,
            input: InputChoice::default(),
            confidence: 0.25,
            nms_iou: 0.5,
            box_voting: true,
            masks: true,
            classes: Vec::new(),
            also_motion: false,
            motion: MotionSettings::default(),
            runtime: Runtime::Auto,
            onnxruntime: None,
            threads: 0,
            min_interval: 0.0,
            attention: AttentionChoice::default(),
            idle_interval: 1.0,
        }
    }
}

/// Which pictures of a source the network looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AttentionChoice {
    /// Of a live source those in which something moves, of a recording all.
    #[default]
    Auto,
    /// All that it can.
    All,
    /// Those in which something moves, and one from time to time.
    Motion,
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
