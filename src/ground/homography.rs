//! The map of a plane, from points that are known on both sides: the direct linear transform on normalised points (Hartley and
//! Zisserman, "Multiple View Geometry", 2nd ed., algorithm 4.2), refined so that the squared distances in the picture become
//! least.

use super::algebra::{Matrix, apply, inverse, product, solve};

/// Below this share of the largest pivot the points do not tell the map: nearly all lie on one line.
const LEAST_PIVOT: f64 = 1e-7;

/// The map and its inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Homography {
    /// From the plane to the picture; the last row is above zero in front of the camera.
    pub(super) to_picture: Matrix,
    /// From the picture to the plane; the last row is above zero below the horizon.
    pub(super) to_plane: Matrix,
}

/// Why points give no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// They lie on one line, or but for one.
    OneLine,
    /// The point with this number would lie beyond the horizon of the others.
    BeyondHorizon(usize),
}

impl Homography {
    /// From its map to the picture and a point of the plane that is seen.
    pub(super) fn new(to_picture: Matrix, seen: (f64, f64)) -> Option<Self> {
        let depth = apply(&to_picture, seen)[2];
        let to_picture = to_picture.map(|row| row.map(|value| value * depth.signum()));
        let to_plane = inverse(&to_picture)?;
        // The inverse has the sign of the determinant: what is seen has to be below the horizon.
        let [x, y, w] = apply(&to_picture, seen);
        let sign = apply(&to_plane, (x / w, y / w))[2].signum();
        Some(Self { to_picture, to_plane: to_plane.map(|row| row.map(|value| value * sign)) })
    }

    /// The map that brings the points of the plane nearest to those of the picture. At least four of each.
    pub(super) fn fit(plane: &[(f64, f64)], picture: &[(f64, f64)]) -> Result<Self, Fault> {
        if plane.len() < 4 || plane.len() != picture.len() {
            return Err(Fault::OneLine);
        }
        let (plane_norm, picture_norm) = (normaliser(plane), normaliser(picture));
        let (Some(plane_norm), Some(picture_norm)) = (plane_norm, picture_norm) else {
            return Err(Fault::OneLine);
        };
        let moved = |norm: &Matrix, points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|&point| apply(norm, point)).map(|[x, y, _]| (x, y)).collect()
        };
        let (from, to) = (moved(&plane_norm, plane), moved(&picture_norm, picture));
        if flat(&from) || flat(&to) {
            return Err(Fault::OneLine);
        }
        // The middle of the points is seen, so that the last number of the map is not zero: it is set to 1.
        let mut map = normal_equations(&from, &to).ok_or(Fault::OneLine)?;
        for _ in 0..20 {
            let step = refine(&map, &from, &to).ok_or(Fault::OneLine)?;
            map.iter_mut().zip(step).for_each(|(value, by)| *value += by);
            if step.iter().all(|by| by.abs() < 1e-12) {
                break;
            }
        }
        let normalised = matrix(&map);
        if let Some(index) = from.iter().position(|&point| apply(&normalised, point)[2] <= 1e-6) {
            return Err(Fault::BeyondHorizon(index));
        }
        let back = inverse(&picture_norm).ok_or(Fault::OneLine)?;
        let to_picture = product(&product(&back, &normalised), &plane_norm);
        Self::new(to_picture, plane[0]).ok_or(Fault::OneLine)
    }
}

/// Moves the middle of the points to the origin, and their mean distance from it to √2.
fn normaliser(points: &[(f64, f64)]) -> Option<Matrix> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let distance: f64 = points.iter().map(|point| libm::hypot(point.0 - x, point.1 - y)).sum();
    let scale = std::f64::consts::SQRT_2 * count / distance;
    scale.is_finite().then_some([[scale, 0.0, -scale * x], [0.0, scale, -scale * y], [0.0, 0.0, 1.0]])
}

/// All points but at most one lie (nearly) on one line.
fn flat(points: &[(f64, f64)]) -> bool {
    let others = |skipped: usize| points.iter().enumerate().filter(move |(index, _)| *index != skipped);
    (0..points.len()).any(|skipped| {
        let rest: Vec<_> = others(skipped).map(|(_, point)| *point).collect();
        let Some(norm) = normaliser(&rest) else { return true };
        let [mut xx, mut xy, mut yy] = [0.0; 3];
        for &point in &rest {
            let [x, y, _] = apply(&norm, point);
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        }
        // The smaller of the two spreads, as a share of the larger.
        let (middle, half) = ((xx + yy) / 2.0, libm::hypot((xx - yy) / 2.0, xy));
        middle - half < 1e-4 * (middle + half)
    })
}

fn matrix(map: &[f64; 8]) -> Matrix {
    let [a, b, c, d, e, f, g, h] = *map;
    [[a, b, c], [d, e, f], [g, h, 1.0]]
}

/// The linear least squares of `map · from = to`.
fn normal_equations(from: &[(f64, f64)], to: &[(f64, f64)]) -> Option<[f64; 8]> {
    let (mut matrix, mut right) = ([[0.0; 8]; 8], [0.0; 8]);
    for (&(x, y), &(u, v)) in from.iter().zip(to) {
        let rows = [
            ([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], u),
            ([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y], v),
        ];
        rows.iter().for_each(|(row, value)| add(&mut matrix, &mut right, row, *value));
    }
    solve(matrix, right, LEAST_PIVOT)
}

/// One step of Gauss and Newton towards the least squared distances in the picture.
fn refine(map: &[f64; 8], from: &[(f64, f64)], to: &[(f64, f64)]) -> Option<[f64; 8]> {
    let (mut equations, mut right) = ([[0.0; 8]; 8], [0.0; 8]);
    for (&(x, y), &(u, v)) in from.iter().zip(to) {
        let [across, down, depth] = apply(&matrix(map), (x, y));
        let (seen_u, seen_v) = (across / depth, down / depth);
        let rows = [
            ([x, y, 1.0, 0.0, 0.0, 0.0, -seen_u * x, -seen_u * y], u - seen_u),
            ([0.0, 0.0, 0.0, x, y, 1.0, -seen_v * x, -seen_v * y], v - seen_v),
        ];
        for (row, value) in rows {
            add(&mut equations, &mut right, &row.map(|cell| cell / depth), value);
        }
    }
    solve(equations, right, LEAST_PIVOT)
}

fn add<const N: usize>(matrix: &mut [[f64; N]; N], right: &mut [f64; N], row: &[f64; N], value: f64) {
    for ((cells, sum), a) in matrix.iter_mut().zip(right).zip(row) {
        for (cell, b) in cells.iter_mut().zip(row) {
            *cell += a * b;
        }
        *sum += a * value;
    }
}
