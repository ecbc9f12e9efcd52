//! What leaves the program: track files, annotated video, snapshots. Knows scenes and canvases; knows no source, no
//! window, no thread.
//!
//! | file | what it is for |
//! |---|---|
//! | `partial` | outputs that have their name only when they are complete |
//! | `tracks` | one writer of tracks for every ending: `mot`, `jsonl`, `csv` |
//! | `mot` | MOTChallenge text |
//! | `video` | annotated video: `avi` (own), everything else through `ffmpeg`, fed with `matroska` |
//! | `snapshot` | a PNG under a free name |

mod avi;
mod csv;
mod error;
mod ffmpeg;
mod jsonl;
mod matroska;
mod mot;
mod partial;
mod snapshot;
mod tracks;
mod video;

pub use error::RecordError;
pub use ffmpeg::ffmpeg_available;
pub use partial::{PartialFile, partial_name, refuse_input};
pub use snapshot::{write_png, write_snapshot};
pub use tracks::{TRACK_ENDINGS, TrackFileInfo, TrackWriter, check_track_name};
pub use video::{VIDEO_ENDINGS, VideoSettings, VideoWriter, check_video_name};
