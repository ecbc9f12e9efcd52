//! One source tracked into files, without a window.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::progress::{self, census_line, name_what_was_written};
use super::{Context, Failure, input};
use crate::analyse::Stages;
use crate::config::Settings;
use crate::engine::DetectionSource;
use crate::labels::Labels;
use crate::pipeline::headless::{self, Report};
use crate::pipeline::model_choice::{Demand, load_in_time};
use crate::pipeline::{Mode, Outputs, Pipeline, Plan, Recorder, RecorderSetup, Stats, StatusFile, Stop};
use crate::sink::{Registry, Sink};

/// A run that has begun.
pub(super) struct Begun {
    pub(super) pipeline: Pipeline,
    pub(super) recorder: Recorder,
    /// When it is to end.
    pub(super) stop: Stop,
    pub(super) labels: Arc<Labels>,
}

/// Opens the outputs and starts the threads of a run over a whole source.
pub(super) fn begin(
    input: input::Input,
    outputs: &Outputs,
    detector: DetectionSource,
    settings: &Settings,
    registry: Registry,
    stop: Stop,
) -> Result<Begun, Failure> {
    begin_with(input, (outputs, Vec::new()), detector, settings, registry, stop)
}

/// The same, with sinks of the caller's own beside the outputs.
pub(super) fn begin_with(
    input: input::Input,
    (outputs, sinks): (&Outputs, Vec<Box<dyn Sink>>),
    detector: DetectionSource,
    settings: &Settings,
    registry: Registry,
    stop: Stop,
) -> Result<Begun, Failure> {
    let labels = Arc::new(detector.labels().cloned().unwrap_or_default());
    let info = input.source.info();
    let (live, mode) = (info.kind.is_live(), Mode::into_files(info));
    let stats = Arc::new(Stats::default());
    let recorder = Recorder::open(RecorderSetup {
        outputs,
        sinks,
        registry,
        info,
        inputs: &input.files,
        labels: &labels,
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time: live,
        stats: &stats,
    })?;
    stop.be_graceful();
    let pipeline = Pipeline::start(Plan {
        source: input.source,
        reopen: None,
        detector,
        settings,
        mode,
        stages: Stages::default(),
        number: 1,
        stats,
        stop: stop.clone(),
    })
    .map_err(Failure::failed)?;
    Ok(Begun { pipeline, recorder, stop, labels })
}

/// Tracks a whole source into files, with a progress bar and a summary.
pub(super) fn track_source(
    input: input::Input,
    outputs: &Outputs,
    mut status: Option<StatusFile>,
    context: &Context,
) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let info = input.source.info();
    let detector = match info.kind.is_live() {
        true => load_in_time(settings, Demand::of(info, settings))?,
        false => DetectionSource::load(&settings.detect_for_tracking())?,
    };
    let Begun { pipeline, recorder, labels, .. } =
        begin(input, outputs, detector, settings, context.registry.clone(), context.stop.clone())?;
    let left_out = Arc::clone(&pipeline.stats.skipped_record);
    let bar = progress::bar(&pipeline.info, context.quiet);
    if let Some(status) = &mut status {
        status.write_run(None, &pipeline, &labels).map_err(Failure::failed)?;
    }
    let (report, result) = headless::run(pipeline, Some(recorder), &context.stop, |tracked, pipeline| {
        if let Some(file) = &mut status
            && let Err(error) = file.write_run(Some(tracked), pipeline, &labels)
        {
            // The tracks are what counts.
            log::warn!("{error}; this output ends here");
            status = None;
        }
        if tracked.silence {
            return;
        }
        bar.set_message(format!("{} tracks", tracked.scene.tracks.len()));
        bar.inc(1);
    });
    bar.finish_and_clear();
    if let Some(Err(error)) = status.as_mut().map(StatusFile::close_run) {
        log::warn!("{error}");
    }
    if !context.quiet {
        summarise(&report, &labels, outputs);
        let left_out = left_out.load(Ordering::Relaxed);
        if left_out > 0 {
            eprintln!("{left_out} frames are not in the video: its encoder was too slow for a live source");
        }
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
    progress::say(&format!("tracks: {}", census_line(&report.census, labels)));
    name_what_was_written(outputs, report.whole);
}
