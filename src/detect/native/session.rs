//! Running a plan: one thread, or several that share the chunks of each phase.
//!
//! The threads are started once and sleep between pictures. During a picture they go through the phases together: each
//! takes the next chunk that nobody has taken, and when there is none left, waits until the others have done theirs. That
//! wait is short and happens some forty times a picture, so that it turns in place for some microseconds before it lets
//! others run.
#![allow(unsafe_code, reason = "the threads work on one arena")]

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::execute::{Chunk, Pixels, Run, scratch_for};
use super::memory::Floats;
use super::plan::Plan;
use super::step::Phase;
use crate::detect::runtime::{LayerTime, Session};

/// Bytes that a chunk should touch at the most: a good part of a core's second-level cache.
const CHUNK_BYTES: usize = 512 << 10;
/// Turns of a waiting thread before it lets others run.
const TURNS: u32 = 4_000;

/// What all threads of a session share.
struct Board {
    plan: Arc<Plan>,
    /// Rows a chunk and number of chunks, by phase.
    chunks: Vec<(usize, usize)>,
    /// Floats of scratch a thread.
    scratch: usize,
    memory: UnsafeCell<Memory>,
    /// The first float of the memory's arena.
    arena: *mut f32,
    /// By phase: the next chunk to be taken, and how many are done.
    taken: Vec<AtomicUsize>,
    done: Vec<AtomicUsize>,
    /// A thread has ended by a fault of its own; there is no result.
    failed: AtomicBool,
}

struct Memory {
    arena: Floats,
    picture: Pixels,
    /// Class scores are computed where the objectness is at least this.
    threshold: f32,
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
    /// Goes through all phases with whoever else does.
    fn work(&self, scratch: &mut Scratch) {
        // Safety: nobody writes to the picture while the threads are at work on it.
        let (picture, threshold) = unsafe { (&(*self.memory.get()).picture, (*self.memory.get()).threshold) };
        for (index, phase) in self.plan.phases.iter().enumerate() {
            let (rows, count) = self.chunks[index];
            loop {
                let taken = self.taken[index].fetch_add(1, Ordering::Relaxed);
                if taken >= count {
                    break;
                }
                let mut chunk = self.chunk(phase, rows, taken, (picture, threshold), scratch);
                // Safety: the arena is as large as the plan says, the phases before are done, and this chunk is taken.
                unsafe { chunk.run() };
                // What was written is seen by whoever sees this.
                self.done[index].fetch_add(1, Ordering::Release);
            }
            let mut turns = 0;
            while self.done[index].load(Ordering::Acquire) < count {
                if self.failed.load(Ordering::Relaxed) {
                    return;
                }
                turns += 1;
                if turns < TURNS { std::hint::spin_loop() } else { std::thread::yield_now() }
            }
        }
    }

