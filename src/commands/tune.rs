//! `trailsight tune`: better values for the tracker's settings, from one's own recordings.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Context, Failure, print, progress, sequence_set};
use crate::cli::TuneArgs;
use crate::config::Settings;
use crate::sink::{PartialFile, partial_name};
use crate::track::{Preset, TrackSettings};
use crate::tuning::{
    CrossingExample, CrossingWeights, Fold, Found, Objective, Plan, ScoreDelta, SequenceSet, folds,
    group_folds, search, settle,
};

/// Held-out sequences should gain at least this share of what the others do.
const FAIR_SHARE: f64 = 0.5;
/// Gains smaller than this, in percent, are noise.
const NOISE: f64 = 0.8;

/// How many runs on moved boxes are learned from beside the one on the boxes as they are.
const CROSSING_RUNS: u64 = 2;

/// What a file that this command wrote begins with.
const MARK: &str = "# Settings of the tracker, found by trailsight tune";

/// What the check on held-out sequences gave, in percent.
#[derive(Debug, Clone, Default)]
struct Check {
    seen: f64,
    held_out: f64,
    /// What was found with each fold held out.
    found: Vec<TrackSettings>,
    trials: usize,
}

pub(super) fn run(args: &TuneArgs, context: &Context) -> Result<(), Failure> {
    if args.crossings {
        return learn_crossings(args, context);
    }
    check_output(&args.output)?;
    let set = sequence_set::load(&args.sequences, context)?;
    sequence_set::refuse_inputs(&args.output, &args.sequences, &set)?;
    let start = context.loaded.track_recorded();
    let mut output = PartialFile::create(&args.output)?;
    context.stop.be_graceful();
    let tuning = Tuning { set: &set, args, context, start, began: Instant::now() };

    print(&format!("{} sequences, {} frames\n", set.len(), tuning.frames()))?;
    let check = tuning.check()?;
    let all: Vec<usize> = (0..set.len()).collect();
    let last = held_out(args, &set).len();
    let found = match context.stop.is_asked() {
        true => tuning.best_of(&check),
        false => tuning.search(&all, last, "all"),
    };
    let Some(mut found) = found else {
        // Nothing was found yet; an empty file would be no settings.
        drop(output);
        let _ = std::fs::remove_file(partial_name(&args.output));
        return Err(Failure::Signal(context.stop.signal().unwrap_or(2)));
    };
    let deltas = match context.stop.is_asked() {
        // What was found is kept, with no time to ask what each value is worth.
        true => None,
        false => settle(&set, &all, &start, &mut found, args.objective, &|| context.stop.is_asked()),
    };
    let mut text = outcome(&found, deltas.as_deref(), args.objective);
    if let Some(warning) = warning(&check, &found) {
        text += &format!("{warning}\n");
    }
    output
        .append(toml(&found, deltas.as_deref(), &check, args, &set, &context.loaded.settings).as_bytes())?;
    output.finish()?;
    text += &format!("wrote {0}; use it with --config {0}\n", args.output.display());
    print(&text)?;
    match context.stop.signal() {
        Some(signal) => Err(Failure::Signal(signal)),
        None => Ok(()),
    }
}

/// Learns the weights of a decision after a crossing, and checks them on sequences that were held out.
fn learn_crossings(args: &TuneArgs, context: &Context) -> Result<(), Failure> {
    let set = sequence_set::load(&args.sequences, context)?;
    let settings = context.loaded.track_recorded();
    let all: Vec<usize> = (0..set.len()).collect();
    let examples = set.crossings(&settings, &all, None);
    // Moved boxes are as good to learn from.
    let moved = (1..=CROSSING_RUNS).flat_map(|seed| set.crossings(&settings, &all, Some(seed)));
    let moved: Vec<CrossingExample> = moved.collect();
    let learn = |of: &dyn Fn(&&CrossingExample) -> bool| {
        let known: Vec<CrossingExample> = examples.iter().chain(&moved).filter(of).copied().collect();
        CrossingWeights::learn(known.iter())
    };
    let mut text = format!("{} sequences, {} crossings\n", set.len(), examples.len());
    let tell = |name: &str, [swaps, right, wrong]: [usize; 3]| {
        format!("{name:<28} {swaps:>4} swaps, {right:>4} of them made, {wrong:>4} made wrongly\n")
    };
    text += &tell("weights in force", CrossingWeights::IN_FORCE.judge(examples.iter()));
    let learned = learn(&|_| true);
    text += &tell("weights learned", learned.judge(examples.iter()));
    let mut held = [0; 3];
    for fold in held_out(args, &set) {
        let weights = learn(&|example| fold.seen.contains(&example.sequence));
        let unseen = examples.iter().filter(|example| fold.held_out.contains(&example.sequence));
        held.iter_mut().zip(weights.judge(unseen)).for_each(|(sum, count)| *sum += count);
    }
    text += &tell("learned on other sequences", held);
    for (name, weight) in CrossingWeights::NAMES.iter().zip(learned.weights) {
        text += &format!("{name:<28} {weight:>8.2}\n");
    }
    text += &format!("{:<28} {:>8.2}\n", "bias", learned.bias);
    print(&text).map(drop)
}

