//! Running a plan: one thread, or several that share the chunks of each phase.
//!
//! The threads go through the phases together; how they share the chunks of one and wait for each other is in
//! [`super::thread_team`].
#![allow(unsafe_code, reason = "the threads work on one arena")]

use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tract_linalg::multithread::Executor;

use super::execute::{Chunk, Pixels, Run, scratch_for};
use super::memory::Floats;
use super::plan::{OutputPlace, Plan};
use super::step::Phase;
use super::subgraph::SubgraphSession;
use super::thread_team::{Shares, ThreadTeam, wait_until};
use crate::detect::model::ModelSpec;
use crate::detect::preprocess::Fitted;
use crate::detect::runtime::{LayerTime, Outputs, Session};
use crate::sync::lock;

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
    /// By subgraph of the plan.
    subgraphs: Vec<Mutex<SubgraphSession>>,
    /// Why a subgraph failed.
    error: Mutex<Option<String>>,
}

struct Memory {
    arena: Floats,
    picture: Pixels,
    /// Class scores are computed where the objectness is at least this.
    threshold: f32,
    /// Which rows of each phase are computed: all for the first picture at a place, then those that depend on it.
    rows: Vec<Range<usize>>,
    /// The rows of the input with the picture for which the other rows are there.
    static_for: Option<Range<usize>>,
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
        let Memory { picture, threshold, rows, .. } = unsafe { &*self.memory.get() };
        for (index, phase) in self.plan.phases.iter().enumerate() {
            let shares = &self.shares[index];
            let mut done = 0;
            while let Some(taken) = shares.take(thread) {
                let rows = Phase::chunk(taken, self.chunks[index], &rows[index]);
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
            subgraphs: &self.subgraphs,
            error: &self.error,
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
    /// What subgraphs gave for the last picture, by output.
    values: Vec<Vec<f32>>,
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
            rows: Vec::new(),
            static_for: None,
        };
        let arena = memory.arena.as_mut_ptr();
        let executor = match threads {
            1 => Executor::SingleThread,
            _ if plan.subgraphs.is_empty() => Executor::SingleThread,
            several => Executor::multithread_with_name(several, "infer"),
        };
        let subgraphs = plan.subgraphs.iter().map(|subgraph| Ok(Mutex::new(subgraph.session(&executor)?)));
        let subgraphs = subgraphs.collect::<Result<_, String>>()?;
        let shared = Arc::new(SharedState {
            shares,
            chunks,
            scratch,
            memory: UnsafeCell::new(memory),
            arena,
            failed: AtomicBool::new(false),
            subgraphs,
            error: Mutex::new(None),
            plan,
        });
        let team = if threads > 1 {
            Some(ThreadTeam::new(threads - 1, |number| helper(&shared, number))?)
        } else {
            None
        };
        let values = vec![Vec::new(); shared.plan.outputs.len()];
        Ok(Self { spec, scratch: Scratch::new(scratch), shared, team, values })
    }

    fn memory(&mut self) -> &mut Memory {
        // SAFETY: no helper is at work between pictures, and `self` is held exclusively.
        unsafe { &mut *self.shared.memory.get() }
    }
}

impl Session for NativeSession {
    fn put(&mut self, fitted: &Fitted<'_>) {
        let &Fitted { rgb, width, height, left, top, .. } = fitted;
        let picture = &mut self.memory().picture;
        picture.rgb.clear();
        picture.rgb.extend_from_slice(rgb);
        (picture.width, picture.height) = (width, height);
        (picture.left, picture.top) = (left, top);
    }

    fn run(&mut self, threshold: f32) -> Result<Outputs<'_>, String> {
        let plan = Arc::clone(&self.shared.plan);
        let memory = self.memory();
        memory.threshold = threshold;
        let place = memory.picture.top..memory.picture.top + memory.picture.height.max(1);
        memory.rows = match memory.static_for.as_ref() == Some(&place) {
            true => plan.moving_rows(&place),
            false => plan.phases.iter().map(|phase| 0..phase.height).collect(),
        };
        memory.static_for = Some(place);
        self.shared.shares.iter().for_each(Shares::reset);
        let (shared, scratch) = (&self.shared, &mut self.scratch);
        match &self.team {
            Some(team) => team.call(|| shared.guarded_work(0, scratch)),
            None => shared.guarded_work(0, scratch),
        }
        if self.shared.failed.load(Ordering::Relaxed) {
            return Err("a thread of the network panicked".to_owned());
        }
        let error = lock(&self.shared.error).take();
        if let Some(error) = error {
            self.memory().static_for = None;
            return Err(error);
        }
        for (values, place) in self.values.iter_mut().zip(&plan.outputs) {
            if let OutputPlace::Subgraph(index, output) = *place {
                values.clear();
                values.extend_from_slice(
                    lock(&self.shared.subgraphs[index]).floats(output).unwrap_or_default(),
                );
            }
        }
        // SAFETY: no helper is at work between pictures, and the result holds `self`.
        let memory = unsafe { &*self.shared.memory.get() };
        let outputs = self.shared.plan.outputs.iter().zip(&self.values).map(|(place, values)| match place {
            OutputPlace::Arena(place) => &memory.arena.as_slice()[place.clone()],
            OutputPlace::Subgraph(..) => values.as_slice(),
        });
        Outputs::of(&self.spec.outputs, outputs)
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
                let rows = Phase::chunk(index, count, &(0..phase.height));
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
