//! The tracks of a recording so far, so that seeking back shows the same tracks again: boxes, ids, classes, what the network
//! told beside boxes (masks, points, turned boxes), and at intervals the tracker's state; no pixels. This room knows the tracker and the nouns; it knows no thread and no source.
//!
//! The history consists of *segments*: consecutive frames that one tracker processed. When playback continues after the
//! last frame of a segment, the segment's tracker continues too, so that playing, seeking back and playing again give the
//! same tracks as one run from beginning to end. A jump into a part that no segment covers begins a new segment with new
//! ids. When playback later reaches that segment from before, its frames are tracked again and replaced one by one. The
//! same happens to frames that were tracked with other settings.
//!
//! | file | what it holds |
//! |---|---|
//! | `pack`, `numbers` | the tracks of a block of frames in few bytes |
//! | `extras` | masks, points and turned boxes in few bytes |
//! | `segment` | the frames of one tracker, with states from which it can resume |
//! | `replay` | scenes of the history with their trails, one after the other |

mod extras;
mod numbers;
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

/// The most memory for each hour of a recording, in bytes.
pub const BYTES_PER_HOUR: usize = 64 << 20;
/// A tracker's state is kept this often, in seconds.
const CHECKPOINT_SECONDS: f64 = 5.0;
/// The memory that one [`Birth`] takes, in bytes.
const BIRTH_BYTES: usize = 48;

/// Identifies a segment; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(u64);

/// When and where a track began.
#[derive(Debug, Clone, Copy)]
struct Birth {
    /// Source time in seconds.
    time: f64,
    /// The first frame that shows it.
    sequence: u64,
    /// Whether the history still has that frame.
    remembered: bool,
}

/// The tracks of one recording.
#[derive(Debug)]
pub struct TrackHistory {
    /// Segments by their first frame; no frame is in two segments.
    segments: Vec<Segment>,
    births: BTreeMap<u64, Birth>,
    last_id: u64,
    last_segment: u64,
    /// The number of changes of the settings so far.
    revision: u64,
    limit: usize,
    /// A segment can be continued if no more than this many frames after its end were skipped.
    reach: u64,
    /// The number of changes so far, so that a drawing of the history is updated only when needed.
    version: u64,
}

impl TrackHistory {
    /// An empty history. `seconds` is the length of the recording; if it is not known, one hour. `reach` is how many
    /// frames may be skipped between the end of a segment and the frame that continues it; 0 if every frame is tracked.
    pub fn new(seconds: Option<f64>, reach: u64) -> Self {
        let hours = seconds.filter(|s| s.is_finite()).map_or(1.0, |s| (s / 3600.0).clamp(1.0, 240.0));
        Self { reach, ..Self::with_limit((BYTES_PER_HOUR as f64 * hours) as usize) }
    }

    /// An empty history that never takes more than this many bytes.
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

    /// From now on other settings are in force: frames tracked so far are still shown, but are tracked again when played.
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

    /// The segment that playback from this frame on belongs to: the segment with this frame, else the one that ends right
    /// before it.
    pub fn join(&self, sequence: u64) -> Option<SegmentId> {
        let index = self.segments.partition_point(|segment| segment.first <= sequence).checked_sub(1)?;
        let segment = self.segments.get(index)?;
        (sequence.saturating_sub(segment.last) <= 1 + self.reach).then_some(segment.id)
    }

    /// The last frame of a segment.
    pub(crate) fn last_of(&self, segment: SegmentId) -> Option<u64> {
        self.segment(segment).map(|segment| segment.last)
    }

    /// Whether this segment still exists.
    pub fn has(&self, segment: SegmentId) -> bool {
        self.index(segment).is_some()
    }

    /// Which settings are in force, counted from 0.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether all frames up to this one were tracked, or skipped because there was no time.
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

    /// Whether this segment has this frame, tracked with the settings in force.
    pub fn is_settled(&self, segment: Option<SegmentId>, sequence: u64) -> bool {
        self.holder(sequence).is_some_and(|p| Some(p.id) == segment && p.revision == self.revision)
    }

    /// The scene of a frame, without trails: the tracks of the last tracked frame up to it. `None` if no segment has the
    /// frame.
    pub fn scene(&self, sequence: u64) -> Option<Scene> {
        self.scene_in(self.holder(sequence)?, sequence)
    }

    fn scene_in(&self, segment: &Segment, sequence: u64) -> Option<Scene> {
        let mut scene = segment.scene(sequence)?;
        self.fill_in(&mut scene);
        Some(scene)
    }

    /// All segments, by their first frame.
    pub fn segments(&self) -> impl Iterator<Item = SegmentId> {
        self.segments.iter().map(|segment| segment.id)
    }

    /// The tracked frames of a segment, oldest first, without trails.
    pub fn scenes_of(&self, segment: SegmentId) -> Vec<Scene> {
        self.segment(segment)
            .map_or_else(Vec::new, |segment| self.scenes(segment, f64::NEG_INFINITY, segment.last))
    }

