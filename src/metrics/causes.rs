//! Why identities were lost, and what HOTA would be without the losses of one cause.
//!
//! An object loses its identity where it is found under another id than when it was found last, as CLEAR MOT matches them.
//! Each loss gets the first cause in the list of [`Cause`] that fits. To see what a cause costs, an oracle heals it: from the
//! frame of such a loss on, the two ids change places, and HOTA is computed anew. What the causes cost does not add up: one
//! loss healed may bring another one to light.

use std::collections::HashMap;

use super::clear::ClearWork;
use super::hota::{Hota, HotaWork};
use super::matcher::Matcher;
use super::overlaps::{HALF, Overlaps};
use super::region::Corners;
use super::results::Results;
use super::truth::{Role, Truth};

/// Two true boxes that overlap by more than this cross.
const CROSSING: f64 = 0.35;
/// So long before an object is lost its crossing may lie, in seconds.
const CROSSING_SECONDS: f64 = 1.0;
/// A jolt of the camera: everything moves by more than this share of the object's width in one frame.
const JOLT: f64 = 0.5;

/// Why an object was found under another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The old id is still on the object: there are two tracks on one object.
    Duplicate,
    /// It was not found for longer than a tracker remembers.
    BeyondMemory,
    /// Its box overlapped that of another object by an IoU of more than 0.35, at most a second before it was lost.
    Crossing,
    /// All objects moved by more than half of its width in one frame.
    Camera,
    /// For at least half of the time in which it was not found it was hidden: at least half covered, or not in the truth.
    Hidden,
    /// It was in sight, and was not found for a moment, or not even that.
    Gap,
}

impl Cause {
    /// All causes, in the order in which they are asked for.
    pub const ALL: [Self; 6] =
        [Self::Duplicate, Self::BeyondMemory, Self::Crossing, Self::Camera, Self::Hidden, Self::Gap];

    /// In a word, for tables and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::BeyondMemory => "beyond memory",
            Self::Crossing => "crossing",
            Self::Camera => "camera",
            Self::Hidden => "hidden",
            Self::Gap => "short gap",
        }
    }
}

/// Times that decide on causes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CauseRules {
    /// Frames a second.
    pub fps: f64,
    /// For how many seconds the tracker remembers an object that it does not find.
    pub memory_seconds: f64,
}

/// How often identities were lost for each cause, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Causes {
    /// In the order of [`Cause::ALL`].
    pub losses: [u64; Cause::ALL.len()],
    /// HOTA without the losses of one cause, in the same order.
    pub healed: [Hota; Cause::ALL.len()],
    /// HOTA without any loss.
    pub all_healed: Hota,
}

impl Causes {
    /// Over several sequences.
    pub fn combine<'a>(sequences: impl IntoIterator<Item = &'a Self, IntoIter: Clone>) -> Self {
        let all = sequences.into_iter();
        let mut losses = [0; Cause::ALL.len()];
        for one in all.clone() {
            losses.iter_mut().zip(one.losses).for_each(|(sum, more)| *sum += more);
        }
        Self {
            losses,
            healed: std::array::from_fn(|at| Hota::combine(all.clone().map(|one| &one.healed[at]))),
            all_healed: Hota::combine(all.map(|one| &one.all_healed)),
        }
    }
}

/// An object that is found under another id than before.
#[derive(Debug, Clone, Copy)]
struct Loss {
    object: u32,
    /// The frames in which it was found last, and in which it is found again.
    frames: (usize, usize),
    /// The id that it had, and the one that it has now.
    results: (u32, u32),
}

/// What is known of a sequence for telling causes.
pub(super) struct Sequence<'a> {
    overlaps: &'a Overlaps,
    rules: CauseRules,
    /// Of each object: the frames in which it is there, and where.
    paths: Vec<Vec<(usize, Corners)>>,
    /// Of each frame: the objects in it, and where.
    frames: Vec<Vec<(u32, Corners)>>,
    /// Of each frame: object and result of each match.
    matches: Vec<Vec<(u32, u32)>>,
}

