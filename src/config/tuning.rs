//! The settings that are worth a hand on them while the program runs: which rows the panel has, how far each goes, and by
//! how much it moves at a time.

use toml_edit::Value;

use super::live::Live;
use super::params::{Parameter, parameter};
use crate::ui::panel::{Control, PanelRow};

/// How a value moves.
#[derive(Debug, Clone, Copy)]
enum Moves {
    /// From the first number to the second by the third, shown with so many decimals. The range is what is of use: a
    /// file may go beyond it.
    Range(f64, f64, f64, usize),
    /// From word to word.
    Words(&'static [&'static str]),
    /// Not by steps: it is only shown.
    Not,
}

/// One row.
struct Dial {
    path: &'static str,
    label: &'static str,
    unit: &'static str,
    moves: Moves,
}

const fn dial(path: &'static str, label: &'static str, unit: &'static str, moves: Moves) -> Dial {
    Dial { path, label, unit, moves }
}

const SWITCH: Moves = Moves::Words(&["false", "true"]);

const SHARE: Moves = Moves::Range(0.0, 1.0, 0.01, 2);

/// The rows, from what one sees at once to what is fine.
static DIALS: &[Dial] = &[
    dial("detector.confidence", "confidence", "", SHARE),
    dial("detector.nms_iou", "overlap dropped", "", SHARE),
    dial(
        "detector.input",
        "network input",
        "",
        Moves::Words(&["224x224", "320x320", "416x416", "512x512", "640x640", "768x768", "960x960"]),
    ),
    dial("detector.min_interval", "rest", "s", Moves::Range(0.0, 2.0, 0.05, 2)),
    dial("detector.classes", "classes", "", Moves::Not),
    dial("enhance.auto", "enhance by itself", "", SWITCH),
    dial("enhance.exposure", "exposure", "", SWITCH),
    dial("enhance.contrast", "local contrast", "", Moves::Range(0.0, 8.0, 0.5, 1)),
    dial("enhance.median", "median", "", Moves::Words(&["off", "3x3", "5x5"])),
    dial("enhance.temporal", "noise over time", "", Moves::Range(0.0, 60.0, 1.0, 0)),
    dial("tracker.high_score", "first match from", "", SHARE),
    dial("tracker.low_score", "second match from", "", SHARE),
    dial("tracker.match_similarity", "first similarity", "", SHARE),
    dial("tracker.low_match_similarity", "second similarity", "", SHARE),
    dial("tracker.confirm_score", "shown from", "", Moves::Range(0.0, 5.0, 0.1, 1)),
    dial("tracker.keep_margin", "keep margin", "", SHARE),
    dial("tracker.duplicate_iou", "duplicate from", "", SHARE),
    dial("tracker.memory_seconds", "memory", "s", Moves::Range(0.0, 10.0, 0.1, 1)),
    dial("tracker.reach", "reach", "σ", Moves::Range(0.0, 2.0, 0.05, 2)),
    dial("tracker.position_noise", "position noise", "", Moves::Range(0.0, 3.0, 0.05, 2)),
    dial("tracker.velocity_noise", "speed noise", "", Moves::Range(0.0, 5.0, 0.1, 1)),
    dial("tracker.smoothing", "smoothing", "", Moves::Range(0.0, 1.0, 0.05, 2)),
    dial("trails.seconds", "trails", "s", Moves::Range(0.0, 20.0, 0.5, 1)),
    dial("trails.anchor", "trails from", "", Moves::Words(&["bottom", "center"])),
    dial(
        "overlay.scale",
        "size of letters",
        "",
        Moves::Words(&["auto", "0.5", "0.75", "1.0", "1.25", "1.5", "2.0", "3.0", "4.0"]),
    ),
];

