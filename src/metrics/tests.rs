//! What follows from the definitions: small cases by hand, and what holds for all.

use super::*;
use proptest::prelude::*;

fn at(left: f64) -> Region {
    Region::new(left, 0.0, 10.0, 10.0)
}

fn counting(frame: usize, id: u64, region: Region) -> TruthBox {
    TruthBox { frame, id, region, role: Role::Counts }
}

/// One object that stands still for ten frames.
fn one_object() -> Truth {
    Truth::new(10, (0..10).map(|frame| counting(frame, 1, at(0.0))), []).unwrap()
}

fn score(truth: &Truth, results: &[(usize, u64, Region)]) -> Evaluation {
    Scorer::default().evaluate(truth, &Results::new(results.iter().copied()).unwrap()).unwrap()
}

fn near(curve: &Curve, expected: f64) {
    assert!((curve.mean() - expected).abs() < 1e-12, "{curve:?}, expected {expected}");
}

#[test]
fn an_object_with_two_identities() {
    let results: Vec<_> = (0..10).map(|frame| (frame, if frame < 6 { 5 } else { 3 }, at(0.0))).collect();
    let all = score(&one_object(), &results);
    // Six true positives share 6 of 10 boxes, four share 4 of 10.
    near(&all.hota.ass_a, (6.0 * 0.6 + 4.0 * 0.4) / 10.0);
    near(&all.hota.ass_re, 0.52);
    near(&all.hota.ass_pr, 1.0);
    near(&all.hota.det_a, 1.0);
    near(&all.hota.hota, 0.52f64.sqrt());
    assert_eq!((all.clear.idsw, all.clear.frag, all.clear.mt), (1, 0, 1));
    assert_eq!((all.clear.mota, all.clear.motp), (0.9, 1.0));
    assert_eq!((all.identity.idtp, all.identity.idfp, all.identity.idfn), (6, 4, 4));
    assert_eq!(all.identity.idf1, 0.6);
}

#[test]
fn an_object_that_is_found_half_of_the_time() {
    let results: Vec<_> = [0, 1, 2, 6, 7].map(|frame| (frame, 5, at(0.0))).into();
    let all = score(&one_object(), &results);
    for curve in [&all.hota.hota, &all.hota.det_a, &all.hota.det_re, &all.hota.ass_a, &all.hota.ass_re] {
        near(curve, 0.5);
    }
    near(&all.hota.det_pr, 1.0);
    // Frames without any result do not end what was matched: no fragment, as in the reference.
    assert_eq!((all.clear.frag, all.clear.mt, all.clear.pt, all.clear.ml), (0, 0, 1, 0));
    let elsewhere = (3..6).map(|frame| (frame, 5, at(50.0)));
    let all = score(&one_object(), &results.into_iter().chain(elsewhere).collect::<Vec<_>>());
    assert_eq!((all.clear.frag, all.clear.fp, all.clear.fn_, all.clear.idsw), (1, 3, 5, 0));
    assert!((all.clear.mota - 0.2).abs() < 1e-12);
    assert_eq!((all.identity.idr, all.identity.idp), (0.5, 5.0 / 8.0));
}

#[test]
fn overlaps_decide_at_their_threshold() {
    // 7.5 of 12.5 wide: an overlap of 0.6.
    let results: Vec<_> = (0..10).map(|frame| (frame, 1, at(2.5))).collect();
    let all = score(&one_object(), &results);
    let found: Vec<u64> = all.hota.tp.to_vec();
    assert_eq!(found, [vec![10; 12], vec![0; 7]].concat());
    near(&all.hota.hota, 12.0 / 19.0);
    // Where nothing is found, the overlap of what was found counts as 1.
    near(&all.hota.loc_a, (12.0 * 0.6 + 7.0) / 19.0);
    assert!((all.clear.motp - 0.6).abs() < 1e-12);
    let barely: Vec<_> = (0..10).map(|frame| (frame, 1, at(10.0 / 3.0))).collect();
    assert_eq!(score(&one_object(), &barely).clear.tp, 10, "an overlap of one half is enough");
}

#[test]
fn a_match_is_kept_while_it_is_good_enough() {
    let truth = Truth::new(2, [counting(0, 1, at(0.0)), counting(1, 1, at(0.0))], []).unwrap();
    // In the second frame identity 2 lies better; 1 had the object before.
    let all = score(&truth, &[(0, 1, at(0.0)), (1, 1, at(3.0)), (1, 2, at(0.0))]);
    assert_eq!((all.clear.idsw, all.clear.tp, all.clear.fp), (0, 2, 1));
    let all = score(&truth, &[(0, 1, at(0.0)), (1, 1, at(4.0)), (1, 2, at(0.0))]);
    assert_eq!((all.clear.idsw, all.clear.tp, all.clear.fp), (1, 2, 1));
}

