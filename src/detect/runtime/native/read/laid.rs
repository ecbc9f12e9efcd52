//! The pixels of several layers as one tensor of tract's, whatever the order of its axes.
//!
//! At the end of a model the values of several layers are laid out one behind the other, taken apart, turned and put together:
//! `1 × channels × pixels`, `1 × pixels × channels`, `1 × 4 × 16 × pixels`. None of this changes a value. It is followed here
//! axis by axis, so that what is done to the values in the end can be done where they lie.

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::{AxisOp, DimLike};

use super::super::graph::LayerId;

/// What an axis of a tensor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// One thing.
    One,
    /// The pixels of all layers, one behind the other, row by row.
    Pixels,
    /// The rows of the only layer.
    Down,
    /// The columns of the only layer.
    Across,
    /// The channels of a pixel.
    Channels,
    /// Groups of so many channels.
    Groups(usize),
    /// The channels of a group, so many.
    InGroup(usize),
}

/// Pixels of layers with equally many channels, laid out in a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) layers: Vec<LayerId>,
    pub(super) axes: Vec<Axis>,
    /// A softmax over the channels of each group is still to be done.
    pub(super) softmax: bool,
}

/// The order in which values lie in a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// All pixels of a channel, then of the next.
    Planes,
    /// All channels of a pixel, then of the next.
    Rows,
}

impl Laid {
    /// `1 × channels × height × width`.
    pub(super) fn picture(layer: LayerId) -> Self {
        let axes = vec![Axis::One, Axis::Channels, Axis::Down, Axis::Across];
        Self { layers: vec![layer], axes, softmax: false }
    }

    /// `1 × channels × pixels`.
    pub(super) fn columns(layers: Vec<LayerId>) -> Self {
        Self { layers, axes: vec![Axis::One, Axis::Channels, Axis::Pixels], softmax: false }
    }

    /// The same layout of other layers.
    pub(super) fn of(&self, layers: Vec<LayerId>) -> Self {
        Self { layers, ..self.clone() }
    }

    /// The order of its values; `None` where it is neither, or where something is still to be done to them.
    pub(super) fn order(&self) -> Option<Order> {
        let mut axes: Vec<Axis> = Vec::new();
        for &axis in self.axes.iter().filter(|axis| **axis != Axis::One) {
            // What belongs together counts as the one that it is.
            match (axes.last_mut(), axis) {
                (Some(last @ Axis::Down), Axis::Across) => *last = Axis::Pixels,
                (Some(last @ Axis::Groups(_)), Axis::InGroup(_)) => *last = Axis::Channels,
                _ => axes.push(axis),
            }
        }
        match axes.as_slice() {
            _ if self.softmax => None,
            [Axis::Channels, Axis::Pixels] => Some(Order::Planes),
            [Axis::Pixels, Axis::Channels] => Some(Order::Rows),
            _ => None,
        }
    }

    /// The same after its axes were turned, taken apart or put together; `None` where the result is not known.
    pub(super) fn turned(&self, op: &AxisOp) -> Option<Self> {
        let mut axes = self.axes.clone();
        match op {
            AxisOp::Add(at) if *at <= axes.len() => axes.insert(*at, Axis::One),
            AxisOp::Rm(at) if axes.get(*at) == Some(&Axis::One) => {
                axes.remove(*at);
            }
            AxisOp::Move(from, to) if *from < axes.len() && *to < axes.len() => {
                let axis = axes.remove(*from);
                axes.insert(*to, axis);
            }
            AxisOp::Reshape(at, from, to) => {
                let (from, to) = (sizes(from)?, sizes(to)?);
                let replaced = axes.get(*at..at.checked_add(from.len())?)?;
                let new = reshaped(replaced, &from, &to)?;
                axes.splice(*at..at + from.len(), new);
            }
            _ => return None,
        }
        Some(Self { axes, ..self.clone() })
    }

    /// The same with a softmax over these axes still to be done; `None` where they are not the channels of each group.
    pub(super) fn with_softmax(&self, axes: &[usize]) -> Option<Self> {
        let &[axis] = axes else { return None };
        let in_group = matches!(self.axes.get(axis), Some(Axis::InGroup(_)));
        (in_group && !self.softmax).then(|| Self { softmax: true, ..self.clone() })
    }

    /// What it is once each group is one value, along an axis that stays with length 1.
    pub(super) fn without_groups(&self, layers: Vec<LayerId>) -> Self {
        let axes = self.axes.iter().map(|axis| match axis {
            Axis::InGroup(_) => Axis::One,
            Axis::Groups(_) => Axis::Channels,
            axis => *axis,
        });
        Self { layers, axes: axes.collect(), softmax: false }
    }
}

/// The axes of these sizes after a reshape to those; `None` where an axis would count something that has no name here.
fn reshaped(axes: &[Axis], from: &[usize], to: &[usize]) -> Option<Vec<Axis>> {
    let mut old =
        axes.iter().copied().zip(from.iter().copied()).filter(|(axis, _)| *axis != Axis::One).peekable();
    let mut to = to.iter().copied();
    let mut new = Vec::new();
    while let Some(size) = to.next() {
        if size == 1 {
            new.push(Axis::One);
            continue;
        }
        let (axis, of) = old.next()?;
        match (axis, old.peek().copied()) {
            (axis, _) if of == size => new.push(axis),
            (Axis::Channels, _) if of.is_multiple_of(size) && to.next() == Some(of / size) => {
                new.extend([Axis::Groups(size), Axis::InGroup(of / size)]);
            }
            (Axis::Groups(_), Some((Axis::InGroup(_), each))) if of.checked_mul(each) == Some(size) => {
                old.next();
                new.push(Axis::Channels);
            }
            (Axis::Down, Some((Axis::Across, width))) if of.checked_mul(width) == Some(size) => {
                old.next();
                new.push(Axis::Pixels);
            }
            _ => return None,
        }
    }
    old.next().is_none().then_some(new)
}

fn sizes(dims: &[TDim]) -> Option<Vec<usize>> {
    dims.iter().map(|dim| dim.to_usize().ok()).collect()
}
