//! One zone: who came in, who went out, and how long each stayed.

use super::plane::{Spot, contains, distance, last_crossing};
use super::settings::PATIENCE;

/// A zone in pixels.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    /// Three corners or more.
    pub(super) corners: Vec<(f32, f32)>,
    /// As a share of the box's height.
    pub(super) band: f32,
    /// In seconds.
    pub(super) stay: f64,
}

/// Where one object is, for one zone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct AtZone {
    last: Option<Spot>,
    /// Since when it is in the zone; `None`: it is not.
    entered: Option<f64>,
    /// Since when it is seen on the other side, which does not count yet.
    changing: Option<f64>,
}

/// What an object did at a zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Passage {
    /// It is in the zone since this source time.
    Entered(f64),
    /// It went out at `time`, after `dwell` seconds.
    Left { time: f64, dwell: f64 },
}

impl AtZone {
    /// Since when the object is in the zone.
    pub(super) fn since(&self) -> Option<f64> {
        self.entered
    }

    /// The visit of an object that is not seen any more: it was over when the object was last seen.
    pub(super) fn end(&mut self, seen: f64) -> Option<Passage> {
        let entered = self.entered.take()?;
        // It was on its way out.
        let time = self.changing.take().unwrap_or(seen);
        Some(Passage::Left { time, dwell: (time - entered).max(0.0) })
    }
}

impl Zone {
    /// Takes in where an object is seen now, and since when it is known.
    pub(super) fn step(&self, state: &mut AtZone, spot: Spot, born: f64) -> Option<Passage> {
        let before = state.last.replace(spot);
        let inside = contains(&self.corners, spot.point);
        if inside == state.entered.is_some() {
            state.changing = None;
            return None;
        }
        let since = *state.changing.get_or_insert_with(|| match before {
            None => born,
            Some(before) => {
                let share = last_crossing(&self.corners, before.point, spot.point).unwrap_or(1.0);
                before.time + f64::from(share) * (spot.time - before.time)
            }
        });
        let waited = spot.time - since;
        let far = || distance(&self.corners, spot.point) >= self.band * spot.height;
        if waited < self.stay || waited < self.stay + PATIENCE && !far() {
            return None;
        }
        state.changing = None;
        match state.entered.take() {
            Some(entered) => Some(Passage::Left { time: since, dwell: (since - entered).max(0.0) }),
            None => {
                state.entered = Some(since);
                Some(Passage::Entered(since))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        let corners = vec![(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)];
        Zone { corners, band: 0.1, stay: 0.25 }
    }

    /// What happens on a way of a tenth of a second from place to place, of a box of 100 pixels.
    fn passages(xs: &[f32]) -> Vec<Passage> {
        let mut state = AtZone::default();
        let spots = xs.iter().enumerate();
        let spots =
            spots.map(|(index, &x)| Spot { point: (x, 50.0), height: 100.0, time: index as f64 / 10.0 });
        spots.filter_map(|spot| zone().step(&mut state, spot, 0.0)).collect()
    }

    #[test]
    fn a_visit_lasts_from_edge_to_edge() {
        let way = [-20.0, 20.0, 50.0, 50.0, 50.0, 50.0, 90.0, 110.0, 130.0, 150.0, 170.0];
        let found = passages(&way);
        let [Passage::Entered(entered), Passage::Left { time, dwell }] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!((entered - 0.05).abs() < 1e-6 && (time - 0.65).abs() < 1e-6 && (dwell - 0.6).abs() < 1e-6);
    }

    #[test]
    fn one_wrong_box_is_no_visit_and_a_tremble_at_the_edge_is_none() {
        assert_eq!(passages(&[-50.0, -50.0, 50.0, -50.0, -50.0]), []);
        let tremble: Vec<f32> = (0..60).map(|i| if i % 2 == 0 { -5.0 } else { 5.0 }).collect();
        assert_eq!(passages(&tremble), []);
        assert_eq!(passages(&[5.0; 20]).len(), 1, "within the band it counts in the end");
        let mut inside = vec![50.0; 10];
        inside.extend([-50.0, 50.0, 50.0]);
        assert_eq!(passages(&inside), [Passage::Entered(0.0)]);
    }

    #[test]
    fn who_is_gone_has_left_when_last_seen() {
        let mut state = AtZone { entered: Some(1.0), ..AtZone::default() };
        assert_eq!(state.end(4.0), Some(Passage::Left { time: 4.0, dwell: 3.0 }));
        assert_eq!(state.end(4.0), None);
        let mut state = AtZone { entered: Some(1.0), changing: Some(3.5), ..AtZone::default() };
        assert_eq!(state.end(4.0), Some(Passage::Left { time: 3.5, dwell: 2.5 }));
    }
}
