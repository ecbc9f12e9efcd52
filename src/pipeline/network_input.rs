//! The size of the running network's input for a picture: set where networks change, read by the enhance thread.

use std::sync::{Arc, Mutex};

use crate::detect::{InputRule, Slicer};
use crate::sync::lock;

/// The size of the input of the network that runs, for each picture. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct NetworkInput(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    /// How the size comes about; `None`: there is no network.
    rule: Option<InputRule>,
    slicer: Slicer,
    /// The width and height of the newest picture.
    picture: Option<(u32, u32)>,
}

impl NetworkInput {
    /// From now on the size comes about by this rule (`None`: there is no network), for the slices of a picture.
    pub(super) fn set(&self, rule: Option<InputRule>, slicer: Slicer) {
        let mut told = lock(&self.0);
        (told.rule, told.slicer) = (rule, slicer);
    }

    /// Width and height of the input for a picture of this width and height; `None` where there is no network.
    pub(super) fn for_picture(&self, picture: (u32, u32)) -> Option<(usize, usize)> {
        let mut told = lock(&self.0);
        told.picture = Some(picture);
        Some(told.rule?.for_picture(told.slicer.looked_at(picture)).size())
    }

    /// The width and height of the picture that was asked for last.
    pub(super) fn picture(&self) -> Option<(u32, u32)> {
        lock(&self.0).picture
    }
}
