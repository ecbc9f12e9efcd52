//! Where every layer's values lie: in one arena for all, or in the scratch of each thread.

use std::ops::Range;

use super::super::graph::{Graph, LayerId, Op, Output, Shape};
use super::super::memory::PER_LINE;
use super::super::static_rows::Reaches;
use super::super::step::{Place, View};
use super::needs_whole;

/// The most floats that the values of a network may need.
const LARGEST_ARENA: usize = 1 << 30;

/// Where each layer's values lie.
pub(super) struct Places {
    pub(super) views: Vec<View>,
    pub(super) arena: usize,
    /// Where the rows of an output lie, by output.
    pub(super) outputs: Vec<Option<Range<usize>>>,
    /// Floats of scratch for each row of a chunk, by phase.
    pub(super) scratch: Vec<usize>,
}

/// What a layer's values are part of.
#[derive(Debug, Clone, Copy)]
enum Parent {
    /// A buffer of their own.
    None,
    /// The channels of another layer from this one on.
    Channels(LayerId, usize),
    /// The output with this number, from this row on.
    Output(usize, usize),
}

impl Places {
    pub(super) fn assign(graph: &Graph, phases: &[Vec<LayerId>], reaches: &Reaches) -> Result<Self, String> {
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
        let rows = graph.layers.first().map_or(1, |input| input.shape.height.max(1));
        let mut kept = vec![false; count];
        // A row at either end reaches the fewest.
        for row in [0, rows - 1] {
            let moving = reaches.moving_rows(&(row..row + 1));
            for (id, layer) in graph.layers.iter().enumerate() {
                kept[roots[id]] |= moving[id].len() < layer.shape.height;
            }
        }

        let mut space = Space::default();
        let rows = |output: &Output| match output {
            Output::Rows(layers) => {
                let values =
                    |&id: &LayerId| pixels(&graph.layers[id].shape) * graph.layers[id].shape.channels;
                let len = layers.iter().map(values).sum();
                let begin = space.take(len, 0..phases.len());
                Some(begin..begin + len)
            }
            Output::Subgraph(..) => None,
        };
        let outputs: Vec<Option<Range<usize>>> = graph.outputs.iter().map(rows).collect();
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
        let views = (0..count).map(|id| resolve(graph, &parents, &outputs, &views, id));
        let views = views.collect::<Option<Vec<_>>>().ok_or("a layer without a place")?;
        if space.end > LARGEST_ARENA {
            return Err("values that need more than four gigabytes".to_owned());
        }
        Ok(Self { views, arena: space.end, outputs, scratch })
    }
}

fn pixels(shape: &Shape) -> usize {
    shape.height * shape.width
}

/// The view of a layer, from that of what it is part of.
fn resolve(
    graph: &Graph,
    parents: &[Parent],
    outputs: &[Option<Range<usize>>],
    views: &[Option<View>],
    id: LayerId,
) -> Option<View> {
    let (mut whole, mut channel) = (id, 0);
    while let Parent::Channels(of, first) = parents[whole] {
        (whole, channel) = (of, channel + first);
    }
    let base = match parents[whole] {
        Parent::Output(output, row) => {
            let shape = graph.layers[whole].shape;
            let offset = outputs[output].as_ref()?.start + row * shape.channels;
            View { place: Place::Arena, offset, channel: 0, step: shape.channels, shape }
        }
        _ => views[whole]?,
    };
    Some(View { channel: base.channel + channel, shape: graph.layers[id].shape, ..base })
}

fn root(parents: &[Parent], mut id: LayerId) -> LayerId {
    while let Parent::Channels(whole, _) = parents[id] {
        id = whole;
    }
    id
}

/// Decides which layers write straight into a concatenation or the output.
fn parents(graph: &Graph) -> Result<Vec<Parent>, String> {
    let mut parents = vec![Parent::None; graph.layers.len()];
    for (id, layer) in graph.layers.iter().enumerate() {
        if let Op::Slice { first } = layer.op {
            parents[id] = Parent::Channels(layer.inputs[0], first);
        }
    }
    for (number, output) in graph.outputs.iter().enumerate() {
        let Output::Rows(layers) = output else { continue };
        let mut row = 0;
        for &id in layers {
            let Shape { channels, .. } = graph.layers[id].shape;
            let first = graph.layers[layers[0]].shape.channels;
            let free = matches!(parents[id], Parent::None) && !matches!(graph.layers[id].op, Op::Input);
            if !free || channels != first {
                return Err("an output made of pixels in an unusual way".to_owned());
            }
            parents[id] = Parent::Output(number, row);
            row += pixels(&graph.layers[id].shape);
        }
    }
    for (id, layer) in graph.layers.iter().enumerate() {
        if !matches!(layer.op, Op::Concat) {
            continue;
        }
        let mut channel = 0;
        for &input in &layer.inputs {
            let Shape { channels, .. } = graph.layers[input].shape;
            if matches!(parents[input], Parent::None) && !matches!(graph.layers[input].op, Op::Input) {
                parents[input] = Parent::Channels(id, channel);
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
