//! The camera's motion taken out: each picture is brought to where the background was first seen.

use super::grid::{Grid, LANES, Pixels};
use super::model::{Cell, Told};
use crate::enhance::motion::CameraMotion;
use crate::geometry::{Affine, Rect};
use crate::kernels::View;

/// A motion from frame to frame that moves no corner by more than this, in small pixels, is none.
const STILL: f32 = 0.12;
/// Pictures closer than this to the background's place are taken as they are.
const CLOSE: f32 = 0.12;
/// Where the background has gone farther than this share of the picture, it is brought to the picture.
pub(super) const FAR: f32 = 0.05;
/// Of the pixels, one in so many each way is compared with the background.
const STEP: usize = 3;
/// Pixels that are off by more tell nothing of a small shift, in grey levels.
const OFF: f32 = 30.0;
/// A shift that is left of at least so many small pixels wakes, and no larger one is believed.
pub(super) const WAKES: f32 = 0.15;
const FARTHEST: f32 = 1.5;
/// A camera that moved is followed for so long, and one that stands once in so many seconds.
const AWAKE: f64 = 2.0;
const REFRESH: f64 = 1.0;
/// A shift that is at least so many small pixels is looked for once more.
pub(super) const SMALL: f32 = 0.3;
/// The deviation of a pixel that comes into the picture, in grey levels.
const NEW_DEVIATION: f32 = 4.0;
/// So many pixels are needed for a shift.
const LEAST: usize = 60;
/// So many points are enough to hold on to: where no motion fits them so often in a row, the camera travels. Once may be light
/// that was switched.
const HOLDS: usize = 20;
const LOST: u8 = 2;

/// Where the picture is against the background.
#[derive(Debug)]
pub(super) struct Align {
    motion: CameraMotion,
    /// From the background's pixels to those of the picture, in small pixels; corners, not middles, are whole numbers.
    pub(super) map: Affine,
    /// The same for the picture that was followed to last.
    anchor: Affine,
    /// From where the background was first seen to where it is now, in small pixels.
    carried: Affine,
    /// How often in a row there was enough to hold on to, and no motion fitted it.
    lost: u8,
    /// The camera is followed frame by frame until then, and in any case from then on; source times in seconds.
    awake: f64,
    due: f64,
    luma: Vec<u8>,
}

impl Default for Align {
    fn default() -> Self {
        Self {
            motion: CameraMotion::new(),
            map: Affine::IDENTITY,
            anchor: Affine::IDENTITY,
            carried: Affine::IDENTITY,
            lost: 0,
            awake: f64::NEG_INFINITY,
            due: f64::NEG_INFINITY,
            luma: Vec::new(),
        }
    }
}

impl Align {
    /// The background is where the picture is.
    pub(super) fn reset(&mut self) {
        self.motion.reset();
        self.lost = 0;
        (self.map, self.anchor, self.carried) = (Affine::IDENTITY, Affine::IDENTITY, Affine::IDENTITY);
        (self.awake, self.due) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    }

    /// The background is where the picture is now, as it was carried there.
    pub(super) fn arrive(&mut self) {
        self.carried = self.carried.then(&self.map);
        (self.map, self.anchor) = (Affine::IDENTITY, Affine::IDENTITY);
    }

    /// From where the background was first seen to the picture, in small pixels.
    pub(super) fn whole_way(&self) -> Affine {
        self.carried.then(&self.map)
    }

    /// From where the background was first seen to where it is now.
    pub(super) fn carried(&self) -> &Affine {
        &self.carried
    }

    /// The camera travels: no one map brings what is near and what is far back to where it was a moment ago. One that turns, or
    /// shakes, is followed.
    pub(super) fn travels(&self) -> bool {
        self.lost >= LOST
    }

    /// The camera was lost only as something else was shown for a moment.
    pub(super) fn found(&mut self) {
        self.lost = 0;
    }

    /// Whether the camera has to be followed to the picture of this time: it moves, or it is long ago.
    pub(super) fn is_due(&self, time: f64) -> bool {
        time < self.awake || time >= self.due
    }

    /// The camera moves: it is followed for a while.
    pub(super) fn wake(&mut self, time: f64) {
        self.awake = time + AWAKE;
    }

    /// Where the picture is that was followed to is settled.
    pub(super) fn settle(&mut self) {
        self.anchor = self.map;
    }

    /// Follows the camera to a picture. `ignore`: things that move, in small pixels of the one that was followed to before.
    pub(super) fn follow(&mut self, grid: &Grid, ignore: &[Rect], time: f64) {
        self.due = time + REFRESH;
        grid.luma(&mut self.luma);
        let Some(view) = View::new(&self.luma, grid.size, 1, grid.size.0) else { return };
        let motion = self.motion.update(view, ignore);
        if motion.points >= HOLDS && !motion.is_known() {
            self.lost = self.lost.saturating_add(1);
        } else {
            self.lost = 0;
        }
        if motion.is_known() && goes(&motion.map, grid.size) > STILL {
            self.map = self.anchor.then(&motion.map);
            self.wake(time);
        }
        if !self.map.is_sound() {
            self.map = Affine::IDENTITY;
        }
    }

    /// How far a corner of the picture is from where the background has it.
    pub(super) fn distance(&self, size: (usize, usize)) -> f32 {
        goes(&self.map, size)
    }

    /// Whether the picture is not where the background is.
    pub(super) fn is_off(&self, size: (usize, usize)) -> bool {
        self.distance(size) >= CLOSE
    }

