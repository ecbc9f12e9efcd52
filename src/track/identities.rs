//! Which id belongs to which track: given when it is first shown, exchanged where two were taken for one another at a
//! crossing, and taken over from an earlier run through the same frames.

#[cfg(feature = "cli")]
use super::crossings::Decision;
use super::crossings::Moment;
use super::tracklet::Tracklet;
use super::{INSTANT, PROVISIONAL, SAME_TRACK_IOU, Tracker};
use crate::geometry::Rect;
use crate::kind::Kinds;
use crate::scene::{Swap, Track, TrackState};

impl Tracker {
    /// The highest id given so far; 0 before the first.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Reserves the ids `1..=id`: new tracks get higher ones, and also higher than those of all tracks that are alive.
    ///
    /// For a tracker that starts in the middle of a recording of which other parts were tracked before: call it before the
    /// first update with the highest id given so far, so that no id is given twice.
    pub fn reserve_ids_up_to(&mut self, id: u64) {
        self.last_id = self.named().map(|t| t.id).fold(id, u64::max);
    }

    /// Gives tracks the ids under which `known`, the tracks of this same frame from an earlier run, has them. For a tracker
    /// that runs once more through frames that were tracked before; call it after an update.
    ///
    /// A known track goes to the first track that was matched in this frame, has no id of `known` yet and overlaps it by an
    /// IoU above 0.7; with the id it takes over state and time of birth. A known track without such a partner is left out,
    /// and a track without one keeps its id. Takes time in proportion to known tracks × tracks.
    pub fn restore_ids(&mut self, known: &[Track]) {
        for track in known {
            if self.tracklets.iter().any(|t| t.id == track.id) {
                continue;
            }
            let is_free = |t: &Tracklet| t.frame == self.now.number && !known.iter().any(|k| k.id == t.id);
            let same = |t: &&mut Tracklet| is_free(t) && t.last.iou(&track.rect) > SAME_TRACK_IOU;
            if let Some(tracklet) = self.tracklets.iter_mut().find(same) {
                let age = self.time.map_or(0.0, |time| time - track.born);
                tracklet.restore_identity(track, self.now.clock - age);
            }
        }
        self.restore_swaps(known);
        self.tracklets.sort_unstable_by_key(|t| t.id);
        self.publish_tracks();
    }

    /// Exchanges the ids of two tracks where each is matched and lies where the other is known to be.
    fn restore_swaps(&mut self, known: &[Track]) {
        let number = self.now.number;
        for track in known {
            let place = |id| self.tracklets.iter().position(|t| t.id == id);
            let Some(own) = place(track.id).filter(|own| self.tracklets[*own].frame == number) else {
                continue;
            };
            let lies_at = |t: &Tracklet, rect: &Rect| t.frame == number && t.last.iou(rect) > SAME_TRACK_IOU;
            if lies_at(&self.tracklets[own], &track.rect) {
                continue;
            }
            let Some(other) = self.tracklets.iter().position(|t| lies_at(t, &track.rect)) else { continue };
            let other_id = self.tracklets[other].id;
            let of_other = known.iter().find(|known| known.id == other_id);
            if of_other.is_some_and(|of_other| lies_at(&self.tracklets[own], &of_other.rect))
                && let Ok([a, b]) = self.tracklets.get_disjoint_mut([own, other])
            {
                Tracklet::exchange_identities(a, b);
            }
        }
    }

    /// The tracks that changed their identities in the last update, one pair after the other: since they met, each was
    /// called what the other is. Their ids are right in [`Tracker::tracks`].
    pub fn swaps(&self) -> &[Swap] {
        &self.swaps
    }

    /// The crossings that were decided in the last update, swaps or not, with the ids of their tracks.
    #[cfg(feature = "cli")]
    pub(crate) fn decisions(&self) -> impl Iterator<Item = (Decision, [u64; 2])> + '_ {
        let id =
            |serial| self.tracklets.iter().find(|tracklet| tracklet.serial == serial).map_or(0, |t| t.id);
        self.buffers.crossings.decisions.iter().map(move |decision| (*decision, decision.tracks.map(id)))
    }

    /// Finds the crossings that can be decided now; `before`: when the frame before was, by the tracker's clock.
    pub(super) fn find_decisions(&mut self, before: f64, kinds: Option<&Kinds>) {
        let Self { settings, tracklets, now, crossings, buffers, .. } = self;
        if settings.decide_seconds <= 0.0 {
            buffers.crossings.decisions.clear();
            return;
        }
        let (dt, wait) = ((now.clock - before) as f32, settings.decide_seconds - INSTANT);
        let same_kind =
            |a: &Tracklet, b: &Tracklet| settings.class_agnostic || a.group(kinds) == b.group(kinds);
        crossings.observe(tracklets, Moment { now: *now, dt, wait }, same_kind, &mut buffers.crossings);
    }

    /// Has tracks change their identities that were more likely than not taken for one another at a crossing.
    pub(super) fn swap_identities(&mut self) {
        let Self { settings, tracklets, now, time, swaps, keeps_ids, buffers, .. } = self;
        swaps.clear();
        if *keeps_ids {
            return;
        }
        for decision in buffers.crossings.decisions.iter().filter(|decision| decision.is_swap()) {
            let place = |serial| tracklets.iter().position(|tracklet| tracklet.serial == serial);
            let [a, b] = decision.tracks.map(place);
            let Some(places) = a.zip(b).map(|(a, b)| [a, b]) else { continue };
            let Ok([a, b]) = tracklets.get_disjoint_mut(places) else { continue };
            // Nobody has seen what is not shown.
            if [&*a, &*b].iter().any(|tracklet| tracklet.public_state(settings) == TrackState::Tentative) {
                continue;
            }
            let since = time.unwrap_or_default() - (now.clock - decision.met);
            swaps.push(Swap { from: a.id, to: b.id, since });
            Tracklet::exchange_identities(a, b);
        }
        if !swaps.is_empty() {
            tracklets.sort_unstable_by_key(|tracklet| tracklet.id);
        }
    }

    /// The tracks that have an id of their own.
    fn named(&self) -> impl Iterator<Item = &Tracklet> {
        self.tracklets.iter().filter(|tracklet| tracklet.id < PROVISIONAL)
    }

    /// Gives the next ids to the tracks that are shown for the first time, in the order in which they began.
    pub(super) fn name_tracks(&mut self) {
        let Self { settings, tracklets, last_id, .. } = self;
        let mut named = false;
        for tracklet in tracklets.iter_mut().filter(|tracklet| tracklet.id >= PROVISIONAL) {
            if tracklet.public_state(settings) != TrackState::Tentative {
                *last_id += 1;
                tracklet.id = *last_id;
                named = true;
            }
        }
        if named {
            tracklets.sort_unstable_by_key(|tracklet| tracklet.id);
        }
    }
}
