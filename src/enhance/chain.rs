//! The chain: which steps a picture goes through, in which order, with what is kept from frame to frame.
//!
//! Damage of single pixels goes first, then noise, so that the steps behind do not spread or amplify them; light before
//! local contrast, which has less to do then; sharpening last. What does not count is hidden at the very end. Between the
//! damage and the noise a picture that the network looks at from afar is brought to the size at which it does.

use std::sync::Arc;
use std::time::Instant;

use super::areas::{Areas, Polygon};
use super::auto::{Auto, Help};
use super::light::Light;
use super::measure::Measure;
use super::motion::CameraMotion;
use super::report::{Report, Step};
use super::settings::{EnhanceSettings, Median, Tiles};
use super::stabilise::Stabiliser;
use super::work::{Tools, Work};
use crate::detection::Detection;
use crate::frame::Picture;
use crate::geometry::Fit;
use crate::kernels::View;
use crate::kernels::clahe::Clahe;
use crate::kernels::curve;
use crate::kernels::deblock::deblock;
use crate::kernels::deinterlace;
use crate::kernels::gaussian::Gaussian;
use crate::kernels::guided::Guided;
use crate::kernels::median;
use crate::kernels::sharpen::Sharpen;
use crate::kernels::temporal::Temporal;
use crate::kernels::warp::warp;

/// What was made of a picture for the network.
#[derive(Debug, Clone)]
pub struct Enhanced {
    /// What the network is to look at; `None`: the picture as it is.
    pub seen: Option<Arc<Picture>>,
    /// Pixels of what is seen a pixel of the picture, both ways; what does not make a whole pixel at the right and the
    /// bottom is squeezed in.
    pub scale: f32,
    /// Where objects count; `None`: everywhere.
    pub areas: Option<Arc<Areas>>,
    /// Masked areas have lost their detail in what may be shown.
    pub pixelated: bool,
    /// What was done, and why.
    pub report: Arc<Report>,
}

impl Default for Enhanced {
    /// Nothing was made, and objects count everywhere.
    fn default() -> Self {
        Self { seen: None, scale: 1.0, areas: None, pixelated: false, report: Arc::default() }
    }
}

impl Enhanced {
    /// Brings boxes found in what is seen to where they are in the picture, of this size in pixels, and leaves out those
    /// that do not count.
    pub fn place(&self, detections: &mut Vec<Detection>, (width, height): (u32, u32)) {
        detections.retain_mut(|detection| {
            if self.scale != 1.0 {
                let rect = detection.rect.scaled(1.0 / self.scale);
                let Some(rect) = rect.clipped(width as f32, height as f32) else { return false };
                detection.rect = rect;
            }
            self.areas.as_ref().is_none_or(|areas| areas.counts(&detection.rect))
        });
    }
}

/// Frames that lie further apart than this, in seconds, or the wrong way round, do not follow one another.
const GAP_SECONDS: f64 = 2.0;
/// Seconds of source time from one measurement to the next.
const MEASURE_SECONDS: f64 = 0.25;
/// The guided filter looks so many pixels around, which is as much as noise needs.
const SMOOTH_RADIUS: usize = 2;
/// The standard deviations in pixels of the Gaussian against noise, and from which noise on the larger one is taken; the
/// same in pixels of the size that the network looks at.
const NOISE_BLUR: (f32, f32) = (1.2, 1.5);
const SMALL_BLUR: (f32, f32) = (0.8, 1.0);
const STRONG_NOISE: f32 = 30.0;
/// Averaged over so many pixels a side, noise is as much weaker as it is by the interpolation of the pictures that the
/// bounds of `auto.rs` were found on.
const AVERAGED: f64 = 1.4;
/// The standard deviation in pixels of what an unsharp mask takes for unsharp, and how many grey levels it lets be.
const UNSHARP: (f32, u8) = (1.2, 3);
/// A line that differs by more grey levels from both its neighbours is of another field.
const FIELDS_DIFFER: u8 = 12;

/// Why a step is taken that the settings name.
const ASKED: &str = "asked for";

