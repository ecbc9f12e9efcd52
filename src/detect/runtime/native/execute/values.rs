//! Steps that move values or put them together, pixel by pixel, and those that pass them to tract and back.

use super::super::graph::{Shape, Window};
use super::super::kernels::{Activation, Filter};
use super::super::step::View;
use super::Chunk;
use crate::sync::lock;

/// Pixels that are turned at once: what they take of a large layer fits into the first-level cache.
const BLOCK: usize = 16;

impl Chunk<'_> {
    pub(super) unsafe fn upsample(&mut self, from: &View, factor: usize, to: &View) {
        let channels = to.shape.channels;
        for y in self.rows.clone() {
            // SAFETY: row `y` is in `to`, and the row it repeats in `from`; they are apart.
            unsafe {
                let (source, target) = (self.row(from, y / factor), self.row(to, y));
                for x in 0..to.shape.width {
                    std::ptr::copy_nonoverlapping(
                        source.add(x / factor * from.step),
                        target.add(x * to.step),
                        channels,
                    );
                }
            }
        }
    }

    pub(super) unsafe fn activate(&mut self, from: &View, activation: Activation, to: &View) {
        // A convolution that leaves each channel as it is: a row whose kernel is one pixel.
        let channels = to.shape.channels.next_multiple_of(self.plan.kernels.lanes);
        let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
        let filter = Filter { weights: &ones, bias: &zeros, weight_step: channels, activation };
        for y in self.rows.clone() {
            // SAFETY: row `y` is in both views.
            let row = unsafe { self.window_row(from, &Window::PIXEL, to, y) };
            // SAFETY: the filter is packed for these kernels, and the views are apart.
            unsafe { self.plan.kernels.depthwise(&row, &filter) };
        }
    }

    /// The first pixel of row `y` of a view, and how far it is to the next; of a single pixel, always that.
    ///
    /// # Safety
    /// As [`Chunk::row`].
    unsafe fn pixels(&mut self, view: &View, y: usize) -> (*mut f32, usize) {
        let (y, step) = if (view.shape.height, view.shape.width) == (1, 1) { (0, 0) } else { (y, view.step) };
        // SAFETY: as the caller promises.
        (unsafe { self.row(view, y) }, step)
    }

    pub(super) unsafe fn sum(&mut self, from: &View, to: &View) {
        let channels = to.shape.channels;
        // SAFETY: all rows of `from` are done, and the one of `to` is apart from them.
        unsafe {
            let sums = std::slice::from_raw_parts_mut(self.row(to, 0), channels);
            sums.fill(0.0);
            for y in 0..from.shape.height {
                let row = self.row(from, y).cast_const();
                for x in 0..from.shape.width {
                    let pixel = std::slice::from_raw_parts(row.add(x * from.step), channels);
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                }
            }
        }
    }

    pub(super) unsafe fn largest(&mut self, from: &View, to: &View) {
        for y in self.rows.clone() {
            // SAFETY: row `y` is in both views, which are apart.
            unsafe {
                let (source, target) = (self.row(from, y).cast_const(), self.row(to, y));
                for x in 0..to.shape.width {
                    let pixel = std::slice::from_raw_parts(source.add(x * from.step), from.shape.channels);
                    // Several at once, so that the loop becomes vectors.
                    let mut most = [f32::NEG_INFINITY; 8];
                    let chunks = pixel.chunks_exact(most.len());
                    let rest = chunks.remainder();
                    for chunk in chunks {
                        most.iter_mut().zip(chunk).for_each(|(most, &value)| {
                            *most = if value > *most { value } else { *most };
                        });
                    }
                    let largest = most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
                    *target.add(x * to.step) = largest;
                }
            }
        }
    }

    pub(super) unsafe fn subgraph(&mut self, index: usize, layers: &[View], others: &[usize]) {
        let (subgraphs, error) = (self.subgraphs, self.error);
        let fill = |(first, end): (usize, usize), rows: bool, values: &mut [f32]| {
            let mut begin = 0;
            for view in layers.get(first..end).unwrap_or_default() {
                let pixels = view.shape.height * view.shape.width;
                // SAFETY: the layer is done as a whole, in the arena.
                unsafe {
                    let from = self.row(view, 0).cast_const();
                    match rows {
                        true => {
                            let place = begin * view.shape.channels..(begin + pixels) * view.shape.channels;
                            to_rows(from, view.step, view.shape, &mut values[place]);
                        }
                        false => to_planes(from, view.step, view.shape, values, begin),
                    }
                }
                begin += pixels;
            }
        };
        let other =
            |number: usize, output| others.get(number).and_then(|&at| lock(&subgraphs[at]).output(output));
        if let Err(why) = lock(&subgraphs[index]).run(fill, other) {
            *lock(error) = Some(why);
        }
    }

    pub(super) unsafe fn take(&mut self, index: usize, output: usize, to: &View) {
        let subgraphs = self.subgraphs;
        let session = lock(&subgraphs[index]);
        let Shape { height, width, channels } = to.shape;
        let Some(planes) = session.floats(output).filter(|p| p.len() == height * width * channels) else {
            *lock(self.error) = Some("tract gave something else than it had said".to_owned());
            return;
        };
        let pixels = (self.rows.start * width, self.rows.end * width);
        // SAFETY: the rows are in the view.
        unsafe { from_planes(planes, to.shape, pixels, self.row(to, self.rows.start), to.step) };
    }

    /// Calls `each(output, inputs)` with the channels of each pixel.
    pub(super) unsafe fn each_pixel<const N: usize>(
        &mut self,
        to: &View,
        from: &[&View; N],
        each: impl Fn(&mut [f32], [&[f32]; N]),
    ) {
        let channels = to.shape.channels;
        for y in self.rows.clone() {
            // SAFETY: row `y` is in all views but in those of a single pixel, and the output is apart from the inputs.
            unsafe {
                let (target, sources) = (self.row(to, y), from.map(|view| self.pixels(view, y)));
                for x in 0..to.shape.width {
                    let inputs = sources.map(|(row, step)| {
                        std::slice::from_raw_parts(row.add(x * step).cast_const(), channels)
                    });
                    each(std::slice::from_raw_parts_mut(target.add(x * to.step), channels), inputs);
                }
            }
        }
    }
}

