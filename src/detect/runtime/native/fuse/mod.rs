//! Layers that are better done together: each rule replaces layers by fewer, and the result is the same.

mod gates;
mod picture;

use super::graph::{Conv, Graph, Layer, LayerId, Op, Shape, Window};
use super::kernels::Activation;
use gates::{gate_boxes, gate_later_channels};
use picture::{fold_focus, fold_levels, give_values, take_levels};

/// Applies all rules. `early` is the channel of a row that must reach the run's threshold before later ones count
/// ([`early_threshold`](crate::detect::heads::Head::early_threshold)).
///
/// # Errors
/// What is left that cannot be run by itself, in a few words.
pub(super) fn fuse(graph: &mut Graph, early: Option<usize>) -> Result<(), String> {
    fold_levels(graph);
    fold_focus(graph)?;
    give_values(graph);
    fold_scales(graph);
    take_levels(graph)?;
    skip_joins(graph);
    join_slices(graph);
    chain_pools(graph);
    split_pools(graph);
    absorb_activations(graph);
    absorb_sums(graph);
    if let Some(early) = early {
        gate_later_channels(graph, early);
    }
    gate_boxes(graph);
    Ok(())
}

/// The scale and shift of each channel, where a layer is nothing else.
fn scale_of(graph: &Graph, id: LayerId) -> Option<&Conv> {
    let layer = &graph.layers[id];
    let (Op::Conv(conv), &[input]) = (&layer.op, layer.inputs.as_slice()) else { return None };
    let plain = conv.depthwise && conv.window == Window::PIXEL && conv.activation == Activation::None;
    // With padding behind the picture it gives more pixels than there are.
    (plain && graph.layers[input].shape == layer.shape).then_some(conv)
}

/// A scale and shift behind a convolution without activation is part of it.
fn fold_scales(graph: &mut Graph) {
    let uses = graph.uses();
    for id in 0..graph.layers.len() {
        let Some(scale) = scale_of(graph, id).cloned() else { continue };
        let input = graph.layers[id].inputs[0];
        let Op::Conv(conv) = &graph.layers[input].op else { continue };
        if uses[input] != 1 || conv.activation != Activation::None || graph.layers[input].inputs.len() != 1 {
            continue;
        }
        let mut conv = conv.clone();
        let per_output = conv.weights.len() / conv.bias.len().max(1);
        let scales = scale.weights.iter().zip(&scale.bias);
        let outputs = conv.weights.chunks_exact_mut(per_output.max(1)).zip(&mut conv.bias);
        for ((weights, bias), (by, plus)) in outputs.zip(scales) {
            weights.iter_mut().for_each(|weight| *weight *= by);
            *bias = *bias * by + plus;
        }
        graph.layers[id] = Layer { op: Op::Conv(conv), ..graph.layers[input].clone() };
    }
    graph.prune();
}

/// Channels of a concatenation that are all of one input are that input.
fn skip_joins(graph: &mut Graph) {
    for id in 0..graph.layers.len() {
        let Op::Slice { first } = graph.layers[id].op else { continue };
        let whole = &graph.layers[graph.layers[id].inputs[0]];
        if !matches!(whole.op, Op::Concat) {
            continue;
        }
        let mut channel = 0;
        let exact = whole.inputs.iter().copied().find(|&input| {
            let begin = channel;
            channel += graph.layers[input].shape.channels;
            begin == first && graph.layers[input].shape == graph.layers[id].shape
        });
        let Some(exact) = exact else { continue };
        for layer in &mut graph.layers {
            layer.inputs.iter_mut().filter(|of| **of == id).for_each(|of| *of = exact);
        }
        for pair in &mut graph.scored {
            for layer in [&mut pair.0, &mut pair.1] {
                *layer = if *layer == id { exact } else { *layer };
            }
        }
    }
    graph.prune();
}

/// All channels of a layer, taken apart and put together again in their order, are the layer itself.
fn join_slices(graph: &mut Graph) {
    for id in 0..graph.layers.len() {
        if !matches!(graph.layers[id].op, Op::Concat) {
            continue;
        }
        let mut joined: Vec<LayerId> = Vec::new();
        // The layer whose slices are being gone through, and the channels of it so far.
        let mut whole: Option<(LayerId, usize, usize)> = None;
        for &input in &graph.layers[id].inputs {
            let layer = &graph.layers[input];
            whole = match (&layer.op, whole) {
                (&Op::Slice { first: 0 }, _) => Some((layer.inputs[0], layer.shape.channels, joined.len())),
                (&Op::Slice { first }, Some((of, channels, begin)))
                    if (of, channels) == (layer.inputs[0], first) =>
                {
                    Some((of, channels + layer.shape.channels, begin))
                }
                _ => None,
            };
            joined.push(input);
            if let Some((of, channels, begin)) = whole
                && channels == graph.layers[of].shape.channels
            {
                joined.truncate(begin);
                joined.push(of);
                whole = None;
            }
        }
        graph.layers[id].inputs = joined;
    }
    graph.prune();
}

