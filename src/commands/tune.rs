//! `trailsight tune`: better values for the tracker's settings, from one's own recordings.

use std::time::{Duration, Instant};

use super::{Context, Failure, course, print, progress};
use crate::cli::TuneArgs;
use crate::config::{Settings, key};
use crate::record::PartialFile;
use crate::track::TrackSettings;
use crate::tuning::{Budget, Course, Found, Objective, Worth, folds, search, settle};

/// Held-out sequences should gain at least this share of what the others do.
const FAIR_SHARE: f64 = 0.5;
/// Gains smaller than this, in percent, are noise.
const NOISE: f64 = 0.8;

/// What the check on held-out sequences gave, in percent.
#[derive(Debug, Clone, Copy, Default)]
struct Check {
    seen: f64,
    held_out: f64,
    /// Of how many folds.
    folds: usize,
}

pub(super) fn run(args: &TuneArgs, context: &Context) -> Result<(), Failure> {
    let course = course::load(&args.course)?;
    let start = context.loaded.settings.track();
    let mut output = PartialFile::create(&args.output)?;
    context.stop.be_graceful();
    let tuning = Tuning { course: &course, args, context, start, began: Instant::now() };

    let mut text = format!("{} sequences, {} frames\n", course.len(), tuning.frames());
    let check = tuning.check(&mut text)?;
    let all: Vec<usize> = (0..course.len()).collect();
    let last = folds(&course, args.folds as usize).len();
    let (mut found, _) = tuning.search(&all, last, "all")?;
    let worths = match context.stop.is_asked() {
        // What was found is kept, with no time to ask what each value is worth.
        true => None,
        false => settle(&course, &all, &start, &mut found, args.objective, &|| context.stop.is_asked()),
    };
    text += &outcome(&found, worths.as_deref(), args.objective);
    if let Some(warning) = warning(&check, &found) {
        text += &format!("{warning}\n");
    }
    output.append(
        toml(&found, worths.as_deref(), &check, args, &course, &context.loaded.settings).as_bytes(),
    )?;
    output.finish()?;
    text += &format!("wrote {0}; use it with --config {0}\n", args.output.display());
    print(&text)?;
    match context.stop.signal() {
        Some(signal) => Err(Failure::Signal(signal)),
        None => Ok(()),
    }
}

/// One run of the command.
struct Tuning<'a> {
    course: &'a Course,
    args: &'a TuneArgs,
    context: &'a Context,
    start: TrackSettings,
    began: Instant,
}

impl Tuning<'_> {
    fn frames(&self) -> usize {
        let all: Vec<usize> = (0..self.course.len()).collect();
        self.course.frames(&all)
    }

    /// Searches with each fold held out, and tells how both sides do.
    fn check(&self, text: &mut String) -> Result<Check, Failure> {
        let folds = folds(self.course, self.args.folds as usize);
        let mut check = Check::default();
        if folds.is_empty() {
            *text += "not checked on held-out sequences: that takes two sequences or more, and --folds of 2 or more\n";
            return Ok(check);
        }
        *text += &format!("{:<42}{:>18}{:>18}\n", "held out", "searched on", "held out");
        for (number, fold) in folds.iter().enumerate() {
            let (found, stopped) = self.search(&fold.seen, number, &format!("fold {}", number + 1))?;
            let both = [self.start, found.settings];
            let judged = self.course.judge(&both, &fold.held_out, None, &|| false).unwrap_or_default();
            let scores: Vec<f64> = judged.iter().map(|judged| judged.score(self.args.objective)).collect();
            let [before, after] = scores.as_slice() else { break };
            let names: Vec<&str> = fold.held_out.iter().map(|leg| self.course.name(*leg)).collect();
            *text += &format!(
                "{:<42}{:>18}{:>18}\n",
                shortened(&names.join(" "), 41),
                format!("{:.2} → {:.2}", found.before, found.score),
                format!("{before:.2} → {after:.2}")
            );
            check.seen += found.score - found.before;
            check.held_out += after - before;
            check.folds += 1;
            if stopped {
                break;
            }
        }
        let count = check.folds.max(1) as f64;
        (check.seen, check.held_out) = (check.seen / count, check.held_out / count);
        *text += &format!(
            "{:<42}{:>18}{:>18}\n",
            "mean gain",
            format!("{:+.2}", check.seen),
            format!("{:+.2}", check.held_out)
        );
        Ok(check)
    }

    /// One search, and whether it was stopped; `number` is how many came before it.
    fn search(&self, legs: &[usize], number: usize, name: &str) -> Result<(Found, bool), Failure> {
        let searches = folds(self.course, self.args.folds as usize).len() + 1;
        let share = (number + 1) as f64 / searches as f64;
        let until = self.args.seconds.map(|seconds| self.began + Duration::from_secs_f64(seconds * share));
        let budget = Budget { trials: self.args.trials as usize, until };
        let bar = progress::steps(budget.trials as u64, "trials", self.context.quiet);
        bar.set_message(name.to_owned());
        let seed = self.args.seed.wrapping_add(number as u64);
        let stop = || self.context.stop.is_asked();
        let found = search(
            self.course,
            legs,
            &self.start,
            (self.args.objective, seed, budget),
            &stop,
            |trials, best| {
                bar.set_position(trials as u64);
                bar.set_message(format!("{name}: {best:.2}"));
            },
        );
        bar.finish_and_clear();
        let stopped = self.context.stop.is_asked();
        found
            .map(|found| (found, stopped))
            .ok_or_else(|| Failure::Signal(self.context.stop.signal().unwrap_or(2)))
    }
}