#[test]
fn nothing_there_and_nothing_said() {
    let nothing = Truth::new(10, [], []).unwrap();
    let said: Vec<_> = (0..10).map(|frame| (frame, 1, at(0.0))).collect();
    let missed = score(&one_object(), &[]);
    assert_eq!((missed.clear.fn_, missed.clear.ml, missed.clear.mota), (10, 1, 0.0));
    assert_eq!((missed.identity.idfn, missed.hota.fn_[0]), (10, 10));
    near(&missed.hota.loc_a, 1.0);
    let invented = score(&nothing, &said);
    assert_eq!((invented.clear.fp, invented.clear.mota, invented.hota.fp[18]), (10, 0.0, 10));
    // Together with a sequence that has objects what was invented counts.
    let perfect = score(&one_object(), &said);
    let both = Evaluation::combine(&[perfect, invented]);
    assert_eq!((both.clear.mota, both.identity.idp, both.identity.idf1), (0.0, 0.5, 2.0 / 3.0));
    near(&both.hota.hota, 0.5f64.sqrt());
    let mean = Evaluation::mean_of(&[perfect, missed]);
    near(&mean.hota.hota, 0.5);
    assert_eq!((mean.clear.mota, mean.identity.idf1, mean.clear.tp, mean.clear.fn_), (0.5, 0.5, 10, 10));
    let empty = score(&nothing, &[]);
    assert_eq!((empty.hota.tp, empty.clear.mota, empty.identity.idf1), ([0; ALPHAS], 0.0, 0.0));
    near(&Evaluation::combine(&[] as &[Evaluation]).hota.hota, 0.0);
}

#[test]
fn what_is_not_judged() {
    let role = |id, left, role| TruthBox { frame: 0, id, region: at(left), role };
    let boxes = [
        role(1, 0.0, Role::Counts),
        role(2, 100.0, Role::Distractor),
        role(3, 200.0, Role::Bystander),
        role(4, 300.0, Role::Distractor),
        role(5, 302.0, Role::Bystander),
    ];
    let truth = Truth::new(1, boxes, []).unwrap();
    assert_eq!((truth.boxes(), truth.objects()), (1, 1));
    let said = |lefts: &[f64]| {
        lefts.iter().enumerate().map(|(i, left)| (0, i as u64, at(*left))).collect::<Vec<_>>()
    };
    let counts = |lefts: &[f64]| {
        let Clear { tp, fp, fn_, .. } = score(&truth, &said(lefts)).clear;
        (tp, fp, fn_)
    };
    assert_eq!(counts(&[0.0, 100.0]), (1, 0, 0), "on a distractor");
    assert_eq!(counts(&[0.0, 200.0]), (1, 1, 0), "on a bystander");
    assert_eq!(counts(&[0.0, 104.0]), (1, 1, 0), "beside a distractor");
    assert_eq!(counts(&[0.0, 100.0, 100.5]), (1, 1, 0), "a distractor takes one");
    assert_eq!(counts(&[302.0]), (0, 1, 1), "nearer to a bystander than to a distractor");

    let region = Region::new(90.0, 0.0, 20.0, 10.0);
    let truth = Truth::new(2, [counting(0, 1, at(90.0))], [(0, region)]).unwrap();
    let judged = |results: &[(usize, u64, Region)]| score(&truth, results).clear;
    assert_eq!(judged(&[(0, 1, at(105.0))]).fp, 0, "half inside");
    assert_eq!(judged(&[(0, 1, at(105.1))]).fp, 1, "less than half inside");
    assert_eq!(judged(&[(1, 1, at(100.0))]).fp, 1, "another frame");
    assert_eq!(judged(&[(0, 1, at(91.0))]).tp, 1, "inside, but on an object");
}

