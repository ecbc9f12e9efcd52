//! What a stage knows of each track, and who goes on with it when a track ends and another one begins in its place.
//!
//! A tracker that loses an object gives it a new id when it finds it again. For stages these two are one: the new track
//! is the *heir* of the old one where it began after the old one was last seen, soon, near to where the old one would be, of
//! its class and its size. The heir goes on with what the old one did: with its side of each line, its visits, and what was
//! counted already. The ids stay as they are.

use crate::detection::ClassId;
use crate::geometry::Rect;
use crate::scene::{Swap, Track};

/// For how long a track that is not seen any more has what it did kept for an heir, in seconds.
pub(super) const HEIR_SECONDS: f64 = 1.5;
/// An heir is seen so many seconds after it began at the latest: trackers believe in a track after some frames.
const LATE_SECONDS: f64 = 1.0;
/// An heir may be seen so many seconds before the old track was seen for the last time.
const OVERLAP_SECONDS: f64 = 0.1;
/// How far from where the old one would be an heir begins at most: so many heights of the lower box, and so many more for
/// each second between.
const REACH: (f32, f32) = (0.4, 0.8);
/// The lower of the two boxes is at least this share of the higher.
const ALIKE: f32 = 0.6;

/// A track.
#[derive(Debug, Clone)]
pub(super) struct Object<D> {
    pub(super) id: u64,
    pub(super) class: ClassId,
    /// As it was last seen.
    rect: Rect,
    /// As the tracker had it then, in pixels a second.
    velocity: [f32; 4],
    /// When it was last seen, in seconds of source time.
    pub(super) seen: f64,
    /// Since when it is known where it was: a zone in which it is found then was entered at that time.
    pub(super) known: f64,
    /// Who goes on with what it did.
    heir: Option<u64>,
    /// What is known of it.
    pub(super) deeds: D,
}

impl<D> Object<D> {
    fn new(track: &Track, deeds: D) -> Self {
        let Track { id, class, rect, velocity, seen, born, .. } = *track;
        Self { id, class, rect, velocity, seen, known: born, heir: None, deeds }
    }

    /// Where it would be so many seconds after it was last seen.
    fn rect_after(&self, seconds: f64) -> Rect {
        let dt = seconds as f32;
        let [left, top, ..] = self.velocity;
        Rect { left: self.rect.left + left * dt, top: self.rect.top + top * dt, ..self.rect }
    }

    /// Whether another track goes on with what it did.
    pub(super) fn has_heir(&self) -> bool {
        self.heir.is_some()
    }

    /// How far from where this one would be a track began, in shares of what an heir may be at most; `None`: it is none.
    fn fits(&self, track: &Track, now: f64) -> Option<f32> {
        let gap = track.born - self.seen;
        if self.heir.is_some()
            || self.class != track.class
            || !(-OVERLAP_SECONDS..=HEIR_SECONDS).contains(&gap)
        {
            return None;
        }
        let begin = track.rect_after(track.born - now);
        let old = self.rect_after(gap.max(0.0));
        let (low, high) = (begin.height.min(old.height), begin.height.max(old.height));
        let apart = (begin.center().0 - old.center().0).hypot(begin.bottom() - old.bottom());
        let share = apart / (low * (REACH.0 + REACH.1 * gap.max(0.0) as f32)).max(f32::MIN_POSITIVE);
        (low >= ALIKE * high && share <= 1.0).then_some(share)
    }
}

/// All tracks that are there, and those that were there a moment ago, by rising id.
#[derive(Debug, Clone)]
pub(super) struct Objects<D>(Vec<Object<D>>);

