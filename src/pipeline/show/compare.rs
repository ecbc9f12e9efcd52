//! Which picture is on the screen: as it came, as the network sees it, or half and half.

use crate::enhance::ShownPicture;
use crate::frame::Picture;
use crate::pipeline::Shot;

/// Puts pictures of two halves together; keeps the memory for it.
#[derive(Debug, Default)]
pub(super) struct Compare {
    halves: Option<Picture>,
}

/// The line between the halves.
const SEAM: [u8; 3] = [255; 3];

impl Compare {
    /// The picture to show of a frame.
    pub(super) fn picture<'a>(&'a mut self, shot: &'a Shot, show: ShownPicture) -> &'a Picture {
        let (came, seen) = (&shot.frame.picture, shot.seen());
        match show {
            ShownPicture::Original => came,
            ShownPicture::Enhanced => seen,
            ShownPicture::Split if came.size() != seen.size() => seen,
            ShownPicture::Split => {
                let width = came.width() as usize;
                let halves = self.halves.take().filter(|halves| halves.size() == came.size());
                let halves = self.halves.insert(halves.unwrap_or_else(|| Picture::clone(came)));
                let middle = width / 2;
                let rows = came.rgb().chunks_exact(width).zip(seen.rgb().chunks_exact(width));
                for (row, (came, seen)) in halves.rgb_mut().chunks_exact_mut(width).zip(rows) {
                    row[..middle].copy_from_slice(&came[..middle]);
                    row[middle..].copy_from_slice(&seen[middle..]);
                    row[middle.saturating_sub(1)..middle].fill(SEAM);
                }
                halves
            }
        }
    }
}
