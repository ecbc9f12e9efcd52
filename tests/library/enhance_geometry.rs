//! Shrinking and moving pictures, compared with what OpenCV and numpy make of the same pictures
//! (tests/reference/golden_enhance_geometry.py).

use crate::common::golden::Golden;
use trailsight::geometry::Affine;
use trailsight::kernels::area::Area;
use trailsight::kernels::warp::warp;
use trailsight::kernels::{View, ViewMut};

/// The largest difference of what a kernel makes of one golden picture to another one.
fn difference(from: &Golden, wanted: &Golden, run: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>)) -> u8 {
    wanted.differences(from, run).into_iter().max().unwrap()
}

fn golden(name: &str) -> Golden {
    Golden::read(&format!("geometry_{name}"))
}

const PICTURES: [&str; 5] = ["grey", "colour", "column", "row", "pixel"];

#[test]
fn means_are_exact() {
    let mut area = Area::default();
    let sizes = [
        &["30x23", "20x11", "61x5", "1x1"][..],
        &["48x30", "32x20", "31x17", "7x60"],
        &["1x14", "1x9", "1x1"],
        &["18x1", "5x1", "1x1"],
        &["1x1"],
    ];
    for (name, sizes) in PICTURES.into_iter().zip(sizes) {
        let from = golden(name);
        for size in sizes {
            let wanted = golden(&format!("{name}_{size}"));
            let most = difference(&from, &wanted, &mut |from, to| area.shrink(from, to));
            // Halves between two levels are rounded up by some of OpenCV's ways and to even by others.
            assert!(most <= 1, "{name} to {size}: {most}");
            let halves =
                from.size.0.is_multiple_of(wanted.size.0) || from.size.1.is_multiple_of(wanted.size.1);
            if !halves {
                assert_eq!(most, 0, "{name} to {size}");
            }
        }
    }
}

#[test]
fn moved_pictures_are_within_two_levels() {
    let maps = [
        ("shift", [[1.0, 0.0, 2.25], [0.0, 1.0, -1.5]]),
        ("turn", [[0.9994, -0.0349, 3.2], [0.0349, 0.9994, -1.1]]),
        ("zoom", [[1.2, 0.1, -6.0], [-0.1, 1.2, 2.5]]),
    ];
    for name in PICTURES {
        let from = golden(name);
        for (way, matrix) in maps {
            let wanted = golden(&format!("{name}_{way}"));
            let most = difference(&from, &wanted, &mut |from, to| warp(from, to, &Affine { matrix }));
            // Weights of 1/256 of a difference of up to 255 levels, and two roundings.
            assert!(most <= 2, "{name} {way}: {most}");
        }
    }
}
