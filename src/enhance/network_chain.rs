//! The steps for the network alone. What is shown does not wait for their result.
//!
//! Damaged single pixels are repaired first, then noise is removed, so that later steps do not spread or amplify either.
//! Light comes before local contrast, which then has less to correct; sharpening comes last. At the very end, areas where
//! objects do not count are made grey. Between repair and noise, a picture much larger than the network's input is shrunk
//! to that size.

use std::sync::Arc;
use std::time::Instant;

use super::auto::{Auto, Help};
use super::enhanced::Enhanced;
use super::filters::{Filters, Way};
use super::light::Light;
use super::measure::Measure;
use super::region_mask::RegionMask;
use super::report::{ASKED, Report, Step};
use super::settings::{EnhanceSettings, ShownPicture, Tiles};
use super::succession::Succession;
use super::work::{Tools, Work};
use crate::frame::Picture;
use crate::geometry::InputFit;
use crate::kernels::View;
use crate::kernels::curve;
use crate::kernels::temporal::Temporal;

/// Seconds of source time from one measurement to the next.
const MEASURE_SECONDS: f64 = 0.25;
/// Means of `n × n` pixels have an `n`th of their noise. The interpolation of the pictures that the bounds of `auto.rs` were
/// found on left one part in so many: that is what noise is compared with.
const INTERPOLATED: f64 = 1.4;

/// Makes pictures better for the network, one after the other.
#[derive(Debug)]
pub struct NetworkChain {
    settings: EnhanceSettings,
    separate: bool,
    input: Option<(usize, usize)>,
    tools: Tools,
    succession: Succession,
    /// The source time of the newest measurement, with its result.
    measured: Option<(f64, Measure)>,
    auto: Auto,
    help: Help,
    light: Light,
    temporal: Temporal,
    filters: Filters,
    /// A mask of pictures as they are shown, and the same for pictures of the size that the network looks at.
    small_mask: Option<(Arc<RegionMask>, RegionMask)>,
}

impl NetworkChain {
    /// A chain that has seen no picture.
    pub fn new(settings: EnhanceSettings) -> Self {
        Self {
            settings,
            separate: false,
            input: None,
            tools: Tools::default(),
            succession: Succession::default(),
            measured: None,
            auto: Auto::default(),
            help: Help::default(),
            light: Light::default(),
            temporal: Temporal::default(),
            filters: Filters::default(),
            small_mask: None,
        }
    }

    /// Whether pictures do not follow one another: each is then treated as the first.
    pub fn separate(self, separate: bool) -> Self {
        Self { separate, ..self }
    }

    /// The network's input has this width and height from the next picture on; `None`: it is not known, and nothing is
    /// shrunk. A picture more than twice as large is shrunk before the steps behind the mending of damage, which then cost a
    /// fraction; unless it is cropped or cut into tiles.
    pub fn set_input(&mut self, input: Option<(usize, usize)>) {
        self.input = input;
    }

    /// Changes the settings from the next picture on; what is remembered stays where it can.
    pub fn set(&mut self, settings: EnhanceSettings) {
        if settings.auto && !self.settings.auto {
            self.measured = None;
        }
        self.settings = settings;
    }

    /// Whether a window shows what is made for the network.
    pub fn is_shown(&self) -> bool {
        self.settings.show != ShownPicture::Original
    }

    /// The next picture does not follow on the one before.
    pub fn begin_anew(&mut self) {
        self.succession.begin_anew();
        self.measured = None;
        self.temporal.reset();
    }

    /// Makes [`Enhanced::seen`] of the picture that is shown, and adds what was done to the report. The rest of `enhanced` is
    /// what the [`ShownChain`](super::ShownChain) gave with the picture; `time` is its source time in seconds.
    pub fn enhance(&mut self, shown: &Picture, time: f64, enhanced: &mut Enhanced) {
        let passed = self.succession.passed(time).filter(|_| !self.separate);
        if passed.is_none() {
            self.measured = None;
            self.temporal.reset();
        }
        let near = self.look(shown.size()).filter(InputFit::skips);
        let small = near.filter(|_| self.looks_at_all()).map(|fit| (fit.width as u32, fit.height as u32));
        let region_mask = enhanced.region_mask.as_ref();
        let mut report = Report::default();
        let scale = near.map(|fit| fit.scale);
        self.measure(shown, (scale, region_mask.map(Arc::as_ref)), time, &mut report);
        let mut work = Work::new(shown, &mut self.tools).go_on(report);
        let settings = &self.settings;
        self.filters.mend(&mut work, settings, &self.help);
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
        if let Some(region_mask) = region_mask {
            let region_mask = match small {
                Some(size) => resized(&mut self.small_mask, region_mask, size),
                None => region_mask,
            };
            work.change(Step::Hide, ASKED, |picture| region_mask.hide(picture));
        }
        let (now, report) = work.finish();
        enhanced.seen = now.map(|now| self.tools.give(now, shown.size()));
        if !report.steps.is_empty() {
            Arc::make_mut(&mut enhanced.report).steps.extend(report.steps);
        }
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

    /// Measures light and noise where objects count, where that is wanted and it is time to. `scale`: where the network gets
    /// means of pixels, new ones an old one.
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
}

/// The mask for pictures of another size: the one that was made of it before, or a new one.
fn resized<'a>(
    kept: &'a mut Option<(Arc<RegionMask>, RegionMask)>,
    region_mask: &Arc<RegionMask>,
    size: (u32, u32),
) -> &'a RegionMask {
    let fits = kept.take().filter(|(of, small)| Arc::ptr_eq(of, region_mask) && small.size() == size);
    &kept.insert(fits.unwrap_or_else(|| (Arc::clone(region_mask), region_mask.resized(size)))).1
}