/// The text, or its beginning where it is longer than `most` characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// What was found, for a person.
fn outcome(found: &Found, worths: Option<&[Worth]>, objective: Objective) -> String {
    let name = Objective::ALL.iter().find(|(_, known)| *known == objective).map_or("", |(name, _)| *name);
    let mut text = format!(
        "{name} {:.2} → {:.2} on all sequences, {} trials\n",
        found.before, found.score, found.trials
    );
    match worths {
        None => text += "stopped: what each change is worth was not measured\n",
        Some([]) => text += "nothing was found that is better than the settings in force\n",
        Some(worths) => {
            text += &format!("{:<34}{:>10}{:>10}{:>10}\n", "setting", "before", "now", "worth");
            for Worth { dial, before, after, worth } in worths {
                text += &format!(
                    "{:<34}{:>10}{:>10}{:>+10.2}\n",
                    dial.key,
                    number(*before),
                    number(*after),
                    worth
                );
            }
        }
    }
    text
}

fn number(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}

/// What should make one doubt.
fn warning(check: &Check, found: &Found) -> Option<String> {
    let gained = found.score - found.before;
    if gained <= 0.0 {
        return None;
    }
    if check.folds == 0 {
        return Some("warning: nothing tells whether this holds for other recordings".to_owned());
    }
    if check.held_out < FAIR_SHARE * check.seen {
        return Some(format!(
            "warning: over-fitted: sequences that the search did not see gain {:+.2} where those that it saw gain {:+.2}; \
             take more sequences, or fewer trials",
            check.held_out, check.seen
        ));
    }
    (check.held_out < NOISE)
        .then(|| format!("note: held-out sequences gain {:+.2}; less than {NOISE} is noise", check.held_out))
}

/// The settings as a config file: only what is not the default, with what it was and what it is worth.
fn toml(
    found: &Found,
    worths: Option<&[Worth]>,
    check: &Check,
    args: &TuneArgs,
    course: &Course,
    settings: &Settings,
) -> String {
    let name =
        Objective::ALL.iter().find(|(_, known)| *known == args.objective).map_or("", |(name, _)| *name);
    let mut text = format!(
        "# Settings of the tracker, found by trailsight tune: {name} {:.2} → {:.2} on {} sequences, {} trials.\n",
        found.before,
        found.score,
        course.len(),
        found.trials
    );
    if check.folds > 0 {
        text += &format!(
            "# Sequences that the search did not see gained {:+.2}, those that it saw {:+.2} (mean of {} folds).\n",
            check.held_out, check.seen, check.folds
        );
    }
    text += "# What is not here has its default.\n";
    let mut tuned = settings.clone();
    tuned.tracker = found.settings;
    tuned.detector.confidence = found.settings.start_score;
    let default = Settings::default();
    let mut section = "";
    for known in crate::config::KEYS {
        let (in_section, short) = known.section_and_name();
        let governed = in_section == "tracker" || known.path == "detector.confidence";
        let (value, usual) = (known.get(&tuned).to_string(), known.get(&default).to_string());
        if !governed || value == usual || key(known.path).is_none() {
            continue;
        }
        if in_section != section {
            text += &format!("\n[{in_section}]\n");
            section = in_section;
        }
        let worth = worths.and_then(|all| all.iter().find(|worth| worth.dial.key == known.path));
        let worth = worth.map_or(String::new(), |worth| format!(", worth {:+.2}", worth.worth));
        let assignment = format!("{short} = {}", value.trim());
        text += &format!("{assignment:<30} # default {}{worth}: {}\n", usual.trim(), known.comment());
    }
    text
}
