//! Files of boxes in the formats of other programs: one table of formats, one type that all are read into and written from.
//!
//! To add a format: a file here with a `parse` (text in, [`Annotations`] out) and a `write`, a [`Format`] with its name, and a
//! line in [`Format::detect`] that knows it by its begin. A reader says line, column and reason of what it refuses, takes any
//! bytes without panic, and bounds what it keeps. A writer returns what it could not write, see [`Lost`].
//!
//! Boxes are in pixels of the source picture from its top-left corner, frames and classes count from 0, whatever the file has.

mod coco;
mod csv;
mod cvat;
mod cvat_mot;
mod drone;
mod jsonl;
mod kitti;
mod label_studio;
mod mot_text;
mod supervision;
#[cfg(test)]
mod tests;
mod yolo;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use super::dialect::Dialect;
use super::info::MAX_FRAMES;
use super::lines::MotError;
use crate::atomic_file::{self, Durability};
use crate::bounded;
use crate::detection::{ClassId, Extra};
use crate::labels::Labels;
use crate::metrics::Region;

/// A file that is read as a whole is not longer.
const MAX_BYTES: u64 = 1 << 29;
/// The most classes that are told apart.
const MAX_CLASSES: usize = 1000;
/// A larger frame number is a mistake.
pub(super) const MAX_FRAME: u64 = 100_000_000;
/// Boxes between keyframes of a file are this many at most, some 200 MB: twenty objects for an hour. A few bytes of a file can
/// ask for any number of them.
const MAX_FILLED: usize = 2_000_000;

/// Keys that only a COCO document has, in each of its lists.
const COCO: [&str; 6] = ["images", "categories", "videos", "licenses", "image_id", "category_id"];

/// One box in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Annotation {
    /// From 0.
    pub frame: u64,
    /// Which object; `None` for a detection.
    pub id: Option<u64>,
    /// In pixels from 0.
    pub region: Region,
    /// `None` where the file has none.
    pub score: Option<f64>,
    /// A place among the labels; `None` where the file has none.
    pub class: Option<ClassId>,
    /// Not seen in this frame: the box is a prediction.
    pub predicted: bool,
    /// Nobody has to find it: hidden or cut off more than the benchmark of this format demands.
    pub hard: bool,
    /// Where it is in the file, from 1, counted as [`Format::unit`] says. A box between keyframes has that of the first one.
    pub row: u64,
}

/// The boxes of a whole recording, and what the file says of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Annotations {
    /// By frame; those of one frame as in the file.
    pub boxes: Vec<Annotation>,
    /// What is known of boxes beside them: the frame and the id of each; by frame.
    pub extras: Vec<(u64, u64, Extra)>,
    /// Regions that nobody annotated: the frame, and where.
    pub ignored: Vec<(u64, Region)>,
    /// The names of the classes.
    pub labels: Labels,
    /// How many frames there are, where the file says so.
    pub frames: Option<u64>,
    /// Width and height of the picture in pixels, where the file says so.
    pub size: Option<(u32, u32)>,
    /// Frames a second, where the file says so.
    pub fps: Option<f64>,
}

impl Annotations {
    /// How many frames there are: as the file says, or up to the last box.
    pub fn length(&self) -> u64 {
        let last = self.boxes.iter().map(|one| one.frame + 1).max().unwrap_or(0);
        self.frames.unwrap_or(0).max(last)
    }

    /// The name of a class, `object` where there is none.
    fn class_name(&self, class: Option<ClassId>) -> String {
        class.map_or_else(|| "object".to_owned(), |class| self.labels.name(class).into_owned())
    }

    /// The boxes of each track by frame, by id.
    fn tracks(&self) -> BTreeMap<u64, Vec<&Annotation>> {
        let mut tracks: BTreeMap<u64, Vec<&Annotation>> = BTreeMap::new();
        for one in &self.boxes {
            if let Some(id) = one.id {
                tracks.entry(id).or_default().push(one);
            }
        }
        tracks
    }
}

/// What a format cannot carry, and was in the boxes: counts by what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost(BTreeMap<&'static str, usize>);

impl Lost {
    fn add(&mut self, what: &'static str, count: usize) {
        if count > 0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// What was lost, with how many boxes it was of.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.0.iter().map(|(what, count)| (*what, *count))
    }
}

/// A format of files of boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// MOTChallenge text.
    Mot,
    /// One JSON object a frame, as `track` writes it.
    Jsonl,
    /// CSV as `track` writes it.
    Csv,
    /// COCO-VID, and other documents of COCO's layout with tracks.
    Coco,
    /// COCO results: a list of boxes with image_id.
    CocoResults,
    /// CVAT for video 1.1, XML.
    Cvat,
    /// CVAT MOT 1.1, a zip file.
    CvatMot,
    /// CSV of the library supervision.
    SupervisionCsv,
    /// JSON of the library supervision.
    SupervisionJson,
    /// Label Studio, JSON of a video task.
    LabelStudio,
    /// KITTI tracking, `label_02`.
    Kitti,
    /// A folder of YOLO labels as Ultralytics writes it, a file a frame.
    Ultralytics,
    /// VisDrone, text with ten columns.
    VisDrone,
    /// UAVDT, the files `*_gt_whole.txt`.
    Uavdt,
}

