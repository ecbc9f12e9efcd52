//! How things stand at one moment: what was counted at lines and in zones, which [`Counting`](crate::analyse::Counting) tells,
//! the overlay draws and `--counts` writes; and the state of each rule.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::detection::ClassId;
use crate::event::Event;
use crate::labels::Labels;

/// The upper ends of the bins of [`Dwell::visits_by_length`] in seconds; the last bin has no end.
pub const DWELL_BINS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// How many events [`Counts::recent`] holds.
pub const RECENT: usize = 6;

/// A point in pixels of the source: `[x, y]`, x to the right, y down, the corner of the first pixel at `[0, 0]`.
pub type Point = [f32; 2];

/// What was counted so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Source time of the newest frame that is in it, in seconds.
    pub time: f64,
    /// For how long was counted, in seconds of source time.
    pub seconds: f64,
    /// The lines, as they are listed in the settings.
    pub lines: Vec<LineCounts>,
    /// The zones, as they are listed in the settings.
    pub zones: Vec<ZoneCounts>,
    /// How many went from one zone to another: a row for each zone left, a column for each zone entered next, both as in
    /// `zones`. The diagonal holds those who came back without having been in another zone.
    pub flows: Vec<Vec<u64>>,
    /// Who is in which zone now, by zone and id.
    pub inside: Vec<Inside>,
    /// The newest events, the oldest first; at most [`RECENT`].
    pub recent: VecDeque<Event>,
}

/// An object in a zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inside {
    /// The id of its track.
    pub track: u64,
    /// The zone's number in [`Counts::zones`], from 0.
    pub zone: usize,
    /// Since when it has been in it, in seconds of source time.
    pub since: f64,
}

/// A rule and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleState {
    /// Its name.
    pub name: Arc<str>,
    /// How many of its events are under way: have started and not ended.
    pub active: usize,
    /// Source time in seconds at which the oldest of these started.
    pub since: Option<f64>,
    /// How many of its events have started so far.
    pub started: u64,
}

/// How many of one class went each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BothWays {
    /// In: over a line to the right-hand side of its way, or into a zone.
    pub inwards: u64,
    /// Out: over a line to its left-hand side, or out of a zone.
    pub outwards: u64,
}

/// Numbers by class, by rising class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByClass(Vec<(ClassId, BothWays)>);

impl ByClass {
    /// Counts one.
    pub fn add(&mut self, class: ClassId, inwards: bool) {
        let index = match self.0.binary_search_by_key(&class, |(known, _)| *known) {
            Ok(index) => index,
            Err(index) => {
                self.0.insert(index, (class, BothWays::default()));
                index
            }
        };
        if let Some((_, ways)) = self.0.get_mut(index) {
            let way = if inwards { &mut ways.inwards } else { &mut ways.outwards };
            *way += 1;
        }
    }

    /// Each class that was counted, with its numbers.
    pub fn iter(&self) -> impl Iterator<Item = (ClassId, BothWays)> {
        self.0.iter().copied()
    }

    /// The numbers by the names of the classes; classes of one name, as a model may have them, are one.
    pub fn by_name(&self, labels: &Labels) -> BTreeMap<String, BothWays> {
        let mut named = BTreeMap::<String, BothWays>::new();
        for (class, ways) in self.iter() {
            let sum = named.entry(labels.name(class).into_owned()).or_default();
            *sum = BothWays { inwards: sum.inwards + ways.inwards, outwards: sum.outwards + ways.outwards };
        }
        named
    }

    /// The sum over all classes.
    pub fn total(&self) -> BothWays {
        self.0.iter().fold(BothWays::default(), |sum, (_, ways)| BothWays {
            inwards: sum.inwards + ways.inwards,
            outwards: sum.outwards + ways.outwards,
        })
    }
}

/// A line and what crossed it.
#[derive(Debug, Clone, PartialEq)]
pub struct LineCounts {
    /// Its name.
    pub name: Arc<str>,
    /// Where it lies in the newest picture, from its first point to its last.
    pub points: Vec<Point>,
    /// How many crossed it.
    pub crossed: ByClass,
    /// How fast they were, where the ground is known.
    pub speeds: Speeds,
}

/// How fast objects were on the ground.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Speeds {
    measured: u64,
    sum: f64,
    /// How many by tenths of a metre a second; the last: all that were faster. Shared by clones until one changes.
    tenths: Arc<Vec<u32>>,
}

impl Speeds {
    /// 100 m/s.
    const TENTHS: usize = 1000;

