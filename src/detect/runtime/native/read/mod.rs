//! From tract's typed graph to layers. tract has read the file, checked it, and knows all shapes.
//!
//! An operation that a layer can do becomes one ([`layers`]). Anything else is left to tract: such operations are gathered
//! into subgraphs ([`super::subgraph`]), each run as one step between the layers. Attention, the decoding of boxes at the end
//! of a model, and whatever the field invents next run that way, with the same results.
//!
//! **Stages** keep subgraphs from needing each other in a circle. A layer that takes what tract made begins a new stage; an
//! operation left to tract is of the latest stage among its inputs. All operations of a stage that are left to tract are
//! one subgraph: what it needs is of its own stage or an earlier one, and what needs it as a picture of a later one.

mod laid;
mod layers;
mod scores;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::optim::Optimizer;

use crate::detect::error_line::first_line;
use crate::detect::heads::ScoreColumns;

use super::graph::{Graph, Layer, LayerId, Op, Output, Shape};
use super::subgraph::{Source, Subgraph};
use laid::{Laid, Order};

/// No layer of a network of this kind has more values; more is a mistake or an attack.
const MOST_VALUES: usize = 1 << 28;
/// Nor has one more layers (the largest have some 1500); laying them out takes time with the square of their number.
const MOST_LAYERS: usize = 8192;

/// Something in the model that the native plan does not know: said in a few words.
pub(super) type Unknown = String;

/// What flows between tract's nodes.
#[derive(Debug, Clone)]
enum Value {
    /// `1 × channels × height × width`, as a layer gives it.
    Picture(LayerId),
    /// Every `stride`-th pixel of the network's input, down and across, from an offset on.
    Sampled { stride: (usize, usize), offset: (usize, usize) },
    /// The pixels of several layers in one tensor.
    Laid(Laid),
    /// Known beforehand.
    Constant(Arc<Tensor>),
    /// Made by tract, in this stage.
    Tract(usize),
}

/// Reads the whole graph. Its one input is a picture, `1 × channels × height × width`; `columns` is where objects that nobody
/// looks at can be told by their scores.
///
/// # Errors
/// Why a native plan makes no sense of it or is of no use, in a few words.
pub(super) fn read(mut model: TypedModel, columns: Option<ScoreColumns>) -> Result<Graph, Unknown> {
    tidy(&mut model).map_err(|error| first_line(&error))?;
    let mut reader = Reader {
        model: &model,
        values: HashMap::new(),
        layers: Vec::new(),
        stages: Vec::new(),
        taken: HashMap::new(),
        left: Vec::new(),
    };
    for id in model.eval_order().map_err(|error| first_line(&error))? {
        reader.node(id)?;
    }
    reader.finish(columns)
}

/// Folds constants, and lets tract say slices and resizing in the simple terms in which it runs them itself.
fn tidy(model: &mut TypedModel) -> TractResult<()> {
    Optimizer::prop_consts().session().optimize(model)?;
    let mut id = 0;
    while id < model.nodes().len() {
        let node = model.node(id);
        if matches!(&*node.op.name(), "StridedSlice" | "Resize")
            && let Some(patch) = node.op.declutter(model, node)?
        {
            patch.apply(model)?;
        }
        id += 1;
    }
    model.compact()
}

struct Reader<'a> {
    model: &'a TypedModel,
    values: HashMap<OutletId, Value>,
    layers: Vec<Layer>,
    /// By layer.
    stages: Vec<usize>,
    /// Layers that take what tract made.
    taken: HashMap<OutletId, LayerId>,
    /// Why operations were left to tract.
    left: Vec<Unknown>,
}

