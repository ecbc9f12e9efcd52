//! Which sequences are held out together, so that a search is checked on what it has not seen.

use super::sequence_set::SequenceSet;

/// The sequences that are searched on, and those held out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// What the search sees.
    pub seen: Vec<usize>,
    /// What it is checked on.
    pub held_out: Vec<usize>,
}

/// Parts the sequences into `count` folds, or as many as there are sequences: each sequence is held out once, and the
/// sequences of a group are dealt to the folds in turn. None where there is but one sequence.
pub fn folds(set: &SequenceSet, count: usize) -> Vec<Fold> {
    let groups: Vec<usize> = (0..set.len()).map(|sequence| set.group_of(sequence)).collect();
    deal(&groups, count)
}

/// The folds of which each holds out one whole group: how well settings found on some data sets do on another one. None where
/// there is but one group.
pub fn group_folds(set: &SequenceSet) -> Vec<Fold> {
    let groups: Vec<usize> = (0..set.len()).map(|sequence| set.group_of(sequence)).collect();
    leave_out(&groups)
}

fn leave_out(groups: &[usize]) -> Vec<Fold> {
    let mut known = groups.to_vec();
    known.sort_unstable();
    known.dedup();
    if known.len() < 2 {
        return Vec::new();
    }
    let fold = |group: usize| {
        let (held_out, seen) = (0..groups.len()).partition(|sequence| groups[*sequence] == group);
        Fold { seen, held_out }
    };
    known.into_iter().map(fold).collect()
}

fn deal(groups: &[usize], count: usize) -> Vec<Fold> {
    let count = count.min(groups.len());
    if count < 2 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|sequence| groups[*sequence]);
    (0..count)
        .map(|fold| {
            let (held, seen): (Vec<_>, Vec<_>) =
                order.iter().enumerate().partition(|(place, _)| place % count == fold);
            let sequences = |part: Vec<(usize, &usize)>| {
                let mut sequences: Vec<usize> = part.into_iter().map(|(_, sequence)| *sequence).collect();
                sequences.sort_unstable();
                sequences
            };
            Fold { seen: sequences(seen), held_out: sequences(held) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_sequence_is_held_out_once_and_groups_are_spread(
            groups in prop::collection::vec(0usize..4, 2..30), count in 2usize..6
        ) {
            let folds = deal(&groups, count);
            prop_assert_eq!(folds.len(), count.min(groups.len()));
            let mut held: Vec<usize> = folds.iter().flat_map(|fold| fold.held_out.clone()).collect();
            held.sort_unstable();
            prop_assert_eq!(held, (0..groups.len()).collect::<Vec<_>>());
            for fold in &folds {
                prop_assert!(!fold.held_out.is_empty() && !fold.seen.is_empty());
                prop_assert!(fold.seen.iter().all(|sequence| !fold.held_out.contains(sequence)));
            }
            for group in 0..4 {
                let of = |fold: &Fold| fold.held_out.iter().filter(|sequence| groups[**sequence] == group).count();
                let (least, most) = (folds.iter().map(of).min(), folds.iter().map(of).max());
                prop_assert!(most.unwrap_or(0) - least.unwrap_or(0) <= 1);
            }
        }
    }

    #[test]
    fn each_group_is_held_out_whole() {
        let fold =
            |seen: &[usize], held_out: &[usize]| Fold { seen: seen.to_vec(), held_out: held_out.to_vec() };
        assert_eq!(leave_out(&[0, 2, 0, 2, 2]), [fold(&[1, 3, 4], &[0, 2]), fold(&[0, 2], &[1, 3, 4])]);
        assert!(leave_out(&[1, 1, 1]).is_empty(), "there is no other group");
    }

    #[test]
    fn one_sequence_cannot_be_held_out() {
        assert!(deal(&[0], 4).is_empty());
    }
}
