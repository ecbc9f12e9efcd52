//! Whatever moves, told without a network: background subtraction.
//!
//! ```text
//! picture ──▶ grid ──▶ align ───▶ light ───▶ model ───▶ sway, shadow ──▶ regions ──▶ things ──▶ detections
//!             small    camera's   lamps'     each        removed         cleaned,    groups
//!                      motion     changes    pixel's                     connected   split
//!                      taken out  taken out  background
//! ```
//!
//! [`MotionDetector::detect`] takes the pictures of one source in their order, with their times in seconds, and gives boxes of
//! what does not belong to the background, all of one class ([`MOVING`]). Memory is bounded by the size of the small picture
//! (at most 480 pixels a side, some 600 bytes for eight of them), whatever is seen and for however long.
//!
//! **Score.** The share of a thing's pixels that are clearly off their background (from 0.4 for none to 1 for all), less for
//! what was first seen a moment ago, for what others hide, and for what moves only in its place where all is restless.
//!
//! **What is no motion.** A pixel has several modes (leaves and what is behind them) and a deviation of its own (noise). The
//! light of the whole picture, of its rows and of places in it is compared with that of the background, and the change taken
//! out. A camera that shakes or turns is followed; while one travels, as in a car, nothing is told. What stays as it is for
//! `forget_after_seconds` becomes background; what a thing leaves behind that was background from the first picture on, a
//! ghost, at once: its outline is in the background and not in the picture.
//!
//! | file | what it holds |
//! |---|---|
//! | `grid`, `lanes` | a picture made small; arithmetic on eight pixels at once |
//! | `align`, `light` | what the camera did; what the light did |
//! | `model` | what each pixel usually shows |
//! | `sway`, `shadow`, `ghost` | what differs and is no thing |
//! | `regions`, `things` | from pixels to regions; from regions to things, told apart by what was seen before |
//! | `plate` | the place without what moves |

mod align;
mod ghost;
mod grid;
mod lanes;
mod light;
mod model;
mod plate;
mod regions;
mod shadow;
mod sway;
mod things;

use self::align::Align;
pub use self::plate::CleanPlate;

use self::grid::{Grid, LANES, Pixels};
use self::light::Light;
use self::model::{Cell, Pace, Told};
use self::regions::{Marks, Region};
use self::things::{Thing, Things};
use crate::detection::{Detection, Detections, Extra, Mask};
use crate::geometry::{Affine, Rect};
use crate::kernels::View;

/// The name of the one class.
pub const MOVING: &str = "moving";

/// Pictures further apart than this, in seconds, do not follow one another.
const GAP: f64 = 5.0;
/// Where at least this share of places is clearly off, or more than the second and less than the third in the picture before, the
/// picture shows something else, and goes on to do so while it is more than the third; after so many seconds the background is
/// learnt anew.
const CUT: f32 = 0.75;
const CUT_SUDDEN: f32 = 0.45;
const CUT_STAYS: f32 = 0.25;
const CUT_SECONDS: f64 = 0.3;
/// The deviation of a pixel of which nothing is known, in grey levels.
const UNKNOWN_DEVIATION: f32 = 2.6;
/// A pixel is off its background from so many deviations on, and clearly from so many, at the middle sensitivity. From the
/// least to the greatest sensitivity that changes by this factor.
const OFF: f32 = 4.0;
const CLEARLY_OFF: f32 = 7.0;
const SENSITIVITY: f32 = 4.0;
/// Seconds between measurements of the noise, and the share of the middle deviation below which none lies.
const NOISE_SECONDS: f64 = 0.5;
const NOISE_SHARE: f32 = 0.8;
/// Gaps in a thing of so many small pixels across are closed; down, of this share of the picture.
const GAP_ACROSS: usize = 2;
const GAP_DOWN: usize = 40;
/// What is longer than so many times its width is none, such as a line in the wind; at the border it may be what comes in.
const THINNEST: usize = 7;
/// While the background is younger than forgetting takes, it learns as if that took so many times its age.
const EARLY: f64 = 3.0;
/// Boxes with a lower score are not told.
const LEAST_SCORE: f32 = 0.25;

