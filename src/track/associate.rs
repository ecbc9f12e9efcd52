//! One matching pass: assigns the detections that are still free to the tracks that are still free.

use super::observed::Observed;
use super::settings::TrackSettings;
use super::similarity::{Cues, MatchCandidate, similarity};
use super::sweep_and_prune::SweepAndPrune;
use crate::assignment::sparse::{Assignment, Edge};

/// The rule of one pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The lowest similarity of a pair; 1 switches the pass off.
    pub(super) min_similarity: f32,
    pub(super) cues: Cues,
    /// Tracks last seen before this time (seconds) are left out.
    pub(super) since: f64,
    /// And those last seen before this time with a box that was not suppressed.
    pub(super) found_since: f64,
}

/// Matches tracks with detections; its working memory is kept from pass to pass.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    edges: Vec<Edge>,
    pairs: Vec<(usize, usize)>,
    assignment: Assignment,
    sweep_and_prune: SweepAndPrune,
}

impl Matcher {
    /// Matches, calls `matched(tracklet index, detection)` for each pair, and removes what was matched from both lists
    /// (their order stays). A rule whose least similarity is 1 matches nothing: it is switched off.
    pub(super) fn pass(
        &mut self,
        candidates: &mut Vec<MatchCandidate>,
        detections: &mut Vec<Observed>,
        rule: Rule,
        settings: &TrackSettings,
        mut matched: impl FnMut(usize, &Observed),
    ) {
        if candidates.is_empty() || detections.is_empty() || rule.min_similarity >= 1.0 {
            return;
        }
        self.edges.clear();
        self.sweep_and_prune.fill(detections.iter().map(|observed| &observed.detection.rect));
        let recent = |(_, candidate): &(usize, &MatchCandidate)| {
            candidate.seen >= rule.since && candidate.found >= rule.found_since
        };
        for (row, candidate) in candidates.iter().enumerate().filter(recent) {
            for column in self.sweep_and_prune.near(&candidate.rect, candidate.reach) {
                let similarity = similarity(candidate, &detections[column], rule.cues, settings);
                if similarity > 0.0 && similarity >= rule.min_similarity {
                    self.edges.push(Edge { row: row as u32, column: column as u32, cost: 1.0 - similarity });
                }
            }
        }
        // The cost of a track without a partner: a pair at the lowest similarity is still made, one just below is not.
        let limit = 1.0 - rule.min_similarity + f32::EPSILON;
        self.assignment.solve(candidates.len(), detections.len(), &mut self.edges, limit, &mut self.pairs);
        for &(row, column) in &self.pairs {
            matched(candidates[row].index, &detections[column]);
        }
        remove_at(candidates, self.pairs.iter().map(|&(row, _)| row));
        self.pairs.sort_unstable_by_key(|&(_, column)| column);
        remove_at(detections, self.pairs.iter().map(|&(_, column)| column));
    }
}

