//! What the outputs of the YOLOX family mean (Ge et al. 2021, arXiv:2107.08430).

use super::settings::InputSize;
use crate::detection::{ClassId, Detection, Detections};
use crate::geometry::Rect;

/// Input pixels a cell of each of the three grids, in the order of the rows.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Centre x, centre y, width, height, objectness; the class scores follow.
const BOX_VALUES: usize = 5;

/// How many rows the network gives for an input of this size: one for each cell of each grid.
pub(super) fn rows(input: InputSize) -> usize {
    STRIDES.iter().map(|stride| (input.width() / stride) * (input.height() / stride)).sum()
}

/// How many values a row has for this number of classes.
pub(super) fn row_length(classes: usize) -> usize {
    BOX_VALUES + classes
}

/// Turns the network's rows into boxes with a score of at least `confidence`, in pixels of the picture.
///
/// A row holds `dx, dy, dw, dh, objectness, class scores…`; with the cell at column `gx`, row `gy` of a grid of stride
/// `s`, the centre is `(dx + gx)·s, (dy + gy)·s`, the size `exp(dw)·s × exp(dh)·s`, and the score the objectness times
/// the best class score. `scale` is input pixels a picture pixel. Of the classes, only those with `wanted` set are
/// looked at. Boxes may reach beyond the picture; what is not finite or has no area is left out.
pub(super) fn decode(
    output: &[f32],
    input: InputSize,
    wanted: &[bool],
    confidence: f32,
    scale: f32,
    found: &mut Detections,
) {
    let mut rows = output.chunks_exact(row_length(wanted.len()));
    for stride in STRIDES {
        for gy in 0..input.height() / stride {
            for gx in 0..input.width() / stride {
                let Some(row) = rows.next() else { return };
                let &[dx, dy, dw, dh, objectness, ref classes @ ..] = row else { return };
                // Class scores are at most 1, so that most cells end here.
                if objectness.is_nan() || objectness < confidence {
                    continue;
                }
                let Some((class, class_score)) = best(classes, wanted) else { continue };
                let score = (objectness * class_score).min(1.0);
                if score.is_nan() || score < confidence {
                    continue;
                }
                let s = stride as f32 / scale;
                let (x, y) = ((dx + gx as f32) * s, (dy + gy as f32) * s);
                let rect = Rect::from_center(x, y, dw.exp() * s, dh.exp() * s);
                if rect.is_sound() {
                    found.push(Detection { rect, score, class });
                }
            }
        }
    }
}

/// The wanted class with the highest score, the first of equals.
fn best(scores: &[f32], wanted: &[bool]) -> Option<(ClassId, f32)> {
    let mut best: Option<(ClassId, f32)> = None;
    for (class, (&score, &wanted)) in scores.iter().zip(wanted).enumerate() {
        if wanted && !score.is_nan() && best.is_none_or(|(_, highest)| score > highest) {
            best = Some((class as ClassId, score));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode_all(output: &[f32], classes: usize, confidence: f32, scale: f32) -> Detections {
        let mut found = Detections::default();
        let input = InputSize::new(64, 32).unwrap();
        decode(output, input, &vec![true; classes], confidence, scale, &mut found);
        found
    }

    #[test]
    fn a_row_of_each_grid_lands_where_it_should() {
        let input = InputSize::new(64, 32).unwrap();
        assert_eq!(rows(input), 8 * 4 + 4 * 2 + 2);
        let mut output = vec![0.0; rows(input) * 7];
        // Stride 8, column 3, row 2: 24 + 4 and 16 + 4 input pixels, twice a stride across, once down.
        output[(2 * 8 + 3) * 7..][..7].copy_from_slice(&[0.5, 0.5, 2f32.ln(), 0.0, 0.8, 0.25, 0.5]);
        // Stride 32, column 1, row 0.
        output[(32 + 8 + 1) * 7..][..7].copy_from_slice(&[0.0, 0.5, 0.0, 0.0, 0.9, 1.0, 0.5]);
        let found = decode_all(&output, 2, 0.3, 0.1);
        assert_eq!(found.len(), 2);
        assert!((found[0].score - 0.4).abs() < 1e-6 && found[0].class == 1);
        assert!(found[0].rect.iou(&Rect::new(200.0, 160.0, 160.0, 80.0)) > 0.999);
        assert!((found[1].score - 0.9).abs() < 1e-6 && found[1].class == 0);
        assert!(found[1].rect.iou(&Rect::new(160.0, 0.0, 320.0, 320.0)) > 0.999);
        assert_eq!(decode_all(&output, 2, 0.5, 0.1).len(), 1);
    }

    #[test]
    fn an_unwanted_class_leaves_room_for_the_next_best() {
        let input = InputSize::new(32, 32).unwrap();
        let mut output = vec![0.0; rows(input) * 7];
        output[..7].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 1.0, 0.9, 0.6]);
        let mut found = Detections::default();
        decode(&output, input, &[false, true], 0.3, 1.0, &mut found);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].class, found[0].score), (1, 0.6));
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(values in prop::collection::vec(any::<f32>(), 42 * 7)) {
            for found in &decode_all(&values, 2, 0.1, 0.1) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
