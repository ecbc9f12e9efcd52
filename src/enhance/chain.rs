//! The chain: which steps a picture goes through, in which order, with what is kept from frame to frame.
//!
//! Damage of single pixels goes first, then noise, so that the steps behind do not spread or amplify them; light before
//! local contrast, which has less to do then; sharpening last. What does not count is hidden at the very end. Between the
//! damage and the noise a picture that the network looks at from afar is brought to the size at which it does.

use std::sync::Arc;
use std::time::Instant;

use super::auto::{Auto, Help};
use super::filters::{Filters, Way};
use super::light::Light;
use super::measure::Measure;
use super::motion::CameraMotion;
use super::region_mask::RegionMask;
use super::report::{ASKED, Report, Step};
use super::settings::{EnhanceSettings, Tiles};
use super::stabilise::Stabiliser;
use super::work::{Tools, Work};
use crate::detection::Detections;
use crate::frame::Picture;
use crate::geometry::InputFit;
use crate::kernels::View;
use crate::kernels::curve;
use crate::kernels::temporal::Temporal;
use crate::kernels::warp::warp;

/// What was made of a picture for the network.
#[derive(Debug, Clone, Default)]
pub struct Enhanced {
    /// What the network is to look at, perhaps smaller than the picture; `None`: the picture as it is.
    pub seen: Option<Arc<Picture>>,
    /// Where objects count; `None`: everywhere.
    pub region_mask: Option<Arc<RegionMask>>,
    /// Masked areas have lost their detail in what may be shown.
    pub pixelated: bool,
    /// What was done, and why.
    pub report: Arc<Report>,
}

impl Enhanced {
    /// Scales boxes from pixels of the picture that the network saw ([`Enhanced::seen`]) to pixels of the source picture, of
    /// which this is the width and height; both have their origin at the top-left corner. Comes before
    /// [`Enhanced::leave_out`].
    pub fn place(&self, detections: &mut Detections, (width, height): (u32, u32)) {
        let Some(seen) = self.seen.as_ref().filter(|seen| seen.size() != (width, height)) else { return };
        detections.scale((width as f32 / seen.width() as f32, height as f32 / seen.height() as f32));
    }

    /// Removes the boxes, in pixels of the source picture, of which more than half lies outside the regions or inside the
    /// masks. Comes after [`Enhanced::place`].
    pub fn leave_out(&self, detections: &mut Detections) {
        if let Some(region_mask) = &self.region_mask {
            detections.retain(|detection| region_mask.counts(&detection.rect));
        }
    }
}

/// Frames that lie further apart than this, in seconds, or the wrong way round, do not follow one another.
const GAP_SECONDS: f64 = 2.0;
/// Seconds of source time from one measurement to the next.
const MEASURE_SECONDS: f64 = 0.25;
/// Means of `n × n` pixels have an `n`th of their noise. The interpolation of the pictures that the bounds of `auto.rs` were
/// found on left one part in so many: that is what noise is compared with.
const INTERPOLATED: f64 = 1.4;

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
    region_mask: [Option<MaskOfSize>; 2],
}

