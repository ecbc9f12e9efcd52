//! An output of your own: a file with one line for each object, from when to when it was there. Needs no feature of the crate:
//! `cargo run --release --no-default-features --example own_sink`
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use trailsight::detection::{Detection, Detections};
use trailsight::engine::{TrackInput, TrackStage, TrackingSettings};
use trailsight::geometry::Rect;
use trailsight::labels::Labels;
use trailsight::scene::Scene;
use trailsight::sink::{End, FrameFacts, RunInfo, Sink, SinkError, Sinks};

/// Writes `id class from to`, in seconds of the source, when the run ends.
pub struct Visits {
    path: PathBuf,
    name: String,
    run: Option<RunInfo>,
    /// By id: the class, the times of the first and of the last detection.
    visits: BTreeMap<u64, (u16, f64, f64)>,
}

impl Visits {
    /// Into this file.
    pub fn to(path: &Path) -> Self {
        Self { path: path.to_owned(), name: path.display().to_string(), run: None, visits: BTreeMap::new() }
    }
}

impl Sink for Visits {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        self.run = Some(run.clone());
        Ok(())
    }

    fn scene(&mut self, scene: &Scene, _frame: &FrameFacts) -> Result<(), SinkError> {
        for track in scene.seen() {
            self.visits.insert(track.id, (track.class, track.born, track.seen));
        }
        Ok(())
    }

    fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
        let Self { path, name, run, visits } = *self;
        let Some(run) = run.filter(|_| end != End::Discarded) else { return Ok(()) };
        let mut text =
            format!("# {}{}\n", run.source, if end == End::Stopped { ", stopped early" } else { "" });
        for (id, (class, from, to)) in visits {
            let class = run.labels.name(class);
            let _ = writeln!(text, "{id} {class} {from:.2} {to:.2}");
        }
        std::fs::write(path, text).map_err(|error| SinkError::Write { path: name, why: error.to_string() })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| "visits.txt".into(), PathBuf::from);
    run(&path)?;
    println!("{}:\n{}", path.display(), std::fs::read_to_string(&path)?);
    Ok(())
}

/// Tracks two made-up objects for four seconds at 25 frames a second; the second one leaves after two.
pub fn run(path: &Path) -> Result<(), Box<dyn Error>> {
    let info =
        RunInfo { source: "made up".into(), labels: Labels::coco().into(), rate: Some(25.0), sound: None };
    let mut sinks = Sinks::begin(vec![Box::new(Visits::to(path))], &info)?;
    let mut tracking = TrackStage::new(TrackingSettings::default());
    for sequence in 0..100 {
        let (time, step) = (sequence as f64 / 25.0, sequence as f32);
        let mut found =
            vec![Detection { rect: Rect::new(20.0 + step, 30.0, 20.0, 50.0), score: 0.9, class: 0 }];
        if sequence < 50 {
            found.push(Detection { rect: Rect::new(250.0 - step, 120.0, 60.0, 40.0), score: 0.8, class: 2 });
        }
        let detections = Detections::from(found);
        let scene = tracking.update(&TrackInput::of_boxes(sequence, time, (320, 240), &detections))?;
        sinks.scene(&scene, &FrameFacts { size: (320, 240), wall: None, file: None })?;
    }
    sinks.finish(End::Complete)?;
    Ok(())
}
