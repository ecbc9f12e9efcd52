//! The faults of a simulated camera, as written on the command line: `run 3, stall 5, unplug 3, corrupt 10% 4, resize
//! 320x240`.

use std::time::Duration;

/// How long the camera is well between two faults that follow each other directly, before the first, and how long
/// damage lasts where nothing is said.
const USUAL: Duration = Duration::from_secs(3);
/// No step lasts longer than this (seconds).
const LONGEST: f64 = 1e6;
/// What is allowed, for messages.
const FORM: &str = "faults are separated by commas: \"run 5\" (no fault for 5 s), \"stall 5\" (no pictures for 5 s), \
                    \"unplug 3\" (gone for 3 s), \"corrupt 10% 5\" (that share of the pictures is damaged, for 5 s), \
                    \"resize 320x240\" (pictures of another size from then on)";

/// How the camera is at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State {
    pub(super) trouble: Trouble,
    /// The size of the pictures, where it is not the recording's.
    pub(super) size: Option<(u32, u32)>,
    /// Until when it is so, in time since the beginning; `None`: for good.
    pub(super) until: Option<Duration>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// No pictures come.
    Stall,
    /// The device is not there.
    Unplug,
    /// This share of the pictures, `0.0..=1.0`, is damaged.
    Corrupt(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Lasting(Trouble, Duration),
    Resize(u32, u32),
}

/// Faults in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Script(Vec<Step>);

impl Script {
    /// Reads a script; an empty one means a camera that is always well.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
            let step = step(part).ok_or_else(|| format!("\"{part}\" is not a fault: {FORM}"))?;
            // Trouble after trouble would be one trouble.
            let well = Step::Lasting(Trouble::None, USUAL);
            let follows = matches!(steps.last(), Some(Step::Lasting(Trouble::None, _)));
            if !follows && !matches!(step, Step::Lasting(Trouble::None, _)) {
                steps.push(well);
            }
            steps.push(step);
        }
        Ok(Self(steps))
    }

    /// How the camera is so long after the beginning.
    pub(super) fn at(&self, elapsed: Duration) -> State {
        let mut until = Duration::ZERO;
        let mut size = None;
        for step in &self.0 {
            match *step {
                Step::Resize(width, height) => size = Some((width, height)),
                Step::Lasting(trouble, time) => {
                    until = until.saturating_add(time);
                    if elapsed < until {
                        return State { trouble, size, until: Some(until) };
                    }
                }
            }
        }
        State { trouble: Trouble::None, size, until: None }
    }
}

fn step(part: &str) -> Option<Step> {
    let mut words = part.split_whitespace();
    let (name, first, second) = (words.next()?, words.next(), words.next());
    if words.next().is_some() {
        return None;
    }
    let lasting = |trouble, time: Option<&str>| Some(Step::Lasting(trouble, duration(time)?));
    match (name.to_ascii_lowercase().as_str(), first, second) {
        ("run", time, None) => lasting(Trouble::None, time),
        ("stall", time, None) => lasting(Trouble::Stall, time),
        ("unplug", time, None) => lasting(Trouble::Unplug, time),
        ("corrupt", Some(share), time) => {
            let share: f64 = share.strip_suffix('%')?.parse().ok()?;
            (0.0..=100.0).contains(&share).then_some(())?;
            lasting(Trouble::Corrupt(share / 100.0), time)
        }
        ("resize", size, None) => {
            let (width, height) = size.unwrap_or("320x240").split_once(['x', '×'])?;
            let side = |text: &str| text.parse().ok().filter(|side| (16..=4096).contains(side));
            Some(Step::Resize(side(width)?, side(height)?))
        }
        _ => None,
    }
}

/// `5`, `5s`, `0.5`; nothing is the usual time.
fn duration(text: Option<&str>) -> Option<Duration> {
    let Some(text) = text else { return Some(USUAL) };
    let seconds: f64 = text.trim_end_matches('s').parse().ok()?;
    (0.0..=LONGEST).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(script: &Script, seconds: f64) -> (Trouble, Option<(u32, u32)>) {
        let state = script.at(Duration::from_secs_f64(seconds));
        (state.trouble, state.size)
    }

    #[test]
    fn a_script_goes_from_fault_to_fault() {
        let script = Script::parse("run 1, stall 5; unplug 3,corrupt 10% 2, Resize 64x48, run 4s").unwrap();
        for (seconds, expected) in [
            (0.0, (Trouble::None, None)),
            (1.0, (Trouble::Stall, None)),
            (5.9, (Trouble::Stall, None)),
            // Between two faults all is well for three seconds.
            (6.0, (Trouble::None, None)),
            (9.0, (Trouble::Unplug, None)),
            (12.0, (Trouble::None, None)),
            (15.5, (Trouble::Corrupt(0.1), None)),
            (17.0, (Trouble::None, None)),
            (20.5, (Trouble::None, Some((64, 48)))),
            (1e5, (Trouble::None, Some((64, 48)))),
        ] {
            assert_eq!(at(&script, seconds), expected, "at {seconds}");
        }
        assert_eq!(script.at(Duration::from_secs(2)).until, Some(Duration::from_secs(6)));
        assert_eq!(script.at(Duration::from_secs(100)).until, None);
        assert_eq!(at(&Script::parse(" ,; ").unwrap(), 7.0), (Trouble::None, None));
    }

    #[test]
    fn what_is_no_fault_is_told_with_what_is() {
        for wrong in [
            "stal 5",
            "stall x",
            "stall -1",
            "corrupt 10",
            "corrupt 101%",
            "resize 5",
            "resize 9x9",
            "run 1 2",
        ] {
            let error = Script::parse(&format!("run 1,{wrong}")).unwrap_err();
            assert!(error.contains(wrong) && error.contains("corrupt 10% 5"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_script_or_a_mistake(text in "[a-z0-9%x,; .]{0,40}", seconds in 0.0..1e9_f64) {
            if let Ok(script) = Script::parse(&text) {
                script.at(Duration::from_secs_f64(seconds));
            }
        }
    }
}
