//! `trailsight watch`: a window; without a display, the same work into files.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

#[cfg(feature = "window")]
use std::sync::Arc;

#[cfg(feature = "window")]
use super::playlist::Playlist;
use super::{Context, Failure, input, outputs, progress, tell_of_nothing_to_count, track_one};
#[cfg(feature = "window")]
use crate::analyse::Stages;
use crate::cli::WatchArgs;
#[cfg(feature = "window")]
use crate::config::{Live, Settings};
#[cfg(feature = "window")]
use crate::engine::DetectionSource;
#[cfg(feature = "window")]
use crate::pipeline::model_choice::{Demand, load_in_time};
#[cfg(feature = "window")]
use crate::pipeline::{Mode, Pipeline, Plan, Recorder, RecorderSetup, Stats};
use crate::pipeline::{Outputs, StatusFile};
use crate::sink::{Purpose, ffmpeg_available};
#[cfg(feature = "window")]
use crate::source::SourceInfo;
#[cfg(feature = "window")]
use crate::ui::session::{Carried, Outcome, Place, SessionSetup};
#[cfg(feature = "window")]
use crate::ui::{Surface, Window};
use crate::zoo::first_hint;

/// Where results go when there is no window to show them in.
const FOLDER: &str = "trailsight-out";

pub(super) fn run(args: &WatchArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    #[cfg(feature = "window")]
    if super::grid::is_wanted(args) {
        return super::grid::run(args, context);
    }
    tell_of_nothing_to_count(&args.output, settings);
    let mut outputs = outputs(&args.output, &settings.record)?;
    if args.repeat && outputs.has(Purpose::Video) {
        // A loop has no end that a video could come to; what was typed does not get here.
        log::info!("record.path has no effect with --loop; the key v records");
        outputs.remove(Purpose::Video);
        outputs.remove(Purpose::RawVideo);
    }
    input::check_status(args.status_file.as_deref(), &args.sources, &outputs)?;
    let input = match args.sources.first() {
        Some(source) => input::open(source, settings)?,
        None => input::open_first(settings)?,
    };
    if let Some(note) = &input.note {
        progress::say(note);
    }
    match open_window(&input) {
        Ok(window) => {
            tell_of_models(context);
            in_window(window, input, &outputs, args, context)
        }
        Err(reason) => {
            if let Some(more) = args.sources.get(1) {
                let more = more.display();
                progress::say(&format!(
                    "only the first recording is tracked; {more} and all after it are not"
                ));
            }
            let status = args.status_file.clone().map(StatusFile::new);
            into_files(input, outputs, status, context, &reason)
        }
    }
}

/// Says to a person, once and for all, that there are better models.
fn tell_of_models(context: &Context) {
    let is_person = std::io::stderr().is_terminal() && !context.quiet;
    if let Some(hint) = is_person.then(|| first_hint(&context.loaded.settings.detector.model)).flatten() {
        progress::say(&hint);
    }
}

/// Opens the window, or says why there can be none.
#[cfg(feature = "window")]
fn open_window(input: &input::Input) -> Result<Window, String> {
    if !crate::ui::display_available() {
        return Err("there is no display".to_owned());
    }
    let info = input.source.info();
    let size = info.size.unwrap_or((1280, 720));
    Window::open(&title(input), size).map_err(|error| error.to_string())
}

#[cfg(feature = "window")]
fn title(input: &input::Input) -> String {
    format!("{} – trailsight", input.source.info().name)
}

#[cfg(not(feature = "window"))]
fn open_window(_: &input::Input) -> Result<std::convert::Infallible, String> {
    Err("this program was built without a window".to_owned())
}

