//! The model as onnxruntime gets it: an ONNX file declares its shapes for one input size, and other than tract,
//! onnxruntime takes them at their word.

use std::collections::HashSet;

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{ModelProto, TensorShapeProto, TypeProto};

use crate::detect::model::ModelSpec;

/// The file with its input at the size of the spec, and no word on the shapes that follow from it. Only the outputs of the
/// spec are left: they are all that the head looks at.
pub(super) fn fitted(file: &ModelProto, spec: &ModelSpec) -> Result<Vec<u8>, String> {
    let mut model = file.clone();
    let graph = model.graph.as_mut().ok_or("there is no graph in it")?;
    graph.value_info.clear();
    graph.output.retain(|output| spec.outputs.iter().any(|wanted| wanted.name == output.name));
    if graph.output.len() != spec.outputs.len() {
        return Err("its outputs have other names than those that tract reads".to_owned());
    }
    for output in &mut graph.output {
        output.r#type = Some(floats(None));
    }
    // Old files list their weights among the inputs.
    let weights: HashSet<&str> = graph.initializer.iter().map(|weight| weight.name.as_str()).collect();
    let picture = graph.input.iter_mut().find(|input| !weights.contains(input.name.as_str()));
    picture.ok_or("there is no input in it")?.r#type = Some(floats(Some(spec.input.shape())));
    Ok(model.encode_to_vec())
}

/// The type "32-bit floats", of a shape or of any.
fn floats(shape: Option<[usize; 4]>) -> TypeProto {
    let dimension = |size: usize| Dimension {
        value: Some(dimension::Value::DimValue(size as i64)),
        ..Dimension::default()
    };
    let shape = shape.map(|sizes| TensorShapeProto { dim: sizes.map(dimension).to_vec() });
    let tensor = Tensor { elem_type: DataType::Float.into(), shape };
    TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{DetectSettings, Detector};

    #[test]
    fn input_is_resized_and_what_follows_is_left_open() {
        let settings = DetectSettings { input: "640x384".parse().unwrap(), ..DetectSettings::default() };
        let spec = Detector::load(&settings).unwrap().spec().clone();
        let bytes = std::fs::read("models/yolox_nano.onnx").unwrap();
        let file = ModelProto::decode(bytes.as_slice()).unwrap();
        let before = file.graph.clone().unwrap();
        let fitted = fitted(&file, &spec).unwrap();
        let after = ModelProto::decode(fitted.as_slice()).unwrap().graph.unwrap();
        assert_eq!(after.input[0].r#type, Some(floats(Some([1, 3, 384, 640]))));
        assert_eq!(after.output[0].r#type, Some(floats(None)));
        assert!(after.value_info.is_empty());
        assert_ne!(before.input[0].r#type, after.input[0].r#type);
        assert_eq!((before.node, before.initializer), (after.node, after.initializer));
    }
}
