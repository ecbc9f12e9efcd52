//! What can run a network: the face that every runtime shows to the detector, and the setting that chooses one.
//!
//! | runtime | runs | refuses |
//! |---|---|---|
//! | [`native`] | networks with convolutions; what no layer of its own does runs by tract, as a step of the plan | a network without any, with the reason; tract takes over |
//! | [`tract`] | what tract can read | – |
//! | `onnxruntime` | what that library can read, and tract, which checks it first | – |
//!
//! A runtime is a [`Network`], shared by all threads, that makes a [`Session`] for each. It gets the model's
//! [`ModelSpec`](super::ModelSpec): the input to fill as its [`InputSpec`](super::model::InputSpec) says, and the outputs to give.

pub(super) mod native;
#[cfg(feature = "onnxruntime")]
pub(super) mod onnxruntime;
pub(super) mod tract;

use std::time::Duration;

use super::model::OutputSpec;
use super::preprocess::Fitted;

/// A network that is ready to run, shared by all threads that run it.
pub(super) trait Network: Send + Sync {
    /// The buffers of one thread; with `threads` over 1, others help with each picture.
    ///
    /// # Errors
    /// What the runtime says, in a line.
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String>;

    /// What runs it, for people: `native (AVX-512)`.
    fn describe(&self) -> String;

    /// Whether networks of the same model for other sizes of input have their weights in memory in common with it.
    fn shares_weights(&self) -> bool {
        false
    }
}

/// The state of one thread that runs a network.
pub(super) trait Session: Send {
    /// Takes in the picture, no larger than the network's input, laid and filled up as the model's
    /// [`InputSpec`](super::model::InputSpec) says.
    fn put(&mut self, picture: &Fitted<'_>);

    /// Runs the network on what was put; gives the outputs of the model's spec, in its order. Where the head has an
    /// [`early_threshold`](super::heads::Head::early_threshold), what lies behind that channel in rows where it is below
    /// `threshold` may be anything; so may, where it has [`score_columns`](super::heads::Head::score_columns), what else is said of
    /// objects whose scores are all below it.
    ///
    /// # Errors
    /// What the runtime says, in a line.
    fn run(&mut self, threshold: f32) -> Result<Outputs<'_>, String>;

    /// Runs the network once, all of it, and tells how long each of its layers took; `None` where the runtime does not know.
    fn profile(&mut self) -> Option<Vec<LayerTime>> {
        None
    }
}

/// The outputs of one run.
#[derive(Debug)]
pub struct Outputs<'a>(Vec<Output<'a>>);

/// One output of one run.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// What the file calls it.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a [usize],
    /// As many values as the shape says, the last axis changing fastest.
    pub values: &'a [f32],
}

impl<'a> Outputs<'a> {
    /// These.
    pub fn new(outputs: Vec<Output<'a>>) -> Self {
        Self(outputs)
    }

    /// The output with this place in [`ModelSpec::outputs`](super::ModelSpec::outputs).
    ///
    /// # Errors
    /// A line that says it is missing.
    pub fn at(&self, place: usize) -> Result<Output<'a>, String> {
        self.0.get(place).copied().ok_or_else(|| format!("it gave no output number {place}"))
    }

    /// The output with this name.
    ///
    /// # Errors
    /// A line that says it is missing.
    pub fn named(&self, name: &str) -> Result<Output<'a>, String> {
        self.0
            .iter()
            .find(|output| output.name == name)
            .copied()
            .ok_or_else(|| format!("it gave no output {name}"))
    }

    /// The outputs that a spec promises, with the values a run gave.
    fn of(spec: &'a [OutputSpec], values: impl Iterator<Item = &'a [f32]>) -> Result<Self, String> {
        let mut outputs = Vec::with_capacity(spec.len());
        for (OutputSpec { name, shape }, values) in spec.iter().zip(values) {
            if values.len() != shape.iter().product::<usize>() {
                return Err(format!("its output {name} has {} values, not {shape:?}", values.len()));
            }
            outputs.push(Output { name, shape, values });
        }
        Ok(Self(outputs))
    }
}

/// One layer of a network, as it was run.
#[derive(Debug, Clone)]
pub struct LayerTime {
    /// What it does: `conv 3x3 s2 + SiLU`.
    pub what: String,
    /// Height, width and channels of what it gives.
    pub shape: [usize; 3],
    /// Floating point operations, a multiplication with an addition counted as two.
    pub flops: f64,
    /// How long it took.
    pub time: Duration,
}
