//! The stages one by one, on one thread: what each takes of a frame when nothing else is going on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::screen::Screen;
use super::statistics::{Samples, Summary};
use super::{Context, Failure, Limits, bar, go_on, is_over};
use crate::detect::Detector;
use crate::engine::{DetectionSource, Engine, EngineTimes, Processed};
use crate::enhance::Step;
use crate::labels::Labels;
use crate::pipeline;
use crate::pipeline::Reopen;
use crate::sink::{VideoSettings, VideoWriter, partial_name};
use crate::source::{Source, SourceInfo};
use crate::view::{Canvas, Mapping, OverlaySettings, SceneView, Text, draw_scene};

/// Frames that go through everything before, and are not counted.
const WARM_UP: Limits = Limits { frames: 5, time: Some(Duration::from_secs(5)) };

/// The stages in the order of the flow: name, and what is done in it.
const STAGES: [(&str, &str); 10] = [
    ("capture", "a frame from the source"),
    ("enhance", "light, contrast and noise, the steps of it below"),
    ("letterbox", "scaled to the network's input"),
    ("inference", "the network"),
    ("decode", "boxes, and non-maximum suppression"),
    ("motion", "how the camera moved, from the pixels"),
    ("track", "tracker and trails"),
    ("draw", "boxes, labels and trails onto the picture"),
    ("present", "into the window"),
    ("encode", "annotated video, Motion JPEG (.avi)"),
];

/// One stage.
pub(super) struct Row {
    pub(super) stage: &'static str,
    pub(super) what: &'static str,
    /// Milliseconds, or why there are none.
    pub(super) times: Result<Summary, String>,
}

/// All stages.
pub(super) struct Stages {
    pub(super) rows: Vec<Row>,
}

pub(super) fn measure(
    reopen: &Reopen,
    info: &SourceInfo,
    limits: Limits,
    context: &Context,
) -> Result<Stages, Failure> {
    let settings = &context.loaded.settings;
    let detector = Detector::load(&settings.detect_for_tracking())?;
    let mut line = Line {
        labels: detector.labels().clone(),
        detections: detector.into(),
        canvas: Canvas::new(1, 1),
        text: Text::new(),
        steps: BTreeMap::new(),
        overlay: settings.overlay.clone(),
        screen: None,
        context,
    };
    line.detections.set_slicer(settings.slicer());
    line.pass(reopen()?, WARM_UP, || {})?;
    line.steps.clear();
    let bar = bar(limits, Some(info), "stage by stage", context);
    let measured = line.pass(reopen()?, limits, || bar.inc(1));
    bar.finish_and_clear();
    let nothing = || "no frame".to_owned();
    let rows = STAGES.into_iter().zip(measured?).map(|((stage, what), samples)| {
        let times = match (stage, &line.screen) {
            ("present", Some(Err(why))) => Err(why.clone()),
            _ => samples.summary().ok_or_else(nothing),
        };
        Row { stage, what, times }
    });
    let mut rows: Vec<_> = rows.collect();
    let steps = std::mem::take(&mut line.steps).into_iter().filter_map(|(step, samples)| {
        Some(Row { stage: step.name(), what: "a step of enhance", times: Ok(samples.summary()?) })
    });
    rows.extend(steps);
    Ok(Stages { rows })
}

/// All that the stages work with.
struct Line<'a> {
    /// Taken out while a pass goes on.
    detections: DetectionSource,
    labels: Labels,
    canvas: Canvas,
    text: Text,
    /// What each step of the enhancer takes, where it is taken.
    steps: BTreeMap<Step, Samples>,
    overlay: OverlaySettings,
    /// `None` before the first frame, whose size it has.
    screen: Option<Result<Screen, String>>,
    context: &'a Context,
}

impl Line<'_> {
    /// Takes the frames of a source through all stages.
    fn pass(
        &mut self,
        mut source: Box<dyn Source>,
        limits: Limits,
        each: impl Fn(),
    ) -> Result<[Samples; STAGES.len()], Failure> {
        let settings = &self.context.loaded.settings;
        let settings = pipeline::engine_settings(settings);
        let mut engine = Engine::new(std::mem::take(&mut self.detections), settings);
        let outcome = self.pass_through(&mut engine, &mut *source, limits, each);
        self.detections = engine.into_source();
        outcome
    }

    /// The same with the engine of this pass.
    fn pass_through(
        &mut self,
        engine: &mut Engine,
        source: &mut dyn Source,
        limits: Limits,
        each: impl Fn(),
    ) -> Result<[Samples; STAGES.len()], Failure> {
        let sink = Sink::new();
        let video = VideoSettings { rate: source.info().rate, ..VideoSettings::default() };
        let mut video = VideoWriter::create(&sink.path, &video)?;
        let mut samples: [Samples; STAGES.len()] = Default::default();
        let until = limits.until();
        for _ in 0..limits.frames {
            go_on(self.context)?;
            let started = Instant::now();
            let Some(frame) = source.next_frame()? else { break };
            let captured = started.elapsed();

            let Processed { frame, enhanced, scene, times, .. } =
                engine.process(&frame).map_err(Failure::failed)?;
            for taken in &enhanced.report.steps {
                self.steps.entry(taken.step).or_default().push(taken.time);
            }
            let picture = &*frame.picture;

            let started = Instant::now();
            self.canvas.copy_from(picture);
            let view = SceneView {
                scene: &scene,
                time: frame.time,
                labels: &self.labels,
                settings: &self.overlay,
                selected: None,
            };
            draw_scene(&mut self.canvas, &mut self.text, &Mapping::identity(), &view);
            let drawn = started.elapsed();

            let screen = self.screen.get_or_insert_with(|| Screen::open(picture.size()));
            let presented = match screen {
                Ok(open) => match open.present(picture) {
                    Ok(time) => Some(time),
                    Err(why) => {
                        *screen = Err(why);
                        None
                    }
                },
                Err(_) => None,
            };

            let started = Instant::now();
            video.write(&self.canvas, frame.time)?;
            let encoded = started.elapsed();

            let EngineTimes { enhance, letterbox, inference, decode, tracking } = times;
            let before = [captured, enhance, letterbox, inference, decode];
            let before = before.into_iter().chain([tracking.camera_motion, tracking.track, drawn]).map(Some);
            for (samples, time) in samples.iter_mut().zip(before.chain([presented, Some(encoded)])) {
                samples.extend(time);
            }
            each();
            if is_over(until) {
                break;
            }
        }
        Ok(samples)
    }
}

/// Where the video goes that nobody wants.
struct Sink {
    path: PathBuf,
}

impl Sink {
    fn new() -> Self {
        let nowhere = Path::new("/dev/null");
        if cfg!(unix) && nowhere.exists() {
            return Self { path: nowhere.to_owned() };
        }
        let name = format!("trailsight-bench-{}.avi", std::process::id());
        Self { path: std::env::temp_dir().join(name) }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It was never finished: what there is of it has the partial name. Beside a device there is none.
        if self.path.extension().is_some() {
            let _ = std::fs::remove_file(partial_name(&self.path));
        }
    }
}
