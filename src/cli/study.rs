//! The commands that work on recorded detections with a known truth.

use std::path::PathBuf;

use clap::Args;

use super::{DetectionsDialectArgs, TruthDialectArgs};
use crate::dataset::{Benchmark, ClassWord, ReadOptions};
use crate::tuning::Objective;

/// How a data set is read.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Use only every Nth frame, at the true rate; the results must number these frames 1, 2, 3 …
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub every: u32,
    /// The benchmark that sets the rules; default: by the sequence's name
    #[arg(long, value_name = "NAME", value_parser = Benchmark::ALL.map(Benchmark::name))]
    pub benchmark: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub truth: TruthDialectArgs,
}

impl RulesArgs {
    /// These arguments as options of the reader.
    ///
    /// # Errors
    /// Says which file of class names cannot be read.
    pub fn options(&self) -> Result<ReadOptions, String> {
        let benchmark = self.benchmark.as_deref().and_then(Benchmark::named);
        let truth = self.truth.dialect()?;
        Ok(ReadOptions { every: self.every as usize, benchmark, truth, ..ReadOptions::default() })
    }
}

/// Which sequences are run, and how.
#[derive(Debug, Args)]
pub struct SequenceArgs {
    /// The data set: a folder with a folder for each sequence (gt/gt.txt, seqinfo.ini, detections)
    #[arg(long, value_name = "DIR")]
    pub gt: PathBuf,
    /// The file with the detections, in each sequence's folder
    #[arg(long, value_name = "FILE", default_value = "det/det.txt")]
    pub detections: PathBuf,
    /// Use only sequences of this name or pattern (repeatable); each pattern is a group, and all groups have the same weight
    #[arg(long, value_name = "PATTERN")]
    pub seq: Vec<String>,
    /// Score only boxes of this class, its number in column 8 or its name (repeatable: their mean)
    #[arg(long, value_name = "CLASS", value_parser = ClassWord::parse)]
    pub class: Vec<ClassWord>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rules: RulesArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub read: DetectionsDialectArgs,
}

/// What `ablate --help` adds.
pub(super) const ABLATE_HELP: &str = "\
The tracker runs once with the settings in force, and once more without each of its parts. The table shows how much each number \
changes. The first line below the settings in force is the spread: the standard deviation over runs on detections with every \
edge moved by up to half a pixel. Differences smaller than twice the spread mean nothing. With three groups or more, the last two \
columns are the smallest and the largest change of the mean where one of the groups is left out: a part that helps or \
harms whichever is left out is not fitted to one of them.

Example:
  trailsight ablate --gt MOT17
  trailsight ablate --gt data --seq 'MOT17-*' --seq 'dancetrack*'    one column a group, and their mean";

/// The arguments of `ablate`.
#[derive(Debug, Args)]
pub struct AblateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sequences: SequenceArgs,
    /// Number of runs on moved detections, for the spread; 0: none
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub jitter: u32,
}

/// What `tune --help` adds.
pub(super) const TUNE_HELP: &str = "\
Searches for better values of [tracker] for recorded detections, starting at the settings in force. First it checks the search \
on sequences that the search does not see: the sequences are divided into folds, and each fold is held out once. A new \
recording may gain what the held-out sequences gain. If they gain much less than the others, the values fit only these \
sequences. Then it searches on all sequences together, and writes the values to a file for --config. Ctrl-C ends the search \
and keeps the best values so far.

Example:
  trailsight tune --gt mydata --seconds 120 --output tuned.toml
  trailsight --config tuned.toml video.mp4";

/// The arguments of `tune`.
#[derive(Debug, Args)]
pub struct TuneArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sequences: SequenceArgs,
    /// Number of settings that each search tries
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..))]
    pub trials: u32,
    /// End all searches together after this many seconds
    #[arg(long, value_name = "S", value_parser = positive)]
    pub seconds: Option<f64>,
    /// The score to maximise: hota, assa, idf1 or mota
    #[arg(long, value_name = "NAME", default_value = "hota", value_parser = objective)]
    pub objective: Objective,
    /// Number of folds, each held out once; 1: no such check
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub folds: u32,
    /// Hold out whole groups (each --seq pattern is one) instead of folds: how the values do on a data set of another kind
    #[arg(long, conflicts_with = "folds")]
    pub by_group: bool,
    /// Seed of the random changes; without --seconds, the same seed gives the same result
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Learn what tells two tracks apart after a crossing instead, and print the weights
    #[arg(long)]
    pub crossings: bool,
    /// The file for the settings
    #[arg(long, value_name = "FILE", default_value = "tuned.toml")]
    pub output: PathBuf,
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 1e7);
    seconds.ok_or_else(|| "expected a number of seconds above 0".to_owned())
}

fn objective(text: &str) -> Result<Objective, String> {
    let known = Objective::ALL.into_iter().find(|(name, _)| *name == text);
    known.map(|(_, objective)| objective).ok_or_else(|| {
        let names: Vec<&str> = Objective::ALL.iter().map(|(name, _)| *name).collect();
        format!("expected {}", names.join(", "))
    })
}