/// The rows of the panel as they stand.
pub fn rows(live: &Live) -> Vec<PanelRow> {
    let changed = live.changed();
    let row = |dial: &Dial| {
        let key = parameter(dial.path)?;
        let value = key.get(live.settings());
        Some(PanelRow {
            path: dial.path,
            label: dial.label,
            value: shown(dial, &value),
            unit: dial.unit,
            control: match dial.moves {
                Moves::Range(low, high, ..) => {
                    Control::Slider(((number(&value) - low) / (high - low)).clamp(0.0, 1.0) as f32)
                }
                Moves::Words(_) => Control::Choice,
                Moves::Not => Control::Shown,
            },
            changed: changed.contains(&dial.path),
            origin: live.origin(key).to_string(),
            comment: key.comment,
        })
    };
    DIALS.iter().filter_map(row).collect()
}

/// Moves a value by so many of its steps; at the end of its range it stays.
///
/// # Errors
/// What is wrong, in words; nothing has changed then.
pub fn nudge(live: &mut Live, path: &str, steps: i32) -> Result<(), String> {
    let (dial, key) = find(path)?;
    let value = key.get(live.settings());
    match dial.moves {
        Moves::Range(_, _, step, _) => {
            let wished = ((number(&value) / step).round() + f64::from(steps)) * step;
            put(live, dial, wished)
        }
        Moves::Words(words) => match word_after(words, text(&value).as_str(), steps) {
            Some(word) => live.set(path, &word_value(word)),
            None => Ok(()),
        },
        Moves::Not => Err(format!("{path} is changed in {}", live.path().display())),
    }
}

/// Puts a value at a share of its range, `0.0..=1.0`, on the nearest step.
///
/// # Errors
/// As [`nudge`].
pub fn put_at(live: &mut Live, path: &str, share: f32) -> Result<(), String> {
    let (dial, _) = find(path)?;
    match dial.moves {
        Moves::Range(low, high, step, _) => {
            let wished = low + f64::from(share.clamp(0.0, 1.0)) * (high - low);
            put(live, dial, (wished / step).round() * step)
        }
        Moves::Words(_) | Moves::Not => Ok(()),
    }
}

fn find(path: &str) -> Result<(&'static Dial, &'static Parameter), String> {
    let dial = DIALS.iter().find(|dial| dial.path == path);
    dial.zip(parameter(path)).ok_or_else(|| format!("{path} has no row in the panel"))
}

fn put(live: &mut Live, dial: &Dial, wished: f64) -> Result<(), String> {
    let Moves::Range(mut low, mut high, _, decimals) = dial.moves else { return Ok(()) };
    // Two that bound each other stop at each other instead of being refused.
    let tracker = &live.settings().tracker;
    match dial.path {
        "tracker.low_score" => high = high.min(number_of(tracker.high_score)),
        "tracker.high_score" => low = low.max(number_of(tracker.low_score)),
        _ => {}
    }
    // Through text, so that 0.30000000000000004 never gets into a file.
    let rounded = format!("{wished:.decimals$}").parse().unwrap_or(wished);
    live.set(dial.path, &rounded.max(low).min(high).into())
}

/// As the panel shows it: with the decimals of the steps, or more where a file asked for them.
fn shown(dial: &Dial, value: &Value) -> String {
    match (dial.moves, value) {
        (Moves::Range(.., decimals), _) => {
            let number = number(value);
            let text = format!("{number:.decimals$}");
            if text.parse() == Ok(number) { text } else { number.to_string() }
        }
        (_, Value::Array(list)) if list.is_empty() => "all".to_owned(),
        (_, Value::Array(list)) => {
            list.iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(", ")
        }
        _ => text(value),
    }
}

fn number(value: &Value) -> f64 {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)).unwrap_or(0.0)
}

