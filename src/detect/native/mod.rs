//! The network in pixels-last layout with kernels of its own. (To be written.)

mod execute;
mod fuse;
mod graph;
mod kernels;
mod memory;
mod plan;
mod read;
mod session;
mod step;

use std::sync::Arc;

use tract_onnx::prelude::TypedModel;

use super::runtime::{Network, Session};
use kernels::{Isa, Kernels};
use plan::Plan;
use session::NativeSession;

/// A network as a native plan.
pub(super) struct NativeNetwork {
    plan: Arc<Plan>,
}

impl NativeNetwork {
    /// Makes a plan of a model; the best instruction set of this processor runs it.
    ///
    /// # Errors
    /// What in the model is not known here, in a few words.
    pub(super) fn new(model: TypedModel) -> Result<Self, String> {
        let isa = Isa::available().first().copied().unwrap_or(Isa::Portable);
        let mut graph = read::read(model)?;
        fuse::fuse(&mut graph)?;
        Ok(Self { plan: Arc::new(plan::compile(&graph, Kernels::of(isa))?) })
    }
}

impl Network for NativeNetwork {
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String> {
        Ok(Box::new(NativeSession::new(Arc::clone(&self.plan), threads)?))
    }

    fn describe(&self) -> String {
        format!("native ({})", self.plan.kernels.isa)
    }
}

#[cfg(test)]
mod tests;
