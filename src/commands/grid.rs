//! `trailsight watch` with several sources in one window.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::{Context, Failure, input};
use crate::cli::WatchArgs;
use crate::config::{Live, Settings};
use crate::pipeline::model_choice::{Demand, load_in_time};
use crate::source::{LiveTimeouts, SourceSpec, redact};
use crate::ui::grid::{GridSetup, GridSource, MAX_TILES, Open, Opened};
use crate::ui::{Window, display_available};

/// The window at the beginning has the shape of most cameras.
const WINDOW: (u32, u32) = (1280, 720);

/// Whether the sources share the window: several, and one of them cannot wait for its turn; or the user says so.
pub(super) fn is_wanted(args: &WatchArgs) -> bool {
    args.sources.len() > 1 && (args.tiles || args.sources.iter().any(|source| is_live(source)))
}

/// Cameras and addresses: what an address leads to is not known before it is opened.
fn is_live(source: &OsStr) -> bool {
    match SourceSpec::parse_os(source) {
        SourceSpec::Camera(_) | SourceSpec::Url(_) | SourceSpec::Simulation { .. } => true,
        SourceSpec::Name(name) => name != input::DEMO_NAME,
        SourceSpec::Image(_) | SourceSpec::Folder(_) | SourceSpec::Pattern(_) | SourceSpec::Video(_) => false,
    }
}

pub(super) fn run(args: &WatchArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    refuse(args)?;
    input::check_status(args.status_file.as_deref(), &args.sources, &crate::pipeline::Outputs::default())?;
    if settings.record.path.is_some() {
        log::info!("record.path has no effect with several sources in one window");
    }
    if settings.source.every_frame {
        log::info!("source.every_frame has no effect with several sources in one window");
    }
    if !display_available() {
        return Err(Failure::Failed(
            "there is no display to show several sources on; without one, `trailsight track SOURCE --tracks FILE` works \
             with each of them"
                .to_owned(),
        ));
    }
    let detector = load_in_time(settings, Demand::of_unknown(args.sources.len(), settings))?;
    let title = format!("{} sources – trailsight", args.sources.len());
    let mut window = Window::open(&title, WINDOW).map_err(Failure::failed)?;
    context.stop.be_graceful();
    let grid = GridSetup {
        sources: args.sources.iter().map(|source| from(source, settings)).collect(),
        detector,
        live: Live::new(context.loaded.clone()),
        repeat: args.repeat,
        exit_at_end: args.exit_at_end,
        status_file: args.status_file.clone(),
        stop: context.stop.for_another_run(),
    };
    match (grid.run(&mut window), context.stop.signal()) {
        (Err(error), _) => Err(Failure::failed(error)),
        (Ok(()), Some(signal)) => Err(Failure::Signal(signal)),
        (Ok(()), None) => Ok(()),
    }
}

/// What does not go with several sources.
fn refuse(args: &WatchArgs) -> Result<(), Failure> {
    let count = args.sources.len();
    if count > MAX_TILES {
        return Err(Failure::Usage(format!(
            "one window has room for {MAX_TILES} sources, and {count} were named; start trailsight again for the others"
        )));
    }
    let output = &args.output;
    let files = [
        ("--tracks", !output.tracks.is_empty()),
        ("--events", !output.events.is_empty()),
        ("--counts", output.counts.is_some()),
        ("--metrics", output.metrics.is_some()),
        ("--heat", !output.heat.is_empty()),
        ("--video", output.video.is_some()),
        ("--gif", output.gif.is_some()),
    ];
    match files.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag} is for one source, and {count} share the window; start `trailsight track SOURCE {flag} FILE` once for each, \
             or watch them without {flag}"
        ))),
        None => Ok(()),
    }
}

fn from(source: &OsStr, settings: &Settings) -> GridSource {
    let (text, settings): (OsString, _) = (source.to_owned(), settings.clone());
    let give_up = LiveTimeouts::of(&settings.source.camera).give_up;
    let open: Open = Box::new(move || {
        let input = input::open(&text, &settings)?;
        Ok(Opened { source: input.source, reopen: input.reopen, note: input.note })
    });
    let name = match SourceSpec::parse_os(source) {
        SourceSpec::Camera(index) => format!("camera {index}"),
        _ => redact(&source.to_string_lossy()),
    };
    GridSource { name, live: is_live(source), give_up, open: Arc::new(open) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn args(line: &str) -> WatchArgs {
        Cli::try_parse_from(line.split(' ')).expect(line).watch
    }

    #[test]
    fn cameras_and_addresses_are_tiled_and_recordings_where_it_is_asked_for() {
        for line in [
            "0 1",
            "demo 0",
            "a.mp4 rtsp://host/b",
            "demo simulate:demo",
            "a.mp4 b.mp4 --tiles",
            "Logitech demo",
        ] {
            assert!(is_wanted(&args(&format!("trailsight {line}"))), "{line}");
        }
        for line in ["0", "a.mp4", "a.mp4 demo", "demo --tiles", "a.mp4 b.mp4 frames/*.png"] {
            assert!(!is_wanted(&args(&format!("trailsight {line}"))), "{line}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_what_does() {
        let refused = |line: &str| match refuse(&args(&format!("trailsight {line}"))) {
            Err(Failure::Usage(why)) => why,
            other => panic!("{line}: {other:?}"),
        };
        assert!(refused("0 1 2 3 4 5 6 7 8 9").contains("room for 9 sources, and 10"));
        assert!(refused("0 1 --tracks t.txt").contains("trailsight track SOURCE --tracks FILE"));
        assert!(refused("0 1 --video v.mp4").starts_with("--video is for one source"));
        assert!(refused("0 1 --gif v.gif").starts_with("--gif is for one source"));
        assert!(refuse(&args("trailsight 0 1 2 3 4 5 6 7 8 --loop")).is_ok());
    }
}
