//! The YOLOX family (Ge et al. 2021, arXiv:2107.08430): one output `[1, cells, 5 + C]`, a row a cell of three grids of strides
//! 8, 16 and 32, as the makers' exporter writes it: boxes as offsets in their cell, scores already probabilities.
//!
//! The exporter's option `--decode_in_inference` puts boxes in pixels of the input into the same places. Shapes cannot tell the
//! two apart, values can (`is_decoded`).

use std::sync::Arc;

use super::{Candidates, Head, Recognised, STRIDES, Signature, cells};
use crate::detect::model::{BoxForm, ColourOrder, Fit, InputSpec, ModelSpec, ScoreForm, Sizes};
use crate::detect::runtime::Outputs;

/// Centre x, centre y, width, height, objectness; the class scores follow.
const BOX_VALUES: usize = 5;
/// Which of them is the objectness.
const OBJECTNESS: usize = 4;
/// Offsets are within a few cells, and the logarithm of a size in cells is below 6 up to an input of 3200 pixels; of a box in
/// pixels at least one value is above this, but for a speck in the top-left corner.
const LARGEST_OFFSET: f32 = 10.0;

/// The head of a YOLOX network.
#[derive(Debug)]
pub struct Yolox {
    spec: ModelSpec,
}

/// Whether a model is of this family. Outputs behind the first do not matter.
pub(super) fn recognise(signature: &Signature) -> Option<Recognised> {
    let output = signature.outputs.first()?;
    let classes = match *output.shape.as_slice() {
        // With one value less a row is a box and the scores of these very classes: another family, turned round.
        [1, _, length] if length == BOX_VALUES - 1 + signature.classes => return None,
        [1, found, length] if found == cells(signature.input) && length > BOX_VALUES => length - BOX_VALUES,
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
            colour: ColourOrder::Bgr,
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            fit: Fit::LetterboxTopLeft(114),
        },
        outputs: vec![output.clone()],
        boxes: BoxForm::GridOffsets,
        scores: ScoreForm::Probabilities,
        objectness: true,
        classes,
        nms: true,
    };
    Some(Recognised::Head(Arc::new(Yolox { spec })))
}

/// What models of this family look like, for people.
pub(super) fn expected(signature: &Signature) -> String {
    let (cells, length) = (cells(signature.input), BOX_VALUES + signature.classes);
    format!("one output of 1×{cells}×{length} (YOLOX)")
}

impl Head for Yolox {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn early_threshold(&self) -> Option<usize> {
        Some(OBJECTNESS)
    }

    /// A row holds `dx, dy, dw, dh, objectness, class scores…`; with the cell at column `gx`, row `gy` of a grid of stride
    /// `s`, the centre is `(dx + gx)·s, (dy + gy)·s`, the size `exp(dw)·s × exp(dh)·s`, and the score the objectness times
    /// the best class score.
    ///
    /// Where the boxes are decoded already, the first four are the centre and the size.
    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let input = self.spec.input.size;
        let mut rows = outputs.at(0)?.values.chunks_exact(BOX_VALUES + self.spec.classes);
        let decoded = is_decoded(rows.clone(), found.confidence());
        for stride in STRIDES {
            for gy in 0..input.height() / stride {
                for gx in 0..input.width() / stride {
                    let Some(row) = rows.next() else { return Err("too few rows".to_owned()) };
                    let &[dx, dy, dw, dh, objectness, ref classes @ ..] = row else { continue };
                    // Class scores are at most 1, so that most cells end here.
                    if objectness.is_nan() || objectness < found.confidence() {
                        continue;
                    }
                    let Some((class, class_score)) = found.best(classes.iter().copied()) else { continue };
                    if decoded {
                        found.push([dx, dy, dw, dh], objectness * class_score, class);
                        continue;
                    }
                    let s = stride as f32;
                    let (x, y) = ((dx + gx as f32) * s, (dy + gy as f32) * s);
                    found.push([x, y, dw.exp() * s, dh.exp() * s], objectness * class_score, class);
                }
            }
        }
        Ok(())
    }
}

