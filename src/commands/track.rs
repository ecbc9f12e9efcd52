//! `trailsight track`: every frame, without a window, into files. Calls [`track_one`](super::track_one) for one
//! recording, [`batch`](super::batch) for several, [`track_boxes`](super::track_boxes) for boxes from a file.

use super::{Context, Failure, batch, input, outputs, tell_of_nothing_to_count, track_boxes, track_one};
use crate::cli::TrackArgs;
use crate::pipeline::StatusFile;

pub(super) fn run(args: &TrackArgs, context: &Context) -> Result<(), Failure> {
    tell_of_nothing_to_count(&args.output, &context.loaded.settings);
    match (&args.detections, args.sources.as_slice()) {
        (None, _) if args.dialect.given().is_some() => Err(Failure::Usage(format!(
            "{} goes with --detections, which is missing",
            args.dialect.given().unwrap_or_default()
        ))),
        (Some(file), _) => {
            outputs(&args.output, &context.loaded.settings.record)?;
            track_boxes::run(file, args, context)
        }
        (None, [source]) => {
            let outputs = batch::outputs_of_one(source, &args.output, &context.loaded.settings.record)?;
            input::check_status(args.status_file.as_deref(), &args.sources, &outputs)?;
            let status = args.status_file.clone().map(StatusFile::new);
            track_one::track_source(input::open(source, &context.loaded.settings)?, &outputs, status, context)
        }
        (None, []) => Err(Failure::Usage("track needs a SOURCE or --detections FILE".to_owned())),
        (None, _) if args.status_file.is_some() => Err(Failure::Usage(
            "--status-file works with a single source; leave it out with several".to_owned(),
        )),
        (None, _) => batch::run(args, context),
    }
}
