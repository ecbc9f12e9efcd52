//! Cutting a graph ahead of its own suppression.
//!
//! Some exporters put non-maximum suppression into the file, with thresholds of their own: a confidence of 0.25 starves the
//! tracker, and tract fixes lengths at load that change from picture to picture. What goes into the suppression is what the
//! detector wants, so the graph is cut there and what only led on from it is dropped.
//!
//! Two places are worth a try, and both are found without knowing any shape:
//!
//! 1. **One value that everything goes through**: on all ways from the picture to the suppression, the last values without
//!    which none of them leads on (the dominators of the graph, Prosser 1959). Before the boxes are taken apart that is the
//!    table of all of them.
//! 2. **The suppression's own inputs**: boxes and scores, or what they were made from a few steps before: some exporters move
//!    the boxes of each class to a place of its own, so that one suppression does for all, and keep the best score alone.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ValueInfoProto};

use super::graph::{inputs, needed, producers, tensor_type};

/// How many of the last values that everything goes through are tried.
const TRIED: usize = 24;
/// How many values ahead of the boxes and of the scores are tried.
const STEPS: usize = 24;
/// So many steps from value to value are gone at most to find what everything goes through; a detector takes a thousandth.
const MOST_WAY: usize = 20_000_000;
/// Operators that suppress.
const SUPPRESSION: [&str; 3] = ["NonMaxSuppression", "EfficientNMS_TRT", "BatchedNMSDynamic_TRT"];

/// A place to cut at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Cut {
    /// The values that become the outputs: one table of boxes and scores; or boxes, and scores.
    pub(in crate::detect) outputs: Vec<String>,
    /// They are boxes and scores that go into the suppression.
    pub(in crate::detect) pair: bool,
}

/// The places where a graph could be cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::detect) struct Cuts {
    /// Values that everything goes through, the last first.
    pub(in crate::detect) tables: Vec<String>,
    /// The boxes that go into the suppression, then what they are made from, step by step.
    pub(in crate::detect) boxes: Vec<String>,
    /// The scores, likewise.
    pub(in crate::detect) scores: Vec<String>,
}

/// The places to cut a graph at; none where it does not suppress.
pub(super) fn cuts(graph: &GraphProto) -> Cuts {
    let suppressions: Vec<usize> =
        (0..graph.node.len()).filter(|&at| SUPPRESSION.contains(&graph.node[at].op_type.as_str())).collect();
    let Some(&first) = suppressions.first() else { return Cuts::default() };
    let mut cuts = Cuts { tables: all_go_through(graph, first), ..Cuts::default() };
    cuts.tables.truncate(TRIED);
    if let ([_], [boxes, scores, ..]) = (suppressions.as_slice(), graph.node[first].input.as_slice()) {
        (cuts.boxes, cuts.scores) = (made_from(graph, boxes), made_from(graph, scores));
    }
    cuts
}

/// A value and what it is made from, up to a few steps back, the nearest first.
fn made_from(graph: &GraphProto, value: &str) -> Vec<String> {
    let producers = producers(graph);
    let mut all = vec![value.to_owned()];
    let mut next = 0;
    while let Some(name) = all.get(next).cloned().filter(|_| all.len() < STEPS) {
        let before = producers
            .get(name.as_str())
            .map(|&at| needed(&graph.node[at]).map(str::to_owned).collect::<Vec<_>>());
        for name in before.unwrap_or_default() {
            if all.len() < STEPS && producers.contains_key(name.as_str()) && !all.contains(&name) {
                all.push(name);
            }
        }
        next += 1;
    }
    all
}

/// Cuts a graph: its outputs are those of the cut, and what they do not need goes.
pub(super) fn apply(graph: &mut GraphProto, cut: &Cut) {
    let info = |name: &String| ValueInfoProto {
        name: name.clone(),
        r#type: Some(tensor_type(DataType::Float, None)),
        ..ValueInfoProto::default()
    };
    graph.output = cut.outputs.iter().map(info).collect();
    let keep = needed_by(graph, &cut.outputs);
    let mut at = 0;
    graph.node.retain(|_| {
        at += 1;
        keep.contains(&(at - 1))
    });
    let read: HashSet<String> =
        graph.node.iter().flat_map(|node| needed(node).map(str::to_owned).collect::<Vec<_>>()).collect();
    graph.initializer.retain(|weight| read.contains(&weight.name) || cut.outputs.contains(&weight.name));
}

