//! From tract's typed graph to layers. tract has read the file, checked it, and knows all shapes; what is not among the
//! layers known here ends in a sentence that names it, and the model is run by tract.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::{Slice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv as TractConv, KernelFormat, MaxPool, PoolSpec};
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::{Add, Max, Min, Mul};
use tract_onnx::tract_core::ops::nn::resize::NearestUpsample;
use tract_onnx::tract_core::ops::nn::{DataFormat, HardSwish, LeakyRelu, Sigmoid, Silu};
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_core::optim::Optimizer;
use tract_onnx::tract_hir::internal::{AxisOp, DimLike, ToDim};

use crate::detect::error_line::first_line;

use super::graph::{Conv, Graph, Layer, LayerId, Op, Shape, Window};
use super::kernels::Activation;

/// No kernel is larger, and no stride.
const LARGEST_SIDE: usize = 128;
/// No layer of a network of this kind has more values; more is a mistake or an attack.
const MOST_VALUES: usize = 1 << 28;

/// Something in the model that the native plan does not know: said in a few words.
pub(super) type Unknown = String;

/// What flows between tract's nodes.
#[derive(Debug, Clone)]
enum Value {
    /// `1 × channels × height × width`, as a layer gives it.
    Picture(LayerId),
    /// Every `stride`-th pixel of the network's input, down and across, from an offset on.
    Sampled { stride: (usize, usize), offset: (usize, usize) },
    /// `1 × channels × pixels`: the pixels of several layers, one behind the other.
    Columns(Vec<LayerId>),
    /// `1 × pixels × channels`: likewise.
    Rows(Vec<LayerId>),
    /// Known beforehand.
    Constant(Arc<Tensor>),
}

/// Reads the whole graph. Its one input is `1 × channels × height × width`, its one output `1 × rows × values`.
pub(super) fn read(mut model: TypedModel) -> Result<Graph, Unknown> {
    tidy(&mut model).map_err(|error| first_line(&error))?;
    let mut reader = Reader { model: &model, values: HashMap::new(), layers: Vec::new() };
    let order = model.eval_order().map_err(|error| first_line(&error))?;
    for id in order {
        reader.node(id)?;
    }
    let output = *model.outputs.first().ok_or("no output")?;
    match reader.values.remove(&output) {
        Some(Value::Rows(outputs)) => {
            let mut graph = Graph { layers: reader.layers, outputs };
            graph.prune();
            Ok(graph)
        }
        _ => Err("an output that is not laid out as pixels, row by row".to_owned()),
    }
}

/// Folds constants, and lets tract say slices and resizing in the simple terms in which it runs them itself.
fn tidy(model: &mut TypedModel) -> TractResult<()> {
    Optimizer::prop_consts().session().optimize(model)?;
    let mut id = 0;
    while id < model.nodes().len() {
        let node = model.node(id);
        if matches!(&*node.op.name(), "StridedSlice" | "Resize")
            && let Some(patch) = node.op.declutter(model, node)?
        {
            patch.apply(model)?;
        }
        id += 1;
    }
    model.compact()
}

struct Reader<'a> {
    model: &'a TypedModel,
    values: HashMap<OutletId, Value>,
    layers: Vec<Layer>,
}