impl<'a> Sequence<'a> {
    pub(super) fn new(
        truth: &Truth,
        overlaps: &'a Overlaps,
        clear: &mut ClearWork,
        matcher: &mut Matcher,
        rules: CauseRules,
    ) -> Self {
        let mut paths = vec![Vec::new(); truth.boxes.ids()];
        let mut frames = Vec::with_capacity(truth.frames());
        for frame in 0..truth.frames() {
            let rows = truth.boxes.range(frame).filter(|row| truth.roles[*row] == Role::Counts);
            let there: Vec<(u32, Corners)> =
                rows.map(|row| (truth.boxes.labels()[row], truth.boxes.corners()[row])).collect();
            for (object, corners) in &there {
                paths[*object as usize].push((frame, *corners));
            }
            frames.push(there);
        }
        let mut matches = vec![Vec::new(); truth.frames()];
        clear.compute_with(overlaps, matcher, |frame, object, result| matches[frame].push((object, result)));
        Self { overlaps, rules, paths, frames, matches }
    }

    /// Counts the losses of each cause, and heals them.
    pub(super) fn causes(&self, truth: &Truth, results: &Results, matcher: &mut Matcher) -> Causes {
        let (mut overlaps, mut hota) = (Overlaps::default(), HotaWork::default());
        let mut without = |heal: &dyn Fn(Cause) -> bool| {
            let (_, swaps) = self.follow(results.boxes.ids(), heal);
            overlaps.fill(truth, &with_swaps(results, &swaps), matcher);
            hota.compute(&overlaps, matcher)
        };
        Causes {
            losses: self.follow(results.boxes.ids(), &|_| false).0,
            healed: Cause::ALL.map(|cause| without(&|other| other == cause)),
            all_healed: without(&|_| true),
        }
    }

    /// Goes through the frames: how often each cause came up, and which ids change places in which frame where losses of a
    /// cause for which `heal` is true are healed.
    fn follow(
        &self,
        ids: usize,
        heal: &dyn Fn(Cause) -> bool,
    ) -> ([u64; Cause::ALL.len()], Vec<(usize, u32, u32)>) {
        // The name that each id has by now, and which id has a name.
        let mut names: Vec<u32> = (0..ids as u32).collect();
        let mut bearers = names.clone();
        // Of each object: the frame in which it was found last, and the name and the id that it had.
        let mut last: Vec<Option<(usize, u32, u32)>> = vec![None; self.paths.len()];
        let (mut losses, mut swaps) = ([0; Cause::ALL.len()], Vec::new());
        for (frame, matches) in self.matches.iter().enumerate() {
            for &(object, result) in matches {
                let name = names[result as usize];
                if let Some((before, had, old)) = last[object as usize]
                    && had != name
                {
                    let loss = Loss { object, frames: (before, frame), results: (old, result) };
                    let cause = self.cause(&loss);
                    losses[cause as usize] += 1;
                    if heal(cause) {
                        let other = bearers[had as usize];
                        names.swap(result as usize, other as usize);
                        bearers.swap(name as usize, had as usize);
                        swaps.push((frame, result, other));
                    }
                }
                last[object as usize] = Some((frame, names[result as usize], result));
            }
        }
        (losses, swaps)
    }

    fn cause(&self, loss: &Loss) -> Cause {
        let away = (loss.frames.1 - loss.frames.0 - 1) as f64 / self.rules.fps;
        match () {
            () if self.is_doubled(loss) => Cause::Duplicate,
            () if away > self.rules.memory_seconds => Cause::BeyondMemory,
            () if self.has_crossed(loss) => Cause::Crossing,
            () if self.was_jolted(loss) => Cause::Camera,
            () if self.was_hidden(loss) => Cause::Hidden,
            () => Cause::Gap,
        }
    }

    /// Whether the old id is still on the object.
    fn is_doubled(&self, loss: &Loss) -> bool {
        let frame = self.overlaps.frame(loss.frames.1);
        frame.overlaps.iter().any(|overlap| {
            overlap.iou >= HALF
                && frame.truth[overlap.row as usize] == loss.object
                && frame.results[overlap.column as usize] == loss.results.0
        })
    }

