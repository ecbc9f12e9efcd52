//! From layers to a plan: what is done together, where every value lies, and the weights as the kernels want them.
//!
//! 1. **Phases.** Layers are put in an order in which as many as possible need only the pixels that they give themselves:
//!    a 1×1 convolution after a depthwise one, the sum behind it, the next 1×1 convolution. Such a phase is done chunk
//!    by chunk, a few rows at a time, while the values between are still in the cache. A layer that needs neighbouring
//!    pixels of the phase's own results begins the next phase.
//! 2. **Places.** What only a phase itself needs lies in the scratch of each thread; all else lies in one arena, in which
//!    space is used again once nobody needs what was there. The inputs of a concatenation are written where it wants
//!    them, and the network's rows where the detector reads them: neither costs anything.
//! 3. **Weights** are packed for the kernels: a convolution's output channels are cut into parts of a few vectors.

mod places;

use std::ops::Range;
use std::sync::Arc;

use super::Seen;
use super::graph::{Conv, Graph, Layer, LayerId, Op, Output, Shape, Window, flops};
use super::kernels::{Kernels, MOST_VALUES};
use super::memory::Floats;
use super::static_rows::{Reaches, joined};
use super::step::{Demand, Part, Phase, Source, Step, View};
use super::subgraph::Subgraph;
use places::Places;

/// A network ready to run; nothing in it changes any more.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kernels: &'static Kernels,
    pub(super) phases: Vec<Phase>,
    /// Packed weights and biases of all steps.
    pub(super) weights: Arc<Floats>,
    /// Floats that the arena needs.
    pub(super) arena: usize,
    /// Where the network's outputs are.
    pub(super) outputs: Vec<OutputPlace>,
    /// What is left to tract.
    pub(super) subgraphs: Vec<Arc<Subgraph>>,
    /// How far a picture reaches in each layer, and the layers of each phase.
    pub(super) reaches: Reaches,
    pub(super) layers: Vec<Vec<LayerId>>,
    /// The size of the picture that the network sees.
    pub(super) input: Shape,
    /// The level around the picture.
    pub(super) fill: u8,
    /// What stands for no value at all at the edges of the input, in levels, by colour of the picture.
    pub(super) pad: [f32; 3],
}

/// Where an output of the network is.
#[derive(Debug, Clone)]
pub(super) enum OutputPlace {
    /// These floats of the arena.
    Arena(Range<usize>),
    /// Of the subgraph with this number, the output with this number.
    Subgraph(usize, usize),
}

impl Plan {
    /// Which rows of each phase depend on a picture in these rows of the input.
    pub(super) fn moving_rows(&self, rows: &Range<usize>) -> Vec<Range<usize>> {
        let moving = self.reaches.moving_rows(rows);
        let all =
            |layers: &Vec<LayerId>| layers.iter().fold(0..0, |all, &layer| joined(&all, &moving[layer]));
        self.layers.iter().map(all).collect()
    }
}

/// Compiles a graph in which everything is fused.
///
/// # Errors
/// What in the graph cannot be run, in a few words.
pub(super) fn compile(graph: &Graph, seen: Seen, kernels: &'static Kernels) -> Result<Plan, String> {
    let input = graph.layers.iter().find(|layer| matches!(layer.op, Op::Input)).ok_or("no input")?.shape;
    let pad = pad(graph, seen)?;
    let phases = schedule(graph);
    let reaches = Reaches::of(graph);
    let places = Places::assign(graph, &phases, &reaches)?;
    let numbers = subgraph_numbers(graph);
    let (views, weights) = (places.views, Floats::default());
    let mut compiler = Compiler { graph, kernels, seen, views, weights, numbers };
    let (mut compiled, mut layers_of) = (Vec::new(), Vec::new());
    for (layers, scratch) in phases.iter().zip(places.scratch) {
        let mut phase = Phase { steps: Vec::new(), flops: Vec::new(), height: 0, scratch };
        for &layer in layers {
            phase.height = graph.layers[layer].shape.height;
            for step in compiler.steps(layer)? {
                phase.flops.push(flops(&graph.layers[layer]));
                phase.steps.push(step);
            }
        }
        if !phase.steps.is_empty() {
            compiled.push(phase);
            layers_of.push(layers.clone());
        }
    }
    let Compiler { weights, numbers, .. } = compiler;
    let place = |(output, place): (&Output, Option<Range<usize>>)| match (output, place) {
        (Output::Subgraph(layer, output), _) => OutputPlace::Subgraph(numbers[*layer], *output),
        (Output::Rows(_), place) => OutputPlace::Arena(place.unwrap_or_default()),
    };
    let outputs = graph.outputs.iter().zip(places.outputs).map(place).collect();
    let subgraphs = graph.layers.iter().filter_map(|layer| match &layer.op {
        Op::Subgraph(subgraph) => Some(Arc::clone(subgraph)),
        _ => None,
    });
    Ok(Plan {
        kernels,
        phases: compiled,
        weights: Arc::new(weights),
        arena: places.arena,
        outputs,
        subgraphs: subgraphs.collect(),
        reaches,
        layers: layers_of,
        input,
        fill: seen.fill,
        pad,
    })
}

