//! Consecutive frames that one tracker processed, with states from which it can resume.

use std::collections::BTreeMap;

use super::SegmentId;
use super::pack::Block;
use crate::scene::{Scene, Swap};
use crate::track::Tracker;

/// A tracker's state after a frame.
#[derive(Debug)]
struct State {
    time: f64,
    tracker: Box<Tracker>,
}

/// Frames of one tracker. Every frame from `first` to `last` counts as processed, though some may have been skipped.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) id: SegmentId,
    pub(super) revision: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Oldest first.
    blocks: Vec<Block>,
    /// By the last frame that the tracker processed.
    states: BTreeMap<u64, State>,
    /// Swaps of ids that correct earlier frames, by the frame in which they were found out.
    swaps: Vec<(u64, Swap)>,
}

impl Segment {
    /// An empty one; the first [`Segment::push`] has to follow.
    pub(super) fn new(id: SegmentId, revision: u64, first: u64) -> Self {
        Self {
            id,
            revision,
            first,
            last: first,
            blocks: Vec::new(),
            states: BTreeMap::new(),
            swaps: Vec::new(),
        }
    }

    /// Adds a frame after the last one.
    pub(super) fn push(&mut self, scene: &Scene) {
        self.last = scene.sequence;
        self.swaps.extend(scene.swaps.iter().map(|swap| (scene.sequence, *swap)));
        if let Some(block) = self.blocks.last_mut()
            && block.push(scene)
        {
            return;
        }
        let mut block = Block::default();
        block.push(scene);
        self.blocks.push(block);
    }

    /// The tracks of the last frame up to `sequence` that was tracked.
    pub(super) fn scene(&self, sequence: u64) -> Option<Scene> {
        let index = self.blocks.partition_point(|block| block.first() <= sequence).checked_sub(1)?;
        let mut scene = self.blocks[index].scene(sequence)?;
        self.correct(&mut scene);
        Some(scene)
    }

    /// Gives a frame the ids that were found out to be right later on.
    pub(super) fn correct(&self, scene: &mut Scene) {
        let later = self.swaps.partition_point(|(found_out, _)| *found_out <= scene.sequence);
        self.swaps[later..].iter().for_each(|(_, swap)| scene.correct(swap));
    }

    /// The frames from source time `from` to the frame `to`, oldest first, without what the network told beside boxes, and with
    /// the ids as they were then.
    pub(super) fn scenes(&self, from: f64, to: u64) -> Vec<Scene> {
        let wanted = self.blocks.iter().filter(|block| block.first() <= to && block.end_time() >= from);
        let scenes = wanted.flat_map(Block::scenes);
        scenes.filter(|scene| scene.time >= from && (self.first..=to).contains(&scene.sequence)).collect()
    }

    /// Source time of the first frame.
    pub(super) fn begin_time(&self) -> f64 {
        self.blocks.first().map_or(0.0, Block::begin_time)
    }

    /// Source time of the last frame.
    pub(super) fn end_time(&self) -> f64 {
        self.blocks.last().map_or(0.0, Block::end_time)
    }

    /// Seconds since a state was stored; infinite before the first.
    pub(super) fn checkpoint_age(&self, time: f64) -> f64 {
        self.states.values().next_back().map_or(f64::INFINITY, |state| time - state.time)
    }

    /// Stores the tracker's state after a frame.
    pub(super) fn keep_state(&mut self, sequence: u64, time: f64, tracker: &Tracker) {
        self.states.insert(sequence, State { time, tracker: Box::new(tracker.clone()) });
    }

    /// The last state before a frame, with the frame that it was stored after and that frame's time.
    pub(super) fn state_before(&self, sequence: u64) -> Option<(u64, f64, &Tracker)> {
        self.states.range(..sequence).next_back().map(|(at, state)| (*at, state.time, &*state.tracker))
    }

    /// Ends the segment before a frame and returns the frames from that one on, if there are any. The segment may then be
    /// empty.
    pub(super) fn split(&mut self, sequence: u64, id: SegmentId) -> Option<Self> {
        if self.last < sequence {
            return None;
        }
        let mut behind = Vec::new();
        while let Some(block) = self.blocks.pop_if(|block| block.end() >= sequence) {
            let (before, rest) =
                if block.first() >= sequence { (None, Some(block)) } else { block.split(sequence) };
            behind.extend(rest);
            self.blocks.extend(before);
        }
        behind.reverse();
        let states = self.states.split_off(&sequence);
        // The frames before are as they were then: those behind are tracked anew, and swaps found out again.
        let swaps = self.swaps.split_off(self.swaps.partition_point(|(found_out, _)| *found_out < sequence));
        let last = std::mem::replace(&mut self.last, sequence.saturating_sub(1));
        let first = behind.first().map(Block::first)?;
        Some(Self { id, revision: self.revision, first, last, blocks: behind, states, swaps })
    }

    /// Drops the oldest block of frames; whether any are left.
    pub(super) fn drop_block(&mut self) -> bool {
        if self.blocks.len() < 2 {
            return false;
        }
        self.blocks.remove(0);
        self.first = self.blocks.first().map_or(self.first, Block::first);
        self.states = self.states.split_off(&self.first);
        self.swaps.retain(|(found_out, _)| *found_out > self.first);
        true
    }

    /// The first frames of blocks, but for the newest one, that hold more than tracks.
    pub(super) fn blocks_with_extras(&self) -> impl Iterator<Item = u64> + '_ {
        let older = self.blocks.split_last().map_or(&[][..], |(_, older)| older);
        older.iter().filter(|block| block.extra_bytes() > 0).map(Block::first)
    }

    /// Forgets what the network told beside boxes in the block that begins with this frame.
    pub(super) fn drop_extras(&mut self, first: u64) {
        if let Some(block) = self.blocks.iter_mut().find(|block| block.first() == first) {
            block.drop_extras();
        }
    }

    /// How many blocks there are.
    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let states = self.states.values().map(|state| state.tracker.bytes() + 64).sum::<usize>();
        let swaps = self.swaps.capacity() * size_of::<(u64, Swap)>();
        size_of::<Self>() + states + swaps + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }
}
