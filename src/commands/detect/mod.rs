//! `trailsight detect`: what is in images or recordings, without tracking; a table, and files of boxes.

mod files;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::{Context, Failure, input, print, progress};
use crate::analyse::Stages;
use crate::cli::DetectArgs;
use crate::detect::DetectSettings;
use crate::detection::Detection;
use crate::engine::DetectionSource;
use crate::labels::Labels;
use crate::pipeline::{Mode, Pipeline, Plan, TrackedFrame, headless};
use crate::source::SourceKind;

use files::BoxFiles;

pub(super) fn run(args: &DetectArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let detector = DetectionSource::load(&DetectSettings::clone(&settings.detector))?;
    let labels = detector.labels().cloned().unwrap_or_default();
    let mut results = BoxFiles::create(args.coco.as_deref(), args.mot.as_deref())?;
    let mut images = Images { one_source: args.sources.len() == 1, ..Images::default() };
    let mut failed = false;
    context.stop.be_graceful();
    for source in &args.sources {
        let detector = detector.fork()?;
        let done = detect_source(source, detector, args, &labels, &mut results, &mut images, context);
        match done {
            Ok(()) => {}
            // One bad file of many does not take the others with it.
            Err(Failure::Failed(why)) if args.sources.len() > 1 => {
                progress::say(&format!("trailsight: {why}"));
                failed = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    if failed {
        return Err(Failure::Told);
    }
    Ok(results.finish()?)
}

fn detect_source(
    source: &OsStr,
    detector: DetectionSource,
    args: &DetectArgs,
    labels: &Labels,
    results: &mut BoxFiles,
    images: &mut Images,
    context: &Context,
) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let input = input::open(source, settings)?;
    for output in [&args.coco, &args.mot].into_iter().flatten() {
        input.files.refuse(output)?;
    }
    let stop = context.stop.for_another_run();
    let kind = input.source.info().kind;
    let pipeline = Pipeline::start(Plan {
        mode: if kind == SourceKind::Images { Mode::Photos } else { Mode::into_files(input.source.info()) },
        stages: Stages::default(),
        number: 1,
        source: input.source,
        reopen: None,
        detector,
        settings,
        stats: Arc::default(),
        stop: stop.clone(),
    })
    .map_err(Failure::failed)?;

    let bar = progress::bar(&pipeline.info, context.quiet);
    let mut failure = None;
    let (_, result) = headless::run(pipeline, None, &stop, |tracked, pipeline| {
        if tracked.silence {
            return;
        }
        bar.inc(1);
        if failure.is_some() {
            return;
        }
        let name = frame_name(tracked, &pipeline.info.name);
        let id = images.id(tracked, &name);
        let table = if context.quiet { String::new() } else { table(&name, &tracked.detections, labels) };
        let printed = bar.suspend(|| print(&table)).map(|open| {
            // Nobody reads the table any more, and nothing else was asked for.
            if !open && results.is_empty() {
                stop.ask_threads();
            }
        });
        let written = results.write(id, &tracked.detections);
        if let Err(error) = printed.and(written.map_err(Failure::failed)) {
            failure = Some(error);
            stop.ask_threads();
        }
    });
    bar.finish_and_clear();
    if let Some(failure) = failure {
        return Err(failure);
    }
    result.map_err(Failure::failed)?;
    if let Some(signal) = context.stop.signal() {
        return Err(Failure::Signal(signal));
    }
    Ok(())
}

/// An image's file name, or the recording's with the frame's number from 1.
fn frame_name(tracked: &TrackedFrame, source: &str) -> String {
    match &tracked.job.frame.file {
        Some(file) => file.display().to_string(),
        None => format!("{source}#{}", tracked.job.frame.sequence + 1),
    }
}

/// Gives each image the number that COCO's files know it by.
#[derive(Default)]
struct Images {
    one_source: bool,
    /// How many there were.
    count: u64,
    given: HashSet<u64>,
    told: bool,
}

impl Images {
    /// The last digits in an image's file name; the frame's number in a single recording; otherwise the place among all
    /// images and frames. Says once where two images get the same number.
    fn id(&mut self, tracked: &TrackedFrame, name: &str) -> u64 {
        self.count += 1;
        let id = match &tracked.job.frame.file {
            Some(file) => digits(file).unwrap_or(self.count),
            None if self.one_source => tracked.job.frame.sequence + 1,
            None => self.count,
        };
        if !self.given.insert(id) && !std::mem::replace(&mut self.told, true) {
            log::warn!(
                "{name} gets the image_id {id}, which another image has already: COCO results mix them up"
            );
        }
        id
    }
}

fn digits(file: &Path) -> Option<u64> {
    let name = file.file_stem()?.to_string_lossy().into_owned();
    name.split(|c: char| !c.is_ascii_digit()).rfind(|part| !part.is_empty())?.parse().ok()
}

/// One line a box: name, class, score, left, top, width, height; a picture without any gets a line too.
fn table(name: &str, detections: &[Detection], labels: &Labels) -> String {
    if detections.is_empty() {
        return format!("{name}  nothing\n");
    }
    let mut text = String::new();
    for Detection { rect, score, class } in detections {
        let (x, y, w, h) = (rect.left, rect.top, rect.width, rect.height);
        text.push_str(&format!(
            "{name}  {:<14} {score:.3}  {x:7.1} {y:7.1} {w:7.1} {h:7.1}\n",
            labels.name(*class)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_ids_are_the_last_digits_of_the_name() {
        for (name, id) in [
            ("000000000139.jpg", Some(139)),
            ("a/COCO_val2014_000000581929.jpg", Some(581_929)),
            ("img7b.png", Some(7)),
            ("cat.png", None),
            ("99999999999999999999999.png", None),
        ] {
            assert_eq!(digits(Path::new(name)), id, "{name}");
        }
    }
}
