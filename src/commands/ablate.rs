//! `trailsight ablate`: what each piece of the tracker is worth.

use super::{Context, Failure, print, progress, sequence_set};
use crate::cli::AblateArgs;
use crate::metrics::Evaluation;
use crate::track::TrackSettings;
use crate::tuning::{Change, Objective, PIECES, PRESETS, SequenceSet, SetEvaluation};

/// One column of the table: its head, and its number.
struct Column {
    head: String,
    number: Box<dyn Fn(&SetEvaluation) -> f64>,
}

pub(super) fn run(args: &AblateArgs, context: &Context) -> Result<(), Failure> {
    let set = sequence_set::load(&args.sequences, context)?;
    let base = context.loaded.track_recorded();
    let columns = columns(&set);
    let changes: Vec<&Change> = PIECES.iter().chain(PRESETS).collect();
    context.stop.be_graceful();
    let bar = progress::steps(changes.len() as u64 + u64::from(args.jitter) + 1, "runs", context.quiet);
    let sequences: Vec<usize> = (0..set.len()).collect();
    let evaluate = |settings: TrackSettings, jitter: Option<u64>| {
        let evaluated = set.evaluate(&[settings], &sequences, jitter, &|| context.stop.is_asked());
        bar.inc(1);
        let evaluated = evaluated.and_then(|all| all.into_iter().next());
        evaluated.ok_or_else(|| Failure::Signal(context.stop.signal().unwrap_or(2)))
    };

    // Each row at once: who stops early keeps what there is.
    let tell = |text: String| bar.suspend(|| print(&text));
    let before = evaluate(base, None)?;
    let now = row("settings in force", &columns, |column| format!("{:.2}", (column.number)(&before)));
    tell(head(&set, &sequences, &columns) + &now)?;
    if args.jitter > 0 {
        let moved = (1..=u64::from(args.jitter))
            .map(|seed| evaluate(base, Some(seed)))
            .collect::<Result<Vec<_>, _>>()?;
        let label = format!("spread of {} runs on moved boxes", args.jitter);
        tell(row(&label, &columns, |column| format!("±{:.2}", spread(&moved, column))))?;
    }
    for change in changes {
        let mut settings = base;
        (change.apply)(&mut settings);
        if settings == base {
            continue;
        }
        let after = evaluate(settings, None)?;
        let mut line = row(change.name, &columns, |column| {
            format!("{:+.2}", (column.number)(&after) - (column.number)(&before))
        });
        if let Some((least, most)) = range_of_means(&changes_by_group(&set, &before, &after)) {
            line = format!("{} {least:>+7.2} {most:>+7.2}\n", line.trim_end_matches('\n'));
        }
        let open = tell(line)?;
        if !open {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Of one group all metrics, of several HOTA alone and its mean.
fn columns(set: &SequenceSet) -> Vec<Column> {
    let column =
        |head: &str, number: Box<dyn Fn(&SetEvaluation) -> f64>| Column { head: head.to_owned(), number };
    let of = |group: usize, number: fn(&Evaluation) -> f64| -> Box<dyn Fn(&SetEvaluation) -> f64> {
        Box::new(move |evaluated: &SetEvaluation| evaluated.group(group).map_or(f64::NAN, |e| number(&e)))
    };
    let hota: fn(&Evaluation) -> f64 = |e| Objective::Hota.of(e);
    if set.groups().len() == 1 {
        return vec![
            column("HOTA", of(0, hota)),
            column("DetA", of(0, |e| 100.0 * e.hota.det_a.mean())),
            column("AssA", of(0, |e| Objective::AssA.of(e))),
            column("IDF1", of(0, |e| Objective::Idf1.of(e))),
            column("MOTA", of(0, |e| Objective::Mota.of(e))),
            column("IDSW", of(0, |e| e.clear.idsw as f64)),
        ];
    }
    let groups = set.groups().iter().enumerate();
    let mut columns: Vec<Column> = groups.map(|(group, name)| column(name, of(group, hota))).collect();
    columns.push(column("mean", Box::new(|evaluated: &SetEvaluation| evaluated.score(Objective::Hota))));
    columns
}

/// How much HOTA of each group changed.
fn changes_by_group(set: &SequenceSet, before: &SetEvaluation, after: &SetEvaluation) -> Vec<f64> {
    let of = |evaluated: &SetEvaluation, group: usize| evaluated.group(group).map(|e| Objective::Hota.of(&e));
    (0..set.groups().len()).filter_map(|group| Some(of(after, group)? - of(before, group)?)).collect()
}

/// The smallest and the largest mean of all but one; `None` of fewer than three, where a mean of the others is none.
fn range_of_means(changes: &[f64]) -> Option<(f64, f64)> {
    let (sum, others) =
        (changes.iter().sum::<f64>(), changes.len().checked_sub(1).filter(|others| *others >= 2)?);
    let without = changes.iter().map(|change| (sum - change) / others as f64);
    Some(
        without.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), mean| {
            (least.min(mean), most.max(mean))
        }),
    )
}

/// The standard deviation of a number.
fn spread(runs: &[SetEvaluation], column: &Column) -> f64 {
    let numbers: Vec<f64> = runs.iter().map(|run| (column.number)(run)).collect();
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
    (squares / numbers.len().saturating_sub(1).max(1) as f64).sqrt()
}

fn head(set: &SequenceSet, sequences: &[usize], columns: &[Column]) -> String {
    let what = if set.groups().len() == 1 { "" } else { "HOTA, " };
    let title = format!("{what}{} sequences, {} frames\n", sequences.len(), set.frames(sequences));
    let mut names = row("", columns, |column| column.head.clone());
    if set.groups().len() >= 3 {
        names = format!("{} {:>7} {:>7}\n", names.trim_end_matches('\n'), "least", "most");
    }
    title + &names
}

fn row(name: &str, columns: &[Column], cell: impl Fn(&Column) -> String) -> String {
    let cells: String = columns
        .iter()
        .map(|column| format!(" {:>w$}", cell(column), w = column.head.chars().count().max(7)))
        .collect();
    format!("{name:<38}{cells}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_means_leaves_out_each_once() {
        assert_eq!(range_of_means(&[3.0, 0.0, -1.0]), Some((-0.5, 1.5)));
        assert_eq!(range_of_means(&[3.0, 0.0]), None);
        assert_eq!(range_of_means(&[]), None);
    }
}
