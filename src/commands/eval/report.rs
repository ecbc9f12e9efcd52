//! What `trailsight eval` tells: a table for people, JSON for programs. Both in percent.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{Block, Scores, causes, class_name};
use crate::dataset::Benchmark;
use crate::metrics::{Curve, Evaluation, alphas};

/// The columns of the table: accuracies, then counts with their widths.
const ACCURACIES: [&str; 9] = ["HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR"];
const COUNTS: [(&str, usize); 6] = [("IDSW", 7), ("Frag", 7), ("MT", 6), ("ML", 6), ("FP", 8), ("FN", 8)];

/// Whose rules decided what counts: the last column.
const RULES: &str = "Rules";

/// The row over all sequences.
const COMBINED: &str = "COMBINED";
const MEAN: &str = "MEAN";
/// The row over all classes as if they were one.
const ALL: &str = "ALL";

/// A table for each class, or one; where classes were scored one by one, a last one compares them.
pub(super) fn table(scores: &Scores) -> String {
    let names: Vec<&str> = scores.sequences.iter().map(|(name, _)| name.as_str()).collect();
    let titles: Vec<String> = scores.blocks.iter().map(|block| title(block.class, scores)).collect();
    let all = names.iter().copied().chain(titles.iter().map(String::as_str)).chain([COMBINED]);
    let width = all.map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (block, title) in scores.blocks.iter().zip(&titles) {
        if !text.is_empty() {
            text.push('\n');
        }
        head(&mut text, title, width);
        let sequences = || scores.sequences.iter().zip(&block.ruled);
        for (((name, benchmark), ruled), evaluation) in sequences().zip(&block.sequences) {
            // Of one class there may be nothing at all in a sequence; the numbers would say nothing.
            if block.class.is_none() || evaluation.clear.tp + evaluation.clear.fp + evaluation.clear.fn_ > 0 {
                line(&mut text, name, evaluation, width, rules(*benchmark, *ruled));
            }
        }
        line(&mut text, COMBINED, &block.combined, width, common_rules(scores, block));
    }
    if let Some(mean) = &scores.mean {
        text.push('\n');
        head(&mut text, COMBINED, width);
        for (block, title) in scores.blocks.iter().zip(&titles) {
            line(&mut text, title, &block.combined, width, common_rules(scores, block));
        }
        let mut each = scores.blocks.iter().map(|block| common_rules(scores, block));
        let first = each.next().unwrap_or_default();
        let rules = if each.all(|rules| rules == first) { first } else { "mixed" };
        line(&mut text, MEAN, mean, width, rules);
        if let Some(total) = &scores.total {
            line(&mut text, ALL, total, width, rules);
        }
    }
    for (block, title) in scores.blocks.iter().zip(&titles) {
        if let Some(found) = &block.causes {
            text.push('\n');
            text.push_str(&causes::table(title, found, &block.combined));
        }
    }
    text
}

/// Whose rules were taken: those of the benchmark, or all boxes of a class.
fn rules(benchmark: Benchmark, ruled: bool) -> &'static str {
    if ruled { benchmark.name() } else { "class" }
}

/// Those of all sequences, where they are the same.
fn common_rules(scores: &Scores, block: &Block) -> &'static str {
    let sequences = scores.sequences.iter().zip(&block.ruled);
    let mut all = sequences.map(|((_, benchmark), ruled)| rules(*benchmark, *ruled));
    let first = all.next().unwrap_or_default();
    if all.all(|rules| rules == first) { first } else { "mixed" }
}

fn title(class: Option<i32>, scores: &Scores) -> String {
    class.map(|class| format!("class {}", class_name(class, scores.labels.as_ref()))).unwrap_or_default()
}

// Writing to a string cannot fail.
fn head(text: &mut String, title: &str, width: usize) {
    let _ = write!(text, "{title:width$}");
    for name in ACCURACIES {
        let _ = write!(text, "{name:>8}");
    }
    for (name, width) in COUNTS {
        let _ = write!(text, "{name:>width$}");
    }
    let _ = writeln!(text, "  {RULES}");
}

