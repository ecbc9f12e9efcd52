//! A plain reading of what each layer of a graph means, without regard to speed.

use super::*;

/// A picture of values, pixel by pixel, in twice the precision.
pub(super) type Values = Vec<f64>;

/// What each layer of a graph means, without regard to speed.
pub(super) fn interpret(graph: &Graph, pixels: &Pixels) -> Values {
    let mut results: Vec<Values> = Vec::new();
    for layer in &graph.layers {
        let from = |index: usize| (&graph.layers[layer.inputs[index]].shape, &results[layer.inputs[index]]);
        let Shape { height, width, channels } = layer.shape;
        let mut values = vec![0.0; height * width * channels];
        for (at, value) in values.iter_mut().enumerate() {
            let (y, x, c) = (at / channels / width, at / channels % width, at % channels);
            *value = match &layer.op {
                Op::Input => {
                    let (factor, offset) = graph.levels[c];
                    picture_value(pixels, y, x, c) * f64::from(factor) + f64::from(offset)
                }
                Op::Focus { stride, parts } => {
                    let (shape, input) = from(0);
                    let (part, c) = (parts[c / shape.channels], c % shape.channels);
                    let (y, x) = (y * stride + part.0, x * stride + part.1);
                    input[(y * shape.width + x) * shape.channels + c]
                }
                Op::Conv(conv) => {
                    let sum = convolve(conv, from(0), y, x, c);
                    let sum = activate(conv.activation, sum);
                    if layer.inputs.len() > 1 { sum + from(1).1[at] } else { sum }
                }
                Op::MaxPool(window) => under(window, from(0).0, y, x)
                    .map(|(_, pixel)| from(0).1[pixel * channels + c])
                    .fold(f64::NEG_INFINITY, f64::max),
                Op::Upsample { factor } => {
                    let (shape, input) = from(0);
                    input[(y / factor * shape.width + x / factor) * channels + c]
                }
                Op::Concat => {
                    let mut c = c;
                    let mut inputs = 0..layer.inputs.len();
                    loop {
                        let (shape, input) = from(inputs.next().expect("an input with this channel"));
                        if c < shape.channels {
                            break input[(y * width + x) * shape.channels + c];
                        }
                        c -= shape.channels;
                    }
                }
                Op::Slice { first } => from(0).1[(y * width + x) * from(0).0.channels + first + c],
                Op::Add => from(0).1[at] + from(1).1[at],
                Op::Mul => {
                    let one = (from(1).0.height, from(1).0.width) == (1, 1);
                    from(0).1[at] * from(1).1[if one { c } else { at }]
                }
                Op::Sum => from(0).1.iter().skip(c).step_by(channels).sum(),
                Op::MeanOfDistribution { weights } => {
                    let group = &from(0).1[(y * width + x) * from(0).0.channels + c * weights.len()..]
                        [..weights.len()];
                    let powers = group.iter().map(|logit| logit.exp());
                    let sum: f64 = powers.clone().sum();
                    powers.zip(weights).map(|(power, &weight)| power * f64::from(weight)).sum::<f64>() / sum
                }
                Op::Largest => {
                    let values = &from(0).1[(y * width + x) * from(0).0.channels..][..from(0).0.channels];
                    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                }
                Op::Subgraph(_) | Op::Take { .. } => unreachable!("no random network has subgraphs"),
                Op::Activate(activation) => activate(*activation, from(0).1[at]),
            };
        }
        results.push(values);
    }
    graph.output_layers().flat_map(|output| results[output].clone()).collect()
}

fn picture_value(pixels: &Pixels, y: usize, x: usize, c: usize) -> f64 {
    let inside = (y.checked_sub(pixels.top), x.checked_sub(pixels.left));
    // Blue first, where the picture has red first.
    f64::from(match inside {
        (Some(y), Some(x)) if y < pixels.height && x < pixels.width => {
            pixels.rgb[(y * pixels.width + x) * 3 + 2 - c]
        }
        _ => SEEN.fill,
    })
}

/// The positions of a kernel that lie in the picture, each with the pixel that is there.
fn under<'a>(
    window: &'a Window,
    shape: &'a Shape,
    y: usize,
    x: usize,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    (0..window.kernel.0 * window.kernel.1).filter_map(move |position| {
        let (ky, kx) = (position / window.kernel.1, position % window.kernel.1);
        let row = (y * window.stride.0 + ky).checked_sub(window.pad.0).filter(|row| *row < shape.height)?;
        let column = (x * window.stride.1 + kx).checked_sub(window.pad.1).filter(|c| *c < shape.width)?;
        Some((position, row * shape.width + column))
    })
}

fn convolve(conv: &Conv, (shape, input): (&Shape, &Values), y: usize, x: usize, output: usize) -> f64 {
    let per_pixel = if conv.depthwise { 1 } else { shape.channels };
    let positions = conv.window.kernel.0 * conv.window.kernel.1;
    let mut sum = f64::from(conv.bias[output]);
    for (position, pixel) in under(&conv.window, shape, y, x) {
        for c in 0..per_pixel {
            let weight = conv.weights[(output * positions + position) * per_pixel + c];
            let channel = if conv.depthwise { output } else { c };
            sum += f64::from(weight) * input[pixel * shape.channels + channel];
        }
    }
    sum
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Leaky(slope) => {
            if x > 0.0 {
                x
            } else {
                f64::from(slope) * x
            }
        }
        Activation::Clip(low, high) => x.max(f64::from(low)).min(f64::from(high)),
    }
}
