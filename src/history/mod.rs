//! What was tracked already, so that going back shows it as it was: boxes, ids, classes and the tracker's own state now and
//! then, no pixels. Knows the tracker and the nouns; knows no thread and no source.
//!
//! A recording in which one jumps about is tracked in *segments*: frames that one tracker saw one after the other. Where the
//! play goes on behind the last frame of a segment, the segment's tracker goes on, so that play, going back and play again give
//! the tracks of a straight run. A jump into a part that no segment holds begins a new segment with new ids; where the play later
//! runs into it, it is tracked anew and replaced, frame by frame. The same happens to what was tracked with other settings.
//!
//! | file | what it holds |
//! |---|---|
//! | `pack` | some dozen frames' tracks in few bytes |
//! | `segment` | the frames of one tracker, with states of it to go on from |
//! | `trace` | remembered scenes with their trails, one after the other |

mod pack;
mod replay;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::detection::Detection;
use crate::scene::{Scene, Track};
use crate::track::Tracker;

pub use replay::Replay;
use segment::Segment;

/// The bytes that are remembered for each hour of a recording, at the most.
pub const BYTES_PER_HOUR: usize = 64 << 20;
/// A tracker's state is kept this often, in seconds.
const CHECKPOINT_SECONDS: f64 = 5.0;
/// What one birth takes, in bytes.
const BIRTH_BYTES: usize = 48;

/// Names a segment; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(u64);

/// When and where a track began.
#[derive(Debug, Clone, Copy)]
struct Birth {
    /// Source time in seconds.
    time: f64,
    /// The first frame that shows it.
    sequence: u64,
    /// That frame is still remembered.
    remembered: bool,
}

/// Remembers the tracks of one recording.
#[derive(Debug)]
pub struct TrackHistory {
    /// By their first frame; no two share one.
    segments: Vec<Segment>,
    births: BTreeMap<u64, Birth>,
    last_id: u64,
    last_segment: u64,
    /// Counts the changes of settings.
    revision: u64,
    limit: usize,
    /// How many frames behind a segment's end still belong to it.
    reach: u64,
    /// Counts the changes, so that a picture of it is drawn anew only when needed.
    version: u64,
}

impl TrackHistory {
    /// Remembers nothing yet. `seconds`: how long the recording is; an hour where that is not known. `reach`: how many frames
    /// may be passed over between a segment's end and a play that goes on with it; 0 where every frame is tracked.
    pub fn new(seconds: Option<f64>, reach: u64) -> Self {
        let hours = seconds.filter(|s| s.is_finite()).map_or(1.0, |s| (s / 3600.0).clamp(1.0, 240.0));
        Self { reach, ..Self::with_limit((BYTES_PER_HOUR as f64 * hours) as usize) }
    }

