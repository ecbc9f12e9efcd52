//! A picture moved, turned and scaled, by bilinear interpolation.

use super::isa::vectorised;
use super::{View, ViewMut};
use crate::geometry::Affine;

/// Fractional bits of a place in the picture, of which weights have the upper [`WEIGHT_BITS`].
const PLACE_BITS: u32 = 16;
const WEIGHT_BITS: u32 = 8;
/// Where the first pixel's centre of a row comes from, and how far the next one is from there: across and down, in
/// 1/65536 pixel, the centre of the first pixel of the picture at (0, 0).
#[derive(Debug, Clone, Copy)]
struct Course {
    place: (i64, i64),
    step: (i64, i64),
}

impl Course {
    /// So many pixels on.
    fn behind(self, count: i64) -> Self {
        let (x, y) = (self.place.0 + count * self.step.0, self.place.1 + count * self.step.1);
        Self { place: (x, y), ..self }
    }
}

/// Draws `from` as `map` (from its pixels to pixels of `to`, the corner of the first pixel at (0, 0)) has it into `to`, of the
/// same channels and any size. Interpolated between four pixels, each time rounded to a level: at most one off. What lies
/// beyond the border is the nearest pixel within. A map that cannot be turned around counts as none.
pub fn warp(from: &View<'_>, to: &mut ViewMut<'_>, map: &Affine) {
    if from.channels() != to.channels() {
        return;
    }
    let back = map.inverse().unwrap_or(Affine::IDENTITY);
    let [[a, b, c], [d, e, f]] = back.matrix.map(|row| row.map(f64::from));
    let one = f64::from(1 << PLACE_BITS);
    // Beyond this everything is the border's, and sums over a row stay in range.
    let fixed = |value: f64| (value.clamp(-1e9, 1e9) * one).round() as i64;
    for (y, row) in to.rows().enumerate() {
        let (x, y) = (0.5, y as f64 + 0.5);
        let place = (fixed(a * x + b * y + c - 0.5), fixed(d * x + e * y + f - 0.5));
        let course = Course { place, step: (fixed(a), fixed(d)) };
        if from.channels() == 3 {
            colours(from, course, row);
        } else {
            plain(from, course, row);
        }
    }
}

/// A place's pixel and its weight, of 256, against the next.
#[inline(always)]
fn split(place: i64) -> (i64, u16) {
    let weight = (place >> (PLACE_BITS - WEIGHT_BITS)) & ((1 << WEIGHT_BITS) - 1);
    (place >> PLACE_BITS, weight as u16)
}

/// Between two samples, `weight` of 256 of the second.
#[inline(always)]
fn between(one: u16, other: u16, weight: u16) -> u16 {
    (one * (256 - weight) + other * weight + 128) >> 8
}

/// A pixel and the next one of a row: red, green, blue, red, green, blue, and two samples that do not count.
type Two = [u8; 8];

/// Two neighbouring pixels of two rows to one between them.
#[inline(always)]
fn mix(above: Two, below: Two, across: u16, down: u16) -> [u8; 3] {
    let column: [u16; 8] = std::array::from_fn(|at| between(above[at].into(), below[at].into(), down));
    let pixel: [u16; 4] = std::array::from_fn(|at| between(column[at], column[at + 3], across));
    [pixel[0] as u8, pixel[1] as u8, pixel[2] as u8]
}

/// The pixels `from..to` of a row, of all `count`, whose places have all four neighbours within the picture, and two samples
/// behind them: those that [`inside`] may be asked for.
fn interior((place, step): (i64, i64), limit: i64, count: i64) -> (i64, i64) {
    // 0 ≤ place + step · i < limit, for whole i.
    let (mut from, mut to) = (0, count);
    if step == 0 {
        return if (0..limit).contains(&place) { (0, count) } else { (0, 0) };
    }
    let (low, high) = if step > 0 { (-place, limit - 1 - place) } else { (place - (limit - 1), place) };
    let size = step.abs();
    from = from.max(low.div_euclid(size) + i64::from(low.rem_euclid(size) != 0));
    to = to.min(high.div_euclid(size) + 1);
    (from, to.max(from))
}

