//! A small data set on disk, read back and scored; and what is wrong with damaged ones.

use std::fs;
use std::path::Path;

use super::*;
use crate::metrics::Scorer;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(folder: &Path, name: &str, every: usize) -> Result<Sequence, DatasetError> {
    Sequence::read(folder, name, &ReadOptions { every, ..ReadOptions::default() })
}

/// Two objects of class 1 and one of class 3, which stand still for five frames; the last column is the truth's own.
fn kitti(folder: &Path) {
    let mut truth = String::new();
    for frame in 1..=5 {
        for (id, left, class) in [(1, 0, 1), (2, 50, 1), (3, 100, 3)] {
            truth += &format!("{frame},{id},{left}.5,10,20,40,1,{class},1\n");
        }
    }
    write(folder, "KITTI-1/gt/gt.txt", &truth);
    write(folder, "KITTI-1/gt/dontcare.txt", "1,-1,300,0,50,50\n4,-1,300,0,50,50\n");
    write(
        folder,
        "KITTI-1/seqinfo.ini",
        "[Sequence]\nseqLength=5\nframeRate=10\nimWidth=640\nimHeight=480\n",
    );
}

#[test]
fn a_sequence_by_class_and_thinned() {
    let folder = tempfile::tempdir().unwrap();
    kitti(folder.path());
    write(folder.path(), "not-a-sequence/readme.txt", "");
    assert_eq!(sequences(folder.path()).unwrap(), ["KITTI-1"]);
    let sequence = read(folder.path(), "KITTI-1", 1).unwrap();
    assert_eq!((sequence.frames, sequence.fps, sequence.size), (5, Some(10.0), Some((640, 480))));
    assert_eq!(
        (sequence.benchmark, sequence.classes().into_iter().collect()),
        (Benchmark::Kitti, vec![1, 3])
    );
    assert_eq!(sequence.truth(Some(1)).unwrap().boxes(), 10);
    assert_eq!(sequence.truth(None).unwrap().objects(), 3);

    // In frame 1 a result lies where nobody annotated, in frame 2 nobody says so.
    let said =
        "1,7,310,10,20,40,0.9,1\n2,7,310,10,20,40,0.9,1\n1,8,0.5,10,20,40,0.9,1\n1,8,100.5,10,20,40,0.9,3\n";
    write(folder.path(), "KITTI-1.txt", said);
    let file = sequence.results(&folder.path().join("KITTI-1.txt")).unwrap();
    assert_eq!(file.classes().into_iter().collect::<Vec<_>>(), [1, 3]);
    let mut scorer = Scorer::default();
    let mut counts = |sequence: &Sequence, class: i32| {
        let results = file.select(Some(class)).unwrap();
        let clear = scorer.evaluate(&sequence.truth(Some(class)).unwrap(), &results).unwrap().clear;
        (clear.tp, clear.fp, clear.fn_)
    };
    assert_eq!((counts(&sequence, 1), counts(&sequence, 3)), ((1, 1, 9), (1, 0, 4)));
    let said = file.select(None).unwrap_err().to_string();
    assert!(said.ends_with("KITTI-1.txt, line 4: the id 8 is in frame 1 already"), "{said}");

    let thin = read(folder.path(), "KITTI-1", 3).unwrap();
    assert_eq!((thin.frames, thin.fps), (2, Some(10.0 / 3.0)));
    assert_eq!(thin.truth(Some(1)).unwrap().boxes(), 4);
    // The second frame is now the fourth of the recording, where nobody annotated either.
    assert_eq!(counts(&thin, 1), (1, 0, 3));
    write(folder.path(), "KITTI-1/det/det.txt", "1,-1,1,1,5,5,1\n3,-1,1,1,5,5,1\n4,-1,1,1,5,5,1\n");
    assert_eq!(thin.detections(Path::new("det/det.txt")).unwrap().frames(), 2);
}

#[test]
fn distractors_and_what_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let truth = "1,1,0,0,10,20,1,1,1\n1,2,50,0,10,20,0,1,1\n1,3,100,0,10,20,0,7,1\n1,4,150,0,10,20,1,3,1\n";
    let said = "1,1,0,0,10,20,1,-1,-1,-1\n1,2,50,0,10,20,1\n1,3,100,0,10,20,1\n1,4,150,0,10,20,1\n";
    write(folder.path(), "r.txt", said);
    for (name, benchmark, counts) in
        [("MOT17-1", Benchmark::Mot17, (1, 2, 0)), ("Other", Benchmark::Mot15, (2, 2, 0))]
    {
        write(folder.path(), &format!("{name}/gt/gt.txt"), truth);
        let sequence = read(folder.path(), name, 1).unwrap();
        assert_eq!((sequence.benchmark, sequence.frames), (benchmark, 1));
        let results = sequence.results(&folder.path().join("r.txt")).unwrap().select(None).unwrap();
        let clear = Scorer::default().evaluate(&sequence.truth(None).unwrap(), &results).unwrap().clear;
        assert_eq!((clear.tp, clear.fp, clear.fn_), counts, "{name}");
    }
}

#[test]
fn rows_without_an_identity_are_left_out_and_large_ids_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A/gt/gt.txt", "1,1,0,0,10,20,1,1,1\n1,-1,50,0,10,20,1,1,1\n");
    let sequence = read(folder.path(), "A", 1).unwrap();
    let said = "1,-1,50,0,10,20,nan\n1,9007199254740993,0,0,10,20,1\n1,9007199254740992,90,0,10,20,1\n";
    write(folder.path(), "A.txt", said);
    let results = sequence.results(&folder.path().join("A.txt")).unwrap().select(None).unwrap();
    let clear = Scorer::default().evaluate(&sequence.truth(None).unwrap(), &results).unwrap().clear;
    assert_eq!((clear.tp, clear.fp, clear.fn_), (1, 1, 0));
    write(folder.path(), "A.txt", "1,1,0.1,0.2,0.3,0.4,1\n");
    let said = sequence.results(&folder.path().join("A.txt")).unwrap_err().to_string();
    assert!(said.contains("A.txt, line 1: column 5 (width): all boxes are smaller than a pixel"), "{said}");
}