/// Makes pictures better for the network, one after the other.
#[derive(Debug)]
pub struct Enhancer {
    settings: EnhanceSettings,
    /// Pictures do not follow one another: each is looked at as if it were the first.
    separate: bool,
    /// The size of the network's input, across and down, where it looks at the picture as a whole.
    input: Option<(usize, usize)>,
    tools: Tools,
    /// The time of the frame before, in seconds; `None`: there is none that this one follows on.
    last: Option<f64>,
    /// When it was measured last, with what was found.
    measured: Option<(f64, Measure)>,
    motion: CameraMotion,
    stabiliser: Stabiliser,
    auto: Auto,
    help: Help,
    light: Light,
    temporal: Temporal,
    filters: Filters,
    /// For pictures of the size with it: as they come, and as the network looks at them.
    areas: [Option<AreasOfSize>; 2],
}

/// The size in pixels, and where objects count in pictures of it.
type AreasOfSize = ((u32, u32), Option<Arc<Areas>>);

/// What remembers nothing but memory and how it was set.
#[derive(Debug, Default)]
struct Filters {
    median: median::Median,
    guided: Guided,
    gaussian: Option<(f32, Gaussian)>,
    sharpen: Option<(f32, Sharpen)>,
    clahe: Option<((f32, usize), Clahe)>,
}

/// What was made for a setting, or is made now.
fn set_for<S: PartialEq + Copy, T>(
    kept: &mut Option<(S, T)>,
    setting: S,
    make: impl FnOnce() -> T,
) -> &mut T {
    let made = kept.take().filter(|(made_for, _)| *made_for == setting);
    &mut kept.insert(made.unwrap_or_else(|| (setting, make()))).1
}

impl Enhancer {
    /// Has seen nothing yet.
    pub fn new(settings: EnhanceSettings) -> Self {
        Self {
            settings,
            separate: false,
            input: None,
            tools: Tools::default(),
            last: None,
            measured: None,
            motion: CameraMotion::new(),
            stabiliser: Stabiliser::default(),
            auto: Auto::default(),
            help: Help::default(),
            light: Light::default(),
            temporal: Temporal::default(),
            filters: Filters::default(),
            areas: [None, None],
        }
    }

    /// Whether pictures do not follow one another, such as photographs in a folder: each is then as if it were the first.
    pub fn separate(self, separate: bool) -> Self {
        Self { separate, ..self }
    }

    /// For a network with an input of this size, across and down. A picture more than twice as large is shrunk before the
    /// steps that are for the network alone, which then cost a fraction; unless it is cropped or cut into tiles.
    pub fn for_network(self, input: (usize, usize)) -> Self {
        Self { input: Some(input), ..self }
    }

    /// The network's input has another size from now on.
    pub fn set_input(&mut self, input: (usize, usize)) {
        self.input = Some(input);
    }

    /// Changes the settings; what is remembered stays where it can.
    pub fn set(&mut self, settings: EnhanceSettings) {
        if (&settings.regions, &settings.masks) != (&self.settings.regions, &self.settings.masks) {
            self.areas = [None, None];
        }
        if settings.auto && !self.settings.auto {
            self.measured = None;
        }
        if self.settings.stabilise == 0.0 {
            // What was before it was switched off is long gone.
            self.motion.reset();
            self.stabiliser = Stabiliser::default();
        }
        self.settings = settings;
    }

    /// The frame to come does not follow on the one before.
    pub fn begin_anew(&mut self) {
        (self.last, self.measured) = (None, None);
        self.temporal.reset();
        self.motion.reset();
        self.stabiliser = Stabiliser::default();
    }

