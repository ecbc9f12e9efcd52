//! The track thread: detections in, scenes out, in the order of the frames.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Receiver;

use super::capture::Shot;
use super::link::Outlet;
use super::sense::Sensed;
use crate::detect::{DetectError, DetectTimes};
use crate::detection::Detection;
use crate::scene::{Scene, Track, TrackState};
use crate::track::{Observation, TrackSettings, Tracker, TrailSettings, Trails};

/// A frame with all that is known of it.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The frame.
    pub shot: Shot,
    /// What the detector found in it.
    pub detections: Vec<Detection>,
    /// What the tracker makes of it.
    pub scene: Scene,
    /// How long the detection took.
    pub times: DetectTimes,
}

/// A tracker with its trails, for one pass over one source.
#[derive(Debug)]
pub struct Follower {
    tracker: Tracker,
    trails: Trails,
}

impl Follower {
    /// Has seen nothing; ids begin at 1.
    pub fn new(track: TrackSettings, trails: TrailSettings) -> Self {
        Self { tracker: Tracker::new(track), trails: Trails::new(trails) }
    }

    /// Changes the tracker's settings; the tracks go on.
    pub fn set_track(&mut self, track: TrackSettings) {
        self.tracker.set_settings(track);
    }

    /// Changes the trails' length and anchor; they go on.
    pub fn set_trails(&mut self, trails: TrailSettings) {
        self.trails.set_settings(trails);
    }

    /// Takes in what is known of one frame.
    pub fn follow(&mut self, sequence: u64, time: f64, observation: &Observation) -> Scene {
        let tracks = self.tracker.observe(time, observation);
        let tracks: Vec<Track> =
            tracks.iter().filter(|t| t.state != TrackState::Tentative).copied().collect();
        let trails = Arc::new(self.trails.update(time, &tracks));
        Scene { sequence, time, tracks, trails }
    }
}

/// Puts results back in the order of their frames; of several sense threads they come in any.
#[derive(Debug)]
pub(super) struct Reorder<T> {
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Reorder<T> {
    pub(super) fn new() -> Self {
        Self { next: 0, early: BTreeMap::new() }
    }

    /// Takes one in; the ones that are then next in order come out of [`Reorder::pop`].
    pub(super) fn push(&mut self, order: u64, thing: T) {
        self.early.insert(order, thing);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let thing = self.early.remove(&self.next)?;
        self.next += 1;
        Some(thing)
    }
}

/// Settings to go on with from the next frame on: the tracker's and the trails'.
pub(super) type Adjust = Arc<Mutex<Option<(TrackSettings, TrailSettings)>>>;

/// What the track thread works with.
pub(super) struct Follow {
    /// The tracker's settings.
    pub(super) track: TrackSettings,
    /// The trails' settings.
    pub(super) trails: TrailSettings,
    /// Where results come from.
    pub(super) inlet: Receiver<Result<Sensed, DetectError>>,
    /// Every frame is sensed, by several threads; otherwise they come in order, with gaps.
    pub(super) every_frame: bool,
    /// Where scenes go.
    pub(super) outlet: Outlet<Followed>,
    /// Changes from the window.
    pub(super) adjust: Adjust,
}

impl Follow {
    /// Tracks until no result comes any more or nobody wants the scenes.
    ///
    /// # Errors
    /// What the network said.
    pub(super) fn run(mut self) -> Result<(), DetectError> {
        let mut reorder = Reorder::new();
        let mut pass = 0;
        let mut follower = Follower::new(self.track, self.trails);
        while let Ok(sensed) = self.inlet.recv() {
            let sensed = sensed?;
            if self.every_frame {
                reorder.push(sensed.shot.order, sensed);
            } else {
                reorder.push(reorder.next, sensed);
            }
            while let Some(Sensed { shot, detections, suppressed, times }) = reorder.pop() {
                let change = self.adjust.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some((track, trails)) = change {
                    (self.track, self.trails) = (track, trails);
                    follower.set_track(track);
                    follower.set_trails(trails);
                }
                // A source that begins again is a new source: its objects and its numbers are.
                if shot.pass != pass {
                    pass = shot.pass;
                    follower = Follower::new(self.track, self.trails);
                }
                let picture = &shot.frame.picture;
                let observation = Observation {
                    detections: &detections,
                    suppressed: &suppressed,
                    camera: None,
                    picture: Some((picture.width() as f32, picture.height() as f32)),
                };
                let scene = follower.follow(shot.frame.sequence, shot.frame.time, &observation);
                if self.outlet.send(Followed { shot, detections, scene, times }).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_of_arrival_comes_out_in_order(order in Just((0u64..50).collect::<Vec<_>>()).prop_shuffle()) {
            let mut reorder = Reorder::new();
            let mut out = Vec::new();
            for thing in order {
                reorder.push(thing, thing);
                while let Some(next) = reorder.pop() {
                    out.push(next);
                }
            }
            prop_assert_eq!(out, (0..50).collect::<Vec<_>>());
        }
    }
}