/// The `[motion]` section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionSettings {
    /// How small a difference from the background counts: 0 (only the clearest) to 1 (almost all).
    pub sensitivity: f32,
    /// The longer side of the smallest thing, as a share of the picture's height.
    pub smallest_size: f32,
    /// What stays as it is for so many seconds becomes background.
    pub forget_after_seconds: f64,
}

impl Default for MotionSettings {
    fn default() -> Self {
        Self { sensitivity: 0.5, smallest_size: 0.04, forget_after_seconds: 30.0 }
    }
}

impl MotionSettings {
    /// From so many squared deviations on a pixel is off, and clearly off.
    fn limits(&self) -> (f32, f32) {
        let times = SENSITIVITY.powf(0.5 - self.sensitivity.clamp(0.0, 1.0));
        let squared = |deviations: f32| (deviations * times) * (deviations * times);
        (squared(OFF), squared(CLEARLY_OFF))
    }

    /// How fast the background learns, so many seconds after its begin, from a frame that is so many seconds after the last.
    fn pace(&self, since: f64, passed: f64, noise: f32, change: f32) -> Pace {
        // A share that grows towards 1 reaches that of background then.
        let long = self.forget_after_seconds.max(0.5) / -f64::ln(1.0 - f64::from(model::BACKGROUND));
        let of =
            |least: f64, seconds: f64| (passed / since.clamp(least.min(seconds), seconds)).min(1.0) as f32;
        let begin = (EARLY * since).clamp(2.0f64.min(long), long);
        Pace {
            // Never background at once, however far apart pictures are.
            share: (passed / begin).min(f64::from(0.5 * model::BACKGROUND)) as f32,
            colour: of(0.3, 3.0),
            deviation: of(0.3, 4.0),
            restless: of(2.0, 8.0).min(0.2),
            floor: noise,
            change,
        }
    }
}

/// Finds what moves in the pictures of one source.
///
/// ```
/// use trailsight::background::{MotionDetector, MotionSettings};
/// use trailsight::kernels::View;
///
/// let mut detector = MotionDetector::new(MotionSettings::default());
/// let mut pixels = vec![120; 160 * 120 * 3];
/// for frame in 0..25 {
///     // Something white that comes in from the left.
///     for y in 40..80 {
///         pixels[(y * 160 + frame * 2) * 3..][..6].fill(250);
///     }
///     let picture = View::new(&pixels, (160, 120), 3, 160 * 3).ok_or("no picture")?;
///     let found = detector.detect(&picture, frame as f64 / 25.0);
///     assert!(frame < 10 || found.len() == 1, "{frame}: {found:?}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MotionDetector {
    settings: MotionSettings,
    masks: bool,
    grid: Grid,
    align: Align,
    light: Light,
    cells: Vec<Cell>,
    /// Memory for the next.
    spare: Vec<Cell>,
    told: Vec<Told>,
    /// The picture as it is compared: at the background's place and in its light; 1 where it shows it.
    seen: Vec<Pixels>,
    valid: Vec<[f32; LANES]>,
    marks: Marks,
    things: Things,
    noise: f32,
    /// Times in seconds: of the background's begin, of the last picture, of the last measurement of noise, and since when all
    /// is different.
    begun: f64,
    before: Option<f64>,
    measured: f64,
    cut: Option<f64>,
    /// The share of places of the last picture that were clearly off.
    spread: f32,
    travels: bool,
}

