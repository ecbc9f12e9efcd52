//! Random networks.

use super::*;

/// A graph of nothing but its input, which takes levels as they are.
pub(super) fn graph_of(input: Layer) -> Graph {
    Graph { layers: vec![input], outputs: vec![], levels: vec![(1.0, 0.0); 3], scored: vec![] }
}

/// A factor a channel, and what is added to each.
pub(super) fn scale(weights: Vec<f32>, plus: f32) -> Op {
    let bias = vec![plus; weights.len()];
    let activation = Activation::None;
    Op::Conv(Conv { window: Window::PIXEL, depthwise: true, weights, bias, activation })
}

/// Makes networks out of numbers.
pub(super) struct Maker {
    pub(super) graph: Graph,
    /// Whether windows may have more padding behind the picture than before it.
    pub(super) ragged: bool,
    pub(super) random: fastrand::Rng,
}

impl Maker {
    /// A network of `count` layers with an input of this size.
    pub(super) fn network(seed: u64, height: usize, width: usize, count: usize) -> Graph {
        let input = Layer::new(Op::Input, vec![], Shape { height, width, channels: 3 });
        let graph = graph_of(input);
        let mut maker = Self { graph, ragged: false, random: fastrand::Rng::with_seed(seed) };
        if maker.random.bool() {
            let mut level = || (maker.random.f32() * 0.1 + 0.003, maker.random.f32() * 4.0 - 2.0);
            maker.graph.levels = vec![level(), level(), level()];
        }
        maker.stem();
        for _ in 0..count {
            maker.layer();
        }
        // Rows of the same length, of one to three layers.
        let row = maker.random.usize(1..40);
        let mut rows = Vec::new();
        for _ in 0..maker.random.usize(1..=3) {
            let from = maker.any();
            let conv = maker.conv(from, Window::PIXEL, row, false);
            let conv = maker.maybe_activated(conv);
            rows.push(conv);
        }
        // As one output, or each as its own.
        maker.graph.outputs = match maker.random.bool() {
            true => vec![Output::Rows(rows)],
            false => rows.into_iter().map(|layer| Output::Rows(vec![layer])).collect(),
        };
        maker.graph
    }

    pub(super) fn push(&mut self, op: Op, inputs: Vec<LayerId>, shape: Shape) -> LayerId {
        self.graph.layers.push(Layer::new(op, inputs, shape));
        self.graph.layers.len() - 1
    }

    /// Any layer but the input.
    pub(super) fn any(&mut self) -> LayerId {
        let layers = self.graph.layers.len();
        // Those made last more often.
        let back = self.random.usize(0..layers).min(self.random.usize(0..layers));
        let id = layers - 1 - back;
        if matches!(self.graph.layers[id].op, Op::Input | Op::Focus { .. }) { layers - 1 } else { id }
    }

    pub(super) fn stem(&mut self) {
        let shape = self.graph.layers[0].shape;
        let mut from = 0;
        if shape.height.is_multiple_of(2) && shape.width.is_multiple_of(2) && self.random.bool() {
            let parts = vec![(0, 0), (1, 0), (0, 1), (1, 1)];
            let halved = Shape { height: shape.height / 2, width: shape.width / 2, channels: 12 };
            from = self.push(Op::Focus { stride: 2, parts }, vec![0], halved);
        }
        let size = self.graph.layers[from].shape;
        let mut window = self.window(size);
        if from != 0 {
            window.stride = (1, 1);
        }
        let channels = self.random.usize(1..50);
        let conv = self.conv(from, window, channels, false);
        // Values of about 1 from pixels of about 100.
        if let Op::Conv(conv) = &mut self.graph.layers[conv].op {
            conv.weights.iter_mut().for_each(|weight| *weight *= 0.01);
        }
        self.maybe_activated(conv);
    }

