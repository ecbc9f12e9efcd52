//! tract's own plan: runs every model that tract can read.

use std::sync::Arc;
use std::time::Instant;

use tract_linalg::multithread::{Executor, multithread_tract_scope};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::plan::eval;
use tract_onnx::tract_hir::internal::Cost;

use super::{LayerTime, Network, Outputs, Session};
use crate::detect::error_line::first_line;
use crate::detect::model::ModelSpec;
use crate::detect::preprocess::{Fitted, fill_input};

/// A model as tract optimises it.
pub(in crate::detect) struct TractNetwork {
    plan: Arc<TypedRunnableModel>,
    spec: Arc<ModelSpec>,
}

impl TractNetwork {
    /// A network with the outputs of `spec`, in its order.
    pub(in crate::detect) fn new(model: TypedModel, spec: &ModelSpec) -> TractResult<Self> {
        Ok(Self { plan: model.into_optimized()?.into_runnable()?, spec: Arc::new(spec.clone()) })
    }
}

/// Runs a model once on an input of this shape; gives the values of all its outputs.
///
/// # Errors
/// What tract says, in a line.
pub(in crate::detect) fn run_once(
    model: &TypedModel,
    shape: [usize; 4],
    input: &[f32],
) -> Result<Vec<Vec<f32>>, String> {
    let run = || -> TractResult<Vec<Vec<f32>>> {
        let picture = Tensor::from_shape(&shape, input)?;
        let outputs = model.clone().into_optimized()?.into_runnable()?.run(tvec!(picture.into()))?;
        let values = outputs.iter().map(|output| {
            let floats = output.cast_to::<f32>()?;
            Ok(floats.to_plain_array_view::<f32>()?.iter().copied().collect())
        });
        values.collect()
    };
    run().map_err(|error| first_line(&error))
}

impl Network for TractNetwork {
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String> {
        let executor = match threads {
            0 | 1 => Executor::SingleThread,
            several => Executor::multithread_with_name(several, "infer"),
        };
        let state = self.plan.spawn().map_err(|error| first_line(&error))?;
        let input = Tensor::zero::<f32>(&self.spec.input.shape()).map_err(|error| first_line(&error))?;
        let values = vec![Vec::new(); self.spec.outputs.len()];
        Ok(Box::new(TractSession { state, executor, spec: Arc::clone(&self.spec), input, values }))
    }

    fn describe(&self) -> String {
        "tract".to_owned()
    }
}

struct TractSession {
    state: TypedSimpleState,
    executor: Executor,
    spec: Arc<ModelSpec>,
    input: Tensor,
    /// What the last run gave, by output.
    values: Vec<Vec<f32>>,
}

impl Session for TractSession {
    fn put(&mut self, picture: &Fitted<'_>) {
        if let Ok(mut input) = self.input.to_plain_array_view_mut::<f32>()
            && let Some(input) = input.as_slice_mut()
        {
            fill_input(input, &self.spec.input, picture);
        }
    }

    fn run(&mut self, _threshold: f32) -> Result<Outputs<'_>, String> {
        let input = self.input.clone();
        let state = &mut self.state;
        let outputs = multithread_tract_scope(self.executor.clone(), || state.run(tvec!(input.into())))
            .map_err(|error| first_line(&error))?;
        for (place, kept) in self.values.iter_mut().enumerate() {
            let output = outputs.get(place).ok_or("it gave fewer outputs than it has")?;
            let values = output.to_plain_array_view::<f32>().map_err(|error| first_line(&error))?;
            kept.clear();
            match values.as_slice() {
                Some(values) => kept.extend_from_slice(values),
                None => kept.extend(values.iter()),
            }
        }
        Outputs::of(&self.spec.outputs, self.values.iter().map(Vec::as_slice))
    }

    fn profile(&mut self) -> Option<Vec<LayerTime>> {
        let mut layers = Vec::new();
        let input = self.input.clone();
        let state = &mut self.state;
        let plan = Arc::clone(state.plan());
        let run = || {
            state.run_plan_with_eval(tvec!(input.into()), |context, op_state, node, inputs| {
                let started = Instant::now();
                let outputs = eval(context, op_state, node, inputs);
                layers.extend(
                    layer(plan.model(), node).map(|layer| LayerTime { time: started.elapsed(), ..layer }),
                );
                outputs
            })
        };
        multithread_tract_scope(self.executor.clone(), run).ok()?;
        Some(layers)
    }
}

/// What a node of tract's plan does, without its time; `None` for one that computes nothing.
fn layer(model: &TypedModel, node: &TypedNode) -> Option<LayerTime> {
    if node.inputs.is_empty() {
        return None;
    }
    let (channels, height, width) = match *node.outputs.first()?.fact.shape.as_concrete()? {
        [.., channels, height, width] => (channels, height, width),
        [channels, pixels] => (channels, 1, pixels),
        _ => return None,
    };
    let inputs = model.node_input_facts(node.id).ok()?;
    let costs = node.op.cost(&inputs).ok()?;
    let multiplications = costs.iter().filter(|(cost, _)| matches!(cost, Cost::FMA(_)));
    let flops = multiplications.filter_map(|(_, count)| count.to_i64().ok()).sum::<i64>() as f64 * 2.0;
    let (what, time) = (node.op.name().into_owned(), std::time::Duration::ZERO);
    Some(LayerTime { what, shape: [height, width, channels], flops, time })
}