fn into_files(
    input: input::Input,
    mut outputs: Outputs,
    status: Option<StatusFile>,
    context: &Context,
    reason: &str,
) -> Result<(), Failure> {
    let folder = Path::new(FOLDER);
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make the folder {FOLDER}: {error}")))?;
    let ending = if ffmpeg_available() { "mp4" } else { "avi" };
    outputs.add(Purpose::Tracks, folder.join("tracks.txt"));
    if !outputs.has(Purpose::Video) {
        outputs.add(Purpose::Video, folder.join(format!("video.{ending}")));
    }
    outputs.add(Purpose::Snapshot, folder.join("snapshot.png"));
    let names: Vec<String> =
        outputs.paths().map(|path: &Path| PathBuf::from(path).display().to_string()).collect();
    progress::say(&format!("{reason}: working without a window, into {}", names.join(", ")));
    track_one::track_source(input, &outputs, status, context)
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

/// Shows one recording after the other, as long as another one is asked for.
#[cfg(feature = "window")]
fn in_window(
    mut window: Window,
    input: input::Input,
    outputs: &Outputs,
    args: &WatchArgs,
    context: &Context,
) -> Result<(), Failure> {
    let list = Playlist::new(&args.sources);
    let mut place = list.begin();
    let mut carried = Carried {
        live: Live::new(context.loaded.clone()),
        speed: 1.0,
        repeat: args.repeat,
        note: input.note.clone(),
    };
    let mut input = input;
    loop {
        let steps;
        let at = Place { at: place, of: list.len() };
        (steps, carried) = match show(&mut window, input, outputs, carried, at, args, context)? {
            (Outcome::Closed, _) => return Ok(()),
            (Outcome::File(steps), carried) => (steps, carried),
        };
        // What cannot be opened is passed over, and told; where nothing is left, the one from before comes back.
        let mut problems = Vec::new();
        let from = place;
        input = loop {
            let next = place.checked_add_signed(steps as isize);
            let Some((next, source)) = next.and_then(|next| Some((next, list.get(next)?))) else {
                place = from;
                let source = list.get(from).unwrap_or_default();
                break input::open(source, carried.live.settings())?;
            };
            place = next;
            match input::open(source, carried.live.settings()) {
                Ok(input) => break input,
                Err(error) => problems.push(error.to_string()),
            }
        };
        problems.iter().for_each(|problem| progress::say(&format!("trailsight: {problem}")));
        carried.note = (!problems.is_empty()).then(|| problems.join("; "));
        window.set_title(&title(&input));
    }
}

/// Shows one recording or camera.
#[cfg(feature = "window")]
fn show(
    window: &mut Window,
    input: input::Input,
    outputs: &Outputs,
    carried: Carried,
    place: Place,
    args: &WatchArgs,
    context: &Context,
) -> Result<(Outcome, Carried), Failure> {
    let mut carried = carried;
    let mut settings = carried.live.settings().clone();
    let info = input.source.info();
    let every_frame = settings.source.every_frame && !info.kind.is_live();
    let load = |settings: &Settings| match every_frame {
        true => DetectionSource::load(&settings.detect_for_tracking()),
        false => load_in_time(settings, Demand::of(info, settings)),
    };
    let detector = match load(&settings) {
        Ok(detector) => detector,
        // It was asked for while another recording ran: the network from the beginning is still good.
        Err(error) if settings.detector != context.loaded.settings.detector => {
            progress::say(&format!("trailsight: {error}"));
            carried.note = Some(error.to_string());
            settings.detector = context.loaded.settings.detector.clone();
            load(&settings)?
        }
        Err(error) => return Err(error.into()),
    };
    let labels = Arc::new(detector.labels().cloned().unwrap_or_default());
    let stats = Arc::new(Stats::default());
    // Where one can go back and forth, the recording's sound would belong to other pictures.
    let replay = !args.exit_at_end;
    let mute = SourceInfo { sound: info.sound.clone().filter(|_| !replay), ..info.clone() };
    let recorder = Recorder::open(RecorderSetup {
        outputs,
        sinks: Vec::new(),
        registry: context.registry.clone(),
        info: &mute,
        inputs: &input.files,
        labels: &labels,
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time: info.kind.is_live(),
        stats: &stats,
    })?;
    context.stop.be_graceful();
    let stop = context.stop.for_another_run();
    let pipeline = Pipeline::start(Plan {
        source: input.source,
        reopen: input.reopen,
        detector,
        settings: &settings,
        mode: Mode::in_window(every_frame, replay),
        stages: Stages::default(),
        number: 1,
        stats,
        stop: stop.clone(),
    })
    .map_err(Failure::failed)?;
    let session = SessionSetup {
        pipeline,
        recorder,
        to_files: !outputs.is_empty(),
        labels,
        carried,
        every_frame,
        exit_at_end: args.exit_at_end,
        place,
        status_file: args.status_file.clone(),
        stop,
    };
    match (session.run(window), context.stop.signal()) {
        (Err(error), _) => Err(Failure::failed(error)),
        (Ok(_), Some(signal)) => Err(Failure::Signal(signal)),
        (Ok(outcome), None) => Ok(outcome),
    }
}
