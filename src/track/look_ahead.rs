//! Results that are held back for a moment, so that they can still be corrected.

use std::collections::VecDeque;

use crate::scene::Swap;

/// Holds results back for a time of the source, and corrects those held when the tracker finds out that two tracks were
/// taken for one another: files then have the right ids from the moment at which the two parted.
///
/// ```
/// use trailsight::scene::Scene;
/// use trailsight::track::LookAhead;
///
/// let mut held = LookAhead::new(0.5);
/// let mut written = 0;
/// for frame in 0..30 {
///     let scene = Scene { sequence: frame, time: frame as f64 / 10.0, ..Scene::default() };
///     let swaps = scene.swaps.clone();
///     held.push(scene.time, scene, &swaps, Scene::correct);
///     written += std::iter::from_fn(|| held.pop()).count();
/// }
/// assert_eq!((written, std::iter::from_fn(|| held.pop_rest()).count()), (24, 6));
/// ```
#[derive(Debug)]
pub struct LookAhead<T> {
    seconds: f64,
    most: usize,
    held: VecDeque<(f64, T)>,
}

/// The most results that are held, however fast the source.
const MOST: usize = 240;

impl<T> LookAhead<T> {
    /// Holds nothing yet. `seconds`: for how long, in seconds of the source; 0: nothing is ever held.
    pub fn new(seconds: f64) -> Self {
        Self { seconds: if seconds > 0.0 { seconds } else { -1.0 }, most: MOST, held: VecDeque::new() }
    }

    /// The same, but that no more than `most` results are held, or one.
    pub fn at_most(self, most: usize) -> Self {
        Self { most: most.clamp(1, MOST), ..self }
    }

    /// Takes in the result of the frame at `time`, whose ids are right, and has `correct` correct those before it.
    pub fn push(&mut self, time: f64, result: T, swaps: &[Swap], correct: impl Fn(&mut T, &Swap)) {
        for swap in swaps {
            self.held.iter_mut().for_each(|(_, held)| correct(held, swap));
        }
        self.held.push_back((time, result));
    }

    /// The oldest result, once it has been held for long enough.
    pub fn pop(&mut self) -> Option<T> {
        let (oldest, newest) = (self.held.front()?.0, self.held.back()?.0);
        // Of a clock that goes back nothing is known.
        let within =
            (oldest..=oldest + self.seconds + 1e-9).contains(&newest) && self.held.len() <= self.most;
        if within { None } else { self.pop_rest() }
    }

    /// The oldest result, held for long enough or not: for the end of a run.
    pub fn pop_rest(&mut self) -> Option<T> {
        self.held.pop_front().map(|(_, result)| result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_corrected_and_what_is_out_is_not() {
        let mut held = LookAhead::new(0.25);
        let mut out = Vec::new();
        let swap = Swap { from: 1, to: 2, since: 0.15 };
        for frame in 0..6 {
            let time = f64::from(frame) / 10.0;
            let swaps = if frame == 4 { vec![swap] } else { Vec::new() };
            let id = if frame < 4 { 1u64 } else { 2 };
            held.push(time, (time, id), &swaps, |(time, id), swap| {
                if *time > swap.since {
                    *id = swap.rename(*id);
                }
            });
            out.extend(std::iter::from_fn(|| held.pop()));
        }
        assert_eq!(out.len(), 3);
        out.extend(std::iter::from_fn(|| held.pop_rest()));
        assert_eq!(out.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [1, 1, 2, 2, 2, 2]);
    }

    #[test]
    fn without_a_time_nothing_is_held() {
        let mut held = LookAhead::new(0.0);
        held.push(3.0, 7, &[], |_, _| {});
        assert_eq!((held.pop(), held.pop()), (Some(7), None));
    }

    #[test]
    fn a_clock_that_goes_back_holds_nothing_up() {
        let mut held = LookAhead::new(0.5);
        held.push(10.0, 'a', &[], |_, _| {});
        assert_eq!(held.pop(), None);
        held.push(2.0, 'b', &[], |_, _| {});
        assert_eq!((held.pop(), held.pop()), (Some('a'), None));
    }
}
