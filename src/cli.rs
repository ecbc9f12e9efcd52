//! The command line: every command and flag, one definition each. What was typed, not yet what it means.

mod bench;
mod convert;
mod dialect;
mod eval;
mod events;
mod generate;
mod models;
mod plate;
mod render;
mod study;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Given;

pub use bench::BenchArgs;
pub use convert::ConvertArgs;
pub use dialect::{
    DetectionsDialectArgs, FileDialectArgs, ResultsDialectArgs, TruthDialectArgs, WrittenDialectArgs,
};
pub use eval::EvalArgs;
pub use events::EventsArgs;
pub use generate::{CompletionsArgs, ManArgs};
pub use models::{ModelsCommand, NamesArgs, PathArgs, PullArgs, RemoveArgs, ShowArgs};
pub use plate::PlateArgs;
pub use render::RenderArgs;
pub use study::{AblateArgs, RulesArgs, SequenceArgs, TuneArgs};

const LONG_ABOUT: &str = "\
Finds the people, cars, animals and things in a camera or a recording, keeps each one's identity from frame to frame, \
and shows it live: a window with boxes, names and fading motion trails.";

const EXAMPLES: &str = "\
Examples:
  trailsight                              the first camera; without one, a short demo clip
  trailsight video.mp4                    play a recording at its own speed
  trailsight 1 --classes person,car       the second camera, people and cars only
  trailsight rtsp://host/stream           a network camera (needs ffmpeg)
  trailsight \"simulate:demo?stall 5, unplug 3, corrupt 10% 5, resize 320x240\"
                                          a simulated camera with these faults
  trailsight 0 1 rtsp://host/stream       several sources in one window, one tile each
  trailsight track video.mp4 --video out.mp4 --tracks out.txt
                                          no window: every frame, as fast as possible, into files
  trailsight track *.mp4 --tracks 'out/{name}.txt'
                                          many recordings, several at a time
  trailsight render video.mp4 --tracks out.txt --video drawn.mp4
                                          draw tracks from a file, also from other programs
  trailsight events video.mp4 --rule \"person for 5s\"
                                          try a rule on a recording: what it would have told
  trailsight detect photos/ --coco out.json
  trailsight eval --gt MOT17 --results out
                                          score tracks: HOTA, MOTA, IDF1
  trailsight models list                  detectors that can be fetched by name
  trailsight config init                  write the commented settings to ./config.toml

In the window, h shows the keys. A SOURCE is a camera's number or part of its name, a video file, a folder or
\"pattern*.png\" of images, one image, an rtsp:// or http(s):// address, or the word demo.
Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 or 143 stopped by a signal.";

const TRACK_HELP: &str = "\
Several recordings, each into its own files; {name} is the recording's name without its ending:
  trailsight track a.mp4 b.mp4 c.avi --tracks 'out/{name}.txt' --video 'out/{name}.mp4'

