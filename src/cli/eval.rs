//! The arguments of `eval`.

use std::path::PathBuf;

use clap::Args;

use super::ResultsDialectArgs;
use super::study::RulesArgs;

pub(super) const HELP: &str = "\
Files are MOTChallenge text. The ground truth is DIR/SEQUENCE/gt/gt.txt; gt/dontcare.txt (regions that are not scored) and \
DIR/SEQUENCE/seqinfo.ini are optional. The results are RESULTS/SEQUENCE.txt.

Example:
  for s in MOT17-02 MOT17-05; do
    trailsight track --detections MOT17/$s/det/det.txt --size 1920x1080 --fps 30 --tracks out/$s.txt
  done
  trailsight eval --gt MOT17 --results out

The benchmark's rules decide what counts. mot17, mot20 and dancetrack count pedestrians and leave out results on distractors. \
mot15 counts every box with a conf other than 0. kitti scores each class by itself, and adds the mean of the classes that \
both sides have. Accuracies are in percent. A result matches an object if their overlap (IoU) is at least 0.5; HOTA uses all \
thresholds from 0.05 to 0.95. The numbers equal those of TrackEval.";

/// The arguments of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The data set: a folder with a folder for each sequence
    #[arg(long, value_name = "DIR")]
    pub gt: PathBuf,
    /// The tracks to score: a folder with one SEQUENCE.txt per sequence
    #[arg(long, value_name = "DIR")]
    pub results: PathBuf,
    /// Score this sequence (repeatable); default: all that have results
    #[arg(long, value_name = "NAME")]
    pub seq: Vec<String>,
    /// Score the sequences with names that begin with PREFIX
    #[arg(long, value_name = "PREFIX", conflicts_with = "seq")]
    pub prefix: Option<String>,
    /// Score all boxes of this class (the number in column 8) and no others (repeatable: each class, and their mean)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub class: Vec<i32>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rules: RulesArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub read: ResultsDialectArgs,
    /// Write all numbers as JSON, with HOTA at each overlap; - writes JSON to standard output instead of the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}
