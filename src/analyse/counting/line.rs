//! One line: who crossed it, when, where and which way.
//!
//! An object's way from one frame in which it was seen to the next is a straight piece; where that meets the line it has
//! crossed, and time and point are interpolated. A crossing counts once the object is past the line and has stayed there for as
//! long as is asked for; until then, coming back takes the crossing back. Past the line it is when its box, which is found a
//! little differently in each frame, cannot be back by chance: beyond what it trembles (`tremble`), or beyond the band, whichever
//! is less, or after a while on the other side. So a box that trembles on the line is not counted, one that moves to and fro is,
//! and beyond the line's ends nothing is.

use super::plane::{Spot, meet, side};
use super::tremble::Tremble;

/// A box whose place has no larger standard deviation than this share of its height is past the line as soon as it has crossed.
const SURE: f32 = 0.012;
/// One with a larger one is past it by so many times what is above that.
const TREMBLES: f32 = 10.0;
/// After so many seconds beyond the line an object is past it, wherever it is.
const PATIENCE: f64 = 0.5;

/// A line in pixels.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Two points or more.
    pub(super) points: Vec<(f32, f32)>,
    /// As a share of the box's height.
    pub(super) band: f32,
    /// In seconds.
    pub(super) stay: f64,
}

/// What one object has done at one line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct AtLine {
    last: Option<Spot>,
    pending: Option<(Crossing, usize)>,
    tremble: Tremble,
}

/// A crossing of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossing {
    /// To the right-hand side of the line's way.
    pub(super) inwards: bool,
    /// Source time in seconds, between two frames.
    pub(super) time: f64,
    /// In pixels.
    pub(super) point: (f32, f32),
}

impl Line {
    /// Takes in where an object is seen now; gives the crossing that is certain now.
    pub(super) fn step(&self, state: &mut AtLine, spot: Spot) -> Option<Crossing> {
        state.tremble.take(spot);
        let before = state.last.replace(spot)?;
        let mut counted = None;
        for (crossing, segment) in self.crossings(&before, &spot) {
            state.pending = match state.pending {
                Some((last, _)) if last.inwards != crossing.inwards => None,
                _ => Some((crossing, segment)),
            };
        }
        if let Some((crossing, segment)) = state.pending {
            let waited = spot.time - crossing.time;
            let far = self.is_past(state, segment, crossing.inwards, &spot);
            if far && waited >= self.stay || waited >= self.stay + PATIENCE {
                state.pending = None;
                counted = Some(crossing);
            }
        }
        counted
    }

    /// The crossing that was not certain yet, of an object that is not seen any more.
    pub(super) fn end(state: &mut AtLine) -> Option<Crossing> {
        state.pending.take().map(|(crossing, _)| crossing)
    }