impl MotionDetector {
    /// Has seen no picture.
    pub fn new(settings: MotionSettings) -> Self {
        Self {
            settings,
            masks: false,
            grid: Grid::default(),
            align: Align::default(),
            light: Light::default(),
            cells: Vec::new(),
            spare: Vec::new(),
            told: Vec::new(),
            seen: Vec::new(),
            valid: Vec::new(),
            marks: Marks::default(),
            things: Things::default(),
            noise: 0.0,
            begun: 0.0,
            before: None,
            measured: f64::NEG_INFINITY,
            cut: None,
            spread: 0.0,
            travels: false,
        }
    }

    /// Whether masks are told with the boxes, from the next picture on; at first they are not.
    pub fn set_masks(&mut self, on: bool) {
        self.masks = on;
    }

    /// Other settings from the next picture on.
    pub fn set(&mut self, settings: MotionSettings) {
        self.settings = settings;
    }

    /// Another one with these settings, which has seen no picture.
    pub fn fork(&self) -> Self {
        Self { masks: self.masks, ..Self::new(self.settings) }
    }

    /// The picture to come does not follow on the one before: the background is learnt anew.
    pub fn begin_anew(&mut self) {
        self.before = None;
    }

    /// Takes the next picture, RGB or of one channel, of any size, and its time in seconds. Gives what moves: boxes in pixels
    /// of the picture, cut at its edges, by falling score; all of class 0. The first picture, one of another size, and one
    /// that does not follow within five seconds are background.
    pub fn detect(&mut self, picture: &View<'_>, time: f64) -> Detections {
        let same = self.grid.measure(picture);
        let passed = self.before.replace(time).map(|before| time - before);
        let Some(passed) = passed.filter(|passed| same && (0.0..GAP).contains(passed)) else {
            self.learn(time);
            return Detections::default();
        };
        let passed = passed.clamp(1e-3, 1.0);
        self.bring(time);
        if std::mem::take(&mut self.travels) && !self.align.travels() {
            // It stands again, elsewhere.
            self.learn(time);
            return Detections::default();
        }
        self.light.take_out(&self.grid, &self.told, &mut self.seen, &self.valid);
        self.measure_noise(time);
        let (weak, strong) = self.settings.limits();
        let pace = self.settings.pace(time - self.begun, passed, self.noise, weak);
        model::update(&mut self.cells, &self.seen, &self.valid, &mut self.told, &pace);
        self.marks.mark(&self.told, self.grid.size, self.grid.stride(), (weak, strong));
        if self.is_cut(time) {
            return Detections::default();
        }
        if self.align.travels() {
            self.travels = true;
            self.things = Things::default();
            return Detections::default();
        }
        sway::remove(&mut self.marks, &self.grid, &self.cells, &self.told, &self.seen, (self.noise, weak));
        shadow::remove(&mut self.marks, &self.grid, &self.told, &self.seen, self.noise);
        let least = (self.settings.smallest_size * self.grid.size.1 as f32).max(2.0);
        let regions = self.regions(least);
        self.things.update(&regions, &self.marks, least, passed);
        self.tell((picture.width() as f32, picture.height() as f32))
    }

    /// From pixels of the picture in which the background was learnt to those of the last one.
    fn camera(&self) -> Affine {
        let [[a, b, x], [c, d, y]] = self.align.whole_way().matrix;
        let factor = self.grid.factor as f32;
        Affine { matrix: [[a, b, x * factor], [c, d, y * factor]] }
    }

    /// Whether they are different places.
    fn has_moved(&self) -> bool {
        self.align.is_off(self.grid.size) || self.is_carried()
    }

    /// The background is not any more where it was learnt.
    fn is_carried(&self) -> bool {
        *self.align.carried() != Affine::IDENTITY
    }

    /// What moves, told or not, in pixels of the picture in which the background was learnt.
    fn moving(&self) -> Vec<Rect> {
        let factor = self.grid.factor as f32;
        let back = self.align.carried().inverse().unwrap_or(Affine::IDENTITY);
        self.things.list.iter().map(|thing| back.rect(&thing.rect).scaled((factor, factor))).collect()
    }

