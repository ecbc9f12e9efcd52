//! From pixels that differ to things: specks removed, gaps closed, connected pixels joined, groups split.

use super::grid::LANES;
use super::model::Told;
use crate::kernels::isa::vectorised;

/// Of a pixel and its eight neighbours, so many have to differ.
const MAJORITY: u8 = 5;
/// Of more regions than this, in one picture, the largest are looked at.
const MOST: usize = 200;
/// A place of which it is asked whether it shows something else is so many small pixels a side.
const PLACE: usize = 32;

/// What differs, pixel by pixel.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Pixels across, with those behind the right edge, and down.
    pub(super) stride: usize,
    pub(super) size: (usize, usize),
    /// 1 where a pixel differs.
    pub(super) weak: Vec<u8>,
    /// 1 where it differs clearly.
    pub(super) strong: Vec<u8>,
    sums: Vec<u8>,
    clean: Vec<u8>,
    /// The region of each pixel, from 1; 0: none.
    labels: Vec<u32>,
    runs: Vec<Run>,
    parents: Vec<u32>,
}

/// Pixels of one region side by side.
#[derive(Debug, Clone, Copy)]
struct Run {
    row: u32,
    from: u32,
    to: u32,
}

/// Connected pixels that differ, in small pixels; right and bottom lie behind the last one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
    /// Pixels that differ, and those of them that differ clearly.
    pub(super) area: usize,
    pub(super) strong: usize,
    /// The label of its pixels.
    pub(super) label: u32,
}

impl Region {
    pub(super) fn width(&self) -> usize {
        self.right - self.left
    }

    pub(super) fn height(&self) -> usize {
        self.bottom - self.top
    }

    /// Around both.
    fn with(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            area: self.area + other.area,
            strong: self.strong + other.strong,
            label: self.label,
        }
    }
}

impl Marks {
    /// Marks the pixels that are at least so many squared deviations off.
    pub(super) fn mark(
        &mut self,
        told: &[Told],
        size: (usize, usize),
        stride: usize,
        (weak, strong): (f32, f32),
    ) {
        (self.size, self.stride) = (size, stride);
        self.weak.resize(stride * size.1, 0);
        self.strong.resize(stride * size.1, 0);
        mark(told, weak, &mut self.weak);
        mark(told, strong, &mut self.strong);
        for row in
            self.weak.chunks_exact_mut(stride.max(1)).chain(self.strong.chunks_exact_mut(stride.max(1)))
        {
            row[size.0.min(stride)..].fill(0);
        }
    }

    /// The share of places, so many pixels a side, of which at least a quarter is marked clearly.
    pub(super) fn spread(&self) -> f32 {
        let (width, height) = self.size;
        let (mut marked, mut all) = (0, 0);
        for top in (0..height).step_by(PLACE) {
            let rows = top..(top + PLACE).min(height);
            for left in (0..width).step_by(PLACE) {
                let right = (left + PLACE).min(width);
                let strong =
                    rows.clone().flat_map(|y| &self.strong[y * self.stride + left..y * self.stride + right]);
                let count: usize = strong.map(|strong| usize::from(*strong)).sum();
                marked += usize::from(count * 4 >= rows.len() * (right - left));
                all += 1;
            }
        }
        marked as f32 / f32::max(all as f32, 1.0)
    }

    /// Removes specks and closes gaps of at most so many pixels across and down; then finds what is connected.
    pub(super) fn regions(&mut self, gaps: (usize, usize)) -> Vec<Region> {
        self.clean();
        let stride = self.stride.max(1);
        for row in self.clean.chunks_exact_mut(stride) {
            close(row, gaps.0);
        }
        close_down(&mut self.clean, stride, gaps.1, &mut self.labels);
        self.connect()
    }

    fn clean(&mut self) {
        let stride = self.stride.max(1);
        self.sums.clear();
        self.sums.resize(self.weak.len(), 0);
        self.clean.clear();
        self.clean.resize(self.weak.len(), 0);
        for (row, sums) in self.weak.chunks_exact(stride).zip(self.sums.chunks_exact_mut(stride)) {
            sum_across(row, sums);
        }
        let rows = self.size.1;
        for y in 0..rows {
            let at = |y: usize| &self.sums[y * stride..(y + 1) * stride];
            let (above, below) = (at(y.saturating_sub(1)), at((y + 1).min(rows - 1)));
            majority(above, at(y), below, &mut self.clean[y * stride..(y + 1) * stride]);
        }
    }

    /// Labels connected pixels (with corners), a run of a row at a time.
    fn connect(&mut self) -> Vec<Region> {
        let stride = self.stride.max(1);
        self.runs.clear();
        self.parents.clear();
        let mut above = 0..0;
        for (y, row) in self.clean.chunks_exact(stride).enumerate() {
            let begin = self.runs.len();
            let mut x = 0;
            while let Some(from) = row[x..].iter().position(|mark| *mark != 0).map(|at| x + at) {
                let to = row[from..].iter().position(|mark| *mark == 0).map_or(row.len(), |at| from + at);
                self.parents.push(self.runs.len() as u32);
                self.runs.push(Run { row: y as u32, from: from as u32, to: to as u32 });
                x = to;
            }
            let mut first = above.start;
            for now in begin..self.runs.len() {
                let run = self.runs[now];
                while first < above.end && self.runs[first].to < run.from {
                    first += 1;
                }
                let mut other = first;
                while other < above.end && self.runs[other].from <= run.to {
                    join(&mut self.parents, now as u32, other as u32);
                    other += 1;
                }
            }
            above = begin..self.runs.len();
        }
        self.labels.clear();
        self.labels.resize(self.clean.len(), 0);
        let mut numbers = vec![0u32; self.runs.len()];
        let mut regions: Vec<Region> = Vec::new();
        for at in 0..self.runs.len() {
            let root = find(&mut self.parents, at as u32) as usize;
            let run = self.runs[at];
            let (row, from, to) = (run.row as usize, run.from as usize, run.to as usize);
            let span = row * stride + from..row * stride + to;
            let area = self.weak[span.clone()].iter().map(|mark| usize::from(*mark)).sum();
            let strong = self.strong[span.clone()].iter().map(|mark| usize::from(*mark)).sum();
            if numbers[root] == 0 {
                numbers[root] = regions.len() as u32 + 1;
                regions.push(Region {
                    left: from,
                    top: row,
                    right: to,
                    bottom: row + 1,
                    area: 0,
                    strong: 0,
                    label: numbers[root],
                });
            }
            let number = numbers[root];
            self.labels[span].fill(number);
            let run =
                Region { left: from, top: row, right: to, bottom: row + 1, area, strong, label: number };
            let region = &mut regions[number as usize - 1];
            *region = region.with(&run);
        }
        regions
    }

