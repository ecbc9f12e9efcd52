//! An unsharp mask: what a Gaussian took away is added once more.

use super::gaussian::Gaussian;
use super::isa::vectorised;
use super::{View, ViewMut};

/// An unsharp mask, with the memory it works in.
#[derive(Debug, Clone)]
pub struct Sharpen {
    blur: Gaussian,
    /// In 1/16, so that the product with a difference has room in 16 bits.
    amount: i16,
    threshold: i16,
}

impl Sharpen {
    /// The largest amount.
    pub const MAX_AMOUNT: f32 = 8.0;

    /// Adds `amount` (0 to [`Self::MAX_AMOUNT`], in steps of 1/16) times the difference to a Gaussian of `sigma` pixels,
    /// where that difference is more than `threshold` levels, so that flat parts do not get noisier.
    pub fn new(sigma: f32, amount: f32, threshold: u8) -> Self {
        let amount = (amount.clamp(0.0, Self::MAX_AMOUNT) * 16.0).round() as i16;
        Self { blur: Gaussian::new(sigma), amount, threshold: i16::from(threshold) }
    }

    /// Sharpens `from` into `to`, of the same size and channels, each channel for itself, rounded to the nearest level and
    /// kept within 0 to 255. The border is mirrored, as [`Gaussian`] does.
    pub fn apply(&mut self, from: &View<'_>, to: &mut ViewMut<'_>) {
        self.blur.apply(from, to);
        for (row, out) in from.rows().zip(to.rows()) {
            add(row, self.amount, self.threshold, out);
        }
    }
}

vectorised! {
    /// From the smoothed samples in `out` to the sharpened ones.
    fn add(row: &[u8], amount: i16, threshold: i16, out: &mut [u8]) {
        for (&sharp, out) in row.iter().zip(out) {
            let detail = i16::from(sharp) - i16::from(*out);
            let kept = if detail.abs() > threshold { detail } else { 0 };
            let more = (kept * amount + 8) >> 4;
            *out = (i16::from(sharp) + more).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SIZES, run};
    use super::*;

    #[test]
    fn an_edge_gets_steeper_and_flat_parts_stay() {
        let row: Vec<u8> = (0..40).map(|x| if x < 20 { 100 } else { 150 } + x % 2).collect();
        let from = row.repeat(9);
        let view = View::new(&from, (40, 9), 1, 40).unwrap();
        let mut to = vec![0; from.len()];
        Sharpen::new(1.0, 1.0, 4).apply(&view, &mut ViewMut::new(&mut to, (40, 9), 1, 40).unwrap());
        let made = &to[160..200];
        assert!(made[19] < 90 && made[20] > 160, "{made:?}");
        assert_eq!((&made[..16], &made[24..]), (&row[..16], &row[24..]));
    }

    #[test]
    fn any_size_and_any_amount_is_fine_and_none_changes_nothing() {
        for (size, channels) in SIZES.iter().flat_map(|&size| [(size, 1), (size, 3)]) {
            let (from, made) = run(size, channels, &mut |from, to| Sharpen::new(1.0, 0.0, 0).apply(from, to));
            assert_eq!(from, made);
            for amount in [0.5, 8.0, 1e9, -3.0, f32::NAN] {
                run(size, channels, &mut |from, to| Sharpen::new(1.2, amount, 2).apply(from, to));
            }
        }
    }

    #[test]
    fn what_is_beyond_black_or_white_is_cut_off() {
        let from = [0, 0, 0, 255, 255, 255];
        let view = View::new(&from, (6, 1), 1, 6).unwrap();
        let mut to = [9; 6];
        Sharpen::new(1.0, 8.0, 0).apply(&view, &mut ViewMut::new(&mut to, (6, 1), 1, 6).unwrap());
        assert_eq!(to, from);
    }
}
