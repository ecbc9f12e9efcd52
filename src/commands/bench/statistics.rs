//! Many times in, a few numbers out.

use std::time::Duration;

/// How long something took, each time that it was done.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Vec<Duration>);

impl Samples {
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// `None` where nothing was measured.
    pub(super) fn summary(&self) -> Option<Summary> {
        let mut sorted: Vec<f64> = self.0.iter().map(|time| milliseconds(*time)).collect();
        sorted.sort_by(f64::total_cmp);
        Some(Summary {
            count: sorted.len(),
            median: percentile(&sorted, 0.5)?,
            p95: percentile(&sorted, 0.95)?,
            p99: percentile(&sorted, 0.99)?,
        })
    }
}

impl Extend<Duration> for Samples {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, times: T) {
        self.0.extend(times);
    }
}

/// What is told of many times, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    /// How many there were.
    pub(super) count: usize,
    pub(super) median: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The value below which this share of the sorted values lies, between two of them in proportion; `None` of nothing.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let below = sorted.get(place.floor() as usize)?;
    let above = sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn summary(times: &[u64]) -> Option<Summary> {
        let mut samples = Samples::default();
        samples.extend(times.iter().map(|time| Duration::from_millis(*time)));
        samples.summary()
    }

    #[test]
    fn known_values() {
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[7]), Some(Summary { count: 1, median: 7.0, p95: 7.0, p99: 7.0 }));
        assert_eq!(summary(&[4, 1]).unwrap().median, 2.5);
        let hundred_and_one: Vec<u64> = (0..=100).rev().collect();
        assert_eq!(
            summary(&hundred_and_one),
            Some(Summary { count: 101, median: 50.0, p95: 95.0, p99: 99.0 })
        );
    }

    proptest! {
        #[test]
        fn they_rise_and_stay_within_the_values(times in prop::collection::vec(0u64..100_000, 1..200)) {
            let Summary { count, median, p95, p99 } = summary(&times).unwrap();
            let (least, most) = (*times.iter().min().unwrap() as f64, *times.iter().max().unwrap() as f64);
            prop_assert_eq!(count, times.len());
            prop_assert!(least <= median + 1e-9 && median <= p95 && p95 <= p99 && p99 <= most + 1e-9);
            let not_above = times.iter().filter(|time| **time as f64 <= median + 1e-9).count();
            prop_assert!(2 * not_above >= times.len());
        }
    }
}
