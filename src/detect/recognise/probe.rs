//! Telling from values what shapes do not tell: one run on a smooth picture.
//!
//! The boxes of a dense head follow its cells: the centre that a cell gives lies in or near it. So the first two columns of
//! decoded boxes grow with the place of the cell (correlation near 1), and those of offsets do not. In corners the third and
//! the fourth column do so too and lie behind the first two, in sizes they do not. What never exceeds 1 by much is a share of
//! the input.

use crate::detect::heads::Table;
use crate::detect::input_size::InputSize;
use crate::detect::model::{BoxForm, Layout};

/// From this correlation with the place of their cells on, numbers are places.
const PLACES: f32 = 0.85;
/// The far corners of large boxes follow their cells less closely.
const FAR_CORNERS: f32 = 0.7;
/// As many corners, in twentieths, lie on the right side of the opposite one.
const ORDERED: usize = 19;
/// Shares of the input stay below this, but for single boxes that reach far beyond its edge.
const LARGEST_SHARE: f32 = 1.5;
/// Strides of the grids that networks have, each set once from fine to coarse and once from coarse to fine.
const STRIDES: [&[usize]; 7] =
    [&[8, 16, 32], &[8, 16, 32, 64], &[4, 8, 16, 32], &[16, 32], &[8, 16, 32, 64, 128], &[8, 16], &[4]];
/// Boxes that a cell may have.
const ANCHORS: [usize; 5] = [1, 3, 2, 6, 9];

/// The cells whose boxes are the rows of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Cells {
    /// Pixels of the input a cell, by grid.
    pub(in crate::detect) strides: &'static [usize],
    /// Boxes a cell.
    pub(in crate::detect) anchors: usize,
}

impl Cells {
    /// The cells that this many rows are, where they are the cells of grids over an input of this size.
    pub(in crate::detect) fn of(rows: usize, input: InputSize) -> Option<Self> {
        let count = |strides: &[usize]| -> usize {
            strides
                .iter()
                .map(|stride| input.width().div_ceil(*stride) * input.height().div_ceil(*stride))
                .sum()
        };
        ANCHORS.into_iter().find_map(|anchors| {
            let strides = STRIDES.into_iter().find(|strides| count(strides) * anchors == rows);
            strides.map(|strides| Self { strides, anchors })
        })
    }

    /// The middle of the cell of every row, in every order that there is: strides up or down, the boxes of a cell side by side
    /// or far apart.
    fn places(self, input: InputSize) -> Vec<Vec<(f32, f32)>> {
        let ups: Vec<usize> = self.strides.to_vec();
        let downs: Vec<usize> = ups.iter().rev().copied().collect();
        let together = if self.anchors > 1 { &[true, false][..] } else { &[true] };
        let mut all = Vec::new();
        for strides in [ups, downs] {
            for &together in together {
                let mut places = Vec::new();
                for &stride in &strides {
                    let (across, down) = (input.width().div_ceil(stride), input.height().div_ceil(stride));
                    let middle = |at: usize| (at as f32 + 0.5) * stride as f32;
                    for row in 0..across * down * self.anchors {
                        let cell = if together { row / self.anchors } else { row % (across * down) };
                        places.push((middle(cell % across), middle(cell / across)));
                    }
                }
                all.push(places);
            }
        }
        all
    }
}

