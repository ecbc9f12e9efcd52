//! Running a plan: one thread, or several that share the chunks of each phase.
//!
//! The threads go through the phases together; how they share the chunks of one and wait for each other is in
//! [`super::thread_team`].
#![allow(unsafe_code, reason = "the threads work on one arena")]

use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::execute::{Chunk, Pixels, Run, scratch_for};
use super::memory::Floats;
use super::plan::Plan;
use super::step::Phase;
use super::thread_team::{Shares, ThreadTeam, wait_until};
use crate::detect::model::ModelSpec;
use crate::detect::preprocess::Fitted;
use crate::detect::runtime::{LayerTime, Outputs, Session};

/// Bytes that a chunk should touch at the most: a good part of a core's second-level cache.
const CHUNK_BYTES: usize = 512 << 10;

/// The most floats of scratch that a thread may need.
const LARGEST_SCRATCH: usize = 1 << 28;

/// What all threads of a session share.
struct SharedState {
    plan: Arc<Plan>,
    /// Into how many chunks each phase is cut.
    chunks: Vec<usize>,
    /// Floats of scratch a thread.
    scratch: usize,
    memory: UnsafeCell<Memory>,
    /// The first float of the memory's arena.
    arena: *mut f32,
    /// By phase: which thread does which chunk.
    shares: Vec<Shares>,
    /// A thread has panicked; there is no result.
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
    static_for: Option<usize>,
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

// SAFETY: `memory` is written as a whole only by the session, which is one thread and does so only between pictures, when
// no helper is at work (`ThreadTeam::call` returns when all have left). During a picture the threads reach the arena by its
// address alone, and each chunk is taken by one of them.
unsafe impl Sync for SharedState {}
// SAFETY: the arena belongs to the shared and goes where it goes.
unsafe impl Send for SharedState {}

impl SharedState {
    /// As [`SharedState::work`]; a panic is recorded, so that no thread waits for this one, and becomes an error.
    fn guarded_work(&self, thread: usize, scratch: &mut Scratch) {
        if catch_unwind(AssertUnwindSafe(|| self.work(thread, scratch))).is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    /// Goes through all phases together with the other threads; `thread` counts the threads from 0.
    fn work(&self, thread: usize, scratch: &mut Scratch) {
        // SAFETY: nobody writes to the picture while the threads are at work on it.
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
                // SAFETY: the arena is as large as the plan says, the phases before are done, and this chunk is taken.
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
    spec: Arc<ModelSpec>,
    shared: Arc<SharedState>,
    scratch: Scratch,
    team: Option<ThreadTeam>,
}

impl NativeSession {
    pub(super) fn new(plan: Arc<Plan>, spec: Arc<ModelSpec>, threads: usize) -> Result<Self, String> {
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
            static_for: None,
        };
        let arena = memory.arena.as_mut_ptr();
        let shared = Arc::new(SharedState {
            shares,
            chunks,
            scratch,
            memory: UnsafeCell::new(memory),
            arena,
            failed: AtomicBool::new(false),
            plan,
        });
        let team = if threads > 1 {
            Some(ThreadTeam::new(threads - 1, |number| helper(&shared, number))?)
        } else {
            None
        };
        Ok(Self { spec, scratch: Scratch::new(scratch), shared, team })
    }

    fn memory(&mut self) -> &mut Memory {
        // SAFETY: no helper is at work between pictures, and `self` is held exclusively.
        unsafe { &mut *self.shared.memory.get() }
    }
}

impl Session for NativeSession {
    fn put(&mut self, fitted: &Fitted<'_>) {
        let &Fitted { rgb, width, height, .. } = fitted;
        let picture = &mut self.memory().picture;
        picture.rgb.clear();
        picture.rgb.extend_from_slice(rgb);
        (picture.width, picture.height) = (width, height);
    }

    fn run(&mut self, threshold: f32) -> Result<Outputs<'_>, String> {
        let plan = Arc::clone(&self.shared.plan);
        let memory = self.memory();
        memory.threshold = threshold;
        let height = memory.picture.height;
        memory.heights = match memory.static_for == Some(height) {
            true => plan.moving_rows(height.max(1)),
            false => plan.phases.iter().map(|phase| phase.height).collect(),
        };
        memory.static_for = Some(height);
        self.shared.shares.iter().for_each(Shares::reset);
        let (shared, scratch) = (&self.shared, &mut self.scratch);
        match &self.team {
            Some(team) => team.call(|| shared.guarded_work(0, scratch)),
            None => shared.guarded_work(0, scratch),
        }
        if self.shared.failed.load(Ordering::Relaxed) {
            return Err("a thread of the network panicked".to_owned());
        }
        let output = self.shared.plan.output.clone();
        // SAFETY: no helper is at work between pictures, and the result holds `self`.
        let memory = unsafe { &*self.shared.memory.get() };
        Outputs::of(&self.spec.outputs, [&memory.arena.as_slice()[output]].into_iter())
    }

    fn profile(&mut self) -> Option<Vec<LayerTime>> {
        let shared = Arc::clone(&self.shared);
        let picture = self.memory().picture.clone();
        // All rows are computed, for a picture of perhaps another height.
        self.memory().static_for = None;
        let mut layers = Vec::new();
        for (phase, &count) in shared.plan.phases.iter().zip(&shared.chunks) {
            let mut times = vec![Duration::ZERO; phase.steps.len()];
            for index in 0..count {
                let rows = Phase::chunk(index, count, phase.height);
                let mut chunk = shared.chunk(
                    phase,
                    (rows, phase.most_rows(count)),
                    (&picture, f32::NEG_INFINITY),
                    &mut self.scratch,
                );
                for (step, time) in phase.steps.iter().zip(&mut times) {
                    let started = Instant::now();
                    // SAFETY: this is the only thread, and it does one chunk after the other.
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
fn helper(shared: &Arc<SharedState>, number: usize) -> impl FnMut() + Send + 'static {
    let shared = Arc::clone(shared);
    let mut scratch = Scratch::new(shared.scratch);
    move || shared.guarded_work(number, &mut scratch)
}
