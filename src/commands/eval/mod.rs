//! `trailsight eval`: how good tracks are, against the truth of a data set.

mod causes;
mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Failure, print};
use crate::cli::EvalArgs;
use crate::dataset::{self, Benchmark, ClassWord, DatasetError, Format, Place, ResultFile, Sequence};
use crate::labels::Labels;
use crate::metrics::{Causes, Evaluation, Results, Scorer};
use crate::sink::{PartialFile, refuse_input};

/// The scores of one class, or by the rules of the benchmark.
struct Block {
    class: Option<i32>,
    /// Of each sequence: whether the rules of its benchmark were taken, and not all boxes of the class.
    ruled: Vec<bool>,
    /// In the order of the sequences.
    sequences: Vec<Evaluation>,
    combined: Evaluation,
    /// Why identities were lost, over all sequences, where that was asked for.
    causes: Option<Causes>,
}

/// All that came out.
struct Scores {
    /// Names and rules.
    sequences: Vec<(String, Benchmark)>,
    every: u32,
    blocks: Vec<Block>,
    /// Over classes, where they were scored one by one.
    mean: Option<Evaluation>,
    /// Over classes as if they were one, where the benchmark has that.
    total: Option<Evaluation>,
    /// Classes of the truth that no result has: they are not scored.
    unscored: BTreeSet<i32>,
    /// The names of the classes, where they are known.
    labels: Option<Labels>,
}

/// A sequence and what was said about it.
type Pair = (Sequence, ResultFile);

