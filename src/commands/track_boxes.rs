//! `trailsight track --detections`: the tracker alone, on boxes from a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::progress::census_line;
use super::{Context, Failure, outputs};
use crate::analyse::{Counting, MeasureSettings, Measuring, Rules};
use crate::cli::{FileDialectArgs, TrackArgs};
use crate::dataset::{DetectionFile, Dialect, SequenceInfo};
use crate::detect;
use crate::detection::{ClassId, Detections};
use crate::engine::{TrackInput, TrackStage, TrackingSettings};
use crate::labels::Labels;
use crate::pipeline::headless::Census;
use crate::pipeline::{Output, clock};
use crate::scene::Scene;
use crate::sink::{End, FrameFacts, RecordSettings, RunInfo, SinkError, Sinks, is_address, refuse_input};
use crate::track::LookAhead;

/// What the boxes were found in.
struct Recording {
    /// Width and height of the picture in pixels.
    size: (u32, u32),
    /// All frames in a second.
    fps: f64,
    /// How many frames there are, where that is known.
    frames: Option<usize>,
    pictures: Option<PictureNames>,
}

/// What the pictures of a data set's sequence are called: `SEQUENCE/img1/000001.jpg`.
struct PictureNames {
    /// With a slash at the end.
    folder: String,
    digits: usize,
    ending: String,
}

impl PictureNames {
    /// As the `seqinfo.ini` of the sequence says, in this folder.
    fn of(folder: &Path, info: &SequenceInfo) -> Option<Self> {
        let (pictures, ending) = info.image_folder.clone().zip(info.image_ending.clone())?;
        let first = std::fs::read_dir(folder.join(&pictures)).ok().and_then(|mut entries| entries.next());
        let stem = first.and_then(Result::ok).map(|entry| entry.path().with_extension(""));
        let digits =
            stem.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let digits = digits.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let sequence = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let sequence = sequence.file_name().map(|name| format!("{}/", name.to_string_lossy()));
        let folder = format!("{}{pictures}/", sequence.unwrap_or_default());
        Some(Self { folder, digits: digits.map_or(6, |name| name.len()), ending })
    }

    /// Of a frame, from 0.
    fn name(&self, frame: u64) -> Arc<str> {
        let Self { folder, digits, ending } = self;
        format!("{folder}{:0digits$}{ending}", frame + 1).into()
    }
}

impl Recording {
    /// As the command line says, or else the `seqinfo.ini` of the folder that a data set keeps its detections in.
    fn of(file: &Path, (size, fps): (Option<&str>, Option<f64>), context: &Context) -> Result<Self, Failure> {
        let folders = file.ancestors().skip(1).take(2);
        let beside = folders.map(|folder| folder.join("seqinfo.ini")).find(|path| path.is_file());
        let info = beside.as_deref().map_or(Ok(SequenceInfo::default()), SequenceInfo::read);
        let info = info.map_err(Failure::failed)?;
        let pictures =
            beside.as_deref().and_then(Path::parent).and_then(|folder| PictureNames::of(folder, &info));
        let missing = |what: &str, flag: &str| {
            Failure::Usage(format!(
                "--detections needs {what}: {flag}, or a seqinfo.ini beside or above {}",
                file.display()
            ))
        };
        let size = match size {
            Some(text) => parse_size(text)?,
            None => {
                let known = info.width.zip(info.height).filter(|&size| is_size(size));
                known.ok_or_else(|| missing("the size of the picture", "--size WIDTHxHEIGHT"))?
            }
        };
        let given = context.loaded.settings.source.fps;
        let fps = given
            .or(fps)
            .or(info.fps)
            .ok_or_else(|| missing("the frames a second of the recording", "--fps F"))?;
        Ok(Self { size, fps, frames: info.frames, pictures })
    }
}

