//! The benchmarks of pictures from drones. VisDrone: `frame,id,left,top,width,height,score,class,truncation,occlusion`, where
//! class 0 are regions that nobody annotated and a score of 0 is a box that does not count; its pixels count from 0. UAVDT,
//! the files `*_gt_whole.txt`: `frame,id,left,top,width,height,out-of-view,occlusion,class`.

use std::io::{self, BufRead, Write};

use super::super::classes::{VISDRONE, find, table};
use super::super::dialect::Dialect;
use super::super::lines::{MotError, each_line, fields, frame, number, too_few};
use super::super::mot::{Wanted, identity, read_mot};
use super::{Annotation, Annotations, Lost, checked};
use crate::detection::ClassId;
use crate::labels::Labels;
use crate::metrics::Region;

const WANTED: Wanted = Wanted {
    form: "frame,id,left,top,width,height,score,class,truncation,occlusion",
    columns: 8,
    frames: u64::MAX,
};
/// The classes of UAVDT by number, from 1 (Du et al., 2018, arXiv:1804.00518).
const UAVDT: [&str; 3] = ["car", "truck", "bus"];
const UAVDT_FORM: &str = "frame,id,left,top,width,height,out-of-view,occlusion,class";

/// Whether a text begins as VisDrone's truth does: ten columns, a score up to 1, one of its classes, whole numbers for
/// truncation and occlusion. Other MOTChallenge text has -1 there, or fewer columns.
pub(super) fn is_visdrone(text: &str) -> bool {
    // The last line may be cut off.
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or(text);
    let mut lines = whole.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some() && lines.all(is_visdrone_line)
}

fn is_visdrone_line(line: &str) -> bool {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [_, _, _, _, _, _, score, class, truncation, occlusion] = fields.as_slice() else { return false };
    let small = |text: &str, most: u8| text.parse::<u8>().is_ok_and(|value| value <= most);
    let score = score.parse::<f64>().ok().filter(|score| (0.0..=1.0).contains(score));
    let class = class.parse::<usize>().ok().filter(|class| *class < VISDRONE.len());
    let class = class.zip(score).is_some_and(|(class, score)| class > 0 || score == 0.0);
    class && small(truncation, 1) && small(occlusion, 2)
}

fn visdrone_labels() -> Labels {
    // Without the ignored regions, which are no class.
    table(VISDRONE.get(1..).unwrap_or_default())
}

pub(super) fn parse(text: &mut dyn BufRead, name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let zero = Dialect { pixels_from: dialect.pixels_from.or(Some(0)), ..dialect.clone() };
    let pixels = zero.mot_pixels();
    let labels = visdrone_labels();
    let mut read = Annotations::default();
    for row in read_mot(text, name, &zero, WANTED)? {
        let fail = |why| MotError::Line { path: name.to_owned(), line: row.line, why, form: WANTED.form };
        let Region { left, top, width, height } = row.region;
        let region = Region::new(left - pixels, top - pixels, width, height);
        read.frames = read.frames.max(Some(row.frame + 1));
        let known = |class: &f64| class.fract() == 0.0 && *class <= labels.len() as f64;
        match row.class {
            Some(0.0) => read.ignored.push((row.frame, region)),
            class if class.as_ref().is_none_or(known) => read.boxes.push(
                checked(Annotation {
                    frame: row.frame,
                    id: row.id,
                    region,
                    score: row.score,
                    class: class.filter(|class| *class >= 1.0).map(|class| class as ClassId - 1),
                    hard: row.score == Some(0.0),
                    row: row.line,
                    ..Annotation::default()
                })
                .map_err(fail)?,
            ),
            _ => {
                return Err(fail(format!(
                    "column 8 (class): expected a whole number from 0 to {}",
                    labels.len()
                )));
            }
        }
    }
    read.labels = labels;
    Ok(read)
}

pub(super) fn parse_uavdt(
    text: &mut dyn BufRead,
    name: &str,
    dialect: &Dialect,
) -> Result<Annotations, MotError> {
    let pixels = dialect.mot_pixels();
    let mut read = Annotations { labels: table(&UAVDT), ..Annotations::default() };
    each_line(text, name, UAVDT_FORM, |row, line| {
        let fields: Vec<&str> = fields(line).collect();
        let [number_of_frame, id, left, top, width, height, _, _, class, ..] = fields.as_slice() else {
            return Err(too_few(fields.len(), 9));
        };
        let id = identity(id)?;
        let [left, top] = [number(left, 2)?, number(top, 3)?];
        let [width, height] = [number(width, 4)?, number(height, 5)?];
        let class = number(class, 8)?;
        if class.fract() != 0.0 || !(1.0..=UAVDT.len() as f64).contains(&class) {
            return Err(format!(
                "column 9 (class): expected a whole number from 1 to {}, found {class}",
                UAVDT.len()
            ));
        }
        let frame = frame(number(number_of_frame, 0)?, dialect.mot_frames())?;
        read.frames = read.frames.max(Some(frame + 1));
        read.boxes.push(checked(Annotation {
            frame,
            id,
            region: Region::new(left - pixels, top - pixels, width, height),
            class: Some(class as ClassId - 1),
            row,
            ..Annotation::default()
        })?);
        Ok(())
    })?;
    Ok(read)
}

/// The number of a class in a table of names, from 1, by its name.
fn class_number(of: &Annotations, class: Option<ClassId>, table: &Labels) -> Option<u32> {
    find(table, &of.class_name(class)).map(|found| u32::from(found) + 1)
}

