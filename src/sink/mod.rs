//! The outputs of the program: track files, annotated video, clips, snapshots. Any other output of scenes and pictures
//! plugs in here.
//!
//! A [`Sink`] receives scenes, events and pictures, one after the other, and writes them to a file, a database, or a
//! message. A run has a list of sinks, [`Sinks`], which a loop of your own can drive too. The [`Registry`] finds the sink
//! for an output by the ending of the file's name or the scheme of an address (`scheme://…`).
//!
//! # The order of calls
//!
//! ```text
//! begin ─▶ ( scene ─▶ event × n  |  picture )* ─▶ last ─▶ finish
//! ```
//!
//! * Making a sink touches nothing: it takes a name and settings. [`begin`](Sink::begin) opens or connects, and writes what
//!   stands before the first frame. It is called once.
//! * [`scene`](Sink::scene) comes once for each tracked frame, in the order of the frames, and right after it
//!   [`event`](Sink::event) for each event of that frame. None is left out.
//! * [`picture`](Sink::picture) comes in the order of the frames too, to sinks that [need](Sink::needs) pictures. Scenes and
//!   pictures wait on two queues: the picture of a frame may come before or after its scene, and brings the scene with it. For
//!   a live source, pictures that come faster than they can be written are left out.
//! * [`finish`](Sink::finish) comes once, with the [`End`] that says whether the result is whole. It comes also for a sink
//!   whose `begin` failed.
//!
//! # Threads
//!
//! In the program all calls come from one thread, the recorder thread, beside capture, detection and display; a sink moves
//! there once (`Send`) and needs no locks. A sink that is slow makes a recording wait; in front of a live source scenes wait
//! for it in a queue of about a thousand. So whatever may hang (a network) needs a timeout of its own.
//!
//! # Errors
//!
//! A sink that fails is dropped at once, without `finish`, and its error is told and names the output, so give [`SinkError`]
//! the sink's [`name`](Sink::name). The other sinks go on to the end, and get the [`End`] that the run has: a video that breaks
//! costs no tracks. The run fails in the end, with the first error; where no sink is left it ends there. What is not worth
//! that belongs in the log. [`SinkError::Closed`] (the reader of a pipe went away) ends the run, but counts as success.
//!
//! # Partial files, Ctrl-C
//!
//! A file is written as `NAME.partial.EXT` and gets its name when it is complete (`PartialFile`, with the feature `cli`), and
//! is readable at any moment. The first Ctrl-C or an error in another stage ends a run in order: queues are emptied, then every
//! sink gets [`End::Stopped`] (of a live source, whose end is when the user says so: [`End::Complete`]). A kill or a power cut
//! calls nothing: what has to survive it must be written when it comes.
//!
//! # Files of this room
//!
//! | file | what it is for |
//! |---|---|
//! | `list` | the sinks of a run, called one after the other |
//! | `under_way` | events of rules that have started and not ended |
//! | `registry` | one table: which ending or scheme is written by which sink |
//! | `tracks/` | track files: MOTChallenge text, JSON lines, CSV, COCO-VID, GeoJSON |
//! | `events` | events, one line each |
//! | `counts` | what was counted at lines and in zones |
//! | `heat` | for how long objects were where |
//! | `messages`, `discovery` | both for a consumer elsewhere, and what Home Assistant needs to find them |
//! | `metrics` | both as numbers that Prometheus fetches |
//! | `video/` | annotated video (`avi` by ourselves, everything else through `ffmpeg`) and clips (`gif`) |
//! | `snapshot` | a PNG of the fullest scene, or under a free name |
//! | `partial` | files that have their name only when they are complete |
//! | `inputs` | what is read, and must not be written over |
//! | `names` | names of outputs that nobody named |

#[cfg(feature = "cli")]
mod counts;
#[cfg(feature = "messages")]
mod discovery;
mod error;
#[cfg(feature = "cli")]
mod events;
#[cfg(feature = "cli")]
mod heat;
#[cfg(feature = "cli")]
mod inputs;
mod list;
#[cfg(feature = "messages")]
mod messages;
#[cfg(feature = "cli")]
mod metrics;
#[cfg(feature = "cli")]
mod names;
#[cfg(feature = "cli")]
mod partial;
#[cfg(feature = "cli")]
mod registry;
#[cfg(feature = "cli")]
mod settings;
#[cfg(feature = "cli")]
mod snapshot;
#[cfg(feature = "cli")]
mod tracks;
mod under_way;
#[cfg(feature = "cli")]
mod video;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::event::Event;
use crate::frame::Raster;
use crate::labels::Labels;
use crate::scene::Scene;

pub use error::SinkError;
#[cfg(feature = "cli")]
pub use inputs::{Inputs, refuse_input};
pub use list::Sinks;
#[cfg(feature = "cli")]
pub use names::{free_video_name, raw_name};
#[cfg(feature = "cli")]
pub use partial::{PartialFile, partial_name};
#[cfg(feature = "cli")]
pub use registry::{MakeSink, Purpose, Registry, SinkKind, SinkOptions, is_address};
#[cfg(feature = "cli")]
pub use settings::RecordSettings;
#[cfg(feature = "cli")]
pub use snapshot::{write_png, write_png_into, write_snapshot};
#[cfg(feature = "cli")]
pub use tracks::{TrackAttributes, TrackRecord};
#[cfg(feature = "cli")]
pub use video::{VideoSettings, VideoWriter, ffmpeg_available};

