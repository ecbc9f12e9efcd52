//! The arguments of `eval`.

use std::path::PathBuf;

use clap::Args;

use super::ResultsDialectArgs;
use super::study::RulesArgs;
use crate::dataset::ClassWord;

pub(super) const HELP: &str = "\
The ground truth is DIR/SEQUENCE/gt/gt.txt in MOTChallenge text; gt/dontcare.txt (regions that are not scored) and \
DIR/SEQUENCE/seqinfo.ini are optional. It may also be gt.zip, gt.xml, gt.json, gt.jsonl or gt.csv there, annotations.xml in \
DIR/SEQUENCE, or a file for each sequence in DIR (KITTI's label_02, VisDrone's annotations, UAVDT's *_gt.txt): trailsight \
convert --help lists the formats. The results are RESULTS/SEQUENCE.txt, or in any of these formats.

Example:
  for s in MOT17-02 MOT17-05; do
    trailsight track --detections MOT17/$s/det/det.txt --size 1920x1080 --fps 30 --tracks out/$s.txt
  done
  trailsight eval --gt MOT17 --results out

The benchmark's rules decide what counts. mot17, mot20 and dancetrack count pedestrians and leave out results on distractors. \
mot15 counts every box with a conf other than 0. kitti scores cars and pedestrians, each by itself, and adds their mean; \
MOTChallenge text does not say what is hidden, and is scored there class by class, without those rules. visdrone scores its five \
classes and leaves out what lies in ignored regions; uavdt scores all vehicles together. --benchmark mot15 goes without \
the rules of a format. Accuracies are in percent. A result matches an object if their overlap (IoU) is at least 0.5; HOTA uses all \
thresholds from 0.05 to 0.95. The numbers equal those of TrackEval where it knows the benchmark.

--causes counts for each time that an object is found under another id why that was: duplicate (the old id is still on it), beyond \
memory (not found for longer than the default of tracker.lost_track_seconds), crossing (it overlapped another object), camera (a jolt), \
hidden (covered, or not in the truth), short gap (none of these). The last column says how much HOTA would rise if all losses of \
that cause were healed: what there is to gain.";

/// The arguments of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The data set: a folder with a folder or a file for each sequence, or one file
    #[arg(long, value_name = "DIR")]
    pub gt: PathBuf,
    /// The tracks to score: a folder with one SEQUENCE.txt (.jsonl, .json, .csv, .xml, .zip) per sequence, or one file
    #[arg(long, value_name = "DIR")]
    pub results: PathBuf,
    /// Score this sequence (repeatable); default: all that have results
    #[arg(long, value_name = "NAME")]
    pub seq: Vec<String>,
    /// Score the sequences with names that begin with PREFIX
    #[arg(long, value_name = "PREFIX", conflicts_with = "seq")]
    pub prefix: Option<String>,
    /// Score the boxes of this class (its number in column 8, or its name) and no others (repeatable: each class, and their
    /// mean)
    #[arg(long, value_name = "CLASS", value_parser = ClassWord::parse)]
    pub class: Vec<ClassWord>,
    /// Class A of the ground truth is class B of the results, by number or name (repeatable), such as 4=3 where VisDrone's cars
    /// are those of COCO
    #[arg(long, value_name = "A=B")]
    pub map: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rules: RulesArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub read: ResultsDialectArgs,
    /// Also tell why identities were lost, and what HOTA would be without the losses of each cause
    #[arg(long)]
    pub causes: bool,
    /// Write all numbers as JSON, with HOTA at each overlap; - writes JSON to standard output instead of the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}
