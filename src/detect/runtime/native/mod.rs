//! The network as a plan of our own: channels last, fused, with kernels for this processor.
//!
//! tract reads the file, checks it and knows all shapes. From its typed graph on this room does the work:
//!
//! ```text
//! tract's typed graph ──read──▶ layers ──fuse──▶ fewer layers ──plan──▶ phases of steps ──session──▶ rows
//!                                                                          │ execute: views to pointers
//!                                                                          ▼
//!                                                                       kernels: AVX-512, AVX2, portable
//! ```
//!
//! **Layout.** A picture of values lies pixel by pixel, all channels of a pixel one behind the other (NHWC), in every layer.
//! The values under one row of a kernel are then neighbours in memory: no layer gathers, packs or transposes anything
//! ([`kernels::conv`]). And the rows that the detector reads, `box, objectness, class scores` of one pixel, are what the
//! last layers write anyway: the reshaping, joining and transposing at the end of the model is nothing.
//!
//! **Fusing** ([`fuse`]). A convolution takes with it the activation and the sum behind it, applied while the result is in
//! registers. The stem, which takes the picture apart into four and convolves that, becomes one 6×6 convolution over the
//! picture itself. Pools of 5, 9 and 13 become a chain of three of 5. Class scores are computed only where the objectness
//! is not too low for an object, and so is what leads to them alone.
//!
//! **Static rows** ([`static_rows`]). Above and below a wide picture the input is grey, the same each time. What the first layers
//! make of that is computed once for pictures at a place.
//!
//! **Phases** ([`plan`]). Layers that need of each other only the same pixels are done together, a few rows at a time, so
//! that what one writes is in the cache when the next one reads it; what only they need never leaves the scratch of the
//! thread. A layer that looks at neighbouring pixels begins the next phase. YOLOX-Nano has 121 steps in 36 phases.
//!
//! **Tiles** ([`kernels`]). The innermost loop holds a tile of results in registers: for AVX-512 six pixels by four vectors
//! of sixteen channels, 24 sums. A step of it loads four vectors of weights and six single inputs for 24 multiply-adds, so
//! that the two units for these are busy and the two for loads are not. Narrower layers have tiles of more pixels and fewer
//! vectors. A convolution's weights for one such width (64 channels: 256 bytes for each input) are gone through for all
//! pixels of a chunk before the next ones, and stay in the first-level cache meanwhile.
//!
//! **Threads** ([`thread_team`]). Each has a share of every phase's chunks, the same part of the picture each time, and helps the
//! others when it is done. Whatever the threads and the chunks, each value is summed in the same order, so that results are
//! the same to the bit.
//!
//! **Where the time goes**: for YOLOX-Nano three quarters in 1×1 convolutions, near what the processor can do at all; the
//! stem an eighth; depthwise convolutions a tenth. The activations are an eighth of all that. `trailsight bench --layers`
//! tells it for the machine at hand.
//!
//! **What is not known here** is left to tract ([`read`]): operations that no layer does are gathered into subgraphs
//! ([`subgraph`]), which run as steps among the others. A model that has no convolution at all is left to tract as a whole.
//!
//! **Scores first** ([`read`]). Where an object counts by its scores alone, the layers that lead to its box are computed only
//! around cells whose scores are high enough, as class scores are by the objectness.
//!
//! That everything is right is checked against a plain reading of what each layer means, on random networks, for every
//! instruction set, and against tract on models of every family.

mod execute;
mod fuse;
mod graph;
mod kernels;
mod memory;
mod plan;
mod read;
mod session;
mod static_rows;
mod step;
mod subgraph;
mod thread_team;

use std::sync::{Arc, Mutex};

use tract_onnx::prelude::TypedModel;

use super::{Network, Session};
use crate::detect::heads::Head;
use crate::detect::model::{ColourOrder, Fit, ModelSpec};
use crate::sync::lock;
use kernels::{Isa, Kernels};
use memory::Floats;
use plan::Plan;
use session::NativeSession;

/// A network as a native plan.
pub(in crate::detect) struct NativeNetwork {
    plan: Arc<Plan>,
    spec: Arc<ModelSpec>,
}

impl NativeNetwork {
    /// Makes a plan of a model; the best instruction set of this processor runs it. `weights` are those of the plans of the
    /// same model for other sizes of input.
    ///
    /// # Errors
    /// What in the model is not known here, in a few words.
    pub(in crate::detect) fn new(
        model: TypedModel,
        head: &dyn Head,
        weights: &SharedWeights,
    ) -> Result<Self, String> {
        let spec = head.spec();
        let seen = Seen::of(spec);
        let isa = Isa::available().first().copied().unwrap_or(Isa::Portable);
        let mut graph = read::read(model, head.score_columns())?;
        graph.levels = levels(spec);
        fuse::fuse(&mut graph, head.early_threshold())?;
        let mut plan = plan::compile(&graph, seen, Kernels::of(isa))?;
        weights.share(&mut plan);
        Ok(Self { plan: Arc::new(plan), spec: Arc::new(spec.clone()) })
    }
}

/// The packed weights of a model, in memory once for its plans for all sizes of input.
#[derive(Debug, Default)]
pub(in crate::detect) struct SharedWeights(Mutex<Option<Arc<Floats>>>);

impl SharedWeights {
    /// Gives the plan those that are there, where they are the same to the bit: a plan in another order would have others.
    fn share(&self, plan: &mut Plan) {
        let mut known = lock(&self.0);
        match &*known {
            Some(known) if known.is_same(&plan.weights) => plan.weights = Arc::clone(known),
            _ => *known = Some(Arc::clone(&plan.weights)),
        }
    }
}

/// How the network sees a picture.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Pictures have red first, the network blue.
    blue_first: bool,
    /// The level around the picture.
    fill: u8,
}

impl Seen {
    /// What a plan has to know of the model's spec.
    fn of(spec: &ModelSpec) -> Self {
        let input = &spec.input;
        let fill = match input.fit {
            Fit::LetterboxTopLeft(fill) | Fit::LetterboxCentred(fill) => fill,
            // The picture is everywhere.
            Fit::Stretch => 0,
        };
        Self { blue_first: input.colour == ColourOrder::Bgr, fill }
    }
}

/// How a level of each channel of the network's input becomes its value: factor and offset.
fn levels(spec: &ModelSpec) -> Vec<(f32, f32)> {
    let mut levels = spec.input.levels().to_vec();
    if spec.input.colour == ColourOrder::Bgr {
        levels.reverse();
    }
    levels
}

impl Network for NativeNetwork {
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String> {
        Ok(Box::new(NativeSession::new(Arc::clone(&self.plan), Arc::clone(&self.spec), threads)?))
    }

    fn describe(&self) -> String {
        match self.plan.subgraphs.as_slice() {
            [] => format!("native ({})", self.plan.kernels.isa),
            _ => format!("native ({}) and tract", self.plan.kernels.isa),
        }
    }

    fn shares_weights(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
