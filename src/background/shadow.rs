//! Shadows: darker than the background, of its colour, and with its pattern.

use super::grid::{Grid, LANES, Pixels};
use super::model::Told;
use super::regions::Marks;

/// A shadow leaves at least, and at most, this share of the light.
const DARKEST: f32 = 0.38;
const LIGHTEST: f32 = 0.95;
/// Pixels around the one that is asked about, to each side.
const RADIUS: usize = 2;
/// Over them, light varies by no more than this share, beside noise.
const VARIES: f32 = 0.15;
/// Where the background is darker than this, in grey levels, no shadow is told from dark things.
const DARK: f32 = 40.0;
/// What has so many marked pixels above it, and below, is no shadow.
const BESIDE: usize = 2;
/// Colour is off by no more than this share of the background's luma, beside noise.
const COLOUR: f32 = 0.045;

/// Removes the marks of pixels that are in shadow. `noise` in grey levels.
pub(super) fn remove(marks: &mut Marks, grid: &Grid, told: &[Told], seen: &[Pixels], noise: f32) {
    let (width, height) = grid.size;
    let stride = marks.stride;
    // Each is asked about with all others still there.
    let mut shadows: Vec<(usize, usize)> = Vec::new();
    for x in 0..width {
        for y in 0..height {
            if marks.weak[y * stride + x] != 0 && is_shadow(marks, grid, told, seen, (x, y), noise) {
                shadows.push((x, y));
            }
        }
    }
    // Between marks above and below it, it is a part of them: a shadow lies at the feet.
    let mut rest = shadows.as_slice();
    while let Some(&(x, from)) = rest.first() {
        let length = rest.iter().zip(from..).take_while(|(shadow, y)| **shadow == (x, *y)).count();
        let is_thing = |y: usize| y < height && marks.weak[y * stride + x] != 0;
        let above = (1..=BESIDE).all(|by| from >= by && is_thing(from - by));
        let below = (0..BESIDE).all(|by| is_thing(from + length + by));
        if !(above && below) {
            for y in from..from + length {
                (marks.weak[y * stride + x], marks.strong[y * stride + x]) = (0, 0);
            }
        }
        rest = &rest[length..];
    }
}

fn is_shadow(
    marks: &Marks,
    grid: &Grid,
    told: &[Told],
    seen: &[Pixels],
    (x, y): (usize, usize),
    noise: f32,
) -> bool {
    let at = |x: usize, y: usize| (y * grid.blocks + x / LANES, x % LANES);
    let light = |x: usize, y: usize| {
        let (block, lane) = at(x, y);
        seen[block].y[lane] / told[block].background.y[lane].max(1.0)
    };
    let here = light(x, y);
    if !(DARKEST..LIGHTEST).contains(&here) {
        return false;
    }
    let (block, lane) = at(x, y);
    let background = &told[block].background;
    let off = (seen[block].u[lane] - here * background.u[lane])
        .abs()
        .max((seen[block].v[lane] - here * background.v[lane]).abs());
    if background.y[lane] < DARK || off > COLOUR * background.y[lane] + noise {
        return false;
    }
    let (width, height) = grid.size;
    let mut window = Window::default();
    for y in y.saturating_sub(RADIUS)..(y + RADIUS + 1).min(height) {
        for x in x.saturating_sub(RADIUS)..(x + RADIUS + 1).min(width) {
            if marks.weak[y * marks.stride + x] != 0 {
                let (block, lane) = at(x, y);
                window.add(seen[block].y[lane], told[block].background.y[lane]);
            }
        }
    }
    window.is_shadow(noise)
}

/// Luma of marked pixels around one, now and of the background.
#[derive(Debug, Default)]
struct Window {
    count: f32,
    light: f32,
    lights: f32,
    then: f32,
}

impl Window {
    fn add(&mut self, now: f32, then: f32) {
        let light = now / then.max(1.0);
        self.count += 1.0;
        self.light += light;
        self.lights += light * light;
        self.then += then;
    }

    /// Whether the light varies little, and the pattern of the background, where it has one, is still to be seen.
    fn is_shadow(&self, noise: f32) -> bool {
        let mean = |sum: f32| sum / self.count;
        let (light, then) = (mean(self.light), mean(self.then));
        let varies = (mean(self.lights) - light * light).max(0.0).sqrt();
        varies < VARIES + 1.5 * noise / then.max(1.0)
    }
}
