//! Distances of the four sides of a box from the points of a grid, each as a distribution over whole strides: the generalised focal
//! loss (Li et al. 2020, arXiv:2006.04388) as NanoDet, NanoDet-Plus and PicoDet have it where their last step is not exported.
//!
//! Scores and distances stand side by side (`[1, cells, C + 4·bins]`), or in outputs of their own, one of each a stride.

use super::scored::sigmoid;
use super::{Candidates, ClassColumns, Head, Table};
use crate::detect::model::{ModelSpec, ScoreForm};
use crate::detect::runtime::Outputs;

/// The cells of one stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Level {
    /// Pixels of the input a cell.
    pub(in crate::detect) stride: usize,
    /// Holds the scores, and the number of the first of its rows that is of this level.
    pub(in crate::detect) scores: (Table, usize),
    /// Holds the distances, likewise.
    pub(in crate::detect) distances: (Table, usize),
}

/// The head of such a network.
#[derive(Debug)]
pub(in crate::detect) struct Distances {
    pub(in crate::detect) spec: ModelSpec,
    pub(in crate::detect) levels: Vec<Level>,
    /// The column of the first score.
    pub(in crate::detect) first_score: usize,
    /// The column of the first distance.
    pub(in crate::detect) first: usize,
    /// How many bins a distance has.
    pub(in crate::detect) bins: usize,
    /// Where in its cell a point lies: 0 at the top left, 0.5 in the middle.
    pub(in crate::detect) offset: f32,
    pub(in crate::detect) classes: ClassColumns,
}

impl Head for Distances {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let input = self.spec.input.size;
        for level in &self.levels {
            let (scores, first_score) = level.scores;
            let (distances, first_distance) = level.distances;
            let (score_values, distance_values) =
                (outputs.at(scores.output)?.values, outputs.at(distances.output)?.values);
            let across = input.width().div_ceil(level.stride);
            let down = input.height().div_ceil(level.stride);
            let stride = level.stride as f32;
            for cell in 0..across * down {
                let columns = self.classes.columns(found.wanted);
                let numbers = columns.map(|(class, column)| {
                    (class, scores.at(score_values, first_score + cell, self.first_score + column))
                });
                let best =
                    numbers.filter(|(_, score)| !score.is_nan()).reduce(|a, b| if b.1 > a.1 { b } else { a });
                let Some((class, mut score)) = best else { continue };
                if self.spec.scores == ScoreForm::SigmoidLogits {
                    score = sigmoid(score);
                }
                if score < found.confidence() {
                    continue;
                }
                let x = ((cell % across) as f32 + self.offset) * stride;
                let y = ((cell / across) as f32 + self.offset) * stride;
                let [left, top, right, bottom] = std::array::from_fn(|side| {
                    let bin = |bin| {
                        let column = self.first + side * self.bins + bin;
                        distances.at(distance_values, first_distance + cell, column)
                    };
                    mean(self.bins, bin) * stride
                });
                let centre = [x + (right - left) / 2.0, y + (bottom - top) / 2.0];
                found.push([centre[0], centre[1], left + right, top + bottom], score, class as u16);
            }
        }
        Ok(())
    }
}

/// The mean of a distribution that is given as logits.
fn mean(bins: usize, logit: impl Fn(usize) -> f32) -> f32 {
    let largest = (0..bins).map(&logit).fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for bin in 0..bins {
        let weight = (logit(bin) - largest).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{decoded, spec};
    use super::*;
    use crate::detect::model::{BoxForm, OutputSpec};
    use crate::geometry::Rect;

    /// Two classes and four bins at an input of 64×32, strides 16 and 32 in one output.
    fn head(offset: f32) -> Distances {
        let output = OutputSpec { name: "output".to_owned(), shape: vec![1, 10, 18] };
        let table = Table::of(0, &output, false).unwrap();
        let level = |stride, first| Level { stride, scores: (table, first), distances: (table, first) };
        Distances {
            spec: ModelSpec { boxes: BoxForm::Distances, ..spec(vec![output], 2) },
            levels: vec![level(16, 0), level(32, 8)],
            first_score: 0,
            first: 2,
            bins: 4,
            offset,
            classes: ClassColumns::All(2),
        }
    }

    #[test]
    fn sides_lie_where_their_distributions_say() {
        let mut values = vec![0.0; 180];
        // Stride 32, the second cell: sure of 1, 0, 2 and (half 0, half 1) strides.
        let row = &mut values[9 * 18..];
        row[1] = 0.9;
        for (side, bins) in
            [[0.0, 99.0, 0.0, 0.0], [99.0, 0.0, 0.0, 0.0], [0.0, 0.0, 99.0, 0.0], [99.0, 99.0, 0.0, 0.0]]
                .into_iter()
                .enumerate()
        {
            row[2 + side * 4..][..4].copy_from_slice(&bins);
        }
        let found = decoded(&head(0.0), &[&values], &[true; 2], (0.3, 1.0));
        assert_eq!((found.len(), found[0].class, found[0].rect), (1, 1, Rect::new(0.0, 0.0, 96.0, 16.0)));
        let found = decoded(&head(0.5), &[&values], &[true; 2], (0.3, 1.0));
        assert_eq!(found[0].rect, Rect::new(16.0, 16.0, 96.0, 16.0));
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(values in prop::collection::vec(any::<f32>(), 180)) {
            for found in &decoded(&head(0.5), &[&values], &[true, true], (0.1, 0.1)) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