#[test]
fn what_cannot_be_scored_is_said() {
    let twice = [(2, 4, at(0.0)), (2, 4, at(30.0))];
    assert_eq!(Results::new(twice), Err(MetricsError::Duplicate { frame: 2, id: 4 }));
    let twice = twice.map(|(frame, id, region)| counting(frame, id, region));
    assert_eq!(Truth::new(5, twice, []), Err(MetricsError::Duplicate { frame: 2, id: 4 }));
    assert_eq!(
        Truth::new(2, [counting(2, 1, at(0.0))], []),
        Err(MetricsError::Frame { frame: 2, frames: 2 })
    );
    let late = Results::new([(11, 1, at(0.0))]).unwrap();
    let refused = Scorer::default().evaluate(&one_object(), &late);
    assert_eq!(refused, Err(MetricsError::Frame { frame: 11, frames: 10 }));
    let many = |count: u64| (0..count).map(|id| (0, id, at(100.0 * id as f64)));
    let crowd = Truth::new(1, many(12_000).map(|(frame, id, region)| counting(frame, id, region)), []);
    let refused = Scorer::default().hota(&crowd.unwrap(), &Results::new(many(12_000)).unwrap());
    assert_eq!(refused, Err(MetricsError::TooMany));
    let mut longer = Results::default();
    (0..20).for_each(|_| longer.end_frame());
    assert!(Scorer::default().hota(&one_object(), &longer).is_ok(), "empty frames behind the end do no harm");
}

/// Boxes of a few objects that come, go and cross, on a grid so that a shift does not change the overlaps.
fn rows(frames: usize) -> impl Strategy<Value = Vec<(usize, u64, Region)>> {
    let cell = (0..frames, 0u64..6, 0u8..80, 0u8..20, 4u8..24, 4u8..24);
    prop::collection::vec(cell, 1..60).prop_map(|cells| {
        let mut rows: Vec<(usize, u64, Region)> = Vec::new();
        for (frame, id, left, top, width, height) in cells {
            if !rows.iter().any(|row| (row.0, row.1) == (frame, id)) {
                rows.push((frame, id, Region::new(left.into(), top.into(), width.into(), height.into())));
            }
        }
        rows
    })
}

fn truth_of(rows: &[(usize, u64, Region)]) -> Truth {
    Truth::new(8, rows.iter().map(|&(frame, id, region)| counting(frame, id, region)), []).unwrap()
}

fn moved(rows: &[(usize, u64, Region)]) -> Vec<(usize, u64, Region)> {
    rows.iter()
        .map(|&(frame, id, r)| {
            (frame, 1000 - id, Region::new(r.left + 640.0, r.top - 37.0, r.width, r.height))
        })
        .collect()
}

proptest! {
    #[test]
    fn the_truth_itself_is_perfect(rows in rows(8)) {
        let all = score(&truth_of(&rows), &rows);
        prop_assert_eq!(all.hota.hota.0, [1.0; ALPHAS]);
        prop_assert_eq!((all.clear.mota, all.clear.motp, all.clear.idsw), (1.0, 1.0, 0));
        prop_assert_eq!((all.identity.idf1, all.identity.idtp as usize), (1.0, rows.len()));
    }

    /// Neither names nor the place in the picture matter, and a scorer that was used is as good as a new one.
    #[test]
    fn names_and_places_do_not_matter(there in rows(8), said in rows(8), other in rows(8)) {
        let all = score(&truth_of(&there), &said);
        prop_assert_eq!(all, score(&truth_of(&moved(&there)), &moved(&said)));
        let mut used = Scorer::default();
        let (truth, results) = (truth_of(&there), Results::new(said).unwrap());
        used.evaluate(&truth_of(&other), &results).unwrap();
        prop_assert_eq!(used.evaluate(&truth, &results).unwrap(), all);
        prop_assert_eq!(used.hota(&truth, &results).unwrap(), all.hota);
    }

    #[test]
    fn the_numbers_hold_together(there in rows(8), said in rows(8)) {
        let Evaluation { hota, clear, identity } = score(&truth_of(&there), &said);
        for alpha in 0..ALPHAS {
            let product = hota.det_a.0[alpha] * hota.ass_a.0[alpha];
            prop_assert!((hota.hota.0[alpha].powi(2) - product).abs() < 1e-12);
            prop_assert_eq!(hota.tp[alpha] + hota.fn_[alpha], there.len() as u64);
            prop_assert_eq!(hota.tp[alpha] + hota.fp[alpha], said.len() as u64);
            prop_assert!(alpha == 0 || hota.tp[alpha] <= hota.tp[alpha - 1]);
        }
        for curve in [hota.hota, hota.det_a, hota.ass_a, hota.loc_a, hota.ass_re, hota.ass_pr] {
            prop_assert!(curve.0.iter().all(|value| (0.0..=1.0 + 1e-12).contains(value)));
        }
        prop_assert_eq!((clear.tp + clear.fn_, clear.tp + clear.fp), (there.len() as u64, said.len() as u64));
        prop_assert_eq!(clear.mt + clear.pt + clear.ml, truth_of(&there).objects());
        prop_assert_eq!(identity.idtp + identity.idfp, said.len() as u64);
        prop_assert_eq!(identity.idtp + identity.idfn, there.len() as u64);
    }
}
