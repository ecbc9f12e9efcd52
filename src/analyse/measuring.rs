//! What is measured beside counting: places and speeds on the ground, and the heat map.

use super::{GroundPlane, Heat, HeatSettings, OnGround, SceneStage, StageFrame};
use crate::labels::Labels;
use crate::scene::Scene;

/// What is measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeasureSettings {
    /// The ground; `None`: nothing is known of it.
    pub ground: Option<GroundPlane>,
    /// The heat map; `None`: it is not gathered.
    pub heat: Option<HeatSettings>,
}

/// [`OnGround`] and [`Heat`], each where it is wanted.
#[derive(Debug, Clone)]
pub struct Measuring {
    ground: Option<OnGround>,
    heat: Option<Heat>,
    labels: Labels,
}

impl Measuring {
    /// Has seen nothing.
    pub fn new(settings: MeasureSettings, labels: &Labels) -> Self {
        Self {
            ground: settings.ground.map(|plane| OnGround::new(plane, labels)),
            heat: settings.heat.map(|heat| Heat::new(heat, labels)),
            labels: labels.clone(),
        }
    }

    /// Measures otherwise from now on; what is as before goes on. True where the heat map begins anew.
    pub fn set_settings(&mut self, settings: MeasureSettings, labels: &Labels) -> bool {
        let same_labels = *labels == self.labels;
        self.labels = labels.clone();
        if self.ground.as_ref().map(OnGround::plane) != settings.ground.as_ref() {
            self.ground = settings.ground.map(|plane| OnGround::new(plane, labels));
        } else if let Some(ground) = self.ground.as_mut().filter(|_| !same_labels) {
            ground.set_labels(labels);
        }
        if self.heat.as_ref().map(Heat::settings) == settings.heat.as_ref() {
            if let Some(heat) = self.heat.as_mut().filter(|_| !same_labels) {
                heat.set_labels(labels);
            }
            return false;
        }
        self.heat = settings.heat.map(|heat| Heat::new(heat, labels));
        self.heat.is_some()
    }

    /// The heat map's stage.
    pub fn heat_mut(&mut self) -> Option<&mut Heat> {
        self.heat.as_mut()
    }

    /// Puts what is known now into a scene that is not measured: a remembered one.
    pub fn show(&self, scene: &mut Scene) {
        scene.ground = self.ground.as_ref().and_then(|ground| ground.ground().cloned());
        scene.heat = self.heat.as_ref().map(Heat::map);
    }
}

impl SceneStage for Measuring {
    fn name(&self) -> &str {
        "measuring"
    }

    fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        if let Some(ground) = &mut self.ground {
            ground.update(frame, scene)?;
        }
        if let Some(heat) = &mut self.heat {
            heat.update(frame, scene)?;
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.ground.iter_mut().for_each(SceneStage::restart);
        self.heat.iter_mut().for_each(SceneStage::restart);
    }
}