    fn has_crossed(&self, loss: &Loss) -> bool {
        let before = (CROSSING_SECONDS * self.rules.fps) as usize;
        let frames = loss.frames.0.saturating_sub(before)..=loss.frames.1;
        self.path(loss.object, frames).any(|(frame, corners)| {
            let others = self.frames[*frame].iter().filter(|(object, _)| *object != loss.object);
            others.filter_map(|(_, other)| corners.iou(other)).any(|iou| iou > CROSSING)
        })
    }

    fn was_jolted(&self, loss: &Loss) -> bool {
        let own = self.path(loss.object, loss.frames.0..=loss.frames.0).next();
        let Some(width) = own.map(|(_, corners)| corners.width()) else { return false };
        (loss.frames.0 + 1..=loss.frames.1).any(|frame| {
            let before: HashMap<u32, Corners> = self.frames[frame - 1].iter().copied().collect();
            let mut shifts: Vec<f64> = self.frames[frame]
                .iter()
                .filter(|(object, _)| *object != loss.object)
                .filter_map(|(object, corners)| Some(corners.distance(before.get(object)?)))
                .collect();
            shifts.sort_by(f64::total_cmp);
            // Of two or more, so that one runner is no jolt.
            shifts.len() >= 2 && shifts[(shifts.len() - 1) / 2] > JOLT * width
        })
    }

    fn was_hidden(&self, loss: &Loss) -> bool {
        let unseen = loss.frames.0 + 1..loss.frames.1;
        let away = unseen.len();
        let in_sight =
            self.path(loss.object, unseen.start..=unseen.end.saturating_sub(1)).filter(|(frame, corners)| {
                let others = self.frames[*frame].iter().filter(|(object, _)| *object != loss.object);
                others.map(|(_, other)| corners.lies_in(other)).all(|share| share < HALF)
            });
        away > 0 && 2 * in_sight.count() <= away
    }

    /// Where an object is in these frames.
    fn path(
        &self,
        object: u32,
        frames: std::ops::RangeInclusive<usize>,
    ) -> impl Iterator<Item = &(usize, Corners)> {
        let path = &self.paths[object as usize];
        let first = path.partition_point(|(frame, _)| frame < frames.start());
        path[first..].iter().take_while(move |(frame, _)| frame <= frames.end())
    }
}

