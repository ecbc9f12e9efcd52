//! What each pixel usually shows: a few modes, each with the share of time in which it was seen.
//!
//! A mixture of modes as in Stauffer and Grimson (1999), with these differences: a mode is a mean and a share, all modes of a
//! pixel have one deviation (so that a rare mode needs no estimate of its own); shares count seconds, not frames; and a
//! pixel that often changes between background and not (leaves, rain) needs a larger change, as in St-Charles and others
//! (2015, SuBSENSE).

use super::grid::{LANES, Pixels};
use super::lanes::{self, Lanes};
use crate::kernels::isa::vectorised;

/// Modes of a pixel.
pub(super) const MODES: usize = 3;
/// A mode with at least this share of the time is background.
pub(super) const BACKGROUND: f32 = 0.22;
/// A difference of colour counts so many times as much as the same of luma.
const COLOUR: f32 = 1.5;
/// The deviation of a pixel lies within these, in grey levels.
const LEAST_DEVIATION: f32 = 0.4;
const MOST_DEVIATION: f32 = 14.0;
/// And is taken to be no less than this, as codecs leave blocks and edges; in the dark they leave less: that part of it which
/// the luma, with an offset, is of a level.
const CODEC_DEVIATION: f32 = 1.3;
const DARK: f32 = 70.0;
const DARK_OFFSET: f32 = 10.0;
const DARKEST_SHARE: f32 = 0.4;
/// A mode takes in what is within so many deviations of it.
const TAKES: f32 = 4.0;
/// A pixel that changes sides in each frame needs so many times the deviation more.
const RESTLESS: f32 = 8.0;

/// Eight pixels of the background.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    y: [[f32; LANES]; MODES],
    u: [[f32; LANES]; MODES],
    v: [[f32; LANES]; MODES],
    /// The share of time, 0 to 1.
    share: [[f32; LANES]; MODES],
    /// How far a pixel usually is from its background, in grey levels.
    deviation: [f32; LANES],
    /// How often it changes sides, in frames, 0 to 1.
    restless: [f32; LANES],
    /// 1 where it was not background in the frame before.
    was: [f32; LANES],
}

impl Cell {
    /// Background is what is seen.
    pub(super) fn new(seen: &Pixels, deviation: f32) -> Self {
        let mut share = [[0.0; LANES]; MODES];
        share[0] = [1.0; LANES];
        Self {
            y: [seen.y; MODES],
            u: [seen.u; MODES],
            v: [seen.v; MODES],
            share,
            deviation: [deviation; LANES],
            restless: [0.0; LANES],
            was: [0.0; LANES],
        }
    }

    /// The mode with the largest share of the time.
    pub(super) fn usual(&self) -> Pixels {
        let mut usual = Pixels { y: self.y[0], u: self.u[0], v: self.v[0] };
        let mut most = self.share[0];
        for mode in 1..MODES {
            for (lane, most) in most.iter_mut().enumerate() {
                if self.share[mode][lane] > *most {
                    *most = self.share[mode][lane];
                    (usual.y[lane], usual.u[lane], usual.v[lane]) =
                        (self.y[mode][lane], self.u[mode][lane], self.v[mode][lane]);
                }
            }
        }
        usual
    }

    /// How far its pixels usually are from their background.
    pub(super) fn deviation(&self) -> [f32; LANES] {
        self.deviation
    }

    /// How often each of its pixels changes sides, in frames, 0 to 1.
    pub(super) fn restless(&self) -> [f32; LANES] {
        self.restless
    }

    /// One pixel shows background now, whatever it showed before.
    pub(super) fn adopt(&mut self, lane: usize, [y, u, v]: [f32; 3]) {
        // In place of the mode that it is closest to, which is the one that has just begun.
        let off = |mode: usize| {
            squared_distance([y, u, v], [self.y[mode][lane], self.u[mode][lane], self.v[mode][lane]])
        };
        let mut closest = 0;
        for mode in 1..MODES {
            if off(mode) < off(closest) {
                closest = mode;
            }
        }
        for mode in 0..MODES {
            self.share[mode][lane] *= 0.1;
        }
        (self.y[closest][lane], self.u[closest][lane], self.v[closest][lane]) = (y, u, v);
        self.share[closest][lane] = 0.9;
    }

    /// Takes one pixel from another place.
    pub(super) fn take(&mut self, lane: usize, from: &Self, at: usize) {
        for mode in 0..MODES {
            self.y[mode][lane] = from.y[mode][at];
            self.u[mode][lane] = from.u[mode][at];
            self.v[mode][lane] = from.v[mode][at];
            self.share[mode][lane] = from.share[mode][at];
        }
        self.deviation[lane] = from.deviation[at];
        self.restless[lane] = from.restless[at];
        self.was[lane] = from.was[at];
    }
}

/// How fast the background learns, as shares a frame, and what counts as change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Of shares of time.
    pub(super) share: f32,
    /// Of the colours of a mode.
    pub(super) colour: f32,
    /// Of the deviation.
    pub(super) deviation: f32,
    /// Of restlessness.
    pub(super) restless: f32,
    /// No deviation is taken to be less, in grey levels.
    pub(super) floor: f32,
    /// From so many squared deviations on it is change.
    pub(super) change: f32,
}

/// What is told of eight pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    /// How far they are from their background, in squared deviations.
    pub(super) off: [f32; LANES],
    /// The background that is closest to them.
    pub(super) background: Pixels,
}

