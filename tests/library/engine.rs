//! The engine and the pipeline around it: the same scenes, and one clear error where a stage fails.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use trailsight::analyse::{Presence, SceneStage, Speed, StageFrame, Stages};
use trailsight::config::Settings;
use trailsight::dataset::DetectionFile;
use trailsight::detection::Detection;
use trailsight::engine::{Engine, EngineSettings, RecordedDetections, TrackingSettings};
use trailsight::labels::Labels;
use trailsight::pipeline::{Mode, Pipeline, Plan, Stats, Stop, headless};
use trailsight::scene::Scene;
use trailsight::source::{Source, SourceSpec, open_file};

const FRAMES: usize = 60;

fn recorded() -> RecordedDetections {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo_detections.txt");
    let file = DetectionFile::read(&path).unwrap();
    let frames: Vec<Vec<Detection>> = (0..file.frames()).map(|frame| file.at(frame).collect()).collect();
    RecordedDetections::new(frames, Labels::coco())
}

fn clip(settings: &Settings) -> Box<dyn Source> {
    let demo = SourceSpec::Video(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.avi"));
    open_file(&demo, &settings.source).unwrap()
}

fn start(settings: &Settings, stages: Stages) -> Pipeline {
    Pipeline::start(Plan {
        source: clip(settings),
        reopen: None,
        detector: recorded().into(),
        stages,
        settings,
        mode: Mode::EveryFrame,
        stats: Arc::new(Stats::default()),
        stop: Stop::default(),
    })
    .unwrap()
}

#[test]
fn the_engine_gives_the_scenes_of_the_pipeline() {
    let settings = Settings::default();
    let mut stages = Stages::default();
    stages.push(Presence::default());
    stages.push(Speed::default());
    let pipeline = start(&settings, stages);
    let next = || pipeline.tracked.recv_timeout(Duration::from_secs(60)).expect("the clip is longer").scene;
    let threaded: Vec<Scene> = (0..FRAMES).map(|_| next()).collect();
    pipeline.finish().unwrap();

    let tracking = TrackingSettings {
        track: settings.track(),
        trails: settings.trails,
        camera_motion: settings.enhance.camera_motion,
    };
    let mut engine = Engine::new(recorded(), EngineSettings { tracking, enhance: settings.enhance.clone() });
    engine.add_stage(Presence::default());
    engine.add_stage(Speed::default());
    let mut source = clip(&settings);
    let (mut told, mut attributes) = (0, 0);
    for expected in threaded {
        let frame = source.next_frame().unwrap().expect("the clip is longer");
        let scene = engine.process(&frame).unwrap().scene;
        assert_eq!((scene.sequence, scene.time), (expected.sequence, expected.time));
        assert_eq!(scene.tracks, expected.tracks);
        assert_eq!(scene.trails, expected.trails);
        assert_eq!(scene.events, expected.events);
        assert_eq!(scene.attributes, expected.attributes);
        told += scene.events.len();
        attributes +=
            scene.tracks.iter().filter(|t| scene.attributes.get(t.id, Speed::ATTRIBUTE).is_some()).count();
    }
    assert!(told > 0 && attributes > FRAMES, "{told} events, {attributes} attributes");
}

/// Fails at a frame.
struct Fails(u64);

impl SceneStage for Fails {
    fn name(&self) -> &str {
        "counter"
    }

    fn update(&mut self, _frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        if scene.sequence == self.0 { Err("the shelf is full".to_owned()) } else { Ok(()) }
    }
}

#[test]
fn a_stage_that_fails_ends_the_run_with_one_clear_error() {
    let settings = Settings::default();
    let mut stages = Stages::default();
    stages.push(Fails(7));
    let (report, result) = headless::run(start(&settings, stages), None, &Stop::default(), |_, _| {});
    assert_eq!(result.unwrap_err().to_string(), "the stage counter failed: the shelf is full");
    assert_eq!((report.frames, report.complete), (7, false));
}
