//! Layers that are better done together: each rule replaces layers by fewer, and the result is the same.

use super::graph::{Conv, Gate, Graph, Layer, LayerId, Op, Shape, Window};
use super::kernels::Activation;

/// Applies all rules. `early` is the channel of a row that must reach the run's threshold before later ones count
/// ([`early_threshold`](crate::detect::heads::Head::early_threshold)).
///
/// # Errors
/// What is left that cannot be run by itself, in a few words.
pub(super) fn fuse(graph: &mut Graph, early: Option<usize>) -> Result<(), String> {
    fold_focus(graph)?;
    chain_pools(graph);
    split_pools(graph);
    absorb_activations(graph);
    absorb_sums(graph);
    if let Some(early) = early {
        gate_later_channels(graph, early);
    }
    Ok(())
}

/// A convolution over a picture taken apart is one over the whole picture, with a larger kernel: where the parts are
/// every second pixel, each weight of a 3×3 kernel finds its place in one of 6×6, and every place is taken once.
fn fold_focus(graph: &mut Graph) -> Result<(), String> {
    for id in 0..graph.layers.len() {
        let Op::Conv(conv) = &graph.layers[id].op else { continue };
        let &[input] = graph.layers[id].inputs.as_slice() else { continue };
        let Op::Focus { stride, parts } = &graph.layers[input].op else { continue };
        let picture = graph.layers[input].inputs[0];
        let (whole, taken) = (graph.layers[picture].shape, graph.layers[input].shape);
        let even = taken.height * stride == whole.height && taken.width * stride == whole.width;
        // Every place is taken, so that the kernel grows by places and not by weights.
        let whole_kernel = parts.len() == stride * stride;
        let inside = parts.iter().all(|part| part.0 < *stride && part.1 < *stride);
        if conv.depthwise || conv.window.stride != (1, 1) || !even || !inside || !whole_kernel {
            return Err("a picture rearranged in an unusual way".to_owned());
        }
        let folded = unfold_kernel(conv, *stride, parts, whole.channels);
        graph.layers[id].op = Op::Conv(folded);
        graph.layers[id].inputs = vec![picture];
    }
    graph.prune();
    match graph.layers.iter().any(|layer| matches!(layer.op, Op::Focus { .. })) {
        true => Err("a picture rearranged without a convolution after it".to_owned()),
        false => Ok(()),
    }
}

fn unfold_kernel(conv: &Conv, stride: usize, parts: &[(usize, usize)], channels: usize) -> Conv {
    let (kh, kw) = conv.window.kernel;
    let (new_kh, new_kw) = (kh * stride, kw * stride);
    let per_output = kh * kw * parts.len() * channels;
    let mut weights = vec![0.0; conv.bias.len() * new_kh * new_kw * channels];
    for (output, given) in conv.weights.chunks_exact(per_output).enumerate() {
        let mut given = given.iter();
        for ky in 0..kh {
            for kx in 0..kw {
                for &(y, x) in parts {
                    let row = output * new_kh + ky * stride + y;
                    let at = (row * new_kw + kx * stride + x) * channels;
                    for (to, from) in weights[at..at + channels].iter_mut().zip(&mut given) {
                        *to += from;
                    }
                }
            }
        }
    }
    let pad = (conv.window.pad.0 * stride, conv.window.pad.1 * stride);
    let window = Window { kernel: (new_kh, new_kw), stride: (stride, stride), pad };
    Conv { window, weights, ..conv.clone() }
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
            uses[layer] == 1 && inputs.len() == 1 && matches!(op, Op::Conv(conv) if !conv.depthwise)
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

/// Of a row of YOLOX's output, box, objectness and class scores, the head never looks at the class scores where the
/// objectness is below the threshold. So the layers that lead to class scores alone are needed only around the pixels where
/// something may be. In most pictures that is a small part of them. `early` is the objectness, or what another family has.
fn gate_later_channels(graph: &mut Graph, early: usize) {
    let uses = graph.uses();
    for output in graph.outputs.clone() {
        // Nobody else may look at the scores.
        if !matches!(graph.layers[output].op, Op::Concat) || uses[output] > 1 {
            continue;
        }
        let mut channel = 0;
        let mut gate = None;
        for part in graph.layers[output].inputs.clone() {
            let channels = graph.layers[part].shape.channels;
            if (channel, channels) == (early, 1) {
                gate = Some(part);
            }
            if let Some(by) = gate.filter(|&by| by != part) {
                gate_branch(graph, &uses, part, by);
            }
            channel += channels;
        }
    }
}

/// Gates a layer and what leads to it alone.
fn gate_branch(graph: &mut Graph, uses: &[usize], mut id: LayerId, by: LayerId) {
    let size = (graph.layers[by].shape.height, graph.layers[by].shape.width);
    let mut radius = 0;
    while uses[id] == 1 && !leads_to(graph, id, by) {
        let layer = &mut graph.layers[id];
        let Op::Conv(conv) = &layer.op else { return };
        let Window { kernel, stride, pad } = conv.window;
        let around =
            conv.depthwise && stride == (1, 1) && kernel.0 == kernel.1 && pad == (kernel.0 / 2, kernel.0 / 2);
        // With other padding its pixels are not those of the objectness.
        let same_size = (layer.shape.height, layer.shape.width) == size;
        if layer.inputs.len() != 1 || !same_size || !(conv.window == Window::PIXEL || around) {
            return;
        }
        layer.gate = Some(Gate { by, radius });
        radius += kernel.0 / 2;
        id = layer.inputs[0];
    }
}

/// Whether a layer is needed for another.
fn leads_to(graph: &Graph, id: LayerId, target: LayerId) -> bool {
    let mut needed = vec![false; graph.layers.len()];
    needed[target] = true;
    for layer in (0..=target).rev().filter(|&layer| layer >= id) {
        if needed[layer] {
            graph.layers[layer].inputs.iter().for_each(|&input| needed[input] = true);
        }
    }
    needed[id]
}
