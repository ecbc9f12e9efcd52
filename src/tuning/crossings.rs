//! Learning from recordings with a known truth what tells two tracks apart once they have crossed: the weights in
//! `track/course/weights.rs`.
//!
//! The tracker runs without changing any id. At each crossing that could be decided, the truth says which objects the two tracks
//! were on before they met and are on now; the cues are those that the tracker decides by. A logistic regression with weights
//! that are never negative gives what each cue is worth.

use std::collections::{HashMap, VecDeque};

use crate::scene::{Track, TrackState};
use crate::track::{BIAS, CUE_NAMES, CUES, Decision, Tracker, WEIGHTS};

/// The time before and after a crossing over which the objects are told, in seconds.
const SIDE_SECONDS: f64 = 0.5;
/// The least number of frames that are looked at on each side.
const LEAST_FRAMES: usize = 3;
/// How much large weights cost.
const RIDGE: f64 = 0.3;
/// Steps of the fit.
const STEPS: usize = 4_000;

/// A crossing with its outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossingExample {
    /// The sequence that it is in.
    pub sequence: usize,
    /// What speaks for the tracks having changed places.
    pub cues: [f32; CUES],
    /// Whether they have.
    pub swapped: bool,
}

/// What each cue is worth, in log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossingWeights {
    /// Of each cue, for a unit.
    pub weights: [f32; CUES],
    /// Where nothing speaks for either.
    pub bias: f32,
}

/// A true object: the number of its class among those scored, and its own.
type Object = (usize, u32);

/// Follows the objects that tracks are on.
pub(super) struct CrossingWatch {
    sequence: usize,
    fps: f64,
    frame: usize,
    /// Of each track, the frames in which it was on an object, the newest last.
    on: HashMap<u64, VecDeque<(usize, Object)>>,
    pub(super) examples: Vec<CrossingExample>,
}

impl CrossingWatch {
    pub(super) fn new(sequence: usize, fps: f64) -> Self {
        Self { sequence, fps, frame: 0, on: HashMap::new(), examples: Vec::new() }
    }

    /// Takes in a frame; `objects` tells which objects tracks are on.
    pub(super) fn take(&mut self, tracker: &Tracker, objects: impl Fn(&[&Track]) -> Vec<Option<Object>>) {
        let seen = tracker.tracks().iter().filter(|track| track.state == TrackState::Confirmed);
        let seen: Vec<&Track> = seen.collect();
        for (track, object) in seen.iter().zip(objects(&seen)) {
            if let Some(object) = object {
                self.on.entry(track.id).or_default().push_back((self.frame, object));
            }
        }
        for (decision, ids) in tracker.decisions() {
            if let Some(swapped) = self.outcome(&decision, ids) {
                self.examples.push(CrossingExample { sequence: self.sequence, cues: decision.cues, swapped });
            }
        }
        self.frame += 1;
    }

    /// Whether the tracks are on each other's objects; `None` where the truth does not tell.
    fn outcome(&self, decision: &Decision, ids: [u64; 2]) -> Option<bool> {
        let first = |clock: f64| (clock * self.fps).round() as usize;
        let (began, parted) = (first(decision.began), first(decision.met) + 1);
        let frames = LEAST_FRAMES.max((SIDE_SECONDS * self.fps) as usize);
        let side = |id: &u64, behind: bool| {
            let on = self.on.get(id)?;
            if behind {
                return most(
                    on.iter().rev().take_while(|(frame, _)| *frame >= parted).map(|(_, object)| *object),
                );
            }
            let long_ago = began.saturating_sub(4 * frames);
            let before = on.iter().rev().filter(|(frame, _)| *frame < began);
            most(before.take_while(|(frame, _)| *frame >= long_ago).take(frames).map(|(_, object)| *object))
        };
        let [a, b] = ids.each_ref().map(|id| side(id, false));
        let [c, d] = ids.each_ref().map(|id| side(id, true));
        let (a, b, c, d) = (a?, b?, c?, d?);
        if a == b || c == d {
            return None;
        }
        // One of the two may be on a third object by now.
        let (kept, swapped) = (a == c || b == d, a == d || b == c);
        (kept != swapped).then_some(swapped)
    }
}

