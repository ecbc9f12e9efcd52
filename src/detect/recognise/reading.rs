//! How a model's numbers are read, whatever the size of its input.

use std::sync::Arc;

use super::appearance::Appearance;
use super::layouts::{Form, Part};
use crate::detect::heads::distances::{Distances, Level};
use crate::detect::heads::finished::{Column, Finished};
use crate::detect::heads::grid::Grid;
use crate::detect::heads::scored::Scored;
use crate::detect::heads::{Behind, ClassColumns, Head, Masks, Table};
use crate::detect::input_size::InputSize;
use crate::detect::model::{BoxForm, InputSpec, Layout, ModelSpec, OutputSpec, ScoreForm, Sizes};
use crate::detect::settings::DetectSettings;

/// What was recognised, why, and what was taken for granted.
#[derive(Debug, Clone)]
pub(in crate::detect) struct Reading {
    /// The family, for people.
    pub(in crate::detect) family: &'static str,
    /// What in the file told it.
    pub(in crate::detect) why: Vec<String>,
    /// What nothing in the file tells.
    pub(in crate::detect) assumed: Vec<String>,
    pub(in crate::detect) appearance: Appearance,
    /// Its outputs are read at any size of input, whatever size the file declares: it is all convolutions.
    pub(in crate::detect) any_size: bool,
    pub(in crate::detect) form: Form,
    pub(in crate::detect) boxes: BoxForm,
    pub(in crate::detect) scores: ScoreForm,
    pub(in crate::detect) classes: ClassColumns,
    /// It finds an object several times.
    pub(in crate::detect) nms: bool,
    /// Its makers take one box for several classes.
    pub(in crate::detect) several: bool,
}

impl Reading {
    /// That of YOLOX as its makers export it.
    pub(in crate::detect) fn yolox(classes: usize) -> Self {
        Self {
            family: "YOLOX",
            why: vec!["a row a cell with an objectness, and offsets for boxes".to_owned()],
            assumed: Vec::new(),
            appearance: Appearance::YOLOX,
            any_size: true,
            form: Form::Grid { output: 0 },
            boxes: BoxForm::GridOffsets,
            scores: ScoreForm::Probabilities,
            classes: ClassColumns::All(classes),
            nms: true,
            several: false,
        }
    }

