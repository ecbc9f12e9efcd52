//! `trailsight watch`: a window; without a display, the same work into files.

use std::path::{Path, PathBuf};

#[cfg(feature = "window")]
use std::sync::Arc;

use super::{Context, Failure, input, outputs, track};
use crate::cli::WatchArgs;
#[cfg(feature = "window")]
use crate::detect::Detector;
use crate::pipeline::Outputs;
#[cfg(feature = "window")]
use crate::pipeline::show::Show;
#[cfg(feature = "window")]
use crate::pipeline::{Pipeline, Plan, Recorder, Stats};
#[cfg(feature = "window")]
use crate::view::Window;

/// Where results go when there is no window to show them in.
const FOLDER: &str = "trailsight-out";

pub(super) fn run(args: &WatchArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let mut outputs = outputs(&args.output, &settings.record)?;
    if args.repeat && outputs.video.is_some() {
        // A loop has no end that a video could come to; what was typed does not get here.
        log::info!("record.path does not count with --loop; the key v records");
        (outputs.video, outputs.raw) = (None, None);
    }
    let input = match &args.source {
        Some(source) => input::open(source, settings)?,
        None => input::open_first(settings)?,
    };
    if let Some(note) = &input.note {
        eprintln!("{note}");
    }
    match open_window(&input) {
        Ok(window) => in_window(window, input, &outputs, args, context),
        Err(reason) => into_files(input, outputs, context, &reason),
    }
}

/// Opens the window, or says why there can be none.
#[cfg(feature = "window")]
fn open_window(input: &input::Input) -> Result<Window, String> {
    if !crate::view::display_available() {
        return Err("there is no display".to_owned());
    }
    let info = input.source.info();
    let size = info.size.unwrap_or((1280, 720));
    Window::open(&format!("{} – trailsight", info.name), size).map_err(|error| error.to_string())
}

#[cfg(not(feature = "window"))]
fn open_window(_: &input::Input) -> Result<std::convert::Infallible, String> {
    Err("this program was built without a window".to_owned())
}

fn into_files(
    input: input::Input,
    mut outputs: Outputs,
    context: &Context,
    reason: &str,
) -> Result<(), Failure> {
    let folder = Path::new(FOLDER);
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make the folder {FOLDER}: {error}")))?;
    let ending = if crate::record::ffmpeg_available() { "mp4" } else { "avi" };
    outputs.tracks.insert(0, folder.join("tracks.txt"));
    outputs.video.get_or_insert_with(|| folder.join(format!("video.{ending}")));
    outputs.snapshot = Some(folder.join("snapshot.png"));
    let names: Vec<String> =
        outputs.paths().map(|path: &Path| PathBuf::from(path).display().to_string()).collect();
    eprintln!("{reason}: working without a window, into {}", names.join(", "));
    track::track_source(input, &outputs, context)
}

#[cfg(not(feature = "window"))]
fn in_window(
    never: std::convert::Infallible,
    _: input::Input,
    _: &Outputs,
    _: &WatchArgs,
    _: &Context,
) -> Result<(), Failure> {
    match never {}
}

#[cfg(feature = "window")]
fn in_window(
    mut window: Window,
    input: input::Input,
    outputs: &Outputs,
    args: &WatchArgs,
    context: &Context,
) -> Result<(), Failure> {
    let settings = context.loaded.settings.clone();
    let detector = Detector::load(&settings.detect_for_tracking())?;
    let labels = Arc::new(detector.labels().clone());
    let info = input.source.info();
    let every_frame = settings.source.every_frame && !info.kind.is_live();
    let stats = Arc::new(Stats::default());
    let (file, overlay, way) = (input.file.as_deref(), &settings.overlay, (!every_frame, &*stats));
    let recorder = Recorder::open(outputs, info, file, &labels, overlay, &settings.record, way)?;
    context.stop.be_graceful();
    let pipeline = Pipeline::start(Plan {
        source: input.source,
        reopen: input.reopen.filter(|_| args.repeat),
        detector,
        settings: &settings,
        every_frame,
        display: true,
        stats,
        stop: context.stop.clone(),
    })
    .map_err(Failure::failed)?;
    let show = Show {
        pipeline,
        recorder: Some(recorder),
        labels,
        settings,
        every_frame,
        exit_at_end: args.exit_at_end,
        note: input.note,
        stop: context.stop.clone(),
    };
    match (show.run(&mut window), context.stop.signal()) {
        (Err(error), _) => Err(Failure::failed(error)),
        (Ok(()), Some(signal)) => Err(Failure::Signal(signal)),
        (Ok(()), None) => Ok(()),
    }
}
