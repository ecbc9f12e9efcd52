//! The arguments of `render`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{FileDialectArgs, PartArgs};

pub(super) const HELP: &str = "\
FILE is MOTChallenge text (frame,id,left,top,width,height[,score[,class]]: results, or a gt.txt) or the JSON Lines that \
track writes. Frames are matched by number, as track counts them: the first frame shown, also with --start, is frame 1 of the \
file, or the one that --first names. In MOTChallenge text, rows with score 0 or an id below 0 are left out. Classes have the \
model's names. No network is loaded. --classes limits what is drawn; [trails] and [overlay] in the settings say how it looks.

Examples:
  trailsight render video.mp4 --tracks tracks.jsonl --video drawn.mp4
  trailsight render MOT17-09/img1 --fps 30 --tracks MOT17-09/gt/gt.txt --gif truth.gif
  trailsight render video.mp4 --start 20 --first 501 --tracks all.txt --gif clip.gif   (25 frames a second)";

/// The arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The recording or the images that the tracks belong to
    pub source: OsString,
    /// The tracks: MOTChallenge text or JSON Lines
    #[arg(long, value_name = "FILE")]
    pub tracks: PathBuf,
    /// Write the video: .mp4, .mkv, .mov, .webm (need ffmpeg) or .avi
    #[arg(long, value_name = "FILE", required_unless_present = "gif")]
    pub video: Option<PathBuf>,
    /// Write a short clip as .gif: at most 20 seconds, 10 pictures a second, 480 pixels a side
    #[arg(long, value_name = "FILE")]
    pub gif: Option<PathBuf>,
    /// The number that the first frame shown has in the file
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub first: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dialect: FileDialectArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
}
