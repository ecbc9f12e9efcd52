//! The filters of the chain: what is taken away from a picture, and what is made to stand out.

use super::auto::Help;
use super::report::ASKED;
use super::report::Step;
use super::settings::{EnhanceSettings, Median};
use super::work::Work;
use crate::kernels::clahe::Clahe;
use crate::kernels::deblock::deblock;
use crate::kernels::deinterlace;
use crate::kernels::gaussian::Gaussian;
use crate::kernels::guided::Guided;
use crate::kernels::median;
use crate::kernels::sharpen::Sharpen;
use crate::kernels::temporal::Temporal;

/// The guided filter looks so many pixels around, which is as much as noise needs.
const SMOOTH_RADIUS: usize = 2;
/// The standard deviations in pixels of the Gaussian against noise, and from which noise on the larger one is taken; and of
/// pictures that have been shrunk to what the network looks at, where a pixel is worth more.
const NOISE_BLUR: (f32, f32) = (1.2, 1.5);
const SMALL_BLUR: (f32, f32) = (0.8, 1.0);
const STRONG_NOISE: f32 = 30.0;
/// The standard deviation in pixels of what an unsharp mask takes for unsharp, and how many grey levels it lets be.
const UNSHARP: (f32, u8) = (1.2, 3);
/// A line that differs by more grey levels from both its neighbours is of another field.
const FIELDS_DIFFER: u8 = 12;

/// How a picture is cleaned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// The seconds since the picture that it follows on; `None`: it follows on none.
    pub(super) passed: Option<f64>,
    /// Nothing will follow on it.
    pub(super) separate: bool,
    /// It has the size that the network looks at.
    pub(super) small: bool,
}

/// What remembers nothing but memory and how it was set.
#[derive(Debug, Default)]
pub(super) struct Filters {
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

impl Filters {
    /// Takes away single damage, which means would spread.
    pub(super) fn mend(&mut self, work: &mut Work<'_>, settings: &EnhanceSettings, help: &Help) {
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
    pub(super) fn clean(
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
    pub(super) fn define(&mut self, work: &mut Work<'_>, settings: &EnhanceSettings) {
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
