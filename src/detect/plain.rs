//! tract's own plan: runs every model that tract can read.

use std::sync::Arc;
use std::time::Instant;

use tract_linalg::multithread::{Executor, multithread_tract_scope};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::plan::eval;
use tract_onnx::tract_hir::internal::Cost;

use super::model::first_line;
use super::runtime::{LayerTime, Network, Session, fill_planes};
use super::settings::InputSize;

/// A model as tract optimises it.
pub(super) struct PlainNetwork {
    plan: Arc<TypedRunnableModel>,
    input: InputSize,
}

impl PlainNetwork {
    pub(super) fn new(model: TypedModel, input: InputSize) -> TractResult<Self> {
        Ok(Self { plan: model.into_optimized()?.into_runnable()?, input })
    }
}

impl Network for PlainNetwork {
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String> {
        let executor = match threads {
            0 | 1 => Executor::SingleThread,
            several => Executor::multithread_with_name(several, "infer"),
        };
        let state = self.plan.spawn().map_err(|error| first_line(&error))?;
        let (width, height) = self.input.size();
        let planes = Tensor::zero::<f32>(&[1, 3, height, width]).map_err(|error| first_line(&error))?;
        Ok(Box::new(PlainSession { state, executor, input: self.input, planes, rows: Vec::new() }))
    }

    fn describe(&self) -> String {
        "tract".to_owned()
    }
}

struct PlainSession {
    state: TypedSimpleState,
    executor: Executor,
    input: InputSize,
    planes: Tensor,
    rows: Vec<f32>,
}

impl Session for PlainSession {
    fn put(&mut self, rgb: &[u8], width: usize, _height: usize) {
        if let Ok(mut planes) = self.planes.to_plain_array_view_mut::<f32>()
            && let Some(planes) = planes.as_slice_mut()
        {
            fill_planes(planes, self.input.size(), rgb, width);
        }
    }

    fn run(&mut self, _threshold: f32) -> Result<&[f32], String> {
        let input = self.planes.clone();
        let state = &mut self.state;
        let outputs = multithread_tract_scope(self.executor.clone(), || state.run(tvec!(input.into())))
            .map_err(|error| first_line(&error))?;
        let output = outputs.first().ok_or("it gave no output")?;
        let values = output.to_plain_array_view::<f32>().map_err(|error| first_line(&error))?;
        self.rows.clear();
        self.rows.extend_from_slice(values.as_slice().ok_or("its output is not contiguous")?);
        Ok(&self.rows)
    }

    fn profile(&mut self) -> Option<Vec<LayerTime>> {
        let mut layers = Vec::new();
        let input = self.planes.clone();
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