    /// The tracked frames of a segment from source time `from` (seconds) to the frame `to`, oldest first, without trails.
    fn scenes(&self, segment: &Segment, from: f64, to: u64) -> Vec<Scene> {
        let mut scenes = segment.scenes(from, to);
        for scene in &mut scenes {
            segment.correct(scene);
            self.fill_in(scene);
        }
        scenes
    }

    /// The birth of a track is stored once per track.
    fn fill_in(&self, scene: &mut Scene) {
        for track in &mut scene.tracks {
            track.born = self.births.get(&track.id).map_or(scene.time, |birth| birth.time);
        }
    }

    /// Stores the tracks of a frame that `tracker` has just processed, after the frames of `segment` (`None`: in a new
    /// segment), and replaces what the history had for that frame. Returns the segment that has the frame now. `revision`
    /// is that of the settings with which the frame was tracked.
    pub fn write(
        &mut self,
        segment: Option<SegmentId>,
        scene: &Scene,
        tracker: &Tracker,
        revision: u64,
    ) -> SegmentId {
        let sequence = scene.sequence;
        let own = segment.filter(|id| self.cut(*id, sequence)).and_then(|id| self.segment(id));
        // Frames between the last one and this were skipped; other segments' tracks of them do not belong here.
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

    /// Stores the tracker's state after the last frame of a segment, from which tracking can resume exactly.
    pub fn keep_end(&mut self, segment: SegmentId, tracker: &Tracker) {
        self.last_id = self.last_id.max(tracker.last_id());
        if let Some(index) = self.index(segment) {
            let segment = &mut self.segments[index];
            let time = segment.end_time();
            segment.keep_state(segment.last, time, tracker);
        }
    }

    /// The tracker of a segment, as it was before a frame of the segment or right after its end. At the end it is exact.
    /// Elsewhere it is close to exact: the last stored state is updated again with the tracks stored since. `None` if no
    /// earlier state is left.
    pub fn resume(&self, segment: SegmentId, sequence: u64) -> Option<Tracker> {
        let own = self.segment(segment).and_then(|segment| Some((segment, segment.state_before(sequence)?)));
        // At a segment's first frame, the tracker that resumes is that of the segment right before it.
        let (segment, (at, since, tracker)) = own.or_else(|| {
            let before = self.holder(sequence.checked_sub(1)?)?;
            Some((before, before.state_before(sequence)?))
        })?;
        let mut tracker = tracker.clone();
        tracker.reserve_ids_up_to(self.last_id);
        // With the ids as they were: swaps are found out again.
        let mut missed = if at + 1 < sequence { segment.scenes(since, sequence - 1) } else { Vec::new() };
        missed.iter_mut().for_each(|scene| self.fill_in(scene));
        for scene in missed.iter().filter(|scene| scene.sequence > at) {
            let seen = |t: &Track| Detection { rect: t.rect, score: t.score, class: t.class };
            tracker.update(scene.time, &scene.seen().map(seen).collect::<Vec<_>>());
            tracker.restore_ids(&scene.tracks);
        }
        tracker.reserve_ids_up_to(self.last_id);
        Some(tracker)
    }

    /// Where tracks began, as far as the history has it: source times in seconds with the tracks' ids.
    pub fn births(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.births.iter().filter(|(_, birth)| birth.remembered).map(|(id, birth)| (birth.time, *id))
    }

    /// The parts of the recording in the history: source times in seconds, and whether they were tracked with the
    /// settings in force.
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

    /// Ends a segment before a frame; the frames from that one on become a segment of their own. False if the segment is
    /// then empty.
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

    /// Removes these frames from all segments other than `own`. `tracks` replace theirs.
    fn forget(&mut self, from: u64, to: u64, own: Option<SegmentId>, tracks: &[Track]) {
        let overlaps = |p: &Segment| Some(p.id) != own && p.first <= to && from <= p.last;
        while let Some(index) = self.segments.iter().position(overlaps) {
            self.forget_births(from, to + 1, tracks);
            // Earlier frames stay in their segment; later frames become a segment of their own.
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

    /// Removes the births in these frames, except those of `tracks`.
    fn forget_births(&mut self, from: u64, to: u64, tracks: &[Track]) {
        let gone = |(id, birth): &(&u64, &mut Birth)| {
            (from..to).contains(&birth.sequence) && !tracks.iter().any(|track| track.id == **id)
        };
        self.births.iter_mut().filter(gone).for_each(|(_, birth)| birth.remembered = false);
    }

    /// Drops the frames farthest from the newest frame, which is the last one of the segment `own`.
    fn keep_to_limit(&mut self, own: SegmentId) {
        // Whole blocks are dropped, so that this is rare and the sum is seldom computed.
        if !self.version.is_multiple_of(64) {
            return;
        }
        let here = self.segment(own).map_or(0, |segment| segment.last);
        while self.bytes() > self.limit {
            // Masks and points go before tracks do.
            let extras =
                self.segments.iter().enumerate().flat_map(|(index, segment)| {
                    segment.blocks_with_extras().map(move |first| (index, first))
                });
            if let Some((index, first)) = extras.max_by_key(|(_, first)| first.abs_diff(here)) {
                self.segments[index].drop_extras(first);
                continue;
            }
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
