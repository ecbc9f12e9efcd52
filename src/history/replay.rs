//! Scenes of the history with their trails, which are computed again from the frames before.

use std::sync::Arc;

use super::{SegmentId, TrackHistory};
use crate::scene::Scene;
use crate::track::{TrailSettings, Trails};

/// Gives scenes of the history with their trails; cheap when they are asked for in order.
#[derive(Debug)]
pub struct Replay {
    settings: TrailSettings,
    trails: Trails,
    /// The segment and the scene that the trails belong to.
    at: Option<(SegmentId, Scene)>,
}

impl Replay {
    /// Has given no scene yet.
    pub fn new(settings: TrailSettings) -> Self {
        Self { settings, trails: Trails::new(settings), at: None }
    }

    /// Changes the settings of the trails.
    pub fn set_settings(&mut self, settings: TrailSettings) {
        if settings != self.settings {
            *self = Self::new(settings);
        }
    }

    /// Starts over at the next scene, because the history may have changed.
    pub fn forget(&mut self) {
        self.at = None;
    }

    /// The trails after the last scene.
    pub fn trails(&self) -> Trails {
        self.trails.clone()
    }

    /// The scene of a frame; `None` if the history does not have it.
    pub fn scene(&mut self, history: &TrackHistory, sequence: u64) -> Option<Scene> {
        let segment = history.holder(sequence)?;
        let id = segment.id;
        let scene = history.scene_in(segment, sequence)?;
        let before = match &self.at {
            Some((at, last))
                if *at == id && last.sequence == scene.sequence && last.tracks == scene.tracks =>
            {
                return Some(last.clone());
            }
            Some((at, last)) if *at == id && last.sequence < scene.sequence => {
                Some((last.sequence, last.time))
            }
            _ => None,
        };
        // Start at the last scene if it is recent, else as far back as trails reach.
        let reach = scene.time - self.settings.seconds - 1e-6;
        let (from, behind) = match before.filter(|(_, time)| *time >= reach) {
            Some((sequence, time)) => (time, sequence + 1),
            None => {
                self.trails = Trails::new(self.settings);
                (reach, 0)
            }
        };
        let mut trails = Vec::new();
        for step in
            history.scenes(segment, from, scene.sequence).iter().filter(|step| step.sequence >= behind)
        {
            trails = self.trails.update(step.time, &step.tracks);
        }
        let scene = Scene { trails: Arc::new(trails), ..scene };
        self.at = Some((id, scene.clone()));
        Some(scene)
    }
}
