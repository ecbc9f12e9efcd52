//! The arguments of `bench`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{PartArgs, flag_given};
use crate::config::Given;

pub(super) const HELP: &str = "\
Without --network, --layers or --detector, bench measures two things. End to end: the whole program without outputs, every \
frame, with all threads; this is the frame rate of `track`. Then each stage alone, on one thread: median, 95th and 99th \
percentile in milliseconds. The first few frames are not counted. An annotated video is encoded and discarded; if there is a \
display, a window opens for a moment.

Examples:
  trailsight bench                                the demo clip
  trailsight bench video.mp4 --frames 500 --json bench.json
  trailsight bench --network --threads 1          the network alone, repeatedly on one picture
  trailsight bench --layers                       the time of each layer of the network
  trailsight bench --detector --set detector.input=320x320
                                                  letterbox, network and suppression, one picture per thread
  trailsight bench clips --seen truth             the share of objects that is shown (docs/tracker.md)

Compare only figures that were measured in alternation on an idle machine: heat and load change a processor's speed.";

/// The arguments of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// A recording, images, or demo
    #[arg(default_value = "demo")]
    pub source: OsString,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
    /// Measure the network alone, on one picture
    #[arg(long)]
    pub network: bool,
    /// Measure each layer of the network, on one picture
    #[arg(long)]
    pub layers: bool,
    /// Measure letterbox, network and suppression on pictures in memory, one per thread
    #[arg(long)]
    pub detector: bool,
    /// The old name of --detector
    #[arg(long, hide = true)]
    pub sense: bool,
    /// Measure how much of the ground truth is shown: track SOURCE and score it against this file, or each clip of the
    /// folder SOURCE against the file with its name in this folder
    #[arg(long, value_name = "TRUTH", conflicts_with_all = ["network", "layers", "detector", "sense", "json"])]
    pub seen: Option<PathBuf>,
    /// Measure this many frames, or runs
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub frames: u32,
    /// End each measurement after this many seconds
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = super::study::positive)]
    pub seconds: Option<f64>,
    /// Number of threads, as detector.threads; 0: one per processor
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<String>,
    /// Write all numbers as JSON; - writes JSON to standard output instead of the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl BenchArgs {
    /// The settings that these flags stand for.
    pub fn given(&self) -> Vec<Given> {
        let threads = self.threads.as_deref().map(|value| flag_given("detector.threads", "--threads", value));
        self.part.given().into_iter().chain(threads).collect()
    }

    /// Whether only parts of the work are measured.
    pub fn in_parts(&self) -> bool {
        self.network || self.layers || self.of_detector()
    }

    /// Whether the detector is measured, under either name of the flag.
    pub fn of_detector(&self) -> bool {
        self.detector || self.sense
    }
}