    /// Brings the picture to the background; `valid`: 1 where the picture shows it.
    pub(super) fn bring(&self, grid: &Grid, out: &mut Vec<Pixels>, valid: &mut Vec<[f32; LANES]>) {
        out.clear();
        valid.clear();
        if !self.is_off(grid.size) {
            out.extend_from_slice(&grid.pixels);
            valid.resize(grid.pixels.len(), [1.0; LANES]);
            return;
        }
        let (width, height) = grid.size;
        for y in 0..height {
            for block in 0..grid.blocks {
                let mut pixels = Pixels::default();
                let mut shows = [0.0; LANES];
                for (lane, shows) in shows.iter_mut().enumerate() {
                    let x = (block * LANES + lane).min(width - 1);
                    let (fx, fy) = self.map.point(x as f32 + 0.5, y as f32 + 0.5);
                    let (fx, fy) = (fx - 0.5, fy - 0.5);
                    let inside =
                        fx >= -0.5 && fy >= -0.5 && fx <= width as f32 - 0.5 && fy <= height as f32 - 0.5;
                    *shows = f32::from(u8::from(inside));
                    let fx = fx.clamp(0.0, (width - 1) as f32);
                    let fy = fy.clamp(0.0, (height - 1) as f32);
                    let (left, top) = (fx as usize, fy as usize);
                    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
                    let (h, v) = (fx - left as f32, fy - top as f32);
                    let taps = [(left, top), (right, top), (left, bottom), (right, bottom)];
                    let shares = [(1.0 - h) * (1.0 - v), h * (1.0 - v), (1.0 - h) * v, h * v];
                    for ((x, y), share) in taps.into_iter().zip(shares) {
                        let from = &grid.pixels[y * grid.blocks + x / LANES];
                        pixels.y[lane] += share * from.y[x % LANES];
                        pixels.u[lane] += share * from.u[x % LANES];
                        pixels.v[lane] += share * from.v[x % LANES];
                    }
                }
                out.push(pixels);
                valid.push(shows);
            }
        }
    }

    /// The background brought to where the picture is; where it has none, it is what the picture shows. `carried`: memory.
    pub(super) fn carry(&self, grid: &Grid, cells: &[Cell], carried: &mut Vec<Cell>) {
        carried.clear();
        carried.extend(grid.pixels.iter().map(|pixels| Cell::new(pixels, NEW_DEVIATION)));
        let (width, height) = grid.size;
        let Some(back) = self.map.inverse() else { return };
        for y in 0..height {
            for x in 0..grid.stride() {
                let (fx, fy) = back.point(x.min(width - 1) as f32 + 0.5, y as f32 + 0.5);
                if fx >= 0.0 && fy >= 0.0 && fx < width as f32 && fy < height as f32 {
                    let from = &cells[fy as usize * grid.blocks + fx as usize / LANES];
                    carried[y * grid.blocks + x / LANES].take(x % LANES, from, fx as usize % LANES);
                }
            }
        }
    }

    /// Corrects what is left: the small shift that fits the picture, as brought to the background, to the background best
    /// (one step of Lucas and Kanade, 1981). Gives how far it went.
    pub(super) fn correct(
        &mut self,
        grid: &Grid,
        told: &[Told],
        (seen, valid): (&[Pixels], &[[f32; LANES]]),
        light: f32,
    ) -> f32 {
        let (width, height) = grid.size;
        if width < 8 || height < 8 || told.len() < grid.blocks * height {
            return 0.0;
        }
        let background = |x: usize, y: usize| told[y * grid.blocks + x / LANES].background.y[x % LANES];
        let (mut xx, mut xy, mut yy, mut xe, mut ye, mut count) = (0f32, 0f32, 0f32, 0f32, 0f32, 0);
        let undo = 1.0 / light;
        for y in (2..height - 2).step_by(STEP) {
            for x in (2 + y % STEP..width - 2).step_by(STEP) {
                let at = y * grid.blocks + x / LANES;
                if valid[at][x % LANES] == 0.0 {
                    continue;
                }
                let off = seen[at].y[x % LANES] * undo - background(x, y);
                let gx = 0.5 * (background(x + 1, y) - background(x - 1, y));
                let gy = 0.5 * (background(x, y + 1) - background(x, y - 1));
                if off.abs() > OFF || gx * gx + gy * gy < 9.0 {
                    continue;
                }
                // Strong edges do not decide alone.
                let weight = 1.0 / (1.0 + 0.01 * off * off);
                xx += weight * gx * gx;
                xy += weight * gx * gy;
                yy += weight * gy * gy;
                xe += weight * gx * off;
                ye += weight * gy * off;
                count += 1;
            }
        }
        let determinant = xx * yy - xy * xy;
        if count < LEAST || determinant <= 1e-3 * xx * yy {
            // Little to hold on to.
            return 0.0;
        }
        // The picture shows at x what the background has at x + shift.
        let (dx, dy) = ((yy * xe - xy * ye) / determinant, (xx * ye - xy * xe) / determinant);
        let far = dx.hypot(dy);
        if !far.is_finite() || far > FARTHEST {
            return FARTHEST;
        }
        if far > 0.04 {
            self.map = Affine::shift(-0.8 * dx, -0.8 * dy).then(&self.map);
        }
        far
    }
}

/// How far it moves the corner that goes farthest.
fn goes(map: &Affine, (width, height): (usize, usize)) -> f32 {
    let (w, h) = (width as f32, height as f32);
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)];
    let far = corners.map(|(x, y)| {
        let (to_x, to_y) = map.point(x, y);
        (to_x - x).hypot(to_y - y)
    });
    far.into_iter().fold(0.0, f32::max)
}
