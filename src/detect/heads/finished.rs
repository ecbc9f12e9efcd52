//! Finished detections: the network, or what its exporter put behind it, has chosen the class already, and often suppressed.
//!
//! Box, score and class number stand in one row (`[1, N, 6]`, in orders that differ) or in lists of their own (`boxes`, `scores`,
//! `labels`), in front of which a count may say how many are real. YOLOv10 and YOLO26 end to end, RT-DETR and D-FINE with their
//! makers' last step, torchvision, Paddle, super-gradients.

use super::{Behind, Candidates, ClassColumns, Head, Table};
use crate::detect::masks::MaskMap;
use crate::detect::model::ModelSpec;
use crate::detect::runtime::Outputs;
use crate::geometry::Rect;

/// One number of every object: a column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Column {
    pub(in crate::detect) table: Table,
    pub(in crate::detect) column: usize,
}

/// The head of such a network.
#[derive(Debug)]
pub(in crate::detect) struct Finished {
    pub(in crate::detect) spec: ModelSpec,
    /// Holds the boxes, in four columns that begin with this one.
    pub(in crate::detect) boxes: Column,
    pub(in crate::detect) score: Column,
    pub(in crate::detect) class: Column,
    /// The output that says how many are real.
    pub(in crate::detect) count: Option<usize>,
    /// Which class a number is.
    pub(in crate::detect) classes: ClassColumns,
    /// What else there is, in columns of the table of boxes.
    pub(in crate::detect) behind: Behind,
}

impl Head for Finished {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String> {
        let boxes = outputs.at(self.boxes.table.output)?.values;
        let scores = outputs.at(self.score.table.output)?.values;
        let classes = outputs.at(self.class.table.output)?.values;
        let mut objects = self.boxes.table.objects;
        if let Some(count) = self.count {
            let count = outputs.at(count)?.values.first().copied().unwrap_or(0.0);
            objects = objects.min(count.max(0.0) as usize);
        }
        for object in 0..objects {
            let at = |column: Column, values| column.table.at(values, object, column.column);
            let score = at(self.score, scores);
            if score.is_nan() || score < found.confidence() {
                continue;
            }
            let Some(class) = self.classes.class_of(at(self.class, classes)) else { continue };
            let four = self.boxes.table.four(boxes, object, self.boxes.column);
            let centre_size = self.spec.boxes.centre_size(four, self.spec.input.size);
            let at = |column| self.boxes.table.at(boxes, object, column);
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
    use proptest::prelude::*;

    use super::super::tests::{decoded, spec};
    use super::*;
    use crate::detect::model::{BoxForm, OutputSpec};

    fn output(name: &str, shape: &[usize]) -> OutputSpec {
        OutputSpec { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// Rows of corners, score and class, or class, score and corners.
    fn rows(class_first: bool) -> Finished {
        let output = output("output0", &[1, 3, 6]);
        let table = Table::of(0, &output, false).unwrap();
        let at = |column| Column { table, column };
        let (boxes, score, class) = if class_first { (2, 1, 0) } else { (0, 4, 5) };
        Finished {
            spec: ModelSpec { boxes: BoxForm::Corners, nms: false, ..spec(vec![output], 2) },
            boxes: at(boxes),
            score: at(score),
            class: at(class),
            count: None,
            classes: ClassColumns::All(2),
            behind: Behind::default(),
        }
    }

    #[test]
    fn rows_of_either_order_are_read() {
        let (a, b) = ([16.0, 8.0, 24.0, 12.0, 0.9, 1.0], [1.0, 0.9, 16.0, 8.0, 24.0, 12.0]);
        let filler = [0.0; 12];
        for (head, row) in [(rows(false), a), (rows(true), b)] {
            let found = decoded(&head, &[&[&row[..], &filler].concat()], &[true; 2], (0.3, 1.0));
            assert_eq!((found.len(), found[0].rect), (1, Rect::new(16.0, 8.0, 8.0, 4.0)));
            assert_eq!((found[0].score, found[0].class), (0.9, 1));
        }
    }

    #[test]
    fn lists_are_read_as_far_as_the_count_says_and_class_numbers_mapped() {
        let all = [("num", &[1, 1][..]), ("boxes", &[1, 3, 4]), ("scores", &[1, 3]), ("labels", &[3])];
        let outputs: Vec<OutputSpec> = all.into_iter().map(|(name, shape)| output(name, shape)).collect();
        let column = |at: usize| Column { table: Table::of(at, &outputs[at], false).unwrap(), column: 0 };
        let head = |classes, wanted| Finished {
            boxes: column(1),
            score: column(2),
            class: column(3),
            count: Some(0),
            classes,
            spec: ModelSpec { boxes: BoxForm::Corners, nms: false, ..spec(outputs.clone(), wanted) },
            ..rows(false)
        };
        let boxes: Vec<f32> = (0..3).flat_map(|n| [n as f32, 0.0, n as f32 + 4.0, 8.0]).collect();
        let values: [&[f32]; 4] = [&[2.0], &boxes, &[0.9, 0.8, 0.7], &[13.0, 12.0, 1.0]];
        // COCO's own numbers: 13 is the stop sign, the twelfth name; 12 was never used.
        let found = decoded(&head(ClassColumns::CocoNumbers, 80), &values, &[true; 80], (0.3, 1.0));
        assert_eq!((found.len(), found[0].class), (1, 11));
        let found = decoded(&head(ClassColumns::From(1, 13), 13), &values, &[true; 13], (0.3, 1.0));
        assert_eq!(found.iter().map(|one| one.class).collect::<Vec<_>>(), [12, 11]);
    }

    proptest! {
        #[test]
        fn any_output_gives_only_sound_boxes(values in prop::collection::vec(any::<f32>(), 18)) {
            for found in &decoded(&rows(false), &[&values], &[true, true], (0.1, 0.1)) {
                prop_assert!(found.rect.is_sound() && (0.1..=1.0).contains(&found.score));
            }
        }
    }
}
