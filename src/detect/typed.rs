//! A model as tract knows it: every value with its type and shape, for one size of input.

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use super::error_line::first_line;
use super::input_size::InputSize;
use super::model::{Layout, OutputSpec};

/// Why a file has no types.
pub(super) enum Untyped {
    /// tract cannot read it.
    Parse(String),
    /// tract cannot run it at this size.
    Run(String),
}

/// Has tract read a file, for one size of input; the outputs with their names and shapes, no shape where it is not known, or
/// not one of 32-bit floats.
pub(super) fn typed(
    file: &ModelProto,
    layout: Layout,
    input: InputSize,
) -> Result<(TypedModel, Vec<OutputSpec>), Untyped> {
    let (parse, run) = (
        |error: TractError| Untyped::Parse(first_line(&error)),
        |error: TractError| Untyped::Run(first_line(&error)),
    );
    // The file declares shapes for one input size; they are left aside so that any other size can be asked for.
    let onnx = onnx().with_ignore_value_info(true).with_ignore_output_shapes(true);
    let mut model = onnx.model_for_proto_model(file).map_err(parse)?;
    let names: Vec<String> = model
        .outputs
        .iter()
        .map(|&outlet| model.outlet_label(outlet).unwrap_or(&model.node(outlet.node).name).to_owned())
        .collect();
    model.set_input_fact(0, f32::fact(layout.shape(input)).into()).map_err(parse)?;
    let model = model.into_typed().map_err(run)?;
    let outputs = names.into_iter().enumerate().map(|(at, name)| {
        let fact = model.output_fact(at).map_err(run)?;
        let floats = fact.datum_type == f32::datum_type();
        let shape = fact.shape.as_concrete().filter(|_| floats).map(<[usize]>::to_vec).unwrap_or_default();
        Ok(OutputSpec { name, shape })
    });
    let outputs = outputs.collect::<Result<_, _>>()?;
    Ok((model, outputs))
}
