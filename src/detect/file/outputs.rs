//! The outputs: all become 32-bit floats, which hold the class numbers and counts that some networks give as whole numbers.

use std::collections::BTreeSet;

use tract_onnx::pb::GraphProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::graph::{declared, node, rename, tensor_type, whole};

/// Puts a conversion behind each output of whole numbers; the output keeps its name. Tells which those are.
pub(super) fn floats(graph: &mut GraphProto, rewritten: &mut Vec<String>) -> BTreeSet<String> {
    let mut whole_numbers = BTreeSet::new();
    for at in 0..graph.output.len() {
        let Some((kind, shape)) = declared(&graph.output[at]) else { continue };
        if matches!(kind, DataType::Float | DataType::Undefined | DataType::String) {
            continue;
        }
        let name = graph.output[at].name.clone();
        // What is also an input or a weight has no node to be renamed.
        if !graph.node.iter().any(|node| node.output.contains(&name)) {
            continue;
        }
        let before = format!("{name}/whole");
        rename(graph, &name, &before);
        let cast = vec![whole("to", i32::from(DataType::Float).into())];
        graph.node.push(node("Cast", &[&before], &name, cast));
        graph.output[at].r#type = Some(tensor_type(DataType::Float, shape.as_deref()));
        rewritten.push(format!("its output {name} became 32-bit floats"));
        if kind != DataType::Double {
            whole_numbers.insert(name);
        }
    }
    whole_numbers
}
