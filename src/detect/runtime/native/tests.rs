//! Random networks, run by every instruction set of this processor and by several threads, against a plain reading of
//! what each layer means.

use std::sync::Arc;

use proptest::prelude::*;

use super::Seen;
use super::execute::Pixels;
use super::fuse::fuse;
use super::graph::{Conv, Graph, Layer, LayerId, Op, Shape, Window};
use super::kernels::{Activation, Isa, Kernels};
use super::plan::{Plan, compile};
use super::session::NativeSession;
use super::step::Step;
use crate::detect::input_size::InputSize;
use crate::detect::model::{
    BoxForm, ColourOrder, Fit, InputSpec, Layout, ModelSpec, OutputSpec, ScoreForm, Sizes,
};
use crate::detect::preprocess::{Fitted, Placement};
use crate::detect::runtime::Session;

/// How YOLOX sees pictures.
const SEEN: Seen = Seen { blue_first: true, fill: 114 };

/// What a session is told of a model with so many output values.
fn spec(values: usize) -> Arc<ModelSpec> {
    let input = InputSpec {
        size: InputSize::new(416, 416).unwrap(),
        sizes: Sizes::Fixed,
        layout: Layout::Nchw,
        colour: ColourOrder::Bgr,
        scale: 1.0,
        mean: [0.0; 3],
        std: [1.0; 3],
        fit: Fit::LetterboxTopLeft(SEEN.fill),
    };
    Arc::new(ModelSpec {
        input,
        outputs: vec![OutputSpec { name: "rows".to_owned(), shape: vec![values] }],
        boxes: BoxForm::GridOffsets,
        scores: ScoreForm::Probabilities,
        objectness: true,
        classes: 1,
        nms: true,
    })
}

/// A picture as it comes from the preprocessing.
fn fitted(rgb: &[u8], width: usize, height: usize) -> Fitted<'_> {
    let placement = Placement { scale: (1.0, 1.0), offset: (0.0, 0.0) };
    Fitted { rgb, width, height, left: 0, top: 0, placement }
}

/// A picture of values, pixel by pixel, in twice the precision.
type Values = Vec<f64>;

/// What each layer of a graph means, without regard to speed.
fn interpret(graph: &Graph, pixels: &Pixels) -> Values {
    let mut results: Vec<Values> = Vec::new();
    for layer in &graph.layers {
        let from = |index: usize| (&graph.layers[layer.inputs[index]].shape, &results[layer.inputs[index]]);
        let Shape { height, width, channels } = layer.shape;
        let mut values = vec![0.0; height * width * channels];
        for (at, value) in values.iter_mut().enumerate() {
            let (y, x, c) = (at / channels / width, at / channels % width, at % channels);
            *value = match &layer.op {
                Op::Input => picture_value(pixels, y, x, c),
                Op::Focus { stride, parts } => {
                    let (shape, input) = from(0);
                    let (part, c) = (parts[c / shape.channels], c % shape.channels);
                    let (y, x) = (y * stride + part.0, x * stride + part.1);
                    input[(y * shape.width + x) * shape.channels + c]
                }
                Op::Conv(conv) => {
                    let sum = convolve(conv, from(0), y, x, c);
                    let sum = activate(conv.activation, sum);
                    if layer.inputs.len() > 1 { sum + from(1).1[at] } else { sum }
                }
                Op::MaxPool(window) => under(window, from(0).0, y, x)
                    .map(|(_, pixel)| from(0).1[pixel * channels + c])
                    .fold(f64::NEG_INFINITY, f64::max),
                Op::Upsample { factor } => {
                    let (shape, input) = from(0);
                    input[(y / factor * shape.width + x / factor) * channels + c]
                }
                Op::Concat => {
                    let mut c = c;
                    let mut inputs = 0..layer.inputs.len();
                    loop {
                        let (shape, input) = from(inputs.next().expect("an input with this channel"));
                        if c < shape.channels {
                            break input[(y * width + x) * shape.channels + c];
                        }
                        c -= shape.channels;
                    }
                }
                Op::Add => from(0).1[at] + from(1).1[at],
                Op::Activate(activation) => activate(*activation, from(0).1[at]),
            };
        }
        results.push(values);
    }
    graph.outputs.iter().flat_map(|&output| results[output].clone()).collect()
}

fn picture_value(pixels: &Pixels, y: usize, x: usize, c: usize) -> f64 {
    let inside = y < pixels.height && x < pixels.width;
    // Blue first, where the picture has red first.
    f64::from(if inside { pixels.rgb[(y * pixels.width + x) * 3 + 2 - c] } else { SEEN.fill })
}

