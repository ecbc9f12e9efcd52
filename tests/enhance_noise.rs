//! The kernels against noise and for sharpness, compared with what OpenCV and numpy make of the same pictures
//! (tests/reference/golden_enhance_noise.py).
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use trailsight::kernels::gaussian::Gaussian;
use trailsight::kernels::guided::Guided;
use trailsight::kernels::median::Median;
use trailsight::kernels::sharpen::Sharpen;
use trailsight::kernels::{View, ViewMut};

struct Golden {
    size: (usize, usize),
    channels: usize,
    samples: Vec<u8>,
}

fn golden(name: &str) -> Golden {
    let path = format!("{}/tests/golden/enhance/noise_{name}.png", env!("CARGO_MANIFEST_DIR"));
    let picture = image::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let size = (picture.width() as usize, picture.height() as usize);
    let channels = usize::from(picture.color().channel_count());
    Golden { size, channels, samples: picture.into_bytes() }
}

const SMALL: [&str; 4] = ["colour", "column", "row", "pixel"];
const ALL: [&str; 5] = ["grey", "colour", "column", "row", "pixel"];

/// The largest difference to the golden picture, and what part of the samples differ by more than one level.
fn difference(picture: &str, step: &str, run: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>)) -> (u8, f64) {
    let (from, wanted) = (golden(picture), golden(&format!("{picture}_{step}")));
    assert_eq!((from.size, from.channels), (wanted.size, wanted.channels), "{picture} {step}");
    let stride = from.size.0 * from.channels;
    let view = View::new(&from.samples, from.size, from.channels, stride).unwrap();
    // With a gap behind each row, that has to stay as it is.
    let gap = 5;
    let mut made = vec![0xA5; from.size.1 * (stride + gap)];
    run(&view, &mut ViewMut::new(&mut made, from.size, from.channels, stride + gap).unwrap());
    let mut differences = Vec::new();
    for (made, wanted) in made.chunks(stride + gap).zip(wanted.samples.chunks(stride)) {
        assert!(made[stride..].iter().all(|&byte| byte == 0xA5), "{picture} {step}: wrote behind a row");
        differences.extend(made.iter().zip(wanted).map(|(made, wanted)| made.abs_diff(*wanted)));
    }
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
