//! Running a plan: one thread, or several that share the chunks of each phase.
//!
//! The threads go through the phases together; how they share the chunks of one and wait for each other is in
//! [`super::crew`].
#![allow(unsafe_code, reason = "the threads work on one arena")]

use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::crew::{Crew, Shares, wait_until};
use super::execute::{Chunk, Pixels, Run, scratch_for};
use super::memory::Floats;
use super::plan::Plan;
use super::step::Phase;
use crate::detect::runtime::{LayerTime, Session};

/// Bytes that a chunk should touch at the most: a good part of a core's second-level cache.
const CHUNK_BYTES: usize = 512 << 10;

/// The most floats of scratch that a thread may need.
const LARGEST_SCRATCH: usize = 1 << 28;

/// What all threads of a session share.
struct Board {
    plan: Arc<Plan>,
    /// Into how many chunks each phase is cut.
    chunks: Vec<usize>,
    /// Floats of scratch a thread.
    scratch: usize,
    memory: UnsafeCell<Memory>,
    /// The first float of the memory's arena.
    arena: *mut f32,
    /// By phase: who does which chunk.
    shares: Vec<Shares>,
    /// A thread has ended by a fault of its own; there is no result.
    failed: AtomicBool,
}

struct Memory {
    arena: Floats,
    picture: Pixels,
    /// Class scores are computed where the objectness is at least this.
    threshold: f32,
    /// How many rows of each phase are computed: all for the first picture of a height, then those that depend on it.
    heights: Vec<usize>,
    /// The height of the picture for which the other rows are there.
    still_for: Option<usize>,
}

/// What one thread needs for itself.
#[derive(Default)]
struct Scratch {
    floats: Floats,
    runs: Vec<Run>,
}

impl Scratch {
    fn new(floats: usize) -> Self {
        Self { floats: Floats::zeroed(floats), runs: Vec::new() }
    }
}

// Safety: `memory` is written as a whole only by the session, which is one thread and does so only between pictures, when
// no helper is at work (`Crew::call` returns when all have left). During a picture the threads reach the arena by its
// address alone, and each chunk is taken by one of them.
unsafe impl Sync for Board {}
// Safety: the arena belongs to the board and goes where it goes.
unsafe impl Send for Board {}

impl Board {
    /// As [`Board::work`]; a fault is noted, so that nobody waits for this thread, and for people it is an error.
    fn guarded_work(&self, thread: usize, scratch: &mut Scratch) {
        if catch_unwind(AssertUnwindSafe(|| self.work(thread, scratch))).is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    /// Goes through all phases with whoever else does; `thread` counts the threads from 0.
    fn work(&self, thread: usize, scratch: &mut Scratch) {
        // Safety: nobody writes to the picture while the threads are at work on it.
        let Memory { picture, threshold, heights, .. } = unsafe { &*self.memory.get() };
        for (index, phase) in self.plan.phases.iter().enumerate() {
            let shares = &self.shares[index];
            let mut done = 0;
            while let Some(taken) = shares.take(thread) {
                let rows = Phase::chunk(taken, self.chunks[index], heights[index]);
                done += 1;
                if rows.is_empty() {
                    continue;
                }
                let full = phase.most_rows(self.chunks[index]);
                let mut chunk = self.chunk(phase, (rows, full), (picture, *threshold), scratch);
                // Safety: the arena is as large as the plan says, the phases before are done, and this chunk is taken.
                unsafe { chunk.run() };
            }
            shares.finish(done);
            wait_until(|| shares.are_done() || self.failed.load(Ordering::Relaxed));
            if !shares.are_done() {
                return;
            }
        }
    }

    fn chunk<'a>(
        &'a self,
        phase: &'a Phase,
        (rows, full): (Range<usize>, usize),
        (picture, threshold): (&'a Pixels, f32),
        scratch: &'a mut Scratch,
    ) -> Chunk<'a> {
        Chunk {
            plan: &self.plan,
            phase,
            rows,
            full,
            picture,
            arena: self.arena,
            threshold,
            scratch: scratch.floats.as_mut_ptr(),
            runs: &mut scratch.runs,
        }
    }
}

/// Into how many chunks a phase is cut: small enough for the cache, and for several threads the same number for each.
fn chunks_of(phase: &Phase, threads: usize) -> usize {
    let row: usize =
        phase.steps.iter().map(|step| step.to().shape).map(|s| 2 * s.width * s.channels * 4).sum();
    let rows = (CHUNK_BYTES / row.max(1)).max(1);
    // As few as that allows: measured, a smaller chunk that an idle thread could take over costs more than it saves.
    (threads * phase.height.div_ceil(rows * threads)).clamp(1, phase.height.max(1))
}

