//! How much of what is there is shown: precision and recall of boxes against those of every few frames of a clip, how soon an
//! object appears, under how many ids, and how many tracks follow nothing.
//!
//! Other than HOTA and its kin this needs no identities in the truth, and can leave out what is doubtful. It compares settings
//! of one program; where the truth was made by a detector, it says nothing of accuracy.
//!
//! The rules, in pixels with the origin at the top-left corner of the top-left pixel:
//!
//! - Classes are of four kinds ([`Kind`]); a box can only find one of its kind, from an IoU of 0.5 on. In each frame
//!   pairs are taken by falling overlap, each box once.
//! - A result that finds nothing counts as false, but where it overlaps a doubtful box by an IoU of 0.5 (one of its own kind by
//!   0.3, or lies to 60 % within it), or is narrower or lower than 12 pixels.
//! - True boxes of a kind are linked from one named frame to the next by a predicted overlap of 0.3, over two named frames
//!   without it at the most. What lasts for five named frames is an *object*.
//! - A track whose judged boxes are mostly false is a *false track*; one of two frames or fewer a *blink*. A box that finds
//!   nothing and touches three edges of the picture (to 2 %), or covers 60 % of it, *fills the picture*.

use std::collections::{BTreeMap, BTreeSet};

use crate::geometry::Rect;
use crate::kind::Kind;

/// A pair from this overlap on is a find.
const LEAST_IOU: f32 = 0.5;
/// A result narrower or lower than this many pixels is not judged.
const TINY: f32 = 12.0;
/// A result of another kind is not judged from this overlap with a doubtful box on, and one of the same kind from that.
const DOUBTFUL_IOU: (f32, f32) = (0.5, 0.3);
/// Or where so much of it lies within a doubtful box of its kind.
const DOUBTFUL_SHARE: f32 = 0.6;
/// Boxes of neighbouring named frames are one object from this predicted overlap on.
const LINK_IOU: f32 = 0.3;
/// An object is gone after so many named frames without it.
const LINK_FRAMES: usize = 3;
/// What lasts for so many named frames is an object.
const OBJECT_FRAMES: usize = 5;
/// A box touches an edge from this share of the picture's side on.
const EDGE: f32 = 0.02;
/// A box fills the picture from this share of its area on.
const WHOLE: f32 = 0.6;
/// A track of so many frames or fewer is a blink.
const BLINK: usize = 2;

/// A box that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenBox {
    /// The number of its frame, from 1.
    pub frame: u64,
    /// Where it is, in pixels.
    pub rect: Rect,
    /// What it is.
    pub kind: Kind,
    /// Whether a result finds it or not never counts.
    pub doubtful: bool,
}

/// What is there in some frames of a clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeenTruth {
    /// The frames that were looked at, from 1, rising; in one without boxes nothing is there.
    pub frames: Vec<u64>,
    /// Width and height of the picture in pixels; 0 where it is not known.
    pub size: (f32, f32),
    /// Frames a second.
    pub rate: f64,
    /// What is there.
    pub boxes: Vec<SeenBox>,
}

/// A box that is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShownBox {
    /// The number of its frame, from 1.
    pub frame: u64,
    /// Its track; below 0 where it has none.
    pub id: i64,
    /// Where it is, in pixels.
    pub rect: Rect,
    /// What it is taken for.
    pub kind: Kind,
}

/// Counts of a clip, or of several.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// By kind, in the order of [`Kind::ALL`]: boxes there, boxes found, and results that are false.
    pub kinds: [Found; 4],
    /// Frames that were looked at, and those with a false box that fills the picture.
    pub frames: u64,
    /// See [`Seen::frames`].
    pub whole: u64,
    /// Length of what was looked at, in seconds.
    pub seconds: f64,
    /// Objects, and those that were ever found.
    pub objects: u64,
    /// See [`Seen::objects`].
    pub shown: u64,
    /// Objects that last for more than a second, and those that were found within one.
    pub lasting: u64,
    /// See [`Seen::lasting`].
    pub shown_soon: u64,
    /// Tracks on the objects that were found.
    pub ids: u64,
    /// Tracks that follow nothing.
    pub false_tracks: u64,
    /// Tracks of at most two frames.
    pub blinks: u64,
}

/// Counts of boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Boxes that are there.
    pub there: u64,
    /// Of these, found.
    pub found: u64,
    /// Results that find nothing.
    pub wrong: u64,
}

