//! When a picture was taken, from the time stamp that the driver put on its buffer.

use std::time::{Duration, Instant};

/// A stamp may lie this far in the future: clocks are read one after the other.
const AHEAD: Duration = Duration::from_millis(5);
/// An older stamp is not believed: drivers keep a handful of buffers.
const OLDEST: Duration = Duration::from_secs(10);

/// The moment at which a picture was taken: `now` less the age of its stamp. `stamp` and `clock` are times of one clock,
/// that of the stamp; where they make no sense together, `now`.
pub(super) fn moment(stamp: Duration, clock: Duration, now: Instant) -> Instant {
    let age = match clock.checked_sub(stamp) {
        Some(age) if age <= OLDEST => age,
        None if stamp - clock <= AHEAD => Duration::ZERO,
        _ => return now,
    };
    now.checked_sub(age).unwrap_or(now)
}

/// A driver's seconds and microseconds; `None` for what is no time, and for zero, which means that there is none.
pub(super) fn stamp(seconds: impl TryInto<u64>, microseconds: impl TryInto<u32>) -> Option<Duration> {
    let micros = microseconds.try_into().ok().filter(|micros| *micros < 1_000_000)?;
    let stamp = Duration::new(seconds.try_into().ok()?, micros * 1000);
    (!stamp.is_zero()).then_some(stamp)
}

/// A clock's seconds and nanoseconds; `None` for what is no time.
pub(super) fn time(seconds: impl TryInto<u64>, nanoseconds: impl TryInto<u32>) -> Option<Duration> {
    let nanos = nanoseconds.try_into().ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds.try_into().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLOCK: Duration = Duration::from_secs(5000);

    #[test]
    fn a_stamp_is_as_old_as_its_clock_says() {
        let now = Instant::now();
        let at = |stamp: Duration| now.saturating_duration_since(moment(stamp, CLOCK, now));
        assert_eq!(at(CLOCK - Duration::from_millis(33)), Duration::from_millis(33));
        assert_eq!(at(CLOCK), Duration::ZERO);
        assert_eq!(at(CLOCK + Duration::from_millis(4)), Duration::ZERO);
    }

    #[test]
    fn stamps_of_another_clock_are_not_believed() {
        let now = Instant::now();
        // The time of day, a copied zero, a wrapped counter.
        for stamp in [
            Duration::from_secs(1_700_000_000),
            Duration::ZERO,
            CLOCK - Duration::from_secs(11),
            Duration::MAX,
        ] {
            assert_eq!(moment(stamp, CLOCK, now), now);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        assert_eq!(stamp(3, 500_000), Some(Duration::from_millis(3500)));
        for (seconds, microseconds) in [(0, 0), (-1, 0), (1, -1), (1, 1_000_000), (i64::MIN, i64::MAX)] {
            assert_eq!(stamp(seconds, microseconds), None);
        }
    }

    proptest! {
        #[test]
        fn no_stamp_panics_or_lies_in_the_future(seconds in any::<i64>(), micros in any::<i64>(), clock in any::<u64>()) {
            let now = Instant::now();
            if let Some(stamp) = stamp(seconds, micros) {
                prop_assert!(moment(stamp, Duration::from_micros(clock), now) <= now);
            }
        }
    }
}