/// By layer, how many subgraphs are before it: the number of one itself.
fn subgraph_numbers(graph: &Graph) -> Vec<usize> {
    let mut count = 0;
    let number = |layer: &Layer| {
        let number = count;
        count += usize::from(matches!(layer.op, Op::Subgraph(_)));
        number
    };
    graph.layers.iter().map(number).collect()
}

/// The level that becomes 0, by colour of the picture: convolutions have zeros around what goes in.
fn pad(graph: &Graph, seen: Seen) -> Result<[f32; 3], String> {
    let mut pad = [0.0; 3];
    for (channel, &(factor, offset)) in graph.levels.iter().enumerate().take(3) {
        let level = -offset / factor;
        if !level.is_finite() {
            return Err("levels that all become the same".to_owned());
        }
        pad[if seen.blue_first { 2 - channel } else { channel }] = level;
    }
    Ok(pad)
}

/// Whether a layer needs, of its inputs, only the rows that it gives.
fn is_local(op: &Op) -> bool {
    match op {
        Op::Conv(conv) => conv.window == Window::PIXEL,
        // A kernel of one row with rows of padding would look beyond the picture.
        Op::MaxPool(Window { kernel: (1, _), stride: (1, _), pad: (0, _) }) => true,
        Op::Concat | Op::Slice { .. } | Op::Add | Op::Mul | Op::Activate(_) => true,
        Op::MeanOfDistribution { .. } | Op::Largest => true,
        Op::Input | Op::Focus { .. } | Op::MaxPool(_) | Op::Upsample { .. } => false,
        Op::Sum | Op::Subgraph(_) | Op::Take { .. } => false,
    }
}

/// Which layers must be there as a whole before another: the first input of one that looks around, all of a subgraph, and a
/// gate that does.
fn needs_whole(graph: &Graph, layer: LayerId, other: LayerId) -> bool {
    let Layer { op, inputs, gate, .. } = &graph.layers[layer];
    let looks_at = match op {
        Op::Subgraph(_) => inputs.contains(&other),
        op => !is_local(op) && inputs.first() == Some(&other),
    };
    looks_at || gate.is_some_and(|gate| gate.by == other && gate.radius > 0)
}

/// Puts all layers but the input into phases.
fn schedule(graph: &Graph) -> Vec<Vec<LayerId>> {
    let mut done: Vec<bool> = graph.layers.iter().map(|layer| matches!(layer.op, Op::Input)).collect();
    let mut phases: Vec<Vec<LayerId>> = Vec::new();
    let mut current: Vec<LayerId> = Vec::new();
    loop {
        let ready = |id: LayerId| !done[id] && graph.layers[id].needs().all(|input| done[input]);
        let joins = |id: LayerId| {
            let size = |id: LayerId| (graph.layers[id].shape.height, graph.layers[id].shape.width);
            current.iter().all(|&other| size(other) == size(id) && !needs_whole(graph, id, other))
        };
        let all = 0..graph.layers.len();
        if let Some(next) = all.clone().find(|&id| ready(id) && joins(id)) {
            done[next] = true;
            current.push(next);
        } else {
            let more = all.clone().any(ready);
            phases.extend((!current.is_empty()).then(|| std::mem::take(&mut current)));
            if !more {
                return phases;
            }
        }
    }
}

struct Compiler<'a> {
    graph: &'a Graph,
    kernels: &'static Kernels,
    seen: Seen,
    views: Vec<View>,
    weights: Floats,
    /// By layer, the number of a subgraph.
    numbers: Vec<usize>,
}