/// Boxes from a file, tracked frame by frame.
pub(super) struct Boxes {
    detections: DetectionFile,
    /// The names of the classes.
    pub(super) labels: Arc<Labels>,
    /// Width and height of the picture in pixels.
    pub(super) size: (u32, u32),
    /// All frames in a second, also those that are left out.
    pub(super) fps: f64,
    /// How many frames there are.
    pub(super) frames: u64,
    pictures: Option<PictureNames>,
    /// Only every so many frames are tracked.
    every: u64,
    /// Classes that are wanted; empty: all.
    wanted: Vec<ClassId>,
    filters: bool,
    tracking: TrackingSettings,
    stage: TrackStage,
    boxes: Detections,
}

impl Boxes {
    /// Opens a file of boxes. What is not typed of the recording is found in a `seqinfo.ini` beside it.
    pub(super) fn open(
        file: &Path,
        size: Option<&str>,
        dialect: (&FileDialectArgs, u32),
        context: &Context,
    ) -> Result<Self, Failure> {
        let source = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::of_recording(file, (size, None), dialect, &source, context)
    }

    /// The same, of a recording of this name, whose size and rate are known.
    pub(super) fn of_recording(
        file: &Path,
        known: (Option<&str>, Option<f64>),
        (dialect, every): (&FileDialectArgs, u32),
        source: &str,
        context: &Context,
    ) -> Result<Self, Failure> {
        let settings = &context.loaded.settings;
        let Recording { size, fps, frames, pictures } = Recording::of(file, known, context)?;
        let every = u64::from(every);
        let labels = Arc::new(detect::check_classes(&settings.detector)?);
        let dialect = Dialect { size: Some(size), ..dialect.dialect().map_err(Failure::Usage)? };
        let detections = DetectionFile::read_as(file, &dialect).map_err(Failure::failed)?.every(every);
        // Frames behind the last detection have their lines too.
        let frames = detections.frames().max(frames.map_or(0, |frames| (frames as u64).div_ceil(every)));
        // A file that names its classes itself has numbers of its own.
        let labels = detections.labels().map_or(labels, |labels| Arc::new(labels.clone()));
        let classes = &settings.detector.classes;
        let wanted = classes.iter().filter_map(|name| labels.find(name)).collect();
        let tracking = TrackingSettings {
            track: context.loaded.track_recorded(),
            trails: settings.trails,
            camera_motion: false,
        };
        let mut stage = TrackStage::new(tracking);
        let counting = settings.counting.of_source(source, 1);
        let rules = settings.rules.iter().filter(|rule| rule.is_of_source(source, 1)).cloned().collect();
        let rules = Rules::new(rules, &counting, &labels, clock(settings, false));
        let measures = MeasureSettings {
            ground: settings.ground.of_source(source, 1),
            heat: settings.heat.gather.then(|| settings.heat.clone()),
        };
        stage.add_stage(Measuring::new(measures, &labels));
        stage.add_stage(Counting::new(counting, &labels));
        stage.add_stage(rules);
        let (filters, boxes) = (!classes.is_empty(), Detections::default());
        let own = Self {
            detections,
            labels,
            size,
            fps,
            frames,
            pictures,
            every,
            wanted,
            filters,
            tracking,
            stage,
            boxes,
        };
        Ok(own)
    }

    /// For how long it may take to decide which track is which, in seconds.
    pub(super) fn decide_seconds(&self) -> f64 {
        self.tracking.track.decide_seconds
    }

    /// Tracks the next frame, which has this number, at its time by the rate.
    pub(super) fn scene(&mut self, sequence: u64) -> Result<Scene, Failure> {
        self.scene_at(sequence, (sequence * self.every) as f64 / self.fps)
    }

    /// Tracks the next frame, which has this number and this time.
    pub(super) fn scene_at(&mut self, sequence: u64, time: f64) -> Result<Scene, Failure> {
        let Self { detections, boxes, wanted, filters, .. } = self;
        boxes.clear();
        let of_frame = detections.at(sequence).filter(|d| !*filters || wanted.contains(&d.class));
        of_frame.for_each(|detection| boxes.push(detection));
        let input = TrackInput::of_boxes(sequence, time, self.size, boxes);
        self.stage.update(&input).map_err(Failure::failed)
    }
}