/// The object that is there most often, and at least half of the time.
fn most(objects: impl Iterator<Item = Object>) -> Option<Object> {
    let mut counts: Vec<(usize, Object)> = Vec::new();
    let mut all = 0;
    for object in objects {
        all += 1;
        match counts.iter_mut().find(|(_, known)| *known == object) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, object)),
        }
    }
    let best = counts.into_iter().max_by_key(|(count, object)| (*count, std::cmp::Reverse(*object)))?;
    (best.0 * 2 >= all).then_some(best.1)
}

impl CrossingWeights {
    /// Those that the tracker decides by.
    pub const IN_FORCE: Self = Self { weights: WEIGHTS, bias: BIAS };

    /// What the cues are called.
    pub const NAMES: [&str; CUES] = CUE_NAMES;

    /// Fits weights to examples: logistic regression with a quadratic penalty, by projected gradient steps with momentum.
    pub fn learn<'a>(examples: impl Iterator<Item = &'a CrossingExample> + Clone) -> Self {
        let count = examples.clone().count().max(1) as f64;
        let scale: [f64; CUES] = std::array::from_fn(|cue| {
            let values = examples.clone().map(|example| f64::from(example.cues[cue]));
            let mean = values.clone().sum::<f64>() / count;
            (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt().max(1e-6)
        });
        let mut weights = [0.0f64; CUES + 1];
        let mut speed = [0.0f64; CUES + 1];
        for _ in 0..STEPS {
            let mut slope: [f64; CUES + 1] =
                std::array::from_fn(|index| if index < CUES { 2.0 * RIDGE * weights[index] } else { 0.0 });
            for example in examples.clone() {
                let row: [f64; CUES + 1] = std::array::from_fn(|index| match index {
                    CUES => 1.0,
                    cue => f64::from(example.cues[cue]) / scale[cue],
                });
                let log_odds: f64 = row.iter().zip(weights).map(|(value, weight)| value * weight).sum();
                let wrong = 1.0 / (1.0 + (-log_odds).exp()) - f64::from(u8::from(example.swapped));
                for (slope, value) in slope.iter_mut().zip(row) {
                    *slope += wrong * value;
                }
            }
            for ((weight, speed), slope) in weights.iter_mut().zip(&mut speed).zip(slope) {
                *speed = 0.9 * *speed - slope / count;
                *weight += *speed;
            }
            for weight in &mut weights[..CUES] {
                *weight = weight.max(0.0);
            }
        }
        let in_units = |cue: usize| (weights[cue] / scale[cue]) as f32;
        Self { weights: std::array::from_fn(in_units), bias: weights[CUES] as f32 }
    }

    /// Whether they take an example for a swap.
    pub fn is_swap(&self, example: &CrossingExample) -> bool {
        let sum: f32 = example.cues.iter().zip(self.weights).map(|(cue, weight)| cue * weight).sum();
        sum + self.bias > 0.0
    }

    /// How many swaps there were, and how many of those that the weights make are right and wrong.
    pub fn judge<'a>(&self, examples: impl Iterator<Item = &'a CrossingExample>) -> [usize; 3] {
        examples.fold([0; 3], |[all, right, wrong], example| {
            let made = self.is_swap(example);
            let count = usize::from;
            [
                all + count(example.swapped),
                right + count(made && example.swapped),
                wrong + count(made && !example.swapped),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_is_weighted_and_what_does_not_is_not() {
        let mut random = fastrand::Rng::with_seed(3);
        let examples: Vec<CrossingExample> = (0..600)
            .map(|number| {
                let swapped = number % 5 == 0;
                let telling = if swapped { 0.2 } else { -0.2 };
                let mut cues = [0.0; CUES];
                cues[0] = telling + 0.4 * (random.f32() - 0.5);
                cues[1] = random.f32() - 0.5;
                CrossingExample { sequence: 0, cues, swapped }
            })
            .collect();
        let learned = CrossingWeights::learn(examples.iter());
        assert!(learned.weights[0] > 10.0 && learned.weights[1] < 2.0, "{learned:?}");
        assert!(learned.weights.iter().all(|weight| *weight >= 0.0));
        let [all, right, wrong] = learned.judge(examples.iter());
        assert!(all == 120 && right >= 105 && wrong < 10, "{all} {right} {wrong}");
    }

    #[test]
    fn the_object_of_a_track_is_the_one_it_is_on_for_half_of_the_time() {
        let object =
            |numbers: &[u32]| most(numbers.iter().map(|number| (0, *number))).map(|(_, number)| number);
        assert_eq!(object(&[1, 1, 2]), Some(1));
        assert_eq!(object(&[1, 2, 3]), None);
        assert_eq!(object(&[]), None);
    }
}