As many recordings are tracked at once as there are processors (or detector.threads). Missing folders are created. If two
recordings have the same name, the second is called name-2. To continue a stopped run, type the same line again: recordings
with complete results that are newer than the recording are skipped. With --overwrite they are tracked again, for example after
a change of settings. If a recording fails, the others continue. The failed ones are listed at the end, and the exit code is
1.";

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "trailsight", version, about = "Real-time object tracking", long_about = LONG_ABOUT)]
#[command(after_help = EXAMPLES, subcommand_precedence_over_arg = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; without a command: watch.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `watch`, which is also what happens without a command.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// Flags that every command takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl Cli {
    /// What to do.
    ///
    /// # Errors
    /// Says what is wrong if flags of `watch` stand before another command.
    pub fn into_command(self) -> Result<(Command, CommonArgs), String> {
        match self.command {
            None => Ok((Command::Watch(self.watch), self.common)),
            Some(_) if self.watch.is_given() => {
                Err("the command comes first, then its sources and flags; see trailsight --help".to_owned())
            }
            Some(command) => Ok((command, self.common)),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a camera or a recording in a window (the default)
    Watch(WatchArgs),
    /// Track every frame of one or many recordings, without a window, into files
    #[command(after_help = TRACK_HELP)]
    Track(TrackArgs),
    /// Draw tracks from a file onto the recording that they belong to
    #[command(after_help = render::HELP)]
    Render(RenderArgs),
    /// Try rules on recordings: what they would have told, when, with pictures
    #[command(after_help = events::HELP)]
    Events(EventsArgs),
    /// Find objects in images or videos, without tracking
    Detect(DetectArgs),
    /// Make a picture of the place without what moves
    #[command(after_help = plate::HELP)]
    Plate(PlateArgs),
    /// Score tracks against the ground truth of a data set: HOTA, MOTA, IDF1
    #[command(after_help = eval::HELP)]
    Eval(EvalArgs),
    /// Convert tracks or detections from one format into another: MOTChallenge, COCO-VID, CVAT, KITTI and others
    #[command(after_help = convert::HELP)]
    Convert(ConvertArgs),
    /// Measure what each part of the tracker is worth on a data set
    #[command(after_help = study::ABLATE_HELP)]
    Ablate(AblateArgs),
    /// Search for better settings of the tracker on a data set
    #[command(after_help = study::TUNE_HELP)]
    Tune(TuneArgs),
    /// Measure how fast each stage is on this machine
    #[command(after_help = bench::HELP)]
    Bench(BenchArgs),
    /// List the cameras with their formats, sizes and rates
    Cameras,
    /// List, fetch and look at detectors: those known by name, and files of your own
    #[command(subcommand, after_help = models::HELP)]
    Models(ModelsCommand),
    /// Show, check or write the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a script that lets a shell complete commands and flags
    #[command(after_help = generate::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them into a folder
    #[command(after_help = generate::MAN_HELP)]
    Man(ManArgs),
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// Read settings from this file
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Change a setting, such as trails.seconds=5 (repeatable)
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
    /// Report only these classes, such as person,car
    #[arg(long, value_name = "NAMES", global = true)]
    pub classes: Option<String>,
    /// Report objects with at least this score, 0 to 1
    #[arg(long, value_name = "X", global = true, allow_negative_numbers = true)]
    pub confidence: Option<String>,
    /// Size of the network's input: auto, fast, normal, fine, finest, or WIDTHxHEIGHT
    #[arg(long, value_name = "SIZE", global = true)]
    pub input: Option<String>,
    /// Log more (-vv: much more)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl CommonArgs {
    /// The settings that were given; later ones win. `Err` says what is wrong with a `--set`.
    pub fn given(&self) -> Result<Vec<Given>, String> {
        let mut given = Vec::new();
        for typed in &self.set {
            let (key, value) = typed.split_once('=').ok_or_else(|| {
                format!("--set {typed}: expected section.key=value, such as --set detector.confidence=0.5")
            })?;
            given.push(Given {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                typed: format!("--set {typed}"),
            });
        }
        let flags = [
            ("detector.classes", "--classes", &self.classes),
            ("detector.confidence", "--confidence", &self.confidence),
            ("detector.input", "--input", &self.input),
        ];
        given.extend(
            flags.into_iter().filter_map(|(key, flag, value)| Some(flag_given(key, flag, value.as_deref()?))),
        );
        Ok(given)
    }
}

fn flag_given(key: &str, flag: &str, value: &str) -> Given {
    Given { key: key.to_owned(), value: value.to_owned(), typed: format!("{flag} {value}") }
}

/// Which part of a recording, and its frame rate.
#[derive(Debug, Args)]
pub struct PartArgs {
    /// The recording's true frames a second, if its header is wrong
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pub fps: Option<String>,
    /// Begin at this second of the recording
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub start: Option<String>,
    /// End at this second of the recording
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub end: Option<String>,
}

impl PartArgs {
    /// The settings that these flags stand for.
    pub fn given(&self) -> Vec<Given> {
        let flags = [
            ("source.fps", "--fps", &self.fps),
            ("source.start", "--start", &self.start),
            ("source.end", "--end", &self.end),
        ];
        flags
            .into_iter()
            .filter_map(|(key, flag, value)| Some(flag_given(key, flag, value.as_deref()?)))
            .collect()
    }
}

/// Where results go.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Write the tracks: .txt MOTChallenge, .jsonl, .json COCO-VID, .csv, .geojson; - writes .txt to standard output (repeatable)
    #[arg(long, value_name = "FILE")]
    pub tracks: Vec<PathBuf>,
    /// What column 8 of a .txt holds: the label's number from 1, or none (-1; TrackEval takes pedestrians alone)
    #[arg(long, value_name = "CLASS", value_enum, default_value = "label")]
    pub mot_class: MotClass,
    /// Write what happens at the lines and zones of the settings: .jsonl or .csv; - writes .jsonl to standard output; an address
    /// http(s)://… is posted each event, mqtt://HOST/PREFIX gets them published, and what cannot be delivered now waits on disk
    /// (repeatable)
    #[arg(long, value_name = "FILE|URL")]
    pub events: Vec<PathBuf>,
    /// Write what was counted at the lines and zones of the settings: .json, also while the run goes on
    #[arg(long, value_name = "FILE")]
    pub counts: Option<PathBuf>,
    /// Serve numbers for Prometheus at http://ADDRESS:PORT/metrics; other addresses than 127.0.0.1 need a token
    /// (TRAILSIGHT_METRICS_TOKEN)
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<std::net::SocketAddr>,
    /// Write for how long objects were where: .png over the picture, or .csv or .json with the seconds of each cell (repeatable)
    #[arg(long, value_name = "FILE")]
    pub heat: Vec<PathBuf>,
    /// Write the annotated video: .mp4, .mkv, .mov, .webm (need ffmpeg) or .avi
    #[arg(long, value_name = "FILE")]
    pub video: Option<PathBuf>,
    /// Write a short annotated clip as .gif: at most 20 seconds, 10 pictures a second, 480 pixels a side
    #[arg(long, value_name = "FILE")]
    pub gif: Option<PathBuf>,
}

