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

use std::ops::Range;
use std::sync::Arc;

use super::Seen;
use super::graph::{Conv, Graph, Layer, LayerId, Op, Shape, Window, flops};
use super::kernels::Kernels;
use super::memory::{Floats, PER_LINE};
use super::static_rows::Reaches;
use super::step::{Demand, Part, Phase, Place, Source, Step, View};

/// The most floats that the values of a network may need.
const LARGEST_ARENA: usize = 1 << 30;

/// A network ready to run; nothing in it changes any more.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kernels: &'static Kernels,
    pub(super) phases: Vec<Phase>,
    /// Packed weights and biases of all steps.
    pub(super) weights: Arc<Floats>,
    /// Floats that the arena needs.
    pub(super) arena: usize,
    /// Where the network's rows lie in the arena.
    pub(super) output: Range<usize>,
    /// How far a picture reaches in each layer, and the layers of each phase.
    pub(super) reaches: Reaches,
    pub(super) layers: Vec<Vec<LayerId>>,
    /// The size of the picture that the network sees.
    pub(super) input: Shape,
    /// The level below and on the right of the picture.
    pub(super) fill: u8,
}

impl Plan {
    /// How many rows of each phase depend on a picture of `rows` rows.
    pub(super) fn moving_rows(&self, rows: usize) -> Vec<usize> {
        let moving = self.reaches.moving_rows(rows);
        let most = |layers: &Vec<LayerId>| layers.iter().map(|&layer| moving[layer]).max().unwrap_or(0);
        self.layers.iter().map(most).collect()
    }
}

/// Compiles a graph in which everything is fused.
///
/// # Errors
/// What in the graph cannot be run, in a few words.
pub(super) fn compile(graph: &Graph, seen: Seen, kernels: &'static Kernels) -> Result<Plan, String> {
    let input = graph.layers.iter().find(|layer| matches!(layer.op, Op::Input)).ok_or("no input")?.shape;
    let phases = schedule(graph);
    let reaches = Reaches::of(graph);
    let places = Places::assign(graph, &phases, &reaches)?;
    let mut compiler = Compiler { graph, kernels, seen, views: places.views, weights: Floats::default() };
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
    let Compiler { weights, .. } = compiler;
    Ok(Plan {
        kernels,
        phases: compiled,
        weights: Arc::new(weights),
        arena: places.arena,
        output: places.output,
        reaches,
        layers: layers_of,
        input,
        fill: seen.fill,
    })
}

/// Whether a layer needs, of its inputs, only the rows that it gives.
fn is_local(op: &Op) -> bool {
    match op {
        Op::Conv(conv) => conv.window == Window::PIXEL,
        // A kernel of one row with rows of padding would look beyond the picture.
        Op::MaxPool(Window { kernel: (1, _), stride: (1, _), pad: (0, _) }) => true,
        Op::Concat | Op::Add | Op::Activate(_) => true,
        Op::Input | Op::Focus { .. } | Op::MaxPool(_) | Op::Upsample { .. } => false,
    }
}