fn lost(of: &Annotations) -> Lost {
    let mut lost = Lost::default();
    lost.add("the size of the picture", usize::from(of.size.is_some()));
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    lost
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let (mut lost, labels) = (lost(of), visdrone_labels());
    let pixels = f64::from(dialect.pixels_from.unwrap_or(0));
    let from = dialect.mot_frames();
    for (frame, r) in &of.ignored {
        let (left, top) = (r.left + pixels, r.top + pixels);
        writeln!(out, "{},0,{left:.3},{top:.3},{:.3},{:.3},0,0,0,0", frame + from, r.width, r.height)?;
    }
    for one in &of.boxes {
        let class = class_number(of, one.class, &labels);
        lost.add("classes that VisDrone does not have (written as others)", usize::from(class.is_none()));
        let Region { left, top, width, height } = one.region;
        let id = one.id.map_or("-1".to_owned(), |id| id.to_string());
        let score = if one.hard { 0.0 } else { one.score.unwrap_or(1.0).clamp(0.0, 1.0) };
        writeln!(
            out,
            "{},{id},{:.3},{:.3},{width:.3},{height:.3},{score},{},0,0",
            one.frame + from,
            left + pixels,
            top + pixels,
            class.unwrap_or(labels.len() as u32)
        )?;
    }
    Ok(lost)
}

pub(super) fn write_uavdt(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let (mut lost, labels) = (lost(of), table(&UAVDT));
    lost.add("scores", of.boxes.iter().filter(|one| one.score.is_some_and(|score| score != 1.0)).count());
    let (pixels, from) = (dialect.mot_pixels(), dialect.mot_frames());
    for one in &of.boxes {
        let Some(class) = class_number(of, one.class, &labels) else {
            lost.add("boxes of classes that UAVDT does not have", 1);
            continue;
        };
        let Region { left, top, width, height } = one.region;
        let id = one.id.map_or("-1".to_owned(), |id| id.to_string());
        writeln!(
            out,
            "{},{id},{:.3},{:.3},{width:.3},{height:.3},1,1,{class}",
            one.frame + from,
            left + pixels,
            top + pixels
        )?;
    }
    Ok(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frame, id, left edge, class, and whether it does not have to be found.
    type Told = (u64, Option<u64>, f64, Option<ClassId>, bool);

    fn told(read: &Annotations) -> Vec<Told> {
        read.boxes.iter().map(|one| (one.frame, one.id, one.region.left, one.class, one.hard)).collect()
    }

    #[test]
    fn truth_of_visdrone_is_told_from_other_text() {
        for text in [
            "1,0,593,43,174,190,0,0,0,0\n2,0,592,43,174,190,0,0,0,0\n",
            "1,7,10,20,30,40,1,4,1,2\n1,8,10,20,30",
            "1,7,10.5,20,30,40,0.9,10,0,0",
        ] {
            assert!(is_visdrone(text), "{text}");
        }
        for text in [
            "",
            "1,7,10,20,30,40,0.9,4,1,-1\n",
            "1,7,10,20,30,40,0.9,4,-1,-1\n",
            "1,7,10,20,30,40,1,1,0.86\n",
            "1,7,10,20,30,40,1,0,0,0\n",
            "1,7,10,20,30,40,1,12,0,0\n",
            "1,7,10,20,30,40,1,-4.15,0.5,0\n",
            "1,7,10,20,30,40,1,4,0,0\n2,7,10,20,30,40,1,4,0,3\n",
        ] {
            assert!(!is_visdrone(text), "{text}");
        }
    }

    #[test]
    fn ignored_regions_are_no_boxes_and_come_back() {
        let text = "1,0,593,43,174,190,0,0,0,0\n1,7,10,20,30,40,1,4,1,2\n3,8,11,21,30,40,0,11,0,0\n";
        let read = parse(&mut text.as_bytes(), "x", &Dialect::default()).unwrap();
        let boxes = [(0, Some(7), 10.0, Some(3), false), (2, Some(8), 11.0, Some(10), true)];
        assert_eq!((told(&read), read.frames), (boxes.to_vec(), Some(3)));
        assert_eq!(read.ignored, [(0, Region::new(593.0, 43.0, 174.0, 190.0))]);
        let mut out = Vec::new();
        assert_eq!(write(&read, &Dialect::default(), &mut out).unwrap(), Lost::default());
        let again = parse(&mut out.as_slice(), "x", &Dialect::default()).unwrap();
        assert_eq!((told(&again), again.ignored), (boxes.to_vec(), read.ignored));
        let said = parse(&mut &b"1,1,1,1,9,9,1,12,0,0\n"[..], "x", &Dialect::default()).unwrap_err();
        assert!(said.to_string().contains("x, line 1: column 8 (class)"), "{said}");
    }

    #[test]
    fn uavdt_has_its_class_in_the_last_column() {
        let read = parse_uavdt(&mut &b"1,1,142,148,106,45,2,3,3\n"[..], "x", &Dialect::default()).unwrap();
        assert_eq!(told(&read), [(0, Some(1), 141.0, Some(2), false)]);
        assert_eq!(read.labels.name(2), "bus");
        for (text, wanted) in
            [("1,1,1,1,9,9,1,1", "8 columns, at least 9"), ("1,1,1,1,9,9,1,1,4", "column 9 (class)")]
        {
            let said = parse_uavdt(&mut text.as_bytes(), "x", &Dialect::default()).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }
}