impl Compiler<'_> {
    /// What has to be done for a layer; nothing for a concatenation whose inputs lie where they should.
    fn steps(&mut self, id: LayerId) -> Result<Vec<Step>, String> {
        let layer = &self.graph.layers[id];
        let to = self.views[id];
        let from =
            |index: usize| layer.inputs.get(index).map(|&input| self.views[input]).ok_or("a missing input");
        let of_input = layer.inputs.iter().any(|&input| matches!(self.graph.layers[input].op, Op::Input));
        if of_input && !matches!(&layer.op, Op::Conv(conv) if !conv.depthwise && layer.inputs.len() == 1) {
            return Err("a picture that does not go into a full convolution".to_owned());
        }
        let demand = layer.gate.map(|gate| Demand { by: self.views[gate.by], radius: gate.radius });
        let step = match &layer.op {
            Op::Input | Op::Focus { .. } => return Err("a picture where values are expected".to_owned()),
            Op::Conv(conv) if conv.depthwise => {
                let (from, window, activation) = (from(0)?, conv.window, conv.activation);
                let (weights, bias) = self.pack_depthwise(conv, to.shape.channels);
                Step::Depthwise { from, window, weights, bias, activation, demand, to }
            }
            Op::Conv(conv) => {
                let (window, activation) = (conv.window, conv.activation);
                // A kernel of one pixel with padding behind the picture gives more pixels than there are.
                let size = |view: &View| (view.shape.height, view.shape.width);
                let as_they_lie = window == Window::PIXEL && size(&from(0)?) == size(&to);
                let source = match (of_input, as_they_lie) {
                    (true, _) => Source::Picture(self.graph.layers[layer.inputs[0]].shape),
                    (false, true) => Source::Pixels(from(0)?),
                    (false, false) => Source::Padded(from(0)?),
                };
                let add = if layer.inputs.len() > 1 { Some(from(1)?) } else { None };
                let parts = self.pack(conv, of_input && self.seen.blue_first);
                Step::Conv { source, window, parts, activation, add, demand, to }
            }
            Op::MaxPool(window) => Step::MaxPool { from: from(0)?, window: *window, to },
            Op::Upsample { factor } => Step::Upsample { from: from(0)?, factor: *factor, to },
            Op::Add => Step::Add { a: from(0)?, b: from(1)?, to },
            Op::Mul => Step::Mul { a: from(0)?, b: from(1)?, to },
            Op::Sum => Step::Sum { from: from(0)?, to },
            Op::MeanOfDistribution { weights } => {
                if weights.is_empty() || weights.len() > MOST_VALUES {
                    return Err("a distribution over very many values".to_owned());
                }
                Step::MeanOfDistribution { from: from(0)?, weights: weights.clone(), demand, to }
            }
            Op::Largest => Step::Largest { from: from(0)?, to },
            // It lies where its input does.
            Op::Slice { .. } => return Ok(Vec::new()),
            Op::Subgraph(subgraph) => {
                let (layers, others) = layer.inputs.split_at(subgraph.layers.min(layer.inputs.len()));
                Step::Subgraph {
                    index: self.numbers[id],
                    layers: layers.iter().map(|&input| self.views[input]).collect(),
                    others: others.iter().map(|&input| self.numbers[input]).collect(),
                    what: subgraph.describe(),
                    to,
                }
            }
            Op::Take { output } => {
                let from = *layer.inputs.first().ok_or("a missing input")?;
                Step::Take { index: self.numbers[from], output: *output, to }
            }
            Op::Activate(activation) => Step::Activate { from: from(0)?, activation: *activation, to },
            Op::Concat => {
                let mut channel = 0;
                let mut copies = Vec::new();
                for &input in &layer.inputs {
                    let from = self.views[input];
                    let to = View { channel: to.channel + channel, shape: from.shape, ..to };
                    if !from.is_same(&to) {
                        copies.push(Step::Copy { from, to });
                    }
                    channel += from.shape.channels;
                }
                return Ok(copies);
            }
        };
        Ok(vec![step])
    }

    /// Cuts the output channels into parts of nearly the same number of vectors. `turned`: the input's channels come in the
    /// opposite order.
    fn pack(&mut self, conv: &Conv, turned: bool) -> Vec<Part> {
        let lanes = self.kernels.lanes;
        let channels = conv.bias.len();
        let per_output = conv.weights.len() / channels;
        let (kh, kw) = conv.window.kernel;
        let inputs = per_output / (kh * kw);
        let vectors = channels.div_ceil(lanes);
        let parts = vectors.div_ceil(self.kernels.most_vectors);
        let mut packed = Vec::new();
        let mut first_vector = 0;
        for part in 0..parts {
            let end_vector = vectors * (part + 1) / parts;
            let (first, end) = (first_vector * lanes, (end_vector * lanes).min(channels));
            let wide = (end_vector - first_vector) * lanes;
            let mut weights = vec![0.0; per_output * wide];
            for output in first..end {
                for k in 0..per_output {
                    // The network sees blue first, pictures have red first.
                    let from = if turned { k - k % inputs + (inputs - 1 - k % inputs) } else { k };
                    weights[k * wide + output - first] = conv.weights[output * per_output + from];
                }
            }
            let mut bias = conv.bias[first..end].to_vec();
            bias.resize(wide, 0.0);
            // What the kernels rely on without looking.
            let vectors = end_vector - first_vector;
            assert!((1..=self.kernels.most_vectors).contains(&vectors) && bias.len() == wide);
            assert!(end - first <= wide && end - first > wide - lanes && weights.len() == per_output * wide);
            packed.push(Part {
                first,
                channels: end - first,
                vectors,
                weights: self.append(&weights),
                bias: self.append(&bias),
            });
            first_vector = end_vector;
        }
        packed
    }

    fn pack_depthwise(&mut self, conv: &Conv, channels: usize) -> (Range<usize>, Range<usize>) {
        let (kh, kw) = conv.window.kernel;
        let wide = channels.next_multiple_of(self.kernels.lanes);
        let mut weights = vec![0.0; kh * kw * wide];
        for channel in 0..channels {
            for position in 0..kh * kw {
                weights[position * wide + channel] = conv.weights[channel * kh * kw + position];
            }
        }
        let mut bias = conv.bias.clone();
        bias.resize(wide, 0.0);
        // As there.
        assert!(wide >= channels && bias.len() == wide && weights.len() == kh * kw * wide);
        (self.append(&weights), self.append(&bias))
    }

    fn append(&mut self, values: &[f32]) -> Range<usize> {
        let begin = self.weights.append(values);
        begin..begin + values.len()
    }
}
