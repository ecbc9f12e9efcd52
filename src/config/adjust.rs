//! The settings that keys and the panel change while the program runs, in the order of the panel's rows: the label, the
//! useful range, and the step of each. Everything else about them comes from the table of parameters.

use toml_edit::Value;

use super::Settings;
use super::live::Live;
use super::params::{Parameter, parameter};
use crate::detect::InputChoice;

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
struct Row {
    path: &'static str,
    label: &'static str,
    moves: Moves,
}

const fn row(path: &'static str, label: &'static str, moves: Moves) -> Row {
    Row { path, label, moves }
}

const SWITCH: Moves = Moves::Words(&["false", "true"]);

const SHARE: Moves = Moves::Range(0.0, 1.0, 0.01, 2);

/// The rows, from what one sees at once to what is fine.
static ROWS: &[Row] = &[
    row("detector.confidence", "confidence", SHARE),
    row("detector.nms_iou", "overlap dropped", SHARE),
    row("detector.input", "network input", Moves::Words(&["auto", "fast", "normal", "fine", "finest"])),
    row("detector.min_interval", "rest", Moves::Range(0.0, 2.0, 0.05, 2)),
    row("detector.classes", "classes", Moves::Not),
    row("enhance.auto", "auto enhance", SWITCH),
    row("enhance.exposure", "exposure", SWITCH),
    row("enhance.contrast", "local contrast", Moves::Range(0.0, 8.0, 0.5, 1)),
    row("enhance.median", "median", Moves::Words(&["off", "3x3", "5x5"])),
    row("enhance.temporal", "noise over time", Moves::Range(0.0, 60.0, 1.0, 0)),
    row("tracker.high_score", "first match from", SHARE),
    row("tracker.low_score", "second match from", SHARE),
    row("tracker.match_similarity", "first similarity", SHARE),
    row("tracker.low_match_similarity", "second similarity", SHARE),
    row("tracker.confirm_score", "confirmed from", Moves::Range(0.0, 5.0, 0.1, 1)),
    row("tracker.show_margin", "show margin", SHARE),
    row("tracker.hide_margin", "hide margin", SHARE),
    row("tracker.duplicate_iou", "duplicate from", SHARE),
    row("tracker.lost_track_seconds", "lost tracks", Moves::Range(0.0, 10.0, 0.1, 1)),
    row("tracker.buffer", "buffer", Moves::Range(0.0, 2.0, 0.05, 2)),
    row("tracker.position_noise", "position noise", Moves::Range(0.0, 3.0, 0.05, 2)),
    row("tracker.velocity_noise", "speed noise", Moves::Range(0.0, 5.0, 0.1, 1)),
    row("tracker.smoothing", "smoothing", Moves::Range(0.0, 1.0, 0.05, 2)),
    row("trails.seconds", "trails", Moves::Range(0.0, 20.0, 0.5, 1)),
    row("trails.anchor", "trails from", Moves::Words(&["bottom", "center"])),
    row(
        "overlay.scale",
        "size of letters",
        Moves::Words(&["auto", "0.5", "0.75", "1.0", "1.25", "1.5", "2.0", "3.0", "4.0"]),
    ),
];

/// An adjustable setting as it stands.
#[derive(Debug, Clone)]
pub struct Adjustable {
    /// The setting.
    pub parameter: &'static Parameter,
    /// Its short name.
    pub label: &'static str,
    /// Its value, as a person reads it.
    pub value: String,
    /// How it moves.
    pub motion: Motion,
}

/// How a setting moves, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Motion {
    /// Anywhere within a range; how far along it is, `0.0..=1.0`.
    Range(f32),
    /// From one word to the next.
    Words,
    /// It does not: it is changed in the file.
    Fixed,
}

/// All adjustable settings with their values, in the order of the panel.
pub fn adjustable(settings: &Settings) -> impl Iterator<Item = Adjustable> {
    ROWS.iter().filter_map(|row| {
        let parameter = parameter(row.path)?;
        let value = parameter.get(settings);
        let motion = match row.moves {
            Moves::Range(low, high, ..) => {
                Motion::Range(((number(&value) - low) / (high - low)).clamp(0.0, 1.0) as f32)
            }
            Moves::Words(_) => Motion::Words,
            Moves::Not => Motion::Fixed,
        };
        Some(Adjustable { parameter, label: row.label, value: shown(row, &value), motion })
    })
}