/// Says what a test is left out for; with `REQUIRE_TOOLS=1` that is a failure.
#[cfg(all(test, feature = "cli"))]
#[allow(clippy::print_stdout, reason = "the output of a test")]
fn missing(tool: &str) {
    assert!(std::env::var_os("REQUIRE_TOOLS").is_none_or(|value| value != "1"), "{tool} is not installed");
    println!("skipped: {tool} is not installed");
}

/// Which pictures a sink needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// None.
    Nothing,
    /// As they are shown, without boxes and trails.
    Clean,
    /// With boxes, names and trails drawn into them.
    Drawn,
}

/// What a sink needs; what no sink needs is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Scenes and their events.
    pub scenes: bool,
    /// Pictures.
    pub pictures: Pictures,
}

impl Needs {
    /// Scenes and events, no pictures.
    pub const SCENES: Self = Self { scenes: true, pictures: Pictures::Nothing };
    /// Pictures without what is drawn into them, no scenes of their own.
    pub const CLEAN_PICTURES: Self = Self { scenes: false, pictures: Pictures::Clean };
    /// Pictures with what is drawn into them, no scenes of their own.
    pub const DRAWN_PICTURES: Self = Self { scenes: false, pictures: Pictures::Drawn };
}

/// What is known of a run before its first frame.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// The source's name (`clip.avi`).
    pub source: String,
    /// The names of the classes.
    pub labels: Arc<Labels>,
    /// Nominal frames a second, where known.
    pub rate: Option<f64>,
    /// A file whose sound belongs to the pictures, from its beginning to its end.
    pub sound: Option<PathBuf>,
}

/// What is known of a frame beside its scene.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameFacts {
    /// `(width, height)` of the picture in pixels.
    pub size: (u32, u32),
    /// The time of day when a frame of a live source was taken; `None` for recordings.
    pub wall: Option<SystemTime>,
    /// The name of the picture's own file, with its folder, where it has one: `img1/000001.jpg`.
    pub file: Option<Arc<str>>,
}

/// A picture as a sink gets it.
#[derive(Debug, Clone, Copy)]
pub struct SinkPicture<'a> {
    /// The pixels, clean or drawn upon as the sink [needs](Sink::needs) them.
    pub pixels: Raster<'a>,
    /// The scene of this frame.
    pub scene: &'a Scene,
    /// The time of the picture in the video, in seconds; never goes back.
    pub time: f64,
}

/// How a sink's run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything came: the result is whole and gets its name.
    Complete,
    /// The run ends early, by a signal or because something failed: what came is kept, readable, and marked as incomplete.
    Stopped,
    /// Nothing came, because another output could not begin: nothing is left behind.
    Discarded,
}

/// Where scenes, events and pictures go; the [module](self) says when each call comes.
///
/// ```
/// use trailsight::sink::{End, FrameFacts, RunInfo, Sink, SinkError};
/// use trailsight::scene::Scene;
///
/// /// Prints how many objects each frame has.
/// struct Counts;
///
/// impl Sink for Counts {
///     fn name(&self) -> &str {
///         "counts"
///     }
///
///     fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
///         println!("{}", run.source);
///         Ok(())
///     }
///
///     fn scene(&mut self, scene: &Scene, _frame: &FrameFacts) -> Result<(), SinkError> {
///         println!("{:.2} s: {}", scene.time, scene.seen().count());
///         Ok(())
///     }
///
///     fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
///         println!("{end:?}");
///         Ok(())
///     }
/// }
/// ```
pub trait Sink: Send {
    /// The output as the user named it, for messages; without passwords.
    fn name(&self) -> &str;

    /// What the sink has to be given. Asked once, after [`begin`](Sink::begin).
    fn needs(&self) -> Needs {
        Needs::SCENES
    }

    /// Opens or connects, and writes what stands before the first frame.
    ///
    /// # Errors
    /// [`SinkError`] where the output cannot be. [`finish`](Sink::finish) is called all the same, with [`End::Discarded`].
    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        let _ = run;
        Ok(())
    }

    /// Takes the scene of a frame: tracks, trails, attributes, events. Boxes are in pixels of the source picture, the top-left
    /// corner of its first pixel at (0, 0), x to the right, y down.
    ///
    /// # Errors
    /// [`SinkError`] where it cannot be written: this sink gets nothing more.
    fn scene(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        let _ = (scene, frame);
        Ok(())
    }

    /// Takes one event of the scene that came last. The same events are in [`Scene::events`]: a sink handles them in one
    /// place or the other.
    ///
    /// # Errors
    /// As [`Sink::scene`].
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let _ = event;
        Ok(())
    }

    /// Takes what the end of the run brings: the rules whose events were under way have ended. Comes once at most, before
    /// [`finish`](Sink::finish) and behind all scenes; the scene has the number and the time of the last one and no tracks.
    ///
    /// # Errors
    /// As [`Sink::scene`].
    fn last(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        let _ = (scene, frame);
        Ok(())
    }

    /// Takes a picture.
    ///
    /// # Errors
    /// As [`Sink::scene`].
    fn picture(&mut self, picture: &SinkPicture<'_>) -> Result<(), SinkError> {
        let _ = picture;
        Ok(())
    }

    /// Writes what is left and closes the output, as `end` asks. A sink that is dropped without this has failed, or the
    /// process is giving up: it should leave what it would leave for [`End::Stopped`].
    ///
    /// # Errors
    /// [`SinkError`] where the result is not what `end` asks for.
    fn finish(self: Box<Self>, end: End) -> Result<(), SinkError>;
}
