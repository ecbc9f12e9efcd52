//! When a picture was taken, from the time stamp that the driver put on its buffer.

use std::time::Duration;

/// A stamp may lie this far in the future: some drivers stamp when a picture is due, and it comes a little early.
const AHEAD: Duration = Duration::from_millis(100);
/// An older stamp is not believed: drivers keep a handful of buffers.
const OLDEST: Duration = Duration::from_secs(10);

/// How long ago a picture was taken. `stamp` and `clock`, which was read just now, are times of one clock; `None` where
/// they make no sense together.
pub(super) fn age(stamp: Duration, clock: Duration) -> Option<Duration> {
    match clock.checked_sub(stamp) {
        Some(age) => (age <= OLDEST).then_some(age),
        None => (stamp - clock <= AHEAD).then_some(Duration::ZERO),
    }
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
        let frame = Duration::from_millis(33);
        assert_eq!(age(CLOCK - frame, CLOCK), Some(frame));
        assert_eq!(age(CLOCK, CLOCK), Some(Duration::ZERO));
        assert_eq!(age(CLOCK + Duration::from_millis(40), CLOCK), Some(Duration::ZERO));
    }

    #[test]
    fn stamps_of_another_clock_are_not_believed() {
        // The time of day, a copied zero, a wrapped counter.
        for stamp in [
            Duration::from_secs(1_700_000_000),
            Duration::ZERO,
            CLOCK - Duration::from_secs(11),
            Duration::MAX,
        ] {
            assert_eq!(age(stamp, CLOCK), None);
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
        fn no_stamp_panics_or_is_older_than_is_believed(seconds in any::<i64>(), micros in any::<i64>(), clock in any::<u64>()) {
            if let Some(stamp) = stamp(seconds, micros) {
                prop_assert!(age(stamp, Duration::from_micros(clock)).is_none_or(|age| age <= OLDEST));
            }
        }
    }
}