    /// Gives the picture as it may be shown and written, and what was made of it for the network. `time` is its source
    /// time in seconds.
    pub fn enhance(&mut self, picture: &Arc<Picture>, time: f64) -> (Arc<Picture>, Enhanced) {
        let (shown, passed, mut report) = self.show(picture, time);
        let small = self.small(picture.size());
        self.measure(&shown, small.map(|fit| fit.scale), time, &mut report);
        let areas = self.areas(picture.size());
        let mut work = Work::new(&shown, &mut self.tools, report);
        let settings = &self.settings;
        self.filters.mend(&mut work, settings, &self.help);
        let small = small.map(|fit| ((fit.width as u32, fit.height as u32), fit.scale as f32));
        work.resize(small.map(|(size, _)| size));
        let way = Way { passed, separate: self.separate, small: small.is_some() };
        self.filters.clean(&mut work, settings, &self.help, way, &mut self.temporal);
        let light = self.light.update(settings, self.measured.as_ref().map(|(_, measure)| measure), passed);
        if let Some((tables, why)) = light {
            work.change(Step::Light, why, |picture| curve::apply_channels_in_place(picture, tables));
        }
        self.filters.define(&mut work, settings);
        if areas.is_some() {
            let size = small.map_or(picture.size(), |(size, _)| size);
            let (regions, masks) = (&settings.regions, &settings.masks);
            let areas = areas_of(&mut self.areas[usize::from(small.is_some())], size, regions, masks);
            if let Some(areas) = areas {
                work.change(Step::Hide, ASKED, |picture| areas.hide(picture));
            }
        }
        let (now, report) = work.finish();
        let is_small = |now: &Picture| small.filter(|(size, _)| *size == now.size());
        let scale = now.as_ref().and_then(is_small).map_or(1.0, |(_, scale)| scale);
        let pool = if scale == 1.0 { &mut self.tools.pool } else { &mut self.tools.small };
        let seen = now.map(|now| pool.give(now));
        let pixelated = self.settings.pixelates();
        (shown, Enhanced { seen, scale, areas, pixelated, report: Arc::new(report) })
    }

    /// The size at which the network looks at pictures of this size, where it is less than half.
    fn small(&self, (width, height): (u32, u32)) -> Option<Fit> {
        let whole = self.settings.crop.is_none() && self.settings.tiles == Tiles::default();
        let input = self.input.filter(|_| whole)?;
        Some(Fit::within((width as usize, height as usize), input)).filter(Fit::skips)
    }

    /// Gives the picture as it may be shown and written, without a thought for the network.
    pub fn showable(&mut self, picture: &Arc<Picture>, time: f64) -> Arc<Picture> {
        self.show(picture, time).0
    }

    /// The picture as it may be shown, the seconds since the one that it follows on, and what was done.
    fn show(&mut self, picture: &Arc<Picture>, time: f64) -> (Arc<Picture>, Option<f64>, Report) {
        let passed = self.last.map(|last| time - last).filter(|passed| (0.0..=GAP_SECONDS).contains(passed));
        if passed.is_none() || self.separate {
            self.begin_anew();
        }
        let passed = passed.filter(|_| !self.separate);
        self.last = Some(time);
        let areas = self.areas(picture.size());

        let mut work = Work::new(picture, &mut self.tools, Report::default());
        if self.settings.stabilise > 0.0 && !self.separate {
            let (motion, stabiliser) = (&mut self.motion, &mut self.stabiliser);
            let (passed, seconds) = (passed.unwrap_or_default(), self.settings.stabilise);
            work.make(Step::Stabilise, ASKED, |from, to| {
                let size = (from.width(), from.height());
                let map = stabiliser.update(&motion.update(from, &[]), passed, seconds, size);
                warp(&from, to, &map);
            });
        }
        if let Some(areas) = areas.as_ref().filter(|_| self.settings.pixelates()) {
            work.change(Step::Privacy, ASKED, |picture| areas.pixelate(picture));
        }
        let (now, report) = work.finish();
        let shown = now.map_or_else(|| Arc::clone(picture), |now| self.tools.pool.give(now));
        (shown, passed, report)
    }

    /// Looks at light and noise, where that is wanted and it is time to. `scale`: where the network gets means of pixels, new
    /// ones an old one.
    fn measure(&mut self, picture: &Picture, scale: Option<f64>, time: f64, report: &mut Report) {
        if !self.settings.auto && !self.light.needs_measure(&self.settings) {
            (self.measured, self.help) = (None, Help::default());
            return;
        }
        let since = self.measured.as_ref().map(|(at, _)| time - at);
        if since.is_some_and(|since| since < MEASURE_SECONDS) {
            return;
        }
        let started = Instant::now();
        let mut measure = Measure::of(&View::from(picture));
        measure.noise_seen *= scale.map_or(1.0, |scale| scale * AVERAGED);
        self.help = if self.settings.auto { self.auto.decide(&measure, since) } else { Help::default() };
        self.measured = Some((time, measure));
        report.add(Step::Measure, "", started.elapsed());
    }

    /// Where objects count in pictures of this size.
    fn areas(&mut self, size: (u32, u32)) -> Option<Arc<Areas>> {
        areas_of(&mut self.areas[0], size, &self.settings.regions, &self.settings.masks)
    }
}

