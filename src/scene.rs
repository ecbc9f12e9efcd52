//! What the tracker knows at one moment: the thing that windows and files are made of.

use std::sync::Arc;

use crate::attribute::Attributes;
use crate::counts::{Counts, RuleState};
use crate::detection::{ClassId, Extra};
use crate::event::Event;
use crate::geometry::Rect;
use crate::ground::Ground;
use crate::heat::HeatMap;

/// Where a track is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackState {
    /// Seen too few times to be believed, or too weakly for long: neither shown nor counted nor written.
    Tentative,
    /// Believed, and matched with a detection in this frame.
    Confirmed,
    /// Believed, but not seen in this frame: its box is a prediction.
    Lost,
}

/// One object with its identity, at the time of the scene it is part of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// From 1, never used twice for one source. Where tracks are shown by evidence, a tentative one has a number above 2⁶² until it
    /// is shown for the first time.
    pub id: u64,
    /// The class that most of the track's recent detections voted for.
    pub class: ClassId,
    /// The score of the last detection, `0.0..=1.0`.
    pub score: f32,
    /// Where the object is, in pixels of the source.
    pub rect: Rect,
    /// How fast left edge, top edge, width and height change, in pixels a second.
    pub velocity: [f32; 4],
    /// See [`TrackState`].
    pub state: TrackState,
    /// Source time of the first detection, in seconds.
    pub born: f64,
    /// Source time of the last detection, in seconds.
    pub seen: f64,
    /// Which detection of this very frame the track took: its number in [`Observation::detections`], or, from their count
    /// on, in [`Observation::suppressed`]. `None` where the box is a prediction, and in frames that are remembered.
    ///
    /// [`Observation::detections`]: crate::track::Observation::detections
    /// [`Observation::suppressed`]: crate::track::Observation::suppressed
    pub detection: Option<u32>,
}

impl Track {
    /// The box predicted `seconds` later (or earlier, where negative) at constant velocity; never smaller than a pixel.
    pub fn rect_after(&self, seconds: f64) -> Rect {
        let dt = seconds as f32;
        let [left, top, width, height] = self.velocity;
        let (w, h) = (self.rect.width + width * dt, self.rect.height + height * dt);
        Rect::new(self.rect.left + left * dt, self.rect.top + top * dt, w.max(1.0), h.max(1.0))
    }
}

/// Two tracks that were taken for one another while their boxes lay on one another: the tracker has noticed, and from this
/// frame on each has the id that the other had.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swap {
    /// The id of one track until now ...
    pub from: u64,
    /// ... and from now on; the other track has it the other way round.
    pub to: u64,
    /// Source time in seconds behind which the ids were wrong.
    pub since: f64,
}

impl Swap {
    /// The id by which the track that was called `id` goes on.
    pub fn rename(&self, id: u64) -> u64 {
        match id {
            id if id == self.from => self.to,
            id if id == self.to => self.from,
            id => id,
        }
    }
}

/// Where an object was at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailPoint {
    /// Pixels of the source, to the right.
    pub x: f32,
    /// Pixels of the source, down.
    pub y: f32,
    /// Source time in seconds.
    pub time: f64,
}

/// Where the object with this id went, oldest point first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trail {
    /// The id of the track.
    pub id: u64,
    /// Oldest first; not longer than the trails' length in seconds.
    pub points: Vec<TrailPoint>,
}

/// All that is known of one frame.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// The frame's number in the source, from 0.
    pub sequence: u64,
    /// The frame's source time in seconds.
    pub time: f64,
    /// Confirmed and lost tracks, by id.
    pub tracks: Vec<Track>,
    /// The trails of those tracks, in the same order.
    pub trails: Arc<Vec<Trail>>,
    /// What [stages](crate::analyse) found out about those tracks, by id and name. Empty where no stage runs, and in scenes
    /// that are shown again from the history.
    pub attributes: Attributes,
    /// What happened in this frame. Empty where no stage runs, and in scenes that are shown again from the history.
    pub events: Vec<Event>,
    /// What was counted at lines and in zones up to this frame; `None` where there are none. Scenes that are shown again from
    /// the history have the numbers of all that was counted so far.
    pub counts: Option<Arc<Counts>>,
    /// The rules and how they stand at this frame; empty where there are none. Scenes that are shown again from the history have
    /// the state of now.
    pub rules: Arc<Vec<RuleState>>,
    /// The map from the picture to metres; `None` where it is not known.
    pub ground: Option<Arc<Ground>>,
    /// For how long objects were where up to this frame; `None` where that is not gathered.
    pub heat: Option<Arc<HeatMap>>,
    /// What the network told of the tracks seen in this very frame beside their boxes, by id, in pixels of the source. Empty
    /// where it tells no more.
    pub extras: Vec<(u64, Extra)>,
    /// Which tracks changed their ids in this frame, one pair after the other. Empty in scenes that are shown again from the
    /// history.
    pub swaps: Vec<Swap>,
}

impl Scene {
    /// What the network told of a track beside its box.
    pub fn extra(&self, id: u64) -> Option<&Extra> {
        self.extras.iter().find(|(of, _)| *of == id).map(|(_, extra)| extra)
    }

    /// Corrects the ids of an earlier frame by a swap that was found out later: of its tracks, trails, attributes and
    /// events. Changes nothing in a frame from before the two met, and nothing of trails before that.
    pub fn correct(&mut self, swap: &Swap) {
        if self.time <= swap.since {
            return;
        }
        for track in &mut self.tracks {
            track.id = swap.rename(track.id);
        }
        // Births and classes go by ids.
        let place = |id| self.tracks.iter().position(|track| track.id == id);
        if let (Some(a), Some(b)) = (place(swap.from), place(swap.to))
            && let Ok([a, b]) = self.tracks.get_disjoint_mut([a, b])
        {
            std::mem::swap(&mut a.born, &mut b.born);
            std::mem::swap(&mut a.class, &mut b.class);
        }
        self.tracks.sort_by_key(|track| track.id);
        if self.trails.iter().any(|trail| swap.rename(trail.id) != trail.id) {
            correct_trails(Arc::make_mut(&mut self.trails), swap);
        }
        for (id, _) in &mut self.extras {
            *id = swap.rename(*id);
        }
        self.extras.sort_by_key(|(id, _)| *id);
        for event in &mut self.events {
            event.track = event.track.map(|id| swap.rename(id));
        }
        self.attributes.rename(|id| swap.rename(id));
    }

    /// The tracks that were seen in this very frame.
    pub fn seen(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.state == TrackState::Confirmed)
    }
}

/// Gives the points behind the crossing to the other trail; `trails` by id.
fn correct_trails(trails: &mut Vec<Trail>, swap: &Swap) {
    let mut take = |id| {
        let trail = trails.iter_mut().find(|trail| trail.id == id)?;
        let kept = trail.points.partition_point(|point| point.time <= swap.since);
        Some(trail.points.split_off(kept))
    };
    let (from, to) = (take(swap.from), take(swap.to));
    for (id, points) in [(swap.to, from), (swap.from, to)] {
        let Some(points) = points else { continue };
        match trails.iter_mut().find(|trail| trail.id == id) {
            Some(trail) => trail.points.extend(points),
            None if points.is_empty() => {}
            None => trails.push(Trail { id, points }),
        }
    }
    trails.sort_by_key(|trail| trail.id);
}