    /// How many times as bright the last picture is as the background, in a row of it.
    fn light_at(&self, y: usize) -> f32 {
        if self.is_carried() { self.light.whole() } else { self.light.row(y / self.grid.factor.max(1)) }
    }

    /// When the background was learnt, in seconds of the source: with another picture, another place begins.
    fn begun(&self) -> f64 {
        self.begun
    }

    /// The deviation that most pixels have from their background, in grey levels.
    fn noise(&self) -> f32 {
        self.noise
    }

    /// Background is what the picture shows.
    fn learn(&mut self, time: f64) {
        self.cells.clear();
        self.cells.extend(self.grid.pixels.iter().map(|pixels| Cell::new(pixels, UNKNOWN_DEVIATION)));
        self.told.clear();
        self.told.extend(self.grid.pixels.iter().map(Told::background));
        self.things = Things::default();
        self.light = Light::default();
        self.align.reset();
        self.align.follow(&self.grid, &[], time);
        (self.begun, self.measured, self.cut, self.noise) = (time, f64::NEG_INFINITY, None, 0.0);
        self.spread = 0.0;
    }

    /// Brings the picture to where the background is, or, where the camera has turned far, the background to the picture.
    fn bring(&mut self, time: f64) {
        let mut followed = self.align.is_due(time);
        if followed {
            self.follow(time);
        }
        // A shift that is left is found in two steps where it is not small; where it is larger than a still camera has, the
        // camera is followed first.
        let mut steps = 0;
        while steps < 2 {
            self.align.bring(&self.grid, &mut self.seen, &mut self.valid);
            let light = self.light.whole();
            let far = self.align.correct(&self.grid, &self.told, (&self.seen, &self.valid), light);
            if far >= align::WAKES && !followed {
                followed = true;
                self.align.wake(time);
                self.follow(time);
                continue;
            }
            steps += 1;
            if far < align::SMALL {
                break;
            }
        }
        if followed {
            self.align.settle();
        }
    }

    /// Follows the camera; where it has turned far, the background goes along.
    fn follow(&mut self, time: f64) {
        let map = self.align.map;
        let moving: Vec<Rect> = self.things.list.iter().map(|thing| map.rect(&thing.rect)).collect();
        self.align.follow(&self.grid, &moving, time);
        let (width, height) = self.grid.size;
        if self.align.distance(self.grid.size) > align::FAR * width.max(height) as f32 {
            self.align.carry(&self.grid, &self.cells, &mut self.spare);
            std::mem::swap(&mut self.cells, &mut self.spare);
            self.told.clear();
            self.told.extend(self.cells.iter().map(|cell| Told::background(&cell.usual())));
            self.things.carry(&self.align.map);
            self.align.arrive();
        }
    }

    fn measure_noise(&mut self, time: f64) {
        if time - self.measured < NOISE_SECONDS {
            return;
        }
        self.measured = time;
        let mut values: Vec<f32> =
            self.cells.iter().step_by(7).map(|cell| cell.deviation()[LANES / 2]).collect();
        let middle = values.len() / 2;
        if !values.is_empty() {
            self.noise = NOISE_SHARE * *values.select_nth_unstable_by(middle, f32::total_cmp).1;
        }
    }

    /// Whether the picture shows something else: a cut, or a lamp that is switched. Nothing is told then, and what stays is
    /// learnt.
    fn is_cut(&mut self, time: f64) -> bool {
        // Counted by places: where two pictures are alike, or the light was taken out, few pixels are off, but all over.
        let spread = self.marks.spread();
        let before = std::mem::replace(&mut self.spread, spread);
        let sudden = spread > CUT_SUDDEN && before < CUT_STAYS;
        if !(sudden || spread > CUT || self.cut.is_some() && spread > CUT_STAYS) {
            if self.cut.take().is_some() {
                // The place is there again, and so is the camera: a flash is no journey.
                self.align.found();
            }
            return false;
        }
        if time - *self.cut.get_or_insert(time) >= CUT_SECONDS {
            self.learn(time);
        }
        true
    }

