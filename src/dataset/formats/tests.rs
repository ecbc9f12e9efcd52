//! Every format into every other and back, what each refuses, and that no bytes make one panic.

use proptest::prelude::*;

use super::*;

fn dialect() -> Dialect {
    Dialect { size: Some((1920, 1080)), fps: Some(25.0), ..Dialect::default() }
}

/// Written and read again.
fn through(format: Format, of: &Annotations) -> Annotations {
    if format == Format::Ultralytics {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        format.write_to(of, &dialect(), &path).unwrap();
        assert_eq!(Format::of(&path).unwrap(), format);
        return format.read(&path, &dialect()).unwrap();
    }
    let mut bytes = Vec::new();
    format.write(of, &dialect(), &mut bytes).unwrap();
    // Those of UAVDT are known by their name alone.
    if !of.boxes.is_empty() && format != Format::Uavdt {
        // Whatever comes first in the file: a long one is not read to its end for that.
        let begin = &bytes[..bytes.len().min(400)];
        assert_eq!(Format::detect(begin), format, "{}", String::from_utf8_lossy(begin));
    }
    format.parse(&mut bytes.as_slice(), "it", &dialect()).unwrap()
}

/// Frame, id, edges in hundredths, and the name of the class.
fn told(of: &Annotations) -> Vec<(u64, Option<u64>, [i64; 4], String)> {
    let mut all: Vec<_> = of
        .boxes
        .iter()
        .map(|one| {
            let r = one.region;
            let edges = [r.left, r.top, r.width, r.height].map(|edge| (edge * 100.0).round() as i64);
            (one.frame, one.id, edges, of.class_name(one.class).to_lowercase())
        })
        .collect();
    all.sort();
    all
}

fn same(a: &Annotations, b: &Annotations, what: &str) {
    let (a, b) = (told(a), told(b));
    assert_eq!(a.len(), b.len(), "{what}");
    for (one, other) in a.iter().zip(&b) {
        let close = one.2.iter().zip(other.2).all(|(x, y)| (x - y).abs() <= 1);
        assert!(
            close && (one.0, one.1, &one.3) == (other.0, other.1, &other.3),
            "{what}: {one:?} is {other:?}"
        );
    }
}

