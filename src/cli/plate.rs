//! The arguments of `plate`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::PartArgs;

pub(super) const HELP: &str = "\
What moves is left out, and each pixel has the colour that it shows most of the time. [motion] in the settings says what counts \
as motion. The camera may shake, and turn a little; the plate is the place as the first picture shows it, in the light of the last \
ones. A camera is watched until the command is stopped (Ctrl-C), and then the plate is written.

Examples:
  trailsight plate video.mp4 --image plate.png
  trailsight plate rtsp://host/stream --image plate.png --seconds 60";

/// The arguments of `plate`.
#[derive(Debug, Args)]
pub struct PlateArgs {
    /// A camera, a recording or images
    pub source: OsString,
    /// Where the picture is written: a .png
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    /// End after so many seconds of the source
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<f64>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=1e7).contains(seconds));
    seconds.ok_or_else(|| "a number from 0 to 10000000 is expected".to_owned())
}
