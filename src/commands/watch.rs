//! `trailsight watch`: a window; without a display, the same work into files.

use std::path::{Path, PathBuf};

use super::{Context, Failure, input, track};
use crate::cli::WatchArgs;
use crate::pipeline::Outputs;

/// Where results go when there is no window to show them in.
const FOLDER: &str = "trailsight-out";

pub(super) fn run(args: &WatchArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let input = match &args.source {
        Some(source) => input::open(source, settings)?,
        None => input::open_first(settings)?,
    };
    if let Some(note) = &input.note {
        eprintln!("{note}");
    }
    match no_window() {
        None => in_window(input, args, context),
        Some(reason) => into_files(input, args, context, reason),
    }
}

/// Why there can be no window; `None`: there can.
fn no_window() -> Option<&'static str> {
    #[cfg(feature = "window")]
    if crate::view::display_available() {
        return None;
    }
    if cfg!(feature = "window") {
        Some("there is no display")
    } else {
        Some("this program was built without a window")
    }
}

fn into_files(input: input::Input, args: &WatchArgs, context: &Context, reason: &str) -> Result<(), Failure> {
    let folder = Path::new(FOLDER);
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make the folder {FOLDER}: {error}")))?;
    let ending = if crate::record::ffmpeg_available() { "mp4" } else { "avi" };
    let mut tracks = vec![folder.join("tracks.txt")];
    tracks.extend(args.output.tracks.iter().cloned());
    let video = args.output.video.clone().unwrap_or_else(|| folder.join(format!("video.{ending}")));
    let outputs = Outputs { tracks, video: Some(video), snapshot: Some(folder.join("snapshot.png")) };
    let names: Vec<String> =
        outputs.paths().map(|path: &Path| PathBuf::from(path).display().to_string()).collect();
    eprintln!("{reason}: working without a window, into {}", names.join(", "));
    track::track_source(input, &outputs, context)
}

#[cfg(not(feature = "window"))]
fn in_window(_: input::Input, _: &WatchArgs, _: &Context) -> Result<(), Failure> {
    Err(Failure::Failed("this program was built without a window".to_owned()))
}

#[cfg(feature = "window")]
fn in_window(input: input::Input, args: &WatchArgs, context: &Context) -> Result<(), Failure> {
    use std::sync::Arc;

    use crate::detect::Detector;
    use crate::pipeline::show::Show;
    use crate::pipeline::{Pipeline, Plan, Recorder};

    let settings = context.loaded.settings.clone();
    let detector = Detector::load(&settings.detect_for_tracking())?;
    let labels = Arc::new(detector.labels().clone());
    let live = input.source.info().kind.is_live();
    let every_frame = settings.source.every_frame && !live;
    let outputs =
        Outputs { tracks: args.output.tracks.clone(), video: args.output.video.clone(), snapshot: None };
    let pipeline = Pipeline::start(Plan {
        source: input.source,
        reopen: input.reopen.filter(|_| args.repeat),
        detector,
        settings: &settings,
        every_frame,
        display: true,
        stop: context.stop.clone(),
    })
    .map_err(Failure::failed)?;
    let file = input.file.as_deref();
    let opened = Recorder::open(&outputs, &pipeline.info, file, &labels, &settings.overlay, &pipeline.stats);
    let recorder = match opened {
        Ok(recorder) => recorder,
        Err(error) => {
            context.stop.ask_threads();
            let _ = pipeline.finish();
            return Err(Failure::failed(error));
        }
    };
    let show = Show {
        pipeline,
        recorder,
        labels,
        settings,
        every_frame,
        exit_at_end: args.exit_at_end,
        note: input.note,
        stop: context.stop.clone(),
    };
    let shown = show.run();
    match (shown, context.stop.signal()) {
        (Err(error), _) => Err(Failure::failed(error)),
        (Ok(()), Some(signal)) => Err(Failure::Signal(signal)),
        (Ok(()), None) => Ok(()),
    }
}
