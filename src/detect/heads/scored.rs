//! A score for every class, and a box, for each of many candidates: most networks that are exported without their last steps.
//!
//! Boxes and scores stand side by side in one output (`[1, 4 + C, N]` or `[1, N, 4 + C]`, with an objectness between them
//! `5 + C`) or in one each. Candidates are the cells of a grid, of which several find the same object, or the answers to a fixed
//! number of queries, of which only one does. YOLOv8 and later (Jocher et al. 2023; the split head is that of Li et al. 2022,
//! "YOLOv6", arXiv:2209.02976), YOLOv5 and YOLOv7 with their objectness, YOLO-NAS, PP-YOLOE, RTMDet; DETR (Carion et al. 2020,
//! arXiv:2005.12872), RT-DETR, D-FINE, RF-DETR.

use super::{Behind, Candidates, ClassColumns, Head, ScoreColumns, Table};
use crate::detect::masks::MaskMap;
use crate::detect::model::{ModelSpec, ScoreForm};
use crate::detect::runtime::{Output, Outputs};
use crate::detection::ClassId;
use crate::geometry::Rect;

/// The head of such a network.
#[derive(Debug)]
pub(in crate::detect) struct Scored {
    pub(in crate::detect) spec: ModelSpec,
    /// Holds the boxes in its first four columns.
    pub(in crate::detect) boxes: Table,
    /// Holds the scores.
    pub(in crate::detect) scores: Table,
    /// The column of the first score.
    pub(in crate::detect) first: usize,
    /// The column of `scores` with the objectness, where there is one.
    pub(in crate::detect) objectness: Option<usize>,
    /// Which column is which class.
    pub(in crate::detect) classes: ClassColumns,
    /// What else there is, in columns of `boxes`.
    pub(in crate::detect) behind: Behind,
    /// The makers take one box for several classes.
    pub(in crate::detect) several: bool,
}

/// The best class of a candidate so far.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    class: ClassId,
}

impl Scored {
    /// The best wanted class of every candidate, the first of equals, by the numbers that the network gives; NaN where there
    /// is none.
    fn best(&self, scores: Output<'_>, found: &Candidates<'_>) -> Vec<Best> {
        let none = Best { score: f32::NAN, class: 0 };
        let mut best = vec![none; self.scores.objects];
        let better = |best: &mut Best, score: f32, class: usize| {
            // What is no number is passed over: the comparison is false for it, and true for the first that is one.
            if score > best.score || best.score.is_nan() {
                *best = Best { score, class: class as ClassId };
            }
        };
        let wanted = self.classes.columns(found.wanted).map(|(class, column)| (class, self.first + column));
        if self.scores.across {
            // A class is a row of the file: one pass over each.
            for (class, column) in wanted {
                let row = scores.values.get(column * self.scores.objects..).unwrap_or_default();
                for (best, &score) in best.iter_mut().zip(row) {
                    better(best, score, class);
                }
            }
        } else {
            let wanted: Vec<(usize, usize)> = wanted.collect();
            let rows = scores.values.chunks_exact(self.scores.columns.max(1));
            for (best, row) in best.iter_mut().zip(rows) {
                for &(class, column) in &wanted {
                    better(best, row.get(column).copied().unwrap_or(f32::NAN), class);
                }
            }
        }
        best
    }

    /// The probability that a network means by a number of a candidate.
    fn probability(&self, scores: Output<'_>, object: usize, score: f32) -> f32 {
        match self.spec.scores {
            ScoreForm::Probabilities => score,
            ScoreForm::SigmoidLogits => sigmoid(score),
            ScoreForm::SoftmaxLogits => {
                let all = |column| self.scores.at(scores.values, object, column);
                let columns = self.first..self.scores.columns;
                // Relative to the largest, so that no power overflows.
                let largest = columns.clone().map(all).fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = columns.map(|column| (all(column) - largest).exp()).sum();
                (score - largest).exp() / sum
            }
        }
    }
}

/// The logistic function.
pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

