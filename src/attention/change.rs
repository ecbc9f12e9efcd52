//! Which blocks of a picture have changed since another one, by more than noise, light and habit account for.

use super::blocks::Blocks;
use crate::geometry::Rect;

/// A block that changes by less than this, in grey levels, has not.
const LEAST: f32 = 3.0;
/// A block has to change by so many standard deviations of what the calm half of the picture does.
const DEVIATIONS: f32 = 6.0;
/// And, where no object is known, by so many times what it usually does.
const UNUSUAL: f32 = 6.0;
/// One block that changes so many times more than that needs no neighbour which changes, too.
const CLEAR: f32 = 3.0;
/// A picture that changes by more than this as a whole, in grey levels, shows something else.
const LIGHT: f32 = 12.0;
/// Rows change by up to so many grey levels with the flicker of lamps.
const FLICKER: f32 = 10.0;
/// What all blocks have in common is told from one in so many, if there are enough.
const SAMPLE: usize = 3;
/// Of fewer blocks no common change is told.
const LEAST_BLOCKS: usize = 16;
/// How much a block usually changes is forgotten over about so many seconds.
const HABIT_SECONDS: f64 = 10.0;
/// The share by which a look that finds nothing where a block has changed moves what is usual there.
const HABIT_SHARE: f32 = 0.01;

/// Compares pictures with the one that was looked at last.
#[derive(Debug, Default)]
pub(super) struct Change {
    picture: (usize, usize),
    size: (usize, usize),
    /// The means of the picture looked at last.
    reference: Vec<f32>,
    /// What is left of the change of each block.
    left: Vec<f32>,
    /// By how much a block changes with noise at the most.
    noise: f32,
    /// The blocks that have changed by more than that, and than is usual.
    changed: Vec<bool>,
    /// By how much each block usually changes.
    usual: Vec<f32>,
    /// Blocks under an object.
    objects: Vec<bool>,
    scratch: Vec<f32>,
}

impl Change {
    /// Whether there is a picture of the same size to compare with.
    pub(super) fn fits(&self, now: &Blocks) -> bool {
        self.picture == now.picture() && !self.reference.is_empty()
    }

    /// Later pictures are compared with this one.
    pub(super) fn compare_with(&mut self, now: &Blocks) {
        if !self.fits(now) {
            let blocks = now.means().len();
            (self.picture, self.size) = (now.picture(), now.size());
            for list in [&mut self.left, &mut self.usual] {
                list.clear();
                list.resize(blocks, 0.0);
            }
            for list in [&mut self.changed, &mut self.objects] {
                list.clear();
                list.resize(blocks, false);
            }
        }
        self.reference.clear();
        self.reference.extend_from_slice(now.means());
    }

    /// Whether something has moved, where `counts`; `passed`: seconds since the picture before.
    pub(super) fn find(&mut self, now: &Blocks, counts: Option<&[bool]>, passed: f64) -> bool {
        if now.means().len() < LEAST_BLOCKS {
            return true;
        }
        let light = Light::between(&self.reference, now.means(), &mut self.scratch);
        if light.dark.abs().max(light.bright.abs()) > LIGHT {
            return true;
        }
        let pairs = now.means().iter().zip(&self.reference);
        self.left.iter_mut().zip(pairs).for_each(|(left, (now, then))| *left = now - then - light.at(*then));
        self.take_out_flicker();
        self.scratch.clear();
        self.scratch.extend(self.left.iter().step_by(sample(self.left.len())).map(|left| left.abs()));
        // Of Gaussian noise, half lies within 0.674 standard deviations.
        let noise = middle(&mut self.scratch) / 0.674;
        self.noise = LEAST.max(DEVIATIONS * noise);
        self.mark(counts, (passed / HABIT_SECONDS).clamp(0.0, 1.0) as f32)
    }

    /// Marks the blocks that have changed by more than noise and habit, and whether something has moved there; what is usual
    /// is forgotten where nothing has.
    fn mark(&mut self, counts: Option<&[bool]>, forgets: f32) -> bool {
        let ((columns, rows), noise) = (self.size, self.noise);
        let mut clear = false;
        for (at, changed) in self.changed.iter_mut().enumerate() {
            let left = self.left[at].abs();
            let habit = if self.objects[at] { 0.0 } else { UNUSUAL * self.usual[at] };
            let bound = noise.max(habit);
            *changed = left > bound && counts.is_none_or(|counts| counts[at]);
            clear |= *changed && left > CLEAR * bound;
            if left <= noise {
                self.usual[at] += forgets * (left - self.usual[at]);
            }
        }
        if clear {
            return true;
        }
        // A neighbour to the right, or one of three below.
        (0..rows).any(|y| {
            (0..columns).any(|x| {
                let is = |x: usize, y: usize| x < columns && y < rows && self.changed[y * columns + x];
                is(x, y) && (is(x + 1, y) || is(x, y + 1) || is(x + 1, y + 1) || x > 0 && is(x - 1, y + 1))
            })
        })
    }

