//! Crossings: which of two tracks is which, once they have parted again.
//!
//! While two boxes lie on one another, no single frame tells reliably whose detection is whose. So it is decided later: once
//! the two have been apart for [`decide_seconds`](super::TrackSettings::decide_seconds), what each was like just before they
//! met is compared with what it is like now. A logistic model with few weights, learned on recordings with a known truth, says
//! how likely they have changed places; where that is more likely than not, they change their identities.
//!
//! Two tracks meet when their boxes overlap by more than [`MEETING_IOU`]; a track that is not seen stays for a second where it was
//! last detected, because the one behind is often not detected at all. The place along the course is no cue: people who dance,
//! play or wait turn around behind one another as often as they go on. The bottom edge, which tells how near something is, is
//! the strongest one.

use super::course::{CUES, Course, View, cues, log_odds};
use super::sweep_and_prune::SweepAndPrune;
use super::tracklet::{Now, Tracklet};
use crate::geometry::{Affine, Rect};

/// What the cues are called.
#[cfg(feature = "cli")]
pub(crate) const CUE_NAMES: [&str; CUES] = ["bottom edge", "height", "width", "speed", "score"];

/// Two tracks meet from this overlap on (IoU).
const MEETING_IOU: f32 = 0.4;
/// A track that is not seen stays where it was for this long, in seconds.
const STAYS_SECONDS: f64 = 1.0;
/// The time over which a track's course before a crossing is taken, in seconds.
const BEFORE_SECONDS: f32 = 0.4;
/// Each track has been seen at least this often since the two parted.
const LEAST_SEEN: u32 = 2;
/// The most crossings that are followed at once.
const MAX_CROSSINGS: usize = 4_000;

/// Two tracks that have met and of which it is not yet decided which is which.
#[derive(Debug, Clone)]
struct Crossing {
    /// The serial numbers of the tracklets, the lower first.
    tracks: [u64; 2],
    /// When they met, and when they last did: seconds of the tracker's clock.
    began: f64,
    met: f64,
    before: [View; 2],
    /// Since they last met.
    after: [Course; 2],
}

/// What a crossing that is over looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decision {
    /// The serial numbers of the tracklets.
    pub(super) tracks: [u64; 2],
    /// When they met, and when they last did: seconds of the tracker's clock.
    pub(crate) began: f64,
    pub(crate) met: f64,
    /// What speaks for their having changed places.
    pub(crate) cues: [f32; CUES],
}

impl Decision {
    /// Whether they have more likely than not changed places.
    pub(super) fn is_swap(&self) -> bool {
        log_odds(&self.cues) > 0.0
    }
}

/// A track as crossings need it.
#[derive(Debug, Clone, Copy)]
struct Present {
    index: usize,
    rect: Rect,
}

/// All crossings that are not yet decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Crossings {
    /// By the serial numbers of their tracks.
    open: Vec<Crossing>,
}

/// Working memory, kept from frame to frame.
#[derive(Debug, Default)]
pub(super) struct CrossingBuffers {
    present: Vec<Present>,
    sweep_and_prune: SweepAndPrune,
    /// Indices of tracklets by their serial numbers.
    places: Vec<(u64, usize)>,
    /// What was decided in the last frame.
    pub(super) decisions: Vec<Decision>,
}

/// The frame that crossings take in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Now,
    /// Seconds since the frame before.
    pub(super) dt: f32,
    /// How long two tracks have to be apart before it is decided which is which, in seconds.
    pub(super) wait: f64,
}

