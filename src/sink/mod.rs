//! What leaves the program: track files, annotated video, snapshots. Knows scenes and canvases; knows no source, no
//! window, no thread.
//!
//! | file | what it is for |
//! |---|---|
//! | `partial` | outputs that have their name only when they are complete |
//! | `inputs` | what is read, and must not be written over |
//! | `tracks` | one writer of tracks for every ending: `mot`, `jsonl`, `csv`, `coco_vid` |
//! | `format` | what all track files share |
//! | `mot` | MOTChallenge text |
//! | `video` | annotated video: `avi` (own), everything else through `ffmpeg`, fed with `matroska` |
//! | `gif` | a short clip of the annotated video |
//! | `snapshot` | a PNG under a free name |
//! | `names` | names that nobody gave |

mod avi;
mod coco_vid;
mod csv;
mod error;
mod ffmpeg;
mod format;
mod gif;
mod inputs;
mod jsonl;
mod matroska;
mod mot;
mod names;
mod partial;
mod settings;
mod snapshot;
mod tracks;
mod video;

pub use error::SinkError;
pub use ffmpeg::ffmpeg_available;
pub use format::{FrameFacts, TrackFileInfo};
pub use gif::{GifWriter, check_gif_name};
pub use inputs::{Inputs, refuse_input};
pub use names::{free_video_name, raw_name};
pub use partial::{PartialFile, partial_name};
pub use settings::RecordSettings;
pub use snapshot::{write_png, write_snapshot};
pub use tracks::{TRACK_ENDINGS, TrackWriter, check_track_name};
pub use video::{VIDEO_ENDINGS, VideoSettings, VideoWriter, check_video_name};

/// Says what a test is left out for; with `REQUIRE_TOOLS=1` that is a failure.
#[cfg(test)]
fn missing(tool: &str) {
    assert!(std::env::var_os("REQUIRE_TOOLS").is_none_or(|value| value != "1"), "{tool} is not installed");
    println!("skipped: {tool} is not installed");
}
