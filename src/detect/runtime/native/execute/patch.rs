//! The copy that a convolution makes of what lies under its kernel, with what stands around a picture.

use super::super::graph::Window;
use super::super::step::View;
use super::Chunk;

/// The size of such a copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) height: usize,
    /// Floats a row.
    pub(super) row: usize,
}

impl Patch {
    pub(super) fn new(window: &Window, channels: usize, width: usize, rows: usize) -> Self {
        let side = |outputs: usize, stride: usize, kernel: usize| (outputs - 1) * stride + kernel;
        Self {
            height: side(rows, window.stride.0, window.kernel.0),
            row: side(width, window.stride.1, window.kernel.1) * channels,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.height.saturating_mul(self.row)
    }
}

impl Chunk<'_> {
    /// Copies the rows under the kernel into scratch from `at` on, with zeros where there is no picture.
    pub(super) unsafe fn lay_out(&mut self, at: usize, patch: Patch, from: &View, window: &Window) {
        let channels = from.shape.channels;
        let width = from.shape.width.min(patch.row / channels - window.pad.1);
        for y in 0..patch.height {
            let row = (self.rows.start * window.stride.0 + y).checked_sub(window.pad.0);
            // SAFETY: the row is in the view.
            let source = row.filter(|row| *row < from.shape.height).map(|row| unsafe { self.row(from, row) });
            // SAFETY: scratch has room for the patch, which nobody else looks at now.
            let target =
                unsafe { std::slice::from_raw_parts_mut(self.scratch.add(at + y * patch.row), patch.row) };
            let Some(source) = source else {
                target.fill(0.0);
                continue;
            };
            let (left, rest) = target.split_at_mut(window.pad.1 * channels);
            let (inner, right) = rest.split_at_mut(width * channels);
            left.fill(0.0);
            right.fill(0.0);
            for (x, pixel) in inner.chunks_exact_mut(channels).enumerate() {
                // SAFETY: pixel `x` is in the row; nobody writes to it during this phase.
                pixel.copy_from_slice(unsafe {
                    std::slice::from_raw_parts(source.add(x * from.step), channels)
                });
            }
        }
    }

    /// Copies the rows of the picture under the kernel into scratch from `at` on: grey where the picture does not reach,
    /// and where there is no input the levels that stand for 0.
    pub(super) unsafe fn lay_out_picture(&mut self, at: usize, patch: Patch, window: &Window) {
        let (input, picture) = (self.plan.input, self.picture);
        let channels = input.channels;
        let width = input.width.min(patch.row / channels - window.pad.1);
        let begin = picture.left.min(width);
        let seen = picture.width.min(width - begin) * channels;
        let row_bytes = picture.width * channels;
        let pad = |values: &mut [f32]| {
            for pixel in values.chunks_exact_mut(channels) {
                pixel.copy_from_slice(&self.plan.pad[..channels]);
            }
        };
        for y in 0..patch.height {
            let row = (self.rows.start * window.stride.0 + y).checked_sub(window.pad.0);
            // SAFETY: scratch has room for the patch, which nobody else looks at now.
            let target =
                unsafe { std::slice::from_raw_parts_mut(self.scratch.add(at + y * patch.row), patch.row) };
            let Some(row) = row.filter(|row| *row < input.height) else {
                pad(target);
                continue;
            };
            let (left, rest) = target.split_at_mut(window.pad.1 * channels);
            let (inner, right) = rest.split_at_mut(width * channels);
            pad(left);
            pad(right);
            let fill = f32::from(self.plan.fill);
            let Some(row) = row.checked_sub(picture.top).filter(|row| *row < picture.height) else {
                inner.fill(fill);
                continue;
            };
            let (before, rest) = inner.split_at_mut(begin * channels);
            let (here, behind) = rest.split_at_mut(seen);
            before.fill(fill);
            self.plan.kernels.widen(&picture.rgb[row * row_bytes..][..seen], here);
            behind.fill(fill);
        }
    }
}
