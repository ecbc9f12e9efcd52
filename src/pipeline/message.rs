//! The messages between the threads of a run. This file knows no thread.

use std::sync::{Arc, Mutex};

use super::enhancement::{Enhancement, Promise};
use crate::attention::Notice;
use crate::detect::DetectTimes;
use crate::detection::Detections;
use crate::engine::DetectorOutput;
use crate::enhance::{EnhanceSettings, Enhanced, RegionMask};
use crate::frame::{Frame, Picture};
use crate::history::{SegmentId, TrackHistory};
use crate::scene::Scene;
use crate::source::{Source, SourceError};

/// A frame on its way, with its place in the run.
#[derive(Debug, Clone)]
pub struct FrameJob {
    /// The frame, with its picture as it may be shown and written.
    pub frame: Frame,
    /// What is made of it for the network.
    pub(crate) enhancement: Enhancement,
    /// Counts the jumps of the run, repetitions included: frames of one epoch follow one another.
    pub epoch: u64,
    /// Counts the frames of the run from 0, over all epochs.
    pub order: u64,
    /// Whether the frame needs detection: as far as is known now, the history does not have it, or it has to be tracked
    /// again.
    pub fresh: bool,
    /// Whether the network looks at it, and why.
    pub(crate) notice: Notice,
    /// The frame has to be tracked again, whatever the history has.
    pub(crate) retrack: bool,
    /// The segment of the history in which its epoch began.
    pub(crate) segment: Option<SegmentId>,
    /// The revision, as the history counts it, of the settings that it is tracked with.
    pub(crate) revision: u64,
}

impl FrameJob {
    /// A frame of a run that has no other.
    #[cfg(test)]
    pub(crate) fn alone(frame: Frame, enhancement: Enhancement) -> Self {
        Self {
            frame,
            enhancement,
            epoch: 0,
            order: 0,
            fresh: true,
            notice: Notice::Unwatched,
            retrack: false,
            segment: None,
            revision: 0,
        }
    }

    /// What was made of it. Frames that come without their tracks ([`Pipeline::frames`](super::Pipeline::frames)) do not wait
    /// for what is made for the network: that is there once the enhance thread is done with it.
    pub fn enhanced(&self) -> &Enhanced {
        self.enhancement.now()
    }

    /// Takes the detail out of masked areas, where the frame was made before these settings were in force: what a window
    /// has to ask of the frames that it holds. True where that was so.
    pub(crate) fn cover(&mut self, settings: &EnhanceSettings) -> bool {
        let enhanced = self.enhanced();
        let masks = enhanced.region_mask.as_ref().map_or(&[][..], |region_mask| region_mask.masks());
        if !settings.pixelates() || enhanced.pixelated && masks == settings.all_masks() {
            return false;
        }
        let region_mask =
            RegionMask::new(self.frame.picture.size(), &settings.all_regions(), &settings.all_masks());
        let mut picture = Picture::clone(&self.frame.picture);
        region_mask.pixelate(&mut (&mut picture).into());
        self.frame.picture = Arc::new(picture);
        // What was made of it has the detail, and so has what is still to come.
        let region_mask = Some(Arc::new(region_mask));
        let covered = Enhanced { region_mask, pixelated: true, ..Enhanced::default() };
        self.enhancement = Enhancement::settled(covered);
        true
    }
}

/// A frame for the enhance thread.
#[derive(Debug)]
pub(super) struct EnhanceJob {
    /// The frame.
    pub(super) job: FrameJob,
    /// Kept with what is made of it; dropped where a newer frame takes its place.
    pub(super) promise: Promise,
}

/// A frame with what was found in it.
#[derive(Debug)]
pub(super) struct DetectionResult {
    /// The frame.
    pub(super) job: FrameJob,
    /// What was found; `None`: the frame was not detected in.
    pub(super) found: Option<DetectorOutput>,
    /// How long it took.
    pub(super) times: DetectTimes,
}

/// A frame with all that is known of it.
#[derive(Debug, Clone)]
pub struct TrackedFrame {
    /// The frame.
    pub job: FrameJob,
    /// What the detector found in it; nothing where it is remembered.
    pub detections: Detections,
    /// What the tracker makes of it.
    pub scene: Scene,
    /// It was tracked just now, not remembered.
    pub fresh: bool,
    /// How long the detection took.
    pub times: DetectTimes,
    /// No frame came: the source is silent, and this is the frame from before, with what time has done to its tracks.
    pub silence: bool,
}

/// Where to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// The frame on screen at this source time (seconds): the last at or before it, the first frame where none is.
    At(f64),
    /// The last frame before this source time (seconds): a step back. The first frame where none is.
    Before(f64),
    /// The very last frame.
    Last,
}

impl Target {
    /// Whether the frame comes no later than the wanted one, or is it.
    pub(super) fn reaches(self, frame: &Frame) -> bool {
        match self {
            Self::At(time) => frame.time <= time,
            Self::Before(time) => frame.time < time,
            Self::Last => true,
        }
    }
}

/// A jump that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeekRequest {
    pub(crate) epoch: u64,
    pub(crate) target: Target,
    /// The first frame is to be tracked anew, though it may be remembered.
    pub(crate) retrack: bool,
}

/// Settings of a chain of enhancement to go on with from the next frame on.
pub(super) type PendingEnhance = Arc<Mutex<Option<EnhanceSettings>>>;

/// What was tracked already, shared by the threads.
pub(crate) type SharedHistory = Arc<Mutex<TrackHistory>>;

/// Begins a source again.
pub type Reopen = Box<dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send>;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::enhance::{Enhancer, Polygon, ShownChain};

    #[test]
    fn a_frame_under_way_is_covered_as_soon_as_that_is_asked_for_and_once() {
        let half = |left: f32| {
            Polygon::new(vec![(left, 0.0), (left + 0.5, 0.0), (left + 0.5, 1.0), (left, 1.0)]).unwrap()
        };
        let pixels: Vec<u8> = (0..160 * 120 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = Arc::new(Picture::new(160, 120, pixels).unwrap());
        let frame = Frame {
            picture: Arc::clone(&picture),
            sequence: 0,
            time: 0.0,
            captured: Instant::now(),
            file: None,
        };
        let open = EnhanceSettings::default();
        let (_, enhanced) = Enhancer::new(open.clone()).enhance(&picture, 0.0);
        let mut job = FrameJob::alone(frame, Enhancement::settled(enhanced));
        assert!(!job.cover(&open));
        assert!(Arc::ptr_eq(&job.frame.picture, &picture));

        let left = EnhanceSettings { privacy: true, masks: vec![half(0.0)], ..open };
        assert!(job.cover(&left));
        let covered = Arc::clone(&job.frame.picture);
        let expected = ShownChain::new(left.clone()).show(&picture, 0.0).0;
        assert!(*covered == *expected && *covered != *picture && job.enhanced().seen.is_none());
        assert!(!job.cover(&left));
        assert!(Arc::ptr_eq(&job.frame.picture, &covered), "once is enough");
        // Another mask on top: nothing of what was covered comes back.
        assert!(job.cover(&EnhanceSettings { masks: vec![half(0.5)], ..left }));
        let rows = job.frame.picture.rgb().chunks(160).zip(covered.rgb().chunks(160));
        assert!(rows.into_iter().all(|(now, before)| now[..78] == before[..78]));
        assert!(job.frame.picture.rgb()[100] != picture.rgb()[100]);
    }
}
