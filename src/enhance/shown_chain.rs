//! The steps for what is shown and written: the stabiliser, and the privacy of masked areas. They are few and quick, and
//! nothing is shown before them.

use std::sync::Arc;

use super::enhanced::Enhanced;
use super::motion::CameraMotion;
use super::region_mask::RegionMask;
use super::report::{ASKED, Step};
use super::settings::EnhanceSettings;
use super::stabilise::Stabiliser;
use super::succession::Succession;
use super::work::{Tools, Work};
use crate::frame::Picture;
use crate::kernels::warp::warp;

/// Makes pictures fit to be shown, one after the other.
#[derive(Debug)]
pub struct ShownChain {
    settings: EnhanceSettings,
    separate: bool,
    tools: Tools,
    succession: Succession,
    motion: CameraMotion,
    stabiliser: Stabiliser,
    region_mask: Option<MaskOfSize>,
}

/// The size of the pictures in pixels, and where objects count in them.
type MaskOfSize = ((u32, u32), Option<Arc<RegionMask>>);

impl ShownChain {
    /// A chain that has seen no picture.
    pub fn new(settings: EnhanceSettings) -> Self {
        Self {
            settings,
            separate: false,
            tools: Tools::default(),
            succession: Succession::default(),
            motion: CameraMotion::new(),
            stabiliser: Stabiliser::default(),
            region_mask: None,
        }
    }

    /// Whether pictures do not follow one another: none is then stabilised.
    pub fn separate(self, separate: bool) -> Self {
        Self { separate, ..self }
    }

    /// Changes the settings from the next picture on; what is remembered stays where it can.
    pub fn set(&mut self, settings: EnhanceSettings) {
        let areas = |settings: &EnhanceSettings| (settings.all_regions(), settings.all_masks());
        if areas(&settings) != areas(&self.settings) {
            self.region_mask = None;
        }
        if self.settings.stabilise == 0.0 {
            // What was before it was switched off is long gone.
            self.motion.reset();
            self.stabiliser = Stabiliser::default();
        }
        self.settings = settings;
    }

    /// The next picture does not follow on the one before.
    pub fn begin_anew(&mut self) {
        self.succession.begin_anew();
        self.motion.reset();
        self.stabiliser = Stabiliser::default();
    }

    /// Gives the picture as it may be shown and written, and where objects count in it; [`Enhanced::seen`] is for the
    /// [`NetworkChain`](super::NetworkChain) to fill in. `time` is the picture's source time in seconds.
    pub fn show(&mut self, picture: &Arc<Picture>, time: f64) -> (Arc<Picture>, Enhanced) {
        let passed = self.succession.passed(time).filter(|_| !self.separate);
        if passed.is_none() {
            self.motion.reset();
            self.stabiliser = Stabiliser::default();
        }
        let region_mask = self.region_mask(picture.size());
        let mut work = Work::new(picture, &mut self.tools);
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
        let pixelated = self.settings.pixelates();
        (shown, Enhanced { seen: None, region_mask, pixelated, report: Arc::new(report) })
    }

    /// Where objects count in pictures of this size.
    fn region_mask(&mut self, size: (u32, u32)) -> Option<Arc<RegionMask>> {
        if let Some((_, region_mask)) = self.region_mask.as_ref().filter(|(of, _)| *of == size) {
            return region_mask.clone();
        }
        let region_mask = RegionMask::new(size, &self.settings.all_regions(), &self.settings.all_masks());
        let region_mask = (!region_mask.is_empty()).then(|| Arc::new(region_mask));
        self.region_mask = Some((size, region_mask.clone()));
        region_mask
    }
}