impl<D> Default for Objects<D> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D> Objects<D> {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// From now on something else is known of each object: what `renewed` makes of what was known.
    pub(super) fn renew(&mut self, renewed: impl Fn(&D) -> D) {
        for object in &mut self.0 {
            (object.deeds, object.known) = (renewed(&object.deeds), object.seen);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Object<D>> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Object<D>> {
        self.0.iter_mut()
    }

    pub(super) fn get(&self, id: u64) -> Option<&Object<D>> {
        self.find(id).ok().and_then(|index| self.0.get(index))
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |object| object.id)
    }

    /// The object of a track that is seen now, with what it did, or what the one did whose heir it is. `is_seen`: whether
    /// a track is seen in this very frame; `none`: the deeds of one that did nothing.
    pub(super) fn seen(
        &mut self,
        track: &Track,
        now: f64,
        is_seen: impl Fn(u64) -> bool,
        none: impl Fn() -> D,
    ) -> Option<&mut Object<D>> {
        let index = match self.find(track.id) {
            Ok(index) => {
                if let Some(heir) = self.0.get_mut(index).and_then(|object| object.heir.take()) {
                    // Nobody knows what it did meanwhile.
                    self.0
                        .iter_mut()
                        .filter(|object| object.id == track.id)
                        .for_each(|object| object.known = now);
                    // It was not gone after all. What it did comes back, unless its heir is another object, which is
                    // seen beside it.
                    let back = self.find(heir).ok().filter(|_| !is_seen(heir));
                    let deeds = back.and_then(|heir| self.0.get_mut(heir)).map(|heir| {
                        (heir.heir, heir.known) = (Some(track.id), now);
                        std::mem::replace(&mut heir.deeds, none())
                    });
                    if let (Some(object), Some(deeds)) = (self.0.get_mut(index), deeds) {
                        object.deeds = deeds;
                    }
                }
                index
            }
            Err(index) => {
                let fits =
                    |old: &Object<D>| Some((old.fits(track, now)?, old.id)).filter(|_| !is_seen(old.id));
                let nearest = self.0.iter().filter_map(fits).min_by(|a, b| a.0.total_cmp(&b.0));
                let old =
                    nearest.and_then(|(_, old)| self.find(old).ok()).and_then(|old| self.0.get_mut(old));
                let deeds = old.map(|old| {
                    old.heir = Some(track.id);
                    std::mem::replace(&mut old.deeds, none())
                });
                self.0.insert(index, Object::new(track, deeds.unwrap_or_else(none)));
                index
            }
        };
        let object = self.0.get_mut(index)?;
        (object.class, object.rect, object.velocity, object.seen) =
            (track.class, track.rect, track.velocity, now);
        Some(object)
    }

    /// Two tracks have changed their ids: what a box did stays with that box, so that nothing is counted twice.
    pub(super) fn exchange(&mut self, swap: &Swap) {
        for object in &mut self.0 {
            object.id = swap.rename(object.id);
            object.heir = object.heir.map(|heir| swap.rename(heir));
        }
        self.0.sort_unstable_by_key(|object| object.id);
    }

    /// Takes out those that `is_there` does not hold any more and that no heir can come for.
    pub(super) fn take_gone(&mut self, now: f64, is_there: impl Fn(u64) -> bool) -> Vec<Object<D>> {
        let is_gone =
            |object: &mut Object<D>| now - object.seen > HEIR_SECONDS + LATE_SECONDS && !is_there(object.id);
        self.0.extract_if(.., is_gone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::TrackState;

    fn track(id: u64, born: f64, left: f32) -> Track {
        Track {
            id,
            class: 0,
            score: 0.9,
            rect: Rect::new(left, 100.0, 40.0, 100.0),
            velocity: [100.0, 0.0, 0.0, 0.0],
            state: TrackState::Confirmed,
            born,
            seen: born,
            detection: None,
        }
    }

    /// The number tells whose deeds they are.
    fn whose(objects: &mut Objects<Option<usize>>, track: &Track, now: f64, seen: &[u64]) -> Option<usize> {
        let object = objects.seen(track, now, |id| seen.contains(&id), || None).unwrap();
        Some(*object.deeds.get_or_insert(track.id as usize))
    }

    #[test]
    fn who_begins_where_another_one_ended_is_its_heir() {
        for (born, left, class, heir) in [
            (1.5, 50.0, 0, true),
            (1.5, 120.0, 0, true),
            (1.5, 200.0, 0, false),
            (2.6, 160.0, 0, false),
            (0.8, 0.0, 0, false),
            (1.5, 50.0, 2, false),
        ] {
            let mut objects = Objects::default();
            assert_eq!(whose(&mut objects, &track(1, 0.0, 0.0), 1.0, &[1]), Some(1));
            let young = Track { class, ..track(2, born, left) };
            let found = whose(&mut objects, &young, born, &[2]);
            assert_eq!(found, Some(if heir { 1 } else { 2 }), "{born} {left} {class}");
        }
    }

    #[test]
    fn who_is_seen_leaves_nothing_and_each_has_one_heir() {
        let mut objects = Objects::default();
        whose(&mut objects, &track(1, 0.0, 0.0), 1.0, &[1]);
        assert_eq!(whose(&mut objects, &track(2, 1.0, 5.0), 1.1, &[1, 2]), Some(2));
        let mut objects = Objects::default();
        whose(&mut objects, &track(1, 0.0, 0.0), 1.0, &[1]);
        assert_eq!(whose(&mut objects, &track(2, 1.2, 20.0), 1.2, &[2, 3]), Some(1));
        assert_eq!(whose(&mut objects, &track(3, 1.2, 20.0), 1.2, &[2, 3]), Some(3));
    }

    #[test]
    fn who_comes_back_has_what_it_did() {
        let mut objects = Objects::default();
        whose(&mut objects, &track(1, 0.0, 0.0), 1.0, &[1]);
        whose(&mut objects, &track(2, 1.2, 20.0), 1.2, &[2]);
        assert_eq!(whose(&mut objects, &track(1, 0.0, 30.0), 1.3, &[1]), Some(1));
        // The heir too.
        assert_eq!(whose(&mut objects, &track(2, 1.2, 40.0), 1.4, &[2]), Some(1));
        // Both at once are two.
        assert_eq!(whose(&mut objects, &track(1, 0.0, 30.0), 1.5, &[1, 2]), Some(1));
        assert_eq!(objects.get(1).unwrap().deeds, Some(1));
    }

    #[test]
    fn what_a_box_did_stays_with_it_when_ids_change() {
        let mut objects = Objects::default();
        whose(&mut objects, &track(1, 0.0, 0.0), 1.0, &[1, 2]);
        whose(&mut objects, &track(2, 0.0, 500.0), 1.0, &[1, 2]);
        objects.exchange(&Swap { from: 1, to: 2, since: 0.5 });
        assert_eq!(whose(&mut objects, &track(2, 0.0, 0.0), 1.1, &[1, 2]), Some(1));
        assert_eq!(whose(&mut objects, &track(1, 0.0, 500.0), 1.1, &[1, 2]), Some(2));
    }

    #[test]
    fn memory_is_bounded() {
        let mut objects = Objects::default();
        for id in 0..1000 {
            whose(&mut objects, &track(id, id as f64 / 10.0, 1000.0 * id as f32), id as f64 / 10.0, &[id]);
            objects.take_gone(id as f64 / 10.0, |there| there == id);
        }
        // Ten a second, and nobody longer than an heir may take.
        assert_eq!(objects.0.len(), (10.0 * (HEIR_SECONDS + LATE_SECONDS)) as usize + 1);
    }
}
