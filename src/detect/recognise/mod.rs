//! Recognising a model: from what its file has to how its numbers are read.
//!
//! A file does not say of which family it is. What there is to go by is told in this order, the surest first: operators and
//! tasks that are no detection; inputs beside the picture; the number, shapes and kinds of the outputs, by which a `rule` below
//! finds its layout; what the exporter wrote of it; and, where that leaves more than one meaning, one run on a smooth picture
//! ([`probe`]). Names of outputs count only where shapes agree, for some exporters name boxes `logits`. What nothing in the
//! file tells, the picture's range and order of colours, is taken from the family, and said.
//!
//! What comes of it is a [`Reading`], which does not depend on the size of the input; [`Reading::head`] makes the head for one.

mod appearance;
mod dense;
mod finished;
mod layouts;
mod probe;
mod reading;
mod rules;
mod signature;

use super::file::{Cut, Cuts, ModelFile};
use super::input_size::InputSize;
use super::model::OutputSpec;

pub(super) use probe::picture as probe_picture;
pub(super) use reading::Reading;
pub(super) use signature::{Names, Signature};

/// Why a model has no reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Unknown {
    /// It tells this number of classes apart, and there is another number of names.
    Classes(usize),
    /// It does something else, or the way it was exported cannot be read: why, and what to do.
    Refused(String),
    /// Nothing is known that looks like it.
    Other,
}

/// How a model is to be read; what the settings say of it counts more than what is recognised.
pub(super) fn recognise(signature: &Signature<'_>) -> Result<Reading, Unknown> {
    rules::refused(signature)?;
    for rule in rules::ALL {
        if let Some(mut reading) = rule(signature)? {
            reading.apply(signature.settings);
            return Ok(reading);
        }
    }
    Err(Unknown::Other)
}

/// Where to cut a model ahead of its suppression: at the last table of boxes that everything goes through, else at the boxes and
/// the scores that go into it. `names` is how many classes there are names for; `shapes` has the outputs of a model typed at the
/// size of `input`. `None` where nothing fits.
pub(super) fn choose_cut<E>(
    file: &ModelFile,
    cuts: &Cuts,
    (input, names): (InputSize, usize),
    shapes: impl Fn(&ModelFile) -> Result<Vec<OutputSpec>, E>,
) -> Option<Cut> {
    let typed = |values: &[String]| {
        let cut = Cut { outputs: values.to_vec(), pair: false };
        if values.is_empty() { Vec::new() } else { shapes(&file.cut(&cut)).unwrap_or_default() }
    };
    let is_table = |output: &&OutputSpec| match output.shape.as_slice() {
        [1, a, b] => a.min(b) > &4 && [a, b].into_iter().any(|&side| probe::Cells::of(side, input).is_some()),
        _ => false,
    };
    if let Some(table) = typed(&cuts.tables).iter().find(is_table) {
        return Some(Cut { outputs: vec![table.name.clone()], pair: false });
    }
    let pair = |boxes: &OutputSpec, scores: &OutputSpec| {
        Some(Cut { outputs: vec![boxes.name.clone(), scores.name.clone()], pair: true })
    };
    // Scores of every class, and boxes of as many objects.
    let (all_boxes, all_scores) = (typed(&cuts.boxes), typed(&cuts.scores));
    let fits = |columns: usize| {
        columns == names || columns == names + 1 || names == 80 && matches!(columns, 90 | 91)
    };
    let of_scores = |output: &OutputSpec| match *output.shape.as_slice() {
        [1, classes, objects] if fits(classes) && objects > 4 => Some(objects),
        [1, objects, classes] if fits(classes) && objects > 4 => Some(objects),
        _ => None,
    };
    let scores =
        all_scores.iter().enumerate().find_map(|(step, output)| Some((step, output, of_scores(output)?)));
    if let Some((step, scores, objects)) = scores {
        let mut boxes = all_boxes.iter().filter(|output| output.shape == [1, objects, 4]);
        // Where only the best score went in, the boxes are moved to a place of their class; before that they are not.
        let boxes = if step == 0 { boxes.next() } else { boxes.next_back() };
        return boxes.and_then(|boxes| pair(boxes, scores));
    }
    match (all_boxes.first(), all_scores.first()) {
        (Some(boxes), Some(scores)) if scores.shape.get(1).is_some_and(|classes| *classes > 1) => {
            pair(boxes, scores)
        }
        _ => None,
    }
}

/// What models of all families look like, for people, at this input and with so many names.
pub(super) fn expected(signature: &Signature<'_>) -> String {
    let classes = signature.names.count();
    let cells: usize = [8, 16, 32]
        .into_iter()
        .map(|stride| signature.input.width().div_ceil(stride) * signature.input.height().div_ceil(stride))
        .sum();
    format!(
        "one of: one output of 1×{cells}×{} (YOLOX, YOLOv5); one output of 1×{}×{cells} or 1×{cells}×{1} (YOLOv8 and later); \
         boxes of 1×N×4 and scores of 1×N×{classes} (YOLO-NAS, DETR and its heirs); rows of 6 (box, score, class); \
         boxes, scores and labels",
        5 + classes,
        4 + classes,
    )
}
