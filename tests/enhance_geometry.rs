//! Shrinking and moving pictures, compared with what OpenCV and numpy make of the same pictures
//! (tests/reference/golden_enhance_geometry.py).
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use trailsight::geometry::Affine;
use trailsight::kernels::area::Area;
use trailsight::kernels::warp::warp;
use trailsight::kernels::{View, ViewMut};

struct Golden {
    size: (usize, usize),
    channels: usize,
    samples: Vec<u8>,
}

impl Golden {
    fn read(name: &str) -> Self {
        let path = format!("{}/tests/golden/enhance/geometry_{name}.png", env!("CARGO_MANIFEST_DIR"));
        let picture = image::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let size = (picture.width() as usize, picture.height() as usize);
        let channels = usize::from(picture.color().channel_count());
        Self { size, channels, samples: picture.into_bytes() }
    }

    /// The largest difference to what a kernel makes of another picture.
    fn difference(&self, from: &Self, run: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>)) -> u8 {
        assert_eq!(from.channels, self.channels);
        let view = View::new(&from.samples, from.size, from.channels, from.size.0 * from.channels).unwrap();
        // With a gap behind each row, that has to stay as it is.
        let row = self.size.0 * self.channels;
        let mut made = vec![0xA5; self.size.1 * (row + 5)];
        run(&view, &mut ViewMut::new(&mut made, self.size, self.channels, row + 5).unwrap());
        let rows = made.chunks(row + 5).zip(self.samples.chunks(row));
        let differences = rows.flat_map(|(made, wanted)| {
            assert!(made[row..].iter().all(|&byte| byte == 0xA5), "wrote behind a row");
            made.iter().zip(wanted).map(|(made, wanted)| made.abs_diff(*wanted))
        });
        differences.max().unwrap()
    }
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
        let from = Golden::read(name);
        for size in sizes {
            let wanted = Golden::read(&format!("{name}_{size}"));
            let most = wanted.difference(&from, &mut |from, to| area.shrink(from, to));
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
        let from = Golden::read(name);
        for (way, matrix) in maps {
            let wanted = Golden::read(&format!("{name}_{way}"));
            let most = wanted.difference(&from, &mut |from, to| warp(from, to, &Affine { matrix }));
            // Weights of 1/256 of a difference of up to 255 levels, and two roundings.
            assert!(most <= 2, "{name} {way}: {most}");
        }
    }
}
