//! Makes one picture of two fields that were taken one after the other: of things that moved, every other row is displaced.
//!
//! Line averaging, as it is described in G. de Haan, E. B. Bellers, "Deinterlacing — An Overview", Proc. IEEE 86, 1998.

use super::isa::vectorised;
use super::{View, ViewMut};

/// Keeps rows 0, 2, 4 and on, and mends the others where they comb, from `from` into `to`, of the same size and channels,
/// each channel for itself. A sample that is by more than `threshold` levels brighter or darker than both of its neighbours
/// above and below becomes their mean (half a level is rounded up); 0 mends all that lies outside of the two. The last row
/// has only one neighbour, which counts for both. Still parts keep their detail, except lines of one row of the second field.
pub fn mend(from: &View<'_>, threshold: u8, to: &mut ViewMut<'_>) {
    for (y, out) in to.rows().enumerate().take(from.height()) {
        if y % 2 == 0 {
            out.iter_mut().zip(from.row(y)).for_each(|(out, &sample)| *out = sample);
        } else {
            let below = from.row(if y + 1 < from.height() { y + 1 } else { y - 1 });
            mend_row(from.row(y - 1), from.row(y), below, threshold, out);
        }
    }
}

vectorised! {
    fn mend_row(above: &[u8], here: &[u8], below: &[u8], threshold: u8, out: &mut [u8]) {
        for (((out, &above), &here), &below) in out.iter_mut().zip(above).zip(here).zip(below) {
            let low = above.min(below).saturating_sub(threshold);
            let high = above.max(below).saturating_add(threshold);
            let mean = (u16::from(above) + u16::from(below)).div_ceil(2) as u8;
            *out = if here == here.clamp(low, high) { here } else { mean };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::run_on;
    use super::*;

    #[test]
    fn a_box_that_moved_between_the_fields_is_one_again() {
        // In the second field it stands five pixels further right.
        let picture = |shift: usize| -> Vec<u8> {
            (0..60 * 40)
                .map(|at| {
                    let left = 10 + shift * (at / 60 % 2);
                    if (left..left + 20).contains(&(at % 60)) && (10..30).contains(&(at / 60)) {
                        200
                    } else {
                        50
                    }
                })
                .collect()
        };
        let made = run_on(&picture(5), (60, 40), 1, &mut |from, to| mend(from, 10, to));
        for (y, (made, still)) in made.chunks(60).zip(picture(0).chunks(60)).enumerate() {
            // The last row of the box lies between a row with it and one without: nothing combs there.
            assert!(y == 29 || made == still, "{y}: {made:?}");
        }
        let still = picture(0);
        assert_eq!(run_on(&still, (60, 40), 1, &mut |from, to| mend(from, 10, to)), still);
    }

    #[test]
    fn any_size_is_fine() {
        let mut random = fastrand::Rng::with_seed(4);
        for (width, height) in [(1, 1), (1, 2), (1, 9), (17, 1), (33, 20)] {
            for channels in [1, 3] {
                let from: Vec<u8> = (0..width * height * channels).map(|_| random.u8(..)).collect();
                assert_eq!(
                    run_on(&from, (width, height), channels, &mut |from, to| mend(from, 255, to)),
                    from
                );
                run_on(&from, (width, height), channels, &mut |from, to| mend(from, 0, to));
            }
        }
    }
}
