//! Where a network tells the pixels of objects.

use crate::detect::input_size::InputSize;
use crate::detect::masks::MaskMap;
use crate::detect::model::OutputSpec;
use crate::detect::runtime::Outputs;
use crate::geometry::Rect;

/// In which of its outputs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Masks {
    /// Maps that all objects share, `[1, count, height, width]`, and for each object a factor for each of them, in columns of the
    /// table of boxes from `first` on; the object is where the sum is above 0 (Bolya et al. 2019, "YOLACT", arXiv:1904.02689).
    Prototypes {
        /// The output with the maps.
        output: usize,
        /// The column of the first factor.
        first: usize,
        /// How many maps there are.
        count: usize,
    },
    /// A map of its own for each object, `[1, objects, height, width]`, of logits (RF-DETR).
    Own {
        /// The output with the maps.
        output: usize,
    },
}

impl Masks {
    /// The output with the maps.
    pub(in crate::detect) fn output(self) -> usize {
        match self {
            Self::Prototypes { output, .. } | Self::Own { output } => output,
        }
    }

    /// The same in another list of outputs.
    pub(in crate::detect) fn with_output(self, output: usize) -> Self {
        match self {
            Self::Prototypes { first, count, .. } => Self::Prototypes { output, first, count },
            Self::Own { .. } => Self::Own { output },
        }
    }

    /// Whether an output may hold maps of this kind.
    pub(in crate::detect) fn fits(self, output: &OutputSpec, objects: usize) -> bool {
        let maps = match self {
            Self::Prototypes { count, .. } => count,
            Self::Own { .. } => objects,
        };
        matches!(output.shape.as_slice(), [1, count, down, across] if *count == maps && *down > 0 && *across > 0)
    }

    /// What is needed later for the mask of an object, whose columns `at` reads.
    pub(super) fn code(self, object: usize, at: impl Fn(usize) -> f32) -> Vec<f32> {
        match self {
            Self::Prototypes { first, count, .. } => (first..first + count).map(at).collect(),
            // There are some hundreds; a float holds millions.
            Self::Own { .. } => vec![object as f32],
        }
    }

    /// The map of the object with this code, as far as it is needed for a box in pixels of the input.
    pub(super) fn map(
        self,
        outputs: &Outputs<'_>,
        code: &[f32],
        input: InputSize,
        within: &Rect,
    ) -> Result<Option<MaskMap>, String> {
        let output = outputs.at(self.output())?;
        let &[1, maps, down, across] = output.shape else { return Ok(None) };
        let area = down * across;
        let row_of = |map: usize, row: usize| {
            let begin = map * area + row * across;
            output.values.get(begin..begin + across).unwrap_or_default()
        };
        let fill = |row: usize, columns: std::ops::Range<usize>, values: &mut [f32]| match self {
            Self::Prototypes { .. } => {
                for (map, factor) in code.iter().enumerate().take(maps) {
                    let part = row_of(map, row).get(columns.clone()).unwrap_or_default();
                    values.iter_mut().zip(part).for_each(|(value, number)| *value += factor * number);
                }
            }
            Self::Own { .. } => {
                let map = code.first().map_or(0, |number| *number as usize);
                let part = row_of(map, row).get(columns).unwrap_or_default();
                values.iter_mut().zip(part).for_each(|(value, number)| *value = *number);
            }
        };
        Ok(MaskMap::new((across, down), input, within, fill))
    }
}

/// The first output behind the boxes that may hold prototypes, and how many there are: YOLACT's way, `[1, count, height, width]`.
pub(in crate::detect) fn prototypes(outputs: &[OutputSpec]) -> Option<(usize, usize)> {
    outputs.iter().enumerate().skip(1).find_map(|(number, output)| match output.shape.as_slice() {
        [1, count, _, _] => Some((number, *count)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::spec;
    use super::*;
    use crate::detect::runtime::Output;

    fn outputs<'a>(shape: &'a [usize], values: &'a [f32]) -> Outputs<'a> {
        Outputs::new(vec![Output { name: "maps", shape, values }])
    }

    fn input() -> InputSize {
        spec(Vec::new(), 1).input.size
    }

    #[test]
    fn a_map_is_the_sum_of_prototypes_or_the_objects_own() {
        let values: Vec<f32> = (0..2 * 4 * 8).map(|number| number as f32).collect();
        let outputs = outputs(&[1, 2, 4, 8], &values);
        let whole = Rect::new(0.0, 0.0, 64.0, 32.0);
        let shared = Masks::Prototypes { output: 0, first: 6, count: 2 };
        let code = shared.code(5, |column| column as f32);
        assert_eq!(code, [6.0, 7.0]);
        let map = |masks: Masks, code: &[f32]| masks.map(&outputs, code, input(), &whole).unwrap();
        let sum = |cell: usize| 2.0 * cell as f32 - (32.0 + cell as f32);
        let expected = MaskMap::new((8, 4), input(), &whole, |row, columns, values| {
            columns.zip(values).for_each(|(column, value)| *value = sum(row * 8 + column));
        });
        assert_eq!(map(shared, &[2.0, -1.0]), expected);
        let own = Masks::Own { output: 0 };
        let second = MaskMap::new((8, 4), input(), &whole, |row, columns, values| {
            columns.zip(values).for_each(|(column, value)| *value = (32 + row * 8 + column) as f32);
        });
        assert_eq!((own.code(1, |_| 0.0), map(own, &[1.0])), (vec![1.0], second));
    }

    #[test]
    fn codes_of_no_object_give_a_map_of_nothing() {
        let values = [1.0; 2 * 4 * 8];
        let outputs = outputs(&[1, 2, 4, 8], &values);
        let whole = Rect::new(0.0, 0.0, 64.0, 32.0);
        for (masks, code) in [
            (Masks::Own { output: 0 }, vec![9.0]),
            (Masks::Own { output: 0 }, vec![f32::NAN]),
            (Masks::Prototypes { output: 0, first: 0, count: 2 }, vec![]),
            (Masks::Prototypes { output: 0, first: 0, count: 2 }, vec![1.0; 9]),
        ] {
            assert!(masks.map(&outputs, &code, input(), &whole).unwrap().is_some());
        }
        assert!(Masks::Own { output: 3 }.map(&outputs, &[0.0], input(), &whole).is_err());
    }
}
