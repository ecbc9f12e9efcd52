//! The sequences that `ablate` and `tune` run on: chosen by name, read, and told about.

use std::path::Path;

use glob::Pattern;

use super::{Context, Failure};
use crate::cli::SequenceArgs;
use crate::dataset::{self, Place};
use crate::detect::check_classes;
use crate::sink::refuse_input;
use crate::tuning::{SequenceSet, SequenceSetOptions};

/// Reads the sequences that were asked for.
pub(super) fn load(args: &SequenceArgs, context: &Context) -> Result<SequenceSet, Failure> {
    let known = dataset::sequences(&args.gt).map_err(Failure::failed)?;
    let (names, groups) = choose(known, &args.seq)?;
    if names.is_empty() {
        let expected = args.gt.join("SEQUENCE/gt/gt.txt");
        return Err(Failure::Failed(format!("there are no sequences: expected {}", expected.display())));
    }
    let detector = &context.loaded.settings.detector;
    let labels = check_classes(detector)?;
    let mut read = args.rules.options().map_err(Failure::Usage)?;
    read.detections = args.read.dialect().map_err(Failure::Usage)?;
    // The numbers of a detection file are those of its own names, where it has any.
    let of_file = read.detections.labels.as_ref().unwrap_or(&labels);
    let wanted = detector.classes.iter().filter_map(|name| of_file.find(name)).collect();
    let options =
        SequenceSetOptions { detections: args.detections.clone(), read, classes: args.class.clone(), wanted };
    SequenceSet::load(&args.gt, &names, groups, &options).map_err(Failure::failed)
}

/// Refuses an output that would destroy what is read.
pub(super) fn refuse_inputs(output: &Path, args: &SequenceArgs, set: &SequenceSet) -> Result<(), Failure> {
    for sequence in 0..set.len() {
        let place = Place::find(&args.gt, set.name(sequence));
        for input in place.files() {
            refuse_input(output, &input)?;
        }
        refuse_input(output, &place.folder.join(&args.detections))?;
    }
    Ok(())
}

/// Sequences with the numbers of their groups, and the groups' names.
type Chosen = (Vec<(String, usize)>, Vec<String>);

/// Chooses sequences by name. A sequence belongs to the first pattern that it
/// matches.
fn choose(known: Vec<String>, patterns: &[String]) -> Result<Chosen, Failure> {
    if patterns.is_empty() {
        return Ok((known.into_iter().map(|name| (name, 0)).collect(), vec!["all".to_owned()]));
    }
    let mut compiled = Vec::new();
    for text in patterns {
        let pattern = Pattern::new(text).map_err(|error| {
            Failure::Usage(format!("--seq {text}: {error}; * stands for any characters, ? for one"))
        })?;
        if !known.iter().any(|name| pattern.matches(name)) {
            let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::Failed(format!("no sequence matches --seq {text}; there are {there}")));
        }
        compiled.push(pattern);
    }
    let group = |name: &String| compiled.iter().position(|pattern| pattern.matches(name));
    let names: Vec<(String, usize)> =
        known.into_iter().filter_map(|name| group(&name).map(|group| (name, group))).collect();
    for (number, text) in patterns.iter().enumerate() {
        if !names.iter().any(|(_, group)| *group == number) {
            let why = format!("--seq {text}: an earlier pattern contains all its sequences");
            return Err(Failure::Usage(why));
        }
    }
    Ok((names, patterns.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_make_groups_and_the_first_that_matches_counts() {
        let known: Vec<String> = ["a-1", "a-2", "b-1", "c"].map(String::from).to_vec();
        let patterns = ["a-*", "?-1"].map(String::from);
        let (names, groups) = choose(known.clone(), &patterns).unwrap();
        assert_eq!(names, [("a-1".into(), 0), ("a-2".into(), 0), ("b-1".into(), 1)]);
        assert_eq!(groups, patterns);
        assert_eq!(choose(known.clone(), &[]).unwrap().0.len(), 4);
        assert!(matches!(choose(known.clone(), &["*", "c"].map(String::from)), Err(Failure::Usage(_))));
        for (wrong, why) in
            [("d*", "no sequence matches --seq d*; there are a-1, a-2, b-1, c"), ("[", "--seq [: ")]
        {
            let (Failure::Failed(told) | Failure::Usage(told)) =
                choose(known.clone(), &[wrong.into()]).unwrap_err()
            else {
                panic!("another kind of failure");
            };
            assert!(told.starts_with(why), "{told}");
        }
    }
}
