//! `trailsight eval`: how good tracks are, against the truth of a data set.

mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Failure, print};
use crate::cli::EvalArgs;
use crate::dataset::{self, Benchmark, DatasetError, ResultFile, Sequence};
use crate::metrics::{Evaluation, Scorer};
use crate::sink::{PartialFile, refuse_input};

/// The scores of one class, or by the rules of the benchmark.
struct Block {
    class: Option<i32>,
    /// In the order of the sequences.
    sequences: Vec<Evaluation>,
    combined: Evaluation,
}

/// All that came out.
struct Scores {
    /// Names and rules.
    sequences: Vec<(String, Benchmark)>,
    every: u32,
    blocks: Vec<Block>,
    /// Over classes, where they were scored one by one.
    mean: Option<Evaluation>,
    /// Classes of the truth that no result has: they are not scored.
    unscored: BTreeSet<i32>,
}

/// A sequence and what was said about it.
type Pair = (Sequence, ResultFile);

pub(super) fn run(args: &EvalArgs, quiet: bool) -> Result<(), Failure> {
    let names = names(args)?;
    let missing: Vec<&str> =
        names.iter().filter(|name| !result_path(args, name).is_file()).map(String::as_str).collect();
    let mut output = None;
    if let Some(json) = &args.json {
        for name in &names {
            refuse_input(json, &result_path(args, name))?;
            for input in ["gt/gt.txt", "gt/dontcare.txt", "seqinfo.ini"] {
                refuse_input(json, &args.gt.join(name).join(input))?;
            }
        }
        output = Some(PartialFile::create(json)?);
    }
    let mut options = args.rules.options().map_err(Failure::Usage)?;
    options.results = args.read.dialect().map_err(Failure::Usage)?;
    let pairs: Vec<Pair> = score_all(&names, |_, name| {
        let sequence = Sequence::read(&args.gt, name, &options)?;
        let path = result_path(args, name);
        let results = if path.is_file() { sequence.results(&path)? } else { sequence.no_results() };
        Ok((sequence, results))
    })?;
    let scores = score(&pairs, args)?;
    if !scores.unscored.is_empty() && !quiet {
        eprintln!("the ground truth also has {}, without results: not scored", list(&scores.unscored));
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
    let of = |ending| args.results.join(format!("{name}.{ending}"));
    // MOTChallenge text first; a folder of that name holds a file for each frame.
    let found = ["txt", "jsonl", "json", "csv", "xml", "zip"].map(of).into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| of("txt"))
}

/// The sequences to be scored: those that were asked for, or all that have a truth. At least one has results.
fn names(args: &EvalArgs) -> Result<Vec<String>, Failure> {
    let known = dataset::sequences(&args.gt).map_err(Failure::failed)?;
    if let Err(error) = std::fs::read_dir(&args.results) {
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
            && !names.iter().any(|name| result_path(args, name).is_file())
        {
            let path = result_path(args, last);
            let error = std::fs::metadata(&path).err().map_or("it is no file".to_owned(), |e| e.to_string());
            return Err(Failure::Failed(format!("cannot read {}: {error}", path.display())));
        }
        return Ok(names);
    }
    let prefix = args.prefix.as_deref().unwrap_or_default();
    let names: Vec<String> = known.into_iter().filter(|name| name.starts_with(prefix)).collect();
    if !names.iter().any(|name| result_path(args, name).is_file()) {
        return Err(Failure::Failed(format!(
            "nothing to score: no sequence of {}{} has results in {}; expected {}",
            args.gt.display(),
            if prefix.is_empty() { String::new() } else { format!(" that begins with {prefix}") },
            args.results.display(),
            match names.first() {
                Some(name) => result_path(args, name).display().to_string(),
                None => format!("{}", args.gt.join("SEQUENCE/gt/gt.txt").display()),
            }
        )));
    }
    Ok(names)
}

fn score(pairs: &[Pair], args: &EvalArgs) -> Result<Scores, Failure> {
    let by_class = |pair: &&Pair| pair.0.benchmark.by_class();
    let classes = match args.class.as_slice() {
        given @ [_, ..] => given.iter().copied().map(Some).collect(),
        [] if !pairs.iter().any(|pair| by_class(&pair)) => vec![None],
        [] => match pairs.iter().find(|pair| !by_class(pair)) {
            None => common_classes(pairs)?.into_iter().map(Some).collect(),
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
        let (truth, said) = (sequence.truth(*class)?, results.select(*class)?);
        let path = sequence.name.clone();
        scorer.evaluate(&truth, &said).map_err(|error| DatasetError::Score { path, error })
    })?;
    let blocks: Vec<Block> = classes
        .iter()
        .zip(all.chunks(pairs.len().max(1)))
        .map(|(class, sequences)| Block {
            class: *class,
            sequences: sequences.to_vec(),
            combined: Evaluation::combine(sequences),
        })
        .collect();
    let all_classes = args.class.is_empty() && classes != [None];
    let one_by_one = all_classes || classes.len() > 1;
    let scored: BTreeSet<i32> = classes.iter().copied().flatten().collect();
    Ok(Scores {
        sequences: pairs.iter().map(|(sequence, _)| (sequence.name.clone(), sequence.benchmark)).collect(),
        every: args.rules.every,
        mean: one_by_one.then(|| Evaluation::mean_of(blocks.iter().map(|block| &block.combined))),
        unscored: if all_classes { &truth_classes(pairs) - &scored } else { BTreeSet::new() },
        blocks,
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
        return Err(Failure::Failed(format!(
            "truth and results have no class in common: the truth has {}, the results have {}",
            list(&there),
            list(&said)
        )));
    }
    Ok(both)
}

fn list(classes: &BTreeSet<i32>) -> String {
    let numbers: Vec<String> = classes.iter().map(i32::to_string).collect();
    match numbers.as_slice() {
        [] => "no classes".to_owned(),
        [one] => format!("class {one}"),
        _ => format!("classes {}", numbers.join(", ")),
    }
}

/// Does the jobs on all processors, each for itself, since they differ much in length; the results are in the order of the jobs, and so is the error that is told.
fn score_all<Job: Sync, Done: Send>(
    jobs: &[Job],
    work: impl Fn(&mut Scorer, &Job) -> Result<Done, DatasetError> + Send + Sync,
) -> Result<Vec<Done>, Failure> {
    let done: Vec<_> = jobs.par_iter().with_max_len(1).map_init(Scorer::default, work).collect();
    done.into_iter().map(|outcome| outcome.map_err(Failure::failed)).collect()
}
