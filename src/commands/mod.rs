//! What each command does: from what was typed to a run and its outcome.

mod ablate;
mod batch;
mod bench;
mod cameras;
mod config;
mod convert;
mod detect;
mod eval;
mod events;
mod generate;
#[cfg(feature = "window")]
mod grid;
mod input;
mod models;
mod plate;
#[cfg(feature = "window")]
mod playlist;
mod progress;
mod render;
mod sequence_set;
mod track;
mod track_boxes;
mod track_one;
mod tune;
mod watch;

use std::path::Path;

use clap::Parser;

use crate::analyse::When;
use crate::cli::{Cli, Command, CommonArgs, MotClass, OutputArgs};
use crate::config::{
    ConfigError, Given, Loaded, Settings, check_counted_classes, check_heat_classes, check_rule_classes,
};
use crate::dataset::labels_beside;
use crate::detect::DetectError;
use crate::pipeline::{Outputs, Stop};
use crate::sink::{Purpose, RecordSettings, Registry, SinkError, is_address, raw_name};
use crate::zoo::ZooError;

/// Why a command did not do what was asked; decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage or settings: 2.
    Usage(String),
    /// It failed: 1.
    Failed(String),
    /// Stopped by this signal: 128 + its number.
    Signal(i32),
    /// Told already: 1.
    Told,
}

