//! Doing one chunk of one phase: from views to pointers, from steps to kernels.
//!
//! Several threads do this at the same time on one arena. They do not meet: a chunk writes only its own rows of what its
//! phase gives, and reads rows that earlier phases gave or that it has written itself. The plan sees to it that nothing
//! else lies where a phase writes ([`super::plan`]), and a phase begins when all chunks of the one before are done.
#![allow(
    unsafe_code,
    reason = "values are reached through the arena's address, by several threads, row by row"
)]

mod patch;
mod values;

use std::ops::Range;
use std::sync::Mutex;

use super::graph::{Shape, Window};
use super::kernels::{Activation, Block, Distributions, Filter, Line, Row};
use super::plan::Plan;
use super::step::{Demand, Part, Phase, Place, Source, Step, View};
use super::subgraph::SubgraphSession;
use patch::Patch;

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
    /// Where it begins in the input.
    pub(super) left: usize,
    pub(super) top: usize,
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
    /// The state of each of the plan's subgraphs.
    pub(super) subgraphs: &'a [Mutex<SubgraphSession>],
    /// Set where tract failed.
    pub(super) error: &'a Mutex<Option<String>>,
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
                Step::Mul { a, b, to } => self.each_pixel(to, &[a, b], |to, from| {
                    for ((to, a), b) in to.iter_mut().zip(from[0]).zip(from[1]) {
                        *to = a * b;
                    }
                }),
                Step::Sum { from, to } => self.sum(from, to),
                Step::MeanOfDistribution { from, weights, demand, to } => {
                    self.find_runs(demand.as_ref(), self.rows.clone(), to.shape.width);
                    for index in 0..self.runs.len() {
                        let Run { y, begin, end } = self.runs[index];
                        let (input, output) = (self.row(from, y), self.row(to, y));
                        self.plan.kernels.means(&Distributions {
                            input: input.add(begin * from.step),
                            input_step: from.step,
                            groups: to.shape.channels,
                            values: weights,
                            output: output.add(begin * to.step),
                            output_step: to.step,
                            pixels: end - begin,
                        });
                    }
                }
                Step::Largest { from, to } => self.largest(from, to),
                Step::Activate { from, activation, to } => self.activate(from, *activation, to),
                Step::Subgraph { index, layers, others, .. } => self.subgraph(*index, layers, others),
                Step::Take { index, output, to } => self.take(*index, *output, to),
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
            (Source::Padded(_) | Source::Picture(_), _) => (rows.len(), 0),
        };
        // SAFETY: the plan sees to it that the rows of a demand are done before those that need them.
        unsafe { self.find_runs(demand, begin..begin + lines, line.pixels) };
        if self.runs.is_empty() {
            return;
        }
        let line_step = match source {
            Source::Pixels(_) => line_step,
            Source::Padded(View { shape, .. }) | Source::Picture(shape) => {
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
                window.stride.0 * patch.row
            }
        };
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
}