impl Found {
    /// The share of the judged results that is right; not a number without any.
    pub fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.wrong) as f64
    }

    /// The share of what is there that is found; not a number where nothing is there.
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.there as f64
    }

    /// The harmonic mean of the two.
    pub fn f1(&self) -> f64 {
        2.0 * self.found as f64 / (self.found + self.wrong + self.there) as f64
    }
}

impl std::ops::Add for Found {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            there: self.there + other.there,
            found: self.found + other.found,
            wrong: self.wrong + other.wrong,
        }
    }
}

impl Seen {
    /// Scores what is shown of a clip. Frames that the truth does not name are read for blinks only.
    pub fn of(truth: &SeenTruth, shown: &[ShownBox]) -> Self {
        let mut seen = Self { frames: truth.frames.len() as u64, ..Self::default() };
        let (Some(&first), Some(&last)) = (truth.frames.first(), truth.frames.last()) else { return seen };
        let step = truth.frames.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min().unwrap_or(1);
        seen.seconds = (last.saturating_sub(first) + step) as f64 / truth.rate;
        let objects = Objects::link(truth);
        let mut tally = Tally::default();
        let (mut truth_at, mut shown_at) =
            (by_frame(&truth.boxes, |b| b.frame), by_frame(shown, |b| b.frame));
        for (place, &frame) in truth.frames.iter().enumerate() {
            let there = truth_at.remove(&frame).unwrap_or_default();
            let results = shown_at.remove(&frame).unwrap_or_default();
            seen.judge(truth, place, (&there, &results, shown), &objects, &mut tally);
        }
        seen.count_objects(truth, &objects, &tally);
        let ids: BTreeSet<i64> = tally.good.keys().chain(tally.bad.keys()).copied().collect();
        let of = |counts: &BTreeMap<i64, u64>, id| counts.get(id).copied().unwrap_or(0);
        seen.false_tracks = ids.iter().filter(|id| of(&tally.bad, id) > of(&tally.good, id)).count() as u64;
        let mut lengths = BTreeMap::<i64, usize>::new();
        for result in shown.iter().filter(|r| r.id >= 0 && (first..=last).contains(&r.frame)) {
            *lengths.entry(result.id).or_default() += 1;
        }
        seen.blinks = lengths.values().filter(|length| **length <= BLINK).count() as u64;
        seen
    }

    /// Judges one named frame: `there` and `results` are the numbers of its boxes.
    fn judge(
        &mut self,
        truth: &SeenTruth,
        place: usize,
        (there, results, shown): (&[usize], &[usize], &[ShownBox]),
        objects: &Objects,
        tally: &mut Tally,
    ) {
        let real: Vec<usize> = there.iter().copied().filter(|&t| !truth.boxes[t].doubtful).collect();
        let doubtful: Vec<&SeenBox> = there.iter().map(|&t| &truth.boxes[t]).filter(|b| b.doubtful).collect();
        for &t in &real {
            self.kinds[truth.boxes[t].kind as usize].there += 1;
        }
        let iou = |r: usize, t: usize| {
            let (result, truth) = (&shown[results[r]], &truth.boxes[real[t]]);
            if result.kind == truth.kind { result.rect.iou(&truth.rect) } else { 0.0 }
        };
        let pairs = pairs(results.len(), real.len(), LEAST_IOU, iou);
        let mut whole = false;
        for (r, result) in results.iter().map(|&r| &shown[r]).enumerate() {
            let counts = &mut self.kinds[result.kind as usize];
            if let Some(&(_, t)) = pairs.iter().find(|pair| pair.0 == r) {
                counts.found += 1;
                *tally.good.entry(result.id).or_default() += 1;
                if let Some(object) = objects.of_box[real[t]] {
                    tally.finds.entry(object).or_default().push((place, result.id));
                }
                continue;
            }
            let is_doubtful = doubtful.iter().any(|b| {
                let (iou, own) = (result.rect.iou(&b.rect), result.kind == b.kind);
                let (any, same) = DOUBTFUL_IOU;
                iou >= any || own && (iou >= same || result.rect.share_in(&b.rect) >= DOUBTFUL_SHARE)
            });
            if !is_doubtful && result.rect.width >= TINY && result.rect.height >= TINY {
                counts.wrong += 1;
                *tally.bad.entry(result.id).or_default() += 1;
            }
            whole |= fills(&result.rect, truth.size);
        }
        self.whole += u64::from(whole);
    }