    pub(super) fn window(&mut self, shape: Shape) -> Window {
        let random = &mut self.random;
        let kernel =
            *random.choice(&[(1, 1), (3, 3), (3, 3), (5, 5), (2, 2), (1, 3), (6, 6), (4, 1)]).unwrap();
        let pad = (random.usize(0..=kernel.0 / 2), random.usize(0..=kernel.1 / 2));
        let fits = |size: usize, pad: usize, kernel: usize| size + 2 * pad >= kernel;
        let stride = *random.choice(&[(1, 1), (1, 1), (2, 2), (2, 1), (3, 3)]).unwrap();
        match fits(shape.height, pad.0, kernel.0) && fits(shape.width, pad.1, kernel.1) {
            true => Window { kernel, stride, pad },
            false => Window::PIXEL,
        }
    }

    /// The size of what a window gives, with the same padding on both sides, or where `ragged` with more behind.
    pub(super) fn after(&mut self, window: &Window, shape: Shape, channels: usize) -> Shape {
        let more = if self.ragged { self.random.usize(0..3) } else { 0 };
        let side = |size: usize, pad: usize, kernel: usize, stride: usize| {
            (size + 2 * pad + more - kernel) / stride + 1
        };
        Shape {
            height: side(shape.height, window.pad.0, window.kernel.0, window.stride.0),
            width: side(shape.width, window.pad.1, window.kernel.1, window.stride.1),
            channels,
        }
    }

    pub(super) fn conv(
        &mut self,
        from: LayerId,
        window: Window,
        channels: usize,
        depthwise: bool,
    ) -> LayerId {
        let shape = self.graph.layers[from].shape;
        let per_output = window.kernel.0 * window.kernel.1 * if depthwise { 1 } else { shape.channels };
        let size = 2.0 / (per_output as f32).sqrt();
        let weights = (0..channels * per_output).map(|_| (self.random.f32() - 0.5) * size).collect();
        let bias = (0..channels).map(|_| self.random.f32() - 0.5).collect();
        let op = Op::Conv(Conv { window, depthwise, weights, bias, activation: Activation::None });
        let shape = self.after(&window, shape, channels);
        self.push(op, vec![from], shape)
    }

    pub(super) fn maybe_activated(&mut self, from: LayerId) -> LayerId {
        let activations = [
            Activation::Silu,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::HardSwish,
            Activation::Leaky(0.1),
            Activation::Clip(0.0, f32::INFINITY),
            Activation::Clip(-0.3, 0.4),
        ];
        match self.random.u8(0..4) {
            0 => from,
            _ => {
                let activation = *self.random.choice(&activations).unwrap();
                self.push(Op::Activate(activation), vec![from], self.graph.layers[from].shape)
            }
        }
    }

    /// What leads to one part of a row: some convolutions that keep the size, and one that gives `channels`.
    pub(super) fn tower(&mut self, mut from: LayerId, channels: usize) -> LayerId {
        let around = Window { kernel: (3, 3), stride: (1, 1), pad: (1, 1) };
        // Two that do not keep the size, and together do.
        if self.random.u8(0..3) == 0 {
            let same = self.graph.layers[from].shape.channels;
            from = self.conv(from, Window { kernel: (2, 2), ..around }, same, true);
            from = self.conv(from, Window { kernel: (2, 2), pad: (0, 0), ..around }, same, true);
        }
        for _ in 0..self.random.usize(0..3) {
            let depthwise = self.conv(from, around, self.graph.layers[from].shape.channels, true);
            let depthwise = self.maybe_activated(depthwise);
            let more = self.random.usize(1..40);
            let pixelwise = self.conv(depthwise, Window::PIXEL, more, false);
            from = self.maybe_activated(pixelwise);
        }
        self.conv(from, Window::PIXEL, channels, false)
    }

    pub(super) fn layer(&mut self) {
        self.ragged = self.random.bool();
        self.any_layer();
        self.ragged = false;
    }

