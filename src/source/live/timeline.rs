//! One continuous source time for a live source, through stalls, interruptions and restarts of the source's clock.
//!
//! A camera uses the machine's clock. A stream has time stamps of its own. They are steadier than the moments at which
//! pictures arrive, but do not show a gap: a server that comes back starts from zero, and one that was frozen continues
//! where it was. So the stamps give the time from one picture to the next, and the machine's clock corrects them where
//! the two drift apart.

use std::time::{Duration, Instant};

use crate::frame::Frame;

/// Stamps that are this far (seconds) behind the machine's clock hide a gap.
const ASTRAY: f64 = 1.0;
/// Stamps get at most this far (seconds) ahead of the machine's clock: delayed pictures come in a burst.
const LEAD: f64 = 0.25;
/// The share of the difference between the two clocks that each picture corrects.
const CORRECTION: f64 = 0.002;

/// The last place on the timeline.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// Source time and moment of the line's first picture.
    begin: Option<(f64, Instant)>,
    /// Time and number of the last one.
    last: Option<(f64, u64)>,
    /// Added to the stamps, and to the numbers, of the connection that is open.
    offset: f64,
    first: Option<(u64, u64)>,
}

impl Timeline {
    /// Whether no picture has been placed yet.
    pub(super) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// The source was reopened: its stamps and numbers begin again.
    pub(super) fn begin_again(&mut self) {
        self.first = None;
    }

    /// Places a picture of the source on the timeline: times never go back, numbers grow.
    pub(super) fn place(&mut self, frame: &mut Frame) {
        let stamp = if frame.time.is_finite() { frame.time } else { 0.0 };
        let (begin_time, begin) = *self.begin.get_or_insert((stamp, frame.captured));
        let wall = begin_time + seconds_since(begin, frame.captured);
        let (inner, outer) = *self.first.get_or_insert_with(|| {
            let next = self.last.map_or(frame.sequence, |(_, number)| number.saturating_add(1));
            self.offset = if self.last.is_some() { wall - stamp } else { 0.0 };
            (frame.sequence, next)
        });
        let away = wall - (stamp + self.offset);
        self.offset += match away {
            _ if away > ASTRAY => away,
            _ if away < -LEAD => away + LEAD,
            _ => away * CORRECTION,
        };
        let time = stamp + self.offset;
        frame.time = self.last.map_or(time, |(last, _)| time.max(last));
        frame.sequence = outer.saturating_add(frame.sequence.saturating_sub(inner));
        if let Some((_, number)) = self.last {
            frame.sequence = frame.sequence.max(number.saturating_add(1));
        }
        self.last = Some((frame.time, frame.sequence));
    }
}

