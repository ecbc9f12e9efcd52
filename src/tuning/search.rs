//! A search for better values: small random changes of the best so far, the better ones kept.
//!
//! An evolution strategy with one parent, eight children a generation, and step sizes in proportion to a value and to its
//! range (after Rechenberg 1973). Simple, and hard to beat with some thirty settings, a score full of small steps, and
//! no gradient. The same seed and number of trials give the same result on any number of processors.

use std::time::Instant;

use super::sequence_set::{Objective, SequenceSet};
use super::space::{search_space, set_rounded};
use crate::track::{TrackParameter, TrackSettings};

/// How many settings are tried at a time.
const CHILDREN: usize = 8;
/// The most values that are changed at once.
const MOST_CHANGES: usize = 3;
/// How often a value is drawn anew from its whole range.
const ANEW: f64 = 0.1;
/// One step's standard deviation as a share of the value, and of the range.
const STEP: (f64, f64) = (0.25, 0.03);
/// A change that is worth less than this, in percent, goes back to where it was ...
const WORTHLESS: f64 = 0.05;
/// ... as long as all of that together does not cost more than this share of what was gained.
const GIVEN_BACK: f64 = 0.1;

/// What a search goes by.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What it raises.
    pub objective: Objective,
    /// Where random changes begin.
    pub seed: u64,
    /// The most settings that are tried.
    pub trials: usize,
    /// When it ends at the latest.
    pub until: Option<Instant>,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The settings.
    pub settings: TrackSettings,
    /// Their score, in percent.
    pub score: f64,
    /// The score of the settings that it began with.
    pub before: f64,
    /// How many settings were tried.
    pub trials: usize,
}

/// A setting that the search changed, and what the change is worth by itself.
#[derive(Debug, Clone, Copy)]
pub struct ScoreDelta {
    /// The setting.
    pub parameter: &'static TrackParameter,
    /// Its value before.
    pub before: f64,
    /// Its value now.
    pub after: f64,
    /// Score with all changes minus the score with this one undone, in percentage points of the objective: above 0 the
    /// change helps, below 0 the other changes would do better without it.
    pub score_delta: f64,
}

/// Searches on the sequences `sequences`, from `start` on. Ends at once with the best so far when `stop` says so; `tick` is
/// called with the number of trials and the best score after each generation. `None` where it was stopped before anything
/// was known.
pub fn search(
    set: &SequenceSet,
    sequences: &[usize],
    start: &TrackSettings,
    plan: Plan,
    stop: &(impl Fn() -> bool + Sync),
    mut tick: impl FnMut(usize, f64),
) -> Option<Found> {
    let Plan { objective, seed, trials, until } = plan;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut deck = Vec::new();
    let before = set.evaluate(&[*start], sequences, None, stop)?.first()?.score(objective);
    let mut found = Found { settings: *start, score: before, before, trials: 0 };
    let over = || until.is_some_and(|until| Instant::now() >= until);
    while found.trials < trials && (found.trials == 0 || !over()) {
        let count = CHILDREN.min(trials - found.trials);
        let children: Vec<TrackSettings> =
            (0..count).map(|_| child(&found.settings, &mut deck, &mut random)).collect();
        // However short the time, something is tried.
        let late = || found.trials > 0 && over();
        let Some(evaluated) = set.evaluate(&children, sequences, None, &|| stop() || late()) else { break };
        found.trials += count;
        for (child, evaluated) in children.iter().zip(&evaluated) {
            let score = evaluated.score(objective);
            if score > found.score {
                (found.settings, found.score) = (*child, score);
            }
        }
        tick(found.trials, found.score);
    }
    Some(found)
}

/// A little different from its parent. The parameters come from a shuffled `deck`, so that each has its turn before any has
/// its second.
fn child(
    parent: &TrackSettings,
    deck: &mut Vec<&'static TrackParameter>,
    random: &mut fastrand::Rng,
) -> TrackSettings {
    let mut child = *parent;
    for _ in 0..random.usize(1..=MOST_CHANGES) {
        if deck.is_empty() {
            deck.extend(search_space());
            random.shuffle(deck);
        }
        let Some(parameter) = deck.pop() else { break };
        let (low, high) = parameter.search.unwrap_or(parameter.range);
        let value = if random.f64() < ANEW {
            low + (high - low) * random.f64()
        } else {
            let value = parameter.get(&child);
            value * (1.0 + STEP.0 * normal(random)) + STEP.1 * (high - low) * normal(random)
        };
        set_rounded(parameter, &mut child, value);
    }
    // As the program has it: what begins a track is strong, and weak detections are those below the strong ones.
    child.high_score = child.high_score.min(child.start_score);
    child.low_score = child.low_score.min(child.high_score);
    child
}

/// A normally distributed number (Box and Muller 1958).
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (radius, angle) = (1.0 - random.f64(), random.f64() * std::f64::consts::TAU);
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}

/// Whether the three scores are in the order that the program asks for.
fn is_fit(settings: &TrackSettings) -> bool {
    settings.low_score <= settings.high_score && settings.high_score <= settings.start_score
}

/// Puts back what makes no difference, and tells what each remaining change is worth, the most worth first. `None` where
/// it was stopped.
pub fn settle(
    set: &SequenceSet,
    sequences: &[usize],
    start: &TrackSettings,
    found: &mut Found,
    objective: Objective,
    stop: &(impl Fn() -> bool + Sync),
) -> Option<Vec<ScoreDelta>> {
    let score = |settings: &TrackSettings| {
        Some(set.evaluate(&[*settings], sequences, None, stop)?.first()?.score(objective))
    };
    let without = |settings: &TrackSettings, parameter: &TrackParameter| {
        let mut without = *settings;
        parameter.set(&mut without, parameter.get(start));
        without
    };
    let is_changed = |settings: &TrackSettings, parameter: &TrackParameter| {
        parameter.get(settings) != parameter.get(start)
    };
    let least = found.score - GIVEN_BACK * (found.score - found.before);
    // With one gone, another may be of no use either.
    loop {
        let changed = search_space().filter(|parameter| is_changed(&found.settings, parameter)).count();
        for parameter in search_space() {
            if is_changed(&found.settings, parameter) {
                let without = without(&found.settings, parameter);
                let score = score(&without)?;
                if is_fit(&without) && score >= least.max(found.score - WORTHLESS) {
                    (found.settings, found.score) = (without, score);
                }
            }
        }
        if search_space().filter(|parameter| is_changed(&found.settings, parameter)).count() == changed {
            break;
        }
    }
    let mut deltas = Vec::new();
    for parameter in search_space().filter(|parameter| is_changed(&found.settings, parameter)) {
        let score_delta = found.score - score(&without(&found.settings, parameter))?;
        let (before, after) = (parameter.get(start), parameter.get(&found.settings));
        deltas.push(ScoreDelta { parameter, before, after, score_delta });
    }
    deltas.sort_by(|a, b| b.score_delta.total_cmp(&a.score_delta));
    Some(deltas)
}