impl Head for Scored {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn score_columns(&self) -> Option<ScoreColumns> {
        let Table { output, across, .. } = self.scores;
        match (self.classes, self.objectness, self.spec.scores) {
            (ClassColumns::All(count), None, ScoreForm::Probabilities) => {
                Some(ScoreColumns { output, across, first: self.first, count })
            }
            _ => None,
        }
    }

    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let (boxes, scores) = (outputs.at(self.boxes.output)?, outputs.at(self.scores.output)?);
        let input = self.spec.input.size;
        // A sigmoid or a softmax never gives more than these to a number this low: most candidates end here.
        let least = match self.spec.scores {
            ScoreForm::SigmoidLogits => (found.confidence() / (1.0 - found.confidence())).ln() - 1e-3,
            ScoreForm::Probabilities => found.confidence(),
            ScoreForm::SoftmaxLogits => f32::NEG_INFINITY,
        };
        let each_class = found.each_class && self.several && self.spec.scores != ScoreForm::SoftmaxLogits;
        let candidates: Vec<(usize, Best)> = if each_class {
            let all = |object| {
                let columns = self.classes.columns(found.wanted);
                columns.map(move |(class, column)| {
                    let score = self.scores.at(scores.values, object, self.first + column);
                    (object, Best { score, class: class as ClassId })
                })
            };
            // Few of so many are strong enough.
            let strong = |(_, best): &(usize, Best)| best.score >= least;
            (0..self.scores.objects).flat_map(all).filter(strong).collect()
        } else {
            self.best(scores, found).into_iter().enumerate().collect()
        };
        for (object, Best { score, class }) in candidates {
            if score.is_nan() || score < least {
                continue;
            }
            let mut score = self.probability(scores, object, score);
            if let Some(column) = self.objectness {
                score *= self.scores.at(scores.values, object, column);
            }
            if score.is_nan() || score < found.confidence() {
                continue;
            }
            let four = self.boxes.four(boxes.values, object, 0);
            let centre_size = self.spec.boxes.centre_size(four, input);
            let at = |column| self.boxes.at(boxes.values, object, column);
            found.push_object((object, centre_size), (score, class), &self.behind, at);
        }
        Ok(())
    }

    fn mask(&self, outputs: &Outputs<'_>, code: &[f32], within: &Rect) -> Result<Option<MaskMap>, String> {
        self.behind.masks.map_or(Ok(None), |masks| masks.map(outputs, code, self.spec.input.size, within))
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::Points;
    use super::super::tests::{decoded, spec};
    use super::*;
    use crate::detect::model::{BoxForm, OutputSpec};
    use crate::detection::Detections;
    use crate::geometry::TurnedRect;

    const CELLS: usize = 42;

    /// A head of one output, with so many columns, at an input of 64×32.
    fn head(columns: usize, classes: usize, across: bool, change: impl Fn(&mut Scored)) -> Arc<dyn Head> {
        let shape = if across { vec![1, columns, CELLS] } else { vec![1, CELLS, columns] };
        let output = OutputSpec { name: "output0".to_owned(), shape };
        let table = Table::of(0, &output, across).unwrap();
        let mut head = Scored {
            spec: ModelSpec { boxes: BoxForm::CentreSize, ..spec(vec![output], classes) },
            boxes: table,
            scores: table,
            first: 4,
            objectness: None,
            classes: ClassColumns::All(classes),
            behind: Behind::default(),
            several: false,
        };
        change(&mut head);
        Arc::new(head)
    }

    /// The values of one candidate, the others 0.
    fn one(values: &[f32], across: bool) -> Vec<f32> {
        let mut all = vec![0.0; values.len() * CELLS];
        for (column, &value) in values.iter().enumerate() {
            all[if across { column * CELLS + 5 } else { 5 * values.len() + column }] = value;
        }
        all
    }

    #[test]
    fn either_way_round_the_best_wanted_class_counts() {
        for across in [true, false] {
            let values = one(&[20.0, 10.0, 8.0, 4.0, 0.9, 0.7], across);
            let head = head(6, 2, across, |_| {});
            let found = decoded(&*head, &[&values], &[true, true], (0.5, 0.5));
            assert_eq!((found.len(), found[0].rect), (1, Rect::new(32.0, 16.0, 16.0, 8.0)));
            assert_eq!((found[0].class, found[0].score), (0, 0.9));
            let second = decoded(&*head, &[&values], &[false, true], (0.5, 0.5));
            assert_eq!((second[0].class, second[0].score), (1, 0.7));
            assert!(decoded(&*head, &[&values], &[true, true], (0.95, 0.5)).is_empty());
        }
    }

    fn all(head: &dyn Head, values: &[f32]) -> Detections {
        decoded(head, &[values], &[true, true], (0.3, 1.0))
    }

    #[test]
    fn every_form_of_boxes_and_scores_means_the_same() {
        let expected = Rect::new(16.0, 8.0, 8.0, 4.0);
        for (form, numbers) in [
            (BoxForm::CentreSize, [20.0, 10.0, 8.0, 4.0]),
            (BoxForm::Corners, [16.0, 8.0, 24.0, 12.0]),
            (BoxForm::CentreSizeShares, [0.3125, 0.3125, 0.125, 0.125]),
            (BoxForm::CornersShares, [0.25, 0.25, 0.375, 0.375]),
        ] {
            let [a, b, c, d] = numbers;
            let found =
                all(&*head(6, 2, false, |head| head.spec.boxes = form), &one(&[a, b, c, d, 0.1, 0.8], false));
            assert_eq!((found.len(), found[0].rect, found[0].score), (1, expected, 0.8), "{form:?}");
        }
        let boxed = |rest: &[f32]| one(&[&[20.0, 10.0, 8.0, 4.0], rest].concat(), false);
        let objectness = head(7, 2, false, |head| (head.first, head.objectness) = (5, Some(4)));
        let found = all(&*objectness, &boxed(&[0.5, 0.2, 0.8]));
        assert_eq!((found.len(), found[0].score, found[0].class), (1, 0.4, 1));
        let logits = head(6, 2, false, |head| head.spec.scores = ScoreForm::SigmoidLogits);
        let found = all(
            &*logits,
            &boxed(&[-4.0, 3f32.ln()]).iter().map(|&v| if v == 0.0 { -9.0 } else { v }).collect::<Vec<_>>(),
        );
        assert!(found.len() == 1 && (found[0].score - 0.75).abs() < 1e-6, "{found:?}");
        let none = head(7, 2, false, |head| head.spec.scores = ScoreForm::SoftmaxLogits);
        let found = decoded(&*none, &[&boxed(&[0.0, 2f32.ln(), 0.0])], &[true, true], (0.4, 1.0));
        assert!(found.len() == 1 && (found[0].score - 0.5).abs() < 1e-6, "2 of 1 + 2 + 1: {found:?}");
    }

    #[test]
    fn points_and_turned_boxes_are_read() {
        let points = Some(Points { first: 6, count: 2, numbers: 3 });
        let head = head(13, 2, true, |head| head.behind = Behind { angle: Some(12), points, masks: None });
        let values = one(&[20.0, 10.0, 8.0, 4.0, 0.9, 0.1, 18.0, 9.0, 0.8, 22.0, 11.0, 0.2, FRAC_PI_2], true);
        let found = decoded(&*head, &[&values], &[true, true], (0.5, 0.5));
        let extra = found.extra(0).unwrap();
        let told = &extra.keypoints;
        assert_eq!((told.len(), told[0].x, told[0].y, told[1].score), (2, 36.0, 18.0, 0.2));
        let turned = TurnedRect { x: 40.0, y: 20.0, width: 16.0, height: 8.0, angle: FRAC_PI_2 };
        assert_eq!(extra.turned, Some(turned));
        let hull = Rect::from_center(40.0, 20.0, 8.0, 16.0);
        assert!(found[0].rect.iou(&hull) > 0.999, "{:?}", found[0].rect);
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(
            values in prop::collection::vec(any::<f32>(), CELLS * 6), across in any::<bool>(), form in 0..3
        ) {
            let form = [ScoreForm::Probabilities, ScoreForm::SigmoidLogits, ScoreForm::SoftmaxLogits][form as usize];
            let head = head(6, 2, across, |head| head.spec.scores = form);
            for found in &decoded(&*head, &[&values], &[true, true], (0.1, 0.1)) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