/// Removes the items at these rising indices.
fn remove_at<T>(items: &mut Vec<T>, indices: impl Iterator<Item = usize>) {
    let mut indices = indices.peekable();
    let mut at = 0;
    items.retain(|_| {
        let remove = indices.next_if_eq(&at).is_some();
        at += 1;
        !remove
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Detection;
    use crate::geometry::Rect;

    /// Only the overlap counts.
    fn settings() -> TrackSettings {
        TrackSettings {
            height_weight: 0.0,
            score_weight: 0.0,
            confidence_weight: 0.0,
            size_weight: 0.0,
            ..TrackSettings::default()
        }
    }

    /// A track at this place of a row of boxes as wide as 100.
    fn candidate(index: usize, left: f32) -> MatchCandidate {
        let rect = Rect::new(left, 0.0, 100.0, 50.0);
        let (seen, height) = (index as f64, rect.height);
        MatchCandidate {
            index,
            seen,
            found: seen,
            rect,
            group: 0,
            confidence: 0.9,
            height,
            reach: 0.0,
            penalty: 0.0,
        }
    }

    fn observed(left: f32) -> Observed {
        let rect = Rect::new(left, 0.0, 100.0, 50.0);
        Observed {
            detection: Detection { rect, score: 0.9, class: 0 },
            group: 0,
            number: 0,
            hidden: 0.0,
            suppressed: false,
        }
    }

    const ALL: Rule = Rule {
        min_similarity: 0.1,
        cues: Cues::All,
        since: f64::NEG_INFINITY,
        found_since: f64::NEG_INFINITY,
    };

    /// Which index was matched with the detection at which place; and who is left on both sides.
    #[derive(Debug, PartialEq)]
    struct Passed {
        matched: Vec<(usize, f32)>,
        candidates: Vec<usize>,
        detections: Vec<f32>,
    }

    fn pass(candidates: &[MatchCandidate], lefts: &[f32], rule: Rule, settings: &TrackSettings) -> Passed {
        let (mut candidates, mut detections) =
            (candidates.to_vec(), lefts.iter().map(|&l| observed(l)).collect());
        let mut matched = Vec::new();
        Matcher::default().pass(&mut candidates, &mut detections, rule, settings, |index, observed| {
            matched.push((index, observed.detection.rect.left));
        });
        Passed {
            matched,
            candidates: candidates.iter().map(|candidate| candidate.index).collect(),
            detections: detections.iter().map(|observed| observed.detection.rect.left).collect(),
        }
    }

    #[test]
    fn pairs_are_handed_over_by_index_and_the_rest_keeps_its_order() {
        let candidates = [candidate(7, 900.0), candidate(3, 0.0), candidate(5, 500.0), candidate(9, 1_300.0)];
        let passed = pass(&candidates, &[2_000.0, 510.0, 1_800.0, -20.0, 1_600.0], ALL, &settings());
        assert_eq!(
            passed,
            Passed {
                matched: vec![(3, -20.0), (5, 510.0)],
                candidates: vec![7, 9],
                detections: vec![2_000.0, 1_800.0, 1_600.0],
            }
        );
    }

    #[test]
    fn pairing_gives_way_for_the_sake_of_all() {
        // The second track is nearest to the first detection, but the other track has no other.
        let candidates = [candidate(0, 0.0), candidate(1, 40.0)];
        let rule = Rule { min_similarity: 0.3, ..ALL };
        let exact = pass(&candidates, &[30.0, 60.0], rule, &settings());
        assert_eq!(exact.matched, [(0, 30.0), (1, 60.0)]);
    }

    #[test]
    fn a_track_stays_alone_rather_than_spoil_a_much_better_pair() {
        // Above the least of 0.3 a pair is worth 0.52, and the two that could be made instead 0.24 and 0.03.
        let candidates = [candidate(0, 0.0), candidate(1, 40.0)];
        let passed = pass(&candidates, &[30.0, 90.0], Rule { min_similarity: 0.3, ..ALL }, &settings());
        assert_eq!((passed.matched, passed.candidates), (vec![(1, 30.0)], vec![0]));
    }

    #[test]
    fn no_pair_is_less_similar_than_the_least() {
        // Overlaps of a third, exactly: 50 of 150.
        let with = |min_similarity| {
            pass(&[candidate(0, 0.0)], &[50.0], Rule { min_similarity, ..ALL }, &settings()).matched.len()
        };
        assert_eq!([with(0.3), with(1.0 / 3.0), with(0.34)], [1, 1, 0]);
        let same = pass(&[candidate(0, 0.0)], &[0.0], Rule { min_similarity: 1.0, ..ALL }, &settings());
        assert!(same.matched.is_empty(), "a least of 1 is off, even for the same box");
        let touching = pass(&[candidate(0, 0.0)], &[100.0], Rule { min_similarity: 0.0, ..ALL }, &settings());
        assert!(touching.matched.is_empty(), "nothing in common is no pair, whatever the least");
    }

    #[test]
    fn who_was_seen_too_long_ago_is_left_out() {
        let rule = Rule { since: 4.0, ..ALL };
        let candidates = [candidate(3, 0.0), candidate(4, 500.0), candidate(5, 900.0)];
        let passed = pass(&candidates, &[0.0, 500.0, 900.0], rule, &settings());
        assert_eq!(passed.matched, [(4, 500.0), (5, 900.0)]);
        assert_eq!((passed.candidates, passed.detections), (vec![3], vec![0.0]));
    }

    #[test]
    fn a_matcher_that_was_used_before_matches_as_a_new_one() {
        let mut matcher = Matcher::default();
        for count in [40, 3, 25, 1] {
            let mut candidates: Vec<_> = (0..count).map(|i| candidate(i, 300.0 * i as f32)).collect();
            let mut detections: Vec<_> = (0..count).rev().map(|i| observed(300.0 * i as f32 + 9.0)).collect();
            let mut pairs = Vec::new();
            matcher.pass(&mut candidates, &mut detections, ALL, &settings(), |index, observed| {
                pairs.push((index, observed.detection.rect.left));
            });
            assert_eq!(pairs, (0..count).map(|i| (i, 300.0 * i as f32 + 9.0)).collect::<Vec<_>>());
            assert!(candidates.is_empty() && detections.is_empty());
        }
    }
}