pub(super) fn run(args: &EvalArgs, quiet: bool) -> Result<(), Failure> {
    let names = names(args)?;
    let missing: Vec<&str> =
        names.iter().filter(|name| !has_results(args, name)).map(String::as_str).collect();
    let mut output = None;
    if let Some(json) = &args.json {
        for name in &names {
            refuse_input(json, &result_path(args, name))?;
            for input in Place::find(&args.gt, name).files() {
                refuse_input(json, &input)?;
            }
        }
        output = Some(PartialFile::create(json)?);
    }
    let mut options = args.rules.options().map_err(Failure::Usage)?;
    options.results = args.read.dialect().map_err(Failure::Usage)?;
    for pair in &args.map {
        options.classes.add(pair).map_err(|why| Failure::Usage(format!("--map {pair}: {why}")))?;
    }
    let mut sequences = score_all(&names, |_, name| Sequence::read(&args.gt, name, &options))?;
    dataset::share_classes(&mut sequences);
    let results = score_all(&sequences, |_, sequence| {
        let path = result_path(args, &sequence.name);
        if has_results(args, &sequence.name) { sequence.results(&path) } else { Ok(sequence.no_results()) }
    })?;
    let pairs: Vec<Pair> = sequences.into_iter().zip(results).collect();
    let scores = score(&pairs, args)?;
    if args.causes && !quiet {
        let sequences: Vec<&Sequence> = pairs.iter().map(|(sequence, _)| sequence).collect();
        if let Some(told) = causes::guessed(&sequences) {
            eprintln!("{told}");
        }
    }
    if !scores.unscored.is_empty() && !quiet {
        let labels = scores.labels.as_ref();
        eprintln!(
            "the ground truth also has {}, without results: not scored",
            list(&scores.unscored, labels)
        );
    }
    if let Some(mut output) = output {
        let written = output.append(report::json(&scores).as_bytes()).and_then(|()| output.finish());
        match written {
            Err(error) if error.is_closed() => return Ok(()),
            other => other?,
        }
    }
    if args.json.as_deref() != Some(Path::new("-")) {
        print(&report::table(&scores))?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    // A result that is not there must not make the numbers better: whoever reads nothing else reads the exit code.
    Err(Failure::Failed(format!(
        "no results in {} for {}: scored as if nothing had been found",
        args.results.display(),
        missing.join(", ")
    )))
}

fn result_path(args: &EvalArgs, name: &str) -> PathBuf {
    if args.results.is_file() {
        return args.results.clone();
    }
    let of = |ending| args.results.join(format!("{name}.{ending}"));
    let found = ["txt", "jsonl", "json", "csv", "xml", "zip"].map(of).into_iter().find(|path| path.is_file());
    // A file for each frame, as Ultralytics writes them.
    let folder = args.results.join(name);
    let is_labels = folder.is_dir() && !folder.join("gt").exists();
    found.or(is_labels.then_some(folder)).unwrap_or_else(|| of("txt"))
}

/// Whether there is a file of results. The truth itself is none: whoever gives one folder twice has mistaken one of them.
fn has_results(args: &EvalArgs, name: &str) -> bool {
    let path = result_path(args, name);
    let same =
        |truth: PathBuf| truth.canonicalize().ok().zip(path.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    (path.is_file() || path.is_dir()) && !same(Place::find(&args.gt, name).truth)
}

/// The sequences to be scored: those that were asked for, or all that have a truth. At least one has results.
fn names(args: &EvalArgs) -> Result<Vec<String>, Failure> {
    let known = dataset::sequences(&args.gt).map_err(Failure::failed)?;
    if !args.results.is_file()
        && let Err(error) = std::fs::read_dir(&args.results)
    {
        return Err(Failure::Failed(format!("cannot read {}: {error}", args.results.display())));
    }
    if !args.seq.is_empty() {
        let mut names = Vec::new();
        for name in &args.seq {
            if !known.contains(name) {
                return Err(Failure::Failed(format!(
                    "there is no {}; the sequences are {}",
                    args.gt.join(name).join("gt/gt.txt").display(),
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                )));
            }
            // Twice the same would count twice.
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        // What is named and missing is told as the system has it.
        if let [.., last] = names.as_slice()
            && !names.iter().any(|name| has_results(args, name))
        {
            let path = result_path(args, last);
            let what = if path.is_file() { "it is the ground truth" } else { "it is no file" };
            let error = std::fs::metadata(&path).err().map_or(what.to_owned(), |error| error.to_string());
            return Err(Failure::Failed(format!("cannot read {}: {error}", path.display())));
        }
        return one_file_for_one(args, names);
    }
    let prefix = args.prefix.as_deref().unwrap_or_default();
    let names: Vec<String> = known.into_iter().filter(|name| name.starts_with(prefix)).collect();
    if !names.iter().any(|name| has_results(args, name)) {
        let truth = args.gt.join("SEQUENCE/gt/gt.txt");
        let expected = match names.first().map(|name| result_path(args, name)) {
            Some(path) if path.is_file() => format!(
                "{} is truth and results at once; expected the truth in {}",
                path.display(),
                truth.display()
            ),
            Some(path) => format!("expected {}", path.display()),
            None => format!("expected {}", truth.display()),
        };
        return Err(Failure::Failed(format!(
            "nothing to score: no sequence of {}{} has results in {}; {expected}",
            args.gt.display(),
            if prefix.is_empty() { String::new() } else { format!(" that begins with {prefix}") },
            args.results.display(),
        )));
    }
    one_file_for_one(args, names)
}

/// Whether a file of results is that of several sequences, each a video in it.
fn has_videos(results: &Path) -> Result<bool, Failure> {
    Ok(!Format::videos(results).map_err(Failure::failed)?.is_empty())
}

/// Refuses one file of results for several sequences.
fn one_file_for_one(args: &EvalArgs, names: Vec<String>) -> Result<Vec<String>, Failure> {
    match names.as_slice() {
        [_, _, ..] if args.results.is_file() && !has_videos(&args.results)? => Err(Failure::Usage(format!(
            "--results {}: one file cannot be the results of {} sequences; choose one with --seq, or name a folder",
            args.results.display(),
            names.len()
        ))),
        _ => Ok(names),
    }
}

fn score(pairs: &[Pair], args: &EvalArgs) -> Result<Scores, Failure> {
    let by_class = |pair: &&Pair| pair.0.benchmark.by_class();
    let labels = pairs.first().and_then(|(sequence, _)| sequence.labels().cloned());
    let ruled = |sequence: &Sequence, class: Option<i32>| {
        class.is_none_or(|class| sequence.scored_classes().contains(&class))
    };
    let classes = match args.class.as_slice() {
        given @ [_, ..] => {
            let number = |word: &ClassWord| word.number(labels.as_ref()).map(Some);
            let numbers = given.iter().map(number).collect::<Result<Vec<_>, _>>();
            numbers.map_err(|why| Failure::Usage(format!("--{why}")))?
        }
        [] if !pairs.iter().any(|pair| by_class(&pair)) => vec![None],
        [] => match pairs.iter().find(|pair| !by_class(pair)) {
            None => match pairs.first().map(|(sequence, _)| sequence.scored_classes()) {
                Some(scored @ [_, ..]) => scored.iter().copied().map(Some).collect(),
                _ => common_classes(pairs)?.into_iter().map(Some).collect(),
            },
            Some((other, _)) => {
                let kitti = pairs.iter().find(by_class).map_or("", |pair| &pair.0.name);
                return Err(Failure::Usage(format!(
                    "{kitti} is scored class by class, {} is not; choose with --prefix or --seq, or give \
                     --benchmark or --class for all",
                    other.name
                )));
            }
        },
    };
    let jobs: Vec<(Option<i32>, &Pair)> =
        classes.iter().flat_map(|class| pairs.iter().map(move |pair| (*class, pair))).collect();
    let all = score_all(&jobs, |scorer, (class, (sequence, results))| {
        let (truth, mut said) = (sequence.truth(*class)?, results.select(*class)?);
        // Its kit leaves out classes that a sequence does not have, whatever was found there.
        if sequence.benchmark == Benchmark::VisDrone && ruled(sequence, *class) && truth.boxes() == 0 {
            said = Results::default();
        }
        let path = sequence.name.clone();
        let causes = || scorer.causes(&truth, &said, causes::rules(sequence));
        let causes = args.causes.then(causes).transpose();
        let scored = causes.and_then(|causes| Ok((scorer.evaluate(&truth, &said)?, causes)));
        scored.map_err(|error| DatasetError::Score { path, error })
    })?;
    let blocks: Vec<Block> = classes
        .iter()
        .zip(all.chunks(pairs.len().max(1)))
        .map(|(class, scored)| {
            let sequences: Vec<Evaluation> = scored.iter().map(|(evaluation, _)| *evaluation).collect();
            let causes: Vec<Causes> = scored.iter().filter_map(|(_, causes)| *causes).collect();
            Block {
                class: *class,
                ruled: pairs.iter().map(|(sequence, _)| ruled(sequence, *class)).collect(),
                combined: Evaluation::combine(&sequences),
                sequences,
                causes: args.causes.then(|| Causes::combine(&causes)),
            }
        })
        .collect();
    let all_classes = args.class.is_empty() && classes != [None];
    let one_by_one = all_classes || classes.len() > 1;
    let scored: BTreeSet<i32> = classes.iter().copied().flatten().collect();
    Ok(Scores {
        sequences: pairs.iter().map(|(sequence, _)| (sequence.name.clone(), sequence.benchmark)).collect(),
        every: args.rules.every,
        total: (all_classes && pairs.iter().all(|pair| pair.0.benchmark == Benchmark::VisDrone))
            .then(|| Evaluation::combine(blocks.iter().map(|block| &block.combined).collect::<Vec<_>>())),
        mean: one_by_one.then(|| Evaluation::mean_of(blocks.iter().map(|block| &block.combined))),
        unscored: if all_classes && blocks.iter().any(|block| block.ruled.contains(&false)) {
            &truth_classes(pairs) - &scored
        } else {
            BTreeSet::new()
        },
        blocks,
        labels,
    })
}

fn truth_classes(pairs: &[Pair]) -> BTreeSet<i32> {
    pairs.iter().flat_map(|(sequence, _)| sequence.classes()).collect()
}

/// The classes that truth and results have; what a detector does not know (trams, sitting people) says nothing of tracking.
fn common_classes(pairs: &[Pair]) -> Result<BTreeSet<i32>, Failure> {
    let said: BTreeSet<i32> = pairs.iter().flat_map(|(_, results)| results.classes()).collect();
    let there = truth_classes(pairs);
    let both = &there & &said;
    if both.is_empty() {
        let labels = pairs.first().and_then(|(sequence, _)| sequence.labels());
        return Err(Failure::Failed(format!(
            "truth and results have no class in common: the truth has {}, the results have {}",
            list(&there, labels),
            list(&said, labels)
        )));
    }
    Ok(both)
}

fn list(classes: &BTreeSet<i32>, labels: Option<&Labels>) -> String {
    let numbers: Vec<String> = classes.iter().map(|class| class_name(*class, labels)).collect();
    match numbers.as_slice() {
        [] => "no classes".to_owned(),
        [one] => format!("class {one}"),
        _ => format!("classes {}", numbers.join(", ")),
    }
}

/// A class as people know it: by its name, or else by its number.
fn class_name(class: i32, labels: Option<&Labels>) -> String {
    let place = usize::try_from(class - 1).ok();
    let name = labels.zip(place).and_then(|(labels, place)| labels.iter().nth(place));
    name.map_or_else(|| class.to_string(), str::to_owned)
}

/// Does the jobs on all processors, each for itself, since they differ much in length; the results are in the order of the jobs, and so is the error that is told.
fn score_all<Job: Sync, Done: Send>(
    jobs: &[Job],
    work: impl Fn(&mut Scorer, &Job) -> Result<Done, DatasetError> + Send + Sync,
) -> Result<Vec<Done>, Failure> {
    let done: Vec<_> = jobs.par_iter().with_max_len(1).map_init(Scorer::default, work).collect();
    done.into_iter().map(|outcome| outcome.map_err(Failure::failed)).collect()
}
