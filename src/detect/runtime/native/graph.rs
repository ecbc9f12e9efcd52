//! The network as layers over pictures: what is left of a model once shapes are known and constants are folded.

use std::sync::Arc;

use super::kernels::Activation;
use super::subgraph::Subgraph;

/// The size of a picture of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

/// A layer's place in [`Graph::layers`].
pub(super) type LayerId = usize;

/// A layer: what it does, of which layers, and the size of what it gives.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) op: Op,
    pub(super) inputs: Vec<LayerId>,
    pub(super) shape: Shape,
    /// Where it need not be computed.
    pub(super) gate: Option<Gate>,
}

impl Layer {
    /// A layer that is computed everywhere.
    pub(super) fn new(op: Op, inputs: Vec<LayerId>, shape: Shape) -> Self {
        Self { op, inputs, shape, gate: None }
    }

    /// The layers that must be there before this one.
    pub(super) fn needs(&self) -> impl Iterator<Item = LayerId> {
        self.inputs.iter().copied().chain(self.gate.map(|gate| gate.by))
    }
}

/// A layer is needed only at pixels within `radius`, down and across, of one where the single value of the layer `by`
/// reaches the run's threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    pub(super) by: LayerId,
    pub(super) radius: usize,
}

/// What a layer does.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Gives the network's input.
    Input,
    /// Parts of the picture taken apart: for each, every `stride`-th pixel from `(y, x)` on; their channels one behind
    /// the other. The stem of YOLOX ("Focus").
    Focus { stride: usize, parts: Vec<(usize, usize)> },
    /// A convolution with what stands directly behind it. With two inputs the second is added in the end.
    Conv(Conv),
    /// The largest value under a window, over the pixels that are in the picture.
    MaxPool(Window),
    /// Each pixel repeated `factor` times in both directions.
    Upsample { factor: usize },
    /// The channels of all inputs one behind the other.
    Concat,
    /// The channels of the input from `first` on, as many as the layer has.
    Slice { first: usize },
    /// The sum of two.
    Add,
    /// The product of two, value by value; the second may be a single pixel that counts for all.
    Mul,
    /// One pixel: for each channel the sum of all pixels.
    Sum,
    /// One value for each group of as many channels as there are weights: the mean of the weights, each with the probability
    /// that a softmax over the group gives it.
    MeanOfDistribution { weights: Vec<f32> },
    /// The largest of all channels.
    Largest,
    /// An activation by itself.
    Activate(Activation),
    /// A part of the network that tract runs on its inputs, layers first, then other such parts. Gives one value that means
    /// nothing: what it made is kept apart, for [`Op::Take`] and for the network's outputs.
    Subgraph(Arc<Subgraph>),
    /// The output of its input, an [`Op::Subgraph`], with this number.
    Take { output: usize },
}

/// Where the kernel of a layer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Kernel height and width.
    pub(super) kernel: (usize, usize),
    /// Input pixels from one output pixel to the next, down and across.
    pub(super) stride: (usize, usize),
    /// Rows and columns that are missing above and on the left of the picture; those below and on the right follow from
    /// the sizes.
    pub(super) pad: (usize, usize),
}

impl Window {
    /// Every pixel by itself.
    pub(super) const PIXEL: Self = Self { kernel: (1, 1), stride: (1, 1), pad: (0, 0) };
}

/// A convolution.
#[derive(Debug, Clone)]
pub(super) struct Conv {
    pub(super) window: Window,
    /// Whether each channel is convolved by itself; otherwise all with all.
    pub(super) depthwise: bool,
    /// Output channel by kernel row by kernel column by input channel (of which there is one where `depthwise`).
    pub(super) weights: Vec<f32>,
    /// One value an output channel.
    pub(super) bias: Vec<f32>,
    pub(super) activation: Activation,
}

/// What one output of the network is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Output {
    /// The pixels of these layers, one behind the other, are its rows.
    Rows(Vec<LayerId>),
    /// The output with this number of an [`Op::Subgraph`].
    Subgraph(LayerId, usize),
}

impl Output {
    /// The layers that it needs.
    pub(super) fn layers(&self) -> &[LayerId] {
        match self {
            Self::Rows(layers) => layers,
            Self::Subgraph(layer, _) => std::slice::from_ref(layer),
        }
    }

