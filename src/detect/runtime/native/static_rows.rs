//! Which rows of which layer are the same for every picture of a height.
//!
//! Below a picture that is wider than the network's input lies grey, the same each time, and so is what the first half of
//! the network makes of it: of a 4:3 picture in a square that is a quarter of all rows, of a 16:9 picture seven sixteenths. It
//! is computed for the first picture and stays where it is. Where a layer looks at its neighbours, the part that depends on
//! the picture grows by a row or two, so that this is done for the first layers only, which have the most rows.

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

/// From the first row that is the same in the inputs to the first one here.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Picture,
    Same,
    Window {
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
                    Rule::Window { stride: window.stride.0, pad: window.pad.0 }
                }
                Op::Upsample { factor } => Rule::Upsample { factor: *factor },
                Op::Concat | Op::Add | Op::Activate(_) => Rule::Same,
                Op::Focus { .. } => Rule::Nowhere,
            };
            let Shape { height, .. } = layer.shape;
            Reach { inputs: layer.inputs.clone(), height, rule }
        };
        Self(graph.layers.iter().map(reach).collect())
    }

    /// For each layer, how many rows depend on a picture of `rows` rows; the rows below are the same whatever it shows.
    /// Inputs must stand before the layers that need them.
    pub(super) fn moving_rows(&self, rows: usize) -> Vec<usize> {
        let mut moving: Vec<usize> = Vec::with_capacity(self.0.len());
        for Reach { inputs, height, rule } in &self.0 {
            let first = inputs.first().map_or(*height, |&input| moving[input]);
            // All but the first are looked at pixel by pixel.
            let others = inputs.iter().skip(1).map(|&input| moving[input]).max().unwrap_or(0);
            let reached = match *rule {
                Rule::Picture => rows,
                Rule::Same => first,
                // The kernel of row `y` begins at `y · stride - pad`.
                Rule::Window { stride, pad } => (first + pad).div_ceil(stride),
                Rule::Upsample { factor } => first * factor,
                Rule::Nowhere => *height,
            };
            moving.push(reached.max(others).min(*height));
        }
        moving
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::Window;
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
        let graph = Graph { layers, outputs: vec![6] };
        let reaches = Reaches::of(&graph);
        assert_eq!(reaches.moving_rows(40), [40, 21, 22, 22, 11, 22, 8]);
        assert_eq!(reaches.moving_rows(64), [64, 32, 32, 32, 16, 32, 8]);
    }
}