vectorised! {
    fn colours(from: &View<'_>, course: Course, to: &mut [u8]) {
        let pixels = to.as_chunks_mut::<3>().0;
        let (width, height, count) = (from.width() as i64, from.height() as i64, pixels.len() as i64);
        // A row's last two pixels may have no two samples behind them.
        let across = interior((course.place.0, course.step.0), (width - 2).max(0) << PLACE_BITS, count);
        let down = interior((course.place.1, course.step.1), (height - 1).max(0) << PLACE_BITS, count);
        let begin = across.0.max(down.0).min(count);
        let end = across.1.min(down.1).clamp(begin, count);
        let (head, rest) = pixels.split_at_mut(begin as usize);
        let (middle, tail) = rest.split_at_mut((end - begin) as usize);
        at_border(from, course, head);
        inside(from, course.behind(begin), middle);
        at_border(from, course.behind(end), tail);
    }
}

/// Pixels that are taken together: first all that they come from is gathered, then whole vectors are mixed.
const BATCH: usize = 32;

/// Where all that is looked at lies within the picture.
#[inline(always)]
fn inside(from: &View<'_>, course: Course, pixels: &mut [[u8; 3]]) {
    let (mut x, mut y) = course.place;
    // Rows change seldom along a row that is hardly turned.
    let (mut held, mut above, mut below) = (i64::MIN, from.row(0), from.row(0));
    let (mut upper, mut lower) = ([[0u8; 8]; BATCH], [[0u8; 8]; BATCH]);
    let (mut across, mut down) = ([[0u16; 8]; BATCH], [[0u16; 8]; BATCH]);
    // A pixel more, for what is looked at behind the last one and does not count.
    let mut columns = [0u16; 8 * BATCH + 8];
    let mut mixed = [[0u8; 8]; BATCH];
    for pixels in pixels.chunks_mut(BATCH) {
        for at in 0..pixels.len().min(BATCH) {
            let ((left, share_across), (top, share_down)) = (split(x), split(y));
            if top != held {
                held = top;
                (above, below) = (from.row(top as usize), from.row(top as usize + 1));
            }
            let two = |row: &[u8]| -> Two {
                row.get(3 * left as usize..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
            };
            (upper[at], lower[at]) = (two(above), two(below));
            (across[at], down[at]) = ([share_across; 8], [share_down; 8]);
            x += course.step.0;
            y += course.step.1;
        }
        let samples = upper.as_flattened().iter().zip(lower.as_flattened()).zip(down.as_flattened());
        for (column, ((&upper, &lower), &down)) in columns.iter_mut().zip(samples) {
            *column = between(upper.into(), lower.into(), down);
        }
        let samples = columns.iter().zip(&columns[3..]).zip(across.as_flattened());
        for (mixed, ((&near, &far), &across)) in mixed.as_flattened_mut().iter_mut().zip(samples) {
            *mixed = between(near, far, across) as u8;
        }
        for (pixel, mixed) in pixels.iter_mut().zip(&mixed) {
            *pixel = [mixed[0], mixed[1], mixed[2]];
        }
    }
}

/// Anywhere: beyond the border is the nearest pixel within.
#[inline(always)]
fn at_border(from: &View<'_>, course: Course, pixels: &mut [[u8; 3]]) {
    let (right, bottom) = (from.width() as i64 - 1, from.height() as i64 - 1);
    let (mut x, mut y) = course.place;
    for pixel in pixels {
        let ((left, across), (top, down)) = (split(x), split(y));
        let two = |row: i64| -> Two {
            let row = from.row(row.clamp(0, bottom) as usize).as_chunks::<3>().0;
            let [near, far] = [left, left + 1].map(|column| row[column.clamp(0, right) as usize]);
            [near[0], near[1], near[2], far[0], far[1], far[2], 0, 0]
        };
        *pixel = mix(two(top), two(top + 1), across, down);
        x += course.step.0;
        y += course.step.1;
    }
}

/// The same for any number of channels.
fn plain(from: &View<'_>, course: Course, to: &mut [u8]) {
    let (right, bottom) = (from.width() as i64 - 1, from.height() as i64 - 1);
    let channels = from.channels();
    let (mut x, mut y) = course.place;
    for pixel in to.chunks_exact_mut(channels) {
        let ((left, across), (top, down)) = (split(x), split(y));
        let [above, below] = [top, top + 1].map(|row| from.row(row.clamp(0, bottom) as usize));
        let [near, far] = [left, left + 1].map(|column| column.clamp(0, right) as usize * channels);
        for (channel, sample) in pixel.iter_mut().enumerate() {
            let column = |at: usize| between(above[at + channel].into(), below[at + channel].into(), down);
            *sample = between(column(near), column(far), across) as u8;
        }
        x += course.step.0;
        y += course.step.1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::portable;
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(5);
        (0..length).map(|_| random.u8(..)).collect()
    }

    fn turned(degrees: f32, scale: f32, (x, y): (f32, f32)) -> Affine {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Affine { matrix: [[scale * cos, -scale * sin, x], [scale * sin, scale * cos, y]] }
    }

    /// In double precision, place by place.
    fn reference(from: &View<'_>, map: &Affine, (x, y): (usize, usize), channel: usize) -> f64 {
        let back = map.inverse().unwrap().matrix.map(|row| row.map(f64::from));
        let (px, py) = (x as f64 + 0.5, y as f64 + 0.5);
        let [sx, sy] = back.map(|[a, b, c]| a * px + b * py + c - 0.5);
        let sample = |x: f64, y: f64| {
            let x = (x.max(0.0) as usize).min(from.width() - 1);
            f64::from(from.row(y.max(0.0) as usize)[x * from.channels() + channel])
        };
        let (left, top) = (sx.floor(), sy.floor());
        let row = |y: f64| sample(left, y) * (1.0 - (sx - left)) + sample(left + 1.0, y) * (sx - left);
        row(top) * (1.0 - (sy - top)) + row(top + 1.0) * (sy - top)
    }

    #[test]
    fn every_pixel_is_where_the_map_says_at_any_size_and_stride() {
        let maps = [
            Affine::IDENTITY,
            Affine::shift(2.25, -1.5),
            Affine::shift(-1e6, 3e8),
            turned(3.0, 1.04, (-2.0, 1.3)),
            turned(-170.0, 0.6, (40.0, 30.0)),
        ];
        for (width, height) in [(1, 1), (1, 9), (17, 1), (33, 20), (61, 47)] {
            for channels in [1, 3, 4] {
                let (row, stride) = (width * channels, width * channels + 5);
                let bytes = noise(stride * height);
                let from = View::new(&bytes, (width, height), channels, stride).unwrap();
                for map in &maps {
                    let run = || {
                        let mut made = vec![7u8; stride * height];
                        warp(
                            &from,
                            &mut ViewMut::new(&mut made, (width, height), channels, stride).unwrap(),
                            map,
                        );
                        made
                    };
                    let made = run();
                    assert!(made == portable(run));
                    for (y, line) in made.chunks(stride).enumerate() {
                        assert!(line[row..].iter().all(|&guard| guard == 7));
                        for (at, &sample) in line[..row].iter().enumerate() {
                            let expected = reference(&from, map, (at / channels, y), at % channels);
                            // Weights of 1/256 and two roundings.
                            assert!(
                                (f64::from(sample) - expected).abs() < 2.6,
                                "{map:?} {at} {y}: {sample} {expected}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_moves_by_the_identity_nor_by_what_is_no_map() {
        let bytes = noise(30 * 20 * 3);
        let from = View::new(&bytes, (30, 20), 3, 90).unwrap();
        let mut made = vec![0; bytes.len()];
        warp(&from, &mut ViewMut::new(&mut made, (30, 20), 3, 90).unwrap(), &Affine::IDENTITY);
        assert!(made == bytes);
        for none in
            [[[0.0; 3]; 2], [[f32::NAN, 0.0, 0.0], [0.0, 1.0, 0.0]], [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]]]
        {
            made.fill(0);
            warp(&from, &mut ViewMut::new(&mut made, (30, 20), 3, 90).unwrap(), &Affine { matrix: none });
            assert!(made == bytes);
        }
    }
}