/// Seconds from `begin` to `moment`; 0 where that is earlier.
fn seconds_since(begin: Instant, moment: Instant) -> f64 {
    moment.checked_duration_since(begin).unwrap_or(Duration::ZERO).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::frame::Picture;

    fn frame(sequence: u64, time: f64, captured: Instant) -> Frame {
        let picture = Arc::new(Picture::filled(1, 1, [0; 3]).unwrap());
        Frame { picture, sequence, time, captured, file: None }
    }

    /// Places pictures given as (number, stamp, moment in seconds); a new connection where the number is 0 again.
    fn placed(pictures: &[(u64, f64, f64)]) -> Vec<(u64, f64)> {
        let (mut line, start) = (Timeline::default(), Instant::now());
        let mut out = Vec::new();
        for (i, &(number, stamp, moment)) in pictures.iter().enumerate() {
            if i > 0 && number == 0 {
                line.begin_again();
            }
            let mut frame = frame(number, stamp, start + Duration::from_secs_f64(moment));
            line.place(&mut frame);
            out.push((frame.sequence, (frame.time * 100.0).round() / 100.0));
        }
        out
    }

    #[test]
    fn stamps_count_while_they_keep_pace_with_the_wall() {
        // Pictures arrive unevenly; their stamps are even.
        let out = placed(&[(0, 5.0, 0.0), (1, 5.04, 0.09), (2, 5.08, 0.1), (3, 5.12, 0.12)]);
        assert_eq!(out, [(0, 5.0), (1, 5.04), (2, 5.08), (3, 5.12)]);
    }

    #[test]
    fn a_new_connection_goes_on_after_the_gap_that_there_was() {
        let out = placed(&[(0, 5.0, 0.0), (7, 5.28, 0.28), (0, 0.0, 3.28), (1, 0.04, 3.32)]);
        assert_eq!(out, [(0, 5.0), (7, 5.28), (8, 8.28), (9, 8.32)]);
    }

    #[test]
    fn a_server_that_was_frozen_does_not_hide_the_gap() {
        // The stamps go on where they were, four seconds later; what was held back then comes in a burst.
        let out = placed(&[(0, 0.0, 0.0), (1, 0.04, 0.04), (2, 0.08, 4.08), (3, 0.12, 4.09)]);
        assert_eq!(out, [(0, 0.0), (1, 0.04), (2, 4.08), (3, 4.12)]);
    }

    #[test]
    fn a_burst_does_not_make_time_stand_still_afterwards() {
        // Four seconds of pictures that were held back come within a tenth of a second, the next ones in time.
        let (mut line, start) = (Timeline::default(), Instant::now());
        let (mut last, mut number) = (-1.0, 0_u32);
        for (pictures, pace) in [(25, 0.04), (100, 0.001), (100, 0.04)] {
            for _ in 0..pictures {
                let arrived = match number {
                    0..25 => f64::from(number) * 0.04,
                    25..125 => 5.0 + f64::from(number - 25) * pace,
                    _ => 5.1 + f64::from(number - 125) * pace,
                };
                let stamp = f64::from(number) * 0.04;
                let mut frame = frame(u64::from(number), stamp, start + Duration::from_secs_f64(arrived));
                line.place(&mut frame);
                assert!(frame.time > last, "picture {number}: {} after {last}", frame.time);
                assert!((frame.time - arrived).abs() <= ASTRAY, "picture {number}");
                last = frame.time;
                number += 1;
            }
        }
        assert!(last - (5.1 + 99.0 * 0.04) < LEAD + 0.01);
    }

    #[test]
    fn a_slow_clock_is_followed_without_a_jump() {
        // A stream that runs a thousandth too slow, for an hour at 25 pictures a second.
        let (mut line, start) = (Timeline::default(), Instant::now());
        let mut last = 0.0;
        for number in 0..90_000_u64 {
            let moment = number as f64 / 25.0;
            let mut frame = frame(number, moment * 0.999, start + Duration::from_secs_f64(moment));
            line.place(&mut frame);
            assert!(frame.time - last < 0.05, "no jump: {} after {last}", frame.time);
            last = frame.time;
            assert!((last - moment).abs() < 0.1, "it keeps up: {last} at {moment}");
        }
    }

    proptest! {
        #[test]
        fn times_never_go_back_and_numbers_grow(
            pictures in proptest::collection::vec((any::<u64>(), any::<f64>(), 0.0..1e9_f64, any::<bool>()), 1..60),
        ) {
            let (mut line, start) = (Timeline::default(), Instant::now());
            let mut last: Option<(u64, f64)> = None;
            for (number, stamp, moment, again) in pictures {
                if again {
                    line.begin_again();
                }
                // Numbers near the end of their range are not met in any life.
                let mut frame = frame(number >> 8, stamp, start + Duration::from_secs_f64(moment));
                line.place(&mut frame);
                prop_assert!(frame.time.is_finite());
                if let Some((number, time)) = last {
                    prop_assert!(frame.time >= time && frame.sequence > number);
                }
                last = Some((frame.sequence, frame.time));
            }
        }
    }
}