impl OutputArgs {
    /// The settings that these flags stand for.
    pub fn given(&self) -> Vec<Given> {
        let heat = self.heat.first().map(|file| Given {
            key: "heat.gather".to_owned(),
            value: "true".to_owned(),
            typed: format!("--heat {}", file.display()),
        });
        heat.into_iter().collect()
    }
}

/// What MOTChallenge text has for a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MotClass {
    /// The label's number, from 1.
    #[default]
    Label,
    /// -1.
    None,
}

/// The arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// A camera's number or name, a file, a folder, an address, or demo; without a source, the first camera. Several sources
    /// with a camera or an address among them share the window, one tile each, nine at most. Between several recordings,
    /// or those in the folder of a single one, the keys n and p choose
    pub sources: Vec<OsString>,
    /// Show several recordings in one window, one tile each
    #[arg(long)]
    pub tiles: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
    /// Repeat the recording
    #[arg(long = "loop", conflicts_with_all = ["tracks", "events", "counts", "metrics", "heat", "video", "gif"])]
    pub repeat: bool,
    /// Close the window at the end of a recording
    #[arg(long, conflicts_with = "repeat")]
    pub exit_at_end: bool,
    /// Keep the state of the window in this file, as one JSON object, for other programs
    #[arg(long, value_name = "FILE")]
    pub status_file: Option<PathBuf>,
}

impl WatchArgs {
    /// Whether an argument was given that belongs to `watch` alone.
    fn is_given(&self) -> bool {
        let Self { sources, tiles, part, output, repeat, exit_at_end, status_file } = self;
        !sources.is_empty()
            || *tiles
            || part.fps.is_some()
            || part.start.is_some()
            || part.end.is_some()
            || output.video.is_some()
            || output.gif.is_some()
            || !output.tracks.is_empty()
            || !output.events.is_empty()
            || output.counts.is_some()
            || output.metrics.is_some()
            || !output.heat.is_empty()
            || output.mot_class != MotClass::Label
            || *repeat
            || *exit_at_end
            || status_file.is_some()
    }
}

/// The arguments of `track`.
#[derive(Debug, Args)]
pub struct TrackArgs {
    /// A recording, images, a camera or an address; or several recordings, each into its own files
    #[arg(value_name = "SOURCE", required_unless_present = "detections", conflicts_with = "detections")]
    pub sources: Vec<OsString>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
    /// Track the boxes of a MOTChallenge detection file; no pictures are read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["start", "end", "video", "gif"])]
    pub detections: Option<PathBuf>,
    /// With --detections: the size of the picture that the boxes belong to; default: from seqinfo.ini
    #[arg(long, value_name = "WxH", requires = "detections")]
    pub size: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dialect: FileDialectArgs,
    /// With --detections: track only every Nth frame; --fps is still the rate of all frames
    #[arg(long, value_name = "N", conflicts_with = "sources", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub every: u32,
    /// Of several recordings, also track those with complete results (a single recording is always tracked)
    #[arg(long)]
    pub overwrite: bool,
    /// Keep the state of the run in this file, as one JSON object, for other programs (a single source only)
    #[arg(long, value_name = "FILE", conflicts_with = "detections")]
    pub status_file: Option<PathBuf>,
}