pub(super) fn run(file: &Path, args: &TrackArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let outputs = outputs(&args.output, &RecordSettings { path: None, ..settings.record.clone() })?;
    if outputs.is_empty() {
        return Err(Failure::Usage(
            "--detections needs a place for the tracks: --tracks FILE, or --tracks -".to_owned(),
        ));
    }
    let mut boxes = Boxes::open(file, args.size.as_deref(), (&args.dialect, args.every), context)?;
    let (labels, size) = (Arc::clone(&boxes.labels), boxes.size);
    let run = RunInfo {
        source: file.display().to_string(),
        labels: Arc::clone(&labels),
        rate: Some(boxes.fps),
        sound: None,
    };
    let mut sinks = Vec::new();
    for Output { purpose, target } in outputs.iter() {
        if !is_address(target) {
            refuse_input(target, file).map_err(Failure::failed)?;
        }
        let quality = 100; // of pictures, of which there are none
        sinks.push(context.registry.make(*purpose, target, quality).map_err(Failure::failed)?);
    }
    let mut sinks = Sinks::begin(sinks, &run).map_err(Failure::failed)?;

    let started = Instant::now();
    let mut census = Census::default();
    let mut held = LookAhead::new(boxes.decide_seconds());
    let (pictures, every) = (boxes.pictures.take(), boxes.every);
    let mut write = |scene: &Scene, sinks: &mut Sinks| -> Result<(), SinkError> {
        census.count(scene);
        let file = pictures.as_ref().map(|pictures| pictures.name(scene.sequence * every));
        sinks.scene(scene, &FrameFacts { size, wall: None, file })
    };
    let mut written = Ok(());
    for sequence in 0..boxes.frames {
        if let Some(signal) = context.stop.signal() {
            return Err(Failure::Signal(signal));
        }
        let scene = boxes.scene(sequence)?;
        let swaps = scene.swaps.clone();
        held.push(scene.time, scene, &swaps, Scene::correct);
        written = std::iter::from_fn(|| held.pop()).try_for_each(|scene| write(&scene, &mut sinks));
        if written.is_err() {
            break;
        }
    }
    let written = written.and_then(|()| {
        std::iter::from_fn(|| held.pop_rest()).try_for_each(|scene| write(&scene, &mut sinks))
    });
    if let Err(error) = written {
        // What the others have got so far is kept under their partial names.
        if let Err(more) = sinks.finish(End::Stopped) {
            log::warn!("{more}");
        }
        return if error.is_closed() { Ok(()) } else { Err(Failure::failed(error)) };
    }
    match sinks.finish(End::Complete) {
        Err(error) if !error.is_closed() => return Err(Failure::failed(error)),
        _ => {}
    }
    if !context.quiet {
        let frames = boxes.frames;
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("{frames} frames in {seconds:.2} s: {:.0} fps", frames as f64 / seconds.max(1e-9));
        eprintln!("tracks: {}", census_line(&census, &labels));
        let detections = &boxes.detections;
        let highest = detections.rows().iter().map(|(_, d)| d.score).fold(0.0, f32::max);
        let least = boxes.tracking.track.start_score;
        if detections.rows().is_empty() {
            eprintln!("{} holds no detections", file.display());
        } else if highest < least {
            eprintln!(
                "no detection reaches the confidence {least}; the highest score is {highest} (--confidence lowers it)"
            );
        }
    }
    Ok(())
}

pub(super) fn parse_size(text: &str) -> Result<(u32, u32), Failure> {
    let sides =
        text.split_once(['x', 'X', '×']).and_then(|(w, h)| w.trim().parse().ok().zip(h.trim().parse().ok()));
    sides.filter(|&size| is_size(size)).ok_or_else(|| {
        Failure::Usage(format!("--size {text}: expected WIDTHxHEIGHT in pixels, such as 1920x1080"))
    })
}

/// Whether there can be a picture of this size.
fn is_size((width, height): (u32, u32)) -> bool {
    crate::frame::Picture::bytes(width, height).is_ok()
}
