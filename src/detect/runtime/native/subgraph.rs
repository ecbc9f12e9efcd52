//! Parts of a network that tract runs, as single steps of a native plan.
//!
//! What goes in are pixels of layers, turned from channels last into planes where tract wants them so, and results of earlier
//! subgraphs as they are. What comes out is kept until the next picture: a layer takes a result over as a picture, turned
//! back, or it is an output of the network.

use std::collections::HashMap;
use std::sync::Arc;

use tract_linalg::multithread::{Executor, multithread_tract_scope};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;

use crate::detect::error_line::first_line;

/// Where an input of a subgraph comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The pixels of these of its layers, from one on to before the other, one layer's behind the other's: all pixels of a
    /// channel, then of the next, or, as `rows`, all channels of a pixel, then of the next.
    Pixels { layers: (usize, usize), rows: bool },
    /// Of the earlier subgraph with this number among the inputs, the output with this number.
    Subgraph(usize, usize),
}

/// A part of a network, ready to be run by tract.
#[derive(Debug)]
pub(super) struct Subgraph {
    plan: Arc<TypedRunnableModel>,
    /// By input of the plan.
    sources: Vec<Source>,
    /// How many of its inputs are layers of the plan's; the others are subgraphs.
    pub(super) layers: usize,
    /// How many operations tract does.
    operations: usize,
}

impl Subgraph {
    /// The part of a model from `sources`, `layers` layers among them, to `wanted`.
    ///
    /// # Errors
    /// What tract says.
    pub(super) fn new(
        model: &TypedModel,
        sources: &[(OutletId, Source)],
        wanted: &[OutletId],
        layers: usize,
    ) -> TractResult<Self> {
        let mut part = TypedModel { symbols: model.symbols.clone(), ..TypedModel::default() };
        let mut known: HashMap<OutletId, OutletId> = HashMap::new();
        for &(outlet, _) in sources {
            let fact = model.outlet_fact(outlet)?.without_value();
            known.insert(outlet, part.add_source(format!("from {}.{}", outlet.node, outlet.slot), fact)?);
        }
        for id in needed(model, &known, wanted) {
            let node = model.node(id);
            if let [output] = node.outputs.as_slice()
                && let Some(constant) = &output.fact.konst
            {
                known.insert(OutletId::new(id, 0), part.add_const(node.name.clone(), Arc::clone(constant))?);
                continue;
            }
            let inputs = node.inputs.iter().map(|input| known.get(input).copied());
            let inputs: Option<TVec<OutletId>> = inputs.collect();
            let inputs = inputs.ok_or_else(|| format_err!("{} before its inputs", node.name))?;
            let outlets = part.wire_node(node.name.clone(), node.op.clone(), &inputs)?;
            for (slot, outlet) in outlets.into_iter().enumerate() {
                known.entry(OutletId::new(id, slot)).or_insert(outlet);
            }
        }
        let outputs: Option<Vec<OutletId>> = wanted.iter().map(|outlet| known.get(outlet).copied()).collect();
        part.select_output_outlets(&outputs.ok_or_else(|| format_err!("an output is missing"))?)?;
        let plan = part.into_decluttered()?.into_optimized()?;
        let operations = plan.nodes().iter().filter(|node| !node.inputs.is_empty()).count();
        let sources = sources.iter().map(|&(_, source)| source).collect();
        Ok(Self { plan: plan.into_runnable()?, sources, layers, operations })
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        format!("tract, {} operations", self.operations)
    }

    /// The state of one session; `threads` share matrix products.
    ///
    /// # Errors
    /// What tract says, in a line.
    pub(super) fn session(self: &Arc<Self>, threads: &Executor) -> Result<SubgraphSession, String> {
        let state = self.plan.spawn().map_err(|error| first_line(&error))?;
        Ok(SubgraphSession { of: Arc::clone(self), state, threads: threads.clone(), outputs: TVec::new() })
    }
}

/// The nodes between what is known and what is wanted, each behind its inputs.
fn needed(model: &TypedModel, known: &HashMap<OutletId, OutletId>, wanted: &[OutletId]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; model.nodes().len()];
    // A node twice: its inputs first, then itself.
    let mut open: Vec<(OutletId, bool)> = wanted.iter().map(|&outlet| (outlet, false)).collect();
    while let Some((outlet, inputs_done)) = open.pop() {
        if inputs_done {
            order.push(outlet.node);
        } else if !known.contains_key(&outlet) && !std::mem::replace(&mut seen[outlet.node], true) {
            open.push((outlet, true));
            open.extend(model.node(outlet.node).inputs.iter().map(|&input| (input, false)));
        }
    }
    order
}

/// A subgraph with its memory.
pub(super) struct SubgraphSession {
    of: Arc<Subgraph>,
    state: TypedSimpleState,
    threads: Executor,
    /// Of the last run.
    outputs: TVec<TValue>,
}

impl SubgraphSession {
    /// Runs it; `fill` fills in the pixels of layers, and `earlier` gives a result of another subgraph.
    ///
    /// # Errors
    /// What tract says, in a line.
    pub(super) fn run(
        &mut self,
        mut fill: impl FnMut((usize, usize), bool, &mut [f32]),
        earlier: impl Fn(usize, usize) -> Option<TValue>,
    ) -> Result<(), String> {
        let mut run = || -> TractResult<TVec<TValue>> {
            let mut inputs = TVec::new();
            for (place, source) in self.of.sources.iter().enumerate() {
                inputs.push(match *source {
                    Source::Pixels { layers, rows } => {
                        let model = self.of.plan.model();
                        let shape = model.input_fact(place)?.shape.as_concrete();
                        let mut tensor = Tensor::zero::<f32>(shape.ok_or_else(|| format_err!("no shape"))?)?;
                        let mut view = tensor.to_plain_array_view_mut::<f32>()?;
                        fill(layers, rows, view.as_slice_mut().unwrap_or_default());
                        tensor.into()
                    }
                    Source::Subgraph(number, output) => {
                        earlier(number, output).ok_or_else(|| format_err!("nothing was made of it"))?
                    }
                });
            }
            let state = &mut self.state;
            multithread_tract_scope(self.threads.clone(), || state.run(inputs))
        };
        self.outputs = run().map_err(|error| first_line(&error))?;
        Ok(())
    }

    /// A result of the last run.
    pub(super) fn output(&self, output: usize) -> Option<TValue> {
        self.outputs.get(output).cloned()
    }

    /// Likewise, its values; `None` where they are not 32-bit floats.
    pub(super) fn floats(&self, output: usize) -> Option<&[f32]> {
        let tensor = self.outputs.get(output)?;
        tensor.try_as_plain_ram().ok()?.as_slice::<f32>().ok()
    }
}
