//! `trailsight bench`: how fast each stage is on this machine, and all of them together.
//!
//! | file | what it is for |
//! |---|---|
//! | `flow` | end to end: the pipeline with all its threads |
//! | `stages`, `screen` | the stages one by one on one thread |
//! | `network` | the network alone, its layers, and what is around it, on pictures in memory |
//! | `seen` | not how fast, but how much of what is there is shown |
//! | `machine` | what it is measured on, and what this process has used of it |
//! | `statistics` | median and percentiles |
//! | `report` | the table and the JSON |

mod flow;
mod machine;
mod network;
mod report;
mod screen;
mod seen;
mod stages;
mod statistics;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Context, Failure, input, print, progress};
use crate::cli::BenchArgs;
use crate::config::Settings;
use crate::detect::Detector;
use crate::frame::Picture;
use crate::pipeline::Reopen;
use crate::sink::PartialFile;
use crate::source::{Source, SourceInfo};

use flow::Flow;
use network::{Layers, Network, Throughput};
use stages::Stages;

/// Pictures that are kept in memory, at most.
const KEPT: usize = 16;
/// And at most so many bytes of them, but for the first.
const KEPT_BYTES: usize = 256 << 20;

/// Where a measurement ends: after so many frames or runs, or after so long.
#[derive(Debug, Clone, Copy)]
struct Limits {
    frames: u64,
    time: Option<Duration>,
}

impl Limits {
    /// The moment at which a measurement that begins now has to end.
    fn until(&self) -> Option<Instant> {
        Instant::now().checked_add(self.time?)
    }
}

/// Whether that moment has come.
fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

/// What is measured, and what came of it.
struct Report {
    source: String,
    /// Pixels across and down.
    size: (u32, u32),
    model: String,
    input: String,
    runtime: String,
    threads: usize,
    /// From the model's file to the boxes of the first picture.
    load: Duration,
    flow: Option<Flow>,
    stages: Option<Stages>,
    network: Option<Network>,
    layers: Option<Layers>,
    throughput: Option<Throughput>,
}

pub(super) fn run(args: &BenchArgs, context: &Context) -> Result<(), Failure> {
    if let Some(truth) = &args.seen {
        return print(&seen::table(args, truth, context)?).map(drop);
    }
    if args.sense {
        log::warn!("--sense is now called --detector; the old name still works");
    }
    if context.loaded.settings.detector.is_motion() {
        return Err(Failure::Usage(
            "bench measures networks, and detector.model = \"motion\" has none; track -v tells how fast it is".to_owned(),
        ));
    }
    let input = input::open(&args.source, &context.loaded.settings)?;
    let Some(reopen) = input.reopen else {
        return Err(Failure::Usage(format!(
            "{} gives its frames at its own pace, which says nothing about this machine; bench needs a recording or images",
            input.source.info().name
        )));
    };
    if let Some(json) = &args.json {
        input.files.refuse(json)?;
    }
    let output = args.json.as_deref().map(PartialFile::create).transpose()?;
    context.stop.be_graceful();
    let report = match measure(args, context, input.source, &reopen) {
        Ok(report) => report,
        Err(failure) => {
            // Nothing was written yet, and an empty file is no result.
            if let Some(partial) = output.as_ref().and_then(PartialFile::path) {
                let _ = std::fs::remove_file(partial);
            }
            return Err(failure);
        }
    };
    if let Some(mut output) = output {
        match output.append(report::json(&report).as_bytes()).and_then(|()| output.finish()) {
            Err(error) if error.is_closed() => return Ok(()),
            other => other?,
        }
    }
    if args.json.as_deref() != Some(Path::new("-")) {
        print(&report::table(&report))?;
    }
    Ok(())
}

fn measure(
    args: &BenchArgs,
    context: &Context,
    source: Box<dyn Source>,
    reopen: &Reopen,
) -> Result<Report, Failure> {
    let settings = &context.loaded.settings;
    let limits = Limits { frames: u64::from(args.frames), time: args.seconds.map(Duration::from_secs_f64) };
    let info = source.info().clone();
    let pictures = first_pictures(source, if args.of_detector() { KEPT } else { 1 })?;
    let Some(picture) = pictures.first().cloned() else {
        return Err(Failure::Failed(format!("{}: it gave no picture", info.name)));
    };

    let started = Instant::now();
    let mut detector = Detector::load(&settings.detect_for_tracking())?;
    detector.detect(&picture)?;
    let load = started.elapsed();

    let mut report = Report {
        source: info.name.clone(),
        size: picture.size(),
        model: model(settings),
        input: detector.input().to_string(),
        runtime: detector.runtime(),
        threads: threads(settings),
        load,
        flow: None,
        stages: None,
        network: None,
        layers: None,
        throughput: None,
    };
    if args.in_parts() {
        if args.network {
            let detector = detector.fork()?.with_threads(report.threads)?;
            report.network = Some(network::alone(detector, &picture, limits, context)?);
        }
        if args.layers {
            let detector = detector.fork()?.with_threads(report.threads)?;
            report.layers = Some(network::layers(detector, &picture, limits, context)?);
        }
        if args.of_detector() {
            report.throughput =
                Some(network::throughput(&detector, &pictures, report.threads, limits, context)?);
        }
    } else {
        // The whole before its parts: what the parts leave in memory would be counted to it.
        drop(pictures);
        report.flow = Some(flow::measure(reopen()?, detector, limits, context)?);
        report.stages = Some(stages::measure(reopen, &info, limits, context)?);
    }
    go_on(context)?;
    Ok(report)
}

/// The first pictures of a source, as far as there is room for them.
fn first_pictures(mut source: Box<dyn Source>, most: usize) -> Result<Vec<Arc<Picture>>, Failure> {
    let (mut pictures, mut bytes) = (Vec::new(), 0);
    while pictures.len() < most && bytes < KEPT_BYTES {
        let Some(frame) = source.next_frame()? else { break };
        bytes += frame.picture.pixels().len();
        pictures.push(frame.picture);
    }
    Ok(pictures)
}

/// What a person calls the model.
fn model(settings: &Settings) -> String {
    match &settings.detector.model {
        None => "YOLOX-Nano (built in)".to_owned(),
        Some(path) => path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
    }
}

fn threads(settings: &Settings) -> usize {
    match settings.detector.threads {
        0 => machine::cores(),
        threads => threads,
    }
}

/// What a run was stopped by, if it was.
fn go_on(context: &Context) -> Result<(), Failure> {
    match context.stop.is_asked() {
        true => Err(Failure::Signal(context.stop.signal().unwrap_or(2))),
        false => Ok(()),
    }
}

/// A progress bar for one measurement; with a time limit it may end before it is full.
fn bar(limits: Limits, info: Option<&SourceInfo>, what: &str, context: &Context) -> indicatif::ProgressBar {
    let promised = info.and_then(|info| info.frames).unwrap_or(limits.frames);
    let unit = if info.is_some() { "frames" } else { "runs" };
    let bar = progress::steps(promised.min(limits.frames), unit, context.quiet);
    bar.set_message(what.to_owned());
    bar
}