/// The positions of a kernel that lie in the picture, each with the pixel that is there.
fn under<'a>(
    window: &'a Window,
    shape: &'a Shape,
    y: usize,
    x: usize,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    (0..window.kernel.0 * window.kernel.1).filter_map(move |position| {
        let (ky, kx) = (position / window.kernel.1, position % window.kernel.1);
        let row = (y * window.stride.0 + ky).checked_sub(window.pad.0).filter(|row| *row < shape.height)?;
        let column = (x * window.stride.1 + kx).checked_sub(window.pad.1).filter(|c| *c < shape.width)?;
        Some((position, row * shape.width + column))
    })
}

fn convolve(conv: &Conv, (shape, input): (&Shape, &Values), y: usize, x: usize, output: usize) -> f64 {
    let per_pixel = if conv.depthwise { 1 } else { shape.channels };
    let positions = conv.window.kernel.0 * conv.window.kernel.1;
    let mut sum = f64::from(conv.bias[output]);
    for (position, pixel) in under(&conv.window, shape, y, x) {
        for c in 0..per_pixel {
            let weight = conv.weights[(output * positions + position) * per_pixel + c];
            let channel = if conv.depthwise { output } else { c };
            sum += f64::from(weight) * input[pixel * shape.channels + channel];
        }
    }
    sum
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Leaky(slope) => {
            if x > 0.0 {
                x
            } else {
                f64::from(slope) * x
            }
        }
        Activation::Clip(low, high) => x.max(f64::from(low)).min(f64::from(high)),
    }
}

/// Makes networks out of numbers.
struct Maker {
    graph: Graph,
    /// Whether windows may have more padding behind the picture than before it.
    ragged: bool,
    random: fastrand::Rng,
}

impl Maker {
    /// A network of `count` layers with an input of this size.
    fn network(seed: u64, height: usize, width: usize, count: usize) -> Graph {
        let input = Layer::new(Op::Input, vec![], Shape { height, width, channels: 3 });
        let graph = Graph { layers: vec![input], outputs: vec![] };
        let mut maker = Self { graph, ragged: false, random: fastrand::Rng::with_seed(seed) };
        maker.stem();
        for _ in 0..count {
            maker.layer();
        }
        // Rows of the same length, of one to three layers.
        let row = maker.random.usize(1..40);
        for _ in 0..maker.random.usize(1..=3) {
            let from = maker.any();
            let conv = maker.conv(from, Window::PIXEL, row, false);
            let conv = maker.maybe_activated(conv);
            maker.graph.outputs.push(conv);
        }
        maker.graph
    }

    fn push(&mut self, op: Op, inputs: Vec<LayerId>, shape: Shape) -> LayerId {
        self.graph.layers.push(Layer::new(op, inputs, shape));
        self.graph.layers.len() - 1
    }

    /// Any layer but the input.
    fn any(&mut self) -> LayerId {
        let layers = self.graph.layers.len();
        // Those made last more often.
        let back = self.random.usize(0..layers).min(self.random.usize(0..layers));
        let id = layers - 1 - back;
        if matches!(self.graph.layers[id].op, Op::Input | Op::Focus { .. }) { layers - 1 } else { id }
    }

