//! Small matrices.

/// Three rows of three.
pub(super) type Matrix = [[f64; 3]; 3];

/// What a matrix makes of `(x, y, 1)`.
pub(super) fn apply(matrix: &Matrix, (x, y): (f64, f64)) -> [f64; 3] {
    matrix.map(|[a, b, c]| a * x + b * y + c)
}

/// First `first`, then `then`.
pub(super) fn product(then: &Matrix, first: &Matrix) -> Matrix {
    let column = |row: &[f64; 3], index: usize| row.iter().zip(first).map(|(a, b)| a * b[index]).sum();
    then.map(|row| [column(&row, 0), column(&row, 1), column(&row, 2)])
}

/// The inverse; `None` where there is none.
pub(super) fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let [[a, b, c], [d, e, f], [g, h, i]] = *matrix;
    let adjugate = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    let size = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0];
    let inverse = adjugate.map(|row| row.map(|value| value / size));
    inverse.iter().flatten().all(|value| value.is_finite()).then_some(inverse)
}

/// Solves `N` equations by elimination with pivots; `None` where they do not tell the unknowns apart: where a pivot is below
/// `least` of the largest.
pub(super) fn solve<const N: usize>(
    mut matrix: [[f64; N]; N],
    mut right: [f64; N],
    least: f64,
) -> Option<[f64; N]> {
    let mut largest = 0.0_f64;
    for column in 0..N {
        let pivot =
            (column..N).max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let (top, value) = (matrix[column], right[column]);
        let size = top[column].abs();
        largest = largest.max(size);
        // Not told apart is also what is not a number.
        let is_told = size > least * largest;
        if !is_told {
            return None;
        }
        for row in column + 1..N {
            let share = matrix[row][column] / top[column];
            for (cell, above) in matrix[row].iter_mut().zip(top).skip(column) {
                *cell -= share * above;
            }
            right[row] -= share * value;
        }
    }
    let mut found = [0.0; N];
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|column| matrix[row][column] * found[column]).sum();
        found[row] = (right[row] - known) / matrix[row][row];
    }
    Some(found)
}
