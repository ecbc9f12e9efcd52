//! `trailsight events`: what rules would have told of recordings that are there.

mod told;

use std::path::Path;
use std::sync::Arc;

use super::track_boxes::Boxes;
use super::track_one::{self, Begun};
use super::{Context, Failure, input, print, progress};
use crate::cli::EventsArgs;
use crate::engine::DetectionSource;
use crate::enhance::ShownChain;
use crate::frame::Frame;
use crate::pipeline::headless::{self, HeadlessError};
use crate::pipeline::{Outputs, Recorder, RecorderSetup, Stats};
use crate::scene::Scene;
use crate::sink::{End, FrameFacts, Registry, RunInfo, Sink, Sinks};
use crate::track::LookAhead;
use told::{Log, ToldSink};

pub(super) fn run(args: &EventsArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    if settings.rules.is_empty() {
        let place = context.loaded.file.as_deref().map_or_else(
            || "there is no config file".to_owned(),
            |file| format!("{} has none", file.display()),
        );
        return Err(Failure::Usage(format!(
            "there is no rule to ask: {place}; write a [[rule]] there, or try one: --rule \"person for 5s\" (docs/rules.md)"
        )));
    }
    if args.detections.is_none() && args.dialect.given().is_some() {
        let flag = args.dialect.given().unwrap_or_default();
        return Err(Failure::Usage(format!("{flag} goes with --detections, which is missing")));
    }
    if args.began.is_some() && args.sources.len() > 1 {
        return Err(Failure::Usage(
            "--began tells when one recording began: ask them one by one, each with its own".to_owned(),
        ));
    }
    if let Some(folder) = &args.pictures {
        if args.sources.is_empty() {
            return Err(Failure::Usage(
                "--pictures needs the recording that the boxes belong to: trailsight events RECORDING --detections FILE"
                    .to_owned(),
            ));
        }
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Failed(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    match (&args.detections, args.sources.as_slice()) {
        (Some(file), []) => of_boxes(file, args, context),
        (Some(file), [source]) => {
            let input = input::open(source, settings)?;
            let log = Log::new(&input.source.info().name, 0, args);
            let read = of_boxes_on_pictures(input, file, &log, args, context);
            report(&log, args, context)?;
            ended(context).and(read)
        }
        (Some(_), _) => Err(Failure::Usage("--detections belongs to a single recording".to_owned())),
        (None, sources) => {
            let mut detector = DetectionSource::load(&settings.detect_for_tracking())?;
            let (mut failed, mut names) = (Ok(()), Vec::new());
            for source in sources {
                let own = detector.fork()?;
                let input = input::open(source, settings)?;
                if input.source.info().kind.is_live() {
                    return Err(Failure::Usage(
                        "events needs a recording: what happens live is told by watch and track, with --events"
                            .to_owned(),
                    ));
                }
                let name = input.source.info().name.clone();
                let log = Log::new(&name, names.iter().filter(|known| **known == name).count(), args);
                names.push(name);
                let read = with_network(input, std::mem::replace(&mut detector, own), &log, context);
                // What was told until it broke off is told, and the other recordings are asked all the same.
                report(&log, args, context)?;
                failed = failed.and(read);
                if context.stop.signal().is_some() {
                    break;
                }
            }
            ended(context).and(failed)
        }
    }
}

/// A signal that ended it is the command's outcome.
fn ended(context: &Context) -> Result<(), Failure> {
    context.stop.signal().map_or(Ok(()), |signal| Err(Failure::Signal(signal)))
}

/// Prints what was told, and on standard error a summary.
fn report(log: &Log, args: &EventsArgs, context: &Context) -> Result<(), Failure> {
    let text = if args.json { log.json() } else { log.table(args.sources.len() > 1) };
    print(&text)?;
    if !context.quiet {
        let rules: Vec<&str> = context.loaded.settings.rules.iter().map(|rule| rule.name.as_str()).collect();
        progress::say(&log.summary(&rules));
    }
    Ok(())
}

/// A recording is played and detected frame by frame.
fn with_network(
    input: input::Input,
    detector: DetectionSource,
    log: &Log,
    context: &Context,
) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(ToldSink::new(log))];
    let Begun { pipeline, recorder, stop, .. } = track_one::begin_with(
        input,
        (&Outputs::default(), sinks),
        detector,
        settings,
        context.registry.clone(),
        context.stop.clone(),
    )?;
    let bar = progress::bar(&pipeline.info, context.quiet);
    let (_, result) = headless::run(pipeline, Some(recorder), &stop, |tracked, _| {
        if !tracked.silence {
            bar.set_message(log.so_far());
            bar.inc(1);
        }
    });
    bar.finish_and_clear();
    result.map_err(|error: HeadlessError| Failure::failed(error))
}

