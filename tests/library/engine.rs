//! The engine and the pipeline around it: the same scenes, and one clear error where a stage fails.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use trailsight::analyse::{Presence, SceneStage, Speed, StageFrame, Stages};
use trailsight::attention::AttentionSettings;
use trailsight::config::Settings;
use trailsight::dataset::DetectionFile;
use trailsight::detect::{AttentionChoice, Detector};
use trailsight::detection::Detection;
use trailsight::engine::{Engine, EngineSettings, RecordedDetections, TrackingSettings};
use trailsight::labels::Labels;
use trailsight::pipeline::{Mode, Pipeline, Plan, Stats, Stop, headless};
use trailsight::scene::Scene;
use trailsight::source::{Source, SourceError, SourceInfo, SourceSpec, open_file};

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
        number: 1,
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
    let mut engine = Engine::new(
        recorded(),
        EngineSettings { tracking, enhance: settings.enhance.clone(), ..EngineSettings::default() },
    );
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

/// The demo clip, of which one picture stands still for a while.
struct Halting {
    clip: Box<dyn Source>,
    held: Option<trailsight::frame::Frame>,
    next: u64,
}

/// The frames from the first to the last of which all show what the first shows, and where the clip ends.
const HALT: std::ops::Range<u64> = 20..80;
const END: u64 = 100;

impl Halting {
    fn new(settings: &Settings) -> Self {
        Self { clip: clip(settings), held: None, next: 0 }
    }
}

impl Source for Halting {
    fn info(&self) -> &SourceInfo {
        self.clip.info()
    }

    fn next_frame(&mut self) -> Result<Option<trailsight::frame::Frame>, SourceError> {
        let sequence = self.next;
        self.next += 1;
        if sequence >= END {
            return Ok(None);
        }
        if !HALT.contains(&sequence) || self.held.is_none() {
            self.held = self.clip.next_frame()?;
        }
        let rate = self.info().rate.unwrap();
        Ok(self.held.clone().map(|frame| trailsight::frame::Frame {
            sequence,
            time: sequence as f64 / rate,
            ..frame
        }))
    }
}

#[test]
fn the_network_rests_where_nothing_moves_and_the_tracks_are_the_same() {
    let mut settings = Settings::default();
    settings.detector.threads = 2;
    settings.detector.attention = AttentionChoice::Motion;
    let network = || Detector::load(&settings.detect_for_tracking()).unwrap();
    let run = |motion: bool| {
        let tracking = TrackingSettings {
            track: settings.track(),
            trails: settings.trails,
            camera_motion: settings.enhance.camera_motion,
        };
        let attention = AttentionSettings { motion, idle_interval: 1.0 };
        let engine_settings = EngineSettings { tracking, enhance: settings.enhance.clone(), attention };
        let mut engine = Engine::new(network(), engine_settings);
        let mut source = Halting::new(&settings);
        let (mut scenes, mut looks) = (Vec::new(), Vec::new());
        while let Some(frame) = source.next_frame().unwrap() {
            let processed = engine.process(&frame).unwrap();
            looks.extend((!processed.times.inference.is_zero()).then_some(frame.sequence));
            scenes.push(processed.scene);
        }
        (scenes, looks)
    };
    let ((all, _), (rested, looks)) = (run(false), run(true));
    let rate = Halting::new(&settings).info().rate.unwrap();
    let halt = HALT.end - HALT.start;
    let halting = looks.iter().filter(|look| HALT.contains(look)).count() as f64;
    // For a second behind the last motion every frame, and then one a second.
    let expected = rate + (halt as f64 / rate - 1.0);
    assert!((halting - expected).abs() <= 2.0, "{halting} looks in {halt} frames, not {expected}");
    assert!((HALT.end..END).all(|frame| looks.contains(&frame)), "{looks:?}");
    let ids = |scene: &Scene| scene.tracks.iter().map(|track| track.id).collect::<Vec<_>>();
    assert!(all.iter().zip(&rested).all(|(all, rested)| ids(all) == ids(rested)));
    let shown = rested[HALT.end as usize - 1].tracks.len();
    assert!(shown > 0, "nothing is there to be held");

    // Threads give the same.
    let pipeline = Pipeline::start(Plan {
        source: Box::new(Halting::new(&settings)),
        number: 1,
        reopen: None,
        detector: network().into(),
        stages: Stages::default(),
        settings: &settings,
        mode: Mode::EveryFrame,
        stats: Arc::new(Stats::default()),
        stop: Stop::default(),
    })
    .unwrap();
    let threaded: Vec<Scene> = pipeline.tracked.iter().map(|tracked| tracked.scene).collect();
    pipeline.finish().unwrap();
    assert_eq!(threaded.len(), rested.len());
    for (threaded, rested) in threaded.iter().zip(&rested) {
        assert_eq!(threaded.tracks, rested.tracks, "frame {}", rested.sequence);
    }
}