    /// The regions that may be things; ghosts become background.
    fn regions(&mut self, least: f32) -> Vec<Region> {
        let (width, height) = self.grid.size;
        let long = |region: &Region| region.height().max(region.width());
        let mut regions = self.marks.regions((GAP_ACROSS, (height / GAP_DOWN).max(1)));
        regions.retain(|region| region.strong > 0 && long(region) as f32 * 3.0 >= least);
        regions::keep_largest(&mut regions);
        regions::join_stacked(&mut regions, &mut self.marks);
        regions.retain(|region| {
            let short = region.height().min(region.width());
            let at_border =
                region.left == 0 || region.top == 0 || region.right == width || region.bottom == height;
            long(region) as f32 >= least
                && region.strong * 8 >= region.area.min(64)
                && (at_border || long(region) <= THINNEST * short)
        });
        regions.retain(|region| {
            let ghost = ghost::is_ghost(region, &self.marks, &self.grid, &self.told, &self.seen);
            if ghost {
                ghost::forget(region, &self.marks, &self.grid, &self.seen, &mut self.cells);
            }
            !ghost
        });
        regions
    }

    /// The things that are told of, in a picture of this width and height.
    fn tell(&self, (width, height): (f32, f32)) -> Detections {
        let factor = self.grid.factor as f32;
        let boxes = self.things.list.iter().filter(|thing| thing.is_told()).filter_map(|thing| {
            let rect = self.align.map.rect(&thing.rect).scaled((factor, factor)).clipped(width, height)?;
            let score = self.score(thing);
            (score >= LEAST_SCORE).then_some((Detection { rect, score, class: 0 }, thing))
        });
        let mut found = Detections::default();
        for (detection, thing) in boxes {
            match self.masks.then(|| self.mask(thing)).flatten() {
                Some(mask) => found.push_with(detection, Extra { mask: Some(mask), ..Extra::default() }),
                None => found.push(detection),
            }
        }
        found.pick(&found.by_falling_score());
        found
    }

    /// The pixels of a thing, in small pixels that lie where the picture has them; of one in a group, those in its box.
    fn mask(&self, thing: &Thing) -> Option<Mask> {
        let (width, height) = self.grid.size;
        let inside = thing.rect.clipped(width as f32, height as f32).filter(|_| thing.label > 0)?;
        let (left, top) = (inside.left as usize, inside.top as usize);
        let (right, bottom) = (inside.right().ceil() as usize, inside.bottom().ceil() as usize);
        let (columns, rows) = (right.min(width) - left, bottom.min(height) - top);
        let rect = Rect::new(left as f32, top as f32, columns as f32, rows as f32);
        let factor = self.grid.factor as f32;
        let rect = self.align.map.rect(&rect).scaled((factor, factor));
        let is_of = |column: u32, row: u32| {
            self.marks.label(left + column as usize, top + row as usize) == thing.label
        };
        Mask::new(rect, (u32::try_from(columns).ok()?, u32::try_from(rows).ok()?), is_of)
    }

    fn score(&self, thing: &Thing) -> f32 {
        let lasts = if thing.age > 0.0 { 1.0 - 0.5 * (-thing.age / 0.2).exp() as f32 } else { 0.2 };
        let hidden = if thing.missed > 0.0 { 0.5 } else { 1.0 };
        let restless =
            if thing.travelled() { 0.0 } else { sway::restless(&self.grid, &self.cells, &thing.rect) };
        let moves = 1.0 - (3.0 * (restless - 0.08).max(0.0)).min(0.8);
        ((0.4 + 0.6 * thing.clear) * lasts * hidden * moves).clamp(0.0, 0.99)
    }
}

#[cfg(test)]
mod tests;
