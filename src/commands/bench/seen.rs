//! How much of what is there is shown: clips are tracked as `track` does it, and scored against what is said to be there.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::super::{Context, Failure, input};
use super::{bar, go_on, threads};
use crate::cli::BenchArgs;
use crate::dataset::{MotError, read_seen};
use crate::engine::{DetectionSource, Engine};
use crate::kind::{Kind, Kinds};
use crate::labels::Labels;
use crate::metrics::{Found, Seen, SeenTruth, ShownBox};
use crate::pipeline;

/// A clip with what is there.
type Pair = (String, PathBuf, SeenTruth);

/// Tracks each clip with the settings in force, and gives the table.
pub(super) fn table(args: &BenchArgs, truth: &Path, context: &Context) -> Result<String, Failure> {
    let pairs = pairs(Path::new(&args.source), truth)?;
    let detector = DetectionSource::load(&context.loaded.settings.detect_for_tracking())?;
    let mut scores = Vec::new();
    for (name, clip, truth) in &pairs {
        let shown = shown(clip, truth, detector.fork()?, context)?;
        scores.push((name.as_str(), Seen::of(truth, &shown)));
    }
    Ok(text(&scores))
}

/// One clip and one file, or for each file of a folder the clip of its name in another one.
fn pairs(clips: &Path, truth: &Path) -> Result<Vec<Pair>, Failure> {
    let read = |path: &Path| read_seen(path).map_err(|error: MotError| Failure::Failed(error.to_string()));
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if !truth.is_dir() {
        return Ok(vec![(stem(truth), clips.to_owned(), read(truth)?)]);
    }
    let list = |folder: &Path| -> Result<Vec<PathBuf>, Failure> {
        let entries = std::fs::read_dir(folder)
            .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", folder.display())))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        Ok(paths)
    };
    // Clips and truth may lie in one folder.
    let is_truth = |path: &Path| path.extension() == Some(OsStr::new("txt"));
    let found = list(clips)?;
    let mut pairs = Vec::new();
    for path in list(truth)?.into_iter().filter(|path| is_truth(path)) {
        let name = stem(&path);
        let is_clip = |clip: &&PathBuf| stem(clip) == name && !is_truth(clip);
        let clip = found.iter().find(is_clip).ok_or_else(|| {
            Failure::Failed(format!("{}: there is no clip {name} in {}", path.display(), clips.display()))
        })?;
        pairs.push((name, clip.clone(), read(&path)?));
    }
    if pairs.is_empty() {
        return Err(Failure::Failed(format!("{}: there is no file NAME.txt in it", truth.display())));
    }
    Ok(pairs)
}

/// What is shown of a clip, up to the last frame that is looked at.
fn shown(
    clip: &Path,
    truth: &SeenTruth,
    detector: DetectionSource,
    context: &Context,
) -> Result<Vec<ShownBox>, Failure> {
    let settings = &context.loaded.settings;
    let mut source = input::open(clip.as_os_str(), settings)?.source;
    let (threads, kinds) = (threads(settings), Kinds::of(detector.labels().unwrap_or(&Labels::coco())));
    let mut detector = detector.with_threads(threads)?;
    detector.set_slicer(settings.slicer());
    let engine_settings = pipeline::engine_settings(settings);
    let mut engine = Engine::new(detector, engine_settings);
    let last = truth.frames.last().copied().unwrap_or_default();
    let limits = super::Limits { frames: last, time: None };
    let bar = bar(limits, Some(source.info()), &clip.display().to_string(), context);
    let mut shown = Vec::new();
    while let Some(frame) = source.next_frame()? {
        go_on(context)?;
        // Frames count from 1 in such files.
        let number = frame.sequence + 1;
        if number > last {
            break;
        }
        let scene = engine.process(&frame).map_err(Failure::failed)?.scene;
        shown.extend(scene.seen().map(|track| ShownBox {
            frame: number,
            id: i64::try_from(track.id).unwrap_or(i64::MAX),
            rect: track.rect,
            kind: kinds.kind(track.class),
        }));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(shown)
}

const HEAD: [&str; 11] =
    ["boxes", "P", "R", "F1", "shown", "in 1 s", "ids", "false/min", "blinks/min", "whole", "objects"];

/// A line a clip, one for all together, and one for each kind of thing.
fn text(scores: &[(&str, Seen)]) -> String {
    let all: Seen = scores.iter().map(|score| score.1.clone()).sum();
    let names = scores.iter().map(|score| score.0).chain(Kind::ALL.map(Kind::name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{:width$}", "");
    // Writing to a string cannot fail.
    let _ = HEAD.iter().try_for_each(|name| write!(text, "{name:>11}"));
    let mut line = |name: &str, cells: &[String]| {
        let _ = write!(text, "\n{name:width$}");
        let _ = cells.iter().try_for_each(|cell| write!(text, "{cell:>11}"));
    };
    scores.iter().for_each(|(name, seen)| line(name, &cells(seen)));
    if scores.len() > 1 {
        line("all", &cells(&all));
    }
    for (kind, found) in Kind::ALL.iter().zip(all.kinds) {
        line(kind.name(), &found_cells(found));
    }
    text + "\n"
}

/// The numbers of a clip, in the order of [`HEAD`].
fn cells(seen: &Seen) -> Vec<String> {
    let share = |part: u64, of: u64| part as f64 / of as f64;
    let more = [
        cell(share(seen.shown, seen.objects), 2),
        cell(share(seen.shown_soon, seen.lasting), 2),
        cell(share(seen.ids, seen.shown), 2),
        cell(seen.a_minute(seen.false_tracks), 1),
        cell(seen.a_minute(seen.blinks), 1),
        cell(share(seen.whole, seen.frames), 2),
        seen.objects.to_string(),
    ];
    found_cells(seen.all()).into_iter().chain(more).collect()
}

fn found_cells(found: Found) -> [String; 4] {
    [found.there.to_string(), cell(found.precision(), 3), cell(found.recall(), 3), cell(found.f1(), 3)]
}

/// A number with so many decimals; what has none, for want of anything to count, is a dash.
fn cell(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}") } else { "–".to_owned() }
}
