//! What is done for a few rows of a picture: the instructions that a plan consists of.

use std::ops::Range;

use super::graph::{Shape, Window};
use super::kernels::Activation;

/// Where the values of a layer lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the arena: there for all threads and all phases that need it.
    Arena,
    /// In the scratch of the thread that works on a chunk: only the chunk's rows, and only until its end.
    Local,
}

/// The values of a layer, or some of its channels: pixel after pixel, row after row.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) place: Place,
    /// Where the first one is, in floats from the beginning of the place; in scratch, for each row of the chunk.
    pub(super) offset: usize,
    /// Its first channel within the pixels there.
    pub(super) channel: usize,
    /// From one pixel to the next, in floats; at least the channels, more where channels of other layers lie between.
    pub(super) step: usize,
    pub(super) shape: Shape,
}

impl View {
    /// Whether both are the same floats.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let place = |view: &Self| (view.place, view.offset, view.channel, view.step);
        place(self) == place(other)
    }
}

/// Part of a convolution's output channels, with its weights.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The first output channel.
    pub(super) first: usize,
    /// How many.
    pub(super) channels: usize,
    /// How many vectors wide it is packed.
    pub(super) vectors: usize,
    /// Where its weights are in the plan's weights.
    pub(super) weights: Range<usize>,
    /// Where its bias is there.
    pub(super) bias: Range<usize>,
}

/// Where a full convolution reads from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// The pixels as they lie: the kernel is 1×1 without stride.
    Pixels(View),
    /// A copy of the rows under the kernel with zeros around them, made in scratch.
    Padded(View),
    /// The same of the 8-bit picture that the network sees.
    Picture(Shape),
}

/// A step is needed only within `radius` pixels, down and across, of where the one value of `by` reaches the threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand {
    pub(super) by: View,
    pub(super) radius: usize,
}

/// One instruction; `to` is what it writes.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Conv {
        source: Source,
        window: Window,
        parts: Vec<Part>,
        activation: Activation,
        add: Option<View>,
        demand: Option<Demand>,
        to: View,
    },
    Depthwise {
        from: View,
        window: Window,
        weights: Range<usize>,
        bias: Range<usize>,
        activation: Activation,
        demand: Option<Demand>,
        to: View,
    },
    MaxPool {
        from: View,
        window: Window,
        to: View,
    },
    Upsample {
        from: View,
        factor: usize,
        to: View,
    },
    Copy {
        from: View,
        to: View,
    },
    Add {
        a: View,
        b: View,
        to: View,
    },
    /// Where `b` is a single pixel, it counts for all.
    Mul {
        a: View,
        b: View,
        to: View,
    },
    /// Over all pixels of `from`.
    Sum {
        from: View,
        to: View,
    },
    /// One mean for each group of channels, as many as there are weights.
    MeanOfDistribution {
        from: View,
        weights: Vec<f32>,
        demand: Option<Demand>,
        to: View,
    },
    /// The largest of all channels.
    Largest {
        from: View,
        to: View,
    },
    /// Runs the subgraph with this number on layers and on other subgraphs, by their number.
    Subgraph {
        index: usize,
        layers: Vec<View>,
        others: Vec<usize>,
        /// What it is, for people.
        what: String,
        to: View,
    },
    /// Takes over the output of the subgraph with this number.
    Take {
        index: usize,
        output: usize,
        to: View,
    },
    Activate {
        from: View,
        activation: Activation,
        to: View,
    },
}

impl Step {
    /// What it writes.
    pub(super) fn to(&self) -> &View {
        match self {
            Self::Conv { to, .. }
            | Self::Depthwise { to, .. }
            | Self::MaxPool { to, .. }
            | Self::Upsample { to, .. }
            | Self::Copy { to, .. }
            | Self::Add { to, .. }
            | Self::Mul { to, .. }
            | Self::Sum { to, .. }
            | Self::MeanOfDistribution { to, .. }
            | Self::Largest { to, .. }
            | Self::Subgraph { to, .. }
            | Self::Take { to, .. }
            | Self::Activate { to, .. } => to,
        }
    }

    /// What it does, for people.
    pub(super) fn describe(&self) -> String {
        let with = |window: &Window, activation: &Activation| {
            let ((kh, kw), (sy, sx)) = (window.kernel, window.stride);
            let stride = match (sy, sx) {
                (1, 1) => String::new(),
                (sy, sx) if sy == sx => format!(" s{sy}"),
                (sy, sx) => format!(" s{sy}x{sx}"),
            };
            let activation = match activation {
                Activation::None => String::new(),
                activation => format!(" + {activation}"),
            };
            format!("{kh}x{kw}{stride}{activation}")
        };
        match self {
            Self::Conv { window, activation, add, .. } => {
                format!("conv {}{}", with(window, activation), if add.is_some() { " + sum" } else { "" })
            }
            Self::Depthwise { window, activation, .. } => format!("depthwise {}", with(window, activation)),
            Self::MaxPool { window, .. } => format!("max-pool {}", with(window, &Activation::None)),
            Self::Upsample { factor, .. } => format!("upsample x{factor}"),
            Self::Copy { .. } => "copy".to_owned(),
            Self::Add { .. } => "sum".to_owned(),
            Self::Mul { .. } => "product".to_owned(),
            Self::Sum { .. } => "sum of all pixels".to_owned(),
            Self::MeanOfDistribution { .. } => "means of distributions".to_owned(),
            Self::Largest { .. } => "largest channel".to_owned(),
            Self::Subgraph { what, .. } => what.clone(),
            Self::Take { .. } => "from tract".to_owned(),
            Self::Activate { activation, .. } => activation.to_string(),
        }
    }
}

/// Steps that are done together for each few rows, because each of them needs, of what the others give, only the same
/// rows.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) steps: Vec<Step>,
    /// Multiplications and additions of each step.
    pub(super) flops: Vec<f64>,
    /// Rows of the pictures that the steps give.
    pub(super) height: usize,
    /// Floats of scratch that the values between its steps need for each row of a chunk.
    pub(super) scratch: usize,
}

impl Phase {
    /// The rows of one of `count` chunks, all of nearly the same size, of these rows.
    pub(super) fn chunk(index: usize, count: usize, rows: &Range<usize>) -> Range<usize> {
        let begin = |index: usize| rows.start + index * rows.len() / count;
        begin(index)..begin(index + 1)
    }

    /// The most rows that one of `count` chunks has.
    pub(super) fn most_rows(&self, count: usize) -> usize {
        self.height.div_ceil(count)
    }
}