/// The form of the boxes in the first four columns of a table that a run on [`picture`] gave; `None` where they are not
/// decoded, or follow no cell.
pub(in crate::detect) fn box_form(
    table: &Table,
    values: &[f32],
    cells: Option<Cells>,
    input: InputSize,
) -> Option<BoxForm> {
    let column = |column: usize| -> Vec<f32> {
        (0..table.objects).map(|object| table.at(values, object, column)).collect()
    };
    let [a, b, c, d] = [0, 1, 2, 3].map(column);
    let ordered = a.iter().zip(&c).zip(b.iter().zip(&d)).filter(|((a, c), (b, d))| a <= c && b <= d);
    let ordered = ordered.count() * 20 >= table.objects * ORDERED;
    let corners = match cells {
        Some(cells) => {
            let middle = |near: &[f32], far: &[f32]| -> Vec<f32> {
                near.iter().zip(far).map(|(a, b)| (a + b) / 2.0).collect()
            };
            let (across, down) = (middle(&a, &c), middle(&b, &d));
            let (mut near, mut far, mut centre) = (0.0_f32, 0.0_f32, 0.0_f32);
            for places in cells.places(input) {
                let (xs, ys): (Vec<f32>, Vec<f32>) = places.into_iter().unzip();
                let follow = |x: &[f32], y: &[f32]| correlation(x, &xs).min(correlation(y, &ys));
                near = near.max(follow(&a, &b));
                far = far.max(follow(&c, &d));
                centre = centre.max(follow(&across, &down));
            }
            let corners = ordered && centre > PLACES || near > PLACES && far > FAR_CORNERS;
            if !corners && near < PLACES {
                return None;
            }
            corners
        }
        None => ordered,
    };
    let mut largest: Vec<f32> =
        [&a, &b, &c, &d].into_iter().flatten().map(|value| value.abs()).filter(|v| v.is_finite()).collect();
    largest.sort_by(f32::total_cmp);
    let shares = largest.get(largest.len() * 99 / 100).is_none_or(|&most| most <= LARGEST_SHARE);
    Some(match (corners, shares) {
        (true, true) => BoxForm::CornersShares,
        (true, false) => BoxForm::Corners,
        (false, true) => BoxForm::CentreSizeShares,
        (false, false) => BoxForm::CentreSize,
    })
}

/// Whether the first column of a table of corners goes down the picture and not across: top first, as TensorFlow and ONNX's own
/// suppression have it.
pub(in crate::detect) fn are_rows_first(
    table: &Table,
    values: &[f32],
    cells: Cells,
    input: InputSize,
) -> bool {
    let first: Vec<f32> = (0..table.objects).map(|object| table.at(values, object, 0)).collect();
    let follow = cells.places(input).into_iter().map(|places| {
        let (xs, ys): (Vec<f32>, Vec<f32>) = places.into_iter().unzip();
        (correlation(&first, &xs), correlation(&first, &ys))
    });
    let (across, down) =
        follow.fold((0.0_f32, 0.0_f32), |best, next| (best.0.max(next.0), best.1.max(next.1)));
    down > across
}

/// Whether numbers are probabilities: none lies outside 0 to 1.
pub(in crate::detect) fn are_probabilities(values: impl IntoIterator<Item = f32>) -> bool {
    values.into_iter().all(|value| (-1e-5..=1.0 + 1e-5).contains(&value))
}

/// Whether all numbers are whole.
pub(in crate::detect) fn are_whole(values: impl IntoIterator<Item = f32>) -> bool {
    values.into_iter().all(|value| value.fract() == 0.0)
}

/// How closely two rows of numbers go together: Pearson's coefficient; 0 where one does not change.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let pairs = || {
        a.iter()
            .zip(b)
            .filter(|(a, b)| a.is_finite() && b.is_finite())
            .map(|(&a, &b)| (f64::from(a), f64::from(b)))
    };
    let count = pairs().count();
    if count < 2 {
        return 0.0;
    }
    let (sum_a, sum_b) = pairs().fold((0.0, 0.0), |(x, y), (a, b)| (x + a, y + b));
    let (mean_a, mean_b) = (sum_a / count as f64, sum_b / count as f64);
    let (mut both, mut own_a, mut own_b) = (0.0, 0.0, 0.0);
    for (a, b) in pairs() {
        let (a, b) = (a - mean_a, b - mean_b);
        both += a * b;
        own_a += a * a;
        own_b += b * b;
    }
    let spread = (own_a * own_b).sqrt();
    if spread > 0.0 { (both / spread) as f32 } else { 0.0 }
}

/// A smooth picture as a network takes it, in numbers up to `most`: light comes from a corner, with a few waves across.
pub(in crate::detect) fn picture(input: InputSize, layout: Layout, most: f32) -> Vec<f32> {
    let (width, height) = input.size();
    let level = |channel: usize, x: usize, y: usize| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        let wave = (6.0 * x + 2.0 * channel as f32).sin() * (5.0 * y + channel as f32).cos();
        (most * (0.5 + 0.2 * (x + y - 1.0) + 0.3 * wave)).clamp(0.0, most).round_to(most)
    };
    let mut values = Vec::with_capacity(width * height * 3);
    match layout {
        Layout::Nchw => (0..3).for_each(|channel| {
            (0..height).for_each(|y| values.extend((0..width).map(|x| level(channel, x, y))));
        }),
        Layout::Nhwc => (0..height).for_each(|y| {
            (0..width).for_each(|x| values.extend((0..3).map(|channel| level(channel, x, y))));
        }),
    }
    values
}