/// What was kept for this size, or is made now.
fn areas_of(
    kept: &mut Option<AreasOfSize>,
    size: (u32, u32),
    regions: &[Polygon],
    masks: &[Polygon],
) -> Option<Arc<Areas>> {
    if let Some((_, areas)) = kept.as_ref().filter(|(of, _)| *of == size) {
        return areas.clone();
    }
    let areas = Areas::new(size, regions, masks);
    let areas = (!areas.is_empty()).then(|| Arc::new(areas));
    *kept = Some((size, areas.clone()));
    areas
}

/// How a picture is cleaned.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// The seconds since the picture that it follows on; `None`: it follows on none.
    passed: Option<f64>,
    /// Nothing will follow on it.
    separate: bool,
    /// It has the size that the network looks at.
    small: bool,
}

impl Filters {
    /// Takes away single damage, which means would spread.
    fn mend(&mut self, work: &mut Work<'_>, settings: &EnhanceSettings, help: &Help) {
        if settings.deinterlace {
            work.make(Step::Deinterlace, ASKED, |from, to| deinterlace::mend(&from, FIELDS_DIFFER, to));
        }
        if settings.deblock > 0.0 {
            let strength = settings.deblock.round() as u8;
            work.make(Step::Deblock, ASKED, |from, to| deblock(&from, strength, to));
        }
        let by_itself =
            help.outliers.map(|share| (Median::Three, format!("{:.1} % outliers", share * 100.0)));
        let asked = match settings.median {
            Median::Off => by_itself,
            three_or_five => Some((three_or_five, ASKED.to_owned())),
        };
        if let Some((size, why)) = asked {
            let median = &mut self.median;
            work.make(Step::Median, why, |from, to| match size {
                Median::Five => median.five(&from, to),
                Median::Three | Median::Off => median.three(&from, to),
            });
        }
    }

    /// Takes away noise.
    fn clean(
        &mut self,
        work: &mut Work<'_>,
        settings: &EnhanceSettings,
        help: &Help,
        Way { passed, separate, small }: Way,
        temporal: &mut Temporal,
    ) {
        let asked = |level: f32| (level > 0.0).then(|| (level, ASKED.into()));
        if let Some((sigma, why)) = asked(settings.temporal) {
            // The first of several is taken as it is.
            let seconds = passed.unwrap_or_default() as f32;
            work.make(Step::Temporal, why, |from, to| temporal.apply(&from, sigma, seconds, to));
        } else {
            temporal.reset();
        }
        // A Gaussian for a video, whose time counts; what keeps edges, and brings more, for a picture that stands alone.
        let noise = help.noise.map(|sigma| (sigma, Help::noisy(sigma)));
        let blurs = if small { SMALL_BLUR } else { NOISE_BLUR };
        let blur = |sigma: f32| if sigma < STRONG_NOISE { blurs.0 } else { blurs.1 };
        let by_itself = noise.clone().filter(|_| !separate).map(|(sigma, why)| (blur(sigma), why));
        if let Some((sigma, why)) = asked(settings.gaussian).or(by_itself) {
            let gaussian = set_for(&mut self.gaussian, sigma, || Gaussian::new(sigma));
            work.make(Step::Gaussian, why, |from, to| gaussian.apply(&from, to));
        }
        if let Some((strength, why)) = asked(settings.smooth).or(noise.filter(|_| separate)) {
            let guided = &mut self.guided;
            work.make(Step::Smooth, why, |from, to| guided.apply(&from, SMOOTH_RADIUS, strength, to));
        }
    }

    /// Makes stand out what is there.
    fn define(&mut self, work: &mut Work<'_>, settings: &EnhanceSettings) {
        if settings.contrast > 0.0 {
            let setting = (settings.contrast, settings.contrast_tiles);
            let (clip, tiles) = setting;
            let clahe = set_for(&mut self.clahe, setting, || Clahe::new(clip, (tiles, tiles)));
            work.make(Step::Contrast, ASKED, |from, to| clahe.apply(&from, to));
        }
        if settings.sharpen > 0.0 {
            let amount = settings.sharpen;
            let sharpen = set_for(&mut self.sharpen, amount, || Sharpen::new(UNSHARP.0, amount, UNSHARP.1));
            work.make(Step::Sharpen, ASKED, |from, to| sharpen.apply(&from, to));
        }
    }
}
