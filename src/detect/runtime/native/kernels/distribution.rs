//! The mean of a distribution: distances of a box's sides as networks give them since "Generalized Focal Loss" (Li et al. 2020,
//! arXiv:2006.04388). A group of channels holds a logit for each of the values that a side may have; a softmax makes
//! probabilities of them.

use super::activation::exp;
use super::lanes::{Lanes, load_up_to, store_up_to};

/// The most values that a distribution may be over.
pub(in crate::detect::runtime::native) const MOST_VALUES: usize = 64;

/// Pixels of one row, each with some distributions one behind the other.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect::runtime::native) struct Distributions<'a> {
    /// The first logit of pixel 0.
    pub(in crate::detect::runtime::native) input: *const f32,
    /// From one pixel to the next, in floats.
    pub(in crate::detect::runtime::native) input_step: usize,
    /// Distributions a pixel.
    pub(in crate::detect::runtime::native) groups: usize,
    /// What each logit stands for; no more than [`MOST_VALUES`].
    pub(in crate::detect::runtime::native) values: &'a [f32],
    /// The first mean of pixel 0.
    pub(in crate::detect::runtime::native) output: *mut f32,
    /// From one pixel to the next, in floats.
    pub(in crate::detect::runtime::native) output_step: usize,
    /// How many pixels.
    pub(in crate::detect::runtime::native) pixels: usize,
}

/// Computes the means of all distributions of a row.
///
/// # Safety
/// The processor must have the instruction set of `L`. `groups · values.len()` floats must be readable at each pixel, and
/// `groups` writable; there are no more values than [`MOST_VALUES`].
#[inline(always)]
pub(super) unsafe fn means<L: Lanes>(row: &Distributions<'_>) {
    let count = row.values.len().min(MOST_VALUES);
    for pixel in 0..row.pixels {
        for group in 0..row.groups {
            // SAFETY: as the caller promises; the powers have room for as many vectors as hold the values.
            unsafe {
                let logits = row.input.add(pixel * row.input_step + group * row.values.len());
                let mut largest = f32::NEG_INFINITY;
                for at in 0..count {
                    largest = largest.max(*logits.add(at));
                }
                let mut powers = [0.0_f32; MOST_VALUES];
                let mut at = 0;
                while at < count {
                    let room = count - at;
                    // Relative to the largest, so that no power overflows.
                    let below = load_up_to::<L>(logits.add(at), room).add(L::splat(-largest));
                    store_up_to(exp(below), powers.as_mut_ptr().add(at), room);
                    at += L::N;
                }
                let (mut sum, mut mean) = (0.0, 0.0);
                for (power, value) in powers.iter().zip(row.values) {
                    sum += power;
                    mean += power * value;
                }
                *row.output.add(pixel * row.output_step + group) = mean / sum;
            }
        }
    }
}