    fn count_objects(&mut self, truth: &SeenTruth, objects: &Objects, tally: &Tally) {
        let seconds =
            |from: usize, to: usize| truth.frames[to].saturating_sub(truth.frames[from]) as f64 / truth.rate;
        for (object, places) in objects.places.iter().enumerate() {
            let (Some(&first), Some(&last)) = (places.first(), places.last()) else { continue };
            if places.len() < OBJECT_FRAMES {
                continue;
            }
            let finds = tally.finds.get(&object).map(Vec::as_slice).unwrap_or_default();
            let found = finds.first().map(|find| find.0);
            self.objects += 1;
            self.shown += u64::from(found.is_some());
            if seconds(first, last) > 1.0 {
                self.lasting += 1;
                self.shown_soon += u64::from(found.is_some_and(|found| seconds(first, found) <= 1.0));
            }
            self.ids += finds.iter().map(|find| find.1).collect::<BTreeSet<_>>().len() as u64;
        }
    }

    /// Boxes of all kinds.
    pub fn all(&self) -> Found {
        self.kinds.iter().fold(Found::default(), |sum, kind| sum + *kind)
    }

    /// So many of something in a minute.
    pub fn a_minute(&self, count: u64) -> f64 {
        60.0 * count as f64 / self.seconds
    }
}

impl std::iter::Sum for Seen {
    fn sum<I: Iterator<Item = Self>>(clips: I) -> Self {
        clips.fold(Self::default(), |mut sum, clip| {
            for (sum, kind) in sum.kinds.iter_mut().zip(clip.kinds) {
                *sum = *sum + kind;
            }
            for (sum, count) in [
                (&mut sum.frames, clip.frames),
                (&mut sum.whole, clip.whole),
                (&mut sum.objects, clip.objects),
                (&mut sum.shown, clip.shown),
                (&mut sum.lasting, clip.lasting),
                (&mut sum.shown_soon, clip.shown_soon),
                (&mut sum.ids, clip.ids),
                (&mut sum.false_tracks, clip.false_tracks),
                (&mut sum.blinks, clip.blinks),
            ] {
                *sum += count;
            }
            sum.seconds += clip.seconds;
            sum
        })
    }
}

/// What is counted from frame to frame.
#[derive(Debug, Default)]
struct Tally {
    /// By track: boxes that find something, and false ones.
    good: BTreeMap<i64, u64>,
    bad: BTreeMap<i64, u64>,
    /// By object: the place of the frame among the named ones, and the track that found it.
    finds: BTreeMap<usize, Vec<(usize, i64)>>,
}

/// The numbers of the boxes of each frame.
fn by_frame<T>(boxes: &[T], frame: impl Fn(&T) -> u64) -> BTreeMap<u64, Vec<usize>> {
    let mut frames = BTreeMap::<u64, Vec<usize>>::new();
    for (number, one) in boxes.iter().enumerate() {
        frames.entry(frame(one)).or_default().push(number);
    }
    frames
}

/// Pairs of rows and columns by falling overlap, each once.
fn pairs(rows: usize, columns: usize, least: f32, iou: impl Fn(usize, usize) -> f32) -> Vec<(usize, usize)> {
    let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let overlaps = all.map(|(row, column)| (iou(row, column), row, column));
    let mut all: Vec<_> = overlaps.filter(|pair| pair.0 >= least).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut row_taken, mut column_taken) = (vec![false; rows], vec![false; columns]);
    let free = |&(_, row, column): &(f32, usize, usize)| {
        let free = !row_taken[row] && !column_taken[column];
        row_taken[row] |= free;
        column_taken[column] |= free;
        free
    };
    all.into_iter().filter(free).map(|(_, row, column)| (row, column)).collect()
}

/// Whether a box fills the picture.
fn fills(rect: &Rect, (width, height): (f32, f32)) -> bool {
    if width <= 0.0 || height <= 0.0 {
        return false;
    }
    let (x, y) = (EDGE * width, EDGE * height);
    let edges = [rect.left <= x, rect.top <= y, rect.right() >= width - x, rect.bottom() >= height - y];
    rect.area() >= WHOLE * width * height || edges.iter().filter(|touches| **touches).count() >= 3
}

/// An object that may go on in the next named frame.
struct Linked {
    kind: Kind,
    rect: Rect,
    /// Pixels from one named frame to the next.
    velocity: (f32, f32),
    /// The place of its last named frame.
    last: usize,
    object: usize,
}

/// The true boxes, linked over time.
struct Objects {
    /// For each true box the object that it is of; `None` for doubtful ones, and in frames that are not named.
    of_box: Vec<Option<usize>>,
    /// For each object the places, among the named frames, in which it is; rising.
    places: Vec<Vec<usize>>,
}