impl Told {
    /// Nothing is off this background.
    pub(super) fn background(background: &Pixels) -> Self {
        Self { off: [0.0; LANES], background: *background }
    }
}

/// How far two pixels are from one another, squared, in grey levels.
pub(super) fn squared_distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let [y, u, v] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    y * y + COLOUR * COLOUR * (u * u + v * v)
}

vectorised! {
    /// Compares what is seen with the background, and takes it in. `valid`: 1 where something is seen, else 0.
    pub(super) fn update(cells: &mut [Cell], seen: &[Pixels], valid: &[Lanes], told: &mut [Told], pace: &Pace) {
        for (((cell, seen), valid), told) in cells.iter_mut().zip(seen).zip(valid).zip(told) {
            update_cell(cell, seen, *valid, told, pace);
        }
    }
}

/// What a pixel of this luma deviates by at the least.
#[inline(always)]
fn least_deviation(y: Lanes) -> Lanes {
    let share = lanes::scale(lanes::add(y, [DARK_OFFSET; LANES]), 1.0 / DARK);
    lanes::scale(lanes::max(lanes::min(share, [1.0; LANES]), [DARKEST_SHARE; LANES]), CODEC_DEVIATION)
}

#[inline(always)]
fn update_cell(cell: &mut Cell, seen: &Pixels, valid: Lanes, told: &mut Told, pace: &Pace) {
    let shows = lanes::less([0.5; LANES], valid);
    let deviation = lanes::max(lanes::max(cell.deviation, [pace.floor; LANES]), least_deviation(seen.y));
    let wide = lanes::mul(deviation, deviation);
    let reach = lanes::scale(wide, TAKES * TAKES);
    // Background is what was seen for long enough; where nothing was, what was seen most.
    let [a, b, c] = cell.share;
    let limit = lanes::min(lanes::max(lanes::max(a, b), c), [BACKGROUND; LANES]);
    let weakest = lanes::min(lanes::min(a, b), c);
    let mut off = [[0.0; LANES]; MODES];
    let mut least = [f32::MAX; LANES];
    let mut nearest = [1e12; LANES];
    let mut background = Pixels::default();
    for (mode, off) in off.iter_mut().enumerate() {
        let y = lanes::sub(seen.y, cell.y[mode]);
        let u = lanes::sub(seen.u, cell.u[mode]);
        let v = lanes::sub(seen.v, cell.v[mode]);
        let colour = lanes::add(lanes::mul(u, u), lanes::mul(v, v));
        let far = lanes::add(lanes::mul(y, y), lanes::scale(colour, COLOUR * COLOUR));
        *off = far;
        least = lanes::min(least, far);
        let is = lanes::both(lanes::at_most(limit, cell.share[mode]), lanes::less(far, nearest));
        nearest = lanes::select(is, far, nearest);
        background.y = lanes::select(is, cell.y[mode], background.y);
        background.u = lanes::select(is, cell.u[mode], background.u);
        background.v = lanes::select(is, cell.v[mode], background.v);
    }
    // The closest mode takes it in; where none is close, one begins in place of the weakest.
    let fits = lanes::both(lanes::at_most(least, reach), shows);
    let begins = lanes::without(shows, fits);
    let mut left = [u32::MAX; LANES];
    for (mode, off) in off.into_iter().enumerate() {
        let share = cell.share[mode];
        let hit = lanes::both(lanes::both(fits, lanes::at_most(off, least)), left);
        let new = lanes::both(lanes::both(begins, lanes::at_most(share, weakest)), left);
        left = lanes::without(left, lanes::either(hit, new));
        // A mode that begins goes all the way.
        let rate = lanes::select(new, [1.0; LANES], lanes::only(hit, [pace.colour; LANES]));
        for (of, seen) in
            [(&mut cell.y[mode], seen.y), (&mut cell.u[mode], seen.u), (&mut cell.v[mode], seen.v)]
        {
            *of = lanes::add(*of, lanes::mul(rate, lanes::sub(seen, *of)));
        }
        let towards = lanes::sub(lanes::only(hit, [1.0; LANES]), share);
        let moved = lanes::add(share, lanes::scale(lanes::mul(towards, valid), pace.share));
        cell.share[mode] = lanes::select(new, [pace.share; LANES], moved);
    }
    let needs = lanes::add([1.0; LANES], lanes::scale(cell.restless, RESTLESS));
    let far = lanes::div(nearest, lanes::mul(wide, lanes::mul(needs, needs)));
    let is = lanes::only(lanes::less([pace.change; LANES], far), valid);
    let changed = lanes::sub(is, cell.was);
    let changed = lanes::mul(changed, changed);
    let rate = lanes::scale(valid, pace.restless);
    cell.restless = lanes::add(cell.restless, lanes::mul(rate, lanes::sub(changed, cell.restless)));
    cell.was = is;
    let rate = lanes::only(lanes::both(lanes::at_most(nearest, reach), shows), [pace.deviation; LANES]);
    let towards = lanes::sub(lanes::root(nearest), cell.deviation);
    let deviation = lanes::add(cell.deviation, lanes::mul(rate, towards));
    cell.deviation = lanes::max(lanes::min(deviation, [MOST_DEVIATION; LANES]), [LEAST_DEVIATION; LANES]);
    *told = Told { off: lanes::mul(far, valid), background };
}