    /// Makes the region's pixels those of another one.
    fn rename(&mut self, region: &Region, label: u32) {
        for y in region.top..region.bottom {
            let row = y * self.stride;
            for of in &mut self.labels[row + region.left..row + region.right] {
                if *of == region.label {
                    *of = label;
                }
            }
        }
    }

    /// The label of a pixel; 0: it is of no region.
    pub(super) fn label(&self, x: usize, y: usize) -> u32 {
        self.labels.get(y * self.stride + x).copied().unwrap_or_default()
    }

    /// Whether the pixel is the region's.
    pub(super) fn is_of(&self, region: &Region, x: usize, y: usize) -> bool {
        self.labels[y * self.stride + x] == region.label
    }
}

/// Leaves the largest, of water or snow that makes thousands.
pub(super) fn keep_largest(regions: &mut Vec<Region>) {
    if regions.len() > MOST {
        regions.sort_by(|a, b| b.area.cmp(&a.area).then(a.label.cmp(&b.label)));
        regions.truncate(MOST);
    }
}

/// Joins what lies one above the other with a small gap: a head, a trunk and legs that the background has between them.
pub(super) fn join_stacked(regions: &mut Vec<Region>, marks: &mut Marks) {
    let mut at = 0;
    while at < regions.len() {
        let Some(other) = (at + 1..regions.len()).find(|&other| stacked(&regions[at], &regions[other]))
        else {
            at += 1;
            continue;
        };
        let second = regions.swap_remove(other);
        marks.rename(&second, regions[at].label);
        regions[at] = regions[at].with(&second);
        at = 0;
    }
}

fn stacked(a: &Region, b: &Region) -> bool {
    let across = a.right.min(b.right).saturating_sub(a.left.max(b.left));
    let gap = a.top.max(b.top).saturating_sub(a.bottom.min(b.bottom));
    let both = a.with(b);
    let narrower = a.width().min(b.width());
    let wider = a.width().max(b.width());
    // Twice how far their middles are apart, across.
    let aside = (a.left + a.right).abs_diff(b.left + b.right);
    let aligned = aside * 2 <= narrower && narrower * 5 >= wider * 2;
    let near = gap * 4 <= both.height() || aligned && gap * 2 <= both.height();
    across * 2 >= narrower && near && both.width() * 4 <= both.height() * 5
}

fn find(parents: &mut [u32], mut at: u32) -> u32 {
    while parents[at as usize] != at {
        parents[at as usize] = parents[parents[at as usize] as usize];
        at = parents[at as usize];
    }
    at
}

fn join(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (find(parents, a), find(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

/// Fills gaps of at most so many pixels between marks of a row.
fn close(row: &mut [u8], gap: usize) {
    let mut last = None;
    for at in 0..row.len() {
        if row[at] == 0 {
            continue;
        }
        if let Some(last) = last.filter(|last| at - last > 1 && at - last <= gap + 1) {
            row[last + 1..at].fill(1);
        }
        last = Some(at);
    }
}

/// The same down columns. `since`: memory.
fn close_down(marks: &mut [u8], stride: usize, gap: usize, since: &mut Vec<u32>) {
    since.clear();
    since.resize(stride, u32::MAX);
    let rows = marks.len() / stride;
    for y in 0..rows {
        for x in 0..stride {
            if marks[y * stride + x] == 0 {
                continue;
            }
            let last = since[x] as usize;
            if since[x] != u32::MAX && y - last > 1 && y - last <= gap + 1 {
                (last + 1..y).for_each(|y| marks[y * stride + x] = 1);
            }
            since[x] = y as u32;
        }
    }
}

vectorised! {
    fn mark(told: &[Told], limit: f32, marks: &mut [u8]) {
        for (told, marks) in told.iter().zip(marks.as_chunks_mut::<LANES>().0) {
            for (mark, off) in marks.iter_mut().zip(&told.off) {
                *mark = u8::from(*off > limit);
            }
        }
    }
}

vectorised! {
    fn sum_across(row: &[u8], sums: &mut [u8]) {
        let width = row.len().min(sums.len());
        if width < 2 {
            sums.copy_from_slice(row);
            return;
        }
        for ((sum, window), _) in sums[1..].iter_mut().zip(row.windows(3)).zip(0..width) {
            *sum = window[0] + window[1] + window[2];
        }
        sums[0] = row[0] + row[1];
        sums[width - 1] = row[width - 2] + row[width - 1];
    }
}

vectorised! {
    fn majority(above: &[u8], here: &[u8], below: &[u8], out: &mut [u8]) {
        for (((out, above), here), below) in out.iter_mut().zip(above).zip(here).zip(below) {
            *out = u8::from(above + here + below >= MAJORITY);
        }
    }
}