impl Objects {
    fn link(truth: &SeenTruth) -> Self {
        let mut objects = Self { of_box: vec![None; truth.boxes.len()], places: Vec::new() };
        let mut at = by_frame(&truth.boxes, |b| b.frame);
        let mut live = Vec::<Linked>::new();
        for (place, frame) in truth.frames.iter().enumerate() {
            let mut here = at.remove(frame).unwrap_or_default();
            here.retain(|&number| !truth.boxes[number].doubtful);
            live.retain(|linked| place - linked.last <= LINK_FRAMES);
            let iou = |row: usize, column: usize| {
                let (linked, one) = (&live[row], &truth.boxes[here[column]]);
                let passed = (place - linked.last) as f32;
                let (x, y) = linked.velocity;
                let (left, top) = (linked.rect.left + x * passed, linked.rect.top + y * passed);
                let there = Rect { left, top, ..linked.rect };
                if linked.kind == one.kind { there.iou(&one.rect) } else { 0.0 }
            };
            for (row, column) in pairs(live.len(), here.len(), LINK_IOU, iou) {
                let (linked, rect) = (&mut live[row], truth.boxes[here[column]].rect);
                let passed = (place - linked.last) as f32;
                let ((x, y), (old_x, old_y)) = (rect.center(), linked.rect.center());
                let moved = ((x - old_x) / passed, (y - old_y) / passed);
                let fresh = passed <= 1.0 && linked.velocity == (0.0, 0.0);
                let mean = (0.5 * (linked.velocity.0 + moved.0), 0.5 * (linked.velocity.1 + moved.1));
                (linked.velocity, linked.rect, linked.last) = (if fresh { moved } else { mean }, rect, place);
                objects.put(here[column], linked.object, place);
            }
            for number in here {
                if objects.of_box[number].is_none() {
                    let (SeenBox { rect, kind, .. }, object) = (truth.boxes[number], objects.places.len());
                    objects.places.push(Vec::new());
                    objects.put(number, object, place);
                    live.push(Linked { kind, rect, velocity: (0.0, 0.0), last: place, object });
                }
            }
        }
        objects
    }