fn line(text: &mut String, name: &str, evaluation: &Evaluation, width: usize, rules: &str) {
    let Evaluation { hota, clear, identity } = evaluation;
    let curves = [&hota.hota, &hota.det_a, &hota.ass_a, &hota.loc_a].map(Curve::mean);
    let others = [clear.mota, clear.motp, identity.idf1, identity.idp, identity.idr];
    let _ = write!(text, "{name:width$}");
    for value in curves.into_iter().chain(others) {
        let _ = write!(text, " {:7.2}", 100.0 * value);
    }
    let counts = [clear.idsw, clear.frag, clear.mt, clear.ml, clear.fp, clear.fn_];
    for (count, (_, width)) in counts.into_iter().zip(COUNTS) {
        let _ = write!(text, "{count:width$}");
    }
    let _ = writeln!(text, "  {rules}");
}

/// Everything, for programs.
pub(super) fn json(scores: &Scores) -> String {
    let blocks: Vec<Value> = scores
        .blocks
        .iter()
        .map(|block| {
            let one = |((name, benchmark), evaluation): (&(String, _), &Evaluation)| {
                let mut numbers = numbers(evaluation);
                numbers.insert("benchmark".to_owned(), json!(Benchmark::name(*benchmark)));
                (name.clone(), Value::Object(numbers))
            };
            let sequences: Map<String, Value> =
                scores.sequences.iter().zip(&block.sequences).map(one).collect();
            let name = block.class.map(|class| class_name(class, scores.labels.as_ref()));
            let mut one = json!({ "class": block.class, "class_name": name, "sequences": sequences, "combined": numbers(&block.combined) });
            if let Some(found) = &block.causes {
                one["identities_lost"] = causes::json(found);
            }
            one
        })
        .collect();
    let all = json!({
        "alphas": alphas(),
        "every": scores.every,
        "scores": blocks,
        "mean_over_classes": scores.mean.as_ref().map(numbers),
        "all_classes": scores.total.as_ref().map(numbers),
        "classes_without_results": scores.unscored,
    });
    format!("{all:#}\n")
}

fn numbers(evaluation: &Evaluation) -> Map<String, Value> {
    let Evaluation { hota, clear, identity } = evaluation;
    let mut numbers = Map::new();
    let mut by_alpha = Map::new();
    for (name, curve) in [
        ("HOTA", &hota.hota),
        ("DetA", &hota.det_a),
        ("AssA", &hota.ass_a),
        ("LocA", &hota.loc_a),
        ("DetRe", &hota.det_re),
        ("DetPr", &hota.det_pr),
        ("AssRe", &hota.ass_re),
        ("AssPr", &hota.ass_pr),
    ] {
        numbers.insert(name.to_owned(), json!(100.0 * curve.mean()));
        by_alpha.insert(name.to_owned(), json!(curve.0.map(|value| 100.0 * value)));
    }
    for (name, counts) in [("TP", hota.tp), ("FP", hota.fp), ("FN", hota.fn_)] {
        by_alpha.insert(name.to_owned(), json!(counts));
    }
    numbers.insert("by_alpha".to_owned(), Value::Object(by_alpha));
    for (name, share) in [
        ("MOTA", clear.mota),
        ("MOTP", clear.motp),
        ("IDF1", identity.idf1),
        ("IDP", identity.idp),
        ("IDR", identity.idr),
    ] {
        numbers.insert(name.to_owned(), json!(100.0 * share));
    }
    for (name, count) in [
        ("TP", clear.tp),
        ("FP", clear.fp),
        ("FN", clear.fn_),
        ("IDSW", clear.idsw),
        ("Frag", clear.frag),
        ("MT", clear.mt),
        ("PT", clear.pt),
        ("ML", clear.ml),
        ("IDTP", identity.idtp),
        ("IDFP", identity.idfp),
        ("IDFN", identity.idfn),
    ] {
        numbers.insert(name.to_owned(), json!(count));
    }
    numbers
}