#[test]
fn truth_and_results_that_count_otherwise_meet() {
    let folder = tempfile::tempdir().unwrap();
    // As CVAT has it: pixels from 0, names of classes in a file.
    write(folder.path(), "A/gt/gt.txt", "1,1,10.25,20.5,6,6,1,1,1\n1,2,50,20.5,6,6,1,2,1\n");
    write(folder.path(), "A/gt/labels.txt", "car\nperson\n");
    write(folder.path(), "A.txt", "1,5,11.25,21.5,6,6,1,3\n1,6,51,21.5,6,6,1,1\n");
    let zero = Dialect { pixels_from: Some(0), ..Dialect::default() };
    let coco = Dialect { labels: Some(crate::labels::Labels::coco()), ..Dialect::default() };
    let options = ReadOptions { truth: zero, results: coco, ..ReadOptions::default() };
    let sequence = Sequence::read(folder.path(), "A", &options).unwrap();
    let results = sequence.results(&folder.path().join("A.txt")).unwrap();
    assert_eq!(results.classes().into_iter().collect::<Vec<_>>(), [1, 2]);
    for class in [None, Some(1), Some(2)] {
        let (truth, said) = (sequence.truth(class).unwrap(), results.select(class).unwrap());
        let score = Scorer::default().evaluate(&truth, &said).unwrap();
        assert_eq!((score.hota.hota.mean(), score.clear.fn_), (1.0, 0), "{class:?}");
    }
}

#[test]
fn tracks_score_as_their_file_does() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A/gt/gt.txt", "1,1,11,21,10,20,1,1,1\n2,1,11,21,10,20,1,1,1\n");
    let sequence = read(folder.path(), "A", 1).unwrap();
    let tracks = [vec![(5, Rect::new(10.0, 20.0, 10.0, 20.0))], vec![]];
    let results = results_of_tracks(tracks).unwrap();
    write(folder.path(), "A.txt", "1,5,11,21,10,20,1\n");
    let file = sequence.results(&folder.path().join("A.txt")).unwrap().select(None).unwrap();
    let mut scorer = Scorer::default();
    let truth = sequence.truth(None).unwrap();
    let ours = scorer.evaluate(&truth, &results).unwrap();
    assert_eq!(ours, scorer.evaluate(&truth, &file).unwrap());
    assert_eq!((ours.clear.tp, ours.clear.motp), (1, 1.0));
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    kitti(folder.path());
    let sequence = read(folder.path(), "KITTI-1", 1).unwrap();
    for (line, wanted) in [
        ("1,2,3", "3 columns, at least 7 are needed; a line is frame,id,left"),
        ("6,1,1,1,5,5,1", "column 1 (frame): the sequence ends with frame 5, found 6"),
        ("0,1,1,1,5,5,1", "column 1 (frame)"),
        ("1,1e20,1,1,5,5,1", "column 2 (id): expected a whole number up to 18446744073709551615, found 1e20"),
        ("1,1.5,1,1,5,5,1", "column 2 (id)"),
        ("1,1,1,x,5,5,1", "column 4 (top): expected a number, found `x`"),
        ("1,1,1,1,5,5,1,car", "column 8 (class): expected a number, found `car`"),
    ] {
        write(folder.path(), "r.txt", &format!("1,1,1,1,5,5,1\n{line}\n"));
        let said = sequence.results(&folder.path().join("r.txt")).unwrap_err().to_string();
        assert!(said.contains("r.txt, line 2: ") && said.contains(wanted), "{line}: {said}");
    }
    for (file, text, wanted) in [
        ("gt/gt.txt", "1,1,1,1,5,5,1\n", "gt.txt, line 1: 7 columns, at least 8"),
        ("gt/dontcare.txt", "1,1,1,1,5\n", "dontcare.txt, line 1: 5 columns, at least 6"),
        ("seqinfo.ini", "seqLength=0\n", "seqinfo.ini, line 1: seqlength"),
    ] {
        kitti(folder.path());
        write(folder.path(), &format!("KITTI-1/{file}"), text);
        let said = read(folder.path(), "KITTI-1", 1).unwrap_err().to_string();
        assert!(said.contains(wanted), "{file}: {said}");
    }
    write(folder.path(), "Long/gt/gt.txt", "99999999,1,1,1,5,5,1,1,1\n");
    let said = read(folder.path(), "Long", 1).unwrap_err().to_string();
    assert!(said.contains("gt.txt, line 1: column 1 (frame): the sequence ends"), "{said}");
    write(folder.path(), "MOT17-1/gt/gt.txt", "1,1,1,1,5,5,1,1,1\n1,2,1,1,5,5,1,99,1\n");
    let said = read(folder.path(), "MOT17-1", 1).unwrap().truth(None).unwrap_err().to_string();
    assert!(said.ends_with("gt.txt, line 2: there is no class 99: they are 1 to 13"), "{said}");
    let said = read(folder.path(), "missing", 1).unwrap_err().to_string();
    assert!(said.contains("cannot read") && said.contains("gt.txt"), "{said}");
    assert!(sequences(&folder.path().join("missing")).is_err());
}