    /// The true box of this number is of this object.
    fn put(&mut self, number: usize, object: usize, place: usize) {
        self.of_box[number] = Some(object);
        self.places[object].push(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(frame: u64, left: f32, kind: Kind) -> SeenBox {
        SeenBox { frame, rect: Rect::new(left, 100.0, 40.0, 40.0), kind, doubtful: false }
    }

    fn shown(frame: u64, id: i64, left: f32, kind: Kind) -> ShownBox {
        ShownBox { frame, id, rect: Rect::new(left, 100.0, 40.0, 40.0), kind }
    }

    /// Frames 1, 6, 11, … of 25 a second.
    fn truth(frames: u64, boxes: Vec<SeenBox>) -> SeenTruth {
        SeenTruth {
            frames: (0..frames).map(|n| 5 * n + 1).collect(),
            size: (640.0, 360.0),
            rate: 25.0,
            boxes,
        }
    }

    #[test]
    fn a_box_finds_one_of_its_kind_that_it_overlaps_by_half() {
        let truth = truth(1, vec![there(1, 100.0, Kind::Vehicle), there(1, 300.0, Kind::Person)]);
        // 26.7 of 53.3 pixels shared, a little less than that, another kind, and the best of two.
        let found = |all: &[ShownBox]| Seen::of(&truth, all).all();
        assert_eq!(found(&[shown(1, 1, 113.3, Kind::Vehicle)]), Found { there: 2, found: 1, wrong: 0 });
        assert_eq!(found(&[shown(1, 1, 113.5, Kind::Vehicle)]), Found { there: 2, found: 0, wrong: 1 });
        assert_eq!(found(&[shown(1, 1, 100.0, Kind::Person)]), Found { there: 2, found: 0, wrong: 1 });
        let two = [shown(1, 1, 104.0, Kind::Vehicle), shown(1, 2, 101.0, Kind::Vehicle)];
        assert_eq!(found(&two), Found { there: 2, found: 1, wrong: 1 });
        let seen = Seen::of(&truth, &two);
        assert_eq!(seen.kinds[Kind::Vehicle as usize], Found { there: 1, found: 1, wrong: 1 });
        assert_eq!((seen.all().precision(), seen.all().recall(), seen.all().f1()), (0.5, 0.5, 0.5));
    }

    #[test]
    fn what_is_doubtful_or_tiny_is_not_judged() {
        let doubtful = SeenBox { doubtful: true, ..there(1, 100.0, Kind::Vehicle) };
        let truth = truth(1, vec![doubtful]);
        let wrong = |one: ShownBox| Seen::of(&truth, &[one]).all().wrong;
        assert_eq!(wrong(shown(1, 1, 100.0, Kind::Person)), 0, "another kind, by a half");
        assert_eq!(wrong(shown(1, 1, 120.0, Kind::Person)), 1);
        assert_eq!(wrong(shown(1, 1, 120.0, Kind::Vehicle)), 0, "its kind, by a third");
        let within =
            ShownBox { rect: Rect::new(102.0, 102.0, 14.0, 14.0), ..shown(1, 1, 0.0, Kind::Vehicle) };
        assert_eq!(wrong(within), 0);
        let tiny = ShownBox { rect: Rect::new(400.0, 102.0, 40.0, 11.0), ..shown(1, 1, 0.0, Kind::Vehicle) };
        assert_eq!(wrong(tiny), 0);
    }

    #[test]
    fn objects_are_linked_over_gaps_and_counted_with_their_delay_and_ids() {
        // A car that moves by 30 pixels from one named frame to the next, which no overlap of its places would link; it is
        // missing from the truth in two of them.
        let places = (0..12).filter(|n| ![5, 6].contains(n));
        let boxes: Vec<SeenBox> = places
            .map(|n| there(5 * n + 1, if n == 0 { 12.0 } else { 30.0 * n as f32 }, Kind::Vehicle))
            .collect();
        let truth = truth(12, boxes.clone());
        let find = |from: u64, id: i64| {
            boxes
                .iter()
                .filter(|b| b.frame >= from)
                .map(|b| shown(b.frame, id, b.rect.left, b.kind))
                .collect()
        };
        let soon: Vec<ShownBox> = find(21, 1);
        let seen = Seen::of(&truth, &soon);
        assert_eq!((seen.objects, seen.shown, seen.lasting, seen.shown_soon, seen.ids), (1, 1, 1, 1, 1));
        let late: Vec<ShownBox> = find(41, 1);
        assert_eq!(Seen::of(&truth, &late).shown_soon, 0);
        let two: Vec<ShownBox> =
            find(1, 1).into_iter().map(|b: ShownBox| ShownBox { id: (b.frame / 30) as i64, ..b }).collect();
        assert_eq!(Seen::of(&truth, &two).ids, 2);
        assert_eq!((seen.seconds, seen.blinks), (2.4, 0));
    }

    #[test]
    fn false_tracks_blinks_and_what_fills_the_picture_are_counted() {
        let truth = truth(3, vec![there(1, 100.0, Kind::Vehicle), there(6, 100.0, Kind::Vehicle)]);
        let whole = Rect::new(0.0, 190.0, 640.0, 170.0);
        let all = [
            shown(1, 1, 100.0, Kind::Vehicle),
            shown(6, 1, 100.0, Kind::Vehicle),
            shown(11, 1, 100.0, Kind::Vehicle),
            shown(6, 2, 400.0, Kind::Vehicle),
            shown(7, 2, 400.0, Kind::Vehicle),
            ShownBox { rect: whole, ..shown(11, 3, 0.0, Kind::Other) },
        ];
        let seen = Seen::of(&truth, &all);
        assert_eq!((seen.false_tracks, seen.blinks, seen.whole, seen.frames), (2, 2, 1, 3));
        assert_eq!(seen.a_minute(2), 2.0 * 60.0 / 0.6);
        let twice: Seen = [seen.clone(), seen.clone()].into_iter().sum();
        assert_eq!((twice.all().there, twice.false_tracks, twice.seconds), (4, 4, 1.2));
    }

    #[test]
    fn frames_in_any_order_boxes_elsewhere_and_nothing_at_all_are_no_trouble() {
        let boxes = vec![there(6, 100.0, Kind::Vehicle), there(3, 100.0, Kind::Vehicle)];
        let odd = SeenTruth { frames: vec![6, 1, 6], ..truth(0, boxes) };
        assert_eq!(Seen::of(&odd, &[shown(6, 1, 100.0, Kind::Vehicle)]).all().found, 1);
        assert_eq!(Seen::of(&SeenTruth::default(), &[shown(6, 1, 100.0, Kind::Vehicle)]), Seen::default());
        assert_eq!(Seen::of(&truth(3, Vec::new()), &[]).all(), Found::default());
    }
}
