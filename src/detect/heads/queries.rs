//! Networks that answer a fixed number of queries, an object or nothing each: two outputs, `[1, N, C + 1]` logits of the
//! classes with "none" as the last, and `[1, N, 4]` centre x, centre y, width, height as shares of the input. No object is found
//! twice, so that nothing is suppressed. DETR (Carion et al. 2020, arXiv:2005.12872).
//!
//! What shapes do not tell is taken to be as DETR was trained: red first, ImageNet's mean and deviation, the picture stretched
//! to the input, a softmax over all classes.

use std::sync::Arc;

use super::{Candidates, Head, Recognised, Signature};
use crate::detect::model::{BoxForm, ColourOrder, Fit, InputSpec, ModelSpec, ScoreForm, Sizes};
use crate::detect::runtime::Outputs;

/// The head of a network with logits and boxes by query.
#[derive(Debug)]
pub struct Queries {
    spec: ModelSpec,
    /// Which output holds the logits, and which the boxes.
    logits: usize,
    boxes: usize,
}

/// Whether a model is of this family. Where both outputs have four columns they cannot be told apart, and it is not.
pub(super) fn recognise(signature: &Signature) -> Option<Recognised> {
    let [a, b] = signature.outputs.as_slice() else { return None };
    let (logits, boxes) = match (a.shape.as_slice(), b.shape.as_slice()) {
        ([1, _, 4], [1, _, 4]) => return None,
        ([1, n, classes], [1, m, 4]) if n == m && *classes > 1 => (0, 1),
        ([1, m, 4], [1, n, classes]) if n == m && *classes > 1 => (1, 0),
        _ => return None,
    };
    let classes = signature.outputs[logits].shape[2] - 1;
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
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            fit: Fit::Stretch,
        },
        outputs: signature.outputs.clone(),
        boxes: BoxForm::CentreSizeShares,
        scores: ScoreForm::SoftmaxLogits,
        objectness: false,
        classes,
        nms: false,
    };
    Some(Recognised::Head(Arc::new(Queries { spec, logits, boxes })))
}

/// What models of this family look like, for people.
pub(super) fn expected(signature: &Signature) -> String {
    format!("two outputs of 1×N×{} and 1×N×4 (queries)", signature.classes + 1)
}

impl Head for Queries {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let (logits, boxes) = (outputs.at(self.logits)?.values, outputs.at(self.boxes)?.values);
        let (width, height) = self.spec.input.size.size();
        let [width, height] = [width, height].map(|side| side as f32);
        for (logits, &[x, y, w, h]) in logits.chunks_exact(self.spec.classes + 1).zip(boxes.as_chunks().0) {
            let Some((class, logit)) = found.best(logits[..self.spec.classes].iter().copied()) else {
                continue;
            };
            // Relative to the largest, so that no power overflows.
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = logits.iter().map(|other| (other - largest).exp()).sum();
            found.push([x * width, y * height, w * width, h * height], (logit - largest).exp() / sum, class);
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

    fn head(shapes: &[&[usize]]) -> Arc<dyn Head> {
        match recognise(&signature(shapes, 2)) {
            Some(Recognised::Head(head)) => head,
            _ => panic!("not recognised"),
        }
    }

    #[test]
    fn a_query_is_an_object_or_nothing_whatever_the_order_of_the_outputs() {
        let logits = [0.0, 2f32.ln(), 0.0, /* nothing */ 0.0, 0.0, 9.0];
        let boxes = [0.5, 0.5, 0.25, 0.5, 0.1, 0.1, 0.1, 0.1];
        let one = decoded(&*head(&[&[1, 2, 3], &[1, 2, 4]]), &[&logits, &boxes], &[true; 2], (0.3, 1.0));
        let other = decoded(&*head(&[&[1, 2, 4], &[1, 2, 3]]), &[&boxes, &logits], &[true; 2], (0.3, 1.0));
        assert_eq!(one, other);
        // Of an input of 64×32.
        assert_eq!((one.len(), one[0].rect, one[0].class), (1, Rect::new(24.0, 8.0, 16.0, 16.0), 1));
        assert!((one[0].score - 0.5).abs() < 1e-6, "2 of 1 + 2 + 1");
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(
            logits in prop::collection::vec(any::<f32>(), 30), boxes in prop::collection::vec(any::<f32>(), 40)
        ) {
            let head = head(&[&[1, 10, 3], &[1, 10, 4]]);
            for found in &decoded(&*head, &[&logits, &boxes], &[true; 2], (0.1, 0.1)) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
