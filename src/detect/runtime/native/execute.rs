//! Doing one chunk of one phase: from views to pointers, from steps to kernels.
//!
//! Several threads do this at the same time on one arena. They do not meet: a chunk writes only its own rows of what its
//! phase gives, and reads rows that earlier phases gave or that it has written itself. The plan sees to it that nothing
//! else lies where a phase writes ([`super::plan`]), and a phase begins when all chunks of the one before are done.
#![allow(
    unsafe_code,
    reason = "values are reached through the arena's address, by several threads, row by row"
)]

use std::ops::Range;

use super::graph::{Shape, Window};
use super::kernels::{Activation, Block, Filter, Line, Row};
use super::plan::Plan;
use super::step::{Demand, Part, Phase, Place, Source, Step, View};

/// The fewest pixels that are worth a call of a kernel.
const SHORTEST: usize = 6;

/// Part of a row: the pixels from `begin` on, up to before `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    y: usize,
    begin: usize,
    end: usize,
}

/// Joins those from the one with number `first` on, all of one row, that touch or nearly do.
fn join(runs: &mut Vec<Run>, first: usize) {
    runs[first..].sort_unstable_by_key(|run| run.begin);
    let mut last = first;
    for next in first..runs.len() {
        if runs[next].begin <= runs[last].end + SHORTEST / 2 {
            runs[last].end = runs[last].end.max(runs[next].end);
        } else {
            last += 1;
            runs[last] = runs[next];
        }
    }
    runs.truncate(if first < runs.len() { last + 1 } else { first });
}

/// The picture that the network sees: 8-bit RGB, no larger than the input.
#[derive(Debug, Clone, Default)]
pub(super) struct Pixels {
    pub(super) rgb: Vec<u8>,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Floats of scratch that one thread needs for chunks of `rows` rows of a phase.
pub(super) fn scratch_for(phase: &Phase, rows: usize) -> usize {
    let patch = phase.steps.iter().map(|step| patch_for(step, rows)).max().unwrap_or(0);
    (phase.scratch * rows).saturating_add(patch)
}

/// Floats of the copy that a convolution makes of what lies under its kernel.
fn patch_for(step: &Step, rows: usize) -> usize {
    match step {
        Step::Conv {
            source: Source::Padded(View { shape, .. }) | Source::Picture(shape),
            window,
            to,
            ..
        } => Patch::new(window, shape.channels, to.shape.width, rows).len(),
        _ => 0,
    }
}

/// The size of such a copy.
#[derive(Debug, Clone, Copy)]
struct Patch {
    height: usize,
    /// Floats a row.
    row: usize,
}

impl Patch {
    fn new(window: &Window, channels: usize, width: usize, rows: usize) -> Self {
        let side = |outputs: usize, stride: usize, kernel: usize| (outputs - 1) * stride + kernel;
        Self {
            height: side(rows, window.stride.0, window.kernel.0),
            row: side(width, window.stride.1, window.kernel.1) * channels,
        }
    }

    fn len(&self) -> usize {
        self.height.saturating_mul(self.row)
    }
}

/// One chunk, with the memory it works in.
pub(super) struct Chunk<'a> {
    pub(super) plan: &'a Plan,
    pub(super) phase: &'a Phase,
    /// The rows to be done.
    pub(super) rows: Range<usize>,
    /// Rows of the largest chunk of the phase.
    pub(super) full: usize,
    pub(super) picture: &'a Pixels,
    /// The first float of the arena.
    pub(super) arena: *mut f32,
    /// What a step is needed for: scores from here on.
    pub(super) threshold: f32,
    /// Scratch of this thread, at least [`scratch_for`] this phase.
    pub(super) scratch: *mut f32,
    /// Likewise, for parts of rows.
    pub(super) runs: &'a mut Vec<Run>,
}