    /// Has `new_id` name its layers anew.
    fn rename(&mut self, new_id: impl Fn(LayerId) -> LayerId) {
        match self {
            Self::Rows(layers) => layers.iter_mut().for_each(|layer| *layer = new_id(*layer)),
            Self::Subgraph(layer, _) => *layer = new_id(*layer),
        }
    }
}

/// A whole network, in an order in which it can be run.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) layers: Vec<Layer>,
    /// In the order of the model's outputs.
    pub(super) outputs: Vec<Output>,
    /// By channel of the network's input: an 8-bit level becomes `level · factor + offset`.
    pub(super) levels: Vec<(f32, f32)>,
    /// Of the same pixels, a layer with scores and one with boxes, which nobody looks at where all scores are too low.
    pub(super) scored: Vec<(LayerId, LayerId)>,
}

impl Graph {
    /// The layers that the outputs need.
    pub(super) fn output_layers(&self) -> impl Iterator<Item = LayerId> {
        self.outputs.iter().flat_map(|output| output.layers().iter().copied())
    }

    /// How often each layer's output is used, the network's output counted too.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.layers.len()];
        let inputs = self.layers.iter().flat_map(|layer| layer.inputs.iter().copied());
        for used in inputs.chain(self.output_layers()) {
            uses[used] += 1;
        }
        uses
    }

    /// Puts each layer behind those that it needs, otherwise as they are.
    pub(super) fn sort(&mut self) {
        let mut new_ids = vec![None; self.layers.len()];
        let mut order = Vec::with_capacity(self.layers.len());
        while let Some(next) = (0..self.layers.len()).find(|&id| {
            new_ids[id].is_none() && self.layers[id].inputs.iter().all(|&input| new_ids[input].is_some())
        }) {
            new_ids[next] = Some(order.len());
            order.push(next);
        }
        let new_id = |id: LayerId| new_ids[id].unwrap_or_default();
        let sorted = order.iter().map(|&id| {
            let mut layer = self.layers[id].clone();
            layer.inputs.iter_mut().for_each(|input| *input = new_id(*input));
            layer
        });
        self.layers = sorted.collect();
        self.outputs.iter_mut().for_each(|output| output.rename(new_id));
        self.scored.iter_mut().for_each(|pair| *pair = (new_id(pair.0), new_id(pair.1)));
    }

    /// Leaves out what nothing needs; keeps the order. The input stays. Gates are set later.
    pub(super) fn prune(&mut self) {
        let mut needed = vec![false; self.layers.len()];
        for output in self.output_layers() {
            needed[output] = true;
        }
        for (id, layer) in self.layers.iter().enumerate().rev() {
            needed[id] |= matches!(layer.op, Op::Input);
            if needed[id] {
                layer.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let mut new_ids = vec![0; self.layers.len()];
        let mut kept = Vec::new();
        for (id, mut layer) in std::mem::take(&mut self.layers).into_iter().enumerate() {
            if needed[id] {
                new_ids[id] = kept.len();
                layer.inputs.iter_mut().for_each(|input| *input = new_ids[*input]);
                kept.push(layer);
            }
        }
        self.layers = kept;
        self.outputs.iter_mut().for_each(|output| output.rename(|layer| new_ids[layer]));
        self.scored.retain(|&(scores, boxes)| needed[scores] && needed[boxes]);
        self.scored.iter_mut().for_each(|pair| *pair = (new_ids[pair.0], new_ids[pair.1]));
    }
}

/// Multiplications and additions of a layer.
pub(super) fn flops(layer: &Layer) -> f64 {
    let Shape { height, width, channels } = layer.shape;
    let outputs = (height * width * channels) as f64;
    match &layer.op {
        Op::Conv(conv) => 2.0 * (height * width * conv.weights.len()) as f64,
        Op::MaxPool(window) => outputs * (window.kernel.0 * window.kernel.1) as f64,
        Op::Add | Op::Mul | Op::Activate(_) => outputs,
        Op::Input | Op::Focus { .. } | Op::Upsample { .. } | Op::Concat | Op::Slice { .. } => 0.0,
        Op::Sum | Op::MeanOfDistribution { .. } | Op::Largest | Op::Subgraph(_) | Op::Take { .. } => 0.0,
    }
}
