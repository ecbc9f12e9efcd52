//! The first convolutions take the picture as it is: 8-bit levels, in its own arrangement. What models do to it before that
//! becomes part of their weights.

use super::super::graph::{Conv, Graph, Layer, LayerId, Op, Window};
use super::super::kernels::Activation;
use super::scale_of;

/// Scaling that the model itself does to its input joins how levels become values.
pub(super) fn fold_levels(graph: &mut Graph) {
    // One may follow the other.
    while let Some((id, input)) = scaled_input(graph) {
        if let Some(scale) = scale_of(graph, id) {
            let scales: Vec<(f32, f32)> =
                scale.weights.iter().copied().zip(scale.bias.iter().copied()).collect();
            for ((factor, offset), (by, plus)) in graph.levels.iter_mut().zip(scales) {
                (*factor, *offset) = (*factor * by, *offset * by + plus);
            }
        }
        for layer in &mut graph.layers {
            layer.inputs.iter_mut().filter(|of| **of == id).for_each(|of| *of = input);
        }
        graph.prune();
    }
}

/// A layer that only scales the input, and the input, which nothing else uses.
fn scaled_input(graph: &Graph) -> Option<(LayerId, LayerId)> {
    let uses = graph.uses();
    (0..graph.layers.len()).find_map(|id| {
        let scale = scale_of(graph, id)?;
        let input = graph.layers[id].inputs[0];
        // What is an output stays.
        let between = graph.output_layers().all(|output| output != id);
        let alone = matches!(graph.layers[input].op, Op::Input) && uses[input] == 1 && between;
        (alone && scale.bias.len() == graph.levels.len()).then_some((id, input))
    })
}

/// A convolution over a picture taken apart is one over the whole picture, with a larger kernel: where the parts are
/// every second pixel, each weight of a 3×3 kernel finds its place in one of 6×6, and every place is taken once.
pub(super) fn fold_focus(graph: &mut Graph) -> Result<(), String> {
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

/// Only a full convolution reads the picture's levels. Where anything else does, a convolution that changes nothing gives it
/// their values; one of each channel by itself becomes one of all with all.
pub(super) fn give_values(graph: &mut Graph) {
    let Some(input) = graph.layers.iter().position(|layer| matches!(layer.op, Op::Input)) else { return };
    let shape = graph.layers[input].shape;
    let mut values = None;
    for id in 0..graph.layers.len() {
        let of_input = graph.layers[id].inputs.contains(&input);
        let alone = graph.layers[id].inputs == [input];
        match &mut graph.layers[id].op {
            Op::Conv(conv) if alone && conv.depthwise => make_full(conv),
            Op::Conv(_) if alone => {}
            _ if of_input => {
                let layer = *values.get_or_insert_with(|| {
                    let (weights, bias) = (vec![1.0; shape.channels], vec![0.0; shape.channels]);
                    let activation = Activation::None;
                    let mut same = Conv { window: Window::PIXEL, depthwise: true, weights, bias, activation };
                    make_full(&mut same);
                    graph.layers.push(Layer::new(Op::Conv(same), vec![input], shape));
                    graph.layers.len() - 1
                });
                graph.layers[id].inputs.iter_mut().filter(|of| **of == input).for_each(|of| *of = layer);
            }
            _ => {}
        }
    }
    graph.sort();
}

/// Turns a convolution of each channel by itself into one of all with all, most of whose weights are 0.
fn make_full(conv: &mut Conv) {
    let channels = conv.bias.len();
    let positions = conv.weights.len() / channels.max(1);
    let mut weights = vec![0.0; channels * positions * channels];
    for (at, &weight) in conv.weights.iter().enumerate() {
        let (channel, position) = (at / positions, at % positions);
        weights[(channel * positions + position) * channels + channel] = weight;
    }
    (conv.weights, conv.depthwise) = (weights, false);
}

/// A convolution of the picture takes 8-bit levels: what makes values of them joins its weights.
pub(super) fn take_levels(graph: &mut Graph) -> Result<(), String> {
    let levels = graph.levels.clone();
    if levels.iter().all(|&level| level == (1.0, 0.0)) {
        return Ok(());
    }
    for id in 0..graph.layers.len() {
        let of_input =
            graph.layers[id].inputs.iter().any(|&input| matches!(graph.layers[input].op, Op::Input));
        let Op::Conv(conv) = &mut graph.layers[id].op else { continue };
        if !of_input {
            continue;
        }
        let per_output = conv.weights.len() / conv.bias.len().max(1);
        if conv.depthwise || per_output % levels.len().max(1) != 0 {
            return Err("a picture that does not go into a full convolution".to_owned());
        }
        for (weights, bias) in conv.weights.chunks_exact_mut(per_output.max(1)).zip(&mut conv.bias) {
            for (weight, &(factor, offset)) in weights.iter_mut().zip(levels.iter().cycle()) {
                *bias += *weight * offset;
                *weight *= factor;
            }
        }
    }
    Ok(())
}
