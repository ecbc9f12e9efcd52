//! Motion trails: where each track was during the last seconds. A trail ends with its track.

use std::collections::VecDeque;

use crate::scene::{Swap, Track, TrackState, Trail, TrailPoint};

/// Which point of a box draws the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrailAnchor {
    /// The middle of the bottom edge: where feet and wheels meet the ground.
    #[default]
    Bottom,
    /// The middle of the box.
    Center,
}

/// The `[trails]` section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailSettings {
    /// How long a trail is, in seconds.
    pub seconds: f64,
    /// Which point of a box draws it.
    pub anchor: TrailAnchor,
}

impl Default for TrailSettings {
    fn default() -> Self {
        Self { seconds: 3.0, anchor: TrailAnchor::default() }
    }
}

/// The most points that a trail keeps, however fast the source: the oldest go first.
const MOST_POINTS: usize = 2_000;

/// The trails of all current tracks.
#[derive(Debug, Clone, Default)]
pub struct Trails {
    settings: TrailSettings,
    /// By rising id, as tracks come.
    kept: Vec<(u64, VecDeque<TrailPoint>)>,
}

impl Trails {
    /// No trails yet.
    pub fn new(settings: TrailSettings) -> Self {
        Self { settings, kept: Vec::new() }
    }

    /// Changes the length and the anchor from the next update on; existing points stay.
    pub fn set_settings(&mut self, settings: TrailSettings) {
        self.settings = settings;
    }

    /// Removes all trails.
    pub fn forget(&mut self) {
        self.kept.clear();
    }

    /// Two tracks were taken for one another: their trails change places behind the crossing. Call it before the update that
    /// has the tracks with their right ids.
    pub fn correct(&mut self, swap: &Swap) {
        let mut take = |id: u64| {
            let index = self.kept.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            let points = &mut self.kept[index].1;
            let kept = points.partition_point(|point| point.time <= swap.since);
            Some(points.split_off(kept))
        };
        let (from, to) = (take(swap.from), take(swap.to));
        for (id, points) in [(swap.to, from), (swap.from, to)] {
            match self.kept.binary_search_by_key(&id, |(id, _)| *id) {
                Ok(index) => self.kept[index].1.extend(points.into_iter().flatten()),
                Err(index) => self.kept.insert(index, (id, points.unwrap_or_default())),
            }
        }
    }

    /// Adds the places of the tracks seen at `time`, and drops points that are too old and the trails of tracks that have
    /// ended. `tracks` are ordered by id; the result has one trail for each, in that order.
    pub fn update(&mut self, time: f64, tracks: &[Track]) -> Vec<Trail> {
        let mut previous = std::mem::take(&mut self.kept).into_iter().peekable();
        self.kept.reserve(tracks.len());
        for track in tracks {
            while previous.next_if(|(id, _)| *id < track.id).is_some() {}
            let (_, mut points) = previous.next_if(|(id, _)| *id == track.id).unwrap_or_default();
            if track.state == TrackState::Confirmed {
                let (x, y) = match self.settings.anchor {
                    TrailAnchor::Bottom => (track.rect.center().0, track.rect.bottom()),
                    TrailAnchor::Center => track.rect.center(),
                };
                points.push_back(TrailPoint { x, y, time });
            }
            while points.front().is_some_and(|point| time - point.time > self.settings.seconds)
                || points.len() > MOST_POINTS
            {
                points.pop_front();
            }
            self.kept.push((track.id, points));
        }
        self.kept
            .iter()
            .map(|(id, points)| Trail { id: *id, points: points.iter().copied().collect() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn track(id: u64, x: f32, state: TrackState) -> Track {
        let rect = Rect::new(x, 10.0, 20.0, 30.0);
        Track {
            id,
            class: 0,
            score: 0.9,
            rect,
            velocity: [0.0; 4],
            state,
            born: 0.0,
            seen: 0.0,
            detection: None,
        }
    }

    #[test]
    fn trails_are_as_long_as_asked_and_go_with_their_track() {
        let mut trails = Trails::new(TrailSettings { seconds: 1.0, anchor: TrailAnchor::Bottom });
        for i in 0..40 {
            let time = f64::from(i) * 0.1;
            let mut tracks = vec![track(3, i as f32, TrackState::Confirmed)];
            if i < 20 {
                tracks.push(track(5, 0.0, TrackState::Confirmed));
            }
            let drawn = trails.update(time, &tracks);
            assert_eq!(
                drawn.iter().map(|t| t.id).collect::<Vec<_>>(),
                tracks.iter().map(|t| t.id).collect::<Vec<_>>()
            );
            let points = &drawn[0].points;
            assert!(points.len() <= 11 && points.iter().all(|p| time - p.time <= 1.0));
            assert_eq!(points.last().map(|p| (p.x, p.y)), Some((i as f32 + 10.0, 40.0)));
        }
        assert_eq!(trails.kept.len(), 1);
    }

    #[test]
    fn a_swap_gives_each_the_others_points_behind_the_crossing() {
        let mut trails = Trails::new(TrailSettings::default());
        for i in 0..10 {
            let x = i as f32;
            let tracks = [track(3, x, TrackState::Confirmed), track(5, 100.0 + x, TrackState::Confirmed)];
            trails.update(f64::from(i) * 0.1, &tracks);
        }
        trails.correct(&Swap { from: 3, to: 5, since: 0.45 });
        let tracks = [track(3, 110.0, TrackState::Confirmed), track(5, 10.0, TrackState::Confirmed)];
        let drawn = trails.update(1.0, &tracks);
        let places = |trail: &Trail| trail.points.iter().map(|point| point.x - 10.0).collect::<Vec<_>>();
        assert_eq!(places(&drawn[0]), [0.0, 1.0, 2.0, 3.0, 4.0, 105.0, 106.0, 107.0, 108.0, 109.0, 110.0]);
        assert_eq!(places(&drawn[1]), [100.0, 101.0, 102.0, 103.0, 104.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    }

    #[test]
    fn an_unseen_track_adds_nothing() {
        let mut trails = Trails::new(TrailSettings::default());
        trails.update(0.0, &[track(1, 0.0, TrackState::Confirmed)]);
        assert_eq!(trails.update(0.1, &[track(1, 9.0, TrackState::Lost)])[0].points.len(), 1);
    }

    #[test]
    fn a_very_fast_source_is_bounded_too() {
        let mut trails = Trails::new(TrailSettings { seconds: 1e9, anchor: TrailAnchor::Center });
        for i in 0..5_000 {
            trails.update(f64::from(i) * 1e-6, &[track(1, 0.0, TrackState::Confirmed)]);
        }
        assert_eq!(trails.kept[0].1.len(), MOST_POINTS);
    }
}
