//! What an operation of tract's is as a layer, or as another view of layers that are there.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::{Slice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv as TractConv, KernelFormat, MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::{Add, Div, Max, Min, Mul, Sub};
use tract_onnx::tract_core::ops::nn::resize::NearestUpsample;
use tract_onnx::tract_core::ops::nn::{
    DataFormat, HardSwish, LeakyRelu, Reduce, Reducer, Sigmoid, Silu, Softmax, SoftmaxKind,
};
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_hir::internal::{AxisOp, DimLike};

use super::super::graph::{Conv, LayerId, Op, Shape, Window};
use super::super::kernels::Activation;
use super::laid::{Axis, Laid};
use super::{Reader, Unknown, Value};

/// No kernel is larger, and no stride.
const LARGEST_SIDE: usize = 128;

/// Whether an operation is worth taking over as a layer even where tract made what goes into it. A convolution to one channel
/// is not: the sums over distributions in the decoding of boxes are such.
pub(super) fn begins_anew(op: &dyn TypedOp) -> bool {
    op.is::<MaxPool>()
        || op.is::<NearestUpsample>()
        || op.downcast_ref::<TractConv>().is_some_and(|conv| conv.output_channels() > 1)
}

/// Whether an operation is done pixel by pixel, so that it is worth taking over where one of its inputs is a layer's.
pub(super) fn is_pixelwise(op: &dyn TypedOp) -> bool {
    op.is::<TypedBinOp>() || op.is::<TypedConcat>()
}