/// The largest value within 4 pixels is the largest within 2 of the largest within 2: pools of several sizes over one
/// picture, as in spatial pyramid pooling, become a chain of small ones. Between two pixels of the picture there is
/// always a third one in it, so that this holds at the edges too.
fn chain_pools(graph: &mut Graph) {
    let same_size =
        |layer: &Layer| layer.inputs.iter().all(|&input| graph.layers[input].shape == layer.shape);
    let radius = |layer: &Layer| match layer.op {
        Op::MaxPool(Window { kernel: (h, w), stride: (1, 1), pad })
            if h == w && h % 2 == 1 && pad == (h / 2, h / 2) && same_size(layer) =>
        {
            Some(h / 2)
        }
        _ => None,
    };
    let pools: Vec<(LayerId, LayerId, usize)> = (0..graph.layers.len())
        .filter_map(|id| Some((id, *graph.layers[id].inputs.first()?, radius(&graph.layers[id])?)))
        .filter(|&(.., reach)| reach > 0)
        .collect();
    for &(id, input, reach) in &pools {
        // The largest smaller pool of the same picture that comes before this one.
        let before =
            pools.iter().filter(|pool| pool.0 < id && pool.1 == input && pool.2 < reach).max_by_key(|p| p.2);
        if let Some(&(other, _, smaller)) = before {
            let rest = reach - smaller;
            let window = Window { kernel: (2 * rest + 1, 2 * rest + 1), stride: (1, 1), pad: (rest, rest) };
            graph.layers[id].op = Op::MaxPool(window);
            graph.layers[id].inputs = vec![other];
        }
    }
}

/// The largest value in a square is the largest along the columns of the largest along the rows: two times five values to
/// look at instead of twenty-five.
fn split_pools(graph: &mut Graph) {
    for id in 0..graph.layers.len() {
        let Op::MaxPool(Window { kernel, stride: (1, 1), pad }) = graph.layers[id].op else { continue };
        if kernel.0 < 2 || kernel.1 < 2 {
            continue;
        }
        let Layer { inputs, shape, .. } = graph.layers[id].clone();
        let from = graph.layers[inputs[0]].shape;
        let across = Window { kernel: (1, kernel.1), stride: (1, 1), pad: (0, pad.1) };
        let down = Window { kernel: (kernel.0, 1), stride: (1, 1), pad: (pad.0, 0) };
        graph.layers.push(Layer::new(Op::MaxPool(across), inputs, Shape { width: shape.width, ..from }));
        graph.layers[id].inputs = vec![graph.layers.len() - 1];
        graph.layers[id].op = Op::MaxPool(down);
    }
    graph.sort();
}

/// An activation that is the only user of a convolution belongs to it.
fn absorb_activations(graph: &mut Graph) {
    let uses = graph.uses();
    for id in 0..graph.layers.len() {
        let Op::Activate(activation) = graph.layers[id].op else { continue };
        let input = graph.layers[id].inputs[0];
        let Op::Conv(conv) = &graph.layers[input].op else { continue };
        if uses[input] == 1 && conv.activation == Activation::None {
            let conv = Conv { activation, ..conv.clone() };
            graph.layers[id] = Layer { op: Op::Conv(conv), ..graph.layers[input].clone() };
        }
    }
    graph.prune();
}

/// A sum that is the only user of a full convolution belongs to it.
fn absorb_sums(graph: &mut Graph) {
    let uses = graph.uses();
    for id in 0..graph.layers.len() {
        if !matches!(graph.layers[id].op, Op::Add) {
            continue;
        }
        let (a, b) = (graph.layers[id].inputs[0], graph.layers[id].inputs[1]);
        let alone = |layer: LayerId| {
            let Layer { op, inputs, .. } = &graph.layers[layer];
            // One that reads the picture's levels does nothing else.
            let of_picture = inputs.iter().any(|&input| matches!(graph.layers[input].op, Op::Input));
            let full = matches!(op, Op::Conv(conv) if !conv.depthwise);
            uses[layer] == 1 && inputs.len() == 1 && full && !of_picture
        };
        // The later one, so that the other is there already.
        let (conv, other) = match (alone(a), alone(b)) {
            _ if a == b => continue,
            (true, true) => (a.max(b), a.min(b)),
            (true, false) => (a, b),
            (false, true) => (b, a),
            (false, false) => continue,
        };
        let inputs = vec![graph.layers[conv].inputs[0], other];
        graph.layers[id] = Layer { inputs, ..graph.layers[conv].clone() };
    }
    graph.prune();
}
