//! The arguments of `eval`.

use std::path::PathBuf;

use clap::Args;

use super::study::RulesArgs;

pub(super) const HELP: &str = "\
Files are MOTChallenge text: the truth is DIR/SEQUENCE/gt/gt.txt, beside it gt/dontcare.txt (regions that are not judged) \
and DIR/SEQUENCE/seqinfo.ini where there are; results are RESULTS/SEQUENCE.txt.

Example:
  for s in MOT17-02 MOT17-05; do
    trailsight track --detections MOT17/$s/det/det.txt --size 1920x1080 --fps 30 --tracks out/$s.txt
  done
  trailsight eval --gt MOT17 --results out

What counts is decided by the benchmark's rules: mot17 and mot20 count pedestrians and leave out results on distractors, \
dancetrack likewise; mot15 counts every box whose conf is not 0; kitti scores class by class, and adds the mean of the \
classes that both sides have. Accuracies are in percent; a result is on an object from an overlap (IoU) of 0.5 on, for HOTA \
from 0.05 to 0.95. The numbers are those of TrackEval.";

/// The arguments of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The data set: a folder with a folder for each sequence
    #[arg(long, value_name = "DIR")]
    pub gt: PathBuf,
    /// The tracks to be scored: a folder with SEQUENCE.txt for each
    #[arg(long, value_name = "DIR")]
    pub results: PathBuf,
    /// Score this sequence (repeatable); nothing: all that have results
    #[arg(long, value_name = "NAME")]
    pub seq: Vec<String>,
    /// Score the sequences whose names begin so
    #[arg(long, value_name = "PREFIX", conflicts_with = "seq")]
    pub prefix: Option<String>,
    /// Score only boxes of this class, the number in column 8, and all of them (repeatable: each, and their mean)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub class: Vec<i32>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rules: RulesArgs,
    /// Write all numbers as JSON, HOTA at each overlap too; - is standard output, without the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}