impl Reader<'_> {
    fn node(&mut self, id: usize) -> Result<(), Unknown> {
        let node = self.model.node(id);
        let outlet = OutletId::new(id, 0);
        let fact = &node.outputs.first().ok_or_else(|| format!("{} without an output", node.op.name()))?.fact;
        if let Some(constant) = &fact.konst {
            self.values.insert(outlet, Value::Constant(Arc::clone(constant)));
            return Ok(());
        }
        let what = || format!("the operation {} with an output of {:?}", node.op.name(), fact.shape);
        if fact.datum_type != f32::datum_type() {
            return Err(format!("{} of type {:?}", what(), fact.datum_type));
        }
        let shape = fact.shape.as_concrete().ok_or_else(what)?.to_vec();
        let inputs: Vec<Value> = node
            .inputs
            .iter()
            .map(|input| self.values.get(input).cloned().ok_or_else(what))
            .collect::<Result<_, _>>()?;
        let value = self.value(&*node.op, &inputs, &shape).map_err(|why| match why {
            Some(why) => format!("{} ({why})", what()),
            None => what(),
        })?;
        self.values.insert(outlet, value);
        Ok(())
    }

    /// What an operation makes of its inputs; `Err` with more about it, or nothing more than that it is not known.
    fn value(
        &mut self,
        op: &dyn TypedOp,
        inputs: &[Value],
        shape: &[usize],
    ) -> Result<Value, Option<String>> {
        if op.is::<TypedSource>() {
            return Ok(Value::Picture(self.push(Op::Input, vec![], shape)?));
        }
        if let Some(conv) = op.downcast_ref::<TractConv>() {
            let [Value::Picture(input), Value::Constant(kernel), Value::Constant(bias)] = inputs else {
                return Err(Some("with weights that are not constant".to_owned()));
            };
            let conv = self.conv(conv, *input, kernel, bias)?;
            return Ok(Value::Picture(self.push(Op::Conv(conv), vec![*input], shape)?));
        }
        if let Some(pool) = op.downcast_ref::<MaxPool>() {
            let [Value::Picture(input)] = inputs else { return Err(None) };
            if pool.with_index_outputs.is_some() {
                return Err(Some("with indices".to_owned()));
            }
            let window = self.window(&pool.pool_spec, *input)?;
            return Ok(Value::Picture(self.push(Op::MaxPool(window), vec![*input], shape)?));
        }
        if let Some(element_wise) = op.downcast_ref::<ElementWiseOp>() {
            let [Value::Picture(input)] = inputs else { return Err(None) };
            let activation = activation(element_wise).ok_or_else(|| Some(element_wise.0.name().clone()))?;
            return Ok(Value::Picture(self.push(Op::Activate(activation), vec![*input], shape)?));
        }
        if let Some(binary) = op.downcast_ref::<TypedBinOp>() {
            return self.binary(binary, inputs, shape);
        }
        if let Some(upsample) = op.downcast_ref::<NearestUpsample>() {
            return match (inputs, upsample.scales.as_slice()) {
                (&[Value::Picture(input)], &[1, 1, down, across]) if down == across => {
                    Ok(Value::Picture(self.push(Op::Upsample { factor: down }, vec![input], shape)?))
                }
                _ => Err(None),
            };
        }
        if let Some(concat) = op.downcast_ref::<TypedConcat>() {
            return self.concat(concat.axis, inputs, shape);
        }
        match (op.downcast_ref::<Slice>(), op.downcast_ref::<Downsample>(), op.downcast_ref::<AxisOp>()) {
            (Some(slice), ..) => self.slice(slice, inputs),
            (_, Some(down), _) => self.downsample(down, inputs),
            (.., Some(axes)) => self.axes(axes, inputs, shape),
            _ => Err(None),
        }
    }

    fn push(&mut self, op: Op, inputs: Vec<LayerId>, shape: &[usize]) -> Result<LayerId, Option<String>> {
        let &[1, channels, height, width] = shape else { return Err(None) };
        let values = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        if !values.is_some_and(|values| (1..=MOST_VALUES).contains(&values)) {
            return Err(Some("of no values, or of too many".to_owned()));
        }
        self.layers.push(Layer::new(op, inputs, Shape { height, width, channels }));
        Ok(self.layers.len() - 1)
    }

    fn conv(
        &self,
        conv: &TractConv,
        input: LayerId,
        kernel: &Tensor,
        bias: &Tensor,
    ) -> Result<Conv, Option<String>> {
        let window = self.window(&conv.pool_spec, input)?;
        let (inputs, outputs) = (conv.input_channels(), conv.output_channels());
        let depthwise = conv.group > 1;
        if conv.q_params.is_some() || conv.kernel_fmt != KernelFormat::OIHW {
            return Err(Some("quantised, or with weights in an unusual order".to_owned()));
        }
        if depthwise && (conv.group != inputs || inputs != outputs) {
            return Err(Some(format!("in {} groups", conv.group)));
        }
        let (kh, kw) = window.kernel;
        let per_output = if depthwise { 1 } else { inputs };
        let given = floats(kernel)?;
        let bias = floats(bias)?;
        if given.len() != outputs * per_output * kh * kw || ![1, outputs].contains(&bias.len()) {
            return Err(None);
        }
        // From output, input, row, column to output, row, column, input.
        let mut weights = Vec::with_capacity(given.len());
        for output in given.chunks_exact(per_output * kh * kw) {
            for position in 0..kh * kw {
                weights.extend(output.iter().skip(position).step_by(kh * kw));
            }
        }
        let bias = if bias.len() == 1 { vec![bias[0]; outputs] } else { bias };
        Ok(Conv { window, depthwise, weights, bias, activation: Activation::None })
    }

    fn window(&self, spec: &PoolSpec, input: LayerId) -> Result<Window, Option<String>> {
        let Shape { height, width, .. } = self.layers[input].shape;
        let &[kh, kw] = spec.kernel_shape.as_slice() else {
            return Err(Some("not over pictures".to_owned()));
        };
        if spec.data_format != DataFormat::NCHW || spec.dilations().iter().any(|&dilation| dilation != 1) {
            return Err(Some("dilated, or with axes in an unusual order".to_owned()));
        }
        let padding = spec.computed_padding(&[height, width]);
        let [down, across] = padding.as_slice() else { return Err(None) };
        let strides = (spec.stride(0), spec.stride(1));
        let sides = [kh, kw, strides.0, strides.1];
        if sides.iter().any(|side| !(1..=LARGEST_SIDE).contains(side))
            || down.pad_before >= kh
            || across.pad_before >= kw
        {
            return Err(None);
        }
        Ok(Window { kernel: (kh, kw), stride: strides, pad: (down.pad_before, across.pad_before) })
    }

    fn binary(
        &mut self,
        binary: &TypedBinOp,
        inputs: &[Value],
        shape: &[usize],
    ) -> Result<Value, Option<String>> {
        let named = || Some(binary.0.name().to_owned());
        let op = match inputs {
            &[Value::Picture(a), Value::Picture(b)] if self.layers[a].shape == self.layers[b].shape => {
                if binary.0.is::<Add>() {
                    return Ok(Value::Picture(self.push(Op::Add, vec![a, b], shape)?));
                }
                // x · sigmoid(x) is an activation of x.
                let gate = |gate: LayerId, of: LayerId| {
                    matches!(self.layers[gate].op, Op::Activate(Activation::Sigmoid))
                        && self.layers[gate].inputs == [of]
                };
                let of = match (gate(b, a), gate(a, b)) {
                    (true, _) => a,
                    (_, true) => b,
                    _ => return Err(named()),
                };
                if !binary.0.is::<Mul>() {
                    return Err(named());
                }
                return Ok(Value::Picture(self.push(Op::Activate(Activation::Silu), vec![of], shape)?));
            }
            [Value::Picture(of), Value::Constant(limit)] | [Value::Constant(limit), Value::Picture(of)] => {
                let limit = match *floats(limit)? {
                    [limit] => limit,
                    _ => return Err(named()),
                };
                let clip = if binary.0.is::<Max>() {
                    Activation::Clip(limit, f32::INFINITY)
                } else if binary.0.is::<Min>() {
                    Activation::Clip(f32::NEG_INFINITY, limit)
                } else {
                    return Err(named());
                };
                (Op::Activate(clip), *of)
            }
            _ => return Err(named()),
        };
        Ok(Value::Picture(self.push(op.0, vec![op.1], shape)?))
    }

    fn concat(&mut self, axis: usize, inputs: &[Value], shape: &[usize]) -> Result<Value, Option<String>> {
        let pixels = match (inputs.first(), axis) {
            (Some(Value::Columns(_)), 2) | (Some(Value::Rows(_)), 1) => true,
            (Some(Value::Picture(_) | Value::Sampled { .. }), 1) => false,
            _ => return Err(None),
        };
        if pixels {
            let mut all = Vec::new();
            for input in inputs {
                match (input, axis) {
                    (Value::Columns(parts), 2) | (Value::Rows(parts), 1) => all.extend(parts),
                    _ => return Err(None),
                }
            }
            return Ok(if axis == 2 { Value::Columns(all) } else { Value::Rows(all) });
        }
        let mut pictures = Vec::new();
        let mut parts = Vec::new();
        let mut strides = Vec::new();
        for input in inputs {
            match input {
                Value::Picture(layer) => pictures.push(*layer),
                Value::Sampled { stride, offset } => {
                    parts.push(*offset);
                    strides.push(*stride);
                }
                _ => return Err(None),
            }
        }
        let layer = match (pictures.is_empty(), parts.is_empty()) {
            (false, true) => self.push(Op::Concat, pictures, shape)?,
            (true, false) => {
                let (down, across) = strides[0];
                if down != across || strides.iter().any(|&stride| stride != strides[0]) {
                    return Err(None);
                }
                let input = self.input().ok_or(None)?;
                self.push(Op::Focus { stride: down, parts }, vec![input], shape)?
            }
            _ => return Err(None),
        };
        Ok(Value::Picture(layer))
    }

    /// The layer that is the network's input.
    fn input(&self) -> Option<LayerId> {
        self.layers.iter().position(|layer| matches!(layer.op, Op::Input))
    }

    /// As pixels of the network's input: how far apart, and from where on.
    fn sampled(&self, value: &Value) -> Option<((usize, usize), (usize, usize))> {
        match value {
            Value::Picture(layer) if matches!(self.layers[*layer].op, Op::Input) => Some(((1, 1), (0, 0))),
            Value::Sampled { stride, offset } => Some((*stride, *offset)),
            _ => None,
        }
    }

    fn downsample(&self, down: &Downsample, inputs: &[Value]) -> Result<Value, Option<String>> {
        let (mut stride, mut offset) = inputs.first().and_then(|input| self.sampled(input)).ok_or(None)?;
        let by = usize::try_from(down.stride).map_err(|_| None)?;
        let (stride_of, offset_of) = match down.axis {
            2 => (&mut stride.0, &mut offset.0),
            3 => (&mut stride.1, &mut offset.1),
            _ => return Err(None),
        };
        *offset_of += down.modulo * *stride_of;
        *stride_of *= by;
        Ok(Value::Sampled { stride, offset })
    }

    fn slice(&self, slice: &Slice, inputs: &[Value]) -> Result<Value, Option<String>> {
        let (stride, mut offset) = inputs.first().and_then(|input| self.sampled(input)).ok_or(None)?;
        let start = slice.start.to_usize().map_err(|_| None)?;
        match slice.axis {
            2 => offset.0 += start * stride.0,
            3 => offset.1 += start * stride.1,
            _ => return Err(None),
        }
        Ok(Value::Sampled { stride, offset })
    }

    fn axes(&self, axes: &AxisOp, inputs: &[Value], shape: &[usize]) -> Result<Value, Option<String>> {
        match (axes, inputs) {
            (AxisOp::Reshape(2, from, to), [Value::Picture(layer)]) if from.len() == 2 && to.len() == 1 => {
                let &[1, channels, pixels] = shape else { return Err(None) };
                let Shape { height, width, channels: has } = self.layers[*layer].shape;
                if channels != has || to[0] != pixels.to_dim() || height * width != pixels {
                    return Err(None);
                }
                Ok(Value::Columns(vec![*layer]))
            }
            (AxisOp::Move(1, 2) | AxisOp::Move(2, 1), [Value::Columns(parts)]) => {
                Ok(Value::Rows(parts.clone()))
            }
            _ => Err(None),
        }
    }
}

fn activation(op: &ElementWiseOp) -> Option<Activation> {
    if op.0.is::<Sigmoid>() {
        Some(Activation::Sigmoid)
    } else if op.0.is::<Silu>() {
        Some(Activation::Silu)
    } else if op.0.is::<HardSwish>() {
        Some(Activation::HardSwish)
    } else {
        op.0.downcast_ref::<LeakyRelu>().map(|leaky| Activation::Leaky(leaky.alpha))
    }
}

fn floats(tensor: &Tensor) -> Result<Vec<f32>, Option<String>> {
    let view = tensor.to_plain_array_view::<f32>().map_err(|_| None)?;
    Ok(view.iter().copied().collect())
}
