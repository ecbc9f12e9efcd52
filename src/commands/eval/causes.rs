//! `trailsight eval --causes`: why identities were lost.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::dataset::Sequence;
use crate::metrics::{Cause, CauseRules, Causes, Evaluation};
use crate::track::TrackSettings;

/// Frames a second where a data set does not say how many there are.
const USUAL_FPS: f64 = 30.0;

/// How causes are told in a sequence.
pub(super) fn rules(sequence: &Sequence) -> CauseRules {
    CauseRules {
        fps: sequence.fps.unwrap_or(USUAL_FPS),
        memory_seconds: TrackSettings::default().lost_track_seconds,
    }
}

/// Names the sequences whose rate is a guess; `None` where there is none.
pub(super) fn guessed(sequences: &[&Sequence]) -> Option<String> {
    let unknown: Vec<&str> = sequences
        .iter()
        .filter(|sequence| sequence.fps.is_none())
        .map(|sequence| sequence.name.as_str())
        .collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "the frames a second of {} are not known; --causes takes {USUAL_FPS}. A line frameRate= in seqinfo.ini says it",
            unknown.join(", ")
        )
    })
}

/// A table: each cause, how often it came up, its share, and how much HOTA rises where it is healed.
pub(super) fn table(title: &str, causes: &Causes, score: &Evaluation) -> String {
    let all: u64 = causes.losses.iter().sum();
    let title = if title.is_empty() { String::new() } else { format!(", {title}") };
    let head = format!("why identities were lost{title}");
    let width = head.chars().count().max(30);
    let mut text = format!("{head:width$}   times    share  HOTA, if healed\n");
    let before = score.hota.hota.mean();
    let mut row = |name: &str, losses: u64, healed: f64| {
        let share = 100.0 * losses as f64 / all.max(1) as f64;
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{name:width$} {losses:7}  {share:5.1} %  {:+15.2}", 100.0 * (healed - before));
    };
    for ((cause, losses), healed) in Cause::ALL.iter().zip(causes.losses).zip(&causes.healed) {
        row(cause.name(), losses, healed.hota.mean());
    }
    row("all together", all, causes.all_healed.hota.mean());
    text
}

/// The same for programs.
pub(super) fn json(causes: &Causes) -> Value {
    let each: Map<String, Value> = Cause::ALL
        .iter()
        .zip(causes.losses)
        .zip(&causes.healed)
        .map(|((cause, losses), healed)| {
            let one = json!({ "losses": losses, "HOTA_healed": 100.0 * healed.hota.mean() });
            (cause.name().replace(' ', "_"), one)
        })
        .collect();
    json!({ "causes": each, "HOTA_all_healed": 100.0 * causes.all_healed.hota.mean() })
}