/// Moves a value by so many of its steps; at the end of its range it stays.
///
/// # Errors
/// What is wrong, in words; nothing has changed then.
pub fn nudge(live: &mut Live, path: &str, steps: i32) -> Result<(), String> {
    let (row, key) = find(path)?;
    let value = key.get(live.settings());
    match row.moves {
        Moves::Range(_, _, step, _) => {
            let wished = ((number(&value) / step).round() + f64::from(steps)) * step;
            put(live, row, wished)
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
    let (row, _) = find(path)?;
    match row.moves {
        Moves::Range(low, high, step, _) => {
            let wished = low + f64::from(share.clamp(0.0, 1.0)) * (high - low);
            put(live, row, (wished / step).round() * step)
        }
        Moves::Words(_) | Moves::Not => Ok(()),
    }
}

fn find(path: &str) -> Result<(&'static Row, &'static Parameter), String> {
    let row = ROWS.iter().find(|row| row.path == path);
    row.zip(parameter(path)).ok_or_else(|| format!("{path} has no row in the panel"))
}

fn put(live: &mut Live, row: &Row, wished: f64) -> Result<(), String> {
    let Moves::Range(mut low, mut high, _, decimals) = row.moves else { return Ok(()) };
    // Two that bound each other stop at each other instead of being refused.
    let tracker = &live.settings().tracker;
    match row.path {
        "tracker.low_score" => high = high.min(number_of(tracker.high_score)),
        "tracker.high_score" => low = low.max(number_of(tracker.low_score)),
        _ => {}
    }
    // Through text, so that 0.30000000000000004 never gets into a file.
    let rounded = format!("{wished:.decimals$}").parse().unwrap_or(wished);
    live.set(row.path, &rounded.max(low).min(high).into())
}

/// As the panel shows it: with the decimals of the steps, or more where a file asked for them.
fn shown(row: &Row, value: &Value) -> String {
    match (row.moves, value) {
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
    // 640x384 lies between "normal" and "fine": what counts of an input is its pixels.
    let weight = |word: &str| -> f64 {
        match word.parse() {
            Ok(InputChoice::Budget(budget)) => budget.pixels() as f64,
            Ok(InputChoice::Size(size)) => (size.width() * size.height()) as f64,
            Ok(InputChoice::Auto) | Err(_) => word.trim().parse().unwrap_or(0.0),
        }
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
    use crate::config::{Given, Loaded, parameters};

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
        adjustable(live.settings()).find(|row| row.parameter.path == path).unwrap().value
    }

    #[test]
    fn every_row_is_a_setting_of_its_own_and_moves_to_both_ends() {
        let mut live = live(&[]);
        let rows: Vec<_> = adjustable(live.settings()).collect();
        assert_eq!(rows.len(), ROWS.len(), "a row names no setting");
        for (index, row) in rows.iter().enumerate() {
            let path = row.parameter.path;
            assert!(
                rows[..index].iter().all(|other| other.parameter.path != path && other.label != row.label),
                "{path}"
            );
            for steps in [1, -1, -1000, 1000] {
                let moved = nudge(&mut live, path, steps);
                assert_eq!(moved.is_ok(), row.motion != Motion::Fixed, "{path} {moved:?}");
            }
            for share in [0.0, 0.5, 1.0, f32::NAN] {
                put_at(&mut live, path, share).unwrap();
            }
            live.reset(path).unwrap();
            assert_eq!((value(&live, path), live.changed().len()), (row.value.clone(), 0), "{path}");
        }
        for section in ["detector", "enhance", "tracker", "trails", "overlay"] {
            let of_section = |path: &str| path.starts_with(&format!("{section}."));
            assert!(rows.iter().any(|row| of_section(row.parameter.path)), "[{section}] has no row");
            assert!(parameters().iter().any(|known| of_section(known.path)));
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
            ("detector.input", 1, "fine"),
            ("detector.input", 10, "finest"),
            ("detector.input", -3, "fast"),
            ("detector.input", -1, "auto"),
            ("overlay.scale", -1, "1.0"),
            ("overlay.scale", -9, "auto"),
            ("trails.anchor", 1, "center"),
        ] {
            nudge(&mut live, path, steps).unwrap();
            assert_eq!(value(&live, path), expected);
        }
        live.reset("detector.input").unwrap();
        nudge(&mut live, "detector.input", -1).unwrap();
        assert_eq!(value(&live, "detector.input"), "normal");
    }
}