/// The size in pixels, and where objects count in pictures of it.
type MaskOfSize = ((u32, u32), Option<Arc<RegionMask>>);

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
            region_mask: [None, None],
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

    /// The network's input has another size from now on; `None`: it is not known, and nothing is shrunk.
    pub fn set_input(&mut self, input: Option<(usize, usize)>) {
        self.input = input;
    }

    /// Changes the settings; what is remembered stays where it can.
    pub fn set(&mut self, settings: EnhanceSettings) {
        let areas = |settings: &EnhanceSettings| (settings.all_regions(), settings.all_masks());
        if areas(&settings) != areas(&self.settings) {
            self.region_mask = [None, None];
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
        let near = self.look(picture.size()).filter(InputFit::skips);
        let small = near.filter(|_| self.looks_at_all());
        let region_mask = self.region_mask(picture.size());
        self.measure(&shown, (near.map(|fit| fit.scale), region_mask.as_deref()), time, &mut report);
        let mut work = Work::new(&shown, &mut self.tools, report);
        let settings = &self.settings;
        self.filters.mend(&mut work, settings, &self.help);
        let small = small.map(|fit| (fit.width as u32, fit.height as u32));
        work.resize(small);
        let way = Way { passed, separate: self.separate, small: small.is_some() };
        self.filters.clean(&mut work, settings, &self.help, way, &mut self.temporal);
        let light = self.light.update(settings, self.measured.as_ref().map(|(_, measure)| measure), passed);
        if let Some((tables, why)) = light {
            if work.is_untouched() {
                work.make(Step::Light, why, |from, to| curve::apply_channels(&from, tables, to));
            } else {
                work.change(Step::Light, why, |picture| curve::apply_channels_in_place(picture, tables));
            }
        }
        self.filters.define(&mut work, settings);
        if region_mask.is_some() {
            let size = small.unwrap_or(picture.size());
            let region_mask = mask_of(&mut self.region_mask[usize::from(small.is_some())], size, settings);
            if let Some(region_mask) = region_mask {
                work.change(Step::Hide, ASKED, |picture| region_mask.hide(picture));
            }
        }
        let (now, report) = work.finish();
        let seen = now.map(|now| self.tools.give(now, picture.size()));
        let pixelated = self.settings.pixelates();
        (shown, Enhanced { seen, region_mask, pixelated, report: Arc::new(report) })
    }

    /// The network looks at the picture as a whole, and at no part of it.
    fn looks_at_all(&self) -> bool {
        self.settings.crop.is_none() && self.settings.tiles == Tiles::default()
    }

    /// The size at which the network looks at a picture of this size, or at the tiles of it.
    fn look(&self, (width, height): (u32, u32)) -> Option<InputFit> {
        let EnhanceSettings { crop, tiles, tile_overlap, .. } = &self.settings;
        let tile = |side: u32, crop: Option<f32>, count: usize| {
            let tiles = count as f32 - tile_overlap * (count as f32 - 1.0);
            ((side as f32 * crop.unwrap_or(1.0) / tiles.max(1.0)) as usize).max(1)
        };
        let width = tile(width, crop.map(|crop| crop.width), tiles.columns);
        let height = tile(height, crop.map(|crop| crop.height), tiles.rows);
        self.input.map(|input| InputFit::within((width, height), input))
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
        let region_mask = self.region_mask(picture.size());

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
        if let Some(region_mask) = region_mask.as_ref().filter(|_| self.settings.pixelates()) {
            work.change(Step::Privacy, ASKED, |picture| region_mask.pixelate(picture));
        }
        let (now, report) = work.finish();
        let shown = now.map_or_else(|| Arc::clone(picture), |now| self.tools.give(now, picture.size()));
        (shown, passed, report)
    }

    /// Looks at light and noise, where that is wanted and it is time to, and where objects count. `scale`: where the network
    /// gets means of pixels, new ones an old one.
    fn measure(
        &mut self,
        picture: &Picture,
        (scale, region_mask): (Option<f64>, Option<&RegionMask>),
        time: f64,
        report: &mut Report,
    ) {
        if !self.settings.auto && !self.light.needs_measure(&self.settings) {
            (self.measured, self.help) = (None, Help::default());
            return;
        }
        let since = self.measured.as_ref().map(|(at, _)| time - at);
        if since.is_some_and(|since| since < MEASURE_SECONDS) {
            return;
        }
        let started = Instant::now();
        let view = View::from(picture);
        let mut measure = match region_mask {
            Some(region_mask) => Measure::within(&view, |x, y| region_mask.counts_at(x, y)),
            None => Measure::of(&view),
        };
        measure.noise_seen *= scale.map_or(1.0, |scale| scale * INTERPOLATED);
        self.help = if self.settings.auto { self.auto.decide(&measure, since) } else { Help::default() };
        self.measured = Some((time, measure));
        report.add(Step::Measure, "", started.elapsed());
    }

    /// Where objects count in pictures of this size.
    fn region_mask(&mut self, size: (u32, u32)) -> Option<Arc<RegionMask>> {
        mask_of(&mut self.region_mask[0], size, &self.settings)
    }
}

/// What was kept for this size, or is made now.
fn mask_of(
    kept: &mut Option<MaskOfSize>,
    size: (u32, u32),
    settings: &EnhanceSettings,
) -> Option<Arc<RegionMask>> {
    if let Some((_, region_mask)) = kept.as_ref().filter(|(of, _)| *of == size) {
        return region_mask.clone();
    }
    let region_mask = RegionMask::new(size, &settings.all_regions(), &settings.all_masks());
    let region_mask = (!region_mask.is_empty()).then(|| Arc::new(region_mask));
    *kept = Some((size, region_mask.clone()));
    region_mask
}