impl Reader<'_> {
    /// What an operation makes of its inputs; `Err` with more about it, or nothing more than that it is not known.
    pub(super) fn value(
        &mut self,
        op: &dyn TypedOp,
        inputs: &[Value],
        shape: &[usize],
    ) -> Result<Value, Option<Unknown>> {
        if op.is::<TypedSource>() {
            // Whichever axis the channels are: there are three, and no side of a picture is as short.
            return match *shape {
                [1, height, width, 3] => {
                    let layer = self.push(Op::Input, vec![], &[1, 3, height, width])?;
                    let axes = vec![Axis::One, Axis::Down, Axis::Across, Axis::Channels];
                    Ok(Value::Laid(Laid { axes, ..Laid::picture(layer) }))
                }
                _ => Ok(Value::Picture(self.push(Op::Input, vec![], shape)?)),
            };
        }
        if let (Some(conv), [Value::Laid(laid), Value::Constant(kernel), Value::Constant(bias)]) =
            (op.downcast_ref::<TractConv>(), inputs)
        {
            // Over the channels of a group, all pixels alike: the sum at the end of a distribution.
            let plain = conv.kernel_fmt == KernelFormat::OIHW
                && conv.q_params.is_none()
                && conv.pool_spec.data_format == DataFormat::NCHW
                && kernel.shape().iter().skip(2).all(|&side| side == 1)
                && shape.iter().skip(2).eq(laid_sizes(self, laid).iter().skip(2));
            let in_group = matches!(laid.axes.as_slice(), [Axis::One, Axis::InGroup(_), ..]);
            let no_bias = floats(bias)?.iter().all(|&bias| bias == 0.0);
            if !plain || !in_group || !no_bias || conv.output_channels() != 1 || conv.group != 1 {
                return Err(None);
            }
            return self.mean_of_groups(laid, floats(kernel)?);
        }
        if let Some(softmax) = op.downcast_ref::<Softmax>() {
            let [Value::Laid(laid)] = inputs else { return Err(None) };
            let plain = softmax.kind == SoftmaxKind::Softmax && softmax.quant_output_dt.is_none();
            let laid = laid.with_softmax(&softmax.axes).filter(|_| plain).ok_or(None)?;
            return Ok(Value::Laid(laid));
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
        if let Some(pool) = op.downcast_ref::<SumPool>() {
            let [Value::Picture(input)] = inputs else { return Err(None) };
            let conv = self.sum_pool(pool, *input)?;
            return Ok(Value::Picture(self.push(Op::Conv(conv), vec![*input], shape)?));
        }
        if let Some(element_wise) = op.downcast_ref::<ElementWiseOp>() {
            let activation = activation(element_wise).ok_or_else(|| Some(element_wise.0.name().clone()))?;
            return match inputs {
                [Value::Picture(input)] => {
                    Ok(Value::Picture(self.push(Op::Activate(activation), vec![*input], shape)?))
                }
                [Value::Laid(laid)] if !laid.softmax => {
                    Ok(Value::Laid(laid.of(self.each_laid(laid, &Op::Activate(activation), None)?)))
                }
                _ => Err(None),
            };
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
        if let Some(reduce) = op.downcast_ref::<Reduce>() {
            return match (inputs, reduce.reducer, reduce.axes.as_slice()) {
                (&[Value::Picture(input)], Reducer::Sum, [2, 3]) => {
                    Ok(Value::Picture(self.push(Op::Sum, vec![input], shape)?))
                }
                _ => Err(None),
            };
        }
        match (op.downcast_ref::<Slice>(), op.downcast_ref::<Downsample>(), op.downcast_ref::<AxisOp>()) {
            (Some(slice), ..) => self.slice(slice, inputs, shape),
            (_, Some(down), _) => self.downsample(down, inputs),
            (.., Some(axes)) => self.axes(axes, inputs),
            _ => Err(None),
        }
    }

    fn conv(
        &self,
        conv: &TractConv,
        input: LayerId,
        kernel: &Tensor,
        bias: &Tensor,
    ) -> Result<Conv, Option<Unknown>> {
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

    /// A sum or a mean under a window, as a convolution of each channel by itself.
    fn sum_pool(&self, pool: &SumPool, input: LayerId) -> Result<Conv, Option<Unknown>> {
        let window = self.window(&pool.pool_spec, input)?;
        let Shape { height, width, channels } = self.layers[input].shape;
        let padding = pool.pool_spec.computed_padding(&[height, width]);
        let padded = padding.iter().any(|side| side.pad_before + side.pad_after > 0);
        if pool.normalize && padded && !pool.count_include_pad {
            return Err(Some("that counts differently at the edges".to_owned()));
        }
        let positions = window.kernel.0 * window.kernel.1;
        let weight = if pool.normalize { 1.0 / positions as f32 } else { 1.0 };
        let (weights, bias) = (vec![weight; channels * positions], vec![0.0; channels]);
        Ok(Conv { window, depthwise: true, weights, bias, activation: Activation::None })
    }

    fn window(&self, spec: &PoolSpec, input: LayerId) -> Result<Window, Option<Unknown>> {
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
    ) -> Result<Value, Option<Unknown>> {
        let (op, inputs) = match inputs {
            &[Value::Picture(a), Value::Picture(b)] => self.of_two(binary, a, b),
            [Value::Picture(of), Value::Constant(constant)] => {
                self.with_constant(binary, *of, constant, false)
            }
            [Value::Constant(constant), Value::Picture(of)] => {
                self.with_constant(binary, *of, constant, true)
            }
            _ => None,
        }
        .ok_or_else(|| Some(binary.0.name().to_owned()))?;
        Ok(Value::Picture(self.push(op, inputs, shape)?))
    }

    /// The layer for an operation on two pictures.
    fn of_two(&self, binary: &TypedBinOp, a: LayerId, b: LayerId) -> Option<(Op, Vec<LayerId>)> {
        let (of_a, of_b) = (self.layers[a].shape, self.layers[b].shape);
        let is_gate = |gate: Shape, of: Shape| gate == Shape { height: 1, width: 1, ..of };
        if binary.0.is::<Add>() && of_a == of_b {
            return Some((Op::Add, vec![a, b]));
        }
        if !binary.0.is::<Mul>() {
            return None;
        }
        if of_a == of_b {
            // x · sigmoid(x) is an activation of x.
            let gate = |gate: LayerId, of: LayerId| {
                matches!(self.layers[gate].op, Op::Activate(Activation::Sigmoid))
                    && self.layers[gate].inputs == [of]
            };
            return Some(match (gate(b, a), gate(a, b)) {
                (true, _) => (Op::Activate(Activation::Silu), vec![a]),
                (_, true) => (Op::Activate(Activation::Silu), vec![b]),
                _ => (Op::Mul, vec![a, b]),
            });
        }
        match (is_gate(of_b, of_a), is_gate(of_a, of_b)) {
            (true, _) => Some((Op::Mul, vec![a, b])),
            (_, true) => Some((Op::Mul, vec![b, a])),
            _ => None,
        }
    }

    /// The layer for an operation on a picture and a constant, one value or one a channel; `turned`: the constant is first.
    fn with_constant(
        &self,
        binary: &TypedBinOp,
        of: LayerId,
        constant: &Tensor,
        turned: bool,
    ) -> Option<(Op, Vec<LayerId>)> {
        let channels = self.layers[of].shape.channels;
        let values = floats(constant).ok()?;
        let values = match (values.as_slice(), constant.shape()) {
            (&[value], _) => {
                if binary.0.is::<Max>() {
                    return Some((Op::Activate(Activation::Clip(value, f32::INFINITY)), vec![of]));
                }
                if binary.0.is::<Min>() {
                    return Some((Op::Activate(Activation::Clip(f32::NEG_INFINITY, value)), vec![of]));
                }
                vec![value; channels]
            }
            (_, [1, along, 1, 1]) if *along == channels => values,
            _ => return None,
        };
        let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
        let negative = || values.iter().map(|value| -value).collect::<Vec<f32>>();
        let (weights, bias) = if binary.0.is::<Mul>() {
            (values, zeros)
        } else if binary.0.is::<Div>() && !turned {
            (values.iter().map(|value| 1.0 / value).collect(), zeros)
        } else if binary.0.is::<Add>() {
            (ones, values)
        } else if binary.0.is::<Sub>() {
            if turned { (vec![-1.0; channels], values) } else { (ones, negative()) }
        } else {
            return None;
        };
        let activation = Activation::None;
        let scale = Conv { window: Window::PIXEL, depthwise: true, weights, bias, activation };
        Some((Op::Conv(scale), vec![of]))
    }

    fn concat(&mut self, axis: usize, inputs: &[Value], shape: &[usize]) -> Result<Value, Option<Unknown>> {
        match inputs.first() {
            Some(Value::Laid(first)) => self.concat_laid(first, axis, inputs),
            Some(Value::Picture(_)) if axis == 1 => {
                let pictures = inputs.iter().map(|input| match input {
                    Value::Picture(layer) => Ok(*layer),
                    _ => Err(None),
                });
                let pictures = pictures.collect::<Result<_, Option<Unknown>>>()?;
                Ok(Value::Picture(self.push(Op::Concat, pictures, shape)?))
            }
            Some(Value::Sampled { stride, .. }) if axis == 1 => {
                let (down, across) = *stride;
                let parts = inputs.iter().map(|input| match input {
                    Value::Sampled { stride, offset } if *stride == (down, across) => Ok(*offset),
                    _ => Err(None),
                });
                let parts = parts.collect::<Result<_, Option<Unknown>>>()?;
                let input = self.input().filter(|_| down == across).ok_or(None)?;
                Ok(Value::Picture(self.push(Op::Focus { stride: down, parts }, vec![input], shape)?))
            }
            _ => Err(None),
        }
    }

    /// Pixels behind pixels, or channels behind channels.
    fn concat_laid(&mut self, first: &Laid, axis: usize, inputs: &[Value]) -> Result<Value, Option<Unknown>> {
        let mut all: Vec<&Laid> = Vec::new();
        for input in inputs {
            match input {
                Value::Laid(laid) if (&laid.axes, laid.softmax) == (&first.axes, first.softmax) => {
                    all.push(laid)
                }
                _ => return Err(None),
            }
        }
        match first.axes.get(axis) {
            Some(Axis::Pixels) => {
                let layers = all.iter().flat_map(|laid| laid.layers.iter().copied()).collect();
                Ok(Value::Laid(first.of(layers)))
            }
            Some(Axis::Channels) => {
                let mut layers = Vec::new();
                for (place, &one) in first.layers.iter().enumerate() {
                    let parts: Option<Vec<LayerId>> =
                        all.iter().map(|laid| laid.layers.get(place).copied()).collect();
                    let parts = parts.ok_or(None)?;
                    let Shape { height, width, .. } = self.layers[one].shape;
                    let of_a_kind = |&layer: &LayerId| {
                        let shape = self.layers[layer].shape;
                        (shape.height, shape.width) == (height, width)
                    };
                    if !parts.iter().all(of_a_kind)
                        || all.iter().any(|a| a.layers.len() != first.layers.len())
                    {
                        return Err(None);
                    }
                    let channels = parts.iter().map(|&layer| self.layers[layer].shape.channels).sum();
                    layers.push(self.push(Op::Concat, parts, &[1, channels, height, width])?);
                }
                Ok(Value::Laid(first.of(layers)))
            }
            _ => Err(None),
        }
    }

    /// The same layer behind each of those that are laid out.
    fn each_laid(
        &mut self,
        laid: &Laid,
        op: &Op,
        channels: Option<usize>,
    ) -> Result<Vec<LayerId>, Option<Unknown>> {
        let each = laid.layers.iter().map(|&layer| {
            let Shape { height, width, channels: has } = self.layers[layer].shape;
            self.push(op.clone(), vec![layer], &[1, channels.unwrap_or(has), height, width])
        });
        each.collect()
    }

    /// The mean of the values that the channels of a group stand for, each with the probability that a softmax over the
    /// group gives it.
    fn mean_of_groups(&mut self, laid: &Laid, weights: Vec<f32>) -> Result<Value, Option<Unknown>> {
        let group = laid.axes.iter().find_map(|axis| match axis {
            Axis::InGroup(each) => Some(*each),
            _ => None,
        });
        let groups =
            laid.layers.first().map(|&layer| self.layers[layer].shape.channels / weights.len().max(1));
        match (group, groups) {
            (Some(each), Some(groups)) if laid.softmax && each == weights.len() && groups > 0 => {
                let layers = self.each_laid(laid, &Op::MeanOfDistribution { weights }, Some(groups))?;
                Ok(Value::Laid(laid.without_groups(layers)))
            }
            _ => Err(None),
        }
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

    fn downsample(&self, down: &Downsample, inputs: &[Value]) -> Result<Value, Option<Unknown>> {
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

    fn slice(&mut self, slice: &Slice, inputs: &[Value], shape: &[usize]) -> Result<Value, Option<Unknown>> {
        let start = slice.start.to_usize().map_err(|_| None)?;
        if let (&[Value::Picture(input)], 1) = (inputs, slice.axis) {
            return Ok(Value::Picture(self.push(Op::Slice { first: start }, vec![input], shape)?));
        }
        if let [Value::Laid(laid)] = inputs {
            let channels = shape.get(slice.axis).copied().ok_or(None)?;
            return match laid.axes.get(slice.axis) {
                Some(Axis::Channels) if !laid.softmax => {
                    let layers = self.each_laid(laid, &Op::Slice { first: start }, Some(channels))?;
                    Ok(Value::Laid(laid.of(layers)))
                }
                _ => Err(None),
            };
        }
        let (stride, mut offset) = inputs.first().and_then(|input| self.sampled(input)).ok_or(None)?;
        match slice.axis {
            2 => offset.0 += start * stride.0,
            3 => offset.1 += start * stride.1,
            _ => return Err(None),
        }
        Ok(Value::Sampled { stride, offset })
    }

    fn axes(&self, axes: &AxisOp, inputs: &[Value]) -> Result<Value, Option<Unknown>> {
        let laid = match inputs {
            [Value::Picture(layer)] => Laid::picture(*layer),
            [Value::Laid(laid)] => laid.clone(),
            _ => return Err(None),
        };
        let laid = laid.turned(axes).ok_or(None)?;
        Ok(match laid.layers.as_slice() {
            &[layer] if laid == Laid::picture(layer) => Value::Picture(layer),
            _ => Value::Laid(laid),
        })
    }
}

/// The size of each axis.
fn laid_sizes(reader: &Reader<'_>, laid: &Laid) -> Vec<usize> {
    let shape = |layer: &LayerId| reader.layers[*layer].shape;
    let first = laid.layers.first().map_or(Shape { height: 0, width: 0, channels: 0 }, shape);
    let pixels = laid.layers.iter().map(shape).map(|shape| shape.height * shape.width).sum();
    let size = |axis: &Axis| match *axis {
        Axis::One => 1,
        Axis::Pixels => pixels,
        Axis::Down => first.height,
        Axis::Across => first.width,
        Axis::Channels => first.channels,
        Axis::Groups(count) | Axis::InGroup(count) => count,
    };
    laid.axes.iter().map(size).collect()
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

fn floats(tensor: &Tensor) -> Result<Vec<f32>, Option<Unknown>> {
    let view = tensor.to_plain_array_view::<f32>().map_err(|_| None)?;
    Ok(view.iter().copied().collect())
}
