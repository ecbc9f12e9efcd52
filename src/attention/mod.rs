//! Where the network need not look: a picture that shows what the last one showed.
//!
//! A camera on a yard sees nothing happen for hours. [`Attention::watch`] compares each picture, in means over small blocks,
//! with the one that was looked at last. Where nothing has moved, what was detected then still holds, and the network rests;
//! it looks at once where something moves, for a while after that, and from time to time in any case
//! ([`AttentionSettings::idle_interval`]). A camera that moves changes the whole picture, so that everything is looked at.
//!
//! What is not motion is told from it: noise by its measured level, light (auto-exposure, dusk) by the change that the
//! picture has in common, flickering lamps by rows, and places that never rest (leaves, water, a flag) by how much they
//! usually change, unless an object is there.
//!
//! | file | what it holds |
//! |---|---|
//! | `blocks` | a picture in means over blocks |
//! | `change` | which blocks have changed, and which of them by more than noise and light do |

mod blocks;
mod change;

use std::sync::Arc;

use self::blocks::Blocks;
use self::change::Change;
use crate::enhance::RegionMask;
use crate::geometry::{Affine, Rect};
use crate::kernels::View;

/// The network goes on looking for so long after something moved last, in seconds: what has just come to rest is confirmed.
const AFTERWARDS: f64 = 1.0;
/// Pictures further apart than this, in seconds, are not compared.
const GAP: f64 = 5.0;

/// When the network may rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionSettings {
    /// Rest where nothing moves; off: every picture is looked at.
    pub motion: bool,
    /// Seconds after which the network looks although nothing has moved.
    pub idle_interval: f64,
}

impl Default for AttentionSettings {
    fn default() -> Self {
        Self { motion: false, idle_interval: 1.0 }
    }
}

/// Why a picture is looked at, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notice {
    /// Nobody watches: every picture is looked at.
    #[default]
    Unwatched,
    /// Something moved, or it is not known whether.
    Motion,
    /// Nothing moved, but the last look is long ago.
    Due,
    /// Nothing moved: what was detected last holds.
    Still,
}

impl Notice {
    /// Whether the network has to look.
    pub fn looks(self) -> bool {
        self != Self::Still
    }

    /// How the camera moved, where that is known: where nothing has moved, it has not.
    pub(crate) fn camera(self) -> Option<Affine> {
        (!self.looks()).then_some(Affine::IDENTITY)
    }
}

/// Watches the pictures of one source, one after the other.
#[derive(Debug)]
pub struct Attention {
    settings: AttentionSettings,
    /// Every picture that is to be looked at is looked at; otherwise [`Attention::taken`] tells.
    certain: bool,
    now: Blocks,
    change: Change,
    mask: Option<(Arc<RegionMask>, Vec<bool>)>,
    /// Source time of the picture before, of the one looked at last, and of the last motion, in seconds.
    before: Option<f64>,
    looked: Option<f64>,
    moved: f64,
    /// The number of the last picture that is to be looked at, until that has happened, and why.
    owed: Option<(u64, Notice)>,
    insists: bool,
}

impl Attention {
    /// Has seen no picture. `certain`: every picture for which [`Attention::watch`] asks a look gets it, as where each waits
    /// for its own detections; otherwise the caller tells by [`Attention::taken`] which ones did.
    pub fn new(settings: AttentionSettings, certain: bool) -> Self {
        Self {
            settings,
            certain,
            now: Blocks::default(),
            change: Change::default(),
            mask: None,
            before: None,
            looked: None,
            moved: f64::NEG_INFINITY,
            owed: None,
            insists: false,
        }
    }

    /// Changes the settings; the next picture is looked at.
    pub fn set(&mut self, settings: AttentionSettings) {
        self.settings = settings;
        self.insists = true;
    }

    /// The settings in force.
    pub fn settings(&self) -> AttentionSettings {
        self.settings
    }

    /// The next picture is looked at, whatever it shows: something else is to be detected, or by another network.
    pub fn insist(&mut self) {
        self.insists = true;
    }

    /// The next picture does not follow on the one before.
    pub fn begin_anew(&mut self) {
        (self.before, self.looked, self.owed) = (None, None, None);
    }

    /// Takes the next picture, RGB or of one channel; gives whether the network has to look at it. Changes count where
    /// `region_mask` has objects count; `time`: its source time in seconds; `number`: its place in the run, which grows.
    pub fn watch(
        &mut self,
        picture: &View<'_>,
        region_mask: Option<&Arc<RegionMask>>,
        time: f64,
        number: u64,
    ) -> Notice {
        if !self.settings.motion {
            self.begin_anew();
            return Notice::Unwatched;
        }
        self.now.measure(picture);
        let passed = self.before.replace(time).map(|before| time - before);
        let follows = passed.is_some_and(|passed| (0.0..GAP).contains(&passed));
        let insists = std::mem::take(&mut self.insists);
        let notice = match self.looked.filter(|_| follows && !insists && self.change.fits(&self.now)) {
            None => {
                self.moved = time;
                Notice::Motion
            }
            Some(looked) => {
                let counts = counting(&mut self.mask, region_mask, &self.now);
                if self.change.find(&self.now, counts, passed.unwrap_or_default()) {
                    self.moved = time;
                }
                match self.owed {
                    _ if time - self.moved < AFTERWARDS => Notice::Motion,
                    // What moved before a look that never came has moved.
                    Some((_, owed)) => owed,
                    None if time - looked >= self.settings.idle_interval => Notice::Due,
                    None => Notice::Still,
                }
            }
        };
        if notice.looks() {
            self.change.compare_with(&self.now);
            self.looked = Some(time);
            self.owed = (!self.certain).then_some((number, notice));
        }
        notice
    }

    /// The network looks at the picture of this number. One that was replaced by a newer one is never looked at, and another
    /// is until one is.
    pub fn taken(&mut self, number: u64) {
        if self.owed.is_some_and(|(owed, _)| owed <= number) {
            self.owed = None;
        }
    }

    /// What the network found in the picture looked at last: boxes in pixels of the picture. Where something has moved and
    /// nothing was found, that is learned; a change under a box always counts.
    pub fn found(&mut self, boxes: impl Iterator<Item = Rect>) {
        self.change.learn(boxes, self.now.block() as f32);
    }
}

/// For each block, whether objects count at its middle; `None`: everywhere.
fn counting<'a>(
    kept: &'a mut Option<(Arc<RegionMask>, Vec<bool>)>,
    region_mask: Option<&Arc<RegionMask>>,
    blocks: &Blocks,
) -> Option<&'a [bool]> {
    let region_mask = region_mask?;
    let (columns, rows) = blocks.size();
    let fits =
        kept.take().filter(|(of, counts)| Arc::ptr_eq(of, region_mask) && counts.len() == columns * rows);
    let (_, counts) = kept.insert(fits.unwrap_or_else(|| {
        let middle = |at: usize| at * blocks.block() + blocks.block() / 2;
        let counts = (0..rows).flat_map(|row| {
            (0..columns).map(move |column| region_mask.counts_at(middle(column), middle(row)))
        });
        (Arc::clone(region_mask), counts.collect())
    }));
    Some(counts)
}

#[cfg(test)]
mod tests;