    /// Remembers nothing yet, and never more than this many bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            segments: Vec::new(),
            births: BTreeMap::new(),
            last_id: 0,
            last_segment: 0,
            revision: 0,
            limit,
            reach: 0,
            version: 0,
        }
    }

    /// What was tracked so far was tracked with other settings: it is still shown, but tracked anew when played.
    pub fn outdate(&mut self) {
        self.revision += 1;
        self.version += 1;
    }

    /// The highest id that was given so far.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Counts the changes.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The segment that holds a frame.
    pub fn segment_at(&self, sequence: u64) -> Option<SegmentId> {
        self.holder(sequence).map(|segment| segment.id)
    }

    /// The segment that a play from this frame on belongs to: that which holds it, else that which ends right before.
    pub fn join(&self, sequence: u64) -> Option<SegmentId> {
        let index = self.segments.partition_point(|segment| segment.first <= sequence).checked_sub(1)?;
        let segment = self.segments.get(index)?;
        (sequence.saturating_sub(segment.last) <= 1 + self.reach).then_some(segment.id)
    }

    /// Whether there is such a segment still.
    pub fn has(&self, segment: SegmentId) -> bool {
        self.index(segment).is_some()
    }

    /// Which settings are in force, counted from 0.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether all frames up to this one were tracked, or passed over for want of time.
    pub fn covers(&self, last: u64) -> bool {
        let mut next = 0;
        for segment in &self.segments {
            if segment.first > next + self.reach {
                break;
            }
            next = segment.last + 1;
        }
        next + self.reach > last
    }

    /// Whether this frame is remembered in this segment, tracked with the settings in force.
    pub fn is_settled(&self, segment: Option<SegmentId>, sequence: u64) -> bool {
        self.holder(sequence).is_some_and(|p| Some(p.id) == segment && p.revision == self.revision)
    }

    /// What was known at a frame, without trails: the tracks of the last frame up to it that was tracked. `None` where no
    /// segment holds the frame.
    pub fn scene(&self, sequence: u64) -> Option<Scene> {
        self.scene_in(self.holder(sequence)?, sequence)
    }

    fn scene_in(&self, segment: &Segment, sequence: u64) -> Option<Scene> {
        let mut scene = segment.scene(sequence)?;
        self.fill_in(&mut scene);
        Some(scene)
    }

    /// The remembered frames of a segment from source time `from` (seconds) to the frame `to`, oldest first, without trails.
    fn scenes(&self, segment: &Segment, from: f64, to: u64) -> Vec<Scene> {
        let mut scenes = segment.scenes(from, to);
        scenes.iter_mut().for_each(|scene| self.fill_in(scene));
        scenes
    }

    /// When tracks were born is remembered once for each.
    fn fill_in(&self, scene: &mut Scene) {
        for track in &mut scene.tracks {
            track.born = self.births.get(&track.id).map_or(scene.time, |birth| birth.time);
        }
    }

    /// Remembers the tracks of a frame that `tracker` has just seen, behind those of `segment`, in place of whatever was
    /// remembered there; gives the segment that holds it now. `None`: a new segment. `revision` counts the settings that it was
    /// tracked with.
    pub fn write(
        &mut self,
        segment: Option<SegmentId>,
        scene: &Scene,
        tracker: &Tracker,
        revision: u64,
    ) -> SegmentId {
        let sequence = scene.sequence;
        let own = segment.filter(|id| self.cut(*id, sequence)).and_then(|id| self.segment(id));
        // Frames between the last one and this were passed over; what others knew of them is not of this course.
        let from = own.map_or(sequence, |segment| sequence.min(segment.last + 1));
        let id = own.filter(|segment| segment.revision == revision).map(|segment| segment.id);
        self.forget(from, sequence, segment, &scene.tracks);
        let index = match id.and_then(|id| self.index(id)) {
            Some(index) => index,
            None => {
                self.last_segment += 1;
                let segment = Segment::new(SegmentId(self.last_segment), revision, sequence);
                let index = self.segments.partition_point(|other| other.first < sequence);
                self.segments.insert(index, segment);
                index
            }
        };
        let segment = &mut self.segments[index];
        segment.push(scene);
        if segment.checkpoint_age(scene.time) >= CHECKPOINT_SECONDS {
            segment.keep_state(sequence, scene.time, tracker);
        }
        let id = segment.id;
        for track in &scene.tracks {
            self.last_id = self.last_id.max(track.id);
            let birth = Birth { time: track.born, sequence, remembered: true };
            let known = self.births.entry(track.id).or_insert(birth);
            if !known.remembered || sequence < known.sequence {
                *known = birth;
            }
        }
        self.version += 1;
        self.keep_to_limit(id);
        id
    }

    /// Keeps the tracker's state behind the last frame of a segment, to go on from there exactly.
    pub fn keep_end(&mut self, segment: SegmentId, tracker: &Tracker) {
        self.last_id = self.last_id.max(tracker.last_id());
        if let Some(index) = self.index(segment) {
            let segment = &mut self.segments[index];
            let time = segment.end_time();
            segment.keep_state(segment.last, time, tracker);
        }
    }

    /// The tracker of a segment, to go on with at a frame of it or right behind it, as it was just before: exactly so at the
    /// segment's end, nearly so elsewhere, where it is led once more through what it saw since its last kept state. `None` where
    /// no state of it is left from before.
    pub fn resume(&self, segment: SegmentId, sequence: u64) -> Option<Tracker> {
        let own = self.segment(segment).and_then(|segment| Some((segment, segment.state_before(sequence)?)));
        // A segment's first frame is gone on to from what lies right before it.
        let (segment, (at, since, tracker)) = own.or_else(|| {
            let before = self.holder(sequence.checked_sub(1)?)?;
            Some((before, before.state_before(sequence)?))
        })?;
        let mut tracker = tracker.clone();
        tracker.reserve_ids_up_to(self.last_id);
        let missed = if at + 1 < sequence { self.scenes(segment, since, sequence - 1) } else { Vec::new() };
        for scene in missed.iter().filter(|scene| scene.sequence > at) {
            let seen = |t: &Track| Detection { rect: t.rect, score: t.score, class: t.class };
            tracker.update(scene.time, &scene.seen().map(seen).collect::<Vec<_>>());
            tracker.restore_ids(&scene.tracks);
        }
        tracker.reserve_ids_up_to(self.last_id);
        Some(tracker)
    }

    /// Where in the recording tracks were born, as far as that is remembered: source times in seconds with the tracks' ids.
    pub fn births(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.births.iter().filter(|(_, birth)| birth.remembered).map(|(id, birth)| (birth.time, *id))
    }

    /// Which parts of the recording are remembered: source times in seconds, and whether they were tracked with the settings
    /// in force.
    pub fn parts(&self) -> impl Iterator<Item = (f64, f64, bool)> + '_ {
        self.segments.iter().map(|p| (p.begin_time(), p.end_time(), p.revision == self.revision))
    }

    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(Segment::bytes).sum::<usize>() + self.births.len() * BIRTH_BYTES
    }

    fn holder(&self, sequence: u64) -> Option<&Segment> {
        let index = self.segments.partition_point(|segment| segment.first <= sequence).checked_sub(1)?;
        self.segments.get(index).filter(|segment| sequence <= segment.last)
    }

    fn index(&self, id: SegmentId) -> Option<usize> {
        self.segments.iter().position(|segment| segment.id == id)
    }

    fn segment(&self, id: SegmentId) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.id == id)
    }

    /// Ends a segment before a frame; what it holds from that frame on becomes a segment of its own. False where nothing is left
    /// of it.
    fn cut(&mut self, id: SegmentId, sequence: u64) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.last_segment += 1;
        if let Some(rest) = self.segments[index].split(sequence, SegmentId(self.last_segment)) {
            self.segments.insert(index + 1, rest);
        }
        let left = self.segments[index].blocks() > 0;
        if !left {
            self.segments.remove(index);
        }
        left
    }

    /// Forgets what segments other than `own` hold of these frames. `tracks` are those that take their place.
    fn forget(&mut self, from: u64, to: u64, own: Option<SegmentId>, tracks: &[Track]) {
        let overlaps = |p: &Segment| Some(p.id) != own && p.first <= to && from <= p.last;
        while let Some(index) = self.segments.iter().position(overlaps) {
            self.forget_births(from, to + 1, tracks);
            // What lies before the frames stays where it is, what lies behind them becomes a segment of its own.
            self.last_segment += 1;
            if let Some(rest) = self.segments[index].split(to + 1, SegmentId(self.last_segment)) {
                self.segments.insert(index + 1, rest);
            }
            drop(self.segments[index].split(from, SegmentId(0)));
            if self.segments[index].blocks() == 0 {
                self.segments.remove(index);
            }
        }
    }

    /// Births in these frames are not remembered any more, but for those of `tracks`.
    fn forget_births(&mut self, from: u64, to: u64, tracks: &[Track]) {
        let gone = |(id, birth): &(&u64, &mut Birth)| {
            (from..to).contains(&birth.sequence) && !tracks.iter().any(|track| track.id == **id)
        };
        self.births.iter_mut().filter(gone).for_each(|(_, birth)| birth.remembered = false);
    }

    /// Drops what lies farthest from the frame that was written last, the last one of the segment `own`.
    fn keep_to_limit(&mut self, own: SegmentId) {
        // Blocks are dropped whole, so that this is rare, and the sum is taken now and then only.
        if !self.version.is_multiple_of(64) {
            return;
        }
        let here = self.segment(own).map_or(0, |segment| segment.last);
        while self.bytes() > self.limit {
            let spare = |index: &usize| self.segments[*index].id != own || self.segments[*index].blocks() > 1;
            let far = |index: &usize| self.segments[*index].first.abs_diff(here);
            let Some(index) = (0..self.segments.len()).filter(spare).max_by_key(far) else { return };
            let segment = &mut self.segments[index];
            let first = segment.first;
            let left = segment.drop_block();
            let end = if left { segment.first } else { segment.last + 1 };
            if !left {
                self.segments.remove(index);
            }
            self.forget_births(first, end, &[]);
        }
    }
}
