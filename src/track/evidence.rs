//! Whether a track is shown: what speaks for an object being there, gathered over time.
//!
//! A weak box in one frame says little: many are parts of a thing, two things at once, a signpost, the bonnet of the car that the
//! camera is in. Over time the mean of a track's scores tells true tracks from false ones best; what else tells them apart is
//! taken off it, in units of score:
//!
//! | what speaks against a track | how much is taken off |
//! |---|---|
//! | it is new | `new_penalty`, less every moment until `new_seconds` have passed; not where a scene begins |
//! | it is part of another track of its kind that does better (half a car, a second box on it) | `part_penalty` × share inside, above a third; half as much for people, who do stand in front of one another |
//! | it is loose: better tracks of its kind lie inside it | `loose_penalty` × their share of its area |
//! | it fills the picture, all of it but for one side, or goes across it along an edge | `whole_penalty`; a third more where it is no person and never moved, as the bonnet of the car that the camera is in |
//! | it is taken for a person, is small, and never moved | `still_penalty`, more for smaller ones |
//!
//! A track is shown from `show_score` on, and hidden again `hide_margin` below it. Hidden tracks are followed all the same: they
//! keep their id, and do not take the detections of others.

use super::settings::TrackSettings;
use super::sweep_and_prune::SweepAndPrune;
use crate::geometry::{Affine, Rect};
use crate::kind::Kind;

/// The time over which being part of another or holding others is averaged, in seconds.
const OVERLAP_SECONDS: f32 = 0.2;
/// A share inside another track up to this much is nothing.
const PART_SHARE: f32 = 0.35;
/// A track is part of another one only if that is at least this large, as a share of its own area.
const PART_AREA: f32 = 0.8;
/// The share of the penalties for being a part, and for holding others, that people get.
const PEOPLE: f32 = 0.5;
/// Another track lies inside this one when this share of it does.
const INSIDE_SHARE: f32 = 0.7;
/// A box touches an edge of the picture when it comes as near as this share of the picture's side.
const EDGE: f32 = 0.02;
/// A box goes across the picture when it has this share of its width and touches an edge.
const SPAN: f32 = 0.9;
/// A box fills the picture from this share of its area on, or, where it touches three edges or goes across, from that.
const WHOLE_AREA: (f32, f32) = (0.55, 0.15);
/// The factor on the penalty for filling the picture, for what rests and is no person.
const RESTS: f32 = 4.0 / 3.0;
/// A track rests while it has never been further from where it began than this share of its height; a person rests for this many
/// seconds before that counts.
const STILL: (f32, f32) = (0.3, 1.0);
/// Heights in pixels of the network's input: a person up to the first counts as small in full, from the second on not at all.
const SMALL: (f32, f32) = (24.0, 64.0);
/// The least number of detections of a track that is shown, except where a scene begins.
const LEAST_HITS: u32 = 2;

/// What is known of one track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    updates: u32,
    /// Running means of the score, of the share inside another, of the share of others inside, of filling the picture.
    score: f32,
    part: f32,
    loose: f32,
    whole: f32,
    /// Where its centre was at first: in the picture, and in the world, which moves with the camera.
    start: [(f32, f32); 2],
    /// How far it ever was from both, in its heights. The camera's motion is not known exactly, so that over time even a signpost
    /// comes far from where it was in the world; but it stays where it is in the picture of a camera that rests.
    moved: f32,
    /// It began in a frame where nothing known was seen.
    begins: bool,
    shown: bool,
}

/// A track at the moment, as its evidence needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenTrack {
    /// The box that is shown, in pixels.
    pub(super) rect: Rect,
    /// The score of the detection of this frame, and the mean of those before.
    pub(super) score: f32,
    pub(super) mean: f32,
    pub(super) kind: Kind,
    /// What stands for its class and for those that this is mistaken for.
    pub(super) group: u16,
    /// Seconds since its first detection.
    pub(super) age: f32,
    pub(super) hits: u32,
}

/// How a track lies to better ones of its kind, see [`Overlaps::of`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Containment {
    part: f32,
    loose: f32,
}

/// The frame in which evidence is gathered.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameContext {
    /// Width and height of the picture in pixels, where they are known.
    pub(super) picture: Option<(f32, f32)>,
    /// Pixels of the network's input for one of the picture.
    pub(super) scale: f32,
    /// Seconds since the frame before.
    pub(super) passed: f32,
    /// Nothing that was known before is seen in this frame: it is the first, or the scene has changed.
    pub(super) begins: bool,
}

impl Evidence {
    /// Nothing is known yet of a track that begins here.
    pub(super) fn new(rect: &Rect, score: f32) -> Self {
        let start = [rect.center(); 2];
        Self {
            updates: 0,
            score,
            part: 0.0,
            loose: 0.0,
            whole: 0.0,
            start,
            moved: 0.0,
            begins: false,
            shown: false,
        }
    }

    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// It was shown before.
    pub(super) fn show(&mut self) {
        self.shown = true;
    }