/// A native plan with the memory it runs in.
pub(super) struct NativeSession {
    board: Arc<Board>,
    scratch: Scratch,
    crew: Option<Crew>,
}

impl NativeSession {
    pub(super) fn new(plan: Arc<Plan>, threads: usize) -> Result<Self, String> {
        let threads = threads.max(1);
        let chunks: Vec<usize> = plan.phases.iter().map(|phase| chunks_of(phase, threads)).collect();
        let scratch = plan
            .phases
            .iter()
            .zip(&chunks)
            .map(|(phase, &count)| scratch_for(phase, phase.most_rows(count)))
            .max()
            .unwrap_or(0);
        if scratch > LARGEST_SCRATCH {
            return Err("it needs more than a gigabyte for a few rows of one layer".to_owned());
        }
        let shares = chunks.iter().map(|&count| Shares::new(count, threads)).collect();
        let mut memory = Memory {
            arena: Floats::zeroed(plan.arena),
            picture: Pixels::default(),
            threshold: 0.0,
            heights: Vec::new(),
            still_for: None,
        };
        let arena = memory.arena.as_mut_ptr();
        let board = Arc::new(Board {
            shares,
            chunks,
            scratch,
            memory: UnsafeCell::new(memory),
            arena,
            failed: AtomicBool::new(false),
            plan,
        });
        let crew =
            if threads > 1 { Some(Crew::new(threads - 1, |number| helper(&board, number))?) } else { None };
        Ok(Self { scratch: Scratch::new(scratch), board, crew })
    }

    fn memory(&mut self) -> &mut Memory {
        // Safety: no helper is at work between pictures, and `self` is held exclusively.
        unsafe { &mut *self.board.memory.get() }
    }
}

impl Session for NativeSession {
    fn put(&mut self, rgb: &[u8], width: usize, height: usize) {
        let picture = &mut self.memory().picture;
        picture.rgb.clear();
        picture.rgb.extend_from_slice(rgb);
        (picture.width, picture.height) = (width, height);
    }

    fn run(&mut self, threshold: f32) -> Result<&[f32], String> {
        let plan = Arc::clone(&self.board.plan);
        let memory = self.memory();
        memory.threshold = threshold;
        let height = memory.picture.height;
        memory.heights = match memory.still_for == Some(height) {
            true => plan.moving_rows(height.max(1)),
            false => plan.phases.iter().map(|phase| phase.height).collect(),
        };
        memory.still_for = Some(height);
        self.board.shares.iter().for_each(Shares::reset);
        let (board, scratch) = (&self.board, &mut self.scratch);
        match &self.crew {
            Some(crew) => crew.call(|| board.guarded_work(0, scratch)),
            None => board.guarded_work(0, scratch),
        }
        if self.board.failed.load(Ordering::Relaxed) {
            return Err("a thread of the network failed by a fault of its own".to_owned());
        }
        let output = self.board.plan.output.clone();
        Ok(&self.memory().arena.as_slice()[output])
    }

    fn profile(&mut self) -> Option<Vec<LayerTime>> {
        let board = Arc::clone(&self.board);
        let picture = self.memory().picture.clone();
        // All rows are computed, for a picture of perhaps another height.
        self.memory().still_for = None;
        let mut layers = Vec::new();
        for (phase, &count) in board.plan.phases.iter().zip(&board.chunks) {
            let mut times = vec![Duration::ZERO; phase.steps.len()];
            for index in 0..count {
                let rows = Phase::chunk(index, count, phase.height);
                let mut chunk = board.chunk(
                    phase,
                    (rows, phase.most_rows(count)),
                    (&picture, f32::NEG_INFINITY),
                    &mut self.scratch,
                );
                for (step, time) in phase.steps.iter().zip(&mut times) {
                    let started = Instant::now();
                    // Safety: this is the only thread, and it does one chunk after the other.
                    unsafe { chunk.step(step) };
                    *time += started.elapsed();
                }
            }
            layers.extend(phase.steps.iter().zip(&phase.flops).zip(times).map(|((step, &flops), time)| {
                let shape = step.to().shape;
                LayerTime {
                    what: step.describe(),
                    shape: [shape.height, shape.width, shape.channels],
                    flops,
                    time,
                }
            }));
        }
        Some(layers)
    }
}

/// What a helper does for each picture.
fn helper(board: &Arc<Board>, number: usize) -> impl FnMut() + Send + 'static {
    let board = Arc::clone(board);
    let mut scratch = Scratch::new(board.scratch);
    move || board.guarded_work(number, &mut scratch)
}
