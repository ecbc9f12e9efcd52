//! From regions to things: groups are split where their outline says so, or where their members were seen apart before.

use super::regions::{Marks, Region};
use crate::geometry::{Affine, Rect};

/// A thing that was seen by itself for so long, in seconds, is told from others that it meets.
const KNOWN: f64 = 0.3;
/// A thing that is not seen is remembered for so long.
const REMEMBERED: f64 = 1.0;
/// A thing that others hide is told for so long.
const HIDDEN: f64 = 0.4;
/// What is smaller than this share of another thing may be a part of it.
const PART: f32 = 0.2;
/// It goes along where their speeds differ by less than so many heights a second.
const ALONG: f32 = 0.3;
/// Of the box of a thing, so much has to be marked for it to be a member of a group.
const SUPPORT: f32 = 0.25;
/// Between two things side by side, columns have at most this share of the marks of either.
const VALLEY: f32 = 0.6;
/// Either is at least so high, against both.
const EITHER: f32 = 0.45;
/// And so wide against its height.
const NARROWEST: f32 = 0.2;

/// Something that moves, in small pixels of the background.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thing {
    pub(super) rect: Rect,
    /// Pixels a second.
    velocity: (f32, f32),
    /// Seconds since it was seen first, since it was seen last, and for how long it was seen by itself.
    pub(super) age: f64,
    pub(super) missed: f64,
    alone: f64,
    /// Where its middle was first.
    born: (f32, f32),
    far: f32,
    /// Of what is marked in it, the share that is marked clearly.
    pub(super) clear: f32,
    /// The label of the region that it is or is a part of; 0: it is not seen.
    pub(super) label: u32,
}

impl Thing {
    fn predicted(&self, passed: f64) -> Rect {
        let passed = passed as f32;
        let (x, y) = (self.velocity.0 * passed, self.velocity.1 * passed);
        Rect { left: self.rect.left + x, top: self.rect.top + y, ..self.rect }
    }

    /// Whether it has gone somewhere, and not only moved in its place.
    pub(super) fn travelled(&self) -> bool {
        self.far > 0.5 * self.rect.width.max(self.rect.height)
    }

    /// Whether it is told of now.
    pub(super) fn is_told(&self) -> bool {
        self.missed < HIDDEN
    }
}

/// A part of a region that is one thing.
#[derive(Debug, Clone, Copy)]
struct Part {
    rect: Rect,
    clear: f32,
    label: u32,
    /// It is all of its region.
    whole: bool,
}

/// What moved in the pictures before.
#[derive(Debug, Default)]
pub(super) struct Things {
    pub(super) list: Vec<Thing>,
}

impl Things {
    /// Takes the regions of the next picture, which is so many seconds later.
    pub(super) fn update(&mut self, regions: &[Region], marks: &Marks, least: f32, passed: f64) {
        let predicted: Vec<Rect> = self.list.iter().map(|thing| thing.predicted(passed)).collect();
        let mut seen: Vec<Option<Part>> = vec![None; self.list.len()];
        let mut news: Vec<Part> = Vec::new();
        for region in regions {
            let members: Vec<usize> = (0..self.list.len())
                .filter(|&at| {
                    seen[at].is_none()
                        && self.list[at].alone >= KNOWN
                        && belongs(&predicted[at], region, marks)
                })
                .collect();
            let members = self.apart(members, &predicted);
            if members.len() > 1 {
                for (at, part) in share_out(region, marks, &members, &predicted) {
                    seen[at] = part;
                }
                continue;
            }
            for part in split(region, marks, least) {
                // The thing of before that it goes on.
                let before = (0..self.list.len())
                    .filter(|at| seen[*at].is_none())
                    .map(|at| (at, predicted[at].iou(&part.rect)))
                    .filter(|(_, iou)| *iou > 0.1)
                    .max_by(|a, b| a.1.total_cmp(&b.1));
                match before {
                    Some((at, _)) => seen[at] = Some(part),
                    None => news.push(part),
                }
            }
        }
        for ((thing, part), predicted) in self.list.iter_mut().zip(&seen).zip(&predicted) {
            thing.age += passed;
            match part {
                Some(part) => {
                    let ((x, y), (px, py)) = (part.rect.center(), thing.rect.center());
                    let rate = (passed / (passed + 0.25)) as f32;
                    let speed = |to: f32, from: f32| (to - from) / passed as f32;
                    thing.velocity.0 += rate * (speed(x, px) - thing.velocity.0);
                    thing.velocity.1 += rate * (speed(y, py) - thing.velocity.1);
                    thing.far = thing.far.max((x - thing.born.0).hypot(y - thing.born.1));
                    thing.rect = part.rect;
                    thing.missed = 0.0;
                    (thing.clear, thing.label) = (part.clear, part.label);
                    thing.alone = if part.whole { thing.alone + passed } else { thing.alone };
                }
                None => {
                    (thing.rect, thing.label) = (*predicted, 0);
                    thing.missed += passed;
                }
            }
        }
        self.list.retain(|thing| thing.missed == 0.0 || thing.alone >= KNOWN && thing.missed < REMEMBERED);
        self.list.extend(news.iter().map(|part| Thing {
            rect: part.rect,
            velocity: (0.0, 0.0),
            age: 0.0,
            missed: 0.0,
            alone: 0.0,
            born: part.rect.center(),
            far: 0.0,
            clear: part.clear,
            label: part.label,
        }));
        self.drop_doubles();
    }