/// Boxes from a file, without pictures.
fn of_boxes(file: &Path, args: &EventsArgs, context: &Context) -> Result<(), Failure> {
    let name = file.display().to_string();
    let log = Log::new(&name, 0, args);
    let mut boxes = Boxes::open(file, args.size.as_deref(), (&args.dialect, 1), context)?;
    let run = RunInfo { source: name, labels: Arc::clone(&boxes.labels), rate: Some(boxes.fps), sound: None };
    let mut sinks = Sinks::begin(vec![Box::new(ToldSink::new(&log))], &run).map_err(Failure::failed)?;
    let mut held = LookAhead::new(boxes.decide_seconds());
    let facts = FrameFacts { size: boxes.size, wall: None, file: None };
    let tell = |scene: &Scene, sinks: &mut Sinks| sinks.scene(scene, &facts).map_err(Failure::failed);
    for sequence in 0..boxes.frames {
        if context.stop.is_asked() {
            break;
        }
        let scene = boxes.scene(sequence)?;
        let swaps = scene.swaps.clone();
        held.push(scene.time, scene, &swaps, Scene::correct);
        std::iter::from_fn(|| held.pop()).try_for_each(|scene| tell(&scene, &mut sinks))?;
    }
    std::iter::from_fn(|| held.pop_rest()).try_for_each(|scene| tell(&scene, &mut sinks))?;
    sinks.finish(End::Complete).map_err(Failure::failed)?;
    report(&log, args, context)?;
    ended(context)
}

/// Boxes from a file, with the pictures of the recording that they belong to.
fn of_boxes_on_pictures(
    mut input: input::Input,
    file: &Path,
    log: &Log,
    args: &EventsArgs,
    context: &Context,
) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let info = input.source.info().clone();
    let size = args.size.clone().or_else(|| info.size.map(|(width, height)| format!("{width}x{height}")));
    let mut boxes =
        Boxes::of_recording(file, (size.as_deref(), info.rate), (&args.dialect, 1), &info.name, context)?;
    let stats = Stats::default();
    let labels = Arc::clone(&boxes.labels);
    let recorder = Recorder::open(RecorderSetup {
        outputs: &Outputs::default(),
        sinks: vec![Box::new(ToldSink::new(log))],
        registry: Registry::default(),
        info: &info,
        inputs: &input.files,
        labels: &labels,
        overlay: &settings.overlay,
        settings: &settings.record,
        in_time: false,
        stats: &stats,
    })?;
    context.stop.be_graceful();
    let bar = progress::bar(&info, context.quiet);
    let mut chain = ShownChain::new(settings.enhance.clone());
    let mut held = LookAhead::new(boxes.decide_seconds()).at_most(64);
    let write = |(frame, scene): (Frame, Scene)| {
        recorder.scene(&frame, &scene) && recorder.picture(&frame, &scene, frame.time)
    };
    let (mut writing, mut failed) = (true, Ok(()));
    while writing && !context.stop.is_asked() {
        let frame = match input.source.next_frame() {
            Ok(Some(frame)) => Frame { picture: chain.show(&frame.picture, frame.time).0, ..frame },
            Ok(None) => break,
            Err(error) => {
                failed = Err(Failure::failed(error));
                break;
            }
        };
        let scene = boxes.scene_at(frame.sequence, frame.time)?;
        let swaps = scene.swaps.clone();
        held.push(frame.time, (frame, scene), &swaps, |(_, scene), swap| scene.correct(swap));
        while let Some(both) = held.pop().filter(|_| writing) {
            writing = write(both);
        }
        bar.set_message(log.so_far());
        bar.inc(1);
    }
    while let Some(both) = held.pop_rest().filter(|_| writing) {
        writing = write(both);
    }
    bar.finish_and_clear();
    recorder.finish(writing && failed.is_ok() && context.stop.signal().is_none())?;
    failed
}