/// The nodes that these values need.
fn needed_by(graph: &GraphProto, values: &[String]) -> HashSet<usize> {
    let producers = producers(graph);
    let mut keep = HashSet::new();
    let mut open: Vec<&str> = values.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if let Some(&at) = producers.get(name)
            && keep.insert(at)
        {
            open.extend(needed(&graph.node[at]));
        }
    }
    keep
}

/// The values that every way from the picture to a node leads through, the last first. Nodes come after what they need.
fn all_go_through(graph: &GraphProto, node: usize) -> Vec<String> {
    let producers = producers(graph);
    let picture: Vec<&str> = inputs(graph).into_iter().map(|at| graph.input[at].name.as_str()).collect();
    // By value: the value ahead of it that all ways lead through, and how many such there are. What does not come from the
    // picture is not in it.
    let mut ahead: HashMap<&str, (Option<&str>, usize)> =
        picture.iter().map(|&name| (name, (None, 0))).collect();
    let mut left = MOST_WAY;
    let mut common = |ahead: &HashMap<&str, (Option<&str>, usize)>, node: usize| -> Option<String> {
        let mut common: Option<&str> = None;
        for name in needed(&graph.node[node]) {
            let Some((&name, _)) = ahead.get_key_value(name) else { continue };
            let Some(mut a) = common.replace(name) else { continue };
            let mut b = name;
            while a != b {
                left = left.checked_sub(1)?;
                let (deeper, other) = if ahead.get(a)?.1 >= ahead.get(b)?.1 { (a, b) } else { (b, a) };
                (a, b) = (ahead.get(deeper)?.0?, other);
            }
            common = Some(a);
        }
        common.map(str::to_owned)
    };
    for (at, each) in graph.node.iter().enumerate().take(node + 1) {
        // Shapes are asked for on many ways and lead nowhere.
        if each.op_type == "Shape" {
            continue;
        }
        let Some(common) = common(&ahead, at) else { continue };
        let Some((&common, &(_, depth))) = ahead.get_key_value(common.as_str()) else { continue };
        if at == node {
            let mut all = Vec::new();
            let mut next = Some(common);
            while let Some(name) = next {
                if producers.contains_key(name) {
                    all.push(name.to_owned());
                }
                next = ahead.get(name).and_then(|(before, _)| *before);
            }
            return all;
        }
        for output in each.output.iter().filter(|name| !name.is_empty()) {
            ahead.insert(output, (Some(common), depth + 1));
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::super::graph::node;
    use super::*;

    /// A picture, a table, boxes and scores taken out of it, and a suppression of them with its tail.
    fn graph() -> GraphProto {
        let named = |name: &str| ValueInfoProto { name: name.to_owned(), ..ValueInfoProto::default() };
        GraphProto {
            input: vec![named("images")],
            output: vec![named("out")],
            node: vec![
                node("Conv", &["images", "w"], "features", vec![]),
                node("Relu", &["features"], "left", vec![]),
                node("Sigmoid", &["features"], "right", vec![]),
                node("Concat", &["left", "right"], "table", vec![]),
                node("Shape", &["images"], "size", vec![]),
                node("Slice", &["table"], "boxes", vec![]),
                node("Slice", &["table"], "scores", vec![]),
                node("Mul", &["boxes", "size"], "scaled", vec![]),
                node("NonMaxSuppression", &["scaled", "scores", "most"], "kept", vec![]),
                node("Gather", &["boxes", "kept"], "out", vec![]),
            ],
            ..GraphProto::default()
        }
    }

    #[test]
    fn last_value_on_all_ways_comes_first_and_the_pair_last() {
        let cuts = cuts(&graph());
        assert_eq!(cuts.tables, ["table", "features"]);
        assert_eq!(cuts.boxes[..3], ["scaled", "boxes", "size"]);
        assert_eq!(cuts.scores[..2], ["scores", "table"]);
        let mut plain = graph();
        plain.node[8].op_type = "Add".to_owned();
        assert_eq!(super::cuts(&plain), Cuts::default());
    }

    #[test]
    fn what_led_on_from_a_cut_goes() {
        let mut cut = graph();
        apply(&mut cut, &Cut { outputs: vec!["table".to_owned()], pair: false });
        let ops: Vec<&str> = cut.node.iter().map(|node| node.op_type.as_str()).collect();
        assert_eq!((ops, cut.output[0].name.as_str()), (vec!["Conv", "Relu", "Sigmoid", "Concat"], "table"));
    }
}