    /// All is somewhere else, as the camera has turned.
    pub(super) fn carry(&mut self, map: &Affine) {
        for thing in &mut self.list {
            thing.rect = map.rect(&thing.rect);
            thing.born = map.point(thing.born.0, thing.born.1);
        }
    }

    /// The members of a group that are things of their own: a small one that goes along above or below a large one is a part
    /// of it.
    fn apart(&self, members: Vec<usize>, predicted: &[Rect]) -> Vec<usize> {
        let is_part = |&at: &usize| {
            members.iter().any(|&other| {
                let (small, large) = (&predicted[at], &predicted[other]);
                let ((vx, vy), (ox, oy)) = (self.list[at].velocity, self.list[other].velocity);
                let across = small.right().min(large.right()) - small.left.max(large.left);
                small.area() < PART * large.area()
                    && across > 0.6 * small.width
                    && (vx - ox).hypot(vy - oy) < ALONG * large.height
            })
        };
        members.iter().copied().filter(|at| !is_part(at)).collect()
    }

    /// Of two things in the same place, the one that is known for longer stays.
    fn drop_doubles(&mut self) {
        self.list.sort_by(|a, b| b.age.total_cmp(&a.age));
        let mut at = 0;
        while at < self.list.len() {
            let rect = self.list[at].rect;
            let double = self.list[..at]
                .iter()
                .any(|older| older.rect.iou(&rect) > 0.6 || rect.share_in(&older.rect) > 0.8);
            if double {
                self.list.remove(at);
            } else {
                at += 1;
            }
        }
    }
}

/// Whether a thing is where the region is.
fn belongs(rect: &Rect, region: &Region, marks: &Marks) -> bool {
    let around = rect_of(region);
    if rect.share_in(&around) < 0.5 {
        return false;
    }
    let Some(inside) = rect.clipped(marks.size.0 as f32, marks.size.1 as f32) else { return false };
    let (mut of, mut all) = (0, 0);
    for y in inside.top as usize..(inside.bottom() as usize).min(marks.size.1) {
        for x in inside.left as usize..(inside.right() as usize).min(marks.size.0) {
            of += usize::from(marks.is_of(region, x, y));
            all += 1;
        }
    }
    of as f32 >= SUPPORT * all as f32 && of > 0
}

fn rect_of(region: &Region) -> Rect {
    Rect::new(region.left as f32, region.top as f32, region.width() as f32, region.height() as f32)
}