/// What is held out, one after the other.
fn held_out(args: &TuneArgs, set: &SequenceSet) -> Vec<Fold> {
    if args.by_group { group_folds(set) } else { folds(set, args.folds as usize) }
}

/// Refuses an output that would replace settings that a person wrote.
fn check_output(path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return Err(Failure::Usage("--output -: the settings need a file of their own".to_owned()));
    }
    let is_mine = || {
        let mut begin = [0; MARK.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
        read.is_ok() && begin == *MARK.as_bytes()
    };
    // What is no regular file is not opened: to open a FIFO is to wait for its writer.
    if path.is_file() && !is_mine() {
        return Err(Failure::Failed(format!(
            "{} exists, and trailsight tune did not write it; name another file, or move this one away",
            path.display()
        )));
    }
    Ok(())
}

/// One run of the command.
struct Tuning<'a> {
    set: &'a SequenceSet,
    args: &'a TuneArgs,
    context: &'a Context,
    start: TrackSettings,
    began: Instant,
}

impl Tuning<'_> {
    fn frames(&self) -> usize {
        let all: Vec<usize> = (0..self.set.len()).collect();
        self.set.frames(&all)
    }

    /// Searches with each fold held out, and tells how both sides do.
    fn check(&self) -> Result<Check, Failure> {
        let folds = held_out(self.args, self.set);
        let mut check = Check::default();
        if folds.is_empty() {
            print(
                "not checked on held-out sequences: that takes two sequences or more, and --folds of 2 or more; \
                 --by-group takes two groups\n",
            )?;
            return Ok(check);
        }
        print(&format!("{:<42}{:>18}{:>18}\n", "held out", "searched on", "held out"))?;
        for (number, fold) in folds.iter().enumerate() {
            let Some(found) = self.search(&fold.seen, number, &format!("fold {}", number + 1)) else { break };
            let [before, after] = self.scores(&[self.start, found.settings], &fold.held_out)[..] else {
                break;
            };
            let names: Vec<&str> = fold.held_out.iter().map(|sequence| self.set.name(*sequence)).collect();
            print(&format!(
                "{:<42}{:>18}{:>18}\n",
                shortened(&names.join(" "), 41),
                format!("{:.2} → {:.2}", found.before, found.score),
                format!("{before:.2} → {after:.2}")
            ))?;
            check.seen += found.score - found.before;
            check.held_out += after - before;
            check.trials += found.trials;
            check.found.push(found.settings);
            if self.context.stop.is_asked() {
                break;
            }
        }
        let count = check.found.len().max(1) as f64;
        (check.seen, check.held_out) = (check.seen / count, check.held_out / count);
        let (seen, held_out) = (format!("{:+.2}", check.seen), format!("{:+.2}", check.held_out));
        print(&format!("{:<42}{seen:>18}{held_out:>18}\n", "mean gain"))?;
        Ok(check)
    }

    /// The scores of settings on some sequences, whatever signal came.
    fn scores(&self, settings: &[TrackSettings], sequences: &[usize]) -> Vec<f64> {
        let evaluated = self.set.evaluate(settings, sequences, None, &|| false).unwrap_or_default();
        evaluated.iter().map(|evaluated| evaluated.score(self.args.objective)).collect()
    }

    /// Of what was found with a fold held out, that which is best on all sequences.
    fn best_of(&self, check: &Check) -> Option<Found> {
        let all: Vec<usize> = (0..self.set.len()).collect();
        let before = *self.scores(&[self.start], &all).first()?;
        let scores = self.scores(&check.found, &all);
        let (settings, score) = check.found.iter().zip(scores).max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Found { settings: *settings, score, before, trials: check.trials })
    }

    /// One search; `number` is how many came before it. `None` where it was stopped before anything was known.
    fn search(&self, sequences: &[usize], number: usize, name: &str) -> Option<Found> {
        let searches = folds(self.set, self.args.folds as usize).len() + 1;
        let share = (number + 1) as f64 / searches as f64;
        let until = self.args.seconds.map(|seconds| self.began + Duration::from_secs_f64(seconds * share));
        let plan = Plan {
            objective: self.args.objective,
            seed: self.args.seed.wrapping_add(number as u64),
            trials: self.args.trials as usize,
            until,
        };
        let bar = progress::steps(plan.trials as u64, "trials", self.context.quiet);
        bar.set_message(name.to_owned());
        let stop = || self.context.stop.is_asked();
        let found = search(self.set, sequences, &self.start, plan, &stop, |trials, best| {
            bar.set_position(trials as u64);
            bar.set_message(format!("{name}: {best:.2}"));
        });
        bar.finish_and_clear();
        found
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
fn outcome(found: &Found, deltas: Option<&[ScoreDelta]>, objective: Objective) -> String {
    let name = Objective::ALL.iter().find(|(_, known)| *known == objective).map_or("", |(name, _)| *name);
    let mut text = format!(
        "{name} {:.2} → {:.2} on all sequences, {} trials\n",
        found.before, found.score, found.trials
    );
    match deltas {
        None => text += "stopped: what each change is worth was not measured\n",
        Some([]) => text += "nothing was found that is better than the settings in force\n",
        Some(deltas) => {
            text += &format!("{:<34}{:>10}{:>10}{:>10}\n", "setting", "before", "now", "worth");
            for ScoreDelta { parameter, before, after, score_delta } in deltas {
                text += &format!(
                    "{:<34}{:>10}{:>10}{:>+10.2}\n",
                    parameter.path,
                    number(*before),
                    number(*after),
                    score_delta
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
    if check.found.is_empty() {
        return Some("warning: it was not checked whether this holds for other recordings".to_owned());
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

/// All settings as a config file: only what is not the default, with what it was and what it is worth.
fn toml(
    found: &Found,
    deltas: Option<&[ScoreDelta]>,
    check: &Check,
    args: &TuneArgs,
    set: &SequenceSet,
    settings: &Settings,
) -> String {
    let name =
        Objective::ALL.iter().find(|(_, known)| *known == args.objective).map_or("", |(name, _)| *name);
    let mut text = format!(
        "{MARK}: {name} {:.2} → {:.2} on {} sequences, {} trials.\n",
        found.before,
        found.score,
        set.len(),
        found.trials
    );
    if !check.found.is_empty() {
        text += &format!(
            "# Sequences that the search did not see gained {:+.2}, those that it saw {:+.2} (mean of {} folds).\n",
            check.held_out,
            check.seen,
            check.found.len()
        );
    }
    text += "# Settings that are not listed here have their defaults.\n";
    let mut tuned = settings.clone();
    tuned.tracker = found.settings;
    // A preset would take the place of what was found.
    tuned.tracker.preset = Preset::Default;
    let default = Settings::default();
    let mut section = "";
    for known in crate::config::parameters() {
        let (in_section, short) = known.section_and_name();
        let (value, usual) = (known.get(&tuned).to_string(), known.get(&default).to_string());
        if value == usual {
            continue;
        }
        if in_section != section {
            text += &format!("\n[{in_section}]\n");
            section = in_section;
        }
        let score_delta = deltas.and_then(|all| all.iter().find(|delta| delta.parameter.path == known.path));
        let score_delta =
            score_delta.map_or(String::new(), |delta| format!(", worth {:+.2}", delta.score_delta));
        let assignment = format!("{short} = {}", value.trim());
        text += &format!("{assignment:<30} # default {}{score_delta}: {}\n", usual.trim(), known.comment);
    }
    text
}
