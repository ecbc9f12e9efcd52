//! Convolution over all channels, as a matrix product that gathers nothing.
//!
//! In a channels-last picture the values under one row of the kernel lie one behind the other: `kernel width × channels`
//! floats. A convolution is then, for each output pixel, a sum over a few such *runs*: one run for a 1×1 kernel, three
//! for a 3×3 kernel. A *tile* is `P` neighbouring output pixels by `V` vectors of output channels, held in registers:
//!
//! ```text
//! for each value k of the runs:          weights[k] is V vectors of the block, loaded once
//!     for each pixel p of the tile:      input[p][k] is one float, spread over a vector
//!         for each vector v:             sum[p][v] += input[p][k] · weights[k][v]
//! ```
//!
//! Per step that is `P + V` loads for `P · V` multiply-adds, so that the tile is chosen to fill the registers: `P · V`
//! sums, `V` weights and one input. The activation and what is added after it are applied before the sums are stored.

use super::activation::Activation;
use super::lanes::{Lanes, load_up_to, store_up_to};

/// Output pixels in a line: pixel `p` begins at `p` times the steps. All steps are in floats.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect::runtime::native) struct Line {
    /// The first value under the kernel at pixel 0.
    pub(in crate::detect::runtime::native) input: *const f32,
    /// From the input of a pixel to the input of the next.
    pub(in crate::detect::runtime::native) input_step: usize,
    /// How many runs a pixel has.
    pub(in crate::detect::runtime::native) runs: usize,
    /// From one run of a pixel to the next.
    pub(in crate::detect::runtime::native) run_step: usize,
    /// Values a run.
    pub(in crate::detect::runtime::native) run: usize,
    /// How many pixels.
    pub(in crate::detect::runtime::native) pixels: usize,
    /// The first output channel of pixel 0.
    pub(in crate::detect::runtime::native) output: *mut f32,
    /// From one output pixel to the next.
    pub(in crate::detect::runtime::native) output_step: usize,
    /// What is added to the result, the first channel at pixel 0; null: nothing.
    pub(in crate::detect::runtime::native) add: *const f32,
    /// From one pixel of that to the next.
    pub(in crate::detect::runtime::native) add_step: usize,
}

/// The weights of up to `V × N` output channels.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect::runtime::native) struct Block<'a> {
    /// For each value of the runs, one weight an output channel, filled up with 0 to `vectors × N`.
    pub(in crate::detect::runtime::native) weights: &'a [f32],
    /// One value an output channel, filled up likewise.
    pub(in crate::detect::runtime::native) bias: &'a [f32],
    /// How many vectors wide it is.
    pub(in crate::detect::runtime::native) vectors: usize,
    /// How many output channels there are.
    pub(in crate::detect::runtime::native) channels: usize,
    /// What is done to each sum.
    pub(in crate::detect::runtime::native) activation: Activation,
}

/// Computes a block's channels for all pixels of a line, in tiles of `P × V`.
///
/// # Safety
/// The processor must have the instruction set of `L`. Every run of every pixel must be readable, and `block.channels`
/// floats writable at each output pixel and readable at each pixel of `add`; the output must not overlap what is read.
/// `block.vectors` must be `V`.
#[inline(always)]
pub(super) unsafe fn line<L: Lanes, const P: usize, const V: usize>(line: &Line, block: &Block<'_>) {
    // SAFETY: as the caller promises.
    unsafe {
        debug_assert!(block.vectors == V && block.channels <= V * L::N && block.channels > (V - 1) * L::N);
        debug_assert!(block.weights.len() == line.runs * line.run * V * L::N && block.bias.len() == V * L::N);
        let mut pixel = 0;
        while pixel + P <= line.pixels {
            tile::<L, P, V>(line, block, pixel);
            pixel += P;
        }
        let rest = line.pixels - pixel;
        if rest == 0 {
            return;
        }
        if rest > 2 && line.pixels >= P {
            // A whole tile at the very end: some pixels are computed twice, and come out the same.
            tile::<L, P, V>(line, block, line.pixels - P);
            return;
        }
        while pixel < line.pixels {
            tile::<L, 1, V>(line, block, pixel);
            pixel += 1;
        }
    }
}

/// Computes `P` pixels from `first` on.
///
/// # Safety
/// As [`line`].
#[inline(always)]
unsafe fn tile<L: Lanes, const P: usize, const V: usize>(line: &Line, block: &Block<'_>, first: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [[L::splat(0.0); V]; P];
        for v in 0..V {
            let bias = L::load(block.bias.as_ptr().add(v * L::N));
            for sum in &mut sums {
                sum[v] = bias;
            }
        }
        let step = line.input_step;
        let base = line.input.add(first * step);
        let mut weights = block.weights.as_ptr();
        for run in 0..line.runs {
            let input = base.add(run * line.run_step);
            for k in 0..line.run {
                let mut row = [L::splat(0.0); V];
                for (v, vector) in row.iter_mut().enumerate() {
                    *vector = L::load(weights.add(v * L::N));
                }
                for (p, sum) in sums.iter_mut().enumerate() {
                    let value = L::splat(*input.add(k + p * step));
                    for v in 0..V {
                        sum[v] = value.mul_add(row[v], sum[v]);
                    }
                }
                weights = weights.add(V * L::N);
            }
        }
        // The sums stay in registers only while nothing asks for their address, which the loops below do.
        let mut results = [[L::splat(0.0); V]; P];
        for p in 0..P {
            for v in 0..V {
                results[p][v] = sums[p][v];
            }
        }
        block.activation.apply_all(&mut results);
        let last = block.channels - (V - 1) * L::N;
        for (p, sum) in results.iter().enumerate() {
            let to = line.output.add((first + p) * line.output_step);
            let add = line.add.wrapping_add((first + p) * line.add_step);
            for (v, &value) in sum.iter().enumerate() {
                let room = if v + 1 == V { last } else { L::N };
                let value = match line.add.is_null() {
                    true => value,
                    false => value.add(load_up_to(add.add(v * L::N), room)),
                };
                store_up_to(value, to.add(v * L::N), room);
            }
        }
    }
}
