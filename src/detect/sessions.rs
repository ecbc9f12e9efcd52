//! The network at the sizes of input that one thread has needed of late, each with buffers of its own.

use std::sync::Arc;

use super::error::DetectError;
use super::input_size::InputSize;
use super::load::{Model, SizedNetwork};
use super::preprocess::Preprocess;
use super::runtime::Session;

/// No more sizes than this are kept; the one that was used longest ago goes.
const MOST: usize = 4;

/// The network at one size of input.
pub(super) struct Sized {
    pub(super) ready: Arc<SizedNetwork>,
    pub(super) session: Box<dyn Session>,
    pub(super) preprocess: Preprocess,
}

impl Sized {
    fn new(model: &Model, ready: Arc<SizedNetwork>, threads: usize) -> Result<Self, DetectError> {
        let session = ready.network.session(threads).map_err(|why| DetectError::Run {
            model: model.name.clone(),
            input: ready.input().to_string(),
            why,
        })?;
        Ok(Self { preprocess: Preprocess::new(&ready.head.spec().input), session, ready })
    }
}

/// The network as one thread runs it.
pub(super) struct Sessions {
    model: Arc<Model>,
    threads: usize,
    /// The size in use.
    pub(super) now: Sized,
    /// The others, the one that was used last at the end.
    before: Vec<Sized>,
}

impl Sessions {
    /// At the size of `ready`, with each picture's work split over `threads` threads.
    pub(super) fn new(
        model: &Arc<Model>,
        ready: Arc<SizedNetwork>,
        threads: usize,
    ) -> Result<Self, DetectError> {
        let now = Sized::new(model, ready, threads)?;
        Ok(Self { model: Arc::clone(model), threads, now, before: Vec::new() })
    }

    /// The same for another thread, or with other threads; sizes that are not in use are made anew when they are needed.
    pub(super) fn fork(&self, threads: usize) -> Result<Self, DetectError> {
        Self::new(&self.model, Arc::clone(&self.now.ready), threads)
    }

    /// How many threads work on a picture.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The size in use.
    pub(super) fn input(&self) -> InputSize {
        self.now.ready.input()
    }

    /// Goes over to another size; where that fails, all is as before.
    pub(super) fn turn_to(&mut self, input: InputSize) -> Result<(), DetectError> {
        if self.input() == input {
            return Ok(());
        }
        let next = match self.before.iter().position(|sized| sized.ready.input() == input) {
            Some(place) => self.before.remove(place),
            None => Sized::new(&self.model, self.model.at(input)?, self.threads)?,
        };
        if self.before.len() + 1 >= MOST {
            self.before.remove(0);
        }
        self.before.push(std::mem::replace(&mut self.now, next));
        Ok(())
    }
}
