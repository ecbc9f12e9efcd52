//! What a model is: what goes into the network, what comes out, and what that means.
//!
//! A [`ModelSpec`] is made by a [`Head`](super::heads::Head) when a model is loaded, and says all that the rest of the
//! detector has to know: the preprocessing goes by [`InputSpec`], suppression by [`ModelSpec::nms`], and each runtime decides
//! by it whether it can run the model at all.

use std::fmt;

use super::input_size::InputSize;

/// What goes into a network, what comes out, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// What goes in.
    pub input: InputSpec,
    /// What comes out, as the file names it; in the order of the file.
    pub outputs: Vec<OutputSpec>,
    /// In which form the network gives boxes.
    pub boxes: BoxForm,
    /// What its scores are.
    pub scores: ScoreForm,
    /// It tells apart "there is an object" from "of this class"; a detection's score is the product of both.
    pub objectness: bool,
    /// How many classes it tells apart.
    pub classes: usize,
    /// It finds one object several times, so that non-maximum suppression has to pick. A network without it is suppressed
    /// only where a picture is looked at in several slices.
    pub nms: bool,
}

/// What goes into a network: one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSpec {
    /// Pixels across and down.
    pub size: InputSize,
    /// Which other sizes the model runs at.
    pub sizes: Sizes,
    /// The order of the axes.
    pub layout: Layout,
    /// The order of the channels.
    pub colour: ColourOrder,
    /// 8-bit levels are multiplied by this first: 1, or 1/255.
    pub scale: f32,
    /// Then this is subtracted, by channel: red, green, blue, whatever the order in the network.
    pub mean: [f32; 3],
    /// Then divided by this, likewise.
    pub std: [f32; 3],
    /// How a picture of another shape fits in.
    pub fit: Fit,
}

/// Which sizes of input a model runs at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Only the one.
    Fixed,
    /// Any whose sides are multiples of so many pixels.
    MultipleOf(usize),
}

/// The order of the axes of a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `1 × 3 × height × width`: a plane a colour.
    Nchw,
    /// `1 × height × width × 3`: the colours of a pixel side by side.
    Nhwc,
}

/// The order of the channels of a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// How a picture of another shape fits into the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The largest size with the same aspect ratio, at the top left; the rest is filled with this level.
    LetterboxTopLeft(u8),
    /// The same, in the middle.
    LetterboxCentred(u8),
    /// Stretched across and down until it fills the input.
    Stretch,
}

/// One output of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// What the file calls it.
    pub name: String,
    /// Its shape for the input size of the spec.
    pub shape: Vec<usize>,
}

/// The families that a model may be said to be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// YOLOX.
    Yolox,
    /// YOLOv5 to YOLO26.
    Yolo,
    /// YOLO-NAS.
    YoloNas,
    /// PP-YOLOE.
    PpYoloe,
    /// PicoDet.
    PicoDet,
    /// NanoDet and NanoDet-Plus.
    NanoDet,
    /// RTMDet.
    RtmDet,
    /// DETR, Conditional DETR, YOLOS.
    Detr,
    /// RT-DETR, D-FINE, DEIM.
    RtDetr,
    /// RF-DETR, LW-DETR.
    RfDetr,
}

/// In which form a network gives boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxForm {
    /// Centre and size as offsets from the cell of a grid, in strides, sizes as logarithms (YOLOX).
    GridOffsets,
    /// Centre x, centre y, width, height in pixels of the input.
    CentreSize,
    /// Centre x, centre y, width, height as shares of the input, `0.0..=1.0`.
    CentreSizeShares,
    /// Left, top, right, bottom in pixels of the input.
    Corners,
    /// Left, top, right, bottom as shares of the input, `0.0..=1.0`.
    CornersShares,
    /// Top, left, bottom, right in pixels of the input: TensorFlow's order.
    RowCorners,
    /// Top, left, bottom, right as shares of the input.
    RowCornersShares,
    /// Distances of the four sides from a point of a grid, in strides, each as a distribution (GFL, Li et al. 2020,
    /// arXiv:2006.04388).
    Distances,
}

impl BoxForm {
    /// The centre and the size in pixels of an input of this size; of a form that needs a grid, the numbers as they are.
    #[inline]
    pub fn centre_size(self, [a, b, c, d]: [f32; 4], input: InputSize) -> [f32; 4] {
        let (width, height) = (input.width() as f32, input.height() as f32);
        match self {
            Self::CentreSize | Self::GridOffsets | Self::Distances => [a, b, c, d],
            Self::CentreSizeShares => [a * width, b * height, c * width, d * height],
            Self::Corners => [(a + c) / 2.0, (b + d) / 2.0, c - a, d - b],
            Self::RowCorners => Self::Corners.centre_size([b, a, d, c], input),
            Self::RowCornersShares => Self::CornersShares.centre_size([b, a, d, c], input),
            Self::CornersShares => {
                Self::Corners.centre_size([a * width, b * height, c * width, d * height], input)
            }
        }
    }
}

impl fmt::Display for BoxForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GridOffsets => "offsets from a grid",
            Self::CentreSize => "centre and size, pixels of the input",
            Self::CentreSizeShares => "centre and size, shares of the input",
            Self::Corners => "corners, pixels of the input",
            Self::CornersShares => "corners, shares of the input",
            Self::RowCorners => "corners, top first, pixels of the input",
            Self::RowCornersShares => "corners, top first, shares of the input",
            Self::Distances => "distances from a grid",
        })
    }
}

/// What a network's scores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreForm {
    /// Probabilities, `0.0..=1.0`.
    Probabilities,
    /// Logits: one sigmoid a class makes probabilities of them.
    SigmoidLogits,
    /// Logits with one more for "none of them" at the end: a softmax over all makes probabilities of them.
    SoftmaxLogits,
}

impl Layout {
    /// The shape of an input of this size.
    pub(super) fn shape(self, size: InputSize) -> [usize; 4] {
        let (width, height) = size.size();
        match self {
            Self::Nchw => [1, 3, height, width],
            Self::Nhwc => [1, height, width, 3],
        }
    }
}

impl InputSpec {
    /// The shape of the input tensor.
    pub fn shape(&self) -> [usize; 4] {
        self.layout.shape(self.size)
    }

    /// How an 8-bit level of each colour becomes the network's number, red, green, blue: `level · factor + offset`.
    pub(super) fn levels(&self) -> [(f32, f32); 3] {
        std::array::from_fn(|colour| (self.scale / self.std[colour], -self.mean[colour] / self.std[colour]))
    }
}