    /// Counts one with this speed in metres a second.
    pub fn add(&mut self, speed: f64) {
        self.measured += 1;
        self.sum += speed;
        let tenths = Arc::make_mut(&mut self.tenths);
        tenths.resize(Self::TENTHS + 1, 0);
        // What is below zero, or no number, becomes zero.
        if let Some(count) = tenths.get_mut(((speed * 10.0) as usize).min(Self::TENTHS)) {
            *count += 1;
        }
    }

    /// How many were measured.
    pub fn measured(&self) -> u64 {
        self.measured
    }

    /// The mean speed in metres a second; `None` where none was measured.
    pub fn mean(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.sum / self.measured as f64)
    }

    /// The speed in metres a second that this share of them did not exceed, to a tenth; `None` where none was measured.
    pub fn percentile(&self, share: f64) -> Option<f64> {
        let wanted = share * self.measured as f64;
        let mut passed = 0.0;
        self.tenths.iter().enumerate().filter(|(_, count)| **count > 0).find_map(|(tenth, count)| {
            let before = passed;
            passed += f64::from(*count);
            // Evenly spread within the tenth.
            (passed >= wanted).then(|| (tenth as f64 + (wanted - before) / f64::from(*count)) / 10.0)
        })
    }
}

/// A zone and what was in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneCounts {
    /// Its name.
    pub name: Arc<str>,
    /// Where its corners lie in the newest picture.
    pub corners: Vec<Point>,
    /// How many are in it now.
    pub occupancy: usize,
    /// The most that were in it at once.
    pub most: usize,
    /// The sum over all objects of the seconds that they were in it, those in it now included: divided by
    /// [`ZoneCounts::seconds`], the mean occupancy.
    pub presence: f64,
    /// For how long was counted in it, in seconds of source time: less than [`Counts::seconds`] where it came later.
    pub seconds: f64,
    /// How many came in, those who were there when they were first seen included, and how many went out, those who were
    /// last seen in it included.
    pub passed: ByClass,
    /// How long ended visits were.
    pub dwell: Dwell,
    /// How long the one who is in it for the longest time has been there, in seconds; 0 where it is empty.
    pub longest_now: f64,
}

/// How long the visits in a zone were that have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Dwell {
    /// How many.
    pub visits: u64,
    /// Their sum in seconds.
    pub seconds: f64,
    /// The longest in seconds.
    pub longest: f64,
    /// How many were shorter than each of [`DWELL_BINS`] and not than the one before; the last: how many were longer than all.
    pub visits_by_length: [u64; DWELL_BINS.len() + 1],
}

impl Dwell {
    /// Counts a visit of so many seconds.
    pub fn add(&mut self, seconds: f64) {
        self.visits += 1;
        self.seconds += seconds;
        self.longest = self.longest.max(seconds);
        let bin = DWELL_BINS.partition_point(|end| *end <= seconds);
        if let Some(visits) = self.visits_by_length.get_mut(bin) {
            *visits += 1;
        }
    }

    /// The mean length in seconds; `None` before the first has ended.
    pub fn mean(&self) -> Option<f64> {
        (self.visits > 0).then(|| self.seconds / self.visits as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_by_class_and_way() {
        let mut counts = ByClass::default();
        for (class, inwards) in [(2, true), (0, false), (2, true), (2, false)] {
            counts.add(class, inwards);
        }
        let ways = |inwards, outwards| BothWays { inwards, outwards };
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(0, ways(0, 1)), (2, ways(2, 1))]);
        assert_eq!(counts.total(), ways(2, 2));
    }

    #[test]
    fn the_85th_percentile_is_where_it_is() {
        let mut speeds = Speeds::default();
        assert_eq!((speeds.mean(), speeds.percentile(0.85)), (None, None));
        (0..1000).for_each(|n| speeds.add(5.0 + f64::from(n) / 100.0));
        assert!((speeds.percentile(0.85).unwrap() - 13.5).abs() < 0.02, "{:?}", speeds.percentile(0.85));
        assert!((speeds.mean().unwrap() - 9.995).abs() < 1e-6 && speeds.measured() == 1000);
        for odd in [f64::NAN, -3.0, 1e9] {
            speeds.add(odd);
        }
        assert_eq!(speeds.percentile(1.0), Some(100.1));
    }

    #[test]
    fn visits_fall_into_bins_by_their_length() {
        let mut dwell = Dwell::default();
        assert_eq!(dwell.mean(), None);
        for seconds in [0.5, 1.0, 1.9, 599.0, 5000.0] {
            dwell.add(seconds);
        }
        assert_eq!(dwell.visits_by_length, [1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((dwell.visits, dwell.longest), (5, 5000.0));
    }
}
