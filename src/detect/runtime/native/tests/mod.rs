//! Random networks, run by every instruction set of this processor and by several threads, against a plain reading of
//! what each layer means.

mod maker;
mod reference;
mod scores;

use std::sync::Arc;

use proptest::prelude::*;

use super::Seen;
use super::execute::Pixels;
use super::fuse::fuse;
use super::graph::{Conv, Graph, Layer, LayerId, Op, Output, Shape, Window};
use super::kernels::{Activation, Isa, Kernels};
use super::plan::{OutputPlace, Plan, compile};
use super::session::NativeSession;
use super::step::Step;
use crate::detect::input_size::InputSize;
use crate::detect::model::{
    BoxForm, ColourOrder, Fit, InputSpec, Layout, ModelSpec, OutputSpec, ScoreForm, Sizes,
};
use crate::detect::preprocess::{Fitted, Placement};
use crate::detect::runtime::Session;
use maker::{Maker, graph_of};
use reference::interpret;

/// How YOLOX sees pictures.
const SEEN: Seen = Seen { blue_first: true, fill: 114 };

/// What a session is told of a model with outputs of so many values.
fn spec(lengths: Vec<usize>) -> Arc<ModelSpec> {
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
        outputs: lengths
            .iter()
            .map(|&len| OutputSpec { name: "rows".to_owned(), shape: vec![len] })
            .collect(),
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

fn picture(seed: u64, width: usize, height: usize) -> Pixels {
    let mut random = fastrand::Rng::with_seed(seed);
    Pixels { rgb: (0..width * height * 3).map(|_| random.u8(..)).collect(), width, height, left: 0, top: 0 }
}

fn run(plan: &Arc<Plan>, threads: usize, pixels: &Pixels, threshold: f32) -> Vec<f32> {
    let lengths = plan.outputs.iter().map(|output| match output {
        OutputPlace::Arena(place) => place.len(),
        OutputPlace::Subgraph(..) => unreachable!("no random network has subgraphs"),
    });
    let spec = spec(lengths.collect());
    let outputs = spec.outputs.len();
    let mut session = NativeSession::new(Arc::clone(plan), spec, threads).unwrap();
    // Others first, so that what they leave behind would show: of another size, and of the same height, after which only
    // what depends on the picture is computed.
    for (width, height, grey) in [(1, 1, 200), (pixels.width, pixels.height, 90), (1, pixels.height, 30)] {
        session.put(&fitted(&vec![grey; width * height * 3], width, height));
        session.run(0.0).unwrap();
    }
    let Pixels { left, top, .. } = *pixels;
    session.put(&Fitted { left, top, ..fitted(&pixels.rgb, pixels.width, pixels.height) });
    let found = session.run(threshold).unwrap();
    (0..outputs).flat_map(|output| found.at(output).unwrap().values.to_vec()).collect()
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
        (top, left) in (0usize..9, 0usize..9),
        threads in 1usize..4,
    ) {
        let graph = Maker::network(seed, height, width, layers);
        let (top, left) = (top.min(height - 1), left.min(width - 1));
        let (seen_width, seen_height) = (seen_width.min(width - left), seen_height.min(height - top));
        let pixels = Pixels { left, top, ..picture(seed ^ 1, seen_width, seen_height) };
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
                // Where levels are part of the weights, a plain reading of those would count them twice. Scales that became
                // part of weights are rounded with them.
                if graph.levels == [(1.0, 0.0); 3] {
                    prop_assert!(
                        (expected - same).abs() <= 1e-5 * (1.0 + expected.abs()),
                        "fused: {same}, {expected}"
                    );
                }
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
    let graph = graph_of(input);
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
    maker.graph.outputs = vec![Output::Rows(vec![last])];

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
    let mut maker = Maker { graph: graph_of(input), ragged: false, random: fastrand::Rng::with_seed(7) };
    let stem = maker.conv(0, Window::PIXEL, 8, false);
    let shape = maker.graph.layers[stem].shape;
    let mut inputs = vec![stem];
    for size in [5, 9, 13] {
        let window = Window { kernel: (size, size), stride: (1, 1), pad: (size / 2, size / 2) };
        inputs.push(maker.push(Op::MaxPool(window), vec![stem], shape));
    }
    let all = maker.push(Op::Concat, inputs, Shape { channels: 32, ..shape });
    let last = maker.conv(all, Window::PIXEL, 6, false);
    maker.graph.outputs = vec![Output::Rows(vec![last])];
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
