//! Which rows of which layer are the same for every picture at a place.
//!
//! Above and below a picture that is wider than the network's input lies grey, the same each time, and so is what the first
//! half of the network makes of it: of a 4:3 picture in a square that is a quarter of all rows, of a 16:9 picture seven
//! sixteenths. It is computed for the first picture and stays where it is. Where a layer looks at its neighbours, the part
//! that depends on the picture grows by a row or two, so that this is done for the first layers only, which have the most
//! rows.

use std::ops::Range;

use super::graph::{Conv, Graph, Layer, LayerId, Op, Shape};

/// Layers with fewer rows than the input's divided by this are always computed as a whole: of them little is the same, and
/// what is kept takes memory.
const COARSEST: usize = 4;

/// What is needed to tell how far the picture reaches in each layer.
#[derive(Debug)]
pub(super) struct Reaches(Vec<Reach>);

/// One layer.
#[derive(Debug)]
struct Reach {
    inputs: Vec<LayerId>,
    height: usize,
    rule: Rule,
}

/// From the rows that depend on the picture in the inputs to those here.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Picture,
    Same,
    Window {
        kernel: usize,
        stride: usize,
        pad: usize,
    },
    Upsample {
        factor: usize,
    },
    /// Depends on the picture everywhere.
    Nowhere,
}

impl Reaches {
    pub(super) fn of(graph: &Graph) -> Self {
        let rows = graph.layers.first().map_or(0, |input| input.shape.height);
        let reach = |layer: &Layer| {
            let rule = match &layer.op {
                // Where it is needed depends on the picture.
                _ if layer.gate.is_some() => Rule::Nowhere,
                _ if layer.shape.height * COARSEST < rows => Rule::Nowhere,
                Op::Input => Rule::Picture,
                Op::Conv(Conv { window, .. }) | Op::MaxPool(window) => {
                    let (kernel, stride, pad) = (window.kernel.0, window.stride.0, window.pad.0);
                    Rule::Window { kernel, stride, pad }
                }
                Op::Upsample { factor } => Rule::Upsample { factor: *factor },
                // One factor for all pixels depends on all of them.
                Op::Mul if layer.inputs.iter().any(|&input| graph.layers[input].shape != layer.shape) => {
                    Rule::Nowhere
                }
                Op::Concat | Op::Slice { .. } | Op::Add | Op::Mul | Op::Activate(_) => Rule::Same,
                Op::MeanOfDistribution { .. } | Op::Largest => Rule::Same,
                Op::Focus { .. } | Op::Sum | Op::Subgraph(_) | Op::Take { .. } => Rule::Nowhere,
            };
            let Shape { height, .. } = layer.shape;
            Reach { inputs: layer.inputs.clone(), height, rule }
        };
        Self(graph.layers.iter().map(reach).collect())
    }

    /// For each layer, which rows depend on a picture in these rows of the input; the others are the same whatever it shows.
    /// Inputs must stand before the layers that need them.
    pub(super) fn moving_rows(&self, rows: &Range<usize>) -> Vec<Range<usize>> {
        let mut moving: Vec<Range<usize>> = Vec::with_capacity(self.0.len());
        for Reach { inputs, height, rule } in &self.0 {
            let first = inputs.first().map_or(0..*height, |&input| moving[input].clone());
            let reached = match *rule {
                Rule::Picture => rows.clone(),
                Rule::Same => first,
                // The kernel of row `y` begins at `y · stride - pad`.
                Rule::Window { kernel, stride, pad } => {
                    let begin = (first.start + pad).saturating_sub(kernel - 1).div_ceil(stride);
                    begin..(first.end + pad).div_ceil(stride)
                }
                Rule::Upsample { factor } => first.start * factor..first.end * factor,
                Rule::Nowhere => 0..*height,
            };
            // All but the first are looked at pixel by pixel.
            let others = inputs.iter().skip(1).map(|&input| &moving[input]);
            let all = others.fold(reached, |all, other| joined(&all, other));
            moving.push(all.start.min(*height)..all.end.min(*height));
        }
        moving
    }
}

/// The rows from the first of both to the last.
pub(super) fn joined(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Output, Window};
    use super::super::kernels::Activation;
    use super::*;

    #[test]
    fn what_depends_on_the_picture_grows_where_a_layer_looks_around() {
        let shape = |height| Shape { height, width: 8, channels: 3 };
        let conv = |stride, pad, kernel| {
            let window = Window { kernel: (kernel, kernel), stride: (stride, stride), pad: (pad, pad) };
            let (weights, bias) = (vec![], vec![]);
            Op::Conv(Conv { window, depthwise: true, weights, bias, activation: Activation::None })
        };
        let layers = vec![
            Layer::new(Op::Input, vec![], shape(64)),
            // Row y looks at rows from 2y - 2 on: row 21 begins at row 40.
            Layer::new(conv(2, 2, 6), vec![0], shape(32)),
            Layer::new(conv(1, 1, 3), vec![1], shape(32)),
            Layer::new(Op::Add, vec![1, 2], shape(32)),
            Layer::new(
                Op::MaxPool(Window { kernel: (2, 2), stride: (2, 2), pad: (0, 0) }),
                vec![3],
                shape(16),
            ),
            Layer::new(Op::Upsample { factor: 2 }, vec![4], shape(32)),
            // Too few rows to be worth it.
            Layer::new(conv(2, 1, 3), vec![4], shape(8)),
        ];
        let graph = Graph { layers, outputs: vec![Output::Rows(vec![6])], levels: vec![], scored: vec![] };
        let reaches = Reaches::of(&graph);
        let moving = |rows| reaches.moving_rows(&rows);
        assert_eq!(moving(0..40), [0..40, 0..21, 0..22, 0..22, 0..11, 0..22, 0..8]);
        assert_eq!(moving(0..64), [0..64, 0..32, 0..32, 0..32, 0..16, 0..32, 0..8]);
        // Row y looks at rows up to 2y + 3: row 9 is the first that looks at row 20.
        assert_eq!(moving(20..40), [20..40, 9..21, 8..22, 8..22, 4..11, 8..22, 0..8]);
    }
}
