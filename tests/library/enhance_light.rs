//! Luma, tables and local contrast against what OpenCV makes of the same pictures
//! (`tests/reference/golden_enhance_light.py`).

use trailsight::kernels::clahe::Clahe;
use trailsight::kernels::curve::{self, Table};
use trailsight::kernels::luma::{add_difference, luma};
use trailsight::kernels::{Plane, View, ViewMut};

const SIZES: [(usize, usize); 6] = [(61, 47), (33, 20), (1, 9), (17, 1), (1, 1), (48, 36)];
const CLAHE: [(f32, usize, usize); 5] = [(2.0, 8, 8), (4.0, 4, 3), (0.0, 2, 2), (40.0, 1, 1), (1.0, 3, 5)];

fn path(name: &str) -> String {
    format!("{}/tests/golden/enhance/light_{name}.png", env!("CARGO_MANIFEST_DIR"))
}

fn rgb(name: &str) -> Vec<u8> {
    image::open(path(name)).expect(name).into_rgb8().into_raw()
}

fn grey(name: &str) -> Vec<u8> {
    image::open(path(name)).expect(name).into_luma8().into_raw()
}

/// The largest difference, and the share of samples that differ.
fn difference(found: &[u8], wanted: &[u8]) -> (u8, f64) {
    assert_eq!(found.len(), wanted.len());
    let steps = found.iter().zip(wanted).map(|(found, wanted)| found.abs_diff(*wanted));
    let differ = steps.clone().filter(|step| *step > 0).count();
    (steps.max().unwrap_or(0), differ as f64 / found.len() as f64)
}

#[test]
fn luma_is_exact() {
    for (width, height) in SIZES {
        let name = format!("{width}x{height}");
        let pixels = rgb(&name);
        let mut found = Plane::default();
        luma(&View::new(&pixels, (width, height), 3, width * 3).unwrap(), &mut found);
        assert_eq!(found.bytes(), grey(&format!("{name}_grey")), "{name}");
    }
}

#[test]
fn tables_are_exact() {
    let table: Table = std::array::from_fn(|level| ((level * level + 97 * level) % 256) as u8);
    let tables =
        [table, table.map(|level| 255 - level), std::array::from_fn(|level| table[(level + 216) % 256])];
    for (width, height) in SIZES {
        let name = format!("{width}x{height}");
        let pixels = rgb(&name);
        let view = View::new(&pixels, (width, height), 3, width * 3).unwrap();
        let mut found = vec![0; pixels.len()];
        curve::apply(&view, &table, &mut ViewMut::new(&mut found, (width, height), 3, width * 3).unwrap());
        assert_eq!(found, rgb(&format!("{name}_table")), "{name}");
        let mut to = ViewMut::new(&mut found, (width, height), 3, width * 3).unwrap();
        curve::apply_channels(&view, &tables, &mut to);
        assert_eq!(found, rgb(&format!("{name}_tables")), "{name}");
    }
}

#[test]
fn local_contrast_is_within_a_level() {
    for (width, height) in SIZES {
        for (clip, across, down) in CLAHE {
            let name = format!("{width}x{height}_clahe_{clip}_{across}x{down}");
            let pixels = grey(&format!("{width}x{height}_grey"));
            let view = View::new(&pixels, (width, height), 1, width).unwrap();
            let mut found = vec![0; pixels.len()];
            let mut to = ViewMut::new(&mut found, (width, height), 1, width).unwrap();
            Clahe::new(clip, (across, down)).apply(&view, &mut to);
            let (most, share) = difference(&found, &grey(&name));
            if std::env::var_os("SHOW_DIFFERENCES").is_some() {
                eprintln!("{name}: {most} {share:.4}");
            }
            assert!(most <= 1 && share <= 0.05, "{name}: by up to {most}, {share:.3} of all");
        }
    }
}

#[test]
fn local_contrast_of_colours_changes_the_luma_alone() {
    let (width, height) = (61, 47);
    let pixels = rgb("61x47");
    let view = View::new(&pixels, (width, height), 3, width * 3).unwrap();
    let mut found = vec![0; pixels.len()];
    let mut clahe = Clahe::new(2.0, (8, 8));
    clahe.apply(&view, &mut ViewMut::new(&mut found, (width, height), 3, width * 3).unwrap());

    let (mut before, mut after) = (Plane::default(), Plane::filled(width, height, 0));
    luma(&view, &mut before);
    clahe.apply(&before.view(), &mut after.view_mut());
    let mut wanted = vec![0; pixels.len()];
    let mut to = ViewMut::new(&mut wanted, (width, height), 3, width * 3).unwrap();
    add_difference(&view, &before, &after, &mut to);
    assert_eq!(found, wanted);
    assert_ne!(found, pixels);
}
