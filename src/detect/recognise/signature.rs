//! What is known of a model before its meaning is known.

use std::cell::OnceCell;

use super::probe::{self, Cells};
use crate::detect::file::ModelFile;
use crate::detect::heads::{Masks, Table};
use crate::detect::input_size::InputSize;
use crate::detect::model::{BoxForm, OutputSpec};
use crate::detect::settings::DetectSettings;

/// How many names of classes there are, and where they are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Names {
    /// The settings or the model's file give so many.
    Given(usize),
    /// Nobody gives any: the 80 of COCO, if that goes with the model.
    Assumed,
}

impl Names {
    /// How many.
    pub(in crate::detect) fn count(self) -> usize {
        match self {
            Self::Given(count) => count,
            Self::Assumed => 80,
        }
    }
}

/// What a run on the smooth picture gave, by output; why not, where it failed.
pub(in crate::detect) type Probe<'a> = dyn Fn() -> Result<Vec<Vec<f32>>, String> + 'a;

/// A model at one size of input.
pub(in crate::detect) struct Signature<'a> {
    pub(in crate::detect) input: InputSize,
    /// Its outputs in the order of the file; no shape where it is not fixed, or not one of floats.
    pub(in crate::detect) outputs: Vec<OutputSpec>,
    pub(in crate::detect) names: Names,
    /// What is said of the model.
    pub(in crate::detect) settings: &'a DetectSettings,
    pub(in crate::detect) file: &'a ModelFile,
    /// The outputs of the file before it was cut ahead of its suppression, and whether what is left is the boxes and the
    /// scores that went into it; nothing where it was not cut.
    pub(in crate::detect) cut: Option<(&'a [String], bool)>,
    /// The run on a smooth picture; made when it is first asked for.
    pub(in crate::detect) probe: &'a Probe<'a>,
    pub(in crate::detect) probed: OnceCell<Result<Vec<Vec<f32>>, String>>,
}

impl Signature<'_> {
    /// The values of an output in a run on a smooth picture.
    pub(super) fn values(&self, output: usize) -> Result<&[f32], String> {
        let all = self.probed.get_or_init(|| (self.probe)()).as_ref().map_err(Clone::clone)?;
        all.get(output).map(Vec::as_slice).ok_or_else(|| format!("it gave no output number {output}"))
    }

    /// The form of the boxes in the first four columns of a table: as the settings say, else by their values in a run on a
    /// smooth picture; `None` where they are not decoded.
    pub(super) fn box_form(&self, table: &Table, cells: Option<Cells>) -> Result<Option<BoxForm>, String> {
        match self.settings.boxes {
            Some(BoxForm::GridOffsets) => Ok(None),
            Some(form) => Ok(Some(form)),
            None => Ok(probe::box_form(table, self.values(table.output)?, cells, self.input)),
        }
    }

    /// The name of an output in small letters.
    pub(super) fn name(&self, output: usize) -> String {
        self.outputs.get(output).map(|output| output.name.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Whether an output holds whole numbers in the file.
    pub(super) fn is_whole(&self, output: usize) -> bool {
        self.outputs.get(output).is_some_and(|output| self.file.whole.contains(&output.name))
    }

    /// An output as a table with an object in each row of the file; `None` where it is none.
    pub(super) fn rows(&self, output: usize) -> Option<Table> {
        Table::of(output, self.outputs.get(output)?, false)
    }

    /// The same with an object in each column.
    pub(super) fn columns(&self, output: usize) -> Option<Table> {
        Table::of(output, self.outputs.get(output)?, true)
    }

    /// The masks that are made of prototypes, of which the output and the number are given, and factors from this column on; `None`
    /// where nobody wants masks.
    pub(super) fn masks(&self, prototypes: Option<(usize, usize)>, first: usize) -> Option<Masks> {
        let (output, count) = prototypes.filter(|_| self.settings.masks)?;
        Some(Masks::Prototypes { output, first, count })
    }

    /// Whether the graph has this operator.
    pub(super) fn has_op(&self, op: &str) -> bool {
        self.file.ops.contains(op)
    }

    /// Whether one of the file's own outputs has a name with this in it, also where it was cut away.
    pub(super) fn ends_in(&self, part: &str) -> bool {
        let cut_away = self.cut.map(|(names, _)| names).unwrap_or_default().iter();
        let there = self.outputs.iter().map(|output| &output.name);
        cut_away.chain(there).any(|name| name.to_ascii_lowercase().contains(part))
    }
}
