//! 16-bit floats (both kinds) become 32-bit floats: processors have no units for them, and tract takes minutes a picture.

use half::{bf16, f16};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto, ValueInfoProto};

/// Rewrites a graph and those within it; tells whether there was anything to do.
pub(super) fn widen(graph: &mut GraphProto) -> bool {
    let mut changed = false;
    for weight in &mut graph.initializer {
        changed |= tensor(weight);
    }
    for info in graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info) {
        changed |= value(info);
    }
    for node in &mut graph.node {
        changed |= self::node(node);
    }
    changed
}

fn is_half(kind: i32) -> bool {
    matches!(DataType::try_from(kind), Ok(DataType::Float16 | DataType::Bfloat16))
}

fn node(node: &mut NodeProto) -> bool {
    let mut changed = false;
    let casts = matches!(node.op_type.as_str(), "Cast" | "RandomNormal" | "RandomUniform" | "EyeLike");
    for attribute in &mut node.attribute {
        if casts
            && matches!(attribute.name.as_str(), "to" | "dtype")
            && i32::try_from(attribute.i).is_ok_and(is_half)
        {
            attribute.i = i32::from(DataType::Float).into();
            changed = true;
        }
        for inner in attribute.t.iter_mut().chain(&mut attribute.tensors) {
            changed |= tensor(inner);
        }
        if let Some(graph) = &mut attribute.g {
            changed |= widen(graph);
        }
    }
    changed
}

fn value(info: &mut ValueInfoProto) -> bool {
    let kind = info.r#type.as_mut().and_then(|kind| kind.value.as_mut());
    let Some(Value::TensorType(tensor)) = kind.filter(|Value::TensorType(tensor)| is_half(tensor.elem_type))
    else {
        return false;
    };
    tensor.elem_type = DataType::Float.into();
    true
}

fn tensor(tensor: &mut TensorProto) -> bool {
    let widened: fn(u16) -> f32 = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float16) => |bits| f16::from_bits(bits).to_f32(),
        Ok(DataType::Bfloat16) => |bits| bf16::from_bits(bits).to_f32(),
        _ => return false,
    };
    let raw = tensor.raw_data.as_chunks::<2>().0.iter().map(|&bytes| u16::from_le_bytes(bytes));
    // Without raw data the bits stand one by one in a field of 32 bits.
    let single = tensor.int32_data.iter().map(|&bits| bits as u16);
    let values: Vec<u8> = raw.chain(single).flat_map(|bits| widened(bits).to_le_bytes()).collect();
    tensor.raw_data = values;
    tensor.int32_data.clear();
    tensor.data_type = DataType::Float.into();
    true
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::AttributeProto;

    use super::*;

    #[test]
    fn weights_casts_and_declarations_are_widened() {
        let weight = |kind: DataType, raw: &[u8], single: &[i32]| TensorProto {
            data_type: kind.into(),
            raw_data: raw.to_vec(),
            int32_data: single.to_vec(),
            ..TensorProto::default()
        };
        let to = |kind: DataType| AttributeProto {
            name: "to".to_owned(),
            i: i32::from(kind).into(),
            ..AttributeProto::default()
        };
        let cast = |kind| NodeProto {
            op_type: "Cast".to_owned(),
            attribute: vec![to(kind)],
            ..NodeProto::default()
        };
        let mut graph = GraphProto {
            initializer: vec![
                weight(DataType::Float16, &[0x00, 0x3c, 0x00, 0xc1], &[]),
                weight(DataType::Float16, &[], &[0x3800]),
                weight(DataType::Bfloat16, &[0x80, 0x3f], &[]),
                weight(DataType::Int64, &[1, 0, 0, 0, 0, 0, 0, 0], &[]),
            ],
            node: vec![cast(DataType::Float16), cast(DataType::Int64)],
            ..GraphProto::default()
        };
        let whole = graph.initializer[3].clone();
        assert!(widen(&mut graph));
        let floats = |at: usize| -> Vec<f32> {
            let chunks = graph.initializer[at].raw_data.as_chunks::<4>().0;
            chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
        };
        assert_eq!((floats(0), floats(1), floats(2)), (vec![1.0, -2.5], vec![0.5], vec![1.0]));
        assert_eq!(graph.initializer[3], whole);
        let kinds: Vec<i64> = graph.node.iter().map(|node| node.attribute[0].i).collect();
        assert_eq!(kinds, [i64::from(i32::from(DataType::Float)), i64::from(i32::from(DataType::Int64))]);
        assert!(!widen(&mut graph), "there is nothing left to do");
    }
}
