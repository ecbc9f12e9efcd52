//! The tracks of a block of frames in few bytes: each value is a whole number on a fine grid, stored as the difference
//! from the same track's last frame, in as few bytes as it needs.
//!
//! Values are rounded: positions to a 16th of a pixel, speeds to half a pixel a second, scores to a thousandth, times
//! since an object was seen to a millisecond. A block holds neither the births of tracks nor which detection a track
//! took: the history has no detections.

use std::collections::BTreeMap;

use super::extras;
use super::numbers::{put, take, unzigzag, zigzag};
use crate::geometry::Rect;
use crate::scene::{Scene, Track, TrackState};

/// The most frames in a block. All of them have to be unpacked to read one.
const FRAMES: usize = 64;
/// Grid lines a pixel.
const PLACES: f32 = 16.0;
/// Grid lines a pixel a second.
const SPEEDS: f32 = 2.0;
/// Grid lines from score 0 to 1.
const SCORES: f32 = 1000.0;
/// The number of values of a track: left, top, width, height, their speeds, score, class, milliseconds unseen.
const NUMBERS: usize = 11;

type Numbers = [i32; NUMBERS];

/// Frames, one after the other.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Sequence number and source time of each frame.
    frames: Vec<(u64, f64)>,
    bytes: Vec<u8>,
    /// Of frames in which the network told more than boxes, by sequence number; packed.
    extras: Vec<(u64, Box<[u8]>)>,
    /// The tracks of the last frame by their ids; only while more frames may follow.
    before: BTreeMap<u64, Numbers>,
    closed: bool,
}

impl Block {
    /// Adds a frame. If the block is full: false, and nothing is added.
    pub(super) fn push(&mut self, scene: &Scene) -> bool {
        if self.closed {
            return false;
        }
        self.frames.push((scene.sequence, scene.time));
        put(&mut self.bytes, scene.tracks.len() as u64);
        let mut now = BTreeMap::new();
        let mut last_id = 0;
        for track in &scene.tracks {
            // Tracks come by rising id.
            put(&mut self.bytes, track.id.wrapping_sub(last_id));
            last_id = track.id;
            let numbers = numbers(track, scene.time);
            let before = self.before.get(&track.id).copied().unwrap_or_default();
            for (number, before) in numbers.iter().zip(before) {
                put(&mut self.bytes, zigzag(number.wrapping_sub(before)));
            }
            now.insert(track.id, numbers);
        }
        if !scene.extras.is_empty() {
            self.extras.push((scene.sequence, extras::pack(&scene.extras)));
        }
        self.before = now;
        if self.frames.len() >= FRAMES {
            self.close();
        }
        true
    }

    fn close(&mut self) {
        self.closed = true;
        self.before = BTreeMap::new();
        self.bytes.shrink_to_fit();
        self.frames.shrink_to_fit();
        self.extras.shrink_to_fit();
    }

    /// The first frame's sequence number.
    pub(super) fn first(&self) -> u64 {
        self.frames.first().map_or(0, |frame| frame.0)
    }

