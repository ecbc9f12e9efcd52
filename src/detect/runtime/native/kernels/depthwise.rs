//! Convolution of each channel by itself, and the largest value under a window: one output row at a time.
//!
//! Neighbouring channels are the lanes of a vector. For a 3×3 kernel the nine weights of a vector of channels stay in
//! registers along the whole row; several output pixels are computed at once, so that each input is loaded once for all
//! the outputs it belongs to. Pixels at the edges, and kernels of other sizes, take the slow path, which looks at each
//! position of the kernel by itself.

use super::activation::Activation;
use super::lanes::{Lanes, load_up_to, store_up_to};

/// One output row.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect::runtime::native) struct Row {
    /// The first input row under the kernel, as if the picture went on above; at column 0, channel 0.
    pub(in crate::detect::runtime::native) input: *const f32,
    /// From one input row to the next.
    pub(in crate::detect::runtime::native) row_step: usize,
    /// From one input pixel to the next.
    pub(in crate::detect::runtime::native) input_step: usize,
    /// Input pixels a row.
    pub(in crate::detect::runtime::native) input_width: usize,
    /// The rows of the kernel that lie in the picture: from this one on …
    pub(in crate::detect::runtime::native) first_row: usize,
    /// … and up to before this one.
    pub(in crate::detect::runtime::native) end_row: usize,
    /// Kernel height and width.
    pub(in crate::detect::runtime::native) kernel: (usize, usize),
    /// Input pixels from one output pixel to the next.
    pub(in crate::detect::runtime::native) stride: usize,
    /// Columns that are missing on the left of the picture.
    pub(in crate::detect::runtime::native) pad_left: usize,
    /// Channels.
    pub(in crate::detect::runtime::native) channels: usize,
    /// Output pixel 0, channel 0.
    pub(in crate::detect::runtime::native) output: *mut f32,
    /// From one output pixel to the next.
    pub(in crate::detect::runtime::native) output_step: usize,
    /// The output pixels to be computed: from this one on and up to before that.
    pub(in crate::detect::runtime::native) columns: (usize, usize),
}

/// The weights of a depthwise convolution.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect::runtime::native) struct Filter<'a> {
    /// For each position of the kernel one weight a channel, `weight_step` floats apart.
    pub(in crate::detect::runtime::native) weights: &'a [f32],
    /// One value a channel.
    pub(in crate::detect::runtime::native) bias: &'a [f32],
    /// From the weights of one position to those of the next: the channels, filled up to whole vectors.
    pub(in crate::detect::runtime::native) weight_step: usize,
    /// What is done to each sum.
    pub(in crate::detect::runtime::native) activation: Activation,
}

/// Computes one row of a depthwise convolution; `T` pixels at once where the kernel is 3×3 and lies in the picture.
///
/// # Safety
/// The processor must have the instruction set of `L`. The kernel's rows from `first_row` to `end_row` must be readable
/// over `input_width` pixels, the output's `columns` writable, each `channels` floats; output and input must not overlap.
/// The filter must have weights for the whole kernel, filled up to whole vectors of `L`.
#[inline(always)]
pub(super) unsafe fn row<L: Lanes, const T: usize>(row: &Row, filter: &Filter<'_>) {
    // SAFETY: as the caller promises.
    unsafe {
        debug_assert!(filter.weight_step.is_multiple_of(L::N) && filter.weight_step >= row.channels);
        debug_assert!(filter.weights.len() == row.kernel.0 * row.kernel.1 * filter.weight_step);
        debug_assert!(filter.bias.len() == filter.weight_step);
        // The output pixels whose kernel lies wholly between the left and the right edge.
        let (begin, end) = row.columns;
        let inner = row.pad_left.div_ceil(row.stride).clamp(begin, end);
        let reach = (row.input_width + row.pad_left).checked_sub(row.kernel.1);
        let inner_end = reach.map_or(inner, |reach| (reach / row.stride + 1).clamp(inner, end));
        let fast = row.kernel == (3, 3) && row.stride <= 2 && inner_end - inner >= T;
        let mut channel = 0;
        while channel < row.channels {
            let whole = row.channels - channel >= L::N;
            if !(fast && whole) {
                edge::<L>(row, filter, channel, begin, end);
            } else {
                edge::<L>(row, filter, channel, begin, inner);
                let mut x = inner;
                loop {
                    match row.stride {
                        1 => three::<L, T, 1>(row, filter, channel, x),
                        _ => three::<L, T, 2>(row, filter, channel, x),
                    }
                    if x + T >= inner_end {
                        break;
                    }
                    x = (x + T).min(inner_end - T);
                }
                edge::<L>(row, filter, channel, inner_end, end);
            }
            channel += L::N;
        }
    }
}