fn number_of(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn word_value(word: &str) -> Value {
    match word {
        "true" => true.into(),
        "false" => false.into(),
        _ => word.parse::<f64>().map_or_else(|_| word.into(), Value::from),
    }
}

/// The word so many steps on; the ends hold. From a value that is none of the words it goes to the next larger or
/// smaller one.
fn word_after(words: &'static [&'static str], now: &str, steps: i32) -> Option<&'static str> {
    // 640x384 lies between 416x416 and 512x512: what counts is the product of the numbers.
    let weight = |word: &str| -> f64 {
        word.split('x').map(|part| part.trim().parse::<f64>().unwrap_or(0.0)).product()
    };
    let here = words.iter().position(|word| *word == now);
    let last = words.len().checked_sub(1)?;
    let index = match here {
        Some(here) => here.saturating_add_signed(steps as isize).min(last),
        None if steps > 0 => words.iter().position(|word| weight(word) > weight(now)).unwrap_or(last),
        None => words.iter().rposition(|word| weight(word) < weight(now)).unwrap_or(0),
    };
    words.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Given, Loaded};

    fn live(given: &[(&str, &str)]) -> Live {
        let given: Vec<Given> = given
            .iter()
            .map(|(key, value)| Given { key: (*key).into(), value: (*value).into(), typed: "--set".into() })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, "").unwrap();
        Live::new(Loaded::load(Some(&path), &given).unwrap())
    }

    fn value(live: &Live, path: &str) -> String {
        rows(live).into_iter().find(|row| row.path == path).unwrap().value
    }

    #[test]
    fn there_are_rows_for_each_room_and_each_can_be_moved_to_both_ends() {
        let mut live = live(&[]);
        assert_eq!(rows(&live).len(), 25);
        for row in rows(&live) {
            assert!(!row.comment.is_empty(), "{}", row.path);
            for steps in [1, -1, -1000, 1000] {
                let moved = nudge(&mut live, row.path, steps);
                assert_eq!(moved.is_ok(), row.control != Control::Shown, "{} {moved:?}", row.path);
            }
            for share in [0.0, 0.5, 1.0, f32::NAN] {
                put_at(&mut live, row.path, share).unwrap();
            }
            live.reset(row.path).unwrap();
            assert!(rows(&live).contains(&row), "{} is not what it was", row.path);
        }
    }

    #[test]
    fn steps_are_round_and_their_values_readable() {
        let mut live = live(&[("detector.confidence", "0.655"), ("tracker.smoothing", "0.5")]);
        assert_eq!(value(&live, "detector.confidence"), "0.655");
        for expected in ["0.67", "0.68", "0.69"] {
            nudge(&mut live, "detector.confidence", 1).unwrap();
            assert_eq!(value(&live, "detector.confidence"), expected);
        }
        nudge(&mut live, "tracker.smoothing", -4).unwrap();
        assert_eq!(value(&live, "tracker.smoothing"), "0.30");
        assert_eq!(live.changed(), ["detector.confidence", "tracker.smoothing"]);
        put_at(&mut live, "trails.seconds", 0.513).unwrap();
        assert_eq!(value(&live, "trails.seconds"), "10.5");
    }

    #[test]
    fn scores_stop_at_each_other() {
        let mut live = live(&[]);
        put_at(&mut live, "tracker.low_score", 1.0).unwrap();
        assert_eq!(value(&live, "tracker.low_score"), "0.60");
        nudge(&mut live, "tracker.high_score", -50).unwrap();
        assert_eq!(value(&live, "tracker.high_score"), "0.60");
    }

    #[test]
    fn words_go_on_from_any_value() {
        let mut live = live(&[("detector.input", "640x384"), ("overlay.scale", "1.1")]);
        for (path, steps, expected) in [
            ("detector.input", 1, "512x512"),
            ("detector.input", 10, "960x960"),
            ("detector.input", -1, "768x768"),
            ("overlay.scale", -1, "1.0"),
            ("overlay.scale", -9, "auto"),
            ("trails.anchor", 1, "center"),
        ] {
            nudge(&mut live, path, steps).unwrap();
            assert_eq!(value(&live, path), expected);
        }
        live.reset("detector.input").unwrap();
        nudge(&mut live, "detector.input", -1).unwrap();
        assert_eq!(value(&live, "detector.input"), "416x416");
    }
}