/// Whether the rows of a picture hold boxes in pixels of the input rather than offsets: by the greater part of the rows whose
/// objectness reaches the threshold, as only those are sure to be of this picture.
fn is_decoded<'a>(rows: impl Iterator<Item = &'a [f32]>, confidence: f32) -> bool {
    let strong = rows.filter(|row| row.get(OBJECTNESS).is_some_and(|objectness| *objectness >= confidence));
    let votes = strong.map(|row| {
        let pixels = row.iter().take(OBJECTNESS).any(|value| value.is_finite() && *value > LARGEST_OFFSET);
        if pixels { 1_i64 } else { -1 }
    });
    votes.sum::<i64>() > 0
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decoded, signature};
    use super::*;
    use crate::detect::input_size::InputSize;
    use crate::detection::Detections;
    use crate::geometry::Rect;
    use proptest::prelude::*;

    /// What two classes' rows at an input of 64×32 mean.
    fn decode_all(output: &[f32], wanted: [bool; 2], confidence: f32, scale: f32) -> Detections {
        let Some(Recognised::Head(head)) = recognise(&signature(&[&[1, 42, 7]], 2)) else {
            panic!("not recognised");
        };
        decoded(&*head, &[output], &wanted, (confidence, scale))
    }

    #[test]
    fn a_row_of_each_grid_lands_where_it_should() {
        assert_eq!(cells(InputSize::new(64, 32).unwrap()), 8 * 4 + 4 * 2 + 2);
        let mut output = vec![0.0; 42 * 7];
        // Stride 8, column 3, row 2: 24 + 4 and 16 + 4 input pixels, twice a stride across, once down.
        output[(2 * 8 + 3) * 7..][..7].copy_from_slice(&[0.5, 0.5, 2f32.ln(), 0.0, 0.8, 0.25, 0.5]);
        // Stride 32, column 1, row 0.
        output[(32 + 8 + 1) * 7..][..7].copy_from_slice(&[0.0, 0.5, 0.0, 0.0, 0.9, 1.0, 0.5]);
        let found = decode_all(&output, [true; 2], 0.3, 0.1);
        assert_eq!(found.len(), 2);
        assert!((found[0].score - 0.4).abs() < 1e-6 && found[0].class == 1);
        assert!(found[0].rect.iou(&Rect::new(200.0, 160.0, 160.0, 80.0)) > 0.999);
        assert!((found[1].score - 0.9).abs() < 1e-6 && found[1].class == 0);
        assert!(found[1].rect.iou(&Rect::new(160.0, 0.0, 320.0, 320.0)) > 0.999);
        assert_eq!(decode_all(&output, [true; 2], 0.5, 0.1).len(), 1);
    }

    #[test]
    fn boxes_that_are_decoded_already_are_told_by_their_values() {
        let mut offsets = vec![0f32; 42 * 7];
        // A cell of each grid, the first in the corner; and the same boxes in pixels.
        offsets[..7].copy_from_slice(&[0.9, 0.9, 0.5, 0.5, 0.9, 0.9, 0.1]);
        offsets[(3 * 8 + 7) * 7..][..7].copy_from_slice(&[-2.0, 0.2, 2.0, 1.0, 0.8, 0.1, 0.9]);
        offsets[(32 + 8 + 1) * 7..][..7].copy_from_slice(&[0.1, 0.5, 0.7, -0.2, 0.9, 0.8, 0.2]);
        let mut pixels = offsets.clone();
        for (row, cell, stride) in [(0, [0.0, 0.0], 8.0), (31, [7.0, 3.0], 8.0), (41, [1.0, 0.0], 32.0)] {
            let values = &mut pixels[row * 7..];
            for i in 0..2 {
                values[i] = (values[i] + cell[i]) * stride;
                values[i + 2] = values[i + 2].exp() * stride;
            }
        }
        let (raw, ready) =
            (decode_all(&offsets, [true; 2], 0.3, 0.5), decode_all(&pixels, [true; 2], 0.3, 0.5));
        assert_eq!(raw.len(), 3);
        for (raw, ready) in raw.iter().zip(ready.iter()) {
            assert!(raw.rect.iou(&ready.rect) > 0.999 && raw.class == ready.class, "{raw:?} {ready:?}");
        }
        assert_eq!(raw.len(), ready.len());
        // What lies below the threshold may be of an earlier picture, and has no say.
        pixels.chunks_exact_mut(7).for_each(|row| row[OBJECTNESS] = 0.0);
        pixels[..7].copy_from_slice(&offsets[..7]);
        assert!(!is_decoded(pixels.chunks_exact(7), 0.3));
    }

    #[test]
    fn an_unwanted_class_leaves_room_for_the_next_best() {
        let mut output = vec![0.0; 42 * 7];
        output[..7].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 1.0, 0.9, 0.6]);
        let found = decode_all(&output, [false, true], 0.3, 1.0);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].class, found[0].score), (1, 0.6));
    }

    #[test]
    fn rows_without_objectness_are_not_taken_for_ours() {
        assert!(recognise(&signature(&[&[1, 42, 84]], 80)).is_none());
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(values in prop::collection::vec(any::<f32>(), 42 * 7)) {
            for found in &decode_all(&values, [true; 2], 0.1, 0.1) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
