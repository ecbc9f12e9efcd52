//! `trailsight models show`: what a detector's file is, how it is read, and what runs it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stock::{self, row};
use crate::cli::ShowArgs;
use crate::commands::{Failure, print};
use crate::config::Loaded;
use crate::detect::model::{ColourOrder, Fit, InputSpec, ScoreForm, Sizes};
use crate::detect::{DetectSettings, Detector, Runtime};
use crate::detection::{Detection, Detections};
use crate::frame::Picture;
use crate::source::{Source, open_demo, read_picture};

/// Boxes from this score on are compared: weaker ones are noise in every network.
const COMPARED: f32 = 0.05;
/// Boxes and scores that differ by less than this, in pixels of the picture and as probabilities, are the same.
const SAME: (f32, f32) = (0.5, 0.005);
/// How often a picture is looked at to tell how long it takes.
const RUNS: usize = 5;

pub(super) fn run(args: &ShowArgs, loaded: &Loaded) -> Result<(), Failure> {
    let mut settings = loaded.settings.detector.clone();
    if let Some(file) = &args.file {
        settings.model = Some(file.clone());
    }
    let known = stock::known(settings.model.as_deref())?;
    let looks = args.check || args.image.is_some();
    if let Some(entry) = known.as_ref().filter(|entry| !looks && !stock::is_here(entry)) {
        // What is known of it without its file.
        return print(&stock::rows(entry)?).map(drop);
    }
    let picture = picture(args.image.as_deref())?;
    let mut detector = Detector::load(&settings)?;
    let found = detector.detect(&picture).map_err(Failure::from)?;
    let mut text = match &known {
        Some(entry) => stock::rows(entry)?,
        None => row("model", &file_name(&settings)),
    };
    text.push_str(&about(&detector));
    let time = time_of(&mut detector, &picture)?;
    text.push_str(&row("runs with", &format!("{}, {time:.1?} a picture on one thread", detector.runtime())));
    let shown = found.iter().filter(|found| found.score >= settings.confidence).count();
    text.push_str(&row("finds", &format!("{shown} objects in {}", image_name(args.image.as_deref()))));
    if args.check {
        text.push('\n');
        check(&settings, &picture, &mut text)?;
    }
    print(&text).map(drop)
}

fn image_name(image: Option<&Path>) -> String {
    image.map_or_else(|| "a picture of the demo clip".to_owned(), |path| path.display().to_string())
}

fn picture(image: Option<&Path>) -> Result<Arc<Picture>, Failure> {
    match image {
        Some(path) => read_picture(path).map(Arc::new).map_err(Failure::failed),
        None => {
            let mut demo = open_demo().map_err(Failure::failed)?;
            let frame = demo.next_frame().map_err(Failure::failed)?;
            frame
                .map(|frame| frame.picture)
                .ok_or_else(|| Failure::Failed("the demo clip is empty".to_owned()))
        }
    }
}

fn file_name(settings: &DetectSettings) -> String {
    settings.model.as_ref().map_or_else(|| "built in".to_owned(), |path| path.display().to_string())
}

/// What is known of a model, a line each.
fn about(detector: &Detector) -> String {
    let (about, spec) = (detector.about(), detector.spec());
    let mut text = String::new();
    if !about.producer.is_empty() {
        text.push_str(&row("written by", &about.producer));
    }
    text.push_str(&row("family", &about.family));
    for why in &about.why {
        text.push_str(&row("", why));
    }
    text.push_str(&row("input", &input(&spec.input)));
    text.push_str(&row("", &look(&spec.input)));
    for assumed in &about.assumed {
        text.push_str(&row("", &format!("assumed: {assumed}")));
    }
    for (at, output) in spec.outputs.iter().enumerate() {
        let sides: Vec<String> = output.shape.iter().map(usize::to_string).collect();
        text.push_str(&row(
            if at == 0 { "outputs" } else { "" },
            &format!("{} {}", output.name, sides.join("×")),
        ));
    }
    text.push_str(&row("boxes", &spec.boxes.to_string()));
    let scores = match spec.scores {
        ScoreForm::Probabilities => "probabilities",
        ScoreForm::SigmoidLogits => "logits, a sigmoid each",
        ScoreForm::SoftmaxLogits => "logits, a softmax over all; the last is \"none\"",
    };
    let objectness = if spec.objectness { ", times an objectness" } else { "" };
    text.push_str(&row("scores", &format!("{scores}{objectness}")));
    let nms = if spec.nms { "non-maximum suppression follows" } else { "an object is found once" };
    text.push_str(&row("", nms));
    let names: Vec<&str> = detector.labels().iter().take(4).collect();
    let more = if detector.labels().len() > 4 { ", …" } else { "" };
    let from = &about.labels_from;
    text.push_str(&row("classes", &format!("{} ({from}): {}{more}", spec.classes, names.join(", "))));
    for (at, rewritten) in about.rewritten.iter().enumerate() {
        text.push_str(&row(if at == 0 { "rewritten" } else { "" }, rewritten));
    }
    text
}

fn input(spec: &InputSpec) -> String {
    let sizes = match spec.sizes {
        Sizes::Fixed => "only this size".to_owned(),
        Sizes::MultipleOf(side) => format!("any size of multiples of {side}"),
    };
    let [a, b, c, d] = spec.shape();
    format!("{} ({a}×{b}×{c}×{d}), {sizes}", spec.size)
}

