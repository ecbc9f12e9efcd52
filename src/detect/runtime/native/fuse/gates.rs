//! Layers that need not be computed where nobody looks at what they lead to.

use super::super::graph::{Gate, Graph, Layer, LayerId, Op, Shape, Window};

/// Of a row of YOLOX's output, box, objectness and class scores, the head never looks at the class scores where the
/// objectness is below the threshold. So the layers that lead to class scores alone are needed only around the pixels where
/// something may be. In most pictures that is a small part of them. `early` is the objectness, or what another family has.
pub(super) fn gate_later_channels(graph: &mut Graph, early: usize) {
    let uses = graph.uses();
    for output in graph.output_layers().collect::<Vec<_>>() {
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

/// Where all scores of a cell are too low, nobody looks at its box: the layers that lead to boxes alone are needed only around
/// cells with a score that is high enough. In most pictures that is a small part of them.
pub(super) fn gate_boxes(graph: &mut Graph) {
    let mut uses = graph.uses();
    let mut largest: Vec<(LayerId, LayerId)> = Vec::new();
    for (scores, boxes) in graph.scored.clone() {
        let by = match largest.iter().find(|known| known.0 == scores) {
            Some(&(_, by)) => by,
            None => {
                let shape = Shape { channels: 1, ..graph.layers[scores].shape };
                graph.layers.push(Layer::new(Op::Largest, vec![scores], shape));
                uses.push(1);
                largest.push((scores, graph.layers.len() - 1));
                graph.layers.len() - 1
            }
        };
        gate_branch(graph, &uses, boxes, by);
    }
}

/// Gates a layer and what leads to it alone.
fn gate_branch(graph: &mut Graph, uses: &[usize], mut id: LayerId, by: LayerId) {
    let size = (graph.layers[by].shape.height, graph.layers[by].shape.width);
    let mut radius = 0;
    while uses[id] == 1 && !leads_to(graph, id, by) {
        let layer = &mut graph.layers[id];
        let window = match &layer.op {
            Op::Conv(conv) => conv.window,
            Op::MeanOfDistribution { .. } => Window::PIXEL,
            _ => return,
        };
        let Window { kernel, stride, pad } = window;
        let around = stride == (1, 1)
            && kernel.0 == kernel.1
            && kernel.0 % 2 == 1
            && pad == (kernel.0 / 2, kernel.0 / 2);
        // With other padding its pixels are not those of the objectness.
        let same_size = (layer.shape.height, layer.shape.width) == size;
        if layer.inputs.len() != 1 || !same_size || !(window == Window::PIXEL || around) {
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