    /// The last frame's sequence number.
    pub(super) fn end(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.0)
    }

    /// The first frame's source time.
    pub(super) fn begin_time(&self) -> f64 {
        self.frames.first().map_or(0.0, |frame| frame.1)
    }

    /// The last frame's source time.
    pub(super) fn end_time(&self) -> f64 {
        self.frames.last().map_or(0.0, |frame| frame.1)
    }

    /// The memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.frames.capacity() * size_of::<(u64, f64)>()
            + self.bytes.capacity()
            + self.extra_bytes()
            + self.before.len() * (size_of::<Numbers>() + 24)
    }

    /// How much of that is for what the network told beside boxes.
    pub(super) fn extra_bytes(&self) -> usize {
        let packed: usize = self.extras.iter().map(|(_, packed)| packed.len()).sum();
        packed + self.extras.capacity() * size_of::<(u64, Box<[u8]>)>()
    }

    /// Forgets what the network told beside boxes.
    pub(super) fn drop_extras(&mut self) {
        self.extras = Vec::new();
    }

    /// The last frame up to `sequence`, with what the network told of its tracks.
    pub(super) fn scene(&self, sequence: u64) -> Option<Scene> {
        let mut scene = self.scenes().take_while(|scene| scene.sequence <= sequence).last()?;
        if let Ok(place) = self.extras.binary_search_by_key(&scene.sequence, |(sequence, _)| *sequence) {
            scene.extras = extras::unpack(&self.extras[place].1);
        }
        Some(scene)
    }

    /// All frames, in order, without trails and births, and without what the network told beside boxes.
    pub(super) fn scenes(&self) -> impl Iterator<Item = Scene> + '_ {
        let (mut at, mut before) = (0, BTreeMap::new());
        self.frames.iter().map(move |&(sequence, time)| {
            let (tracks, now) = unpack(&self.bytes, &mut at, &before, time);
            before = now;
            Scene { sequence, time, tracks, ..Scene::default() }
        })
    }

    /// The frames before and from `sequence` on, each where there are any.
    pub(super) fn split(mut self, sequence: u64) -> (Option<Self>, Option<Self>) {
        let (mut before, mut behind) = (Self::default(), Self::default());
        for scene in self.scenes() {
            if scene.sequence < sequence { &mut before } else { &mut behind }.push(&scene);
        }
        let first_behind = self.extras.partition_point(|(at, _)| *at < sequence);
        behind.extras = self.extras.split_off(first_behind);
        before.extras = self.extras;
        behind.close();
        let some = |block: Self| Some(block).filter(|block| !block.frames.is_empty());
        (some(before), some(behind))
    }
}

fn numbers(track: &Track, time: f64) -> Numbers {
    let Rect { left, top, width, height } = track.rect;
    let [a, b, c, d] = [left, top, width, height].map(|edge| (edge * PLACES).round() as i32);
    let [e, f, g, h] = track.velocity.map(|speed| (speed * SPEEDS).round() as i32);
    let score = (track.score * SCORES).round() as i32;
    // One more than the milliseconds, so that 0 means that it is seen now.
    let unseen = match track.state {
        TrackState::Lost => ((time - track.seen) * 1e3).round().clamp(0.0, 1e9) as i32 + 1,
        TrackState::Confirmed | TrackState::Tentative => 0,
    };
    [a, b, c, d, e, f, g, h, score, i32::from(track.class), unseen]
}

fn track(id: u64, numbers: &Numbers, time: f64) -> Track {
    let [a, b, c, d, e, f, g, h, score, class, unseen] = *numbers;
    let [left, top, width, height] = [a, b, c, d].map(|place| place as f32 / PLACES);
    let lost = unseen > 0;
    Track {
        id,
        class: u16::try_from(class).unwrap_or_default(),
        score: score as f32 / SCORES,
        rect: Rect::new(left, top, width, height),
        velocity: [e, f, g, h].map(|speed| speed as f32 / SPEEDS),
        state: if lost { TrackState::Lost } else { TrackState::Confirmed },
        born: time,
        seen: if lost { time - f64::from(unseen - 1) / 1e3 } else { time },
        detection: None,
    }
}

fn unpack(
    bytes: &[u8],
    at: &mut usize,
    before: &BTreeMap<u64, Numbers>,
    time: f64,
) -> (Vec<Track>, BTreeMap<u64, Numbers>) {
    let count = take(bytes, at);
    let (mut tracks, mut now, mut id) = (Vec::new(), BTreeMap::new(), 0u64);
    for _ in 0..count {
        id = id.wrapping_add(take(bytes, at));
        let mut numbers = before.get(&id).copied().unwrap_or_default();
        for number in &mut numbers {
            *number = number.wrapping_add(unzigzag(take(bytes, at)));
        }
        tracks.push(track(id, &numbers, time));
        now.insert(id, numbers);
    }
    (tracks, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_track_is_too_odd(edges: [f32; 4], speeds: [f32; 4], score: f32, id: u64, seen: f64, class: u16) {
            let track = Track {
                id, class, score, rect: Rect::new(edges[0], edges[1], edges[2], edges[3]), velocity: speeds,
                state: TrackState::Lost, born: 0.0, seen, detection: Some(3),
            };
            let mut block = Block::default();
            for sequence in 0..3 {
                block.push(&Scene { sequence, time: sequence as f64, tracks: vec![track], ..Scene::default() });
            }
            prop_assert!(block.scenes().all(|scene| scene.tracks[0].id == id && scene.tracks[0].class == class));
            prop_assert!(block.scenes().all(|scene| scene.tracks[0].detection.is_none()));
        }
    }
}