fn look(spec: &InputSpec) -> String {
    let order = match spec.colour {
        ColourOrder::Rgb => "red first",
        ColourOrder::Bgr => "blue first",
    };
    let fit = match spec.fit {
        Fit::LetterboxTopLeft(_) => "at the top left",
        Fit::LetterboxCentred(_) => "in the middle",
        Fit::Stretch => "stretched",
    };
    let range = if spec.scale == 1.0 { "levels up to 255" } else { "numbers from 0 to 1" };
    let (mean, std) = (spec.mean, spec.std);
    let plain = mean == [0.0; 3] && std == [1.0; 3];
    let normalised = if plain { String::new() } else { format!(", less {mean:?}, over {std:?}") };
    format!("{order}, {range}{normalised}, {fit}")
}

/// The median time of a picture.
fn time_of(detector: &mut Detector, picture: &Picture) -> Result<Duration, Failure> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let started = Instant::now();
        detector.detect(picture)?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times.get(RUNS / 2).copied().unwrap_or_default())
}

/// Runs a model with each runtime and compares what they find with what tract finds.
fn check(settings: &DetectSettings, picture: &Picture, text: &mut String) -> Result<(), Failure> {
    let with = |runtime: Runtime| DetectSettings {
        runtime,
        confidence: COMPARED,
        nms_iou: 1.0,
        box_voting: false,
        ..settings.clone()
    };
    let mut reference = Detector::load(&with(Runtime::Tract))?;
    let expected = reference.detect(picture)?;
    let time = time_of(&mut reference, picture)?;
    text.push_str(&row(
        "tract",
        &format!("{time:.1?} a picture, {} boxes from a score of {COMPARED} on", expected.len()),
    ));
    let mut differs = false;
    for runtime in [Runtime::Native, Runtime::OnnxRuntime] {
        let line = match Detector::load(&with(runtime)) {
            Ok(mut detector) => {
                let found = detector.detect(picture)?;
                let time = time_of(&mut detector, picture)?;
                let difference = Difference::between(&expected, &found);
                differs |= difference.unmatched > 0;
                format!("{time:.1?} a picture, {difference}")
            }
            Err(error) => error.to_string(),
        };
        text.push_str(&row(&runtime.to_string(), &line));
    }
    if differs {
        return Err(Failure::Failed(format!("{text}the runtimes do not find the same")));
    }
    Ok(())
}

/// How two runs on one picture differ.
struct Difference {
    /// Boxes of either without one of the other at the same place.
    unmatched: usize,
    /// Of the others: the largest distance of an edge, in pixels, and of a score.
    largest: (f32, f32),
}

impl Difference {
    /// Boxes are compared as sets: of equal scores either may come first.
    fn between(expected: &Detections, found: &Detections) -> Self {
        let mut open: Vec<&Detection> = expected.iter().collect();
        let mut difference = Self { unmatched: 0, largest: (0.0, 0.0) };
        for found in found.iter() {
            let apart = |other: &Detection| {
                let edges =
                    |one: &Detection| [one.rect.left, one.rect.top, one.rect.right(), one.rect.bottom()];
                let pixels = edges(found)
                    .into_iter()
                    .zip(edges(other))
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f32::max);
                (pixels, (found.score - other.score).abs())
            };
            let same = |other: &Detection| {
                let (pixels, score) = apart(other);
                found.class == other.class && pixels <= SAME.0 && score <= SAME.1
            };
            match open.iter().position(|other| same(other)) {
                Some(at) => {
                    let (pixels, score) = apart(open.swap_remove(at));
                    difference.largest = (difference.largest.0.max(pixels), difference.largest.1.max(score));
                }
                None => difference.unmatched += 1,
            }
        }
        difference.unmatched += open.len();
        difference
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.unmatched {
            0 => write!(
                f,
                "the same boxes (apart by {:.2} pixels and {:.5} at most)",
                self.largest.0, self.largest.1
            ),
            count => write!(f, "{count} boxes differ"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    #[test]
    fn boxes_are_compared_as_sets() {
        let at =
            |left: f32, score: f32, class| Detection { rect: Rect::new(left, 0.0, 10.0, 10.0), score, class };
        let all = |boxes: &[Detection]| Detections::from(boxes.to_vec());
        let a = all(&[at(0.0, 0.9, 0), at(50.0, 0.9, 0)]);
        let same = Difference::between(&a, &all(&[at(50.1, 0.9, 0), at(0.0, 0.902, 0)]));
        assert_eq!(same.unmatched, 0);
        assert!((same.largest.0 - 0.1).abs() < 1e-4 && (same.largest.1 - 0.002).abs() < 1e-4);
        for (other, unmatched) in [
            (all(&[at(0.0, 0.9, 0)]), 1),
            (all(&[at(0.0, 0.9, 1), at(50.0, 0.9, 0)]), 2),
            (all(&[at(1.0, 0.9, 0), at(50.0, 0.9, 0)]), 2),
            (all(&[at(0.0, 0.8, 0), at(50.0, 0.9, 0)]), 2),
        ] {
            assert_eq!(Difference::between(&a, &other).unmatched, unmatched, "{other:?}");
        }
    }
}