impl Failure {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// What went wrong, in words; empty if it was reported already, or if a signal ended the run.
    fn why(self) -> String {
        match self {
            Self::Usage(why) | Self::Failed(why) => why,
            Self::Signal(_) | Self::Told => String::new(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<DetectError> for Failure {
    fn from(error: DetectError) -> Self {
        match error {
            DetectError::UnknownClass { .. } | DetectError::NoOnnxRuntime => Self::Usage(error.to_string()),
            _ => Self::failed(error),
        }
    }
}

impl From<ZooError> for Failure {
    fn from(error: ZooError) -> Self {
        match error {
            ZooError::Unknown { .. } | ZooError::BuiltIn { .. } => Self::Usage(error.to_string()),
            _ => Self::failed(error),
        }
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        match error {
            SinkError::Ending { .. } | SinkError::Scheme { .. } => Self::Usage(error.to_string()),
            _ => Self::failed(error),
        }
    }
}

/// The outputs that were typed or set. Their names are checked before anything is opened: known endings, each name once,
/// one standard output.
fn outputs(typed: &OutputArgs, settings: &RecordSettings) -> Result<Outputs, Failure> {
    let OutputArgs { tracks, events, counts, metrics, heat, video, gif, .. } = typed.clone();
    let video = video.or_else(|| settings.path.clone());
    // What has no name of its own, a device or a pipe, has nothing beside it either.
    let raw = video.as_deref().filter(|path| settings.raw && path.extension().is_some()).map(raw_name);
    let wanted = (tracks.into_iter().map(|path| (Purpose::Tracks, path)))
        .chain(events.into_iter().map(|path| (Purpose::Events, path)))
        .chain(counts.map(|path| (Purpose::Counts, path)))
        .chain(metrics.map(|address| (Purpose::Metrics, format!("metrics://{address}").into())))
        .chain(heat.into_iter().map(|path| (Purpose::Heat, path)))
        .chain(raw.map(|path| (Purpose::RawVideo, path)))
        .chain(video.map(|path| (Purpose::Video, path)))
        .chain(gif.map(|path| (Purpose::Clip, path)));
    let (registry, mut outputs) = (Registry::default(), Outputs::default());
    for (purpose, path) in wanted {
        registry.check(purpose, &path)?;
        if is_address(&path) {
            // Making a sink touches nothing, and says what is wrong with an address.
            registry.make(purpose, &path, 80).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        outputs.add(purpose, path);
    }
    let all: Vec<&Path> = outputs.targets().collect();
    match all.iter().enumerate().find(|(index, path)| all[..*index].contains(path)) {
        Some((_, twice)) => Err(Failure::Usage(format!("the output {} is given twice", twice.display()))),
        None => Ok(outputs),
    }
}

/// Says so where events or counts are asked for and there is nothing to count at, nor a rule.
fn tell_of_nothing_to_count(typed: &OutputArgs, settings: &Settings) {
    let none = settings.counting.is_empty();
    if none && (!typed.events.is_empty() && settings.rules.is_empty() || typed.counts.is_some()) {
        log::warn!("there is no [[line]] and no [[zone]] in the settings: nothing will be counted");
    }
}

/// What every command is given.
struct Context {
    loaded: Loaded,
    stop: Stop,
    quiet: bool,
    /// The sinks that there are.
    registry: Registry,
}

/// Runs the program: reads the command line, does what it says, and gives the exit code.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // What was typed is quoted in it.
        Err(error) if error.use_stderr() && progress::showable(&error.to_string()) != error.to_string() => {
            eprintln!("{}", progress::showable(error.to_string().trim_end()));
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
        Err(error) => {
            // --help and --version come this way too, with code 0; a closed pipe is nothing to complain about.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    progress::log_to_stderr(cli.common.verbose, cli.common.quiet);
    match run(cli) {
        Ok(()) => 0,
        Err(Failure::Usage(why)) => {
            progress::say(&format!("trailsight: {why}"));
            2
        }
        Err(Failure::Failed(why)) => {
            progress::say(&format!("trailsight: {why}"));
            1
        }
        Err(Failure::Told) => 1,
        Err(Failure::Signal(signal)) => u8::try_from(128 + signal).unwrap_or(1),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let (command, common) = cli.into_command().map_err(Failure::Usage)?;
    match command {
        Command::Watch(args) => {
            let given = [args.part.given(), args.output.given()].concat();
            let context = context(&common, given)?;
            watch::run(&args, &Context { registry: registry(&args.output, &context), ..context })
        }
        Command::Track(args) => {
            let labels = match &args.detections {
                Some(file) => labels_of(file, args.dialect.labels(), common.quiet)?,
                None => None,
            };
            let given = labels.into_iter().chain(args.part.given()).chain(args.output.given()).collect();
            let context = context(&common, given)?;
            track::run(&args, &Context { registry: registry(&args.output, &context), ..context })
        }
        Command::Render(args) => {
            let labels = labels_of(&args.tracks, args.dialect.labels(), common.quiet)?;
            render::run(&args, &context(&common, labels.into_iter().chain(args.part.given()).collect())?)
        }
        Command::Events(args) => {
            for rule in &args.rule {
                let read = rule.parse::<When>();
                read.map_err(|error| Failure::Usage(format!("--rule \"{rule}\": {error}")))?;
            }
            let labels = match &args.detections {
                Some(file) => labels_of(file, args.dialect.labels(), common.quiet)?,
                None => None,
            };
            events::run(&args, &context(&common, labels.into_iter().chain(args.given()).collect())?)
        }
        Command::Detect(args) => detect::run(&args, &context(&common, args.part.given())?),
        Command::Plate(args) => plate::run(&args, &context(&common, args.part.given())?),
        Command::Eval(args) => eval::run(&args, common.quiet),
        Command::Convert(args) => convert::run(&args, common.quiet),
        Command::Ablate(args) => ablate::run(&args, &context(&common, Vec::new())?),
        Command::Tune(args) => tune::run(&args, &context(&common, Vec::new())?),
        Command::Bench(args) => bench::run(&args, &context(&common, args.given())?),
        Command::Cameras => cameras::run(),
        Command::Models(command) => models::run(&command, &common),
        Command::Config(command) => config::run(&command, &common),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
    }
}

fn loaded(common: &CommonArgs, more: Vec<Given>) -> Result<Loaded, Failure> {
    let mut given = common.given().map_err(Failure::Usage)?;
    given.extend(more);
    let loaded = Loaded::load(common.config.as_deref(), &given)?;
    tell_of_old_names(&loaded);
    if let Some(file) = &loaded.file {
        log::info!("settings from {}", file.display());
    }
    Ok(loaded)
}

fn context(common: &CommonArgs, more: Vec<Given>) -> Result<Context, Failure> {
    let loaded = loaded(common, more)?;
    // A class that nobody knows is told before anything is opened.
    let labels = crate::detect::check_classes(&loaded.settings.detector)?;
    check_counted_classes(&loaded.settings.counting, &labels)
        .and_then(|()| check_rule_classes(&loaded.settings, &labels))
        .and_then(|()| check_heat_classes(&loaded.settings.heat, &labels))
        .map_err(|(_, why)| Failure::Usage(why))?;
    let stop =
        Stop::on_signals().map_err(|error| Failure::Failed(format!("cannot catch signals: {error}")))?;
    Ok(Context { loaded, stop, quiet: common.quiet, registry: Registry::default() })
}

/// The setting that names the classes of a file of boxes: the file of names that was typed, or the one beside it, which is
/// said. `None` where there is none.
fn labels_of(file: &Path, typed: Option<&Path>, quiet: bool) -> Result<Option<Given>, Failure> {
    let (path, typed) = match typed {
        // The names of the bundled model.
        Some(path) if path.as_os_str() == "coco" => return Ok(None),
        Some(path) => (path.to_owned(), format!("--labels {}", path.display())),
        None => match labels_beside(file).map_err(Failure::Failed)? {
            Some((path, labels)) => {
                if !quiet {
                    let names: Vec<&str> = labels.iter().take(4).collect();
                    let more = if labels.len() > 4 { ", …" } else { "" };
                    eprintln!(
                        "the names of the classes are in {}: {}{more}",
                        path.display(),
                        names.join(", ")
                    );
                }
                (path.clone(), format!("the names in {}", path.display()))
            }
            None => return Ok(None),
        },
    };
    Ok(Some(Given { key: "detector.labels".to_owned(), value: path.display().to_string(), typed }))
}

/// The sinks that write as was typed.
fn registry(typed: &OutputArgs, context: &Context) -> Registry {
    let registry = match typed.mot_class {
        MotClass::Label => Registry::default(),
        MotClass::None => Registry::default().without_mot_classes(),
    };
    let has_ground = !context.loaded.settings.ground.planes.is_empty();
    if has_ground { registry.with_ground_columns() } else { registry }
}

/// Says which settings were given by a name of an earlier version.
fn tell_of_old_names(loaded: &Loaded) {
    for notice in loaded.notices() {
        log::warn!("{notice}");
    }
}

/// Writes to standard output; false where its reader went away, which is no failure.
fn print(text: &str) -> Result<bool, Failure> {
    use std::io::Write;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Failed(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(true),
    }
}