impl Chunk<'_> {
    /// Does all steps.
    ///
    /// # Safety
    /// `arena` must be good for `plan.arena` floats and `scratch` for [`scratch_for`] the phase; all earlier phases must be done; no other thread may be at the same
    /// chunk, and all others at the same phase.
    pub(super) unsafe fn run(&mut self) {
        let phase = self.phase;
        for step in &phase.steps {
            // SAFETY: as the caller says.
            unsafe { self.step(step) };
        }
    }

    /// Does one step.
    ///
    /// # Safety
    /// As [`Chunk::run`]; all earlier steps of the phase must be done for this chunk.
    pub(super) unsafe fn step(&mut self, step: &Step) {
        // SAFETY: the plan has placed every view in the arena or in scratch with room for all its pixels, with
        // different views that are in use at the same time apart; rows are within the views' heights.
        unsafe {
            match step {
                Step::Conv { source, window, parts, activation, add, demand, to } => {
                    self.conv(source, window, (parts, *activation), add.as_ref(), demand.as_ref(), to);
                }
                Step::Depthwise { from, window, weights, bias, activation, demand, to } => {
                    let all = self.plan.weights.as_slice();
                    let filter = Filter {
                        weights: &all[weights.clone()],
                        bias: &all[bias.clone()],
                        weight_step: bias.len(),
                        activation: *activation,
                    };
                    self.find_runs(demand.as_ref(), self.rows.clone(), to.shape.width);
                    for index in 0..self.runs.len() {
                        let Run { y, begin, end } = self.runs[index];
                        let row = self.window_row(from, window, to, y);
                        self.plan.kernels.depthwise(&Row { columns: (begin, end), ..row }, &filter);
                    }
                }
                Step::MaxPool { from, window, to } => {
                    for y in self.rows.clone() {
                        self.plan.kernels.max_pool(&self.window_row(from, window, to, y));
                    }
                }
                Step::Upsample { from, factor, to } => self.upsample(from, *factor, to),
                Step::Copy { from, to } => {
                    self.each_pixel(to, &[from], |to, from| to.copy_from_slice(from[0]))
                }
                Step::Add { a, b, to } => self.each_pixel(to, &[a, b], |to, from| {
                    for ((to, a), b) in to.iter_mut().zip(from[0]).zip(from[1]) {
                        *to = a + b;
                    }
                }),
                Step::Activate { from, activation, to } => self.activate(from, *activation, to),
            }
        }
    }

    /// The first value of row `y` of a view.
    ///
    /// # Safety
    /// The row must be in the view; in scratch it must be one of this chunk's.
    unsafe fn row(&mut self, view: &View, y: usize) -> *mut f32 {
        let (place, offset, y) = match view.place {
            Place::Arena => (self.arena, view.offset, y),
            Place::Local => (self.scratch, view.offset * self.full, y - self.rows.start),
        };
        // SAFETY: within the place, as the plan has laid it out.
        unsafe { place.add(offset + view.channel + y * view.shape.width * view.step) }
    }

    unsafe fn window_row(&mut self, from: &View, window: &Window, to: &View, y: usize) -> Row {
        let row_step = from.shape.width * from.step;
        let top = y * window.stride.0;
        // A row that is there; from it to the first one under the kernel, which may lie above the picture and is then
        // pointed at but not read.
        let there = top.saturating_sub(window.pad.0).min(from.shape.height - 1);
        // SAFETY: the row is in the view, and in scratch it is this chunk's: there nothing looks at other rows.
        let first = unsafe { self.row(from, there) }
            .wrapping_add(top * row_step)
            .wrapping_sub((there + window.pad.0) * row_step);
        Row {
            input: first,
            row_step,
            input_step: from.step,
            input_width: from.shape.width,
            first_row: window.pad.0.saturating_sub(top).min(window.kernel.0),
            end_row: (from.shape.height + window.pad.0).saturating_sub(top).min(window.kernel.0),
            kernel: window.kernel,
            stride: window.stride.1,
            pad_left: window.pad.1,
            channels: to.shape.channels,
            // SAFETY: row `y` is in the view.
            output: unsafe { self.row(to, y) },
            output_step: to.step,
            columns: (0, to.shape.width),
        }
    }

    unsafe fn conv(
        &mut self,
        source: &Source,
        window: &Window,
        (parts, activation): (&[Part], Activation),
        add: Option<&View>,
        demand: Option<&Demand>,
        to: &View,
    ) {
        let rows = self.rows.clone();
        let (begin, width) = (rows.start, to.shape.width);
        // SAFETY: the chunk's rows are in all views.
        let (output, add_from) =
            unsafe { (self.row(to, begin), add.map_or(std::ptr::null_mut(), |add| self.row(add, begin))) };
        let add_step = add.map_or(0, |add| add.step);
        let mut line = Line {
            input: std::ptr::null(),
            input_step: 0,
            runs: window.kernel.0,
            run_step: 0,
            run: 0,
            pixels: width,
            output,
            output_step: to.step,
            add: add_from,
            add_step,
        };
        let (lines, line_step) = match (source, demand) {
            // Row follows row, so that all rows are one line, where they are needed as a whole.
            (Source::Pixels(from), None) => {
                // SAFETY: the chunk's rows are in the view.
                line.input = unsafe { self.row(from, begin) };
                (line.input_step, line.run, line.pixels) =
                    (from.step, from.shape.channels, width * rows.len());
                (1, 0)
            }
            (Source::Pixels(from), Some(_)) => {
                // SAFETY: the chunk's rows are in the view.
                line.input = unsafe { self.row(from, begin) };
                (line.input_step, line.run) = (from.step, from.shape.channels);
                (rows.len(), width * from.step)
            }
            (Source::Padded(View { shape, .. }) | Source::Picture(shape), _) => {
                let patch = Patch::new(window, shape.channels, width, rows.len());
                let at = self.phase.scratch * self.full;
                match source {
                    // SAFETY: scratch has room for the patch behind the phase's own values.
                    Source::Picture(_) => unsafe { self.lay_out_picture(at, patch, window) },
                    // SAFETY: likewise, and the rows under the kernel are done.
                    Source::Padded(from) | Source::Pixels(from) => unsafe {
                        self.lay_out(at, patch, from, window);
                    },
                }
                line.input = self.scratch.wrapping_add(at).cast_const();
                line.input_step = window.stride.1 * shape.channels;
                line.run_step = patch.row;
                line.run = window.kernel.1 * shape.channels;
                (rows.len(), window.stride.0 * patch.row)
            }
        };
        // SAFETY: the plan sees to it that the rows of a demand are done before those that need them.
        unsafe { self.find_runs(demand, begin..begin + lines, line.pixels) };
        let all = self.plan.weights.as_slice();
        // All rows with one part's weights, then the next part: weights are more than a row's pixels.
        for part in parts {
            let block = Block {
                weights: &all[part.weights.clone()],
                bias: &all[part.bias.clone()],
                vectors: part.vectors,
                channels: part.channels,
                activation,
            };
            for run in self.runs.iter() {
                let row = run.y - begin;
                let pixel = row * width + run.begin;
                let add = if line.add.is_null() { 0 } else { pixel * add_step + part.first };
                // SAFETY: the runs of all pixels lie in the view or in the patch, the outputs in their view.
                unsafe {
                    let line = Line {
                        input: line.input.add(row * line_step + run.begin * line.input_step),
                        pixels: run.end - run.begin,
                        output: line.output.add(pixel * line.output_step + part.first),
                        add: line.add.wrapping_add(add),
                        ..line
                    };
                    self.plan.kernels.conv(&line, &block);
                }
            }
        }
    }

    /// Puts into `runs` the parts of rows that are needed; without a demand, all `width` pixels of each. Parts that nearly
    /// touch are joined, and short ones made longer: a kernel does some pixels at once as quickly as one.
    ///
    /// # Safety
    /// As [`Chunk::run`]; the rows of the demand within its radius of `rows` must be done.
    unsafe fn find_runs(&mut self, demand: Option<&Demand>, rows: Range<usize>, width: usize) {
        self.runs.clear();
        let Some(&Demand { by, radius }) = demand else {
            self.runs.extend(rows.map(|y| Run { y, begin: 0, end: width }));
            return;
        };
        let Shape { height, width, .. } = by.shape;
        for y in rows {
            let first = self.runs.len();
            for around in y.saturating_sub(radius)..(y + radius + 1).min(height) {
                // SAFETY: the row is in the view, and done, as the caller promises.
                let row = unsafe { self.row(&by, around) };
                for x in 0..width {
                    // SAFETY: a row has a value at every pixel.
                    let value = unsafe { *row.add(x * by.step) };
                    if value >= self.threshold {
                        let begin = x.saturating_sub(radius).min(width.saturating_sub(SHORTEST));
                        let end = (x + radius + 1).max(begin + SHORTEST).min(width);
                        self.runs.push(Run { y, begin, end });
                    }
                }
            }
            join(self.runs, first);
        }
    }

    /// Copies the rows under the kernel into scratch from `at` on, with zeros where there is no picture.
    unsafe fn lay_out(&mut self, at: usize, patch: Patch, from: &View, window: &Window) {
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
    /// zeros where there is no input.
    unsafe fn lay_out_picture(&mut self, at: usize, patch: Patch, window: &Window) {
        let (input, picture) = (self.plan.input, self.picture);
        let channels = input.channels;
        let width = input.width.min(patch.row / channels - window.pad.1);
        let seen = picture.width.min(width);
        let row_bytes = picture.width * channels;
        for y in 0..patch.height {
            let row = (self.rows.start * window.stride.0 + y).checked_sub(window.pad.0);
            // SAFETY: scratch has room for the patch, which nobody else looks at now.
            let target =
                unsafe { std::slice::from_raw_parts_mut(self.scratch.add(at + y * patch.row), patch.row) };
            let Some(row) = row.filter(|row| *row < input.height) else {
                target.fill(0.0);
                continue;
            };
            let (left, rest) = target.split_at_mut(window.pad.1 * channels);
            let (inner, right) = rest.split_at_mut(width * channels);
            left.fill(0.0);
            right.fill(0.0);
            let seen = if row < picture.height { seen * channels } else { 0 };
            if seen > 0 {
                self.plan.kernels.widen(&picture.rgb[row * row_bytes..][..seen], &mut inner[..seen]);
            }
            inner[seen..].fill(f32::from(self.plan.fill));
        }
    }

    unsafe fn upsample(&mut self, from: &View, factor: usize, to: &View) {
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

    unsafe fn activate(&mut self, from: &View, activation: Activation, to: &View) {
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

    /// Calls `each(output, inputs)` with the channels of each pixel.
    unsafe fn each_pixel<const N: usize>(
        &mut self,
        to: &View,
        from: &[&View; N],
        each: impl Fn(&mut [f32], [&[f32]; N]),
    ) {
        let channels = to.shape.channels;
        for y in self.rows.clone() {
            // SAFETY: row `y` is in all views, and the output is apart from the inputs.
            unsafe {
                let (target, sources) = (self.row(to, y), from.map(|view| (self.row(view, y), view.step)));
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