    fn chunk<'a>(
        &'a self,
        phase: &'a Phase,
        rows: usize,
        index: usize,
        (picture, threshold): (&'a Pixels, f32),
        scratch: &'a mut Scratch,
    ) -> Chunk<'a> {
        Chunk {
            plan: &self.plan,
            phase,
            rows: phase.chunk(index, rows),
            full: rows,
            picture,
            arena: self.arena,
            threshold,
            scratch: scratch.floats.as_mut_slice(),
            runs: &mut scratch.runs,
        }
    }

    fn reset(&self) {
        for counter in self.taken.iter().chain(&self.done) {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// How many rows of a phase are done at a time.
fn rows_a_chunk(phase: &Phase, threads: usize) -> usize {
    let row: usize =
        phase.steps.iter().map(|step| step.to().shape).map(|s| 2 * s.width * s.channels * 4).sum();
    let fitting = (CHUNK_BYTES / row.max(1)).max(1);
    // Several threads need several chunks each, so that none waits long for another.
    let shared = if threads > 1 { phase.height.div_ceil(threads * 3) } else { phase.height };
    fitting.min(shared).clamp(1, phase.height.max(1))
}

/// A native plan with the memory it runs in.
pub(super) struct NativeSession {
    board: Arc<Board>,
    scratch: Scratch,
    crew: Option<Crew>,
}

impl NativeSession {
    pub(super) fn new(plan: Arc<Plan>, threads: usize) -> Result<Self, String> {
        let chunks: Vec<_> = plan
            .phases
            .iter()
            .map(|phase| {
                let rows = rows_a_chunk(phase, threads);
                (rows, phase.height.div_ceil(rows))
            })
            .collect();
        let scratch = plan
            .phases
            .iter()
            .zip(&chunks)
            .map(|(phase, &(rows, _))| scratch_for(phase, rows))
            .max()
            .unwrap_or(0);
        let counters = || plan.phases.iter().map(|_| AtomicUsize::new(0)).collect();
        let mut memory =
            Memory { arena: Floats::zeroed(plan.arena), picture: Pixels::default(), threshold: 0.0 };
        let arena = memory.arena.as_mut_slice().as_mut_ptr();
        let board = Arc::new(Board {
            taken: counters(),
            done: counters(),
            chunks,
            scratch,
            memory: UnsafeCell::new(memory),
            arena,
            failed: AtomicBool::new(false),
            plan,
        });
        let crew = if threads > 1 { Some(Crew::new(&board, threads - 1)?) } else { None };
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
        self.memory().threshold = threshold;
        self.board.reset();
        let (board, scratch) = (&self.board, &mut self.scratch);
        match &self.crew {
            Some(crew) => crew.call(|| board.work(scratch)),
            None => board.work(scratch),
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
        let mut layers = Vec::new();
        for (phase, &(rows, count)) in board.plan.phases.iter().zip(&board.chunks) {
            let mut times = vec![Duration::ZERO; phase.steps.len()];
            for index in 0..count {
                let mut chunk =
                    board.chunk(phase, rows, index, (&picture, f32::NEG_INFINITY), &mut self.scratch);
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

/// Threads that help with each picture.
struct Crew {
    signal: Arc<Signal>,
    helpers: Vec<JoinHandle<()>>,
}

/// How helpers are woken and waited for.
#[derive(Default)]
struct Signal {
    /// The number of the picture, and whether there will be none any more.
    round: Mutex<(u64, bool)>,
    wake: Condvar,
    /// Helpers that have not yet left the picture.
    inside: AtomicUsize,
}

impl Crew {
    fn new(board: &Arc<Board>, helpers: usize) -> Result<Self, String> {
        let mut crew = Self { signal: Arc::default(), helpers: Vec::new() };
        for number in 1..=helpers {
            let (board, signal) = (Arc::clone(board), Arc::clone(&crew.signal));
            let helper = std::thread::Builder::new()
                .name(format!("infer-{number}"))
                .spawn(move || help(&board, &signal))
                .map_err(|error| format!("cannot start a thread: {error}"))?;
            crew.helpers.push(helper);
        }
        Ok(crew)
    }

    /// Has all helpers do their part while `own` does its own; returns when all are done.
    fn call(&self, own: impl FnOnce()) {
        self.signal.inside.store(self.helpers.len(), Ordering::Relaxed);
        self.signal.round.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        self.signal.wake.notify_all();
        own();
        let mut turns = 0;
        while self.signal.inside.load(Ordering::Acquire) > 0 {
            turns += 1;
            if turns < TURNS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.signal.round.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.signal.wake.notify_all();
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}

fn help(board: &Board, signal: &Signal) {
    let mut scratch = Scratch::new(board.scratch);
    let mut seen = 0;
    loop {
        {
            let round = signal.round.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = |round: &mut (u64, bool)| round.0 == seen && !round.1;
            let round = signal.wake.wait_while(round, waiting).unwrap_or_else(PoisonError::into_inner);
            if round.1 {
                return;
            }
            seen = round.0;
        }
        if catch_unwind(AssertUnwindSafe(|| board.work(&mut scratch))).is_err() {
            board.failed.store(true, Ordering::Relaxed);
        }
        signal.inside.fetch_sub(1, Ordering::Release);
    }
}