impl Crossings {
    /// Moves what was before by the camera's motion.
    pub(super) fn apply_camera_motion(&mut self, camera: &Affine) {
        for crossing in &mut self.open {
            crossing.before.iter_mut().for_each(|view| view.apply_camera_motion(camera));
            crossing.after.iter_mut().for_each(|course| course.apply_camera_motion(camera));
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// The memory that a clone takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.open.len() * size_of::<Crossing>()
    }

    /// Takes in a frame. `same_kind` says of two tracklets whether they may be the same thing. What can be decided is in
    /// `buffers` then.
    pub(super) fn observe(
        &mut self,
        tracklets: &mut [Tracklet],
        Moment { now, dt, wait }: Moment,
        same_kind: impl Fn(&Tracklet, &Tracklet) -> bool,
        buffers: &mut CrossingBuffers,
    ) {
        let CrossingBuffers { present, sweep_and_prune, places, decisions } = buffers;
        let clock = now.clock;
        decisions.clear();
        let kept = libm::expf(-dt / BEFORE_SECONDS);
        tracklets.iter_mut().for_each(|tracklet| tracklet.course.advance(dt, kept));
        places.clear();
        places.extend(tracklets.iter().enumerate().map(|(index, tracklet)| (tracklet.serial, index)));
        places.sort_unstable();
        let place = |serial: u64| {
            let found = places.binary_search_by_key(&serial, |(serial, _)| *serial).ok()?;
            Some(places[found].1)
        };
        self.open.retain_mut(|crossing| {
            crossing.after.iter_mut().for_each(|course| course.advance(dt, 1.0));
            crossing.tracks.iter().all(|serial| place(*serial).is_some())
        });

        present.clear();
        let here = tracklets.iter().enumerate().filter(|(_, tracklet)| tracklet.is_believed());
        let here = here.filter(|(_, tracklet)| clock - tracklet.seen <= STAYS_SECONDS);
        present.extend(here.map(|(index, tracklet)| Present { index, rect: tracklet.last }));
        sweep_and_prune.fill(present.iter().map(|one| &one.rect));
        let known = self.open.len();
        for (number, one) in present.iter().enumerate() {
            for other in sweep_and_prune.near(&one.rect, 0.0).filter(|other| *other > number) {
                let other = &present[other];
                let pair = (&tracklets[one.index], &tracklets[other.index]);
                if one.rect.iou(&other.rect) > MEETING_IOU && same_kind(pair.0, pair.1) {
                    self.meet(known, pair, clock);
                }
            }
        }
        if self.open.len() > known {
            self.open.sort_unstable_by_key(|crossing| crossing.tracks);
        }

        for tracklet in tracklets.iter_mut().filter(|tracklet| tracklet.is_found(now)) {
            tracklet.course.push(&tracklet.last, tracklet.last_score());
        }
        self.open.retain_mut(|crossing| {
            if crossing.met >= clock {
                return true;
            }
            let mut both = true;
            for (serial, course) in crossing.tracks.iter().zip(&mut crossing.after) {
                match place(*serial).map(|index| &tracklets[index]).filter(|tracklet| tracklet.is_found(now))
                {
                    Some(tracklet) => course.push(&tracklet.last, tracklet.last_score()),
                    None => both = false,
                }
            }
            let known = both && crossing.after.iter().all(|course| course.count() >= LEAST_SEEN);
            if !known || clock - crossing.met < wait {
                return true;
            }
            let [a, b] = crossing.after.each_ref().map(Course::at_begin);
            if let Some((a, b)) = a.zip(b) {
                let Crossing { tracks, began, met, before, .. } = *crossing;
                decisions.push(Decision { tracks, began, met, cues: cues(&before, &[a, b]) });
            }
            false
        });
    }

    /// Two tracks meet now. The first `known` crossings are ordered; new ones come behind them.
    fn meet(&mut self, known: usize, (one, other): (&Tracklet, &Tracklet), clock: f64) {
        let (one, other) = if one.serial < other.serial { (one, other) } else { (other, one) };
        let tracks = [one.serial, other.serial];
        let (ordered, _) = self.open.split_at_mut(known);
        match ordered.binary_search_by(|crossing| crossing.tracks.cmp(&tracks)) {
            Ok(index) => {
                let crossing = &mut ordered[index];
                (crossing.met, crossing.after) = (clock, Default::default());
            }
            Err(_) if self.open.len() < MAX_CROSSINGS => {
                // Of a track that begins here nothing is known from before.
                let Some((before, after)) = one.course.at_end().zip(other.course.at_end()) else { return };
                let before = [before, after];
                let crossing =
                    Crossing { tracks, began: clock, met: clock, before, after: Default::default() };
                self.open.push(crossing);
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