    /// Lamps on alternating current make bands across the picture of a camera that reads row by row.
    fn take_out_flicker(&mut self) {
        let (columns, _) = self.size;
        if columns < LEAST_BLOCKS {
            return;
        }
        for row in self.left.chunks_exact_mut(columns) {
            self.scratch.clear();
            self.scratch.extend_from_slice(row);
            let common = middle(&mut self.scratch);
            if common.abs() <= FLICKER {
                row.iter_mut().for_each(|left| *left -= common);
            }
        }
    }

    /// What was found in the picture that was compared last: `boxes` in pixels, `block`: the side of a block. Where blocks
    /// have changed beside them, such a change becomes usual.
    pub(super) fn learn(&mut self, boxes: impl Iterator<Item = Rect>, block: f32) {
        let (columns, rows) = self.size;
        self.objects.fill(false);
        for rect in boxes.filter(Rect::is_sound) {
            // The blocks around it, too: what moves there is its edge, or its shadow.
            let from = |side: f32| (side / block - 1.0).max(0.0) as usize;
            let to = |side: f32, most: usize| ((side / block).max(0.0) as usize).saturating_add(2).min(most);
            let (left, right) = (from(rect.left), to(rect.right(), columns));
            for y in from(rect.top)..to(rect.bottom(), rows) {
                if let Some(row) = self.objects.get_mut(y * columns + left.min(right)..y * columns + right) {
                    row.fill(true);
                }
            }
        }
        let (lefts, usuals) = (&self.left, &mut self.usual);
        for (at, usual) in usuals.iter_mut().enumerate() {
            let left = lefts[at].abs();
            if left > self.noise && !self.objects[at] {
                *usual += HABIT_SHARE * (left - *usual);
            }
        }
    }
}

/// How a picture as a whole became brighter or darker: by so much where it is dark and where it is bright, in grey levels.
#[derive(Debug, Clone, Copy)]
struct Light {
    dark: f32,
    bright: f32,
    /// The mean levels of the dark and of the bright part.
    levels: (f32, f32),
}

impl Light {
    /// The middle change of what was darker than the mean, and of what was brighter.
    fn between(then: &[f32], now: &[f32], scratch: &mut Vec<f32>) -> Self {
        let mean = then.iter().sum::<f32>() / then.len().max(1) as f32;
        let step = sample(then.len());
        let mut part = |is_in: &dyn Fn(f32) -> bool| {
            scratch.clear();
            let mut sum = 0.0;
            for (now, then) in now.iter().zip(then).step_by(step).filter(|(_, then)| is_in(**then)) {
                scratch.push(now - then);
                sum += then;
            }
            let count = scratch.len();
            (count >= LEAST_BLOCKS / 2).then(|| (middle(scratch), sum / count as f32))
        };
        let (dark, bright) = (part(&|level| level <= mean), part(&|level| level > mean));
        let ((dark, low), (bright, high)) = match (dark, bright) {
            (Some(dark), Some(bright)) => (dark, bright),
            (one, other) => {
                let all = one.or(other).unwrap_or_default();
                (all, all)
            }
        };
        Self { dark, bright, levels: (low, high) }
    }

    /// The change at a level.
    fn at(&self, level: f32) -> f32 {
        let (low, high) = self.levels;
        if high - low < 1.0 {
            return (self.dark + self.bright) / 2.0;
        }
        // Not beyond what was seen: clipped levels do not change.
        let share = ((level - low) / (high - low)).clamp(-0.5, 1.5);
        self.dark + share * (self.bright - self.dark)
    }
}

/// One of how many of so many blocks is enough.
fn sample(blocks: usize) -> usize {
    if blocks < 1_000 { 1 } else { SAMPLE }
}

/// The middle one by size; 0 of none. Changes the order.
fn middle(values: &mut [f32]) -> f32 {
    let at = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(at, f32::total_cmp).1 }
}
