#!/bin/sh
# imageproc: approximate_polygon_dp of a closed polygon drops its last corner; with the first corner repeated at the end, all but one.
#
# Guessed: as OpenCV's approxPolyDP: a square stays a square, at any tolerance below its size.
# Seen: imageproc 0.27.0 simplifies the list as an open line and then takes the last point away, which is right only for a contour that
# goes pixel by pixel, as find_contours gives it. A zone of four corners becomes a triangle of half the area, and one that ends where it
# began, as in GeoJSON, a single point: distances are taken to a line without a direction. No message. Needs cargo.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "shown"
version = "0.1.0"
edition = "2021"

[dependencies]
imageproc = { version = "=0.27.0", default-features = false }
END
cat >src/main.rs <<'END'
use imageproc::geometry::{approximate_polygon_dp, contour_area};
use imageproc::point::Point;

fn main() {
    let square = [(0, 0), (10, 0), (10, 10), (0, 10)].map(|(x, y)| Point::new(x, y));
    let again: Vec<_> = square.iter().chain(&square[..1]).copied().collect();
    // Pixel by pixel, as find_contours does it.
    let around: Vec<_> = (0..10)
        .map(|at| (at, 0))
        .chain((0..10).map(|at| (10, at)))
        .chain((1..=10).rev().map(|at| (at, 10)))
        .chain((1..=10).rev().map(|at| (0, at)))
        .map(|(x, y)| Point::new(x, y))
        .collect();
    for (name, points, corners, area) in
        [("corners", square.to_vec(), 3, 50.0), ("first corner repeated", again, 1, 0.0), ("pixel by pixel", around, 4, 100.0)]
    {
        assert_eq!(contour_area(&points), 100.0);
        let kept = approximate_polygon_dp(&points, 1.0, true);
        println!("{name}: {} points become {}, the area {}", points.len(), kept.len(), contour_area(&kept));
        assert_eq!((kept.len(), contour_area(&kept)), (corners, area));
    }
}
END
CARGO_TARGET_DIR=$folder/target cargo run -q
