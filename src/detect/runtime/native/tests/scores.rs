//! What is computed only where it counts: class scores where the objectness, boxes where a score is high enough.

use std::ops::Range;

use super::*;

/// What leads to the distances of a box: convolutions of all channels, and distributions over eight values.
fn boxes(maker: &mut Maker, mut from: LayerId) -> LayerId {
    let around = Window { kernel: (3, 3), stride: (1, 1), pad: (1, 1) };
    for _ in 0..maker.random.usize(0..3) {
        let channels = maker.random.usize(1..40);
        from = maker.conv(from, around, channels, false);
        from = maker.maybe_activated(from);
    }
    let logits = maker.conv(from, Window::PIXEL, 4 * 8, false);
    let shape = Shape { channels: 4, ..maker.graph.layers[logits].shape };
    let weights = (0..8).map(|value| value as f32).collect();
    maker.push(Op::MeanOfDistribution { weights }, vec![logits], shape)
}

#[test]
fn boxes_are_there_where_something_may_be() {
    for seed in 0..24 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (height, width) = (random.usize(6..30), random.usize(4..40));
        let input = Layer::new(Op::Input, vec![], Shape { height, width, channels: 3 });
        let mut maker = Maker { graph: graph_of(input), ragged: false, random };
        maker.stem();
        let stem = maker.graph.layers.len() - 1;
        let boxes = boxes(&mut maker, stem);
        let scores = maker.tower(stem, 20);
        let shape = maker.graph.layers[scores].shape;
        let scores = maker.push(Op::Activate(Activation::Sigmoid), vec![scores], shape);
        let shape = Shape { channels: 24, ..shape };
        let output = maker.push(Op::Concat, vec![boxes, scores], shape);
        maker.graph.outputs = vec![Output::Rows(vec![output])];
        maker.graph.scored = vec![(scores, boxes)];

        let pixels = picture(seed, width, height);
        let expected = interpret(&maker.graph, &pixels);
        let mut graph = maker.graph;
        fuse(&mut graph, None).unwrap();
        let best = |row: &[f64]| row[4..].iter().copied().fold(0.0, f64::max);
        assert_gated(
            &graph,
            (&pixels, &expected),
            24,
            best,
            |is_strong| if is_strong { 0..24 } else { 4..24 },
        );
    }
}

/// Class scores are right wherever the objectness reaches the threshold, and everything else always is: whatever the
/// threshold, the instruction set and the number of threads.
#[test]
fn class_scores_are_there_where_something_may_be() {
    for seed in 0..24 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (height, width) = (random.usize(6..30), random.usize(4..40));
        let input = Layer::new(Op::Input, vec![], Shape { height, width, channels: 3 });
        let mut maker = Maker { graph: graph_of(input), ragged: false, random };
        maker.stem();
        let mut rows = Vec::new();
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
            rows.push(output);
        }
        maker.graph.outputs = vec![Output::Rows(rows)];
        let pixels = picture(seed, width, height);
        let expected = interpret(&maker.graph, &pixels);
        let mut graph = maker.graph;
        fuse(&mut graph, Some(4)).unwrap();
        let objectness = |row: &[f64]| row[4];
        let known = |is_strong| if is_strong { 0..25 } else { 0..5 };
        assert_gated(&graph, (&pixels, &expected), 25, objectness, known);
    }
}

/// Runs a gated graph at several thresholds: of each row, in which `score` finds what has to reach the threshold, the values that
/// are `known` where it does and where it does not are right, whatever the instruction set and the number of threads.
fn assert_gated(
    graph: &Graph,
    (pixels, expected): (&Pixels, &[f64]),
    row: usize,
    score: impl Fn(&[f64]) -> f64,
    known: impl Fn(bool) -> Range<usize>,
) {
    assert!(graph.layers.iter().any(|layer| layer.gate.is_some()), "nothing is gated");
    let mut scores: Vec<f64> = expected.chunks(row).map(&score).collect();
    scores.sort_by(f64::total_cmp);
    for threshold in [0.0, scores[scores.len() / 2], scores[scores.len() * 19 / 20], 1.1] {
        // Between two scores, so that rounding puts none on the other side.
        let above = scores.iter().find(|score| **score > threshold + 1e-3).copied().unwrap_or(2.0);
        let below = scores.iter().rfind(|score| **score < above).copied().unwrap_or(0.0);
        let threshold = (above + below) / 2.0;
        for isa in Isa::available() {
            let plan = Arc::new(compile(graph, SEEN, Kernels::of(isa)).unwrap());
            for threads in [1, 3] {
                let found = run(&plan, threads, pixels, threshold as f32);
                assert_eq!(found.len(), expected.len());
                for (number, (found, expected)) in found.chunks(row).zip(expected.chunks(row)).enumerate() {
                    for at in known(score(expected) >= threshold) {
                        let (found, expected) = (f64::from(found[at]), expected[at]);
                        assert!(
                            (found - expected).abs() <= 2e-4 * (1.0 + expected.abs()),
                            "{isa} {threads}, row {number}, value {at} at {threshold}: {found}, {expected}"
                        );
                    }
                }
            }
        }
    }
}
