//! `trailsight render`: tracks from a file, drawn onto the recording that they belong to. No network, no tracker.

use std::sync::Arc;

use super::{Context, Failure, input, outputs, progress};
use crate::analyse::{Counting, MeasureSettings, Measuring, Rules, SceneStage, StageFrame};
use crate::cli::{MotClass, OutputArgs, RenderArgs};
use crate::dataset::{Dialect, TrackFile, TrackRow};
use crate::detect;
use crate::detection::Detections;
use crate::enhance::ShownChain;
use crate::frame::Frame;
use crate::pipeline::{Outputs, Recorder, RecorderSetup, Stats, clock};
use crate::scene::{Scene, Track, TrackState};
use crate::sink::{RecordSettings, Registry, SinkError, refuse_input};
use crate::track::Trails;

pub(super) fn run(args: &RenderArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let typed = OutputArgs {
        tracks: Vec::new(),
        events: Vec::new(),
        counts: None,
        metrics: None,
        heat: Vec::new(),
        mot_class: MotClass::Label,
        video: args.video.clone(),
        gif: args.gif.clone(),
    };
    // The video is this command's purpose: what is set for other runs does not count, but for its quality.
    let record = RecordSettings { path: None, raw: false, ..settings.record.clone() };
    let outputs = outputs(&typed, &record)?;
    outputs.paths().try_for_each(|output| refuse_input(output, &args.tracks))?;
    let labels = detect::check_classes(&settings.detector)?;
    let dialect = args.dialect.dialect().map_err(Failure::Usage)?;
    let read = |dialect| TrackFile::read_as(&args.tracks, &labels, &dialect).map_err(Failure::failed);
    // Boxes in parts of the picture need its size; a file that cannot be read is told before anything is opened.
    let first = read(dialect.clone());
    let input = match &first {
        Err(_) if args.tracks.exists() => input::open(&args.source, settings).ok(),
        _ => None,
    };
    let size = input.as_ref().and_then(|input| input.source.info().size);
    let file = match (first, size) {
        (Err(_), Some(size)) => read(Dialect { size: Some(size), ..dialect })?,
        (first, _) => first?,
    };
    let input = input.map_or_else(|| input::open(&args.source, settings), Ok)?;
    if input.source.info().kind.is_live() {
        return Err(Failure::Usage("render needs a recording, not a live source".to_owned()));
    }
    let drawn = draw(input, &file, args, &outputs, &record, context)?;

    let last = args.first - 1 + drawn.frames;
    let signal = context.stop.signal();
    let name = args.tracks.display();
    let to_the_end = signal.is_none() && drawn.recorded.is_ok();
    if drawn.tracks == 0 && to_the_end {
        log::warn!("{name}: it has no track in the frames that were drawn, {} to {last}", args.first);
    } else if file.frames() > last && to_the_end && settings.source.end.is_none() {
        log::warn!("{name}: it has frames up to {}, but the recording ends with frame {last}", file.frames());
    }
    if !context.quiet {
        eprintln!("{} frames, {} boxes", drawn.frames, drawn.tracks);
        progress::name_what_was_written(&outputs, signal.is_none());
    }
    drawn.recorded?;
    signal.map_or(Ok(()), |signal| Err(Failure::Signal(signal)))
}

/// How much was drawn.
struct Drawn {
    frames: u64,
    tracks: u64,
    /// Whether every output could be written; of several, the others are complete.
    recorded: Result<(), SinkError>,
}

/// Draws the whole source, or up to a signal.
fn draw(
    mut input: input::Input,
    file: &TrackFile,
    args: &RenderArgs,
    outputs: &Outputs,
    record: &RecordSettings,
    context: &Context,
) -> Result<Drawn, Failure> {
    let settings = &context.loaded.settings;
    let labels = Arc::new(file.labels().clone());
    let classes = &settings.detector.classes;
    let wanted = |row: &&TrackRow| {
        let name = labels.name(row.class);
        classes.is_empty() || classes.iter().any(|class| class.trim().eq_ignore_ascii_case(&name))
    };
    let info = input.source.info().clone();
    let stats = Stats::default();
    let recorder = Recorder::open(RecorderSetup {
        outputs,
        sinks: Vec::new(),
        registry: Registry::default(),
        info: &info,
        inputs: &input.files,
        labels: &labels,
        overlay: &settings.overlay,
        settings: record,
        in_time: false,
        stats: &stats,
    })?;
    context.stop.be_graceful();
    let bar = progress::bar(&info, context.quiet);
    // Boxes of a stabilised run are of the steady picture, and what is masked is not to be seen here either.
    let mut chain = ShownChain::new(settings.enhance.clone());
    let mut trails = Trails::new(settings.trails);
    let mut drawn = Drawn { frames: 0, tracks: 0, recorded: Ok(()) };
    let nothing = Detections::default();
    let places = settings.counting.of_source(&info.name, 1);
    let rules = settings.rules.iter().filter(|rule| rule.is_of_source(&info.name, 1)).cloned().collect();
    let mut rules = Rules::new(rules, &places, &labels, clock(settings, false));
    let mut counting = Counting::new(places, &labels);
    let measures = MeasureSettings {
        ground: settings.ground.of_source(&info.name, 1),
        heat: settings.overlay.heat.then(|| settings.heat.clone()),
    };
    let mut measuring = Measuring::new(measures, &labels);
    let mut writing = true;
    let read = loop {
        if !writing || context.stop.is_asked() {
            break Ok(());
        }
        let frame = match input.source.next_frame() {
            Ok(Some(frame)) => Frame { picture: chain.show(&frame.picture, frame.time).0, ..frame },
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let number = frame.sequence.saturating_add(args.first - 1);
        let rows = file.at(number).iter().filter(wanted);
        let tracks: Vec<Track> = rows.map(|row| track_of(row, &frame)).collect();
        drawn.frames += 1;
        drawn.tracks += tracks.len() as u64;
        let trails = Arc::new(trails.update(frame.time, &tracks));
        let extras = file.extras(number).map(|(id, extra)| (id, extra.clone())).collect();
        let (sequence, time) = (frame.sequence, frame.time);
        let mut scene = Scene { sequence, time, tracks, trails, extras, ..Scene::default() };
        let stage_frame = StageFrame {
            size: frame.picture.size(),
            picture: Some(&frame.picture),
            detections: &nothing,
            suppressed: None,
            camera: None,
            again: false,
        };
        measuring.update(&stage_frame, &mut scene).map_err(Failure::Failed)?;
        counting.update(&stage_frame, &mut scene).map_err(Failure::Failed)?;
        rules.update(&stage_frame, &mut scene).map_err(Failure::Failed)?;
        writing = recorder.picture(&frame, &scene, frame.time);
        bar.inc(1);
    };
    bar.finish_and_clear();
    let whole = read.is_ok() && drawn.frames > 0 && writing && context.stop.signal().is_none();
    drawn.recorded = recorder.finish(whole);
    read?;
    if drawn.frames == 0 && context.stop.signal().is_none() {
        return Err(Failure::Failed(format!("{}: it gave no picture", info.name)));
    }
    Ok(drawn)
}

/// A track as the overlay draws it, at the time of its frame.
fn track_of(row: &TrackRow, frame: &Frame) -> Track {
    Track {
        id: row.id,
        class: row.class,
        score: row.score,
        rect: row.rect,
        velocity: [0.0; 4],
        state: if row.predicted { TrackState::Lost } else { TrackState::Confirmed },
        born: frame.time,
        seen: frame.time,
        detection: None,
    }
}