/// Gives each pixel of a region to the member whose middle it is closest to, and each member its box: what it has, but of
/// nearly the size that it had before.
fn share_out(
    region: &Region,
    marks: &Marks,
    members: &[usize],
    predicted: &[Rect],
) -> Vec<(usize, Option<Part>)> {
    let mut counts = vec![(0usize, 0usize); members.len()];
    let mut edges = vec![(f32::MAX, f32::MAX, 0f32, 0f32); members.len()];
    for y in region.top..region.bottom {
        for x in region.left..region.right {
            if !marks.is_of(region, x, y) {
                continue;
            }
            let mut closest = (f32::MAX, 0);
            for (number, &at) in members.iter().enumerate() {
                let rect = &predicted[at];
                let (cx, cy) = rect.center();
                let (dx, dy) = ((x as f32 + 0.5 - cx) / rect.width, (y as f32 + 0.5 - cy) / rect.height);
                let far = dx * dx + dy * dy;
                if far < closest.0 {
                    closest = (far, number);
                }
            }
            if closest.0 > 0.6 {
                continue;
            }
            let (count, edge) = (&mut counts[closest.1], &mut edges[closest.1]);
            count.0 += 1;
            count.1 += usize::from(marks.strong[y * marks.stride + x]);
            *edge = (
                edge.0.min(x as f32),
                edge.1.min(y as f32),
                edge.2.max(x as f32 + 1.0),
                edge.3.max(y as f32 + 1.0),
            );
        }
    }
    members
        .iter()
        .enumerate()
        .map(|(number, &at)| {
            let ((count, strong), edge, was) = (counts[number], edges[number], predicted[at]);
            if (count as f32) < 0.15 * was.area() {
                return (at, None);
            }
            let now = Rect::from_edges(edge.0, edge.1, edge.2, edge.3);
            let ((x, y), (px, py)) = (now.center(), was.center());
            let size = |now: f32, was: f32| (0.8 * was + 0.2 * now).clamp(0.93 * was, 1.07 * was);
            let rect = Rect::from_center(
                0.5 * (x + px),
                0.5 * (y + py),
                size(now.width, was.width),
                size(now.height, was.height),
            );
            (at, Some(Part { rect, clear: strong as f32 / count as f32, label: region.label, whole: false }))
        })
        .collect()
}

/// Cuts a region that is wide for its height where columns have few marks between two things that have many.
fn split(region: &Region, marks: &Marks, least: f32) -> Vec<Part> {
    let (width, height) = (region.width(), region.height());
    let mut columns = vec![0f32; width];
    for y in region.top..region.bottom {
        for (x, column) in columns.iter_mut().enumerate() {
            *column += f32::from(u8::from(marks.is_of(region, region.left + x, y)));
        }
    }
    let reach = (height / 24).max(1);
    let smooth: Vec<f32> = (0..width)
        .map(|at| {
            let part = &columns[at.saturating_sub(reach)..(at + reach + 1).min(width)];
            part.iter().sum::<f32>() / part.len() as f32
        })
        .collect();
    let mut cuts = vec![0, width];
    if height as f32 >= 2.0 * least {
        cut(&smooth, (0, width), height as f32, &mut cuts);
    }
    cuts.sort_unstable();
    let whole = cuts.len() == 2;
    cuts.windows(2)
        .filter_map(|pair| bounds(region, marks, (region.left + pair[0], region.left + pair[1]), whole))
        .collect()
}

fn cut(columns: &[f32], (from, to): (usize, usize), height: f32, cuts: &mut Vec<usize>) {
    let narrowest = (NARROWEST * height) as usize + 1;
    if to - from < 2 * narrowest {
        return;
    }
    let most = |part: &[f32]| part.iter().copied().fold(0.0, f32::max);
    let mut best: Option<(f32, usize)> = None;
    for at in from + narrowest..to - narrowest {
        let (left, right) = (most(&columns[from..at]), most(&columns[at + 1..to]));
        if left.min(right) < EITHER * height {
            continue;
        }
        let depth = columns[at] / left.min(right);
        if depth <= VALLEY && best.is_none_or(|(least, _)| depth < least) {
            best = Some((depth, at));
        }
    }
    if let Some((_, at)) = best {
        cuts.push(at);
        cut(columns, (from, at), height, cuts);
        cut(columns, (at, to), height, cuts);
    }
}

/// The box around the pixels of a region between two columns.
fn bounds(region: &Region, marks: &Marks, (from, to): (usize, usize), whole: bool) -> Option<Part> {
    let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
    let (mut area, mut strong) = (0usize, 0usize);
    for y in region.top..region.bottom {
        for x in from..to {
            if marks.is_of(region, x, y) {
                (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
                area += usize::from(marks.weak[y * marks.stride + x]);
                strong += usize::from(marks.strong[y * marks.stride + x]);
            }
        }
    }
    if whole {
        (left, top, right, bottom) = (region.left, region.top, region.right, region.bottom);
        (area, strong) = (region.area, region.strong);
    }
    (left < right).then(|| Part {
        rect: Rect::from_edges(left as f32, top as f32, right as f32, bottom as f32),
        clear: strong as f32 / area.max(1) as f32,
        label: region.label,
        whole,
    })
}
