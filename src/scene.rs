//! What the tracker knows at one moment: the thing that windows and files are made of.

use std::sync::Arc;

use crate::attribute::Attributes;
use crate::counts::Counts;
use crate::detection::{ClassId, Extra};
use crate::event::Event;
use crate::geometry::Rect;

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
    /// What the network told of the tracks seen in this very frame beside their boxes, by id, in pixels of the source. Empty
    /// where it tells no more.
    pub extras: Vec<(u64, Extra)>,
}

impl Scene {
    /// What the network told of a track beside its box.
    pub fn extra(&self, id: u64) -> Option<&Extra> {
        self.extras.iter().find(|(of, _)| *of == id).map(|(_, extra)| extra)
    }

    /// The tracks that were seen in this very frame.
    pub fn seen(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.state == TrackState::Confirmed)
    }
}