    fn stem(&mut self) {
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

    fn window(&mut self, shape: Shape) -> Window {
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
    fn after(&mut self, window: &Window, shape: Shape, channels: usize) -> Shape {
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

    fn conv(&mut self, from: LayerId, window: Window, channels: usize, depthwise: bool) -> LayerId {
        let shape = self.graph.layers[from].shape;
        let per_output = window.kernel.0 * window.kernel.1 * if depthwise { 1 } else { shape.channels };
        let size = 2.0 / (per_output as f32).sqrt();
        let weights = (0..channels * per_output).map(|_| (self.random.f32() - 0.5) * size).collect();
        let bias = (0..channels).map(|_| self.random.f32() - 0.5).collect();
        let op = Op::Conv(Conv { window, depthwise, weights, bias, activation: Activation::None });
        let shape = self.after(&window, shape, channels);
        self.push(op, vec![from], shape)
    }

    fn maybe_activated(&mut self, from: LayerId) -> LayerId {
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
    fn tower(&mut self, mut from: LayerId, channels: usize) -> LayerId {
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

    fn layer(&mut self) {
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
        match self.random.u8(0..10) {
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

fn picture(seed: u64, width: usize, height: usize) -> Pixels {
    let mut random = fastrand::Rng::with_seed(seed);
    Pixels { rgb: (0..width * height * 3).map(|_| random.u8(..)).collect(), width, height }
}

fn run(plan: &Arc<Plan>, threads: usize, pixels: &Pixels, threshold: f32) -> Vec<f32> {
    let mut session = NativeSession::new(Arc::clone(plan), spec(plan.output.len()), threads).unwrap();
    // Others first, so that what they leave behind would show: of another size, and of the same height, after which only
    // what depends on the picture is computed.
    for (width, height, grey) in [(1, 1, 200), (pixels.width, pixels.height, 90), (1, pixels.height, 30)] {
        session.put(&fitted(&vec![grey; width * height * 3], width, height));
        session.run(0.0).unwrap();
    }
    session.put(&fitted(&pixels.rgb, pixels.width, pixels.height));
    session.run(threshold).unwrap().at(0).unwrap().values.to_vec()
}

/// What is written to the arena lies in it.
fn assert_inside(plan: &Plan) {
    for phase in &plan.phases {
        for step in &phase.steps {
            let view = step.to();
            if view.place == super::step::Place::Arena {
                let pixels = view.shape.height * view.shape.width;
                let end = view.offset + view.channel + (pixels - 1) * view.step + view.shape.channels;
                assert!(end <= plan.arena, "{step:?}");
                assert!(view.channel + view.shape.channels <= view.step, "{step:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn random_networks_give_what_they_mean(
        seed in any::<u64>(),
        height in 4usize..34,
        width in 1usize..40,
        layers in 1usize..14,
        (seen_height, seen_width) in (1usize..40, 1usize..40),
        threads in 1usize..4,
    ) {
        let graph = Maker::network(seed, height, width, layers);
        let pixels = picture(seed ^ 1, seen_width.min(width), seen_height.min(height));
        let expected = interpret(&graph, &pixels);
        let mut fused = graph.clone();
        fuse(&mut fused, Some(4)).unwrap();
        let same = interpret(&fused, &pixels);
        for isa in Isa::available() {
            let plan = Arc::new(compile(&fused, SEEN, Kernels::of(isa)).unwrap());
            assert_inside(&plan);
            let found = run(&plan, threads, &pixels, 0.0);
            prop_assert_eq!(found.len(), expected.len());
            for (at, ((found, expected), same)) in found.iter().zip(&expected).zip(&same).enumerate() {
                prop_assert!((expected - same).abs() <= 1e-9 * (1.0 + expected.abs()), "fused: {same}, {expected}");
                let off = (f64::from(*found) - expected).abs();
                prop_assert!(off <= 2e-4 * (1.0 + expected.abs()), "{isa}, value {at}: {found}, {expected}");
            }
        }
    }
}

/// Every thread count gives the same bits: which thread does a chunk, and how large it is, must not matter.
#[test]
fn threads_do_not_change_a_bit() {
    for seed in 0..30 {
        let mut graph = Maker::network(seed, 32, 24, 12);
        fuse(&mut graph, Some(4)).unwrap();
        let pixels = picture(seed, 24, 32);
        for isa in Isa::available() {
            let plan = Arc::new(compile(&graph, SEEN, Kernels::of(isa)).unwrap());
            let one = run(&plan, 1, &pixels, 0.0);
            for threads in 2..=4 {
                let several = run(&plan, threads, &pixels, 0.0);
                assert!(
                    one.iter().zip(&several).all(|(a, b)| a.to_bits() == b.to_bits()),
                    "{seed} {isa} {threads}"
                );
            }
        }
    }
}

/// The layers that make a small network fast are really put together.
#[test]
fn what_belongs_together_is_done_together() {
    let shape = |channels| Shape { height: 16, width: 16, channels };
    let input = Layer::new(Op::Input, vec![], Shape { height: 32, width: 32, channels: 3 });
    let graph = Graph { layers: vec![input], outputs: vec![] };
    let mut maker = Maker { graph, ragged: false, random: fastrand::Rng::with_seed(7) };
    let parts = vec![(0, 0), (1, 0), (0, 1), (1, 1)];
    let focus = maker.push(Op::Focus { stride: 2, parts }, vec![0], shape(12));
    let around = Window { kernel: (3, 3), stride: (1, 1), pad: (1, 1) };
    let silu = |maker: &mut Maker, from: LayerId| {
        let shape = maker.graph.layers[from].shape;
        maker.push(Op::Activate(Activation::Silu), vec![from], shape)
    };
    let stem = maker.conv(focus, around, 16, false);
    let stem = silu(&mut maker, stem);
    let depthwise = maker.conv(stem, around, 16, true);
    let depthwise = silu(&mut maker, depthwise);
    let pixelwise = maker.conv(depthwise, Window::PIXEL, 16, false);
    let pixelwise = silu(&mut maker, pixelwise);
    let sum = maker.push(Op::Add, vec![pixelwise, stem], shape(16));
    let both = maker.push(Op::Concat, vec![sum, stem], shape(32));
    let last = maker.conv(both, Window::PIXEL, 7, false);
    maker.graph.outputs = vec![last];

    let mut graph = maker.graph;
    fuse(&mut graph, Some(4)).unwrap();
    let plan = compile(&graph, SEEN, Kernels::of(Isa::Portable)).unwrap();
    let steps: Vec<Vec<String>> =
        plan.phases.iter().map(|phase| phase.steps.iter().map(Step::describe).collect()).collect();
    assert_eq!(
        steps,
        [vec!["conv 6x6 s2 + SiLU"], vec!["depthwise 3x3 + SiLU", "conv 1x1 + SiLU + sum", "conv 1x1"],],
        "no copies, no activations, no sums by themselves"
    );
}

/// The pools of a pyramid become a chain.
#[test]
fn pools_of_several_sizes_become_a_chain() {
    let input = Layer::new(Op::Input, vec![], Shape { height: 20, width: 20, channels: 3 });
    let mut maker = Maker {
        graph: Graph { layers: vec![input], outputs: vec![] },
        ragged: false,
        random: fastrand::Rng::with_seed(7),
    };
    let stem = maker.conv(0, Window::PIXEL, 8, false);
    let shape = maker.graph.layers[stem].shape;
    let mut inputs = vec![stem];
    for size in [5, 9, 13] {
        let window = Window { kernel: (size, size), stride: (1, 1), pad: (size / 2, size / 2) };
        inputs.push(maker.push(Op::MaxPool(window), vec![stem], shape));
    }
    let all = maker.push(Op::Concat, inputs, Shape { channels: 32, ..shape });
    maker.graph.outputs = vec![maker.conv(all, Window::PIXEL, 6, false)];
    let pixels = picture(3, 20, 20);
    let expected = interpret(&maker.graph, &pixels);
    fuse(&mut maker.graph, Some(4)).unwrap();
    let kernels = maker.graph.layers.iter().filter_map(|layer| match &layer.op {
        Op::MaxPool(window) => Some(window.kernel),
        _ => None,
    });
    assert_eq!(kernels.collect::<Vec<_>>(), [(1, 5), (5, 1), (1, 5), (5, 1), (1, 5), (5, 1)]);
    let found = interpret(&maker.graph, &pixels);
    assert_eq!(found, expected);
}

/// Class scores are right wherever the objectness reaches the threshold, and everything else always is: whatever the
/// threshold, the instruction set and the number of threads.
#[test]
fn class_scores_are_there_where_something_may_be() {
    for seed in 0..24 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (height, width) = (random.usize(6..30), random.usize(4..40));
        let input = Layer::new(Op::Input, vec![], Shape { height, width, channels: 3 });
        let mut maker =
            Maker { graph: Graph { layers: vec![input], outputs: vec![] }, ragged: false, random };
        maker.stem();
        for _ in 0..maker.random.usize(1..=2) {
            // Class scores first, as the models have it.
            let stem = maker.graph.layers.len() - 1;
            let classes = maker.tower(stem, 20);
            let common = maker.tower(stem, 11);
            let boxes = maker.conv(common, Window::PIXEL, 4, false);
            let objectness = maker.conv(common, Window::PIXEL, 1, false);
            let [objectness, classes] = [objectness, classes].map(|from| {
                let shape = maker.graph.layers[from].shape;
                maker.push(Op::Activate(Activation::Sigmoid), vec![from], shape)
            });
            let shape = Shape { channels: 25, ..maker.graph.layers[boxes].shape };
            let output = maker.push(Op::Concat, vec![boxes, objectness, classes], shape);
            maker.graph.outputs.push(output);
        }
        let pixels = picture(seed, width, height);
        let expected = interpret(&maker.graph, &pixels);
        let mut graph = maker.graph;
        fuse(&mut graph, Some(4)).unwrap();
        assert!(graph.layers.iter().any(|layer| layer.gate.is_some()), "nothing is gated");

        let mut scores: Vec<f64> = expected.iter().skip(4).step_by(25).copied().collect();
        scores.sort_by(f64::total_cmp);
        for threshold in [0.0, scores[scores.len() / 2], scores[scores.len() * 19 / 20], 1.1] {
            // Between two scores, so that rounding puts none on the other side.
            let above = scores.iter().find(|score| **score > threshold + 1e-3).copied().unwrap_or(2.0);
            let below = scores.iter().rfind(|score| **score < above).copied().unwrap_or(0.0);
            let threshold = (above + below) / 2.0;
            for isa in Isa::available() {
                let plan = Arc::new(compile(&graph, SEEN, Kernels::of(isa)).unwrap());
                for threads in [1, 3] {
                    let found = run(&plan, threads, &pixels, threshold as f32);
                    for (row, (found, expected)) in found.chunks(25).zip(expected.chunks(25)).enumerate() {
                        let known = if expected[4] < threshold { 5 } else { 25 };
                        for (at, (found, expected)) in found.iter().zip(expected).take(known).enumerate() {
                            let off = (f64::from(*found) - expected).abs();
                            assert!(
                                off <= 2e-4 * (1.0 + expected.abs()),
                                "{seed} {isa} {threads}, row {row}, value {at} at {threshold}: {found}, {expected}"
                            );
                        }
                    }
                }
            }
        }
    }
}
