//! `trailsight track`: every frame, without a window, into files.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::{Context, Failure, check_outputs, input, progress};
use crate::cli::TrackArgs;
use crate::dataset::DetectionFile;
use crate::detect::{self, Detector};
use crate::labels::Labels;
use crate::pipeline::headless::{self, Census, Report};
use crate::pipeline::{Follower, Outputs, Pipeline, Plan, Recorder, Stats};
use crate::record::{TrackFileInfo, TrackWriter, partial_name, refuse_input};
use crate::track::Observation;

pub(super) fn run(args: &TrackArgs, context: &Context) -> Result<(), Failure> {
    let outputs =
        Outputs { tracks: args.output.tracks.clone(), video: args.output.video.clone(), snapshot: None };
    check_outputs(&outputs.tracks, outputs.video.as_deref())?;
    match (&args.detections, &args.source) {
        (Some(file), _) => track_detections(file, args, context),
        (None, Some(source)) => {
            track_source(input::open(source, &context.loaded.settings)?, &outputs, context)
        }
        (None, None) => Err(Failure::Usage("track needs a SOURCE or --detections FILE".to_owned())),
    }
}

/// Tracks a whole source into files, with a progress bar and a summary.
pub(super) fn track_source(input: input::Input, outputs: &Outputs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let detector = Detector::load(&settings.detect_for_tracking())?;
    let labels = Arc::new(detector.labels().clone());
    let info = input.source.info();
    let live = info.kind.is_live();
    let stats = Arc::new(Stats::default());
    let recorder =
        Recorder::open(outputs, info, input.file.as_deref(), &labels, &settings.overlay, (live, &stats))?;
    context.stop.be_graceful();
    let pipeline = Pipeline::start(Plan {
        source: input.source,
        reopen: None,
        detector,
        settings,
        every_frame: !live,
        display: false,
        stats,
        stop: context.stop.clone(),
    })
    .map_err(Failure::failed)?;

    let bar = progress::bar(&pipeline.info, context.quiet);
    let (report, result) = headless::run(pipeline, recorder, &context.stop, |followed, _| {
        bar.set_message(format!("{} tracks", followed.scene.tracks.len()));
        bar.inc(1);
    });
    bar.finish_and_clear();
    if !context.quiet {
        summarise(&report, &labels, outputs);
    }
    outcome(result.map_err(|error| (is_closed(&error), error.to_string())), context)
}

/// Whether an error is only that the reader of a pipe went away.
fn is_closed(error: &headless::HeadlessError) -> bool {
    matches!(error, headless::HeadlessError::Record(record) if record.is_closed())
}

fn outcome(result: Result<(), (bool, String)>, context: &Context) -> Result<(), Failure> {
    match (result, context.stop.signal()) {
        (Err((closed, why)), _) => {
            if closed {
                Ok(())
            } else {
                Err(Failure::Failed(why))
            }
        }
        (Ok(()), Some(signal)) => Err(Failure::Signal(signal)),
        (Ok(()), None) => Ok(()),
    }
}

/// Tells what came of it, on standard error: standard output may be a result.
fn summarise(report: &Report, labels: &Labels, outputs: &Outputs) {
    let seconds = report.elapsed.as_secs_f64();
    let fps = report.frames as f64 / seconds.max(1e-9);
    eprintln!("{} frames in {seconds:.1} s: {fps:.1} fps", report.frames);
    let [letterbox, inference, decode] = report.mean_ms;
    log::info!(
        "a frame on one thread: letterbox {letterbox:.1} ms, network {inference:.1} ms, decoding {decode:.1} ms"
    );
    eprintln!("tracks: {}", census_line(&report.census, labels));
    for path in outputs.paths().filter(|path| **path != *Path::new("-")) {
        let partial = partial_name(path);
        if report.complete {
            eprintln!("wrote {}", path.display());
        } else if partial.exists() {
            eprintln!("not complete, kept as {}", partial.display());
        }
    }
}

fn census_line(census: &Census, labels: &Labels) -> String {
    let total = census.total();
    if total.is_empty() {
        return "none".to_owned();
    }
    total
        .iter()
        .map(|(class, count)| format!("{count} {}", labels.name(*class)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Runs the tracker alone on boxes from a file.
fn track_detections(file: &Path, args: &TrackArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let size = parse_size(args.size.as_deref().unwrap_or_default())?;
    let fps = settings.source.fps.ok_or_else(|| {
        Failure::Usage("--detections needs the frames a second of the recording: --fps F".to_owned())
    })?;
    if args.output.tracks.is_empty() {
        return Err(Failure::Usage(
            "--detections needs a place for the tracks: --tracks FILE, or --tracks -".to_owned(),
        ));
    }
    let labels = Arc::new(detect::check_classes(&settings.detector)?);
    let wanted: Vec<_> = settings.detector.classes.iter().filter_map(|name| labels.find(name)).collect();
    let detections = DetectionFile::read(file).map_err(Failure::failed)?;
    let info = TrackFileInfo { source: file.display().to_string(), labels: Arc::clone(&labels) };
    let mut writers = Vec::new();
    for path in &args.output.tracks {
        refuse_input(path, file).map_err(Failure::failed)?;
        writers.push(TrackWriter::open(path, info.clone()).map_err(Failure::failed)?);
    }

    let started = Instant::now();
    let mut follower = Follower::new(settings.track(), settings.trails);
    let mut census = Census::default();
    let mut boxes = Vec::new();
    let picture = (size.0 as f32, size.1 as f32);
    for sequence in 0..detections.frames() {
        if let Some(signal) = context.stop.signal() {
            return Err(Failure::Signal(signal));
        }
        boxes.clear();
        boxes.extend(detections.at(sequence).filter(|d| wanted.is_empty() || wanted.contains(&d.class)));
        let observation =
            Observation { detections: &boxes, picture: Some(picture), ..Observation::default() };
        let scene = follower.follow(sequence, sequence as f64 / fps, &observation);
        census.count(&scene);
        for writer in &mut writers {
            match writer.write(&scene, size) {
                Err(error) if error.is_closed() => return Ok(()),
                other => other.map_err(Failure::failed)?,
            }
        }
    }
    for writer in writers {
        match writer.finish() {
            Err(error) if error.is_closed() => {}
            other => other.map_err(Failure::failed)?,
        }
    }
    if !context.quiet {
        let seconds = started.elapsed().as_secs_f64();
        let frames = detections.frames();
        eprintln!("{frames} frames in {seconds:.2} s: {:.0} fps", frames as f64 / seconds.max(1e-9));
        eprintln!("tracks: {}", census_line(&census, &labels));
        let highest = detections.rows().iter().map(|(_, d)| d.score).fold(0.0, f32::max);
        let least = settings.track().start_score;
        if highest < least {
            eprintln!(
                "no detection reaches the confidence {least}; the highest score is {highest} (--confidence lowers it)"
            );
        }
    }
    Ok(())
}

fn parse_size(text: &str) -> Result<(u32, u32), Failure> {
    let sides =
        text.split_once(['x', 'X', '×']).and_then(|(w, h)| w.trim().parse().ok().zip(h.trim().parse().ok()));
    sides.filter(|&(width, height)| crate::frame::Picture::bytes(width, height).is_ok()).ok_or_else(|| {
        Failure::Usage(format!("--size {text}: expected WIDTHxHEIGHT in pixels, such as 1920x1080"))
    })
}