/// The arguments of `detect`.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// Images, folders, patterns or recordings
    #[arg(required = true)]
    pub sources: Vec<OsString>,
    /// Write the boxes as COCO results JSON
    #[arg(long, value_name = "FILE")]
    pub coco: Option<PathBuf>,
    /// Write the boxes as MOTChallenge detections, for track --detections and tune (add --confidence 0.05: weak boxes help)
    #[arg(long, value_name = "FILE")]
    pub mot: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
}

/// What can be done with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force, and where each came from
    Show,
    /// Check a config file: exit code 0 if it is correct, 2 if not
    Check {
        /// The file; default: the one that the program reads
        file: Option<PathBuf>,
    },
    /// Print the commented default settings
    Default,
    /// Print a JSON Schema of the config file, for editors
    Schema,
    /// Write the commented default settings to a new file
    Init {
        /// The file; default: ./config.toml
        file: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_source_alone_is_watched_and_flags_go_anywhere() {
        let cli = parse("trailsight video.mp4 --loop --confidence 0.3").unwrap();
        assert!(cli.command.is_none() && cli.watch.repeat);
        assert_eq!(cli.watch.sources, ["video.mp4"]);
        let cli = parse("trailsight track v.mp4 --set a.b=c --tracks x.txt --tracks - --fps 7 -v").unwrap();
        assert_eq!(cli.common.given().unwrap()[0].typed, "--set a.b=c");
        let Some(Command::Track(track)) = cli.command else { panic!("track") };
        assert_eq!((track.output.tracks.len(), track.part.given()[0].key.as_str()), (2, "source.fps"));
    }

    #[test]
    fn flags_of_every_command_go_before_and_behind_it() {
        for flag in [
            "-v",
            "-q",
            "--config c.toml",
            "--set a.b=1",
            "--classes car",
            "--confidence 0.5",
            "--input fine",
        ] {
            for command in ["track v.mp4", "detect v.png", "cameras", "config show", "watch v.mp4"] {
                let lines = [format!("trailsight {flag} {command}"), format!("trailsight {command} {flag}")];
                let [before, behind] = lines.map(|line| {
                    let (command, common) = parse(&line).expect(&line).into_command().expect(&line);
                    format!("{command:?} {common:?}")
                });
                assert_eq!(before, behind);
            }
        }
        assert!(parse("trailsight --loop track v.mp4").unwrap().into_command().is_err());
        let negative = parse("trailsight v.mp4 --fps -3").unwrap();
        assert_eq!(negative.watch.part.given()[0].value, "-3");
    }

    #[test]
    fn wrong_combinations_are_refused() {
        for line in [
            "trailsight track",
            "trailsight track v.mp4 --detections d.txt --size 10x10 --fps 5",
            "trailsight track v.mp4 --every 2",
            "trailsight track --detections d.txt --every 0",
            "trailsight ablate",
            "trailsight ablate --gt a --class 0",
            "trailsight tune --gt a --objective speed",
            "trailsight tune --gt a --seconds 0",
            "trailsight tune --gt a --trials 0",
            "trailsight detect",
            "trailsight render v.mp4 --tracks t.txt",
            "trailsight render v.mp4 --video o.mp4",
            "trailsight render v.mp4 --tracks t.txt --gif o.gif --first 0",
            "trailsight bench --frames 0",
            "trailsight bench --seconds 0",
            "trailsight bench a.avi b.avi",
            "trailsight v.mp4 --loop --exit-at-end",
            "trailsight v.mp4 --loop --tracks t.txt",
            "trailsight track --detections d.txt --size 10x10 --fps 5 --start 3",
            "trailsight eval --gt a",
            "trailsight eval --gt a --results b --every 0",
            "trailsight eval --gt a --results b --class 0",
            "trailsight eval --gt a --results b --benchmark coco",
            "trailsight eval --gt a --results b --seq x --prefix y",
            "trailsight v.mp4 -q -v",
            "trailsight --nonsense",
        ] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 2, "{line}");
        }
        assert!(parse("trailsight v.mp4 --set nonsense").unwrap().common.given().is_err());
    }
}