/// Tracks with gaps, boxes in hundredths of a pixel, some of them partly outside.
fn scene() -> impl Strategy<Value = Annotations> {
    let shape = (-5000i32..190_000, -5000i32..100_000, 10i32..50_000, 10i32..50_000);
    let track = (0u16..2, prop::collection::btree_map(0u64..12, shape, 1..8));
    prop::collection::btree_map(1u64..1 << 60, track, 1..5).prop_map(|tracks| {
        let mut boxes = Vec::new();
        for (id, (class, shapes)) in tracks {
            for (frame, (left, top, width, height)) in shapes {
                let [left, top, width, height] =
                    [left, top, width, height].map(|edge| f64::from(edge) / 100.0);
                let region = Region::new(left, top, width, height);
                // Classes that COCO, KITTI and every list of names have alike.
                let class = Some(if class == 0 { 2 } else { 7 });
                boxes.push(Annotation {
                    frame,
                    id: Some(id),
                    region,
                    score: Some(1.0),
                    class,
                    ..Annotation::default()
                });
            }
        }
        boxes.sort_by_key(|one| one.frame);
        Annotations { boxes, labels: Labels::coco(), size: Some((1920, 1080)), ..Annotations::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_format_becomes_every_other_to_the_hundredth(scene in scene()) {
        for (from, one) in Format::ALL {
            let first = through(one, &scene);
            same(&scene, &first, from);
            for (to, other) in Format::ALL {
                same(&scene, &through(other, &first), &format!("{from} to {to}"));
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        begin in prop::sample::select(vec!["", "<annotations><track id=\"1\" label=\"a\">", "[{\"image_id\":", "PK\u{3}\u{4}",
            "{\"images\":[", "x_min,frame\n", "frame,id,left,top,width,height\n", "0 1 Car 0 0 0 ", "1,1,1,1,9,9,1,4,0,0\n",
            "[{\"annotations\":"]),
    ) {
        let text = [begin.as_bytes(), &bytes].concat();
        for (_, format) in Format::ALL {
            let _ = format.parse(&mut text.as_slice(), "it", &dialect());
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cvat = |inside: &str| {
        format!("<annotations>\n<track id=\"1\" label=\"a\">\n{inside}\n</track></annotations>")
    };
    let edges = "xtl=\"1\" ytl=\"1\" xbr=\"2\"";
    for (format, text, wanted) in [
        (Format::Cvat, cvat(&format!("<box frame=\"0\" {edges} ybr=\"x\"/>")), "it, line 3, column "),
        (Format::Cvat, cvat(&format!("<box frame=\"0\" {edges}/>")), "ybr is missing"),
        (
            Format::Cvat,
            cvat(&format!("<box frame=\"-1\" {edges} ybr=\"2\"/>")),
            "frame: expected a number, found `-1`",
        ),
        (
            Format::Cvat,
            "<annotations><track id=\"1\" label=\"a\">".to_owned(),
            "annotations/track does not end",
        ),
        (Format::Cvat, "<svg></svg>".to_owned(), "expected <annotations>, found <svg>"),
        (Format::Coco, "{\"images\":[]\n,}".to_owned(), "it, line 2, column 2: "),
        (
            Format::Coco,
            "{\"images\":[],\"annotations\":[{\"image_id\":3,\"category_id\":1,\"bbox\":[1,2,3,4]}]}"
                .to_owned(),
            "annotation 1: there is no image 3",
        ),
        (
            Format::CocoResults,
            "[{\"image_id\":0,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1}]".to_owned(),
            "object 1: image_id 0: expected a number from 1",
        ),
        (
            Format::SupervisionCsv,
            "x_min,y_min,x_max,y_max\n1,2,3,4\n".to_owned(),
            "it, line 2: no frame: a column",
        ),
        (
            Format::SupervisionCsv,
            "x_min,y_min,x_max,y_max,frame\n1,2,x,4,0\n".to_owned(),
            "it, line 2: column x_max: expected a number, found `x`",
        ),
        (
            Format::Csv,
            "frame,id,left,top,width,height\n0,1,1,1,1,1\n".to_owned(),
            "it, line 2: expected a frame from 1",
        ),
        (Format::LabelStudio, "[{\"annotations\":7}]".to_owned(), "no task of Label Studio"),
        (
            Format::Kitti,
            "0 1 Car 0 0 0 1 2 x 4\n".to_owned(),
            "it, line 1: column 9 (right): expected a number",
        ),
        (Format::Ultralytics, "0 0.5 0.5 0.1\n".to_owned(), "it, line 1: 4 columns, expected 5 to 7"),
        (
            Format::Ultralytics,
            "0 500 300 10 20\n".to_owned(),
            "line 1: a box that is not in parts of the picture",
        ),
        (Format::CvatMot, "PK\u{3}\u{4}".to_owned(), "it, the archive: "),
    ] {
        let said = format.parse(&mut text.as_bytes(), "it", &dialect()).expect_err(&text).to_string();
        assert!(said.contains(wanted), "{text}: {said}");
    }
    let said =
        Format::Ultralytics.parse(&mut &b"0 0.5 0.5 0.1 0.1\n"[..], "it", &Dialect::default()).unwrap_err();
    assert!(said.to_string().contains("--size WIDTHxHEIGHT"), "{said}");
}

#[test]
fn regions_that_nobody_annotated_are_carried_or_told() {
    let text = "0 -1 DontCare -1 -1 -10 1 2 30 40 -1000 -1000 -1000 -10 -1 -1 -1\n\
        0 1 Car 0 3 -10 10 20 40.1 60.3 -1 -1 -1 -1000 -1000 -1000 -10\n\
        1 2 Person 0 0 -10 10 20 40 60 -1 -1 -1 -1000 -1000 -1000 -10\n";
    let read = Format::Kitti.parse(&mut text.as_bytes(), "it", &Dialect::default()).unwrap();
    assert_eq!(read.ignored, [(0, Region::new(1.0, 2.0, 29.0, 38.0))]);
    assert_eq!(read.boxes.iter().map(|one| (one.hard, one.row)).collect::<Vec<_>>(), [(true, 2), (false, 3)]);
    // Sides lead from edge to edge, to the last digit.
    let r = read.boxes[0].region;
    assert_eq!((r.left + r.width, r.top + r.height), (40.1, 60.3));
    // Who sits is no pedestrian.
    assert_eq!(read.class_name(read.boxes[1].class), "Person_sitting");
    let again = through(Format::Kitti, &read);
    same(&read, &again, "kitti");
    assert_eq!((again.ignored, again.boxes[0].hard), (read.ignored.clone(), true));
    for (format, lost) in [(Format::Kitti, 0), (Format::VisDrone, 1), (Format::Csv, 2)] {
        let told = format.write(&read, &dialect(), &mut Vec::new()).unwrap();
        let words = ["regions that nobody annotated", "that a box does not have to be found"];
        assert_eq!(told.iter().filter(|(what, _)| words.contains(what)).count(), lost, "{format:?}");
    }
}

#[test]
fn an_archive_of_cvat_may_hold_xml() {
    let xml = "<annotations><track id=\"0\" label=\"cat\"><box frame=\"2\" xtl=\"1\" ytl=\"2\" xbr=\"9\" ybr=\"9\"/></track></annotations>";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("annotations.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(xml.as_bytes()).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let read = Format::detect(&bytes).parse(&mut bytes.as_slice(), "it", &Dialect::default()).unwrap();
    assert_eq!((read.boxes[0].frame, read.boxes[0].row, read.labels.name(0).as_ref()), (2, 1, "cat"));
}

#[test]
fn boxes_between_keyframes_are_those_that_the_tools_show() {
    let text = "<annotations><meta><task><size>12</size><labels><label><name>cat</name><attributes><attribute><name>fur</name>\
        </attribute></attributes></label></labels><original_size><width>64</width><height>48</height></original_size></task>\
        </meta><track id=\"0\" label=\"a &amp; b\">\
        <box frame=\"1\" xtl=\"0\" ytl=\"0\" xbr=\"10\" ybr=\"10\" outside=\"0\" keyframe=\"1\"/>\
        <box frame=\"5\" xtl=\"8\" ytl=\"4\" xbr=\"18\" ybr=\"14\" outside=\"0\" keyframe=\"1\"/>\
        <box frame=\"7\" xtl=\"8\" ytl=\"4\" xbr=\"18\" ybr=\"14\" outside=\"1\" keyframe=\"1\"/></track></annotations>";
    let read = Format::Cvat.parse(&mut text.as_bytes(), "it", &Dialect::default()).unwrap();
    let lefts: Vec<_> = read.boxes.iter().map(|one| (one.frame, one.region.left)).collect();
    assert_eq!(lefts, [(1, 0.0), (2, 2.0), (3, 4.0), (4, 6.0), (5, 8.0), (6, 8.0)]);
    assert_eq!((read.frames, read.size), (Some(12), Some((64, 48))));
    assert_eq!(read.labels.iter().collect::<Vec<_>>(), ["cat", "a & b"]);

    let key = |frame: u64, x: f64, enabled: bool| {
        format!("{{\"frame\":{frame},\"x\":{x},\"y\":10,\"width\":5,\"height\":5,\"enabled\":{enabled}}}")
    };
    let text = format!(
        "{{\"annotations\":[{{\"result\":[{{\"id\":\"abc\",\"type\":\"videorectangle\",\"value\":{{\"framesCount\":8,\
         \"labels\":[\"cat\"],\"sequence\":[{},{},{}]}}}}]}}]}}",
        key(1, 0.0, true),
        key(3, 10.0, false),
        key(6, 50.0, true)
    );
    let hundred = Dialect { size: Some((100, 100)), ..Dialect::default() };
    let read = Format::LabelStudio.parse(&mut text.as_bytes(), "it", &hundred).unwrap();
    let lefts: Vec<_> = read.boxes.iter().map(|one| (one.frame, one.region.left)).collect();
    assert_eq!(lefts, [(0, 0.0), (1, 5.0), (2, 10.0), (5, 50.0), (6, 50.0), (7, 50.0)]);
}

#[test]
fn one_video_of_several_is_read() {
    let text = r#"{"videos":[{"id":1,"name":"train/a"},{"id":2,"name":"train/b"}],"categories":[{"id":1,"name":"cat"}],
        "images":[{"id":1,"video_id":1,"frame_id":1},{"id":2,"video_id":1,"frame_id":2},{"id":3,"video_id":2,"frame_id":0}],
        "annotations":[{"image_id":2,"category_id":1,"bbox":[1,2,3,4],"track_id":7},
        {"image_id":3,"category_id":1,"bbox":[5,6,7,8],"track_id":7}]}"#;
    let read = |video: Option<&str>| {
        let dialect = Dialect { video: video.map(str::to_owned), ..Dialect::default() };
        Format::Coco.parse(&mut text.as_bytes(), "it", &dialect)
    };
    let told = |of: Annotations| {
        (of.frames, of.boxes.iter().map(|one| (one.frame, one.region.left)).collect::<Vec<_>>())
    };
    // The frames of the first count from 1, those of the second from 0.
    assert_eq!(told(read(Some("a")).unwrap()), (Some(2), vec![(1, 1.0)]));
    assert_eq!(told(read(Some("b")).unwrap()), (Some(1), vec![(0, 5.0)]));
    let said = read(None).unwrap_err().to_string();
    assert!(said.contains("it, images: 2 videos (a, b); one is read at a time"), "{said}");
    assert!(read(Some("c")).unwrap_err().to_string().contains("none is c"));
}

#[test]
fn a_far_frame_is_not_filled_with_entries() {
    let far = "1,1,1,1,9,9,1\n90000000,1,1,1,9,9,1\n";
    let read = Format::Mot.parse(&mut far.as_bytes(), "it", &Dialect::default()).unwrap();
    for format in [Format::Jsonl, Format::Coco] {
        let mut out = Vec::new();
        let said = format.write(&read, &dialect(), &mut out).unwrap_err().to_string();
        assert!(said.contains("the last frame is 90000000") && out.is_empty(), "{said}");
    }
    for format in [Format::Csv, Format::Cvat, Format::LabelStudio, Format::CvatMot] {
        let mut out = Vec::new();
        format.write(&read, &dialect(), &mut out).unwrap();
        assert!(out.len() < 10_000, "{format:?}");
    }
}

#[test]
fn what_a_format_cannot_carry_is_said() {
    let region = Region::new(1.0, 2.0, 30.0, 40.0);
    let one = Annotation {
        frame: 2,
        region,
        score: Some(0.5),
        class: Some(0),
        predicted: true,
        ..Annotation::default()
    };
    let of = Annotations { boxes: vec![one], labels: Labels::parse("cup"), ..Annotations::default() };
    let lost = |format: Format| {
        let lost = format.write(&of, &dialect(), &mut Vec::new()).unwrap();
        lost.iter().map(|(what, _)| what).collect::<Vec<_>>().join("; ")
    };
    for (format, wanted) in [
        (Format::Cvat, "scores"),
        (Format::Cvat, "boxes without an id"),
        (Format::Mot, "predicted boxes"),
        (Format::Kitti, "names of classes that KITTI does not have"),
        (Format::LabelStudio, "that a box is predicted"),
    ] {
        assert!(lost(format).contains(wanted), "{format:?}: {}", lost(format));
    }
}

#[test]
fn the_sixth_column_of_a_label_is_what_the_folder_says() {
    let read = |text: &str| Format::Ultralytics.parse(&mut text.as_bytes(), "it", &dialect()).unwrap();
    let found = |text: &str| read(text).boxes.iter().map(|one| (one.id, one.score)).collect::<Vec<_>>();
    let line = "0 0.5 0.5 0.1 0.1";
    assert_eq!(found(&format!("{line}\n")), [(None, None)]);
    assert_eq!(found(&format!("{line} 0.5\n{line} 1\n")), [(None, Some(0.5)), (None, Some(1.0))]);
    assert_eq!(found(&format!("{line} 1\n{line} 7\n")), [(Some(1), None), (Some(7), None)]);
    assert_eq!(found(&format!("{line} 1\n")), [(Some(1), None)]);
    assert_eq!(found(&format!("{line} 1\n{line} 1\n")), [(None, Some(1.0)), (None, Some(1.0))]);
    assert_eq!(found(&format!("{line} 0.5 7\n")), [(Some(7), Some(0.5))]);
}

#[test]
fn what_is_told_beside_boxes_stays_in_json_lines_and_is_lost_elsewhere() {
    use crate::detection::Keypoint;
    let region = Region::new(2.0, 1.0, 4.0, 3.0);
    let one = Annotation { id: Some(7), region, class: Some(0), ..Annotation::default() };
    let rect = crate::geometry::Rect::new(2.0, 1.0, 4.0, 3.0);
    let extra = Extra {
        mask: crate::detection::Mask::new(rect, (4, 3), |x, y| x + y > 0),
        keypoints: vec![Keypoint { x: 3.0, y: 2.0, score: 0.5 }],
        ..Extra::default()
    };
    let of = Annotations {
        boxes: vec![one],
        extras: vec![(0, 7, extra)],
        labels: Labels::parse("cup"),
        size: Some((1920, 1080)),
        ..Annotations::default()
    };
    let again = through(Format::Jsonl, &of);
    // A mask comes back over the box around its pixels; this one's fill its columns and rows.
    assert_eq!(again.extras, of.extras);
    let lost = |format: Format| {
        let lost = format.write(&of, &dialect(), &mut Vec::new()).unwrap();
        lost.iter().any(|(what, count)| what.contains("masks") && count == 1)
    };
    assert!(!lost(Format::Jsonl) && lost(Format::Mot) && lost(Format::Coco));
}