    /// Takes over what the settings say.
    pub(super) fn apply(&mut self, settings: &DetectSettings) {
        let mut said = Vec::new();
        if let Some(family) = settings.family {
            self.family = family.name();
            self.appearance = family.appearance();
            said.push("family");
        }
        let look = &mut self.appearance;
        let mut set = |name: &'static str, set: bool| {
            if set {
                said.push(name);
            }
        };
        set("order", settings.order.inspect(|order| look.colour = *order).is_some());
        set("scale", settings.scale.inspect(|scale| look.scale = *scale).is_some());
        set("mean", settings.mean.inspect(|mean| look.mean = *mean).is_some());
        set("std", settings.std.inspect(|std| look.std = *std).is_some());
        set("fit", settings.fit.inspect(|fit| look.fit = *fit).is_some());
        set("boxes", settings.boxes.is_some());
        if !said.is_empty() {
            self.why.push(format!("detector.{}", said.join(", detector.")));
            self.assumed.clear();
        }
    }

    /// The head for one size of input, at which the outputs have these shapes.
    ///
    /// # Errors
    /// What does not go together, in a line: at another size a network may have other shapes.
    pub(in crate::detect) fn head(
        &self,
        (input, layout, sizes): (InputSize, Layout, Sizes),
        outputs: &[OutputSpec],
    ) -> Result<Arc<dyn Head>, String> {
        let mut used = self.outputs();
        used.sort_unstable();
        used.dedup();
        let of_file =
            |number: usize| outputs.get(number).ok_or_else(|| format!("it has no output number {number}"));
        let Appearance { colour, scale, mean, std, fit } = self.appearance;
        let spec = ModelSpec {
            input: InputSpec { size: input, sizes, layout, colour, scale, mean, std, fit },
            outputs: used.iter().map(|&number| of_file(number).cloned()).collect::<Result<_, _>>()?,
            boxes: self.boxes,
            scores: self.scores,
            objectness: matches!(self.form, Form::Grid { .. } | Form::Scored { objectness: Some(_), .. }),
            classes: self.classes.count(),
            nms: self.nms,
        };
        let place = |output: usize| used.iter().position(|&number| number == output).unwrap_or(0);
        let table = |part: Part| -> Result<Table, String> {
            let output = of_file(part.output)?;
            Table::of(place(part.output), output, part.across)
                .ok_or_else(|| format!("its output {} of {:?} is no table", output.name, output.shape))
        };
        let column = |(output, column): (usize, usize)| {
            Ok::<_, String>(Column { table: table(Part::rows(output))?, column })
        };
        let classes = self.classes;
        let placed = |behind: Behind, objects: usize| {
            let place_of = |masks: Masks| {
                let output = of_file(masks.output())?;
                if !masks.fits(output, objects) {
                    return Err(format!("its output {} of {:?} holds no masks", output.name, output.shape));
                }
                Ok(masks.with_output(place(masks.output())))
            };
            Ok::<_, String>(Behind { masks: behind.masks.map(place_of).transpose()?, ..behind })
        };
        Ok(match self.form {
            Form::Grid { .. } => Arc::new(Grid { spec }),
            Form::Scored { boxes, scores, first, objectness, behind } => {
                let (boxes, scores) = (table(boxes)?, table(scores)?);
                if boxes.objects != scores.objects {
                    return Err(format!("it has {} boxes and scores for {}", boxes.objects, scores.objects));
                }
                let behind = placed(behind, boxes.objects)?;
                Arc::new(Scored {
                    spec,
                    boxes,
                    scores,
                    first,
                    objectness,
                    classes,
                    behind,
                    several: self.several,
                })
            }
            Form::Finished { boxes, score, class, count, behind } => {
                let (boxes, score, class) = (column(boxes)?, column(score)?, column(class)?);
                let (count, behind) = (count.map(place), placed(behind, boxes.table.objects)?);
                Arc::new(Finished { spec, boxes, score, class, count, classes, behind })
            }
            Form::Distances { part, cells, first_score, first, bins, offset } => {
                let table = table(part)?;
                let mut row = 0;
                let levels = cells.strides.iter().map(|&stride| {
                    let level = Level { stride, scores: (table, row), distances: (table, row) };
                    row += input.width().div_ceil(stride) * input.height().div_ceil(stride);
                    level
                });
                let levels = levels.collect();
                if row != table.objects {
                    return Err(format!("it has {} rows where its grids have {row} cells", table.objects));
                }
                Arc::new(Distances { spec, levels, first_score, first, bins, offset, classes })
            }
            Form::DistancesByStride { scores, distances, cells, bins, offset } => {
                let all = cells.strides.iter().zip(scores).zip(distances);
                let levels = all.map(|((&stride, scores), distances)| {
                    Ok::<_, String>(Level {
                        stride,
                        scores: (table(scores)?, 0),
                        distances: (table(distances)?, 0),
                    })
                });
                let levels = levels.collect::<Result<_, _>>()?;
                Arc::new(Distances { spec, levels, first_score: 0, first: 0, bins, offset, classes })
            }
        })
    }

    /// The numbers of the outputs that are read.
    fn outputs(&self) -> Vec<usize> {
        let of_masks = |behind: Behind| behind.masks.map(Masks::output);
        match self.form {
            Form::Grid { output } => vec![output],
            Form::Scored { boxes, scores, behind, .. } => {
                [boxes.output, scores.output].into_iter().chain(of_masks(behind)).collect()
            }
            Form::Finished { boxes, score, class, count, behind } => {
                [boxes.0, score.0, class.0].into_iter().chain(count).chain(of_masks(behind)).collect()
            }
            Form::Distances { part, .. } => vec![part.output],
            Form::DistancesByStride { scores, distances, cells, .. } => {
                let count = cells.strides.len();
                scores
                    .iter()
                    .take(count)
                    .chain(distances.iter().take(count))
                    .map(|part| part.output)
                    .collect()
            }
        }
    }
}