impl Format {
    /// All of them, with the names that `convert` knows.
    pub const ALL: [(&'static str, Self); 14] = [
        ("mot", Self::Mot),
        ("jsonl", Self::Jsonl),
        ("csv", Self::Csv),
        ("coco", Self::Coco),
        ("coco-results", Self::CocoResults),
        ("cvat", Self::Cvat),
        ("cvat-mot", Self::CvatMot),
        ("supervision-csv", Self::SupervisionCsv),
        ("supervision-json", Self::SupervisionJson),
        ("label-studio", Self::LabelStudio),
        ("kitti", Self::Kitti),
        ("ultralytics", Self::Ultralytics),
        ("visdrone", Self::VisDrone),
        ("uavdt", Self::Uavdt),
    ];

    /// The name that [`Format::named`] knows.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// The format of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// The format of a text by its first bytes.
    pub fn detect(begin: &[u8]) -> Self {
        if begin.starts_with(b"PK\x03\x04") {
            return Self::CvatMot;
        }
        let text = String::from_utf8_lossy(begin);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let has = |word: &str| text.contains(&format!("\"{word}\""));
        match text.chars().next() {
            Some('<') => Self::Cvat,
            Some('[') if has("x_min") => Self::SupervisionJson,
            Some('[') if has("annotations") || has("predictions") || has("data") => Self::LabelStudio,
            Some('[') => Self::CocoResults,
            // Whichever of its lists comes first.
            Some('{') if !has("tracks") && COCO.iter().any(|word| has(word)) => Self::Coco,
            Some('{') if has("result") || has("data") => Self::LabelStudio,
            Some('{') => Self::Jsonl,
            _ if line.contains("x_min") => Self::SupervisionCsv,
            _ if line.starts_with("frame,") && line.contains(",left,") => Self::Csv,
            _ if kitti::is_line(line) => Self::Kitti,
            _ if drone::is_visdrone(text) => Self::VisDrone,
            _ => Self::Mot,
        }
    }

    /// What [`Annotation::row`] counts: lines of text, or entries of a list.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Coco => "annotation",
            Self::CocoResults | Self::SupervisionJson => "object",
            Self::LabelStudio => "result",
            _ => "line",
        }
    }

    /// The format of a file or folder by its first bytes; that of UAVDT, which looks like MOTChallenge text, by its name.
    ///
    /// # Errors
    /// [`MotError::Read`] where it cannot be opened.
    pub fn of(path: &Path) -> Result<Self, MotError> {
        if path.is_dir() {
            return Ok(Self::Ultralytics);
        }
        // What is read from a pipe to look at it is gone; what is not there is told by whoever opens it.
        if !path.is_file() {
            return Ok(Self::Mot);
        }
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("gt_whole.txt")) {
            return Ok(Self::Uavdt);
        }
        let begin = bounded::read_begin(path, 8192);
        let begin = begin.map_err(|error| MotError::Read { path: path.display().to_string(), error })?;
        Ok(Self::detect(&begin))
    }

    /// The names of the videos in a file of COCO-VID that has several; none of any other file. One is read at a time, see
    /// [`Dialect::video`].
    ///
    /// # Errors
    /// As [`Format::read`].
    pub fn videos(path: &Path) -> Result<Vec<String>, MotError> {
        if Self::of(path)? != Self::Coco {
            return Ok(Vec::new());
        }
        let name = path.display().to_string();
        let bytes = bounded::read(path, MAX_BYTES);
        coco::videos(&bytes.map_err(|error| MotError::Read { path: name.clone(), error })?, &name)
    }

    /// Reads a file or folder of this format.
    ///
    /// # Errors
    /// [`MotError`]: what cannot be read, with line and reason.
    pub fn read(self, path: &Path, dialect: &Dialect) -> Result<Annotations, MotError> {
        let name = path.display().to_string();
        if self == Self::Ultralytics {
            return yolo::read_folder(path, dialect).map(sorted);
        }
        let file = std::fs::File::open(path).map_err(|error| MotError::Read { path: name.clone(), error })?;
        self.parse(&mut io::BufReader::new(file), &name, dialect)
    }

    /// The same from text that is already open; of [`Format::Ultralytics`] that of the first frame.
    ///
    /// # Errors
    /// As [`Format::read`].
    pub fn parse(
        self,
        text: &mut dyn BufRead,
        name: &str,
        dialect: &Dialect,
    ) -> Result<Annotations, MotError> {
        let mut whole = || -> Result<Vec<u8>, MotError> {
            let mut bytes = Vec::new();
            let read = text.take(MAX_BYTES + 1).read_to_end(&mut bytes);
            let read = read.and_then(|_| match bytes.len() as u64 > MAX_BYTES {
                true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 512 MB")),
                false => Ok(()),
            });
            read.map_err(|error| MotError::Read { path: name.to_owned(), error })?;
            let mark = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            Ok(bytes.split_off(mark))
        };
        let read = match self {
            Self::Mot => mot_text::parse(text, name, dialect),
            Self::Jsonl => jsonl::parse(text, name),
            Self::Csv => csv::parse(text, name, dialect),
            Self::SupervisionCsv => supervision::parse_csv(text, name, dialect),
            Self::Kitti => kitti::parse(text, name, dialect),
            Self::VisDrone => drone::parse(text, name, dialect),
            Self::Uavdt => drone::parse_uavdt(text, name, dialect),
            Self::Ultralytics => yolo::parse(text, name, dialect),
            Self::Coco => coco::parse(&whole()?, name, dialect),
            Self::CocoResults => coco::parse_results(&whole()?, name, dialect),
            Self::Cvat => cvat::parse(&whole()?, name),
            Self::CvatMot => cvat_mot::parse(&whole()?, name, dialect),
            Self::SupervisionJson => supervision::parse_json(&whole()?, name, dialect),
            Self::LabelStudio => label_studio::parse(&whole()?, name, dialect),
        };
        read.map(sorted)
    }

    /// Writes boxes as this format, and says what it cannot carry. What is not known of the picture comes from `dialect`.
    ///
    /// # Errors
    /// What the system says, or what the format needs and nobody said.
    pub fn write(self, of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
        // A few bytes can name any frame.
        let for_each_frame = matches!(self, Self::Jsonl | Self::Coco);
        if for_each_frame && of.length() > MAX_FRAMES as u64 {
            let why = format!(
                "{} has an entry for each frame, and the last frame is {}; at most {MAX_FRAMES} frames are written",
                self.name(),
                of.length()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let lost = match self {
            Self::Mot => mot_text::write(of, dialect, out),
            Self::Jsonl => jsonl::write(of, dialect, out),
            Self::Csv => csv::write(of, dialect, out),
            Self::Coco => coco::write(of, dialect, out),
            Self::CocoResults => coco::write_results(of, out),
            Self::Cvat => cvat::write(of, dialect, out),
            Self::CvatMot => cvat_mot::write(of, dialect, out),
            Self::SupervisionCsv => supervision::write_csv(of, dialect, out),
            Self::SupervisionJson => supervision::write_json(of, dialect, out),
            Self::LabelStudio => label_studio::write(of, dialect, out),
            Self::Kitti => kitti::write(of, out),
            Self::VisDrone => drone::write(of, dialect, out),
            Self::Uavdt => drone::write_uavdt(of, dialect, out),
            Self::Ultralytics => Err(io::Error::other("ultralytics is a folder of files")),
        };
        lost.map(|lost| self.without_rules(of, lost))
    }

    /// Adds what only the formats of benchmarks with rules of their own carry.
    fn without_rules(self, of: &Annotations, mut lost: Lost) -> Lost {
        let (regions, hard) = match self {
            Self::Kitti => (true, true),
            Self::VisDrone => (true, false),
            _ => (false, false),
        };
        lost.add("regions that nobody annotated", if regions { 0 } else { of.ignored.len() });
        let boxes = of.boxes.iter().filter(|one| one.hard && !hard);
        lost.add("that a box does not have to be found", boxes.count());
        let extras = if self == Self::Jsonl { 0 } else { of.extras.len() };
        lost.add("masks, points and turned boxes", extras);
        lost
    }

    /// Writes boxes as this format into a file, which is replaced, or, where the format is one, into a new folder.
    ///
    /// # Errors
    /// As [`Format::write`]; also where there is such a folder already.
    pub fn write_to(self, of: &Annotations, dialect: &Dialect, path: &Path) -> io::Result<Lost> {
        if self == Self::Ultralytics {
            return yolo::write_folder(of, dialect, path).map(|lost| self.without_rules(of, lost));
        }
        let mut lost = Lost::default();
        atomic_file::replace_beside(path, Durability::OnDisk, |file| {
            let mut out = io::BufWriter::new(file);
            lost = self.write(of, dialect, &mut out)?;
            out.flush()
        })?;
        Ok(lost)
    }
}

fn sorted(mut read: Annotations) -> Annotations {
    read.boxes.sort_by_key(|one| one.frame);
    read.ignored.sort_by_key(|(frame, _)| *frame);
    read.extras.sort_by_key(|(frame, id, _)| (*frame, *id));
    read
}

/// What is wrong in a file, and where in it.
fn fault(name: &str, place: impl std::fmt::Display, why: impl std::fmt::Display) -> MotError {
    MotError::Format { path: name.to_owned(), place: place.to_string(), why: why.to_string() }
}

/// What is wrong with JSON; it knows line and column itself.
fn json_fault(name: &str, error: &serde_json::Error) -> MotError {
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default();
    fault(name, format_args!("line {}, column {}", error.line(), error.column()), why)
}

/// Names of classes that get their numbers as they come.
#[derive(Debug, Default)]
struct Names {
    names: Vec<String>,
    places: std::collections::HashMap<String, ClassId>,
}

impl Names {
    /// The number of a name.
    fn place(&mut self, name: &str) -> Result<ClassId, String> {
        let name = name.replace(['\n', '\r'], " ").trim().to_owned();
        if let Some(place) = self.places.get(&name) {
            return Ok(*place);
        }
        if self.names.len() >= MAX_CLASSES {
            return Err(format!("more than {MAX_CLASSES} classes"));
        }
        let place = self.names.len() as ClassId;
        self.names.push(if name.is_empty() { "object".to_owned() } else { name.clone() });
        self.places.insert(name, place);
        Ok(place)
    }

    fn labels(&self) -> Labels {
        Labels::parse(&self.names.join("\n"))
    }
}

/// Ids that are words: whole numbers stay, others get free numbers.
#[derive(Debug, Default)]
struct Ids(std::collections::HashMap<String, u64>);

impl Ids {
    fn id(&mut self, word: &str) -> u64 {
        if let Ok(number) = word.parse() {
            return number;
        }
        // Far from the numbers that others have.
        let next = 1_000_000_000 + self.0.len() as u64;
        *self.0.entry(word.to_owned()).or_insert(next)
    }
}

/// Checks what every reader must check of a box: numbers that are numbers, a frame that can be.
fn checked(one: Annotation) -> Result<Annotation, String> {
    let Region { left, top, width, height } = one.region;
    if ![left, top, width, height].iter().all(|side| side.is_finite() && side.abs() <= 1e9) {
        return Err("a box with a side that is no number".to_owned());
    }
    if one.frame > MAX_FRAME {
        return Err(format!("frame {} is behind {MAX_FRAME}", one.frame));
    }
    let score = one.score.filter(|score| score.is_finite());
    Ok(Annotation { score, ..one })
}

/// The box between two corners, with sides that lead from one to the other to the last digit, as scoring needs it.
fn from_corners(left: f64, top: f64, right: f64, bottom: f64) -> Region {
    let side = |from: f64, to: f64| {
        let side = to - from;
        [side, side.next_up(), side.next_down()].into_iter().find(|side| from + side == to).unwrap_or(side)
    };
    Region::new(left, top, side(left, right), side(top, bottom))
}

fn too_many_filled() -> String {
    format!("more than {MAX_FILLED} boxes between keyframes; cut the task into parts")
}

/// The box between this one and the next: at `frame`, in proportion.
fn between(a: &Annotation, b: &Annotation, frame: u64) -> Annotation {
    let share = (frame - a.frame) as f64 / (b.frame - a.frame).max(1) as f64;
    let mix = |a: f64, b: f64| a + (b - a) * share;
    let (x, y) = (a.region, b.region);
    let region =
        Region::new(mix(x.left, y.left), mix(x.top, y.top), mix(x.width, y.width), mix(x.height, y.height));
    Annotation { frame, region, ..*a }
}

/// The numbers, from 0, that classes have where a file has no names: their places among the dialect's names, else among
/// COCO's; `None` where the name of a box is not there, and the numbers are those of the boxes.
fn class_numbers(of: &Annotations, dialect: &Dialect) -> Option<Vec<ClassId>> {
    let known = dialect.labels.clone().unwrap_or_else(Labels::coco);
    let used: HashSet<ClassId> = of.boxes.iter().filter_map(|one| one.class).collect();
    let number =
        |(name, class): (&str, ClassId)| known.find(name).or((!used.contains(&class)).then_some(class));
    of.labels.iter().zip(0..).map(number).collect()
}

/// The picture's size, from the file or the dialect.
fn size_of(of: &Annotations, dialect: &Dialect) -> io::Result<(u32, u32)> {
    dialect.size.or(of.size).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the size of the picture is not known: --size WIDTHxHEIGHT",
        )
    })
}

/// A number of pixels as it is written: as short as it can be, to the thousandth.
fn short(value: f64) -> f64 {
    let rounded = (value * 1000.0).round() / 1000.0;
    if rounded == 0.0 { 0.0 } else { rounded }
}
