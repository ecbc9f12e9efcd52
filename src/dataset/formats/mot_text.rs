//! MOTChallenge text, read in any dialect and written in ours unless the dialect says otherwise.

use std::io::{self, BufRead, Write};

use super::super::dialect::Dialect;
use super::super::lines::MotError;
use super::super::mot::{Wanted, read_mot, refuse_parts};
use super::{Annotation, Annotations, Lost, class_numbers};
use crate::detection::ClassId;
use crate::labels::Labels;
use crate::metrics::Region;

const WANTED: Wanted =
    Wanted { form: "frame,id,left,top,width,height[,score[,class]]", columns: 6, frames: u64::MAX };

pub(super) fn parse(text: &mut dyn BufRead, name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let rows = read_mot(text, name, dialect, WANTED)?;
    refuse_parts(name, &rows)?;
    let pixels = dialect.mot_pixels();
    let boxes = rows.iter().map(|row| {
        let Region { left, top, width, height } = row.region;
        let class = row.class.filter(|class| class.fract() == 0.0 && (1.0..=1000.0).contains(class));
        Annotation {
            frame: row.frame,
            id: row.id,
            region: Region::new(left - pixels, top - pixels, width, height),
            score: row.score,
            class: class.map(|class| class as ClassId - 1),
            row: row.line,
            ..Annotation::default()
        }
    });
    let labels = dialect.labels.clone().unwrap_or_else(Labels::coco);
    Ok(Annotations { boxes: boxes.collect(), labels, ..Annotations::default() })
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    let numbers = class_numbers(of, dialect);
    let number = |class: ClassId| match &numbers {
        Some(numbers) => numbers.get(usize::from(class)).copied().unwrap_or(class),
        None => class,
    };
    let (pixels, frames) = (dialect.mot_pixels(), dialect.mot_frames());
    for one in &of.boxes {
        if one.predicted {
            lost.add("predicted boxes", 1);
            continue;
        }
        lost.add("missing scores (written as 1)", usize::from(one.score.is_none()));
        let Region { left, top, width, height } = one.region;
        let id = one.id.map_or("-1".to_owned(), |id| id.to_string());
        let class = one.class.map_or(-1.0, |class| f64::from(number(class)) + dialect.mot_classes());
        writeln!(
            out,
            "{},{id},{:.3},{:.3},{width:.3},{height:.3},{:.4},{class},1,-1",
            one.frame + frames,
            left + pixels,
            top + pixels,
            one.score.unwrap_or(1.0)
        )?;
    }
    if numbers.is_none() {
        lost.add("names of classes", of.labels.len());
    }
    Ok(lost)
}