impl Reader<'_> {
    fn node(&mut self, id: usize) -> Result<(), Unknown> {
        let node = self.model.node(id);
        let outlet = OutletId::new(id, 0);
        let what = || {
            let shapes: Vec<_> = node.outputs.iter().map(|output| &output.fact.shape).collect();
            format!("the operation {} with an output of {shapes:?}", node.op.name())
        };
        let [output] = node.outputs.as_slice() else {
            self.leave(id, what());
            return Ok(());
        };
        if let Some(constant) = &output.fact.konst {
            self.values.insert(outlet, Value::Constant(Arc::clone(constant)));
            return Ok(());
        }
        let shape = output.fact.shape.as_concrete();
        let (Some(shape), true) = (shape, output.fact.datum_type == f32::datum_type()) else {
            self.leave(id, format!("{} of type {:?}", what(), output.fact.datum_type));
            return Ok(());
        };
        let inputs = self.inputs(id)?;
        let (layers, shape) = (self.layers.len(), shape.to_vec());
        match self.value(&*node.op, &inputs, &shape) {
            Ok(value) => {
                self.values.insert(outlet, value);
            }
            Err(why) => {
                self.layers.truncate(layers);
                self.stages.truncate(layers);
                self.leave(id, why.map_or_else(what, |why| format!("{} ({why})", what())));
            }
        }
        if self.layers.len() > MOST_LAYERS {
            return Err(format!("a network of more than {MOST_LAYERS} layers"));
        }
        Ok(())
    }

    /// The inputs of a node. What tract made is taken over as a picture where that is worth it.
    fn inputs(&mut self, id: usize) -> Result<Vec<Value>, Unknown> {
        let node = self.model.node(id);
        let of_picture = |reader: &Self| {
            let picture = |input: &OutletId| matches!(reader.values.get(input), Some(Value::Picture(_)));
            node.inputs.iter().any(picture)
        };
        let take = layers::begins_anew(&*node.op) || (layers::is_pixelwise(&*node.op) && of_picture(self));
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &input in &node.inputs {
            let value = self.values.get(&input).cloned();
            let value = value.ok_or_else(|| format!("{} before its inputs", node.op.name()))?;
            inputs.push(match value {
                Value::Tract(stage) if take => self.take(input, stage)?.unwrap_or(value),
                value => value,
            });
        }
        Ok(inputs)
    }

    /// What tract made as a picture, if it is one.
    fn take(&mut self, outlet: OutletId, stage: usize) -> Result<Option<Value>, Unknown> {
        if let Some(&layer) = self.taken.get(&outlet) {
            return Ok(Some(Value::Picture(layer)));
        }
        let fact = self.model.outlet_fact(outlet).map_err(|error| first_line(&error))?;
        let shape = fact.shape.as_concrete().filter(|_| fact.datum_type == f32::datum_type());
        let Some(shape) = shape.and_then(picture) else { return Ok(None) };
        let layer = self.layers.len();
        self.layers.push(Layer::new(Op::Take { output: 0 }, vec![], shape));
        self.stages.push(stage + 1);
        self.taken.insert(outlet, layer);
        Ok(Some(Value::Picture(layer)))
    }

    /// Leaves a node to tract.
    fn leave(&mut self, id: usize, why: Unknown) {
        let node = self.model.node(id);
        let stages = node.inputs.iter().filter_map(|input| self.values.get(input));
        let stage = stages.map(|value| self.stage(value)).max().unwrap_or(0);
        for output in 0..node.outputs.len() {
            self.values.insert(OutletId::new(id, output), Value::Tract(stage));
        }
        self.left.push(why);
    }

    fn stage(&self, value: &Value) -> usize {
        match value {
            Value::Picture(layer) => self.stages[*layer],
            Value::Laid(laid) => laid.layers.iter().map(|&layer| self.stages[layer]).max().unwrap_or(0),
            Value::Tract(stage) => *stage,
            Value::Sampled { .. } | Value::Constant(_) => 0,
        }
    }

    /// Adds a layer.
    fn push(&mut self, op: Op, inputs: Vec<LayerId>, shape: &[usize]) -> Result<LayerId, Option<Unknown>> {
        let shape = picture(shape).ok_or_else(|| Some("of no picture, no values, or too many".to_owned()))?;
        self.stages.push(inputs.iter().map(|&input| self.stages[input]).max().unwrap_or(0));
        self.layers.push(Layer::new(op, inputs, shape));
        Ok(self.layers.len() - 1)
    }

    /// Makes subgraphs of what is left to tract, and a graph of all.
    fn finish(self, columns: Option<ScoreColumns>) -> Result<Graph, Unknown> {
        // What of tract's results is needed by whom else: layers, the outputs, subgraphs of later stages.
        let mut wanted: BTreeMap<usize, Vec<OutletId>> = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut want = |outlet: OutletId, stage: usize| {
            if seen.insert(outlet) {
                wanted.entry(stage).or_default().push(outlet);
            }
        };
        let mut taken: Vec<OutletId> = self.taken.keys().copied().collect();
        taken.sort_unstable();
        for outlet in taken {
            want(outlet, self.stage(&self.values[&outlet]));
        }
        for &output in &self.model.outputs {
            match self.values.get(&output) {
                Some(Value::Laid(laid)) if self.lies_row_by_row(output, laid) => {}
                Some(value) => want(output, self.stage(value)),
                None => return Err("an output that nothing makes".to_owned()),
            }
        }
        // From the last to the first: a subgraph wants something of earlier ones.
        let mut parts: Vec<Part> = Vec::new();
        while let Some((stage, outlets)) = wanted.pop_last() {
            let part = self.part(stage, outlets)?;
            for &(outlet, earlier) in &part.from_earlier {
                let outlets = wanted.entry(earlier).or_default();
                if !outlets.contains(&outlet) {
                    outlets.push(outlet);
                }
            }
            parts.push(part);
        }
        parts.reverse();
        let scored = columns.map_or_else(Vec::new, |columns| scores::scored(&self, columns));
        self.joined(&parts, scored)
    }

    /// The layers with the subgraphs among them.
    fn joined(mut self, parts: &[Part], scored: Vec<(LayerId, LayerId)>) -> Result<Graph, Unknown> {
        let mut made: HashMap<OutletId, (LayerId, usize)> = HashMap::new();
        for part in parts {
            let mut sources: Vec<(OutletId, Source)> = Vec::new();
            let mut inputs = Vec::new();
            for (outlet, laid, order) in &part.pixels {
                let layers = (inputs.len(), inputs.len() + laid.layers.len());
                sources.push((*outlet, Source::Pixels { layers, rows: *order == Order::Rows }));
                inputs.extend(&laid.layers);
            }
            let layers = inputs.len();
            for (outlet, _) in &part.from_earlier {
                let &(layer, output) = made.get(outlet).ok_or("a value that nothing makes")?;
                let place = inputs[layers..].iter().position(|&known| known == layer).unwrap_or_else(|| {
                    inputs.push(layer);
                    inputs.len() - 1 - layers
                });
                sources.push((*outlet, Source::Subgraph(place, output)));
            }
            let subgraph = Subgraph::new(self.model, &sources, &part.wanted, layers)
                .map_err(|error| first_line(&error))?;
            let op = Op::Subgraph(Arc::new(subgraph));
            self.layers.push(Layer::new(op, inputs, Shape { height: 1, width: 1, channels: 1 }));
            for (output, &outlet) in part.wanted.iter().enumerate() {
                let layer = self.layers.len() - 1;
                made.insert(outlet, (layer, output));
                if let Some(&taker) = self.taken.get(&outlet) {
                    self.layers[taker].op = Op::Take { output };
                    self.layers[taker].inputs = vec![layer];
                }
            }
        }
        let mut outputs = Vec::new();
        for outlet in &self.model.outputs {
            outputs.push(match (self.values.get(outlet), made.get(outlet)) {
                (_, Some(&(layer, output))) => Output::Subgraph(layer, output),
                (Some(Value::Laid(laid)), _) => Output::Rows(laid.layers.clone()),
                _ => return Err("an output that nothing makes".to_owned()),
            });
        }
        // Nothing but convolutions, not counting those that only scale.
        let of_use = |layer: &Layer| matches!(&layer.op, Op::Conv(conv) if !conv.depthwise);
        if !self.layers.iter().any(of_use) {
            return Err(self
                .left
                .first()
                .cloned()
                .unwrap_or_else(|| "a network without convolutions".to_owned()));
        }
        let mut graph = Graph { layers: self.layers, outputs, levels: Vec::new(), scored };
        graph.sort();
        graph.prune();
        Ok(graph)
    }

    /// Whether the pixels of these layers can be computed where an output's rows are to lie.
    fn lies_row_by_row(&self, output: OutletId, laid: &Laid) -> bool {
        let layers = &laid.layers;
        let channels = |layer: LayerId| self.layers[layer].shape.channels;
        let of_others = |layer: &LayerId| {
            let others = self.model.outputs.iter().filter(|&&other| other != output);
            others
                .filter_map(|other| self.values.get(other))
                .any(|value| matches!(value, Value::Laid(laid) if laid.layers.contains(layer)))
        };
        laid.order() == Some(Order::Rows)
            && layers.iter().enumerate().all(|(place, layer)| {
                !matches!(self.layers[*layer].op, Op::Input | Op::Slice { .. })
                    && channels(*layer) == channels(layers[0])
                    && !layers[..place].contains(layer)
                    && !of_others(layer)
            })
    }

    /// All that tract has to do in a stage for these of its results.
    fn part(&self, stage: usize, wanted: Vec<OutletId>) -> Result<Part, Unknown> {
        let mut part = Part { pixels: Vec::new(), from_earlier: Vec::new(), wanted };
        let mut open = part.wanted.clone();
        let mut seen: HashSet<OutletId> = open.iter().copied().collect();
        while let Some(outlet) = open.pop() {
            match self.values.get(&outlet) {
                Some(&Value::Picture(layer)) => {
                    part.pixels.push((outlet, Laid::columns(vec![layer]), Order::Planes));
                }
                Some(&Value::Tract(earlier)) if earlier < stage => part.from_earlier.push((outlet, earlier)),
                Some(Value::Constant(_)) => {}
                Some(value) => {
                    if let Value::Laid(laid) = value
                        && let Some(order) = laid.order()
                    {
                        part.pixels.push((outlet, laid.clone(), order));
                        continue;
                    }
                    let inputs = &self.model.node(outlet.node).inputs;
                    open.extend(inputs.iter().copied().filter(|&input| seen.insert(input)));
                }
                None => return Err("a value that nothing makes".to_owned()),
            }
        }
        part.pixels.sort_unstable_by_key(|&(outlet, ..)| outlet);
        part.from_earlier.sort_unstable();
        Ok(part)
    }
}

/// The size of a picture of values with this shape, if it is one: `1 × channels × height × width`.
fn picture(shape: &[usize]) -> Option<Shape> {
    let &[1, channels, height, width] = shape else { return None };
    let values = height.checked_mul(width)?.checked_mul(channels)?;
    (1..=MOST_VALUES).contains(&values).then_some(Shape { height, width, channels })
}

/// What tract does in one stage.
#[derive(Debug)]
struct Part {
    /// What goes in of layers.
    pixels: Vec<(OutletId, Laid, Order)>,
    /// What comes from subgraphs of earlier stages, each with its stage.
    from_earlier: Vec<(OutletId, usize)>,
    /// What it has to give.
    wanted: Vec<OutletId>,
}