/// Levels are whole numbers where they go up to 255.
trait RoundTo {
    fn round_to(self, most: f32) -> Self;
}

impl RoundTo for f32 {
    fn round_to(self, most: f32) -> Self {
        if most > 1.0 { self.round() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::model::OutputSpec;

    fn input() -> InputSize {
        InputSize::new(128, 96).unwrap()
    }

    #[test]
    fn rows_of_all_grids_are_known() {
        let at = InputSize::new(640, 640).unwrap();
        for (rows, strides, anchors) in [
            (8400, &[8, 16, 32][..], 1),
            (25200, &[8, 16, 32], 3),
            (8500, &[8, 16, 32, 64], 1),
            (25500, &[8, 16, 32, 64], 3),
            (34000, &[4, 8, 16, 32], 1),
            (2000, &[16, 32], 1),
        ] {
            assert_eq!(Cells::of(rows, at), Some(Cells { strides, anchors }), "{rows}");
        }
        for rows in [0, 1, 100, 300, 900, 1000, 8732] {
            assert_eq!(Cells::of(rows, at), None, "{rows}");
        }
    }

    /// Boxes of every form, in every order of cells, with sizes and offsets as a network of random weights has them.
    #[test]
    fn forms_are_told_apart_in_every_order() {
        let mut random = fastrand::Rng::with_seed(5);
        for anchors in [1, 3] {
            let rows = Cells { strides: &[8, 16, 32], anchors };
            for (order, places) in rows.places(input()).into_iter().enumerate() {
                for form in
                    [BoxForm::CentreSize, BoxForm::Corners, BoxForm::CentreSizeShares, BoxForm::CornersShares]
                {
                    let mut values = Vec::new();
                    for &(x, y) in &places {
                        let (x, y) = (x + 8.0 * (random.f32() - 0.5), y + 8.0 * (random.f32() - 0.5));
                        let (w, h) = (4.0 + 24.0 * random.f32(), 4.0 + 24.0 * random.f32());
                        let corners = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
                        let by = [128.0, 96.0, 128.0, 96.0];
                        values.extend(match form {
                            BoxForm::Corners => corners,
                            BoxForm::CornersShares => std::array::from_fn(|i| corners[i] / by[i]),
                            BoxForm::CentreSizeShares => std::array::from_fn(|i| [x, y, w, h][i] / by[i]),
                            _ => [x, y, w, h],
                        });
                    }
                    let shape = vec![1, places.len(), 4];
                    let table = Table::of(0, &OutputSpec { name: String::new(), shape }, false).unwrap();
                    let cells = Cells::of(places.len(), input());
                    assert_eq!(cells, Some(rows));
                    assert_eq!(box_form(&table, &values, cells, input()), Some(form), "{anchors} {order}");
                }
            }
        }
    }

    #[test]
    fn offsets_are_no_boxes() {
        let mut random = fastrand::Rng::with_seed(7);
        let cells = Cells::of(252, input()).unwrap();
        let values: Vec<f32> = (0..252 * 4).map(|_| random.f32() * 2.0 - 0.5).collect();
        let table = Table::of(0, &OutputSpec { name: String::new(), shape: vec![1, 252, 4] }, false).unwrap();
        assert_eq!(box_form(&table, &values, Some(cells), input()), None);
        assert_eq!(box_form(&table, &[0.5; 252 * 4], Some(cells), input()), None, "what never changes");
        assert_eq!(box_form(&table, &[f32::NAN; 252 * 4], Some(cells), input()), None);
    }

    #[test]
    fn the_picture_is_smooth_and_within_its_numbers() {
        for (layout, step) in [(Layout::Nchw, 1), (Layout::Nhwc, 3)] {
            let values = picture(input(), layout, 255.0);
            assert_eq!(values.len(), 3 * 128 * 96);
            assert!(values.iter().all(|value| (0.0..=255.0).contains(value) && value.fract() == 0.0));
            let row = &values[..128];
            assert!(row.iter().zip(&row[step..]).all(|(a, b)| (a - b).abs() < 12.0), "{layout:?}");
        }
    }
}