/// `T` pixels of a 3×3 kernel from column `x` on, for a whole vector of channels; none of them at the left or right edge.
///
/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn three<L: Lanes, const T: usize, const S: usize>(
    row: &Row,
    filter: &Filter<'_>,
    channel: usize,
    x: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [L::load(filter.bias.as_ptr().add(channel)); T];
        let left = x * S - row.pad_left;
        for ky in row.first_row..row.end_row {
            let input = row.input.wrapping_add(ky * row.row_step + left * row.input_step + channel);
            let weights = filter.weights.as_ptr().add(ky * 3 * filter.weight_step + channel);
            let weights = [
                L::load(weights),
                L::load(weights.add(filter.weight_step)),
                L::load(weights.add(2 * filter.weight_step)),
            ];
            for column in 0..(T - 1) * S + 3 {
                let value = L::load(input.add(column * row.input_step));
                for t in 0..T {
                    if t * S <= column && column < t * S + 3 {
                        sums[t] = value.mul_add(weights[column - t * S], sums[t]);
                    }
                }
            }
        }
        // As in the other convolution: the sums themselves stay in registers.
        let mut results = [[L::splat(0.0); 1]; T];
        for t in 0..T {
            results[t][0] = sums[t];
        }
        filter.activation.apply_all(&mut results);
        for (t, sum) in results.iter().enumerate() {
            sum[0].store(row.output.add((x + t) * row.output_step + channel));
        }
    }
}

/// Pixels from `x` to `end` for up to one vector of channels, each position of the kernel by itself.
///
/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn edge<L: Lanes>(row: &Row, filter: &Filter<'_>, channel: usize, x: usize, end: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        let room = row.channels - channel;
        for x in x..end {
            let mut sum = L::load(filter.bias.as_ptr().add(channel));
            each_position(row, x, |ky, kx, offset| {
                let weight = (ky * row.kernel.1 + kx) * filter.weight_step + channel;
                let weight = L::load(filter.weights.as_ptr().add(weight));
                sum = load_up_to::<L>(row.input.wrapping_add(offset + channel), room).mul_add(weight, sum);
            });
            let mut sums = [[sum]];
            filter.activation.apply_all(&mut sums);
            store_up_to(sums[0][0], row.output.add(x * row.output_step + channel), room);
        }
    }
}

/// Computes one row of the largest values under a window. Where the window holds no pixel at all: minus infinity.
///
/// # Safety
/// As [`row`], without a filter.
#[inline(always)]
pub(super) unsafe fn max_row<L: Lanes>(row: &Row) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut channel = 0;
        while channel < row.channels {
            let room = row.channels - channel;
            for x in row.columns.0..row.columns.1 {
                let mut most = L::splat(f32::NEG_INFINITY);
                each_position(row, x, |_, _, offset| {
                    most = load_up_to::<L>(row.input.wrapping_add(offset + channel), room).max(most);
                });
                store_up_to(most, row.output.add(x * row.output_step + channel), room);
            }
            channel += L::N;
        }
    }
}

/// Calls `at(kernel row, kernel column, offset of the input)` for each position of the kernel that lies in the picture.
#[inline(always)]
fn each_position(row: &Row, x: usize, mut at: impl FnMut(usize, usize, usize)) {
    let left = x * row.stride;
    for ky in row.first_row..row.end_row {
        for kx in 0..row.kernel.1 {
            if let Some(column) = (left + kx).checked_sub(row.pad_left).filter(|c| *c < row.input_width) {
                at(ky, kx, ky * row.row_step + column * row.input_step);
            }
        }
    }
}
