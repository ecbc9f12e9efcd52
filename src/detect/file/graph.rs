//! Small questions to a graph.

use std::collections::{BTreeSet, HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
};

/// No detector has more nodes.
const MOST_NODES: usize = 200_000;
/// No detector has more inputs that are no weights, or outputs.
const MOST_ENDS: usize = 1_000;

/// What every reader takes for granted: each output is given by a node, an input or a weight, and no value is made from
/// itself. Nodes are put in an order in which each comes after what it needs, which the standard asks for and some exporters
/// do not give.
pub(super) fn check(graph: &mut GraphProto) -> Result<(), String> {
    if graph.node.len() > MOST_NODES {
        return Err(format!("it has {} nodes, more than {MOST_NODES}", graph.node.len()));
    }
    let ends = inputs(graph).len().max(graph.output.len());
    if ends > MOST_ENDS {
        return Err(format!("it has {ends} inputs or outputs, more than {MOST_ENDS}"));
    }
    let given: HashSet<&str> = graph
        .node
        .iter()
        .flat_map(|node| &node.output)
        .chain(graph.input.iter().map(|input| &input.name))
        .chain(graph.initializer.iter().map(|weight| &weight.name))
        .map(String::as_str)
        .collect();
    if let Some(output) = graph.output.iter().find(|output| !given.contains(output.name.as_str())) {
        return Err(format!("nothing in it gives its output {}", output.name));
    }
    if graph.output.is_empty() {
        return Err("it has no output".to_owned());
    }
    let order = order(graph).ok_or("its nodes need each other in a circle")?;
    if !order.iter().copied().eq(0..graph.node.len()) {
        let mut nodes: Vec<Option<NodeProto>> =
            std::mem::take(&mut graph.node).into_iter().map(Some).collect();
        graph.node = order.iter().filter_map(|&at| nodes.get_mut(at)?.take()).collect();
    }
    Ok(())
}

/// That all weights are numbers: one that is none makes every box of every picture none, without a word.
///
/// # Errors
/// The name of the first weight that is not.
pub(super) fn check_weights(graph: &GraphProto) -> Result<(), String> {
    let is_nan = |weight: &TensorProto| {
        let raw = weight.raw_data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        DataType::try_from(weight.data_type) == Ok(DataType::Float)
            && raw.chain(weight.float_data.iter().copied()).any(f32::is_nan)
    };
    match graph.initializer.iter().find(|weight| is_nan(weight)) {
        Some(weight) => Err(format!("its weights {} hold values that are no numbers (NaN)", weight.name)),
        None => Ok(()),
    }
}

/// The numbers of the nodes, each after those that it needs, else as they stand; `None` where they need each other.
fn order(graph: &GraphProto) -> Option<Vec<usize>> {
    let producers = producers(graph);
    let mut ahead: Vec<usize> = Vec::new();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); graph.node.len()];
    for (at, node) in graph.node.iter().enumerate() {
        let needs: HashSet<usize> = needed(node).filter_map(|name| producers.get(name).copied()).collect();
        ahead.push(needs.len());
        for need in needs {
            if need == at {
                return None;
            }
            behind[need].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..ahead.len()).filter(|&at| ahead[at] == 0).collect();
    let mut order = Vec::with_capacity(ahead.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for &at in &behind[next] {
            ahead[at] -= 1;
            if ahead[at] == 0 {
                ready.insert(at);
            }
        }
    }
    (order.len() == ahead.len()).then_some(order)
}

/// The node that gives each value.
pub(super) fn producers(graph: &GraphProto) -> HashMap<&str, usize> {
    let nodes = graph.node.iter().enumerate();
    let outputs = nodes.flat_map(|(at, node)| node.output.iter().map(move |name| (name.as_str(), at)));
    outputs.filter(|(name, _)| !name.is_empty()).collect()
}

/// The names of all values that a node reads, also within the graphs that it holds.
pub(super) fn needed(node: &NodeProto) -> impl Iterator<Item = &str> {
    let own = node.input.iter().map(String::as_str);
    let inner = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref());
    let inner =
        inner.flat_map(|graph| graph.node.iter().flat_map(|node| node.input.iter().map(String::as_str)));
    own.chain(inner).filter(|name| !name.is_empty())
}

/// The operators of a graph and of those within it, with their domain where that is not ONNX's own.
pub(super) fn ops(graph: &GraphProto) -> BTreeSet<String> {
    let mut ops = BTreeSet::new();
    for node in &graph.node {
        let own = matches!(node.domain.as_str(), "" | "ai.onnx");
        ops.insert(if own { node.op_type.clone() } else { format!("{}:{}", node.domain, node.op_type) });
        for attribute in &node.attribute {
            ops.extend(attribute.g.iter().flat_map(self::ops));
        }
    }
    ops
}