/// Copies pixels of `shape.channels` values, `step` apart, to one plane a channel, from its pixel `begin` on.
///
/// # Safety
/// Every pixel must be readable.
unsafe fn to_planes(from: *const f32, step: usize, shape: Shape, planes: &mut [f32], begin: usize) {
    let pixels = shape.height * shape.width;
    let plane = planes.len() / shape.channels.max(1);
    for first in (0..pixels).step_by(BLOCK) {
        let end = (first + BLOCK).min(pixels);
        for (channel, plane) in planes.chunks_exact_mut(plane.max(1)).enumerate() {
            for (pixel, value) in plane[begin + first..begin + end].iter_mut().enumerate() {
                // SAFETY: the pixel is one of the picture's.
                *value = unsafe { *from.add((first + pixel) * step + channel) };
            }
        }
    }
}

/// Copies pixels of `shape.channels` values, `step` apart, to rows without gaps.
///
/// # Safety
/// Every pixel must be readable.
unsafe fn to_rows(from: *const f32, step: usize, shape: Shape, rows: &mut [f32]) {
    for (pixel, row) in rows.chunks_exact_mut(shape.channels.max(1)).enumerate() {
        // SAFETY: the pixel is one of the picture's.
        row.copy_from_slice(unsafe { std::slice::from_raw_parts(from.add(pixel * step), shape.channels) });
    }
}

/// Copies rows of planes, one a channel, to pixels that are `step` apart.
///
/// # Safety
/// Every pixel from `first` to `end` must be writable; `to` is pixel `first`.
unsafe fn from_planes(planes: &[f32], shape: Shape, (first, end): (usize, usize), to: *mut f32, step: usize) {
    let pixels = shape.height * shape.width;
    debug_assert_eq!(planes.len(), pixels * shape.channels);
    for block in (first..end).step_by(BLOCK) {
        let block_end = (block + BLOCK).min(end);
        for (channel, plane) in planes.chunks_exact(pixels).enumerate() {
            for (pixel, value) in plane[block..block_end].iter().enumerate() {
                // SAFETY: the pixel is one of those asked for.
                unsafe { *to.add((block - first + pixel) * step + channel) = *value };
            }
        }
    }
}
