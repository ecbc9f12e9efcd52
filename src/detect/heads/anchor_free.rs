//! Anchor-free networks without objectness: one column a cell, `[1, 4 + C, cells]`, with centre x, centre y, width, height in
//! pixels of the input and one score a class. YOLOv8 and what came after it (Jocher et al. 2023; the split head is that of
//! Li et al. 2022, "YOLOv6", arXiv:2209.02976).
//!
//! What shapes do not tell is taken to be as these networks are exported: red first, levels from 0 to 1, the picture in the
//! middle with 114 around it, boxes already decoded, scores already probabilities.

use std::sync::Arc;

use super::{Candidates, Head, Recognised, Signature, cells};
use crate::detect::model::{BoxForm, ColourOrder, Fit, InputSpec, ModelSpec, ScoreForm, Sizes};
use crate::detect::runtime::Outputs;

/// Centre x, centre y, width, height; the class scores follow.
const BOX_VALUES: usize = 4;

/// The head of a network with one output of `[1, 4 + C, cells]`.
#[derive(Debug)]
pub struct AnchorFree {
    spec: ModelSpec,
}

/// Whether a model is of this family.
pub(super) fn recognise(signature: &Signature) -> Option<Recognised> {
    let [output] = signature.outputs.as_slice() else { return None };
    let cells = cells(signature.input);
    let classes = match *output.shape.as_slice() {
        [1, length, found] if found == cells && length > BOX_VALUES => length - BOX_VALUES,
        _ => return None,
    };
    if classes != signature.classes {
        return Some(Recognised::Classes(classes));
    }
    let spec = ModelSpec {
        input: InputSpec {
            size: signature.input,
            sizes: Sizes::MultipleOf(32),
            layout: signature.layout,
            colour: ColourOrder::Rgb,
            scale: 1.0 / 255.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            fit: Fit::LetterboxCentred(114),
        },
        outputs: signature.outputs.clone(),
        boxes: BoxForm::CentreSize,
        scores: ScoreForm::Probabilities,
        objectness: false,
        classes,
        nms: true,
    };
    Some(Recognised::Head(Arc::new(AnchorFree { spec })))
}

/// What models of this family look like, for people.
pub(super) fn expected(signature: &Signature) -> String {
    let (length, cells) = (BOX_VALUES + signature.classes, cells(signature.input));
    format!("one output of 1×{length}×{cells} (anchor-free)")
}

impl Head for AnchorFree {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let output = outputs.at(0)?;
        let cells = cells(self.spec.input.size);
        let (boxes, scores) = output.values.split_at_checked(BOX_VALUES * cells).ok_or("too few values")?;
        for cell in 0..cells {
            let column = |values: &[f32], row: usize| values.get(row * cells + cell).copied();
            let column_of_scores = (0..self.spec.classes).filter_map(|class| column(scores, class));
            let Some((class, score)) = found.best(column_of_scores) else { continue };
            if score >= found.confidence() {
                let centre_size = [0, 1, 2, 3].map(|row| column(boxes, row).unwrap_or(f32::NAN));
                found.push(centre_size, score, class);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decoded, signature};
    use super::*;
    use crate::geometry::Rect;
    use proptest::prelude::*;

    const CELLS: usize = 42;

    fn head(classes: usize) -> Arc<dyn Head> {
        match recognise(&signature(&[&[1, BOX_VALUES + classes, CELLS]], classes)) {
            Some(Recognised::Head(head)) => head,
            _ => panic!("not recognised"),
        }
    }

    #[test]
    fn columns_are_boxes_and_the_best_wanted_class_counts() {
        let mut values = vec![0.0; 6 * CELLS];
        for (row, value) in [20.0, 10.0, 8.0, 4.0, 0.9, 0.7].into_iter().enumerate() {
            values[row * CELLS + 5] = value;
        }
        let found = decoded(&*head(2), &[&values], &[true, true], (0.5, 0.5));
        assert_eq!((found.len(), found[0].rect), (1, Rect::new(32.0, 16.0, 16.0, 8.0)));
        assert_eq!((found[0].class, found[0].score), (0, 0.9));
        let second = decoded(&*head(2), &[&values], &[false, true], (0.5, 0.5));
        assert_eq!((second[0].class, second[0].score), (1, 0.7));
        assert!(decoded(&*head(2), &[&values], &[true, true], (0.95, 0.5)).is_empty());
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(values in prop::collection::vec(any::<f32>(), CELLS * 6)) {
            for found in &decoded(&*head(2), &[&values], &[true, true], (0.1, 0.1)) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