/// The inputs that are no weights: old files list their weights among the inputs.
pub(super) fn inputs(graph: &GraphProto) -> Vec<usize> {
    let weights: HashSet<&str> = graph.initializer.iter().map(|weight| weight.name.as_str()).collect();
    (0..graph.input.len()).filter(|&at| !weights.contains(graph.input[at].name.as_str())).collect()
}

/// The kind of numbers and the shape that a value is declared to have; a dimension is `None` where it is not fixed.
pub(super) fn declared(info: &ValueInfoProto) -> Option<(DataType, Option<Vec<Option<i64>>>)> {
    let Some(Value::TensorType(tensor)) = info.r#type.as_ref()?.value.as_ref() else { return None };
    let fixed = |dim: &Dimension| match dim.value {
        Some(dimension::Value::DimValue(size)) if size > 0 => Some(size),
        _ => None,
    };
    let shape = tensor.shape.as_ref().map(|shape| shape.dim.iter().map(fixed).collect());
    Some((DataType::try_from(tensor.elem_type).unwrap_or(DataType::Undefined), shape))
}

/// A type, of a shape or of any.
pub(super) fn tensor_type(kind: DataType, shape: Option<&[Option<i64>]>) -> TypeProto {
    let dimension = |size: &Option<i64>| Dimension {
        value: size.map(dimension::Value::DimValue),
        ..Dimension::default()
    };
    let shape = shape.map(|sizes| TensorShapeProto { dim: sizes.iter().map(dimension).collect() });
    let tensor = Tensor { elem_type: kind.into(), shape };
    TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() }
}

/// A node of ONNX's own operators.
pub(super) fn node(op: &str, inputs: &[&str], output: &str, attributes: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: format!("trailsight/{op}/{output}"),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: attributes,
        ..NodeProto::default()
    }
}

/// An attribute that is a whole number.
pub(super) fn whole(name: &str, value: i64) -> AttributeProto {
    use tract_onnx::pb::attribute_proto::AttributeType;
    AttributeProto {
        name: name.to_owned(),
        i: value,
        r#type: AttributeType::Int.into(),
        ..AttributeProto::default()
    }
}

/// A weight of whole numbers.
pub(super) fn whole_numbers(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Int64.into(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// Renames a value wherever a node of the graph, or of those within it, reads or gives it.
pub(super) fn rename(graph: &mut GraphProto, from: &str, to: &str) {
    for node in &mut graph.node {
        for name in node.input.iter_mut().chain(&mut node.output).filter(|name| *name == from) {
            *name = to.to_owned();
        }
        for inner in node.attribute.iter_mut().filter_map(|attribute| attribute.g.as_mut()) {
            rename(inner, from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: &[(&str, &str)]) -> GraphProto {
        let named = |name: &str| ValueInfoProto { name: name.to_owned(), ..ValueInfoProto::default() };
        GraphProto {
            input: vec![named("images")],
            output: vec![named("out")],
            node: nodes.iter().map(|(from, to)| node("Relu", &[from], to, vec![])).collect(),
            ..GraphProto::default()
        }
    }

    #[test]
    fn nodes_are_put_in_order_and_circles_refused() {
        let mut backwards = graph(&[("b", "out"), ("a", "b"), ("images", "a")]);
        check(&mut backwards).unwrap();
        let order: Vec<&str> = backwards.node.iter().map(|node| node.output[0].as_str()).collect();
        assert_eq!(order, ["a", "b", "out"]);
        for (nodes, why) in [
            (&[("b", "a"), ("a", "b"), ("b", "out")][..], "circle"),
            (&[("out", "out")], "circle"),
            (&[("images", "a")], "nothing in it gives its output out"),
        ] {
            let error = check(&mut graph(nodes)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let mut many = graph(&[("images", "out")]);
        many.output = vec![many.output[0].clone(); MOST_ENDS + 1];
        assert!(check(&mut many).unwrap_err().contains("1001 inputs or outputs"));
        let mut none = graph(&[("images", "out")]);
        none.output.clear();
        assert!(check(&mut none).is_err());
    }

    #[test]
    fn weights_that_are_no_numbers_are_named() {
        let weight = |value: f32| TensorProto {
            name: "w".to_owned(),
            data_type: DataType::Float.into(),
            raw_data: [1.0, value].iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..TensorProto::default()
        };
        let with = |value| GraphProto { initializer: vec![weight(value)], ..graph(&[("images", "out")]) };
        assert_eq!((check_weights(&with(2.0)), check_weights(&with(f32::NEG_INFINITY))), (Ok(()), Ok(())));
        assert!(check_weights(&with(f32::NAN)).unwrap_err().contains("weights w hold"));
    }
}