    pub(super) fn apply_camera_motion(&mut self, camera: &Affine) {
        let [_, (x, y)] = self.start;
        self.start[1] = camera.point(x, y);
    }

    /// The mean score so far.
    pub(super) fn mean(&self) -> f32 {
        self.score
    }

    /// Takes in a frame in which the track is seen.
    pub(super) fn update(
        &mut self,
        track: &SeenTrack,
        inside: Containment,
        frame: &FrameContext,
        settings: &TrackSettings,
    ) {
        self.begins |= self.updates == 0 && frame.begins;
        self.updates = self.updates.saturating_add(1);
        let least = 1.0 / self.updates as f32;
        let rate = |seconds: f32| (frame.passed / (frame.passed + seconds).max(f32::MIN_POSITIVE)).max(least);
        let slow = rate(settings.evidence_seconds as f32);
        self.score += slow * (track.score - self.score);
        let fills = frame.picture.is_some_and(|picture| fills(&track.rect, picture));
        self.whole += slow * (f32::from(u8::from(fills)) - self.whole);
        let fast = rate(OVERLAP_SECONDS);
        self.part += fast * (inside.part - self.part);
        self.loose += fast * (inside.loose - self.loose);
        let (x, y) = track.rect.center();
        let away = |(from_x, from_y): (f32, f32)| {
            let (across, down) = (x - from_x, y - from_y);
            (across * across + down * down).sqrt()
        };
        let [in_picture, in_world] = self.start.map(away);
        self.moved = self.moved.max(in_picture.min(in_world) / track.rect.height);

        let value = self.score - self.against(track, frame, settings);
        let least = settings.show_score - if self.shown { settings.hide_margin } else { 0.0 };
        let known = self.shown || self.begins || track.hits >= LEAST_HITS;
        self.shown = known && value >= least;
    }

    /// What is taken off the mean score.
    fn against(&self, track: &SeenTrack, frame: &FrameContext, settings: &TrackSettings) -> f32 {
        let is_person = track.kind == Kind::Person;
        let new = match settings.new_seconds as f32 {
            seconds if seconds > 0.0 && !self.begins => (1.0 - track.age / seconds).max(0.0),
            _ => 0.0,
        };
        let part = (self.part - PART_SHARE).max(0.0) * if is_person { PEOPLE } else { 1.0 };
        let loose = self.loose.min(1.0) * if is_person { PEOPLE } else { 1.0 };
        let (distance, seconds) = STILL;
        let rests = self.moved < distance;
        let whole = self.whole * if rests && !is_person { RESTS } else { 1.0 };
        let still = if is_person && track.age > seconds && rests {
            let (least, most) = SMALL;
            ((most - track.rect.height * frame.scale) / (most - least)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        settings.new_penalty * new
            + settings.part_penalty * part
            + settings.loose_penalty * loose
            + settings.whole_penalty * whole
            + settings.still_penalty * still
    }
}

/// Whether a box fills a picture of this size, but for one side at most.
fn fills(rect: &Rect, (width, height): (f32, f32)) -> bool {
    let (x, y) = (EDGE * width, EDGE * height);
    let edges = [rect.left <= x, rect.top <= y, rect.right() >= width - x, rect.bottom() >= height - y];
    let touched = edges.iter().filter(|touches| **touches).count();
    let share = rect.area() / (width * height);
    let across = rect.width > SPAN * width && touched > 0;
    share > WHOLE_AREA.0 || (touched >= 3 || across) && share > WHOLE_AREA.1
}

/// Which tracks lie in one another. The memory is kept from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Overlaps {
    sweep_and_prune: SweepAndPrune,
}

impl Overlaps {
    /// Takes in all tracks that are seen in a frame.
    pub(super) fn fill(&mut self, seen: &[SeenTrack]) {
        self.sweep_and_prune.fill(seen.iter().map(|track| &track.rect));
    }

    /// Of the track `seen[index]`: the largest share of it that lies in a better one of its kind, and the share of its area
    /// that better ones inside it have.
    pub(super) fn of(&self, index: usize, seen: &[SeenTrack]) -> Containment {
        let mut inside = Containment::default();
        let Some(track) = seen.get(index) else { return inside };
        let area = track.rect.area();
        let near = self.sweep_and_prune.near(&track.rect, 0.0).filter(|other| *other != index);
        let better = near.filter_map(|other| seen.get(other));
        for other in better.filter(|other| other.group == track.group && other.mean > track.mean) {
            let other = &other.rect;
            if other.area() > PART_AREA * area {
                inside.part = inside.part.max(track.rect.share_in(other));
            }
            if other.area() < area && other.share_in(&track.rect) > INSIDE_SHARE {
                inside.loose += other.area() / area;
            }
        }
        inside
    }
}

#[cfg(test)]
mod tests;