/// Which layers must be there as a whole before another: the first input of one that looks around, and a gate that does.
fn needs_whole(graph: &Graph, layer: LayerId, other: LayerId) -> bool {
    let Layer { op, inputs, gate, .. } = &graph.layers[layer];
    let looks_at = !is_local(op) && inputs.first() == Some(&other);
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

/// Where each layer's values lie.
struct Places {
    views: Vec<View>,
    arena: usize,
    output: Range<usize>,
    /// Floats of scratch for each row of a chunk, by phase.
    scratch: Vec<usize>,
}

/// What a layer's values are part of.
#[derive(Debug, Clone, Copy)]
enum Parent {
    /// A buffer of their own.
    None,
    /// The channels of a concatenation from this one on.
    Concat(LayerId, usize),
    /// The network's output, from this row on.
    Output(usize),
}

impl Places {
    fn assign(graph: &Graph, phases: &[Vec<LayerId>], reaches: &Reaches) -> Result<Self, String> {
        let count = graph.layers.len();
        let parents = parents(graph)?;
        // The layer in whose buffer a layer's values lie.
        let roots: Vec<LayerId> = (0..count).map(|id| root(&parents, id)).collect();

        // From the phase in which the first value of a buffer is written to the last in which one is read.
        let mut phase_of = vec![0; count];
        for (phase, layers) in phases.iter().enumerate() {
            layers.iter().for_each(|&layer| phase_of[layer] = phase);
        }
        let mut lives = vec![(usize::MAX, 0); count];
        let mut local = vec![true; count];
        for (id, layer) in graph.layers.iter().enumerate() {
            let phase = phase_of[id];
            let mut touch = |root: LayerId, whole: bool| {
                let (first, last) = lives[root];
                lives[root] = (first.min(phase), last.max(phase));
                local[root] &= !whole;
            };
            touch(roots[id], matches!(layer.op, Op::Input));
            for input in layer.needs() {
                touch(roots[input], needs_whole(graph, id, input));
            }
        }

        // What is computed for the first picture only must still be there for the next one.
        let moving = reaches.moving_rows(1);
        let mut kept = vec![false; count];
        for (id, layer) in graph.layers.iter().enumerate() {
            if moving[id] < layer.shape.height {
                kept[roots[id]] = true;
            }
        }

        let rows: usize = graph.outputs.iter().map(|&id| pixels(&graph.layers[id].shape)).sum();
        let row = graph.outputs.first().map_or(0, |&id| graph.layers[id].shape.channels);
        let mut space = Space::default();
        let output = space.take(rows * row, 0..phases.len());
        let mut scratch = vec![0; phases.len()];
        let mut views: Vec<Option<View>> = vec![None; count];
        let mut order: Vec<LayerId> = (0..count).filter(|&id| matches!(parents[id], Parent::None)).collect();
        // Large ones first: small ones fit into the gaps.
        order.sort_by_key(|&id| {
            std::cmp::Reverse(pixels(&graph.layers[id].shape) * graph.layers[id].shape.channels)
        });
        for id in order {
            let shape = graph.layers[id].shape;
            if matches!(graph.layers[id].op, Op::Input) {
                views[id] = Some(View { place: Place::Arena, offset: 0, channel: 0, step: 0, shape });
                continue;
            }
            let (first, last) = lives[id];
            let (place, offset) = if local[id] && first == last {
                let offset = scratch[first];
                scratch[first] += (shape.width * shape.channels).next_multiple_of(PER_LINE);
                (Place::Local, offset)
            } else {
                let phases = if kept[id] { 0..phases.len() } else { first..last + 1 };
                (Place::Arena, space.take(pixels(&shape) * shape.channels, phases))
            };
            views[id] = Some(View { place, offset, channel: 0, step: shape.channels, shape });
        }
        for id in (0..count).rev() {
            resolve(graph, &parents, output, &mut views, id);
        }
        let views = views.into_iter().collect::<Option<Vec<_>>>().ok_or("a layer without a place")?;
        if space.end > LARGEST_ARENA {
            return Err("values that need more than four gigabytes".to_owned());
        }
        Ok(Self { views, arena: space.end, output: output..output + rows * row, scratch })
    }
}

fn pixels(shape: &Shape) -> usize {
    shape.height * shape.width
}

/// Gives a layer its view from that of what it is part of.
fn resolve(graph: &Graph, parents: &[Parent], output: usize, views: &mut [Option<View>], id: LayerId) {
    if views[id].is_some() {
        return;
    }
    let shape = graph.layers[id].shape;
    views[id] = match parents[id] {
        Parent::None => None,
        Parent::Output(row) => {
            let offset = output + row * shape.channels;
            Some(View { place: Place::Arena, offset, channel: 0, step: shape.channels, shape })
        }
        Parent::Concat(concat, channel) => {
            resolve(graph, parents, output, views, concat);
            views[concat].map(|whole| View { channel: whole.channel + channel, shape, ..whole })
        }
    };
}

fn root(parents: &[Parent], mut id: LayerId) -> LayerId {
    while let Parent::Concat(concat, _) = parents[id] {
        id = concat;
    }
    id
}

/// Decides which layers write straight into a concatenation or the output.
fn parents(graph: &Graph) -> Result<Vec<Parent>, String> {
    let mut parents = vec![Parent::None; graph.layers.len()];
    let mut row = 0;
    for &id in &graph.outputs {
        let Shape { channels, .. } = graph.layers[id].shape;
        let first = graph.layers[graph.outputs[0]].shape.channels;
        let free = matches!(parents[id], Parent::None) && !matches!(graph.layers[id].op, Op::Input);
        if !free || channels != first {
            return Err("an output made of pixels in an unusual way".to_owned());
        }
        parents[id] = Parent::Output(row);
        row += pixels(&graph.layers[id].shape);
    }
    for (id, layer) in graph.layers.iter().enumerate() {
        if !matches!(layer.op, Op::Concat) {
            continue;
        }
        let mut channel = 0;
        for &input in &layer.inputs {
            let Shape { channels, .. } = graph.layers[input].shape;
            if matches!(parents[input], Parent::None) && !matches!(graph.layers[input].op, Op::Input) {
                parents[input] = Parent::Concat(id, channel);
            }
            channel += channels;
        }
    }
    Ok(parents)
}

/// Memory of which parts are in use for some phases.
#[derive(Debug, Default)]
struct Space {
    taken: Vec<(Range<usize>, Range<usize>)>,
    end: usize,
}

impl Space {
    /// The lowest place for `len` floats that is free in all `phases`.
    fn take(&mut self, len: usize, phases: Range<usize>) -> usize {
        let len = len.next_multiple_of(PER_LINE);
        let mut busy: Vec<Range<usize>> = self
            .taken
            .iter()
            .filter(|(_, lives)| lives.start < phases.end && phases.start < lives.end)
            .map(|(floats, _)| floats.clone())
            .collect();
        busy.sort_by_key(|floats| floats.start);
        let mut begin = 0;
        for floats in busy {
            if begin + len <= floats.start {
                break;
            }
            begin = begin.max(floats.end);
        }
        self.taken.push((begin..begin + len, phases));
        self.end = self.end.max(begin + len);
        begin
    }
}

struct Compiler<'a> {
    graph: &'a Graph,
    kernels: &'static Kernels,
    seen: Seen,
    views: Vec<View>,
    weights: Floats,
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