    /// Where the straight way from one spot to another meets the line, in the order of that way, with the segments.
    fn crossings(&self, from: &Spot, to: &Spot) -> Vec<(Crossing, usize)> {
        let mut found = Vec::new();
        let segments = self.points.iter().zip(self.points.iter().skip(1));
        for (index, (&a, &b)) in segments.enumerate() {
            if let Some(meeting) = meet(from.point, to.point, a, b) {
                let time = from.time + f64::from(meeting.share) * (to.time - from.time);
                let crossing = Crossing { inwards: meeting.to_the_right, time, point: meeting.point };
                found.push((meeting.share, crossing, index));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.into_iter().map(|(_, crossing, index)| (crossing, index)).collect()
    }

    /// Whether an object lies so far beyond a segment that its box cannot be back in the next frame by chance alone.
    fn is_past(&self, state: &AtLine, segment: usize, inwards: bool, spot: &Spot) -> bool {
        let (Some(&a), Some(&b)) = (self.points.get(segment), self.points.get(segment + 1)) else {
            return true;
        };
        let (along, up) = (b.0 - a.0, b.1 - a.1);
        let length = along.hypot(up).max(f32::MIN_POSITIVE);
        let right = side(a, b, spot.point) / length;
        let depth = if inwards { right } else { -right };
        let tremble = state.tremble.along((-up / length, along / length), spot.height);
        let margin = TREMBLES * (tremble - SURE * spot.height).max(0.0);
        depth >= margin.min(self.band * spot.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the left to the right: down is in.
    fn line() -> Line {
        Line { points: vec![(10.0, 50.0), (90.0, 50.0)], band: 0.1, stay: 0.0 }
    }

    /// What is counted of a way that takes a tenth of a second from point to point, of a box of 100 pixels.
    fn counted(line: &Line, way: &[(f32, f32)]) -> Vec<Crossing> {
        let mut state = AtLine::default();
        let spots = way.iter().enumerate();
        let spots = spots.map(|(index, &point)| Spot { point, height: 100.0, time: index as f64 / 10.0 });
        spots.filter_map(|spot| line.step(&mut state, spot)).collect()
    }

    #[test]
    fn time_and_point_lie_between_the_frames() {
        let found = counted(&line(), &[(40.0, 30.0), (44.0, 70.0)]);
        let [crossing] = found.as_slice() else { panic!("{found:?}") };
        assert!(crossing.inwards && (crossing.time - 0.05).abs() < 1e-6, "{crossing:?}");
        assert!((crossing.point.0 - 42.0).abs() < 1e-3 && (crossing.point.1 - 50.0).abs() < 1e-3);
        let back = counted(&line(), &[(40.0, 70.0), (40.0, 30.0)]);
        assert!(back.len() == 1 && !back[0].inwards);
    }

    #[test]
    fn each_way_counts_again_and_again_and_a_tremble_never() {
        let ys = |ys: &[f32]| ys.iter().map(|&y| (50.0, y)).collect::<Vec<_>>();
        let ways = |found: Vec<Crossing>| found.iter().map(|crossing| crossing.inwards).collect::<Vec<_>>();
        assert_eq!(ways(counted(&line(), &ys(&[30.0, 70.0, 30.0, 70.0]))), [true, false, true]);
        let tremble: Vec<f32> = (0..50).map(|i| if i % 2 == 0 { 42.0 } else { 58.0 }).collect();
        assert!(ways(counted(&line(), &ys(&tremble))).is_empty());
        // In the end it goes on.
        assert_eq!(ways(counted(&line(), &ys(&[&tremble[..], &[58.0, 61.0]].concat()))), [true]);
        // Within the band it counts once it has stayed.
        assert_eq!(ways(counted(&line(), &ys(&[&[30.0], &[55.0; 12][..]].concat()))), [true]);
    }

    #[test]
    fn beyond_its_ends_a_line_is_not_crossed() {
        for x in [0.0, 9.0, 91.0, 500.0] {
            assert_eq!(counted(&line(), &[(x, 30.0), (x, 70.0)]), []);
        }
        // Around an end and back over the line.
        let found = counted(&line(), &[(0.0, 30.0), (0.0, 70.0), (50.0, 70.0), (50.0, 30.0)]);
        assert!(found.len() == 1 && !found[0].inwards);
    }

    #[test]
    fn a_bend_is_crossed_once_also_at_its_corner() {
        let bent = Line { points: vec![(10.0, 50.0), (50.0, 50.0), (90.0, 10.0)], ..line() };
        for x in [30.0, 50.0, 50.001, 70.0] {
            let found = counted(&bent, &[(x, 0.0), (x, 90.0)]);
            assert!(found.len() == 1 && found[0].inwards, "{x}: {found:?}");
        }
    }

    #[test]
    fn it_has_to_stay_as_long_as_is_asked_for() {
        let line = Line { stay: 0.35, ..line() };
        let way = |count: usize| {
            let mut way = vec![(50.0, 40.0)];
            way.extend(std::iter::repeat_n((50.0, 70.0), count));
            way
        };
        assert_eq!(counted(&line, &way(3)), []);
        assert_eq!(counted(&line, &way(5)).len(), 1);
        let mut state = AtLine::default();
        for (index, point) in way(2).into_iter().enumerate() {
            line.step(&mut state, Spot { point, height: 100.0, time: index as f64 / 10.0 });
        }
        assert!(Line::end(&mut state).is_some() && Line::end(&mut state).is_none());
    }
}
