//! A folder of YOLO labels as Ultralytics writes it: a file a frame, `class cx cy width height [conf] [id]` in parts of the
//! picture.
//!
//! Frames are the last numbers in the names, from 1, sorted as numbers; frames without boxes have no file. Six columns may
//! end with a confidence or an id: the whole folder decides.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use super::super::dialect::Dialect;
use super::super::lines::{MotError, each_line, number};
use super::super::mot::identity;
use super::{Annotation, Annotations, Lost, checked, fault, size_of};
use crate::bounded;
use crate::detection::ClassId;
use crate::labels::Labels;
use crate::metrics::Region;

const FORM: &str = "class, cx, cy, width, height[, conf][, id] in parts of the picture";
/// The most files of a folder.
const MAX_FILES: usize = 10_000_000;

/// A line: the box in pixels, and what stands behind it.
struct Line {
    one: Annotation,
    rest: Vec<String>,
}

pub(super) fn read_folder(folder: &Path, dialect: &Dialect) -> Result<Annotations, MotError> {
    let name = folder.display().to_string();
    let fail = |error| MotError::Read { path: name.clone(), error };
    let inside = folder.join("labels");
    let labels = if inside.is_dir() { inside } else { folder.to_owned() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&labels).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let digits = stem.rsplit(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty());
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        match number {
            Some(number) if path.extension().is_some_and(|ending| ending == "txt") => {
                files.push((number, path))
            }
            _ => {}
        }
        if files.len() > MAX_FILES {
            return Err(fault(&name, "the folder", format_args!("more than {MAX_FILES} files")));
        }
    }
    if files.is_empty() {
        let why = "no files of labels: expected a NAME_1.txt for each frame, or gt.txt as a file";
        return Err(fault(&name, "the folder", why));
    }
    files.sort();
    if let Some(pair) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let why = format!("{} and {} are both frame {}", pair[0].1.display(), pair[1].1.display(), pair[0].0);
        return Err(fault(&name, "the folder", why));
    }
    // Datumaro's folders begin with frame_000000.
    let first = files.first().map_or(1, |(number, _)| *number);
    let from = dialect.frames_from.map_or(first.min(1), u64::from);
    let mut lines = Vec::new();
    for (number, path) in &files {
        let frame = number.checked_sub(from);
        let frame = frame
            .ok_or_else(|| fault(&name, "the folder", format_args!("frame {number} is before {from}")))?;
        let file = std::fs::File::open(path)
            .map_err(|error| MotError::Read { path: path.display().to_string(), error })?;
        lines.extend(parse_lines(BufReader::new(file), &path.display().to_string(), frame, dialect)?);
    }
    let own = names_around(&labels);
    finish(lines, &name, dialect.labels.clone().or(own))
}

pub(super) fn parse(text: &mut dyn BufRead, name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    finish(parse_lines(text, name, 0, dialect)?, name, dialect.labels.clone())
}

fn parse_lines(text: impl BufRead, name: &str, frame: u64, dialect: &Dialect) -> Result<Vec<Line>, MotError> {
    let size = dialect.size.ok_or_else(|| {
        fault(
            name,
            "the file",
            "boxes are in parts of the picture: --size WIDTHxHEIGHT says how large that is",
        )
    })?;
    let (across, down) = (f64::from(size.0), f64::from(size.1));
    let mut lines = Vec::new();
    each_line(text, name, FORM, |row, line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if !(5..=7).contains(&fields.len()) {
            return Err(format!("{} columns, expected 5 to 7", fields.len()));
        }
        let value = |index: usize, what: &str| {
            let text = fields.get(index).copied().unwrap_or_default();
            number(text, index).map_err(|_| {
                let found: String = text.chars().take(40).collect();
                format!("column {} ({what}): expected a number, found `{}`", index + 1, found.escape_debug())
            })
        };
        let class = value(0, "class")?;
        if class.fract() != 0.0 || !(0.0..f64::from(ClassId::MAX)).contains(&class) {
            return Err(format!("column 1 (class): expected a whole number from 0, found {class}"));
        }
        let (cx, cy) = (value(1, "cx")?, value(2, "cy")?);
        let (width, height) = (value(3, "width")?, value(4, "height")?);
        if [cx, cy, width, height].iter().any(|side| side.abs() > 100.0) {
            return Err("a box that is not in parts of the picture".to_owned());
        }
        let region = Region::new(
            (cx - width / 2.0) * across,
            (cy - height / 2.0) * down,
            width * across,
            height * down,
        );
        let class = Some(class as ClassId);
        let one = checked(Annotation { frame, region, class, row, ..Annotation::default() })?;
        let rest: Vec<String> = fields.iter().skip(5).map(|field| (*field).to_owned()).collect();
        for (index, text) in rest.iter().enumerate() {
            number(text, index + 5)?;
        }
        lines.push(Line { one, rest });
        Ok(())
    })?;
    Ok(lines)
}

