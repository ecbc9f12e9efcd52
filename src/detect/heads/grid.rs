//! Offsets in the cells of a grid: the YOLOX family (Ge et al. 2021, arXiv:2107.08430) as its makers' exporter writes it. One
//! output `[1, cells, 5 + C]`, a row a cell of three grids of strides 8, 16 and 32; scores are probabilities already.
//!
//! With the exporter's option `--decode_in_inference` boxes in pixels of the input stand in the same places: those are
//! [`Scored`](super::scored::Scored) like many others. Shapes cannot tell the two apart, values can.

use super::{Candidates, Head, STRIDES};
use crate::detect::model::ModelSpec;
use crate::detect::runtime::Outputs;

/// Centre x, centre y, width, height, objectness; the class scores follow.
const BOX_VALUES: usize = 5;
/// Which of them is the objectness.
const OBJECTNESS: usize = 4;

/// The head of a YOLOX network.
#[derive(Debug)]
pub(in crate::detect) struct Grid {
    pub(in crate::detect) spec: ModelSpec,
}

impl Head for Grid {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn early_threshold(&self) -> Option<usize> {
        Some(OBJECTNESS)
    }

    /// A row holds `dx, dy, dw, dh, objectness, class scores…`; with the cell at column `gx`, row `gy` of a grid of stride
    /// `s`, the centre is `(dx + gx)·s, (dy + gy)·s`, the size `exp(dw)·s × exp(dh)·s`, and the score the objectness times
    /// the best class score.
    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let input = self.spec.input.size;
        let mut rows = outputs.at(0)?.values.chunks_exact(BOX_VALUES + self.spec.classes);
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
                    let s = stride as f32;
                    let (x, y) = ((dx + gx as f32) * s, (dy + gy as f32) * s);
                    found.push([x, y, dw.exp() * s, dh.exp() * s], objectness * class_score, class);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells;
    use super::super::tests::{decoded, spec};
    use super::*;
    use crate::detect::input_size::InputSize;
    use crate::detect::model::{BoxForm, OutputSpec};
    use crate::detection::Detections;
    use crate::geometry::Rect;
    use proptest::prelude::*;

    /// What two classes' rows at an input of 64×32 mean.
    fn decode_all(output: &[f32], wanted: [bool; 2], confidence: f32, scale: f32) -> Detections {
        let outputs = vec![OutputSpec { name: "output".to_owned(), shape: vec![1, 42, 7] }];
        let head =
            Grid { spec: ModelSpec { boxes: BoxForm::GridOffsets, objectness: true, ..spec(outputs, 2) } };
        decoded(&head, &[output], &wanted, (confidence, scale))
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
    fn an_unwanted_class_leaves_room_for_the_next_best() {
        let mut output = vec![0.0; 42 * 7];
        output[..7].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 1.0, 0.9, 0.6]);
        let found = decode_all(&output, [false, true], 0.3, 1.0);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].class, found[0].score), (1, 0.6));
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