    fn any_layer(&mut self) {
        let from = self.any();
        let shape = self.graph.layers[from].shape;
        let sames: Vec<LayerId> = (1..self.graph.layers.len())
            .filter(|&id| {
                let Shape { height, width, .. } = self.graph.layers[id].shape;
                (height, width) == (shape.height, shape.width)
                    && !matches!(self.graph.layers[id].op, Op::Input | Op::Focus { .. })
            })
            .collect();
        match self.random.u8(0..13) {
            10 => {
                // Taken apart and put together again, with something of one part between or behind.
                let first = self.random.usize(0..=shape.channels.min(40));
                let rest = shape.channels - first;
                if first == 0 || rest == 0 {
                    return;
                }
                let a = self.push(Op::Slice { first: 0 }, vec![from], Shape { channels: first, ..shape });
                let b = self.push(Op::Slice { first }, vec![from], Shape { channels: rest, ..shape });
                let c = self.conv(b, Window::PIXEL, 9, false);
                let ragged = self.graph.layers[c].shape;
                if (ragged.height, ragged.width) == (shape.height, shape.width) {
                    let inputs = if self.random.bool() { vec![a, b, c] } else { vec![a, c, b] };
                    self.push(Op::Concat, inputs, Shape { channels: shape.channels + 9, ..shape });
                }
            }
            11 => {
                // A factor for each channel from the mean of all pixels.
                let one = Shape { height: 1, width: 1, ..shape };
                let sum = self.push(Op::Sum, vec![from], one);
                let share = 1.0 / (shape.height * shape.width) as f32;
                let mean = self.push(scale(vec![share; shape.channels], 0.1), vec![sum], one);
                self.ragged = false;
                let conv = self.conv(mean, Window::PIXEL, shape.channels, false);
                let gate = self.push(Op::Activate(Activation::Sigmoid), vec![conv], one);
                self.push(Op::Mul, vec![from, gate], shape);
            }
            12 => {
                let factors = (0..shape.channels).map(|_| self.random.f32() - 0.5).collect();
                let scaled = self.push(scale(factors, 0.25), vec![from], shape);
                self.push(Op::Mul, vec![from, scaled], shape);
            }
            0..=2 => {
                let channels = self.random.usize(1..130);
                let conv = self.conv(from, Window::PIXEL, channels, false);
                self.maybe_activated(conv);
            }
            3 => {
                let window = self.window(shape);
                let channels = self.random.usize(1..70);
                let conv = self.conv(from, window, channels, false);
                self.maybe_activated(conv);
            }
            4 | 5 => {
                let window = self.window(shape);
                let conv = self.conv(from, window, shape.channels, true);
                self.maybe_activated(conv);
            }
            6 => {
                self.ragged = false;
                let conv = self.conv(from, Window::PIXEL, shape.channels, false);
                let conv = self.maybe_activated(conv);
                self.push(Op::Add, vec![conv, from], shape);
            }
            7 => {
                let mut inputs: Vec<LayerId> = Vec::new();
                for _ in 0..self.random.usize(1..4) {
                    inputs.push(*self.random.choice(&sames).unwrap());
                }
                let channels: usize = inputs.iter().map(|&id| self.graph.layers[id].shape.channels).sum();
                if channels <= 300 {
                    self.push(Op::Concat, inputs, Shape { channels, ..shape });
                }
            }
            8 if shape.height * shape.width <= 400 => {
                let factor = self.random.usize(1..=2);
                let larger = Shape { height: shape.height * factor, width: shape.width * factor, ..shape };
                self.push(Op::Upsample { factor }, vec![from], larger);
            }
            _ => {
                for size in [5, 9, 3] {
                    let window = Window { kernel: (size, size), stride: (1, 1), pad: (size / 2, size / 2) };
                    // Not so much that a window holds no pixel at all: infinity is not for comparing.
                    self.ragged &= size > 3;
                    let shape = self.after(&window, shape, shape.channels);
                    self.push(Op::MaxPool(window), vec![from], shape);
                }
            }
        }
    }
}
