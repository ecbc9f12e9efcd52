//! An output as a table of objects, whichever way round the file has it.

use crate::detect::model::OutputSpec;

/// Where in the outputs the objects stand: one a row (`[1, objects, columns]`) or one a column (`[1, columns, objects]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Table {
    /// The place of the output in the spec.
    pub(in crate::detect) output: usize,
    /// How many objects.
    pub(in crate::detect) objects: usize,
    /// How many numbers an object has.
    pub(in crate::detect) columns: usize,
    /// An object is a column of the file.
    pub(in crate::detect) across: bool,
}

impl Table {
    /// The output with this place as a table; `across` where an object is a column. Axes of length 1 in front do not count,
    /// nor between the two, and a single axis is one number an object. A map `[1, columns, height, width]` has an object a
    /// cell, across. `None` where it is no table.
    pub(in crate::detect) fn of(output: usize, spec: &OutputSpec, across: bool) -> Option<Self> {
        let shape = match spec.shape.as_slice() {
            [1, objects, 1, columns] if !across => &[*objects, *columns],
            [1, columns, height, width] if across => &[*columns, height.checked_mul(*width)?],
            [1, rest @ ..] if rest.len() == 2 || rest.len() == 1 && !across => rest,
            shape @ ([_] | [_, _]) => shape,
            _ => return None,
        };
        let (objects, columns) = match *shape {
            [objects] => (objects, 1),
            [objects, columns] if !across => (objects, columns),
            [columns, objects] => (objects, columns),
            _ => return None,
        };
        Some(Self { output, objects, columns, across })
    }

    /// A number of an object; NaN where there is none.
    #[inline]
    pub(in crate::detect) fn at(&self, values: &[f32], object: usize, column: usize) -> f32 {
        let place = if self.across { column * self.objects + object } else { object * self.columns + column };
        values.get(place).copied().unwrap_or(f32::NAN)
    }

    /// Four numbers of an object, beginning with this column.
    pub(in crate::detect) fn four(&self, values: &[f32], object: usize, first: usize) -> [f32; 4] {
        std::array::from_fn(|column| self.at(values, object, first + column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_every_shape_are_read_either_way_round() {
        let table = |shape: &[usize], across| {
            let spec = OutputSpec { name: String::new(), shape: shape.to_vec() };
            Table::of(0, &spec, across).map(|table| (table.objects, table.columns))
        };
        for (shape, rows, columns) in [
            (&[1, 5, 3][..], Some((5, 3)), Some((3, 5))),
            (&[5, 3], Some((5, 3)), Some((3, 5))),
            (&[1, 5], Some((5, 1)), Some((5, 1))),
            (&[5], Some((5, 1)), Some((5, 1))),
            (&[1, 5, 1, 4], Some((5, 4)), Some((4, 5))),
            (&[1, 80, 4, 6], None, Some((24, 80))),
            (&[2, 5, 3], None, None),
            (&[1, 1, 2, 3, 4], None, None),
            (&[], None, None),
        ] {
            assert_eq!(table(shape, false), rows, "{shape:?}");
            assert_eq!(table(shape, true), columns, "{shape:?}");
        }
        let values: Vec<f32> = (0..6).map(|value| value as f32).collect();
        let of = |across| Table {
            output: 0,
            objects: if across { 3 } else { 2 },
            columns: if across { 2 } else { 3 },
            across,
        };
        assert_eq!((of(false).at(&values, 1, 2), of(true).at(&values, 2, 1)), (5.0, 5.0));
        assert!(of(false).at(&values, 2, 0).is_nan());
    }
}
