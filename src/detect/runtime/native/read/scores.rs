//! Which layers lead to scores and which to boxes, where an object whose scores are all too low is not looked at.
//!
//! A network without an objectness gives scores and boxes for thousands of cells, and of nearly all of them the scores alone say
//! that there is nothing. The layers that lead to their boxes alone need not be computed there. This finds the layers whose
//! channels are the scores of an output, and those that the rest of the output is made of, cell by cell.

use std::collections::HashSet;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::{Slice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_hir::internal::{AxisOp, DimLike};

use super::super::graph::{LayerId, Shape};
use super::laid::{Laid, Order};
use super::{Reader, Value};
use crate::detect::heads::ScoreColumns;

/// Pairs of layers with the same pixels: one with all scores of its cells, and one that boxes, or what else is told of an
/// object, are made of. Empty where that cannot be told.
pub(super) fn scored(reader: &Reader<'_>, columns: ScoreColumns) -> Vec<(LayerId, LayerId)> {
    find(reader, columns).unwrap_or_default()
}

fn find(reader: &Reader<'_>, columns: ScoreColumns) -> Option<Vec<(LayerId, LayerId)>> {
    let outputs = &reader.model.outputs;
    let &outlet = outputs.get(columns.output)?;
    let mut open: Vec<OutletId> = outputs.iter().copied().filter(|&other| other != outlet).collect();
    let scores = match &reader.values[&outlet] {
        Value::Laid(laid) if columns.first == 0 => laid,
        _ => {
            let (scores, others) = beside(reader, outlet, columns)?;
            open.extend(others);
            scores
        }
    };
    let order = if columns.across { Order::Planes } else { Order::Rows };
    let shape = |layer: &LayerId| reader.layers[*layer].shape;
    if scores.order() != Some(order)
        || !scores.layers.iter().all(|layer| shape(layer).channels == columns.count)
    {
        return None;
    }
    let cells: usize = scores.layers.iter().map(|layer| shape(layer).height * shape(layer).width).sum();
    let mut pairs = Vec::new();
    let mut seen = HashSet::new();
    while let Some(outlet) = open.pop() {
        if !seen.insert(outlet) {
            continue;
        }
        match reader.values.get(&outlet)? {
            Value::Laid(laid) => pairs.extend(pairs_of(reader, scores, laid)),
            Value::Tract(_) => {
                stays_in_cell(reader, outlet, cells).then_some(())?;
                open.extend(&reader.model.node(outlet.node).inputs);
            }
            // Such as a picture of masks: no cell's own.
            Value::Picture(_) | Value::Sampled { .. } | Value::Constant(_) => {}
        }
    }
    Some(pairs)
}

/// The scores among what is put together for an output, and what stands beside them.
fn beside<'a>(
    reader: &'a Reader<'_>,
    outlet: OutletId,
    columns: ScoreColumns,
) -> Option<(&'a Laid, Vec<OutletId>)> {
    let node = reader.model.node(outlet.node);
    let concat = node.op.downcast_ref::<TypedConcat>()?;
    let mut first = 0;
    let mut scores = None;
    let mut others = Vec::new();
    for &input in &node.inputs {
        match reader.values.get(&input)? {
            Value::Laid(laid) if first == columns.first => scores = Some(laid),
            _ => others.push(input),
        }
        let shape = &reader.model.outlet_fact(input).ok()?.shape;
        first += shape.get(concat.axis)?.to_usize().ok()?;
    }
    Some((scores?, others))
}

/// Each layer of the scores with the layer of the same pixels, if all have one.
fn pairs_of(reader: &Reader<'_>, scores: &Laid, laid: &Laid) -> Vec<(LayerId, LayerId)> {
    let size = |layer: LayerId| {
        let Shape { height, width, .. } = reader.layers[layer].shape;
        (height, width)
    };
    let pairs = scores.layers.iter().copied().zip(laid.layers.iter().copied());
    match scores.layers.len() == laid.layers.len() && pairs.clone().all(|(a, b)| size(a) == size(b)) {
        true => pairs.collect(),
        false => Vec::new(),
    }
}

/// Whether an operation makes what it says of a cell of what was said of the same cell.
fn stays_in_cell(reader: &Reader<'_>, outlet: OutletId, cells: usize) -> bool {
    let node = reader.model.node(outlet.node);
    let length = |outlet: OutletId, axis: usize| {
        reader.model.outlet_fact(outlet).ok()?.shape.get(axis)?.to_usize().ok()
    };
    let other_axis = |axis: usize| {
        length(outlet, axis) != Some(cells)
            && node.inputs.iter().all(|&input| length(input, axis) != Some(cells))
    };
    let op = &node.op;
    op.is::<TypedBinOp>()
        || op.is::<ElementWiseOp>()
        || op.is::<AxisOp>()
        || op.downcast_ref::<Slice>().is_some_and(|slice| other_axis(slice.axis))
        || op.downcast_ref::<TypedConcat>().is_some_and(|concat| other_axis(concat.axis))
}