/// Decides what the last columns are.
fn finish(lines: Vec<Line>, name: &str, labels: Option<Labels>) -> Result<Annotations, MotError> {
    let sixth = || lines.iter().filter(|line| line.rest.len() == 1).filter_map(|line| line.rest.first());
    // A confidence is a part of 1; ids are whole. Only ones in frames with several boxes are no ids.
    let whole = sixth().all(|text| matches!(identity(text), Ok(Some(_))));
    let above_one = sixth().any(|text| text.parse::<f64>().is_ok_and(|value| value > 1.0));
    let mut seen = std::collections::HashSet::new();
    let twice = lines
        .iter()
        .filter(|line| line.rest.len() == 1)
        .any(|line| !seen.insert((line.one.frame, &line.rest)));
    let is_id = whole && (above_one || !twice);
    if whole && !above_one && sixth().next().is_some() {
        let taken = if is_id { "ids" } else { "confidences" };
        log::warn!(
            "{name}: the sixth column is never above 1, and may be ids or confidences; it was read as {taken} (seven columns, \
             confidence and id, leave no doubt)"
        );
    }
    let mut read = Annotations { labels: labels.unwrap_or_else(Labels::coco), ..Annotations::default() };
    let mut rounded = 0;
    for Line { mut one, rest } in lines {
        let (score, id) = match rest.as_slice() {
            [score, id] => (Some(score), Some(id)),
            [id] if is_id => (None, Some(id)),
            [score] => (Some(score), None),
            _ => (None, None),
        };
        one.score = score.and_then(|text| text.parse().ok());
        if let Some(id) = id {
            rounded += usize::from(id.contains(['e', 'E']));
            one.id = identity(id).map_err(|why| fault(name, format_args!("frame {}", one.frame + 1), why))?;
        }
        read.boxes.push(one);
    }
    if rounded > 0 {
        log::warn!("{name}: {rounded} ids of a million and more were rounded by the program that wrote them");
    }
    Ok(read)
}

/// The names of classes in `data.yaml`, `classes.txt` or `obj.names` in the folder or one of the two above.
fn names_around(folder: &Path) -> Option<Labels> {
    folder.ancestors().take(3).find_map(|folder| {
        let read = |name: &str| bounded::read_text(&folder.join(name), 1 << 20).ok();
        let lists =
            ["classes.txt", "obj.names"].iter().find_map(|name| read(name).map(|text| Labels::parse(&text)));
        let yaml = ["data.yaml", "dataset.yaml"]
            .iter()
            .find_map(|name| read(name).and_then(|text| names_of_yaml(&text)));
        yaml.or(lists).filter(|labels| !labels.is_empty())
    })
}

/// The list `names` of a YAML file, in any of its three forms.
fn names_of_yaml(text: &str) -> Option<Labels> {
    let clean = |name: &str| name.trim().trim_matches(['"', '\'']).to_owned();
    let mut lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default());
    let first = lines.find_map(|line| line.strip_prefix("names:"))?.trim();
    let mut names: Vec<(usize, String)> = Vec::new();
    if let Some(list) = first.strip_prefix('[').or_else(|| first.strip_prefix('{')) {
        for (at, item) in list.trim_end_matches([']', '}']).split(',').enumerate() {
            let keyed = item.split_once(':').and_then(|(key, name)| Some((key.trim().parse().ok()?, name)));
            let (at, name) = keyed.unwrap_or((at, item));
            names.push((at, clean(name)));
        }
    } else {
        for line in lines.take_while(|line| line.trim().is_empty() || line.starts_with([' ', '-'])) {
            let line = line.trim();
            match (line.strip_prefix('-'), line.split_once(':')) {
                (Some(name), _) => names.push((names.len(), clean(name))),
                (None, Some((key, name))) => names.push((key.trim().parse().ok()?, clean(name))),
                _ => {}
            }
        }
    }
    let longest = names.iter().map(|(at, _)| at + 1).max()?;
    if longest > super::MAX_CLASSES {
        return None;
    }
    let mut all: Vec<String> = (0..longest).map(|at| format!("class {at}")).collect();
    names.into_iter().filter(|(_, name)| !name.is_empty()).for_each(|(at, name)| all[at] = name);
    Some(Labels::parse(&all.join("\n")))
}

pub(super) fn write_folder(of: &Annotations, dialect: &Dialect, path: &Path) -> io::Result<Lost> {
    let (across, down) = size_of(of, dialect)?;
    let (across, down) = (f64::from(across), f64::from(down));
    let mut lost = Lost::default();
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    lost.add("the size of the picture", 1);
    std::fs::create_dir(path)?;
    let labels = path.join("labels");
    std::fs::create_dir(&labels)?;
    let names: Vec<String> =
        of.labels.iter().enumerate().map(|(at, name)| format!("  {at}: {name:?}\n")).collect();
    std::fs::write(path.join("data.yaml"), format!("names:\n{}", names.concat()))?;
    let with_ids = of.boxes.iter().any(|one| one.id.is_some());
    let from = u64::from(dialect.frames_from.unwrap_or(1));
    for boxes in of.boxes.chunk_by(|a, b| a.frame == b.frame) {
        let mut text = String::new();
        for one in boxes {
            use std::fmt::Write;
            let Region { left, top, width, height } = one.region;
            let (cx, cy) = ((left + width / 2.0) / across, (top + height / 2.0) / down);
            let class = one.class.map_or(of.labels.len(), usize::from);
            lost.add("boxes without a class", usize::from(one.class.is_none()));
            // Writing to a string cannot fail.
            let _ = write!(text, "{class} {cx:.9} {cy:.9} {:.9} {:.9}", width / across, height / down);
            match (one.score, one.id) {
                (score, Some(id)) => drop(write!(text, " {} {id}", score.unwrap_or(1.0))),
                (Some(score), None) if !with_ids => drop(write!(text, " {score:?}")),
                _ => lost.add("scores of boxes without an id", usize::from(one.score.is_some())),
            }
            text.push('\n');
        }
        let frame = boxes.first().map_or(0, |one| one.frame) + from;
        std::fs::File::create_new(labels.join(format!("frame_{frame}.txt")))?.write_all(text.as_bytes())?;
    }
    Ok(lost)
}