/// The results where two ids change places from a frame on.
fn with_swaps(results: &Results, swaps: &[(usize, u32, u32)]) -> Results {
    let mut names: Vec<u64> = (0..results.boxes.ids() as u64).collect();
    let mut swaps = swaps.iter().peekable();
    Results {
        boxes: results.boxes.renamed(|frame, label| {
            while let Some((_, a, b)) = swaps.next_if(|(at, ..)| *at <= frame) {
                names.swap(*a as usize, *b as usize);
            }
            names[label as usize]
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Region, Scorer, TruthBox};

    const RULES: CauseRules = CauseRules { fps: 10.0, memory_seconds: 2.0 };

    /// Boxes of 20 × 40 pixels: `(frame, id, left)`.
    fn causes(truth: &[(usize, u64, f64)], said: &[(usize, u64, f64)]) -> Causes {
        let at = |left: f64| Region::new(left, 50.0, 20.0, 40.0);
        let frames = 1 + truth.iter().map(|row| row.0).max().unwrap_or(0);
        let boxes = truth.iter().map(|(frame, id, left)| TruthBox {
            frame: *frame,
            id: *id,
            region: at(*left),
            role: Role::Counts,
        });
        let truth = Truth::new(frames, boxes, []).unwrap();
        let results = Results::new(said.iter().map(|(frame, id, left)| (*frame, *id, at(*left)))).unwrap();
        Scorer::default().causes(&truth, &results, RULES).unwrap()
    }

    /// What was lost, as names of causes.
    fn lost(causes: &Causes) -> Vec<(&'static str, u64)> {
        let all = Cause::ALL.iter().zip(causes.losses);
        all.filter(|(_, count)| *count > 0).map(|(cause, count)| (cause.name(), count)).collect()
    }

    #[test]
    fn two_that_swap_their_ids_have_crossed_and_are_whole_when_healed() {
        // They walk through one another; behind the crossing each has the other's id.
        let way = |frame: usize| (10.0 * frame as f64, 200.0 - 10.0 * frame as f64);
        let (mut truth, mut said) = (Vec::new(), Vec::new());
        for frame in 0..=20 {
            let (right, left) = way(frame);
            truth.extend([(frame, 1, right), (frame, 2, left)]);
            let (a, b) = if frame <= 10 { (7, 8) } else { (8, 7) };
            if frame != 10 {
                said.extend([(frame, a, right), (frame, b, left)]);
            }
        }
        let causes = causes(&truth, &said);
        assert_eq!(lost(&causes), [("crossing", 2)]);
        let mean = |hota: &Hota| hota.ass_a.mean();
        assert!(mean(&causes.healed[Cause::Crossing as usize]) > 0.9);
        assert!(mean(&causes.healed[Cause::Gap as usize]) < 0.6, "nothing else is healed");
        assert_eq!(causes.all_healed, causes.healed[Cause::Crossing as usize]);
    }

    #[test]
    fn each_cause_is_told_from_the_others() {
        let one = |frames: std::ops::Range<usize>, id: u64| frames.map(move |frame| (frame, id, 100.0));
        let whole: Vec<_> = one(0..60, 1).collect();
        let said = |gap: std::ops::Range<usize>| -> Vec<_> {
            one(0..gap.start, 7).chain(one(gap.end..60, 8)).collect()
        };
        assert_eq!(lost(&causes(&whole, &said(20..20))), [("short gap", 1)]);
        assert_eq!(lost(&causes(&whole, &said(20..25))), [("short gap", 1)]);
        assert_eq!(lost(&causes(&whole, &said(20..45))), [("beyond memory", 1)]);

        // It is not in the truth meanwhile.
        let hidden: Vec<_> = one(0..20, 1).chain(one(28..60, 1)).collect();
        assert_eq!(lost(&causes(&hidden, &said(20..28))), [("hidden", 1)]);

        // The old id stays beside the new one, a little less well on the object.
        let mut doubled = said(20..20);
        doubled.extend((20..25).map(|frame| (frame, 7, 105.0)));
        assert_eq!(
            lost(&causes(&whole, &doubled)),
            [("short gap", 1)],
            "the match goes on as long as it can"
        );
        // Once it has been away, the better one is taken.
        let mut doubled: Vec<_> = one(0..19, 7).chain([(19, 7, 300.0)]).chain(one(20..60, 8)).collect();
        doubled.extend((20..25).map(|frame| (frame, 7, 105.0)));
        assert_eq!(lost(&causes(&whole, &doubled)), [("duplicate", 1)]);

        // Three that stand still, and a jolt by more than a width.
        let jolted = |frame: usize| if frame < 30 { 0.0 } else { 25.0 };
        let three = |frame: usize| [(frame, 1, 50.0), (frame, 2, 150.0), (frame, 3, 250.0)];
        let there: Vec<_> =
            (0..60).flat_map(three).map(|(frame, id, left)| (frame, id, left + jolted(frame))).collect();
        let renamed =
            |(frame, id, left): (usize, u64, f64)| (frame, if id == 2 && frame >= 30 { 9 } else { id }, left);
        let said: Vec<_> = there.iter().copied().map(renamed).collect();
        assert_eq!(lost(&causes(&there, &said)), [("camera", 1)]);
    }

    #[test]
    fn nothing_lost_costs_nothing() {
        let boxes: Vec<_> = (0..10).map(|frame| (frame, 1, 100.0)).collect();
        let causes = causes(&boxes, &boxes);
        assert_eq!(lost(&causes), []);
        assert!(causes.healed.iter().all(|healed| healed.hota.mean() == 1.0));
    }
}
