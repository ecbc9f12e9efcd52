//! The kernels against noise and for sharpness, compared with what OpenCV and numpy make of the same pictures
//! (tests/reference/golden_enhance_noise.py).

use crate::common::golden::Golden;
use trailsight::kernels::gaussian::Gaussian;
use trailsight::kernels::guided::Guided;
use trailsight::kernels::median::Median;
use trailsight::kernels::sharpen::Sharpen;
use trailsight::kernels::{View, ViewMut};

const SMALL: [&str; 4] = ["colour", "column", "row", "pixel"];
const ALL: [&str; 5] = ["grey", "colour", "column", "row", "pixel"];

/// The largest difference to the golden picture, and what part of the samples differ by more than one level.
fn difference(picture: &str, step: &str, run: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>)) -> (u8, f64) {
    let [from, wanted] =
        [picture.to_owned(), format!("{picture}_{step}")].map(|name| Golden::read(&format!("noise_{name}")));
    assert_eq!(from.size, wanted.size, "{picture} {step}");
    let differences = wanted.differences(&from, run);
    let many = differences.iter().filter(|&&difference| difference > 1).count() as f64;
    (differences.iter().copied().max().unwrap(), many / differences.len() as f64)
}

#[test]
fn medians_are_exact() {
    let mut median = Median::default();
    for picture in ALL {
        assert_eq!(difference(picture, "median3", &mut |from, to| median.three(from, to)).0, 0, "{picture}");
        assert_eq!(difference(picture, "median5", &mut |from, to| median.five(from, to)).0, 0, "{picture}");
    }
}

#[test]
fn gaussians_are_within_a_level() {
    let kernels = [
        ("gauss3", Gaussian::with_taps(3, 0.0), &SMALL[..]),
        ("gauss5", Gaussian::with_taps(5, 0.0), &ALL),
        ("gauss7", Gaussian::with_taps(7, 0.0), &SMALL),
        ("gauss9", Gaussian::with_taps(9, 0.0), &ALL),
        ("sigma06", Gaussian::new(0.6), &SMALL),
        ("sigma23", Gaussian::new(2.3), &ALL),
    ];
    for (step, mut kernel, pictures) in kernels {
        for picture in pictures {
            let (most, _) = difference(picture, step, &mut |from, to| kernel.apply(from, to));
            assert!(most <= 1, "{picture} {step}: {most}");
        }
    }
}

#[test]
fn the_guided_filter_is_within_a_level() {
    let mut guided = Guided::default();
    for (step, radius, strength, pictures) in
        [("guided1", 1, 10.0, &SMALL[..]), ("guided2", 2, 25.0, &SMALL), ("guided6", 6, 40.0, &ALL)]
    {
        for picture in pictures {
            let (most, _) =
                difference(picture, step, &mut |from, to| guided.apply(from, radius, strength, to));
            assert!(most <= 1, "{picture} {step}: {most}");
        }
    }
}

#[test]
fn the_unsharp_mask_is_within_what_the_gaussian_leaves_open() {
    for picture in SMALL {
        // A level of the Gaussian is one and a half here, rounded.
        let (most, _) = difference(picture, "sharpen", &mut |from, to| {
            Sharpen::new(1.0, 1.5, 0).apply(from, to);
        });
        assert!(most <= 2, "{picture}: {most}");
        // A level decides about a sample at the threshold: a few of a hundred here.
        let (_, many) = difference(picture, "sharpen_above", &mut |from, to| {
            Sharpen::new(1.0, 1.5, 12).apply(from, to);
        });
        assert!(many < 0.03, "{picture}: {many}");
    }
}
